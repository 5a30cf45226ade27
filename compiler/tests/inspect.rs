//! What `meshc inspect` says of a bundle.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{Bundle, Section};
use meshc::inspect::{human, inspect, node, records};
use meshc::report::Style;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const MESH: &str = r#"
param canary = 10%
mesh shop { mtls off; authz open-by-default; lints { allow open-service } }
gateway edge {
  listen 8080 http
  host shop.example { /cart/** -> cart; otherwise -> redirect "https://elsewhere.example/" }
}
service cart {
  version v1 { endpoints 127.0.0.1:9001 }
  version v2 { endpoints 127.0.0.1:9002 }
  calls n/stock { timeout 1s }
  # lint: allow not-acted-on (the next release retries)
  retry 2 on 5xx
  route { otherwise -> split canary v2, rest v1 }
}
test "carts are the service's" {
  request GET http://shop.example/cart/7
  expect cart
  request GET http://shop.example/
  expect redirect 302 "https://elsewhere.example/"
}
namespace n { export service stock { endpoints 127.0.0.1:9003; calls none } }
"#;

fn bundle() -> Bundle {
    let mut checked = support::checked(MESH);
    checked.warn_of_what_is_not_acted_on();
    let planned = checked.plan();
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    Bundle::open(planned.unwrap().bytes).unwrap()
}

#[test]
fn people_see_what_it_is_made_of() {
    let bundle = bundle();
    let text = human::describe(&inspect(&bundle), Style::PLAIN);
    // Of another compiler it may be another one.
    let text = text
        .replace(&bundle.id().in_full(), "b3:ID")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

#[test]
fn people_see_what_a_node_does() {
    let bundle = bundle();
    let mut text = String::new();
    for name in node::names(&bundle) {
        text += &human::describe_node(&node::of(&bundle, &name).unwrap());
    }
    insta::assert_snapshot!(text);
    assert!(node::of(&bundle, "sidecar/none").is_none());
}

#[test]
fn programs_see_all_records_with_names_for_codes() {
    let bundle = bundle();
    for section in Section::ALL {
        let all = records::of(&bundle, *section);
        if !matches!(section, Section::StringOffsets | Section::StringBytes) {
            let entry = bundle
                .contents()
                .iter()
                .find(|it| it.section.get() == section.number());
            let there = entry.map_or(0, |entry| entry.count.get() as usize);
            assert_eq!(all.len(), there, "{}", section.name());
        }
    }
    let mesh = &records::of(&bundle, Section::Mesh)[0];
    assert_eq!(mesh["name"], "shop");
    assert_eq!(mesh["mtls"]["value"], "Off");
    assert_eq!(mesh["mtls"]["place"], "everything.mesh:3");
    assert_eq!(mesh["slice"], "Everybody");
    assert_eq!(mesh["tracing"]["value"], "off");
    let arm = &records::of(&bundle, Section::Arms)[0];
    assert!(arm["location"].is_string(), "{arm}");
}

#[test]
fn the_command_prints_one_document_for_programs() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("shop.bundle");
    std::fs::write(&file, bundle().bytes()).unwrap();
    let run = |arguments: &[&str]| {
        let meshc = Path::new(env!("CARGO_BIN_EXE_meshc"));
        let output = Command::new(meshc)
            .arg("inspect")
            .arg(&file)
            .args(arguments)
            .output();
        output.unwrap()
    };
    let output = run(&[
        "--format",
        "json",
        "--node",
        "gateway/edge",
        "--section",
        "all",
    ]);
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["mesh"], "shop");
    assert_eq!(document["bundle"], bundle().id().in_full());
    assert_eq!(document["node"]["sends_to"], serde_json::json!(["cart"]));
    assert_eq!(document["records"]["SERVICES"].as_array().unwrap().len(), 2);
    let output = run(&["--node", "gateway/egde"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("perhaps `gateway/edge` is meant"),
        "{errors}"
    );
    std::fs::write(&file, &bundle().bytes()[..100]).unwrap();
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is damaged: 100 of its "));
}
