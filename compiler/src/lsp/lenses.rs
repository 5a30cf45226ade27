//! Lines above declarations: run a test, see who calls a service.

use super::calls::{Call, calls};
use super::client::json;
use super::dispatch::Answer;
use super::names::{Id, Kind};
use super::world::{View, World};
use gen_lsp_types::{CodeLens, CodeLensParams, Command, Location};
use mesh_lang::view::{Item, ItemKind};
use serde_json::json as value;

/// What an editor runs as `meshc test --filter TITLE MESH`: `{ mesh, test }`.
const RUN_TEST: &str = "mesh.runTest";
/// What an editor shows places with: a document, a position and the places.
const SHOW_REFERENCES: &str = "mesh.showReferences";

/// Callers that are named.
const MOST_CALLERS: usize = 5;

/// All lines of a file.
pub(super) fn lenses(world: &mut World, params: &CodeLensParams) -> Answer<Option<Vec<CodeLens>>> {
    let view = world.view(&params.text_document)?;
    let mut lenses = tests(&view);
    let calls = calls(&view);
    let names = view.live.names();
    for (id, declared) in names.all().filter(|(id, _)| id.file == view.file) {
        if matches!(declared.kind, Kind::Service | Kind::External) {
            lenses.push(callers(&view, &calls, id));
        }
    }
    lenses.sort_by_key(|lens| lens.range.start);
    Ok(Some(lenses))
}

/// A line above each test, for editors that can run one.
fn tests(view: &View<'_>) -> Vec<CodeLens> {
    if !view.world.can.carries_out(RUN_TEST) {
        return Vec::new();
    }
    let lens = |item| {
        let Item::Block(test) = item else { return None };
        let title = test.title().filter(|_| test.kind() == ItemKind::Test)?;
        let arguments = value!({ "mesh": view.live.root, "test": title.unescaped() });
        Some(CodeLens {
            range: view.range(test.head_span()),
            command: Some(Command {
                title: "run this test".to_owned(),
                tooltip: None,
                command: RUN_TEST.to_owned(),
                arguments: Some(vec![arguments]),
            }),
            data: None,
        })
    };
    let items = view.tree().statements().flat_map(|statement| {
        let inside = statement
            .block()
            .into_iter()
            .flat_map(|block| block.statements().collect::<Vec<_>>());
        [statement].into_iter().chain(inside)
    });
    let items = items.filter_map(|statement| match statement {
        mesh_lang::view::Statement::Item(item) => Some(item),
        _ => None,
    });
    items.filter_map(lens).collect()
}

/// Who calls a service.
fn callers(view: &View<'_>, calls: &[Call], id: Id) -> CodeLens {
    let names = view.live.names();
    let own: Vec<&Call> = calls.iter().filter(|call| call.callee == id).collect();
    let mut callers: Vec<String> = own
        .iter()
        .map(|call| names.qualified(call.caller))
        .collect();
    callers.dedup();
    let title = match callers.len() {
        0 => "called by nobody".to_owned(),
        count if count > MOST_CALLERS => {
            format!(
                "called by {} and {} more",
                callers[..MOST_CALLERS].join(", "),
                count - MOST_CALLERS
            )
        }
        _ => format!("called by {}", callers.join(", ")),
    };
    let range = view.range(names.span(id));
    let locations: Vec<Location> = own
        .iter()
        .filter_map(|call| view.location(call.at))
        .collect();
    let shows = view.world.can.carries_out(SHOW_REFERENCES) && !locations.is_empty();
    let uri = view.location(names.span(id)).map(|location| location.uri);
    CodeLens {
        range,
        command: Some(Command {
            title,
            tooltip: None,
            // A line without a command is only read.
            command: if shows {
                SHOW_REFERENCES.to_owned()
            } else {
                String::new()
            },
            arguments: shows.then(|| vec![json(uri), json(range.start), json(locations)]),
        }),
        data: None,
    }
}
