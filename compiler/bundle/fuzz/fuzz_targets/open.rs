//! Any bytes are refused or are a bundle that can be asked anything. The hash is put right first, so that
//! what is checked behind it is reached; half of the changes are made by a mutator that knows the format.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use mesh_bundle::Bundle;
use mesh_bundle::format::seal;

#[path = "../../tests/support/exercise.rs"]
mod exercise;
#[path = "../../tests/support/mutate.rs"]
mod mutate;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    if let Ok(bundle) = Bundle::open(bytes) {
        exercise::exercise(&bundle, 100);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut state = u64::from(seed);
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    if random() % 2 == 0
        && let Some(changed) = mutate::mutate(&data[..size], &mut random)
        && changed.len() <= max_size
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});
