//! Lints: findings about policies that compile, and may still not be what was meant.
//!
//! A lint is a code with an `L`. Unlike an error it has a level that the mesh may change, and a place may be
//! excused from it, with a reason: [`levels`]. Those that a statement shows by itself are here, by what they are
//! about; those that take a proof or the whole mesh are in [`crate::verify`].

mod certificates;
mod endpoints;
pub mod exposed;
mod headers;
pub mod ineffective;
pub mod levels;
mod resilience;
mod security;
mod spread;
pub mod style;
#[cfg(test)]
mod tests;
mod traffic;
mod transport;
mod unused;

use crate::model::policy::Policy;
use crate::model::{Arm, Mesh};
use mesh_lang::diagnostic::Diagnostic;
use std::path::Path;

/// What single statements of a mesh show. Files that it names are relative to `root`.
pub fn findings(mesh: &Mesh, root: &Path) -> Vec<Diagnostic> {
    let mut found = traffic::findings(mesh);
    found.extend(resilience::findings(mesh));
    found.extend(spread::findings(mesh));
    found.extend(security::findings(mesh));
    found.extend(transport::findings(mesh));
    found.extend(headers::findings(mesh));
    found.extend(certificates::findings(mesh, root));
    found.extend(endpoints::findings(mesh));
    found.extend(ineffective::findings(mesh));
    found.extend(unused::findings(mesh));
    found
}

/// All arms of a mesh.
fn arms(mesh: &Mesh) -> impl Iterator<Item = &Arm> {
    mesh.tables().flat_map(|table| &table.arms)
}

/// All levels of a mesh at which something is said about traffic.
fn levels(mesh: &Mesh) -> impl Iterator<Item = &Policy> {
    let gateways = mesh.gateways.iter().flat_map(|gateway| {
        let hosts = gateway.hosts.iter().map(|host| &host.policy);
        std::iter::once(&gateway.policy).chain(hosts)
    });
    let services = mesh.services.iter().flat_map(|service| {
        let calls = service.calls.iter().flatten().map(|call| &call.policy);
        std::iter::once(&service.policy).chain(calls)
    });
    let arms = arms(mesh).map(|arm| &arm.policy);
    std::iter::once(&mesh.defaults)
        .chain(gateways)
        .chain(services)
        .chain(arms)
}
