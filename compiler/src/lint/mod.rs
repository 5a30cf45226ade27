//! Lints: findings about policies that compile, and may still not be what was meant.
//!
//! A lint is a code with an `L`. Unlike an error it has a level that the mesh may change, and a place may be
//! excused from it, with a reason: [`levels`].

pub mod levels;
