//! What the edition pins: the value of every statement that nobody wrote.
//!
//! A mesh names its edition, and with it all of these. They are filled in where nothing else is said and
//! marked as the edition's, so that nothing behind the model knows a default of its own.

use super::policy::{Budget, BudgetFloor, Cors, Policy, Retry, Timeouts};
use super::said::{Said, Switch};
use super::upstream::{Algorithm, Balance, Limits, Spread};
use super::{Mesh, Namespace};

/// The edition of this compiler.
pub const EDITION: u32 = 2026;

impl Timeouts {
    /// Those of edition 2026.
    pub const EDITION_2026: Self = Self {
        request: Some(Said::edition(Switch::On(15_000))),
        connect: Some(Said::edition(Switch::On(5_000))),
        idle: Some(Said::edition(Switch::On(60_000))),
    };
}

impl Policy {
    /// The weakest level, of edition 2026: nothing happens to traffic but that it takes no longer than
    /// its times.
    pub fn edition_2026() -> Self {
        const fn off<T>() -> Said<Switch<T>> {
            Said::edition(Switch::Off)
        }
        Self {
            timeouts: Timeouts::EDITION_2026,
            retry: Some(off()),
            hedge: Some(off()),
            sticky: Some(off()),
            cors: Some(off()),
            max_body: Some(off()),
            buffer: Some(off()),
            compress: Some(off()),
            ..Self::default()
        }
    }
}

impl Retry {
    /// The wait before the second try and the longest, in milliseconds.
    pub const BACKOFF: (u32, u32) = (25, 250);
    /// How many further tries there may be.
    pub const BUDGET: Budget = Budget {
        share: 200_000,
        least: BudgetFloor::Concurrent(3),
        over: None,
    };
}

impl Cors {
    /// The methods that pages of other origins may use: those that need no preflight (Fetch, "CORS-safelisted
    /// method").
    pub const METHODS: &[&str] = &["GET", "HEAD", "POST"];
}

impl Limits {
    /// Each of the limits.
    pub const EACH: u32 = 1024;
    /// Those of edition 2026.
    pub const EDITION_2026: Self = Self {
        connections: Said::edition(Self::EACH),
        pending: Said::edition(Self::EACH),
        requests: Said::edition(Self::EACH),
        per_connection: None,
    };
}

impl Spread {
    /// How the endpoints of a service are chosen in edition 2026.
    pub const EDITION_2026: Self = Self {
        balance: Some(Balance {
            algorithm: Said::edition(Algorithm::LeastRequest),
            slow_start: None,
            prefer_zone: None,
        }),
        limits: Some(Said::edition(Switch::On(Limits::EDITION_2026))),
        eject: Some(Said::edition(Switch::Off)),
        health: Some(Said::edition(Switch::Off)),
    };

    /// This over what is said further outside.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        Self {
            balance: self.balance.or(weaker.balance),
            limits: self.limits.or(weaker.limits),
            eject: self.eject.or(weaker.eject),
            health: self.health.or(weaker.health),
        }
    }
}

impl Mesh {
    /// Fills in what nobody said.
    pub fn fill_in(&mut self) {
        let defaults = std::mem::take(&mut self.defaults);
        self.defaults = defaults.over(Policy::edition_2026());
        let limited = |it: &&Namespace| it.limits.is_some();
        let limited: Vec<&str> = self
            .namespaces
            .iter()
            .filter(limited)
            .map(|it| it.name.as_str())
            .collect();
        for service in &mut self.services {
            let mut edition = Spread::EDITION_2026;
            if limited.contains(&service.namespace.as_str()) {
                edition.limits = None;
            }
            let spread = std::mem::take(&mut service.spread);
            service.spread = spread.over(edition);
        }
    }
}
