//! Formatting: of a file, of a part of it, and of what was just typed.

use super::dispatch::Answer;
use super::world::{View, World};
use gen_lsp_types::{
    DocumentFormattingParams, DocumentOnTypeFormattingParams, DocumentRangeFormattingParams,
    TextEdit,
};
use mesh_lang::diagnostic::Edit;
use mesh_lang::format::edits;
use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;

/// What is typed at the end of a statement.
pub(super) const TRIGGERS: &[&str] = &["}", ";", "\n"];

/// A whole file.
pub(super) fn whole(
    world: &mut World,
    params: &DocumentFormattingParams,
) -> Answer<Option<Vec<TextEdit>>> {
    let view = world.view(&params.text_document)?;
    let all = Span::new(view.file, 0, view.source().text().len() as u32);
    Ok(Some(text_edits(&view, edits(view.tree(), all))))
}

/// The statements that a selection touches.
pub(super) fn range(
    world: &mut World,
    params: &DocumentRangeFormattingParams,
) -> Answer<Option<Vec<TextEdit>>> {
    let view = world.view(&params.text_document)?;
    let span = view.span(params.range);
    Ok(Some(text_edits(&view, edits(view.tree(), span))))
}

/// The statement that was finished with what was typed last. The line that is being written stays as it is:
/// only what lies behind the cursor is somebody's finished work.
pub(super) fn on_type(
    world: &mut World,
    params: &DocumentOnTypeFormattingParams,
) -> Answer<Option<Vec<TextEdit>>> {
    let view = world.view(&params.text_document)?;
    let offset = view.offset(params.position);
    let Some(end) = finished(&view, offset, &params.ch) else {
        return Ok(None);
    };
    let edits = edits(view.tree(), Span::empty(view.file, end));
    // Nothing moves at the cursor or behind it.
    let edits = edits.into_iter().filter(|edit| edit.span.end < offset);
    Ok(Some(text_edits(&view, edits)))
}

/// Where the statement ends that was finished by typing `typed` before `offset`.
fn finished(view: &View<'_>, offset: u32, typed: &str) -> Option<u32> {
    let tokens = view.tree().tokens();
    let before = (0..tokens.len()).rev().find(|&index| {
        let kind = tokens.kind(index);
        tokens.start(index) < offset && !kind.is_trivia() && kind != SyntaxKind::Newline
    })?;
    let end = tokens.start(before + 1);
    match typed {
        // A line end finishes what stands on the line before.
        "\n" => (view.position(end).line + 1 == view.position(offset).line).then_some(end),
        _ => (end == offset).then_some(end),
    }
}

/// Edits of the language as the protocol has them.
pub(super) fn text_edits(view: &View<'_>, edits: impl IntoIterator<Item = Edit>) -> Vec<TextEdit> {
    let text_edit = |edit: Edit| TextEdit {
        range: view.range(edit.span),
        new_text: edit.replacement,
    };
    edits.into_iter().map(text_edit).collect()
}
