//! Rules of two meshes: what they say of which requests, and which pairs of them do not say the same.

use super::ends::{Asks, Comparison, Pair, Place as EndOf, pairs};
use super::renumber::Ids;
use super::{Diff, Side};
use crate::model::Service;
use crate::model::authz::{Authz, Rule, in_order};
use crate::model::condition::Condition;
use crate::plan::{match_of, rule_methods};
use crate::verify::{Request, World};
use mesh_lang::source::Span;
use std::collections::BTreeSet;

/// What decides who gets in: rules in order, and what holds where none matches.
pub(super) struct Ruling {
    asks: Vec<Asks>,
    allows: Vec<bool>,
    texts: Vec<String>,
    places: Vec<String>,
    otherwise: bool,
    /// Whether there is nothing to get into.
    pub(super) absent: bool,
}

impl Ruling {
    /// Of a service that is not there.
    pub(super) fn absent(side: Side<'_>) -> Self {
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
    pub(super) fn of_service(side: Side<'_>, service: &Service, ids: Option<&Ids>) -> Self {
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
    pub(super) fn of_host(side: Side<'_>, authz: Option<&Authz>, ids: Option<&Ids>) -> Self {
        match authz.and_then(|authz| authz.rules.as_ref()) {
            Some(own) => Self::of(side, in_order(&[], own), false, ids),
            None => Self::of(side, [].into_iter(), true, ids),
        }
    }

    fn lets_in(&self, end: EndOf) -> bool {
        end.map_or(self.otherwise, |rule| self.allows[rule as usize])
    }

    pub(super) fn told(&self, end: EndOf) -> String {
        match end {
            Some(rule) => format!("`{}`", self.texts[rule as usize]),
            None if self.otherwise => "no rule".to_owned(),
            None => "no rule that allows".to_owned(),
        }
    }

    pub(super) fn place(&self, end: EndOf) -> Vec<String> {
        end.map(|rule| self.places[rule as usize].clone())
            .into_iter()
            .collect()
    }
}

/// A pair of rules of which not every request that it decides gets anywhere.
pub(super) struct Case {
    pub(super) pair: Pair,
    pub(super) condition: Condition,
}

/// The rules of both sides, and whose they are.
pub(super) struct Ruled<'r> {
    pub(super) refusing: &'r Ruling,
    pub(super) admitting: &'r Ruling,
    pub(super) subject: &'r str,
}

impl Ruled<'_> {
    /// The pairs of rules of which the one refuses and the other lets in, but for those that are told.
    pub(super) fn pairs(
        &self,
        world: &World,
        region: &Condition,
        told: &BTreeSet<(EndOf, EndOf)>,
        diff: &mut Diff,
    ) -> Vec<Pair> {
        let differ = |before: EndOf, after: EndOf| {
            !self.refusing.lets_in(before)
                && self.admitting.lets_in(after)
                && !told.contains(&(before, after))
        };
        let found = pairs(Comparison {
            old: &self.refusing.asks,
            new: &self.admitting.asks,
            world: world.clone(),
            region: Some(region),
            likely: &[],
            differ: &differ,
        });
        let (found, undecided) = match found {
            Ok((found, undecided)) => (found, undecided.map(|reason| reason.to_string())),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        if let Some(why) = undecided {
            self.not_decided(&why, diff);
        }
        found
    }

    /// Pairs that are to be looked at closer.
    pub(super) fn cases(&self, pairs: Vec<Pair>, span: Span) -> Vec<Case> {
        let with_condition = |pair: Pair| {
            let condition = Condition::And(vec![
                Asks::decided_by(&self.refusing.asks, pair.old, span),
                Asks::decided_by(&self.admitting.asks, pair.new, span),
            ]);
            Case { pair, condition }
        };
        pairs.into_iter().map(with_condition).collect()
    }

    /// Tells what is not known, and gives back the rest.
    pub(super) fn settle(
        &self,
        found: Vec<(Pair, Result<Request, String>)>,
        diff: &mut Diff,
    ) -> Vec<(Pair, Request)> {
        let mut settled = Vec::new();
        for (pair, request) in found {
            match request {
                Ok(request) => settled.push((pair, request)),
                Err(why) => self.not_decided(&why, diff),
            }
        }
        settled
    }

    /// Says once that something is not known.
    fn not_decided(&self, why: &str, diff: &mut Diff) {
        let why = format!("{}: {why}", self.subject);
        if !diff.undecided.contains(&why) {
            diff.undecided.push(why);
        }
    }
}
