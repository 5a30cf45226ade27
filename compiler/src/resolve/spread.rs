//! How endpoints are found and chosen: `endpoints`, `balance`, `limits`, `eject`, `health`.

use super::Resolver;
use super::problems;
use crate::model::said::{Said, Switch};
use crate::model::upstream::{
    Algorithm, Balance, Eject, Endpoint, Endpoints, Health, Limits, Source, Spread,
};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;
use mesh_lang::value::{Address, Host, Integer, StatusSet, ValueError};
use mesh_lang::view::{Setting, Value};
use std::net::SocketAddr;

/// The largest weight of an endpoint.
const MAX_WEIGHT: u64 = 1_000_000;
/// How often a name is looked up where nothing else is said, in milliseconds.
const DNS_EVERY: u32 = 5_000;

impl<'t> Resolver<'t> {
    /// A statement about how an endpoint is chosen; false for any other.
    pub(super) fn spread_setting(&mut self, setting: Setting<'t>, into: &mut Spread) -> bool {
        match setting.keyword().text {
            "balance" => into.balance = self.balance(setting),
            "limits" => into.limits = Some(self.limits(setting)),
            "eject" => into.eject = self.eject(setting),
            "health" => into.health = self.health(setting),
            _ => return false,
        }
        true
    }

    fn balance(&mut self, setting: Setting<'t>) -> Option<Balance> {
        let mut args = self.args(setting);
        let word = args.any_word()?;
        let algorithm = match word.text {
            "round-robin" => Algorithm::RoundRobin,
            "random" => Algorithm::Random,
            "ewma" => Algorithm::Ewma,
            "passthrough" => Algorithm::Passthrough,
            "hash" => {
                args.word("by");
                let field = args.value()?;
                Algorithm::Hash(self.field_argument(field)?)
            }
            _ => Algorithm::LeastRequest,
        };
        let mut balance = Balance {
            algorithm: self.said(setting, algorithm),
            slow_start: None,
            prefer_zone: None,
        };
        for inner in Self::settings(setting.block()) {
            match inner.keyword().text {
                "slow-start" => balance.slow_start = self.one(inner, Self::milliseconds),
                "prefer" => balance.prefer_zone = Some(self.said(inner, ())),
                _ => {}
            }
        }
        let hashes = matches!(balance.algorithm.value, Algorithm::Hash(_));
        if let (true, Some(zone)) = (hashes, &balance.prefer_zone) {
            let message = "a hash chooses the endpoint; a preference for a zone would move it";
            let span = zone.span().unwrap_or(setting.head_span());
            self.report(
                Diagnostic::new(Code::HashWithLocality, message)
                    .primary(span, "")
                    .secondary(setting.head_span(), "chosen by hash here")
                    .help("take one of them away"),
            );
        }
        Some(balance)
    }

    pub(super) fn limits(&mut self, setting: Setting<'t>) -> Said<Switch<Limits>> {
        if self.says(setting, "off") {
            return self.said(setting, Switch::Off);
        }
        let mut limits = Limits::EDITION_2026;
        for inner in Self::settings(setting.block()) {
            let Some(count) = self.one(inner, Self::count) else {
                continue;
            };
            match inner.keyword().text {
                "connections" => limits.connections = count,
                "pending" => limits.pending = count,
                "requests" => limits.requests = count,
                "per-connection" => limits.per_connection = Some(count),
                _ => {}
            }
        }
        self.said(setting, Switch::On(limits))
    }

    fn eject(&mut self, setting: Setting<'t>) -> Option<Said<Switch<Eject>>> {
        let mut args = self.args(setting);
        if args.word("off") {
            return Some(self.said(setting, Switch::Off));
        }
        args.word("after");
        let after = args.value()?;
        let mut eject = Eject {
            after: self.count(after)?,
            every: Said::edition(10_000),
            time: Said::edition(30_000),
            at_most: Said::edition(100_000),
            min_healthy: Said::edition(500_000),
        };
        for inner in Self::settings(setting.block()) {
            let (place, said) = match inner.keyword().text {
                "every" => (&mut eject.every, self.one(inner, Self::milliseconds)),
                "for" => (&mut eject.time, self.one(inner, Self::milliseconds)),
                "at-most" => (&mut eject.at_most, self.one(inner, Self::millionths)),
                "min-healthy" => (&mut eject.min_healthy, self.one(inner, Self::millionths)),
                _ => continue,
            };
            *place = said.unwrap_or(*place);
        }
        Some(self.said(setting, Switch::On(eject)))
    }

    fn health(&mut self, setting: Setting<'t>) -> Option<Said<Switch<Health>>> {
        let mut args = self.args(setting);
        if args.word("off") {
            return Some(self.said(setting, Switch::Off));
        }
        let method = args.value()?;
        let path = args.value()?;
        let mut health = Health {
            method: self.plain_word(method)?,
            path: path.path()?.into_owned(),
            every: Said::edition(10_000),
            timeout: Said::edition(1_000),
            healthy: Said::edition(2),
            unhealthy: Said::edition(3),
            expect: Said::edition(vec![(200, 200)]),
        };
        for inner in Self::settings(setting.block()) {
            let (place, said) = match inner.keyword().text {
                "every" => (&mut health.every, self.one(inner, Self::milliseconds)),
                "timeout" => (&mut health.timeout, self.one(inner, Self::milliseconds)),
                "healthy" => (&mut health.healthy, self.one(inner, Self::count)),
                "unhealthy" => (&mut health.unhealthy, self.one(inner, Self::count)),
                "expect" => {
                    let values = self.args(inner).values();
                    let statuses = self.each(values, Self::statuses);
                    if !statuses.is_empty() {
                        health.expect = self.said(inner, statuses);
                    }
                    continue;
                }
                _ => continue,
            };
            *place = said.unwrap_or(*place);
        }
        if health.timeout.value >= health.every.value {
            let span = health.timeout.span().or(health.every.span());
            let message = "an answer may take as long as until the next question is asked";
            let diagnostic = problems::bad_value(span.unwrap_or(setting.head_span()), message);
            self.report(diagnostic.help("let `timeout` be shorter than `every`"));
        }
        Some(self.said(setting, Switch::On(health)))
    }

    fn statuses(&mut self, due: super::values::Due<'t>) -> Option<(u16, u16)> {
        let parsed = match due.value {
            Value::Range(low, high) => StatusSet::parse_range(low.text, high.text),
            _ => return self.read_due(due, |text| StatusSet::parse(text).map(ends)),
        };
        match parsed {
            Ok(set) => Some(ends(set)),
            Err(error) => {
                self.report(problems::value(due.span, &error));
                None
            }
        }
    }

    /// What the `endpoints` of the service or version whose name is at `owner` says.
    pub(super) fn endpoints(&mut self, setting: Setting<'t>, owner: Span) -> Endpoints {
        let mut args = self.args(setting);
        let source = match args.any_word().map(|word| word.text) {
            Some("dns") => {
                let name = args.value();
                let every = self.every(setting, &mut args, DNS_EVERY);
                name.and_then(|name| self.dns(name, every))
            }
            Some("from") => {
                args.word("inventory");
                match args.clause() {
                    Some(clause) => self
                        .inventory_clause(clause)
                        .map(|it| Source::Inventory(Some(it))),
                    None => Some(Source::Inventory(None)),
                }
            }
            Some("file") => args
                .value()
                .and_then(|file| self.text(file))
                .map(Source::File),
            Some("kubernetes") => args.any_word().and_then(|word| kubernetes(word.text)),
            Some("etcd") => args
                .value()
                .and_then(|prefix| self.text(prefix))
                .map(Source::Etcd),
            _ => return self.listed(setting, owner),
        };
        if let Some(source) = source {
            Endpoints::From(self.said(setting, source))
        } else {
            self.unfinished_endpoints.push(owner);
            Endpoints::None
        }
    }

    fn dns(&mut self, name: Value<'t>, every: Said<u32>) -> Option<Source> {
        self.read_word(name, |text| {
            if text.starts_with('_') {
                return Ok(Source::DnsService {
                    name: text.to_ascii_lowercase(),
                    every,
                });
            }
            let address = Address::parse(text)?;
            match address.host {
                Host::Name(name) => Ok(Source::Dns {
                    name,
                    port: address.port,
                    every,
                }),
                Host::Ip(_) => Err(ValueError::new(format!(
                    "`{text}` is an address; nothing is looked up for it"
                ))
                .meaning(text)),
            }
        })
    }

    /// `ADDRESS [weight NUMBER] [via ADDRESS], …`
    fn listed(&mut self, setting: Setting<'t>, owner: Span) -> Endpoints {
        let mut args = self.args(setting);
        let mut all: Vec<Endpoint> = Vec::new();
        let mut complete = true;
        while let Some(value) = args.value() {
            let address = self.socket_address(value);
            let (mut weight, mut via) = (1, None);
            loop {
                if args.word("weight") {
                    let value = args.value();
                    weight = value.and_then(|value| self.weight(value)).unwrap_or(1);
                } else if args.word("via") {
                    via = args.value().and_then(|value| self.socket_address(value));
                } else {
                    break;
                }
            }
            args.comma();
            match address {
                Some(address) => {
                    let span = value.span();
                    self.push_endpoint(
                        &mut all,
                        Endpoint {
                            address,
                            via,
                            weight,
                            span,
                        },
                    );
                }
                None => complete = false,
            }
        }
        if !complete {
            self.unfinished_endpoints.push(owner);
        }
        Endpoints::Listed(all)
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

    /// An address with its port.
    pub(super) fn socket_address(&mut self, value: Value<'t>) -> Option<SocketAddr> {
        let due = self.due(value)?;
        self.read_due(due, |text| {
            let address = Address::parse(text)?;
            match address.host {
                Host::Ip(ip) => Ok((ip, address.port).into()),
                Host::Name(_) => Err(ValueError::new(format!(
                    "`{text}` is a name, and how it is looked up has to be written"
                ))
                .perhaps(format!("dns {text}"))),
            }
        })
    }

    /// `every 10s`, if it is written.
    pub(super) fn every(
        &mut self,
        setting: Setting<'t>,
        args: &mut super::statement::Args<'t>,
        otherwise: u32,
    ) -> Said<u32> {
        let written = args.word("every").then(|| args.value()).flatten();
        let written = written.and_then(|value| self.milliseconds(value));
        written.map_or(Said::edition(otherwise), |value| self.said(setting, value))
    }
}

fn ends(set: StatusSet) -> (u16, u16) {
    (set.from.number(), set.to.number())
}

/// `NAMESPACE/NAME:PORT`, whose form was checked.
fn kubernetes(text: &str) -> Option<Source> {
    let (namespace, rest) = text.split_once('/')?;
    let (name, port) = rest.split_once(':')?;
    Some(Source::Kubernetes {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port: port.to_owned(),
    })
}
