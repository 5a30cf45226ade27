//! How endpoints are chosen: limits that the protocol has no use for, ejections that never happen or change nothing.

use crate::model::said::Said;
use crate::model::upstream::{Eject, Endpoint, Limits, Spread};
use crate::model::{Mesh, Service};
use crate::spell::{percent, protocol_word};
use mesh_bundle::format::Protocol;
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &mesh.services {
        let own = std::iter::once(&service.spread);
        let spreads = own.chain(service.versions.iter().map(|version| &version.spread));
        for limits in spreads.filter_map(limits_of) {
            found.extend(unused(limits, &[service]));
        }
        found.extend(ejections(service));
    }
    for namespace in &mesh.namespaces {
        let Some(limits) = namespace.limits.as_ref().and_then(|said| said.value.on()) else {
            continue;
        };
        // Where one of its services has a use for a limit it is none too many.
        let inside = mesh.services.iter().filter(|service| {
            service.namespace == namespace.name && service.spread.limits.is_none()
        });
        let inside: Vec<&Service> = inside.collect();
        found.extend(unused(limits, &inside));
    }
    found
}

fn limits_of(spread: &Spread) -> Option<&Limits> {
    spread.limits.as_ref()?.value.on()
}

/// The limits of one statement that none of the services has a use for for which it holds.
fn unused(limits: &Limits, services: &[&Service]) -> Vec<Diagnostic> {
    let Some(service) = services.first() else {
        return Vec::new();
    };
    let each = [
        ("connections", Some(limits.connections)),
        ("pending", Some(limits.pending)),
        ("requests", Some(limits.requests)),
        ("per-connection", limits.per_connection),
    ];
    let written = each.into_iter().filter_map(|(word, said)| {
        let said = said?;
        Some((word, said, said.span()?))
    });
    let idle = written.filter_map(|(word, said, span)| {
        let why = |service: &&Service| idle(limits, word, said, service.protocol.value);
        let whys: Option<Vec<Why>> = services.iter().map(why).collect();
        let why = whys?.into_iter().next()?;
        Some(finding(word, span, &why, limits, service))
    });
    idle.collect()
}

/// Why a limit does nothing.
enum Why {
    /// There are no requests.
    Bytes,
    /// Nothing waits.
    NothingWaits,
    /// Another limit is always reached before it.
    NeverReached(u32),
}

/// Why a limit does nothing for a protocol, if it does nothing.
fn idle(limits: &Limits, word: &str, said: Said<u32>, protocol: Protocol) -> Option<Why> {
    let most = limits.connections.value;
    match (protocol, word) {
        (Protocol::Tcp, "pending" | "requests" | "per-connection") => Some(Why::Bytes),
        (Protocol::Http2 | Protocol::Grpc, "pending") => Some(Why::NothingWaits),
        (Protocol::Http1, "requests") if said.value > most => Some(Why::NeverReached(most)),
        _ => None,
    }
}

fn finding(word: &str, span: Span, why: &Why, limits: &Limits, service: &Service) -> Diagnostic {
    let name = service.qualified_name();
    let protocol = protocol_word(service.protocol.value);
    let message = match why {
        Why::NeverReached(_) => format!("so many requests of `{protocol}` are never under way"),
        Why::Bytes | Why::NothingWaits => format!("`{protocol}` has no use for `{word}`"),
    };
    let mut diagnostic =
        Diagnostic::new(Code::LimitUnusedForProtocol, message).primary(span, "this has no effect");
    if let Some(said) = service.protocol.span() {
        diagnostic = diagnostic.secondary(said, format!("what `{name}` speaks"));
    }
    match why {
        Why::Bytes => diagnostic
            .note("a connection carries bytes, and nobody sees requests in them")
            .help("limit `connections`"),
        Why::NothingWaits => diagnostic
            .note(format!(
                "a connection takes many requests at a time; the one that is over `requests {}` is refused at once and does not wait",
                limits.requests.value
            ))
            .help("limit `requests`"),
        Why::NeverReached(most) => {
            if let Some(said) = limits.connections.span() {
                diagnostic = diagnostic.secondary(said, "each carries one request at a time");
            }
            diagnostic
                .note(format!(
                    "for example: of {} requests at a time {most} are under way, and the others count as `pending`",
                    u64::from(*most) + 1
                ))
                .help("limit `connections`, and with `pending` those that wait")
        }
    }
}

/// The ejections of a service and its versions that come to nothing.
fn ejections(service: &Service) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if service.versions.is_empty() {
        let listed = service.endpoints.listed();
        found.extend(ejection(&service.spread, listed));
    }
    for version in &service.versions {
        found.extend(ejection(&version.spread, version.endpoints.listed()));
    }
    found
}

fn ejection(spread: &Spread, endpoints: &[Endpoint]) -> Option<Diagnostic> {
    let said = spread.eject?;
    let (eject, span) = (said.value.on()?, said.span()?);
    match endpoints {
        [only] if eject.may_be_out(1) == 0 => Some(
            Diagnostic::new(
                Code::OutlierIneffective,
                "an only endpoint is never ejected",
            )
            .primary(span, "this has no effect")
            .secondary(only.span, "there is no other")
            .note(format!(
                "{} of one endpoint is none",
                percent(eject.at_most.value)
            ))
            .help("add endpoints, or say `at-most 100%`, so that requests fail at once"),
        ),
        [] | [_] => None,
        all => all_are_used(eject, span, all.len() as u32),
    }
}

/// An ejection after which so few of several endpoints are healthy that all are used again. The edition's own share is
/// left by any of them.
fn all_are_used(eject: &Eject, span: Span, endpoints: u32) -> Option<Diagnostic> {
    let least = eject.min_healthy;
    let written = least.span()?;
    let left = endpoints - 1;
    let share = |of: u32, parts: u32| u64::from(of) * u64::from(parts);
    if share(left, WHOLE) >= share(endpoints, least.value) {
        return None;
    }
    let message = "as soon as an endpoint is ejected all are used again";
    Some(
        Diagnostic::new(Code::OutlierIneffective, message)
            .primary(span, "this has no effect")
            .secondary(written, "with fewer healthy ones than that all are used")
            .note(format!(
                "{} of {endpoints} may be out at a time; without one {left} are healthy, and that is less than {}",
                eject.may_be_out(endpoints),
                percent(least.value)
            ))
            .help("let `min-healthy` be what is left when `at-most` are out"),
    )
}
