//! The language server: what an editor is told while somebody writes a policy.
//!
//! ```text
//!  editor ── messages ──▶ server ── edits ──▶ world: documents, meshes ──▶ words and syntax, at once
//!    ▲                      │  ▲                │
//!    │                      │  └── proofs ── prover, on a thread of its own
//!    └── answers, findings ─┘
//! ```
//!
//! One thread owns all state and takes one message after the other, so that an answer is always about the text
//! that the editor had when it asked. What takes long is done elsewhere for a revision of a mesh, and dropped
//! if there is a later one by then. Only the modules here know the types of the protocol.
//!
//! [`server`] is the loop, [`dispatch`] says who answers what; there is a module for each kind of request.
//! [`live`] is a mesh that is being edited, [`names`] what its words refer to.

mod actions;
mod calls;
mod capabilities;
mod client;
mod commands;
mod completion;
mod diagnostics;
mod dispatch;
mod edits;
mod folding;
mod formatting;
mod hints;
mod hover;
mod lenses;
mod links;
mod live;
mod names;
mod navigation;
mod paths;
mod position;
mod prover;
mod rename;
mod server;
mod spot;
mod symbols;
#[cfg(test)]
mod tests;
mod tokens;
mod workspace;
mod world;

use lsp_server::Connection;

pub use self::server::{Ended, serve};

/// Serves the editor at standard input and output until it says goodbye.
pub fn run() -> Result<Ended, String> {
    let (connection, threads) = Connection::stdio();
    let ended = server::serve(connection)?;
    match ended {
        // The threads end with the editor's end of the pipe, which may stay open.
        Ended::Abandoned => {}
        Ended::Asked => threads.join().map_err(|error| error.to_string())?,
    }
    Ok(ended)
}
