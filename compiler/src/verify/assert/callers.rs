//! Who may call at all, and what a service lets in of whom.
//!
//! No caller's own proxy is trusted: whatever it declares, it may send anything, and the service's rules decide.
//! One space holds them; a question is asked of many callers at once, and the request that is found says whose it is.

use super::admission::{self, is_nameless, is_one_of};
use super::seen::{Seen, all};
use super::ways::{gateway_identity, identity};
use crate::model::condition::Condition;
use crate::model::proof::Sender;
use crate::model::{GatewayId, Mesh, Mtls, ServiceId};
use crate::plan::table::TableError;
use crate::verify::space::{Question, Space};
use crate::verify::tables::at_caller;
use crate::verify::{Budget, Verdict};
use std::collections::BTreeSet;

/// Somebody who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Caller {
    /// A service.
    Service(ServiceId),
    /// A gateway.
    Gateway(GatewayId),
    /// Somebody in the network whose identity nobody verified.
    Nameless,
}

impl Caller {
    /// What it is called.
    pub(super) fn name(self, mesh: &Mesh) -> String {
        match self {
            Self::Service(service) => mesh[service].qualified_name(),
            Self::Gateway(gateway) => mesh[gateway].qualified_name(),
            Self::Nameless => "a client without identity".to_owned(),
        }
    }
}

fn services(mesh: &Mesh) -> impl Iterator<Item = ServiceId> {
    let ids = (0..).map(ServiceId).zip(&mesh.services);
    ids.filter(|(_, service)| !service.external)
        .map(|(id, _)| id)
}

fn gateways(mesh: &Mesh) -> impl Iterator<Item = GatewayId> {
    (0..mesh.gateways.len() as u32).map(GatewayId)
}

/// Whether a service lets in clients that it does not know.
fn knows_not_all(mesh: &Mesh, to: ServiceId) -> bool {
    let service = &mesh[to];
    let open = mesh.mtls_of(service).value != Mtls::Strict || mesh.without_sidecar(service);
    open && !service.external
}

/// Those whom a claim names as callers of a service. A service that is not named itself does not call itself.
pub(super) fn named(
    mesh: &Mesh,
    who: &[Sender],
    to: ServiceId,
    transitively: bool,
) -> BTreeSet<Caller> {
    let mut callers = BTreeSet::new();
    let others = || services(mesh).filter(move |id| *id != to);
    for sender in who {
        match sender {
            Sender::Internet => callers.extend(gateways(mesh).map(Caller::Gateway)),
            Sender::Anyone => callers.extend(everybody(mesh, to, transitively)),
            Sender::AnyService => callers.extend(others().map(Caller::Service)),
            Sender::Namespace(name) => {
                let inside = others().filter(|id| mesh[*id].namespace == *name);
                callers.extend(inside.map(Caller::Service));
            }
            Sender::Service(service) => {
                callers.insert(Caller::Service(*service));
            }
            Sender::Gateway(gateway) => {
                callers.insert(Caller::Gateway(*gateway));
            }
        }
    }
    callers
}

/// All who may call a service, but itself; or who may call somebody, where it may be reached by way of others.
pub(super) fn everybody(mesh: &Mesh, to: ServiceId, transitively: bool) -> BTreeSet<Caller> {
    let services = services(mesh).filter(|id| *id != to).map(Caller::Service);
    let all = (0..mesh.services.len() as u32).map(ServiceId);
    let mut asked = all.filter(|id| transitively || *id == to);
    let nameless = asked
        .any(|id| knows_not_all(mesh, id))
        .then_some(Caller::Nameless);
    services
        .chain(gateways(mesh).map(Caller::Gateway))
        .chain(nameless)
        .collect()
}

/// The rules of a service, and a claim about what it lets in.
pub(super) struct Doorway<'m> {
    mesh: &'m Mesh,
    to: ServiceId,
    asked: Condition,
}

impl<'m> Doorway<'m> {
    /// `claim` is asked of what comes to the service.
    pub(super) fn new(mesh: &'m Mesh, to: ServiceId, claim: &Condition) -> Self {
        let admitted = admission::of_service(mesh, &mesh[to]);
        Self {
            mesh,
            to,
            asked: all(vec![admitted, claim.clone()]),
        }
    }

    /// Looks for a request that one of some callers may get in.
    pub(super) fn some(
        &self,
        callers: &BTreeSet<Caller>,
        budget: &mut Budget,
    ) -> Result<Verdict, TableError> {
        let mesh = self.mesh;
        let service = &mesh[self.to];
        let span = service.span;
        if callers.is_empty() {
            return Ok(Verdict::No);
        }
        let mut names = Vec::new();
        for caller in callers {
            match caller {
                Caller::Service(id) => names.push(identity(&mesh[*id])),
                Caller::Gateway(id) => names.push(gateway_identity(&mesh[*id])),
                Caller::Nameless => {}
            }
        }
        let mut from = vec![is_one_of(names, span)];
        // Who has an identity need not show it; a gateway always does.
        let only_gateways = callers.iter().all(|it| matches!(it, Caller::Gateway(_)));
        if knows_not_all(mesh, self.to) && !only_gateways {
            from.push(is_nameless(span));
        }
        let mut seen = Seen::untouched();
        let mut world = at_caller(mesh, service);
        world.anonymous = true;
        if super::ways::is_nameless(mesh, service) {
            seen = seen.nameless();
            from = vec![is_nameless(span)];
        }
        let asked = all(vec![Condition::Or(from), seen.asks(&self.asked)]);
        let mut space = Space::new(world, &[], &[&asked])?;
        let question = Question {
            holds: &[space.condition(0)],
            ..Question::default()
        };
        Ok(space.ask(question, budget))
    }
}

/// What is said where the tables of a question make none.
pub(super) fn no_space(error: &TableError) -> String {
    match error {
        TableError::Path(_, pattern) => {
            format!("the path patterns on the way are too entangled, around `{pattern}`")
        }
        TableError::Regex(_) => "a regular expression on the way is too large".to_owned(),
        TableError::Facets(count) => format!("{count} different fields are tested on the way"),
        TableError::Condition(_) => "a condition ties too many fields to each other".to_owned(),
    }
}
