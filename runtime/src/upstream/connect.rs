//! New connections to upstreams.
//!
//! Comes to a lease, or to a reason why there is none. The connection itself is a task of the worker
//! that lives until its peer closes it, or until it has been idle for too long.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Hop;
use super::pool::{Lease, Link, Upstream};
use crate::listen::io::{Io, Traffic, Transport};
use crate::request::body::RequestBody;
use crate::worker::{TaskExecutor, Worker, limits};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no connection could be made: {0}")]
    Dial(#[from] io::Error),
    #[error("no connection was made in time")]
    TimedOut,
    #[error("the connection broke at once: {0}")]
    Handshake(#[from] hyper::Error),
}

/// A lease on a new connection, or on one that somebody else has made meanwhile.
pub(crate) async fn connect(
    worker: &Rc<Worker>,
    upstream: &Rc<Upstream>,
    hop: Hop,
    timeout: Option<Duration>,
) -> Result<Lease, ConnectError> {
    let connected = within(worker, timeout, async {
        match hop {
            Hop::Http1 => open_http1(worker, upstream).await,
            Hop::Http2 => {
                // Of many requests that need the first connection, one makes it.
                let _dial = upstream.dial.lock().await;
                match upstream.pooled(hop) {
                    Some(lease) => Ok(lease),
                    None => open_http2(worker, upstream).await,
                }
            }
        }
    });
    let connected = connected.await;
    if connected.is_err() {
        upstream.cells.failed.add(1);
    }
    connected
}

async fn within(
    worker: &Rc<Worker>,
    timeout: Option<Duration>,
    connecting: impl Future<Output = Result<Lease, ConnectError>>,
) -> Result<Lease, ConnectError> {
    let Some(timeout) = timeout else {
        return connecting.await;
    };
    let timer = worker.wheel.timer(Instant::now() + timeout);
    let mut connecting = pin!(connecting);
    poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Pending if timer.poll_fired(cx).is_ready() => {
            Poll::Ready(Err(ConnectError::TimedOut))
        }
        polled => polled,
    })
    .await
}

async fn dial(upstream: &Upstream) -> Result<(TokioIo<Io>, Rc<Traffic>), ConnectError> {
    let stream = TcpStream::connect(upstream.address).await?;
    stream.set_nodelay(true)?;
    let traffic = Rc::<Traffic>::default();
    let io = Io::new(Transport::Plain(stream), Bytes::new(), Rc::clone(&traffic));
    Ok((TokioIo::new(io), traffic))
}

async fn open_http1(worker: &Rc<Worker>, upstream: &Rc<Upstream>) -> Result<Lease, ConnectError> {
    let (io, traffic) = dial(upstream).await?;
    let (sender, connection) = http1::Builder::new()
        .max_header_size(limits::HEADER_BYTES)
        .max_buf_size(limits::HTTP1_BUFFER)
        .handshake::<_, RequestBody>(io)
        .await?;
    let link = Link::new(&worker.wheel);
    let polling = move |_: &mut _| {
        traffic.polled();
        None
    };
    worker.spawn(keep(
        Rc::clone(upstream),
        Rc::clone(&link),
        connection,
        polling,
    ));
    Ok(upstream.opened_http1(link, sender))
}

async fn open_http2(worker: &Rc<Worker>, upstream: &Rc<Upstream>) -> Result<Lease, ConnectError> {
    let (io, _) = dial(upstream).await?;
    let (sender, connection) = http2::Builder::new(TaskExecutor::new(worker))
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
        .max_header_list_size(limits::HEADER_BYTES as u32)
        .handshake::<_, RequestBody>(io)
        .await?;
    let link = Link::new(&worker.wheel);
    link.streams.set(connection.current_max_send_streams());
    let polling =
        |connection: &mut http2::Connection<_, _, _>| Some(connection.current_max_send_streams());
    worker.spawn(keep(
        Rc::clone(upstream),
        Rc::clone(&link),
        connection,
        polling,
    ));
    Ok(upstream.opened_http2(link, sender))
}

/// Drives a connection to its end. `polling` hears of each poll, and may tell how many requests the
/// connection takes at a time.
async fn keep<C: Future<Output = Result<(), hyper::Error>> + Unpin>(
    upstream: Rc<Upstream>,
    link: Rc<Link>,
    mut connection: C,
    polling: impl Fn(&mut C) -> Option<usize>,
) {
    let _open = Open::new(&upstream);
    let mut expired = false;
    poll_fn(|cx| {
        if let Some(streams) = polling(&mut connection) {
            link.streams.set(streams);
        }
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !expired && link.poll_expired(cx).is_ready() {
            // Without senders it closes itself, after what is still under way; for that it wants to
            // be looked at once more.
            expired = true;
            upstream.forget(&link);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
    upstream.forget(&link);
}

/// Counts a connection for as long as it is open.
struct Open<'u>(&'u Upstream);

impl<'u> Open<'u> {
    fn new(upstream: &'u Upstream) -> Self {
        upstream.cells.opened.add(1);
        upstream.cells.active.add(1);
        Self(upstream)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.cells.active.subtract(1);
    }
}
