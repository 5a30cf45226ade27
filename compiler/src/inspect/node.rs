//! What a bundle holds for one node.

use super::Need;
use mesh_bundle::format::{Bundle, Gateway, Id, ListenerProtocol, Service};
use mesh_bundle::needs::{self, Feature};
use serde::Serialize;

/// What a node does by a bundle.
#[derive(Debug, Serialize)]
pub struct Node {
    /// Its name, as `meshd --node` has it.
    pub node: String,
    /// Where a gateway listens.
    pub listeners: Vec<String>,
    /// The hosts that a gateway serves, and how many arms each has.
    pub hosts: Vec<Host>,
    /// The endpoints that a sidecar may stand before.
    pub endpoints: Vec<String>,
    /// How many rules of its own the node enforces.
    pub rules: usize,
    /// The services that it may send to, by what leads there.
    pub sends_to: Vec<String>,
    /// What it needs of its runtime that `meshd` of this version does not act on.
    pub lacking: Vec<Need>,
}

/// A host block.
#[derive(Debug, Serialize)]
pub struct Host {
    /// Its hosts.
    pub name: String,
    /// How many arms it has.
    pub arms: usize,
    /// Where it is written.
    pub place: Option<String>,
}

/// The names of all nodes that can be served from a bundle.
pub fn names(bundle: &Bundle) -> Vec<String> {
    let slice = super::slice_of(bundle);
    let all = all(bundle).map(|(name, _)| name);
    all.filter(|name| slice.as_ref().is_none_or(|slice| slice == name))
        .collect()
}

fn all(bundle: &Bundle) -> impl Iterator<Item = (String, needs::Node)> + use<'_> {
    let gateways = (0..).zip(bundle.gateways()).map(|(index, it)| {
        let name = format!("gateway/{}", bundle.qualified(it.namespace, it.name));
        (name, needs::Node::Gateway(Id::new(index)))
    });
    // Beside what has no sidecar nothing is served.
    let without = Service::EXTERNAL | Service::SIDECAR_NONE;
    let services = (0..).zip(bundle.services());
    let services = services.filter(move |(_, it)| it.flags & without == 0);
    let services = services.map(|(index, it)| {
        let name = format!("sidecar/{}", bundle.qualified(it.namespace, it.name));
        (name, needs::Node::Sidecar(Id::new(index)))
    });
    gateways.chain(services)
}

/// What a bundle holds for a node; `None` where it has no such node.
pub fn of(bundle: &Bundle, name: &str) -> Option<Node> {
    let names = names(bundle);
    let (name, id) = all(bundle).find(|(known, _)| known == name && names.contains(known))?;
    let sends_to = (0..).zip(needs::callees(bundle, id));
    let sends_to = sends_to.filter(|(_, is)| *is).map(|(index, _)| {
        let service = bundle.service(Id::new(index));
        bundle.qualified(service.namespace, service.name)
    });
    let mut node = Node {
        node: name.clone(),
        listeners: Vec::new(),
        hosts: Vec::new(),
        endpoints: Vec::new(),
        rules: 0,
        sends_to: sends_to.collect(),
        lacking: lacking(bundle, id, &name),
    };
    match id {
        needs::Node::Gateway(id) => gateway(bundle, bundle.gateway(id), &mut node),
        needs::Node::Sidecar(id) => sidecar(bundle, bundle.service(id), &mut node),
    }
    Some(node)
}

fn lacking(bundle: &Bundle, id: needs::Node, name: &str) -> Vec<Need> {
    let unmet = needs::unmet(bundle, id, Feature::is_acted_on).into_iter();
    let need = |unmet: needs::Unmet| Need {
        feature: unmet.what,
        protection: unmet.protection,
        acted_on: false,
        by: name.to_owned(),
        place: unmet.place,
    };
    unmet.map(need).collect()
}

fn gateway(bundle: &Bundle, gateway: &Gateway, node: &mut Node) {
    for listener in &bundle.listeners()[gateway.listeners.range()] {
        let protocol = match ListenerProtocol::from_code(listener.protocol) {
            Some(ListenerProtocol::Http) | None => "http",
            Some(ListenerProtocol::Https) => "https",
            Some(ListenerProtocol::Tcp) => "tcp",
            Some(ListenerProtocol::Passthrough) => "tls passthrough",
        };
        node.listeners
            .push(format!("{} {protocol}", listener.port.get()));
    }
    for host in &bundle.host_blocks()[gateway.hosts.range()] {
        node.hosts.push(Host {
            name: bundle.str(host.name).to_owned(),
            arms: bundle.table(host.table).arms.len(),
            place: bundle.place(host.location),
        });
        node.rules += rules(bundle, host.authz);
    }
}

fn sidecar(bundle: &Bundle, service: &Service, node: &mut Node) {
    let endpoints = &bundle.endpoints()[service.endpoints.range()];
    node.endpoints = endpoints
        .iter()
        .map(|it| it.application().to_string())
        .collect();
    node.rules = rules(bundle, service.authz);
}

fn rules(bundle: &Bundle, authz: Id<mesh_bundle::format::Authz>) -> usize {
    let authz = authz.some().map(|id| bundle.authz(id));
    let table = authz.and_then(|authz| authz.rules.some());
    table.map_or(0, |table| bundle.table(table).rules.len())
}
