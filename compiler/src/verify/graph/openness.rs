//! What `authz open-by-default` opens, and how much a sidecar has to hold because nobody says who calls whom.

use super::admission::arrivals;
use super::{Caller, Graph};
use crate::model::authz::Who;
use crate::model::{DEFAULT_NAMESPACE, Mesh, Mtls, Service, ServiceId};
use crate::verify::Request;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Places, and names, that are shown of several.
const SHOWN: usize = 4;

pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = opened(graph).into_iter().collect();
    found.extend(unbounded(graph));
    found
}

/// Services that are open because nothing is said of who may call them: one finding for the mesh.
fn opened(graph: &Graph<'_>) -> Option<Diagnostic> {
    let mesh = graph.mesh;
    let span = mesh.open_by_default.span();
    let span = span.filter(|_| mesh.open_by_default.value)?;
    // Who is known to call stands for all who may.
    let mut known: BTreeMap<ServiceId, Caller> = BTreeMap::new();
    for (caller, to) in arrivals(graph) {
        known.entry(to).or_insert(caller);
    }
    let all = || (0..).map(ServiceId).zip(&mesh.services);
    let unlisted = all().filter(|(_, it)| !it.external && it.calls.is_none());
    // Of two one is not the service itself.
    let unlisted: Vec<ServiceId> = unlisted.map(|(id, _)| id).take(2).collect();
    let silent = all().filter(|(_, service)| service.authz.is_none());
    let reached = silent.filter_map(|(id, service)| {
        let unlisted = unlisted.iter().find(|other| **other != id);
        let caller = known.get(&id).copied();
        let caller = caller.or(unlisted.map(|other| Caller::Service(*other)));
        // Where callers need not prove who they are, anybody may come.
        let verified = service.external || mesh.mtls_of(service).value == Mtls::Strict;
        (caller.is_some() || !verified).then_some((service, caller))
    });
    let opened: Vec<(&Service, Option<Caller>)> = reached.collect();
    let (first, caller) = opened.first()?;
    let shown = opened.iter().take(SHOWN).map(|(service, _)| *service);
    let names = names(shown, opened.len());
    let message = format!("nothing says who may call {names}: everybody may do everything");
    let mut diagnostic =
        Diagnostic::new(Code::OpenService, message).primary(span, "this opens what has no `authz`");
    for (service, _) in opened.iter().take(SHOWN) {
        diagnostic = diagnostic.secondary(service.span, "");
    }
    let path = Request::normal_path("/", mesh.encoded_slash.value)?;
    let request = Request {
        method: "DELETE".to_owned(),
        source: caller.map(|caller| graph.identity(caller)),
        ..Request::plain(&host(first), path)
    };
    Some(
        diagnostic
            .note(format!("for example: {request}  → let in"))
            .help("let each say in its `authz` whom it allows, and take `open-by-default` away"),
    )
}

/// Services whose rules let in callers by a word for many.
#[derive(Default)]
struct Admitting<'m> {
    /// Any service, each with the rule that says so.
    all: BTreeMap<ServiceId, Span>,
    /// Those of a namespace, if not any.
    of_namespace: BTreeMap<&'m str, BTreeMap<ServiceId, Span>>,
    /// By caller the ones that name it.
    by_name: BTreeMap<ServiceId, BTreeSet<ServiceId>>,
}

impl<'m> Admitting<'m> {
    fn of(mesh: &'m Mesh) -> Self {
        let mut it = Self::default();
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            let rules = service.authz.iter().flat_map(|authz| &authz.rules);
            for rule in rules.flatten().filter(|rule| rule.allows) {
                for who in &rule.who {
                    it.note(id, who, rule.span);
                }
            }
        }
        for services in it.of_namespace.values_mut() {
            services.retain(|id, _| !it.all.contains_key(id));
        }
        it
    }

    fn note(&mut self, id: ServiceId, who: &'m Who, rule: Span) {
        match who {
            Who::Anyone | Who::AnyService => {
                self.all.entry(id).or_insert(rule);
            }
            Who::Namespace(namespace) => {
                let services = self.of_namespace.entry(namespace).or_default();
                services.entry(id).or_insert(rule);
            }
            Who::Service(caller) => {
                self.by_name.entry(*caller).or_default().insert(id);
            }
            Who::Gateway(_) => {}
        }
    }

    /// Those that let a caller in without naming it: some of them with their rules, and how many there are.
    fn without_naming(&self, id: ServiceId, caller: &Service) -> (Vec<(ServiceId, Span)>, usize) {
        let namespace = self.of_namespace.get(caller.namespace.as_str());
        let lists = || std::iter::once(&self.all).chain(namespace);
        let named = self.by_name.get(&id).into_iter().flatten();
        let left_out: BTreeSet<ServiceId> = named.copied().chain([id]).collect();
        let is_listed = |id: &&ServiceId| lists().any(|list| list.contains_key(id));
        let count = lists().map(BTreeMap::len).sum::<usize>();
        let count = count - left_out.iter().filter(is_listed).count();
        let first = |list: &'_ BTreeMap<ServiceId, Span>| -> Vec<(ServiceId, Span)> {
            let others = list.iter().filter(|(id, _)| !left_out.contains(id));
            let some = others.take(SHOWN).map(|(id, span)| (*id, *span));
            some.collect()
        };
        let mut some: Vec<(ServiceId, Span)> = lists().flat_map(first).collect();
        some.sort_unstable();
        some.truncate(SHOWN);
        (some, count)
    }
}

/// Sidecars of services that do not say whom they call, and that rules of others let in by a word for many: these
/// hold all of those others.
fn unbounded(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mesh = graph.mesh;
    if mesh.open_by_default.value {
        return Vec::new(); // one finding says so of the whole mesh
    }
    let admitting = Admitting::of(mesh);
    let mut found = Vec::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        if mesh.without_sidecar(service) || service.calls.is_some() {
            continue;
        }
        let (some, count) = admitting.without_naming(id, service);
        if some.is_empty() {
            continue;
        }
        let name = service.qualified_name();
        let names = names(some.iter().map(|(id, _)| &mesh[*id]), count);
        let message = format!("nothing says whom `{name}` calls: its sidecars hold {names}");
        let mut diagnostic = Diagnostic::new(Code::ScopeUnbounded, message)
            .primary(service.span, "it has no `calls`");
        for (_, rule) in some {
            diagnostic = diagnostic.secondary(rule, "lets it in without naming it");
        }
        found.push(
            diagnostic
                .note("whatever changes in one of those is sent to each of its sidecars")
                .help("list what it calls: `calls NAME`, or `calls none`"),
        );
    }
    found
}

/// `` `shop` ``, `` `shop` and `cart` ``, `` `a`, `b`, `c`, `d` and 3 more `` of so many.
fn names<'m>(shown: impl Iterator<Item = &'m Service>, count: usize) -> String {
    let mut all: Vec<String> = shown
        .map(|it| format!("`{}`", it.qualified_name()))
        .collect();
    if count > all.len() {
        all.push(format!("{} more", count - all.len()));
    }
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

/// The host by which a service is called.
fn host(service: &Service) -> String {
    if service.namespace == DEFAULT_NAMESPACE {
        service.name.clone()
    } else {
        format!("{}.{}", service.name, service.namespace)
    }
}
