//! How endpoints are found and chosen, as records.

use super::policies::{push, status_range};
use super::{PlanError, Planner};
use crate::model::said::Said;
use crate::model::upstream::{Algorithm, Eject, Endpoints, Health, Limits, Source, Spread};
use mesh_bundle::format::{self as format, Id, SourceKind, extend};
use zerocopy::little_endian::{U16, U32};

impl Planner<'_> {
    /// The record of how endpoints are chosen; none where nothing is said.
    pub(super) fn spread(&mut self, spread: &Spread) -> Id<format::Spread> {
        if *spread == Spread::default() {
            return Id::NONE;
        }
        // Most services say nothing, and one record is enough for them.
        let is_plain = *spread == Spread::EDITION_2026;
        if let (true, Some(plain)) = (is_plain, self.plain_spread) {
            return plain;
        }
        let balance = spread.balance.as_ref();
        let algorithm = balance.map(|balance| Said {
            value: u32::from(algorithm(&balance.algorithm.value).code()),
            origin: balance.algorithm.origin,
        });
        let hash = match balance.map(|balance| &balance.algorithm.value) {
            Some(Algorithm::Hash(field)) => self.one_field_ref(field),
            _ => Id::NONE,
        };
        let record = format::Spread {
            algorithm: self.opt_setting(algorithm),
            hash,
            slow_start: self.opt_setting(balance.and_then(|balance| balance.slow_start)),
            prefer_zone: self.flag(balance.and_then(|balance| balance.prefer_zone)),
            limits: self.choice(spread.limits.as_ref(), Self::limits),
            eject: self.choice(spread.eject.as_ref(), Self::eject),
            health: self.choice(spread.health.as_ref(), Self::health),
        };
        let spread = push(&mut self.draft.spreads, record);
        if is_plain {
            self.plain_spread = Some(spread);
        }
        spread
    }

    fn limits(&mut self, limits: &Limits) -> Id<format::Limits> {
        let record = format::Limits {
            connections: self.setting(limits.connections),
            pending: self.setting(limits.pending),
            requests: self.setting(limits.requests),
            per_connection: self.opt_setting(limits.per_connection),
        };
        push(&mut self.draft.limits, record)
    }

    fn eject(&mut self, eject: &Eject) -> Id<format::Eject> {
        let record = format::Eject {
            after: U32::new(eject.after),
            every: self.setting(eject.every),
            time: self.setting(eject.time),
            at_most: self.setting(eject.at_most),
            min_healthy: self.setting(eject.min_healthy),
        };
        push(&mut self.draft.ejects, record)
    }

    fn health(&mut self, health: &Health) -> Id<format::Health> {
        let expect = &health.expect.value;
        let expect: Vec<_> = expect
            .iter()
            .map(|&(low, high)| status_range(low, high))
            .collect();
        let record = format::Health {
            method: self.draft.string(&health.method),
            path: self.draft.string(&health.path),
            every: self.setting(health.every),
            timeout: self.setting(health.timeout),
            healthy: self.setting(health.healthy),
            unhealthy: self.setting(health.unhealthy),
            expect: extend(&mut self.draft.status_ranges, expect),
            expect_location: self.opt_location(health.expect.span()),
        };
        push(&mut self.draft.healths, record)
    }

    /// Who names endpoints; none where they are listed.
    pub(super) fn source(
        &mut self,
        endpoints: &Endpoints,
    ) -> Result<Id<format::EndpointSource>, PlanError> {
        let Endpoints::From(said) = endpoints else {
            return Ok(Id::NONE);
        };
        let mut record = format::EndpointSource {
            location: self.opt_location(said.span()),
            ..format::EndpointSource::default()
        };
        let kind = match &said.value {
            Source::Dns { name, port, every } => {
                record.text = self.draft.string(name);
                record.port = U16::new(*port);
                record.every = self.setting(*every);
                SourceKind::Dns
            }
            Source::DnsService { name, every } => {
                record.text = self.draft.string(name);
                record.every = self.setting(*every);
                SourceKind::DnsService
            }
            Source::Inventory(filter) => {
                if let (Some(filter), Some(span)) = (filter, said.span()) {
                    record.filter = self.condition_table(filter, span)?;
                }
                SourceKind::Inventory
            }
            Source::File(file) => {
                record.text = self.draft.string(file);
                SourceKind::File
            }
            Source::Kubernetes {
                namespace,
                name,
                port,
            } => {
                record.text = self.draft.string(&format!("{namespace}/{name}:{port}"));
                SourceKind::Kubernetes
            }
            Source::Etcd(prefix) => {
                record.text = self.draft.string(prefix);
                SourceKind::Etcd
            }
        };
        record.kind = kind.code();
        Ok(push(&mut self.draft.endpoint_sources, record))
    }
}

fn algorithm(of: &Algorithm) -> format::Algorithm {
    match of {
        Algorithm::LeastRequest => format::Algorithm::LeastRequest,
        Algorithm::RoundRobin => format::Algorithm::RoundRobin,
        Algorithm::Random => format::Algorithm::Random,
        Algorithm::Ewma => format::Algorithm::Ewma,
        Algorithm::Passthrough => format::Algorithm::Passthrough,
        Algorithm::Hash(_) => format::Algorithm::Hash,
    }
}
