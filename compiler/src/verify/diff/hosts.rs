//! Which host blocks of two meshes are compared with each other: those that the same hosts belong to.

use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::model::{Gateway, HostBlock, Mesh};
use crate::verify::tables::specificity;
use mesh_lang::source::Span;
use mesh_lang::value::HostPattern;
use std::collections::BTreeMap;

/// A gateway on both sides, or on one.
#[derive(Debug)]
pub(super) struct Gateways<'m> {
    namespace: &'m str,
    name: &'m str,
    old: Option<&'m Gateway>,
    new: Option<&'m Gateway>,
}

/// Hosts that belong to the same blocks on both sides.
#[derive(Debug)]
pub(super) struct Scope {
    /// The blocks, by their places in the old gateway and in the new one.
    blocks: (Option<usize>, Option<usize>),
    /// Patterns, each with the closer ones of both sides.
    patterns: Vec<(HostPattern, Vec<HostPattern>)>,
}

/// The gateways of two meshes, by name.
pub(super) fn gateways<'m>(old: &'m Mesh, new: &'m Mesh) -> Vec<Gateways<'m>> {
    let mut named: BTreeMap<(&str, &str), Gateways<'m>> = BTreeMap::new();
    let all = old.gateways.iter().map(|it| (true, it));
    for (is_old, gateway) in all.chain(new.gateways.iter().map(|it| (false, it))) {
        let key = (gateway.namespace.as_str(), gateway.name.as_str());
        let pair = named.entry(key).or_insert_with(|| Gateways {
            namespace: key.0,
            name: key.1,
            old: None,
            new: None,
        });
        let side = if is_old { &mut pair.old } else { &mut pair.new };
        *side = Some(gateway);
    }
    named.into_values().collect()
}

impl<'m> Gateways<'m> {
    /// Its namespace and its name.
    pub(super) fn key(&self) -> (&'m str, &'m str) {
        (self.namespace, self.name)
    }

    /// Whether this is the gateway, on one of its sides.
    pub(super) fn is(&self, gateway: &Gateway) -> bool {
        self.key() == (gateway.namespace.as_str(), gateway.name.as_str())
    }

    /// All hosts of both sides, in groups.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        let scopes = owners(self.old, self.new).into_iter();
        scopes
            .map(|(blocks, patterns)| Scope { blocks, patterns })
            .collect()
    }

    /// The old block of these hosts.
    pub(super) fn old_block(&self, scope: &Scope) -> Option<(&'m Gateway, &'m HostBlock)> {
        let gateway = self.old?;
        Some((gateway, &gateway.hosts[scope.blocks.0?]))
    }

    /// The new block of these hosts.
    pub(super) fn new_block(&self, scope: &Scope) -> Option<(&'m Gateway, &'m HostBlock)> {
        let gateway = self.new?;
        Some((gateway, &gateway.hosts[scope.blocks.1?]))
    }

    /// `edge shop.example`.
    pub(super) fn subject(&self, scope: &Scope) -> String {
        let names = scope.patterns.iter().map(|(it, _)| it.to_string());
        format!("{} {}", self.name, names.collect::<Vec<_>>().join(", "))
    }
}

impl Scope {
    /// "The host is one of these."
    pub(super) fn region(&self, span: Span) -> Condition {
        let is_one_of = |patterns: Vec<HostPattern>| {
            Condition::Test(Test {
                field: Field::Host,
                predicate: Predicate::Hosts(patterns),
                span,
            })
        };
        let parts = self.patterns.iter().map(|(pattern, closer)| {
            let own = is_one_of(vec![pattern.clone()]);
            let others = Condition::Not(Box::new(is_one_of(closer.clone())));
            Condition::And(vec![own, others])
        });
        Condition::Or(parts.collect())
    }
}

/// Which blocks the hosts of each pattern belong to, in both gateways.
type Owners = BTreeMap<(Option<usize>, Option<usize>), Vec<(HostPattern, Vec<HostPattern>)>>;

fn owners(old: Option<&Gateway>, new: Option<&Gateway>) -> Owners {
    let blocks = |gateway: Option<&Gateway>| -> Vec<HostPattern> {
        let hosts = gateway.iter().flat_map(|gateway| &gateway.hosts);
        hosts.flat_map(|block| block.patterns.clone()).collect()
    };
    let mut all = blocks(old);
    for pattern in blocks(new) {
        if !all.contains(&pattern) {
            all.push(pattern);
        }
    }
    let owner = |gateway: Option<&Gateway>, pattern: &HostPattern| -> Option<usize> {
        let blocks = gateway?.hosts.iter().enumerate();
        let patterns =
            blocks.flat_map(|(index, block)| block.patterns.iter().map(move |it| (index, it)));
        let covering = patterns.filter(|(_, it)| covers(it, pattern));
        covering
            .max_by_key(|(_, it)| specificity(it))
            .map(|(index, _)| index)
    };
    let mut owners = Owners::new();
    for pattern in &all {
        let closer = all
            .iter()
            .filter(|it| *it != pattern && covers(pattern, it));
        let key = (owner(old, pattern), owner(new, pattern));
        let closer = closer.cloned().collect();
        owners
            .entry(key)
            .or_default()
            .push((pattern.clone(), closer));
    }
    owners
}

/// Whether all hosts of the one are hosts of the other.
fn covers(wide: &HostPattern, narrow: &HostPattern) -> bool {
    let within = |suffix: &str, name: &str| {
        name.strip_suffix(suffix)
            .is_some_and(|front| front.len() > 1 && front.ends_with('.'))
    };
    match (wide, narrow) {
        (HostPattern::Any, _) => true,
        (HostPattern::Suffix(wide), HostPattern::Suffix(narrow)) => {
            wide == narrow || within(wide, narrow)
        }
        (HostPattern::Suffix(wide), HostPattern::Exact(name)) => within(wide, name),
        (HostPattern::Exact(wide), HostPattern::Exact(narrow)) => wide == narrow,
        _ => false,
    }
}
