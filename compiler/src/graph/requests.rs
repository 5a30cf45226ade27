//! Which rules let a caller in, asked once for all callers that the rules do not tell apart.

use super::collect::is_of_all;
use crate::access::{Caller, CallerClass, Outcome, Questions, Rules, Seen, callers, world};
use crate::model::authz::Rule;
use crate::model::condition::Condition;
use crate::model::{Mesh, ServiceId};

/// What rules of services say of callers, as far as it was asked.
pub(super) struct Requests<'m> {
    mesh: &'m Mesh,
    services: Vec<Option<Answered<'m>>>,
}

struct Answered<'m> {
    rules: Rules<'m>,
    classes: Vec<(CallerClass, Found)>,
}

/// The numbers of the rules that let callers of a class in, and why that may not be all.
#[derive(Clone, Debug, Default)]
struct Found {
    rules: Vec<u32>,
    undecided: Option<String>,
}

/// The rules that let a caller in.
pub(super) struct Admitting {
    /// In the order in which they decide.
    pub(super) rules: Vec<Rule>,
    /// Why that may not be all.
    pub(super) undecided: Option<String>,
}

impl<'m> Requests<'m> {
    pub(super) fn new(mesh: &'m Mesh) -> Self {
        let mut services = Vec::new();
        services.resize_with(mesh.services.len(), || None);
        Self { mesh, services }
    }

    /// The rules that let in some request of a service.
    pub(super) fn admitting(&mut self, caller: ServiceId, callee: ServiceId) -> Admitting {
        let mesh = self.mesh;
        let answered =
            self.services[callee.index()].get_or_insert_with(|| Answered::new(mesh, callee));
        let caller = Caller::Service(caller);
        let mut classes = answered.classes.iter();
        let found = classes.find(|(class, _)| class.members.contains(&caller));
        let found = found.map_or_else(Found::default, |(_, found)| found.clone());
        let rule = |number: u32| answered.rules.all[number as usize].as_ref().clone();
        Admitting {
            rules: found.rules.into_iter().map(rule).collect(),
            undecided: found.undecided,
        }
    }
}

impl Admitting {
    /// For each of the rules whether it names nobody in particular.
    pub(super) fn are_of_all(&self) -> impl Iterator<Item = bool> {
        self.rules.iter().map(is_of_all)
    }
}

impl<'m> Answered<'m> {
    fn new(mesh: &'m Mesh, callee: ServiceId) -> Self {
        let rules = Rules::of_service(mesh, callee);
        let classes = callers(mesh, callee, &rules);
        let conditions: Vec<Condition> = classes
            .iter()
            .map(|class| class.condition.clone())
            .collect();
        let mut questions = Questions::new(mesh, &rules, world(mesh, callee), &conditions);
        let classes = classes.into_iter().enumerate().map(|(index, class)| {
            let mut found = Found::default();
            if matches!(class.seen, Seen::Known | Seen::Anonymous) {
                match &mut questions {
                    Ok(questions) => {
                        let own = [questions.condition(index)];
                        let about = rules.about(mesh, &class);
                        for (outcome, _) in questions.outcomes(&about, &own, &[]) {
                            match outcome {
                                Outcome::Rule(rule) if rules.all[rule as usize].allows => {
                                    found.rules.push(rule);
                                }
                                Outcome::NotDecided(_, reason) => {
                                    found.undecided = Some(reason.to_string());
                                }
                                Outcome::Rule(_) | Outcome::NoRule | Outcome::Without(_) => {}
                            }
                        }
                    }
                    // Whoever compiles it says what is wrong with it.
                    Err(_) => found.undecided = Some("its rules make no table".to_owned()),
                }
            }
            (class, found)
        });
        let classes = classes.collect();
        Self { rules, classes }
    }
}
