//! The rules of a mesh as tables, each with the requests that are put before them.
//!
//! Rules are asked by a service's own sidecar: of whatever some caller sends, whoever that is. Those of a host are
//! asked by its gateway, of what clients send. Which of them decides is found out as for arms; they have an order
//! by then ([`in_order`]).

use super::decider::{Decider, LoneTableError, lone_table};
use super::reach::Proof;
use super::space::{Space, TableId};
use super::tables::{at_caller, at_gateway};
use super::{Budget, World};
use crate::model::authz::{Authz, Rule, in_order};
use crate::model::condition::Condition;
use crate::model::{Mesh, Mtls, Service};
use crate::plan::formula::FormulaId;
use crate::plan::table::Match;
use crate::plan::{match_of, rule_methods};
use mesh_bundle::format::Id;
use std::sync::Arc;

/// Rules that decide together.
pub(super) struct Rules<'m> {
    /// In the order in which they decide.
    pub(super) all: Vec<&'m Rule>,
    /// Where the block's own begin to count: those of the namespace stand elsewhere.
    own: &'m [Rule],
    methods: Vec<Vec<String>>,
    conditions: Vec<Option<Condition>>,
    world: World,
}

/// All rules of a mesh: those of services, then those of hosts.
pub(super) fn of_mesh(mesh: &Mesh) -> impl Iterator<Item = Rules<'_>> {
    let services = mesh.services.iter();
    let services = services.filter_map(|service| of_service(mesh, service));
    let hosts = mesh.gateways.iter().flat_map(move |gateway| {
        gateway.hosts.iter().filter_map(move |host| {
            let world = at_gateway(mesh, gateway, host, true);
            of_block(mesh, host.authz.as_ref()?, &[], world)
        })
    });
    services.chain(hosts)
}

/// The rules of a service, and those of its namespace; none where it has no rules of its own.
pub(super) fn of_service<'m>(mesh: &'m Mesh, service: &'m Service) -> Option<Rules<'m>> {
    let denies = mesh.namespace(&service.namespace);
    let denies = denies.map_or(&[][..], |namespace| &namespace.denies);
    let mut world = at_caller(mesh, service);
    match mesh.mtls_of(service).value {
        // What enforces the rules in place of a sidecar may know callers otherwise.
        _ if mesh.without_sidecar(service) => world.anonymous = true,
        Mtls::Strict => {}
        Mtls::Permissive => world.anonymous = true,
        Mtls::Off => {
            world.anonymous = true;
            world.callers = Arc::default();
        }
    }
    of_block(mesh, service.authz.as_ref()?, denies, world)
}

fn of_block<'m>(
    mesh: &Mesh,
    authz: &'m Authz,
    namespace: &'m [Rule],
    world: World,
) -> Option<Rules<'m>> {
    let own = authz.rules.as_deref()?;
    let rules: Vec<&Rule> = in_order(namespace, own).collect();
    Some(Rules {
        methods: rule_methods(&rules),
        conditions: rules.iter().map(|rule| match_of(mesh, rule)).collect(),
        all: rules,
        own,
        world,
    })
}

impl Rules<'_> {
    /// The numbers of the rules that the block itself has.
    pub(super) fn own(&self) -> impl Iterator<Item = u32> {
        let own = self.own.as_ptr_range();
        let rules = (0u32..).zip(&self.all);
        rules
            .filter(move |(_, rule)| own.contains(&std::ptr::from_ref(**rule)))
            .map(|(number, _)| number)
    }

    /// The methods that a rule takes, exactly; none: any.
    pub(super) fn methods(&self, rule: u32) -> &[String] {
        &self.methods[rule as usize]
    }

    /// Calls `with` with a proof about the rules, and with the formulas of `more` conditions.
    pub(super) fn prove<R>(
        &self,
        more: &[Condition],
        budget: &mut Budget,
        with: impl FnOnce(&mut Proof<'_>, &[FormulaId]) -> R,
    ) -> Result<R, LoneTableError> {
        let matches: Vec<Match<'_>> = (0..self.all.len())
            .map(|index| Match {
                methods: &self.methods[index],
                paths: &self.all[index].paths,
                condition: self.conditions[index].as_ref(),
            })
            .collect();
        let conditions: Vec<&Condition> = more.iter().collect();
        let mut space = Space::new(self.world.clone(), &[&matches], &conditions)?;
        let more: Vec<FormulaId> = (0..more.len()).map(|it| space.condition(it)).collect();
        let lone = lone_table(&matches)?;
        let decider = Decider::new(&lone, Id::new(0), (0..matches.len() as u32).collect());
        let mut proof = Proof {
            space: &mut space,
            table: TableId(0),
            region: &[],
            decide: &|request| decider.decide(request),
            budget,
        };
        Ok(with(&mut proof, &more))
    }
}
