//! What users are told: every finding of every file in `findings/`, as plain text, with what its
//! fixes make of the line.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::path::Path;

use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Fix, Label};
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, SourceFile};
use mesh_lang::vocabulary;

/// All findings of a file in the order of their places.
fn findings(text: &str) -> Vec<Diagnostic> {
    let parse = parse(FileId(0), text);
    let mut findings = parse.diagnostics;
    findings.extend(vocabulary::check(&parse.tree));
    findings.sort_by_key(|finding| finding.span().map(|span| (span.start, span.end)));
    findings
}

fn show(file: &SourceFile, finding: &Diagnostic) -> String {
    let mut text = String::new();
    let Diagnostic {
        code,
        severity,
        message,
        labels,
        notes,
        help,
        fixes,
    } = finding;
    writeln!(text, "{severity}[{code}]: {message}  ({})", code.name()).unwrap();
    for label in labels {
        text.push_str(&show_label(file, label));
    }
    for note in notes {
        writeln!(text, "  note: {note}").unwrap();
    }
    if let Some(help) = help {
        writeln!(text, "  help: {help}").unwrap();
    }
    for fix in fixes {
        let doubt = match fix.applicability {
            Applicability::Safe => "",
            Applicability::Unsafe => "?",
        };
        writeln!(text, "  fix{doubt}: {}", fix.title).unwrap();
        for line in changed_lines(file, fix) {
            writeln!(text, "     + {line}").unwrap();
        }
    }
    text
}

fn show_label(file: &SourceFile, label: &Label) -> String {
    let (line, column) = file.line_column(label.span.start);
    let mark = if label.primary { "^" } else { "-" };
    let covered = label.span.text(file.text()).chars().count().max(1);
    let indent = " ".repeat(column as usize - 1);
    let under = format!("{indent}{} {}", mark.repeat(covered), label.text);
    format!(
        "{line:>4} | {}\n     | {}\n",
        file.line_text(line),
        under.trim_end()
    )
}

/// The lines that a fix changes, changed.
fn changed_lines(file: &SourceFile, fix: &Fix) -> Vec<String> {
    let fixed = apply(file.text(), fix);
    let new: Vec<_> = fixed.lines().collect();
    let old: Vec<_> = file.text().lines().collect();
    let same_before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_behind = old[same_before..]
        .iter()
        .rev()
        .zip(new[same_before..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let changed = &new[same_before..new.len() - same_behind];
    changed.iter().map(|line| (*line).to_owned()).collect()
}

fn apply(text: &str, fix: &Fix) -> String {
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    let mut fixed = text.to_owned();
    for edit in edits {
        fixed.replace_range(edit.span.range(), &edit.replacement);
    }
    fixed
}

/// The files in `findings/`, by name.
fn files() -> Vec<SourceFile> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            SourceFile::new(name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

#[test]
fn every_finding_reads_as_it_should() {
    for file in files() {
        let shown: Vec<_> = findings(file.text())
            .iter()
            .map(|finding| show(&file, finding))
            .collect();
        insta::assert_snapshot!(file.name(), shown.join("\n"));
    }
}

#[test]
fn every_code_of_this_crate_has_a_file() {
    let files = files();
    for code in Code::ALL.iter().filter(|code| code.id() <= "E0220") {
        if *code == Code::NotText {
            continue;
        }
        let name = format!("{code}-{}", code.name());
        let file = files.iter().find(|file| file.name() == name);
        let file = file.unwrap_or_else(|| panic!("there is no {name}.mesh"));
        let found = findings(file.text());
        assert!(found.iter().any(|finding| finding.code == *code), "{name}");
    }
}

#[test]
fn a_safe_fix_mends_its_finding_and_breaks_nothing() {
    for file in files() {
        let before = findings(file.text());
        for finding in &before {
            for fix in &finding.fixes {
                if fix.applicability == Applicability::Safe {
                    let after = findings(&apply(file.text(), fix));
                    let (name, message) = (file.name(), &finding.message);
                    let is_left = after
                        .iter()
                        .any(|other| other.message == *message && other.span() == finding.span());
                    assert!(!is_left, "{name}: {message}");
                    // What a finding of syntax hid may come to light.
                    let hid_more = finding.code.id() < "E0201";
                    assert!(hid_more || after.len() < before.len(), "{name}: {message}");
                }
            }
        }
    }
}

#[test]
fn messages_keep_their_tone() {
    for file in files() {
        for finding in findings(file.text()) {
            let sentences = [&finding.message].into_iter().chain(&finding.notes);
            for sentence in sentences.chain(&finding.help) {
                let plain: String = sentence.split('`').step_by(2).collect();
                let lower = plain.to_lowercase();
                assert!(!plain.contains('!'), "{sentence}");
                assert!(!plain.trim_end().ends_with('.'), "{sentence}");
                assert!(!lower.contains("invalid"), "{sentence}");
            }
        }
    }
}
