//! One of the ways that a request may take, from proxy to proxy.

use super::{Branch, End, Entry, Refusal, Request, Step, identity};
use crate::cors::{self, InForce, Preflight};
use crate::decide::{Field, Plain, RequestView, Verdict, Watched, holds, judge};
use crate::format::{
    Arm, Authz, Bundle, Gateway, Id, Listener, ListenerProtocol, Mtls, Policy, Require, Run,
    Service, Share, SliceOf, Table,
};
use crate::host::Named;
use crate::path::{NormalPath, PathError};
use crate::rewrite::{self, Level};
use crate::route::{self, Destination, Guide, Outcome, WHOLE};
use crate::{host, redirect};
use std::cell::{OnceCell, RefCell};

/// Follows the way that the script says; then the script is at the next one, and says whether there is one.
pub(super) fn branch(
    bundle: &Bundle,
    entry: Entry,
    request: &Request,
    script: &mut Script,
    watch: &dyn Fn(Field<'_>),
) -> (Branch, bool) {
    let steps = RefCell::default();
    let mut walk = Walk {
        bundle,
        steps: &steps,
        service_arms: Vec::new(),
        share: u64::from(WHOLE),
        script,
        watch,
    };
    let end = match entry {
        Entry::Gateway(gateway, listener) => walk.at_gateway(gateway, listener, request),
        Entry::Sidecar(service) => walk.at_sidecar(service, request),
    };
    let share = walk.share as u32;
    let branch = Branch {
        share,
        steps: steps.into_inner(),
        end: end.unwrap_or_else(End::Refused),
    };
    (branch, script.advance())
}

/// What a service makes of a request that comes to it, whoever sent it and however.
pub(super) fn admitted(
    bundle: &Bundle,
    service: Id<Service>,
    request: &Request,
) -> Result<Vec<Step>, Refusal> {
    let steps = RefCell::default();
    let walk = Walk {
        bundle,
        steps: &steps,
        service_arms: Vec::new(),
        share: u64::from(WHOLE),
        script: &mut Script::default(),
        watch: &|_| (),
    };
    walk.admit(bundle.service(service), request.clone())?;
    Ok(steps.into_inner())
}

/// Which share each split on the way draws: every combination in turn.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The share drawn at each split so far, and how many there are.
    draws: Vec<(usize, usize)>,
    /// How many splits this walk has met.
    met: usize,
}

impl Script {
    /// The share that the next split draws.
    fn next(&mut self, count: usize) -> usize {
        if self.met == self.draws.len() {
            self.draws.push((0, count));
        }
        let (drawn, _) = self.draws[self.met];
        self.met += 1;
        drawn
    }

    /// Goes on to the next combination; false after the last.
    fn advance(&mut self) -> bool {
        self.draws.truncate(self.met);
        self.met = 0;
        while let Some((drawn, count)) = self.draws.last_mut() {
            *drawn += 1;
            if drawn < count {
                return true;
            }
            self.draws.pop();
        }
        false
    }
}

/// A request on its way.
struct Walk<'w> {
    bundle: &'w Bundle,
    steps: &'w RefCell<Vec<Step>>,
    /// The arms of services that took it, in order.
    service_arms: Vec<Id<Arm>>,
    /// How much of the traffic comes this way, in millionths.
    share: u64,
    script: &'w mut Script,
    /// Whoever wants to know what is asked.
    watch: &'w dyn Fn(Field<'_>),
}

impl Guide for Walk<'_> {
    fn draw(&mut self, bundle: &Bundle, shares: Run<Share>) -> u32 {
        let drawn = self.script.next(shares.len());
        let records = &bundle.shares()[shares.range()];
        let start = match drawn.checked_sub(1) {
            Some(before) => records[before].end.get(),
            None => 0,
        };
        let part = u64::from(records[drawn].end.get() - start);
        // To the nearest millionth.
        self.share = (self.share * part + u64::from(WHOLE) / 2) / u64::from(WHOLE);
        self.step(Step::Drew(shares, drawn));
        start
    }

    fn took(&mut self, table: Id<Table>, arm: Id<Arm>) {
        self.service_arms.push(arm);
        self.step(Step::Arm(table, arm));
    }
}

impl Walk<'_> {
    fn step(&self, step: Step) {
        self.steps.borrow_mut().push(step);
    }

    fn at_gateway(
        &mut self,
        gateway: Id<Gateway>,
        listener: Id<Listener>,
        request: &Request,
    ) -> Result<End, Refusal> {
        let bundle = self.bundle;
        let record = bundle.listener(listener);
        let https = ListenerProtocol::Https.code();
        let path = self.normal(request)?;
        if record.flags & Listener::REDIRECT_HTTPS != 0 {
            let listeners = &bundle.listeners()[bundle.gateway(gateway).listeners.range()];
            // The compiler refuses a redirect to a listener that is not there.
            let to = listeners.iter().find(|it| it.protocol == https);
            let to = to.map_or(443, |listener| listener.port.get());
            return Ok(End::Redirected {
                arm: Id::NONE,
                status: 308,
                location: redirect::to_https(&asked(request, &path), to),
            });
        }
        let host = host::host_block(bundle, gateway, &request.host).ok_or(Refusal::NoHost)?;
        self.step(Step::Host(host));
        let block = bundle.host_block(host);
        if let Some((preflight, announced)) = self.preflight(request) {
            let (before, steps, watch) = (self.announce(&announced), self.steps, self.watch);
            let view = watched(watch, announced.plain(&path));
            let sent = OnceCell::new();
            let as_caller = |arm| {
                let levels = [(bundle.arm(arm).policy, arm), (block.policy, Id::NONE)];
                let sent =
                    sent.get_or_init(|| sent_on(bundle, gateway, &levels, &announced, &path));
                seen_by_routes(bundle, sent, steps, watch)
            };
            let in_force = cors::at_gateway(bundle, host, &view, as_caller, self);
            if let Some(end) = self.answer(in_force, preflight, before) {
                return Ok(end);
            }
        }
        let view = watched(self.watch, request.plain(&path));
        let arm = crate::decide::decide(bundle, block.table, &view).ok_or(Refusal::NoArm)?;
        self.step(Step::Arm(block.table, arm));
        let levels: [Level; 2] = [(bundle.arm(arm).policy, arm), (block.policy, Id::NONE)];
        self.requires(&levels, request, &view)?;
        self.judged(block.authz, &view)?;

        let sent = OnceCell::new();
        let (steps, watch) = (self.steps, self.watch);
        let as_caller = || {
            let sent = sent.get_or_init(|| sent_on(bundle, gateway, &levels, request, &path));
            seen_by_routes(bundle, sent, steps, watch)
        };
        let outcome = route::beyond(bundle, host, arm, as_caller, self);
        // An arm of a service speaks of what it saw.
        let seen = sent.into_inner().unwrap_or_else(|| request.clone());
        match outcome {
            Outcome::Forward(to) => self.arrive(to, Vec::new(), Vec::new(), &seen),
            outcome => answered(bundle, outcome, &asked(&seen, &self.normal(&seen)?)),
        }
    }

    fn at_sidecar(&mut self, caller: Id<Service>, request: &Request) -> Result<End, Refusal> {
        let bundle = self.bundle;
        let calling = bundle.service(caller);
        let path = self.normal(request)?;
        let callee = match host::service(bundle, calling.namespace, &request.host) {
            Named::Service(callee) => callee,
            Named::NotForThisNode => return Err(Refusal::NotForThisNode),
            Named::Unknown if bundle.mesh().egress.is_set() => return Ok(End::Egress),
            Named::Unknown => return Err(Refusal::Egress),
        };
        if let Some((preflight, announced)) = self.preflight(request) {
            let before = self.announce(&announced);
            let view = watched(self.watch, announced.plain(&path));
            let in_force = cors::at_sidecar(bundle, caller, callee, &view, self);
            if let Some(end) = self.answer(in_force, preflight, before) {
                return Ok(end);
            }
        }
        let view = watched(self.watch, request.plain(&path));
        let outcome = route::at_sidecar(bundle, caller, callee, &view, self);
        match outcome.ok_or(Refusal::NotCalled(callee))? {
            Outcome::Forward(to) => {
                let calls = &bundle.calls()[calling.calls.range()];
                let call = calls.iter().find(|call| call.target == callee);
                let stronger = call.map(|call| (call.policy, Id::NONE));
                let weaker = (bundle.mesh().policy, Id::NONE);
                self.arrive(to, stronger.into_iter().collect(), vec![weaker], request)
            }
            outcome => answered(bundle, outcome, &asked(request, &path)),
        }
    }

    /// What a request says that is a preflight, and the request that it announces.
    fn preflight<'r>(&self, request: &'r Request) -> Option<(Preflight<'r>, Request)> {
        let once = |name: &'static str| {
            (self.watch)(Field::Header(name));
            let mut lines = request.headers.iter().filter(|(known, _)| known == name);
            let line = lines.next()?;
            lines.next().is_none().then_some(line.1.as_str())
        };
        (self.watch)(Field::Method);
        let preflight = Preflight::of(self.bundle, &request.method, once)?;
        let mut announced = request.clone();
        preflight.method.clone_into(&mut announced.method);
        Some((preflight, announced))
    }

    /// Goes on with what a preflight announces; gives back how many steps there were.
    fn announce(&self, announced: &Request) -> usize {
        let before = self.steps.borrow().len();
        self.step(Step::Announced(Box::new(announced.clone())));
        before
    }

    /// The end of a preflight that is answered; any other is asked again as what it is.
    fn answer(
        &mut self,
        in_force: Option<InForce>,
        preflight: Preflight<'_>,
        before: usize,
    ) -> Option<End> {
        let Some(InForce { cors, said }) = in_force else {
            self.steps.borrow_mut().truncate(before);
            self.service_arms.clear();
            return None;
        };
        let headers = cors::headers(self.bundle, cors, preflight);
        Some(End::Preflight { said, headers })
    }

    /// Up to the service: what the caller's proxy changes on its behalf, then its own rules.
    fn arrive(
        &self,
        to: Destination,
        stronger: Vec<Level>,
        weaker: Vec<Level>,
        sent: &Request,
    ) -> Result<End, Refusal> {
        let bundle = self.bundle;
        let service = bundle.service(to.service);
        let own = (service.policy, Id::NONE);
        let mut levels = stronger;
        let arms = self.service_arms.iter();
        levels.extend(arms.map(|arm| (bundle.arm(*arm).policy, *arm)));
        levels.push(own);
        levels.extend(weaker);
        let path = self.normal(sent)?;
        let arrived = changed(bundle, &levels, sent, &path);
        if arrived != *sent {
            self.step(Step::Forwarded(Box::new(arrived.clone())));
        }
        self.admit(service, arrived)?;
        Ok(End::Arrived(to))
    }

    /// A service's own rules, put to what arrives.
    fn admit(&self, service: &Service, mut arrived: Request) -> Result<(), Refusal> {
        let bundle = self.bundle;
        // Where no sidecar stands before it, the caller's proxy judges, and knows who calls.
        let judged_by_caller = service.flags & (Service::EXTERNAL | Service::SIDECAR_NONE) != 0;
        if !judged_by_caller && !holds_sidecar(bundle, service) {
            return Ok(());
        }
        if service.mtls.value.get() == u32::from(Mtls::Off.code()) && !judged_by_caller {
            arrived.source = None;
        }
        let path = self.normal(&arrived)?;
        let view = watched(self.watch, arrived.plain(&path));
        let own = (service.policy, Id::NONE);
        self.requires(&[own, (bundle.mesh().policy, Id::NONE)], &arrived, &view)?;
        self.judged(service.authz, &view)
    }

    fn normal<'r>(&self, request: &'r Request) -> Result<NormalPath<'r>, Refusal> {
        request.normal_path(self.bundle).map_err(Refusal::Path)
    }

    /// What levels require, the outermost first.
    fn requires(
        &self,
        levels: &[Level],
        request: &Request,
        view: &impl RequestView,
    ) -> Result<(), Refusal> {
        let bundle = self.bundle;
        for (level, _) in levels
            .iter()
            .rev()
            .filter(|(level, _)| level.some().is_some())
        {
            for id in bundle.policy(*level).requires.ids() {
                let require = bundle.require(id);
                let condition = require.condition.some();
                if condition.is_some_and(|condition| !holds(bundle, condition, view)) {
                    continue;
                }
                let provider = require.provider.get();
                (self.watch)(match require.kind {
                    0 => Field::Jwt(provider),
                    _ => Field::Key(provider),
                });
                if !is_held(request, require) {
                    return Err(Refusal::Unauthenticated(id));
                }
                self.step(Step::Held(id));
            }
        }
        Ok(())
    }

    /// What rules say.
    fn judged(&self, authz: Id<Authz>, view: &impl RequestView) -> Result<(), Refusal> {
        let bundle = self.bundle;
        let Some(authz) = authz.some() else {
            return Ok(());
        };
        let rules = bundle.authz(authz).rules.some();
        match rules.map_or(Verdict::NoRule, |rules| judge(bundle, rules, view)) {
            Verdict::Rule(rule) if bundle.rule(rule).allows != 0 => {
                self.step(Step::Allowed(authz, rule));
                Ok(())
            }
            verdict => Err(Refusal::Forbidden(authz, verdict)),
        }
    }
}

/// A request of which every question is told.
fn watched<'w>(watch: &'w dyn Fn(Field<'_>), plain: Plain<'w>) -> impl RequestView + 'w {
    Watched::new(plain, move |field: Field<'_>, _| watch(field))
}

/// Whether a bundle says what the sidecars of a service do themselves: a slice does so of one service at most.
fn holds_sidecar(bundle: &Bundle, service: &Service) -> bool {
    let mesh = bundle.mesh();
    match SliceOf::from_code(mesh.slice) {
        Some(SliceOf::Gateway) => false,
        Some(SliceOf::Sidecar) => {
            service.namespace == mesh.slice_namespace && service.name == mesh.slice_name
        }
        Some(SliceOf::Everybody) | None => true,
    }
}

/// What a gateway makes of a request for the services behind it.
fn sent_on(
    bundle: &Bundle,
    gateway: Id<Gateway>,
    levels: &[Level],
    request: &Request,
    path: &NormalPath<'_>,
) -> Request {
    let gateway = bundle.gateway(gateway);
    let mut sent = changed(bundle, levels, request, path);
    sent.source = Some(identity(bundle, gateway.namespace, gateway.name));
    sent
}

/// What routes of services see of a request that a gateway sends on.
fn seen_by_routes<'s>(
    bundle: &Bundle,
    sent: &'s Request,
    steps: &RefCell<Vec<Step>>,
    watch: &'s dyn Fn(Field<'_>),
) -> Result<impl RequestView + use<'s>, PathError> {
    let path = sent.normal_path(bundle)?;
    let forwarded = Step::Forwarded(Box::new(sent.clone()));
    steps.borrow_mut().push(forwarded);
    Ok(watched(watch, sent.plain(&path)))
}

fn is_held(request: &Request, require: &Require) -> bool {
    let provider = require.provider.get();
    match require.kind {
        0 => request.tokens.iter().any(|(jwt, _)| *jwt == provider),
        _ => request.keys.iter().any(|(keys, _)| *keys == provider),
    }
}

fn asked<'r>(request: &'r Request, path: &'r NormalPath<'r>) -> redirect::Asked<'r> {
    redirect::Asked {
        scheme: &request.scheme,
        host: &request.host,
        port: request.port,
        path,
        query: request.query.as_deref(),
    }
}

/// What levels, strongest first, make of a request.
fn changed(bundle: &Bundle, levels: &[Level], request: &Request, path: &NormalPath<'_>) -> Request {
    let rewritten = rewrite::of_levels(bundle, levels, path);
    let mut changed = request.clone();
    changed.path = rewritten.path.unwrap_or_else(|| path.as_str().to_owned());
    if let Some(host) = rewritten.host {
        changed.host = host;
    }
    let policies: Vec<Id<Policy>> = levels.iter().map(|(level, _)| *level).collect();
    changed.change_headers(bundle, &policies);
    changed
}

/// The end of a request that goes no further than its route.
fn answered(
    bundle: &Bundle,
    outcome: Outcome,
    asked: &redirect::Asked<'_>,
) -> Result<End, Refusal> {
    match outcome {
        Outcome::Respond { arm, status, body } => Ok(End::Answered { arm, status, body }),
        Outcome::Redirect { arm, redirect } => {
            let record = bundle.redirect(redirect);
            Ok(End::Redirected {
                arm,
                status: record.status.get(),
                location: redirect::point(bundle, record, bundle.arm(arm), asked),
            })
        }
        Outcome::BadPath(error) => Err(Refusal::Path(error)),
        // A chain of services that is longer than the compiler lets through.
        Outcome::NoArm | Outcome::Forward(_) => Err(Refusal::NoArm),
    }
}
