//! The tree-sitter grammar reads what the language's own parser reads.
//!
//! The parser is right; the grammar may take more than it, never less. Its own samples stand in
//! `test/corpus`, in the format of `tree-sitter test`, and are run here as well, since that takes no
//! tool.

use super::sources::{self, Source, is_accepted};
use super::trees::{dump, edit, parser, tree, walk};
use libtest_mimic::Failed;
use mesh_lang::lexer::lex;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Node;
use mesh_lang::value::RESERVED;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::ops::Range;

/// What of a text does not fit the grammar.
fn misfits(text: &str) -> Vec<String> {
    let mut misfits = Vec::new();
    walk(&tree(text), |node| {
        if node.is_error() || node.is_missing() {
            misfits.push(format!("{node} {:?}", &text[node.byte_range()]));
        }
    });
    misfits
}

/// Whatever the parser accepts has a tree without errors.
pub(super) fn reads_what_the_parser_accepts() -> Result<(), Failed> {
    let mut accepted = 0;
    for Source { name, text } in sources::all() {
        if is_accepted(&text) {
            accepted += 1;
            let misfits = misfits(&text);
            if !misfits.is_empty() {
                return Err(format!("{name}:\n{text}\n{misfits:#?}").into());
            }
        }
    }
    // Else the sources are not where they are looked for.
    assert!(accepted > 5000, "only {accepted} texts are accepted");
    Ok(())
}

/// Line ends of any kind make no difference.
pub(super) fn reads_line_ends_of_any_kind() -> Result<(), Failed> {
    let shape = |text: &str| tree(text).root_node().to_sexp();
    for Source { name, text } in sources::all() {
        if !is_accepted(&text) || text.contains('\r') {
            continue;
        }
        for end in ["\r\n", "\r"] {
            if shape(&text) != shape(&text.replace('\n', end)) {
                return Err(format!("{name} with {end:?}:\n{text}").into());
            }
        }
    }
    Ok(())
}

/// Pieces to change texts with.
const PIECES: &[&str] = &[
    "a",
    "b.v1",
    "n/c",
    "self",
    "x:",
    "a-",
    "a->",
    "-",
    "%",
    "*",
    "_",
    "GET",
    "POST",
    "/a/**",
    "/b/{id}",
    "\"s\"",
    "r\"[0-9]\"",
    "5s",
    "10%",
    "64KiB",
    "100/s",
    "503",
    "5xx",
    "::1",
    "[::1]:80",
    "10.0.0.0/8",
    "http://a/b",
    "1.5s",
    "otherwise",
    "when",
    "unless",
    "where",
    "and",
    "or",
    "not",
    "in",
    "to",
    "->",
    "split",
    "rest",
    "redirect",
    "respond",
    "file",
    "allow",
    "deny",
    "any",
    "anyone",
    "never",
    "only",
    "every",
    "reaches",
    "transitively",
    "at",
    "has",
    "requires",
    "request",
    "expect",
    "from",
    "==",
    "!=",
    "<=",
    "matches",
    "present",
    "header.x",
    "jwt.corp.sub",
    "jwt",
    "lints",
    "param",
    "let",
    "service",
    "mesh",
    "export",
    "import",
    "env",
    "set",
    "test",
    "assert",
    "namespace",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ":",
    "=",
    "..",
    "\n",
    "\n  ",
    " ",
    "# c\n",
    "## d\n",
];

/// A place, what to do there, and with what.
type Change = (prop::sample::Index, u8, &'static str);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let piece = prop::sample::select(PIECES);
    prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, piece), 1..6)
}

/// Where a change is in a text, and what stands there then: it takes a token away, puts another before
/// it or in its place, or repeats it.
fn located<'t>(text: &'t str, (at, how, piece): &Change) -> Option<(Range<usize>, String)> {
    let tokens = lex(text);
    if tokens.is_empty() {
        return None;
    }
    let index = at.index(tokens.len());
    let token: &'t str = tokens.text(text, index);
    let start = tokens.start(index) as usize;
    let end = start + token.len();
    Some(match how {
        0 => (start..end, String::new()),
        1 => (start..start, (*piece).to_owned()),
        2 => (start..end, (*piece).to_owned()),
        _ => (start..start, token.to_owned()),
    })
}

/// Whether the parser leaves to the vocabulary what the grammar need not take: a word of the grammar
/// for a name, arms and rules among claims and lints.
fn is_beyond(text: &str) -> bool {
    let tree = parse(FileId(0), text).tree;
    let takes_settings_only = |node: &Node<'_>| {
        let word = node.tokens().next().map_or("", |token| token.text());
        node.kind() == SyntaxKind::Setting && matches!(word, "jwt" | "lints")
    };
    tree.root().descendants().any(|node| {
        let is_reserved = node.kind() == SyntaxKind::Name && RESERVED.contains(&node.text());
        let has_arms = takes_settings_only(&node)
            && node
                .descendants()
                .any(|inside| matches!(inside.kind(), SyntaxKind::Arm | SyntaxKind::Rule));
        is_reserved || has_arms
    })
}

/// Runs a property over accepted texts and changes to them.
fn hold(
    cases: u32,
    property: impl Fn(&str, Vec<Change>) -> Result<(), TestCaseError>,
) -> Result<(), Failed> {
    let texts = sources::all().into_iter().map(|source| source.text);
    let seeds: Vec<_> = texts
        .filter(|text| text.len() < 3000 && is_accepted(text))
        .collect();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&(0..seeds.len(), changes()), |(seed, changes)| {
            property(&seeds[seed], changes)
        })
        .map_err(|error| error.to_string().into())
}

/// What the parser accepts of texts that were changed at random has trees without errors, too.
pub(super) fn reads_what_the_parser_accepts_of_changed_texts() -> Result<(), Failed> {
    hold(5000, |seed, changes| {
        let mut text = seed.to_owned();
        for change in changes {
            if let Some((range, new)) = located(&text, &change) {
                text.replace_range(range, &new);
            }
        }
        if is_accepted(&text) && !is_beyond(&text) {
            let misfits = misfits(&text);
            prop_assert!(misfits.is_empty(), "{text}\n{misfits:#?}");
        }
        Ok(())
    })
}

/// A tree that follows the edits of its text, as in an editor, is the tree of the text as it is then.
pub(super) fn trees_follow_edits() -> Result<(), Failed> {
    hold(2000, |seed, changes| {
        let mut parser = parser();
        let mut text = seed.to_owned();
        let mut kept = parser.parse(&text, None).expect("it has a language");
        for change in changes {
            if let Some((range, new)) = located(&text, &change) {
                edit(&mut kept, &mut text, range, &new);
                kept = parser.parse(&text, Some(&kept)).expect("it has a language");
            }
        }
        if is_accepted(&text) && !is_beyond(&text) {
            prop_assert_eq!(dump(&kept), dump(&tree(&text)), "{}", text);
        }
        Ok(())
    })
}

/// The samples of the grammar have the trees that stand below them.
pub(super) fn samples_have_their_trees() -> Result<(), Failed> {
    let mut count = 0;
    for path in sources::below("editors/tree-sitter-mesh/test/corpus", "txt") {
        let samples = std::fs::read_to_string(&path)?;
        let mut lines = samples.lines().peekable();
        while let Some(line) = lines.next() {
            assert!(line.starts_with("===") || line.is_empty(), "{line}");
            if line.is_empty() {
                continue;
            }
            let name = lines.next().unwrap_or_default();
            lines.next();
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "---").collect();
            let mut wanted = String::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("===")) {
                wanted.push_str(line.trim());
                wanted.push(' ');
            }
            let wanted = wanted.replace(" )", ")");
            let found = tree(&text.join("\n")).root_node().to_sexp();
            if found != wanted.trim() {
                let found = format!("{}: {name}\n{found}", path.display());
                return Err(found.into());
            }
            count += 1;
        }
    }
    assert!(count > 20, "only {count} samples");
    Ok(())
}
