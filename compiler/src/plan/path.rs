//! From path patterns to an automaton over segments.
//!
//! Patterns make a trie whose edges are segments: literal, `*`, partial. Its subset construction is
//! the automaton: a state is the set of trie nodes that the segments read so far may have come to,
//! and the patterns with a final `**` that were passed and hold whatever follows. Two paths are of
//! one class if the same patterns take them, so a class *is* the set of patterns that accept in a
//! state.
//!
//! A `**` that is not final would blow this up; such patterns are taken apart before (see
//! [`super::formula`]), and what stands behind their `**` is matched by a second automaton, built here
//! too, that reads the segments from the right.

use mesh_bundle::classify::path::{GraphState, MAX_PARTIALS, PathGraph, partial_takes};
use mesh_lang::value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A segment of a pattern, as far as an automaton sees it: what it captures has no name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Exactly this; empty for a trailing slash.
    Literal(Box<str>),
    /// Any one that is not empty.
    Any,
    /// One that begins and ends so, with something between.
    Partial(Box<str>, Box<str>),
    /// Any number, none included.
    Rest,
}

impl From<&value::Segment> for Segment {
    fn from(segment: &value::Segment) -> Self {
        match segment {
            value::Segment::Literal(text) => Self::Literal(text.as_str().into()),
            value::Segment::Any { .. } => Self::Any,
            value::Segment::Partial { prefix, suffix, .. } => {
                Self::Partial(prefix.as_str().into(), suffix.as_str().into())
            }
            value::Segment::Rest { .. } => Self::Rest,
        }
    }
}

/// Segments in the order in which the automaton reads, with one [`Segment::Rest`] at most.
pub type Pattern = Vec<Segment>;

/// From which side an automaton reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the left: an empty segment is the last.
    Forward,
    /// From the right: an empty segment is the first.
    Backward,
}

/// Why patterns make no automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathTooComplex {
    /// More partial segments compete at one place than an automaton can tell apart.
    Partials {
        /// One of the patterns.
        pattern: usize,
    },
    /// Wildcards multiply beyond what is reasonable.
    States {
        /// One of the patterns.
        pattern: usize,
    },
}

/// An automaton with the patterns that each class is made of.
#[derive(Debug)]
pub struct PathClasses {
    /// The automaton.
    pub graph: PathGraph,
    /// For each class the patterns that take its paths, in ascending order.
    pub accepts: Vec<Vec<u32>>,
}

/// States beyond this many per segment of the patterns are refused.
const STATES_PER_SEGMENT: usize = 64;
/// States that are always allowed.
const STATES: usize = 100_000;

/// A pattern as text, for messages.
pub fn show(pattern: &Pattern, direction: Direction) -> String {
    let show = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Any => "/*".to_owned(),
        Segment::Partial(prefix, suffix) => format!("/{prefix}{{_}}{suffix}"),
        Segment::Rest => "/**".to_owned(),
    };
    match direction {
        Direction::Forward => pattern.iter().map(show).collect(),
        Direction::Backward => pattern.iter().rev().map(show).collect(),
    }
}

/// Prefix and suffix of a partial segment.
type Shape = (Box<str>, Box<str>);

#[derive(Default)]
struct TrieNode {
    literals: BTreeMap<Box<str>, u32>,
    any: Option<u32>,
    partials: BTreeMap<Shape, u32>,
    /// Patterns that end here.
    ends: Vec<u32>,
    /// Patterns whose final `**` begins here.
    rests: Vec<u32>,
}

/// Builds the automaton of `patterns`, whose `**` is final where they have one. They are given in the
/// order in which the automaton reads.
pub fn build(patterns: &[Pattern], direction: Direction) -> Result<PathClasses, PathTooComplex> {
    let trie = trie(patterns);
    let segments: usize = patterns.iter().map(Vec::len).sum();
    let mut subsets = Subsets {
        trie: &trie,
        limit: STATES + STATES_PER_SEGMENT * segments,
        keys: Vec::new(),
        ids: HashMap::new(),
        classes: HashMap::new(),
        accepts: Vec::new(),
    };
    let dead = Key::default();
    let start = subsets.enter(&dead, [0])?;
    debug_assert_eq!(start, 0);
    let mut states = Vec::new();
    while states.len() < subsets.keys.len() {
        let state = subsets.expand(states.len(), direction)?;
        states.push(state);
    }
    Ok(PathClasses {
        graph: PathGraph {
            states,
            class_count: subsets.accepts.len() as u32,
        },
        accepts: subsets.accepts,
    })
}

fn trie(patterns: &[Pattern]) -> Vec<TrieNode> {
    let mut nodes = vec![TrieNode::default()];
    for (id, pattern) in (0u32..).zip(patterns) {
        let mut at = 0;
        let mut rest = false;
        for segment in pattern {
            let new = nodes.len() as u32;
            let node: &mut TrieNode = &mut nodes[at as usize];
            at = match segment {
                Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(new),
                Segment::Any => *node.any.get_or_insert(new),
                Segment::Partial(prefix, suffix) => {
                    let key = (prefix.clone(), suffix.clone());
                    *node.partials.entry(key).or_insert(new)
                }
                Segment::Rest => {
                    rest = true;
                    break;
                }
            };
            if at == new {
                nodes.push(TrieNode::default());
            }
        }
        let node = &mut nodes[at as usize];
        if rest {
            &mut node.rests
        } else {
            &mut node.ends
        }
        .push(id);
    }
    nodes
}

/// What tells states apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Key {
    /// Trie nodes, in ascending order.
    nodes: Box<[u32]>,
    /// Patterns that hold whatever follows, in ascending order.
    rests: Box<[u32]>,
    /// No segment can follow: the last one was empty.
    ended: bool,
}

struct Subsets<'t> {
    trie: &'t [TrieNode],
    limit: usize,
    keys: Vec<Key>,
    ids: HashMap<Key, u32>,
    classes: HashMap<Vec<u32>, u32>,
    accepts: Vec<Vec<u32>>,
}

impl Subsets<'_> {
    /// The state that `from` leads to by these trie nodes.
    fn enter(
        &mut self,
        from: &Key,
        nodes: impl IntoIterator<Item = u32>,
    ) -> Result<u32, PathTooComplex> {
        let nodes: BTreeSet<u32> = nodes.into_iter().collect();
        let passed = nodes
            .iter()
            .flat_map(|&node| &self.trie[node as usize].rests);
        let mut rests: Vec<u32> = from.rests.iter().chain(passed).copied().collect();
        rests.sort_unstable();
        rests.dedup();
        // A node from which nothing goes on matters for where a path ends, not for what follows.
        self.state(Key {
            nodes: nodes.into_iter().collect(),
            rests: rests.into(),
            ended: false,
        })
    }

    fn state(&mut self, key: Key) -> Result<u32, PathTooComplex> {
        if let Some(&known) = self.ids.get(&key) {
            return Ok(known);
        }
        if self.keys.len() >= self.limit {
            let pattern = self.some_pattern(&key);
            return Err(PathTooComplex::States { pattern });
        }
        let id = self.keys.len() as u32;
        self.ids.insert(key.clone(), id);
        self.keys.push(key);
        Ok(id)
    }

    /// A pattern that has to do with a state, to name in a message.
    fn some_pattern(&self, key: &Key) -> usize {
        let mut node = key.nodes.iter().max().copied().unwrap_or(0);
        loop {
            let it = &self.trie[node as usize];
            if let Some(&pattern) = it.ends.iter().chain(&it.rests).next() {
                return pattern as usize;
            }
            let next = it
                .literals
                .values()
                .chain(it.any.iter())
                .chain(it.partials.values());
            match next.max() {
                Some(&next) => node = next,
                None => return 0,
            }
        }
    }

    fn class(&mut self, key: &Key) -> u32 {
        let ends = key
            .nodes
            .iter()
            .flat_map(|&node| &self.trie[node as usize].ends);
        let mut accepts: Vec<u32> = ends.chain(&key.rests).copied().collect();
        accepts.sort_unstable();
        let next = self.accepts.len() as u32;
        *self.classes.entry(accepts).or_insert_with_key(|accepts| {
            self.accepts.push(accepts.clone());
            next
        })
    }

    fn expand(&mut self, index: usize, direction: Direction) -> Result<GraphState, PathTooComplex> {
        let key = self.keys[index].clone();
        let class = self.class(&key);
        let trie = self.trie;
        let nodes: Vec<&TrieNode> = key.nodes.iter().map(|&node| &trie[node as usize]).collect();
        if key.ended || nodes.is_empty() {
            return Ok(GraphState {
                other: index as u32,
                empty: index as u32,
                class,
                literals: Vec::new(),
                partials: Vec::new(),
                masks: Vec::new(),
            });
        }
        let any: Vec<u32> = nodes.iter().filter_map(|node| node.any).collect();
        let partials: Vec<(&Shape, u32)> = nodes
            .iter()
            .flat_map(|node| node.partials.iter().map(|(shape, to)| (shape, *to)))
            .collect();
        let shapes: Vec<Shape> = partials
            .iter()
            .map(|(shape, _)| (*shape).clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if shapes.len() > MAX_PARTIALS {
            let pattern = self.some_pattern(&key);
            return Err(PathTooComplex::Partials { pattern });
        }

        let other = self.enter(&key, any.iter().copied())?;
        let mut literals = Vec::new();
        let mut empty = None;
        let texts: BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| node.literals.keys().map(|text| &**text))
            .collect();
        for text in texts {
            let exact = nodes
                .iter()
                .filter_map(|node| node.literals.get(text))
                .copied();
            if text.is_empty() {
                empty = Some(exact.collect::<Vec<u32>>());
                continue;
            }
            let takes = |(prefix, suffix): &Shape| {
                partial_takes(prefix.as_bytes(), suffix.as_bytes(), text.as_bytes())
            };
            let partial = partials
                .iter()
                .filter(|(shape, _)| takes(shape))
                .map(|(_, to)| *to);
            let to = self.enter(&key, exact.chain(partial).chain(any.iter().copied()))?;
            literals.push((text.into(), to));
        }
        let empty = self.enter_empty(&key, index, empty.unwrap_or_default(), direction)?;

        let mut masks = Vec::new();
        for mask in possible_masks(&shapes) {
            let taken = partials.iter().filter(|(shape, _)| {
                let bit = shapes.iter().position(|known| known == *shape);
                bit.is_some_and(|bit| mask >> bit & 1 == 1)
            });
            let to = taken.map(|(_, to)| *to).chain(any.iter().copied());
            masks.push((mask, self.enter(&key, to.collect::<Vec<_>>())?));
        }
        Ok(GraphState {
            other,
            empty,
            class,
            literals,
            partials: shapes,
            masks,
        })
    }

    /// The state after the empty segment. Read from the left nothing follows it, and without saying so
    /// `//x` would invent classes that no normal path has; read from the right it can only be the first.
    fn enter_empty(
        &mut self,
        key: &Key,
        index: usize,
        nodes: Vec<u32>,
        direction: Direction,
    ) -> Result<u32, PathTooComplex> {
        match direction {
            Direction::Forward => {
                let after = self.enter(key, nodes)?;
                let ended = Key {
                    ended: true,
                    ..self.keys[after as usize].clone()
                };
                self.state(ended)
            }
            Direction::Backward if index == 0 => self.enter(key, nodes),
            Direction::Backward => Ok(index as u32),
        }
    }
}

/// The sets of partial segments, as masks, that some segment is taken by; without the empty set.
///
/// A segment is determined, as far as the partials see it, by the longest prefix and the longest
/// suffix it has, and where these overlap or touch by its exact letters. So it is enough to try, for
/// every pair of a prefix and a suffix, the words in which they overlap, touch, or stand apart with
/// two letters between that make neither of them longer. There are [`MAX_PARTIALS`] of them at most,
/// so that among the unreserved characters such letters are always left.
fn possible_masks(shapes: &[Shape]) -> Vec<u32> {
    let mask_of = |word: &[u8]| {
        let bits = shapes.iter().enumerate();
        bits.fold(0, |mask, (bit, (prefix, suffix))| {
            let taken = partial_takes(prefix.as_bytes(), suffix.as_bytes(), word);
            mask | u32::from(taken) << bit
        })
    };
    let mut prefixes: BTreeSet<&str> = shapes.iter().map(|(prefix, _)| &**prefix).collect();
    let mut suffixes: BTreeSet<&str> = shapes.iter().map(|(_, suffix)| &**suffix).collect();
    prefixes.insert("");
    suffixes.insert("");
    let mut masks = BTreeSet::new();
    for prefix in &prefixes {
        for suffix in &suffixes {
            let (head, tail) = (prefix.as_bytes(), suffix.as_bytes());
            for overlap in 0..=head.len().min(tail.len()) {
                if head.ends_with(&tail[..overlap]) {
                    masks.insert(mask_of(&[head, &tail[overlap..]].concat()));
                }
            }
            let after = free_letter(|letter| {
                let longer = [head, &[letter]].concat();
                prefixes
                    .iter()
                    .any(|known| known.as_bytes().starts_with(&longer))
            });
            let before = free_letter(|letter| {
                let longer = [&[letter], tail].concat();
                suffixes
                    .iter()
                    .any(|known| known.as_bytes().ends_with(&longer))
            });
            masks.insert(mask_of(&[head, &[after, before], tail].concat()));
        }
    }
    masks.remove(&0);
    masks.into_iter().collect()
}

/// An unreserved character that is not `taken`.
fn free_letter(taken: impl Fn(u8) -> bool) -> u8 {
    let letters = (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9');
    letters
        .chain([b'-', b'_', b'~'])
        .find(|&letter| !taken(letter))
        .unwrap_or(b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn partials(shapes: &[(&str, &str)]) -> Vec<Shape> {
        shapes
            .iter()
            .map(|(prefix, suffix)| ((*prefix).into(), (*suffix).into()))
            .collect()
    }

    #[test]
    fn suffixes_that_exclude_each_other_make_few_masks() {
        let shapes = partials(&[("", ".css"), ("", ".html"), ("", ".js"), ("v", "")]);
        // Each suffix with and without the prefix, and the prefix alone.
        assert_eq!(possible_masks(&shapes).len(), 7);
    }

    proptest! {
        #[test]
        fn every_mask_that_a_word_has_is_found(
            shapes in prop::collection::btree_set(("[ab]{0,2}", "[ab]{0,2}"), 1..5),
            words in prop::collection::vec("[abc]{1,6}", 40),
        ) {
            let shapes: Vec<_> = shapes.iter().map(|(p, s)| (p.as_str(), s.as_str())).collect();
            let shapes = partials(&shapes);
            let masks = possible_masks(&shapes);
            for word in &words {
                let mask = shapes.iter().enumerate().fold(0u32, |mask, (bit, (prefix, suffix))| {
                    let taken = partial_takes(prefix.as_bytes(), suffix.as_bytes(), word.as_bytes());
                    mask | u32::from(taken) << bit
                });
                prop_assert!(mask == 0 || masks.contains(&mask), "{word} has {mask:b} of {shapes:?}");
            }
        }
    }
}
