//! Local replies: what this process answers itself.
//!
//! A refusal is a status, a flag for the log, and a short constant sentence that tells the client
//! nothing of what lies behind. Whoever prefers JSON gets JSON; a gRPC client gets what its library
//! understands (HTTP 200 and a gRPC status).

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderName, Response, StatusCode};

use super::body::{Content, ReplyBody};
use super::exchange::Exchange;
use crate::telemetry::access_log;
use crate::telemetry::metrics::Flag;

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Why a request is not passed on, and what the client hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) flag: Flag,
    text: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, flag: Flag, text: &'static str) -> Self {
        Self { status, flag, text }
    }

    pub(crate) const fn bad_request(text: &'static str) -> Self {
        Self::new(400, Flag::ProtocolError, text)
    }

    pub(crate) const fn method_not_allowed() -> Self {
        Self::new(405, Flag::ProtocolError, "this method is not served")
    }

    pub(crate) const fn uri_too_long() -> Self {
        Self::new(414, Flag::ProtocolError, "the target is too long")
    }

    pub(crate) const fn expectation_failed() -> Self {
        Self::new(
            417,
            Flag::ProtocolError,
            "only 100-continue can be expected",
        )
    }

    pub(crate) const fn headers_too_large() -> Self {
        Self::new(431, Flag::ProtocolError, "there are too many headers")
    }

    pub(crate) const fn no_host() -> Self {
        Self::new(404, Flag::NoRoute, "nothing is served at this host")
    }

    pub(crate) const fn no_arm() -> Self {
        Self::new(404, Flag::NoRoute, "nothing is served here")
    }

    /// Whether there is such a service at all is nothing that a node's slice of a bundle could tell.
    pub(crate) const fn call_denied() -> Self {
        Self::new(
            403,
            Flag::Denied,
            "this host is not among those that may be called",
        )
    }

    pub(crate) const fn no_endpoint() -> Self {
        Self::new(503, Flag::NoEndpoint, "the service has no endpoint")
    }

    pub(crate) const fn connect_failed() -> Self {
        Self::new(503, Flag::ConnectFailed, "the service cannot be reached")
    }

    pub(crate) const fn upstream_reset() -> Self {
        Self::new(502, Flag::UpstreamReset, "the service broke off")
    }

    pub(crate) const fn malformed_response() -> Self {
        Self::new(
            502,
            Flag::UpstreamProtocol,
            "the service's response cannot be read",
        )
    }

    pub(crate) const fn timeout() -> Self {
        Self::new(504, Flag::Timeout, "the service did not answer in time")
    }

    pub(crate) const fn idle_client() -> Self {
        Self::new(408, Flag::Idle, "the rest of the request did not come")
    }

    pub(crate) const fn idle_upstream() -> Self {
        Self::new(504, Flag::Idle, "the service was silent for too long")
    }

    /// The client will not see the answer.
    pub(crate) const fn client_gone() -> Self {
        Self::new(499, Flag::ClientGone, "the client went away")
    }
}

/// Answers with a refusal.
pub(crate) fn refuse(mut exchange: Box<Exchange>, refusal: Refusal) -> Response<ReplyBody> {
    exchange.flag(refusal.flag);
    if exchange.is_grpc {
        return grpc(exchange, refusal.status, refusal.text.as_bytes());
    }
    // No such status can be sent; nobody is there to read it.
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut text = Vec::with_capacity(refusal.text.len() + 80);
    let kind = if exchange.accept.as_ref().is_some_and(prefers_json) {
        text.extend_from_slice(b"{\"error\":");
        access_log::string(&mut text, refusal.text.as_bytes());
        text.extend_from_slice(b",\"request_id\":");
        access_log::string(&mut text, &exchange.request_id);
        text.extend_from_slice(b"}\n");
        "application/json"
    } else {
        text.extend_from_slice(refusal.text.as_bytes());
        text.push(b'\n');
        "text/plain; charset=utf-8"
    };
    reply(exchange, status, kind, text.into())
}

/// Answers as an arm says.
pub(crate) fn respond(exchange: Box<Exchange>, status: u16, body: Bytes) -> Response<ReplyBody> {
    if exchange.is_grpc {
        return grpc(exchange, status, &body);
    }
    let kind = kind(&body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply(exchange, status, kind, body)
}

/// The content type of a body that says none: HTML looks like HTML.
fn kind(body: &[u8]) -> &'static str {
    let is_text = std::str::from_utf8(body).is_ok();
    match body.trim_ascii_start().first() {
        Some(b'<') if is_text => "text/html; charset=utf-8",
        Some(b'{' | b'[') if is_text => "application/json",
        _ if is_text => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Points the client elsewhere.
pub(crate) fn redirect(
    exchange: Box<Exchange>,
    status: u16,
    location: String,
) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
    let mut response = empty(exchange, status);
    // A location is made of parts that were checked to be visible ASCII.
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A reply without a body.
pub(crate) fn empty(mut exchange: Box<Exchange>, status: StatusCode) -> Response<ReplyBody> {
    exchange.answered(status.as_u16());
    let mut response = Response::new(ReplyBody::new(Content::Empty, exchange));
    *response.status_mut() = status;
    response
}

fn reply(
    mut exchange: Box<Exchange>,
    status: StatusCode,
    kind: &'static str,
    body: Bytes,
) -> Response<ReplyBody> {
    if body.is_empty() {
        return empty(exchange, status);
    }
    exchange.answered(status.as_u16());
    let mut response = Response::new(ReplyBody::new(Content::Text(Some(body)), exchange));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A gRPC error: trailers only.
fn grpc(exchange: Box<Exchange>, status: u16, message: &[u8]) -> Response<ReplyBody> {
    let mut response = empty(exchange, StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    headers.insert(
        GRPC_STATUS.clone(),
        HeaderValue::from_static(grpc_status(status)),
    );
    if let Ok(message) = HeaderValue::try_from(percent_encoded(message))
        && !message.is_empty()
    {
        headers.insert(GRPC_MESSAGE.clone(), message);
    }
    response
}

fn grpc_status(status: u16) -> &'static str {
    match status {
        400 => "13",       // INTERNAL
        401 => "16",       // UNAUTHENTICATED
        403 => "7",        // PERMISSION_DENIED
        404 => "12",       // UNIMPLEMENTED
        429 => "8",        // RESOURCE_EXHAUSTED
        499 => "1",        // CANCELLED
        502..=504 => "14", // UNAVAILABLE
        _ => "2",          // UNKNOWN
    }
}

/// As gRPC writes messages: visible ASCII, `%` and the rest escaped.
fn percent_encoded(message: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(message.len());
    for &byte in message.trim_ascii_end() {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            text.push(byte as char);
        } else {
            text.push('%');
            text.push(HEX[usize::from(byte >> 4)] as char);
            text.push(HEX[usize::from(byte & 15)] as char);
        }
    }
    text
}

/// Whether the client would rather read JSON than text (RFC 9110 §12.5.1).
fn prefers_json(accept: &HeaderValue) -> bool {
    let (mut json, mut text) = (0, 0);
    for range in accept.to_str().unwrap_or_default().split(',') {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight(parameters);
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/json" | "application/problem+json" => json = json.max(weight),
            "text/plain" | "text/html" | "text/*" => text = text.max(weight),
            _ => {}
        }
    }
    json > text
}

/// The weight among a range's parameters, in thousandths: `q=0.5` is 500. What is no weight is 0.
fn weight(parameters: &str) -> u32 {
    let mut weights = parameters
        .split(';')
        .filter_map(|it| it.trim().strip_prefix("q="));
    let Some(weight) = weights.next() else {
        return 1000;
    };
    match weight.split_once('.').unwrap_or((weight, "")) {
        ("1", zeros) if zeros.bytes().all(|digit| digit == b'0') => 1000,
        ("0", digits) if digits.len() <= 3 && digits.bytes().all(|it| it.is_ascii_digit()) => {
            format!("{digits:0<3}").parse().unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(accept: &'static str) -> bool {
        prefers_json(&HeaderValue::from_static(accept))
    }

    #[test]
    fn json_for_those_who_ask_for_it() {
        assert!(prefers("application/json"));
        assert!(prefers("text/plain;q=0.5, application/json"));
        assert!(prefers("Application/JSON; charset=utf-8; q=0.9, */*"));
        assert!(!prefers("*/*"));
        assert!(!prefers("text/html, application/json;q=0.9"));
        assert!(!prefers("application/json;q=0"));
        assert!(!prefers("application/json;q=7"));
    }

    #[test]
    fn grpc_messages_are_visible_ascii() {
        assert_eq!(
            percent_encoded("100 % of é\n".as_bytes()),
            "100 %25 of %C3%A9"
        );
    }

    #[test]
    fn bodies_are_known_by_their_first_character() {
        assert_eq!(kind(b"\n<!doctype html>"), "text/html; charset=utf-8");
        assert_eq!(kind(b"{}"), "application/json");
        assert_eq!(kind(b"no such page"), "text/plain; charset=utf-8");
        assert_eq!(kind(b"\xff\xfe<"), "application/octet-stream");
    }
}
