//! Readers of paths: of certain classes, with certain tails, of certain lengths.
//!
//! They read a path byte by byte, as the readers of text do, so that path patterns and regular expressions on
//! the path can be asked together. Within a segment a state remembers what the segment may still be: which of
//! the literals that are due here, and which partials its beginning and its end fit.

use super::classes::has;
use super::readers::{Run, States};
use super::segments::{Segments, by_mask, path_bytes};
use super::word::{Outlook, Reader};
use crate::plan::formula::ClassSet;
use crate::plan::path::{Pattern, Segment};
use mesh_bundle::classify::FIRST;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// What a segment may be where it begins.
struct Due<'p> {
    /// Literals, none of them empty, sorted.
    literals: Vec<&'p str>,
    /// Prefixes and suffixes of partials.
    partials: Vec<(&'p str, &'p str)>,
    /// Longer segments are not told apart by their length.
    enough: u32,
}

/// A segment, read so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scan {
    /// Literals that begin so.
    literals: Run,
    /// Partials whose prefix begins so, or was passed.
    prefixes: u128,
    /// The longest end of what was read with which a suffix begins.
    end: Box<str>,
    /// Bytes read, as far as they matter.
    length: u32,
}

/// A whole segment.
struct Whole {
    empty: bool,
    literal: Option<usize>,
    partials: u128,
}

/// Partials that one place can tell apart.
const MAX_PARTIALS: usize = 128;

impl<'p> Due<'p> {
    fn new(literals: Vec<&'p str>, partials: Vec<(&'p str, &'p str)>) -> Self {
        let longest = partials
            .iter()
            .map(|(prefix, suffix)| prefix.len() + suffix.len());
        Self {
            enough: 1 + longest.max().unwrap_or(0) as u32,
            literals,
            partials,
        }
    }

    fn begin(&self) -> Scan {
        Scan {
            literals: Run::all(self.literals.len()),
            prefixes: (1u128.checked_shl(self.partials.len() as u32))
                .map_or(u128::MAX, |above| above - 1),
            end: "".into(),
            length: 0,
        }
    }

    fn push(&self, scan: &Scan, byte: u8) -> Scan {
        let at = scan.length as usize;
        let mut prefixes = scan.prefixes;
        for (bit, (prefix, _)) in self.partials.iter().enumerate() {
            // Past the length that matters every prefix was passed.
            if prefix.as_bytes().get(at).is_some_and(|due| *due != byte) {
                prefixes &= !(1 << bit);
            }
        }
        let mut end = scan.end.to_string();
        end.push(char::from(byte));
        let begins = |end: &str| {
            self.partials
                .iter()
                .any(|(_, suffix)| suffix.starts_with(end))
        };
        while !begins(&end) && !end.is_empty() {
            end.remove(0);
        }
        Scan {
            literals: scan.literals.next(&self.literals, byte),
            prefixes,
            end: end.into(),
            length: (scan.length + 1).min(self.enough),
        }
    }

    fn whole(&self, scan: &Scan) -> Whole {
        let mut partials = 0;
        for (bit, (prefix, suffix)) in self.partials.iter().enumerate() {
            let takes = scan.prefixes >> bit & 1 == 1
                && scan.length as usize > prefix.len() + suffix.len()
                && scan.end.ends_with(suffix);
            partials |= u128::from(takes) << bit;
        }
        Whole {
            empty: scan.length == 0,
            literal: scan.literals.complete(&self.literals),
            partials,
        }
    }
}

/// Where a reader of segments is: before the first slash, nowhere that a path leads, or in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum At {
    Before,
    Nowhere,
    /// In a segment that begins at this state.
    In(u32, Scan),
}

/// "A path of one of these classes", by the automaton that reads from the left.
pub(super) struct OfClass<'p> {
    segments: &'p Segments,
    wanted: Box<dyn Fn(u32) -> bool + 'p>,
    /// From which states a way leads to a wanted class.
    hope: Vec<bool>,
    due: HashMap<u32, Rc<Hopeful<'p>>>,
    classes: [u8; 256],
    states: States<At>,
}

/// What may come at a state, and how many of its first literals lead to a wanted class.
struct Hopeful<'p> {
    due: Due<'p>,
    literals: Vec<u32>,
    /// Whether other segments do.
    others: bool,
}

impl<'p> OfClass<'p> {
    pub(super) fn new(segments: &'p Segments, wanted: impl Fn(u32) -> bool + 'p) -> Self {
        Self {
            hope: segments.leads_to(&wanted),
            classes: segments.byte_classes(),
            segments,
            wanted: Box::new(wanted),
            due: HashMap::new(),
            states: States::new(),
        }
    }

    fn due(&mut self, state: u32) -> Rc<Hopeful<'p>> {
        let (segments, hope) = (self.segments, &self.hope);
        let due = self.due.entry(state).or_insert_with(|| {
            let it = &segments.graph.states[state as usize];
            let mut count = 0;
            let mut literals = vec![0];
            for (_, to) in &it.literals {
                count += u32::from(hope[*to as usize]);
                literals.push(count);
            }
            let masks = it.masks.iter().map(|(_, to)| *to);
            let mut others = masks.chain([it.other, it.empty]);
            let texts = it.literals.iter().map(|(text, _)| &**text);
            let partials = it.partials.iter();
            let partials = partials.map(|(prefix, suffix)| (&**prefix, &**suffix));
            Rc::new(Hopeful {
                due: Due::new(texts.collect(), partials.collect()),
                literals,
                others: others.any(|to| hope[to as usize]),
            })
        });
        Rc::clone(due)
    }

    /// The state behind a segment.
    fn leave(&mut self, state: u32, scan: &Scan) -> u32 {
        let whole = self.due(state).due.whole(scan);
        let from = &self.segments.graph.states[state as usize];
        match whole {
            Whole { empty: true, .. } => from.empty,
            Whole {
                literal: Some(index),
                ..
            } => from.literals[index].1,
            Whole { partials, .. } => by_mask(from, partials as u32),
        }
    }
}

impl Reader for OfClass<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        &self.classes
    }

    fn start(&mut self) -> u32 {
        self.states.number(At::Before)
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let next = match (self.states.get(state).clone(), byte) {
            (At::Before, b'/') => At::In(0, self.due(0).due.begin()),
            (At::Before | At::Nowhere, _) => At::Nowhere,
            (At::In(from, scan), b'/') => {
                let to = self.leave(from, &scan);
                At::In(to, self.due(to).due.begin())
            }
            (At::In(from, scan), byte) => At::In(from, self.due(from).due.push(&scan, byte)),
        };
        self.states.number(next)
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let (from, scan) = match self.states.get(state) {
            At::Before => return Outlook::Later,
            At::Nowhere => return Outlook::Never,
            At::In(from, scan) => (*from, scan.clone()),
        };
        let to = self.leave(from, &scan);
        let due = self.due(from);
        let run = scan.literals;
        let hope = due.others || due.literals[run.end as usize] > due.literals[run.start as usize];
        if (self.wanted)(self.segments.graph.states[to as usize].class) {
            Outlook::Here
        } else if hope {
            Outlook::Later
        } else {
            Outlook::Never
        }
    }
}

/// "A path with one of these tails": what the patterns with a `**` that is not final have behind it.
///
/// The automaton of tails reads from the right. Here they are read from the left, and a tail may begin at
/// every segment: a state is the places in the patterns at which the path may be.
pub(super) struct OfTail<'p> {
    nodes: Vec<Node<'p>>,
    /// For each set of patterns that take one path its class.
    class_of: HashMap<&'p [u32], u32>,
    wanted: &'p ClassSet,
    places: States<Vec<u32>>,
    due: HashMap<u32, Rc<Due<'p>>>,
    classes: [u8; 256],
    states: States<At>,
}

/// A place in the patterns.
#[derive(Default)]
struct Node<'p> {
    literals: BTreeMap<&'p str, u32>,
    any: Option<u32>,
    partials: BTreeMap<(&'p str, &'p str), u32>,
    ends: Vec<u32>,
}

impl<'p> OfTail<'p> {
    /// `patterns` are as the automaton reads them, from the right, and `accepts` are its classes. None if
    /// more partials compete than can be told apart.
    pub(super) fn new(
        patterns: &'p [Pattern],
        accepts: &'p [Vec<u32>],
        wanted: &'p ClassSet,
    ) -> Option<Self> {
        let mut nodes: Vec<Node<'p>> = vec![Node::default()];
        let mut texts: Vec<&str> = Vec::new();
        let mut shapes = BTreeSet::new();
        for (id, pattern) in (0u32..).zip(patterns) {
            let mut at = 0;
            for segment in pattern.iter().rev() {
                let new = nodes.len() as u32;
                let node = &mut nodes[at as usize];
                at = match segment {
                    Segment::Literal(text) => {
                        texts.push(text);
                        *node.literals.entry(text).or_insert(new)
                    }
                    Segment::Any => *node.any.get_or_insert(new),
                    Segment::Partial(prefix, suffix) => {
                        texts.extend([&**prefix, &**suffix]);
                        shapes.insert((prefix, suffix));
                        *node.partials.entry((prefix, suffix)).or_insert(new)
                    }
                    Segment::Rest => 0,
                };
                if at == new {
                    nodes.push(Node::default());
                }
            }
            nodes[at as usize].ends.push(id);
        }
        (shapes.len() <= MAX_PARTIALS).then(|| Self {
            nodes,
            class_of: accepts.iter().map(Vec::as_slice).zip(0..).collect(),
            wanted,
            places: States::new(),
            due: HashMap::new(),
            classes: path_bytes(texts.into_iter()),
            states: States::new(),
        })
    }

    fn due(&mut self, places: u32) -> Rc<Due<'p>> {
        let nodes = &self.nodes;
        let at = self.places.get(places);
        let due = self.due.entry(places).or_insert_with(|| {
            let at = || at.iter().map(|&node| &nodes[node as usize]);
            let literals: BTreeSet<&str> = at()
                .flat_map(|node| node.literals.keys().copied())
                .collect();
            let partials: BTreeSet<_> = at()
                .flat_map(|node| node.partials.keys().copied())
                .collect();
            let literals = literals.into_iter().filter(|text| !text.is_empty());
            Rc::new(Due::new(literals.collect(), partials.into_iter().collect()))
        });
        Rc::clone(due)
    }

    /// The places behind a segment; a tail may always begin there.
    fn leave(&mut self, places: u32, scan: &Scan) -> u32 {
        let due = self.due(places);
        let whole = due.whole(scan);
        let literal = whole.literal.map_or("", |index| due.literals[index]);
        let mut next = BTreeSet::from([0]);
        for &node in self.places.get(places) {
            let node = &self.nodes[node as usize];
            if whole.empty || whole.literal.is_some() {
                next.extend(node.literals.get(literal));
            }
            if whole.empty {
                continue;
            }
            next.extend(node.any);
            for (bit, shape) in due.partials.iter().enumerate() {
                if whole.partials >> bit & 1 == 1 {
                    next.extend(node.partials.get(shape));
                }
            }
        }
        self.places.number(next.into_iter().collect())
    }
}

impl Reader for OfTail<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        &self.classes
    }

    fn start(&mut self) -> u32 {
        self.states.number(At::Before)
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let next = match (self.states.get(state).clone(), byte) {
            (At::Before, b'/') => {
                let start = self.places.number(vec![0]);
                At::In(start, self.due(start).begin())
            }
            (At::Before | At::Nowhere, _) => At::Nowhere,
            (At::In(from, scan), b'/') => {
                let to = self.leave(from, &scan);
                At::In(to, self.due(to).begin())
            }
            (At::In(from, scan), byte) => At::In(from, self.due(from).push(&scan, byte)),
        };
        self.states.number(next)
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let (from, scan) = match self.states.get(state) {
            At::Before => return Outlook::Later,
            At::Nowhere => return Outlook::Never,
            At::In(from, scan) => (*from, scan.clone()),
        };
        let to = self.leave(from, &scan);
        let places = self.places.get(to).iter();
        let ends = places.flat_map(|&node| &self.nodes[node as usize].ends);
        let ends: BTreeSet<u32> = ends.copied().collect();
        let ends: Vec<u32> = ends.into_iter().collect();
        let class = self.class_of.get(ends.as_slice());
        if class.is_some_and(|class| has(self.wanted, *class)) {
            Outlook::Here
        } else {
            Outlook::Later
        }
    }
}

/// "A path with so many segments."
pub(super) struct OfLength<'p> {
    bounds: &'p [u128],
    wanted: &'p ClassSet,
    classes: [u8; 256],
}

impl<'p> OfLength<'p> {
    pub(super) fn new(bounds: &'p [u128], wanted: &'p ClassSet) -> Self {
        let mut classes = [0; 256];
        classes[usize::from(b'/')] = 1;
        Self {
            bounds,
            wanted,
            classes,
        }
    }

    fn has(&self, count: u128) -> bool {
        let class = self.bounds.partition_point(|bound| *bound <= count) as u32;
        class > 0 && has(self.wanted, FIRST + class - 1)
    }
}

impl Reader for OfLength<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        &self.classes
    }

    fn start(&mut self) -> u32 {
        0
    }

    /// A state is the number of segments, up to the last bound.
    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let most = self.bounds.last().copied().unwrap_or(0);
        let more = u32::from(byte == b'/' && u128::from(state) < most);
        state + more
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let here = self.has(state.into());
        // Behind the last bound nothing changes any more.
        let mut later = self.bounds.iter().filter(|bound| **bound > state.into());
        match (here, later.all(|bound| self.has(*bound) == here)) {
            (true, true) => Outlook::Always,
            (false, true) => Outlook::Never,
            (true, false) => Outlook::Here,
            (false, false) => Outlook::Later,
        }
    }
}
