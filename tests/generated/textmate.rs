//! The TextMate grammar, which Visual Studio Code and others highlight with.
//!
//! It reads line by line and knows no nesting, so a statement is a region: from its word, at the start of
//! a line or behind `{`, `}` or `;`, to the next of these or the end of the line. What a word in it means
//! follows from the statement. A statement that goes on over lines starts another region on each.

use super::groups;
use mesh_lang::vocabulary::ITEMS;
use mesh_lang::vocabulary::words::{self, Arguments};
use serde_json::{Value, json};

/// Where a statement may start.
const START: &str = r"(?:^|(?<=[{};]))\s*";

/// The same, or behind the name of an arm.
const START_OR_LABEL: &str = r"(?:^|(?<=[{};:]))\s*";

/// Where a word ends.
const END: &str = r"(?![A-Za-z0-9_/*%]|\.(?!\.)|-(?!>)|:(?!\s|$))";

/// Where a statement ends: a line does not end one behind these, and neither does the comment at its end. (`$` also
/// matches behind the newline.)
const END_OF_STATEMENT: &str = r"(?=[{};])|(?<!\n|,|=|->|\sto|\sin|\sor|\sand|\snot|\swhen|\sunless)$|(?<![\s,=]|->|\sto|\sin|\sor|\sand|\snot|\swhen|\sunless)(?=\s+#)";

/// A word of any kind.
const WORD: &str = r"(?:::)?[A-Za-z0-9_*](?:[A-Za-z0-9_/*]|\.(?!\.)|-(?!>)|:(?!\s|$))*%?";

/// The grammar.
pub(super) fn grammar() -> String {
    let grammar = json!({
        "comment": "Made from the vocabulary of the language by the test `generated`, do not edit.",
        "name": "Mesh",
        "scopeName": "source.mesh",
        "fileTypes": ["mesh"],
        "patterns": includes(&["statements"]),
        "repository": {
            "statements": { "patterns": includes(&[
                "comments", "label", "items", "names", "set", "request", "expect", "rule", "claim",
                "every-route", "settings", "continued", "clause", "action", "otherwise", "block", "value",
            ]) },
            "comments": { "patterns": [
                matched(r"##(?!#).*$", "comment.line.documentation.mesh"),
                matched(r"#.*$", "comment.line.number-sign.mesh"),
            ] },
            "label": parts(
                &format!(r"{START}({WORD})\s*(:)(?=\s|$)"),
                &["entity.name.label.mesh", "punctuation.separator.label.mesh"],
            ),
            "items": { "patterns": items() },
            "names": {
                "begin": format!(r"{START}(param|let)\s+({WORD})\s*(=)(?!=)"),
                "beginCaptures": captures(&[
                    "storage.type.item.mesh", "variable.other.definition.mesh", "keyword.operator.assignment.mesh",
                ]),
                "end": END_OF_STATEMENT,
                "patterns": includes(&["condition"]),
            },
            "set": {
                "begin": format!(r"{START}(set)\s+({WORD})\s+({WORD})\s*(=)"),
                "beginCaptures": captures(&[
                    "keyword.other.statement.mesh", "keyword.other.argument.mesh", "variable.other.mesh",
                    "keyword.operator.assignment.mesh",
                ]),
                "end": END_OF_STATEMENT,
                "patterns": includes(&["value"]),
            },
            "request": {
                "begin": format!("{START}(request){END}"),
                "beginCaptures": captures(&["keyword.other.statement.mesh"]),
                "end": r"(?<=\})|(?=[;}])|$",
                "patterns": [
                    {
                        "begin": r"\{",
                        "beginCaptures": captures_of_all("punctuation.section.block.begin.mesh"),
                        "end": r"\}",
                        "endCaptures": captures_of_all("punctuation.section.block.end.mesh"),
                        "patterns": includes(&["token", "statements"]),
                    },
                    matched(&format!("from{END}"), "keyword.other.argument.mesh"),
                    { "include": "#callers" },
                    { "include": "#value" },
                ],
            },
            "token": {
                "begin": format!(r"{START}(jwt)\s+({WORD})(?=\s*\{{)"),
                "beginCaptures": captures(&["keyword.other.statement.mesh", "entity.name.type.mesh"]),
                "end": r"(?<=\})",
                "patterns": includes(&["claims"]),
            },
            "claims": {
                "begin": r"\{",
                "beginCaptures": captures_of_all("punctuation.section.block.begin.mesh"),
                "end": r"\}",
                "endCaptures": captures_of_all("punctuation.section.block.end.mesh"),
                "patterns": [
                    { "include": "#comments" },
                    parts(&format!("{START}({WORD})"), &["support.type.property-name.mesh"]),
                    matched(&format!("(?:true|false){END}"), "constant.language.boolean.mesh"),
                    matched(";", "punctuation.terminator.statement.mesh"),
                    { "include": "#claims" },
                    { "include": "#value" },
                ],
            },
            "expect": {
                "begin": format!("{START}(expect){END}"),
                "beginCaptures": captures(&["keyword.other.statement.mesh"]),
                "end": END_OF_STATEMENT,
                "patterns": includes(&["action-words", "value"]),
            },
            "rule": {
                "begin": format!("{START_OR_LABEL}({}){END}", any(words::RULE_WORDS)),
                "beginCaptures": captures(&["keyword.control.rule.mesh"]),
                "end": END_OF_STATEMENT,
                "patterns": [
                    matched(&format!("to{END}"), "keyword.other.argument.mesh"),
                    { "include": "#callers" },
                    { "include": "#clause" },
                    { "include": "#value" },
                ],
            },
            "claim": {
                "begin": format!("{START}(never|always|only){END}"),
                "beginCaptures": captures(&["keyword.other.statement.mesh"]),
                "end": END_OF_STATEMENT,
                "patterns": [
                    matched(&format!("(?:reach|reaches|transitively|at){END}"), "keyword.other.argument.mesh"),
                    { "include": "#callers" },
                    { "include": "#clause" },
                    { "include": "#value" },
                ],
            },
            "every-route": {
                "begin": format!(r"{START}(every)\s+(route){END}"),
                "beginCaptures": captures(&["keyword.other.statement.mesh", "keyword.other.argument.mesh"]),
                "end": END_OF_STATEMENT,
                "patterns": [
                    matched(&format!("(?:in|to|has|requires|jwt|key){END}"), "keyword.other.argument.mesh"),
                    { "include": "#callers" },
                    { "include": "#condition" },
                ],
            },
            "callers": { "patterns": [
                parts(&format!(r"(any)\s+(service){END}"), &["keyword.other.caller.mesh", "keyword.other.caller.mesh"]),
                matched(&format!("(?:anyone|internet){END}"), "keyword.other.caller.mesh"),
                parts(&format!(r"(namespace)\s+({WORD})"), &["keyword.other.caller.mesh", "entity.name.namespace.mesh"]),
            ] },
            "settings": { "patterns": settings() },
            "continued": { "patterns": [
                {
                    "begin": format!(r"^\s*(to){END}"),
                    "beginCaptures": captures(&["keyword.other.argument.mesh"]),
                    "end": END_OF_STATEMENT,
                    "patterns": includes(&["callers", "clause", "value"]),
                },
                {
                    "begin": format!(r"^\s*(and|or){END}"),
                    "beginCaptures": captures(&["keyword.operator.word.mesh"]),
                    "end": format!("(?=->)|{END_OF_STATEMENT}"),
                    "patterns": includes(&["condition"]),
                },
                // Reserved words, which are never names.
                matched(&format!("(?:and|or|not|in){END}"), "keyword.operator.word.mesh"),
            ] },
            "clause": {
                "begin": format!("({}){END}", any(words::CLAUSE_WORDS)),
                "beginCaptures": captures(&["keyword.control.conditional.mesh"]),
                "end": format!("(?=->)|{END_OF_STATEMENT}"),
                "patterns": includes(&["condition"]),
            },
            "condition": { "patterns": [
                { "include": "#comments" },
                {
                    "begin": r"\(",
                    "beginCaptures": captures_of_all("punctuation.section.group.begin.mesh"),
                    "end": r"\)",
                    "endCaptures": captures_of_all("punctuation.section.group.end.mesh"),
                    "patterns": includes(&["condition"]),
                },
                matched(&format!("(?:{}){END}", any(&groups::operators())), "keyword.operator.word.mesh"),
                matched(&format!("{}{END}", fields()), "support.variable.field.mesh"),
                { "include": "#value" },
            ] },
            "action": {
                "begin": "->",
                "beginCaptures": captures_of_all("keyword.operator.arrow.mesh"),
                "end": END_OF_STATEMENT,
                "patterns": includes(&["action-words", "value"]),
            },
            "action-words": { "patterns": [
                {
                    "begin": format!("(respond){END}"),
                    "beginCaptures": captures(&["keyword.control.action.mesh"]),
                    "end": END_OF_STATEMENT,
                    "patterns": [
                        matched(&format!("(?:{}){END}", any(&words::arguments("respond").leading)), "keyword.other.argument.mesh"),
                        { "include": "#value" },
                    ],
                },
                matched(&format!("(?:{}|rest){END}", any(&words::action_words())), "keyword.control.action.mesh"),
                matched(&format!("self{END}"), "variable.language.self.mesh"),
            ] },
            "otherwise": matched(&format!("otherwise{END}"), "keyword.control.conditional.mesh"),
            "block": { "patterns": [
                matched(r"\{", "punctuation.section.block.begin.mesh"),
                matched(r"\}", "punctuation.section.block.end.mesh"),
                matched(";", "punctuation.terminator.statement.mesh"),
            ] },
            "value": { "patterns": values() },
        },
    });
    let text = serde_json::to_string_pretty(&grammar).expect("it is JSON");
    text + "\n"
}

/// Items with their names.
fn items() -> Vec<Value> {
    let named: Vec<_> = ITEMS
        .iter()
        .filter(|item| item.head == "NAME")
        .map(|item| item.word)
        .collect();
    let others: Vec<_> = ITEMS
        .iter()
        .filter(|item| item.head == "STRING")
        .map(|item| item.word)
        .collect();
    vec![
        parts(
            &format!(
                r"{START}(?:({})\s+)?({})\s+({WORD})",
                words::EXPORT,
                any(&named)
            ),
            &[
                "storage.modifier.mesh",
                "storage.type.item.mesh",
                "entity.name.type.mesh",
            ],
        ),
        parts(
            &format!(r"{START}(routes)\s+({WORD})\s+({WORD})"),
            &[
                "storage.type.item.mesh",
                "entity.name.type.mesh",
                "variable.other.host.mesh",
            ],
        ),
        parts(
            &format!("{START}({}){END}", any(&others)),
            &["storage.type.item.mesh"],
        ),
        parts(
            &format!("{START}({}){END}", words::EXPORT),
            &["storage.modifier.mesh"],
        ),
    ]
}

/// Statements, those with the same arguments together.
fn settings() -> Vec<Value> {
    let mut settings = Vec::new();
    for (arguments, statements) in groups::arguments() {
        let Arguments {
            leading,
            values,
            fields: has_fields,
        } = arguments;
        let mut patterns = Vec::new();
        if !leading.is_empty() {
            patterns.push(matched(
                &format!("(?:{}){END}", any(&leading)),
                "keyword.other.argument.mesh",
            ));
        }
        if !values.is_empty() {
            patterns.push(matched(
                &format!("(?:{}){END}", any(&values)),
                "support.constant.mesh",
            ));
        }
        if has_fields {
            patterns.push(matched(
                &format!("{}{END}", fields()),
                "support.variable.field.mesh",
            ));
        }
        patterns.extend(includes(&["clause", "action", "value"]));
        settings.push(json!({
            "begin": format!("{START}({}){END}", any(&statements)),
            "beginCaptures": captures(&["keyword.other.statement.mesh"]),
            "end": END_OF_STATEMENT,
            "patterns": patterns,
        }));
    }
    settings
}

/// What may stand for a value, and the signs between.
fn values() -> Vec<Value> {
    let number = r"\d+(?:\.\d+)?";
    let ip6 = r"(?:[0-9A-Fa-f.]*:){2,}[0-9A-Fa-f.]*";
    vec![
        json!({ "include": "#comments" }),
        matched(r#"r"[^"]*(?:"|$)"#, "string.quoted.double.raw.mesh"),
        json!({
            "begin": "\"",
            "end": "\"|$",
            "name": "string.quoted.double.mesh",
            "patterns": [matched(r"\\(?:u\{[0-9A-Fa-f]*\}|.)", "constant.character.escape.mesh")],
        }),
        json!({
            "match": r#"/(?:[^\s,;()\[\]{}"-]|-(?!>)|\{[A-Za-z0-9_-]+(?:\*\*)?\})*"#,
            "name": "string.unquoted.path.mesh",
            "captures": { "0": { "patterns": [
                matched(r"\{[^}]*\}", "variable.parameter.capture.mesh"),
                matched(r"\*+", "constant.character.wildcard.mesh"),
            ] } },
        }),
        matched(r#"https?://[^\s,;{}"]*"#, "string.unquoted.url.mesh"),
        matched(
            &format!("[A-Za-z][A-Za-z0-9+.-]*://(?:{WORD})?"),
            "string.unquoted.url.mesh",
        ),
        matched(
            &format!(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]:\d+{END}"),
            "constant.numeric.address.mesh",
        ),
        matched(
            &format!(r"\d+\.\d+\.\d+\.\d+(?:[/:]\d+)?{END}"),
            "constant.numeric.address.mesh",
        ),
        matched(
            &format!(r"{ip6}(?:/\d+)?{END}"),
            "constant.numeric.address.mesh",
        ),
        matched(
            &format!(r"[A-Za-z0-9_*][A-Za-z0-9_./*:-]*:\d+{END}"),
            "constant.numeric.address.mesh",
        ),
        matched(
            &format!(r"\d{{4}}-\d\d-\d\d{END}"),
            "constant.numeric.date.mesh",
        ),
        matched(&format!("{number}%"), "constant.numeric.percent.mesh"),
        matched(
            &format!("(?:{number}(?:ms|us|ns|[dhms]))+{END}"),
            "constant.numeric.duration.mesh",
        ),
        matched(
            &format!("{number}(?:[KMGT]i?)?B{END}"),
            "constant.numeric.size.mesh",
        ),
        matched(
            &format!("{number}/(?:s|min|h|d){END}"),
            "constant.numeric.rate.mesh",
        ),
        matched(&format!(r"\dxx{END}"), "constant.numeric.status.mesh"),
        matched(&format!("{number}{END}"), "constant.numeric.mesh"),
        matched(
            &format!("[A-Z](?:[A-Z]|-(?!>))*{END}"),
            "constant.language.method.mesh",
        ),
        json!({
            "comment": "Any other word, so that nothing is looked for in it.",
            "match": WORD,
        }),
        json!({
            "begin": r"\[",
            "beginCaptures": captures_of_all("punctuation.section.brackets.begin.mesh"),
            "end": r"\]",
            "endCaptures": captures_of_all("punctuation.section.brackets.end.mesh"),
            "patterns": includes(&["value"]),
        }),
        matched(r"\.\.", "keyword.operator.range.mesh"),
        matched("==|!=|<=|>=|<|>", "keyword.operator.comparison.mesh"),
        matched("=", "keyword.operator.assignment.mesh"),
        matched(",", "punctuation.separator.comma.mesh"),
        matched(":", "punctuation.separator.label.mesh"),
    ]
}

/// Fields of requests.
fn fields() -> String {
    let plain = any(&groups::plain_fields()).replace('.', "\\.");
    let keyed = any(&words::keyed_fields());
    let name = r"(?:[A-Za-z0-9_/*]|\.(?!\.)|-(?!>))+";
    format!(r"(?:{plain}|(?:{keyed})(?:\.{name})?)")
}

fn any(words: &[&str]) -> String {
    words.join("|")
}

fn matched(pattern: &str, name: &str) -> Value {
    json!({ "match": pattern, "name": name })
}

/// A match whose groups have names each.
fn parts(pattern: &str, names: &[&str]) -> Value {
    json!({ "match": pattern, "captures": captures(names) })
}

/// Names of the groups of a match, from the first on.
fn captures(names: &[&str]) -> Value {
    let named = names.iter().enumerate();
    let named = named.map(|(index, name)| ((index + 1).to_string(), json!({ "name": name })));
    Value::Object(named.collect())
}

fn captures_of_all(name: &str) -> Value {
    json!({ "0": { "name": name } })
}

fn includes(names: &[&str]) -> Vec<Value> {
    let include = |name| json!({ "include": format!("#{name}") });
    names.iter().map(include).collect()
}
