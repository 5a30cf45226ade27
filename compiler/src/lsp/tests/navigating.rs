//! From names to their declarations and uses; formatting.

use super::session::{Session, cursor};
use gen_lsp_types::{
    Definition, DefinitionRequest, DefinitionResponse, DocumentFormattingRequest,
    DocumentHighlightRequest, DocumentOnTypeFormattingRequest, DocumentRangeFormattingRequest,
    Location, Position, ReferencesRequest, TextEdit,
};
use serde_json::json;

const MESH: &str = "mesh t { mtls off; authz open-by-default }\n";
const A: &str = "service a { endpoints 127.0.0.1:1; calls b; route { /x -> n/c.v2 } }\n";
const B: &str = "service b { endpoints 127.0.0.1:2 }\nnamespace n { export service c { version v2 { endpoints 127.0.0.1:3 } } }\n";

fn session() -> Session {
    let mut session = Session::start(&[("mesh.mesh", MESH), ("a.mesh", A), ("b.mesh", B)]);
    session.open_file("a.mesh");
    session
}

fn shown(session: &Session, locations: &[Location]) -> Vec<String> {
    let line = |it: &Location| {
        let path = crate::lsp::paths::of_uri(&it.uri);
        let name = path
            .strip_prefix(session.path(""))
            .expect("it is in the folder");
        format!(
            "{}:{}:{}",
            name.display(),
            it.range.start.line + 1,
            it.range.start.character + 1
        )
    };
    locations.iter().map(line).collect()
}

fn definition(at: &str) -> Vec<String> {
    let mut session = session();
    let (_, position) = cursor(&A.replace(&at.replace('‸', ""), at));
    let place = session.place("a.mesh", position);
    match session.ask::<DefinitionRequest>(place) {
        Some(DefinitionResponse::Definition(Definition::LocationList(found))) => {
            shown(&session, &found)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_leads_to_its_declaration_in_any_file() {
    assert_eq!(definition("calls ‸b"), ["b.mesh:1:9"]);
    assert_eq!(definition("n/c.v‸2"), ["b.mesh:2:42"]);
    assert_eq!(definition("n/‸c.v2"), ["b.mesh:2:30"]);
    assert_eq!(definition("‸n/c.v2"), ["b.mesh:2:11"]);
    assert_eq!(definition("service ‸a"), ["a.mesh:1:9"]);
}

#[test]
fn a_declaration_leads_to_its_uses() {
    let mut session = session();
    session.open_file("b.mesh");
    let mut params = session.place(
        "b.mesh",
        Position {
            line: 0,
            character: 8,
        },
    );
    params["context"] = json!({ "includeDeclaration": true });
    let found = session
        .ask::<ReferencesRequest>(params.clone())
        .expect("there are some");
    assert_eq!(shown(&session, &found), ["a.mesh:1:42", "b.mesh:1:9"]);
    params["context"] = json!({ "includeDeclaration": false });
    let found = session
        .ask::<ReferencesRequest>(params.clone())
        .expect("there are some");
    assert_eq!(shown(&session, &found), ["a.mesh:1:42"]);
    let highlights = session
        .ask::<DocumentHighlightRequest>(params)
        .expect("there are some");
    assert_eq!(highlights.len(), 1);
}

/// A text with edits applied.
fn apply(text: &str, edits: Vec<TextEdit>) -> String {
    let offset = |position: Position| {
        let before: usize = text
            .split_inclusive('\n')
            .take(position.line as usize)
            .map(str::len)
            .sum();
        before + position.character as usize
    };
    let mut edits = edits;
    edits.sort_by_key(|edit| edit.range.start);
    let mut new = text.to_owned();
    for edit in edits.iter().rev() {
        new.replace_range(
            offset(edit.range.start)..offset(edit.range.end),
            &edit.new_text,
        );
    }
    new
}

#[test]
fn files_and_parts_of_them_are_laid_out() {
    let text = "service a {endpoints 127.0.0.1:1}\n\n\n\nservice b {endpoints 127.0.0.1:2}\n";
    let mut session = Session::start(&[]);
    session.open("a.mesh", text);
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let document = session.document("a.mesh");
    let params = json!({ "textDocument": document, "options": options });
    let edits = session
        .ask::<DocumentFormattingRequest>(params)
        .expect("there are edits");
    assert_eq!(
        apply(text, edits),
        "service a { endpoints 127.0.0.1:1 }\n\nservice b { endpoints 127.0.0.1:2 }\n"
    );
    let range =
        json!({ "start": { "line": 4, "character": 0 }, "end": { "line": 4, "character": 5 } });
    let params = json!({ "textDocument": document, "options": options, "range": range });
    let edits = session
        .ask::<DocumentRangeFormattingRequest>(params)
        .expect("there are edits");
    assert_eq!(
        apply(text, edits),
        "service a {endpoints 127.0.0.1:1}\n\nservice b { endpoints 127.0.0.1:2 }\n"
    );
}

#[test]
fn a_statement_is_laid_out_when_it_is_finished() {
    let typed = |text: &str, ch: &str| {
        let (text, position) = cursor(text);
        let mut session = Session::start(&[]);
        session.open("a.mesh", &text);
        let mut params = session.place("a.mesh", position);
        params["ch"] = json!(ch);
        params["options"] = json!({ "tabSize": 2, "insertSpaces": true });
        let edits = session.ask::<DocumentOnTypeFormattingRequest>(params);
        apply(&text, edits.unwrap_or_default())
    };
    assert_eq!(
        typed("service a {timeout 5s}‸\n", "}"),
        "service a { timeout 5s }\n"
    );
    assert_eq!(
        typed("service a {\n    timeout   5s\n    ‸\n}\n", "\n"),
        "service a {\n  timeout 5s\n    \n}\n"
    );
    // What does not parse stays as it is.
    assert_eq!(
        typed("service a {timeout 5s; route {}‸\n", "}"),
        "service a {timeout 5s; route {}\n"
    );
}
