//! For screen readers, grep and the error lists of editors: one line each, and what else there is to say
//! indented below.
//!
//! ```text
//! shop.mesh:14:5: error[E0301]: this arm can never be taken (route-shadowed)
//!     at shop.mesh:11:5: takes every request that ...
//!     help: put it above, or remove it
//! ```
//!
//! All text is ASCII but the names of files, which have to lead to them.

use super::Report;
use super::positions::Positions;
use super::text::{ascii, harmless};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
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
    let place = |span: Span| {
        let at = positions.at(span.file, span.start);
        let file = report.files.label(span.file);
        format!("{}:{}:{}", harmless(&file), at.line, at.column)
    };
    let span = diagnostic.span();
    writeln!(
        out,
        "{}: {}[{}]: {} ({})",
        span.map_or_else(|| "meshc".to_owned(), place),
        diagnostic.severity,
        diagnostic.code,
        ascii(&diagnostic.message).replace('\n', " "),
        diagnostic.code.name(),
    )?;
    for label in &diagnostic.labels {
        let own = Some(label.span) == span;
        match (own, label.text.is_empty()) {
            (true, true) => {}
            (_, true) => writeln!(out, "    at {}", place(label.span))?,
            (_, false) => writeln!(out, "    at {}: {}", place(label.span), ascii(&label.text))?,
        }
    }
    for note in &diagnostic.notes {
        lines(out, "note", note)?;
    }
    match diagnostic.advice() {
        Some(advice) => lines(out, "help", advice),
        None => Ok(()),
    }
}

fn lines(out: &mut String, name: &str, text: &str) -> fmt::Result {
    let mut text = text.lines();
    let first = ascii(text.next().unwrap_or_default());
    writeln!(out, "    {name}: {first}")?;
    text.try_for_each(|line| writeln!(out, "          {}", ascii(line)))
}
