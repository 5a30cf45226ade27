//! Snippets for items: their words, a name to be filled in, and the statements that their blocks need.

use mesh_lang::vocabulary::{ITEMS, ItemEntry, Place, statements_in};
use serde_json::{Map, Value, json};

/// The snippets, in the format of Visual Studio Code.
pub(super) fn items() -> String {
    let snippets: Map<_, _> = ITEMS
        .iter()
        .map(|item| (item.word.to_owned(), snippet(item)))
        .collect();
    let text = serde_json::to_string_pretty(&Value::Object(snippets)).expect("it is JSON");
    text + "\n"
}

fn snippet(item: &ItemEntry) -> Value {
    // The example begins with the words of the item's head.
    let head = item.example.split(" {").next().unwrap_or_default();
    let mut body = vec![with_fields(head, item)];
    if let Some(place) = item.place {
        body[0] += " {";
        for (word, _) in item.needs {
            body.push(format!("  {}", escaped(needed(word, place))));
        }
        body.push("  $0".to_owned());
        body.push("}".to_owned());
    }
    json!({ "prefix": item.word, "description": item.doc, "body": body })
}

/// The head of an item with its parts to be filled in.
fn with_fields(head: &str, item: &ItemEntry) -> String {
    let rest = head.strip_prefix(item.word).unwrap_or(head).trim_start();
    let mut number = 0;
    let mut field = |text: &str| {
        number += 1;
        format!("${{{number}:{}}}", escaped(text))
    };
    let rest = if let Some((name, value)) = rest.split_once(" = ") {
        format!("{} = {}", field(name), field(value))
    } else if let Some(text) = rest.strip_prefix('"') {
        format!("\"{}\"", field(text.trim_end_matches('"')))
    } else {
        let fields: Vec<_> = rest.split(' ').map(field).collect();
        fields.join(" ")
    };
    format!("{} {rest}", item.word)
}

/// The example of a statement that a block needs.
fn needed(word: &str, place: Place) -> &'static str {
    let mut forms = statements_in(place).filter(|statement| statement.word == word);
    forms.next().expect("it may stand there").example
}

/// A text that means itself in a snippet.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('$', "\\$")
        .replace('}', "\\}")
}
