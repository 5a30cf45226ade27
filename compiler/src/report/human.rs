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
use super::{SHOWN, summary};
use mesh_lang::codes::Severity;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{FileId, Sources};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles};
use std::fmt::{self, Write as _};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With colours.
    pub color: bool,
}

impl Style {
    /// Without colours.
    pub const PLAIN: Self = Self { color: false };
}

/// Draws findings, most of a long list, and a last line that counts them.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        // Writing to a string does not fail.
        let _ = one(&mut out, diagnostic, sources, style);
        out.push('\n');
    }
    if let Some(more) = diagnostics.len().checked_sub(SHOWN + 1) {
        let _ = writeln!(out, "… and {} more", more + 1);
    }
    if !diagnostics.is_empty() {
        let _ = writeln!(out, "{}", summary(diagnostics));
    }
    out
}

/// Draws one finding.
fn one(out: &mut String, diagnostic: &Diagnostic, sources: &Sources, style: Style) -> fmt::Result {
    let place = diagnostic.span();
    let view = View {
        diagnostic,
        source: place.map(|span| IndexedSource(sources.get(span.file))),
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
        let file = sources.get(label.span.file);
        let (line, column) = file.line_column(label.span.start);
        writeln!(
            out,
            "  also: {}:{line}:{column}: {}",
            file.name(),
            label.text
        )?;
        writeln!(out, "        {}", file.line_text(line).trim())?;
    }
    for note in &diagnostic.notes {
        lines(out, "note", note)?;
    }
    match (&diagnostic.help, diagnostic.fixes.first()) {
        (Some(help), _) => lines(out, "help", help)?,
        (None, Some(fix)) => lines(out, "help", &fix.title)?,
        (None, None) => {}
    }
    writeln!(out, "  more: meshc explain {}", diagnostic.code)
}

/// A note of one line or several, the further ones indented.
fn lines(out: &mut String, name: &str, text: &str) -> fmt::Result {
    let mut text = text.lines();
    writeln!(out, "  {name}: {}", text.next().unwrap_or_default())?;
    text.try_for_each(|line| writeln!(out, "        {line}"))
}

fn handler(diagnostic: &Diagnostic, style: Style) -> GraphicalReportHandler {
    let head = format!("{}[{}]:", diagnostic.severity(), diagnostic.code);
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
        write!(f, "{message}  ({})", code.name())
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity() {
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
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            let span = (label.span.start as usize, label.span.len() as usize);
            if label.primary {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}
