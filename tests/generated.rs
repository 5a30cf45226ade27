//! Files that are made from the code are up to date. `UPDATE_GENERATED=1` writes them again.

#[path = "generated/groups.rs"]
mod groups;
#[path = "generated/highlights.rs"]
mod highlights;
#[path = "generated/reference.rs"]
mod reference;
#[path = "generated/snippets.rs"]
mod snippets;
#[path = "generated/textmate.rs"]
mod textmate;
#[path = "generated/vim.rs"]
mod vim;

use mesh_tests::binaries::workspace;
use std::path::Path;

/// Checks, or rewrites, what stands between two marks of a file.
fn check(file: &str, begin: &str, end: &str, wanted: &str) {
    let path = workspace().join(file);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let from = text.find(begin).expect("it has the first mark") + begin.len();
    let to = text.find(end).expect("it has the second mark");
    let new = format!("{}{wanted}{}", &text[..from], &text[to..]);
    refresh(file, &path, &text, &new);
}

/// Checks, or rewrites, a whole file.
fn check_file(file: &str, wanted: &str) {
    let path = workspace().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    refresh(file, &path, &text, wanted);
}

fn refresh(file: &str, path: &Path, text: &str, wanted: &str) {
    if text == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_GENERATED").is_some(),
        "{file} is out of date: UPDATE_GENERATED=1 cargo test -p mesh-tests --test generated"
    );
    std::fs::write(path, wanted).expect("it can be written");
}

#[test]
fn the_reference_has_every_statement() {
    check_file("lang/REFERENCE.md", &reference::page());
}

#[test]
fn editors_with_tree_sitter_know_the_words() {
    let file = "editors/tree-sitter-mesh/queries/highlights.scm";
    check(file, "; begin words", "; end words", &highlights::words());
    let query = std::fs::read_to_string(workspace().join(file)).expect("the file is there");
    check_file(
        "editors/helix/queries/mesh/highlights.scm",
        &highlights::helix(&query),
    );
    check_file(
        "editors/zed/languages/mesh/highlights.scm",
        &highlights::zed(&query),
    );
}

#[test]
fn editors_with_textmate_grammars_know_the_words() {
    let file = "editors/vscode/syntaxes/mesh.tmLanguage.json";
    check_file(file, &textmate::grammar());
}

#[test]
fn snippets_know_the_items() {
    check_file("editors/vscode/snippets/items.json", &snippets::items());
}

#[test]
fn vim_knows_the_words() {
    let file = "editors/vim/syntax/mesh.vim";
    check(file, "\" begin words", "\" end words", &vim::words());
}
