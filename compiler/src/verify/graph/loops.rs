//! Calls that lead around in a circle.
//!
//! Services that reach each other by calls are one knot; of each knot the shortest circle is shown. A circle whose
//! calls are copied within it is told as a mirror loop, and not again here.

use super::{Caller, Graph, Hop};
use crate::model::ServiceId;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Services of a knot from which its shortest circle is looked for.
const STARTS: usize = 64;

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let knots = knots(graph).into_iter();
    let knots = knots.filter(|knot| !is_mirror_loop(graph, knot));
    knots.filter_map(|knot| told(graph, &knot)).collect()
}

/// The services that reach each other by calls, those of each circle together: a search notes in which order
/// services are left, and a second one, against the calls and from the last that was left, meets one knot at a time.
fn knots(graph: &Graph<'_>) -> Vec<BTreeSet<ServiceId>> {
    let mut calls: BTreeMap<ServiceId, Vec<ServiceId>> = BTreeMap::new();
    let mut callers: BTreeMap<ServiceId, Vec<ServiceId>> = BTreeMap::new();
    for &from in graph.calls.keys() {
        for hop in graph.calls(from) {
            calls.entry(from).or_default().push(hop.to);
            callers.entry(hop.to).or_default().push(from);
        }
    }
    let mut seen = BTreeSet::new();
    let mut left = Vec::new();
    for &start in calls.keys() {
        leave(&calls, start, &mut seen, &mut left);
    }
    let mut seen = BTreeSet::new();
    let mut knots = Vec::new();
    for &start in left.iter().rev() {
        let mut knot = Vec::new();
        leave(&callers, start, &mut seen, &mut knot);
        let calls_itself = calls.get(&start).is_some_and(|all| all.contains(&start));
        if knot.len() > 1 || knot.len() == 1 && calls_itself {
            knots.push(knot.into_iter().collect());
        }
    }
    knots
}

/// Goes along edges from a service to all that were not seen, and notes each when all behind it are.
fn leave(
    edges: &BTreeMap<ServiceId, Vec<ServiceId>>,
    start: ServiceId,
    seen: &mut BTreeSet<ServiceId>,
    left: &mut Vec<ServiceId>,
) {
    let next = |service: ServiceId| edges.get(&service).map_or(&[][..], Vec::as_slice).iter();
    if !seen.insert(start) {
        return;
    }
    let mut way = vec![(start, next(start))];
    while let Some((service, ahead)) = way.last_mut() {
        match ahead.next() {
            Some(&to) if seen.insert(to) => way.push((to, next(to))),
            Some(_) => {}
            None => {
                left.push(*service);
                way.pop();
            }
        }
    }
}

/// Whether calls within a knot are copied within it.
fn is_mirror_loop(graph: &Graph<'_>, knot: &BTreeSet<ServiceId>) -> bool {
    let inner = knot.iter().flat_map(|service| graph.calls(*service));
    let mut copies = inner
        .filter(|hop| knot.contains(&hop.to))
        .flat_map(|hop| &hop.mirrors);
    copies.any(|mirror| knot.contains(&mirror.value.target.service()))
}

/// The finding about a knot: its shortest circle.
fn told(graph: &Graph<'_>, knot: &BTreeSet<ServiceId>) -> Option<Diagnostic> {
    let starts = knot.iter().take(STARTS);
    let circles = starts.filter_map(|&start| circle(graph, knot, start));
    let circle = circles.min_by_key(Vec::len)?;
    let (first, others) = circle.split_first()?;
    let mut way = vec![graph.name(first.from)];
    way.extend(circle.iter().map(|hop| graph.mesh[hop.to].qualified_name()));
    let message = match others {
        [] => format!("`{}` calls itself", way[0]),
        [_] => format!("`{}` and `{}` call each other", way[0], way[1]),
        _ => "these services call each other in a circle".to_owned(),
    };
    let mut diagnostic = Diagnostic::new(Code::CallLoop, message).primary(first.span, "");
    for hop in others {
        diagnostic = diagnostic.secondary(hop.span, "");
    }
    let diagnostic = diagnostic.note(format!("the way: {}", way.join(" → ")));
    let diagnostic = match knot.len() - circle.len() {
        0 => diagnostic,
        1 => diagnostic.note("one more service calls into this circle and is called from it"),
        more => diagnostic.note(format!(
            "{more} more services call into this circle and are called from it"
        )),
    };
    Some(diagnostic.help("let one of them not call, or move what both need into a third"))
}

/// The shortest circle that begins with a service, by its hops, within a knot.
fn circle<'g, 'm>(
    graph: &'g Graph<'m>,
    knot: &BTreeSet<ServiceId>,
    start: ServiceId,
) -> Option<Vec<&'g Hop<'m>>> {
    // For each service the hop by which it was first come to.
    let mut by: BTreeMap<ServiceId, &Hop<'m>> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(service) = next.pop_front() {
        for hop in graph.calls(service).filter(|hop| knot.contains(&hop.to)) {
            if hop.to == start {
                let mut circle = vec![hop];
                let mut at = service;
                while at != start {
                    let before = by.get(&at)?;
                    circle.push(before);
                    let Caller::Service(from) = before.from else {
                        return None; // nobody in the mesh calls a gateway
                    };
                    at = from;
                }
                circle.reverse();
                return Some(circle);
            }
            if let Entry::Vacant(entry) = by.entry(hop.to) {
                entry.insert(hop);
                next.push_back(hop.to);
            }
        }
    }
    None
}
