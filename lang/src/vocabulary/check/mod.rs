//! The check of a file against the vocabulary.
//!
//! A walk over the tree that carries the places a block is. What did not parse is left alone: the
//! parser has said what is wrong with it.

mod argument;
mod condition;
mod item;
mod message;
mod part;

use std::collections::HashMap;
use std::ops::Range;

use self::argument::Chosen;
use super::locate::{forms_in, inside_arm, redirects_by_block};
use super::{Body, Place, Statement, forms};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix};
use crate::source::Span;
use crate::tree::Tree;
use crate::view::{self, Arm, Block, Setting};

/// Checks every statement of a parsed file: its word, its place, its arguments, its block.
pub fn check(tree: &Tree) -> Vec<Diagnostic> {
    let mut checker = Checker {
        diagnostics: Vec::new(),
    };
    checker.statements(tree.statements(), &[Place::File]);
    checker.diagnostics
}

/// Checks the statements at the top of a file that start in a part of it, and all that is in them. What is
/// wrong with one has nothing to do with the others.
pub fn check_part(tree: &Tree, part: &Range<u32>) -> Vec<Diagnostic> {
    let mut checker = Checker {
        diagnostics: Vec::new(),
    };
    let starts_in_part = |it: &view::Statement<'_>| part.contains(&it.span().start);
    checker.statements(tree.statements().filter(starts_in_part), &[Place::File]);
    checker.diagnostics
}

struct Checker {
    diagnostics: Vec<Diagnostic>,
}

/// What a block has so far: what may stand once in it, and where it stood.
type Seen = HashMap<&'static str, Span>;

impl Checker {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Checks statements of a block that is all of `places`.
    fn statements<'t>(
        &mut self,
        statements: impl Iterator<Item = view::Statement<'t>>,
        places: &[Place],
    ) {
        let mut seen = Seen::new();
        for statement in statements {
            match statement {
                view::Statement::Item(item) => self.item(item, places),
                view::Statement::Arm(arm) => self.arm(arm, places),
                view::Statement::Rule(rule) => self.rule(rule, places),
                view::Statement::Setting(setting) => self.setting(setting, places, &mut seen),
                view::Statement::Claim(claim) => self.claim(claim),
                view::Statement::Step(step) => self.step(step),
                view::Statement::Set(set) => self.set(set),
                view::Statement::Error(_) => {}
            }
        }
    }

    /// Checks a block of `place` and what it needs.
    fn block(
        &mut self,
        block: Block<'_>,
        head: Span,
        places: &[Place],
        needs: &[(&'static str, Code)],
    ) {
        self.statements(block.statements(), places);
        for &(word, code) in needs {
            // A statement that did not parse may be the one.
            let may_have = block.setting(word).is_some()
                || block
                    .statements()
                    .any(|statement| matches!(statement, view::Statement::Error(_)));
            if !may_have {
                self.report(message::missing_statement(head, word, code, places));
            }
        }
    }

    fn setting(&mut self, setting: Setting<'_>, places: &[Place], seen: &mut Seen) {
        let word = setting.keyword();
        let here: Vec<_> = forms_in(setting, places).collect();
        if here.is_empty() {
            let anywhere = forms(word.text);
            // A word that nobody knows may be what did not parse.
            if !(setting.is_broken() && anywhere.is_empty()) {
                self.report(message::unplaced(setting, anywhere, places));
            }
            return;
        }
        let Chosen { form, fits } = self.arguments(setting, &here);
        if fits {
            self.check_repeated(setting, form, seen);
        }
        match (form.body, setting.block()) {
            (Body::Optional(place) | Body::Required(place), Some(block)) => {
                self.block(block, setting.head_span(), &[place], form.needs);
            }
            (Body::None, Some(block)) if fits => {
                self.report(message::unexpected_block(word, block.span(), form));
            }
            (Body::Required(_), None) if fits => {
                self.report(message::missing_block(setting, form));
            }
            _ => {}
        }
    }

    fn check_repeated(&mut self, setting: Setting<'_>, form: &'static Statement, seen: &mut Seen) {
        let Some(key) = form.once else { return };
        let span = setting.head_span();
        match seen.get(key) {
            Some(&first) => self.report(message::repeated(key, first, span)),
            None => {
                seen.insert(key, span);
            }
        }
    }

    fn arm(&mut self, arm: Arm<'_>, places: &[Place]) {
        if !places.iter().any(|place| Place::ARMS.contains(place)) {
            let span = arm.head_span();
            self.report(message::misplaced("an arm", span, Place::ARMS, places));
        }
        if !arm.is_broken() {
            self.arm_parts(arm);
            if redirects_by_block(arm) && !has_parts_of_redirect(arm) {
                self.report(message::redirect_to_nowhere(arm));
            }
        }
        if let Some(block) = arm.block() {
            self.block(block, arm.head_span(), inside_arm(arm, places), &[]);
        }
    }
}

/// Whether the block of an arm says what changes in a redirect.
fn has_parts_of_redirect(arm: Arm<'_>) -> bool {
    let mut settings = arm.block().into_iter().flat_map(Block::statements);
    settings.any(|statement| match statement {
        view::Statement::Setting(setting) => {
            let mut forms = forms_in(setting, &[Place::Redirect]);
            forms.next().is_some()
        }
        // It may be one that did not parse.
        view::Statement::Error(_) => true,
        _ => false,
    })
}

/// A fix by what an error of a value suggests.
fn suggested_fix(error: &crate::value::ValueError, span: Span) -> Option<Fix> {
    let suggestion = error.suggestion.as_ref()?;
    let title = format!("write `{}`", suggestion.text);
    Some(if suggestion.certain {
        Fix::safe(title, span, &suggestion.text)
    } else {
        Fix::guess(title, span, &suggestion.text)
    })
}
