//! The tree-sitter grammar of `.mesh` policies, for programs that highlight, fold or outline them.
//!
//! In: nothing. Out: [`LANGUAGE`], from which `tree_sitter::Parser` makes trees, and the queries that
//! editors run over them. Whoever wants diagnostics uses `mesh-lang`: these trees are made for
//! editors, know nothing of the vocabulary and take some files that are not right.

use tree_sitter_language::LanguageFn;

#[allow(
    unsafe_code,
    reason = "the generated parser is C, and there is no other way to name its function"
)]
mod generated {
    use tree_sitter_language::LanguageFn;

    unsafe extern "C" {
        fn tree_sitter_mesh() -> *const ();
    }

    // SAFETY: `src/parser.c` defines it as tree-sitter wants it.
    pub(super) const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_mesh) };
}

/// The language.
pub const LANGUAGE: LanguageFn = generated::LANGUAGE;

/// The kinds of nodes, as JSON.
pub const NODE_TYPES: &str = include_str!("../../src/node-types.json");

/// What each token looks like.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// Languages inside of tokens.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");

/// Where names are declared and used.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");

/// What an outline shows.
pub const TAGS_QUERY: &str = include_str!("../../queries/tags.scm");

/// What can be folded.
pub const FOLDS_QUERY: &str = include_str!("../../queries/folds.scm");

/// How lines are indented.
pub const INDENTS_QUERY: &str = include_str!("../../queries/indents.scm");
