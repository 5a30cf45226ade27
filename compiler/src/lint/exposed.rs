//! Arms by which anybody reaches a service: no token, no key and no certificate is asked for on the way.
//!
//! Most meshes have such arms on purpose, so that this is only looked for where the mesh wants to hear of it; then
//! each arm that is meant to be public says so itself, above it: `# lint: allow route-public (why)`.

use crate::graph::{Public, public_arms};
use crate::model::Mesh;
use mesh_bundle::Bundle;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};

/// The arms of a mesh that are public. `bundle` is the one of the mesh: each request that is found is put before it.
pub fn findings(mesh: &Mesh, sources: &Sources, bundle: &Bundle) -> Vec<Diagnostic> {
    let (arms, unknown) = public_arms(mesh, sources, bundle);
    let told = arms.iter().map(|it| is_public(mesh, it));
    told.chain(unknown.iter().map(not_decided)).collect()
}

fn is_public(mesh: &Mesh, Public { arm, service, hop }: &Public) -> Diagnostic {
    let name = mesh[*service].qualified_name();
    let message = format!("anybody reaches `{name}` by this arm");
    let by = match (&hop.rule, &hop.rule_place) {
        (Some(rule), Some(place)) => format!(", let in by `{rule}` ({place})"),
        _ => String::new(),
    };
    Diagnostic::new(Code::RoutePublic, message)
        .primary(*arm, "no token, key or certificate is needed")
        .note(format!("for example: {}  → {name}{by}", hop.example))
        .help(
            "say `require jwt …`, or that it is meant to be so: `# lint: allow route-public (why)`",
        )
}

fn not_decided((arm, reason): &(Span, String)) -> Diagnostic {
    let message = "whether anybody comes by this arm was not found out";
    Diagnostic::new(Code::NotDecided, message)
        .primary(*arm, "")
        .note(format!("it cannot be decided, because {reason}"))
}
