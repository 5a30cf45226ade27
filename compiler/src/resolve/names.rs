//! Names of services, externals, gateways and versions, and what they mean where they are used.

use super::Resolver;
use super::problems;
use crate::model::{DEFAULT_NAMESPACE, GatewayId, ServiceId};
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
    External,
}

/// A declared name.
#[derive(Clone, Debug)]
struct Declared {
    entity: Entity,
    span: Span,
    exported: bool,
}

/// All declared names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By namespace and name.
    entities: BTreeMap<String, BTreeMap<String, Declared>>,
    /// Versions by service: names in order, and where they are declared.
    versions: BTreeMap<ServiceId, Vec<(String, Span)>>,
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

impl Names {
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

    /// The namespaces that hold something.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.entities.keys().map(String::as_str)
    }

    /// Names that could have been meant in a namespace, as they would be written there.
    fn visible(&self, from: &str) -> Vec<String> {
        let mut names = Vec::new();
        for (namespace, entities) in &self.entities {
            let inside = namespace == from || namespace == DEFAULT_NAMESPACE;
            let open = entities
                .iter()
                .filter(|(_, declared)| inside || declared.exported);
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
            let Some(name) = super::statement::first_word(setting) else {
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

    /// What a target written in a namespace names, its version aside. Reports what it does not.
    pub(super) fn find_entity(
        &mut self,
        namespace: &str,
        text: Text<'t>,
        target: &value::Target,
        versions: &[String],
    ) -> Option<Found> {
        match self.names.find(namespace, target) {
            Some(found) if found.open => Some(found),
            Some(found) => {
                self.report(problems::private(text, found.span));
                None
            }
            None => {
                self.report_unknown(namespace, text, target, versions);
                None
            }
        }
    }

    /// The namespace of a caller written in a namespace; callers may be private. Reports what it does
    /// not find.
    pub(super) fn find_caller(
        &mut self,
        namespace: &str,
        text: Text<'t>,
        target: &value::Target,
    ) -> Option<String> {
        let name = target.name.as_str();
        let declares = |namespace: &str| {
            let entities = self.names.entities.get(namespace);
            entities.is_some_and(|entities| entities.contains_key(name))
        };
        let candidates = match &target.namespace {
            Some(written) => vec![written.as_str()],
            None => vec![namespace, DEFAULT_NAMESPACE],
        };
        let found = candidates.into_iter().find(|namespace| declares(namespace));
        let found = found.map(str::to_owned);
        if found.is_none() {
            self.report_unknown(namespace, text, target, &[]);
        }
        found
    }

    fn report_unknown(
        &mut self,
        namespace: &str,
        text: Text<'t>,
        target: &value::Target,
        versions: &[String],
    ) {
        let mut visible = self.names.visible(namespace);
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

    /// A service that is written in a namespace, and its version if one is written. Reports what is
    /// none; `versions` could have been meant as well.
    pub(super) fn find_service(
        &mut self,
        namespace: &str,
        text: Text<'t>,
        versions: &[String],
    ) -> Option<(ServiceId, Option<String>)> {
        let target = match value::Target::parse(text.text) {
            Ok(target) => target,
            Err(error) => {
                self.report(problems::value(text.span, &error));
                return None;
            }
        };
        let found = self.find_entity(namespace, text, &target, versions)?;
        match found.entity {
            Entity::Service(service) => {
                Some((service, target.version.map(|version| version.to_string())))
            }
            Entity::Gateway(_) => {
                self.report(problems::not_a_service(text, found.span));
                None
            }
            // Reported where it is declared.
            Entity::External => None,
        }
    }
}
