//! From diagnostics to what users see.
//!
//! A [`Diagnostic`](mesh_lang::diagnostic::Diagnostic) is plain data; here it becomes text for a terminal. Findings
//! are shown in the order of the source, each once, and a run that has many shows the first of them and
//! says how many more there are.

pub mod human;
mod source_code;

use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Sources;

/// Findings shown in full.
pub const SHOWN: usize = 50;

/// Sorts findings by their place and drops those that say the same of the same place.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|diagnostic| {
        let span = diagnostic.span();
        (
            span.map(|span| (span.file.0, span.start, span.end)),
            diagnostic.code,
        )
    });
    diagnostics.dedup_by(|b, a| a.code == b.code && a.span() == b.span() && a.message == b.message);
}

/// Whether any of them keeps the mesh from compiling.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity() == Severity::Error)
}

/// "3 errors, 1 warning", or nothing.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        let with = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity() == severity);
        with.count()
    };
    let part = |severity, name: &str| match count(severity) {
        0 => None,
        1 => Some(format!("1 {name}")),
        many => Some(format!("{many} {name}s")),
    };
    let parts = [
        part(Severity::Error, "error"),
        part(Severity::Warning, "warning"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `file:line:column` of a finding, if it has a place.
pub fn place(diagnostic: &Diagnostic, sources: &Sources) -> Option<String> {
    let span = diagnostic.span()?;
    let file = sources.get(span.file);
    let (line, column) = file.line_column(span.start);
    Some(format!("{}:{line}:{column}", file.name()))
}
