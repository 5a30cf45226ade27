//! What tests say, as the bundle is asked.

use crate::model::proof::{self, TestRequest};
use crate::model::{self, Action, RedirectTo};
use crate::way;
use mesh_bundle::Bundle;
use mesh_bundle::format::{FieldRef, Id, Target};
use mesh_bundle::journey::{self, Entry, Expect, Held, Request};

/// Where a request enters the mesh; `None` if no gateway listens for it.
pub fn entry(bundle: &Bundle, request: &TestRequest) -> Option<Entry> {
    if let Some(service) = request.from {
        return Some(Entry::Sidecar(Id::new(service.0)));
    }
    journey::entrance(bundle, scheme(request), &request.host, request.port)
}

fn scheme(request: &TestRequest) -> &'static str {
    if request.https { "https" } else { "http" }
}

/// A request of a test.
pub fn request(test: &TestRequest) -> Request {
    let mut request = Request::new(&test.method, &test.host, &test.path);
    let default_port = if test.https { 443 } else { 80 };
    scheme(test).clone_into(&mut request.scheme);
    request.port = test.port.unwrap_or(default_port);
    request.query.clone_from(&test.query);
    request.headers.clone_from(&test.headers);
    if !test.cookies.is_empty() {
        let cookies = test.cookies.iter();
        let cookies = cookies.map(|(name, value)| format!("{name}={value}"));
        let line = cookies.collect::<Vec<_>>().join("; ");
        request.headers.push(("cookie".to_owned(), line));
    }
    // Nobody stands between a client and the mesh.
    request.client_ip = test.client_ip.unwrap_or(way::SOMEBODY);
    request.source_ip = request.client_ip;
    let tokens = test.tokens.iter();
    request.tokens = tokens
        .map(|(jwt, claims)| (jwt.0, claims.iter().map(claim).collect()))
        .collect();
    let keys = test.keys.iter();
    request.keys = keys
        .map(|(keys, consumer)| (keys.0, consumer.clone()))
        .collect();
    request
}

fn claim(claim: &proof::TokenClaim) -> (String, Held) {
    let separator = FieldRef::CLAIM_SEPARATOR.to_string();
    let held = match &claim.value {
        proof::ClaimValue::Scalar(text) => Held::Scalar(text.clone()),
        proof::ClaimValue::List(members) => Held::List(members.clone()),
    };
    (claim.path.join(&separator), held)
}

/// What a test expects.
pub fn expect(bundle: &Bundle, expect: &proof::Expect) -> Expect {
    let action = match expect {
        proof::Expect::Status(status) => return Expect::Status(*status),
        proof::Expect::Action(action) => action,
    };
    match action {
        Action::Forward(to) => Expect::Arrival(target(bundle, *to)),
        Action::Split(shares) => {
            let shares = shares.iter();
            Expect::Shares(
                shares
                    .map(|it| (target(bundle, it.target), it.parts))
                    .collect(),
            )
        }
        Action::Redirect(redirect) => match &redirect.to {
            RedirectTo::Url(location) => Expect::Redirect {
                status: redirect.status,
                location: location.clone(),
            },
            // A test names a whole URL or none.
            RedirectTo::Parts { .. } => Expect::Status(redirect.status),
        },
        Action::Respond { status, body } => match body {
            Some(body) => Expect::Answer {
                status: *status,
                body: body.bytes.clone(),
            },
            None => Expect::Status(*status),
        },
    }
}

fn target(bundle: &Bundle, target: model::Target) -> Target {
    let service = Id::new(target.service().0);
    match target {
        model::Target::Service(_) => Target::Service(service),
        model::Target::Own(_) => Target::Own(service),
        model::Target::Version(_, version) => {
            let first = bundle.service(service).versions.start() as u32;
            Target::Version(service, Id::new(first + version))
        }
    }
}
