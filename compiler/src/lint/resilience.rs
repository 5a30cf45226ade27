//! Times and faults: faults without an end, times that are longer than the service's own.

use super::levels;
use crate::model::{Arm, Mesh, Target};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for said in levels(mesh).flat_map(|level| &level.faults.each) {
        let Some(span) = said.span().filter(|_| said.value.until.is_none()) else {
            continue;
        };
        found.push(
            Diagnostic::new(Code::FaultInRelease, "this fault has no end")
                .primary(span, "")
                .help("say on which day it ends: `until 2030-01-01`"),
        );
    }
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    for arm in hosts.flat_map(|host| &host.table.arms) {
        found.extend(longer(mesh, arm));
    }
    found
}

/// An arm of a gateway that waits longer for a service than the service says it may take.
fn longer(mesh: &Mesh, arm: &Arm) -> Option<Diagnostic> {
    if arm.asks_for_events().is_some() {
        return None; // how long the service takes is no matter of its streams
    }
    let own = arm.policy.timeouts.request?;
    let longer = arm.action.targets().into_iter().map(Target::service);
    let mut longer = longer.filter_map(|service| {
        let service = &mesh[service];
        let theirs = service.policy.timeouts.request?;
        let most = theirs.value.on()?;
        let is_longer = own.value.on().is_none_or(|own| own > most);
        is_longer.then_some((service, theirs.span()?))
    });
    let (service, said) = longer.next()?;
    let name = service.qualified_name();
    let message = format!("this arm waits longer for `{name}` than it says that it takes");
    Some(
        Diagnostic::new(Code::TimeoutLengthened, message)
            .primary(own.span()?, "this holds")
            .secondary(said, "and this does not")
            .help("leave the time to the service, or make it shorter"),
    )
}
