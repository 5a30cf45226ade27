//! `param` and `let`: names for values, and reading values where they are due.
//!
//! Where a value is due, a bare name refers to a `param` or a `let`. A parameter may be set from
//! outside: `--set canary=25%` is read like `param canary = 25%` in a file of its own.

use super::Resolver;
use super::problems;
use crate::model::Param;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::source::{Sources, Span};
use mesh_lang::tree::Tree;
use mesh_lang::value::{Name, ValueError};
use mesh_lang::view::{self, Condition, Item, Text, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What names stand for.
#[derive(Debug, Default)]
pub(super) struct Values<'t> {
    /// Parameters and lets share one set of names: both stand where a value is due.
    named: BTreeMap<&'t str, Named<'t>>,
}

#[derive(Clone, Copy, Debug)]
struct Named<'t> {
    /// Where the name is declared.
    span: Span,
    meaning: Meaning<'t>,
}

#[derive(Clone, Copy, Debug)]
enum Meaning<'t> {
    Param { value: Value<'t>, overridden: bool },
    Value(Value<'t>),
    Condition(Condition<'t>),
}

impl Values<'_> {
    /// The parameters with the values that they have now.
    pub(super) fn params(&self, sources: &Sources) -> Vec<Param> {
        let params = self
            .named
            .iter()
            .filter_map(|(name, named)| match named.meaning {
                Meaning::Param { value, overridden } => Some(Param {
                    name: (*name).to_owned(),
                    value: sources.text(value.span()).to_owned(),
                    overridden,
                }),
                Meaning::Value(_) | Meaning::Condition(_) => None,
            });
        params.collect()
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
    pub(super) fn declare_param(&mut self, param: view::Param<'t>) {
        if let (Some(name), Some(value)) = (param.name(), param.value()) {
            let overridden = false;
            self.declare_value(name, Meaning::Param { value, overridden });
        }
    }

    pub(super) fn declare_let(&mut self, item: view::Let<'t>) {
        let meaning = match (item.condition(), item.value()) {
            (Some(condition), _) => Meaning::Condition(condition),
            (None, Some(value)) => Meaning::Value(value),
            (None, None) => return,
        };
        if let Some(name) = item.name() {
            self.declare_value(name, meaning);
        }
    }

    fn declare_value(&mut self, name: Text<'t>, meaning: Meaning<'t>) {
        let span = name.span;
        match self.values.named.get(name.text) {
            Some(first) => {
                let first = first.span;
                self.report(problems::duplicate(name, first, "params and lets"));
            }
            None => {
                self.values.named.insert(name.text, Named { span, meaning });
            }
        }
    }

    /// Gives parameters the values that were set from outside.
    pub(super) fn apply_settings(&mut self) {
        for item in self.input.settings.iter().flat_map(Tree::items) {
            let Item::Param(param) = item else { continue };
            let (Some(name), Some(value)) = (param.name(), param.value()) else {
                continue;
            };
            if let Some(Named {
                meaning: meaning @ Meaning::Param { .. },
                ..
            }) = self.values.named.get_mut(name.text)
            {
                *meaning = Meaning::Param {
                    value,
                    overridden: true,
                };
                continue;
            }
            let params = self.values.named.iter();
            let params = params
                .filter(|(_, named)| matches!(named.meaning, Meaning::Param { .. }))
                .map(|(name, _)| *name);
            let near = nearest(name.text, params);
            self.report(problems::unknown(name.span, "param", name.text, near));
        }
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
            let Some(named) = self.values.named.get(word.text) else {
                let near = nearest(word.text, self.values.named.keys().copied());
                let diagnostic = problems::unknown(word.span, "param or let", word.text, near);
                self.report(diagnostic);
                return None;
            };
            match named.meaning {
                Meaning::Param { value: next, .. } | Meaning::Value(next) => value = next,
                Meaning::Condition(_) => {
                    let message = format!("`{}` is a condition, and a value is due", word.text);
                    let declared = named.span;
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
        self.values.named.contains_key(word)
    }

    /// The condition that a name stands for; reports what is none. A `let` of a single word may name
    /// another.
    pub(super) fn named_condition(&mut self, name: Text<'t>) -> Option<Condition<'t>> {
        let mut word = name.text;
        for _ in 0..MAX_LINKS {
            let Some(named) = self.values.named.get(word) else {
                break;
            };
            match named.meaning {
                Meaning::Condition(condition) => return Some(condition),
                Meaning::Value(Value::Word(next)) if Name::is_label(next.text) => word = next.text,
                Meaning::Value(_) | Meaning::Param { .. } => {
                    let declared = named.span;
                    let message = format!("`{}` is a value, and a condition is due", name.text);
                    self.report(
                        problems::bad_value(name.span, message)
                            .secondary(declared, "declared here"),
                    );
                    return None;
                }
            }
        }
        let conditions = self.values.named.iter();
        let conditions = conditions
            .filter(|(_, named)| matches!(named.meaning, Meaning::Condition(_)))
            .map(|(name, _)| *name);
        let near = nearest(name.text, conditions);
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
