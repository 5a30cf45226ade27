//! What an arm does with a request, part by part, as text that can be compared between two meshes.

use crate::model::policy::Policy;
use crate::model::{Action, Mesh, Target};
use crate::spell::Place;

/// What an arm does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Where it sends requests, or how it answers.
    pub(super) action: String,
    /// The services and versions that it sends requests to, in alphabetical order.
    pub(super) targets: Vec<String>,
    /// What it makes of requests and responses.
    pub(super) headers: Vec<String>,
    /// How hard it tries.
    pub(super) reliability: Vec<String>,
}

impl Outcome {
    /// No arm takes the request.
    pub(super) fn nothing() -> Self {
        Self {
            action: "404".to_owned(),
            targets: Vec::new(),
            headers: Vec::new(),
            reliability: Vec::new(),
        }
    }

    /// An action, with the policy that is in force for it.
    pub(super) fn of(mesh: &Mesh, action: &Action, policy: &Policy, own: Option<&str>) -> Self {
        // Names from the top: those of two meshes are the same where they mean the same.
        let place = Place::top(mesh);
        let name = |target: &Target| match (target, &own) {
            (Target::Own(_), Some(own)) => (*own).to_owned(),
            (target, _) => place.target(*target),
        };
        let mut targets: Vec<String> = action.targets().iter().map(name).collect();
        let text = match action {
            Action::Forward(target) => name(target),
            action => place.action(action),
        };
        targets.sort();
        targets.dedup();
        let mut outcome = Self {
            action: text,
            targets,
            ..Self::nothing()
        };
        for line in place.policy(policy) {
            let text = line.flat();
            let word = text.split(' ').next().unwrap_or_default();
            let into = match word {
                // Compared by themselves: what is required by its requests, what is accepted as a statement.
                "require" | "accept" => continue,
                "rewrite" | "request-header" | "response-header" | "cors" | "sticky" => {
                    &mut outcome.headers
                }
                _ => &mut outcome.reliability,
            };
            into.push(text);
        }
        if outcome.targets.is_empty() {
            // What answers by itself tries nothing.
            outcome
                .reliability
                .retain(|text| text.starts_with("rate-limit"));
        }
        outcome
    }
}

/// `timeout 3s → 10s`, `+ retry 2 on 5xx`: what is otherwise between two lists of statements.
pub(super) fn difference(old: &[String], new: &[String]) -> Vec<String> {
    let mut gone: Vec<&String> = old.iter().filter(|it| !new.contains(it)).collect();
    let mut differences = Vec::new();
    for text in new.iter().filter(|it| !old.contains(it)) {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let before = gone
            .iter()
            .position(|it| it.split(' ').next() == Some(word));
        differences.push(match before {
            Some(before) => format!("{} → {rest}", gone.remove(before)),
            None => format!("+ {text}"),
        });
    }
    differences.extend(gone.into_iter().map(|text| format!("- {text}")));
    differences
}
