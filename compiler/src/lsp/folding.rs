//! What can be folded, and what is selected next when a selection grows: both follow the tree.

use super::dispatch::Answer;
use super::spot;
use super::world::{View, World};
use gen_lsp_types::{
    FoldingRange, FoldingRangeKind, FoldingRangeParams, SelectionRange, SelectionRangeParams,
};
use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;

/// Blocks, lists, imports and comments that go over several lines.
pub(super) fn ranges(
    world: &mut World,
    params: &FoldingRangeParams,
) -> Answer<Option<Vec<FoldingRange>>> {
    let view = world.view(&params.text_document)?;
    let mut ranges = Vec::new();
    for node in view.tree().root().descendants() {
        let span = node.span();
        match node.kind() {
            SyntaxKind::Block | SyntaxKind::ListValue | SyntaxKind::Paren => {
                // The line of the closing sign stays.
                ranges.extend(fold(&view, span, None, 1));
            }
            _ => {}
        }
    }
    ranges.extend(runs(&view));
    Ok(Some(ranges))
}

/// What is folded of a place; nothing if that is on one line. `kept` lines at its end stay.
fn fold(
    view: &View<'_>,
    span: Span,
    kind: Option<FoldingRangeKind>,
    kept: u32,
) -> Option<FoldingRange> {
    let range = view.range(span);
    let end_line = range.end.line.checked_sub(kept)?;
    let whole_lines = view.world.can.folds_lines;
    let keeps_character = !whole_lines && kept > 0;
    let (end_line, end_character) = if keeps_character {
        (range.end.line, Some(range.end.character.saturating_sub(1)))
    } else {
        (end_line, None)
    };
    let is_some = if whole_lines || kept == 0 {
        end_line > range.start.line
    } else {
        range.end.line > range.start.line
    };
    is_some.then(|| FoldingRange {
        start_line: range.start.line,
        start_character: keeps_character.then_some(range.start.character + 1),
        end_line,
        end_character,
        kind,
        collapsed_text: None,
    })
}

/// Comments, and imports, on lines one after the other.
fn runs(view: &View<'_>) -> Vec<FoldingRange> {
    let (tree, tokens) = (view.tree(), view.tree().tokens());
    let mut ranges = Vec::new();
    let mut comments: Option<Span> = None;
    for index in 0..tokens.len() {
        let span = Span::new(view.file, tokens.start(index), tokens.start(index + 1));
        match tokens.kind(index) {
            SyntaxKind::Comment | SyntaxKind::DocComment if tokens.starts_line(index) => {
                let next_line =
                    |run: &Span| view.position(run.end).line + 1 == view.position(span.start).line;
                if let Some(run) = comments.filter(next_line) {
                    comments = Some(Span::new(view.file, run.start, span.end));
                } else {
                    ranges.extend(
                        comments
                            .and_then(|run| fold(view, run, Some(FoldingRangeKind::Comment), 0)),
                    );
                    comments = Some(span);
                }
            }
            _ => {}
        }
    }
    ranges.extend(comments.and_then(|run| fold(view, run, Some(FoldingRangeKind::Comment), 0)));
    let imports: Vec<Span> = tree
        .root()
        .children()
        .filter(|node| node.kind() == SyntaxKind::Import)
        .map(mesh_lang::tree::Node::span)
        .collect();
    if let (Some(first), Some(last)) = (imports.first(), imports.last()) {
        let all = Span::new(view.file, first.start, last.end);
        ranges.extend(fold(view, all, Some(FoldingRangeKind::Imports), 0));
    }
    ranges
}

/// For each place what is around it, from its word to the whole file.
pub(super) fn selections(
    world: &mut World,
    params: &SelectionRangeParams,
) -> Answer<Option<Vec<SelectionRange>>> {
    let view = world.view(&params.text_document)?;
    let selection = |position| {
        let offset = view.offset(position);
        let mut spans: Vec<Span> = Vec::new();
        for node in view.tree().path_to(offset) {
            spans.push(node.span());
            if node.kind() == SyntaxKind::Block {
                let span = node.span();
                let inside = Span::new(
                    span.file,
                    span.start + 1,
                    span.end.saturating_sub(1).max(span.start + 1),
                );
                spans.extend(inside.touches(offset).then_some(inside));
            }
        }
        spans.extend(spot::token(view.tree(), offset).map(mesh_lang::tree::Token::span));
        // All of the file is more than what its root has.
        spans.insert(
            0,
            Span::new(view.file, 0, view.source().text().len() as u32),
        );
        let mut selection: Option<SelectionRange> = None;
        for span in spans {
            let range = view.range(span);
            let is_inside = selection.as_ref().is_none_or(|outer| {
                outer.range != range
                    && outer.range.start <= range.start
                    && range.end <= outer.range.end
            });
            if is_inside {
                selection = Some(SelectionRange {
                    range,
                    parent: selection.map(Box::new),
                });
            }
        }
        selection.unwrap_or_default()
    };
    Ok(Some(
        params.positions.iter().copied().map(selection).collect(),
    ))
}
