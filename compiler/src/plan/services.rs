//! Services and what is outside the mesh, as records.

use super::policies::push;
use super::{PlanError, Planner, mtls_code};
use crate::model::said::{Many, Said};
use crate::model::{self, ServiceId, Tls};
use mesh_bundle::format::{self as format, Id, Run, UpstreamTls};
use std::net::SocketAddr;
use zerocopy::little_endian::{U16, U32};

impl Planner<'_> {
    pub(super) fn services(&mut self) -> Result<(), PlanError> {
        let mesh = self.mesh;
        let there: Vec<_> = self.scope.services(mesh).collect();
        for (id, service) in there {
            self.service(id, service)?;
        }
        Ok(())
    }

    /// Where each service's versions will be; targets name them before they are written.
    pub(super) fn number_versions(&mut self) {
        let mut versions = 0;
        for (id, service) in (0..).map(ServiceId).zip(&self.mesh.services) {
            self.first_version.push(versions);
            if self.scope.record(id).is_some() {
                versions += service.versions.len() as u32;
            }
        }
    }

    fn service(&mut self, id: ServiceId, service: &model::Service) -> Result<(), PlanError> {
        let endpoints = self.endpoints(id, service);
        self.versions(service, endpoints)?;
        let (is_target, holds_sidecar) = (self.scope.is_target(id), self.scope.holds_sidecar(id));
        let calls = if holds_sidecar {
            self.calls(service)?
        } else {
            Run::EMPTY
        };
        let route = match &service.route {
            Some(table) if is_target => self.table(table)?,
            _ => Id::NONE,
        };
        let mesh = self.mesh;
        let mut flags = 0;
        for (is, bit) in [
            (service.calls.is_some(), format::Service::CALLS_LISTED),
            (service.external, format::Service::EXTERNAL),
            (mesh.without_sidecar(service), format::Service::SIDECAR_NONE),
            (service.exported, format::Service::EXPORTED),
        ] {
            flags |= if is { bit } else { 0 };
        }
        let mtls = mesh.mtls_of(service);
        let mtls = Said {
            value: u32::from(mtls_code(mtls.value)),
            origin: mtls.origin,
        };
        let (tls, tls_name) = match service.tls.as_ref() {
            None => (None, None),
            Some(said) => {
                let (mode, name) = match &said.value {
                    Tls::Verify(name) => (UpstreamTls::Verify, Some(name.as_str())),
                    Tls::Passthrough => (UpstreamTls::Passthrough, None),
                };
                let value = u32::from(mode.code());
                let origin = said.origin;
                (Some(Said { value, origin }), name)
            }
        };
        // What the namespace says holds for each of its services.
        let namespace = mesh.namespace(&service.namespace);
        let mut policy = service.policy.clone();
        let mut spread = service.spread.clone();
        if let Some(namespace) = namespace {
            let limits = Many {
                off: None,
                each: namespace.rate_limits.each.clone(),
            };
            policy.rate_limits = policy.rate_limits.over(limits);
            spread.limits = spread.limits.or(namespace.limits);
        }
        if !is_target {
            policy.mirrors = Many::default(); // callers send them
        }
        let (failover, failover_version) = match &service.failover {
            Some(said) if is_target => self.target_words(said.value),
            _ => (u32::MAX, u32::MAX),
        };
        // Where no sidecar stands before a service, its callers go by its rules.
        let authz = if holds_sidecar || mesh.without_sidecar(service) {
            self.service_authz(service)?
        } else {
            self.nobody()
        };
        let record = format::Service {
            name: self.draft.string(&service.name),
            namespace: self.draft.string(&service.namespace),
            identity: self.draft.string(&service.identity),
            protocol: service.protocol.value.code(),
            flags,
            mtls: self.setting(mtls),
            tls: self.opt_setting(tls),
            tls_name: self.opt_string(tls_name),
            route,
            endpoints,
            source: self.source(&service.endpoints)?,
            versions: Run::new(
                self.first_version[id.index()],
                service.versions.len() as u32,
            ),
            calls,
            policy: self.policy(&policy, &[])?,
            spread: self.spread(&spread),
            failover: Id::new(failover),
            failover_version: U32::new(failover_version),
            authz,
            location: self.location(service.span),
        };
        self.draft.services.push(record);
        Ok(())
    }

    fn endpoints(&mut self, id: ServiceId, service: &model::Service) -> Run<format::Endpoint> {
        let first = self.draft.endpoints.len() as u32;
        let first_version = self.first_version[id.index()];
        let port = self.mesh.sidecar_port.value;
        let without_sidecar = self.mesh.without_sidecar(service);
        for (version, endpoint) in service.all_endpoints() {
            // Without a sidecar callers reach the application itself.
            let beside: SocketAddr = if without_sidecar {
                endpoint.address
            } else {
                (endpoint.address.ip(), port).into()
            };
            let sidecar = endpoint.via.unwrap_or(beside);
            let record = format::Endpoint {
                address: format::address_bytes(endpoint.address.ip()),
                sidecar: format::address_bytes(sidecar.ip()),
                port: U16::new(endpoint.address.port()),
                sidecar_port: U16::new(sidecar.port()),
                weight: U32::new(endpoint.weight),
                service: self.service_record(id),
                version: version
                    .map_or(Id::NONE, |version| Id::new(first_version + version as u32)),
                location: self.location(endpoint.span),
            };
            self.draft.endpoints.push(record);
        }
        Run::new(first, self.draft.endpoints.len() as u32 - first)
    }

    fn versions(
        &mut self,
        service: &model::Service,
        endpoints: Run<format::Endpoint>,
    ) -> Result<(), PlanError> {
        let mut next = (endpoints.start() + service.endpoints.listed().len()) as u32;
        for version in &service.versions {
            let count = version.endpoints.listed().len() as u32;
            let record = format::Version {
                name: self.draft.string(&version.name),
                endpoints: Run::new(next, count),
                source: self.source(&version.endpoints)?,
                spread: self.spread(&version.spread),
                location: self.location(version.span),
            };
            self.draft.versions.push(record);
            next += count;
        }
        Ok(())
    }

    fn calls(&mut self, service: &model::Service) -> Result<Run<format::Call>, PlanError> {
        let mut calls: Vec<&model::Call> = service.calls.iter().flatten().collect();
        calls.sort_by_key(|call| call.target);
        let first = self.draft.calls.len() as u32;
        for call in &calls {
            let on = call
                .on
                .map(|on| (format::address_bytes(on.ip()), on.port()));
            let (on, on_port) = on.unwrap_or_default();
            let record = format::Call {
                target: self.service_record(call.target),
                policy: self.policy(&call.policy, &[])?,
                on,
                on_port: U16::new(on_port),
                location: self.location(call.span),
            };
            push(&mut self.draft.calls, record);
        }
        Ok(Run::new(first, calls.len() as u32))
    }
}
