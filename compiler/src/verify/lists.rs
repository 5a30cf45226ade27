//! Which arms of a table may take the paths of a class.
//!
//! As in the plan of a table ([`crate::plan::table`]) there are two lists for each class: *narrow* arms,
//! held to few classes by the path patterns that they name, and *wide* ones, which are the same for all
//! classes that the same of their patterns take. Unlike there, a list goes on behind an arm that takes all that
//! is left: what an arm hides is what a proof is about.

use super::segments::Segments;
use crate::plan::formula::{Formula, FormulaId, Formulas, Lowering};
use crate::plan::table::Match;
use std::collections::{BTreeSet, HashMap};

/// Conditional arms in more classes than this are wide.
const WIDE: usize = 64;

/// An arm, and what is left to ask of it.
pub(super) type Left = (u32, FormulaId);

/// Arms that may take a path.
#[derive(Debug)]
struct List {
    /// In the order of the source, with what is left to ask of each.
    arms: Vec<Left>,
    /// The first of which nothing is left to ask: it takes whatever comes to it.
    takes_all: u32,
}

/// No arm.
const NONE: u32 = u32::MAX;

impl List {
    const EMPTY: Self = Self {
        arms: Vec::new(),
        takes_all: NONE,
    };

    fn new(arms: Vec<Left>) -> Self {
        let takes_all = arms.iter().find(|(_, left)| *left == Formulas::TRUE);
        Self {
            takes_all: takes_all.map_or(NONE, |(arm, _)| *arm),
            arms,
        }
    }

    fn has(&self, arm: u32) -> bool {
        self.arms
            .binary_search_by_key(&arm, |(arm, _)| *arm)
            .is_ok()
    }

    /// The arms behind one.
    fn behind(&self, arm: u32) -> &[Left] {
        &self.arms[self.arms.partition_point(|(before, _)| *before <= arm)..]
    }

    /// The arms before one, and what is left to ask of itself, if it is in the list. None where one before it
    /// takes whatever comes.
    fn before(&self, end: u32) -> Option<(&[Left], Option<FormulaId>)> {
        if self.takes_all < end {
            return None;
        }
        let place = self.arms.partition_point(|(before, _)| *before < end);
        let at = self.arms.get(place).filter(|(arm, _)| *arm == end);
        Some((&self.arms[..place], at.map(|(_, left)| *left)))
    }
}

/// The arms of a table, by classes of paths.
#[derive(Debug)]
pub(super) struct Arms {
    /// Each arm's whole match.
    pub(super) formulas: Vec<FormulaId>,
    /// What each arm asks of the path by the patterns it names.
    pub(super) paths: Vec<FormulaId>,
    /// What each arm asks besides.
    asks: Vec<FormulaId>,
    /// The patterns of an arm that is narrow.
    narrow_by: Vec<Option<Vec<u32>>>,
    /// For each class its narrow arms.
    narrow: Vec<List>,
    /// For each class its list of wide arms.
    key: Vec<u32>,
    /// Lists of wide arms.
    wide: Vec<List>,
}

/// The arms before an end, on the paths of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'a> {
    /// What is left to ask of the arm at the end; none where no arm takes the request.
    pub(super) end: Option<FormulaId>,
    /// Narrow arms that come first.
    pub(super) narrow: &'a [Left],
    /// Wide arms that come first.
    pub(super) wide: &'a [Left],
}

impl Arms {
    pub(super) fn new(
        arms: &[Match<'_>],
        segments: &Segments,
        classes_of: &[Vec<u32>],
        lowering: &mut Lowering,
    ) -> Self {
        let mut it = Self {
            formulas: Vec::with_capacity(arms.len()),
            paths: Vec::with_capacity(arms.len()),
            asks: Vec::with_capacity(arms.len()),
            narrow_by: Vec::with_capacity(arms.len()),
            narrow: Vec::new(),
            key: Vec::new(),
            wide: Vec::new(),
        };
        let mut narrow_of: Vec<Vec<u32>> = Vec::new();
        let mut wide: Vec<u32> = Vec::new();
        let mut wide_patterns = BTreeSet::new();
        for (index, arm) in (0u32..).zip(arms) {
            let narrow_by = it.lower(arm, classes_of, lowering);
            for &pattern in narrow_by.iter().flatten() {
                let pattern = pattern as usize;
                narrow_of.resize(narrow_of.len().max(pattern + 1), Vec::new());
                narrow_of[pattern].push(index);
            }
            if narrow_by.is_none() {
                wide.push(index);
                let formula = it.formulas[index as usize];
                wide_patterns.extend(lowering.formulas.patterns(formula));
            }
            it.narrow_by.push(narrow_by);
        }
        let wide_patterns: Vec<u32> = wide_patterns.into_iter().collect();
        let mut keys: HashMap<Vec<u32>, u32> = HashMap::new();
        for (class, accepts) in (0u32..).zip(&segments.accepts) {
            if !segments.exists(class) {
                it.narrow.push(List::EMPTY);
                it.key.push(0);
                continue;
            }
            let arms = accepts
                .iter()
                .filter_map(|&pattern| narrow_of.get(pattern as usize));
            let mut arms: Vec<u32> = arms.flatten().copied().collect();
            arms.sort_unstable();
            arms.dedup();
            let list = it.narrow_list(&arms, accepts, &mut lowering.formulas);
            it.narrow.push(list);

            let asked = |pattern: &u32| wide_patterns.binary_search(pattern).is_ok();
            let key: Vec<u32> = accepts.iter().copied().filter(asked).collect();
            let new = it.wide.len() as u32;
            let number = keys.get(&key).copied().unwrap_or(new);
            if number == new {
                let list = it.list(&wide, &key, &mut lowering.formulas);
                it.wide.push(list);
                keys.insert(key, new);
            }
            it.key.push(number);
        }
        it
    }

    /// Lowers an arm; returns the patterns that make it narrow, if it is.
    fn lower(
        &mut self,
        arm: &Match<'_>,
        classes_of: &[Vec<u32>],
        lowering: &mut Lowering,
    ) -> Option<Vec<u32>> {
        let heads: Vec<FormulaId> = arm
            .paths
            .iter()
            .map(|pattern| lowering.path(pattern))
            .collect();
        let methods = (!arm.methods.is_empty())
            .then(|| lowering.methods(arm.methods.iter().map(String::as_str)));
        let condition = arm.condition.map(|condition| lowering.condition(condition));
        let asks: Vec<FormulaId> = methods.into_iter().chain(condition).collect();
        let asks = lowering.and(asks);
        let paths = if heads.is_empty() {
            Formulas::TRUE
        } else {
            lowering.formulas.or(heads.iter().copied())
        };
        self.paths.push(paths);
        self.asks.push(asks);
        self.formulas.push(lowering.and([paths, asks]));

        let anchored = heads.iter().map(|&head| match lowering.formulas.get(head) {
            Formula::Path(pattern) => Some(*pattern),
            _ => None,
        });
        let patterns: Vec<u32> = anchored.collect::<Option<_>>()?;
        let classes = patterns
            .iter()
            .map(|&pattern| classes_of.get(pattern as usize).map_or(0, Vec::len));
        let few = asks == Formulas::TRUE || classes.sum::<usize>() <= WIDE;
        (!patterns.is_empty() && few).then_some(patterns)
    }

    /// What is left of narrow arms on a path that one of the patterns of each takes.
    fn narrow_list(&self, arms: &[u32], accepts: &[u32], formulas: &mut Formulas) -> List {
        let left = arms
            .iter()
            .map(|&arm| (arm, formulas.on_path(self.asks[arm as usize], accepts)));
        List::new(left.filter(|(_, left)| *left != Formulas::FALSE).collect())
    }

    /// What is left of these arms on a path that exactly the patterns in `accepts` take.
    fn list(&self, arms: &[u32], accepts: &[u32], formulas: &mut Formulas) -> List {
        let left = arms
            .iter()
            .map(|&arm| (arm, formulas.on_path(self.formulas[arm as usize], accepts)));
        List::new(left.filter(|(_, left)| *left != Formulas::FALSE).collect())
    }

    /// The patterns of an arm that is narrow.
    pub(super) fn narrow_by(&self, arm: u32) -> Option<&[u32]> {
        self.narrow_by[arm as usize].as_deref()
    }

    /// Which list of wide arms a class has.
    pub(super) fn key(&self, class: u32) -> u32 {
        self.key[class as usize]
    }

    /// The arms behind one on the paths of a class, in order, and what is left to ask of each.
    pub(super) fn behind(&self, class: u32, arm: u32) -> Vec<Left> {
        let (narrow, wide) = self.of_class(class);
        let mut behind = [narrow.behind(arm), wide.behind(arm)].concat();
        behind.sort_unstable_by_key(|(arm, _)| *arm);
        behind
    }

    /// Whether an arm may take paths of a class.
    pub(super) fn takes(&self, class: u32, arm: u32) -> bool {
        let (narrow, wide) = self.of_class(class);
        narrow.has(arm) || wide.has(arm)
    }

    /// The numbers of the arms that may take paths of a class, wide ones only if they are asked for.
    pub(super) fn numbers(&self, class: u32, with_wide: bool) -> impl Iterator<Item = u32> {
        let (narrow, wide) = self.of_class(class);
        let wide = if with_wide { wide.arms.as_slice() } else { &[] };
        narrow.arms.iter().chain(wide).map(|(arm, _)| *arm)
    }

    /// All arms that may take paths of a class.
    fn of_class(&self, class: u32) -> (&List, &List) {
        let wide = &self.wide[self.key(class) as usize];
        (&self.narrow[class as usize], wide)
    }

    /// The arms before `end` on the paths of a class. None where no request ends there: the arm takes none of
    /// these paths, or one before it takes them all.
    pub(super) fn before(&self, class: u32, end: Option<u32>) -> Option<Before<'_>> {
        let (narrow, wide) = self.of_class(class);
        let place = end.unwrap_or(NONE);
        let (narrow, in_narrow) = narrow.before(place)?;
        let (wide, in_wide) = wide.before(place)?;
        let at = in_narrow.or(in_wide);
        (at.is_some() == end.is_some()).then_some(Before {
            end: at,
            narrow,
            wide,
        })
    }
}
