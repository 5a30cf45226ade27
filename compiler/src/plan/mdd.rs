//! Multi-valued decision diagrams under construction.
//!
//! One [`Mdd`] holds the diagrams of one list of arms, in one order of facets. Nodes are reduced and
//! shared: two diagrams are equal exactly where their [`Ref`]s are. A node has an edge for every class
//! that it does not name, and edges for the classes where it differs, so a header compared with 2,000
//! values costs nothing to the arms that do not ask for it, and combining two nodes is a merge of two
//! sorted lists.
//!
//! A list is folded in halves: `over(fold(first half), fold(second half))`, where `x over y` is `x`
//! where `x` decides and `y` where it falls through. Halving makes few intermediate nodes where adding
//! arm after arm makes many. Work is bounded by a budget of nodes *made*.

use std::collections::HashMap;

/// A diagram: a terminal or a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref(u32);

impl Ref {
    /// No arm; false.
    pub const FALL: Self = Self(u32::MAX);
    const LEAF: u32 = 1 << 31;
    /// True, in the diagram of a condition.
    pub const TRUE: Self = Self::arm(0);

    /// The arm with this index.
    pub const fn arm(index: u32) -> Self {
        Self(index | Self::LEAF)
    }

    fn is_terminal(self) -> bool {
        self.0 & Self::LEAF != 0
    }
}

/// What a [`Ref`] stands for.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'m> {
    /// No arm.
    Fall,
    /// An arm.
    Arm(u32),
    /// A test.
    Node(&'m Node),
}

/// A test of the facet at `level` of the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Position of the facet in the order.
    pub level: u32,
    /// Where classes lead that `edges` does not name.
    pub otherwise: Ref,
    /// Classes in ascending order that lead elsewhere than `otherwise`.
    pub edges: Box<[(u32, Ref)]>,
}

/// The budget of nodes is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Over,
    And,
}

/// Diagrams in one order of facets.
#[derive(Default)]
pub struct Mdd {
    nodes: Vec<Node>,
    unique: HashMap<Node, Ref>,
    memo: HashMap<(Operation, Ref, Ref), Ref>,
    budget: usize,
}

impl Mdd {
    /// Forgets everything and sets how many nodes may be made.
    pub fn reset(&mut self, budget: usize) {
        self.nodes.clear();
        self.unique.clear();
        self.memo.clear();
        self.budget = budget;
    }

    /// What a reference stands for.
    pub fn shape(&self, of: Ref) -> Shape<'_> {
        if of == Ref::FALL {
            Shape::Fall
        } else if of.is_terminal() {
            Shape::Arm(of.0 & !Ref::LEAF)
        } else {
            Shape::Node(&self.nodes[of.0 as usize])
        }
    }

    /// The diagram that leads the named classes of a facet elsewhere than the others.
    pub fn node(
        &mut self,
        level: u32,
        otherwise: Ref,
        mut edges: Vec<(u32, Ref)>,
    ) -> Result<Ref, Exhausted> {
        edges.retain(|(_, to)| *to != otherwise);
        if edges.is_empty() {
            return Ok(otherwise);
        }
        let node = Node {
            level,
            otherwise,
            edges: edges.into(),
        };
        if let Some(&known) = self.unique.get(&node) {
            return Ok(known);
        }
        if self.nodes.len() >= self.budget {
            return Err(Exhausted);
        }
        let made = Ref(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.unique.insert(node, made);
        Ok(made)
    }

    /// `x` where it decides, `y` where `x` falls through.
    pub fn over(&mut self, x: Ref, y: Ref) -> Result<Ref, Exhausted> {
        self.combine(Operation::Over, x, y)
    }

    /// `y` where `x` holds. With two conditions this is "and".
    pub fn and(&mut self, x: Ref, y: Ref) -> Result<Ref, Exhausted> {
        self.combine(Operation::And, x, y)
    }

    /// Where a condition does not hold.
    pub fn not(&mut self, x: Ref) -> Result<Ref, Exhausted> {
        // Memoised through the unique table only: conditions are small.
        match self.shape(x) {
            Shape::Fall => Ok(Ref::TRUE),
            Shape::Arm(_) => Ok(Ref::FALL),
            Shape::Node(node) => {
                let Node {
                    level,
                    otherwise,
                    edges,
                } = node.clone();
                let otherwise = self.not(otherwise)?;
                let edges = edges
                    .iter()
                    .map(|&(class, to)| Ok((class, self.not(to)?)))
                    .collect::<Result<_, _>>()?;
                self.node(level, otherwise, edges)
            }
        }
    }

    fn combine(&mut self, operation: Operation, x: Ref, y: Ref) -> Result<Ref, Exhausted> {
        match (operation, x, y) {
            (Operation::Over, Ref::FALL, other) | (Operation::Over, other, Ref::FALL) => {
                return Ok(other);
            }
            (Operation::Over, decided, _) if decided.is_terminal() => return Ok(decided),
            (Operation::And, Ref::FALL, _) | (Operation::And, _, Ref::FALL) => {
                return Ok(Ref::FALL);
            }
            (Operation::And, holds, other) if holds.is_terminal() => return Ok(other),
            _ if x == y => return Ok(x),
            _ => {}
        }
        let key = (operation, x, y);
        if let Some(&known) = self.memo.get(&key) {
            return Ok(known);
        }
        let (level, (x_otherwise, x_edges), (y_otherwise, y_edges)) = self.split(x, y);
        let otherwise = self.combine(operation, x_otherwise, y_otherwise)?;
        let mut edges = Vec::with_capacity(x_edges.len().max(y_edges.len()));
        let (mut xs, mut ys) = (x_edges.iter().peekable(), y_edges.iter().peekable());
        loop {
            let class = match (xs.peek(), ys.peek()) {
                (Some((a, _)), Some((b, _))) => *a.min(b),
                (Some((class, _)), None) | (None, Some((class, _))) => *class,
                (None, None) => break,
            };
            let x = xs.next_if(|(named, _)| *named == class);
            let y = ys.next_if(|(named, _)| *named == class);
            let x = x.map_or(x_otherwise, |(_, to)| *to);
            let y = y.map_or(y_otherwise, |(_, to)| *to);
            edges.push((class, self.combine(operation, x, y)?));
        }
        let made = self.node(level, otherwise, edges)?;
        self.memo.insert(key, made);
        Ok(made)
    }

    /// The first level that either asks, and both sides' edges there. At least one is a node.
    #[allow(clippy::type_complexity)] // two halves of one shape, used in one place
    fn split(&self, x: Ref, y: Ref) -> (u32, (Ref, Box<[(u32, Ref)]>), (Ref, Box<[(u32, Ref)]>)) {
        let level_of = |of| match self.shape(of) {
            Shape::Node(node) => node.level,
            Shape::Fall | Shape::Arm(_) => u32::MAX,
        };
        let level = level_of(x).min(level_of(y));
        let edges_of = |of: Ref| match self.shape(of) {
            Shape::Node(node) if node.level == level => (node.otherwise, node.edges.clone()),
            _ => (of, Box::default()),
        };
        (level, edges_of(x), edges_of(y))
    }

    /// Folds a list of diagrams, each of which decides or falls through, into one.
    pub fn fold(&mut self, list: &[Ref]) -> Result<Ref, Exhausted> {
        match list {
            [] => Ok(Ref::FALL),
            [one] => Ok(*one),
            list => {
                let (first, second) = list.split_at(list.len() / 2);
                let first = self.fold(first)?;
                let second = self.fold(second)?;
                self.over(first, second)
            }
        }
    }

    /// How many nodes were made, those that are not used any more included.
    pub fn made(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes a diagram has.
    pub fn size(&self, root: Ref) -> usize {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![root];
        let mut count = 0;
        while let Some(at) = open.pop() {
            if at.is_terminal() || std::mem::replace(&mut seen[at.0 as usize], true) {
                continue;
            }
            count += 1;
            let node = &self.nodes[at.0 as usize];
            open.push(node.otherwise);
            open.extend(node.edges.iter().map(|(_, to)| *to));
        }
        count
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mdd() -> Mdd {
        let mut mdd = Mdd::default();
        mdd.reset(10_000);
        mdd
    }

    fn is(mdd: &mut Mdd, level: u32, class: u32, leaf: Ref) -> Ref {
        mdd.node(level, Ref::FALL, vec![(class, leaf)]).unwrap()
    }

    fn walk(mdd: &Mdd, mut at: Ref, classes: &[u32]) -> Option<u32> {
        loop {
            match mdd.shape(at) {
                Shape::Fall => return None,
                Shape::Arm(arm) => return Some(arm),
                Shape::Node(node) => {
                    let class = classes[node.level as usize];
                    let named = node.edges.iter().find(|(named, _)| *named == class);
                    at = named.map_or(node.otherwise, |(_, to)| *to);
                }
            }
        }
    }

    #[test]
    fn equal_diagrams_are_one() {
        let mut mdd = mdd();
        let a = is(&mut mdd, 0, 2, Ref::TRUE);
        let b = is(&mut mdd, 1, 3, Ref::TRUE);
        let (ab, ba) = (mdd.and(a, b).unwrap(), mdd.and(b, a).unwrap());
        assert_eq!(ab, ba);
        let not = mdd.not(ab).unwrap();
        assert_eq!(mdd.not(not).unwrap(), ab);
        assert_eq!(mdd.and(not, ab).unwrap(), Ref::FALL);
        assert_eq!(mdd.over(not, ab).unwrap(), Ref::TRUE);
    }

    #[test]
    fn the_first_arm_that_decides_wins() {
        let mut mdd = mdd();
        // arm 0: level 0 is 2; arm 1: level 1 is 2; arm 2: always
        let list = [
            is(&mut mdd, 0, 2, Ref::arm(0)),
            is(&mut mdd, 1, 2, Ref::arm(1)),
            Ref::arm(2),
            is(&mut mdd, 0, 3, Ref::arm(3)),
        ];
        let root = mdd.fold(&list).unwrap();
        assert_eq!(walk(&mdd, root, &[2, 2]), Some(0));
        assert_eq!(walk(&mdd, root, &[0, 2]), Some(1));
        assert_eq!(walk(&mdd, root, &[3, 0]), Some(2));
    }

    #[test]
    fn long_lists_on_one_facet_stay_small() {
        let mut mdd = mdd();
        let list: Vec<_> = (0..2000)
            .map(|i| is(&mut mdd, 0, 2 + i, Ref::arm(i)))
            .collect();
        let root = mdd.fold(&list).unwrap();
        assert_eq!(mdd.size(root), 1);
        assert!(mdd.made() < 4200, "{}", mdd.made());
    }

    #[test]
    fn the_budget_ends_an_explosion() {
        let mut mdd = Mdd::default();
        mdd.reset(1000);
        // Arm i asks fields i and i + 20: exponential in this order.
        let mut build = || {
            let mut list = Vec::new();
            for i in 0..20 {
                let a = mdd.node(i, Ref::FALL, vec![(2, Ref::TRUE)])?;
                let b = mdd.node(i + 20, Ref::FALL, vec![(2, Ref::arm(i))])?;
                list.push(mdd.and(a, b)?);
            }
            mdd.fold(&list)
        };
        assert_eq!(build(), Err(Exhausted));
    }
}
