//! The code that decides, for a proof to put its requests before.

use super::request::Request;
use crate::plan::table::{self, Match, TableError};
use mesh_bundle::decide;
use mesh_bundle::format::{
    Arm, ArmAction, Bundle, Draft, Id, Jwt, Keys, Location, Mesh, OpenError, Policy, Setting,
    Table, extend,
};
use zerocopy::little_endian::{U16, U32};

/// A table in a bundle.
#[derive(Debug)]
pub struct Decider<'b> {
    bundle: &'b Bundle,
    table: Id<Table>,
    /// For each arm in the bundle the one that it is of: what is done may depend on which of an arm's
    /// patterns took the path, and such an arm is several there.
    arms: Vec<u32>,
}

impl<'b> Decider<'b> {
    /// A table of a bundle, whose arms are of these.
    pub fn new(bundle: &'b Bundle, table: Id<Table>, arms: Vec<u32>) -> Self {
        Self {
            bundle,
            table,
            arms,
        }
    }

    /// The arm that takes a request.
    pub fn decide(&self, request: &Request) -> Option<u32> {
        let first = self.bundle.table(self.table).arms.start();
        let arm = decide(self.bundle, self.table, request)?;
        self.arms.get(arm.index() - first).copied()
    }
}

/// A bundle that holds one table and nothing else, as the first. For a mesh that makes none, because
/// something else in it is wrong.
pub fn lone_table(arms: &[Match<'_>]) -> Result<Bundle, LoneTableError> {
    let mut draft = Draft::default();
    let nothing = draft.string("");
    let arm = Arm {
        name: nothing,
        text: nothing,
        action: ArmAction::Respond.code(),
        status: U16::new(200),
        a: U32::new(u32::MAX),
        ..Arm::default()
    };
    let mut table = table::write(&mut draft, arms)?.table;
    table.arms = extend(&mut draft.arms, arms.iter().map(|_| arm));
    draft.tables.push(table);
    // Of the providers that it asks nothing matters but that they are there.
    let providers = draft.facets.iter().map(|facet| facet.provider.get() + 1);
    for _ in 0..providers.max().unwrap_or(0) {
        draft.jwts.push(Jwt {
            name: nothing,
            namespace: nothing,
            issuer: nothing,
            jwks: nothing,
            ..Jwt::default()
        });
        draft.keys.push(Keys {
            name: nothing,
            namespace: nothing,
            file: nothing,
            ..Keys::default()
        });
    }
    let zero = Setting::new(0, Location::NOWHERE);
    draft.policies.push(Policy::default());
    draft.mesh = Mesh {
        name: nothing,
        trust_domain: nothing,
        mtls: zero,
        open_by_default: zero,
        egress: zero,
        access_log: zero,
        encoded_slash: zero,
        policy: Id::new(0),
        ..Mesh::default()
    };
    Ok(Bundle::open(draft.finish())?)
}

/// Why there is no such bundle.
#[derive(Debug, thiserror::Error)]
pub enum LoneTableError {
    /// The arms make no table.
    #[error("the arms make no table: {0:?}")]
    Table(TableError),
    /// What was written does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<TableError> for LoneTableError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}
