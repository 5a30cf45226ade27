//! What of the requests of clients gets through a host: the question that comparisons of two meshes put to ways.

use super::admission::{self, names};
use super::callers::Caller;
use super::chain::hops;
use super::reach::takes_requests;
use super::replay::send;
use super::seen::Seen;
use super::ways::{
    Asking, Entrance, Stop, Way, Ways, gateway_identity, groups, is_nameless, leads_to,
};
use crate::model::authz::Who;
use crate::model::condition::Condition;
use crate::model::{Arm, GatewayId, HostBlock, ListenerKind, Mesh, Service, ServiceId, Target};
use crate::verify::Request;
use mesh_bundle::format::Bundle;
use mesh_bundle::journey;
use std::collections::BTreeSet;

/// A host of a gateway, and what is asked of the requests that come in there.
#[derive(Clone, Copy)]
pub(in crate::verify) struct Passage<'p> {
    /// The mesh.
    pub(in crate::verify) mesh: &'p Mesh,
    /// Its bundle.
    pub(in crate::verify) bundle: &'p Bundle,
    /// The gateway.
    pub(in crate::verify) gateway: GatewayId,
    /// The host.
    pub(in crate::verify) block: &'p HostBlock,
    /// What is asked of what is sent.
    pub(in crate::verify) sent: &'p Condition,
    /// What is asked of what arrives.
    pub(in crate::verify) arrives: &'p Condition,
    /// The names of tokens and of keys: those of the mesh, then others that are asked of.
    pub(in crate::verify) credentials: (&'p [String], &'p [String]),
}

/// Where requests are to come through to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Beyond {
    /// To this service, which lets them in.
    Service(ServiceId),
    /// To any service that lets them in.
    AnyService,
    /// To an arm that answers them.
    Answer,
}

impl Passage<'_> {
    /// A request that comes through and of which `counts` holds, as it came in and with its way; none if there is
    /// none, and why that is not known.
    pub(in crate::verify) fn first(
        &self,
        beyond: Beyond,
        counts: &dyn Fn(&Request, &journey::Journey) -> bool,
    ) -> Result<Option<Request>, String> {
        let mesh = self.mesh;
        let gateway = &mesh[self.gateway];
        if !takes_requests(gateway) {
            return Ok(None);
        }
        let entrance = Entrance::Host(self.gateway, gateway, self.block);
        let matters: BTreeSet<ServiceId> = match beyond {
            Beyond::Service(service) => BTreeSet::from([service]),
            Beyond::AnyService | Beyond::Answer => {
                (0..mesh.services.len() as u32).map(ServiceId).collect()
            }
        };
        let asking = Asking {
            matters: &matters,
            arrives: self.arrives,
            sent: self.sent,
            required: None,
            credentials: Some(self.credentials),
        };
        let mut ways = Ways::of(mesh, entrance, asking)?;
        ways.first(
            |way| leads(way, beyond),
            |_, request| {
                let sent = send(self.bundle, entrance, &request);
                if sent.is_some_and(|sent| counts(&request, &sent.journey)) {
                    return Ok(request);
                }
                Err("what happens on the way is not known exactly".to_owned())
            },
        )
    }
}

fn leads(way: &Way<'_>, beyond: Beyond) -> bool {
    match (way.stop, beyond) {
        (Stop::Service(service, _), Beyond::Service(wanted)) => service == wanted,
        (Stop::Service(..), Beyond::AnyService) => true,
        // What no arm takes is not answered by one.
        (Stop::Elsewhere, Beyond::Answer) => way.arm.is_some(),
        _ => false,
    }
}

/// How what a gateway receives may come to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct Leads {
    /// By its hosts.
    pub(in crate::verify) by_hosts: bool,
    /// As bytes that it does not look into, or as copies: none of its hosts decides which.
    pub(in crate::verify) unseen: bool,
}

/// How what a gateway receives may come to a service.
pub(in crate::verify) fn may_lead(mesh: &Mesh, gateway: GatewayId, service: ServiceId) -> Leads {
    let mut leads = Leads::default();
    for listener in &mesh[gateway].listeners {
        let to = |target| leads_to(mesh, target).contains(&service);
        leads.unseen |= match &listener.kind {
            ListenerKind::Http { .. } | ListenerKind::Https { .. } => false,
            ListenerKind::Tcp(target) => to(*target),
            ListenerKind::Passthrough(names) => names.iter().any(|(_, target)| to(*target)),
        };
    }
    let hops = hops(mesh, Caller::Gateway(gateway));
    for hop in hops.iter().filter(|hop| hop.to == service) {
        leads.unseen |= hop.is_copy;
        leads.by_hosts = true;
    }
    leads
}

/// Which of the requests that an arm sends on the services behind it let in.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::verify) enum Admission {
    /// All of them.
    All,
    /// Those of which this holds as they came in.
    Some(Condition),
    /// That is not known: a service has a route of its own, which may send them on.
    Unknown,
}

/// Which of the requests that an arm of a host sends on are let in by one of the services that it names.
pub(in crate::verify) fn admission_by(
    mesh: &Mesh,
    id: GatewayId,
    host: &HostBlock,
    arm: &Arm,
) -> Admission {
    let gateway = &mesh[id];
    let mut services = BTreeSet::new();
    for target in arm.action.targets() {
        let service = target.service();
        if matches!(target, Target::Service(_)) && mesh[service].route.is_some() {
            return Admission::Unknown;
        }
        services.insert(service);
    }
    if services.iter().any(|it| takes_all(mesh, &mesh[*it], id)) {
        return Admission::All;
    }
    let weaker = gateway.policy.clone().over(mesh.defaults.clone());
    let level = host.policy.clone().over(weaker);
    let source = gateway_identity(gateway);
    let mut admitted = Vec::new();
    for paths in groups(arm) {
        let levels = [(&arm.policy, paths.first()), (&level, None)];
        let sent = Seen::untouched().changed(&levels).from(&source);
        let lets_in = services.iter().map(|service| {
            let service = &mesh[*service];
            let mut seen = sent.changed(&[(&service.policy, None)]);
            if is_nameless(mesh, service) {
                seen = seen.nameless();
            }
            seen.asks(&admission::of_service(mesh, service))
        });
        let mut parts = vec![Condition::Or(lets_in.collect())];
        parts.extend(names(&[], &paths, arm.span));
        admitted.push(Condition::And(parts));
    }
    Admission::Some(Condition::Or(admitted))
}

/// Whether a service lets in whatever a gateway sends.
fn takes_all(mesh: &Mesh, service: &Service, gateway: GatewayId) -> bool {
    let asks = [&mesh.defaults, &service.policy].map(|level| !level.requires.is_empty());
    let denies = mesh.namespace(&service.namespace);
    if asks.contains(&true) || denies.is_some_and(|it| !it.denies.is_empty()) {
        return false;
    }
    let rules = service
        .authz
        .as_ref()
        .and_then(|authz| authz.rules.as_ref());
    let Some(rules) = rules else {
        return mesh.open_by_default.value;
    };
    let named = |who: &Who| matches!(who, Who::Anyone) || *who == Who::Gateway(gateway);
    rules.iter().all(|rule| rule.allows)
        && rules.iter().any(|rule| {
            rule.who.iter().any(named)
                && rule.methods.is_empty()
                && rule.paths.is_empty()
                && rule.condition.is_none()
        })
}
