//! `service` items.

use super::Resolver;
use super::arms::Room;
use super::problems;
use super::statement::{first_word, says};
use crate::model::timeouts::Timeouts;
use crate::model::{Call, Endpoint, Service, ServiceId, Version};
use mesh_bundle::format::Protocol;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Address, Host, HostPattern, Integer, ValueError};
use mesh_lang::view::{Arg, BlockItem, Setting, Text, Value};
use mesh_lang::vocabulary::Place;
use std::net::SocketAddr;

/// The largest weight of an endpoint.
const MAX_WEIGHT: u64 = 1_000_000;

impl<'t> Resolver<'t> {
    /// A service. Its name was declared, so it has one.
    pub(super) fn service(
        &mut self,
        id: ServiceId,
        namespace: &'t str,
        item: BlockItem<'t>,
    ) -> Service {
        let name = item.name().map_or("", |name| name.text);
        let span = item.name().map_or(item.head_span(), |name| name.span);
        let mut service = Service {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            span,
            protocol: Protocol::Http,
            hosts: Vec::new(),
            calls: None,
            versions: Vec::new(),
            endpoints: Vec::new(),
            timeouts: Timeouts::default(),
            route: None,
        };
        for setting in Self::settings(item.block()) {
            self.service_setting(id, setting, &mut service);
        }
        service
    }

    fn service_setting(&mut self, id: ServiceId, setting: Setting<'t>, service: &mut Service) {
        match setting.keyword().text {
            "protocol" => match first_word(setting).map(|word| word.text) {
                Some("http1") => service.protocol = Protocol::Http1,
                Some("http2") => service.protocol = Protocol::Http2,
                Some("grpc") => service.protocol = Protocol::Grpc,
                Some("tcp") => self.without_effect(setting.head_span(), "protocol tcp"),
                _ => {}
            },
            "hosts" => {
                for value in setting.values() {
                    service.hosts.extend(self.host_name(value));
                }
            }
            "calls" => self.calls(setting, service),
            "version" => self.version(setting, service),
            "endpoints" => self.endpoints(setting, service.span, &mut service.endpoints),
            "balance" => self.balance(setting, Place::Service),
            "timeout" => self.timeout(setting, &mut service.timeouts),
            "route" => {
                let room = Room::Route(id);
                let namespace = service.namespace.clone();
                service.route = Some(self.table(setting.block(), room, &namespace));
            }
            "mtls" if says(setting, "off") => {}
            _ => self.other_setting(setting, Place::Service),
        }
    }

    /// A host name, without wildcards.
    fn host_name(&mut self, value: Value<'t>) -> Option<String> {
        match self.read_word(value, HostPattern::parse)? {
            HostPattern::Exact(name) => Some(name),
            HostPattern::Suffix(_) | HostPattern::Any => {
                let message = "a service is called by whole names, not by a pattern";
                self.report(problems::bad_value(value.span(), message));
                None
            }
        }
    }

    /// `least-request` is what there is.
    fn balance(&mut self, setting: Setting<'t>, place: Place) {
        if !says(setting, "least-request") {
            self.other_setting(setting, place);
        }
        for inner in Self::settings(setting.block()) {
            self.other_setting(inner, Place::Balance);
        }
    }

    fn calls(&mut self, setting: Setting<'t>, service: &mut Service) {
        let mut timeouts = Timeouts::default();
        for inner in Self::settings(setting.block()) {
            self.policy_setting(inner, Place::Calls, &mut timeouts);
        }
        let calls = service.calls.get_or_insert_default();
        let mut targets: Vec<Text<'t>> = Vec::new();
        for value in setting.values() {
            match value {
                Value::Word(word) if word.text == "on" => {
                    self.without_effect(setting.head_span(), "calls … on");
                    break;
                }
                Value::Word(word) => targets.push(word),
                _ => {}
            }
        }
        for text in targets {
            let Some((target, version)) = self.find_service(&service.namespace, text, &[]) else {
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
                    timeouts,
                    span: text.span,
                });
            }
        }
    }

    fn version(&mut self, setting: Setting<'t>, service: &mut Service) {
        let Some(name) = first_word(setting) else {
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
            endpoints: Vec::new(),
        };
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "endpoints" => self.endpoints(inner, name.span, &mut version.endpoints),
                "balance" => self.balance(inner, Place::Version),
                _ => self.other_setting(inner, Place::Version),
            }
        }
        service.versions.push(version);
    }

    /// The endpoints of the service or version whose name is at `owner`.
    fn endpoints(&mut self, setting: Setting<'t>, owner: Span, into: &mut Vec<Endpoint>) {
        if let Some(source) = first_word(setting)
            && ["dns", "from", "file", "kubernetes", "etcd"].contains(&source.text)
        {
            let what = format!("endpoints {}", source.text);
            self.without_effect(setting.head_span(), &what);
            self.without_endpoints.push(owner);
            return;
        }
        // ADDRESS [weight NUMBER] [via ADDRESS], …
        let mut args = setting.args().peekable();
        while let Some(arg) = args.next() {
            let Arg::Value(value) = arg else { continue };
            let span = value.span();
            let address = self.socket_address(value);
            let (mut weight, mut via) = (1, None);
            while let Some(Arg::Value(Value::Word(word))) =
                args.next_if(|arg| !matches!(arg, Arg::Comma(_)))
            {
                let Some(Arg::Value(value)) = args.next() else {
                    break;
                };
                match word.text {
                    "weight" => weight = self.weight(value).unwrap_or(1),
                    _ => via = self.socket_address(value),
                }
            }
            let Some(address) = address else {
                self.without_endpoints.push(owner);
                continue;
            };
            self.push_endpoint(
                into,
                Endpoint {
                    address,
                    via,
                    weight,
                    span,
                },
            );
        }
    }

    fn push_endpoint(&mut self, into: &mut Vec<Endpoint>, endpoint: Endpoint) {
        match into.iter().find(|known| known.address == endpoint.address) {
            Some(first) => {
                let first: Span = first.span;
                let message = format!("`{}` is listed twice", endpoint.address);
                self.report(
                    Diagnostic::new(Code::DuplicateDecl, message)
                        .primary(endpoint.span, "again here")
                        .secondary(first, "listed here")
                        .help("give it a `weight` if it is to take more"),
                );
            }
            None => into.push(endpoint),
        }
    }

    fn weight(&mut self, value: Value<'t>) -> Option<u32> {
        self.read(value, |text| match Integer::parse(text)?.0 {
            weight @ 1..=MAX_WEIGHT => Ok(weight as u32),
            _ => Err(ValueError::new(format!(
                "a weight is from 1 to {MAX_WEIGHT}"
            ))),
        })
    }

    fn socket_address(&mut self, value: Value<'t>) -> Option<SocketAddr> {
        let address = self.read(value, Address::parse)?;
        match address.host {
            Host::Ip(ip) => Some((ip, address.port).into()),
            Host::Name(name) => {
                let what = format!("endpoints {name}");
                self.without_effect(value.span(), &what);
                None
            }
        }
    }
}
