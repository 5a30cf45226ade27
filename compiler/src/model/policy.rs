//! What a level of the mesh sets about traffic: times, tries, rates, copies, faults, headers, bodies.
//!
//! `defaults`, gateways, hosts, services, arms and `calls` are levels. Each may set each value, and the
//! strongest that does wins, value by value; what may be said several times adds up ([`Many`]). A `use`
//! counts just below what its block says, so that a level is its block over its policies.

use super::Target;
use super::condition::{Condition, Field};
use super::credential::Credential;
use super::said::{Many, Origin, Said, Switch};
use mesh_lang::source::Span;
use mesh_lang::value::{Date, PathPattern};

/// What one level sets. A value that it does not name is a weaker level's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// `timeout`.
    pub timeouts: Timeouts,
    /// `retry`.
    pub retry: Option<Said<Switch<Retry>>>,
    /// `hedge after`, in milliseconds.
    pub hedge: Option<Said<Switch<u32>>>,
    /// `sticky`: the field that keeps its share of a split.
    pub sticky: Option<Said<Switch<Field>>>,
    /// `cors`.
    pub cors: Option<Said<Switch<Cors>>>,
    /// `max-body`, in bytes.
    pub max_body: Option<Said<Switch<u64>>>,
    /// `buffer`, in bytes.
    pub buffer: Option<Said<Switch<u64>>>,
    /// `compress`.
    pub compress: Option<Said<Switch<()>>>,
    /// `rewrite`.
    pub rewrite: Rewrite,
    /// `rate-limit`.
    pub rate_limits: Many<RateLimit>,
    /// `mirror`.
    pub mirrors: Many<Mirror>,
    /// `fault`.
    pub faults: Many<Fault>,
    /// `request-header`.
    pub request_headers: Many<HeaderOperation>,
    /// `response-header`.
    pub response_headers: Many<HeaderOperation>,
    /// `require`: what no level inside can take back.
    pub requires: Vec<Said<Require>>,
    /// `accept`.
    pub accepts: Vec<Said<Credential>>,
}

/// The times of a level, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timeouts {
    /// From the request's head to the end of the response.
    pub request: Option<Said<Switch<u32>>>,
    /// From dialling to a usable connection.
    pub connect: Option<Said<Switch<u32>>>,
    /// How long an unused upstream connection is kept.
    pub idle: Option<Said<Switch<u32>>>,
}

/// Further tries.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// How many.
    pub attempts: u32,
    /// After what.
    pub on: Vec<RetryOn>,
    /// How long each try may take, in milliseconds.
    pub per_try: Option<Said<u32>>,
    /// The first wait and the longest, in milliseconds.
    pub backoff: Said<(u32, u32)>,
    /// How many there may be for all requests together.
    pub budget: Said<Budget>,
    /// Whether requests that change something are tried again, too.
    pub any_method: Option<Said<()>>,
}

/// A condition for a further try, by Envoy's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryOn {
    /// `5xx`: any, or no answer.
    ServerError,
    /// `gateway-error`: 502, 503, 504.
    GatewayError,
    /// `reset`.
    Reset,
    /// `connect-failure`.
    ConnectFailure,
    /// `refused-stream`.
    RefusedStream,
    /// `retriable-4xx`: 409.
    Retriable4xx,
    /// `timeout`: of a try.
    Timeout,
    /// `grpc cancelled`.
    GrpcCancelled,
    /// `grpc deadline-exceeded`.
    GrpcDeadlineExceeded,
    /// `grpc internal`.
    GrpcInternal,
    /// `grpc resource-exhausted`.
    GrpcResourceExhausted,
    /// `grpc unavailable`.
    GrpcUnavailable,
    /// A status.
    Status(u16),
}

/// How many further tries there may be for all requests together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Of the requests under way, or of those within the window; in millionths.
    pub share: u32,
    /// What there always is.
    pub least: BudgetFloor,
    /// The window in milliseconds; `None`: of the requests under way.
    pub over: Option<u32>,
}

/// What a retry budget always allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BudgetFloor {
    /// So many at a time.
    Concurrent(u32),
    /// So many in a time.
    Rate(Rate),
}

/// So many in so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub per: u32,
}

/// Which pages of other origins may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// The origins, or `*`.
    pub origins: Vec<String>,
    /// The methods they may use.
    pub methods: Said<Vec<String>>,
    /// The headers they may send, lower case.
    pub headers: Vec<String>,
    /// The headers they may read, lower case.
    pub expose: Vec<String>,
    /// Whether cookies are sent along.
    pub credentials: bool,
    /// How long a preflight holds, in seconds.
    pub max_age: Option<Said<u32>>,
}

/// What is forwarded in place of what came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rewrite {
    /// Where the level says `off`: rewrites of levels outside do not hold.
    pub off: Option<Said<()>>,
    /// The path.
    pub path: Option<Said<PathRewrite>>,
    /// The host.
    pub host: Option<Said<String>>,
}

/// What becomes of the path.
#[derive(Clone, Debug, PartialEq)]
pub enum PathRewrite {
    /// It is this, captures filled in.
    Template(PathPattern),
    /// What stands before the arm's final `/**` is this.
    Prefix(String),
}

/// How many requests a proxy, or all of them together, let through.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// How many.
    pub rate: Rate,
    /// How many may come at once; `None`: as many as come in a second, one at least.
    pub burst: Option<Said<u32>>,
    /// What is counted apart.
    pub per: Vec<Field>,
    /// Counted by a shared store, and what happens when that does not answer.
    pub shared: Option<OnFailure>,
}

/// What happens when nobody answers a remote question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Requests pass.
    Open,
    /// Requests are refused.
    Closed,
}

/// A copy of a share of the requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// Which share, in millionths.
    pub share: u32,
    /// Who gets it.
    pub target: Target,
    /// Whether requests that change something are copied, too.
    pub any_method: Option<Said<()>>,
}

/// A try that is delayed or fails on purpose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Which share, in millionths.
    pub share: u32,
    /// What happens.
    pub kind: FaultKind,
    /// The day from which on it does not.
    pub until: Option<Date>,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Waits so many milliseconds.
    Delay(u32),
    /// Answers this status.
    Abort(u16),
}

/// A change of the headers of a request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderOperation {
    /// It is this.
    Set(String, String),
    /// One more of these.
    Add(String, String),
    /// Gone.
    Remove(String),
}

/// A token or key without which requests are refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Require {
    /// Which.
    pub credential: Credential,
    /// When; `None`: always.
    pub condition: Option<Condition>,
}

impl Timeouts {
    /// This level over a weaker one.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        Self {
            request: self.request.or(weaker.request),
            connect: self.connect.or(weaker.connect),
            idle: self.idle.or(weaker.idle),
        }
    }
}

impl RetryOn {
    /// All that have a word, and the word.
    pub const WORDS: &[(&str, Self)] = &[
        ("5xx", Self::ServerError),
        ("gateway-error", Self::GatewayError),
        ("reset", Self::Reset),
        ("connect-failure", Self::ConnectFailure),
        ("refused-stream", Self::RefusedStream),
        ("retriable-4xx", Self::Retriable4xx),
        ("timeout", Self::Timeout),
    ];
    /// Those that stand behind `grpc`.
    pub const GRPC_WORDS: &[(&str, Self)] = &[
        ("cancelled", Self::GrpcCancelled),
        ("deadline-exceeded", Self::GrpcDeadlineExceeded),
        ("internal", Self::GrpcInternal),
        ("resource-exhausted", Self::GrpcResourceExhausted),
        ("unavailable", Self::GrpcUnavailable),
    ];
}

impl std::fmt::Display for RetryOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Self::Status(status) = self {
            return write!(f, "{status}");
        }
        let find = |words: &[(&'static str, Self)]| {
            words
                .iter()
                .find(|(_, on)| on == self)
                .map(|(word, _)| *word)
        };
        match (find(Self::WORDS), find(Self::GRPC_WORDS)) {
            (Some(word), _) => f.write_str(word),
            (None, word) => write!(f, "grpc {}", word.unwrap_or_default()),
        }
    }
}

/// The values of a level that it says once, each with the word of its statement.
macro_rules! singles {
    ($use:ident) => {
        $use! {
            "timeout" timeouts.request,
            "connect" timeouts.connect,
            "idle" timeouts.idle,
            "retry" retry,
            "hedge" hedge,
            "sticky" sticky,
            "cors" cors,
            "max-body" max_body,
            "buffer" buffer,
            "compress" compress,
            "rewrite path" rewrite.path,
            "rewrite host" rewrite.host,
        }
    };
}

impl Policy {
    /// Whether the level says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This level over a weaker one.
    #[must_use]
    pub fn over(mut self, mut weaker: Self) -> Self {
        if self.rewrite.off.is_some() {
            weaker.rewrite = Rewrite::default();
        }
        macro_rules! fill {
            ($($word:literal $($field:ident).+,)*) => {
                $(self.$($field).+ = self.$($field).+.or(weaker.$($field).+);)*
            };
        }
        singles!(fill);
        self.rewrite.off = self.rewrite.off.or(weaker.rewrite.off);
        self.rate_limits = self.rate_limits.over(weaker.rate_limits);
        self.mirrors = self.mirrors.over(weaker.mirrors);
        self.faults = self.faults.over(weaker.faults);
        self.request_headers = self.request_headers.over(weaker.request_headers);
        self.response_headers = self.response_headers.over(weaker.response_headers);
        weaker.requires.append(&mut self.requires);
        self.requires = weaker.requires;
        weaker.accepts.append(&mut self.accepts);
        self.accepts = weaker.accepts;
        self
    }

    /// The same, brought in by the `use` at `used`.
    #[must_use]
    pub fn used(mut self, used: Span) -> Self {
        fn each<T>(all: &mut [Said<T>], used: Span) {
            for said in all {
                said.origin = said.origin.used(used);
            }
        }
        fn many<T>(many: &mut Many<T>, used: Span) {
            many.off = many.off.map(|origin| origin.used(used));
            each(&mut many.each, used);
        }
        macro_rules! mark {
            ($($word:literal $($field:ident).+,)*) => {
                $(self.$($field).+ = self.$($field).+.map(|said| said.used(used));)*
            };
        }
        singles!(mark);
        self.rewrite.off = self.rewrite.off.map(|said| said.used(used));
        many(&mut self.rate_limits, used);
        many(&mut self.mirrors, used);
        many(&mut self.faults, used);
        many(&mut self.request_headers, used);
        many(&mut self.response_headers, used);
        each(&mut self.requires, used);
        each(&mut self.accepts, used);
        self
    }

    /// What the level says that only forwarding an exchange can heed: the word, and who says so.
    pub fn of_forwarding(&self) -> Vec<(&'static str, Origin)> {
        let mut all = Vec::new();
        macro_rules! collect {
            ($($word:literal $($field:ident).+,)*) => {
                $(if let Some(said) = &self.$($field).+ {
                    all.push(($word, said.origin));
                })*
            };
        }
        singles!(collect);
        let answers = ["cors", "max-body", "compress"];
        all.retain(|(word, _)| !answers.contains(word));
        all.extend(self.mirrors.each.iter().map(|said| ("mirror", said.origin)));
        all.extend(self.faults.each.iter().map(|said| ("fault", said.origin)));
        let headers = self.request_headers.each.iter();
        all.extend(headers.map(|said| ("request-header", said.origin)));
        all
    }

    /// What the level says about requests and responses, which mean nothing where there are only
    /// bytes: the word, and the statement.
    pub fn of_requests(&self) -> Vec<(&'static str, Option<Span>)> {
        let mut all = Vec::new();
        macro_rules! collect {
            ($($word:literal $($field:ident).+,)*) => {
                $(if let Some(said) = &self.$($field).+ {
                    all.push(($word, said.span()));
                })*
            };
        }
        singles!(collect);
        all.retain(|(word, _)| !["connect", "idle"].contains(word));
        all.extend(each("rate-limit", &self.rate_limits));
        all.extend(each("mirror", &self.mirrors));
        all.extend(each("fault", &self.faults));
        all.extend(each("request-header", &self.request_headers));
        all.extend(each("response-header", &self.response_headers));
        all.extend(self.requires.iter().map(|said| ("require", said.span())));
        all.extend(self.accepts.iter().map(|said| ("accept", said.span())));
        all
    }

    /// The tokens and keys that the level requires or accepts.
    pub fn credentials(&self) -> impl Iterator<Item = Credential> {
        let required = self.requires.iter().map(|said| said.value.credential);
        required.chain(self.accepts.iter().map(|said| said.value))
    }

    /// What two levels say differently: the word, and who says so on either side.
    pub fn disagreements(&self, other: &Self) -> Vec<(&'static str, Origin, Origin)> {
        let mut all = Vec::new();
        macro_rules! compare {
            ($($word:literal $($field:ident).+,)*) => {
                $(if let (Some(mine), Some(theirs)) = (&self.$($field).+, &other.$($field).+)
                    && mine.value != theirs.value
                {
                    all.push(($word, mine.origin, theirs.origin));
                })*
            };
        }
        singles!(compare);
        all
    }

    /// Only what is said once, and of that what is kept by its word.
    #[must_use]
    pub fn singles(mut self, keep: impl Fn(&str) -> bool) -> Self {
        let mut kept = Self::default();
        macro_rules! filter {
            ($($word:literal $($field:ident).+,)*) => {
                $(kept.$($field).+ = self.$($field).+.take().filter(|_| keep($word));)*
            };
        }
        singles!(filter);
        kept
    }

    /// Whether the level says something of the statement with this word.
    pub fn says(&self, word: &str) -> bool {
        macro_rules! find {
            ($($word:literal $($field:ident).+,)*) => {
                match word { $($word => self.$($field).+.is_some(),)* _ => false }
            };
        }
        singles!(find)
    }
}

/// Where each of many is said.
fn each<T>(word: &'static str, of: &Many<T>) -> impl Iterator<Item = (&'static str, Option<Span>)> {
    of.each.iter().map(move |said| (word, said.span()))
}
