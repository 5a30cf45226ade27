//! The statements of `service` and `external`: where they run, how requests are spread over them,
//! how they fail.

use crate::view::ClauseKind;
use crate::vocabulary::Kind::{
    Count, DnsName, Duration, Endpoint, File, Host, HostName, Identity, KubernetesService, Method,
    NewName, Number, Percent, Reference, RequestPath, Statuses, Target, Text,
};
use crate::vocabulary::Shape::{Clause, Field, List, OneOf, Optional, Seq, Value, Word};
use crate::vocabulary::{FieldUse, Place, Statement, Subject};

const SERVICE: &[Place] = &[Place::Service];
const EXTERNAL: &[Place] = &[Place::External];
const BOTH: &[Place] = &[Place::Service, Place::External];
const WITH_VERSIONS: &[Place] = &[Place::Service, Place::Version, Place::External];
const LIMITED: &[Place] = &[
    Place::Service,
    Place::Version,
    Place::External,
    Place::Namespace,
];
const BALANCE: &[Place] = &[Place::Balance];
const LIMITS: &[Place] = &[Place::Limits];
const EJECT: &[Place] = &[Place::Eject];
const HEALTH: &[Place] = &[Place::Health];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("protocol", BOTH)
        .args(&[OneOf(&[
            Word("http"),
            Word("http1"),
            Word("http2"),
            Word("grpc"),
            Word("tcp"),
        ])])
        .default("http")
        .doc(
            "what it speaks, which decides what may be said about it",
            "protocol grpc",
        ),
    Statement::new("identity", &[Place::Service, Place::Gateway])
        .args(&[Value(Identity)])
        .doc(
            "the identity it proves; by default made of trust domain, namespace and name",
            "identity reviews",
        ),
    Statement::new("hosts", BOTH)
        .args(&[List(&Value(Host))])
        .doc(
            "the hosts it is called by, besides its name",
            "hosts reviews.default.svc.cluster.local",
        ),
    Statement::new("calls", SERVICE)
        .args(&[Word("none")])
        .once_as("calls none")
        .doc("that it calls nobody", "calls none"),
    Statement::new("calls", SERVICE)
        .args(&[
            List(&Value(Target)),
            Optional(&[Word("on"), Value(Endpoint)]),
        ])
        .may_have(Place::Calls)
        .repeats()
        .doc(
            "whom it calls, with what holds for these calls only",
            "calls ratings { timeout 500ms }",
        ),
    Statement::new("version", SERVICE)
        .args(&[Value(NewName)])
        .has(Place::Version)
        .repeats()
        .doc(
            "a version, with its endpoints",
            "version v1 { endpoints 127.0.0.1:9081 }",
        ),
    Statement::new("endpoints", WITH_VERSIONS)
        .args(&[OneOf(&[
            Seq(&[
                Word("dns"),
                Value(DnsName),
                Optional(&[Word("every"), Value(Duration)]),
            ]),
            Seq(&[
                Word("from"),
                Word("inventory"),
                Optional(&[Clause(&[ClauseKind::Where], Subject::Inventory)]),
            ]),
            Seq(&[Word("file"), Value(File)]),
            Seq(&[Word("kubernetes"), Value(KubernetesService)]),
            Seq(&[Word("etcd"), Value(Text)]),
            List(&Seq(&[
                Value(Endpoint),
                Optional(&[Word("weight"), Value(Number)]),
                Optional(&[Word("via"), Value(Endpoint)]),
            ])),
        ])])
        .doc(
            "where the application listens",
            "endpoints 127.0.0.1:9081, 127.0.0.1:9084 weight 2",
        ),
    Statement::new("balance", WITH_VERSIONS)
        .args(&[OneOf(&[
            Word("least-request"),
            Word("round-robin"),
            Word("random"),
            Word("ewma"),
            Word("passthrough"),
            Seq(&[Word("hash"), Word("by"), Field(FieldUse::Hash)]),
        ])])
        .may_have(Place::Balance)
        .default("least-request")
        .doc(
            "how requests are spread over the endpoints",
            "balance least-request { slow-start 30s; prefer zone }",
        ),
    Statement::new("slow-start", BALANCE)
        .args(&[Value(Duration)])
        .doc(
            "how long a new endpoint gets less than its share",
            "slow-start 30s",
        ),
    Statement::new("prefer", BALANCE).args(&[Word("zone")]).doc(
        "that endpoints of the caller's zone come first",
        "prefer zone",
    ),
    Statement::new("limits", LIMITED).has(Place::Limits).doc(
        "how much one proxy lets through at a time",
        "limits { connections 100; pending 10; requests 200; per-connection 1000 }",
    ),
    Statement::new("limits", LIMITED)
        .args(&[Word("off")])
        .doc("that nothing bounds how much is let through", "limits off"),
    Statement::new("connections", LIMITS)
        .args(&[Value(Count)])
        .default("1024")
        .doc("how many connections are open at most", "connections 100"),
    Statement::new("pending", LIMITS)
        .args(&[Value(Count)])
        .default("1024")
        .doc(
            "how many requests wait for a connection at most",
            "pending 10",
        ),
    Statement::new("requests", LIMITS)
        .args(&[Value(Count)])
        .default("1024")
        .doc("how many requests are under way at most", "requests 200"),
    Statement::new("per-connection", LIMITS)
        .args(&[Value(Count)])
        .doc(
            "how many requests a connection carries before it is closed",
            "per-connection 1000",
        ),
    Statement::new("eject", WITH_VERSIONS)
        .args(&[OneOf(&[
            Seq(&[Word("after"), Value(Count), Word("errors")]),
            Word("off"),
        ])])
        .may_have(Place::Eject)
        .default("off")
        .doc(
            "after how many errors in a row an endpoint gets no requests for a while",
            "eject after 5 errors { every 10s; for 30s; at-most 50%; min-healthy 50% }",
        ),
    Statement::new("every", EJECT)
        .args(&[Value(Duration)])
        .default("10s")
        .doc("how often it is decided who comes back", "every 10s"),
    Statement::new("for", EJECT)
        .args(&[Value(Duration)])
        .default("30s")
        .doc(
            "how long the first time is; each next one is longer",
            "for 30s",
        ),
    Statement::new("at-most", EJECT)
        .args(&[Value(Percent)])
        .default("10%")
        .doc(
            "which share of the endpoints may be out at a time",
            "at-most 50%",
        ),
    Statement::new("min-healthy", EJECT)
        .args(&[Value(Percent)])
        .default("50%")
        .doc(
            "the share of healthy endpoints below which all are used",
            "min-healthy 50%",
        ),
    Statement::new("failover", BOTH).args(&[Value(Target)]).doc(
        "who takes the requests when no endpoint is healthy",
        "failover reviews-eu",
    ),
    Statement::new("health", WITH_VERSIONS)
        .args(&[OneOf(&[
            Seq(&[Value(Method), Value(RequestPath)]),
            Word("off"),
        ])])
        .may_have(Place::Health)
        .default("off")
        .doc(
            "the request that tells whether an endpoint is healthy",
            "health GET /healthz { every 5s; timeout 1s; healthy 2; unhealthy 3; expect 200..299 }",
        ),
    Statement::new("every", HEALTH)
        .args(&[Value(Duration)])
        .default("10s")
        .doc("how often it is asked", "every 5s"),
    Statement::new("timeout", HEALTH)
        .args(&[Value(Duration)])
        .default("1s")
        .doc("how long the answer may take", "timeout 1s"),
    Statement::new("healthy", HEALTH)
        .args(&[Value(Count)])
        .default("2")
        .doc(
            "how many good answers in a row make it healthy",
            "healthy 2",
        ),
    Statement::new("unhealthy", HEALTH)
        .args(&[Value(Count)])
        .default("3")
        .doc(
            "how many failures in a row make it unhealthy",
            "unhealthy 3",
        ),
    Statement::new("expect", HEALTH)
        .args(&[List(&Value(Statuses))])
        .default("200")
        .doc("the statuses that are good answers", "expect 200..299"),
    Statement::new("route", SERVICE).has(Place::Route).doc(
        "which requests go to which version",
        "route { when header.end-user == \"jason\" -> v2; otherwise -> v1 }",
    ),
    Statement::new("tls", SERVICE)
        .args(&[Word("verify"), Value(HostName)])
        .doc(
            "that callers speak TLS to it and verify this name, where it has no sidecar",
            "tls verify reviews.internal",
        ),
    Statement::new("tls", EXTERNAL)
        .args(&[OneOf(&[
            Seq(&[Word("verify"), Value(HostName)]),
            Word("passthrough"),
        ])])
        .doc(
            "whether the proxy speaks TLS and verifies this name, or the application does",
            "tls verify api.stripe.com",
        ),
    Statement::new("use", USERS)
        .args(&[List(&Value(Reference))])
        .repeats()
        .doc(
            "the statements of a policy, below those of the block",
            "use patient",
        ),
];

const USERS: &[Place] = &[
    Place::Defaults,
    Place::Policy,
    Place::Service,
    Place::External,
    Place::Gateway,
    Place::Host,
    Place::Arm,
    Place::RouteArm,
    Place::Calls,
];
