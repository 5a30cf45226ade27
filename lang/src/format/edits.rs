//! The edits that lead from a file to its one layout: as few as there are, for editors.

use super::gap::Gap;
use super::same::{kept_tokens, same};
use super::{damage, format};
use crate::diagnostic::Edit;
use crate::lexer::lex;
use crate::parser::parse;
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Tree};
use std::ops::Range;

/// The edits that lay out the statements that `span` touches, in order and apart from each other. They
/// change nothing but what stands between tokens. All edits of a file make of it what
/// [`format`](super::format()) does.
///
/// A statement is laid out as a whole; one in a block that stands on one line, with the statement of
/// that block; one that shares a column with its neighbours, with those. Comments and blank lines
/// before a statement belong to it.
pub fn edits(tree: &Tree, span: Span) -> Vec<Edit> {
    let text = format(tree);
    if text == tree.text() {
        return Vec::new();
    }
    let touched = touched(tree, span);
    let tokens = lex(&text);
    let (before, after) = (kept_tokens(tree.tokens()), kept_tokens(&tokens));
    let mut edits = Vec::new();
    let mut ends = (0, 0);
    // Behind the last token comes the end of the file.
    let ends_of_file = (tree.tokens().len() as u32, tokens.len() as u32);
    let pairs = before.into_iter().zip(after);
    for (old, new) in pairs.chain([ends_of_file]) {
        let old_gap = ends.0..tree.tokens().start(old as usize);
        let new_gap = ends.1..tokens.start(new as usize);
        ends = (
            tree.tokens().start(old as usize + 1),
            tokens.start(new as usize + 1),
        );
        let is_touched = touched.contains(&old);
        let new_text = &text[new_gap.start as usize..new_gap.end as usize];
        let old_span = Span::new(tree.file(), old_gap.start, old_gap.end);
        if is_touched && old_span.text(tree.text()) != new_text {
            edits.push(smallest(tree, old_span, new_text));
        }
    }
    if reads_the_same(tree, &edits) {
        edits
    } else {
        Vec::new()
    }
}

/// The edit without what its ends have in common with the old text.
fn smallest(tree: &Tree, span: Span, new: &str) -> Edit {
    let old = span.text(tree.text());
    let same = |(a, b): &(char, char)| a == b;
    let length = |characters: &mut dyn Iterator<Item = (char, char)>| {
        characters
            .take_while(same)
            .map(|(character, _)| character.len_utf8())
            .sum::<usize>()
    };
    let start = length(&mut old.chars().zip(new.chars()));
    let (old, new) = (&old[start..], &new[start..]);
    let end = length(&mut old.chars().rev().zip(new.chars().rev()));
    Edit {
        span: Span::new(span.file, span.start + start as u32, span.end - end as u32),
        replacement: new[..new.len() - end].to_owned(),
    }
}

/// Whether a file still reads the same after the edits. Where something in it is broken, a part of them
/// may not be enough.
fn reads_the_same(tree: &Tree, edits: &[Edit]) -> bool {
    let mut text = String::with_capacity(tree.text().len());
    let mut from = 0;
    for edit in edits {
        text.push_str(&tree.text()[from..edit.span.start as usize]);
        text.push_str(&edit.replacement);
        from = edit.span.end as usize;
    }
    text.push_str(&tree.text()[from..]);
    same(tree, &parse(tree.file(), &text).tree)
}

/// The tokens of the statements that `span` touches, and what follows the last one in its block if
/// `span` touches that too.
fn touched(tree: &Tree, span: Span) -> Range<u32> {
    let mut body = tree.root();
    // What ends the body: a brace, or the end of the file.
    let mut end = tree.tokens().len() as u32;
    loop {
        let statements: Vec<_> = body.children().collect();
        let range = overlapping(&statements, span);
        if let [statement] = statements[range.clone()]
            && let Some(block) = inner_block(statement, span)
        {
            body = block;
            end = block.token_range().end - 1;
            continue;
        }
        let (Some(first), Some(last)) = (
            statements.get(range.start),
            statements.get(range.end.wrapping_sub(1)),
        ) else {
            return end..end + 1;
        };
        let is_behind = span.end > last.span().end || span.end as usize == tree.text().len();
        let reaches_end = range.end == statements.len() && is_behind;
        let first = neighbours(statements[..range.start].iter().rev(), *first);
        let last = neighbours(statements[range.end..].iter(), *last);
        let end = if reaches_end {
            end + 1
        } else {
            last.token_range().end
        };
        return first.token_range().start..end;
    }
}

/// Which statements overlap `span`. What is between two belongs to the second.
fn overlapping(statements: &[Node<'_>], span: Span) -> Range<usize> {
    // A place touches what is beside it; a selection only what is in it.
    let slack = u32::from(span.is_empty());
    let first = statements.partition_point(|it| it.span().end + slack <= span.start);
    let last = statements.partition_point(|it| it.span().start < span.end + slack);
    first..last.max(first + 1).min(statements.len()).max(first)
}

/// The block of a statement that all of `span` lies in, if it has lines of its own.
fn inner_block(statement: Node<'_>, span: Span) -> Option<Node<'_>> {
    let block = statement.child(SyntaxKind::Block)?;
    let inside = block.span();
    let tokens = &statement.tree().tokens().kinds()[range(block)];
    let has_lines = tokens.contains(&SyntaxKind::Newline);
    let has_braces = matches!(tokens, [SyntaxKind::LeftBrace, .., SyntaxKind::RightBrace]);
    let is_inside = inside.start < span.start && span.end < inside.end;
    // A comment before the brace is to go into the block.
    let before_brace = damage::head_end(statement)..block.token_range().start;
    let is_beside = before_brace.len() <= 1;
    (has_lines && has_braces && is_inside && is_beside).then_some(block)
}

/// The last of the `further` statements that stand beside `statement`, each on a line, one line after
/// the other; else itself.
fn neighbours<'n, 't: 'n>(
    further: impl Iterator<Item = &'n Node<'t>>,
    statement: Node<'t>,
) -> Node<'t> {
    let mut gap = Gap::default();
    let mut last = statement;
    for &next in further {
        let tokens = next.tree().tokens();
        let is_line = |it: Node<'_>| !tokens.kinds()[range(it)].contains(&SyntaxKind::Newline);
        let (one, other) = (last.token_range(), next.token_range());
        let between = one.end.min(other.end)..one.start.max(other.start);
        gap.read(next.tree(), between.start, between.end, true);
        let are_apart = gap.has_blank_line() || !gap.own_lines.is_empty();
        if are_apart || !is_line(last) || !is_line(next) {
            break;
        }
        last = next;
    }
    last
}

fn range(node: Node<'_>) -> Range<usize> {
    let tokens = node.token_range();
    tokens.start as usize..tokens.end as usize
}
