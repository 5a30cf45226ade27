//! The client side: calls to other services, through the outbound address of the caller's sidecar.
//!
//! A call is a GET in HTTP/1.1 whose `Host` is the service, on a connection of its own. It comes to
//! the JSON that was answered, or to a [`Failure`], which says who did not answer and why.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::io::TokioIo;

/// The largest answer that is read.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// What a call carries on from the request that it is made for: who asks, with what right, and the
/// trace. It is what the original carries on, so that a callee can be routed to by user or cookie.
const PASSED_ON: [&str; 14] = [
    "end-user",
    "user-agent",
    "cookie",
    "authorization",
    "jwt",
    "x-request-id",
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];

/// The headers of a request that its calls to others carry on.
pub(crate) fn passed_on(request: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for name in PASSED_ON {
        for value in request.get_all(name) {
            passed.append(name, value.clone());
        }
    }
    passed
}

/// The way to other services.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// Where the sidecar takes calls.
    pub(crate) sidecar: Option<SocketAddr>,
    /// How long a call may take as a whole.
    pub(crate) patience: Duration,
}

/// A call that brought no answer to use.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) callee: &'static str,
    pub(crate) reason: Reason,
}

/// Why it did not.
#[derive(Debug)]
pub(crate) enum Reason {
    /// The server was started without a sidecar.
    NoSidecar,
    /// The sidecar takes no connection.
    Unreachable(SocketAddr, io::Error),
    /// No whole answer within this time.
    Late(Duration),
    /// The connection broke, or what came over it was not HTTP.
    Broken(hyper::Error),
    /// An answer that is not a success.
    Status(StatusCode),
    /// A success whose body is not JSON, or endless.
    NotJson,
}

impl Failure {
    /// The status for a client that asked for just this: what the callee said, else what a gateway
    /// would say.
    pub(crate) fn status(&self) -> StatusCode {
        match self.reason {
            Reason::Status(status) => status,
            Reason::Late(_) => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callee = self.callee;
        match &self.reason {
            Reason::NoSidecar => write!(
                f,
                "{callee} was not called: there is no outbound address to call through"
            ),
            Reason::Unreachable(sidecar, error) => {
                write!(
                    f,
                    "{callee} cannot be reached through {sidecar}: {}",
                    error.kind()
                )
            }
            Reason::Late(patience) => write!(f, "{callee} did not answer within {patience:?}"),
            Reason::Broken(error) => {
                write!(f, "{callee} broke off: {error}")?;
                error
                    .source()
                    .map_or(Ok(()), |source| write!(f, ": {source}"))
            }
            Reason::Status(status) => write!(f, "{callee} answered {status}"),
            Reason::NotJson => write!(f, "{callee} answered something that is not JSON"),
        }
    }
}

impl Outbound {
    /// What `callee` answers to GET `path`.
    pub(crate) async fn get(
        &self,
        callee: &'static str,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Value, Failure> {
        let answer = tokio::time::timeout(self.patience, self.call(callee, path, headers)).await;
        answer
            .unwrap_or(Err(Reason::Late(self.patience)))
            .map_err(|reason| Failure { callee, reason })
    }

    async fn call(
        &self,
        callee: &'static str,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Value, Reason> {
        let sidecar = self.sidecar.ok_or(Reason::NoSidecar)?;
        let stream = TcpStream::connect(sidecar)
            .await
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| Reason::Unreachable(sidecar, error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Reason::Broken)?;
        // It ends when `sender` and the answer are dropped.
        tokio::spawn(connection);

        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = path
            .parse()
            .expect("paths of calls are made of words and numbers");
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_static(callee));
        let answer = sender.send_request(request).await.map_err(Reason::Broken)?;
        if !answer.status().is_success() {
            return Err(Reason::Status(answer.status()));
        }
        match Limited::new(answer.into_body(), ANSWER_LIMIT)
            .collect()
            .await
        {
            Ok(body) => serde_json::from_slice(&body.to_bytes()).map_err(|_| Reason::NotJson),
            Err(error) => Err(error
                .downcast()
                .map_or(Reason::NotJson, |error| Reason::Broken(*error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_callee_should_know_is_passed_on() {
        let mut request = HeaderMap::new();
        for name in [
            "end-user",
            "host",
            "accept",
            "traceparent",
            "x-b3-spanid",
            "content-length",
            "connection",
        ] {
            request.insert(name, HeaderValue::from_static("x"));
        }
        request.append("tracestate", HeaderValue::from_static("one"));
        request.append("tracestate", HeaderValue::from_static("two"));

        let passed = passed_on(&request);
        let names: Vec<_> = passed.keys().map(http::HeaderName::as_str).collect();
        assert_eq!(
            names,
            ["end-user", "traceparent", "tracestate", "x-b3-spanid"]
        );
        assert_eq!(passed.get_all("tracestate").iter().count(), 2);
    }

    #[test]
    fn failures_are_sentences() {
        let failure = |reason| Failure {
            callee: "details",
            reason,
        };
        let said = failure(Reason::Status(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(said.to_string(), "details answered 503 Service Unavailable");
        assert_eq!(said.status(), 503);
        let late = failure(Reason::Late(Duration::from_millis(2500)));
        assert_eq!(late.to_string(), "details did not answer within 2.5s");
        assert_eq!(late.status(), 504);
        assert_eq!(failure(Reason::NotJson).status(), 502);
    }
}
