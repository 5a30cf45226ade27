//! From a table of arms to decision diagrams.
//!
//! 1. What the arms ask becomes facets, and each arm's match a formula over them ([`super::formula`]).
//! 2. The path patterns become an automaton ([`super::path`]). For each class of paths, the arms that
//!    may take one of its paths are a *list*, with what is left to ask of each; it is cut behind the
//!    first arm that asks nothing more. The same lists come up for many classes and are folded once.
//! 3. *Wide* arms (no path, a floating pattern, or a condition on a large part of all paths) make
//!    lists of their own, or they would be copied into every class. Evaluation takes the lower arm of
//!    the two.
//! 4. A list whose diagram passes its budget of nodes is written as a residual list instead.

use super::formula::{
    Asked, BadRegex, ClassifierPlan, FacetPlan, Formula, FormulaId, Formulas, Lowering,
};
use super::mdd::{Exhausted, Mdd, Ref, Shape};
use super::order;
use super::path::{self, Direction, PathClasses, PathTooComplex};
use crate::model::condition::Condition;
use mesh_bundle::classify::literals;
use mesh_bundle::decide::MAX_RESIDUAL_FACETS;
use mesh_bundle::decide::write::{
    MAX_FACETS, ResidualDraft, ResidualFacet, write_leaf, write_node, write_residual,
};
use mesh_bundle::decide::{Edge, FALL};
use mesh_bundle::format::{
    Bound, ClassifierKind, Draft, Facet, Id, PathAutomaton, PathClass, Run, Table, extend,
};
use mesh_lang::value::PathPattern;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use zerocopy::little_endian::{U32, U128};

/// What is asked of a request for an arm to take it.
#[derive(Clone, Copy, Debug)]
pub struct Match<'m> {
    /// One of these methods, exactly; empty: any.
    pub methods: &'m [String],
    /// A path that one of these takes; empty: any.
    pub paths: &'m [PathPattern],
    /// And this.
    pub condition: Option<&'m Condition>,
}

/// A written table.
#[derive(Debug)]
pub struct Written {
    /// The table; its arms or rules are still to be filled in.
    pub table: Table,
    /// Arms that are looked for one by one, because their conditions have no small diagram.
    pub residual: Vec<u32>,
}

/// Why arms make no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// A regular expression makes no automaton.
    Regex(BadRegex),
    /// Path patterns make no automaton. The pattern is one of these.
    Path(PathTooComplex, String),
    /// More different fields than a table can tell apart.
    Facets(usize),
    /// The condition of the arm with this index has no small diagram in any order tried.
    Condition(u32),
}

/// Conditional arms in more path classes than this are wide.
const WIDE: usize = 64;
/// Nodes that a list may make for each of its arms.
const BUDGET_PER_ARM: usize = 16;
/// Nodes that any list may make.
const BUDGET: usize = 4096;
/// Nodes that the condition of a single arm may make.
const CONDITION_BUDGET: usize = 1 << 17;
/// Lists that ask more facets than this are written as residual lists at once.
const LIST_FACETS: usize = 512;
/// Words that the rows of one facet of a residual list may have.
const ROW_WORDS: usize = 1 << 18;

/// An arm and what is left to ask of it.
type List = Vec<(u32, FormulaId)>;

/// Writes the diagrams of a table. `arms` are in the order in which the first that matches decides.
pub fn write(draft: &mut Draft, arms: &[Match<'_>]) -> Result<Written, TableError> {
    let mut asked = Asked::default();
    for arm in arms {
        if !arm.methods.is_empty() {
            asked.methods(arm.methods.iter().map(String::as_str));
        }
        arm.paths.iter().for_each(|pattern| asked.path(pattern));
        if let Some(condition) = arm.condition {
            asked.condition(condition);
        }
    }
    let paths = build_paths(&asked.patterns, Direction::Forward)?;
    let (facets, mut lowering) = asked.complete().map_err(TableError::Regex)?;
    if facets.len() >= MAX_FACETS {
        return Err(TableError::Facets(facets.len()));
    }
    let facets = write_facets(draft, &facets, &mut lowering)?;

    let mut lists = Lists::new(arms, &paths, lowering);
    let mut diagrams = Diagrams::default();
    let mut classes = Vec::with_capacity(paths.accepts.len());
    for accepts in &paths.accepts {
        let (narrow, wide) = lists.of_class(accepts);
        let formulas = &lists.lowering.formulas;
        classes.push(PathClass {
            narrow: U32::new(diagrams.root(formulas, narrow)?),
            wide: U32::new(diagrams.root(formulas, wide)?),
        });
    }
    let automaton = paths.graph.write(draft);
    Ok(Written {
        table: Table {
            facets,
            path: automaton,
            classes: extend(&mut draft.path_classes, classes),
            code: extend(&mut draft.code, diagrams.code),
            ..Table::default()
        },
        residual: diagrams.residual.into_iter().collect(),
    })
}

fn build_paths(
    patterns: &[path::Pattern],
    direction: Direction,
) -> Result<PathClasses, TableError> {
    path::build(patterns, direction).map_err(|error| {
        let (PathTooComplex::Partials { pattern } | PathTooComplex::States { pattern }) = error;
        let text = patterns
            .get(pattern)
            .map(|pattern| path::show(pattern, direction));
        TableError::Path(error, text.unwrap_or_default())
    })
}

fn write_facets(
    draft: &mut Draft,
    plans: &[FacetPlan],
    lowering: &mut Lowering,
) -> Result<Run<Facet>, TableError> {
    let mut facets = Vec::with_capacity(plans.len());
    for plan in plans {
        let mut facet = Facet {
            field: plan.field.code(),
            classifier: ClassifierKind::Literals.code(),
            provider: U32::new(plan.provider),
            name: plan
                .name
                .as_deref()
                .map_or(Id::NONE, |name| draft.string(name)),
            ..Facet::default()
        };
        match &plan.classifier {
            ClassifierPlan::Literals(values) => {
                let values: Vec<(&[u8], u32)> = values
                    .iter()
                    .map(String::as_bytes)
                    .zip(mesh_bundle::classify::FIRST..)
                    .collect();
                literals::write(draft, &mut facet, &values);
            }
            ClassifierPlan::Automaton(automaton) => {
                facet.classifier = ClassifierKind::Automaton.code();
                facet.start = U32::new(automaton.write(draft).index() as u32);
            }
            ClassifierPlan::Bounds(bounds, kind) => {
                facet.classifier = kind.code();
                let classes = mesh_bundle::classify::FIRST..;
                let bounds = bounds.iter().zip(classes).map(|(&low, class)| Bound {
                    low: U128::new(low),
                    class: U32::new(class),
                });
                let run = extend(&mut draft.bounds, bounds);
                facet.start = U32::new(run.start() as u32);
                facet.count = U32::new(run.len() as u32);
            }
            ClassifierPlan::Member(member) => {
                facet.classifier = ClassifierKind::Member.code();
                facet.start = U32::new(draft.string(member).index() as u32);
            }
            ClassifierPlan::Tail(patterns) => {
                facet.classifier = ClassifierKind::Tail.code();
                let tail = build_paths(patterns, Direction::Backward)?;
                let automaton: Id<PathAutomaton> = tail.graph.write(draft);
                facet.start = U32::new(automaton.index() as u32);
                lowering.tail_classes = tail.accepts;
            }
        }
        facets.push(facet);
    }
    Ok(extend(&mut draft.facets, facets))
}

/// Which arms each path class leaves.
struct Lists {
    lowering: Lowering,
    /// Each arm's whole match.
    formulas: Vec<FormulaId>,
    /// For each path pattern the narrow arms whose head names it.
    narrow: Vec<Vec<u32>>,
    wide: Vec<u32>,
    /// The patterns that wide arms ask, in ascending order.
    wide_patterns: Vec<u32>,
    /// Lists of wide arms by the patterns among `wide_patterns` that take the path.
    wide_known: HashMap<Vec<u32>, List>,
}

impl Lists {
    fn new(arms: &[Match<'_>], paths: &PathClasses, lowering: Lowering) -> Self {
        let mut spread = vec![0usize; pattern_count(paths)];
        for &pattern in paths.accepts.iter().flatten() {
            spread[pattern as usize] += 1;
        }
        let mut it = Self {
            formulas: Vec::with_capacity(arms.len()),
            narrow: vec![Vec::new(); spread.len()],
            wide: Vec::new(),
            wide_patterns: Vec::new(),
            wide_known: HashMap::new(),
            lowering,
        };
        let mut wide_patterns = BTreeSet::new();
        for (index, arm) in (0u32..).zip(arms) {
            let heads: Vec<FormulaId> = arm
                .paths
                .iter()
                .map(|pattern| it.lowering.path(pattern))
                .collect();
            let methods = (!arm.methods.is_empty())
                .then(|| it.lowering.methods(arm.methods.iter().map(String::as_str)));
            let condition = arm
                .condition
                .map(|condition| it.lowering.condition(condition));
            let asks: Vec<FormulaId> = methods.into_iter().chain(condition).collect();
            let asks = it.lowering.and(asks);
            let head = if heads.is_empty() {
                Formulas::TRUE
            } else {
                it.lowering.formulas.or(heads.iter().copied())
            };
            let formula = it.lowering.and([head, asks]);
            it.formulas.push(formula);

            let anchored: Option<Vec<u32>> = heads
                .iter()
                .map(|&head| match it.lowering.formulas.get(head) {
                    Formula::Path(pattern) => Some(*pattern),
                    _ => None,
                })
                .collect();
            let few = |patterns: &[u32]| {
                asks == Formulas::TRUE
                    || patterns
                        .iter()
                        .map(|&pattern| spread[pattern as usize])
                        .sum::<usize>()
                        <= WIDE
            };
            match anchored {
                Some(patterns) if !patterns.is_empty() && few(&patterns) => {
                    for pattern in patterns {
                        it.narrow[pattern as usize].push(index);
                    }
                }
                _ => {
                    it.wide.push(index);
                    wide_patterns.extend(it.lowering.formulas.patterns(formula));
                }
            }
        }
        it.wide_patterns = wide_patterns.into_iter().collect();
        it
    }

    /// The lists of a class of paths: narrow arms, wide arms.
    fn of_class(&mut self, accepts: &[u32]) -> (List, List) {
        let mut candidates: Vec<u32> = accepts
            .iter()
            .flat_map(|&pattern| self.narrow[pattern as usize].iter().copied())
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let narrow = self.list(&candidates, accepts);

        let key: Vec<u32> = accepts
            .iter()
            .copied()
            .filter(|pattern| self.wide_patterns.binary_search(pattern).is_ok())
            .collect();
        if let Some(wide) = self.wide_known.get(&key) {
            return (narrow, wide.clone());
        }
        let arms = std::mem::take(&mut self.wide);
        let wide = self.list(&arms, &key);
        self.wide = arms;
        self.wide_known.insert(key, wide.clone());
        (narrow, wide)
    }

    /// What is left of these arms on a path that exactly the patterns in `accepts` take.
    fn list(&mut self, arms: &[u32], accepts: &[u32]) -> List {
        let mut list = List::new();
        for &arm in arms {
            let left = self
                .lowering
                .formulas
                .on_path(self.formulas[arm as usize], accepts);
            if left != Formulas::FALSE {
                list.push((arm, left));
            }
            if left == Formulas::TRUE {
                break; // nothing behind it is reached
            }
        }
        list
    }
}

fn pattern_count(paths: &PathClasses) -> usize {
    let highest = paths.accepts.iter().flatten().max();
    highest.map_or(0, |&pattern| pattern as usize + 1)
}

/// A node as it was written: facet, otherwise, entries.
type WrittenNode = (u32, u32, Vec<(u32, u32)>);

/// The code of a table, and what has been written of it.
#[derive(Default)]
struct Diagrams {
    code: Vec<U32>,
    /// Written nodes, and where.
    nodes: HashMap<WrittenNode, u32>,
    /// Written lists.
    roots: HashMap<List, u32>,
    residual: BTreeSet<u32>,
    /// Reused from list to list.
    mdd: Mdd,
}

impl Diagrams {
    /// The word of the edge to the diagram of a list.
    fn root(&mut self, formulas: &Formulas, list: List) -> Result<u32, TableError> {
        match *list {
            [] => return Ok(FALL),
            [(arm, Formulas::TRUE), ..] => return Ok(write_leaf(arm)),
            _ => {}
        }
        if let Some(&known) = self.roots.get(&list) {
            return Ok(known);
        }
        let root = match self.diagram(formulas, &list) {
            Ok(root) => root,
            Err(Exhausted) => self.residual(formulas, &list)?,
        };
        self.roots.insert(list, root);
        Ok(root)
    }

    /// Folds a list in the best of the proposed orders.
    fn diagram(&mut self, formulas: &Formulas, list: &List) -> Result<u32, Exhausted> {
        let asked: Vec<Vec<u32>> = list
            .iter()
            .map(|(_, left)| formulas.facets(*left))
            .collect();
        let facets: BTreeSet<u32> = asked.iter().flatten().copied().collect();
        if facets.len() > LIST_FACETS {
            return Err(Exhausted);
        }
        let budget = BUDGET.max(BUDGET_PER_ARM * list.len());
        let orders = order::proposals(&asked);
        let mut best: Option<(usize, usize)> = None;
        if orders.len() > 1 {
            for (index, order) in orders.iter().enumerate() {
                self.mdd
                    .reset(best.map_or(budget, |(_, size)| budget.min(8 * size + 64)));
                if let Ok(root) = fold(&mut self.mdd, formulas, list, order) {
                    let size = self.mdd.size(root);
                    if best.is_none_or(|(_, known)| size < known) {
                        best = Some((index, size));
                    }
                }
            }
            if best.is_none() {
                return Err(Exhausted);
            }
        }
        let order = &orders[best.map_or(0, |(index, _)| index)];
        self.mdd.reset(budget);
        let root = fold(&mut self.mdd, formulas, list, order)?;
        Ok(self.write(root, order))
    }

    /// Appends a diagram, nodes below before nodes above.
    fn write(&mut self, root: Ref, order: &[u32]) -> u32 {
        let mdd = std::mem::take(&mut self.mdd);
        let mut written = HashMap::new();
        let word = self.write_from(&mdd, root, order, &mut written);
        self.mdd = mdd;
        word
    }

    fn write_from(
        &mut self,
        mdd: &Mdd,
        at: Ref,
        order: &[u32],
        written: &mut HashMap<Ref, u32>,
    ) -> u32 {
        let node = match mdd.shape(at) {
            Shape::Fall => return FALL,
            Shape::Arm(arm) => return write_leaf(arm),
            Shape::Node(node) => node,
        };
        if let Some(&word) = written.get(&at) {
            return word;
        }
        let otherwise = self.write_from(mdd, node.otherwise, order, written);
        let entries: Vec<(u32, u32)> = node
            .edges
            .iter()
            .map(|&(class, to)| (class, self.write_from(mdd, to, order, written)))
            .collect();
        let facet = order[node.level as usize];
        let code = &mut self.code;
        let word = *self
            .nodes
            .entry((facet, otherwise, entries))
            .or_insert_with_key(|(facet, otherwise, entries)| {
                write_node(code, *facet, *otherwise, entries).word()
            });
        written.insert(at, word);
        word
    }

    /// The diagram of one arm, in the first order in which it is not too large.
    fn one_arm(
        &mut self,
        formulas: &Formulas,
        arm: (u32, FormulaId),
    ) -> Result<(Ref, Vec<u32>), TableError> {
        for order in order::proposals(&groups(formulas, &[arm])) {
            self.mdd.reset(CONDITION_BUDGET);
            if let Ok(root) = fold(&mut self.mdd, formulas, &[arm], &order) {
                return Ok((root, order));
            }
        }
        Err(TableError::Condition(arm.0))
    }

    /// Appends a residual list.
    fn residual(&mut self, formulas: &Formulas, list: &List) -> Result<u32, TableError> {
        let mut draft = ResidualDraft::default();
        // For each facet what each arm leaves of its classes.
        let mut left_of: BTreeMap<u32, Vec<(usize, Possible)>> = BTreeMap::new();
        for (index, (arm, left)) in list.iter().enumerate() {
            self.residual.insert(*arm);
            let (root, order) = self.one_arm(formulas, (*arm, *left))?;
            for (level, facet) in (0u32..).zip(&order) {
                let possible = possible(&self.mdd, root, level);
                left_of.entry(*facet).or_default().push((index, possible));
            }
            draft.arms.push(self.write(root, &order));
        }
        // The facets that most arms ask narrow the list down most.
        let mut facets: Vec<(u32, Vec<(usize, Possible)>)> = left_of.into_iter().collect();
        facets.sort_by_key(|(facet, arms)| (std::cmp::Reverse(arms.len()), *facet));
        for (facet, arms) in facets {
            if draft.facets.len() == MAX_RESIDUAL_FACETS {
                break;
            }
            let classes: BTreeSet<u32> = arms
                .iter()
                .flat_map(|(_, possible)| possible.named.keys().copied())
                .collect();
            if (classes.len() + 1) * list.len().div_ceil(32) > ROW_WORDS {
                continue;
            }
            let row = |class: Option<u32>| {
                let mut row = vec![true; list.len()];
                for (index, possible) in &arms {
                    row[*index] = possible.on(class);
                }
                row
            };
            draft.facets.push(ResidualFacet {
                facet,
                otherwise: row(None),
                rows: classes
                    .iter()
                    .map(|&class| (class, row(Some(class))))
                    .collect(),
            });
        }
        let edge: Edge = write_residual(&mut self.code, &draft);
        Ok(edge.word())
    }
}

/// The facets that are asked together: those of each conjunction.
fn groups(formulas: &Formulas, list: &[(u32, FormulaId)]) -> Vec<Vec<u32>> {
    fn collect(formulas: &Formulas, of: FormulaId, into: &mut Vec<Vec<u32>>) {
        match formulas.get(of) {
            Formula::Or(parts) => parts.iter().for_each(|&part| collect(formulas, part, into)),
            Formula::Not(part) => collect(formulas, *part, into),
            Formula::And(parts) => {
                let is_or = |part: &&FormulaId| matches!(formulas.get(**part), Formula::Or(_));
                parts
                    .iter()
                    .filter(is_or)
                    .for_each(|&part| collect(formulas, part, into));
                let plain = parts.iter().filter(|part| !is_or(part));
                into.push(plain.flat_map(|&part| formulas.facets(part)).collect());
            }
            Formula::False | Formula::True | Formula::Class(..) | Formula::Path(_) => {
                into.push(formulas.facets(of));
            }
        }
    }
    let mut groups = Vec::with_capacity(list.len());
    for (_, left) in list {
        collect(formulas, *left, &mut groups);
    }
    for group in &mut groups {
        group.sort_unstable();
        group.dedup();
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// On which classes of a facet an arm may still match.
struct Possible {
    others: bool,
    named: BTreeMap<u32, bool>,
}

impl Possible {
    fn on(&self, class: Option<u32>) -> bool {
        let named = class.and_then(|class| self.named.get(&class));
        named.copied().unwrap_or(self.others)
    }
}

/// What the diagram of one arm leaves of the classes of the facet at `level`.
fn possible(mdd: &Mdd, root: Ref, level: u32) -> Possible {
    fn reaches(mdd: &Mdd, at: Ref, level: u32, class: Option<u32>) -> bool {
        match mdd.shape(at) {
            Shape::Fall => false,
            Shape::Arm(_) => true,
            Shape::Node(node) if node.level == level => {
                let named = node.edges.iter().find(|(named, _)| Some(*named) == class);
                reaches(
                    mdd,
                    named.map_or(node.otherwise, |(_, to)| *to),
                    level,
                    class,
                )
            }
            Shape::Node(node) => {
                let named = node.edges.iter().map(|(_, to)| *to);
                named
                    .chain([node.otherwise])
                    .any(|to| reaches(mdd, to, level, class))
            }
        }
    }
    let mut named = BTreeMap::new();
    let mut open = vec![root];
    while let Some(at) = open.pop() {
        if let Shape::Node(node) = mdd.shape(at) {
            open.push(node.otherwise);
            open.extend(node.edges.iter().map(|(_, to)| *to));
            if node.level == level {
                for (class, _) in &node.edges {
                    named.insert(*class, reaches(mdd, root, level, Some(*class)));
                }
            }
        }
    }
    Possible {
        others: reaches(mdd, root, level, None),
        named,
    }
}

/// The diagram of a list in an order of facets.
fn fold(
    mdd: &mut Mdd,
    formulas: &Formulas,
    list: &[(u32, FormulaId)],
    order: &[u32],
) -> Result<Ref, Exhausted> {
    let levels: HashMap<u32, u32> = order.iter().copied().zip(0..).collect();
    let mut conditions = HashMap::new();
    let mut arms = Vec::with_capacity(list.len());
    for &(arm, left) in list {
        let condition = condition(mdd, formulas, left, &levels, &mut conditions)?;
        arms.push(mdd.and(condition, Ref::arm(arm))?);
    }
    mdd.fold(&arms)
}

/// The diagram of a condition: true or false.
fn condition(
    mdd: &mut Mdd,
    formulas: &Formulas,
    of: FormulaId,
    levels: &HashMap<u32, u32>,
    known: &mut HashMap<FormulaId, Ref>,
) -> Result<Ref, Exhausted> {
    if let Some(&known) = known.get(&of) {
        return Ok(known);
    }
    let made = match formulas.get(of) {
        // Path patterns were put in before a list was made.
        Formula::False | Formula::Path(_) => Ref::FALL,
        Formula::True => Ref::TRUE,
        Formula::Class(facet, set) => {
            let (otherwise, named) = if set.others {
                (Ref::TRUE, Ref::FALL)
            } else {
                (Ref::FALL, Ref::TRUE)
            };
            let edges = set.named.iter().map(|&class| (class, named)).collect();
            mdd.node(levels[facet], otherwise, edges)?
        }
        Formula::Not(part) => {
            let part = condition(mdd, formulas, *part, levels, known)?;
            mdd.not(part)?
        }
        Formula::And(parts) => {
            let mut all = Ref::TRUE;
            for part in parts {
                let part = condition(mdd, formulas, *part, levels, known)?;
                all = mdd.and(all, part)?;
            }
            all
        }
        Formula::Or(parts) => {
            let parts: Vec<Ref> = parts
                .iter()
                .map(|part| condition(mdd, formulas, *part, levels, known))
                .collect::<Result<_, _>>()?;
            mdd.fold(&parts)?
        }
    };
    known.insert(of, made);
    Ok(made)
}

#[cfg(test)]
mod tests;
