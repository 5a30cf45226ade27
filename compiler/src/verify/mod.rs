//! Proofs: what holds for all requests, and a request that shows it where something does not.
//!
//! ```text
//! tables, conditions ─▶ Space ◀─ World        what is asked of each field, refined together; which requests there are
//!                         │
//!            Question ─▶ ask ─▶ Verdict       Yes(request) │ No │ NotDecided(reason)
//!                         │
//!   Proof: every arm ─▶ Reach, Lint           each request that is found is put before the code that decides
//! ```
//!
//! - [`space`]: several tables in one space of facets and path classes; questions about where requests end.
//! - `lists`: which arms may take the paths of a class. `segments`: which classes have paths, and which path.
//! - `solve`: from "these formulas hold, those fail" to a value for each field, by splitting cases.
//! - `field`: whether one field has a value that fits all that is asked of it, and which. `domain`: what its values
//!   are among. `word`, `readers`, `path_readers`: the product of automata, walked and never built.
//! - [`reach`]: which arms are reached, what takes the requests of the others. [`lint`]: what is most likely not meant.
//! - `assert`: what the mesh claims of all requests.
//! - `retried`, `hashed`, `rates`: what some request has to show: retries that never happen, hashes of what is not
//!   there, rates that clients get around.
//! - [`tables`], `rules`: the tables of a mesh, with the requests that come to each. `graph`: who calls whom, and what adds up on
//!   the way. `selection`: choices of the inventory. `report`: what is said of them.
//! - [`budget`](Budget): when a proof gives up. What gave up says so, and is never taken for "no".
//!
//! # Questions
//!
//! A set of requests is never built. It is said by formulas over the facets of a space, and a question about it is
//! whether some request fulfils them: which end at these arms ([`End`]), of which this holds and that does not. Any
//! restriction is a [`Condition`](crate::model::condition::Condition) that is given to the space with the tables: some
//! hosts, a language of paths, a source, constants of headers.
//!
//! **One table.** "Is arm 7 reached?" is a question with one end. "What takes its requests?" is one without ends: its
//! own formula holds, those of the arms found so far fail; the code that decides says who takes the request that
//! is found. "Does arm 3 take requests of arm 7?": it ends with 3, and the formula of 7 holds.
//!
//! **Composition.** What happens to a request on its way is decided by one table after the other, each of which sees
//! what the ones before it made of the request. So what a later table asks is first said of the request as it came
//! in, arm by arm of the table before: a field that the arm sets to a constant makes a test of it true or false (`And`
//! of nothing, `Or` of nothing); `source` is the gateway; a pattern behind `rewrite prefix` has the arm's own prefix in
//! place of the new one. All these tables go into one space, and a way through them is a question with an end in
//! each. `never X reaches Y` asks, for each way that leads to Y and each rule that allows, whether some request of X
//! takes it:
//!
//! ```text
//! Space::new(world, [gateway's arms, Y's route as seen through arm A, Y's rules as seen through both], [X, what is asserted])
//! ask(ends: [gateway ends with A, route ends with B, rules end with an allow], holds: [X], fails: [unless …])
//! ```
//!
//! The first `Yes` is the counterexample; if all are `No` the assertion holds; a `NotDecided` counts as failing and
//! says why. Where a rewrite can only be said from above, a `Yes` is tried with the real code, and what does not
//! come out is "not decided".
//!
//! **Difference.** The old and the new table go into one space, and each pair of ends that do not do the same is a
//! question with both. Where their arms share no class of paths it is answered at once.

mod assert;
mod budget;
mod classes;
pub mod decider;
pub mod diff;
mod domain;
mod field;
mod graph;
mod hashed;
pub mod lint;
mod lists;
mod path_readers;
mod rates;
pub mod reach;
mod readers;
mod report;
mod request;
mod retried;
mod rules;
mod segments;
mod selection;
mod solve;
pub mod space;
pub mod tables;
#[cfg(test)]
mod tests;
mod word;
mod world;

pub use assert::findings as assertions;
pub use budget::Budget;
pub(crate) use graph::fleet;
pub use lint::{Lint, What};
pub use reach::{Cover, Covered, Proof, Reach};
pub use report::{Interest, findings};
pub use request::{Claim, Request, Token};
pub use space::{End, Question, Space, TableId};
pub use world::{Door, World};

use std::fmt;

/// The answer to a question about all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is one: this.
    Yes(Box<Request>),
    /// There is none.
    No,
    /// Neither was found out.
    NotDecided(Reason),
}

/// Why something was not decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Too many cases.
    Cases,
    /// What is asked of this field together explodes.
    Field(String),
    /// A value was found that no request can be shown with.
    NoRequest,
    /// The code that decides does not agree with the proof: one of them is wrong.
    Disagreement,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cases => f.write_str("what is asked here has too many cases"),
            Self::Field(name) => write!(
                f,
                "what is asked of `{name}` here makes an automaton that is too large to search"
            ),
            Self::NoRequest => f.write_str("no request could be written down for it"),
            Self::Disagreement => f.write_str(
                "the proof and the code that decides do not agree, which is a fault of meshc",
            ),
        }
    }
}
