//! Arms that no request reaches, and arms that no request fits.

use super::Writer;
use super::moves::move_above;
use crate::model::condition::{Condition, Field};
use crate::plan::formula::FormulaId;
use crate::verify::reach::{Covered, Proof};
use crate::verify::tables::Place;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Fix};
use mesh_lang::source::Span;

/// Arms that are pointed at.
const SHOWN: usize = 4;

impl Writer<'_> {
    /// An arm that comes too late.
    pub(super) fn unreachable(
        &self,
        proof: &mut Proof<'_>,
        arm: u32,
        covered: &Covered,
    ) -> Diagnostic {
        let own = self.arm(arm);
        let mut diagnostic = Diagnostic::new(Code::RouteShadowed, "this arm can never be taken")
            .primary(own.span, "… would reach this arm");
        let shown = covered.by.iter().take(SHOWN);
        let alone = covered.by.len() == 1;
        for (index, cover) in shown.clone().enumerate() {
            let text = match index {
                _ if alone => "takes every request that …",
                0 => "takes some of the requests that …",
                _ if index + 1 == covered.by.len() && !covered.more => "and this the rest, that …",
                _ => "and this some more, that …",
            };
            diagnostic = diagnostic.secondary(self.arm(cover.arm).span, text);
        }
        let examples = shown.map(|cover| self.example(&cover.example, cover.arm, arm));
        let examples: Vec<String> = examples.collect();
        diagnostic = diagnostic.note(format!("for example: {}", examples.join("\n")));
        let hidden = covered.by.len().saturating_sub(SHOWN);
        if covered.more || hidden > 0 {
            diagnostic = diagnostic.note(if covered.more {
                "more arms take its requests".to_owned()
            } else {
                format!("{hidden} more take its requests")
            });
        }
        self.mend(proof, arm, covered, diagnostic)
    }

    /// What to do about an arm that comes too late.
    fn mend(
        &self,
        proof: &mut Proof<'_>,
        arm: u32,
        covered: &Covered,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        let first = covered.by.first().map(|cover| self.arm(cover.arm).span);
        let Some(first) = first.filter(|_| proof.mends(arm, covered)) else {
            return diagnostic.help("remove it, or narrow down what stands above it");
        };
        let help = format!("put it above line {}", self.line(first));
        match move_above(self.sources, self.trees, self.arm(arm).span, first) {
            Some(edits) => diagnostic.help(help.clone()).fix(Fix {
                title: help,
                edits,
                // Requests that go elsewhere today would go here.
                applicability: Applicability::Unsafe,
            }),
            None => diagnostic.help(help),
        }
    }

    /// An arm whose own match holds of no request.
    pub(super) fn impossible(&self, proof: &mut Proof<'_>, arm: u32) -> Diagnostic {
        let own = self.arm(arm);
        let diagnostic = Diagnostic::new(Code::MatchEmpty, "no request fits this arm");
        let conditions = own.condition.iter().flat_map(conjuncts);
        let conditions: Vec<&Condition> = conditions.collect();
        let methods = proof.space.methods(&own.methods);
        let mut parts: Vec<FormulaId> = vec![proof.space.arm_paths(proof.table, arm), methods];
        parts.extend(
            conditions
                .iter()
                .map(|condition| proof.space.lower(condition)),
        );
        let clash = proof.clash(&parts).unwrap_or_default();
        let tests: Vec<&Condition> = clash
            .iter()
            .filter_map(|part| part.checked_sub(2))
            .map(|index| conditions[index])
            .collect();
        let spans: Vec<Span> = tests.iter().filter_map(|test| span(test)).collect();
        let diagnostic = match *spans {
            [] => diagnostic.primary(own.span, ""),
            [one] if clash.len() == 1 => diagnostic.primary(one, "this holds of no request"),
            [one] => {
                let text = match clash[..] {
                    [0, 1, _] => "this holds with none of its methods on any of its paths",
                    [1, _] => "this holds with none of its methods",
                    _ => "this holds on none of its paths",
                };
                diagnostic.primary(one, text)
            }
            [first, ref others @ ..] => {
                let last = others.len() - 1;
                let labelled = others.iter().enumerate().map(|(index, span)| {
                    let text = if index == last {
                        "and this exclude each other"
                    } else {
                        "this"
                    };
                    (*span, text)
                });
                labelled.fold(
                    diagnostic.primary(first, "this"),
                    |diagnostic, (span, text)| diagnostic.secondary(span, text),
                )
            }
        };
        let note = if clash == [0] {
            // Nothing else keeps a pattern from being a path's that was read as one.
            Some("paths with `%2F` or `%5C` are refused where the mesh does not say `encoded-slash keep`".to_owned())
        } else {
            self.outside(&tests)
        };
        let diagnostic = match note {
            Some(note) => diagnostic.note(note),
            None => diagnostic,
        };
        diagnostic.help("remove the arm, or correct what it asks")
    }

    /// What keeps requests from coming here that some tests ask for.
    fn outside(&self, tests: &[&Condition]) -> Option<String> {
        let Place::Host(gateway, block) = self.subject.place else {
            return None;
        };
        let asks = |wanted: fn(&Field) -> bool| {
            let mut fields = tests.iter().flat_map(|test| test.tests());
            fields.any(|test| wanted(&test.field))
        };
        if asks(|field| *field == Field::Host) {
            let hosts: Vec<String> = block.patterns.iter().map(ToString::to_string).collect();
            return Some(format!("this block serves {}", hosts.join(", ")));
        }
        if asks(|field| matches!(field, Field::Scheme | Field::Port)) {
            let doors = self.subject.world.doors.iter();
            let doors = doors.map(|door| format!("{} {}", door.scheme(), door.port));
            let doors: Vec<String> = doors.collect();
            return Some(format!("`{}` serves {}", gateway.name, doors.join(", ")));
        }
        None
    }
}

/// The conditions of which all must hold.
fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Where a condition is written.
fn span(condition: &Condition) -> Option<Span> {
    let tests = condition.tests();
    let (first, last) = (tests.first()?.span, tests.last()?.span);
    let in_order = first.file == last.file && first.start <= last.start;
    Some(if in_order { first.to(last) } else { first })
}
