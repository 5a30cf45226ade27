//! The words in the queries of tree-sitter, and the queries of editors that call colours otherwise.

use super::groups;
use mesh_lang::vocabulary::words;

/// The patterns for words.
pub(super) fn words() -> String {
    let mut text = String::from("\n");
    for (capture, words) in [
        ("keyword.modifier", groups::MODIFIERS.to_vec()),
        ("keyword.conditional", groups::conditionals()),
        ("keyword.operator", groups::operators()),
        ("keyword", groups::grammar()),
    ] {
        text += &either(&words, capture);
    }

    text += "\n; Statements\n";
    let statements = any_of("keyword", &words::statement_words());
    text += &pattern("setting", &["word: (word) @keyword", &statements]);

    text += "\n; Arguments: words that say what comes next\n";
    for (words, statements) in groups::by(|arguments| arguments.leading) {
        text += &arguments(&statements, "keyword", &words);
    }
    for action in words::action_words() {
        let leading = words::arguments(action).leading;
        if !leading.is_empty() {
            let leading = any_of("keyword", &leading);
            text += &pattern(action, &["(word) @keyword", &leading]);
        }
    }

    text += "\n; Arguments: words that are a value\n";
    for (words, statements) in groups::by(|arguments| arguments.values) {
        text += &arguments(&statements, "constant.builtin", &words);
    }

    text += "\n; Fields\n";
    let plain = groups::plain_fields().join("|").replace('.', r"\\.");
    let keyed = words::keyed_fields().join("|");
    let fields = format!(r"^({plain}|({keyed})(\\..+)?)$");
    let is_field = format!("(#match? @property \"{fields}\")");
    let is_none = format!("(#not-match? @variable \"{fields}\")");
    let with_fields = groups::by(|arguments| arguments.fields);
    let which = any_of("_word", &with_fields[&true]);
    let argument = "argument: (word) @property";
    text += &pattern(
        "setting",
        &["word: (word) @_word", argument, &which, &is_field],
    );
    text += &pattern("field", &["(word) @property", &is_field]);
    text += &pattern("field", &["(word) @variable", &is_none]);
    text
}

/// A pattern for words of the grammar.
fn either(words: &[&str], capture: &str) -> String {
    format!("\n[\n  \"{}\"\n] @{capture}\n", words.join("\"\n  \""))
}

/// A pattern for the fixed words among the arguments of some statements.
fn arguments(statements: &[&str], capture: &str, words: &[&str]) -> String {
    if words.is_empty() {
        return String::new();
    }
    let argument = format!("argument: (word) @{capture}");
    let (which, what) = (any_of("_word", statements), any_of(capture, words));
    pattern(
        "setting",
        &["word: (word) @_word", &argument, &which, &what],
    )
}

/// A pattern for a kind of node.
fn pattern(kind: &str, lines: &[&str]) -> String {
    format!("\n({kind}\n  {})\n", lines.join("\n  "))
}

/// That a capture is one of the words.
fn any_of(capture: &str, words: &[&str]) -> String {
    let mut text = format!("(#any-of? @{capture}");
    let mut column = text.len() + 2;
    for word in words {
        if column + word.len() + 3 > 96 {
            text += "\n   ";
            column = 4;
        }
        text.extend([" \"", word, "\""]);
        column += word.len() + 3;
    }
    text + ")"
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
