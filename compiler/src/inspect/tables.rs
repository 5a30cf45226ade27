//! The tables of a bundle: which there are, whose, and how large.

use mesh_bundle::format::{self as format, Bundle, Id, Location};
use serde::Serialize;

/// A table that decides something.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Its place in its section.
    pub index: u32,
    /// What it decides: `host shop.example of edge`, `route of shop`, `authz of shop`.
    pub decides: String,
    /// Where that is written.
    pub place: Option<String>,
    /// Its arms, or rules.
    pub entries: usize,
    /// Fields that it asks for.
    pub facets: usize,
    /// Classes of paths that it tells apart.
    pub path_classes: usize,
    /// Bytes of its diagrams.
    pub code_bytes: usize,
}

/// All tables, in their order. One that several use is that of the first.
pub(super) fn all(bundle: &Bundle) -> Vec<Table> {
    let mut tables: Vec<Option<Table>> = bundle.tables().iter().map(|_| None).collect();
    let mut owner = |id: Id<format::Table>, decides: String, location: Location| {
        let Some(id) = id.some() else { return };
        let table = bundle.table(id);
        let slot = &mut tables[id.index()];
        slot.get_or_insert_with(|| Table {
            index: id.index() as u32,
            decides,
            place: bundle.place(location),
            entries: table.arms.len() + table.rules.len(),
            facets: table.facets.len(),
            path_classes: table.classes.len(),
            code_bytes: table.code.len() * 4,
        });
    };
    let authz = |owner: &mut dyn FnMut(Id<format::Table>, String, Location),
                 id: Id<format::Authz>,
                 of: &str| {
        if let Some(id) = id.some() {
            let authz = bundle.authz(id);
            owner(authz.rules, format!("authz of {of}"), authz.location);
            owner(
                authz.shadow,
                format!("shadow authz of {of}"),
                authz.location,
            );
        }
    };
    for gateway in bundle.gateways() {
        let name = bundle.qualified(gateway.namespace, gateway.name);
        for host in &bundle.host_blocks()[gateway.hosts.range()] {
            let of = format!("host {} of {name}", bundle.str(host.name));
            owner(host.table, of.clone(), host.location);
            authz(&mut owner, host.authz, &of);
        }
    }
    for service in bundle.services() {
        let name = bundle.qualified(service.namespace, service.name);
        owner(service.route, format!("route of {name}"), service.location);
        authz(&mut owner, service.authz, &name);
    }
    for require in bundle.requires() {
        owner(
            require.condition,
            "when something is required".to_owned(),
            require.location,
        );
    }
    for source in bundle.endpoint_sources() {
        owner(source.filter, "which endpoints".to_owned(), source.location);
    }
    tables.into_iter().flatten().collect()
}
