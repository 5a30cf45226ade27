//! Where applications listen: addresses at which two things are spoken, and such as mean another machine to each.

use crate::model::said::Said;
use crate::model::upstream::{Endpoints, Source};
use crate::model::{Mesh, Service, Tls};
use crate::spell::protocol_word;
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = clashes(mesh);
    found.extend(loopbacks(mesh));
    found
}

/// An endpoint that is written.
struct Written {
    /// An address, or a name that is looked up.
    host: String,
    port: u16,
    span: Span,
    /// Whether it is of the machine that asks.
    is_loopback: bool,
    /// Whether callers elsewhere are told of another way in.
    has_way_in: bool,
}

/// The endpoints of a service that name an address, or a name with its port.
fn written(service: &Service) -> Vec<Written> {
    let versions = service.versions.iter().map(|version| &version.endpoints);
    let mut all = Vec::new();
    for endpoints in std::iter::once(&service.endpoints).chain(versions) {
        match endpoints {
            Endpoints::None => {}
            Endpoints::Listed(listed) => all.extend(listed.iter().map(|endpoint| Written {
                host: endpoint.address.ip().to_canonical().to_string(),
                port: endpoint.address.port(),
                span: endpoint.span,
                is_loopback: is_loopback(endpoint.address.ip()),
                has_way_in: endpoint.via.is_some_and(|via| !is_loopback(via.ip())),
            })),
            Endpoints::From(said) => {
                if let Source::Dns { name, port, .. } = &said.value {
                    all.push(Written {
                        host: name.clone(),
                        port: *port,
                        span: said.span().unwrap_or(service.span),
                        // A name that never leaves the machine (RFC 6761, section 6.3).
                        is_loopback: name == "localhost" || name.ends_with(".localhost"),
                        has_way_in: false,
                    });
                }
            }
        }
    }
    all
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// `10.0.0.5:9001`, `[::1]:9001`, `db.internal:5432`.
fn place(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    }
}

/// Endpoints of two services that contradict each other about what is spoken there; for each service once.
fn clashes(mesh: &Mesh) -> Vec<Diagnostic> {
    // By endpoint: the first services that say something of it, one for each thing that is said.
    let mut known: BTreeMap<(String, u16), Vec<(&Service, Span)>> = BTreeMap::new();
    let mut found = Vec::new();
    for service in &mesh.services {
        let mut is_told = false;
        for Written {
            host, port, span, ..
        } in written(service)
        {
            let place = place(&host, port);
            let others = known.entry((host, port)).or_default();
            let mut clashing = others
                .iter()
                .filter_map(|(other, of_other)| Some((*other, *of_other, clash(other, service)?)));
            if let Some((other, of_other, says)) = clashing.next().filter(|_| !is_told) {
                is_told = true;
                let spans = (of_other, span);
                found.push(contradiction((other, service), &place, &says, spans));
            }
            if others
                .iter()
                .all(|(other, _)| !says_the_same(other, service))
            {
                others.push((service, span));
            }
        }
    }
    found
}

fn says_the_same(first: &Service, second: &Service) -> bool {
    let tls = |service: &Service| service.tls.as_ref().map(|said| said.value.clone());
    first.protocol.value == second.protocol.value
        && first.external == second.external
        && tls(first) == tls(second)
}

/// What two services say of an endpoint that both have, where not both can be right.
fn clash(first: &Service, second: &Service) -> Option<(String, String)> {
    let protocols = (first.protocol.value, second.protocol.value);
    let contradict = |a: Protocol, b: Protocol| match (a, b) {
        (Protocol::Tcp, other) => other != Protocol::Tcp,
        (Protocol::Http1, other) => matches!(other, Protocol::Http2 | Protocol::Grpc),
        _ => false,
    };
    if contradict(protocols.0, protocols.1) || contradict(protocols.1, protocols.0) {
        let says = |protocol: Protocol| format!("`protocol {}`", protocol_word(protocol));
        return Some((says(protocols.0), says(protocols.1)));
    }
    let (a, b) = (first.tls.as_ref(), second.tls.as_ref());
    let differ = a.map(|said| &said.value) != b.map(|said| &said.value);
    let says = |tls: Option<&Said<Tls>>| match tls.map(|said| &said.value) {
        Some(Tls::Verify(name)) => format!("`tls verify {name}`"),
        Some(Tls::Passthrough) => "`tls passthrough`".to_owned(),
        None => "no `tls`".to_owned(),
    };
    (first.external && second.external && differ).then(|| (says(a), says(b)))
}

fn contradiction(
    services: (&Service, &Service),
    place: &str,
    says: &(String, String),
    spans: (Span, Span),
) -> Diagnostic {
    let names = (services.0.qualified_name(), services.1.qualified_name());
    let message = format!(
        "`{}` and `{}` contradict each other about `{place}`",
        names.0, names.1
    );
    Diagnostic::new(Code::EndpointProtocolClash, message)
        .primary(spans.1, format!("here it is {}", says.1))
        .secondary(spans.0, format!("and here {}", says.0))
        .note(format!(
            "a connection of `{}` and one of `{}` meet the same application",
            names.0, names.1
        ))
        .help("correct one of the addresses, or let both say what is spoken there")
}

/// Services at addresses that each machine has for itself, in a mesh of several machines.
fn loopbacks(mesh: &Mesh) -> Vec<Diagnostic> {
    // What is outside of the mesh tells nothing of its machines.
    let services = mesh.services.iter().filter(|service| !service.external);
    let all: Vec<(&Service, Vec<Written>)> = services.map(|it| (it, written(it))).collect();
    let elsewhere = all.iter().flat_map(|(_, endpoints)| endpoints);
    let Some(elsewhere) = elsewhere.into_iter().find(|endpoint| !endpoint.is_loopback) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (service, endpoints) in &all {
        let own = endpoints.iter();
        let mut own = own.filter(|endpoint| endpoint.is_loopback && !endpoint.has_way_in);
        let Some(first) = own.next() else { continue };
        let name = service.qualified_name();
        let message = format!("callers of `{name}` on other machines would call themselves");
        let diagnostic = Diagnostic::new(Code::EndpointLoopback, message)
            .primary(first.span, "each machine has this address for itself");
        let diagnostic = own.fold(diagnostic, |diagnostic, endpoint| {
            diagnostic.secondary(endpoint.span, "and this")
        });
        found.push(
            diagnostic
                .secondary(elsewhere.span, "this is on another machine")
                .note(format!(
                    "for example: what `{}` sends to `{name}` ends at `{}` of its own machine",
                    elsewhere.host,
                    place(&first.host, first.port)
                ))
                .help("write the address of the machine, or how its sidecar is reached: `via 10.0.0.5:15006`"),
        );
    }
    found
}
