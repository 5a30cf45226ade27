//! Rules that decide nothing; those that a caller gets around are in [`evasion`](super::evasion).

use super::evasion::Questions;
use super::not_decided;
use crate::model::Mesh;
use crate::model::authz::Rule;
use crate::verify::lint::{Lint, What};
use crate::verify::reach::{Covered, Proof, Reach};
use crate::verify::rules::{Rules, of_mesh};
use crate::verify::{Budget, Reason, Request};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

/// What is found about the rules of a mesh.
pub(super) fn findings(mesh: &Mesh) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rules in of_mesh(mesh) {
        let questions = Questions::about(mesh, &rules);
        let report = |proof: &mut Proof<'_>, formulas: &[_]| {
            found.extend(of_block(&rules, proof));
            found.extend(questions.findings(&rules, proof, formulas));
        };
        // Rules that make no table are reported by whoever tries to compile them.
        let _ = rules.prove(questions.conditions(), &mut Budget::USUAL.clone(), report);
    }
    found
}

fn of_block(rules: &Rules<'_>, proof: &mut Proof<'_>) -> Vec<Diagnostic> {
    let reach = proof.arms();
    let rule = |index: u32| rules.all[index as usize];
    let same = |index: u32, other: Option<u32>| {
        // Without a deny a request might come to be allowed some day; without an allow it is refused.
        other.is_some_and(|other| rule(index).allows == rule(other).allows)
    };
    let mut found = Vec::new();
    let mut unanswered: Vec<(Span, Reason)> = Vec::new();
    for index in rules.own() {
        match &reach[index as usize] {
            Reach::Unreachable(covered) => found.push(never_decides(rules, index, covered)),
            Reach::Impossible => found.push(
                Diagnostic::new(Code::MatchEmpty, "no request fits this rule")
                    .primary(rule(index).span, "")
                    .help("remove the rule, or correct what it asks"),
            ),
            Reach::NotDecided(reason) => unanswered.push((rule(index).span, reason.clone())),
            Reach::Reached(_) => {}
        }
    }
    found.extend(not_decided("whether this rule ever decides", &unanswered));
    let own: Vec<u32> = rules.own().collect();
    let mut unanswered: Vec<(Span, Reason)> = Vec::new();
    for lint in proof.redundant(&reach, &same) {
        match lint {
            Lint::Redundant {
                arm,
                instead: Some((other, request)),
            } if own.contains(&arm) => {
                found.push(changes_nothing(rule(arm), &[rule(other)], &request));
            }
            Lint::NotDecided {
                what: What::Redundant(arm),
                reason,
            } if own.contains(&arm) => unanswered.push((rule(arm).span, reason)),
            _ => {}
        }
    }
    found.extend(not_decided("whether this rule has an effect", &unanswered));
    found
}

/// A rule that others leave nothing to.
fn never_decides(rules: &Rules<'_>, index: u32, covered: &Covered) -> Diagnostic {
    let rule = |index: u32| rules.all[index as usize];
    let own = rule(index);
    let by: Vec<&Rule> = covered.by.iter().map(|cover| rule(cover.arm)).collect();
    let denied = own.allows && !by.iter().any(|rule| rule.allows);
    let Some(first) = covered.by.first().filter(|_| !denied || covered.more) else {
        let mut diagnostic =
            Diagnostic::new(Code::AuthzUnreachable, "this rule never allows anything")
                .primary(own.span, "… this would allow");
        for (place, rule) in by.iter().enumerate() {
            let text = match place {
                _ if by.len() == 1 => "denies every request that …",
                0 => "denies some of the requests that …",
                _ if place + 1 == by.len() => "and this the rest, that …",
                _ => "and this some more, that …",
            };
            diagnostic = diagnostic.secondary(rule.span, text);
        }
        let examples = covered
            .by
            .iter()
            .map(|cover| format!("{}  → 403", cover.example));
        let examples: Vec<String> = examples.collect();
        return diagnostic
            .note(format!("for example: {}", examples.join("\n")))
            .note("a deny that matches wins, wherever it stands")
            .help("narrow down what is denied, with `unless` for one, or remove this rule");
    };
    changes_nothing(own, &by, &first.example)
}

/// A rule without which every request would be decided as it is.
fn changes_nothing(own: &Rule, by: &[&Rule], example: &Request) -> Diagnostic {
    let verb = if own.allows { "allows" } else { "denies" };
    let message = "without this rule nothing would change";
    let mut diagnostic = Diagnostic::new(Code::MatchRedundant, message)
        .primary(own.span, format!("what this {verb} …"));
    for (place, rule) in by.iter().enumerate() {
        let verb = if rule.allows { "allows" } else { "denies" };
        let text = match place {
            0 => format!("… this {verb} as well"),
            _ => format!("… or this {verb}"),
        };
        diagnostic = diagnostic.secondary(rule.span, text);
    }
    diagnostic
        .note(format!("for example: {example}"))
        .help("remove it, or narrow down the others")
}
