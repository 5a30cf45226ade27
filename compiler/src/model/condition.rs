//! Conditions: what an arm's `when` asks, names resolved and values typed.

use super::credential::Credential;
use super::{JwtId, KeysId};
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, PathPattern};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these.
    And(Vec<Condition>),
    /// One of these.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A test of a field.
    Test(Test),
}

/// A field that a condition may test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `method`.
    Method,
    /// `path`.
    Path,
    /// `host`.
    Host,
    /// `scheme`.
    Scheme,
    /// `port`.
    Port,
    /// `header.NAME`, lower case.
    Header(String),
    /// `query.NAME`.
    Query(String),
    /// `cookie.NAME`.
    Cookie(String),
    /// `source`.
    Source,
    /// `source.namespace`.
    SourceNamespace,
    /// `source.ip`.
    SourceIp,
    /// `client-ip`.
    ClientIp,
    /// `client-cert.san`: names, of which a certificate may have several.
    ClientCertSan,
    /// `jwt.NAME`: a valid token is there.
    Jwt(JwtId),
    /// `jwt.NAME.CLAIM`: a claim of a valid token, with the objects around it.
    Claim(JwtId, Vec<String>),
    /// `key.NAME`: the consumer that a valid key belongs to.
    Key(KeysId),
    /// A field of an entry of the inventory.
    Inventory(String),
}

/// "This holds of this field."
pub fn test(field: Field, predicate: Predicate, span: Span) -> Condition {
    Condition::Test(Test {
        field,
        predicate,
        span,
    })
}

/// "A valid token or key of this kind is there."
pub fn holds(credential: Credential, span: Span) -> Condition {
    let field = match credential {
        Credential::Jwt(jwt) => Field::Jwt(jwt),
        Credential::Key(keys) => Field::Key(keys),
    };
    test(field, Predicate::Present, span)
}

/// One test. An absent field makes every test false; `absent`, `!=` and `not in` are a [`Condition::Not`].
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What is tested.
    pub field: Field,
    /// What must hold of it.
    pub predicate: Predicate,
    /// Where it is written.
    pub span: Span,
}

/// What must hold of a field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// It has one.
    Present,
    /// It is one of these texts. Methods, schemes, sources (`namespace/name`) and namespaces included.
    OneOf(Vec<String>),
    /// It is text of this shape.
    Text(TextPattern),
    /// It is a decimal integer (or the port) in this range, both ends included.
    Between(i64, i64),
    /// A path that one of these takes.
    Paths(Vec<PathPattern>),
    /// A host that one of these takes.
    Hosts(Vec<HostPattern>),
    /// An address in one of these networks.
    Networks(Vec<Cidr>),
    /// A list that holds this, or a text that holds it between spaces.
    Member(String),
}

/// A test on text that is no comparison with whole values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextPattern {
    /// `starts-with`.
    Prefix(Box<str>),
    /// `ends-with`.
    Suffix(Box<str>),
    /// `contains`.
    Contains(Box<str>),
    /// `matches r"…"`: the whole value.
    Regex(Box<str>),
}

impl Condition {
    /// All tests in it, from left to right.
    pub fn tests(&self) -> Vec<&Test> {
        fn collect<'c>(condition: &'c Condition, into: &mut Vec<&'c Test>) {
            match condition {
                Condition::And(parts) | Condition::Or(parts) => {
                    for part in parts {
                        collect(part, into);
                    }
                }
                Condition::Not(part) => collect(part, into),
                Condition::Test(test) => into.push(test),
            }
        }
        let mut tests = Vec::new();
        collect(self, &mut tests);
        tests
    }

    /// The test by which it asks for a stream of events, if it does.
    pub fn asks_for_events(&self) -> Option<Span> {
        self.asked_for_events(true)
    }

    fn asked_for_events(&self, holds: bool) -> Option<Span> {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                let mut parts = parts.iter();
                parts.find_map(|part| part.asked_for_events(holds))
            }
            Self::Not(part) => part.asked_for_events(!holds),
            Self::Test(test) => (holds && test.is_of_events()).then_some(test.span),
        }
    }
}

/// The media type of a stream of events (HTML, "Server-sent events").
const EVENTS: &str = "text/event-stream";

impl Test {
    fn is_of_events(&self) -> bool {
        let is_it = |text: &str| text.to_ascii_lowercase().starts_with(EVENTS);
        matches!(&self.field, Field::Header(name) if name == "accept")
            && match &self.predicate {
                Predicate::OneOf(values) => values.iter().any(|value| is_it(value)),
                Predicate::Text(
                    TextPattern::Prefix(text)
                    | TextPattern::Contains(text)
                    | TextPattern::Suffix(text),
                ) => is_it(text),
                _ => false,
            }
    }
}
