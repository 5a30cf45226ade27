//! What a mesh needs of the runtime that serves it: which features it uses, who needs them, and where
//! that is said.
//!
//! The bundle carries the list ([`mesh_bundle::needs`]), and `meshc compile` warns of what the runtime of
//! its version does not act on.

use super::Planner;
use crate::model::authz::{Authz, Rule};
use crate::model::condition::{Condition, Field};
use crate::model::credential::Credential;
use crate::model::policy::Policy;
use crate::model::said::Said;
use crate::model::upstream::{Algorithm, Endpoints, Spread};
use crate::model::{Gateway, GatewayId, ListenerKind, Mesh, Mtls, Service, ServiceId};
use mesh_bundle::format::{self as format, NeedScope, Protocol};
use mesh_bundle::needs::Feature;
use mesh_lang::source::Span;
use std::collections::BTreeSet;
use zerocopy::little_endian::{U16, U32};

/// A statement that asks for a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The feature.
    pub feature: Feature,
    /// Who needs it.
    pub by: Needer,
    /// The statement; `None` where the edition asks for it.
    pub span: Option<Span>,
}

/// Who needs a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needer {
    /// Every node.
    Everyone,
    /// A gateway.
    Gateway(GatewayId),
    /// The sidecars of a service.
    Sidecar(ServiceId),
    /// Whoever calls a service.
    Caller(ServiceId),
}

impl Planner<'_> {
    /// Writes what the mesh needs, each need of each node once.
    pub(super) fn needs(&mut self, asked: &[Asked]) {
        let mut known = BTreeSet::new();
        for asked in asked {
            let scope = &self.scope;
            let subject = match asked.by {
                Needer::Everyone => Some((NeedScope::Everyone, u32::MAX)),
                Needer::Gateway(gateway) => scope
                    .gateway_record(gateway)
                    .map(|record| (NeedScope::Gateway, record)),
                Needer::Sidecar(service) => scope
                    .record(service)
                    .filter(|_| scope.holds_sidecar(service))
                    .map(|record| (NeedScope::Sidecar, record)),
                Needer::Caller(service) => scope
                    .record(service)
                    .filter(|_| scope.is_target(service))
                    .map(|record| (NeedScope::Caller, record)),
            };
            let Some((scope, subject)) = subject else {
                continue; // it is nobody's who is here
            };
            if !known.insert((asked.feature, asked.by)) {
                continue;
            }
            let need = format::Need {
                feature: U16::new(asked.feature.code()),
                protection: u8::from(asked.feature.is_protection()),
                scope: scope.code(),
                subject: U32::new(subject),
                location: self.opt_location(asked.span),
            };
            self.draft.needs.push(need);
        }
    }
}

/// All that a mesh asks for, statement by statement.
pub fn of(mesh: &Mesh) -> Vec<Asked> {
    let mut needs = Needs {
        mesh,
        all: Vec::new(),
    };
    needs.mesh();
    for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
        needs.service(id, service);
    }
    for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
        needs.gateway(id, gateway);
    }
    needs.all
}

struct Needs<'m> {
    mesh: &'m Mesh,
    all: Vec<Asked>,
}

impl Needs<'_> {
    fn add(&mut self, feature: Feature, by: Needer, span: Option<Span>) {
        self.all.push(Asked { feature, by, span });
    }

    fn mesh(&mut self) {
        let mesh = self.mesh;
        if mesh.mtls.value != Mtls::Off {
            self.add(Feature::Mtls, Needer::Everyone, mesh.mtls.span());
        }
        if mesh.egress.value {
            self.add(Feature::EgressAllow, Needer::Everyone, mesh.egress.span());
        }
        if !mesh.access_log.value {
            let span = mesh.access_log.span();
            self.add(Feature::AccessLogOff, Needer::Everyone, span);
        }
        if mesh.tracing.value.on().is_some() {
            self.add(Feature::Tracing, Needer::Everyone, mesh.tracing.span());
        }
        self.traffic(&mesh.defaults, Needer::Everyone, Needer::Everyone);
    }

    fn service(&mut self, id: ServiceId, service: &Service) {
        let callers = Needer::Caller(id);
        // Without a sidecar the callers' proxies enforce what can be enforced.
        let target = if self.mesh.without_sidecar(service) {
            callers
        } else {
            Needer::Sidecar(id)
        };
        if service.external {
            self.add(Feature::External, callers, Some(service.span));
        } else if let Some(mtls) = service.mtls
            && mtls.value != Mtls::Off
            && self.mesh.mtls.value == Mtls::Off
        {
            self.add(Feature::Mtls, target, mtls.span());
            self.add(Feature::Mtls, callers, mtls.span());
        }
        if let Some(tls) = &service.tls {
            self.add(Feature::UpstreamTls, callers, tls.span());
        }
        if service.protocol.value == Protocol::Tcp {
            self.add(Feature::Tcp, callers, service.protocol.span());
            self.add(Feature::Tcp, target, service.protocol.span());
        }
        let denies = self.mesh.namespace(&service.namespace);
        let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
        match &service.authz {
            Some(authz) => self.authz(authz, target),
            None if !self.mesh.open_by_default.value => {
                self.add(Feature::Authz, target, self.mesh.open_by_default.span());
            }
            None => {
                if let Some(deny) = denies.first() {
                    self.add(Feature::Authz, target, Some(deny.span));
                }
            }
        }
        self.rules(denies, target);
        self.traffic(&service.policy, callers, target);
        if let Some(namespace) = self.mesh.namespace(&service.namespace) {
            for limit in &namespace.rate_limits.each {
                self.add(Feature::RateLimit, target, limit.span());
            }
            if let Some(limits) = &namespace.limits {
                self.add(Feature::Limits, callers, limits.span());
            }
        }
        self.spread(&service.spread, &service.endpoints, callers);
        for version in &service.versions {
            self.spread(&version.spread, &version.endpoints, callers);
        }
        if let Some(failover) = &service.failover {
            self.add(Feature::Failover, callers, failover.span());
        }
        for call in service.calls.iter().flatten() {
            let own = Needer::Sidecar(id);
            if call.on.is_some() {
                self.add(Feature::CallsOn, own, Some(call.span));
            }
            self.traffic(&call.policy, own, own);
        }
        for arm in service.route.iter().flat_map(|route| &route.arms) {
            self.traffic(&arm.policy, callers, callers);
            self.tokens(arm.condition.as_ref(), callers);
        }
    }

    fn gateway(&mut self, id: GatewayId, gateway: &Gateway) {
        let own = Needer::Gateway(id);
        for listener in &gateway.listeners {
            match &listener.kind {
                ListenerKind::Http { .. } => {}
                ListenerKind::Https {
                    certificates,
                    client_ca,
                    ..
                } => {
                    if let Some(ca) = client_ca {
                        self.add(Feature::ClientCa, own, ca.span());
                    }
                    if let [_, second, ..] = &certificates[..] {
                        self.add(Feature::Certificates, own, Some(second.span));
                    }
                }
                ListenerKind::Tcp(_) => self.add(Feature::Tcp, own, Some(listener.span)),
                ListenerKind::Passthrough(_) => {
                    self.add(Feature::Passthrough, own, Some(listener.span));
                }
            }
        }
        let limits = [gateway.header_count.span(), gateway.header_bytes.span()];
        if let Some(span) = limits.into_iter().flatten().next() {
            self.add(Feature::HeaderLimits, own, Some(span));
        }
        self.traffic(&gateway.policy, own, own);
        for host in &gateway.hosts {
            self.traffic(&host.policy, own, own);
            if let Some(certificate) = host.certificates.first() {
                self.add(Feature::HostCertificate, own, Some(certificate.span));
            }
            if let Some(authz) = &host.authz {
                self.authz(authz, own);
            }
            for arm in &host.table.arms {
                self.traffic(&arm.policy, own, own);
                self.tokens(arm.condition.as_ref(), own);
            }
        }
    }

    fn authz(&mut self, authz: &Authz, target: Needer) {
        self.add(Feature::Authz, target, Some(authz.span));
        if let Some(external) = &authz.external {
            self.add(Feature::AuthzExternal, target, external.span());
        }
        let lists = [&authz.rules, &authz.shadow].into_iter().flatten();
        for rules in lists {
            self.rules(rules, target);
        }
    }

    fn rules(&mut self, rules: &[Rule], target: Needer) {
        for rule in rules {
            self.tokens(rule.condition.as_ref(), target);
        }
    }

    /// Tests of what has to be verified first.
    fn tokens(&mut self, condition: Option<&Condition>, by: Needer) {
        for test in condition.into_iter().flat_map(Condition::tests) {
            let feature = match test.field {
                Field::Jwt(_) | Field::Claim(..) => Feature::AcceptJwt,
                Field::Key(_) => Feature::AcceptKey,
                Field::ClientCertSan => Feature::ClientCa,
                _ => continue,
            };
            self.add(feature, by, Some(test.span));
        }
    }

    /// What a level says about traffic: some of it the calling proxy does, some the target's own.
    fn traffic(&mut self, policy: &Policy, caller: Needer, target: Needer) {
        macro_rules! said {
            ($($field:ident => $feature:ident, $by:ident;)*) => {
                $(if let Some(said) = &policy.$field
                    && said.value.on().is_some()
                {
                    self.add(Feature::$feature, $by, said.span());
                })*
            };
        }
        said! {
            retry => Retry, caller;
            hedge => Hedge, caller;
            sticky => Sticky, caller;
            cors => Cors, caller;
            buffer => Buffer, caller;
            compress => Compress, caller;
            max_body => MaxBody, target;
        }
        let rewrite = &policy.rewrite;
        let rewrites = [
            rewrite.path.as_ref().and_then(Said::span),
            rewrite.host.as_ref().and_then(Said::span),
        ];
        for span in rewrites.into_iter().flatten() {
            self.add(Feature::Rewrite, caller, Some(span));
        }
        for said in &policy.rate_limits.each {
            self.add(Feature::RateLimit, target, said.span());
        }
        for said in &policy.mirrors.each {
            self.add(Feature::Mirror, caller, said.span());
        }
        for said in &policy.faults.each {
            self.add(Feature::Fault, caller, said.span());
        }
        for said in &policy.request_headers.each {
            self.add(Feature::RequestHeader, caller, said.span());
        }
        for said in &policy.response_headers.each {
            self.add(Feature::ResponseHeader, caller, said.span());
        }
        for said in &policy.requires {
            let feature = match said.value.credential {
                Credential::Jwt(_) => Feature::RequireJwt,
                Credential::Key(_) => Feature::RequireKey,
            };
            self.add(feature, target, said.span());
        }
        for said in &policy.accepts {
            let feature = match said.value {
                Credential::Jwt(_) => Feature::AcceptJwt,
                Credential::Key(_) => Feature::AcceptKey,
            };
            self.add(feature, target, said.span());
        }
    }

    fn spread(&mut self, spread: &Spread, endpoints: &Endpoints, callers: Needer) {
        if let Endpoints::From(said) = endpoints {
            self.add(Feature::EndpointSource, callers, said.span());
        }
        if let Some(balance) = &spread.balance {
            let plain = balance.algorithm.value == Algorithm::LeastRequest;
            let extra = [
                balance.slow_start.as_ref().and_then(Said::span),
                balance.prefer_zone.as_ref().and_then(Said::span),
            ];
            let span = extra.into_iter().flatten().next();
            if !plain || span.is_some() {
                self.add(Feature::Balance, callers, span.or(balance.algorithm.span()));
            }
        }
        // Those of the edition are asked for by nobody.
        if let Some(said) = &spread.limits
            && said.value.on().is_some()
            && said.span().is_some()
        {
            self.add(Feature::Limits, callers, said.span());
        }
        if let Some(said) = &spread.eject
            && said.value.on().is_some()
        {
            self.add(Feature::Eject, callers, said.span());
        }
        if let Some(said) = &spread.health
            && said.value.on().is_some()
        {
            self.add(Feature::Health, callers, said.span());
        }
    }
}
