//! The compiler of .mesh policies.
//!
//! ```text
//!  .mesh files ─ project ─▶ texts ─ mesh_lang ─▶ trees ─ resolve ─▶ model ─ plan ─▶ bundle
//!                                                  │                  │             │
//!                                                  └──── report ◀─────┴── verify ◀──┘
//! ```
//!
//! - [`project`]: which files a mesh is made of; `files`: how they, and those that it names, are read.
//! - [`resolve`]: from trees to the [`model`], where names are indices and values have types.
//! - [`plan`]: from the model to the records and decision diagrams of a bundle.
//! - [`verify`]: what holds of all requests, proved; an arm that none reaches, with what takes its requests.
//! - [`params`]: parameters from a file.
//! - [`compile`]: all of it in one call; [`lint`]: how strict lints are, and where they are silent.
//! - [`report`]: what users and their tools see of diagnostics; [`fix`]: what their fixes make of files; [`lines`]: what
//!   of a file goes with a statement.
//! - [`spell`]: from the model back to text, as `meshc expand` prints it.
//! - [`testing`]: the tests of a mesh, run on its bundle; [`way`]: the way of a request, told.
//! - [`replay`]: the requests of an access log, put before another policy.
//! - [`inspect`]: what there is to know of a bundle; [`publish`]: directories of releases, for nodes to follow.
//! - [`access`]: who may ask what of a service; [`graph`]: what calls what; [`matrix`]: who may do what.
//! - [`cli`]: the commands; `up`: the local mesh (a feature, on by default).

#![forbid(unsafe_code)]

pub mod access;
pub mod cli;
pub mod compile;
mod files;
pub mod fix;
pub mod graph;
pub mod inspect;
pub mod lines;
pub mod lint;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod matrix;
pub mod model;
pub mod params;
pub mod plan;
pub mod project;
pub mod publish;
#[cfg(test)]
mod reference;
pub mod replay;
pub mod report;
pub mod resolve;
pub mod spell;
pub mod testing;
#[cfg(feature = "up")]
pub mod up;
pub mod verify;
pub mod way;
