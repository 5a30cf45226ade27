//! The library's face: start nodes, feed them bundles, stop them.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use mesh_bundle::Bundle;
use mesh_bundle::asked::Key;
use tokio::sync::mpsc::UnboundedSender;

use crate::control::{self, Command, Reply};
use crate::node::Node;
use crate::reload::Source;
use crate::reload::gate::GateError;
use crate::snapshot::SnapshotError;
use crate::status::Status;
use crate::telemetry::access_log::AccessLog;

/// How a node runs, beyond what the bundle says.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
    /// Which of its service's endpoints a sidecar stands before, by the application's address. Without
    /// it, the one that has an address of this machine.
    pub endpoint: Option<SocketAddr>,
    /// Where a sidecar takes its application's requests to others; nowhere without it.
    pub outbound: Option<SocketAddr>,
    /// Threads that serve. Without it one for a sidecar, and one per core for a gateway.
    pub workers: Option<NonZeroUsize>,
    /// Where a gateway listens if the bundle names only a port. Without it, at every address.
    pub bind: Option<IpAddr>,
    /// Ports of a gateway that are really others, for tests and for machines where some are not to be
    /// had; 0 is any that is free.
    pub ports: BTreeMap<u16, u16>,
    /// Where certificates with relative paths are looked for, in this order.
    pub files: Vec<PathBuf>,
    /// Makes random choices repeatable.
    pub seed: Option<u64>,
}

/// How the process runs.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// Where the admin pages are; nowhere without it.
    pub admin: Option<SocketAddr>,
    /// Where requests are logged.
    pub access_log: AccessLog,
    /// What values in the log are hashed with; without it a key that only this process has.
    pub log_key: Option<Key>,
    /// How it stops.
    pub drain: Drain,
    /// Whether SIGTERM and SIGINT stop it, and SIGHUP loads anew what is followed.
    pub signals: bool,
    /// A bundle's file to follow, and the files of certificates with it.
    pub follow: Option<Source>,
}

/// How a process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long requests under way may take to end.
    pub timeout: Duration,
    /// How long it goes on serving while it already says that it is not ready.
    pub pre_stop: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            pre_stop: Duration::ZERO,
        }
    }
}

/// Why a bundle is not served.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It does not fit the node, or a certificate does not fit it.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A listener's port cannot be had.
    #[error("{node} cannot listen on {address}: {}", listen_reason(.source))]
    Listen {
        /// The node.
        node: Node,
        /// Where it would have listened.
        address: String,
        /// Why it cannot.
        source: io::Error,
    },
    /// The process is about to end.
    #[error("the process is stopping")]
    Stopping,
}

impl ReloadError {
    pub(crate) fn is_about_certificates(&self) -> bool {
        matches!(self, Self::Snapshot(SnapshotError::Certificate { .. }))
    }
}

fn listen_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are not for everybody (give it CAP_NET_BIND_SERVICE)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A bundle that is not served.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The admin pages' port cannot be had.
    #[error("the admin pages cannot be at {address}: {}", listen_reason(.source))]
    Admin {
        /// Where they would have been.
        address: SocketAddr,
        /// Why they cannot.
        source: io::Error,
    },
    /// The access log cannot be written.
    #[error("the access log {} cannot be written: {source}", .path.display())]
    AccessLog {
        /// The file.
        path: PathBuf,
        /// Why it cannot.
        source: io::Error,
    },
    /// What is served cannot be remembered.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The machine gives no thread or no event queue.
    #[error("no thread can be started: {0}")]
    Thread(#[source] io::Error),
}

/// What came of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadReport {
    /// Whether anything is different: the same bundle with the same certificates changes nothing.
    pub applied: bool,
    /// How long it took until every worker served it.
    pub time: Duration,
    /// Connections that were closed for it.
    pub connections_dropped: u64,
}

/// A listener that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerInfo {
    /// The node, with the endpoint it stands before if that was asked for.
    pub node: String,
    /// `http`, `https`, `inbound` or `outbound`.
    pub kind: &'static str,
    /// The port that the bundle or the options name.
    pub port: u16,
    /// Where it really listens.
    pub address: SocketAddr,
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was under way has ended, or its time was over.
    Drained,
    /// A second signal came; what was under way was broken off. The exit code that belongs to it.
    Interrupted(u8),
    /// The control thread panicked.
    Failed,
}

/// Nodes that are running.
#[derive(Debug)]
pub struct Runtime {
    commands: UnboundedSender<Command>,
    control: Option<JoinHandle<Exit>>,
    admin: Option<SocketAddr>,
    status: Arc<Status>,
}

impl Runtime {
    /// Starts nodes: binds everything, then serves. When this comes back, connections are accepted;
    /// if it fails, nothing is left.
    pub fn start(
        bundle: Arc<Bundle>,
        nodes: Vec<(Node, NodeOptions)>,
        options: ProcessOptions,
    ) -> Result<Self, StartError> {
        let (started, start) = sync_channel(1);
        let control = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || control::run(bundle, nodes, options, &started))
            .map_err(StartError::Thread)?;
        match start.recv() {
            Ok(Ok(started)) => Ok(Self {
                commands: started.commands,
                control: Some(control),
                admin: started.admin,
                status: started.status,
            }),
            Ok(Err(error)) => {
                drop(control.join());
                Err(error)
            }
            Err(_) => Err(StartError::Thread(io::Error::other(
                "the control thread has ended",
            ))),
        }
    }

    /// Serves another bundle from now on, or explains why not and goes on as before. Waits until all
    /// workers have it: some milliseconds.
    pub fn reload(&self, bundle: Arc<Bundle>) -> Result<ReloadReport, ReloadError> {
        let (reply, answer) = sync_channel(1);
        let reply = Reply::Thread(reply);
        let command = Command::Apply {
            bundle,
            approval: None,
            reply,
        };
        self.commands
            .send(command)
            .map_err(|_| ReloadError::Stopping)?;
        let applied = answer.recv().map_err(|_| ReloadError::Stopping)?;
        applied.map(|(report, _)| report)
    }

    /// All listeners, in the order of nodes and declarations.
    pub fn listeners(&self) -> Vec<ListenerInfo> {
        let facts = self.status.facts();
        let listeners = facts.nodes.iter().flat_map(|node| &node.listeners);
        listeners.map(|listener| listener.info.clone()).collect()
    }

    /// What the policy asks for and this version does not act on, node by node, with the place that asks
    /// for it.
    pub fn not_acted_on(&self) -> Vec<String> {
        let facts = self.status.facts();
        let lacking = facts.nodes.iter().flat_map(|node| &node.not_acted_on);
        lacking.cloned().collect()
    }

    /// Where a node really listens for what the bundle or the options put at this port.
    pub fn address(&self, node: &Node, port: u16) -> Option<SocketAddr> {
        let name = node.to_string();
        let listeners = self.listeners();
        let found = listeners
            .iter()
            .find(|it| it.node == name && it.port == port);
        found.map(|it| it.address)
    }

    /// Where the admin pages really are.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Begins to stop: no new connections, what is under way ends.
    pub fn shutdown(&self) {
        let _ = self.commands.send(Command::Shutdown);
    }

    /// Waits until it has stopped.
    pub fn wait(mut self) -> Exit {
        let control = self.control.take();
        control.map_or(Exit::Failed, |control| {
            control.join().unwrap_or(Exit::Failed)
        })
    }
}

impl Drop for Runtime {
    /// Stops at once.
    fn drop(&mut self) {
        if let Some(control) = self.control.take() {
            let _ = self.commands.send(Command::Stop);
            drop(control.join());
        }
    }
}
