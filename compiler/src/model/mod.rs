//! What a policy means: names resolved, values typed, defaults filled in.
//!
//! `resolve` makes it from syntax trees; `plan` makes a bundle of it. Things refer to each other by
//! index ([`ServiceId`] and its like), never by name, so that nothing is looked up twice and nothing can
//! dangle.

pub mod authz;
pub mod condition;
pub mod credential;
pub mod edition;
pub mod policy;
pub mod proof;
pub mod regex;
pub mod said;
pub mod upstream;

use authz::{Authz, Rule};
use condition::Condition;
use credential::{Jwt, Keys};
pub use edition::EDITION;
use mesh_bundle::format::Protocol;
use mesh_bundle::path::EncodedSlash;
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::{Cidr, HostPattern, PathPattern};
use policy::{Policy, RateLimit};
use proof::{Assertion, TestCase};
use said::{Many, Said, Switch};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use upstream::{Endpoint, Endpoints, Limits, Spread};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $type:ty;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::ops::Index<$name> for Mesh {
            type Output = $type;

            fn index(&self, id: $name) -> &$type {
                &self.$field[id.index()]
            }
        })*
    };
}

ids! {
    /// A service.
    ServiceId => services: Service;
    /// A gateway.
    GatewayId => gateways: Gateway;
    /// An issuer of tokens.
    JwtId => jwts: Jwt;
    /// API keys.
    KeysId => keys: Keys;
}

/// The namespace of what stands in none.
pub const DEFAULT_NAMESPACE: &str = "default";
/// Where callers reach a sidecar whose endpoint does not say.
pub const DEFAULT_SIDECAR_PORT: u16 = 15006;

/// A whole mesh.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// Its name.
    pub name: String,
    /// Where its name is.
    pub span: Span,
    /// The edition that pins the defaults.
    pub edition: Said<u32>,
    /// SPIFFE trust domain.
    pub trust_domain: Said<String>,
    /// Whether services take only verified callers.
    pub mtls: Said<Mtls>,
    /// Whether a service without rules is open.
    pub open_by_default: Said<bool>,
    /// Whether sidecars let through to hosts that the mesh does not know.
    pub egress: Said<bool>,
    /// Whether requests are logged.
    pub access_log: Said<bool>,
    /// Which requests are traced, and where traces go.
    pub tracing: Said<Switch<Tracing>>,
    /// Where callers reach a sidecar whose endpoint does not say.
    pub sidecar_port: Said<u16>,
    /// Whether services have no sidecars.
    pub sidecar_none: Option<Said<()>>,
    /// What is done with `%2F` and `%5C` in paths.
    pub encoded_slash: Said<EncodedSlash>,
    /// `defaults`.
    pub defaults: Policy,
    /// Parameters with the values that they have in this compilation, by name.
    pub params: Vec<Param>,
    /// The environment that this compilation is of.
    pub environment: Option<Environment>,
    /// Namespaces that say something about all their services.
    pub namespaces: Vec<Namespace>,
    /// Issuers of tokens, in the order of the source.
    pub jwts: Vec<Jwt>,
    /// API keys, in the order of the source.
    pub keys: Vec<Keys>,
    /// Services and externals, in the order of the source.
    pub services: Vec<Service>,
    /// Gateways, in the order of the source.
    pub gateways: Vec<Gateway>,
    /// What is to hold for all requests.
    pub assertions: Vec<Assertion>,
    /// What is to come of some.
    pub tests: Vec<TestCase>,
    /// Declarations that nothing names, in no environment.
    pub unused: Vec<Unused>,
    /// Files that an `import` brought in: libraries, of which not all need be used.
    pub imported: BTreeSet<FileId>,
    /// Of [`Mesh::callers`], once they are listed.
    pub(crate) listed_callers: OnceLock<Arc<Vec<String>>>,
}

/// Whether a service takes only callers whose identity it verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mtls {
    /// Only those.
    Strict,
    /// Others, too.
    Permissive,
    /// It verifies nobody.
    Off,
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// Which share of the requests is traced, in millionths.
    pub share: u32,
    /// By which protocol.
    pub zipkin: bool,
    /// Where to.
    pub url: String,
}

/// A declaration, or an `export`, that nothing uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// What it is.
    pub kind: UnusedKind,
    /// Its name.
    pub name: String,
    /// Where its name is.
    pub span: Span,
    /// What is removed with it; none where more would have to go.
    pub removal: Option<Span>,
}

/// What is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedKind {
    /// `param`.
    Param,
    /// `let`.
    Let,
    /// `policy`.
    Policy,
    /// `jwt`.
    Jwt,
    /// `keys`.
    Keys,
    /// `export` of something that its own namespace may well use.
    Export,
}

/// A parameter of the compilation.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its value, as written in the source or given from outside.
    pub value: String,
    /// Where the value is written: in the source, or in what was given from outside.
    pub span: Span,
    /// Whether the value is not the one of its declaration.
    pub overridden: bool,
}

/// The environment of a compilation.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Where that is.
    pub span: Span,
    /// What it sets, as written: `service reviews.timeout = 1s`.
    pub sets: Vec<String>,
}

/// What a namespace says about all its services.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Rules of its `authz`, all of which deny.
    pub denies: Vec<Rule>,
    /// `limits`.
    pub limits: Option<Said<Switch<Limits>>>,
    /// `rate-limit`.
    pub rate_limits: Many<RateLimit>,
}

/// A service, or something outside the mesh that services call.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Where its name is declared.
    pub span: Span,
    /// Whether it is outside the mesh.
    pub external: bool,
    /// Whether it may be aimed at from other namespaces.
    pub exported: bool,
    /// What it speaks.
    pub protocol: Said<Protocol>,
    /// Its SPIFFE ID.
    pub identity: String,
    /// Host names by which callers everywhere reach it, besides `name.namespace`.
    pub hosts: Vec<String>,
    /// Whom it calls; `None` where it does not say.
    pub calls: Option<Vec<Call>>,
    /// Its versions.
    pub versions: Vec<Version>,
    /// Endpoints of no version.
    pub endpoints: Endpoints,
    /// What its block says about traffic.
    pub policy: Policy,
    /// How an endpoint is chosen.
    pub spread: Spread,
    /// Who takes over when no endpoint is healthy.
    pub failover: Option<Said<Target>>,
    /// Its `route`.
    pub route: Option<Table>,
    /// Its rules.
    pub authz: Option<Authz>,
    /// Whether it takes only verified callers, where it says so itself.
    pub mtls: Option<Said<Mtls>>,
    /// Whether it has no sidecar, where it says so itself.
    pub sidecar_none: Option<Said<()>>,
    /// Whether callers speak TLS to it, where no sidecar does.
    pub tls: Option<Said<Tls>>,
}

/// TLS that is not the mesh's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The proxy speaks it, and verifies this name.
    Verify(String),
    /// The application speaks it.
    Passthrough,
}

/// A version of a service.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its endpoints.
    pub endpoints: Endpoints,
    /// How one is chosen, where that is not as in the rest of the service.
    pub spread: Spread,
}

/// A `calls` of a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The callee.
    pub target: ServiceId,
    /// What the block sets for this caller.
    pub policy: Policy,
    /// A local address at which the application finds the callee.
    pub on: Option<SocketAddr>,
    /// Where it is declared.
    pub span: Span,
}

/// A gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Where its name is declared.
    pub span: Span,
    /// Whether other namespaces may add to it, where it opens to them.
    pub exported: bool,
    /// Its SPIFFE ID.
    pub identity: String,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Whose `x-forwarded-for` is believed; `None` where it does not say.
    pub trusted_proxies: Option<Vec<Cidr>>,
    /// How many headers a request may have.
    pub header_count: Said<u32>,
    /// How many bytes they may have together.
    pub header_bytes: Said<u64>,
    /// What its block sets.
    pub policy: Policy,
    /// Its host blocks.
    pub hosts: Vec<HostBlock>,
}

/// A listener of a gateway.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// What comes in there.
    pub kind: ListenerKind,
    /// Where it is declared.
    pub span: Span,
}

/// What comes in at a listener.
#[derive(Clone, Debug)]
pub enum ListenerKind {
    /// HTTP in the clear.
    Http {
        /// Whether everything is redirected to `https`.
        redirect: Option<Said<()>>,
        /// Whether HTTP/2 is offered.
        http2: bool,
    },
    /// HTTP over TLS.
    Https {
        /// Whether HTTP/2 is offered.
        http2: bool,
        /// What it proves itself with.
        certificates: Vec<Certificate>,
        /// Whose certificates clients show.
        client_ca: Option<Said<ClientCa>>,
    },
    /// Connections that all go to one service.
    Tcp(Target),
    /// TLS connections that go on as they are, by the name they ask for.
    Passthrough(Vec<(HostPattern, Target)>),
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// File of the certificate chain.
    pub certificate: String,
    /// File of the private key.
    pub key: String,
    /// Where it is written.
    pub span: Span,
}

/// Whose certificates clients show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCa {
    /// The file of the authorities.
    pub file: String,
    /// Whether clients may come without one.
    pub optional: bool,
}

/// A `host` block.
#[derive(Clone, Debug)]
pub struct HostBlock {
    /// Its hosts.
    pub patterns: Vec<HostPattern>,
    /// Certificates of its own.
    pub certificates: Vec<Certificate>,
    /// What its block sets.
    pub policy: Policy,
    /// Its rules.
    pub authz: Option<Authz>,
    /// Paths for which namespaces may add arms.
    pub opens: Vec<Open>,
    /// Its arms, those of fragments before its `otherwise`.
    pub table: Table,
    /// Where it is declared.
    pub span: Span,
}

/// Paths for which a namespace may add arms.
#[derive(Clone, Debug)]
pub struct Open {
    /// The paths.
    pub paths: Vec<PathPattern>,
    /// The namespace.
    pub namespace: String,
    /// Where that is said.
    pub span: Span,
}

/// Arms, in the order of the source.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The arms.
    pub arms: Vec<Arm>,
}

/// An arm.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Its name, or the text of its match.
    pub name: String,
    /// Where its match is.
    pub span: Span,
    /// The methods it names, as written; none: any.
    pub methods: Vec<String>,
    /// The path patterns it names; none: any.
    pub paths: Vec<PathPattern>,
    /// Its `when`.
    pub condition: Option<Condition>,
    /// What it does.
    pub action: Action,
    /// What its block sets.
    pub policy: Policy,
    /// The fragment that it is of: the namespace.
    pub fragment: Option<String>,
}

impl Arm {
    /// The test by which it asks for a stream of events, which has no end of its own.
    pub fn asks_for_events(&self) -> Option<Span> {
        self.condition.as_ref()?.asks_for_events()
    }
}

impl Table {
    /// The methods that each arm takes, exactly: `GET` takes `HEAD` too, unless an arm of the table
    /// names `HEAD`. None: any.
    pub fn methods(&self) -> Vec<Vec<String>> {
        let names = |arm: &Arm, method: &str| arm.methods.iter().any(|named| named == method);
        let head_is_named = self.arms.iter().any(|arm| names(arm, "HEAD"));
        let of = |arm: &Arm| {
            let head = (names(arm, "GET") && !head_is_named).then(|| "HEAD".to_owned());
            arm.methods.iter().cloned().chain(head).collect()
        };
        self.arms.iter().map(of).collect()
    }
}

/// What an arm does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends on.
    Forward(Target),
    /// Draws one of these; their parts sum to the whole.
    Split(Vec<Share>),
    /// Points elsewhere.
    Redirect(Redirect),
    /// Answers.
    Respond {
        /// The status.
        status: u16,
        /// The body.
        body: Option<Body>,
    },
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its content.
    pub bytes: Vec<u8>,
    /// The file that it was read from, as written; `None` where it is written out.
    pub file: Option<String>,
}

impl Action {
    /// Where it sends requests; nowhere if it answers by itself.
    pub fn targets(&self) -> Vec<Target> {
        match self {
            Self::Forward(target) => vec![*target],
            Self::Split(shares) => shares.iter().map(|share| share.target).collect(),
            Self::Redirect(_) | Self::Respond { .. } => Vec::new(),
        }
    }
}

/// A share of a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Millionths of the whole.
    pub parts: u32,
    /// Where it goes.
    pub target: Target,
}

/// Where requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A service, through its own route.
    Service(ServiceId),
    /// A service's endpoints, its route left aside.
    Own(ServiceId),
    /// A version of a service, by its index in it.
    Version(ServiceId, u32),
}

impl Target {
    /// Its service.
    pub fn service(self) -> ServiceId {
        match self {
            Self::Service(service) | Self::Own(service) | Self::Version(service, _) => service,
        }
    }
}

/// A redirect.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The status.
    pub status: u16,
    /// Where to.
    pub to: RedirectTo,
}

/// Where a redirect points.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectTo {
    /// To exactly this.
    Url(String),
    /// To the request's own place, these parts changed.
    Parts {
        /// `http` or `https`.
        scheme: Option<String>,
        /// The host.
        host: Option<String>,
        /// The port.
        port: Option<u16>,
        /// The path.
        path: RedirectPath,
    },
}

/// What becomes of the path of a redirect.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectPath {
    /// It stays.
    Keep,
    /// It is this, captures filled in.
    Whole(PathPattern),
    /// What stands before the arm's final `/**` is this.
    Prefix(String),
}

impl Service {
    /// All its listed endpoints: those of no version, then version by version.
    pub fn all_endpoints(&self) -> impl Iterator<Item = (Option<usize>, &Endpoint)> {
        let own = self.endpoints.listed().iter();
        let own = own.map(|endpoint| (None, endpoint));
        let versions = self.versions.iter().enumerate();
        own.chain(versions.flat_map(|(index, version)| {
            let endpoints = version.endpoints.listed().iter();
            endpoints.map(move |endpoint| (Some(index), endpoint))
        }))
    }

    /// `name`, or `namespace/name` outside of the default namespace.
    pub fn qualified_name(&self) -> String {
        qualified(&self.namespace, &self.name)
    }
}

impl Gateway {
    /// `name`, or `namespace/name` outside of the default namespace.
    pub fn qualified_name(&self) -> String {
        qualified(&self.namespace, &self.name)
    }
}

fn qualified(namespace: &str, name: &str) -> String {
    if namespace == DEFAULT_NAMESPACE {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

impl Gateway {
    /// How many headers a request may have where nothing else is said.
    pub const HEADER_COUNT: u32 = 100;
    /// How many bytes they may have together where nothing else is said.
    pub const HEADER_BYTES: u64 = 60 * 1024;

    /// A gateway of which nothing but its name is said.
    pub fn new(name: &str, namespace: &str, identity: String, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            span,
            exported: false,
            identity,
            listeners: Vec::new(),
            trusted_proxies: None,
            header_count: Said::edition(Self::HEADER_COUNT),
            header_bytes: Said::edition(Self::HEADER_BYTES),
            policy: Policy::default(),
            hosts: Vec::new(),
        }
    }
}

impl HostBlock {
    /// A block of which nothing but its arms is said.
    pub fn new(patterns: Vec<HostPattern>, table: Table, span: Span) -> Self {
        Self {
            patterns,
            certificates: Vec::new(),
            policy: Policy::default(),
            authz: None,
            opens: Vec::new(),
            table,
            span,
        }
    }
}

impl Mesh {
    /// A mesh of which nothing but its name is said: the rest is as the edition has it.
    pub fn new(name: &str, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            span,
            edition: Said::edition(EDITION),
            trust_domain: Said::edition(format!("{name}.local")),
            mtls: Said::edition(Mtls::Strict),
            open_by_default: Said::edition(false),
            egress: Said::edition(false),
            access_log: Said::edition(true),
            tracing: Said::edition(Switch::Off),
            sidecar_port: Said::edition(DEFAULT_SIDECAR_PORT),
            sidecar_none: None,
            encoded_slash: Said::edition(EncodedSlash::Reject),
            defaults: Policy::default(),
            params: Vec::new(),
            environment: None,
            namespaces: Vec::new(),
            jwts: Vec::new(),
            keys: Vec::new(),
            services: Vec::new(),
            gateways: Vec::new(),
            assertions: Vec::new(),
            tests: Vec::new(),
            unused: Vec::new(),
            imported: BTreeSet::new(),
            listed_callers: OnceLock::new(),
        }
    }

    /// All who call services, `namespace/name` each: services, then gateways. They are listed once, when the
    /// mesh is whole.
    pub fn callers(&self) -> Arc<Vec<String>> {
        let list = || {
            let services = self.services.iter().map(|it| (&it.namespace, &it.name));
            let gateways = self.gateways.iter().map(|it| (&it.namespace, &it.name));
            let all = services.chain(gateways);
            Arc::new(
                all.map(|(namespace, name)| format!("{namespace}/{name}"))
                    .collect(),
            )
        };
        Arc::clone(self.listed_callers.get_or_init(list))
    }

    /// All tables: those of host blocks, then those of routes.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        let hosts = self.gateways.iter().flat_map(|gateway| &gateway.hosts);
        let routes = self
            .services
            .iter()
            .filter_map(|service| service.route.as_ref());
        hosts.map(|host| &host.table).chain(routes)
    }

    /// The namespace of this name, if it says something about its services.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces
            .iter()
            .find(|namespace| namespace.name == name)
    }

    /// Whether a service takes only verified callers. What is outside the mesh proves itself in its
    /// own way.
    pub fn mtls_of(&self, service: &Service) -> Said<Mtls> {
        service.mtls.unwrap_or(self.mtls)
    }

    /// Whether nothing terminates mTLS in front of a service.
    pub fn without_sidecar(&self, service: &Service) -> bool {
        service.external || service.sidecar_none.or(self.sidecar_none).is_some()
    }

    /// The namespaces that services are in.
    pub fn service_namespaces(&self) -> BTreeSet<&str> {
        self.services
            .iter()
            .map(|service| service.namespace.as_str())
            .collect()
    }

    /// What callers in a namespace mean by a name without a namespace: the namespace's own service, else the
    /// one at top level.
    pub fn short_names(&self, namespace: &str) -> BTreeMap<&str, ServiceId> {
        let of = |namespace: &str| {
            let all = (0..).map(ServiceId).zip(&self.services);
            let inside = all.filter(|(_, service)| service.namespace == namespace);
            inside
                .map(|(id, service)| (service.name.as_str(), id))
                .collect::<BTreeMap<_, _>>()
        };
        let mut names = of(DEFAULT_NAMESPACE);
        names.extend(of(namespace));
        names
    }
}
