//! Values as they are written.

use crate::model::condition::Condition;
use crate::model::policy::Rate;
use mesh_lang::value::{self, Duration, PathPattern, Percent, Size, quote};
use std::fmt::Display;
use std::net::SocketAddr;

const MILLISECOND: u64 = 1_000_000;

/// A time in milliseconds: `1500ms`.
pub(crate) fn duration(milliseconds: u32) -> String {
    Duration::from_nanoseconds(u64::from(milliseconds) * MILLISECOND).to_string()
}

/// A time in seconds: `1h`.
pub(super) fn seconds(seconds: u32) -> String {
    Duration::from_nanoseconds(u64::from(seconds) * 1000 * MILLISECOND).to_string()
}

/// A share in millionths: `10%`.
pub(crate) fn percent(millionths: u32) -> String {
    Percent::from_millionths(millionths)
        .unwrap_or(Percent::ALL)
        .to_string()
}

/// A number of bytes: `64KiB`.
pub(crate) fn size(bytes: u64) -> String {
    Size::from_bytes(bytes).to_string()
}

/// `100/s`.
pub(crate) fn rate(rate: Rate) -> String {
    let per = Duration::from_nanoseconds(u64::from(rate.per) * MILLISECOND);
    let count = u64::from(rate.count);
    value::Rate { count, per }.to_string()
}

/// A regular expression: without escapes of its own where that is possible.
pub(super) fn regex(pattern: &str) -> String {
    if pattern.contains(['"', '\n', '\r']) {
        quote(pattern)
    } else {
        format!("r\"{pattern}\"")
    }
}

/// A path pattern: bare, or in quotes where a token could not hold it.
pub(super) fn path(pattern: &PathPattern) -> String {
    let text = pattern.to_string();
    let is_bare = |character: char| {
        character.is_ascii_graphic()
            && !matches!(character, ',' | ';' | '(' | ')' | '[' | ']' | '"')
    };
    if text.chars().all(is_bare) && !text.contains("->") {
        text
    } else {
        quote(&text)
    }
}

/// `/a, /b/**`.
pub(super) fn paths(patterns: &[PathPattern]) -> String {
    list(patterns.iter().map(path))
}

/// `127.0.0.1:80`.
pub(super) fn address(address: SocketAddr) -> String {
    address.to_string()
}

/// A word of a request, such as the name of a header: bare, or in quotes.
pub(super) fn word(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_bare) {
        text.to_owned()
    } else {
        quote(text)
    }
}

/// `a, b`.
pub(super) fn list(parts: impl IntoIterator<Item = impl Display>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| part.to_string()).collect();
    parts.join(", ")
}

/// `"a", "b"`.
pub(super) fn quotes(parts: &[String]) -> String {
    list(parts.iter().map(|part| quote(part)))
}

/// What requests are meant: `GET, POST /a, /b when …`; empty for all.
pub(super) fn requests(
    methods: &[String],
    patterns: &[PathPattern],
    condition: Option<&Condition>,
    spelled: impl Fn(&Condition) -> String,
) -> String {
    let mut parts = Vec::new();
    if !methods.is_empty() {
        parts.push(list(methods));
    }
    if !patterns.is_empty() {
        parts.push(paths(patterns));
    }
    if let Some(condition) = condition {
        parts.push(format!("when {}", spelled(condition)));
    }
    parts.join(" ")
}
