//! URLs of HTTP.

use std::fmt;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::char;
use nom::combinator::{opt, rest};
use nom::sequence::{delimited, preceded, terminated};

use super::{Host, Port, ValueError};

/// The scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// `http://HOST[:PORT][/PATH][?QUERY]` or the same with `https`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// The scheme.
    pub scheme: Scheme,
    /// The host; names in lower case.
    pub host: Host,
    /// The port, if it is written.
    pub port: Option<Port>,
    /// Path and query as written; `/` if there is neither.
    pub path_and_query: String,
}

impl Url {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let no_url = || {
            ValueError::new(format!(
                "`{text}` is no URL of HTTP; `https://shop.example/cart` is"
            ))
        };
        let scheme = alt((
            tag::<_, _, ()>("https").map(|_| Scheme::Https),
            tag("http").map(|_| Scheme::Http),
        ));
        let bracketed = delimited(char('['), take_till(|c| c == ']'), char(']'));
        let plain = take_till(|c| matches!(c, ':' | '/' | '?' | '#' | '@'));
        let port = preceded(char(':'), take_till(|c| matches!(c, '/' | '?' | '#' | '@')));
        let mut url = (
            terminated(scheme, tag("://")),
            alt((bracketed, plain)),
            opt(port),
            rest,
        );
        let (_, (scheme, host, port, path)) = url.parse_complete(text).map_err(|_| no_url())?;
        if path.starts_with('@') {
            return Err(ValueError::new(
                "a URL in a policy carries no user and no password",
            ));
        }
        if path.contains('#') {
            return Err(ValueError::new(format!(
                "`{text}` has a `#` part, which is never sent"
            )));
        }
        let plain_path = path
            .bytes()
            .all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
        if host.is_empty() || !plain_path {
            return Err(no_url());
        }
        let path_and_query = match path.chars().next() {
            None => "/".to_owned(),
            Some('?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        Ok(Self {
            scheme,
            host: Host::parse(&host.to_ascii_lowercase()).map_err(ValueError::alone)?,
            port: port.map(Port::parse).transpose()?,
            path_and_query,
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Ip(ip) if ip.is_ipv6() => write!(f, "{}://[{ip}]", self.scheme)?,
            ref host => write!(f, "{}://{host}", self.scheme)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path_and_query)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn urls_have_scheme_host_port_and_path() {
        for (text, shown) in [
            ("http://reviews/reviews/0", "http://reviews/reviews/0"),
            ("https://Shop.example", "https://shop.example/"),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/"),
            ("http://[::1]:80/x?y=1", "http://[::1]:80/x?y=1"),
            ("https://a.example?q", "https://a.example/?q"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "http://",
            "ftp://a",
            "//a",
            "a.example",
            "http://a:b/",
            "http://u@a/",
            "http://u:p@a/",
            "http://a/#x",
            "http://a b/",
            "http://a/é",
            "http://a:0/",
            "https:/a",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
