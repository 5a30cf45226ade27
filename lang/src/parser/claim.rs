//! What is proved and tested: the claims of an `assert`, the steps of a `test`.

use nom::branch::alt;
use nom::combinator::opt;

use super::action::action;
use super::condition::{comparison, when_or_unless};
use super::expected::Expected;
use super::input::Cursor;
use super::recovery::{Body, expect, recover_statement};
use super::value::{methods_and_paths, name, name_like, target, value, who, word_value};
use super::{
    Mode, Parsed, comma_list, expecting, messages, node, one_of, seq, statement, token_where, word,
};
use crate::nearest::nearest;
use crate::syntax::SyntaxKind;
use crate::value::is_method;

const CLAIMS: &[&str] = &["never", "always", "only", "every"];
const STEPS: &[&str] = &["request", "expect"];

/// A claim: who reaches what, or what every route has.
pub(super) fn claim(input: Cursor<'_>) -> Parsed<'_> {
    match meant(input, CLAIMS) {
        Some("every") => recover_statement(SyntaxKind::EveryRoute, Body::None, every_route)(input),
        Some(_) => recover_statement(SyntaxKind::Claim, Body::None, reaches)(input),
        None => statement::unknown(input, Expected::CLAIM),
    }
}

/// A step: a request, or what is expected of it.
pub(super) fn step(input: Cursor<'_>) -> Parsed<'_> {
    match meant(input, STEPS) {
        Some("request") => {
            let body = Body::Optional(Mode::Statements);
            recover_statement(SyntaxKind::Request, body, request)(input)
        }
        Some(_) => recover_statement(SyntaxKind::Expect, Body::None, expectation)(input),
        None => statement::unknown(input, Expected::STEP),
    }
}

/// Which of these words stands here, typing mistakes seen through.
fn meant<'w>(input: Cursor<'_>, words: &[&'w str]) -> Option<&'w str> {
    if input.kind() != SyntaxKind::Word {
        return None;
    }
    nearest(input.text(), words.iter().copied())
}

/// The word that a statement starts with: one of `words`, or one misspelt.
fn first_word<'p>(words: &'static [&'static str]) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        if let Some(meant) = meant(input, words)
            && meant != input.text()
        {
            input.context.report(|| messages::misspelt(input, meant));
        }
        Ok((input.advance(), ()))
    }
}

/// `never|always|only WHO, … reaches TARGET [METHODS] [PATHS] [transitively] [at HOST] [when|unless
/// COND]`.
fn reaches(input: Cursor<'_>) -> Parsed<'_> {
    let at = seq((word("at", Expected::END), expect(name_like(Expected::HOST))));
    seq((
        first_word(CLAIMS),
        expect(comma_list(who)),
        expect(one_of(&["reaches", "reach"], Expected::REACHES)),
        expect(target),
        methods_and_paths,
        opt(word("transitively", Expected::END)),
        opt(at),
        opt(when_or_unless),
    ))(input)
}

/// `every route in GATEWAY [to WHO] (has FIELD CMP VALUE | requires jwt|key NAME)`.
fn every_route(input: Cursor<'_>) -> Parsed<'_> {
    let to = seq((word("to", Expected::END), expect(who)));
    let has = seq((word("has", Expected::PROPERTY), expect(comparison)));
    let credential = one_of(&["jwt", "key"], Expected::CREDENTIAL);
    let requires = seq((
        word("requires", Expected::PROPERTY),
        expect(credential),
        expect(name),
    ));
    seq((
        first_word(CLAIMS),
        expect(word("route", Expected::ROUTE)),
        expect(word("in", Expected::IN)),
        expect(name_like(Expected::GATEWAY)),
        opt(to),
        expect(alt((has, requires))),
    ))(input)
}

/// `request METHOD URL [from WHO]`.
fn request(input: Cursor<'_>) -> Parsed<'_> {
    let is_method = |at: Cursor<'_>| at.kind() == SyntaxKind::Word && is_method(at.text());
    let method = node(
        SyntaxKind::Methods,
        token_where(is_method, Expected::METHOD),
    );
    let url = expecting(Expected::URL, value);
    let from = seq((word("from", Expected::END), expect(who)));
    seq((first_word(STEPS), expect(method), expect(url), opt(from)))(input)
}

/// `expect STATUS | ACTION`.
fn expectation(input: Cursor<'_>) -> Parsed<'_> {
    seq((first_word(STEPS), expect(alt((status, action)))))(input)
}

fn status(input: Cursor<'_>) -> Parsed<'_> {
    if input
        .text()
        .starts_with(|first: char| first.is_ascii_digit())
    {
        word_value(input)
    } else {
        Err(super::SyntaxError::new(input, Expected::STATUS))
    }
}
