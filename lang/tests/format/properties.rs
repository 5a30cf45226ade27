//! What holds for every text.

use super::texts::{self, FILES, PIECES};
use super::{comments, docs, formatted, meaning, tree};
use mesh_lang::format::{self, WIDTH};
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use proptest::prelude::*;

/// Whether laying a text out changes its layout and nothing else, and laying it out again nothing at
/// all.
fn check(text: &str) -> Result<String, TestCaseError> {
    let before = parse(FileId(0), text);
    let formatted = format::format(&before.tree);
    let after = parse(FileId(0), &formatted);
    prop_assert_eq!(meaning(&after.tree), meaning(&before.tree), "{}", formatted);
    prop_assert!(format::same(&before.tree, &after.tree));
    prop_assert_eq!(
        comments(&after.tree),
        comments(&before.tree),
        "{}",
        formatted
    );
    prop_assert_eq!(&format::format(&after.tree), &formatted);

    let mut codes: Vec<_> = before.diagnostics.iter().map(|it| it.code).collect();
    for diagnostic in &after.diagnostics {
        let known = codes.iter().position(|code| *code == diagnostic.code);
        prop_assert!(known.is_some(), "new: {:?}\n{}", diagnostic, formatted);
        codes.swap_remove(known.unwrap());
    }
    if before.diagnostics.is_empty() {
        let is_ended = formatted.ends_with('\n') && !formatted.ends_with("\n\n");
        let is_empty = formatted.trim_start_matches('\u{feff}').is_empty();
        // A word behind a name and its colon, the last one of a file, would end elsewhere before the end of a line.
        let is_unsafe = formatted == text && text.contains(':');
        prop_assert!(is_ended || is_empty || is_unsafe, "{:?}", formatted);
    }
    Ok(formatted)
}

/// What went wrong once.
#[test]
fn texts_that_were_found() {
    for text in ["503:# c\nr", "503:# c\nr\n", "a:# c\nr", "a: # c\n b"] {
        check(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "(?s).{0,120}") {
        check(&text)?;
    }

    #[test]
    fn any_ascii_text(text in "[ -~\n\r\t]{0,200}") {
        check(&text)?;
    }

    #[test]
    fn any_pieces(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80),
        spaced in any::<bool>(),
    ) {
        check(&pieces.join(if spaced { " " } else { "" }))?;
    }

    #[test]
    fn any_pieces_in_a_block(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..20),
        lines in any::<bool>(),
    ) {
        let pieces = pieces.join(" ");
        let text = if lines {
            format!("service a {{\n  {pieces}\n}}\nparam b = 1\n")
        } else {
            format!("service a {{ {pieces} }}\n")
        };
        check(&text)?;
    }

    #[test]
    fn files_with_a_part_cut_out(
        file in prop::sample::select(FILES),
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (from, to) = (boundary(file, from), boundary(file, to));
        check(&format!("{}{}", &file[..from.min(to)], &file[from.max(to)..]))?;
    }

    #[test]
    fn files_with_a_few_characters_cut_out(
        file in prop::sample::select(FILES),
        at in any::<prop::sample::Index>(),
        len in 1..12_usize,
    ) {
        let at = boundary(file, at);
        let rest: String = file[at..].chars().skip(len).collect();
        check(&format!("{}{rest}", &file[..at]))?;
    }

    #[test]
    fn files_with_pieces_put_in(
        file in prop::sample::select(FILES),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = file.to_owned();
        for (at, piece) in pieces {
            let at = boundary(&text, at);
            text.insert_str(at, piece);
        }
        check(&text)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_file_that_parses(text in texts::any_file()) {
        let found = parse(FileId(0), &text).diagnostics;
        prop_assert!(found.is_empty(), "{:?}\n{}", found, text);
        let formatted = check(&text)?;
        let (before, after) = (tree(&text), tree(&formatted));
        prop_assert_eq!(docs(&after), docs(&before), "{}", formatted);
    }

    /// White space in a statement says nothing, wherever lines end.
    #[test]
    fn a_file_laid_out_in_two_ways((one, other) in texts::file_laid_out_twice()) {
        prop_assume!(meaning(&tree(&one)) == meaning(&tree(&other)));
        let unix = other.replace("\r\n", "\n");
        prop_assert_eq!(formatted(&one), formatted(&unix));
    }

    /// A line is too long only where it cannot end.
    #[test]
    fn lines_end_where_they_can(condition in texts::condition()) {
        let condition = condition.replace('⏎', "");
        let text = formatted(&format!("let a = ({condition})\n"));
        for line in text.lines().filter(|line| line.chars().count() > WIDTH as usize) {
            // What is left is one test, at most with the list that ends it and what opens or closes.
            let operators = [" and ", " or "];
            prop_assert!(!operators.iter().any(|it| outside_strings(line.trim_start()).contains(it)), "{}", text);
        }
    }
}

fn outside_strings(line: &str) -> String {
    line.split('"').step_by(2).collect()
}

fn boundary(text: &str, at: prop::sample::Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
