//! The statements of `mesh` and of its blocks.

use crate::vocabulary::Kind::{HostName, Lint, Percent, Port, Url};
use crate::vocabulary::Shape::{List, OneOf, Seq, Value, Word};
use crate::vocabulary::{Place, Statement};

const MESH: &[Place] = &[Place::Mesh];
const LINTS: &[Place] = &[Place::Lints];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("edition", MESH)
        .args(&[Word("2026")])
        .default("2026")
        .doc(
            "the edition of the language, which pins every default",
            "edition 2026",
        ),
    Statement::new("trust-domain", MESH)
        .args(&[Value(HostName)])
        .doc(
            "the SPIFFE trust domain of all identities",
            "trust-domain shop.example",
        ),
    Statement::new("mtls", &[Place::Mesh, Place::Service])
        .args(&[OneOf(&[Word("strict"), Word("permissive"), Word("off")])])
        .default("strict")
        .doc(
            "whether services take only verified callers, others too, or none",
            "mtls strict",
        ),
    Statement::new("authz", MESH)
        .args(&[OneOf(&[Word("deny-by-default"), Word("open-by-default")])])
        .default("deny-by-default")
        .doc("what a service without `authz` is", "authz deny-by-default"),
    Statement::new("egress", MESH)
        .args(&[OneOf(&[Word("deny"), Word("allow")])])
        .default("deny")
        .doc(
            "whether sidecars let through to hosts that the mesh does not know",
            "egress deny",
        ),
    Statement::new("access-log", MESH)
        .args(&[OneOf(&[Word("json"), Word("off")])])
        .default("json")
        .doc("how requests are logged", "access-log json"),
    Statement::new("tracing", MESH)
        .args(&[OneOf(&[
            Seq(&[
                Value(Percent),
                OneOf(&[Word("otlp"), Word("zipkin")]),
                Value(Url),
            ]),
            Word("off"),
        ])])
        .default("off")
        .doc(
            "which share of requests is traced, and where the traces go",
            "tracing 10% otlp \"http://127.0.0.1:4318\"",
        ),
    Statement::new("encoded-slash", MESH)
        .args(&[OneOf(&[Word("reject"), Word("keep")])])
        .default("reject")
        .doc(
            "what happens to `%2F` and `%5C` in a path",
            "encoded-slash keep",
        ),
    Statement::new("sidecar-port", MESH)
        .args(&[Value(Port)])
        .default("15006")
        .doc(
            "the port at which sidecars take requests for the service beside them",
            "sidecar-port 15006",
        ),
    Statement::new("sidecar", &[Place::Mesh, Place::Service])
        .args(&[Word("none")])
        .doc(
            "that nothing terminates mTLS in front of the service",
            "sidecar none",
        ),
    Statement::new("defaults", MESH).has(Place::Defaults).doc(
        "what holds wherever nothing else is said",
        "defaults { timeout 15s }",
    ),
    Statement::new("lints", MESH).has(Place::Lints).doc(
        "how strict each lint is",
        "lints { deny open-service; allow missing-timeout }",
    ),
    Statement::new("deny", LINTS)
        .args(&[List(&Value(Lint))])
        .repeats()
        .doc("makes lints errors", "deny open-service"),
    Statement::new("warn", LINTS)
        .args(&[List(&Value(Lint))])
        .repeats()
        .doc("makes lints warnings", "warn missing-timeout"),
    Statement::new("allow", LINTS)
        .args(&[List(&Value(Lint))])
        .repeats()
        .doc("silences lints", "allow missing-timeout"),
];
