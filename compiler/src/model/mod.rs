//! What a policy means: names resolved, values typed, defaults filled in.
//!
//! `resolve` makes it from syntax trees; `plan` makes a bundle of it. Things refer to each other by
//! index ([`ServiceId`] and its like), never by name, so that nothing is looked up twice and nothing can
//! dangle.

pub mod condition;
pub mod regex;
pub mod timeouts;

use condition::Condition;
use mesh_bundle::format::Protocol;
use mesh_bundle::path::EncodedSlash;
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, PathPattern};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use timeouts::Timeouts;

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
    /// The edition that pins the defaults.
    pub edition: u32,
    /// SPIFFE trust domain.
    pub trust_domain: String,
    /// Where callers reach a sidecar whose endpoint does not say.
    pub sidecar_port: u16,
    /// What is done with `%2F` and `%5C` in paths.
    pub encoded_slash: EncodedSlash,
    /// `defaults`.
    pub defaults: Timeouts,
    /// Parameters with the values that they have in this compilation, by name.
    pub params: Vec<Param>,
    /// Services, in the order of the source.
    pub services: Vec<Service>,
    /// Gateways, in the order of the source.
    pub gateways: Vec<Gateway>,
}

/// A parameter of the compilation.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its value, as written in the source or given from outside.
    pub value: String,
    /// Whether the value came from outside.
    pub overridden: bool,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Where its name is declared.
    pub span: Span,
    /// What it speaks.
    pub protocol: Protocol,
    /// Host names by which callers everywhere reach it, besides `name.namespace`.
    pub hosts: Vec<String>,
    /// Whom it calls; `None` where it does not say.
    pub calls: Option<Vec<Call>>,
    /// Its versions.
    pub versions: Vec<Version>,
    /// Endpoints of no version.
    pub endpoints: Vec<Endpoint>,
    /// What its block sets.
    pub timeouts: Timeouts,
    /// Its `route`.
    pub route: Option<Table>,
}

/// A version of a service.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Where the application listens.
    pub address: SocketAddr,
    /// Where callers reach its sidecar, where it says.
    pub via: Option<SocketAddr>,
    /// Its share of the load, at least 1.
    pub weight: u32,
    /// Where it is declared.
    pub span: Span,
}

/// A `calls` of a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The callee.
    pub target: ServiceId,
    /// What the block sets for this caller.
    pub timeouts: Timeouts,
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
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Whose `x-forwarded-for` is believed; `None` where it does not say.
    pub trusted_proxies: Option<Vec<Cidr>>,
    /// What its block sets.
    pub timeouts: Timeouts,
    /// Its host blocks.
    pub hosts: Vec<HostBlock>,
}

/// A listener of a gateway.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// Whether everything is redirected to `https`.
    pub redirect_https: bool,
    /// Certificate and key files, for `https`.
    pub tls: Option<ListenerTls>,
    /// Where it is declared.
    pub span: Span,
}

/// What a listener proves itself with.
#[derive(Clone, Debug)]
pub struct ListenerTls {
    /// File of the certificate chain.
    pub certificate: String,
    /// File of the private key.
    pub key: String,
}

/// A `host` block.
#[derive(Clone, Debug)]
pub struct HostBlock {
    /// Its hosts.
    pub patterns: Vec<HostPattern>,
    /// What its block sets.
    pub timeouts: Timeouts,
    /// Its arms.
    pub table: Table,
    /// Where it is declared.
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
    pub timeouts: Timeouts,
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
        body: Option<Vec<u8>>,
    },
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
    /// It is this.
    Whole(String),
    /// What stands before the arm's final `/**` is this.
    Prefix(String),
}

impl Service {
    /// All its endpoints: those of no version, then version by version.
    pub fn all_endpoints(&self) -> impl Iterator<Item = (Option<usize>, &Endpoint)> {
        let own = self.endpoints.iter().map(|endpoint| (None, endpoint));
        let versions = self.versions.iter().enumerate();
        own.chain(versions.flat_map(|(index, version)| {
            version
                .endpoints
                .iter()
                .map(move |endpoint| (Some(index), endpoint))
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

impl Mesh {
    /// All tables: those of host blocks, then those of routes.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        let hosts = self.gateways.iter().flat_map(|gateway| &gateway.hosts);
        let routes = self
            .services
            .iter()
            .filter_map(|service| service.route.as_ref());
        hosts.map(|host| &host.table).chain(routes)
    }

    /// What callers in each namespace mean by a name without a namespace: their own namespace's
    /// service, else the one at top level. As (namespace, name, service).
    pub fn short_names(&self) -> Vec<(String, String, ServiceId)> {
        let services = || (0..).map(ServiceId).zip(&self.services);
        let namespaces: BTreeSet<&str> = self
            .services
            .iter()
            .map(|service| service.namespace.as_str())
            .collect();
        let mut names = Vec::new();
        for namespace in namespaces {
            let inside = services().filter(|(_, service)| service.namespace == namespace);
            let own: BTreeMap<&str, ServiceId> = inside
                .map(|(id, service)| (service.name.as_str(), id))
                .collect();
            let top = services().filter(|(_, service)| service.namespace == DEFAULT_NAMESPACE);
            let top = top.filter(|(_, service)| !own.contains_key(service.name.as_str()));
            let top = top.map(|(id, service)| (service.name.as_str(), id));
            for (name, id) in own.iter().map(|(name, id)| (*name, *id)).chain(top) {
                names.push((namespace.to_owned(), name.to_owned(), id));
            }
        }
        names
    }
}
