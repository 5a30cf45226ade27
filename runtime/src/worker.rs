//! A worker: one thread with a runtime, sockets, connections and counters of its own.
//!
//! Nothing on the way of a request is shared with another thread. What does come from outside comes
//! as a [`Message`]: a new snapshot, a connection that another worker had too many of, the word to
//! stop. The worker answers each change when it has taken effect.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use hyper::server::conn::{http1, http2};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use crate::listen::connection::{self, StreamExecutor};
use crate::listen::{self, Listener, Settings};
use crate::snapshot::{Current, Entrance, Key, Snapshot};
use crate::telemetry::access_log::{Inlet, Sink};
use crate::telemetry::clock::Clock;
use crate::telemetry::metrics::{ListenerCells, WorkerMetrics};
use crate::upstream::pool::Pool;
use crate::wheel::Wheel;

/// Limits that hold for every connection, on both sides.
pub(crate) mod limits {
    /// Bytes of a head.
    pub(crate) const HEADER_BYTES: usize = 60 * 1024;
    /// Headers of a head; hyper's default for HTTP/1, which costs it no allocation.
    pub(crate) const HEADER_COUNT: usize = 100;
    /// Bytes of a request's target.
    pub(crate) const URI_BYTES: usize = 8 * 1024;
    /// Bytes that an HTTP/1 connection buffers each way.
    pub(crate) const HTTP1_BUFFER: usize = 128 * 1024;
    /// Requests at a time on an HTTP/2 connection.
    pub(crate) const HTTP2_STREAMS: u32 = 100;
    /// Bytes on their way in a stream of HTTP/2.
    pub(crate) const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;
    /// Bytes on their way in all streams of an HTTP/2 connection.
    pub(crate) const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;
    /// Streams that a client may reset before they were looked at (CVE-2023-44487).
    pub(crate) const HTTP2_PENDING_RESETS: usize = 20;
    /// Streams that are reset because of what a client sent (CVE-2025-8671).
    pub(crate) const HTTP2_LOCAL_RESETS: usize = 1024;
}

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// From now on this is in force.
    Swap {
        snapshot: Arc<Snapshot>,
        listeners: Vec<Opening>,
        done: oneshot::Sender<()>,
    },
    /// A connection of a listener, from a worker that has more.
    Connection {
        key: Key,
        stream: std::net::TcpStream,
        peer: SocketAddr,
    },
    /// Accept no more, end what there is. Answered when everything has ended.
    Drain { done: oneshot::Sender<()> },
    /// End now.
    Stop,
}

/// A listener, as a worker is to have it.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) key: Key,
    /// The worker's socket, if the listener is new.
    pub(crate) socket: Option<std::net::TcpListener>,
    pub(crate) cells: Arc<ListenerCells>,
    pub(crate) address: SocketAddr,
    /// Its place among the snapshot's listeners.
    pub(crate) plan: usize,
    pub(crate) redirect_port: Option<u16>,
}

/// What is known of a node in all of its threads.
#[derive(Debug)]
pub(crate) struct NodeShared {
    /// The node, as metrics and logs name it.
    pub(crate) label: String,
    pub(crate) workers: Vec<Arc<WorkerMetrics>>,
}

/// What a worker begins with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) index: usize,
    pub(crate) node: Arc<NodeShared>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) messages: UnboundedReceiver<Message>,
    /// All workers of the node, this one too.
    pub(crate) peers: Vec<UnboundedSender<Message>>,
    pub(crate) log: Option<Inlet>,
    pub(crate) seed: Option<u64>,
}

/// What the tasks of a worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) node: Arc<NodeShared>,
    pub(crate) metrics: Arc<WorkerMetrics>,
    pub(crate) wheel: Rc<Wheel>,
    pub(crate) clock: Clock,
    pub(crate) random: RefCell<fastrand::Rng>,
    pub(crate) log: Option<Rc<Sink>>,
    pub(crate) pool: Pool,
    pub(crate) http1: http1::Builder,
    current: RefCell<Rc<Current>>,
    listeners: RefCell<HashMap<Key, Rc<Listener>>>,
    /// Those that the last swap took away: a connection of theirs may still come from another worker.
    former: RefCell<HashMap<Key, Rc<Listener>>>,
    peers: Vec<UnboundedSender<Message>>,
    /// Accept loops and connections.
    alive: Cell<usize>,
    /// Waits for nothing to be alive.
    drained: RefCell<Option<Waker>>,
}

/// Runs a worker on this thread until it is told to stop.
pub(crate) fn run(setup: Setup) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Nearly everything that wakes a task of a worker is another task of it.
        .global_queue_interval(1024)
        .build_local(LocalOptions::default())?;
    let (worker, messages) = Worker::new(setup);
    let log = worker.log.clone();
    runtime.block_on(async {
        worker.spawn(Rc::clone(&worker.wheel).drive());
        if let Some(log) = &worker.log {
            worker.spawn(Rc::clone(log).flush_in_time(Rc::clone(&worker.wheel)));
        }
        worker.listen_to(messages).await;
    });
    drop(worker);
    // Dropping what was still under way writes its lines.
    drop(runtime);
    if let Some(log) = log {
        log.flush();
    }
    Ok(())
}

fn http1_builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_header_size(limits::HEADER_BYTES)
        .max_buf_size(limits::HTTP1_BUFFER);
    builder
}

/// How HTTP/2 is spoken with clients.
pub(crate) fn http2_builder(executor: StreamExecutor) -> http2::Builder<StreamExecutor> {
    let mut builder = http2::Builder::new(executor);
    builder
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
        .max_header_list_size(limits::HEADER_BYTES as u32)
        .max_pending_accept_reset_streams(limits::HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(limits::HTTP2_LOCAL_RESETS);
    builder
}

impl Worker {
    fn new(setup: Setup) -> (Rc<Self>, UnboundedReceiver<Message>) {
        let worker = Self {
            index: setup.index,
            metrics: Arc::clone(&setup.node.workers[setup.index]),
            node: setup.node,
            wheel: Wheel::new(),
            clock: Clock::new(),
            random: RefCell::new(match setup.seed {
                Some(seed) => fastrand::Rng::with_seed(seed.wrapping_add(setup.index as u64)),
                None => fastrand::Rng::new(),
            }),
            log: setup.log.map(Sink::new),
            pool: Pool::default(),
            http1: http1_builder(),
            current: RefCell::new(Current::new(setup.snapshot)),
            listeners: RefCell::default(),
            former: RefCell::default(),
            peers: setup.peers,
            alive: Cell::new(0),
            drained: RefCell::new(None),
        };
        (Rc::new(worker), setup.messages)
    }

    /// What is in force.
    #[inline]
    pub(crate) fn current(&self) -> Rc<Current> {
        Rc::clone(&self.current.borrow())
    }

    /// Runs a task. If it panics, it alone ends.
    pub(crate) fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(Guarded::new(self, task));
    }

    async fn listen_to(self: &Rc<Self>, mut messages: UnboundedReceiver<Message>) {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Swap {
                    snapshot,
                    listeners,
                    done,
                } => {
                    self.swap(&snapshot, listeners);
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                Message::Connection { key, stream, peer } => self.take_over(key, stream, peer),
                Message::Drain { done } => {
                    let listeners = self.listeners.borrow();
                    for listener in listeners.values() {
                        listener.close();
                        listener.drain();
                    }
                    drop(listeners);
                    let worker = Rc::clone(self);
                    self.spawn(async move {
                        worker.until_drained().await;
                        let _ = done.send(());
                    });
                }
                Message::Stop => return,
            }
        }
    }

    /// Puts a snapshot in force: requests that begin from now on meet it, those under way keep theirs.
    fn swap(self: &Rc<Self>, snapshot: &Arc<Snapshot>, openings: Vec<Opening>) {
        let current = Current::new(Arc::clone(snapshot));
        *self.current.borrow_mut() = current;
        let mut listeners = self.listeners.borrow_mut();
        let gone = |key: &Key| !openings.iter().any(|opening| opening.key == *key);
        let former: HashMap<_, _> = listeners.extract_if(|key, _| gone(key)).collect();
        for listener in former.values() {
            listener.close();
            listener.drain();
        }
        *self.former.borrow_mut() = former;
        for opening in openings {
            let plan = &snapshot.listeners[opening.plan];
            let settings = Settings {
                entrance: plan.entrance,
                tls: plan.tls.clone(),
                address: opening.address,
                redirect_port: opening.redirect_port,
            };
            if let Some(listener) = listeners.get(&opening.key) {
                listener.set_settings(settings);
            } else if let Some(socket) = opening.socket {
                let listener = Listener::new(opening.key, opening.cells, settings);
                self.open(&listener, socket);
                listeners.insert(opening.key, listener);
            }
        }
        drop(listeners);
        self.pool
            .retain(|upstream| snapshot.upstreams.contains(upstream));
    }

    fn open(self: &Rc<Self>, listener: &Rc<Listener>, socket: std::net::TcpListener) {
        // The socket was made for this; it fails only if epoll has no more room.
        let Ok(socket) = TcpListener::from_std(socket) else {
            return;
        };
        self.alive.set(self.alive.get() + 1);
        listener.cells.workers[self.index]
            .is_open
            .store(true, Ordering::Relaxed);
        self.spawn(listen::accept(Rc::clone(self), Rc::clone(listener), socket));
    }

    /// Gives a connection to another worker. `false` if it is lost with it.
    pub(crate) fn hand_over(
        &self,
        to: usize,
        key: Key,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> bool {
        let Ok(stream) = stream.into_std() else {
            return false;
        };
        self.peers[to]
            .send(Message::Connection { key, stream, peer })
            .is_ok()
    }

    fn take_over(self: &Rc<Self>, key: Key, stream: std::net::TcpStream, peer: SocketAddr) {
        let known = self.listeners.borrow().get(&key).map(Rc::clone);
        let listener = known.or_else(|| self.former.borrow().get(&key).map(Rc::clone));
        if let (Some(listener), Ok(stream)) = (listener, TcpStream::from_std(stream)) {
            connection::start(self, &listener, stream, peer);
        }
    }

    pub(crate) fn connection_began(&self) {
        self.alive.set(self.alive.get() + 1);
    }

    pub(crate) fn connection_ended(&self) {
        self.ended();
    }

    pub(crate) fn listener_ended(&self) {
        self.ended();
    }

    fn ended(&self) {
        self.alive.set(self.alive.get() - 1);
        if self.alive.get() == 0
            && let Some(waker) = self.drained.take()
        {
            waker.wake();
        }
    }

    async fn until_drained(&self) {
        poll_fn(|cx| {
            if self.alive.get() == 0 {
                return Poll::Ready(());
            }
            *self.drained.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Runs hyper's tasks for connections to upstreams.
#[derive(Clone, Debug)]
pub(crate) struct TaskExecutor(Rc<Worker>);

impl TaskExecutor {
    pub(crate) fn new(worker: &Rc<Worker>) -> Self {
        Self(Rc::clone(worker))
    }
}

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for TaskExecutor {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

/// Keeps a panic to the task that it happens in, and counts it.
#[derive(Debug)]
pub(crate) struct Guarded<F> {
    worker: Rc<Worker>,
    task: Pin<Box<F>>,
}

impl<F> Guarded<F> {
    pub(crate) fn new(worker: &Rc<Worker>, task: F) -> Self {
        Self {
            worker: Rc::clone(worker),
            task: Box::pin(task),
        }
    }
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { worker, task } = &mut *self;
        catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))).unwrap_or_else(|_| {
            worker.metrics.panics.add(1);
            Poll::Ready(())
        })
    }
}

impl Snapshot {
    /// The port to which listeners send those who should come with TLS, given where each listens.
    pub(crate) fn redirect_port(
        &self,
        plan: usize,
        address: impl Fn(usize) -> SocketAddr,
    ) -> Option<u16> {
        let redirects = matches!(
            self.listeners[plan].entrance,
            Entrance::Gateway {
                redirect_https: true,
                ..
            }
        );
        let https = self.listeners.iter().position(|plan| plan.tls.is_some());
        https
            .filter(|_| redirects)
            .map(|https| address(https).port())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::listen::socket::{self, Target};
    use crate::node::Node;
    use crate::runtime::NodeOptions;
    use crate::test_mesh::{Mesh, on, otherwise};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::mpsc::unbounded_channel;

    /// A worker of a gateway that forwards `/s` to two endpoints, where nobody is, and answers 204 to
    /// all else.
    fn worker() -> (Rc<Worker>, SocketAddr) {
        let nobody = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mesh = Mesh::new()
            .service("s", |s| s.at("", nobody(1)).at("", nobody(2)))
            .gateway("edge", |g| {
                let arms = vec![on(&["/s"]).to("s"), otherwise().respond(204, None)];
                g.http(80).host(&["a"], arms)
            });
        let node: Node = "gateway/edge".parse().unwrap();
        let options = NodeOptions {
            ports: [(80, 0)].into(),
            ..NodeOptions::default()
        };
        let snapshot = Snapshot::build(mesh.bundle(), &node, &options, None).unwrap();
        let snapshot = Arc::new(snapshot);
        let (_, messages) = unbounded_channel();
        let (worker, _) = Worker::new(Setup {
            index: 0,
            node: Arc::new(NodeShared {
                label: node.to_string(),
                workers: vec![Arc::default()],
            }),
            snapshot: Arc::clone(&snapshot),
            messages,
            peers: Vec::new(),
            log: None,
            seed: None,
        });
        let plan = &snapshot.listeners[0];
        let Target::Address(target) = plan.target else {
            panic!("the listener names its address");
        };
        let mut bound = socket::bind(Target::Address(target), 1).unwrap();
        let opening = Opening {
            key: plan.key,
            socket: bound.sockets.pop(),
            cells: ListenerCells::new("listener".to_owned(), 1),
            address: bound.address,
            plan: 0,
            redirect_port: None,
        };
        worker.swap(&snapshot, vec![opening]);
        (worker, bound.address)
    }

    fn run<F: Future<Output = ()>>(test: F) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime
            .enable_all()
            .build_local(LocalOptions::default())
            .unwrap();
        let patience = Duration::from_secs(10);
        runtime.block_on(async { tokio::time::timeout(patience, test).await.unwrap() });
    }

    /// Asks, and says the status line that comes; an empty one if the connection just ends.
    async fn ask(stream: &mut TcpStream, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = vec![0; 4096];
        let length = stream.read(&mut reply).await.unwrap_or(0);
        let reply = String::from_utf8_lossy(&reply[..length]).into_owned();
        reply.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_panic_ends_its_task_alone() {
        run(async {
            let (worker, _) = worker();
            let other = Rc::new(Cell::new(false));
            let its = Rc::clone(&other);
            worker.spawn(async { panic!("a defect") });
            worker.spawn(async move { its.set(true) });
            while !other.get() {
                tokio::task::yield_now().await;
            }
            assert_eq!(worker.metrics.panics.get(), 1);
        });
    }

    #[test]
    // What is borrowed across awaits is the defect.
    #[allow(clippy::await_holding_refcell_ref)]
    fn a_panic_costs_one_connection() {
        run(async {
            let (worker, address) = worker();
            let mut other = TcpStream::connect(address).await.unwrap();
            assert_eq!(ask(&mut other, "/").await, "HTTP/1.1 204 No Content");

            // Choosing an endpoint takes a random number.
            let defect = worker.random.borrow_mut();
            let mut hit = TcpStream::connect(address).await.unwrap();
            assert_eq!(ask(&mut hit, "/s").await, "");
            assert_eq!(worker.metrics.panics.get(), 1);
            assert_eq!(
                worker.alive.get(),
                2,
                "the listener and the other connection"
            );
            drop(defect);

            assert_eq!(ask(&mut other, "/").await, "HTTP/1.1 204 No Content");
            assert_eq!(
                ask(&mut other, "/s").await,
                "HTTP/1.1 503 Service Unavailable"
            );
            let mut later = TcpStream::connect(address).await.unwrap();
            assert_eq!(ask(&mut later, "/").await, "HTTP/1.1 204 No Content");
            assert_eq!(worker.metrics.panics.get(), 1);
        });
    }
}
