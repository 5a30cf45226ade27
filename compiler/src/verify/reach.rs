//! Which arms of a table some request reaches, and what takes the requests of the others.

use super::budget::Budget;
use super::space::{End, Question, Space, TableId};
use super::{Reason, Request, Verdict};
use crate::plan::formula::FormulaId;

/// The code that decides, as far as a proof asks it: the arm that takes a request.
pub type Decide<'d> = &'d dyn Fn(&Request) -> Option<u32>;

/// What is known of an arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This request ends with it.
    Reached(Box<Request>),
    /// No request does.
    Unreachable(Covered),
    /// Nothing fits its own match.
    Impossible,
    /// Neither was found out.
    NotDecided(Reason),
}

/// What takes the requests of an arm that none reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Arms that take them all together, and none of which can be left out.
    pub by: Vec<Cover>,
    /// Whether there are more of them, which were not looked for.
    pub more: bool,
}

/// An arm that takes requests of one behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The arm.
    pub arm: u32,
    /// A request that fits the one behind, and that it takes.
    pub example: Request,
}

/// Arms that are looked for to explain one that is not reached.
const MAX_COVERS: usize = 32;

/// One table, and the code that decides by it.
pub struct Proof<'p> {
    /// What the table asks, and maybe others.
    pub space: &'p mut Space,
    /// The table.
    pub table: TableId,
    /// What holds of all requests that the table meets.
    pub region: &'p [FormulaId],
    /// The code that decides. Every request that is found is put before it.
    pub decide: Decide<'p>,
    /// What is left to try.
    pub budget: &'p mut Budget,
}

impl Proof<'_> {
    /// What is known of each arm.
    pub fn arms(&mut self) -> Vec<Reach> {
        let arms = 0..self.space.arm_count(self.table);
        arms.map(|arm| self.arm(arm)).collect()
    }

    /// What is known of an arm.
    pub fn arm(&mut self, arm: u32) -> Reach {
        match self.ending(Some(arm), &[], &[]) {
            Verdict::Yes(request) => Reach::Reached(request),
            Verdict::NotDecided(reason) => Reach::NotDecided(reason),
            Verdict::No => match self.covers(arm) {
                Ok(covered) if covered.by.is_empty() => Reach::Impossible,
                Ok(covered) => Reach::Unreachable(covered),
                Err(reason) => Reach::NotDecided(reason),
            },
        }
    }

    /// The arms above one that take requests which fit it, each with such a request. What was not decided is not
    /// among them.
    pub fn takers(&mut self, arm: u32) -> Vec<Cover> {
        let own = [self.formula(arm)];
        let sharing = self.space.sharing(self.table, arm);
        let above = sharing.range(..arm);
        let taker = |&other: &u32| match self.ending(Some(other), &own, &[]) {
            Verdict::Yes(example) => Some(Cover {
                arm: other,
                example: *example,
            }),
            Verdict::No | Verdict::NotDecided(_) => None,
        };
        above.filter_map(taker).collect()
    }

    /// A request that no arm takes.
    pub fn unmatched(&mut self) -> Verdict {
        self.ending(None, &[], &[])
    }

    /// A request that ends with an arm, or with none, and of which more holds.
    pub(super) fn ending(
        &mut self,
        arm: Option<u32>,
        holds: &[FormulaId],
        fails: &[FormulaId],
    ) -> Verdict {
        let end = End {
            table: self.table,
            arm,
        };
        let holds = [self.region, holds].concat();
        let question = Question {
            ends: &[end],
            holds: &holds,
            fails,
        };
        match self.space.ask(question, self.budget) {
            Verdict::Yes(request) if (self.decide)(&request) != arm => {
                Verdict::NotDecided(Reason::Disagreement)
            }
            verdict => verdict,
        }
    }

    /// A request of which this holds, whatever takes it, and the arm that does.
    pub(super) fn some(
        &mut self,
        holds: &[FormulaId],
        fails: &[FormulaId],
    ) -> Result<Option<Taker>, Reason> {
        let holds = [self.region, holds].concat();
        let question = Question {
            ends: &[],
            holds: &holds,
            fails,
        };
        match self.space.ask(question, self.budget) {
            Verdict::Yes(request) => {
                let arm = (self.decide)(&request);
                Ok(Some((arm, *request)))
            }
            Verdict::No => Ok(None),
            Verdict::NotDecided(reason) => Err(reason),
        }
    }

    /// A request whose path one formula takes and another does not.
    pub(super) fn some_path(&mut self, takes: FormulaId, leaves: FormulaId) -> Verdict {
        let question = Question {
            ends: &[],
            holds: &[takes],
            fails: &[leaves],
        };
        self.space.ask(question, self.budget)
    }

    /// The arms that take what an unreachable arm would.
    fn covers(&mut self, arm: u32) -> Result<Covered, Reason> {
        let own = [self.formula(arm)];
        if let Some(cover) = self.twin(arm) {
            return Ok(Covered {
                by: vec![cover],
                more: false,
            });
        }
        let mut by: Vec<Cover> = Vec::new();
        let mut more = false;
        // What is left of the arm's requests leads to one arm after the other.
        loop {
            let taken: Vec<FormulaId> = by.iter().map(|cover| self.formula(cover.arm)).collect();
            match self.some(&own, &taken)? {
                None => break,
                Some(_) if by.len() == MAX_COVERS => {
                    more = true;
                    break;
                }
                Some((Some(first), example))
                    if first < arm && by.iter().all(|cover| cover.arm != first) =>
                {
                    by.push(Cover {
                        arm: first,
                        example,
                    });
                }
                Some(_) => return Err(Reason::Disagreement),
            }
        }
        // Earlier ones may have become superfluous.
        let mut index = 0;
        while index < by.len() && !more {
            let others = by.iter().enumerate().filter(|(other, _)| *other != index);
            let others: Vec<FormulaId> = others.map(|(_, cover)| self.formula(cover.arm)).collect();
            if matches!(self.some(&own, &others), Ok(None)) {
                by.remove(index);
            } else {
                index += 1;
            }
        }
        by.sort_by_key(|cover| cover.arm);
        Ok(Covered { by, more })
    }

    /// An arm above one that fits the very same requests, and is reached by some. It explains all, where a search
    /// might first come by many that take a few.
    fn twin(&mut self, arm: u32) -> Option<Cover> {
        let own = self.formula(arm);
        let above = self.space.sharing(self.table, arm);
        let mut twins = above
            .range(..arm)
            .filter(|other| self.formula(**other) == own);
        let twin = *twins.next()?;
        match self.ending(Some(twin), &[], &[]) {
            Verdict::Yes(example) => Some(Cover {
                arm: twin,
                example: *example,
            }),
            Verdict::No | Verdict::NotDecided(_) => None,
        }
    }

    /// Whether an arm that is not reached would be, and every other arm still, if it stood above the first of
    /// those that take its requests.
    pub fn mends(&mut self, arm: u32, covered: &Covered) -> bool {
        let Some(first) = covered.by.first() else {
            return false;
        };
        // Nothing above the first of them takes its example.
        let between = self.space.sharing(self.table, arm);
        let between: Vec<u32> = between.range(first.arm..arm).copied().collect();
        let own = [self.formula(arm)];
        between.len() <= MAX_COVERS
            && between.into_iter().all(|other| {
                let before = self.ending(Some(other), &[], &[]);
                let after = self.ending(Some(other), &[], &own);
                matches!((before, after), (Verdict::No, _) | (_, Verdict::Yes(_)))
            })
    }

    /// The smallest of some formulas' sets that no request fulfils together, by their places; none if some
    /// request may fulfil them all.
    pub fn clash(&mut self, parts: &[FormulaId]) -> Option<Vec<usize>> {
        let mut left: Vec<usize> = (0..parts.len()).collect();
        let mut none_fulfils = |left: &[usize]| {
            let holds: Vec<FormulaId> = left.iter().map(|&part| parts[part]).collect();
            matches!(self.some(&holds, &[]), Ok(None))
        };
        if !none_fulfils(&left) {
            return None;
        }
        let mut index = 0;
        while index < left.len() {
            let mut without = left.clone();
            without.remove(index);
            if none_fulfils(&without) {
                left = without;
            } else {
                index += 1;
            }
        }
        Some(left)
    }

    /// The formula of an arm's whole match.
    pub(super) fn formula(&self, arm: u32) -> FormulaId {
        self.space.arm(self.table, arm)
    }
}

/// A request, and the arm that takes it.
pub(super) type Taker = (Option<u32>, Request);
