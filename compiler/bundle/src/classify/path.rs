//! Classes of paths: an automaton over segments.
//!
//! Its alphabet is segments, not bytes: 100,000 patterns make a table of edges that a walk probes
//! once per segment. A segment that no edge names takes the state's `other` edge, unless partial
//! segments (`v{n}`, `{name}.json`) of the state match it: their yes/no answers form a mask, and the
//! masks that some segment can have are listed with their next states.
//!
//! The words of a state's partials: the number of partials k ≤ [`MAX_PARTIALS`], then for each the
//! string ids of its prefix and its suffix; the number of masks, then for each, in ascending order,
//! the mask and the next state. A partial takes a segment that is longer than its prefix and suffix
//! together, begins with the one and ends with the other.

use super::lay_out;
use super::slots::probe;
use crate::format::{Bundle, Draft, Id, PathAutomaton, PathEdge, PathState, Run, StrId, extend};
use crate::hash::hash_with;
use zerocopy::little_endian::{U32, U64};

/// Partial segments that one state may have.
pub const MAX_PARTIALS: usize = 30;

/// The class of a path whose segments these are (in the automaton's direction).
#[inline]
pub(crate) fn class<'s>(
    bundle: &Bundle,
    automaton: &PathAutomaton,
    segments: impl Iterator<Item = &'s str>,
) -> u32 {
    let states = &bundle.path_states()[automaton.states.range()];
    let edges = &bundle.path_edges()[automaton.edges.range()];
    let seed = automaton.seed.get();
    let longest = automaton.probe.get();
    let mut state = 0;
    for segment in segments {
        let next = step(bundle, states, edges, (seed, longest), state, segment);
        state = next & !PathState::FINAL;
        if next & PathState::FINAL != 0 {
            break;
        }
    }
    states[state as usize].class.get()
}

#[inline]
fn step(
    bundle: &Bundle,
    states: &[PathState],
    edges: &[PathEdge],
    (seed, longest): (u64, u32),
    state: u32,
    segment: &str,
) -> u32 {
    let from = &states[state as usize];
    if segment.is_empty() {
        return from.empty.get();
    }
    let hash = hash_with(seed, state, segment.as_bytes());
    for slot in probe(hash, edges.len(), longest) {
        let edge = &edges[slot];
        if edge.state.get() == PathEdge::EMPTY_STATE {
            break;
        }
        if edge.state.get() == state && edge_segment(bundle, edge) == segment.as_bytes() {
            return edge.next.get();
        }
    }
    match from.partials.get() {
        u32::MAX => from.other.get(),
        at => partials(bundle, at as usize, segment).unwrap_or(from.other.get()),
    }
}

/// The segment of an edge.
#[inline]
fn edge_segment<'b>(bundle: &'b Bundle, edge: &'b PathEdge) -> &'b [u8] {
    match edge.length {
        PathEdge::LONG => bundle.str_bytes(long_segment(edge)),
        length => &edge.segment[..usize::from(length)],
    }
}

/// The string of a segment that does not fit into its slot.
pub(crate) fn long_segment(edge: &PathEdge) -> StrId {
    let [a, b, c, d, ..] = edge.segment;
    StrId::new(u32::from_le_bytes([a, b, c, d]))
}

/// Whether a partial segment takes `segment`.
pub fn partial_takes(prefix: &[u8], suffix: &[u8], segment: &[u8]) -> bool {
    segment.len() > prefix.len() + suffix.len()
        && segment.starts_with(prefix)
        && segment.ends_with(suffix)
}

/// The next state by the mask of partials that take `segment`; `None` where none does.
fn partials(bundle: &Bundle, at: usize, segment: &str) -> Option<u32> {
    let words = &bundle.path_partials()[at..];
    let count = words[0].get() as usize;
    let (partials, masks) = words[1..].split_at(2 * count);
    let mut mask = 0;
    for (bit, partial) in partials.as_chunks::<2>().0.iter().enumerate() {
        let [prefix, suffix] = partial.map(|id| bundle.str_bytes(StrId::new(id.get())));
        mask |= u32::from(partial_takes(prefix, suffix, segment.as_bytes())) << bit;
    }
    let mask_count = masks[0].get() as usize;
    let masks = &masks[1..=2 * mask_count].as_chunks::<2>().0;
    let found = masks.binary_search_by_key(&mask, |[mask, _]| mask.get());
    found.ok().map(|index| masks[index][1].get())
}

/// An automaton as the compiler builds it. State 0 is the start.
#[derive(Clone, Debug, Default)]
pub struct PathGraph {
    /// Its states.
    pub states: Vec<GraphState>,
    /// Its classes; those of its states are lower.
    pub class_count: u32,
}

/// A state of a [`PathGraph`]. Next states are indices.
#[derive(Clone, Debug)]
pub struct GraphState {
    /// Next on a segment that nothing below names.
    pub other: u32,
    /// Next on the empty segment.
    pub empty: u32,
    /// The class of a path that ends here.
    pub class: u32,
    /// Next on these segments.
    pub literals: Vec<(Box<str>, u32)>,
    /// Partial segments (prefix, suffix), at most [`MAX_PARTIALS`].
    pub partials: Vec<(Box<str>, Box<str>)>,
    /// Next by the mask of the partials that take the segment, in ascending order of masks. All
    /// masks but 0 that some segment has.
    pub masks: Vec<(u32, u32)>,
}

impl PathGraph {
    /// Whether a walk may stop on reaching `state`: every way on leads back to it.
    fn is_final(&self, state: u32) -> bool {
        let it = &self.states[state as usize];
        it.other == state && it.empty == state && it.literals.is_empty() && it.partials.is_empty()
    }

    /// Writes the automaton.
    pub fn write(&self, draft: &mut Draft) -> Id<PathAutomaton> {
        let next = |state: u32| {
            state
                | if self.is_final(state) {
                    PathState::FINAL
                } else {
                    0
                }
        };

        let entries: Vec<(u32, &str, u32)> = (0u32..)
            .zip(&self.states)
            .flat_map(|(from, state)| {
                let literals = state.literals.iter();
                literals.map(move |(segment, to)| (from, &**segment, *to))
            })
            .collect();
        let layout = lay_out(entries.len(), |seed, index| {
            let (from, segment, _) = entries[index];
            hash_with(seed, from, segment.as_bytes())
        });
        let mut slots = vec![PathEdge::EMPTY; layout.slots];
        for (&(from, segment, to), &slot) in entries.iter().zip(&layout.slot_of) {
            let (length, segment) = encode_segment(draft, segment);
            slots[slot] = PathEdge {
                state: U32::new(from),
                next: U32::new(next(to)),
                length,
                segment,
            };
        }

        let mut states = Vec::with_capacity(self.states.len());
        for state in &self.states {
            states.push(PathState {
                other: U32::new(next(state.other)),
                empty: U32::new(next(state.empty)),
                class: U32::new(state.class),
                partials: U32::new(write_partials(draft, state, next)),
            });
        }
        let automaton = PathAutomaton {
            states: extend(&mut draft.path_states, states),
            edges: extend(&mut draft.path_edges, slots),
            seed: U64::new(layout.seed),
            probe: U32::new(layout.probe),
            class_count: U32::new(self.class_count),
        };
        let run: Run<PathAutomaton> = extend(&mut draft.path_automata, [automaton]);
        Id::new(run.start() as u32)
    }
}

fn encode_segment(draft: &mut Draft, segment: &str) -> (u8, [u8; PathEdge::INLINE]) {
    let mut bytes = [0; PathEdge::INLINE];
    if segment.len() <= PathEdge::INLINE {
        bytes[..segment.len()].copy_from_slice(segment.as_bytes());
        return (segment.len() as u8, bytes);
    }
    let id = draft.string(segment).index() as u32;
    bytes[..4].copy_from_slice(&id.to_le_bytes());
    (PathEdge::LONG, bytes)
}

fn write_partials(draft: &mut Draft, state: &GraphState, next: impl Fn(u32) -> u32) -> u32 {
    if state.partials.is_empty() {
        return u32::MAX;
    }
    let mut words = vec![state.partials.len() as u32];
    for (prefix, suffix) in &state.partials {
        words.push(draft.string(prefix).index() as u32);
        words.push(draft.string(suffix).index() as u32);
    }
    words.push(state.masks.len() as u32);
    for &(mask, to) in &state.masks {
        words.extend([mask, next(to)]);
    }
    extend(&mut draft.path_partials, words.into_iter().map(U32::new)).start() as u32
}
