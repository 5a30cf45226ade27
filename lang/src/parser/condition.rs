//! Conditions: `or` of `and` of tests, `not` and parentheses.

use nom::Parser;
use nom::branch::alt;

use super::expected::Expected;
use super::input::Cursor;
use super::recovery::expect;
use super::value::{closing, string_value, value};
use super::{Parsed, messages, nested, node, seq, token, token_where, word};
use crate::syntax::SyntaxKind;
use crate::value::RESERVED;

/// The words that compare a field with a value, besides `in`.
const COMPARISONS: &[&str] = &["matches", "starts-with", "ends-with", "contains"];

/// `A and B or C`.
pub(super) fn condition(input: Cursor<'_>) -> Parsed<'_> {
    infix(SyntaxKind::Or, "or", all)(input)
}

fn all(input: Cursor<'_>) -> Parsed<'_> {
    infix(SyntaxKind::And, "and", unit)(input)
}

/// `operand OPERATOR operand …`: a node only if there is an operator.
fn infix<'p>(
    kind: SyntaxKind,
    operator: &'static str,
    operand: impl Fn(Cursor<'p>) -> Parsed<'p>,
) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let mark = input.mark();
        let (mut rest, ()) = operand(input)?;
        if !rest.is_word(operator) {
            return Ok((rest, ()));
        }
        rest.wrap(mark, kind);
        while rest.is_word(operator) {
            (rest, ()) = expect(&operand)(rest.advance())?;
        }
        rest.finish(mark);
        Ok((rest, ()))
    }
}

fn unit(input: Cursor<'_>) -> Parsed<'_> {
    alt((negation, parenthesised, comparison)).parse_complete(input)
}

fn negation(input: Cursor<'_>) -> Parsed<'_> {
    let not = word("not", Expected::CONDITION);
    let contents = |input| seq((&not, expect(nested(unit))))(input);
    node(SyntaxKind::Not, contents)(input)
}

fn parenthesised(input: Cursor<'_>) -> Parsed<'_> {
    let contents = |input| {
        seq((
            token(SyntaxKind::LeftParen, Expected::CONDITION),
            expect(nested(condition)),
            expect(closing(SyntaxKind::RightParen, input)),
        ))(input)
    };
    node(SyntaxKind::Paren, contents)(input)
}

/// `FIELD [COMPARISON VALUE]`.
pub(super) fn comparison(input: Cursor<'_>) -> Parsed<'_> {
    node(SyntaxKind::Comparison, seq((compared_field, compared)))(input)
}

fn compared_field(input: Cursor<'_>) -> Parsed<'_> {
    if input.kind().is_comparison() {
        // `== "x"` lacks its field and nothing else.
        expect(field)(input)
    } else {
        field(input)
    }
}

/// `header.x` or `header["X_Y"]`.
fn field(input: Cursor<'_>) -> Parsed<'_> {
    let is_field = |at: Cursor<'_>| at.kind() == SyntaxKind::Word && !RESERVED.contains(&at.text());
    node(SyntaxKind::Field, |input| {
        let (rest, ()) = token_where(is_field, Expected::CONDITION)(input)?;
        if rest.kind() != SyntaxKind::LeftBracket {
            return Ok((rest, ()));
        }
        seq((
            token(SyntaxKind::LeftBracket, Expected::STRING),
            expect(string_value),
            expect(closing(SyntaxKind::RightBracket, rest)),
        ))(rest)
    })(input)
}

/// What stands behind a field: a comparison, or nothing.
fn compared(input: Cursor<'_>) -> Parsed<'_> {
    let context = input.context;
    match input.kind() {
        kind if kind.is_comparison() => expect(value)(input.advance()),
        SyntaxKind::Equals => {
            context.report(|| messages::single_equals(input));
            expect(value)(input.advance())
        }
        SyntaxKind::Word => match input.text() {
            text if COMPARISONS.contains(&text) => expect(value)(skip_newline(input.advance())),
            "in" => expect(value)(input.advance()),
            "not" => seq((
                word("not", Expected::IN),
                expect(word("in", Expected::IN)),
                expect(value),
            ))(input),
            "present" | "absent" => Ok((input.advance(), ())),
            _ => Ok((input, ())),
        },
        _ => Ok((input, ())),
    }
}

/// `matches` and its like are operators, behind which a statement goes on; as they may also be
/// names, only the grammar knows.
fn skip_newline(input: Cursor<'_>) -> Cursor<'_> {
    if input.kind() == SyntaxKind::Newline {
        input.advance()
    } else {
        input
    }
}

/// `when CONDITION`.
pub(super) fn when(input: Cursor<'_>) -> Parsed<'_> {
    clause(SyntaxKind::When, "when")(input)
}

/// `when` or `unless`, and a condition.
pub(super) fn when_or_unless(input: Cursor<'_>) -> Parsed<'_> {
    alt((when, clause(SyntaxKind::Unless, "unless"))).parse_complete(input)
}

/// `when`, `unless` or `where`, and a condition.
pub(super) fn any_clause(input: Cursor<'_>) -> Parsed<'_> {
    alt((when_or_unless, clause(SyntaxKind::Where, "where"))).parse_complete(input)
}

fn clause<'p>(kind: SyntaxKind, text: &'static str) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let keyword = word(text, Expected::CONDITION);
        node(kind, seq((keyword, expect(condition))))(input)
    }
}

/// Whether what stands behind the `=` of a `let` is a condition. One word alone may be either; it
/// is read as a value.
pub(super) fn starts_condition(input: Cursor<'_>) -> bool {
    match input.kind() {
        SyntaxKind::LeftParen => true,
        SyntaxKind::Word if input.is_word("not") => true,
        SyntaxKind::Word => match input.peek(1) {
            SyntaxKind::LeftBracket | SyntaxKind::Equals | SyntaxKind::Word => true,
            next => next.is_comparison(),
        },
        kind => kind.is_comparison(),
    }
}
