//! The words of the language in the groups that all editors show alike.

use mesh_lang::vocabulary::ITEM_WORDS;
use mesh_lang::vocabulary::words::{self, *};
use std::collections::BTreeMap;

/// `export`.
pub(super) const MODIFIERS: &[&str] = &[EXPORT];

/// The words that start the match of an arm or a condition.
pub(super) fn conditionals() -> Vec<&'static str> {
    sorted([CLAUSE_WORDS, &["otherwise"]].concat())
}

/// The words between and in conditions.
pub(super) fn operators() -> Vec<&'static str> {
    sorted([LOGIC_WORDS, &comparison_words()].concat())
}

/// All other words that only the grammar knows, and those that start items.
pub(super) fn grammar() -> Vec<&'static str> {
    let all = [
        ITEM_WORDS,
        RULE_WORDS,
        CALLER_WORDS,
        CLAIM_WORDS,
        STEP_WORDS,
        &action_words(),
        &["rest", "set"],
    ];
    let mut words = sorted(all.concat());
    let operators = operators();
    words.retain(|word| !operators.contains(word));
    words
}

/// The fixed arguments of statements: each list with the statements that have it.
pub(super) fn arguments() -> BTreeMap<Arguments, Vec<&'static str>> {
    by(|arguments| arguments)
}

/// The same for a part of the arguments.
pub(super) fn by<K: Ord>(part: impl Fn(Arguments) -> K) -> BTreeMap<K, Vec<&'static str>> {
    let mut statements: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for word in statement_words() {
        let part = part(words::arguments(word));
        statements.entry(part).or_default().push(word);
    }
    statements
}

/// Fields that are whole names, and the values that claims compare.
pub(super) fn plain_fields() -> Vec<&'static str> {
    sorted([words::plain_fields(), property_words()].concat())
}

fn sorted(mut words: Vec<&'static str>) -> Vec<&'static str> {
    words.sort_unstable();
    words.dedup();
    words
}
