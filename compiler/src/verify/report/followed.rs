//! Redirects that lead around by way of others, or by what captures make of a path.
//!
//! A client follows a redirect with the request that it was told of, and the next one, until it is there or gives up.
//! So does this, in the code that decides: for each arm that redirects, from the request that reaches it. What comes
//! by a place where it has been goes around for ever, whatever else the requests of these arms are.

use crate::model::Mesh;
use crate::plan::pattern_groups;
use crate::verify::Request;
use mesh_bundle::format::{self, Bundle, Id};
use mesh_bundle::journey::{self, End, Entry};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Port, Scheme, Url};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// Redirects after which clients give up (Fetch, "HTTP-redirect fetch").
const MOST: usize = 20;
/// Ways of one request that are looked at: an arm that redirects has no splits before it.
const WAYS: usize = 1;

/// The redirects of a mesh, by the arms of its bundle.
pub(super) struct Followed<'f> {
    bundle: &'f Bundle,
    arms: HashMap<Id<format::Arm>, Span>,
    told: BTreeSet<Span>,
}

/// A place where a client was.
#[derive(Clone, PartialEq)]
struct Stop {
    entry: Entry,
    method: String,
    url: String,
    /// The arm that points on; none for a listener.
    arm: Option<Span>,
    status: u16,
}

impl<'f> Followed<'f> {
    pub(super) fn of(mesh: &Mesh, bundle: &'f Bundle) -> Self {
        let mut arms = HashMap::new();
        let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
        for (index, host) in (0..).zip(hosts) {
            let table = bundle.host_block(Id::new(index)).table;
            let records = bundle.table(table).arms.ids();
            let parts = host.table.arms.iter();
            let parts = parts.flat_map(|arm| std::iter::repeat_n(arm, pattern_groups(arm).len()));
            arms.extend(records.zip(parts).map(|(id, arm)| (id, arm.span)));
        }
        Self {
            bundle,
            arms,
            told: BTreeSet::new(),
        }
    }

    /// Circles that were told already: redirects that lead to themselves.
    pub(super) fn leave_out(&mut self, told: &[Diagnostic]) {
        let circles = told.iter().filter(|it| it.code == Code::RedirectLoop);
        self.told.extend(circles.filter_map(Diagnostic::span));
    }

    /// What comes of a request that an arm redirects.
    pub(super) fn from(&mut self, request: &Request) -> Option<Diagnostic> {
        let mut at = request.sent()?;
        let mut entry = journey::entrance(self.bundle, &at.scheme, &at.host, Some(at.port))?;
        let mut stops: Vec<Stop> = Vec::new();
        while stops.len() < MOST {
            let journey = journey::within(self.bundle, entry, &at, WAYS)?;
            let [branch] = journey.branches.as_slice() else {
                return None;
            };
            let End::Redirected {
                arm,
                status,
                location,
            } = &branch.end
            else {
                return None; // it is there
            };
            let stop = Stop {
                entry,
                method: at.method.clone(),
                url: url(&at),
                arm: self.arms.get(arm).copied(),
                status: *status,
            };
            if let Some(first) = stops.iter().position(|it| *it == stop) {
                return self.circle(&stops[first..]);
            }
            stops.push(stop);
            entry = self.next(location, *status, &mut at)?;
        }
        self.endless(&stops)
    }

    /// The request with which a client follows a redirect, and where that comes in; none where it leaves the mesh.
    fn next(&self, location: &str, status: u16, at: &mut journey::Request) -> Option<Entry> {
        let url = Url::parse(location).ok()?;
        let path_and_query = &url.path_and_query;
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path_and_query.as_str(), None),
        };
        let usual = match url.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        at.scheme = url.scheme.to_string();
        at.host = url.host.to_string();
        at.port = url.port.map_or(usual, Port::number);
        path.clone_into(&mut at.path);
        at.query = query;
        // RFC 9110 §15.4: the first of these asks for GET, and of a POST clients make one for the others.
        if status == 303 && at.method != "HEAD" || status < 303 && at.method == "POST" {
            "GET".clone_into(&mut at.method);
        }
        journey::entrance(self.bundle, &at.scheme, &at.host, Some(at.port))
    }

    fn circle(&mut self, stops: &[Stop]) -> Option<Diagnostic> {
        let arms = self.new_arms(stops)?;
        let message = match arms.len() {
            1 => "this redirect leads to where it was asked",
            _ => "these redirects lead around in a circle",
        };
        let back = stops.first()?.url.clone();
        Some(
            on_arms(message, &arms)
                .note(format!("for example: {} → {back} again", way(stops)))
                .help("let one of them answer, or point to where none of them does"),
        )
    }

    fn endless(&mut self, stops: &[Stop]) -> Option<Diagnostic> {
        let arms = self.new_arms(stops)?;
        let message = "clients give up before these redirects come to an end";
        let shown = &stops[..stops.len().min(4)];
        Some(
            on_arms(message, &arms)
                .note(format!("for example: {} → …", way(shown)))
                .note(format!("after {MOST} of them there is still another one"))
                .help("point to where the way ends"),
        )
    }

    /// The arms of a way in the order of the source; none if some of them were told already.
    fn new_arms(&mut self, stops: &[Stop]) -> Option<BTreeSet<Span>> {
        let arms: BTreeSet<Span> = stops.iter().filter_map(|stop| stop.arm).collect();
        let known = arms.is_empty() || arms.iter().any(|arm| self.told.contains(arm));
        self.told.extend(&arms);
        (!known).then_some(arms)
    }
}

fn on_arms(message: &str, arms: &BTreeSet<Span>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::RedirectLoop, message);
    for (index, arm) in arms.iter().enumerate() {
        diagnostic = match index {
            0 => diagnostic.primary(*arm, ""),
            _ => diagnostic.secondary(*arm, ""),
        };
    }
    diagnostic
}

/// `GET http://shop.example/a → 301 http://shop.example/b → 302`.
fn way(stops: &[Stop]) -> String {
    let mut way = String::new();
    let mut last = "";
    for stop in stops {
        if stop.method != last {
            last = &stop.method;
            way.push_str(last);
            way.push(' ');
        }
        // Writing to a string does not fail.
        let _ = write!(way, "{} → {} ", stop.url, stop.status);
    }
    way.trim_end().to_owned()
}

fn url(request: &journey::Request) -> String {
    let journey::Request {
        scheme,
        host,
        port,
        path,
        query,
        ..
    } = request;
    let port = match (scheme.as_str(), port) {
        ("http", 80) | ("https", 443) => String::new(),
        _ => format!(":{port}"),
    };
    let query = query.as_ref().map(|query| format!("?{query}"));
    format!("{scheme}://{host}{port}{path}{}", query.unwrap_or_default())
}
