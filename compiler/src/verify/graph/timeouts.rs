//! Callers that give up while those they wait for still wait for others, and calls whose time nobody wrote.

use super::{Graph, Hop, time};
use crate::model::ServiceId;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    // Of the calls of a service those that somebody gave a time of their own, each statement once.
    let mut slow: BTreeMap<ServiceId, Vec<&Hop<'_>>> = BTreeMap::new();
    for &service in graph.calls.keys() {
        let mut told = BTreeSet::new();
        let said = graph
            .calls(service)
            .filter(|hop| !hop.timeout.general && told.insert(hop.timeout.span));
        slow.insert(service, said.collect());
    }
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for hop in &graph.hops {
        let (Some(most), Some(span)) = (hop.timeout.most, hop.timeout.span) else {
            continue;
        };
        for next in slow.get(&hop.to).into_iter().flatten() {
            let longer = next.timeout.most.is_none_or(|next| next > most);
            if longer && told.insert((span, next.timeout.span)) {
                found.extend(inverted(graph, hop, next));
            }
        }
    }
    found
}

/// Calls that take as long as the edition has it, each statement once.
pub(super) fn unsaid(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let unsaid = graph.hops.iter().filter(|hop| hop.timeout.span.is_none());
    let finding = |hop: &Hop<'_>| {
        let most = hop.timeout.most.filter(|_| told.insert(hop.span))?;
        let name = graph.mesh[hop.to].qualified_name();
        let message = format!("nobody says how long `{name}` may take");
        Some(
            Diagnostic::new(Code::MissingTimeout, message)
                .primary(hop.span, "")
                .note(format!(
                    "it may take {}, as the edition has it",
                    time(most.into())
                ))
                .help(format!("say it once, in `{name}`: `timeout 5s`")),
        )
    };
    unsaid.filter_map(finding).collect()
}

fn inverted(graph: &Graph<'_>, hop: &Hop<'_>, next: &Hop<'_>) -> Option<Diagnostic> {
    let (most, span) = (hop.timeout.most?, hop.timeout.span?);
    let caller = graph.name(hop.from);
    let service = graph.mesh[hop.to].qualified_name();
    let callee = graph.mesh[next.to].qualified_name();
    let own = time(most.into());
    let (text, budget, help) = match next.timeout.most {
        Some(next) => {
            let next = time(next.into());
            (
                format!("`{service}` waits {next} for `{callee}`"),
                next.clone(),
                format!("let `{caller}` wait more than {next}, or `{service}` less than {own}"),
            )
        }
        None => (
            format!("`{service}` waits for `{callee}` as long as it takes"),
            "no limit".to_owned(),
            format!("let `{service}` wait less than {own}"),
        ),
    };
    let message =
        format!("`{caller}` gives up on `{service}` while that still waits for `{callee}`");
    Some(
        Diagnostic::new(Code::TimeoutChainInversion, message)
            .primary(span, format!("`{caller}` waits {own} for `{service}`"))
            .secondary(next.timeout.span.unwrap_or(next.span), text)
            .note(format!(
                "the time on the way: {caller} → {service} ({own}) → {callee} ({budget})"
            ))
            .help(help),
    )
}
