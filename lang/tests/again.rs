//! Parsing again after an edit gives what parsing the new text gives, whatever the edit.

use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::{Change, Parse, parse, reparse};
use mesh_lang::source::FileId;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::vocabulary;
use proptest::prelude::*;
use proptest::sample::Index;

const FILES: &[&str] = &[
    include_str!("fixtures/mesh.mesh"),
    include_str!("fixtures/services.mesh"),
    include_str!("fixtures/gateway.mesh"),
    include_str!("fixtures/proofs.mesh"),
    "param a = 1; param b = 2\nlet c = (a\nlet d = e)\nservice f { timeout 5s }\nto g\nwhen h -> i\n",
    "service a {\n  route {\n    /x -> y\n}\nservice b { timeout }\n} service c { }\nlet d = path matches\nservice e { }\n",
];

/// What is typed, pasted and removed.
const PIECES: &[&str] = &[
    "",
    "",
    "a",
    "x y",
    "{",
    "}",
    "{ }",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "\n",
    "\n  ",
    "\"",
    "#",
    "# c\n",
    "## d\n",
    "->",
    "and",
    "to",
    "when",
    "service z { timeout 5s }\n",
    "param p = 1\n",
    "timeout 5",
    "/x/** -> y",
    "matches",
    "\r",
    "é",
    "\u{feff}",
    ":",
    "=",
    "allow a",
    "} {",
    "{ } }",
    "let l = path matches\n",
];

/// A part of a text becomes another.
#[derive(Debug, Clone)]
struct Edit {
    from: Index,
    len: usize,
    piece: &'static str,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let len = prop_oneof![4 => Just(0), 4 => 1..4_usize, 1 => 1..60_usize, 1 => 1..400_usize];
    let piece = prop::sample::select(PIECES);
    let edit =
        (any::<Index>(), len, piece).prop_map(|(from, len, piece)| Edit { from, len, piece });
    prop::collection::vec(edit, 1..12)
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Everything that a tree is.
fn shown(parse: &Parse) -> Vec<(SyntaxKind, u32, u32, u32, usize)> {
    let root = parse.tree.root();
    let all = std::iter::once(root).chain(root.descendants());
    all.map(|node| {
        let tokens = node.token_range();
        (
            node.kind(),
            tokens.start,
            tokens.end,
            node.index(),
            node.children().count(),
        )
    })
    .collect()
}

/// Findings of the vocabulary in the order of the text.
fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|it| (it.span(), it.code, it.message.clone()));
    diagnostics
}

fn check(file: &str, edits: &[Edit]) -> Result<usize, TestCaseError> {
    let mut before = parse(FileId(0), file);
    let mut findings = vocabulary::check(&before.tree);
    let mut parts = 0;
    for Edit { from, len, piece } in edits {
        let text = before.tree.text();
        let start = boundary(text, from.index(text.len() + 1));
        let end = boundary(text, (start + len).min(text.len()));
        let new = format!("{}{piece}{}", &text[..start], &text[end..]);
        let change = Change {
            old: start as u32..end as u32,
            new: piece.len() as u32,
        };
        let again = reparse(&before, &new, &change);
        let whole = parse(FileId(0), &new);
        prop_assert_eq!(again.parse.tree.text(), new.as_str());
        prop_assert_eq!(again.parse.tree.tokens(), whole.tree.tokens());
        prop_assert_eq!(shown(&again.parse), shown(&whole));
        prop_assert_eq!(&again.parse.diagnostics, &whole.diagnostics);

        // What was found elsewhere still holds, where it is now.
        let read = &again.read;
        prop_assert!(read.old.start <= change.old.start && change.old.end <= read.old.end);
        findings = again.keep(findings);
        findings.extend(vocabulary::check_part(&again.parse.tree, &read.new_range()));
        prop_assert_eq!(
            sorted(findings.clone()),
            sorted(vocabulary::check(&whole.tree)),
            "{:?}",
            read
        );
        parts += usize::from(read.new_range().len() < new.len());
        before = again.parse;
    }
    Ok(parts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edited_files_read_as_if_they_were_new(file in prop::sample::select(FILES), edits in edits()) {
        check(file, &edits)?;
    }

    #[test]
    fn files_of_pieces_read_as_if_they_were_new(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        edits in edits(),
    ) {
        check(&pieces.join(" "), &edits)?;
    }
}

#[test]
fn typing_in_a_block_reads_one_item() {
    let file = FILES[1];
    let at = file.find("timeout").expect("there is one") as u32;
    let typed = "retry 2 on 5xx { per-try 1s }\n  ";
    let mut before = parse(FileId(0), file);
    for (count, character) in (0..).zip(typed.chars()) {
        let place = (at + count) as usize;
        let mut text = before.tree.text().to_owned();
        text.insert(place, character);
        let change = Change {
            old: at + count..at + count,
            new: 1,
        };
        let again = reparse(&before, &text, &change);
        let is_open =
            text[at as usize..=place].contains('{') != text[at as usize..=place].contains('}');
        let items = before.tree.items().count();
        assert!(
            items > 1 && (is_open || again.read.new < text.len() as u32),
            "{character:?}"
        );
        before = again.parse;
    }
}
