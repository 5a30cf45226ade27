//! What commands print for programs keeps to its published schema, for every example.

use mesh_tests::binaries;
use meshc::{graph, inspect, matrix, replay, testing, verify, way};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Directories with a mesh that compiles by itself.
fn examples() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let entries = std::fs::read_dir(examples).expect("they are there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let has_mesh = |path: &PathBuf| {
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut names = files.map(|file| file.path());
        names.any(|name| name.extension().is_some_and(|it| it == "mesh"))
    };
    let mut paths: Vec<PathBuf> = paths.filter(has_mesh).collect();
    paths.sort();
    assert!(paths.len() > 5, "{paths:?}");
    paths
}

/// What `meshc` prints with `--format json`.
fn printed(arguments: &[&str]) -> Value {
    let mut command = Command::new(binaries::path("meshc"));
    let output = command.args(arguments).args(["--format", "json"]).output();
    let output = output.expect("meshc can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{errors}"))
}

struct Schema(jsonschema::Validator);

impl Schema {
    /// A schema that does not take everything.
    fn new(text: &str) -> Self {
        let schema = serde_json::from_str(text).expect("it is JSON");
        let validator = jsonschema::validator_for(&schema).expect("it is a schema");
        for wrong in [json!({}), json!([]), json!(null)] {
            assert!(!validator.is_valid(&wrong), "{wrong}");
        }
        Self(validator)
    }

    /// Fails where a document is not what the schema says, or has more than it names.
    fn takes(&self, document: &Value, whose: &str) {
        let errors = self.0.iter_errors(document);
        let errors: Vec<String> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{whose}: {errors:#?}");
        let mut more = document.clone();
        more["another"] = json!(1);
        assert!(!self.0.is_valid(&more), "{whose}");
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn bundles_are_described_as_the_schema_of_inspect_says() {
    let schema = Schema::new(inspect::SCHEMA);
    let directory = tempfile::tempdir().expect("there is room");
    let bundle = text(&directory.path().join("a.bundle"));
    for example in examples() {
        let mesh = text(&example);
        let status = Command::new(binaries::path("meshc"))
            .args(["compile", &mesh, "-o", &bundle])
            .output();
        assert!(
            status.expect("meshc can be started").status.success(),
            "{mesh}"
        );
        let all = printed(&["inspect", &bundle]);
        schema.takes(&all, &mesh);
        for node in all["nodes"].as_array().expect("a list") {
            let node = node.as_str().expect("text");
            let more = printed(&["inspect", &bundle, "--node", node, "--section", "all"]);
            assert_eq!(more["node"]["node"], node);
            schema.takes(&more, &mesh);
        }
    }
    // Of what is signed, and of a slice.
    let example = &examples()[0];
    let slices = text(&directory.path().join("slices"));
    let key = text(&directory.path().join("key"));
    let run = |arguments: &[&str]| {
        let mut meshc = Command::new(binaries::path("meshc"));
        let output = meshc
            .args(arguments)
            .output()
            .expect("meshc can be started");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    run(&["keygen", &key]);
    let key = format!("{key}.key");
    let mesh = text(example);
    run(&[
        "compile",
        &mesh,
        "-o",
        &bundle,
        "--sign",
        &key,
        "--valid-for",
        "30d",
    ]);
    let signed = printed(&["inspect", &bundle]);
    assert_eq!(
        signed["signatures"].as_array().map(Vec::len),
        Some(1),
        "{signed}"
    );
    schema.takes(&signed, "signed");
    run(&["compile", &mesh, "-o", &slices, "--slice"]);
    let slice = printed(&["inspect", &format!("{slices}/gateway/edge.bundle")]);
    assert_eq!(slice["slice"], "gateway/edge");
    schema.takes(&slice, "slice");
}

#[test]
fn graphs_matrices_tests_and_diffs_are_what_their_schemas_say() {
    let schemas = [
        (Schema::new(graph::SCHEMA), &["graph"][..]),
        (Schema::new(graph::SCHEMA), &["graph", "--exposure"]),
        (Schema::new(matrix::SCHEMA), &["matrix"]),
        (Schema::new(testing::SCHEMA), &["test", "--coverage"]),
    ];
    let examples = examples();
    for example in &examples {
        let mesh = text(example);
        for (schema, command) in &schemas {
            let arguments = [*command, &[&mesh]].concat();
            schema.takes(&printed(&arguments), &format!("{arguments:?}"));
        }
    }
    // Of a test that fails.
    let directory = tempfile::tempdir().expect("there is room");
    let mesh = directory.path().join("a.mesh");
    let failing = "mesh m { mtls off; authz open-by-default }
gateway edge { listen 80 http; host a.example { otherwise -> respond 404 } }
test \"it is there\" {
  request GET http://a.example/
  expect 200
}
";
    std::fs::write(&mesh, failing).expect("it can be written");
    let failed = printed(&["test", &text(&mesh)]);
    assert_eq!(failed["tests"][0]["passed"], false, "{failed}");
    Schema::new(testing::SCHEMA).takes(&failed, "a test that fails");

    let diff = Schema::new(verify::diff::SCHEMA);
    for pair in examples.windows(2) {
        let (old, new) = (text(&pair[0]), text(&pair[1]));
        let told = printed(&["diff", &old, &new]);
        assert!(
            !told["changes"].as_array().expect("a list").is_empty(),
            "{told}"
        );
        diff.takes(&told, &format!("{old} {new}"));
        diff.takes(&printed(&["diff", &old, &old]), &old);
    }
}

#[test]
fn ways_and_replays_are_what_their_schemas_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let example = |name: &str| text(&examples.join(name));
    let schema = Schema::new(way::SCHEMA);
    let (books, api) = (example("bookinfo"), example("api-edge"));
    for arguments in [
        &[
            "route",
            "GET",
            "https://bookinfo.example/productpage",
            &books,
        ][..],
        &[
            "route",
            "GET",
            "http://reviews/reviews/0",
            &books,
            "--from",
            "productpage",
        ],
        &["route", "GET", "https://api.shop.example/v2/orders/7", &api],
        &["route", "POST", "https://api.shop.example/v1/orders", &api],
        &[
            "route",
            "OPTIONS",
            "https://api.shop.example/v2/orders/7",
            &api,
            "-H",
            "origin: https://shop.example",
            "-H",
            "access-control-request-method: GET",
        ],
    ] {
        schema.takes(&printed(arguments), &format!("{arguments:?}"));
    }
    let directory = tempfile::tempdir().expect("there is room");
    let log = directory.path().join("access.log");
    let line = |path: &str, code: u16, asked: Value| {
        json!({
            "ts": "2026-11-20T09:00:00.123Z", "node": "gateway/edge", "entrance": "gateway", "scheme": "https",
            "port": 8443, "method": "GET", "path": path, "host": "api.shop.example", "code": code, "flags": "-",
            "service": null, "arm": "edge.mesh:35", "bundle": "b3:0", "client_ip": "192.0.2.7", "asked": asked,
        })
        .to_string()
    };
    let lines = [
        line("/health", 200, json!({})),
        line("/v1/orders/7", 401, json!({})),
        line("/v2/orders/7", 200, json!({ "jwt.user": true })),
        "no line".to_owned(),
        line("-", 400, Value::Null),
    ];
    std::fs::write(&log, lines.join("\n")).expect("it can be written");
    let replayed = printed(&["replay", &text(&log), &api]);
    Schema::new(replay::SCHEMA).takes(&replayed, "api-edge");
    assert_eq!(replayed["lines"], 5, "{replayed}");
    assert!(
        replayed["groups"]
            .as_array()
            .is_some_and(|it| !it.is_empty()),
        "{replayed}"
    );
}
