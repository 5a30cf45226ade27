//! Requests of clients that get somewhere, for lints that ask for one: to an arm of a gateway, or through a gateway to
//! a service.

use super::reach::takes_requests;
use super::replay::{Held, Replayed, real, send};
use super::ways::{Asking, Entrance, Stop, Way, Ways, leads_to};
use crate::model::condition::Condition;
use crate::model::{Arm, GatewayId, HostBlock, Mesh, ServiceId};
use crate::verify::{Budget, Request, Verdict};
use mesh_bundle::format::Bundle;
use mesh_lang::source::Span;
use std::collections::BTreeSet;

/// What was found of the clients of a mesh.
#[derive(Debug)]
pub(in crate::verify) enum Found {
    /// One of them may send this, and it gets there; the arm of the gateway that takes it.
    This(Box<Request>, Span),
    /// None can.
    Nothing,
    /// It was not found out, because of this.
    NotFoundOut(String),
}

/// Those who send requests to the gateways of a mesh, whose bundle is at hand.
pub(in crate::verify) struct Clients<'m> {
    pub(in crate::verify) mesh: &'m Mesh,
    bundle: &'m Bundle,
    /// Arms of a host are asked about one after the other, and mostly the same: these were looked at last.
    looked_at: Vec<LookedAt<'m>>,
}

/// The ways of requests of which something holds, as far as the arms of a host.
struct LookedAt<'m> {
    host: &'m HostBlock,
    sent: Condition,
    ways: Result<Ways<'m>, String>,
}

/// How many are remembered.
const REMEMBERED: usize = 4;

impl<'m> Clients<'m> {
    pub(in crate::verify) fn of(mesh: &'m Mesh, bundle: &'m Bundle) -> Self {
        Self {
            mesh,
            bundle,
            looked_at: Vec::new(),
        }
    }

    /// Looks for a request that an arm of a gateway takes and lets in, and of which more holds.
    pub(in crate::verify) fn taken(
        &mut self,
        (id, host): (GatewayId, &'m HostBlock),
        arm: &Arm,
        sent: &Condition,
    ) -> Found {
        if !takes_requests(&self.mesh[id]) {
            return Found::Nothing;
        }
        let ways = match self.as_far_as_arms(id, host, sent) {
            Ok(ways) => ways,
            Err(why) => return Found::NotFoundOut(why.clone()),
        };
        let is_its = |way: &&Way<'_>| way.arm.is_some_and(|it| std::ptr::eq(it, arm));
        let its: Vec<Way<'_>> = ways.all.iter().filter(is_its).cloned().collect();
        let mut budget = Budget::USUAL;
        let mut unknown = None;
        for way in its {
            match ways.ask(&way, &[way.passes], None, &mut budget) {
                Verdict::Yes(request) => return Found::This(Box::new(real(*request)), arm.span),
                Verdict::No => {}
                Verdict::NotDecided(reason) => unknown = unknown.or(Some(reason.to_string())),
            }
        }
        unknown.map_or(Found::Nothing, Found::NotFoundOut)
    }

    fn as_far_as_arms(
        &mut self,
        id: GatewayId,
        host: &'m HostBlock,
        sent: &Condition,
    ) -> &mut Result<Ways<'m>, String> {
        let is_it = |it: &LookedAt<'_>| std::ptr::eq(it.host, host) && it.sent == *sent;
        let known = self.looked_at.iter().position(is_it);
        let index = known.unwrap_or_else(|| {
            let asking = Asking {
                matters: &BTreeSet::new(),
                arrives: &Condition::And(Vec::new()),
                sent,
                required: None,
                credentials: None,
            };
            let entrance = Entrance::Host(id, &self.mesh[id], host);
            let looked_at = LookedAt {
                host,
                sent: sent.clone(),
                ways: Ways::of(self.mesh, entrance, asking),
            };
            if self.looked_at.len() == REMEMBERED {
                self.looked_at.remove(0);
            }
            self.looked_at.push(looked_at);
            self.looked_at.len() - 1
        });
        &mut self.looked_at[index].ways
    }

    /// Looks for a request that arrives at a service through a gateway, of which something holds when it does. Only
    /// the versions that are meant count, none for all endpoints of the service.
    pub(in crate::verify) fn arriving(
        &self,
        service: ServiceId,
        is_meant: &dyn Fn(Option<u32>) -> bool,
        arrives: &Condition,
    ) -> Found {
        let mut unknown = None;
        for (id, gateway) in (0..).map(GatewayId).zip(&self.mesh.gateways) {
            for host in gateway.hosts.iter().filter(|_| takes_requests(gateway)) {
                let mut targets = host.table.arms.iter().flat_map(|arm| arm.action.targets());
                if !targets.any(|target| leads_to(self.mesh, target).contains(&service)) {
                    continue;
                }
                let entrance = Entrance::Host(id, gateway, host);
                match self.through(entrance, service, is_meant, arrives) {
                    Found::Nothing => {}
                    Found::NotFoundOut(why) => unknown = unknown.or(Some(why)),
                    found @ Found::This(..) => return found,
                }
            }
        }
        unknown.map_or(Found::Nothing, Found::NotFoundOut)
    }

    fn through(
        &self,
        entrance: Entrance<'m>,
        service: ServiceId,
        is_meant: &dyn Fn(Option<u32>) -> bool,
        arrives: &Condition,
    ) -> Found {
        let asking = Asking {
            matters: &BTreeSet::from([service]),
            arrives,
            sent: &Condition::And(Vec::new()),
            required: None,
            credentials: None,
        };
        let held = Held::of(arrives);
        let stops = |way: &Way<'_>| {
            let is_there =
                matches!(way.stop, Stop::Service(to, at) if to == service && is_meant(at));
            is_there && way.arm.is_some()
        };
        let found = Ways::of(self.mesh, entrance, asking).and_then(|mut ways| {
            ways.first(stops, |way, request| {
                let sent = send(self.bundle, entrance, &request);
                let arrives =
                    |sent: &Replayed| sent.arrives_at(self.bundle, service, is_meant, &held);
                match way.arm {
                    Some(arm) if sent.as_ref().is_some_and(arrives) => Ok((request, arm.span)),
                    Some(arm) => Err(format!(
                        "what is made of the requests that `{}` takes is not known exactly",
                        arm.name
                    )),
                    None => Err("what happens on the way is not known exactly".to_owned()),
                }
            })
        });
        match found {
            Ok(Some((request, span))) => Found::This(Box::new(request), span),
            Ok(None) => Found::Nothing,
            Err(why) => Found::NotFoundOut(why),
        }
    }
}
