//! A snippet, filled in with what it proposes, is right where it is meant to stand.

use super::sources::findings;
use libtest_mimic::Failed;
use mesh_tests::binaries::workspace;
use serde_json::Value;

/// What may stand around a snippet.
const AROUND: &[(&str, &str)] = &[
    ("", ""),
    ("service s {", "}"),
    ("service s { route {", "} }"),
    ("gateway g {", "}"),
    ("gateway g { host a.example {", "} }"),
    ("assert \"a\" {", "}"),
    ("test \"t\" {", "}"),
];

/// Every snippet has a place where it is right as it is.
pub(super) fn are_right_somewhere() -> Result<(), Failed> {
    for file in ["items", "patterns"] {
        let path = workspace().join(format!("editors/vscode/snippets/{file}.json"));
        let snippets: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        for (name, snippet) in snippets.as_object().expect("they have names") {
            let lines = snippet["body"].as_array().expect("it has lines");
            let lines: Vec<_> = lines.iter().filter_map(Value::as_str).map(filled).collect();
            let text = lines.join("\n");
            let in_place = |(before, behind): &(&str, &str)| format!("{before}\n{text}\n{behind}");
            let found = AROUND.iter().map(|around| findings(&in_place(around)));
            let found: Vec<_> = found.collect();
            if found.iter().all(|found| !found.is_empty()) {
                return Err(format!("{name}:\n{text}\n{found:#?}").into());
            }
        }
    }
    Ok(())
}

/// A line of a snippet as it stands before anybody changes it: the first of its choices.
fn filled(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars().peekable();
    let mut in_field = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            '$' if characters.next_if_eq(&'{').is_some() => {
                let mut kind = ' ';
                for next in characters.by_ref() {
                    kind = next;
                    if !next.is_ascii_digit() {
                        break;
                    }
                }
                let mut choices = String::new();
                if kind == '|' {
                    choices.extend(characters.by_ref().take_while(|next| *next != '}'));
                    let first = choices.split([',', '|']).next().unwrap_or_default();
                    text.push_str(first);
                } else {
                    in_field = true;
                }
            }
            '$' => drop(characters.next()),
            '}' if in_field => in_field = false,
            _ => text.push(character),
        }
    }
    text
}
