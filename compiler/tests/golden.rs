//! Bundles of every released version of the format open and decide as they did when they were written.
//!
//! `golden/VERSION/NAME.bundle` was written by the compiler of its time from `NAME.mesh`, and `NAME.txt` is what it
//! decided. None of them is changed any more once its version is released. `UPDATE_GOLDEN=1` writes those of the version that is
//! being worked on.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{Bundle, MAJOR, MINOR};
use std::path::{Path, PathBuf};
use support::{decisions, exercise};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// What a golden bundle is about.
const NAME: &str = "everything";

fn current() -> PathBuf {
    golden().join(format!("{MAJOR}.{MINOR}"))
}

fn is_updated() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

fn update() {
    let file = current().join(NAME);
    std::fs::create_dir_all(current()).unwrap();
    let bytes = support::everything();
    let bundle = Bundle::open(bytes.clone()).unwrap();
    std::fs::write(file.with_extension("mesh"), support::EVERYTHING).unwrap();
    std::fs::write(file.with_extension("bundle"), bytes).unwrap();
    std::fs::write(file.with_extension("txt"), decisions(&bundle)).unwrap();
}

#[test]
fn bundles_of_all_versions_decide_as_they_did() {
    if is_updated() {
        return update();
    }
    let mut found = 0;
    for version in std::fs::read_dir(golden()).unwrap() {
        let version = version.unwrap().path();
        for file in std::fs::read_dir(&version).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|it| it != "bundle") {
                continue;
            }
            let bundle = Bundle::open(std::fs::read(&file).unwrap());
            let bundle = bundle.unwrap_or_else(|error| panic!("{} {error}", file.display()));
            let (major, minor) = bundle.format();
            assert!(version.ends_with(format!("{major}.{minor}")));
            exercise(&bundle, 100);
            let expected = std::fs::read_to_string(file.with_extension("txt")).unwrap();
            assert_eq!(decisions(&bundle), expected, "{}", file.display());
            found += 1;
        }
    }
    assert!(found > 0);
}

/// Not byte for byte: what a compiler writes may become better without becoming another format.
#[test]
fn what_is_made_now_decides_like_what_is_kept() {
    if is_updated() {
        return; // the other test writes what is kept
    }
    let file = current().join(NAME);
    let text = std::fs::read_to_string(file.with_extension("mesh")).unwrap();
    let made = Bundle::open(support::compiled(&text)).unwrap();
    let kept = std::fs::read(file.with_extension("bundle")).unwrap();
    let kept = Bundle::open(kept).unwrap();
    assert_eq!(decisions(&made), decisions(&kept));
}
