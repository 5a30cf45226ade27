//! Readers of text: a language, anything but some literals, numbers of some sizes.

use super::classes::has;
use super::word::{Outlook, Reader};
use crate::model::condition::TextPattern;
use crate::plan::formula::ClassSet;
use crate::plan::text::{TextAutomaton, build};
use mesh_bundle::classify::{FIRST, OTHER};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Numbers for states that are made as they are asked for.
pub(super) struct States<S> {
    all: Vec<S>,
    numbers: HashMap<S, u32>,
}

impl<S: Clone + Eq + Hash> States<S> {
    pub(super) fn new() -> Self {
        Self {
            all: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) fn number(&mut self, state: S) -> u32 {
        let next = self.all.len() as u32;
        *self.numbers.entry(state).or_insert_with_key(|state| {
            self.all.push(state.clone());
            next
        })
    }

    pub(super) fn get(&self, number: u32) -> &S {
        &self.all[number as usize]
    }
}

/// A regular language, and what its states still allow.
#[derive(Debug)]
pub(super) struct Language {
    automaton: TextAutomaton,
    /// How many bytes a word needs at least to be accepted, from each state; none if it never is.
    to_accept: Vec<Option<u32>>,
    /// The same to be refused.
    to_refuse: Vec<Option<u32>>,
}

impl Language {
    pub(super) fn new(automaton: TextAutomaton) -> Self {
        let accepting: Vec<bool> = (0..)
            .zip(automaton.rows())
            .map(|(state, _)| automaton.is_accepting(state))
            .collect();
        let refusing: Vec<bool> = accepting.iter().map(|accepts| !accepts).collect();
        let mut before = vec![Vec::new(); accepting.len()];
        for (state, row) in (0u32..).zip(automaton.rows()) {
            for &next in row {
                before[next as usize].push(state);
            }
        }
        Self {
            to_accept: distances(&accepting, &before),
            to_refuse: distances(&refusing, &before),
            automaton,
        }
    }

    /// The language of a regular expression of ours.
    pub(super) fn of(regex: &str) -> Option<Self> {
        build(&TextPattern::Regex(regex.into())).ok().map(Self::new)
    }

    pub(super) fn accepts(&self, word: &[u8]) -> bool {
        self.automaton.accepts(word)
    }
}

/// How far it is at least from each state to one that is marked.
fn distances(marked: &[bool], before: &[Vec<u32>]) -> Vec<Option<u32>> {
    let mut distances: Vec<Option<u32>> = marked.iter().map(|marked| marked.then_some(0)).collect();
    let mut queue: VecDeque<u32> = (0..)
        .zip(marked)
        .filter(|(_, marked)| **marked)
        .map(|(state, _)| state)
        .collect();
    while let Some(state) = queue.pop_front() {
        let next = distances[state as usize].map(|distance| distance + 1);
        for &earlier in &before[state as usize] {
            if distances[earlier as usize].is_none() {
                distances[earlier as usize] = next;
                queue.push_back(earlier);
            }
        }
    }
    distances
}

/// "In this language", or "not in it".
pub(super) struct InLanguage<'l> {
    pub(super) language: &'l Language,
    pub(super) wanted: bool,
}

impl InLanguage<'_> {
    /// How far it is to a word that is as wanted.
    fn towards(&self) -> &[Option<u32>] {
        if self.wanted {
            &self.language.to_accept
        } else {
            &self.language.to_refuse
        }
    }

    /// How far it is to a word that is not.
    fn away(&self) -> &[Option<u32>] {
        if self.wanted {
            &self.language.to_refuse
        } else {
            &self.language.to_accept
        }
    }
}

impl Reader for InLanguage<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        self.language.automaton.byte_classes()
    }

    fn start(&mut self) -> u32 {
        self.language.automaton.start()
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        self.language.automaton.next(state, byte)
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let at = state as usize;
        match (self.towards()[at], self.away()[at]) {
            (None, _) => Outlook::Never,
            (Some(_), None) => Outlook::Always,
            (Some(0), Some(_)) => Outlook::Here,
            (Some(_), Some(_)) => Outlook::Later,
        }
    }

    fn least(&self, state: u32) -> usize {
        self.towards()[state as usize].unwrap_or(0) as usize
    }
}

/// Words that begin as the word read so far: a run of the sorted list, and how far it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) end: u32,
    depth: u32,
}

impl Run {
    /// All of `count` words.
    pub(super) fn all(count: usize) -> Self {
        Self {
            start: 0,
            end: count as u32,
            depth: 0,
        }
    }

    /// No word begins so.
    const NONE: Self = Self {
        start: 0,
        end: 0,
        depth: 0,
    };

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The words of which `byte` is the next.
    pub(super) fn next<W: AsRef<[u8]>>(self, words: &[W], byte: u8) -> Self {
        let depth = self.depth as usize;
        let here = &words[self.start as usize..self.end as usize];
        // A word that ends here stands before those that go on.
        let key = |word: &W| word.as_ref().get(depth).copied();
        let from = here.partition_point(|word| key(word) < Some(byte));
        let to = here.partition_point(|word| key(word) <= Some(byte));
        if from == to {
            return Self::NONE;
        }
        Self {
            start: self.start + from as u32,
            end: self.start + to as u32,
            depth: self.depth + 1,
        }
    }

    /// The word that was read to its end.
    pub(super) fn complete<W: AsRef<[u8]>>(self, words: &[W]) -> Option<usize> {
        let first = self.start as usize;
        (!self.is_empty() && words[first].as_ref().len() == self.depth as usize).then_some(first)
    }
}

/// A class for each byte that occurs in `words`, and one for all others.
pub(super) fn bytes_of<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> [u8; 256] {
    let mut used = [false; 256];
    for word in words {
        for &byte in word {
            used[usize::from(byte)] = true;
        }
    }
    let mut classes = [0; 256];
    let mut next = 0u8;
    for (class, used) in classes.iter_mut().zip(used) {
        if used {
            // Should every byte be used, the last one shares the class of no other.
            next = next.wrapping_add(1);
            *class = next;
        }
    }
    classes
}

/// "None of these words", which are sorted.
pub(super) struct NoneOf<'w> {
    words: Vec<&'w [u8]>,
    classes: [u8; 256],
    states: States<Run>,
}

impl<'w> NoneOf<'w> {
    pub(super) fn new(words: Vec<&'w [u8]>) -> Self {
        Self {
            classes: bytes_of(words.iter().copied()),
            words,
            states: States::new(),
        }
    }
}

impl Reader for NoneOf<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        &self.classes
    }

    fn start(&mut self) -> u32 {
        self.states.number(Run::all(self.words.len()))
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let next = self.states.get(state).next(&self.words, byte);
        self.states.number(next)
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let run = self.states.get(state);
        if run.is_empty() {
            Outlook::Always
        } else if run.complete(&self.words).is_some() {
            Outlook::Later
        } else {
            Outlook::Here
        }
    }
}

/// "A number in one of these classes", or, where the class of other text is among them, no number.
pub(super) struct Sized<'s> {
    /// The bounds between classes, ascending. None is below the first.
    bounds: Vec<i64>,
    /// Their digits, without the sign.
    digits: Vec<Vec<u8>>,
    wanted: &'s ClassSet,
    classes: [u8; 256],
    states: States<Number>,
}

/// A number read so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Number {
    Nothing,
    Minus,
    Digits {
        negative: bool,
        /// Digits without leading zeros, as far as they matter.
        count: usize,
        /// How they compare with as many digits of each bound.
        compared: Vec<std::cmp::Ordering>,
    },
    /// Other text.
    Other,
}

/// More digits than any bound has.
const MANY: usize = 20;

impl<'s> Sized<'s> {
    /// `bounds` are as [`mesh_bundle::classify::bounds::decimal_number`] makes them.
    pub(super) fn new(bounds: &[u128], wanted: &'s ClassSet) -> Self {
        // No number comes to a bound behind the last number of 64 bits.
        let bounds = bounds.iter().filter_map(|&bound| u64::try_from(bound).ok());
        let bounds: Vec<i64> = bounds
            .map(|bound| (bound ^ 1 << 63).cast_signed())
            .collect();
        let mut classes = [0; 256];
        for (byte, class) in (b'0'..=b'9').zip(1..) {
            classes[usize::from(byte)] = class;
        }
        classes[usize::from(b'-')] = 11;
        Self {
            digits: bounds
                .iter()
                .map(|bound| match bound.unsigned_abs() {
                    0 => Vec::new(),
                    size => size.to_string().into_bytes(),
                })
                .collect(),
            bounds,
            wanted,
            classes,
            states: States::new(),
        }
    }

    fn push(&self, state: &Number, byte: u8) -> Number {
        use std::cmp::Ordering::{Equal, Greater};
        let digit = byte.is_ascii_digit();
        let (negative, count, compared) = match state {
            Number::Nothing if byte == b'-' => return Number::Minus,
            Number::Nothing if digit => (false, 0, vec![Equal; self.bounds.len()]),
            Number::Minus if digit => (true, 0, vec![Equal; self.bounds.len()]),
            Number::Digits {
                negative,
                count,
                compared,
            } if digit => (*negative, *count, compared.clone()),
            _ => return Number::Other,
        };
        if count == 0 && byte == b'0' {
            return Number::Digits {
                negative,
                count,
                compared,
            };
        }
        let compared = compared
            .into_iter()
            .zip(&self.digits)
            .map(|(so_far, digits)| match digits.get(count) {
                None => Greater,
                Some(bound) => so_far.then(byte.cmp(bound)),
            })
            .collect();
        Number::Digits {
            negative,
            count: (count + 1).min(MANY),
            compared,
        }
    }

    /// The class of what was read.
    fn class(&self, state: &Number) -> u32 {
        use std::cmp::Ordering::{Greater, Less};
        let Number::Digits {
            negative,
            count,
            compared,
        } = state
        else {
            return OTHER;
        };
        let negative = *negative && *count > 0;
        let not_above = self.bounds.iter().zip(&self.digits).zip(compared);
        let not_above = not_above.filter(|((bound, digits), compared)| {
            let size = match count.cmp(&digits.len()) {
                std::cmp::Ordering::Equal => **compared,
                longer => longer,
            };
            match (negative, **bound < 0) {
                (false, true) => true,
                (true, false) => false,
                (false, false) => size != Less,
                // What has no room in 64 bits counts as the nearest that has.
                (true, true) => size != Greater || **bound <= -i64::MAX,
            }
        });
        match not_above.count() as u32 {
            0 => OTHER,
            count => FIRST + count - 1,
        }
    }
}

impl Reader for Sized<'_> {
    fn byte_classes(&self) -> &[u8; 256] {
        &self.classes
    }

    fn start(&mut self) -> u32 {
        self.states.number(Number::Nothing)
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let next = self.push(self.states.get(state), byte);
        self.states.number(next)
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let state = self.states.get(state);
        let wanted = has(self.wanted, self.class(state));
        match (state, wanted) {
            (Number::Other, true) => Outlook::Always,
            (Number::Other, false) => Outlook::Never,
            (_, true) => Outlook::Here,
            (_, false) => Outlook::Later,
        }
    }
}
