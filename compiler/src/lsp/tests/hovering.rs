//! What is told of the word under the cursor.

use super::session::{Session, abilities, cursor};
use gen_lsp_types::{Contents, HoverRequest};
use serde_json::Value;

/// What is told at the `‸` of a text.
fn hover(text: &str) -> String {
    hover_with(text, &abilities())
}

fn hover_with(text: &str, abilities: &Value) -> String {
    let (text, position) = cursor(text);
    let mut session = Session::with_abilities(&[], abilities);
    session.open("a.mesh", &text);
    let place = session.place("a.mesh", position);
    match session
        .ask::<HoverRequest>(place)
        .map(|hover| hover.contents)
    {
        Some(Contents::MarkupContent(told)) => told.value.replace('\u{a0}', " "),
        Some(other) => panic!("{other:?}"),
        None => String::new(),
    }
}

const SHOP: &str = "\
mesh shop { mtls off; authz open-by-default; defaults { timeout 4s } }
param canary = 10%
env prod { set param canary = 25% }
policy patient { timeout 10s; retry 3 on 5xx }
## Where things are bought.
service cart {
  version v1 { endpoints 127.0.0.1:9081 }
  version v2 { endpoints 127.0.0.1:9082 }
  use patient
  timeout { connect 1s }
  route { GET /cart/** -> split canary v2, rest v1 { retry off } }
}
gateway edge {
  listen 80 http
  host shop.example {
    GET /cart/me -> respond 403
    GET, POST /cart/** when header.x-team == \"qa\" -> cart { timeout 1m30s }
  }
}
";

/// What is told at `place`, which is in the text once but for the cursor.
fn at(place: &str) -> String {
    let plain = place.replace('‸', "");
    assert_eq!(SHOP.matches(&plain).count(), 1, "{plain}");
    hover(&SHOP.replace(&plain, place))
}

#[test]
fn a_statement_is_told_of_as_the_vocabulary_has_it() {
    insta::assert_snapshot!(at("use patient\n  time‸out"));
    insta::assert_snapshot!(at("gate‸way edge"));
    insta::assert_snapshot!(at("spl‸it canary"));
    insta::assert_snapshot!(at("header.x-te‸am"));
    insta::assert_snapshot!(at("wh‸en header"));
}

#[test]
fn a_name_is_told_of_with_what_it_comes_to() {
    insta::assert_snapshot!(at("can‸ary v2"));
    insta::assert_snapshot!(at("-> ca‸rt {"));
    insta::assert_snapshot!(at("use pat‸ient"));
    insta::assert_snapshot!(at("rest v‸1 {"));
}

#[test]
fn a_service_is_told_of_with_what_its_proxies_let_through_together() {
    let text = "\
mesh shop { mtls off; authz open-by-default }
gateway edge { listen 80 http; host shop.example { otherwise -> ca‸rt } }
service cart {
  endpoints 127.0.0.1:9081, 127.0.0.1:9082
  rate-limit 10/s
  eject after 5 errors
}
";
    let told = hover(text);
    let lines = told.lines().map(str::trim);
    let comments = lines.filter_map(|line| line.strip_prefix("# "));
    let comments: Vec<&str> = comments
        .filter_map(|line| line.split("  #").next())
        .collect();
    assert_eq!(
        comments,
        [
            "rate-limit: 20/s for all 2 proxies together",
            "eject: at most 1 of 2 endpoints out at a time",
        ]
    );
}

#[test]
fn values_are_normalised() {
    assert!(at("timeout 1m‸30s").contains("90 seconds"));
    assert!(hover("service a { max-body 64K‸iB }\n").contains("65 536 bytes"));
}

#[test]
fn an_arm_is_told_of_with_what_it_really_takes() {
    insta::assert_snapshot!(at("GET, POST /ca‸rt/**"));
}

#[test]
fn a_text_that_does_not_parse_is_told_of_as_far_as_it_goes() {
    assert!(
        hover("service a {\n  time‸out\n  route {\n    GET /x ->\n")
            .contains("How long a request may take")
    );
    assert_eq!(hover("‸"), "");
    assert_eq!(hover("}}}} ‸{{{ "), "");
}

#[test]
fn an_editor_without_markdown_gets_plain_text() {
    let mut abilities = abilities();
    abilities["textDocument"]["hover"] = Value::Null;
    let told = hover_with("service a { time‸out 5s }\n", &abilities);
    assert!(!told.contains("```"), "{told}");
}
