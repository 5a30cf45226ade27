//! For people at a terminal: miette's drawing under a first line of our own.
//!
//! ```text
//! error[E0208]: no path looks like `/a/../b`  (pattern-not-normal)
//!    ╭─[shop.mesh:14:5]
//!    …
//!   help: …
//!   more: meshc explain E0208
//! ```

use super::source_code::IndexedSource;
use super::style::page_of;
use super::text::{harmless, harmless_source};
use super::{Files, Report, SHOWN, summary};
use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::{Applicability, Diagnostic};
use mesh_lang::source::{FileId, Sources};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

pub use super::Style;

/// Characters shown of a line that is told without its surroundings.
const LONGEST: usize = 200;

/// Draws findings of texts that lie nowhere.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let files = Files::nowhere(sources);
    draw(&Report { diagnostics, files }, style)
}

/// Draws findings, most of a long list, and a last line that counts them.
pub fn draw(report: &Report<'_>, style: Style) -> String {
    let diagnostics = report.diagnostics;
    let mut out = String::new();
    let mut page = Page {
        files: report.files,
        style,
        texts: BTreeMap::new(),
    };
    for diagnostic in diagnostics.iter().take(SHOWN) {
        // Writing to a string does not fail.
        let _ = page.one(&mut out, diagnostic);
        out.push('\n');
    }
    if let Some(more) = diagnostics.len().checked_sub(SHOWN + 1) {
        let _ = writeln!(out, "… and {} more", more + 1);
    }
    if !diagnostics.is_empty() {
        let _ = writeln!(out, "{}", style.bold(summary(diagnostics)));
    }
    out
}

/// What all findings of a report share.
struct Page<'r> {
    files: Files<'r>,
    style: Style,
    /// Texts of files as they are shown.
    texts: BTreeMap<FileId, Cow<'r, str>>,
}

impl Page<'_> {
    /// Draws one finding.
    fn one(&mut self, out: &mut String, diagnostic: &Diagnostic) -> fmt::Result {
        let style = self.style;
        let place = diagnostic.span();
        if let Some(span) = place {
            let text = self.files.get(span.file).text();
            let texts = self.texts.entry(span.file);
            texts.or_insert_with(|| harmless_source(text));
        }
        let view = View {
            diagnostic,
            source: place.map(|span| IndexedSource {
                file: self.files.get(span.file),
                text: &self.texts[&span.file],
                name: self.name(span.file),
            }),
            file: place.map(|span| span.file),
        };
        let mut drawn = String::new();
        handler(diagnostic, style).render_report(&mut drawn, &view)?;
        // miette indents all it draws; the first line is a heading.
        writeln!(out, "{}", drawn.trim_start_matches(' ').trim_end())?;
        let elsewhere = diagnostic
            .labels
            .iter()
            .filter(|label| Some(label.span.file) != view.file);
        for label in elsewhere {
            let file = self.files.get(label.span.file);
            let (line, column) = file.line_column(label.span.start);
            writeln!(
                out,
                "  {} {}:{line}:{column}: {}",
                style.hint("also:"),
                self.name(label.span.file),
                harmless(&label.text)
            )?;
            let text: String = file.line_text(line).trim().chars().take(LONGEST).collect();
            writeln!(out, "        {}", harmless(&text))?;
        }
        for note in &diagnostic.notes {
            // An example stands for itself.
            match note.strip_prefix("for example: ") {
                Some(example) => self.lines(out, "for example:", example, "")?,
                None => self.lines(out, "note:", note, "")?,
            }
        }
        if let Some(advice) = diagnostic.advice() {
            let mut fixes = diagnostic.fixes.iter();
            let safe = fixes.any(|fix| fix.applicability == Applicability::Safe);
            let command = if safe { "  (meshc lint --fix)" } else { "" };
            self.lines(out, "help:", advice, command)?;
        }
        let code = style.link(page_of(diagnostic.code).as_deref(), diagnostic.code);
        writeln!(out, "  {} meshc explain {code}", style.faint("more:"))
    }

    /// The name of a file, which leads to it.
    fn name(&self, file: FileId) -> String {
        let address = self.files.absolute_address(file);
        self.style
            .link(address.as_deref(), harmless(self.files.get(file).name()))
    }

    /// A note of one line or several, the further ones indented, and what stands behind it all.
    fn lines(&self, out: &mut String, name: &str, text: &str, behind: &str) -> fmt::Result {
        let text = harmless(text);
        let (name, behind) = (self.style.hint(name), self.style.faint(behind));
        let indented = text.replace('\n', "\n        ");
        writeln!(out, "  {name} {indented}{behind}")
    }
}

fn handler(diagnostic: &Diagnostic, style: Style) -> GraphicalReportHandler {
    let code = style.link(page_of(diagnostic.code).as_deref(), diagnostic.code);
    let head = format!("{}[{code}]:", diagnostic.severity);
    let characters = ThemeCharacters {
        error: head.clone(),
        warning: head.clone(),
        advice: head,
        ..ThemeCharacters::unicode()
    };
    let styles = if style.color {
        ThemeStyles::ansi()
    } else {
        ThemeStyles::none()
    };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(false)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .without_cause_chain()
}

/// A finding as miette sees it: what lies in its own file.
struct View<'d> {
    diagnostic: &'d Diagnostic,
    source: Option<IndexedSource<'d>>,
    file: Option<FileId>,
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.diagnostic, f)
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { message, code, .. } = self.diagnostic;
        write!(f, "{}  ({})", harmless(message), code.name())
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source
            .as_ref()
            .map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = self.diagnostic.labels.iter();
        let here = here.filter(|label| Some(label.span.file) == self.file);
        Some(Box::new(here.map(|label| {
            let text = (!label.text.is_empty()).then(|| harmless(&label.text).into_owned());
            let span = (label.span.start as usize, label.span.len() as usize);
            if label.primary {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}
