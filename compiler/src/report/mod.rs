//! From diagnostics to what users and their tools see.
//!
//! ```text
//! Diagnostic ─ sort ─▶ Report (findings, their files) ─ Format ─▶ human │ plain │ json │ sarif │ github
//! ```
//!
//! A [`Diagnostic`] is plain data; here it becomes text, one file per format. Findings are told in the order
//! of the source, each once. For people a run that has many shows the first of them and says how many more
//! there are; for machines all of them are there. The same findings make the same text, wherever the mesh lies.

pub mod diff;
mod files;
mod fingerprint;
mod github;
pub mod human;
pub mod json;
pub mod page;
mod plain;
mod positions;
mod sarif;
mod source_code;
mod style;
mod text;
pub(crate) mod xml;

use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::Diagnostic;

pub use files::Files;
pub use style::Style;

/// Findings shown in full to people.
pub const SHOWN: usize = 50;

/// Findings, and the files that they are in.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// What there is to report, in order.
    pub diagnostics: &'r [Diagnostic],
    /// The files.
    pub files: Files<'r>,
}

/// How findings are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: the source, what is said about it, and a summary; the first 50 findings.
    #[default]
    Human,
    /// `file:line:column: error[E0301]: message (name)` in ASCII: for screen readers, grep and editors.
    Plain,
    /// One JSON object a line, by the schema compiler/src/report/json.schema.json.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
}

/// Findings as text.
pub fn render(report: &Report<'_>, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::draw(report, style),
        Format::Plain => plain::render(report),
        Format::Json => json::render(report),
        Format::Sarif => sarif::render(report),
        Format::Github => github::render(report),
    }
}

/// Sorts findings by their place and drops those that say the same of the same place.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |it: &Diagnostic| {
            let span = it.span();
            (
                span.map(|span| (span.file.0, span.start, span.end)),
                it.code,
            )
        };
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup_by(|b, a| a.code == b.code && a.span() == b.span() && a.message == b.message);
}

/// Whether any of them keeps the mesh from compiling.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// "3 errors, 1 warning", or nothing.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let parts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "remark"),
    ];
    let parts = parts.into_iter().filter_map(|(severity, name)| {
        let with = diagnostics.iter().filter(|it| it.severity == severity);
        match with.count() {
            0 => None,
            many => Some(count(many, name)),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// "1 file", "2 files".
pub fn count(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        many => format!("{many} {name}s"),
    }
}

#[cfg(test)]
mod tests;
