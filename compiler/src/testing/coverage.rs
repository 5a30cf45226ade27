//! What tests touch: of arms, rules and shares, and of each which none does.

use super::Trial;
use crate::spell::percent;
use crate::way;
use mesh_bundle::Bundle;
use mesh_bundle::decide::Verdict;
use mesh_bundle::format::{Action, Arm, Id, Location, Rule, Table};
use mesh_bundle::journey::{Branch, End, Refusal, Step};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A kind of what can be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An arm of a host or of a route.
    Arm,
    /// A rule of an `authz`.
    Rule,
    /// A share of a split.
    Share,
}

/// Something that a test can touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// `file:line`.
    pub place: String,
    /// As it is written, in short.
    pub text: String,
    /// Whether a test touches it.
    pub touched: bool,
}

/// What can be touched of a mesh, and what was.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// All parts, kind by kind, in the order of the bundle.
    pub parts: Vec<Part>,
}

/// Where something is written, as a key: one arm of the source may be several of the bundle.
type Key = (u32, u32, String);

fn key(bundle: &Bundle, location: Location, name: &str) -> Option<Key> {
    bundle.place(location)?; // what the edition says is nobody's to test
    Some((
        location.file.index() as u32,
        location.line.get(),
        name.to_owned(),
    ))
}

impl Coverage {
    /// What trials touch.
    pub fn of(trials: &[Trial<'_>], bundle: &Bundle) -> Self {
        let mut touched = Touched::default();
        let asked = trials.iter().flat_map(|trial| &trial.asked);
        let journeys = asked.filter_map(|asked| asked.answer.as_ref());
        for (_, _, journey) in journeys {
            for branch in &journey.branches {
                touched.add(branch);
            }
        }
        let mut all = Gathered::default();
        let tables = bundle.host_blocks().iter().map(|block| block.table);
        let routes = bundle.services().iter().filter_map(|it| it.route.some());
        for table in tables.chain(routes) {
            all.arms(bundle, table, &touched);
        }
        for authz in bundle.authzs() {
            if let Some(table) = authz.rules.some() {
                all.rules(bundle, table, &touched);
            }
        }
        let mut parts: Vec<Part> = all.parts.into_values().collect();
        parts.sort_by_key(|part| part.kind);
        Self { parts }
    }

    /// How many of a kind there are, and how many of them are touched.
    pub fn count(&self, kind: Kind) -> (usize, usize) {
        let of_kind = self.parts.iter().filter(|part| part.kind == kind);
        let touched = of_kind.clone().filter(|part| part.touched).count();
        (of_kind.count(), touched)
    }

    /// What no test touches.
    pub fn missed(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.touched)
    }
}

/// What branches touch.
#[derive(Debug, Default)]
struct Touched {
    arms: BTreeSet<Id<Arm>>,
    rules: BTreeSet<Id<Rule>>,
    shares: BTreeSet<usize>,
}

impl Touched {
    fn add(&mut self, branch: &Branch) {
        for step in &branch.steps {
            match step {
                Step::Arm(_, arm) => {
                    self.arms.insert(*arm);
                }
                Step::Allowed(_, rule) => {
                    self.rules.insert(*rule);
                }
                Step::Drew(shares, drawn) => {
                    self.shares.insert(shares.start() + drawn);
                }
                Step::Host(_) | Step::Announced(_) | Step::Held(_) | Step::Forwarded(_) => {}
            }
        }
        if let End::Refused(Refusal::Forbidden(_, Verdict::Rule(rule))) = &branch.end {
            self.rules.insert(*rule);
        }
    }
}

/// Parts, those of one place and text put together.
#[derive(Debug, Default)]
struct Gathered {
    parts: BTreeMap<(Kind, Key), Part>,
}

impl Gathered {
    fn add(
        &mut self,
        bundle: &Bundle,
        kind: Kind,
        location: Location,
        text: String,
        touched: bool,
    ) {
        let Some(key) = key(bundle, location, &text) else {
            return;
        };
        let part = self.parts.entry((kind, key)).or_insert_with(|| Part {
            kind,
            place: bundle.place(location).unwrap_or_default(),
            text,
            touched: false,
        });
        part.touched |= touched;
    }

    fn arms(&mut self, bundle: &Bundle, table: Id<Table>, touched: &Touched) {
        for id in bundle.table(table).arms.ids() {
            let arm = bundle.arm(id);
            let text = way::describe(bundle, arm);
            self.add(
                bundle,
                Kind::Arm,
                arm.location,
                text,
                touched.arms.contains(&id),
            );
            let Action::Split(shares) = arm.action() else {
                continue;
            };
            for index in shares.range() {
                let (part, to) = way::share(bundle, shares, index - shares.start());
                let text = format!("{} {to}", percent(part));
                let is = touched.shares.contains(&index);
                self.add(bundle, Kind::Share, arm.location, text, is);
            }
        }
    }

    fn rules(&mut self, bundle: &Bundle, table: Id<Table>, touched: &Touched) {
        for id in bundle.table(table).rules.ids() {
            let rule = bundle.rule(id);
            let text = bundle.str(rule.name).to_owned();
            self.add(
                bundle,
                Kind::Rule,
                rule.location,
                text,
                touched.rules.contains(&id),
            );
        }
    }
}
