//! Calls that their target refuses altogether, callers that cannot prove themselves, and rules for callers that
//! never come.

use super::{Caller, Graph, Hop};
use crate::model::authz::{Authz, Who};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::{Arm, Mtls, Service, ServiceId};
use crate::plan::formula::FormulaId;
use crate::verify::Budget;
use crate::verify::reach::Proof;
use crate::verify::rules::of_service;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings(graph: &Graph<'_>, sources: &Sources) -> Vec<Diagnostic> {
    let mut arriving: BTreeMap<ServiceId, Vec<&Hop<'_>>> = BTreeMap::new();
    for hop in &graph.hops {
        arriving.entry(hop.to).or_default().push(hop);
    }
    let mut found = Vec::new();
    for (&to, hops) in &arriving {
        found.extend(unproved(graph, to, hops));
        found.extend(refused(graph, sources, to, hops));
    }
    found.extend(never_come(graph));
    found
}

/// Callers without a sidecar, of a service that takes only those that prove themselves.
fn unproved(graph: &Graph<'_>, to: ServiceId, hops: &[&Hop<'_>]) -> Vec<Diagnostic> {
    let mesh = graph.mesh;
    let callee = &mesh[to];
    let mtls = mesh.mtls_of(callee);
    if mesh.without_sidecar(callee) || mtls.value != Mtls::Strict {
        return Vec::new();
    }
    let mut found = Vec::new();
    for hop in hops {
        let Caller::Service(from) = hop.from else {
            continue;
        };
        let caller = &mesh[from];
        let Some(alone) = caller.sidecar_none.or(mesh.sidecar_none) else {
            continue;
        };
        let (caller, callee) = (caller.qualified_name(), callee.qualified_name());
        let message = format!("`{caller}` cannot prove to `{callee}` who it is");
        let mut diagnostic =
            Diagnostic::new(Code::MtlsMismatch, message).primary(hop.span, "calls in the clear");
        if let Some(span) = alone.span() {
            diagnostic = diagnostic.secondary(span, "nothing speaks mTLS for it");
        }
        diagnostic = match mtls.span() {
            Some(span) => diagnostic.secondary(span, "only verified callers are taken"),
            None => {
                diagnostic.note("services take only verified callers where nothing else is said")
            }
        };
        found.push(diagnostic.help(format!(
            "give `{caller}` a sidecar, or let `{callee}` say `mtls permissive`"
        )));
    }
    found
}

/// Hops whose every request the target's rules refuse.
fn refused(
    graph: &Graph<'_>,
    sources: &Sources,
    to: ServiceId,
    hops: &[&Hop<'_>],
) -> Vec<Diagnostic> {
    let mesh = graph.mesh;
    let service = &mesh[to];
    let refusal = Refusal {
        graph,
        sources,
        service,
    };
    let Some(authz) = &service.authz else {
        let closed = !mesh.open_by_default.value;
        let first_of_each = by_caller(hops).into_values().map(|hops| hops[0]);
        return if closed {
            first_of_each.map(|hop| refusal.closed(hop)).collect()
        } else {
            Vec::new()
        };
    };
    let Some(rules) = of_service(mesh, service) else {
        return Vec::new(); // somebody else is asked
    };
    // Each caller as a whole, then each arm of those that are let in with some requests.
    let callers = by_caller(hops);
    let anonymous = mesh.mtls_of(service).value == Mtls::Off && !mesh.without_sidecar(service);
    let looks_further = rules
        .all
        .iter()
        .any(|rule| !rule.methods.is_empty() || !rule.paths.is_empty());
    let mut asked: Vec<(&Hop<'_>, Option<&Arm>)> = Vec::new();
    for hops in callers.values() {
        asked.push((hops[0], None));
        let arms = hops.iter().filter(|_| looks_further);
        asked.extend(arms.filter_map(|hop| Some((*hop, Some(hop.arm?)))));
    }
    let conditions = asked.iter().map(|(hop, arm)| {
        let from = refusal.comes_from(hop, anonymous);
        Condition::And(std::iter::once(from).chain(arm.map(takes)).collect())
    });
    let conditions: Vec<Condition> = conditions.collect();
    let mut found = Vec::new();
    let mut shut_out: BTreeSet<Caller> = BTreeSet::new();
    let report = |proof: &mut Proof<'_>, formulas: &[FormulaId]| {
        let those = |allows: bool| {
            let rules = (0u32..).zip(&rules.all);
            rules
                .filter(move |(_, rule)| rule.allows == allows)
                .map(|(index, _)| index)
        };
        let allowed = proof.space.one_of(proof.table, those(true));
        let denied = proof.space.one_of(proof.table, those(false));
        for ((hop, arm), formula) in asked.iter().zip(formulas) {
            if shut_out.contains(&hop.from) || admits(proof, *formula, allowed, denied) {
                continue;
            }
            if arm.is_none() {
                shut_out.insert(hop.from);
            }
            found.push(refusal.by_rules(hop, *arm, authz, proof, *formula));
        }
    };
    // Rules that make no table are reported by whoever tries to compile them.
    let _ = rules.prove(&conditions, &mut Budget::USUAL.clone(), report);
    found
}

fn by_caller<'h, 'm>(hops: &[&'h Hop<'m>]) -> BTreeMap<Caller, Vec<&'h Hop<'m>>> {
    let mut callers: BTreeMap<Caller, Vec<&Hop<'_>>> = BTreeMap::new();
    for hop in hops {
        callers.entry(hop.from).or_default().push(hop);
    }
    callers
}

/// Whether some request may be allowed: a rule that allows fits, and none that denies. Also where that was not found
/// out.
fn admits(
    proof: &mut Proof<'_>,
    formula: FormulaId,
    allowed: FormulaId,
    denied: FormulaId,
) -> bool {
    !matches!(proof.some(&[formula, allowed], &[denied]), Ok(None))
}

/// "An arm takes it", its condition left aside.
fn takes(arm: &Arm) -> Condition {
    let test = |field, predicate| {
        Condition::Test(Test {
            field,
            predicate,
            span: arm.span,
        })
    };
    let mut all = Vec::new();
    if !arm.paths.is_empty() {
        all.push(test(Field::Path, Predicate::Paths(arm.paths.clone())));
    }
    if !arm.methods.is_empty() {
        let mut methods = arm.methods.clone();
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        all.push(test(Field::Method, Predicate::OneOf(methods)));
    }
    Condition::And(all)
}

struct Refusal<'g, 'm> {
    graph: &'g Graph<'m>,
    sources: &'g Sources,
    service: &'m Service,
}

impl Refusal<'_, '_> {
    /// "The caller is the one of a hop", as the rules see it.
    fn comes_from(&self, hop: &Hop<'_>, anonymous: bool) -> Condition {
        let test = |predicate| {
            Condition::Test(Test {
                field: Field::Source,
                predicate,
                span: hop.span,
            })
        };
        if anonymous {
            Condition::Not(Box::new(test(Predicate::Present)))
        } else {
            test(Predicate::OneOf(vec![self.graph.identity(hop.from)]))
        }
    }

    fn finding(&self, hop: &Hop<'_>, message: String) -> Diagnostic {
        let caller = self.graph.name(hop.from);
        let name = self.service.qualified_name();
        Diagnostic::new(Code::CallRefused, message)
            .primary(hop.span, format!("every request to `{name}` ends with 403"))
            .help(format!("write `allow {caller}` in the `authz` of `{name}`"))
    }

    /// A service without rules.
    fn closed(&self, hop: &Hop<'_>) -> Diagnostic {
        let name = self.service.qualified_name();
        let mut diagnostic = self.finding(hop, format!("`{name}` lets nobody in"));
        diagnostic = diagnostic.secondary(self.service.span, "it has no `authz`");
        let open = self.graph.mesh.open_by_default;
        match open.span() {
            Some(span) => diagnostic.secondary(span, "such a service is closed"),
            None => diagnostic.note("a service without `authz` is closed"),
        }
    }

    /// A service whose rules refuse what comes.
    fn by_rules(
        &self,
        hop: &Hop<'_>,
        arm: Option<&Arm>,
        authz: &Authz,
        proof: &mut Proof<'_>,
        formula: FormulaId,
    ) -> Diagnostic {
        let caller = self.graph.name(hop.from);
        let name = self.service.qualified_name();
        let message = match arm {
            None => format!("`{name}` refuses every request of `{caller}`"),
            Some(_) => format!("`{name}` refuses every request that this arm sends"),
        };
        let diagnostic = self
            .finding(hop, message)
            .secondary(authz.span, "nothing here allows one");
        match proof.some(&[formula], &[]) {
            Ok(Some((by, request))) => {
                let rules = of_service(self.graph.mesh, self.service);
                let by = by.zip(rules).map(|(by, rules)| rules.all[by as usize].span);
                let why = by.map_or_else(
                    || "no rule allows it".to_owned(),
                    |span| format!("denied by {}", self.place(span)),
                );
                diagnostic.note(format!("for example: {request}  → 403, {why}"))
            }
            _ => diagnostic,
        }
    }

    fn place(&self, span: Span) -> String {
        self.sources.place(span)
    }
}

/// Rules that name callers from whom nothing comes.
fn never_come(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mesh = graph.mesh;
    let comes = arrivals(graph);
    let mut found = Vec::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        let rules = service
            .authz
            .iter()
            .filter_map(|authz| authz.rules.as_ref());
        for rule in rules.flatten().filter(|rule| rule.allows) {
            for who in &rule.who {
                let (caller, declared) = match who {
                    // One that does not list its calls may call anybody.
                    Who::Service(caller) if mesh[*caller].calls.is_some() => {
                        (Caller::Service(*caller), mesh[*caller].span)
                    }
                    Who::Gateway(gateway) => (Caller::Gateway(*gateway), mesh[*gateway].span),
                    _ => continue,
                };
                if comes.contains(&(caller, id)) || caller == Caller::Service(id) {
                    continue;
                }
                let (caller, name) = (graph.name(caller), service.qualified_name());
                let message = format!("`{caller}` is allowed to call `{name}`, and never does");
                let text = match who {
                    Who::Gateway(_) => "no arm of it leads there",
                    _ => "its `calls` do not lead there",
                };
                found.push(
                    Diagnostic::new(Code::AllowUnused, message)
                        .primary(rule.span, "")
                        .secondary(declared, text)
                        .help("allow only who calls, or let the caller say that it does"),
                );
            }
        }
    }
    found
}

/// Who may send to whom: by hops, by copies, and when one service takes over for another.
pub(super) fn arrivals(graph: &Graph<'_>) -> BTreeSet<(Caller, ServiceId)> {
    let mut comes = BTreeSet::new();
    for hop in &graph.hops {
        let copies = hop
            .mirrors
            .iter()
            .map(|mirror| mirror.value.target.service());
        for to in copies.chain([hop.to]) {
            let mut next = Some(to);
            while let Some(to) = next {
                if !comes.insert((hop.from, to)) {
                    break;
                }
                let failover = &graph.mesh[to].failover;
                next = failover.as_ref().map(|said| said.value.service());
            }
        }
    }
    comes
}
