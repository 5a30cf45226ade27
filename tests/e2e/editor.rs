//! `meshc lsp` as editors start it.

use mesh_tests::editor::Editor;
use serde_json::{Value, json};

const MESH: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n";

fn params(folder: &std::path::Path) -> Value {
    json!({
        "processId": null,
        "capabilities": { "general": { "positionEncodings": ["utf-8"] } },
        "workspaceFolders": [{ "uri": format!("file://{}", folder.display()), "name": "f" }],
    })
}

/// The messages of the findings of a document, the first line of each.
fn messages(editor: &Editor, uri: &str) -> Vec<String> {
    let findings = editor
        .published
        .get(uri)
        .and_then(|it| it["diagnostics"].as_array());
    let message = |finding: &Value| {
        let text = finding["message"].as_str().unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    findings.into_iter().flatten().map(message).collect()
}

#[test]
fn a_session_over_standard_input_and_output() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("a.mesh");
    std::fs::write(&path, MESH).expect("a file");
    let uri = format!("file://{}", path.display());
    let mut editor = Editor::start(params(folder.path()));
    assert_eq!(editor.capabilities["positionEncoding"], "utf-8");

    // What is open counts, not what was saved.
    let text = format!("{MESH}service a {{ endpoints 127.0.0.1:1; calls b }}\n");
    editor.open(&uri, &text);
    editor.wait("findings", |it| {
        messages(it, &uri) == ["no service is called `b`"]
    });
    let document = json!({ "uri": uri, "version": 2 });
    let end = json!({ "line": 2, "character": 0 });
    let change = json!({
        "range": { "start": end, "end": end },
        "text": "service b { endpoints 127.0.0.1:2 }\n",
    });
    editor.notify(
        "textDocument/didChange",
        json!({ "textDocument": document, "contentChanges": [change] }),
    );
    editor.wait("no findings", |it| messages(it, &uri).is_empty());

    let position = json!({ "line": 1, "character": 41 });
    let place = json!({ "textDocument": { "uri": uri }, "position": position });
    let definition = editor.request("textDocument/definition", place.clone());
    assert_eq!(
        definition[0]["range"]["start"],
        json!({ "line": 2, "character": 8 })
    );
    let mut rename = place;
    rename["newName"] = json!("books");
    let edit = editor.request("textDocument/rename", rename);
    assert_eq!(edit["changes"][&uri].as_array().map(Vec::len), Some(2));
    assert!(editor.end().success());
}

#[test]
fn a_server_whose_editor_has_gone_ends() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut editor = Editor::start(params(folder.path()));
    editor.open("untitled:1", MESH);
    assert_eq!(editor.hang_up().code(), Some(1));
}
