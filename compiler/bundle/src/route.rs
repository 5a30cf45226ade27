//! From a request to where it goes: a gateway's arm, the service's route, splits.
//!
//! The runtime and the compiler's tools ask the same functions, so a test that passes and a proof
//! that holds speak about what is served. Splits draw from what the caller hands in: a source of
//! randomness, or a [`Guide`] that takes one share after the other.

use crate::decide::{RequestView, decide};
use crate::format::{
    Action, Arm, Bundle, Endpoint, HostBlock, Id, Policy, Redirect, Run, Service, Share, StrId,
    Table, Target, Version,
};
use crate::path::PathError;
use crate::policy::Levels;

/// All shares of a split together, in millionths.
pub const WHOLE: u32 = 1_000_000;

/// Services that a request may pass on its way. The compiler refuses longer chains.
pub const MAX_HOPS: usize = 8;

/// What a request meets.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// It is answered.
    Respond {
        /// The arm that says so.
        arm: Id<Arm>,
        /// The status.
        status: u16,
        /// The body, or none.
        body: StrId,
    },
    /// It is pointed elsewhere.
    Redirect {
        /// The arm that says so.
        arm: Id<Arm>,
        /// Where to.
        redirect: Id<Redirect>,
    },
    /// It is sent on.
    Forward(Destination),
    /// No arm takes it.
    NoArm,
    /// What an arm makes of its path means nothing.
    BadPath(PathError),
}

/// Where a request is sent, and who decided.
#[derive(Clone, Copy, Debug)]
pub struct Destination {
    /// The service.
    pub service: Id<Service>,
    /// Its version, or none for all its endpoints.
    pub version: Id<Version>,
    /// The gateway's arm, or none in a sidecar.
    pub gateway_arm: Id<Arm>,
    /// The last service arm that decided, or none.
    pub service_arm: Id<Arm>,
    /// Whose policies hold, strongest first.
    pub levels: Levels,
}

impl Destination {
    /// The endpoints to choose from.
    #[inline]
    pub fn endpoints(&self, bundle: &Bundle) -> Run<Endpoint> {
        match self.version.some() {
            Some(version) => bundle.version(version).endpoints,
            None => bundle.service(self.service).endpoints,
        }
    }

    /// The arm that had the last word, or none.
    pub fn arm(&self) -> Id<Arm> {
        self.service_arm.some().unwrap_or(self.gateway_arm)
    }
}

/// Who accompanies a request: it draws shares, and may watch.
pub trait Guide {
    /// A number that takes one of the shares of a split: the first that ends above it, modulo [`WHOLE`].
    fn draw(&mut self, bundle: &Bundle, shares: Run<Share>) -> u32;

    /// An arm took the request.
    #[inline]
    fn took(&mut self, _table: Id<Table>, _arm: Id<Arm>) {}
}

impl<F: FnMut() -> u32> Guide for F {
    #[inline]
    fn draw(&mut self, _: &Bundle, _: Run<Share>) -> u32 {
        self()
    }
}

/// What a request to a host block of a gateway meets. The gateway's own arms see `request` as the
/// client sent it; the routes of services see what `as_caller` makes of it: what the gateway, which
/// is then the caller, will send.
#[inline]
pub fn at_gateway<R: RequestView, S: RequestView>(
    bundle: &Bundle,
    host: Id<HostBlock>,
    request: &R,
    as_caller: impl FnOnce(Id<Arm>) -> Result<S, PathError>,
    guide: &mut impl Guide,
) -> Outcome {
    let table = bundle.host_block(host).table;
    match decide(bundle, table, request) {
        Some(arm) => {
            guide.took(table, arm);
            beyond(bundle, host, arm, || as_caller(arm), guide)
        }
        None => Outcome::NoArm,
    }
}

/// What a request meets that `arm`, one of the host's, took.
#[inline]
pub fn beyond<S: RequestView>(
    bundle: &Bundle,
    host: Id<HostBlock>,
    arm: Id<Arm>,
    as_caller: impl FnOnce() -> Result<S, PathError>,
    guide: &mut impl Guide,
) -> Outcome {
    let mut way = Way {
        gateway_arm: arm,
        service_arm: Id::NONE,
        levels: Levels::NONE,
        weakest: bundle.host_block(host).policy,
    };
    way.levels.push(bundle.arm(arm).policy);
    let target = match act(bundle, arm, guide) {
        Ok(target) => target,
        Err(outcome) => return outcome,
    };
    match as_caller() {
        Ok(request) => way.follow(bundle, target, &request, guide),
        Err(error) => Outcome::BadPath(error),
    }
}

/// What a request of `caller` to a service meets at the caller's sidecar; `None` where `caller`
/// lists whom it calls and this service is not among them.
#[inline]
pub fn at_sidecar(
    bundle: &Bundle,
    caller: Id<Service>,
    callee: Id<Service>,
    request: &impl RequestView,
    guide: &mut impl Guide,
) -> Option<Outcome> {
    let calling = bundle.service(caller);
    let calls = &bundle.calls()[calling.calls.range()];
    let call = calls.binary_search_by_key(&callee, |call| call.target).ok();
    if call.is_none() && calling.flags & Service::CALLS_LISTED != 0 {
        return None;
    }
    let mut way = Way {
        gateway_arm: Id::NONE,
        service_arm: Id::NONE,
        levels: Levels::NONE,
        weakest: bundle.mesh().policy,
    };
    way.levels
        .push(call.map_or(Id::NONE, |index| calls[index].policy));
    Some(way.follow(bundle, Target::Service(callee), request, guide))
}

/// What an arm says at once: where to go on, or an answer.
#[inline]
fn act(bundle: &Bundle, arm: Id<Arm>, guide: &mut impl Guide) -> Result<Target, Outcome> {
    match bundle.arm(arm).action() {
        Action::Respond { status, body } => Err(Outcome::Respond { arm, status, body }),
        Action::Redirect(redirect) => Err(Outcome::Redirect { arm, redirect }),
        Action::Forward(target) => Ok(target),
        Action::Split(shares) => Ok(pick(bundle, shares, guide)),
    }
}

/// Draws a share.
#[inline]
fn pick(bundle: &Bundle, shares: Run<Share>, guide: &mut impl Guide) -> Target {
    let drawn = guide.draw(bundle, shares) % WHOLE;
    let shares = &bundle.shares()[shares.range()];
    // The last share ends at WHOLE, which was checked: one is always found.
    let share = shares
        .iter()
        .find(|share| drawn < share.end.get())
        .unwrap_or(&shares[shares.len() - 1]);
    Target::from_words(share.service.index() as u32, share.version.get())
}

/// A request on its way through the routes of services.
struct Way {
    gateway_arm: Id<Arm>,
    service_arm: Id<Arm>,
    levels: Levels,
    weakest: Id<Policy>,
}

impl Way {
    /// Follows a target to a set of endpoints, or to an arm that answers.
    fn follow(
        mut self,
        bundle: &Bundle,
        mut target: Target,
        request: &impl RequestView,
        guide: &mut impl Guide,
    ) -> Outcome {
        for _ in 0..MAX_HOPS {
            let id = target.service();
            let (version, route) = match target {
                Target::Version(_, version) => (version, Id::NONE),
                Target::Own(_) => (Id::NONE, Id::NONE),
                Target::Service(_) => (Id::NONE, bundle.service(id).route),
            };
            let took = route.some().and_then(|table| {
                let arm = decide(bundle, table, request)?;
                guide.took(table, arm);
                Some(arm)
            });
            let Some(arm) = took else {
                return self.arrive(bundle, id, version);
            };
            self.service_arm = arm;
            self.levels.push(bundle.arm(arm).policy);
            target = match act(bundle, arm, guide) {
                Ok(target) => target,
                Err(outcome) => return outcome,
            };
        }
        Outcome::NoArm
    }

    fn arrive(mut self, bundle: &Bundle, service: Id<Service>, version: Id<Version>) -> Outcome {
        self.levels.push(bundle.service(service).policy);
        self.levels.push(self.weakest);
        Outcome::Forward(Destination {
            service,
            version,
            gateway_arm: self.gateway_arm,
            service_arm: self.service_arm,
            levels: self.levels,
        })
    }
}
