//! What is in force for a request that arrives, and who said so: of all levels the strongest that does.

use super::written::{Owner, Written, WrittenArm};
use crate::model::policy::{Policy, Rewrite};
use crate::model::said::Many;
use crate::model::{Mesh, Service, ServiceId};
use crate::spell::{Line, Place, told};
use mesh_bundle::journey::{Branch, End, Entry, Step};
use serde::Serialize;

/// A value in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// As it would be written: `timeout 3s`.
    pub text: String,
    /// Where it is said: `file:line`, or `edition 2026`.
    pub said: String,
}

/// The values in force at the end of a way; none for a request that arrives nowhere.
pub fn in_force(written: &Written<'_>, entry: Entry, branch: &Branch) -> Vec<Value> {
    let End::Arrived(to) = &branch.end else {
        return Vec::new();
    };
    let service = ServiceId(to.service.index() as u32);
    let mut levels = levels(written, entry, branch, service).into_iter();
    let Some(strongest) = levels.next() else {
        return Vec::new();
    };
    let mut policy = levels.fold(strongest, Policy::over);
    // What is asked of the request, and made of it, was told on the way.
    policy.requires.clear();
    policy.accepts.clear();
    policy.rewrite = Rewrite::default();
    policy.request_headers = Many::default();
    values(written, service, |place| place.policy(&policy))
}

/// Where a request goes that arrives: the endpoints, and how one is chosen.
pub fn endpoints(written: &Written<'_>, branch: &Branch) -> Vec<Value> {
    let End::Arrived(to) = &branch.end else {
        return Vec::new();
    };
    let id = ServiceId(to.service.index() as u32);
    let service = &written.mesh[id];
    let version = to.version.some().map(|version| {
        let first = written.bundle.service(to.service).versions.start();
        &service.versions[version.index() - first]
    });
    values(written, id, |place| {
        let own = version.map_or(&service.endpoints, |version| &version.endpoints);
        let mut lines: Vec<_> = place.endpoints(own).into_iter().collect();
        if version.is_none() {
            let versions = service.versions.iter();
            lines.extend(versions.filter_map(|version| place.endpoints(&version.endpoints)));
        }
        let spread = match version {
            Some(version) => version.spread.clone().over(service.spread.clone()),
            None => service.spread.clone(),
        };
        lines.extend(place.spread(&spread));
        lines
    })
}

fn values(
    written: &Written<'_>,
    service: ServiceId,
    lines: impl FnOnce(&Place<'_>) -> Vec<Line>,
) -> Vec<Value> {
    let place = Place::of_service(written.mesh, service);
    let lines = lines(&place).into_iter();
    let value = |line: Line| Value {
        said: line
            .first_origin()
            .map_or_else(String::new, |origin| told(origin, written.sources)),
        text: line.flat(),
    };
    lines.map(value).collect()
}

/// What each level says, strongest first: the gateway's arm, or the caller's `calls`; the arms of services; the
/// service; host, gateway, and `defaults` over the edition.
fn levels(written: &Written<'_>, entry: Entry, branch: &Branch, service: ServiceId) -> Vec<Policy> {
    let mesh = written.mesh;
    let arms: Vec<WrittenArm<'_>> = branch
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Arm(table, arm) => written.arm(*table, *arm),
            _ => None,
        })
        .collect();
    let mut levels = Vec::new();
    if let Entry::Sidecar(caller) = entry {
        levels.extend(calls(
            mesh,
            ServiceId(caller.index() as u32),
            &arms,
            service,
        ));
    }
    levels.extend(arms.iter().map(|arm| arm.arm().policy.clone()));
    levels.push(mesh[service].policy.clone());
    for arm in &arms {
        if let Owner::Host(gateway, host) = arm.owner {
            levels.push(host.policy.clone());
            levels.push(gateway.policy.clone());
        }
    }
    levels.push(mesh.defaults.clone());
    levels
}

/// What the caller's `calls` block says for the service that it asked for.
fn calls(
    mesh: &Mesh,
    caller: ServiceId,
    arms: &[WrittenArm<'_>],
    arrived: ServiceId,
) -> Option<Policy> {
    let asked = match arms.first().map(|arm| arm.owner) {
        Some(Owner::Service(service, _)) => service,
        _ => arrived,
    };
    let caller: &Service = &mesh[caller];
    let call = caller
        .calls
        .iter()
        .flatten()
        .find(|call| call.target == asked)?;
    Some(call.policy.clone())
}
