//! Tokens and keys that are accepted, and that nothing depends on.
//!
//! `accept` verifies what is presented and lets in whoever presents nothing. That is meant where something behind it
//! tells the two apart: an arm, a rule, a limit. Where nothing does, somebody most likely believes that a token is
//! needed. Whether anything asks is seen in what is said; a request that comes through without is the proof's.

use super::Writer;
use crate::model::authz::Authz;
use crate::model::condition::{Condition, Field};
use crate::model::credential::Credential;
use crate::model::policy::Policy;
use crate::model::upstream::Algorithm;
use crate::model::{Arm, Gateway, HostBlock, Mesh, ServiceId, Target};
use crate::spell::Place;
use crate::verify::reach::Reach;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Every `accept` of the gateways of a mesh that nothing depends on, and the arms that it holds for.
pub(super) struct Accepts<'m> {
    idle: BTreeMap<Span, Accept<'m>>,
}

struct Accept<'m> {
    credential: Credential,
    arms: Vec<&'m Arm>,
}

impl<'m> Accepts<'m> {
    pub(super) fn of(mesh: &'m Mesh) -> Self {
        let mut idle: BTreeMap<Span, Accept<'m>> = BTreeMap::new();
        let mut needed: BTreeSet<Span> = BTreeSet::new();
        for gateway in &mesh.gateways {
            for host in &gateway.hosts {
                for arm in &host.table.arms {
                    let around = Around {
                        mesh,
                        gateway,
                        host,
                    };
                    let levels = around.levels(arm);
                    for said in levels.into_iter().flat_map(|level| &level.accepts) {
                        let Some(span) = said.span() else { continue };
                        if around.depends(arm, said.value) {
                            needed.insert(span);
                        } else if !arm.action.targets().is_empty() {
                            let accept = idle.entry(span).or_insert(Accept {
                                credential: said.value,
                                arms: Vec::new(),
                            });
                            accept.arms.push(arm);
                        }
                    }
                }
            }
        }
        idle.retain(|span, _| !needed.contains(span));
        Self { idle }
    }

    /// What is found at the arms of a table. Each `accept` is told once.
    pub(super) fn findings(&mut self, writer: &Writer<'_>, reach: &[Reach]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.idle.retain(|span, accept| {
            let arms = writer.subject.table.arms.iter().zip(reach);
            let mut reached = arms.filter_map(|(arm, reach)| match reach {
                Reach::Reached(request) => Some((arm, request)),
                _ => None,
            });
            let holds_for = |arm: &Arm| accept.arms.iter().any(|own| std::ptr::eq(*own, arm));
            let Some((arm, request)) = reached.find(|(arm, _)| holds_for(arm)) else {
                return true;
            };
            let what = Place::top(writer.mesh).credential(accept.credential);
            let message =
                format!("nothing depends on `{what}`: who brings none is let through as well");
            let goes = writer.action(&arm.action);
            let place = writer.place(arm.span);
            let title = format!("write `require {what}`");
            found.push(
                Diagnostic::new(Code::JwtOptionalUnguarded, message)
                    .primary(*span, "only says that a bad one is refused")
                    .note(format!("for example: {request}  → {goes} ({place})"))
                    .help(format!(
                        "{title} where it must be there, or let a rule ask for it"
                    ))
                    .fix(Fix::guess(title, *span, format!("require {what}"))),
            );
            false
        });
        found
    }
}

/// What stands around an arm.
struct Around<'m> {
    mesh: &'m Mesh,
    gateway: &'m Gateway,
    host: &'m HostBlock,
}

impl<'m> Around<'m> {
    fn levels(&self, arm: &'m Arm) -> [&'m Policy; 4] {
        let Self {
            mesh,
            gateway,
            host,
        } = self;
        [&mesh.defaults, &gateway.policy, &host.policy, &arm.policy]
    }

    /// Whether anything that a request of an arm meets asks for a token or key.
    fn depends(&self, arm: &'m Arm, credential: Credential) -> bool {
        let here = self
            .levels(arm)
            .into_iter()
            .any(|level| says(level, credential))
            || arm.condition.iter().any(|it| asks(it, credential))
            || self.host.authz.iter().any(|it| rules_ask(it, credential));
        here || self
            .behind(arm)
            .into_iter()
            .any(|service| self.service_asks(service, credential))
    }

    /// The services that an arm leads to, through their routes.
    fn behind(&self, arm: &Arm) -> BTreeSet<ServiceId> {
        let mut behind = BTreeSet::new();
        let mut next: Vec<Target> = arm.action.targets();
        while let Some(target) = next.pop() {
            let service = target.service();
            if behind.insert(service) {
                let arms = self.mesh[service].route.iter().flat_map(|it| &it.arms);
                next.extend(arms.flat_map(|arm| arm.action.targets()));
            }
        }
        behind
    }

    fn service_asks(&self, service: ServiceId, credential: Credential) -> bool {
        let service = &self.mesh[service];
        let arms = || service.route.iter().flat_map(|table| &table.arms);
        let hashed = service.spread.balance.as_ref().is_some_and(|balance| {
            matches!(&balance.algorithm.value, Algorithm::Hash(field) if is_of(field, credential))
        });
        hashed
            || says(&service.policy, credential)
            || service.authz.iter().any(|it| rules_ask(it, credential))
            || arms().any(|arm| {
                says(&arm.policy, credential) || arm.condition.iter().any(|it| asks(it, credential))
            })
    }
}

/// Whether a level requires a token or key, or does something by it.
fn says(level: &Policy, credential: Credential) -> bool {
    let required = level.requires.iter().any(|said| {
        let condition = &said.value.condition;
        said.value.credential == credential || condition.iter().any(|it| asks(it, credential))
    });
    let mut counted = level
        .rate_limits
        .each
        .iter()
        .flat_map(|said| &said.value.per);
    let kept = level.sticky.as_ref().and_then(|said| said.value.on());
    required
        || counted.any(|field| is_of(field, credential))
        || kept.is_some_and(|field| is_of(field, credential))
}

fn rules_ask(authz: &Authz, credential: Credential) -> bool {
    let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
    let mut conditions = lists.flatten().filter_map(|rule| rule.condition.as_ref());
    conditions.any(|condition| asks(condition, credential)) || authz.external.is_some()
}

fn asks(condition: &Condition, credential: Credential) -> bool {
    let tests = condition.tests().into_iter();
    tests
        .map(|test| &test.field)
        .any(|it| is_of(it, credential))
}

/// Whether a field is one of a token or key.
fn is_of(field: &Field, credential: Credential) -> bool {
    match (field, credential) {
        (Field::Jwt(of) | Field::Claim(of, _), Credential::Jwt(jwt)) => *of == jwt,
        (Field::Key(of), Credential::Key(keys)) => *of == keys,
        _ => false,
    }
}
