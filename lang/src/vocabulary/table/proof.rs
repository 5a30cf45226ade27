//! What the requests of tests carry.

use crate::vocabulary::Kind::{Claim, Header, HeaderValue, Ip, Parameter, Reference, Text};
use crate::vocabulary::Shape::{List, Value};
use crate::vocabulary::{Place, Statement};

const REQUEST: &[Place] = &[Place::Request];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("header", REQUEST)
        .args(&[Value(Header), Value(HeaderValue)])
        .repeats()
        .doc("a header", "header end-user \"jason\""),
    Statement::new("cookie", REQUEST)
        .args(&[Value(Parameter), Value(Text)])
        .repeats()
        .doc("a cookie", "cookie session \"42\""),
    Statement::new("client-ip", REQUEST)
        .args(&[Value(Ip)])
        .doc("the address of the client", "client-ip 203.0.113.7"),
    Statement::new("jwt", REQUEST)
        .args(&[Value(Reference)])
        .has(Place::Claims)
        .repeats()
        .doc(
            "a valid token, with these claims",
            "jwt corp { sub \"a\"; groups [\"qa\"] }",
        ),
    Statement::new("key", REQUEST)
        .args(&[Value(Reference), Value(Text)])
        .repeats()
        .doc("a valid API key, of this consumer", "key partners \"acme\""),
    Statement::new(Statement::ANY_CLAIM, &[Place::Claims])
        .args(&[List(&Value(Claim))])
        .repeats()
        .doc("a claim", "groups [\"qa\", \"dev\"]"),
    Statement::new(Statement::ANY_CLAIM, &[Place::Claims])
        .has(Place::Claims)
        .repeats()
        .doc(
            "a claim that is an object",
            "realm_access { roles [\"admin\"] }",
        ),
];
