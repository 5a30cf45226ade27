//! Sending a request on and taking its response.
//!
//! What seldom happens (a new connection, one that has gone stale) is boxed: it takes no room in the
//! future of every request.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;

use super::body::{Content, ReplyBody, RequestBody};
use super::exchange::Exchange;
use super::hygiene::{self, Kept, Survey};
use super::progress::{BodyState, Progress};
use super::reply::{self, Refusal};
use crate::telemetry::metrics::Flag;
use crate::upstream::Hop;
use crate::upstream::connect::connect;
use crate::upstream::pool::{Lease, Sender, Upstream};

/// Where a request goes, and how long it may take.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) upstream: Rc<Upstream>,
    pub(crate) hop: Hop,
    /// When the response must have ended.
    pub(crate) deadline: Option<Instant>,
    pub(crate) connect: Option<Duration>,
}

/// A request on its way. Kept small: it is moved together with everything that waits for it.
pub(crate) struct Forwarding {
    way: Way,
    stage: Stage,
}

enum Stage {
    /// There was a connection.
    Sent { lease: Lease, sent: Sent },
    /// There is none yet.
    Held(Box<Request<RequestBody>>),
}

type Sent = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Unsent>>>>;
type Unsent = TrySendError<Request<RequestBody>>;

/// Sends a request on, if there is a connection for it, and starts its clock.
pub(crate) fn begin(
    exchange: &mut Exchange,
    request: Request<RequestBody>,
    way: Way,
) -> Forwarding {
    let worker = exchange.connection.worker();
    exchange
        .progress
        .start(&worker.wheel, exchange.began, way.deadline);
    exchange.attempts = 1;
    let stage = match way.upstream.pooled(way.hop) {
        Some(mut lease) => Stage::Sent {
            sent: send(&mut lease, request),
            lease,
        },
        None => Stage::Held(Box::new(request)),
    };
    Forwarding { way, stage }
}

fn send(lease: &mut Lease, request: Request<RequestBody>) -> Sent {
    match lease.sender() {
        Sender::Http1(sender) => Box::pin(sender.try_send_request(request)),
        Sender::Http2(sender) => Box::pin(sender.try_send_request(request)),
    }
}

/// Waits for the response's head; its body is still on the way then.
pub(crate) async fn response(
    exchange: &mut Exchange,
    forwarding: Forwarding,
) -> Result<Response<Incoming>, Refusal> {
    let Forwarding { way, stage } = forwarding;
    let progress = &exchange.progress;
    let (lease, response) = match stage {
        Stage::Sent { lease, mut sent } => match in_time(progress, sent.as_mut()).await? {
            Ok(response) => (lease, response),
            Err(error) => Box::pin(send_again(exchange, &way, &lease, error)).await?,
        },
        Stage::Held(request) => Box::pin(send_anew(exchange, &way, *request)).await?,
    };
    taken(exchange, lease, response)
}

/// A connection from the pool may have gone stale: what hyper hands back because it did not begin to
/// send it goes over a new connection, once.
async fn send_again(
    exchange: &Exchange,
    way: &Way,
    stale: &Lease,
    mut error: Unsent,
) -> Result<(Lease, Response<Incoming>), Refusal> {
    let unsent = if stale.fresh {
        None
    } else {
        error.take_message()
    };
    match unsent {
        Some(unsent) => send_anew(exchange, way, unsent).await,
        None => Err(broken(&exchange.progress, &error.into_error())),
    }
}

/// Sends a request over a new connection.
async fn send_anew(
    exchange: &Exchange,
    way: &Way,
    request: Request<RequestBody>,
) -> Result<(Lease, Response<Incoming>), Refusal> {
    let progress = &exchange.progress;
    let worker = exchange.connection.worker();
    let opening = pin!(connect(worker, &way.upstream, way.hop, way.connect));
    let mut lease = in_time(progress, opening).await?.map_err(|_| {
        progress.stop();
        Refusal::connect_failed()
    })?;
    match in_time(progress, send(&mut lease, request).as_mut()).await? {
        Ok(response) => Ok((lease, response)),
        Err(error) => Err(broken(progress, &error.into_error())),
    }
}

/// Waits, unless the exchange gets late.
async fn in_time<F>(progress: &Progress, mut future: Pin<&mut F>) -> Result<F::Output, Refusal>
where
    F: Future + ?Sized,
{
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => match progress.poll_overdue(cx) {
            Some(flag) => Poll::Ready(Err(late(progress, flag))),
            None => Poll::Pending,
        },
    })
    .await
}

fn late(progress: &Progress, flag: Flag) -> Refusal {
    // The reply is on nobody's clock.
    progress.stop();
    match flag {
        Flag::Timeout => Refusal::timeout(),
        _ if progress.request_body.get() == BodyState::Open => Refusal::idle_client(),
        _ => Refusal::idle_upstream(),
    }
}

/// What the client hears of an upstream that did not answer.
fn broken(progress: &Progress, error: &hyper::Error) -> Refusal {
    progress.stop();
    if progress.request_body.get() == BodyState::Broken {
        Refusal::client_gone()
    } else if error.is_parse() {
        Refusal::malformed_response()
    } else {
        Refusal::upstream_reset()
    }
}

fn taken(
    exchange: &mut Exchange,
    lease: Lease,
    response: Response<Incoming>,
) -> Result<Response<Incoming>, Refusal> {
    let status = response.status();
    if let Some(destination) = exchange.destination() {
        destination.count(&exchange.connection.worker().metrics, status.as_u16());
    }
    // Nobody asked for another protocol.
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Refusal::malformed_response());
    }
    exchange.lease = Some(lease);
    Ok(response)
}

/// Makes a response the client's.
pub(crate) fn pass_on(
    mut exchange: Box<Exchange>,
    te_trailers: bool,
    response: Response<Incoming>,
) -> Response<ReplyBody> {
    let (mut parts, incoming) = response.into_parts();
    let survey = Survey::of(&parts.headers);
    let kept = match hygiene::response(&mut parts.headers, &survey) {
        Ok(kept) => kept,
        Err(refusal) => {
            exchange.progress.stop();
            exchange.lease = None;
            return reply::refuse(exchange, refusal);
        }
    };
    if let Some(trailer) = kept.trailer
        && (te_trailers || exchange.version == Version::HTTP_2)
    {
        parts.headers.insert(header::TRAILER, trailer);
    }
    parts.version = Version::HTTP_11;
    exchange.answered(parts.status.as_u16());
    let ended = false;
    let body = ReplyBody::new(Content::Stream { incoming, ended }, exchange);
    Response::from_parts(parts, body)
}

/// Makes a request the next hop's. `path` is the normal form of a path that had another; `host` is
/// what the client asked for.
pub(crate) fn prepare(
    exchange: &Exchange,
    mut parts: Parts,
    body: Incoming,
    hop: Hop,
    kept: Kept,
    path: Option<String>,
    host: HeaderValue,
) -> Result<Request<RequestBody>, Refusal> {
    let headers = &mut parts.headers;
    let unknown_length = !body.is_end_stream() && body.size_hint().exact().is_none();
    if kept.te_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(trailer) = kept.trailer.filter(|_| unknown_length) {
        headers.insert(header::TRAILER, trailer);
    }
    match hop {
        Hop::Http1 => {
            if kept.te_trailers {
                headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
            }
            if unknown_length && matches!(parts.method, Method::GET | Method::HEAD) {
                // hyper takes these for empty unless told.
                let chunked = HeaderValue::from_static("chunked");
                headers.insert(header::TRANSFER_ENCODING, chunked);
            }
            if parts.version == Version::HTTP_2 {
                headers.insert(header::HOST, host);
            }
            if path.is_some() || parts.uri.scheme().is_some() {
                parts.uri = Uri::from(target(&parts.uri, path)?);
            }
        }
        Hop::Http2 => {
            headers.remove(header::HOST);
            let mut uri = http::uri::Parts::default();
            uri.scheme = Some(Scheme::HTTP);
            uri.authority = Some(
                Authority::try_from(host.as_bytes())
                    .map_err(|_| Refusal::bad_request("the host is not a DNS name"))?,
            );
            uri.path_and_query = Some(target(&parts.uri, path)?);
            parts.uri =
                Uri::from_parts(uri).map_err(|_| Refusal::bad_request("the target is no path"))?;
        }
    }
    parts.version = Version::HTTP_11;
    let body = RequestBody::new(body, &exchange.progress);
    Ok(Request::from_parts(parts, body))
}

fn target(uri: &Uri, path: Option<String>) -> Result<PathAndQuery, Refusal> {
    let Some(mut target) = path else {
        let target = uri.path_and_query().cloned();
        return target.ok_or(Refusal::bad_request("the target is no path"));
    };
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    PathAndQuery::try_from(target).map_err(|_| Refusal::bad_request("the target is no path"))
}
