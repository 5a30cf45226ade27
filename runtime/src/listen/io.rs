//! What stands between a socket and hyper, on both sides.
//!
//! Bytes pass through here unchanged and are counted, first those that were read to find out which
//! protocol is spoken. It also tells the connection when a head has begun, which hyper keeps to
//! itself. This is the place for whoever wants to see every byte before hyper does.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A connection's bytes, in the clear or not.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What is known of a connection from its bytes alone.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) read: Cell<u64>,
    pub(crate) written: Cell<u64>,
    pub(crate) phase: Cell<Phase>,
    /// Whether bytes that come between requests begin a head: so it is in HTTP/1.
    pub(crate) has_heads: Cell<bool>,
    reading: Cell<Reading>,
}

/// Whether it is worth asking the socket for bytes. hyper asks several times each time that it is
/// polled; within one poll of the task, a socket that had nothing still has nothing, since sockets are
/// only looked at between tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// Nobody says when the task is polled: always ask.
    #[default]
    Always,
    /// Not yet asked in this poll.
    Unknown,
    /// Asked, and it had nothing; the task is woken when it has.
    Empty,
}

/// What a client's connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing has come yet.
    #[default]
    Fresh,
    /// A request's head has begun.
    Head,
    /// A request is being served.
    Busy,
    /// The last request has been served.
    Idle,
}

impl Traffic {
    #[inline]
    fn received(&self, bytes: usize) {
        self.read.set(self.read.get() + bytes as u64);
        let between = matches!(self.phase.get(), Phase::Fresh | Phase::Idle);
        if between && bytes > 0 && self.has_heads.get() {
            self.phase.set(Phase::Head);
        }
    }

    #[inline]
    fn sent(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = result {
            self.written.set(self.written.get() + bytes as u64);
        }
        result
    }

    /// The task of the connection is being polled. To be said each time, if ever.
    #[inline]
    pub(crate) fn polled(&self) {
        self.reading.set(Reading::Unknown);
    }

    /// Bytes both ways.
    pub(crate) fn total(&self) -> u64 {
        self.read.get() + self.written.get()
    }
}

/// A connection as hyper sees it (through hyper-util's `TokioIo`).
#[derive(Debug)]
pub(crate) struct Io {
    transport: Transport,
    /// Bytes that were read already.
    replay: Bytes,
    traffic: Rc<Traffic>,
}

impl Io {
    pub(crate) fn new(transport: Transport, replay: Bytes, traffic: Rc<Traffic>) -> Self {
        Self {
            transport,
            replay,
            traffic,
        }
    }
}

/// Pieces up to this length together are sent as one: copying them costs less than telling the
/// kernel of each.
const SMALL: usize = 1024;

fn write_slices(
    stream: Pin<&mut TcpStream>,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [one] = slices {
        return stream.poll_write(cx, one);
    }
    if slices.iter().map(|slice| slice.len()).sum::<usize>() > SMALL {
        return stream.poll_write_vectored(cx, slices);
    }
    let mut bytes = SmallVec::<[u8; SMALL]>::new();
    for slice in slices {
        bytes.extend_from_slice(slice);
    }
    stream.poll_write(cx, &bytes)
}

impl AsyncRead for Io {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.traffic.reading.get() == Reading::Empty {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let result = if self.replay.has_remaining() {
            let length = self.replay.len().min(buffer.remaining());
            buffer.put_slice(&self.replay.split_to(length));
            Poll::Ready(Ok(()))
        } else {
            match &mut self.transport {
                Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
                Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            }
        };
        if result.is_pending() && self.traffic.reading.get() == Reading::Unknown {
            self.traffic.reading.set(Reading::Empty);
        }
        self.traffic.received(buffer.filled().len() - before);
        result
    }
}

impl AsyncWrite for Io {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.traffic.sent(result)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.transport {
            Transport::Plain(stream) => write_slices(Pin::new(stream), cx, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.traffic.sent(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
