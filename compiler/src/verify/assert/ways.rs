//! All ways that requests may take from where they come in, and which requests take them.
//!
//! ```text
//! host's arms ─ A ─▶ what the gateway makes of it ─▶ routes, arm by arm ─▶ what they make of it ─▶ the service's rules
//! └─ table 0         └─ Seen ─────────────────────── table each            └─ Seen ───────────────── condition
//! ```
//!
//! The arms of the host, the routes of services as seen through each arm that leads there, and the rules of those
//! services as seen through both are in one [`Space`]; a [`Way`] is an end in each table, and conditions. Arms that
//! make the same of their requests share what is seen through them, so that a space grows with the policy and not
//! with its ways. Ways that cannot lead to a service that matters are not looked at further than their first arm.

use super::admission;
use super::callers::no_space;
use super::replay::real;
use super::seen::{Level, Seen, all};
use crate::model::condition::{Condition, Field, Predicate, test};
use crate::model::credential::Credential;
use crate::model::policy::{PathRewrite, Policy};
use crate::model::{Action, Arm, Gateway, GatewayId, HostBlock, Mesh, Service, ServiceId, Target};
use crate::plan::formula::FormulaId;
use crate::plan::pattern_groups;
use crate::plan::table::Match;
use crate::verify::space::{End, Question, Space, TableId};
use crate::verify::tables::{at_caller, at_gateway, belongs};
use crate::verify::{Budget, Request, Verdict, World};
use mesh_bundle::route::MAX_HOPS;
use mesh_lang::value::PathPattern;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// Where requests come in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entrance<'m> {
    /// At a host of a gateway, from clients.
    Host(GatewayId, &'m Gateway, &'m HostBlock),
    /// At the sidecar of a service, for another.
    Sidecar(ServiceId, ServiceId),
}

/// Where a way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// At a service, or at a version of it, if it lets the request in.
    Service(ServiceId, Option<u32>),
    /// At an arm that answers, at no arm, or somewhere that does not matter.
    Elsewhere,
}

/// A way.
#[derive(Clone, Debug)]
pub(super) struct Way<'m> {
    /// Where it ends in each table that it passes.
    pub(super) ends: Vec<End>,
    /// The arm of the gateway.
    pub(super) arm: Option<&'m Arm>,
    /// The arms of services.
    pub(super) arms: Vec<&'m Arm>,
    /// Where it stops.
    pub(super) stop: Stop,
    /// By its number among the conditions: the entrance lets it through.
    pub(super) passes: Option<usize>,
    /// By its number: where it stops it is let in.
    pub(super) let_in: Option<usize>,
    /// By its number: what is claimed holds of what arrives.
    pub(super) claimed: Option<usize>,
    /// By its number: the token or key is required on it.
    pub(super) required: Option<usize>,
}

/// What is asked at the ends of ways.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// Services that matter.
    pub(super) matters: &'a BTreeSet<ServiceId>,
    /// What is asked of what arrives.
    pub(super) arrives: &'a Condition,
    /// What is asked of what is sent.
    pub(super) sent: &'a Condition,
    /// A token or key of which it is asked where it is required.
    pub(super) required: Option<Credential>,
    /// Names of tokens and keys, where more are asked of than the mesh has: its own, then others.
    pub(super) credentials: Option<(&'a [String], &'a [String])>,
}

/// Ways that are looked at from one entrance: arms that lead through long routes multiply.
const MOST: usize = 200_000;

/// All ways from an entrance.
pub(super) struct Ways<'m> {
    /// The ways.
    pub(super) all: Vec<Way<'m>>,
    /// What they ask.
    space: Space,
    region: FormulaId,
    conditions: Vec<FormulaId>,
}

impl<'m> Ways<'m> {
    /// The ways from an entrance.
    pub(super) fn of(
        mesh: &'m Mesh,
        entrance: Entrance<'m>,
        asking: Asking<'_>,
    ) -> Result<Self, String> {
        let mut builder = Builder {
            mesh,
            asking,
            tables: Vec::new(),
            conditions: Vec::new(),
            seen: Vec::new(),
            seen_numbers: HashMap::new(),
            routes: HashMap::new(),
            arrivals: HashMap::new(),
            may_matter: HashMap::new(),
            ways: Vec::new(),
        };
        let (mut world, region) = match entrance {
            Entrance::Host(_, gateway, block) => {
                builder.host(gateway, block);
                (
                    at_gateway(mesh, gateway, block, true),
                    belongs(gateway, block),
                )
            }
            Entrance::Sidecar(caller, callee) => {
                builder.sidecar(caller, callee);
                let world = World {
                    callers: Arc::new(vec![identity(&mesh[caller])]),
                    ..at_caller(mesh, &mesh[callee])
                };
                (world, is_called(mesh, caller, callee))
            }
        };
        if let Some((tokens, keys)) = asking.credentials {
            (world.tokens, world.keys) = (tokens.to_vec(), keys.to_vec());
        }
        if builder.ways.len() > MOST {
            return Err("there are too many ways to look at".to_owned());
        }
        let region = all(vec![region, asking.sent.clone()]);
        let tables: Vec<Vec<Match<'_>>> = builder
            .tables
            .iter()
            .map(|arms| {
                let arms = arms.iter().map(|arm| Match {
                    methods: &arm.methods,
                    paths: &arm.paths,
                    condition: arm.condition.as_ref(),
                });
                arms.collect()
            })
            .collect();
        let tables: Vec<&[Match<'_>]> = tables.iter().map(Vec::as_slice).collect();
        let conditions: Vec<&Condition> = std::iter::once(&region)
            .chain(&builder.conditions)
            .collect();
        let space = Space::new(world, &tables, &conditions);
        let space = space.map_err(|error| no_space(&error))?;
        Ok(Self {
            region: space.condition(0),
            conditions: (1..conditions.len())
                .map(|it| space.condition(it))
                .collect(),
            all: builder.ways,
            space,
        })
    }

    /// Looks for a request that takes a way, of which some of its conditions hold and one does not.
    pub(super) fn ask(
        &mut self,
        way: &Way<'_>,
        holds: &[Option<usize>],
        fails: Option<usize>,
        budget: &mut Budget,
    ) -> Verdict {
        let of = |numbers: &[Option<usize>]| -> Vec<FormulaId> {
            let numbers = numbers.iter().flatten();
            numbers.map(|&number| self.conditions[number]).collect()
        };
        let mut holds = of(holds);
        holds.push(self.region);
        let fails = of(&[fails]);
        let question = Question {
            ends: &way.ends,
            holds: &holds,
            fails: &fails,
        };
        self.space.ask(question, budget)
    }

    /// What comes of the first request that gets through by a way that `leads` where it is to; none if none does, and
    /// why that is not known. `arrived` is given each request that is found, and makes something of it once it was
    /// sent, or says why it did not come out as it should have.
    pub(super) fn first<T>(
        &mut self,
        leads: impl Fn(&Way<'m>) -> bool,
        mut arrived: impl FnMut(&Way<'m>, Request) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let mut budget = Budget::USUAL;
        let mut unknown = None;
        for way in std::mem::take(&mut self.all) {
            if !leads(&way) {
                continue;
            }
            let holds = [way.passes, way.let_in, way.claimed];
            let why = match self.ask(&way, &holds, None, &mut budget) {
                Verdict::No => continue,
                Verdict::NotDecided(reason) => reason.to_string(),
                Verdict::Yes(request) => match arrived(&way, real(*request)) {
                    Ok(found) => return Ok(Some(found)),
                    Err(why) => why,
                },
            };
            unknown = unknown.or(Some(why));
        }
        unknown.map_or(Ok(None), Err)
    }

    /// Looks for any request that is claimed something of.
    pub(super) fn any(&mut self, budget: &mut Budget) -> Verdict {
        let question = Question {
            holds: &[self.region],
            ..Question::default()
        };
        self.space.ask(question, budget)
    }
}

/// "The host is a name by which a caller knows a service."
fn is_called(mesh: &Mesh, caller: ServiceId, callee: ServiceId) -> Condition {
    let service = &mesh[callee];
    let short = mesh.short_names(&mesh[caller].namespace);
    let short = (short.get(service.name.as_str()) == Some(&callee)).then(|| service.name.clone());
    let long = format!("{}.{}", service.name, service.namespace);
    let names = short.into_iter().chain([long]);
    let names = names.chain(service.hosts.iter().cloned()).collect();
    test(Field::Host, Predicate::OneOf(names), service.span)
}

/// `namespace/name`.
pub(super) fn identity(service: &Service) -> String {
    format!("{}/{}", service.namespace, service.name)
}

/// The same of a gateway.
pub(super) fn gateway_identity(gateway: &Gateway) -> String {
    format!("{}/{}", gateway.namespace, gateway.name)
}

/// What an arm of a table asks.
struct Asks {
    methods: Vec<String>,
    paths: Vec<PathPattern>,
    condition: Option<Condition>,
}

/// A table of a service's route: for each of its arms in the space the arm, and the path that it took.
struct Routed<'m> {
    table: TableId,
    arms: Vec<(&'m Arm, Option<PathPattern>)>,
}

struct Builder<'m, 'a> {
    mesh: &'m Mesh,
    asking: Asking<'a>,
    tables: Vec<Vec<Asks>>,
    conditions: Vec<Condition>,
    seen: Vec<Seen>,
    seen_numbers: HashMap<Seen, usize>,
    /// Routes by what is seen there and by service.
    routes: HashMap<(usize, ServiceId), Rc<Routed<'m>>>,
    /// For what is seen at which service the conditions "let in" and "as claimed".
    arrivals: HashMap<(usize, ServiceId), (usize, usize)>,
    /// Services whose requests may arrive where it matters.
    may_matter: HashMap<ServiceId, bool>,
    ways: Vec<Way<'m>>,
}

/// A way that is being followed.
#[derive(Clone)]
struct Follow<'m> {
    way: Way<'m>,
    /// What routes see.
    seen: usize,
    /// Levels before those of the arms of services, and behind those of the service.
    stronger: Option<&'m Policy>,
    weaker: Option<&'m Policy>,
    levels: Vec<(&'m Policy, Option<PathPattern>)>,
    /// When the gateway requires the token or key that is asked about.
    required: Vec<Condition>,
}

impl<'m> Builder<'m, '_> {
    fn host(&mut self, gateway: &Gateway, block: &'m HostBlock) {
        let mesh = self.mesh;
        let weaker = gateway.policy.clone().over(mesh.defaults.clone());
        let level = block.policy.clone().over(weaker);
        let authz = admission::of_host(mesh, block.authz.as_ref());
        let of_host = admission::held(&level.requires, block.span);
        let passes_host = self.condition(all(vec![of_host.clone(), authz.clone()]));
        let source = gateway_identity(gateway);
        let methods = block.table.methods();
        let mut asked = Vec::new();
        let mut follows = Vec::new();
        for (arm, methods) in block.table.arms.iter().zip(methods) {
            let passes = if arm.policy.requires.is_empty() {
                passes_host
            } else {
                let own = admission::held(&arm.policy.requires, arm.span);
                self.condition(all(vec![of_host.clone(), own, authz.clone()]))
            };
            for paths in groups(arm) {
                let pattern = paths.first().cloned();
                let end = End {
                    table: TableId(0),
                    arm: Some(asked.len() as u32),
                };
                asked.push(Asks {
                    methods: methods.clone(),
                    paths,
                    condition: arm.condition.clone(),
                });
                let levels: [Level<'_>; 2] = [(&arm.policy, pattern.as_ref()), (&level, None)];
                let seen = Seen::untouched().changed(&levels).from(&source);
                follows.push((arm, end, passes, seen));
            }
        }
        self.tables.push(asked);
        for (arm, end, passes, seen) in follows {
            let seen = self.seen(seen);
            let way = Way {
                ends: vec![end],
                arm: Some(arm),
                arms: Vec::new(),
                stop: Stop::Elsewhere,
                passes: Some(passes),
                let_in: None,
                claimed: None,
                required: None,
            };
            let follow = Follow {
                way,
                seen,
                stronger: None,
                weaker: None,
                levels: Vec::new(),
                required: self.requiring([&arm.policy, &level]),
            };
            self.act(follow, arm, 0);
        }
        self.ways.push(Way {
            ends: vec![End {
                table: TableId(0),
                arm: None,
            }],
            arm: None,
            arms: Vec::new(),
            stop: Stop::Elsewhere,
            passes: None,
            let_in: None,
            claimed: None,
            required: None,
        });
    }

    fn sidecar(&mut self, caller: ServiceId, callee: ServiceId) {
        let mesh = self.mesh;
        let mut calls = mesh[caller].calls.iter().flatten();
        let call = calls.find(|call| call.target == callee);
        let seen = self.seen(Seen::untouched().from(&identity(&mesh[caller])));
        let follow = Follow {
            way: Way {
                ends: Vec::new(),
                arm: None,
                arms: Vec::new(),
                stop: Stop::Elsewhere,
                passes: None,
                let_in: None,
                claimed: None,
                required: None,
            },
            seen,
            stronger: call.map(|call| &call.policy),
            weaker: Some(&mesh.defaults),
            levels: Vec::new(),
            required: Vec::new(),
        };
        self.follow(follow, Target::Service(callee), 0);
    }

    /// Goes on with what an arm does.
    fn act(&mut self, follow: Follow<'m>, arm: &'m Arm, passed: usize) {
        if self.ways.len() > MOST {
            return; // that is said of them all
        }
        match &arm.action {
            Action::Forward(target) => self.follow(follow, *target, passed),
            Action::Split(shares) => {
                for share in shares.iter().filter(|share| share.parts > 0) {
                    self.follow(follow.clone(), share.target, passed);
                }
            }
            Action::Redirect(_) | Action::Respond { .. } => self.ways.push(follow.way),
        }
    }

    /// Goes on to a target, through its route.
    fn follow(&mut self, follow: Follow<'m>, target: Target, passed: usize) {
        let service = target.service();
        let version = match target {
            Target::Version(_, version) => Some(version),
            Target::Service(_) | Target::Own(_) => None,
        };
        let has_route = matches!(target, Target::Service(_))
            && passed < MAX_HOPS
            && self.mesh[service].route.is_some();
        if !has_route || !self.may_matter(service) {
            return self.stop(follow, service, version);
        }
        let routed = self.route(follow.seen, service);
        for (index, (arm, pattern)) in routed.arms.iter().enumerate() {
            let mut next = follow.clone();
            next.way.ends.push(End {
                table: routed.table,
                arm: Some(index as u32),
            });
            next.way.arms.push(arm);
            next.levels.push((&arm.policy, pattern.clone()));
            self.act(next, arm, passed + 1);
        }
        let mut next = follow;
        next.way.ends.push(End {
            table: routed.table,
            arm: None,
        });
        self.stop(next, service, None);
    }

    /// Whether requests to a service may arrive at one that matters.
    fn may_matter(&mut self, service: ServiceId) -> bool {
        let (mesh, matters) = (self.mesh, self.asking.matters);
        *self
            .may_matter
            .entry(service)
            .or_insert_with(|| !leads_to(mesh, Target::Service(service)).is_disjoint(matters))
    }

    fn stop(&mut self, follow: Follow<'m>, service: ServiceId, version: Option<u32>) {
        let mut way = follow.way;
        if !self.asking.matters.contains(&service) {
            self.ways.push(way);
            return;
        }
        let stronger = follow.stronger.map(|level| (level, None));
        let arms = follow.levels.iter();
        let arms = arms.map(|(level, pattern)| (*level, pattern.as_ref()));
        let own = (&self.mesh[service].policy, None);
        let weaker = follow.weaker.map(|level| (level, None));
        let levels: Vec<Level<'_>> = stronger
            .into_iter()
            .chain(arms)
            .chain([own])
            .chain(weaker)
            .collect();
        let mut seen = self.seen[follow.seen].changed(&levels);
        if is_nameless(self.mesh, &self.mesh[service]) {
            seen = seen.nameless();
        }
        let seen = self.seen(seen);
        let (let_in, claimed) = self.arrival(seen, service);
        if self.asking.required.is_some() {
            let own = self.requiring([&self.mesh[service].policy, &self.mesh.defaults]);
            let own = own.iter().map(|condition| self.seen[seen].asks(condition));
            let required = follow.required.into_iter().chain(own).collect();
            way.required = Some(self.condition(Condition::Or(required)));
        }
        way.stop = Stop::Service(service, version);
        way.let_in = Some(let_in);
        way.claimed = Some(claimed);
        self.ways.push(way);
    }

    /// When levels require the token or key that is asked about.
    fn requiring<'p>(&self, levels: impl IntoIterator<Item = &'p Policy>) -> Vec<Condition> {
        let requires = levels.into_iter().flat_map(|level| &level.requires);
        let of = requires.filter(|said| Some(said.value.credential) == self.asking.required);
        of.map(|said| {
            said.value
                .condition
                .clone()
                .unwrap_or_else(|| all(Vec::new()))
        })
        .collect()
    }

    /// The conditions of what arrives at a service.
    fn arrival(&mut self, seen: usize, service: ServiceId) -> (usize, usize) {
        if let Some(known) = self.arrivals.get(&(seen, service)) {
            return *known;
        }
        let admitted = admission::of_service(self.mesh, &self.mesh[service]);
        let admitted = self.seen[seen].asks(&admitted);
        let claimed = self.seen[seen].asks(self.asking.arrives);
        let numbers = (self.condition(admitted), self.condition(claimed));
        self.arrivals.insert((seen, service), numbers);
        numbers
    }

    /// A service's route, as it is seen.
    fn route(&mut self, seen: usize, service: ServiceId) -> Rc<Routed<'m>> {
        if let Some(known) = self.routes.get(&(seen, service)) {
            return Rc::clone(known);
        }
        let at = &self.seen[seen];
        let (mut asked, mut arms) = (Vec::new(), Vec::new());
        if let Some(table) = &self.mesh[service].route {
            for (arm, methods) in table.arms.iter().zip(table.methods()) {
                for paths in groups(arm) {
                    let pattern = paths.first().cloned();
                    let mut condition = arm.condition.as_ref().map(|it| at.asks(it));
                    let paths = if at.keeps_path() || paths.is_empty() {
                        paths
                    } else {
                        let takes = at.takes(&paths, arm.span);
                        condition = Some(all(condition.into_iter().chain([takes]).collect()));
                        Vec::new()
                    };
                    asked.push(Asks {
                        methods: methods.clone(),
                        paths,
                        condition,
                    });
                    arms.push((arm, pattern));
                }
            }
        }
        let table = TableId(self.tables.len());
        self.tables.push(asked);
        let routed = Rc::new(Routed { table, arms });
        self.routes.insert((seen, service), Rc::clone(&routed));
        routed
    }

    fn seen(&mut self, seen: Seen) -> usize {
        let next = self.seen.len();
        *self.seen_numbers.entry(seen).or_insert_with_key(|seen| {
            self.seen.push(seen.clone());
            next
        })
    }

    fn condition(&mut self, condition: Condition) -> usize {
        self.conditions.push(condition);
        self.conditions.len() - 1
    }
}

/// The patterns of an arm in groups of which the rewrite makes the same kind of path: all together, or each by itself.
pub(super) fn groups(arm: &Arm) -> Vec<Vec<PathPattern>> {
    let rewrite = arm.policy.rewrite.path.as_ref().map(|said| &said.value);
    match rewrite {
        None => vec![arm.paths.clone()],
        Some(PathRewrite::Template(template)) if template.is_exact() => vec![arm.paths.clone()],
        Some(_) => {
            // In the order in which the bundle tries them.
            let groups = pattern_groups(arm).into_iter().flatten();
            let each: Vec<_> = groups.map(|pattern| vec![pattern]).collect();
            if each.is_empty() {
                vec![Vec::new()]
            } else {
                each
            }
        }
    }
}

/// Whether a service's sidecar verifies nobody.
pub(super) fn is_nameless(mesh: &Mesh, service: &Service) -> bool {
    mesh.mtls_of(service).value == crate::model::Mtls::Off && !mesh.without_sidecar(service)
}

/// Services at which requests to a target may arrive.
pub(in crate::verify) fn leads_to(mesh: &Mesh, target: Target) -> BTreeSet<ServiceId> {
    let mut all = BTreeSet::from([target.service()]);
    let mut followed = BTreeSet::new();
    let mut next = vec![target];
    while let Some(target) = next.pop() {
        all.insert(target.service());
        // Only a service itself has a route to go through, and it is looked at once.
        if let Target::Service(service) = target
            && followed.insert(service)
        {
            let arms = mesh[service].route.iter().flat_map(|table| &table.arms);
            next.extend(arms.flat_map(|arm| arm.action.targets()));
        }
    }
    all
}
