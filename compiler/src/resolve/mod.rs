//! From syntax trees to the model.
//!
//! ```text
//! trees ─▶ names ─▶ values that were set from outside ─▶ items, one file each ─▶ checks across items ─▶ Mesh
//! ```
//!
//! Whoever is written is declared first, so that order never matters; then each item is read with all
//! names known. What does not resolve is reported and left out, and the rest goes on: one run reports
//! every problem. Statements were checked against the vocabulary before, so that shapes can be relied
//! upon.

mod arms;
mod authz;
mod checks;
mod condition;
mod credential;
mod environment;
mod fragment;
mod gateway;
pub mod kind;
mod mesh;
mod names;
mod namespace;
mod policy;
mod problems;
mod proof;
mod quantity;
mod regex;
mod service;
mod spread;
mod statement;
#[cfg(test)]
mod tests;
mod unused;
mod values;

use crate::model::credential::{Jwt, Keys};
use crate::model::{
    DEFAULT_NAMESPACE, Gateway, GatewayId, JwtId, KeysId, Mesh, Service, ServiceId,
};
use environment::Overlay;
use fragment::Fragment;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::{FileId, Sources, Span};
use mesh_lang::tree::Tree;
use mesh_lang::view::{BlockItem, Item, ItemKind, Statement};
use names::{Entity, Names};
use std::collections::BTreeSet;
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
    /// The environment that is in force.
    pub environment: Option<&'t str>,
    /// Files that an `import` brought in.
    pub imported: &'t BTreeSet<FileId>,
}

/// Resolves a mesh. There is none where nothing could be made of it; where there are errors among the
/// diagnostics it must not be used for a bundle.
pub fn resolve(input: &Input<'_>) -> (Option<Mesh>, Vec<Diagnostic>) {
    let mut resolver = Resolver::new(input);
    let mesh = resolver.run();
    (mesh, resolver.diagnostics)
}

/// A parameter as the mesh declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name; of a namespace with `NAMESPACE/` before it.
    pub name: String,
    /// The kind of its value.
    pub kind: kind::Kind,
    /// Its value, as written.
    pub value: String,
    /// Its doc comment.
    pub doc: String,
}

/// The parameters that a mesh declares, in the order of the source; the first of each name.
pub fn declared_params(trees: &[Tree], sources: &Sources) -> Vec<Declared> {
    let root = Path::new("");
    let input = Input {
        sources,
        root,
        trees,
        settings: &[],
        environment: None,
        imported: &BTreeSet::new(),
    };
    let mut resolver = Resolver::new(&input);
    resolver.declare_all();
    let mut all: Vec<Declared> = Vec::new();
    for (namespace, item) in resolver.items() {
        let Item::Param(param) = item else { continue };
        let (Some(name), Some(value)) = (param.name(), param.value()) else {
            continue;
        };
        let room = Room::Defaults;
        let kind = resolver.in_scope(Scope { namespace, room }, |it| it.kind(value));
        let name = values::qualified(namespace, name.text);
        if all.iter().all(|known| known.name != name) {
            all.push(Declared {
                name,
                kind,
                value: sources.text(value.span()).to_owned(),
                doc: item.doc().collect::<Vec<_>>().join(" ").trim().to_owned(),
            });
        }
    }
    all
}

/// The names of the environments of a mesh.
pub fn environments(trees: &[Tree]) -> Vec<&str> {
    let mut names = Vec::new();
    for (_, item) in trees.iter().flat_map(items_of) {
        if let Item::Block(block) = item
            && block.kind() == ItemKind::Env
            && let Some(name) = block.name()
            && !names.contains(&name.text)
        {
            names.push(name.text);
        }
    }
    names
}

/// Where what is read stands: names are looked up from there, and say what they mean there.
#[derive(Clone, Copy, Debug)]
struct Scope<'t> {
    namespace: &'t str,
    room: Room,
}

/// The room that something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// What holds everywhere.
    Defaults,
    /// A gateway's host.
    Host,
    /// A service, its `route` aside.
    Service(ServiceId),
    /// The route of a service.
    Route(ServiceId),
    /// What is asserted or tested.
    Proof,
    /// The `where` of an inventory.
    Inventory,
}

/// Resolution under way.
struct Resolver<'t> {
    input: Input<'t>,
    scope: Scope<'t>,
    names: Names<'t>,
    values: Values<'t>,
    environment: Overlay<'t>,
    trust_domain: String,
    jwts: Vec<Jwt>,
    keys: Vec<Keys>,
    fragments: Vec<Fragment<'t>>,
    /// Services and versions, by where their names are, of whose endpoints some did not resolve.
    unfinished_endpoints: Vec<Span>,
    /// Names that were looked up: where they are declared, and the namespace that asked.
    lookups: BTreeSet<(Span, &'t str)>,
    diagnostics: Vec<Diagnostic>,
}

/// The items that have to be read in an order of their own.
#[derive(Default)]
struct Items<'t> {
    meshes: Vec<BlockItem<'t>>,
    jwts: Vec<(&'t str, BlockItem<'t>)>,
    keys: Vec<(&'t str, BlockItem<'t>)>,
    services: Vec<(&'t str, BlockItem<'t>)>,
    gateways: Vec<(&'t str, BlockItem<'t>)>,
    fragments: Vec<(&'t str, BlockItem<'t>)>,
    namespaces: Vec<BlockItem<'t>>,
    assertions: Vec<(&'t str, BlockItem<'t>)>,
    tests: Vec<(&'t str, BlockItem<'t>)>,
}

impl<'t> Resolver<'t> {
    fn new(input: &Input<'t>) -> Self {
        Self {
            input: *input,
            scope: Scope {
                namespace: DEFAULT_NAMESPACE,
                room: Room::Defaults,
            },
            names: Names::default(),
            values: Values::default(),
            environment: Overlay::default(),
            trust_domain: String::new(),
            jwts: Vec::new(),
            keys: Vec::new(),
            fragments: Vec::new(),
            unfinished_endpoints: Vec::new(),
            lookups: BTreeSet::new(),
            diagnostics: Vec::new(),
        }
    }

    fn run(&mut self) -> Option<Mesh> {
        let items = self.declare_all();
        let environment = if let Some(name) = self.input.environment {
            self.apply_environment(name)
        } else {
            self.environments();
            None
        };
        self.apply_settings();

        let head = self.mesh_head(&items.meshes);
        self.jwts = self.each_item(&items.jwts, |it, _, item| it.jwt(item));
        self.keys = self.each_item(&items.keys, |it, _, item| it.api_keys(item));
        for (index, (_, item)) in (0..).zip(&items.services) {
            // Versions are named by routes of other services, so they are known before any is read.
            self.declare_versions(ServiceId(index), *item);
        }
        for (namespace, item) in &items.fragments {
            self.fragment(namespace, *item);
        }
        let defaults = self.defaults(&items.meshes);
        let namespaces = self.namespaces(&items.namespaces);
        let services = self.services(&items.services);
        let gateways = self.gateways(&items.gateways);
        self.check_fragments(&gateways);
        let assertions = self.proofs(&items.assertions, Self::assertion);
        let tests = self.proofs(&items.tests, Self::test_case);
        let mut mesh = Mesh {
            defaults,
            params: self.values.params(self.input.sources),
            environment,
            namespaces,
            jwts: std::mem::take(&mut self.jwts),
            keys: std::mem::take(&mut self.keys),
            services,
            gateways,
            assertions,
            tests,
            unused: self.unused(),
            imported: self.input.imported.clone(),
            ..head?
        };
        self.check(&mesh);
        mesh.fill_in();
        Some(mesh)
    }

    /// Declares every name.
    fn declare_all(&mut self) -> Items<'t> {
        let mut all = Items::default();
        for (namespace, item) in self.items() {
            match item {
                Item::Param(param) => self.declare_param(namespace, param),
                Item::Let(r#let) => self.declare_let(namespace, r#let),
                Item::Import(_) => {} // its files are among the trees
                Item::Block(block) => self.declare_block(namespace, block, &mut all),
            }
        }
        all
    }

    fn declare_block(&mut self, namespace: &'t str, block: BlockItem<'t>, all: &mut Items<'t>) {
        match block.kind() {
            ItemKind::Mesh => all.meshes.push(block),
            ItemKind::Service | ItemKind::External => {
                let id = ServiceId(all.services.len() as u32);
                if self.declare(namespace, block, Entity::Service(id)) {
                    all.services.push((namespace, block));
                }
            }
            ItemKind::Gateway => {
                let id = GatewayId(all.gateways.len() as u32);
                if self.declare(namespace, block, Entity::Gateway(id)) {
                    all.gateways.push((namespace, block));
                }
            }
            ItemKind::Jwt => {
                let id = JwtId(all.jwts.len() as u32);
                if self.declare_in("tokens", namespace, block, id, |names| &mut names.jwts) {
                    all.jwts.push((namespace, block));
                }
            }
            ItemKind::Keys => {
                let id = KeysId(all.keys.len() as u32);
                if self.declare_in("keys", namespace, block, id, |names| &mut names.keys) {
                    all.keys.push((namespace, block));
                }
            }
            ItemKind::Policy => {
                let meaning = (namespace, block);
                self.declare_in("policies", namespace, block, meaning, |names| {
                    &mut names.policies
                });
            }
            ItemKind::Namespace => {
                if let Some(name) = block.name() {
                    self.names.declare_namespace(name);
                    all.namespaces.push(block);
                }
            }
            ItemKind::Routes => all.fragments.push((namespace, block)),
            ItemKind::Assert => all.assertions.push((namespace, block)),
            ItemKind::Test => all.tests.push((namespace, block)),
            ItemKind::Env => {} // read where one is in force
        }
    }

    fn services(&mut self, items: &[(&'t str, BlockItem<'t>)]) -> Vec<Service> {
        let items = (0..).map(ServiceId).zip(items);
        let services = items.map(|(id, &(namespace, item))| {
            let room = Room::Service(id);
            self.in_scope(Scope { namespace, room }, |it| {
                it.service(id, namespace, item)
            })
        });
        services.collect()
    }

    fn gateways(&mut self, items: &[(&'t str, BlockItem<'t>)]) -> Vec<Gateway> {
        let items = (0..).map(GatewayId).zip(items);
        let gateways = items.map(|(id, &(namespace, item))| {
            let room = Room::Host;
            self.in_scope(Scope { namespace, room }, |it| {
                it.gateway(id, namespace, item)
            })
        });
        gateways.collect()
    }

    fn each_item<T>(
        &mut self,
        items: &[(&'t str, BlockItem<'t>)],
        read: impl Fn(&mut Self, &'t str, BlockItem<'t>) -> T,
    ) -> Vec<T> {
        let items = items.iter();
        let read = items.map(|&(namespace, item)| {
            let room = Room::Defaults;
            self.in_scope(Scope { namespace, room }, |it| read(it, namespace, item))
        });
        read.collect()
    }

    fn proofs<T>(
        &mut self,
        items: &[(&'t str, BlockItem<'t>)],
        read: impl Fn(&mut Self, BlockItem<'t>) -> T,
    ) -> Vec<T> {
        let items = items.iter();
        let read = items.map(|&(namespace, item)| {
            let room = Room::Proof;
            self.in_scope(Scope { namespace, room }, |it| read(it, item))
        });
        read.collect()
    }

    /// Reads something that stands elsewhere.
    fn in_scope<T>(&mut self, scope: Scope<'t>, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.scope, scope);
        let read = read(self);
        self.scope = before;
        read
    }

    /// All items with their namespaces, those of namespaces included.
    fn items(&self) -> Vec<(&'t str, Item<'t>)> {
        self.input.trees.iter().flat_map(items_of).collect()
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// The items of a file with their namespaces, those of namespaces included.
fn items_of(tree: &Tree) -> Vec<(&str, Item<'_>)> {
    let mut items = Vec::new();
    for item in tree.items() {
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
