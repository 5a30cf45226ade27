//! The least that a request has to bring.

use super::Credentials;
use crate::model::condition::{Condition, Field, Predicate, holds, test};
use crate::model::credential::Credential;
use crate::model::{JwtId, KeysId, Mesh};
use crate::spell::Place;
use crate::verify::{Reason, Request, Verdict};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// All that requests of a mesh may prove themselves with, each with the condition that it is there.
pub(super) fn all(mesh: &Mesh) -> Vec<(Credentials, Condition)> {
    let span = mesh.span;
    let tokens = (0..mesh.jwts.len() as u32).map(|number| {
        let held = holds(Credential::Jwt(JwtId(number)), span);
        (Credentials::Token(number), held)
    });
    let keys = (0..mesh.keys.len() as u32).map(|number| {
        let held = holds(Credential::Key(KeysId(number)), span);
        (Credentials::Key(number), held)
    });
    let certificate = test(Field::ClientCertSan, Predicate::Present, span);
    let certificate = [(Credentials::Certificate, certificate)];
    tokens.chain(keys).chain(certificate).collect()
}

/// What a request proves itself with.
pub(super) fn of(request: &Request) -> BTreeSet<Credentials> {
    let tokens = request.tokens.iter();
    let tokens = tokens.map(|token| Credentials::Token(token.provider));
    let keys = request.keys.iter();
    let keys = keys.map(|(number, ..)| Credentials::Key(*number));
    let certificate = request.certificate.iter();
    let certificate = certificate.map(|_| Credentials::Certificate);
    tokens.chain(keys).chain(certificate).collect()
}

/// `a token of staff`.
pub(super) fn name(mesh: &Mesh, credentials: Credentials) -> String {
    let place = Place::top(mesh);
    match credentials {
        Credentials::Token(number) => format!("a token of {}", place.jwt(JwtId(number))),
        Credentials::Key(number) => format!("a key of {}", place.keys(KeysId(number))),
        Credentials::Certificate => "a client certificate".to_owned(),
    }
}

/// What a request proves itself with, it, and why it might be less.
pub(super) type Fewest = (BTreeSet<Credentials>, Request, Option<Reason>);

/// The fewest of `all` with which there is a request, and the request; why it might be fewer. `ask` looks for one
/// with none but these.
pub(super) fn fewest(
    all: &[Credentials],
    mut ask: impl FnMut(&[Credentials]) -> Verdict,
) -> Result<Option<Fewest>, Reason> {
    let mut unsure = None;
    let mut find = |allowed: &[Credentials]| match ask(allowed) {
        Verdict::Yes(request) => Some(*request),
        Verdict::No => None,
        Verdict::NotDecided(reason) => {
            unsure = Some(reason);
            None
        }
    };
    if let Some(request) = find(&[]) {
        return Ok(Some((BTreeSet::new(), request, None)));
    }
    let single = all.iter().find_map(|one| Some((*one, find(&[*one])?)));
    let found = match single {
        Some((one, request)) => Some((vec![one], request)),
        None => find(all).map(|request| {
            let mut kept = all.to_vec();
            let mut request = request;
            for one in all {
                let without: Vec<Credentials> =
                    kept.iter().copied().filter(|it| it != one).collect();
                if let Some(better) = find(&without) {
                    kept = without;
                    request = better;
                }
            }
            (kept, request)
        }),
    };
    match found {
        Some((kept, request)) => Ok(Some((kept.into_iter().collect(), request, unsure))),
        None => unsure.map_or(Ok(None), Err),
    }
}

/// An address that stands for any (RFC 5737).
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What a request has besides method, host and path, credentials aside: proofs leave out what nobody asks for.
pub(super) fn carried(request: &Request) -> BTreeSet<String> {
    let named = |kind: &str, name: &str| format!("{kind} {name}");
    let headers = request
        .headers
        .iter()
        .map(|(name, _)| named("header", name));
    let cookies = request
        .cookies
        .iter()
        .map(|(name, _)| named("cookie", name));
    let query = request.query.iter();
    let query = query.map(|(name, _)| named("query parameter", name));
    let address =
        (request.client_ip != ANY).then(|| format!("client address {}", request.client_ip));
    headers.chain(cookies).chain(query).chain(address).collect()
}
