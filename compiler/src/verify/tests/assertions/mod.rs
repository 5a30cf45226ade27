//! What is said of assertions: form by form, against trying everything, and when a policy is changed.

mod forms;
mod mutations;
mod random;
mod scale;

use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use crate::verify::assert::findings;
use mesh_bundle::format::Bundle;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use std::path::Path;

/// A mesh, its bundle, and what is said of its claims.
struct Claims {
    checked: Checked,
    bundle: Bundle,
    found: Vec<Diagnostic>,
}

impl Claims {
    fn of(text: &str) -> Self {
        Self::of_project(Project::of_texts([("t.mesh", text)]))
    }

    fn of_project(project: Project) -> Self {
        let mut checked = check(project, &Selection::default());
        let errors = checked.diagnostics.iter().filter(|it| !it.code.is_lint());
        assert_eq!(errors.map(|it| &it.message).collect::<Vec<_>>(), [""; 0]);
        let planned = checked.lay_out().expect("a bundle");
        let bundle = Bundle::open(planned.bytes).expect("it opens");
        let mesh = checked.mesh.as_ref().expect("a mesh");
        let found = findings(mesh, &checked.sources, &bundle);
        Self {
            checked,
            bundle,
            found,
        }
    }

    /// What is said of each claim, in the order of the source.
    fn outcomes(&self) -> Vec<&'static str> {
        let mesh = self.checked.mesh.as_ref().expect("a mesh");
        let claims = mesh.assertions.iter().flat_map(|it| &it.claims);
        let word = |code| match code {
            Code::AssertFailed => "fails",
            Code::AssertNotProved => "not proved",
            Code::AssertVacuous => "vacuous",
            other => panic!("{other}"),
        };
        claims
            .map(|claim| {
                let found = self.found.iter().find(|it| it.span() == Some(claim.span));
                found.map_or("holds", |it| word(it.code))
            })
            .collect()
    }

    /// All that is said, a note a line.
    fn notes(&self) -> String {
        let notes = self.found.iter().flat_map(|it| &it.notes);
        notes.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// What is said of each of some claims about a mesh: `claim: outcome`.
fn outcomes(mesh: &str, claims: &[&str]) -> Vec<String> {
    let text = format!("{mesh}\nassert \"a\" {{\n{}\n}}\n", claims.join("\n"));
    let all = Claims::of(&text);
    let outcomes = all.outcomes().into_iter();
    let each = claims.iter().zip(outcomes);
    each.map(|(claim, outcome)| format!("{claim}: {outcome}"))
        .collect()
}

/// Asserts that claims come out as they say: `holds: never …`.
fn assert_outcomes(mesh: &str, expected: &[(&str, &str)]) {
    let claims: Vec<&str> = expected.iter().map(|(_, claim)| *claim).collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|(outcome, claim)| format!("{claim}: {outcome}"))
        .collect();
    assert_eq!(outcomes(mesh, &claims), expected);
}

#[test]
fn what_the_examples_claim_is_proved() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut proved = 0;
    for entry in std::fs::read_dir(examples).expect("examples") {
        let path = entry.expect("it can be read").path();
        if !path.is_dir() {
            continue;
        }
        let Ok(project) = Project::load(&path) else {
            continue; // the applications behind them
        };
        let claims = Claims::of_project(project);
        let outcomes = claims.outcomes();
        let holds = outcomes.iter().all(|it| *it == "holds");
        assert!(holds, "{}: {}", path.display(), claims.notes());
        proved += outcomes.len();
    }
    assert!(proved > 40, "{proved} claims");
}
