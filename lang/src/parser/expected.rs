//! What the grammar would have taken: the error type of its parsers.

use nom::error::{ErrorKind, ParseError};

use super::input::Cursor;

/// A set of things the grammar would have taken at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected(u64);

macro_rules! expectations {
    ($($name:ident $phrase:literal)*) => {
        #[derive(Clone, Copy)]
        #[expect(
            non_camel_case_types,
            clippy::upper_case_acronyms,
            reason = "they number the constants of the same names"
        )]
        #[repr(u8)]
        enum Bit { $($name),* }

        impl Expected {
            $(pub(super) const $name: Self = Self(1 << Bit::$name as u8);)*

            const PHRASES: &[(Self, &'static str)] = &[$((Self::$name, $phrase)),*];
        }
    };
}

expectations! {
    ITEM "an item such as `service`"
    STATEMENT "a statement"
    CLAIM "a claim: `never`, `always`, `only` or `every`"
    STEP "`request` or `expect`"
    SET "`set`"
    NAME "a name"
    GATEWAY "the name of a gateway"
    HOST "a host"
    TITLE "a string that says what it is about"
    STRING "a string"
    VALUE "a value"
    EQUALS "`=`"
    METHOD "a method such as `GET`"
    PATH "a path"
    WHEN "`when`"
    OTHERWISE "`otherwise`"
    ARROW "`->`"
    STATUS "a status"
    TARGET "a service"
    SPLIT "`split`"
    REDIRECT "`redirect`"
    RESPOND "`respond`"
    ANY_SERVICE "`any service`"
    NAMESPACE "`namespace NAME`"
    ANYONE "`anyone`"
    CONDITION "a condition"
    IN "`in`"
    SERVICE "`service`"
    REACHES "`reaches`"
    ROUTE "`route`"
    PROPERTY "`has` or `requires`"
    CREDENTIAL "`jwt` or `key`"
    URL "a URL"
    COMMA "`,`"
    COLON "`:`"
    DOTS "`..`"
    WORD "a word"
    BLOCK "`{`"
    CLOSING_PAREN "`)`"
    CLOSING_BRACKET "`]`"
    END "the end of the statement"
}

impl Expected {
    /// What an arm may take.
    pub(super) const MATCH: Self = Self::METHOD
        .or(Self::PATH)
        .or(Self::WHEN)
        .or(Self::OTHERWISE);

    /// Whether anything of `other` is in it.
    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// "`->`", "a path or `->`", "a method, a path or `->`".
    pub(super) fn phrase(self) -> String {
        let phrases: Vec<_> = Self::PHRASES
            .iter()
            .filter(|(bit, _)| self.intersects(*bit))
            .map(|(_, phrase)| *phrase)
            .collect();
        match phrases.as_slice() {
            [] => "something else".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

/// Why a parser did not match: at which token, and what it would have taken there. Of two errors
/// the one further on counts; at the same token both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: u32,
    /// The bracket that is to be closed at this place, or `u32::MAX`.
    pub(super) opener: u32,
    pub(super) expected: Expected,
}

impl SyntaxError {
    pub(super) const NO_OPENER: u32 = u32::MAX;

    pub(super) fn new(input: Cursor<'_>, expected: Expected) -> nom::Err<Self> {
        nom::Err::Error(Self {
            at: input.position(),
            opener: Self::NO_OPENER,
            expected,
        })
    }
}

impl<'p> ParseError<Cursor<'p>> for SyntaxError {
    fn from_error_kind(input: Cursor<'p>, _: ErrorKind) -> Self {
        Self {
            at: input.position(),
            opener: Self::NO_OPENER,
            expected: Expected(0),
        }
    }

    fn append(_: Cursor<'p>, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => Self {
                expected: self.expected.or(other.expected),
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_sixteen_bytes() {
        assert_eq!(size_of::<SyntaxError>(), 16);
        assert!(Expected::PHRASES.len() <= 64);
    }

    #[test]
    fn phrases_read_as_a_sentence_does() {
        assert_eq!(Expected::ARROW.phrase(), "`->`");
        assert_eq!(
            Expected::PATH.or(Expected::ARROW).phrase(),
            "a path or `->`"
        );
        let three = Expected::PATH.or(Expected::ARROW).or(Expected::EQUALS);
        assert_eq!(three.phrase(), "`=`, a path or `->`");
    }
}
