//! Conditions.

use super::{Checker, message};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix};
use crate::nearest::nearest;
use crate::source::Span;
use crate::value::{HeaderName, Name, ValueError};
use crate::view::{Arg, Clause, Compare, Condition, Str, Test, Text, Value};
use crate::vocabulary::fit::check_key;
use crate::vocabulary::kind::{Misfit, is_reference};
use crate::vocabulary::shape::alternatives;
use crate::vocabulary::{FIELDS, Field, Key, Kind, Subject};

/// What is found of a value that a field is not compared with.
const COMPARED: Code = Code::BadComparison;

impl Checker {
    pub(super) fn clause(&mut self, clause: Clause<'_>, subject: Subject) {
        if let Some(condition) = clause.condition() {
            self.condition(condition, subject);
        }
    }

    pub(super) fn condition(&mut self, condition: Condition<'_>, subject: Subject) {
        match condition {
            Condition::Or(of) | Condition::And(of) | Condition::Not(of) | Condition::Paren(of) => {
                for operand in of.iter() {
                    self.condition(operand, subject);
                }
            }
            Condition::Test(test) => match subject {
                Subject::Request => self.test(test),
                Subject::Inventory => self.inventory_test(test),
            },
        }
    }

    fn test(&mut self, test: Test<'_>) {
        let (Some(text), Some(span)) = (test.field(), test.field_span()) else {
            return;
        };
        let found = Field::find(text.text, test.index().is_some());
        let Some((field, key)) = found else {
            self.no_field(test, text, span);
            return;
        };
        if let Err(error) = check_field(field, key, test) {
            self.report(message::bad_value(span, &error));
            return;
        }
        match test.comparison() {
            None => self.lone_field(field, span),
            Some(compare) if field.comparisons.contains(&compare) => {
                self.operand(test, compare, field.operands);
            }
            Some(compare) => self.report(incomparable(field, test, compare)),
        }
    }

    /// A field without a comparison.
    pub(super) fn lone_field(&mut self, field: &Field, span: Span) {
        // By itself a token or a key is tested for being there.
        if !matches!(field.key, Key::Jwt | Key::Keys) {
            self.report(alone(field, span));
        }
    }

    /// Something that is no field of requests: the name of a condition, if it stands alone.
    fn no_field(&mut self, test: Test<'_>, text: Text<'_>, span: Span) {
        let stands_alone = test.comparison().is_none() && test.index().is_none();
        if stands_alone && is_reference(text) {
            return;
        }
        let diagnostic = Diagnostic::new(
            Code::UnknownField,
            format!("requests have no field `{}`", text.text),
        )
        .primary(span, "");
        let (head, rest) = match text.text.split_once('.') {
            Some((head, _)) => text.text.split_at(head.len()),
            None => (text.text, ""),
        };
        let by_name = FIELDS.iter().map(|field| field.name);
        let by_head = FIELDS.iter().map(|field| field.head);
        let meant = nearest(text.text, by_name)
            .filter(|name| !name.contains("NAME"))
            .map(str::to_owned)
            .or_else(|| {
                let head = nearest(head, by_head)?;
                let meant = format!("{head}{rest}");
                let exists = Field::find(&meant, test.index().is_some()).is_some();
                exists.then_some(meant)
            });
        let names = FIELDS.iter().map(|field| format!("`{}`", field.name));
        let all = || format!("the fields are {}", names.collect::<Vec<_>>().join(", "));
        self.report(match meant {
            Some(meant) => diagnostic.fix(Fix::guess(format!("write `{meant}`"), text.span, meant)),
            None => diagnostic.help(all()),
        });
    }

    /// What the field of a test is compared with.
    fn operand(&mut self, test: Test<'_>, compare: Compare, kinds: &[Kind]) {
        let Some(value) = test.value() else { return };
        let is_path = kinds == [Kind::PathPattern];
        match compare {
            Compare::Present | Compare::Absent => {}
            Compare::In | Compare::NotIn => match value {
                Value::List(list) => {
                    for value in list.values() {
                        self.one_of_kinds(value, kinds, COMPARED);
                    }
                }
                Value::Word(word) if is_reference(word) => {}
                _ => {
                    let text = format!("`{}` is followed by a list", compare.word());
                    let error = ValueError::with_code(Code::BadComparison, text);
                    self.report(message::bad_value(value.span(), &error).fix(brackets(value)));
                }
            },
            Compare::Matches | Compare::StartsWith | Compare::EndsWith => {
                let fits_as_path = is_path && matches!(value, Value::Path(_));
                if compare == Compare::Matches || !fits_as_path {
                    self.one_of_kinds(value, &[Kind::Text], COMPARED);
                }
            }
            Compare::Contains if is_path && matches!(value, Value::Path(_)) => {}
            Compare::Contains => self.one_of_kinds(value, &[Kind::Text, Kind::Number], COMPARED),
            Compare::Less | Compare::LessOrEqual | Compare::Greater | Compare::GreaterOrEqual => {
                self.one_of_kinds(value, &[Kind::Number], COMPARED);
            }
            Compare::Equal | Compare::NotEqual => self.one_of_kinds(value, kinds, COMPARED),
        }
    }

    /// A value that has to be of one of these kinds; one that looks like something else is a
    /// finding of this code.
    pub(super) fn one_of_kinds(&mut self, value: Value<'_>, kinds: &[Kind], code: Code) {
        let mut wrong = None;
        for kind in kinds {
            match kind.fit(value) {
                Ok(()) => return,
                Err(Misfit::Wrong(error)) => wrong = wrong.or(Some(error)),
                Err(Misfit::OtherKind) => {}
            }
        }
        if let Some(error) = wrong {
            self.report(message::bad_value(value.span(), &error));
            return;
        }
        let phrases: Vec<_> = kinds.iter().map(|kind| kind.phrase().to_owned()).collect();
        let expected = alternatives(&phrases);
        self.report(message::unfitting(code, &expected, Arg::Value(value)));
    }

    /// A test of what an inventory says of an endpoint.
    fn inventory_test(&mut self, test: Test<'_>) {
        let Some(text) = test.field() else { return };
        if test.index().is_some() || !text.text.split('.').all(Name::is_label) {
            let message = format!("`{}` is no field of an inventory", text.text);
            self.report(Diagnostic::new(Code::UnknownField, message).primary(text.span, ""));
            return;
        }
        if let Some(compare) = test.comparison() {
            self.operand(test, compare, &[Kind::Text, Kind::Number]);
            return;
        }
        let message = format!("`{}` is compared with nothing", text.text);
        self.report(
            Diagnostic::new(Code::BadComparison, message)
                .primary(text.span, "")
                .help("write, for example, `where version == \"v3\"`"),
        );
    }
}

/// What stands behind the dot, and what only looks like a field.
fn check_field(field: &Field, key: &str, test: Test<'_>) -> Result<(), ValueError> {
    let index = test.index().map(Str::unescaped);
    match (field.key, &index) {
        (Key::Free, Some(index)) if field.head == "header" => drop(HeaderName::parse(index)?),
        (Key::Free, Some(_)) => {}
        (kind, _) => check_key(kind, key)?,
    }
    let name = index.as_deref().unwrap_or(key);
    if field.head == "header" {
        let own_field = match name.to_ascii_lowercase().as_str() {
            "host" => Some("host"),
            "cookie" => Some("cookie.NAME"),
            _ => None,
        };
        if let Some(own_field) = own_field {
            return Err(ValueError::with_code(
                Code::UnknownField,
                format!("`header.{name}` is tested as `{own_field}`"),
            ));
        }
    }
    Ok(())
}

fn alone(field: &Field, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::BadComparison,
        format!("`{}` is compared with nothing", field.name),
    )
    .primary(span, "")
    .help(format!("write, for example, `{}`", field.example));
    if field.comparisons.contains(&Compare::Present) {
        let end = Span::empty(span.file, span.end);
        diagnostic.fix(Fix::guess("test that it is there", end, " present"))
    } else {
        diagnostic
    }
}

fn incomparable(field: &Field, test: Test<'_>, compare: Compare) -> Diagnostic {
    let words: Vec<_> = field
        .comparisons
        .iter()
        .map(|compare| format!("`{}`", compare.word()))
        .collect();
    let span = test.comparison_span().unwrap_or_else(|| test.span());
    Diagnostic::new(
        Code::BadComparison,
        format!("`{}` is not compared by `{}`", field.name, compare.word()),
    )
    .primary(span, "")
    .help(format!("it is compared by {}", alternatives(&words)))
}

fn brackets(value: Value<'_>) -> Fix {
    let span = value.span();
    let start = Span::empty(span.file, span.start);
    let end = Span::empty(span.file, span.end);
    Fix::safe("put it in brackets", start, "[").and(end, "]")
}
