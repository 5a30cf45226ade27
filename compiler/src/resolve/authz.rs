//! `authz`: who may call.

use super::Resolver;
use super::names::Entity;
use super::problems;
use crate::model::authz::{Authz, ExternalAuthz, Rule, Who};
use crate::model::condition::Condition;
use crate::model::policy::OnFailure;
use crate::model::said::Said;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::view::{self, Block, Clause, ClauseKind, Setting, Statement, Text};

impl<'t> Resolver<'t> {
    /// All that the `authz` statements of a block say.
    pub(super) fn authz(&mut self, block: Option<Block<'t>>) -> Option<Authz> {
        let mut authz: Option<Authz> = None;
        for setting in Self::settings(block).filter(|it| it.keyword().text == "authz") {
            let authz = authz.get_or_insert_with(|| Authz {
                rules: None,
                shadow: None,
                external: None,
                span: setting.head_span(),
            });
            let mut args = self.args(setting);
            if args.word("shadow") {
                authz.shadow = Some(self.rules(setting.block()));
            } else if args.word("external") {
                authz.external = args
                    .value()
                    .and_then(|url| self.url(url))
                    .map(|url| self.external_authz(setting, url));
            } else {
                authz.rules = Some(self.rules(setting.block()));
            }
        }
        authz
    }

    fn external_authz(&mut self, setting: Setting<'t>, url: String) -> Said<ExternalAuthz> {
        let mut external = ExternalAuthz {
            url,
            timeout: Said::edition(ExternalAuthz::TIMEOUT),
            on_failure: OnFailure::Closed,
        };
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "timeout" => {
                    let timeout = self.one(inner, Self::milliseconds);
                    external.timeout = timeout.unwrap_or(external.timeout);
                }
                "on-failure" => external.on_failure = self.on_failure(inner),
                _ => {}
            }
        }
        self.said(setting, external)
    }

    /// The rules of a block. A rule that does not resolve is left out; it has been reported.
    pub(super) fn rules(&mut self, block: Option<Block<'t>>) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut names: Vec<Text<'t>> = Vec::new();
        for statement in block.into_iter().flat_map(Block::statements) {
            let Statement::Rule(rule) = statement else {
                continue;
            };
            if let Some(name) = rule.name() {
                match names.iter().find(|known| known.text == name.text) {
                    Some(first) => {
                        let diagnostic =
                            problems::duplicate(name, first.span, "the rules of an `authz`");
                        self.report(diagnostic);
                    }
                    None => names.push(name),
                }
            }
            rules.extend(self.rule(rule));
        }
        rules
    }

    fn rule(&mut self, rule: view::Rule<'t>) -> Option<Rule> {
        let text = self.input.sources.text(rule.span());
        let text = match rule.name() {
            Some(name) => name.text.to_owned(),
            None => text.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let who: Vec<Option<Who>> = rule.who().map(|who| self.who(who)).collect();
        let paths: Vec<_> = rule.paths().map(|path| self.path_pattern(path)).collect();
        let condition = rule.clause().map(|clause| self.clause(clause));
        Some(Rule {
            name: text,
            span: rule.span(),
            allows: rule.allows(),
            who: who.into_iter().collect::<Option<_>>()?,
            methods: rule
                .methods()
                .map(|method| method.text.to_owned())
                .collect(),
            paths: paths.into_iter().collect::<Option<_>>()?,
            condition: match condition {
                Some(condition) => Some(condition?),
                None => None,
            },
        })
    }

    fn who(&mut self, who: view::Who<'t>) -> Option<Who> {
        match who {
            view::Who::Anyone(_) => Some(Who::Anyone),
            view::Who::AnyService(_) => Some(Who::AnyService),
            view::Who::Namespace(name) => self.find_namespace(name).map(Who::Namespace),
            view::Who::Target(name) => match self.find_caller(name)? {
                Entity::Service(service) => Some(Who::Service(service)),
                Entity::Gateway(gateway) => Some(Who::Gateway(gateway)),
            },
            view::Who::Internet(span) => {
                self.report(
                    Diagnostic::new(
                        Code::BadTarget,
                        "`internet` is whoever comes through a gateway; here callers are named",
                    )
                    .primary(span, "")
                    .help("name the gateway, or say `anyone`"),
                );
                None
            }
        }
    }

    /// What a `when` or an `unless` asks.
    pub(super) fn clause(&mut self, clause: Clause<'t>) -> Option<Condition> {
        let condition = self.condition(clause.condition()?)?;
        Some(match clause.kind() {
            ClauseKind::Unless => Condition::Not(Box::new(condition)),
            ClauseKind::When | ClauseKind::Where => condition,
        })
    }
}
