//! HTTP statuses, their classes and ranges.

use std::fmt;

use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::one_of;
use nom::combinator::all_consuming;
use nom::sequence::terminated;

use super::{Integer, ValueError};

/// A status from 100 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// The status of this number, if there is one.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 100 && number <= 599 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Reads `503`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Integer::parse(text)
            .ok()
            .and_then(|number| u16::try_from(number.0).ok())
            .and_then(Self::new)
            .ok_or_else(|| {
                ValueError::new(format!(
                    "`{text}` is no status; they go from `100` to `599`"
                ))
            })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The statuses from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusSet {
    /// The first one.
    pub from: Status,
    /// The last one.
    pub to: Status,
}

impl StatusSet {
    /// Reads `503` or `5xx`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let mut class = all_consuming(terminated(one_of::<_, _, ()>("12345"), tag("xx")));
        if let Ok((_, digit)) = class.parse_complete(text) {
            let hundred = digit.to_digit(10).unwrap_or(1) as u16 * 100;
            return Ok(Self {
                from: Status(hundred),
                to: Status(hundred + 99),
            });
        }
        let status = Status::parse(text).map_err(|error| {
            let lower = text.to_ascii_lowercase();
            if text != lower && Self::parse(&lower).is_ok() {
                error.meaning(lower)
            } else {
                error
            }
        })?;
        Ok(Self {
            from: status,
            to: status,
        })
    }

    /// Reads the two sides of `500..599`.
    pub fn parse_range(from: &str, to: &str) -> Result<Self, ValueError> {
        let set = Self {
            from: Status::parse(from)?,
            to: Status::parse(to)?,
        };
        if set.from > set.to {
            return Err(ValueError::new(format!("`{from}` is above `{to}`"))
                .meaning(format!("{to}..{from}")));
        }
        Ok(set)
    }

    /// Whether it has this status.
    pub fn contains(self, status: Status) -> bool {
        self.from <= status && status <= self.to
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        if from == to {
            from.fmt(f)
        } else if from.0 % 100 == 0 && to.0 == from.0 + 99 {
            write!(f, "{}xx", from.0 / 100)
        } else {
            write!(f, "{from}..{to}")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn statuses_classes_and_ranges() {
        assert_eq!(Status::parse("503").unwrap().number(), 503);
        let class = StatusSet::parse("5xx").unwrap();
        assert_eq!((class.from.number(), class.to.number()), (500, 599));
        assert_eq!(class, StatusSet::parse_range("500", "599").unwrap());
        assert_eq!(class.to_string(), "5xx");
        assert_eq!(StatusSet::parse("204").unwrap().to_string(), "204");
        let range = StatusSet::parse_range("200", "204").unwrap();
        assert_eq!(range.to_string(), "200..204");
        assert!(range.contains(Status::parse("201").unwrap()));
        assert!(!range.contains(Status::parse("205").unwrap()));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["", "99", "600", "9xx", "0xx", "5x", "5xxx", "70000", "ok"] {
            assert!(StatusSet::parse(text).is_err(), "{text}");
        }
        let error = StatusSet::parse("5XX").unwrap_err();
        assert_eq!(error.suggestion.unwrap().text, "5xx");
        assert!(StatusSet::parse_range("599", "500").is_err());
    }
}
