//! Which requests there are at all, before a table asks anything.

use mesh_bundle::path::EncodedSlash;
use std::sync::Arc;

/// What is known of the requests that a table meets. What is not known is left open: a proof then holds for
/// more requests than there are, never for fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// What the mesh does with `%2F` and `%5C` in paths.
    pub encoded_slash: EncodedSlash,
    /// The host of a request of which no host is asked.
    pub host: String,
    /// Who calls, as `namespace/name`; shared, as most tables of a mesh have the same.
    pub callers: Arc<Vec<String>>,
    /// Whether somebody calls whose identity is not known.
    pub anonymous: bool,
    /// Where requests come in; none: anywhere.
    pub doors: Vec<Door>,
    /// Whether the client is always the peer, because no proxy in front is believed.
    pub direct: bool,
    /// Whether clients may show certificates.
    pub certificates: bool,
    /// The names of the mesh's issuers of tokens, in order.
    pub tokens: Vec<String>,
    /// The names of the mesh's API keys, in order.
    pub keys: Vec<String>,
}

/// A listener, as requests see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// Whether it speaks TLS.
    pub https: bool,
    /// Its port.
    pub port: u16,
}

impl Door {
    /// `http` or `https`.
    pub fn scheme(self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Whether a URL with its scheme need not name its port.
    pub(super) fn is_usual(self) -> bool {
        self.port == if self.https { 443 } else { 80 }
    }
}

impl Default for World {
    /// A caller without identity, at any door.
    fn default() -> Self {
        Self {
            encoded_slash: EncodedSlash::Reject,
            host: "shop.example".to_owned(),
            callers: Arc::default(),
            anonymous: true,
            doors: Vec::new(),
            direct: false,
            certificates: true,
            tokens: Vec::new(),
            keys: Vec::new(),
        }
    }
}
