//! What can only be seen with all items side by side.

use super::Resolver;
use super::condition::address_test;
use super::problems;
use crate::model::{Action, Arm, Mesh, Service, ServiceId, Table, Target};
use mesh_bundle::route::MAX_HOPS;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use std::collections::BTreeMap;

impl Resolver<'_> {
    /// Checks a mesh as a whole.
    pub(super) fn check(&mut self, mesh: &Mesh) {
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            self.check_endpoints(id, service);
        }
        self.check_service_hosts(mesh);
        self.check_circles(mesh);
        self.check_addresses(mesh);
        for gateway in mesh
            .gateways
            .iter()
            .filter(|gateway| gateway.listeners.is_empty())
        {
            self.report(
                Diagnostic::new(Code::MissingStatement, "this gateway has no listener")
                    .primary(gateway.span, "")
                    .help("say where it listens: `listen 80 http`"),
            );
        }
    }

    fn check_endpoints(&mut self, id: ServiceId, service: &Service) {
        let tried = |span: Span| self.without_endpoints.contains(&span);
        let empty = service
            .versions
            .iter()
            .filter(|version| version.endpoints.is_empty() && !tried(version.span));
        let empty: Vec<_> = empty.collect();
        for version in empty {
            let what = format!("version `{}`", version.name);
            self.report(problems::no_endpoints(version.span, &what));
        }
        let elsewhere = service
            .route
            .as_ref()
            .is_some_and(|table| leads_elsewhere(table, id));
        let nowhere = service.all_endpoints().next().is_none() && service.versions.is_empty();
        if nowhere && !elsewhere && !self.without_endpoints.contains(&service.span) {
            let what = format!("service `{}`", service.name);
            self.report(problems::no_endpoints(service.span, &what));
        }
    }

    /// Host names that two services answer to.
    fn check_service_hosts(&mut self, mesh: &Mesh) {
        let mut owners: BTreeMap<String, &Service> = BTreeMap::new();
        for service in &mesh.services {
            let full = format!("{}.{}", service.name, service.namespace);
            for host in service.hosts.iter().chain([&full]) {
                match owners.get(host) {
                    Some(first) => {
                        let (first, message) =
                            (first.span, format!("two services answer to `{host}`"));
                        self.report(
                            Diagnostic::new(Code::HostOwnedTwice, message)
                                .primary(service.span, "this one")
                                .secondary(first, "and this one"),
                        );
                    }
                    None => {
                        owners.insert(host.clone(), service);
                    }
                }
            }
        }
    }

    /// Routes that lead around in a circle, or on and on.
    fn check_circles(&mut self, mesh: &Mesh) {
        let mut done = vec![false; mesh.services.len()];
        for start in 0..mesh.services.len() {
            let mut way = Vec::new();
            self.follow(mesh, ServiceId(start as u32), &mut way, &mut done);
        }
    }

    fn follow(
        &mut self,
        mesh: &Mesh,
        service: ServiceId,
        way: &mut Vec<(ServiceId, Span)>,
        done: &mut [bool],
    ) {
        if done[service.index()] {
            return;
        }
        let Some(route) = &mesh[service].route else {
            done[service.index()] = true;
            return;
        };
        let names = |way: &[(ServiceId, Span)], last: ServiceId| -> Vec<String> {
            let way = way.iter().map(|(service, _)| *service).chain([last]);
            way.map(|service| mesh[service].qualified_name()).collect()
        };
        for arm in &route.arms {
            for next in onward(arm) {
                way.push((service, arm.span));
                if let Some(start) = way.iter().position(|(known, _)| *known == next) {
                    let circle = &way[start..];
                    let spans: Vec<Span> = circle.iter().map(|(_, span)| *span).collect();
                    let diagnostic = problems::circle(&names(circle, next), &spans);
                    self.report(diagnostic);
                } else if way.len() >= MAX_HOPS {
                    let diagnostic = problems::too_many_hops(&names(way, next), arm.span);
                    self.report(diagnostic);
                } else {
                    self.follow(mesh, next, way, done);
                }
                way.pop();
            }
        }
        done[service.index()] = true;
    }

    /// Addresses are tested only where it is said whose word is believed.
    fn check_addresses(&mut self, mesh: &Mesh) {
        let silent: Vec<_> = mesh
            .gateways
            .iter()
            .filter(|gateway| gateway.trusted_proxies.is_none())
            .collect();
        for gateway in &silent {
            for host in &gateway.hosts {
                if let Some(test) = address_test(&host.table) {
                    self.report(problems::client_ip_untrusted(test, gateway.span));
                }
            }
        }
        // A service's route runs at the gateways, too.
        let routes = mesh
            .services
            .iter()
            .filter_map(|service| service.route.as_ref());
        for test in routes.filter_map(address_test) {
            if let Some(gateway) = silent.first() {
                self.report(problems::client_ip_untrusted(test, gateway.span));
            }
        }
    }
}

/// The other services whose routes an arm of a service leads to.
fn onward(arm: &Arm) -> Vec<ServiceId> {
    let through = |target: Target| match target {
        Target::Service(service) => Some(service),
        Target::Own(_) | Target::Version(..) => None,
    };
    match &arm.action {
        Action::Forward(target) => through(*target).into_iter().collect(),
        Action::Split(shares) => shares
            .iter()
            .filter_map(|share| through(share.target))
            .collect(),
        Action::Redirect(_) | Action::Respond { .. } => Vec::new(),
    }
}

/// Whether the last arm of a route takes what is left, and no arm sends to the service's own endpoints.
fn leads_elsewhere(table: &Table, own: ServiceId) -> bool {
    let stays = |target: &Target| *target == Target::Own(own);
    let any_stays = table.arms.iter().any(|arm| match &arm.action {
        Action::Forward(target) => stays(target),
        Action::Split(shares) => shares.iter().any(|share| stays(&share.target)),
        Action::Redirect(_) | Action::Respond { .. } => false,
    });
    let takes_rest = table.arms.last().is_some_and(|arm| {
        arm.methods.is_empty() && arm.paths.is_empty() && arm.condition.is_none()
    });
    takes_rest && !any_stays
}
