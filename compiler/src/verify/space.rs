//! What several tables ask, refined together, and questions about all requests.
//!
//! A [`Space`] is built once from all tables and conditions that questions will be about: what any of them asks
//! of a field becomes a facet, and the path patterns of all make one automaton. Two requests that fall into the
//! same classes cannot be told apart by any of the tables. A request set is then formulas over the facets, and
//! never built: a [`Question`] says which formulas hold, which fail, and at which arms the request ends, and
//! [`Space::ask`] finds a request or says that there is none.
//!
//! Paths are looked at class by class, since which patterns take a path is the same for all of a class. Of each
//! table the arms that may take a path of a class are known (narrow arms from the class itself, wide arms from
//! the few patterns that they ask); classes on which the question comes out the same are looked at together.

use super::budget::Budget;
use super::field::{Cell, Fields};
use super::lists::Arms;
use super::segments::Segments;
use super::solve::{Answer, Solver};
use super::world::World;
use super::{Reason, Verdict};
use crate::model::condition::Condition;
use crate::plan::formula::{Asked, ClassifierPlan, Formula, FormulaId, Formulas, Lowering};
use crate::plan::path::{self, Direction, PathTooComplex, Pattern};
use crate::plan::table::{Match, TableError};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A table of a [`Space`], in the order in which they were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId(pub usize);

/// Where a request ends in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The table.
    pub table: TableId,
    /// The arm that takes it, the first whose match holds; none if no arm's does.
    pub arm: Option<u32>,
}

/// What is asked of a request. All of it is to be so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'q> {
    /// Where it ends in some of the tables.
    pub ends: &'q [End],
    /// What holds of it.
    pub holds: &'q [FormulaId],
    /// What does not.
    pub fails: &'q [FormulaId],
}

/// Everything that is asked by some tables and conditions.
pub struct Space {
    lowering: Lowering,
    fields: Fields,
    tables: Vec<Arms>,
    conditions: Vec<FormulaId>,
    /// For each path pattern the classes whose paths it takes, if they have any.
    classes_of: Vec<Vec<u32>>,
    /// All classes that have paths.
    classes: Vec<u32>,
}

impl Space {
    /// Refines what `tables` and `conditions` ask, of requests as they are in `world`.
    pub fn new(
        world: World,
        tables: &[&[Match<'_>]],
        conditions: &[&Condition],
    ) -> Result<Self, TableError> {
        let mut asked = Asked::default();
        for arm in tables.iter().copied().flatten() {
            if !arm.methods.is_empty() {
                asked.methods(arm.methods.iter().map(String::as_str));
            }
            arm.paths.iter().for_each(|pattern| asked.path(pattern));
            if let Some(condition) = arm.condition {
                asked.condition(condition);
            }
        }
        for condition in conditions {
            asked.condition(condition);
        }
        let walk = |patterns: &[Pattern], direction| {
            let built = path::build(patterns, direction).map_err(|error| {
                let (PathTooComplex::Partials { pattern } | PathTooComplex::States { pattern }) =
                    error;
                let text = patterns.get(pattern);
                let text = text.map(|pattern| path::show(pattern, direction));
                TableError::Path(error, text.unwrap_or_default())
            })?;
            Ok(Segments::new(built, direction, world.encoded_slash))
        };
        let segments = walk(&asked.patterns, Direction::Forward)?;
        let (facets, mut lowering) = asked.complete().map_err(TableError::Regex)?;
        let tails = facets.iter().find_map(|facet| match &facet.classifier {
            ClassifierPlan::Tail(tails) => Some(tails),
            _ => None,
        });
        let tails = tails
            .map(|tails| walk(tails, Direction::Backward))
            .transpose()?;
        if let Some(tails) = &tails {
            lowering.tail_classes.clone_from(&tails.accepts);
        }

        let mut classes_of = Vec::new();
        let mut classes = Vec::new();
        for (class, accepts) in (0u32..).zip(&segments.accepts) {
            if !segments.exists(class) {
                continue;
            }
            classes.push(class);
            for &pattern in accepts {
                let pattern = pattern as usize;
                classes_of.resize(classes_of.len().max(pattern + 1), Vec::new());
                classes_of[pattern].push(class);
            }
        }
        let conditions = conditions
            .iter()
            .map(|condition| lowering.condition(condition))
            .collect();
        let tables = tables
            .iter()
            .map(|arms| Arms::new(arms, &segments, &classes_of, &mut lowering))
            .collect();
        Ok(Self {
            lowering,
            fields: Fields::new(world, facets, segments, tails),
            tables,
            conditions,
            classes_of,
            classes,
        })
    }

    /// The formula of one of the conditions, by its place among those that were given.
    pub fn condition(&self, index: usize) -> FormulaId {
        self.conditions[index]
    }

    /// The formula of an arm's whole match.
    pub fn arm(&self, table: TableId, arm: u32) -> FormulaId {
        self.tables[table.0].formulas[arm as usize]
    }

    /// The formula of the paths that an arm names; always true if it names none.
    pub fn arm_paths(&self, table: TableId, arm: u32) -> FormulaId {
        self.tables[table.0].paths[arm as usize]
    }

    /// How many arms a table has.
    pub fn arm_count(&self, table: TableId) -> u32 {
        self.tables[table.0].formulas.len() as u32
    }

    /// The formula of a condition that a table asks, or of a part of one.
    pub(super) fn lower(&mut self, condition: &Condition) -> FormulaId {
        self.lowering.condition(condition)
    }

    /// The formula of "one of these arms fits", whichever takes the request.
    pub(super) fn one_of(&mut self, table: TableId, arms: impl Iterator<Item = u32>) -> FormulaId {
        let formulas = &self.tables[table.0].formulas;
        let arms: Vec<FormulaId> = arms.map(|arm| formulas[arm as usize]).collect();
        self.lowering.formulas.or(arms)
    }

    /// The formula of the methods that an arm names; always true if it names none.
    pub(super) fn methods(&mut self, methods: &[String]) -> FormulaId {
        if methods.is_empty() {
            return Formulas::TRUE;
        }
        self.lowering.methods(methods.iter().map(String::as_str))
    }

    /// The classes whose paths a pattern takes.
    fn classes_of(&self, pattern: u32) -> &[u32] {
        self.classes_of
            .get(pattern as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The arms that may take paths that one takes, itself among them.
    pub(super) fn sharing(&self, table: TableId, arm: u32) -> BTreeSet<u32> {
        let arms = &self.tables[table.0];
        let classes: Vec<u32> = match arms.narrow_by(arm) {
            Some(patterns) => {
                let classes = patterns
                    .iter()
                    .flat_map(|&pattern| self.classes_of(pattern));
                classes.copied().collect()
            }
            None => self.classes.clone(),
        };
        let mut sharing = BTreeSet::new();
        // Of wide arms many classes have the same list.
        let mut keys = BTreeSet::new();
        for class in classes {
            if arms.takes(class, arm) {
                let new_key = keys.insert(arms.key(class));
                sharing.extend(arms.numbers(class, new_key));
            }
        }
        sharing
    }

    /// The pairs of ends of two tables that some paths may have, of those that `differ`.
    pub(super) fn pairs(
        &self,
        first: TableId,
        second: TableId,
        differ: &dyn Fn(Option<u32>, Option<u32>) -> bool,
    ) -> BTreeSet<(Option<u32>, Option<u32>)> {
        let mut pairs = BTreeSet::new();
        // Many classes have the same ends: arms that are told apart by paths elsewhere.
        let mut seen = BTreeSet::new();
        for &class in &self.classes {
            let ends = (self.ends(first, class), self.ends(second, class));
            if seen.contains(&ends) {
                continue;
            }
            for &old in &ends.0 {
                let of = ends.1.iter().filter(|new| differ(old, **new));
                pairs.extend(of.map(|new| (old, *new)));
            }
            seen.insert(ends);
        }
        pairs
    }

    /// Where paths of a class may end in a table.
    fn ends(&self, table: TableId, class: u32) -> Vec<Option<u32>> {
        let arms = &self.tables[table.0];
        let all = arms.numbers(class, true).map(Some).chain([None]);
        all.filter(|end| arms.before(class, *end).is_some())
            .collect()
    }

    /// Looks for a request.
    pub fn ask(&mut self, question: Question<'_>, budget: &mut Budget) -> Verdict {
        budget.begin();
        let asked = self.patterns(question);
        let mut free = Groups::default();
        let mut key = Vec::new();
        // Classes with narrow arms before an end, by how many there are.
        let mut held: Vec<(usize, u32)> = Vec::new();
        for class in self.candidates(question) {
            let mut narrow = 0;
            let open = question.ends.iter().all(|end| {
                let before = self.tables[end.table.0].before(class, end.arm);
                narrow += before.map_or(0, |before| before.narrow.len());
                before.is_some()
            });
            match narrow {
                _ if !open => {}
                0 => {
                    self.key(question, &asked, class, &mut key);
                    free.add(&key, class);
                }
                narrow => held.push((narrow, class)),
            }
        }
        let mut reason = None;
        for classes in free.classes {
            match self.solve(question, classes, true, budget) {
                Verdict::No => {}
                Verdict::NotDecided(why) => reason = Some(why),
                found @ Verdict::Yes(_) => return found,
            }
        }
        if held.len() > FEW {
            self.drop_hopeless(question, &asked, &mut held, budget);
        }
        held.sort_unstable();
        for (_, class) in held {
            match self.solve(question, vec![class], true, budget) {
                Verdict::No => {}
                Verdict::NotDecided(why) => reason = Some(why),
                found @ Verdict::Yes(_) => return found,
            }
        }
        reason.map_or(Verdict::No, Verdict::NotDecided)
    }

    /// Drops the classes on which the answer is no even without their narrow arms.
    fn drop_hopeless(
        &mut self,
        question: Question<'_>,
        asked: &[u32],
        held: &mut Vec<(usize, u32)>,
        budget: &mut Budget,
    ) {
        let mut groups = Groups::default();
        let mut key = Vec::new();
        for &(_, class) in held.iter() {
            self.key(question, asked, class, &mut key);
            groups.add(&key, class);
        }
        for classes in groups.classes {
            if let Verdict::No = self.solve(question, classes.clone(), false, budget) {
                held.retain(|(_, class)| classes.binary_search(class).is_err());
            }
        }
    }

    /// Whether on some paths that an arm may take an arm behind it does the `same`, so that some of its requests may
    /// not miss it.
    pub(super) fn is_followed(
        &self,
        end: (TableId, u32),
        same: &dyn Fn(Option<u32>) -> bool,
    ) -> bool {
        let (table, arm) = end;
        let ends = [End {
            table,
            arm: Some(arm),
        }];
        let own = Question {
            ends: &ends,
            ..Question::default()
        };
        let arms = &self.tables[table.0];
        // Of wide arms many classes have the same list.
        let mut keys = HashSet::new();
        same(None)
            || self.candidates(own).into_iter().any(|class| {
                let with_wide = !keys.contains(&arms.key(class));
                if arms.before(class, Some(arm)).is_none() {
                    return false;
                }
                keys.insert(arms.key(class));
                let mut numbers = arms.numbers(class, with_wide);
                numbers.any(|next| next > arm && same(Some(next)))
            })
    }

    /// Looks for a request that ends with an arm and that would meet something else without it: no arm, or one
    /// that does not do the `same`.
    pub(super) fn differs_without(
        &mut self,
        end: (TableId, u32),
        region: &[FormulaId],
        same: &dyn Fn(Option<u32>) -> bool,
        budget: &mut Budget,
    ) -> Verdict {
        budget.begin();
        let (table, arm) = end;
        let mut reason = None;
        let ends = [End {
            table,
            arm: Some(arm),
        }];
        let own = Question {
            ends: &ends,
            holds: region,
            fails: &[],
        };
        for class in self.candidates(own) {
            let arms = &self.tables[table.0];
            if arms.before(class, Some(arm)).is_none() {
                continue;
            }
            // The arms behind, each with whether it does the same, up to one that takes all that is left.
            let behind: Vec<(FormulaId, bool)> = arms
                .behind(class, arm)
                .into_iter()
                .map(|(next, left)| (left, same(Some(next))))
                .chain([(Formulas::TRUE, same(None))])
                .collect();
            if !budget.spend(1 + behind.len() as u64 / STEP) {
                return Verdict::NotDecided(Reason::Cases);
            }
            let mut passed = Vec::new();
            for (left, does_same) in behind {
                if !does_same {
                    let more = (left, passed.as_slice());
                    match self.solve_with(own, vec![class], true, Some(more), budget) {
                        Verdict::No => {}
                        Verdict::NotDecided(why) => reason = Some(why),
                        found @ Verdict::Yes(_) => return found,
                    }
                }
                if left == Formulas::TRUE {
                    break;
                }
                passed.push(left);
            }
        }
        reason.map_or(Verdict::No, Verdict::NotDecided)
    }

    /// The path patterns that a question asks by itself, in ascending order.
    fn patterns(&self, question: Question<'_>) -> Vec<u32> {
        let formulas = question.holds.iter().chain(question.fails);
        let patterns: BTreeSet<u32> = formulas
            .flat_map(|&formula| self.lowering.formulas.patterns(formula))
            .collect();
        patterns.into_iter().collect()
    }

    /// What tells classes apart for a question, narrow arms aside: the lists of wide arms, what is left to ask of
    /// the arms at the ends, and which of the patterns that are asked take the path.
    fn key(&self, question: Question<'_>, asked: &[u32], class: u32, key: &mut Vec<u32>) {
        key.clear();
        for end in question.ends {
            let table = &self.tables[end.table.0];
            key.push(table.key(class));
            let before = table.before(class, end.arm);
            let left = before.and_then(|before| before.end);
            key.push(left.map_or(0, FormulaId::number));
        }
        if !asked.is_empty() {
            let accepts = self.fields.segments.accepts[class as usize].iter();
            key.extend(accepts.filter(|pattern| asked.binary_search(pattern).is_ok()));
        }
    }

    /// Classes outside of which the answer is no, in ascending order.
    fn candidates(&self, question: Question<'_>) -> Vec<u32> {
        let ends = question.ends.iter().filter_map(|end| {
            let patterns = self.tables[end.table.0].narrow_by(end.arm?)?;
            Some(patterns.to_vec())
        });
        let holds = question.holds.iter();
        let holds = holds.filter_map(|&formula| self.needs_one_of(formula));
        let of = |patterns: Vec<u32>| {
            let classes = patterns
                .into_iter()
                .flat_map(|pattern| self.classes_of(pattern));
            let mut classes: Vec<u32> = classes.copied().collect();
            classes.sort_unstable();
            classes.dedup();
            classes
        };
        let all = ends.chain(holds).map(of);
        all.min_by_key(Vec::len)
            .unwrap_or_else(|| self.classes.clone())
    }

    /// Patterns of which one must take the path for a formula to hold, where that is plain to see.
    fn needs_one_of(&self, formula: FormulaId) -> Option<Vec<u32>> {
        let formulas = &self.lowering.formulas;
        match formulas.get(formula) {
            Formula::Path(pattern) => Some(vec![*pattern]),
            Formula::Or(parts) => {
                let parts = parts.iter().map(|&part| self.needs_one_of(part));
                let parts: Vec<Vec<u32>> = parts.collect::<Option<_>>()?;
                Some(parts.concat())
            }
            Formula::And(parts) => parts.iter().find_map(|&part| self.needs_one_of(part)),
            _ => None,
        }
    }

    /// Looks for a request with a path of these classes, on all of which the question is the same.
    fn solve(
        &mut self,
        question: Question<'_>,
        classes: Vec<u32>,
        with_narrow: bool,
        budget: &mut Budget,
    ) -> Verdict {
        self.solve_with(question, classes, with_narrow, None, budget)
    }

    /// The same, where one more formula is to hold and some more are to fail. They ask no path pattern.
    fn solve_with(
        &mut self,
        question: Question<'_>,
        classes: Vec<u32>,
        with_narrow: bool,
        more: Option<(FormulaId, &[FormulaId])>,
        budget: &mut Budget,
    ) -> Verdict {
        let Some(&class) = classes.first() else {
            return Verdict::No;
        };
        let formulas = &mut self.lowering.formulas;
        let accepts = &self.fields.segments.accepts[class as usize];
        let mut holds = Vec::new();
        let mut fails = Vec::new();
        for end in question.ends {
            let Some(before) = self.tables[end.table.0].before(class, end.arm) else {
                return Verdict::No;
            };
            holds.extend(before.end);
            fails.extend(before.wide.iter().map(|(_, left)| *left));
            if with_narrow {
                fails.extend(before.narrow.iter().map(|(_, left)| *left));
            }
        }
        holds.extend(
            question
                .holds
                .iter()
                .map(|&it| formulas.on_path(it, accepts)),
        );
        fails.extend(
            question
                .fails
                .iter()
                .map(|&it| formulas.on_path(it, accepts)),
        );
        if let Some((hold, fail)) = more {
            holds.push(hold);
            fails.extend(fail);
        }
        let cell = Cell { classes };
        let solver = Solver::new(&mut self.fields, formulas, &cell, budget);
        match solver.solve(&holds, &fails) {
            Answer::Yes(values) => match self.fields.request(&values, &cell) {
                Some(request) => Verdict::Yes(Box::new(request)),
                None => Verdict::NotDecided(Reason::NoRequest),
            },
            Answer::No => Verdict::No,
            Answer::NotDecided(reason) => Verdict::NotDecided(reason),
        }
    }
}

/// Arms that are looked through in one step of the budget.
const STEP: u64 = 64;
/// So many classes are looked at one by one.
const FEW: usize = 8;

/// Classes by what tells them apart, in the order in which they come up.
#[derive(Default)]
struct Groups {
    numbers: HashMap<Vec<u32>, usize>,
    classes: Vec<Vec<u32>>,
    /// The last key and its number: many classes in a row have the same.
    last: Option<(Vec<u32>, usize)>,
}

impl Groups {
    fn add(&mut self, key: &[u32], class: u32) {
        if let Some((last, number)) = &self.last
            && last == key
        {
            self.classes[*number].push(class);
            return;
        }
        let next = self.classes.len();
        let number = self.numbers.get(key).copied().unwrap_or(next);
        if number == next {
            self.numbers.insert(key.to_vec(), next);
            self.classes.push(Vec::new());
        }
        self.last = Some((key.to_vec(), number));
        self.classes[number].push(class);
    }
}
