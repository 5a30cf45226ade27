//! What an arm asks, as a formula over facets.
//!
//! A table's tests are collected first: each field that is tested becomes one facet or several, and
//! all that is asked of a facet splits its values into classes. Then each arm's match becomes a
//! formula whose atoms are "the class of this facet is one of these". Path patterns stay atoms of their
//! own: which of them take a path is known for each path class, so they are put in as constants there.
//!
//! A pattern with a `**` that is not its end (`/a/**/b`) is exactly three things: what stands before
//! it (a pattern with a final `**`), what stands behind it (the same, read from the right), and at
//! least as many segments as both have.

use super::path::{Pattern, Segment};
use super::text::{TextAutomaton, build};
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::model::regex::RegexError;
use mesh_bundle::classify::bounds::decimal_number;
use mesh_bundle::classify::{ABSENT, FIRST};
use mesh_bundle::format::{ClassifierKind, FieldKind, FieldRef, address_number};
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, PathPattern};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A formula, by its number in [`Formulas`]. Equal formulas have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormulaId(u32);

impl FormulaId {
    /// Its number.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// What a formula says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Formula {
    /// Never.
    False,
    /// Always.
    True,
    /// The class of a facet is one of these.
    Class(u32, ClassSet),
    /// The path pattern with this number takes the path.
    Path(u32),
    /// Not this.
    Not(FormulaId),
    /// All of these.
    And(Box<[FormulaId]>),
    /// One of these.
    Or(Box<[FormulaId]>),
}

/// A set of a facet's classes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClassSet {
    /// Whether classes that `named` does not name are in it.
    pub others: bool,
    /// Classes in ascending order for which it is the other way round.
    pub named: Vec<u32>,
}

/// Formulas of one table.
#[derive(Debug)]
pub struct Formulas {
    all: Vec<Formula>,
    numbers: HashMap<Formula, FormulaId>,
    /// Whether a formula asks a path pattern.
    asks_path: Vec<bool>,
}

impl Formulas {
    /// Never.
    pub const FALSE: FormulaId = FormulaId(0);
    /// Always.
    pub const TRUE: FormulaId = FormulaId(1);

    fn new() -> Self {
        let mut it = Self {
            all: Vec::new(),
            numbers: HashMap::new(),
            asks_path: Vec::new(),
        };
        it.intern(Formula::False);
        it.intern(Formula::True);
        it
    }

    fn intern(&mut self, formula: Formula) -> FormulaId {
        if let Some(&known) = self.numbers.get(&formula) {
            return known;
        }
        let asks_path = match &formula {
            Formula::False | Formula::True | Formula::Class(..) => false,
            Formula::Path(_) => true,
            Formula::Not(part) => self.asks_path(*part),
            Formula::And(parts) | Formula::Or(parts) => {
                parts.iter().any(|&part| self.asks_path(part))
            }
        };
        let id = FormulaId(self.all.len() as u32);
        self.all.push(formula.clone());
        self.asks_path.push(asks_path);
        self.numbers.insert(formula, id);
        id
    }

    /// What a formula says.
    pub fn get(&self, id: FormulaId) -> &Formula {
        &self.all[id.0 as usize]
    }

    /// Whether it asks a path pattern.
    pub fn asks_path(&self, id: FormulaId) -> bool {
        self.asks_path[id.0 as usize]
    }

    fn not(&mut self, part: FormulaId) -> FormulaId {
        match *self.get(part) {
            Formula::False => Self::TRUE,
            Formula::True => Self::FALSE,
            Formula::Not(inner) => inner,
            _ => self.intern(Formula::Not(part)),
        }
    }

    fn and(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        let parts: BTreeSet<FormulaId> = parts.into_iter().collect();
        if parts.contains(&Self::FALSE) {
            return Self::FALSE;
        }
        let parts: Box<[_]> = parts
            .into_iter()
            .filter(|&part| part != Self::TRUE)
            .collect();
        match *parts {
            [] => Self::TRUE,
            [one] => one,
            _ => self.intern(Formula::And(parts)),
        }
    }

    /// One of these.
    pub fn or(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        let parts: BTreeSet<FormulaId> = parts.into_iter().collect();
        if parts.contains(&Self::TRUE) {
            return Self::TRUE;
        }
        let parts: Box<[_]> = parts
            .into_iter()
            .filter(|&part| part != Self::FALSE)
            .collect();
        match *parts {
            [] => Self::FALSE,
            [one] => one,
            _ => self.intern(Formula::Or(parts)),
        }
    }

    /// A formula on a path that exactly the patterns in `accepts` (ascending) take.
    pub fn on_path(&mut self, id: FormulaId, accepts: &[u32]) -> FormulaId {
        if !self.asks_path(id) {
            return id;
        }
        match self.get(id).clone() {
            Formula::False | Formula::True | Formula::Class(..) => id,
            Formula::Path(pattern) => match accepts.binary_search(&pattern) {
                Ok(_) => Self::TRUE,
                Err(_) => Self::FALSE,
            },
            Formula::Not(part) => {
                let part = self.on_path(part, accepts);
                self.not(part)
            }
            Formula::And(parts) => {
                let parts: Vec<_> = parts
                    .iter()
                    .map(|&part| self.on_path(part, accepts))
                    .collect();
                self.and(parts)
            }
            Formula::Or(parts) => {
                let parts: Vec<_> = parts
                    .iter()
                    .map(|&part| self.on_path(part, accepts))
                    .collect();
                self.or(parts)
            }
        }
    }

    /// The path patterns that a formula asks, in ascending order.
    pub fn patterns(&self, id: FormulaId) -> Vec<u32> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match self.get(id) {
                Formula::Path(pattern) => {
                    found.insert(*pattern);
                }
                Formula::Not(part) => open.push(*part),
                Formula::And(parts) | Formula::Or(parts) => open.extend(parts.iter().copied()),
                Formula::False | Formula::True | Formula::Class(..) => {}
            }
        }
        found.into_iter().collect()
    }

    /// The facets that a formula asks, in the order in which it does.
    pub fn facets(&self, id: FormulaId) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match self.get(id) {
                Formula::Class(facet, _) if !found.contains(facet) => found.push(*facet),
                Formula::Not(part) => open.push(*part),
                Formula::And(parts) | Formula::Or(parts) => open.extend(parts.iter().rev()),
                _ => {}
            }
        }
        found
    }
}

/// What tells the facets of a table apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Literals(Field),
    Pattern(Field, TextPattern),
    Decimal(Field),
    Numbers(Field),
    Member(Field, String),
    PathTail,
    PathLength,
}

/// A facet, complete: what is written for it.
#[derive(Debug)]
pub struct FacetPlan {
    /// The field in the bundle.
    pub field: FieldKind,
    /// The token or keys whose claim or consumer it is.
    pub provider: u32,
    /// Name of a header, query parameter, cookie, claim or field of an inventory.
    pub name: Option<String>,
    /// How its values are told apart.
    pub classifier: ClassifierPlan,
}

/// How a facet's values are told apart.
#[derive(Debug)]
pub enum ClassifierPlan {
    /// Values; the class of one is its index + [`FIRST`].
    Literals(Vec<String>),
    /// A byte automaton.
    Automaton(Box<TextAutomaton>),
    /// Bounds; the class of what lies from one up to the next is its index + [`FIRST`].
    Bounds(Vec<u128>, ClassifierKind),
    /// An automaton over the path's segments from the right, for these patterns.
    Tail(Vec<Pattern>),
    /// A member of a list.
    Member(String),
}

/// The first pass: what a table asks.
#[derive(Default)]
pub struct Asked {
    /// Facets in the order in which they were first asked.
    order: Vec<Key>,
    numbers: HashMap<Key, u32>,
    literals: BTreeMap<Field, BTreeSet<String>>,
    cuts: BTreeMap<Key, BTreeSet<u128>>,
    /// Where a text pattern is asked first.
    spans: HashMap<TextPattern, Span>,
    /// Path patterns that a forward automaton reads.
    pub patterns: Vec<Pattern>,
    pattern_numbers: HashMap<Pattern, u32>,
    tails: Vec<Pattern>,
    tail_numbers: HashMap<Pattern, u32>,
}

/// A regular expression that makes no automaton, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRegex {
    /// Where the test is.
    pub span: Span,
    /// Why not.
    pub error: RegexError,
}

/// A pattern as the formulas ask it.
enum Split {
    /// By the forward automaton.
    Anchored(Pattern),
    /// What stands before `**`, what behind (from the right), and the least number of segments.
    Floating(Pattern, Pattern, usize),
}

fn split(pattern: &PathPattern) -> Split {
    let segments: Pattern = pattern.segments().iter().map(Segment::from).collect();
    let rest = segments
        .iter()
        .position(|segment| *segment == Segment::Rest);
    match rest {
        Some(at) if at + 1 < segments.len() => {
            let (before, after) = (&segments[..at], &segments[at + 1..]);
            let head = before.iter().cloned().chain([Segment::Rest]).collect();
            let tail = after.iter().rev().cloned().chain([Segment::Rest]).collect();
            Split::Floating(head, tail, before.len() + after.len())
        }
        _ => Split::Anchored(segments),
    }
}

impl Asked {
    fn facet(&mut self, key: Key) -> u32 {
        let next = self.order.len() as u32;
        *self.numbers.entry(key).or_insert_with_key(|key| {
            self.order.push(key.clone());
            next
        })
    }

    /// Notes what a condition asks.
    pub fn condition(&mut self, condition: &Condition) {
        for test in condition.tests() {
            self.test(test);
        }
    }

    /// Notes that the method is compared with these.
    pub fn methods<'m>(&mut self, methods: impl IntoIterator<Item = &'m str>) {
        let methods: Vec<String> = methods.into_iter().map(str::to_owned).collect();
        self.one_of(&Field::Method, &methods);
    }

    /// Notes a path pattern.
    pub fn path(&mut self, pattern: &PathPattern) {
        match split(pattern) {
            Split::Anchored(pattern) => {
                self.pattern_number(pattern);
            }
            Split::Floating(head, tail, least) => {
                self.pattern_number(head);
                self.facet(Key::PathTail);
                let next = self.tails.len() as u32;
                self.tail_numbers.entry(tail).or_insert_with_key(|tail| {
                    self.tails.push(tail.clone());
                    next
                });
                self.cut(Key::PathLength, [0, least as u128]);
            }
        }
    }

    fn pattern_number(&mut self, pattern: Pattern) -> u32 {
        let next = self.patterns.len() as u32;
        *self
            .pattern_numbers
            .entry(pattern)
            .or_insert_with_key(|pattern| {
                self.patterns.push(pattern.clone());
                next
            })
    }

    fn one_of(&mut self, field: &Field, values: &[String]) {
        self.facet(Key::Literals(field.clone()));
        let known = self.literals.entry(field.clone()).or_default();
        known.extend(values.iter().cloned());
    }

    fn text(&mut self, field: &Field, pattern: TextPattern, span: Span) {
        self.spans.entry(pattern.clone()).or_insert(span);
        self.facet(Key::Pattern(field.clone(), pattern));
    }

    fn cut(&mut self, key: Key, at: impl IntoIterator<Item = u128>) {
        self.facet(key.clone());
        self.cuts.entry(key).or_default().extend(at);
    }

    fn test(&mut self, test: &Test) {
        let field = &test.field;
        match &test.predicate {
            Predicate::Present => self.one_of(field, &[]),
            Predicate::OneOf(values) if *field == Field::Port => {
                for port in ports(values) {
                    self.cut(Key::Numbers(field.clone()), port_cuts(port, port));
                }
            }
            Predicate::OneOf(values) => self.one_of(field, values),
            Predicate::Text(pattern) => self.text(field, pattern.clone(), test.span),
            Predicate::Between(low, high) if *field == Field::Port => {
                self.cut(Key::Numbers(field.clone()), port_cuts(*low, *high));
            }
            Predicate::Between(low, high) => {
                let cuts = [
                    decimal_number(i64::MIN),
                    decimal_number(*low),
                    decimal_number(*high) + 1,
                ];
                self.cut(Key::Decimal(field.clone()), cuts);
            }
            Predicate::Paths(patterns) => patterns.iter().for_each(|pattern| self.path(pattern)),
            Predicate::Hosts(patterns) => {
                for pattern in patterns {
                    match pattern {
                        HostPattern::Exact(name) => self.one_of(field, std::slice::from_ref(name)),
                        HostPattern::Suffix(suffix) => {
                            self.text(field, host_suffix(suffix), test.span);
                        }
                        HostPattern::Any => {}
                    }
                }
            }
            Predicate::Member(member) => {
                self.facet(Key::Member(field.clone(), member.clone()));
            }
            Predicate::Networks(networks) => {
                let key = Key::Numbers(field.clone());
                let ranges = networks.iter().flat_map(|network| network_ranges(*network));
                let cuts = ranges.flat_map(|(low, high)| [Some(low), high.checked_add(1)]);
                self.cut(key, cuts.flatten().chain([0]));
            }
        }
    }

    /// Ends the first pass: facets complete, formulas to come.
    pub fn complete(self) -> Result<(Vec<FacetPlan>, Lowering), BadRegex> {
        let mut facets = Vec::with_capacity(self.order.len());
        let mut classes = Vec::with_capacity(self.order.len());
        for key in &self.order {
            let (facet, named) = self.facet_plan(key)?;
            facets.push(facet);
            classes.push(named);
        }
        let lowering = Lowering {
            numbers: self.numbers,
            classes,
            pattern_numbers: self.pattern_numbers,
            tail_numbers: self.tail_numbers,
            formulas: Formulas::new(),
            tail_classes: Vec::new(),
        };
        Ok((facets, lowering))
    }

    fn facet_plan(&self, key: &Key) -> Result<(FacetPlan, Classes), BadRegex> {
        let FieldName {
            kind: field,
            provider,
            name,
        } = match key {
            Key::Literals(field)
            | Key::Pattern(field, _)
            | Key::Decimal(field)
            | Key::Numbers(field)
            | Key::Member(field, _) => field_name(field),
            Key::PathTail => FieldName::of(FieldKind::PathTail),
            Key::PathLength => FieldName::of(FieldKind::PathLength),
        };
        let bounds = || -> Vec<u128> {
            let cuts = self.cuts.get(key);
            cuts.into_iter().flatten().copied().collect()
        };
        let (classifier, classes) = match key {
            Key::Literals(field) => {
                let values: Vec<String> = self
                    .literals
                    .get(field)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                let numbered = values.iter().cloned().zip(FIRST..).collect();
                (
                    ClassifierPlan::Literals(values),
                    Classes::Literals(numbered),
                )
            }
            Key::Pattern(_, pattern) => {
                let automaton = build(pattern).map_err(|error| BadRegex {
                    span: self.spans[pattern],
                    error,
                })?;
                (
                    ClassifierPlan::Automaton(Box::new(automaton)),
                    Classes::Automaton,
                )
            }
            Key::Decimal(_) => (
                ClassifierPlan::Bounds(bounds(), ClassifierKind::Decimal),
                Classes::Bounds(bounds()),
            ),
            Key::Numbers(_) | Key::PathLength => (
                ClassifierPlan::Bounds(bounds(), ClassifierKind::Bounds),
                Classes::Bounds(bounds()),
            ),
            Key::PathTail => (ClassifierPlan::Tail(self.tails.clone()), Classes::Tail),
            Key::Member(_, member) => (ClassifierPlan::Member(member.clone()), Classes::Automaton),
        };
        let plan = FacetPlan {
            field,
            provider,
            name,
            classifier,
        };
        Ok((plan, classes))
    }
}

/// How a bundle names a field.
#[derive(Clone, Debug)]
pub struct FieldName {
    /// What kind of field it is.
    pub kind: FieldKind,
    /// The token or keys whose claim or consumer it is.
    pub provider: u32,
    /// Its name, where fields of its kind have one.
    pub name: Option<String>,
}

impl FieldName {
    fn of(kind: FieldKind) -> Self {
        Self {
            kind,
            provider: 0,
            name: None,
        }
    }

    fn named(kind: FieldKind, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::of(kind)
        }
    }
}

/// How a bundle names a field.
pub fn field_name(field: &Field) -> FieldName {
    match field {
        Field::Method => FieldName::of(FieldKind::Method),
        Field::Path => FieldName::of(FieldKind::PathText),
        Field::Host => FieldName::of(FieldKind::Host),
        Field::Scheme => FieldName::of(FieldKind::Scheme),
        Field::Port => FieldName::of(FieldKind::Port),
        Field::Header(name) => FieldName::named(FieldKind::Header, name),
        Field::Query(name) => FieldName::named(FieldKind::Query, name),
        Field::Cookie(name) => FieldName::named(FieldKind::Cookie, name),
        Field::Source => FieldName::of(FieldKind::Source),
        Field::SourceNamespace => FieldName::of(FieldKind::SourceNamespace),
        Field::SourceIp => FieldName::of(FieldKind::SourceIp),
        Field::ClientIp => FieldName::of(FieldKind::ClientIp),
        Field::ClientCertSan => FieldName::of(FieldKind::ClientCertSan),
        Field::Jwt(jwt) => FieldName {
            provider: jwt.0,
            ..FieldName::of(FieldKind::Jwt)
        },
        Field::Claim(jwt, path) => FieldName {
            provider: jwt.0,
            ..FieldName::named(FieldKind::Claim, &claim_name(path))
        },
        Field::Key(keys) => FieldName {
            provider: keys.0,
            ..FieldName::of(FieldKind::Key)
        },
        Field::Inventory(name) => FieldName::named(FieldKind::Inventory, name),
    }
}

/// The path of a claim as one name.
pub fn claim_name(path: &[String]) -> String {
    path.join(&FieldRef::CLAIM_SEPARATOR.to_string())
}

fn host_suffix(suffix: &str) -> TextPattern {
    TextPattern::Suffix(format!(".{suffix}").into())
}

/// Ports, which a bundle knows as numbers.
fn ports(values: &[String]) -> impl Iterator<Item = i64> {
    values.iter().filter_map(|port| port.parse().ok())
}

fn port_cuts(low: i64, high: i64) -> [u128; 3] {
    let clamp = |value: i64| u128::from(value.clamp(0, 1 << 16).unsigned_abs());
    [0, clamp(low), clamp(high.saturating_add(1))]
}

/// The addresses of a network, as ranges of numbers, both ends included. A network of IPv6 holds no
/// IPv4 address: the block into which those are mapped is left out.
fn network_ranges(network: Cidr) -> Vec<(u128, u128)> {
    const MAPPED: (u128, u128) = (0xffff << 32, 0xffff_ffff_ffff);
    let low = address_number(network.ip);
    let free = 128 - u32::from(super::mapped_prefix(network));
    let mask = u128::MAX.checked_shl(free).unwrap_or(0);
    let (low, high) = (low & mask, low | !mask);
    if low < MAPPED.0 && high > MAPPED.1 {
        vec![(low, MAPPED.0 - 1), (MAPPED.1 + 1, high)]
    } else {
        vec![(low, high)]
    }
}

/// The classes of a complete facet.
enum Classes {
    Literals(HashMap<String, u32>),
    Automaton,
    Bounds(Vec<u128>),
    Tail,
}

impl ClassSet {
    fn only(classes: impl IntoIterator<Item = u32>) -> Self {
        let named: BTreeSet<u32> = classes.into_iter().collect();
        Self {
            others: false,
            named: named.into_iter().collect(),
        }
    }

    fn all_but(class: u32) -> Self {
        Self {
            others: true,
            named: vec![class],
        }
    }
}

/// The second pass: conditions become formulas.
pub struct Lowering {
    numbers: HashMap<Key, u32>,
    classes: Vec<Classes>,
    pattern_numbers: HashMap<Pattern, u32>,
    tail_numbers: HashMap<Pattern, u32>,
    /// The formulas made so far.
    pub formulas: Formulas,
    /// For each class of the path's tail the tail patterns that take it; known once their automaton
    /// is built.
    pub tail_classes: Vec<Vec<u32>>,
}

impl Lowering {
    fn class(&mut self, key: &Key, set: ClassSet) -> FormulaId {
        // The first pass saw every test that the second one lowers.
        let facet = self.numbers[key];
        self.formulas.intern(Formula::Class(facet, set))
    }

    /// "The field is one of these values."
    fn one_of(&mut self, field: &Field, values: &[String]) -> FormulaId {
        let key = Key::Literals(field.clone());
        let set = match &self.classes[self.numbers[&key] as usize] {
            Classes::Literals(numbers) => ClassSet::only(values.iter().map(|value| numbers[value])),
            _ => ClassSet::only([]),
        };
        self.class(&key, set)
    }

    /// "The method is one of these."
    pub fn methods<'m>(&mut self, methods: impl IntoIterator<Item = &'m str>) -> FormulaId {
        let methods: Vec<String> = methods.into_iter().map(str::to_owned).collect();
        self.one_of(&Field::Method, &methods)
    }

    /// "The number lies from `low` up to, but not including, `end`."
    fn between(&mut self, key: &Key, low: u128, end: Option<u128>) -> FormulaId {
        let set = match &self.classes[self.numbers[key] as usize] {
            Classes::Bounds(bounds) => {
                let inside = |bound: &u128| *bound >= low && end.is_none_or(|end| *bound < end);
                let classes = bounds.iter().zip(FIRST..);
                ClassSet::only(
                    classes
                        .filter(|(bound, _)| inside(bound))
                        .map(|(_, class)| class),
                )
            }
            _ => ClassSet::only([]),
        };
        self.class(key, set)
    }

    /// "This pattern takes the path."
    pub fn path(&mut self, pattern: &PathPattern) -> FormulaId {
        match split(pattern) {
            Split::Anchored(pattern) => {
                let number = self.pattern_numbers[&pattern];
                self.formulas.intern(Formula::Path(number))
            }
            Split::Floating(head, tail, least) => {
                let head = self.pattern_numbers[&head];
                let head = self.formulas.intern(Formula::Path(head));
                let tail = self.tail_numbers[&tail];
                let taken = (0..).zip(&self.tail_classes);
                let taken = taken.filter(|(_, accepts)| accepts.binary_search(&tail).is_ok());
                let set = ClassSet::only(taken.map(|(class, _)| class));
                let tail = self.class(&Key::PathTail, set);
                let long = self.between(&Key::PathLength, least as u128, None);
                self.formulas.and([head, tail, long])
            }
        }
    }

    /// "One of these patterns takes the path."
    pub fn paths(&mut self, patterns: &[PathPattern]) -> FormulaId {
        let parts: Vec<_> = patterns.iter().map(|pattern| self.path(pattern)).collect();
        self.formulas.or(parts)
    }

    /// All of these.
    pub fn and(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        self.formulas.and(parts)
    }

    /// A condition.
    pub fn condition(&mut self, condition: &Condition) -> FormulaId {
        match condition {
            Condition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
                self.formulas.and(parts)
            }
            Condition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
                self.formulas.or(parts)
            }
            Condition::Not(part) => {
                let part = self.condition(part);
                self.formulas.not(part)
            }
            Condition::Test(test) => self.test(test),
        }
    }

    fn test(&mut self, test: &Test) -> FormulaId {
        let field = &test.field;
        match &test.predicate {
            Predicate::Present => {
                self.class(&Key::Literals(field.clone()), ClassSet::all_but(ABSENT))
            }
            Predicate::OneOf(values) if *field == Field::Port => {
                let key = Key::Numbers(field.clone());
                let parts: Vec<_> = ports(values)
                    .map(|port| {
                        let [_, low, end] = port_cuts(port, port);
                        self.between(&key, low, Some(end))
                    })
                    .collect();
                self.formulas.or(parts)
            }
            Predicate::OneOf(values) => self.one_of(field, values),
            Predicate::Text(pattern) => {
                let key = Key::Pattern(field.clone(), pattern.clone());
                self.class(&key, ClassSet::only([FIRST]))
            }
            Predicate::Between(low, high) if *field == Field::Port => {
                let [_, low, end] = port_cuts(*low, *high);
                self.between(&Key::Numbers(field.clone()), low, Some(end))
            }
            Predicate::Between(low, high) => {
                let key = Key::Decimal(field.clone());
                self.between(&key, decimal_number(*low), Some(decimal_number(*high) + 1))
            }
            Predicate::Paths(patterns) => self.paths(patterns),
            Predicate::Hosts(patterns) => {
                let parts: Vec<_> = patterns
                    .iter()
                    .map(|pattern| match pattern {
                        HostPattern::Exact(name) => self.one_of(field, std::slice::from_ref(name)),
                        HostPattern::Suffix(suffix) => {
                            let key = Key::Pattern(field.clone(), host_suffix(suffix));
                            self.class(&key, ClassSet::only([FIRST]))
                        }
                        HostPattern::Any => Formulas::TRUE,
                    })
                    .collect();
                self.formulas.or(parts)
            }
            Predicate::Member(member) => {
                let key = Key::Member(field.clone(), member.clone());
                self.class(&key, ClassSet::only([FIRST]))
            }
            Predicate::Networks(networks) => {
                let key = Key::Numbers(field.clone());
                let ranges: Vec<_> = networks
                    .iter()
                    .flat_map(|network| network_ranges(*network))
                    .collect();
                let parts: Vec<_> = ranges
                    .iter()
                    .map(|(low, high)| self.between(&key, *low, high.checked_add(1)))
                    .collect();
                self.formulas.or(parts)
            }
        }
    }
}
