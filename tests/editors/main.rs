//! What editors are given: grammars, queries, snippets, settings.
//!
//! A test whose tool is not installed is reported as ignored, by the tool's name, never as passed.

mod agreement;
mod classes;
mod grammar;
mod queries;
mod snippets;
mod sources;
mod tools;
mod trees;
mod vim;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = vec![
        trial(
            "the_grammar_reads_what_the_parser_accepts",
            grammar::reads_what_the_parser_accepts,
        ),
        trial(
            "the_grammar_reads_what_the_parser_accepts_of_changed_texts",
            grammar::reads_what_the_parser_accepts_of_changed_texts,
        ),
        trial(
            "the_grammar_reads_line_ends_of_any_kind",
            grammar::reads_line_ends_of_any_kind,
        ),
        trial("trees_follow_edits", grammar::trees_follow_edits),
        trial(
            "samples_have_their_trees",
            grammar::samples_have_their_trees,
        ),
        trial("queries_fit_the_grammar", queries::fit_the_grammar),
        trial(
            "words_of_the_grammar_are_keywords",
            queries::words_of_the_grammar_are_keywords,
        ),
        trial("tokens_have_one_look", queries::tokens_have_one_look),
        trial("tags_outline_a_file", queries::tags_outline_a_file),
        trial("the_corpus_is_right", sources::the_corpus_is_right),
        trial(
            "snippets_are_right_somewhere",
            snippets::are_right_somewhere,
        ),
        trial("semantic_tokens_agree", agreement::of_semantic_tokens),
    ];
    trials.extend(tools::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that needs no tool.
fn trial(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(name, run)
}
