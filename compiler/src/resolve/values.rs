//! `param` and `let`: names for values, and reading values where they are due.
//!
//! Where a value is due, a bare name refers to a `param` or a `let`. A parameter may be set from
//! outside: by `--set canary=25%`, a file of parameters, or the environment; whoever sets it keeps to the
//! kind of its declared value ([`super::kind`]).

use super::Resolver;
use super::kind::kind_of;
use super::names::{Named, Scoped};
use super::problems;
use crate::model::{DEFAULT_NAMESPACE, Param};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::{Sources, Span};
use mesh_lang::value::{Name, ValueError};
use mesh_lang::view::{self, Condition, Item, Text, Value};
use std::borrow::Cow;

/// What names stand for. Parameters and lets share one set of names: both stand where a value is due.
#[derive(Debug, Default)]
pub(super) struct Values<'t> {
    pub(super) named: Scoped<Meaning<'t>>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning<'t> {
    /// A parameter: its declared value, and the one that was given instead.
    Param {
        declared: Value<'t>,
        given: Option<Value<'t>>,
    },
    /// A value.
    Value(Value<'t>),
    /// A condition.
    Condition(Condition<'t>),
}

impl Values<'_> {
    /// The parameters with the values that they have now.
    pub(super) fn params(&self, sources: &Sources) -> Vec<Param> {
        let params = self.named.iter().filter_map(|(namespace, name, meaning)| {
            let &Meaning::Param { declared, given } = meaning else {
                return None;
            };
            let span = given.unwrap_or(declared).span();
            Some(Param {
                name: qualified(namespace, name),
                value: sources.text(span).to_owned(),
                span,
                overridden: given.is_some(),
            })
        });
        params.collect()
    }
}

/// `name`, or `namespace/name` outside of the default namespace.
pub(super) fn qualified(namespace: &str, name: &str) -> String {
    if namespace == DEFAULT_NAMESPACE {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// A value with the names in it replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due<'t> {
    /// The value.
    pub(super) value: Value<'t>,
    /// Where it is due: to point at.
    pub(super) span: Span,
}

impl<'t> Due<'t> {
    /// Whether it came through a name.
    fn is_named(&self) -> bool {
        self.value.span() != self.span
    }

    /// The text of a word, a path or a string.
    pub(super) fn text(&self) -> Option<Cow<'t, str>> {
        match self.value {
            Value::Word(text) | Value::Path(text) => Some(text.text.into()),
            Value::Str(string) => Some(string.unescaped()),
            Value::Range(..) | Value::List(_) => None,
        }
    }
}

/// Names that lead to names more often than this lead in a circle, or might as well.
const MAX_LINKS: usize = 64;

impl<'t> Resolver<'t> {
    pub(super) fn declare_param(&mut self, namespace: &str, param: view::Param<'t>) {
        if let (Some(name), Some(declared)) = (param.name(), param.value()) {
            let given = None;
            self.declare_value(namespace, name, Meaning::Param { declared, given });
        }
    }

    pub(super) fn declare_let(&mut self, namespace: &str, item: view::Let<'t>) {
        let meaning = match (item.condition(), item.value()) {
            (Some(condition), _) => Meaning::Condition(condition),
            (None, Some(value)) => Meaning::Value(value),
            (None, None) => return,
        };
        if let Some(name) = item.name() {
            self.declare_value(namespace, name, meaning);
        }
    }

    fn declare_value(&mut self, namespace: &str, name: Text<'t>, meaning: Meaning<'t>) {
        if let Err(first) = self.values.named.declare(namespace, name, false, meaning) {
            self.report(problems::duplicate(name, first, "params and lets"));
        }
    }

    /// Gives parameters the values that were set from outside.
    pub(super) fn apply_settings(&mut self) {
        let settings = self.input.settings.iter().flat_map(super::items_of);
        let settings: Vec<_> = settings.collect();
        for (namespace, item) in settings {
            if let Item::Param(param) = item
                && let (Some(name), Some(value)) = (param.name(), param.value())
            {
                self.give_param(namespace, name, value);
            }
        }
    }

    /// Gives a parameter of a namespace a value.
    pub(super) fn give_param(&mut self, namespace: &str, name: Text<'t>, value: Value<'t>) {
        let found = self.values.named.find_mut(namespace, name.text);
        let Some(Meaning::Param { declared, .. }) = found.as_deref() else {
            let params = self.values.named.iter();
            let params = params.filter(|(_, _, meaning)| matches!(meaning, Meaning::Param { .. }));
            let params: Vec<String> = params
                .map(|(namespace, name, _)| qualified(namespace, name))
                .collect();
            let written = qualified(namespace, name.text);
            let near = nearest(&written, params.iter().map(String::as_str));
            self.report(problems::unknown(name.span, "param", &written, near));
            return;
        };
        let declared = *declared;
        if let Err(mismatch) = self.kinds_agree(declared, value) {
            self.report(*mismatch);
            return;
        }
        if let Some(Meaning::Param { given, .. }) = self.values.named.find_mut(namespace, name.text)
        {
            *given = Some(value);
        }
    }

    /// Whether a value is of the kind of a parameter's declared one; else the finding.
    fn kinds_agree(&self, declared: Value<'t>, given: Value<'t>) -> Result<(), Box<Diagnostic>> {
        let (declared_kind, given_kind) = (self.kind(declared), self.kind(given));
        if declared_kind.takes(&given_kind) {
            return Ok(());
        }
        let message = format!(
            "{declared_kind} is due, as declared, and `{}` is {given_kind}",
            self.input.sources.text(given.span())
        );
        let mismatch = problems::bad_value(given.span(), message);
        Err(Box::new(
            mismatch.secondary(declared.span(), "declared here"),
        ))
    }

    /// The kind of a value, or of what its name stands for.
    pub(super) fn kind(&self, value: Value<'t>) -> super::kind::Kind {
        kind_of(self.follow(value))
    }

    /// What a value stands for, as far as names lead; reports nothing.
    fn follow(&self, mut value: Value<'t>) -> Value<'t> {
        for _ in 0..MAX_LINKS {
            let Value::Word(word) = value else { break };
            let named = self.values.named.find(self.scope.namespace, word.text);
            match named.map(|named| named.meaning) {
                Some(Meaning::Param { declared, given }) => value = given.unwrap_or(declared),
                Some(Meaning::Value(next)) => value = next,
                Some(Meaning::Condition(_)) | None => break,
            }
        }
        value
    }

    /// A value with a bare name replaced by what it stands for. Reports names that nothing declares.
    pub(super) fn due(&mut self, value: Value<'t>) -> Option<Due<'t>> {
        let span = value.span();
        let mut value = value;
        for _ in 0..MAX_LINKS {
            let Value::Word(word) = value else {
                return Some(Due { value, span });
            };
            if !Name::is_label(word.text) {
                return Some(Due { value, span });
            }
            let from = self.scope.namespace;
            let Some(&Named {
                meaning,
                span: declared,
                ..
            }) = self.values.named.find(from, word.text)
            else {
                let named = self.values.named.visible(from);
                let near = nearest(word.text, named.map(|(name, _)| name));
                let diagnostic = problems::unknown(word.span, "param or let", word.text, near);
                self.report(diagnostic);
                return None;
            };
            self.lookups.insert((declared, from));
            match meaning {
                Meaning::Param { declared, given } => value = given.unwrap_or(declared),
                Meaning::Value(next) => value = next,
                Meaning::Condition(_) => {
                    let message = format!("`{}` is a condition, and a value is due", word.text);
                    self.report(
                        problems::bad_value(span, message).secondary(declared, "declared here"),
                    );
                    return None;
                }
            }
        }
        self.report(
            Diagnostic::new(
                Code::CyclicValue,
                "this name stands for itself, by way of others",
            )
            .primary(span, ""),
        );
        None
    }

    /// Whether a word is a declared param or let; where names of other things may stand too.
    pub(super) fn is_named_value(&self, word: &str) -> bool {
        self.values.named.find(self.scope.namespace, word).is_some()
    }

    /// The condition that a name stands for; reports what is none. A `let` of a single word may name
    /// another.
    pub(super) fn named_condition(&mut self, name: Text<'t>) -> Option<Condition<'t>> {
        let from = self.scope.namespace;
        let mut word = name.text;
        for _ in 0..MAX_LINKS {
            let Some(&Named {
                meaning,
                span: declared,
                ..
            }) = self.values.named.find(from, word)
            else {
                break;
            };
            self.lookups.insert((declared, from));
            match meaning {
                Meaning::Condition(condition) => return Some(condition),
                Meaning::Value(Value::Word(next)) if Name::is_label(next.text) => word = next.text,
                Meaning::Value(_) | Meaning::Param { .. } => {
                    let message = format!("`{}` is a value, and a condition is due", name.text);
                    self.report(
                        problems::bad_value(name.span, message)
                            .secondary(declared, "declared here"),
                    );
                    return None;
                }
            }
        }
        let named = self.values.named.visible(from);
        let conditions = named.filter(|(_, meaning)| matches!(meaning, Meaning::Condition(_)));
        let near = nearest(name.text, conditions.map(|(name, _)| name));
        let diagnostic = problems::unknown(name.span, "condition", name.text, near);
        self.report(diagnostic);
        None
    }

    /// Reads a value of a kind. Reports what is none.
    pub(super) fn read<T>(
        &mut self,
        value: Value<'t>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let due = self.due(value)?;
        self.read_due(due, parse)
    }

    /// Reads a value whose names were replaced.
    pub(super) fn read_due<T>(
        &mut self,
        due: Due<'t>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let Some(text) = due.text() else {
            self.report(problems::bad_value(
                due.span,
                "one value is due here, not several",
            ));
            return None;
        };
        match parse(&text) {
            Ok(read) => Some(read),
            Err(error) if due.is_named() => {
                let diagnostic = Diagnostic::new(error.code, error.message.clone());
                let given = due.value.span();
                self.report(
                    diagnostic
                        .primary(due.span, "used here")
                        .secondary(given, "given here"),
                );
                None
            }
            Err(error) => {
                self.report(problems::value(due.span, &error));
                None
            }
        }
    }

    /// Reads a word whose place takes names of its own kind, such as a host: only what is declared as a
    /// param or let is replaced.
    pub(super) fn read_word<T>(
        &mut self,
        value: Value<'t>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        match value {
            Value::Word(word) if !self.is_named_value(word.text) => {
                let span = word.span;
                self.read_due(Due { value, span }, parse)
            }
            value => self.read(value, parse),
        }
    }

    /// The values of a list, a single one being a list of itself.
    pub(super) fn list(&mut self, value: Value<'t>) -> Vec<Due<'t>> {
        let Some(due) = self.due(value) else {
            return Vec::new();
        };
        match due.value {
            Value::List(list) => {
                let values: Vec<Value<'t>> = list.values().collect();
                values
                    .into_iter()
                    .filter_map(|value| self.due(value))
                    .collect()
            }
            _ => vec![due],
        }
    }
}
