//! The mesh itself, and all that stands in it.

use super::policy::choice;
use super::service::{mtls, sidecar_none};
use super::value::{duration, percent, quotes, word};
use super::{Line, Place};
use crate::model::credential::{Jwks, Jwt, Keys, TokenPlace};
use crate::model::said::{Said, Switch};
use crate::model::{DEFAULT_NAMESPACE, GatewayId, Mesh, Namespace, ServiceId, Tracing};
use crate::verify::fleet::Fleet;
use mesh_bundle::path::EncodedSlash;
use mesh_lang::source::Sources;
use mesh_lang::value::quote;
use std::fmt::Write as _;

/// What the mesh was compiled with: comments, since it is filled in below.
pub(super) fn preamble(mesh: &Mesh, sources: &Sources) -> String {
    let mut text = String::new();
    if let Some(environment) = &mesh.environment {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# environment {}", environment.name);
        for set in &environment.sets {
            let _ = writeln!(text, "#   set {set}");
        }
    }
    for param in &mesh.params {
        let file = sources.get(param.span.file);
        let given = if param.overridden { " (given)" } else { "" };
        let _ = writeln!(
            text,
            "# param {} = {}{given}  # {}:{}",
            param.name,
            param.value,
            file.name(),
            file.line_of(param.span.start)
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// All items, those of a namespace in its block.
pub(super) fn items(mesh: &Mesh) -> Vec<Line> {
    let top = Place::top(mesh);
    let fleet = Fleet::of(mesh);
    let mut items: Vec<(&str, Line)> = vec![(DEFAULT_NAMESPACE, top.mesh_item())];
    for jwt in &mesh.jwts {
        items.push((&jwt.namespace, jwt_item(jwt)));
    }
    for keys in &mesh.keys {
        items.push((&keys.namespace, keys_item(keys)));
    }
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        let place = Place::of_service(mesh, id);
        items.push((&service.namespace, place.service_item(id, &fleet)));
    }
    for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
        let place = Place::inside(mesh, &gateway.namespace);
        items.push((&gateway.namespace, place.gateway_item(id)));
        let fragments = place.fragments(id).into_iter();
        items.extend(fragments);
    }
    for assertion in &mesh.assertions {
        let place = Place::inside(mesh, &assertion.namespace);
        items.push((&assertion.namespace, place.assertion(assertion)));
    }
    for test in &mesh.tests {
        let place = Place::inside(mesh, &test.namespace);
        items.push((&test.namespace, place.test_case(test)));
    }
    let mut lines = Vec::new();
    for namespace in &mesh.namespaces {
        let place = Place::inside(mesh, &namespace.name);
        let said = place.namespace_says(namespace);
        if !said.is_empty() {
            lines.push(Line::new(format!("namespace {}", namespace.name)).around(said));
        }
    }
    for run in items.chunk_by(|(a, _), (b, _)| a == b) {
        let inside = run.iter().map(|(_, line)| line.clone());
        match run.first() {
            Some((namespace, _)) if *namespace != DEFAULT_NAMESPACE => {
                lines.push(Line::new(format!("namespace {namespace}")).around(inside.collect()));
            }
            _ => lines.extend(inside),
        }
    }
    lines
}

impl Place<'_> {
    /// The mesh itself.
    pub(crate) fn mesh_item(&self) -> Line {
        let mesh = self.mesh;
        let mut lines = vec![
            Line::said(&mesh.edition, |edition| format!("edition {edition}")),
            Line::said(&mesh.trust_domain, |domain| {
                format!("trust-domain {domain}")
            }),
            mtls(&mesh.mtls),
            one_of(
                "authz",
                &mesh.open_by_default,
                "open-by-default",
                "deny-by-default",
            ),
            one_of("egress", &mesh.egress, "allow", "deny"),
            one_of("access-log", &mesh.access_log, "json", "off"),
            tracing(&mesh.tracing),
            Line::said(&mesh.encoded_slash, |slash| {
                let word = match slash {
                    EncodedSlash::Keep => "keep",
                    EncodedSlash::Reject => "reject",
                };
                format!("encoded-slash {word}")
            }),
            Line::said(&mesh.sidecar_port, |port| format!("sidecar-port {port}")),
        ];
        lines.extend(mesh.sidecar_none.map(|it| sidecar_none(&it)));
        lines.push(Line::new("defaults").around(self.policy(&mesh.defaults)));
        Line::new(format!("mesh {}", mesh.name))
            .at(mesh.span)
            .around(lines)
    }

    fn namespace_says(&self, namespace: &Namespace) -> Vec<Line> {
        let mut lines = Vec::new();
        if !namespace.denies.is_empty() {
            lines.push(Line::new("authz").around(self.rules(&namespace.denies)));
        }
        let limits = namespace.limits.as_ref();
        lines.extend(limits.map(|it| choice("limits", it, super::spread::limits)));
        lines.extend(self.rate_limits(&namespace.rate_limits));
        lines
    }
}

fn one_of(statement: &str, said: &Said<bool>, yes: &str, no: &str) -> Line {
    Line::said(said, |is| {
        format!("{statement} {}", if *is { yes } else { no })
    })
}

fn tracing(said: &Said<Switch<Tracing>>) -> Line {
    choice("tracing", said, |tracing| {
        let protocol = if tracing.zipkin { "zipkin" } else { "otlp" };
        let (share, url) = (percent(tracing.share), quote(&tracing.url));
        Line::new(format!("tracing {share} {protocol} {url}"))
    })
}

fn jwt_item(jwt: &Jwt) -> Line {
    let export = if jwt.exported { "export " } else { "" };
    let mut lines = vec![Line::new(format!("issuer {}", quote(&jwt.issuer)))];
    if !jwt.audiences.is_empty() {
        lines.push(Line::new(format!("audiences {}", quotes(&jwt.audiences))));
    }
    lines.extend(jwt.jwks.as_ref().map(|it| {
        Line::said(it, |jwks| match jwks {
            Jwks::Url(url, every) => {
                format!("jwks url {} every {}", quote(url), duration(every.value))
            }
            Jwks::File(file) => format!("jwks file {}", quote(file)),
        })
    }));
    lines.extend(jwt.places.iter().map(token_place));
    Line::new(format!("{export}jwt {}", jwt.name))
        .at(jwt.span)
        .around(lines)
}

fn keys_item(keys: &Keys) -> Line {
    let export = if keys.exported { "export " } else { "" };
    let mut lines = vec![Line::new(format!("file {}", quote(&keys.file)))];
    lines.extend(keys.place.as_ref().map(token_place));
    Line::new(format!("{export}keys {}", keys.name))
        .at(keys.span)
        .around(lines)
}

fn token_place(said: &Said<TokenPlace>) -> Line {
    Line::said(said, |place| match place {
        TokenPlace::Header(name, prefix) if prefix.is_empty() => {
            format!("from header {}", word(name))
        }
        TokenPlace::Header(name, prefix) => {
            format!("from header {} {}", word(name), quote(prefix))
        }
        TokenPlace::Cookie(name) => format!("from cookie {}", word(name)),
        TokenPlace::Query(name) => format!("from query {}", word(name)),
    })
}
