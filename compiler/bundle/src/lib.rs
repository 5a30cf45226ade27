//! What `meshc` and `meshd` agree on: the bundle format, and the code that decides.
//!
//! A policy is compiled once into a **bundle**: one file of sections of fixed-stride little-endian
//! records. Whoever reads it opens it with [`Bundle::open`], which validates all of it, so that
//! reading afterwards cannot fail. Whoever wants to know what a request meets asks [`decide`]: the
//! runtime for live traffic, the compiler for tests and proofs. There is no second matcher.
//!
//! ```text
//!  compiler: model ─▶ format::Draft ─▶ bytes ═══ file ═══▶ Bundle::open ─▶ Bundle
//!                                                                           │
//!  request ─▶ NormalPath, host ─▶ RequestView ──────────────────────────▶ decide ─▶ arm
//! ```
//!
//! - [`format`]: header, sections, records; writing, opening, validating.
//! - [`path`] and [`host`]: the one normalisation that comes before all matching.
//! - [`classify`]: a value to its class (path automaton, literals, byte automata, intervals).
//! - [`decide`]: decision diagrams over classes, and their evaluation.
//! - [`route`]: from a request to an endpoint set, through gateway arms, service routes and splits.
//! - [`template`]: paths that are put together from what an arm captured; [`rewrite`], [`redirect`]: what
//!   is forwarded in place of what came, and where clients are pointed to.
//! - [`journey`]: the whole way of a request given as data, for tools: every decision, every branch.
//! - [`sample`]: requests that a bundle carries, to see that it does what it was compiled to do.
//! - [`asked`]: the fields that decisions asked for, as access logs name them and hide their values.
//! - [`cors`]: what answers a preflight.
//! - [`policy`]: what is in force for a call, and which level's value wins.
//! - [`needs`]: what a bundle needs of the runtime that serves it.
//! - [`signature`]: who vouches for a bundle, and whom a node trusts.

#![forbid(unsafe_code)]

pub mod asked;
pub mod classify;
pub mod cors;
pub mod decide;
pub mod format;
pub mod hash;
pub mod host;
pub mod journey;
pub mod needs;
pub mod path;
pub mod policy;
pub mod redirect;
pub mod rewrite;
pub mod route;
pub mod sample;
pub mod signature;
pub mod template;

pub use decide::{Field, RequestView, Value, decide};
pub use format::{Bundle, BundleId, OpenError, Sealed};
pub use path::{EncodedSlash, NormalPath, PathError};
