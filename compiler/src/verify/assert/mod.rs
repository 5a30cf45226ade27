//! Assertions: what a mesh claims of all requests, proved or shown to be wrong.
//!
//! ```text
//! claim ─┬─ never, only ─▶ reach ──┬─ callers: what the target's rules let in of whom
//!        │                         └─ ways: what gateways make of what clients send
//!        ├─ … transitively ─▶ chain: one hop after the other, each let in for some request
//!        ├─ always ─▶ always: what is sent and does not arrive
//!        └─ every route ─▶ routes: the values in force on each way
//!                                                       each ─▶ Outcome ─▶ report
//! ```
//!
//! `ways` composes the tables on a way into one space, with `seen` and `paths` saying of the request as it comes in
//! what a later table asks of it. What these cannot say exactly is left free, so that "no request" is a proof and a
//! request is a guess: `replay` puts it before the code that serves, and what does not come out there is told as not
//! proved, never as proved.
//!
//! `clients` asks the same of the ways through gateways for lints that need a request to show.

mod admission;
mod always;
mod callers;
mod chain;
mod clients;
mod paths;
mod reach;
mod replay;
mod report;
mod routes;
mod seen;
mod through;
mod ways;

pub(super) use self::admission::{held, names, of_host};
use self::callers::Caller;
pub(super) use self::clients::{Clients, Found};
pub(super) use self::through::{Admission, Beyond, Passage, admission_by, may_lead};
pub(super) use self::ways::leads_to;
use super::Request;
use crate::model::Mesh;
use crate::model::condition::Condition;
use crate::model::proof::{Assertion, Claim, ClaimKind, Reaches};
use mesh_bundle::format::Bundle;
use mesh_bundle::journey::Entry;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};
use mesh_lang::view::Verb;

/// What is known of a claim.
#[derive(Clone, Debug)]
enum Outcome {
    /// It holds.
    Holds,
    /// It holds, because what it speaks of does not exist.
    Vacuous(String),
    /// It does not hold.
    Fails(Box<Failure>),
    /// It was not found out whether it holds, because of this.
    NotProved(String),
}

/// Why a claim does not hold.
#[derive(Clone, Debug, Default)]
struct Failure {
    /// What happens that must not, or does not happen that must, in a few words.
    what: String,
    /// A request that shows it.
    request: Option<Request>,
    /// Where it came in.
    entry: Option<Entry>,
    /// Who sends it past whatever its own proxy says; none for one that a test can send.
    sent_by: Option<Caller>,
    /// What is to come of it, as a test expects it.
    expected: Option<String>,
    /// What comes of it instead, decision by decision.
    way: Option<String>,
    /// Where the reason is written.
    places: Vec<(Span, String)>,
}

/// What is found about the assertions of a mesh, whose bundle is at hand.
pub fn findings(mesh: &Mesh, sources: &Sources, bundle: &Bundle) -> Vec<Diagnostic> {
    let prover = Prover {
        mesh,
        sources,
        bundle,
    };
    let mut found = Vec::new();
    for assertion in &mesh.assertions {
        for claim in &assertion.claims {
            found.extend(prover.finding(assertion, claim));
        }
    }
    found
}

/// Proves the claims of a mesh.
#[derive(Clone, Copy)]
struct Prover<'m> {
    mesh: &'m Mesh,
    sources: &'m Sources,
    bundle: &'m Bundle,
}

impl Prover<'_> {
    fn finding(&self, assertion: &Assertion, claim: &Claim) -> Option<Diagnostic> {
        report::finding(self, assertion, claim, self.outcome(claim))
    }

    /// What is known of a claim.
    fn outcome(&self, claim: &Claim) -> Outcome {
        match &claim.kind {
            ClaimKind::Reaches(reaches) => match reaches.verb {
                Verb::Always => self.always(reaches, claim.span),
                Verb::Never | Verb::Only => self.never(reaches, claim.span),
            },
            ClaimKind::EveryRoute(every) => self.every_route(every),
        }
    }

    /// `shop.mesh:11`.
    fn place(&self, span: Span) -> String {
        self.sources.place(span)
    }
}

/// What a claim asks of the requests that it speaks of. As everywhere, `GET` takes `HEAD` too where that is not named.
fn spoken_of(reaches: &Reaches, span: Span) -> Condition {
    let mut methods = reaches.methods.clone();
    let names = |method: &str| reaches.methods.iter().any(|named| named == method);
    if names("GET") && !names("HEAD") {
        methods.push("HEAD".to_owned());
    }
    let mut parts = admission::names(&methods, &reaches.paths, span);
    parts.extend(reaches.condition.clone());
    Condition::And(parts)
}
