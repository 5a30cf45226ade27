//! Declarations that nothing uses, and services that nothing leads to and that lead nowhere.

use crate::model::authz::Who;
use crate::model::{ListenerKind, Mesh, Service, ServiceId, Target, Unused, UnusedKind};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use std::collections::{HashMap, HashSet};

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
    let let_in = LetIn::of(mesh);
    let all = (0..).map(ServiceId).zip(&mesh.services);
    let own = all.filter(|(_, service)| !mesh.imported.contains(&service.span.file));
    let unused = own.filter(|(id, service)| {
        !targets.contains(id) && lets_nobody_in(service) && !let_in.goes_somewhere(*id, service)
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

/// Who is let in by some service, going by whom its rules name.
#[derive(Default)]
struct LetIn<'m> {
    /// By a rule for everybody, and where somebody else is asked.
    all: Counted,
    of_namespace: HashMap<&'m str, Counted>,
    /// By name, and by another than itself.
    callers: HashSet<ServiceId>,
}

/// Services, of which it matters whether there is another than a given one.
#[derive(Default)]
struct Counted {
    first: Option<ServiceId>,
    more: bool,
}

impl Counted {
    fn add(&mut self, id: ServiceId) {
        self.more |= *self.first.get_or_insert(id) != id;
    }

    fn holds_another(&self, id: ServiceId) -> bool {
        self.more || self.first.is_some_and(|first| first != id)
    }
}

impl<'m> LetIn<'m> {
    fn of(mesh: &'m Mesh) -> Self {
        let mut it = Self::default();
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            let Some(authz) = &service.authz else {
                continue;
            };
            let Some(rules) = &authz.rules else {
                it.all.add(id);
                continue;
            };
            for who in rules
                .iter()
                .filter(|rule| rule.allows)
                .flat_map(|rule| &rule.who)
            {
                match who {
                    Who::Anyone | Who::AnyService => it.all.add(id),
                    Who::Namespace(name) => it.of_namespace.entry(name).or_default().add(id),
                    Who::Service(caller) if *caller != id => {
                        it.callers.insert(*caller);
                    }
                    Who::Service(_) | Who::Gateway(_) => {}
                }
            }
        }
        it
    }

    /// Whether a service calls somebody, or may: another lets it in.
    fn goes_somewhere(&self, id: ServiceId, service: &Service) -> bool {
        match &service.calls {
            Some(calls) => !calls.is_empty(),
            None if service.external => false,
            None => {
                let namespace = self.of_namespace.get(service.namespace.as_str());
                self.all.holds_another(id)
                    || namespace.is_some_and(|all| all.holds_another(id))
                    || self.callers.contains(&id)
            }
        }
    }
}
