//! What changes for requests between two meshes: not which lines differ, but which requests meet something else.
//!
//! ```text
//! old, new ─┬─ hosts of gateways ─┐
//!           ├─ routes of services ├─▶ one space for both tables ─▶ pairs of ends that do not do the same ─▶ Change
//!           ├─ rules ─────────────┘                                 (a request for each: no request, no change)
//!           └─ statements about nodes and endpoints ──────────────────────────────────────────────────────▶ Change
//! ```
//!
//! Each pair of tables is compared for all requests, as they are when they meet it. What an arm does is compared
//! part by part: where it sends requests, what it asks of them, what it makes of them, and how hard it tries. So an
//! arm that is moved, split or written otherwise is no change, and a default that reaches a hundred arms is one.
//!
//! What counts is how requests end. Arms of a host, and what they require, count where some request meets them that
//! tokens and rules let through (`closer`); rules count by what they let through: of those of a host, requests that its
//! arms send somewhere or answer; of those of a service, what its gateways bring there, and whatever its other callers
//! like to send. A request that is refused on both sides, by whichever proxy, is no change of rules.

mod arms;
mod closer;
mod ends;
#[cfg(test)]
mod exhaustive;
mod hosts;
mod outcome;
mod renumber;
mod rules;
mod ruling;
mod shown;
mod statements;
#[cfg(test)]
mod tests;
pub mod told;

use crate::model::Mesh;
use mesh_bundle::Bundle;
use mesh_lang::source::{Sources, Span};
use serde::Serialize;

/// What `meshc diff --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// One of the two meshes.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    /// What it means.
    pub mesh: &'s Mesh,
    /// Its files.
    pub sources: &'s Sources,
    /// Its bundle.
    pub bundle: &'s Bundle,
    /// Where each line of its only file was written, if it is a mesh that a bundle spells out.
    pub places: &'s [Option<String>],
}

impl Side<'_> {
    /// `file:line`.
    fn place(&self, span: Span) -> String {
        let line = self.sources.get(span.file).line_of(span.start);
        let written = self.places.get(line as usize - 1).and_then(Option::as_ref);
        written.map_or_else(|| self.sources.place(span), String::clone)
    }
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Requests get in that did not.
    Widened,
    /// Requests do not get in that did.
    Narrowed,
    /// Requests arrive elsewhere.
    Rerouted,
    /// Other shares of a split.
    Share,
    /// Requests that arrive nowhere are answered otherwise.
    Answer,
    /// Paths, hosts or headers are changed otherwise.
    Headers,
    /// Timeouts, retries, limits, mirrors, faults.
    Reliability,
    /// Who proves what to whom: mTLS, certificates, tokens.
    Identity,
    /// Endpoints, and how one is chosen.
    Endpoints,
    /// Where nodes listen.
    Listeners,
    /// Logs, traces, exports, and what else is no matter of requests.
    Other,
}

impl Kind {
    /// All, the worst first.
    pub const ALL: &[Self] = &[
        Self::Widened,
        Self::Narrowed,
        Self::Rerouted,
        Self::Share,
        Self::Answer,
        Self::Headers,
        Self::Reliability,
        Self::Identity,
        Self::Endpoints,
        Self::Listeners,
        Self::Other,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Rerouted => "rerouted",
            Self::Share => "share",
            Self::Answer => "answer",
            Self::Headers => "headers",
            Self::Reliability => "reliability",
            Self::Identity => "identity",
            Self::Endpoints => "endpoints",
            Self::Listeners => "listeners",
            Self::Other => "other",
        }
    }
}

/// When a running mesh meets a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reload {
    /// With the next request; none is lost.
    Hitless,
    /// Connections that are made from then on meet it.
    NewHandshakes,
    /// A listener closes: its connections are drained.
    Drains,
}

/// Something that is otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind of change it is.
    pub kind: Kind,
    /// Whose: `edge shop.example`, `reviews`.
    pub subjects: Vec<String>,
    /// What it was, and what it is.
    pub what: String,
    /// The lines that say so: in the old mesh …
    pub old: Vec<String>,
    /// … and in the new one.
    pub new: Vec<String>,
    /// A request that meets it, with what became and becomes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
    /// When a running mesh meets it.
    pub reload: Reload,
}

/// A request that meets a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// As a test would say it.
    pub request: String,
    /// A command that sends it, where a client can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// What became of it, if that is not what becomes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// What becomes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

/// All that is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Changes, the worst kinds first.
    pub changes: Vec<Change>,
    /// What could not be compared for all requests, and why.
    pub undecided: Vec<String>,
}

impl Diff {
    /// When a running mesh meets the last of the changes.
    pub fn reload(&self) -> Reload {
        let all = self.changes.iter().map(|change| change.reload);
        all.max().unwrap_or(Reload::Hitless)
    }

    fn add(&mut self, mut change: Change) {
        // What many arms have in common is one change, and a value that holds for many services is, too.
        let known = self.changes.iter_mut().find(|known| {
            let shared = matches!(change.kind, Kind::Headers | Kind::Reliability);
            (known.kind, &known.what) == (change.kind, &change.what)
                && (shared || known.subjects == change.subjects)
        });
        let Some(known) = known else {
            self.changes.push(change);
            return;
        };
        for (into, from) in [
            (&mut known.subjects, &mut change.subjects),
            (&mut known.old, &mut change.old),
            (&mut known.new, &mut change.new),
        ] {
            from.retain(|it| !into.contains(it));
            into.append(from);
        }
    }
}

/// Compares two meshes.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Diff {
    let ids = renumber::Ids::of(old.mesh, new.mesh);
    let mut diff = Diff::default();
    arms::hosts(old, new, &ids, &mut diff);
    arms::routes(old, new, &ids, &mut diff);
    rules::services(old, new, &ids, &mut diff);
    rules::hosts(old, new, &ids, &mut diff);
    statements::compare(old, new, &mut diff);
    diff.changes.sort_by_key(|change| change.kind);
    diff
}
