//! `gateway` items.

use super::Resolver;
use super::arms::Room;
use super::problems;
use super::statement::says;
use crate::model::timeouts::Timeouts;
use crate::model::{Gateway, HostBlock, Listener, ListenerTls};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Cidr, HostPattern, Port};
use mesh_lang::view::{Block, BlockItem, Setting, Statement, Value};
use mesh_lang::vocabulary::Place;

impl<'t> Resolver<'t> {
    /// A gateway. Its name was declared, so it has one.
    pub(super) fn gateway(&mut self, namespace: &'t str, item: BlockItem<'t>) -> Gateway {
        let name = item.name().map_or("", |name| name.text);
        let span = item.name().map_or(item.head_span(), |name| name.span);
        let mut gateway = Gateway {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            span,
            listeners: Vec::new(),
            trusted_proxies: None,
            timeouts: Timeouts::default(),
            hosts: Vec::new(),
        };
        for setting in Self::settings(item.block()) {
            match setting.keyword().text {
                "listen" => {
                    let listener = self.listener(setting);
                    gateway.listeners.extend(listener);
                }
                "trusted-proxies" if says(setting, "none") => {
                    gateway.trusted_proxies = Some(Vec::new());
                }
                "trusted-proxies" => {
                    let mut networks = Vec::new();
                    for value in setting.values() {
                        for due in self.list(value) {
                            networks.extend(self.read_due(due, Cidr::parse));
                        }
                    }
                    gateway.trusted_proxies = Some(networks);
                }
                "timeout" => self.timeout(setting, &mut gateway.timeouts),
                "host" => {
                    let host = self.host_block(setting, namespace);
                    gateway.hosts.push(host);
                }
                _ => self.other_setting(setting, Place::Gateway),
            }
        }
        self.check_gateway(&gateway);
        gateway
    }

    fn listener(&mut self, setting: Setting<'t>) -> Option<Listener> {
        let mut values = setting.values();
        let port = values.next()?;
        let protocol = match values.next()? {
            Value::Word(word) => word.text,
            _ => return None,
        };
        if !matches!(protocol, "http" | "https") {
            self.without_effect(setting.head_span(), &format!("listen … {protocol}"));
            return None;
        }
        let port = self.read(port, Port::parse)?;
        let mut listener = Listener {
            port: port.number(),
            http2: false,
            redirect_https: false,
            tls: None,
            span: setting.head_span(),
        };
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "http2" => listener.http2 = true,
                "redirect" if protocol == "http" => listener.redirect_https = true,
                "redirect" => {
                    let message = "an `https` listener has nothing to redirect to `https`";
                    self.report(problems::bad_value(inner.head_span(), message));
                }
                "certificate" if protocol == "https" => self.certificate(inner, &mut listener),
                "certificate" => {
                    let message = "an `http` listener shows no certificate; `https` does";
                    self.report(problems::bad_value(inner.head_span(), message));
                }
                _ => self.other_setting(inner, Place::Listen),
            }
        }
        if protocol == "https" && listener.tls.is_none() {
            self.report(
                Diagnostic::new(
                    Code::MissingStatement,
                    "an `https` listener needs a certificate",
                )
                .primary(setting.head_span(), "")
                .help("add `{ certificate \"tls/shop.crt\" key \"tls/shop.key\" }`"),
            );
        }
        Some(listener)
    }

    fn certificate(&mut self, setting: Setting<'t>, listener: &mut Listener) {
        if listener.tls.is_some() {
            self.without_effect(setting.head_span(), "a second certificate");
            return;
        }
        // certificate FILE key FILE
        let mut values = setting.values();
        let (certificate, key) = (values.next(), values.nth(1));
        let mut file = |value: Option<Value<'t>>| self.read(value?, |text| Ok(text.to_owned()));
        if let (Some(certificate), Some(key)) = (file(certificate), file(key)) {
            listener.tls = Some(ListenerTls { certificate, key });
        }
    }

    fn host_block(&mut self, setting: Setting<'t>, namespace: &'t str) -> HostBlock {
        let mut patterns = Vec::new();
        for value in setting.values() {
            patterns.extend(self.read_word(value, HostPattern::parse));
        }
        let mut timeouts = Timeouts::default();
        let statements = setting.block().into_iter().flat_map(Block::statements);
        for statement in statements {
            if let Statement::Setting(inner) = statement {
                self.policy_setting(inner, Place::Host, &mut timeouts);
            }
        }
        HostBlock {
            patterns,
            timeouts,
            table: self.table(setting.block(), Room::Host, namespace),
            span: setting.head_span(),
        }
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
        let redirects = gateway
            .listeners
            .iter()
            .find(|listener| listener.redirect_https);
        if let Some(listener) = redirects
            && gateway
                .listeners
                .iter()
                .all(|listener| listener.tls.is_none())
        {
            let message = "this gateway has no `https` listener to redirect to";
            self.report(problems::bad_value(listener.span, message));
        }
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
}
