//! The tables of a mesh, each with the requests that it meets.
//!
//! A host block meets requests that come in at the gateway's listeners, for its hosts and no more specific ones of
//! other blocks, from clients without identity. A service's route meets what any service or gateway sends.

use super::decider::{Decider, LoneTableError, lone_table};
use super::space::{Space, TableId};
use super::{Budget, Door, Proof, World};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::{Gateway, HostBlock, Listener, ListenerKind, Mesh, Service, Table};
use crate::plan::formula::FormulaId;
use crate::plan::table::Match;
use mesh_bundle::format::{self, Bundle, Id};
use mesh_lang::value::HostPattern;
use std::sync::Arc;

/// A table, and what is known of its requests.
#[derive(Clone, Debug)]
pub struct Subject<'m> {
    /// The table.
    pub table: &'m Table,
    /// Where it stands.
    pub place: Place<'m>,
    /// What requests there are.
    pub world: World,
    /// What holds of those that come to the table.
    pub region: Option<Condition>,
    /// Its record in the bundle of the mesh.
    record: Record,
}

/// Where a table stands.
#[derive(Clone, Copy, Debug)]
pub enum Place<'m> {
    /// In a host block of a gateway.
    Host(&'m Gateway, &'m HostBlock),
    /// In a service.
    Route(&'m Service),
}

/// Which record a table has.
#[derive(Clone, Copy, Debug)]
enum Record {
    HostBlock(u32),
    Service(u32),
}

/// All tables of a mesh: those of host blocks, then those of routes. Of a mesh that has errors not everything may
/// have been understood that keeps requests from coming to a table; then it is not `complete`, and any may come.
pub fn of_mesh(mesh: &Mesh, complete: bool) -> Vec<Subject<'_>> {
    let blocks = mesh
        .gateways
        .iter()
        .flat_map(|gateway| gateway.hosts.iter().map(move |block| (gateway, block)));
    let hosts = (0..).zip(blocks).map(|(index, (gateway, block))| Subject {
        table: &block.table,
        place: Place::Host(gateway, block),
        world: at_gateway(mesh, gateway, block, complete),
        region: hosts_of(gateway, block).filter(|_| complete),
        record: Record::HostBlock(index),
    });
    let routes = (0..).zip(&mesh.services).filter_map(|(index, service)| {
        Some(Subject {
            table: service.route.as_ref()?,
            place: Place::Route(service),
            world: at_caller(mesh, service),
            region: None,
            record: Record::Service(index),
        })
    });
    hosts.chain(routes).collect()
}

/// The requests that a gateway hands to its host blocks.
pub(super) fn at_gateway(
    mesh: &Mesh,
    gateway: &Gateway,
    block: &HostBlock,
    complete: bool,
) -> World {
    let listeners = gateway.listeners.iter().filter(|_| complete);
    let doors = listeners.filter_map(|listener| {
        let https = match &listener.kind {
            ListenerKind::Http { redirect, .. } if redirect.is_none() => false,
            ListenerKind::Https { .. } => true,
            ListenerKind::Http { .. } | ListenerKind::Tcp(_) | ListenerKind::Passthrough(_) => {
                return None;
            }
        };
        Some(Door {
            https,
            port: listener.port,
        })
    });
    // Clients of a gateway that is reached over TLS are shown how to come by it.
    let mut doors: Vec<Door> = doors.collect();
    doors.sort_by_key(|door| !door.https);
    World {
        encoded_slash: mesh.encoded_slash.value,
        host: some_host(gateway, block),
        callers: Arc::default(),
        anonymous: true,
        doors,
        direct: complete && gateway.trusted_proxies.as_ref().is_none_or(Vec::is_empty),
        certificates: !complete || gateway.listeners.iter().any(asks_for_certificate),
        tokens: token_names(mesh),
        keys: key_names(mesh),
    }
}

/// The requests to a service, where its callers route them.
pub(super) fn at_caller(mesh: &Mesh, service: &Service) -> World {
    World {
        encoded_slash: mesh.encoded_slash.value,
        host: service.name.clone(),
        callers: mesh.callers(),
        anonymous: false,
        doors: Vec::new(),
        direct: false,
        certificates: true,
        tokens: token_names(mesh),
        keys: key_names(mesh),
    }
}

/// Whether clients show certificates at a listener.
fn asks_for_certificate(listener: &Listener) -> bool {
    matches!(&listener.kind, ListenerKind::Https { client_ca, .. } if client_ca.is_some())
}

fn token_names(mesh: &Mesh) -> Vec<String> {
    mesh.jwts.iter().map(|jwt| jwt.name.clone()).collect()
}

fn key_names(mesh: &Mesh) -> Vec<String> {
    mesh.keys.iter().map(|keys| keys.name.clone()).collect()
}

/// How specific a pattern is: a host belongs to the block with the most specific one that takes it.
pub(super) fn specificity(pattern: &HostPattern) -> usize {
    match pattern {
        HostPattern::Any => 0,
        HostPattern::Suffix(suffix) => 1 + suffix.len(),
        HostPattern::Exact(_) => usize::MAX,
    }
}

/// The patterns of other blocks that take hosts from a pattern of this one.
fn stronger<'g>(
    gateway: &'g Gateway,
    block: &'g HostBlock,
    than: &'g HostPattern,
) -> impl Iterator<Item = &'g HostPattern> {
    let others = gateway
        .hosts
        .iter()
        .filter(move |other| !std::ptr::eq(*other, block));
    let patterns = others.flat_map(|other| &other.patterns);
    patterns.filter(move |pattern| specificity(pattern) > specificity(than))
}

/// A host that belongs to a block.
fn some_host(gateway: &Gateway, block: &HostBlock) -> String {
    let takes = |pattern: &HostPattern, host: &str| match pattern {
        HostPattern::Any => true,
        HostPattern::Exact(name) => name == host,
        HostPattern::Suffix(suffix) => host
            .strip_suffix(suffix.as_str())
            .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
    };
    let mut candidates = block.patterns.iter().flat_map(|pattern| {
        let hosts = match pattern {
            HostPattern::Exact(name) => vec![name.clone()],
            HostPattern::Suffix(suffix) => ["www", "a", "b", "c"]
                .map(|label| format!("{label}.{suffix}"))
                .into(),
            HostPattern::Any => ["other.example", "a.example", "b.example"]
                .map(str::to_owned)
                .into(),
        };
        hosts.into_iter().map(move |host| (pattern, host))
    });
    let own = candidates.find(|(pattern, host)| {
        !stronger(gateway, block, pattern).any(|stronger| takes(stronger, host))
    });
    own.map_or_else(|| "other.example".to_owned(), |(_, host)| host)
}

/// "The host belongs to this block", if an arm of it asks for hosts at all.
fn hosts_of(gateway: &Gateway, block: &HostBlock) -> Option<Condition> {
    let conditions = block
        .table
        .arms
        .iter()
        .filter_map(|arm| arm.condition.as_ref());
    let mut tests = conditions.flat_map(Condition::tests);
    let asks = !block.patterns.is_empty() && tests.any(|test| test.field == Field::Host);
    asks.then(|| belongs(gateway, block))
}

/// "The host belongs to this block."
pub(super) fn belongs(gateway: &Gateway, block: &HostBlock) -> Condition {
    let is_one_of = |patterns: Vec<HostPattern>| {
        Condition::Test(Test {
            field: Field::Host,
            predicate: Predicate::Hosts(patterns),
            span: block.span,
        })
    };
    let own = block.patterns.iter().map(|pattern| {
        let others = stronger(gateway, block, pattern).cloned().collect();
        Condition::And(vec![
            is_one_of(vec![pattern.clone()]),
            Condition::Not(Box::new(is_one_of(others))),
        ])
    });
    Condition::Or(own.collect())
}

impl Subject<'_> {
    /// Calls `with` with a proof about the table, and with the formulas of `more` conditions. Requests are put before
    /// `bundle`, the one of the mesh, or, where there is none, before one that is made of this table alone.
    pub fn prove<R>(
        &self,
        bundle: Option<&Bundle>,
        more: &[Condition],
        budget: &mut Budget,
        with: impl FnOnce(&mut Proof<'_>, &[FormulaId]) -> R,
    ) -> Result<R, LoneTableError> {
        let methods = self.table.methods();
        let arms = self.table.arms.iter().zip(&methods);
        let matches: Vec<Match<'_>> = arms
            .map(|(arm, methods)| Match {
                methods,
                paths: &arm.paths,
                condition: arm.condition.as_ref(),
            })
            .collect();
        let conditions: Vec<&Condition> = self.region.iter().chain(more).collect();
        let space = Space::new(self.world.clone(), &[&matches], &conditions);
        let mut space = space.map_err(LoneTableError::Table)?;
        let formulas = (0..conditions.len()).map(|index| space.condition(index));
        let formulas: Vec<FormulaId> = formulas.collect();
        let (region, more) = formulas.split_at(usize::from(self.region.is_some()));

        let lone;
        let decider = if let Some(bundle) = bundle {
            Decider::new(bundle, self.record(bundle), self.parts())
        } else {
            lone = lone_table(&matches)?;
            let arms = 0..matches.len() as u32;
            Decider::new(&lone, Id::new(0), arms.collect())
        };
        let mut proof = Proof {
            space: &mut space,
            table: TableId(0),
            region,
            decide: &|request| decider.decide(request),
            budget,
        };
        Ok(with(&mut proof, more))
    }

    /// The table's record in the bundle of the mesh.
    fn record(&self, bundle: &Bundle) -> Id<format::Table> {
        match self.record {
            Record::HostBlock(index) => bundle.host_block(Id::new(index)).table,
            Record::Service(index) => bundle.service(Id::new(index)).route,
        }
    }

    /// For each arm in the bundle the one that it is of.
    fn parts(&self) -> Vec<u32> {
        let arms = (0u32..).zip(&self.table.arms);
        arms.flat_map(|(index, arm)| {
            let parts = crate::plan::pattern_groups(arm).len();
            std::iter::repeat_n(index, parts)
        })
        .collect()
    }
}
