//! Laying out any text changes its layout and nothing else: the tree and the comments stay, and laid
//! out again it stays as it is. So does a part of it by itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_lang::format::{edits, format, same};
use mesh_lang::parser::{Parse, parse};
use mesh_lang::source::{FileId, Span};
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Tree;

fuzz_target!(|text: &str| {
    let before = parse(FileId(0), text);
    let formatted = format(&before.tree);
    let after = parse(FileId(0), &formatted);
    assert!(same(&before.tree, &after.tree), "{formatted}");
    assert_eq!(comments(&before.tree), comments(&after.tree));
    assert_eq!(format(&after.tree), formatted);
    check_codes(&before, &after);

    let len = text.len() as u32;
    for (start, end) in [(0, len), (len / 3, len / 3), (len / 3, len / 2)] {
        let span = Span::new(FileId(0), start, end);
        let mut edited = text.to_owned();
        for edit in edits(&before.tree, span).iter().rev() {
            edited.replace_range(edit.span.range(), &edit.replacement);
        }
        let part = parse(FileId(0), &edited);
        assert!(same(&before.tree, &part.tree), "{edited}");
        assert_eq!(comments(&before.tree), comments(&part.tree));
        assert!(end < len || start > 0 || edited == formatted);
    }
});

fn comments(tree: &Tree) -> Vec<&str> {
    let is_comment = |kind| matches!(kind, SyntaxKind::Comment | SyntaxKind::DocComment);
    let comments = tree.root().tokens().filter(|it| is_comment(it.kind()));
    let mut comments: Vec<_> = comments
        .map(|it| it.text().trim_end_matches([' ', '\t']))
        .collect();
    comments.sort_unstable();
    comments
}

/// Nothing is reported that was not before.
fn check_codes(before: &Parse, after: &Parse) {
    let mut codes: Vec<_> = before.diagnostics.iter().map(|it| it.code).collect();
    for diagnostic in &after.diagnostics {
        let known = codes.iter().position(|code| *code == diagnostic.code);
        codes.swap_remove(known.expect("a new finding"));
    }
}
