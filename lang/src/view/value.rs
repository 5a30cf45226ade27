//! Values and strings.

use std::borrow::Cow;

use super::Text;
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::Node;
use crate::value::unescape;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'t> {
    /// A number with or without a unit, an address, a host, a name, …: what it is its text tells.
    Word(Text<'t>),
    /// `LOW..HIGH`.
    Range(Text<'t>, Text<'t>),
    /// A path.
    Path(Text<'t>),
    /// A string.
    Str(Str<'t>),
    /// A list.
    List(List<'t>),
}

impl<'t> Value<'t> {
    /// The value that a node is.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        match node.kind() {
            SyntaxKind::WordValue => Some(Self::Word(Text::of_node(node))),
            SyntaxKind::PathValue => Some(Self::Path(Text::of_node(node))),
            SyntaxKind::StringValue => Some(Self::Str(Str(node))),
            SyntaxKind::ListValue => Some(Self::List(List(node))),
            SyntaxKind::RangeValue => {
                let mut words = node
                    .own_tokens()
                    .filter(|token| token.kind() == SyntaxKind::Word)
                    .map(Text::of_token);
                Some(Self::Range(words.next()?, words.next()?))
            }
            _ => None,
        }
    }

    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Word(text) | Self::Path(text) => text.span,
            Self::Range(low, high) => low.span.to(high.span),
            Self::Str(string) => string.span(),
            Self::List(list) => list.span(),
        }
    }

    /// The text of a path or of a string: what may stand where a path is due.
    pub fn path(self) -> Option<Cow<'t, str>> {
        match self {
            Self::Path(path) => Some(path.text.into()),
            Self::Str(string) => Some(string.unescaped()),
            Self::Word(_) | Self::Range(..) | Self::List(_) => None,
        }
    }
}

/// A string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Str<'t>(pub(super) Node<'t>);

impl<'t> Str<'t> {
    /// Where it is, quotes included.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// As it is written, quotes included.
    pub fn raw(self) -> &'t str {
        self.0.text()
    }

    /// What it says. Where an escape means nothing, as it is written.
    pub fn unescaped(self) -> Cow<'t, str> {
        let raw = self.raw();
        unescape(raw).unwrap_or_else(|_| raw.trim_matches('"').into())
    }
}

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List<'t>(Node<'t>);

impl<'t> List<'t> {
    /// Where it is, brackets included.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// Its values.
    pub fn values(self) -> impl Iterator<Item = Value<'t>> {
        self.0.children().filter_map(Value::cast)
    }
}
