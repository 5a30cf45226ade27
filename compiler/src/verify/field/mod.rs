//! One field of a request: whether a value fits all that is asked of it, and which.
//!
//! What tables ask of a field is spread over facets, each with classes of its own, and facets of one field
//! hang together: a header that is `"a"` does not end with `b`. A *group* is a field with all its facets, or
//! several fields that hang together themselves (scheme and port; source and its namespace; all of the path; a token
//! and its claims). For a set of classes of each facet, [`Fields::value`] finds a value that is in all of them, or
//! none where there is none:
//!
//! - what can be counted out (callers, doors, numbers between bounds) is: one candidate for each way in which
//!   the facets tell values apart ([`listed`]);
//! - of text the literals of the policy are tried, then a few words that read well, then the product of the
//!   automata is searched ([`text`], [`super::word`]);
//! - of paths the shortest of each class is tried, with the tails that are asked behind it, then the same
//!   search, over paths in normal form ([`path`]);
//! - lists and tokens are made of texts ([`lists`]).
//!
//! To add a field is to say in [`group_of`] which group it belongs to, and in [`put`] how its value becomes part of a
//! [`Request`](super::Request).

mod classify;
mod listed;
mod lists;
mod path;
mod put;
mod text;

use super::budget::Budget;
use super::classes::{self, has, is_empty};
use super::domain::Domain;
use super::readers::Language;
use super::segments::Segments;
use super::world::{Door, World};
use crate::plan::formula::{ClassSet, ClassifierPlan, FacetPlan};
use crate::plan::path::Pattern;
use mesh_bundle::classify::FIRST;
use mesh_bundle::format::{ClassifierKind, FieldKind};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A field, or fields that hang together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Of {
    Method,
    Host,
    Header(String),
    Query(String),
    Cookie(String),
    /// The path, its segments from either side, and their number.
    Path,
    /// Scheme and port.
    Door,
    /// Source and its namespace.
    Caller,
    /// The peer's address.
    SourceIp,
    /// The client's address.
    ClientIp,
    /// Both, where they are the same.
    Address,
    /// The names in the client's certificate.
    Certificate,
    /// A token of this provider, and its claims.
    Token(u32),
    /// The consumer that a key of this provider belongs to.
    Key(u32),
    /// What no request has.
    Nothing,
}

/// The group of a facet.
fn group_of(plan: &FacetPlan, world: &World) -> Of {
    let name = || plan.name.clone().unwrap_or_default();
    match plan.field {
        FieldKind::Method => Of::Method,
        FieldKind::Host => Of::Host,
        FieldKind::Header => Of::Header(name()),
        FieldKind::Query => Of::Query(name()),
        FieldKind::Cookie => Of::Cookie(name()),
        FieldKind::PathText | FieldKind::PathTail | FieldKind::PathLength => Of::Path,
        FieldKind::Scheme | FieldKind::Port => Of::Door,
        FieldKind::Source | FieldKind::SourceNamespace => Of::Caller,
        FieldKind::SourceIp | FieldKind::ClientIp if world.direct => Of::Address,
        FieldKind::SourceIp => Of::SourceIp,
        FieldKind::ClientIp => Of::ClientIp,
        FieldKind::ClientCertSan => Of::Certificate,
        FieldKind::Jwt | FieldKind::Claim => Of::Token(plan.provider),
        FieldKind::Key => Of::Key(plan.provider),
        FieldKind::Inventory => Of::Nothing,
    }
}

impl Of {
    /// Which values it can have, where it is one text, or its parts are.
    fn domain(&self, world: &World) -> Option<Domain> {
        match self {
            Self::Method => Some(Domain::Method),
            Self::Host => Some(Domain::Host),
            Self::Header(_) => Some(Domain::Header),
            Self::Query(_) => Some(Domain::Query),
            Self::Cookie(_) => Some(Domain::Cookie),
            Self::Path => Some(Domain::Path(world.encoded_slash)),
            Self::Certificate | Self::Token(_) | Self::Key(_) => Some(Domain::Characters),
            Self::Door
            | Self::Caller
            | Self::SourceIp
            | Self::ClientIp
            | Self::Address
            | Self::Nothing => None,
        }
    }

    /// As conditions call it.
    fn name(&self, world: &World) -> String {
        let provider = |names: &[String], index: u32| {
            let name = names.get(index as usize).cloned();
            name.unwrap_or_else(|| index.to_string())
        };
        match self {
            Self::Method => "method".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Header(name) => format!("header.{name}"),
            Self::Query(name) => format!("query.{name}"),
            Self::Cookie(name) => format!("cookie.{name}"),
            Self::Path => "path".to_owned(),
            Self::Door => "port".to_owned(),
            Self::Caller => "source".to_owned(),
            Self::SourceIp => "source.ip".to_owned(),
            Self::ClientIp | Self::Address => "client-ip".to_owned(),
            Self::Certificate => "client-cert.san".to_owned(),
            Self::Token(index) => format!("jwt.{}", provider(&world.tokens, *index)),
            Self::Key(index) => format!("key.{}", provider(&world.keys, *index)),
            Self::Nothing => "inventory".to_owned(),
        }
    }
}

/// The value of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Absent,
    Text(Box<[u8]>),
    Caller(Box<str>),
    Door(Door),
    Address(u128),
    List(Vec<Box<[u8]>>),
    /// A token with these claims.
    Token(Vec<(Box<str>, Value)>),
}

/// A value with its classes, in the order of its group's facets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    value: Value,
    classes: Vec<u32>,
}

/// What is asked of a group: a set of classes of each of some facets.
pub(super) type Asked<'a> = &'a [(u32, ClassSet)];

/// What became of looking for a value.
#[derive(Clone, Debug)]
pub(super) enum Taken<V = Rc<Chosen>> {
    Value(V),
    Nothing,
    GaveUp,
}

impl<V> Taken<V> {
    fn map<W>(self, with: impl FnOnce(V) -> W) -> Taken<W> {
        match self {
            Self::Value(value) => Taken::Value(with(value)),
            Self::Nothing => Taken::Nothing,
            Self::GaveUp => Taken::GaveUp,
        }
    }
}

/// How much is done for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// What is known is tried.
    Guess,
    /// Then it is searched for.
    Search,
}

/// Classes of paths that are looked at together: what is asked is the same on all of them.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The classes, in ascending order. Each has a path.
    pub(super) classes: Vec<u32>,
}

impl Cell {
    /// The class, if there is only one.
    fn single(&self) -> Option<u32> {
        match *self.classes {
            [class] => Some(class),
            _ => None,
        }
    }
}

/// How the values of a facet are told apart.
#[derive(Debug)]
enum Classifier {
    Literals(Vec<String>),
    Language(Box<Language>),
    Decimal(Vec<u128>),
    Bounds(Vec<u128>),
    Tail,
    /// A member of a list, or a word of a text between spaces; and the texts that have it.
    Member(String, Option<Box<Language>>),
}

#[derive(Debug)]
struct Facet {
    field: FieldKind,
    /// The claim that it is about.
    claim: Option<Box<str>>,
    group: u32,
    /// Which of the group's facets it is.
    slot: usize,
    classifier: Classifier,
    /// The classes that values can have.
    all: ClassSet,
}

/// A text, or what a group has several of: the claims of a token.
#[derive(Debug)]
struct Part {
    claim: Option<Box<str>>,
    domain: Domain,
    facets: Vec<u32>,
    /// Words to try first.
    seeds: OnceCell<Vec<Word>>,
}

/// A text with its classes, in the order of its part's facets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: Box<[u8]>,
    classes: Vec<u32>,
}

#[derive(Debug)]
struct Group {
    of: Of,
    facets: Vec<u32>,
    parts: Vec<Part>,
    /// The value where nothing is asked; none for the path, where it depends on the class.
    plain: Option<Rc<Chosen>>,
    /// All values that can be told apart, where they can be counted out.
    listed: Vec<Rc<Chosen>>,
}

/// The tails that tables ask of paths.
#[derive(Debug)]
struct Tails {
    patterns: Vec<Pattern>,
    segments: Segments,
}

/// All that tables ask, by fields.
#[derive(Debug)]
pub(super) struct Fields {
    world: World,
    facets: Vec<Facet>,
    groups: Vec<Group>,
    path_group: u32,
    pub(super) segments: Segments,
    tails: Option<Tails>,
    /// Searches done.
    searched: HashMap<Searched, Taken<Box<[u8]>>>,
}

/// A search: what is asked, and the classes of paths within which.
type Searched = (Vec<(u32, ClassSet)>, Vec<u32>);

impl Fields {
    pub(super) fn new(
        world: World,
        plans: Vec<FacetPlan>,
        segments: Segments,
        tails: Option<Segments>,
    ) -> Self {
        let mut it = Self {
            world,
            facets: Vec::with_capacity(plans.len()),
            groups: Vec::new(),
            path_group: 0,
            segments,
            tails: None,
            searched: HashMap::new(),
        };
        let mut numbers: HashMap<Of, u32> = HashMap::new();
        let mut tail_patterns = Vec::new();
        for (index, plan) in (0..).zip(plans) {
            let of = group_of(&plan, &it.world);
            let group = it.group(of, &mut numbers);
            let claim = match plan.field {
                FieldKind::Claim => plan.name.map(String::into_boxed_str),
                _ => None,
            };
            // That there is a token is no claim.
            if plan.field != FieldKind::Jwt {
                it.part(group, claim.as_deref(), index);
            }
            let facets = &mut it.groups[group as usize].facets;
            let slot = facets.len();
            facets.push(index);
            it.facets.push(Facet {
                field: plan.field,
                claim,
                group,
                slot,
                all: classes::only(Vec::new()),
                classifier: match plan.classifier {
                    ClassifierPlan::Literals(values) => Classifier::Literals(values),
                    ClassifierPlan::Automaton(automaton) => {
                        Classifier::Language(Box::new(Language::new(*automaton)))
                    }
                    ClassifierPlan::Bounds(bounds, ClassifierKind::Decimal) => {
                        Classifier::Decimal(bounds)
                    }
                    ClassifierPlan::Bounds(bounds, _) => Classifier::Bounds(bounds),
                    ClassifierPlan::Member(member) => {
                        let texts = lists::texts_with(&member).map(Box::new);
                        Classifier::Member(member, texts)
                    }
                    ClassifierPlan::Tail(patterns) => {
                        tail_patterns = patterns;
                        Classifier::Tail
                    }
                },
            });
        }
        it.tails = tails.map(|segments| Tails {
            patterns: tail_patterns,
            segments,
        });
        it.path_group = it.group(Of::Path, &mut numbers);
        for group in [Of::Method, Of::Host, Of::Door, Of::Caller] {
            it.group(group, &mut numbers);
        }
        for group in 0..it.groups.len() {
            it.complete(group);
        }
        it
    }

    fn group(&mut self, of: Of, numbers: &mut HashMap<Of, u32>) -> u32 {
        let next = self.groups.len() as u32;
        *numbers.entry(of).or_insert_with_key(|of| {
            self.groups.push(Group {
                of: of.clone(),
                facets: Vec::new(),
                parts: Vec::new(),
                plain: None,
                listed: Vec::new(),
            });
            next
        })
    }

    /// Adds a facet to the part of its group that it is about.
    fn part(&mut self, group: u32, claim: Option<&str>, facet: u32) {
        let group = &mut self.groups[group as usize];
        let Some(domain) = group.of.domain(&self.world) else {
            return;
        };
        let mut parts = group.parts.iter_mut();
        match parts.find(|part| part.claim.as_deref() == claim) {
            Some(part) => part.facets.push(facet),
            None => group.parts.push(Part {
                claim: claim.map(Box::from),
                domain,
                facets: vec![facet],
                seeds: OnceCell::new(),
            }),
        }
    }

    /// Finds what values a group can have at all.
    fn complete(&mut self, index: usize) {
        let listed = self.listed(index);
        let group = &self.groups[index];
        let all: Vec<(u32, ClassSet)> = group
            .facets
            .iter()
            .map(|&facet| {
                let it = &self.facets[facet as usize];
                let all = match group.of.domain(&self.world) {
                    Some(domain) => self.classes_of_text(&group.of, domain, it),
                    None => classes_of_listed(&listed, it),
                };
                (facet, all)
            })
            .collect();
        for (facet, all) in all {
            self.facets[facet as usize].all = all;
        }
        let plain = match (&self.groups[index].of, listed.first()) {
            (Of::Path, _) => None,
            (_, Some(first)) => Some(Rc::clone(first)),
            (Of::Method, _) => Some(self.chosen(index, Value::Text(b"GET".as_slice().into()))),
            (Of::Host, _) => {
                let host = self.world.host.as_bytes().into();
                Some(self.chosen(index, Value::Text(host)))
            }
            _ => Some(self.chosen(index, Value::Absent)),
        };
        let group = &mut self.groups[index];
        group.plain = plain;
        group.listed = listed;
    }

    /// The group of a facet.
    pub(super) fn group_index(&self, facet: u32) -> u32 {
        self.facets[facet as usize].group
    }

    /// The class of a chosen value in a facet of its group.
    pub(super) fn class_in(&self, chosen: &Chosen, facet: u32) -> u32 {
        chosen.classes[self.facets[facet as usize].slot]
    }

    /// The classes that values can have in a facet.
    pub(super) fn all(&self, facet: u32) -> &ClassSet {
        &self.facets[facet as usize].all
    }

    /// As conditions call the field of a group.
    pub(super) fn name(&self, group: u32) -> String {
        self.groups[group as usize].of.name(&self.world)
    }

    /// The group of the path.
    pub(super) fn path_group(&self) -> u32 {
        self.path_group
    }

    /// The value of a group of which nothing is asked.
    pub(super) fn plain(&self, group: u32, cell: &Cell) -> Option<Rc<Chosen>> {
        if let Some(plain) = &self.groups[group as usize].plain {
            return Some(Rc::clone(plain));
        }
        let path = self.paths(cell).into_iter().next()?;
        Some(self.chosen(group as usize, Value::Text(path.into_bytes().into())))
    }

    /// The path of a cell that has no other.
    pub(super) fn only_path(&self, cell: &Cell) -> Option<Rc<Chosen>> {
        let class = cell.single()?;
        let is_only = self.segments.is_single(class);
        is_only.then(|| self.plain(self.path_group, cell))?
    }

    /// What is possible of a facet of the path in a cell: its lengths.
    pub(super) fn lengths(&self, facet: u32, cell: &Cell) -> Option<ClassSet> {
        let facet = &self.facets[facet as usize];
        let (FieldKind::PathLength, Classifier::Bounds(bounds)) = (facet.field, &facet.classifier)
        else {
            return None;
        };
        let (fewest, most) = self.segments.lengths(cell.single()?);
        let ends = bounds.iter().skip(1).map(Some).chain([None]);
        let some = (FIRST..).zip(bounds.iter().zip(ends));
        let some = some.filter(|(_, (low, end))| {
            **low <= u128::from(most) && end.is_none_or(|end| *end > u128::from(fewest))
        });
        Some(classes::only(some.map(|(class, _)| class).collect()))
    }

    /// A value of a group with these classes.
    pub(super) fn value(
        &mut self,
        group: u32,
        asked: Asked<'_>,
        cell: &Cell,
        effort: Effort,
        budget: &mut Budget,
    ) -> Taken {
        if asked.iter().any(|(_, set)| is_empty(set)) {
            return Taken::Nothing;
        }
        let index = group as usize;
        let at = &self.groups[index];
        if let Some(plain) = &at.plain
            && self.fits(plain, asked)
        {
            return Taken::Value(Rc::clone(plain));
        }
        let value = match &at.of {
            Of::Path => return self.path(asked, cell, effort, budget),
            Of::Token(_) => self.token(index, asked, effort, budget),
            Of::Certificate => self.certificate(index, asked, effort, budget),
            Of::Method | Of::Host | Of::Header(_) | Of::Query(_) | Of::Cookie(_) | Of::Key(_) => {
                self.text(index, 0, asked, effort, budget).map(Value::Text)
            }
            Of::Door | Of::Caller | Of::SourceIp | Of::ClientIp | Of::Address | Of::Nothing => {
                let fit = at.listed.iter().find(|chosen| self.fits(chosen, asked));
                return fit.map_or(Taken::Nothing, |chosen| Taken::Value(Rc::clone(chosen)));
            }
        };
        value.map(|value| self.chosen(index, value))
    }

    fn fits(&self, chosen: &Chosen, asked: Asked<'_>) -> bool {
        asked
            .iter()
            .all(|(facet, set)| has(set, self.class_in(chosen, *facet)))
    }
}

/// The classes that occur among values that were counted out.
fn classes_of_listed(listed: &[Rc<Chosen>], facet: &Facet) -> ClassSet {
    let classes = listed.iter().map(|chosen| chosen.classes[facet.slot]);
    let mut classes: Vec<u32> = classes.collect();
    classes.sort_unstable();
    classes.dedup();
    classes::only(classes)
}
