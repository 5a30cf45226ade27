//! Open addressing with a recorded bound: where the entries of a hash table go.
//!
//! Tables are a power of two of slots, probed one after the other, at most three quarters full. The
//! writer tries a few seeds and records the longest probe that any entry needs; a reader stops
//! there, so no key, however chosen, costs more than that.

/// Longer probes than this double the table.
const PROBE_LIMIT: u32 = 24;
/// Seeds tried per size.
const SEEDS: u64 = 4;

/// Where the entries of a table go.
#[derive(Debug)]
pub struct Layout {
    /// Slots; a power of two, or 0 for no entries.
    pub slots: usize,
    /// The seed for the hash.
    pub seed: u64,
    /// The longest probe, in slots passed over.
    pub probe: u32,
    /// The slot of each entry.
    pub slot_of: Vec<usize>,
}

/// Lays out `count` entries with distinct keys, given each one's hash under a seed.
pub fn lay_out(count: usize, hash: impl Fn(u64, usize) -> u64) -> Layout {
    if count == 0 {
        return Layout {
            slots: 0,
            seed: 0,
            probe: 0,
            slot_of: Vec::new(),
        };
    }
    let mut slots = (count + count.div_ceil(3)).next_power_of_two();
    loop {
        let best = (0..SEEDS)
            .map(|seed| place(count, slots, seed, &hash))
            .min_by_key(|layout| layout.probe);
        match best {
            Some(layout) if layout.probe <= PROBE_LIMIT => return layout,
            _ => slots *= 2,
        }
    }
}

fn place(count: usize, slots: usize, seed: u64, hash: impl Fn(u64, usize) -> u64) -> Layout {
    let mask = slots - 1;
    let mut taken = vec![false; slots];
    let mut longest = 0;
    let slot_of = (0..count)
        .map(|entry| {
            let mut slot = hash(seed, entry) as usize & mask;
            let mut probe = 0;
            while taken[slot] {
                slot = (slot + 1) & mask;
                probe += 1;
            }
            taken[slot] = true;
            longest = longest.max(probe);
            slot
        })
        .collect();
    Layout {
        slots,
        seed,
        probe: longest,
        slot_of,
    }
}

/// The slots to look at for a key with this hash.
#[inline]
pub(crate) fn probe(hash: u64, slots: usize, longest: u32) -> impl Iterator<Item = usize> {
    let mask = slots.wrapping_sub(1);
    let looks = if slots == 0 { 0 } else { longest as usize + 1 };
    (0..looks).map(move |step| (hash as usize).wrapping_add(step) & mask)
}

/// The half of a hash that a slot keeps, to compare before the key.
#[inline]
pub(crate) fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}
