//! Numbers: whole ones, percentages, sizes.

use std::fmt;

use nom::character::complete::{char, digit1};
use nom::combinator::{opt, rest};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::ValueError;
use super::time::{ScaleError, scaled};
use crate::codes::Code;

/// `12`, `.5` and what follows.
fn number(input: &str) -> IResult<&str, (&str, Option<&str>, &str), ()> {
    (digit1, opt(preceded(char('.'), digit1)), rest).parse_complete(input)
}

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(pub u64);

impl Integer {
    /// Reads `3`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        match number(text) {
            Ok((_, (whole, None, ""))) => whole
                .parse()
                .map(Self)
                .map_err(|_| ValueError::new(format!("`{text}` is too large a number"))),
            _ => Err(ValueError::new(format!("`{text}` is no whole number"))),
        }
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A share, exact in millionths: 10 % is 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    millionths: u32,
}

impl Percent {
    /// Everything.
    pub const ALL: Self = Self {
        millionths: 1_000_000,
    };

    /// So many millionths; none above all of them.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::ALL.millionths {
            Some(Self { millionths })
        } else {
            None
        }
    }

    /// In millionths of the whole, at most 1,000,000.
    pub const fn millionths(self) -> u32 {
        self.millionths
    }

    /// Reads `10%` or `0.01%`, with at most four decimals.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let no_percentage =
            || ValueError::new(format!("`{text}` is no percentage; `10%` and `0.01%` are"));
        let Ok((_, (whole, fraction, unit))) = number(text) else {
            return Err(no_percentage());
        };
        match unit {
            "%" => {}
            "" => {
                return Err(ValueError::with_code(
                    Code::MissingUnit,
                    format!("`{text}` is a percentage only with its `%`"),
                )
                .perhaps(format!("{text}%")));
            }
            _ => return Err(no_percentage()),
        }
        let over = || ValueError::new(format!("`{text}` is more than everything"));
        match scaled(whole, fraction, 10_000) {
            Ok(millionths) => u32::try_from(millionths)
                .ok()
                .and_then(Self::from_millionths)
                .ok_or_else(over),
            Err(ScaleError::TooLarge) => Err(over()),
            Err(ScaleError::Uneven) => Err(ValueError::new(format!(
                "`{text}` has more than four decimals"
            ))),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{rest:04}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u64,
}

/// The units of sizes, larger ones first; of two as large the one to write.
const UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

impl Size {
    /// A size of so many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    /// Reads `64KiB` (65,536 bytes) or `1MB` (1,000,000 bytes).
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let Ok((_, (whole, fraction, unit))) = number(text) else {
            return Err(ValueError::new(format!(
                "`{text}` is no size; `64KiB` and `1MB` are"
            )));
        };
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(Self::other_unit(text, unit));
        };
        let bytes = scaled(whole, fraction, *scale).map_err(|error| {
            ValueError::new(match error {
                ScaleError::TooLarge => format!("`{text}` is more than 16 EiB"),
                ScaleError::Uneven => format!("`{text}` is not a whole number of bytes"),
            })
        })?;
        let size = Self { bytes };
        if fraction.is_some() {
            return Err(
                ValueError::new(format!("`{text}` is no whole number of its unit"))
                    .meaning(size.to_string()),
            );
        }
        Ok(size)
    }

    fn other_unit(text: &str, unit: &str) -> ValueError {
        let number = &text[..text.len() - unit.len()];
        if unit.is_empty() {
            return ValueError::with_code(
                Code::MissingUnit,
                format!("`{text}` is a size only with a unit, such as `{text}KiB` or `{text}B`"),
            );
        }
        let error = ValueError::new(format!(
            "`{unit}` is no unit of a size; `KiB`, `MiB` and `GiB` are powers of 1024, `KB`, `MB` and `GB` of 1000"
        ));
        let spelt = |candidate: &str| {
            let candidate = candidate.to_ascii_lowercase();
            let unit = unit.to_ascii_lowercase();
            // `64k` and `64Ki` are habits as `64kb` is.
            [candidate.as_str(), candidate.trim_end_matches('b')].contains(&unit.as_str())
        };
        match UNITS.iter().find(|(name, _)| spelt(name)) {
            Some((name, _)) => error.perhaps(format!("{number}{name}")),
            None => error,
        }
    }
}

impl fmt::Display for Size {
    /// As one number: in the largest unit that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = UNITS
            .iter()
            .find(|(_, scale)| self.bytes > 0 && self.bytes.is_multiple_of(*scale))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.bytes / scale)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn suggestion(error: &ValueError) -> &str {
        error.suggestion.as_ref().map_or("", |found| &found.text)
    }

    #[test]
    fn integers_are_whole() {
        assert_eq!(Integer::parse("007"), Ok(Integer(7)));
        for text in ["", "x", "1.5", "-1", "3s", "99999999999999999999"] {
            assert!(Integer::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_are_exact_to_a_millionth() {
        for (text, millionths) in [
            ("10%", 100_000),
            ("0.01%", 100),
            ("0.0001%", 1),
            ("100%", 1_000_000),
            ("33.3333%", 333_333),
            ("0%", 0),
            ("12.50%", 125_000),
        ] {
            assert_eq!(
                Percent::parse(text).unwrap().millionths(),
                millionths,
                "{text}"
            );
        }
        assert_eq!(Percent::parse("12.50%").unwrap().to_string(), "12.5%");
        assert_eq!(Percent::parse("0.0100%").unwrap().to_string(), "0.01%");
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in [
            "",
            "%",
            "101%",
            "100.0001%",
            "0.00001%",
            "x%",
            "-1%",
            "1e2%",
        ] {
            assert!(Percent::parse(text).is_err(), "{text}");
        }
        let error = Percent::parse("10").unwrap_err();
        assert_eq!(error.code, Code::MissingUnit);
        assert_eq!(suggestion(&error), "10%");
        assert!(Percent::parse(&format!("0.{}%", "1".repeat(99))).is_err());
    }

    #[test]
    fn sizes_tell_decimal_from_binary() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("64KB", 64_000),
            ("1MB", 1_000_000),
            ("1MiB", 1_048_576),
            ("512B", 512),
            ("2GiB", 2_147_483_648),
        ] {
            let size = Size::parse(text).unwrap();
            assert_eq!(size.bytes(), bytes, "{text}");
            assert_eq!(Size::parse(&size.to_string()), Ok(size));
        }
    }

    #[test]
    fn other_spellings_of_sizes_are_corrected() {
        for (text, right) in [
            ("64kb", "64KB"),
            ("64KIB", "64KiB"),
            ("64k", "64KB"),
            ("64Ki", "64KiB"),
            ("1m", "1MB"),
            ("1.5MiB", "1536KiB"),
            ("1.5KB", "1500B"),
        ] {
            assert_eq!(suggestion(&Size::parse(text).unwrap_err()), right, "{text}");
        }
        assert_eq!(Size::parse("64").unwrap_err().code, Code::MissingUnit);
        for text in ["", "KiB", "5x", "99999999TiB", "0.0001KiB"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }
}
