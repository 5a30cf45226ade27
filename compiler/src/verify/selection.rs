//! Choices of the inventory that no entry fits, whatever the inventory holds.
//!
//! An entry is fields with text, any of which may be absent: so are the parameters of a query. A choice is asked of
//! those in place of the entry's fields, and decided as any question about requests.

use super::space::{Question, Space};
use super::{Budget, Verdict, World};
use crate::model::condition::{Condition, Field, Test};
use crate::model::upstream::{Endpoints, Source};
use crate::model::{Mesh, Service};
use crate::plan::formula::FormulaId;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &mesh.services {
        for (who, endpoints) in owners(service) {
            if let Endpoints::From(said) = endpoints
                && let Source::Inventory(Some(condition)) = &said.value
            {
                let span = said.span().unwrap_or(service.span);
                found.extend(finding(&who, span, condition));
            }
        }
    }
    found
}

/// The endpoints of a service and of its versions, with what they are called.
fn owners(service: &Service) -> impl Iterator<Item = (String, &Endpoints)> {
    let name = service.qualified_name();
    let versions = service.versions.iter();
    let versions = versions.map({
        let name = name.clone();
        move |version| (format!("{name}.{}", version.name), &version.endpoints)
    });
    std::iter::once((name, &service.endpoints)).chain(versions)
}

/// What is found about a choice.
fn finding(who: &str, span: Span, condition: &Condition) -> Option<Diagnostic> {
    let parts = match condition {
        Condition::And(parts) => parts.iter().map(of_query).collect(),
        other => vec![of_query(other)],
    };
    match clash(&parts) {
        Ok(None) => None,
        Ok(Some(clash)) => {
            let message = format!("no entry of the inventory fits: `{who}` has no endpoints");
            let mut diagnostic = Diagnostic::new(Code::SubsetSelectsNothing, message);
            let tests = clash.iter().flat_map(|&part| parts[part].tests());
            let mut spans: Vec<Span> = tests.map(|test| test.span).collect();
            spans.dedup();
            let several = spans.len() > 1;
            for (index, span) in spans.into_iter().enumerate() {
                diagnostic = match (index, several) {
                    (0, false) => diagnostic.primary(span, "this holds of none"),
                    (0, true) => diagnostic.primary(span, "where this holds …"),
                    _ => diagnostic.secondary(span, "… this does not"),
                };
            }
            Some(
                diagnostic
                    .note("whatever the inventory holds, 0 of its entries are chosen")
                    .help("ask for one value: `version == \"v1\"`, or for one of several: `version in [\"v1\", \"v2\"]`"),
            )
        }
        Err(reason) => {
            let message =
                format!("whether an entry of the inventory fits `{who}` was not found out");
            let diagnostic = Diagnostic::new(Code::NotDecided, message).primary(span, "");
            Some(diagnostic.note(format!("it cannot be decided, because {reason}")))
        }
    }
}

/// The smallest set of conditions that nothing fulfils together, by their places; none if something may.
fn clash(parts: &[Condition]) -> Result<Option<Vec<usize>>, String> {
    let conditions: Vec<&Condition> = parts.iter().collect();
    let space = Space::new(World::default(), &[], &conditions);
    let mut space = space.map_err(|_| "it makes an automaton that is too large".to_owned())?;
    let formulas: Vec<FormulaId> = (0..parts.len()).map(|part| space.condition(part)).collect();
    let mut budget = Budget::USUAL.clone();
    let mut verdict = |left: &[usize]| {
        let holds: Vec<FormulaId> = left.iter().map(|&part| formulas[part]).collect();
        let question = Question {
            holds: &holds,
            ..Question::default()
        };
        space.ask(question, &mut budget)
    };
    let mut left: Vec<usize> = (0..parts.len()).collect();
    match verdict(&left) {
        Verdict::Yes(_) => return Ok(None),
        Verdict::NotDecided(reason) => return Err(reason.to_string()),
        Verdict::No => {}
    }
    let mut index = 0;
    while index < left.len() {
        let mut without = left.clone();
        without.remove(index);
        if verdict(&without) == Verdict::No {
            left = without;
        } else {
            index += 1;
        }
    }
    Ok(Some(left))
}

/// The same of the parameters of a query.
fn of_query(condition: &Condition) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(of_query).collect();
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(of_query(part))),
        Condition::Test(test) => Condition::Test(Test {
            field: match &test.field {
                Field::Inventory(name) => Field::Query(name.clone()),
                other => other.clone(),
            },
            ..test.clone()
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::compile::{Selection, check};
    use crate::project::Project;

    /// The tests that contradict each other in a choice.
    fn clashing(choice: &str) -> Option<String> {
        let text = format!("mesh t {{ }}\nservice a {{ endpoints from inventory where {choice} }}");
        let checked = check(
            Project::of_texts([("t.mesh", text.as_str())]),
            &Selection::default(),
        );
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let found = findings(checked.mesh.as_ref().unwrap());
        let finding = found.first()?;
        assert_eq!(finding.code, Code::SubsetSelectsNothing);
        let tests = finding
            .labels
            .iter()
            .map(|label| checked.sources.text(label.span));
        Some(tests.collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn what_contradicts_itself_selects_nothing() {
        let two = r#"service == "a" and version == "v1" and version == "v2""#;
        assert_eq!(
            clashing(two).as_deref(),
            Some(r#"version == "v1" | version == "v2""#)
        );
        let gone = r#"zone absent and zone == "a""#;
        assert_eq!(
            clashing(gone).as_deref(),
            Some(r#"zone absent | zone == "a""#)
        );
        assert!(clashing(r#"version in ["v1", "v2"] and not version starts-with "v""#).is_some());
        assert!(clashing("weight > 5 and weight < 3").is_some());
        assert!(clashing(r#"version matches r"v[0-9]+" and version == "next""#).is_some());
    }

    #[test]
    fn what_an_entry_may_fit_is_silent() {
        for choice in [
            r#"version == "v1" or version == "v2""#,
            r#"version in ["v1", "v2"] and version != "v1""#,
            r#"version != "v1" and version != "v2""#,
            r#"zone absent and version == "v1""#,
            r#"zone == " a" and zone ends-with "a""#,
            "weight > 3 and weight < 5",
        ] {
            assert_eq!(clashing(choice), None, "{choice}");
        }
    }
}
