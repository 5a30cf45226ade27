//! Which arm of a table takes a request.
//!
//! A table is two decision diagrams: one for the arms that are held to few path classes, one for the
//! *wide* ones (no path, or a condition on a large part of all paths). Both give an arm; the one that
//! stands first in the source wins. In a single diagram every wide arm would be copied into each path
//! class.
//!
//! ```text
//! path ─▶ class ─┬─▶ narrow root ─▶ field? ─▶ … ─▶ arm ─┐
//!                └─▶ wide root   ─▶ field? ─▶ … ─▶ arm ─┴─▶ the lower one
//! ```
//!
//! Fields are classified when a node first asks for them: a header that nobody tests on this path is
//! never looked at. A lookup costs the fields on two ways from root to leaf, however many arms there
//! are, and allocates nothing.

mod diagram;
mod request;
mod residual;

pub use diagram::{Edge, FALL, NodeKind};
pub(crate) use diagram::{Node, node, node_length};
pub use request::{
    Claim, ClaimValue, Field, Plain, RequestView, Value, Watched, cookie, cookies, query_parameter,
    query_parameters,
};
pub(crate) use residual::residual;

pub mod write {
    //! Writing diagrams: for the compiler.
    pub use super::diagram::{MAX_FACETS, write_leaf, write_node};
    pub use super::residual::{ResidualDraft, ResidualFacet, write_residual};
}

use crate::classify::{ABSENT, FIRST, OTHER, automaton, bounds, literals, path};
use crate::format::{
    Arm, Bundle, ClassifierKind, Facet, FieldKind, FieldRef, Id, Rule, StrId, Table,
};
use std::borrow::Cow;
use zerocopy::little_endian::U32;

/// The arm of `table` that takes `request`: the first in the order of the source whose match holds.
#[inline]
pub fn decide(bundle: &Bundle, table: Id<Table>, request: &impl RequestView) -> Option<Id<Arm>> {
    let arms = bundle.table(table).arms;
    let arm = leaf(bundle, table, request)?;
    Some(Id::new(arms.start() as u32 + arm))
}

/// What rules say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It repeats a header, parameter or cookie that a rule tests: it is refused before the rules are
    /// asked, so that none is slipped past by sending two.
    Repeated(Id<FieldRef>),
    /// This rule decides.
    Rule(Id<Rule>),
    /// No rule matches.
    NoRule,
}

/// What the rules of `table` say of `request`.
#[inline]
pub fn judge(bundle: &Bundle, table: Id<Table>, request: &impl RequestView) -> Verdict {
    let it = bundle.table(table);
    let repeated = it.single.ids().find(|id| {
        let single = bundle.field_ref(*id);
        let name = bundle.opt_str(single.name).unwrap_or_default();
        FieldKind::from_code(single.field)
            .and_then(|kind| Field::new(kind, single.provider.get(), name))
            .is_some_and(|field| request.repeats(field))
    });
    if let Some(repeated) = repeated {
        return Verdict::Repeated(repeated);
    }
    match leaf(bundle, table, request) {
        Some(rule) => Verdict::Rule(Id::new(it.rules.start() as u32 + rule)),
        None => Verdict::NoRule,
    }
}

/// Whether the condition that a table of one arm stands for holds of a request.
#[inline]
pub fn holds(bundle: &Bundle, condition: Id<Table>, request: &impl RequestView) -> bool {
    leaf(bundle, condition, request).is_some()
}

/// The first arm or rule whose match holds, counted from the table's first.
#[inline]
fn leaf(bundle: &Bundle, table: Id<Table>, request: &impl RequestView) -> Option<u32> {
    let table = bundle.table(table);
    let automaton = bundle.path_automaton(table.path);
    let class = path::class(bundle, automaton, request.path().segments());
    let roots = &bundle.path_classes()[table.classes.start() + class as usize];
    let mut evaluation = Evaluation::new(bundle, table, request);
    let narrow = evaluation.walk(Edge::from_word(roots.narrow.get()));
    let wide = evaluation.walk(Edge::from_word(roots.wide.get()));
    match (narrow, wide) {
        (Some(narrow), Some(wide)) => Some(narrow.min(wide)),
        (narrow, wide) => narrow.or(wide),
    }
}

/// How many classes an evaluation remembers; more facets than this share places.
const REMEMBERED: usize = 16;

/// One request before one table.
struct Evaluation<'e, R> {
    bundle: &'e Bundle,
    facets: &'e [Facet],
    first_facet: u32,
    code: &'e [U32],
    request: &'e R,
    /// Classes found so far: facet + 1 (0: nothing) and class, by facet modulo the size.
    remembered: [(u32, u32); REMEMBERED],
}

impl<'e, R: RequestView> Evaluation<'e, R> {
    #[inline]
    fn new(bundle: &'e Bundle, table: &'e Table, request: &'e R) -> Self {
        Self {
            bundle,
            facets: &bundle.facets()[table.facets.range()],
            first_facet: table.facets.start() as u32,
            code: &bundle.code()[table.code.range()],
            request,
            remembered: [(0, 0); REMEMBERED],
        }
    }

    /// Follows a diagram from `edge` to an arm, or to none.
    #[inline]
    fn walk(&mut self, mut edge: Edge) -> Option<u32> {
        loop {
            let at = match edge {
                Edge::Arm(arm) => return Some(arm),
                Edge::Fall => return None,
                Edge::Node(at) => at as usize,
            };
            match node(self.code, at) {
                Node::Test(test) => edge = test.edge(self.class(test.facet)),
                Node::Residual => return self.residual(at),
            }
        }
    }

    /// The class of the request's value for a facet.
    #[inline]
    fn class(&mut self, facet: u32) -> u32 {
        let place = facet as usize % REMEMBERED;
        if let (known, class) = self.remembered[place]
            && known == facet + 1
        {
            return class;
        }
        let class = self.classify(facet);
        self.remembered[place] = (facet + 1, class);
        class
    }

    fn classify(&self, index: u32) -> u32 {
        let facet = &self.facets[index as usize];
        let id = Id::new(self.first_facet + index);
        let Some(kind) = FieldKind::from_code(facet.field) else {
            return OTHER;
        };
        match kind {
            FieldKind::PathTail => {
                let automaton = self.bundle.path_automaton(Id::new(facet.start.get()));
                return path::class(self.bundle, automaton, self.request.path().segments().rev());
            }
            FieldKind::PathLength => {
                let count = self.request.path().segment_count() as u128;
                return bounds::class(self.bundle, facet, count);
            }
            FieldKind::PathText => {
                return self.text_class(facet, self.request.path().as_str().as_bytes());
            }
            _ => {}
        }
        let name = self.bundle.opt_str(facet.name).unwrap_or_default();
        let Some(field) = Field::new(kind, facet.provider.get(), name) else {
            return OTHER;
        };
        match self.request.field(field, id) {
            Value::Absent => ABSENT,
            Value::Text(text) => self.text_class(facet, &text),
            Value::Number(number) => bounds::class(self.bundle, facet, number),
            Value::List(members) => self.list_class(facet, &members),
        }
    }

    /// A list has no text to compare: it is asked for members, or whether one is of a shape.
    fn list_class(&self, facet: &Facet, members: &[Cow<'_, [u8]>]) -> u32 {
        let any = match ClassifierKind::from_code(facet.classifier) {
            Some(ClassifierKind::Member) => {
                let wanted = self.bundle.str_bytes(StrId::new(facet.start.get()));
                members.iter().any(|member| **member == *wanted)
            }
            // Of the names of a certificate each is text; of a claim's list none is.
            Some(ClassifierKind::Automaton) if facet.field == FieldKind::ClientCertSan.code() => {
                members
                    .iter()
                    .any(|member| self.text_class(facet, member) == FIRST)
            }
            _ => false,
        };
        if any { FIRST } else { OTHER }
    }

    fn text_class(&self, facet: &Facet, text: &[u8]) -> u32 {
        match ClassifierKind::from_code(facet.classifier) {
            Some(ClassifierKind::Literals) => literals::class(self.bundle, facet, text),
            Some(ClassifierKind::Automaton) => {
                let automaton = self.bundle.automaton(Id::new(facet.start.get()));
                if automaton::accepts(self.bundle, automaton, text) {
                    FIRST
                } else {
                    OTHER
                }
            }
            Some(ClassifierKind::Decimal) => bounds::decimal(text)
                .map_or(OTHER, |number| bounds::class(self.bundle, facet, number)),
            // RFC 6749 §3.3: a scope is a list with spaces between its members.
            Some(ClassifierKind::Member) => {
                let wanted = self.bundle.str_bytes(StrId::new(facet.start.get()));
                let mut members = text.split(|&byte| byte == b' ');
                if members.any(|member| member == wanted) {
                    FIRST
                } else {
                    OTHER
                }
            }
            Some(ClassifierKind::Bounds | ClassifierKind::Tail) | None => OTHER,
        }
    }

    /// The first arm of a residual list whose condition holds: the arms that the fields leave, then
    /// their own diagrams in order.
    fn residual(&mut self, at: usize) -> Option<u32> {
        let code = self.code;
        let residual = residual(code, at);
        let mut rows = [0usize; MAX_RESIDUAL_FACETS];
        for (row, facet) in rows.iter_mut().zip(residual.facets()) {
            *row = facet.row(self.class(facet.facet));
        }
        let rows = &rows[..residual.facet_count()];
        for word in 0..residual.words() {
            let mut left = residual.live(word);
            for &row in rows {
                left &= code[row + word].get();
            }
            while left != 0 {
                let arm = word * 32 + left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(arm) = self.walk(residual.arm(arm)) {
                    return Some(arm);
                }
            }
        }
        None
    }
}

/// Facets that narrow down a residual list; what more there are is left to the arms' diagrams.
pub const MAX_RESIDUAL_FACETS: usize = 48;
