//! Hops: whether some request takes a way, asked of all tables on it at once.
//!
//! A gateway's arms and rules see a request as the client sent it; routes and rules of services see what is sent on,
//! with the gateway as the caller. Where nothing on the way changes what they ask, all of them are in one space, and
//! the answer is exact. Where something does, the parts before and behind it are asked apart: if either takes nothing
//! the answer is no, and a yes counts only if the code that decides confirms it for one of the requests found.

use super::chains::{At, Chain, Entrance, Via};
use super::weakest::{self, carried, fewest};
use super::{Credentials, Hop, by_way_of, replay, sender};
use crate::access::{Caller, Rules, Seen, is_met, seen};
use crate::model::condition::{Condition, Field, Test};
use crate::model::policy::{HeaderOperation, PathRewrite, Policy, Require};
use crate::model::said::Said;
use crate::model::{Gateway, HostBlock, Mesh, ServiceId, Table};
use crate::plan::formula::FormulaId;
use crate::plan::table::Match;
use crate::spell::{Place, told};
use crate::verify::tables::{Subject, of_mesh};
use crate::verify::{Budget, Door, End, Question, Reason, Request, Space, TableId, World};
use mesh_bundle::Bundle;
use mesh_bundle::path::NormalPath;
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

/// Whose tables are in a space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// A gateway and its host.
    host: Option<(u32, usize)>,
    /// Routes, and the service whose rules are asked last, with who calls.
    services: Option<(Caller, Vec<ServiceId>, ServiceId)>,
}

/// Tables in one space.
struct Joint {
    space: Space,
    /// The credentials that there are, and the formula that each is there.
    credentials: Vec<(Credentials, FormulaId)>,
    host: Option<HostTables>,
    /// One for each route.
    routes: Vec<TableId>,
    /// The rules of the service; none where all are let in.
    rules: Option<TableId>,
    /// What the service requires.
    met: Vec<FormulaId>,
}

/// The tables of a host.
struct HostTables {
    arms: TableId,
    /// None where all are let in; else with those that let in.
    rules: Option<(TableId, Vec<u32>)>,
    /// What is required on the way through each arm.
    met: Vec<Vec<FormulaId>>,
}

/// A request that takes a way, and the rule of the service that lets it in.
struct Taken {
    credentials: BTreeSet<Credentials>,
    request: Request,
    unsure: Option<Reason>,
    rule: Option<u32>,
}

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
            budget: Budget::USUAL,
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
        let tcp = mesh[chain.service].protocol.value == mesh_bundle::format::Protocol::Tcp;
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
        let back = before_rewrite(mesh, &levels, &arm.paths, &behind.request);
        // What stands before may bring all that is asked behind it.
        let tried = [
            Some(before.request.clone()),
            Some(merged(&before.request, &behind.request, None)),
            back.map(|path| merged(&before.request, &behind.request, Some(path))),
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
            by: Some(told(crate::model::said::Origin::Written(by), self.sources)),
            rule: rule.map(|rule| place.rule(rule)),
            rule_place: rule
                .map(|rule| told(crate::model::said::Origin::Written(rule.span), self.sources)),
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
                let origin = crate::model::said::Origin::Written(span);
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
            let joint = self.joint(key);
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

    /// All tables of a way in one space.
    fn joint(&self, key: &Key) -> Option<Joint> {
        let mesh = self.mesh;
        let subject = key.host.and_then(|at| self.subject(at));
        let host = key.host.map(|(gateway, host)| {
            let gateway = &mesh.gateways[gateway as usize];
            (gateway, &gateway.hosts[host])
        });
        let mut tables: Vec<Rows> = Vec::new();
        let mut conditions: Vec<Condition> = Vec::new();
        let credentials = weakest::all(mesh);
        conditions.extend(credentials.iter().map(|(_, condition)| condition.clone()));
        let credentials: Vec<Credentials> = credentials.into_iter().map(|(it, _)| it).collect();

        let mut host_tables = None;
        if let Some((gateway, block)) = host {
            let rules = Rules::of_host(mesh, gateway, block);
            let arms = tables.len();
            tables.push(Rows::of_table(&block.table, true));
            let guard = (!rules.unguarded).then(|| {
                tables.push(Rows::of_rules(&rules, true));
                (TableId(tables.len() - 1), rules.allowing().collect())
            });
            let met = through_arms(mesh, gateway, block).map(|requires| {
                let first = conditions.len();
                let met = requires
                    .into_iter()
                    .map(|it| without_source(&is_met(it, mesh.span)));
                conditions.extend(met);
                first..conditions.len()
            });
            let met: Vec<_> = met.collect();
            conditions.extend(subject.and_then(|subject| subject.region.clone()));
            host_tables = Some((arms, guard, met));
        }
        let mut routes = Vec::new();
        let mut rules_at = None;
        let mut met = 0..0;
        let called = key.services.as_ref().map(|(_, _, service)| *service);
        let mut world = subject.map_or_else(|| some_world(mesh, called), |it| it.world.clone());
        if let Some((caller, on_way, service)) = &key.services {
            let identity = caller.identity(mesh);
            let known = seen(mesh, *service, identity.is_some()) == Seen::Known;
            let callers = identity.into_iter().map(|(name, _)| name);
            world.callers = std::sync::Arc::new(callers.collect());
            world.anonymous = false;
            for route in on_way {
                routes.push(tables.len());
                let table = mesh[*route].route.as_ref()?;
                tables.push(Rows::of_table(table, false));
            }
            let rules = &self.rules[service.index()];
            if !rules.unguarded {
                rules_at = Some(tables.len());
                tables.push(Rows::of_rules(rules, !known));
            }
            let first = conditions.len();
            let requires = rules.requires.iter();
            conditions.extend(requires.map(|it| {
                if known {
                    is_met(it, mesh.span)
                } else {
                    without_source(&is_met(it, mesh.span))
                }
            }));
            met = first..conditions.len();
        }
        let matches: Vec<Vec<Match<'_>>> = tables.iter().map(Rows::matches).collect();
        let matches: Vec<&[Match<'_>]> = matches.iter().map(Vec::as_slice).collect();
        let asked: Vec<&Condition> = conditions.iter().collect();
        let space = Space::new(world, &matches, &asked).ok()?;
        let formulas = |range: std::ops::Range<usize>| -> Vec<FormulaId> {
            range.map(|index| space.condition(index)).collect()
        };
        let host = host_tables.map(|(arms, guard, met)| HostTables {
            arms: TableId(arms),
            rules: guard,
            met: {
                let region = subject.and_then(|subject| subject.region.as_ref());
                let end = met.last().map_or(credentials.len(), |range| range.end);
                let region = region.map(|_| space.condition(end));
                let met = met.into_iter();
                met.map(|range| formulas(range).into_iter().chain(region).collect())
                    .collect()
            },
        });
        Some(Joint {
            credentials: credentials
                .into_iter()
                .enumerate()
                .map(|(index, it)| (it, space.condition(index)))
                .collect(),
            host,
            routes: routes.into_iter().map(TableId).collect(),
            rules: rules_at.map(TableId),
            met: formulas(met),
            space,
        })
    }
}

impl Joint {
    /// The request that brings the fewest credentials, of those that end at these arms and this rule.
    fn fewest(
        &mut self,
        arm: Option<u32>,
        chain: &Chain,
        rule: Option<u32>,
        budget: &mut Budget,
    ) -> Result<Option<Taken>, Reason> {
        let mut ends = Vec::new();
        let mut holds = self.met.clone();
        let mut guard = None;
        if let (Some(host), Some(arm)) = (&self.host, arm) {
            ends.push(End {
                table: host.arms,
                arm: Some(arm),
            });
            holds.extend(&host.met[arm as usize]);
            guard.clone_from(&host.rules);
        }
        for (table, (_, arm)) in self.routes.iter().zip(&chain.routes) {
            ends.push(End {
                table: *table,
                arm: *arm,
            });
        }
        ends.extend(self.rules.map(|table| End { table, arm: rule }));
        // A host's own rules let in by any that allows; the first with a request will do.
        let guards: Vec<Option<End>> = match guard {
            Some((table, allowing)) => allowing
                .into_iter()
                .map(|rule| {
                    Some(End {
                        table,
                        arm: Some(rule),
                    })
                })
                .collect(),
            None => vec![None],
        };
        let all: Vec<Credentials> = self.credentials.iter().map(|(it, _)| *it).collect();
        let mut unsure = None;
        let mut best: Option<Taken> = None;
        for guard in guards {
            let ends: Vec<End> = ends.iter().copied().chain(guard).collect();
            let found = fewest(&all, |allowed| {
                let others = self.credentials.iter();
                let others = others.filter(|(it, _)| !allowed.contains(it));
                let fails: Vec<FormulaId> = others.map(|(_, formula)| *formula).collect();
                let question = Question {
                    ends: &ends,
                    holds: &holds,
                    fails: &fails,
                };
                self.space.ask(question, budget)
            });
            match found {
                Ok(Some((credentials, request, reason))) => {
                    unsure = unsure.or(reason);
                    if best
                        .as_ref()
                        .is_none_or(|it| credentials.len() < it.credentials.len())
                    {
                        best = Some(Taken {
                            credentials,
                            request,
                            unsure: None,
                            rule,
                        });
                    }
                }
                Ok(None) => {}
                Err(reason) => unsure = Some(reason),
            }
        }
        match best {
            Some(taken) => Ok(Some(Taken { unsure, ..taken })),
            None => unsure.map_or(Ok(None), Err),
        }
    }
}

/// The arms of a table, their conditions as they are asked here.
struct Rows {
    rows: Vec<(
        Vec<String>,
        Vec<mesh_lang::value::PathPattern>,
        Option<Condition>,
    )>,
}

impl Rows {
    fn of_table(table: &Table, anonymous: bool) -> Self {
        let arms = table.arms.iter().zip(table.methods());
        let rows = arms.map(|(arm, methods)| {
            let condition = arm.condition.clone();
            (methods, arm.paths.clone(), condition)
        });
        Self {
            rows: rows.collect(),
        }
        .seen(anonymous)
    }

    fn of_rules(rules: &Rules<'_>, anonymous: bool) -> Self {
        let rows = rules.matches().into_iter().map(|row| {
            (
                row.methods.to_vec(),
                row.paths.to_vec(),
                row.condition.cloned(),
            )
        });
        Self {
            rows: rows.collect(),
        }
        .seen(anonymous)
    }

    fn seen(mut self, anonymous: bool) -> Self {
        if anonymous {
            for (_, _, condition) in &mut self.rows {
                *condition = condition.as_ref().map(without_source);
            }
        }
        self
    }

    fn matches(&self) -> Vec<Match<'_>> {
        let rows = self.rows.iter();
        rows.map(|(methods, paths, condition)| Match {
            methods,
            paths,
            condition: condition.as_ref(),
        })
        .collect()
    }
}

/// A condition where nobody is known: a test of the source is false.
fn without_source(condition: &Condition) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(without_source).collect();
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(without_source(part))),
        Condition::Test(Test {
            field: Field::Source | Field::SourceNamespace,
            ..
        }) => Condition::Or(Vec::new()),
        Condition::Test(_) => condition.clone(),
    }
}

fn routes(chain: &Chain) -> Vec<ServiceId> {
    chain.routes.iter().map(|(service, _)| *service).collect()
}

/// For each arm of a host what is required on the way through it.
fn through_arms<'m>(
    mesh: &'m Mesh,
    gateway: &'m Gateway,
    host: &'m HostBlock,
) -> impl Iterator<Item = Vec<&'m Said<Require>>> {
    host.table.arms.iter().map(move |arm| {
        let levels = [&mesh.defaults, &gateway.policy, &host.policy, &arm.policy];
        levels
            .into_iter()
            .flat_map(|level| &level.requires)
            .collect()
    })
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

/// Requests of which nothing is known but what the mesh says, to a service.
fn some_world(mesh: &Mesh, service: Option<ServiceId>) -> World {
    World {
        host: service.map_or_else(String::new, |id| mesh[id].name.clone()),
        encoded_slash: mesh.encoded_slash.value,
        tokens: mesh.jwts.iter().map(|jwt| jwt.name.clone()).collect(),
        keys: mesh.keys.iter().map(|keys| keys.name.clone()).collect(),
        doors: vec![Door {
            https: false,
            port: 80,
        }],
        ..World::default()
    }
}

/// What a client would send for the part behind a gateway, as far as the part before lets it say: its method, door
/// and host are those of the request before, everything else is of both.
fn merged(before: &Request, behind: &Request, path: Option<NormalPath<'static>>) -> Request {
    let mut request = before.clone();
    let add = |all: &mut Vec<(String, Vec<u8>)>, more: &[(String, Vec<u8>)]| {
        for (name, value) in more {
            if all.iter().all(|(known, _)| known != name) {
                all.push((name.clone(), value.clone()));
            }
        }
    };
    add(&mut request.headers, &behind.headers);
    add(&mut request.cookies, &behind.cookies);
    add(&mut request.query, &behind.query);
    for token in &behind.tokens {
        if request
            .tokens
            .iter()
            .all(|it| it.provider != token.provider)
        {
            request.tokens.push(token.clone());
        }
    }
    if request.keys.is_empty() {
        request.keys.clone_from(&behind.keys);
    }
    if let Some(path) = path {
        request.path = path;
        request.method.clone_from(&behind.method);
    }
    request
}

/// The path that becomes the one behind a rewrite of the prefix.
fn before_rewrite(
    mesh: &Mesh,
    levels: &[&Policy],
    paths: &[mesh_lang::value::PathPattern],
    behind: &Request,
) -> Option<NormalPath<'static>> {
    let rewrite = levels
        .iter()
        .rev()
        .find_map(|level| level.rewrite.path.as_ref())?;
    let PathRewrite::Prefix(to) = &rewrite.value else {
        return None;
    };
    let rest = behind
        .path
        .as_str()
        .strip_prefix(to.trim_end_matches('/'))?;
    let from = paths.iter().find_map(|pattern| {
        let text = pattern.to_string();
        text.strip_suffix("/**").map(str::to_owned)
    })?;
    let path = format!("{from}{rest}");
    let path = NormalPath::parse(&path, mesh.encoded_slash.value).ok()?;
    Some(path.into_owned())
}
