//! Who calls whom, as a mesh declares it, and what adds up on the way.
//!
//! A [`Hop`] is a caller's proxy sending to a service: for each arm of a gateway and each `calls` of a service, and
//! for each way through the routes of the services it names, with the values that are in force there. What a
//! service does with a request, which calls it makes and how many, is its own affair: hops say what may happen.
//! Services that do not list their calls call nobody here, since they may call everybody.
//!
//! Each of the other files looks for one kind of trouble on the hops.

mod admission;
mod copies;
mod failover;
pub(crate) mod fleet;
mod loops;
mod mirrors;
mod openness;
mod replays;
mod retries;
mod streams;
mod timeouts;
mod versions;

use super::tables::of_mesh;
use super::{Budget, Reach, Request};
use crate::model::policy::{Mirror, Policy, Retry};
use crate::model::said::{Said, Switch};
use crate::model::{Action, Arm, GatewayId, ListenerKind, Mesh, ServiceId, Table, Target};
use mesh_bundle::format::Protocol;
use mesh_bundle::route::MAX_HOPS;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};
use std::collections::HashMap;

/// What is found on the hops of a mesh.
pub(super) fn findings(
    mesh: &Mesh,
    sources: &Sources,
    wanted: &dyn Fn(Code) -> bool,
) -> Vec<Diagnostic> {
    let graph = Graph::of(mesh);
    let mut found = retries::findings(&graph);
    found.extend(replays::findings(&graph));
    found.extend(timeouts::findings(&graph));
    found.extend(streams::findings(&graph));
    if wanted(Code::MissingTimeout) {
        found.extend(timeouts::unsaid(&graph));
    }
    found.extend(mirrors::findings(&graph, sources));
    found.extend(copies::findings(&graph));
    found.extend(loops::findings(&graph));
    found.extend(versions::findings(mesh));
    found.extend(failover::findings(mesh));
    found.extend(admission::findings(&graph, sources));
    if wanted(Code::RatelimitPerReplica) {
        found.extend(fleet::findings(mesh, &fleet::Fleet::on(&graph)));
    }
    found.extend(openness::findings(&graph));
    found
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Caller {
    Service(ServiceId),
    Gateway(GatewayId),
}

/// A caller's proxy that sends to a service.
#[derive(Clone, Debug)]
struct Hop<'m> {
    from: Caller,
    to: ServiceId,
    /// The arm of the gateway, the listener or the `calls`.
    span: Span,
    /// The arm of the gateway, if what arrives is what it took: nobody rewrites the path.
    arm: Option<&'m Arm>,
    /// All arms on the way, the gateway's first.
    arms: Vec<&'m Arm>,
    /// The methods of what is sent, and the last arm on the way that names any; none: any.
    methods: Option<(Vec<String>, &'m Arm)>,
    /// How long an exchange may take.
    timeout: Time,
    retry: Option<&'m Said<Switch<Retry>>>,
    /// How large a body may be.
    max_body: Option<&'m Said<Switch<u64>>>,
    /// How much of a body is read before it is sent on.
    buffer: Option<&'m Said<Switch<u64>>>,
    mirrors: Vec<&'m Said<Mirror>>,
}

/// How long an exchange may take, and who says so.
#[derive(Clone, Copy, Debug)]
struct Time {
    /// In milliseconds; none: as long as it likes.
    most: Option<u32>,
    /// The statement that says so; none for the edition.
    span: Option<Span>,
    /// Whether that is said of the whole mesh.
    general: bool,
}

/// All hops of a mesh.
struct Graph<'m> {
    mesh: &'m Mesh,
    hops: Vec<Hop<'m>>,
    /// For each service the hops of its calls.
    calls: HashMap<ServiceId, Vec<usize>>,
}

impl<'m> Graph<'m> {
    fn of(mesh: &'m Mesh) -> Self {
        let mut it = Self {
            mesh,
            hops: Vec::new(),
            calls: HashMap::new(),
        };
        for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
            for host in &gateway.hosts {
                for (arm, methods) in host.table.arms.iter().zip(host.table.methods()) {
                    let way = Way {
                        from: Caller::Gateway(id),
                        span: arm.span,
                        arm: Some(arm),
                        arms: vec![arm],
                        methods: Some((methods, arm)).filter(|(methods, _)| !methods.is_empty()),
                        strong: vec![&arm.policy],
                        weak: vec![&host.policy, &gateway.policy],
                    };
                    it.arm(&way, arm, 0);
                }
            }
            for listener in &gateway.listeners {
                let targets: Vec<Target> = match &listener.kind {
                    ListenerKind::Http { .. } | ListenerKind::Https { .. } => continue,
                    ListenerKind::Tcp(target) => vec![*target],
                    ListenerKind::Passthrough(names) => names.iter().map(|(_, it)| *it).collect(),
                };
                let way = Way {
                    from: Caller::Gateway(id),
                    span: listener.span,
                    arm: None,
                    arms: Vec::new(),
                    methods: None,
                    strong: Vec::new(),
                    weak: vec![&gateway.policy],
                };
                for target in targets {
                    it.follow(&way, target, 0);
                }
            }
        }
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            for call in service.calls.iter().flatten() {
                let way = Way {
                    from: Caller::Service(id),
                    span: call.span,
                    arm: None,
                    arms: Vec::new(),
                    methods: None,
                    strong: vec![&call.policy],
                    weak: Vec::new(),
                };
                it.follow(&way, Target::Service(call.target), 0);
            }
        }
        for (index, hop) in it.hops.iter().enumerate() {
            if let Caller::Service(service) = hop.from {
                it.calls.entry(service).or_default().push(index);
            }
        }
        it
    }

    /// Goes on with what an arm does.
    fn arm(&mut self, way: &Way<'m>, arm: &'m Arm, passed: usize) {
        match &arm.action {
            Action::Forward(target) => self.follow(way, *target, passed),
            Action::Split(shares) => {
                for share in shares.iter().filter(|share| share.parts > 0) {
                    self.follow(way, share.target, passed);
                }
            }
            Action::Redirect(_) | Action::Respond { .. } => {}
        }
    }

    /// Goes on to a target, through its route.
    fn follow(&mut self, way: &Way<'m>, target: Target, passed: usize) {
        let service = target.service();
        let route = match target {
            // Circles are errors by now; a chain has an end.
            Target::Service(service) if passed < MAX_HOPS => self.mesh[service].route.as_ref(),
            Target::Service(_) | Target::Own(_) | Target::Version(..) => None,
        };
        let Some(route) = route else {
            self.hop(way, service);
            return;
        };
        for (arm, methods) in route.arms.iter().zip(route.methods()) {
            let mut way = way.clone();
            if way.narrow(methods, arm) {
                way.strong.push(&arm.policy);
                way.arms.push(arm);
                self.arm(&way, arm, passed + 1);
            }
        }
        if !takes_rest(route) {
            self.hop(way, service);
        }
    }

    fn hop(&mut self, way: &Way<'m>, to: ServiceId) {
        let service = &self.mesh[to];
        let own = &service.policy;
        // Where there are only bytes no request has a time or a body.
        let is_asked = service.protocol.value != Protocol::Tcp;
        let mut levels = way.strong.clone();
        levels.push(own);
        levels.extend(&way.weak);
        let said = levels.iter().find_map(|level| level.timeouts.request);
        let general = said.is_none();
        let said = said.or(self.mesh.defaults.timeouts.request);
        let timeout = Time {
            most: said
                .filter(|_| is_asked)
                .and_then(|said| said.value.on().copied()),
            span: said.and_then(|said| said.span()),
            general,
        };
        levels.push(&self.mesh.defaults);
        let rewritten = levels.iter().any(|level| level.rewrite.path.is_some());
        let mut mirrors = Vec::new();
        for level in &levels {
            mirrors.extend(&level.mirrors.each);
            if level.mirrors.off.is_some() {
                break;
            }
        }
        self.hops.push(Hop {
            from: way.from,
            to,
            span: way.span,
            arm: way.arm.filter(|_| !rewritten),
            arms: way.arms.clone(),
            methods: way.methods.clone(),
            timeout,
            retry: levels.iter().find_map(|level| level.retry.as_ref()),
            max_body: levels
                .iter()
                .find_map(|level| level.max_body.as_ref())
                .filter(|_| is_asked),
            buffer: levels.iter().find_map(|level| level.buffer.as_ref()),
            mirrors,
        });
    }

    /// The hops of the calls of a service.
    fn calls(&self, service: ServiceId) -> impl Iterator<Item = &Hop<'m>> {
        let calls = self.calls.get(&service).into_iter().flatten();
        calls.map(|index| &self.hops[*index])
    }

    /// As the decision code names it: `namespace/name`.
    fn identity(&self, caller: Caller) -> String {
        let (namespace, name) = match caller {
            Caller::Service(service) => (&self.mesh[service].namespace, &self.mesh[service].name),
            Caller::Gateway(gateway) => (&self.mesh[gateway].namespace, &self.mesh[gateway].name),
        };
        format!("{namespace}/{name}")
    }

    fn name(&self, caller: Caller) -> String {
        match caller {
            Caller::Service(service) => self.mesh[service].qualified_name(),
            Caller::Gateway(gateway) => self.mesh[gateway].qualified_name(),
        }
    }
}

/// A way that leads to hops, and the levels that speak on it, strongest first.
#[derive(Clone)]
struct Way<'m> {
    from: Caller,
    span: Span,
    arm: Option<&'m Arm>,
    arms: Vec<&'m Arm>,
    methods: Option<(Vec<String>, &'m Arm)>,
    /// Before the service.
    strong: Vec<&'m Policy>,
    /// After it.
    weak: Vec<&'m Policy>,
}

impl<'m> Way<'m> {
    /// Goes on with an arm that takes these methods, any if there are none; whether some are left.
    fn narrow(&mut self, mut methods: Vec<String>, arm: &'m Arm) -> bool {
        if methods.is_empty() {
            return true;
        }
        if let Some((known, _)) = &self.methods {
            methods.retain(|method| known.contains(method));
        }
        let some = !methods.is_empty();
        self.methods = Some((methods, arm));
        some
    }
}

/// A request that an arm takes.
fn example(mesh: &Mesh, arm: &Arm) -> Option<Request> {
    let subjects = of_mesh(mesh, true).into_iter();
    let mut places = subjects.filter_map(|subject| {
        let mut arms = subject.table.arms.iter();
        let index = arms.position(|it| std::ptr::eq(it, arm))?;
        Some((subject, index as u32))
    });
    let (subject, index) = places.next()?;
    let reach = subject.prove(None, &[], &mut Budget::USUAL.clone(), |proof, _| {
        proof.arm(index)
    });
    match reach {
        Ok(Reach::Reached(request)) => Some(*request),
        _ => None,
    }
}

/// Whether the last arm of a table takes whatever is left.
fn takes_rest(table: &Table) -> bool {
    table.arms.last().is_some_and(|arm| {
        arm.methods.is_empty() && arm.paths.is_empty() && arm.condition.is_none()
    })
}

/// `5s`, `250ms`, as a policy would have it.
fn time(milliseconds: u64) -> String {
    match milliseconds {
        whole if whole % 60_000 == 0 && whole > 0 => format!("{}m", whole / 60_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        odd => format!("{odd}ms"),
    }
}
