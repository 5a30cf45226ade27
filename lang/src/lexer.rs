//! Text to tokens.
//!
//! In: any text. Out: [`Tokens`], the kinds and starts of all tokens side by side. Nothing is lost:
//! the texts of the tokens put together are the source, white space and comments included. Lexing
//! never fails (what starts no token becomes an `Unknown` one), needs no context, and looks at each
//! byte a constant number of times.
//!
//! Every token starts and ends beside an ASCII byte or at an end of the text, so working on bytes
//! never splits a character.

use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::syntax::SyntaxKind;

/// The tokens of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    kinds: Vec<SyntaxKind>,
    /// One more than there are kinds: the last one is the length of the text.
    starts: Vec<u32>,
}

impl Tokens {
    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The kind of token `index`; `EndOfFile` behind the last one.
    pub fn kind(&self, index: usize) -> SyntaxKind {
        self.kinds
            .get(index)
            .copied()
            .unwrap_or(SyntaxKind::EndOfFile)
    }

    /// The kinds of all tokens.
    pub fn kinds(&self) -> &[SyntaxKind] {
        &self.kinds
    }

    /// Where token `index` starts; the end of the text behind the last token.
    pub fn start(&self, index: usize) -> u32 {
        let last = self.starts.len() - 1;
        self.starts[index.min(last)]
    }

    /// Whether nothing but white space stands before token `index` on its line.
    pub fn starts_line(&self, index: usize) -> bool {
        let before = self.kinds[..index.min(self.len())]
            .iter()
            .rev()
            .find(|kind| **kind != SyntaxKind::Whitespace);
        matches!(
            before,
            None | Some(SyntaxKind::Newline | SyntaxKind::ByteOrderMark)
        )
    }

    /// The text of token `index` in `text`, from which the tokens were made.
    pub fn text<'t>(&self, text: &'t str, index: usize) -> &'t str {
        &text[self.start(index) as usize..self.start(index + 1) as usize]
    }

    /// These with the first `count` of `part` in the place of `range`, whose text they are of.
    pub(crate) fn spliced(&self, range: Range<usize>, part: &Self, count: usize) -> Self {
        let at = self.start(range.start);
        let (old, new) = (self.start(range.end), at + part.start(count));
        let mut kinds = Vec::with_capacity(self.len() - range.len() + count);
        kinds.extend(&self.kinds[..range.start]);
        kinds.extend(&part.kinds[..count]);
        kinds.extend(&self.kinds[range.end..]);
        let mut starts = Vec::with_capacity(kinds.len() + 1);
        starts.extend(&self.starts[..range.start]);
        starts.extend(part.starts[..count].iter().map(|start| start + at));
        starts.extend(
            self.starts[range.end..]
                .iter()
                .map(|start| start - old + new),
        );
        Self { kinds, starts }
    }
}

/// The tokens of `text`, which is at most [`MAX_LEN`](crate::source::MAX_LEN) bytes long.
pub fn lex(text: &str) -> Tokens {
    assert!(
        text.len() <= crate::source::MAX_LEN,
        "offsets in a text are 32 bits wide"
    );
    let bytes = text.as_bytes();
    // Policies have a token for every three to four bytes, white space counted.
    let mut kinds = Vec::with_capacity(bytes.len() / 3 + 1);
    let mut starts = Vec::with_capacity(bytes.len() / 3 + 2);
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let at = bytes.len() - rest.len();
        let (kind, len) = if at == 0 && rest.starts_with(BYTE_ORDER_MARK) {
            (SyntaxKind::ByteOrderMark, BYTE_ORDER_MARK.len())
        } else {
            token(first, rest)
        };
        kinds.push(kind);
        starts.push(at as u32);
        rest = &rest[len..];
    }
    starts.push(bytes.len() as u32);
    Tokens { kinds, starts }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What a token parser takes and leaves. Tokens are told apart by their first bytes, so a mismatch
/// needs no words.
type Lexed<'t> = IResult<&'t [u8], &'t [u8], ()>;

/// The kind and length of the token at the start of `input`, which begins with `first`.
fn token(first: u8, input: &[u8]) -> (SyntaxKind, usize) {
    let second = input.get(1).copied();
    match first {
        b' ' | b'\t' => (SyntaxKind::Whitespace, taken(blank, input)),
        b'\n' => (SyntaxKind::Newline, 1),
        b'\r' => (
            SyntaxKind::Newline,
            if second == Some(b'\n') { 2 } else { 1 },
        ),
        b'#' => comment_token(input),
        b'"' => string_token(SyntaxKind::String, string, input),
        b'r' if second == Some(b'"') => string_token(SyntaxKind::RawString, raw_string, input),
        b'/' => (SyntaxKind::Path, taken(path, input)),
        b'[' => match taken(bracketed_address, input) {
            0 => (SyntaxKind::LeftBracket, 1),
            len => (SyntaxKind::Word, len),
        },
        _ => match symbol(first, second) {
            Some(kind_and_len) => kind_and_len,
            None if starts_word(first, second) => (SyntaxKind::Word, taken(word, input)),
            None => (SyntaxKind::Unknown, unknown_run(input)),
        },
    }
}

/// How many bytes `parser` takes; none if it does not match.
fn taken<'t>(parser: impl Fn(&'t [u8]) -> Lexed<'t>, input: &'t [u8]) -> usize {
    parser(input).map_or(0, |(rest, _)| input.len() - rest.len())
}

fn symbol(first: u8, second: Option<u8>) -> Option<(SyntaxKind, usize)> {
    let kind_and_len = match (first, second) {
        (b'{', _) => (SyntaxKind::LeftBrace, 1),
        (b'}', _) => (SyntaxKind::RightBrace, 1),
        (b'(', _) => (SyntaxKind::LeftParen, 1),
        (b')', _) => (SyntaxKind::RightParen, 1),
        (b']', _) => (SyntaxKind::RightBracket, 1),
        (b',', _) => (SyntaxKind::Comma, 1),
        (b';', _) => (SyntaxKind::Semicolon, 1),
        (b'-', Some(b'>')) => (SyntaxKind::Arrow, 2),
        (b'.', Some(b'.')) => (SyntaxKind::DotDot, 2),
        (b'=', Some(b'=')) => (SyntaxKind::EqualsEquals, 2),
        (b'=', _) => (SyntaxKind::Equals, 1),
        (b'!', Some(b'=')) => (SyntaxKind::NotEquals, 2),
        (b'<', Some(b'=')) => (SyntaxKind::LessEquals, 2),
        (b'<', _) => (SyntaxKind::Less, 1),
        (b'>', Some(b'=')) => (SyntaxKind::GreaterEquals, 2),
        (b'>', _) => (SyntaxKind::Greater, 1),
        // `::1` is an address.
        (b':', second) if second != Some(b':') => (SyntaxKind::Colon, 1),
        _ => return None,
    };
    Some(kind_and_len)
}

const fn starts_word(first: u8, second: Option<u8>) -> bool {
    first.is_ascii_alphanumeric()
        || matches!(first, b'*' | b'_')
        || (first == b':' && matches!(second, Some(b':')))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

const fn is_white_space(byte: u8) -> bool {
    is_blank(byte) || is_line_end(byte)
}

fn blank(input: &[u8]) -> Lexed<'_> {
    take_while1(is_blank)(input)
}

fn to_line_end(input: &[u8]) -> Lexed<'_> {
    take_till(is_line_end)(input)
}

/// `## …` documents the next statement; a line of hashes only draws a line.
fn comment_token(input: &[u8]) -> (SyntaxKind, usize) {
    let documents = input.starts_with(b"##") && input.get(2) != Some(&b'#');
    let kind = if documents {
        SyntaxKind::DocComment
    } else {
        SyntaxKind::Comment
    };
    (kind, taken(to_line_end, input))
}

/// A string that `parser` matches, or, without its closing quote, everything up to the line's end.
fn string_token<'t>(
    kind: SyntaxKind,
    parser: impl Fn(&'t [u8]) -> Lexed<'t>,
    input: &'t [u8],
) -> (SyntaxKind, usize) {
    match taken(parser, input) {
        0 => (SyntaxKind::UnclosedString, taken(to_line_end, input)),
        len => (kind, len),
    }
}

fn string(input: &[u8]) -> Lexed<'_> {
    let plain = take_while1(|byte| !is_line_end(byte) && byte != b'"' && byte != b'\\');
    let escape = preceded(char('\\'), take_escaped);
    recognize((char('"'), many0_count(alt((plain, escape))), char('"'))).parse_complete(input)
}

/// The byte behind a backslash, and with it the rest of its character by way of what follows.
fn take_escaped(input: &[u8]) -> Lexed<'_> {
    verify(take(1_usize), |byte: &[u8]| !is_line_end(byte[0])).parse_complete(input)
}

fn raw_string(input: &[u8]) -> Lexed<'_> {
    let body = take_till(|byte| byte == b'"' || is_line_end(byte));
    recognize((tag(&b"r\""[..]), body, char('"'))).parse_complete(input)
}

/// `[::1]:80`: an address in brackets with a port, one word.
fn bracketed_address(input: &[u8]) -> Lexed<'_> {
    let inside = verify(
        take_while1(|byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')),
        |address: &[u8]| address.contains(&b':'),
    );
    let port = verify(word_run, |port: &[u8]| {
        port.first().is_some_and(u8::is_ascii_digit)
    });
    recognize((char('['), inside, tag(&b"]:"[..]), port)).parse_complete(input)
}

fn word(input: &[u8]) -> Lexed<'_> {
    alt((url, recognize((opt(tag(&b"::"[..])), word_run)))).parse_complete(input)
}

/// A URL is a word that more characters belong to, since paths and queries do.
fn url(input: &[u8]) -> Lexed<'_> {
    let scheme = terminated(
        alt((tag(&b"https"[..]), tag(&b"http"[..]))),
        tag(&b"://"[..]),
    );
    let rest =
        take_till(|byte| is_white_space(byte) || matches!(byte, b',' | b';' | b'{' | b'}' | b'"'));
    recognize((scheme, rest)).parse_complete(input)
}

/// Letters, digits and `_ . / * - : %`, up to `->`, `..` or a `:` before white space, and up to and
/// with a `%`.
fn word_run(input: &[u8]) -> Lexed<'_> {
    let ends_before = |at: usize, byte: u8| {
        let next = input.get(at + 1).copied();
        match byte {
            b'-' => next == Some(b'>'),
            b'.' => next == Some(b'.'),
            b':' => next.is_none_or(is_white_space),
            b'_' | b'/' | b'*' => false,
            _ => !byte.is_ascii_alphanumeric(),
        }
    };
    let mut bytes = input.iter().copied().enumerate();
    let end = bytes.find_map(|(at, byte)| match byte {
        b'%' => Some(at + 1),
        _ => ends_before(at, byte).then_some(at),
    });
    take(end.unwrap_or(input.len()))(input)
}

fn path(input: &[u8]) -> Lexed<'_> {
    let plain = take_path_text;
    recognize(many0_count(alt((plain, capture)))).parse_complete(input)
}

/// Path characters up to white space, `->`, or one of `, ; ( ) [ ] { } "`; at least one.
fn take_path_text(input: &[u8]) -> Lexed<'_> {
    let ends = |at: usize, byte: u8| match byte {
        b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' => true,
        b'-' => input.get(at + 1) == Some(&b'>'),
        _ => is_white_space(byte),
    };
    let len = input
        .iter()
        .enumerate()
        .position(|(at, &byte)| ends(at, byte))
        .unwrap_or(input.len());
    verify(take(len), |text: &[u8]| !text.is_empty()).parse_complete(input)
}

/// `{name}` or `{name**}` in a path. What a name may be is for the value's reader to say; here it
/// only must not look like a block.
fn capture(input: &[u8]) -> Lexed<'_> {
    let name = take_while1(|byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    recognize((char('{'), name, opt(tag(&b"**"[..])), char('}'))).parse_complete(input)
}

/// The length of the run of bytes that start no token; at least one.
fn unknown_run(input: &[u8]) -> usize {
    let starts_token = |at: usize| {
        let first = input[at];
        let second = input.get(at + 1).copied();
        matches!(
            first,
            b' ' | b'\t' | b'\n' | b'\r' | b'#' | b'"' | b'/' | b'['
        ) || symbol(first, second).is_some()
            || starts_word(first, second)
    };
    (1..input.len())
        .find(|&at| starts_token(at))
        .unwrap_or(input.len())
}

#[cfg(test)]
mod tests;
