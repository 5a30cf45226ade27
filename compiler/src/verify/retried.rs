//! Retries that never happen: of arms and services that only take requests which are not tried again, since they may
//! have been processed and change something.
//!
//! Whether a request may be tried again its method says. So it is asked of an arm, or of the rules and the route of a
//! service, whether they take a request with one that may. A `retry` of a level further outside serves others, too;
//! nothing is said of it here.

use super::assert::leads_to;
use super::report::not_decided;
use super::rules::of_service;
use super::tables::{Subject, of_mesh};
use super::{Budget, Proof, Reason, Request, Verdict};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::policy::{Policy, RetryOn};
use crate::model::said::Origin;
use crate::model::{Arm, Mesh, Service, ServiceId, Target};
use crate::plan::formula::FormulaId;
use mesh_bundle::format::{Bundle, Protocol};
use mesh_bundle::policy::IDEMPOTENT;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

pub(super) fn findings(mesh: &Mesh, bundle: &Bundle) -> Vec<Diagnostic> {
    let mut it = Findings {
        mesh,
        found: Vec::new(),
        unknown: Vec::new(),
    };
    let subjects = of_mesh(mesh, true);
    for subject in &subjects {
        it.arms(subject, bundle);
    }
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        it.service(id, service, &subjects, bundle);
    }
    let what = "whether this is ever tried again";
    it.found.extend(not_decided(what, &it.unknown));
    it.found
}

struct Findings<'m> {
    mesh: &'m Mesh,
    found: Vec<Diagnostic>,
    unknown: Vec<(Span, Reason)>,
}

/// Why nothing is tried again.
enum Why {
    /// No request that may be is taken; this one is.
    Methods(Box<Request>),
    /// All that is called speaks gRPC, in which each call is a POST; the first such service.
    Grpc(ServiceId),
}

impl Findings<'_> {
    /// The arms of a table with a `retry` of their own.
    fn arms(&mut self, subject: &Subject<'_>, bundle: &Bundle) {
        let arms = (0u32..).zip(&subject.table.arms);
        let asked = arms.filter_map(|(index, arm)| Some((index, arm, own(&arm.policy)?)));
        let asked: Vec<(u32, &Arm, Span)> = asked.collect();
        if asked.is_empty() {
            return;
        }
        let again = [may_be_tried_again(self.mesh.span)];
        let report = |proof: &mut Proof<'_>, again: &[FormulaId]| {
            for (index, arm, retry) in asked {
                let why = match self.of_grpc(&arm.action.targets()) {
                    Some(service) => Some(Why::Grpc(service)),
                    None => self.never(proof, index, again, retry),
                };
                if let Some(why) = why {
                    let diagnostic = self.finding(retry, &why);
                    self.found
                        .push(diagnostic.secondary(arm.span, "of what this takes"));
                }
            }
        };
        // A table that makes none is reported by whoever tries to compile it.
        let _ = subject.prove(Some(bundle), &again, &mut Budget::USUAL.clone(), report);
    }

    /// Why nothing that an arm takes is tried again, if nothing is.
    fn never(
        &mut self,
        proof: &mut Proof<'_>,
        arm: u32,
        again: &[FormulaId],
        retry: Span,
    ) -> Option<Why> {
        match proof.ending(Some(arm), again, &[]) {
            Verdict::Yes(_) => None,
            Verdict::NotDecided(reason) => {
                self.unknown.push((retry, reason));
                None
            }
            // An arm that takes nothing at all is an error of its own.
            Verdict::No => match proof.ending(Some(arm), &[], &[]) {
                Verdict::Yes(request) => Some(Why::Methods(request)),
                Verdict::No | Verdict::NotDecided(_) => None,
            },
        }
    }

    /// The `retry` of a service's block, and those of its calls.
    fn service(
        &mut self,
        id: ServiceId,
        service: &Service,
        subjects: &[Subject<'_>],
        bundle: &Bundle,
    ) {
        for call in service.calls.iter().flatten() {
            if let Some(retry) = own(&call.policy)
                && let Some(callee) = self.of_grpc(&[Target::Service(call.target)])
            {
                let diagnostic = self.finding(retry, &Why::Grpc(callee));
                self.found
                    .push(diagnostic.secondary(call.span, "of these calls"));
            }
        }
        let Some(retry) = own(&service.policy) else {
            return;
        };
        if service.protocol.value == Protocol::Grpc {
            let why = Why::Grpc(id);
            self.found.push(self.finding(retry, &why));
        } else if let Some(why) = self.refuses(service, retry) {
            let authz = service.authz.as_ref().map_or(service.span, |it| it.span);
            let diagnostic = self.finding(retry, &why);
            self.found
                .push(diagnostic.secondary(authz, "of what this lets in"));
        } else if let Some(why) = self.routes_away(id, retry, subjects, bundle) {
            let diagnostic = self.finding(retry, &why);
            self.found
                .push(diagnostic.secondary(service.span, "of what the route leads here"));
        }
    }

    /// Why nothing that a service's rules let in is tried again, if nothing is.
    fn refuses(&mut self, service: &Service, retry: Span) -> Option<Why> {
        let rules = of_service(self.mesh, service)?;
        let of = |allows: bool| {
            let all = (0u32..).zip(&rules.all);
            let those = all.filter(move |(_, rule)| rule.allows == allows);
            those.map(|(index, _)| index).collect::<Vec<_>>()
        };
        let again = [may_be_tried_again(self.mesh.span)];
        let asked = rules.prove(&again, &mut Budget::USUAL.clone(), |proof, again| {
            let allowed = proof.space.one_of(proof.table, of(true).into_iter());
            let denied = proof.space.one_of(proof.table, of(false).into_iter());
            match proof.some(&[again[0], allowed], &[denied])? {
                Some(_) => Ok(None),
                None => proof.some(&[allowed], &[denied]),
            }
        });
        match asked.ok()? {
            Ok(let_in) => let_in.map(|(_, request)| Why::Methods(Box::new(request))),
            Err(reason) => {
                self.unknown.push((retry, reason));
                None
            }
        }
    }

    /// Why nothing that a service's route leads to the service itself is tried again, if nothing is and if nobody
    /// goes past the route.
    fn routes_away(
        &mut self,
        id: ServiceId,
        retry: Span,
        subjects: &[Subject<'_>],
        bundle: &Bundle,
    ) -> Option<Why> {
        let service = &self.mesh[id];
        let route = service.route.as_ref()?;
        let is_its = |it: &&Subject<'_>| std::ptr::eq(it.table, route);
        let subject = subjects.iter().find(is_its)?;
        let stays = |arm: &Arm| {
            let mut targets = arm.action.targets().into_iter();
            targets.any(|target| target.service() == id)
        };
        let others = subjects.iter().filter(|it| !is_its(it));
        let arms = others.flat_map(|it| &it.table.arms);
        let past = |target: &Target| target.service() == id && *target != Target::Service(id);
        let failovers = self.mesh.services.iter().filter_map(|it| it.failover);
        if arms
            .flat_map(|arm| arm.action.targets())
            .any(|it| past(&it))
            || failovers.into_iter().any(|it| it.value.service() == id)
        {
            return None;
        }
        let arms = (0u32..).zip(&route.arms);
        let ends = arms
            .filter(|(_, arm)| stays(arm))
            .map(|(index, _)| Some(index));
        let ends: Vec<Option<u32>> = ends.chain([None]).collect();
        let ask = |proof: &mut Proof<'_>, again: &[FormulaId]| {
            let mut example = None;
            for end in ends {
                match proof.ending(end, again, &[]) {
                    Verdict::Yes(_) => return Ok(None),
                    Verdict::NotDecided(reason) => return Err(reason),
                    Verdict::No => {}
                }
                if let Verdict::Yes(request) = proof.ending(end, &[], &[]) {
                    example = example.or(Some(request));
                }
            }
            Ok(example)
        };
        let again = [may_be_tried_again(self.mesh.span)];
        let asked = subject.prove(Some(bundle), &again, &mut Budget::USUAL.clone(), ask);
        match asked.ok()? {
            Ok(example) => example.map(Why::Methods),
            Err(reason) => {
                self.unknown.push((retry, reason));
                None
            }
        }
    }

    /// The first of some targets, if all that they lead to speaks gRPC.
    fn of_grpc(&self, targets: &[Target]) -> Option<ServiceId> {
        let mut all = targets
            .iter()
            .flat_map(|target| leads_to(self.mesh, *target));
        let first = targets.first()?.service();
        all.all(|service| self.mesh[service].protocol.value == Protocol::Grpc)
            .then_some(first)
    }

    fn finding(&self, retry: Span, why: &Why) -> Diagnostic {
        let message = "nothing is ever tried again here";
        let diagnostic =
            Diagnostic::new(Code::RetryNonidempotent, message).primary(retry, "this has no effect");
        let diagnostic = match why {
            Why::Methods(request) => {
                diagnostic.note(format!("for example: {request}  is tried once"))
            }
            Why::Grpc(service) => {
                let text = "each call of gRPC is a POST";
                match self.mesh[*service].protocol.span() {
                    Some(span) => diagnostic.secondary(span, text),
                    None => diagnostic.note(text),
                }
            }
        };
        diagnostic
            .note("a request that may have been processed is tried again only if its method is idempotent")
            .help("say `methods any` if it does no harm to do it twice, or retry on `connect-failure` and `refused-stream`, when nothing was done")
    }
}

/// Where a level itself says `retry`, and nothing by which a request may be tried again whatever its method: none of
/// the conditions is one under which nothing was sent.
fn own(level: &Policy) -> Option<Span> {
    let said = level.retry.as_ref()?;
    let retry = said.value.on()?;
    let Origin::Written(span) = said.origin else {
        return None; // a policy serves others, too
    };
    let unsent = |on: &RetryOn| matches!(on, RetryOn::ConnectFailure | RetryOn::RefusedStream);
    (retry.any_method.is_none() && !retry.on.iter().any(unsent)).then_some(span)
}

/// "It may be tried again though it may have been processed."
fn may_be_tried_again(span: Span) -> Condition {
    let methods = IDEMPOTENT.iter().map(|&method| method.to_owned());
    Condition::Test(Test {
        field: Field::Method,
        predicate: Predicate::OneOf(methods.collect()),
        span,
    })
}
