//! What all statements have in common.

use super::Resolver;
use super::problems;
use mesh_lang::source::Span;
use mesh_lang::view::{Block, Setting, Statement, Text, Value};
use mesh_lang::vocabulary::{Place, statements_in};

/// The first argument, if it is a word.
pub(super) fn first_word(setting: Setting<'_>) -> Option<Text<'_>> {
    match setting.values().next()? {
        Value::Word(word) => Some(word),
        _ => None,
    }
}

/// Whether the first argument is this word.
pub(super) fn says(setting: Setting<'_>, word: &str) -> bool {
    first_word(setting).is_some_and(|first| first.text == word)
}

impl<'t> Resolver<'t> {
    /// Reports a statement that this compiler does not act on.
    pub(super) fn without_effect(&mut self, span: Span, what: &str) {
        self.report(problems::without_effect(span, what));
    }

    /// A setting that its block's reader does not act on. What the language does not have there at all
    /// was reported by the check against the vocabulary.
    pub(super) fn other_setting(&mut self, setting: Setting<'t>, place: Place) {
        let word = setting.keyword().text;
        if statements_in(place).any(|statement| statement.word == word) {
            self.without_effect(setting.head_span(), word);
        }
    }

    /// The settings of a block; whatever else stands there was reported.
    pub(super) fn settings(block: Option<Block<'t>>) -> impl Iterator<Item = Setting<'t>> {
        block
            .into_iter()
            .flat_map(Block::statements)
            .filter_map(Statement::setting)
    }
}
