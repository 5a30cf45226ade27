//! The table of the language's words.
//!
//! An entry is a statement in one form. A word whose forms differ in their arguments or blocks has
//! an entry for each; of two that start alike the one that says more stands first.

mod gateway;
mod items;
mod mesh;
mod proof;
mod security;
mod service;
mod traffic;

use super::Statement;

pub use self::items::{ACTIONS, ITEMS};

/// All statements, by part of the language.
pub(super) const STATEMENTS: &[&[Statement]] = &[
    mesh::STATEMENTS,
    service::STATEMENTS,
    gateway::STATEMENTS,
    traffic::STATEMENTS,
    security::STATEMENTS,
    proof::STATEMENTS,
];
