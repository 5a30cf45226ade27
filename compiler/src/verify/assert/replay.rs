//! Requests that proofs find, put before the code that serves.
//!
//! A proof says that a request exists; what becomes of it the bundle decides. Only what comes out is told.

use super::seen::is_free;
use super::ways::Entrance;
use crate::model::condition::Condition;
use crate::model::{GatewayId, Mesh, ServiceId, Target};
use crate::plan::table::Match;
use crate::verify::Request;
use crate::verify::decider::lone_table;
use crate::way;
use mesh_bundle::decide::decide;
use mesh_bundle::format::{Bundle, Id, ListenerProtocol};
use mesh_bundle::journey::{self, Branch, End, Entry, Journey, Step};

/// A request and its way.
#[derive(Debug)]
pub(super) struct Replayed {
    /// Where it came in.
    pub(super) entry: Entry,
    /// As data.
    pub(super) request: journey::Request,
    /// What became of it.
    pub(super) journey: Journey,
}

/// The request without what only stands for something that is not known.
pub(super) fn real(mut request: Request) -> Request {
    request.headers.retain(|(name, _)| !is_free(name));
    request
}

/// Sends a request in at an entrance.
pub(super) fn send(bundle: &Bundle, entrance: Entrance<'_>, request: &Request) -> Option<Replayed> {
    let entry = match entrance {
        Entrance::Host(gateway, ..) => at_gateway(bundle, gateway, request)?,
        Entrance::Sidecar(caller, _) => Entry::Sidecar(Id::new(caller.0)),
    };
    enter(bundle, entry, request)
}

/// Sends a request in where it says.
pub(super) fn enter(bundle: &Bundle, entry: Entry, request: &Request) -> Option<Replayed> {
    let request = request.sent()?;
    let journey = journey::of(bundle, entry, &request);
    Some(Replayed {
        entry,
        request,
        journey,
    })
}

fn at_gateway(bundle: &Bundle, gateway: GatewayId, request: &Request) -> Option<Entry> {
    let gateway = Id::new(gateway.0);
    let protocol = if request.door.https {
        ListenerProtocol::Https
    } else {
        ListenerProtocol::Http
    };
    let listener = bundle.gateway(gateway).listeners.ids().find(|listener| {
        let listener = bundle.listener(*listener);
        listener.protocol == protocol.code() && listener.port.get() == request.door.port
    })?;
    Some(Entry::Gateway(gateway, listener))
}

impl Replayed {
    /// The first of its ways that arrives at a target with a request of which the claim holds.
    pub(super) fn arrives(&self, bundle: &Bundle, target: Target, claim: &Held) -> Option<&Branch> {
        let mut branches = self.journey.branches.iter();
        branches.find(|branch| {
            is_at(bundle, &branch.end, target)
                && claim.holds(bundle, &arrived(bundle, self.entry, &self.request, branch))
        })
    }

    /// Whether one of its ways arrives at a service, and there at a version that is meant or at all endpoints if they
    /// are, with a request of which the claim holds.
    pub(super) fn arrives_at(
        &self,
        bundle: &Bundle,
        service: ServiceId,
        is_meant: &dyn Fn(Option<u32>) -> bool,
        claim: &Held,
    ) -> bool {
        let first = bundle.service(Id::new(service.0)).versions.start() as u32;
        self.journey.branches.iter().any(|branch| {
            let is_there = branch.end.arrival().is_some_and(|(arrived, version)| {
                let version = version.some().map(|version| version.index() as u32 - first);
                arrived.index() as u32 == service.0 && is_meant(version)
            });
            is_there && claim.holds(bundle, &arrived(bundle, self.entry, &self.request, branch))
        })
    }

    /// The first of its ways that does not arrive at a target.
    pub(super) fn misses(&self, bundle: &Bundle, target: Target) -> Option<&Branch> {
        let mut branches = self.journey.branches.iter();
        branches.find(|branch| !is_at_surely(bundle, &branch.end, target))
    }

    /// What is told of a way: a decision a line, and the end.
    pub(super) fn told(&self, bundle: &Bundle, branch: &Branch) -> String {
        let lines = way::lines(bundle, None, self.entry, &self.request, &branch.steps);
        let (table, end) = (way::table(&lines), way::end(bundle, &branch.end));
        if lines.is_empty() {
            format!("it {end}")
        } else {
            format!("the way that it takes:\n{table}and there it {end}")
        }
    }
}

/// The record of a version, if the target is one.
fn version(bundle: &Bundle, target: Target) -> Option<u32> {
    match target {
        Target::Version(service, version) => {
            let first = bundle.service(Id::new(service.0)).versions.start() as u32;
            Some(first + version)
        }
        Target::Service(_) | Target::Own(_) => None,
    }
}

/// Whether a request may be at a target: where it may go to all endpoints, it may go to each version.
fn is_at(bundle: &Bundle, end: &End, target: Target) -> bool {
    end.arrival().is_some_and(|(service, arrived)| {
        let arrived = arrived.some().map(|version| version.index() as u32);
        let wanted = version(bundle, target);
        let same = wanted.is_none() || arrived.is_none() || wanted == arrived;
        service.index() as u32 == target.service().0 && same
    })
}

/// Whether a request is at a target whichever endpoint it gets.
fn is_at_surely(bundle: &Bundle, end: &End, target: Target) -> bool {
    end.arrival().is_some_and(|(service, arrived)| {
        let arrived = arrived.some().map(|version| version.index() as u32);
        let wanted = version(bundle, target);
        service.index() as u32 == target.service().0 && (wanted.is_none() || wanted == arrived)
    })
}

/// The request as it arrives.
fn arrived(
    bundle: &Bundle,
    entry: Entry,
    request: &journey::Request,
    branch: &Branch,
) -> journey::Request {
    let mut steps = branch.steps.iter().rev();
    let forwarded = steps.find_map(|step| match step {
        Step::Forwarded(request) => Some((**request).clone()),
        _ => None,
    });
    forwarded.unwrap_or_else(|| journey::entered(bundle, entry, request))
}

/// A condition that is put to requests as the code that decides puts it.
pub(super) struct Held(Option<Bundle>);

impl Held {
    /// None where nothing can be made of it; then it holds of nothing.
    pub(super) fn of(condition: &Condition) -> Self {
        let arm = Match {
            methods: &[],
            paths: &[],
            condition: Some(condition),
        };
        Self(lone_table(&[arm]).ok())
    }

    /// Whether it holds of a request, whose path is normal by the rules of a bundle.
    pub(super) fn holds(&self, bundle: &Bundle, request: &journey::Request) -> bool {
        let Some(table) = &self.0 else { return false };
        let Ok(path) = request.normal_path(bundle) else {
            return false;
        };
        decide(table, Id::new(0), &request.plain(&path)).is_some()
    }
}

/// A request that somebody in the mesh sends, with the host by which they know a service.
pub(super) fn addressed(mesh: &Mesh, request: &mut Request, to: ServiceId, namespace: &str) {
    let service = &mesh[to];
    let short = mesh.short_names(namespace);
    if request.host == service.name && short.get(service.name.as_str()) != Some(&to) {
        request.host = format!("{}.{}", service.name, service.namespace);
    }
}
