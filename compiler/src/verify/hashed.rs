//! Services that choose an endpoint by the hash of what some requests do not have: those go to any endpoint.

use super::assert::{Clients, Found};
use super::report::not_decided;
use crate::model::ServiceId;
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::upstream::{Algorithm, Spread};
use crate::spell::Place;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

/// Some may be missing where nobody waits for them any more.
pub(super) fn findings(clients: &Clients<'_>, goes_on: &dyn Fn() -> bool) -> Vec<Diagnostic> {
    let mesh = clients.mesh;
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        if !goes_on() {
            break;
        }
        let versions = &service.versions;
        if let Some(hash) = Hash::of(&service.spread) {
            // What a version says for itself holds there.
            let is_meant = |version: Option<u32>| {
                version.is_none_or(|version| versions[version as usize].spread.balance.is_none())
            };
            hash.ask(clients, id, &is_meant, &mut found, &mut unknown);
        }
        for (index, version) in (0u32..).zip(versions) {
            if let Some(hash) = Hash::of(&version.spread) {
                let is_meant = |version: Option<u32>| version == Some(index);
                hash.ask(clients, id, &is_meant, &mut found, &mut unknown);
            }
        }
    }
    found.extend(not_decided(
        "whether each request has what this hashes",
        &unknown,
    ));
    found
}

/// A choice by the hash of a field that a request may lack.
struct Hash<'m> {
    field: &'m Field,
    span: Span,
}

impl<'m> Hash<'m> {
    fn of(spread: &'m Spread) -> Option<Self> {
        let algorithm = &spread.balance.as_ref()?.algorithm;
        let Algorithm::Hash(field) = &algorithm.value else {
            return None;
        };
        let span = algorithm.span()?;
        may_lack(field).then_some(Self { field, span })
    }

    fn ask(
        &self,
        clients: &Clients<'_>,
        service: ServiceId,
        is_meant: &dyn Fn(Option<u32>) -> bool,
        found: &mut Vec<Diagnostic>,
        unknown: &mut Vec<(Span, String)>,
    ) {
        let is_there = Condition::Test(Test {
            field: self.field.clone(),
            predicate: Predicate::Present,
            span: self.span,
        });
        let lacks = Condition::Not(Box::new(is_there));
        let (request, arm) = match clients.arriving(service, is_meant, &lacks) {
            Found::Nothing => return,
            Found::NotFoundOut(why) => return unknown.push((self.span, why)),
            Found::This(request, arm) => (request, arm),
        };
        let name = clients.mesh[service].qualified_name();
        let field = Place::top(clients.mesh).field(self.field);
        let message = format!("some requests to `{name}` have no `{field}`");
        found.push(
            Diagnostic::new(Code::HashKeyMissing, message)
                .primary(self.span, "they go to any endpoint")
                .secondary(arm, "lets them through")
                .note(format!("for example: {request}"))
                .help(format!(
                    "let the arm ask for it, `when {field} present`, or hash what every request has"
                )),
        );
    }
}

/// Whether there are requests without a field.
fn may_lack(field: &Field) -> bool {
    matches!(field, Field::Header(_) | Field::Cookie(_) | Field::Query(_))
}
