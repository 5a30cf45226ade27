//! Header hygiene: what concerns one hop ends at that hop, and what only proxies may say is taken
//! from everybody else.
//!
//! One pass over the headers surveys what is there; only what is there is then removed. Requests and
//! responses go the same way.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::reply::Refusal;

pub(crate) static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_FORWARDED_CLIENT_CERT: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
static PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
static HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Whose requests these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Anybody.
    Client,
    /// A proxy before the gateway that it trusts.
    TrustedProxy,
    /// The application that a sidecar stands before.
    Application,
    /// A proxy of the mesh.
    Mesh,
}

/// Headers that are dealt with, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Present(u32);

macro_rules! present {
    ($($name:ident = $bit:literal,)*) => {
        impl Present { $(pub(crate) const $name: Self = Self(1 << $bit);)* }
    };
}

present! {
    CONNECTION = 0,
    KEEP_ALIVE = 1,
    PROXY_CONNECTION = 2,
    PROXY_AUTHENTICATE = 3,
    PROXY_AUTHORIZATION = 4,
    TE = 5,
    TRAILER = 6,
    TRANSFER_ENCODING = 7,
    UPGRADE = 8,
    HTTP2_SETTINGS = 9,
    EXPECT = 10,
    CONTENT_LENGTH = 11,
    FORWARDED = 12,
    CLIENT_CERT = 13,
    X_FORWARDED_FOR = 14,
    X_FORWARDED_PROTO = 15,
    X_FORWARDED_HOST = 16,
    X_REQUEST_ID = 17,
}

impl Present {
    /// What every hop removes.
    const HOP_BY_HOP: u32 = (1 << 10) - 1;
    /// Of that, what is not there most of the time.
    const SELDOM: u32 = Self::HOP_BY_HOP & !(Self::CONNECTION.0 | Self::TE.0 | Self::TRAILER.0);

    fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What one pass over the headers finds.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) present: Present,
    pub(crate) hosts: u32,
    /// The first `Host`.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) is_grpc: bool,
    /// What the client would like to read.
    pub(crate) accept: Option<HeaderValue>,
    cookies: u32,
    /// Whether a name has an underscore, which some applications read as a hyphen.
    underscore: bool,
    /// Names that begin with `x-mesh-` or `x-envoy-`.
    of_proxies: SmallVec<[HeaderName; 2]>,
}

impl Survey {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut survey = Self::default();
        for (name, value) in headers {
            survey.see(name, value);
        }
        survey
    }

    #[inline]
    fn see(&mut self, name: &HeaderName, value: &HeaderValue) {
        let text = name.as_str();
        let present = match text {
            "host" => {
                self.hosts += 1;
                self.host.get_or_insert_with(|| value.clone());
                return;
            }
            "accept" => {
                self.accept.get_or_insert_with(|| value.clone());
                return;
            }
            "content-type" => {
                self.is_grpc |= is_grpc(value);
                return;
            }
            "cookie" => {
                self.cookies += 1;
                return;
            }
            "connection" => Present::CONNECTION,
            "keep-alive" => Present::KEEP_ALIVE,
            "proxy-connection" => Present::PROXY_CONNECTION,
            "proxy-authenticate" => Present::PROXY_AUTHENTICATE,
            "proxy-authorization" => Present::PROXY_AUTHORIZATION,
            "te" => Present::TE,
            "trailer" => Present::TRAILER,
            "transfer-encoding" => Present::TRANSFER_ENCODING,
            "upgrade" => Present::UPGRADE,
            "http2-settings" => Present::HTTP2_SETTINGS,
            "expect" => Present::EXPECT,
            "content-length" => Present::CONTENT_LENGTH,
            "forwarded" => Present::FORWARDED,
            "x-forwarded-client-cert" => Present::CLIENT_CERT,
            "x-forwarded-for" => Present::X_FORWARDED_FOR,
            "x-forwarded-proto" => Present::X_FORWARDED_PROTO,
            "x-forwarded-host" => Present::X_FORWARDED_HOST,
            "x-request-id" => Present::X_REQUEST_ID,
            _ => {
                self.underscore |= text.contains('_');
                if is_of_proxies(text) {
                    self.of_proxies.push(name.clone());
                }
                return;
            }
        };
        self.present.insert(present);
    }
}

fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
}

fn is_of_proxies(name: &str) -> bool {
    name.starts_with("x-mesh-") || name.starts_with("x-envoy-")
}

/// What of the hop's headers matters further on.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Whether the sender takes trailers.
    pub(crate) te_trailers: bool,
    /// The trailers that are announced, as far as they may be.
    pub(crate) trailer: Option<HeaderValue>,
}

/// Cleans a request's headers.
pub(crate) fn request(
    headers: &mut HeaderMap,
    survey: &Survey,
    sender: Sender,
) -> Result<Kept, Refusal> {
    let gateway = matches!(sender, Sender::Client | Sender::TrustedProxy);
    if gateway && survey.underscore {
        return Err(Refusal::bad_request("a header's name holds an underscore"));
    }
    let kept = hop_by_hop(headers, survey, gateway)?;
    if survey.present.has(Present::EXPECT) {
        let expected = headers.remove(header::EXPECT);
        if !expected.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
            return Err(Refusal::expectation_failed());
        }
    }
    if sender != Sender::Mesh {
        for name in &survey.of_proxies {
            let believed = sender == Sender::TrustedProxy && name.as_str().starts_with("x-envoy-");
            if !believed {
                headers.remove(name);
            }
        }
        if survey.present.has(Present::CLIENT_CERT) {
            headers.remove(&X_FORWARDED_CLIENT_CERT);
        }
    }
    if sender == Sender::Client && survey.present.has(Present::FORWARDED) {
        headers.remove(header::FORWARDED);
    }
    if survey.cookies > 1 {
        join_cookies(headers);
    }
    Ok(kept)
}

/// Cleans a response's headers.
pub(crate) fn response(headers: &mut HeaderMap, survey: &Survey) -> Result<Kept, Refusal> {
    let framings = survey.present;
    if framings.has(Present::CONTENT_LENGTH) && framings.has(Present::TRANSFER_ENCODING) {
        return Err(Refusal::malformed_response());
    }
    hop_by_hop(headers, survey, false)
}

fn hop_by_hop(headers: &mut HeaderMap, survey: &Survey, strict: bool) -> Result<Kept, Refusal> {
    let mut kept = Kept::default();
    let present = survey.present;
    if present.0 & Present::HOP_BY_HOP == 0 {
        return Ok(kept);
    }
    if present.has(Present::TE) {
        let values = headers.get_all(header::TE).into_iter();
        kept.te_trailers = values.flat_map(tokens).any(|it| it == "trailers");
        headers.remove(header::TE);
    }
    if present.has(Present::TRAILER) {
        kept.trailer = announced_trailers(headers);
        headers.remove(header::TRAILER);
    }
    if present.has(Present::CONNECTION)
        && let header::Entry::Occupied(connection) = headers.entry(header::CONNECTION)
    {
        // Nearly always it is one of two words, which name no header.
        let says = |word: &str| {
            connection
                .get()
                .as_bytes()
                .eq_ignore_ascii_case(word.as_bytes())
        };
        let is_plain = (says("keep-alive") || says("close")) && connection.iter().nth(1).is_none();
        if is_plain {
            connection.remove();
        } else {
            let named = named_by_connection(headers, strict)?;
            headers.remove(header::CONNECTION);
            for name in &named {
                headers.remove(name);
            }
        }
    }
    if present.0 & Present::SELDOM == 0 {
        return Ok(kept);
    }
    let single: [(Present, &HeaderName); 7] = [
        (Present::KEEP_ALIVE, &KEEP_ALIVE),
        (Present::PROXY_CONNECTION, &PROXY_CONNECTION),
        (Present::PROXY_AUTHENTICATE, &header::PROXY_AUTHENTICATE),
        (Present::PROXY_AUTHORIZATION, &header::PROXY_AUTHORIZATION),
        (Present::TRANSFER_ENCODING, &header::TRANSFER_ENCODING),
        (Present::UPGRADE, &header::UPGRADE),
        (Present::HTTP2_SETTINGS, &HTTP2_SETTINGS),
    ];
    for (bit, name) in single {
        if present.has(bit) {
            headers.remove(name);
        }
    }
    Ok(kept)
}

/// The lower-case elements of a list.
fn tokens(value: &HeaderValue) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let tokens: Vec<String> = text
        .split(',')
        .map(|token| token.trim().to_owned())
        .collect();
    tokens.into_iter()
}

/// The names that `Connection` lists. Whoever could name any header here could make this proxy
/// remove what the next one decides by.
fn named_by_connection(headers: &HeaderMap, strict: bool) -> Result<Vec<HeaderName>, Refusal> {
    let values = headers.get_all(header::CONNECTION).into_iter();
    let mut names = Vec::new();
    for token in values.flat_map(tokens) {
        if is_end_to_end(&token) {
            if strict {
                return Err(Refusal::bad_request(
                    "`Connection` names a header that is not its own",
                ));
            }
        } else if let Ok(name) = HeaderName::from_bytes(token.as_bytes()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Headers that no hop may remove because a client says so.
fn is_end_to_end(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "forwarded",
        "host",
        "origin",
        "set-cookie",
        "traceparent",
        "transfer-encoding",
        "x-request-id",
    ];
    NAMES.contains(&name)
        || name.starts_with(':')
        || name.starts_with("x-forwarded-")
        || is_of_proxies(name)
}

fn announced_trailers(headers: &HeaderMap) -> Option<HeaderValue> {
    let values = headers.get_all(header::TRAILER).into_iter();
    let names = values.flat_map(tokens).filter(|token| {
        let name = HeaderName::from_bytes(token.as_bytes());
        name.is_ok_and(|name| !is_forbidden_in_trailers(&name))
    });
    let names: Vec<String> = names.collect();
    HeaderValue::try_from(names.join(", "))
        .ok()
        .filter(|names| !names.is_empty())
}

/// Fields that concern framing, routing, authentication or the content's form: too late in a trailer.
pub(crate) fn is_forbidden_in_trailers(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "authorization"
            | "cache-control"
            | "connection"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "cookie"
            | "expect"
            | "forwarded"
            | "host"
            | "keep-alive"
            | "max-forwards"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "range"
            | "set-cookie"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "www-authenticate"
    ) || name.as_str().starts_with("x-forwarded-")
        || is_of_proxies(name.as_str())
}

/// HTTP/2 may send cookies one by one (RFC 9113 §8.2.3); nobody behind us has to know.
fn join_cookies(headers: &mut HeaderMap) {
    let mut joined = Vec::new();
    for line in headers.get_all(header::COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(line.as_bytes());
    }
    if let Ok(joined) = HeaderValue::try_from(joined) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        let is = |text| is_grpc(&HeaderValue::from_static(text));
        assert!(
            is("application/grpc") && is("application/grpc+proto") && is("application/grpc; x")
        );
        assert!(!is("application/grpc-web") && !is("application/json"));
    }

    fn cleaned(
        lines: &[(&'static str, &'static str)],
        sender: Sender,
    ) -> Result<(Vec<String>, Kept), Refusal> {
        let mut headers = map(lines);
        let survey = Survey::of(&headers);
        let kept = request(&mut headers, &survey, sender)?;
        let lines = headers.iter();
        let lines = lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        Ok((lines.collect(), kept))
    }

    fn left(lines: &[(&'static str, &'static str)], sender: Sender) -> Vec<String> {
        cleaned(lines, sender).unwrap().0
    }

    #[test]
    fn what_concerns_one_hop_ends_here() {
        let lines = [
            ("connection", "close, X-Hop"),
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eA=="),
            ("te", "gzip, trailers"),
            ("trailer", "x-checksum, content-length"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("x-hop", "1"),
            ("x-stays", "1"),
        ];
        let (left, kept) = cleaned(&lines, Sender::Client).unwrap();
        assert_eq!(left, ["x-stays: 1"]);
        assert!(kept.te_trailers);
        assert_eq!(kept.trailer.unwrap(), "x-checksum");
    }

    #[test]
    fn nobody_makes_us_remove_what_others_decide_by() {
        for name in [
            "close, x-forwarded-for",
            "Authorization",
            "host",
            "content-length",
            "x-mesh-a",
        ] {
            let lines = [("connection", name), ("authorization", "Bearer t")];
            let refused = cleaned(&lines, Sender::Client).unwrap_err();
            assert_eq!(refused.status, 400, "{name}");
            // Behind the gateway it is ignored: what it names stays.
            assert_eq!(left(&lines, Sender::Mesh), ["authorization: Bearer t"]);
        }
    }

    #[test]
    fn what_proxies_say_is_believed_of_proxies() {
        let lines = [
            ("x-mesh-source", "edge"),
            ("x-envoy-max-retries", "9"),
            ("x-forwarded-client-cert", "URI=spiffe://a"),
            ("forwarded", "for=1.2.3.4"),
            ("x-other", "1"),
        ];
        assert_eq!(left(&lines, Sender::Client), ["x-other: 1"]);
        let proxy = [
            "x-envoy-max-retries: 9",
            "forwarded: for=1.2.3.4",
            "x-other: 1",
        ];
        let mut kept = left(&lines, Sender::TrustedProxy);
        kept.sort_by_key(|line| proxy.iter().position(|it| it == line));
        assert_eq!(kept, proxy);
        assert_eq!(left(&lines, Sender::Mesh).len(), 5);
    }

    #[test]
    fn underscores_are_refused_at_the_edge() {
        let lines = [("x_forwarded_for", "1.2.3.4")];
        assert_eq!(cleaned(&lines, Sender::Client).unwrap_err().status, 400);
        assert_eq!(left(&lines, Sender::Application).len(), 1);
    }

    #[test]
    fn expectations() {
        assert!(left(&[("expect", "100-Continue")], Sender::Client).is_empty());
        assert_eq!(
            cleaned(&[("expect", "tea")], Sender::Client)
                .unwrap_err()
                .status,
            417
        );
    }

    #[test]
    fn cookies_become_one_line() {
        let lines = [
            ("cookie", "a=1"),
            ("x", "1"),
            ("cookie", "b=2"),
            ("cookie", "c=3"),
        ];
        let left = left(&lines, Sender::Client);
        assert!(
            left.contains(&"cookie: a=1; b=2; c=3".to_owned()),
            "{left:?}"
        );
        assert_eq!(left.len(), 2);
    }

    #[test]
    fn a_response_of_two_lengths_is_refused() {
        let mut headers = map(&[("content-length", "5"), ("transfer-encoding", "chunked")]);
        let survey = Survey::of(&headers);
        let refused = response(&mut headers, &survey).unwrap_err();
        assert_eq!(refused.status, 502);
    }
}
