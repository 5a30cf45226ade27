//! All grammars agree on what the tokens of a policy are.

use super::classes::{Runs, View, highlights};
use super::queries::query;
use super::sources::{self, Source};
use libtest_mimic::Failed;
use mesh_tests::binaries::workspace;
use std::collections::HashMap;
use std::process::Command;

/// Token by token, the TextMate grammar and the queries of tree-sitter say the same.
pub(super) fn textmate_and_tree_sitter() -> Result<(), Failed> {
    let query = query(tree_sitter_mesh::HIGHLIGHTS_QUERY)?;
    let (tree_sitter, textmate) = (View::of("tree-sitter"), View::of("textmate"));
    let sources: Vec<_> = sources::shown().collect();
    let scopes = scopes(&sources)?;
    let mut differences = Vec::new();
    for (Source { name, text }, scopes) in sources.iter().zip(scopes) {
        let ours = tree_sitter.classes(text, &highlights(&query, text));
        let theirs = textmate.classes(text, &scopes);
        for ((range, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
            if ours != theirs {
                let line = text[..range.start].matches('\n').count() + 1;
                let token = &text[range];
                differences.push(format!(
                    "{name}:{line}: {token:?} is a {ours} to tree-sitter, a {theirs} to TextMate"
                ));
            }
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("\n").into())
    }
}

/// What the TextMate grammar calls the parts of each text.
fn scopes(sources: &[Source]) -> Result<Vec<Runs>, Failed> {
    let directory = tempfile::tempdir()?;
    let files = sources.iter().enumerate().map(|(index, source)| {
        let file = directory.path().join(format!("{index}.mesh"));
        std::fs::write(&file, &source.text).map(|()| file)
    });
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let output = Command::new("node")
        .arg(workspace().join("editors/vscode/test/scopes.mjs"))
        .args(&files)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut found: HashMap<String, Vec<(usize, usize, String)>> =
        serde_json::from_slice(&output.stdout)?;
    let runs = files.iter().map(|file| {
        let runs = found
            .remove(&file.display().to_string())
            .unwrap_or_default();
        runs.into_iter()
            .map(|(start, end, scope)| (start..end, scope))
            .collect()
    });
    Ok(runs.collect())
}
