//! The harness of the end-to-end tests: real binaries, real sockets, files in a directory of their own.
//!
//! - [`binaries`]: builds `meshc`, `meshd` and `mesh-demo` once, and says where they are.
//! - [`process`]: a process that is stopped when it is dropped.
//! - [`policy`]: a policy on disk, its ports chosen, compiled by `meshc`.
//! - [`editor`]: an editor that talks to `meshc lsp`.
//! - [`meshd`]: a running node.
//! - [`client`]: an HTTP/1.1 and HTTP/2 client that shows everything.
//! - [`wait`]: conditions with a deadline; nothing sleeps for luck.

pub mod binaries;
pub mod client;
pub mod editor;
pub mod meshd;
pub mod policy;
pub mod ports;
pub mod process;
pub mod wait;
