//! Callers, as far as the rules of a service tell them apart.

use super::{Rules, Seen, seen};
use crate::model::condition::{Condition, Field, Predicate, test};
use crate::model::{GatewayId, Mesh, ServiceId};
use crate::verify::World;
use mesh_lang::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// Somebody without an identity of the mesh, who comes to the service directly.
    Anonymous,
    /// A gateway.
    Gateway(GatewayId),
    /// A service.
    Service(ServiceId),
}

/// Callers that the rules of a service do not tell apart.
#[derive(Clone, Debug)]
pub struct CallerClass {
    /// All of them, in the order of the source.
    pub members: Vec<Caller>,
    /// As whom they are known.
    pub seen: Seen,
    /// "The caller is one of these."
    pub condition: Condition,
    /// Whether no rule names them, or their namespace.
    pub others: bool,
}

impl CallerClass {
    /// Clients of a gateway, none of which has an identity of the mesh.
    pub fn clients(mesh: &Mesh) -> Self {
        Self {
            members: vec![Caller::Anonymous],
            seen: Seen::Anonymous,
            condition: is_from(None, mesh.span),
            others: false,
        }
    }
}

impl Caller {
    /// Everybody who may call something: whoever has no identity, gateways, services.
    pub fn all(mesh: &Mesh) -> impl Iterator<Item = Self> {
        let gateways = (0..mesh.gateways.len() as u32).map(GatewayId);
        let services = (0..).map(ServiceId).zip(&mesh.services);
        let services = services.filter(|(_, service)| !service.external);
        [Self::Anonymous]
            .into_iter()
            .chain(gateways.map(Self::Gateway))
            .chain(services.map(|(id, _)| Self::Service(id)))
    }

    /// As policies write it.
    pub fn name(self, mesh: &Mesh) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Gateway(id) => mesh[id].qualified_name(),
            Self::Service(id) => mesh[id].qualified_name(),
        }
    }

    /// As conditions name it, the namespace always before the name, and the namespace.
    pub fn identity(self, mesh: &Mesh) -> Option<(String, &str)> {
        let (namespace, name) = match self {
            Self::Anonymous => return None,
            Self::Gateway(id) => (&mesh[id].namespace, &mesh[id].name),
            Self::Service(id) => (&mesh[id].namespace, &mesh[id].name),
        };
        Some((format!("{namespace}/{name}"), namespace))
    }
}

/// What tells classes apart: how they are seen, and the name or namespace that a rule names.
type Key<'k> = (u8, Option<String>, Option<&'k str>);

/// All callers of a service in classes, in the order of their first members.
pub fn callers(mesh: &Mesh, service: ServiceId, rules: &Rules<'_>) -> Vec<CallerClass> {
    let mut names = Vec::new();
    let mut namespaces = Vec::new();
    let mut by_text = false;
    for asked in rules.tests() {
        match (&asked.field, &asked.predicate) {
            (Field::Source, Predicate::OneOf(values)) => names.extend(values),
            (Field::SourceNamespace, Predicate::OneOf(values)) => namespaces.extend(values),
            (Field::Source | Field::SourceNamespace, Predicate::Present) => {}
            (Field::Source | Field::SourceNamespace, _) => by_text = true,
            _ => {}
        }
    }
    let mut numbers: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut classes: Vec<CallerClass> = Vec::new();
    for caller in Caller::all(mesh) {
        if caller == Caller::Service(service) {
            continue; // nothing stands between a service and itself
        }
        let identity = caller.identity(mesh);
        let seen = seen(mesh, service, identity.is_some());
        let known = identity.filter(|_| seen == Seen::Known);
        let key: Key<'_> = match &known {
            None => (seen as u8, None, None),
            Some((name, namespace)) => {
                let named = by_text || names.contains(&name);
                let within = namespaces.iter().any(|it| it == namespace);
                let name = named.then(|| name.clone());
                (seen as u8, name, within.then_some(*namespace))
            }
        };
        let others = key.1.is_none() && key.2.is_none() && known.is_some();
        let next = classes.len();
        let number = *numbers.entry(key).or_insert(next);
        if number == next {
            classes.push(CallerClass {
                members: Vec::new(),
                seen,
                condition: is_from(known.map(|(name, _)| name), mesh.span),
                others,
            });
        }
        classes[number].members.push(caller);
    }
    classes
}

/// "The caller is this", or nobody who is known.
fn is_from(name: Option<String>, span: Span) -> Condition {
    match name {
        Some(name) => test(Field::Source, Predicate::OneOf(vec![name]), span),
        None => Condition::Not(Box::new(test(Field::Source, Predicate::Present, span))),
    }
}

/// The requests that are put before the rules of a service: those of all its callers.
pub fn world(mesh: &Mesh, service: ServiceId) -> World {
    let callers = Caller::all(mesh).filter_map(|caller| caller.identity(mesh));
    World {
        encoded_slash: mesh.encoded_slash.value,
        host: mesh[service].name.clone(),
        callers: Arc::new(callers.map(|(name, _)| name).collect()),
        anonymous: true,
        doors: Vec::new(),
        direct: false,
        certificates: true,
        tokens: mesh.jwts.iter().map(|jwt| jwt.name.clone()).collect(),
        keys: mesh.keys.iter().map(|keys| keys.name.clone()).collect(),
    }
}
