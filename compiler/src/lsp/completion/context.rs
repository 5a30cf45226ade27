//! Where the cursor is, as far as completion is concerned.

use crate::lsp::names::Names;
use crate::lsp::spot;
use crate::lsp::world::View;
use crate::model::DEFAULT_NAMESPACE;
use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::view::{Item, ItemKind, Statement};
use mesh_lang::vocabulary::{self, Place};
use std::sync::Arc;

/// A token before the cursor.
pub(super) type Before<'t> = (SyntaxKind, &'t str);

/// Where the cursor is.
#[derive(Debug)]
pub(super) struct Context<'t> {
    /// The word that is being written, up to the cursor; perhaps empty.
    pub(super) word: Span,
    pub(super) text: &'t str,
    /// Whether a statement starts with that word.
    pub(super) starts_statement: bool,
    /// What the block is that the cursor is in.
    pub(super) places: Vec<Place>,
    /// The statement that the word belongs to, if another word starts it.
    pub(super) statement: Option<Statement<'t>>,
    /// The tokens of that statement before the word.
    pub(super) before: Vec<Before<'t>>,
    /// The namespace around.
    pub(super) namespace: String,
    /// The name of the service around, and of the gateway.
    pub(super) service: Option<&'t str>,
    pub(super) names: Arc<Names>,
}

impl<'t> Context<'t> {
    /// Where a cursor is; nowhere in comments and in strings.
    pub(super) fn find(view: &View<'t>, offset: u32) -> Option<Self> {
        let tree = view.tree();
        let (tokens, text) = (tree.tokens(), tree.text());
        // The first token that ends at the cursor or behind it.
        let at = (0..tokens.len()).collect::<Vec<_>>();
        let at = at.partition_point(|&index| tokens.start(index + 1) < offset);
        let kind = tokens.kind(at);
        let is_inside = tokens.start(at) < offset;
        let (word, end) = match kind {
            SyntaxKind::Word | SyntaxKind::Path if is_inside => {
                (Span::new(view.file, tokens.start(at), offset), at)
            }
            SyntaxKind::Comment | SyntaxKind::DocComment if is_inside => return None,
            kind if kind.is_string() && is_inside => {
                let is_behind =
                    kind != SyntaxKind::UnclosedString && tokens.start(at + 1) == offset;
                if !is_behind {
                    return None;
                }
                (Span::empty(view.file, offset), at + 1)
            }
            _ if is_inside => (Span::empty(view.file, offset), at + 1),
            _ => (Span::empty(view.file, offset), at),
        };
        let around = spot::before(tree, word.start);
        let mut context = Self {
            word,
            text: word.text(text),
            starts_statement: false,
            places: vocabulary::places_at(tree, word.start),
            statement: None,
            before: Vec::new(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            service: None,
            names: view.live.names(),
        };
        for (statement, _) in &around {
            if let Statement::Item(Item::Block(item)) = statement
                && let Some(name) = item.name()
            {
                match item.kind() {
                    ItemKind::Namespace => name.text.clone_into(&mut context.namespace),
                    ItemKind::Service | ItemKind::External => context.service = Some(name.text),
                    _ => {}
                }
            }
        }
        // Back to what ends the statement before: a line end counts if no statement goes on behind it.
        let mut before: Vec<Before<'t>> = Vec::new();
        let mut lines = 0;
        for index in (0..end).rev() {
            let token = (tokens.kind(index), tokens.text(text, index));
            match token.0 {
                kind if kind.is_trivia() => {}
                SyntaxKind::Newline => lines += 1,
                SyntaxKind::LeftBrace | SyntaxKind::RightBrace | SyntaxKind::Semicolon => break,
                _ if lines > 0 && !goes_on(token, before.last().copied()) => break,
                _ => {
                    lines = 0;
                    before.push(token);
                }
            }
        }
        before.reverse();
        context.starts_statement = before.is_empty();
        if !context.starts_statement {
            context.statement = around.last().map(|(statement, _)| *statement);
        }
        context.before = before;
        Some(context)
    }

    /// The token before the word.
    pub(super) fn last(&self) -> Option<Before<'t>> {
        self.before.last().copied()
    }

    /// Whether the word before is this one.
    pub(super) fn is_behind(&self, word: &str) -> bool {
        self.last().is_some_and(|(_, text)| text == word)
    }

    /// The word that the statement starts with.
    pub(super) fn first(&self) -> &'t str {
        self.before.first().map_or("", |(_, text)| *text)
    }

    /// The tokens behind the last of these words.
    pub(super) fn behind_last(&self, words: &[&str]) -> Option<(&'t str, &[Before<'t>])> {
        let at = self
            .before
            .iter()
            .rposition(|(_, text)| words.contains(text))?;
        Some((self.before[at].1, &self.before[at + 1..]))
    }
}

/// Whether a statement goes on behind the end of a line, between these two tokens.
fn goes_on(last: Before<'_>, next: Option<Before<'_>>) -> bool {
    let opens = matches!(
        last.0,
        SyntaxKind::Comma
            | SyntaxKind::Arrow
            | SyntaxKind::Equals
            | SyntaxKind::LeftBracket
            | SyntaxKind::LeftParen
    );
    let asks =
        last.0.is_comparison() || ["and", "or", "not", "when", "unless", "to"].contains(&last.1);
    let continues = next.is_some_and(|(kind, text)| {
        matches!(
            kind,
            SyntaxKind::Arrow | SyntaxKind::RightBracket | SyntaxKind::RightParen
        ) || ["and", "or", "to", "unless", "when"].contains(&text)
    });
    opens || asks || continues
}
