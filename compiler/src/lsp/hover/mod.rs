//! What is told of the word under the cursor.
//!
//! In: a place. Out: the innermost thing there that something can be said about: a value with its units
//! normalised, a name with what it means and where that comes from, a word of the language with its entry of the
//! vocabulary, or an arm with what it takes and what holds for it.

pub(super) mod arm;
mod name;
mod value;
mod word;

pub(super) use self::value::word as value_doc;
pub(super) use self::word::{capitalised, grammar_doc, statement_doc};

use super::dispatch::Answer;
use super::spot;
use super::world::{View, World};
use crate::spell;
use gen_lsp_types::{Contents, Hover, HoverParams, MarkupContent, MarkupKind};
use mesh_lang::source::Span;

/// Something to be told, part by part, each Markdown.
#[derive(Debug, Default)]
struct Told {
    parts: Vec<String>,
}

impl Told {
    /// Adds text.
    fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.parts.push(text.into());
        self
    }

    /// Adds lines of a policy.
    fn code(&mut self, code: &str) -> &mut Self {
        self.text(format!("```mesh\n{}\n```", code.trim_end()))
    }

    /// Adds the lines of a doc comment.
    fn doc<'t>(&mut self, lines: impl Iterator<Item = &'t str>) -> &mut Self {
        let lines: Vec<&str> = lines.collect();
        if !lines.is_empty() {
            self.text(lines.join("\n"));
        }
        self
    }

    /// Adds lines that the compiler spells, each with who said so.
    fn spelled(&mut self, view: &View<'_>, line: &spell::Line) -> &mut Self {
        self.code(&spell::text(line, view.live.sources()))
    }
}

/// What is told of the word at a place.
pub(super) fn hover(world: &mut World, params: &HoverParams) -> Answer<Option<Hover>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let told = told(&view, offset);
    Ok(told.map(|(span, told)| Hover {
        contents: Contents::MarkupContent(markup(
            view.world.can.markdown_hovers,
            told.parts.join("\n\n"),
        )),
        range: Some(view.range(span)),
    }))
}

fn told(view: &View<'_>, offset: u32) -> Option<(Span, Told)> {
    let around = spot::around(view.tree(), offset);
    let token = spot::token(view.tree(), offset)?;
    let in_head = around
        .last()
        .is_some_and(|(statement, _)| spot::head(*statement).touches(offset));
    if !in_head {
        return None;
    }
    name::told(view, offset)
        .or_else(|| word::told(&around, token))
        .or_else(|| arm::told(view, &around))
        .map(|(span, mut told)| {
            value::add(token, &mut told);
            (span, told)
        })
        .or_else(|| {
            let mut told = Told::default();
            value::add(token, &mut told);
            (!told.parts.is_empty()).then_some((token.span(), told))
        })
}

/// Text as the editor can show it.
pub(super) fn markup(is_markdown: bool, text: String) -> MarkupContent {
    if is_markdown {
        return MarkupContent {
            kind: MarkupKind::Markdown,
            value: text,
        };
    }
    let is_fence = |line: &&str| line.starts_with("```");
    let lines: Vec<&str> = text.lines().filter(|line| !is_fence(line)).collect();
    MarkupContent {
        kind: MarkupKind::PlainText,
        value: lines.join("\n").replace("**", ""),
    }
}
