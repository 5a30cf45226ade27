//! Upstreams: which endpoint takes a request, and over which connection.
//!
//! Each worker has its own: [`balance`] draws an endpoint, [`pool`] keeps connections that are not in
//! use, [`connect`] makes new ones. Nothing here is shared between workers.

pub(crate) mod balance;
pub(crate) mod connect;
pub(crate) mod pool;

use mesh_bundle::format::Protocol;

/// What is spoken on a connection to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Http1,
    /// By prior knowledge: both ends know it from the bundle.
    Http2,
}

impl Hop {
    /// What a service is spoken to in. One that speaks `http` gets gRPC as HTTP/2 and the rest as
    /// HTTP/1.1.
    pub(crate) fn of(protocol: u8, grpc: bool) -> Self {
        match Protocol::from_code(protocol) {
            Some(Protocol::Http2 | Protocol::Grpc) => Self::Http2,
            Some(Protocol::Http) if grpc => Self::Http2,
            // Requests are not sent to what speaks `tcp`: the compiler refuses such a policy.
            Some(Protocol::Http | Protocol::Http1 | Protocol::Tcp) | None => Self::Http1,
        }
    }
}
