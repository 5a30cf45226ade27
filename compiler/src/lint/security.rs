//! What is open: services for everybody, ways out of the mesh, pages of every origin, tokens for anybody.

use super::levels;
use crate::model::authz::{Rule, Who};
use crate::model::{Mesh, Service};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &mesh.services {
        let rules = service
            .authz
            .iter()
            .filter_map(|authz| authz.rules.as_ref());
        let for_all = rules.flatten().filter(|rule| is_for_all(rule));
        found.extend(for_all.map(|rule| open(service, rule)));
    }
    if let (true, Some(span)) = (mesh.egress.value, mesh.egress.span()) {
        let message = "sidecars let through to every host that the mesh does not know";
        found.push(
            Diagnostic::new(Code::EgressOpen, message)
                .primary(span, "")
                .help("declare what is called as `external`, and say `egress deny`"),
        );
    }
    for said in levels(mesh).filter_map(|level| level.cors.as_ref()) {
        let Some(cors) = said.value.on() else {
            continue;
        };
        let (any, Some(span)) = (cors.origins.iter().any(|it| it == "*"), said.span()) else {
            continue;
        };
        if any && cors.credentials {
            let message = "pages of every origin may call with the cookies of whoever visits them";
            found.push(
                Diagnostic::new(Code::CorsWildcardCredentials, message)
                    .primary(span, "")
                    .help("name the origins, or take `credentials` away"),
            );
        }
    }
    for jwt in mesh.jwts.iter().filter(|jwt| jwt.audiences.is_empty()) {
        let message = format!("`jwt {}` takes tokens that were made for others", jwt.name);
        found.push(
            Diagnostic::new(Code::JwtNoAudience, message)
                .primary(jwt.span, "it names no audience")
                .help("say whom tokens must be for: `audiences \"shop\"`"),
        );
    }
    found
}

/// Whether a rule allows everybody everything.
fn is_for_all(rule: &Rule) -> bool {
    rule.allows
        && rule.who.contains(&Who::Anyone)
        && rule.methods.is_empty()
        && rule.paths.is_empty()
        && rule.condition.is_none()
}

fn open(service: &Service, rule: &Rule) -> Diagnostic {
    let message = format!(
        "everybody may do everything with `{}`",
        service.qualified_name()
    );
    Diagnostic::new(Code::OpenService, message)
        .primary(rule.span, "")
        .help("name the callers, or say what anyone may do: `allow anyone to GET /public/**`")
}
