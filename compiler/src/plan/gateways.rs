//! Gateways, as records.

use super::{PlanError, Planner, cidr, host_key};
use crate::model::{self, Certificate, ListenerKind};
use mesh_bundle::format::{self as format, Id, ListenerProtocol, Run, SizeSetting, extend};
use mesh_bundle::host::{HostEntry, Scope};
use zerocopy::little_endian::{U16, U32};

impl Planner<'_> {
    pub(super) fn gateways(&mut self) -> Result<(), PlanError> {
        let mesh = self.mesh;
        for (index, gateway) in (0u32..).zip(self.scope.gateways(mesh)) {
            let listeners: Vec<format::Listener> = gateway
                .listeners
                .iter()
                .map(|listener| self.listener(listener))
                .collect();
            let first_host = self.draft.host_blocks.len() as u32;
            for host in &gateway.hosts {
                self.host_block(index, gateway, host)?;
            }
            let trusted = gateway.trusted_proxies.iter().flatten();
            let bytes = gateway.header_bytes;
            let record = format::Gateway {
                name: self.draft.string(&gateway.name),
                namespace: self.draft.string(&gateway.namespace),
                identity: self.draft.string(&gateway.identity),
                listeners: extend(&mut self.draft.listeners, listeners),
                hosts: Run::new(first_host, gateway.hosts.len() as u32),
                trusted_proxies: extend(&mut self.draft.cidrs, trusted.copied().map(cidr)),
                header_count: self.setting(gateway.header_count),
                header_bytes: SizeSetting::new(bytes.value, self.opt_location(bytes.span())),
                location: self.location(gateway.span),
            };
            self.draft.gateways.push(record);
        }
        Ok(())
    }

    fn listener(&mut self, listener: &model::Listener) -> format::Listener {
        let mut record = format::Listener {
            port: U16::new(listener.port),
            location: self.location(listener.span),
            ..format::Listener::default()
        };
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let protocol = match &listener.kind {
            ListenerKind::Http { redirect, http2 } => {
                record.flags = flag(*http2, format::Listener::HTTP2)
                    | flag(redirect.is_some(), format::Listener::REDIRECT_HTTPS);
                ListenerProtocol::Http
            }
            ListenerKind::Https {
                http2,
                certificates,
                client_ca,
            } => {
                record.certificates = self.certificates(certificates);
                let optional = client_ca.as_ref().is_some_and(|said| said.value.optional);
                record.client_ca =
                    self.opt_string(client_ca.as_ref().map(|said| said.value.file.as_str()));
                record.flags = flag(*http2, format::Listener::HTTP2)
                    | flag(optional, format::Listener::CLIENT_CA_OPTIONAL);
                ListenerProtocol::Https
            }
            ListenerKind::Tcp(target) => {
                let (service, version) = self.target_words(*target);
                record.service = Id::new(service);
                record.version = U32::new(version);
                ListenerProtocol::Tcp
            }
            ListenerKind::Passthrough(names) => {
                let names: Vec<_> = names
                    .iter()
                    .map(|(pattern, target)| {
                        let (service, version) = self.target_words(*target);
                        format::PassedName {
                            pattern: self.draft.string(&pattern.to_string()),
                            service: Id::new(service),
                            version: U32::new(version),
                        }
                    })
                    .collect();
                record.names = extend(&mut self.draft.passed_names, names);
                ListenerProtocol::Passthrough
            }
        };
        record.protocol = protocol.code();
        record
    }

    fn certificates(&mut self, certificates: &[Certificate]) -> Run<format::Certificate> {
        let certificates: Vec<_> = certificates
            .iter()
            .map(|certificate| format::Certificate {
                certificate: self.draft.string(&certificate.certificate),
                key: self.draft.string(&certificate.key),
                location: self.location(certificate.span),
            })
            .collect();
        extend(&mut self.draft.certificates, certificates)
    }

    fn host_block(
        &mut self,
        gateway_index: u32,
        gateway: &model::Gateway,
        host: &model::HostBlock,
    ) -> Result<(), PlanError> {
        let index = self.draft.host_blocks.len() as u32;
        for pattern in &host.patterns {
            self.hosts.push(HostEntry {
                scope: Scope::Gateway(Id::new(gateway_index)),
                key: host_key(pattern),
                value: index,
            });
        }
        let names: Vec<String> = host.patterns.iter().map(ToString::to_string).collect();
        let weaker = gateway.policy.clone().over(self.mesh.defaults.clone());
        let policy = host.policy.clone().over(weaker);
        let authz = self.host_authz(host.authz.as_ref())?;
        let record = format::HostBlock {
            name: self.draft.string(&names.join(", ")),
            table: self.table(&host.table)?,
            policy: self.policy(&policy, &[])?,
            authz,
            certificates: self.certificates(&host.certificates),
            location: self.location(host.span),
        };
        self.draft.host_blocks.push(record);
        Ok(())
    }
}
