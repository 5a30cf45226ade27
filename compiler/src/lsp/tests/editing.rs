//! What changes the text: renaming, and what is done about findings.

use super::session::{Session, abilities, cursor};
use gen_lsp_types::{
    CodeAction, CodeActionRequest, CodeActionResponse, Position, PrepareRenameRequest,
    PrepareRenameResult,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MESH: &str = "mesh t { mtls off; authz open-by-default }\n";

/// The files that an edit changes, by name, with their new texts.
fn applied(session: &Session, edit: &Value) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for change in edit["documentChanges"].as_array().expect("changes") {
        let uri = change["textDocument"]["uri"]
            .as_str()
            .expect("a document")
            .to_owned();
        let path = crate::lsp::paths::of_uri(&uri.into());
        let name = path
            .strip_prefix(session.path(""))
            .expect("it is in the folder")
            .display()
            .to_string();
        let mut text = session.text(&name);
        let mut edits = change["edits"].as_array().expect("edits").clone();
        edits.sort_by_key(|edit| std::cmp::Reverse(offset(&text, &edit["range"]["start"])));
        for edit in edits {
            let (start, end) = (
                offset(&text, &edit["range"]["start"]),
                offset(&text, &edit["range"]["end"]),
            );
            let new = edit["newText"]
                .as_str()
                .or(edit["snippet"]["value"].as_str())
                .expect("a text");
            text.replace_range(start..end, new);
        }
        texts.insert(name, text);
    }
    texts
}

fn offset(text: &str, position: &Value) -> usize {
    let (line, character) = (position["line"].as_u64(), position["character"].as_u64());
    let (line, character) = (
        line.unwrap_or_default() as usize,
        character.unwrap_or_default() as usize,
    );
    text.split_inclusive('\n')
        .take(line)
        .map(str::len)
        .sum::<usize>()
        + character
}

// ── Renaming ──

const A: &str =
    "service a { endpoints 127.0.0.1:1; calls b; route { /x -> b { mirror 5% n/c.v2 } } }\n";
const B: &str = "\
service b { endpoints 127.0.0.1:2 }
namespace n {
  export service c { version v2 { endpoints 127.0.0.1:3 }; route { otherwise -> v2 } }
}
test \"t\" { request GET http://b/x from a; expect b }
";

fn rename(at: &str, new: &str) -> Result<BTreeMap<String, String>, String> {
    let mut session = Session::start(&[("mesh.mesh", MESH), ("a.mesh", A), ("b.mesh", B)]);
    session.open_file("a.mesh");
    session.open_file("b.mesh");
    let plain = at.replace('‸', "");
    let (name, text) = if A.contains(&plain) {
        ("a.mesh", A)
    } else {
        ("b.mesh", B)
    };
    let (_, position) = cursor(&text.replacen(&plain, at, 1));
    let mut params = session.place(name, position);
    params["newName"] = json!(new);
    match session.request("textDocument/rename", params) {
        Ok(edit) => Ok(applied(&session, &edit)),
        Err(error) => Err(error.message),
    }
}

#[test]
fn a_name_is_changed_wherever_it_is_used() {
    let texts = rename("calls ‸b", "books").expect("it is renamed");
    assert_eq!(
        texts["a.mesh"],
        A.replace("calls b", "calls books")
            .replace("-> b", "-> books")
    );
    let renamed = B
        .replace("service b ", "service books ")
        .replace("http://b/", "http://books/")
        .replace("expect b", "expect books");
    assert_eq!(texts["b.mesh"], renamed);
    let texts = rename("n/c.v‸2", "v3").expect("it is renamed");
    assert_eq!(texts["a.mesh"], A.replace("v2", "v3"));
    assert_eq!(texts["b.mesh"], B.replace("v2", "v3"));
    let texts = rename("namespace ‸n", "shop").expect("it is renamed");
    assert_eq!(texts["a.mesh"], A.replace("n/c", "shop/c"));
}

#[test]
fn a_name_that_would_mean_something_else_is_refused() {
    for (at, new, reason) in [
        ("calls ‸b", "a", "would then mean something else"),
        ("calls ‸b", "B b", "no name"),
        ("calls ‸b", "when", "word of the"),
        ("endpoints 127‸.0.0.1:1", "x", "no name stands there"),
    ] {
        let refused = rename(at, new).expect_err("it is refused");
        assert!(refused.contains(reason), "{new}: {refused}");
    }
}

#[test]
fn what_can_be_renamed_is_told_before() {
    let mut session = Session::start(&[]);
    session.open("a.mesh", "service reviews { endpoints 127.0.0.1:1 }\n");
    let place = session.place(
        "a.mesh",
        Position {
            line: 0,
            character: 10,
        },
    );
    match session.ask::<PrepareRenameRequest>(place) {
        Some(PrepareRenameResult::PrepareRenamePlaceholder(it)) => {
            assert_eq!(it.placeholder, "reviews");
        }
        other => panic!("{other:?}"),
    }
    let place = session.place(
        "a.mesh",
        Position {
            line: 0,
            character: 20,
        },
    );
    assert_eq!(session.ask::<PrepareRenameRequest>(place), None);
}

// ── Actions ──

/// What is offered at the `‸` of a text that stands behind the mesh.
fn actions(text: &str, abilities: &Value) -> (Session, Vec<CodeAction>) {
    let (text, position) = cursor(text);
    let mut session = Session::with_abilities(&[], abilities);
    session.open("a.mesh", &text);
    let params = json!({
        "textDocument": session.document("a.mesh"),
        "range": { "start": position, "end": position },
        "context": { "diagnostics": [] },
    });
    let actions = session.ask::<CodeActionRequest>(params).unwrap_or_default();
    let actions = actions.into_iter().map(|action| match action {
        CodeActionResponse::CodeAction(action) => action,
        CodeActionResponse::Command(command) => panic!("{command:?}"),
    });
    let actions = actions.collect();
    (session, actions)
}

/// What comes of the action with this title.
#[track_caller]
fn chosen(text: &str, title: &str) -> String {
    let (session, actions) = actions(text, &abilities());
    let titles: Vec<&str> = actions.iter().map(|action| action.title.as_str()).collect();
    let action = actions
        .iter()
        .find(|action| action.title.starts_with(title));
    let action = action.unwrap_or_else(|| panic!("no {title} in {titles:?}"));
    let edit =
        serde_json::to_value(action.edit.as_ref().expect("an edit")).expect("it can be written");
    applied(&session, &edit)
        .remove("a.mesh")
        .expect("it is changed")
}

#[test]
fn fixes_of_the_findings_are_offered() {
    let text = format!(
        "{MESH}service cart {{ endpoints 127.0.0.1:1; calls ‸carr }}\nservice card {{ endpoints 127.0.0.1:2 }}\n"
    );
    assert!(chosen(&text, "Write `").contains("calls car"));
    let text = format!(
        "{MESH}service a {{ endpoints 127.0.0.1:1; health GET /x {{ expect ‸299..200 }} }}\n"
    );
    assert!(chosen(&text, "Write `").contains("expect 200..299"));
    // That one says what was meant beyond doubt.
    let (_, offered) = actions(&text, &abilities());
    assert_eq!(offered[0].is_preferred, Some(true));
    let about = offered[0].diagnostics.as_ref().expect("a finding");
    assert_eq!(about.len(), 1);
}

#[test]
fn shares_are_made_to_sum_to_the_whole() {
    let service =
        "service a { version v1 { endpoints 127.0.0.1:1 }; version v2 { endpoints 127.0.0.1:2 }; ";
    let text = format!("{MESH}{service}route {{ otherwise -> ‸split 90% v1, 20% v2 }} }}\n");
    assert!(chosen(&text, "Make it sum to 100 %").contains("split 82% v1, 18% v2"));
}

#[test]
fn what_is_missing_is_declared() {
    let text = format!("{MESH}service a {{ endpoints 127.0.0.1:1; calls ‸nobody }}\n");
    let declared = chosen(&text, "Declare service `nobody`");
    assert!(
        declared.ends_with("calls nobody }\n\nservice nobody { endpoints 127.0.0.1:8080 }\n"),
        "{declared}"
    );
    let text = format!(
        "{MESH}namespace n {{\n  service b {{ endpoints 127.0.0.1:1 }}\n}}\nservice a {{ endpoints 127.0.0.1:1; calls ‸n/c }}\n"
    );
    let declared = chosen(&text, "Declare service `c`");
    assert!(
        declared.contains("\n  export service c { endpoints 127.0.0.1:8080 }\n}"),
        "{declared}"
    );
    let text = format!(
        "{MESH}service a {{\n  version v1 {{ endpoints 127.0.0.1:1 }}\n}}\nservice b {{ endpoints 127.0.0.1:1; route {{ /x -> ‸a.v2 }} }}\n"
    );
    let declared = chosen(&text, "Declare version `v2`");
    assert!(
        declared.contains("\n  version v2 { endpoints 127.0.0.1:8080 }\n}"),
        "{declared}"
    );
    let text = format!("{MESH}service a {{ endpoints 127.0.0.1:1; use ‸calm }}\n");
    assert!(chosen(&text, "Declare policy `calm`").contains("policy calm { timeout 10s }"));
}

#[test]
fn all_of_a_file_is_mended_at_once() {
    let text = format!(
        "{MESH}service a {{ endpoints 127.0.0.1:1; health GET /x {{ expect 299..200 }} }}\nservice b {{ endpoints 127.0.0.1:1, hedge after 80ms }}\n"
    );
    let mut session = Session::start(&[]);
    session.open("a.mesh", &text);
    let params = json!({
        "textDocument": session.document("a.mesh"),
        "range": { "start": Position::default(), "end": Position::default() },
        "context": { "diagnostics": [], "only": ["source.fixAll"] },
    });
    let actions = session
        .ask::<CodeActionRequest>(params)
        .expect("they are there");
    let [CodeActionResponse::CodeAction(action)] = &actions[..] else {
        panic!("{actions:?}")
    };
    let edit =
        serde_json::to_value(action.edit.as_ref().expect("an edit")).expect("it can be written");
    let mended = applied(&session, &edit)
        .remove("a.mesh")
        .expect("it is changed");
    assert!(mended.contains("expect 200..299"), "{mended}");
}

#[test]
fn an_editor_without_versions_gets_plain_changes() {
    let mut abilities = abilities();
    abilities["workspace"]["workspaceEdit"] = Value::Null;
    let text = format!("{MESH}service a {{ endpoints 127.0.0.1:1; calls ‸aa }}\n");
    let (session, actions) = actions(&text, &abilities);
    let edit = actions[0].edit.as_ref().expect("an edit");
    assert_eq!(edit.document_changes, None);
    assert!(
        edit.changes
            .as_ref()
            .is_some_and(|changes| changes.contains_key(&session.uri("a.mesh")))
    );
}

#[test]
fn a_code_is_explained() {
    let mut session = Session::start(&[]);
    let params = json!({ "command": "mesh.explanation", "arguments": ["E0302"] });
    let page = session
        .request("workspace/executeCommand", params)
        .expect("it is explained");
    assert!(
        page.as_str().is_some_and(|page| page.contains("100")),
        "{page}"
    );
    let params = json!({ "command": "mesh.explanation", "arguments": ["E9999"] });
    assert!(session.request("workspace/executeCommand", params).is_err());
    assert!(
        session
            .request("workspace/executeCommand", json!({ "command": "rm" }))
            .is_err()
    );
}
