//! The graph for Mermaid, which many places that show Markdown draw.

use super::{EdgeKind, Exposed, Graph, Node, NodeId, NodeKind};
use std::fmt::Write as _;

/// Characters of a label on an edge.
const WIDTH: usize = 40;

/// A `flowchart`. Hosts stand within their gateways, versions within their services.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.parent.is_some() {
            continue;
        }
        let id = NodeId(index);
        let mut parts = graph.parts(id).peekable();
        if parts.peek().is_none() {
            line(&mut text, "  ", id, node);
            continue;
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "  subgraph s{index}[\" \"]");
        line(&mut text, "    ", id, node);
        for (part, node) in parts {
            line(&mut text, "    ", part, node);
        }
        if node.kind == NodeKind::Gateway {
            for (part, _) in graph.parts(id) {
                let _ = writeln!(text, "    n{index} --- n{}", part.0);
            }
        }
        text.push_str("  end\n");
    }
    for edge in &graph.edges {
        let arrow = match edge.kind {
            EdgeKind::Enters | EdgeKind::Route => "-->",
            EdgeKind::Calls => "==>",
            EdgeKind::Admitted | EdgeKind::Mirror | EdgeKind::Failover => "-.->",
        };
        let label = edge.label(WIDTH);
        let label = match edge.kind {
            EdgeKind::Mirror | EdgeKind::Failover => format!("{} {label}", edge.kind.name())
                .trim_end()
                .to_owned(),
            _ => label,
        };
        let label = match label.as_str() {
            "" => String::new(),
            label => format!("|\"{}\"|", Escaped(label)),
        };
        let _ = writeln!(text, "  n{} {arrow}{label} n{}", edge.from.0, edge.to.0);
    }
    text.push_str(
        "  classDef gateway fill:#dbeafe,stroke:#2563eb,color:#1e293b\n  \
           classDef external fill:#fef3c7,stroke:#b45309,color:#1e293b\n",
    );
    if graph.exposure {
        text.push_str(
            "  classDef open fill:#fee2e2,stroke:#dc2626,color:#1e293b\n  \
               classDef behind fill:#fef9c3,stroke:#ca8a04,color:#1e293b\n  \
               classDef notDecided fill:#ede9fe,stroke:#7c3aed,color:#1e293b\n",
        );
    }
    text
}

fn line(text: &mut String, indent: &str, id: NodeId, node: &Node) {
    let mut label = Escaped(&node.full_name()).to_string();
    if let NodeKind::Gateway | NodeKind::Tcp | NodeKind::External = node.kind {
        label = format!("{} {label}", node.kind.word());
    }
    if let Some(exposure) = &node.exposure {
        let _ = write!(label, "<br/>{}", Escaped(&exposure.in_short()));
    }
    let (open, close) = match node.kind {
        NodeKind::Internet | NodeKind::AnyService => ("([", "])"),
        NodeKind::Tcp => ("[(", ")]"),
        NodeKind::Gateway | NodeKind::Host | NodeKind::External => ("[", "]"),
        NodeKind::Service | NodeKind::Version => ("(", ")"),
    };
    let exposed = node.exposure.as_ref().map(|exposure| exposure.reached);
    let class = match (exposed, node.kind) {
        (Some(Exposed::Open), _) => ":::open",
        (Some(Exposed::Behind), _) => ":::behind",
        (Some(Exposed::NotDecided), _) => ":::notDecided",
        (_, NodeKind::Gateway) => ":::gateway",
        (_, NodeKind::External) => ":::external",
        _ => "",
    };
    let _ = writeln!(text, "{indent}n{}{open}\"{label}\"{close}{class}", id.0);
}

/// Text within the quotes of a label.
struct Escaped<'t>(&'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("#quot;")?,
                '#' => f.write_str("#35;")?,
                '<' => f.write_str("#lt;")?,
                '>' => f.write_str("#gt;")?,
                '&' => f.write_str("#amp;")?,
                // Otherwise a label in backticks would be read as Markdown.
                '`' => f.write_str("#96;")?,
                '\n' => f.write_str("<br/>")?,
                character => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}
