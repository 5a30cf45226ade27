//! From a test on text (prefix, suffix, substring, regular expression) to a byte automaton.
//!
//! `regex-automata` determinises; the result is walked once and kept as our own tables, because its
//! serialised form is tied to its version. Regular expressions are bytes, match the whole value, and
//! have no look-around, so that every one is a plain regular language.

use crate::model::condition::TextPattern;
use crate::model::regex::{NEST_LIMIT, RegexError, check};
use mesh_bundle::classify::automaton::DEAD;
use mesh_bundle::format::{Automaton, Draft, Id, Run, extend};
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};
use std::collections::HashMap;
use zerocopy::little_endian::U32;

/// States that one automaton may have.
pub const MAX_STATES: usize = 10_000;
/// Memory that determinising may use, in bytes.
const WORK_LIMIT: usize = 16 << 20;

/// Tables of an automaton, before they are written.
#[derive(Clone, Debug)]
pub struct TextAutomaton {
    byte_classes: [u8; 256],
    byte_class_count: u32,
    /// Rows of `byte_class_count` states. State 0 is dead.
    transitions: Vec<u32>,
    start: u32,
    first_accepting: u32,
}

/// Builds the automaton of a pattern.
pub fn build(pattern: &TextPattern) -> Result<TextAutomaton, RegexError> {
    let any = "(?s-u:.)*";
    let regex = match pattern {
        TextPattern::Prefix(text) => format!("{}{any}", regex_syntax::escape(text)),
        TextPattern::Suffix(text) => format!("{any}{}", regex_syntax::escape(text)),
        TextPattern::Contains(text) => format!("{any}{}{any}", regex_syntax::escape(text)),
        TextPattern::Regex(text) => {
            check(text)?;
            text.to_string()
        }
    };
    // Acceptance is asked at the end of the value, so the end need not be part of the pattern, if all
    // matches are followed and none cuts the search short.
    let dfa = dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .dfa_size_limit(Some(WORK_LIMIT))
                .determinize_size_limit(Some(WORK_LIMIT)),
        )
        .syntax(
            syntax::Config::new()
                .unicode(false)
                .utf8(false)
                .nest_limit(NEST_LIMIT),
        )
        .thompson(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(WORK_LIMIT)),
        )
        .build(&format!("(?:{regex})\\z"))
        .map_err(|_| RegexError::TooBig(MAX_STATES))?;
    tables(&dfa)
}

fn tables(dfa: &dense::DFA<Vec<u32>>) -> Result<TextAutomaton, RegexError> {
    let classes = dfa.byte_classes();
    let mut byte_classes = [0; 256];
    let mut representatives = Vec::new();
    for byte in 0..=u8::MAX {
        let class = classes.get(byte);
        byte_classes[usize::from(byte)] = class;
        if usize::from(class) == representatives.len() {
            representatives.push(byte);
        }
    }
    let start = dfa
        .start_state(&start::Config::new().anchored(Anchored::Yes))
        .map_err(|_| RegexError::LooksAround)?;

    // All reachable states, breadth first. The dead one comes first, as number 0.
    let mut found = Vec::new();
    let mut numbers = HashMap::new();
    let mut enter = |state, found: &mut Vec<_>| {
        *numbers.entry(state).or_insert_with(|| {
            found.push(state);
            found.len()
        }) as u32
    };
    let first = if dfa.is_dead_state(start) {
        DEAD
    } else {
        enter(start, &mut found)
    };
    let mut rows: Vec<Vec<u32>> = Vec::new();
    let mut accepting = Vec::new();
    while let Some(&state) = found.get(rows.len()) {
        if found.len() > MAX_STATES {
            return Err(RegexError::TooBig(MAX_STATES));
        }
        let mut row = Vec::with_capacity(representatives.len());
        for &byte in &representatives {
            let next = dfa.next_state(state, byte);
            row.push(if dfa.is_dead_state(next) || dfa.is_quit_state(next) {
                DEAD
            } else {
                enter(next, &mut found)
            });
        }
        rows.push(row);
        accepting.push(dfa.is_match_state(dfa.next_eoi_state(state)));
    }

    // Accepting states go last, so that acceptance is a comparison.
    let mut place = vec![DEAD; rows.len() + 1];
    let mut next = 1;
    for wanted in [false, true] {
        for (index, &accepts) in accepting.iter().enumerate() {
            if accepts == wanted {
                place[index + 1] = next;
                next += 1;
            }
        }
    }
    let first_accepting = 1 + accepting.iter().filter(|&&accepts| !accepts).count() as u32;
    let stride = representatives.len();
    let mut transitions = vec![DEAD; (rows.len() + 1) * stride];
    for (index, row) in rows.iter().enumerate() {
        let at = place[index + 1] as usize * stride;
        for (slot, &to) in transitions[at..at + stride].iter_mut().zip(row) {
            *slot = place[to as usize];
        }
    }
    Ok(TextAutomaton {
        byte_classes,
        byte_class_count: stride as u32,
        transitions,
        start: place[first as usize],
        first_accepting,
    })
}

impl TextAutomaton {
    /// Whether it accepts `value` as a whole; what the runtime's tables will say.
    pub fn accepts(&self, value: &[u8]) -> bool {
        let state = value
            .iter()
            .fold(self.start, |state, &byte| self.next(state, byte));
        self.is_accepting(state)
    }

    /// The number of each byte's class: bytes with one number are never told apart.
    pub(crate) fn byte_classes(&self) -> &[u8; 256] {
        &self.byte_classes
    }

    /// The state before the first byte.
    pub(crate) fn start(&self) -> u32 {
        self.start
    }

    /// The state after `byte`.
    pub(crate) fn next(&self, state: u32, byte: u8) -> u32 {
        let class = usize::from(self.byte_classes[usize::from(byte)]);
        self.transitions[state as usize * self.byte_class_count as usize + class]
    }

    /// Whether a value that ends in this state is accepted.
    pub(crate) fn is_accepting(&self, state: u32) -> bool {
        state >= self.first_accepting
    }

    /// For each state those that may follow it, by byte classes.
    pub(crate) fn rows(&self) -> std::slice::ChunksExact<'_, u32> {
        self.transitions
            .chunks_exact(self.byte_class_count as usize)
    }

    /// Writes the tables.
    pub fn write(&self, draft: &mut Draft) -> Id<Automaton> {
        let transitions = self.transitions.iter().copied().map(U32::new);
        let automaton = Automaton {
            byte_classes: self.byte_classes,
            byte_class_count: U32::new(self.byte_class_count),
            transitions: extend(&mut draft.transitions, transitions),
            start: U32::new(self.start),
            first_accepting: U32::new(self.first_accepting),
        };
        let run: Run<Automaton> = extend(&mut draft.automata, [automaton]);
        Id::new(run.start() as u32)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn regex(pattern: &str) -> TextAutomaton {
        build(&TextPattern::Regex(pattern.into())).unwrap()
    }

    #[test]
    fn a_match_is_of_the_whole_value() {
        let it = regex(".*[0-4]");
        assert!(it.accepts(b"user4"));
        assert!(!it.accepts(b"4user"));
        assert!(!it.accepts(b""));
        assert!(regex("a|ab").accepts(b"ab"));
        assert!(!regex("a|ab").accepts(b"abc"));
        assert!(regex("").accepts(b""));
        assert!(regex("(?i)jason").accepts(b"JaSoN"));
        assert!(!regex("[^\\s\\S]").accepts(b"x"));
    }

    #[test]
    fn a_dot_is_a_byte() {
        assert!(regex("a.b").accepts(b"a\xffb"));
        assert!(regex("a..b").accepts("a\u{e9}b".as_bytes()));
        assert!(!regex("a.b").accepts(b"a\nb"));
    }

    #[test]
    fn literals_are_not_patterns() {
        let accepts = |pattern, value: &str| build(&pattern).unwrap().accepts(value.as_bytes());
        assert!(accepts(TextPattern::Prefix("a.".into()), "a.b"));
        assert!(!accepts(TextPattern::Prefix("a.".into()), "abc"));
        assert!(accepts(TextPattern::Suffix(".js".into()), "x\n.js"));
        assert!(!accepts(TextPattern::Suffix(".js".into()), ".jsx"));
        assert!(accepts(TextPattern::Contains("(b)".into()), "a(b)c"));
        assert!(accepts(TextPattern::Contains("\u{e9}".into()), "caf\u{e9}"));
        assert!(!accepts(TextPattern::Contains("b".into()), "ac"));
    }

    #[test]
    fn what_makes_no_automaton_says_why() {
        let refused = |pattern: &str| build(&TextPattern::Regex(pattern.into())).unwrap_err();
        assert!(matches!(refused("a("), RegexError::Syntax { at, .. } if at == (1..2)));
        assert_eq!(refused("^a$"), RegexError::LooksAround);
        assert_eq!(refused(r"\bword"), RegexError::LooksAround);
        assert_eq!(refused("(a|b)*a(a|b){20}"), RegexError::TooBig(MAX_STATES));
        assert_eq!(
            refused("((a{100}){100}){100}"),
            RegexError::TooBig(MAX_STATES)
        );
        assert!(matches!(refused(r"(a)\1"), RegexError::Syntax { .. }));
        assert!(matches!(refused(r"\p{Greek}"), RegexError::Syntax { .. }));
    }
}
