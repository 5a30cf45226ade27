//! What arms do.

use super::{Text, Value};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::Node;

/// What an arm does with a request, or what a test expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'t> {
    /// To this target.
    Forward(Text<'t>),
    /// To several targets, by shares.
    Split(Split<'t>),
    /// Elsewhere, by the client itself.
    Redirect(Redirect<'t>),
    /// To nobody: the proxy answers.
    Respond(Respond<'t>),
}

impl<'t> Action<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::Forward => Self::Forward(Text::of_node(node)),
            SyntaxKind::Split => Self::Split(Split(node)),
            SyntaxKind::Redirect => Self::Redirect(Redirect(node)),
            SyntaxKind::Respond => Self::Respond(Respond(node)),
            _ => return None,
        })
    }

    /// The one below `node`.
    pub(super) fn below(node: Node<'t>) -> Option<Self> {
        node.children().find_map(Self::cast)
    }

    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Forward(target) => target.span,
            Self::Split(Split(node))
            | Self::Redirect(Redirect(node))
            | Self::Respond(Respond(node)) => node.span(),
        }
    }
}

/// `split 90% v1, 10% v2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<'t>(Node<'t>);

impl<'t> Split<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// Its parts, in order.
    pub fn parts(self) -> impl Iterator<Item = Part<'t>> {
        self.0
            .children()
            .filter(|child| child.kind() == SyntaxKind::SplitPart)
            .map(Part)
    }
}

/// `10% v2` of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'t>(Node<'t>);

impl<'t> Part<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// A percentage, the name of a parameter, or `rest`.
    pub fn share(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::WordValue).map(Text::of_node)
    }

    /// Whether it takes what the others leave.
    pub fn is_rest(self) -> bool {
        self.share().is_some_and(|share| share.text == "rest")
    }

    /// Where this share goes.
    pub fn target(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::Target).map(Text::of_node)
    }
}

/// `redirect [STATUS] [URL]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect<'t>(Node<'t>);

impl<'t> Redirect<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// What stands behind the word.
    pub fn values(self) -> impl Iterator<Item = Value<'t>> {
        self.0.children().filter_map(Value::cast)
    }

    /// The status: 301, 302, 303, 307 or 308.
    pub fn code(self) -> Option<Text<'t>> {
        match self.values().next()? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Where to; without it the parts are in the arm's block.
    pub fn url(self) -> Option<Value<'t>> {
        self.values().find(|value| !matches!(value, Value::Word(_)))
    }
}

/// `respond STATUS [[file] STRING]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Respond<'t>(Node<'t>);

impl<'t> Respond<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// What stands behind the word.
    pub fn values(self) -> impl Iterator<Item = Value<'t>> {
        self.0.children().filter_map(Value::cast)
    }

    /// The status, or the name of a parameter.
    pub fn status(self) -> Option<Text<'t>> {
        match self.values().next()? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether the body is the content of a file.
    pub fn is_file(self) -> bool {
        matches!(self.values().nth(1), Some(Value::Word(word)) if word.text == "file")
    }

    /// The body, or the name of its file: a string, or the name of a parameter.
    pub fn body(self) -> Option<Value<'t>> {
        self.values().nth(if self.is_file() { 2 } else { 1 })
    }
}
