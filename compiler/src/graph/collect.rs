//! From the model to the graph.

use super::requests::{Admitting, Requests};
use super::{Carried, Edge, EdgeKind, Graph, Node, NodeId, NodeKind, gateway_id, service_id};
use crate::model::authz::{Rule, Who};
use crate::model::policy::Policy;
use crate::model::{
    Action, Arm, DEFAULT_NAMESPACE, Gateway, HostBlock, ListenerKind, Mesh, Service, ServiceId,
    Table, Target,
};
use crate::report::count;
use crate::spell::{Place, protocol_word};
use mesh_bundle::format::Protocol;
use mesh_lang::source::{Sources, Span};
use mesh_lang::value::Name;
use std::collections::HashMap;

/// The graph of a mesh. Who may call whom is proved; that needs a mesh without errors.
pub fn collect(mesh: &Mesh, sources: &Sources) -> Graph {
    let mut collector = Collector {
        mesh,
        sources,
        graph: Graph {
            mesh: mesh.name.clone(),
            nodes: Vec::new(),
            edges: Vec::new(),
            exposure: false,
        },
        services: Vec::new(),
        known: HashMap::new(),
    };
    collector.nodes();
    collector.gateways();
    collector.services();
    collector.calls();
    collector.graph
}

struct Collector<'m> {
    mesh: &'m Mesh,
    sources: &'m Sources,
    graph: Graph,
    /// For each service its node and those of its versions.
    services: Vec<(NodeId, Vec<NodeId>)>,
    /// The edges that there are.
    known: HashMap<(NodeId, NodeId, EdgeKind), usize>,
}

impl Collector<'_> {
    fn place(&self, span: Span) -> String {
        self.sources.place(span)
    }

    fn node(&mut self, node: Node) -> NodeId {
        self.graph.nodes.push(node);
        NodeId(self.graph.nodes.len() - 1)
    }

    fn edge(&mut self, from: NodeId, to: NodeId, kind: EdgeKind, carried: Carried) {
        let next = self.graph.edges.len();
        let index = *self.known.entry((from, to, kind)).or_insert(next);
        if index == next {
            self.graph.edges.push(Edge {
                from,
                to,
                kind,
                carries: Vec::new(),
            });
        }
        let carries = &mut self.graph.edges[index].carries;
        if !carries.contains(&carried) {
            carries.push(carried);
        }
    }

    fn carried(&self, text: impl Into<String>, share: Option<u32>, span: Span) -> Carried {
        Carried {
            text: text.into(),
            share,
            place: Some(self.place(span)),
            rule: None,
        }
    }

    /// The node that a target is.
    fn target(&self, target: Target) -> NodeId {
        let (service, versions) = &self.services[target.service().index()];
        match target {
            Target::Version(_, version) => versions[version as usize],
            Target::Service(_) | Target::Own(_) => *service,
        }
    }

    fn nodes(&mut self) {
        let mesh = self.mesh;
        if !mesh.gateways.is_empty() {
            self.node(Node {
                lines: vec!["clients without an identity of the mesh".to_owned()],
                ..plain("internet".to_owned(), NodeKind::Internet, "internet")
            });
        }
        for gateway in &mesh.gateways {
            let id = self.node(Node {
                namespace: other_than_default(&gateway.namespace),
                place: Some(self.place(gateway.span)),
                lines: listeners(mesh, gateway),
                ..plain(gateway_id(gateway), NodeKind::Gateway, &gateway.name)
            });
            for host in &gateway.hosts {
                let names: Vec<String> = host.patterns.iter().map(ToString::to_string).collect();
                let name = names.join(", ");
                self.node(Node {
                    parent: Some(id),
                    place: Some(self.place(host.span)),
                    lines: answers(mesh, gateway, host),
                    ..plain(
                        format!("host:{}:{name}", gateway.qualified_name()),
                        NodeKind::Host,
                        &name,
                    )
                });
            }
        }
        for service in &mesh.services {
            let id = self.node(Node {
                namespace: other_than_default(&service.namespace),
                place: Some(self.place(service.span)),
                lines: facts(service),
                ..plain(service_id(service), kind(service), &service.name)
            });
            let mut versions = Vec::new();
            for version in &service.versions {
                let own = format!("version:{}.{}", service.qualified_name(), version.name);
                versions.push(self.node(Node {
                    parent: Some(id),
                    place: Some(self.place(version.span)),
                    ..plain(own, NodeKind::Version, &version.name)
                }));
            }
            self.services.push((id, versions));
        }
    }

    fn gateways(&mut self) {
        let mesh = self.mesh;
        for gateway in &mesh.gateways {
            let (Some(internet), Some(id)) = (
                self.graph.find("internet"),
                self.graph.find(&gateway_id(gateway)),
            ) else {
                continue;
            };
            for (listener, text) in gateway.listeners.iter().zip(listeners(mesh, gateway)) {
                let carried = self.carried(text, None, listener.span);
                self.edge(internet, id, EdgeKind::Enters, carried);
                let targets: Vec<(String, Target)> = match &listener.kind {
                    ListenerKind::Tcp(to) => vec![(format!("tcp {}", listener.port), *to)],
                    ListenerKind::Passthrough(to) => to
                        .iter()
                        .map(|(name, to)| (format!("tls {name}"), *to))
                        .collect(),
                    ListenerKind::Http { .. } | ListenerKind::Https { .. } => Vec::new(),
                };
                for (text, target) in targets {
                    let carried = self.carried(text, None, listener.span);
                    self.edge(id, self.target(target), EdgeKind::Route, carried);
                }
            }
            let hosts: Vec<NodeId> = self.graph.parts(id).map(|(id, _)| id).collect();
            for (host, node) in gateway.hosts.iter().zip(hosts) {
                let place = Place::inside(mesh, &gateway.namespace);
                self.table(node, &host.table, place);
                self.mirrors(node, &host.policy, "");
                self.mirrors(node, &gateway.policy, "");
            }
        }
    }

    /// What the arms of a table send where.
    fn table(&mut self, from: NodeId, table: &Table, place: Place<'_>) {
        for arm in &table.arms {
            let text = head(place, arm);
            match &arm.action {
                Action::Forward(target) => {
                    let carried = self.carried(text.as_str(), None, arm.span);
                    self.edge(from, self.target(*target), EdgeKind::Route, carried);
                }
                Action::Split(shares) => {
                    for share in shares {
                        let carried = self.carried(text.as_str(), Some(share.parts), arm.span);
                        self.edge(from, self.target(share.target), EdgeKind::Route, carried);
                    }
                }
                Action::Redirect(_) | Action::Respond { .. } => {}
            }
            self.mirrors(from, &arm.policy, &text);
        }
    }

    fn mirrors(&mut self, from: NodeId, policy: &Policy, text: &str) {
        for said in &policy.mirrors.each {
            let span = said.span().unwrap_or(self.mesh.span);
            let carried = self.carried(text, Some(said.value.share), span);
            self.edge(
                from,
                self.target(said.value.target),
                EdgeKind::Mirror,
                carried,
            );
        }
    }

    fn services(&mut self) {
        let mesh = self.mesh;
        for (index, service) in mesh.services.iter().enumerate() {
            let id = self.services[index].0;
            if let Some(route) = &service.route {
                let place = Place::of_service(mesh, ServiceId(index as u32));
                self.table(id, route, place);
            }
            self.mirrors(id, &service.policy, "");
            self.mirrors(id, &mesh.defaults, "");
            if let Some(said) = &service.failover {
                let span = said.span().unwrap_or(service.span);
                let carried = self.carried("", None, span);
                self.edge(id, self.target(said.value), EdgeKind::Failover, carried);
            }
        }
    }

    /// Who calls whom: those that it says it calls, or all that admit it.
    fn calls(&mut self) {
        let mesh = self.mesh;
        let mut requests = Requests::new(mesh);
        let callers = (0..).map(ServiceId).zip(&mesh.services);
        let callers: Vec<_> = callers.filter(|(_, caller)| !caller.external).collect();
        for (id, caller) in &callers {
            for call in caller.calls.iter().flatten() {
                let from = self.services[id.index()].0;
                let to = self.services[call.target.index()].0;
                let rules = requests.admitting(*id, call.target);
                let place = self.place(call.span);
                for mut carried in self.by_rules(call.target, &rules) {
                    carried.place = Some(place.clone());
                    if let Some(on) = call.on {
                        carried.text = format!("{} on {on}", carried.text);
                    }
                    self.edge(from, to, EdgeKind::Calls, carried);
                }
                self.mirrors(from, &call.policy, "");
            }
        }
        let silent: Vec<ServiceId> = callers
            .iter()
            .filter(|(_, caller)| caller.calls.is_none())
            .map(|(id, _)| *id)
            .collect();
        self.admitted(&silent, &mut requests);
    }

    /// Calls of services that do not say whom they call. What lets in any of them is drawn once, from all of them
    /// together.
    fn admitted(&mut self, silent: &[ServiceId], requests: &mut Requests<'_>) {
        let mesh = self.mesh;
        let mut any = None;
        for index in 0..mesh.services.len() {
            let callee = ServiceId(index as u32);
            let to = self.services[index].0;
            for &caller in silent.iter().filter(|caller| **caller != callee) {
                let found = requests.admitting(caller, callee);
                // What was not decided is of this caller.
                let of_all = found.are_of_all().chain([false]);
                for (carried, of_all) in self.by_rules(callee, &found).into_iter().zip(of_all) {
                    let from = if of_all {
                        *any.get_or_insert_with(|| self.any_service(silent))
                    } else {
                        self.services[caller.index()].0
                    };
                    self.edge(from, to, EdgeKind::Admitted, carried);
                }
            }
        }
    }

    fn any_service(&mut self, silent: &[ServiceId]) -> NodeId {
        let names = silent.iter().map(|id| self.mesh[*id].qualified_name());
        let mut lines = vec!["those that do not say whom they call:".to_owned()];
        lines.extend(names);
        self.node(Node {
            lines,
            ..plain(
                "any-service".to_owned(),
                NodeKind::AnyService,
                "any of the others",
            )
        })
    }

    /// What rules of a service let in.
    fn by_rules(&self, callee: ServiceId, found: &Admitting) -> Vec<Carried> {
        let place = Place::of_service(self.mesh, callee);
        let rules = found.rules.iter();
        let mut carried: Vec<Carried> = rules
            .map(|rule| Carried {
                text: carries(place, rule),
                share: None,
                place: None,
                rule: Some(self.place(rule.span)),
            })
            .collect();
        if let Some(reason) = &found.undecided {
            carried.push(Carried {
                text: format!("not decided: {reason}"),
                share: None,
                place: None,
                rule: None,
            });
        }
        carried
    }
}

fn plain(id: String, kind: NodeKind, name: &str) -> Node {
    Node {
        id,
        kind,
        name: name.to_owned(),
        namespace: None,
        parent: None,
        place: None,
        lines: Vec::new(),
        exposure: None,
    }
}

fn other_than_default(namespace: &str) -> Option<String> {
    (namespace != DEFAULT_NAMESPACE).then(|| namespace.to_owned())
}

fn kind(service: &Service) -> NodeKind {
    match service.protocol.value {
        _ if service.external => NodeKind::External,
        Protocol::Tcp => NodeKind::Tcp,
        _ => NodeKind::Service,
    }
}

/// What an arm takes, by its name if it has one.
fn head(place: Place<'_>, arm: &Arm) -> String {
    let head = place.head(arm);
    match Name::check(&arm.name) {
        Ok(()) if arm.name != head => format!("{}: {head}", arm.name),
        _ => head,
    }
}

/// The requests that a rule is about; those of a rule that is about all of them are "anything".
fn carries(place: Place<'_>, rule: &Rule) -> String {
    let text = place.requests(rule);
    if text.is_empty() {
        "anything".to_owned()
    } else {
        text
    }
}

fn listeners(mesh: &Mesh, gateway: &Gateway) -> Vec<String> {
    let listeners = gateway.listeners.iter();
    let text = |kind: &ListenerKind| match kind {
        ListenerKind::Http {
            redirect: Some(_), ..
        } => "http, redirects to https".to_owned(),
        ListenerKind::Http { .. } => "http".to_owned(),
        ListenerKind::Https {
            client_ca: Some(ca),
            ..
        } if ca.value.optional => "https, client certificates optional".to_owned(),
        ListenerKind::Https {
            client_ca: Some(_), ..
        } => "https, client certificates".to_owned(),
        ListenerKind::Https { .. } => "https".to_owned(),
        ListenerKind::Tcp(target) => format!("tcp to {}", Place::top(mesh).target(*target)),
        ListenerKind::Passthrough(_) => "tls passthrough".to_owned(),
    };
    listeners
        .map(|listener| format!("{} {}", listener.port, text(&listener.kind)))
        .collect()
}

/// What a host answers by itself.
fn answers(mesh: &Mesh, gateway: &Gateway, host: &HostBlock) -> Vec<String> {
    let place = Place::inside(mesh, &gateway.namespace);
    let arms = host.table.arms.iter();
    let answers = arms.filter(|arm| arm.action.targets().is_empty());
    answers
        .map(|arm| {
            let does = match &arm.action {
                Action::Redirect(redirect) => format!("redirect {}", redirect.status),
                Action::Respond { status, .. } => format!("respond {status}"),
                other => place.action(other),
            };
            format!("{} -> {does}", head(place, arm))
        })
        .collect()
}

/// What is to be known of a service.
fn facts(service: &Service) -> Vec<String> {
    let mut facts = Vec::new();
    if service.protocol.value != Protocol::Http {
        facts.push(format!(
            "protocol {}",
            protocol_word(service.protocol.value)
        ));
    }
    let endpoints = service.all_endpoints().count();
    if endpoints > 0 {
        facts.push(count(endpoints, "endpoint"));
    }
    if service.exported {
        facts.push("exported".to_owned());
    }
    facts
}

/// Whether a rule names nobody in particular.
pub(super) fn is_of_all(rule: &Rule) -> bool {
    let nobody = |who: &Who| matches!(who, Who::Anyone | Who::AnyService);
    rule.who.iter().any(nobody)
}
