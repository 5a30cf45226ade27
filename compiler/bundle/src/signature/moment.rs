//! Moments: seconds since 1970, as signatures have them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, in whole seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// The last second of the year 9999: what lies behind it has no usual way to be written.
const LAST: u64 = 253_402_300_799;

impl Moment {
    /// Before all others.
    pub const START: Self = Self(0);
    /// After all others.
    pub const NEVER: Self = Self(u64::MAX);

    /// Now.
    pub fn now() -> Self {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(passed.unwrap_or_default().as_secs())
    }

    /// So much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_secs()))
    }
}

impl fmt::Display for Moment {
    /// `2026-11-20T09:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NEVER => f.write_str("never"),
            Self(seconds) if seconds > LAST => f.write_str("after the year 9999"),
            Self(seconds) => {
                let time = UNIX_EPOCH + Duration::from_secs(seconds);
                humantime::format_rfc3339_seconds(time).fmt(f)
            }
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    /// Reads `2026-11-20T09:00:00Z`, or `2026-11-20` for its first second.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = match text.len() {
            10 => format!("{text}T00:00:00Z"),
            _ => text.to_owned(),
        };
        let time = humantime::parse_rfc3339(&whole);
        let passed = time
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        passed.map(|passed| Self(passed.as_secs())).ok_or_else(|| {
            format!("`{text}` is no moment: write 2026-11-20T09:00:00Z, or 2026-11-20")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_they_are_read() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-11-20T09:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(
                text.parse::<Moment>().map(|it| it.to_string()).as_deref(),
                Ok(text)
            );
        }
        assert_eq!("1970-01-02".parse(), Ok(Moment(86_400)));
        for text in ["", "now", "2026-13-01", "2026-11-20T09:00", "1969-12-31"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn those_that_cannot_be_written_are_named() {
        assert_eq!(Moment::NEVER.to_string(), "never");
        assert_eq!(Moment(u64::MAX - 1).to_string(), "after the year 9999");
        assert_eq!(Moment(LAST + 1).to_string(), "after the year 9999");
        assert_eq!(Moment(9).after(Duration::MAX), Moment::NEVER);
    }
}
