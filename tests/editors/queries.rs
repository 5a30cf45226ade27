//! The queries of all editors fit the grammar, and show what they are meant to.

use super::classes::{View, highlights};
use super::sources;
use super::trees::tree;
use libtest_mimic::Failed;
use serde_json::Value;
use std::collections::HashSet;
use tree_sitter::{Query, QueryCursor, StreamingIterator as _};

/// A query of the grammar.
pub(super) fn query(text: &str) -> Result<Query, Failed> {
    Ok(Query::new(&tree_sitter_mesh::LANGUAGE.into(), text)?)
}

/// Every query names only what the grammar has.
pub(super) fn fit_the_grammar() -> Result<(), Failed> {
    let mut count = 0;
    for path in sources::below("editors", "scm") {
        if !path
            .components()
            .any(|part| part.as_os_str() == "node_modules")
        {
            let text = std::fs::read_to_string(&path)?;
            query(&text).map_err(|error| format!("{}: {error:?}", path.display()))?;
            count += 1;
        }
    }
    assert!(count > 10, "only {count} queries");
    Ok(())
}

/// Every word of the grammar is shown as one.
pub(super) fn words_of_the_grammar_are_keywords() -> Result<(), Failed> {
    let kinds: Value = serde_json::from_str(tree_sitter_mesh::NODE_TYPES)?;
    let kinds = kinds.as_array().expect("a list of kinds");
    let anonymous = kinds.iter().filter(|kind| kind["named"] == false);
    let words = anonymous.filter_map(|kind| kind["type"].as_str());
    for word in words.filter(|word| word.starts_with(|it: char| it.is_ascii_lowercase())) {
        // Raw strings begin with a letter, too.
        let pattern = format!("\n  \"{word}\"\n");
        if word != "r\"" && !tree_sitter_mesh::HIGHLIGHTS_QUERY.contains(&pattern) {
            return Err(format!("{word} is not shown").into());
        }
    }
    Ok(())
}

/// No token has two looks: editors differ in which one they would take. And each has a class.
pub(super) fn tokens_have_one_look() -> Result<(), Failed> {
    let query = query(tree_sitter_mesh::HIGHLIGHTS_QUERY)?;
    let view = View::of("tree-sitter");
    for source in sources::shown() {
        let runs = highlights(&query, &source.text);
        let mut seen = HashSet::new();
        for (range, name) in &runs {
            if !seen.insert(range.clone()) {
                let (name, text) = (&source.name, &source.text[range.clone()]);
                return Err(format!("{name}: {text} has two looks").into());
            }
            assert!(view.class(name).is_some(), "no class knows {name}");
        }
    }
    Ok(())
}

/// An outline has the items of a file with their doc comments, and labels.
pub(super) fn tags_outline_a_file() -> Result<(), Failed> {
    let text = "\
## Reviews of books.
## In two versions.
service reviews {
  route { red: GET /a -> v1 }
}

param canary = 10%
test \"a\" { expect 200 }
";
    let query = query(tree_sitter_mesh::TAGS_QUERY)?;
    let tree = tree(text);
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(&query, tree.root_node(), text.as_bytes());
    let mut found = Vec::new();
    while let Some(tag) = matches.next() {
        let names = query.capture_names();
        let parts = tag.captures().iter().map(|capture| {
            let name = names[capture.index as usize];
            let text = &text[capture.node.byte_range()];
            let is_kind = name.starts_with("definition") || name.starts_with("reference");
            (if is_kind { name } else { text }).to_owned()
        });
        found.push(parts.collect::<Vec<_>>().join(" | "));
    }
    let expected = [
        "## Reviews of books. | ## In two versions. | definition.class | reviews",
        "definition.method | red",
        "reference.call | v1",
        "definition.constant | canary",
        "definition.function | \"a\"",
    ];
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:#?}").into())
    }
}
