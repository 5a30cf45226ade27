//! Opening a bundle takes at most twice its size again, whatever is in it: nobody makes a node run out of memory
//! with a file.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::Bundle;
use peak_alloc::PeakAlloc;
use std::fmt::Write as _;
use support::{compiled, everything, mutate, numbers};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a sentence about a mistake takes, and a list of sections.
const SMALL: usize = 8 << 10;

/// The most that was allocated besides the file while it was opened.
fn needed(bytes: Vec<u8>) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let bundle = Bundle::open(bytes);
    let needed = ALLOCATOR.peak_usage().saturating_sub(before);
    drop(bundle);
    needed
}

fn of_many_arms(count: usize) -> Vec<u8> {
    let mut text = "mesh t { mtls off; authz open-by-default }
        service a { endpoints 127.0.0.1:1 }
        gateway edge { listen 8080 http; host a.example {\n"
        .to_owned();
    for index in 0..count {
        let _ = writeln!(
            text,
            "/items/{index}/{{id}} when header.x-{} == \"{index}\" -> a",
            index % 7
        );
    }
    text += "otherwise -> a } }\n";
    compiled(&text)
}

/// The only test of its process: nothing else allocates meanwhile.
#[test]
fn opening_takes_at_most_twice_the_input() {
    let mut all = vec![everything(), of_many_arms(2_000)];
    let mut random = numbers(2);
    for turn in 0..500 {
        if let Some(changed) = mutate(&all[turn % 2], &mut random) {
            all.push(changed);
        }
    }
    for bytes in all {
        let length = bytes.len();
        let needed = needed(bytes);
        assert!(needed <= 2 * length + SMALL, "{needed} bytes for {length}");
    }
}
