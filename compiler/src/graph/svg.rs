//! The graph as a picture: SVG that needs nothing else, light or dark as its reader has it.

use super::layout::{
    Label, Layout, Line, PADDING, Placed, TITLE, clipped, layout, subtitle, text_width,
};
use super::{Carried, EdgeKind, Exposed, Graph, Node, NodeKind};
use crate::report::count;
use crate::report::xml::Xml;
use std::fmt::Write as _;

/// What everything looks like.
const STYLE: &str = include_str!("style.css");

/// A picture as a file of its own.
pub fn svg(graph: &Graph) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
        element(graph, true)
    )
}

/// The `svg` element, with its heading or without.
pub(super) fn element(graph: &Graph, with_heading: bool) -> String {
    let layout = layout(graph);
    let Layout { width, height, .. } = layout;
    let top = if with_heading { 0.0 } else { TITLE };
    let kinds = kinds(graph);
    let height = if kinds.is_empty() {
        height
    } else {
        height + 18.0
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mesh\" role=\"img\" width=\"{width}\" \
         height=\"{}\" viewBox=\"0 {top} {width} {}\">",
        height - top,
        height - top,
    );
    let _ = writeln!(text, "<title>{}</title>", Xml(&heading(graph)));
    let _ = writeln!(text, "<style>\n{STYLE}</style>");
    let _ = writeln!(
        text,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    );
    if with_heading {
        let _ = writeln!(
            text,
            "<text class=\"heading\" x=\"28\" y=\"38\">{}</text>",
            Xml(&heading(graph))
        );
    }
    for line in &layout.lines {
        edge(&mut text, graph, line);
    }
    for line in &layout.lines {
        label(&mut text, graph, line);
    }
    for of in &layout.boxes {
        node(&mut text, graph, of);
    }
    key(&mut text, &kinds, height - 20.0);
    text.push_str("</svg>\n");
    text
}

/// `bookinfo: 1 gateway, 4 services`.
pub(super) fn heading(graph: &Graph) -> String {
    let number = |wanted: fn(&Node) -> bool| graph.nodes.iter().filter(|it| wanted(it)).count();
    let gateways = number(|node| node.kind == NodeKind::Gateway);
    let services = number(|node| matches!(node.kind, NodeKind::Service | NodeKind::Tcp));
    let externals = number(|node| node.kind == NodeKind::External);
    let mut parts = Vec::new();
    for (number, name) in [
        (gateways, "gateway"),
        (services, "service"),
        (externals, "external"),
    ] {
        if number > 0 {
            parts.push(count(number, name));
        }
    }
    let exposure = if graph.exposure {
        "; what clients reach"
    } else {
        ""
    };
    format!("{}: {}{exposure}", graph.mesh, parts.join(", "))
}

/// The kinds of edges that are drawn, in the order of their definition.
fn kinds(graph: &Graph) -> Vec<EdgeKind> {
    let all = [
        EdgeKind::Enters,
        EdgeKind::Route,
        EdgeKind::Calls,
        EdgeKind::Admitted,
        EdgeKind::Mirror,
        EdgeKind::Failover,
    ];
    let is_there = |kind: &EdgeKind| graph.edges.iter().any(|edge| edge.kind == *kind);
    all.into_iter().filter(is_there).collect()
}

fn class(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Enters => "enters",
        other => other.name(),
    }
}

fn edge(text: &mut String, graph: &Graph, line: &Line) {
    let _ = writeln!(text, "{}", group(graph, line.edge));
    let mut path = String::new();
    for (number, [begin, end]) in line.pieces.iter().enumerate() {
        match number.checked_sub(1).map(|before| line.pieces[before][1]) {
            None => {
                let _ = write!(path, "M{} {}", Px(begin.0), Px(begin.1));
            }
            Some(last) => {
                let middle = f64::midpoint(last.0, begin.0);
                let _ = write!(
                    path,
                    "C{} {} {} {} {} {}",
                    Px(middle),
                    Px(last.1),
                    Px(middle),
                    Px(begin.1),
                    Px(begin.0),
                    Px(begin.1)
                );
            }
        }
        let _ = write!(path, "H{}", Px(end.0));
    }
    let _ = writeln!(text, "<path d=\"{path}\"/>");
    if let Some([begin, end]) = line.pieces.last() {
        // Lines come in level, from the left or from the right.
        let back = if end.0 >= begin.0 { -8.0 } else { 8.0 };
        let (x, y) = *end;
        let _ = writeln!(
            text,
            "<path class=\"tip\" d=\"M{} {}L{} {}L{} {}Z\"/>",
            Px(x),
            Px(y),
            Px(x + back),
            Px(y - 4.0),
            Px(x + back),
            Px(y + 4.0),
        );
    }
    text.push_str("</g>\n");
}

/// The label of a line, above all lines.
fn label(text: &mut String, graph: &Graph, line: &Line) {
    let Some(Label { x, y, text: label }) = &line.label else {
        return;
    };
    let _ = writeln!(
        text,
        "{}<text x=\"{}\" y=\"{}\">{}</text></g>",
        group(graph, line.edge),
        Px(*x),
        Px(*y),
        Xml(label)
    );
}

/// The beginning of what belongs to an edge.
fn group(graph: &Graph, number: usize) -> String {
    let edge = &graph.edges[number];
    format!(
        "<g class=\"edge {}\" data-from=\"n{}\" data-to=\"n{}\"><title>{}</title>",
        class(edge.kind),
        graph.whole(edge.from).0,
        graph.whole(edge.to).0,
        Xml(&told(graph, number)),
    )
}

/// All that is to be said of an edge.
fn told(graph: &Graph, edge: usize) -> String {
    let edge = &graph.edges[edge];
    let mut lines = vec![format!(
        "{} {} {}",
        graph[edge.from].full_name(),
        edge.kind.word(),
        graph[edge.to].full_name()
    )];
    lines.extend(edge.carries.iter().map(Carried::told));
    lines.join("\n")
}

fn node_class(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Internet => "internet",
        NodeKind::Gateway => "gateway",
        NodeKind::External => "external",
        NodeKind::Tcp => "tcp",
        NodeKind::AnyService => "any-service",
        NodeKind::Host | NodeKind::Service | NodeKind::Version => "service",
    }
}

fn node(text: &mut String, graph: &Graph, of: &Placed) {
    let node = &graph[of.node];
    let exposed = node
        .exposure
        .as_ref()
        .map(|exposure| match exposure.reached {
            Exposed::Open if exposure.hops == Some(1) => " open near",
            Exposed::Open => " open",
            Exposed::Behind => " behind",
            Exposed::Not => " not",
            Exposed::NotDecided => " not-decided",
        });
    let _ = writeln!(
        text,
        "<g class=\"node {}{}\" id=\"n{}\" transform=\"translate({} {})\"><title>{}</title>",
        node_class(node.kind),
        exposed.unwrap_or_default(),
        of.node.0,
        Px(of.x),
        Px(of.y),
        Xml(&about(node)),
    );
    let round = match node.kind {
        NodeKind::Internet | NodeKind::AnyService => 18.0,
        _ => 7.0,
    };
    let (width, height) = (Px(of.width), Px(of.height));
    let _ = writeln!(
        text,
        "<rect width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
    );
    // The name stands in the middle of the head, what is below it included.
    let lines = if node.exposure.is_some() { 46.0 } else { 32.0 };
    let top = (of.head - lines) / 2.0;
    let _ = writeln!(
        text,
        "<text class=\"name\" x=\"{PADDING}\" y=\"{}\">{}</text>",
        Px(top + 13.0),
        Xml(&node.name)
    );
    let _ = writeln!(
        text,
        "<text class=\"small\" x=\"{PADDING}\" y=\"{}\">{}</text>",
        Px(top + 28.0),
        Xml(&subtitle(graph, of.node))
    );
    if let Some(exposure) = &node.exposure {
        let y = top + 42.0;
        let _ = writeln!(
            text,
            "<circle class=\"pill\" cx=\"{}\" cy=\"{}\" r=\"4\"/>\
             <text class=\"small\" x=\"{}\" y=\"{}\">{}</text>",
            PADDING + 4.0,
            Px(y - 4.0),
            PADDING + 14.0,
            Px(y),
            Xml(&clipped(&exposure.in_short()))
        );
    }
    for row in &of.rows {
        let told_of = row.edges.iter().map(|edge| told(graph, *edge));
        let own = row.node.map(|id| about(&graph[id]));
        let about: Vec<String> = own.into_iter().chain(told_of).collect();
        let middle = Px(row.y + row.height / 2.0 + 4.0);
        let _ = writeln!(
            text,
            "<g><title>{}</title><line class=\"rule\" x1=\"0\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{PADDING}\" y=\"{middle}\">{}</text>",
            Xml(&about.join("\n")),
            Xml(&row.text),
            y = Px(row.y),
        );
        if !row.share.is_empty() {
            let right = Px(of.width - PADDING);
            let share = Xml(&row.share);
            let _ = writeln!(
                text,
                "<text class=\"share\" x=\"{right}\" y=\"{middle}\">{share}</text>"
            );
        }
        text.push_str("</g>\n");
    }
    text.push_str("</g>\n");
}

/// All that is to be said of a node.
fn about(node: &Node) -> String {
    let mut lines = vec![format!("{} {}", node.kind.word(), node.full_name())];
    lines.extend(node.place.clone());
    lines.extend(node.lines.iter().cloned());
    if let Some(exposure) = &node.exposure {
        lines.push(exposure.in_short());
        for hop in &exposure.way {
            let rule = hop.rule.as_deref().map(|rule| format!(", {rule}"));
            let rule = rule.unwrap_or_default();
            lines.push(format!("  {} → {}{rule}", hop.from, hop.to));
            lines.push(format!("    {}", hop.example));
        }
        if let Some(reason) = &exposure.not_decided {
            lines.push(format!("not decided, because {reason}"));
        }
    }
    lines.join("\n")
}

/// Which line means what; that clients come in needs no word.
fn key(text: &mut String, kinds: &[EdgeKind], y: f64) {
    if kinds.is_empty() {
        return;
    }
    text.push_str("<g class=\"key\">\n");
    let mut x = 28.0;
    for kind in kinds.iter().filter(|kind| **kind != EdgeKind::Enters) {
        let word = match kind {
            EdgeKind::Enters => "comes in",
            EdgeKind::Route => "routes",
            EdgeKind::Calls => "calls",
            EdgeKind::Admitted => "may call",
            EdgeKind::Mirror => "mirrors",
            EdgeKind::Failover => "fails over",
        };
        let (end, line) = (Px(x + 28.0), Px(y - 4.0));
        let _ = writeln!(
            text,
            "<g class=\"edge {}\"><path d=\"M{} {line}H{end}\"/></g>\
             <text x=\"{}\" y=\"{}\">{word}</text>",
            class(*kind),
            Px(x),
            Px(x + 34.0),
            Px(y),
        );
        x += 34.0 + text_width(word, 11.0) + 22.0;
    }
    text.push_str("</g>\n");
}

/// A length, without digits that nobody sees.
struct Px(f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", (self.0 * 10.0).round() / 10.0)
    }
}
