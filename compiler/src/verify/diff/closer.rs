//! A closer look at arms of hosts: whether some request of theirs meets what they do, and what that comes to.
//!
//! A host asks for tokens and asks its rules before its arms act, and so do the services behind them. So two arms that
//! do not do the same need not make a difference, and not all of their requests make the same one. The request that
//! was found for a pair of arms mostly shows it; where it is refused, the ways of both meshes are asked for another.

use super::ends::{Asks, Pair, Place as EndOf};
use super::renumber::Ids;
use super::shown::{self, Both, Sides};
use super::{Example, Kind, Side};
use crate::model::condition::Condition;
use crate::model::policy::Policy;
use crate::model::{Gateway, GatewayId, HostBlock};
use crate::verify::Request;
use crate::verify::assert::{Admission, Beyond, Passage, admission_by, held, of_host};
use mesh_bundle::journey::Journey;
use mesh_lang::source::Span;
use std::cell::Cell;

/// Pairs of one host that are looked at closer; what more there are is told as if its requests came through.
const SEARCHES: usize = 64;
/// Arms that may stand before one that is looked at closer.
const MOST_BEFORE: usize = 512;

/// A block of a gateway.
#[derive(Clone, Copy)]
pub(super) struct Block<'b> {
    pub(super) id: GatewayId,
    pub(super) gateway: &'b Gateway,
    pub(super) host: &'b HostBlock,
}

/// The hosts of two blocks, of which one may not be there.
pub(super) struct Closer<'c> {
    pub(super) sides: Sides<'c>,
    /// The numbers that the two meshes have in common, seen from the other side.
    pub(super) back: &'c Ids,
    pub(super) old: Option<Block<'c>>,
    pub(super) new: Option<Block<'c>>,
    /// "The request is for these hosts."
    pub(super) region: Condition,
    pub(super) span: Span,
    searches: Cell<usize>,
}

/// What the requests of a pair come to.
pub(super) enum Shown {
    /// This one shows it.
    This(Box<(Request, Both)>),
    /// None meets anything else.
    Nothing,
    /// It is not known; the reason, if it is not only that there are too many.
    Unknown(Option<String>),
}

impl<'c> Closer<'c> {
    pub(super) fn new(
        sides: Sides<'c>,
        back: &'c Ids,
        (old, new): (Option<Block<'c>>, Option<Block<'c>>),
        (region, span): (Condition, Span),
    ) -> Self {
        Self {
            sides,
            back,
            old,
            new,
            region,
            span,
            searches: Cell::new(0),
        }
    }

    /// "The hosts let it through to their arms": on both sides, whatever arm that is; on the new side, or on the old
    /// one, as far as the host itself says. Of such requests examples are made where there are any. `but` is a
    /// credential that is not there. In common numbers; nothing where hosts let all through.
    pub(super) fn passes(&self, but: Option<&Condition>) -> Vec<Condition> {
        let of = |side: Side<'_>, block: &Option<Block<'_>>, with_arms: bool| {
            let Some(Block { gateway, host, .. }) = block else {
                return Condition::And(Vec::new());
            };
            let weaker = gateway.policy.clone().over(side.mesh.defaults.clone());
            let level: Policy = host.policy.clone().over(weaker);
            let arms = host.table.arms.iter().filter(|_| with_arms);
            let arms = arms.flat_map(|arm| &arm.policy.requires);
            let requires = level.requires.iter().chain(arms);
            let held = held(requires, self.span);
            Condition::And(vec![held, of_host(side.mesh, host.authz.as_ref())])
        };
        let old = |with_arms: bool| {
            let old = of(self.sides.old, &self.old, with_arms);
            self.sides.ids.of_old(&old)
        };
        let new = |with_arms: bool| of(self.sides.new, &self.new, with_arms);
        let mut all = vec![
            Condition::And(vec![old(true), new(true)]),
            new(false),
            old(false),
        ];
        if but.is_none() && all[0].tests().is_empty() {
            return Vec::new();
        }
        if let Some(but) = but {
            for part in &mut all {
                forget(part, but);
                let lacks = Condition::Not(Box::new(but.clone()));
                *part = Condition::And(vec![part.clone(), lacks]);
            }
        }
        all
    }

    /// A request of a pair of arms that comes through on one of the sides, or the other if it is named second, and of
    /// which `counts` holds.
    pub(super) fn find(
        &self,
        (old, new): (&[Asks], &[Asks]),
        pair: &Pair,
        extra: Option<&Condition>,
        looks: &[(Way, Beyond)],
        counts: &dyn Fn(&Both) -> bool,
    ) -> Shown {
        let before = |all: &[Asks], end: EndOf| end.map_or(all.len(), |at| at as usize);
        let many = before(old, pair.old).max(before(new, pair.new)) > MOST_BEFORE;
        if many || self.searches.get() >= SEARCHES {
            return Shown::Unknown(None);
        }
        self.searches.set(self.searches.get() + 1);
        let mut parts = vec![self.region.clone()];
        parts.push(Asks::decided_by(old, pair.old, self.span));
        parts.push(Asks::decided_by(new, pair.new, self.span));
        parts.extend(extra.cloned());
        let sent = Condition::And(parts);
        let mut unknown = None;
        for (way, beyond) in looks {
            match self.through((*way, *beyond), &sent, counts) {
                Ok(Some(request)) => {
                    let both = self.both(*way, &request);
                    return Shown::This(Box::new((request, both)));
                }
                Ok(None) => {}
                Err(why) => unknown = Some(why),
            }
        }
        unknown.map_or(Shown::Nothing, |why| Shown::Unknown(Some(why)))
    }

    fn through(
        &self,
        (way, beyond): (Way, Beyond),
        sent: &Condition,
        counts: &dyn Fn(&Both) -> bool,
    ) -> Result<Option<Request>, String> {
        let (side, block, ids, sent) = match way {
            Way::Old => {
                let sent = self.sides.ids.turned(self.back, sent);
                (self.sides.old, self.old, self.back, sent)
            }
            Way::New => (self.sides.new, self.new, self.sides.ids, sent.clone()),
        };
        let Some(block) = block else { return Ok(None) };
        let passage = Passage {
            mesh: side.mesh,
            bundle: side.bundle,
            gateway: block.id,
            block: block.host,
            sent: &sent,
            arrives: &Condition::And(Vec::new()),
            credentials: (&ids.token_names, &ids.key_names),
        };
        passage.first(beyond, &|request, journey: &Journey| {
            let through = match beyond {
                Beyond::Answer => shown::is_answered(journey),
                Beyond::AnyService | Beyond::Service(_) => shown::arrives(journey),
            };
            through && counts(&self.both(way, request))
        })
    }

    /// What becomes on both sides of a request that has the numbers of one of them.
    fn both(&self, way: Way, request: &Request) -> Both {
        match way {
            Way::New => self.sides.both(request),
            Way::Old => {
                let turned = Sides {
                    old: self.sides.new,
                    new: self.sides.old,
                    ids: self.back,
                    ..self.sides
                };
                turned.both(request).reversed()
            }
        }
    }

    /// What a pair of arms comes to, that was found with a request: the request that shows it, and what kind of change
    /// that is. `onward`: whether each of them sends requests on.
    pub(super) fn shown(
        &self,
        tables: (&[Asks], &[Asks]),
        pair: &Pair,
        onward: (bool, bool),
    ) -> Shown {
        let both = self.sides.both(&pair.request);
        let this = |both: Both| Shown::This(Box::new((pair.request.clone(), both)));
        let differs = |both: &Both| !both.is_refused_alike();
        let (way, kind) = match onward {
            (false, true) => (Way::New, Kind::Widened),
            (true, false) => (Way::Old, Kind::Narrowed),
            (onward, _) => {
                if differs(&both) {
                    return this(both);
                }
                if pair.is_unlikely && pair.old.is_some() && pair.new.is_some() {
                    return Shown::Nothing;
                }
                let beyond = if onward {
                    &[Beyond::AnyService, Beyond::Answer][..]
                } else {
                    &[Beyond::Answer]
                };
                let ways = [Way::New, Way::Old].into_iter();
                let looks: Vec<(Way, Beyond)> = ways
                    .flat_map(|way| beyond.iter().map(move |it| (way, *it)))
                    .collect();
                return self.find(tables, pair, None, &looks, &differs);
            }
        };
        // Whether some request comes to a service on the one side only; if none, whether some is answered otherwise.
        if both.kind() == Some(kind) {
            return this(both);
        }
        if pair.is_unlikely {
            return if differs(&both) {
                this(both)
            } else {
                Shown::Nothing
            };
        }
        let looks = [(way, Beyond::AnyService)];
        match self.find(tables, pair, None, &looks, &|both| {
            both.kind() == Some(kind)
        }) {
            Shown::Nothing if differs(&both) => this(both),
            Shown::Nothing => {
                let looks = [(Way::New, Beyond::Answer), (Way::Old, Beyond::Answer)];
                self.find(tables, pair, None, &looks, &differs)
            }
            found => found,
        }
    }

    /// Of two arms that send requests on, to services that let in different ones, or each in its way: requests that get
    /// in on one side only, and (none) on both, as far as `known` is not what was found already.
    pub(super) fn crossed(
        &self,
        tables: (&[Asks], &[Asks]),
        pair: &Pair,
        known: Option<Kind>,
    ) -> Vec<(Option<Kind>, Example)> {
        let on_both = matches!(known, Some(Kind::Widened | Kind::Narrowed));
        let kinds = [
            (Way::New, Some(Kind::Widened), false),
            (Way::Old, Some(Kind::Narrowed), false),
            (Way::New, None, true),
        ];
        let mut found = Vec::new();
        for (way, kind, is_admitted) in kinds {
            if known == kind || is_admitted && !on_both {
                continue;
            }
            let Some(admitted) = self.admitted_elsewhere(pair, way) else {
                continue;
            };
            let extra = if is_admitted {
                admitted
            } else {
                Condition::Not(Box::new(admitted))
            };
            let looks = [(way, Beyond::AnyService)];
            let counts = |both: &Both| both.kind() == kind && !both.gets_nowhere();
            // What is not found, or not known, stays with what the arms are told to do.
            if let Shown::This(shown) = self.find(tables, pair, Some(&extra), &looks, &counts) {
                found.push((kind, shown::example(&shown.0, &shown.1)));
            }
        }
        found
    }

    /// "A service behind the arm of the other side lets it in", in common numbers; none where that is not known, or
    /// holds of whatever comes.
    fn admitted_elsewhere(&self, pair: &Pair, way: Way) -> Option<Condition> {
        let (side, block, arm) = match way {
            Way::New => (self.sides.old, self.old?, pair.old?),
            Way::Old => (self.sides.new, self.new?, pair.new?),
        };
        let arm = block.host.table.arms.get(arm as usize)?;
        match admission_by(side.mesh, block.id, block.host, arm) {
            Admission::All | Admission::Unknown => None,
            Admission::Some(admitted) => Some(match way {
                Way::New => self.sides.ids.of_old(&admitted),
                Way::Old => admitted,
            }),
        }
    }
}

/// One of the two meshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Old,
    New,
}

/// Takes what says something of a token or key for being so.
fn forget(condition: &mut Condition, credential: &Condition) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            for part in parts {
                forget(part, credential);
            }
        }
        Condition::Not(_) => {}
        Condition::Test(test) => {
            if let Condition::Test(other) = credential
                && (&test.field, &test.predicate) == (&other.field, &other.predicate)
            {
                *condition = Condition::And(Vec::new());
            }
        }
    }
}
