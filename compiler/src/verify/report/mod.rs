//! What proofs say to whoever wrote the policy.
//!
//! Each table of a mesh is proved once; [`arms`] words what is wrong with one of its arms, [`hints`] what is most
//! likely not meant. `moves` is the edit that puts an arm above another; [`redirects`] those that lead around by themselves, [`followed`] by way of others. Rules of `authz` are in [`rules`], and
//! [`evasion`] shows how callers get around them; [`unguarded`] are tokens that nothing depends on.

mod arms;
mod evasion;
mod followed;
mod hints;
mod moves;
mod redirects;
mod rules;
mod unguarded;

use self::followed::Followed;
use self::moves::Trees;
use self::unguarded::Accepts;
use super::assert::Clients;
use super::reach::{Proof, Reach};
use super::tables::{Place, Subject, of_mesh};
use super::{Budget, Request};
use super::{graph, hashed, rates, retried, selection};
use crate::model::{Action, Arm, Mesh};
use crate::spell::Place as Names;
use mesh_bundle::format::Bundle;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};
use std::fmt::Display;

/// What of the findings is of interest.
#[derive(Clone, Copy)]
pub struct Interest<'i> {
    /// Whether somebody wants to hear of a lint; if not, and it costs time, it is not looked for.
    pub wants: &'i dyn Fn(Code) -> bool,
    /// Whether anybody still waits for the findings; if not, some may be missing.
    pub goes_on: &'i dyn Fn() -> bool,
}

/// All that is found about a mesh by proofs. `bundle` is the one of the mesh; there is none where something else is
/// wrong with it, and then only errors of its tables are looked for.
pub fn findings(
    mesh: &Mesh,
    sources: &Sources,
    bundle: Option<&Bundle>,
    interest: Interest<'_>,
) -> Vec<Diagnostic> {
    let wanted = interest.wants;
    let mut found = Vec::new();
    let trees = Trees::default();
    let mut accepts = Accepts::of(mesh);
    let mut followed = bundle.map(|bundle| Followed::of(mesh, bundle));
    for subject in of_mesh(mesh, bundle.is_some()) {
        if !(interest.goes_on)() {
            return found;
        }
        let writer = Writer {
            mesh,
            sources,
            trees: &trees,
            subject: &subject,
        };
        let mut budget = Budget::USUAL;
        let mut redirected: Vec<Request> = Vec::new();
        let report = |proof: &mut Proof<'_>, _: &[_]| {
            let reach = proof.arms();
            found.extend(writer.errors(proof, &reach));
            if bundle.is_some() {
                found.extend(writer.hints(proof, &reach, wanted));
                found.extend(accepts.findings(&writer, &reach));
                redirected = writer.redirected(&reach);
            }
        };
        // A table that makes none is reported by whoever tries to compile it.
        let _ = subject.prove(bundle, &[], &mut budget, report);
        if let (Some(bundle), Some(followed)) = (bundle, &mut followed) {
            let circles = writer.circles(bundle);
            followed.leave_out(&circles);
            found.extend(circles);
            found.extend(redirected.iter().filter_map(|it| followed.from(it)));
        }
    }
    if let Some(bundle) = bundle {
        found.extend(rules::findings(mesh));
        found.extend(graph::findings(mesh, sources, wanted));
        found.extend(retried::findings(mesh, bundle));
        let mut clients = Clients::of(mesh, bundle);
        if wanted(Code::HashKeyMissing) {
            found.extend(hashed::findings(&clients, interest.goes_on));
        }
        if wanted(Code::RatelimitKeyUnbounded) {
            found.extend(rates::findings(&mut clients, interest.goes_on));
        }
        found.extend(selection::findings(mesh));
    }
    found
}

/// Writes what is found about one table.
struct Writer<'w> {
    mesh: &'w Mesh,
    sources: &'w Sources,
    trees: &'w Trees,
    subject: &'w Subject<'w>,
}

impl Writer<'_> {
    fn arm(&self, arm: u32) -> &Arm {
        &self.subject.table.arms[arm as usize]
    }

    fn errors(&self, proof: &mut Proof<'_>, reach: &[Reach]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (arm, reach) in (0u32..).zip(reach) {
            match reach {
                Reach::Unreachable(covered) => found.push(self.unreachable(proof, arm, covered)),
                Reach::Impossible => found.push(self.impossible(proof, arm)),
                Reach::Reached(_) | Reach::NotDecided(_) => {}
            }
        }
        found
    }

    /// For each arm of a gateway that redirects a request that reaches it.
    fn redirected(&self, reach: &[Reach]) -> Vec<Request> {
        let Place::Host(..) = self.subject.place else {
            return Vec::new();
        };
        let arms = self.subject.table.arms.iter().zip(reach);
        arms.filter_map(|(arm, reach)| match (&arm.action, reach) {
            (Action::Redirect(_), Reach::Reached(request)) => Some((**request).clone()),
            _ => None,
        })
        .collect()
    }

    /// `POST https://shop.example/api/orders  → api (shop.mesh:11), not orders`.
    fn example(&self, request: &Request, taken_by: u32, not_by: u32) -> String {
        let goes = self.action(&self.arm(taken_by).action);
        let should = self.action(&self.arm(not_by).action);
        let place = self.place(self.arm(taken_by).span);
        if goes == should {
            format!("{request}  → {goes} ({place})")
        } else {
            format!("{request}  → {goes} ({place}), not {should}")
        }
    }

    /// `shop.mesh:11`.
    fn place(&self, span: Span) -> String {
        format!("{}:{}", self.sources.get(span.file).name(), self.line(span))
    }

    fn line(&self, span: Span) -> u32 {
        self.sources.get(span.file).line_of(span.start)
    }

    /// Where the table is declared, and what comes of a request that none of its arms takes.
    fn unmatched(&self) -> (Span, String) {
        match self.subject.place {
            Place::Host(_, block) => (block.span, "404".to_owned()),
            Place::Route(service) => (service.span, format!("all endpoints of {}", service.name)),
        }
    }

    /// What an arm does, in a word or two.
    fn action(&self, action: &Action) -> String {
        match action {
            Action::Forward(target) => Names::top(self.mesh).target(*target),
            Action::Split(_) => "a split".to_owned(),
            Action::Redirect(redirect) => format!("redirect {}", redirect.status),
            Action::Respond { status, .. } => status.to_string(),
        }
    }
}

/// Questions of one kind about a table that were not answered, in one finding: `what` says what was not found out
/// of each place.
pub(super) fn not_decided(what: &str, unanswered: &[(Span, impl Display)]) -> Option<Diagnostic> {
    let ((first, reason), others) = unanswered.split_first()?;
    let message = format!("{what} was not found out");
    let diagnostic = Diagnostic::new(Code::NotDecided, message).primary(*first, "");
    let diagnostic = diagnostic.note(format!("it cannot be decided, because {reason}"));
    Some(match others.len() {
        0 => diagnostic,
        more => diagnostic.note(format!("nor of {more} more here")),
    })
}
