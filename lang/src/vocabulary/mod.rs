//! The words of the language: one table of every statement, and the check of a file against it.
//!
//! In: a parsed file. Out: every unknown or misplaced statement, every argument, value and
//! condition that does not fit. What the check accepts has the shape its statement says, so that
//! whoever reads it on may rely on it. The same table feeds the parser's guesses, completion and
//! hover in editors, and the reference of the language.
//!
//! The data is in `table`, one file for each part of the language; the kinds of values in
//! [`kind`](Kind), what conditions may test in [`field`](Field).

mod check;
mod field;
mod fit;
mod kind;
mod locate;
mod place;
mod shape;
mod table;
pub mod words;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use self::check::{check, check_part};
pub use self::field::{FIELDS, Field, Key, PROPERTIES, Property, Subject};
pub use self::fit::Reading;
pub use self::kind::Kind;
pub use self::locate::{fits, form_of, places_at, places_inside, read, read_action, read_before};
pub use self::place::Place;
pub use self::shape::{FieldUse, Shape};
pub use self::table::{ACTIONS, ITEMS};
pub use self::words::keywords;
pub use crate::value::{METHODS, RESERVED};

use crate::codes::Code;

/// A statement, in one of the forms that its word has.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// The word it starts with, or [`Statement::ANY_CLAIM`].
    pub word: &'static str,
    /// The blocks in which it may stand.
    pub places: &'static [Place],
    /// Its arguments.
    pub args: &'static [Shape],
    /// Its block.
    pub body: Body,
    /// What may stand once in a block: the word, or the word and the first of its arguments.
    /// Nothing if it may be repeated.
    pub once: Option<&'static str>,
    /// The statements that its block needs, and the finding if one is missing.
    pub needs: &'static [(&'static str, Code)],
    /// What holds in edition 2026 where it is not written.
    pub default: Option<&'static str>,
    /// One line on what it says.
    pub doc: &'static str,
    /// It, written out.
    pub example: &'static str,
}

/// The block that a statement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// None.
    None,
    /// One, or none.
    Optional(Place),
    /// One.
    Required(Place),
}

impl Body {
    /// The place that the block is.
    pub const fn place(self) -> Option<Place> {
        match self {
            Self::None => None,
            Self::Optional(place) | Self::Required(place) => Some(place),
        }
    }
}

impl Statement {
    /// The word of a statement that starts with any word: the name of a claim.
    pub const ANY_CLAIM: &str = "CLAIM";

    /// How it is written: `timeout DURATION | off { … }`.
    pub fn signature(&self) -> String {
        let args = shape::signature(self.args);
        let block = match self.body {
            Body::None => "",
            Body::Optional(_) => " [{ … }]",
            Body::Required(_) => " { … }",
        };
        if args.is_empty() {
            format!("{}{block}", self.word)
        } else {
            format!("{} {args}{block}", self.word)
        }
    }

    const fn new(word: &'static str, places: &'static [Place]) -> Self {
        Self {
            word,
            places,
            args: &[],
            body: Body::None,
            once: Some(word),
            needs: &[],
            default: None,
            doc: "",
            example: "",
        }
    }

    const fn args(self, args: &'static [Shape]) -> Self {
        Self { args, ..self }
    }

    const fn may_have(self, place: Place) -> Self {
        Self {
            body: Body::Optional(place),
            ..self
        }
    }

    const fn has(self, place: Place) -> Self {
        Self {
            body: Body::Required(place),
            ..self
        }
    }

    const fn once_as(self, key: &'static str) -> Self {
        Self {
            once: Some(key),
            ..self
        }
    }

    const fn repeats(self) -> Self {
        Self { once: None, ..self }
    }

    const fn needs(self, needs: &'static [(&'static str, Code)]) -> Self {
        Self { needs, ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    const fn doc(self, doc: &'static str, example: &'static str) -> Self {
        Self {
            doc,
            example,
            ..self
        }
    }
}

/// An item, as the reference has it.
#[derive(Debug, Clone, Copy)]
pub struct ItemEntry {
    /// The word it starts with.
    pub word: &'static str,
    /// What stands between the word and the block.
    pub head: &'static str,
    /// The place that its block is.
    pub place: Option<Place>,
    /// Whether `export` may stand before it.
    pub exportable: bool,
    /// The statements that its block needs, and the finding if one is missing.
    pub needs: &'static [(&'static str, Code)],
    /// One line on what it is.
    pub doc: &'static str,
    /// It, written out.
    pub example: &'static str,
}

/// An action of an arm, as the reference has it.
#[derive(Debug, Clone, Copy)]
pub struct ActionEntry {
    /// The word it starts with; of forwarding, a word in capitals.
    pub word: &'static str,
    /// Its arguments, if they are not read by the grammar itself.
    pub args: &'static [Shape],
    /// How it is written.
    pub signature: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
    /// It, written out in an arm.
    pub example: &'static str,
}

/// Every statement in every form.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    table::STATEMENTS.iter().copied().flatten()
}

/// The forms of the statement `word`, wherever they stand.
pub fn forms(word: &str) -> &'static [&'static Statement] {
    static BY_WORD: LazyLock<HashMap<&'static str, Vec<&'static Statement>>> =
        LazyLock::new(|| {
            let mut by_word: HashMap<_, Vec<_>> = HashMap::new();
            for statement in statements() {
                by_word.entry(statement.word).or_default().push(statement);
            }
            by_word
        });
    BY_WORD.get(word).map_or(&[], Vec::as_slice)
}

/// The statements that may stand in `place`.
pub fn statements_in(place: Place) -> impl Iterator<Item = &'static Statement> {
    statements().filter(move |statement| statement.places.contains(&place))
}

/// The item that `word` starts.
pub fn item(word: &str) -> Option<&'static ItemEntry> {
    ITEMS.iter().find(|item| item.word == word)
}

/// Whether `word` starts an item.
pub fn is_item_word(word: &str) -> bool {
    word == "export" || ITEM_WORDS.contains(&word)
}

/// Whether `word` starts a statement somewhere.
pub fn is_statement_word(word: &str) -> bool {
    !forms(word).is_empty()
}

/// Whether `export` may stand before the item that `word` starts.
pub fn may_be_exported(word: &str) -> bool {
    item(word).is_some_and(|item| item.exportable)
}

/// The words that start items.
pub const ITEM_WORDS: &[&str] = &[
    "import",
    "param",
    "let",
    "mesh",
    "env",
    "namespace",
    "policy",
    "jwt",
    "keys",
    "service",
    "external",
    "gateway",
    "routes",
    "assert",
    "test",
];
