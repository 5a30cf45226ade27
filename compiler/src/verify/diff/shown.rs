//! Examples: what becomes of one request on both sides, its whole way.

use super::renumber::Ids;
use super::{Example, Kind, Side};
use crate::verify::Request;
use crate::way;
use mesh_bundle::format::{Bundle, Gateway, Id, Listener, ListenerProtocol};
use mesh_bundle::journey::{self, End, Entry, Journey};
use std::collections::BTreeSet;

/// Two meshes, and where a request enters them.
#[derive(Clone, Copy)]
pub(super) struct Sides<'s> {
    pub(super) old: Side<'s>,
    pub(super) new: Side<'s>,
    /// By which requests name tokens and keys.
    pub(super) ids: &'s Ids,
    /// The gateway at which clients come in, by namespace and name; none: the one that serves the host.
    pub(super) gateway: Option<(&'s str, &'s str)>,
}

/// What becomes of a request on both sides.
#[derive(Debug, Default)]
pub(super) struct Both {
    pub(super) old: Option<Journey>,
    pub(super) new: Option<Journey>,
    /// How it ends on both, if that is known.
    ends: Option<(String, String)>,
}

impl Sides<'_> {
    /// What becomes of a request.
    pub(super) fn both(&self, request: &Request) -> Both {
        let Some(request) = request.with_plain(journey::Request::of_plain) else {
            return Both::default();
        };
        let old = self.travel(self.old, &self.ids.for_old(&request));
        let new = self.travel(self.new, &Ids::for_new(&request, self.new.mesh));
        let end = |side: Side<'_>, journey: &Option<Journey>| {
            let ends = journey
                .as_ref()
                .map(|it| way::ends(side.bundle, &it.branches));
            ends.unwrap_or_else(|| "nobody listens".to_owned())
        };
        let ends = Some((end(self.old, &old), end(self.new, &new)));
        Both { old, new, ends }
    }

    /// The whole way of a request, from its gateway, or from the service that sends it.
    fn travel(&self, side: Side<'_>, request: &journey::Request) -> Option<Journey> {
        let bundle = side.bundle;
        let entry = match (&request.source, self.gateway) {
            (Some(source), _) => {
                let mut services = side.mesh.services.iter();
                let index =
                    services.position(|it| format!("{}/{}", it.namespace, it.name) == *source)?;
                Entry::Sidecar(Id::new(index as u32))
            }
            (None, Some((namespace, name))) => {
                let mut gateways = side.mesh.gateways.iter();
                let index =
                    gateways.position(|it| (&*it.namespace, &*it.name) == (namespace, name))?;
                let gateway = Id::new(index as u32);
                Entry::Gateway(gateway, listener(bundle, gateway, request)?)
            }
            (None, None) => journey::entrance(bundle, &request.scheme, &request.host, None)?,
        };
        Some(journey::of(bundle, entry, request))
    }
}

/// The listener at which a request comes in, or the closest to it that hands requests to hosts.
fn listener(
    bundle: &Bundle,
    gateway: Id<Gateway>,
    request: &journey::Request,
) -> Option<Id<Listener>> {
    let protocol = |https: bool| {
        if https {
            ListenerProtocol::Https.code()
        } else {
            ListenerProtocol::Http.code()
        }
    };
    let https = request.scheme == "https";
    let listeners = bundle.gateway(gateway).listeners.ids();
    let fitting = listeners.filter_map(|id| {
        let listener = bundle.listener(id);
        let same = listener.protocol == protocol(https);
        let takes = same || listener.protocol == protocol(!https);
        let points = listener.flags & Listener::REDIRECT_HTTPS != 0;
        let distance = (!same, points, listener.port.get() != request.port);
        takes.then_some((distance, id))
    });
    fitting
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, id)| id)
}

/// Whether some branch of a way arrives somewhere.
pub(super) fn arrives(journey: &Journey) -> bool {
    let mut branches = journey.branches.iter();
    branches.any(|branch| matches!(branch.end, End::Arrived(_) | End::Egress))
}

/// Whether an arm answers a request, or points it elsewhere.
pub(super) fn is_answered(journey: &Journey) -> bool {
    let mut branches = journey.branches.iter();
    branches.any(|branch| matches!(branch.end, End::Answered { .. } | End::Redirected { .. }))
}

impl Both {
    /// The same, seen from the other side.
    pub(super) fn reversed(self) -> Self {
        Self {
            old: self.new,
            new: self.old,
            ends: self.ends.map(|(was, is)| (is, was)),
        }
    }

    /// Whether the request is refused on both sides with the same status, or nobody listens on either: then it does not
    /// show what is otherwise.
    pub(super) fn is_refused_alike(&self) -> bool {
        let refused = |journey: &Option<Journey>| {
            let branches = journey.iter().flat_map(|it| &it.branches);
            let all = branches.map(|branch| match branch.end {
                End::Refused(refusal) => Some(refusal.status()),
                _ => None,
            });
            all.collect::<Option<BTreeSet<u16>>>()
        };
        let (was, is) = (refused(&self.old), refused(&self.new));
        was.is_some() && was == is
    }

    /// Whether it ends the same on both sides, as far as that shows.
    fn is_same(&self) -> bool {
        self.ends.as_ref().is_none_or(|(was, is)| was == is)
    }

    /// Whether it arrives nowhere on either side.
    pub(super) fn gets_nowhere(&self) -> bool {
        !self.old.iter().chain(&self.new).any(arrives)
    }

    /// What kind of change whole ways show; none where they do not differ, or the arms tell it.
    pub(super) fn kind(&self) -> Option<Kind> {
        let arrives = |journey: &Option<Journey>| journey.as_ref().is_some_and(arrives);
        match (arrives(&self.old), arrives(&self.new)) {
            _ if self.is_same() => None,
            (false, true) => Some(Kind::Widened),
            (true, false) => Some(Kind::Narrowed),
            (false, false) => Some(Kind::Answer),
            (true, true) => None,
        }
    }
}

/// A request as an example, with how it ends where that differs.
pub(super) fn example(request: &Request, both: &Both) -> Example {
    let ends = both.ends.clone().filter(|_| !both.is_same());
    let (was, is) = ends.unzip();
    Example {
        request: request.to_string(),
        curl: request.source.is_none().then(|| request.curl()),
        was,
        is,
    }
}
