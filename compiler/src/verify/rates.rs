//! Rates that clients get around: counted apart by something that a client makes up, so that it gets another allowance
//! with each value, whatever else they are counted by.
//!
//! It is no matter where some other rate in force there counts clients by what they cannot choose, or all together.

use super::assert::{Clients, Found};
use super::report::not_decided;
use super::request::Request;
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::policy::RateLimit;
use crate::model::said::{Many, Said};
use crate::model::{Arm, GatewayId, HostBlock, Mesh, ServiceId};
use crate::spell::{Place, rate};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::HostPattern;
use std::collections::{BTreeMap, BTreeSet};

/// Some may be missing where nobody waits for them any more.
pub(super) fn findings(clients: &mut Clients<'_>, goes_on: &dyn Fn() -> bool) -> Vec<Diagnostic> {
    let mesh = clients.mesh;
    let mut it = Findings {
        mesh,
        told: BTreeSet::new(),
        found: Vec::new(),
        unknown: BTreeMap::new(),
    };
    for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
        for host in &gateway.hosts {
            for arm in host.table.arms.iter().take_while(|_| goes_on()) {
                let levels = [&host.policy, &gateway.policy, &mesh.defaults];
                let own = arm.policy.rate_limits.clone();
                let limits = levels
                    .into_iter()
                    .fold(own, |limits, level| limits.over(level.rate_limits.clone()));
                let listed = |field: &Field| is_listed(field, host, arm);
                let mut ask = |sent: &Condition| clients.taken((id, host), arm, sent);
                it.look(&limits, &listed, &mut ask);
            }
        }
    }
    let services = (0..).map(ServiceId).zip(&mesh.services);
    for (id, service) in services.take_while(|_| goes_on()) {
        let mut limits = service.policy.rate_limits.clone();
        if let Some(namespace) = mesh.namespace(&service.namespace) {
            limits = limits.over(namespace.rate_limits.clone());
        }
        // Its hosts are those by which it is known.
        let listed = |field: &Field| *field == Field::Host;
        let mut ask = |arrives: &Condition| clients.arriving(id, &|_| true, arrives);
        it.look(&limits, &listed, &mut ask);
    }
    let unknown = it.unknown.into_iter();
    let unknown: Vec<_> = unknown
        .filter(|(span, _)| !it.told.contains(span))
        .collect();
    let what = "whether clients get around this rate";
    it.found.extend(not_decided(what, &unknown));
    it.found
}

struct Findings<'m> {
    mesh: &'m Mesh,
    told: BTreeSet<Span>,
    found: Vec<Diagnostic>,
    /// Why it was not found out at one place; at another it may have been.
    unknown: BTreeMap<Span, String>,
}

impl Findings<'_> {
    /// Looks at the rates that are in force somewhere, where `listed` are fields of which there are only so many values, and
    /// `ask` finds a request.
    fn look(
        &mut self,
        limits: &Many<RateLimit>,
        listed: &dyn Fn(&Field) -> bool,
        ask: &mut dyn FnMut(&Condition) -> Found,
    ) {
        let chosen = |limit: &RateLimit| {
            let mut free = limit
                .per
                .iter()
                .filter(|field| is_free(field) && !listed(field));
            free.next().cloned()
        };
        if limits.each.iter().any(|said| chosen(&said.value).is_none()) {
            return;
        }
        for said in &limits.each {
            let (Some(field), Some(span)) = (chosen(&said.value), said.span()) else {
                continue;
            };
            if self.told.contains(&span) {
                continue;
            }
            match pair(&field, self.mesh.span, ask) {
                Pair::Nothing => {}
                Pair::NotFoundOut(why) => {
                    self.unknown.insert(span, why);
                }
                Pair::These(first, second) => {
                    self.told.insert(span);
                    let finding = self.finding(said, span, &field, &first, &second);
                    self.found.push(finding);
                }
            }
        }
    }

    fn finding(
        &self,
        said: &Said<RateLimit>,
        span: Span,
        field: &Field,
        first: &Request,
        second: &Request,
    ) -> Diagnostic {
        let field = Place::top(self.mesh).field(field);
        let limit = rate(said.value.rate);
        let message = format!("a client gets another {limit} with each `{field}` that it makes up");
        Diagnostic::new(Code::RatelimitKeyUnbounded, message)
            .primary(span, "counted apart by what clients choose")
            .note(format!("for example, these two do not count together:\n{first}\n{second}"))
            .help(format!(
                "count by what they cannot choose as well, with a rate beside this one: `rate-limit {limit} {{ per client-ip }}`"
            ))
    }
}

/// Two requests that differ in a field.
enum Pair {
    These(Box<Request>, Box<Request>),
    Nothing,
    NotFoundOut(String),
}

fn pair(field: &Field, span: Span, ask: &mut dyn FnMut(&Condition) -> Found) -> Pair {
    let test = |predicate| {
        Condition::Test(Test {
            field: field.clone(),
            predicate,
            span,
        })
    };
    let first = match ask(&test(Predicate::Present)) {
        Found::This(request, _) => request,
        Found::Nothing => return Pair::Nothing,
        Found::NotFoundOut(why) => return Pair::NotFoundOut(why),
    };
    // One that the client did not write is none that it chooses.
    let Some(value) = value(&first, field) else {
        return Pair::Nothing;
    };
    let another = Condition::Not(Box::new(test(Predicate::OneOf(vec![value]))));
    match ask(&Condition::And(vec![test(Predicate::Present), another])) {
        Found::This(second, _) => Pair::These(first, second),
        Found::Nothing => Pair::Nothing,
        Found::NotFoundOut(why) => Pair::NotFoundOut(why),
    }
}

/// What a request has in a field that clients choose.
fn value(request: &Request, field: &Field) -> Option<String> {
    let of = |all: &[(String, Vec<u8>)], name: &str| {
        let (_, value) = all.iter().find(|(known, _)| known == name)?;
        String::from_utf8(value.clone()).ok()
    };
    match field {
        Field::Header(name) => of(&request.headers, name),
        Field::Cookie(name) => of(&request.cookies, name),
        Field::Query(name) => of(&request.query, name),
        Field::Host => Some(request.host.clone()),
        _ => None,
    }
}

/// Whether clients choose what is in a field.
fn is_free(field: &Field) -> bool {
    matches!(
        field,
        Field::Header(_) | Field::Cookie(_) | Field::Query(_) | Field::Host
    )
}

/// Whether an arm lists all values that a field has where it takes a request.
fn is_listed(field: &Field, host: &HostBlock, arm: &Arm) -> bool {
    (*field == Field::Host && are_names(&host.patterns))
        || arm.condition.as_ref().is_some_and(|it| lists(it, field))
}

fn lists(condition: &Condition, field: &Field) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().any(|part| lists(part, field)),
        Condition::Or(parts) => parts.iter().all(|part| lists(part, field)),
        Condition::Not(_) => false,
        Condition::Test(test) => {
            test.field == *field
                && match &test.predicate {
                    Predicate::OneOf(_) => true,
                    Predicate::Hosts(patterns) => are_names(patterns),
                    _ => false,
                }
        }
    }
}

fn are_names(patterns: &[HostPattern]) -> bool {
    let is_name = |pattern: &HostPattern| matches!(pattern, HostPattern::Exact(_));
    !patterns.is_empty() && patterns.iter().all(is_name)
}
