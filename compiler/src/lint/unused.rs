//! Declarations that nothing uses, and services that nothing leads to and that lead nowhere.

use crate::model::authz::{Rule, Who};
use crate::model::{ListenerKind, Mesh, Service, ServiceId, Target, Unused, UnusedKind};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use std::collections::HashSet;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let own = mesh.unused.iter();
    let own = own.filter(|unused| !mesh.imported.contains(&unused.span.file));
    let mut found: Vec<Diagnostic> = own.map(declaration).collect();
    found.extend(services(mesh));
    found
}

fn declaration(unused: &Unused) -> Diagnostic {
    let name = &unused.name;
    let (word, note) = match unused.kind {
        UnusedKind::Param => ("param", "whatever it is set to, nothing changes"),
        UnusedKind::Let => ("let", "no condition and no value names it"),
        UnusedKind::Policy => (
            "policy",
            "no block says `use` of it, and what it says is not checked",
        ),
        UnusedKind::Jwt => ("jwt", "no request is asked for such a token"),
        UnusedKind::Keys => ("keys", "no request is asked for such a key"),
        UnusedKind::Export => {
            let message = format!("`{name}` is exported, and no other namespace uses it");
            let diagnostic = Diagnostic::new(Code::UnusedDecl, message).primary(unused.span, "");
            return remove(diagnostic, unused, "take `export` away");
        }
    };
    let message = format!("nothing uses `{word} {name}`");
    let diagnostic = Diagnostic::new(Code::UnusedDecl, message)
        .primary(unused.span, "")
        .note(note);
    remove(diagnostic, unused, "remove it")
}

/// Adds how to be rid of it. Perhaps its use was forgotten: whoever wrote it says.
fn remove(diagnostic: Diagnostic, unused: &Unused, title: &str) -> Diagnostic {
    match unused.removal {
        Some(span) => diagnostic.fix(Fix::guess(title, span, "")),
        None => diagnostic.help(format!("{title}, and what environments set of it")),
    }
}

/// Services that nobody sends to, and that may send to nobody.
fn services(mesh: &Mesh) -> Vec<Diagnostic> {
    if mesh.open_by_default.value {
        return Vec::new(); // everybody may call everybody
    }
    let targets = targets(mesh);
    let all = (0..).map(ServiceId).zip(&mesh.services);
    let own = all.filter(|(_, service)| !mesh.imported.contains(&service.span.file));
    let unused = own.filter(|(id, service)| {
        !targets.contains(id) && lets_nobody_in(service) && !goes_somewhere(mesh, *id, service)
    });
    let finding = |(_, service): (ServiceId, &Service)| {
        let name = service.qualified_name();
        let message = format!("nothing leads to `{name}`, and `{name}` leads nowhere");
        Diagnostic::new(Code::UnusedDecl, message)
            .primary(service.span, "")
            .note("no arm, mirror, failover or `calls` names it, it lets nobody in, and nobody lets it in")
            .help(format!("let it be called: `calls {name}` where that is done, and `authz {{ allow … }}` here; or remove it"))
    };
    unused.map(finding).collect()
}

/// Services that something sends to.
fn targets(mesh: &Mesh) -> HashSet<ServiceId> {
    let mut targets: Vec<Target> = Vec::new();
    targets.extend(super::arms(mesh).flat_map(|arm| arm.action.targets()));
    let mirrors = super::levels(mesh).flat_map(|level| &level.mirrors.each);
    targets.extend(mirrors.map(|said| said.value.target));
    targets.extend(
        mesh.services
            .iter()
            .filter_map(|it| Some(it.failover?.value)),
    );
    for listener in mesh.gateways.iter().flat_map(|gateway| &gateway.listeners) {
        match &listener.kind {
            ListenerKind::Http { .. } | ListenerKind::Https { .. } => {}
            ListenerKind::Tcp(target) => targets.push(*target),
            ListenerKind::Passthrough(names) => targets.extend(names.iter().map(|(_, it)| *it)),
        }
    }
    let calls = mesh.services.iter().flat_map(|it| &it.calls).flatten();
    let called = calls.map(|call| call.target);
    targets
        .into_iter()
        .map(Target::service)
        .chain(called)
        .collect()
}

/// Whether no rule allows anything, and nobody else is asked.
fn lets_nobody_in(service: &Service) -> bool {
    service.authz.as_ref().is_none_or(|authz| {
        authz.external.is_none() && !authz.rules.iter().flatten().any(|rule| rule.allows)
    })
}

/// Whether a service calls somebody, or may: others let it in.
fn goes_somewhere(mesh: &Mesh, id: ServiceId, service: &Service) -> bool {
    if let Some(calls) = &service.calls {
        return !calls.is_empty();
    }
    if service.external {
        return false;
    }
    let others = (0..).map(ServiceId).zip(&mesh.services);
    let mut others = others.filter(|(other, _)| *other != id);
    let lets_in = |rule: &Rule| {
        rule.allows
            && rule.who.iter().any(|who| match who {
                Who::Anyone | Who::AnyService => true,
                Who::Namespace(namespace) => *namespace == service.namespace,
                Who::Service(caller) => *caller == id,
                Who::Gateway(_) => false,
            })
    };
    others.any(|(_, other)| {
        let rules = other.authz.iter().map(|authz| authz.rules.as_ref());
        let mut rules = rules.map(|rules| rules.is_none_or(|rules| rules.iter().any(lets_in)));
        rules.any(|lets_in| lets_in)
    })
}
