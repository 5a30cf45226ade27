//! Which nodes run on this machine, and where they listen.
//!
//! Gateways listen on the loopback address at the ports that the policy names. Every endpoint of a
//! service that has an address of this machine gets a sidecar: callers reach it where the policy says
//! (`via`), or at a port that is picked once and kept for as long as the process runs. Its application
//! sends requests to others to another picked port.

use crate::model::upstream::{Endpoint, Endpoints};
use crate::model::{Mesh, Service};
use meshd::{Node, NodeKind, NodeOptions, Runtime};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where outbound ports are looked for first, so that they stay the same from run to run.
const FIRST_OUTBOUND: u16 = 15101;

/// What was picked for this machine.
#[derive(Debug, Default)]
pub(super) struct Local {
    /// By application address: where the sidecar is reached, where the policy does not say.
    inbound: BTreeMap<SocketAddr, SocketAddr>,
    /// By application address: where the application sends requests to others.
    outbound: BTreeMap<SocketAddr, SocketAddr>,
    /// The nodes that run, to tell when the policy has others.
    running: Vec<Node>,
}

impl Local {
    /// Says in the model where callers reach the sidecars of this machine.
    pub(super) fn place_sidecars(&mut self, mesh: &mut Mesh) -> Result<(), String> {
        let without: Vec<bool> = mesh
            .services
            .iter()
            .map(|service| mesh.without_sidecar(service))
            .collect();
        let services = mesh.services.iter_mut().zip(without);
        for (service, _) in services.filter(|(_, without)| !without) {
            let versions = service
                .versions
                .iter_mut()
                .map(|version| &mut version.endpoints);
            for endpoints in std::iter::once(&mut service.endpoints).chain(versions) {
                let Endpoints::Listed(endpoints) = endpoints else {
                    continue;
                };
                for endpoint in endpoints {
                    if endpoint.address.ip().is_loopback() {
                        self.place(endpoint)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, endpoint: &mut Endpoint) -> Result<(), String> {
        let application = endpoint.address;
        if endpoint.via.is_none() {
            let known = self.inbound.get(&application).copied();
            let inbound = match known {
                Some(inbound) => inbound,
                None => free(application.ip(), 0)?,
            };
            self.inbound.insert(application, inbound);
            endpoint.via = Some(inbound);
        }
        if !self.outbound.contains_key(&application) {
            let taken = self.outbound.values().map(SocketAddr::port).max();
            let next = taken.map_or(FIRST_OUTBOUND, |last| last.saturating_add(1));
            let outbound = free(IpAddr::V4(Ipv4Addr::LOCALHOST), next)?;
            self.outbound.insert(application, outbound);
        }
        Ok(())
    }

    /// Where the application at this address sends requests to others.
    pub(super) fn outbound(&self, application: SocketAddr) -> Option<SocketAddr> {
        self.outbound.get(&application).copied()
    }

    /// The nodes of this machine, one worker each.
    pub(super) fn nodes(&mut self, mesh: &Mesh, files: &[PathBuf]) -> Vec<(Node, NodeOptions)> {
        let options = NodeOptions {
            workers: NonZeroUsize::new(1),
            bind: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            files: files.to_vec(),
            ..NodeOptions::default()
        };
        let mut nodes: Vec<(Node, NodeOptions)> = Vec::new();
        for gateway in &mesh.gateways {
            let node = node(NodeKind::Gateway, &gateway.namespace, &gateway.name);
            nodes.push((node, options.clone()));
        }
        for (service, endpoint) in local_endpoints(mesh) {
            let node = node(NodeKind::Sidecar, &service.namespace, &service.name);
            let options = NodeOptions {
                endpoint: Some(endpoint.address),
                outbound: self.outbound(endpoint.address),
                ..options.clone()
            };
            nodes.push((node, options));
        }
        self.running = nodes.iter().map(|(node, _)| node.clone()).collect();
        nodes
    }

    /// Says so where the policy has gateways or services by now that do not run here.
    pub(super) fn warn_about_nodes(&self, mesh: &Mesh) {
        let gateways = mesh.gateways.iter();
        let gateways = gateways.map(|it| node(NodeKind::Gateway, &it.namespace, &it.name));
        let sidecars = local_endpoints(mesh);
        let sidecars = sidecars.map(|(it, _)| node(NodeKind::Sidecar, &it.namespace, &it.name));
        for node in gateways
            .chain(sidecars)
            .filter(|node| !self.running.contains(node))
        {
            crate::cli::complain(&format!("{node} is new: start again to run it, too"));
        }
    }

    /// The lines about gateways and sidecars.
    pub(super) fn describe(&self, mesh: &Mesh, runtime: &Runtime, made: bool) -> String {
        let mut lines = String::new();
        for gateway in &mesh.gateways {
            let name = node(NodeKind::Gateway, &gateway.namespace, &gateway.name).to_string();
            let listeners = runtime.listeners();
            let listeners = listeners.iter().filter(|listener| listener.node == name);
            let addresses: Vec<String> = listeners
                .map(|listener| {
                    let note = if made && listener.kind == "https" {
                        " (development certificate)"
                    } else {
                        ""
                    };
                    format!("{}://{}{note}", listener.kind, listener.address)
                })
                .collect();
            let _ = writeln!(
                lines,
                "  gateway   {:<13} {}",
                gateway.qualified_name(),
                addresses.join("   ")
            );
        }
        for (service, endpoint) in local_endpoints(mesh) {
            let version = service.versions.iter().find(|version| {
                let endpoints = version.endpoints.listed();
                endpoints.iter().any(|it| it.address == endpoint.address)
            });
            let name = match version {
                Some(version) => format!("{} {}", service.qualified_name(), version.name),
                None => service.qualified_name(),
            };
            let via = endpoint.via.map_or_else(String::new, |via| via.to_string());
            let outbound = self.outbound(endpoint.address);
            let outbound = outbound.map_or_else(String::new, |outbound| outbound.to_string());
            let _ = writeln!(
                lines,
                "  sidecar   {name:<13} {via} → {}   calls others at {outbound}",
                endpoint.address
            );
        }
        lines
    }
}

/// Endpoints with an address of this machine, and their services.
pub(super) fn local_endpoints(mesh: &Mesh) -> impl Iterator<Item = (&Service, &Endpoint)> {
    // What is outside the mesh, or has no sidecar, runs without us.
    let beside = |service: &&Service| !mesh.without_sidecar(service);
    let all = mesh.services.iter().filter(beside).flat_map(|service| {
        service
            .all_endpoints()
            .map(move |(_, endpoint)| (service, endpoint))
    });
    all.filter(|(_, endpoint)| endpoint.address.ip().is_loopback())
}

fn node(kind: NodeKind, namespace: &str, name: &str) -> Node {
    Node {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// A free port from `first` on; any for 0.
fn free(ip: IpAddr, first: u16) -> Result<SocketAddr, String> {
    let candidates = if first == 0 {
        0..=0
    } else {
        first..=first.saturating_add(500)
    };
    for port in candidates {
        if let Ok(address) = TcpListener::bind((ip, port)).and_then(|it| it.local_addr()) {
            return Ok(address);
        }
    }
    Err(format!("no free port was found at {ip}"))
}
