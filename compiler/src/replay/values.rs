//! What a field may hold, as far as policies tell values apart: a value for each class.
//!
//! Values that a policy names are taken as they are. Of the others those count that automata (prefixes, substrings,
//! regular expressions) tell apart: their product is searched breadth first for a shortest text of each kind.

use super::given::Given;
use mesh_bundle::Bundle;
use mesh_bundle::asked;
use mesh_bundle::classify::{OTHER, bounds};
use mesh_bundle::cors;
use mesh_bundle::decide::Field;
use mesh_bundle::format::{
    Automaton, ClassifierKind, Facet, FieldKind, Id, StrId, address_from_bytes,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

/// States of products of automata that are looked at.
const MAX_STATES: usize = 20_000;
/// Ways to each of them that are tried.
const TRIES: usize = 4;
/// Members of lists that are combined in all ways.
const MAX_COMBINED: usize = 5;

/// The values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// One that stands for each class; absence first.
    pub(super) all: Vec<Given>,
    /// Whether every class has one.
    pub(super) complete: bool,
}

/// What policies test, by the names that the log has for fields.
#[derive(Debug, Default)]
pub(super) struct Tested<'b> {
    facets: BTreeMap<String, Vec<(&'b Bundle, &'b Facet)>>,
    /// Values that preflights are told apart by.
    preflights: BTreeMap<String, BTreeSet<String>>,
}

impl<'b> Tested<'b> {
    /// Adds what a bundle tests.
    pub(super) fn add(&mut self, bundle: &'b Bundle) {
        for facet in bundle.facets() {
            let name = Field::of_facet(bundle, facet).and_then(|field| asked::name(bundle, field));
            if let Some(name) = name {
                self.facets.entry(name).or_default().push((bundle, facet));
            }
        }
        self.add_preflights(bundle);
    }

    /// Preflights are answered by the methods that they announce, and by their origins.
    fn add_preflights(&mut self, bundle: &Bundle) {
        if bundle.corses().is_empty() {
            return;
        }
        let mut values = |name: &str, values: BTreeSet<String>| {
            let name = asked::name(bundle, Field::Header(name));
            let known = self.preflights.entry(name.unwrap_or_default());
            known.or_default().extend(values);
        };
        let origins = bundle.corses().iter().flat_map(|cors| {
            let origins = bundle.texts()[cors.origins.range()].iter();
            origins.map(|origin| bundle.str(origin.text).to_owned())
        });
        values(cors::ORIGIN, origins.filter(|it| it != "*").collect());
        let mut methods = Found::default();
        for facet in bundle.facets() {
            if facet.field == FieldKind::Method.code() {
                methods.read(bundle, facet);
            }
        }
        values(cors::METHOD, methods.named);
    }

    /// Whether a field is tested.
    pub(super) fn tests(&self, name: &str) -> bool {
        self.facets.contains_key(name)
    }

    /// The values of a field that comes more than once: what decisions may see of it then.
    pub(super) fn values_repeated(&self, name: &str) -> Values {
        let once = self.values(name);
        let texts = once.all.into_iter();
        let mut texts: Vec<Given> = texts.filter(|given| given.text().is_some()).collect();
        let mut complete = once.complete;
        if name.starts_with("header.") {
            // What is joined has a `,` in it. Where texts are told apart by their shape others may count too.
            texts.retain(|given| given.text().is_some_and(|text| text.contains(',')));
            let taken = |text: &String| texts.iter().any(|given| given.text() == Some(text));
            let mut others = (2..).map(|count| vec!["other"; count].join(","));
            let other = others.find(|text| !taken(text));
            texts.extend(other.map(Given::Like));
            let mut facets = self.facets.get(name).into_iter().flatten();
            let automaton = Some(ClassifierKind::Automaton);
            complete &=
                !facets.any(|(_, it)| ClassifierKind::from_code(it.classifier) == automaton);
        }
        let all = texts.into_iter();
        Values {
            all: all.map(|seen| Given::Repeated(Box::new(seen))).collect(),
            complete,
        }
    }

    /// The values of a field that comes once.
    pub(super) fn values(&self, name: &str) -> Values {
        let facets = self.facets.get(name).map_or(&[][..], Vec::as_slice);
        let kind = facets.first().map(|(_, facet)| facet.field);
        if name.starts_with("jwt.") && kind != Some(FieldKind::Claim.code()) {
            let all = vec![Given::Absent, Given::Valid];
            return Values {
                all,
                complete: true,
            };
        }
        if name == "source.ip" {
            return addresses(facets);
        }
        let mut found = Found::default();
        for (bundle, facet) in facets {
            found.read(bundle, facet);
        }
        found
            .named
            .extend(self.preflights.get(name).into_iter().flatten().cloned());
        let lists =
            kind == Some(FieldKind::Claim.code()) || kind == Some(FieldKind::ClientCertSan.code());
        found.values(name, lists)
    }
}

/// What facets compare a field with.
#[derive(Default)]
struct Found<'b> {
    named: BTreeSet<String>,
    members: BTreeSet<String>,
    automata: Vec<(&'b Bundle, &'b Automaton)>,
    numbers: BTreeSet<i64>,
    /// A value that is no text.
    unnamed: bool,
}

impl<'b> Found<'b> {
    fn read(&mut self, bundle: &'b Bundle, facet: &'b Facet) {
        let run = |count: u32| {
            let start = facet.start.get() as usize;
            start..start + count as usize
        };
        let text = |id: StrId| str::from_utf8(bundle.str_bytes(id)).ok().map(str::to_owned);
        match ClassifierKind::from_code(facet.classifier) {
            Some(ClassifierKind::Literals) => {
                for literal in &bundle.literals()[run(facet.count.get())] {
                    if literal.class.get() != OTHER {
                        let named = text(literal.value);
                        self.unnamed |= named.is_none();
                        self.named.extend(named);
                    }
                }
            }
            Some(ClassifierKind::Automaton) => {
                let automaton = bundle.automaton(Id::new(facet.start.get()));
                self.automata.push((bundle, automaton));
            }
            Some(ClassifierKind::Decimal) => {
                for bound in &bundle.bounds()[run(facet.count.get())] {
                    let low = u64::try_from(bound.low.get()).unwrap_or(u64::MAX);
                    let low = (low ^ (1 << 63)).cast_signed();
                    self.numbers.extend([low.saturating_sub(1), low]);
                }
            }
            Some(ClassifierKind::Member) => {
                self.members.extend(text(StrId::new(facet.start.get())));
            }
            Some(ClassifierKind::Bounds | ClassifierKind::Tail) | None => {}
        }
    }

    fn values(self, name: &str, lists: bool) -> Values {
        let mut all = vec![Given::Absent];
        let mut taken: HashSet<String> = self.named.iter().cloned().collect();
        all.extend(self.named.iter().cloned().map(Given::Text));
        for number in &self.numbers {
            let number = number.to_string();
            if taken.insert(number.clone()) {
                all.push(Given::Like(number));
            }
        }
        // A text may be a number of a size and of a shape: that is not looked into.
        let mixed = usize::from(!self.automata.is_empty())
            + usize::from(!self.numbers.is_empty())
            + usize::from(!self.members.is_empty());
        let mut complete = mixed < 2 && !self.unnamed;
        let members: Vec<&String> = self.members.iter().collect();
        let combined = members.len().min(MAX_COMBINED);
        complete &= combined == members.len();
        for chosen in 1..1_u32 << combined {
            let texts = (0..combined).filter(|index| chosen >> index & 1 == 1);
            let texts: Vec<String> = texts.map(|index| members[index].clone()).collect();
            all.push(if lists {
                Given::List(texts)
            } else {
                Given::Like(texts.join(" "))
            });
        }
        if self.automata.is_empty() {
            let mut others = (0..).map(|count| format!("other{}", "-".repeat(count)));
            // Of so many one is not taken.
            all.extend(others.find(|it| !taken.contains(it)).map(Given::Like));
            return Values { all, complete };
        }
        let product = Product {
            automata: &self.automata,
            place: Place::of(name),
        };
        complete &= product.search(|text| {
            let number = !self.numbers.is_empty() && bounds::decimal(text.as_bytes()).is_some();
            let new = !number && taken.insert(text.clone());
            if new {
                all.push(Given::Like(text));
            }
            new
        });
        Values { all, complete }
    }
}

/// What may stand in a field.
#[derive(Clone, Copy)]
enum Place {
    Header,
    Cookie,
    Anywhere,
}

impl Place {
    fn of(name: &str) -> Self {
        match name.split_once('.') {
            Some(("header", _)) => Self::Header,
            Some(("cookie", _)) => Self::Cookie,
            _ => Self::Anywhere,
        }
    }

    fn takes(self, byte: u8) -> bool {
        match self {
            Self::Header => byte >= b' ' && byte != 0x7f,
            Self::Cookie => byte >= b' ' && !matches!(byte, 0x7f | b';'),
            Self::Anywhere => true,
        }
    }

    /// Blank space around it is no part of a header or cookie.
    fn may_hold(self, text: &str) -> bool {
        matches!(self, Self::Anywhere) || text.trim_matches(' ') == text
    }
}

/// Several automata at once.
struct Product<'p> {
    automata: &'p [(&'p Bundle, &'p Automaton)],
    place: Place,
}

impl Product<'_> {
    /// Finds for each way in which the automata answer a shortest text that `keep` takes. False if some may be
    /// missing.
    fn search(&self, mut keep: impl FnMut(String) -> bool) -> bool {
        let bytes = self.bytes();
        let start: Vec<u32> = self.automata.iter().map(|(_, it)| it.start.get()).collect();
        let mut visits: HashMap<Vec<u32>, usize> = HashMap::new();
        // How the automata answer, and whether a text was kept for it.
        let mut answers: HashMap<Vec<bool>, bool> = HashMap::new();
        let mut open = VecDeque::from([(start.clone(), Vec::new())]);
        let mut offer = |state: &[u32], text: &[u8]| {
            let kept = answers.entry(self.answer(state)).or_default();
            if !*kept && let Ok(text) = String::from_utf8(text.to_owned()) {
                *kept = self.place.may_hold(&text) && keep(text);
            }
        };
        while let Some((state, text)) = open.pop_front() {
            if visits.len() > MAX_STATES {
                return false;
            }
            // The empty text says little to people: it is the last to be offered.
            if !text.is_empty() {
                offer(&state, &text);
            }
            for &byte in &bytes {
                let next = self.next(&state, byte);
                let visits = visits.entry(next.clone()).or_default();
                // A text may be taken, or unfit for its place: others that lead there are tried too.
                if *visits < TRIES {
                    *visits += 1;
                    let mut longer = text.clone();
                    longer.push(byte);
                    open.push_back((next, longer));
                }
            }
        }
        offer(&start, b"");
        answers.values().all(|kept| *kept)
    }

    fn answer(&self, state: &[u32]) -> Vec<bool> {
        let state = state.iter().zip(self.automata);
        state
            .map(|(state, (_, it))| *state >= it.first_accepting.get())
            .collect()
    }

    fn next(&self, state: &[u32], byte: u8) -> Vec<u32> {
        let step = |(state, (bundle, it)): (&u32, &(&Bundle, &Automaton))| {
            let class = u32::from(it.byte_classes[usize::from(byte)]);
            let at = *state * it.byte_class_count.get() + class;
            bundle.transitions()[it.transitions.range()][at as usize].get()
        };
        state.iter().zip(self.automata).map(step).collect()
    }

    /// A byte for each class that the automata tell apart; those that people can read are preferred.
    fn bytes(&self) -> Vec<u8> {
        let order = (b'a'..=b'z')
            .chain(b'0'..=b'9')
            .chain(b'A'..=b'Z')
            .chain(b'!'..=b'~')
            .chain(0..=255);
        let mut classes: HashSet<Vec<u8>> = HashSet::new();
        let takes = order.filter(|byte| self.place.takes(*byte));
        let new = |byte: &u8| {
            let class = self.automata.iter();
            let class = class.map(|(_, it)| it.byte_classes[usize::from(*byte)]);
            classes.insert(class.collect())
        };
        takes.filter(new).collect()
    }
}

/// An address for each range that is tested. Each request comes from one.
fn addresses(facets: &[(&Bundle, &Facet)]) -> Values {
    let mut lows = BTreeSet::from([0xffff_0000_0000_u128]);
    for (bundle, facet) in facets {
        let start = facet.start.get() as usize;
        let bounds = &bundle.bounds()[start..start + facet.count.get() as usize];
        lows.extend(bounds.iter().map(|bound| bound.low.get()));
    }
    let texts = lows.into_iter().map(|low| {
        let address = address_from_bytes(low.to_be_bytes());
        Given::Like(address.to_string())
    });
    Values {
        all: texts.collect(),
        complete: true,
    }
}
