//! Claims and steps.

use super::{Action, Block, Clause, Test, Text, Value, Who};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::Node;

/// A claim of an `assert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'t> {
    /// Who reaches what.
    Reaches(Reaches<'t>),
    /// What every route has.
    EveryRoute(EveryRoute<'t>),
}

impl<'t> Claim<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        match node.kind() {
            SyntaxKind::Claim => Some(Self::Reaches(Reaches(node))),
            SyntaxKind::EveryRoute => Some(Self::EveryRoute(EveryRoute(node))),
            _ => None,
        }
    }

    /// Its node.
    pub fn node(self) -> Node<'t> {
        match self {
            Self::Reaches(Reaches(node)) | Self::EveryRoute(EveryRoute(node)) => node,
        }
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.node().span()
    }
}

/// How strong a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// No such request arrives.
    Never,
    /// Every such request arrives.
    Always,
    /// Nobody else reaches it.
    Only,
}

impl Verb {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
            Self::Only => "only",
        }
    }
}

/// `never|always|only WHO reaches TARGET …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaches<'t>(Node<'t>);

impl<'t> Reaches<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// How strong it is; nothing if the word is misspelt.
    pub fn verb(self) -> Option<Verb> {
        match self.0.own_tokens().next()?.text() {
            "never" => Some(Verb::Never),
            "always" => Some(Verb::Always),
            "only" => Some(Verb::Only),
            _ => None,
        }
    }

    /// From whom.
    pub fn who(self) -> impl Iterator<Item = Who<'t>> {
        self.0.children().filter_map(Who::cast)
    }

    /// To what.
    pub fn target(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::Target).map(Text::of_node)
    }

    /// By which methods as they arrive; none means all.
    pub fn methods(self) -> impl Iterator<Item = Text<'t>> {
        super::statement::methods(self.0)
    }

    /// On which paths as they arrive; none means all.
    pub fn paths(self) -> impl Iterator<Item = Value<'t>> {
        super::statement::paths(self.0)
    }

    /// Whether chains of calls count.
    pub fn is_transitive(self) -> bool {
        self.0
            .own_tokens()
            .any(|token| token.text() == "transitively")
    }

    /// At which host.
    pub fn host(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::Name).map(Text::of_node)
    }

    /// Under which condition.
    pub fn condition(self) -> Option<Clause<'t>> {
        Clause::below(self.0)
    }
}

/// `every route in GATEWAY …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EveryRoute<'t>(Node<'t>);

/// What every route has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement<'t> {
    /// `has timeout <= 30s`.
    Has(Test<'t>),
    /// `requires jwt corp` or `requires key partners`: which of both, and the name.
    Requires(Text<'t>, Text<'t>),
}

impl<'t> EveryRoute<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The gateway.
    pub fn gateway(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::Name).map(Text::of_node)
    }

    /// Only routes to these.
    pub fn to(self) -> Option<Who<'t>> {
        self.0.children().find_map(Who::cast)
    }

    /// What they have.
    pub fn requirement(self) -> Option<Requirement<'t>> {
        if let Some(test) = self.0.children().find_map(Test::cast) {
            return Some(Requirement::Has(test));
        }
        let credential = self
            .0
            .own_tokens()
            .find(|token| matches!(token.text(), "jwt" | "key"))?;
        let name = self
            .0
            .children()
            .filter(|child| child.kind() == SyntaxKind::Name)
            .find(|name| name.span().start > credential.span().start)?;
        Some(Requirement::Requires(
            Text::of_token(credential),
            Text::of_node(name),
        ))
    }
}

/// A step of a `test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'t> {
    /// A request is sent.
    Request(Request<'t>),
    /// What comes of it.
    Expect(Expect<'t>),
}

impl<'t> Step<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        match node.kind() {
            SyntaxKind::Request => Some(Self::Request(Request(node))),
            SyntaxKind::Expect => Some(Self::Expect(Expect(node))),
            _ => None,
        }
    }

    /// Its node.
    pub fn node(self) -> Node<'t> {
        match self {
            Self::Request(Request(node)) | Self::Expect(Expect(node)) => node,
        }
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.node().span()
    }
}

/// `request METHOD URL [from WHO]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'t>(Node<'t>);

impl<'t> Request<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The method.
    pub fn method(self) -> Option<Text<'t>> {
        super::statement::methods(self.0).next()
    }

    /// The URL: a word or a string.
    pub fn url(self) -> Option<Value<'t>> {
        self.0.children().find_map(Value::cast)
    }

    /// Who sends it; without, a client on the internet.
    pub fn from(self) -> Option<Who<'t>> {
        self.0.children().find_map(Who::cast)
    }

    /// What it carries.
    pub fn block(self) -> Option<Block<'t>> {
        Block::below(self.0)
    }
}

/// `expect STATUS` or `expect ACTION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect<'t>(Node<'t>);

impl<'t> Expect<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The status that is expected, if it is one.
    pub fn status(self) -> Option<Text<'t>> {
        self.0.child(SyntaxKind::WordValue).map(Text::of_node)
    }

    /// The action that is expected, if it is one.
    pub fn action(self) -> Option<Action<'t>> {
        Action::below(self.0)
    }
}
