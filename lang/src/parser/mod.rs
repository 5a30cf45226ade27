//! Tokens to a tree.
//!
//! In: the text of a file. Out: its [`Tree`] and the diagnostics of its syntax. Parsing never
//! fails, never loops and takes time in proportion to the text; nesting is bounded. The grammar is
//! written with nom over a cursor of tokens, one file for each part of the language: items,
//! statements, actions, conditions, values, claims. The next one or two tokens always decide what
//! comes, so nothing is tried and taken back; what has to follow is wrapped in
//! `recovery::expect`.
//!
//! Which kind of statements a block holds follows from the word that opened it (`Mode`). What the
//! words of the vocabulary mean and which arguments they take is not the parser's business:
//! [`vocabulary::check`](crate::vocabulary::check) looks at that.

mod action;
mod again;
mod claim;
mod condition;
mod expected;
mod input;
mod item;
mod messages;
mod recovery;
mod statement;
mod value;

#[cfg(test)]
mod tests;

use nom::{IResult, Parser};

pub use self::again::{Again, Change, reparse};
use self::expected::{Expected, SyntaxError};
use self::input::{Context, Cursor};
pub(crate) use self::input::{continues_statement, may_end_statement};
use self::recovery::Opening;
use crate::diagnostic::Diagnostic;
use crate::lexer;
use crate::source::FileId;
use crate::syntax::SyntaxKind;
use crate::tree::Tree;

/// What parsing a file gives.
#[derive(Debug, Clone)]
pub struct Parse {
    /// The tree: of the whole file, whatever is wrong with it.
    pub tree: Tree,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses `text`, the text of `file`, which is at most [`MAX_LEN`](crate::source::MAX_LEN) bytes
/// long.
pub fn parse(file: FileId, text: &str) -> Parse {
    let tokens = lexer::lex(text);
    let context = Context::new(file, text, &tokens);
    // A file has nothing around it that it could fail for.
    let _ = recovery::delimited_resync(Mode::Items, Opening::File, 0)(context.start());
    let (builder, diagnostics) = context.into_parts();
    Parse {
        tree: builder.build(file, text, tokens),
        diagnostics,
    }
}

/// Which statements a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A file or a namespace: items, and settings.
    Items,
    /// Arms, rules and settings.
    Statements,
    /// Only settings, whatever their first word is: names of claims, `allow` and `deny` of lints.
    Settings,
    /// The claims of an `assert`.
    Claims,
    /// The steps of a `test`.
    Steps,
    /// The `set` lines of an `env`.
    Sets,
}

/// What a parser of the grammar gives: the tree grows as it goes, so most have nothing to return.
type Parsed<'p, O = ()> = IResult<Cursor<'p>, O, SyntaxError>;

/// Wraps what `parser` takes in a node.
fn node<'p>(
    kind: SyntaxKind,
    mut parser: impl Parser<Cursor<'p>, Output = (), Error = SyntaxError>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let mark = input.start(kind);
        let result = parser.parse_complete(input);
        match &result {
            Ok((rest, ())) => rest.finish(mark),
            Err(_) => input.give_up(mark),
        }
        result
    }
}

/// Takes what the parsers of a tuple take, one after the other.
fn seq<'p, O>(
    mut parsers: impl Parser<Cursor<'p>, Output = O, Error = SyntaxError>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let (rest, _) = parsers.parse_complete(input)?;
        Ok((rest, ()))
    }
}

/// Takes what `parser` takes, one level deeper.
fn nested<'p>(
    mut parser: impl Parser<Cursor<'p>, Output = (), Error = SyntaxError>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let result = if input.context.enter() {
            parser.parse_complete(input)
        } else {
            input.context.report(|| messages::nested_too_deeply(input));
            Err(SyntaxError::new(input, Expected::CONDITION))
        };
        input.context.leave();
        result
    }
}

/// Takes what `parser` takes, which messages call something else.
fn expecting<'p>(
    expected: Expected,
    parser: impl Fn(Cursor<'p>) -> Parsed<'p>,
) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| parser(input).map_err(|error| error.map(|error| SyntaxError { expected, ..error }))
}

/// Takes a token of this kind.
fn token<'p>(kind: SyntaxKind, expected: Expected) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    token_where(move |input| input.kind() == kind, expected)
}

/// Takes this word.
fn word<'p>(text: &'static str, expected: Expected) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    token_where(move |input| input.is_word(text), expected)
}

/// Takes one of these words.
fn one_of<'p>(
    words: &'static [&'static str],
    expected: Expected,
) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    token_where(move |input| input.is_one_of(words), expected)
}

/// Takes any word.
fn any_word(expected: Expected) -> impl Fn(Cursor<'_>) -> Parsed<'_> {
    move |input| token(SyntaxKind::Word, expected)(input)
}

/// Takes the token it is at if `predicate` holds.
fn token_where<'p>(
    predicate: impl Fn(Cursor<'p>) -> bool,
    expected: Expected,
) -> impl Fn(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        if predicate(input) {
            Ok((input.advance(), ()))
        } else {
            Err(SyntaxError::new(input, expected))
        }
    }
}

/// Takes `element, element, …`: one at least, and one behind every comma.
fn comma_list<'p>(
    element: impl Fn(Cursor<'p>) -> Parsed<'p>,
) -> impl FnMut(Cursor<'p>) -> Parsed<'p> {
    move |input| {
        let (mut rest, ()) = element(input)?;
        while rest.kind() == SyntaxKind::Comma {
            (rest, ()) = recovery::expect(&element)(rest.advance())?;
        }
        Ok((rest, ()))
    }
}
