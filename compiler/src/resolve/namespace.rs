//! What `namespace` items say about all their services.

use super::problems;
use super::{Resolver, Room, Scope};
use crate::model::Namespace;
use mesh_lang::view::BlockItem;

impl<'t> Resolver<'t> {
    /// Namespaces that say something. Several blocks of one name are one namespace.
    pub(super) fn namespaces(&mut self, items: &[BlockItem<'t>]) -> Vec<Namespace> {
        let mut all: Vec<Namespace> = Vec::new();
        for item in items {
            let Some(name) = item.name() else { continue };
            let scope = Scope {
                namespace: name.text,
                room: Room::Defaults,
            };
            let said = self.in_scope(scope, |it| it.namespace_says(name.text, *item));
            match all.iter_mut().find(|known| known.name == said.name) {
                None => all.push(said),
                Some(known) => {
                    if let (Some(first), Some(second)) = (&known.limits, &said.limits)
                        && let (Some(first), Some(second)) = (first.span(), second.span())
                    {
                        self.report(
                            problems::bad_value(
                                second,
                                "another block of this namespace says `limits`, too",
                            )
                            .secondary(first, "said here"),
                        );
                    }
                    known.denies.extend(said.denies);
                    known.limits = known.limits.or(said.limits);
                    known.rate_limits.each.extend(said.rate_limits.each);
                }
            }
        }
        all
    }

    fn namespace_says(&mut self, name: &str, item: BlockItem<'t>) -> Namespace {
        let mut namespace = Namespace {
            name: name.to_owned(),
            ..Namespace::default()
        };
        for setting in Self::settings(item.block()) {
            match setting.keyword().text {
                "authz" => {
                    let rules = self.rules(setting.block());
                    for allow in rules.iter().filter(|rule| rule.allows) {
                        let message = "a namespace only denies; what is allowed each service says";
                        self.refuse(allow.span, message);
                    }
                    namespace.denies = rules.into_iter().filter(|rule| !rule.allows).collect();
                }
                "limits" => namespace.limits = Some(self.limits(setting)),
                "rate-limit" if self.says(setting, "off") => {
                    let message = "no wider level limits what a namespace does; leave this out";
                    self.refuse(setting.span(), message);
                }
                "rate-limit" => {
                    let limit = self.rate_limit(setting);
                    let limit = limit.map(|limit| self.said(setting, limit));
                    namespace.rate_limits.each.extend(limit);
                }
                _ => {}
            }
        }
        namespace
    }
}
