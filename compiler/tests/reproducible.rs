//! The same sources, parameters and compiler give the same bytes, wherever and whenever that is.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::Bundle;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const FILES: [(&str, &str); 3] = [
    ("everything.mesh", support::EVERYTHING),
    (
        "more/a.mesh",
        "service a { endpoints 127.0.0.1:1; authz { allow b } }\n",
    ),
    (
        "more/b.mesh",
        "service b { endpoints 127.0.0.1:2; calls a; authz { allow edge } }\n",
    ),
];

/// The files in a directory of their own, written in some order.
fn directory(order: [usize; 3]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("more")).unwrap();
    for (name, text) in order.map(|index| FILES[index]) {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn compile(mesh: &str, here: &Path, setup: impl FnOnce(&mut Command)) -> Vec<u8> {
    let output = tempfile::tempdir().unwrap();
    let file = output.path().join("out.bundle");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshc"));
    command
        .args(["compile", mesh, "-o"])
        .arg(&file)
        .current_dir(here);
    setup(&mut command);
    let done = command.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    std::fs::read(file).unwrap()
}

#[test]
fn place_time_and_surroundings_leave_no_trace() {
    let (one, other) = (directory([0, 1, 2]), directory([2, 0, 1]));
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options()
        .write(true)
        .open(other.path().join("everything.mesh"))
        .unwrap();
    file.set_modified(old).unwrap();
    let first = compile(".", one.path(), |_| {});
    let path = other.path().to_str().unwrap();
    let second = compile(path, Path::new("/"), |command| {
        command
            .env("TZ", "Pacific/Auckland")
            .env("LC_ALL", "tr_TR.UTF-8")
            .env("SOURCE_DATE_EPOCH", "1");
    });
    assert_eq!(first, second);
    assert!(Bundle::open(first.clone()).is_ok());
    let text = String::from_utf8_lossy(&first);
    assert!(
        !text.contains(one.path().to_str().unwrap()),
        "no absolute paths"
    );
}

#[test]
fn what_the_content_depends_on_is_said_in_it() {
    let mesh = directory([0, 1, 2]);
    let facts = |bytes: Vec<u8>| -> Vec<(String, String)> {
        let bundle = Bundle::open(bytes).unwrap();
        let facts = bundle.provenances().iter();
        facts
            .map(|it| {
                (
                    bundle.str(it.key).to_owned(),
                    bundle.str(it.value).to_owned(),
                )
            })
            .collect()
    };
    let value = |facts: &[(String, String)], key: &str| {
        let found = facts.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone()).unwrap()
    };
    let first = facts(compile(".", mesh.path(), |_| {}));
    let set = facts(compile(".", mesh.path(), |command| {
        command.args(["--set", "canary=25%"]);
    }));
    assert_eq!(value(&first, "param canary"), "10%");
    assert_eq!(value(&set, "param canary"), "25%");
    assert_eq!(value(&first, "sources"), value(&set, "sources"));
    assert_eq!(
        value(&first, "compiler"),
        concat!("meshc ", env!("CARGO_PKG_VERSION"))
    );
    // A word moved from one file to the other is another source.
    std::fs::write(
        mesh.path().join("more/a.mesh"),
        format!("{}# why\n", FILES[1].1),
    )
    .unwrap();
    let changed = facts(compile(".", mesh.path(), |_| {}));
    assert_ne!(value(&first, "sources"), value(&changed, "sources"));
    assert_eq!(value(&first, "sources").len(), "b3:".len() + 64);
}
