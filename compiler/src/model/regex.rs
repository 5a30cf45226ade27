//! What a regular expression may be: bytes, the whole value, no look-around.

/// Why a pattern is none that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    /// It does not parse.
    #[error("{message}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// Where in the pattern, in bytes.
        at: std::ops::Range<usize>,
    },
    /// `^`, `$`, `\b` and the like.
    #[error("it looks around (`^`, `$`, `\\b`), and a match is of the whole value anyway")]
    LooksAround,
    /// Its automaton passes the limit.
    #[error("its automaton passes {0} states")]
    TooBig(usize),
}

/// How deep groups may nest.
pub const NEST_LIMIT: u32 = 64;

/// Checks that a pattern parses and is a plain regular language.
pub fn check(pattern: &str) -> Result<(), RegexError> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(NEST_LIMIT)
        .build()
        .parse(pattern)
        .map_err(|error| syntax_error(&error))?;
    if hir.properties().look_set().is_empty() {
        Ok(())
    } else {
        Err(RegexError::LooksAround)
    }
}

fn syntax_error(error: &regex_syntax::Error) -> RegexError {
    let (message, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), *error.span()),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), *error.span()),
        other => {
            return RegexError::Syntax {
                message: other.to_string(),
                at: 0..0,
            };
        }
    };
    RegexError::Syntax {
        message,
        at: span.start.offset..span.end.offset,
    }
}
