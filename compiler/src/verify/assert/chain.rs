//! `transitively`: whether somebody gets through by way of others.
//!
//! A chain is hops that exist, each of which the service at its end lets in for some request. An application may turn
//! any request into any other, so the hops are independent of each other. Who is reached is found layer by layer:
//! of each service it is asked once per layer whether it lets in anybody who was reached last.

use super::callers::{Caller, Doorway, no_space};
use super::reach::{Aim, Found};
use super::replay::real;
use super::ways::{identity, leads_to};
use super::{Failure, Prover};
use crate::model::condition::Condition;
use crate::model::policy::Policy;
use crate::model::{Arm, ListenerKind, Mesh, Mtls, ServiceId, Target};
use crate::verify::{Budget, Request, Verdict};
use mesh_bundle::format::Id;
use mesh_bundle::journey;
use mesh_lang::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Somebody may send to a service.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    /// To whom.
    pub(super) to: ServiceId,
    /// Where that is written.
    pub(super) span: Span,
    /// Whether it is a copy.
    pub(super) is_copy: bool,
}

/// How a service is reached.
#[derive(Clone, Debug)]
struct Reached {
    from: Caller,
    hop: Hop,
    /// A request that it lets in.
    request: Option<Request>,
}

impl Prover<'_> {
    /// What gets through to the target from some callers, by way of whomever.
    pub(super) fn chain(&self, aim: &Aim, callers: &BTreeSet<Caller>) -> Found {
        let doorway = Doorway::new(self.mesh, aim.service(), &aim.claim);
        let mut unknown = None;
        match self.first(aim, &doorway, callers) {
            Found::Nothing => {}
            Found::NotFoundOut(why) => unknown = Some(why),
            found @ Found::This(_) => return found,
        }
        let services: Vec<ServiceId> = (0..self.mesh.services.len() as u32)
            .map(ServiceId)
            .collect();
        let mut reached: BTreeMap<ServiceId, Reached> = BTreeMap::new();
        let mut layer = callers.clone();
        let mut is_first = true;
        while !layer.is_empty() {
            let hops: BTreeMap<Caller, Vec<Hop>> = layer
                .iter()
                .map(|caller| (*caller, self.hops(*caller)))
                .collect();
            let mut next = BTreeSet::new();
            for &to in &services {
                let is_target = to == aim.service();
                // The first hop was looked at above, and those who call are there already.
                if reached.contains_key(&to)
                    || callers.contains(&Caller::Service(to))
                    || is_target && is_first
                {
                    continue;
                }
                let own = Aim::new(Target::Service(to), Condition::And(Vec::new()));
                let aim = if is_target { aim } else { &own };
                match self.enters(aim, &hops) {
                    Ok(None) => {}
                    Ok(Some(by)) if is_target => {
                        return Found::This(Box::new(self.told(&reached, to, by)));
                    }
                    Ok(Some(by)) => {
                        reached.insert(to, by);
                        next.insert(Caller::Service(to));
                    }
                    Err(why) => unknown = unknown.or(Some(why)),
                }
            }
            layer = next;
            is_first = false;
        }
        unknown.map_or(Found::Nothing, Found::NotFoundOut)
    }

    /// Whether the target lets in some request of one who has a hop there.
    fn enters(
        &self,
        aim: &Aim,
        hops: &BTreeMap<Caller, Vec<Hop>>,
    ) -> Result<Option<Reached>, String> {
        let to = aim.service();
        let with_hop = hops.iter().filter_map(|(caller, hops)| {
            let mut hops = hops.iter().filter(|hop| hop.to == to);
            let hop = hops
                .clone()
                .find(|hop| !hop.is_copy)
                .or_else(|| hops.next())?;
            Some((*caller, hop))
        });
        let with_hop: BTreeMap<Caller, &Hop> = with_hop.collect();
        if with_hop.is_empty() {
            return Ok(None);
        }
        let doorway = Doorway::new(self.mesh, to, &aim.claim);
        let (gateways, others): (BTreeSet<Caller>, BTreeSet<Caller>) = with_hop
            .keys()
            .partition(|caller| matches!(caller, Caller::Gateway(_)));
        let mut unknown = None;
        match doorway.some(&others, &mut Budget::USUAL.clone()) {
            Ok(Verdict::No) => {}
            Ok(Verdict::NotDecided(reason)) => unknown = Some(reason.to_string()),
            Err(error) => unknown = Some(no_space(&error)),
            Ok(Verdict::Yes(request)) => {
                let request = real(*request);
                let data = request.sent();
                let admitted = data.is_some_and(|data| {
                    journey::admitted(self.bundle, Id::new(to.0), &data).is_ok()
                });
                let from = sender(self.mesh, &others, &request);
                match from.filter(|_| admitted) {
                    Some(from) => {
                        return Ok(Some(Reached {
                            from,
                            hop: with_hop[&from].clone(),
                            request: Some(request),
                        }));
                    }
                    None => unknown = Some(crate::verify::Reason::Disagreement.to_string()),
                }
            }
        }
        for caller in gateways {
            let Caller::Gateway(gateway) = caller else {
                continue;
            };
            let reached = |hop: &Hop, request: Option<Request>| Reached {
                from: caller,
                hop: hop.clone(),
                request,
            };
            let own = BTreeSet::from([caller]);
            let copy = hops[&caller].iter().find(|hop| hop.to == to && hop.is_copy);
            match self.through(aim, &doorway, gateway) {
                Found::Nothing => {}
                Found::This(failure) => {
                    return Ok(Some(reached(with_hop[&caller], failure.request)));
                }
                Found::NotFoundOut(why) => {
                    // A copy is a hop like any other.
                    let some =
                        copy.map(|hop| (hop, doorway.some(&own, &mut Budget::USUAL.clone())));
                    if let Some((hop, Ok(Verdict::Yes(request)))) = some {
                        return Ok(Some(reached(hop, Some(real(*request)))));
                    }
                    unknown = unknown.or(Some(why));
                }
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// A chain that gets through.
    fn told(
        &self,
        reached: &BTreeMap<ServiceId, Reached>,
        to: ServiceId,
        last: Reached,
    ) -> Failure {
        let mesh = self.mesh;
        let request = last.request.clone();
        let sent_by = last.from;
        let mut steps = vec![(to, last)];
        while let Caller::Service(from) = steps[steps.len() - 1].1.from {
            match reached.get(&from) {
                Some(before) => steps.push((from, before.clone())),
                None => break,
            }
        }
        steps.reverse();
        let first = steps[0].1.from.name(mesh);
        let mut way =
            "the chain, of which each service lets in some request of the one before:\n".to_owned();
        let names: Vec<(String, String)> = steps
            .iter()
            .map(|(to, by)| (by.from.name(mesh), mesh[*to].qualified_name()))
            .collect();
        let width = |of: fn(&(String, String)) -> &String| {
            let widths = names.iter().map(|names| of(names).chars().count());
            widths.max().unwrap_or_default()
        };
        let (from_width, to_width) = (width(|it| &it.0), width(|it| &it.1));
        for ((from, to), (_, by)) in names.iter().zip(&steps) {
            let place = self.place(by.hop.span);
            let example = by.request.as_ref().map_or(String::new(), |request| {
                format!("{} {}", request.method, request.path.as_str())
            });
            let copy = if by.hop.is_copy { "copy of " } else { "" };
            // Writing into a String cannot fail.
            let _ = writeln!(
                way,
                "{from:from_width$} → {to:to_width$}  {place}  {copy}{example}"
            );
        }
        Failure {
            what: format!("requests of `{first}` may lead there, hop by hop"),
            request,
            sent_by: Some(sent_by),
            way: Some(way.trim_end().to_owned()),
            ..Failure::default()
        }
    }

    /// To whom a caller may send.
    pub(super) fn hops(&self, caller: Caller) -> Vec<Hop> {
        hops(self.mesh, caller)
    }
}

/// To whom a caller may send.
pub(super) fn hops(mesh: &Mesh, caller: Caller) -> Vec<Hop> {
    let mut hops = Hops {
        mesh,
        all: Vec::new(),
    };
    match caller {
        Caller::Service(id) => {
            let service = &mesh[id];
            for call in service.calls.iter().flatten() {
                hops.to(Target::Service(call.target), call.span);
                hops.copies(&call.policy);
            }
            // Without any it may call whoever lets it in.
            let all = (0..mesh.services.len() as u32).map(ServiceId);
            for to in all.filter(|to| service.calls.is_none() && *to != id) {
                hops.to(Target::Service(to), service.span);
            }
            hops.copies(&mesh.defaults);
        }
        Caller::Gateway(id) => {
            let gateway = &mesh[id];
            for host in &gateway.hosts {
                host.table.arms.iter().for_each(|arm| hops.arm(arm));
                hops.copies(&host.policy);
            }
            for listener in &gateway.listeners {
                match &listener.kind {
                    ListenerKind::Tcp(target) => hops.to(*target, listener.span),
                    ListenerKind::Passthrough(names) => {
                        for (_, to) in names {
                            hops.to(*to, listener.span);
                        }
                    }
                    ListenerKind::Http { .. } | ListenerKind::Https { .. } => {}
                }
            }
            hops.copies(&gateway.policy);
            hops.copies(&mesh.defaults);
        }
        Caller::Nameless => {
            for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
                if mesh.mtls_of(service).value != Mtls::Strict && !service.external {
                    hops.to(Target::Service(id), service.span);
                }
            }
        }
    }
    hops.all
}

/// Hops that are being collected.
struct Hops<'m> {
    mesh: &'m Mesh,
    all: Vec<Hop>,
}

impl Hops<'_> {
    fn arm(&mut self, arm: &Arm) {
        for target in arm.action.targets() {
            self.to(target, arm.span);
        }
        self.copies(&arm.policy);
    }

    /// A hop to where requests to a target may arrive, and those of the copies that are made on the way.
    fn to(&mut self, target: Target, span: Span) {
        for to in leads_to(self.mesh, target) {
            self.all.push(Hop {
                to,
                span,
                is_copy: false,
            });
            let service = &self.mesh[to];
            self.copies(&service.policy);
            let arms = service.route.iter().flat_map(|table| &table.arms);
            arms.for_each(|arm| self.copies(&arm.policy));
        }
    }

    fn copies(&mut self, policy: &Policy) {
        for said in &policy.mirrors.each {
            for to in leads_to(self.mesh, said.value.target) {
                self.all.push(Hop {
                    to,
                    span: said.span().unwrap_or(self.mesh.span),
                    is_copy: true,
                });
            }
        }
    }
}

/// Who of some callers sends a request.
fn sender(mesh: &Mesh, callers: &BTreeSet<Caller>, request: &Request) -> Option<Caller> {
    let is_it = |caller: &&Caller| match caller {
        Caller::Service(id) => request.source.as_ref() == Some(&identity(&mesh[*id])),
        Caller::Gateway(_) | Caller::Nameless => request.source.is_none(),
    };
    let known = callers.iter().find(is_it);
    // Who has an identity need not show it.
    let hidden = || callers.iter().find(|_| request.source.is_none());
    known.or_else(hidden).copied()
}
