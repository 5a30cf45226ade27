//! Strings and their escapes.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::one_of;
use nom::combinator::map_opt;
use nom::sequence::delimited;
use nom::{IResult, Parser};

/// An escape that means nothing; `start..end` are its bytes in the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscapeError {
    /// Where the backslash is.
    pub start: usize,
    /// Behind the last character that belongs to it.
    pub end: usize,
    text: String,
}

impl fmt::Display for EscapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.starts_with("\\u") {
            write!(f, "`{}` is no character: `\\u{{e9}}` is `é`", self.text)
        } else {
            write!(f, "`{}` is no escape", self.text)
        }
    }
}

impl std::error::Error for EscapeError {}

/// What a string token says: without its quotes, escapes replaced. A raw string has no escapes; a
/// string without its closing quote goes to its end.
pub fn unescape(token: &str) -> Result<Cow<'_, str>, EscapeError> {
    if let Some(raw) = token.strip_prefix("r\"") {
        return Ok(raw.strip_suffix('"').unwrap_or(raw).into());
    }
    let body = token.strip_prefix('"').unwrap_or(token);
    let Some(first) = body.find('\\') else {
        return Ok(body.strip_suffix('"').unwrap_or(body).into());
    };
    let mut text = String::with_capacity(body.len());
    text.push_str(&body[..first]);
    let mut rest = &body[first..];
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let start = token.len() - rest.len() + at;
        match escape(&rest[at..]) {
            Ok((after, character)) => {
                text.push(character);
                rest = after;
            }
            Err(_) => return Err(unknown(token, start)),
        }
    }
    text.push_str(rest.strip_suffix('"').unwrap_or(rest));
    Ok(text.into())
}

/// The string token that says a text.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(input: &str) -> IResult<&str, char, ()> {
    let simple = map_opt(one_of("\"\\nrt"), |character| {
        Some(match character {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            itself => itself,
        })
    });
    let digits = take_while_m_n(1, 6, |character: char| character.is_ascii_hexdigit());
    let unicode = map_opt(delimited(tag("u{"), digits, tag("}")), |digits| {
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
    });
    let (input, _) = tag("\\")(input)?;
    alt((simple, unicode)).parse_complete(input)
}

/// The error of the escape at `start`: the backslash and the character behind it, or `\u{…}` as far
/// as it goes.
fn unknown(token: &str, start: usize) -> EscapeError {
    let escape = &token[start..];
    let len = if escape.starts_with("\\u{") {
        escape.find(['}', '"']).map_or(escape.len(), |end| {
            end + usize::from(escape[end..].starts_with('}'))
        })
    } else {
        1 + escape[1..].chars().next().map_or(0, char::len_utf8)
    };
    EscapeError {
        start,
        end: start + len,
        text: escape[..len].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn escapes_are_replaced() {
        for (token, text) in [
            (r#""""#, ""),
            (r#""plain""#, "plain"),
            (r#""a \"b\" \u{e9}""#, "a \"b\" é"),
            (r#""\\ \n \r \t""#, "\\ \n \r \t"),
            (r#""\u{1F980}é""#, "🦀é"),
            (r#"r".*\d[0-4]""#, r".*\d[0-4]"),
            (r#"r"""#, ""),
            (r#""open"#, "open"),
            (r#"r"open"#, "open"),
            ("\"", ""),
        ] {
            assert_eq!(unescape(token).as_deref(), Ok(text), "{token}");
        }
    }

    #[test]
    fn an_unknown_escape_is_pointed_at() {
        for (token, escape) in [
            (r#""a\d""#, r"\d"),
            (r#""\é""#, r"\é"),
            (r#""x \u{110000} y""#, r"\u{110000}"),
            (r#""\u{d800}""#, r"\u{d800}"),
            (r#""\u{}""#, r"\u{}"),
            (r#""\u{12""#, r"\u{12"),
            (r#""\u12""#, r"\u"),
            ("\"\\", "\\"),
        ] {
            let error = unescape(token).unwrap_err();
            assert_eq!(&token[error.start..error.end], escape, "{token}");
        }
    }
}
