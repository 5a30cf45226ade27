//! Blocks and statements.

use super::item::names;
use super::{
    Action, Claim, Clause, ClauseKind, Condition, Item, Step, Text, Value, doc, is_broken,
};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::{Element, Node};

/// `{ … }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'t>(Node<'t>);

impl<'t> Block<'t> {
    /// The one below `node`.
    pub(super) fn below(node: Node<'t>) -> Option<Self> {
        node.child(SyntaxKind::Block).map(Self)
    }

    /// Its node.
    pub fn node(self) -> Node<'t> {
        self.0
    }

    /// Where it is, braces included.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// Its statements, in order.
    pub fn statements(self) -> impl Iterator<Item = Statement<'t>> {
        self.0.children().filter_map(Statement::cast)
    }

    /// Its settings that start with `word`, in order.
    pub fn settings(self, word: &'t str) -> impl Iterator<Item = Setting<'t>> {
        self.statements()
            .filter_map(Statement::setting)
            .filter(move |setting| setting.keyword().text == word)
    }

    /// Its first setting that starts with `word`.
    pub fn setting(self, word: &'t str) -> Option<Setting<'t>> {
        self.settings(word).next()
    }
}

/// A statement of a block or of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement<'t> {
    /// A route.
    Arm(Arm<'t>),
    /// A rule of an `authz`.
    Rule(Rule<'t>),
    /// A word of the vocabulary with its arguments.
    Setting(Setting<'t>),
    /// An item.
    Item(Item<'t>),
    /// A claim of an `assert`.
    Claim(Claim<'t>),
    /// A step of a `test`.
    Step(Step<'t>),
    /// A `set` of an `env`.
    Set(Set<'t>),
    /// What is none.
    Error(Node<'t>),
}

impl<'t> Statement<'t> {
    /// The statement that a node is.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::Arm => Self::Arm(Arm(node)),
            SyntaxKind::Rule => Self::Rule(Rule(node)),
            SyntaxKind::Setting => Self::Setting(Setting(node)),
            SyntaxKind::Set => Self::Set(Set(node)),
            SyntaxKind::Error => Self::Error(node),
            _ => {
                if let Some(claim) = Claim::cast(node) {
                    Self::Claim(claim)
                } else if let Some(step) = Step::cast(node) {
                    Self::Step(step)
                } else {
                    Self::Item(Item::cast(node)?)
                }
            }
        })
    }

    /// Its node.
    pub fn node(self) -> Node<'t> {
        match self {
            Self::Arm(Arm(node))
            | Self::Rule(Rule(node))
            | Self::Setting(Setting(node))
            | Self::Set(Set(node))
            | Self::Error(node) => node,
            Self::Item(item) => item.node(),
            Self::Claim(claim) => claim.node(),
            Self::Step(step) => step.node(),
        }
    }

    /// Where it is, its block included.
    pub fn span(self) -> Span {
        self.node().span()
    }

    /// The setting, if it is one.
    pub fn setting(self) -> Option<Setting<'t>> {
        match self {
            Self::Setting(setting) => Some(setting),
            _ => None,
        }
    }

    /// Its block.
    pub fn block(self) -> Option<Block<'t>> {
        Block::below(self.node())
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

/// A setting: a word of the vocabulary, its arguments, its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting<'t>(Node<'t>);

/// An argument of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'t> {
    /// A value.
    Value(Value<'t>),
    /// A comma.
    Comma(Span),
    /// `-> TARGET`.
    Arrow(Text<'t>),
    /// A condition, and what introduces it.
    Clause(Clause<'t>),
}

impl Arg<'_> {
    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Value(value) => value.span(),
            Self::Comma(span) => span,
            Self::Arrow(target) => target.span,
            Self::Clause(clause) => clause.span(),
        }
    }
}

impl<'t> Setting<'t> {
    /// Its node.
    pub fn node(self) -> Node<'t> {
        self.0
    }

    /// Where it is, its block included.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The word it starts with.
    pub fn keyword(self) -> Text<'t> {
        let word = self.0.token(SyntaxKind::Word).map(Text::of_token);
        // A setting is started for its word alone.
        word.unwrap_or_else(|| Text::of_node(self.0))
    }

    /// Its arguments, in order.
    pub fn args(self) -> impl Iterator<Item = Arg<'t>> {
        self.0.elements().filter_map(|element| match element {
            Element::Token(token) => {
                (token.kind() == SyntaxKind::Comma).then(|| Arg::Comma(token.span()))
            }
            Element::Node(node) if node.kind() == SyntaxKind::ArrowTarget => node
                .child(SyntaxKind::Target)
                .map(|target| Arg::Arrow(Text::of_node(target))),
            Element::Node(node) => Value::cast(node)
                .map(Arg::Value)
                .or_else(|| Clause::cast(node).map(Arg::Clause)),
        })
    }

    /// Its values alone, in order.
    pub fn values(self) -> impl Iterator<Item = Value<'t>> {
        self.0.children().filter_map(Value::cast)
    }

    /// The target behind its `->`.
    pub fn arrow(self) -> Option<Text<'t>> {
        let arrow = self.0.child(SyntaxKind::ArrowTarget)?;
        arrow.child(SyntaxKind::Target).map(Text::of_node)
    }

    /// Its condition, and what introduces it.
    pub fn clause(self) -> Option<Clause<'t>> {
        Clause::below(self.0)
    }

    /// Its block.
    pub fn block(self) -> Option<Block<'t>> {
        Block::below(self.0)
    }

    /// Its word and arguments, without its block.
    pub fn head_span(self) -> Span {
        let last = self
            .0
            .elements()
            .take_while(|element| !matches!(element, Element::Node(node) if node.kind() == SyntaxKind::Block))
            .last();
        let span = self.0.span();
        last.map_or(span, |last| {
            Span::new(span.file, span.start, last.span().end)
        })
    }

    /// Whether something in it, its block aside, did not parse.
    pub fn is_broken(self) -> bool {
        is_broken(self.0)
    }
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arm<'t>(Node<'t>);

impl<'t> Arm<'t> {
    /// Its node.
    pub fn node(self) -> Node<'t> {
        self.0
    }

    /// Where it is, its block included.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// What it is called.
    pub fn name(self) -> Option<Text<'t>> {
        label(self.0)
    }

    /// Its methods; none means all.
    pub fn methods(self) -> impl Iterator<Item = Text<'t>> {
        methods(self.0)
    }

    /// Its path patterns, paths or strings; none means all.
    pub fn paths(self) -> impl Iterator<Item = Value<'t>> {
        paths(self.0)
    }

    /// Whether it takes what the others leave.
    pub fn is_otherwise(self) -> bool {
        self.0.child(SyntaxKind::Otherwise).is_some()
    }

    /// Its condition.
    pub fn condition(self) -> Option<Condition<'t>> {
        Clause::below(self.0)
            .filter(|clause| clause.kind() == ClauseKind::When)?
            .condition()
    }

    /// What it does.
    pub fn action(self) -> Option<Action<'t>> {
        Action::below(self.0)
    }

    /// Its block.
    pub fn block(self) -> Option<Block<'t>> {
        Block::below(self.0)
    }

    /// The lines of its doc comment.
    pub fn doc(self) -> impl Iterator<Item = &'t str> {
        doc(self.0)
    }

    /// What stands before `->`, its name aside: the text of its match.
    pub fn head_span(self) -> Span {
        let mut head = self.0.elements().take_while(|element| match element {
            Element::Token(token) => token.kind() != SyntaxKind::Arrow,
            Element::Node(node) => {
                Action::cast(*node).is_none() && node.kind() != SyntaxKind::Block
            }
        });
        let is_label = |element: &Element<'_>| matches!(element, Element::Node(node) if node.kind() == SyntaxKind::Label);
        let span = self.0.span();
        match head.find(|element| !is_label(element)) {
            Some(first) => first.span().to(head.last().unwrap_or(first).span()),
            None => Span::empty(span.file, span.start),
        }
    }

    /// Whether something in it, its block aside, did not parse.
    pub fn is_broken(self) -> bool {
        is_broken(self.0)
    }
}

/// A rule of an `authz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'t>(Node<'t>);

impl<'t> Rule<'t> {
    /// Its node.
    pub fn node(self) -> Node<'t> {
        self.0
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// What it is called.
    pub fn name(self) -> Option<Text<'t>> {
        label(self.0)
    }

    /// Whether it allows; else it denies.
    pub fn allows(self) -> bool {
        self.verb().is_some_and(|verb| verb.text == "allow")
    }

    /// `allow` or `deny`.
    pub fn verb(self) -> Option<Text<'t>> {
        self.0.token(SyntaxKind::Word).map(Text::of_token)
    }

    /// Whom.
    pub fn who(self) -> impl Iterator<Item = Who<'t>> {
        self.0.children().filter_map(Who::cast)
    }

    /// Its methods; none means all.
    pub fn methods(self) -> impl Iterator<Item = Text<'t>> {
        methods(self.0)
    }

    /// Its path patterns, paths or strings; none means all.
    pub fn paths(self) -> impl Iterator<Item = Value<'t>> {
        paths(self.0)
    }

    /// Its condition: `when` or `unless`.
    pub fn clause(self) -> Option<Clause<'t>> {
        Clause::below(self.0)
    }

    /// The lines of its doc comment.
    pub fn doc(self) -> impl Iterator<Item = &'t str> {
        doc(self.0)
    }

    /// Whether something in it did not parse.
    pub fn is_broken(self) -> bool {
        is_broken(self.0)
    }
}

/// Who is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'t> {
    /// `anyone`: with or without an identity.
    Anyone(Span),
    /// `internet`: a client without an identity of the mesh, through any gateway.
    Internet(Span),
    /// `any service`: a verified one.
    AnyService(Span),
    /// `namespace NAME`: its services.
    Namespace(Text<'t>),
    /// A service, an external or a gateway.
    Target(Text<'t>),
}

impl<'t> Who<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        if node.kind() != SyntaxKind::Who {
            return None;
        }
        let span = node.span();
        Some(match node.own_tokens().next()?.text() {
            "anyone" => Self::Anyone(span),
            "internet" => Self::Internet(span),
            "any" => Self::AnyService(span),
            "namespace" => Self::Namespace(names(node).next()?),
            _ => Self::Target(Text::of_node(node)),
        })
    }

    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Anyone(span) | Self::Internet(span) | Self::AnyService(span) => span,
            Self::Namespace(name) | Self::Target(name) => name.span,
        }
    }
}

/// `set KIND NAME = VALUE, …` of an `env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set<'t>(Node<'t>);

impl<'t> Set<'t> {
    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// What kind of item is changed: `param`, `service`, ….
    pub fn kind(self) -> Option<Text<'t>> {
        names(self.0).next()
    }

    /// What of it: `canary`, `reviews.timeout`, `reviews.v1.endpoints`.
    pub fn path(self) -> Option<Text<'t>> {
        names(self.0).nth(1)
    }

    /// What it is set to.
    pub fn values(self) -> impl Iterator<Item = Value<'t>> {
        self.0.children().filter_map(Value::cast)
    }
}

fn label(node: Node<'_>) -> Option<Text<'_>> {
    let label = node.child(SyntaxKind::Label)?;
    label.token(SyntaxKind::Word).map(Text::of_token)
}

/// The methods below `node`.
pub(super) fn methods(node: Node<'_>) -> impl Iterator<Item = Text<'_>> {
    node.child(SyntaxKind::Methods)
        .into_iter()
        .flat_map(Node::own_tokens)
        .filter(|token| token.kind() == SyntaxKind::Word)
        .map(Text::of_token)
}

/// The paths below `node`.
pub(super) fn paths(node: Node<'_>) -> impl Iterator<Item = Value<'_>> {
    node.child(SyntaxKind::Paths)
        .into_iter()
        .flat_map(Node::children)
        .filter_map(Value::cast)
}
