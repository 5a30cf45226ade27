//! What is in force for a call, and which level's value wins.
//!
//! Each level of a mesh may set each value; the strongest that does wins, value by value. From
//! strong to weak: the gateway's arm, the caller's `calls` block, the service's arm, the service, the
//! gateway's host, the gateway, `defaults`, the edition. Where a service's arm leads on to another
//! service, the arms count in the order in which the request met them, and of the services the last.
//! The compiler folds host, gateway, `defaults` and edition into one record, so that a request seldom
//! looks at more than four.

use crate::format::{Bundle, Id, Location, Policy, Setting};
use std::time::Duration;

/// How much of a request's body is kept so that it can be sent again, in bytes, where no `buffer` is in force. A
/// request with a larger one is tried once.
pub const REPLAY_BUFFER: u64 = 64 * 1024;

/// The methods whose requests may be tried again though they may have been processed (RFC 9110, section 9.2.2). Others
/// are only where the `retry` says `methods any`, or where nothing was sent.
pub const IDEMPOTENT: &[&str] = &["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/// The timeouts in force for a call, each with the statement that set it.
#[derive(Clone, Copy, Debug)]
pub struct Effective {
    /// From the request's head to the end of the response; `None` for `off`.
    pub request: Option<Duration>,
    /// From dialling to a usable connection.
    pub connect: Option<Duration>,
    /// How long an unused upstream connection is kept.
    pub idle: Option<Duration>,
    /// Who set [`Effective::request`].
    pub request_location: Location,
}

/// The levels that speak for a call, strongest first.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    ids: [Id<Policy>; Self::CAPACITY],
    count: u8,
}

impl Levels {
    /// A gateway's arm, a caller, the arms of [`crate::route::MAX_HOPS`] services, a service, and
    /// what is weaker.
    const CAPACITY: usize = crate::route::MAX_HOPS + 4;

    /// Nobody speaks.
    pub const NONE: Self = Self {
        ids: [Id::NONE; Self::CAPACITY],
        count: 0,
    };

    /// Adds a level that is weaker than all before; [`Id::NONE`] adds nothing.
    #[inline]
    pub fn push(&mut self, level: Id<Policy>) {
        if level.some().is_some()
            && let Some(place) = self.ids.get_mut(usize::from(self.count))
        {
            *place = level;
            self.count += 1;
        }
    }

    /// The levels, strongest first.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Id<Policy>> {
        self.ids[..usize::from(self.count)].iter().copied()
    }
}

/// The values in force.
#[inline]
pub fn effective(bundle: &Bundle, levels: &Levels) -> Effective {
    let table = bundle.policies();
    let strongest = |field: fn(&Policy) -> Setting| {
        let said = levels.iter().map(|id| field(&table[id.index()]));
        let mut said = said.filter(|setting| setting.value.get() != Setting::UNSET);
        said.next().unwrap_or(Setting::NOT_SAID)
    };
    let request = strongest(|level| level.request);
    Effective {
        request: duration(request),
        connect: duration(strongest(|level| level.connect)),
        idle: duration(strongest(|level| level.idle)),
        request_location: request.location,
    }
}

fn duration(setting: Setting) -> Option<Duration> {
    match setting.value.get() {
        Setting::UNSET | Setting::OFF => None,
        milliseconds => Some(Duration::from_millis(u64::from(milliseconds))),
    }
}
