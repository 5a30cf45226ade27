//! Timeouts as a level of the mesh sets them.

use mesh_lang::source::Span;

/// What one level sets. A value that it does not name is a weaker level's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timeouts {
    /// From the request's head to the end of the response.
    pub request: Option<Said>,
    /// From dialling to a usable connection.
    pub connect: Option<Said>,
    /// How long an unused upstream connection is kept.
    pub idle: Option<Said>,
}

/// A value and the statement that set it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// The value.
    pub value: Limit,
    /// The statement; `None` for the edition.
    pub span: Option<Span>,
}

/// A limit in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `off`.
    Off,
    /// Milliseconds.
    Milliseconds(u32),
}

impl Timeouts {
    /// The defaults of edition 2026.
    pub const EDITION_2026: Self = Self {
        request: Some(edition(15_000)),
        connect: Some(edition(5_000)),
        idle: Some(edition(60_000)),
    };

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This level over a weaker one.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        Self {
            request: self.request.or(weaker.request),
            connect: self.connect.or(weaker.connect),
            idle: self.idle.or(weaker.idle),
        }
    }
}

const fn edition(milliseconds: u32) -> Said {
    Said {
        value: Limit::Milliseconds(milliseconds),
        span: None,
    }
}
