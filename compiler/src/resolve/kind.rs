//! The kinds of parameters: a parameter is of the kind of the value that it is declared with.
//!
//! Whoever sets one from outside keeps to its kind: where a percentage was meant, `5` is no value. The same
//! kinds make the schema of files of parameters ([`Kind::schema`]).

use mesh_lang::value::{
    Address, Cidr, Date, Duration, DurationRange, Integer, Percent, Rate, Size, StatusSet,
};
use mesh_lang::view::Value;
use serde_json::{Value as Json, json};
use std::fmt;

/// A kind of value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `10%`.
    Percent,
    /// `250ms`.
    Duration,
    /// `64KiB`.
    Size,
    /// `100/s`.
    Rate,
    /// `3`.
    Number,
    /// `2026-12-01`.
    Date,
    /// `10.0.0.9:5432`.
    Address,
    /// `10.0.0.0/8`, or an address alone.
    Network,
    /// `25ms..1s`.
    DurationRange,
    /// `500..599`, `5xx`.
    Statuses,
    /// `/a/b`.
    Path,
    /// `"a string"`.
    Text,
    /// Any other word: a name, a host.
    Word,
    /// `[a, b]`: all of this kind; of any, where the list is empty.
    List(Option<Box<Kind>>),
}

/// The kind of a value.
pub fn kind_of(value: Value<'_>) -> Kind {
    match value {
        Value::Str(_) => Kind::Text,
        Value::Path(_) => Kind::Path,
        Value::Range(low, high) => match DurationRange::parse(low.text, high.text) {
            Ok(_) => Kind::DurationRange,
            Err(_) => Kind::Statuses,
        },
        Value::List(list) => Kind::List(list.values().next().map(|first| Box::new(kind_of(first)))),
        Value::Word(word) => of_word(word.text),
    }
}

fn of_word(text: &str) -> Kind {
    let kinds: [(Kind, bool); 9] = [
        (Kind::Number, Integer::parse(text).is_ok()),
        (Kind::Percent, Percent::parse(text).is_ok()),
        (Kind::Duration, Duration::parse(text).is_ok()),
        (Kind::Size, Size::parse(text).is_ok()),
        (Kind::Rate, Rate::parse(text).is_ok()),
        (Kind::Date, Date::parse(text).is_ok()),
        (Kind::Address, Address::parse(text).is_ok()),
        (Kind::Network, Cidr::parse(text).is_ok()),
        (Kind::Statuses, StatusSet::parse(text).is_ok()),
    ];
    let is = kinds.into_iter().find(|(_, is)| *is);
    is.map_or(Kind::Word, |(kind, _)| kind)
}

impl Kind {
    /// Whether a value of the `other` kind may stand in place of one of this.
    pub fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(Some(mine)), Self::List(Some(theirs))) => mine.takes(theirs),
            (Self::List(_), Self::List(_)) => true,
            _ => self == other,
        }
    }

    /// A JSON Schema for values of this kind, as a file of parameters writes them.
    pub fn schema(&self) -> Json {
        let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
        match self {
            Self::Percent => text(r"^[0-9]+(\.[0-9]{1,4})?%$"),
            Self::Duration => text(r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+$"),
            Self::Size => text(r"^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB)$"),
            Self::Rate => text(r"^[0-9]+/(s|min|h|d)$"),
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Date => text(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
            Self::Address => text(r":[0-9]+$"),
            Self::Network => text(r"^[0-9a-fA-F.:]+(/[0-9]+)?$"),
            Self::DurationRange => text(r"^[0-9].*\.\.[0-9]"),
            Self::Statuses => text(r"^[1-5](xx|[0-9]{2}\.\.[1-5][0-9]{2})$"),
            Self::Path => text("^/"),
            Self::Text | Self::Word => json!({ "type": "string" }),
            Self::List(None) => json!({ "type": "array" }),
            Self::List(Some(each)) => json!({ "type": "array", "items": each.schema() }),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Percent => "a percentage",
            Self::Duration => "a duration",
            Self::Size => "a size",
            Self::Rate => "a rate",
            Self::Number => "a whole number",
            Self::Date => "a date",
            Self::Address => "an address with its port",
            Self::Network => "a network",
            Self::DurationRange => "a range of durations",
            Self::Statuses => "a range of statuses",
            Self::Path => "a path",
            Self::Text => "a string",
            Self::Word => "a word",
            Self::List(None) => "a list",
            Self::List(Some(each)) => {
                let each = each.to_string();
                let each = each.trim_start_matches("an ").trim_start_matches("a ");
                return write!(f, "a list, each a {each}");
            }
        })
    }
}
