//! Who may call, as tables of rules.
//!
//! Rules have no order; lowered they get one: denies, those of the namespace first, then allows. What no rule
//! matches is refused.

use super::policies::push;
use super::table::{self, Match};
use super::{PlanError, Planner};
use crate::model::authz::{Authz, Rule, Who, in_order};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::policy::OnFailure;
use crate::model::{Mesh, Service};
use mesh_bundle::format::{self as format, Id, extend};
use mesh_lang::source::Span;

impl Planner<'_> {
    /// The rules of a service; none where it is open.
    pub(super) fn service_authz(
        &mut self,
        service: &Service,
    ) -> Result<Id<format::Authz>, PlanError> {
        let mesh = self.mesh;
        let denies = mesh.namespace(&service.namespace);
        let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
        let open = mesh.open_by_default;
        let by_default = open.value.then(|| {
            let span = open.span().unwrap_or(service.span);
            Rule::open_by_default(span)
        });
        match (&service.authz, by_default) {
            (Some(authz), by_default) => self.authz(authz, denies, by_default),
            (None, None) => {
                // Nobody may.
                let location = self.opt_location(open.span());
                let record = format::Authz {
                    location,
                    ..format::Authz::default()
                };
                Ok(push(&mut self.draft.authzs, record))
            }
            (None, Some(_)) if denies.is_empty() => Ok(Id::NONE),
            (None, Some(everyone)) => {
                let record = format::Authz {
                    location: self.location(everyone.span),
                    rules: self.rules(in_order(denies, &[everyone]))?,
                    ..format::Authz::default()
                };
                Ok(push(&mut self.draft.authzs, record))
            }
        }
    }

    /// The authz of a gateway's host. One that says no rules leaves it to the arms.
    pub(super) fn host_authz(
        &mut self,
        authz: Option<&Authz>,
    ) -> Result<Id<format::Authz>, PlanError> {
        match authz {
            Some(authz) => self.authz(authz, &[], Some(Rule::open_by_default(authz.span))),
            None => Ok(Id::NONE),
        }
    }

    /// Rules that let nobody in: of a service whose own sidecar knows the real ones.
    pub(super) fn nobody(&mut self) -> Id<format::Authz> {
        *self
            .nobody
            .get_or_insert_with(|| push(&mut self.draft.authzs, format::Authz::default()))
    }

    /// The rules of a block, after those of its namespace; where it says none, what holds without it:
    /// who is only counted or asked besides was let in before, and still is.
    fn authz(
        &mut self,
        authz: &Authz,
        denies: &[Rule],
        by_default: Option<Rule>,
    ) -> Result<Id<format::Authz>, PlanError> {
        let own = match &authz.rules {
            Some(rules) => rules.clone(),
            None => by_default.into_iter().collect(),
        };
        let shadow = match &authz.shadow {
            Some(shadow) => self.rules(in_order(&[], shadow))?,
            None => Id::NONE,
        };
        let external = authz.external.as_ref().map(|said| &said.value);
        let record = format::Authz {
            rules: self.rules(in_order(denies, &own))?,
            shadow,
            external: self.opt_string(external.map(|external| external.url.as_str())),
            timeout: self.opt_setting(external.map(|external| external.timeout)),
            fail_open: u8::from(
                external.is_some_and(|external| external.on_failure == OnFailure::Open),
            ),
            location: self.location(authz.span),
        };
        Ok(push(&mut self.draft.authzs, record))
    }

    /// A table of rules; none where there are none, so that nobody may.
    fn rules<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r Rule>,
    ) -> Result<Id<format::Table>, PlanError> {
        let rules: Vec<&Rule> = rules.collect();
        if rules.is_empty() {
            return Ok(Id::NONE);
        }
        let conditions: Vec<Option<Condition>> =
            rules.iter().map(|rule| match_of(self.mesh, rule)).collect();
        let methods: Vec<Vec<String>> = rule_methods(&rules);
        let matches: Vec<Match<'_>> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| Match {
                methods: &methods[index],
                paths: &rule.paths,
                condition: conditions[index].as_ref(),
            })
            .collect();
        let spans: Vec<Span> = rules.iter().map(|rule| rule.span).collect();
        let mut table = self.diagrams(&matches, &spans)?;
        let records: Vec<_> = rules
            .iter()
            .map(|rule| format::Rule {
                name: self.draft.string(&rule.name),
                text: self.text_of(rule.span, &rule.name),
                location: self.location(rule.span),
                allows: u8::from(rule.allows),
            })
            .collect();
        table.rules = extend(&mut self.draft.rules, records);
        let single = single_fields(&conditions);
        table.single = self.field_refs(&single);
        Ok(push(&mut self.draft.tables, table))
    }

    /// A condition as a table of one rule.
    pub(super) fn condition_table(
        &mut self,
        condition: &Condition,
        span: Span,
    ) -> Result<Id<format::Table>, PlanError> {
        let matches = [Match {
            methods: &[],
            paths: &[],
            condition: Some(condition),
        }];
        let mut table = self.diagrams(&matches, &[span])?;
        let rule = format::Rule {
            name: self.draft.string(""),
            text: self.draft.string(""),
            location: self.location(span),
            allows: 1,
        };
        table.rules = extend(&mut self.draft.rules, [rule]);
        Ok(push(&mut self.draft.tables, table))
    }

    /// The diagrams of a table; `spans` are those of its arms or rules.
    pub(super) fn diagrams(
        &mut self,
        matches: &[Match<'_>],
        spans: &[Span],
    ) -> Result<format::Table, PlanError> {
        use table::TableError;
        let written = table::write(&mut self.draft, matches).map_err(|error| {
            let span = match &error {
                TableError::Condition(arm) => spans[*arm as usize],
                TableError::Regex(regex) => regex.span,
                _ => spans[0],
            };
            PlanError { error, span }
        })?;
        let residual = written.residual.iter();
        let mut residual: Vec<Span> = residual.map(|&arm| spans[arm as usize]).collect();
        residual.dedup();
        self.residual.extend(residual);
        Ok(written.table)
    }
}

/// The methods that each rule takes, exactly: as for arms, `GET` takes `HEAD` too, unless a rule of the
/// table names `HEAD`.
pub(crate) fn rule_methods(rules: &[&Rule]) -> Vec<Vec<String>> {
    let names = |rule: &Rule, method: &str| rule.methods.iter().any(|named| named == method);
    let head_is_named = rules.iter().any(|rule| names(rule, "HEAD"));
    let of = |rule: &&Rule| {
        let head = (names(rule, "GET") && !head_is_named).then(|| "HEAD".to_owned());
        rule.methods.iter().cloned().chain(head).collect()
    };
    rules.iter().map(of).collect()
}

/// What a rule asks besides methods and paths: who calls, and its condition.
pub(crate) fn match_of(mesh: &Mesh, rule: &Rule) -> Option<Condition> {
    let who = (!rule.who.contains(&Who::Anyone)).then(|| {
        let who = rule.who.iter().map(|who| caller(mesh, who, rule.span));
        let mut who: Vec<Condition> = who.collect();
        match who.len() {
            1 => who.remove(0),
            _ => Condition::Or(who),
        }
    });
    match (who, rule.condition.clone()) {
        (Some(who), Some(condition)) => Some(Condition::And(vec![who, condition])),
        (who, condition) => who.or(condition),
    }
}

/// "The caller is this."
fn caller(mesh: &Mesh, who: &Who, span: Span) -> Condition {
    let test = |field, predicate| {
        Condition::Test(Test {
            field,
            predicate,
            span,
        })
    };
    let named = |names: Vec<String>| test(Field::Source, Predicate::OneOf(names));
    let gateways = |namespace: Option<&str>| -> Vec<String> {
        let gateways = mesh.gateways.iter();
        let gateways = gateways.filter(|it| namespace.is_none_or(|name| it.namespace == name));
        gateways
            .map(|gateway| format!("{}/{}", gateway.namespace, gateway.name))
            .collect()
    };
    // Gateways are let in by name only.
    let no_gateway = |condition: Condition, gateways: Vec<String>| {
        if gateways.is_empty() {
            return condition;
        }
        let gateway = Condition::Not(Box::new(named(gateways)));
        Condition::And(vec![condition, gateway])
    };
    match who {
        Who::Anyone => Condition::And(Vec::new()),
        Who::AnyService => no_gateway(test(Field::Source, Predicate::Present), gateways(None)),
        Who::Namespace(name) => no_gateway(
            test(Field::SourceNamespace, Predicate::OneOf(vec![name.clone()])),
            gateways(Some(name)),
        ),
        Who::Service(service) => {
            let service = &mesh[*service];
            named(vec![format!("{}/{}", service.namespace, service.name)])
        }
        Who::Gateway(gateway) => {
            let gateway = &mesh[*gateway];
            named(vec![format!("{}/{}", gateway.namespace, gateway.name)])
        }
    }
}

/// The headers, parameters and cookies that conditions test: each may come once.
fn single_fields(conditions: &[Option<Condition>]) -> Vec<Field> {
    let tests = conditions.iter().flatten().flat_map(Condition::tests);
    let fields = tests.map(|test| &test.field);
    let fields = fields
        .filter(|field| matches!(field, Field::Header(_) | Field::Query(_) | Field::Cookie(_)));
    let mut fields: Vec<Field> = fields.cloned().collect();
    fields.sort();
    fields.dedup();
    fields
}
