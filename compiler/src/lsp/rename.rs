//! Renaming, in all files of a mesh.
//!
//! A name is changed where it is declared and wherever it is used. Whether every other word still means what it
//! did is looked up afterwards in the new texts: a name that would take another's place is refused.

use super::client::Refusal;
use super::dispatch::Answer;
use super::edits;
use super::live::Live;
use super::names::{FileNames, Id, Kind, Names};
use super::world::World;
use crate::fix;
use gen_lsp_types::{
    PrepareRenameParams, PrepareRenamePlaceholder, PrepareRenameResult, RenameParams, WorkspaceEdit,
};
use mesh_lang::diagnostic::{Applicability, Edit, Fix};
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::Name;
use std::sync::Arc;

/// What is renamed at a place.
pub(super) fn prepare(
    world: &mut World,
    params: &PrepareRenameParams,
) -> Answer<Option<PrepareRenameResult>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let names = view.live.names();
    let found = names.at(view.file, offset);
    Ok(found.map(|(span, _)| {
        PrepareRenameResult::PrepareRenamePlaceholder(PrepareRenamePlaceholder {
            range: view.range(span),
            placeholder: view.live.text(span).to_owned(),
        })
    }))
}

/// Renames what the name at a place means.
pub(super) fn rename(world: &mut World, params: &RenameParams) -> Answer<Option<WorkspaceEdit>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let names = view.live.names();
    let new = params.new_name.trim();
    let Some((_, meant)) = names.at(view.file, offset) else {
        return Err(Refusal::because(
            "no name stands there that a declaration gives",
        ));
    };
    let [id] = meant[..] else {
        return Err(Refusal::because(
            "the name means several declarations; rename them one by one",
        ));
    };
    if let Err(error) = Name::check(new) {
        return Err(Refusal::because(error.to_string()));
    }
    let fix = renaming(&names, id, new);
    if let Some(taken) = takes_a_place(view.live, &names, &fix) {
        return Err(Refusal::because(format!(
            "{taken} would then mean something else"
        )));
    }
    Ok(Some(edits::of_workspace(world, view.live, &fix.edits)))
}

/// The edits that give a declaration another name.
fn renaming(names: &Names, id: Id, new: &str) -> Fix {
    let uses = names
        .uses(id)
        .into_iter()
        .map(|(file, used)| used.at.span(file));
    let mut spans: Vec<Span> = uses.chain([names.span(id)]).collect();
    spans.sort_unstable();
    spans.dedup();
    let edit = |span: Span| Edit {
        span,
        replacement: new.to_owned(),
    };
    Fix {
        title: format!("rename to `{new}`"),
        edits: spans.into_iter().map(edit).collect(),
        applicability: Applicability::Safe,
    }
}

/// Something that means another thing once the edits are made, if there is anything.
fn takes_a_place(live: &Live, names: &Names, fix: &Fix) -> Option<String> {
    let texts = fix::texts(live.sources(), &[fix]);
    let files = live.files().map(|(file, _)| match texts.get(&file) {
        Some(text) => Arc::new(FileNames::read(&parse(file, text).tree)),
        None => names.shared(file),
    });
    let after = Names::new(files.collect());
    for (file, old) in names.files() {
        let new = after.file(file);
        if old.used.len() != new.used.len() || old.declared.len() != new.declared.len() {
            return Some("a word".to_owned());
        }
        for (before, now) in old.used.iter().zip(&new.used) {
            if names.meaning(file, before) != after.meaning(file, now) {
                return Some(place(live, file, before.at.span(file)));
            }
        }
    }
    duplicate(live, &after)
}

/// A declaration whose name another of its set has.
fn duplicate(live: &Live, names: &Names) -> Option<String> {
    let mut seen = std::collections::HashMap::new();
    for (id, declared) in names.all() {
        let scope = match declared.kind {
            Kind::Arm | Kind::Rule => (Some(id.file), Some(declared.table)),
            Kind::Version => (Some(id.file), declared.service),
            _ => (None, None),
        };
        let key = (
            declared.kind.set(),
            names.namespace(id).to_owned(),
            scope,
            names.name(id).to_owned(),
        );
        if seen.insert(key, id).is_some() {
            return Some(place(live, id.file, names.span(id)));
        }
    }
    None
}

/// A word and its line, for a message.
fn place(live: &Live, file: FileId, span: Span) -> String {
    let source = live.source(file);
    let word = live.text(span);
    format!(
        "`{word}` at {}:{}",
        source.name(),
        source.line_of(span.start)
    )
}
