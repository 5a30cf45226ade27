//! The arguments of statements and actions.

use std::cmp::Ordering;

use super::{Checker, message};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix};
use crate::nearest::nearest;
use crate::source::Span;
use crate::view::{Arg, Setting, Value};
use crate::vocabulary::fit::{Fitting, Mismatch, fit};
use crate::vocabulary::locate::has_block_as_written;
use crate::vocabulary::shape::alternatives;
use crate::vocabulary::{Kind, Shape, Statement};

/// The form of a statement that was meant.
pub(super) struct Chosen {
    pub(super) form: &'static Statement,
    /// Whether its arguments fit, so that more may be said about it.
    pub(super) fits: bool,
}

impl Checker {
    /// Checks the arguments of a setting against its forms.
    pub(super) fn arguments(
        &mut self,
        setting: Setting<'_>,
        forms: &[&'static Statement],
    ) -> Chosen {
        if setting.is_broken() {
            let form = form_with_block(setting, forms);
            return Chosen { form, fits: false };
        }
        let args: Vec<_> = setting.args().collect();
        // The form that fits best.
        let mut fitting: Option<(&'static Statement, Fitting<'_>)> = None;
        // The forms that fit furthest, and what would fit there.
        let mut nearest: (Vec<&'static Statement>, Mismatch) = Default::default();
        for &form in forms {
            match fit(form.args, &args) {
                Ok(found) => {
                    let rank = |form, found: &Fitting<'_>| {
                        (found.errors.is_empty(), has_block_as_written(setting, form))
                    };
                    let best = fitting.as_ref().map(|(form, found)| rank(form, found));
                    if best.is_none_or(|best| rank(form, &found) > best) {
                        fitting = Some((form, found));
                    }
                }
                Err(mismatch) => match mismatch.at.cmp(&nearest.1.at) {
                    Ordering::Less => {}
                    Ordering::Equal => {
                        nearest.0.push(form);
                        nearest.1.join(mismatch);
                    }
                    Ordering::Greater => nearest = (vec![form], mismatch),
                },
            }
        }
        if let Some((form, fitting)) = fitting {
            for (clause, subject) in fitting.clauses {
                self.clause(clause, subject);
            }
            for (span, error) in fitting.errors {
                self.report(message::bad_value(span, &error));
            }
            return Chosen { form, fits: true };
        }
        let (meant, mismatch) = nearest;
        let signatures: Vec<_> = meant
            .iter()
            .map(|form| format!("`{}`", form.signature()))
            .collect();
        let word = setting.keyword();
        self.report(mismatched(
            word.text,
            &args,
            &mismatch,
            behind(&args, mismatch.at, word.span),
            &alternatives(&signatures),
        ));
        let form = form_with_block(setting, &meant);
        Chosen { form, fits: false }
    }

    /// Checks the values behind the word of an action.
    pub(super) fn action_arguments<'t>(
        &mut self,
        word: &str,
        span: Span,
        values: impl Iterator<Item = Value<'t>>,
        shapes: &'static [Shape],
        signature: &str,
    ) {
        let args: Vec<_> = values.map(Arg::Value).collect();
        match fit(shapes, &args) {
            Ok(fitting) => {
                for (span, error) in fitting.errors {
                    self.report(message::bad_value(span, &error));
                }
            }
            Err(mismatch) => {
                let start = Span::new(span.file, span.start, span.start + word.len() as u32);
                let place = behind(&args, mismatch.at, start);
                let signature = format!("`{signature}`");
                self.report(mismatched(word, &args, &mismatch, place, &signature));
            }
        }
    }
}

/// The first form whose block is as written, or else the first one.
fn form_with_block(setting: Setting<'_>, forms: &[&'static Statement]) -> &'static Statement {
    let fitting = forms
        .iter()
        .find(|form| has_block_as_written(setting, form));
    fitting.unwrap_or(&forms[0])
}

/// The place of argument `at`; behind the last one, the place where it is missing.
fn behind(args: &[Arg<'_>], at: usize, word: Span) -> Span {
    if let Some(arg) = args.get(at) {
        return arg.span();
    }
    let last = args.last().map_or(word, |arg| arg.span());
    Span::empty(last.file, last.end)
}

fn mismatched(
    word: &str,
    args: &[Arg<'_>],
    mismatch: &Mismatch,
    place: Span,
    signature: &str,
) -> Diagnostic {
    if let Some(error) = &mismatch.error {
        return message::bad_value(place, error);
    }
    let code = code(word, mismatch);
    let diagnostic = match args.get(mismatch.at) {
        None => {
            let message = format!("`{word}` lacks {}", mismatch.phrase());
            Diagnostic::new(code, message).primary(place, "")
        }
        Some(arg) => message::unfitting(code, &mismatch.phrase(), *arg),
    };
    let diagnostic = diagnostic.help(format!("it is written {signature}"));
    match args.get(mismatch.at) {
        Some(Arg::Value(Value::Word(found))) => match nearest(found.text, mismatch.words()) {
            Some(meant) => diagnostic.fix(Fix::guess(format!("write `{meant}`"), place, meant)),
            None => diagnostic,
        },
        _ => diagnostic,
    }
}

fn code(word: &str, mismatch: &Mismatch) -> Code {
    if mismatch.expects(Kind::Percent) {
        Code::PercentMissing
    } else if word == "retry" && mismatch.words().any(|word| word == "on") {
        Code::RetryConditionsMissing
    } else {
        Code::BadArguments
    }
}
