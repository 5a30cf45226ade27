//! From a statement to its pieces: what is spaced how, and where a line may end.
//!
//! A line ends only where the grammar reads on: behind a comma, before `->`, `and`, `or`, `to` and
//! `unless`, before the `when` of arms and rules, inside brackets. A comment inside of a statement
//! stands where its source has the end of a line, so the line ends there too.

use super::layout::{Indent, Layout, Piece};
use super::line::columns;
use crate::parser;
use crate::syntax::SyntaxKind;
use crate::tree::{Element, Node, Token, Tree};

/// How far the further lines of a statement are indented: deeper than its block, to be told from it.
const CONTINUATION: u32 = 2 * super::INDENT;

/// How many groups of a statement go on with a `->`: all of it.
const WITH_ARROW: usize = 1;

/// How many go on with a condition: all of it, and what stands before its `->`. What stands before both
/// is a third.
const WITH_CLAUSE: usize = 2;

/// What separates two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Space,
    Line,
    Edge,
}

/// A statement, its block aside, in pieces.
#[derive(Debug)]
pub(super) struct Head<'t> {
    tree: &'t Tree,
    pub(super) layout: Layout,
    /// Something in it did not parse, or does not bear white space: its source is what to write.
    pub(super) broken: bool,
    /// Whether it is written on more than one line.
    pub(super) has_line_ends: bool,
    /// Whether nobody wants to know more, as it is too wide.
    limit: u32,
    /// What was written last, by the index behind its token.
    end: u32,
    last: Option<Token<'t>>,
}

impl<'t> Head<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        Self {
            tree,
            layout: Layout::default(),
            broken: false,
            has_line_ends: false,
            limit: u32::MAX,
            end: 0,
            last: None,
        }
    }

    /// Takes a statement apart. What is wider than `limit` may be left out.
    pub(super) fn read(&mut self, statement: Node<'t>, limit: u32) {
        self.layout.clear();
        self.broken = false;
        self.has_line_ends = false;
        self.limit = limit;
        self.end = statement.token_range().start;
        self.last = None;
        self.layout.open(Indent::Deeper(CONTINUATION));
        self.layout.open(Indent::Same);
        self.layout.open(Indent::Same);
        self.statement(statement);
        // Comments before a comma go behind it, but behind the last token is no place for them.
        if let Some(last) = self.last
            && !self.is_done()
        {
            self.broken = self.comments(last.index());
        }
        self.layout.close_to(0);
    }

    fn is_done(&self) -> bool {
        self.broken || self.layout.width() > self.limit
    }

    fn statement(&mut self, statement: Node<'t>) {
        let kind = statement.kind();
        let is_block = |element: &Element<'_>| matches!(element, Element::Node(node) if node.kind() == SyntaxKind::Block);
        let mut is_first = true;
        let mut after_comma = false;
        let mut after_name = false;
        for element in statement.elements().take_while(|it| !is_block(it)) {
            if self.is_done() {
                return;
            }
            if let Element::Token(token) = element
                && token.kind() == SyntaxKind::Comma
            {
                self.comma(token);
                after_comma = true;
                continue;
            }
            let gap = match self.part(kind, element, after_name) {
                _ if is_first => Gap::Nothing,
                _ if after_comma => Gap::Line,
                gap => gap,
            };
            self.before(start(element), gap);
            if after_name {
                self.layout.mark_matched();
            }
            is_first = false;
            after_comma = false;
            after_name = kind == SyntaxKind::Arm && is_node(element, SyntaxKind::Label);
            match element {
                Element::Token(token) => {
                    if kind == SyntaxKind::Arm && token.kind() == SyntaxKind::Arrow {
                        self.layout.mark_arrow();
                    }
                    self.token(token);
                }
                // A line may not end before it, but behind.
                Element::Node(node) if is_when_of_setting(kind, node) => {
                    self.clause(node, Gap::Line);
                }
                Element::Node(node) => self.node(node),
            }
        }
    }

    /// Ends the groups of the statement that do not go on with this element of it. What may stand
    /// before the element.
    fn part(&mut self, statement: SyntaxKind, element: Element<'t>, after_name: bool) -> Gap {
        let (kind, is_to) = match element {
            Element::Token(token) => (token.kind(), is_to(statement, token)),
            Element::Node(node) => (node.kind(), is_word_to(statement, node)),
        };
        match kind {
            SyntaxKind::Arrow | SyntaxKind::ArrowTarget => {
                self.layout.close_to(WITH_ARROW);
                Gap::Line
            }
            SyntaxKind::When | SyntaxKind::Unless | SyntaxKind::Where => {
                self.layout.close_to(WITH_CLAUSE);
                before_clause(statement, kind, after_name)
            }
            _ if is_to => {
                self.layout.close_to(WITH_CLAUSE);
                Gap::Line
            }
            _ => Gap::Space,
        }
    }

    fn node(&mut self, node: Node<'t>) {
        match node.kind() {
            SyntaxKind::Error | SyntaxKind::Missing => self.broken = true,
            SyntaxKind::When | SyntaxKind::Unless | SyntaxKind::Where => {
                self.clause(node, Gap::Space);
            }
            SyntaxKind::Or | SyntaxKind::And => self.connective(node, Indent::Same),
            SyntaxKind::Paren => self.paren(node),
            SyntaxKind::ListValue => self.list(node),
            SyntaxKind::Methods | SyntaxKind::Paths => self.group(node, Indent::Same),
            SyntaxKind::Split => self.group(node, Indent::Deeper(super::INDENT)),
            SyntaxKind::Label | SyntaxKind::Field | SyntaxKind::RangeValue => {
                self.elements(node, Gap::Nothing);
            }
            _ => self.elements(node, Gap::Space),
        }
    }

    /// What a node consists of, with `gap` between; behind a comma a line may end.
    fn elements(&mut self, node: Node<'t>, gap: Gap) {
        let mut next = Gap::Nothing;
        for element in node.elements() {
            if self.is_done() {
                return;
            }
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::Comma => {
                    self.comma(token);
                    next = Gap::Line;
                    continue;
                }
                Element::Token(token) => {
                    self.before(token.index(), next);
                    self.token(token);
                }
                Element::Node(node) => {
                    self.before(node.token_range().start, next);
                    self.node(node);
                }
            }
            next = gap;
        }
    }

    fn group(&mut self, node: Node<'t>, indent: Indent) {
        self.layout.open(indent);
        self.elements(node, Gap::Space);
        self.layout.close();
    }

    /// `when CONDITION`, with `gap` between the two.
    fn clause(&mut self, clause: Node<'t>, gap: Gap) {
        let mut next = Gap::Nothing;
        for element in clause.elements() {
            self.before(start(element), next);
            match element {
                Element::Token(token) => self.token(token),
                Element::Node(node) => self.node(node),
            }
            next = gap;
        }
    }

    /// `A and B and …`: a line may end before each operator.
    fn connective(&mut self, node: Node<'t>, indent: Indent) {
        self.layout.open(indent);
        let mut next = Gap::Nothing;
        for element in node.elements() {
            if self.is_done() {
                break;
            }
            match element {
                Element::Token(operator) => {
                    self.before(operator.index(), Gap::Line);
                    self.token(operator);
                    next = Gap::Space;
                }
                Element::Node(operand) => {
                    self.before(operand.token_range().start, next);
                    match operand.kind() {
                        SyntaxKind::And => {
                            self.connective(operand, Indent::Deeper(super::INDENT));
                        }
                        _ => self.node(operand),
                    }
                }
            }
        }
        self.layout.close();
    }

    /// `(A)`.
    fn paren(&mut self, node: Node<'t>) {
        self.layout.open(Indent::Parens);
        let mut next = Gap::Nothing;
        for element in node.elements() {
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::RightParen => {
                    self.close_bracket(token);
                }
                Element::Token(token) => {
                    self.before(token.index(), next);
                    self.token(token);
                    next = Gap::Edge;
                }
                Element::Node(node) => {
                    self.before(node.token_range().start, next);
                    self.node(node);
                }
            }
        }
        self.layout.close();
    }

    /// `[A, B]`. A comma behind the last element asks for a line for each.
    fn list(&mut self, list: Node<'t>) {
        self.layout.open(Indent::List);
        let mut next = Gap::Nothing;
        let mut is_empty = true;
        let mut comma = None;
        for element in list.elements() {
            if self.is_done() {
                break;
            }
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::Comma => {
                    comma = Some(token);
                    next = Gap::Line;
                }
                Element::Token(token) if token.kind() == SyntaxKind::RightBracket => {
                    if comma.is_some() {
                        self.layout.must_not_fit();
                    }
                    if !is_empty {
                        self.layout.push(Piece::LastComma);
                    }
                    self.close_bracket(token);
                }
                Element::Token(token) => {
                    self.before(token.index(), next);
                    self.token(token);
                    next = Gap::Edge;
                }
                Element::Node(node) => {
                    if let Some(comma) = comma.take() {
                        self.comma(comma);
                    }
                    self.before(node.token_range().start, next);
                    self.node(node);
                    is_empty = false;
                }
            }
        }
        self.layout.close();
    }

    /// A closing bracket: comments before it belong to what is inside.
    fn close_bracket(&mut self, bracket: Token<'t>) {
        let had_comments = self.comments(bracket.index());
        self.layout.push(Piece::Closing);
        if had_comments {
            self.layout.push(Piece::NewLine);
        } else {
            self.gap(bracket.index(), Gap::Edge);
        }
        self.token(bracket);
    }

    /// What stands before the token `start`: the comments there, or else a gap.
    fn before(&mut self, start: u32, gap: Gap) {
        if self.comments(start) {
            self.layout.push(Piece::NewLine);
        } else {
            self.gap(start, gap);
        }
    }

    fn gap(&mut self, start: u32, gap: Gap) {
        let next = self.tree.tokens().kind(start as usize);
        let swallows = self.last.is_some_and(|last| swallows(last, next));
        match gap {
            Gap::Nothing if !swallows => {}
            Gap::Nothing | Gap::Space => self.layout.push(Piece::Space),
            Gap::Edge if !swallows => self.layout.push(Piece::Edge),
            Gap::Line | Gap::Edge => self.layout.push(Piece::Line),
        }
    }

    /// The comments between what was written last and the token `start`. Whether there are any; a line
    /// ends behind them.
    fn comments(&mut self, start: u32) -> bool {
        let kinds = self.tree.tokens().kinds();
        let between = self.end.min(start)..start;
        self.end = start;
        let mut found = false;
        let mut is_on_line = true;
        for index in between {
            match kinds[index as usize] {
                SyntaxKind::Newline => {
                    self.has_line_ends = true;
                    is_on_line = false;
                }
                SyntaxKind::Comment | SyntaxKind::DocComment => {
                    if is_on_line {
                        self.layout.push(Piece::TrailingComment(index));
                    } else {
                        self.layout.push(Piece::NewLine);
                        self.layout.push(Piece::Comment(index));
                    }
                    found = true;
                }
                _ => {}
            }
        }
        found
    }

    /// A comma follows what it separates, before any comment.
    fn comma(&mut self, comma: Token<'t>) {
        self.layout.token(comma.index(), 1);
        self.last = Some(comma);
    }

    fn token(&mut self, token: Token<'t>) {
        self.broken |= is_fragile(token);
        self.layout.token(token.index(), columns(token.text()));
        self.end = token.index() + 1;
        self.last = Some(token);
    }
}

/// The first token of an element, by its index.
fn start(element: Element<'_>) -> u32 {
    match element {
        Element::Token(token) => token.index(),
        Element::Node(node) => node.token_range().start,
    }
}

fn is_node(element: Element<'_>, kind: SyntaxKind) -> bool {
    element.node().is_some_and(|node| node.kind() == kind)
}

/// Whether this is the `to` of a rule or a claim, before which a line may end.
fn is_to(statement: SyntaxKind, token: Token<'_>) -> bool {
    matches!(statement, SyntaxKind::Rule | SyntaxKind::EveryRoute)
        && token.kind() == SyntaxKind::Word
        && token.text() == "to"
}

/// The same among the arguments of a setting.
fn is_word_to(statement: SyntaxKind, node: Node<'_>) -> bool {
    statement == SyntaxKind::Setting && node.kind() == SyntaxKind::WordValue && node.text() == "to"
}

/// Whether this is a `when` that a newline before it would make the start of an arm.
fn is_when_of_setting(statement: SyntaxKind, node: Node<'_>) -> bool {
    node.kind() == SyntaxKind::When && !matches!(statement, SyntaxKind::Arm | SyntaxKind::Rule)
}

/// What may stand before a condition of a statement. Before the `when` of an arm a line may end, but
/// not if the arm has nothing but a name before it.
fn before_clause(statement: SyntaxKind, clause: SyntaxKind, after_name: bool) -> Gap {
    match (statement, clause) {
        (SyntaxKind::Arm, SyntaxKind::When) if after_name => Gap::Space,
        (_, SyntaxKind::Unless) | (SyntaxKind::Arm | SyntaxKind::Rule, SyntaxKind::When) => {
            Gap::Line
        }
        _ => Gap::Space,
    }
}

/// Whether a token of the kind `next` right behind this one would become part of it.
fn swallows(token: Token<'_>, next: SyntaxKind) -> bool {
    let is_dot_before_dots = || next == SyntaxKind::DotDot && token.text().ends_with('.');
    token.kind() == SyntaxKind::Word && (is_url(token.text()) || is_dot_before_dots())
}

fn is_url(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

/// Whether the token ceases to be one if white space follows, or has no end of its own.
fn is_fragile(token: Token<'_>) -> bool {
    match token.kind() {
        SyntaxKind::UnclosedString | SyntaxKind::Unknown => true,
        SyntaxKind::Word => token.text().ends_with(':') && !is_url(token.text()),
        _ => false,
    }
}

/// Whether the newline between a statement that ends with the token `last` and one that starts with
/// `first` is enough to tell them apart.
pub(super) fn newline_separates(tree: &Tree, last: u32, first: u32) -> bool {
    let kind = |index: u32| tree.tokens().kind(index as usize);
    let word = |index: u32| match kind(index) {
        SyntaxKind::Word => tree.tokens().text(tree.text(), index as usize),
        _ => "",
    };
    parser::may_end_statement(kind(last), word(last))
        && !parser::continues_statement(kind(first), word(first))
}
