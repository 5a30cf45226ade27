//! What becomes of a request, so that two meshes and a log can be compared.

use super::line::{Entrance, Line};
use crate::spell::percent;
use crate::way;
use mesh_bundle::Bundle;
use mesh_bundle::cors;
use mesh_bundle::decide::Field;
use mesh_bundle::format::{Id, ListenerProtocol};
use mesh_bundle::journey::{self, End, Entry, Request};

/// Ways that splits behind splits may open before they are no longer followed.
const MAX_WAYS: usize = 64;

/// What becomes of a request in a mesh: all ways that it may take, with their shares in millionths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outcome {
    ends: Vec<(Finish, u32)>,
}

/// How a way ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Finish {
    Arrived(String),
    Answered(u16, Vec<u8>),
    Redirected(u16, String),
    /// What a preflight is told.
    Preflight(Vec<(&'static str, String)>),
    Refused(u16),
    Egress,
    /// The node, or its listener, is not there any more.
    NobodyListens,
    /// There are more ways than are followed.
    TooManyWays,
}

impl Finish {
    fn of(bundle: &Bundle, end: &End) -> Self {
        match end {
            End::Arrived(to) => Self::Arrived(way::destination(bundle, to.service, to.version)),
            End::Answered { status, body, .. } => {
                let body = body.some().map(|body| bundle.str_bytes(body));
                Self::Answered(*status, body.unwrap_or_default().to_owned())
            }
            End::Redirected {
                status, location, ..
            } => Self::Redirected(*status, location.clone()),
            End::Preflight { headers, .. } => Self::Preflight(headers.clone()),
            End::Refused(refusal) => Self::Refused(refusal.status()),
            End::Egress => Self::Egress,
        }
    }

    /// In a few words, of which there are few in all: a location may be another for each request.
    fn text(&self) -> String {
        match self {
            Self::Arrived(to) => to.clone(),
            Self::Answered(status, _) | Self::Refused(status) => status.to_string(),
            Self::Redirected(status, _) => format!("redirect {status}"),
            Self::Preflight(headers) if way::allows(headers) => "preflight allowed".to_owned(),
            Self::Preflight(_) => "preflight not allowed".to_owned(),
            Self::Egress => "outside the mesh".to_owned(),
            Self::NobodyListens => "nobody listens".to_owned(),
            Self::TooManyWays => format!("more than {MAX_WAYS} ways"),
        }
    }

    /// Whether it is what a line of a log tells.
    fn is_told_by(&self, line: &Line) -> bool {
        match self {
            Self::Arrived(to) => line.service.as_deref() == Some(to),
            Self::Answered(status, _) | Self::Redirected(status, _) => {
                line.service.is_none() && line.code == *status
            }
            Self::Preflight(_) => line.service.is_none() && line.code == cors::STATUS,
            // The rules of a service are judged where it is, behind the caller's proxy.
            Self::Refused(status) => {
                let by_service = matches!(status, 400 | 401 | 403);
                line.code == *status && (line.service.is_none() || by_service)
            }
            Self::Egress | Self::NobodyListens | Self::TooManyWays => false,
        }
    }
}

impl Outcome {
    fn one(end: Finish) -> Self {
        let whole = mesh_bundle::route::WHOLE;
        Self {
            ends: vec![(end, whole)],
        }
    }

    /// What becomes of a request in a bundle, and which fields that depends on.
    pub(super) fn of(
        bundle: &Bundle,
        entry: Option<Entry>,
        request: &Request,
        watch: &dyn Fn(Field<'_>),
    ) -> Self {
        let Some(entry) = entry else {
            return Self::one(Finish::NobodyListens);
        };
        let Some(journey) = journey::watched(bundle, entry, request, MAX_WAYS, watch) else {
            return Self::one(Finish::TooManyWays);
        };
        let mut ends: Vec<(Finish, u32)> = Vec::new();
        for branch in &journey.branches {
            let end = Finish::of(bundle, &branch.end);
            match ends.iter_mut().find(|(known, _)| *known == end) {
                Some((_, share)) => *share += branch.share,
                None => ends.push((end, branch.share)),
            }
        }
        ends.sort();
        Self { ends }
    }

    /// `reviews.v2`, `80% reviews.v1, 20% reviews.v2`.
    pub(super) fn text(&self) -> String {
        match self.ends.as_slice() {
            [(end, _)] => end.text(),
            ends => {
                let parts = ends.iter();
                let parts = parts.map(|(end, share)| format!("{} {}", percent(*share), end.text()));
                parts.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// As [`Self::text`], for one that reads like another and is not the same.
    pub(super) fn text_beside(&self, other: &str) -> String {
        let text = self.text();
        if text != other {
            return text;
        }
        match self.ends.as_slice() {
            [(Finish::Answered(..), _)] => format!("{text}, another body"),
            [(Finish::Redirected(..), _)] => format!("{text}, elsewhere"),
            _ => format!("{text}, otherwise"),
        }
    }

    /// Where a redirect leads, if all ways are that.
    pub(super) fn location(&self) -> Option<&str> {
        match self.ends.as_slice() {
            [(Finish::Redirected(_, location), _)] => Some(location),
            _ => None,
        }
    }

    /// How much of this a line of a log tells.
    pub(super) fn told_by(&self, line: &Line) -> Told {
        let told = self.ends.iter().filter(|(end, _)| end.is_told_by(line));
        match told.count() {
            0 => Told::No,
            told if told == self.ends.len() => Told::Whole,
            _ => Told::OneOfSeveral,
        }
    }
}

/// Whether what a line tells is an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    /// It is.
    Whole,
    /// It is one of several that are drawn.
    OneOfSeveral,
    /// It is not.
    No,
}

/// What a line tells, as an outcome reads.
pub(super) fn logged(line: &Line) -> String {
    match &line.service {
        Some(service) => service.clone(),
        None if (300..400).contains(&line.code) => format!("redirect {}", line.code),
        None => line.code.to_string(),
    }
}

/// Where the requests of a line enter a mesh; `None` where they do no more.
pub(super) fn entry(bundle: &Bundle, line: &Line) -> Option<Entry> {
    let (_, name) = line.node.split_once('/')?;
    if line.entrance != Entrance::Gateway {
        let mut services = bundle.services().iter();
        let service = services.position(|it| bundle.qualified(it.namespace, it.name) == name)?;
        return Some(Entry::Sidecar(Id::new(service as u32)));
    }
    let mut gateways = bundle.gateways().iter();
    let gateway = gateways.position(|it| bundle.qualified(it.namespace, it.name) == name)?;
    let gateway = Id::new(gateway as u32);
    let protocol = match line.scheme.as_str() {
        "https" => ListenerProtocol::Https,
        _ => ListenerProtocol::Http,
    };
    let mut listeners = bundle.gateway(gateway).listeners.ids();
    let listener = listeners.find(|id| {
        let listener = bundle.listener(*id);
        listener.protocol == protocol.code() && listener.port.get() == line.port
    })?;
    Some(Entry::Gateway(gateway, listener))
}
