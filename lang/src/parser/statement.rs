//! Statements: which one it is, and arms, rules, settings and `set` lines.

use nom::combinator::opt;
use nom::{Parser, branch::alt};

use super::action::action;
use super::condition::{any_clause, when, when_or_unless};
use super::expected::Expected;
use super::input::Cursor;
use super::recovery::{Body, expect, recover_statement};
use super::value::{
    methods_and_paths, name_like, some_methods_or_paths, starts_methods, target, value, who,
};
use super::{
    Mode, Parsed, SyntaxError, any_word, claim, comma_list, item, messages, node, one_of, seq,
    token, token_where, word,
};
use crate::syntax::SyntaxKind;
use crate::vocabulary;

/// A statement of a block of this mode.
pub(super) fn statement<'p>(mode: Mode) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| match mode {
        Mode::Items => match item::meant(input) {
            Some(keyword) => item::item(keyword)(input),
            None if input.is_word("export") => exported_nothing(input),
            None => general(input, mode),
        },
        Mode::Statements | Mode::Settings => general(input, mode),
        Mode::Claims => claim::claim(input),
        Mode::Steps => claim::step(input),
        Mode::Sets if input.is_word("set") => {
            recover_statement(SyntaxKind::Set, Body::None, set)(input)
        }
        Mode::Sets => unknown(input, Expected::SET),
    }
}

/// Whether an item starts here that stands in no block but a namespace.
pub(super) fn starts_item(input: Cursor<'_>) -> bool {
    input.kind() == SyntaxKind::Word && vocabulary::is_item_word(input.text())
}

/// A statement that none of a block can be.
pub(super) fn unknown(input: Cursor<'_>, expected: Expected) -> Parsed<'_> {
    let body = Body::Optional(Mode::Statements);
    recover_statement(SyntaxKind::Error, body, |input| {
        Err(SyntaxError::new(input, expected))
    })(input)
}

/// `export` before what is no item.
fn exported_nothing(input: Cursor<'_>) -> Parsed<'_> {
    let body = Body::Optional(Mode::Statements);
    recover_statement(SyntaxKind::Error, body, |input: Cursor<'_>| {
        Err(SyntaxError::new(input.advance(), Expected::ITEM))
    })(input)
}

/// An arm, a rule or a setting.
fn general(input: Cursor<'_>, mode: Mode) -> Parsed<'_> {
    match input.kind() {
        SyntaxKind::Word if input.peek(1) == SyntaxKind::Colon => labelled(input, mode),
        SyntaxKind::Word if mode == Mode::Settings => setting(input, mode),
        SyntaxKind::Word if input.is_one_of(&["allow", "deny"]) => rule(input),
        SyntaxKind::Word if starts_arm(input) => arm(input),
        SyntaxKind::Word => match item::inline(input) {
            Some(keyword) => item::item(keyword)(input),
            None => setting(input, mode),
        },
        _ if starts_arm(input) => arm(input),
        _ => unknown(input, Expected::STATEMENT),
    }
}

/// What follows a name and a colon. Behind the word of a setting the colon is only a habit of other
/// languages.
fn labelled(input: Cursor<'_>, mode: Mode) -> Parsed<'_> {
    let labelled = input.advance().advance();
    if labelled.is_one_of(&["allow", "deny"]) {
        rule(input)
    } else if starts_arm(labelled) {
        arm(input)
    } else if mode == Mode::Settings || vocabulary::is_statement_word(input.text()) {
        setting(input, mode)
    } else {
        arm(input)
    }
}

fn starts_arm(input: Cursor<'_>) -> bool {
    match input.kind() {
        SyntaxKind::Path | SyntaxKind::Arrow => true,
        SyntaxKind::Word => starts_methods(input) || input.is_one_of(&["when", "otherwise"]),
        kind => kind.is_string(),
    }
}

fn label(input: Cursor<'_>) -> Parsed<'_> {
    if input.kind() != SyntaxKind::Word || input.peek(1) != SyntaxKind::Colon {
        return Err(SyntaxError::new(input, Expected::NAME));
    }
    node(
        SyntaxKind::Label,
        seq((
            any_word(Expected::NAME),
            token(SyntaxKind::Colon, Expected::COLON),
        )),
    )(input)
}

/// The newline before a line that starts with `when`, which is none here.
fn newline_before_when(input: Cursor<'_>) -> Parsed<'_> {
    token_where(Cursor::at_line_with_when, Expected::CONDITION)(input)
}

/// `[NAME:] ([METHODS] [PATHS] [when COND] | otherwise) -> ACTION [BLOCK]`.
fn arm(input: Cursor<'_>) -> Parsed<'_> {
    let body = Body::Optional(Mode::Statements);
    recover_statement(SyntaxKind::Arm, body, |input| {
        seq((
            opt(label),
            expect(matched),
            expect(token(SyntaxKind::Arrow, Expected::ARROW)),
            expect(action),
        ))(input)
    })(input)
}

fn matched(input: Cursor<'_>) -> Parsed<'_> {
    let otherwise = node(
        SyntaxKind::Otherwise,
        word("otherwise", Expected::OTHERWISE),
    );
    alt((otherwise, requests)).parse_complete(input)
}

/// `[METHODS] [PATHS] [when COND]`, not all left out.
fn requests(input: Cursor<'_>) -> Parsed<'_> {
    let (rest, ()) = seq((methods_and_paths, opt(newline_before_when), opt(when)))(input)?;
    if rest == input {
        return Err(SyntaxError::new(input, Expected::MATCH));
    }
    if rest.is_word("unless") {
        // Parsed for what it says, though an arm has none.
        rest.context.report(|| messages::unless_in_arm(rest));
        return when_or_unless(rest);
    }
    Ok((rest, ()))
}

/// `[NAME:] allow|deny WHO, … [to [METHODS] [PATHS]] [when|unless COND]`.
fn rule(input: Cursor<'_>) -> Parsed<'_> {
    recover_statement(SyntaxKind::Rule, Body::None, |input| {
        let to = seq((word("to", Expected::END), expect(some_methods_or_paths)));
        seq((
            opt(label),
            one_of(&["allow", "deny"], Expected::STATEMENT),
            expect(comma_list(who)),
            opt(to),
            opt(newline_before_when),
            opt(when_or_unless),
        ))(input)
    })(input)
}

/// `WORD { VALUE | , | -> TARGET | when|unless|where COND } [BLOCK]`.
fn setting(input: Cursor<'_>, mode: Mode) -> Parsed<'_> {
    let inner = match input.text() {
        _ if mode == Mode::Settings => Mode::Settings,
        // Names of claims and of lints may be any word.
        "jwt" | "lints" => Mode::Settings,
        _ => Mode::Statements,
    };
    recover_statement(SyntaxKind::Setting, Body::Optional(inner), |input| {
        let (rest, ()) = any_word(Expected::STATEMENT)(input)?;
        let (mut rest, ()) = needless_sign(rest)?;
        while let Ok((after, ())) = argument(rest) {
            rest = after;
        }
        Ok((rest, ()))
    })(input)
}

fn argument(input: Cursor<'_>) -> Parsed<'_> {
    match input.kind() {
        SyntaxKind::Comma => Ok((input.advance(), ())),
        SyntaxKind::Arrow => {
            let arrow = token(SyntaxKind::Arrow, Expected::ARROW);
            node(SyntaxKind::ArrowTarget, seq((arrow, expect(target))))(input)
        }
        SyntaxKind::Word if input.is_one_of(&["when", "unless", "where"]) => any_clause(input),
        _ => value(input),
    }
}

/// `timeout = 5s` and `timeout: 5s` say what is meant with a sign too many.
fn needless_sign(input: Cursor<'_>) -> Parsed<'_> {
    if !matches!(input.kind(), SyntaxKind::Equals | SyntaxKind::Colon) {
        return Ok((input, ()));
    }
    input.context.report(|| messages::needless_sign(input));
    let sign = token_where(|_| true, Expected::END);
    node(SyntaxKind::Error, sign)(input)
}

/// `set KIND NAME = VALUE, …`.
fn set(input: Cursor<'_>) -> Parsed<'_> {
    seq((
        word("set", Expected::SET),
        expect(name_like(Expected::WORD)),
        expect(name_like(Expected::NAME)),
        expect(token(SyntaxKind::Equals, Expected::EQUALS)),
        expect(comma_list(value)),
    ))(input)
}
