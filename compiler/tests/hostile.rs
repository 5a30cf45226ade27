//! Bundles that somebody damaged or made up: opening says no or the bundle is safe to use, and nothing
//! panics or goes on for ever.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{
    Bundle, HEADER_LENGTH, Header, MAX_LENGTH, MAX_SECTIONS, OpenError, seal,
};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::path::Path;
use support::{compiled, everything as policy, exercise, mutate, numbers};
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

/// A bundle so small that each of its bytes can be changed.
fn small() -> Vec<u8> {
    compiled(
        "mesh t { mtls off; authz open-by-default }
         service a { version v { endpoints 127.0.0.1:1 }; retry 2 on 5xx; calls none }
         gateway edge {
           listen 8080 http
           host *.a.example {
             GET /a/{id}, /b/x{y} when query.q > 3 -> split 10% a.v, rest a
             otherwise -> redirect 308 { path \"/c\" }
           }
         }",
    )
}

#[test]
fn a_made_up_bundle_with_the_right_hash_is_refused_or_harmless() {
    for (bytes, step) in [(small(), 1), (policy(), 5)] {
        let mut opened = 0;
        for (turn, at) in (HEADER_LENGTH..bytes.len()).step_by(step).enumerate() {
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

/// Wrong in a few places, and right in form.
#[test]
fn what_a_mutator_makes_that_knows_the_format_is_refused_or_harmless() {
    let bytes = policy();
    let mut random = numbers(1);
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..4_000 {
        let mut changed = bytes.clone();
        for _ in 0..=random() % 3 {
            if let Some(next) = mutate(&changed, &mut random) {
                changed = next;
            }
        }
        match Bundle::open(changed) {
            Ok(bundle) => {
                exercise(&bundle, REQUESTS);
                opened += 1;
            }
            Err(_) => refused += 1,
        }
    }
    // It neither breaks everything nor nothing.
    assert!(opened > 400 && refused > 400, "{opened} and {refused}");
}

/// What fuzzing started from, and what it found to reach further.
#[test]
fn what_fuzzing_found_is_refused_or_harmless() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundle/fuzz/corpus/open");
    let mut opened = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let mut bytes = std::fs::read(file.unwrap().path()).unwrap();
        seal(&mut bytes);
        if let Ok(bundle) = Bundle::open(bytes) {
            exercise(&bundle, 100);
            opened += 1;
        }
    }
    assert!(opened > 0);
}

/// As many as there may be, and one more.
#[test]
fn sizes_and_counts_end_where_they_should() {
    let bytes = policy();
    let sentence = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        Bundle::open(changed).unwrap_err().to_string()
    };
    let too_many = sentence(&|bytes| {
        bytes[12..16].copy_from_slice(&(MAX_SECTIONS as u32 + 1).to_le_bytes());
        seal(bytes);
    });
    assert_eq!(
        too_many,
        "is damaged: section TOC lists more sections than a bundle may have"
    );
    let most = sentence(&|bytes| {
        bytes[12..16].copy_from_slice(&(MAX_SECTIONS as u32).to_le_bytes());
        seal(bytes);
    });
    assert_ne!(most, too_many);
    for (length, expected) in [
        (MAX_LENGTH as u64 + 1, "at most"),
        (u64::MAX, "at most"),
        (MAX_LENGTH as u64, "bytes are there"),
        (0, "bytes follow its end"),
    ] {
        let said = sentence(&|bytes| bytes[24..32].copy_from_slice(&length.to_le_bytes()));
        assert!(said.contains(expected), "{length}: {said}");
    }
    // A content that ends within the header, or behind the file.
    for length in [0, 63, bytes.len() as u64 + 1, u64::MAX] {
        let said = sentence(&|bytes| bytes[16..24].copy_from_slice(&length.to_le_bytes()));
        assert!(said.contains("does not match its hash"), "{length}: {said}");
    }
    // Records whose number and length multiply to more than there is.
    let entry = HEADER_LENGTH;
    for (stride, count) in [(u32::MAX, u32::MAX), (1 << 31, 2), (0, 1), (1, 0)] {
        let said = sentence(&|bytes| {
            bytes[entry + 12..entry + 16].copy_from_slice(&stride.to_le_bytes());
            bytes[entry + 16..entry + 20].copy_from_slice(&count.to_le_bytes());
            seal(bytes);
        });
        assert!(said.starts_with("is damaged: section MESH "), "{said}");
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
