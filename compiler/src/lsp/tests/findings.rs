//! Findings while somebody types.

use super::session::{Session, abilities, cursor, example, is_outdated};
use crate::compile::{Selection, check};
use crate::lsp::paths;
use crate::project::Project;
use gen_lsp_types::{DiagnosticSeverity, DiagnosticTag, Position};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::FileId;
use serde_json::{Value, json};
use std::path::Path;

const MESH: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n";

#[test]
fn a_mesh_without_mistakes_has_no_findings() {
    let mut session = Session::start(&[("bookinfo.mesh", &example("bookinfo/bookinfo.mesh"))]);
    session.open_file("bookinfo.mesh");
    assert_eq!(session.findings("bookinfo.mesh"), [""; 0]);
}

#[test]
fn findings_follow_what_is_typed() {
    let mut session = Session::start(&[]);
    session.open(
        "a.mesh",
        &format!("{MESH}service cart {{ endpoints 127.0.0.1:1; timeout 5 }}\n"),
    );
    assert_eq!(
        session.findings("a.mesh"),
        ["2:47 E0207 `5` is a duration only with a unit, such as `5s` or `5ms`"]
    );
    session.change(
        "a.mesh",
        &format!("{MESH}service cart {{ endpoints 127.0.0.1:1; timeout 5s }}\n"),
    );
    assert_eq!(session.findings("a.mesh"), [""; 0]);
    session.change(
        "a.mesh",
        &format!("{MESH}service cart {{ calls card; endpoints 127.0.0.1:1 }}\n"),
    );
    assert_eq!(session.findings("a.mesh").len(), 1);
    session.close("a.mesh");
    session.wait("no findings", |it| {
        it.published["a.mesh"].diagnostics.is_empty()
    });
}

#[test]
fn what_is_not_used_is_faded_unless_it_is_imported() {
    let files = [
        (
            "m/a.mesh",
            "import \"../common\"\nmesh t { trust-domain t.example }\nparam spare = 1s\n",
        ),
        ("common/b.mesh", "policy patient { timeout 9s }\n"),
    ];
    let mut session = Session::start(&files);
    session.open_file("m/a.mesh");
    session.open_file("common/b.mesh");
    assert_eq!(
        session.findings("m/a.mesh"),
        ["3:7 L112 nothing uses `param spare`"]
    );
    let found = &session.published["m/a.mesh"].diagnostics;
    assert_eq!(found[0].tags, Some(vec![DiagnosticTag::Unnecessary]));
    assert_eq!(session.findings("common/b.mesh"), [""; 0]);
}

#[test]
fn files_of_a_mesh_are_one() {
    let files = [
        ("m/mesh.mesh", MESH),
        (
            "m/teams/a.mesh",
            "service a { endpoints 127.0.0.1:1; calls b }\n",
        ),
        ("m/teams/b.mesh", "service b { endpoints 127.0.0.1:2 }\n"),
    ];
    let mut session = Session::start(&files);
    session.open_file("m/teams/a.mesh");
    assert_eq!(session.findings("m/teams/a.mesh"), [""; 0]);
    // What was not saved counts.
    session.open("m/teams/b.mesh", "service c { endpoints 127.0.0.1:2 }\n");
    assert_eq!(session.findings("m/teams/a.mesh").len(), 1);
    // What was only in the editor is gone when it is closed.
    session.close("m/teams/b.mesh");
    assert_eq!(session.findings("m/teams/a.mesh"), [""; 0]);
    // Somebody else changes a file.
    std::fs::write(
        session.path("m/teams/b.mesh"),
        "service d { endpoints 127.0.0.1:2 }\n",
    )
    .expect("a file");
    let change = json!({ "uri": session.uri("m/teams/b.mesh"), "type": 2 });
    session.notify(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [change] }),
    );
    assert_eq!(session.findings("m/teams/a.mesh").len(), 1);
}

#[test]
fn findings_of_files_that_are_not_open_are_shown_too() {
    let files = [
        ("mesh.mesh", MESH),
        (
            "b.mesh",
            "service b { endpoints 127.0.0.1:2; calls nobody }\n",
        ),
    ];
    let mut session = Session::start(&files);
    session.open_file("mesh.mesh");
    session.findings("mesh.mesh");
    session.wait("findings of the other", |it| {
        it.published.contains_key("b.mesh")
    });
    assert_eq!(session.published["b.mesh"].version, None);
    session.close("mesh.mesh");
    session.wait("none", |it| it.published["b.mesh"].diagnostics.is_empty());
}

#[test]
fn a_finding_has_its_places_its_code_and_what_to_do() {
    let mut session = Session::start(&[]);
    session.open("a.mesh", &format!("{MESH}param x = 1\nparam x = 2\n"));
    assert_eq!(session.findings("a.mesh").len(), 1);
    let finding = &session.published["a.mesh"].diagnostics[0];
    assert_eq!(finding.severity, Some(DiagnosticSeverity::Error));
    assert_eq!(finding.source.as_deref(), Some("meshc"));
    let related = finding
        .related_information
        .as_ref()
        .expect("the first declaration");
    assert_eq!(
        related[0].location.range.start,
        Position {
            line: 1,
            character: 6
        }
    );
    let gen_lsp_types::Message::String(message) = &finding.message else {
        panic!("{finding:?}")
    };
    assert!(
        message.ends_with("duplicate-decl: meshc explain E0223"),
        "{message}"
    );
}

#[test]
fn columns_are_counted_as_agreed() {
    let text = format!("{MESH}test \"𝄞é\" {{ request GET http://x/ from nobody; expect 200 }}\n");
    for (encodings, column) in [
        (json!(["utf-8"]), 44),
        (json!(["utf-16"]), 41),
        (Value::Null, 41),
    ] {
        let mut abilities = abilities();
        abilities["general"] = json!({ "positionEncodings": encodings });
        let mut session = Session::with_abilities(&[], &abilities);
        session.open("a.mesh", &text);
        let findings = session.findings("a.mesh");
        let at = format!("2:{column} ");
        assert!(
            findings.iter().any(|it| it.starts_with(&at)),
            "{encodings}: {findings:?}"
        );
        // An edit behind the odd characters.
        let (line, start) = (1, column - 1);
        let range = json!({
            "start": { "line": line, "character": start },
            "end": { "line": line, "character": start + 6 },
        });
        session.edit("a.mesh", &json!({ "range": range, "text": "nobodies" }));
        let findings = session.findings("a.mesh");
        assert!(
            findings.iter().any(|it| it.contains("nobodies")),
            "{findings:?}"
        );
    }
}

#[test]
fn what_was_asked_of_an_old_text_is_not_answered() {
    let mut session = Session::start(&[]);
    let (text, position) = cursor("mesh t { mtls‸ off }\n");
    session.open("a.mesh", &text);
    // The hover waits for proofs; the text changes before.
    let mut refused = 0;
    for round in 0..20 {
        let place = session.place("a.mesh", position);
        let id = session.send_request("textDocument/hover", place);
        session.change("a.mesh", &format!("{text}# {round}\n"));
        let answer = session.answer(&id);
        refused += u32::from(is_outdated(&answer));
    }
    assert!(refused > 0);
}

#[test]
fn a_request_may_be_taken_back() {
    let mut session = Session::start(&[]);
    session.open("a.mesh", MESH);
    let place = session.place("a.mesh", Position::default());
    let id = session.send_request("textDocument/hover", place);
    session.notify("$/cancelRequest", json!({ "id": 2 }));
    match session.answer(&id) {
        Ok(_) => {} // it was faster
        Err(error) => assert_eq!(error.code, -32800),
    }
}

#[test]
fn a_buffer_that_lies_nowhere_is_a_mesh_by_itself() {
    let mut session = Session::start(&[("other.mesh", "mesh o { }\n")]);
    let document = json!({ "uri": "untitled:Untitled-1", "languageId": "mesh", "version": 1, "text": "mesh { }" });
    session.notify("textDocument/didOpen", json!({ "textDocument": document }));
    session.wait("findings", |it| {
        it.published.contains_key("untitled:Untitled-1")
    });
    assert_eq!(session.published.len(), 1);
}

#[test]
fn several_folders_have_their_own_meshes() {
    let files = [
        ("one/mesh.mesh", MESH),
        (
            "one/a.mesh",
            "service a { endpoints 127.0.0.1:1; calls b }\n",
        ),
        ("two/mesh.mesh", MESH),
        ("two/b.mesh", "service b { endpoints 127.0.0.1:1 }\n"),
    ];
    let mut session = Session::start(&files);
    session.open_file("one/a.mesh");
    session.open_file("two/b.mesh");
    assert_eq!(
        session.findings("one/a.mesh").len(),
        1,
        "b is in another mesh"
    );
    assert_eq!(session.findings("two/b.mesh"), [""; 0]);
    let folder = json!({ "uri": session.uri(""), "name": "folder" });
    let event = json!({ "added": [], "removed": [folder] });
    session.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": event }),
    );
    assert_eq!(session.findings("two/b.mesh"), [""; 0]);
}

#[test]
fn an_editor_is_told_what_meshc_lint_tells() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let examples = examples.canonicalize().expect("they are there");
    let mut session = Session::start(&[]);
    let folder = json!({ "uri": paths::to_uri(&examples), "name": "examples" });
    let event = json!({ "added": [folder], "removed": [] });
    session.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": event }),
    );
    let mut opened = 0;
    for entry in std::fs::read_dir(&examples).expect("a directory").flatten() {
        let mesh = entry.path();
        let Some(project) = mesh.is_dir().then(|| Project::load(&mesh).ok()).flatten() else {
            continue;
        };
        let mut checked = check(project, &Selection::default());
        checked.plan();
        for index in 0..checked.files as u32 {
            let name = checked.sources.get(FileId(index)).name();
            let uri = paths::to_uri(&mesh.join(name));
            let own = |it: &&Diagnostic| it.span().is_some_and(|span| span.file == FileId(index));
            let told = checked
                .diagnostics
                .iter()
                .filter(own)
                .map(|it| it.code.id().to_owned());
            let mut told: Vec<String> = told.collect();

            let text = std::fs::read_to_string(mesh.join(name)).expect("a file");
            let document = json!({ "uri": uri, "languageId": "mesh", "version": 1, "text": text });
            session.notify("textDocument/didOpen", json!({ "textDocument": document }));
            let place = json!({ "textDocument": { "uri": uri }, "position": Position::default() });
            session
                .request("textDocument/hover", place)
                .expect("it is answered");
            let key = mesh.join(name).display().to_string();
            session.wait("findings", |it| it.published.contains_key(&key));
            let code = |it: &gen_lsp_types::Diagnostic| match &it.code {
                Some(gen_lsp_types::Code::String(code)) => code.clone(),
                _ => String::new(),
            };
            let mut shown: Vec<String> = session.published[&key]
                .diagnostics
                .iter()
                .map(code)
                .collect();
            told.sort();
            shown.sort();
            assert_eq!(shown, told, "{key}");
            opened += 1;
        }
    }
    assert!(opened > 0);
}
