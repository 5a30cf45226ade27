//! As whom a service knows its callers.

use crate::model::{Mesh, Mtls, ServiceId};

/// As whom a caller is known to whoever asks the rules of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// As what it is.
    Known,
    /// As somebody without identity.
    Anonymous,
    /// Not at all: it gets no connection.
    Refused,
    /// Not at all: nothing stands before the service.
    Unguarded,
}

/// How a caller, with an identity of the mesh or without one, is seen by a service.
pub fn seen(mesh: &Mesh, id: ServiceId, has_identity: bool) -> Seen {
    let service = &mesh[id];
    // Where no sidecar stands before it, the caller's proxy asks the rules, and knows who calls.
    if mesh.without_sidecar(service) {
        return if has_identity {
            Seen::Known
        } else {
            Seen::Unguarded
        };
    }
    match (mesh.mtls_of(service).value, has_identity) {
        (Mtls::Off, _) | (Mtls::Permissive, false) => Seen::Anonymous,
        (Mtls::Permissive | Mtls::Strict, true) => Seen::Known,
        (Mtls::Strict, false) => Seen::Refused,
    }
}
