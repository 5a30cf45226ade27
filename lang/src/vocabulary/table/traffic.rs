//! The statements that arms, hosts, gateways, services, policies and `defaults` may carry: time,
//! tries, rates, copies, faults, headers, bodies.

use crate::codes::Code;
use crate::view::ClauseKind;
use crate::vocabulary::Kind::{
    Age, Count, Date, Duration, DurationRange, Header, HeaderValue, HostName, Method, Origin,
    PathPrefix, PathTemplate, Percent, Rate, Reference, Size, Status, Target,
};
use crate::vocabulary::Shape::{Clause, Field, List, OneOf, Optional, Seq, Value, Word};
use crate::vocabulary::{FieldUse, Place, Shape, Statement, Subject};

/// Where all of them may stand.
const TRAFFIC: &[Place] = &[
    Place::Defaults,
    Place::Policy,
    Place::Service,
    Place::External,
    Place::Gateway,
    Place::Host,
    Place::Arm,
    Place::RouteArm,
];

/// Where those stand that hold for a caller's calls, too.
const CALLS: &[Place] = &[
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

/// Where those stand that the target's own sidecar enforces, before its `route`.
const AT_TARGET: &[Place] = &[
    Place::Defaults,
    Place::Policy,
    Place::Service,
    Place::External,
    Place::Gateway,
    Place::Host,
    Place::Arm,
];

const RATE_LIMITED: &[Place] = &[
    Place::Defaults,
    Place::Policy,
    Place::Service,
    Place::External,
    Place::Gateway,
    Place::Host,
    Place::Arm,
    Place::Namespace,
];

const TIMEOUT: &[Place] = &[Place::Timeout];
const RETRY: &[Place] = &[Place::Retry];
const RATE_LIMIT: &[Place] = &[Place::RateLimit, Place::SharedRateLimit];
const CORS: &[Place] = &[Place::Cors];

pub(super) const STATEMENTS: &[Statement] = &[
    Statement::new("timeout", CALLS)
        .args(&[OneOf(&[Value(Duration), Word("off")])])
        .may_have(Place::Timeout)
        .default("15s")
        .doc(
            "how long a request may take in all, every try included",
            "timeout 3s { connect 1s; idle 60s }",
        ),
    Statement::new("timeout", CALLS)
        .has(Place::Timeout)
        .doc("times besides that of the whole request", "timeout { connect 1s }"),
    Statement::new("connect", TIMEOUT)
        .args(&[Value(Duration)])
        .default("5s")
        .doc("how long connecting may take, TLS included", "connect 1s"),
    Statement::new("idle", TIMEOUT)
        .args(&[OneOf(&[Value(Duration), Word("off")])])
        .default("60s")
        .doc(
            "how long a connection to an endpoint is kept while nothing uses it",
            "idle 60s",
        ),
    Statement::new("retry", CALLS)
        .args(&[OneOf(&[
            Seq(&[
                Value(Count),
                Word("on"),
                List(&OneOf(&[
                    Word("5xx"),
                    Word("gateway-error"),
                    Word("reset"),
                    Word("connect-failure"),
                    Word("refused-stream"),
                    Word("retriable-4xx"),
                    Word("timeout"),
                    Seq(&[
                        Word("grpc"),
                        OneOf(&[
                            Word("cancelled"),
                            Word("deadline-exceeded"),
                            Word("internal"),
                            Word("resource-exhausted"),
                            Word("unavailable"),
                        ]),
                    ]),
                    Value(Status),
                ])),
            ]),
            Word("off"),
        ])])
        .may_have(Place::Retry)
        .default("off")
        .doc(
            "how many further tries there are, and after what",
            "retry 2 on 5xx, reset, grpc unavailable { per-try 1s; backoff 25ms..250ms; budget 20% min 10/s over 10s }",
        ),
    Statement::new("per-try", RETRY)
        .args(&[Value(Duration)])
        .doc("how long each try may take", "per-try 1s"),
    Statement::new("backoff", RETRY)
        .args(&[Value(DurationRange)])
        .default("25ms..250ms")
        .doc("the first wait between tries, and the longest", "backoff 25ms..250ms"),
    Statement::new("budget", RETRY)
        .args(&[
            Value(Percent),
            Optional(&[Word("min"), Value(Rate)]),
            Optional(&[Word("over"), Value(Duration)]),
        ])
        .default("20%")
        .doc(
            "how many tries there may be for all requests together",
            "budget 20% min 10/s over 10s",
        ),
    Statement::new("methods", &[Place::Retry, Place::Mirror])
        .args(&[Word("any")])
        .doc("that requests that change something count, too", "methods any"),
    Statement::new("hedge", CALLS)
        .args(&[OneOf(&[
            Seq(&[Word("after"), Value(Duration)]),
            Word("off"),
        ])])
        .default("off")
        .doc("when a second try starts beside the first", "hedge after 80ms"),
    Statement::new("rate-limit", RATE_LIMITED)
        .args(&[Word("shared"), Value(Rate)])
        .has(Place::SharedRateLimit)
        .needs(&[("on-failure", Code::FailmodeMissing)])
        .repeats()
        .doc(
            "how many requests all proxies together let through, counted by a shared store",
            "rate-limit shared 1000/s { on-failure open }",
        ),
    Statement::new("rate-limit", RATE_LIMITED)
        .args(&[OneOf(&[Value(Rate), Word("off")])])
        .may_have(Place::RateLimit)
        .repeats()
        .default("off")
        .doc(
            "how many requests each proxy lets through",
            "rate-limit 100/s { burst 200; per client-ip }",
        ),
    Statement::new("burst", RATE_LIMIT)
        .args(&[Value(Count)])
        .doc("how many may come at once", "burst 200"),
    Statement::new("per", RATE_LIMIT)
        .args(&[List(&Field(FieldUse::Count))])
        .doc("what is counted apart", "per client-ip"),
    Statement::new("on-failure", &[Place::SharedRateLimit, Place::ExternalAuthz])
        .args(&[OneOf(&[Word("open"), Word("closed")])])
        .doc(
            "whether requests pass when nobody answers the question",
            "on-failure closed",
        ),
    Statement::new("mirror", TRAFFIC)
        .args(&[OneOf(&[
            Seq(&[Value(Percent), Value(Target)]),
            Word("off"),
        ])])
        .may_have(Place::Mirror)
        .repeats()
        .default("off")
        .doc("who gets a copy of which share of the requests", "mirror 5% shop"),
    Statement::new("fault", CALLS)
        .args(&[OneOf(&[
            Seq(&[
                Value(Percent),
                OneOf(&[
                    Seq(&[Word("delay"), Value(Duration)]),
                    Seq(&[Word("abort"), Value(Status)]),
                ]),
                Optional(&[Word("until"), Value(Date)]),
            ]),
            Word("off"),
        ])])
        .repeats()
        .default("off")
        .doc(
            "which share of the tries is delayed or fails, on purpose",
            "fault 5% delay 2s until 2026-12-01",
        ),
    Statement::new("request-header", CALLS)
        .args(HEADER_ARGS)
        .repeats()
        .doc(
            "a header that the request gets, gets more of, or loses",
            "request-header set x-tier \"gold\"",
        ),
    Statement::new("response-header", CALLS)
        .args(HEADER_ARGS)
        .repeats()
        .doc(
            "a header that the response gets, gets more of, or loses",
            "response-header remove server, x-powered-by",
        ),
    Statement::new("cors", TRAFFIC)
        .has(Place::Cors)
        .needs(&[("origins", Code::MissingStatement)])
        .doc(
            "which pages of other origins may call",
            "cors { origins \"https://app.example\"; methods GET, POST; credentials; max-age 1h }",
        ),
    Statement::new("cors", TRAFFIC)
        .args(&[Word("off")])
        .default("off")
        .doc("that no page of another origin may call", "cors off"),
    Statement::new("origins", CORS)
        .args(&[List(&Value(Origin))])
        .doc("the origins", "origins \"https://app.example\""),
    Statement::new("methods", CORS)
        .args(&[List(&Value(Method))])
        .default("GET, HEAD, POST")
        .doc("the methods they may use", "methods GET, POST"),
    Statement::new("headers", CORS)
        .args(&[List(&Value(Header))])
        .doc("the headers they may send", "headers authorization, x-team"),
    Statement::new("expose", CORS)
        .args(&[List(&Value(Header))])
        .doc("the headers they may read", "expose x-request-id"),
    Statement::new("credentials", CORS).doc("that cookies are sent along", "credentials"),
    Statement::new("max-age", CORS)
        .args(&[Value(Age)])
        .doc("how long a preflight holds", "max-age 1h"),
    Statement::new("require", AT_TARGET)
        .args(&[
            OneOf(&[Word("jwt"), Word("key")]),
            Value(Reference),
            Optional(&[Clause(
                &[ClauseKind::When, ClauseKind::Unless],
                Subject::Request,
            )]),
        ])
        .repeats()
        .doc(
            "that requests carry a valid token or key",
            "require jwt corp unless path in [/login, /health]",
        ),
    Statement::new("accept", TRAFFIC)
        .args(&[OneOf(&[Word("jwt"), Word("key")]), Value(Reference)])
        .repeats()
        .doc(
            "that a token or key is verified if there is one",
            "accept jwt corp",
        ),
    Statement::new("sticky", TRAFFIC)
        .args(&[OneOf(&[Field(FieldUse::Sticky), Word("off")])])
        .default("off")
        .doc(
            "what keeps its share of a split: the same value, the same target",
            "sticky cookie.session",
        ),
    Statement::new("max-body", TRAFFIC)
        .args(&[OneOf(&[Value(Size), Word("off")])])
        .default("off")
        .doc("how large the body of a request may be", "max-body 1MiB"),
    Statement::new("buffer", TRAFFIC)
        .args(&[OneOf(&[Value(Size), Word("off")])])
        .default("off")
        .doc(
            "that a request is forwarded once its body is read, up to this size",
            "buffer 64KiB",
        ),
    Statement::new("compress", TRAFFIC)
        .args(&[Optional(&[Word("off")])])
        .default("off")
        .doc("that responses are compressed for clients that take it", "compress"),
    Statement::new("rewrite", TRAFFIC)
        .args(&[Word("path"), Value(PathTemplate)])
        .once_as("rewrite path")
        .doc(
            "the path that is forwarded, captures filled in",
            "rewrite path \"/products/{id}\"",
        ),
    Statement::new("rewrite", TRAFFIC)
        .args(&[Word("prefix"), Value(PathPrefix)])
        .once_as("rewrite prefix")
        .doc(
            "what is forwarded in place of the path before the arm's last `/**`",
            "rewrite prefix \"/new\"",
        ),
    Statement::new("rewrite", TRAFFIC)
        .args(&[Word("host"), Value(HostName)])
        .once_as("rewrite host")
        .doc("the host that is forwarded", "rewrite host shop.internal"),
    Statement::new("rewrite", TRAFFIC)
        .args(&[Word("off")])
        .once_as("rewrite off")
        .doc("that rewrites of levels outside do not hold", "rewrite off"),
];

const HEADER_ARGS: &[Shape] = &[OneOf(&[
    Seq(&[
        OneOf(&[Word("set"), Word("add")]),
        Value(Header),
        Value(HeaderValue),
    ]),
    Seq(&[Word("remove"), List(&Value(Header))]),
    Word("off"),
])];
