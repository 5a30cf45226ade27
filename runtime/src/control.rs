//! The control thread: everything that is no request.
//!
//! It starts the workers, makes snapshots and hands them over, follows the bundle's file, answers the
//! admin pages, takes signals, and stops it all. What it is to do comes as [`Command`]s; a reload is
//! made ready as a whole before the first worker hears of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mesh_bundle::Bundle;
use mesh_bundle::signature::Approval;
use tokio::runtime::LocalOptions;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use crate::admin;
use crate::listen::socket::{self, Target};
use crate::node::{Node, NodeKind};
use crate::reload::{Follower, Nudge};
use crate::runtime::{
    Drain, Exit, ListenerInfo, NodeOptions, ProcessOptions, ReloadError, ReloadReport, StartError,
};
use crate::snapshot::{Entrance, Key, Plan, Snapshot};
use crate::status::{BundleFacts, CertificateFacts, ListenerFacts, NodeFacts, Reload, Status};
use crate::telemetry::access_log::{AccessLog, Writer};
use crate::telemetry::metrics::{ListenerCells, WorkerMetrics};
use crate::worker::{self, Message, NodeShared, Opening, Setup};

/// How often snapshots that nobody uses any more are let go.
const SWEEP: Duration = Duration::from_secs(2);
/// How long workers may take to end when they are told to.
const STOP: Duration = Duration::from_millis(500);

pub(crate) type Applied = Result<(ReloadReport, Vec<std::path::PathBuf>), ReloadError>;

/// What the control thread is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Serve this. Answered with what came of it, and the certificates' files.
    Apply {
        bundle: Arc<Bundle>,
        /// The signature for which it came in.
        approval: Option<Approval>,
        reply: Reply,
    },
    /// The file that is followed holds nothing that can be served. `refusal`: it must not come in, in a word.
    Rejected {
        sentence: String,
        refusal: Option<&'static str>,
    },
    Signal(Signal),
    /// Stop when what is under way has ended.
    Shutdown,
    /// Stop now.
    Stop,
    /// What was under way has ended, or its time is over.
    Drained,
    /// Let go what nobody uses.
    Sweep,
}

/// Who waits for what came of it. Whoever asked may have gone.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A task of this thread.
    Task(oneshot::Sender<Applied>),
    /// Another thread.
    Thread(SyncSender<Applied>),
}

impl Reply {
    fn send(self, applied: Applied) {
        match self {
            Self::Task(reply) => drop(reply.send(applied)),
            Self::Thread(reply) => drop(reply.send(applied)),
        }
    }
}

/// A signal that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

/// What is there once it has started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) commands: UnboundedSender<Command>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) status: Arc<Status>,
}

/// Runs the control thread to its end.
pub(crate) fn run(
    bundle: Arc<Bundle>,
    nodes: Vec<(Node, NodeOptions)>,
    options: ProcessOptions,
    started: &SyncSender<Result<Started, StartError>>,
) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(StartError::Thread(error)));
            return Exit::Failed;
        }
    };
    runtime.block_on(async {
        match Control::start(bundle, nodes, options).await {
            Ok((control, commands, at)) => {
                let _ = started.send(Ok(at));
                control.serve(commands).await
            }
            Err(error) => {
                let _ = started.send(Err(error));
                Exit::Failed
            }
        }
    })
}

struct Control {
    nodes: Vec<NodeState>,
    bundle: Arc<Bundle>,
    status: Arc<Status>,
    drain: Drain,
    writer: Option<Writer>,
    nudge: Option<Nudge>,
    commands: UnboundedSender<Command>,
    /// Snapshots that may still be in use; they are let go here, not by a worker.
    retired: Vec<Arc<Snapshot>>,
    stopping: bool,
}

/// A node and its workers.
struct NodeState {
    node: Node,
    options: NodeOptions,
    shared: Arc<NodeShared>,
    workers: Vec<UnboundedSender<Message>>,
    threads: Vec<JoinHandle<()>>,
    listeners: Vec<Live>,
    snapshot: Option<Arc<Snapshot>>,
}

/// A listener that is there.
#[derive(Clone)]
struct Live {
    key: Key,
    address: SocketAddr,
    cells: Arc<ListenerCells>,
}

/// What a node would serve.
struct Prepared {
    snapshot: Arc<Snapshot>,
    listeners: Vec<Live>,
    /// For each worker what it is to listen to.
    openings: Vec<Vec<Opening>>,
}

impl Control {
    async fn start(
        bundle: Arc<Bundle>,
        nodes: Vec<(Node, NodeOptions)>,
        options: ProcessOptions,
    ) -> Result<(Self, UnboundedReceiver<Command>, Started), StartError> {
        let (commands, inbox) = unbounded_channel();
        // First of all: whoever sees it serve may signal it.
        if options.signals {
            take_signals(&commands).map_err(StartError::Thread)?;
        }
        let mut nodes: Vec<NodeState> = nodes
            .into_iter()
            .map(|(node, options)| NodeState::new(node, options))
            .collect();
        let prepared = prepare(&nodes, &bundle)?;
        let admin = match options.admin {
            Some(address) => {
                let failed = |source| StartError::Admin { address, source };
                let bound = socket::bind(Target::Address(address), 1).map_err(failed)?;
                Some((bound.sockets, bound.address))
            }
            None => None,
        };
        let writer =
            Writer::start(&options.access_log, options.log_key.as_ref()).map_err(|source| {
                StartError::AccessLog {
                    path: match &options.access_log {
                        AccessLog::File(path) => path.clone(),
                        AccessLog::Off | AccessLog::Stdout => "-".into(),
                    },
                    source,
                }
            })?;
        let dropped = writer.as_ref().map(|writer| Arc::clone(writer.dropped()));
        let shared = nodes.iter().map(|node| Arc::clone(&node.shared)).collect();
        let status = Arc::new(Status::new(BundleFacts::of(&bundle), shared, dropped));

        for (node, prepared) in nodes.iter_mut().zip(&prepared) {
            node.spawn(&prepared.snapshot, writer.as_ref())?;
        }
        let mut control = Self {
            nodes,
            bundle,
            status,
            drain: options.drain,
            writer,
            nudge: None,
            commands: commands.clone(),
            retired: Vec::new(),
            stopping: false,
        };
        if !control.commit(prepared).await {
            return Err(StartError::Thread(std::io::Error::other(
                "a worker has ended at once",
            )));
        }
        if let Some(mut source) = options.follow {
            source.is_served()?;
            control.status.approved(source.approval().cloned());
            let files = control.certificate_files();
            let (follower, nudge) = Follower::new(source, files, commands.clone());
            spawn_local(follower.run());
            control.nudge = Some(nudge);
        }
        let admin = admin.map(|(sockets, address)| {
            admin::serve(sockets, &control.status);
            address
        });
        let sweeper = commands.clone();
        spawn_local(async move {
            while sweeper.send(Command::Sweep).is_ok() {
                tokio::time::sleep(SWEEP).await;
            }
        });
        control.status.ready(true);
        let status = Arc::clone(&control.status);
        Ok((
            control,
            inbox,
            Started {
                commands,
                admin,
                status,
            },
        ))
    }

    async fn serve(mut self, mut inbox: UnboundedReceiver<Command>) -> Exit {
        let exit = loop {
            match inbox.recv().await {
                Some(Command::Apply {
                    bundle,
                    approval,
                    reply,
                }) => {
                    let applied = self.apply(bundle).await;
                    if applied.is_ok() {
                        self.status.approved(approval);
                    }
                    reply.send(applied);
                }
                Some(Command::Rejected { sentence, refusal }) => {
                    self.status.reloaded(Reload::Rejected, sentence);
                    self.status.refused(refusal);
                }
                Some(Command::Signal(Signal::Hangup)) => {
                    if let Some(writer) = &self.writer {
                        writer.reopen();
                    }
                    if let Some(nudge) = &self.nudge {
                        nudge.reload();
                    }
                }
                Some(Command::Signal(signal)) if self.stopping => {
                    break Exit::Interrupted(if signal == Signal::Interrupt {
                        130
                    } else {
                        143
                    });
                }
                // Whoever presses Ctrl-C does not want to wait for load balancers to notice.
                Some(Command::Signal(Signal::Interrupt)) => self.shut_down(Duration::ZERO),
                Some(Command::Signal(Signal::Terminate) | Command::Shutdown) => {
                    self.shut_down(self.drain.pre_stop);
                }
                Some(Command::Sweep) => self.retired.retain(|it| Arc::strong_count(it) > 1),
                Some(Command::Drained) | None => break Exit::Drained,
                Some(Command::Stop) => break Exit::Interrupted(130),
            }
        };
        self.stop(exit).await
    }

    /// Makes ready, then swaps: all of it or nothing.
    async fn apply(&mut self, bundle: Arc<Bundle>) -> Applied {
        if self.stopping {
            return Err(ReloadError::Stopping);
        }
        let began = Instant::now();
        let prepared = prepare(&self.nodes, &bundle);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                // Of what the file holds, the follower says it: it may only be unfinished.
                if self.nudge.is_none() {
                    self.status.reloaded(Reload::Rejected, error.to_string());
                }
                return Err(error);
            }
        };
        let applied = bundle.id() != self.bundle.id() || self.certificates_differ(&prepared);
        if applied {
            self.commit(prepared).await;
            self.bundle = bundle;
            self.status.bundle(BundleFacts::of(&self.bundle));
        }
        let time = began.elapsed();
        let result = if applied {
            Reload::Applied
        } else {
            Reload::Unchanged
        };
        self.status.reloaded(result, String::new());
        let report = ReloadReport {
            applied,
            time,
            connections_dropped: 0,
        };
        Ok((report, self.certificate_files()))
    }

    fn certificates_differ(&self, prepared: &[Prepared]) -> bool {
        self.nodes.iter().zip(prepared).any(|(node, prepared)| {
            let before = node.snapshot.iter().flat_map(|it| &it.listeners);
            let same = |(a, b): (&Plan, &Plan)| match (&a.tls, &b.tls) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (a, b) => a.is_none() && b.is_none(),
            };
            !before.zip(&prepared.snapshot.listeners).all(same)
        })
    }

    /// Hands over what was prepared, and waits until every worker has it. Returns whether all have.
    async fn commit(&mut self, prepared: Vec<Prepared>) -> bool {
        let mut swapped = Vec::new();
        for (node, prepared) in self.nodes.iter_mut().zip(prepared) {
            for (worker, listeners) in node.workers.iter().zip(prepared.openings) {
                let (done, wait) = oneshot::channel();
                let snapshot = Arc::clone(&prepared.snapshot);
                let _ = worker.send(Message::Swap {
                    snapshot,
                    listeners,
                    done,
                });
                swapped.push(wait);
            }
            node.listeners = prepared.listeners;
            self.retired
                .extend(node.snapshot.replace(prepared.snapshot));
        }
        let mut all = true;
        for wait in swapped {
            all &= wait.await.is_ok();
        }
        self.status
            .nodes(self.nodes.iter().map(NodeState::facts).collect());
        all
    }

    fn certificate_files(&self) -> Vec<std::path::PathBuf> {
        let snapshots = self.nodes.iter().filter_map(|node| node.snapshot.as_ref());
        snapshots
            .flat_map(|it| it.certificate_files().cloned())
            .collect()
    }

    /// Begins to stop; [`Command::Drained`] comes when it is done.
    fn shut_down(&mut self, pre_stop: Duration) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        self.status.ready(false);
        let workers: Vec<_> = self
            .nodes
            .iter()
            .flat_map(|node| node.workers.clone())
            .collect();
        let commands = self.commands.clone();
        let timeout = self.drain.timeout;
        spawn_local(async move {
            tokio::time::sleep(pre_stop).await;
            let drained: Vec<_> = workers
                .iter()
                .map(|worker| {
                    let (done, wait) = oneshot::channel();
                    let _ = worker.send(Message::Drain { done });
                    wait
                })
                .collect();
            let all = async {
                for wait in drained {
                    drop(wait.await);
                }
            };
            // What is still under way then is broken off.
            drop(tokio::time::timeout(timeout, all).await);
            let _ = commands.send(Command::Drained);
        });
    }

    /// Ends the workers and writes what is left of the log.
    async fn stop(self, exit: Exit) -> Exit {
        self.status.ready(false);
        let nodes = self.nodes;
        for worker in nodes.iter().flat_map(|node| &node.workers) {
            let _ = worker.send(Message::Stop);
        }
        let threads: Vec<_> = nodes.into_iter().flat_map(|node| node.threads).collect();
        let until = Instant::now() + STOP;
        while !threads.iter().all(JoinHandle::is_finished) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if threads.iter().all(JoinHandle::is_finished)
            && let Some(writer) = self.writer
        {
            writer.finish();
        }
        exit
    }
}

/// Makes everything ready that can fail.
fn prepare(nodes: &[NodeState], bundle: &Arc<Bundle>) -> Result<Vec<Prepared>, ReloadError> {
    nodes.iter().map(|node| node.prepare(bundle)).collect()
}

impl NodeState {
    fn new(node: Node, options: NodeOptions) -> Self {
        let one_per_core = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers = match (options.workers, node.kind) {
            (Some(workers), _) => workers.get(),
            (None, NodeKind::Gateway) => one_per_core(),
            (None, NodeKind::Sidecar) => 1,
        };
        let label = match options.endpoint {
            Some(endpoint) => format!("{node}@{endpoint}"),
            None => node.to_string(),
        };
        let workers = (0..workers)
            .map(|_| Arc::new(WorkerMetrics::default()))
            .collect();
        Self {
            node,
            options,
            shared: Arc::new(NodeShared { label, workers }),
            workers: Vec::new(),
            threads: Vec::new(),
            listeners: Vec::new(),
            snapshot: None,
        }
    }

    fn prepare(&self, bundle: &Arc<Bundle>) -> Result<Prepared, ReloadError> {
        let workers = self.shared.workers.len();
        let before = self.snapshot.as_deref();
        let snapshot = Snapshot::build(Arc::clone(bundle), &self.node, &self.options, before)?;
        let mut listeners = Vec::new();
        let mut sockets = Vec::new();
        for plan in &snapshot.listeners {
            if let Some(live) = self.listeners.iter().find(|live| live.key == plan.key) {
                listeners.push(live.clone());
                sockets.push(Vec::new());
                continue;
            }
            let bound =
                socket::bind(plan.target, workers).map_err(|source| ReloadError::Listen {
                    node: self.node.clone(),
                    address: match plan.target {
                        Target::Address(address) => address.to_string(),
                        Target::Everywhere(port) => format!("port {port}"),
                    },
                    source,
                })?;
            listeners.push(Live {
                key: plan.key,
                address: bound.address,
                cells: ListenerCells::new(bound.address.to_string(), workers),
            });
            sockets.push(bound.sockets);
        }
        let mut sockets: Vec<_> = sockets.into_iter().map(Vec::into_iter).collect();
        let openings = (0..workers).map(|_| {
            let each = listeners.iter().zip(&mut sockets).enumerate();
            let openings = each.map(|(plan, (live, sockets))| Opening {
                key: live.key,
                socket: sockets.next(),
                cells: Arc::clone(&live.cells),
                address: live.address,
                redirect_port: snapshot.redirect_port(plan, |plan| listeners[plan].address),
                plan,
            });
            openings.collect()
        });
        Ok(Prepared {
            openings: openings.collect(),
            snapshot: Arc::new(snapshot),
            listeners,
        })
    }

    /// Starts the workers' threads.
    fn spawn(
        &mut self,
        snapshot: &Arc<Snapshot>,
        writer: Option<&Writer>,
    ) -> Result<(), StartError> {
        let (senders, inboxes): (Vec<_>, Vec<_>) = self
            .shared
            .workers
            .iter()
            .map(|_| unbounded_channel())
            .unzip();
        for (index, messages) in inboxes.into_iter().enumerate() {
            let setup = Setup {
                index,
                node: Arc::clone(&self.shared),
                snapshot: Arc::clone(snapshot),
                messages,
                peers: senders.clone(),
                log: writer.map(Writer::inlet),
                seed: self.options.seed,
            };
            // The kernel shows 15 characters of it.
            let name: String = format!("{index} {}", self.node.name)
                .chars()
                .take(15)
                .collect();
            let thread = std::thread::Builder::new()
                .name(name)
                .spawn(move || drop(worker::run(setup)))
                .map_err(StartError::Thread)?;
            self.threads.push(thread);
        }
        self.workers = senders;
        Ok(())
    }

    fn facts(&self) -> NodeFacts {
        let plans = self
            .snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.listeners);
        let listeners = plans
            .clone()
            .zip(&self.listeners)
            .map(|(plan, live)| ListenerFacts {
                info: ListenerInfo {
                    node: self.shared.label.clone(),
                    kind: kind(plan),
                    port: plan.key.port,
                    address: live.address,
                },
                cells: Arc::clone(&live.cells),
            });
        let certificates = plans
            .filter_map(|plan| plan.tls.as_ref())
            .map(|tls| CertificateFacts {
                file: tls.name.clone(),
                not_after: tls.not_after,
            });
        NodeFacts {
            listeners: listeners.collect(),
            certificates: certificates.collect(),
            not_acted_on: self
                .snapshot
                .iter()
                .flat_map(|snapshot| snapshot.not_acted_on.iter().cloned())
                .collect(),
        }
    }
}

fn kind(plan: &Plan) -> &'static str {
    match plan.entrance {
        Entrance::Gateway { .. } if plan.tls.is_some() => "https",
        Entrance::Gateway { .. } => "http",
        Entrance::Inbound => "inbound",
        Entrance::Outbound => "outbound",
    }
}

fn take_signals(commands: &UnboundedSender<Command>) -> std::io::Result<()> {
    let signals = [
        (SignalKind::hangup(), Signal::Hangup),
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
    ];
    for (kind, meaning) in signals {
        let mut signals = signal(kind)?;
        let commands = commands.clone();
        spawn_local(async move {
            while signals.recv().await.is_some() {
                if commands.send(Command::Signal(meaning)).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
