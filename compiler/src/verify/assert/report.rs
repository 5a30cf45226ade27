//! What is said of claims that do not hold, are not proved, or say nothing.

use super::callers::Caller;
use super::{Failure, Outcome, Prover};
use crate::model::proof::{Assertion, Claim, ClaimValue, TestRequest, TokenClaim};
use crate::model::{JwtId, KeysId, Mesh, ServiceId};
use crate::spell::Place;
use crate::testing;
use crate::verify::request::{self, Request};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::quote;

/// What there is to say of a claim, if anything.
pub(super) fn finding(
    prover: &Prover<'_>,
    assertion: &Assertion,
    claim: &Claim,
    outcome: Outcome,
) -> Option<Diagnostic> {
    let title = &assertion.title;
    let finding = |code, text: &str| {
        Diagnostic::new(code, format!("“{title}” {text}")).primary(claim.span, "")
    };
    Some(match outcome {
        Outcome::Holds => return None,
        Outcome::Vacuous(why) => finding(Code::AssertVacuous, "says nothing here").note(why),
        Outcome::NotProved(why) => {
            finding(Code::AssertNotProved, "is not proved").note(format!("because {why}"))
        }
        Outcome::Fails(failure) => {
            let found = finding(Code::AssertFailed, "does not hold");
            failed(prover, assertion, claim, &failure, found)
        }
    })
}

fn failed(
    prover: &Prover<'_>,
    assertion: &Assertion,
    claim: &Claim,
    failure: &Failure,
    mut finding: Diagnostic,
) -> Diagnostic {
    for (span, text) in &failure.places {
        finding = finding.secondary(*span, text);
    }
    finding = finding.note(match &failure.request {
        Some(request) => format!("{}:\n{}", failure.what, shown(prover, request, failure)),
        None => failure.what.clone(),
    });
    if let Some(way) = &failure.way {
        finding = finding.note(way);
    }
    let Some(test) = test(prover, assertion, claim, failure) else {
        return finding;
    };
    let end = Span::new(
        assertion.whole.file,
        assertion.whole.end,
        assertion.whole.end,
    );
    finding.note(format!("as a test:\n{test}")).fix(Fix::guess(
        "add it as a test",
        end,
        format!("\n\n{test}"),
    ))
}

/// A request, as somebody sends it.
fn shown(prover: &Prover<'_>, request: &Request, failure: &Failure) -> String {
    match (&request.source, failure.sent_by) {
        (None, None) => request.curl(),
        (None, Some(Caller::Service(_) | Caller::Gateway(_) | Caller::Nameless))
        | (Some(_), None | Some(Caller::Service(_) | Caller::Nameless)) => request.to_string(),
        (Some(_), Some(Caller::Gateway(gateway))) => {
            let name = prover.mesh[gateway].qualified_name();
            let request = Request {
                source: None,
                ..request.clone()
            };
            format!("{request}, sent on by {name}")
        }
    }
}

/// The test that a failure fails, if the language can say it.
fn test(
    prover: &Prover<'_>,
    assertion: &Assertion,
    claim: &Claim,
    failure: &Failure,
) -> Option<String> {
    let (request, expected) = (failure.request.as_ref()?, failure.expected.as_ref()?);
    let mesh = prover.mesh;
    let written = written(mesh, request, claim.span)?;
    // The test has to meet the same proxy.
    let is_same = testing::request::entry(prover.bundle, &written) == failure.entry;
    let text = prover.sources.text(claim.span);
    let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if mesh.tests.iter().any(|test| test.title == title) {
        return None; // it was added
    }
    let line = Place::inside(mesh, &assertion.namespace).request(&written);
    let test = format!(
        "test {} {{\n  {}\n  expect {expected}\n}}",
        quote(&title),
        line.flat()
    );
    let reads = parse(FileId(0), &test).diagnostics.is_empty();
    (is_same && reads).then_some(test)
}

/// A request as a test has it.
fn written(mesh: &Mesh, request: &Request, span: Span) -> Option<TestRequest> {
    if request.certificate.is_some() || request.source_ip != request.client_ip {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let pairs = |all: &[(String, Vec<u8>)]| -> Option<Vec<(String, String)>> {
        let pairs = all
            .iter()
            .map(|(name, value)| Some((name.clone(), text(value)?)));
        pairs.collect()
    };
    let from = match &request.source {
        None => None,
        Some(source) => {
            let mut services = (0..).map(ServiceId).zip(&mesh.services);
            let is_it = |it: &crate::model::Service| super::ways::identity(it) == *source;
            Some(services.find(|(_, service)| is_it(service))?.0)
        }
    };
    let tokens = request.tokens.iter().map(|token| {
        let claims = token.claims.iter().map(|(path, claim)| TokenClaim {
            path: path.clone(),
            value: match claim {
                request::Claim::Text(text) => ClaimValue::Scalar(text.clone()),
                request::Claim::List(list) => ClaimValue::List(list.clone()),
            },
        });
        (JwtId(token.provider), claims.collect())
    });
    let keys = request.keys.iter();
    let keys = keys.map(|(keys, _, consumer)| (KeysId(*keys), consumer.clone()));
    Some(TestRequest {
        span,
        method: request.method.clone(),
        https: request.door.https,
        host: request.host.clone(),
        port: (!request.door.is_usual()).then_some(request.door.port),
        path: request.path.as_str().to_owned(),
        query: request.query_text(),
        from,
        headers: pairs(&request.headers)?,
        cookies: pairs(&request.cookies)?,
        client_ip: (request.client_ip != request::SOME_ADDRESS).then_some(request.client_ip),
        tokens: tokens.collect(),
        keys: keys.collect(),
    })
}
