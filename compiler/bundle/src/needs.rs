//! What a bundle needs of the runtime that serves it.
//!
//! A policy may say more than a runtime acts on. For each feature that a mesh uses the compiler writes down
//! who needs it and where that is said. What only makes traffic better (a retry, a mirror) a runtime may
//! lack, and says so; what protects it must be provided, or the node is not served: never is open what was
//! written closed. A feature of a later format is unknown here, and counts as lacking.

use crate::format::{Action, Bundle, Gateway, Id, Need, NeedScope, Policy, Service, Table};

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $protection:literal, $acted_on:literal;)*) => {
        /// Something that a policy may ask for and a runtime may lack.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Feature { $($(#[$doc])* $variant = $code,)* }

        impl Feature {
            /// All that this build knows.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its code in a record.
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// The feature with this code.
            pub fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The words that ask for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether a node that lacks it must not serve.
            pub const fn is_protection(self) -> bool {
                match self { $(Self::$variant => $protection,)* }
            }

            /// Whether the runtime of this version acts on it.
            pub const fn is_acted_on(self) -> bool {
                match self { $(Self::$variant => $acted_on,)* }
            }
        }
    };
}

features! {
    /// Callers prove who they are, and are encrypted.
    Mtls = 1, "mtls", true, false;
    /// Rules say who may call.
    Authz = 2, "authz", true, false;
    /// Somebody else is asked who may call.
    AuthzExternal = 3, "authz external", true, false;
    /// Tokens.
    RequireJwt = 4, "require jwt", true, false;
    /// API keys.
    RequireKey = 5, "require key", true, false;
    /// Client certificates at a gateway.
    ClientCa = 6, "client-ca", true, false;
    /// Unknown hosts are let through.
    EgressAllow = 7, "egress allow", false, false;
    /// Something outside the mesh is called, under its rules and its TLS.
    External = 8, "external", true, false;
    /// TLS to what has no sidecar.
    UpstreamTls = 9, "tls", true, false;
    /// A host with a certificate of its own.
    HostCertificate = 10, "certificate of a host", true, false;
    /// More than one certificate at a listener.
    Certificates = 11, "second certificate", true, false;
    /// A token that is verified if it is there.
    AcceptJwt = 12, "accept jwt", true, false;
    /// A key that is verified if it is there.
    AcceptKey = 13, "accept key", true, false;
    /// A limit that protects from floods.
    RateLimit = 20, "rate-limit", false, false;
    /// A limit on bodies.
    MaxBody = 21, "max-body", false, false;
    /// Limits on headers other than the usual.
    HeaderLimits = 22, "header-limits", false, false;
    /// Limits on connections and requests other than the usual.
    Limits = 23, "limits", false, false;
    /// Bytes rather than requests.
    Tcp = 30, "tcp", false, false;
    /// TLS that goes on as it is.
    Passthrough = 31, "tls passthrough", false, false;
    /// Endpoints that are looked up.
    EndpointSource = 32, "endpoints", false, false;
    /// A local address of something to call.
    CallsOn = 33, "calls … on", false, false;
    /// Failing over.
    Failover = 34, "failover", false, false;
    /// Another choice of endpoints.
    Balance = 35, "balance", false, false;
    /// Outlier ejection.
    Eject = 36, "eject", false, false;
    /// Active health checks.
    Health = 37, "health", false, false;
    /// Retries.
    Retry = 40, "retry", false, false;
    /// Hedging.
    Hedge = 41, "hedge", false, false;
    /// Mirrors.
    Mirror = 42, "mirror", false, false;
    /// Faults.
    Fault = 43, "fault", false, false;
    /// Splits that keep a value on its side.
    Sticky = 44, "sticky", false, false;
    /// Rewrites.
    Rewrite = 45, "rewrite", false, false;
    /// Headers of requests.
    RequestHeader = 46, "request-header", false, false;
    /// Headers of responses.
    ResponseHeader = 47, "response-header", false, false;
    /// Other origins.
    Cors = 48, "cors", false, false;
    /// Buffered requests.
    Buffer = 49, "buffer", false, false;
    /// Compressed responses.
    Compress = 50, "compress", false, false;
    /// Traces.
    Tracing = 60, "tracing", false, false;
    /// No access log.
    AccessLogOff = 61, "access-log off", false, false;
}

/// A node of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A gateway.
    Gateway(Id<Gateway>),
    /// A sidecar of a service.
    Sidecar(Id<Service>),
}

/// A need that a runtime cannot meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What is needed; what this build does not know by name has a number.
    pub what: String,
    /// Whether the node must not serve without it.
    pub protection: bool,
    /// `file:line` of the statement that asks for it, if it was written.
    pub place: Option<String>,
}

/// What a node needs and a runtime that acts on `acted_on` lacks, in the order of the bundle.
pub fn unmet(bundle: &Bundle, node: Node, acted_on: impl Fn(Feature) -> bool) -> Vec<Unmet> {
    let callees = callees(bundle, node);
    let concerns = |need: &&Need| {
        let subject = need.subject.get() as usize;
        match (NeedScope::from_code(need.scope), node) {
            (Some(NeedScope::Everyone) | None, _) => true,
            (Some(NeedScope::Gateway), Node::Gateway(gateway)) => gateway.index() == subject,
            (Some(NeedScope::Sidecar), Node::Sidecar(service)) => service.index() == subject,
            (Some(NeedScope::Caller), _) => callees[subject],
            (Some(NeedScope::Gateway | NeedScope::Sidecar), _) => false,
        }
    };
    let lacking = bundle.needs().iter().filter(|need| {
        let known = Feature::from_code(need.feature.get());
        !known.is_some_and(&acted_on)
    });
    lacking
        .filter(concerns)
        .map(|need| Unmet {
            what: match Feature::from_code(need.feature.get()) {
                Some(feature) => feature.name().to_owned(),
                None => format!("feature {}", need.feature.get()),
            },
            protection: need.protection != 0,
            place: bundle.place(need.location),
        })
        .collect()
}

/// Which services a node may send to. A gateway to those that its arms, and the routes they lead to,
/// name; a sidecar to those that its service lists, or to all. What those fail over and mirror to is
/// among them.
pub fn callees(bundle: &Bundle, node: Node) -> Vec<bool> {
    let mut reach = Reach {
        bundle,
        services: vec![false; bundle.services().len()],
        open: Vec::new(),
        tables: vec![false; bundle.tables().len()],
        policies: vec![false; bundle.policies().len()],
    };
    match node {
        Node::Gateway(gateway) => {
            let gateway = bundle.gateway(gateway);
            for host in &bundle.host_blocks()[gateway.hosts.range()] {
                reach.table(host.table);
                reach.policy(host.policy);
            }
            for listener in &bundle.listeners()[gateway.listeners.range()] {
                reach.open.extend(listener.service.some());
                let names = &bundle.passed_names()[listener.names.range()];
                reach.open.extend(names.iter().map(|name| name.service));
            }
        }
        Node::Sidecar(service) => {
            let service = bundle.service(service);
            if service.flags & Service::CALLS_LISTED == 0 {
                return vec![true; reach.services.len()];
            }
            for call in &bundle.calls()[service.calls.range()] {
                reach.open.push(call.target);
                reach.policy(call.policy);
            }
        }
    }
    reach.policy(bundle.mesh().policy);
    reach.close()
}

/// Services that were found, and what was looked through to find them: each table and policy once, however
/// many refer to it.
struct Reach<'b> {
    bundle: &'b Bundle,
    services: Vec<bool>,
    /// Services found, to look through.
    open: Vec<Id<Service>>,
    tables: Vec<bool>,
    policies: Vec<bool>,
}

impl Reach<'_> {
    /// Those that the arms of a table send to, and those that get copies.
    fn table(&mut self, table: Id<Table>) {
        if std::mem::replace(&mut self.tables[table.index()], true) {
            return;
        }
        let bundle = self.bundle;
        for arm in &bundle.arms()[bundle.table(table).arms.range()] {
            match arm.action() {
                Action::Forward(target) => self.open.push(target.service()),
                Action::Split(shares) => {
                    let shares = &bundle.shares()[shares.range()];
                    self.open.extend(shares.iter().map(|share| share.service));
                }
                Action::Redirect(_) | Action::Respond { .. } => {}
            }
            self.policy(arm.policy);
        }
    }

    /// Those that get copies.
    fn policy(&mut self, policy: Id<Policy>) {
        let Some(policy) = policy.some() else { return };
        if std::mem::replace(&mut self.policies[policy.index()], true) {
            return;
        }
        let mirrors = self.bundle.policy(policy).mirrors;
        let mirrors = &self.bundle.mirrors()[mirrors.range()];
        self.open
            .extend(mirrors.iter().map(|mirror| mirror.service));
    }

    /// And all that those lead to.
    fn close(mut self) -> Vec<bool> {
        while let Some(next) = self.open.pop() {
            if std::mem::replace(&mut self.services[next.index()], true) {
                continue;
            }
            let service = self.bundle.service(next);
            self.open.extend(service.failover.some());
            self.policy(service.policy);
            if let Some(route) = service.route.some() {
                self.table(route);
            }
        }
        self.services
    }
}
