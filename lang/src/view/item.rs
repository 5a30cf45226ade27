//! Items.

use super::{Block, Condition, Str, Text, Value, doc, is_broken};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::Node;

/// What a file and a namespace hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'t> {
    /// `import "…"`.
    Import(Import<'t>),
    /// `param NAME = VALUE`.
    Param(Param<'t>),
    /// `let NAME = …`.
    Let(Let<'t>),
    /// Any other: a word, what names it, and a block.
    Block(BlockItem<'t>),
}

impl<'t> Item<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::Import => Self::Import(Import(node)),
            SyntaxKind::Param => Self::Param(Param(node)),
            SyntaxKind::Let => Self::Let(Let(node)),
            kind => Self::Block(BlockItem {
                node,
                kind: ItemKind::of_node(kind)?,
            }),
        })
    }

    /// Its node.
    pub fn node(self) -> Node<'t> {
        match self {
            Self::Import(Import(node)) | Self::Param(Param(node)) | Self::Let(Let(node)) => node,
            Self::Block(item) => item.node,
        }
    }

    /// Where it is, its block included.
    pub fn span(self) -> Span {
        self.node().span()
    }

    /// The lines of its doc comment.
    pub fn doc(self) -> impl Iterator<Item = &'t str> {
        doc(self.node())
    }

    /// Whether something in it, its block aside, did not parse.
    pub fn is_broken(self) -> bool {
        is_broken(self.node())
    }
}

/// `import "…"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import<'t>(Node<'t>);

impl<'t> Import<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The directory, from that of the file.
    pub fn path(self) -> Option<Str<'t>> {
        self.0.child(SyntaxKind::StringValue).map(Str)
    }
}

/// `param NAME = VALUE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'t>(Node<'t>);

impl<'t> Param<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// Its name.
    pub fn name(self) -> Option<Text<'t>> {
        name(self.0)
    }

    /// Its value, unless another is set.
    pub fn value(self) -> Option<Value<'t>> {
        self.0.children().find_map(Value::cast)
    }
}

/// `let NAME = VALUE` or `let NAME = CONDITION`.
///
/// A single word may be either: it is read as a value, and whether it names a condition is known
/// when names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Let<'t>(Node<'t>);

impl<'t> Let<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// Its name.
    pub fn name(self) -> Option<Text<'t>> {
        name(self.0)
    }

    /// The value it stands for.
    pub fn value(self) -> Option<Value<'t>> {
        self.0.children().find_map(Value::cast)
    }

    /// The condition it stands for.
    pub fn condition(self) -> Option<Condition<'t>> {
        self.0.children().find_map(Condition::cast)
    }
}

/// Which item with a block it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// `mesh`.
    Mesh,
    /// `service`.
    Service,
    /// `external`.
    External,
    /// `gateway`.
    Gateway,
    /// `policy`.
    Policy,
    /// `jwt`.
    Jwt,
    /// `keys`.
    Keys,
    /// `namespace`.
    Namespace,
    /// `routes`.
    Routes,
    /// `env`.
    Env,
    /// `assert`.
    Assert,
    /// `test`.
    Test,
}

impl ItemKind {
    fn of_node(kind: SyntaxKind) -> Option<Self> {
        Some(match kind {
            SyntaxKind::Mesh => Self::Mesh,
            SyntaxKind::Service => Self::Service,
            SyntaxKind::External => Self::External,
            SyntaxKind::Gateway => Self::Gateway,
            SyntaxKind::Policy => Self::Policy,
            SyntaxKind::Jwt => Self::Jwt,
            SyntaxKind::Keys => Self::Keys,
            SyntaxKind::Namespace => Self::Namespace,
            SyntaxKind::Routes => Self::Routes,
            SyntaxKind::Env => Self::Env,
            SyntaxKind::Assert => Self::Assert,
            SyntaxKind::Test => Self::Test,
            _ => return None,
        })
    }

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Service => "service",
            Self::External => "external",
            Self::Gateway => "gateway",
            Self::Policy => "policy",
            Self::Jwt => "jwt",
            Self::Keys => "keys",
            Self::Namespace => "namespace",
            Self::Routes => "routes",
            Self::Env => "env",
            Self::Assert => "assert",
            Self::Test => "test",
        }
    }
}

/// An item with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockItem<'t> {
    node: Node<'t>,
    kind: ItemKind,
}

impl<'t> BlockItem<'t> {
    /// Its node.
    pub fn node(self) -> Node<'t> {
        self.node
    }

    /// Where it is, its block included.
    pub fn span(self) -> Span {
        self.node.span()
    }

    /// Which one it is; a misspelt word counts as the one that was meant.
    pub fn kind(self) -> ItemKind {
        self.kind
    }

    /// The word it starts with, as it is written.
    pub fn keyword(self) -> Option<Text<'t>> {
        let skipped = usize::from(self.exported());
        self.node.own_tokens().nth(skipped).map(Text::of_token)
    }

    /// Whether `export` stands before it.
    pub fn exported(self) -> bool {
        self.node
            .own_tokens()
            .next()
            .is_some_and(|token| token.text() == "export")
    }

    /// The name it declares; of `routes` the gateway.
    pub fn name(self) -> Option<Text<'t>> {
        self.names().next()
    }

    /// The words in the place of its name: the gateway and the host of `routes`, the name of any
    /// other.
    pub fn names(self) -> impl Iterator<Item = Text<'t>> {
        names(self.node)
    }

    /// What an `assert` or a `test` is about.
    pub fn title(self) -> Option<Str<'t>> {
        self.node.child(SyntaxKind::StringValue).map(Str)
    }

    /// Its block.
    pub fn block(self) -> Option<Block<'t>> {
        Block::below(self.node)
    }

    /// The lines of its doc comment.
    pub fn doc(self) -> impl Iterator<Item = &'t str> {
        doc(self.node)
    }

    /// What stands before its block.
    pub fn head_span(self) -> Span {
        let span = self.node.span();
        match self.block() {
            Some(block) => Span::new(span.file, span.start, block.span().start.max(span.start)),
            None => span,
        }
    }
}

pub(super) fn name(node: Node<'_>) -> Option<Text<'_>> {
    names(node).next()
}

pub(super) fn names(node: Node<'_>) -> impl Iterator<Item = Text<'_>> {
    node.children()
        .filter(|child| child.kind() == SyntaxKind::Name)
        .map(Text::of_node)
}
