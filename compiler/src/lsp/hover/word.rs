//! The words of the language: what the vocabulary says of them.

use super::Told;
use crate::lsp::spot::Around;
use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Token;
use mesh_lang::view::{Arg, Item, Setting, Statement, Value};
use mesh_lang::vocabulary::{self, ACTIONS, ActionEntry, Field, ItemEntry, Place, Shape};

/// The words of the grammar itself, which no table of statements has.
const GRAMMAR: &[(&str, &str)] = &[
    ("absent", "true if the field is not there"),
    ("allow", "lets these callers in; a `deny` that matches wins"),
    (
        "always",
        "claims that each such request, whatever else it carries, arrives",
    ),
    ("and", "true if both sides are"),
    (
        "any",
        "`any service`: each caller with a verified identity of a service",
    ),
    ("anyone", "every caller, with an identity or without"),
    ("at", "the host of the requests that are meant"),
    (
        "contains",
        "true if the text has this in it, or the claim has it as a member",
    ),
    ("default", "the namespace of all items that stand in none"),
    ("deny", "keeps these callers out, whatever allows them"),
    ("ends-with", "true if the text ends with this"),
    (
        "every",
        "`every route in GATEWAY`: claims something of each arm that forwards",
    ),
    ("expect", "what is to come of the request before it"),
    (
        "export",
        "lets other namespaces aim at what is declared here",
    ),
    (
        "from",
        "who sends the request; without it, a client from the internet",
    ),
    ("has", "claims something of the value in force"),
    ("in", "true if the field is one of these"),
    (
        "internet",
        "a client without a mesh identity, through any gateway",
    ),
    (
        "matches",
        "true if the whole value matches the regular expression",
    ),
    ("namespace", "the services of a namespace"),
    ("never", "claims that no such request arrives"),
    ("not", "true if what follows is not"),
    ("only", "claims that nobody else's requests arrive"),
    ("or", "true if one of the sides is"),
    ("otherwise", "takes every request that no arm above takes"),
    ("present", "true if the field is there"),
    (
        "reach",
        "who reaches whom: past `require`, routes, rewrites and rules",
    ),
    (
        "reaches",
        "who reaches whom: past `require`, routes, rewrites and rules",
    ),
    (
        "request",
        "a request, of which `expect` says what is to come",
    ),
    (
        "requires",
        "claims that nothing passes without this token or key",
    ),
    ("rest", "what the other shares leave of the whole"),
    ("route", "the arms of a gateway that forward"),
    (
        "self",
        "the endpoints of the service itself: its route does not run again",
    ),
    (
        "service",
        "`any service`: each caller with a verified identity of a service",
    ),
    (
        "set",
        "gives a param or a value another value in this environment",
    ),
    ("starts-with", "true if the text starts with this"),
    ("to", "the requests that are meant, by method and path"),
    ("transitively", "through chains of calls, too"),
    ("unless", "all requests but those of which this is true"),
    ("when", "only requests of which this is true"),
    (
        "where",
        "only endpoints of the inventory of which this is true",
    ),
];

/// What is told of the word of the language that `token` is.
pub(super) fn told(around: &Around<'_>, token: Token<'_>) -> Option<(Span, Told)> {
    let (statement, places) = around.last()?;
    let (word, at) = (token.text(), token.span());
    if token.kind() != SyntaxKind::Word {
        return None;
    }
    let mut told = Told::default();
    match statement {
        Statement::Item(Item::Block(item)) if item.keyword().is_some_and(|it| it.span == at) => {
            entry(&mut told, vocabulary::item(word)?);
        }
        Statement::Item(item) if item.span().start == at.start => match vocabulary::item(word) {
            Some(item) => entry(&mut told, item),
            None => grammar(&mut told, word)?,
        },
        Statement::Setting(setting) if setting.keyword().span == at => {
            forms(&mut told, word, places)?;
        }
        Statement::Setting(setting) => argument(&mut told, *setting, places, token)?,
        Statement::Arm(_) | Statement::Step(_) => {
            match ACTIONS.iter().find(|action| action.word == word) {
                Some(action) => self::action(&mut told, action),
                None => other(&mut told, word)?,
            }
        }
        _ => other(&mut told, word)?,
    }
    Some((at, told))
}

fn entry(told: &mut Told, item: &ItemEntry) {
    let block = if item.place.is_some() { " { … }" } else { "" };
    let head = if item.head.is_empty() {
        String::new()
    } else {
        format!(" {}", item.head)
    };
    told.code(&format!("{}{head}{block}", item.word));
    told.text(capitalised(item.doc));
    example(told, item.example);
}

fn action(told: &mut Told, action: &ActionEntry) {
    told.code(action.signature);
    told.text(capitalised(action.doc));
    example(told, action.example);
}

/// The statement `word`, in the forms that may stand in `places`.
pub(in crate::lsp) fn statement_doc(word: &str, places: &[Place]) -> Option<String> {
    let mut told = Told::default();
    forms(&mut told, word, places)?;
    Some(told.parts.join("\n\n"))
}

fn forms(told: &mut Told, word: &str, places: &[Place]) -> Option<()> {
    let all = vocabulary::forms(word);
    let is_here =
        |form: &&&vocabulary::Statement| form.places.iter().any(|place| places.contains(place));
    let mut forms: Vec<_> = all.iter().filter(is_here).collect();
    if forms.is_empty() {
        forms = all.iter().take(1).collect();
    }
    let first = *forms.first()?;
    let signatures: Vec<String> = forms.iter().map(|form| form.signature()).collect();
    told.code(&signatures.join("\n"));
    let mut docs: Vec<String> = Vec::new();
    for form in &forms {
        let doc = capitalised(form.doc);
        if !docs.contains(&doc) {
            docs.push(doc);
        }
    }
    told.text(docs.join("  \n"));
    if let Some(default) = first.default {
        told.text(format!("Where it is not written: `{default}`"));
    }
    example(told, first.example);
    Some(())
}

/// A word among the arguments of a statement.
fn argument(
    told: &mut Told,
    setting: Setting<'_>,
    places: &[Place],
    token: Token<'_>,
) -> Option<()> {
    let form = places
        .iter()
        .find_map(|place| vocabulary::form_of(setting, *place));
    if let Some(form) = form {
        let args: Vec<Arg<'_>> = setting.args().collect();
        let is_it = |arg: &Arg<'_>| matches!(arg, Arg::Value(Value::Word(word)) if word.span == token.span());
        let reading = vocabulary::read(setting, form);
        let read = reading
            .read
            .iter()
            .find(|(index, _)| args.get(*index).is_some_and(is_it));
        match read {
            Some((_, Shape::Word(_))) => return forms(told, setting.keyword().text, places),
            Some((_, Shape::Field(_))) => return other(told, token.text()),
            Some(_) => return None,
            None => {}
        }
    }
    other(told, token.text())
}

/// A field of requests, or a word of the grammar.
fn other(told: &mut Told, word: &str) -> Option<()> {
    let found = Field::find(word, false).or_else(|| Field::find(word, true));
    if let Some((field, _)) = found {
        told.code(field.name);
        told.text(capitalised(field.doc));
        let comparisons: Vec<String> = field
            .comparisons
            .iter()
            .map(|it| format!("`{}`", it.word()))
            .collect();
        told.text(format!("Compared with {}", comparisons.join(", ")));
        example(told, field.example);
        return Some(());
    }
    grammar(told, word)
}

/// What is told of a word of the grammar; nothing of others.
pub(in crate::lsp) fn grammar_doc(word: &str) -> &'static str {
    let found = GRAMMAR.iter().find(|(known, _)| *known == word);
    found.map_or("", |(_, doc)| doc)
}

fn grammar(told: &mut Told, word: &str) -> Option<()> {
    let (word, doc) = GRAMMAR.iter().find(|(known, _)| *known == word)?;
    told.text(format!("`{word}`: {doc}"));
    Some(())
}

fn example(told: &mut Told, example: &str) {
    if !example.is_empty() {
        told.text("For example").code(example);
    }
}

/// A sentence, with its first letter as sentences have it.
pub(in crate::lsp) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_lang::vocabulary::words;

    #[test]
    fn every_word_of_the_grammar_is_told_of() {
        let groups = [
            words::RULE_WORDS,
            words::CLAUSE_WORDS,
            words::LOGIC_WORDS,
            words::CALLER_WORDS,
            words::CLAIM_WORDS,
            words::STEP_WORDS,
            words::STAND_INS,
        ];
        let elsewhere = |word: &str| ["jwt", "key"].contains(&word); // fields
        for word in groups
            .into_iter()
            .flatten()
            .copied()
            .chain(words::comparison_words())
        {
            let is_known = GRAMMAR.iter().any(|(known, _)| *known == word);
            assert!(is_known || elsewhere(word), "{word}");
        }
        assert!(GRAMMAR.is_sorted());
    }
}
