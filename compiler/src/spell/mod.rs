//! From the model back to text: a mesh as it could have been written with nothing left to look up.
//!
//! Policies and params are replaced by what they mean, defaults are filled in, and behind each value stands,
//! as a comment, who said so. What is spelled is a list of [`Line`]s; [`expand`] makes a file of them and
//! leaves its layout to the formatter, others put single ones on one line ([`Line::flat`]). Compiled again
//! such a file means the same mesh.

mod arms;
mod authz;
mod condition;
mod gateway;
mod in_force;
mod line;
mod mesh;
mod names;
mod policy;
mod proof;
mod service;
mod spread;
mod value;
#[cfg(feature = "lsp")]
mod whole;

#[cfg(test)]
mod tests;

pub use line::Statement;
pub(crate) use line::{Line, told};
pub(crate) use service::protocol_word;
pub(crate) use value::{duration, percent, rate, size};
#[cfg(feature = "lsp")]
pub(crate) use whole::text;

use crate::model::{DEFAULT_NAMESPACE, Mesh, ServiceId};
use mesh_lang::format::format;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources};

/// A whole mesh, spelled out.
pub fn expand(mesh: &Mesh, sources: &Sources) -> String {
    let mut text = mesh::preamble(mesh, sources);
    for line in mesh::items(mesh) {
        line.write(sources, &mut text);
    }
    format(&parse(FileId(0), &text).tree)
}

/// All that a mesh says but its proofs, statement by statement.
pub fn statements(mesh: &Mesh) -> Vec<Statement> {
    let mut statements = Vec::new();
    for line in mesh::items(mesh) {
        line.statements("", &mut statements);
    }
    statements
}

/// What text is about: names are written as they are understood there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'m> {
    mesh: &'m Mesh,
    namespace: &'m str,
    /// The service whose block it is in.
    own: Option<ServiceId>,
}

impl<'m> Place<'m> {
    /// Outside of any namespace.
    pub(crate) fn top(mesh: &'m Mesh) -> Self {
        Self {
            mesh,
            namespace: DEFAULT_NAMESPACE,
            own: None,
        }
    }

    /// In a namespace.
    pub(crate) fn inside(mesh: &'m Mesh, namespace: &'m str) -> Self {
        Self {
            mesh,
            namespace,
            own: None,
        }
    }

    /// In the block of a service.
    pub(crate) fn of_service(mesh: &'m Mesh, service: ServiceId) -> Self {
        Self {
            mesh,
            namespace: &mesh[service].namespace,
            own: Some(service),
        }
    }
}
