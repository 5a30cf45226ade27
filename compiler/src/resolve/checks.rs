//! What can only be seen with all items side by side.

use super::Resolver;
use super::problems;
use crate::model::authz::{Authz, Rule, Who};
use crate::model::condition::{Condition, Field};
use crate::model::credential::Credential;
use crate::model::policy::{PathRewrite, Policy};
use crate::model::said::Origin;
use crate::model::upstream::Endpoints;
use crate::model::{
    Action, Arm, Gateway, HostBlock, ListenerKind, Mesh, Mtls, Service, ServiceId, Table, Target,
    Tls,
};
use mesh_bundle::format::Protocol;
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
            self.check_tcp(service);
            self.check_authenticable(mesh, service);
            self.check_calls(mesh, service);
            self.check_targets(mesh, service);
        }
        self.check_rewrites(mesh);
        self.check_service_hosts(mesh);
        self.check_identities(mesh);
        self.check_circles(mesh);
        self.check_addresses(mesh);
        for gateway in &mesh.gateways {
            self.check_tokens(mesh, gateway);
            for host in &gateway.hosts {
                let policies = [&gateway.policy, &host.policy];
                self.check_table(mesh, &host.table, Protocol::Http, &policies);
            }
            self.check_listeners(mesh, gateway);
        }
    }

    fn check_listeners(&mut self, mesh: &Mesh, gateway: &Gateway) {
        if gateway.listeners.is_empty() {
            self.report(
                Diagnostic::new(Code::MissingStatement, "this gateway has no listener")
                    .primary(gateway.span, "")
                    .help("say where it listens: `listen 80 http`"),
            );
        }
        for listener in &gateway.listeners {
            let targets: Vec<Target> = match &listener.kind {
                ListenerKind::Http { .. } | ListenerKind::Https { .. } => continue,
                ListenerKind::Tcp(target) => vec![*target],
                ListenerKind::Passthrough(names) => names.iter().map(|(_, it)| *it).collect(),
            };
            let is_tls = matches!(listener.kind, ListenerKind::Passthrough(_));
            for target in targets {
                let service = &mesh[target.service()];
                let verifies =
                    matches!(&service.tls, Some(tls) if matches!(tls.value, Tls::Verify(_)));
                if is_tls && verifies && mesh.without_sidecar(service) {
                    self.report(problems::tls_twice(listener.span, service));
                }
                if service.protocol.value != Protocol::Tcp {
                    self.report(problems::http_behind_tcp(listener.span, service));
                }
            }
        }
    }

    /// Captures, and what stands before a `/**`, are an arm's; no other level has any.
    fn check_rewrites(&mut self, mesh: &Mesh) {
        let services = mesh.services.iter().map(|service| &service.policy);
        let gateways = mesh.gateways.iter().flat_map(|gateway| {
            let hosts = gateway.hosts.iter().map(|host| &host.policy);
            std::iter::once(&gateway.policy).chain(hosts)
        });
        let levels = std::iter::once(&mesh.defaults)
            .chain(services)
            .chain(gateways);
        for rewrite in levels.filter_map(|level| level.rewrite.path.as_ref()) {
            let (what, origin) = match &rewrite.value {
                PathRewrite::Prefix(_) => (
                    "`rewrite prefix` replaces what stands before `/**`",
                    rewrite.origin,
                ),
                PathRewrite::Template(path) if path.names().next().is_some() => {
                    ("this fills in captures", rewrite.origin)
                }
                PathRewrite::Template(_) => continue,
            };
            if let Origin::Written(span) | Origin::Used { used: span, .. } = origin {
                let message = format!("{what}, and only arms have paths");
                self.report(problems::bad_value(span, message).help("say it in the arm"));
            }
        }
    }

    fn check_endpoints(&mut self, id: ServiceId, service: &Service) {
        let nowhere = |it: &Self, endpoints: &Endpoints, owner: Span| {
            endpoints.is_none() && !it.unfinished_endpoints.contains(&owner)
        };
        for version in &service.versions {
            if nowhere(self, &version.endpoints, version.span) {
                let what = format!("version `{}`", version.name);
                self.report(problems::no_endpoints(version.span, &what));
            }
        }
        let elsewhere = service
            .route
            .as_ref()
            .is_some_and(|table| leads_elsewhere(table, id));
        if nowhere(self, &service.endpoints, service.span)
            && service.versions.is_empty()
            && !elsewhere
        {
            let what = if service.external {
                "external"
            } else {
                "service"
            };
            let what = format!("{what} `{}`", service.name);
            self.report(problems::no_endpoints(service.span, &what));
        }
    }

    /// What is said about requests means nothing where there are only bytes.
    fn check_tcp(&mut self, service: &Service) {
        if service.protocol.value != Protocol::Tcp {
            let tls = service.tls.as_ref();
            if let Some(tls) = tls.filter(|tls| tls.value == Tls::Passthrough) {
                let span = tls.span().unwrap_or(service.span);
                self.report(problems::http_within_tls(span, service));
            }
            return;
        }
        let declared = service.protocol.span().unwrap_or(service.span);
        if let Some(route) = &service.route {
            let asks = |arm: &&Arm| {
                let of_request = arm.condition.iter().flat_map(Condition::tests);
                !arm.methods.is_empty()
                    || !arm.paths.is_empty()
                    || of_request
                        .into_iter()
                        .any(|test| !is_of_connection(&test.field))
                    || matches!(arm.action, Action::Redirect(_) | Action::Respond { .. })
            };
            for arm in route.arms.iter().filter(asks) {
                self.report(problems::request_on_tcp(arm.span, "this arm is", declared));
            }
            for arm in &route.arms {
                self.check_tcp_policy(&arm.policy, declared);
            }
        }
        self.check_tcp_policy(&service.policy, declared);
        if let Some(said) = &service.spread.health
            && let Some(health) = said.value.on()
        {
            let span = said.span().unwrap_or(declared);
            let what = format!("`health {} {}` is", health.method, health.path);
            self.report(problems::request_on_tcp(span, &what, declared));
        }
        let rules = |authz: &Authz| -> Vec<Rule> {
            let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
            lists.flatten().cloned().collect()
        };
        for rule in service.authz.iter().flat_map(rules) {
            let of_request = rule.condition.iter().flat_map(Condition::tests);
            if !rule.methods.is_empty()
                || !rule.paths.is_empty()
                || of_request
                    .into_iter()
                    .any(|test| !is_of_connection(&test.field))
            {
                self.report(problems::rule_on_tcp(rule.span, declared));
            }
        }
    }

    /// What takes over from a service, or gets part of its traffic, understands the same.
    fn check_targets(&mut self, mesh: &Mesh, service: &Service) {
        let protocol = service.protocol.value;
        if let Some(failover) = service.failover {
            let span = failover.span().unwrap_or(service.span);
            self.check_target(mesh, span, protocol, failover.value);
        }
        let none = Table::default();
        let route = service.route.as_ref().unwrap_or(&none);
        self.check_table(mesh, route, protocol, &[&service.policy]);
    }

    fn check_table(&mut self, mesh: &Mesh, table: &Table, protocol: Protocol, around: &[&Policy]) {
        for arm in &table.arms {
            let targets = arm.action.targets();
            for target in &targets {
                self.check_target(mesh, arm.span, protocol, *target);
            }
            for pair in targets.windows(2) {
                self.check_share(mesh, arm.span, pair[0], pair[1]);
            }
        }
        let policies = table.arms.iter().map(|arm| &arm.policy);
        for policy in policies.chain(around.iter().copied()) {
            for mirror in &policy.mirrors.each {
                if let Some(span) = mirror.span() {
                    self.check_target(mesh, span, protocol, mirror.value.target);
                }
            }
        }
    }

    /// Requests go to where they are understood, bytes to where nobody looks into them.
    fn check_target(&mut self, mesh: &Mesh, span: Span, from: Protocol, to: Target) {
        let service = &mesh[to.service()];
        match (from, service.protocol.value) {
            (Protocol::Tcp, Protocol::Tcp) => {}
            (Protocol::Tcp, _) => self.report(problems::http_behind_tcp(span, service)),
            (_, Protocol::Tcp) => self.report(problems::tcp_behind_http(span, service)),
            (Protocol::Grpc, Protocol::Http1) => {
                self.report(problems::grpc_over_http1(span, service));
            }
            _ => {}
        }
    }

    /// A request may be drawn for either of two shares, so that both must understand it.
    fn check_share(&mut self, mesh: &Mesh, span: Span, one: Target, other: Target) {
        let (one, other) = (&mesh[one.service()], &mesh[other.service()]);
        match (one.protocol.value, other.protocol.value) {
            (Protocol::Grpc, Protocol::Http1) => {
                self.report(problems::grpc_over_http1(span, other));
            }
            (Protocol::Http1, Protocol::Grpc) => self.report(problems::grpc_over_http1(span, one)),
            _ => {}
        }
    }

    fn check_tcp_policy(&mut self, policy: &Policy, declared: Span) {
        for (what, span) in policy.of_requests() {
            let what = format!("`{what}` is");
            self.report(problems::request_on_tcp(
                span.unwrap_or(declared),
                &what,
                declared,
            ));
        }
    }

    /// Rules name callers only where those can prove who they are.
    fn check_authenticable(&mut self, mesh: &Mesh, service: &Service) {
        // Callers of an external prove themselves to their own proxy, which knows them.
        if service.external {
            return;
        }
        let mtls = mesh.mtls_of(service);
        let rules = service.authz.iter().flat_map(|authz| {
            let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
            lists.flatten()
        });
        let denies = mesh.namespace(&service.namespace);
        let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
        for rule in rules.chain(denies) {
            let named = rule.who.iter().any(|who| match who {
                Who::Anyone => false,
                // Under `sidecar none` the gateway enforces the rules: it knows itself.
                Who::Gateway(_) => !mesh.without_sidecar(service),
                Who::AnyService | Who::Namespace(_) | Who::Service(_) => true,
            });
            let tests = rule.condition.iter().flat_map(Condition::tests);
            let tested = tests
                .into_iter()
                .find(|test| matches!(test.field, Field::Source | Field::SourceNamespace));
            let span = match (named, tested) {
                (true, _) => rule.span,
                (false, Some(test)) => test.span,
                (false, None) => continue,
            };
            if mesh.without_sidecar(service) {
                let why = service.sidecar_none.or(mesh.sidecar_none);
                self.report(problems::caller_unproved(
                    span,
                    "sidecar none",
                    why.and_then(|it| it.span()),
                ));
            } else if mtls.value == Mtls::Off {
                self.report(problems::caller_unproved(span, "mtls off", mtls.span()));
            }
        }
    }

    fn check_calls(&mut self, mesh: &Mesh, service: &Service) {
        let mut taken: Vec<(std::net::SocketAddr, Span)> = Vec::new();
        for call in service.calls.iter().flatten() {
            let callee = &mesh[call.target];
            let is_tcp = callee.protocol.value == Protocol::Tcp;
            match call.on {
                None if is_tcp => self.report(problems::no_local_port(call.span, callee)),
                None => {}
                Some(_) if !is_tcp => self.report(problems::needless_local_port(call.span, callee)),
                Some(address) => match taken.iter().find(|(known, _)| *known == address) {
                    Some((_, first)) => {
                        let message = format!("two calls of this service are at `{address}`");
                        let first = *first;
                        self.report(
                            Diagnostic::new(Code::ListenerConflict, message)
                                .primary(call.span, "again here")
                                .secondary(first, "taken here"),
                        );
                    }
                    None => taken.push((address, call.span)),
                },
            }
        }
    }

    /// Whoever shares an identity is the same caller to every rule.
    fn check_identities(&mut self, mesh: &Mesh) {
        let mut owners: BTreeMap<&str, Span> = BTreeMap::new();
        let services = mesh.services.iter().filter(|service| !service.external);
        let services = services.map(|service| (service.identity.as_str(), service.span));
        let gateways = mesh.gateways.iter();
        let gateways = gateways.map(|gateway| (gateway.identity.as_str(), gateway.span));
        for (identity, span) in services.chain(gateways) {
            if let Some(first) = owners.insert(identity, span) {
                let message = format!("two of the mesh prove the identity `{identity}`");
                self.report(
                    Diagnostic::new(Code::DuplicateDecl, message)
                        .primary(span, "this one")
                        .secondary(first, "and this one")
                        .help("give one of them another `identity`: rules cannot tell them apart"),
                );
            }
        }
    }

    /// Tokens and keys are tested at a gateway only where they were asked for: elsewhere none is ever
    /// verified, and the test is always false.
    fn check_tokens(&mut self, mesh: &Mesh, gateway: &Gateway) {
        for host in &gateway.hosts {
            let levels = [&mesh.defaults, &gateway.policy, &host.policy];
            let asked: Vec<Credential> = levels.into_iter().flat_map(Policy::credentials).collect();
            for arm in &host.table.arms {
                let own: Vec<Credential> = arm.policy.credentials().collect();
                let conditions = arm.policy.requires.iter();
                let conditions = conditions.filter_map(|said| said.value.condition.as_ref());
                for condition in arm.condition.iter().chain(conditions) {
                    self.check_token_tests(mesh, condition, &[&asked, &own], host);
                }
            }
            let requires = levels.into_iter().flat_map(|level| &level.requires);
            let requires = requires.filter_map(|said| said.value.condition.as_ref());
            let lists = host.authz.iter().flat_map(|authz| {
                let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
                lists.flatten()
            });
            let rules = lists.filter_map(|rule| rule.condition.as_ref());
            for condition in requires.chain(rules) {
                self.check_token_tests(mesh, condition, &[&asked], host);
            }
        }
    }

    fn check_token_tests(
        &mut self,
        mesh: &Mesh,
        condition: &Condition,
        asked: &[&[Credential]],
        host: &HostBlock,
    ) {
        for test in condition.tests() {
            let credential = match test.field {
                Field::Jwt(jwt) | Field::Claim(jwt, _) => Credential::Jwt(jwt),
                Field::Key(keys) => Credential::Key(keys),
                _ => continue,
            };
            if !asked.iter().any(|asked| asked.contains(&credential)) {
                let name = match credential {
                    Credential::Jwt(jwt) => format!("jwt {}", mesh[jwt].name),
                    Credential::Key(keys) => format!("key {}", mesh[keys].name),
                };
                self.report(problems::claim_without_provider(
                    test.span, &name, host.span,
                ));
            }
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
            self.follow_routes(mesh, ServiceId(start as u32), &mut way, &mut done);
        }
    }

    fn follow_routes(
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
                    self.follow_routes(mesh, next, way, done);
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
                let policies = [&gateway.policy, &host.policy].into_iter();
                let arms = host.table.arms.iter();
                let policies = policies.chain(arms.map(|arm| &arm.policy));
                let limited = policies.into_iter().find_map(address_counted);
                let rules = host.authz.iter().filter_map(|authz| authz.rules.as_deref());
                let ruled = rules.flatten().filter_map(|rule| rule.condition.as_ref());
                let ruled = ruled.into_iter().find_map(address_test);
                if let Some(test) = table_address_test(&host.table).or(limited).or(ruled) {
                    self.report(problems::client_ip_untrusted(test, gateway.span));
                }
            }
        }
        // A service's route runs at the gateways, too, and its rules see the client's address.
        let tests = mesh.services.iter().filter_map(|service| {
            let rules = service
                .authz
                .iter()
                .filter_map(|authz| authz.rules.as_deref());
            let mut ruled = rules.flatten().filter_map(|rule| rule.condition.as_ref());
            let route = service.route.as_ref().and_then(table_address_test);
            route
                .or_else(|| ruled.find_map(address_test))
                .or_else(|| address_counted(&service.policy))
        });
        for test in tests {
            if let Some(gateway) = silent.first() {
                self.report(problems::client_ip_untrusted(test, gateway.span));
            }
        }
    }
}

/// Whether a field is one of the connection, not of a request.
fn is_of_connection(field: &Field) -> bool {
    matches!(
        field,
        Field::Source
            | Field::SourceNamespace
            | Field::SourceIp
            | Field::ClientIp
            | Field::Port
            | Field::ClientCertSan
    )
}

/// The first test of an address in a condition.
fn address_test(condition: &Condition) -> Option<Span> {
    let mut tests = condition.tests().into_iter();
    let test = tests.find(|test| matches!(test.field, Field::SourceIp | Field::ClientIp));
    test.map(|test| test.span)
}

/// The first test of an address in a table.
fn table_address_test(table: &Table) -> Option<Span> {
    let conditions = table.arms.iter().filter_map(|arm| arm.condition.as_ref());
    conditions.into_iter().find_map(address_test)
}

/// A limit that counts clients apart by their addresses, or a split that keeps them together.
fn address_counted(policy: &Policy) -> Option<Span> {
    let is_address = |field: &Field| matches!(field, Field::SourceIp | Field::ClientIp);
    let mut limits = policy.rate_limits.each.iter();
    let limit = limits.find(|said| said.value.per.iter().any(is_address));
    let sticky = policy.sticky.as_ref();
    let sticky = sticky.filter(|said| said.value.on().is_some_and(is_address));
    limit
        .and_then(super::super::model::said::Said::span)
        .or_else(|| sticky.and_then(super::super::model::said::Said::span))
}

/// The other services whose routes an arm of a service leads to.
fn onward(arm: &Arm) -> impl Iterator<Item = ServiceId> {
    let targets = arm.action.targets().into_iter();
    targets.filter_map(|target| match target {
        Target::Service(service) => Some(service),
        Target::Own(_) | Target::Version(..) => None,
    })
}

/// Whether the last arm of a route takes what is left, and no arm sends to the service's own endpoints.
fn leads_elsewhere(table: &Table, own: ServiceId) -> bool {
    let stays = |arm: &Arm| arm.action.targets().contains(&Target::Own(own));
    let any_stays = table.arms.iter().any(stays);
    let takes_rest = table.arms.last().is_some_and(|arm| {
        arm.methods.is_empty() && arm.paths.is_empty() && arm.condition.is_none()
    });
    takes_rest && !any_stays
}
