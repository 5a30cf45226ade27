//! Headers that say too much: those that proxies write and clients may write as well, and those that carry a secret
//! of the policy.

use super::levels;
use crate::model::authz::Rule;
use crate::model::condition::{Condition, Field, Test};
use crate::model::policy::HeaderOperation;
use crate::model::{Gateway, Mesh, Table};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for gateway in &mesh.gateways {
        let of_hosts = gateway.hosts.iter().flat_map(|host| {
            let required = [&gateway.policy, &host.policy].map(|level| &level.requires);
            let required = required.into_iter().flatten();
            let required = required.filter_map(|said| said.value.condition.as_ref());
            of_table(&host.table)
                .chain(host.authz.iter().flat_map(rules).filter_map(condition))
                .chain(required)
        });
        let tests = of_hosts.flat_map(Condition::tests);
        found.extend(tests.filter_map(|test| at_gateway(gateway, test)));
    }
    for service in &mesh.services {
        let route = service.route.iter().flat_map(of_table);
        let rules = service.authz.iter().flat_map(rules).filter_map(condition);
        let tests = route.chain(rules).flat_map(Condition::tests);
        found.extend(tests.filter_map(at_service));
    }
    for said in levels(mesh).flat_map(|level| &level.request_headers.each) {
        if let (HeaderOperation::Set(name, value) | HeaderOperation::Add(name, value), Some(span)) =
            (&said.value, said.span())
            && is_secret(name, value)
        {
            let message = format!("the policy gives away what it puts into `{name}`");
            found.push(
                Diagnostic::new(Code::SecretInline, message)
                    .primary(span, "")
                    .note("who may read the policy or a bundle of it may read this")
                    .help("keep it where only the service behind reads it, and let that send it"),
            );
        }
    }
    found
}

fn of_table(table: &Table) -> impl Iterator<Item = &Condition> {
    table.arms.iter().flat_map(|arm| {
        let required = arm.policy.requires.iter();
        let required = required.filter_map(|said| said.value.condition.as_ref());
        arm.condition.iter().chain(required)
    })
}

fn rules(authz: &crate::model::authz::Authz) -> impl Iterator<Item = &Rule> {
    [&authz.rules, &authz.shadow]
        .into_iter()
        .flatten()
        .flatten()
}

fn condition(rule: &Rule) -> Option<&Condition> {
    rule.condition.as_ref()
}

/// A header that proxies write for whoever comes next.
struct Proxied {
    /// Its name, or how it begins.
    name: &'static str,
    /// What says the same and cannot be made up.
    instead: &'static str,
    /// Whether a gateway writes it anew for the service behind, so that it may be believed there.
    renewed: bool,
}

const fn proxied(name: &'static str, instead: &'static str) -> Proxied {
    Proxied {
        name,
        instead,
        renewed: false,
    }
}

const fn renewed(name: &'static str, instead: &'static str) -> Proxied {
    Proxied {
        renewed: true,
        ..proxied(name, instead)
    }
}

/// The usual ones.
const PROXIED: &[Proxied] = &[
    proxied("x-forwarded-for", "client-ip"),
    proxied("x-real-ip", "client-ip"),
    proxied("x-client-ip", "client-ip"),
    proxied("x-cluster-client-ip", "client-ip"),
    proxied("true-client-ip", "client-ip"),
    proxied("cf-connecting-ip", "client-ip"),
    proxied("forwarded", "client-ip"),
    proxied("x-forwarded-client-cert", "client-cert.san"),
    renewed("x-forwarded-proto", "scheme"),
    renewed("x-forwarded-host", "host"),
    proxied("x-forwarded-port", "port"),
];

/// Headers of which meshd lets none of a client through.
const INTERNAL: &[&str] = &["x-mesh-", "x-envoy-"];

fn find(test: &Test) -> Option<(&str, Option<&'static Proxied>)> {
    let Field::Header(name) = &test.field else {
        return None;
    };
    let known = PROXIED.iter().find(|header| header.name == name);
    let internal = INTERNAL.iter().any(|start| name.starts_with(start));
    (known.is_some() || internal).then_some((name, known))
}

fn at_gateway(gateway: &Gateway, test: &Test) -> Option<Diagnostic> {
    let (name, known) = find(test)?;
    let believes = gateway.trusted_proxies.iter().any(|them| !them.is_empty());
    let Some(known) = known else {
        let of_proxies = believes && name.starts_with("x-envoy-");
        return (!of_proxies).then(|| {
            let message = format!("`header.{name}` is taken from what clients send");
            Diagnostic::new(Code::InternalHeaderTrusted, message)
                .primary(test.span, "this never finds one")
                .help("headers that begin like this are the proxies' own: use another name")
        });
    };
    // A proxy in front may be the only one who knows how the client came.
    (!(known.renewed && believes)).then(|| trusted(test, name, known))
}

fn at_service(test: &Test) -> Option<Diagnostic> {
    let (name, known) = find(test)?;
    let known = known.filter(|known| !known.renewed)?;
    Some(trusted(test, name, known))
}

fn trusted(test: &Test, name: &str, known: &Proxied) -> Diagnostic {
    let message = format!("whoever sends a request may write `header.{name}` into it");
    let curl = format!("for example: curl -H '{name}: …' decides what this finds");
    Diagnostic::new(Code::InternalHeaderTrusted, message)
        .primary(test.span, "")
        .note(curl)
        .help(format!(
            "ask for `{}`, which is what the proxies found out themselves",
            known.instead
        ))
}

/// Names of headers that carry credentials.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-vault-token",
];
/// What such words stand in.
const HINTS: &[&str] = &["secret", "password", "passwd", "token", "api-key", "apikey"];
/// How credentials begin.
const BEGINNINGS: &[&str] = &[
    "Bearer ", "bearer ", "Basic ", "basic ", "eyJ", "AKIA", "ghp_", "sk_live_", "xoxb-",
];

/// Whether a header most likely carries a secret.
fn is_secret(name: &str, value: &str) -> bool {
    // What is this short stands for something: `none`, `internal`.
    let long = value.len() >= 8;
    let named = CREDENTIALS.contains(&name);
    let hints = HINTS.iter().any(|hint| name.contains(hint));
    let begins = BEGINNINGS.iter().any(|it| value.starts_with(it));
    begins || long && (named || hints)
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets_are_told_by_name_and_by_look() {
        assert!(is_secret("authorization", "Basic YTpi"));
        assert!(is_secret("x-upstream", "eyJhbGciOiJIUzI1NiJ9.e30.x"));
        assert!(is_secret("x-api-key", "0123456789abcdef"));
        assert!(is_secret("x-db-password", "hunter2hunter2"));
        assert!(!is_secret("x-token-kind", "jwt"));
        assert!(!is_secret("x-tier", "gold-and-silver"));
    }
}
