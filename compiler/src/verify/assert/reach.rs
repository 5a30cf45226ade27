//! `never` and `only`: whether somebody gets through who must not.
//!
//! Services may send anything, so what the target's rules let in of them is what reaches it. Of a gateway that is
//! asked first, too, since it is quick and mostly settles it; where its rules would let some request of the gateway
//! in, all ways through the gateway are looked at that lead there.

use super::callers::{Caller, Doorway, everybody, named, no_space};
use super::replay::{Held, addressed, real, send};
use super::ways::{Asking, Entrance, Stop, Way, Ways, identity, leads_to};
use super::{Failure, Outcome, Prover, spoken_of};
use crate::model::condition::Condition;
use crate::model::proof::{Reaches, Sender};
use crate::model::{Gateway, GatewayId, HostBlock, ListenerKind, ServiceId, Target};
use crate::verify::{Budget, Request, Verdict};
use crate::way;
use mesh_bundle::format::Id;
use mesh_bundle::journey::{self, Entry};
use mesh_lang::source::Span;
use mesh_lang::view::Verb;
use std::collections::BTreeSet;

/// A target, and a claim about what arrives there.
pub(super) struct Aim {
    pub(super) target: Target,
    /// What is claimed of what arrives.
    pub(super) claim: Condition,
    held: Held,
}

impl Aim {
    pub(super) fn new(target: Target, claim: Condition) -> Self {
        Self {
            target,
            held: Held::of(&claim),
            claim,
        }
    }

    pub(super) fn service(&self) -> ServiceId {
        self.target.service()
    }
}

/// What was found of somebody.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing of theirs gets through.
    Nothing,
    /// This does.
    This(Box<Failure>),
    /// It was not found out, because of this.
    NotFoundOut(String),
}

impl<'m> Prover<'m> {
    /// Whether nobody gets through who must not.
    pub(super) fn never(&self, reaches: &Reaches, span: Span) -> Outcome {
        let mesh = self.mesh;
        let aim = Aim::new(reaches.target, spoken_of(reaches, span));
        let to = aim.service();
        let named = named(mesh, &reaches.who, to, reaches.transitively);
        let doorway = Doorway::new(mesh, to, &aim.claim);
        let barred: BTreeSet<Caller> = match reaches.verb {
            Verb::Only => everybody(mesh, to, reaches.transitively)
                .difference(&named)
                .copied()
                .collect(),
            Verb::Never | Verb::Always => named.clone(),
        };
        if barred.is_empty() && reaches.verb == Verb::Never {
            return Outcome::Vacuous("there is nobody whom it names".to_owned());
        }
        let found = if reaches.transitively {
            self.chain(&aim, &barred)
        } else {
            self.first(&aim, &doorway, &barred)
        };
        match found {
            Found::This(failure) => return Outcome::Fails(failure),
            Found::NotFoundOut(why) => return Outcome::NotProved(why),
            Found::Nothing => {}
        }
        let name = mesh[to].qualified_name();
        match reaches.verb {
            Verb::Only if !reaches.who.contains(&Sender::Anyone) => {
                // One that nobody can use says nothing.
                match doorway.some(&named, &mut Budget::USUAL.clone()) {
                    Ok(Verdict::No) => Outcome::Vacuous(format!(
                        "`{name}` lets in none of these requests, whoever sends them"
                    )),
                    _ => Outcome::Holds,
                }
            }
            _ if fits(mesh, &aim) => Outcome::Holds,
            _ => Outcome::Vacuous("no request is as it says".to_owned()),
        }
    }

    /// The first of some callers of whom something gets through.
    pub(super) fn first(
        &self,
        aim: &Aim,
        doorway: &Doorway<'_>,
        callers: &BTreeSet<Caller>,
    ) -> Found {
        let mut unknown = None;
        let (gateways, others): (BTreeSet<Caller>, BTreeSet<Caller>) = callers
            .iter()
            .partition(|it| matches!(it, Caller::Gateway(_)));
        match self.direct(aim, doorway, &others) {
            Found::Nothing => {}
            Found::NotFoundOut(why) => unknown = Some(why),
            found @ Found::This(_) => return found,
        }
        for caller in gateways {
            let Caller::Gateway(gateway) = caller else {
                continue;
            };
            match self.through(aim, doorway, gateway) {
                Found::Nothing => {}
                Found::NotFoundOut(why) => unknown = unknown.or(Some(why)),
                found @ Found::This(_) => return found,
            }
        }
        unknown.map_or(Found::Nothing, Found::NotFoundOut)
    }

    /// What the target lets in of some who send it whatever they like.
    pub(super) fn direct(
        &self,
        aim: &Aim,
        doorway: &Doorway<'_>,
        callers: &BTreeSet<Caller>,
    ) -> Found {
        let request = match doorway.some(callers, &mut Budget::USUAL.clone()) {
            Ok(Verdict::No) => return Found::Nothing,
            Ok(Verdict::NotDecided(reason)) => return Found::NotFoundOut(reason.to_string()),
            Err(error) => return not_found_out(&error),
            Ok(Verdict::Yes(request)) => real(*request),
        };
        let mesh = self.mesh;
        let sender = callers.iter().find(|caller| match caller {
            Caller::Service(id) => request.source.as_ref() == Some(&identity(&mesh[*id])),
            Caller::Gateway(_) | Caller::Nameless => false,
        });
        let sender = sender.copied().unwrap_or(Caller::Nameless);
        self.let_in(aim, sender, request)
    }

    /// A request that the target lets in, if the code that decides agrees.
    fn let_in(&self, aim: &Aim, sender: Caller, mut request: Request) -> Found {
        let (mesh, bundle, to) = (self.mesh, self.bundle, aim.service());
        let service = Id::new(to.0);
        let Some(data) = request.sent() else {
            return Found::NotFoundOut("no request could be written down for it".to_owned());
        };
        let Ok(steps) = journey::admitted(bundle, service, &data) else {
            return disagreement();
        };
        let sender_name = sender.name(mesh);
        let what = format!("this request of `{sender_name}` gets through");
        // Its own proxy may send it there as well, and then a test can.
        if let Caller::Service(caller) = sender {
            addressed(mesh, &mut request, to, &mesh[caller].namespace);
            let entrance = Entrance::Sidecar(caller, to);
            let sent = send(bundle, entrance, &request);
            if let Some((sent, branch)) = sent
                .as_ref()
                .and_then(|sent| Some((sent, sent.arrives(bundle, aim.target, &aim.held)?)))
            {
                return Found::This(Box::new(Failure {
                    what,
                    way: Some(sent.told(bundle, branch)),
                    entry: Some(sent.entry),
                    request: Some(request),
                    expected: Some("403".to_owned()),
                    ..Failure::default()
                }));
            }
        }
        let lines = way::lines(bundle, None, Entry::Sidecar(service), &data, &steps);
        let name = mesh[to].qualified_name();
        let mut way = match sender {
            Caller::Service(_) => format!(
                "the proxy of `{sender_name}` may not send it there, but is not trusted; `{name}` itself says:\n"
            ),
            Caller::Gateway(_) | Caller::Nameless => format!("`{name}` itself says:\n"),
        };
        way.push_str(&way::table(&lines));
        if lines.is_empty() {
            way = format!("no rule keeps it out of `{}`", mesh[to].qualified_name());
        }
        let nameless = sender == Caller::Nameless;
        if nameless {
            request.source = None;
        }
        Found::This(Box::new(Failure {
            what: if nameless {
                format!("this request of {sender_name} gets through")
            } else {
                what
            },
            way: Some(way.trim_end().to_owned()),
            request: Some(request),
            sent_by: Some(sender),
            ..Failure::default()
        }))
    }

    /// What gets through a gateway.
    pub(super) fn through(&self, aim: &Aim, doorway: &Doorway<'_>, id: GatewayId) -> Found {
        let gateway = &self.mesh[id];
        let leads = |target: Target| leads_to(self.mesh, target).contains(&aim.service());
        let hosts: Vec<&HostBlock> = gateway
            .hosts
            .iter()
            .filter(|host| {
                let mut targets = host.table.arms.iter().flat_map(|arm| arm.action.targets());
                targets.any(leads)
            })
            .collect();
        let connects = gateway
            .listeners
            .iter()
            .find(|listener| match &listener.kind {
                ListenerKind::Http { .. } | ListenerKind::Https { .. } => false,
                ListenerKind::Tcp(target) => leads(*target),
                ListenerKind::Passthrough(names) => names.iter().any(|(_, target)| leads(*target)),
            });
        let copies = self.copies(gateway, aim.service());
        if hosts.is_empty() && connects.is_none() && copies.is_none() {
            return Found::Nothing;
        }
        let caller = BTreeSet::from([Caller::Gateway(id)]);
        match doorway.some(&caller, &mut Budget::USUAL.clone()) {
            Ok(Verdict::No) => return Found::Nothing,
            Ok(Verdict::Yes(_) | Verdict::NotDecided(_)) => {}
            Err(error) => return not_found_out(&error),
        }
        let name = gateway.qualified_name();
        let to = self.mesh[aim.service()].qualified_name();
        if let Some(listener) = connects {
            return Found::This(Box::new(Failure {
                what: format!(
                    "whoever connects to `{name}` at port {} gets through",
                    listener.port
                ),
                places: vec![(listener.span, format!("leads to `{to}`"))],
                ..Failure::default()
            }));
        }
        let mut unknown = None;
        for host in hosts {
            match self.at_host(aim, id, gateway, host) {
                Found::Nothing => {}
                Found::NotFoundOut(why) => unknown = unknown.or(Some(why)),
                found @ Found::This(_) => return found,
            }
        }
        if let Some(span) = copies {
            unknown = unknown.or(Some(format!(
                "`{name}` sends copies to `{to}` ({}), which lets some of them in",
                self.place(span)
            )));
        }
        unknown.map_or(Found::Nothing, Found::NotFoundOut)
    }

    /// Where a gateway sends copies to a service.
    pub(super) fn copies(&self, gateway: &Gateway, to: ServiceId) -> Option<Span> {
        let mut hops = self
            .hops(Caller::Gateway(self.gateway_id(gateway)?))
            .into_iter();
        hops.find(|hop| hop.to == to && hop.is_copy)
            .map(|hop| hop.span)
    }

    fn gateway_id(&self, gateway: &Gateway) -> Option<GatewayId> {
        let mut all = (0..).map(GatewayId).zip(&self.mesh.gateways);
        all.find(|(_, it)| std::ptr::eq(*it, gateway))
            .map(|(id, _)| id)
    }

    /// What gets through a host of a gateway.
    fn at_host(
        &self,
        aim: &Aim,
        id: GatewayId,
        gateway: &'m Gateway,
        host: &'m HostBlock,
    ) -> Found {
        let entrance = Entrance::Host(id, gateway, host);
        if !takes_requests(gateway) {
            return Found::Nothing;
        }
        let asking = Asking {
            matters: &BTreeSet::from([aim.service()]),
            arrives: &aim.claim,
            sent: &Condition::And(Vec::new()),
            required: None,
            credentials: None,
        };
        let leads = |way: &Way<'_>| may_stop_at(way.stop, aim.target);
        let found = Ways::of(self.mesh, entrance, asking).and_then(|mut ways| {
            ways.first(leads, |way, request| {
                let sent = send(self.bundle, entrance, &request);
                let arrives = sent.as_ref().and_then(|sent| {
                    let branch = sent.arrives(self.bundle, aim.target, &aim.held)?;
                    Some((sent.entry, sent.told(self.bundle, branch)))
                });
                let (entry, told) = arrives.ok_or_else(|| self.not_exact(way))?;
                Ok(Failure {
                    what: "this request gets through".to_owned(),
                    request: Some(request),
                    expected: Some("403".to_owned()),
                    way: Some(told),
                    entry: Some(entry),
                    ..Failure::default()
                })
            })
        });
        match found {
            Ok(Some(failure)) => Found::This(Box::new(failure)),
            Ok(None) => Found::Nothing,
            Err(why) => Found::NotFoundOut(why),
        }
    }
}

/// Whether some request is as a claim says, wherever it comes from.
fn fits(mesh: &crate::model::Mesh, aim: &Aim) -> bool {
    let world = crate::verify::tables::at_caller(mesh, &mesh[aim.service()]);
    let world = crate::verify::World {
        anonymous: true,
        ..world
    };
    let Ok(mut space) = crate::verify::Space::new(world, &[], &[&aim.claim]) else {
        return true;
    };
    let question = crate::verify::Question {
        holds: &[space.condition(0)],
        ..crate::verify::Question::default()
    };
    !matches!(space.ask(question, &mut Budget::USUAL.clone()), Verdict::No)
}

/// Whether a gateway hands requests to its hosts at all.
pub(super) fn takes_requests(gateway: &Gateway) -> bool {
    gateway
        .listeners
        .iter()
        .any(|listener| match &listener.kind {
            ListenerKind::Http { redirect, .. } => redirect.is_none(),
            ListenerKind::Https { .. } => true,
            ListenerKind::Tcp(_) | ListenerKind::Passthrough(_) => false,
        })
}

/// Whether a way may end at a target: where all endpoints are meant, at each version.
fn may_stop_at(stop: Stop, target: Target) -> bool {
    match (stop, target) {
        (Stop::Service(service, Some(version)), Target::Version(to, wanted)) => {
            service == to && version == wanted
        }
        (Stop::Service(service, _), target) => service == target.service(),
        (Stop::Elsewhere, _) => false,
    }
}

fn not_found_out(error: &crate::plan::table::TableError) -> Found {
    Found::NotFoundOut(no_space(error))
}

fn disagreement() -> Found {
    Found::NotFoundOut(crate::verify::Reason::Disagreement.to_string())
}
