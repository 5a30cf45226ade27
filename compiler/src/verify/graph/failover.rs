//! Services that take over for each other, and services of which nobody knows when they should be taken over.

use crate::model::upstream::Spread;
use crate::model::{Mesh, Service, ServiceId};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::BTreeSet;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        let Some(span) = failover(service) else {
            continue;
        };
        if !tells_health(service) {
            let message = format!("nothing tells when `{}` is not healthy", service.name);
            found.push(
                Diagnostic::new(Code::FailoverWithoutHealth, message)
                    .primary(span, "this never happens")
                    .help("add `eject after 5 errors`, or `health GET /healthz`"),
            );
        }
        if let Some(circle) = circle(mesh, id)
            && told.insert(circle.clone())
        {
            let names = circle.iter().map(|service| mesh[*service].qualified_name());
            let names: Vec<String> = names.collect();
            let message = "these services take over for each other in a circle";
            let mut diagnostic = Diagnostic::new(Code::FailoverCycle, message);
            for service in &circle {
                let Some(span) = failover(&mesh[*service]) else {
                    continue;
                };
                diagnostic = if *service == id {
                    diagnostic.primary(span, "")
                } else {
                    diagnostic.secondary(span, "")
                };
            }
            found.push(
                diagnostic
                    .note(format!("{} → {}", names.join(" → "), names[0]))
                    .help("let one of them be the last"),
            );
        }
    }
    found
}

fn failover(service: &Service) -> Option<Span> {
    let said = service.failover.as_ref()?;
    Some(said.span().unwrap_or(service.span))
}

/// Whether something tells which endpoints are healthy, of the service or of each of its versions.
fn tells_health(service: &Service) -> bool {
    let tells = |spread: &Spread| {
        let ejects = spread.eject.as_ref().and_then(|said| said.value.on());
        let asks = spread.health.as_ref().and_then(|said| said.value.on());
        ejects.is_some() || asks.is_some()
    };
    let versions = &service.versions;
    tells(&service.spread)
        || (!versions.is_empty() && versions.iter().all(|version| tells(&version.spread)))
}

/// The circle that a service is in, beginning with the first of its services.
fn circle(mesh: &Mesh, start: ServiceId) -> Option<Vec<ServiceId>> {
    let mut way = vec![start];
    loop {
        let next = mesh[*way.last()?].failover?.value.service();
        if next == start {
            let first = way.iter().enumerate().min_by_key(|(_, service)| **service);
            let first = first.map_or(0, |(index, _)| index);
            way.rotate_left(first);
            return Some(way);
        }
        if way.contains(&next) {
            return None;
        }
        way.push(next);
    }
}
