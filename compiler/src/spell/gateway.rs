//! Gateways, and the arms that others add to them.

use super::value::{list, size};
use super::{Line, Place};
use crate::model::{Arm, Certificate, Gateway, GatewayId, HostBlock, Listener, ListenerKind, Open};
use mesh_lang::value::quote;

impl<'m> Place<'m> {
    /// A gateway.
    pub(super) fn gateway_item(&self, id: GatewayId) -> Line {
        let gateway = &self.mesh[id];
        let export = if gateway.exported { "export " } else { "" };
        let mut lines = vec![Line::new(format!("identity {}", gateway.identity))];
        lines.extend(gateway.listeners.iter().map(|it| self.listener(it)));
        lines.extend(gateway.trusted_proxies.as_ref().map(|networks| {
            Line::new(match &networks[..] {
                [] => "trusted-proxies none".to_owned(),
                networks => format!("trusted-proxies {}", list(networks)),
            })
        }));
        lines.push(Line::new("header-limits").with(vec![
            Line::said(&gateway.header_count, |count| format!("count {count}")),
            Line::said(&gateway.header_bytes, |bytes| {
                format!("total {}", size(*bytes))
            }),
        ]));
        lines.extend(self.policy(&gateway.policy));
        let hosts = gateway.hosts.iter();
        lines.extend(hosts.map(|host| self.host(gateway, host)));
        Line::new(format!("{export}gateway {}", gateway.name))
            .at(gateway.span)
            .around(lines)
    }

    fn listener(&self, listener: &Listener) -> Line {
        let port = listener.port;
        let line = match &listener.kind {
            ListenerKind::Http { redirect, http2 } => {
                let mut block = Vec::new();
                block.extend(redirect.map(|it| Line::said(&it, |()| "redirect https".to_owned())));
                block.extend(http2.then(|| Line::new("http2")));
                Line::new(format!("listen {port} http")).perhaps_with(block)
            }
            ListenerKind::Https {
                http2,
                certificates,
                client_ca,
            } => {
                let mut block: Vec<Line> = certificates.iter().map(certificate).collect();
                block.extend(http2.then(|| Line::new("http2")));
                block.extend(client_ca.as_ref().map(|it| {
                    Line::said(it, |ca| {
                        let optional = if ca.optional { " optional" } else { "" };
                        format!("client-ca {}{optional}", quote(&ca.file))
                    })
                }));
                Line::new(format!("listen {port} https")).perhaps_with(block)
            }
            ListenerKind::Tcp(target) => {
                Line::new(format!("listen {port} tcp -> {}", self.target(*target)))
            }
            ListenerKind::Passthrough(names) => {
                let names = names.iter().map(|(name, target)| {
                    Line::new(format!("sni {name} -> {}", self.target(*target)))
                });
                Line::new(format!("listen {port} tls passthrough")).with(names.collect())
            }
        };
        line.at(listener.span)
    }

    fn host(&self, gateway: &Gateway, host: &HostBlock) -> Line {
        let mut lines: Vec<Line> = host.certificates.iter().map(certificate).collect();
        lines.extend(host.opens.iter().map(open));
        lines.extend(self.policy(&host.policy));
        lines.extend(host.authz.iter().flat_map(|authz| self.authz(authz)));
        for arm in host.table.arms.iter().filter(|arm| arm.fragment.is_none()) {
            lines.extend(self.in_force(gateway, host, arm));
            lines.push(self.arm(arm));
        }
        Line::new(format!("host {}", list(&host.patterns)))
            .at(host.span)
            .around(lines)
    }

    /// The arms that namespaces add to a host, each run of one namespace's as an item of its own, with the
    /// namespace.
    pub(super) fn fragments(&self, id: GatewayId) -> Vec<(&'m str, Line)> {
        let mesh = self.mesh;
        let gateway = &mesh[id];
        let runs = gateway.hosts.iter().flat_map(|host| {
            let arms = host.table.arms.chunk_by(|a, b| a.fragment == b.fragment);
            arms.map(move |arms| (host, arms))
        });
        let fragment = |(host, arms): (&'m HostBlock, &'m [Arm])| {
            let namespace = arms.first()?.fragment.as_deref()?;
            let place = Place::inside(mesh, namespace);
            let head = format!("routes {} {}", place.gateway(id), host.patterns.first()?);
            let arms = arms.iter().flat_map(|arm| {
                let in_force = place.in_force(gateway, host, arm);
                in_force.into_iter().chain([place.arm(arm)])
            });
            Some((namespace, Line::new(head).around(arms.collect())))
        };
        runs.filter_map(fragment).collect()
    }
}

fn certificate(certificate: &Certificate) -> Line {
    let (chain, key) = (quote(&certificate.certificate), quote(&certificate.key));
    Line::new(format!("certificate {chain} key {key}")).at(certificate.span)
}

fn open(open: &Open) -> Line {
    let paths = super::value::paths(&open.paths);
    Line::new(format!("open {paths} to namespace {}", open.namespace)).at(open.span)
}
