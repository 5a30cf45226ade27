//! What the parser does when something does not fit: three functions, and nothing about it
//! elsewhere.
//!
//! - [`expect`] takes what has to be there; if it is not, the diagnostic is recorded, a `Missing`
//!   node stands for it, and parsing goes on as if it were there.
//! - [`recover_statement`] parses a statement; what is left of it after a mistake becomes an
//!   `Error` node, up to its block or its end.
//! - [`delimited_resync`] parses a block; where a brace is missing or too many, indentation tells
//!   where the block was meant to end.
//!
//! A statement has at most one diagnostic of its own: what does not fit after a mistake follows
//! from it. A block in it starts afresh, statement by statement.

use nom::Parser;

use super::expected::{Expected, SyntaxError};
use super::input::{Balance, Cursor};
use super::{Mode, Parsed, messages, statement};
use crate::syntax::SyntaxKind;

/// Takes what `parser` takes, or records that it is missing and goes on.
///
/// It stands wherever the tokens before have decided what must follow. So nothing that was decided
/// is ever taken back, and an error a parser returns only says that it is not its turn.
pub(super) fn expect<'p>(
    mut parser: impl Parser<Cursor<'p>, Output = (), Error = SyntaxError>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| match parser.parse_complete(input) {
        Ok(parsed) => Ok(parsed),
        Err(error) => {
            report(input, &error);
            input.missing();
            Ok((input, ()))
        }
    }
}

/// The block that a statement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Optional(Mode),
    Required(Mode),
}

/// Parses a statement: its `head`, which takes at least one token, and its block.
///
/// What the head leaves over is skipped up to the block or the end of the statement. In a statement
/// that went wrong a line that is not indented deeper than the statement starts a new one, whatever
/// the line before ends with.
pub(super) fn recover_statement<'p>(
    kind: SyntaxKind,
    body: Body,
    mut head: impl Parser<Cursor<'p>, Output = (), Error = SyntaxError>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        input.context.begin_statement(input);
        let indent = input.context.indent.get();
        let mark = input.start(kind);
        let rest = match head.parse_complete(input) {
            Ok((rest, ())) => rest,
            Err(error) => {
                report(input, &error);
                input
            }
        };
        let rest = skip_leftover(rest, input, indent, body);
        let rest = block_of_statement(rest, indent, body);
        input.context.indent.set(indent);
        rest.finish(mark);
        Ok((rest, ()))
    }
}

/// How a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// With its `{`.
    Brace,
    /// Its `{` is missing.
    Missing,
    /// It is the whole file.
    File,
}

/// Parses the statements of a block and its closing brace.
///
/// `indent` is how far the line is indented that the statement of the block starts. If braces are
/// missing or too many, it settles which: a statement on a line indented no deeper is behind the
/// block, a brace on a line indented deeper does not close it.
pub(super) fn delimited_resync<'p>(
    mode: Mode,
    opening: Opening,
    indent: u32,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let context = input.context;
        if opening != Opening::File && !context.enter() {
            context.leave();
            context.report(|| messages::nested_too_deeply(input));
            return Ok((skip_block(input), ()));
        }
        let mut rest = match opening {
            Opening::Brace => input.advance(),
            Opening::Missing | Opening::File => input,
        };
        let mut indented = false;
        let mut empty = true;
        loop {
            rest = match rest.kind() {
                SyntaxKind::Newline | SyntaxKind::Semicolon => rest.advance(),
                SyntaxKind::EndOfFile if opening == Opening::File => break,
                SyntaxKind::EndOfFile => {
                    messages::report_unclosed_at_end(input);
                    rest.missing();
                    break;
                }
                SyntaxKind::RightBrace if is_stray(rest, opening, indent) => skip_brace(rest),
                SyntaxKind::RightBrace => {
                    rest = rest.advance();
                    break;
                }
                _ if opening != Opening::File && is_behind(rest, mode, indent, indented, empty) => {
                    take_unclosed(rest);
                    context.quiet.set(false);
                    context.report(|| messages::unclosed_block(input, rest, indent));
                    rest.missing();
                    break;
                }
                _ => {
                    let is_deeper = rest.line_indent().is_some_and(|found| found > indent);
                    indented = indented || (empty && is_deeper);
                    empty = false;
                    let (after, ()) = statement::statement(mode)(rest)?;
                    after
                }
            };
        }
        if opening != Opening::File {
            context.leave();
        }
        Ok((rest, ()))
    }
}

fn report(input: Cursor<'_>, error: &nom::Err<SyntaxError>) {
    // The input is complete, so nothing is ever `Incomplete`.
    if let &(nom::Err::Error(error) | nom::Err::Failure(error)) = error {
        input
            .context
            .report(|| messages::unexpected(input.moved_to(error.at), error));
    }
}

/// Skips what is left of the statement that starts at `first` before its block or its end. A head
/// that took nothing leaves the first token, so that there is no statement of nothing.
fn skip_leftover<'p>(input: Cursor<'p>, first: Cursor<'p>, indent: u32, body: Body) -> Cursor<'p> {
    let is_leftover = |at: Cursor<'_>| !at.at_end() && at.kind() != SyntaxKind::LeftBrace;
    if !is_leftover(input) {
        return input;
    }
    let expected = match body {
        Body::Required(_) => Expected::BLOCK,
        Body::None | Body::Optional(_) => Expected::END,
    };
    report(input, &SyntaxError::new(input, expected));
    let starts_statement =
        |at: Cursor<'_>| at != first && at.line_indent().is_some_and(|found| found <= indent);
    let mut rest = input;
    while is_leftover(rest) && !starts_statement(rest) {
        rest = rest.advance();
    }
    if rest != input {
        let mark = input.start(SyntaxKind::Error);
        rest.finish(mark);
    }
    rest
}

/// Takes the block of a statement whose head ends here, if it has one.
fn block_of_statement(input: Cursor<'_>, indent: u32, body: Body) -> Cursor<'_> {
    let context = input.context;
    let mode = match body {
        Body::None => None,
        Body::Optional(mode) | Body::Required(mode) => Some(mode),
    };
    match (input.kind(), mode) {
        (SyntaxKind::LeftBrace, Some(mode)) => block(input, mode, Opening::Brace, indent),
        (SyntaxKind::LeftBrace, None) => {
            context.report(|| messages::unexpected_block(input));
            let mark = input.start(SyntaxKind::Error);
            let rest = block(input, Mode::Statements, Opening::Brace, indent);
            rest.finish(mark);
            rest
        }
        (SyntaxKind::Newline, Some(mode)) if input.peek(1) == SyntaxKind::LeftBrace => {
            context.report(|| messages::brace_on_next_line(input));
            block(input.advance(), mode, Opening::Brace, indent)
        }
        (SyntaxKind::Newline, Some(mode)) if lacks_brace(input, indent) => {
            report(input, &SyntaxError::new(input, Expected::BLOCK));
            take_stray(input);
            block(input.advance(), mode, Opening::Missing, indent)
        }
        _ if matches!(body, Body::Required(_)) => {
            report(input, &SyntaxError::new(input, Expected::BLOCK));
            input.missing();
            input
        }
        _ => input,
    }
}

fn block(input: Cursor<'_>, mode: Mode, opening: Opening, indent: u32) -> Cursor<'_> {
    // What is wrong in the block says nothing about the statement around it, and the other way
    // round.
    let quiet = input.context.quiet.get();
    let mark = input.start(SyntaxKind::Block);
    let rest = delimited_resync(mode, opening, indent)(input).map_or(input, |(rest, ())| rest);
    rest.finish(mark);
    input.context.quiet.set(quiet);
    rest
}

/// Whether the statement before this newline has lost the `{` of its block: a brace is too many
/// later on, and the next line is indented like a block's.
fn lacks_brace(input: Cursor<'_>, indent: u32) -> bool {
    let next = input.advance();
    input.context.balance.get().stray > 0
        && !next.at_end()
        && next.line_indent().is_some_and(|found| found > indent)
}

/// Whether this `}` closes nothing.
fn is_stray(input: Cursor<'_>, opening: Opening, indent: u32) -> bool {
    opening == Opening::File
        || (input.context.balance.get().stray > 0
            && input.line_indent().is_some_and(|found| found > indent))
}

/// Whether the statement here is behind the block, whose `}` is missing: its line is indented no
/// deeper than that of the block's statement, while the block's first one is, or it is an item,
/// which stands in no other block.
fn is_behind(input: Cursor<'_>, mode: Mode, indent: u32, indented: bool, empty: bool) -> bool {
    input.context.balance.get().unclosed > 0
        && input.line_indent().is_some_and(|found| found <= indent)
        && (indented || (empty && mode != Mode::Items && statement::starts_item(input)))
}

fn take_unclosed(input: Cursor<'_>) {
    let balance = input.context.balance.get();
    input.context.balance.set(Balance {
        unclosed: balance.unclosed.saturating_sub(1),
        ..balance
    });
}

fn take_stray(input: Cursor<'_>) {
    let balance = input.context.balance.get();
    input.context.balance.set(Balance {
        stray: balance.stray.saturating_sub(1),
        ..balance
    });
}

/// Skips a `}` that closes nothing.
fn skip_brace(input: Cursor<'_>) -> Cursor<'_> {
    input.context.quiet.set(false);
    input.context.report(|| messages::stray_brace(input));
    take_stray(input);
    skip_one(input)
}

fn skip_one(input: Cursor<'_>) -> Cursor<'_> {
    let mark = input.start(SyntaxKind::Error);
    let rest = input.advance();
    rest.finish(mark);
    rest
}

/// Skips a whole block without going into it.
fn skip_block(input: Cursor<'_>) -> Cursor<'_> {
    let mark = input.start(SyntaxKind::Error);
    let mut rest = input;
    let mut depth = 0_u32;
    loop {
        match rest.kind() {
            SyntaxKind::LeftBrace => depth += 1,
            SyntaxKind::RightBrace => depth = depth.saturating_sub(1),
            SyntaxKind::EndOfFile => break,
            _ => {}
        }
        rest = rest.advance();
        if depth == 0 {
            break;
        }
    }
    rest.finish(mark);
    rest
}
