//! `every route`: what is in force on each way from a gateway to a service.
//!
//! A value that does not fit counts only if some request takes the way on which it is in force. What a route requires
//! may depend on a condition; then the question is whether some request takes the way and is not asked for it.

use super::reach::takes_requests;
use super::replay::{Replayed, real, send};
use super::ways::{Asking, Entrance, Stop, Way, Ways};
use super::{Failure, Outcome, Prover};
use crate::model::condition::Condition;
use crate::model::credential::Credential;
use crate::model::policy::Policy;
use crate::model::proof::{EveryRoute, Property, Quantity, RouteTarget};
use crate::model::said::Many;
use crate::model::{Gateway, HostBlock, ServiceId, Target};
use crate::verify::{Budget, Verdict};
use mesh_bundle::format::{Bundle, Id, Require};
use mesh_bundle::journey::{End, Refusal, Step};
use mesh_lang::source::Span;
use mesh_lang::view::Compare;
use std::collections::BTreeSet;

/// A day in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

impl<'m> Prover<'m> {
    /// Whether each route has what it is to have.
    pub(super) fn every_route(&self, every: &EveryRoute) -> Outcome {
        let mesh = self.mesh;
        let gateway = &mesh[every.gateway];
        let services = (0..).map(ServiceId).zip(&mesh.services);
        let matters: BTreeSet<ServiceId> = services
            .filter(|(id, service)| match &every.to {
                None => true,
                Some(RouteTarget::Namespace(name)) => service.namespace == *name,
                Some(RouteTarget::Target(target)) => target.service() == *id,
            })
            .map(|(id, _)| id)
            .collect();
        let mut routes = 0;
        let mut unknown = None;
        for host in gateway.hosts.iter().filter(|_| takes_requests(gateway)) {
            let entrance = Entrance::Host(every.gateway, gateway, host);
            match self.routes_of(every, entrance, host, &matters) {
                Ok(count) => routes += count,
                Err(Outcome::NotProved(why)) => unknown = unknown.or(Some(why)),
                Err(outcome) => return outcome,
            }
        }
        match unknown {
            Some(why) => Outcome::NotProved(why),
            None if routes > 0 => Outcome::Holds,
            None => Outcome::Vacuous(format!(
                "no route of `{}` leads there",
                gateway.qualified_name()
            )),
        }
    }

    /// How many routes of a host are meant, if each has what it is to have; else what is to be said.
    fn routes_of(
        &self,
        every: &EveryRoute,
        entrance: Entrance<'m>,
        host: &HostBlock,
        matters: &BTreeSet<ServiceId>,
    ) -> Result<usize, Outcome> {
        let everything = Condition::And(Vec::new());
        let required = match &every.has {
            Property::Requires(credential) => Some(*credential),
            Property::Compare { .. } => None,
        };
        let asking = Asking {
            matters,
            arrives: &everything,
            sent: &everything,
            required,
            credentials: None,
        };
        let ways = Ways::of(self.mesh, entrance, asking);
        let mut ways = ways.map_err(Outcome::NotProved)?;
        let mut budget = Budget::USUAL;
        let mut routes = 0;
        let mut unknown = None;
        let gateway = &self.mesh[every.gateway];
        for way in std::mem::take(&mut ways.all) {
            let Some(service) = ends_at(&way, every.to.as_ref()) else {
                continue;
            };
            routes += 1;
            let wrong = match &every.has {
                Property::Compare { of, compare, with } => {
                    let value = self.in_force(&way, gateway, host, service, *of);
                    if fits(value.0, *compare, *with) {
                        continue;
                    }
                    Some(value.1)
                }
                Property::Requires(_) => None,
            };
            match ways.ask(&way, &[], way.required, &mut budget) {
                Verdict::No => {}
                Verdict::NotDecided(reason) => unknown = unknown.or(Some(reason.to_string())),
                Verdict::Yes(request) => {
                    let request = real(*request);
                    let sent = send(self.bundle, entrance, &request);
                    let shows = |sent: &&Replayed| {
                        required.is_none_or(|credential| !is_asked(self.bundle, sent, credential))
                    };
                    match sent.as_ref().filter(shows) {
                        Some(sent) => {
                            let arm = way.arm.map(|arm| (arm.span, String::new()));
                            return Err(Outcome::Fails(Box::new(Failure {
                                what: match required {
                                    Some(_) => "this request is not asked for it".to_owned(),
                                    None => "this request takes a route that does not".to_owned(),
                                },
                                way: sent
                                    .journey
                                    .branches
                                    .first()
                                    .map(|branch| sent.told(self.bundle, branch)),
                                places: arm.into_iter().chain(wrong).collect(),
                                request: Some(request),
                                ..Failure::default()
                            })));
                        }
                        None => unknown = unknown.or(Some(self.not_exact(&way))),
                    }
                }
            }
        }
        unknown.map_or(Ok(routes), |why| Err(Outcome::NotProved(why)))
    }

    /// A value in force on a way, and where it is said.
    fn in_force(
        &self,
        way: &Way<'_>,
        gateway: &Gateway,
        host: &HostBlock,
        service: ServiceId,
        of: Quantity,
    ) -> (u64, (Span, String)) {
        let mesh = self.mesh;
        let own = &mesh[service];
        let arms = way.arm.into_iter().chain(way.arms.iter().copied());
        let mut levels: Vec<&Policy> = arms.map(|arm| &arm.policy).collect();
        levels.extend([&own.policy, &host.policy, &gateway.policy, &mesh.defaults]);
        let arm = way.arm.map_or(host.span, |arm| arm.span);
        let nobody = |text: &str| (arm, text.to_owned());
        let at = |span: Option<Span>, text: String| match span {
            Some(span) => (span, text),
            None => (arm, format!("{text}, where nothing else is said")),
        };
        match of {
            Quantity::Timeout => match levels.iter().find_map(|level| level.timeouts.request) {
                Some(said) => match said.value.on() {
                    Some(time) => (
                        u64::from(*time),
                        at(
                            said.span(),
                            format!("here it is {}", crate::spell::duration(*time)),
                        ),
                    ),
                    None => (u64::MAX, at(said.span(), "here there is none".to_owned())),
                },
                None => (u64::MAX, nobody("here there is none")),
            },
            Quantity::Retry => {
                let retry = levels.iter().find_map(|level| level.retry.as_ref());
                let on = retry.and_then(|said| Some((said.value.on()?, said.span())));
                match on {
                    Some((retry, span)) => {
                        let text = format!("here it is {}", retry.attempts);
                        (u64::from(retry.attempts), at(span, text))
                    }
                    None => (0, nobody("here nothing is tried again")),
                }
            }
            Quantity::MaxBody => match levels.iter().find_map(|level| level.max_body) {
                Some(said) => match said.value.on() {
                    Some(bytes) => (*bytes, at(said.span(), format!("here it is {bytes} bytes"))),
                    None => (u64::MAX, at(said.span(), "here there is none".to_owned())),
                },
                None => (u64::MAX, nobody("here there is none")),
            },
            Quantity::RateLimit => {
                let mut limits = Many::default();
                for level in levels.iter().rev() {
                    limits = level.rate_limits.clone().over(limits);
                }
                if let Some(namespace) = mesh.namespace(&own.namespace) {
                    limits
                        .each
                        .extend(namespace.rate_limits.each.iter().cloned());
                }
                let rate = |said: &crate::model::said::Said<crate::model::policy::RateLimit>| {
                    let rate = said.value.rate;
                    u64::from(rate.count) * (DAY / u64::from(rate.per.max(1)))
                };
                match limits.each.iter().min_by_key(|said| rate(said)) {
                    Some(said) => {
                        let rate = rate(said);
                        (rate, at(said.span(), format!("here it is {rate} a day")))
                    }
                    None => (u64::MAX, nobody("here there is none")),
                }
            }
        }
    }
}

/// The service at which a way ends, if a claim speaks of it.
fn ends_at(way: &Way<'_>, to: Option<&RouteTarget>) -> Option<ServiceId> {
    let Stop::Service(service, version) = way.stop else {
        return None;
    };
    let is_meant = match to {
        Some(RouteTarget::Target(Target::Version(_, wanted))) => version == Some(*wanted),
        _ => true,
    };
    is_meant.then_some(service)
}

fn fits(value: u64, compare: Compare, with: u64) -> bool {
    match compare {
        Compare::Equal => value == with,
        Compare::NotEqual => value != with,
        Compare::Less => value < with,
        Compare::LessOrEqual => value <= with,
        Compare::Greater => value > with,
        Compare::GreaterOrEqual => value >= with,
        // No claim has another.
        _ => false,
    }
}

/// Whether a request is asked for a token or key anywhere on its ways.
fn is_asked(bundle: &Bundle, sent: &Replayed, credential: Credential) -> bool {
    let is_it = |require: Id<Require>| {
        let require = bundle.require(require);
        let of = match credential {
            Credential::Jwt(jwt) => (0, jwt.0),
            Credential::Key(keys) => (1, keys.0),
        };
        (require.kind, require.provider.get()) == of
    };
    sent.journey.branches.iter().any(|branch| {
        let held = branch.steps.iter().any(|step| match step {
            Step::Held(require) => is_it(*require),
            _ => false,
        });
        let lacks = match branch.end {
            End::Refused(Refusal::Unauthenticated(require)) => is_it(require),
            _ => false,
        };
        held || lacks
    })
}
