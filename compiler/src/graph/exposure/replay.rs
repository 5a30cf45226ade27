//! Requests that were found, put before the code that decides; and made of two, where something between them changes
//! what is asked.

use crate::model::policy::{PathRewrite, Policy};
use crate::model::{GatewayId, Mesh, ServiceId};
use crate::verify::Request;
use mesh_bundle::Bundle;
use mesh_bundle::format::{Id, Listener, ListenerProtocol};
use mesh_bundle::journey::{self, Entry};
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
    let entry = listener.map(|listener| Entry::Gateway(gateway, listener));
    let sent = request.sent();
    entry
        .zip(sent)
        .is_some_and(|(entry, sent)| arrives(bundle, entry, &sent, to))
}

/// Whether a service's request, by this host, arrives at a service.
pub(super) fn from_service(
    bundle: &Bundle,
    caller: ServiceId,
    host: &str,
    request: &Request,
    to: ServiceId,
) -> bool {
    request.sent().is_some_and(|mut sent| {
        host.clone_into(&mut sent.host);
        arrives(bundle, Entry::Sidecar(Id::new(caller.0)), &sent, to)
    })
}

fn arrives(bundle: &Bundle, entry: Entry, request: &journey::Request, to: ServiceId) -> bool {
    let journey = journey::of(bundle, entry, request);
    let mut arrivals = journey.branches.iter().filter_map(|it| it.end.arrival());
    arrivals.any(|(service, _)| service == Id::new(to.0))
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
