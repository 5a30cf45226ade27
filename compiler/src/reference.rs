//! The reference interpreter: what a policy means, evaluated naively, statement by statement.
//!
//! It shares nothing with the decision code but the model it reads and the normal form of paths. Tests
//! hold the two against each other; it is kept obviously right rather than fast.

use crate::model::JwtId;
use crate::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use crate::plan::table::Match;
use mesh_bundle::decide::{ClaimValue, Plain, cookie, query_parameter};
use mesh_lang::value::{HostPattern, PathPattern, Segment};
use std::cell::RefCell;
use std::collections::HashMap;

pub(crate) mod mesh;

/// The first arm that takes a request.
pub(crate) fn first_match(arms: &[Match<'_>], request: &Plain<'_>) -> Option<usize> {
    arms.iter().position(|arm| takes(arm, request))
}

fn takes(arm: &Match<'_>, request: &Plain<'_>) -> bool {
    (arm.methods.is_empty() || arm.methods.iter().any(|method| method == request.method))
        && (arm.paths.is_empty() || arm.paths.iter().any(|pattern| path(pattern, request)))
        && arm
            .condition
            .is_none_or(|condition| holds(condition, request))
}

fn holds(condition: &Condition, request: &Plain<'_>) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| holds(part, request)),
        Condition::Or(parts) => parts.iter().any(|part| holds(part, request)),
        Condition::Not(part) => !holds(part, request),
        Condition::Test(test) => test_holds(test, request),
    }
}

/// Whether a pattern takes the path of a request.
fn path(pattern: &PathPattern, request: &Plain<'_>) -> bool {
    let segments: Vec<&str> = request.path.as_str()[1..].split('/').collect();
    segments_match(pattern.segments(), &segments)
}

fn segments_match(pattern: &[Segment], segments: &[&str]) -> bool {
    match (pattern.split_first(), segments.split_first()) {
        (None, None) => true,
        (Some((Segment::Rest { .. }, after)), _) => {
            (0..=segments.len()).any(|skipped| segments_match(after, &segments[skipped..]))
        }
        (None, Some(_)) | (Some(_), None) => false,
        (Some((one, after)), Some((segment, rest))) => {
            let matches = match one {
                Segment::Literal(text) => text == segment,
                Segment::Any { .. } => !segment.is_empty(),
                Segment::Partial { prefix, suffix, .. } => segment
                    .strip_prefix(prefix.as_str())
                    .and_then(|left| left.strip_suffix(suffix.as_str()))
                    .is_some_and(|between| !between.is_empty()),
                Segment::Rest { .. } => unreachable!("handled above"),
            };
            matches && segments_match(after, rest)
        }
    }
}

fn test_holds(test: &Test, request: &Plain<'_>) -> bool {
    // The names of a certificate are several texts: one of them is enough.
    if test.field == Field::ClientCertSan {
        let Some(names) = &request.client_cert_sans else {
            return false;
        };
        return match &test.predicate {
            Predicate::Present => true,
            Predicate::Member(member) => names.contains(&member.as_str()),
            Predicate::Text(pattern) => names.iter().any(|it| text_matches(pattern, it.as_bytes())),
            _ => false,
        };
    }
    let is_list = list(&test.field, request).is_some();
    let text = text(&test.field, request);
    let address = match test.field {
        Field::SourceIp => Some(request.source_ip),
        Field::ClientIp => Some(request.client_ip),
        _ => None,
    };
    match &test.predicate {
        Predicate::Present => text.is_some() || is_list,
        Predicate::OneOf(values) => {
            text.is_some_and(|text| values.iter().any(|value| value.as_bytes() == text))
        }
        Predicate::Text(pattern) => text.is_some_and(|text| text_matches(pattern, &text)),
        Predicate::Between(low, high) => text
            .and_then(|text| integer(&text))
            .is_some_and(|value| (*low..=*high).contains(&value)),
        Predicate::Paths(patterns) => patterns.iter().any(|pattern| path(pattern, request)),
        Predicate::Hosts(patterns) => patterns.iter().any(|pattern| match pattern {
            HostPattern::Exact(name) => name == request.host,
            HostPattern::Suffix(suffix) => request
                .host
                .strip_suffix(suffix.as_str())
                .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
            HostPattern::Any => true,
        }),
        Predicate::Member(member) => match list(&test.field, request) {
            Some(members) => members.contains(member),
            None => text.is_some_and(|text| {
                let mut members = text.split(|byte| *byte == b' ');
                members.any(|one| one == member.as_bytes())
            }),
        },
        Predicate::Networks(networks) => {
            address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
        }
    }
}

fn text(field: &Field, request: &Plain<'_>) -> Option<Vec<u8>> {
    let header = |name: &str| {
        let lines = request.headers.iter().filter(|(header, _)| *header == name);
        let lines: Vec<&str> = lines.map(|(_, value)| *value).collect();
        (!lines.is_empty()).then(|| lines.join(",").into_bytes())
    };
    match field {
        Field::Method => Some(request.method.into()),
        Field::Path => Some(request.path.as_str().into()),
        Field::Host => Some(request.host.into()),
        Field::Scheme => Some(request.scheme.into()),
        Field::Port => Some(request.port.to_string().into_bytes()),
        Field::Header(name) => header(name),
        Field::Query(name) => {
            query_parameter(request.query?, name).map(std::borrow::Cow::into_owned)
        }
        Field::Cookie(name) => {
            header("cookie").and_then(|line| cookie(&line, name).map(<[u8]>::to_vec))
        }
        Field::Source => request.source.map(|source| source.as_bytes().to_vec()),
        Field::SourceNamespace => {
            let (namespace, _) = request.source?.split_once('/')?;
            Some(namespace.as_bytes().to_vec())
        }
        Field::Jwt(jwt) => {
            let known = request.tokens.iter().any(|(known, _)| *known == jwt.0);
            known.then(Vec::new)
        }
        Field::Claim(jwt, path) => match claim(*jwt, path, request)? {
            ClaimValue::Scalar(text) => Some(text.as_bytes().to_vec()),
            ClaimValue::List(_) => None,
        },
        Field::Key(keys) => {
            let known = request.keys.iter().find(|(known, _)| *known == keys.0);
            known.map(|(_, consumer)| consumer.as_bytes().to_vec())
        }
        Field::SourceIp | Field::ClientIp | Field::ClientCertSan | Field::Inventory(_) => None,
    }
}

/// The members of a field that is a list.
fn list(field: &Field, request: &Plain<'_>) -> Option<Vec<String>> {
    match field {
        Field::Claim(jwt, path) => match claim(*jwt, path, request)? {
            ClaimValue::List(members) => {
                Some(members.iter().map(|member| (*member).to_owned()).collect())
            }
            ClaimValue::Scalar(_) => None,
        },
        _ => None,
    }
}

fn claim<'r>(jwt: JwtId, path: &[String], request: &'r Plain<'_>) -> Option<&'r ClaimValue<'r>> {
    let (_, claims) = request.tokens.iter().find(|(known, _)| *known == jwt.0)?;
    let name = path.join("\0");
    claims
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

fn text_matches(pattern: &TextPattern, text: &[u8]) -> bool {
    match pattern {
        TextPattern::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
        TextPattern::Suffix(suffix) => text.ends_with(suffix.as_bytes()),
        TextPattern::Contains(part) => {
            part.is_empty()
                || text
                    .windows(part.len())
                    .any(|window| window == part.as_bytes())
        }
        TextPattern::Regex(regex) => regex_matches(regex, text),
    }
}

thread_local! {
    /// Compiled once: tests ask the same few of many requests.
    static REGEXES: RefCell<HashMap<String, Option<regex::bytes::Regex>>> = RefCell::default();
}

fn regex_matches(pattern: &str, text: &[u8]) -> bool {
    REGEXES.with_borrow_mut(|known| {
        let regex = known
            .entry(pattern.to_owned())
            .or_insert_with(|| regex::bytes::Regex::new(&format!("(?-u)\\A(?:{pattern})\\z")).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    })
}

fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    (!text.starts_with('+'))
        .then(|| text.parse().ok())
        .flatten()
}
