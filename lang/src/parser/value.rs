//! Values: words, ranges, paths, strings and lists. And the parts of statements that are words of a
//! certain look: names, methods, paths, targets.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;

use super::expected::{Expected, SyntaxError};
use super::input::Cursor;
use super::recovery::expect;
use super::{Parsed, any_word, comma_list, messages, nested, node, seq, token, token_where};
use crate::syntax::SyntaxKind;
use crate::value::{RESERVED, is_method};

/// `WORD [.. WORD] | PATH | STRING | LIST`.
pub(super) fn value(input: Cursor<'_>) -> Parsed<'_> {
    match input.kind() {
        SyntaxKind::Word if input.peek(1) == SyntaxKind::DotDot => range(input),
        SyntaxKind::Word => word_value(input),
        SyntaxKind::Path => path_value(input),
        SyntaxKind::LeftBracket => list(input),
        kind if kind.is_string() => string_value(input),
        _ => Err(SyntaxError::new(input, Expected::VALUE)),
    }
}

/// A value of one word.
pub(super) fn word_value(input: Cursor<'_>) -> Parsed<'_> {
    node(SyntaxKind::WordValue, any_word(Expected::VALUE))(input)
}

fn range(input: Cursor<'_>) -> Parsed<'_> {
    node(
        SyntaxKind::RangeValue,
        seq((
            any_word(Expected::VALUE),
            token(SyntaxKind::DotDot, Expected::DOTS),
            expect(any_word(Expected::VALUE)),
        )),
    )(input)
}

fn path_value(input: Cursor<'_>) -> Parsed<'_> {
    node(
        SyntaxKind::PathValue,
        token(SyntaxKind::Path, Expected::PATH),
    )(input)
}

/// A string as a value.
pub(super) fn string_value(input: Cursor<'_>) -> Parsed<'_> {
    node(SyntaxKind::StringValue, string)(input)
}

/// A string token. Here its quotes and escapes are looked at.
pub(super) fn string(input: Cursor<'_>) -> Parsed<'_> {
    let (rest, ()) = token_where(|at| at.kind().is_string(), Expected::STRING)(input)?;
    let context = input.context;
    match input.kind() {
        SyntaxKind::UnclosedString => context.report(|| messages::unclosed_string(input)),
        SyntaxKind::String => {
            if let Err(error) = crate::value::unescape(input.text()) {
                context.report(|| messages::unknown_escape(input, &error));
            }
        }
        _ => {}
    }
    Ok((rest, ()))
}

/// `[A, B, …]`.
fn list(input: Cursor<'_>) -> Parsed<'_> {
    let contents = |input| {
        let (mut rest, ()) = token(SyntaxKind::LeftBracket, Expected::VALUE)(input)?;
        while let Ok((after, ())) = value(rest) {
            rest = match after.kind() {
                SyntaxKind::Comma => after.advance(),
                SyntaxKind::RightBracket => after,
                // A comma was forgotten if another value follows.
                _ if starts_value(after) => {
                    expect(token(SyntaxKind::Comma, Expected::COMMA))(after)?.0
                }
                _ => {
                    rest = after;
                    break;
                }
            };
        }
        expect(closing(SyntaxKind::RightBracket, input))(rest)
    };
    node(SyntaxKind::ListValue, nested(contents))(input)
}

fn starts_value(input: Cursor<'_>) -> bool {
    matches!(
        input.kind(),
        SyntaxKind::Word | SyntaxKind::Path | SyntaxKind::LeftBracket
    ) || input.kind().is_string()
}

/// Takes the counterpart of the bracket at `opener`.
pub(super) fn closing<'p>(
    kind: SyntaxKind,
    opener: Cursor<'p>,
) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    let expected = match kind {
        SyntaxKind::RightParen => Expected::CLOSING_PAREN,
        _ => Expected::CLOSING_BRACKET,
    };
    move |input| {
        token(kind, expected)(input).map_err(|error| {
            error.map(|error: SyntaxError| SyntaxError {
                opener: opener.position(),
                ..error
            })
        })
    }
}

/// A name that is declared or referred to.
pub(super) fn name(input: Cursor<'_>) -> Parsed<'_> {
    name_like(Expected::NAME)(input)
}

/// A word that names something.
pub(super) fn name_like<'p>(expected: Expected) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| node(SyntaxKind::Name, any_word(expected))(input)
}

/// `[NAMESPACE/]NAME[.VERSION]`.
pub(super) fn target(input: Cursor<'_>) -> Parsed<'_> {
    let is_target = |at: Cursor<'_>| may_be_name(at) || at.is_word("self");
    node(SyntaxKind::Target, token_where(is_target, Expected::TARGET))(input)
}

/// Whether a word stands here that may name something. A method does not: it starts the next arm.
fn may_be_name(input: Cursor<'_>) -> bool {
    input.kind() == SyntaxKind::Word
        && !is_method(input.text())
        && !RESERVED.contains(&input.text())
}

/// `anyone | internet | any service | namespace NAME | target`.
pub(super) fn who(input: Cursor<'_>) -> Parsed<'_> {
    let any_service = seq((
        super::word("any", Expected::ANY_SERVICE),
        expect(super::word("service", Expected::SERVICE)),
    ));
    let namespace = seq((super::word("namespace", Expected::NAMESPACE), expect(name)));
    let everyone = super::one_of(&["anyone", "internet"], Expected::ANYONE);
    node(
        SyntaxKind::Who,
        alt((
            everyone,
            any_service,
            namespace,
            token_where(may_be_name, Expected::TARGET),
        )),
    )(input)
}

/// `GET, POST`.
pub(super) fn methods(input: Cursor<'_>) -> Parsed<'_> {
    let method = token_where(starts_methods, Expected::METHOD);
    node(SyntaxKind::Methods, comma_list(method))(input)
}

/// Whether a method stands here.
pub(super) fn starts_methods(input: Cursor<'_>) -> bool {
    input.kind() == SyntaxKind::Word && is_method(input.text())
}

/// `/a, "/b;c"`.
pub(super) fn paths(input: Cursor<'_>) -> Parsed<'_> {
    let path = |input| match input {
        at if Cursor::kind(at).is_string() => string_value(at),
        at => path_value(at),
    };
    node(SyntaxKind::Paths, comma_list(path))(input)
}

/// `[METHODS] [PATHS]`.
pub(super) fn methods_and_paths(input: Cursor<'_>) -> Parsed<'_> {
    seq((opt(methods), opt(paths)))(input)
}

/// A method or a path, or both: one at least.
pub(super) fn some_methods_or_paths(input: Cursor<'_>) -> Parsed<'_> {
    let with_methods = seq((methods, opt(paths)));
    alt((with_methods, paths)).parse_complete(input)
}
