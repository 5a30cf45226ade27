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
    /// Whether an arm is reached.
    Reach(u32),
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
    /// What there is to say, given what is known of each arm.
    pub fn lints(&mut self, reach: &[Reach], same: Same<'_>) -> Vec<Lint> {
        let reached = |arm: u32| matches!(reach[arm as usize], Reach::Reached(_));
        let mut lints = Vec::new();
        let mut among = HashMap::new();
        for (arm, reach) in (0u32..).zip(reach) {
            match reach {
                Reach::Reached(_) => {
                    self.partly_shadowed(arm, &reached, &mut among, &mut lints);
                    self.redundant(arm, same, &mut lints);
                }
                Reach::NotDecided(reason) => lints.push(Lint::NotDecided {
                    what: What::Reach(arm),
                    reason: reason.clone(),
                }),
                // These are errors.
                Reach::Unreachable(_) | Reach::Impossible => {}
            }
        }
        match self.unmatched() {
            Verdict::Yes(example) => lints.push(Lint::Unmatched { example }),
            Verdict::No => {}
            Verdict::NotDecided(reason) => lints.push(Lint::NotDecided {
                what: What::Unmatched,
                reason,
            }),
        }
        lints
    }

    /// Looks for later arms of which one that names paths takes requests.
    fn partly_shadowed(
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

    /// Looks at whether an arm has an effect.
    fn redundant(&mut self, arm: u32, same: Same<'_>, lints: &mut Vec<Lint>) {
        let end = (self.table, arm);
        let without = |next| same(arm, next);
        let verdict = self
            .space
            .differs_without(end, self.region, &without, self.budget);
        match verdict {
            Verdict::Yes(request) if (self.decide)(&request) == Some(arm) => {}
            Verdict::No => lints.push(Lint::Redundant { arm }),
            Verdict::Yes(_) => lints.push(Lint::NotDecided {
                what: What::Redundant(arm),
                reason: Reason::Disagreement,
            }),
            Verdict::NotDecided(reason) => lints.push(Lint::NotDecided {
                what: What::Redundant(arm),
                reason,
            }),
        }
    }
}
