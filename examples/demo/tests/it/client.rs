//! A client: one request, one connection, one whole answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use mesh_demo::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

pub(crate) const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// What came back, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(HeaderValue::to_str);
        value.and_then(Result::ok).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("a body of text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A body whose length nobody knows beforehand, with trailers unless there are none.
pub(crate) struct Frames(VecDeque<Frame<Bytes>>);

impl Frames {
    pub(crate) fn new(data: impl Into<Bytes>, trailers: HeaderMap) -> Self {
        let mut data = data.into();
        let mut frames = VecDeque::new();
        while !data.is_empty() {
            frames.push_back(Frame::data(data.split_to(data.len().min(10_000))));
        }
        if !trailers.is_empty() {
            frames.push_back(Frame::trailers(trailers));
        }
        Self(frames)
    }
}

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// A connection for several requests.
pub(crate) enum Connection {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, protocol: Protocol) -> Self {
        let io = TokioIo::new(TcpStream::connect(address).await.expect("a connection"));
        match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await.expect("a handshake");
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let handshake = http2::handshake(TokioExecutor, io).await;
                let (sender, connection) = handshake.expect("a handshake");
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        }
    }

    /// Sends a request to its path, as the host `test`, and comes to the head of the answer.
    pub(crate) async fn send(
        &mut self,
        mut request: Request<Body>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                request
                    .headers_mut()
                    .entry(HOST)
                    .or_insert(HeaderValue::from_static("test"));
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                let path = request
                    .uri()
                    .path_and_query()
                    .map_or("/", |path| path.as_str());
                let uri = format!("http://test{path}").parse::<Uri>();
                *request.uri_mut() = uri.expect("an address");
                sender.send_request(request).await
            }
        }
    }

    pub(crate) async fn call(&mut self, request: Request<Body>) -> hyper::Result<Answer> {
        let (head, body) = self.send(request).await?.into_parts();
        let body = body.collect().await?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        })
    }
}

/// A request with a body of known length.
pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Body> {
    headers
        .iter()
        .fold(
            Request::builder().method(method).uri(path),
            |builder, (name, value)| builder.header(*name, *value),
        )
        .body(Full::new(body.into()).boxed_unsync())
        .expect("a request")
}

pub(crate) async fn call(
    address: SocketAddr,
    protocol: Protocol,
    request: Request<Body>,
) -> Answer {
    let mut connection = Connection::open(address, protocol).await;
    connection.call(request).await.expect("an answer")
}

/// GET over HTTP/1.1.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    call(address, Protocol::Http1, request("GET", path, &[], "")).await
}
