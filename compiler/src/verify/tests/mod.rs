//! Proofs against trying everything, against the reference interpreter, and against the code that decides.

#![allow(clippy::unwrap_used)]
#![allow(clippy::redundant_closure_for_method_calls)] // a method of a type with a lifetime is less general

mod assertions;
mod examples;
mod exhaustive;
mod large;
mod lints;
mod meshes;
mod readers;
mod resilience;
mod several;

use super::decider::{Decider, lone_table};
use super::*;
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::plan::table::Match;
use crate::reference::first_match;
use mesh_bundle::format::{Bundle, Id};
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::PathPattern;

/// What an arm asks.
#[derive(Clone, Debug, Default)]
struct Asks {
    methods: Vec<String>,
    paths: Vec<PathPattern>,
    condition: Option<Condition>,
}

impl Asks {
    fn matches(arms: &[Self]) -> Vec<Match<'_>> {
        arms.iter()
            .map(|arm| Match {
                methods: &arm.methods,
                paths: &arm.paths,
                condition: arm.condition.as_ref(),
            })
            .collect()
    }

    fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }
}

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).expect("a pattern")
}

/// `GET, POST /a, /b/**`.
fn arm(text: &str) -> Asks {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let (paths, methods): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with('/'));
    Asks {
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
        paths: paths.iter().map(|text| pattern(text)).collect(),
        condition: None,
    }
}

fn test(field: Field, predicate: Predicate) -> Condition {
    Condition::Test(Test {
        field,
        predicate,
        span: Span::new(FileId(0), 0, 0),
    })
}

fn header(name: &str) -> Field {
    Field::Header(name.to_owned())
}

fn is(field: Field, values: &[&str]) -> Condition {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    test(field, Predicate::OneOf(values))
}

fn matches(field: Field, regex: &str) -> Condition {
    test(field, Predicate::Text(TextPattern::Regex(regex.into())))
}

fn contains(field: Field, text: &str) -> Condition {
    test(field, Predicate::Text(TextPattern::Contains(text.into())))
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn and(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    Condition::And(conditions.into_iter().collect())
}

/// A table with everything that a proof about it needs.
struct Subject {
    arms: Vec<Asks>,
    world: World,
    region: Option<Condition>,
    bundle: Bundle,
}

impl Subject {
    fn new(arms: Vec<Asks>) -> Self {
        Self {
            bundle: lone_table(&Asks::matches(&arms)).expect("a table"),
            arms,
            world: World::default(),
            region: None,
        }
    }

    fn in_world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Calls `with` with a proof about the table.
    fn prove<R>(&self, with: impl FnOnce(&mut Proof<'_>) -> R) -> R {
        self.prove_within(Budget::USUAL, with)
    }

    fn prove_within<R>(&self, mut budget: Budget, with: impl FnOnce(&mut Proof<'_>) -> R) -> R {
        let matches = Asks::matches(&self.arms);
        let region: Vec<&Condition> = self.region.iter().collect();
        let mut space = Space::new(self.world.clone(), &[&matches], &region).expect("a space");
        let region: Vec<_> = (0..region.len())
            .map(|index| space.condition(index))
            .collect();
        let decider = Decider::new(
            &self.bundle,
            Id::new(0),
            (0..self.arms.len() as u32).collect(),
        );
        with(&mut Proof {
            space: &mut space,
            table: TableId(0),
            region: &region,
            decide: &|request| decider.decide(request),
            budget: &mut budget,
        })
    }

    fn reach(&self) -> Vec<Reach> {
        self.prove(|proof| proof.arms())
    }

    /// The arm that takes a request, by the reference interpreter, which reads text only.
    fn interpreted(&self, request: &Request) -> Result<Option<u32>, &'static str> {
        let matches = Asks::matches(&self.arms);
        request
            .with_plain(|plain| first_match(&matches, plain).map(|arm| arm as u32))
            .ok_or("it is no text")
    }

    /// Whether the interpreter finds that an arm's own match holds of a request.
    fn fits(&self, arm: u32, request: &Request) -> bool {
        let own = Asks::matches(std::slice::from_ref(&self.arms[arm as usize]));
        request.with_plain(|plain| first_match(&own, plain).is_some()) == Some(true)
    }
}

/// The arms that are not reached, each with those that cover it.
fn dead(reach: &[Reach]) -> Vec<(usize, Vec<u32>)> {
    let covers = |reach: &Reach| match reach {
        Reach::Reached(_) => None,
        Reach::Unreachable(covered) => Some(covered.by.iter().map(|cover| cover.arm).collect()),
        Reach::Impossible => Some(Vec::new()),
        Reach::NotDecided(reason) => panic!("not decided: {reason}"),
    };
    let dead = reach.iter().enumerate();
    dead.filter_map(|(arm, reach)| Some((arm, covers(reach)?)))
        .collect()
}

/// The request that reaches an arm, as text.
fn witness(reach: &Reach) -> String {
    match reach {
        Reach::Reached(request) => request.to_string(),
        other => panic!("{other:?}"),
    }
}
