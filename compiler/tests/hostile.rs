//! Bundles that somebody damaged or made up: opening says no or the bundle is safe to use, and nothing
//! panics or goes on for ever.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{Bundle, HEADER_LENGTH, Header, OpenError, seal};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::path::Path;
use support::{everything as policy, exercise};
use zerocopy::FromBytes as _;

/// Requests that each made-up bundle is asked about: there are thousands of them.
const REQUESTS: usize = 4;

#[test]
fn the_same_policy_gives_the_same_bytes() {
    assert_eq!(policy(), policy());
}

#[test]
fn a_whole_bundle_opens_and_answers() {
    let bundle = Bundle::open(policy()).unwrap();
    exercise(&bundle, REQUESTS);
    assert_eq!(bundle.str(bundle.mesh().name), "t");
}

#[test]
fn cut_anywhere_it_does_not_open() {
    let bytes = policy();
    for length in 0..bytes.len() {
        let error = Bundle::open(bytes[..length].to_vec()).unwrap_err();
        assert!(error.may_be_unfinished(), "{length}: {error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        Bundle::open(longer).unwrap_err(),
        OpenError::TooLong { more: 1 }
    );
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = policy();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Bundle::open(damaged).is_err(), "byte {at}");
    }
}

#[test]
fn a_made_up_bundle_with_the_right_hash_is_refused_or_harmless() {
    let bytes = policy();
    let mut opened = 0;
    for (turn, at) in (HEADER_LENGTH..bytes.len()).step_by(5).enumerate() {
        let mut damaged = bytes.clone();
        damaged[at] ^= [0x01, 0x80, 0xff][turn % 3];
        seal(&mut damaged);
        if let Ok(bundle) = Bundle::open(damaged) {
            exercise(&bundle, REQUESTS);
            opened += 1;
        }
    }
    // Names, numbers and padding may well change; what refers to something may not.
    assert!(opened > 100, "{opened}");
}

#[test]
fn words_of_all_ones_are_refused_or_harmless() {
    let bytes = policy();
    for at in (HEADER_LENGTH..bytes.len() - 4).step_by(12) {
        let mut damaged = bytes.clone();
        damaged[at..at + 4].fill(0xff);
        seal(&mut damaged);
        if let Ok(bundle) = Bundle::open(damaged) {
            exercise(&bundle, REQUESTS);
        }
    }
}

#[test]
fn what_is_no_bundle_says_so() {
    let sentence = |bytes: &[u8]| Bundle::open(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(sentence(b""), "is empty");
    assert_eq!(
        sentence(b"#!/bin/sh\n"),
        "is no bundle: it does not begin with `MESHBNDL`"
    );
    let mut newer = policy();
    newer[8] = 9;
    assert_eq!(
        sentence(&newer),
        "is of format 9.0, and this build reads 1.x"
    );
    let (header, _) = Header::read_from_prefix(&newer).unwrap();
    assert_eq!(header.major.get(), 9);
    let mut cut = policy();
    let whole = cut.len();
    cut.truncate(whole - 1);
    assert_eq!(
        sentence(&cut),
        format!("is damaged: {} of its {whole} bytes are there", whole - 1)
    );
}

#[test]
fn the_example_compiles() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bookinfo");
    let mut checked = check(Project::load(&path).unwrap(), &Selection::default());
    let bundle = Bundle::open(checked.plan().unwrap().bytes).unwrap();
    assert_eq!(checked.diagnostics, []);
    exercise(&bundle, REQUESTS);
}
