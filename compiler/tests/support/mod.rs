//! Meshes and requests that several tests need.

#![allow(dead_code, unreachable_pub, unused_imports)] // each test needs some

pub mod decisions;
#[path = "../../bundle/tests/support/exercise.rs"]
mod exercise;
#[path = "../../bundle/tests/support/mutate.rs"]
mod mutate;

pub use decisions::decisions;
pub use exercise::exercise;
use meshc::compile::{Checked, Selection, check};
use meshc::project::Project;
pub use mutate::mutate;

/// A mesh that uses every statement of the language.
pub const EVERYTHING: &str = include_str!("../policies/everything.mesh");

/// Numbers that look random and are the same each time.
pub fn numbers(seed: u64) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    }
}

/// The mesh of a text.
pub fn checked(text: &str) -> Checked {
    let project = Project::of_texts([("everything.mesh", text)]);
    check(project, &Selection::default())
}

/// The bundle of a mesh, whatever its lints and proofs say of it.
pub fn compiled(text: &str) -> Vec<u8> {
    let mut checked = checked(text);
    let planned = checked.lay_out();
    planned
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
        .bytes
}

/// The bundle of a mesh that uses every statement of the language.
pub fn everything() -> Vec<u8> {
    compiled(EVERYTHING)
}
