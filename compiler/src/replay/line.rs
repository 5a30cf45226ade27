//! Lines of an access log.

use mesh_bundle::asked::{self, Key};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::net::IpAddr;

/// Longer lines are none of ours.
pub(super) const MAX_LENGTH: usize = 1 << 20;

/// What a line says, as far as it matters for where its request goes.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    pub(super) ts: String,
    pub(super) node: String,
    pub(super) entrance: Entrance,
    pub(super) scheme: String,
    pub(super) port: u16,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) host: Option<String>,
    pub(super) code: u16,
    pub(super) flags: String,
    pub(super) service: Option<String>,
    pub(super) arm: Option<String>,
    pub(super) bundle: String,
    pub(super) client_ip: IpAddr,
    #[serde(default)]
    pub(super) user_agent: Option<String>,
    /// The fields that decisions asked for; none where nothing was decided.
    #[serde(default)]
    pub(super) asked: Option<BTreeMap<String, Option<Recorded>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entrance {
    Gateway,
    Inbound,
    Outbound,
}

/// What was recorded of a field that was there.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Recorded {
    /// A token was.
    Valid(bool),
    Text(String),
    Hash {
        hash: String,
    },
    /// It came more than once, and decisions saw this.
    Repeated {
        repeated: Box<Recorded>,
    },
    List(Vec<Recorded>),
}

impl Recorded {
    /// The text, if it was recorded as it was.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What decisions saw of it, and whether it came more than once.
    pub(super) fn seen(&self) -> (&Self, bool) {
        match self {
            Self::Repeated { repeated } => (repeated, true),
            once => (once, false),
        }
    }

    /// Whether it is a hash of `value`, where the key is at hand.
    pub(super) fn is_hash_of(&self, key: Option<&Key>, name: &str, value: &str) -> Option<bool> {
        match self {
            Self::Hash { hash } if hash.len() == asked::HASH_DIGITS => {
                Some(key?.hash(name, value.as_bytes()) == *hash.as_bytes())
            }
            _ => None,
        }
    }
}

/// Why a line's request is not asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Passed {
    /// The caller's proxy logs it too, and it is that one that decides.
    Inbound,
    /// There was no request, or it could be read in more than one way.
    Unreadable,
    /// The client went away before anything was decided.
    ClientGone,
}

impl Passed {
    /// As the reason is told.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Inbound => "that a callee's sidecar logged: its caller's proxy decides",
            Self::Unreadable => "that no policy is asked about",
            Self::ClientGone => "whose client went away before an answer",
        }
    }
}

impl Line {
    /// Reads a line; the error says what it lacks.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| {
            let error = error.to_string();
            // Of one line only the column says something.
            error.replace(" at line 1 column ", " at column ")
        })
    }

    /// Whether there is nothing to ask about.
    pub(super) fn passed_over(&self) -> Option<Passed> {
        if self.entrance == Entrance::Inbound {
            return Some(Passed::Inbound);
        }
        if !self.path.starts_with('/') || matches!(self.flags.as_str(), "DPE" | "SI") {
            return Some(Passed::Unreadable);
        }
        (self.flags == "DC" && self.service.is_none()).then_some(Passed::ClientGone)
    }
}

/// A line, or that it was too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Line,
    TooLong,
    End,
}

/// Reads the next line into `buffer`, without its end; of one that is too long only its beginning.
pub(super) fn next(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Next> {
    buffer.clear();
    let limit = MAX_LENGTH as u64 + 1;
    if reader.by_ref().take(limit).read_until(b'\n', buffer)? == 0 {
        return Ok(Next::End);
    }
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
        return Ok(Next::Line);
    }
    if buffer.len() <= MAX_LENGTH {
        // The last line of a file need not end.
        return Ok(Next::Line);
    }
    reader.skip_until(b'\n')?;
    Ok(Next::TooLong)
}
