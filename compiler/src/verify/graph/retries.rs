//! Tries that multiply from hop to hop, and tries for which no time is left.

use super::{Caller, Graph, Hop, time};
use crate::model::ServiceId;
use crate::model::policy::Retry;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::{BTreeSet, HashMap};

/// Tries of one request at the end of a way that are no more than usual.
const USUAL: u64 = 8;
/// A way that is longer is cut off.
const LONGEST: usize = 64;

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut found = amplified(graph);
    found.extend(too_late(graph));
    found
}

/// What a request may become on the worst way from somewhere.
#[derive(Clone, Debug)]
struct Worst {
    tries: u64,
    /// The hops of the way, by their numbers.
    hops: Vec<usize>,
}

impl Worst {
    const NOTHING: Self = Self {
        tries: 1,
        hops: Vec::new(),
    };
}

/// Ways on which one request may become very many.
fn amplified(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let called: BTreeSet<ServiceId> = graph.hops.iter().map(|hop| hop.to).collect();
    let mut known = HashMap::new();
    let mut starts: HashMap<Caller, Worst> = HashMap::new();
    for (index, hop) in graph.hops.iter().enumerate() {
        // Ways begin where nobody calls.
        if matches!(hop.from, Caller::Service(service) if called.contains(&service)) {
            continue;
        }
        let worst = through(graph, index, &mut Vec::new(), &mut known);
        let best = starts.entry(hop.from).or_insert(Worst::NOTHING);
        if worst.tries > best.tries {
            *best = worst;
        }
    }
    let mut starts: Vec<Worst> = starts.into_values().collect();
    starts.sort_by_key(|worst| (std::cmp::Reverse(worst.tries), worst.hops.clone()));
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for worst in starts.into_iter().filter(|worst| worst.tries > USUAL) {
        let hops: Vec<&Hop<'_>> = worst.hops.iter().map(|index| &graph.hops[*index]).collect();
        let spans = hops.iter().filter(|hop| retry(hop).is_some());
        let spans: Vec<Span> = spans.filter_map(|hop| hop.retry?.span()).collect();
        if spans.len() > 1 && told.insert(spans.clone()) {
            found.push(multiply(graph, &hops, &spans, worst.tries));
        }
    }
    found
}

/// The worst way that begins with a hop.
fn through(
    graph: &Graph<'_>,
    index: usize,
    way: &mut Vec<ServiceId>,
    known: &mut HashMap<ServiceId, Worst>,
) -> Worst {
    let hop = &graph.hops[index];
    let on = onward(graph, hop.to, way, known);
    let own = retry(hop).map_or(1, |retry| u64::from(retry.attempts) + 1);
    let mut hops = vec![index];
    hops.extend(on.hops);
    Worst {
        tries: own.saturating_mul(on.tries),
        hops,
    }
}

/// The worst way on from a service. Circles are gone once around.
fn onward(
    graph: &Graph<'_>,
    service: ServiceId,
    way: &mut Vec<ServiceId>,
    known: &mut HashMap<ServiceId, Worst>,
) -> Worst {
    if let Some(worst) = known.get(&service) {
        return worst.clone();
    }
    if way.contains(&service) || way.len() == LONGEST {
        return Worst::NOTHING;
    }
    way.push(service);
    let mut worst = Worst::NOTHING;
    for &index in graph.calls.get(&service).into_iter().flatten() {
        let here = through(graph, index, way, known);
        if here.tries > worst.tries {
            worst = here;
        }
    }
    way.pop();
    known.insert(service, worst.clone());
    worst
}

fn multiply(graph: &Graph<'_>, hops: &[&Hop<'_>], spans: &[Span], tries: u64) -> Diagnostic {
    // What comes behind the last hop that tries again is not multiplied.
    let last = hops.iter().rposition(|hop| retry(hop).is_some());
    let hops = &hops[..last.map_or(hops.len(), |last| last + 1)];
    let first = hops.first().map(|hop| graph.name(hop.from));
    let mut way: Vec<String> = first.into_iter().collect();
    let mut end = String::new();
    let mut budget = 1.0;
    for hop in hops {
        end = graph.mesh[hop.to].qualified_name();
        way.push(match retry(hop) {
            Some(retry) => {
                budget *= 1.0 + f64::from(retry.budget.value.share) / 1_000_000.0;
                format!("{end} ({} tries)", retry.attempts + 1)
            }
            None => end.clone(),
        });
    }
    let message = format!("one request may become {tries} tries of `{end}`");
    let mut diagnostic = Diagnostic::new(Code::RetryAmplification, message);
    for (index, span) in spans.iter().rev().enumerate() {
        diagnostic = match index {
            0 => diagnostic.primary(*span, "tries again what …"),
            _ => diagnostic.secondary(*span, "… this tries again as well"),
        };
    }
    diagnostic
        .note(format!("the way: {}", way.join(" → ")))
        .note(format!(
            "all together the budgets let {budget:.2} requests through for each one, besides the few that each always allows"
        ))
        .help("try again at one place of the way, and say `retry off` at the others")
}

/// Tries for which no time is left, each pair of statements once.
fn too_late(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for hop in &graph.hops {
        let (Some(said), Some(most)) = (hop.retry, hop.timeout.most.map(u64::from)) else {
            continue;
        };
        let (Some(retry), Some(span)) = (said.value.on(), said.span()) else {
            continue;
        };
        let Some(per_try) = retry.per_try.map(|said| u64::from(said.value)) else {
            continue;
        };
        let fit = fit(retry, per_try, most);
        if fit > u64::from(retry.attempts) || !told.insert((span, hop.timeout.span)) {
            continue;
        }
        let tries = u64::from(retry.attempts) + 1;
        let own = time(per_try);
        let (message, label) = if per_try >= most {
            let message = "a try may take all the time there is, so that none comes after it";
            (message.to_owned(), format!("a try may take {own}"))
        } else {
            let message = format!("of {tries} tries that take their time only {fit} fit");
            (message, format!("{tries} tries of {own}"))
        };
        let diagnostic = Diagnostic::new(Code::RetryTimeInversion, message).primary(span, label);
        let diagnostic = match hop.timeout.span {
            Some(limit) => diagnostic.secondary(limit, "all that there is for them"),
            None => diagnostic.note(format!(
                "there are {} for them, as the edition has it",
                time(most)
            )),
        };
        let needed = per_try * tries + waits(retry, tries);
        found.push(
            diagnostic
                .note(format!(
                    "the tries, and the waits between them, may take {}",
                    time(needed)
                ))
                .help("shorten `per-try`, try less often, or give the exchange more time"),
        );
    }
    found
}

/// How many tries are begun within a time, if each takes all of its own.
fn fit(retry: &Retry, per_try: u64, most: u64) -> u64 {
    let tries = u64::from(retry.attempts) + 1;
    let begun = |count: u64| per_try * (count - 1) + waits(retry, count);
    (1..=tries).take_while(|count| begun(*count) < most).count() as u64
}

/// The waits between so many tries: each is random, so that half of the longest is what is to be expected.
fn waits(retry: &Retry, tries: u64) -> u64 {
    let (first, most) = retry.backoff.value;
    let longest = |wait: u64| (u64::from(first) << wait.min(32)).min(u64::from(most));
    (0..tries.saturating_sub(1)).map(longest).sum::<u64>() / 2
}

fn retry<'h>(hop: &Hop<'h>) -> Option<&'h Retry> {
    hop.retry?.value.on()
}
