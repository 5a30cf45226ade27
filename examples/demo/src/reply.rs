//! What a handler gives back: a reply, or a refusal, which becomes one.
//!
//! A handler sees a request whose body has been read already, at most [`BODY_LIMIT`] of it, and
//! returns `Result<Reply, Refusal>`; [`segments`], [`allow`] and [`book_id`] are the words it speaks.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use serde_json::{Value, json};

/// The largest body that a request may have.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// How long the rest of a refused body is read and dropped, so that its sender comes to see the
/// answer.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A response of any server. Its body ends well or the connection breaks; it has no errors of its
/// own.
pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A whole body of some type.
pub(crate) fn reply(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).boxed_unsync());
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A body of JSON.
pub(crate) fn json_reply(status: StatusCode, value: &Value) -> Reply {
    reply(status, "application/json", value.to_string())
}

/// Why a request got no proper answer. Each one is a sentence for whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 404: there is nothing at this path.
    NothingHere { path: String },
    /// 405: there is, for other methods.
    Method { path: String, allow: &'static str },
    /// 400: a book's id that is not a number.
    NotAnId { written: String },
    /// 400: something else in the request that cannot be understood, as a sentence.
    Unclear(String),
    /// 413: more than [`BODY_LIMIT`].
    BodyTooLarge,
    /// 400: the body ended before its end.
    BodyBroken(String),
    /// 507: no room to store it, as a sentence.
    Full(String),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NothingHere { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAnId { .. } | Self::Unclear(_) | Self::BodyBroken(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut reply = json_reply(self.status(), &json!({ "error": self.to_string() }));
        if let Self::Method { allow, .. } = self {
            reply
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        reply
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingHere { path } => write!(f, "there is nothing at {path}"),
            Self::Method { path, allow } => write!(f, "{path} answers {allow} only"),
            Self::NotAnId { written } => {
                write!(f, "the id of a book is a number, and “{written}” is not")
            }
            Self::Unclear(sentence) | Self::Full(sentence) => f.write_str(sentence),
            Self::BodyTooLarge => write!(f, "the body is larger than {} KiB", BODY_LIMIT / 1024),
            Self::BodyBroken(why) => write!(f, "the body ended before its end: {why}"),
        }
    }
}

/// The segments of a path: `/details/0` is `["details", "0"]`, `/` is `[""]`.
pub(crate) fn segments<B>(request: &Request<B>) -> Vec<&str> {
    let path = request.uri().path();
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

/// Goes on only for these methods, written as `Allow` wants them.
pub(crate) fn allow<B>(request: &Request<B>, allow: &'static str) -> Result<(), Refusal> {
    if allow.split(", ").any(|method| method == request.method()) {
        return Ok(());
    }
    let path = request.uri().path().to_owned();
    Err(Refusal::Method { path, allow })
}

/// A book's id: decimal digits.
pub(crate) fn book_id(written: &str) -> Result<u64, Refusal> {
    let digits = written.bytes().all(|byte| byte.is_ascii_digit());
    let id = if digits { written.parse().ok() } else { None };
    id.ok_or_else(|| Refusal::NotAnId {
        written: written.to_owned(),
    })
}

/// The refusal for a path that no handler knows.
pub(crate) fn nothing_here<B>(request: &Request<B>) -> Refusal {
    let path = request.uri().path().to_owned();
    Refusal::NothingHere { path }
}

/// The request with its body read, up to [`BODY_LIMIT`].
pub(crate) async fn with_body(request: Request<Incoming>) -> Result<Request<Bytes>, Refusal> {
    let (head, mut body) = request.into_parts();
    match read(&mut body).await {
        Ok(bytes) => Ok(Request::from_parts(head, bytes)),
        Err(refusal) => {
            tokio::spawn(tokio::time::timeout(DRAIN_TIME, async move {
                while let Some(Ok(_)) = body.frame().await {}
            }));
            Err(refusal)
        }
    }
}

async fn read(body: &mut Incoming) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::BodyBroken(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if read.len() + data.len() > BODY_LIMIT {
                return Err(Refusal::BodyTooLarge);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(read.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_decimal_digits() {
        assert_eq!(book_id("0"), Ok(0));
        assert_eq!(book_id("18446744073709551615"), Ok(u64::MAX));
        for written in [
            "",
            "+1",
            "-1",
            "1.0",
            "0x1",
            "a",
            " 1",
            "18446744073709551616",
        ] {
            let refusal = book_id(written).expect_err(written);
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST, "{written}");
        }
    }

    #[test]
    fn methods_are_compared_whole() {
        for (method, allowed) in [
            ("GET", true),
            ("HEAD", true),
            ("POST", false),
            ("GE", false),
            ("get", false),
        ] {
            let request = Request::builder()
                .method(method)
                .uri("/x")
                .body(())
                .expect("a request");
            assert_eq!(allow(&request, "GET, HEAD").is_ok(), allowed, "{method}");
        }
    }
}
