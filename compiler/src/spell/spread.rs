//! How endpoints are found and chosen.

use super::policy::choice;
use super::value::{address, duration, list, percent};
use super::{Line, Place};
use crate::model::upstream::{
    Algorithm, Balance, Eject, Endpoint, Endpoints, Health, Limits, Source, Spread,
};
use mesh_lang::value::quote;

impl Place<'_> {
    /// Where requests to a service or version go.
    pub(crate) fn endpoints(&self, endpoints: &Endpoints) -> Option<Line> {
        match endpoints {
            Endpoints::None => None,
            Endpoints::Listed(listed) => {
                let first = listed.first()?.span;
                let text = format!("endpoints {}", list(listed.iter().map(endpoint)));
                Some(Line::new(text).at(first))
            }
            Endpoints::From(said) => Some(Line::said(said, |source| {
                format!("endpoints {}", self.source(source))
            })),
        }
    }

    fn source(&self, source: &Source) -> String {
        match source {
            Source::Dns { name, port, every } => {
                format!("dns {name}:{port} every {}", duration(every.value))
            }
            Source::DnsService { name, every } => {
                format!("dns {name} every {}", duration(every.value))
            }
            Source::Inventory(None) => "from inventory".to_owned(),
            Source::Inventory(Some(condition)) => {
                format!("from inventory where {}", self.condition(condition))
            }
            Source::File(file) => format!("file {}", quote(file)),
            Source::Kubernetes {
                namespace,
                name,
                port,
            } => format!("kubernetes {namespace}/{name}:{port}"),
            Source::Etcd(prefix) => format!("etcd {}", quote(prefix)),
        }
    }

    /// How an endpoint is chosen.
    pub(crate) fn spread(&self, spread: &Spread) -> Vec<Line> {
        let mut lines = Vec::new();
        lines.extend(spread.balance.as_ref().map(|it| self.balance(it)));
        lines.extend(
            spread
                .limits
                .as_ref()
                .map(|it| choice("limits", it, limits)),
        );
        lines.extend(spread.eject.as_ref().map(|it| choice("eject", it, eject)));
        lines.extend(
            spread
                .health
                .as_ref()
                .map(|it| choice("health", it, health)),
        );
        lines
    }

    fn balance(&self, balance: &Balance) -> Line {
        let mut block = Vec::new();
        block.extend(
            balance
                .slow_start
                .map(|it| Line::said(&it, |time| format!("slow-start {}", duration(*time)))),
        );
        block.extend(
            balance
                .prefer_zone
                .map(|it| Line::said(&it, |()| "prefer zone".to_owned())),
        );
        let line = Line::said(&balance.algorithm, |algorithm| {
            let algorithm = match algorithm {
                Algorithm::LeastRequest => "least-request",
                Algorithm::RoundRobin => "round-robin",
                Algorithm::Random => "random",
                Algorithm::Ewma => "ewma",
                Algorithm::Passthrough => "passthrough",
                Algorithm::Hash(field) => return format!("balance hash by {}", self.field(field)),
            };
            format!("balance {algorithm}")
        });
        line.perhaps_with(block)
    }
}

fn endpoint(endpoint: &Endpoint) -> String {
    let mut text = address(endpoint.address);
    if endpoint.weight != 1 {
        text = format!("{text} weight {}", endpoint.weight);
    }
    match endpoint.via {
        Some(via) => format!("{text} via {}", address(via)),
        None => text,
    }
}

/// `limits`.
pub(super) fn limits(limits: &Limits) -> Line {
    let mut block = vec![
        Line::said(&limits.connections, |count| format!("connections {count}")),
        Line::said(&limits.pending, |count| format!("pending {count}")),
        Line::said(&limits.requests, |count| format!("requests {count}")),
    ];
    let each = limits.per_connection;
    block.extend(each.map(|it| Line::said(&it, |count| format!("per-connection {count}"))));
    Line::new("limits").with(block)
}

fn eject(eject: &Eject) -> Line {
    Line::new(format!("eject after {} errors", eject.after)).with(vec![
        Line::said(&eject.every, |time| format!("every {}", duration(*time))),
        Line::said(&eject.time, |time| format!("for {}", duration(*time))),
        Line::said(&eject.at_most, |share| {
            format!("at-most {}", percent(*share))
        }),
        Line::said(&eject.min_healthy, |share| {
            format!("min-healthy {}", percent(*share))
        }),
    ])
}

fn health(health: &Health) -> Line {
    let path = quote(&health.path);
    Line::new(format!("health {} {path}", health.method)).with(vec![
        Line::said(&health.every, |time| format!("every {}", duration(*time))),
        Line::said(&health.timeout, |time| {
            format!("timeout {}", duration(*time))
        }),
        Line::said(&health.healthy, |count| format!("healthy {count}")),
        Line::said(&health.unhealthy, |count| format!("unhealthy {count}")),
        Line::said(&health.expect, |statuses| {
            let statuses = statuses.iter().map(|(low, high)| {
                if low == high {
                    low.to_string()
                } else {
                    format!("{low}..{high}")
                }
            });
            format!("expect {}", list(statuses))
        }),
    ])
}
