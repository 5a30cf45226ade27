//! The table against itself, and the check against small files.
#![allow(clippy::unwrap_used)]

mod arguments;
mod conditions;
mod places;

use super::*;
use crate::parser::parse;
use crate::source::FileId;

/// What stands around a statement of `place` in a file without other findings, and what behind it.
fn around(place: Place) -> (&'static str, &'static str) {
    match place {
        Place::File => ("", ""),
        Place::Namespace => ("namespace n {", "}"),
        Place::Mesh => ("mesh m {", "}"),
        Place::Defaults => ("mesh m { defaults {", "} }"),
        Place::Lints => ("mesh m { lints {", "} }"),
        Place::Policy => ("policy p {", "}"),
        Place::Service => ("service s {", "}"),
        Place::Version => ("service s { version v1 {", "} }"),
        Place::External => ("external e {", "}"),
        Place::Gateway => ("gateway g {", "}"),
        Place::Listen => ("gateway g { listen 443 https {", "} }"),
        Place::Passthrough => ("gateway g { listen 443 tls passthrough {", "} }"),
        Place::Host => ("gateway g { host a.example {", "} }"),
        Place::Fragment => ("routes g a.example {", "}"),
        Place::Route => ("service s { route {", "} }"),
        Place::Arm => ("routes g a.example { /a -> b {", "} }"),
        Place::RouteArm => ("service s { route { /a -> b {", "} } }"),
        Place::Redirect => ("routes g a.example { /a -> redirect { scheme https", "} }"),
        Place::Calls => ("service s { calls t {", "} }"),
        Place::Authz => ("service s { authz {", "} }"),
        Place::NamespaceAuthz => ("namespace n { authz {", "} }"),
        Place::ExternalAuthz => (
            "service s { authz external \"http://a\" { on-failure open",
            "} }",
        ),
        Place::Jwt => ("jwt j { issuer \"i\"; jwks file \"f\"", "}"),
        Place::Keys => ("keys k { file \"f\"; from header h", "}"),
        Place::Env => ("env e {", "}"),
        Place::Assert => ("assert \"a\" {", "}"),
        Place::Test => ("test \"t\" {", "}"),
        Place::Request => ("test \"t\" { request GET http://a/ {", "} }"),
        Place::Claims => ("test \"t\" { request GET http://a/ { jwt j {", "} } }"),
        Place::Timeout => ("policy p { timeout 1s {", "} }"),
        Place::Retry => ("policy p { retry 1 on 5xx {", "} }"),
        Place::Limits => ("service s { limits {", "} }"),
        Place::Eject => ("service s { eject after 5 errors {", "} }"),
        Place::Balance => ("service s { balance random {", "} }"),
        Place::Health => ("service s { health GET /h {", "} }"),
        Place::RateLimit => ("policy p { rate-limit 1/s {", "} }"),
        Place::SharedRateLimit => ("policy p { rate-limit shared 1/s { on-failure open", "} }"),
        Place::Mirror => ("policy p { mirror 1% t {", "} }"),
        Place::Cors => ("policy p { cors { origins \"*\"", "} }"),
        Place::HeaderLimits => ("gateway g { header-limits {", "} }"),
    }
}

/// A statement in a place, with what that place needs and the statement is not itself.
fn in_place(place: Place, statement: &str) -> String {
    let (before, behind) = around(place);
    // What a place needs stands once.
    let word = statement.split(' ').next().unwrap_or_default();
    let before: Vec<_> = before
        .split_inclusive(['{', ';'])
        .flat_map(|part| match part.rsplit_once('{') {
            Some((head, rest)) => vec![format!("{head}{{"), rest.to_owned()],
            None => vec![part.to_owned()],
        })
        .filter(|part| part.trim().split(' ').next() != Some(word) || part.ends_with('{'))
        .collect();
    format!("{}\n{statement}\n{behind}", before.concat())
}

/// All findings of a text, syntax included, as "code: text under it".
fn findings(text: &str) -> Vec<String> {
    let parse = parse(FileId(0), text);
    let checked = check(&parse.tree);
    let all = parse.diagnostics.iter().chain(&checked);
    all.map(|it| format!("{}: {}", it.code, it.span().unwrap().text(text)))
        .collect()
}

#[track_caller]
fn clean(text: &str) {
    assert_eq!(findings(text), [""; 0], "{text}");
}

/// Whether a statement in `place` has exactly these findings, each "code: text under it".
#[track_caller]
fn finds(place: Place, statement: &str, expected: &[&str]) {
    let text = in_place(place, statement);
    assert_eq!(findings(&text), expected, "{text}");
}

/// What the fixes of a text's only finding make of it.
#[track_caller]
fn fixed(place: Place, statement: &str) -> String {
    let text = in_place(place, statement);
    let parse = parse(FileId(0), &text);
    let checked = check(&parse.tree);
    let all: Vec<_> = parse.diagnostics.iter().chain(&checked).collect();
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    let mut edits = all[0].fixes[0].edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    let mut fixed = text.clone();
    for edit in edits {
        fixed.replace_range(edit.span.range(), &edit.replacement);
    }
    let (before, behind) = text.split_once(statement).unwrap();
    let fixed = fixed.strip_prefix(before).unwrap();
    fixed.strip_suffix(behind).unwrap().to_owned()
}

#[test]
fn every_place_is_reached() {
    for place in all_places() {
        let (before, behind) = around(place);
        clean(&format!("{before}\n{behind}"));
    }
}

/// All places that statements, items, arms or rules have.
fn all_places() -> Vec<Place> {
    let mut places: Vec<_> = statements()
        .flat_map(|statement| {
            statement
                .places
                .iter()
                .copied()
                .chain(statement.body.place())
        })
        .chain(ITEMS.iter().filter_map(|item| item.place))
        .chain(Place::ARMS.iter().chain(Place::RULES).copied())
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn the_example_of_every_statement_is_right_in_every_place() {
    for statement in statements() {
        assert!(!statement.doc.is_empty(), "{}", statement.word);
        assert!(!statement.doc.ends_with('.'), "{}", statement.doc);
        for place in statement.places {
            clean(&in_place(*place, statement.example));
        }
    }
}

#[test]
fn the_example_of_every_statement_is_in_its_own_form() {
    for statement in statements() {
        let starts_right = statement.example == statement.word
            || statement
                .example
                .starts_with(&format!("{} ", statement.word))
            || statement.word == Statement::ANY_CLAIM;
        assert!(starts_right, "{}", statement.example);
        let has_block = statement.example.ends_with('}');
        match statement.body {
            Body::None => assert!(!has_block, "{}", statement.example),
            Body::Required(_) => assert!(has_block, "{}", statement.example),
            Body::Optional(_) => {}
        }
    }
}

#[test]
fn the_default_of_every_statement_is_right_in_its_place() {
    for statement in statements() {
        let Some(default) = statement.default else {
            continue;
        };
        // `compress` has no way to be written but its absence.
        let text = format!("{} {default}", statement.word);
        if !matches!(statement.body, Body::Required(_)) {
            clean(&in_place(statement.places[0], &text));
        }
    }
}

#[test]
fn the_examples_of_items_actions_and_fields_are_right() {
    for item in ITEMS {
        clean(item.example);
        assert!(item.example.starts_with(item.word), "{}", item.example);
        assert!(is_item_word(item.word));
    }
    let words: Vec<_> = ITEMS.iter().map(|item| item.word).collect();
    assert_eq!(words, ITEM_WORDS);
    for action in ACTIONS {
        clean(&in_place(Place::Host, action.example));
    }
    for field in FIELDS {
        clean(&in_place(
            Place::Route,
            &format!("when {} -> a", field.example),
        ));
    }
}

#[test]
fn signatures_are_made_from_the_table() {
    let signature = |word: &str, place: Place| {
        let mut signatures = statements_in(place).filter(|it| it.word == word);
        signatures.next().unwrap().signature()
    };
    for (word, place, expected) in [
        ("timeout", Place::Service, "timeout DURATION | off [{ … }]"),
        ("timeout", Place::Health, "timeout DURATION"),
        ("http2", Place::Listen, "http2"),
        ("limits", Place::Service, "limits { … }"),
        ("hosts", Place::Service, "hosts HOST, …"),
        (
            "listen",
            Place::Gateway,
            "listen PORT (http | https) [{ … }]",
        ),
        ("sni", Place::Passthrough, "sni HOST, … -> SERVICE"),
        (
            "budget",
            Place::Retry,
            "budget PERCENT [min RATE] [over DURATION]",
        ),
        (
            "fault",
            Place::Arm,
            "fault PERCENT (delay DURATION | abort STATUS) [until DATE] | off",
        ),
        (
            "require",
            Place::Host,
            "require (jwt | key) NAME [when|unless CONDITION]",
        ),
        ("backoff", Place::Retry, "backoff DURATION..DURATION"),
        ("sticky", Place::Arm, "sticky FIELD | off"),
    ] {
        assert_eq!(signature(word, place), expected);
    }
}

#[test]
fn keywords_are_for_editors() {
    let words = keywords();
    for word in [
        "service",
        "timeout",
        "least-request",
        "split",
        "otherwise",
        "reaches",
        "passthrough",
    ] {
        assert!(words.contains(&word), "{word}");
    }
    assert!(words.is_sorted());
    assert!(!words.contains(&Statement::ANY_CLAIM));
}

#[test]
fn words_are_told_apart_by_their_statements() {
    let balance = words::arguments("balance");
    assert_eq!(balance.leading, ["by", "hash"]);
    assert!(balance.values.contains(&"least-request"));
    assert!(balance.fields);
    let listen = words::arguments("listen");
    assert_eq!(listen.leading, ["tls"]);
    assert_eq!(listen.values, ["http", "https", "passthrough", "tcp"]);
    assert!(!listen.fields);
    assert_eq!(words::arguments("respond").leading, ["file"]);
    assert!(words::arguments("use").values.is_empty());
    assert!(words::statement_words().contains(&"endpoints"));
    assert_eq!(words::action_words(), ["redirect", "respond", "split"]);
    assert!(words::plain_fields().contains(&"source.ip"));
    assert_eq!(
        words::keyed_fields(),
        ["cookie", "header", "jwt", "key", "query"]
    );
    let keywords = keywords();
    for word in words::comparison_words() {
        assert!(keywords.contains(&word), "{word}");
    }
}

#[test]
fn words_are_looked_up() {
    assert_eq!(forms("timeout").len(), 4);
    assert!(forms("tiemout").is_empty());
    assert!(statements_in(Place::Lints).all(|it| ["deny", "warn", "allow"].contains(&it.word)));
    assert!(may_be_exported("service"));
    assert!(!may_be_exported("mesh"));
    assert!(item("gateway").is_some());
    assert!(item("timeout").is_none());
}
