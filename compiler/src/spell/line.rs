//! Lines of a policy: a statement, who said so, and the block behind it.

use crate::model::edition::EDITION;
use crate::model::said::{Origin, Said};
use mesh_lang::source::{Sources, Span};
use std::fmt::Write as _;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    text: String,
    origin: Option<Origin>,
    block: Option<Vec<Line>>,
    /// Whether what stands in its block says something by itself, as in a service, and not about the
    /// statement, as in a `retry`.
    is_around: bool,
}

impl Line {
    /// A statement.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            origin: None,
            block: None,
            is_around: false,
        }
    }

    /// A comment.
    pub(super) fn comment(text: &str) -> Self {
        Self::new(format!("# {text}"))
    }

    /// It, with who said so.
    #[must_use]
    pub(super) fn by(self, origin: Origin) -> Self {
        Self {
            origin: Some(origin),
            ..self
        }
    }

    /// It, with the statement there that said so.
    #[must_use]
    pub(super) fn at(self, span: Span) -> Self {
        self.by(Origin::Written(span))
    }

    /// It, with what stands in its block.
    #[must_use]
    pub(super) fn with(self, block: Vec<Self>) -> Self {
        Self {
            block: Some(block),
            ..self
        }
    }

    /// It, around statements that say something by themselves.
    #[must_use]
    pub(super) fn around(self, block: Vec<Self>) -> Self {
        Self {
            is_around: true,
            ..self.with(block)
        }
    }

    /// It, with what stands in its block if anything does.
    #[must_use]
    pub(super) fn perhaps_with(self, block: Vec<Self>) -> Self {
        if block.is_empty() {
            self
        } else {
            self.with(block)
        }
    }

    /// A statement about a value that somebody said.
    pub(super) fn said<T>(said: &Said<T>, text: impl FnOnce(&T) -> String) -> Self {
        Self::new(text(&said.value)).by(said.origin)
    }

    /// Who said so, or said the first of what is in its block.
    pub(crate) fn first_origin(&self) -> Option<Origin> {
        let block = || self.block.as_ref()?.first()?.first_origin();
        self.origin.or_else(block)
    }

    /// It on one line: `retry 2 on 5xx { per-try 1s }`.
    pub(crate) fn flat(&self) -> String {
        match self.block.as_deref() {
            None => self.text.clone(),
            Some([]) => format!("{} {{ }}", self.text),
            Some(lines) => {
                let lines: Vec<String> = lines.iter().map(Self::flat).collect();
                format!("{} {{ {} }}", self.text, lines.join("; "))
            }
        }
    }

    /// Writes it, its origin as a comment behind it.
    pub(super) fn write(&self, sources: &Sources, into: &mut String) {
        self.write_in(None, sources, into);
    }

    /// `around` is said by the line in whose block it is, and not told again.
    fn write_in(&self, around: Option<&str>, sources: &Sources, into: &mut String) {
        into.push_str(&self.text);
        if self.block.is_some() {
            into.push_str(" {");
        }
        let told = self.origin.map(|origin| told(origin, sources));
        if let Some(told) = told.as_deref().filter(|told| around != Some(told)) {
            // Writing to a string does not fail.
            let _ = write!(into, "  # {told}");
        }
        into.push('\n');
        if let Some(lines) = &self.block {
            for line in lines {
                line.write_in(told.as_deref(), sources, into);
            }
            into.push_str("}\n");
        }
    }
}

/// A statement, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    /// The items and statements around it: `service shop, route`.
    pub place: String,
    /// It, on one line; what stands in its block, if that is for itself, is not part of it.
    pub text: String,
    /// What makes it the same statement when it says something else: its word, what it takes.
    pub key: String,
}

impl Line {
    /// Adds it and what stands in its block, which is in `place`.
    pub(super) fn statements(&self, place: &str, into: &mut Vec<Statement>) {
        if self.text.starts_with('#') || self.is_proof() {
            return;
        }
        let key = self.key();
        let own = |text: String| Statement {
            place: place.to_owned(),
            text,
            key: key.to_owned(),
        };
        let inside = if place.is_empty() {
            key.to_owned()
        } else {
            format!("{place}, {key}")
        };
        match &self.block {
            None => into.push(own(self.text.clone())),
            Some(_) if !self.is_around && !self.is_arm() => into.push(own(self.flat())),
            Some(lines) => {
                if self.text != key {
                    into.push(own(self.text.clone()));
                }
                for line in lines {
                    line.statements(&inside, into);
                }
            }
        }
    }

    /// What it is called beside others: what an arm takes, the name of an item, the word of a statement.
    fn key(&self) -> &str {
        let text = self.text.as_str();
        match text.split_once(" -> ") {
            Some((head, _)) => head,
            None if self.is_around => text,
            None => text.split(' ').next().unwrap_or(text),
        }
    }

    /// Arms are known by what they take, and their blocks may change by themselves.
    fn is_arm(&self) -> bool {
        self.text.contains(" -> ")
    }

    fn is_proof(&self) -> bool {
        self.text.starts_with("assert ") || self.text.starts_with("test ")
    }
}

/// Who said something, in words.
pub(crate) fn told(origin: Origin, sources: &Sources) -> String {
    let place = |span: Span| sources.place(span);
    match origin {
        Origin::Edition => format!("edition {EDITION}"),
        Origin::Written(span) => place(span),
        Origin::Used { written, used } => {
            format!("{}, used at {}", place(written), place(used))
        }
    }
}
