//! Hops: whether some request takes a way, asked of all tables on it at once.
//!
//! A gateway's arms and rules see a request as the client sent it; routes and rules of services see what is sent on,
//! with the gateway as the caller. Where nothing on the way changes what they ask, all of them are in one space
//! ([`Joint`]), and the answer is exact. Where something does, the parts before and behind it are asked apart: if either
//! takes nothing the answer is no, and a yes counts only if the code that decides confirms it for a request that is made
//! of those found.

use super::chains::{At, Chain, Entrance, Via};
use super::joint::{Joint, Key, Taken};
use super::weakest::{self, carried};
use super::{Credentials, Hop, by_way_of, replay, sender};
use crate::access::{Caller, Rules, Seen, seen};
use crate::model::condition::{Condition, Field};
use crate::model::policy::{HeaderOperation, Policy};
use crate::model::said::Origin;
use crate::model::{Mesh, ServiceId};
use crate::spell::{Place, told};
use crate::verify::tables::{Subject, of_mesh};
use crate::verify::{Budget, Reason, Request};
use mesh_bundle::Bundle;
use mesh_bundle::format::Protocol;
use mesh_lang::source::{Sources, Span};
use std::collections::{BTreeSet, HashMap};

/// What is known of a hop that some request takes.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What it has to prove itself with.
    pub(super) credentials: BTreeSet<Credentials>,
    /// What else it has to have.
    pub(super) carried: BTreeSet<String>,
    /// Why it might be less.
    pub(super) not_decided: Option<String>,
}

/// A mesh, and spaces of its tables that were built.
pub(super) struct Hops<'h> {
    mesh: &'h Mesh,
    sources: &'h Sources,
    bundle: &'h Bundle,
    /// Hosts as the verifier has them, in the order of gateways and hosts.
    subjects: Vec<Subject<'h>>,
    rules: Vec<Rules<'h>>,
    spaces: HashMap<Key, Option<Joint>>,
    budget: Budget,
}

/// For all hops of a mesh, which are many, and for each question.
const BUDGET: Budget = Budget::new(10_000_000, 200_000);

impl<'h> Hops<'h> {
    pub(super) fn new(mesh: &'h Mesh, sources: &'h Sources, bundle: &'h Bundle) -> Self {
        let services = (0..mesh.services.len() as u32).map(ServiceId);
        Self {
            mesh,
            sources,
            bundle,
            subjects: of_mesh(mesh, true),
            rules: services.map(|id| Rules::of_service(mesh, id)).collect(),
            spaces: HashMap::new(),
            budget: BUDGET,
        }
    }

    /// Whether some client without identity comes this way.
    pub(super) fn through_gateway(
        &mut self,
        entrance: &Entrance,
    ) -> Result<Option<(Found, Hop)>, String> {
        let mesh = self.mesh;
        let gateway = &mesh[entrance.gateway];
        let chain = &entrance.chain;
        let caller = Caller::Gateway(entrance.gateway);
        let services = Some((caller, routes(chain), chain.service));
        let (host, number) = match entrance.at {
            At::Arm(host, number) => (host, number),
            At::Listener(listener) => {
                let span = gateway.listeners[listener].span;
                let key = Key {
                    host: None,
                    services,
                };
                let taken = self.taken(&key, None, chain)?;
                return Ok(taken.map(|taken| self.hop(caller, chain, span, taken)));
            }
        };
        let block = &gateway.hosts[host];
        let arm = &block.table.arms[number as usize];
        let at = (entrance.gateway.0, host);
        if self.subject(at).is_some_and(|it| it.world.doors.is_empty()) {
            return Ok(None); // nothing comes in but to be redirected
        }
        let levels = [&mesh.defaults, &gateway.policy, &block.policy, &arm.policy];
        if let Some(changed) = self.changed(&levels, chain) {
            return self.in_parts(entrance, (at, number), &changed);
        }
        let key = Key {
            host: Some(at),
            services,
        };
        let Some(taken) = self.taken(&key, Some(number), chain)? else {
            return Ok(None);
        };
        if chain.via == Via::Plain
            && !replay::from_client(self.bundle, entrance.gateway, &taken.request, chain.service)
        {
            return Err(Reason::Disagreement.to_string());
        }
        Ok(Some(self.hop(caller, chain, arm.span, taken)))
    }

    /// Whether a service's application comes this way, by the name of a service that it calls.
    pub(super) fn through_sidecar(
        &mut self,
        caller: ServiceId,
        call: ServiceId,
        chain: &Chain,
    ) -> Result<Option<(Found, Hop)>, String> {
        let mesh = self.mesh;
        let calls = mesh[caller].calls.iter().flatten();
        let declared = { calls }.find(|it| it.target == call);
        let span = declared.map_or(mesh[caller].span, |call| call.span);
        let key = Key {
            host: None,
            services: Some((Caller::Service(caller), routes(chain), chain.service)),
        };
        let Some(taken) = self.taken(&key, None, chain)? else {
            return Ok(None);
        };
        let own = declared.map(|call| &call.policy);
        let levels: Vec<&Policy> = [Some(&mesh.defaults), own].into_iter().flatten().collect();
        let tcp = mesh[chain.service].protocol.value == Protocol::Tcp;
        let replayed =
            chain.via == Via::Plain && !tcp && !self.asks(chain, |it| *it == Field::Host);
        let service = &mesh[call];
        let host = format!("{}.{}", service.name, service.namespace);
        if replayed
            && !replay::from_service(self.bundle, caller, &host, &taken.request, chain.service)
        {
            return Err(match self.changed(&levels, chain) {
                Some(changed) => changed,
                None => Reason::Disagreement.to_string(),
            });
        }
        Ok(Some(self.hop(Caller::Service(caller), chain, span, taken)))
    }

    /// Whether some client comes through a gateway that changes what is asked behind it.
    fn in_parts(
        &mut self,
        entrance: &Entrance,
        (at, number): ((u32, usize), u32),
        changed: &str,
    ) -> Result<Option<(Found, Hop)>, String> {
        let mesh = self.mesh;
        let chain = &entrance.chain;
        let caller = Caller::Gateway(entrance.gateway);
        let before = Key {
            host: Some(at),
            services: None,
        };
        let behind = Key {
            host: None,
            services: Some((caller, routes(chain), chain.service)),
        };
        let (Some(mut before), Some(behind)) = (
            self.taken(&before, Some(number), chain)?,
            self.taken(&behind, None, chain)?,
        ) else {
            return Ok(None);
        };
        let gateway = &mesh[entrance.gateway];
        let block = &gateway.hosts[at.1];
        let arm = &block.table.arms[number as usize];
        before.rule = behind.rule;
        before.unsure = before.unsure.or(behind.unsure);
        let levels = [&mesh.defaults, &gateway.policy, &block.policy, &arm.policy];
        let back = replay::before_rewrite(mesh, &levels, &arm.paths, &behind.request);
        // What stands before may bring all that is asked behind it.
        let with_method = Request {
            method: behind.request.method.clone(),
            ..before.request.clone()
        };
        let tried = [
            Some(before.request.clone()),
            Some(with_method),
            Some(replay::merged(&before.request, &behind.request, None)),
            back.map(|path| replay::merged(&before.request, &behind.request, Some(path))),
        ];
        let arrives = |request: &Request| {
            chain.via == Via::Plain
                && replay::from_client(self.bundle, entrance.gateway, request, chain.service)
        };
        match tried.into_iter().flatten().find(arrives) {
            Some(request) => {
                before.credentials = weakest::of(&request);
                before.request = request;
                Ok(Some(self.hop(caller, chain, arm.span, before)))
            }
            None => Err(changed.to_owned()),
        }
    }

    fn hop(&self, caller: Caller, chain: &Chain, by: Span, taken: Taken) -> (Found, Hop) {
        let mesh = self.mesh;
        let rule = taken
            .rule
            .map(|rule| &self.rules[chain.service.index()].all[rule as usize]);
        let carried = carried(&taken.request);
        let credentials = taken.credentials.iter();
        let needs = credentials.map(|it| weakest::name(mesh, *it));
        let place = Place::of_service(mesh, chain.service);
        let hop = Hop {
            from: sender(mesh, caller),
            to: format!(
                "{}{}",
                mesh[chain.service].qualified_name(),
                by_way_of(chain.via)
            ),
            by: Some(told(Origin::Written(by), self.sources)),
            rule: rule.map(|rule| place.rule(rule)),
            rule_place: rule.map(|rule| told(Origin::Written(rule.span), self.sources)),
            example: example(&taken.request, caller),
            needs: needs.chain(carried.iter().cloned()).collect(),
        };
        let found = Found {
            credentials: taken.credentials,
            carried,
            not_decided: taken.unsure.map(|reason| reason.to_string()),
        };
        (found, hop)
    }

    fn subject(&self, (gateway, host): (u32, usize)) -> Option<&Subject<'h>> {
        let before = self.mesh.gateways.iter().take(gateway as usize);
        let before: usize = before.map(|gateway| gateway.hosts.len()).sum();
        self.subjects.get(before + host)
    }

    /// What on the way changes what is asked behind it, in a sentence.
    fn changed(&self, levels: &[&Policy], chain: &Chain) -> Option<String> {
        let mesh = self.mesh;
        let own = &mesh[chain.service].policy;
        let arms = chain.routes.iter().filter_map(|(service, arm)| {
            let route = mesh[*service].route.as_ref()?;
            Some(&route.arms[(*arm)? as usize].policy)
        });
        let place = |said: Option<Span>| {
            said.map_or_else(String::new, |span| {
                let origin = Origin::Written(span);
                format!(" at {}", told(origin, self.sources))
            })
        };
        for policy in levels.iter().copied().chain(arms).chain([own]) {
            if let Some(said) = &policy.rewrite.path
                && self.asks(chain, |field| *field == Field::Path)
            {
                return Some(format!("the path is rewritten{}", place(said.span())));
            }
            if let Some(said) = &policy.rewrite.host
                && self.asks(chain, |field| *field == Field::Host)
            {
                return Some(format!("the host is rewritten{}", place(said.span())));
            }
            for said in &policy.request_headers.each {
                let (HeaderOperation::Set(name, _)
                | HeaderOperation::Add(name, _)
                | HeaderOperation::Remove(name)) = &said.value;
                if self.asks(chain, |field| *field == Field::Header(name.clone())) {
                    let place = place(said.span());
                    return Some(format!("the header `{name}` is changed{place}"));
                }
            }
        }
        // The peer of a service is the gateway, whose own address nobody knows.
        self.asks(chain, |field| *field == Field::SourceIp)
            .then(|| "the address of the gateway is asked".to_owned())
    }

    /// Whether routes and rules at the end of a way ask a field.
    fn asks(&self, chain: &Chain, wanted: impl Fn(&Field) -> bool) -> bool {
        let rules = &self.rules[chain.service.index()];
        let by_path = |paths: bool| paths && wanted(&Field::Path);
        let mut routes = chain.routes.iter();
        routes.any(|(service, _)| {
            let arms = self.mesh[*service]
                .route
                .iter()
                .flat_map(|route| &route.arms);
            { arms }.any(|arm| {
                let tests = arm.condition.iter().flat_map(Condition::tests);
                by_path(!arm.paths.is_empty()) || { tests }.any(|test| wanted(&test.field))
            })
        }) || rules.all.iter().any(|rule| by_path(!rule.paths.is_empty()))
            || rules.tests().any(|test| wanted(&test.field))
    }

    /// The request that takes a way and brings least.
    fn taken(
        &mut self,
        key: &Key,
        arm: Option<u32>,
        chain: &Chain,
    ) -> Result<Option<Taken>, String> {
        if let Some((caller, _, service)) = &key.services
            && matches!(
                seen(self.mesh, *service, caller.identity(self.mesh).is_some()),
                Seen::Refused | Seen::Unguarded
            )
        {
            return Ok(None);
        }
        if !self.spaces.contains_key(key) {
            let joint = Joint::new(
                self.mesh,
                key,
                key.host.and_then(|at| self.subject(at)),
                &self.rules,
            );
            self.spaces.insert(key.clone(), joint);
        }
        let rules = match &key.services {
            Some((_, _, service)) => &self.rules[service.index()],
            None => return self.before_services(key, arm),
        };
        let allowing: Vec<Option<u32>> = if rules.unguarded {
            vec![None]
        } else {
            rules.allowing().map(Some).collect()
        };
        let mut best: Option<Taken> = None;
        let mut unsure = None;
        let Some(Some(joint)) = self.spaces.get_mut(key) else {
            return Err("its tables are too entangled to be looked at together".to_owned());
        };
        for rule in allowing {
            match joint.fewest(arm, chain, rule, &mut self.budget) {
                Ok(Some(taken)) => {
                    let cost = |it: &Taken| (it.credentials.len(), carried(&it.request).len());
                    if best.as_ref().is_none_or(|best| cost(&taken) < cost(best)) {
                        best = Some(taken);
                    }
                }
                Ok(None) => {}
                Err(reason) => unsure = Some(reason),
            }
        }
        match (best, unsure) {
            (Some(mut taken), unsure) => {
                taken.unsure = taken.unsure.or(unsure);
                Ok(Some(taken))
            }
            (None, Some(reason)) => Err(reason.to_string()),
            (None, None) => Ok(None),
        }
    }

    /// The same, where the way ends in front of the services.
    fn before_services(&mut self, key: &Key, arm: Option<u32>) -> Result<Option<Taken>, String> {
        let Some(Some(joint)) = self.spaces.get_mut(key) else {
            return Err("its tables are too entangled to be looked at together".to_owned());
        };
        let nowhere = Chain {
            routes: Vec::new(),
            service: ServiceId(0),
            via: Via::Plain,
        };
        let taken = joint.fewest(arm, &nowhere, None, &mut self.budget);
        taken.map_err(|reason| reason.to_string())
    }
}

fn routes(chain: &Chain) -> Vec<ServiceId> {
    chain.routes.iter().map(|(service, _)| *service).collect()
}

/// A request as its sender writes it: a client does not say by which gateway it comes.
fn example(request: &Request, caller: Caller) -> String {
    let source = match caller {
        Caller::Service(_) => request.source.clone(),
        Caller::Gateway(_) | Caller::Anonymous => None,
    };
    Request {
        source,
        ..request.clone()
    }
    .to_string()
}
