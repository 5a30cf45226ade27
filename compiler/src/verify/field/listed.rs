//! What can be counted out: doors, callers, addresses.

use super::{Chosen, Classifier, Fields, Of, Value};
use crate::verify::request::SOME_ADDRESS;
use crate::verify::world::Door;
use mesh_bundle::format::{FieldKind, address_number};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

impl Fields {
    /// The values that a group's facets can tell apart, one of each kind, where they can be counted out. What
    /// reads best comes first.
    pub(super) fn listed(&self, index: usize) -> Vec<Rc<Chosen>> {
        let values: Vec<Value> = match &self.groups[index].of {
            Of::Door => self.doors(index),
            Of::Caller => {
                let callers = self.world.callers.iter();
                let callers = callers.map(|caller| Value::Caller(caller.as_str().into()));
                let anonymous = self.world.anonymous.then_some(Value::Absent);
                anonymous.into_iter().chain(callers).collect()
            }
            Of::SourceIp | Of::ClientIp | Of::Address => self.addresses(index),
            Of::Nothing => vec![Value::Absent],
            _ => Vec::new(),
        };
        let mut known = BTreeSet::new();
        values
            .into_iter()
            .map(|value| self.chosen(index, value))
            .filter(|chosen| known.insert(chosen.classes.clone()))
            .collect()
    }

    /// The bounds between the classes of a field of a group.
    fn bounds(&self, index: usize, field: FieldKind) -> impl Iterator<Item = u128> {
        let facets = self.groups[index].facets.iter();
        let facets = facets.map(|&facet| &self.facets[facet as usize]);
        let of_field = facets.filter(move |facet| facet.field == field);
        let bounds = of_field.flat_map(|facet| match &facet.classifier {
            Classifier::Bounds(bounds) => bounds.as_slice(),
            _ => &[],
        });
        bounds.copied()
    }

    fn doors(&self, index: usize) -> Vec<Value> {
        if !self.world.doors.is_empty() {
            return self.world.doors.iter().copied().map(Value::Door).collect();
        }
        let ports = self.bounds(index, FieldKind::Port);
        let ports = ports.filter_map(|port| u16::try_from(port).ok());
        let ports = ports.filter(|port| *port > 0);
        let ports: Vec<u16> = [80, 443, 8080]
            .into_iter()
            .chain(ports)
            .chain([1])
            .collect();
        let doors = [false, true].into_iter().flat_map(|https| {
            let doors = ports.iter().map(move |&port| Door { https, port });
            // A URL with the usual port of its scheme is the shortest.
            let (usual, others): (Vec<Door>, Vec<Door>) = doors.partition(|door| door.is_usual());
            usual.into_iter().chain(others)
        });
        doors.map(Value::Door).collect()
    }

    fn addresses(&self, index: usize) -> Vec<Value> {
        let source = self.bounds(index, FieldKind::SourceIp);
        let lows: BTreeSet<u128> = source
            .chain(self.bounds(index, FieldKind::ClientIp))
            .collect();
        let within = |low: u128, next: Option<&u128>| {
            // The first address of a network is its name.
            let second = low.checked_add(1);
            let second = second.filter(|second| next.is_none_or(|next| second < next));
            second.unwrap_or(low)
        };
        let nexts = lows.iter().skip(1).map(Some).chain([None]);
        let inside = lows.iter().zip(nexts);
        let inside = inside.map(|(&low, next)| within(low, next));
        // An address of IPv4 is shorter than one of IPv6.
        let (short, long): (Vec<u128>, Vec<u128>) =
            inside.partition(|&number| address(number).is_ipv4());
        let some = address_number(SOME_ADDRESS);
        let all = std::iter::once(some).chain(short).chain(long);
        all.map(Value::Address).collect()
    }
}

/// An address as [`address_number`] numbers it.
pub(super) fn address(number: u128) -> IpAddr {
    Ipv6Addr::from(number).to_canonical()
}
