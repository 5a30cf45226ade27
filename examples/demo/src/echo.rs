//! `echo`: says what arrived, at any path and for any method, and answers as the query asks.
//!
//! | query | answer |
//! |---|---|
//! | `status=503` | this status, 200 to 599 |
//! | `delay-ms=200` | the head only after this time |
//! | `header=name:value` | this header; more than once for several |
//! | `size=1073741824` | that many bytes in place of the JSON, in chunks of 64 KiB |
//! | `chunks=5` | that many chunks of text in place of the JSON |
//! | `drip-ms=100` | this time between two chunks, with `size` or `chunks` |
//! | `trailer=1` | a trailer `x-checksum`, the checksum of the answer's body |
//! | `reset=1` | none: the connection (HTTP/1.1) or the stream (HTTP/2) is reset |
//!
//! The request's body is read before the answer begins, and not kept: its length and checksum are.

use std::convert::Infallible;
use std::future::Future as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use serde_json::{Value, json};
use tokio::time::{Sleep, sleep};

use crate::checksum::Checksum;
use crate::form;
use crate::reply::{Refusal, Reply};

/// The ends of the connection that a request came on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// Where it was accepted.
    pub(crate) local: SocketAddr,
    /// Whoever connected.
    pub(crate) peer: SocketAddr,
}

/// The answer, or nothing when there shall be none.
pub(crate) async fn answer(
    request: Request<Incoming>,
    ends: Ends,
) -> Result<Option<Reply>, Refusal> {
    let wish = Wish::read(request.uri().query().unwrap_or_default())?;
    sleep(wish.delay).await;
    if wish.reset {
        return Ok(None);
    }
    let (head, body) = request.into_parts();
    let arrived = Arrived::read(body).await?;

    let (content_type, source) = match wish.body {
        Wanted::Description => {
            let mut described = describe(&head, &arrived, ends).to_string();
            described.push('\n');
            ("application/json", Source::Whole(described.into()))
        }
        Wanted::Bytes(size) => ("application/octet-stream", Source::Bytes { left: size }),
        Wanted::Lines(of) => ("text/plain; charset=utf-8", Source::Lines { next: 1, of }),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if wish.trailer {
        headers.insert(TRAILER, HeaderValue::from_static(CHECKSUM));
    }
    // A header that is asked for stands in place of ours.
    for (name, _) in &wish.headers {
        headers.remove(name);
    }
    for (name, value) in wish.headers {
        headers.append(name, value);
    }

    let body = Dripping {
        source,
        pause: wish.pause,
        pausing: None,
        checksum: wish.trailer.then(Checksum::new),
    };
    let mut reply = Response::new(body.boxed_unsync());
    *reply.status_mut() = wish.status;
    *reply.headers_mut() = headers;
    Ok(Some(reply))
}

const CHECKSUM: &str = "x-checksum";

/// What the query asks for.
#[derive(Debug)]
struct Wish {
    status: StatusCode,
    delay: Duration,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Wanted,
    pause: Duration,
    trailer: bool,
    reset: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Description,
    Bytes(u64),
    Lines(u64),
}

impl Wish {
    fn read(query: &str) -> Result<Self, Refusal> {
        let (mut size, mut chunks, mut drip) = (None, None, None);
        let mut wish = Self {
            status: StatusCode::OK,
            delay: Duration::ZERO,
            headers: Vec::new(),
            body: Wanted::Description,
            pause: Duration::ZERO,
            trailer: false,
            reset: false,
        };
        for (name, value) in form::pairs(query) {
            match name.as_str() {
                "status" => wish.status = status(&value)?,
                "delay-ms" => wish.delay = Duration::from_millis(number(&name, &value)?),
                "header" => wish.headers.push(header(&value)?),
                "size" => size = Some(number(&name, &value)?),
                "chunks" => chunks = Some(number(&name, &value)?),
                "drip-ms" => drip = Some(Duration::from_millis(number(&name, &value)?)),
                "trailer" => wish.trailer = switch(&name, &value)?,
                "reset" => wish.reset = switch(&name, &value)?,
                _ => {}
            }
        }
        wish.body = match (size, chunks) {
            (Some(_), Some(_)) => {
                return Err(unclear(
                    "size and chunks do not go together: one body is asked for",
                ));
            }
            (Some(size), None) => Wanted::Bytes(size),
            (None, Some(chunks)) => Wanted::Lines(chunks),
            (None, None) if drip.is_some() => {
                return Err(unclear("drip-ms goes with chunks or size"));
            }
            (None, None) => Wanted::Description,
        };
        wish.pause = drip.unwrap_or_default();
        Ok(wish)
    }
}

fn unclear(sentence: impl Into<String>) -> Refusal {
    Refusal::Unclear(sentence.into())
}

fn number(name: &str, value: &str) -> Result<u64, Refusal> {
    u64::from_str(value)
        .map_err(|_| unclear(format!("{name} is a whole number, and “{value}” is not")))
}

fn switch(name: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(unclear(format!(
            "{name} is 0 or 1, and “{value}” is neither"
        ))),
    }
}

fn status(value: &str) -> Result<StatusCode, Refusal> {
    StatusCode::from_str(value)
        .ok()
        .filter(|status| (200..=599).contains(&status.as_u16()))
        .ok_or_else(|| {
            unclear(format!(
                "status is a number from 200 to 599, and “{value}” is not"
            ))
        })
}

fn header(value: &str) -> Result<(HeaderName, HeaderValue), Refusal> {
    let (name, value) = value
        .split_once(':')
        .and_then(|(name, text)| {
            Some((
                HeaderName::from_str(name).ok()?,
                HeaderValue::from_str(text.trim()).ok()?,
            ))
        })
        .ok_or_else(|| unclear(format!("header is name:value, and “{value}” is not")))?;
    if [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER].contains(&name)
        || (name == CONNECTION && value != "close")
    {
        return Err(unclear(format!(
            "the server itself says {name}, which frames the answer"
        )));
    }
    Ok((name, value))
}

/// What a body came to.
#[derive(Debug)]
struct Arrived {
    length: u64,
    checksum: Checksum,
    trailers: HeaderMap,
}

impl Arrived {
    async fn read(mut body: Incoming) -> Result<Self, Refusal> {
        let mut arrived = Self {
            length: 0,
            checksum: Checksum::new(),
            trailers: HeaderMap::new(),
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::BodyBroken(error.to_string()))?;
            match frame.into_data() {
                Ok(data) => {
                    arrived.length += data.len() as u64;
                    arrived.checksum.update(&data);
                }
                Err(frame) => arrived
                    .trailers
                    .extend(frame.into_trailers().unwrap_or_default()),
            }
        }
        Ok(arrived)
    }
}

fn describe(head: &http::request::Parts, body: &Arrived, ends: Ends) -> Value {
    json!({
        "server": ends.local.to_string(),
        "client": ends.peer.to_string(),
        "method": head.method.as_str(),
        "authority": head.uri.authority().map(http::uri::Authority::as_str),
        "path": head.uri.path_and_query().map(http::uri::PathAndQuery::as_str),
        "version": format!("{:?}", head.version),
        "headers": fields(&head.headers),
        "body": { "length": body.length, "checksum": body.checksum.to_string() },
        "trailers": fields(&body.trailers),
    })
}

/// Pairs of name and value. A value that is not UTF-8 shows its other bytes as `\xff`.
fn fields(fields: &HeaderMap) -> Vec<[String; 2]> {
    let text = |value: &HeaderValue| match str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().escape_ascii().to_string(),
    };
    fields
        .iter()
        .map(|(name, value)| [name.to_string(), text(value)])
        .collect()
}

/// A row of 64 characters, and so many rows that they make a chunk: byte `n` of any answer is
/// character `n % 64`.
const ROW: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-\n";
const CHUNK: usize = 64 * 1024;
static ROWS: [[u8; 64]; CHUNK / 64] = [*ROW; CHUNK / 64];

/// Where the bytes of an answer come from.
#[derive(Debug)]
enum Source {
    Whole(Bytes),
    Bytes { left: u64 },
    Lines { next: u64, of: u64 },
}

impl Source {
    fn is_empty(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Bytes { left } => *left == 0,
            Self::Lines { next, of } => next > of,
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        if self.is_empty() {
            return None;
        }
        Some(match self {
            Self::Whole(bytes) => std::mem::take(bytes),
            Self::Bytes { left } => {
                let size = usize::try_from(*left).map_or(CHUNK, |left| left.min(CHUNK));
                *left -= size as u64;
                Bytes::from_static(&ROWS.as_flattened()[..size])
            }
            Self::Lines { next, of } => {
                let line = format!("chunk {next} of {of}\n");
                *next += 1;
                line.into()
            }
        })
    }

    /// How many bytes there are still, where that is known beforehand.
    fn left(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Bytes { left } => Some(*left),
            Self::Lines { .. } => None,
        }
    }
}

/// A body that takes its time, and may end with its checksum.
#[derive(Debug)]
struct Dripping {
    source: Source,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
    checksum: Option<Checksum>,
}

impl Body for Dripping {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(pausing) = &mut self.pausing {
            ready!(pausing.as_mut().poll(cx));
            self.pausing = None;
        }
        let frame = if let Some(chunk) = self.source.next() {
            if let Some(checksum) = &mut self.checksum {
                checksum.update(&chunk);
            }
            if !self.pause.is_zero() && !self.source.is_empty() {
                self.pausing = Some(Box::pin(sleep(self.pause)));
            }
            Some(Frame::data(chunk))
        } else {
            self.checksum.take().map(|checksum| {
                let value =
                    HeaderValue::try_from(checksum.to_string()).expect("digits fit into a header");
                Frame::trailers(HeaderMap::from_iter([(
                    HeaderName::from_static(CHECKSUM),
                    value,
                )]))
            })
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_empty() && self.checksum.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // In HTTP/1.1 a body of known length has no place for trailers.
        match self.source.left().filter(|_| self.checksum.is_none()) {
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let wish = Wish::read("status=503&delay-ms=20&header=x-a:1&header=x-a:%202&other=x")
            .expect("clear");
        assert_eq!(wish.status, 503);
        assert_eq!(wish.delay, Duration::from_millis(20));
        assert_eq!(wish.body, Wanted::Description);
        let values: Vec<_> = wish
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        assert_eq!(values, [("x-a", &b"1"[..]), ("x-a", b"2")]);
        assert_eq!(Wish::read("size=5").expect("clear").body, Wanted::Bytes(5));
        assert_eq!(
            Wish::read("chunks=5&drip-ms=1").expect("clear").body,
            Wanted::Lines(5)
        );
    }

    #[test]
    fn wishes_that_cannot_be_granted_are_refused() {
        for query in [
            "status=99",
            "status=101",
            "status=600",
            "status=ok",
            "delay-ms=-1",
            "size=1&chunks=1",
            "size=1k",
            "drip-ms=5",
            "trailer=yes",
            "header=x",
            "header=:x",
            "header=a%0Ab:c",
            "header=a:b%0Ac",
            "header=content-length:5",
            "header=Transfer-Encoding:chunked",
            "header=connection:upgrade",
        ] {
            let refusal = Wish::read(query).expect_err(query);
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST, "{query}");
        }
    }

    #[test]
    fn bytes_come_in_chunks_of_the_same_rows() {
        let mut source = Source::Bytes { left: 65_537 };
        let chunks: Vec<_> = std::iter::from_fn(|| source.next()).collect();
        assert_eq!(
            chunks.iter().map(Bytes::len).collect::<Vec<_>>(),
            [65_536, 1]
        );
        assert_eq!(chunks[0][65_535], b'\n');
        assert_eq!(chunks[1][0], b'a');
    }
}
