//! The literal values of the language: durations, percentages, addresses, path patterns, ….
//!
//! In: the text of a word, a path or a string, unescaped. Out: a small type that can hold nothing
//! else than such a value, exact and in the unit its documentation names, or a [`ValueError`]: a
//! sentence for the writer, and the right spelling where there is one.

mod host;
mod name;
mod network;
mod path;
mod quantity;
mod status;
mod text;
mod time;
mod url;

use std::fmt;

pub use self::host::HostPattern;
pub use self::name::{HeaderName, METHODS, Method, Name, RESERVED, Target, is_method};
pub use self::network::{Address, Cidr, Host, Port};
pub use self::path::{PathPattern, Segment};
pub use self::quantity::{Integer, Percent, Size};
pub use self::status::{Status, StatusSet};
pub use self::text::{EscapeError, quote, unescape};
pub use self::time::{Date, Duration, DurationRange, Rate};
pub use self::url::{Scheme, Url};

use crate::codes::Code;

/// Why a text is no value of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// What kind of finding it is.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub suggestion: Option<Suggestion>,
}

/// What to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The right spelling.
    pub text: String,
    /// Whether it says the same beyond doubt.
    pub certain: bool,
}

impl ValueError {
    /// A value that its kind does not have.
    pub fn new(message: impl Into<String>) -> Self {
        Self::with_code(Code::BadValue, message)
    }

    /// An error of this code.
    pub fn with_code(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            suggestion: None,
        }
    }

    /// Suggests a spelling that says the same.
    #[must_use]
    pub fn meaning(mut self, text: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion {
            text: text.into(),
            certain: true,
        });
        self
    }

    /// Suggests a spelling that may be what was meant.
    #[must_use]
    pub fn perhaps(mut self, text: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion {
            text: text.into(),
            certain: false,
        });
        self
    }

    /// The error of a whole of which this is the error of a part: a suggestion is kept if `rebuild`
    /// makes a whole of it that `is_right`.
    #[must_use]
    pub(crate) fn of_part(
        self,
        rebuild: impl FnOnce(&str) -> String,
        is_right: impl FnOnce(&str) -> bool,
    ) -> Self {
        let suggestion = self.suggestion.map(|suggestion| Suggestion {
            text: rebuild(&suggestion.text),
            ..suggestion
        });
        Self {
            suggestion: suggestion.filter(|suggestion| is_right(&suggestion.text)),
            ..self
        }
    }

    /// The error of a whole of which this is the error of a part, without a suggestion.
    #[must_use]
    pub(crate) fn alone(self) -> Self {
        Self {
            suggestion: None,
            ..self
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}
