//! Host patterns and host names.

use std::fmt;

use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, rest};
use nom::sequence::preceded;

use super::ValueError;
use crate::codes::Code;

/// Which hosts are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This one, in lower case.
    Exact(String),
    /// `*.SUFFIX`: this one with one or more labels before it.
    Suffix(String),
    /// `*`: every one.
    Any,
}

impl HostPattern {
    /// Reads `shop.example`, `*.shop.example` or `*`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let mut suffix = preceded(tag::<_, _, ()>("*."), rest);
        let pattern = match suffix.parse_complete(text) {
            Ok((_, suffix)) => check_host(suffix).map(|()| Self::Suffix(suffix.to_owned())),
            Err(_) => check_host(text).map(|()| Self::Exact(text.to_owned())),
        };
        pattern.map_err(|error| match error.suggestion {
            Some(suggestion) if text.starts_with("*.") => ValueError {
                suggestion: None,
                ..error
            }
            .meaning(format!("*.{}", suggestion.text)),
            suggestion => ValueError {
                suggestion,
                ..error
            },
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Suffix(suffix) => write!(f, "*.{suffix}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Whether `text` is the name of a host as requests have it once it is in lower case: labels of
/// letters, digits, `-` and `_`, without a port.
pub(super) fn check_host(text: &str) -> Result<(), ValueError> {
    if is_host(text) {
        return Ok(());
    }
    if let Some(host) = without_port(text) {
        return Err(ValueError::with_code(
            Code::HostLiteralHasPort,
            format!("`{text}` has a port, which no host is compared with"),
        )
        .meaning(host));
    }
    if text.contains('*') {
        return Err(ValueError::with_code(
            Code::WildcardLiteral,
            format!(
                "the `*` in `{text}` is no wildcard: hosts are `a.example`, `*.a.example` or `*`"
            ),
        ));
    }
    if text.len() > 253 {
        return Err(ValueError::new("a host has 253 characters at most"));
    }
    if !text.is_ascii() {
        return Err(ValueError::new(format!(
            "`{text}` is not how requests write this host: they send its `xn--` form"
        )));
    }
    let lower = text.to_ascii_lowercase();
    let trimmed = lower.strip_suffix('.').unwrap_or(&lower);
    let error = ValueError::new(format!("`{text}` is no host"));
    Err(if is_host(trimmed) {
        error.meaning(trimmed)
    } else {
        error
    })
}

/// Whether `text` is a host name in lower case.
pub(super) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
            && bytes.iter().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
            })
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The host of `HOST:PORT`.
fn without_port(text: &str) -> Option<&str> {
    let (host, port) = text.split_at(text.rfind(':')?);
    all_consuming(preceded(char(':'), digit1::<_, ()>))
        .parse_complete(port)
        .ok()?;
    is_host(host).then_some(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn hosts_are_exact_or_wild_in_front() {
        for (text, pattern) in [
            ("shop.example", HostPattern::Exact("shop.example".into())),
            ("reviews", HostPattern::Exact("reviews".into())),
            (
                "_sip.a-b.example",
                HostPattern::Exact("_sip.a-b.example".into()),
            ),
            ("*.shop.example", HostPattern::Suffix("shop.example".into())),
            ("*", HostPattern::Any),
        ] {
            assert_eq!(HostPattern::parse(text), Ok(pattern.clone()), "{text}");
            assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn other_spellings_of_hosts_are_corrected() {
        for (text, code, right) in [
            ("Shop.Example", Code::BadValue, "shop.example"),
            ("*.Shop.example", Code::BadValue, "*.shop.example"),
            ("shop.example.", Code::BadValue, "shop.example"),
            ("shop.example:443", Code::HostLiteralHasPort, "shop.example"),
            (
                "*.shop.example:443",
                Code::HostLiteralHasPort,
                "*.shop.example",
            ),
        ] {
            let error = HostPattern::parse(text).unwrap_err();
            assert_eq!(error.code, code, "{text}");
            assert_eq!(error.suggestion.unwrap().text, right, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = ["abcdefghi"; 26].join(".");
        for text in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "é.example",
            "a b",
            &long,
            &longer,
            "[::1]",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
        for text in [
            "shop.*",
            "*shop.example",
            "a.*.example",
            "**",
            "*.*.example",
        ] {
            let error = HostPattern::parse(text).unwrap_err();
            assert_eq!(error.code, Code::WildcardLiteral, "{text}");
        }
    }
}
