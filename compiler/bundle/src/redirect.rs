//! Redirects: where a client is pointed to, built from parts.

use crate::format::{Arm, Bundle, Redirect};
use crate::path::NormalPath;
use crate::template;
use std::fmt::Write as _;

/// What is known of the request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    /// `http` or `https`.
    pub scheme: &'r str,
    /// In normal form, without a port.
    pub host: &'r str,
    /// The listener's port.
    pub port: u16,
    /// The path.
    pub path: &'r NormalPath<'r>,
    /// What follows `?`.
    pub query: Option<&'r str>,
}

/// What the arm replaces; what it leaves out is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Parts<'r> {
    scheme: Option<&'r str>,
    host: Option<&'r str>,
    port: Option<u16>,
    path: Option<&'r str>,
    /// Replaces so many segments of the path.
    prefix: Option<(&'r str, usize)>,
}

/// Where a redirect of an arm points.
pub fn point(bundle: &Bundle, redirect: &Redirect, arm: &Arm, asked: &Asked<'_>) -> String {
    if let Some(url) = bundle.opt_str(redirect.url) {
        return url.to_owned();
    }
    let path = (!redirect.path.is_empty()).then(|| {
        let mut path = String::new();
        template::fill(bundle, redirect.path, arm.captures, asked.path, &mut path);
        path
    });
    let prefix = bundle.opt_str(redirect.prefix);
    let parts = Parts {
        scheme: bundle.opt_str(redirect.scheme),
        host: bundle.opt_str(redirect.host),
        port: Some(redirect.port.get()).filter(|&port| port != 0),
        path: path.as_deref(),
        prefix: prefix.map(|prefix| (prefix, arm.prefix_segments.into())),
    };
    location(asked, &parts)
}

/// The same place, with TLS, at the listener of this port.
pub fn to_https(asked: &Asked<'_>, port: u16) -> String {
    let https = Parts {
        scheme: Some("https"),
        port: Some(port),
        ..Parts::default()
    };
    location(asked, &https)
}

/// The location. A port that is written wins; the port of another scheme is that scheme's own; else
/// the listener's stays. The default port of a scheme is never written.
fn location(asked: &Asked<'_>, parts: &Parts<'_>) -> String {
    let scheme = parts.scheme.unwrap_or(asked.scheme);
    let host = parts.host.unwrap_or(asked.host);
    let default = default_port(scheme);
    let port = parts.port.unwrap_or(match parts.scheme {
        Some(scheme) if scheme != asked.scheme => default,
        _ => asked.port,
    });
    let mut location =
        String::with_capacity(scheme.len() + host.len() + asked.path.as_str().len() + 32);
    location.push_str(scheme);
    location.push_str("://");
    location.push_str(host);
    if port != default {
        // Writing into a String cannot fail.
        let _ = write!(location, ":{port}");
    }
    match (parts.path, parts.prefix) {
        (Some(path), _) => push_path(&mut location, path, ""),
        (None, Some((prefix, segments))) => {
            push_path(&mut location, prefix, asked.path.after(segments));
        }
        (None, None) => location.push_str(asked.path.as_str()),
    }
    if let Some(query) = asked.query
        && !parts.path.is_some_and(|path| path.contains('?'))
    {
        location.push('?');
        location.push_str(query);
    }
    location
}

/// Joins two paths with one slash between them; the first begins with one in any case.
pub(crate) fn push_path(location: &mut String, first: &str, rest: &str) {
    let first = if rest.is_empty() {
        first
    } else {
        first.trim_end_matches('/')
    };
    let begins = if first.is_empty() { rest } else { first };
    if !begins.starts_with('/') {
        location.push('/');
    }
    location.push_str(first);
    location.push_str(rest);
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::path::EncodedSlash;

    fn to(port: u16, path: &str, parts: &Parts<'_>) -> String {
        let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
        let asked = Asked {
            scheme: "http",
            host: "a.example",
            port,
            path: &path,
            query: Some("x=1"),
        };
        location(&asked, parts)
    }

    #[test]
    fn what_is_not_replaced_is_kept() {
        let none = Parts::default();
        assert_eq!(to(80, "/a", &none), "http://a.example/a?x=1");
        assert_eq!(to(8080, "/a", &none), "http://a.example:8080/a?x=1");
        let host = Parts {
            host: Some("b.example"),
            ..none
        };
        assert_eq!(to(8080, "/a", &host), "http://b.example:8080/a?x=1");
    }

    #[test]
    fn ports() {
        let https = Parts {
            scheme: Some("https"),
            ..Parts::default()
        };
        assert_eq!(to(8080, "/", &https), "https://a.example/?x=1");
        let given = Parts {
            port: Some(8443),
            ..https
        };
        assert_eq!(to(8080, "/", &given), "https://a.example:8443/?x=1");
        let default = Parts {
            port: Some(443),
            ..https
        };
        assert_eq!(to(8080, "/", &default), "https://a.example/?x=1");
        let same = Parts {
            scheme: Some("http"),
            ..Parts::default()
        };
        assert_eq!(to(8080, "/", &same), "http://a.example:8080/?x=1");
    }

    #[test]
    fn paths() {
        let path = |path| Parts {
            path: Some(path),
            ..Parts::default()
        };
        assert_eq!(to(80, "/a", &path("/b")), "http://a.example/b?x=1");
        assert_eq!(to(80, "/a", &path("/b?y=2")), "http://a.example/b?y=2");
        let prefix = |prefix, segments| Parts {
            prefix: Some((prefix, segments)),
            ..Parts::default()
        };
        assert_eq!(
            to(80, "/old/x/y", &prefix("/new", 1)),
            "http://a.example/new/x/y?x=1"
        );
        assert_eq!(
            to(80, "/old/x", &prefix("/new/", 1)),
            "http://a.example/new/x?x=1"
        );
        assert_eq!(to(80, "/old/x", &prefix("/", 1)), "http://a.example/x?x=1");
        assert_eq!(to(80, "/old", &prefix("/", 1)), "http://a.example/?x=1");
        assert_eq!(
            to(80, "/old", &prefix("/new", 1)),
            "http://a.example/new?x=1"
        );
        assert_eq!(
            to(80, "/old/", &prefix("/new", 1)),
            "http://a.example/new/?x=1"
        );
        assert_eq!(to(80, "/old", &prefix("", 1)), "http://a.example/?x=1");
        assert_eq!(
            to(80, "/x", &prefix("/new", 0)),
            "http://a.example/new/x?x=1"
        );
    }
}
