//! Declarations that nothing named while everything was read, and exports that no other namespace looked up.
//!
//! What stands in a declaration is read where that is used, so that what only an unused one names is not used either.

use super::Resolver;
use super::items_of;
use crate::lines;
use crate::model::{Unused, UnusedKind};
use mesh_lang::source::Span;
use mesh_lang::tree::Node;
use mesh_lang::view::{Block, BlockItem, Item, ItemKind, Statement, Text};
use std::collections::HashSet;

impl<'t> Resolver<'t> {
    /// What was not used, in the order of the source.
    pub(super) fn unused(&self) -> Vec<Unused> {
        let used: HashSet<Span> = self.lookups.iter().map(|(declared, _)| *declared).collect();
        let set = self.set_by_environments();
        let mut unused = Vec::new();
        for (namespace, item) in self.items() {
            let (kind, name) = match item {
                Item::Param(param) => (Some(UnusedKind::Param), param.name()),
                Item::Let(r#let) => (Some(UnusedKind::Let), r#let.name()),
                Item::Block(block) => (kind_of(block), block.name()),
                Item::Import(_) => continue,
            };
            let Some(name) = name else { continue };
            let removal = |span| Unused {
                kind: UnusedKind::Export,
                name: name.text.to_owned(),
                span: name.span,
                removal: span,
            };
            match kind {
                Some(kind) if !used.contains(&name.span) => unused.push(Unused {
                    kind,
                    // Whoever sets it would set what is not there.
                    ..removal(
                        Some(item.node())
                            .filter(|_| !set.contains(&(namespace, name.text)))
                            .map(lines::removal),
                    )
                }),
                _ => {
                    if let Item::Block(block) = item
                        && block.exported()
                        && !self.is_used_outside(namespace, name)
                    {
                        unused.push(removal(export_of(block)));
                    }
                }
            }
        }
        unused
    }

    /// Whether another namespace looked up a name of this one.
    fn is_used_outside(&self, namespace: &str, name: Text<'_>) -> bool {
        let from = self.lookups.range((name.span, "")..);
        let mut from = from.take_while(|(declared, _)| *declared == name.span);
        from.any(|(_, from)| *from != namespace)
    }

    /// The parameters that environments set, by namespace and name.
    fn set_by_environments(&self) -> HashSet<(&'t str, &'t str)> {
        let items = self.input.trees.iter().flat_map(items_of);
        let environments = items.filter_map(|(_, item)| match item {
            Item::Block(block) if block.kind() == ItemKind::Env => block.block(),
            _ => None,
        });
        let statements = environments.flat_map(Block::statements);
        let params = statements.filter_map(|statement| match statement {
            Statement::Set(set) if set.kind()?.text == "param" => set.path(),
            _ => None,
        });
        params
            .map(|path| {
                let default = (crate::model::DEFAULT_NAMESPACE, path.text);
                path.text.split_once('/').unwrap_or(default)
            })
            .collect()
    }
}

/// What an item is, if it is nothing where no name leads to it.
fn kind_of(item: BlockItem<'_>) -> Option<UnusedKind> {
    match item.kind() {
        ItemKind::Policy => Some(UnusedKind::Policy),
        ItemKind::Jwt => Some(UnusedKind::Jwt),
        ItemKind::Keys => Some(UnusedKind::Keys),
        _ => None,
    }
}

/// The `export` of an item, with the space behind it.
fn export_of(item: BlockItem<'_>) -> Option<Span> {
    let node: Node<'_> = item.node();
    let (whole, keyword) = (node.span(), item.keyword()?.span);
    Some(Span::new(whole.file, whole.start, keyword.start))
}
