//! Arms: where requests go.

use super::closer::{Block, Closer, Shown, Way};
use super::ends::{Asks, Comparison, Pair, Place as EndOf, pairs};
use super::hosts::{Gateways, Scope, gateways};
use super::outcome::{Outcome, difference};
use super::renumber::{Ids, unplaced};
use super::shown::{Both, Sides, example};
use super::{Change, Diff, Example, Kind, Reload, Side};
use crate::model::condition::{Condition, Field, Predicate, Test, holds};
use crate::model::policy::Policy;
use crate::model::{Action, Arm, Gateway, GatewayId, HostBlock, Service, ServiceId, Table, Target};
use crate::spell::Place;
use crate::verify::World;
use crate::verify::assert::Beyond;
use crate::verify::tables::{at_caller, at_gateway};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table of one side: its arms, what each does, and where each is.
struct Arms {
    asks: Vec<Asks>,
    outcomes: Vec<Outcome>,
    places: Vec<String>,
    heads: Vec<String>,
    requires: Vec<Vec<Required>>,
    nothing: Outcome,
}

impl Arms {
    /// No table: nothing is taken.
    fn none() -> Self {
        Self {
            asks: Vec::new(),
            outcomes: Vec::new(),
            places: Vec::new(),
            heads: Vec::new(),
            requires: Vec::new(),
            nothing: Outcome::nothing(),
        }
    }

    fn of(
        side: Side<'_>,
        table: &Table,
        policy: impl Fn(&Arm) -> Policy,
        own: Option<&str>,
        condition: impl Fn(&Condition) -> Condition,
    ) -> Self {
        let methods = table.methods();
        let place = Place::top(side.mesh);
        let mut arms = Self::none();
        for (arm, methods) in table.arms.iter().zip(methods) {
            arms.asks.push(Asks {
                methods,
                paths: arm.paths.clone(),
                condition: arm.condition.as_ref().map(&condition),
            });
            let policy = policy(arm);
            let requires = policy.requires.iter().map(|said| Required {
                credential: place.credential(said.value.credential),
                there: condition(&holds(said.value.credential, arm.span)),
                condition: said.value.condition.as_ref().map(&condition),
                place: said
                    .span()
                    .map_or_else(String::new, |span| side.place(span)),
            });
            arms.requires.push(requires.collect());
            arms.outcomes
                .push(Outcome::of(side.mesh, arm, &policy, own));
            arms.places.push(side.place(arm.span));
            arms.heads.push(place.head(arm));
        }
        arms
    }

    fn outcome(&self, end: EndOf) -> &Outcome {
        end.map_or(&self.nothing, |arm| &self.outcomes[arm as usize])
    }

    fn place(&self, end: EndOf) -> Vec<String> {
        end.map(|arm| self.places[arm as usize].clone())
            .into_iter()
            .collect()
    }

    fn head(&self, end: EndOf) -> Option<&str> {
        end.map(|arm| self.heads[arm as usize].as_str())
    }
}

/// A token or key that is required.
#[derive(Clone, Debug)]
struct Required {
    /// `jwt corp`.
    credential: String,
    /// "It is there."
    there: Condition,
    condition: Option<Condition>,
    place: String,
}

/// Which requests are asked for a token or key.
#[derive(Debug, Default, PartialEq)]
struct Asking {
    asks: Vec<Asks>,
    /// Where it is required; none of those that are not asked.
    places: Vec<Option<String>>,
}

impl Arms {
    /// The conditions under which every arm requires a token or key, if all do in the same way.
    fn required_everywhere(&self, credential: &str) -> Option<Vec<Option<Condition>>> {
        let mut each = self.requires.iter().map(|requires| {
            let of = requires.iter().filter(|it| it.credential == credential);
            of.map(|it| it.condition.as_ref().map(unplaced))
                .collect::<Vec<_>>()
        });
        let first = each.next()?;
        each.all(|it| it == first).then_some(first)
    }

    fn asking(&self, credential: &str) -> Asking {
        let mut asking = Asking::default();
        for (asks, requires) in self.asks.iter().zip(&self.requires) {
            for required in requires.iter().filter(|it| it.credential == credential) {
                let both = asks.condition.iter().chain(&required.condition).cloned();
                asking.asks.push(Asks {
                    condition: Some(Condition::And(both.collect())),
                    ..asks.clone()
                });
                asking.places.push(Some(required.place.clone()));
            }
            asking.asks.push(asks.clone());
            asking.places.push(None);
        }
        asking
    }
}

/// The hosts of gateways.
pub(super) fn hosts(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    let back = Ids::of(new.mesh, old.mesh);
    for pair in gateways(old.mesh, new.mesh) {
        for scope in pair.scopes() {
            compare_hosts(old, new, (&pair, &scope), (ids, &back), diff);
        }
    }
}

fn compare_hosts(
    old: Side<'_>,
    new: Side<'_>,
    (pair, scope): (&Gateways<'_>, &Scope),
    (ids, back): (&Ids, &Ids),
    diff: &mut Diff,
) {
    let arms = |side: Side<'_>, found: Option<(&Gateway, &HostBlock)>, is_old: bool| {
        let Some((gateway, host)) = found else {
            return Arms::none();
        };
        let weaker = gateway.policy.clone().over(side.mesh.defaults.clone());
        let weaker = host.policy.clone().over(weaker);
        Arms::of(
            side,
            &host.table,
            |arm| arm.policy.clone().over(weaker.clone()),
            None,
            |condition| {
                if is_old {
                    ids.of_old(condition)
                } else {
                    condition.clone()
                }
            },
        )
    };
    let (before, after) = (pair.old_block(scope), pair.new_block(scope));
    let (old_arms, new_arms) = (arms(old, before, true), arms(new, after, false));
    let either = after.map(|it| (new, it)).or(before.map(|it| (old, it)));
    let Some((side, (gateway, host))) = either else {
        return;
    };
    let world = World {
        tokens: ids.token_names.clone(),
        keys: ids.key_names.clone(),
        ..at_gateway(side.mesh, gateway, host, true)
    };
    let sides = Sides {
        old,
        new,
        ids,
        gateway: Some(pair.key()),
    };
    let block = |side: Side<'_>, found| {
        let (gateway, host) = found?;
        let id = side.mesh.gateways.iter().position(|it| pair.is(it))?;
        Some(Block {
            id: GatewayId(id as u32),
            gateway,
            host,
        })
    };
    let region = scope.region(host.span);
    let blocks = (block(old, before), block(new, after));
    let closer = Closer::new(sides, back, blocks, (region.clone(), host.span));
    let tables = Tables {
        sides,
        before: &old_arms,
        after: &new_arms,
        subject: pair.subject(scope),
        likely: closer.passes(None),
        closer: Some(closer),
    };
    tables.compare(&world, Some(&region), diff);
}

/// The routes of services that both meshes have.
pub(super) fn routes(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    for (index, service) in new.mesh.services.iter().enumerate() {
        let same = |it: &&Service| it.name == service.name && it.namespace == service.namespace;
        let Some(before) = old.mesh.services.iter().position(|it| same(&it)) else {
            continue; // nobody called it
        };
        let arms = |side: Side<'_>, id: usize, is_old: bool| {
            let id = ServiceId(id as u32);
            let service = &side.mesh[id];
            let own = Place::top(side.mesh).service(id);
            let table = service
                .route
                .clone()
                .unwrap_or_else(|| without_route(id, service));
            let weaker = service.policy.clone().over(side.mesh.defaults.clone());
            Arms::of(
                side,
                &table,
                |arm| arm.policy.clone().over(weaker.clone()),
                Some(&own),
                |condition| {
                    if is_old {
                        ids.of_old(condition)
                    } else {
                        condition.clone()
                    }
                },
            )
        };
        let (old_arms, new_arms) = (arms(old, before, true), arms(new, index, false));
        let sides = Sides {
            old,
            new,
            ids,
            gateway: None,
        };
        let tables = Tables {
            sides,
            before: &old_arms,
            after: &new_arms,
            subject: Place::top(new.mesh).service(ServiceId(index as u32)),
            closer: None,
            likely: likely_callers(new, ServiceId(index as u32))
                .into_iter()
                .collect(),
        };
        let world = World {
            tokens: ids.token_names.clone(),
            keys: ids.key_names.clone(),
            callers: Arc::clone(&ids.callers),
            ..at_caller(new.mesh, service)
        };
        tables.compare(&world, None, diff);
    }
}

/// "The sender declares that it calls the service": for examples that mean something to their readers.
fn likely_callers(side: Side<'_>, id: ServiceId) -> Option<Condition> {
    let callers = side.mesh.services.iter().filter(|caller| {
        let mut calls = caller.calls.iter().flatten();
        calls.any(|call| call.target == id)
    });
    let names: Vec<String> = callers
        .map(|it| format!("{}/{}", it.namespace, it.name))
        .collect();
    (!names.is_empty()).then(|| {
        Condition::Test(Test {
            field: Field::Source,
            predicate: Predicate::OneOf(names),
            span: side.mesh[id].span,
        })
    })
}

/// What a service without a route does: all goes to its own endpoints.
fn without_route(id: ServiceId, service: &Service) -> Table {
    Table {
        arms: vec![Arm {
            name: "otherwise".to_owned(),
            span: service.span,
            methods: Vec::new(),
            paths: Vec::new(),
            condition: None,
            action: Action::Forward(Target::Own(id)),
            policy: Policy::default(),
            fragment: None,
        }],
    }
}

/// The tables of both sides.
struct Tables<'t> {
    sides: Sides<'t>,
    before: &'t Arms,
    after: &'t Arms,
    subject: String,
    /// Of hosts, which let through some requests only.
    closer: Option<Closer<'t>>,
    /// Of requests that are good examples, the best first.
    likely: Vec<Condition>,
}

impl Tables<'_> {
    fn compare(&self, world: &World, region: Option<&Condition>, diff: &mut Diff) {
        let differ = |old: EndOf, new: EndOf| self.before.outcome(old) != self.after.outcome(new);
        let question = Comparison {
            old: &self.before.asks,
            new: &self.after.asks,
            world: world.clone(),
            region,
            likely: &self.likely,
            differ: &differ,
        };
        for pair in self.found(question, diff) {
            self.tell(&pair, diff);
        }
        self.tokens(world, region, diff);
    }

    fn found(&self, question: Comparison<'_>, diff: &mut Diff) -> Vec<Pair> {
        let (found, undecided) = match pairs(question) {
            Ok((found, undecided)) => (found, undecided.map(|reason| reason.to_string())),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        if let Some(reason) = undecided {
            self.not_decided(&reason, diff);
        }
        found
    }

    fn not_decided(&self, reason: &str, diff: &mut Diff) {
        let reason = format!("{}: {reason}", self.subject);
        if !diff.undecided.contains(&reason) {
            diff.undecided.push(reason);
        }
    }

    /// Which requests are asked for tokens and keys. An arm is two for this: one with the condition of its
    /// `require`, and one for what is left.
    fn tokens(&self, world: &World, region: Option<&Condition>, diff: &mut Diff) {
        let all = self.before.requires.iter().chain(&self.after.requires);
        let all = all.flatten().map(|it| (&it.credential, &it.there));
        let all: BTreeMap<&String, &Condition> = all.collect();
        for (credential, there) in all {
            // Where all arms ask alike on both sides, it is no matter which of them takes a request.
            let before = self.before.required_everywhere(credential);
            if before.is_some() && before == self.after.required_everywhere(credential) {
                continue;
            }
            let (old, new) = (
                self.before.asking(credential),
                self.after.asking(credential),
            );
            if old == new {
                continue;
            }
            let asked =
                |asking: &Asking, end: EndOf| end.map(|at| asking.places[at as usize].is_some());
            let differ = |before: EndOf, after: EndOf| {
                let both = asked(&old, before).zip(asked(&new, after));
                both.is_some_and(|(was, is)| was != is)
            };
            let closer = self.closer.as_ref();
            let likely = closer.map(|it| it.passes(Some(there)));
            let likely = likely.unwrap_or_else(|| self.likely.clone());
            let question = Comparison {
                old: &old.asks,
                new: &new.asks,
                world: world.clone(),
                region,
                likely: &likely,
                differ: &differ,
            };
            for pair in self.found(question, diff) {
                let is = asked(&new, pair.new) == Some(true);
                let place = |asking: &Asking, end: EndOf| -> Vec<String> {
                    let place = end.and_then(|at| asking.places[at as usize].clone());
                    place.into_iter().collect()
                };
                let tables = (&*old.asks, &*new.asks);
                let Some((kind, example)) = self.asked(tables, &pair, (there, is), diff) else {
                    continue;
                };
                diff.add(Change {
                    kind,
                    subjects: vec![self.subject.clone()],
                    what: if is {
                        format!("now asks for {credential}")
                    } else {
                        format!("asks for {credential} no more")
                    },
                    old: place(&old, pair.old),
                    new: place(&new, pair.new),
                    example: Some(example),
                    reload: Reload::Hitless,
                });
            }
        }
    }

    /// What it comes to that requests of a pair are asked for a credential on one side only, with an example; nothing
    /// where none of them gets further on the other side.
    fn asked(
        &self,
        tables: (&[Asks], &[Asks]),
        pair: &Pair,
        (there, is_new): (&Condition, bool),
        diff: &mut Diff,
    ) -> Option<(Kind, Example)> {
        let (kind, open) = if is_new {
            (Kind::Narrowed, Way::Old)
        } else {
            (Kind::Widened, Way::New)
        };
        let both = self.sides.both(&pair.request);
        let found = both.kind();
        let this = |kind: Kind, both: &Both| Some((kind, example(&pair.request, both)));
        let Some(closer) = self.closer.as_ref().filter(|_| found != Some(kind)) else {
            return this(kind, &both);
        };
        let lacks = Condition::Not(Box::new(there.clone()));
        for (kind, beyond) in [(kind, Beyond::AnyService), (Kind::Answer, Beyond::Answer)] {
            if found == Some(kind) {
                return this(kind, &both);
            }
            if pair.is_unlikely {
                continue;
            }
            let counts = |both: &Both| both.kind() == Some(kind);
            match closer.find(tables, pair, Some(&lacks), &[(open, beyond)], &counts) {
                Shown::This(shown) => return Some((kind, example(&shown.0, &shown.1))),
                Shown::Nothing => {}
                Shown::Unknown(why) => {
                    if let Some(why) = why {
                        self.not_decided(&why, diff);
                    }
                    return this(kind, &both);
                }
            }
        }
        None
    }

    fn tell(&self, pair: &Pair, diff: &mut Diff) {
        let (was, is) = (self.before.outcome(pair.old), self.after.outcome(pair.new));
        let onward = (!was.targets.is_empty(), !is.targets.is_empty());
        let tables = (&*self.before.asks, &*self.after.asks);
        let closer = self.closer.as_ref();
        let shown = closer.map(|closer| closer.shown(tables, pair, onward));
        let (example, found) = match shown {
            Some(Shown::Nothing) => return,
            Some(Shown::This(shown)) => {
                let (request, both) = *shown;
                // What arrives on neither side is answered otherwise.
                let found = both.kind();
                let found = found.or_else(|| both.gets_nowhere().then_some(Kind::Answer));
                (example(&request, &both), found)
            }
            Some(Shown::Unknown(why)) => {
                if let Some(why) = why {
                    self.not_decided(&why, diff);
                }
                let both = self.sides.both(&pair.request);
                (example(&pair.request, &both), None)
            }
            None => {
                let both = self.sides.both(&pair.request);
                (example(&pair.request, &both), both.kind())
            }
        };
        let mut add = |kind: Kind, what: String, example: &Example| {
            diff.add(Change {
                kind,
                subjects: vec![self.subject.clone()],
                what,
                old: self.before.place(pair.old),
                new: self.after.place(pair.new),
                example: Some(example.clone()),
                reload: Reload::Hitless,
            });
        };
        // Where both send requests on, some may get in on one side only, by where they go or by what is made of them.
        let changed = was.targets != is.targets || was.headers != is.headers;
        let closer = closer.filter(|_| onward == (true, true) && changed);
        let crossed = closer.map(|closer| closer.crossed(tables, pair, found));
        let crossed = crossed.unwrap_or_default();
        if was.action != is.action {
            let kind = kind(was, is);
            let head = self.after.head(pair.new).or(self.before.head(pair.old));
            let head = head.unwrap_or_default();
            let what = format!("{head}  {} → {}", was.action, is.action);
            add(found.unwrap_or(kind), what.clone(), &example);
            for (crossed, example) in &crossed {
                add(crossed.unwrap_or(kind), what.clone(), example);
            }
        }
        // What is made of requests, and for them, compares only where both send them on, or neither does.
        let goes_on = pair.old.is_some() && pair.new.is_some() && onward.0 == onward.1;
        for what in difference(&was.headers, &is.headers)
            .into_iter()
            .filter(|_| goes_on)
        {
            // What is made of a request may be what its service lets in, or refuses.
            let gets_in = found.filter(|it| matches!(it, Kind::Widened | Kind::Narrowed));
            add(gets_in.unwrap_or(Kind::Headers), what.clone(), &example);
            for (crossed, example) in crossed.iter().filter(|_| was.action == is.action) {
                add(crossed.unwrap_or(Kind::Headers), what.clone(), example);
            }
        }
        for what in difference(&was.reliability, &is.reliability)
            .into_iter()
            .filter(|_| goes_on)
        {
            add(Kind::Reliability, what, &example);
        }
    }
}

/// What kind of change it is that an arm does something else.
fn kind(was: &Outcome, is: &Outcome) -> Kind {
    match (was.targets.is_empty(), is.targets.is_empty()) {
        (true, true) => Kind::Answer,
        (true, false) => Kind::Widened,
        (false, true) => Kind::Narrowed,
        (false, false) if was.targets == is.targets => Kind::Share,
        (false, false) => Kind::Rerouted,
    }
}
