//! Trees of tree-sitter: making, walking, editing and comparing them.

use std::fmt::Write as _;
use std::ops::Range;
use tree_sitter::{InputEdit, Node, Parser, Point, Tree};

/// A parser with the grammar.
pub(super) fn parser() -> Parser {
    let mut parser = Parser::new();
    let language = tree_sitter_mesh::LANGUAGE.into();
    parser.set_language(&language).expect("the versions agree");
    parser
}

/// The tree of a text.
pub(super) fn tree(text: &str) -> Tree {
    parser().parse(text, None).expect("it has a language")
}

/// Calls `visit` with every node, parents first.
pub(super) fn walk(tree: &Tree, mut visit: impl FnMut(Node<'_>)) {
    let mut cursor = tree.walk();
    loop {
        visit(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// Every node with its place, a line each.
pub(super) fn dump(tree: &Tree) -> String {
    let mut text = String::new();
    walk(tree, |node| {
        let range = node.byte_range();
        writeln!(text, "{} {range:?}", node.kind()).expect("a string takes all");
    });
    text
}

/// Puts `new` in the place of `range`, in a text and in its tree.
pub(super) fn edit(tree: &mut Tree, text: &mut String, range: Range<usize>, new: &str) {
    let start_position = point(text, range.start);
    let old_end_position = point(text, range.end);
    text.replace_range(range.clone(), new);
    let new_end_byte = range.start + new.len();
    tree.edit(&InputEdit {
        start_byte: range.start,
        old_end_byte: range.end,
        new_end_byte,
        start_position,
        old_end_position,
        new_end_position: point(text, new_end_byte),
    });
}

fn point(text: &str, offset: usize) -> Point {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Point::new(before.matches('\n').count(), offset - line_start)
}
