//! The whole way of a request: every decision from where it comes in to the service that it is for.
//!
//! The runtime makes these decisions proxy by proxy and draws a share where traffic is split. Tools want all of
//! them at once, for every share: `meshc test`, `route`, `diff` and `replay`, and the tests that a bundle
//! carries. They hand in a [`Request`] as data and get a [`Journey`].
//!
//! ```text
//! gateway ── host ─ arm ─ require ─ authz ─┬─ answer
//!                                          └─ rewrite, headers ─┐
//! sidecar ── calls ─────────────────────────────────────────────┴─ routes, shares ─ rewrite, headers ─┐
//!                                   service ── require ─ authz ─ arrival, or refusal ◀────────────────┘
//! ```
//!
//! A preflight ends at the proxy that would send on what it announces, if [`cors`] is in force for that.
//!
//! Which arm and which share is decided by [`route`], which rule by [`judge`]: here is only their order.
//! A gateway's arms and rules see the request as the client sent it; the routes of services see what the gateway
//! makes of it; a service's own rules see what arrives. In a slice only the rules of its own node are there: at
//! other services what comes to them arrives.

mod expect;
mod request;
mod walk;

pub use expect::Expect;
pub use request::{Held, Request};

use self::walk::Script;
use crate::decide::{Field, Verdict};
use crate::format::{
    Arm, Authz, Bundle, Gateway, HostBlock, Id, Listener, ListenerProtocol, Location, Require,
    Rule, Run, Service, Share, StrId, Table, Version,
};
use crate::path::PathError;
use crate::route::Destination;
use crate::{cors, host};

/// Where a request enters the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// At a listener of a gateway.
    Gateway(Id<Gateway>, Id<Listener>),
    /// At the sidecar of a service, whose application sends it.
    Sidecar(Id<Service>),
}

/// All that may become of a request.
#[derive(Clone, Debug)]
pub struct Journey {
    /// A branch for each share that splits on its way may draw; together they are everything.
    pub branches: Vec<Branch>,
}

/// One of the ways that a request may take.
#[derive(Clone, Debug)]
pub struct Branch {
    /// How much of the traffic takes it, in millionths.
    pub share: u32,
    /// What was decided, in order.
    pub steps: Vec<Step>,
    /// What becomes of it.
    pub end: End,
}

/// A decision on the way.
#[derive(Clone, Debug)]
pub enum Step {
    /// A gateway's host block took it.
    Host(Id<HostBlock>),
    /// It is a preflight: the arms that follow are asked for this request, which it announces.
    Announced(Box<Request>),
    /// A token or key was asked for, and was there.
    Held(Id<Require>),
    /// An arm took it.
    Arm(Id<Table>, Id<Arm>),
    /// A split drew this of its shares, by its place among them.
    Drew(Run<Share>, usize),
    /// Rules let it through, by this one.
    Allowed(Id<Authz>, Id<Rule>),
    /// It goes on changed.
    Forwarded(Box<Request>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum End {
    /// It arrives at a service, which lets it in.
    Arrived(Destination),
    /// An arm answers it.
    Answered {
        /// The arm.
        arm: Id<Arm>,
        /// The status.
        status: u16,
        /// The body, or none.
        body: StrId,
    },
    /// It is a preflight, and `cors` answers it.
    Preflight {
        /// The statement.
        said: Location,
        /// What it is told.
        headers: Vec<(&'static str, String)>,
    },
    /// An arm, or a listener, points it elsewhere.
    Redirected {
        /// The arm; none for a listener.
        arm: Id<Arm>,
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// It is refused.
    Refused(Refusal),
    /// It leaves the mesh, for a host that the mesh does not know.
    Egress,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its path means nothing.
    Path(PathError),
    /// The gateway serves nothing at its host.
    NoHost,
    /// No arm takes it.
    NoArm,
    /// A token or key is missing.
    Unauthenticated(Id<Require>),
    /// Rules refuse it.
    Forbidden(Id<Authz>, Verdict),
    /// The caller does not list the service among those it calls.
    NotCalled(Id<Service>),
    /// The bundle is the slice of a node that may not call the service, and does not hold it.
    NotForThisNode,
    /// Its host is unknown to the mesh, and nothing leaves it.
    Egress,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            // A header that may come once came twice.
            Self::Path(_) | Self::Forbidden(_, Verdict::Repeated(_)) => 400,
            Self::Unauthenticated(_) => 401,
            Self::NoHost | Self::NoArm => 404,
            Self::Forbidden(..) | Self::NotCalled(_) | Self::NotForThisNode | Self::Egress => 403,
        }
    }
}

impl End {
    /// The status with which the mesh itself answers; none if the request arrives somewhere.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } | Self::Redirected { status, .. } => Some(*status),
            Self::Preflight { .. } => Some(cors::STATUS),
            Self::Refused(refusal) => Some(refusal.status()),
            Self::Arrived(_) | Self::Egress => None,
        }
    }

    /// The service and version at which the request arrives.
    pub fn arrival(&self) -> Option<(Id<Service>, Id<Version>)> {
        match self {
            Self::Arrived(destination) => Some((destination.service, destination.version)),
            _ => None,
        }
    }
}

/// The listener of a gateway at which clients find `host` by `scheme`, at `port` if they name one: of several
/// the first whose gateway serves the host by a closer pattern. `None` where no gateway listens.
pub fn entrance(bundle: &Bundle, scheme: &str, host: &str, port: Option<u16>) -> Option<Entry> {
    let protocol = match scheme {
        "https" => ListenerProtocol::Https,
        _ => ListenerProtocol::Http,
    };
    let gateways = (0..bundle.gateways().len() as u32).map(Id::new);
    let found = gateways.filter_map(|gateway: Id<Gateway>| {
        let listeners = bundle.gateway(gateway).listeners.ids();
        let fits = |id: &Id<Listener>| {
            let listener = bundle.listener(*id);
            listener.protocol == protocol.code()
                && port.is_none_or(|port| listener.port.get() == port)
        };
        let listener = { listeners }.find(fits)?;
        // Those that do not serve the host come last: it is at one of them that it is refused.
        let distance = host::rank(bundle, gateway, host).map(|rank| usize::MAX - rank);
        let order = (distance.is_none(), distance);
        Some((order, gateway, listener))
    });
    let best = found.min_by_key(|(order, ..)| *order);
    best.map(|(_, gateway, listener)| Entry::Gateway(gateway, listener))
}

/// A request as it enters: `source` is the sender, and at a gateway the listener fixes `scheme` and `port`.
pub fn entered(bundle: &Bundle, entry: Entry, request: &Request) -> Request {
    let mut entered = request.clone();
    match entry {
        Entry::Gateway(_, listener) => {
            let listener = bundle.listener(listener);
            let https = listener.protocol == ListenerProtocol::Https.code();
            entered.source = None;
            entered.port = listener.port.get();
            if https { "https" } else { "http" }.clone_into(&mut entered.scheme);
        }
        Entry::Sidecar(service) => {
            let service = bundle.service(service);
            entered.source = Some(identity(bundle, service.namespace, service.name));
        }
    }
    entered
}

/// As fields of requests name callers: the namespace always before the name.
fn identity(bundle: &Bundle, namespace: StrId, name: StrId) -> String {
    format!("{}/{}", bundle.str(namespace), bundle.str(name))
}

/// The way of a request, from where it is [`entered`].
pub fn of(bundle: &Bundle, entry: Entry, request: &Request) -> Journey {
    let request = entered(bundle, entry, request);
    let mut branches = Vec::new();
    let mut script = Script::default();
    loop {
        let (branch, more) = walk::branch(bundle, entry, &request, &mut script, &|_| ());
        branches.push(branch);
        if !more {
            return Journey { branches };
        }
    }
}

/// What a service decides by itself about a request that comes to it with its `source`, whoever sent it on which way:
/// the decisions by which it lets it in, or why it does not.
pub fn admitted(
    bundle: &Bundle,
    service: Id<Service>,
    request: &Request,
) -> Result<Vec<Step>, Refusal> {
    walk::admitted(bundle, service, request)
}

/// The way of a request that has at most so many branches; `None` where there are more. Splits behind splits
/// multiply: whoever walks a bundle of somebody else's sets a limit.
pub fn within(bundle: &Bundle, entry: Entry, request: &Request, most: usize) -> Option<Journey> {
    watched(bundle, entry, request, most, &|_| ())
}

/// As [`within`], telling `watch` of every field that a decision on the way asks for, in that order. A request
/// that differs in others only goes the same way.
pub fn watched(
    bundle: &Bundle,
    entry: Entry,
    request: &Request,
    most: usize,
    watch: &dyn Fn(Field<'_>),
) -> Option<Journey> {
    let request = entered(bundle, entry, request);
    let mut branches = Vec::new();
    let mut script = Script::default();
    while branches.len() < most {
        let (branch, more) = walk::branch(bundle, entry, &request, &mut script, watch);
        branches.push(branch);
        if !more {
            return Some(Journey { branches });
        }
    }
    None
}
