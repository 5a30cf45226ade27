//! Rules: who gets in.
//!
//! ```text
//! refused by the one mesh, let in by the other ─▶ pairs of rules ─┬─ from whom no table decides first ─▶ Change
//!                                                                 └─ from gateways ─▶ some request gets there ─▶ Change
//! ```
//!
//! What the new mesh lets in and the old one does not is looked for, then the same the other way round. Pairs of rules
//! come from one space for both; what gets there is asked of the ways of the mesh that lets it in, since the other one
//! refuses it whatever else it does. Each request is put before the code that decides before it is told.

use super::ends::{Pair, Place as EndOf};
use super::hosts::{Gateways, Scope, gateways};
use super::renumber::Ids;
use super::ruling::{Case, Ruled, Ruling};
use super::shown::{self, Sides};
use super::{Change, Diff, Example, Kind, Reload, Side};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::{Gateway, GatewayId, HostBlock, Mesh, Mtls, Service, ServiceId};
use crate::spell::Place;
use crate::verify::assert::{Beyond, Passage, may_lead};
use crate::verify::tables::{at_caller, at_gateway};
use crate::verify::{Request, World};
use mesh_bundle::journey::Journey;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The rules of services. Into one that is not there nobody gets.
pub(super) fn services(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    let find = |side: Side<'_>, service: &Service| {
        let mut all = side.mesh.services.iter();
        all.position(|it| it.name == service.name && it.namespace == service.namespace)
    };
    let of_new = (0..new.mesh.services.len()).map(|index| {
        let before = find(old, &new.mesh.services[index]);
        (before, Some(index))
    });
    let gone = (0..old.mesh.services.len()).filter_map(|index| {
        let is_gone = find(new, &old.mesh.services[index]).is_none();
        is_gone.then_some((Some(index), None))
    });
    let back = Ids::of(new.mesh, old.mesh);
    for (before, after) in of_new.chain(gone) {
        if let Some(after) = after {
            Gain::new(old, new, ids, true).at_service(before, after, diff);
        }
        if let Some(before) = before {
            Gain::new(new, old, &back, false).at_service(after, before, diff);
        }
    }
}

/// The requests that a service may meet on the sides where it is there, from some callers and from who is not known.
fn met<'m>(there: impl Iterator<Item = (&'m Mesh, usize)>, callers: &Arc<Vec<String>>) -> World {
    let (mut anonymous, mut known) = (false, false);
    let mut world = World::default();
    for (mesh, index) in there {
        let service = &mesh.services[index];
        let mtls = mesh.mtls_of(service).value;
        let unverified = mesh.without_sidecar(service);
        anonymous |= unverified || mtls != Mtls::Strict;
        // Where no proxy verifies anybody, nobody is known.
        known |= unverified || mtls != Mtls::Off;
        world = at_caller(mesh, service);
    }
    World {
        anonymous,
        callers: if known {
            Arc::clone(callers)
        } else {
            Arc::default()
        },
        ..world
    }
}

/// The rules of hosts that both meshes have. Of others the arms are compared.
pub(super) fn hosts(old: Side<'_>, new: Side<'_>, ids: &Ids, diff: &mut Diff) {
    let back = Ids::of(new.mesh, old.mesh);
    for pair in gateways(old.mesh, new.mesh) {
        for scope in pair.scopes() {
            let both = pair.old_block(&scope).zip(pair.new_block(&scope));
            let Some(((_, before), (_, after))) = both else {
                continue;
            };
            let at = (&pair, &scope);
            Gain::new(old, new, ids, true).at_host(at, before, after, diff);
            Gain::new(new, old, &back, false).at_host(at, after, before, diff);
        }
    }
}

/// What one mesh lets in and the other one does not.
struct Gain<'g> {
    /// The mesh that refuses.
    other: Side<'g>,
    /// The mesh that lets in.
    into: Side<'g>,
    /// Numbers as the mesh has them that lets in, then those that only the other one has.
    ids: &'g Ids,
    /// Whether it is the new one that lets in.
    is_new: bool,
}

impl<'g> Gain<'g> {
    fn new(other: Side<'g>, into: Side<'g>, ids: &'g Ids, is_new: bool) -> Self {
        Self {
            other,
            into,
            ids,
            is_new,
        }
    }

    fn at_service(&self, other: Option<usize>, into: usize, diff: &mut Diff) {
        let (mesh, ids) = (self.into.mesh, self.ids);
        let (id, service) = (ServiceId(into as u32), &mesh.services[into]);
        let refusing = match other {
            Some(index) => {
                Ruling::of_service(self.other, &self.other.mesh.services[index], Some(ids))
            }
            None => Ruling::absent(self.other),
        };
        let ruled = Ruled {
            refusing: &refusing,
            admitting: &Ruling::of_service(self.into, service, None),
            subject: &Place::top(mesh).service(id),
        };
        let there = [Some((mesh, into)), other.map(|it| (self.other.mesh, it))];
        let world = World {
            tokens: ids.token_names.clone(),
            keys: ids.key_names.clone(),
            ..met(there.into_iter().flatten(), &ids.callers)
        };
        let span = service.span;
        let from = |gateways: Vec<String>| {
            Condition::Test(Test {
                field: Field::Source,
                predicate: Predicate::OneOf(gateways),
                span,
            })
        };
        let all = [self.into.mesh, self.other.mesh].map(|mesh| &mesh.gateways);
        let all: BTreeSet<String> = all.into_iter().flatten().map(gateway_identity).collect();
        let from_gateways = from(all.iter().cloned().collect());

        // An application may send any request, and so may whoever is not known.
        let others = Condition::Not(Box::new(from_gateways.clone()));
        let mut told = BTreeSet::new();
        let free = ruled.pairs(&world, &others, &told, diff);
        let tell_freely = |pair: Pair, told: &mut BTreeSet<_>, diff: &mut Diff| {
            told.insert((pair.old, pair.new));
            let example = self.by_rules(&pair.request);
            self.tell(&ruled, &pair, self.kind(), example, diff);
        };
        for pair in free {
            tell_freely(pair, &mut told, diff);
        }
        if all.is_empty() || ruled.pairs(&world, &from_gateways, &told, diff).is_empty() {
            return;
        }
        for (number, gateway) in (0..).zip(&mesh.gateways) {
            let leads = may_lead(mesh, GatewayId(number), id);
            let own = from(vec![gateway_identity(gateway)]);
            if !leads.unseen && !leads.by_hosts {
                continue;
            }
            let pairs = ruled.pairs(&world, &own, &told, diff);
            if leads.unseen {
                for pair in pairs {
                    tell_freely(pair, &mut told, diff);
                }
                continue;
            }
            let mut cases = ruled.cases(pairs, span);
            let sides = self.sides(Some((&gateway.namespace, &gateway.name)));
            let counts = |request: &Request, _: &Journey| {
                let both = sides.both(request);
                let is_at = |journey: &Option<Journey>, service: Option<usize>| {
                    let mut branches = journey.iter().flat_map(|it| &it.branches);
                    branches.any(|branch| {
                        let arrival = branch.end.arrival();
                        arrival.map(|(service, _)| service.index()) == service
                    })
                };
                is_at(&both.new, Some(into)) && !(other.is_some() && is_at(&both.old, other))
            };
            for block in &gateway.hosts {
                let found = self.through(
                    (GatewayId(number), block),
                    Beyond::Service(id),
                    (None, &mut cases),
                    &counts,
                );
                for (pair, request) in ruled.settle(found, diff) {
                    told.insert((pair.old, pair.new));
                    let example = self.example(&sides, &request);
                    self.tell(&ruled, &pair, self.kind(), example, diff);
                }
            }
        }
    }

    fn at_host(
        &self,
        (pair, scope): (&Gateways<'_>, &Scope),
        refusing: &HostBlock,
        admitting: &HostBlock,
        diff: &mut Diff,
    ) {
        let (mesh, ids) = (self.into.mesh, self.ids);
        let place = mesh.gateways.iter().position(|it| pair.is(it));
        let Some((number, gateway)) = place.map(|it| (it as u32, &mesh.gateways[it])) else {
            return;
        };
        let ruled = Ruled {
            refusing: &Ruling::of_host(self.other, refusing.authz.as_ref(), Some(ids)),
            admitting: &Ruling::of_host(self.into, admitting.authz.as_ref(), None),
            subject: &pair.subject(scope),
        };
        let world = World {
            tokens: ids.token_names.clone(),
            keys: ids.key_names.clone(),
            ..at_gateway(mesh, gateway, admitting, true)
        };
        let region = scope.region(admitting.span);
        let sides = self.sides(Some(pair.key()));
        // Mostly the first request that comes to mind gets somewhere.
        let (mut arriving, mut left) = (Vec::new(), Vec::new());
        for pair in ruled.pairs(&world, &region, &BTreeSet::new(), diff) {
            let both = sides.both(&pair.request);
            if both.new.as_ref().is_some_and(shown::arrives) {
                let request = pair.request.clone();
                arriving.push((pair, request));
            } else {
                left.push(pair);
            }
        }
        let at = (GatewayId(number), admitting);
        let mut cases = ruled.cases(left, admitting.span);
        let counts = |_: &Request, journey: &Journey| shown::arrives(journey);
        let found = self.through(at, Beyond::AnyService, (Some(&region), &mut cases), &counts);
        arriving.extend(ruled.settle(found, diff));
        for (pair, request) in arriving {
            let example = self.example(&sides, &request);
            self.tell(&ruled, &pair, self.kind(), example, diff);
        }
        // What gets nowhere may be answered.
        let differs = |request: &Request| sides.both(request).kind() == Some(Kind::Answer);
        let counts =
            |request: &Request, journey: &Journey| shown::is_answered(journey) && differs(request);
        let found = self.through(at, Beyond::Answer, (Some(&region), &mut cases), &counts);
        for (pair, request) in ruled.settle(found, diff) {
            let example = self.example(&sides, &request);
            self.tell(&ruled, &pair, Kind::Answer, example, diff);
        }
    }

    /// Takes out of cases those of which some request gets through a host of the mesh that lets in, or of which that
    /// is not known. With a region they are of what is sent, and without of what arrives.
    fn through(
        &self,
        (gateway, block): (GatewayId, &HostBlock),
        beyond: Beyond,
        (region, cases): (Option<&Condition>, &mut Vec<Case>),
        counts: &dyn Fn(&Request, &Journey) -> bool,
    ) -> Vec<(Pair, Result<Request, String>)> {
        let anything = Condition::And(Vec::new());
        let first = |condition: Condition| {
            let sent = region.map(|region| Condition::And(vec![region.clone(), condition.clone()]));
            let passage = Passage {
                mesh: self.into.mesh,
                bundle: self.into.bundle,
                gateway,
                block,
                sent: sent.as_ref().unwrap_or(&anything),
                arrives: if region.is_some() {
                    &anything
                } else {
                    &condition
                },
                credentials: (&self.ids.token_names, &self.ids.key_names),
            };
            passage.first(beyond, counts)
        };
        // Mostly none gets there, which is known of all at once.
        if cases.len() > 1 {
            let any = Condition::Or(cases.iter().map(|case| case.condition.clone()).collect());
            if let Ok(None) = first(any) {
                return Vec::new();
            }
        }
        let mut found = Vec::new();
        for case in std::mem::take(cases) {
            match first(case.condition.clone()).transpose() {
                Some(request) => found.push((case.pair, request)),
                None => cases.push(case),
            }
        }
        found
    }

    fn sides<'s>(&'s self, gateway: Option<(&'s str, &'s str)>) -> Sides<'s> {
        Sides {
            old: self.other,
            new: self.into,
            ids: self.ids,
            gateway,
        }
    }

    /// What kind of change it is that requests get somewhere.
    fn kind(&self) -> Kind {
        if self.is_new {
            Kind::Widened
        } else {
            Kind::Narrowed
        }
    }

    /// A request that gets in, or not, by rules alone.
    fn by_rules(&self, request: &Request) -> Example {
        let (refused, admitted) = (Some("refused".to_owned()), Some("let in".to_owned()));
        self.in_order(Example {
            request: request.to_string(),
            curl: None,
            was: refused,
            is: admitted,
        })
    }

    /// A request that a client may send, with how it ends.
    fn example(&self, sides: &Sides<'_>, request: &Request) -> Example {
        self.in_order(shown::example(request, &sides.both(request)))
    }

    /// What was comes before what is.
    fn in_order(&self, mut example: Example) -> Example {
        if !self.is_new {
            std::mem::swap(&mut example.was, &mut example.is);
        }
        example
    }

    fn tell(&self, ruled: &Ruled<'_>, pair: &Pair, kind: Kind, example: Example, diff: &mut Diff) {
        let said = |ruling: &Ruling, end: EndOf, word: &str| match end {
            None if ruling.absent => "not there".to_owned(),
            end => format!("{word} by {}", ruling.told(end)),
        };
        let mut sides = [
            (ruled.refusing, pair.old, "refused"),
            (ruled.admitting, pair.new, "let in"),
        ];
        if !self.is_new {
            sides.reverse();
        }
        let [was, is] = sides.map(|(ruling, end, word)| said(ruling, end, word));
        let [old, new] = sides.map(|(ruling, end, _)| ruling.place(end));
        diff.add(Change {
            kind,
            subjects: vec![ruled.subject.to_owned()],
            what: format!("{was}, now {is}"),
            old,
            new,
            example: Some(example),
            reload: Reload::Hitless,
        });
    }
}

/// `namespace/name`, as which services know a gateway.
fn gateway_identity(gateway: &Gateway) -> String {
    format!("{}/{}", gateway.namespace, gateway.name)
}
