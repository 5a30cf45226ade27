//! What is offered, as the protocol has it.

use super::context::Context;
use crate::lsp::hover::markup;
use crate::lsp::world::View;
use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, Documentation, InsertTextFormat,
    Range, TextEdit,
};
use std::collections::HashSet;

/// What is more likely to be meant stands further up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A name of this mesh.
    Name,
    /// What fits the place by its kind.
    Value,
    /// A word of the language.
    Word,
    /// What fits, too.
    Further,
}

/// Something that may be written.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) label: String,
    pub(super) kind: CompletionItemKind,
    pub(super) rank: Rank,
    pub(super) detail: String,
    /// Markdown.
    pub(super) doc: String,
    /// What is written in place of the label: `$0` and its like are places to fill in.
    pub(super) snippet: Option<String>,
}

impl Offer {
    pub(super) fn new(label: impl Into<String>, kind: CompletionItemKind, rank: Rank) -> Self {
        Self {
            label: label.into(),
            kind,
            rank,
            detail: String::new(),
            doc: String::new(),
            snippet: None,
        }
    }

    /// A word of the language.
    pub(super) fn word(label: impl Into<String>) -> Self {
        Self::new(label, CompletionItemKind::Keyword, Rank::Word)
    }

    #[must_use]
    pub(super) fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    #[must_use]
    pub(super) fn doc(self, doc: impl Into<String>) -> Self {
        Self {
            doc: doc.into(),
            ..self
        }
    }

    #[must_use]
    pub(super) fn snippet(self, snippet: impl Into<String>) -> Self {
        Self {
            snippet: Some(snippet.into()),
            ..self
        }
    }
}

/// All that may be written at a place, each once.
#[derive(Debug)]
pub(super) struct Offers<'w> {
    pub(super) view: View<'w>,
    range: Range,
    seen: HashSet<String>,
    pub(super) items: Vec<CompletionItem>,
}

impl<'w> Offers<'w> {
    pub(super) fn new(view: &View<'w>, context: &Context<'_>) -> Self {
        Self {
            view: *view,
            range: view.range(context.word),
            seen: HashSet::new(),
            items: Vec::new(),
        }
    }

    /// Adds an offer.
    pub(super) fn add(&mut self, offer: Offer) {
        if !self.seen.insert(offer.label.clone()) {
            return;
        }
        let can = &self.view.world.can;
        let snippet = offer.snippet.as_ref().filter(|_| can.snippets);
        let new_text = match snippet {
            Some(snippet) => snippet.clone(),
            None => offer.label.clone(),
        };
        let full = |text: &String| (!text.is_empty()).then(|| text.clone());
        self.items.push(CompletionItem {
            sort_text: Some(format!(
                "{}{:04}{}",
                offer.rank as u8,
                self.items.len(),
                offer.label
            )),
            filter_text: Some(offer.label.clone()),
            insert_text_format: Some(match snippet {
                Some(_) => InsertTextFormat::Snippet,
                None => InsertTextFormat::PlainText,
            }),
            text_edit: Some(CompletionItemTextEdit::TextEdit(TextEdit {
                range: self.range,
                new_text,
            })),
            kind: Some(offer.kind),
            detail: full(&offer.detail),
            documentation: full(&offer.doc).map(|doc| documentation(can.markdown_completions, doc)),
            label: offer.label,
            ..CompletionItem::default()
        });
    }

    /// Adds words of the language.
    pub(super) fn words(&mut self, words: &[&str]) {
        for word in words {
            self.add(Offer::word(*word));
        }
    }
}

fn documentation(is_markdown: bool, doc: String) -> Documentation {
    let text = markup(is_markdown, doc);
    if is_markdown {
        Documentation::MarkupContent(text)
    } else {
        Documentation::String(text.value)
    }
}
