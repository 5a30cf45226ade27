//! Nodes of decision diagrams as 32-bit words.
//!
//! ```text
//! node   facet:20 kind:4 n:8 │ otherwise │ …
//!   list   n × (class, edge)
//!   table  2ⁿ × (class, edge), at most half full; an empty place has class u32::MAX
//! edge   a word offset to a node │ 1:1 arm:31 │ all ones: no arm
//! ```
//!
//! An edge always leads to a node that stands before its own: a walk ends. A node's `otherwise` is
//! the edge of every class that it does not name, so that a header compared with 2,000 values costs
//! nothing to the arms that do not ask for it.

use super::residual;
use zerocopy::little_endian::U32;

/// The word of an edge to no arm.
pub const FALL: u32 = u32::MAX;
const LEAF: u32 = 1 << 31;
/// Facets that a node can name.
pub const MAX_FACETS: usize = 1 << 20;
/// Entries of a list node; more make a table.
const LIST_LIMIT: usize = 6;
const EMPTY: u32 = u32::MAX;

/// Where a node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// To an arm, counted from the table's first.
    Arm(u32),
    /// To the node at this word.
    Node(u32),
    /// To no arm.
    Fall,
}

impl Edge {
    /// From its word.
    #[inline]
    pub fn from_word(word: u32) -> Self {
        if word & LEAF == 0 {
            Self::Node(word)
        } else if word == FALL {
            Self::Fall
        } else {
            Self::Arm(word & !LEAF)
        }
    }

    /// As a word.
    pub fn word(self) -> u32 {
        match self {
            Self::Arm(arm) => arm | LEAF,
            Self::Node(at) => at,
            Self::Fall => FALL,
        }
    }
}

/// The word of an edge to an arm.
pub fn write_leaf(arm: u32) -> u32 {
    Edge::Arm(arm).word()
}

/// How a node's words are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NodeKind {
    /// A few classes, looked through.
    List = 0,
    /// Many classes, hashed.
    Table = 1,
    /// A residual list of arms; see [`super::residual`].
    Residual = 2,
}

/// The first word of a node.
#[derive(Clone, Copy)]
pub(crate) struct Header(u32);

impl Header {
    pub(crate) fn new(facet: u32, kind: NodeKind, n: u32) -> Self {
        Self(facet << 12 | (kind as u32) << 8 | n)
    }

    pub(crate) fn word(self) -> u32 {
        self.0
    }

    pub(crate) fn facet(self) -> u32 {
        self.0 >> 12
    }

    pub(crate) fn kind(self) -> Option<NodeKind> {
        match self.0 >> 8 & 0xf {
            0 => Some(NodeKind::List),
            1 => Some(NodeKind::Table),
            2 => Some(NodeKind::Residual),
            _ => None,
        }
    }

    pub(crate) fn n(self) -> usize {
        (self.0 & 0xff) as usize
    }
}

/// A node, read.
pub(crate) enum Node<'c> {
    Test(Test<'c>),
    Residual,
}

/// A node that tests a facet.
pub(crate) struct Test<'c> {
    pub(crate) facet: u32,
    otherwise: U32,
    entries: &'c [[U32; 2]],
    hashed: bool,
}

impl Test<'_> {
    /// Where a class leads.
    #[inline]
    pub(crate) fn edge(&self, class: u32) -> Edge {
        let word = if self.hashed {
            self.find_hashed(class)
        } else {
            let named = self.entries.iter().find(|[named, _]| named.get() == class);
            named.map(|[_, edge]| edge.get())
        };
        Edge::from_word(word.unwrap_or(self.otherwise.get()))
    }

    #[inline]
    fn find_hashed(&self, class: u32) -> Option<u32> {
        let mask = self.entries.len() - 1;
        let mut place = place(class, mask);
        // At most half full: an empty place ends the search.
        loop {
            let [named, edge] = self.entries[place];
            match named.get() {
                EMPTY => return None,
                named if named == class => return Some(edge.get()),
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// All edges, and the classes they are for (`None`: otherwise).
    pub(crate) fn edges(&self) -> impl Iterator<Item = (Option<u32>, Edge)> {
        let named = self
            .entries
            .iter()
            .filter(|[class, _]| class.get() != EMPTY);
        let named = named.map(|[class, edge]| (Some(class.get()), Edge::from_word(edge.get())));
        std::iter::once((None, Edge::from_word(self.otherwise.get()))).chain(named)
    }

    /// Whether there is an empty place where the search needs one.
    pub(crate) fn ends(&self) -> bool {
        !self.hashed || self.entries.iter().any(|[class, _]| class.get() == EMPTY)
    }
}

fn place(class: u32, mask: usize) -> usize {
    (class.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask
}

/// Reads the node at a word. Whether one stands there was checked when the bundle was opened.
#[inline]
pub(crate) fn node(code: &[U32], at: usize) -> Node<'_> {
    let header = Header(code[at].get());
    let hashed = match header.kind() {
        Some(NodeKind::List) => false,
        Some(NodeKind::Table) => true,
        Some(NodeKind::Residual) | None => return Node::Residual,
    };
    let count = if hashed { 1 << header.n() } else { header.n() };
    Node::Test(Test {
        facet: header.facet(),
        otherwise: code[at + 1],
        entries: code[at + 2..at + 2 + 2 * count].as_chunks().0,
        hashed,
    })
}

/// Words of the node at a place, or `None` where none can stand.
pub(crate) fn node_length(code: &[U32], at: usize) -> Option<usize> {
    let header = Header(code.get(at)?.get());
    let length = match header.kind()? {
        NodeKind::List if header.n() > 0 => 2 + 2 * header.n(),
        NodeKind::Table if (1..31).contains(&header.n()) => 2 + (2 << header.n()),
        NodeKind::Residual => residual::length(code, at)?,
        NodeKind::List | NodeKind::Table => return None,
    };
    (code.len() - at >= length).then_some(length)
}

/// Appends a node that tests `facet`; returns the edge to it. `entries` name classes and the words
/// of their edges, at least one, in ascending order.
pub fn write_node(code: &mut Vec<U32>, facet: u32, otherwise: u32, entries: &[(u32, u32)]) -> Edge {
    let at = code.len() as u32;
    if entries.len() <= LIST_LIMIT {
        let header = Header::new(facet, NodeKind::List, entries.len() as u32);
        code.extend([U32::new(header.word()), U32::new(otherwise)]);
        code.extend(
            entries
                .iter()
                .flat_map(|&(class, edge)| [class, edge])
                .map(U32::new),
        );
        return Edge::Node(at);
    }
    let bits = (2 * entries.len()).next_power_of_two().trailing_zeros();
    let header = Header::new(facet, NodeKind::Table, bits);
    code.extend([U32::new(header.word()), U32::new(otherwise)]);
    let mask = (1 << bits) - 1;
    let mut places = vec![[U32::new(EMPTY); 2]; mask + 1];
    for &(class, edge) in entries {
        let mut place = place(class, mask);
        while places[place][0].get() != EMPTY {
            place = (place + 1) & mask;
        }
        places[place] = [U32::new(class), U32::new(edge)];
    }
    code.extend(places.into_iter().flatten());
    Edge::Node(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_every_size_find_their_classes() {
        for count in [1, 2, 6, 7, 8, 100, 1000] {
            let mut code = Vec::new();
            let entries: Vec<_> = (0..count).map(|i| (2 + 3 * i, write_leaf(i))).collect();
            let otherwise = Edge::Fall.word();
            assert_eq!(write_node(&mut code, 5, otherwise, &entries), Edge::Node(0));
            assert_eq!(node_length(&code, 0), Some(code.len()));
            let Node::Test(test) = node(&code, 0) else {
                unreachable!("a test was written")
            };
            assert_eq!(test.facet, 5);
            assert!(test.ends());
            for i in 0..count {
                assert_eq!(test.edge(2 + 3 * i), Edge::Arm(i));
                assert_eq!(test.edge(3 + 3 * i), Edge::Fall);
            }
            assert_eq!(test.edges().count(), count as usize + 1);
        }
    }
}
