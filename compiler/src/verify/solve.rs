//! Whether some request makes formulas hold and others fail, by splitting cases.
//!
//! What is left of a facet is a set of its classes. What must hold narrows the sets down; a value is then chosen
//! for each field that was narrowed, and everything else is plain. Most often that request is the answer. Where
//! something that must fail holds of it, that narrows the sets down, too; where it can be mended in several
//! ways, each is a case with narrower sets. Fields are asked for a value in every case, so that one whose facets
//! contradict each other closes it at once.
//!
//! A case that has no value for a field is closed for good. One whose search was given up is not: then the
//! answer is "not decided", unless another case has a request.

use super::Reason;
use super::budget::Budget;
use super::classes::{self, Lies, has, lies};
use super::field::{Cell, Chosen, Effort, Fields, Taken};
use crate::plan::formula::{ClassSet, Formula, FormulaId, Formulas};
use std::cell::OnceCell;
use std::rc::Rc;

/// A formula, and whether it is to hold.
pub(super) type Due = (FormulaId, bool);

/// Values by group; where there is none, any will do.
pub(super) type Values = Vec<Option<Rc<Chosen>>>;

/// The answer to a question.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Yes(Values),
    No,
    NotDecided(Reason),
}

/// Whether a formula is as it is to be, on what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Open,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// What became of choosing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// There is one for each field.
    Made,
    /// Some field has none.
    Impossible,
    /// None was found.
    Unknown,
}

/// What is left in a case.
#[derive(Clone, Debug, Default)]
struct Case {
    /// The facets that were narrowed down.
    narrowed: Vec<u32>,
    /// What is left of them, by facet.
    left: Vec<Option<Rc<ClassSet>>>,
    /// The values that were chosen, by group.
    values: Vec<Option<Rc<Chosen>>>,
    /// What is to be made so.
    due: Vec<Due>,
    /// How often what must fail was found to hold.
    rounds: usize,
}

impl Case {
    /// What is left of a facet that was narrowed down.
    fn of(&self, facet: u32) -> Option<&ClassSet> {
        self.left.get(facet as usize)?.as_deref()
    }

    /// The value that was chosen for a group.
    fn value(&self, group: u32) -> Option<&Chosen> {
        self.values.get(group as usize)?.as_deref()
    }

    fn take(&mut self, group: u32, chosen: Rc<Chosen>) {
        let at = group as usize;
        self.values.resize(self.values.len().max(at + 1), None);
        self.values[at] = Some(chosen);
    }

    fn narrow(&mut self, facet: u32, left: ClassSet) {
        let at = facet as usize;
        self.left.resize(self.left.len().max(at + 1), None);
        if self.left[at].replace(Rc::new(left)).is_none() {
            self.narrowed.push(facet);
        }
    }

    /// Whether all that must fail is among what is to be made so.
    fn all_due(&self) -> bool {
        self.rounds == ALL_DUE
    }
}

/// Everything that does not change while cases are split.
pub(super) struct Solver<'s> {
    pub(super) fields: &'s mut Fields,
    pub(super) formulas: &'s Formulas,
    pub(super) cell: &'s Cell,
    pub(super) budget: &'s mut Budget,
    /// What must fail.
    fails: &'s [FormulaId],
    /// The path, where there is only one.
    only_path: Option<Rc<Chosen>>,
    path_group: u32,
    /// The path where none is asked.
    plain_path: OnceCell<Option<Rc<Chosen>>>,
    reason: Option<Reason>,
}

impl<'s> Solver<'s> {
    pub(super) fn new(
        fields: &'s mut Fields,
        formulas: &'s Formulas,
        cell: &'s Cell,
        budget: &'s mut Budget,
    ) -> Self {
        Self {
            only_path: fields.only_path(cell),
            path_group: fields.path_group(),
            plain_path: OnceCell::new(),
            fields,
            formulas,
            cell,
            budget,
            fails: &[],
            reason: None,
        }
    }

    /// A request on which `holds` hold and `fails` fail. No path pattern is asked by them any more.
    pub(super) fn solve(mut self, holds: &[FormulaId], fails: &'s [FormulaId]) -> Answer {
        self.fails = fails;
        let case = Case {
            due: holds.iter().map(|&formula| (formula, true)).collect(),
            ..Case::default()
        };
        match (self.split(case, 0), self.reason) {
            (Some(values), _) => Answer::Yes(values),
            (None, Some(reason)) => Answer::NotDecided(reason),
            (None, None) => Answer::No,
        }
    }

    /// Looks for a request in a case.
    fn split(&mut self, mut case: Case, depth: usize) -> Option<Values> {
        loop {
            let steps = 1 + (case.due.len() + self.fails.len()) as u64 / FORMULAS_A_STEP;
            if depth > MAX_DEPTH || !self.budget.spend(steps) {
                self.reason.get_or_insert(Reason::Cases);
                return None;
            }
            if !self.settle(&mut case) {
                return None;
            }
            match self.choose(&mut case, Effort::Guess) {
                Choice::Made => {}
                Choice::Impossible => return None,
                // A value is not searched for that what must fail does not leave.
                Choice::Unknown if !case.all_due() => {
                    self.make_due(&mut case);
                    continue;
                }
                Choice::Unknown => {
                    if self.choose(&mut case, Effort::Search) != Choice::Made {
                        return None;
                    }
                }
            }
            let wrong = case.due.iter().filter(|due| !self.is_so(&case, **due));
            let next = wrong.min_by_key(|due| self.ways(&case, **due).len());
            if case.all_due() {
                return match next {
                    Some(&next) => self.branch(&case, next, depth),
                    None => Some(case.values),
                };
            }
            // What must fail mostly does: it is looked at closely only where it does not.
            let holds = self.fails.iter().map(|&formula| (formula, false));
            let holds: Vec<Due> = holds.filter(|due| !self.is_so(&case, *due)).collect();
            if holds.is_empty() && next.is_none() {
                return Some(case.values);
            }
            if next.is_none() && case.rounds < ROUNDS {
                case.due.extend(holds);
                case.rounds += 1;
            } else {
                self.make_due(&mut case);
            }
        }
    }

    /// Looks at everything closely that must fail.
    fn make_due(&self, case: &mut Case) {
        case.due
            .extend(self.fails.iter().map(|&formula| (formula, false)));
        case.rounds = ALL_DUE;
    }

    /// Looks for a request in the cases of what is not as it must be.
    fn branch(&mut self, case: &Case, next: Due, depth: usize) -> Option<Values> {
        let ways = self.ways(case, next);
        for (index, &way) in ways.iter().enumerate() {
            let mut inner = case.clone();
            inner.due.retain(|due| *due != next);
            // The ways before this one were looked at: they need not be looked at again.
            let before = ways[..index].iter().map(|&(part, wanted)| (part, !wanted));
            inner.due.extend(before.chain([way]));
            let found = self.split(inner, depth + 1);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Narrows the sets down by all that must be so in one way only. False where something cannot be.
    fn settle(&mut self, case: &mut Case) -> bool {
        loop {
            let mut narrowed = false;
            let due = std::mem::take(&mut case.due);
            for due in due {
                if !self.simplify(case, due, &mut narrowed) {
                    return false;
                }
            }
            if !narrowed {
                return true;
            }
        }
    }

    fn simplify(&self, case: &mut Case, due: Due, narrowed: &mut bool) -> bool {
        match self.truth(case, due) {
            Truth::Yes => return true,
            Truth::No => return false,
            Truth::Open => {}
        }
        let (formula, wanted) = due;
        match (self.formulas.get(formula), wanted) {
            (Formula::Class(facet, set), _) => {
                let left = classes::meet(self.left(case, *facet, &mut None), set, wanted);
                case.narrow(*facet, left);
                *narrowed = true;
                true
            }
            (Formula::Not(part), _) => self.simplify(case, (*part, !wanted), narrowed),
            (Formula::And(parts), true) | (Formula::Or(parts), false) => parts
                .iter()
                .all(|&part| self.simplify(case, (part, wanted), narrowed)),
            (Formula::And(_), false) | (Formula::Or(_), true) => {
                if let [way] = *self.ways(case, due) {
                    return self.simplify(case, way, narrowed);
                }
                case.due.push(due);
                true
            }
            (Formula::False | Formula::True | Formula::Path(_), _) => false,
        }
    }

    /// The ways in which something can come to be so.
    fn ways(&self, case: &Case, (formula, wanted): Due) -> Vec<Due> {
        let part = match self.formulas.get(formula) {
            Formula::Not(part) => return self.ways(case, (*part, !wanted)),
            Formula::And(parts) | Formula::Or(parts) => parts,
            _ => return vec![(formula, wanted)],
        };
        let ways = part.iter().map(|&part| (part, wanted));
        ways.filter(|&way| self.truth(case, way) != Truth::No)
            .collect()
    }

    /// What is left of a facet.
    fn left<'c>(
        &'c self,
        case: &'c Case,
        facet: u32,
        made: &'c mut Option<ClassSet>,
    ) -> &'c ClassSet {
        if let Some(left) = case.of(facet) {
            return left;
        }
        let group = self.fields.group_index(facet);
        if group == self.path_group
            && let Some(only) = &self.only_path
        {
            let class = self.fields.class_in(only, facet);
            return made.insert(classes::only(vec![class]));
        }
        match self.fields.lengths(facet, self.cell) {
            Some(lengths) => made.insert(lengths),
            None => self.fields.all(facet),
        }
    }

    /// Whether something is so, on what is left.
    fn truth(&self, case: &Case, (formula, wanted): Due) -> Truth {
        match self.formulas.get(formula) {
            Formula::False | Formula::Path(_) => Truth::of(!wanted),
            Formula::True => Truth::of(wanted),
            Formula::Class(facet, set) => match lies(self.left(case, *facet, &mut None), set) {
                Lies::Inside => Truth::of(wanted),
                Lies::Outside => Truth::of(!wanted),
                Lies::Across => Truth::Open,
            },
            Formula::Not(part) => self.truth(case, (*part, !wanted)),
            Formula::And(parts) => self.all(case, parts, wanted, wanted),
            Formula::Or(parts) => self.all(case, parts, wanted, !wanted),
        }
    }

    /// Whether all parts are so, or, where not all have to be, one.
    fn all(&self, case: &Case, parts: &[FormulaId], wanted: bool, all: bool) -> Truth {
        let (decides, otherwise) = if all {
            (Truth::No, Truth::Yes)
        } else {
            (Truth::Yes, Truth::No)
        };
        let mut open = false;
        for &part in parts {
            match self.truth(case, (part, wanted)) {
                truth if truth == decides => return decides,
                truth => open |= truth == Truth::Open,
            }
        }
        if open { Truth::Open } else { otherwise }
    }

    /// Chooses a value for each group that was narrowed.
    fn choose(&mut self, case: &mut Case, effort: Effort) -> Choice {
        let of_group = |facet: &u32| self.fields.group_index(*facet);
        let mut unfit: Vec<u32> = case
            .narrowed
            .iter()
            .filter(|facet| !self.fits(case, **facet))
            .map(of_group)
            .collect();
        unfit.sort_unstable();
        unfit.dedup();
        for group in unfit {
            let narrowed = case.narrowed.iter().copied();
            let mut asked: Vec<(u32, ClassSet)> = narrowed
                .filter(|&facet| self.fields.group_index(facet) == group)
                .filter_map(|facet| Some((facet, case.of(facet)?.clone())))
                .collect();
            asked.sort_unstable_by_key(|(facet, _)| *facet);
            match self
                .fields
                .value(group, &asked, self.cell, effort, self.budget)
            {
                Taken::Value(chosen) => case.take(group, chosen),
                Taken::Nothing => return Choice::Impossible,
                Taken::GaveUp => {
                    if effort == Effort::Search {
                        let name = self.fields.name(group);
                        self.reason.get_or_insert(Reason::Field(name));
                    }
                    return Choice::Unknown;
                }
            }
        }
        Choice::Made
    }

    /// Whether the value that was chosen is in what is left of a facet.
    fn fits(&self, case: &Case, facet: u32) -> bool {
        let chosen = case.value(self.fields.group_index(facet));
        let fits = |chosen: &Chosen| {
            let left = case.of(facet);
            left.is_none_or(|left| has(left, self.fields.class_in(chosen, facet)))
        };
        chosen.is_some_and(fits)
    }

    /// Whether something is so of the request that was chosen.
    fn is_so(&self, case: &Case, (formula, wanted): Due) -> bool {
        match self.formulas.get(formula) {
            Formula::False | Formula::Path(_) => !wanted,
            Formula::True => wanted,
            Formula::Class(facet, set) => {
                let group = self.fields.group_index(*facet);
                let class = match case.value(group) {
                    Some(chosen) => Some(self.fields.class_in(chosen, *facet)),
                    None => self.plain_class(group, *facet),
                };
                class.is_some_and(|class| has(set, class) == wanted)
            }
            Formula::Not(part) => self.is_so(case, (*part, !wanted)),
            Formula::And(parts) if wanted => {
                parts.iter().all(|&part| self.is_so(case, (part, true)))
            }
            Formula::And(parts) => parts.iter().any(|&part| self.is_so(case, (part, false))),
            Formula::Or(parts) if wanted => {
                parts.iter().any(|&part| self.is_so(case, (part, true)))
            }
            Formula::Or(parts) => parts.iter().all(|&part| self.is_so(case, (part, false))),
        }
    }

    fn plain_class(&self, group: u32, facet: u32) -> Option<u32> {
        if group == self.path_group {
            let plain = || self.fields.plain(group, self.cell);
            let path = self.plain_path.get_or_init(plain).as_ref()?;
            return Some(self.fields.class_in(path, facet));
        }
        let plain = self.fields.plain(group, self.cell)?;
        Some(self.fields.class_in(&plain, facet))
    }
}

/// So often only what was found to hold is looked at closely; after that, everything is.
const ROUNDS: usize = 8;
const ALL_DUE: usize = usize::MAX;
/// Cases within cases.
const MAX_DEPTH: usize = 400;
/// Formulas that are looked at for one step of the budget.
const FORMULAS_A_STEP: u64 = 64;
