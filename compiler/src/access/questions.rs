//! Which rules decide requests of some kind.

use super::{Rules, is_met};
use crate::model::Mesh;
use crate::model::condition::Condition;
use crate::plan::formula::FormulaId;
use crate::plan::table::TableError;
use crate::verify::{Budget, End, Question, Reason, Request, Space, TableId, Verdict, World};

/// What may become of a request before a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A rule decides, by its number.
    Rule(u32),
    /// No rule matches.
    NoRule,
    /// A token or key is missing that is required, by its number.
    Without(usize),
    /// It was not found out whether a rule decides some of them (or none does, or something is missing), because of
    /// this.
    NotDecided(Option<u32>, Reason),
}

/// For all questions about one service, which are many, and for each of them.
const BUDGET: Budget = Budget::new(10_000_000, 200_000);

/// The rules of a service in a space, and conditions that pick out requests.
pub struct Questions {
    space: Space,
    budget: Budget,
    /// For each thing required, the formula that it is met.
    met: Vec<FormulaId>,
    unguarded: bool,
}

impl Questions {
    /// Refines what rules and `conditions` ask.
    pub fn new(
        mesh: &Mesh,
        rules: &Rules<'_>,
        world: World,
        conditions: &[Condition],
    ) -> Result<Self, TableError> {
        let matches = rules.matches();
        let met: Vec<Condition> = rules
            .requires
            .iter()
            .map(|said| is_met(said, mesh.span))
            .collect();
        let all: Vec<&Condition> = conditions.iter().chain(&met).collect();
        let space = Space::new(world, &[&matches], &all)?;
        Ok(Self {
            met: (conditions.len()..all.len())
                .map(|index| space.condition(index))
                .collect(),
            space,
            budget: BUDGET,
            unguarded: rules.unguarded,
        })
    }

    /// The formula of one of the conditions, by its place.
    pub fn condition(&self, index: usize) -> FormulaId {
        self.space.condition(index)
    }

    /// A request of which this holds and that does not.
    pub fn some(&mut self, holds: &[FormulaId], fails: &[FormulaId]) -> Verdict {
        self.ask(&[], holds, fails)
    }

    fn ask(&mut self, ends: &[End], holds: &[FormulaId], fails: &[FormulaId]) -> Verdict {
        let question = Question { ends, holds, fails };
        self.space.ask(question, &mut self.budget)
    }

    /// All that may become of requests of which this holds and that does not, each with a request that meets it:
    /// what is missing, then rule after rule, then that none matches. Rules that are not among these are about others.
    pub fn outcomes(
        &mut self,
        rules: &[u32],
        holds: &[FormulaId],
        fails: &[FormulaId],
    ) -> Vec<(Outcome, Option<Box<Request>>)> {
        let mut found = Vec::new();
        let mut add = |verdict, outcome| match verdict {
            Verdict::Yes(request) => found.push((outcome, Some(request))),
            Verdict::No => {}
            Verdict::NotDecided(reason) => {
                let rule = match outcome {
                    Outcome::Rule(rule) => Some(rule),
                    _ => None,
                };
                found.push((Outcome::NotDecided(rule, reason), None));
            }
        };
        let met = self.met.clone();
        for (index, met) in met.iter().enumerate() {
            // The outermost is asked first.
            let before: Vec<FormulaId> = [holds, &self.met[..index]].concat();
            let fails: Vec<FormulaId> = [fails, &[*met]].concat();
            add(self.ask(&[], &before, &fails), Outcome::Without(index));
        }
        let holds = [holds, &met].concat();
        if self.unguarded {
            add(self.ask(&[], &holds, fails), Outcome::Rule(0));
            return found;
        }
        for rule in rules.iter().copied().map(Some).chain([None]) {
            let end = End {
                table: TableId(0),
                arm: rule,
            };
            let outcome = rule.map_or(Outcome::NoRule, Outcome::Rule);
            add(self.ask(&[end], &holds, fails), outcome);
        }
        found
    }
}
