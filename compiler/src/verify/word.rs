//! The shortest word that several readers accept.
//!
//! A reader is an automaton over bytes that makes its states as they are asked for: a regular expression, "none
//! of these literals", "a number from 7 on", a path of certain classes. What several of them accept is their
//! product; it is walked, short words first, and never built. Its states hold only the readers that are still
//! undecided: a pattern that cannot match any more, and was not to, is forgotten, so that two hundred patterns
//! with beginnings of their own are soon one.
//!
//! Bytes are tried in the order in which people like to read them, and of bytes that no reader tells apart only
//! the first: words come out short, and in letters.

use super::budget::Budget;
use std::collections::{BTreeMap, HashSet};

/// What a state says about the words that go on from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Whatever follows, it is accepted.
    Always,
    /// The word is accepted if it ends here.
    Here,
    /// It is not, but may come to be.
    Later,
    /// Whatever follows, it is not accepted.
    Never,
}

/// An automaton over bytes.
pub(super) trait Reader {
    /// A number for each byte. Bytes with one number lead to the same states, always.
    fn byte_classes(&self) -> &[u8; 256];

    /// The state before the first byte.
    fn start(&mut self) -> u32;

    /// The state after `byte`.
    fn next(&mut self, state: u32, byte: u8) -> u32;

    /// What a state says about the words that go on from it.
    fn outlook(&mut self, state: u32) -> Outlook;

    /// How many bytes a word needs at least to be accepted from a state where it may only come to be.
    fn least(&self, _state: u32) -> usize {
        1
    }
}

/// A reader that remembers where its states lead: others ask for the same ones again and again.
pub(super) struct Remembering<R> {
    reader: R,
    next: Vec<[u32; 256]>,
    outlooks: Vec<Option<Outlook>>,
}

/// Not asked yet.
const UNKNOWN: u32 = u32::MAX;

impl<R: Reader> Remembering<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            next: Vec::new(),
            outlooks: Vec::new(),
        }
    }
}

impl<R: Reader> Reader for Remembering<R> {
    fn byte_classes(&self) -> &[u8; 256] {
        self.reader.byte_classes()
    }

    fn start(&mut self) -> u32 {
        self.reader.start()
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let class = usize::from(self.reader.byte_classes()[usize::from(byte)]);
        let index = state as usize;
        while self.next.len() <= index {
            self.next.push([UNKNOWN; 256]);
        }
        if self.next[index][class] == UNKNOWN {
            self.next[index][class] = self.reader.next(state, byte);
        }
        self.next[index][class]
    }

    fn outlook(&mut self, state: u32) -> Outlook {
        let index = state as usize;
        self.outlooks
            .resize(self.outlooks.len().max(index + 1), None);
        *self.outlooks[index].get_or_insert_with(|| self.reader.outlook(state))
    }

    fn least(&self, state: u32) -> usize {
        self.reader.least(state)
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This word.
    Word(Vec<u8>),
    /// There is none.
    Nothing,
    /// The budget was spent before one was found.
    GaveUp,
}

/// Bytes in the order in which they are tried.
const PREFERRED: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./";

/// Readers and their states, those aside that accept whatever follows.
type State = Box<[(u32, u32)]>;

/// A state on the way, and how it was come to.
struct Visited {
    state: State,
    before: u32,
    byte: u8,
    /// Whether the word may end here.
    accepted: bool,
}

/// Looks for the shortest word that all `readers` accept and that is `fit`. Longer words than `longest`
/// do not count; what `readers` accept and is not fit is passed over.
///
/// States are looked at in the order of how long a word through them is at least (A*): that of the bytes read, and
/// of those that some reader still needs. Of those that are equal in this, the last found goes first, which leads
/// straight to a word where there are many.
pub(super) fn search(
    readers: &mut [&mut dyn Reader],
    longest: usize,
    fit: impl Fn(&[u8]) -> bool,
    budget: &mut Budget,
) -> Found {
    let alphabet = alphabet(readers);
    let starts: Vec<(u32, u32)> = (0..)
        .zip(readers.iter_mut())
        .map(|(index, reader)| (index, reader.start()))
        .collect();
    let mut visited = Vec::new();
    let mut seen: HashSet<State> = HashSet::new();
    let mut open: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
    if let Some(Look {
        state,
        accepted,
        least,
    }) = look(readers, starts)
    {
        seen.insert(state.clone());
        visited.push(Visited {
            state,
            before: u32::MAX,
            byte: 0,
            accepted,
        });
        open.entry(least).or_default().push((0, 0));
    }
    let mut passed_over = false;
    while let Some(mut next) = open.first_entry() {
        let Some((from_index, depth)) = next.get_mut().pop() else {
            next.remove();
            continue;
        };
        let from = visited[from_index as usize].state.clone();
        if visited[from_index as usize].accepted {
            let word = word(&visited, from_index);
            if fit(&word) {
                return Found::Word(word);
            }
            passed_over = true;
        }
        if depth == longest {
            continue;
        }
        if !budget.spend(1 + (alphabet.len() * from.len()) as u64 / STEP) {
            return Found::GaveUp;
        }
        let mut found: Vec<(usize, u32)> = Vec::new();
        for &byte in &alphabet {
            let next: Vec<(u32, u32)> = from
                .iter()
                .map(|&(index, state)| (index, readers[index as usize].next(state, byte)))
                .collect();
            let Some(Look {
                state,
                accepted,
                least,
            }) = look(readers, next)
            else {
                continue;
            };
            if seen.contains(&state) {
                continue;
            }
            seen.insert(state.clone());
            found.push((depth + 1 + least, visited.len() as u32));
            visited.push(Visited {
                state,
                before: from_index,
                byte,
                accepted,
            });
        }
        // What was found with the byte that reads best goes on top.
        for (length, at) in found.into_iter().rev() {
            open.entry(length).or_default().push((at, depth + 1));
        }
    }
    // Of the words that lead to one state only the first was tried.
    if passed_over {
        Found::GaveUp
    } else {
        Found::Nothing
    }
}

/// Transitions that count as one step of the budget.
const STEP: u64 = 64;

/// What readers say together.
struct Look {
    /// The readers that are undecided.
    state: State,
    /// Whether a word may end here.
    accepted: bool,
    /// How many bytes more it needs at least.
    least: usize,
}

/// What readers say together; none if no word that goes on from here is accepted.
fn look(readers: &mut [&mut dyn Reader], mut states: Vec<(u32, u32)>) -> Option<Look> {
    let mut accepted = true;
    let mut least = 0;
    let mut hopeless = false;
    states.retain(|&(index, state)| {
        let reader = &mut readers[index as usize];
        match reader.outlook(state) {
            Outlook::Always => return false,
            Outlook::Here => {}
            Outlook::Later => {
                accepted = false;
                least = least.max(reader.least(state));
            }
            Outlook::Never => hopeless = true,
        }
        true
    });
    (!hopeless).then(|| Look {
        state: states.into(),
        accepted,
        least,
    })
}

/// One byte of each kind that some reader tells apart, in the order of preference.
fn alphabet(readers: &[&mut dyn Reader]) -> Vec<u8> {
    let others = (0..=u8::MAX).filter(|byte| !PREFERRED.contains(byte));
    let printable = others.clone().filter(u8::is_ascii_graphic);
    let rest = others.filter(|byte| !byte.is_ascii_graphic());
    let mut seen = HashSet::new();
    let order = PREFERRED.iter().copied().chain(printable).chain(rest);
    order
        .filter(|&byte| {
            let kind: Vec<u8> = readers
                .iter()
                .map(|reader| reader.byte_classes()[usize::from(byte)])
                .collect();
            seen.insert(kind)
        })
        .collect()
}

/// The word that leads to a visited state.
fn word(visited: &[Visited], mut at: u32) -> Vec<u8> {
    let mut word = Vec::new();
    while visited[at as usize].before != u32::MAX {
        word.push(visited[at as usize].byte);
        at = visited[at as usize].before;
    }
    word.reverse();
    word
}
