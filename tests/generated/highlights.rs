//! The words in the queries of tree-sitter, and the queries of editors that call colours otherwise.

use super::groups;
use mesh_lang::vocabulary::words;
use std::fmt::Write;

/// The patterns for words.
pub(super) fn words() -> String {
    let mut text = String::from("\n");
    for (capture, words) in [
        ("keyword.modifier", groups::MODIFIERS.to_vec()),
        ("keyword.conditional", groups::conditionals()),
        ("keyword.operator", groups::operators()),
        ("keyword", groups::grammar()),
    ] {
        text += "\n[\n";
        for word in words {
            writeln!(text, "  \"{word}\"").expect("a string takes all");
        }
        writeln!(text, "] @{capture}").expect("a string takes all");
    }

    let statements = words::statement_words();
    text += "\n; Statements\n\n(setting\n  word: (word) @keyword\n";
    text += &any_of("keyword", &statements);
    text += "; Arguments: words that say what comes next\n";
    for (words, statements) in groups::by(|arguments| arguments.leading) {
        text += &of_statements(&statements, "keyword", &words);
    }
    for action in words::action_words() {
        let leading = words::arguments(action).leading;
        if !leading.is_empty() {
            write!(text, "\n({action}\n  (word) @keyword\n").expect("a string takes all");
            text += any_of("keyword", &leading).trim_end();
            text.push('\n');
        }
    }
    text += "\n; Arguments: words that are a value\n";
    for (words, statements) in groups::by(|arguments| arguments.values) {
        text += &of_statements(&statements, "constant.builtin", &words);
    }
    let with_fields = groups::by(|arguments| arguments.fields);
    let plain = groups::plain_fields().join("|").replace('.', "\\\\.");
    let keyed = words::keyed_fields().join("|");
    let fields = format!("({plain}|({keyed})(\\\\..+)?)");
    text += "\n; Fields\n\n(setting\n  word: (word) @_word\n  argument: (word) @property\n";
    text += any_of("_word", &with_fields[&true]).trim_end_matches([')', '\n']);
    write!(
        text,
        ")\n  (#match? @property \"^{fields}$\"))\n\n\
         (field\n  (word) @property\n  (#match? @property \"^{fields}$\"))\n\n\
         (field\n  (word) @variable\n  (#not-match? @variable \"^{fields}$\"))\n"
    )
    .expect("a string takes all");
    text
}

/// A pattern for the fixed words among the arguments of some statements.
fn of_statements(statements: &[&str], capture: &str, words: &[&str]) -> String {
    if words.is_empty() {
        return String::new();
    }
    let which = any_of("_word", statements);
    let which = which.trim_end_matches([')', '\n']);
    let which = format!("{which})\n");
    let what = any_of(capture, words);
    format!(
        "\n(setting\n  word: (word) @_word\n  argument: (word) @{capture}\n{which}{}",
        what.trim_end_matches('\n').to_owned() + "\n"
    )
}

/// The predicate that ends a pattern: the capture is one of the words.
fn any_of(capture: &str, words: &[&str]) -> String {
    let mut text = format!("  (#any-of? @{capture}");
    let mut column = text.len();
    for word in words {
        if column + word.len() + 3 > 96 {
            text += "\n   ";
            column = 4;
        }
        write!(text, " \"{word}\"").expect("a string takes all");
        column += word.len() + 3;
    }
    text + "))\n\n"
}

/// What Helix calls the captures.
const HELIX: &[(&str, &str)] = &[
    ("boolean", "constant.builtin.boolean"),
    ("character.special", "constant.character"),
    ("comment", "comment.line"),
    ("comment.documentation", "comment.line.documentation"),
    ("keyword.conditional", "keyword.control.conditional"),
    ("keyword.modifier", "keyword.storage.modifier"),
    ("module", "namespace"),
    ("number", "constant.numeric"),
    ("property", "variable.other.member"),
    ("string.escape", "constant.character.escape"),
];

/// What Zed calls the captures.
const ZED: &[(&str, &str)] = &[
    ("character.special", "string.special"),
    ("comment.documentation", "comment.doc"),
    ("keyword.conditional", "keyword"),
    ("keyword.modifier", "keyword"),
    ("keyword.operator", "keyword"),
    ("module", "type"),
    ("string.special.path", "string.special"),
    ("string.special.url", "string.special"),
    ("variable.builtin", "variable.special"),
    ("variable.parameter", "variable.special"),
];

/// The highlighting queries for Helix.
pub(super) fn helix(query: &str) -> String {
    renamed(query, HELIX)
}

/// The highlighting queries for Zed.
pub(super) fn zed(query: &str) -> String {
    renamed(query, ZED)
}

/// A query with other names for its captures.
fn renamed(query: &str, names: &[(&str, &str)]) -> String {
    let mut text =
        String::from("; Made from tree-sitter-mesh/queries/highlights.scm, do not edit.\n\n");
    let mut rest = query;
    while let Some(at) = rest.find('@') {
        let (before, behind) = rest.split_at(at + 1);
        let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
        let len = behind.find(|it| !is_name(it)).unwrap_or(behind.len());
        let (name, behind) = behind.split_at(len);
        let renamed = names.iter().find(|(base, _)| *base == name);
        text += before;
        text += renamed.map_or(name, |(_, new)| new);
        rest = behind;
    }
    text + rest
}
