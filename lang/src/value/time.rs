//! Durations, rates and dates.

use std::fmt;

use nom::bytes::complete::take_till;
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, opt, verify};
use nom::multi::many1;
use nom::sequence::{preceded, separated_pair};
use nom::{IResult, Parser};

use super::ValueError;
use crate::codes::Code;

/// A length of time, exact in whole nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: u64,
}

/// The units of durations, longest first, and how many nanoseconds each has.
const UNITS: &[(&str, u64)] = &[
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SECOND: u64 = 1_000_000_000;

/// How other languages write the units.
const HABITS: &[(&str, &str)] = &[
    ("day", "d"),
    ("days", "d"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("µs", "us"),
    ("usec", "us"),
    ("micros", "us"),
    ("nsec", "ns"),
];

/// `12`, `.5` and `ms` of `12.5ms`.
struct Part<'t> {
    whole: &'t str,
    fraction: Option<&'t str>,
    unit: &'t str,
}

fn part(input: &str) -> IResult<&str, Part<'_>, ()> {
    let unit = take_till(|character: char| character.is_ascii_digit() || character == '.');
    let (rest, (whole, fraction, unit)) =
        (digit1, opt(preceded(char('.'), digit1)), unit).parse_complete(input)?;
    Ok((
        rest,
        Part {
            whole,
            fraction,
            unit,
        },
    ))
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { nanoseconds: 0 };

    /// The duration of so many nanoseconds.
    pub const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self { nanoseconds }
    }

    /// In whole nanoseconds.
    pub const fn nanoseconds(self) -> u64 {
        self.nanoseconds
    }

    /// As the standard library has it.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.nanoseconds)
    }

    /// Reads `250ms`, `5s`, `1m30s`: whole numbers, each with a unit, from the longest unit to the
    /// shortest.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let Ok((_, parts)) = all_consuming(many1(part)).parse_complete(text) else {
            return Err(ValueError::new(format!(
                "`{text}` is no duration; `250ms` and `1m30s` are"
            )));
        };
        if let [number] = parts.as_slice()
            && number.unit.is_empty()
        {
            return Err(ValueError::with_code(
                Code::MissingUnit,
                format!("`{text}` is a duration only with a unit, such as `{text}s` or `{text}ms`"),
            ));
        }
        let units = parts
            .iter()
            .map(|part| unit(text, part.unit))
            .collect::<Result<Vec<_>, _>>()?;
        let too_long = || ValueError::new(format!("`{text}` is longer than 584 years"));
        let mut nanoseconds = 0_u64;
        for (part, &scale) in parts.iter().zip(&units) {
            let length = scaled(part.whole, part.fraction, scale).map_err(|error| match error {
                ScaleError::TooLarge => too_long(),
                ScaleError::Uneven => {
                    ValueError::new(format!("`{text}` is not a whole number of nanoseconds"))
                }
            })?;
            nanoseconds = nanoseconds.checked_add(length).ok_or_else(too_long)?;
        }
        let duration = Self { nanoseconds };
        if parts.iter().any(|part| part.fraction.is_some()) {
            return Err(
                ValueError::new(format!("`{text}` is no whole number of its unit"))
                    .meaning(duration.to_string()),
            );
        }
        if !units.is_sorted_by(|before, after| before > after) {
            return Err(ValueError::new(format!(
                "the units of `{text}` do not go from the longest to the shortest"
            ))
            .meaning(duration.in_parts()));
        }
        Ok(duration)
    }

    /// `1m30s`: in parts, longest unit first.
    fn in_parts(self) -> String {
        let mut rest = self.nanoseconds;
        let parts = UNITS.iter().filter_map(|(unit, scale)| {
            let count = rest / scale;
            rest %= scale;
            (count > 0).then(|| format!("{count}{unit}"))
        });
        let text: String = parts.collect();
        if text.is_empty() {
            "0s".to_owned()
        } else {
            text
        }
    }
}

/// The nanoseconds of a unit.
fn unit(text: &str, unit: &str) -> Result<u64, ValueError> {
    if let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) {
        return Ok(*scale);
    }
    let error = if unit.is_empty() {
        ValueError::with_code(
            Code::MissingUnit,
            format!("a number of `{text}` has no unit"),
        )
    } else {
        ValueError::new(format!(
            "`{unit}` is no unit of time; `ns`, `us`, `ms`, `s`, `m`, `h` and `d` are"
        ))
    };
    let lower = unit.to_lowercase();
    let known = HABITS
        .iter()
        .find(|(habit, _)| *habit == lower)
        .map(|(_, unit)| *unit)
        .or_else(|| {
            let mut names = UNITS.iter().map(|(name, _)| *name);
            names.find(|name| *name == lower)
        });
    Err(match known {
        Some(known) if text.matches(unit).count() == 1 => {
            error.perhaps(text.replacen(unit, known, 1))
        }
        _ => error,
    })
}

/// Why a number of units is no whole number of the smallest unit.
pub(super) enum ScaleError {
    TooLarge,
    Uneven,
}

/// `WHOLE.FRACTION` times `scale`, exactly.
pub(super) fn scaled(whole: &str, fraction: Option<&str>, scale: u64) -> Result<u64, ScaleError> {
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let number: u128 = digits.parse().map_err(|_| ScaleError::TooLarge)?;
    let places = u32::try_from(fraction.len()).map_err(|_| ScaleError::Uneven)?;
    // No scale has so many factors of ten that a longer fraction could come out even.
    let divisor = 10_u128.checked_pow(places).ok_or(ScaleError::Uneven)?;
    let product = number
        .checked_mul(u128::from(scale))
        .ok_or(ScaleError::TooLarge)?;
    if product % divisor != 0 {
        return Err(ScaleError::Uneven);
    }
    u64::try_from(product / divisor).map_err(|_| ScaleError::TooLarge)
}

impl fmt::Display for Duration {
    /// As one number: in the longest unit that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanoseconds == 0 {
            return f.write_str("0s");
        }
        let (unit, scale) = UNITS
            .iter()
            .find(|(_, scale)| self.nanoseconds.is_multiple_of(*scale))
            .unwrap_or(&("ns", 1));
        write!(f, "{}{unit}", self.nanoseconds / scale)
    }
}

/// From one duration to another that is not shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DurationRange {
    /// The shorter one.
    pub from: Duration,
    /// The longer one.
    pub to: Duration,
}

impl DurationRange {
    /// Reads the two sides of `25ms..250ms`.
    pub fn parse(from: &str, to: &str) -> Result<Self, ValueError> {
        let is_right = |range: &str| {
            let sides = range.split_once("..");
            sides.is_some_and(|(from, to)| Self::parse(from, to).is_ok())
        };
        let range = Self {
            from: Duration::parse(from)
                .map_err(|error| error.of_part(|from| format!("{from}..{to}"), is_right))?,
            to: Duration::parse(to)
                .map_err(|error| error.of_part(|to| format!("{from}..{to}"), is_right))?,
        };
        if range.from > range.to {
            return Err(ValueError::new(format!("`{from}` is longer than `{to}`"))
                .meaning(format!("{to}..{from}")));
        }
        Ok(range)
    }
}

impl fmt::Display for DurationRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

/// How many in how long: `100/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many; at least one.
    pub count: u64,
    /// In how long: a second, a minute, an hour or a day.
    pub per: Duration,
}

/// The units of rates.
const RATE_UNITS: &[(&str, u64)] = &[
    ("s", SECOND),
    ("min", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
];

const RATE_HABITS: &[(&str, &str)] = &[
    ("m", "min"),
    ("minute", "min"),
    ("sec", "s"),
    ("second", "s"),
    ("hour", "h"),
    ("hr", "h"),
    ("day", "d"),
];

impl Rate {
    /// Reads `100/s` or `600/min`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let unit = verify(take_till(|_| false), |unit: &str| !unit.is_empty());
        let mut rate = all_consuming(separated_pair(digit1::<&str, ()>, char('/'), unit));
        let Ok((_, (count, unit))) = rate.parse_complete(text) else {
            return Err(Self::other_form(text));
        };
        let count: u64 = count
            .parse()
            .map_err(|_| ValueError::new(format!("`{count}` is too many")))?;
        if count == 0 {
            return Err(ValueError::with_code(
                Code::LimitZero,
                format!("`{text}` lets nothing through"),
            ));
        }
        if let Some((_, scale)) = RATE_UNITS.iter().find(|(name, _)| *name == unit) {
            let per = Duration::from_nanoseconds(*scale);
            return Ok(Self { count, per });
        }
        let error = ValueError::new(format!(
            "`{unit}` is no unit of a rate; `s`, `min`, `h` and `d` are"
        ));
        let known = RATE_HABITS.iter().find(|(habit, _)| *habit == unit);
        Err(match known {
            Some((_, known)) => error.meaning(format!("{count}/{known}")),
            None => error,
        })
    }

    fn other_form(text: &str) -> ValueError {
        let number = text.trim_end_matches("rps");
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return ValueError::with_code(
                Code::MissingUnit,
                format!("`{text}` does not say in how long"),
            )
            .perhaps(format!("{number}/s"));
        }
        ValueError::new(format!("`{text}` is no rate; `100/s` and `600/min` are"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = RATE_UNITS
            .iter()
            .find(|(_, scale)| *scale == self.per.nanoseconds)
            .map_or("s", |(unit, _)| *unit);
        write!(f, "{}/{unit}", self.count)
    }
}

/// A day: `2026-12-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year, of four digits.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// Reads `2026-12-01`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let digits = |count: usize| {
            verify(digit1::<&str, ()>, move |digits: &str| {
                digits.len() == count
            })
        };
        let mut date = all_consuming((
            digits(4),
            preceded(char('-'), digits(2)),
            preceded(char('-'), digits(2)),
        ));
        let parsed = date
            .parse_complete(text)
            .ok()
            .and_then(|(_, (year, month, day))| {
                Some(Self {
                    year: year.parse().ok()?,
                    month: month.parse().ok()?,
                    day: day.parse().ok()?,
                })
            })
            .ok_or_else(|| ValueError::new(format!("`{text}` is no date; `2026-12-01` is")))?;
        if parsed.day == 0 || parsed.day > parsed.days_of_month() {
            return Err(ValueError::new(format!("there is no day `{text}`")));
        }
        Ok(parsed)
    }

    /// None for a month that there is not.
    fn days_of_month(self) -> u8 {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
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
    fn durations_are_exact() {
        for (text, nanoseconds) in [
            ("250ms", 250_000_000),
            ("5s", 5 * SECOND),
            ("1m30s", 90 * SECOND),
            ("2h", 7_200 * SECOND),
            ("1d", 86_400 * SECOND),
            ("1us1ns", 1_001),
            ("0s", 0),
            ("90m", 5_400 * SECOND),
        ] {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(duration.nanoseconds(), nanoseconds, "{text}");
            assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
    }

    #[test]
    fn a_bare_number_is_no_duration() {
        let error = Duration::parse("5").unwrap_err();
        assert_eq!(error.code, Code::MissingUnit);
        assert_eq!(Duration::parse("1m30").unwrap_err().code, Code::MissingUnit);
    }

    #[test]
    fn other_spellings_of_durations_are_corrected() {
        for (text, right) in [
            ("1.5s", "1500ms"),
            ("0.25ms", "250us"),
            ("30s1m", "1m30s"),
            ("1s1s", "2s"),
            ("5sec", "5s"),
            ("5S", "5s"),
            ("10min", "10m"),
            ("1m1.5s", "61500ms"),
        ] {
            let error = Duration::parse(text).unwrap_err();
            assert_eq!(suggestion(&error), right, "{text}: {error}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "s",
            "5x",
            "-5s",
            "5s ",
            "0.1ns",
            "5..",
            "99999999999h",
            "5s-",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        let huge = format!("{}s", "9".repeat(100));
        assert!(Duration::parse(&huge).is_err());
        let fine = format!("0.{}s", "1".repeat(100));
        assert!(Duration::parse(&fine).is_err());
    }

    #[test]
    fn a_range_goes_upward() {
        assert!(DurationRange::parse("25ms", "1s").is_ok());
        let error = DurationRange::parse("1s", "25ms").unwrap_err();
        assert_eq!(suggestion(&error), "25ms..1s");
        let error = DurationRange::parse("1.5s", "2s").unwrap_err();
        assert_eq!(suggestion(&error), "1500ms..2s");
        let error = DurationRange::parse("1.5s", "1.7s").unwrap_err();
        assert_eq!(suggestion(&error), "", "another mistake is left");
    }

    #[test]
    fn rates_count_in_a_time() {
        let rate = Rate::parse("600/min").unwrap();
        assert_eq!((rate.count, rate.per.nanoseconds()), (600, 60 * SECOND));
        assert_eq!(rate.to_string(), "600/min");
        for (text, right) in [("100", "100/s"), ("100rps", "100/s"), ("5/m", "5/min")] {
            assert_eq!(suggestion(&Rate::parse(text).unwrap_err()), right, "{text}");
        }
        for text in [
            "",
            "/s",
            "5/",
            "5/x",
            "0/s",
            "s/5",
            "1.5/s",
            "99999999999999999999/s",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert_eq!(Date::parse("2028-02-29").unwrap().to_string(), "2028-02-29");
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "26-01-01",
            "today",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }
}
