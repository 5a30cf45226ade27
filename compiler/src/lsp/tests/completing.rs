//! What may be written at the cursor.

use super::session::{Session, abilities, cursor};
use gen_lsp_types::{CompletionItem, CompletionRequest, CompletionResponse};
use serde_json::Value;

const MESH: &str = "\
mesh t { mtls off; authz open-by-default }
param canary = 10%
let qa = header.x-team == \"qa\"
jwt corp { issuer \"https://a.example\"; jwks file \"jwks.json\" }
policy patient { timeout 10s }
service cart { version v1 { endpoints 127.0.0.1:1 }; version v2 { endpoints 127.0.0.1:2 } }
service card { endpoints 127.0.0.1:3 }
namespace pay { export service ledger { endpoints 127.0.0.1:4 } }
gateway edge { listen 80 http; host shop.example { /cart/** -> cart } }
";

/// What is offered at the `‸` of a text that stands behind the mesh.
fn items(text: &str, abilities: &Value) -> Vec<CompletionItem> {
    let (text, position) = cursor(&format!("{MESH}{text}"));
    let mut session = Session::with_abilities(&[], abilities);
    session.open("a.mesh", &text);
    let place = session.place("a.mesh", position);
    match session.ask::<CompletionRequest>(place) {
        Some(CompletionResponse::CompletionList(list)) => list.items,
        Some(CompletionResponse::CompletionItemList(items)) => items,
        None => Vec::new(),
    }
}

fn labels(text: &str) -> Vec<String> {
    items(text, &abilities())
        .into_iter()
        .map(|item| item.label)
        .collect()
}

#[track_caller]
fn offers(text: &str, wanted: &[&str]) {
    let labels = labels(text);
    for label in wanted {
        assert!(
            labels.iter().any(|it| it == label),
            "{text}: no {label} in {labels:?}"
        );
    }
}

#[track_caller]
fn offers_not(text: &str, unwanted: &[&str]) {
    let labels = labels(text);
    for label in unwanted {
        assert!(
            labels.iter().all(|it| it != label),
            "{text}: {label} in {labels:?}"
        );
    }
}

#[test]
fn statements_are_those_of_the_block() {
    offers("‸", &["service", "gateway", "mesh", "export"]);
    offers_not("‸", &["timeout", "allow"]);
    offers(
        "service x {\n  ‸\n}",
        &["timeout", "route", "authz", "endpoints"],
    );
    offers_not("service x {\n  ‸\n}", &["listen", "service"]);
    offers("service x { t‸", &["timeout"]);
    offers("service x { timeout 5s { ‸ } }", &["connect", "idle"]);
    offers("service x { authz { ‸", &["allow", "deny"]);
    offers(
        "gateway g { host a.example {\n GET /x -> cart\n ‸",
        &["GET", "otherwise", "require", "/x"],
    );
    offers("assert \"a\" { ‸ }", &["never", "always", "only", "every"]);
    offers("test \"a\" { ‸ }", &["request", "expect"]);
    offers("env e { ‸ }", &["set"]);
    offers("namespace n { ‸ }", &["service"]);
    offers_not("namespace n { ‸ }", &["mesh", "namespace"]);
}

#[test]
fn arguments_are_those_of_the_statement() {
    offers("service x { protocol ‸ }", &["http", "grpc", "tcp"]);
    offers("service x { timeout ‸ }", &["off", "5s"]);
    offers("service x { timeout 25‸ }", &["25ms", "25s", "25m"]);
    offers(
        "service x { retry 2 on ‸ }",
        &["5xx", "reset", "grpc", "503"],
    );
    offers(
        "service x { retry 2 on 5xx, ‸ }",
        &["reset", "connect-failure"],
    );
    offers("service x { retry 2 on 5xx, grpc ‸ }", &["unavailable"]);
    offers("service x { use ‸ }", &["patient"]);
    offers("service x { calls ‸ }", &["cart", "pay/ledger"]);
    offers_not("service x { calls ‸ }", &["edge", "cart.v1"]);
    offers("service x { mirror 5% ‸ }", &["cart", "cart.v1"]);
    offers("service x { max-body 1‸ }", &["1MiB"]);
    offers("service x { request-header ‸ }", &["set", "add", "remove"]);
    offers("service x { request-header set ‸ }", &["x-request-id"]);
    offers("gateway g { host a { require ‸ } }", &["jwt", "key"]);
    offers("gateway g { host a { require jwt ‸ } }", &["corp"]);
    offers("service x { balance hash by ‸ }", &["source.ip", "header."]);
    offers("mesh m { lints { allow ‸ } }", &["unused-suppression"]);
}

#[test]
fn arms_go_on() {
    let arm = |rest: &str| format!("service x {{ route {{ {rest} }} }}");
    let gateway = |rest: &str| format!("gateway g {{ host a.example {{ {rest} }} }}");
    offers(&gateway("GET ‸"), &["when", "->", "/cart/**"]);
    offers(&gateway("GET, ‸"), &["POST"]);
    offers(
        &gateway("GET /x -> ‸"),
        &[
            "cart",
            "cart.v1",
            "pay/ledger",
            "split",
            "respond",
            "redirect",
        ],
    );
    offers(&gateway("GET /x -> split ‸"), &["10%", "canary", "rest"]);
    offers(&gateway("GET /x -> split 10% ‸"), &["cart.v2"]);
    offers(&gateway("GET /x -> split 10% cart.v2, ‸"), &["rest"]);
    offers(&gateway("GET /x -> redirect ‸"), &["301", "308"]);
    offers_not(&gateway("GET /x -> redirect ‸"), &["404"]);
    offers(&gateway("GET /x -> respond ‸"), &["404"]);
    offers(&gateway("GET /x -> cart { ‸ }"), &["timeout", "rewrite"]);
    offers(
        "service x { version v7 { endpoints 127.0.0.1:1 }; route { otherwise -> ‸ } }",
        &["v7", "self", "cart"],
    );
    offers(&arm("GET /x ->\n ‸"), &["cart"]);
}

#[test]
fn conditions_go_on() {
    let arm = |rest: &str| format!("gateway g {{ host a.example {{ GET /x when {rest} }} }}");
    offers(&arm("‸"), &["header.", "method", "qa", "not", "jwt.corp"]);
    offers(&arm("header.‸"), &["header.authorization", "header.x-team"]);
    offers(&arm("jwt.corp.‸"), &["jwt.corp.groups", "jwt.corp.sub"]);
    offers(&arm("method ‸"), &["==", "in", "!="]);
    offers_not(&arm("method ‸"), &["matches"]);
    offers(&arm("method == ‸"), &["GET", "POST"]);
    offers(&arm("method in [GET, ‸"), &["POST"]);
    offers(&arm("source == ‸"), &["edge", "cart"]);
    offers(&arm("source.namespace == ‸"), &["pay"]);
    offers(&arm("header.x == \"a\" ‸"), &["and", "or", "->"]);
    offers(&arm("header.x == \"a\" and ‸"), &["method", "qa"]);
    offers(&arm("(not ‸"), &["method"]);
    offers(&arm("qa -> ‸"), &["cart"]);
    offers("let y = ‸", &["header.", "method"]);
}

#[test]
fn rules_claims_and_steps_go_on() {
    let rule = |rest: &str| format!("service x {{ authz {{ {rest} }} }}");
    offers(
        &rule("allow ‸"),
        &["cart", "edge", "anyone", "any service", "namespace"],
    );
    offers(&rule("allow cart ‸"), &["to", "when", "unless"]);
    offers(&rule("allow cart to ‸"), &["GET", "/cart/**"]);
    offers(&rule("allow namespace ‸"), &["pay"]);
    offers(&rule("allow cart, ‸"), &["card"]);
    let claim = |rest: &str| format!("assert \"a\" {{ {rest} }}");
    offers(&claim("never ‸"), &["internet", "cart"]);
    offers(&claim("never internet ‸"), &["reaches"]);
    offers(&claim("never internet reaches ‸"), &["cart"]);
    offers(
        &claim("never internet reaches cart ‸"),
        &["GET", "transitively", "unless"],
    );
    offers(&claim("every route in ‸"), &["edge"]);
    offers(&claim("every route in edge has ‸"), &["timeout"]);
    offers(&claim("every route in edge requires jwt ‸"), &["corp"]);
    let step = |rest: &str| format!("test \"a\" {{ {rest} }}");
    offers(&step("request ‸"), &["GET"]);
    offers(
        &step("request GET ‸"),
        &["https://shop.example/", "http://cart/"],
    );
    offers(&step("request GET http://cart/ from ‸"), &["edge", "card"]);
    offers(&step("expect ‸"), &["403", "cart", "cart.v1"]);
    offers("env e { set ‸ }", &["param", "service"]);
    offers("env e { set param ‸ }", &["canary"]);
    offers("routes ‸", &["edge"]);
    offers("routes edge ‸", &["shop.example"]);
}

#[test]
fn nothing_is_offered_in_comments_and_strings() {
    assert_eq!(labels("# tim‸"), [""; 0]);
    assert_eq!(labels("service x { jwks \"‸\" }"), [""; 0]);
}

#[test]
fn an_editor_without_snippets_gets_plain_words() {
    let mut abilities = abilities();
    abilities["textDocument"]["completion"] = Value::Null;
    for item in items("‸", &abilities) {
        let edit = serde_json::to_value(item.text_edit).expect("an edit");
        let text = edit["newText"].as_str().unwrap_or_default();
        assert!(!text.contains('$'), "{text}");
    }
}
