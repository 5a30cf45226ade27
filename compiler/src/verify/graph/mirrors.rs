//! Copies that make requests which are copied again, and mirrors of which nothing is copied.
//!
//! A copy itself is not copied. But who gets it may call others, and a call that is copied to the same place leads
//! around: each request becomes a row of copies.

use super::{Caller, Graph, example};
use crate::model::policy::{Mirror, Policy};
use crate::model::said::Said;
use crate::model::{Arm, Mesh, Service, ServiceId};
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Methods of requests that change nothing (RFC 9110, section 9.2.1).
const SAFE: &[&str] = &["GET", "HEAD", "OPTIONS", "TRACE"];
/// Arms that are shown of several.
const SHOWN: usize = 4;

pub(super) fn findings(graph: &Graph<'_>, sources: &Sources) -> Vec<Diagnostic> {
    let mut found = loops(graph);
    found.extend(copy_nothing(graph, sources));
    found
}

/// Copies that lead to calls which are copied again.
fn loops(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut called: HashMap<ServiceId, HashMap<ServiceId, ServiceId>> = HashMap::new();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for hop in &graph.hops {
        // Nobody in the mesh calls a gateway.
        let Caller::Service(from) = hop.from else {
            continue;
        };
        for mirror in &hop.mirrors {
            let target = mirror.value.target.service();
            let called = called
                .entry(target)
                .or_insert_with(|| called_by(graph, target));
            let comes_back = from == target || called.contains_key(&from);
            let Some(span) = mirror.span().filter(|_| comes_back) else {
                continue;
            };
            if !told.insert(span) {
                continue;
            }
            let mut way = vec![hop.to, from];
            let mut at = from;
            while at != target {
                at = called[&at];
                way.push(at);
            }
            let names = way.iter().rev();
            let names: Vec<String> = names
                .map(|service| graph.mesh[*service].qualified_name())
                .collect();
            let target = &names[0];
            let message = format!("copies for `{target}` lead to calls that are copied again");
            let diagnostic = Diagnostic::new(Code::MirrorLoop, message)
                .primary(span, "copied here")
                .note(format!(
                    "the way: {} ⇒ {target}, where ⇒ is the copy",
                    names.join(" → ")
                ));
            let diagnostic = if mirror.value.share == WHOLE {
                diagnostic.note("all are copied, so that it may never end")
            } else {
                diagnostic
            };
            found.push(diagnostic.help("copy to a service whose calls do not lead back"));
        }
    }
    found
}

/// Mirrors that copy none of the requests which they are in force for, wherever that is: all of them change something.
fn copy_nothing(graph: &Graph<'_>, sources: &Sources) -> Vec<Diagnostic> {
    // By statement: it, and the arms that let through no request that only reads; none if some other does.
    let mut all: BTreeMap<Span, (&Mirror, Option<Vec<&Arm>>)> = BTreeMap::new();
    for hop in &graph.hops {
        for mirror in &hop.mirrors {
            let Some(span) = mirror.span().filter(|_| mirror.value.share > 0) else {
                continue;
            };
            let (_, arms) = all.entry(span).or_insert((&mirror.value, Some(Vec::new())));
            let unsafe_only = hop.methods.as_ref().filter(|(methods, _)| {
                let is_safe = |method: &String| SAFE.contains(&method.as_str());
                mirror.value.any_method.is_none() && !methods.iter().any(is_safe)
            });
            match (unsafe_only, &mut *arms) {
                (Some((_, arm)), Some(arms)) => {
                    if arms.len() < SHOWN && arms.iter().all(|known| known.span != arm.span) {
                        arms.push(arm);
                    }
                }
                (Some(_), None) => {}
                (None, _) => *arms = None,
            }
        }
    }
    let of_others = in_force_for_others(graph.mesh);
    let of_nothing = all.into_iter().filter_map(|(span, (mirror, arms))| {
        let arms = arms.filter(|_| !of_others.contains(&span))?;
        let first = *arms.first()?;
        let target = graph.mesh[mirror.target.service()].qualified_name();
        let message = format!("nothing is ever copied to `{target}` here");
        let mut diagnostic = Diagnostic::new(Code::MirrorUnsafeMethods, message)
            .primary(span, "copies requests that change nothing");
        for arm in arms {
            diagnostic =
                diagnostic.secondary(arm.span, "takes only requests that change something");
        }
        if let Some(request) = example(graph.mesh, first) {
            diagnostic = diagnostic.note(format!("for example: {request}  → 0 copies"));
        }
        let title =
            format!("say `methods any`, if `{target}` may get requests that change something");
        // An environment may have set it.
        Some(if sources.text(span).starts_with("mirror") {
            let end = Span::empty(span.file, span.end);
            diagnostic.fix(Fix::guess(title, end, " { methods any }"))
        } else {
            diagnostic.help(title)
        })
    });
    of_nothing.collect()
}

/// Mirrors that are in force for requests of which no hop tells: a service that does not list its calls may send any
/// to whoever lets it in.
fn in_force_for_others(mesh: &Mesh) -> BTreeSet<Span> {
    let unlisted = mesh
        .services
        .iter()
        .filter(|it| !it.external && it.calls.is_none());
    // Of two one is not the service that is called.
    let unlisted: Vec<&Service> = unlisted.take(2).collect();
    let mut policies: Vec<&Policy> = Vec::new();
    for service in &mesh.services {
        if unlisted.iter().all(|caller| std::ptr::eq(*caller, service)) {
            continue;
        }
        policies.extend([&mesh.defaults, &service.policy]);
        if let Some(route) = &service.route {
            let reads = |methods: &Vec<String>| {
                methods.is_empty() || methods.iter().any(|it| SAFE.contains(&it.as_str()))
            };
            let arms = route.arms.iter().zip(route.methods());
            let arms = arms.filter(|(_, methods)| reads(methods));
            policies.extend(arms.map(|(arm, _)| &arm.policy));
        }
    }
    let mirrors = policies.into_iter().flat_map(|policy| &policy.mirrors.each);
    mirrors.filter_map(Said::span).collect()
}

/// All that are called because a service is, each with who calls it.
fn called_by(graph: &Graph<'_>, service: ServiceId) -> HashMap<ServiceId, ServiceId> {
    let mut called = HashMap::new();
    let mut next = VecDeque::from([service]);
    while let Some(from) = next.pop_front() {
        for hop in graph.calls(from) {
            if hop.to != service && !called.contains_key(&hop.to) {
                called.insert(hop.to, from);
                next.push_back(hop.to);
            }
        }
    }
    called
}
