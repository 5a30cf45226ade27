//! Which fields the decisions on a request asked for, and what they held, for the access log.
//!
//! While decisions are made only the facets that ask are noted, and only where there is a log. What they saw is
//! written once all is decided, before the request is changed for its way on.

use std::cell::{OnceCell, RefCell};

use mesh_bundle::asked::{self, Key};
use mesh_bundle::format::{Facet, Id, address_from_bytes};
use mesh_bundle::{Bundle, Field, RequestView, Value};
use smallvec::SmallVec;

use crate::snapshot::Current;
use crate::telemetry::access_log::{address, string};

/// The fields that decisions asked for.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    facets: RefCell<SmallVec<[Id<Facet>; 8]>>,
    /// Members of a JSON object. Nothing until all is decided.
    members: OnceCell<Vec<u8>>,
}

impl Recording {
    /// A facet asks.
    #[inline]
    pub(crate) fn note(&self, facet: Id<Facet>) {
        self.facets.borrow_mut().push(facet);
    }

    /// All is decided: writes down what the facets that asked have seen.
    pub(crate) fn close(&self, current: &Current, key: &Key, view: &impl RequestView) {
        let mut members = Vec::new();
        let bundle = current.bundle();
        let mut facets = self.facets.take();
        // Several facets, of one table or of several, may ask for one field.
        let field = |id: Id<Facet>| {
            let facet = &bundle.facets()[id.index()];
            let name = bundle.opt_str(facet.name);
            (facet.field, facet.provider.get(), name)
        };
        facets.sort_unstable_by_key(|id| (field(*id), id.index()));
        for same in facets.chunk_by(|a, b| field(*a) == field(*b)) {
            let Some(name) = current.asked_name(same[0]) else {
                continue;
            };
            if !members.is_empty() {
                members.push(b',');
            }
            string(&mut members, name.as_bytes());
            members.push(b':');
            member(&mut members, bundle, key, same, name, view);
        }
        let _ = self.members.set(members);
    }

    /// The members of the log's object; `None` where nothing was decided.
    pub(crate) fn members(&self) -> Option<&[u8]> {
        self.members.get().map(Vec::as_slice)
    }
}

/// Writes what a field holds, as far as the facets that asked for it let it be seen.
fn member(
    to: &mut Vec<u8>,
    bundle: &Bundle,
    key: &Key,
    facets: &[Id<Facet>],
    name: &str,
    view: &impl RequestView,
) {
    let records = bundle.facets();
    let Some(field) = Field::of_facet(bundle, &records[facets[0].index()]) else {
        return to.extend_from_slice(b"null");
    };
    let text = |to: &mut Vec<u8>, value: &[u8]| {
        let mut facets = facets.iter();
        let plain = facets.any(|id| asked::is_plain(bundle, &records[id.index()], field, value));
        // What is no UTF-8 cannot be written as it is.
        if plain && str::from_utf8(value).is_ok() {
            string(to, value);
        } else {
            to.extend_from_slice(b"{\"hash\":\"");
            to.extend_from_slice(&key.hash(name, value));
            to.extend_from_slice(b"\"}");
        }
    };
    match view.field(field, facets[0]) {
        Value::Absent => to.extend_from_slice(b"null"),
        Value::Text(value) if view.repeats(field) => {
            to.extend_from_slice(b"{\"repeated\":");
            text(to, &value);
            to.push(b'}');
        }
        // Of a token that is there only the claims hold something.
        Value::Text(_) if matches!(field, Field::Jwt(_)) => to.extend_from_slice(b"true"),
        Value::Text(value) => text(to, &value),
        Value::Number(number) => {
            to.push(b'"');
            address(to, address_from_bytes(number.to_be_bytes()));
            to.push(b'"');
        }
        Value::List(values) => {
            to.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    to.push(b',');
                }
                text(to, value);
            }
            to.push(b']');
        }
    }
}
