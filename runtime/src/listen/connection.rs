//! The life of a client's connection.
//!
//! TLS if the listener says so; then HTTP/2 or HTTP/1, told by ALPN or, in the clear, by the first
//! bytes; then requests until one side ends it. hyper drives the protocol. The clocks are ours: one
//! timer per connection, looked at when it fires, so that a request does not touch it.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Listener;
use super::io::{Io, Phase, Traffic, Transport};
use crate::request::forwarded::address_value;
use crate::request::progress::{IDLE, Progress};
use crate::request::take;
use crate::snapshot::{Current, Entrance};
use crate::telemetry::metrics::Flag;
use crate::wheel::Timer;
use crate::worker::{Guarded, Worker, http2_builder};

/// From the connection to the end of the handshake, and to the first byte.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// From a head's first byte to its last.
const HEAD: Duration = Duration::from_secs(10);
/// Between requests.
const KEEP_ALIVE: Duration = Duration::from_hours(1);
/// Without a byte either way while a request is served. Bodies have a clock of their own, which is
/// faster; this one is for what is stuck in other ways.
const STUCK: Duration = Duration::from_secs(2 * IDLE.as_secs());
/// How long an idle connection is kept when it ought to end, for the request that may be on its way.
const LAST_REQUEST: Duration = Duration::from_millis(250);
/// How long a new connection may take to send its first byte when it ought to end.
const LAST_FIRST_BYTE: Duration = Duration::from_secs(1);
/// How much of a body that nobody wants is read, and for how long, so that the client gets to read
/// the answer.
const UNWANTED: usize = 64 * 1024;
const LINGER: Duration = Duration::from_secs(1);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A client's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    peer: SocketAddr,
    peer_value: OnceCell<HeaderValue>,
    traffic: Rc<Traffic>,
    opened: Instant,
    is_tls: Cell<bool>,
    is_http2: Cell<bool>,
    /// Its place among the listener's connections, once its task has run.
    place: Cell<Option<usize>>,
    timer: Timer,
    head_since: Cell<Option<Instant>>,
    idle_since: Cell<Instant>,
    /// Bytes that had passed when the timer last fired.
    passed: Cell<u64>,
    requests: Cell<u32>,
    /// The exchange under way, or the last one; of HTTP/2 the one that has just begun.
    progress: RefCell<Option<Rc<Progress>>>,
    /// Whether the connection has been told to end.
    told: Cell<bool>,
    /// Whether the client may still be sending what nobody reads.
    linger: Cell<bool>,
}

/// Starts to serve a connection. It has been counted already.
pub(crate) fn start(
    worker: &Rc<Worker>,
    listener: &Rc<Listener>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let now = Instant::now();
    let connection = Rc::new(Connection {
        worker: Rc::clone(worker),
        listener: Rc::clone(listener),
        peer: super::socket::canonical(peer),
        peer_value: OnceCell::new(),
        traffic: Rc::default(),
        opened: now,
        is_tls: Cell::new(false),
        is_http2: Cell::new(false),
        place: Cell::new(None),
        timer: worker.wheel.timer(now + HANDSHAKE),
        head_since: Cell::new(None),
        idle_since: Cell::new(now),
        passed: Cell::new(0),
        requests: Cell::new(0),
        progress: RefCell::new(None),
        told: Cell::new(false),
        linger: Cell::new(false),
    });
    worker.connection_began();
    worker.spawn(connection.run(stream));
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(place) = self.place.get() {
            self.listener.leave(place);
        }
        let cells = &self.listener.cells.workers[self.worker.index];
        cells.close();
        cells.passed(self.traffic.read.get(), self.traffic.written.get());
        self.worker.connection_ended();
    }
}

/// What requests ask of their connection.
impl Connection {
    pub(crate) fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The peer's address, for headers.
    pub(crate) fn peer_value(&self) -> &HeaderValue {
        self.peer_value
            .get_or_init(|| address_value(self.peer.ip()))
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_tls.get() { "https" } else { "http" }
    }

    pub(crate) fn entrance(&self) -> Entrance {
        self.listener.settings().entrance
    }

    /// The listener's port, as the mesh declares it.
    pub(crate) fn port(&self) -> u16 {
        match self.entrance() {
            Entrance::Gateway { port, .. } => port,
            Entrance::Inbound | Entrance::Outbound => self.local_port(),
        }
    }

    /// The port that the client connected to.
    pub(crate) fn local_port(&self) -> u16 {
        self.listener.settings().address.port()
    }

    /// Where everything in the clear is to go.
    pub(crate) fn redirect_port(&self) -> Option<u16> {
        self.listener
            .settings()
            .redirect_port
            .filter(|_| !self.is_tls.get())
    }

    /// Who sends requests through this connection, if that is known.
    pub(crate) fn source<'c>(&self, current: &'c Current) -> Option<&'c str> {
        (self.entrance() == Entrance::Outbound).then_some(&*current.snapshot.source)
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> Rc<Progress> {
        self.requests.set(self.requests.get() + 1);
        self.traffic.phase.set(Phase::Busy);
        self.head_since.set(None);
        let mut progress = self.progress.borrow_mut();
        if let Some(progress) = progress.as_ref().filter(|it| Rc::strong_count(it) == 1) {
            progress.reset();
            return Rc::clone(progress);
        }
        Rc::clone(progress.insert(Progress::new()))
    }

    /// A request ends.
    pub(crate) fn end(&self, now: Instant) {
        self.requests.set(self.requests.get() - 1);
        if self.requests.get() == 0 {
            self.idle_since.set(now);
            self.traffic.phase.set(Phase::Idle);
        }
    }

    /// Whether a response must say that it is the last one here. HTTP/2 says so in its own way.
    pub(crate) fn is_ending(&self) -> bool {
        !self.is_http2.get() && self.listener.draining_since(self.is_tls.get()).is_some()
    }

    /// A request was answered before its body was read. Returns whether the connection must end
    /// because of that.
    pub(crate) fn left_unread(self: &Rc<Self>, body: Incoming, expects_continue: bool) -> bool {
        if self.is_http2.get() {
            return false;
        }
        // Who waits for permission to send gets none; and much is not read.
        if expects_continue || body.size_hint().lower() > UNWANTED as u64 {
            self.linger.set(true);
            return true;
        }
        let connection = Rc::clone(self);
        self.worker
            .spawn(async move { connection.read_unwanted(body).await });
        false
    }

    async fn read_unwanted(&self, mut body: Incoming) {
        let timer = self.worker.wheel.timer(Instant::now() + LINGER);
        let mut left = UNWANTED;
        let read = poll_fn(|cx| {
            loop {
                match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        let length = frame.data_ref().map_or(0, Bytes::len);
                        match left.checked_sub(length) {
                            Some(rest) => left = rest,
                            None => return Poll::Ready(false),
                        }
                    }
                    Poll::Ready(ended) => return Poll::Ready(ended.is_none()),
                    Poll::Pending if timer.poll_fired(cx).is_ready() => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        if !read.await {
            self.linger.set(true);
        }
    }
}

/// What is to become of a connection whose protocol has nothing to do.
enum Verdict {
    Wait,
    /// It is told to end when it can.
    Drain,
    /// A head takes too long.
    HeadLate,
    /// It ends now.
    End,
}

impl Connection {
    async fn run(self: Rc<Self>, stream: TcpStream) {
        // Without it small responses wait for acknowledgements; a socket that refuses is not worse.
        drop(stream.set_nodelay(true));
        let tls = self
            .listener
            .settings()
            .tls
            .as_ref()
            .map(|tls| Arc::clone(&tls.config));
        if let Some(tls) = tls {
            self.is_tls.set(true);
            let accept = TlsAcceptor::from(tls).accept(stream);
            let Some(Ok(stream)) = self.while_young(accept).await else {
                return;
            };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let io = self.io(Transport::Tls(Box::new(stream)), Bytes::new());
            return self.serve(io, http2).await;
        }
        let mut stream = stream;
        if let Some(Some((bytes, http2))) = self.while_young(first_bytes(&mut stream)).await {
            let io = self.io(Transport::Plain(stream), bytes);
            self.serve(io, http2).await;
        }
    }

    fn io(&self, transport: Transport, replay: Bytes) -> TokioIo<Io> {
        TokioIo::new(Io::new(transport, replay, Rc::clone(&self.traffic)))
    }

    async fn serve(self: Rc<Self>, io: TokioIo<Io>, http2: bool) {
        if http2 {
            self.serve_http2(io).await;
        } else {
            self.serve_http1(io).await;
        }
    }

    /// Waits for what must happen before there is a protocol; `None` if it takes too long.
    async fn while_young<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            self.register(cx);
            if let Some(since) = self.listener.draining_since(self.is_tls.get())
                && !self.told.replace(true)
            {
                self.timer.reset(since.max(self.opened) + LAST_FIRST_BYTE);
            }
            self.timer.poll_fired(cx).map(|()| None)
        })
        .await
    }

    fn register(&self, cx: &mut Context<'_>) {
        if self.place.get().is_none() {
            self.place.set(Some(self.listener.enter(cx.waker())));
        }
    }

    async fn serve_http1(self: Rc<Self>, io: TokioIo<Io>) {
        self.told.set(false);
        self.traffic.has_heads.set(true);
        let connection = Rc::clone(&self);
        let service = service_fn(move |request: Request<Incoming>| take(&connection, request));
        let mut http = self.worker.http1.serve_connection(io, service);
        let mut late = false;
        let ended = poll_fn(|cx| {
            self.traffic.polled();
            loop {
                if let Poll::Ready(ended) = Pin::new(&mut http).poll(cx) {
                    return Poll::Ready(Some(ended));
                }
                match self.watch(cx) {
                    Verdict::Wait => return Poll::Pending,
                    Verdict::Drain => Pin::new(&mut http).graceful_shutdown(),
                    Verdict::HeadLate => {
                        late = true;
                        return Poll::Ready(None);
                    }
                    Verdict::End => return Poll::Ready(None),
                }
            }
        });
        match ended.await {
            Some(Err(error)) if error.is_parse() => {
                let code = if error.is_parse_too_large() { 431 } else { 400 };
                self.refused(code, Flag::ProtocolError);
            }
            Some(Ok(())) if self.linger.get() => {}
            None if late => {}
            Some(Ok(()) | Err(_)) | None => return,
        }
        let mut io = http.into_parts().io.into_inner();
        let end = async {
            if late {
                self.refused(408, Flag::Idle);
                drop(io.write_all(HEAD_TIMEOUT).await);
                drop(io.shutdown().await);
            }
            // The client may still be sending; if the socket were closed now, what it has not yet
            // read of the answer would be lost to it.
            let mut sink = [0; 4096];
            while matches!(io.read(&mut sink).await, Ok(1..)) {}
        };
        self.timer.reset(Instant::now() + LINGER);
        let mut end = pin!(end);
        poll_fn(|cx| match end.as_mut().poll(cx) {
            Poll::Pending => self.timer.poll_fired(cx),
            Poll::Ready(()) => Poll::Ready(()),
        })
        .await;
    }

    async fn serve_http2(self: Rc<Self>, io: TokioIo<Io>) {
        self.told.set(false);
        self.is_http2.set(true);
        self.traffic.phase.set(Phase::Idle);
        self.idle_since.set(Instant::now());
        let connection = Rc::clone(&self);
        let service = service_fn(move |request: Request<Incoming>| take(&connection, request));
        let http = http2_builder(StreamExecutor(Rc::clone(&self))).serve_connection(io, service);
        let mut http = pin!(http);
        poll_fn(|cx| {
            loop {
                if http.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                match self.watch(cx) {
                    Verdict::Wait => return Poll::Pending,
                    Verdict::Drain => http.as_mut().graceful_shutdown(),
                    Verdict::HeadLate | Verdict::End => return Poll::Ready(()),
                }
            }
        })
        .await;
    }

    /// Looks at the clocks of a connection whose protocol waits for something.
    fn watch(&self, cx: &mut Context<'_>) -> Verdict {
        self.register(cx);
        let phase = self.traffic.phase.get();
        if phase == Phase::Busy && !self.is_http2.get() && self.is_overdue(cx) {
            return Verdict::End;
        }
        if let Some(since) = self.listener.draining_since(self.is_tls.get())
            && let Some(verdict) = self.watch_draining(phase, since)
        {
            return verdict;
        }
        if phase == Phase::Head && self.head_since.get().is_none() {
            let now = Instant::now();
            self.head_since.set(Some(now));
            self.timer.reset(now + HEAD);
        }
        while self.timer.poll_fired(cx).is_ready() {
            if let Some(verdict) = self.look(phase) {
                return verdict;
            }
        }
        Verdict::Wait
    }

    /// Whether the exchange is late although nobody polls its bodies: the client does not read.
    fn is_overdue(&self, cx: &mut Context<'_>) -> bool {
        let progress = self.progress.borrow();
        progress
            .as_ref()
            .is_some_and(|progress| progress.poll_overdue(cx).is_some())
    }

    fn watch_draining(&self, phase: Phase, since: Instant) -> Option<Verdict> {
        if self.told.get() {
            return None;
        }
        let until = match phase {
            // What is under way is answered, with `connection: close` or after GOAWAY.
            Phase::Busy => return Some(self.tell()),
            _ if self.is_http2.get() => return Some(self.tell()),
            // A head that has begun has its own clock.
            Phase::Head => return None,
            Phase::Idle => self.idle_since.get() + LAST_REQUEST,
            Phase::Fresh => since.max(self.opened) + LAST_FIRST_BYTE,
        };
        if until <= Instant::now() {
            return Some(self.tell());
        }
        self.timer.reset(until);
        None
    }

    fn tell(&self) -> Verdict {
        self.told.set(true);
        Verdict::Drain
    }

    /// The timer has fired: is it time, or when?
    fn look(&self, phase: Phase) -> Option<Verdict> {
        let now = Instant::now();
        let (until, verdict) = match phase {
            Phase::Fresh => (self.opened + HANDSHAKE, Verdict::End),
            Phase::Head => (
                self.head_since.get().unwrap_or(now) + HEAD,
                Verdict::HeadLate,
            ),
            Phase::Idle if self.told.get() => (now, Verdict::End),
            Phase::Idle => (self.idle_since.get() + KEEP_ALIVE, Verdict::Drain),
            Phase::Busy => {
                let passed = self.traffic.total();
                let stuck = self.passed.replace(passed) == passed;
                (if stuck { now } else { now + STUCK }, Verdict::End)
            }
        };
        if until > now {
            self.timer.reset(until);
            return None;
        }
        if matches!(verdict, Verdict::Drain) {
            // Idle for too long: it is told, and then has a moment to end.
            self.told.set(true);
            self.timer.reset(now + LINGER);
        }
        Some(verdict)
    }

    /// Counts and logs a request that never became one.
    fn refused(&self, code: u16, flag: Flag) {
        let current = self.worker.current();
        current
            .no_arm(false)
            .cells
            .count(&self.worker.metrics, code, flag);
        if let Some(log) = &self.worker.log {
            let now = Instant::now();
            let began = self.head_since.get().unwrap_or(now);
            log.write(&crate::telemetry::access_log::Line {
                began: self.worker.clock.milliseconds_at(began),
                node: &self.worker.node.label,
                entrance: self.entrance().word(),
                scheme: self.scheme(),
                port: self.port(),
                method: "-",
                path: "-",
                protocol: "HTTP/1.1",
                host: None,
                code,
                flags: flag.text(),
                took: now.saturating_duration_since(began),
                bytes_in: 0,
                bytes_out: 0,
                service: None,
                endpoint: None,
                arm: None,
                gateway_arm: None,
                source: None,
                attempts: 0,
                bundle: current.bundle_id(),
                request_id: None,
                client: self.peer.ip(),
                user_agent: None,
                asked: None,
            });
        }
    }
}

/// The first bytes of a connection in the clear, and whether they begin HTTP/2; `None` if it ends
/// before it begins.
async fn first_bytes(stream: &mut TcpStream) -> Option<(Bytes, bool)> {
    let mut bytes = BytesMut::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut bytes).await;
        if !matches!(read, Ok(1..)) {
            return None;
        }
        let compared = bytes.len().min(PREFACE.len());
        if bytes[..compared] != PREFACE[..compared] {
            return Some((bytes.freeze(), false));
        }
        if compared == PREFACE.len() {
            return Some((bytes.freeze(), true));
        }
    }
}

/// Runs the streams of an HTTP/2 connection, each as a task.
#[derive(Clone, Debug)]
pub(crate) struct StreamExecutor(Rc<Connection>);

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        tokio::task::spawn_local(Stream {
            // hyper has just called the service: the exchange that began last is this stream's.
            progress: self.0.progress.take(),
            stream: Guarded::new(&self.0.worker, stream),
        });
    }
}

/// A stream of HTTP/2.
struct Stream<F> {
    progress: Option<Rc<Progress>>,
    stream: Guarded<F>,
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut self.stream).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        // Late although nobody polls its bodies: the stream is dropped, and so reset.
        let late = self
            .progress
            .as_ref()
            .and_then(|progress| progress.poll_overdue(cx));
        late.map_or(Poll::Pending, |_| Poll::Ready(()))
    }
}
