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

/// A mesh, its bundle, and what is said of its claims.
struct Claims {
    checked: Checked,
    bundle: Bundle,
    found: Vec<Diagnostic>,
}

impl Claims {
    fn of(text: &str) -> Self {
        let project = Project::of_texts([("t.mesh", text)]);
        let mut checked = check(project, &Selection::default());
        let errors = checked.diagnostics.iter().filter(|it| !it.code.is_lint());
        assert_eq!(
            errors.map(|it| &it.message).collect::<Vec<_>>(),
            [""; 0],
            "{text}"
        );
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
