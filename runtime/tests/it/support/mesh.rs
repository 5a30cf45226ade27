//! Bundles made by hand: a mesh in a few words, written as the compiler would.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use mesh_bundle::Bundle;
use mesh_bundle::classify::path::{GraphState, PathGraph};
use mesh_bundle::classify::{FIRST, OTHER, literals};
use mesh_bundle::decide::write::{write_leaf, write_node};
use mesh_bundle::decide::{Edge, FALL};
use mesh_bundle::format::{self as record, *};
use mesh_bundle::host::{self, HostEntry, Scope};
use zerocopy::little_endian::{U16, U32, U64, U128};

/// A mesh to be.
#[derive(Clone, Debug)]
pub struct Mesh {
    pub name: &'static str,
    gateways: Vec<GatewaySpec>,
    services: Vec<ServiceSpec>,
    defaults: Times,
    /// What nodes need of their runtime.
    pub needs: Vec<Need>,
}

/// Timeouts in milliseconds; 0 is `off`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub request: Option<u32>,
    pub connect: Option<u32>,
    pub idle: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct GatewaySpec {
    name: String,
    listeners: Vec<ListenerSpec>,
    hosts: Vec<(Vec<String>, Vec<Arm>)>,
    trusted: Vec<(IpAddr, u8)>,
}

#[derive(Clone, Debug)]
struct ListenerSpec {
    address: Option<IpAddr>,
    port: u16,
    flags: u8,
    certificate: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct ServiceSpec {
    name: String,
    protocol: Protocol,
    /// Version (or empty), application, sidecar, weight.
    endpoints: Vec<(String, SocketAddr, SocketAddr, u32)>,
    route: Vec<Arm>,
    calls: Option<Vec<(String, Times)>>,
    times: Times,
}

/// An arm: what it takes, and what it does.
#[derive(Clone, Debug)]
pub struct Arm {
    paths: Vec<String>,
    tests: Vec<(FieldKind, String, String)>,
    action: Action,
    times: Times,
    name: Option<String>,
}

#[derive(Clone, Debug)]
enum Action {
    None,
    Forward(String),
    Split(Vec<(u32, String)>),
    Respond(u16, Option<Vec<u8>>),
    Redirect(u16, RedirectTo),
}

/// Where to.
#[derive(Clone, Debug, Default)]
pub struct RedirectTo {
    pub scheme: Option<&'static str>,
    pub host: Option<&'static str>,
    pub port: u16,
    pub path: Option<&'static str>,
    pub prefix: Option<&'static str>,
    pub url: Option<&'static str>,
}

/// An arm that takes these paths: exact ones, or ones that end in `/**`. No path is every path.
pub fn on(paths: &[&str]) -> Arm {
    Arm {
        paths: paths.iter().map(ToString::to_string).collect(),
        tests: Vec::new(),
        action: Action::None,
        times: Times::default(),
        name: None,
    }
}

/// An arm that takes everything.
pub fn otherwise() -> Arm {
    on(&[])
}

impl Arm {
    pub fn method(self, method: &str) -> Self {
        self.when(FieldKind::Method, "", method)
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        self.when(FieldKind::Header, name, value)
    }

    pub fn when(mut self, field: FieldKind, name: &str, value: &str) -> Self {
        self.tests.push((field, name.to_owned(), value.to_owned()));
        self
    }

    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// `service`, `service.version`, or `self` within a service's route.
    pub fn to(mut self, target: &str) -> Self {
        self.action = Action::Forward(target.to_owned());
        self
    }

    /// Percentages.
    pub fn split(mut self, shares: &[(u32, &str)]) -> Self {
        let shares = shares
            .iter()
            .map(|(percent, target)| (*percent, (*target).to_owned()));
        self.action = Action::Split(shares.collect());
        self
    }

    pub fn respond(mut self, status: u16, body: Option<&str>) -> Self {
        self.action = Action::Respond(status, body.map(|body| body.as_bytes().to_vec()));
        self
    }

    pub fn redirect(mut self, status: u16, to: RedirectTo) -> Self {
        self.action = Action::Redirect(status, to);
        self
    }

    pub fn timeout(mut self, milliseconds: u32) -> Self {
        self.times.request = Some(milliseconds);
        self
    }
}

impl GatewaySpec {
    pub fn http(mut self, port: u16) -> Self {
        self.listener(port, 0, None);
        self
    }

    pub fn redirecting(mut self, port: u16) -> Self {
        self.listener(port, Listener::REDIRECT_HTTPS, None);
        self
    }

    pub fn https(mut self, port: u16, certificate: &str, key: &str) -> Self {
        let files = Some((certificate.to_owned(), key.to_owned()));
        self.listener(port, Listener::HTTP2, files);
        self
    }

    fn listener(&mut self, port: u16, flags: u8, certificate: Option<(String, String)>) {
        self.listeners.push(ListenerSpec {
            address: Some([127, 0, 0, 1].into()),
            port,
            flags,
            certificate,
        });
    }

    pub fn everywhere(mut self) -> Self {
        self.listeners
            .iter_mut()
            .for_each(|listener| listener.address = None);
        self
    }

    pub fn trust(mut self, network: &str, prefix: u8) -> Self {
        let network: IpAddr = network.parse().unwrap();
        let bits = if network.is_ipv4() {
            96 + prefix
        } else {
            prefix
        };
        self.trusted.push((network, bits));
        self
    }

    pub fn host(mut self, names: &[&str], arms: Vec<Arm>) -> Self {
        let names = names.iter().map(ToString::to_string).collect();
        self.hosts.push((names, arms));
        self
    }
}

impl ServiceSpec {
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// An endpoint that callers reach at the application itself.
    pub fn at(self, version: &str, address: SocketAddr) -> Self {
        self.behind(version, address, address, 1)
    }

    pub fn weighted(self, version: &str, address: SocketAddr, weight: u32) -> Self {
        self.behind(version, address, address, weight)
    }

    /// An endpoint with a sidecar before it.
    pub fn behind(
        mut self,
        version: &str,
        application: SocketAddr,
        sidecar: SocketAddr,
        weight: u32,
    ) -> Self {
        self.endpoints
            .push((version.to_owned(), application, sidecar, weight));
        self
    }

    pub fn route(mut self, arms: Vec<Arm>) -> Self {
        self.route = arms;
        self
    }

    pub fn calls(mut self, callee: &str, times: Times) -> Self {
        self.calls
            .get_or_insert_default()
            .push((callee.to_owned(), times));
        self
    }

    pub fn calls_nobody(mut self) -> Self {
        self.calls.get_or_insert_default();
        self
    }

    pub fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }
}

impl Mesh {
    pub fn new() -> Self {
        Self {
            name: "shop",
            gateways: Vec::new(),
            services: Vec::new(),
            defaults: Times {
                request: Some(15_000),
                connect: Some(5_000),
                idle: Some(60_000),
            },
            needs: Vec::new(),
        }
    }

    pub fn defaults(mut self, times: Times) -> Self {
        self.defaults = times;
        self
    }

    pub fn gateway(mut self, name: &str, make: impl FnOnce(GatewaySpec) -> GatewaySpec) -> Self {
        let spec = GatewaySpec {
            name: name.to_owned(),
            ..GatewaySpec::default()
        };
        self.gateways.push(make(spec));
        self
    }

    pub fn service(mut self, name: &str, make: impl FnOnce(ServiceSpec) -> ServiceSpec) -> Self {
        let spec = ServiceSpec {
            name: name.to_owned(),
            protocol: Protocol::Http,
            endpoints: Vec::new(),
            route: Vec::new(),
            calls: None,
            times: Times::default(),
        };
        self.services.push(make(spec));
        self
    }

    /// The bundle's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        Writer::new(self).write()
    }

    pub fn bundle(&self) -> Arc<Bundle> {
        Arc::new(Bundle::open(self.bytes()).expect("a bundle made by hand opens"))
    }
}

struct Writer<'m> {
    mesh: &'m Mesh,
    draft: Draft,
    line: u32,
    /// First version of each service.
    versions: Vec<(u32, Vec<String>)>,
}

impl<'m> Writer<'m> {
    fn new(mesh: &'m Mesh) -> Self {
        let mut first = 0;
        let versions = mesh.services.iter().map(|service| {
            let mut names: Vec<String> = Vec::new();
            for (version, ..) in &service.endpoints {
                if !version.is_empty() && !names.contains(version) {
                    names.push(version.clone());
                }
            }
            let start = first;
            first += names.len() as u32;
            (start, names)
        });
        Self {
            versions: versions.collect(),
            mesh,
            draft: Draft::default(),
            line: 0,
        }
    }

    fn location(&mut self) -> Location {
        self.line += 1;
        Location {
            file: self.draft.string("shop.mesh"),
            line: U32::new(self.line),
        }
    }

    fn times(&mut self, times: Times) -> Id<Policy> {
        let location = self.location();
        let setting = |value: Option<u32>| match value {
            None => Setting::NOT_SAID,
            Some(value) => Setting {
                value: U32::new(if value == 0 { Setting::OFF } else { value }),
                location,
            },
        };
        let policy = Policy {
            request: setting(times.request),
            connect: setting(times.connect),
            idle: setting(times.idle),
            ..Policy::default()
        };
        Id::new(extend(&mut self.draft.policies, [policy]).start() as u32)
    }

    fn target(&self, within: Option<usize>, text: &str) -> (u32, u32) {
        if text == "self" {
            let own = within.expect("`self` stands in a route");
            return Target::Own(Id::new(own as u32)).words();
        }
        let (service, version) = text.split_once('.').unwrap_or((text, ""));
        let index = self.mesh.services.iter().position(|it| it.name == service);
        let index = index.unwrap_or_else(|| panic!("no service {service}"));
        let service = Id::new(index as u32);
        if version.is_empty() {
            return Target::Service(service).words();
        }
        let (first, names) = &self.versions[index];
        let at = names
            .iter()
            .position(|it| it == version)
            .expect("a version");
        Target::Version(service, Id::new(first + at as u32)).words()
    }

    fn write(mut self) -> Vec<u8> {
        let mesh = self.mesh;
        let mut entries = Vec::new();
        let defaults = self.times(mesh.defaults);
        for (index, gateway) in mesh.gateways.iter().enumerate() {
            self.gateway(index as u32, gateway, defaults, &mut entries);
        }
        let default = self.draft.string("default");
        for (index, service) in mesh.services.iter().enumerate() {
            self.service(index, service);
            for (scope, key) in [
                (Scope::Namespace(default), service.name.clone()),
                (Scope::Everywhere, format!("{}.default", service.name)),
            ] {
                let value = index as u32;
                entries.push(HostEntry { scope, key, value });
            }
        }
        let (seed, probe) = host::write(&mut self.draft, &entries);
        let said = |value: u32| Setting::new(value, Location::NOWHERE);
        self.draft.mesh = record::Mesh {
            name: self.draft.string(mesh.name),
            trust_domain: self.draft.string("shop.example"),
            edition: said(2026),
            mtls: said(u32::from(Mtls::Off.code())),
            open_by_default: said(1),
            egress: said(0),
            access_log: said(1),
            encoded_slash: said(0),
            sidecar_port: said(15006),
            host_seed: U64::new(seed),
            host_probe: U32::new(probe),
            policy: defaults,
            ..record::Mesh::default()
        };
        for need in &mesh.needs {
            let need = Need {
                location: self.location(),
                ..*need
            };
            self.draft.needs.push(need);
        }
        let fact = Provenance {
            key: self.draft.string("compiler"),
            value: self.draft.string("by hand"),
        };
        self.draft.provenances.push(fact);
        self.draft.finish()
    }

    fn gateway(
        &mut self,
        index: u32,
        spec: &GatewaySpec,
        defaults: Id<Policy>,
        entries: &mut Vec<HostEntry>,
    ) {
        let mut listeners = Vec::new();
        for listener in &spec.listeners {
            let files = listener.certificate.as_ref();
            let protocol = match files {
                Some(_) => ListenerProtocol::Https,
                None => ListenerProtocol::Http,
            };
            let mut file =
                |text: Option<&String>| text.map_or(Id::NONE, |it| self.draft.string(it));
            let (certificate, key) = (file(files.map(|it| &it.0)), file(files.map(|it| &it.1)));
            let certificate = files.map(|_| Certificate {
                certificate,
                key,
                location: Location::NOWHERE,
            });
            let certificates = extend(&mut self.draft.certificates, certificate);
            listeners.push(Listener {
                address: listener.address.map_or([0; 16], address_bytes),
                port: U16::new(listener.port),
                protocol: protocol.code(),
                flags: listener.flags,
                certificates,
                location: self.location(),
                ..Listener::default()
            });
        }
        let mut blocks = Vec::new();
        for (names, arms) in &spec.hosts {
            let table = self.table(None, arms);
            let value = (self.draft.host_blocks.len() + blocks.len()) as u32;
            for name in names {
                entries.push(HostEntry {
                    scope: Scope::Gateway(Id::new(index)),
                    key: name
                        .strip_prefix('*')
                        .filter(|it| !it.is_empty())
                        .unwrap_or(name)
                        .to_owned(),
                    value,
                });
            }
            blocks.push(HostBlock {
                name: self.draft.string(&names.join(", ")),
                table,
                policy: defaults,
                location: self.location(),
                ..HostBlock::default()
            });
        }
        let trusted = spec.trusted.iter().map(|(address, prefix)| Cidr {
            address: address_bytes(*address),
            prefix: *prefix,
        });
        let gateway = Gateway {
            name: self.draft.string(&spec.name),
            namespace: self.draft.string("default"),
            identity: self
                .draft
                .string("spiffe://shop.example/ns/default/gw/edge"),
            listeners: extend(&mut self.draft.listeners, listeners),
            hosts: extend(&mut self.draft.host_blocks, blocks),
            trusted_proxies: extend(&mut self.draft.cidrs, trusted),
            location: self.location(),
            ..Gateway::default()
        };
        self.draft.gateways.push(gateway);
    }

    fn service(&mut self, index: usize, spec: &ServiceSpec) {
        let (first_version, names) = self.versions[index].clone();
        let start = self.draft.endpoints.len() as u32;
        // Those of one version side by side; those without a version first.
        let mut endpoints = spec.endpoints.clone();
        let place = |version: &String| {
            names
                .iter()
                .position(|it| it == version)
                .map_or(0, |at| at + 1)
        };
        endpoints.sort_by_key(|(version, ..)| place(version));
        let mut runs: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
        for (at, (version, application, sidecar, weight)) in endpoints.iter().enumerate() {
            let place = place(version);
            let run = runs.entry(place).or_insert((start + at as u32, 0));
            run.1 += 1;
            let endpoint = Endpoint {
                address: address_bytes(application.ip()),
                sidecar: address_bytes(sidecar.ip()),
                port: U16::new(application.port()),
                sidecar_port: U16::new(sidecar.port()),
                weight: U32::new(*weight),
                service: Id::new(index as u32),
                version: match place {
                    0 => Id::NONE,
                    place => Id::new(first_version + place as u32 - 1),
                },
                location: self.location(),
            };
            self.draft.endpoints.push(endpoint);
        }
        let versions: Vec<Version> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let (start, count) = runs[&(at + 1)];
                Version {
                    name: self.draft.string(name),
                    endpoints: Run::new(start, count),
                    location: self.location(),
                    ..Version::default()
                }
            })
            .collect();
        let mut calls: Vec<Call> = spec
            .calls
            .iter()
            .flatten()
            .map(|(callee, times)| Call {
                target: Id::new(self.target(None, callee).0),
                policy: self.times(*times),
                location: self.location(),
                ..Call::default()
            })
            .collect();
        calls.sort_by_key(|call| call.target);
        let route = match spec.route.as_slice() {
            [] => Id::NONE,
            arms => self.table(Some(index), arms),
        };
        let service = Service {
            name: self.draft.string(&spec.name),
            namespace: self.draft.string("default"),
            identity: self.draft.string("spiffe://shop.example/ns/default/svc/it"),
            protocol: spec.protocol.code(),
            flags: if spec.calls.is_some() {
                Service::CALLS_LISTED
            } else {
                0
            },
            route,
            endpoints: Run::new(start, endpoints.len() as u32),
            versions: extend(&mut self.draft.versions, versions),
            calls: extend(&mut self.draft.calls, calls),
            policy: self.times(spec.times),
            location: self.location(),
            mtls: Setting::new(u32::from(Mtls::Off.code()), Location::NOWHERE),
            ..Service::default()
        };
        self.draft.services.push(service);
    }

    fn table(&mut self, within: Option<usize>, arms: &[Arm]) -> Id<Table> {
        let (graph, classes) = automaton(arms);
        let path = graph.write(&mut self.draft);
        let mut facets = Facets::of(arms);
        let mut code = Vec::new();
        let roots: Vec<PathClass> = classes
            .iter()
            .map(|taken| PathClass {
                narrow: U32::new(facets.fold(&mut code, arms, taken)),
                wide: U32::new(FALL),
            })
            .collect();
        let facets = facets.write(&mut self.draft);
        let records: Vec<record::Arm> = arms.iter().map(|arm| self.arm(within, arm)).collect();
        let table = Table {
            arms: extend(&mut self.draft.arms, records),
            facets: extend(&mut self.draft.facets, facets),
            path,
            classes: extend(&mut self.draft.path_classes, roots),
            code: extend(&mut self.draft.code, code),
            ..Table::default()
        };
        Id::new(extend(&mut self.draft.tables, [table]).start() as u32)
    }

    fn arm(&mut self, within: Option<usize>, arm: &Arm) -> record::Arm {
        let mut status = 0;
        let (action, a, b) = match &arm.action {
            Action::None => panic!("an arm does something"),
            Action::Forward(target) => {
                let (a, b) = self.target(within, target);
                (ArmAction::Forward, a, b)
            }
            Action::Split(parts) => {
                let mut end = 0;
                let shares: Vec<Share> = parts
                    .iter()
                    .map(|(percent, target)| {
                        end += percent * 10_000;
                        let (service, version) = self.target(within, target);
                        Share {
                            end: U32::new(end),
                            service: Id::new(service),
                            version: U32::new(version),
                        }
                    })
                    .collect();
                let run = extend(&mut self.draft.shares, shares);
                (ArmAction::Split, run.start() as u32, run.len() as u32)
            }
            Action::Respond(code, body) => {
                status = *code;
                let body = body
                    .as_ref()
                    .map_or(u32::MAX, |it| self.draft.bytes(it).index() as u32);
                (ArmAction::Respond, body, 0)
            }
            Action::Redirect(code, to) => {
                let mut text = |it: Option<&str>| it.map_or(Id::NONE, |it| self.draft.string(it));
                let path = to.path.map(|path| TemplatePart {
                    text: text(Some(path)),
                    capture: U32::new(TemplatePart::NO_CAPTURE),
                });
                let redirect = Redirect {
                    status: U16::new(*code),
                    port: U16::new(to.port),
                    scheme: text(to.scheme),
                    host: text(to.host),
                    prefix: text(to.prefix),
                    url: text(to.url),
                    path: extend(&mut self.draft.template_parts, path),
                };
                let run = extend(&mut self.draft.redirects, [redirect]);
                (ArmAction::Redirect, run.start() as u32, 0)
            }
        };
        let name = arm.name.clone().unwrap_or_else(|| arm.paths.join(", "));
        let prefix = arm.paths.first().and_then(|path| path.strip_suffix("/**"));
        record::Arm {
            name: self.draft.string(&name),
            text: self.draft.string(&name),
            location: self.location(),
            action: action.code(),
            prefix_segments: prefix.map_or(0, |it| it.matches('/').count() as u8),
            status: U16::new(status),
            a: U32::new(a),
            b: U32::new(b),
            captures: Run::EMPTY,
            policy: self.times(arm.times),
        }
    }
}

/// A pattern's segments, and whether anything may follow.
fn segments(pattern: &str) -> (Vec<&str>, bool) {
    let (exact, open) = match pattern.strip_suffix("/**") {
        Some(prefix) => (prefix, true),
        None => (pattern, false),
    };
    (exact.split('/').skip(1).collect(), open)
}

/// A state is where each pattern stands: how many of its segments have been taken.
type State = BTreeSet<(usize, usize)>;

/// The automaton over all patterns, and for each of its classes which arms take the path.
fn automaton(arms: &[Arm]) -> (PathGraph, Vec<BTreeSet<usize>>) {
    let patterns: Vec<(usize, Vec<&str>, bool)> = arms
        .iter()
        .enumerate()
        .flat_map(|(arm, it)| {
            it.paths.iter().map(move |path| {
                let (segments, open) = segments(path);
                (arm, segments, open)
            })
        })
        .collect();
    let everywhere: BTreeSet<usize> = arms
        .iter()
        .enumerate()
        .filter(|(_, it)| it.paths.is_empty())
        .map(|(at, _)| at)
        .collect();
    let step = |state: &State, segment: Option<&str>| -> State {
        state
            .iter()
            .filter_map(|&(pattern, at)| {
                let (_, segments, open) = &patterns[pattern];
                match segments.get(at) {
                    Some(literal) => (segment == Some(*literal)).then_some((pattern, at + 1)),
                    None => open.then_some((pattern, at)),
                }
            })
            .collect()
    };
    let takes = |state: &State| -> BTreeSet<usize> {
        let ends = |&&(pattern, at): &&(usize, usize)| at == patterns[pattern].1.len();
        let arms = state
            .iter()
            .filter(ends)
            .map(|&(pattern, _)| patterns[pattern].0);
        arms.chain(everywhere.iter().copied()).collect()
    };
    let start: State = (0..patterns.len()).map(|pattern| (pattern, 0)).collect();
    let mut known: HashMap<State, u32> = HashMap::from([(start.clone(), 0)]);
    let mut classes: Vec<BTreeSet<usize>> = Vec::new();
    let mut queue = vec![start];
    let mut states = Vec::new();
    let mut at = 0;
    while at < queue.len() {
        let state = queue[at].clone();
        at += 1;
        let mut index = |state: State| {
            let next = known.len() as u32;
            *known.entry(state.clone()).or_insert_with(|| {
                queue.push(state);
                next
            })
        };
        let named: BTreeSet<&str> = state
            .iter()
            .filter_map(|&(pattern, at)| patterns[pattern].1.get(at).copied())
            .filter(|segment| !segment.is_empty())
            .collect();
        let accepted = takes(&state);
        let class = classes
            .iter()
            .position(|it| *it == accepted)
            .unwrap_or_else(|| {
                classes.push(accepted);
                classes.len() - 1
            });
        let literals = named
            .into_iter()
            .map(|segment| (segment.into(), index(step(&state, Some(segment)))));
        let literals = literals.collect();
        states.push(GraphState {
            literals,
            other: index(step(&state, None)),
            empty: index(step(&state, Some(""))),
            class: class as u32,
            partials: Vec::new(),
            masks: Vec::new(),
        });
    }
    let class_count = classes.len() as u32;
    (
        PathGraph {
            states,
            class_count,
        },
        classes,
    )
}

/// The fields that arms test, with the values that they compare with.
struct Facets(Vec<(FieldKind, String, Vec<String>)>);

impl Facets {
    fn of(arms: &[Arm]) -> Self {
        let mut facets = Self(Vec::new());
        for (field, name, value) in arms.iter().flat_map(|arm| &arm.tests) {
            let known = facets
                .0
                .iter()
                .position(|(f, n, _)| (f, n) == (field, name));
            let at = known.unwrap_or_else(|| {
                facets.0.push((*field, name.clone(), Vec::new()));
                facets.0.len() - 1
            });
            if !facets.0[at].2.contains(value) {
                facets.0[at].2.push(value.clone());
            }
        }
        facets
    }

    /// The diagram of the first of these arms whose tests hold; returns the word of its edge.
    fn fold(&mut self, code: &mut Vec<U32>, arms: &[Arm], taken: &BTreeSet<usize>) -> u32 {
        let mut next = FALL;
        for &arm in taken.iter().rev() {
            let mut inner = write_leaf(arm as u32);
            for (field, name, value) in arms[arm].tests.iter().rev() {
                let facet = self
                    .0
                    .iter()
                    .position(|(f, n, _)| (f, n) == (field, name))
                    .unwrap();
                let class =
                    self.0[facet].2.iter().position(|it| it == value).unwrap() as u32 + FIRST;
                inner = Edge::word(write_node(code, facet as u32, next, &[(class, inner)]));
            }
            next = inner;
        }
        next
    }

    fn write(self, draft: &mut Draft) -> Vec<Facet> {
        let facets = self.0.into_iter().map(|(field, name, values)| {
            let mut facet = Facet {
                field: field.code(),
                classifier: ClassifierKind::Literals.code(),
                name: match name.as_str() {
                    "" => Id::NONE,
                    name => draft.string(name),
                },
                ..Facet::default()
            };
            let number = |value: &String| match field {
                FieldKind::Port => Some(value.parse().unwrap()),
                FieldKind::SourceIp | FieldKind::ClientIp => {
                    Some(address_number(value.parse().unwrap()))
                }
                _ => None,
            };
            let numbers: Option<Vec<u128>> = values.iter().map(number).collect();
            if let Some(numbers) = numbers {
                let mut bounds = BTreeMap::new();
                for (class, number) in (FIRST..).zip(numbers) {
                    bounds.entry(number + 1).or_insert(OTHER);
                    bounds.insert(number, class);
                }
                let bounds = bounds.into_iter().map(|(low, class)| Bound {
                    low: U128::new(low),
                    class: U32::new(class),
                });
                let run = extend(&mut draft.bounds, bounds);
                facet.classifier = ClassifierKind::Bounds.code();
                facet.start = U32::new(run.start() as u32);
                facet.count = U32::new(run.len() as u32);
            } else {
                let values: Vec<(&[u8], u32)> =
                    values.iter().map(String::as_bytes).zip(FIRST..).collect();
                literals::write(draft, &mut facet, &values);
            }
            facet
        });
        facets.collect()
    }
}
