//! Decision diagrams: every walk ends, and soon enough.

use super::*;
use crate::decide::{Edge, Node, node, node_length, residual};
use zerocopy::little_endian::U32;

/// The nodes of a table's code.
pub(super) struct Diagrams<'b> {
    arms: u32,
    facets: usize,
    code: &'b [U32],
    /// By word: 0 where no node starts, else the most facets that a walk from it asks, plus one; and
    /// [`Diagrams::RESIDUAL`] where a walk may come to a residual list.
    nodes: Vec<u32>,
}

impl<'b> Diagrams<'b> {
    const RESIDUAL: u32 = 1 << 31;

    pub(super) fn check(bundle: &'b Bundle, table: &Table) -> Result<Self, OpenError> {
        let code = &bundle.code()[table.code.range()];
        let mut it = Self {
            arms: table.arms.len().max(table.rules.len()) as u32,
            facets: table.facets.len(),
            code,
            nodes: vec![0; code.len()],
        };
        let mut at = 0;
        while at < code.len() {
            let length = node_length(code, at)
                .ok_or_else(|| wrong(Section::Code, format!("holds no node at word {at}")))?;
            it.nodes[at] = match node(code, at) {
                Node::Test(test) => {
                    ensure(
                        test.ends(),
                        Section::Code,
                        "has a node without an empty place",
                    )?;
                    it.asks(test.facet)?;
                    let mut most = 0;
                    let mut residual = 0;
                    for (_, edge) in test.edges() {
                        let below = it.edge(edge, at)?;
                        residual |= below & Self::RESIDUAL;
                        most = most.max(below & !Self::RESIDUAL);
                    }
                    let asked = most as usize <= it.facets;
                    ensure(
                        asked,
                        Section::Code,
                        "asks more often than there are facets",
                    )?;
                    (most.max(1) + 1) | residual
                }
                Node::Residual => it.residual(at)? | Self::RESIDUAL,
            };
            at += length;
        }
        Ok(it)
    }

    fn asks(&self, facet: u32) -> Checked {
        let known = (facet as usize) < self.facets;
        ensure(known, Section::Code, "asks a facet that is not there")
    }

    /// What [`Diagrams::nodes`] says of where an edge leads; it must lead to before `limit`.
    pub(super) fn edge(&self, edge: Edge, limit: usize) -> Result<u32, OpenError> {
        match edge {
            Edge::Fall => Ok(0),
            Edge::Arm(arm) if arm < self.arms => Ok(0),
            Edge::Arm(arm) => Err(wrong(
                Section::Code,
                format!("leads to arm {arm}, which is not there"),
            )),
            Edge::Node(at) => match self.nodes.get(at as usize) {
                Some(&node) if node != 0 && (at as usize) < limit => Ok(node),
                _ => Err(wrong(
                    Section::Code,
                    format!("leads to word {at}, where no node stands"),
                )),
            },
        }
    }

    fn residual(&self, at: usize) -> Result<u32, OpenError> {
        let section = Section::Code;
        let list = residual(self.code, at);
        let body = list.body();
        let words = list.words();
        let row_inside = |row: usize| row >= body.start && row + words <= body.end;
        ensure(
            row_inside(list.live_row()),
            section,
            "has a row out of place",
        )?;
        let unused = words * 32 - list.arm_count();
        let live = words == 0 || u64::from(list.live(words - 1)) >> (32 - unused) == 0;
        ensure(live, section, "has a row with more arms than the list")?;
        for facet in list.facets() {
            self.asks(facet.facet)?;
            ensure(facet.is_sorted(), section, "has rows that are not in order")?;
            ensure(
                facet.rows().all(row_inside),
                section,
                "has a row out of place",
            )?;
        }
        let mut most = 1;
        for arm in 0..list.arm_count() {
            let below = self.edge(list.arm(arm), at)?;
            ensure(below & Self::RESIDUAL == 0, section, "nests residual lists")?;
            most = most.max(below);
        }
        Ok(most)
    }
}
