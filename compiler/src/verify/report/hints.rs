//! What is most likely not meant, though every arm can be taken.

use super::{Writer, not_decided};
use crate::model::policy::PathRewrite;
use crate::model::{Action, Arm, Redirect, RedirectPath, RedirectTo};
use crate::verify::lint::{Lint, What};
use crate::verify::reach::{Proof, Reach};
use crate::verify::{Reason, Request};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

impl Writer<'_> {
    /// The lints of a table, given what is known of its arms.
    pub(super) fn hints(
        &self,
        proof: &mut Proof<'_>,
        reach: &[Reach],
        wanted: &dyn Fn(Code) -> bool,
    ) -> Vec<Diagnostic> {
        let mut lints = Vec::new();
        if wanted(Code::MatchRedundant) {
            let same = |arm: u32, other: Option<u32>| {
                // That no arm takes a request may be what it says; an arm for it is not idle.
                other.is_some_and(|other| self.do_the_same(arm, other))
            };
            lints.extend(proof.redundant(reach, &same));
        }
        if wanted(Code::RoutePartlyShadowed) {
            lints.extend(proof.partly_shadowed(reach));
        }
        if wanted(Code::NoCatchAll) {
            lints.extend(proof.falls_through());
        }
        let mut found = self.unanswered(reach, &lints);
        found.extend(lints.iter().filter_map(|lint| self.hint(lint)));
        found
    }

    fn hint(&self, lint: &Lint) -> Option<Diagnostic> {
        match lint {
            Lint::PartlyShadowed {
                arm,
                by,
                example,
                more,
            } => Some(self.takes_some(*arm, *by, example, *more)),
            Lint::Redundant { arm, instead } => Some(self.changes_nothing(*arm, instead.as_ref())),
            Lint::Unmatched { example } => Some(self.falls_through(example)),
            Lint::NotDecided { .. } => None,
        }
    }

    /// An arm that takes requests of a later one, which was meant for them.
    fn takes_some(&self, arm: u32, by: u32, example: &Request, more: bool) -> Diagnostic {
        let message = "this arm loses some of its requests to one above";
        let diagnostic = Diagnostic::new(Code::RoutePartlyShadowed, message)
            .primary(self.arm(arm).span, "… would reach this arm")
            .secondary(self.arm(by).span, "takes some of the requests that …")
            .note(format!("for example: {}", self.example(example, by, arm)));
        let diagnostic = if more {
            diagnostic.note("the arm above takes requests of further arms, too")
        } else {
            diagnostic
        };
        diagnostic.help("put the arm with the narrower paths above the other")
    }

    /// An arm whose requests would meet the same without it.
    fn changes_nothing(&self, arm: u32, instead: Option<&(u32, Box<Request>)>) -> Diagnostic {
        let own = self.arm(arm);
        let message = "without this arm nothing would change";
        let mut diagnostic = Diagnostic::new(Code::MatchRedundant, message)
            .primary(own.span, "what this arm takes …");
        if let Some((later, request)) = instead {
            let later = self.arm(*later);
            let goes = self.action(&later.action);
            let place = self.place(later.span);
            diagnostic = diagnostic
                .secondary(later.span, "… would meet the same here")
                .note(format!(
                    "for example: {request}  → {goes}, by {place} as well"
                ));
        }
        diagnostic.help("remove it, or give it a name if it is there to be counted by itself")
    }

    /// A table that leaves requests to the answer that nobody wrote.
    fn falls_through(&self, example: &Request) -> Diagnostic {
        let message = "some requests are taken by no arm of this table";
        let (place, goes) = self.unmatched();
        Diagnostic::new(Code::NoCatchAll, message)
            .primary(place, "")
            .note(format!("for example: {example}  → {goes}"))
            .help("say what becomes of them: `otherwise -> …`")
    }

    /// Whether two arms do the same to every request that both may take.
    fn do_the_same(&self, arm: u32, other: u32) -> bool {
        let (arm, other) = (self.arm(arm), self.arm(other));
        // By its own name an arm is counted and logged; that of a fragment is somebody else's.
        let plain = |arm: &Arm| arm.fragment.is_none() && !self.is_named(arm);
        plain(arm)
            && plain(other)
            && arm.action == other.action
            && arm.policy == other.policy
            && (arm.paths == other.paths || !depends_on_paths(arm))
    }

    /// Whether an arm has a name that somebody gave it.
    fn is_named(&self, arm: &Arm) -> bool {
        let text = self.sources.text(arm.span).split_whitespace();
        !text.eq(arm.name.split_whitespace())
    }

    /// What was not found out, each kind in one finding.
    fn unanswered(&self, reach: &[Reach], lints: &[Lint]) -> Vec<Diagnostic> {
        let reach = (0u32..).zip(reach).filter_map(|(arm, reach)| match reach {
            Reach::NotDecided(reason) => Some((self.arm(arm).span, reason.clone())),
            _ => None,
        });
        let reach: Vec<(Span, Reason)> = reach.collect();
        let of = |wanted: fn(What) -> bool| -> Vec<(Span, Reason)> {
            let lints = lints.iter().filter_map(|lint| match lint {
                Lint::NotDecided { what, reason } if wanted(*what) => {
                    let span = match what {
                        What::PartlyShadowed { arm, .. } | What::Redundant(arm) => {
                            self.arm(*arm).span
                        }
                        What::Unmatched => self.unmatched().0,
                    };
                    Some((span, reason.clone()))
                }
                _ => None,
            });
            lints.collect()
        };
        let redundant = of(|what| matches!(what, What::Redundant(_)));
        let shadowed = of(|what| matches!(what, What::PartlyShadowed { .. }));
        let unmatched = of(|what| what == What::Unmatched);
        [
            not_decided("whether a request reaches this arm", &reach),
            not_decided("whether this arm has an effect", &redundant),
            not_decided("whether this arm loses requests to one above", &shadowed),
            not_decided("whether some requests are taken by no arm", &unmatched),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Whether what an arm does depends on which of its path patterns took a request.
fn depends_on_paths(arm: &Arm) -> bool {
    let redirects = matches!(
        &arm.action,
        Action::Redirect(Redirect {
            to: RedirectTo::Parts {
                path: RedirectPath::Whole(_) | RedirectPath::Prefix(_),
                ..
            },
            ..
        })
    );
    let rewrite = arm.policy.rewrite.path.as_ref().map(|said| &said.value);
    redirects
        || matches!(
            rewrite,
            Some(PathRewrite::Template(_) | PathRewrite::Prefix(_))
        )
}
