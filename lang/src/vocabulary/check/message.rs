//! The sentences of the check.

use super::suggested_fix;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix};
use crate::nearest::nearest;
use crate::source::Span;
use crate::value::{METHODS, ValueError};
use crate::view::{Action, Arg, Arm, Setting, Text, Value};
use crate::vocabulary::place::within;
use crate::vocabulary::{Place, Statement, item, statements_in};

/// A value that looks right but is not.
pub(super) fn bad_value(span: Span, error: &ValueError) -> Diagnostic {
    let diagnostic = Diagnostic::new(error.code, error.to_string()).primary(span, "");
    match suggested_fix(error, span) {
        Some(fix) => diagnostic.fix(fix),
        None => diagnostic,
    }
}

/// An argument or an operand of another kind.
pub(super) fn unfitting(code: Code, expected: &str, found: Arg<'_>) -> Diagnostic {
    let message = format!("expected {expected}, found {}", what(found));
    Diagnostic::new(code, message).primary(found.span(), "")
}

/// What an argument is, as its writer knows it.
fn what(arg: Arg<'_>) -> String {
    match arg {
        Arg::Comma(_) => "`,`".to_owned(),
        Arg::Arrow(target) => format!("`-> {}`", target.text),
        Arg::Clause(clause) => format!("`{}`", clause.kind().word()),
        Arg::Value(Value::Word(text) | Value::Path(text)) => format!("`{}`", text.text),
        Arg::Value(Value::Range(low, high)) => format!("`{}..{}`", low.text, high.text),
        Arg::Value(Value::Str(string)) => format!("`{}`", string.raw()),
        Arg::Value(Value::List(_)) => "a list".to_owned(),
    }
}

/// A statement whose word means nothing here.
pub(super) fn unplaced(
    setting: Setting<'_>,
    anywhere: &[&'static Statement],
    places: &[Place],
) -> Diagnostic {
    let word = setting.keyword();
    let mut allowed: Vec<Place> = anywhere
        .iter()
        .flat_map(|form| form.places.iter().copied())
        .collect();
    if item(word.text).is_some() {
        allowed.extend([Place::File, Place::Namespace]);
    }
    if allowed.is_empty() {
        return unknown(word, places);
    }
    allowed.sort_unstable();
    allowed.dedup();
    misplaced(&format!("`{}`", word.text), word.span, &allowed, places)
}

fn unknown(word: Text<'_>, places: &[Place]) -> Diagnostic {
    let message = format!("there is no statement `{}` {}", word.text, within(places));
    let diagnostic = Diagnostic::new(Code::UnknownStatement, message).primary(word.span, "");
    let capitals = word.text.to_ascii_uppercase();
    let takes_arms = places.iter().any(|place| Place::ARMS.contains(place));
    if takes_arms && METHODS.contains(&capitals.as_str()) {
        return diagnostic
            .help("methods are written in capitals")
            .fix(Fix::safe(
                format!("write `{capitals}`"),
                word.span,
                &capitals,
            ));
    }
    let words = places.iter().flat_map(|place| statements_in(*place));
    match nearest(word.text, words.map(|statement| statement.word)) {
        Some(meant) => diagnostic
            .help(format!("`{meant}` is near it"))
            .fix(Fix::guess(format!("write `{meant}`"), word.span, meant)),
        None => diagnostic,
    }
}

/// Something that stands elsewhere.
pub(super) fn misplaced(what: &str, span: Span, allowed: &[Place], places: &[Place]) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedStatement,
        format!("{what} does not stand {}", within(places)),
    )
    .primary(span, "")
    .help(format!("it stands {}", within(allowed)))
}

/// A statement that may stand once.
pub(super) fn repeated(key: &str, first: Span, again: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RepeatedStatement,
        format!("`{key}` stands twice in the same block"),
    )
    .primary(again, "again here")
    .secondary(first, "first here")
    .help("keep one of them")
}

/// A block without a statement that it needs.
pub(super) fn missing_statement(
    head: Span,
    word: &str,
    code: Code,
    places: &[Place],
) -> Diagnostic {
    let owner = places.first().map_or("the block", |place| place.phrase());
    let example = places
        .iter()
        .flat_map(|place| statements_in(*place))
        .find(|statement| statement.word == word)
        .map(|statement| statement.example);
    let diagnostic = Diagnostic::new(code, format!("{owner} needs `{word}`")).primary(head, "");
    match example {
        Some(example) => diagnostic.help(format!("add a line such as `{example}`")),
        None => diagnostic,
    }
}

/// A statement without its block.
pub(super) fn missing_block(setting: Setting<'_>, form: &Statement) -> Diagnostic {
    let head = setting.head_span();
    Diagnostic::new(
        Code::MissingBlock,
        format!("`{}` consists of its block", setting.keyword().text),
    )
    .primary(head, "")
    .help(format!("it is written `{}`", form.signature()))
}

/// A statement with a block that it does not take.
pub(super) fn unexpected_block(word: Text<'_>, block: Span, form: &Statement) -> Diagnostic {
    Diagnostic::new(
        Code::UnexpectedBlock,
        format!("`{}` takes no block", word.text),
    )
    .primary(block, "")
    .help(format!("it is written `{}`", form.signature()))
}

/// A redirect that says nothing about where to.
pub(super) fn redirect_to_nowhere(arm: Arm<'_>) -> Diagnostic {
    let span = arm.action().map_or(arm.span(), Action::span);
    Diagnostic::new(Code::BadArguments, "the `redirect` does not say where to")
        .primary(span, "")
        .help("give it a URL, or a block with what changes: `{ scheme https }`")
}
