//! The formatter, seen from outside: what files look like, and what holds for every text.
#![allow(clippy::unwrap_used)]

mod broken;
mod edits;
mod layout;
mod properties;
mod repository;
mod texts;

use mesh_lang::format;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::{Element, Node, Tree};
use std::fmt::Write as _;

fn tree(text: &str) -> Tree {
    parse(FileId(0), text).tree
}

fn formatted(text: &str) -> String {
    format::format(&tree(text))
}

/// What a text says, as nested lists: without white space, comments, `;` and the comma behind the last
/// element of a list.
fn meaning(tree: &Tree) -> String {
    fn show(node: Node<'_>, out: &mut String) {
        let is_list = node.kind() == SyntaxKind::ListValue;
        let elements: Vec<_> = node.elements().collect();
        let kind = |at: usize| match elements.get(at) {
            Some(Element::Token(token)) => Some(token.kind()),
            _ => None,
        };
        // Writing to a string does not fail.
        let _ = write!(out, "({:?}", node.kind());
        for (at, element) in elements.iter().enumerate() {
            let is_last_comma = is_list
                && kind(at) == Some(SyntaxKind::Comma)
                && kind(at + 1) == Some(SyntaxKind::RightBracket);
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::Semicolon => {}
                Element::Token(_) if is_last_comma => {}
                Element::Token(token) => {
                    out.push(' ');
                    out.push_str(token.text());
                }
                Element::Node(child) => {
                    out.push(' ');
                    show(*child, out);
                }
            }
        }
        out.push(')');
    }
    let mut out = String::new();
    show(tree.root(), &mut out);
    out
}

/// The comments of a text, sorted.
fn comments(tree: &Tree) -> Vec<&str> {
    let is_comment = |kind| matches!(kind, SyntaxKind::Comment | SyntaxKind::DocComment);
    let mut comments: Vec<_> = tree
        .root()
        .tokens()
        .filter(|token| is_comment(token.kind()))
        .map(|token| token.text().trim_end_matches([' ', '\t']))
        .collect();
    comments.sort_unstable();
    comments
}

/// The doc comments of all statements, in order.
fn docs(tree: &Tree) -> Vec<Vec<&str>> {
    let is_body = |node: &Node<'_>| matches!(node.kind(), SyntaxKind::File | SyntaxKind::Block);
    let bodies = std::iter::once(tree.root()).chain(tree.root().descendants());
    let statements = bodies.filter(is_body).flat_map(Node::children);
    statements
        .map(|statement| {
            let doc = statement.doc_comments();
            doc.map(|token| token.text().trim_end_matches([' ', '\t']))
                .collect()
        })
        .collect()
}
