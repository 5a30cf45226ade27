//! The graph for programs.

use super::{Carried, EdgeKind, Exposure, Graph, NodeKind};
use serde::Serialize;

/// What `meshc graph --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

#[derive(Serialize)]
struct Document<'g> {
    mesh: &'g str,
    nodes: Vec<Node<'g>>,
    edges: Vec<Edge<'g>>,
}

#[derive(Serialize)]
struct Node<'g> {
    id: &'g str,
    kind: NodeKind,
    name: &'g str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_of: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'g str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    lines: &'g [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'g Exposure>,
}

#[derive(Serialize)]
struct Edge<'g> {
    from: &'g str,
    to: &'g str,
    kind: EdgeKind,
    carries: &'g [Carried],
}

/// One JSON document; edges name nodes by their ids.
pub fn json(graph: &Graph) -> String {
    let nodes = graph.nodes.iter().map(|node| Node {
        id: &node.id,
        kind: node.kind,
        name: &node.name,
        namespace: node.namespace.as_deref(),
        part_of: node.parent.map(|parent| graph[parent].id.as_str()),
        place: node.place.as_deref(),
        lines: &node.lines,
        exposure: node.exposure.as_ref(),
    });
    let edges = graph.edges.iter().map(|edge| Edge {
        from: &graph[edge.from].id,
        to: &graph[edge.to].id,
        kind: edge.kind,
        carries: &edge.carries,
    });
    let document = Document {
        mesh: &graph.mesh,
        nodes: nodes.collect(),
        edges: edges.collect(),
    };
    // These types have nothing that fails.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
