//! From syntax trees to the model.
//!
//! ```text
//! trees ─▶ names (services, gateways; params, lets) ─▶ items, one file each ─▶ checks across items ─▶ Mesh
//! ```
//!
//! Whoever is written is declared first, so that order never matters; then each item is read with all
//! names known. What does not resolve is reported and left out, and the rest goes on: one run reports
//! every problem. Statements were checked against the vocabulary before, so that shapes can be relied
//! upon; a statement that the language has and this compiler does not act on is refused, never ignored.

mod arms;
mod checks;
mod condition;
mod gateway;
mod mesh;
mod names;
mod problems;
mod service;
mod statement;
#[cfg(test)]
mod tests;
mod timeouts;
mod values;

use crate::model::{DEFAULT_NAMESPACE, Gateway, GatewayId, Mesh, Param, Service, ServiceId};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{Sources, Span};
use mesh_lang::tree::Tree;
use mesh_lang::view::{Item, ItemKind, Statement};
use names::{Entity, Names};
use std::path::Path;
use values::Values;

/// What is resolved.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t> {
    /// All files, for texts and places.
    pub sources: &'t Sources,
    /// The directory that paths in the policy are relative to.
    pub root: &'t Path,
    /// The trees of the mesh.
    pub trees: &'t [Tree],
    /// Trees of `param NAME = VALUE` that were given from outside, in the order in which they were.
    pub settings: &'t [Tree],
}

/// Resolves a mesh. There is none where nothing could be made of it; where there are errors among the
/// diagnostics it must not be used for a bundle.
pub fn resolve(input: &Input<'_>) -> (Option<Mesh>, Vec<Diagnostic>) {
    let mut resolver = Resolver {
        input: *input,
        names: Names::default(),
        values: Values::default(),
        without_endpoints: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mesh = resolver.run();
    (mesh, resolver.diagnostics)
}

/// Resolution under way.
struct Resolver<'t> {
    input: Input<'t>,
    names: Names,
    values: Values<'t>,
    /// Services and versions, by where their names are, whose endpoints were written and did not resolve.
    without_endpoints: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Resolver<'t> {
    fn run(&mut self) -> Option<Mesh> {
        let mut meshes = Vec::new();
        let mut services = Vec::new();
        let mut gateways = Vec::new();
        for (namespace, item) in self.items() {
            match item {
                Item::Param(param) => self.declare_param(param),
                Item::Let(r#let) => self.declare_let(r#let),
                Item::Import(import) => self.without_effect(import.span(), "import"),
                Item::Block(block) => match block.kind() {
                    ItemKind::Mesh => meshes.push(block),
                    ItemKind::Service => {
                        let id = ServiceId(services.len() as u32);
                        if self.declare(namespace, block, Entity::Service(id)) {
                            services.push((namespace, block));
                        }
                    }
                    ItemKind::Gateway => {
                        let id = GatewayId(gateways.len() as u32);
                        if self.declare(namespace, block, Entity::Gateway(id)) {
                            gateways.push((namespace, block));
                        }
                    }
                    ItemKind::External => {
                        self.declare(namespace, block, Entity::External);
                        self.without_effect(block.head_span(), "external");
                    }
                    ItemKind::Namespace => {}
                    kind => self.without_effect(block.head_span(), kind.word()),
                },
            }
        }
        self.apply_settings();

        let head = self.mesh_head(&meshes);
        // Versions are named by routes of other services, so they are known before any route is read.
        for (index, (_, item)) in (0..).zip(&services) {
            self.declare_versions(ServiceId(index), *item);
        }
        let services: Vec<Service> = (0..)
            .map(ServiceId)
            .zip(services)
            .map(|(id, (namespace, item))| self.service(id, namespace, item))
            .collect();
        let gateways: Vec<Gateway> = gateways
            .into_iter()
            .map(|(namespace, item)| self.gateway(namespace, item))
            .collect();
        let mesh = Mesh {
            params: self.params(),
            services,
            gateways,
            ..head?
        };
        self.check(&mesh);
        Some(mesh)
    }

    /// All items with their namespaces, those of namespaces included.
    fn items(&self) -> Vec<(&'t str, Item<'t>)> {
        let mut items = Vec::new();
        for item in self.input.trees.iter().flat_map(Tree::items) {
            items.push((DEFAULT_NAMESPACE, item));
            if let Item::Block(block) = item
                && block.kind() == ItemKind::Namespace
                && let (Some(name), Some(inside)) = (block.name(), block.block())
            {
                let inside = inside.statements().filter_map(|statement| match statement {
                    Statement::Item(item) => Some(item),
                    _ => None,
                });
                items.extend(inside.map(|item| (name.text, item)));
            }
        }
        items
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn params(&self) -> Vec<Param> {
        self.values.params(self.input.sources)
    }
}
