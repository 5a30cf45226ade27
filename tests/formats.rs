//! What programs read: every fixture of `ui/`, in every format, is what the format says.

use meshc::compile::{Checked, Selection, check};
use meshc::project::Project;
use meshc::report::{Format, Style, json, render};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All meshes that have something to report, checked once.
static MESHES: LazyLock<Vec<(PathBuf, Checked)>> = LazyLock::new(meshes);

fn meshes() -> Vec<(PathBuf, Checked)> {
    let entries = std::fs::read_dir(here().join("ui")).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "mesh"))
        .collect();
    paths.sort();
    let look = |path: PathBuf| {
        let project = Project::load(&path).expect("it is there");
        let mut checked = check(project, &Selection::default());
        checked.plan();
        (path, checked)
    };
    paths.into_iter().map(look).collect()
}

fn rendered(checked: &Checked, format: Format) -> String {
    render(&checked.report(Some(here())), format, Style::PLAIN)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

/// Fails where a value is not what a schema says.
fn validate(validator: &jsonschema::Validator, value: &Value, path: &Path) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
}

#[test]
fn json_follows_the_published_schema() {
    let schema = parsed(json::SCHEMA);
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for (path, checked) in &*MESHES {
        let text = rendered(checked, Format::Json);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), checked.diagnostics.len());
        for line in lines {
            validate(&validator, &parsed(line), path);
        }
    }
    for wrong in [
        "{}",
        "[]",
        r#"{"code":"E1","name":"a","severity":"error","message":"m","labels":[],"notes":[],"help":null,"fixes":[]}"#,
    ] {
        assert!(!validator.is_valid(&parsed(wrong)), "{wrong}");
    }
}

#[test]
fn json_edits_are_where_they_say() {
    for (path, checked) in &*MESHES {
        for line in rendered(checked, Format::Json).lines() {
            let finding = parsed(line);
            let fixes = finding["fixes"].as_array().expect("a list").iter();
            let edits = fixes.flat_map(|fix| fix["edits"].as_array().expect("a list"));
            let labels = finding["labels"].as_array().expect("a list");
            for range in edits.chain(labels) {
                let name = range["path"].as_str().expect("all of these are files");
                assert!(here().join(name).exists(), "{}", path.display());
                let mut files = checked.sources.iter().map(|(_, file)| file);
                let file = files.find(|file| range["file"] == file.name());
                let file = file.expect("it is of the mesh");
                for end in [&range["start"], &range["end"]] {
                    let number = |name: &str| end[name].as_u64().expect("a number") as u32;
                    let offset = number("offset");
                    let (line, column) = file.line_column(offset);
                    assert_eq!((number("line"), number("column")), (line, column));
                    let (_, utf16) = file.utf16_position(offset);
                    assert_eq!(number("column_utf16"), utf16 + 1);
                }
            }
        }
    }
}

#[test]
fn sarif_follows_the_schema_of_oasis() {
    let schema = include_str!("schemas/sarif-schema-2.1.0.json");
    let validator = jsonschema::validator_for(&parsed(schema)).expect("the schema is one");
    for (path, checked) in &*MESHES {
        let log = parsed(&rendered(checked, Format::Sarif));
        validate(&validator, &log, path);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
        let results = run["results"].as_array().expect("a list");
        assert_eq!(results.len(), checked.diagnostics.len());
        for result in results {
            let index = result["ruleIndex"].as_u64().expect("a number") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let places = result["locations"].as_array().expect("a list");
            assert_eq!(
                places.len(),
                1,
                "code scanning takes no result without a place"
            );
        }
    }
    assert!(!validator.is_valid(&parsed(r#"{"version":"2.1.0"}"#)));
}

#[test]
fn plain_lines_start_with_their_place() {
    for (path, checked) in &*MESHES {
        let text = rendered(checked, Format::Plain);
        let heads: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with("    "))
            .collect();
        assert_eq!(heads.len(), checked.diagnostics.len(), "{}", path.display());
        for (line, diagnostic) in heads.into_iter().zip(&checked.diagnostics) {
            let (place, rest) = line.split_once(": ").expect("a place");
            match diagnostic.span() {
                Some(span) => {
                    let file = checked.sources.get(span.file);
                    let (line, column) = file.line_column(span.start);
                    assert_eq!(place, format!("ui/{}:{line}:{column}", file.name()));
                }
                None => assert_eq!(place, "meshc"),
            }
            let head = format!("{}[{}]: ", diagnostic.severity, diagnostic.code);
            assert!(rest.starts_with(&head), "{line}");
            assert!(
                line.ends_with(&format!(" ({})", diagnostic.code.name())),
                "{line}"
            );
        }
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn github_commands_are_one_line_each() {
    for (path, checked) in &*MESHES {
        let text = rendered(checked, Format::Github);
        assert_eq!(text.lines().count(), checked.diagnostics.len());
        for line in text.lines() {
            let commands = ["::error ", "::warning ", "::notice "];
            assert!(
                commands.iter().any(|it| line.starts_with(it)),
                "{}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn the_same_mesh_reads_the_same_each_time() {
    let all = [
        Format::Human,
        Format::Plain,
        Format::Json,
        Format::Sarif,
        Format::Github,
    ];
    for ((_, first), (_, second)) in MESHES.iter().zip(&meshes()) {
        for format in all {
            assert_eq!(rendered(first, format), rendered(second, format));
        }
    }
}
