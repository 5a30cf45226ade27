//! Policies from all over the workspace: files, examples of pages, and the texts of the language's own
//! tests.

use libtest_mimic::Failed;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::vocabulary::{self, ITEMS, Place, statements};
use mesh_tests::binaries::workspace;
use std::path::{Path, PathBuf};

/// A text that may be a policy.
pub(super) struct Source {
    /// Where it comes from.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
}

/// Whether the parser of the language has nothing to say about a text.
pub(super) fn is_accepted(text: &str) -> bool {
    parse(FileId(0), text).diagnostics.is_empty()
}

/// What the parser and the vocabulary say about a text.
pub(super) fn findings(text: &str) -> Vec<String> {
    let parse = parse(FileId(0), text);
    let checked = vocabulary::check(&parse.tree);
    let all = parse.diagnostics.into_iter().chain(checked);
    all.map(|found| format!("{}: {}", found.code, found.message))
        .collect()
}

/// All of them, accepted or not.
pub(super) fn all() -> Vec<Source> {
    [files(), pages(), examples(), literals()]
        .into_iter()
        .flatten()
        .collect()
}

/// The `.mesh` files of the workspace.
pub(super) fn files() -> Vec<Source> {
    let paths =
        ["examples", "lang/tests", "tests/ui", "editors/corpus"].map(|it| below(it, "mesh"));
    let read = |path: PathBuf| {
        // One fixture is no text, on purpose.
        let text = String::from_utf8(std::fs::read(&path).expect("it can be read")).ok()?;
        Some(source(&path, text))
    };
    paths.into_iter().flatten().filter_map(read).collect()
}

/// What editors show most: policies that people wrote, and the examples of the vocabulary.
pub(super) fn shown() -> impl Iterator<Item = Source> {
    let policies = files()
        .into_iter()
        .filter(|file| !file.name.contains("/E0"));
    policies.chain(examples())
}

/// The `.mesh` examples of the pages about findings.
fn pages() -> Vec<Source> {
    let mut sources = Vec::new();
    for path in below("lang/src/codes", "md") {
        let page = std::fs::read_to_string(&path).expect("it can be read");
        let mut lines = page.lines();
        while lines.any(|line| line == "```mesh") {
            let example: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            sources.push(source(&path, example.join("\n")));
        }
    }
    sources
}

/// The examples of the vocabulary.
fn examples() -> Vec<Source> {
    let items = ITEMS.iter().map(|item| item.example.to_owned());
    let statements = statements().map(|it| {
        let (before, behind) = if it.places.contains(&Place::Claims) {
            ("test \"t\" { request GET http://a/ { jwt j {", "} } }")
        } else if it.places.contains(&Place::Request) {
            ("test \"t\" { request GET http://a/ {", "} }")
        } else {
            ("service a {", "}")
        };
        format!("{before}\n  {}\n{behind}\n", it.example)
    });
    let named = |text| Source {
        name: "the vocabulary".to_owned(),
        text,
    };
    items.chain(statements).map(named).collect()
}

/// The string literals of the language's tests: as files, as statements, as rules, as conditions.
fn literals() -> Vec<Source> {
    let mut sources = Vec::new();
    let paths = below("lang/src", "rs").into_iter();
    let tests = paths.filter(|path| {
        path.components().any(|part| {
            part.as_os_str()
                .to_str()
                .is_some_and(|part| part.starts_with("tests"))
        })
    });
    for path in tests.chain(below("lang/tests", "rs")) {
        let code = std::fs::read_to_string(&path).expect("it can be read");
        for literal in literals_of(&code) {
            // What stands for a newline there.
            let literal = literal.replace('⏎', "\n");
            sources.push(source(&path, format!("service a {{\n{literal}\n}}\n")));
            sources.push(source(
                &path,
                format!("service a {{ authz {{ {literal} }} }}"),
            ));
            sources.push(source(&path, format!("let x = {literal}")));
            sources.push(source(&path, format!("test \"t\" {{ {literal} }}")));
            sources.push(source(&path, format!("assert \"a\" {{ {literal} }}")));
            sources.push(source(&path, literal));
        }
    }
    sources
}

/// The string literals of Rust code, roughly: a quote in a character or a comment opens one, too.
fn literals_of(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find('"') {
        let before = &rest[..at];
        let hashes = before.len() - before.trim_end_matches('#').len();
        let is_raw = before[..before.len() - hashes].ends_with('r');
        rest = &rest[at + 1..];
        if is_raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let Some(len) = rest.find(&end) else { break };
            literals.push(rest[..len].to_owned());
            rest = &rest[len + end.len()..];
            continue;
        }
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    rest = &rest[at + 1..];
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((at, '\n')) => {
                        let behind = &rest[at..];
                        let blank = behind.len() - behind.trim_start().len();
                        characters.nth(behind[..blank].chars().count().saturating_sub(2));
                    }
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                _ => text.push(character),
            }
        }
        // A literal in a format string has its braces twice.
        literals.push(text.replace("{{", "{").replace("}}", "}"));
        literals.push(text);
    }
    literals
}

/// The files with an ending below a directory, in order.
pub(super) fn below(directory: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![workspace().join(directory)];
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn source(path: &Path, text: String) -> Source {
    let name = path.strip_prefix(workspace()).unwrap_or(path);
    Source {
        name: name.display().to_string(),
        text,
    }
}

/// The parser and the vocabulary have nothing to say about the corpus.
pub(super) fn the_corpus_is_right() -> Result<(), Failed> {
    for file in files() {
        if file.name.starts_with("editors/corpus") {
            let findings = findings(&file.text);
            if !findings.is_empty() {
                return Err(format!("{}: {findings:#?}", file.name).into());
            }
        }
    }
    Ok(())
}
