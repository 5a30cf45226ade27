//! Where what is sent to a service may end: through the routes on its way, their mirrors and failovers.

use crate::model::policy::Policy;
use crate::model::{Action, Arm, GatewayId, ListenerKind, Mesh, ServiceId, Target};

/// A way from a caller's proxy to a service.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The routes on the way, and the arm that takes it in each; none where no arm does.
    pub(super) routes: Vec<(ServiceId, Option<u32>)>,
    /// Where it ends.
    pub(super) service: ServiceId,
    /// Why it goes there.
    pub(super) via: Via,
}

/// Why something goes to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// It is routed there.
    Plain,
    /// A copy of it is.
    Mirror,
    /// It is while nothing else is healthy.
    Failover,
}

/// A way from a client to a service.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    /// The gateway.
    pub(super) gateway: GatewayId,
    /// The place of the listener, of one that hands on connections; or of the host and its arm.
    pub(super) at: At,
    /// The way behind it.
    pub(super) chain: Chain,
}

/// Where a gateway lets something in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// At a listener that hands on connections.
    Listener(usize),
    /// By the arm of a host.
    Arm(usize, u32),
}

/// As many routes one way may pass.
const DEEPEST: usize = 16;

/// Where what is sent to a target may end.
pub(super) fn of(mesh: &Mesh, target: Target) -> Vec<Chain> {
    let mut chains = Vec::new();
    let start = Chain {
        routes: Vec::new(),
        service: target.service(),
        via: Via::Plain,
    };
    walk(mesh, target, &start, &mut chains);
    chains
}

fn walk(mesh: &Mesh, target: Target, so_far: &Chain, into: &mut Vec<Chain>) {
    let id = target.service();
    let service = &mesh[id];
    let here = Chain {
        service: id,
        ..so_far.clone()
    };
    if so_far.routes.len() > DEEPEST {
        return;
    }
    // What is copied is not copied again.
    if so_far.via == Via::Plain {
        mirrors(mesh, &service.policy, &here, into);
        mirrors(mesh, &mesh.defaults, &here, into);
    }
    if let Some(failover) = &service.failover
        && so_far.via != Via::Failover
    {
        let via = Via::Failover;
        walk(
            mesh,
            failover.value,
            &Chain {
                via,
                ..here.clone()
            },
            into,
        );
    }
    let route = match target {
        Target::Service(_) => service.route.as_ref(),
        Target::Own(_) | Target::Version(..) => None,
    };
    let Some(route) = route else {
        into.push(here);
        return;
    };
    for (index, arm) in (0u32..).zip(&route.arms) {
        let mut taken = here.clone();
        taken.routes.push((id, Some(index)));
        if so_far.via == Via::Plain {
            mirrors(mesh, &arm.policy, &taken, into);
        }
        for target in arm.action.targets() {
            walk(mesh, target, &taken, into);
        }
    }
    let mut passed = here;
    passed.routes.push((id, None));
    into.push(passed);
}

fn mirrors(mesh: &Mesh, policy: &Policy, so_far: &Chain, into: &mut Vec<Chain>) {
    for said in &policy.mirrors.each {
        let via = Via::Mirror;
        let copy = Chain {
            via,
            ..so_far.clone()
        };
        walk(mesh, said.value.target, &copy, into);
    }
}

/// All ways from clients to services.
pub(super) fn entrances(mesh: &Mesh) -> Vec<Entrance> {
    let mut entrances = Vec::new();
    for (gateway, of_gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
        let mut add = |at, target, via| {
            entrances.extend(of(mesh, target).into_iter().map(|chain| Entrance {
                gateway,
                at,
                chain: Chain {
                    via: if via == Via::Plain { chain.via } else { via },
                    ..chain
                },
            }));
        };
        for (index, listener) in of_gateway.listeners.iter().enumerate() {
            match &listener.kind {
                ListenerKind::Tcp(target) => add(At::Listener(index), *target, Via::Plain),
                ListenerKind::Passthrough(targets) => {
                    for (_, target) in targets {
                        add(At::Listener(index), *target, Via::Plain);
                    }
                }
                ListenerKind::Http { .. } | ListenerKind::Https { .. } => {}
            }
        }
        for (index, host) in of_gateway.hosts.iter().enumerate() {
            for (number, arm) in (0u32..).zip(&host.table.arms) {
                let at = At::Arm(index, number);
                for target in arm.action.targets() {
                    add(at, target, Via::Plain);
                }
                if !forwards(arm) {
                    continue;
                }
                let levels = [&arm.policy, &host.policy, &of_gateway.policy];
                for said in levels.iter().flat_map(|level| &level.mirrors.each) {
                    add(at, said.value.target, Via::Mirror);
                }
            }
        }
    }
    entrances
}

fn forwards(arm: &Arm) -> bool {
    matches!(arm.action, Action::Forward(_) | Action::Split(_))
}
