//! What a limit makes for the whole fleet that each proxy keeps for itself.
//!
//! `rate-limit` is kept by the proxies in front of a service: its sidecars, or those who call it where it has none.
//! `limits` are kept by the proxies of its callers. A service has as many proxies as endpoints; where a source names
//! these nobody knows here how many, and of a gateway neither.

use super::admission::arrivals;
use super::{Caller, Graph};
use crate::model::policy::{Rate, RateLimit};
use crate::model::said::{Many, Said, Switch};
use crate::model::upstream::{Endpoints, Limits};
use crate::model::{Mesh, Service, ServiceId};
use crate::spell::rate;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Places that are named of one statement.
const NAMED: usize = 4;

/// Who keeps limits.
#[derive(Clone, Debug)]
pub(crate) struct Fleet<'m> {
    mesh: &'m Mesh,
    callers: BTreeMap<ServiceId, BTreeSet<Caller>>,
    /// Services that do not list their calls.
    anybody_calls: BTreeSet<ServiceId>,
}

/// Proxies that each keep a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// Those whose number is known.
    count: u32,
    /// Whose others are, in words.
    others: Vec<String>,
}

impl<'m> Fleet<'m> {
    /// The one of a mesh.
    pub(crate) fn of(mesh: &'m Mesh) -> Self {
        Self::on(&Graph::of(mesh))
    }

    pub(super) fn on(graph: &Graph<'m>) -> Self {
        let mut callers: BTreeMap<ServiceId, BTreeSet<Caller>> = BTreeMap::new();
        for (from, to) in arrivals(graph) {
            callers.entry(to).or_default().insert(from);
        }
        let services = (0..).map(ServiceId).zip(&graph.mesh.services);
        let mesh = graph.mesh;
        let says_nothing =
            services.filter(|(_, it)| it.calls.is_none() && !mesh.without_sidecar(it));
        Self {
            mesh,
            callers,
            anybody_calls: says_nothing.map(|(id, _)| id).collect(),
        }
    }

    /// Those that keep the `rate-limit` of a service.
    pub(crate) fn of_rates(&self, id: ServiceId) -> Proxies {
        let service = &self.mesh[id];
        if self.mesh.without_sidecar(service) {
            return self.of_limits(id);
        }
        let mut proxies = Proxies::default();
        proxies.add(service);
        proxies
    }

    /// Those that keep the `limits` of a service.
    pub(crate) fn of_limits(&self, id: ServiceId) -> Proxies {
        let mut proxies = Proxies::default();
        for caller in self.callers.get(&id).into_iter().flatten() {
            match caller {
                Caller::Service(service) => {
                    let service = &self.mesh[*service];
                    if !self.mesh.without_sidecar(service) {
                        proxies.add(service);
                    }
                }
                Caller::Gateway(gateway) => {
                    let name = self.mesh[*gateway].qualified_name();
                    proxies.others.push(format!("`{name}`"));
                }
            }
        }
        if self.anybody_calls.iter().any(|service| *service != id) {
            let whoever = "services that do not list whom they call";
            proxies.others.push(whoever.to_owned());
        }
        proxies
    }
}

impl Proxies {
    fn add(&mut self, service: &Service) {
        let versions = service.versions.iter().map(|version| &version.endpoints);
        let mut all = versions.chain([&service.endpoints]);
        if all.any(|endpoints| matches!(endpoints, Endpoints::From(_))) {
            self.others.push(format!("`{}`", service.qualified_name()));
        } else {
            self.count += service.all_endpoints().count() as u32;
        }
    }

    /// Whether there is more than one, or may be.
    fn are_several(&self) -> bool {
        self.count > 1 || !self.others.is_empty()
    }

    /// What a limit comes to that each of them keeps, given what it is for so many; none where there is only one.
    fn told(&self, of: impl Fn(u32) -> String) -> Option<String> {
        let others = self.others.join(" and ");
        self.are_several().then(|| match self.count {
            0 => format!("{} for each proxy of {others}: {} for two", of(1), of(2)),
            count if others.is_empty() => {
                format!("{} for all {count} proxies together", of(count))
            }
            count => {
                let these = if count == 1 {
                    "one proxy"
                } else {
                    &format!("{count} proxies")
                };
                format!(
                    "{} for {these}, and {} more for each of {others}",
                    of(count),
                    of(1)
                )
            }
        })
    }

    /// The same, where the number of some is known.
    pub(crate) fn told_of_some(&self, of: impl Fn(u32) -> String) -> Option<String> {
        self.told(of).filter(|_| self.count > 0)
    }
}

/// A rate, so many times.
pub(crate) fn rates(limit: &RateLimit, times: u32) -> String {
    rate(Rate {
        count: limit.rate.count.saturating_mul(times),
        per: limit.rate.per,
    })
}

/// The limits that somebody wrote, each so many times; none where nobody wrote one.
pub(crate) fn limits(limits: &Limits, times: u32) -> String {
    let each = [
        ("connections", limits.connections),
        ("pending", limits.pending),
        ("requests", limits.requests),
    ];
    let written = each.iter().filter(|(_, said)| said.span().is_some());
    let all = written.map(|(word, said)| format!("{word} {}", said.value.saturating_mul(times)));
    all.collect::<Vec<_>>().join(", ")
}

/// Limits that each of several proxies keeps, each statement once.
pub(super) fn findings(mesh: &Mesh, fleet: &Fleet<'_>) -> Vec<Diagnostic> {
    let mut kept = Kept::default();
    let all = everywhere("the mesh");
    kept.rates(&mesh.name, &all, &mesh.defaults.rate_limits);
    for gateway in &mesh.gateways {
        let name = gateway.qualified_name();
        let proxies = everywhere(&format!("`{name}`"));
        let hosts = gateway.hosts.iter();
        let arms = hosts.clone().flat_map(|host| &host.table.arms);
        let arms = arms.map(|arm| &arm.policy);
        let levels = hosts.map(|host| &host.policy).chain(arms);
        for level in std::iter::once(&gateway.policy).chain(levels) {
            kept.rates(&name, &proxies, &level.rate_limits);
        }
    }
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        let name = service.qualified_name();
        let namespace = mesh.namespace(&service.namespace);
        kept.rates(&name, &fleet.of_rates(id), &service.policy.rate_limits);
        if let Some(namespace) = namespace
            && service.policy.rate_limits.off.is_none()
        {
            kept.rates(&name, &fleet.of_rates(id), &namespace.rate_limits);
        }
        let own = service.spread.limits.as_ref();
        let own = own.or_else(|| namespace?.limits.as_ref());
        let versions = service.versions.iter();
        let versions = versions.filter_map(|version| version.spread.limits.as_ref());
        for said in own.into_iter().chain(versions) {
            kept.limits(&name, &fleet.of_limits(id), said);
        }
    }
    kept.found()
}

fn everywhere(whose: &str) -> Proxies {
    Proxies {
        count: 0,
        others: vec![whose.to_owned()],
    }
}

/// For each statement where it is kept, and what it comes to there.
#[derive(Default)]
struct Kept {
    each: BTreeMap<Span, (bool, Vec<(String, String)>)>,
}

impl Kept {
    fn rates(&mut self, name: &str, proxies: &Proxies, limits: &Many<RateLimit>) {
        for said in limits
            .each
            .iter()
            .filter(|said| said.value.shared.is_none())
        {
            let told = proxies.told(|times| rates(&said.value, times));
            self.add(true, said.span(), name, told);
        }
    }

    fn limits(&mut self, name: &str, proxies: &Proxies, said: &Said<Switch<Limits>>) {
        let Some(own) = said.value.on().filter(|own| !limits(own, 1).is_empty()) else {
            return;
        };
        let told = proxies.told(|times| limits(own, times));
        self.add(false, said.span(), name, told);
    }

    fn add(&mut self, is_rate: bool, span: Option<Span>, name: &str, told: Option<String>) {
        if let (Some(span), Some(told)) = (span, told) {
            let (_, places) = self.each.entry(span).or_insert((is_rate, Vec::new()));
            let place = (name.to_owned(), told);
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }

    fn found(self) -> Vec<Diagnostic> {
        let each = self.each.into_iter();
        each.map(|(span, (is_rate, places))| {
            let message = "each proxy counts this for itself";
            let mut diagnostic =
                Diagnostic::new(Code::RatelimitPerReplica, message).primary(span, "");
            let alone = places.len() == 1;
            for (name, told) in places.iter().take(NAMED) {
                diagnostic = diagnostic.note(if alone {
                    told.clone()
                } else {
                    format!("`{name}`: {told}")
                });
            }
            if places.len() > NAMED {
                let more = places.len() - NAMED;
                diagnostic = diagnostic.note(format!("and at {more} more places"));
            }
            diagnostic.help(if is_rate {
                "let each have its part, or count together: `rate-limit shared`"
            } else {
                "let each have its part of what the service can take"
            })
        })
        .collect()
    }
}
