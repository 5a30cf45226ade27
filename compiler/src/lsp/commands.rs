//! What the server itself carries out for an editor.

use super::client::{Refusal, json};
use super::dispatch::Answer;
use super::world::World;
use crate::graph;
use gen_lsp_types::{ExecuteCommandParams, LspAny, TextDocumentIdentifier, Uri};
use mesh_lang::codes::Code;

/// The page that explains a code.
const EXPLANATION: &str = "mesh.explanation";
/// The page with the graph of the mesh that a document is a part of, as it is now.
const GRAPH: &str = "mesh.graph";

/// All commands.
pub(super) const COMMANDS: &[&str] = &[EXPLANATION, GRAPH];

/// Carries out a command.
pub(super) fn execute(world: &mut World, params: &ExecuteCommandParams) -> Answer<Option<LspAny>> {
    let argument = params.arguments.iter().flatten().next();
    let argument = argument.and_then(LspAny::as_str).unwrap_or_default();
    let page = match params.command.as_str() {
        EXPLANATION => explanation(argument)?,
        GRAPH => graph(world, argument)?,
        other => return Err(Refusal::because(format!("meshc has no command {other}"))),
    };
    Ok(Some(json(page)))
}

fn explanation(code: &str) -> Answer<String> {
    match Code::find(code) {
        Some(code) => Ok(code.explanation().to_owned()),
        None => Err(Refusal::because(format!("there is no code {code}"))),
    }
}

fn graph(world: &World, document: &str) -> Answer<String> {
    let view = world.view(&TextDocumentIdentifier {
        uri: Uri::from(document),
    })?;
    match view.live.mesh() {
        Some(mesh) if view.live.is_sound() => {
            Ok(graph::html(&graph::collect(mesh, view.live.sources())))
        }
        _ => Err(Refusal::because(
            "the mesh does not compile: see its findings",
        )),
    }
}
