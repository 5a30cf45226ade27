//! Streams that end when their time is over: a request's time runs to the end of the response, and a stream has none.

use super::{Graph, Hop, time};
use crate::model::{Arm, Service};
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use std::collections::BTreeSet;

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for hop in &graph.hops {
        let Some(most) = hop.timeout.most.map(|most| time(most.into())) else {
            continue;
        };
        let mut asked = hop
            .arms
            .iter()
            .filter_map(|arm| Some((*arm, arm.asks_for_events()?)));
        let service = &graph.mesh[hop.to];
        if let Some((arm, test)) = asked.next() {
            if told.insert(arm.span) {
                found.push(of_events(hop, arm, test, &most));
            }
        } else if service.protocol.value == Protocol::Grpc
            && hop.timeout.general
            && !speaks_of_time(service)
            && told.insert(service.span)
        {
            found.push(of_calls(hop, service, &most));
        }
    }
    found
}

/// An arm for streams of events.
fn of_events(hop: &Hop<'_>, arm: &Arm, test: Span, most: &str) -> Diagnostic {
    let message = format!("a stream of events is cut off after {most}");
    let diagnostic = Diagnostic::new(Code::TimeoutOnStream, message).primary(test, "asks for one");
    let diagnostic = in_force(diagnostic, hop, most)
        .note("a time runs from the head of the request to the end of the response");
    let own = arm.policy.timeouts.request.and_then(|said| said.span());
    match own.filter(|span| hop.timeout.span == Some(*span)) {
        Some(span) => {
            let title = "write `timeout off`: a stream on which nothing comes still ends";
            diagnostic.fix(Fix::guess(title, span, "timeout off"))
        }
        None => diagnostic
            .help("say `timeout off` in the arm: a stream on which nothing comes still ends"),
    }
}

/// A service of gRPC, of whose calls nobody said how long they take.
fn of_calls(hop: &Hop<'_>, service: &Service, most: &str) -> Diagnostic {
    let name = service.qualified_name();
    let message = format!("calls of `{name}` that are streams are cut off after {most}");
    let span = service.protocol.span().unwrap_or(service.span);
    let diagnostic =
        Diagnostic::new(Code::TimeoutOnStream, message).primary(span, "a call may be a stream");
    in_force(diagnostic, hop, most)
        .secondary(hop.span, "for example on this way")
        .help(format!(
            "say how long calls of `{name}` take, and `timeout off` for those that are streams"
        ))
}

fn in_force(diagnostic: Diagnostic, hop: &Hop<'_>, most: &str) -> Diagnostic {
    match hop.timeout.span {
        Some(span) => diagnostic.secondary(span, "this is in force"),
        None => diagnostic.note(format!("{most} is what the edition has")),
    }
}

/// Whether the arms of a service tell apart how long its calls take.
fn speaks_of_time(service: &Service) -> bool {
    let mut arms = service.route.iter().flat_map(|table| &table.arms);
    arms.any(|arm| arm.policy.timeouts.request.is_some())
}
