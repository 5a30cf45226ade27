//! The files of this repository.

use super::{comments, formatted, meaning, tree};
use std::path::{Path, PathBuf};

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if path.extension().is_some_and(|it| it == "mesh") {
            files.push(path);
        }
    }
}

/// The policies below a directory of the repository. One of them is there to be no text.
fn policies(directory: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    files_below(&root.join(directory), &mut files);
    files.sort();
    assert!(!files.is_empty());
    let texts = files.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some((path, text))
    });
    texts.collect()
}

#[test]
fn the_examples_are_laid_out() {
    for (path, text) in policies("examples") {
        let wanted = formatted(&text);
        assert!(text == wanted, "meshc fmt {}", path.display());
    }
}

#[test]
fn the_files_of_all_tests_keep_their_meaning_and_comments() {
    for (path, text) in policies("lang/tests").into_iter().chain(policies("tests")) {
        let formatted = formatted(&text);
        let (before, after) = (tree(&text), tree(&formatted));
        assert_eq!(meaning(&after), meaning(&before), "{}", path.display());
        assert_eq!(comments(&after), comments(&before), "{}", path.display());
        assert_eq!(
            super::formatted(&formatted),
            formatted,
            "{}",
            path.display()
        );
    }
}

#[test]
fn what_the_larger_files_become() {
    for (name, text) in [
        ("services", include_str!("../fixtures/services.mesh")),
        ("gateway", include_str!("../fixtures/gateway.mesh")),
        ("mesh", include_str!("../fixtures/mesh.mesh")),
        ("proofs", include_str!("../fixtures/proofs.mesh")),
    ] {
        insta::assert_snapshot!(name, formatted(text));
    }
}
