//! What an automaton over segments says of paths: a path for each class, and which classes there are.
//!
//! The automaton of a table's path patterns has classes that no path has: that of its start (a path has a
//! segment), and those behind segments that a normal path cannot have. Walking it once finds a path for each
//! class that has one; the others are none.

use super::classes;
use super::readers::bytes_of;
use crate::plan::formula::ClassSet;
use crate::plan::path::{Direction, PathClasses};
use mesh_bundle::classify::path::{GraphState, PathGraph, partial_takes};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use std::cell::OnceCell;

/// A walked automaton over segments.
#[derive(Debug)]
pub(super) struct Segments {
    pub(super) graph: PathGraph,
    /// For each class the patterns that take its paths, in ascending order.
    pub(super) accepts: Vec<Vec<u32>>,
    direction: Direction,
    /// How each state is first come to.
    first: Vec<Option<Step>>,
    /// For each class the state of its shortest path, if it has one.
    shortest: Vec<Option<u32>>,
    /// For each class whether it has one path and no other.
    single: Vec<bool>,
    /// For each class the fewest and the most segments of its paths.
    lengths: Vec<(u32, u32)>,
    /// For each state those before it.
    before: OnceCell<Vec<Vec<u32>>>,
    /// A class for each byte that its patterns name.
    bytes: OnceCell<[u8; 256]>,
}

/// One segment on the way to a state.
#[derive(Debug)]
struct Step {
    from: u32,
    segment: Segment,
}

#[derive(Clone, Debug)]
enum Segment {
    /// The literal of the state before, by its index.
    Literal(u32),
    /// A word that a wildcard takes.
    Word(Box<str>),
}

impl Segments {
    pub(super) fn new(
        PathClasses { graph, accepts }: PathClasses,
        direction: Direction,
        encoded_slash: EncodedSlash,
    ) -> Self {
        let mut walk = Walk::new(&graph);
        walk.run(direction, encoded_slash);
        let classes = accepts.len();
        let mut shortest = vec![None; classes];
        let mut single = vec![true; classes];
        let mut lengths = vec![(u32::MAX, 0); classes];
        // The start comes first; a path has at least one segment.
        for &(state, depth) in &walk.order[1..] {
            let class = graph.states[state as usize].class as usize;
            single[class] &= shortest[class].is_none() && walk.is_single(state);
            shortest[class].get_or_insert(state);
            let (fewest, most) = &mut lengths[class];
            *fewest = depth.min(*fewest);
            *most = walk.deepest[state as usize].max(*most);
        }
        let first = walk.first;
        Self {
            graph,
            accepts,
            direction,
            first,
            shortest,
            single,
            lengths,
            before: OnceCell::new(),
            bytes: OnceCell::new(),
        }
    }

    /// Whether there is a path of this class.
    pub(super) fn exists(&self, class: u32) -> bool {
        self.shortest[class as usize].is_some()
    }

    /// Whether this class has one path and no other.
    pub(super) fn is_single(&self, class: u32) -> bool {
        self.single[class as usize]
    }

    /// The fewest and the most segments of the paths of a class.
    pub(super) fn lengths(&self, class: u32) -> (u32, u32) {
        self.lengths[class as usize]
    }

    /// All classes that paths have.
    pub(super) fn all(&self) -> ClassSet {
        let classes = 0..self.accepts.len() as u32;
        classes::only(classes.filter(|&class| self.exists(class)).collect())
    }

    /// The segments of the shortest path of a class, from the left.
    pub(super) fn shortest(&self, class: u32) -> Option<Vec<&str>> {
        let mut at = self.shortest[class as usize]?;
        let mut segments = Vec::new();
        while let Some(Step { from, segment }) = &self.first[at as usize] {
            segments.push(match segment {
                Segment::Literal(index) => {
                    let (text, _) = &self.graph.states[*from as usize].literals[*index as usize];
                    &**text
                }
                Segment::Word(word) => word,
            });
            at = *from;
        }
        if self.direction == Direction::Forward {
            segments.reverse();
        }
        Some(segments)
    }

    /// The class of a path whose segments these are, in the order in which the automaton reads.
    pub(super) fn class<'s>(&self, mut segments: impl Iterator<Item = &'s str>) -> u32 {
        let start = &self.graph.states[0];
        segments
            .by_ref()
            .fold(start, |state, segment| {
                &self.graph.states[next(state, segment) as usize]
            })
            .class
    }

    /// A class for each byte that its patterns name, the slash among them.
    pub(super) fn byte_classes(&self) -> [u8; 256] {
        *self.bytes.get_or_init(|| {
            let texts = self.graph.states.iter().flat_map(|state| {
                let literals = state.literals.iter().map(|(text, _)| &**text);
                let partials = state.partials.iter();
                literals.chain(partials.flat_map(|(prefix, suffix)| [&**prefix, &**suffix]))
            });
            path_bytes(texts)
        })
    }

    /// The states from which a way leads to one of a wanted class.
    pub(super) fn leads_to(&self, wanted: impl Fn(u32) -> bool) -> Vec<bool> {
        let before = self.before.get_or_init(|| {
            let mut before = vec![Vec::new(); self.graph.states.len()];
            for (state, it) in (0u32..).zip(&self.graph.states) {
                let literals = it.literals.iter().map(|(_, to)| *to);
                let masks = it.masks.iter().map(|(_, to)| *to);
                for to in literals.chain(masks).chain([it.other, it.empty]) {
                    before[to as usize].push(state);
                }
            }
            before
        });
        let states = &self.graph.states;
        let mut leads: Vec<bool> = states.iter().map(|state| wanted(state.class)).collect();
        let mut open: Vec<u32> = (0..)
            .zip(&leads)
            .filter(|(_, leads)| **leads)
            .map(|(state, _)| state)
            .collect();
        while let Some(state) = open.pop() {
            for &earlier in &before[state as usize] {
                if !std::mem::replace(&mut leads[earlier as usize], true) {
                    open.push(earlier);
                }
            }
        }
        leads
    }
}

/// A walk over the states that normal paths come to, breadth first.
struct Walk<'g> {
    graph: &'g PathGraph,
    first: Vec<Option<Step>>,
    /// The states in the order in which they are come to, and the fewest segments that it takes.
    order: Vec<(u32, u32)>,
    /// How many ways lead into a state, a wildcard counting as several.
    ways: Vec<u32>,
    /// The most segments that a path to a state has.
    deepest: Vec<u32>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g PathGraph) -> Self {
        let states = graph.states.len();
        Self {
            graph,
            first: (0..states).map(|_| None).collect(),
            order: vec![(0, 0)],
            ways: vec![0; states],
            deepest: vec![0; states],
        }
    }

    fn run(&mut self, direction: Direction, encoded_slash: EncodedSlash) {
        let mut ended = vec![false; self.graph.states.len()];
        let mut at = 0;
        while let Some(&(state, depth)) = self.order.get(at) {
            at += 1;
            let from = &self.graph.states[state as usize];
            if ended[state as usize] {
                continue; // an empty segment is the last
            }
            if from.other == state {
                // Whatever follows leads back here.
                self.ways[state as usize] += 2;
                self.deepest[state as usize] = u32::MAX;
                continue;
            }
            // The root is the plainest of all paths; behind it the plainest segment is a letter.
            if depth == 0 {
                self.enter_empty(state, depth, direction, &mut ended);
            }
            let word = |word: Option<String>| word.map(|word| Segment::Word(word.into()));
            self.enter(from.other, (state, depth), 2, || word(other_word(from)));
            for (index, (text, to)) in (0..).zip(&from.literals) {
                if is_normal(text, encoded_slash) {
                    self.enter(*to, (state, depth), 1, || Some(Segment::Literal(index)));
                }
            }
            for &(mask, to) in &from.masks {
                let found = mask_word(from, mask, encoded_slash);
                if found.is_some() {
                    self.enter(to, (state, depth), 2, || word(found));
                }
            }
            if depth > 0 {
                self.enter_empty(state, depth, direction, &mut ended);
            }
        }
    }

    /// Behind an empty segment nothing follows; read from the right it can only be the first.
    fn enter_empty(&mut self, state: u32, depth: u32, direction: Direction, ended: &mut [bool]) {
        let to = self.graph.states[state as usize].empty;
        match direction {
            Direction::Forward => ended[to as usize] = true,
            Direction::Backward if depth > 0 => return,
            Direction::Backward => {}
        }
        self.enter(to, (state, depth), 1, || Some(Segment::Word("".into())));
    }

    fn enter(
        &mut self,
        to: u32,
        (from, depth): (u32, u32),
        ways: u32,
        segment: impl FnOnce() -> Option<Segment>,
    ) {
        let at = to as usize;
        self.ways[at] = self.ways[at].saturating_add(ways);
        self.deepest[at] = self.deepest[at].max(depth + 1);
        if self.first[at].is_none()
            && to != 0
            && let Some(segment) = segment()
        {
            self.first[at] = Some(Step { from, segment });
            self.order.push((to, depth + 1));
        }
    }

    /// Whether only one path comes to a state.
    fn is_single(&self, mut state: u32) -> bool {
        while let Some(step) = &self.first[state as usize] {
            if self.ways[state as usize] > 1 {
                return false;
            }
            state = step.from;
        }
        true
    }
}

/// A class for each byte of some texts, and for the slash.
pub(super) fn path_bytes<'t>(texts: impl Iterator<Item = &'t str>) -> [u8; 256] {
    bytes_of(texts.map(str::as_bytes).chain([b"/".as_slice()]))
}

/// The state behind `segment`.
fn next(from: &GraphState, segment: &str) -> u32 {
    if segment.is_empty() {
        return from.empty;
    }
    let literal = from
        .literals
        .binary_search_by(|(text, _)| (**text).cmp(segment));
    match literal {
        Ok(index) => from.literals[index].1,
        Err(_) => by_mask(from, mask(from, segment.as_bytes())),
    }
}

/// The state behind a segment that is no literal and that these partials take.
pub(super) fn by_mask(from: &GraphState, mask: u32) -> u32 {
    let found = from.masks.binary_search_by_key(&mask, |(mask, _)| *mask);
    found.map_or(from.other, |index| from.masks[index].1)
}

/// The partials of a state that take a segment.
fn mask(from: &GraphState, segment: &[u8]) -> u32 {
    let partials = from.partials.iter().enumerate();
    partials.fold(0, |mask, (bit, (prefix, suffix))| {
        let takes = partial_takes(prefix.as_bytes(), suffix.as_bytes(), segment);
        mask | u32::from(takes) << bit
    })
}

/// Whether a normal path can have this segment.
fn is_normal(segment: &str, encoded_slash: EncodedSlash) -> bool {
    let path = format!("/{segment}");
    NormalPath::parse(&path, encoded_slash)
        .is_ok_and(|normal| normal.as_str() == path && normal.segment_count() == 1)
}

fn is_literal(state: &GraphState, word: &str) -> bool {
    let found = state
        .literals
        .binary_search_by(|(text, _)| (**text).cmp(word));
    found.is_ok()
}

/// A word that no literal and no partial of a state takes. There are always some: the partials begin or end
/// with few letters.
fn other_word(state: &GraphState) -> Option<String> {
    let enough = state.literals.len() + 36 * 37 + 1;
    words()
        .take(enough)
        .find(|word| !is_literal(state, word) && mask(state, word.as_bytes()) == 0)
}

/// `a`, `b` … `z`, `0` … `9`, `aa`, `ba` …
pub(super) fn words() -> impl Iterator<Item = String> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let count = LETTERS.len();
    (0usize..).map(move |number| {
        let mut left = number;
        let mut word = String::new();
        loop {
            word.push(char::from(LETTERS[left % count]));
            left /= count;
            if left == 0 {
                return word;
            }
            left -= 1;
        }
    })
}

/// A word that exactly these partials of a state take, and that is no literal of it.
///
/// As far as the partials see it, a word is its longest prefix and its longest suffix among theirs, and where
/// these overlap or touch its exact letters (see [`crate::plan::path`]). So there are a few words to try for
/// each pair, and, where prefix and suffix stand apart, as many as are needed.
fn mask_word(state: &GraphState, wanted: u32, encoded_slash: EncodedSlash) -> Option<String> {
    let fits = |word: &String| {
        mask(state, word.as_bytes()) == wanted
            && !is_literal(state, word)
            && is_normal(word, encoded_slash)
    };
    let mut prefixes: Vec<&str> = state.partials.iter().map(|(prefix, _)| &**prefix).collect();
    let mut suffixes: Vec<&str> = state.partials.iter().map(|(_, suffix)| &**suffix).collect();
    for all in [&mut prefixes, &mut suffixes] {
        all.push("");
        all.sort_unstable();
        all.dedup();
    }
    let pairs = || {
        let suffixes = &suffixes;
        prefixes
            .iter()
            .flat_map(move |prefix| suffixes.iter().map(move |suffix| (*prefix, *suffix)))
    };
    let apart = pairs().find_map(|(prefix, suffix)| {
        // Two letters that no partial has tell which partials take what stands apart like this.
        if mask(state, format!("{prefix}\0\0{suffix}").as_bytes()) != wanted {
            return None;
        }
        let takes = |between: &String| {
            mask(state, format!("{prefix}{between}{suffix}").as_bytes()) == wanted
        };
        let whole = |between: String| format!("{prefix}{between}{suffix}");
        let near = words().take(36 * 37).filter(takes).map(whole).find(&fits);
        near.or_else(|| {
            // All of these were literals. The same two letters at the ends keep it so, whatever stands between them;
            // one alone would not: with more behind it, it may be the beginning of another partial.
            let first = words().skip(36).take(36 * 36).find(takes)?;
            let (left, right) = first.split_at(1);
            let longer = words().take(2 * state.literals.len() + 100);
            longer
                .map(|more| whole(format!("{left}{more}{right}")))
                .find(&fits)
        })
    });
    apart.or_else(|| {
        pairs().find_map(|(prefix, suffix)| {
            let most = prefix.len().min(suffix.len());
            let overlaps = (0..=most).filter(|&overlap| prefix.ends_with(&suffix[..overlap]));
            overlaps
                .map(|overlap| format!("{prefix}{}", &suffix[overlap..]))
                .find(&fits)
        })
    })
}
