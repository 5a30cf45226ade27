//! What all statements have in common: their settings, and their arguments read from left to right.
//!
//! The check against the vocabulary has seen every statement before, so that arguments can be taken in
//! the order in which the table has them. An environment may have given a statement other arguments
//! ([`super::environment`]); whoever reads through [`Resolver::args`] sees those.

use super::Resolver;
use super::problems;
use crate::model::said::{Origin, Said};
use mesh_lang::source::Span;
use mesh_lang::view::{Arg, Block, Clause, Setting, Statement, Text, Value};
use std::collections::VecDeque;

/// The arguments of a setting that are still to be read.
#[derive(Clone, Debug)]
pub(super) struct Args<'t>(pub(super) VecDeque<Arg<'t>>);

impl<'t> Args<'t> {
    /// Takes the next one if it is this word.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.0.front(), Some(Arg::Value(Value::Word(text))) if text.text == word);
        if is {
            self.0.pop_front();
        }
        is
    }

    /// Takes the next one if it is a word.
    pub(super) fn any_word(&mut self) -> Option<Text<'t>> {
        match self.0.front() {
            Some(&Arg::Value(Value::Word(text))) => {
                self.0.pop_front();
                Some(text)
            }
            _ => None,
        }
    }

    /// Takes the next one if it is a value.
    pub(super) fn value(&mut self) -> Option<Value<'t>> {
        match self.0.front() {
            Some(&Arg::Value(value)) => {
                self.0.pop_front();
                Some(value)
            }
            _ => None,
        }
    }

    /// Takes values with commas between them.
    pub(super) fn values(&mut self) -> Vec<Value<'t>> {
        let mut values = Vec::new();
        while let Some(value) = self.value() {
            values.push(value);
            if !self.comma() {
                break;
            }
        }
        values
    }

    /// Takes the next one if it is a comma.
    pub(super) fn comma(&mut self) -> bool {
        let is = matches!(self.0.front(), Some(Arg::Comma(_)));
        if is {
            self.0.pop_front();
        }
        is
    }

    /// Takes the next one if it is `-> TARGET`.
    pub(super) fn arrow(&mut self) -> Option<Text<'t>> {
        match self.0.front() {
            Some(&Arg::Arrow(target)) => {
                self.0.pop_front();
                Some(target)
            }
            _ => None,
        }
    }

    /// Takes the next one if it is a condition.
    pub(super) fn clause(&mut self) -> Option<Clause<'t>> {
        match self.0.front() {
            Some(&Arg::Clause(clause)) => {
                self.0.pop_front();
                Some(clause)
            }
            _ => None,
        }
    }
}

impl<'t> Resolver<'t> {
    /// The arguments of a setting, as the environment has them.
    pub(super) fn args(&self, setting: Setting<'t>) -> Args<'t> {
        match self.environment.of(setting) {
            Some(instead) => Args(instead.args.iter().copied().collect()),
            None => Args(setting.args().collect()),
        }
    }

    /// The statement that says what a setting says: its own, or the one of the environment.
    pub(super) fn said_at(&self, setting: Setting<'t>) -> Span {
        match self.environment.of(setting) {
            Some(instead) => instead.span,
            None => setting.head_span(),
        }
    }

    /// A value with the statement that says it.
    pub(super) fn said<T>(&self, setting: Setting<'t>, value: T) -> Said<T> {
        Said {
            value,
            origin: Origin::Written(self.said_at(setting)),
        }
    }

    /// The first argument, if it is a word.
    pub(super) fn first_word(&self, setting: Setting<'t>) -> Option<Text<'t>> {
        self.args(setting).any_word()
    }

    /// Whether the first argument is this word.
    pub(super) fn says(&self, setting: Setting<'t>, word: &str) -> bool {
        self.args(setting).word(word)
    }

    /// The settings of a block; whatever else stands there was reported.
    pub(super) fn settings(block: Option<Block<'t>>) -> impl Iterator<Item = Setting<'t>> {
        block
            .into_iter()
            .flat_map(Block::statements)
            .filter_map(Statement::setting)
    }

    /// The setting of a block that starts with this word.
    pub(super) fn setting(block: Option<Block<'t>>, word: &str) -> Option<Setting<'t>> {
        Self::settings(block).find(|setting| setting.keyword().text == word)
    }

    /// Reports what is right by itself and cannot be here.
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>) {
        self.report(problems::bad_value(span, message));
    }
}
