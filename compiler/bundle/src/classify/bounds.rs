//! Classes of a number: sorted bounds.

use super::OTHER;
use crate::format::{Bundle, Facet};

/// The class of `value`: that of the last bound at or below it.
#[inline]
pub(crate) fn class(bundle: &Bundle, facet: &Facet, value: u128) -> u32 {
    let start = facet.start.get() as usize;
    let bounds = &bundle.bounds()[start..start + facet.count.get() as usize];
    let above = bounds.partition_point(|bound| bound.low.get() <= value);
    above
        .checked_sub(1)
        .map_or(OTHER, |last| bounds[last].class.get())
}

/// A decimal integer as a number that sorts like it: the sign bit flipped. An integer outside of 64
/// bits counts as the nearest one inside. `None` for text that is no decimal integer.
pub fn decimal(text: &[u8]) -> Option<u128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    let value = if negative { -magnitude } else { magnitude };
    Some(decimal_number(value))
}

/// What [`decimal`] makes of `value`.
pub fn decimal_number(value: i64) -> u128 {
    u128::from(value.cast_unsigned() ^ (1 << 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_sort_like_integers() {
        let sorted = [
            "-9223372036854775808",
            "-10",
            "-9",
            "-0",
            "1",
            "9",
            "10",
            "99999999999999999999",
        ];
        let numbers: Vec<_> = sorted.iter().map(|text| decimal(text.as_bytes())).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(decimal(b"007"), decimal(b"7"));
        assert_eq!(decimal(b"7"), Some(decimal_number(7)));
    }

    #[test]
    fn other_text_is_no_decimal() {
        for text in ["", "-", "+1", "1.0", " 1", "1 ", "0x1", "1e3", "\u{661}"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }
}
