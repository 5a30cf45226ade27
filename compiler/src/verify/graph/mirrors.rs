//! Copies that make requests which are copied again.
//!
//! A copy itself is not copied. But who gets it may call others, and a call that is copied to the same place leads
//! around: each request becomes a row of copies.

use super::{Caller, Graph};
use crate::model::ServiceId;
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use std::collections::{BTreeSet, HashMap, VecDeque};

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
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
