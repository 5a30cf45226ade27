//! Where the boxes and lines of a picture are: layers from left to right, in the direction of calls.
//!
//! ```text
//! Graph ─ boxes, wires ─ layers ─ order ─ heights ─▶ Layout
//! ```
//!
//! The usual way (Sugiyama, Tagawa and Toda): cycles are broken, boxes get layers, lines that pass a layer get a lane
//! in it, neighbours in a layer are put into an order with few crossings, and then moved up and down until lines are
//! short. Each line has a place of its own at the side of a box, so that labels there do not cover each other.

mod heights;
mod layers;
mod order;

use super::{EdgeKind, Graph, NodeId, NodeKind};
use std::collections::HashMap;

/// Everything that is drawn, in pixels from the top left.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Placed>,
    pub(super) lines: Vec<Line>,
}

/// A box of a node, with a row for each of its parts.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) node: NodeId,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The height of what stands above the rows.
    pub(super) head: f64,
    pub(super) rows: Vec<Row>,
}

/// A row of a box.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The part; none for the node itself, where it sends something to all of itself.
    pub(super) node: Option<NodeId>,
    pub(super) text: String,
    /// What within the box leads here, in short.
    pub(super) share: String,
    /// The edges within the box that do.
    pub(super) edges: Vec<usize>,
    /// From the top of the box.
    pub(super) y: f64,
    pub(super) height: f64,
}

/// A line of an edge.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) edge: usize,
    /// In the order of the drawing, from the edge's beginning: straight pieces, joined by curves.
    pub(super) pieces: Vec<[(f64, f64); 2]>,
    pub(super) label: Option<Label>,
}

/// Text that begins at a point.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
}

/// Around everything.
const MARGIN: f64 = 28.0;
/// Above the first box: the title.
pub(super) const TITLE: f64 = 40.0;
/// Between a box's side and its text.
pub(super) const PADDING: f64 = 12.0;
/// What stands above the rows: a name and a line below it, and one more of what is exposed.
const HEAD: f64 = 46.0;
const TALL_HEAD: f64 = 60.0;
const ROW: f64 = 22.0;
/// Lines that come to one place of a box, where there are few of them and where there are many.
const SLOT: f64 = 16.0;
const NARROW_SLOT: f64 = 5.0;
const FEW: usize = 14;
/// Between layers, besides labels.
const GAP: f64 = 72.0;
/// Characters of a label.
const LABEL: usize = 34;
/// Characters of what leads to a row.
const SHARE: usize = 24;

/// Where a line meets a box: at its head, or at a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    item: usize,
    row: Option<usize>,
}

/// A line between two boxes, from the one further left.
#[derive(Clone, Debug)]
struct Wire {
    edge: usize,
    left: Port,
    right: Port,
    /// Whether the edge goes from right to left.
    reversed: bool,
    label: String,
    /// The box on the left, lanes, the box on the right.
    through: Vec<usize>,
}

/// A box, or the lane of a line that passes a layer.
#[derive(Clone, Debug)]
struct Item {
    layer: usize,
    width: f64,
    height: f64,
    y: f64,
    is_lane: bool,
}

/// A side of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

/// Which of how many lines at its place each line is, from top to bottom: where it begins and where it ends.
#[derive(Clone, Debug)]
struct Ports {
    begins: Vec<Slot>,
    ends: Vec<Slot>,
}

/// One of some places.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    place: usize,
    of: usize,
}

/// Places everything.
pub(super) fn layout(graph: &Graph) -> Layout {
    let (mut boxes, place_of) = boxes(graph);
    let mut wires = wires(graph, &place_of);
    let mut items: Vec<Item> = boxes
        .iter()
        .map(|of| Item {
            layer: 0,
            width: of.width,
            height: 0.0,
            y: 0.0,
            is_lane: false,
        })
        .collect();
    let first = graph.nodes.first().map(|node| node.kind);
    layers::assign(&mut items, &mut wires, first == Some(NodeKind::Internet));
    let head = if graph.exposure { TALL_HEAD } else { HEAD };
    for (index, of) in boxes.iter_mut().enumerate() {
        grow(of, index, head, &wires);
        items[index].height = of.height;
    }
    layers::lanes(&mut items, &mut wires);
    let mut layers = order::order(&items, &wires);
    let ports = heights::place(&mut items, &mut layers, &boxes, &wires);
    finish(graph, &items, &layers, boxes, &wires, &ports)
}

/// A box for each node that is no part of another, and for each node its box and row.
fn boxes(graph: &Graph) -> (Vec<Placed>, HashMap<NodeId, Port>) {
    let mut boxes = Vec::new();
    let mut place_of = HashMap::new();
    for index in 0..graph.nodes.len() {
        let id = NodeId(index);
        let node = &graph[id];
        if node.parent.is_some() {
            continue;
        }
        let item = boxes.len();
        place_of.insert(id, Port { item, row: None });
        let mut rows: Vec<Row> = Vec::new();
        for (part, of) in graph.parts(id) {
            let row = Some(rows.len());
            place_of.insert(part, Port { item, row });
            rows.push(row_of(graph, Some(part), id, &of.name));
        }
        let to_all = row_of(graph, None, id, "all endpoints");
        if !to_all.edges.is_empty() {
            rows.push(to_all);
        }
        let texts = [title_width(graph, id)].into_iter();
        let rows_width = rows.iter().map(|row| {
            let between = if row.share.is_empty() { 0.0 } else { 18.0 };
            text_width(&row.text, 12.0) + between + text_width(&row.share, 11.0)
        });
        let width = texts.chain(rows_width).fold(72.0, f64::max) + 2.0 * PADDING;
        boxes.push(Placed {
            node: id,
            x: 0.0,
            y: 0.0,
            width: width.ceil(),
            height: 0.0,
            head: 0.0,
            rows,
        });
    }
    (boxes, place_of)
}

/// How wide what stands above the rows is.
fn title_width(graph: &Graph, id: NodeId) -> f64 {
    let node = &graph[id];
    let exposure = node.exposure.as_ref().map(super::Exposure::in_short);
    let exposure = exposure.map_or(0.0, |text| text_width(&clipped(&text), 11.0) + 18.0);
    // Bold text is wider.
    (text_width(&node.name, 14.0) * 1.16)
        .max(text_width(&subtitle(graph, id), 11.0))
        .max(exposure)
}

/// What stands below the name of a node.
pub(super) fn subtitle(graph: &Graph, id: NodeId) -> String {
    let node = &graph[id];
    let kind = match node.kind {
        NodeKind::Internet => "clients",
        NodeKind::AnyService => "services without calls",
        kind => kind.word(),
    };
    match &node.namespace {
        Some(namespace) => format!("{kind} in {namespace}"),
        None => kind.to_owned(),
    }
}

/// Text of an exposure, cut.
pub(super) fn clipped(text: &str) -> String {
    super::shortened(text, 44)
}

fn row_of(graph: &Graph, part: Option<NodeId>, whole: NodeId, name: &str) -> Row {
    let to = part.unwrap_or(whole);
    let edges = graph.edges.iter().enumerate();
    let edges = edges.filter(|(_, edge)| edge.to == to && graph.whole(edge.from) == whole);
    let edges: Vec<usize> = edges.map(|(index, _)| index).collect();
    let shares = edges.iter().flat_map(|index| {
        let edge = &graph.edges[*index];
        edge.carries.iter().map(|carried| match carried.share {
            Some(share) => crate::spell::percent(share),
            None => match carried.text.split_once(": ") {
                Some((name, _)) => name.to_owned(),
                None => carried.text.clone(),
            },
        })
    });
    let shares: Vec<String> = shares.collect();
    Row {
        node: part,
        text: super::shortened(name, 44),
        share: super::shortened(&shares.join(", "), SHARE),
        edges,
        y: 0.0,
        height: ROW,
    }
}

/// Lines between different boxes, not yet from left to right.
fn wires(graph: &Graph, place_of: &HashMap<NodeId, Port>) -> Vec<Wire> {
    let edges = graph.edges.iter().enumerate();
    let wires = edges.filter_map(|(index, edge)| {
        let (from, to) = (place_of[&edge.from], place_of[&edge.to]);
        let label = edge.label(LABEL);
        let label = match edge.kind {
            EdgeKind::Mirror | EdgeKind::Failover => format!("{} {label}", edge.kind.name())
                .trim_end()
                .to_owned(),
            // That everything is carried goes without saying.
            EdgeKind::Calls | EdgeKind::Admitted if label == "anything" => String::new(),
            _ => label,
        };
        (from.item != to.item).then_some(Wire {
            edge: index,
            left: from,
            right: to,
            reversed: false,
            label,
            through: Vec::new(),
        })
    });
    wires.collect()
}

/// How many lines meet a place of a box, at the side where there are more.
fn meeting(index: usize, row: Option<usize>, wires: &[Wire]) -> usize {
    let at = Port { item: index, row };
    let left = wires.iter().filter(|wire| wire.right == at).count();
    let right = wires.iter().filter(|wire| wire.left == at).count();
    left.max(right)
}

fn slot(count: usize) -> f64 {
    if count <= FEW { SLOT } else { NARROW_SLOT }
}

/// Heights by what a box holds and how many lines come to it.
fn grow(of: &mut Placed, index: usize, head: f64, wires: &[Wire]) {
    let room = |row| {
        let count = meeting(index, row, wires);
        number(count) * slot(count)
    };
    of.head = room(None).max(head);
    let mut y = of.head;
    for (index, row) in of.rows.iter_mut().enumerate() {
        row.y = y;
        row.height = room(Some(index)).max(ROW);
        y += row.height;
    }
    of.height = y + if of.rows.is_empty() { 0.0 } else { 6.0 };
}

impl Placed {
    /// The middle of where lines meet it, from its top.
    fn middle(&self, row: Option<usize>) -> f64 {
        match row {
            Some(row) => self.rows[row].y + self.rows[row].height / 2.0,
            None => self.head / 2.0,
        }
    }
}

/// From the top of a box to where a line meets it.
fn offset(boxes: &[Placed], ports: &Ports, port: Port, side: Side, wire: usize) -> f64 {
    let middle = boxes[port.item].middle(port.row);
    let Slot { place, of } = match side {
        Side::Right => ports.begins[wire],
        Side::Left => ports.ends[wire],
    };
    let first = -(number(of) - 1.0) / 2.0;
    middle + (first + number(place)) * slot(of)
}

/// Columns, lines and labels.
fn finish(
    graph: &Graph,
    items: &[Item],
    layers: &[Vec<usize>],
    mut boxes: Vec<Placed>,
    wires: &[Wire],
    ports: &Ports,
) -> Layout {
    let label_room = |layer: usize| {
        let wires = wires
            .iter()
            .filter(|wire| items[wire.left.item].layer == layer);
        let widths = wires.map(|wire| text_width(&wire.label, 10.5));
        widths.fold(0.0, f64::max)
    };
    let mut columns = Vec::new();
    let mut x = MARGIN;
    for (number, layer) in layers.iter().enumerate() {
        let widths = layer.iter().map(|item| items[*item].width);
        let width = widths.fold(0.0, f64::max);
        columns.push((x, width));
        x += width + GAP + label_room(number);
    }
    let top = items
        .iter()
        .map(|item| item.y)
        .fold(f64::INFINITY, f64::min);
    let down = if top.is_finite() {
        MARGIN + TITLE - top
    } else {
        0.0
    };
    let mut right: f64 = 360.0;
    let mut bottom: f64 = MARGIN + TITLE;
    for (item, of) in items.iter().zip(&mut boxes) {
        let (x, width) = columns[item.layer];
        of.x = x;
        // Boxes of a layer are as wide as the widest, unless that looks odd.
        of.width = of.width.max(width.min(of.width * 1.4));
        of.y = item.y + down;
        right = right.max(of.x + of.width);
        bottom = bottom.max(of.y + of.height);
    }
    let lines = wires.iter().enumerate().map(|(number, wire)| {
        let left = &boxes[wire.left.item];
        let begin = offset(&boxes, ports, wire.left, Side::Right, number) + left.y;
        let end_box = &boxes[wire.right.item];
        let end = offset(&boxes, ports, wire.right, Side::Left, number) + end_box.y;
        let start = left.x + left.width;
        let (column, width) = columns[items[wire.left.item].layer];
        let straight = (column + width).max(start + text_width(&wire.label, 10.5) + 14.0);
        let mut pieces = vec![[(start, begin), (straight, begin)]];
        for lane in &wire.through[1..wire.through.len() - 1] {
            let (x, width) = columns[items[*lane].layer];
            let y = items[*lane].y + items[*lane].height / 2.0 + down;
            pieces.push([(x, y), (x + width, y)]);
        }
        pieces.push([(end_box.x - 10.0, end), (end_box.x, end)]);
        let few = ports.begins[number].of <= FEW;
        let label = (few && !wire.label.is_empty()).then(|| Label {
            x: start + if wire.reversed { 14.0 } else { 8.0 },
            y: begin - 3.0,
            text: wire.label.clone(),
        });
        if wire.reversed {
            pieces.reverse();
            for piece in &mut pieces {
                piece.swap(0, 1);
            }
        }
        Line {
            edge: wire.edge,
            pieces,
            label,
        }
    });
    let lines: Vec<Line> = lines.collect();
    for item in items.iter().filter(|item| item.is_lane) {
        bottom = bottom.max(item.y + item.height + down);
    }
    debug_assert!(lines.len() <= graph.edges.len());
    Layout {
        width: (right + MARGIN).ceil(),
        height: (bottom + MARGIN).ceil(),
        boxes,
        lines,
    }
}

/// A count among lengths.
fn number(count: usize) -> f64 {
    f64::from(count as u32)
}

/// About how wide text is; fonts differ, so it is rather too much.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let width = |character: char| match character {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        'A'..='Z' | '→' | '…' => 0.72,
        ' ' | '/' | '-' | '(' | ')' | '[' | ']' | 'r' => 0.40,
        character if character.is_ascii() => 0.585,
        _ => 1.0,
    };
    text.chars().map(width).sum::<f64>() * size
}
