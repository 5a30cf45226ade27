//! Between tokio and hyper: a tokio stream as hyper reads and writes one, and tokio's `spawn` as
//! hyper's executor.
//!
//! What was read but not yet asked for waits in a buffer, so that a server can look at the first
//! bytes of a connection before it decides which protocol to speak.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const BUFFER: usize = 16 * 1024;

/// A tokio stream that hyper can use.
#[derive(Debug)]
pub struct TokioIo<S> {
    stream: S,
    buffer: Box<[u8]>,
    /// The part of the buffer that was read and not yet handed on.
    held: Range<usize>,
}

impl<S> TokioIo<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            held: 0..0,
        }
    }

    /// The stream again, without what was read from it and not yet handed on.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> TokioIo<S> {
    /// Whether the connection begins with these bytes, at most as many as the buffer takes. Waits
    /// for as many as it takes to tell, and leaves them to be read. An end before that is a no.
    pub(crate) async fn starts_with(&mut self, prefix: &[u8]) -> io::Result<bool> {
        loop {
            let held = &self.buffer[self.held.clone()];
            let known = held.len().min(prefix.len());
            if held[..known] != prefix[..known] {
                return Ok(false);
            }
            if known == prefix.len() {
                return Ok(true);
            }
            if poll_fn(|cx| self.poll_fill(cx)).await? == 0 {
                return Ok(false);
            }
        }
    }

    /// Reads behind what is held. Comes to the number of bytes.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(&mut self.buffer[self.held.end..]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
        let read = space.filled().len();
        self.held.end += read;
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncRead + Unpin> hyper::rt::Read for TokioIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let io = self.get_mut();
        if io.held.is_empty() {
            io.held = 0..0;
            ready!(io.poll_fill(cx))?;
        }
        let taken = io.held.len().min(cursor.remaining());
        cursor.put_slice(&io.buffer[io.held.start..][..taken]);
        io.held.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for TokioIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }
}

/// Runs what hyper wants run besides a connection, the streams of HTTP/2, as tasks of the current
/// runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioExecutor;

impl<F> hyper::rt::Executor<F> for TokioExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}
