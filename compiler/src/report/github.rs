//! Workflow commands of GitHub Actions, which become annotations of the lines of a pull request.
//!
//! ```text
//! ::error file=shop.mesh,line=14,endLine=14,col=5,endColumn=21,title=E0301 route-shadowed::this arm …
//! ```

use super::Report;
use super::positions::Positions;
use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::Diagnostic;
use std::fmt::{self, Write as _};

pub(super) fn render(report: &Report<'_>) -> String {
    let positions = Positions::new(report.files);
    let mut out = String::new();
    for diagnostic in report.diagnostics {
        // Writing to a string does not fail.
        let _ = one(&mut out, diagnostic, report, &positions);
    }
    out
}

fn one(
    out: &mut String,
    diagnostic: &Diagnostic,
    report: &Report<'_>,
    positions: &Positions<'_>,
) -> fmt::Result {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    write!(out, "::{command} ")?;
    // What `--set` gave is in no file that could be annotated.
    let place = diagnostic
        .span()
        .filter(|span| report.files.path(span.file).is_some());
    if let Some(span) = place {
        let start = positions.at(span.file, span.start);
        let end = positions.at(span.file, span.end);
        let file = property(&report.files.label(span.file));
        write!(out, "file={file},line={},endLine={},", start.line, end.line)?;
        // Columns are understood on a single line only, and an end that is behind the start.
        if start.line == end.line {
            let behind = end.column.max(start.column + 1);
            write!(out, "col={},endColumn={behind},", start.column)?;
        }
    }
    let title = format!("{} {}", diagnostic.code, diagnostic.code.name());
    writeln!(
        out,
        "title={}::{}",
        property(&title),
        data(&message(diagnostic, report, positions))
    )
}

/// All there is to say, a line each.
fn message(diagnostic: &Diagnostic, report: &Report<'_>, positions: &Positions<'_>) -> String {
    let mut message = diagnostic.message.clone();
    for label in diagnostic
        .labels
        .iter()
        .filter(|label| !label.text.is_empty())
    {
        let at = positions.at(label.span.file, label.span.start);
        let file = report.files.label(label.span.file);
        let _ = write!(
            message,
            "\n{file}:{}:{}: {}",
            at.line, at.column, label.text
        );
    }
    for note in &diagnostic.notes {
        let _ = write!(message, "\nnote: {note}");
    }
    if let Some(advice) = diagnostic.advice() {
        let _ = write!(message, "\nhelp: {advice}");
    }
    message
}

/// Text behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("10%: a,\r\nb"), "10%25: a,%0D%0Ab");
        assert_eq!(property("10%: a,\r\nb"), "10%25%3A a%2C%0D%0Ab");
    }
}
