//! What there is to say about a policy, as plain data.
//!
//! A [`Diagnostic`] is built by a small function beside the check that finds it, and rendered
//! elsewhere: as text, JSON, SARIF or to an editor. It starts with the severity of its [`Code`]; that of
//! a lint is changed where the mesh asks for another level.

use crate::codes::{Code, Severity};
use crate::source::Span;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what is.
    pub message: String,
    /// The places involved; the first primary one is where the finding is.
    pub labels: Vec<Label>,
    /// More to know: why.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that do it.
    pub fixes: Vec<Fix>,
}

/// A place and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say there; may be empty.
    pub text: String,
    /// Whether this is what the finding is about, not only where it comes from.
    pub primary: bool,
}

/// A way to mend the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a command: "write `5s`".
    pub title: String,
    /// The edits, none of which overlap.
    pub edits: Vec<Edit>,
    /// Whether it may be applied unseen.
    pub applicability: Applicability,
}

/// One change of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// Whether a fix may be applied unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// It says what was meant beyond doubt.
    Safe,
    /// It is a guess for somebody to confirm.
    Unsafe,
}

impl Diagnostic {
    /// A finding with nothing but its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// Adds the place that the finding is about.
    #[must_use]
    pub fn primary(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text, true)
    }

    /// Adds a place that has to do with it.
    #[must_use]
    pub fn secondary(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text, false)
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// What to do, in words: the help, or else what the first fix does.
    pub fn advice(&self) -> Option<&str> {
        let fix = self.fixes.first().map(|fix| fix.title.as_str());
        self.help.as_deref().or(fix)
    }

    /// Where it is: the first primary label, or else the first one.
    pub fn span(&self) -> Option<Span> {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first()).map(|label| label.span)
    }

    /// The same with its places elsewhere: in the text that another has become.
    #[must_use]
    pub fn moved(mut self, place: impl Fn(Span) -> Span) -> Self {
        for label in &mut self.labels {
            label.span = place(label.span);
        }
        for edit in self.fixes.iter_mut().flat_map(|fix| &mut fix.edits) {
            edit.span = place(edit.span);
        }
        self
    }

    fn label(mut self, span: Span, text: impl Into<String>, primary: bool) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
            primary,
        });
        self
    }
}

impl Fix {
    /// A fix of one edit.
    pub fn new(
        applicability: Applicability,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            edits: vec![Edit {
                span,
                replacement: replacement.into(),
            }],
            applicability,
        }
    }

    /// A fix of one edit that is right beyond doubt.
    pub fn safe(title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        Self::new(Applicability::Safe, title, span, replacement)
    }

    /// A fix of one edit for somebody to confirm.
    pub fn guess(title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        Self::new(Applicability::Unsafe, title, span, replacement)
    }

    /// Adds an edit elsewhere.
    #[must_use]
    pub fn and(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.edits.push(Edit {
            span,
            replacement: replacement.into(),
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn the_first_primary_label_is_the_place() {
        let span = |at| Span::new(FileId(0), at, at + 1);
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, "m").secondary(span(1), "");
        assert_eq!(diagnostic.span(), Some(span(1)));
        let diagnostic = diagnostic.primary(span(2), "").primary(span(3), "");
        assert_eq!(diagnostic.span(), Some(span(2)));
        assert_eq!(diagnostic.severity, Severity::Error);
    }

    #[test]
    fn a_fix_may_edit_several_places() {
        let span = |at| Span::new(FileId(0), at, at + 1);
        let fix = Fix::safe("swap them", span(1), "b").and(span(5), "a");
        assert_eq!(fix.edits.len(), 2);
        assert_eq!(fix.applicability, Applicability::Safe);
    }
}
