//! What callers prove themselves with beside their identity in the mesh: tokens and API keys.

use super::said::Said;
use super::{JwtId, KeysId};
use mesh_lang::source::Span;

/// A kind of token or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Credential {
    /// A token.
    Jwt(JwtId),
    /// An API key.
    Key(KeysId),
}

/// An issuer of tokens, and how they are verified.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Where its name is declared.
    pub span: Span,
    /// Whether other namespaces may name it.
    pub exported: bool,
    /// The issuer that tokens name.
    pub issuer: String,
    /// The audiences of which a token names one; none: any.
    pub audiences: Vec<String>,
    /// Where the keys are.
    pub jwks: Option<Said<Jwks>>,
    /// Where in a request the token is.
    pub places: Vec<Said<TokenPlace>>,
}

/// Where the keys that sign tokens are.
#[derive(Clone, Debug, PartialEq)]
pub enum Jwks {
    /// There, fetched every so many milliseconds.
    Url(String, Said<u32>),
    /// In a file.
    File(String),
}

/// Where in a request a token or key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In a header (lower case), behind a prefix.
    Header(String, String),
    /// In a cookie.
    Cookie(String),
    /// In a query parameter.
    Query(String),
}

/// API keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Their name.
    pub name: String,
    /// Their namespace.
    pub namespace: String,
    /// Where the name is declared.
    pub span: Span,
    /// Whether other namespaces may name them.
    pub exported: bool,
    /// The file that holds their hashes.
    pub file: String,
    /// Where in a request a key is.
    pub place: Option<Said<TokenPlace>>,
}

impl Jwks {
    /// How often keys are fetched where nothing else is said, in milliseconds.
    pub const EVERY: u32 = 10 * 60 * 1000;
}

impl TokenPlace {
    /// Where a token is where nothing else is said (RFC 6750 §2.1).
    pub fn authorization() -> Self {
        Self::Header("authorization".to_owned(), "Bearer ".to_owned())
    }
}
