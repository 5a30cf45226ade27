//! How requests are spread over the endpoints of a service or a version, and how much of them and
//! which endpoints there are.

use super::condition::{Condition, Field};
use super::said::{Said, Switch};
use mesh_bundle::route::WHOLE;
use mesh_lang::source::Span;
use std::net::SocketAddr;

/// Where requests to a service or version go.
#[derive(Clone, Debug)]
pub enum Endpoints {
    /// Nothing is written, or nothing of it resolved.
    None,
    /// To these.
    Listed(Vec<Endpoint>),
    /// To those that a source names.
    From(Said<Source>),
}

/// An endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Where the application listens.
    pub address: SocketAddr,
    /// Where callers reach its sidecar, where it says.
    pub via: Option<SocketAddr>,
    /// Its share of the load, at least 1.
    pub weight: u32,
    /// Where it is declared.
    pub span: Span,
}

/// Who names endpoints.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Address records.
    Dns {
        /// The name.
        name: String,
        /// The port.
        port: u16,
        /// How often it is asked, in milliseconds.
        every: Said<u32>,
    },
    /// Service records, which name ports as well.
    DnsService {
        /// The name.
        name: String,
        /// How often it is asked, in milliseconds.
        every: Said<u32>,
    },
    /// The node's inventory, and which of it.
    Inventory(Option<Condition>),
    /// A file of the inventory's form.
    File(String),
    /// A service of Kubernetes.
    Kubernetes {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port, a number or a name.
        port: String,
    },
    /// The keys of etcd below a prefix.
    Etcd(String),
}

/// How an endpoint is chosen, and when it is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// `balance`.
    pub balance: Option<Balance>,
    /// `limits`.
    pub limits: Option<Said<Switch<Limits>>>,
    /// `eject`.
    pub eject: Option<Said<Switch<Eject>>>,
    /// `health`.
    pub health: Option<Said<Switch<Health>>>,
}

/// How an endpoint is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// By which rule.
    pub algorithm: Said<Algorithm>,
    /// How long a new endpoint gets less than its share, in milliseconds.
    pub slow_start: Option<Said<u32>>,
    /// Whether endpoints of the caller's zone come first.
    pub prefer_zone: Option<Said<()>>,
}

/// The rule by which an endpoint is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Of two, the one with fewer requests under way.
    LeastRequest,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// Of two, the one that answers sooner.
    Ewma,
    /// The address that the caller meant.
    Passthrough,
    /// By the hash of a field.
    Hash(Field),
}

/// How much one proxy lets through at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Open connections.
    pub connections: Said<u32>,
    /// Requests that wait for one.
    pub pending: Said<u32>,
    /// Requests under way.
    pub requests: Said<u32>,
    /// Requests after which a connection is closed.
    pub per_connection: Option<Said<u32>>,
}

/// When an endpoint gets no requests for a while: outlier ejection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eject {
    /// After how many errors in a row.
    pub after: u32,
    /// How often it is decided who comes back, in milliseconds.
    pub every: Said<u32>,
    /// How long the first time is, in milliseconds.
    pub time: Said<u32>,
    /// Which share may be out at a time, in millionths.
    pub at_most: Said<u32>,
    /// The share of healthy endpoints below which all are used, in millionths.
    pub min_healthy: Said<u32>,
}

/// The request that tells whether an endpoint is healthy.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Its method.
    pub method: String,
    /// Its path, with a query where one is written.
    pub path: String,
    /// How often, in milliseconds.
    pub every: Said<u32>,
    /// How long the answer may take, in milliseconds.
    pub timeout: Said<u32>,
    /// Good answers in a row that make it healthy.
    pub healthy: Said<u32>,
    /// Failures in a row that make it unhealthy.
    pub unhealthy: Said<u32>,
    /// Good statuses, as ranges with both ends included.
    pub expect: Said<Vec<(u16, u16)>>,
}

impl Eject {
    /// How many of some endpoints may be out at a time: the share, and of several always one.
    pub fn may_be_out(&self, endpoints: u32) -> u32 {
        let share = u64::from(endpoints) * u64::from(self.at_most.value) / u64::from(WHOLE);
        (share as u32).max(u32::from(endpoints > 1))
    }
}

impl Endpoints {
    /// Those that are listed.
    pub fn listed(&self) -> &[Endpoint] {
        match self {
            Self::Listed(endpoints) => endpoints,
            Self::None | Self::From(_) => &[],
        }
    }

    /// Whether there is nowhere to go.
    pub fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Listed(endpoints) => endpoints.is_empty(),
            Self::From(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_endpoints_one_may_always_be_out() {
        let out = |at_most| {
            let eject = Eject {
                after: 5,
                every: Said::edition(10_000),
                time: Said::edition(30_000),
                at_most: Said::edition(at_most),
                min_healthy: Said::edition(500_000),
            };
            [1, 2, 9, 10, 25].map(|endpoints| eject.may_be_out(endpoints))
        };
        assert_eq!(out(0), [0, 1, 1, 1, 1]);
        assert_eq!(out(100_000), [0, 1, 1, 1, 2]);
        assert_eq!(out(500_000), [0, 1, 4, 5, 12]);
        assert_eq!(out(1_000_000), [1, 2, 9, 10, 25]);
    }
}
