//! The edit that moves an arm above another one.

use mesh_lang::diagnostic::Edit;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources, Span};
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::{Node, Token, Tree};
use std::cell::RefCell;
use std::collections::HashMap;

/// Files that were read again, to see what stands around their arms.
pub(super) type Trees = RefCell<HashMap<FileId, Tree>>;

/// Moves the arm whose match is at `arm` above the one whose match is at `above`: whole lines, and the comments
/// right above them. None where the two do not stand on lines of their own in one file.
pub(super) fn move_above(
    sources: &Sources,
    trees: &Trees,
    arm: Span,
    above: Span,
) -> Option<Vec<Edit>> {
    if arm.file != above.file {
        return None;
    }
    let text = sources.get(arm.file).text();
    let mut trees = trees.borrow_mut();
    let tree = trees
        .entry(arm.file)
        .or_insert_with(|| parse(arm.file, text).tree);
    let moved = lines(tree, arm)?;
    let place = lines(tree, above)?;
    if place.end > moved.start {
        return None;
    }
    let mut replacement = moved.text(text).to_owned();
    if !replacement.ends_with('\n') {
        replacement.push('\n');
    }
    Some(vec![
        Edit {
            span: Span::empty(place.file, place.start),
            replacement,
        },
        Edit {
            span: moved,
            replacement: String::new(),
        },
    ])
}

/// The lines of the arm whose match is at `head`, if nothing else is on them.
fn lines(tree: &Tree, head: Span) -> Option<Span> {
    let nodes = tree.path_to(head.end);
    let arm = nodes
        .into_iter()
        .rev()
        .find(|node| node.kind() == SyntaxKind::Arm)?;
    let text = tree.text();
    let own = arm.span();
    let start = with_comments(arm, text);
    let line_start = text[..start as usize].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..start as usize];
    let after = &text[own.end as usize..];
    let line_end = after.find('\n').map_or(after.len(), |at| at + 1);
    let rest = after[..line_end].trim_start();
    let alone = before.trim_start().is_empty() && (rest.is_empty() || rest.starts_with('#'));
    alone.then(|| Span::new(own.file, line_start as u32, own.end + line_end as u32))
}

/// Where an arm begins, with the comments on the lines right above it.
fn with_comments(arm: Node<'_>, text: &str) -> u32 {
    let mut start = arm.span().start;
    let comments: Vec<Span> = arm.leading_comments().map(Token::span).collect();
    for comment in comments.into_iter().rev() {
        let between = &text[comment.end as usize..start as usize];
        if between.matches('\n').count() > 1 {
            break;
        }
        start = comment.start;
    }
    start
}
