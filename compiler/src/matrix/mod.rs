//! The matrix of a mesh: who may do what, by which rule.
//!
//! ```text
//! service ─▶ rules ─▶ callers × methods × paths that they tell apart
//!                        └─ for each: all that may become of such a request ─▶ merged ─▶ table, csv, json, html
//! ```
//!
//! Cells are not sampled. Callers, methods and paths are put into classes that no rule tells apart, and for each
//! combination the verifier is asked, of each rule, whether it decides some such request. Where one outcome is left the
//! cell is that; where several are, they differ by something else in the request, and the cell says by what.

mod cells;
mod classes;
mod csv;
mod html;
mod json;
mod merge;
mod paths;
mod table;
#[cfg(test)]
mod tests;

pub use csv::csv;
pub use html::html;
pub use json::{SCHEMA, json};
pub use table::table;

use self::cells::{Owner, Writer};
use crate::access::Caller;
use crate::model::{Mesh, ServiceId};
use crate::verify::tables::of_mesh;
use mesh_lang::source::Sources;
use serde::Serialize;

/// Who may do what in a mesh.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    /// The name of the mesh.
    pub mesh: String,
    /// Hosts of gateways that have rules, then services and externals, in the order of the source.
    pub services: Vec<Column>,
}

/// Who may do what of a service, or at a host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its name; of a host the gateway's and its own.
    pub service: String,
    /// `file:line`.
    pub place: String,
    /// Callers that may do the same, together.
    pub callers: Vec<Row>,
}

/// What some callers may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The callers: `anonymous`, gateways, services.
    pub callers: Vec<String>,
    /// Whether they are all the services and gateways that no rule names.
    pub others: bool,
    /// Those that say whom they call, and not this service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_called_by: Vec<String>,
    /// What becomes of their requests; together all of them.
    pub cells: Vec<Cell>,
}

/// What becomes of requests of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Their methods: `GET, HEAD`, `any`, `any but GET`.
    pub methods: String,
    /// Their paths: `/items/**`, `any`, `any but /items/**`.
    pub paths: String,
    /// Whether it is about all requests that no other cell of these callers is about, and of them only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub otherwise: bool,
    /// Whether they are let in.
    pub decision: Decision,
    /// Who decides, in the order in which they do; several where it depends on more.
    pub because: Vec<Because>,
    /// One of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Whether requests are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// All of them.
    Allow,
    /// None of them.
    Deny,
    /// Some of them.
    Depends,
    /// It was not found out.
    NotDecided,
}

/// One who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// Whether it lets in.
    pub allows: bool,
    /// The rule, or what else it is.
    pub rule: String,
    /// Where that is written; nobody says so where it is the edition.
    pub place: String,
    /// What more must hold of a request for it to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// Which part of the matrix is wanted; all where nothing is named.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A service, or a gateway.
    pub to: Option<String>,
    /// A caller.
    pub from: Option<String>,
}

/// The matrix of a mesh without errors.
pub fn of(mesh: &Mesh, sources: &Sources, wanted: &Wanted) -> Result<Matrix, String> {
    let to = wanted.to.as_deref();
    let is_wanted = |name: &str| to.is_none_or(|wanted| wanted == name);
    let services = (0..).map(ServiceId).zip(&mesh.services);
    let services = services.filter(|(_, it)| is_wanted(&it.qualified_name()));
    let services = services.map(|(id, _)| Owner::Service(id));
    // Hosts that leave it to their arms have nothing to say here.
    let gateways = mesh.gateways.iter();
    let hosts = gateways.flat_map(|gateway| gateway.hosts.iter().map(move |host| (gateway, host)));
    let hosts = hosts.zip(of_mesh(mesh, true));
    let hosts = hosts.filter(|((gateway, host), _)| {
        let rules = host.authz.as_ref().and_then(|authz| authz.rules.as_ref());
        rules.is_some() && is_wanted(&gateway.qualified_name())
    });
    let hosts = hosts.map(|((gateway, host), subject)| Owner::Host(gateway, host, subject.world));
    let owners: Vec<Owner<'_>> = hosts.chain(services).collect();
    if let (Some(name), []) = (to, owners.as_slice()) {
        return Err(format!(
            "no service, and no gateway with rules, is called `{name}`"
        ));
    }
    if let Some(name) = &wanted.from
        && !Caller::all(mesh).any(|caller| caller.name(mesh) == *name)
    {
        return Err(format!(
            "nobody who calls is called `{name}`; it is a service, a gateway or `anonymous`"
        ));
    }
    let columns = owners
        .into_iter()
        .map(|owner| Writer::new(mesh, sources, owner).column(wanted.from.as_deref()));
    let columns = columns.filter(|column| !column.callers.is_empty());
    Ok(Matrix {
        mesh: mesh.name.clone(),
        services: columns.collect(),
    })
}

impl Cell {
    fn methods_in_words(&self) -> &str {
        if self.otherwise {
            "otherwise"
        } else {
            &self.methods
        }
    }

    fn paths_in_words(&self) -> &str {
        if self.otherwise {
            "otherwise"
        } else {
            &self.paths
        }
    }

    /// Whether the same becomes of its requests, by the same rules.
    fn is_same(&self, other: &Self) -> bool {
        self.decision == other.decision && self.because == other.because
    }

    /// Whether it says the same, its example aside.
    fn is_like(&self, other: &Self) -> bool {
        self.is_same(other) && self.methods == other.methods && self.paths == other.paths
    }
}

impl Decision {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Depends => "depends",
            Self::NotDecided => "not decided",
        }
    }
}

impl Because {
    fn is_no_rule(&self) -> bool {
        self.rule == cells::NO_RULE
    }

    /// `allow storefront to GET /items/** (shop.mesh:13)`; with more that must hold: `allow when … (shop.mesh:13)`.
    pub fn told(&self) -> String {
        let text = match &self.when {
            Some(when) => {
                let verb = if self.allows { "allow" } else { "deny" };
                format!("{verb} when {when}")
            }
            None => self.rule.clone(),
        };
        if self.place.is_empty() {
            text
        } else {
            format!("{text} ({})", self.place)
        }
    }
}
