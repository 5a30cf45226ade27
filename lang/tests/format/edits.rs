//! Parts of files, as editors ask for them.

use super::texts::{self, FILES};
use super::{comments, formatted, meaning, tree};
use mesh_lang::format;
use mesh_lang::source::{FileId, Span};
use proptest::prelude::*;

fn applied(text: &str, edits: &[mesh_lang::diagnostic::Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    text
}

/// The text with what is between `«` and `»` laid out.
fn part(text: &str) -> String {
    let start = text.find('«').unwrap();
    let end = text.find('»').unwrap() - '«'.len_utf8();
    let text = text.replace(['«', '»'], "");
    let span = Span::new(FileId(0), start as u32, end as u32);
    let edits = format::edits(&tree(&text), span);
    applied(&text, &edits)
}

#[test]
fn a_statement_that_is_touched_is_laid_out_and_no_other() {
    assert_eq!(
        part("param  a  =  1\n\n«param  b»  =  2\n\nparam  c  =  3\n"),
        "param  a  =  1\n\nparam b = 2\n\nparam  c  =  3\n"
    );
    assert_eq!(
        part("service  a {\n   timeout   5s\n\n re«»try   off\n\n  limits   off\n}\n"),
        "service  a {\n   timeout   5s\n\n  retry off\n\n  limits   off\n}\n"
    );
}

#[test]
fn a_selection_of_whole_lines_ends_with_them() {
    assert_eq!(
        part("«param  a  =  1\n»\nparam  b  =  2\n"),
        "param a = 1\n\nparam  b  =  2\n"
    );
}

#[test]
fn neighbours_that_share_a_column_move_with_it() {
    assert_eq!(
        part("service  a {\n  /x -> b\n  «/xyz» -> b\n  /z -> c\n\n  /y   -> b\n}\n"),
        "service  a {\n  /x   -> b\n  /xyz -> b\n  /z   -> c\n\n  /y   -> b\n}\n"
    );
}

#[test]
fn a_statement_in_a_line_takes_the_line() {
    assert_eq!(
        part("policy  a { timeout   5s; re«»try   off }\n\npolicy  b { }\n"),
        "policy a { timeout 5s; retry off }\n\npolicy  b { }\n"
    );
}

#[test]
fn what_stands_before_the_end_of_a_block_can_be_laid_out_alone() {
    assert_eq!(
        part("service  a {\n  timeout   5s\n\n\n    # «c»\n\n}\n"),
        "service  a {\n  timeout   5s\n\n  # c\n}\n"
    );
    assert_eq!(part("param  a = 1\n\n\n\n# b«»"), "param  a = 1\n\n# b\n");
}

#[test]
fn a_comment_that_goes_into_a_block_takes_its_statement_with_it() {
    assert_eq!(
        part("service  a # why\n{\n  timeout   «»5s\n}\n"),
        "service a {  # why\n  timeout 5s\n}\n"
    );
}

#[test]
fn edits_are_small() {
    let text = "service a {\n  timeout   5s\n}\n";
    let edits = format::edits(&tree(text), Span::new(FileId(0), 0, text.len() as u32));
    assert_eq!(edits.len(), 1);
    assert_eq!(
        (edits[0].span.len(), edits[0].replacement.as_str()),
        (2, "")
    );
}

/// Whether any part can be laid out by itself, all of it makes the whole, and nothing else is changed.
fn check(text: &str, from: usize, to: usize) -> Result<(), TestCaseError> {
    let before = tree(text);
    let span = Span::new(FileId(0), from.min(to) as u32, from.max(to) as u32);
    let edits = format::edits(&before, span);
    for pair in edits.windows(2) {
        prop_assert!(pair[0].span.end <= pair[1].span.start);
    }
    let after = applied(text, &edits);
    let tree_after = tree(&after);
    prop_assert_eq!(meaning(&tree_after), meaning(&before), "{}", after);
    prop_assert_eq!(comments(&tree_after), comments(&before), "{}", after);

    let all = Span::new(FileId(0), 0, text.len() as u32);
    prop_assert_eq!(applied(text, &format::edits(&before, all)), formatted(text));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_part_of_a_file(
        text in texts::any_file(),
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let place = |at: prop::sample::Index| at.index(text.len() + 1);
        check(&text, place(from), place(to))?;
    }

    #[test]
    fn any_part_of_a_broken_file(
        file in prop::sample::select(FILES),
        (cut, from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let characters: Vec<char> = file.chars().collect();
        let cut = cut.index(characters.len());
        let text: String = characters[..cut].iter().chain(characters[cut..].iter().skip(3)).collect();
        let place = |at: prop::sample::Index| at.index(text.len() + 1);
        check(&text, place(from), place(to))?;
    }

    #[test]
    fn any_part_of_any_pieces(
        pieces in prop::collection::vec(prop::sample::select(texts::PIECES), 0..40),
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let text = pieces.join(" ");
        let place = |at: prop::sample::Index| at.index(text.len() + 1);
        check(&text, place(from), place(to))?;
    }
}
