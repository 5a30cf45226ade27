//! `routes` items: arms of a gateway's host, kept by the team that owns them.
//!
//! A fragment's arms are read in its own namespace and come before the host's `otherwise`; that
//! they stay within what the host opened, and meet no other arm's requests, is proved later.

use super::problems;
use super::{Resolver, Room, Scope};
use crate::model::{Arm, GatewayId, HostBlock};
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::nearest::nearest;
use mesh_lang::value::HostPattern;
use mesh_lang::view::{BlockItem, Text};

/// A `routes` item whose gateway is known.
#[derive(Clone, Debug)]
pub(super) struct Fragment<'t> {
    namespace: &'t str,
    item: BlockItem<'t>,
    gateway: GatewayId,
    host: HostPattern,
    written: Text<'t>,
    /// Whether a host block has taken it in.
    taken: bool,
}

impl<'t> Resolver<'t> {
    /// Notes a fragment.
    pub(super) fn fragment(&mut self, namespace: &'t str, item: BlockItem<'t>) {
        let mut names = item.names();
        let (Some(gateway), Some(written)) = (names.next(), names.next()) else {
            return; // the parser has said so
        };
        let scope = Scope {
            namespace,
            ..self.scope
        };
        let gateway = self.in_scope(scope, |it| it.find_open_gateway(gateway));
        // What is no host was reported by the check against the vocabulary.
        if let (Some(gateway), Ok(host)) = (gateway, HostPattern::parse(written.text)) {
            self.fragments.push(Fragment {
                namespace,
                item,
                gateway,
                host,
                written,
                taken: false,
            });
        }
    }

    /// Adds the arms of the fragments of a host block, ahead of its `otherwise`.
    pub(super) fn add_fragments(&mut self, gateway: GatewayId, host: &mut HostBlock) {
        let mut arms = Vec::new();
        for index in 0..self.fragments.len() {
            let fragment = &mut self.fragments[index];
            if fragment.gateway != gateway || !host.patterns.contains(&fragment.host) {
                continue;
            }
            fragment.taken = true;
            let (namespace, item) = (fragment.namespace, fragment.item);
            let scope = Scope {
                namespace,
                room: Room::Host,
            };
            let table = self.in_scope(scope, |it| it.table(item.block()));
            let opened = host.opens.iter().any(|open| open.namespace == namespace);
            if !opened {
                let written = self.fragments[index].written;
                self.report(problems::not_opened(written, namespace, host.span));
            }
            arms.extend(table.arms.into_iter().map(|arm| Arm {
                fragment: Some(namespace.to_owned()),
                ..arm
            }));
        }
        let is_otherwise =
            |arm: &Arm| arm.methods.is_empty() && arm.paths.is_empty() && arm.condition.is_none();
        let own = &mut host.table.arms;
        let before = own.len() - usize::from(own.last().is_some_and(is_otherwise));
        own.splice(before..before, arms);
    }

    /// Fragments of hosts that their gateways do not have.
    pub(super) fn check_fragments(&mut self, gateways: &[crate::model::Gateway]) {
        let lost: Vec<Fragment<'t>> = self
            .fragments
            .iter()
            .filter(|fragment| !fragment.taken)
            .cloned()
            .collect();
        for fragment in lost {
            let hosts = gateways
                .get(fragment.gateway.index())
                .into_iter()
                .flat_map(|gateway| &gateway.hosts)
                .flat_map(|host| &host.patterns);
            let hosts: Vec<String> = hosts.map(ToString::to_string).collect();
            let near = nearest(fragment.written.text, hosts.iter().map(String::as_str));
            let message = format!("this gateway has no `host {}`", fragment.written.text);
            let diagnostic =
                Diagnostic::new(Code::UnresolvedRef, message).primary(fragment.written.span, "");
            self.report(match near {
                Some(near) => diagnostic.help(format!("perhaps `{near}` is meant")),
                None => diagnostic.help("whoever owns the gateway declares its hosts"),
            });
        }
    }
}
