//! Nodes started in this process, on free ports, between clients and upstreams made for the occasion.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod access_log;
mod admin;
mod bodies;
mod follow;
mod gateway;
mod hygiene;
mod pool;
mod process;
mod reload;
mod shutdown;
mod sidecar;
mod support;
mod timeouts;
mod tls;
