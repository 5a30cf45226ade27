//! What users see: one file in `ui/` for every finding, and a snapshot of what is said about it.
//!
//! A file is named after the code it is about, and may show others on the way. To add a finding, add a
//! file and accept its snapshot (`cargo insta review`, or `INSTA_UPDATE=always`).

use mesh_lang::codes::Code;
use mesh_lang::source::Sources;
use meshc::compile::check;
use meshc::project::Project;
use meshc::report::human::{Style, render};
use std::path::{Path, PathBuf};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// The fixtures: their names without the ending, and their paths.
fn fixtures() -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(directory()).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut fixtures: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "mesh")
        })
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    fixtures.sort();
    fixtures
}

#[test]
fn every_finding_reads_as_it_should() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(directory());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, path) in fixtures() {
            let mut checked = check(Project::load(&path).expect("it is there"), &[]);
            checked.plan();
            let about = name
                .split('-')
                .next()
                .and_then(Code::find)
                .expect("it is named after a code");
            assert!(
                checked
                    .diagnostics
                    .iter()
                    .any(|diagnostic| diagnostic.code == about),
                "{name} does not show {about}"
            );
            insta::assert_snapshot!(
                name,
                render(&checked.diagnostics, &checked.sources, Style::PLAIN)
            );
        }
    });
}

#[test]
fn every_finding_has_a_fixture() {
    let fixtures = fixtures();
    for code in Code::ALL {
        let name = format!("{}-{}", code.id(), code.name());
        assert!(
            fixtures.iter().any(|(known, _)| *known == name),
            "tests/ui/{name}.mesh is missing"
        );
    }
}

/// Fixes are text edits that are applied unseen or after a glance: what they leave must still parse as
/// well as before, and the finding must be gone.
#[test]
fn every_fix_mends_what_it_is_offered_for() {
    for (name, path) in fixtures() {
        let checked = check(Project::load(&path).expect("it is there"), &[]);
        for diagnostic in &checked.diagnostics {
            for fix in &diagnostic.fixes {
                let fixed = apply(&checked.sources, fix);
                let again = check(Project::of_texts([("fixed.mesh", fixed.as_str())]), &[]);
                let same = |it: &mesh_lang::diagnostic::Diagnostic| {
                    it.code == diagnostic.code && it.message == diagnostic.message
                };
                let count = |all: &[mesh_lang::diagnostic::Diagnostic]| {
                    all.iter().filter(|it| same(it)).count()
                };
                assert!(
                    count(&again.diagnostics) < count(&checked.diagnostics),
                    "{name}: `{}` leaves: {}\n{fixed}",
                    fix.title,
                    diagnostic.message
                );
            }
        }
    }
}

/// The text of the only file with a fix applied.
fn apply(sources: &Sources, fix: &mesh_lang::diagnostic::Fix) -> String {
    let file = fix.edits[0].span.file;
    let mut text = sources.get(file).text().to_owned();
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for edit in edits {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    text
}
