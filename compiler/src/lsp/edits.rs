//! Edits of the language as the protocol has them, file by file.

use super::live::Live;
use super::paths;
use super::world::World;
use gen_lsp_types::{
    DocumentChange, Edit as AnyEdit, OptionalVersionedTextDocumentIdentifier, SnippetTextEdit,
    StringValue, TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};
use mesh_lang::diagnostic::Edit;
use std::collections::{BTreeMap, HashMap};

/// Edits of a mesh.
pub(super) fn of_workspace(world: &World, live: &Live, edits: &[Edit]) -> WorkspaceEdit {
    let edits = edits.iter().map(|edit| (edit, false));
    make(world, live, edits)
}

/// The same, of which the replacements have places to fill in: `$0` and its like. Only for editors that take such.
pub(super) fn of_workspace_with_places(
    world: &World,
    live: &Live,
    edits: &[Edit],
) -> WorkspaceEdit {
    let edits = edits.iter().map(|edit| (edit, true));
    make(world, live, edits)
}

fn make<'e>(
    world: &World,
    live: &Live,
    edits: impl Iterator<Item = (&'e Edit, bool)>,
) -> WorkspaceEdit {
    let mut files: BTreeMap<_, Vec<(TextEdit, bool)>> = BTreeMap::new();
    for (edit, has_places) in edits {
        let range = world
            .can
            .encoding
            .range(live.source(edit.span.file), edit.span);
        let new_text = edit.replacement.clone();
        let of_file = files.entry(edit.span.file).or_default();
        of_file.push((TextEdit { range, new_text }, has_places));
    }
    let files = files.into_iter().filter_map(|(file, edits)| {
        let uri = world.uri(live, file)?;
        Some((uri, edits))
    });
    if !world.can.document_changes {
        let changes =
            files.map(|(uri, edits)| (uri, edits.into_iter().map(|(edit, _)| edit).collect()));
        return WorkspaceEdit {
            changes: Some(changes.collect::<HashMap<Uri, Vec<TextEdit>>>()),
            ..WorkspaceEdit::default()
        };
    }
    let changes = files.map(|(uri, edits)| {
        let document = world.document(&paths::of_uri(&uri));
        DocumentChange::TextDocumentEdit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: document.map(|document| document.version),
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits: edits
                .into_iter()
                .map(|(edit, has_places)| any_edit(edit, has_places))
                .collect(),
        })
    });
    WorkspaceEdit {
        document_changes: Some(changes.collect()),
        ..WorkspaceEdit::default()
    }
}

fn any_edit(edit: TextEdit, has_places: bool) -> AnyEdit {
    if !has_places {
        return AnyEdit::TextEdit(edit);
    }
    AnyEdit::SnippetTextEdit(SnippetTextEdit {
        range: edit.range,
        snippet: StringValue {
            value: edit.new_text,
        },
        annotation_id: None,
    })
}
