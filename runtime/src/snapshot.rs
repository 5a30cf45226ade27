//! What is in force: a bundle, seen from one node.
//!
//! A [`Snapshot`] is made once per load and never changes; all workers share it. Each worker wraps it
//! in a [`Current`] of its own, which adds the cells it counts in and the upstreams it has connections
//! to; a request holds on to that from its beginning to its end.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderName;
use mesh_bundle::format::{
    Arm, Cidr, Endpoint, Facet, FieldKind, Gateway, Id, Listener, ListenerProtocol, Run, Service,
    StrId, Version, address_from_bytes,
};
use mesh_bundle::needs::{self, Feature, Unmet};
use mesh_bundle::{Bundle, EncodedSlash, Field, asked};

use crate::NodeOptions;
use crate::listen::socket::Target;
use crate::listen::tls::{self, CertificateError, TlsSettings};
use crate::node::{Node, NodeError, Role};
use crate::telemetry::metrics::{self, ArmCells, DestinationCells, Lazy};
use crate::upstream::balance::Weights;
use crate::upstream::pool::Upstream;
use crate::worker::Worker;

/// Why a bundle cannot be served by a node.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bundle does not say what the node is to do.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The policy asks for protection that this runtime cannot provide.
    #[error(
        "{node} needs {what}, which this meshd cannot enforce; it serves nothing rather than less"
    )]
    Protection {
        /// The node.
        node: Node,
        /// What it needs, and where that is said.
        what: String,
    },
    /// A listener has no usable certificate.
    #[error("{node}, port {port}: {source}")]
    Certificate {
        /// The gateway.
        node: Node,
        /// The listener's port.
        port: u16,
        /// What is wrong.
        source: CertificateError,
    },
}

/// A bundle, seen from one node.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) bundle: Arc<Bundle>,
    bundle_id: String,
    pub(crate) role: Role,
    pub(crate) listeners: Vec<Plan>,
    /// The node, as other policies name it: `namespace/name`.
    pub(crate) source: String,
    pub(crate) namespace: StrId,
    pub(crate) encoded_slash: EncodedSlash,
    trusted_proxies: Run<Cidr>,
    pub(crate) header_names: HeaderNames,
    pub(crate) weights: Weights,
    /// What the policy asks for and this runtime does not act on: `retry (shop.mesh:12)`.
    pub(crate) not_acted_on: Vec<String>,
    /// Names of services with their namespaces, for metrics and logs.
    services: Vec<Arc<str>>,
    /// Everything that there may be a connection to.
    pub(crate) upstreams: HashSet<(SocketAddr, Arc<str>)>,
}

/// A listener that is to be there.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Names the listener across reloads.
    pub(crate) key: Key,
    pub(crate) target: Target,
    pub(crate) entrance: Entrance,
    pub(crate) tls: Option<Arc<TlsSettings>>,
}

/// What makes a listener the same one after a reload: where the bundle or the configuration puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    address: Option<IpAddr>,
    pub(crate) port: u16,
}

/// What comes in through a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Clients of a gateway, at the port that the mesh declares.
    Gateway { port: u16, redirect_https: bool },
    /// Requests to the application that a sidecar stands before.
    Inbound,
    /// Requests of that application to others.
    Outbound,
}

impl Entrance {
    /// Its word in logs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Gateway { .. } => "gateway",
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl Snapshot {
    /// Makes a snapshot. `before` is the one that it is to replace.
    pub(crate) fn build(
        bundle: Arc<Bundle>,
        node: &Node,
        options: &NodeOptions,
        before: Option<&Self>,
    ) -> Result<Self, SnapshotError> {
        let role = node.find(&bundle, options.endpoint)?;
        let not_acted_on = not_acted_on(&bundle, node, role)?;
        let before: Vec<Arc<TlsSettings>> = before
            .into_iter()
            .flat_map(|it| it.listeners.iter().filter_map(|plan| plan.tls.clone()))
            .collect();
        let (listeners, namespace, name, trusted_proxies) = match role {
            Role::Gateway(id) => {
                let gateway = bundle.gateway(id);
                let plans = gateway_plans(&bundle, gateway, node, options, &before)?;
                (
                    plans,
                    gateway.namespace,
                    gateway.name,
                    gateway.trusted_proxies,
                )
            }
            Role::Sidecar { service, endpoint } => {
                let inbound = bundle.endpoint(endpoint).sidecar();
                let service = bundle.service(service);
                let plans = sidecar_plans(inbound, options.outbound);
                (plans, service.namespace, service.name, Run::EMPTY)
            }
        };
        let services: Vec<Arc<str>> = bundle
            .services()
            .iter()
            .map(|service| bundle.qualified(service.namespace, service.name).into())
            .collect();
        let upstreams = bundle.endpoints().iter().flat_map(|endpoint| {
            let service = &services[endpoint.service.index()];
            [endpoint.sidecar(), endpoint.application()]
                .map(|address| (address, Arc::clone(service)))
        });
        Ok(Self {
            bundle_id: bundle.id().to_string(),
            upstreams: upstreams.collect(),
            role,
            listeners,
            source: format!("{}/{}", bundle.str(namespace), bundle.str(name)),
            namespace,
            encoded_slash: if bundle.mesh().encoded_slash.is_set() {
                EncodedSlash::Keep
            } else {
                EncodedSlash::Reject
            },
            trusted_proxies,
            header_names: HeaderNames::new(&bundle),
            weights: Weights::new(&bundle),
            not_acted_on,
            services,
            bundle,
        })
    }

    /// Whether `x-forwarded-for` from this address is believed.
    pub(crate) fn is_trusted(&self, address: IpAddr) -> bool {
        if self.trusted_proxies.is_empty() {
            return false;
        }
        let ranges = &self.bundle.cidrs()[self.trusted_proxies.range()];
        ranges.iter().any(|range| range.contains(address))
    }

    /// The files that the listeners' certificates were made of.
    pub(crate) fn certificate_files(&self) -> impl Iterator<Item = &PathBuf> {
        let settings = self.listeners.iter().filter_map(|plan| plan.tls.as_ref());
        settings.flat_map(|settings| &settings.files)
    }
}

/// What a node needs and this runtime lacks. An error where it is a protection.
fn not_acted_on(bundle: &Bundle, node: &Node, role: Role) -> Result<Vec<String>, SnapshotError> {
    let place = match role {
        Role::Gateway(gateway) => needs::Node::Gateway(gateway),
        Role::Sidecar { service, .. } => needs::Node::Sidecar(service),
    };
    let unmet = needs::unmet(bundle, place, Feature::is_acted_on);
    let (protections, others): (Vec<Unmet>, Vec<Unmet>) =
        unmet.into_iter().partition(|unmet| unmet.protection);
    if protections.is_empty() {
        return Ok(others.iter().map(written).collect());
    }
    // Each kind once, with the first place that asks for it.
    let mut kinds: Vec<&Unmet> = Vec::new();
    for unmet in &protections {
        if !kinds.iter().any(|known| known.what == unmet.what) {
            kinds.push(unmet);
        }
    }
    let kinds: Vec<String> = kinds.into_iter().map(written).collect();
    Err(SnapshotError::Protection {
        node: node.clone(),
        what: kinds.join(", "),
    })
}

/// `require jwt (shop.mesh:12)`.
fn written(unmet: &Unmet) -> String {
    match &unmet.place {
        Some(place) => format!("{} ({place})", unmet.what),
        None => format!("{} (the default)", unmet.what),
    }
}

fn gateway_plans(
    bundle: &Bundle,
    gateway: &Gateway,
    node: &Node,
    options: &NodeOptions,
    before: &[Arc<TlsSettings>],
) -> Result<Vec<Plan>, SnapshotError> {
    let plan = |listener: &Listener| {
        let declared = listener.port.get();
        let address = match address_from_bytes(listener.address) {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => options.bind,
            address => Some(address),
        };
        let port = options.ports.get(&declared).copied().unwrap_or(declared);
        // One that has more than one is not served yet; see `needs`.
        let certificate = bundle.certificates()[listener.certificates.range()].first();
        let tls = certificate.map(|it| {
            let [certificate, key] = [it.certificate, it.key].map(|id| bundle.str(id));
            let http2 = listener.flags & Listener::HTTP2 != 0;
            tls::load(certificate, key, http2, &options.files, before)
        });
        Ok(Plan {
            key: Key {
                address,
                port: declared,
            },
            target: match address {
                Some(address) => Target::Address(SocketAddr::new(address, port)),
                None => Target::Everywhere(port),
            },
            entrance: Entrance::Gateway {
                port: declared,
                redirect_https: listener.flags & Listener::REDIRECT_HTTPS != 0,
            },
            tls: tls
                .transpose()
                .map_err(|source| SnapshotError::Certificate {
                    node: node.clone(),
                    port: declared,
                    source,
                })?,
        })
    };
    let listeners = bundle.listeners()[gateway.listeners.range()].iter();
    // The others carry bytes, which nothing here passes on yet: they stay closed.
    let speak_http = listeners.filter(|listener| {
        matches!(
            ListenerProtocol::from_code(listener.protocol),
            Some(ListenerProtocol::Http | ListenerProtocol::Https)
        )
    });
    speak_http.map(plan).collect()
}

fn sidecar_plans(inbound: SocketAddr, outbound: Option<SocketAddr>) -> Vec<Plan> {
    let plan = |address: SocketAddr, entrance| Plan {
        key: Key {
            address: Some(address.ip()),
            port: address.port(),
        },
        target: Target::Address(address),
        entrance,
        tls: None,
    };
    let inbound = plan(inbound, Entrance::Inbound);
    let outbound = outbound.map(|address| plan(address, Entrance::Outbound));
    std::iter::once(inbound).chain(outbound).collect()
}

/// The names of headers that tables ask for, ready for looking up.
#[derive(Debug)]
pub(crate) struct HeaderNames {
    names: Vec<HeaderName>,
    /// For each facet its name, or none.
    of_facet: Vec<u32>,
}

impl HeaderNames {
    fn new(bundle: &Bundle) -> Self {
        let mut names = Vec::new();
        let mut known = HashMap::new();
        let of_facet = bundle.facets().iter().map(|facet| {
            if FieldKind::from_code(facet.field) != Some(FieldKind::Header) {
                return u32::MAX;
            }
            *known.entry(facet.name).or_insert_with(|| {
                // That the name is one was checked when the bundle was opened.
                HeaderName::from_bytes(bundle.str_bytes(facet.name)).map_or(u32::MAX, |name| {
                    names.push(name);
                    names.len() as u32 - 1
                })
            })
        });
        Self {
            of_facet: of_facet.collect(),
            names,
        }
    }

    #[inline]
    pub(crate) fn of(&self, facet: Id<Facet>) -> Option<&HeaderName> {
        self.names.get(self.of_facet[facet.index()] as usize)
    }
}

/// A snapshot in the hands of one worker.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) snapshot: Arc<Snapshot>,
    arms: Lazy<ArmFacts>,
    /// What no arm takes.
    unmatched: ArmFacts,
    /// What goes to a service that has no arms.
    unrouted: ArmFacts,
    /// By version; behind them by service, for all versions.
    destinations: Lazy<(DestinationCells, Box<str>)>,
    /// By endpoint: its sidecar, as its callers reach it.
    upstreams: Lazy<Rc<Upstream>>,
    /// The application that a sidecar stands before.
    application: OnceCell<Rc<Upstream>>,
    /// By facet: how the access log names the field that it asks for.
    asked_names: Lazy<Option<Box<str>>>,
}

/// What a worker knows of an arm.
#[derive(Debug)]
pub(crate) struct ArmFacts {
    pub(crate) cells: ArmCells,
    /// `file:line`.
    pub(crate) place: Option<Box<str>>,
    body: OnceCell<Bytes>,
}

impl ArmFacts {
    fn new(name: &str, place: Option<String>) -> Self {
        Self {
            cells: ArmCells::new(name),
            place: place.map(Into::into),
            body: OnceCell::new(),
        }
    }
}

impl Current {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Rc<Self> {
        let bundle = &snapshot.bundle;
        Rc::new(Self {
            arms: Lazy::new(bundle.arms().len()),
            unmatched: ArmFacts::new("unknown", None),
            unrouted: ArmFacts::new("none", None),
            destinations: Lazy::new(bundle.versions().len() + bundle.services().len()),
            upstreams: Lazy::new(bundle.endpoints().len()),
            application: OnceCell::new(),
            asked_names: Lazy::new(bundle.facets().len()),
            snapshot,
        })
    }

    pub(crate) fn bundle(&self) -> &Bundle {
        &self.snapshot.bundle
    }

    pub(crate) fn bundle_id(&self) -> &str {
        &self.snapshot.bundle_id
    }

    #[inline]
    pub(crate) fn arm(&self, arm: Id<Arm>) -> Option<&ArmFacts> {
        let id = arm.some()?;
        Some(self.arms.get(id.index(), || {
            let arm = self.bundle().arm(id);
            ArmFacts::new(
                self.bundle().str(arm.name),
                self.bundle().place(arm.location),
            )
        }))
    }

    /// How the access log names the field that a facet asks for; none for what has a place of its own in it.
    pub(crate) fn asked_name(&self, facet: Id<Facet>) -> Option<&str> {
        let name = self.asked_names.get(facet.index(), || {
            let field = Field::of_facet(self.bundle(), &self.bundle().facets()[facet.index()])?;
            asked::name(self.bundle(), field).map(Into::into)
        });
        name.as_deref()
    }

    /// What counts a request that no arm took; `destined` says whether it went somewhere all the same.
    pub(crate) fn no_arm(&self, destined: bool) -> &ArmFacts {
        if destined {
            &self.unrouted
        } else {
            &self.unmatched
        }
    }

    /// The body of an arm that responds.
    pub(crate) fn body(&self, arm: Id<Arm>, body: StrId) -> Bytes {
        let Some(body) = body.some() else {
            return Bytes::new();
        };
        let bytes = || Bytes::copy_from_slice(self.bundle().str_bytes(body));
        self.arm(arm)
            .map_or_else(bytes, |facts| facts.body.get_or_init(bytes).clone())
    }

    /// Where a version, or else a service, stands among destinations.
    pub(crate) fn destination_index(&self, service: Id<Service>, version: Id<Version>) -> usize {
        match version.some() {
            Some(version) => version.index(),
            None => self.bundle().versions().len() + service.index(),
        }
    }

    #[inline]
    fn destination_entry(&self, worker: &Worker, index: usize) -> &(DestinationCells, Box<str>) {
        self.destinations.get(index, || {
            let bundle = self.bundle();
            let versions = bundle.versions().len();
            let (service, version) = if let Some(service) = index.checked_sub(versions) {
                (service, None)
            } else {
                let holds = |service: &Service| service.versions.range().contains(&index);
                let service = bundle.services().iter().position(holds);
                (service.unwrap_or_default(), Some(&bundle.versions()[index]))
            };
            let service = Arc::clone(&self.snapshot.services[service]);
            let version = version.map_or("", |version| bundle.str(version.name));
            let text = match version {
                "" => service.to_string(),
                version => format!("{service}.{version}"),
            };
            let version = version.into();
            let destination = metrics::Destination { service, version };
            (
                DestinationCells::new(&worker.metrics, destination),
                text.into(),
            )
        })
    }

    #[inline]
    pub(crate) fn destination(&self, worker: &Worker, index: usize) -> &DestinationCells {
        &self.destination_entry(worker, index).0
    }

    /// `service` or `service.version`.
    pub(crate) fn destination_text(&self, worker: &Worker, index: usize) -> &str {
        &self.destination_entry(worker, index).1
    }

    /// An endpoint, as its callers reach it.
    #[inline]
    pub(crate) fn upstream(&self, worker: &Worker, endpoint: Id<Endpoint>) -> &Rc<Upstream> {
        self.upstreams.get(endpoint.index(), || {
            let endpoint = self.bundle().endpoint(endpoint);
            let service = &self.snapshot.services[endpoint.service.index()];
            worker
                .pool
                .upstream(endpoint.sidecar(), service, &worker.metrics)
        })
    }

    /// The application behind an endpoint, as its own sidecar reaches it.
    pub(crate) fn application(&self, worker: &Worker, endpoint: Id<Endpoint>) -> &Rc<Upstream> {
        self.application.get_or_init(|| {
            let endpoint = self.bundle().endpoint(endpoint);
            let service = &self.snapshot.services[endpoint.service.index()];
            worker
                .pool
                .upstream(endpoint.application(), service, &worker.metrics)
        })
    }
}
