//! The parts of arms, rules, claims and steps.

use super::{Checker, message};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Fix};
use crate::value::{HostPattern, Name, PathPattern, Percent, Target, ValueError};
use crate::view::{
    Action, Arm, Claim, EveryRoute, Part, Reaches, Redirect, Requirement, Rule, Split, Step, Text,
    Value, Who,
};
use crate::vocabulary::kind::is_reference;
use crate::vocabulary::{ACTIONS, Kind, PROPERTIES, Place, Shape, Subject};

impl Checker {
    pub(super) fn arm_parts(&mut self, arm: Arm<'_>) {
        if let Some(name) = arm.name() {
            self.value(name, Name::check(name.text));
        }
        self.paths(arm.paths());
        if let Some(condition) = arm.condition() {
            self.condition(condition, Subject::Request);
        }
        if let Some(action) = arm.action() {
            self.action(action);
        }
    }

    pub(super) fn rule(&mut self, rule: Rule<'_>, places: &[Place]) {
        if !places.iter().any(|place| Place::RULES.contains(place)) {
            let span = rule.verb().map_or(rule.span(), |verb| verb.span);
            self.report(message::misplaced("a rule", span, Place::RULES, places));
        } else if rule.allows() && !places.contains(&Place::Authz) {
            let span = rule.verb().map_or(rule.span(), |verb| verb.span);
            let text = "the `authz` of a namespace has only `deny` rules";
            self.report(
                Diagnostic::new(Code::MisplacedStatement, text)
                    .primary(span, "")
                    .help("who may call a service stands in the `authz` of the service"),
            );
        }
        if rule.is_broken() {
            return;
        }
        if let Some(name) = rule.name() {
            self.value(name, Name::check(name.text));
        }
        for who in rule.who() {
            self.who(who);
            if let Who::Internet(span) = who {
                let text = "`internet` is a word of claims and tests, not of rules";
                self.report(
                    Diagnostic::new(Code::BadArguments, text)
                        .primary(span, "")
                        .fix(Fix::guess("write `anyone`", span, "anyone")),
                );
            }
        }
        self.paths(rule.paths());
        if let Some(clause) = rule.clause() {
            self.clause(clause, Subject::Request);
        }
    }

    pub(super) fn claim(&mut self, claim: Claim<'_>) {
        if super::view::Statement::Claim(claim).is_broken() {
            return;
        }
        match claim {
            Claim::Reaches(claim) => self.reaches(claim),
            Claim::EveryRoute(claim) => self.every_route(claim),
        }
    }

    fn reaches(&mut self, claim: Reaches<'_>) {
        for who in claim.who() {
            self.who(who);
        }
        if let Some(target) = claim.target() {
            self.value(target, Target::parse(target.text));
        }
        self.paths(claim.paths());
        if let Some(host) = claim.host() {
            self.value(host, HostPattern::parse(host.text));
        }
        if let Some(clause) = claim.condition() {
            self.clause(clause, Subject::Request);
        }
    }

    fn every_route(&mut self, claim: EveryRoute<'_>) {
        if let Some(gateway) = claim.gateway() {
            self.value(gateway, Name::check_reference(gateway.text));
        }
        if let Some(who) = claim.to() {
            self.who(who);
        }
        match claim.requirement() {
            Some(Requirement::Requires(_, name)) => {
                self.value(name, Name::check_reference(name.text));
            }
            Some(Requirement::Has(test)) => {
                let Some(field) = test.field() else { return };
                let property = PROPERTIES
                    .iter()
                    .find(|property| property.name == field.text && test.index().is_none());
                match (property, test.comparison(), test.value()) {
                    (Some(property), Some(compare), Some(value)) if compare.is_sign() => {
                        self.one_of_kinds(value, &[property.operand], Code::BadComparison);
                    }
                    (Some(_), _, _) => {
                        let text =
                            format!("`{}` is compared by `<=`, `==` and the like", field.text);
                        self.report(
                            Diagnostic::new(Code::BadComparison, text)
                                .primary(test.span(), "")
                                .help("write, for example, `has timeout <= 30s`"),
                        );
                    }
                    (None, _, _) => {
                        let names: Vec<_> = PROPERTIES
                            .iter()
                            .map(|property| format!("`{}`", property.name))
                            .collect();
                        let text = format!("routes have no `{}` to compare", field.text);
                        self.report(
                            Diagnostic::new(Code::UnknownField, text)
                                .primary(field.span, "")
                                .help(format!("they have {}", names.join(", "))),
                        );
                    }
                }
            }
            None => {}
        }
    }

    pub(super) fn step(&mut self, step: Step<'_>) {
        let broken = super::view::Statement::Step(step).is_broken();
        match step {
            Step::Request(request) => {
                if !broken && let Some(url) = request.url() {
                    self.one_of_kinds(url, &[Kind::Url], Code::BadArguments);
                }
                if let Some(who) = request.from() {
                    self.who(who);
                    if !matches!(who, Who::Target(_) | Who::Internet(_)) {
                        let text = "a request comes from one service, one gateway or `internet`";
                        let diagnostic = Diagnostic::new(Code::BadArguments, text);
                        self.report(diagnostic.primary(who.span(), ""));
                    }
                }
                if let Some(block) = request.block() {
                    self.block(block, request.span(), &[Place::Request], &[]);
                }
            }
            Step::Expect(_) if broken => {}
            Step::Expect(expect) => {
                if let Some(status) = expect.status() {
                    self.one_of_kinds(Value::Word(status), &[Kind::Status], Code::BadArguments);
                }
                if let Some(action) = expect.action() {
                    self.action(action);
                }
            }
        }
    }

    fn action(&mut self, action: Action<'_>) {
        match action {
            Action::Forward(target) => self.value(target, Target::parse(target.text)),
            Action::Split(split) => self.split(split),
            Action::Redirect(redirect) => {
                self.redirect(redirect);
            }
            Action::Respond(respond) => {
                let (shapes, signature) = shapes_of("respond");
                let values = respond.values();
                self.action_arguments("respond", respond.span(), values, shapes, signature);
            }
        }
    }

    fn redirect(&mut self, redirect: Redirect<'_>) {
        let (shapes, signature) = shapes_of("redirect");
        let values = redirect.values();
        self.action_arguments("redirect", redirect.span(), values, shapes, signature);
    }

    fn split(&mut self, split: Split<'_>) {
        let mut rest: Option<Part<'_>> = None;
        for part in split.parts() {
            if let Some(target) = part.target() {
                self.value(target, Target::parse(target.text));
            }
            let Some(share) = part.share() else {
                self.report(
                    Diagnostic::new(Code::PercentMissing, "this part of the split has no share")
                        .primary(part.span(), "")
                        .help("write its percentage before it, or `rest`"),
                );
                continue;
            };
            if part.is_rest() {
                if let Some(first) = rest.replace(part) {
                    self.report(
                        Diagnostic::new(
                            Code::BadArguments,
                            "one part of a split may be the `rest`",
                        )
                        .primary(part.span(), "")
                        .secondary(first.span(), "this one is"),
                    );
                }
            } else if !is_reference(share) {
                self.value(share, Percent::parse(share.text));
            }
        }
    }

    fn who(&mut self, who: Who<'_>) {
        match who {
            Who::Anyone(_) | Who::Internet(_) | Who::AnyService(_) => {}
            Who::Namespace(name) => self.value(name, Name::check_reference(name.text)),
            Who::Target(target) => self.value(target, check_caller(target)),
        }
    }

    fn paths<'t>(&mut self, paths: impl Iterator<Item = Value<'t>>) {
        for path in paths {
            let Some(text) = path.path() else { continue };
            if let Err(error) = PathPattern::parse(&text) {
                // A pattern in quotes stays in them.
                let error = match (path, error.suggestion) {
                    (Value::Str(_), Some(suggestion)) => ValueError {
                        suggestion: Some(crate::value::Suggestion {
                            text: format!("\"{}\"", suggestion.text),
                            ..suggestion
                        }),
                        ..error
                    },
                    (_, suggestion) => ValueError {
                        suggestion,
                        ..error
                    },
                };
                self.report(message::bad_value(path.span(), &error));
            }
        }
    }
}

/// A service or a gateway: callers prove who they are, not which version.
fn check_caller(target: Text<'_>) -> Result<(), ValueError> {
    let parsed = Target::parse(target.text)?;
    match parsed.version {
        Some(_) => Err(ValueError::new(format!(
            "`{}` names a version; an identity is that of its service",
            target.text
        ))
        .perhaps(
            Target {
                version: None,
                ..parsed
            }
            .to_string(),
        )),
        None => Ok(()),
    }
}

fn shapes_of(word: &str) -> (&'static [Shape], &'static str) {
    ACTIONS
        .iter()
        .find(|action| action.word == word)
        .map_or((&[], ""), |action| (action.args, action.signature))
}
