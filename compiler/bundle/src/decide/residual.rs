//! Lists of arms that have no small diagram.
//!
//! Three hundred arms that each test three of thirty headers at random share nothing: their diagram
//! explodes in any order of fields. Such a list is kept as bitmaps instead. For each facet, each
//! class has a row with a bit for every arm that may still match; a request's rows are intersected, and
//! the arms that are left are asked in order, each by a diagram of its own.
//!
//! ```text
//! facets:20 kind:4 0:8 │ words of all │ arms m │ live row │ facets … │ rows … │ m edges
//!   facet  facet │ row of other classes │ count │ count × (class, row), by class
//!   row    ⌈m/32⌉ words; rows are named by their word offset in the code
//! ```
//! The *live row* has a bit for each arm: it keeps the unused bits of the last word out.

use super::MAX_RESIDUAL_FACETS;
use super::diagram::{Edge, Header, NodeKind};
use zerocopy::little_endian::U32;

/// Words before the facets.
const FIXED: usize = 4;

/// A residual list, read.
#[derive(Clone, Copy)]
pub(crate) struct Residual<'c> {
    code: &'c [U32],
    at: usize,
    end: usize,
    arms: usize,
    facets: usize,
}

/// Reads the residual at a word.
#[inline]
pub(crate) fn residual(code: &[U32], at: usize) -> Residual<'_> {
    Residual {
        code,
        at,
        end: at + code[at + 1].get() as usize,
        arms: code[at + 2].get() as usize,
        facets: Header::facet_of(code[at]) as usize,
    }
}

impl Header {
    fn facet_of(word: U32) -> u32 {
        word.get() >> 12
    }
}

/// A facet of a residual list.
pub(crate) struct RowsOf<'c> {
    pub(crate) facet: u32,
    otherwise: usize,
    rows: &'c [[U32; 2]],
}

impl RowsOf<'_> {
    /// Where the row of a class stands.
    #[inline]
    pub(crate) fn row(&self, class: u32) -> usize {
        let found = self
            .rows
            .binary_search_by_key(&class, |[named, _]| named.get());
        found.map_or(self.otherwise, |index| self.rows[index][1].get() as usize)
    }

    /// All rows, for validation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        let named = self.rows.iter().map(|[_, row]| row.get() as usize);
        std::iter::once(self.otherwise).chain(named)
    }

    /// Whether the classes are in ascending order.
    pub(crate) fn is_sorted(&self) -> bool {
        self.rows.is_sorted_by(|[a, _], [b, _]| a.get() < b.get())
    }
}

impl<'c> Residual<'c> {
    /// How many facets narrow it down.
    #[inline]
    pub(crate) fn facet_count(&self) -> usize {
        self.facets
    }

    /// Its arms.
    pub(crate) fn arm_count(&self) -> usize {
        self.arms
    }

    /// Words of a row.
    #[inline]
    pub(crate) fn words(&self) -> usize {
        self.arms.div_ceil(32)
    }

    /// A word of the live row.
    #[inline]
    pub(crate) fn live(&self, word: usize) -> u32 {
        self.code[self.live_row() + word].get()
    }

    /// Where the live row stands.
    pub(crate) fn live_row(&self) -> usize {
        self.code[self.at + 3].get() as usize
    }

    /// The diagram of an arm.
    #[inline]
    pub(crate) fn arm(&self, index: usize) -> Edge {
        Edge::from_word(self.code[self.end - self.arms + index].get())
    }

    /// Where rows may stand.
    pub(crate) fn body(&self) -> std::ops::Range<usize> {
        self.at + FIXED..self.end - self.arms
    }

    /// Its facets.
    #[inline]
    pub(crate) fn facets(&self) -> impl Iterator<Item = RowsOf<'c>> + use<'c> {
        let code = self.code;
        let mut at = self.at + FIXED;
        (0..self.facets).map(move |_| {
            let count = code[at + 2].get() as usize;
            let rows = RowsOf {
                facet: code[at].get(),
                otherwise: code[at + 1].get() as usize,
                rows: code[at + 3..at + 3 + 2 * count].as_chunks().0,
            };
            at += 3 + 2 * count;
            rows
        })
    }
}

/// Words of the residual at a place, or `None` where its own counts do not fit.
pub(crate) fn length(code: &[U32], at: usize) -> Option<usize> {
    let [header, length, arms, _] = *code.get(at..at + FIXED)?.as_array::<FIXED>()?;
    let length = length.get() as usize;
    let words = code.get(at..at.checked_add(length)?)?;
    let facets = Header::facet_of(header) as usize;
    if facets > MAX_RESIDUAL_FACETS {
        return None;
    }
    let mut used = FIXED;
    for _ in 0..facets {
        let count = words.get(used + 2)?.get() as usize;
        used = used.checked_add(3)?.checked_add(count.checked_mul(2)?)?;
        if used > length {
            return None;
        }
    }
    (used.checked_add(arms.get() as usize)? <= length).then_some(length)
}

/// A residual list to be.
#[derive(Debug, Default)]
pub struct ResidualDraft {
    /// What narrows it down, at most [`MAX_RESIDUAL_FACETS`].
    pub facets: Vec<ResidualFacet>,
    /// The words of the edges of the arms' own diagrams, in order.
    pub arms: Vec<u32>,
}

/// A facet of a [`ResidualDraft`].
#[derive(Debug)]
pub struct ResidualFacet {
    /// The facet.
    pub facet: u32,
    /// The arms that classes not named may still match.
    pub otherwise: Vec<bool>,
    /// Classes in ascending order, and the arms that may still match.
    pub rows: Vec<(u32, Vec<bool>)>,
}

/// Appends a residual list; returns the edge to it.
pub fn write_residual(code: &mut Vec<U32>, draft: &ResidualDraft) -> Edge {
    let at = code.len();
    let words = draft.arms.len().div_ceil(32);
    let facet_words: usize = draft
        .facets
        .iter()
        .map(|facet| 3 + 2 * facet.rows.len())
        .sum();
    let row_count: usize = draft.facets.iter().map(|facet| 1 + facet.rows.len()).sum();
    let first_row = at + FIXED + facet_words;
    let length = FIXED + facet_words + (1 + row_count) * words + draft.arms.len();

    let header = Header::new(draft.facets.len() as u32, NodeKind::Residual, 0);
    let mut push = |word: usize| code.push(U32::new(word as u32));
    push(header.word() as usize);
    push(length);
    push(draft.arms.len());
    push(first_row);
    let mut row = first_row + words;
    let mut next_row = || {
        row += words;
        row - words
    };
    for facet in &draft.facets {
        push(facet.facet as usize);
        push(next_row());
        push(facet.rows.len());
        for (class, _) in &facet.rows {
            push(*class as usize);
            push(next_row());
        }
    }
    push_row(code, &vec![true; draft.arms.len()]);
    for facet in &draft.facets {
        push_row(code, &facet.otherwise);
        for (_, row) in &facet.rows {
            push_row(code, row);
        }
    }
    code.extend(draft.arms.iter().map(|&edge| U32::new(edge)));
    Edge::Node(at as u32)
}

fn push_row(code: &mut Vec<U32>, row: &[bool]) {
    code.extend(row.chunks(32).map(|bits| {
        let word = bits
            .iter()
            .rev()
            .fold(0, |word, &bit| word << 1 | u32::from(bit));
        U32::new(word)
    }));
}
