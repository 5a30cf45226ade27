//! What must hold of a request before anything else looks at it, and that hyper leaves to us.

use std::borrow::Cow;

use http::HeaderValue;
use http::request::Parts;
use http::{Method, Version, uri};
use mesh_bundle::host;

use super::hygiene::Survey;
use super::reply::Refusal;
use crate::worker::limits;

/// The form of a request target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A path.
    Path,
    /// `*`: the server itself is asked for its options.
    Server,
}

/// Checks sizes, method and form. `edge` asks for what only a gateway demands.
pub(crate) fn check(parts: &Parts, edge: bool) -> Result<Target, Refusal> {
    let target = parts.uri.path_and_query();
    if target.is_some_and(|target| target.as_str().len() > limits::URI_BYTES) {
        return Err(Refusal::uri_too_long());
    }
    if parts.headers.len() > limits::HEADER_COUNT {
        return Err(Refusal::headers_too_large());
    }
    if parts.method == Method::CONNECT {
        return Err(Refusal::method_not_allowed());
    }
    if edge
        && parts
            .method
            .as_str()
            .bytes()
            .any(|byte| byte.is_ascii_lowercase())
    {
        return Err(Refusal::bad_request("the method is not in capitals"));
    }
    match target.map(uri::PathAndQuery::as_str) {
        Some("*") if parts.method == Method::OPTIONS => Ok(Target::Server),
        Some("*") => Err(Refusal::bad_request("`*` is a target of OPTIONS only")),
        Some(_) => Ok(Target::Path),
        None => Err(Refusal::bad_request("the target is no path")),
    }
}

/// The host that is asked for, as the client wrote it: there must be exactly one, however often it is
/// said.
pub(crate) fn authority(parts: &Parts, survey: &Survey) -> Result<HeaderValue, Refusal> {
    if survey.hosts > 1 {
        return Err(Refusal::bad_request("there is more than one `Host`"));
    }
    let written = survey.host.as_ref();
    let Some(target) = parts.uri.authority() else {
        return written
            .cloned()
            .ok_or(Refusal::bad_request("there is no `Host`"));
    };
    // In HTTP/2 `:authority` stands for `Host`; in HTTP/1 an absolute target comes beside it.
    let alone_suffices = parts.version == Version::HTTP_2;
    match written {
        Some(written) if !agree(written.as_bytes(), target.as_str()) => {
            Err(Refusal::bad_request("the target and `Host` disagree"))
        }
        Some(written) => Ok(written.clone()),
        None if alone_suffices => HeaderValue::from_str(target.as_str())
            .map_err(|_| Refusal::bad_request("the host is not a DNS name")),
        None => Err(Refusal::bad_request("there is no `Host`")),
    }
}

fn agree(host: &[u8], authority: &str) -> bool {
    host.eq_ignore_ascii_case(authority.as_bytes())
}

/// The normal form of the host that is asked for.
pub(crate) fn host(authority: &HeaderValue) -> Result<Cow<'_, str>, Refusal> {
    let text = authority
        .to_str()
        .map_err(|_| Refusal::bad_request("the host is not a DNS name"))?;
    host::normalise(text).map_err(|error| match error {
        host::HostError::Port => Refusal::bad_request("the host's port is none"),
        _ => Refusal::bad_request("the host is not a DNS name"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(method: &str, uri: &str, hosts: &[&str]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn asked(method: &str, uri: &str, hosts: &[&str]) -> Result<String, u16> {
        let parts = parts(method, uri, hosts);
        check(&parts, true).map_err(|refusal| refusal.status)?;
        let authority = authority(&parts, &Survey::of(&parts.headers));
        let authority = authority.map_err(|refusal| refusal.status)?;
        let host = host(&authority).map_err(|refusal| refusal.status)?;
        Ok(host.into_owned())
    }

    #[test]
    fn one_host() {
        assert_eq!(
            asked("GET", "/", &["Shop.Example:80"]).unwrap(),
            "shop.example"
        );
        assert_eq!(asked("GET", "/", &[]), Err(400));
        assert_eq!(asked("GET", "/", &["a", "a"]), Err(400));
        assert_eq!(asked("GET", "/", &["user@a"]), Err(400));
        assert_eq!(asked("GET", "/", &["a b"]), Err(400));
        assert_eq!(asked("GET", "/", &["a:99999"]), Err(400));
    }

    #[test]
    fn an_absolute_target_agrees_with_host() {
        assert_eq!(
            asked("GET", "http://a.example/x", &["A.example"]).unwrap(),
            "a.example"
        );
        assert_eq!(asked("GET", "http://a.example/x", &["b.example"]), Err(400));
        assert_eq!(
            asked("GET", "http://a.example:81/x", &["a.example"]),
            Err(400)
        );
        assert_eq!(
            asked("GET", "http://u@a.example/x", &["u@a.example"]),
            Err(400)
        );
        assert_eq!(asked("GET", "http://a.example/x", &[]), Err(400));
        let mut parts = parts("GET", "http://a.example/x", &[]);
        parts.version = Version::HTTP_2;
        assert_eq!(authority(&parts, &Survey::default()).unwrap(), "a.example");
    }

    #[test]
    fn methods_and_forms() {
        assert_eq!(asked("CONNECT", "a.example:80", &["a.example"]), Err(405));
        assert_eq!(asked("get", "/", &["a"]), Err(400));
        assert!(asked("TRACE", "/", &["a"]).is_ok());
        assert_eq!(
            check(&parts("OPTIONS", "*", &["a"]), true).unwrap(),
            Target::Server
        );
        assert_eq!(asked("GET", "*", &["a"]), Err(400));
        let long = format!("/{}", "a".repeat(limits::URI_BYTES));
        assert_eq!(asked("GET", &long, &["a"]), Err(414));
        assert!(asked("GET", &long[1..].replacen('a', "/", 1), &["a"]).is_ok());
    }
}
