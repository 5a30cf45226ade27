//! What an arm does with a request: forward, split, redirect, respond.

use nom::Parser;
use nom::branch::alt;
use nom::multi::many0_count;

use super::expected::Expected;
use super::input::Cursor;
use super::recovery::expect;
use super::value::{target, value, word_value};
use super::{Parsed, comma_list, expecting, node, seq, word};
use crate::syntax::SyntaxKind;

/// `split … | redirect … | respond … | TARGET`.
pub(super) fn action(input: Cursor<'_>) -> Parsed<'_> {
    alt((split, redirect, respond, forward)).parse_complete(input)
}

fn forward(input: Cursor<'_>) -> Parsed<'_> {
    node(SyntaxKind::Forward, target)(input)
}

fn split(input: Cursor<'_>) -> Parsed<'_> {
    let keyword = word("split", Expected::SPLIT);
    node(SyntaxKind::Split, seq((keyword, expect(comma_list(part)))))(input)
}

/// `10% v2`, `canary v2`, `rest v1`. A target alone lacks its share, which the vocabulary's check
/// says.
fn part(input: Cursor<'_>) -> Parsed<'_> {
    let has_share = input.kind() == SyntaxKind::Word && input.peek(1) == SyntaxKind::Word;
    node(SyntaxKind::SplitPart, |input| {
        if has_share {
            seq((word_value, expect(target)))(input)
        } else {
            target(input)
        }
    })(input)
}

/// The code and the URL are checked with the vocabulary.
fn redirect(input: Cursor<'_>) -> Parsed<'_> {
    let keyword = word("redirect", Expected::REDIRECT);
    node(SyntaxKind::Redirect, seq((keyword, many0_count(value))))(input)
}

fn respond(input: Cursor<'_>) -> Parsed<'_> {
    let keyword = word("respond", Expected::RESPOND);
    let status = expecting(Expected::STATUS, word_value);
    node(
        SyntaxKind::Respond,
        seq((keyword, expect(status), many0_count(value))),
    )(input)
}
