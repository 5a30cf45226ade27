//! The parser, seen from outside: trees written as nested lists.
#![allow(clippy::unwrap_used)]

mod grammar;
mod newlines;
mod recovery;

use super::{Parse, parse};
use crate::source::FileId;
use crate::tree::{Element, Node};

/// A tree as nested lists: `(Setting timeout (WordValue 5s))`.
fn show(node: Node<'_>) -> String {
    let parts = node.elements().map(|element| match element {
        Element::Node(child) => show(child),
        Element::Token(token) => token.text().to_owned(),
    });
    let parts: Vec<_> = std::iter::once(format!("{:?}", node.kind()))
        .chain(parts)
        .collect();
    format!("({})", parts.join(" "))
}

fn parsed(text: &str) -> Parse {
    parse(FileId(0), text)
}

/// The statements at the top of a file that parses without a diagnostic.
#[track_caller]
fn clean(text: &str) -> Vec<String> {
    let parse = parsed(text);
    let messages: Vec<_> = parse.diagnostics.iter().map(|it| &it.message).collect();
    assert!(messages.is_empty(), "{text}\n{messages:?}");
    parse.tree.root().children().map(show).collect()
}

/// The statements of a block of a file that parses without a diagnostic.
#[track_caller]
fn in_block(opener: &str, statements: &str) -> Vec<String> {
    let text = format!("{opener} {{\n{statements}\n}}\n");
    let parse = parsed(&text);
    let messages: Vec<_> = parse.diagnostics.iter().map(|it| &it.message).collect();
    assert!(messages.is_empty(), "{text}\n{messages:?}");
    let block = parse
        .tree
        .root()
        .descendants()
        .find(|node| node.kind() == crate::syntax::SyntaxKind::Block)
        .unwrap();
    block.children().map(show).collect()
}

/// What is wrong with a text, as "code: text under the first label", and the statements at its top.
fn broken(text: &str) -> (Vec<String>, Vec<String>) {
    let parse = parsed(text);
    let found = parse
        .diagnostics
        .iter()
        .map(|it| {
            let span = it.span().unwrap();
            format!("{}: {}", it.code, span.text(text))
        })
        .collect();
    let statements = parse.tree.root().children().map(show).collect();
    (found, statements)
}
