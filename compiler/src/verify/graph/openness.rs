//! What `authz open-by-default` opens, and how much a sidecar has to hold because nobody says who calls whom.

use super::admission::arrivals;
use super::{Caller, Graph};
use crate::model::authz::{Rule, Who};
use crate::model::{Mtls, Service, ServiceId};
use crate::verify::Request;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

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
    let comes = arrivals(graph);
    let services = (0..).map(ServiceId).zip(&mesh.services);
    let silent = services.filter(|(_, service)| service.authz.is_none());
    let reached = silent.filter_map(|(id, service)| {
        // Who is known to call stands for all who may.
        let known = comes.iter().find(|(_, to)| *to == id);
        let known = known.map(|(caller, _)| Some(graph.identity(*caller)));
        Some((service, known.or_else(|| may_call(graph, id, service))?))
    });
    let opened: Vec<(&Service, Option<String>)> = reached.collect();
    let (first, caller) = opened.first()?;
    let names = names(opened.iter().map(|(service, _)| *service));
    let message = format!("nothing says who may call {names}: everybody may do everything");
    let mut diagnostic =
        Diagnostic::new(Code::OpenService, message).primary(span, "this opens what has no `authz`");
    for (service, _) in opened.iter().take(SHOWN) {
        diagnostic = diagnostic.secondary(service.span, "");
    }
    let path = Request::normal_path("/", mesh.encoded_slash.value)?;
    let request = Request {
        method: "DELETE".to_owned(),
        source: caller.clone(),
        ..Request::plain(&host(first), path)
    };
    Some(
        diagnostic
            .note(format!("for example: {request}  → let in"))
            .help("let each say in its `authz` whom it allows, and take `open-by-default` away"),
    )
}

/// Somebody who may call a service though nothing says that anybody does: one that does not list its calls, or,
/// where callers need not prove who they are, anybody at all. None where nobody may.
#[allow(clippy::option_option)] // nobody may; somebody without a name may
fn may_call(graph: &Graph<'_>, id: ServiceId, service: &Service) -> Option<Option<String>> {
    let mesh = graph.mesh;
    let services = (0..).map(ServiceId).zip(&mesh.services);
    let mut silent =
        services.filter(|(other, it)| *other != id && !it.external && it.calls.is_none());
    if let Some((caller, _)) = silent.next() {
        return Some(Some(graph.identity(Caller::Service(caller))));
    }
    let verified = service.external || mesh.mtls_of(service).value == Mtls::Strict;
    (!verified).then_some(None)
}

/// Sidecars of services that do not say whom they call, and that rules of others let in by a word for many: these
/// hold all of those others.
fn unbounded(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mesh = graph.mesh;
    if mesh.open_by_default.value {
        return Vec::new(); // one finding says so of the whole mesh
    }
    let mut found = Vec::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        if mesh.without_sidecar(service) || service.calls.is_some() {
            continue;
        }
        let others = (0..).map(ServiceId).zip(&mesh.services);
        let others = others.filter(|(other, _)| *other != id);
        let admitting =
            others.filter_map(|(_, other)| Some((other, admits_many(id, service, other)?)));
        let admitting: Vec<(&Service, Span)> = admitting.collect();
        if admitting.is_empty() {
            continue;
        }
        let name = service.qualified_name();
        let names = names(admitting.iter().map(|(other, _)| *other));
        let message = format!("nothing says whom `{name}` calls: its sidecars hold {names}");
        let mut diagnostic = Diagnostic::new(Code::ScopeUnbounded, message)
            .primary(service.span, "it has no `calls`");
        for (_, rule) in admitting.iter().take(SHOWN) {
            diagnostic = diagnostic.secondary(*rule, "lets it in without naming it");
        }
        found.push(
            diagnostic
                .note("whatever changes in one of those is sent to each of its sidecars")
                .help("list what it calls: `calls NAME`, or `calls none`"),
        );
    }
    found
}

/// The rule of a service that lets in a caller which it does not name; none where one names it.
fn admits_many(id: ServiceId, caller: &Service, callee: &Service) -> Option<Span> {
    let rules = callee.authz.iter().flat_map(|authz| &authz.rules).flatten();
    let rules: Vec<&Rule> = rules.filter(|rule| rule.allows).collect();
    let many = |who: &Who| match who {
        Who::Anyone | Who::AnyService => true,
        Who::Namespace(namespace) => *namespace == caller.namespace,
        Who::Service(_) | Who::Gateway(_) => false,
    };
    if rules
        .iter()
        .any(|rule| rule.who.contains(&Who::Service(id)))
    {
        return None;
    }
    let rule = rules.into_iter().find(|rule| rule.who.iter().any(many))?;
    Some(rule.span)
}

/// `` `shop` ``, `` `shop` and `cart` ``, `` `a`, `b`, `c`, `d` and 3 more ``.
fn names<'m>(services: impl Iterator<Item = &'m Service>) -> String {
    let all: Vec<String> = services
        .map(|it| format!("`{}`", it.qualified_name()))
        .collect();
    match all.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] if all.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        more => format!(
            "{} and {} more",
            more[..SHOWN].join(", "),
            more.len() - SHOWN
        ),
    }
}

/// The host by which a service is called.
fn host(service: &Service) -> String {
    if service.namespace == crate::model::DEFAULT_NAMESPACE {
        service.name.clone()
    } else {
        format!("{}.{}", service.name, service.namespace)
    }
}
