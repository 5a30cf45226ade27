//! The graph for Graphviz.

use super::{Edge, EdgeKind, Exposed, Graph, Node, NodeId, NodeKind};
use std::fmt::Write as _;

/// Characters of a label on an edge.
const WIDTH: usize = 40;

/// A `digraph`. Hosts stand within their gateways, versions within their services.
pub fn dot(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n", Quoted(&graph.mesh));
    text.push_str(
        "  rankdir=LR;\n  \
           graph [fontname=\"sans-serif\", fontsize=11, style=rounded, color=gray60];\n  \
           node [fontname=\"sans-serif\", fontsize=11, shape=box, style=\"rounded,filled\", fillcolor=white];\n  \
           edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.parent.is_some() {
            continue;
        }
        let parts: Vec<(NodeId, &Node)> = graph.parts(NodeId(index)).collect();
        if parts.is_empty() {
            line(&mut text, "  ", node);
            continue;
        }
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  subgraph {} {{",
            Quoted(&format!("cluster_{}", node.id))
        );
        let _ = writeln!(text, "    label=\"\";");
        line(&mut text, "    ", node);
        for (_, part) in &parts {
            line(&mut text, "    ", part);
        }
        for (part, _) in parts {
            if node.kind == NodeKind::Gateway {
                let (from, to) = (Quoted(&node.id), Quoted(&graph[part].id));
                let _ = writeln!(text, "    {from} -> {to} [style=dotted, arrowhead=none];");
            }
        }
        text.push_str("  }\n");
    }
    for edge in &graph.edges {
        let (from, to) = (Quoted(&graph[edge.from].id), Quoted(&graph[edge.to].id));
        let attributes = attributes(edge);
        let _ = writeln!(text, "  {from} -> {to} [{attributes}];");
    }
    text.push_str("}\n");
    text
}

fn line(text: &mut String, indent: &str, node: &Node) {
    let name = node.full_name();
    let mut label = match node.kind {
        NodeKind::Host | NodeKind::Version | NodeKind::Internet | NodeKind::AnyService => name,
        kind => format!("{} {name}", kind.word()),
    };
    let mut more = String::new();
    let (shape, color) = match node.kind {
        NodeKind::Internet => ("ellipse", "gray95"),
        NodeKind::Gateway => ("box", "lightsteelblue1"),
        NodeKind::Tcp => ("cylinder", "white"),
        NodeKind::External => ("box", "cornsilk"),
        NodeKind::AnyService => ("ellipse", "white"),
        NodeKind::Host | NodeKind::Service | NodeKind::Version => ("box", "white"),
    };
    let mut color = color;
    if let Some(exposure) = &node.exposure {
        let _ = write!(label, "\n{}", exposure.in_short());
        color = match exposure.reached {
            Exposed::Open => "mistyrose",
            Exposed::Behind => "lemonchiffon",
            Exposed::NotDecided => "lavender",
            Exposed::Not => color,
        };
        if exposure.reached == Exposed::Open {
            more.push_str(", color=firebrick");
        }
    }
    let tooltip = node
        .lines
        .iter()
        .map(String::as_str)
        .chain(node.place.as_deref());
    let tooltip: Vec<&str> = tooltip.collect();
    let _ = writeln!(
        text,
        "{indent}{} [label={}, shape={shape}, fillcolor={color}{more}, tooltip={}];",
        Quoted(&node.id),
        Quoted(&label),
        Quoted(&tooltip.join("\n")),
    );
}

fn attributes(edge: &Edge) -> String {
    let style = match edge.kind {
        EdgeKind::Enters | EdgeKind::Route => "solid",
        EdgeKind::Calls => "bold",
        EdgeKind::Admitted | EdgeKind::Failover => "dashed",
        EdgeKind::Mirror => "dotted",
    };
    let label = edge.label(WIDTH);
    let label = match edge.kind {
        EdgeKind::Mirror | EdgeKind::Failover => format!("{} {label}", edge.kind.name())
            .trim_end()
            .to_owned(),
        _ => label,
    };
    let told: Vec<String> = edge.carries.iter().map(super::Carried::told).collect();
    format!(
        "label={}, style={style}, tooltip={}",
        Quoted(&label),
        Quoted(&told.join("\n"))
    )
}

/// A string of the DOT language.
struct Quoted<'t>(&'t str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            match character {
                // A backslash before anything else is an escape of labels.
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                character => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}
