//! From the model to a bundle.
//!
//! Services, gateways and their policies become records, tables become decision diagrams
//! ([`table`]). What the runtime would have to look up by name is an index by now; what it would have
//! to merge, merged.

pub mod formula;
pub mod mdd;
pub mod order;
pub mod path;
pub mod table;
pub mod text;

use crate::model::timeouts::{Limit, Said, Timeouts};
use crate::model::{self, Action, Mesh, RedirectPath, RedirectTo, Target};
use mesh_bundle::format::{self as format, Draft, Id, Location, Run, StrId, extend};
use mesh_bundle::host::{self, HostEntry, Scope};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::source::{Sources, Span};
use mesh_lang::value::{Cidr, HostPattern, PathPattern, Segment};
use std::collections::HashMap;
use std::net::IpAddr;
use table::{Match, TableError};
use zerocopy::little_endian::{U16, U32, U64};

/// A bundle, and what its reader should know about it.
#[derive(Debug)]
pub struct Planned {
    /// The file.
    pub bytes: Vec<u8>,
    /// Arms whose conditions have no small diagram, so that they are looked for one by one.
    pub residual: Vec<Span>,
}

/// A table that cannot be compiled.
#[derive(Debug)]
pub struct PlanError {
    /// Why not.
    pub error: TableError,
    /// The arm to point at.
    pub span: Span,
}

/// Makes a bundle of a mesh.
pub fn plan(mesh: &Mesh, sources: &Sources) -> Result<Planned, PlanError> {
    let mut planner = Planner {
        mesh,
        sources,
        draft: Draft::default(),
        first_version: Vec::new(),
        timeouts: HashMap::new(),
        hosts: Vec::new(),
        residual: Vec::new(),
    };
    planner.mesh();
    planner.services()?;
    planner.gateways()?;
    planner.host_index();
    Ok(Planned {
        bytes: planner.draft.finish(),
        residual: planner.residual,
    })
}

struct Planner<'m> {
    mesh: &'m Mesh,
    sources: &'m Sources,
    draft: Draft,
    /// For each service the record of its first version.
    first_version: Vec<u32>,
    /// Written timeouts, to write equal ones once.
    timeouts: HashMap<Vec<u8>, Id<format::Timeouts>>,
    hosts: Vec<HostEntry>,
    residual: Vec<Span>,
}

impl Planner<'_> {
    fn location(&mut self, span: Span) -> Location {
        let file = self.sources.get(span.file);
        Location {
            file: self.draft.string(file.name()),
            line: U32::new(file.line_of(span.start)),
        }
    }

    fn opt_string(&mut self, text: Option<&str>) -> StrId {
        text.map_or(Id::NONE, |text| self.draft.string(text))
    }

    fn setting(&mut self, said: Option<Said>) -> format::Setting {
        let Some(said) = said else {
            return format::Setting::NOT_SAID;
        };
        let value = match said.value {
            Limit::Off => format::Setting::OFF,
            Limit::Milliseconds(milliseconds) => milliseconds.min(format::Setting::MAX),
        };
        format::Setting {
            value: U32::new(value),
            location: said
                .span
                .map_or(Location::NOWHERE, |span| self.location(span)),
        }
    }

    /// The record of what a level sets; none where it sets nothing.
    fn timeouts(&mut self, level: Timeouts) -> Id<format::Timeouts> {
        use zerocopy::IntoBytes as _;
        if level.is_empty() {
            return Id::NONE;
        }
        let record = format::Timeouts {
            request: self.setting(level.request),
            connect: self.setting(level.connect),
            idle: self.setting(level.idle),
        };
        let next = Id::new(self.draft.timeouts.len() as u32);
        *self
            .timeouts
            .entry(record.as_bytes().to_vec())
            .or_insert_with(|| {
                self.draft.timeouts.push(record);
                next
            })
    }

    fn mesh(&mut self) {
        let weakest = self.mesh.defaults.over(Timeouts::EDITION_2026);
        let record = format::Mesh {
            name: self.draft.string(&self.mesh.name),
            trust_domain: self.draft.string(&self.mesh.trust_domain),
            edition: U32::new(self.mesh.edition),
            sidecar_port: U16::new(self.mesh.sidecar_port),
            encoded_slash: u8::from(self.mesh.encoded_slash == EncodedSlash::Keep),
            protection: format::Protection::Open.code(),
            host_seed: U64::ZERO,
            host_probe: U32::ZERO,
            timeouts: self.timeouts(weakest),
        };
        self.draft.mesh.push(record);
        let compiler = concat!("meshc ", env!("CARGO_PKG_VERSION"));
        self.fact("compiler", compiler);
        for param in &self.mesh.params {
            self.fact(&format!("param {}", param.name), &param.value);
        }
    }

    fn fact(&mut self, key: &str, value: &str) {
        let fact = format::Provenance {
            key: self.draft.string(key),
            value: self.draft.string(value),
        };
        self.draft.provenance.push(fact);
    }

    fn services(&mut self) -> Result<(), PlanError> {
        let mut versions = 0;
        for service in &self.mesh.services {
            self.first_version.push(versions);
            versions += service.versions.len() as u32;
        }
        for (index, service) in (0u32..).zip(&self.mesh.services) {
            self.service(index, service)?;
        }
        Ok(())
    }

    fn service(&mut self, index: u32, service: &model::Service) -> Result<(), PlanError> {
        let first_endpoint = self.draft.endpoints.len() as u32;
        let first_version = self.first_version[index as usize];
        for (version, endpoint) in service.all_endpoints() {
            let sidecar = endpoint
                .via
                .unwrap_or((endpoint.address.ip(), self.mesh.sidecar_port).into());
            let record = format::Endpoint {
                address: format::address_bytes(endpoint.address.ip()),
                sidecar: format::address_bytes(sidecar.ip()),
                port: U16::new(endpoint.address.port()),
                sidecar_port: U16::new(sidecar.port()),
                weight: U32::new(endpoint.weight),
                service: Id::new(index),
                version: version
                    .map_or(Id::NONE, |version| Id::new(first_version + version as u32)),
                location: self.location(endpoint.span),
            };
            self.draft.endpoints.push(record);
        }
        let mut next = first_endpoint + service.endpoints.len() as u32;
        for version in &service.versions {
            let count = version.endpoints.len() as u32;
            let record = format::Version {
                name: self.draft.string(&version.name),
                endpoints: Run::new(next, count),
                location: self.location(version.span),
            };
            self.draft.versions.push(record);
            next += count;
        }

        let mut calls: Vec<&model::Call> = service.calls.iter().flatten().collect();
        calls.sort_by_key(|call| call.target);
        let first_call = self.draft.calls.len() as u32;
        for call in &calls {
            let record = format::Call {
                target: Id::new(call.target.0),
                timeouts: self.timeouts(call.timeouts),
                location: self.location(call.span),
            };
            self.draft.calls.push(record);
        }

        let route = match &service.route {
            Some(table) => self.table(table)?,
            None => Id::NONE,
        };
        let flags = match &service.calls {
            Some(_) => format::Service::CALLS_LISTED,
            None => 0,
        };
        let record = format::Service {
            name: self.draft.string(&service.name),
            namespace: self.draft.string(&service.namespace),
            protocol: service.protocol.code(),
            flags,
            route,
            endpoints: Run::new(first_endpoint, next - first_endpoint),
            versions: Run::new(first_version, service.versions.len() as u32),
            calls: Run::new(first_call, calls.len() as u32),
            timeouts: self.timeouts(service.timeouts),
            location: self.location(service.span),
        };
        self.draft.services.push(record);
        Ok(())
    }

    fn gateways(&mut self) -> Result<(), PlanError> {
        for (index, gateway) in (0u32..).zip(&self.mesh.gateways) {
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
            let record = format::Gateway {
                name: self.draft.string(&gateway.name),
                namespace: self.draft.string(&gateway.namespace),
                listeners: extend(&mut self.draft.listeners, listeners),
                hosts: Run::new(first_host, gateway.hosts.len() as u32),
                trusted_proxies: extend(&mut self.draft.cidrs, trusted.copied().map(cidr)),
                location: self.location(gateway.span),
            };
            self.draft.gateways.push(record);
        }
        Ok(())
    }

    fn listener(&mut self, listener: &model::Listener) -> format::Listener {
        let mut flags = 0;
        if listener.http2 {
            flags |= format::Listener::HTTP2;
        }
        if listener.redirect_https {
            flags |= format::Listener::REDIRECT_HTTPS;
        }
        let protocol = match listener.tls {
            Some(_) => format::ListenerProtocol::Https,
            None => format::ListenerProtocol::Http,
        };
        let tls = listener.tls.as_ref();
        format::Listener {
            address: [0; 16],
            port: U16::new(listener.port),
            protocol: protocol.code(),
            flags,
            certificate: self.opt_string(tls.map(|tls| tls.certificate.as_str())),
            key: self.opt_string(tls.map(|tls| tls.key.as_str())),
            location: self.location(listener.span),
        }
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
        let weaker = gateway.timeouts.over(self.mesh.defaults);
        let timeouts = host.timeouts.over(weaker).over(Timeouts::EDITION_2026);
        let record = format::HostBlock {
            name: self.draft.string(&names.join(", ")),
            table: self.table(&host.table)?,
            timeouts: self.timeouts(timeouts),
            location: self.location(host.span),
        };
        self.draft.host_blocks.push(record);
        Ok(())
    }

    /// The names by which sidecars reach services, and all host blocks.
    fn host_index(&mut self) {
        for (index, service) in (0u32..).zip(&self.mesh.services) {
            let everywhere = std::iter::once(format!("{}.{}", service.name, service.namespace))
                .chain(service.hosts.iter().cloned());
            for key in everywhere {
                self.hosts.push(HostEntry {
                    scope: Scope::Everywhere,
                    key,
                    value: index,
                });
            }
        }
        for (namespace, name, service) in self.mesh.short_names() {
            let namespace = self.draft.string(&namespace);
            self.hosts.push(HostEntry {
                scope: Scope::Namespace(namespace),
                key: name,
                value: service.0,
            });
        }
        let entries = std::mem::take(&mut self.hosts);
        let (seed, probe) = host::write(&mut self.draft, &entries);
        self.draft.mesh[0].host_seed = U64::new(seed);
        self.draft.mesh[0].host_probe = U32::new(probe);
    }

    fn table(&mut self, table: &model::Table) -> Result<Id<format::Table>, PlanError> {
        // What is done may depend on which of an arm's patterns took the path: such an arm is several.
        let methods = table.methods();
        let mut asked: Vec<(usize, Vec<PathPattern>)> = Vec::new();
        for (index, arm) in table.arms.iter().enumerate() {
            asked.extend(pattern_groups(arm).into_iter().map(|paths| (index, paths)));
        }
        let matches: Vec<Match<'_>> = asked
            .iter()
            .map(|(index, paths)| Match {
                methods: &methods[*index],
                paths,
                condition: table.arms[*index].condition.as_ref(),
            })
            .collect();
        let mut arms = Vec::with_capacity(asked.len());
        for (index, paths) in &asked {
            let arm = &table.arms[*index];
            let before = paths.first().and_then(segments_before_rest);
            arms.push(self.arm(arm, before.unwrap_or_default()));
        }
        let run = extend(&mut self.draft.arms, arms);
        let written = table::write(&mut self.draft, &matches, run).map_err(|error| {
            let arm = match &error {
                TableError::Condition(arm) => asked[*arm as usize].0,
                _ => 0,
            };
            let span = match &error {
                TableError::Regex(regex) => regex.span,
                _ => table.arms[arm].span,
            };
            PlanError { error, span }
        })?;
        let mut residual: Vec<usize> = written
            .residual
            .iter()
            .map(|&arm| asked[arm as usize].0)
            .collect();
        residual.dedup();
        self.residual
            .extend(residual.into_iter().map(|arm| table.arms[arm].span));
        self.draft.tables.push(written.table);
        Ok(Id::new(self.draft.tables.len() as u32 - 1))
    }

    fn target_words(&self, target: Target) -> (u32, u32) {
        let service = Id::new(target.service().0);
        let target = match target {
            Target::Service(_) => format::Target::Service(service),
            Target::Own(_) => format::Target::Own(service),
            Target::Version(service_id, version) => {
                let first = self.first_version[service_id.index()];
                format::Target::Version(service, Id::new(first + version))
            }
        };
        target.words()
    }

    fn arm(&mut self, arm: &model::Arm, segments_before_rest: usize) -> format::Arm {
        let mut status = 0;
        let (action, a, b) = match &arm.action {
            Action::Forward(target) => {
                let (service, version) = self.target_words(*target);
                (format::ArmAction::Forward, service, version)
            }
            Action::Split(shares) => {
                let mut end = 0;
                let shares: Vec<format::Share> = shares
                    .iter()
                    // A share of nothing is never drawn.
                    .filter(|share| share.parts > 0)
                    .map(|share| {
                        end += share.parts;
                        let (service, version) = self.target_words(share.target);
                        format::Share {
                            end: U32::new(end),
                            service: Id::new(service),
                            version: U32::new(version),
                        }
                    })
                    .collect();
                let run = extend(&mut self.draft.shares, shares);
                (
                    format::ArmAction::Split,
                    run.start() as u32,
                    run.len() as u32,
                )
            }
            Action::Redirect(redirect) => {
                let record = self.redirect(redirect);
                let run: Run<format::Redirect> = extend(&mut self.draft.redirects, [record]);
                (format::ArmAction::Redirect, run.start() as u32, 0)
            }
            Action::Respond { status: says, body } => {
                status = *says;
                let body = body
                    .as_ref()
                    .map_or(u32::MAX, |body| self.draft.bytes(body).index() as u32);
                (format::ArmAction::Respond, body, 0)
            }
        };
        format::Arm {
            name: self.draft.string(&arm.name),
            location: self.location(arm.span),
            action: action.code(),
            // A path has at most 65,535 bytes, but a pattern that long is refused before.
            prefix_segments: u8::try_from(segments_before_rest).unwrap_or(u8::MAX),
            status: U16::new(status),
            a: U32::new(a),
            b: U32::new(b),
            timeouts: self.timeouts(arm.timeouts),
        }
    }

    fn redirect(&mut self, redirect: &model::Redirect) -> format::Redirect {
        let mut record = format::Redirect {
            status: U16::new(redirect.status),
            port: U16::ZERO,
            scheme: Id::NONE,
            host: Id::NONE,
            path: Id::NONE,
            prefix: Id::NONE,
            url: Id::NONE,
        };
        match &redirect.to {
            RedirectTo::Url(url) => record.url = self.draft.string(url),
            RedirectTo::Parts {
                scheme,
                host,
                port,
                path,
            } => {
                record.scheme = self.opt_string(scheme.as_deref());
                record.host = self.opt_string(host.as_deref());
                record.port = U16::new(port.unwrap_or_default());
                match path {
                    RedirectPath::Keep => {}
                    RedirectPath::Whole(path) => record.path = self.draft.string(path),
                    RedirectPath::Prefix(prefix) => record.prefix = self.draft.string(prefix),
                }
            }
        }
        record
    }
}

/// The patterns of an arm in the groups for which it does the same: one group, or one for each number
/// of segments before `/**` where a redirect replaces those.
fn pattern_groups(arm: &model::Arm) -> Vec<Vec<PathPattern>> {
    let by_prefix = matches!(
        &arm.action,
        Action::Redirect(model::Redirect {
            to: RedirectTo::Parts {
                path: RedirectPath::Prefix(_),
                ..
            },
            ..
        })
    );
    if !by_prefix || arm.paths.is_empty() {
        return vec![arm.paths.clone()];
    }
    let mut groups: Vec<Vec<PathPattern>> = Vec::new();
    for pattern in &arm.paths {
        let length = segments_before_rest(pattern);
        let same = |group: &&mut Vec<PathPattern>| segments_before_rest(&group[0]) == length;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(pattern.clone()),
            None => groups.push(vec![pattern.clone()]),
        }
    }
    groups
}

/// How many segments stand before the final `/**` of a pattern that ends in one.
fn segments_before_rest(pattern: &PathPattern) -> Option<usize> {
    let (last, before) = pattern.segments().split_last()?;
    matches!(last, Segment::Rest { .. }).then_some(before.len())
}

/// The key under which the host index keeps a pattern.
fn host_key(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Suffix(suffix) => format!(".{suffix}"),
        HostPattern::Any => "*".to_owned(),
    }
}

/// The bits of a network's address that count when it is written in 128 bits, IPv4 mapped into IPv6.
fn mapped_prefix(network: Cidr) -> u8 {
    match network.ip {
        IpAddr::V4(_) => 96 + network.prefix,
        IpAddr::V6(_) => network.prefix,
    }
}

fn cidr(network: Cidr) -> format::Cidr {
    format::Cidr {
        address: format::address_bytes(network.ip),
        prefix: mapped_prefix(network),
    }
}
