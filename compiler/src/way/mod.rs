//! The way of a request, told: every decision, where it is written, and what becomes of the request.
//!
//! A [`Branch`] of a journey becomes lines, and its end a sentence. All that is said is read from the bundle:
//! what is told is what is run, and a bundle by itself can be asked. Where the mesh is at hand too ([`Written`]),
//! it tells why earlier arms did not take the request, and which values are in force.

mod asked;
mod end;
mod in_force;
mod line;
mod why_not;
mod written;

pub use asked::Asked;
pub use end::{allows, end, ends, in_short};
pub use in_force::{Value, endpoints, in_force};
pub use line::{Line, lines, table};
pub(crate) use line::{describe, share};
pub use why_not::{PassedOver, passed_over};
pub use written::{Owner, Written, WrittenArm};

use mesh_bundle::Bundle;
use mesh_bundle::format::{Id, Location, Service, Target, Version};
use std::net::{IpAddr, Ipv4Addr};

/// What `meshc route --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// Where requests come from that say no address: one that nobody has (RFC 5737).
pub const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// `reviews.v2`: a service and its version, if it is one of its versions.
pub fn destination(bundle: &Bundle, service: Id<Service>, version: Id<Version>) -> String {
    let record = bundle.service(service);
    let name = bundle.qualified(record.namespace, record.name);
    match version.some() {
        Some(version) => format!("{name}.{}", bundle.str(bundle.version(version).name)),
        None => name,
    }
}

/// A target as it is written: a service whose route is left aside is `self`.
fn target(bundle: &Bundle, target: Target) -> String {
    match target {
        Target::Service(service) => destination(bundle, service, Id::NONE),
        Target::Version(service, version) => destination(bundle, service, version),
        Target::Own(_) => "self".to_owned(),
    }
}

/// `file:line`; `the edition` for what nobody wrote.
fn place(bundle: &Bundle, location: Location) -> String {
    bundle
        .place(location)
        .unwrap_or_else(|| "the edition".to_owned())
}
