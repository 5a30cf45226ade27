//! The `.mesh` language: text to tokens, tokens to a lossless tree, and the vocabulary that says
//! what the words of the tree may be.
//!
//! In the order in which a file goes through:
//!
//! - [`source`]: files, spans, lines and columns;
//! - [`lexer`]: text to tokens; [`syntax`]: the kinds of tokens and nodes;
//! - [`parser`]: tokens to the [`tree`] and the diagnostics of syntax; [`view`]: typed handles into
//!   the tree;
//! - [`value`]: durations, percentages, addresses, path patterns and all other literals;
//! - [`vocabulary`]: the table of all statements, and the check of a tree against it;
//! - [`mod@format`]: from a tree to the one layout of its text;
//! - [`diagnostic`] and [`codes`]: what there is to report; [`nearest`]: "did you mean …?".
//!
//! The crate reads no files and knows nothing of what services, routes and rules mean. It takes any
//! text, in time proportional to its length, and never panics on it.
//!
//! ```
//! use mesh_lang::source::Sources;
//!
//! let mut sources = Sources::new();
//! let file = sources.add("shop.mesh", "service cart { timeout 5 }\n");
//! let parse = mesh_lang::parser::parse(file, sources.get(file).text());
//! assert!(parse.diagnostics.is_empty());
//!
//! let findings = mesh_lang::vocabulary::check(&parse.tree);
//! assert_eq!(findings[0].code.name(), "missing-unit");
//! ```

#![forbid(unsafe_code)]

pub mod codes;
pub mod diagnostic;
pub mod format;
pub mod lexer;
pub mod nearest;
pub mod parser;
pub mod source;
pub mod syntax;
pub mod tree;
pub mod value;
pub mod view;
pub mod vocabulary;
