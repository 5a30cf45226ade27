//! All grammars agree on what the tokens of a policy are.
//!
//! The queries of tree-sitter, which need no tool, are what the others are held against.

use super::classes::{Runs, View, highlights};
use super::queries::query;
use super::sources::{self, Source};
use super::tools::run;
use super::vim::Vim;
use libtest_mimic::Failed;
use mesh_lang::source::SourceFile;
use mesh_tests::binaries::workspace;
use mesh_tests::editor::Editor;
use serde_json::json;
use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The TextMate grammar, as Visual Studio Code runs it.
pub(super) fn of_textmate() -> Result<(), Failed> {
    let files = Files::of_sources()?;
    let output = run(Command::new("node")
        .arg(workspace().join("editors/vscode/test/scopes.mjs"))
        .args(&files.paths))?;
    let found: HashMap<String, Vec<(usize, usize, String)>> = serde_json::from_str(&output)?;
    let found = found.into_iter().flat_map(|(file, runs)| {
        let run = move |(start, end, scope)| (file.clone(), start..end, scope);
        runs.into_iter().map(run)
    });
    files.agree("textmate", found)
}

/// The syntax file, as Vim or Neovim runs it.
pub(super) fn of_vim(vim: Vim) -> Result<(), Failed> {
    let files = Files::of_sources()?;
    let found = vim.groups(&files.paths)?;
    files.agree("vim", found.into_iter())
}

/// The semantic tokens of the language server.
pub(super) fn of_semantic_tokens() -> Result<(), Failed> {
    let sources: Vec<_> = sources::shown().collect();
    let mut editor = Editor::start(json!({
        "capabilities": { "general": { "positionEncodings": ["utf-8"] } },
    }));
    let legend = &editor.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"];
    let types: Vec<String> = serde_json::from_value(legend.clone())?;
    let mut found = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        // Each is a mesh by itself.
        let uri = format!("untitled:{index}");
        editor.open(&uri, &source.text);
        let document = json!({ "textDocument": { "uri": uri } });
        let tokens = editor.request("textDocument/semanticTokens/full", document);
        let data: Vec<usize> = serde_json::from_value(tokens["data"].clone())?;
        found.push(runs(&source.text, &types, &data));
    }
    compare("semantic", sources.iter().zip(found))
}

/// The tokens of a text, which are told by how far they are from each other.
fn runs(text: &str, types: &[String], data: &[usize]) -> Runs {
    let file = SourceFile::new("", text);
    let (mut line, mut column) = (0, 0);
    let mut runs = Runs::new();
    for token in data.chunks_exact(5) {
        column = if token[0] == 0 {
            column + token[1]
        } else {
            token[1]
        };
        line += token[0];
        let start = file.line_start(line as u32 + 1) as usize + column;
        runs.push((start..start + token[2], types[token[3]].clone()));
    }
    runs
}

/// The sources, in files that tools can read.
struct Files {
    _directory: TempDir,
    sources: Vec<Source>,
    paths: Vec<PathBuf>,
}

impl Files {
    fn of_sources() -> Result<Self, Failed> {
        let directory = tempfile::tempdir()?;
        let sources: Vec<_> = sources::shown().collect();
        let write = |(index, source): (usize, &Source)| {
            let path = directory.path().join(format!("{index}.mesh"));
            std::fs::write(&path, &source.text).map(|()| path)
        };
        let paths = sources.iter().enumerate().map(write);
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            _directory: directory,
            sources,
            paths,
        })
    }

    /// Whether what was found in the files says the same of every token as tree-sitter does.
    fn agree(
        &self,
        kind: &str,
        found: impl Iterator<Item = (String, Range<usize>, String)>,
    ) -> Result<(), Failed> {
        let mut runs: HashMap<String, Runs> = HashMap::new();
        for (file, range, name) in found {
            runs.entry(file).or_default().push((range, name));
        }
        let mut all = Vec::new();
        for (source, path) in self.sources.iter().zip(&self.paths) {
            let runs = runs.remove(&path.display().to_string());
            let name = &source.name;
            all.push((
                source,
                runs.ok_or_else(|| format!("{kind} says nothing of {name}"))?,
            ));
        }
        compare(kind, all.into_iter())
    }
}

/// Whether what was found in the sources says the same of every token as tree-sitter does.
fn compare<'s>(kind: &str, found: impl Iterator<Item = (&'s Source, Runs)>) -> Result<(), Failed> {
    let query = query(tree_sitter_mesh::HIGHLIGHTS_QUERY)?;
    let (tree_sitter, other) = (View::of("tree-sitter"), View::of(kind));
    let mut differences = Vec::new();
    for (Source { name, text }, runs) in found {
        let ours = tree_sitter.classes(text, &highlights(&query, text));
        let theirs = other.classes(text, &runs);
        for ((range, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
            if ours != theirs {
                let line = text[..range.start].matches('\n').count() + 1;
                let token = &text[range];
                differences.push(format!(
                    "{name}:{line}: {token:?} is {ours} to tree-sitter, {theirs} to {kind}"
                ));
            }
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(differences.join("\n").into())
}
