//! The shapes of arguments: a small algebra of patterns, as data.

use super::{Kind, Subject};
use crate::view::ClauseKind;

/// What stands among the arguments of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// This word.
    Word(&'static str),
    /// A value of this kind.
    Value(Kind),
    /// A field of requests, such as `header.x-user`.
    Field(FieldUse),
    /// One after the other.
    Seq(&'static [Shape]),
    /// All of them, or nothing.
    Optional(&'static [Shape]),
    /// The first of them that fits.
    OneOf(&'static [Shape]),
    /// One or more, with commas between them.
    List(&'static Shape),
    /// `-> SERVICE`.
    Arrow,
    /// A condition on requests or on an inventory, and the words that may introduce it.
    Clause(&'static [ClauseKind], Subject),
}

/// What a field among arguments is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldUse {
    /// To keep requests with the same value together: `cookie.session`.
    Sticky,
    /// To choose an endpoint by hash: `header.x-user`, `source.ip`.
    Hash,
    /// To count requests apart: `client-ip`, `jwt.corp.sub`.
    Count,
}

impl FieldUse {
    /// The fields that may be used for it.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Sticky => &["cookie.NAME", "header.NAME", "client-ip"],
            Self::Hash => &["header.NAME", "cookie.NAME", "query.NAME", "source.ip"],
            Self::Count => &[
                "client-ip",
                "source",
                "source.namespace",
                "source.ip",
                "host",
                "method",
                "header.NAME",
                "query.NAME",
                "cookie.NAME",
                "jwt.NAME.CLAIM",
                "key.NAME",
            ],
        }
    }

    /// What messages call it.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Sticky => "`cookie.NAME`, `header.NAME` or `client-ip`",
            Self::Hash => "`header.NAME`, `cookie.NAME`, `query.NAME` or `source.ip`",
            Self::Count => "a field such as `client-ip` or `header.x-tenant`",
        }
    }
}

impl Shape {
    /// What messages call it, if they call it anything: "`off`", "a duration such as `250ms`".
    pub(super) fn phrase(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Value(kind) => kind.phrase().to_owned(),
            Self::Field(usage) => usage.phrase().to_owned(),
            Self::Arrow => "`->` and a service".to_owned(),
            Self::Clause(kinds, _) => {
                let words: Vec<_> = kinds
                    .iter()
                    .map(|kind| format!("`{}`", kind.word()))
                    .collect();
                words.join(" or ")
            }
            Self::Seq(_) | Self::Optional(_) | Self::OneOf(_) | Self::List(_) => {
                signature(std::slice::from_ref(self))
            }
        }
    }
}

/// "a, b or c".
pub(super) fn alternatives(phrases: &[String]) -> String {
    match phrases {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Whether `word` is one of the fixed words among `shapes`.
pub(super) fn has_word(shapes: &[Shape], word: &str) -> bool {
    shapes.iter().any(|shape| match shape {
        Shape::Word(fixed) => *fixed == word,
        Shape::Seq(inner) | Shape::Optional(inner) | Shape::OneOf(inner) => has_word(inner, word),
        Shape::List(element) => has_word(std::slice::from_ref(*element), word),
        Shape::Value(_) | Shape::Field(_) | Shape::Arrow | Shape::Clause(..) => false,
    })
}

/// How shapes one after the other are written.
pub(super) fn signature(shapes: &[Shape]) -> String {
    let alone = shapes.len() == 1;
    let parts: Vec<_> = shapes.iter().map(|shape| one(shape, alone)).collect();
    parts.join(" ")
}

/// How a shape is written; alternatives stand in parentheses unless they are `alone`.
fn one(shape: &Shape, alone: bool) -> String {
    match shape {
        Shape::Word(word) => (*word).to_owned(),
        Shape::Value(kind) => kind.name().to_owned(),
        Shape::Field(_) => "FIELD".to_owned(),
        Shape::Seq(shapes) => signature(shapes),
        Shape::Optional(shapes) => format!("[{}]", signature(shapes)),
        Shape::OneOf(shapes) => {
            let choices: Vec<_> = shapes.iter().map(|shape| one(shape, true)).collect();
            let choices = choices.join(" | ");
            if alone {
                choices
            } else {
                format!("({choices})")
            }
        }
        Shape::List(element) => format!("{}, …", one(element, false)),
        Shape::Arrow => "-> SERVICE".to_owned(),
        Shape::Clause(kinds, _) => {
            let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
            format!("{} CONDITION", words.join("|"))
        }
    }
}

/// Adds the fixed words among `shapes` to `words`.
pub(super) fn words(shapes: &[Shape], words: &mut Vec<&'static str>) {
    for shape in shapes {
        match shape {
            Shape::Word(word) if word.starts_with(|first: char| first.is_ascii_lowercase()) => {
                words.push(word);
            }
            Shape::Seq(inner) | Shape::Optional(inner) | Shape::OneOf(inner) => {
                self::words(inner, words);
            }
            Shape::List(element) => self::words(std::slice::from_ref(*element), words),
            Shape::Word(_)
            | Shape::Value(_)
            | Shape::Field(_)
            | Shape::Arrow
            | Shape::Clause(..) => {}
        }
    }
}
