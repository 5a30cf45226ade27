//! The time of day, as lines and pages write it.
//!
//! A worker asks for the time once when a request begins and once when it ends; both are
//! [`Instant`]s. What the time of day was then is reckoned from an anchor that is renewed every few
//! seconds, so that a log line costs no further question and follows when the clock is set.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long an anchor holds.
const RENEWAL: Duration = Duration::from_secs(5);

/// Turns instants into times of day.
#[derive(Debug)]
pub(crate) struct Clock {
    anchor: Cell<(Instant, u64)>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            anchor: Cell::new((Instant::now(), milliseconds_since_epoch(SystemTime::now()))),
        }
    }

    /// Milliseconds since 1970 at an instant that is about now.
    pub(crate) fn milliseconds_at(&self, at: Instant) -> u64 {
        let (anchor, milliseconds) = self.anchor.get();
        let passed = at.saturating_duration_since(anchor);
        if passed < RENEWAL {
            return milliseconds + passed.as_millis() as u64;
        }
        let milliseconds = milliseconds_since_epoch(SystemTime::now());
        self.anchor.set((at, milliseconds));
        milliseconds
    }
}

pub(crate) fn milliseconds_since_epoch(time: SystemTime) -> u64 {
    let passed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    passed.as_millis() as u64
}

/// `2026-11-20T09:00:00.123Z`.
pub(crate) fn timestamp(milliseconds: u64) -> [u8; 24] {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let (days, of_day) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let (year, month, day) = civil(days);
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], of_day / 3_600_000);
    digits(&mut text[14..16], of_day / 60_000 % 60);
    digits(&mut text[17..19], of_day / 1000 % 60);
    digits(&mut text[20..23], of_day % 1000);
    text
}

/// `2026-11-20T09:00:00.123Z`, as a string.
pub(crate) fn timestamp_text(time: SystemTime) -> String {
    String::from_utf8_lossy(&timestamp(milliseconds_since_epoch(time))).into_owned()
}

/// `09:00:00`.
pub(crate) fn time_of_day(time: SystemTime) -> String {
    timestamp_text(time)[11..19].to_owned()
}

fn digits(text: &mut [u8], mut value: u64) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: reckoned in
/// years that begin with March, so that the leap day is the last one.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_ERA: u64 = 146_097; // 400 years
    let shifted = days + 719_468; // from 0000-03-01
    let era = shifted / DAYS_OF_ERA;
    let day_of_era = shifted % DAYS_OF_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64, milliseconds: u64) -> String {
        timestamp_text(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + milliseconds))
    }

    #[test]
    fn writes_times_of_day() {
        assert_eq!(text(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(1_795_165_200, 123), "2026-11-20T09:00:00.123Z");
        assert_eq!(text(951_782_399, 999), "2000-02-28T23:59:59.999Z");
        assert_eq!(text(951_782_400, 0), "2000-02-29T00:00:00.000Z");
        assert_eq!(text(4_107_542_400, 0), "2100-03-01T00:00:00.000Z");
        assert_eq!(
            time_of_day(UNIX_EPOCH + Duration::from_hours(9)),
            "09:00:00"
        );
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut last = civil(0);
        for day in 1..146_097 {
            let next = civil(day);
            let in_month = next == (last.0, last.1, last.2 + 1);
            let next_month = next == (last.0, last.1 + 1, 1) && last.2 >= 28;
            let next_year = next == (last.0 + 1, 1, 1) && (last.1, last.2) == (12, 31);
            assert!(in_month || next_month || next_year, "{last:?} {next:?}");
            last = next;
        }
        assert_eq!(last.0, 2369);
    }

    #[test]
    fn the_anchor_is_renewed() {
        let clock = Clock::new();
        let (anchor, milliseconds) = clock.anchor.get();
        assert_eq!(
            clock.milliseconds_at(anchor + Duration::from_millis(7)),
            milliseconds + 7
        );
        let later = clock.milliseconds_at(anchor + Duration::from_mins(1));
        assert!(later < milliseconds + 50_000, "the clock is asked again");
    }
}
