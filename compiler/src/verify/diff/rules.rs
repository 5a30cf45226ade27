//! Rules: who gets in.

use super::ends::{Asks, Comparison, Place as EndOf, pairs};
use super::hosts::gateways;
use super::renumber::Ids;
use super::{Change, Diff, Example, Kind, Reload, Side};
use crate::model::authz::{Authz, Rule, in_order};
use crate::model::condition::Condition;
use crate::model::{Mesh, Mtls, Service, ServiceId};
use crate::plan::{match_of, rule_methods};
use crate::spell::Place;
use crate::verify::World;
use crate::verify::tables::{at_caller, at_gateway};
use std::sync::Arc;

/// What decides who gets in: rules in order, and what holds where none matches.
struct Ruling {
    asks: Vec<Asks>,
    allows: Vec<bool>,
    texts: Vec<String>,
    places: Vec<String>,
    otherwise: bool,
    /// Whether there is nothing to get into.
    absent: bool,
}

impl Ruling {
    /// Of a service that is not there.
    fn absent(side: Side<'_>) -> Self {
        Self {
            absent: true,
            ..Self::of(side, [].into_iter(), false, None)
        }
    }

    fn of<'r>(
        side: Side<'_>,
        rules: impl Iterator<Item = &'r Rule>,
        otherwise: bool,
        ids: Option<&Ids>,
    ) -> Self {
        let rules: Vec<&Rule> = rules.collect();
        let methods = rule_methods(&rules);
        let mut ruling = Self {
            asks: Vec::new(),
            allows: Vec::new(),
            texts: Vec::new(),
            places: Vec::new(),
            otherwise,
            absent: false,
        };
        for (rule, methods) in rules.into_iter().zip(methods) {
            let condition = match_of(side.mesh, rule);
            ruling.asks.push(Asks {
                methods,
                paths: rule.paths.clone(),
                condition: match ids {
                    Some(ids) => condition.map(|condition| ids.of_old(&condition)),
                    None => condition,
                },
            });
            ruling.allows.push(rule.allows);
            ruling.texts.push(rule.name.clone());
            ruling.places.push(side.place(rule.span));
        }
        ruling
    }

    /// What decides at a service.
    fn of_service(side: Side<'_>, service: &Service, ids: Option<&Ids>) -> Self {
        let mesh = side.mesh;
        let denies = mesh.namespace(&service.namespace);
        let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
        let open = mesh.open_by_default.value;
        match service
            .authz
            .as_ref()
            .and_then(|authz| authz.rules.as_ref())
        {
            Some(own) => Self::of(side, in_order(denies, own), false, ids),
            None => Self::of(side, in_order(denies, &[]), open, ids),
        }
    }

    /// What decides at a host, before its arms.
    fn of_host(side: Side<'_>, authz: Option<&Authz>, ids: Option<&Ids>) -> Self {
        match authz.and_then(|authz| authz.rules.as_ref()) {
            Some(own) => Self::of(side, in_order(&[], own), false, ids),
            None => Self::of(side, [].into_iter(), true, ids),
        }
    }

    fn lets_in(&self, end: EndOf) -> bool {
        end.map_or(self.otherwise, |rule| self.allows[rule as usize])
    }

    fn told(&self, end: EndOf) -> String {
        match end {
            Some(rule) => format!("`{}`", self.texts[rule as usize]),
            None if self.otherwise => "no rule".to_owned(),
            None => "no rule that allows".to_owned(),
        }
    }

    fn place(&self, end: EndOf) -> Vec<String> {
        end.map(|rule| self.places[rule as usize].clone())
            .into_iter()
            .collect()
    }
}

/// The rules of services. Into one that is not there nobody gets.
pub(super) fn services(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    let find = |side: Side<'_>, service: &Service| {
        let mut all = side.mesh.services.iter();
        all.position(|it| it.name == service.name && it.namespace == service.namespace)
    };
    let of_new = (0..new.mesh.services.len()).map(|index| {
        let before = find(old, &new.mesh.services[index]);
        (before, Some(index))
    });
    let gone = (0..old.mesh.services.len()).filter_map(|index| {
        let is_gone = find(new, &old.mesh.services[index]).is_none();
        is_gone.then_some((Some(index), None))
    });
    for (before, after) in of_new.chain(gone) {
        let name =
            |side: Side<'_>, index: usize| Place::top(side.mesh).service(ServiceId(index as u32));
        let ruling = |side: Side<'_>, index: Option<usize>, ids: Option<&Ids>| match index {
            Some(index) => Ruling::of_service(side, &side.mesh.services[index], ids),
            None => Ruling::absent(side),
        };
        let subject = after
            .map(|it| name(new, it))
            .or(before.map(|it| name(old, it)));
        let there = [(old, before), (new, after)];
        let there = there
            .into_iter()
            .filter_map(|(side, index)| Some((side.mesh, index?)));
        let world = World {
            tokens: ids.token_names.clone(),
            keys: ids.key_names.clone(),
            callers: Arc::clone(&ids.callers),
            ..met(there)
        };
        compare(
            &ruling(old, before, Some(ids)),
            &ruling(new, after, None),
            &subject.unwrap_or_default(),
            (world, None),
            diff,
        );
    }
}

/// The requests that a service may meet on the sides where it is there; whoever calls aside.
fn met<'m>(there: impl Iterator<Item = (&'m Mesh, usize)>) -> World {
    let mut world = World {
        anonymous: false,
        ..World::default()
    };
    for (mesh, index) in there {
        let service = &mesh.services[index];
        let unknown = mesh.without_sidecar(service) || mesh.mtls_of(service).value != Mtls::Strict;
        world = World {
            anonymous: world.anonymous || unknown,
            ..at_caller(mesh, service)
        };
    }
    world
}

/// The rules of hosts that both meshes have. Of others the arms are compared.
pub(super) fn hosts(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    for pair in gateways(old.mesh, new.mesh) {
        for scope in pair.scopes() {
            let both = pair.old_block(&scope).zip(pair.new_block(&scope));
            let Some(((_, before), (gateway, after))) = both else {
                continue;
            };
            let world = World {
                tokens: ids.token_names.clone(),
                keys: ids.key_names.clone(),
                ..at_gateway(new.mesh, gateway, after, true)
            };
            compare(
                &Ruling::of_host(old, before.authz.as_ref(), Some(ids)),
                &Ruling::of_host(new, after.authz.as_ref(), None),
                &pair.subject(&scope),
                (world, Some(&scope.region(after.span))),
                diff,
            );
        }
    }
}

fn compare(
    old: &Ruling,
    new: &Ruling,
    subject: &str,
    (world, region): (World, Option<&Condition>),
    diff: &mut Diff,
) {
    let differ = |before: EndOf, after: EndOf| old.lets_in(before) != new.lets_in(after);
    let question = Comparison {
        old: &old.asks,
        new: &new.asks,
        world,
        region,
        likely: None,
        differ: &differ,
    };
    let (found, undecided) = match pairs(question) {
        Ok(found) => found,
        Err(reason) => {
            diff.undecided.push(format!("{subject}: {reason}"));
            return;
        }
    };
    if let Some(reason) = undecided {
        diff.undecided.push(format!("{subject}: {reason}"));
    }
    for pair in found {
        let lets_in = new.lets_in(pair.new);
        let word = |lets_in: bool| if lets_in { "let in" } else { "refused" };
        let said = |ruling: &Ruling, end: EndOf, lets_in: bool| match end {
            None if ruling.absent => "not there".to_owned(),
            end => format!("{} by {}", word(lets_in), ruling.told(end)),
        };
        let (was, is) = (said(old, pair.old, !lets_in), said(new, pair.new, lets_in));
        let what = format!("{was}, now {is}");
        diff.add(Change {
            kind: if lets_in {
                Kind::Widened
            } else {
                Kind::Narrowed
            },
            subjects: vec![subject.to_owned()],
            what,
            old: old.place(pair.old),
            new: new.place(pair.new),
            example: Some(Example {
                request: pair.request.to_string(),
                curl: None,
                was: Some(word(!lets_in).to_owned()),
                is: Some(word(lets_in).to_owned()),
            }),
            reload: Reload::Hitless,
        });
    }
}
