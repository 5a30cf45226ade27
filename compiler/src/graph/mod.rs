//! The graph of a mesh: what calls what, by which line, with which requests; and what clients without identity
//! reach of it.
//!
//! ```text
//! mesh ─ collect ─▶ Graph ─ exposure ─▶ marked ─┬─ dot, mermaid, json     for other tools
//!          │                   │                └─ layout ─ svg ─ html    for people
//!          └───── access ──────┘
//!             who admits whom, proved
//! ```
//!
//! A [`Graph`] is data: nodes and edges with text and places, in the order of the source. Who is admitted is asked
//! of the verifier, for all requests; nothing here decides by itself.

mod collect;
mod dot;
mod exposure;
mod html;
mod json;
mod layout;
mod mermaid;
mod requests;
mod svg;
#[cfg(test)]
mod tests;

pub use collect::collect;
pub use dot::dot;
pub use exposure::{Exposed, Exposure, Hop, Public, expose, public_arms};
pub use html::html;
pub use json::{SCHEMA, json};
pub use mermaid::mermaid;
pub use svg::svg;

use crate::model::{Gateway, Service};
use serde::Serialize;

/// What calls what in a mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The name of the mesh.
    pub mesh: String,
    /// Clients, gateways and services; those that are part of one follow it.
    pub nodes: Vec<Node>,
    /// What goes from one to another; of each kind one edge at most.
    pub edges: Vec<Edge>,
    /// Whether it is marked what clients without identity reach.
    pub exposure: bool,
}

/// A node, by its place among the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Who calls, or is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// A name that no other node has and that stays when others come: `service:payments/ledger`.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its name, without its namespace.
    pub name: String,
    /// Its namespace, where that is not the default one.
    pub namespace: Option<String>,
    /// The node that it is a part of: of a host the gateway, of a version the service.
    pub parent: Option<NodeId>,
    /// `file:line`.
    pub place: Option<String>,
    /// What else is to be known of it, a line each.
    pub lines: Vec<String>,
    /// What clients without identity reach of it; none where that was not asked.
    pub exposure: Option<Exposure>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Clients outside of the mesh.
    Internet,
    /// A gateway.
    Gateway,
    /// A host block of a gateway.
    Host,
    /// A service.
    Service,
    /// A service that speaks TCP and nothing of which more is known.
    Tcp,
    /// Something outside of the mesh.
    External,
    /// A version of a service.
    Version,
    /// All services that do not say whom they call.
    AnyService,
}

/// Something that goes from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// From where.
    pub from: NodeId,
    /// To where.
    pub to: NodeId,
    /// Why.
    pub kind: EdgeKind,
    /// What it carries.
    pub carries: Vec<Carried>,
}

/// Why something goes from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// Clients come in at a listener.
    Enters,
    /// An arm sends it there.
    Route,
    /// The caller `calls` it.
    Calls,
    /// The caller says of nobody whether it calls it, and is admitted.
    Admitted,
    /// A copy of it goes there.
    Mirror,
    /// It goes there while nothing here is healthy.
    Failover,
}

/// Something that an edge carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Carried {
    /// Which requests, in short.
    pub text: String,
    /// How much of them, in millionths, where that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<u32>,
    /// `file:line` of who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// `file:line` of the rule that lets it in, where that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Graph {
    /// The node of a service.
    pub fn service(&self, service: &Service) -> Option<NodeId> {
        self.find(&service_id(service))
    }

    /// The node with an id.
    pub fn find(&self, id: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.id == id).map(NodeId)
    }

    /// The parts of a node.
    pub fn parts(&self, of: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| node.parent == Some(of))
            .map(|(index, node)| (NodeId(index), node))
    }

    /// The node itself, or the one that it is a part of.
    pub fn whole(&self, id: NodeId) -> NodeId {
        self[id].parent.unwrap_or(id)
    }
}

impl std::ops::Index<NodeId> for Graph {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
}

impl Node {
    /// `payments/ledger`; of a version `reviews.v2` by itself is not to be had, only `v2`.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl NodeKind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Internet => "clients",
            Self::Gateway => "gateway",
            Self::Host => "host",
            Self::Service | Self::AnyService => "service",
            Self::Tcp => "tcp service",
            Self::External => "external",
            Self::Version => "version",
        }
    }
}

impl EdgeKind {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enters => "enters",
            Self::Route => "routes to",
            Self::Calls => "calls",
            Self::Admitted => "may call",
            Self::Mirror => "mirrors to",
            Self::Failover => "fails over to",
        }
    }

    /// As a label of its own: `mirror`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enters => "enter",
            Self::Route => "route",
            Self::Calls => "calls",
            Self::Admitted => "admitted",
            Self::Mirror => "mirror",
            Self::Failover => "failover",
        }
    }

    /// Whether requests are answered by what stands at its end.
    pub fn is_main(self) -> bool {
        matches!(self, Self::Enters | Self::Route | Self::Calls)
    }
}

impl Carried {
    /// `10% GET /a`, `10%`, `GET /a`.
    pub fn label(&self) -> String {
        match self.share {
            Some(share) => {
                let share = crate::spell::percent(share);
                format!("{share} {}", self.text).trim_end().to_owned()
            }
            None => self.text.clone(),
        }
    }

    /// The label and its place.
    pub fn told(&self) -> String {
        let places = [&self.place, &self.rule];
        let places: Vec<&str> = places.into_iter().flatten().map(String::as_str).collect();
        let text = format!("{}  ({})", self.label(), places.join(", by "));
        text.trim_end_matches("  ()").trim_start().to_owned()
    }
}

impl Edge {
    /// What it carries, in at most so many characters.
    pub fn label(&self, width: usize) -> String {
        let labels: Vec<String> = self.carries.iter().map(Carried::label).collect();
        let all = labels.join(", ");
        if all.chars().count() <= width || labels.len() < 2 {
            return shortened(&all, width);
        }
        let more = format!(" +{}", labels.len() - 1);
        let room = width.saturating_sub(more.chars().count());
        format!("{}{more}", shortened(&labels[0], room))
    }
}

/// Text, cut where it is longer.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn service_id(service: &Service) -> String {
    let kind = if service.external {
        "external"
    } else {
        "service"
    };
    format!("{kind}:{}", service.qualified_name())
}

fn gateway_id(gateway: &Gateway) -> String {
    format!("gateway:{}", gateway.qualified_name())
}
