//! What is most likely not meant, though every arm can be taken: arms that an earlier one takes requests from, arms
//! without effect, requests that no arm takes.

use super::reach::{Proof, Reach};
use super::{Reason, Request, Verdict};
use crate::plan::formula::Formulas;
use std::collections::HashMap;

/// What there is to say about a table as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lint {
    /// An earlier arm that names paths, not all of which are among this one's, takes some of its requests. The
    /// idiom "special case first" is none: there the earlier arm's paths are among the later one's.
    PartlyShadowed {
        /// The later arm.
        arm: u32,
        /// The earlier one.
        by: u32,
        /// A request that fits both.
        example: Box<Request>,
        /// Whether `by` may take requests of other arms, too, that were not looked for.
        more: bool,
    },
    /// Without the arm every request that it takes would meet the same.
    Redundant {
        /// The arm.
        arm: u32,
        /// A later one that would take requests of it, and one of those.
        instead: Option<(u32, Box<Request>)>,
    },
    /// A request that no arm takes.
    Unmatched {
        /// The request.
        example: Box<Request>,
    },
    /// One of these was not found out.
    NotDecided {
        /// Which.
        what: What,
        /// Why not.
        reason: Reason,
    },
}

/// What was not found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Whether an arm takes requests of a later one.
    PartlyShadowed {
        /// The later arm.
        arm: u32,
        /// The earlier one.
        by: u32,
    },
    /// Whether an arm has an effect.
    Redundant(u32),
    /// Whether there is a request that no arm takes.
    Unmatched,
}

/// Whether what an arm does is what another one does, or, where there is none, what comes of a request that no arm
/// takes.
pub type Same<'s> = &'s dyn Fn(u32, Option<u32>) -> bool;

/// Later arms that are named for one that takes requests of them. A wide arm may take some of thousands.
const SHADOWED: usize = 4;
/// Later arms that are tried for one.
const TRIED: usize = 64;

impl Proof<'_> {
    /// Arms that name paths and take requests of later ones, given what is known of each arm.
    pub fn partly_shadowed(&mut self, reach: &[Reach]) -> Vec<Lint> {
        let reached = |arm: u32| is_reached(reach, arm);
        let mut lints = Vec::new();
        let mut among = HashMap::new();
        for arm in (0..reach.len() as u32).filter(|arm| reached(*arm)) {
            self.takes_from_later(arm, &reached, &mut among, &mut lints);
        }
        lints
    }

    /// Arms without effect, given what is known of each arm.
    pub fn redundant(&mut self, reach: &[Reach], same: Same<'_>) -> Vec<Lint> {
        let arms = (0..reach.len() as u32).filter(|arm| is_reached(reach, *arm));
        arms.filter_map(|arm| self.is_redundant(arm, reach, same))
            .collect()
    }

    /// Whether there are requests that no arm takes.
    pub fn falls_through(&mut self) -> Option<Lint> {
        match self.unmatched() {
            Verdict::Yes(example) => Some(Lint::Unmatched { example }),
            Verdict::No => None,
            Verdict::NotDecided(reason) => Some(Lint::NotDecided {
                what: What::Unmatched,
                reason,
            }),
        }
    }

    /// Looks for later arms of which one that names paths takes requests.
    fn takes_from_later(
        &mut self,
        by: u32,
        reached: &impl Fn(u32) -> bool,
        among: &mut HashMap<(u32, u32), bool>,
        lints: &mut Vec<Lint>,
    ) {
        let own = self.space.arm_paths(self.table, by);
        if own == Formulas::TRUE {
            return;
        }
        let first = lints.len();
        let mut found = 0;
        let mut tried = 0;
        for arm in self.space.sharing(self.table, by) {
            if arm <= by || !reached(arm) || self.paths_are_among(by, arm, among) {
                continue;
            }
            if found == SHADOWED || tried == TRIED {
                for lint in &mut lints[first..] {
                    if let Lint::PartlyShadowed { more, .. } = lint {
                        *more = true;
                    }
                }
                if found == 0 {
                    lints.push(Lint::NotDecided {
                        what: What::PartlyShadowed { arm, by },
                        reason: Reason::Cases,
                    });
                }
                return;
            }
            tried += 1;
            let later = self.formula(arm);
            match self.ending(Some(by), &[later], &[]) {
                Verdict::Yes(example) => {
                    found += 1;
                    lints.push(Lint::PartlyShadowed {
                        arm,
                        by,
                        example,
                        more: false,
                    });
                }
                Verdict::No => {}
                Verdict::NotDecided(reason) => lints.push(Lint::NotDecided {
                    what: What::PartlyShadowed { arm, by },
                    reason,
                }),
            }
        }
    }

    /// Whether all paths that `special` names are among those of `general`. Where it is not known they are not.
    fn paths_are_among(
        &mut self,
        special: u32,
        general: u32,
        among: &mut HashMap<(u32, u32), bool>,
    ) -> bool {
        let own = self.space.arm_paths(self.table, special);
        let others = self.space.arm_paths(self.table, general);
        if own == others || others == Formulas::TRUE {
            return true;
        }
        let key = (own.number(), others.number());
        if let Some(&known) = among.get(&key) {
            return known;
        }
        let is_among = matches!(self.some_path(own, others), Verdict::No);
        among.insert(key, is_among);
        is_among
    }

    /// Whether an arm has no effect. An arm that is not reached does not count as one that would take its requests:
    /// it is the one to remove.
    fn is_redundant(&mut self, arm: u32, reach: &[Reach], same: Same<'_>) -> Option<Lint> {
        let end = (self.table, arm);
        let without =
            |next: Option<u32>| next.is_none_or(|next| is_reached(reach, next)) && same(arm, next);
        if !self.space.is_followed(end, &without) {
            return None;
        }
        let not_decided = |reason| {
            Some(Lint::NotDecided {
                what: What::Redundant(arm),
                reason,
            })
        };
        let verdict = self
            .space
            .differs_without(end, self.region, &without, self.budget);
        match verdict {
            Verdict::Yes(request) if (self.decide)(&request) == Some(arm) => None,
            Verdict::Yes(_) => not_decided(Reason::Disagreement),
            Verdict::NotDecided(reason) => not_decided(reason),
            Verdict::No => Some(Lint::Redundant {
                arm,
                instead: self.instead_of(arm, &without),
            }),
        }
    }

    /// A later arm that would take requests of one that has no effect.
    fn instead_of(
        &mut self,
        arm: u32,
        same: &dyn Fn(Option<u32>) -> bool,
    ) -> Option<(u32, Box<Request>)> {
        let later = self.space.sharing(self.table, arm);
        let later = later.into_iter().filter(|later| *later > arm);
        for later in later.filter(|later| same(Some(*later))).take(TRIED) {
            let formula = self.formula(later);
            if let Verdict::Yes(request) = self.ending(Some(arm), &[formula], &[]) {
                return Some((later, request));
            }
        }
        None
    }
}

fn is_reached(reach: &[Reach], arm: u32) -> bool {
    matches!(reach[arm as usize], Reach::Reached(_))
}
