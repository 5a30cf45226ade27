//! Who may call.

use super::names::label;
use super::policy::on_failure;
use super::value::{duration, list, requests};
use super::{Line, Place};
use crate::model::authz::{Authz, Rule, Who};
use mesh_lang::value::quote;

impl Place<'_> {
    /// The `authz` statements of a block.
    pub(super) fn authz(&self, authz: &Authz) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(rules) = &authz.rules {
            lines.push(Line::new("authz").around(self.rules(rules)));
        }
        if let Some(rules) = &authz.shadow {
            lines.push(Line::new("authz shadow").around(self.rules(rules)));
        }
        lines.extend(authz.external.as_ref().map(|said| {
            let timeout = &said.value.timeout;
            let timeout = Line::said(timeout, |time| format!("timeout {}", duration(*time)));
            Line::said(said, |external| {
                format!("authz external {}", quote(&external.url))
            })
            .with(vec![timeout, on_failure(said.value.on_failure)])
        }));
        lines
    }

    /// Rules.
    pub(super) fn rules(&self, rules: &[Rule]) -> Vec<Line> {
        let rules = rules.iter();
        rules
            .map(|rule| Line::new(self.rule(rule)).at(rule.span))
            .collect()
    }

    /// A rule.
    pub(crate) fn rule(&self, rule: &Rule) -> String {
        let verb = if rule.allows { "allow" } else { "deny" };
        let who = list(rule.who.iter().map(|who| self.who(who)));
        let what = requests(&rule.methods, &rule.paths, None, |_| String::new());
        let mut text = format!("{}{verb} {who}", label(&rule.name));
        if !what.is_empty() {
            text = format!("{text} to {what}");
        }
        match &rule.condition {
            Some(condition) => format!("{text} when {}", self.condition(condition)),
            None => text,
        }
    }

    /// The requests that a rule is about, whoever sends them: `GET /a when …`; empty for all.
    pub(crate) fn requests(&self, rule: &Rule) -> String {
        let spelled = |condition: &_| self.condition(condition);
        requests(&rule.methods, &rule.paths, rule.condition.as_ref(), spelled)
    }

    fn who(&self, who: &Who) -> String {
        match who {
            Who::Anyone => "anyone".to_owned(),
            Who::AnyService => "any service".to_owned(),
            Who::Namespace(name) => format!("namespace {name}"),
            Who::Service(service) => self.service(*service),
            Who::Gateway(gateway) => self.gateway(*gateway),
        }
    }
}
