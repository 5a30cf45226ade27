//! Arms: what they really take, and what holds for the requests that take them.

use super::Told;
use crate::lsp::spot::{self, Around};
use crate::lsp::world::View;
use crate::model::{Arm, GatewayId, HostBlock, Mesh, ServiceId, Table};
use crate::spell::Place;
use crate::verify::reach::Reach;
use crate::verify::{Budget, tables};
use mesh_lang::source::Span;
use mesh_lang::view::Statement;

/// Arms above that are named.
const MOST_ABOVE: usize = 5;

/// What a proof may take while somebody waits: a tenth of what is spent when the mesh is checked.
const BUDGET: Budget = Budget::new(200_000, 20_000);

/// The table that an arm stands in.
#[derive(Clone, Copy, Debug)]
pub(in crate::lsp) enum Owner<'m> {
    /// Of a host.
    Host(GatewayId, &'m HostBlock),
    /// Of a service.
    Service(ServiceId),
}

/// The arm whose match is at `span`, and where it stands.
pub(in crate::lsp) fn find(mesh: &Mesh, span: Span) -> Option<(Owner<'_>, &Table, usize)> {
    let is_it = |arm: &Arm| {
        arm.span.file == span.file && span.start <= arm.span.start && arm.span.end <= span.end
    };
    let position = |table: &Table| table.arms.iter().position(is_it);
    for (id, gateway) in (0..).map(GatewayId).zip(&mesh.gateways) {
        for host in &gateway.hosts {
            if let Some(at) = position(&host.table) {
                return Some((Owner::Host(id, host), &host.table, at));
            }
        }
    }
    let services = (0..).map(ServiceId).zip(&mesh.services);
    services.into_iter().find_map(|(id, service)| {
        let table = service.route.as_ref()?;
        Some((Owner::Service(id), table, position(table)?))
    })
}

/// What is told of the arm that a place is in.
pub(super) fn told(view: &View<'_>, around: &Around<'_>) -> Option<(Span, Told)> {
    let (Statement::Arm(arm), _) = around.last()? else {
        return None;
    };
    let mesh = view.live.mesh()?;
    let (owner, table, at) = find(mesh, arm.head_span())?;
    let meant = &table.arms[at];
    let mut told = Told::default();
    told.doc(arm.doc());
    told.text(format!("**takes** {}", takes(mesh, owner, table, at)));
    let Reached {
        example,
        mut above,
        more,
    } = reached(view, mesh, owner, table, at);
    if let Some(example) = example {
        told.text(format!("for example `{example}`"));
    }
    if !above.is_empty() {
        if more {
            above.push("- …".to_owned());
        }
        told.text(format!(
            "**but not** what an arm above takes:\n\n{}",
            above.join("\n")
        ));
    }
    for line in place(mesh, owner).arm_in_force(&owner.levels(mesh), meant) {
        told.spelled(view, &line);
    }
    Some((spot::head(Statement::Arm(*arm)), told))
}

impl<'m> Owner<'m> {
    /// What is said around the arm, strongest first, by levels that are not the target's.
    fn levels(self, mesh: &'m Mesh) -> Vec<&'m crate::model::policy::Policy> {
        match self {
            Self::Host(gateway, host) => vec![&host.policy, &mesh[gateway].policy],
            Self::Service(_) => Vec::new(),
        }
    }
}

fn place<'m>(mesh: &'m Mesh, owner: Owner<'m>) -> Place<'m> {
    match owner {
        Owner::Host(gateway, _) => Place::inside(mesh, &mesh[gateway].namespace),
        Owner::Service(service) => Place::of_service(mesh, service),
    }
}

/// The requests of an arm, in words.
fn takes(mesh: &Mesh, owner: Owner<'_>, table: &Table, at: usize) -> String {
    let arm = &table.arms[at];
    let methods = &table.methods()[at];
    let code = |text: &str| format!("`{text}`");
    let methods = match &methods[..] {
        [] => "any method".to_owned(),
        methods => methods
            .iter()
            .map(|it| code(it))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let paths = match &arm.paths[..] {
        [] => "any path".to_owned(),
        paths => paths
            .iter()
            .map(|it| code(&it.to_string()))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let condition = arm.condition.as_ref();
    let condition = condition.map(|it| format!(", when `{}`", place(mesh, owner).condition(it)));
    let hosts = match owner {
        Owner::Host(_, host) => {
            let hosts: Vec<String> = host
                .patterns
                .iter()
                .map(|it| code(&it.to_string()))
                .collect();
            format!(" at {}", hosts.join(", "))
        }
        Owner::Service(_) => String::new(),
    };
    format!("{methods} {paths}{}{hosts}", condition.unwrap_or_default())
}

/// What a proof finds out about an arm.
#[derive(Debug, Default)]
struct Reached {
    /// A request that takes it.
    example: Option<String>,
    /// The arms above that take requests which fit it, each with one of these.
    above: Vec<String>,
    more: bool,
}

fn reached(view: &View<'_>, mesh: &Mesh, owner: Owner<'_>, table: &Table, at: usize) -> Reached {
    let subjects = tables::of_mesh(mesh, view.live.is_sound());
    let subject = subjects
        .into_iter()
        .find(|subject| std::ptr::eq(subject.table, table));
    let Some(subject) = subject else {
        return Reached::default();
    };
    let arm = at as u32;
    let found = subject.prove(None, &[], &mut BUDGET.clone(), |proof, _| {
        let example = match proof.arm(arm) {
            Reach::Reached(request) => Some(request.to_string()),
            _ => None,
        };
        (example, proof.takers(arm))
    });
    let Ok((example, takers)) = found else {
        return Reached::default();
    };
    let above = takers.iter().take(MOST_ABOVE).map(|cover| {
        let head = place(mesh, owner).head(&table.arms[cover.arm as usize]);
        format!("- `{head}`, such as `{}`", cover.example)
    });
    Reached {
        example,
        above: above.collect(),
        more: takers.len() > MOST_ABOVE,
    }
}
