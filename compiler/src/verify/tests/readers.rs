//! Readers against what they read: each on all words of a few letters.

use super::super::path_readers::{OfClass, OfLength, OfTail};
use super::super::readers::{NoneOf, Sized};
use super::super::segments::Segments;
use super::super::word::{Outlook, Reader, Remembering};
use crate::plan::formula::ClassSet;
use crate::plan::path::{self, Direction, Pattern, Segment};
use mesh_bundle::classify::bounds::{decimal, decimal_number};
use mesh_bundle::classify::{FIRST, OTHER};
use mesh_bundle::path::EncodedSlash;
use proptest::prelude::*;

/// Whether a reader accepts a word, once each state on the way was seen to keep what its outlook says.
fn accepts(reader: &mut impl Reader, word: &[u8]) -> bool {
    let mut state = reader.start();
    let mut decided = None;
    for &byte in word {
        match reader.outlook(state) {
            Outlook::Always => decided = decided.or(Some(true)),
            Outlook::Never => decided = decided.or(Some(false)),
            Outlook::Here | Outlook::Later => {}
        }
        state = reader.next(state, byte);
    }
    let accepted = matches!(reader.outlook(state), Outlook::Always | Outlook::Here);
    if let Some(decided) = decided {
        assert_eq!(accepted, decided, "{:?}", String::from_utf8_lossy(word));
    }
    accepted
}

fn words(letters: &[&str], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|word| letters.iter().map(move |letter| format!("{word}{letter}")))
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn segments() -> impl Strategy<Value = Pattern> {
    let segment = prop_oneof![
        3 => prop::sample::select(vec!["a", "b", "ab", "ba"])
            .prop_map(|text| Segment::Literal(text.into())),
        1 => Just(Segment::Any),
        2 => prop::sample::select(vec![("a", ""), ("", "b"), ("a", "a"), ("ab", "b")])
            .prop_map(|(prefix, suffix)| Segment::Partial(prefix.into(), suffix.into())),
    ];
    (
        prop::collection::vec(segment, 0..3),
        prop::sample::select(vec![
            None,
            Some(Segment::Rest),
            Some(Segment::Literal("".into())),
        ]),
    )
        .prop_map(|(segments, end)| segments.into_iter().chain(end).collect())
}

fn sets(classes: usize) -> impl Strategy<Value = ClassSet> {
    prop::collection::btree_set(0..classes as u32, 0..=classes).prop_map(|named| ClassSet {
        others: false,
        named: named.into_iter().collect(),
    })
}

/// Normal paths of few letters.
fn paths() -> Vec<String> {
    let words = words(&["a", "b", "c", "/"], 6);
    let paths = words.into_iter().map(|word| format!("/{word}"));
    paths.filter(|path| !path.contains("//")).collect()
}

fn of(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path[1..].split('/')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn classes_of_paths(
        patterns in prop::collection::vec(segments(), 1..6),
        wanted in sets(12),
    ) {
        let built = path::build(&patterns, Direction::Forward).unwrap();
        let segments = Segments::new(built, Direction::Forward, EncodedSlash::Reject);
        let wants = |class: u32| wanted.named.contains(&class);
        let mut reader = Remembering::new(OfClass::new(&segments, wants));
        let mut found = vec![false; segments.accepts.len()];
        for path in paths() {
            let class = segments.class(of(&path));
            found[class as usize] = true;
            prop_assert_eq!(accepts(&mut reader, path.as_bytes()), wants(class), "{}", path);
        }
        for (class, found) in (0u32..).zip(found) {
            prop_assert!(!found || segments.exists(class));
            // Longer paths than these are needed by none of the patterns, longer words by some.
            if let Some(shortest) = segments.shortest(class) {
                let path = format!("/{}", shortest.join("/"));
                prop_assert_eq!(segments.class(of(&path)), class, "{}", path);
                let count = shortest.len() as u32;
                prop_assert_eq!(segments.lengths(class).0, count);
            }
            if segments.exists(class) && segments.is_single(class) {
                let taken = paths().into_iter().filter(|path| segments.class(of(path)) == class);
                prop_assert!(taken.count() <= 1);
            }
        }
    }

    #[test]
    fn lengths_of_classes(patterns in prop::collection::vec(segments(), 1..6)) {
        let built = path::build(&patterns, Direction::Forward).unwrap();
        let segments = Segments::new(built, Direction::Forward, EncodedSlash::Reject);
        for path in paths() {
            let (fewest, most) = segments.lengths(segments.class(of(&path)));
            let count = of(&path).count() as u32;
            prop_assert!(fewest <= count && count <= most, "{}: {}..{}", path, fewest, most);
        }
    }

    #[test]
    fn tails_of_paths(
        patterns in prop::collection::vec(segments(), 1..5),
        wanted in sets(10),
    ) {
        // As they are asked: read from the right, with anything before them.
        let patterns: Vec<Pattern> = patterns
            .into_iter()
            .map(|pattern| {
                let segments = pattern.into_iter().filter(|segment| *segment != Segment::Rest);
                segments.rev().chain([Segment::Rest]).collect()
            })
            .collect();
        let built = path::build(&patterns, Direction::Backward).unwrap();
        let segments = Segments::new(built, Direction::Backward, EncodedSlash::Reject);
        let tail = OfTail::new(&patterns, &segments.accepts, &wanted).unwrap();
        let mut reader = Remembering::new(tail);
        for path in paths() {
            let class = segments.class(of(&path).rev());
            let wants = wanted.named.contains(&class);
            prop_assert_eq!(accepts(&mut reader, path.as_bytes()), wants, "{}", path);
        }
        for class in 0..segments.accepts.len() as u32 {
            if let Some(shortest) = segments.shortest(class) {
                let path = format!("/{}", shortest.join("/"));
                prop_assert_eq!(segments.class(of(&path).rev()), class, "{}", path);
            }
        }
    }

    #[test]
    fn lengths_of_paths(
        bounds in prop::collection::btree_set(1u128..6, 0..4),
        wanted in sets(6),
    ) {
        let bounds: Vec<u128> = [0].into_iter().chain(bounds).collect();
        let wanted = ClassSet {
            named: wanted.named.iter().map(|class| class + FIRST).collect(),
            ..wanted
        };
        let mut reader = OfLength::new(&bounds, &wanted);
        for path in paths() {
            let count = of(&path).count() as u128;
            let class = FIRST - 1 + bounds.iter().filter(|bound| **bound <= count).count() as u32;
            let wants = wanted.named.contains(&class);
            prop_assert_eq!(accepts(&mut reader, path.as_bytes()), wants, "{}", path);
        }
    }

    #[test]
    fn numbers(
        bounds in prop::collection::btree_set(
            prop_oneof![-15i64..120, Just(i64::MAX), Just(i64::MIN + 1), Just(i64::MAX - 1)],
            0..5,
        ),
        wanted in sets(8),
    ) {
        let bounds: Vec<u128> = [decimal_number(i64::MIN)]
            .into_iter()
            .chain(bounds.into_iter().map(decimal_number))
            .collect();
        let wanted = ClassSet {
            // Class 1 is "absent", which is no text.
            named: wanted.named.iter().copied().filter(|class| *class != 1).collect(),
            ..wanted
        };
        let mut reader = Sized::new(&bounds, &wanted);
        let large = [
            "9223372036854775806",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775807",
            "-9223372036854775808",
            "-99999999999999999999",
            "000000000000000000000000000012",
        ];
        let words = words(&["-", "0", "1", "2", "9", "x"], 4);
        for word in words.iter().map(String::as_str).chain(large) {
            let class = decimal(word.as_bytes()).map_or(OTHER, |number| {
                FIRST - 1 + bounds.iter().filter(|bound| **bound <= number).count() as u32
            });
            let wants = wanted.named.contains(&class);
            prop_assert_eq!(accepts(&mut reader, word.as_bytes()), wants, "{}", word);
        }
    }

    #[test]
    fn none_of_some_words(excluded in prop::collection::btree_set("[ab]{0,3}", 0..5)) {
        let mut reader = NoneOf::new(excluded.iter().map(String::as_bytes).collect());
        for word in words(&["a", "b", "c"], 4) {
            let wants = !excluded.contains(&word);
            prop_assert_eq!(accepts(&mut reader, word.as_bytes()), wants, "{}", word);
        }
    }
}
