//! Who may ask what of a service: its rules in the order in which they decide, and questions about all requests.
//!
//! ```text
//! service ─▶ Rules ─┬─ matches ─▶ a table of a Space
//!                   └─ requires ─▶ what must be held before the rules are asked
//! caller ─▶ Seen    as whom the service's sidecar knows it ─▶ CallerClass    whom the rules do not tell apart
//! ```
//!
//! [`Rules`] are of one service (or host) and say what the bundle does with them; [`Questions`] puts them into a
//! [`Space`] and finds which of them decide requests of some kind. Nothing is sampled: an outcome is listed if some
//! request meets it, left out if none does, and what could not be decided is listed as that.

mod callers;
mod questions;
mod seen;

pub use callers::{Caller, CallerClass, callers, world};
pub use questions::{Outcome, Questions};
pub use seen::{Seen, seen};

use crate::model::authz::{Authz, ExternalAuthz, Rule, Who, in_order};
use crate::model::condition::{Condition, Test, holds};
use crate::model::policy::{Policy, Require};
use crate::model::said::{Origin, Said};
use crate::model::{Gateway, HostBlock, Mesh, ServiceId};
use crate::plan::table::Match;
use crate::plan::{match_of, rule_methods};
use mesh_lang::source::Span;
use std::borrow::Cow;

/// Rules that decide together, and what is asked before them.
#[derive(Clone, Debug)]
pub struct Rules<'m> {
    /// In the order in which they decide; the first that matches does.
    pub all: Vec<Cow<'m, Rule>>,
    /// What no rule matches is let in, because nobody says rules.
    pub unguarded: bool,
    /// Who says that what no rule matches is refused: a block, or a statement of the mesh.
    pub closed: Origin,
    /// Tokens and keys without which requests are refused before any rule is asked.
    pub requires: Vec<&'m Said<Require>>,
    /// Who is asked besides, after a rule allowed.
    pub external: Option<&'m Said<ExternalAuthz>>,
    methods: Vec<Vec<String>>,
    conditions: Vec<Option<Condition>>,
}

impl<'m> Rules<'m> {
    /// The rules of a service, those of its namespace and of the mesh among them.
    pub fn of_service(mesh: &'m Mesh, id: ServiceId) -> Self {
        let service = &mesh[id];
        let denies = mesh.namespace(&service.namespace);
        let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
        let open = mesh.open_by_default;
        let by_default = open
            .value
            .then(|| Rule::open_by_default(open.span().unwrap_or(service.span)));
        let levels = [&mesh.defaults, &service.policy];
        Self::new(
            mesh,
            service.authz.as_ref(),
            denies,
            by_default,
            &levels,
            open.origin,
        )
    }

    /// The rules of a gateway's host; one that says none leaves it to its arms.
    pub fn of_host(mesh: &'m Mesh, gateway: &'m Gateway, host: &'m HostBlock) -> Self {
        let everyone = Rule::open_by_default(host.span);
        let levels = [&mesh.defaults, &gateway.policy, &host.policy];
        let said = Origin::Written(host.span);
        Self::new(
            mesh,
            host.authz.as_ref(),
            &[],
            Some(everyone),
            &levels,
            said,
        )
    }

    fn new(
        mesh: &Mesh,
        authz: Option<&'m Authz>,
        denies: &'m [Rule],
        by_default: Option<Rule>,
        levels: &[&'m Policy],
        otherwise: Origin,
    ) -> Self {
        let own = authz.and_then(|authz| authz.rules.as_deref());
        let unguarded = own.is_none() && by_default.is_some() && denies.is_empty();
        let mut all: Vec<Cow<'m, Rule>> = in_order(denies, own.unwrap_or_default())
            .map(Cow::Borrowed)
            .collect();
        if own.is_none() {
            all.extend(by_default.map(Cow::Owned));
        }
        let rules: Vec<&Rule> = all.iter().map(AsRef::as_ref).collect();
        let methods = rule_methods(&rules);
        let conditions = rules.iter().map(|rule| match_of(mesh, rule)).collect();
        Self {
            methods,
            conditions,
            all,
            unguarded,
            closed: authz.map_or(otherwise, |authz| Origin::Written(authz.span)),
            requires: levels.iter().flat_map(|level| &level.requires).collect(),
            external: authz.and_then(|authz| authz.external.as_ref()),
        }
    }

    /// The rules as arms of a table.
    pub fn matches(&self) -> Vec<Match<'_>> {
        let parts = self.methods.iter().zip(&self.conditions);
        self.all
            .iter()
            .zip(parts)
            .map(|(rule, (methods, condition))| Match {
                methods,
                paths: &rule.paths,
                condition: condition.as_ref(),
            })
            .collect()
    }

    /// The numbers of the rules that let in.
    pub fn allowing(&self) -> impl Iterator<Item = u32> {
        let rules = (0u32..).zip(&self.all);
        rules
            .filter(|(_, rule)| rule.allows)
            .map(|(number, _)| number)
    }

    /// The methods that a rule takes, exactly; none: any.
    pub fn methods(&self, rule: u32) -> &[String] {
        &self.methods[rule as usize]
    }

    /// The numbers of the rules that may be about callers of a class; all others name somebody else.
    pub fn about(&self, mesh: &Mesh, class: &CallerClass) -> Vec<u32> {
        let is_meant = |who: &Who| match who {
            Who::Anyone => true,
            _ if class.seen != Seen::Known => false,
            Who::AnyService => true,
            Who::Service(id) => class.members.contains(&Caller::Service(*id)),
            Who::Gateway(id) => class.members.contains(&Caller::Gateway(*id)),
            Who::Namespace(name) => class.members.iter().any(|caller| {
                let identity = caller.identity(mesh);
                identity.is_some_and(|(_, namespace)| namespace == name)
            }),
        };
        let rules = (0u32..).zip(&self.all);
        let rules = rules.filter(|(_, rule)| rule.who.iter().any(is_meant));
        rules.map(|(number, _)| number).collect()
    }

    /// All that the rules and what is required before them test.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        let requires = self.requires.iter();
        let requires = requires.filter_map(|said| said.value.condition.as_ref());
        let rules = self.conditions.iter().flatten();
        rules.chain(requires).flat_map(Condition::tests)
    }
}

/// "What is required here is there, or is not asked for."
pub fn is_met(said: &Said<Require>, span: Span) -> Condition {
    let held = holds(said.value.credential, span);
    match &said.value.condition {
        None => held,
        Some(condition) => Condition::Or(vec![Condition::Not(Box::new(condition.clone())), held]),
    }
}
