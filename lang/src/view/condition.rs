//! Conditions.

use super::{Str, Text, Value};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::Node;

/// What introduces a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClauseKind {
    /// `when`: if it holds.
    When,
    /// `unless`: if it does not hold.
    Unless,
    /// `where`: of what an inventory holds.
    Where,
}

impl ClauseKind {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::When => "when",
            Self::Unless => "unless",
            Self::Where => "where",
        }
    }
}

/// `when`, `unless` or `where`, and a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause<'t> {
    node: Node<'t>,
    kind: ClauseKind,
}

impl<'t> Clause<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        let kind = match node.kind() {
            SyntaxKind::When => ClauseKind::When,
            SyntaxKind::Unless => ClauseKind::Unless,
            SyntaxKind::Where => ClauseKind::Where,
            _ => return None,
        };
        Some(Self { node, kind })
    }

    /// The one below `node`.
    pub(super) fn below(node: Node<'t>) -> Option<Self> {
        node.children().find_map(Self::cast)
    }

    /// What introduces it.
    pub fn kind(self) -> ClauseKind {
        self.kind
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.node.span()
    }

    /// The condition.
    pub fn condition(self) -> Option<Condition<'t>> {
        self.node.children().find_map(Condition::cast)
    }
}

/// A condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'t> {
    /// One of several holds.
    Or(Operands<'t>),
    /// All of several hold.
    And(Operands<'t>),
    /// One does not hold.
    Not(Operands<'t>),
    /// One in parentheses.
    Paren(Operands<'t>),
    /// A test of a field, or the name of a condition.
    Test(Test<'t>),
}

impl<'t> Condition<'t> {
    /// The condition that a node is.
    pub fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::Or => Self::Or(Operands(node)),
            SyntaxKind::And => Self::And(Operands(node)),
            SyntaxKind::Not => Self::Not(Operands(node)),
            SyntaxKind::Paren => Self::Paren(Operands(node)),
            SyntaxKind::Comparison => Self::Test(Test(node)),
            _ => return None,
        })
    }

    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Or(of) | Self::And(of) | Self::Not(of) | Self::Paren(of) => of.0.span(),
            Self::Test(test) => test.0.span(),
        }
    }
}

/// What a condition is made of: two or more of an `or` and an `and`, one of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operands<'t>(Node<'t>);

impl<'t> Operands<'t> {
    /// Them, in order.
    pub fn iter(self) -> impl Iterator<Item = Condition<'t>> {
        self.0.children().filter_map(Condition::cast)
    }

    /// The first one: the only one of a `not` and of parentheses.
    pub fn first(self) -> Option<Condition<'t>> {
        self.iter().next()
    }
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
    /// `matches`.
    Matches,
    /// `starts-with`.
    StartsWith,
    /// `ends-with`.
    EndsWith,
    /// `contains`.
    Contains,
    /// `present`.
    Present,
    /// `absent`.
    Absent,
}

impl Compare {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::In,
        Self::NotIn,
        Self::Matches,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::Present,
        Self::Absent,
    ];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Matches => "matches",
            Self::StartsWith => "starts-with",
            Self::EndsWith => "ends-with",
            Self::Contains => "contains",
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }

    /// Whether a value stands behind it.
    pub const fn takes_value(self) -> bool {
        !matches!(self, Self::Present | Self::Absent)
    }

    /// Whether it is written as a sign, such as `<=`.
    pub const fn is_sign(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            // One `=` is reported, and means two.
            "=" => Some(Self::Equal),
            // The `in` behind it is implied.
            "not" => Some(Self::NotIn),
            _ => Self::ALL.iter().copied().find(|one| one.word() == text),
        }
    }
}

/// A test of a field, such as `header.x-team == "qa"`; or a field alone, such as `jwt.corp` or the
/// name of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test<'t>(Node<'t>);

impl<'t> Test<'t> {
    pub(super) fn cast(node: Node<'t>) -> Option<Self> {
        (node.kind() == SyntaxKind::Comparison).then_some(Self(node))
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.0.span()
    }

    /// The field without its index: `header.x-team`, `jwt.corp` of `jwt.corp["…"]`.
    pub fn field(self) -> Option<Text<'t>> {
        self.field_node()?
            .token(SyntaxKind::Word)
            .map(Text::of_token)
    }

    /// The string in brackets behind the field.
    pub fn index(self) -> Option<Str<'t>> {
        self.field_node()?.child(SyntaxKind::StringValue).map(Str)
    }

    /// Where the field is, its index included.
    pub fn field_span(self) -> Option<Span> {
        self.field_node().map(Node::span)
    }

    /// How the field is compared; nothing if it stands alone.
    pub fn comparison(self) -> Option<Compare> {
        Compare::parse(self.0.own_tokens().next()?.text())
    }

    /// Where the comparison is.
    pub fn comparison_span(self) -> Option<Span> {
        let mut tokens = self.0.own_tokens();
        let first = tokens.next()?.span();
        Some(tokens.last().map_or(first, |last| first.to(last.span())))
    }

    /// What the field is compared with.
    pub fn value(self) -> Option<Value<'t>> {
        self.0.children().find_map(Value::cast)
    }

    fn field_node(self) -> Option<Node<'t>> {
        self.0.child(SyntaxKind::Field)
    }
}
