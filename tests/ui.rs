//! What users see: one file in `ui/` for every finding, and a snapshot of what is said about it.
//!
//! A file is named after the code it is about, and may show others on the way. To add a finding, add a
//! file and accept its snapshot (`cargo insta review`, or `INSTA_UPDATE=always`).

use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use meshc::compile::{Checked, Selection, check};
use meshc::fix::{Wanted, mend, pass, texts};
use meshc::project::Project;
use meshc::report::human::{Style, render};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// The names without the ending, and the paths, of all files with an ending.
fn files(ending: &str) -> Vec<(String, PathBuf)> {
    files_in(&directory(), ending)
}

fn files_in(directory: &Path, ending: &str) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(directory).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|it| it == ending))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    files.sort();
    files
}

/// Everything there is to report about a mesh.
fn look(project: Project) -> Checked {
    let mut checked = check(project, &Selection::default());
    checked.warn_of_what_is_not_acted_on();
    checked.plan();
    checked
}

fn look_at(path: &Path) -> Checked {
    look(Project::load(path).expect("it is there"))
}

#[test]
fn every_finding_reads_as_it_should() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(directory());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, path) in files("mesh") {
            let checked = look_at(&path);
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
fn every_finding_has_a_fixture_and_every_fixture_a_snapshot() {
    let names = |ending| -> BTreeSet<String> {
        let files = files(ending).into_iter();
        files.map(|(name, _)| name).collect()
    };
    let fixtures = names("mesh");
    for code in Code::ALL {
        let name = format!("{}-{}", code.id(), code.name());
        assert!(fixtures.contains(&name), "tests/ui/{name}.mesh is missing");
    }
    assert_eq!(names("snap"), fixtures, "each has what is said about it");
}

/// Findings of a mesh by what they say, and how often.
fn count(diagnostics: &[Diagnostic]) -> BTreeMap<(Code, &str), usize> {
    let mut count = BTreeMap::new();
    for diagnostic in diagnostics {
        let key = (diagnostic.code, diagnostic.message.as_str());
        *count.entry(key).or_default() += 1;
    }
    count
}

/// How often a text has each finding of syntax.
fn syntax(file: FileId, text: &str) -> BTreeMap<Code, usize> {
    let mut count = BTreeMap::new();
    let found = parse(file, text).diagnostics.into_iter();
    for diagnostic in found.filter(|it| it.code.is_syntax()) {
        *count.entry(diagnostic.code).or_default() += 1;
    }
    count
}

/// Fixes are text edits that are applied unseen or after a glance: what they leave must parse at least as
/// well as before, and the finding must be gone.
#[test]
fn every_fix_mends_what_it_is_offered_for() {
    let mut fixes = 0;
    let of_the_language = directory().join("../../lang/tests/findings");
    let of_the_language = files_in(&of_the_language, "mesh");
    for (name, path) in files("mesh").into_iter().chain(of_the_language) {
        let checked = look_at(&path);
        let before = count(&checked.diagnostics);
        for diagnostic in &checked.diagnostics {
            for fix in &diagnostic.fixes {
                fixes += 1;
                let new = texts(&checked.sources, &[fix]);
                for (&file, text) in &new {
                    let before = syntax(file, checked.sources.get(file).text());
                    for (code, count) in syntax(file, text) {
                        assert!(
                            before.get(&code).is_some_and(|before| count <= *before),
                            "{name}: `{}` leaves a new {code}\n{text}",
                            fix.title
                        );
                    }
                }
                let fixed = checked.sources.iter().map(|(file, source)| {
                    let text = new.get(&file).map_or(source.text(), String::as_str);
                    (source.name(), text)
                });
                let again = look(Project::of_texts(fixed));
                let key = (diagnostic.code, diagnostic.message.as_str());
                let after = count(&again.diagnostics);
                // A test that shows what is wrong does not make it right; it is offered once.
                let is_offered = |it: &&Diagnostic| {
                    let mut titles = it.fixes.iter().map(|it| &it.title);
                    (it.code, it.message.as_str()) == key && titles.any(|it| *it == fix.title)
                };
                let offered = |all: &[Diagnostic]| all.iter().filter(is_offered).count();
                let is_test = diagnostic.code == Code::AssertFailed;
                assert!(
                    after.get(&key).copied().unwrap_or_default() < before[&key]
                        || is_test && offered(&again.diagnostics) < offered(&checked.diagnostics),
                    "{name}: `{}` leaves: {}\n{new:?}",
                    fix.title,
                    diagnostic.message
                );
            }
        }
    }
    assert!(fixes > 40, "there are {fixes} fixes to try");
}

/// All fixes together come to an end, and leave nothing behind that they could have mended.
#[test]
fn mending_comes_to_an_end() {
    let of_the_language = directory().join("../../lang/tests/findings");
    let of_the_language = files_in(&of_the_language, "mesh");
    for (name, path) in files("mesh").into_iter().chain(of_the_language) {
        for guesses in [false, true] {
            let wanted = Wanted {
                guesses,
                only: Vec::new(),
            };
            let again = |sources| {
                let project = Project::load(&path).expect("it is there");
                look(project.with_sources(sources))
            };
            let mended = mend(look_at(&path), &wanted, again);
            let checked = mended.checked;
            let more = pass(
                &checked.diagnostics,
                &checked.sources,
                checked.files,
                &wanted,
            );
            assert_eq!(more.fixed, 0, "{name}: {:?}", more.texts);
            assert_eq!(mended.fixed == 0, mended.changed.is_empty(), "{name}");
        }
    }
}
