//! Classes of a field that is only compared with whole values: a hash table.

use super::slots::{probe, tag};
use super::{OTHER, lay_out};
use crate::format::{Bundle, Draft, Facet, Literal, StrId, extend};
use crate::hash::hash;
use zerocopy::little_endian::{U32, U64};

/// Writes the table of `values` with their classes and points `facet` at it.
pub fn write(draft: &mut Draft, facet: &mut Facet, values: &[(&[u8], u32)]) {
    let layout = lay_out(values.len(), |seed, index| hash(seed, values[index].0));
    let mut slots = vec![Literal::EMPTY; layout.slots];
    for (&(value, class), &slot) in values.iter().zip(&layout.slot_of) {
        slots[slot] = Literal {
            tag: U32::new(tag(hash(layout.seed, value))),
            value: draft.bytes(value),
            class: U32::new(class),
        };
    }
    let run = extend(&mut draft.literals, slots);
    facet.start = U32::new(run.start() as u32);
    facet.count = U32::new(run.len() as u32);
    facet.seed = U64::new(layout.seed);
    facet.probe = U32::new(layout.probe);
}

/// The class of `value`.
#[inline]
pub(crate) fn class(bundle: &Bundle, facet: &Facet, value: &[u8]) -> u32 {
    let start = facet.start.get() as usize;
    let count = facet.count.get() as usize;
    let slots = &bundle.literals()[start..start + count];
    let hash = hash(facet.seed.get(), value);
    for slot in probe(hash, count, facet.probe.get()) {
        let literal = &slots[slot];
        let class = literal.class.get();
        if class == OTHER {
            return OTHER; // an empty slot ends the probe
        }
        let id: StrId = literal.value;
        if literal.tag.get() == tag(hash) && bundle.str_bytes(id) == value {
            return class;
        }
    }
    OTHER
}
