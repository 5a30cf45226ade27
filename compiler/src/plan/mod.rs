//! From the model to a bundle.
//!
//! Services, gateways and their policies become records, tables become decision diagrams
//! ([`table`]). What the runtime would have to look up by name is an index by now; what it would have
//! to merge, merged; what it has to be able to do is written down ([`needs`]).

mod arms;
mod authz;
pub mod formula;
mod gateways;
pub mod mdd;
pub mod needs;
pub mod order;
pub mod origin;
pub mod path;
mod policies;
mod services;
pub mod slice;
mod spreads;
pub mod table;
pub mod text;

pub(crate) use arms::pattern_groups;
pub(crate) use authz::{match_of, rule_methods};

use crate::model::condition::Field;
use crate::model::credential::{Jwks, TokenPlace};
use crate::model::said::{Said, Switch};
use crate::model::{Mesh, Mtls, Service, ServiceId, Target};
use formula::{FieldName, field_name};
use mesh_bundle::format::{
    self as format, Draft, HostSlot, Id, Location, Protocol, Run, StrId, extend,
};
use mesh_bundle::host::{self, HostEntry};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::source::{Sources, Span};
use mesh_lang::value::{Cidr, HostPattern};
use needs::Asked;
use origin::Origin;
use slice::{Node, Scope};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use table::TableError;
use zerocopy::little_endian::{U32, U64};

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
    plan_from(mesh, sources, &Origin::default())
}

/// Makes a bundle of a mesh that says where it comes from.
pub fn plan_from(mesh: &Mesh, sources: &Sources, origin: &Origin) -> Result<Planned, PlanError> {
    Planner::new(mesh, sources, Scope::whole(mesh)).plan(origin, &needs::of(mesh))
}

/// Makes the slice of a node: of a mesh that became a bundle, which `origin` names. `asked` is what the mesh
/// asks for.
pub fn plan_slice(
    mesh: &Mesh,
    sources: &Sources,
    origin: &Origin,
    asked: &[Asked],
    node: Node,
) -> Result<Planned, PlanError> {
    Planner::new(mesh, sources, Scope::of(mesh, node)).plan(origin, asked)
}

struct Planner<'m> {
    mesh: &'m Mesh,
    sources: &'m Sources,
    /// What of the mesh is written.
    scope: Scope,
    draft: Draft,
    /// For each service the record of its first version.
    first_version: Vec<u32>,
    /// Written policies, to write equal ones once.
    policies: HashMap<Vec<u8>, Id<format::Policy>>,
    /// The record of services that say nothing of how their endpoints are chosen.
    plain_spread: Option<Id<format::Spread>>,
    /// The record of rules that let nobody in.
    nobody: Option<Id<format::Authz>>,
    hosts: Vec<HostEntry>,
    residual: Vec<Span>,
}

impl<'m> Planner<'m> {
    fn new(mesh: &'m Mesh, sources: &'m Sources, scope: Scope) -> Self {
        Self {
            mesh,
            sources,
            scope,
            draft: Draft::default(),
            first_version: Vec::new(),
            policies: HashMap::new(),
            plain_spread: None,
            nobody: None,
            hosts: Vec::new(),
            residual: Vec::new(),
        }
    }

    fn plan(mut self, origin: &Origin, asked: &[Asked]) -> Result<Planned, PlanError> {
        self.credentials();
        self.number_versions();
        self.mesh()?;
        self.slice();
        self.origin(origin);
        self.services()?;
        self.gateways()?;
        self.needs(asked);
        self.host_index();
        Ok(Planned {
            bytes: self.draft.finish(),
            residual: self.residual,
        })
    }
}

impl Planner<'_> {
    fn location(&mut self, span: Span) -> Location {
        let file = self.sources.get(span.file);
        Location {
            file: self.draft.string(file.name()),
            line: U32::new(file.line_of(span.start)),
        }
    }

    fn opt_location(&mut self, span: Option<Span>) -> Location {
        span.map_or(Location::NOWHERE, |span| self.location(span))
    }

    fn opt_string(&mut self, text: Option<&str>) -> StrId {
        text.map_or(Id::NONE, |text| self.draft.string(text))
    }

    /// What is written there, without the `NAME:` before it, in one line; the name where nothing is.
    fn text_of(&mut self, span: Span, name: &str) -> StrId {
        let text = self.sources.text(span);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let named = text
            .strip_prefix(name)
            .and_then(|text| text.strip_prefix(':'));
        let text = named.map_or(text.as_str(), str::trim_start);
        self.draft.string(if text.is_empty() { name } else { text })
    }

    fn texts<'s>(&mut self, texts: impl IntoIterator<Item = &'s String>) -> Run<format::Text> {
        let texts: Vec<format::Text> = texts
            .into_iter()
            .map(|text| format::Text {
                text: self.draft.string(text),
            })
            .collect();
        extend(&mut self.draft.texts, texts)
    }

    /// A value with who said so.
    fn setting(&mut self, said: Said<u32>) -> format::Setting {
        let location = self.opt_location(said.span());
        format::Setting::new(said.value.min(format::Setting::MAX), location)
    }

    fn opt_setting(&mut self, said: Option<Said<u32>>) -> format::Setting {
        said.map_or(format::Setting::NOT_SAID, |said| self.setting(said))
    }

    /// A value that may be `off`.
    fn switch(&mut self, said: Option<Said<Switch<u32>>>) -> format::Setting {
        let Some(Said { value, origin }) = said else {
            return format::Setting::NOT_SAID;
        };
        match value {
            Switch::On(value) => self.setting(Said { value, origin }),
            Switch::Off => {
                let location = self.opt_location(origin.span());
                format::Setting::new(format::Setting::OFF, location)
            }
        }
    }

    /// A record that may be `off`.
    fn choice<T, R>(
        &mut self,
        said: Option<&Said<Switch<T>>>,
        write: impl FnOnce(&mut Self, &T) -> Id<R>,
    ) -> format::Choice<R> {
        let Some(said) = said else {
            return format::Choice::NOT_SAID;
        };
        let location = self.opt_location(said.span());
        match &said.value {
            Switch::Off => format::Choice::off(location),
            Switch::On(value) => format::Choice::on(write(self, value), location),
        }
    }

    /// Something that is said or not.
    fn flag(&mut self, said: Option<Said<()>>) -> format::Setting {
        let said = said.map(|Said { origin, .. }| Said { value: 1, origin });
        self.opt_setting(said)
    }

    fn yes_or_no(&mut self, said: Said<bool>) -> format::Setting {
        self.setting(Said {
            value: u32::from(said.value),
            origin: said.origin,
        })
    }

    /// The mesh's own record.
    fn mesh(&mut self) -> Result<(), PlanError> {
        let mesh = self.mesh;
        let mtls = Said {
            value: u32::from(mtls_code(mesh.mtls.value)),
            origin: mesh.mtls.origin,
        };
        let slash = Said {
            value: u32::from(mesh.encoded_slash.value == EncodedSlash::Keep),
            origin: mesh.encoded_slash.origin,
        };
        let port = Said {
            value: u32::from(mesh.sidecar_port.value),
            origin: mesh.sidecar_port.origin,
        };
        let traced = mesh.tracing.value.on();
        let tracing = Said {
            value: match traced {
                Some(tracing) => Switch::On(tracing.share),
                None => Switch::Off,
            },
            origin: mesh.tracing.origin,
        };
        self.draft.mesh = format::Mesh {
            name: self.draft.string(&mesh.name),
            trust_domain: self.draft.string(&mesh.trust_domain.value),
            edition: self.setting(mesh.edition),
            mtls: self.setting(mtls),
            open_by_default: self.yes_or_no(mesh.open_by_default),
            egress: self.yes_or_no(mesh.egress),
            access_log: self.yes_or_no(mesh.access_log),
            encoded_slash: self.setting(slash),
            sidecar_port: self.setting(port),
            tracing: self.switch(Some(tracing)),
            tracing_url: self.opt_string(traced.map(|tracing| tracing.url.as_str())),
            tracing_zipkin: u8::from(traced.is_some_and(|tracing| tracing.zipkin)),
            host_seed: U64::ZERO,
            host_probe: U32::ZERO,
            policy: self.policy(&mesh.defaults, &[])?,
            ..format::Mesh::default()
        };
        Ok(())
    }

    fn credentials(&mut self) {
        for jwt in &self.mesh.jwts {
            let places: Vec<_> = jwt.places.iter().map(|it| self.token_place(it)).collect();
            let (kind, place, every) = match jwt.jwks.as_ref().map(|said| &said.value) {
                Some(Jwks::Url(url, every)) => (0, url.as_str(), Some(*every)),
                Some(Jwks::File(file)) => (1, file.as_str(), None),
                None => (1, "", None), // without keys the policy did not compile
            };
            let record = format::Jwt {
                name: self.draft.string(&jwt.name),
                namespace: self.draft.string(&jwt.namespace),
                issuer: self.draft.string(&jwt.issuer),
                audiences: self.texts(&jwt.audiences),
                jwks_kind: kind,
                jwks: self.draft.string(place),
                every: self.opt_setting(every),
                places: extend(&mut self.draft.token_places, places),
                location: self.location(jwt.span),
            };
            self.draft.jwts.push(record);
        }
        for keys in &self.mesh.keys {
            let places: Vec<_> = keys.place.iter().map(|it| self.token_place(it)).collect();
            let record = format::Keys {
                name: self.draft.string(&keys.name),
                namespace: self.draft.string(&keys.namespace),
                file: self.draft.string(&keys.file),
                places: extend(&mut self.draft.token_places, places),
                location: self.location(keys.span),
            };
            self.draft.keys.push(record);
        }
    }

    fn token_place(&mut self, place: &Said<TokenPlace>) -> format::TokenPlace {
        let (kind, name, prefix) = match &place.value {
            TokenPlace::Header(name, prefix) => {
                (format::PlaceKind::Header, name, Some(prefix.as_str()))
            }
            TokenPlace::Cookie(name) => (format::PlaceKind::Cookie, name, None),
            TokenPlace::Query(name) => (format::PlaceKind::Query, name, None),
        };
        format::TokenPlace {
            kind: kind.code(),
            name: self.draft.string(name),
            prefix: self.opt_string(prefix.filter(|prefix| !prefix.is_empty())),
            location: self.opt_location(place.span()),
        }
    }

    /// The names by which sidecars reach services, and all host blocks. Services of bytes are reached at
    /// a local address: no request names them.
    fn host_index(&mut self) {
        let mesh = self.mesh;
        let takes_requests = |service: &Service| service.protocol.value != Protocol::Tcp;
        for (id, service) in (0..).map(ServiceId).zip(&mesh.services) {
            let Some(value) = self.host_value(id).filter(|_| takes_requests(service)) else {
                continue;
            };
            let everywhere = std::iter::once(format!("{}.{}", service.name, service.namespace))
                .chain(service.hosts.iter().cloned());
            for key in everywhere {
                self.hosts.push(HostEntry {
                    scope: host::Scope::Everywhere,
                    key,
                    value,
                });
            }
        }
        let namespaces = match self.scope.namespace(mesh) {
            Some(namespace) => BTreeSet::from([namespace]),
            None => mesh.service_namespaces(),
        };
        for namespace in namespaces {
            for (name, id) in mesh.short_names(namespace) {
                let Some(value) = self.host_value(id).filter(|_| takes_requests(&mesh[id])) else {
                    continue;
                };
                let namespace = self.draft.string(namespace);
                self.hosts.push(HostEntry {
                    scope: host::Scope::Namespace(namespace),
                    key: name.to_owned(),
                    value,
                });
            }
        }
        let entries = std::mem::take(&mut self.hosts);
        let (seed, probe) = host::write(&mut self.draft, &entries);
        self.draft.mesh.host_seed = U64::new(seed);
        self.draft.mesh.host_probe = U32::new(probe);
    }

    /// What the name of a service leads to: its record, nobody where the node may not call it, or nothing
    /// where it need not be known.
    fn host_value(&self, service: ServiceId) -> Option<u32> {
        if self.scope.is_of_gateway() {
            return None;
        }
        if self.scope.is_callee(service) {
            return self.scope.record(service);
        }
        // It must not pass for a host outside the mesh.
        self.mesh.egress.value.then_some(HostSlot::NOBODY)
    }

    /// The record of a service. Whatever leads to one that is not there would be refused when it is opened.
    fn service_record<R>(&self, service: ServiceId) -> Id<R> {
        self.scope.record(service).map_or(Id::NONE, Id::new)
    }

    fn target_words(&self, target: Target) -> (u32, u32) {
        let service = self.service_record(target.service());
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

    fn field_ref(&mut self, field: &Field) -> format::FieldRef {
        let FieldName {
            kind,
            provider,
            name,
        } = field_name(field);
        format::FieldRef {
            field: kind.code(),
            provider: U32::new(provider),
            name: self.opt_string(name.as_deref()),
        }
    }

    fn field_refs<'f>(
        &mut self,
        fields: impl IntoIterator<Item = &'f Field>,
    ) -> Run<format::FieldRef> {
        let fields: Vec<_> = fields.into_iter().map(|it| self.field_ref(it)).collect();
        extend(&mut self.draft.field_refs, fields)
    }

    fn one_field_ref(&mut self, field: &Field) -> Id<format::FieldRef> {
        let run = self.field_refs([field]);
        Id::new(run.start() as u32)
    }
}

/// The code of a mode of mTLS.
fn mtls_code(mtls: Mtls) -> u8 {
    let mtls = match mtls {
        Mtls::Strict => format::Mtls::Strict,
        Mtls::Permissive => format::Mtls::Permissive,
        Mtls::Off => format::Mtls::Off,
    };
    mtls.code()
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
