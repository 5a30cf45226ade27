//! The words of the language in groups that look alike, for the highlighting of editors.
//!
//! In: the table. Out: lists without repetition. Most words mean something in their place only, and
//! may name a service elsewhere; so [`arguments`] has the fixed words of one statement at a time.

use super::{ACTIONS, FIELDS, ITEM_WORDS, Key, PROPERTIES, Shape, forms, shape, statements};
use crate::value::RESERVED;
use crate::view::{ClauseKind, Compare};

/// The word before an item that others may name.
pub const EXPORT: &str = "export";

/// The words that start rules.
pub const RULE_WORDS: &[&str] = &["allow", "deny"];

/// The words that start conditions.
pub const CLAUSE_WORDS: &[&str] = &[
    ClauseKind::When.word(),
    ClauseKind::Unless.word(),
    ClauseKind::Where.word(),
];

/// The words between conditions.
pub const LOGIC_WORDS: &[&str] = &["and", "not", "or"];

/// The words for whole groups of callers.
pub const CALLER_WORDS: &[&str] = &["any", "anyone", "internet", "namespace", "service"];

/// The words of claims.
pub const CLAIM_WORDS: &[&str] = &[
    "always",
    "at",
    "every",
    "has",
    "in",
    "jwt",
    "key",
    "never",
    "only",
    "reach",
    "reaches",
    "requires",
    "route",
    "to",
    "transitively",
];

/// The words of the steps of a test.
pub const STEP_WORDS: &[&str] = &["expect", "from", "request"];

/// The words that stand for something in the place of a target or of a share.
pub const STAND_INS: &[&str] = &["rest", "self"];

/// The words that compare a field with a value, signs aside.
pub fn comparison_words() -> Vec<&'static str> {
    let spelt = Compare::ALL.iter().filter(|compare| !compare.is_sign());
    sorted(spelt.flat_map(|compare| compare.word().split(' ')))
}

/// The words of actions.
pub fn action_words() -> Vec<&'static str> {
    sorted(ACTIONS.iter().map(|it| it.word).filter(|it| is_word(it)))
}

/// The words that start statements.
pub fn statement_words() -> Vec<&'static str> {
    sorted(statements().map(|it| it.word).filter(|it| is_word(it)))
}

/// The fields that are whole names: `method`, `source.ip`.
pub fn plain_fields() -> Vec<&'static str> {
    let plain = FIELDS.iter().filter(|field| field.key == Key::None);
    sorted(plain.map(|field| field.head))
}

/// What the names of all other fields start with: `header` of `header.NAME`.
pub fn keyed_fields() -> Vec<&'static str> {
    let keyed = FIELDS.iter().filter(|field| field.key != Key::None);
    sorted(keyed.map(|field| field.head))
}

/// The values in force that claims compare.
pub fn property_words() -> Vec<&'static str> {
    sorted(PROPERTIES.iter().map(|property| property.name))
}

/// The fixed words among the arguments of a statement or an action, whatever its form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arguments {
    /// Those that say what comes next: `after` of `hedge after 80ms`.
    pub leading: Vec<&'static str>,
    /// Those that are a value themselves: `strict` of `mtls strict`.
    pub values: Vec<&'static str>,
    /// Whether fields of requests stand there, too: `sticky cookie.session`.
    pub fields: bool,
}

/// The fixed words among the arguments of the statement or the action `word`.
pub fn arguments(word: &str) -> Arguments {
    let mut found = Arguments {
        leading: Vec::new(),
        values: Vec::new(),
        fields: false,
    };
    for statement in forms(word) {
        found.collect(statement.args, false);
    }
    for action in ACTIONS.iter().filter(|action| action.word == word) {
        found.collect(action.args, false);
    }
    let Arguments {
        leading,
        values,
        fields,
    } = found;
    let values = sorted(values);
    Arguments {
        leading: sorted(leading.into_iter().filter(|word| !values.contains(word))),
        values,
        fields,
    }
}

impl Arguments {
    fn collect(&mut self, shapes: &[Shape], followed: bool) {
        for (index, shape) in shapes.iter().enumerate() {
            let followed = followed || shapes[index + 1..].iter().any(is_due);
            match shape {
                Shape::Word(word) if !is_word(word) => {}
                Shape::Word(word) if followed => self.leading.push(word),
                Shape::Word(word) => self.values.push(word),
                Shape::Seq(inner) => self.collect(inner, followed),
                Shape::Optional(inner) => self.collect(inner, false),
                Shape::OneOf(choices) => {
                    for choice in *choices {
                        self.collect(std::slice::from_ref(choice), followed);
                    }
                }
                Shape::List(element) => self.collect(std::slice::from_ref(*element), followed),
                Shape::Field(_) => self.fields = true,
                Shape::Value(_) | Shape::Arrow | Shape::Clause(..) => {}
            }
        }
    }
}

/// Whether what stands before it would be incomplete without it.
const fn is_due(shape: &Shape) -> bool {
    !matches!(shape, Shape::Optional(_) | Shape::Arrow | Shape::Clause(..))
}

/// Every word that means something by itself, sorted: items, statements, fixed arguments, actions,
/// comparisons and the words of the grammar.
pub fn keywords() -> Vec<&'static str> {
    let mut words = vec![EXPORT, "set"];
    words.extend(ITEM_WORDS);
    words.extend(RESERVED);
    for group in [
        RULE_WORDS,
        CLAUSE_WORDS,
        LOGIC_WORDS,
        CALLER_WORDS,
        CLAIM_WORDS,
        STEP_WORDS,
        STAND_INS,
    ] {
        words.extend(group);
    }
    words.extend(comparison_words());
    words.extend(action_words());
    words.extend(statement_words());
    let all_args = statements().map(|it| it.args);
    for args in all_args.chain(ACTIONS.iter().map(|it| it.args)) {
        shape::words(args, &mut words);
    }
    sorted(words)
}

/// Whether this is a word of the language, and no number or stand-in for any word.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn sorted(words: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable();
    words.dedup();
    words
}
