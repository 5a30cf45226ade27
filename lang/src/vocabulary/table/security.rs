//! The statements of `authz`, `jwt` and `keys`.

use crate::codes::Code;
use crate::vocabulary::Kind::{Duration, File, Header, HeaderValue, Parameter, Text, Url};
use crate::vocabulary::Shape::{List, OneOf, Optional, Seq, Value, Word};
use crate::vocabulary::{Place, Statement};

const PROTECTED: &[Place] = &[Place::Service, Place::External, Place::Host];
const JWT: &[Place] = &[Place::Jwt];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("authz", PROTECTED)
        .args(&[Word("external"), Value(Url)])
        .has(Place::ExternalAuthz)
        .needs(&[("on-failure", Code::FailmodeMissing)])
        .once_as("authz external")
        .doc(
            "who is asked besides the rules",
            "authz external \"http://127.0.0.1:9191/check\" { timeout 200ms; on-failure closed }",
        ),
    Statement::new("authz", PROTECTED)
        .args(&[Word("shadow")])
        .has(Place::Authz)
        .once_as("authz shadow")
        .doc(
            "rules that only count what they would refuse",
            "authz shadow { allow reviews }",
        ),
    Statement::new("authz", PROTECTED).has(Place::Authz).doc(
        "who may call",
        "authz { allow reviews to GET /ratings/**; deny anyone to /admin/** unless source == ops }",
    ),
    Statement::new("authz", &[Place::Namespace])
        .has(Place::NamespaceAuthz)
        .doc(
            "who may call no service of the namespace",
            "authz { deny namespace sandbox }",
        ),
    Statement::new("timeout", &[Place::ExternalAuthz])
        .args(&[Value(Duration)])
        .default("200ms")
        .doc("how long the answer may take", "timeout 200ms"),
    Statement::new("issuer", JWT).args(&[Value(Text)]).doc(
        "the issuer that tokens name",
        "issuer \"https://auth.example.com\"",
    ),
    Statement::new("audiences", JWT)
        .args(&[List(&Value(Text))])
        .doc(
            "the audiences of which a token names one",
            "audiences \"shop\"",
        ),
    Statement::new("jwks", JWT)
        .args(&[OneOf(&[
            Seq(&[
                Word("url"),
                Value(Url),
                Optional(&[Word("every"), Value(Duration)]),
            ]),
            Seq(&[Word("file"), Value(File)]),
        ])])
        .doc(
            "where the keys are, and how often they are fetched",
            "jwks url \"https://auth.example.com/.well-known/jwks.json\" every 10m",
        ),
    Statement::new("from", JWT)
        .args(&[OneOf(&[
            Seq(&[
                Word("header"),
                Value(Header),
                Optional(&[Value(HeaderValue)]),
            ]),
            Seq(&[Word("cookie"), Value(Parameter)]),
            Seq(&[Word("query"), Value(Parameter)]),
        ])])
        .repeats()
        .default("header authorization \"Bearer \"")
        .doc(
            "where in a request the token is, and what stands before it",
            "from header authorization \"Bearer \"",
        ),
    Statement::new("from", &[Place::Keys])
        .args(&[OneOf(&[
            Seq(&[Word("header"), Value(Header)]),
            Seq(&[Word("cookie"), Value(Parameter)]),
            Seq(&[Word("query"), Value(Parameter)]),
        ])])
        .doc("where in a request the key is", "from header x-api-key"),
    Statement::new("file", &[Place::Keys])
        .args(&[Value(File)])
        .doc("the file of the hashed keys", "file \"partners.yaml\""),
];
