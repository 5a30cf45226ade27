//! The 64-bit hash of the bundle's tables. Its definition is part of the format: a table written by
//! one build is probed by another.
//!
//! It folds 8 bytes at a time with a 64×64→128-bit multiplication (the construction of wyhash and
//! its relatives). It is fast and spreads well; it is *not* meant to resist someone who looks for
//! collisions. What keeps a hostile request from making a lookup slow is that each table records the
//! longest probe it needed when it was built, and no lookup goes further.

const A: u64 = 0x2d35_8dcc_aa6c_78a5;
const B: u64 = 0x8bb8_4b93_962e_acc9;
const C: u64 = 0x4b33_a62e_d433_d4a3;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hashes `bytes` under `seed`.
#[inline]
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(A);
    let (chunks, tail) = bytes.as_chunks::<8>();
    for chunk in chunks {
        state = fold(state ^ u64::from_le_bytes(*chunk), B);
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        state = fold(state ^ u64::from_le_bytes(last), B);
    }
    fold(state ^ A, C)
}

/// Hashes a number beside `bytes`: the key of tables that hold several maps at once, such as the
/// edges of all states of a path automaton.
#[inline]
pub fn hash_with(seed: u64, number: u32, bytes: &[u8]) -> u64 {
    hash(seed ^ u64::from(number).wrapping_mul(C), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_part_of_the_format() {
        // If one of these changes, every bundle written before is unreadable: bump the major version.
        assert_eq!(hash(0, b""), 0x3841_f612_3767_19ec);
        assert_eq!(hash(0, b"reviews"), 0x1843_1379_8eb4_349e);
        assert_eq!(hash(7, b"a segment longer than 8"), 0x0ebd_522f_1364_648a);
        assert_eq!(hash_with(0, 3, b"reviews"), 0x94a9_3712_c794_158d);
    }

    #[test]
    fn tail_bytes_and_length_count() {
        assert_ne!(hash(0, b"a"), hash(0, b"a\0"));
        assert_ne!(hash(0, b""), hash(0, b"\0"));
    }
}
