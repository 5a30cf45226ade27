//! Sessions with a client in the same process, over the connection that the real one has.

mod completing;
mod editing;
mod findings;
mod hovering;
mod navigating;
mod outlining;
mod session;
mod typing;

use self::session::Session;
use crate::lsp::server::Ended;
use serde_json::{Value, json};

#[test]
fn a_session_ends_as_the_editor_wishes() {
    assert_eq!(Session::start(&[]).end(), Ended::Asked);
}

#[test]
fn an_editor_may_go_without_a_word() {
    let mut session = Session::start(&[]);
    session.open("a.mesh", "mesh a { }\n");
    drop(session);
}

#[test]
fn what_is_not_known_is_refused_and_the_session_goes_on() {
    let mut session = Session::start(&[]);
    let error = session
        .request("textDocument/frobnicate", json!({}))
        .expect_err("nobody knows it");
    assert_eq!(error.code, -32601);
    let error = session
        .request("textDocument/hover", json!({ "textDocument": 1 }))
        .expect_err("it is no hover");
    assert_eq!(error.code, -32602);
    let params = json!({ "textDocument": { "uri": "file:///nowhere.mesh" }, "position": { "line": 0, "character": 0 } });
    assert!(session.request("textDocument/hover", params).is_err());
    session.notify("textDocument/didChange", json!({ "odd": true }));
    session.notify("$/odd", Value::Null);
    assert_eq!(session.end(), Ended::Asked);
}

#[test]
fn after_shutdown_nothing_is_answered() {
    let mut session = Session::start(&[]);
    session
        .request("shutdown", Value::Null)
        .expect("it is answered");
    let error = session
        .request("textDocument/hover", json!({}))
        .expect_err("it was asked to end");
    assert_eq!(error.code, -32600);
}
