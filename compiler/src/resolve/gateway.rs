//! `gateway` items.

use super::problems;
use super::{Resolver, Room, Scope};
use crate::model::said::Said;
use crate::model::{
    Certificate, ClientCa, Gateway, GatewayId, HostBlock, Listener, ListenerKind, Open, Target,
};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, Port};
use mesh_lang::view::{BlockItem, Setting, Value};

impl<'t> Resolver<'t> {
    /// A gateway. Its name was declared, so it has one.
    pub(super) fn gateway(
        &mut self,
        id: GatewayId,
        namespace: &'t str,
        item: BlockItem<'t>,
    ) -> Gateway {
        let name = item.name().map_or("", |name| name.text);
        let span = item.name().map_or(item.head_span(), |name| name.span);
        let identity = self.identity(namespace, "gw", name);
        let mut gateway = Gateway::new(name, namespace, identity, span);
        gateway.exported = item.exported();
        gateway.policy = self.policy(item.block());
        for setting in Self::settings(item.block()) {
            match setting.keyword().text {
                "identity" => {
                    if let Some(identity) = self.said_identity(setting, namespace, "gw") {
                        gateway.identity = identity;
                    }
                }
                "listen" => {
                    let listener = self.listener(setting);
                    gateway.listeners.extend(listener);
                }
                "trusted-proxies" if self.says(setting, "none") => {
                    gateway.trusted_proxies = Some(Vec::new());
                }
                "trusted-proxies" => {
                    let values = self.args(setting).values();
                    let networks = self.each(values, |it, due| it.read_due(due, Cidr::parse));
                    gateway.trusted_proxies = Some(networks);
                }
                "header-limits" => self.header_limits(setting, &mut gateway),
                "host" => {
                    let host = self.host_block(id, setting);
                    gateway.hosts.push(host);
                }
                _ => {}
            }
        }
        let listeners = Self::settings(item.block()).filter(|it| it.keyword().text == "listen");
        // A listener that does not resolve may be the one.
        if listeners.count() == gateway.listeners.len() {
            self.check_hosts_are_reached(&gateway);
        }
        self.check_gateway(&gateway);
        gateway
    }

    /// Whoever has hosts listens for requests.
    fn check_hosts_are_reached(&mut self, gateway: &Gateway) {
        let mut kinds = gateway.listeners.iter().map(|listener| &listener.kind);
        let takes_requests = |kind: &ListenerKind| {
            matches!(kind, ListenerKind::Http { .. } | ListenerKind::Https { .. })
        };
        if !gateway.listeners.is_empty() && !kinds.any(takes_requests) {
            self.diagnostics.extend(problems::unreached_hosts(gateway));
        }
    }

    fn header_limits(&mut self, setting: Setting<'t>, gateway: &mut Gateway) {
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "count" => {
                    let count = self.one(inner, Self::count);
                    gateway.header_count = count.unwrap_or(gateway.header_count);
                }
                "total" => {
                    let total = self.one(inner, Self::bytes);
                    gateway.header_bytes = total.unwrap_or(gateway.header_bytes);
                }
                _ => {}
            }
        }
    }

    fn listener(&mut self, setting: Setting<'t>) -> Option<Listener> {
        let mut args = self.args(setting);
        let port = args.value()?;
        let port = self.read(port, Port::parse)?.number();
        let protocol = args.any_word()?.text;
        let span = setting.head_span();
        let kind = match protocol {
            "tcp" => ListenerKind::Tcp(self.target(args.arrow()?)?),
            "tls" => ListenerKind::Passthrough(self.names_passed_through(setting)),
            _ => self.http_listener(setting, protocol == "https"),
        };
        Some(Listener { port, kind, span })
    }

    fn http_listener(&mut self, setting: Setting<'t>, https: bool) -> ListenerKind {
        let mut http2 = false;
        let mut redirect = None;
        let mut certificates = Vec::new();
        let mut client_ca = None;
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "http2" => http2 = true,
                "redirect" if !https => redirect = Some(self.said(inner, ())),
                "redirect" => {
                    let message = "an `https` listener has nothing to redirect to `https`";
                    self.refuse(inner.head_span(), message);
                }
                "certificate" if https => certificates.extend(self.certificate(inner)),
                "client-ca" if https => {
                    let mut args = self.args(inner);
                    let file = args.value().and_then(|file| self.text(file));
                    let optional = args.word("optional");
                    client_ca = file.map(|file| self.said(inner, ClientCa { file, optional }));
                }
                word @ ("certificate" | "client-ca") => {
                    let message = format!("an `http` listener has no `{word}`; `https` does");
                    self.refuse(inner.head_span(), message);
                }
                _ => {}
            }
        }
        if https {
            ListenerKind::Https {
                http2,
                certificates,
                client_ca,
            }
        } else {
            ListenerKind::Http { redirect, http2 }
        }
    }

    /// `sni HOST, … -> SERVICE`.
    fn names_passed_through(&mut self, setting: Setting<'t>) -> Vec<(HostPattern, Target)> {
        let mut names: Vec<(HostPattern, Target, Span)> = Vec::new();
        for inner in Self::settings(setting.block()) {
            let mut args = self.args(inner);
            let patterns = args.values();
            let Some(target) = args.arrow().and_then(|target| self.target(target)) else {
                continue;
            };
            for value in patterns {
                let Some(pattern) = self.read_word(value, HostPattern::parse) else {
                    continue;
                };
                match names.iter().find(|(known, ..)| *known == pattern) {
                    Some((.., first)) => {
                        let diagnostic =
                            problems::host_twice(&pattern.to_string(), value.span(), *first);
                        self.report(diagnostic);
                    }
                    None => names.push((pattern, target, value.span())),
                }
            }
        }
        names
            .into_iter()
            .map(|(pattern, target, _)| (pattern, target))
            .collect()
    }

    /// `certificate FILE key FILE`.
    fn certificate(&mut self, setting: Setting<'t>) -> Option<Certificate> {
        let mut args = self.args(setting);
        let file = |it: &mut Self, args: &mut super::statement::Args<'t>| -> Option<String> {
            let file: Value<'t> = args.value()?;
            it.text(file)
        };
        let certificate = file(self, &mut args);
        args.word("key");
        let key = file(self, &mut args);
        Some(Certificate {
            certificate: certificate?,
            key: key?,
            span: setting.head_span(),
        })
    }

    fn host_block(&mut self, gateway: GatewayId, setting: Setting<'t>) -> HostBlock {
        let values = self.args(setting).values();
        let mut patterns = Vec::new();
        for value in values {
            patterns.extend(self.read_word(value, HostPattern::parse));
        }
        let scope = Scope {
            room: Room::Host,
            ..self.scope
        };
        let block = setting.block();
        let (policy, authz, table) = self.in_scope(scope, |it| {
            (it.policy(block), it.authz(block), it.table(block))
        });
        let mut host = HostBlock::new(patterns, table, setting.head_span());
        host.policy = policy;
        host.authz = authz;
        for inner in Self::settings(block) {
            match inner.keyword().text {
                "certificate" => host.certificates.extend(self.certificate(inner)),
                "open" => host.opens.extend(self.open(inner)),
                _ => {}
            }
        }
        self.add_fragments(gateway, &mut host);
        host
    }

    /// `open PATH, … to namespace NAME`.
    fn open(&mut self, setting: Setting<'t>) -> Option<Open> {
        let mut args = self.args(setting);
        let paths = args.values();
        let paths: Vec<_> = paths
            .into_iter()
            .map(|path| self.path_pattern(path))
            .collect();
        args.word("to");
        args.word("namespace");
        let namespace = args.any_word()?;
        let namespace = self.find_namespace(namespace);
        Some(Open {
            paths: paths.into_iter().collect::<Option<_>>()?,
            namespace: namespace?,
            span: setting.head_span(),
        })
    }

    fn check_gateway(&mut self, gateway: &Gateway) {
        let mut ports: Vec<(u16, Span)> = Vec::new();
        for listener in &gateway.listeners {
            match ports.iter().find(|(port, _)| *port == listener.port) {
                Some((port, first)) => {
                    let diagnostic = problems::port_twice(*port, listener.span, *first);
                    self.report(diagnostic);
                }
                None => ports.push((listener.port, listener.span)),
            }
        }
        self.check_certificates(gateway);
        let mut hosts: Vec<(&HostPattern, Span)> = Vec::new();
        for block in &gateway.hosts {
            for pattern in &block.patterns {
                match hosts.iter().find(|(known, _)| *known == pattern) {
                    Some((_, first)) => {
                        let diagnostic =
                            problems::host_twice(&pattern.to_string(), block.span, *first);
                        self.report(diagnostic);
                    }
                    None => hosts.push((pattern, block.span)),
                }
            }
        }
    }

    /// Whoever speaks TLS shows a certificate, and whoever has one speaks TLS.
    fn check_certificates(&mut self, gateway: &Gateway) {
        let has_https = |listener: &&Listener| matches!(listener.kind, ListenerKind::Https { .. });
        let secure: Vec<&Listener> = gateway.listeners.iter().filter(has_https).collect();
        let all_hosts = !gateway.hosts.is_empty()
            && gateway
                .hosts
                .iter()
                .all(|host| !host.certificates.is_empty());
        for listener in &secure {
            if let ListenerKind::Https { certificates, .. } = &listener.kind
                && certificates.is_empty()
                && !all_hosts
            {
                self.report(
                    Diagnostic::new(
                        Code::MissingStatement,
                        "an `https` listener needs a certificate",
                    )
                    .primary(listener.span, "")
                    .help("add `{ certificate \"tls/shop.crt\" key \"tls/shop.key\" }`, or one to each host"),
                );
            }
        }
        if !secure.is_empty() {
            return;
        }
        let redirect = gateway
            .listeners
            .iter()
            .find_map(|listener| match &listener.kind {
                ListenerKind::Http { redirect, .. } => redirect.as_ref().and_then(Said::span),
                _ => None,
            });
        if let Some(span) = redirect {
            let message = "this gateway has no `https` listener to redirect to";
            self.refuse(span, message);
        }
        let certificates = gateway.hosts.iter().flat_map(|host| &host.certificates);
        if let Some(certificate) = certificates.into_iter().next() {
            let message = "this gateway has no `https` listener to show a certificate at";
            self.refuse(certificate.span, message);
        }
    }
}
