//! Two tables in one space: which pairs of their ends some request has.

use crate::model::condition::Condition;
use crate::plan::formula::FormulaId;
use crate::plan::table::Match;
use crate::verify::assert::names;
use crate::verify::decider::{Decider, lone_table};
use crate::verify::space::{End, Question, Space, TableId};
use crate::verify::{Budget, Reason, Request, Verdict, World};
use mesh_bundle::format::Id;
use mesh_lang::source::Span;
use mesh_lang::value::PathPattern;

/// What an arm or rule asks, owned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asks {
    pub(super) methods: Vec<String>,
    pub(super) paths: Vec<PathPattern>,
    pub(super) condition: Option<Condition>,
}

impl Asks {
    /// What is asked, as conditions that hold together.
    pub(super) fn parts(&self, span: Span) -> Vec<Condition> {
        let mut parts = names(&self.methods, &self.paths, span);
        parts.extend(self.condition.clone());
        parts
    }

    /// "This is the first of them that fits", or "none fits".
    pub(super) fn decided_by(all: &[Self], end: Place, span: Span) -> Condition {
        let fits = |asks: &Self| Condition::And(asks.parts(span));
        let before = end.map_or(all.len(), |at| at as usize);
        let earlier = all[..before].iter().map(fits).collect();
        let none_before = Condition::Not(Box::new(Condition::Or(earlier)));
        let own = end.map(|at| fits(&all[at as usize]));
        Condition::And([none_before].into_iter().chain(own).collect())
    }

    fn all(asks: &[Self]) -> Vec<Match<'_>> {
        asks.iter()
            .map(|asks| Match {
                methods: &asks.methods,
                paths: &asks.paths,
                condition: asks.condition.as_ref(),
            })
            .collect()
    }
}

/// Where a request ends in a table: an arm, or none.
pub(super) type Place = Option<u32>;

/// A pair of ends that do not do the same.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) old: Place,
    pub(super) new: Place,
    /// A request that has both.
    pub(super) request: Request,
    /// Whether it is proved that none of them is as the comparison would have examples.
    pub(super) is_unlikely: bool,
}

/// Which tables are compared, and how.
pub(super) struct Comparison<'d> {
    pub(super) old: &'d [Asks],
    pub(super) new: &'d [Asks],
    pub(super) world: World,
    /// What holds of all requests that meet them.
    pub(super) region: Option<&'d Condition>,
    /// What holds of those that make better examples, the best first.
    pub(super) likely: &'d [Condition],
    /// Whether two ends do not do the same.
    pub(super) differ: &'d dyn Fn(Place, Place) -> bool,
}

/// The pairs of ends that differ and that some request of the region has; and why some were not decided.
pub(super) fn pairs(tables: Comparison<'_>) -> Result<(Vec<Pair>, Option<Reason>), String> {
    let (old, new) = (Asks::all(tables.old), Asks::all(tables.new));
    let conditions: Vec<&Condition> = tables.region.into_iter().chain(tables.likely).collect();
    let space = Space::new(tables.world, &[&old, &new], &conditions);
    let mut space =
        space.map_err(|_| "its patterns are too entangled to be compared".to_owned())?;
    let formulas = (0..conditions.len()).map(|it| space.condition(it));
    let mut formulas: Vec<_> = formulas.collect();
    let likely = formulas.split_off(usize::from(tables.region.is_some()));
    let region = formulas;
    let alone = |matches: &[Match<'_>]| lone_table(matches).map_err(|error| error.to_string());
    let (old_bundle, new_bundle) = (alone(&old)?, alone(&new)?);
    let decider =
        |bundle, count: usize| Decider::new(bundle, Id::new(0), (0..count as u32).collect());
    let (before, after) = (
        decider(&old_bundle, old.len()),
        decider(&new_bundle, new.len()),
    );
    let (first, second) = (TableId(0), TableId(1));
    let mut budget = Budget::USUAL;
    let mut found = Vec::new();
    let mut undecided = None;
    for (old, new) in space.pairs(first, second, tables.differ) {
        let end = |table, arm| End { table, arm };
        let ends = [end(first, old), end(second, new)];
        let mut ask = |holds: &[FormulaId]| {
            let question = Question {
                ends: &ends,
                holds,
                fails: &[],
            };
            space.ask(question, &mut budget)
        };
        // A good example, or any.
        let (mut good, mut is_unlikely) = (None, !likely.is_empty());
        for &likely in &likely {
            let verdict = ask(&[&region[..], &[likely]].concat());
            is_unlikely &= verdict == Verdict::No;
            if let found @ Verdict::Yes(_) = verdict {
                good = Some(found);
                break;
            }
        }
        let verdict = good.unwrap_or_else(|| ask(&region));
        match verdict {
            // Nothing is told that the code that decides does not confirm.
            Verdict::Yes(request)
                if before.decide(&request) == old && after.decide(&request) == new =>
            {
                found.push(Pair {
                    old,
                    new,
                    request: *request,
                    is_unlikely,
                });
            }
            Verdict::Yes(_) => undecided = Some(Reason::Disagreement),
            Verdict::NotDecided(reason) => undecided = Some(reason),
            Verdict::No => {}
        }
    }
    Ok((found, undecided))
}
