//! Where requests go: prefixes that take half a segment, redirects that leave TLS, listeners of gateways that serve
//! nothing, splits that tear apart what a hash keeps together, ports of protocols in which the server speaks first.

use super::arms;
use crate::model::authz::Authz;
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::model::upstream::{Algorithm, Endpoints, Source};
use crate::model::{Action, Arm, Gateway, Listener, ListenerKind, Mesh, RedirectTo, Service};
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use mesh_lang::value::PathPattern;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for condition in conditions(mesh) {
        let tests = condition.tests().into_iter();
        found.extend(tests.filter_map(half_a_segment));
    }
    for gateway in &mesh.gateways {
        let serves_tls = gateway
            .listeners
            .iter()
            .any(|listener| matches!(listener.kind, ListenerKind::Https { .. }));
        let arms = gateway.hosts.iter().flat_map(|host| &host.table.arms);
        let arms = arms.filter(|arm| serves_tls && leaves_tls(arm));
        found.extend(arms.map(downgrade));
        found.extend(serves_nothing(gateway));
    }
    for service in &mesh.services {
        found.extend(drawn_anew(mesh, service));
    }
    let services = mesh.services.iter();
    let of_requests = services.filter(|service| service.protocol.value != Protocol::Tcp);
    found.extend(of_requests.flat_map(server_first));
    found
}

/// All conditions of arms and rules.
fn conditions(mesh: &Mesh) -> impl Iterator<Item = &Condition> {
    let services = mesh.services.iter().filter_map(|it| it.authz.as_ref());
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let hosts = hosts.filter_map(|host| host.authz.as_ref());
    let rules = services.chain(hosts).flat_map(|authz: &Authz| {
        let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
        lists.flatten()
    });
    let rules = rules.filter_map(|rule| rule.condition.as_ref());
    rules.chain(arms(mesh).filter_map(|arm| arm.condition.as_ref()))
}

/// A prefix of the path that ends within a segment.
fn half_a_segment(test: &Test) -> Option<Diagnostic> {
    let Predicate::Text(TextPattern::Prefix(prefix)) = &test.predicate else {
        return None;
    };
    if test.field != Field::Path || prefix.ends_with('/') || !prefix.starts_with('/') {
        return None;
    }
    let message = format!("this takes `{prefix}x` as well as `{prefix}/x`");
    let diagnostic = Diagnostic::new(Code::RawPrefixBoundary, message)
        .primary(test.span, "it ends within a segment");
    let pattern = format!("{prefix}/**");
    Some(match PathPattern::parse(&pattern) {
        Ok(_) => {
            let title = format!("write `path == {pattern}`, which ends with a segment");
            diagnostic.fix(Fix::guess(title, test.span, format!("path == {pattern}")))
        }
        Err(_) => diagnostic.help("let the prefix end with `/`, or use a path pattern"),
    })
}

/// Whether an arm points from `https` to `http`.
fn leaves_tls(arm: &Arm) -> bool {
    let Action::Redirect(redirect) = &arm.action else {
        return false;
    };
    match &redirect.to {
        RedirectTo::Url(url) => url.starts_with("http://"),
        RedirectTo::Parts { scheme, .. } => scheme.as_deref() == Some("http"),
    }
}

fn downgrade(arm: &Arm) -> Diagnostic {
    let message = "this sends clients that came over TLS to a place without it";
    Diagnostic::new(Code::RedirectDowngrade, message)
        .primary(arm.span, "")
        .help("point to `https`")
}

/// Listeners of a gateway without hosts, but for those that redirect.
fn serves_nothing(gateway: &Gateway) -> Option<Diagnostic> {
    if !gateway.hosts.is_empty() {
        return None;
    }
    let scheme = |listener: &Listener| match &listener.kind {
        ListenerKind::Http { redirect, .. } => redirect.is_none().then_some("http"),
        ListenerKind::Https { .. } => Some("https"),
        ListenerKind::Tcp(_) | ListenerKind::Passthrough(_) => None,
    };
    let all = gateway.listeners.iter();
    let mut all = all.filter_map(|listener| Some((listener, scheme(listener)?)));
    let (first, scheme) = all.next()?;
    let name = gateway.qualified_name();
    let message = format!("`{name}` has no `host`: whatever comes in here is answered 404");
    let diagnostic =
        Diagnostic::new(Code::ListenerUnreachable, message).primary(first.span, "listens here");
    let diagnostic = all.fold(diagnostic, |diagnostic, (listener, _)| {
        diagnostic.secondary(listener.span, "and here")
    });
    Some(
        diagnostic
            .note(format!(
                "for example: GET {scheme}://shop.example:{}/  → 404",
                first.port
            ))
            .help("say what is served: `host shop.example { otherwise -> shop }`, or take the listener away"),
    )
}

/// Splits of a service whose endpoints are chosen by a hash: the hash comes after the draw.
fn drawn_anew(mesh: &Mesh, service: &Service) -> Vec<Diagnostic> {
    let hash = service
        .spread
        .balance
        .as_ref()
        .map(|balance| &balance.algorithm);
    let Some((said, Algorithm::Hash(_))) = hash.map(|said| (said.span(), &said.value)) else {
        return Vec::new();
    };
    let arms = service.route.iter().flat_map(|table| &table.arms);
    let splits = arms.filter(|arm| {
        let levels = [&arm.policy, &service.policy, &mesh.defaults];
        let sticky = levels.into_iter().find_map(|level| level.sticky.as_ref());
        let keeps = sticky.is_some_and(|said| said.value.on().is_some());
        matches!(arm.action, Action::Split(_)) && !keeps
    });
    let finding = |arm: &Arm| {
        let message = "each request is drawn anew, whatever the hash of its field";
        let diagnostic = Diagnostic::new(Code::AffinityIneffectiveInSplit, message)
            .primary(arm.span, "this splits");
        let diagnostic = match said {
            Some(span) => diagnostic.secondary(span, "this comes after, within a version"),
            None => diagnostic,
        };
        diagnostic.help("let the split keep to the field, too: `sticky` in its block")
    };
    splits.map(finding).collect()
}

/// Ports of protocols in which the server speaks first, and what they are of.
const SERVER_FIRST: &[(u16, &str)] = &[
    (21, "FTP"),
    (22, "SSH"),
    (25, "SMTP"),
    (110, "POP3"),
    (143, "IMAP"),
    (587, "SMTP"),
    (3306, "MySQL"),
];

/// Endpoints at a port of such a protocol, in a service of requests.
fn server_first(service: &Service) -> Vec<Diagnostic> {
    let versions = service.versions.iter().map(|version| &version.endpoints);
    let mut ports: Vec<(u16, Span)> = Vec::new();
    for endpoints in versions.chain([&service.endpoints]) {
        match endpoints {
            Endpoints::None => {}
            Endpoints::Listed(listed) => {
                ports.extend(listed.iter().map(|it| (it.address.port(), it.span)));
            }
            Endpoints::From(said) => {
                if let (Source::Dns { port, .. }, Some(span)) = (&said.value, said.span()) {
                    ports.push((*port, span));
                }
            }
        }
    }
    let known = ports.into_iter().filter_map(|(port, span)| {
        let (_, protocol) = SERVER_FIRST.iter().find(|(known, _)| *known == port)?;
        Some((protocol, port, span))
    });
    let finding = |(protocol, port, span): (&&str, u16, Span)| {
        let message =
            format!("port {port} is the one of {protocol}, where the server speaks first");
        let diagnostic = Diagnostic::new(Code::ServerFirstPort, message)
            .primary(span, "")
            .help("say `protocol tcp`: nobody looks into its bytes then");
        match service.protocol.span() {
            Some(said) => diagnostic.secondary(said, "requests are expected"),
            None => diagnostic.note("a service speaks HTTP where it does not say what it speaks"),
        }
    };
    known.map(finding).collect()
}
