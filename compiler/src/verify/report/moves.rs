//! The edit that moves an arm above another one.

use crate::lines;
use mesh_lang::diagnostic::Edit;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources, Span};
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Tree;
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
    let moved = arm_lines(tree, arm)?;
    let place = arm_lines(tree, above)?;
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
fn arm_lines(tree: &Tree, head: Span) -> Option<Span> {
    let nodes = tree.path_to(head.end);
    let mut nodes = nodes.into_iter().rev();
    lines::of(nodes.find(|node| node.kind() == SyntaxKind::Arm)?)
}
