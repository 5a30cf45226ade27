//! Names: what is declared under them, and what that comes to.

use super::Told;
use crate::lsp::names::{Id, Kind, Names};
use crate::lsp::spot;
use crate::lsp::world::View;
use crate::model::{Mesh, ServiceId};
use crate::spell::Place;
use mesh_lang::source::Span;
use mesh_lang::view::{Item, Statement, Value};

/// Lines of a declaration that are shown.
const MOST_LINES: usize = 16;

/// What is told of the name at a place.
pub(super) fn told(view: &View<'_>, offset: u32) -> Option<(Span, Told)> {
    let names = view.live.names();
    let (span, meant) = names.at(view.file, offset)?;
    let mut told = Told::default();
    for id in meant.iter().take(2) {
        declaration(view, &names, *id, &mut told);
    }
    Some((span, told))
}

fn declaration(view: &View<'_>, names: &Names, id: Id, told: &mut Told) {
    let declared = names.declared(id);
    let tree = view.live.tree(id.file);
    let around = spot::around(tree, declared.name.start);
    let statement = around.last().map(|(statement, _)| *statement);
    told.code(&format!("{} {}", declared.kind.word(), names.qualified(id)));
    if let Some(statement) = statement {
        told.doc(statement.doc());
    }
    let is_spelled = view
        .live
        .mesh()
        .is_some_and(|mesh| spelled(view, mesh, names, id, told));
    if is_spelled {
        return;
    }
    if let Some(statement) = statement {
        told.code(&excerpt(statement.node().text()));
        if let Statement::Item(Item::Param(param)) = statement {
            value(param.value(), told);
        }
        if let Statement::Item(Item::Let(binding)) = statement {
            value(binding.value(), told);
        }
    }
    given(view, names, id, told);
}

/// Adds what the compiler makes of a declaration, if it makes something of its own of it.
fn spelled(view: &View<'_>, mesh: &Mesh, names: &Names, id: Id, told: &mut Told) -> bool {
    let span = names.span(id);
    match names.declared(id).kind {
        Kind::Service | Kind::External => {
            let services = (0..).map(ServiceId).zip(&mesh.services);
            let found = services
                .into_iter()
                .find(|(_, service)| service.span == span);
            let Some((service, _)) = found else {
                return false;
            };
            told.spelled(
                view,
                &Place::of_service(mesh, service).service_in_force(service),
            );
            true
        }
        Kind::Mesh => {
            told.spelled(view, &Place::top(mesh).mesh_item());
            true
        }
        _ => false,
    }
}

/// What a value comes to.
fn value(value: Option<Value<'_>>, told: &mut Told) {
    if let Some(Value::Word(word)) = value
        && let Some(sentence) = super::value::word(word.text)
    {
        told.text(sentence);
    }
}

/// Adds where environments give a param another value.
fn given(view: &View<'_>, names: &Names, id: Id, told: &mut Told) {
    if names.declared(id).kind != Kind::Param {
        return;
    }
    for (file, used) in names.uses(id) {
        let around = spot::around(view.live.tree(file), used.at.start);
        let [
            ..,
            (Statement::Item(Item::Block(env)), _),
            (Statement::Set(set), _),
        ] = &around[..]
        else {
            continue;
        };
        let is_its_name = set
            .path()
            .is_some_and(|path| path.span.touches(used.at.start));
        if let (true, Some(name)) = (is_its_name, env.name()) {
            let values: Vec<&str> = set
                .values()
                .map(|value| view.live.text(value.span()))
                .collect();
            told.text(format!("`{}` in `env {}`", values.join(", "), name.text));
        }
    }
}

/// The first lines of a text, as far to the left as they go.
fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let indents = lines.iter().skip(1).filter(|line| !line.trim().is_empty());
    let indent = indents
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    // The last line is the closing brace, which stands as far left as the first word does.
    let cut = |line: &&str| {
        line.get(indent.min(line.len() - line.trim_start().len())..)
            .unwrap_or_default()
            .to_owned()
    };
    let mut shown: Vec<String> = lines
        .iter()
        .take(1)
        .map(|line| (*line).to_owned())
        .collect();
    shown.extend(lines.iter().skip(1).take(MOST_LINES).map(cut));
    if lines.len() > shown.len() {
        shown.push("…".to_owned());
    }
    shown.join("\n")
}
