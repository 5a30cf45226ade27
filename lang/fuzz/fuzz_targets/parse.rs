//! Any text has a tree of the whole text, and every place that is reported lies in it. Damage is
//! never passed over in silence.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::vocabulary;

fuzz_target!(|text: &str| {
    let parse = parse(FileId(0), text);
    let root = parse.tree.root();
    assert_eq!(root.text(), text);
    let is_damaged = root
        .descendants()
        .any(|node| matches!(node.kind(), SyntaxKind::Error | SyntaxKind::Missing));
    assert!(!is_damaged || !parse.diagnostics.is_empty());
    for node in root.descendants() {
        let mut end = node.span().start;
        for child in node.children() {
            assert!(child.span().start >= end);
            end = child.span().end;
        }
        assert!(end <= node.span().end);
    }
    let checked = vocabulary::check(&parse.tree);
    for diagnostic in parse.diagnostics.iter().chain(&checked) {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some());
        }
        for edit in diagnostic.fixes.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.span.range()).is_some());
        }
    }
});
