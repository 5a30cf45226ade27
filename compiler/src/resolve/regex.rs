//! What `matches` asks: expressions that cannot be used, and such as are plain text.
//!
//! An expression is of the whole value. Whoever is used to searching with one writes anchors, which are refused with
//! the edit that says the same without them; or leaves them out where a part was to be found, which is a lint.

use super::Resolver;
use crate::model::condition::TextPattern;
use crate::model::regex::{RegexError, check};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Edit, Fix};
use mesh_lang::source::Span;
use mesh_lang::value::{HostPattern, PathPattern};
use mesh_lang::view::{Test, Value};
use regex_syntax::ast::Ast;
use regex_syntax::ast::parse::Parser;

impl<'t> Resolver<'t> {
    /// The pattern of a `matches`, whose value says it, by way of names perhaps.
    pub(super) fn regex(
        &mut self,
        test: Test<'t>,
        value: Value<'t>,
        pattern: Box<str>,
    ) -> Option<TextPattern> {
        match check(&pattern) {
            Ok(()) => {
                self.diagnostics.extend(plain_text(test, &pattern));
                Some(TextPattern::Regex(pattern))
            }
            Err(error) => {
                let span = error_span(value, &error);
                let message = format!("this regular expression cannot be used: {error}");
                let diagnostic = Diagnostic::new(Code::BadRegex, message).primary(span, "");
                self.report(match without_anchors(value, &pattern, &error) {
                    Some(fix) => diagnostic.fix(fix),
                    None => diagnostic.help(
                        "patterns match the whole value, as in `r\".*[0-4]\"`; there is no look-around",
                    ),
                });
                None
            }
        }
    }
}

/// The part of a raw string that an error is about.
fn error_span(value: Value<'_>, error: &RegexError) -> Span {
    let span = value.span();
    match (value, error) {
        (Value::Str(string), RegexError::Syntax { at, .. }) if string.raw().starts_with("r\"") => {
            let start = span.start + 2 + at.start as u32;
            Span::new(
                span.file,
                start,
                (start + at.len().max(1) as u32).min(span.end),
            )
        }
        _ => span,
    }
}

/// The edit that takes away what anchors a pattern at its ends, where what is left says the same of the whole value,
/// or most likely does.
fn without_anchors(value: Value<'_>, pattern: &str, error: &RegexError) -> Option<Fix> {
    let (Value::Str(string), RegexError::LooksAround) = (value, error) else {
        return None;
    };
    // Where the text between the quotes begins. What it says has to stand there as it is.
    let raw = string.raw();
    let text = raw.split_once('"')?.1.strip_suffix('"')?;
    if text != pattern {
        return None;
    }
    let start = string.span().start + (raw.len() - text.len() - 1) as u32;
    let end = start + text.len() as u32;
    let edit = |from: u32, to: u32, replacement: &str| Edit {
        span: Span::new(string.span().file, from, to),
        replacement: replacement.to_owned(),
    };
    let front = |with: &str| edit(start, start + 1, with);
    let back = |with: &str| edit(end - 1, end, with);
    let begins = pattern.strip_prefix('^').filter(|rest| is_one(rest));
    let ends = pattern.strip_suffix('$').filter(|rest| is_one(rest));
    let inner = pattern
        .strip_prefix('^')
        .and_then(|it| it.strip_suffix('$'));
    if inner.is_some_and(is_one) {
        return Some(Fix {
            title: "leave the anchors out: the whole value is matched".to_owned(),
            edits: vec![front(""), back("")],
            applicability: Applicability::Safe,
        });
    }
    let (rest, edits) = match (begins, ends) {
        (Some(rest), _) => (format!("{rest}.*"), vec![front(""), edit(end, end, ".*")]),
        (None, Some(rest)) => (
            format!(".*{rest}"),
            vec![edit(start, start, ".*"), back("")],
        ),
        (None, None) => return None,
    };
    Some(Fix {
        title: format!("write `r\"{rest}\"`, which is of the whole value"),
        edits,
        applicability: Applicability::Unsafe,
    })
}

/// Whether a pattern is one that can be used, and no choice between several: `^a|b$` anchors each at one end.
fn is_one(pattern: &str) -> bool {
    let parsed = Parser::new().parse(pattern);
    check(pattern).is_ok() && !matches!(parsed, Err(_) | Ok(Ast::Alternation(_)))
}

/// Signs that mean something in an expression.
const SIGNS: &[char] = &[
    '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
];

/// A pattern that is plain text.
fn plain_text(test: Test<'_>, pattern: &str) -> Option<Diagnostic> {
    if pattern.contains(SIGNS) {
        return None;
    }
    let message =
        format!("this takes `{pattern}` and nothing longer: an expression is of the whole value");
    let diagnostic = Diagnostic::new(Code::RegexUnanchoredIntent, message)
        .primary(test.span(), "this is plain text")
        .note(format!(
            "for example: `{pattern}` matches, and `x{pattern}` does not"
        ));
    let fixes = instead(test, pattern);
    Some(if fixes.is_empty() {
        diagnostic.help("write `==` for the whole value, or `contains` to search in it")
    } else {
        let diagnostic =
            diagnostic.help("write `==`, or `contains` where it is to be found in the value");
        fixes.into_iter().fold(diagnostic, Diagnostic::fix)
    })
}

/// What says the same without an expression, and what searches.
fn instead(test: Test<'_>, pattern: &str) -> Vec<Fix> {
    let (Some(field), Some(comparison)) = (test.field(), test.comparison_span()) else {
        return Vec::new();
    };
    if pattern.is_empty() || pattern.contains(|sign: char| sign == '"' || sign.is_control()) {
        return Vec::new();
    }
    let quoted = format!("\"{pattern}\"");
    let same = match field.text {
        "path" => {
            let path = PathPattern::parse(pattern);
            path.is_ok_and(|path| path.is_exact() && path.to_string() == pattern)
                .then(|| pattern.to_owned())
        }
        "host" => {
            matches!(HostPattern::parse(pattern), Ok(HostPattern::Exact(host)) if host == pattern)
                .then(|| pattern.to_owned())
        }
        _ => Some(quoted.clone()),
    };
    let span = comparison.to(test.span());
    let write = |applicability, text: String| {
        Fix::new(applicability, format!("write `{text}`"), span, text)
    };
    let same = same.map(|value| write(Applicability::Safe, format!("== {value}")));
    // In a claim, which may be a list, `contains` looks for a member.
    let searches = !field.text.starts_with("jwt.");
    let search = searches.then(|| write(Applicability::Unsafe, format!("contains {quoted}")));
    same.into_iter().chain(search).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_not_one() {
        assert!(is_one("a(b|c)d"));
        assert!(!is_one("a|b"));
        assert!(!is_one("a$"));
        assert!(!is_one("a\\"), "what stands before an escaped `$`");
    }
}
