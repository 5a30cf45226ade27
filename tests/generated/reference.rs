//! The reference of the language, from the vocabulary.

use mesh_lang::codes::{Code, Severity};
use mesh_lang::vocabulary::{
    ACTIONS, Body, FIELDS, ITEMS, Kind, PROPERTIES, Place, Shape, Statement, statements,
    statements_in,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const OPENING: &str = "\
# The language

<!-- Made from the vocabulary: UPDATE_GENERATED=1 cargo test -p mesh-tests --test generated -->

Every statement of the language, where it may stand, what it takes, and what holds where it is not written. `meshc expand`
prints a mesh with all of that filled in; `meshc explain CODE` tells what a finding means.

A file is a list of items. An item has a block of statements; a statement may have one, too. A statement ends at the end of its
line, at `;` or before `}`. Lines may be broken behind a comma or within brackets. `#` starts a comment. In signatures capitals
are values, `[ ]` may be left out, `|` parts alternatives, and `, …` stands for more of the same.

An **arm** is `[NAME:] [METHODS] [PATHS] [when CONDITION] -> ACTION [{ … }]`, or `otherwise -> ACTION`: of several the first that
takes a request. A **rule** is `[NAME:] allow|deny WHO [to METHODS PATHS] [when|unless CONDITION]`: a deny that matches decides,
else an allow that does, else the request is refused.
";

pub(super) fn page() -> String {
    let mut page = OPENING.to_owned();
    items(&mut page);
    blocks(&mut page);
    actions(&mut page);
    conditions(&mut page);
    values(&mut page);
    findings(&mut page);
    page
}

fn code(page: &mut String, text: &str) {
    let _ = writeln!(page, "```mesh\n{text}\n```\n");
}

fn items(page: &mut String) {
    page.push_str("\n## Items\n\n");
    for item in ITEMS {
        let export = if item.exportable { "[export] " } else { "" };
        let block = if item.place.is_some() { " { … }" } else { "" };
        let head = [item.word, item.head].join(" ");
        let _ = writeln!(
            page,
            "### `{export}{}{block}`\n\n{}.",
            head.trim_end(),
            sentence(item.doc)
        );
        needs(page, item.needs);
        page.push('\n');
        code(page, item.example);
    }
}

/// "Needs `endpoints`."
fn needs<T>(page: &mut String, needs: &[(&str, T)]) {
    if !needs.is_empty() {
        let words: Vec<String> = needs.iter().map(|(word, _)| format!("`{word}`")).collect();
        let _ = writeln!(page, "Its block needs {}.", words.join(" and "));
    }
}

/// A sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The blocks, each with its statements. A statement is told where it first may stand.
fn blocks(page: &mut String) {
    page.push_str("## Blocks\n\n");
    let places: BTreeSet<Place> = statements().flat_map(|it| it.places).copied().collect();
    let mut told: BTreeMap<*const Statement, Place> = BTreeMap::new();
    for place in places {
        let phrase = place.phrase();
        let _ = writeln!(page, "### {}\n", sentence(phrase));
        if Place::ARMS.contains(&place) {
            page.push_str("Arms, and:\n\n");
        } else if Place::RULES.contains(&place) {
            page.push_str("Rules, and:\n\n");
        }
        let mut elsewhere: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
        for statement in statements_in(place) {
            let first = *told.entry(std::ptr::from_ref(statement)).or_insert(place);
            if first == place {
                one(page, statement);
            } else {
                elsewhere.entry(first).or_default().push(statement.word);
            }
        }
        for (first, mut words) in elsewhere {
            words.dedup();
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let _ = writeln!(page, "As in {}: {}.\n", first.phrase(), words.join(", "));
        }
    }
}

fn one(page: &mut String, statement: &Statement) {
    let _ = writeln!(
        page,
        "#### `{}`\n\n{}.",
        statement.signature(),
        sentence(statement.doc)
    );
    if let Body::Optional(place) | Body::Required(place) = statement.body {
        let _ = writeln!(page, "Its block is {}.", place.phrase());
    }
    needs(page, statement.needs);
    if let Some(default) = statement.default {
        let _ = writeln!(page, "Where nothing is said: `{default}`.");
    }
    if statement.once.is_none() {
        page.push_str("May be repeated.\n");
    }
    page.push('\n');
    code(page, statement.example);
}

fn actions(page: &mut String) {
    page.push_str("## Actions\n\nWhat stands behind `->` in an arm.\n\n");
    for action in ACTIONS {
        let _ = writeln!(
            page,
            "### `{}`\n\n{}.\n",
            action.signature,
            sentence(action.doc)
        );
        code(page, action.example);
    }
}

fn conditions(page: &mut String) {
    page.push_str(
        "## Conditions\n\n`and`, `or`, `not` and parentheses around tests of fields; a name that a `let` gives to a condition \
         stands for it.\n\n| field | what it is | compared with | for example |\n|---|---|---|---|\n",
    );
    for field in FIELDS {
        let words: Vec<String> = field
            .comparisons
            .iter()
            .map(|it| format!("`{}`", it.word()))
            .collect();
        let example = field.example.replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | `{example}` |",
            field.name,
            field.doc,
            words.join(" ")
        );
    }
    let properties: Vec<String> = PROPERTIES
        .iter()
        .map(|it| format!("`{}`", it.name))
        .collect();
    let _ = writeln!(
        page,
        "\n`every route in GATEWAY has …` compares what is in force of {}.\n",
        properties.join(", ")
    );
}

fn values(page: &mut String) {
    page.push_str("## Values\n\n| in signatures | is |\n|---|---|\n");
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut add = |kind: Kind| {
        kinds.entry(kind.name()).or_default().insert(kind.phrase());
    };
    for statement in statements() {
        statement
            .args
            .iter()
            .for_each(|shape| kinds_of(shape, &mut add));
    }
    for action in ACTIONS {
        action
            .args
            .iter()
            .for_each(|shape| kinds_of(shape, &mut add));
    }
    FIELDS
        .iter()
        .flat_map(|field| field.operands)
        .for_each(|kind| add(*kind));
    for (name, phrases) in kinds {
        let phrases: Vec<&str> = phrases.into_iter().collect();
        let _ = writeln!(page, "| `{name}` | {} |", phrases.join("; "));
    }
}

/// All codes, each with its page.
fn findings(page: &mut String) {
    page.push_str(
        "\n## Findings\n\nErrors (`E`) keep a mesh from being compiled. Lints (`L`) are warnings, or silent where it says \
         so, until the mesh says otherwise: `lints { deny NAME; warn NAME; allow NAME }` in its block, \
         `# lint: allow NAME (why)` above a statement.\n\n| code | name | what it is |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let silent = match code.severity() {
            Severity::Info => " (silent)",
            Severity::Warning | Severity::Error => "",
        };
        let _ = writeln!(
            page,
            "| [{id}](src/codes/{id}.md) | `{}`{silent} | {} |",
            code.name(),
            code.summary().replace('|', "\\|"),
            id = code.id(),
        );
    }
}

fn kinds_of(shape: &Shape, add: &mut impl FnMut(Kind)) {
    match shape {
        Shape::Value(kind) => add(*kind),
        Shape::Seq(inner) | Shape::Optional(inner) | Shape::OneOf(inner) => {
            inner.iter().for_each(|shape| kinds_of(shape, add));
        }
        Shape::List(element) => kinds_of(element, add),
        Shape::Word(_) | Shape::Field(_) | Shape::Arrow | Shape::Clause(..) => {}
    }
}
