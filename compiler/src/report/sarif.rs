//! SARIF 2.1.0, for GitHub code scanning and other viewers: one document for a run.
//!
//! Rules are the codes that occur, with their pages. Places are addresses relative to where the command
//! runs, which is the root of the repository where code scanning reads them; results carry the fingerprint
//! by which it follows them as lines move. Columns are UTF-16 units, which is what is assumed where a
//! viewer does not look.

use super::page::in_plain;
use super::positions::{Position, Positions};
use super::style::page_of;
use super::{Files, Report, fingerprint};
use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::{Applicability, Diagnostic, Fix, Label};
use mesh_lang::source::{FileId, Span};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(report: &Report<'_>) -> String {
    let codes: BTreeSet<Code> = report.diagnostics.iter().map(|it| it.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let files = Artifacts::new(report);
    let results = report.diagnostics.iter().map(|diagnostic| {
        let rule = codes.partition_point(|code| *code < diagnostic.code);
        result(diagnostic, rule, &files)
    });
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "meshc",
                    version: env!("CARGO_PKG_VERSION"),
                    rules: codes.iter().copied().map(rule).collect(),
                },
            },
            column_kind: "utf16CodeUnits",
            results: results.collect(),
        }],
    };
    let mut text = serde_json::to_string(&log).unwrap_or_default();
    text.push('\n');
    text
}

/// What is known of each file once.
struct Artifacts<'r> {
    files: Files<'r>,
    positions: Positions<'r>,
    addresses: Vec<Option<String>>,
    fingerprints: BTreeMap<FileId, Vec<String>>,
}

impl<'r> Artifacts<'r> {
    fn new(report: &Report<'r>) -> Self {
        let files = report.files;
        let all = (0..files.sources.iter().count() as u32).map(FileId);
        let with_findings: BTreeSet<FileId> = report
            .diagnostics
            .iter()
            .filter_map(|it| Some(it.span()?.file))
            .collect();
        let fingerprints = with_findings
            .into_iter()
            .map(|file| (file, fingerprint::of_lines(files.get(file).text())));
        Self {
            files,
            positions: Positions::new(files),
            addresses: all.map(|file| files.address(file)).collect(),
            fingerprints: fingerprints.collect(),
        }
    }

    fn artifact(&self, file: FileId) -> Option<Artifact<'_>> {
        let uri = self.addresses[file.0 as usize].as_deref()?;
        let absolute = uri.starts_with("file:");
        Some(Artifact {
            uri,
            uri_base_id: (!absolute).then_some("%SRCROOT%"),
        })
    }

    fn region(&self, span: Span) -> Region {
        let start = self.positions.at(span.file, span.start);
        let end = self.positions.at(span.file, span.end);
        Region::of(start, end)
    }

    /// The place of a span; none where it is in no file.
    fn physical(&self, span: Span) -> Option<Physical<'_>> {
        Some(Physical {
            artifact_location: self.artifact(span.file)?,
            region: Some(self.region(span)),
        })
    }

    /// Where a finding is that is in no file: code scanning wants a place of every one, and the mesh is in
    /// its files.
    fn somewhere(&self) -> Option<Physical<'_>> {
        let mut files = (0..self.addresses.len() as u32).map(FileId);
        Some(Physical {
            artifact_location: files.find_map(|file| self.artifact(file))?,
            region: None,
        })
    }

    fn fingerprint(&self, span: Span) -> Option<&str> {
        let line = self.positions.at(span.file, span.start).line as usize;
        let lines = self.fingerprints.get(&span.file)?;
        lines.get(line - 1).map(String::as_str)
    }
}

fn rule(code: Code) -> Rule {
    let page = code.explanation();
    let first = page.split("\n\n").nth(1).unwrap_or_default();
    Rule {
        id: code.id(),
        name: code.name(),
        short_description: Text::of(code.summary()),
        full_description: Text::of(first.replace('\n', " ")),
        help: Help {
            text: in_plain(page),
            markdown: page,
        },
        help_uri: page_of(code),
        default_configuration: Configuration {
            level: level(code.severity()),
        },
        properties: RuleProperties {
            tags: vec![family(code)],
            problem_severity: match code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "recommendation",
            },
        },
    }
}

/// The family of a code; code scanning knows `security`.
fn family(code: Code) -> &'static str {
    match code.id().split_at(code.id().len() - 2).0 {
        "E01" => "syntax",
        "E02" => "names-and-values",
        "E03" => "routes",
        "E04" | "L3" => "security",
        "E05" => "proofs",
        "L1" => "traffic",
        "L2" => "resilience",
        _ => "style",
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result<'r>(diagnostic: &'r Diagnostic, rule: usize, files: &'r Artifacts<'_>) -> Finding<'r> {
    let span = diagnostic.span();
    let location = span.and_then(|span| files.physical(span));
    let fingerprint = location
        .as_ref()
        .and(span)
        .and_then(|span| files.fingerprint(span));
    // Labels of the place itself add to the message; others are places of their own.
    let mut related = Vec::new();
    for label in &diagnostic.labels {
        if Some(label.span) != span
            && let Some(physical) = files.physical(label.span)
        {
            related.push(Related {
                id: related.len() + 1,
                physical_location: physical,
                message: Text::of(label_text(label)),
            });
        }
    }
    Finding {
        rule_id: diagnostic.code.id(),
        rule_index: rule,
        level: level(diagnostic.severity),
        message: Text::of(message(diagnostic, files)),
        locations: location
            .or_else(|| files.somewhere())
            .map(|physical_location| Location { physical_location })
            .into_iter()
            .collect(),
        related_locations: related,
        partial_fingerprints: fingerprint.map(|line| Fingerprints {
            primary_location_line_hash: line,
        }),
        fixes: diagnostic
            .fixes
            .iter()
            .filter_map(|fix| mending(fix, files))
            .collect(),
    }
}

fn label_text(label: &Label) -> &str {
    if label.text.is_empty() {
        "this place"
    } else {
        &label.text
    }
}

/// All there is to say, a line each. Related places are linked, since only those that are linked are shown;
/// a place that is in no file is told in words.
fn message(diagnostic: &Diagnostic, files: &Artifacts<'_>) -> String {
    let mut lines = vec![escaped(&diagnostic.message)];
    let span = diagnostic.span();
    let mut related = 0;
    for label in &diagnostic.labels {
        let text = escaped(label_text(label));
        if files.artifact(label.span.file).is_none() {
            let file = escaped(files.files.get(label.span.file).name());
            lines.push(format!("{file}: {text}"));
        } else if Some(label.span) != span {
            related += 1;
            lines.push(format!("[{text}]({related})"));
        } else if !label.text.is_empty() {
            lines.push(text);
        }
    }
    lines.extend(
        diagnostic
            .notes
            .iter()
            .map(|note| format!("note: {}", escaped(note))),
    );
    lines.extend(
        diagnostic
            .advice()
            .map(|advice| format!("help: {}", escaped(advice))),
    );
    lines.join("\n")
}

/// Text in which nothing is a link.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\")
        .replace('[', r"\[")
        .replace(']', r"\]")
}

fn mending<'r>(fix: &'r Fix, files: &'r Artifacts<'_>) -> Option<Mending<'r>> {
    let mut changes: BTreeMap<FileId, Vec<Replacement<'r>>> = BTreeMap::new();
    for edit in &fix.edits {
        let replacement = Replacement {
            deleted_region: files.region(edit.span),
            inserted_content: Content {
                text: &edit.replacement,
            },
        };
        changes.entry(edit.span.file).or_default().push(replacement);
    }
    let changes = changes.into_iter().map(|(file, replacements)| {
        Some(Change {
            artifact_location: files.artifact(file)?,
            replacements,
        })
    });
    Some(Mending {
        description: Text::of(fix.title.as_str()),
        artifact_changes: changes.collect::<Option<_>>()?,
        properties: FixProperties {
            applicability: match fix.applicability {
                Applicability::Safe => "safe",
                Applicability::Unsafe => "unsafe",
            },
        },
    })
}

#[derive(Serialize)]
struct Log<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding<'r>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    fn of(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<&'static str>,
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'r> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_fingerprints: Option<Fingerprints<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Mending<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'r> {
    physical_location: Physical<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Related<'r> {
    id: usize,
    physical_location: Physical<'r>,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'r> {
    artifact_location: Artifact<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact<'r> {
    uri: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u32,
    byte_length: u32,
}

impl Region {
    fn of(start: Position, end: Position) -> Self {
        Self {
            start_line: start.line,
            start_column: start.column_utf16,
            end_line: end.line,
            end_column: end.column_utf16,
            byte_offset: start.offset,
            byte_length: end.offset.saturating_sub(start.offset),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints<'r> {
    primary_location_line_hash: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mending<'r> {
    description: Text,
    artifact_changes: Vec<Change<'r>>,
    properties: FixProperties,
}

#[derive(Serialize)]
struct FixProperties {
    applicability: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'r> {
    artifact_location: Artifact<'r>,
    replacements: Vec<Replacement<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'r> {
    deleted_region: Region,
    inserted_content: Content<'r>,
}

#[derive(Serialize)]
struct Content<'r> {
    text: &'r str,
}
