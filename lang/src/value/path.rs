//! Path patterns.

use std::fmt;

use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt, verify};
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::ValueError;
use crate::codes::Code;

/// Which paths are meant, segment by segment: `/users/{id}`, `/static/**`, `/x/*/y`, `/**/info`,
/// `/{name}.json`.
///
/// The segments are what stands behind each `/`. A trailing slash is an empty literal as the last
/// one, so `/` is one empty literal. A pattern matches normalised paths only, and its literals are
/// in their normal form. `%2F` and `%5C` are let through, since a mesh may keep them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern {
    segments: Vec<Segment>,
}

/// One segment of a [`PathPattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// This text; empty only at the end.
    Literal(String),
    /// `*` or `{name}`: any text but none.
    Any {
        /// What the text is called, if anything.
        name: Option<String>,
    },
    /// `v{n}` or `{name}.json`: any text but none, between two others.
    Partial {
        /// What stands before it.
        prefix: String,
        /// What the text is called.
        name: String,
        /// What stands behind it.
        suffix: String,
    },
    /// `**` or `{name**}`: any number of segments, none included.
    Rest {
        /// What they are called, if anything.
        name: Option<String>,
    },
}

impl PathPattern {
    /// Reads a pattern, as it is written in a path or, unescaped, in a string.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::read(text).map_err(|error| {
            let readable = |text: &String| Self::read(text).is_ok();
            match error.code {
                Code::PatternNotNormal => match normal_form(text).filter(readable) {
                    Some(normal) => error.meaning(normal),
                    None => error,
                },
                Code::WildcardLiteral => match Some(with_captures(text)).filter(readable) {
                    Some(pattern) => error.perhaps(pattern),
                    None => error,
                },
                _ => error,
            }
        })
    }

    /// The pattern of these segments; none where there are none, where an empty one is not the last, or where there
    /// are several `**`. What its captures are called is not looked at.
    pub fn of_segments(segments: Vec<Segment>) -> Option<Self> {
        let (_, before) = segments.split_last()?;
        let is_empty = |it: &Segment| matches!(it, Segment::Literal(text) if text.is_empty());
        let is_rest = |it: &&Segment| matches!(it, Segment::Rest { .. });
        let rests = segments.iter().filter(is_rest).count();
        (!before.iter().any(is_empty) && rests <= 1).then_some(Self { segments })
    }

    /// The segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of its captures, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::name)
    }

    /// Whether it means one path and no other.
    pub fn is_exact(&self) -> bool {
        self.segments
            .iter()
            .all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Whether all its captures have names, so that it can be filled in.
    pub fn is_template(&self) -> bool {
        self.segments
            .iter()
            .all(|segment| matches!(segment, Segment::Literal(_)) || segment.name().is_some())
    }

    fn read(text: &str) -> Result<Self, ValueError> {
        let Some(path) = text.strip_prefix('/') else {
            return Err(ValueError::new(format!(
                "`{text}` is no path: paths start with `/`"
            )));
        };
        let last = path.matches('/').count();
        let mut segments = Vec::with_capacity(last + 1);
        for (index, text) in path.split('/').enumerate() {
            if text.is_empty() && index != last {
                return Err(not_normal("`//` is `/` once a path is normalised"));
            }
            segments.push(segment(text)?);
        }
        let pattern = Self { segments };
        pattern.check_captures()?;
        Ok(pattern)
    }

    fn check_captures(&self) -> Result<(), ValueError> {
        let rests = self
            .segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Rest { .. }));
        if rests.count() > 1 {
            return Err(ValueError::new("a pattern has one `**` at most"));
        }
        let mut names: Vec<_> = self.names().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ValueError::new(format!(
                "two captures are called `{}`",
                pair[0]
            ))),
            None => Ok(()),
        }
    }
}

impl Segment {
    /// What its text is called.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Any { name } | Self::Rest { name } => name.as_deref(),
            Self::Partial { name, .. } => Some(name),
        }
    }
}

fn not_normal(message: impl Into<String>) -> ValueError {
    ValueError::with_code(Code::PatternNotNormal, message)
}

fn segment(text: &str) -> Result<Segment, ValueError> {
    match text {
        "*" => return Ok(Segment::Any { name: None }),
        "**" => return Ok(Segment::Rest { name: None }),
        "." | ".." => {
            return Err(not_normal(format!(
                "`/{text}` is resolved before a path is matched"
            )));
        }
        _ => {}
    }
    if !text.contains(['{', '}']) {
        check_literal(text)?;
        return Ok(Segment::Literal(text.to_owned()));
    }
    let Ok((_, (prefix, (name, rest), suffix))) = all_consuming(partial).parse_complete(text)
    else {
        return Err(ValueError::new(format!(
            "`{text}` is no segment: it holds one capture, such as `{{id}}`, `v{{n}}` or `{{name}}.json`"
        )));
    };
    check_literal(prefix)?;
    check_literal(suffix)?;
    let is_whole = prefix.is_empty() && suffix.is_empty();
    let name = name.to_owned();
    match (rest, is_whole) {
        (true, true) => Ok(Segment::Rest { name: Some(name) }),
        (true, false) => Err(ValueError::new(format!(
            "`{{{name}**}}` takes whole segments, not a part of one"
        ))),
        (false, true) => Ok(Segment::Any { name: Some(name) }),
        (false, false) => Ok(Segment::Partial {
            prefix: prefix.to_owned(),
            name,
            suffix: suffix.to_owned(),
        }),
    }
}

/// `PREFIX{NAME}SUFFIX` or `PREFIX{NAME**}SUFFIX`.
fn partial(input: &str) -> IResult<&str, (&str, (&str, bool), &str), ()> {
    let plain = || take_till(|character| character == '{' || character == '}');
    let name = verify(
        take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
        |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic()),
    );
    let capture = (name, opt(tag("**")).map(|rest| rest.is_some()));
    (plain(), delimited(char('{'), capture, char('}')), plain()).parse_complete(input)
}

/// Whether a normalised path can have this text in a segment.
fn check_literal(text: &str) -> Result<(), ValueError> {
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        match character {
            '*' => {
                return Err(ValueError::with_code(
                    Code::WildcardLiteral,
                    format!("the `*` in `{text}` is no wildcard: `*` stands for a whole segment"),
                ));
            }
            '?' | '#' => {
                return Err(not_normal(format!(
                    "a path ends before `{character}`; a query is tested with `query.NAME`"
                )));
            }
            '%' => check_escape(rest)?,
            '\\' => {
                return Err(not_normal(
                    "a path with a `\\` is refused before it is matched",
                ));
            }
            '!'..='~' => {}
            _ => {
                let character = match character {
                    ' ' => "space".to_owned(),
                    _ if character.is_control() => format!("`{}`", character.escape_default()),
                    _ => format!("`{character}`"),
                };
                return Err(not_normal(format!(
                    "a path has no {character} unless as an escape"
                )));
            }
        }
        rest = &rest[character.len_utf8()..];
    }
    Ok(())
}

/// Whether the escape that `text` starts with is one that normalising leaves.
fn check_escape(text: &str) -> Result<(), ValueError> {
    let Some(byte) = escaped_byte(text) else {
        return Err(not_normal("a `%` starts an escape such as `%20`"));
    };
    let escape = &text[..3];
    if matches!(byte, b'\0' | b'\r' | b'\n') {
        return Err(not_normal(format!(
            "a path with `{escape}` is refused before it is matched"
        )));
    }
    if is_unreserved(byte) {
        return Err(not_normal(format!(
            "`{escape}` is `{}` once a path is normalised",
            char::from(byte)
        )));
    }
    if escape.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(not_normal(format!(
            "`{escape}` is `{}` once a path is normalised",
            escape.to_ascii_uppercase()
        )));
    }
    Ok(())
}

/// Characters whose escapes mean themselves.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The pattern with captures in place of the stars inside its segments.
fn with_captures(text: &str) -> String {
    let segments = text.split('/').map(|segment| match segment {
        "*" | "**" => segment.to_owned(),
        _ => segment.replacen('*', "{rest}", 1),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The byte of the escape that `text` starts with.
fn escaped_byte(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    // A sign is no digit, though numbers may have one.
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

/// What a path becomes before it is matched; none if it is refused.
fn normal_form(text: &str) -> Option<String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let mut escaped = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        match escaped_byte(rest) {
            Some(byte) => {
                if is_unreserved(byte) {
                    escaped.push(char::from(byte));
                } else {
                    escaped.push_str(&rest[..3].to_ascii_uppercase());
                }
                rest = &rest[3..];
                continue;
            }
            None if character.is_ascii_graphic() => escaped.push(character),
            None => {
                let mut bytes = [0; 4];
                let bytes = character.encode_utf8(&mut bytes).bytes();
                escaped.extend(bytes.map(|byte| format!("%{byte:02X}")));
            }
        }
        rest = &rest[character.len_utf8()..];
    }
    resolve_dots(&escaped)
}

fn resolve_dots(path: &str) -> Option<String> {
    let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
    let last = segments.len() - 1;
    let mut kept: Vec<&str> = Vec::with_capacity(segments.len());
    for (index, segment) in segments.into_iter().enumerate() {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop()?;
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if index == last {
            kept.push("");
        }
    }
    Some(format!("/{}", kept.join("/")))
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Any { name: None } => f.write_str("/*")?,
                Segment::Any { name: Some(name) } => write!(f, "/{{{name}}}")?,
                Segment::Partial {
                    prefix,
                    name,
                    suffix,
                } => write!(f, "/{prefix}{{{name}}}{suffix}")?,
                Segment::Rest { name: None } => f.write_str("/**")?,
                Segment::Rest { name: Some(name) } => write!(f, "/{{{name}**}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_pattern_is_made_of_segments_where_there_is_one() {
        let made = |text: &str| {
            let segments = PathPattern::parse(text).unwrap().segments;
            PathPattern::of_segments(segments).map(|it| it.to_string())
        };
        for text in ["/", "/a/", "/a/{b}/**", "/**/a"] {
            assert_eq!(made(text).as_deref(), Some(text));
        }
        let rest = || Segment::Rest { name: None };
        assert_eq!(PathPattern::of_segments(vec![]), None);
        assert_eq!(
            PathPattern::of_segments(vec![literal(""), literal("a")]),
            None
        );
        assert_eq!(PathPattern::of_segments(vec![rest(), rest()]), None);
    }

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    #[test]
    fn patterns_are_lists_of_segments() {
        let any = |name: Option<&str>| Segment::Any {
            name: name.map(str::to_owned),
        };
        let rest = |name: Option<&str>| Segment::Rest {
            name: name.map(str::to_owned),
        };
        let partial = |prefix: &str, name: &str, suffix: &str| Segment::Partial {
            prefix: prefix.into(),
            name: name.into(),
            suffix: suffix.into(),
        };
        for (text, segments) in [
            ("/", vec![literal("")]),
            ("/a/b", vec![literal("a"), literal("b")]),
            ("/a/", vec![literal("a"), literal("")]),
            ("/users/{id}", vec![literal("users"), any(Some("id"))]),
            ("/static/**", vec![literal("static"), rest(None)]),
            ("/x/*/y", vec![literal("x"), any(None), literal("y")]),
            ("/**/info", vec![rest(None), literal("info")]),
            ("/{path**}/", vec![rest(Some("path")), literal("")]),
            ("/{n}.json", vec![partial("", "n", ".json")]),
            ("/v{n}", vec![partial("v", "n", "")]),
            ("/a;b/**", vec![literal("a;b"), rest(None)]),
            (
                "/%20/%2F/...",
                vec![literal("%20"), literal("%2F"), literal("...")],
            ),
        ] {
            let pattern = PathPattern::parse(text).unwrap();
            assert_eq!(pattern.segments(), segments, "{text}");
            assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn what_no_normalised_path_matches_is_refused_with_its_normal_form() {
        for (text, normal) in [
            ("/a/../b", Some("/b")),
            ("/a/./b", Some("/a/b")),
            ("/a//b", Some("/a/b")),
            ("//", Some("/")),
            ("/a/..", Some("/")),
            ("/x?y", Some("/x")),
            ("/x#y", Some("/x")),
            ("/%41", Some("/A")),
            ("/%2f", Some("/%2F")),
            ("/%e9", Some("/%E9")),
            ("/é", Some("/%C3%A9")),
            ("/a b", Some("/a%20b")),
            ("/../a", None),
            ("/%2e%2e/a", None),
            ("/%00", None),
            ("/%0a", None),
            ("/a\\b", None),
            ("/%", None),
            ("/%2", None),
            ("/%zz", None),
            ("/%+1", None),
        ] {
            let error = PathPattern::parse(text).unwrap_err();
            assert_eq!(error.code, Code::PatternNotNormal, "{text}: {error}");
            let suggestion = error.suggestion.map(|found| found.text);
            assert_eq!(suggestion.as_deref(), normal, "{text}");
        }
    }

    #[test]
    fn a_star_inside_a_segment_is_no_wildcard() {
        for (text, right) in [("/admin*", "/admin{rest}"), ("/a/*.js", "/a/{rest}.js")] {
            let error = PathPattern::parse(text).unwrap_err();
            assert_eq!(error.code, Code::WildcardLiteral, "{text}");
            assert_eq!(error.suggestion.unwrap().text, right);
        }
    }

    #[test]
    fn captures_are_few_and_well_named() {
        for text in [
            "", "a", "/**/**", "/{a}/{a}", "/{a}{b}", "/{}", "/{1a}", "/{a", "/a}", "/{a**}b",
            "/{é}", "/{*}", "/{**}",
        ] {
            let error = PathPattern::parse(text).unwrap_err();
            assert_eq!(error.code, Code::BadValue, "{text}: {error}");
        }
        assert!(PathPattern::parse("/{userId}/{user_id}").is_ok());
    }

    #[test]
    fn templates_have_names_for_all_they_fill_in() {
        let pattern = |text| PathPattern::parse(text).unwrap();
        assert!(pattern("/a/{id}").is_template());
        assert!(!pattern("/a/*").is_template());
        assert!(pattern("/a/b").is_exact());
        assert!(!pattern("/a/{id}").is_exact());
        let names: Vec<_> = pattern("/{a}/x{b}/{c**}")
            .names()
            .map(str::to_owned)
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
