//! The syntax tree: flat, lossless, 16 bytes a node.
//!
//! In: what the parser starts and finishes, in order. Out: a [`Tree`] whose nodes lie in pre-order
//! in one vector, each knowing its kind, its tokens and how many nodes are below it. Every token
//! belongs to exactly one node, the innermost around it, so the tree and its tokens are the source.
//! The typed views of [`view`](crate::view) are handles into it.

use std::ops::Range;
use std::sync::Arc;

use crate::lexer::Tokens;
use crate::source::{FileId, Span};
use crate::syntax::SyntaxKind;

/// One node. Its tokens are `first_token..end_token`; its descendants are the `size - 1` nodes
/// behind it.
#[derive(Debug, Clone, Copy)]
struct NodeData {
    first_token: u32,
    end_token: u32,
    /// The number of nodes of the subtree, this one included: the next sibling is `size` further
    /// on.
    size: u32,
    kind: SyntaxKind,
}

/// What is replaced in a tree, and how much of another takes its place.
#[derive(Debug, Clone)]
pub(crate) struct Splice {
    /// The nodes: children of the root with all that is below them.
    pub(crate) nodes: Range<u32>,
    /// The tokens from the first of these on.
    pub(crate) tokens: Range<u32>,
    /// How many nodes of the other tree, its root included, take their place.
    pub(crate) new_nodes: u32,
    /// How many tokens.
    pub(crate) new_tokens: u32,
}

/// The tree of a file, with its text and tokens. A clone shares all of it.
#[derive(Debug, Clone)]
pub struct Tree {
    file: FileId,
    text: Arc<str>,
    tokens: Arc<Tokens>,
    nodes: Arc<[NodeData]>,
}

impl Tree {
    /// The file that was parsed.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// One of its tokens.
    pub fn token(&self, index: u32) -> Token<'_> {
        Token { tree: self, index }
    }

    /// The number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The node of the whole file.
    pub fn root(&self) -> Node<'_> {
        Node {
            tree: self,
            index: 0,
        }
    }

    /// The nodes around `offset`, from the root inwards. At a border between two nodes the one
    /// before it is taken, as a cursor behind a word means that word.
    pub fn path_to(&self, offset: u32) -> Vec<Node<'_>> {
        let mut path = vec![self.root()];
        let mut inner = Some(self.root());
        while let Some(node) = inner {
            inner = node
                .children()
                .find(|child| child.span().touches(offset) && child.kind() != SyntaxKind::Missing);
            path.extend(inner);
        }
        path
    }

    /// This tree with the children of its root that `place` names replaced by those of `part`, which are
    /// of `text`, the new text of the file.
    pub(crate) fn spliced(&self, text: &str, place: &Splice, part: &Self) -> Self {
        let (first, behind) = (place.nodes.start as usize, place.nodes.end as usize);
        let tokens = place.tokens.start as usize..place.tokens.end as usize;
        let count = place.new_tokens;
        let kept = |node: &NodeData| NodeData {
            first_token: node.first_token - place.tokens.end + place.tokens.start + count,
            end_token: node.end_token - place.tokens.end + place.tokens.start + count,
            ..*node
        };
        let new = |node: &NodeData| NodeData {
            first_token: node.first_token + place.tokens.start,
            end_token: node.end_token + place.tokens.start,
            ..*node
        };
        let parts = &part.nodes[1..place.new_nodes as usize];
        let mut nodes = Vec::with_capacity(self.nodes.len() - (behind - first) + parts.len());
        nodes.extend(&self.nodes[..first]);
        nodes.extend(parts.iter().map(new));
        nodes.extend(self.nodes[behind..].iter().map(kept));
        nodes[0].size = nodes.len() as u32;
        nodes[0].end_token = self.tokens.len() as u32 - tokens.len() as u32 + count;
        Self {
            file: self.file,
            text: text.into(),
            tokens: self
                .tokens
                .spliced(tokens, &part.tokens, count as usize)
                .into(),
            nodes: nodes.into(),
        }
    }

    fn token_span(&self, index: u32) -> Span {
        let index = index as usize;
        Span::new(
            self.file,
            self.tokens.start(index),
            self.tokens.start(index + 1),
        )
    }
}

/// A node of a tree. Equal to another handle of the same node.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.index == other.index
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let span = self.span();
        write!(f, "{:?}@{}..{}", self.kind(), span.start, span.end)
    }
}

impl<'t> Node<'t> {
    fn data(self) -> NodeData {
        self.tree.nodes[self.index as usize]
    }

    /// The tree it belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// Its place in the tree's pre-order: unique in the tree, and larger than that of every node
    /// around or before it.
    pub fn index(self) -> u32 {
        self.index
    }

    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.data().kind
    }

    /// From its first token to its last one.
    pub fn span(self) -> Span {
        let NodeData {
            first_token,
            end_token,
            ..
        } = self.data();
        let start = self.tree.tokens.start(first_token as usize);
        let end = self.tree.tokens.start(end_token as usize);
        Span::new(self.tree.file, start, end)
    }

    /// Its text, with the white space and comments between its tokens.
    pub fn text(self) -> &'t str {
        self.span().text(&self.tree.text)
    }

    /// The nodes right below it.
    pub fn children(self) -> impl Iterator<Item = Node<'t>> {
        let end = self.index + self.data().size;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(Node {
                tree: self.tree,
                index: next,
            })?;
            next += child.data().size;
            Some(child)
        })
    }

    /// The first child of this kind.
    pub fn child(self, kind: SyntaxKind) -> Option<Node<'t>> {
        self.children().find(|child| child.kind() == kind)
    }

    /// The nodes below it, at any depth, in the order of the text.
    pub fn descendants(self) -> impl Iterator<Item = Node<'t>> {
        (self.index + 1..self.index + self.data().size).map(move |index| Node {
            tree: self.tree,
            index,
        })
    }

    /// All its tokens, those of the nodes below it and white space included.
    pub fn tokens(self) -> impl Iterator<Item = Token<'t>> {
        let NodeData {
            first_token,
            end_token,
            ..
        } = self.data();
        (first_token..end_token).map(move |index| Token {
            tree: self.tree,
            index,
        })
    }

    /// The indices of all its tokens among those of the file.
    pub fn token_range(self) -> Range<u32> {
        self.data().first_token..self.data().end_token
    }

    /// What it consists of: its child nodes and its own tokens, in order, without white space,
    /// comments and line ends.
    pub fn elements(self) -> Elements<'t> {
        let data = self.data();
        Elements {
            tree: self.tree,
            token: data.first_token,
            end_token: data.end_token,
            node: self.index + 1,
            end_node: self.index + data.size,
        }
    }

    /// Its own tokens (see [`Node::elements`]).
    pub fn own_tokens(self) -> impl Iterator<Item = Token<'t>> {
        self.elements().filter_map(Element::token)
    }

    /// The first of its own tokens of this kind.
    pub fn token(self, kind: SyntaxKind) -> Option<Token<'t>> {
        self.own_tokens().find(|token| token.kind() == kind)
    }

    /// The comments before it, each on a line of its own, in order: `#` and `##`.
    pub fn leading_comments(self) -> impl Iterator<Item = Token<'t>> {
        let tree = self.tree;
        let end = self.data().first_token;
        let before = tree.tokens.kinds()[..end as usize]
            .iter()
            .rev()
            .take_while(|kind| kind.is_trivia() || **kind == SyntaxKind::Newline)
            .count() as u32;
        (end - before..end)
            .map(move |index| Token { tree, index })
            .filter(|token| {
                let is_comment =
                    matches!(token.kind(), SyntaxKind::Comment | SyntaxKind::DocComment);
                is_comment && token.starts_line()
            })
    }

    /// The `##` comments before it, each on a line of its own, in order.
    pub fn doc_comments(self) -> impl Iterator<Item = Token<'t>> {
        self.leading_comments()
            .filter(|token| token.kind() == SyntaxKind::DocComment)
    }
}

/// A token of a tree.
#[derive(Clone, Copy)]
pub struct Token<'t> {
    tree: &'t Tree,
    index: u32,
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.kind(), self.text())
    }
}

impl<'t> Token<'t> {
    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.tree.tokens.kind(self.index as usize)
    }

    /// Its text.
    pub fn text(self) -> &'t str {
        self.tree.tokens.text(&self.tree.text, self.index as usize)
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.tree.token_span(self.index)
    }

    /// The tree it belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// Its place among the tokens of the file.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Whether nothing but white space stands before it on its line.
    pub fn starts_line(self) -> bool {
        self.tree.tokens.starts_line(self.index as usize)
    }
}

/// A child node or an own token of a node.
#[derive(Debug, Clone, Copy)]
pub enum Element<'t> {
    /// A node.
    Node(Node<'t>),
    /// A token.
    Token(Token<'t>),
}

impl<'t> Element<'t> {
    /// The node, if it is one.
    pub fn node(self) -> Option<Node<'t>> {
        match self {
            Self::Node(node) => Some(node),
            Self::Token(_) => None,
        }
    }

    /// The token, if it is one.
    pub fn token(self) -> Option<Token<'t>> {
        match self {
            Self::Token(token) => Some(token),
            Self::Node(_) => None,
        }
    }

    /// Where it is.
    pub fn span(self) -> Span {
        match self {
            Self::Node(node) => node.span(),
            Self::Token(token) => token.span(),
        }
    }
}

/// The iterator of [`Node::elements`].
#[derive(Debug, Clone)]
pub struct Elements<'t> {
    tree: &'t Tree,
    token: u32,
    end_token: u32,
    node: u32,
    end_node: u32,
}

impl<'t> Iterator for Elements<'t> {
    type Item = Element<'t>;

    fn next(&mut self) -> Option<Element<'t>> {
        loop {
            if self.node < self.end_node {
                let data = self.tree.nodes[self.node as usize];
                if data.first_token <= self.token {
                    let node = Node {
                        tree: self.tree,
                        index: self.node,
                    };
                    self.node += data.size;
                    self.token = data.end_token;
                    return Some(Element::Node(node));
                }
            }
            if self.token >= self.end_token {
                return None;
            }
            let token = Token {
                tree: self.tree,
                index: self.token,
            };
            self.token += 1;
            if !token.kind().is_trivia() && token.kind() != SyntaxKind::Newline {
                return Some(Element::Token(token));
            }
        }
    }
}

/// The place of a node that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u32);

/// Builds a tree from what the parser starts and finishes.
///
/// A node that was started is finished or given up before any node around it; giving one up takes
/// with it what was built since. Only `Missing` nodes have no tokens.
#[derive(Debug)]
pub(crate) struct Builder {
    nodes: Vec<NodeData>,
    open: Vec<u32>,
}

impl Builder {
    /// A builder for about `capacity` nodes, with the root started.
    pub(crate) fn new(capacity: usize) -> Self {
        let mut builder = Self {
            nodes: Vec::with_capacity(capacity),
            open: Vec::with_capacity(64),
        };
        builder.start(SyntaxKind::File, 0);
        builder
    }

    /// Where the next node will be.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.nodes.len() as u32)
    }

    /// Starts a node at `first_token`.
    pub(crate) fn start(&mut self, kind: SyntaxKind, first_token: u32) -> Mark {
        let mark = self.mark();
        self.open.push(mark.0);
        self.nodes.push(NodeData {
            first_token,
            end_token: first_token,
            size: 1,
            kind,
        });
        mark
    }

    /// Finishes the node at `mark` before `end_token`.
    pub(crate) fn finish(&mut self, mark: Mark, end_token: u32) {
        debug_assert_eq!(self.open.last(), Some(&mark.0), "nodes finish inside out");
        self.open.pop();
        let end = self.mark().0;
        let node = &mut self.nodes[mark.0 as usize];
        debug_assert!(
            end_token >= node.first_token,
            "a node does not end before it starts"
        );
        node.end_token = end_token;
        node.size = end - mark.0;
    }

    /// Gives up everything since `mark`.
    pub(crate) fn give_up(&mut self, mark: Mark) {
        self.nodes.truncate(mark.0 as usize);
        while self.open.last().is_some_and(|&open| open >= mark.0) {
            self.open.pop();
        }
    }

    /// Starts a node around the finished one at `mark`, which becomes its first child.
    pub(crate) fn wrap(&mut self, mark: Mark, kind: SyntaxKind) {
        let index = mark.0 as usize;
        let first_token = self.nodes[index].first_token;
        self.open.push(mark.0);
        self.nodes.insert(
            index,
            NodeData {
                first_token,
                end_token: first_token,
                size: 1,
                kind,
            },
        );
    }

    /// Adds a `Missing` node behind the tokens taken so far, of which `end_token` is the end.
    pub(crate) fn missing(&mut self, end_token: u32) {
        let parent = self.open.last().map_or(0, |&open| open as usize);
        let at = end_token.max(self.nodes[parent].first_token);
        let mark = self.start(SyntaxKind::Missing, at);
        self.finish(mark, at);
    }

    /// The tree of `text`, with the root finished behind the last token.
    pub(crate) fn build(mut self, file: FileId, text: &str, tokens: Tokens) -> Tree {
        let root = Mark(0);
        self.finish(root, tokens.len() as u32);
        Tree {
            file,
            text: text.into(),
            tokens: tokens.into(),
            nodes: self.nodes.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::lexer::lex;

    /// `a or b ; c` by hand: tokens 0 a, 2 or, 4 b, 6 ;, 8 c.
    fn sample() -> Tree {
        let text = "a or b ; c";
        let mut builder = Builder::new(0);
        let setting = builder.start(SyntaxKind::Setting, 0);
        let first = builder.start(SyntaxKind::Comparison, 0);
        builder.finish(first, 1);
        builder.wrap(first, SyntaxKind::Or);
        let second = builder.start(SyntaxKind::Comparison, 4);
        builder.finish(second, 5);
        builder.finish(first, 5);
        builder.finish(setting, 5);
        builder.missing(7);
        builder.build(FileId(0), text, lex(text))
    }

    #[test]
    fn a_node_is_sixteen_bytes() {
        assert_eq!(size_of::<NodeData>(), 16);
    }

    #[test]
    fn wrapping_puts_a_node_around_a_finished_one() {
        let tree = sample();
        let setting = tree.root().child(SyntaxKind::Setting).unwrap();
        let or = setting.child(SyntaxKind::Or).unwrap();
        let texts: Vec<_> = or.children().map(Node::text).collect();
        assert_eq!(or.text(), "a or b");
        assert_eq!(texts, ["a", "b"]);
        assert_eq!(setting.descendants().count(), 3);
    }

    #[test]
    fn elements_are_children_and_own_tokens_in_order() {
        let tree = sample();
        let kinds: Vec<_> = tree
            .root()
            .elements()
            .map(|element| match element {
                Element::Node(node) => node.kind(),
                Element::Token(token) => token.kind(),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                SyntaxKind::Setting,
                SyntaxKind::Semicolon,
                SyntaxKind::Missing,
                SyntaxKind::Word
            ]
        );
    }

    #[test]
    fn giving_up_leaves_no_trace() {
        let mut builder = Builder::new(0);
        let kept = builder.start(SyntaxKind::Setting, 0);
        let before = (builder.nodes.len(), builder.open.len());
        let dropped = builder.start(SyntaxKind::Or, 0);
        let inner = builder.start(SyntaxKind::Comparison, 0);
        builder.finish(inner, 1);
        builder.start(SyntaxKind::And, 1);
        builder.give_up(dropped);
        assert_eq!((builder.nodes.len(), builder.open.len()), before);
        builder.finish(kept, 1);
        assert_eq!(builder.build(FileId(0), "a", lex("a")).node_count(), 2);
    }

    #[test]
    fn the_path_to_an_offset_leads_inwards() {
        let tree = sample();
        let kinds: Vec<_> = tree.path_to(6).into_iter().map(Node::kind).collect();
        assert_eq!(
            kinds,
            [
                SyntaxKind::File,
                SyntaxKind::Setting,
                SyntaxKind::Or,
                SyntaxKind::Comparison
            ]
        );
    }
}
