//! Values that say where they come from.
//!
//! Every value that is in force was written by somebody or pinned by the edition. Both travel with it: the
//! runtime logs the line, `meshc expand` prints it, a finding points at it.

use mesh_lang::source::Span;

/// A value and who said so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// Who said so.
    pub origin: Origin,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: the edition pins it.
    Edition,
    /// The statement there.
    Written(Span),
    /// The statement there, in a policy that the `use` there brought in.
    Used {
        /// The statement in the policy.
        written: Span,
        /// The `use`.
        used: Span,
    },
}

/// What a statement that takes `off` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Switch<T> {
    /// `off`.
    Off,
    /// Anything else.
    On(T),
}

/// Statements of which a level may have several; those of all levels add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Many<T> {
    /// Where the level says `off`: nothing of the levels outside holds.
    pub off: Option<Origin>,
    /// What the level adds, in the order of the source.
    pub each: Vec<Said<T>>,
}

impl<T> Said<T> {
    /// A value that the edition pins.
    pub const fn edition(value: T) -> Self {
        Self {
            value,
            origin: Origin::Edition,
        }
    }

    /// The same, said by a policy that the `use` at `used` brings in.
    #[must_use]
    pub fn used(self, used: Span) -> Self {
        Self {
            origin: self.origin.used(used),
            ..self
        }
    }

    /// The statement that says so.
    pub fn span(&self) -> Option<Span> {
        self.origin.span()
    }
}

impl Origin {
    /// The statement that says so; `None` for the edition.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Edition => None,
            Self::Written(span) | Self::Used { written: span, .. } => Some(span),
        }
    }

    /// The same, through the `use` at `used`. A policy that uses another is named by its own `use`.
    #[must_use]
    pub fn used(self, used: Span) -> Self {
        match self {
            Self::Written(written) => Self::Used { written, used },
            Self::Edition | Self::Used { .. } => self,
        }
    }
}

impl<T> Switch<T> {
    /// What is on.
    pub fn on(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T> Many<T> {
    /// Whether the level says nothing.
    pub fn is_empty(&self) -> bool {
        self.off.is_none() && self.each.is_empty()
    }

    /// This level over a weaker one: what holds of both, outermost first.
    #[must_use]
    pub fn over(mut self, mut weaker: Self) -> Self {
        if self.off.is_some() {
            return self;
        }
        weaker.each.append(&mut self.each);
        weaker
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self {
            off: None,
            each: Vec::new(),
        }
    }
}
