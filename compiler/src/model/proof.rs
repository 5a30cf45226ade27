//! `assert` and `test`: what is to hold for all requests, and what is to come of some.

use super::condition::Condition;
use super::credential::Credential;
use super::{Action, GatewayId, JwtId, KeysId, ServiceId, Target};
use mesh_lang::source::Span;
use mesh_lang::value::{HostPattern, PathPattern};
use mesh_lang::view::{Compare, Verb};
use std::net::IpAddr;

/// Claims under a title.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// What it is called.
    pub title: String,
    /// The namespace in which it stands.
    pub namespace: String,
    /// Where that is written.
    pub span: Span,
    /// All of it.
    pub whole: Span,
    /// Its claims.
    pub claims: Vec<Claim>,
}

/// A claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Where it is.
    pub span: Span,
    /// What it claims.
    pub kind: ClaimKind,
}

/// What is claimed.
#[derive(Clone, Debug)]
pub enum ClaimKind {
    /// `never | always | only WHO reaches TARGET …`.
    Reaches(Reaches),
    /// `every route in GATEWAY …`.
    EveryRoute(EveryRoute),
}

/// Who does or does not reach whom.
#[derive(Clone, Debug)]
pub struct Reaches {
    /// `never`, `always`, `only`.
    pub verb: Verb,
    /// Whoever sends.
    pub who: Vec<Sender>,
    /// Where requests arrive.
    pub target: Target,
    /// With one of these methods, as written; none: any.
    pub methods: Vec<String>,
    /// At a path that one of these takes; none: any.
    pub paths: Vec<PathPattern>,
    /// Whether chains of calls count.
    pub transitively: bool,
    /// The host at which requests are sent; `always` only.
    pub at: Option<HostPattern>,
    /// What holds of the requests meant; an `unless` is negated.
    pub condition: Option<Condition>,
}

/// Whoever sends requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A client without an identity in the mesh, through any gateway.
    Internet,
    /// Whoever it is.
    Anyone,
    /// Any service.
    AnyService,
    /// The services of a namespace.
    Namespace(String),
    /// A service.
    Service(ServiceId),
    /// A gateway.
    Gateway(GatewayId),
}

/// What each forwarding arm of a gateway has.
#[derive(Clone, Debug)]
pub struct EveryRoute {
    /// The gateway.
    pub gateway: GatewayId,
    /// Only arms that lead there.
    pub to: Option<RouteTarget>,
    /// What they have.
    pub has: Property,
}

/// Where an arm leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// To a service of this namespace.
    Namespace(String),
    /// To a service, or a version of one.
    Target(Target),
}

/// What an arm has.
#[derive(Clone, Debug, PartialEq)]
pub enum Property {
    /// `timeout <= 30s`: the value in force, in the unit of the model.
    Compare {
        /// Of which statement.
        of: Quantity,
        /// How it compares.
        compare: Compare,
        /// With what: milliseconds, tries, bytes, requests a day.
        with: u64,
    },
    /// `requires jwt corp`.
    Requires(Credential),
}

/// A value in force that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// `timeout`, in milliseconds.
    Timeout,
    /// `retry`, in further tries.
    Retry,
    /// `max-body`, in bytes.
    MaxBody,
    /// `rate-limit`, in requests a day.
    RateLimit,
}

/// Requests, and what is to come of them.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// What it is called.
    pub title: String,
    /// The namespace in which it stands.
    pub namespace: String,
    /// Where that is written.
    pub span: Span,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step of a test.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send this.
    Request(Box<TestRequest>),
    /// This is to come of the last request.
    Expect(Expect, Span),
}

/// A request of a test.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// Where it is.
    pub span: Span,
    /// Its method.
    pub method: String,
    /// `http` or `https`.
    pub https: bool,
    /// The host, in normal form.
    pub host: String,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The path as it is sent, before it is normalised.
    pub path: String,
    /// What follows `?`.
    pub query: Option<String>,
    /// Who sends it; `None`: a client of a gateway.
    pub from: Option<ServiceId>,
    /// Headers: names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Cookies.
    pub cookies: Vec<(String, String)>,
    /// The client's address.
    pub client_ip: Option<IpAddr>,
    /// Valid tokens.
    pub tokens: Vec<(JwtId, Vec<TokenClaim>)>,
    /// Valid API keys: their consumers.
    pub keys: Vec<(KeysId, String)>,
}

impl TestCase {
    /// The requests that it sends.
    pub fn requests(&self) -> impl Iterator<Item = &TestRequest> {
        self.steps.iter().filter_map(|step| match step {
            Step::Request(request) => Some(&**request),
            Step::Expect(..) => None,
        })
    }
}

impl TestRequest {
    /// Where it is sent.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let mut url = format!("{scheme}://{}", self.host);
        if let Some(port) = self.port {
            url = format!("{url}:{port}");
        }
        url.push_str(&self.path);
        match &self.query {
            Some(query) => format!("{url}?{query}"),
            None => url,
        }
    }
}

/// A claim of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaim {
    /// Its name, with those of the objects around it before.
    pub path: Vec<String>,
    /// What it holds.
    pub value: ClaimValue,
}

/// What a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue {
    /// A string, a number, `true` or `false`, as text.
    Scalar(String),
    /// A list of these.
    List(Vec<String>),
}

/// What is to come of a request.
#[derive(Clone, Debug)]
pub enum Expect {
    /// An answer with this status, whoever gives it.
    Status(u16),
    /// What an arm would do.
    Action(Action),
}
