//! Connections that prove nothing: callers that are taken without a certificate, requests that leave the mesh in the
//! clear.

use crate::model::upstream::{Endpoints, Source};
use crate::model::{Mesh, Mtls, Service};
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use std::net::IpAddr;

/// Names shown of many.
const NAMES: usize = 4;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let of_mesh = mesh
        .mtls
        .span()
        .filter(|_| mesh.mtls.value == Mtls::Permissive);
    let open = |service: &&Service| {
        !mesh.without_sidecar(service) && mesh.mtls_of(service).value == Mtls::Permissive
    };
    if let Some(span) = of_mesh {
        let services = mesh
            .services
            .iter()
            .filter(|service| service.mtls.is_none());
        found.extend(permissive(span, &services.filter(open).collect::<Vec<_>>()));
    }
    for service in mesh.services.iter().filter(open) {
        let span = service.mtls.and_then(|said| said.span());
        found.extend(span.and_then(|span| permissive(span, &[service])));
    }
    found.extend(mesh.services.iter().filter_map(in_the_clear));
    found
}

/// Services that take callers who prove nothing.
fn permissive(span: Span, services: &[&Service]) -> Option<Diagnostic> {
    let names = services.iter().take(NAMES);
    let names: Vec<String> = names
        .map(|service| format!("`{}`", service.qualified_name()))
        .collect();
    let more = match services.len().checked_sub(NAMES) {
        Some(more) if more > 0 => format!(" and {more} more"),
        _ => String::new(),
    };
    let names = match services.len() {
        0 => return None,
        _ => format!("{}{more}", names.join(", ")),
    };
    let message = "callers are taken who do not prove who they are";
    Some(
        Diagnostic::new(Code::MtlsPermissiveInRelease, message)
            .primary(span, "")
            .note(format!(
                "for example: a connection in the clear to {names}; what it sends is nobody's, and meets the rules for `anyone`"
            ))
            .help("say `mtls strict` once every caller has a sidecar; an environment may say otherwise")
            .fix(Fix::guess("write `mtls strict`", span, "mtls strict")),
    )
}

/// Something outside that is spoken to without TLS.
fn in_the_clear(service: &Service) -> Option<Diagnostic> {
    let of_requests = service.protocol.value != Protocol::Tcp;
    if !service.external || service.tls.is_some() || !of_requests {
        return None;
    }
    let mut places = service
        .versions
        .iter()
        .map(|version| &version.endpoints)
        .chain([&service.endpoints]);
    let (span, place, port) = places.find_map(outside)?;
    let message = format!(
        "requests to `{}` can be read and changed on their way",
        service.qualified_name()
    );
    let diagnostic = Diagnostic::new(Code::TlsUnverified, message)
        .primary(span, "nothing speaks TLS to it")
        .note(match port {
            443 => format!("port 443 of {place} expects TLS, and gets `GET / HTTP/1.1`"),
            port => {
                format!("for example: `GET / HTTP/1.1` to port {port} of {place}, in the clear")
            }
        });
    Some(diagnostic.help(format!(
        "say `tls verify {place}`, or `tls passthrough` and `protocol tcp` where the application speaks TLS itself"
    )))
}

/// An endpoint that is most likely beyond the own network, its name or address, and its port.
fn outside(endpoints: &Endpoints) -> Option<(Span, String, u16)> {
    match endpoints {
        Endpoints::None => None,
        Endpoints::Listed(listed) => {
            let far = listed.iter().find(|it| !is_near(it.address.ip()))?;
            Some((far.span, far.address.ip().to_string(), far.address.port()))
        }
        Endpoints::From(said) => match &said.value {
            Source::Dns { name, port, .. } if !is_own_name(name) => {
                Some((said.span()?, name.clone(), *port))
            }
            _ => None,
        },
    }
}

/// Whether an address is of the own network: loopback, private (RFC 1918, RFC 4193) or link-local.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Ends of names that are not resolved outside of the own network (RFC 6761, RFC 6762, RFC 8375, and the one that
/// ICANN keeps free for it).
const OWN: &[&str] = &[
    ".internal",
    ".local",
    ".localhost",
    ".home.arpa",
    ".test",
    ".svc",
];

fn is_own_name(name: &str) -> bool {
    !name.contains('.') || OWN.iter().any(|end| name.ends_with(end))
}
