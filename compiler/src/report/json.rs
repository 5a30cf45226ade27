//! For programs: one JSON object a line, by the schema in `json.schema.json`.
//!
//! Fields are only ever added; what one means does not change.

use super::positions::{Position, Positions};
use super::{Files, Report};
use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Edit, Fix, Label};
use mesh_lang::source::{FileId, Span};
use serde::Serialize;

/// What a line holds, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

pub(super) fn render(report: &Report<'_>) -> String {
    let positions = Positions::new(report.files);
    let names: Vec<Names> = (0..report.files.sources.iter().count() as u32)
        .map(|file| Names::of(report.files, FileId(file)))
        .collect();
    let mut lines = Vec::new();
    for diagnostic in report.diagnostics {
        let finding = Finding::of(diagnostic, &names, &positions);
        // Writing text and numbers to a vector does not fail.
        let _ = serde_json::to_writer(&mut lines, &finding);
        lines.push(b'\n');
    }
    String::from_utf8_lossy(&lines).into_owned()
}

/// What a severity is called in formats for programs.
pub(crate) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

#[derive(Serialize)]
struct Finding<'r> {
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    message: &'r str,
    labels: Vec<Place<'r>>,
    notes: &'r [String],
    help: Option<&'r str>,
    fixes: Vec<Mending<'r>>,
}

#[derive(Serialize)]
struct Place<'r> {
    primary: bool,
    text: &'r str,
    #[serde(flatten)]
    range: Range<'r>,
}

/// From here to there in a file.
#[derive(Serialize)]
struct Range<'r> {
    file: &'r str,
    path: Option<&'r str>,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Mending<'r> {
    title: &'r str,
    applicability: &'static str,
    edits: Vec<Change<'r>>,
}

#[derive(Serialize)]
struct Change<'r> {
    #[serde(flatten)]
    range: Range<'r>,
    replacement: &'r str,
}

/// What a file is called.
struct Names {
    name: String,
    path: Option<String>,
}

impl Names {
    fn of(files: Files<'_>, file: FileId) -> Self {
        Self {
            name: files.get(file).name().to_owned(),
            path: files.path(file).map(|_| files.label(file)),
        }
    }
}

impl<'r> Finding<'r> {
    fn of(diagnostic: &'r Diagnostic, names: &'r [Names], positions: &Positions<'_>) -> Self {
        let range = |span: Span| {
            let Names { name, path } = &names[span.file.0 as usize];
            Range {
                file: name,
                path: path.as_deref(),
                start: positions.at(span.file, span.start),
                end: positions.at(span.file, span.end),
            }
        };
        let place = |label: &'r Label| Place {
            primary: label.primary,
            text: &label.text,
            range: range(label.span),
        };
        let change = |edit: &'r Edit| Change {
            range: range(edit.span),
            replacement: &edit.replacement,
        };
        let mending = |fix: &'r Fix| Mending {
            title: &fix.title,
            applicability: match fix.applicability {
                Applicability::Safe => "safe",
                Applicability::Unsafe => "unsafe",
            },
            edits: fix.edits.iter().map(change).collect(),
        };
        Self {
            code: diagnostic.code.id(),
            name: diagnostic.code.name(),
            severity: severity_name(diagnostic.severity),
            message: &diagnostic.message,
            labels: diagnostic.labels.iter().map(place).collect(),
            notes: &diagnostic.notes,
            help: diagnostic.help.as_deref(),
            fixes: diagnostic.fixes.iter().map(mending).collect(),
        }
    }
}
