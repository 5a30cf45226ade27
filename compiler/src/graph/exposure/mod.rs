//! What clients without an identity of the mesh reach: through how many hops, and behind what.
//!
//! ```text
//! gateway ─ host's arms ─ its rules ─┬─ routes ─ rules ─▶ service       one space: exact
//!                                    └── where the way changes what they ask: two, and the code that decides
//! service ─────────────────────────────── routes ─ rules ─▶ service     one space a hop
//! ```
//!
//! A hop is there if some request takes it, which is asked of all requests at once. Hops are independent: an
//! application may turn any request into any other. Of all ways to a service the one is told that asks for least:
//! fewest tokens, keys and certificates, then least else in the request, then fewest hops.

mod chains;
mod hops;
mod joint;
mod replay;
mod weakest;

use self::chains::{Chain, Via};
use self::hops::{Found, Hops};
use super::{Graph, service_id};
use crate::access::Caller;
use crate::model::{Mesh, ServiceId};
use mesh_bundle::Bundle;
use mesh_lang::source::{Sources, Span};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Whether clients without identity reach something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposed {
    /// They do, with nothing that others do not have.
    Open,
    /// They do with a token, a key, a certificate or a request that has more in it.
    Behind,
    /// None does.
    Not,
    /// It was not found out.
    NotDecided,
}

/// What clients without identity reach of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Whether they do.
    pub reached: Exposed,
    /// Through how many hops, the one behind the gateway included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hops: Option<usize>,
    /// What a client has to bring: `a token of staff`, `header x-team`.
    pub behind: Vec<String>,
    /// The way, hop by hop.
    pub way: Vec<Hop>,
    /// Why it is not known whether there is an easier way, or one at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_decided: Option<String>,
}

/// A step of a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// `file:line` of what sends it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The rule that lets it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// `file:line` of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_place: Option<String>,
    /// A request that takes it.
    pub example: String,
    /// What this request has to have.
    pub needs: Vec<String>,
}

/// What a request proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Credentials {
    /// A token of an issuer.
    Token(u32),
    /// A key.
    Key(u32),
    /// A client certificate.
    Certificate,
}

impl Exposure {
    /// `open, 2 hops`, `behind a token of staff, 1 hop`.
    pub fn in_short(&self) -> String {
        let hops = self.hops.map(|hops| crate::report::count(hops, "hop"));
        let hops = hops.unwrap_or_default();
        match self.reached {
            Exposed::Open => format!("open, {hops}"),
            Exposed::Behind => {
                let less = self.not_decided.as_ref().map_or("", |_| " or less");
                format!("behind {}{less}, {hops}", self.behind.join(" and "))
            }
            Exposed::Not => "not exposed".to_owned(),
            Exposed::NotDecided => "not decided".to_owned(),
        }
    }
}

/// A way to a service.
#[derive(Clone, Debug)]
struct Way {
    credentials: BTreeSet<Credentials>,
    carried: BTreeSet<String>,
    hops: Vec<Hop>,
}

impl Way {
    /// What it costs: a way that costs less is told.
    fn cost(&self) -> (usize, usize, usize) {
        (self.credentials.len(), self.carried.len(), self.hops.len())
    }

    fn with(&self, found: &Found, hop: Hop) -> Self {
        let mut way = self.clone();
        way.credentials.extend(&found.credentials);
        way.carried.extend(found.carried.iter().cloned());
        way.hops.push(hop);
        way
    }
}

/// Marks the services of a graph with what clients without identity reach of them. `bundle` is the one of the mesh:
/// requests that are found are put before it.
pub fn expose(graph: &mut Graph, mesh: &Mesh, sources: &Sources, bundle: &Bundle) {
    graph.exposure = true;
    let mut ways = Ways {
        mesh,
        hops: Hops::new(mesh, sources, bundle),
        open: BTreeMap::new(),
        settled: vec![None; mesh.services.len()],
        undecided: vec![None; mesh.services.len()],
    };
    ways.enter();
    ways.follow();
    for (index, service) in mesh.services.iter().enumerate() {
        let exposure = ways.exposure(index);
        if let Some(node) = graph.find(&service_id(service)) {
            graph.nodes[node.0].exposure = Some(exposure);
        }
    }
}

/// An arm by which clients reach a service that prove nothing about themselves.
#[derive(Clone, Debug)]
pub struct Public {
    /// The arm.
    pub arm: Span,
    /// The service.
    pub service: ServiceId,
    /// The way there, with a request that takes it.
    pub hop: Hop,
}

/// All such arms, once for each service, and those of which it was not found out, with the reason.
pub fn public_arms(
    mesh: &Mesh,
    sources: &Sources,
    bundle: &Bundle,
) -> (Vec<Public>, Vec<(Span, String)>) {
    let mut hops = Hops::new(mesh, sources, bundle);
    let mut all: Vec<Public> = Vec::new();
    let mut unknown = Vec::new();
    for entrance in chains::entrances(mesh) {
        let service = entrance.chain.service;
        let chains::At::Arm(host, number) = entrance.at else {
            continue;
        };
        let arm = mesh[entrance.gateway].hosts[host].table.arms[number as usize].span;
        // Copies and what takes over are not what the arm says.
        if entrance.chain.via != Via::Plain
            || all.iter().any(|it| it.arm == arm && it.service == service)
        {
            continue;
        }
        match hops.through_gateway(&entrance) {
            Ok(None) => {}
            Ok(Some((found, hop))) if found.credentials.is_empty() => {
                all.push(Public { arm, service, hop });
            }
            Ok(Some((found, _))) => {
                unknown.extend(found.not_decided.map(|reason| (arm, reason)));
            }
            Err(reason) => unknown.push((arm, reason)),
        }
    }
    (all, unknown)
}

struct Ways<'w> {
    mesh: &'w Mesh,
    hops: Hops<'w>,
    /// Ways that were found and not gone on from, the cheapest first.
    open: BTreeMap<((usize, usize, usize), usize), Way>,
    /// For each service the cheapest way.
    settled: Vec<Option<Way>>,
    /// For each service why something about it was not decided.
    undecided: Vec<Option<String>>,
}

impl Ways<'_> {
    /// From clients to what stands behind gateways.
    fn enter(&mut self) {
        let nothing = Way {
            credentials: BTreeSet::new(),
            carried: BTreeSet::new(),
            hops: Vec::new(),
        };
        for entrance in chains::entrances(self.mesh) {
            let service = entrance.chain.service.index();
            let known = self.best(service);
            if known.is_some_and(|cost| cost <= (0, 0, 1)) {
                continue; // nothing asks for less
            }
            let found = self.hops.through_gateway(&entrance);
            self.take(&nothing, entrance.chain.service, found);
        }
    }

    /// From what is reached to what that reaches.
    fn follow(&mut self) {
        while let Some(((_, service), way)) = self.open.pop_first() {
            if self.settled[service].is_some() {
                continue;
            }
            self.settled[service] = Some(way.clone());
            let caller = ServiceId(service as u32);
            for (call, chain) in self.calls(caller) {
                let next = chain.service.index();
                let (credentials, carried, hops) = way.cost();
                let cost = (credentials, carried, hops + 1);
                if self.settled[next].is_some() || self.best(next).is_some_and(|it| it <= cost) {
                    continue;
                }
                let found = self.hops.through_sidecar(caller, call, &chain);
                self.take(&way, chain.service, found);
            }
        }
    }

    /// What a service calls: what it says, or all.
    fn calls(&self, caller: ServiceId) -> Vec<(ServiceId, Chain)> {
        let mesh = self.mesh;
        let callees: Vec<ServiceId> = match &mesh[caller].calls {
            Some(calls) => calls.iter().map(|call| call.target).collect(),
            None => (0..mesh.services.len() as u32)
                .map(ServiceId)
                .filter(|callee| *callee != caller)
                .collect(),
        };
        let chains = callees.into_iter().flat_map(|callee| {
            let target = crate::model::Target::Service(callee);
            let chains = chains::of(mesh, target);
            chains.into_iter().map(move |chain| (callee, chain))
        });
        chains
            .filter(|(_, chain)| chain.service != caller)
            .collect()
    }

    fn best(&self, service: usize) -> Option<(usize, usize, usize)> {
        let open = self.open.keys().filter(|(_, of)| *of == service);
        let open = open.map(|(cost, _)| *cost).min();
        let settled = self.settled[service].as_ref().map(Way::cost);
        settled.or(open)
    }

    fn take(&mut self, way: &Way, to: ServiceId, found: Result<Option<(Found, Hop)>, String>) {
        let index = to.index();
        match found {
            Ok(None) => {}
            Ok(Some((found, hop))) => {
                if let Some(reason) = &found.not_decided {
                    self.undecided[index].get_or_insert_with(|| reason.clone());
                }
                let way = way.with(&found, hop);
                if self.settled[index].is_none()
                    && self.best(index).is_none_or(|cost| way.cost() < cost)
                {
                    self.open.insert((way.cost(), index), way);
                }
            }
            Err(reason) => {
                self.undecided[index].get_or_insert(reason);
            }
        }
    }

    fn exposure(&self, service: usize) -> Exposure {
        let undecided = self.undecided[service].clone();
        let Some(way) = &self.settled[service] else {
            return Exposure {
                reached: match undecided {
                    Some(_) => Exposed::NotDecided,
                    None => Exposed::Not,
                },
                hops: None,
                behind: Vec::new(),
                way: Vec::new(),
                not_decided: undecided,
            };
        };
        let credentials = way.credentials.iter();
        let credentials = credentials.map(|it| weakest::name(self.mesh, *it));
        let behind: Vec<String> = credentials.chain(way.carried.iter().cloned()).collect();
        Exposure {
            reached: if behind.is_empty() {
                Exposed::Open
            } else {
                Exposed::Behind
            },
            hops: Some(way.hops.len()),
            // Where nothing asks for less, what was not decided changes nothing.
            not_decided: undecided.filter(|_| !behind.is_empty()),
            behind,
            way: way.hops.clone(),
        }
    }
}

/// Why a chain is not the plain way, for whoever reads a hop.
fn by_way_of(via: Via) -> &'static str {
    match via {
        Via::Plain => "",
        Via::Mirror => " (mirrored)",
        Via::Failover => " (by failover)",
    }
}

/// Who sends at the beginning of a hop.
fn sender(mesh: &Mesh, caller: Caller) -> String {
    caller.name(mesh)
}
