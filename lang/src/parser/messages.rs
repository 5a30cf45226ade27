//! The sentences of the parser.

use super::expected::{Expected, SyntaxError};
use super::input::{Cursor, MAX_DEPTH};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix, Label};
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::value::EscapeError;

/// Something else stands at `found` than what the grammar takes there.
pub(super) fn unexpected(found: Cursor<'_>, error: SyntaxError) -> Diagnostic {
    if found.kind() == SyntaxKind::Unknown {
        return unknown_characters(found);
    }
    if error.opener != SyntaxError::NO_OPENER {
        return unclosed_bracket(found.moved_to(error.opener), found);
    }
    let message = format!(
        "expected {}, found {}",
        error.expected.phrase(),
        what(found)
    );
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, message).primary(found.span(), "");
    let diagnostic = match help(found, error.expected) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    };
    if error.expected == Expected::COMMA {
        return diagnostic.fix(Fix::safe("add `,`", found.span_before(), ","));
    }
    diagnostic
}

/// What stands at the cursor, as its writer knows it.
fn what(found: Cursor<'_>) -> String {
    const LONGEST: usize = 40;
    let text = found.text();
    match found.kind() {
        kind @ (SyntaxKind::Newline | SyntaxKind::EndOfFile) => kind.name().to_owned(),
        _ => match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("`{}…`", &text[..end]),
            None => format!("`{text}`"),
        },
    }
}

fn help(found: Cursor<'_>, expected: Expected) -> Option<&'static str> {
    let lower_case_method = found.kind() == SyntaxKind::Word
        && crate::value::is_method(&found.text().to_ascii_uppercase());
    if expected.intersects(Expected::METHOD) && lower_case_method {
        Some("methods are written in capitals")
    } else if expected.intersects(Expected::ARROW) {
        Some("an arm says what it takes, then what happens: `GET /reviews/** -> reviews`")
    } else if expected.intersects(Expected::BLOCK) {
        Some("the block starts on the line of its statement: `{ … }`")
    } else if expected.intersects(Expected::END) && found.kind() == SyntaxKind::Word {
        Some(
            "a statement ends with its line or a `;`; what belongs to it stands in its block: `{ … }`",
        )
    } else {
        None
    }
}

fn unknown_characters(found: Cursor<'_>) -> Diagnostic {
    let text = found.text();
    let message = format!("{} cannot stand here", what(found));
    let diagnostic = Diagnostic::new(Code::UnknownCharacter, message).primary(found.span(), "");
    let span = found.span();
    match text {
        "&&" => diagnostic
            .help("conditions are joined with words")
            .fix(Fix::guess("write `and`", span, "and")),
        "||" => diagnostic
            .help("conditions are joined with words")
            .fix(Fix::guess("write `or`", span, "or")),
        "!" => diagnostic
            .help("a condition is turned round with a word")
            .fix(Fix::guess("write `not`", span, "not ")),
        "'" => diagnostic.help("strings stand in double quotes"),
        _ if text.starts_with(['“', '”', '„', '‘', '’']) => {
            diagnostic.help("strings stand in straight double quotes")
        }
        _ if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') => diagnostic
            .note("it is white space of another kind than a space or a tab")
            .fix(Fix::safe("write a space", span, " ")),
        _ => diagnostic.help("other text than words, numbers and paths stands in double quotes"),
    }
}

/// A string that its line ends.
pub(super) fn unclosed_string(at: Cursor<'_>) -> Diagnostic {
    let text = at.text().trim_end();
    // The brace of a block was not meant to be in the string.
    let (end, title) = match text.strip_suffix('{') {
        Some(before) => (before.trim_end().len(), "close it before the `{`"),
        None => (at.text().len(), "close it at the end of the line"),
    };
    let end = Span::empty(at.context.file, at.span().start + end as u32);
    Diagnostic::new(
        Code::UnclosedString,
        "the string has no closing quote on its line",
    )
    .primary(at.span(), "starts here")
    .help("a string stands on one line; `\\n` in it is a line end")
    .fix(Fix::guess(title, end, "\""))
}

/// An escape that no string has.
pub(super) fn unknown_escape(at: Cursor<'_>, error: &EscapeError) -> Diagnostic {
    let start = at.span().start + error.start as u32;
    let span = Span::new(at.context.file, start, at.span().start + error.end as u32);
    Diagnostic::new(Code::UnknownEscape, error.to_string())
        .primary(span, "")
        .help(
            "the escapes are `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` and `\\u{…}`; in `r\"…\"` a backslash is one",
        )
}

fn unclosed_bracket(opener: Cursor<'_>, found: Cursor<'_>) -> Diagnostic {
    let closing = match opener.kind() {
        SyntaxKind::LeftParen => ")",
        _ => "]",
    };
    let place = found.span_before();
    Diagnostic::new(
        Code::UnclosedBracket,
        format!("`{}` has no `{closing}`", opener.text()),
    )
    .primary(opener.span(), "opened here")
    .secondary(
        place,
        format!("`{closing}` expected before {}", what(found)),
    )
    .fix(Fix::guess(format!("add `{closing}`"), place, closing))
}

/// A block that indentation says has ended before `next`.
pub(super) fn unclosed_block(opener: Cursor<'_>, next: Cursor<'_>, indent: u32) -> Diagnostic {
    let place = next.behind_statement();
    let brace = format!("\n{}}}", " ".repeat(indent as usize));
    Diagnostic::new(Code::UnclosedBlock, "this block has no `}`")
        .primary(opener.span(), "opened here")
        .secondary(
            next.span(),
            format!("{} is indented as if the block had ended", what(next)),
        )
        .fix(Fix::guess("add `}`", place, brace))
}

/// A block that is open at the end of the file: one diagnostic for all that are.
pub(super) fn report_unclosed_at_end(opener: Cursor<'_>) {
    let mut diagnostics = opener.context.diagnostics.borrow_mut();
    if let Some(last) = diagnostics.last_mut()
        && last.code == Code::UnclosedBlock
        && last.labels.iter().all(|label| label.primary)
    {
        last.labels.push(Label {
            span: opener.span(),
            text: "opened here".to_owned(),
            primary: true,
        });
        last.message = format!("{} blocks have no `}}`", last.labels.len());
    } else {
        diagnostics.push(
            Diagnostic::new(Code::UnclosedBlock, "this block has no `}`")
                .primary(opener.span(), "opened here"),
        );
    }
}

/// A `}` that closes nothing.
pub(super) fn stray_brace(at: Cursor<'_>) -> Diagnostic {
    Diagnostic::new(Code::StrayBrace, "this `}` closes nothing")
        .primary(at.span(), "")
        .fix(Fix::guess("remove it", at.span(), ""))
}

/// A `{` on the line after its statement; the cursor is at the newline between them.
pub(super) fn brace_on_next_line(newline: Cursor<'_>) -> Diagnostic {
    let brace = newline.advance();
    let between = newline.span_before().to(brace.span());
    let diagnostic = Diagnostic::new(
        Code::BraceOnNextLine,
        "`{` stands on the line of its statement",
    )
    .primary(brace.span(), "")
    .secondary(newline.span_before(), "a newline ends the statement here");
    let between_text = between.text(newline.context.text);
    if between_text.trim() == "{" {
        diagnostic.fix(Fix::safe("move it up", between, " {"))
    } else {
        diagnostic
    }
}

/// A block that the statement before it does not take.
pub(super) fn unexpected_block(brace: Cursor<'_>) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedBlock, "this statement takes no block")
        .primary(brace.span(), "")
}

/// Blocks, brackets or `not` in each other without end.
pub(super) fn nested_too_deeply(at: Cursor<'_>) -> Diagnostic {
    Diagnostic::new(
        Code::NestedTooDeeply,
        format!("blocks, brackets and `not` stand in each other {MAX_DEPTH} deep at most"),
    )
    .primary(at.span(), "one too deep")
}

/// A word that is meant to be the first one of a statement.
pub(super) fn misspelt(at: Cursor<'_>, meant: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnknownStatement,
        format!("there is no statement {} here", what(at)),
    )
    .primary(at.span(), "")
    .help(format!("`{meant}` is near it"))
    .fix(Fix::guess(format!("write `{meant}`"), at.span(), meant))
}

/// `export` before an item that everybody sees as it is.
pub(super) fn not_exportable(at: Cursor<'_>, keyword: &str) -> Diagnostic {
    let through = at.span().to(at.advance().span());
    Diagnostic::new(
        Code::UnexpectedToken,
        format!("a `{keyword}` cannot be exported"),
    )
    .primary(at.span(), "")
    .help("`service`, `external`, `gateway`, `policy`, `jwt` and `keys` can")
    .fix(Fix::guess("remove `export`", through, at.peek_text(1)))
}

/// `timeout = 5s` or `timeout: 5s`.
pub(super) fn needless_sign(at: Cursor<'_>) -> Diagnostic {
    let sign = at.text();
    let (before, behind) = (at.span_before().start, at.advance().span().start);
    let between = Span::new(at.context.file, before, behind);
    // A space is left of what stood around it, unless a comment stands there, too.
    let removed = if between.text(at.context.text).trim() == sign {
        between
    } else {
        at.span()
    };
    Diagnostic::new(
        Code::UnexpectedToken,
        format!("a statement is written without `{sign}`"),
    )
    .primary(at.span(), "")
    .help("the word, a space, its arguments: `timeout 5s`")
    .fix(Fix::safe(format!("remove `{sign}`"), removed, " "))
}

/// `=` between a field and a value.
pub(super) fn single_equals(at: Cursor<'_>) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "a condition compares with `==`")
        .primary(at.span(), "")
        .fix(Fix::safe("write `==`", at.span(), "=="))
}

/// `unless` in an arm.
pub(super) fn unless_in_arm(at: Cursor<'_>) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "an arm has `when`, not `unless`")
        .primary(at.span(), "")
        .help("write `when not (…)`")
}
