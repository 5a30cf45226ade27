//! Requests that were found, put before the code that decides; and made of two, where something between them changes
//! what is asked.

use crate::model::policy::{PathRewrite, Policy};
use crate::model::{GatewayId, Mesh, ServiceId};
use crate::verify::{Claim, Request};
use mesh_bundle::Bundle;
use mesh_bundle::format::{FieldRef, Id, Listener, ListenerProtocol};
use mesh_bundle::journey::{self, Entry, Held};
use mesh_bundle::path::NormalPath;
use mesh_lang::value::PathPattern;

/// Whether a client's request arrives at a service.
pub(super) fn from_client(
    bundle: &Bundle,
    gateway: GatewayId,
    request: &Request,
    to: ServiceId,
) -> bool {
    let gateway = Id::new(gateway.0);
    let protocol = if request.door.https {
        ListenerProtocol::Https
    } else {
        ListenerProtocol::Http
    };
    let mut listeners = bundle.gateway(gateway).listeners.ids();
    let listener: Option<Id<Listener>> = listeners.find(|id| {
        let listener = bundle.listener(*id);
        listener.protocol == protocol.code() && listener.port.get() == request.door.port
    });
    listener.is_some_and(|listener| {
        arrives(
            bundle,
            Entry::Gateway(gateway, listener),
            &sent(request),
            to,
        )
    })
}

/// Whether a service's request, by this host, arrives at a service.
pub(super) fn from_service(
    bundle: &Bundle,
    caller: ServiceId,
    host: &str,
    request: &Request,
    to: ServiceId,
) -> bool {
    let mut sent = sent(request);
    host.clone_into(&mut sent.host);
    arrives(bundle, Entry::Sidecar(Id::new(caller.0)), &sent, to)
}

fn arrives(bundle: &Bundle, entry: Entry, request: &journey::Request, to: ServiceId) -> bool {
    let journey = journey::of(bundle, entry, request);
    let mut arrivals = journey.branches.iter().filter_map(|it| it.end.arrival());
    arrivals.any(|(service, _)| service == Id::new(to.0))
}

/// A request as the decision code takes it.
fn sent(request: &Request) -> journey::Request {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), text(value)));
    let cookies = request.cookie_line();
    let cookies = cookies.map(|line| ("cookie".to_owned(), text(&line)));
    let tokens = request.tokens.iter().map(|token| {
        let claims = token.claims.iter().map(|(path, claim)| {
            let held = match claim {
                Claim::Text(text) => Held::Scalar(text.clone()),
                Claim::List(list) => Held::List(list.clone()),
            };
            (path.join(&FieldRef::CLAIM_SEPARATOR.to_string()), held)
        });
        (token.provider, claims.collect())
    });
    let keys = request.keys.iter();
    journey::Request {
        scheme: request.door.scheme().to_owned(),
        port: request.door.port,
        query: request.query_text(),
        headers: headers.chain(cookies).collect(),
        source: request.source.clone(),
        source_ip: request.source_ip,
        client_ip: request.client_ip,
        client_cert_sans: request.certificate.clone(),
        tokens: tokens.collect(),
        keys: keys
            .map(|(number, _, consumer)| (*number, consumer.clone()))
            .collect(),
        ..journey::Request::new(&request.method, &request.host, request.path.as_str())
    }
}

/// What a client would send for the part behind a gateway, as far as the part before lets it say: door and host are
/// those of the request before, the method is that of the one behind, everything else is of both.
pub(super) fn merged(
    before: &Request,
    behind: &Request,
    path: Option<NormalPath<'static>>,
) -> Request {
    let mut request = before.clone();
    let add = |all: &mut Vec<(String, Vec<u8>)>, more: &[(String, Vec<u8>)]| {
        for (name, value) in more {
            if all.iter().all(|(known, _)| known != name) {
                all.push((name.clone(), value.clone()));
            }
        }
    };
    add(&mut request.headers, &behind.headers);
    add(&mut request.cookies, &behind.cookies);
    add(&mut request.query, &behind.query);
    for token in &behind.tokens {
        if request
            .tokens
            .iter()
            .all(|it| it.provider != token.provider)
        {
            request.tokens.push(token.clone());
        }
    }
    if request.keys.is_empty() {
        request.keys.clone_from(&behind.keys);
    }
    request.method.clone_from(&behind.method);
    if let Some(path) = path {
        request.path = path;
    }
    request
}

/// The path that becomes the one behind a rewrite of the prefix.
pub(super) fn before_rewrite(
    mesh: &Mesh,
    levels: &[&Policy],
    paths: &[PathPattern],
    behind: &Request,
) -> Option<NormalPath<'static>> {
    let rewrite = levels
        .iter()
        .rev()
        .find_map(|level| level.rewrite.path.as_ref())?;
    let PathRewrite::Prefix(to) = &rewrite.value else {
        return None;
    };
    let rest = behind
        .path
        .as_str()
        .strip_prefix(to.trim_end_matches('/'))?;
    let from = paths.iter().find_map(|pattern| {
        let text = pattern.to_string();
        text.strip_suffix("/**").map(str::to_owned)
    })?;
    let path = format!("{from}{rest}");
    let path = NormalPath::parse(&path, mesh.encoded_slash.value).ok()?;
    Some(path.into_owned())
}
