//! What one node of a mesh can need of it.
//!
//! A gateway needs its own hosts, a sidecar the rules of its own service; both need what they may send to,
//! and what routes, splits, mirrors and failovers lead to from there. The planner asks a [`Scope`] what to write, and
//! under which number.

use super::Planner;
use crate::model::authz::Who;
use crate::model::policy::Policy;
use crate::model::{
    DEFAULT_NAMESPACE, Gateway, GatewayId, ListenerKind, Mesh, Service, ServiceId, Table, Target,
};
use mesh_bundle::format::{self as format, SliceOf};
use std::fmt;

/// A node of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A gateway.
    Gateway(GatewayId),
    /// The sidecars of a service.
    Sidecar(ServiceId),
}

/// All nodes that a mesh has: its gateways, then the services that have sidecars.
pub fn nodes(mesh: &Mesh) -> impl Iterator<Item = Node> {
    let gateways = (0..mesh.gateways.len() as u32).map(|id| Node::Gateway(GatewayId(id)));
    let services = (0..).map(ServiceId).zip(&mesh.services);
    let sidecars = services.filter(|(_, service)| !mesh.without_sidecar(service));
    gateways.chain(sidecars.map(|(id, _)| Node::Sidecar(id)))
}

impl Node {
    /// What `meshd --node` calls it: `gateway/edge`, `sidecar/payments/ledger`.
    pub fn name(self, mesh: &Mesh) -> NodeName<'_> {
        let (kind, namespace, name) = match self {
            Self::Gateway(id) => ("gateway", &mesh[id].namespace, &mesh[id].name),
            Self::Sidecar(id) => ("sidecar", &mesh[id].namespace, &mesh[id].name),
        };
        NodeName {
            kind,
            namespace,
            name,
        }
    }
}

/// The name of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeName<'m> {
    kind: &'static str,
    namespace: &'m str,
    name: &'m str,
}

impl fmt::Display for NodeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace {
            DEFAULT_NAMESPACE => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

/// What a bundle holds of a mesh.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// The node whose slice it is; none: it is the whole mesh.
    node: Option<Node>,
    /// The record of each service, where it has one.
    records: Vec<Option<u32>>,
    /// Services that the node may send to.
    targets: Vec<bool>,
    /// Services that the node may name.
    callees: Vec<bool>,
}

impl Scope {
    /// Everything.
    pub(super) fn whole(mesh: &Mesh) -> Self {
        let count = mesh.services.len();
        Self {
            node: None,
            records: (0..count as u32).map(Some).collect(),
            targets: vec![true; count],
            callees: vec![true; count],
        }
    }

    /// What a node can need.
    pub(super) fn of(mesh: &Mesh, node: Node) -> Self {
        let callees = callees(mesh, node);
        let targets = targets(mesh, node, &callees);
        let mut next = 0;
        let records = (0..).map(ServiceId).zip(&targets).map(|(id, is_target)| {
            (*is_target || node == Node::Sidecar(id)).then(|| {
                next += 1;
                next - 1
            })
        });
        Self {
            node: Some(node),
            records: records.collect(),
            targets,
            callees,
        }
    }

    /// The record of a service; none for one that is not there.
    pub(super) fn record(&self, service: ServiceId) -> Option<u32> {
        self.records[service.index()]
    }

    /// The services that are there.
    pub(super) fn services<'m>(
        &self,
        mesh: &'m Mesh,
    ) -> impl Iterator<Item = (ServiceId, &'m Service)> + use<'_, 'm> {
        let all = (0..).map(ServiceId).zip(&mesh.services);
        all.filter(|(id, _)| self.record(*id).is_some())
    }

    /// The gateways that are there.
    pub(super) fn gateways<'m>(&self, mesh: &'m Mesh) -> &'m [Gateway] {
        match self.node {
            None => &mesh.gateways,
            Some(Node::Gateway(id)) => std::slice::from_ref(&mesh[id]),
            Some(Node::Sidecar(_)) => &[],
        }
    }

    /// The record of a gateway; none for one that is not there.
    pub(super) fn gateway_record(&self, gateway: GatewayId) -> Option<u32> {
        match self.node {
            None => Some(gateway.0),
            Some(node) => (node == Node::Gateway(gateway)).then_some(0),
        }
    }

    /// Whether clients enter the mesh here.
    pub(super) fn has_gateways(&self) -> bool {
        !matches!(self.node, Some(Node::Sidecar(_)))
    }

    /// Whether something is sent to a service, so that it matters where that leads.
    pub(super) fn is_target(&self, service: ServiceId) -> bool {
        self.targets[service.index()]
    }

    /// Whether the node may name a service as a host.
    pub(super) fn is_callee(&self, service: ServiceId) -> bool {
        self.callees[service.index()]
    }

    /// Whether it holds what the sidecars of a service do themselves.
    pub(super) fn holds_sidecar(&self, service: ServiceId) -> bool {
        self.node.is_none_or(|node| node == Node::Sidecar(service))
    }

    /// Whether it is a sidecar's, which looks services up in its own namespace.
    pub(super) fn namespace<'m>(&self, mesh: &'m Mesh) -> Option<&'m str> {
        match self.node? {
            Node::Sidecar(service) => Some(&mesh[service].namespace),
            Node::Gateway(_) => None,
        }
    }

    /// Whether it is a gateway's, which looks no service up by name.
    pub(super) fn is_of_gateway(&self) -> bool {
        matches!(self.node, Some(Node::Gateway(_)))
    }
}

impl Planner<'_> {
    /// Writes whose slice the bundle is.
    pub(super) fn slice(&mut self) {
        let mesh = self.mesh;
        let Some(node) = self.scope.node else {
            return;
        };
        let name = node.name(mesh);
        let of = match node {
            Node::Gateway(_) => SliceOf::Gateway,
            Node::Sidecar(_) => SliceOf::Sidecar,
        };
        self.draft.mesh.slice = of.code();
        self.draft.mesh.slice_namespace = self.draft.string(name.namespace);
        self.draft.mesh.slice_name = self.draft.string(name.name);
        if matches!(node, Node::Sidecar(_)) {
            self.bearers();
        }
    }

    /// Writes who is not there and cannot be known by an identity that follows from the name.
    fn bearers(&mut self) {
        let mesh = self.mesh;
        let gateways = mesh.gateways.iter();
        let gateways = gateways.map(|it| ("gw", &it.identity, &it.namespace, &it.name));
        let services = (0..).map(ServiceId).zip(&mesh.services);
        let absent = services.filter(|(id, it)| self.scope.record(*id).is_none() && !it.external);
        let absent = absent.map(|(_, it)| ("svc", &it.identity, &it.namespace, &it.name));
        let all: Vec<_> = gateways.chain(absent).collect();
        for (kind, identity, namespace, name) in all {
            let domain = &mesh.trust_domain.value;
            if *identity == format!("spiffe://{domain}/ns/{namespace}/{kind}/{name}") {
                continue;
            }
            let record = format::Bearer {
                identity: self.draft.string(identity),
                namespace: self.draft.string(namespace),
                name: self.draft.string(name),
            };
            self.draft.bearers.push(record);
        }
    }
}

/// The services that a node may name: those that a sidecar's service lists, or without a list all whose
/// rules may let it in. A gateway names none.
fn callees(mesh: &Mesh, node: Node) -> Vec<bool> {
    let Node::Sidecar(caller) = node else {
        return vec![false; mesh.services.len()];
    };
    match &mesh[caller].calls {
        Some(calls) => {
            let mut callees = vec![false; mesh.services.len()];
            for call in calls {
                callees[call.target.index()] = true;
            }
            callees
        }
        None => mesh
            .services
            .iter()
            .map(|callee| may_admit(mesh, callee, caller))
            .collect(),
    }
}

/// Whether a service may let a caller in, going by whom its rules name.
fn may_admit(mesh: &Mesh, callee: &Service, caller: ServiceId) -> bool {
    let Some(authz) = &callee.authz else {
        return mesh.open_by_default.value;
    };
    let rules = authz.rules.iter().flatten().filter(|rule| rule.allows);
    rules.flat_map(|rule| &rule.who).any(|who| match who {
        Who::Anyone | Who::AnyService => true,
        Who::Namespace(namespace) => *namespace == mesh[caller].namespace,
        Who::Service(service) => *service == caller,
        Who::Gateway(_) => false,
    })
}

/// The services that a node may send to, directly or by what those lead to.
fn targets(mesh: &Mesh, node: Node, callees: &[bool]) -> Vec<bool> {
    let mut reach = Reach {
        mesh,
        found: vec![false; mesh.services.len()],
        open: Vec::new(),
    };
    reach.policy(&mesh.defaults);
    match node {
        Node::Gateway(id) => {
            let gateway = &mesh[id];
            reach.policy(&gateway.policy);
            for listener in &gateway.listeners {
                match &listener.kind {
                    ListenerKind::Tcp(target) => reach.target(*target),
                    ListenerKind::Passthrough(names) => {
                        reach
                            .open
                            .extend(names.iter().map(|(_, target)| target.service()));
                    }
                    ListenerKind::Http { .. } | ListenerKind::Https { .. } => {}
                }
            }
            for host in &gateway.hosts {
                reach.policy(&host.policy);
                reach.table(&host.table);
            }
        }
        Node::Sidecar(id) => {
            let named = (0..).map(ServiceId).zip(callees);
            reach
                .open
                .extend(named.filter(|(_, is)| **is).map(|(id, _)| id));
            for call in mesh[id].calls.iter().flatten() {
                reach.policy(&call.policy);
            }
        }
    }
    reach.close()
}

/// Services that were found, and those to look through.
struct Reach<'m> {
    mesh: &'m Mesh,
    found: Vec<bool>,
    open: Vec<ServiceId>,
}

impl Reach<'_> {
    fn target(&mut self, target: Target) {
        self.open.push(target.service());
    }

    fn table(&mut self, table: &Table) {
        for arm in &table.arms {
            arm.action
                .targets()
                .into_iter()
                .for_each(|it| self.target(it));
            self.policy(&arm.policy);
        }
    }

    fn policy(&mut self, policy: &Policy) {
        for mirror in &policy.mirrors.each {
            self.target(mirror.value.target);
        }
    }

    fn close(mut self) -> Vec<bool> {
        while let Some(next) = self.open.pop() {
            if std::mem::replace(&mut self.found[next.index()], true) {
                continue;
            }
            let service = &self.mesh[next];
            if let Some(failover) = &service.failover {
                self.target(failover.value);
            }
            self.policy(&service.policy);
            if let Some(route) = &service.route {
                self.table(route);
            }
        }
        self.found
    }
}
