//! `meshc graph` and `meshc matrix` as people and scripts call them.

use mesh_tests::binaries;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

fn meshc(arguments: &[&str]) -> Ended {
    let mut command = Command::new(binaries::path("meshc"));
    command.args(arguments).args(["--color", "never"]);
    let output = command.stdin(Stdio::null()).output();
    let output = output.expect("meshc can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code(),
        output: text(&output.stdout),
        errors: text(&output.stderr),
    }
}

fn example(name: &str) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    examples.join(name).display().to_string()
}

/// What a command prints that does its work and has nothing to say besides.
fn done(arguments: &[&str]) -> String {
    let ended = meshc(arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.errors, "", "{arguments:?}");
    ended.output
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(arguments)).expect("a JSON document")
}

/// The member of a list whose `key` is this.
fn named<'v>(list: &'v Value, key: &str, value: &str) -> &'v Value {
    let list = list.as_array().expect("a list");
    let mut found = list.iter().filter(|it| it[key] == value);
    found
        .next()
        .unwrap_or_else(|| panic!("no {value} in {list:?}"))
}

/// A directory with a file in it.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("there is room for files");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    (directory, path)
}

#[test]
fn a_graph_is_printed_for_graphviz_where_nothing_else_is_said() {
    let text = done(&["graph", &example("bookinfo")]);
    assert!(text.starts_with("digraph \"bookinfo\" {\n"), "{text}");
    assert!(text.ends_with("}\n"), "{text}");
}

#[test]
fn edges_of_a_graph_name_its_nodes() {
    let graph = json(&["graph", &example("multi-tenant"), "--format", "json"]);
    let nodes = graph["nodes"].as_array().expect("nodes");
    let ids: Vec<&str> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    assert_eq!(ids.len(), nodes.len());
    for edge in graph["edges"].as_array().expect("edges") {
        for end in ["from", "to"] {
            assert!(ids.contains(&edge[end].as_str().expect("an id")), "{edge}");
        }
    }
    let canary = named(&graph["edges"], "to", "version:reviews/reviews.v2");
    assert_eq!(canary["carries"][0]["share"], 100_000);
    assert!(
        nodes.iter().all(|node| node["exposure"].is_null()),
        "not asked for"
    );
}

#[test]
fn exposure_tells_what_a_client_has_to_bring_and_how_far_it_comes() {
    let arguments = ["--exposure", "--format", "json"];
    let graph = json(&[&["graph", &example("zero-trust")], &arguments[..]].concat());
    let of = |id: &str| &named(&graph["nodes"], "id", id)["exposure"];
    let storefront = of("service:storefront");
    assert_eq!(storefront["reached"], "open");
    assert_eq!(storefront["hops"], 1);
    let office = of("service:back-office");
    assert_eq!(office["reached"], "behind");
    assert_eq!(office["behind"][0], "a token of staff");
    let ledger = of("service:finance/ledger");
    assert_eq!(ledger["hops"], 4);
    let graph = json(&[&["graph", &example("multi-tenant")], &arguments[..]].concat());
    let playground = named(&graph["nodes"], "id", "service:sandbox/playground");
    assert_eq!(playground["exposure"]["reached"], "not");
}

#[test]
fn pictures_are_written_to_files() {
    let directory = tempfile::tempdir().expect("there is room for files");
    for (format, begin) in [("svg", "<?xml "), ("html", "<!DOCTYPE html>")] {
        let path = directory.path().join(format);
        let path = path.to_str().expect("a plain path");
        let said = done(&["graph", &example("canary"), "--format", format, "-o", path]);
        assert_eq!(said, "");
        let text = std::fs::read_to_string(path).expect("it was written");
        assert!(text.starts_with(begin), "{text}");
    }
}

#[test]
fn a_mesh_with_errors_has_no_graph_and_no_matrix() {
    let (directory, mesh) = file("a.mesh", "mesh a { }\nservice b { calls nobody }\n");
    let mesh = mesh.to_str().expect("a plain path");
    let out = directory.path().join("out");
    for command in ["graph", "matrix"] {
        let ended = meshc(&[command, mesh, "-o", out.to_str().expect("a plain path")]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.contains("nobody"), "{ended:?}");
        assert_eq!(ended.output, "");
        assert!(!out.exists(), "nothing is written");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    for command in ["graph", "matrix"] {
        let ended = meshc(&[command, &example("canary"), "-o", "/nowhere/to/be/found"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.errors.contains("/nowhere/to/be/found"), "{ended:?}");
    }
}

#[test]
fn a_matrix_says_who_may_do_what_and_by_which_line() {
    let text = done(&["matrix", &example("zero-trust"), "--to", "checkout"]);
    assert!(text.contains("POST /orders"), "{text}");
    assert!(
        text.contains("allow storefront to POST /orders (shop.mesh:22)"),
        "{text}"
    );
    assert!(!text.contains("finance/ledger"), "{text}");
}

#[test]
fn a_cell_that_depends_on_more_says_on_what() {
    let arguments = [
        "--to",
        "finance/payments",
        "--from",
        "back-office",
        "--format",
        "json",
    ];
    let matrix = json(&[&["matrix", &example("zero-trust")], &arguments[..]].concat());
    let row = &matrix["services"][0]["callers"][0];
    assert_eq!(row["callers"], serde_json::json!(["back-office"]));
    let cell = named(&row["cells"], "paths", "/refunds/**");
    assert_eq!(cell["decision"], "depends");
    assert_eq!(
        cell["because"][0]["when"],
        "jwt.staff.groups contains \"refunds\""
    );
    assert_eq!(cell["because"][1]["rule"], "no rule allows it");
}

#[test]
fn a_matrix_for_spreadsheets_has_a_line_for_each_caller() {
    let text = done(&[
        "matrix",
        &example("zero-trust"),
        "--to",
        "storefront",
        "--format",
        "csv",
    ]);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(
        lines[0].starts_with("caller,service,methods,paths,decision,"),
        "{text}"
    );
    // Whoever has no identity, the gateway, and all other services.
    assert_eq!(lines.len(), 1 + 1 + 1 + 5 + 1, "{text}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("edge,storefront,any,any,allow,"))
    );
}

#[test]
fn a_name_that_nothing_has_is_told() {
    for (flag, name) in [("--to", "shipping"), ("--from", "shipping")] {
        let ended = meshc(&["matrix", &example("zero-trust"), flag, name]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.errors.contains("`shipping`"), "{ended:?}");
    }
}
