//! Bundles on their way from `meshc` to the nodes that follow them.

use mesh_tests::client::get;
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::path::Path;
use std::process::Command;

fn policy(http: u16, text: &str) -> String {
    format!(
        "mesh t {{ mtls off; authz open-by-default }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> respond 200 \"{text}\" }} }}
         service shop {{ endpoints 127.0.0.1:1; calls none }}"
    )
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The end, and all that was said.
fn meshc(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binaries::path("meshc"))
        .args(arguments)
        .output()
        .expect("it can be started");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Runs `meshc` to its good end.
fn done(arguments: &[&str]) -> String {
    let (code, said) = meshc(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

fn answer(http: u16) -> String {
    get("/")
        .send_and_wait(local(http))
        .expect("traffic goes on")
        .text()
}

fn comes_to_say(http: u16, text: &str) {
    wait::until("the release", || (answer(http) == text).then_some(()));
}

#[test]
fn a_node_follows_what_is_published_and_taken_back() {
    let http = ports::free();
    let source = Policy::new(&policy(http, "one"));
    let (mesh, slices, target) = (
        source.path("mesh"),
        source.path("slices"),
        source.path("target"),
    );
    let publish = |answer: &str| {
        std::fs::write(mesh.join("policy.mesh"), policy(http, answer)).expect("it can be written");
        done(&["compile", text(&mesh), "-o", text(&slices), "--slice"]);
        done(&["publish", text(&slices), text(&target), "--keep", "3"])
    };
    let said = publish("one");
    assert!(said.contains("published 2 bundles as release 1"), "{said}");
    let followed = target.join("current/gateway/edge.bundle");
    let meshd = Meshd::serve(&followed, "gateway/edge", &["--access-log", "off"]);
    assert_eq!(answer(http), "one");
    publish("two");
    comes_to_say(http, "two");
    let said = done(&["publish", text(&slices), text(&target)]);
    assert!(said.starts_with("unchanged "), "{said}");
    let said = done(&["rollback", text(&target)]);
    assert!(said.contains("current   release 1 of "), "{said}");
    comes_to_say(http, "one");
    publish("three");
    comes_to_say(http, "three");
    let said = publish("four");
    assert!(said.contains("removed   release 1;"), "{said}");
    let said = done(&["rollback", text(&target), "--list"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0].starts_with("current        4  2 slices of b3:"),
        "{said}"
    );
    let (code, said) = meshc(&["rollback", text(&target), "--to", "1"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("there is no release 1; there are 2, 3, 4"),
        "{said}"
    );
    assert_eq!(
        meshd.metric("mesh_reloads_total{result=\"rejected\"}"),
        Some(0)
    );
}

/// Nodes take nothing older than they had: what is taken back is signed anew.
#[test]
fn a_signed_release_is_signed_anew_to_go_back_to_it() {
    let http = ports::free();
    let source = Policy::new(&policy(http, "one"));
    let (key, target) = (source.path("ours"), source.path("target"));
    done(&["keygen", text(&key)]);
    let (private, public) = (source.path("ours.key"), source.path("ours.pub"));
    let publish = |answer: &str| {
        source.update(&policy(http, answer));
        done(&["sign", text(&source.bundle()), "--key", text(&private)]);
        done(&["publish", text(&source.bundle()), text(&target)]);
    };
    publish("one");
    let followed = target.join("current/policy.bundle");
    let _meshd = Meshd::serve(
        &followed,
        "gateway/edge",
        &["--access-log", "off", "--trust", text(&public)],
    );
    publish("two");
    comes_to_say(http, "two");
    let (code, said) = meshc(&["rollback", text(&target)]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("release 1 is signed, and nodes that trust its key"),
        "{said}"
    );
    assert_eq!(answer(http), "two");
    let said = done(&["rollback", text(&target), "--sign", text(&private)]);
    assert!(said.contains("\nby        key "), "{said}");
    comes_to_say(http, "one");
}

#[test]
fn what_is_no_bundle_is_not_published() {
    let source = Policy::new(&policy(ports::free(), "one"));
    let target = source.path("target");
    let refused = |from: &Path, sentence: &str| {
        let (code, said) = meshc(&["publish", text(from), text(&target)]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(sentence), "{said}");
        assert!(!target.exists(), "nothing is made");
    };
    refused(&source.path("mesh"), "there is no bundle in");
    let cut = source.path("cut.bundle");
    let bytes = std::fs::read(source.bundle()).expect("it is there");
    std::fs::write(&cut, &bytes[..200]).expect("it can be written");
    refused(&cut, "is damaged: 200 of its");
    let several = source.path("several");
    std::fs::create_dir(&several).expect("it is new");
    std::fs::copy(source.bundle(), several.join("a.bundle")).expect("it can be copied");
    let other = Policy::new("mesh other { mtls off; authz open-by-default }\n");
    std::fs::copy(other.bundle(), several.join("b.bundle")).expect("it can be copied");
    refused(&several, "these bundles are of several meshes: t, other");
}

/// An editor saves, and nodes serve it; what does not compile is told, and nothing is written.
#[test]
fn compile_watch_writes_whenever_a_file_changes() {
    let http = ports::free();
    let source = Policy::new(&policy(http, "one"));
    let mesh = source.path("mesh");
    let mut watch = Process::run(
        Command::new(binaries::path("meshc"))
            .args(["compile", ".", "--watch", "-o", "served.bundle"])
            .current_dir(&mesh),
    );
    let bundle = mesh.join("served.bundle");
    wait::until("the first bundle", || bundle.exists().then_some(()));
    let meshd = Meshd::serve(&bundle, "gateway/edge", &["--access-log", "off"]);
    assert_eq!(answer(http), "one");
    let save =
        |text: &str| std::fs::write(mesh.join("policy.mesh"), text).expect("it can be written");
    save(&policy(http, "two"));
    comes_to_say(http, "two");
    save("mesh t { nonsense }\n");
    wait::until("the mistake to be told", || {
        watch.errors().contains("nonsense").then_some(())
    });
    assert_eq!(answer(http), "two");
    save(&policy(http, "three"));
    comes_to_say(http, "three");
    // What it writes is no change of the mesh.
    let compiled = |watch: &Process| watch.output().matches("compiled  ").count();
    assert!(compiled(&watch) <= 4, "{}", watch.output());
    assert_eq!(
        meshd.metric("mesh_reloads_total{result=\"rejected\"}"),
        Some(0)
    );
    watch.signal("INT");
    assert!(watch.wait().success(), "{}", watch.errors());
}
