//! Names of services, gateways and versions, of policies, tokens and keys, and what they mean where they
//! are used.
//!
//! A name is looked up in its own namespace, then at top level. Services, externals and gateways of a
//! namespace share one set of names; every other kind has its own.

use super::Resolver;
use super::problems;
use crate::model::{DEFAULT_NAMESPACE, GatewayId, JwtId, KeysId, ServiceId};
use mesh_lang::nearest::nearest;
use mesh_lang::source::Span;
use mesh_lang::value;
use mesh_lang::view::{BlockItem, Text};
use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Service(ServiceId),
    Gateway(GatewayId),
}

/// A declared service, external or gateway.
#[derive(Clone, Debug)]
struct Declared {
    entity: Entity,
    span: Span,
    exported: bool,
}

/// Names of one kind, by namespace.
#[derive(Debug)]
pub(super) struct Scoped<T> {
    by_namespace: BTreeMap<String, BTreeMap<String, Named<T>>>,
}

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<T> {
    pub(super) meaning: T,
    /// Where it is declared.
    pub(super) span: Span,
    /// Whether other namespaces may use it.
    exported: bool,
}

impl<T> Default for Scoped<T> {
    fn default() -> Self {
        Self {
            by_namespace: BTreeMap::new(),
        }
    }
}

impl<T> Scoped<T> {
    /// Declares a name; where it is taken, says by whom.
    pub(super) fn declare(
        &mut self,
        namespace: &str,
        name: Text<'_>,
        exported: bool,
        meaning: T,
    ) -> Result<(), Span> {
        let names = self.by_namespace.entry(namespace.to_owned()).or_default();
        if let Some(first) = names.get(name.text) {
            return Err(first.span);
        }
        let span = name.span;
        let named = Named {
            meaning,
            span,
            exported,
        };
        names.insert(name.text.to_owned(), named);
        Ok(())
    }

    /// What a name means in a namespace, and where it is declared.
    pub(super) fn find(&self, from: &str, name: &str) -> Option<&Named<T>> {
        let inside = |namespace: &str| self.by_namespace.get(namespace)?.get(name);
        inside(from).or_else(|| inside(DEFAULT_NAMESPACE))
    }

    /// What a name that may have its namespace before it means in a namespace, and whether it may be
    /// used there.
    fn find_written(&self, from: &str, written: &str) -> Option<(&Named<T>, bool)> {
        let Some((namespace, name)) = written.split_once('/') else {
            return self.find(from, written).map(|named| (named, true));
        };
        let named = self.by_namespace.get(namespace)?.get(name)?;
        let inside = namespace == from || namespace == DEFAULT_NAMESPACE;
        Some((named, inside || named.exported))
    }

    /// What a name means in exactly this namespace.
    pub(super) fn find_mut(&mut self, namespace: &str, name: &str) -> Option<&mut T> {
        let names = self.by_namespace.get_mut(namespace)?;
        names.get_mut(name).map(|named| &mut named.meaning)
    }

    /// The names that mean something in a namespace.
    pub(super) fn visible(&self, from: &str) -> impl Iterator<Item = (&str, &T)> {
        let inside = |namespace: &str| self.by_namespace.get(namespace).into_iter().flatten();
        let top = (from != DEFAULT_NAMESPACE).then(|| inside(DEFAULT_NAMESPACE));
        let all = inside(from).chain(top.into_iter().flatten());
        all.map(|(name, named)| (name.as_str(), &named.meaning))
    }

    /// All of them: namespace, name, meaning.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &T)> {
        let all = self.by_namespace.iter();
        all.flat_map(|(namespace, names)| {
            let names = names.iter();
            names.map(move |(name, named)| (namespace.as_str(), name.as_str(), &named.meaning))
        })
    }
}

/// All declared names but those of values.
#[derive(Debug, Default)]
pub(super) struct Names<'t> {
    /// By namespace and name.
    entities: BTreeMap<String, BTreeMap<String, Declared>>,
    /// Namespaces that are written, whether or not they hold a service.
    namespaces: BTreeMap<String, Span>,
    /// Versions by service: names in order, and where they are declared.
    versions: BTreeMap<ServiceId, Vec<(String, Span)>>,
    /// Tokens.
    pub(super) jwts: Scoped<JwtId>,
    /// API keys.
    pub(super) keys: Scoped<KeysId>,
    /// Policies, each with the namespace that its own names are looked up in.
    pub(super) policies: Scoped<(&'t str, BlockItem<'t>)>,
}

/// A name found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) entity: Entity,
    /// Where it is declared.
    pub(super) span: Span,
    /// Whether it may be aimed at from the namespace that asked.
    pub(super) open: bool,
}

impl Names<'_> {
    fn find(&self, from: &str, target: &value::Target) -> Option<Found> {
        let found = |namespace: &str| {
            let declared = self.entities.get(namespace)?.get(target.name.as_str())?;
            let inside = namespace == from || namespace == DEFAULT_NAMESPACE;
            Some(Found {
                entity: declared.entity,
                span: declared.span,
                open: inside || declared.exported,
            })
        };
        match &target.namespace {
            Some(namespace) => found(namespace.as_str()),
            None => found(from).or_else(|| found(DEFAULT_NAMESPACE)),
        }
    }

    /// How the decision code names the caller that a word names, which is known to be one:
    /// `namespace/name`.
    pub(super) fn identity_of(&self, from: &str, word: &str) -> String {
        if word.contains('/') {
            return word.to_owned();
        }
        let inside = self.entities.get(from);
        let inside = inside.is_some_and(|entities| entities.contains_key(word));
        let namespace = if inside { from } else { DEFAULT_NAMESPACE };
        format!("{namespace}/{word}")
    }

    /// Declares a namespace, of which there may be several blocks.
    pub(super) fn declare_namespace(&mut self, name: Text<'_>) {
        self.namespaces
            .entry(name.text.to_owned())
            .or_insert(name.span);
    }

    /// The namespaces that there are.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &str> {
        let top = std::iter::once(DEFAULT_NAMESPACE);
        top.chain(self.namespaces.keys().map(String::as_str))
    }

    /// Names that could have been meant in a namespace, as they would be written there; private ones of other
    /// namespaces only where these may be `named`, as callers are.
    fn visible(&self, from: &str, named: bool) -> Vec<String> {
        let mut names = Vec::new();
        for (namespace, entities) in &self.entities {
            let inside = namespace == from || namespace == DEFAULT_NAMESPACE;
            let open = entities
                .iter()
                .filter(|(_, declared)| inside || named || declared.exported);
            names.extend(open.map(|(name, _)| {
                if inside {
                    name.clone()
                } else {
                    format!("{namespace}/{name}")
                }
            }));
        }
        names
    }

    /// The version of a service with this name, by its index.
    pub(super) fn version(&self, service: ServiceId, name: &str) -> Option<u32> {
        let versions = self.versions.get(&service)?;
        let index = versions.iter().position(|(known, _)| known == name)?;
        Some(index as u32)
    }

    /// The names of a service's versions.
    pub(super) fn versions(&self, service: ServiceId) -> impl Iterator<Item = &str> {
        let versions = self.versions.get(&service).into_iter().flatten();
        versions.map(|(name, _)| name.as_str())
    }
}

impl<'t> Resolver<'t> {
    /// Declares an item's name in a namespace; false where that cannot be, so that the item is left out.
    pub(super) fn declare(&mut self, namespace: &str, item: BlockItem<'t>, entity: Entity) -> bool {
        let Some(name) = item.name() else {
            return false; // the parser has said so
        };
        let names = self.names.entities.entry(namespace.to_owned()).or_default();
        if let Some(first) = names.get(name.text) {
            let first = first.span;
            self.report(problems::duplicate(
                name,
                first,
                "the services, externals and gateways of a namespace",
            ));
            return false;
        }
        names.insert(
            name.text.to_owned(),
            Declared {
                entity,
                span: name.span,
                exported: item.exported(),
            },
        );
        true
    }

    /// Declares the versions of a service.
    pub(super) fn declare_versions(&mut self, service: ServiceId, item: BlockItem<'t>) {
        let mut versions: Vec<(String, Span)> = Vec::new();
        let settings = item
            .block()
            .into_iter()
            .flat_map(|block| block.settings("version"));
        for setting in settings {
            let Some(name) = self.first_word(setting) else {
                continue;
            };
            if let Some((_, first)) = versions.iter().find(|(known, _)| known == name.text) {
                self.report(problems::duplicate(
                    name,
                    *first,
                    "the versions of a service",
                ));
                continue;
            }
            versions.push((name.text.to_owned(), name.span));
        }
        self.names.versions.insert(service, versions);
    }

    /// Declares the name of an item of a kind that has names of its own.
    pub(super) fn declare_in<T>(
        &mut self,
        kind: &str,
        namespace: &str,
        item: BlockItem<'t>,
        meaning: T,
        names: impl for<'n> FnOnce(&'n mut Names<'t>) -> &'n mut Scoped<T>,
    ) -> bool {
        let Some(name) = item.name() else {
            return false; // the parser has said so
        };
        let names = names(&mut self.names);
        let declared = names.declare(namespace, name, item.exported(), meaning);
        if let Err(first) = declared {
            let scope = format!("the {kind} of a namespace");
            self.report(problems::duplicate(name, first, &scope));
        }
        declared.is_ok()
    }

    /// What a target names, its version aside. Reports what it does not.
    fn find_entity(
        &mut self,
        text: Text<'t>,
        target: &value::Target,
        versions: &[String],
    ) -> Option<Found> {
        match self.names.find(self.scope.namespace, target) {
            Some(found) if found.open => {
                self.lookups.insert((found.span, self.scope.namespace));
                Some(found)
            }
            Some(found) => {
                self.report(problems::private(text, found.span));
                None
            }
            None => {
                let visible = self.names.visible(self.scope.namespace, false);
                self.report_unknown(text, target, visible, versions);
                None
            }
        }
    }

    /// The caller that a word names; callers may be private. Reports what it does not find.
    pub(super) fn find_caller(&mut self, text: Text<'t>) -> Option<Entity> {
        let target = self.parse_target(text)?;
        let Some(found) = self.names.find(self.scope.namespace, &target) else {
            let visible = self.names.visible(self.scope.namespace, true);
            self.report_unknown(text, &target, visible, &[]);
            return None;
        };
        if let Some(version) = &target.version {
            let message =
                format!("a caller is a service; version `{version}` has no identity of its own");
            self.refuse(text.span, message);
            return None;
        }
        Some(found.entity)
    }

    /// The namespace that a word names. Reports what it does not find.
    pub(super) fn find_namespace(&mut self, name: Text<'_>) -> Option<String> {
        if self.names.namespaces().any(|known| known == name.text) {
            return Some(name.text.to_owned());
        }
        let near = nearest(name.text, self.names.namespaces());
        let diagnostic = problems::unknown(name.span, "namespace", name.text, near);
        self.report(diagnostic);
        None
    }

    /// What a name of a kind of its own means. Reports what it does not find.
    pub(super) fn find_in<T: Copy>(
        &mut self,
        kind: &str,
        name: Text<'_>,
        names: impl for<'n> FnOnce(&'n Names<'t>) -> &'n Scoped<T>,
    ) -> Option<(T, Span)> {
        let from = self.scope.namespace;
        let names = names(&self.names);
        match names.find_written(from, name.text) {
            Some((named, true)) => {
                let found = (named.meaning, named.span);
                self.lookups.insert((found.1, from));
                return Some(found);
            }
            Some((named, false)) => {
                let diagnostic = problems::private(name, named.span);
                self.report(diagnostic);
                return None;
            }
            None => {}
        }
        let near = nearest(name.text, names.visible(from).map(|(name, _)| name));
        let diagnostic = problems::unknown(name.span, kind, name.text, near);
        self.report(diagnostic);
        None
    }

    fn parse_target(&mut self, text: Text<'t>) -> Option<value::Target> {
        match value::Target::parse(text.text) {
            Ok(target) => Some(target),
            Err(error) => {
                self.report(problems::value(text.span, &error));
                None
            }
        }
    }

    fn report_unknown(
        &mut self,
        text: Text<'t>,
        target: &value::Target,
        mut visible: Vec<String>,
        versions: &[String],
    ) {
        visible.extend(versions.iter().cloned());
        let kind = if versions.is_empty() {
            "service"
        } else {
            "version or service"
        };
        let written = match &target.namespace {
            Some(namespace) => format!("{namespace}/{}", target.name),
            None => target.name.to_string(),
        };
        let near = nearest(&written, visible.iter().map(String::as_str));
        self.report(problems::unknown(text.span, kind, &written, near));
    }

    /// The service that a word names, and its version if one is written. Reports what is none;
    /// `versions` could have been meant as well.
    pub(super) fn find_service(
        &mut self,
        text: Text<'t>,
        versions: &[String],
    ) -> Option<(ServiceId, Option<value::Name>)> {
        let target = self.parse_target(text)?;
        let found = self.find_entity(text, &target, versions)?;
        match found.entity {
            Entity::Service(service) => Some((service, target.version)),
            Entity::Gateway(_) => {
                self.report(problems::not_a_service(text, found.span));
                None
            }
        }
    }

    /// The gateway that a word names, to add to it. Reports what is none, or private.
    pub(super) fn find_open_gateway(&mut self, text: Text<'t>) -> Option<GatewayId> {
        let gateway = self.find_gateway(text)?;
        let target = self.parse_target(text)?;
        self.find_entity(text, &target, &[]).map(|_| gateway)
    }

    /// The gateway that a word names; it may be private. Reports what is none.
    pub(super) fn find_gateway(&mut self, text: Text<'t>) -> Option<GatewayId> {
        let target = self.parse_target(text)?;
        let Some(found) = self.names.find(self.scope.namespace, &target) else {
            let visible = self.names.visible(self.scope.namespace, true);
            self.report_unknown(text, &target, visible, &[]);
            return None;
        };
        match found.entity {
            Entity::Gateway(gateway) => Some(gateway),
            Entity::Service(_) => {
                self.report(problems::not_a_gateway(text, found.span));
                None
            }
        }
    }
}
