//! The fields that conditions test, and what each may be compared with.

use super::Kind;
use crate::view::Compare::{
    self, Absent, Contains, EndsWith, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual,
    Matches, NotEqual, NotIn, Present, StartsWith,
};

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A request: the fields of [`FIELDS`], and named conditions.
    Request,
    /// The endpoints of an inventory: whatever fields they have, as text.
    Inventory,
}

/// What stands behind the first word of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Nothing.
    None,
    /// A name: `header.x-team` or `header["X_Team"]`.
    Free,
    /// The name of a `jwt`.
    Jwt,
    /// The name of a `jwt` and of a claim: `jwt.corp.groups` or
    /// `jwt.corp["https://a.example/roles"]`.
    Claim,
    /// The name of a `keys`.
    Keys,
}

/// A field of requests.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// How it is written: `header.NAME`.
    pub name: &'static str,
    /// What it starts with: `header`.
    pub head: &'static str,
    /// What stands behind that.
    pub key: Key,
    /// What it may be compared with.
    pub operands: &'static [Kind],
    /// How it may be compared.
    pub comparisons: &'static [Compare],
    /// One line on what it is.
    pub doc: &'static str,
    /// A condition on it.
    pub example: &'static str,
}

const IDENTITY: &[Compare] = &[Equal, NotEqual, In, NotIn];
const OPTIONAL_IDENTITY: &[Compare] = &[Equal, NotEqual, In, NotIn, Present, Absent];
const NUMBER: &[Compare] = &[
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
];
const TEXT: &[Compare] = &[
    Equal, NotEqual, In, NotIn, Matches, StartsWith, EndsWith, Contains,
];
const OPTIONAL_TEXT: &[Compare] = &[
    Equal, NotEqual, In, NotIn, Matches, StartsWith, EndsWith, Contains, Present, Absent,
];
const ANYTHING: &[Compare] = Compare::ALL;

const STRING_OR_NUMBER: &[Kind] = &[Kind::Text, Kind::Number];

/// The fields of requests.
pub const FIELDS: &[Field] = &[
    Field {
        name: "method",
        head: "method",
        key: Key::None,
        operands: &[Kind::Method],
        comparisons: IDENTITY,
        doc: "the method, exactly: `GET` here is not `HEAD`",
        example: "method in [GET, POST]",
    },
    Field {
        name: "path",
        head: "path",
        key: Key::None,
        operands: &[Kind::PathPattern],
        comparisons: TEXT,
        doc: "the normalised path, without the query",
        example: "path in [/login, /health]",
    },
    Field {
        name: "host",
        head: "host",
        key: Key::None,
        operands: &[Kind::Host],
        comparisons: TEXT,
        doc: "the host, in lower case and without its port",
        example: "host == *.shop.example",
    },
    Field {
        name: "scheme",
        head: "scheme",
        key: Key::None,
        operands: &[Kind::Scheme],
        comparisons: IDENTITY,
        doc: "`http` or `https`",
        example: "scheme == https",
    },
    Field {
        name: "port",
        head: "port",
        key: Key::None,
        operands: &[Kind::Port],
        comparisons: NUMBER,
        doc: "the port of the listener",
        example: "port == 443",
    },
    Field {
        name: "header.NAME",
        head: "header",
        key: Key::Free,
        operands: STRING_OR_NUMBER,
        comparisons: ANYTHING,
        doc: "a header; its name ignores case",
        example: "header.x-team == \"qa\"",
    },
    Field {
        name: "query.NAME",
        head: "query",
        key: Key::Free,
        operands: STRING_OR_NUMBER,
        comparisons: ANYTHING,
        doc: "a parameter of the query, decoded",
        example: "query.page > 100",
    },
    Field {
        name: "cookie.NAME",
        head: "cookie",
        key: Key::Free,
        operands: STRING_OR_NUMBER,
        comparisons: ANYTHING,
        doc: "a cookie",
        example: "cookie.user matches r\".*[0-4]\"",
    },
    Field {
        name: "source",
        head: "source",
        key: Key::None,
        operands: &[Kind::Target],
        comparisons: OPTIONAL_IDENTITY,
        doc: "the service or gateway that calls, by its verified identity",
        example: "source == edge",
    },
    Field {
        name: "source.namespace",
        head: "source.namespace",
        key: Key::None,
        operands: &[Kind::Name],
        comparisons: OPTIONAL_IDENTITY,
        doc: "the namespace of the caller, by its verified identity",
        example: "source.namespace == ops",
    },
    Field {
        name: "source.ip",
        head: "source.ip",
        key: Key::None,
        operands: &[Kind::Network],
        comparisons: IDENTITY,
        doc: "the address of the peer",
        example: "source.ip in [10.0.0.0/8]",
    },
    Field {
        name: "client-ip",
        head: "client-ip",
        key: Key::None,
        operands: &[Kind::Network],
        comparisons: IDENTITY,
        doc: "the address of the client, through trusted proxies",
        example: "client-ip not in office",
    },
    Field {
        name: "client-cert.san",
        head: "client-cert.san",
        key: Key::None,
        operands: &[Kind::Text],
        comparisons: OPTIONAL_TEXT,
        doc: "a name in the certificate of the client",
        example: "client-cert.san ends-with \".partner.example\"",
    },
    Field {
        name: "jwt.NAME.CLAIM",
        head: "jwt",
        key: Key::Claim,
        operands: STRING_OR_NUMBER,
        comparisons: ANYTHING,
        doc: "a claim of a valid token",
        example: "jwt.corp.groups contains \"qa\"",
    },
    Field {
        name: "jwt.NAME",
        head: "jwt",
        key: Key::Jwt,
        operands: &[],
        comparisons: &[Present, Absent],
        doc: "by itself: a valid token is there",
        example: "jwt.corp",
    },
    Field {
        name: "key.NAME",
        head: "key",
        key: Key::Keys,
        operands: &[Kind::Text],
        comparisons: OPTIONAL_TEXT,
        doc: "the consumer that an API key belongs to; by itself: a valid key is there",
        example: "key.partners == \"acme\"",
    },
    Field {
        name: "grpc.service",
        head: "grpc.service",
        key: Key::None,
        operands: &[Kind::Text],
        comparisons: OPTIONAL_TEXT,
        doc: "the service of a gRPC call, with its package",
        example: "grpc.service == \"shop.v1.Cart\"",
    },
    Field {
        name: "grpc.method",
        head: "grpc.method",
        key: Key::None,
        operands: &[Kind::Text],
        comparisons: OPTIONAL_TEXT,
        doc: "the method of a gRPC call",
        example: "grpc.method == \"AddItem\"",
    },
];

/// What `every route … has` may be about.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// The statement whose value is meant.
    pub name: &'static str,
    /// What it is compared with.
    pub operand: Kind,
}

/// The values in force that `every route … has` compares.
pub const PROPERTIES: &[Property] = &[
    Property {
        name: "timeout",
        operand: Kind::Duration,
    },
    Property {
        name: "retry",
        operand: Kind::Number,
    },
    Property {
        name: "max-body",
        operand: Kind::Size,
    },
    Property {
        name: "rate-limit",
        operand: Kind::Rate,
    },
];

impl Field {
    /// The field that `text` names, its index in brackets aside; the part behind the dot of the
    /// head.
    pub fn find(text: &str, has_index: bool) -> Option<(&'static Self, &str)> {
        FIELDS.iter().find_map(|field| {
            let rest = text.strip_prefix(field.head)?;
            let key = match rest.strip_prefix('.') {
                Some(key) => key,
                None if rest.is_empty() => "",
                None => return None,
            };
            let dots = key.matches('.').count();
            let fits = match field.key {
                Key::None => rest.is_empty() && !has_index,
                Key::Free if has_index => rest.is_empty(),
                Key::Free => !key.is_empty(),
                Key::Claim if has_index => !key.is_empty(),
                Key::Claim => dots > 0 && key.split('.').all(|part| !part.is_empty()),
                Key::Jwt | Key::Keys => !key.is_empty() && dots == 0 && !has_index,
            };
            fits.then_some((field, key))
        })
    }
}
