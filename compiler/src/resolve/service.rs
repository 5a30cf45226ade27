//! `service` and `external` items.

use super::problems;
use super::{Resolver, Room, Scope};
use crate::model::said::Said;
use crate::model::upstream::{Endpoints, Spread};
use crate::model::{Call, Mtls, Service, ServiceId, Tls, Version};
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::value::HostPattern;
use mesh_lang::view::{Block, BlockItem, ItemKind, Setting, Text, Value};

impl<'t> Resolver<'t> {
    /// A service or external. Its name was declared, so it has one.
    pub(super) fn service(
        &mut self,
        id: ServiceId,
        namespace: &'t str,
        item: BlockItem<'t>,
    ) -> Service {
        let name = item.name().map_or("", |name| name.text);
        let mut service = Service {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            span: item.name().map_or(item.head_span(), |name| name.span),
            external: item.kind() == ItemKind::External,
            exported: item.exported(),
            protocol: Said::edition(Protocol::Http),
            identity: self.identity(namespace, "svc", name),
            hosts: Vec::new(),
            calls: None,
            versions: Vec::new(),
            endpoints: Endpoints::None,
            policy: self.policy(item.block()),
            spread: Spread::default(),
            failover: None,
            route: None,
            authz: self.authz(item.block()),
            mtls: None,
            sidecar_none: None,
            tls: None,
        };
        for setting in Self::settings(item.block()) {
            self.service_setting(id, setting, &mut service);
        }
        self.check_calls_none(item.block());
        service
    }

    fn service_setting(&mut self, id: ServiceId, setting: Setting<'t>, service: &mut Service) {
        match setting.keyword().text {
            "protocol" => {
                let protocol = match self.first_word(setting).map(|word| word.text) {
                    Some("http1") => Protocol::Http1,
                    Some("http2") => Protocol::Http2,
                    Some("grpc") => Protocol::Grpc,
                    Some("tcp") => Protocol::Tcp,
                    _ => Protocol::Http,
                };
                service.protocol = self.said(setting, protocol);
            }
            "identity" => {
                if let Some(identity) = self.said_identity(setting, &service.namespace, "svc") {
                    service.identity = identity;
                }
            }
            "hosts" => {
                for value in self.args(setting).values() {
                    service.hosts.extend(self.one_host(value));
                }
            }
            "calls" => self.calls(setting, service),
            "version" => self.version(setting, service),
            "endpoints" => service.endpoints = self.endpoints(setting, service.span),
            "failover" => {
                if let Some(target) = self.first_word(setting)
                    && let Some(target) = self.target(target)
                {
                    service.failover = Some(self.said(setting, target));
                }
            }
            "route" => {
                let scope = Scope {
                    room: Room::Route(id),
                    ..self.scope
                };
                let table = self.in_scope(scope, |it| it.table(setting.block()));
                service.route = Some(table);
            }
            "mtls" => {
                let mtls = self.mtls(setting);
                service.mtls = Some(self.said(setting, mtls));
            }
            "sidecar" => service.sidecar_none = Some(self.said(setting, ())),
            "tls" => {
                let mut args = self.args(setting);
                let tls = if args.word("verify") {
                    args.value()
                        .and_then(|name| self.one_host(name))
                        .map(Tls::Verify)
                } else {
                    Some(Tls::Passthrough)
                };
                service.tls = tls.map(|tls| self.said(setting, tls));
            }
            _ => {
                self.spread_setting(setting, &mut service.spread);
            }
        }
    }

    /// `mtls strict | permissive | off`.
    pub(super) fn mtls(&self, setting: Setting<'t>) -> Mtls {
        match self.first_word(setting).map(|word| word.text) {
            Some("off") => Mtls::Off,
            Some("permissive") => Mtls::Permissive,
            _ => Mtls::Strict,
        }
    }

    /// The SPIFFE ID of a name in the mesh.
    pub(super) fn identity(&self, namespace: &str, kind: &str, name: &str) -> String {
        format!(
            "spiffe://{}/ns/{namespace}/{kind}/{name}",
            self.trust_domain
        )
    }

    /// What an `identity` says: a name in place of the item's own, or a whole SPIFFE ID.
    pub(super) fn said_identity(
        &mut self,
        setting: Setting<'t>,
        namespace: &str,
        kind: &str,
    ) -> Option<String> {
        let identity = self.args(setting).value()?;
        let identity = self.plain_word(identity)?;
        Some(if identity.starts_with("spiffe://") {
            identity
        } else {
            self.identity(namespace, kind, &identity)
        })
    }

    /// A host name, without wildcards.
    pub(super) fn one_host(&mut self, value: Value<'t>) -> Option<String> {
        match self.read_word(value, HostPattern::parse)? {
            HostPattern::Exact(name) => Some(name),
            HostPattern::Suffix(_) | HostPattern::Any => {
                self.refuse(value.span(), "one whole host is due here, not a pattern");
                None
            }
        }
    }

    /// Who calls nobody does not call somebody else.
    fn check_calls_none(&mut self, block: Option<Block<'t>>) {
        let calls = Self::settings(block).filter(|it| it.keyword().text == "calls");
        let (none, others): (Vec<_>, Vec<_>) = calls.partition(|it| self.says(*it, "none"));
        if let (Some(none), Some(other)) = (none.first(), others.first()) {
            let message = "`calls none` says that this service calls nobody, and here it calls";
            self.report(
                problems::bad_value(other.head_span(), message)
                    .secondary(none.head_span(), "said here")
                    .help("take one of them away"),
            );
        }
    }

    fn calls(&mut self, setting: Setting<'t>, service: &mut Service) {
        if self.says(setting, "none") {
            service.calls.get_or_insert_default();
            return;
        }
        let policy = self.policy(setting.block());
        let calls = service.calls.get_or_insert_default();
        let mut args = self.args(setting);
        let mut targets: Vec<Text<'t>> = Vec::new();
        while let Some(target) = args.any_word() {
            targets.push(target);
            if !args.comma() {
                break;
            }
        }
        let on = args.word("on").then(|| args.value()).flatten();
        let on = on.and_then(|address| self.socket_address(address));
        if let (Some(_), [_, second, ..]) = (on, &targets[..]) {
            let message = "one local address leads to one service";
            self.refuse(second.span, message);
        }
        for text in targets {
            let Some((target, version)) = self.find_service(text, &[]) else {
                continue;
            };
            if let Some(version) = version {
                let whole = text
                    .text
                    .trim_end_matches(&format!(".{version}"))
                    .to_owned();
                self.report(problems::no_version_here(text, &whole));
            } else if let Some(first) = calls.iter().find(|call| call.target == target) {
                let diagnostic = Diagnostic::new(
                    Code::DuplicateDecl,
                    format!("`{}` is listed twice among the calls", text.text),
                );
                let diagnostic = diagnostic.primary(text.span, "again here");
                self.diagnostics
                    .push(diagnostic.secondary(first.span, "listed here"));
            } else {
                calls.push(Call {
                    target,
                    policy: policy.clone(),
                    on,
                    span: text.span,
                });
            }
        }
    }

    fn version(&mut self, setting: Setting<'t>, service: &mut Service) {
        let Some(name) = self.first_word(setting) else {
            return;
        };
        if service
            .versions
            .iter()
            .any(|version| version.name == name.text)
        {
            return; // reported where versions are declared
        }
        let mut version = Version {
            name: name.text.to_owned(),
            span: name.span,
            endpoints: Endpoints::None,
            spread: Spread::default(),
        };
        for inner in Self::settings(setting.block()) {
            if inner.keyword().text == "endpoints" {
                version.endpoints = self.endpoints(inner, name.span);
            } else {
                self.spread_setting(inner, &mut version.spread);
            }
        }
        service.versions.push(version);
    }
}
