//! Bodies on their way through: frames in, frames out, nothing kept.
//!
//! A body is polled by whoever can send it on, so a slow reader slows the writer down and not this
//! process. What passes is counted, fields that have no business in trailers are dropped, and with
//! the end of the response the exchange ends.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::exchange::Exchange;
use super::hygiene;
use super::progress::{BodyState, Progress};
use crate::telemetry::metrics::Flag;

/// The body of a request, on its way to an upstream.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    /// `None` for a body that is empty from the start.
    progress: Option<Rc<Progress>>,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, progress: &Rc<Progress>) -> Self {
        let progress = (!incoming.is_end_stream()).then(|| {
            progress.request_body.set(BodyState::Open);
            Rc::clone(progress)
        });
        Self { incoming, progress }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        let Some(progress) = &self.progress else {
            return Poll::Ready(polled);
        };
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    progress.received(data.len());
                }
                if self.incoming.is_end_stream() {
                    progress.request_body.set(BodyState::Complete);
                }
                Some(Ok(without_forbidden_trailers(frame)))
            }
            Some(Err(error)) => {
                progress.request_body.set(BodyState::Broken);
                Some(Err(error))
            }
            None => {
                progress.request_body.set(BodyState::Complete);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Why a response breaks off. Only this process sees it: the client sees that it does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Truncated {
    #[error("the upstream broke off: {0}")]
    Upstream(#[from] hyper::Error),
    #[error("the response took too long")]
    Overdue,
}

/// What a response's body is made of.
#[derive(Debug)]
pub(crate) enum Content {
    Empty,
    Text(Option<Bytes>),
    Stream { incoming: Incoming, ended: bool },
}

/// The body of a response, on its way to the client. When it has ended, or is dropped, the exchange
/// has ended.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    content: Content,
    exchange: Option<Box<Exchange>>,
}

impl ReplyBody {
    pub(crate) fn new(content: Content, exchange: Box<Exchange>) -> Self {
        Self {
            content,
            exchange: Some(exchange),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        let Self { content, exchange } = &mut *self;
        let Some(exchange) = exchange else {
            return Poll::Ready(None);
        };
        let (incoming, ended) = match content {
            Content::Empty => return Poll::Ready(None),
            Content::Text(text) => {
                return Poll::Ready(text.take().map(|text| {
                    exchange.sent(text.len());
                    Ok(Frame::data(text))
                }));
            }
            Content::Stream { incoming, ended } => (incoming, ended),
        };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    exchange.sent(data.len());
                }
                Poll::Ready(Some(Ok(without_forbidden_trailers(frame))))
            }
            Poll::Ready(Some(Err(error))) => {
                exchange.flag(Flag::UpstreamReset);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                *ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => match exchange.poll_overdue(cx) {
                Some(flag) => {
                    exchange.flag(flag);
                    Poll::Ready(Some(Err(Truncated::Overdue)))
                }
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Text(text) => text.is_none(),
            Content::Stream { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, Bytes::len) as u64),
            Content::Stream { incoming, .. } => incoming.size_hint(),
        }
    }
}

impl Drop for ReplyBody {
    fn drop(&mut self) {
        let complete = match &self.content {
            Content::Empty | Content::Text(_) => true,
            Content::Stream { incoming, ended } => *ended || incoming.is_end_stream(),
        };
        if let Some(exchange) = self.exchange.take() {
            exchange.end(complete);
        }
    }
}

fn without_forbidden_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            strip(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

fn strip(trailers: &mut HeaderMap) {
    if trailers.keys().any(hygiene::is_forbidden_in_trailers) {
        let keys: Vec<_> = trailers.keys().cloned().collect();
        for key in keys
            .iter()
            .filter(|key| hygiene::is_forbidden_in_trailers(key))
        {
            trailers.remove(key);
        }
    }
}
