//! Items: what a file and a namespace hold.

use nom::Parser;
use nom::combinator::opt;

use super::condition::{condition, starts_condition};
use super::expected::Expected;
use super::input::Cursor;
use super::recovery::{Body, expect, recover_statement};
use super::value::{name, name_like, string, string_value, value};
use super::{Mode, Parsed, any_word, expecting, messages, node, seq, token, token_where};
use crate::nearest::nearest;
use crate::syntax::SyntaxKind;
use crate::vocabulary::{self, ITEM_WORDS};

/// The word of the item that starts here, typing mistakes seen through. A word that is a statement
/// elsewhere is no mistake of typing, and one that a value or an arrow follows starts no item.
pub(super) fn meant(input: Cursor<'_>) -> Option<&'static str> {
    let input = behind_export(input);
    if input.kind() != SyntaxKind::Word {
        return None;
    }
    let text = input.text();
    if let Some(word) = ITEM_WORDS.iter().find(|word| **word == text) {
        return Some(word);
    }
    let named = matches!(input.peek(1), SyntaxKind::Word | SyntaxKind::String);
    if !named || vocabulary::is_statement_word(text) {
        return None;
    }
    nearest(text, ITEM_WORDS.iter().copied())
}

/// The word of a `param` or a `let` that starts here in a block of other statements: the `=` tells
/// it from a setting.
pub(super) fn inline(input: Cursor<'_>) -> Option<&'static str> {
    let assigns = input.peek(1) == SyntaxKind::Word && input.peek(2) == SyntaxKind::Equals;
    ["param", "let"]
        .into_iter()
        .find(|word| assigns && input.is_word(word))
}

fn behind_export(input: Cursor<'_>) -> Cursor<'_> {
    let next = input.advance();
    let exports = match input.kind() {
        SyntaxKind::Word if input.is_word("export") => next.kind() == SyntaxKind::Word,
        SyntaxKind::Word => {
            next.kind() == SyntaxKind::Word
                && vocabulary::may_be_exported(next.text())
                && !vocabulary::is_item_word(input.text())
                && nearest(input.text(), ["export"]).is_some()
        }
        _ => false,
    };
    if exports { next } else { input }
}

/// The item that `keyword` starts.
pub(super) fn item<'p>(keyword: &'static str) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let (kind, body) = form(keyword);
        let head = |input: Cursor<'p>| {
            let (rest, ()) = first_words(keyword, input)?;
            match kind {
                SyntaxKind::Import => expect(string_value)(rest),
                SyntaxKind::Param => seq((expect(name), expect(equals), expect(value)))(rest),
                SyntaxKind::Let => seq((expect(name), expect(equals), bound))(rest),
                SyntaxKind::Assert | SyntaxKind::Test => expect(title)(rest),
                SyntaxKind::Routes => seq((
                    expect(name_like(Expected::GATEWAY)),
                    expect(name_like(Expected::HOST)),
                ))(rest),
                _ => expect(name)(rest),
            }
        };
        recover_statement(kind, body, head)(input)
    }
}

fn form(keyword: &str) -> (SyntaxKind, Body) {
    let statements = Body::Required(Mode::Statements);
    match keyword {
        "import" => (SyntaxKind::Import, Body::None),
        "param" => (SyntaxKind::Param, Body::None),
        "let" => (SyntaxKind::Let, Body::None),
        "mesh" => (SyntaxKind::Mesh, statements),
        "service" => (SyntaxKind::Service, statements),
        "external" => (SyntaxKind::External, statements),
        "gateway" => (SyntaxKind::Gateway, statements),
        "policy" => (SyntaxKind::Policy, statements),
        "jwt" => (SyntaxKind::Jwt, statements),
        "keys" => (SyntaxKind::Keys, statements),
        "routes" => (SyntaxKind::Routes, statements),
        "namespace" => (SyntaxKind::Namespace, Body::Required(Mode::Items)),
        "env" => (SyntaxKind::Env, Body::Required(Mode::Sets)),
        "assert" => (SyntaxKind::Assert, Body::Required(Mode::Claims)),
        _ => (SyntaxKind::Test, Body::Required(Mode::Steps)),
    }
}

/// `[export] KEYWORD`, where the keyword may be misspelt.
fn first_words<'p>(keyword: &'static str, input: Cursor<'p>) -> Parsed<'p> {
    let at_keyword = behind_export(input);
    if at_keyword != input && !vocabulary::may_be_exported(keyword) {
        input
            .context
            .report(|| messages::not_exportable(input, keyword));
    }
    if at_keyword != input && !input.is_word("export") {
        input.context.report(|| messages::misspelt(input, "export"));
    }
    if at_keyword.text() != keyword {
        input
            .context
            .report(|| messages::misspelt(at_keyword, keyword));
    }
    let export = token_where(|at| at != at_keyword, Expected::ITEM);
    seq((opt(export), any_word(Expected::ITEM))).parse_complete(input)
}

fn equals(input: Cursor<'_>) -> Parsed<'_> {
    token(SyntaxKind::Equals, Expected::EQUALS)(input)
}

fn title(input: Cursor<'_>) -> Parsed<'_> {
    node(SyntaxKind::StringValue, expecting(Expected::TITLE, string))(input)
}

/// What a `let` binds: a value or a condition.
fn bound(input: Cursor<'_>) -> Parsed<'_> {
    if starts_condition(input) {
        expect(condition)(input)
    } else {
        expect(value)(input)
    }
}
