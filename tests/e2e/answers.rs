//! What meshc answers about a mesh: its tests, and the ways of requests.

use mesh_tests::binaries;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command prints, and how it ends, run beside the examples.
fn meshc(arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(binaries::path("meshc"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .current_dir(examples())
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout) + &text(&output.stderr),
        output.status.code(),
    )
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[test]
fn tests_run_and_what_they_leave_untouched_is_listed() {
    let (told, code) = meshc(&["test", "multi-tenant", "--coverage"]);
    assert_eq!(code, Some(0), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn every_example_passes_its_tests() {
    for entry in std::fs::read_dir(examples()).expect("there are examples") {
        let path = entry.expect("it can be read").path();
        let is_mesh = |path: &Path| path.extension().is_some_and(|it| it == "mesh");
        let mut files = walk(&path);
        if !files.any(|file| is_mesh(&file)) {
            continue;
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (told, code) = meshc(&["test", &name]);
        assert_eq!(code, Some(0), "{name}: {told}");
        assert!(!told.contains("there is no test"), "{name}: {told}");
    }
}

fn walk(path: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
    if !path.is_dir() {
        return Box::new(std::iter::empty());
    }
    let entries = std::fs::read_dir(path).expect("it can be read");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    Box::new(paths.flat_map(|path| {
        if path.is_dir() {
            walk(&path)
        } else {
            Box::new(std::iter::once(path))
        }
    }))
}

#[test]
fn a_failing_test_shows_the_way_and_keeps_the_bundle_from_being_written() {
    let directory = tempfile::tempdir().expect("there is room");
    let mesh = directory.path().join("a.mesh");
    std::fs::write(
        &mesh,
        "mesh t { mtls off; authz open-by-default }\n\
         gateway edge { listen 8080 http; host shop.example { /a -> shop } }\n\
         service shop { endpoints 127.0.0.1:9001 }\n\
         test \"b is served\" { request GET http://shop.example/b; expect shop }\n\
         test \"a is served\" { request GET http://shop.example/a; expect shop }\n",
    )
    .expect("it can be written");
    let mesh = mesh.to_string_lossy();
    let (told, code) = meshc(&["test", &mesh]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("the request is refused with 404: no arm takes it"),
        "{told}"
    );
    assert!(
        told.contains("1 of 2 tests failed; 1 of 1 arm touched"),
        "{told}"
    );
    let (told, code) = meshc(&["test", &mesh, "--filter", "a is"]);
    assert_eq!(code, Some(0), "{told}");
    let (told, code) = meshc(&["test", &mesh, "--format", "json", "--coverage"]);
    assert_eq!(code, Some(1), "{told}");
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["tests"][0]["passed"], false);
    assert_eq!(told["tests"][1]["passed"], true);
    assert_eq!(told["coverage"][0]["touched"], true);
    let bundle = directory.path().join("a.bundle");
    let (told, code) = meshc(&["compile", &mesh, "-o", &bundle.to_string_lossy()]);
    assert_eq!(code, Some(1), "{told}");
    assert!(!bundle.exists(), "{told}");
}

#[test]
fn the_way_of_a_request_is_told() {
    let split = [
        "route",
        "GET",
        "http://reviews/reviews/0",
        "bookinfo",
        "--from",
        "productpage",
    ];
    let claims = ["--claims", "user={\"sub\": \"a\"}"];
    let orders = [
        "route",
        "GET",
        "https://api.shop.example/v2/orders/7",
        "api-edge",
    ];
    let preflight = [
        "route",
        "OPTIONS",
        "https://api.shop.example/v2/orders/7",
        "api-edge",
        "-H",
        "access-control-request-method: DELETE",
        "-H",
    ];
    let refused = [
        "route",
        "POST",
        "http://cart/",
        "bookinfo",
        "--from",
        "nobody",
    ];
    let mut told = String::new();
    for arguments in [
        &split[..],
        &orders,
        &[&orders[..], &claims].concat(),
        &[&preflight[..], &["origin: https://shop.example"]].concat(),
        &[&preflight[..], &["origin: https://else.example"]].concat(),
        &refused,
    ] {
        let answer = meshc(arguments).0;
        told.push_str(&["$ meshc ", &arguments.join(" "), "\n", &answer, "\n"].concat());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_bundle_tells_the_way_by_itself() {
    let directory = tempfile::tempdir().expect("there is room");
    let bundle = directory.path().join("b.bundle");
    let bundle = bundle.to_string_lossy();
    let (told, code) = meshc(&["compile", "bookinfo", "-o", &bundle]);
    assert_eq!(code, Some(0), "{told}");
    let request = ["route", "GET", "https://bookinfo.example/productpage"];
    let (told, code) = meshc(&[&request[..], &[&bundle, "--format", "json"]].concat());
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    let way = &told["ways"][0];
    assert_eq!(way["service"], "productpage");
    assert_eq!(way["share"], 100.0);
    assert_eq!(way["steps"][0]["who"], "edge");
    assert_eq!(way["steps"][1]["place"], "bookinfo.mesh:24");
}

/// Runs git in a directory, as somebody who needs no settings.
fn git(directory: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@a.example"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("git is there");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// What `meshc diff` says in a directory, and how it ends.
fn diff(directory: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(binaries::path("meshc"))
        .arg("diff")
        .args(arguments)
        .env("NO_COLOR", "1")
        .current_dir(directory)
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout) + &text(&output.stderr),
        output.status.code(),
    )
}

const RULED: &str = "mesh t { mtls off }\n\
    param slow = 3s\n\
    env prod { set param slow = 10s }\n\
    service shop { endpoints 127.0.0.1:9001; timeout slow; authz { allow anyone to GET } }\n";

#[test]
fn revisions_environments_and_directories_are_compared() {
    let repository = tempfile::tempdir().expect("there is room");
    let root = repository.path();
    let mesh = root.join("shop");
    std::fs::create_dir(&mesh).expect("it can be made");
    std::fs::write(mesh.join("a.mesh"), RULED).expect("it can be written");
    git(root, &["init", "--quiet"]);
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "-m", "a"]);
    let wider = RULED.replace("to GET", "to GET, POST");
    std::fs::write(mesh.join("a.mesh"), wider).expect("it can be written");

    // A revision of the current directory, or of another.
    let (told, code) = diff(&mesh, &["HEAD", "."]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.starts_with("widened      shop  refused by no rule that allows, now let in"),
        "{told}"
    );
    let (told, code) = diff(root, &["HEAD:shop", "shop", "--fail-on", "widened"]);
    assert_eq!(code, Some(1), "{told}");
    let (told, code) = diff(root, &["shop", "HEAD:shop", "--fail-on", "widened"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("narrowed"), "{told}");

    let (told, code) = diff(&mesh, &[".", ".#prod", "--format", "json"]);
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["changes"][0]["kind"], "reliability");
    assert_eq!(told["changes"].as_array().map(Vec::len), Some(1));
    let (told, _) = diff(&mesh, &[".", ".#prod", "--format", "markdown"]);
    assert!(
        told.starts_with("### reliability\n\n- **shop** `timeout 3s"),
        "{told}"
    );

    // Bundles by themselves, with the places of the sources.
    for (bundle, revision) in [("old.bundle", "HEAD"), ("new.bundle", ".")] {
        if revision == "HEAD" {
            git(root, &["stash", "--quiet"]);
        }
        let bundle = root.join(bundle);
        let (bundle, mesh) = (bundle.to_string_lossy(), mesh.to_string_lossy());
        let (told, code) = meshc(&["compile", &mesh, "--text", "-o", &bundle]);
        assert_eq!(code, Some(0), "{told}");
        if revision == "HEAD" {
            git(root, &["stash", "pop", "--quiet"]);
        }
    }
    let (told, _) = diff(root, &["old.bundle", "new.bundle"]);
    assert!(
        told.starts_with("widened      shop  refused by no rule"),
        "{told}"
    );
    assert!(told.contains("\n             a.mesh:4\n"), "{told}");
    let (told, code) = meshc(&[
        "compile",
        "bookinfo",
        "-o",
        &root.join("b.bundle").to_string_lossy(),
    ]);
    assert_eq!(code, Some(0), "{told}");
    let (told, code) = diff(root, &["b.bundle", "new.bundle"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("b.bundle does not hold its mesh: `meshc compile --text`"),
        "{told}"
    );

    let (told, code) = diff(&mesh, &["no-such-branch", "."]);
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("is neither a file or directory nor a revision of git"),
        "{told}"
    );
    std::fs::write(mesh.join("a.mesh"), "mesh t {").expect("it can be written");
    let (told, code) = diff(&mesh, &["HEAD", "."]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("E0106"), "{told}");
}
