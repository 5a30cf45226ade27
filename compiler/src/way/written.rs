//! From what a bundle decided back to what is written: the model's table and arm.

use crate::model::{Arm, Gateway, HostBlock, Mesh, Service, ServiceId, Table};
use mesh_bundle::Bundle;
use mesh_bundle::format::{self, Id};
use mesh_lang::source::Sources;

/// A mesh, and the bundle that was made of all of it: services, gateways and hosts have the same numbers.
#[derive(Clone, Copy, Debug)]
pub struct Written<'w> {
    /// The mesh.
    pub mesh: &'w Mesh,
    /// Its files.
    pub sources: &'w Sources,
    /// The bundle.
    pub bundle: &'w Bundle,
}

/// An arm as it is written.
#[derive(Clone, Copy, Debug)]
pub struct WrittenArm<'w> {
    /// Whose it is.
    pub owner: Owner<'w>,
    /// The table in which it stands.
    pub table: &'w Table,
    /// Its place there.
    pub index: usize,
}

/// Whose a table is.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'w> {
    /// A host's.
    Host(&'w Gateway, &'w HostBlock),
    /// A service's.
    Service(ServiceId, &'w Service),
}

impl<'w> WrittenArm<'w> {
    /// The arm.
    pub fn arm(&self) -> &'w Arm {
        &self.table.arms[self.index]
    }
}

impl<'w> Written<'w> {
    /// The arm of a table of the bundle.
    pub fn arm(&self, table: Id<format::Table>, arm: Id<format::Arm>) -> Option<WrittenArm<'w>> {
        let owner = self.owner(table)?;
        let table = match owner {
            Owner::Host(_, host) => &host.table,
            Owner::Service(_, service) => service.route.as_ref()?,
        };
        let record = self.bundle.arm(arm);
        let name = self.bundle.str(record.name);
        let index = table.arms.iter().position(|arm| {
            let line = self.sources.get(arm.span.file).line_of(arm.span.start);
            arm.name == name && line == record.location.line.get()
        })?;
        Some(WrittenArm {
            owner,
            table,
            index,
        })
    }

    fn owner(&self, table: Id<format::Table>) -> Option<Owner<'w>> {
        let mut services = self.bundle.services().iter();
        if let Some(index) = services.position(|service| service.route == table) {
            return Some(Owner::Service(
                ServiceId(index as u32),
                &self.mesh.services[index],
            ));
        }
        let gateways = self.bundle.gateways().iter().zip(&self.mesh.gateways);
        let mut hosts = gateways.flat_map(|(record, gateway)| {
            let blocks = &self.bundle.host_blocks()[record.hosts.range()];
            let hosts = blocks.iter().zip(&gateway.hosts);
            hosts.map(move |(block, host)| (block.table, gateway, host))
        });
        let (_, gateway, host) = hosts.find(|(known, ..)| *known == table)?;
        Some(Owner::Host(gateway, host))
    }
}
