//! What a token is called by those who show it, in a few classes that all of them share.
//!
//! The classes are in `editors/corpus/classes.json`: for each, what every kind of grammar calls its
//! tokens, by the start of the name; the longest start counts. To hold another kind against the rest,
//! such as the semantic tokens of the language server, give it a key there and a [`View`] of its own.

use super::trees::tree;
use mesh_lang::lexer::lex;
use mesh_lang::syntax::SyntaxKind;
use mesh_tests::binaries::workspace;
use std::collections::BTreeMap;
use std::ops::Range;
use tree_sitter::{Query, QueryCursor, StreamingIterator as _};

/// What each kind of grammar calls the tokens of a class.
type Table = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Runs of a text and what a grammar calls them; of two the later counts.
pub(super) type Runs = Vec<(Range<usize>, String)>;

/// The table of classes, for one kind of grammar.
pub(super) struct View {
    /// What names start with, and the class that it means.
    starts: Vec<(String, String)>,
}

impl View {
    /// How a kind of grammar is read.
    pub(super) fn of(kind: &str) -> Self {
        let file = workspace().join("editors/corpus/classes.json");
        let text = std::fs::read_to_string(file).expect("the classes are there");
        let table: Table = serde_json::from_str(&text).expect("they are a table");
        let mut starts = Vec::new();
        for (class, mut kinds) in table {
            let names = kinds.remove(kind).unwrap_or_default();
            starts.extend(names.into_iter().map(|name| (name, class.clone())));
        }
        starts.sort_by_key(|(start, _)| std::cmp::Reverse(start.len()));
        assert!(!starts.is_empty(), "no class knows {kind}");
        Self { starts }
    }

    /// The class of what is called so.
    pub(super) fn class(&self, name: &str) -> Option<&str> {
        let starts_name = |start: &str| {
            let rest = name.strip_prefix(start);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let found = self.starts.iter().find(|(start, _)| starts_name(start));
        found.map(|(_, class)| class.as_str())
    }

    /// The tokens of a text with their classes, as the lexer of the language cuts them.
    pub(super) fn classes(&self, text: &str, runs: &Runs) -> Vec<(Range<usize>, String)> {
        let mut names = vec![""; text.len()];
        for (range, name) in runs {
            names[range.clone()].fill(name);
        }
        let tokens = lex(text);
        let mut classes = Vec::new();
        for (index, kind) in tokens.kinds().iter().enumerate() {
            if !matches!(kind, SyntaxKind::Whitespace | SyntaxKind::Newline) {
                let start = tokens.start(index) as usize;
                let end = tokens.start(index + 1) as usize;
                let class = self.class(names[start]);
                let unknown = || format!("{} of no class", names[start]);
                classes.push((start..end, class.map_or_else(unknown, str::to_owned)));
            }
        }
        classes
    }
}

/// What the highlighting queries of tree-sitter call the parts of a text.
pub(super) fn highlights(query: &Query, text: &str) -> Runs {
    let tree = tree(text);
    let mut cursor = QueryCursor::new();
    let mut captures = cursor.captures(query, tree.root_node(), text.as_bytes());
    let mut runs = Runs::new();
    while let Some((found, index)) = captures.next() {
        let capture = found.captures()[*index];
        let name = query.capture_names()[capture.index as usize];
        if !name.starts_with('_') {
            runs.push((capture.node.byte_range(), name.to_owned()));
        }
    }
    // What stands inside counts more.
    runs.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    runs
}
