//! What stays as it is in a file that does not parse.
//!
//! A broken statement stays, and what is around it is laid out: that is the rule, and for most mistakes
//! it is enough. But where a brace is missing or too many, and where a broken statement goes over
//! several lines, the parser goes by the indentation of the lines. There the whole item at the top of
//! the file stays.

use super::INDENT;
use super::gap::column;
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Tree};
use std::ops::Range;

/// Whether something in the file did not parse.
pub(super) fn is_damaged(tree: &Tree) -> bool {
    tree.root().descendants().any(is_damage)
}

/// The statements at the top of the file that stay as they are, by their place in the tree, in order.
pub(super) fn frozen(tree: &Tree) -> Vec<u32> {
    tree.root()
        .children()
        .filter(|item| item.descendants().any(is_damage) && must_stay(*item, 0))
        .map(Node::index)
        .collect()
}

/// The source of a statement without its block.
pub(super) fn head_text(statement: Node<'_>) -> &str {
    let tree = statement.tree();
    let start = tree.tokens().start(statement.token_range().start as usize);
    let end = tree.tokens().start(head_end(statement) as usize);
    &tree.text()[start as usize..end as usize]
}

/// The token behind the last one of a statement that is not its block's.
pub(super) fn head_end(statement: Node<'_>) -> u32 {
    let tokens = statement.token_range();
    let end = match statement.child(SyntaxKind::Block) {
        Some(block) => block.token_range().start,
        None => tokens.end,
    };
    last_end(statement.tree(), tokens.start..end)
}

/// The token behind the last one of a statement. Where an operand is missing, the end of the line may
/// be taken for a part of it.
pub(super) fn end(statement: Node<'_>) -> u32 {
    last_end(statement.tree(), statement.token_range())
}

/// The end of a range of tokens without what says nothing.
fn last_end(tree: &Tree, range: Range<u32>) -> u32 {
    let kinds = &tree.tokens().kinds()[range.start as usize..range.end as usize];
    let says_nothing = |kind: &SyntaxKind| kind.is_trivia() || *kind == SyntaxKind::Newline;
    let behind = kinds
        .iter()
        .rev()
        .take_while(|kind| says_nothing(kind))
        .count();
    range.end - behind as u32
}

fn is_damage(node: Node<'_>) -> bool {
    match node.kind() {
        SyntaxKind::Error | SyntaxKind::Missing => true,
        SyntaxKind::Block => !has_opening_brace(node),
        _ => false,
    }
}

fn has_opening_brace(block: Node<'_>) -> bool {
    let first = block.token_range().start as usize;
    block.tree().tokens().kind(first) == SyntaxKind::LeftBrace
}

fn must_stay(statement: Node<'_>, depth: u32) -> bool {
    let is_head = |node: &Node<'_>| node.kind() != SyntaxKind::Block;
    let is_broken = is_damage(statement)
        || statement
            .children()
            .filter(is_head)
            .any(|node| is_damage(node) || node.descendants().any(is_damage));
    if is_broken && head_text(statement).contains(['\n', '\r']) && !is_in_place(statement, depth) {
        return true;
    }
    statement.child(SyntaxKind::Block).is_some_and(|block| {
        !is_whole(block)
            || block
                .children()
                .any(|child| is_stray_brace(child) || must_stay(child, depth + 1))
    })
}

/// Whether a statement already starts where it should, or will if it is put on a line of its own.
fn is_in_place(statement: Node<'_>, depth: u32) -> bool {
    let tree = statement.tree();
    let start = statement.token_range().start;
    let starts_line = tree.tokens().starts_line(start as usize);
    (starts_line || depth == 0) && column(tree, start) == depth * INDENT
}

/// Whether a block has both its braces.
fn is_whole(block: Node<'_>) -> bool {
    let tokens = block.tree().tokens();
    let range = block.token_range();
    let last_is_brace = match range.end.checked_sub(1) {
        Some(last) => tokens.kind(last as usize) == SyntaxKind::RightBrace,
        None => false,
    };
    let mut damage = block.children().filter(|child| is_damage(*child));
    has_opening_brace(block)
        && last_is_brace
        && damage.all(|child| child.kind() != SyntaxKind::Missing && !is_brace_only(child, block))
}

/// Whether all of a block is one error: it is nested too deeply to be looked at.
fn is_brace_only(child: Node<'_>, block: Node<'_>) -> bool {
    child.token_range() == block.token_range()
}

fn is_stray_brace(node: Node<'_>) -> bool {
    let tokens = node.tree().tokens();
    node.kind() == SyntaxKind::Error
        && tokens.kind(node.token_range().start as usize) == SyntaxKind::RightBrace
}
