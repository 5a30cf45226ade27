//! Typed views of the tree.
//!
//! Every view is a copied handle of a node and reads what it is asked for from there: no text is
//! copied. A part that a broken file may lack is an `Option`; in a file without diagnostics of
//! syntax every part that the grammar demands is there.

mod action;
mod claim;
mod condition;
mod item;
mod statement;
mod value;

#[cfg(test)]
mod tests;

use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Token, Tree};

pub use self::action::{Action, Part, Redirect, Respond, Split};
pub use self::claim::{Claim, EveryRoute, Expect, Reaches, Request, Requirement, Step, Verb};
pub use self::condition::{Clause, ClauseKind, Compare, Condition, Operands, Test};
pub use self::item::{BlockItem, Import, Item, ItemKind, Let, Param};
pub use self::statement::{Arg, Arm, Block, Rule, Set, Setting, Statement, Who};
pub use self::value::{List, Str, Value};

/// A word of the source, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'t> {
    /// Where it is.
    pub span: Span,
    /// As it is written.
    pub text: &'t str,
}

impl<'t> Text<'t> {
    fn of_node(node: Node<'t>) -> Self {
        Self {
            span: node.span(),
            text: node.text(),
        }
    }

    fn of_token(token: Token<'t>) -> Self {
        Self {
            span: token.span(),
            text: token.text(),
        }
    }
}

impl Tree {
    /// The file's items.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.statements().filter_map(|statement| match statement {
            Statement::Item(item) => Some(item),
            _ => None,
        })
    }

    /// Everything at the top of the file: its items, and what stands among them by mistake.
    pub fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        self.root().children().filter_map(Statement::cast)
    }
}

/// The lines of the doc comment before `node`, without their `##`.
fn doc(node: Node<'_>) -> impl Iterator<Item = &str> {
    node.doc_comments().map(|comment| {
        let text = comment.text();
        let text = text.strip_prefix("##").unwrap_or(text);
        text.strip_prefix(' ').unwrap_or(text)
    })
}

/// Whether something in `node` itself did not parse; what stands in its block does not count.
pub(crate) fn is_broken(node: Node<'_>) -> bool {
    matches!(node.kind(), SyntaxKind::Error | SyntaxKind::Missing)
        || node
            .children()
            .any(|child| child.kind() != SyntaxKind::Block && is_broken(child))
}
