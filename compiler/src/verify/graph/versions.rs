//! Versions that nobody sends to.

use super::takes_rest;
use crate::model::{ListenerKind, Mesh, ServiceId, Target};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use std::collections::HashSet;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let named = named(mesh);
    let mut found = Vec::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        // Without an arm for the rest, requests go to all endpoints.
        let all_by_arms = service.route.as_ref().is_some_and(takes_rest);
        if !all_by_arms || named.contains(&Target::Own(id)) {
            continue;
        }
        for (index, version) in (0u32..).zip(&service.versions) {
            if named.contains(&Target::Version(id, index)) {
                continue;
            }
            let name = service.qualified_name();
            let message = format!("nothing is ever sent to `{name}.{}`", version.name);
            let diagnostic = Diagnostic::new(Code::VersionUnused, message)
                .primary(version.span, "")
                .help("name it in an arm or a split, or remove it");
            let last = service.route.as_ref().and_then(|table| table.arms.last());
            found.push(match last {
                Some(arm) => diagnostic.secondary(arm.span, "the last arm takes what is left"),
                None => diagnostic,
            });
        }
    }
    found
}

/// All that something aims at. A share may be nothing today, and something tomorrow.
fn named(mesh: &Mesh) -> HashSet<Target> {
    let arms = mesh.tables().flat_map(|table| &table.arms);
    let mut named: HashSet<Target> = arms.flat_map(|arm| arm.action.targets()).collect();
    let arms = mesh.tables().flat_map(|table| &table.arms);
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let calls = mesh.services.iter().flat_map(|it| &it.calls).flatten();
    let policies = arms
        .map(|arm| &arm.policy)
        .chain(hosts.map(|host| &host.policy))
        .chain(mesh.gateways.iter().map(|gateway| &gateway.policy))
        .chain(mesh.services.iter().map(|service| &service.policy))
        .chain(calls.map(|call| &call.policy))
        .chain([&mesh.defaults]);
    let mirrors = policies.flat_map(|policy| &policy.mirrors.each);
    named.extend(mirrors.map(|mirror| mirror.value.target));
    let failovers = mesh.services.iter().filter_map(|service| service.failover);
    named.extend(failovers.map(|said| said.value));
    for listener in mesh.gateways.iter().flat_map(|gateway| &gateway.listeners) {
        match &listener.kind {
            ListenerKind::Http { .. } | ListenerKind::Https { .. } => {}
            ListenerKind::Tcp(target) => {
                named.insert(*target);
            }
            ListenerKind::Passthrough(names) => named.extend(names.iter().map(|(_, it)| *it)),
        }
    }
    named
}
