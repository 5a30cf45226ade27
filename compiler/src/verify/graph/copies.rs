//! Copies that multiply from hop to hop.
//!
//! A copy itself is not copied. But who gets it calls on, and where it calls what the original's receiver calls,
//! these calls come as often as the two together, and are copied in their turn.

use super::{Caller, Graph, Hop};
use crate::model::ServiceId;
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::{BTreeSet, HashMap};

/// Requests of which somebody who copies may still have thought. Two full copies at one place make three of one, and
/// a full copy at each of two hops makes four, which is what it takes to try out two services side by side. What
/// makes more comes of statements that do not know of each other.
const USUAL: f64 = 4.0;
/// A way that is longer is cut off.
const LONGEST: usize = 64;

/// What a request becomes on the worst way from somewhere.
#[derive(Clone, Debug)]
struct Worst {
    requests: f64,
    /// The hops of the way, by their numbers, each with how many requests one becomes there.
    hops: Vec<(usize, f64)>,
}

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    if graph.hops.iter().all(|hop| hop.mirrors.is_empty()) {
        return Vec::new();
    }
    let called: BTreeSet<ServiceId> = graph.hops.iter().map(|hop| hop.to).collect();
    let mut known = HashMap::new();
    let mut ways: Vec<Worst> = Vec::new();
    for (index, hop) in graph.hops.iter().enumerate() {
        // Ways begin where nobody calls.
        if !matches!(hop.from, Caller::Service(service) if called.contains(&service)) {
            ways.push(from(graph, index, &mut Vec::new(), &mut known));
        }
    }
    // What is told is rounded, and so is what is told of.
    ways.retain(|worst| (worst.requests * 100.0).round() > USUAL * 100.0);
    ways.sort_by(|a, b| {
        let numbers = |worst: &Worst| worst.hops.iter().map(|(hop, _)| *hop).collect::<Vec<_>>();
        let more_first = b.requests.total_cmp(&a.requests);
        more_first.then_with(|| numbers(a).cmp(&numbers(b)))
    });
    let mut told = BTreeSet::new();
    ways.into_iter()
        .filter_map(|worst| {
            let copies = worst.hops.iter().filter(|(_, factor)| *factor > 1.0);
            let mut spans: Vec<Span> = copies
                .flat_map(|(hop, _)| &graph.hops[*hop].mirrors)
                .filter_map(|mirror| mirror.span())
                .collect();
            let mut seen = BTreeSet::new();
            spans.retain(|span| seen.insert(*span));
            told.insert(spans.clone())
                .then(|| multiply(graph, &worst, &spans))?
        })
        .collect()
}

/// The worst way that begins with a hop. Circles are gone once around.
fn from(
    graph: &Graph<'_>,
    index: usize,
    way: &mut Vec<usize>,
    known: &mut HashMap<usize, Worst>,
) -> Worst {
    if let Some(worst) = known.get(&index) {
        return worst.clone();
    }
    let hop = &graph.hops[index];
    // A way may end here, and then all copies are what it comes to.
    let here = 1.0
        + hop
            .mirrors
            .iter()
            .map(|it| share(it.value.share))
            .sum::<f64>();
    let mut worst = Worst {
        requests: here,
        hops: vec![(index, here)],
    };
    if way.contains(&index) || way.len() == LONGEST {
        return worst;
    }
    way.push(index);
    for &next in graph.calls.get(&hop.to).into_iter().flatten() {
        let on = from(graph, next, way, known);
        let here = going_on(graph, hop, &graph.hops[next]);
        let requests = here * on.requests;
        if requests > worst.requests {
            let hops = std::iter::once((index, here)).chain(on.hops).collect();
            worst = Worst { requests, hops };
        }
    }
    way.pop();
    known.insert(index, worst.clone());
    worst
}

/// How many requests one becomes at a hop, of those that go on by the next: itself, and the copies whose receivers
/// call the same.
fn going_on(graph: &Graph<'_>, hop: &Hop<'_>, next: &Hop<'_>) -> f64 {
    let calls_it = |service: ServiceId| {
        service == hop.to || graph.calls(service).any(|other| other.to == next.to)
    };
    let copies = hop.mirrors.iter();
    let copies = copies.filter(|mirror| calls_it(mirror.value.target.service()));
    1.0 + copies.map(|mirror| share(mirror.value.share)).sum::<f64>()
}

fn share(millionths: u32) -> f64 {
    f64::from(millionths) / f64::from(WHOLE)
}

fn multiply(graph: &Graph<'_>, worst: &Worst, spans: &[Span]) -> Option<Diagnostic> {
    let (first, _) = worst.hops.first()?;
    let mut way = vec![graph.name(graph.hops[*first].from)];
    let mut product = Vec::new();
    let mut end = String::new();
    for (hop, factor) in &worst.hops {
        end = graph.mesh[graph.hops[*hop].to].qualified_name();
        way.push(if *factor > 1.0 {
            product.push(number(*factor));
            format!("{end} (× {})", number(*factor))
        } else {
            end.clone()
        });
    }
    let requests = number(worst.requests);
    let message = format!("one request becomes {requests} by the time it comes to `{end}`");
    let mut diagnostic = Diagnostic::new(Code::MirrorAmplification, message);
    for (index, span) in spans.iter().rev().enumerate() {
        diagnostic = match (index, spans) {
            (0, [_]) => diagnostic.primary(*span, ""),
            (0, _) => diagnostic.primary(*span, "copies what …"),
            _ => diagnostic.secondary(*span, "… this copies as well"),
        };
    }
    diagnostic = diagnostic.note(format!("the way: {}", way.join(" → ")));
    if product.len() > 1 {
        diagnostic = diagnostic.note(format!("{} = {requests}", product.join(" × ")));
    }
    Some(diagnostic.help("copy at one place of the way, or a smaller share"))
}

/// `8`, `2.5`, `1.33`.
fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
