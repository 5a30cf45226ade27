//! `always`: whether something that is sent does not arrive.
//!
//! On every host that has an arm to the target, or on the one that the claim names, each way is looked at: one that
//! ends elsewhere must have no request that the claim speaks of, and on one that ends at the target nothing may
//! refuse such a request.

use super::reach::takes_requests;
use super::replay::{real, send};
use super::seen::serves;
use super::ways::{Asking, Entrance, Stop, Way, Ways, leads_to};
use super::{Failure, Outcome, Prover, spoken_of};
use crate::model::condition::{Condition, Field, Predicate, test};
use crate::model::proof::{Reaches, Sender};
use crate::model::{GatewayId, HostBlock, ServiceId, Target};
use crate::spell::Place;
use crate::verify::{Budget, Request, Verdict};
use mesh_lang::source::Span;
use mesh_lang::value::HostPattern;
use std::collections::BTreeSet;

impl<'m> Prover<'m> {
    /// Whether everything that is sent arrives.
    pub(super) fn always(&self, reaches: &Reaches, span: Span) -> Outcome {
        let mut sent = vec![spoken_of(reaches, span)];
        if let Some(host) = &reaches.at {
            let is_there = Predicate::Hosts(vec![host.clone()]);
            sent.push(test(Field::Host, is_there, span));
        }
        let sent = Condition::And(sent);
        let entrances = self.entrances(reaches);
        if entrances.is_empty() {
            let name = Place::top(self.mesh).target(reaches.target);
            return Outcome::Vacuous(format!("no arm of theirs leads to `{name}`"));
        }
        if let Some(host) = reaches
            .at
            .as_ref()
            .filter(|host| !is_served(&entrances, host))
        {
            return Outcome::Fails(Box::new(Failure {
                what: match host {
                    HostPattern::Exact(_) => format!("no gateway serves `{host}`"),
                    HostPattern::Suffix(_) | HostPattern::Any => {
                        format!("no gateway serves all of `{host}`")
                    }
                },
                ..Failure::default()
            }));
        }
        let mut unknown = None;
        let mut speaks_of_some = false;
        for entrance in entrances {
            match self.all_arrive(entrance, reaches.target, &sent) {
                Ok(some) => speaks_of_some |= some,
                Err(Outcome::NotProved(why)) => unknown = unknown.or(Some(why)),
                Err(outcome) => return outcome,
            }
        }
        match unknown {
            Some(why) => Outcome::NotProved(why),
            None if speaks_of_some => Outcome::Holds,
            None => Outcome::Vacuous("no request is as it says".to_owned()),
        }
    }

    /// Where the requests of a claim come in.
    fn entrances(&self, reaches: &Reaches) -> Vec<Entrance<'m>> {
        let mesh = self.mesh;
        let to = reaches.target.service();
        let leads = |target: Target| leads_to(mesh, target).contains(&to);
        let mut entrances = Vec::new();
        for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
            let is_meant = reaches.who.iter().any(|who| match who {
                Sender::Internet | Sender::Anyone => true,
                Sender::Gateway(named) => *named == id,
                Sender::AnyService | Sender::Namespace(_) | Sender::Service(_) => false,
            });
            if !is_meant || !takes_requests(gateway) {
                continue;
            }
            let has_arm = |host: &&HostBlock| {
                let mut targets = host.table.arms.iter().flat_map(|arm| arm.action.targets());
                targets.any(leads)
            };
            // A host that is named is no business of gateways that do not lead there at all.
            let is_asked = reaches.at.is_some() && gateway.hosts.iter().any(|it| has_arm(&it));
            let hosts = gateway.hosts.iter().filter(|it| is_asked || has_arm(it));
            entrances.extend(hosts.map(|host| Entrance::Host(id, gateway, host)));
        }
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            let is_meant = reaches.who.iter().any(|who| match who {
                Sender::Anyone | Sender::AnyService => id != to,
                Sender::Namespace(name) => id != to && service.namespace == *name,
                Sender::Service(named) => *named == id,
                Sender::Internet | Sender::Gateway(_) => false,
            });
            let mut calls = service.calls.iter().flatten();
            let may_call = service.calls.is_none() || calls.any(|call| call.target == to);
            if is_meant && may_call && !service.external {
                entrances.push(Entrance::Sidecar(id, to));
            }
        }
        entrances
    }

    /// Whether there are requests of a claim at an entrance, all of which arrive; else what is to be said.
    fn all_arrive(
        &self,
        entrance: Entrance<'m>,
        target: Target,
        sent: &Condition,
    ) -> Result<bool, Outcome> {
        let asking = Asking {
            matters: &BTreeSet::from([target.service()]),
            arrives: &Condition::And(Vec::new()),
            sent,
            required: None,
            credentials: None,
        };
        let ways = Ways::of(self.mesh, entrance, asking);
        let mut ways = ways.map_err(Outcome::NotProved)?;
        let mut budget = Budget::USUAL;
        match ways.any(&mut budget) {
            Verdict::No => return Ok(false),
            Verdict::NotDecided(reason) => return Err(Outcome::NotProved(reason.to_string())),
            Verdict::Yes(_) => {}
        }
        let mut unknown = None;
        for way in std::mem::take(&mut ways.all) {
            for (holds, fails) in missing(&way, target) {
                match ways.ask(&way, &[holds], fails, &mut budget) {
                    Verdict::No => {}
                    Verdict::NotDecided(reason) => unknown = unknown.or(Some(reason.to_string())),
                    Verdict::Yes(request) => {
                        match self.does_not_arrive(entrance, target, real(*request)) {
                            Some(failure) => return Err(Outcome::Fails(Box::new(failure))),
                            None => unknown = unknown.or(Some(self.not_exact(&way))),
                        }
                    }
                }
            }
        }
        unknown.map_or(Ok(true), |why| Err(Outcome::NotProved(why)))
    }

    fn does_not_arrive(
        &self,
        entrance: Entrance<'_>,
        target: Target,
        request: Request,
    ) -> Option<Failure> {
        let sent = send(self.bundle, entrance, &request)?;
        let branch = sent.misses(self.bundle, target)?;
        let name = Place::top(self.mesh).target(target);
        Some(Failure {
            what: format!("this request does not arrive at `{name}`"),
            way: Some(sent.told(self.bundle, branch)),
            entry: Some(sent.entry),
            request: Some(request),
            expected: Some(name),
            ..Failure::default()
        })
    }

    /// Why a request that a proof found is no proof.
    pub(super) fn not_exact(&self, way: &Way<'_>) -> String {
        match way.arm.or(way.arms.first().copied()) {
            Some(arm) => format!(
                "what is made of the requests that `{}` takes ({}) is not known exactly",
                arm.name,
                self.place(arm.span)
            ),
            None => "what happens on the way is not known exactly".to_owned(),
        }
    }
}

/// Whether all hosts that a pattern takes are served at some entrances.
fn is_served(entrances: &[Entrance<'_>], host: &HostPattern) -> bool {
    let mut entrances = entrances.iter();
    entrances.any(|entrance| match entrance {
        Entrance::Host(_, _, block) => block.patterns.iter().any(|pattern| match host {
            HostPattern::Exact(name) => serves(pattern, name),
            // One host more than any list has.
            HostPattern::Suffix(suffix) => serves(pattern, &format!("?.{suffix}")),
            HostPattern::Any => *pattern == HostPattern::Any,
        }),
        // There the host says whom it is for.
        Entrance::Sidecar(..) => true,
    })
}

/// What requests on a way must not be like to arrive: what holds, what does not.
fn missing(way: &Way<'_>, target: Target) -> Vec<(Option<usize>, Option<usize>)> {
    let arrives = match (way.stop, target) {
        (Stop::Service(service, version), Target::Version(to, wanted)) => {
            service == to && version == Some(wanted)
        }
        (Stop::Service(service, _), target) => service == target.service(),
        (Stop::Elsewhere, _) => false,
    };
    if !arrives {
        return vec![(None, None)];
    }
    let at_entrance = way.passes.map(|passes| (None, Some(passes)));
    let at_target = (way.passes, way.let_in);
    at_entrance.into_iter().chain([at_target]).collect()
}
