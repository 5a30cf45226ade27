//! Which gateway or sidecar a process is, and what the bundle says of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::str::FromStr;

use mesh_bundle::Bundle;
use mesh_bundle::format::{Endpoint, Gateway, Id, Service, SliceOf, StrId};

/// A gateway, or the sidecar of a service: `gateway/edge`, `sidecar/payments/ledger`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its namespace; `default` where none is written.
    pub namespace: String,
    /// The gateway's or the service's name.
    pub name: String,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Stands between clients and the mesh.
    Gateway,
    /// Stands before one endpoint of a service.
    Sidecar,
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Sidecar => "sidecar",
        })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "default" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

/// Text that names no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no node: write gateway/NAME or sidecar/SERVICE, with NAMESPACE/ before the name if it has one"
)]
pub struct NodeSyntaxError(String);

impl FromStr for Node {
    type Err = NodeSyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NodeSyntaxError(text.to_owned());
        let (kind, name) = text.split_once('/').ok_or_else(error)?;
        let kind = match kind {
            "gateway" => NodeKind::Gateway,
            "sidecar" => NodeKind::Sidecar,
            _ => return Err(error()),
        };
        let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
        if namespace.is_empty() || name.is_empty() || name.contains('/') {
            return Err(error());
        }
        Ok(Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Why a bundle does not say what a node is to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The name is not in the bundle.
    #[error("the bundle has no {node}; it has {known}")]
    Unknown {
        /// The node that was asked for.
        node: Node,
        /// Those of its kind that there are.
        known: String,
    },
    /// The bundle is what another node can need of a mesh.
    #[error("the bundle is the slice of {slice}, and this is {node}")]
    OtherSlice {
        /// The node that was asked for.
        node: Node,
        /// The node whose slice it is.
        slice: String,
    },
    /// A sidecar without anything to stand before.
    #[error("{node}: the service has no endpoint in the bundle")]
    NoEndpoint {
        /// The sidecar.
        node: Node,
    },
    /// The endpoint that was asked for is not one.
    #[error("{node}: {endpoint} is no endpoint of the service; it has {known}")]
    NotAnEndpoint {
        /// The sidecar.
        node: Node,
        /// The address that was given.
        endpoint: SocketAddr,
        /// The service's endpoints.
        known: String,
    },
    /// Nobody said which endpoint, and none is here.
    #[error("{node}: no endpoint of the service has an address of this machine; it has {known}")]
    NotHere {
        /// The sidecar.
        node: Node,
        /// The service's endpoints.
        known: String,
    },
    /// Nobody said which endpoint, and several are here.
    #[error(
        "{node}: several endpoints of the service have an address of this machine; say which with --endpoint: {known}"
    )]
    SeveralHere {
        /// The sidecar.
        node: Node,
        /// The endpoints that are here.
        known: String,
    },
}

/// What a node is in a bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Gateway(Id<Gateway>),
    Sidecar {
        service: Id<Service>,
        endpoint: Id<Endpoint>,
    },
}

impl Node {
    /// Finds the node in a bundle. `endpoint` says which of a service's endpoints a sidecar stands
    /// before; without it, it is the one that has an address of this machine.
    pub(crate) fn find(
        &self,
        bundle: &Bundle,
        endpoint: Option<SocketAddr>,
    ) -> Result<Role, NodeError> {
        if let Some(slice) = slice_of(bundle).filter(|slice| slice != self) {
            return Err(NodeError::OtherSlice {
                node: self.clone(),
                slice: slice.to_string(),
            });
        }
        let is_it = |namespace: StrId, name: StrId| {
            bundle.str(namespace) == self.namespace && bundle.str(name) == self.name
        };
        match self.kind {
            NodeKind::Gateway => {
                let gateways = bundle.gateways();
                let found = gateways.iter().position(|it| is_it(it.namespace, it.name));
                let index = found.ok_or_else(|| self.unknown(bundle))?;
                Ok(Role::Gateway(Id::new(index as u32)))
            }
            NodeKind::Sidecar => {
                let services = bundle.services();
                let found = services.iter().position(|it| is_it(it.namespace, it.name));
                let index = found.ok_or_else(|| self.unknown(bundle))?;
                let service = Id::new(index as u32);
                let endpoint = self.choose_endpoint(bundle, service, endpoint)?;
                Ok(Role::Sidecar { service, endpoint })
            }
        }
    }

    fn unknown(&self, bundle: &Bundle) -> NodeError {
        let names: Vec<String> = nodes(bundle)
            .filter(|node| node.kind == self.kind)
            .map(|node| node.to_string())
            .collect();
        let known = match names.len() {
            0 => format!("no {}s", self.kind),
            1..=8 => names.join(", "),
            more => format!("{}, … ({more} in all)", names[..8].join(", ")),
        };
        NodeError::Unknown {
            node: self.clone(),
            known,
        }
    }

    fn choose_endpoint(
        &self,
        bundle: &Bundle,
        service: Id<Service>,
        wanted: Option<SocketAddr>,
    ) -> Result<Id<Endpoint>, NodeError> {
        let node = || self.clone();
        let all: Vec<Id<Endpoint>> = bundle.service(service).endpoints.ids().collect();
        let address = |id: &Id<Endpoint>| bundle.endpoint(*id).application();
        let list = |ids: &[Id<Endpoint>]| {
            let addresses: Vec<String> = ids.iter().map(|id| address(id).to_string()).collect();
            addresses.join(", ")
        };
        if all.is_empty() {
            return Err(NodeError::NoEndpoint { node: node() });
        }
        if let Some(endpoint) = wanted {
            let found = all.iter().find(|id| address(id) == endpoint);
            return found.copied().ok_or_else(|| NodeError::NotAnEndpoint {
                node: node(),
                endpoint,
                known: list(&all),
            });
        }
        let mut here = all.clone();
        here.retain(|id| is_of_this_machine(address(id).ip()));
        match here.as_slice() {
            [only] => Ok(*only),
            [] => Err(NodeError::NotHere {
                node: node(),
                known: list(&all),
            }),
            several => Err(NodeError::SeveralHere {
                node: node(),
                known: list(several),
            }),
        }
    }
}

/// The node whose slice a bundle is, if it is not the whole mesh.
pub fn slice_of(bundle: &Bundle) -> Option<Node> {
    let mesh = bundle.mesh();
    let kind = match SliceOf::from_code(mesh.slice) {
        Some(SliceOf::Gateway) => NodeKind::Gateway,
        Some(SliceOf::Sidecar) => NodeKind::Sidecar,
        Some(SliceOf::Everybody) | None => return None,
    };
    Some(Node {
        kind,
        namespace: bundle.opt_str(mesh.slice_namespace)?.to_owned(),
        name: bundle.opt_str(mesh.slice_name)?.to_owned(),
    })
}

/// Every node of a bundle: what `--node` can name.
pub fn nodes(bundle: &Bundle) -> impl Iterator<Item = Node> {
    let slice = slice_of(bundle);
    let node = |kind, namespace, name| Node {
        kind,
        namespace: bundle.str(namespace).to_owned(),
        name: bundle.str(name).to_owned(),
    };
    let gateways = bundle.gateways().iter();
    let services = bundle.services().iter();
    gateways
        .map(move |it| node(NodeKind::Gateway, it.namespace, it.name))
        .chain(services.map(move |it| node(NodeKind::Sidecar, it.namespace, it.name)))
        .filter(move |node| slice.as_ref().is_none_or(|slice| slice == node))
}

/// Whether a socket here could have this address: the kernel knows, and binding asks it.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_written_as_they_are_read() {
        for text in ["gateway/edge", "sidecar/reviews", "sidecar/payments/ledger"] {
            assert_eq!(text.parse::<Node>().unwrap().to_string(), text);
        }
        let node: Node = "gateway/default/edge".parse().unwrap();
        assert_eq!(node.to_string(), "gateway/edge");
    }

    #[test]
    fn other_text_is_no_node() {
        for text in [
            "",
            "edge",
            "gateway",
            "gateway/",
            "proxy/edge",
            "gateway/a/b/c",
            "sidecar//b",
        ] {
            assert!(text.parse::<Node>().is_err(), "{text}");
        }
    }

    #[test]
    fn knows_its_own_addresses() {
        assert!(is_of_this_machine([127, 0, 0, 1].into()));
        assert!(
            !is_of_this_machine([192, 0, 2, 1].into()),
            "a documentation address"
        );
    }
}
