//! The runtime: a bundle and sockets become served requests.
//!
//! A process runs one or more [`Node`]s of a mesh: a gateway, or the sidecar of a service. What each
//! request meets is decided by the bundle, in the very code that proved it (`mesh_bundle`); here is
//! what stands around that decision.
//!
//! ```text
//!             control thread                      a worker (one thread each; no lock, nothing shared)
//!  file ─▶ reload ─▶ snapshot ═══ channel ═══▶ listen ─▶ request ─▶ upstream ─▶ endpoint
//!  admin, signals                                 └── wheel (deadlines), telemetry (cells, log) ──┘
//! ```
//!
//! - [`node`]: which gateway or sidecar it is. [`config`]: what the machine says of it.
//! - `control`: the thread that is no request. `reload`: following a file. `snapshot`: what is in
//!   force.
//! - `worker`, `wheel`: a thread that serves, and its deadlines. `listen`: sockets, TLS, connections.
//! - `request`: the life of a request. `upstream`: endpoints and connections to them.
//! - `telemetry`, `status`, `admin`: what is told about all that.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = meshd::Source::open("bookinfo.bundle".as_ref())?;
//! let node = "gateway/edge".parse()?;
//! let nodes = vec![(node, meshd::NodeOptions::default())];
//! let bundle = Arc::clone(source.bundle());
//! let runtime = meshd::Runtime::start(bundle, nodes, meshd::ProcessOptions::default())?;
//! runtime.shutdown();
//! runtime.wait();
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod admin;
pub mod cli;
pub mod config;
mod control;
mod listen;
pub mod node;
mod reload;
mod request;
mod runtime;
mod snapshot;
mod status;
mod telemetry;
/// Bundles made by hand, as in the integration tests.
#[cfg(test)]
#[allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]
#[path = "../tests/it/support/mesh.rs"]
mod test_mesh;
mod upstream;
mod wheel;
mod worker;

pub use listen::tls::CertificateError;
pub use node::{Node, NodeError, NodeKind, NodeSyntaxError};
pub use reload::gate::{Gate, GateError};
pub use reload::{Source, SourceError};
pub use runtime::{
    Drain, Exit, ListenerInfo, NodeOptions, ProcessOptions, ReloadError, ReloadReport, Runtime,
    StartError,
};
pub use snapshot::SnapshotError;
pub use telemetry::access_log::AccessLog;
