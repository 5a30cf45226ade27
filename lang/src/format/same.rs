//! Whether two trees differ only in what the formatter may change.

use crate::lexer::Tokens;
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Tree};

/// Whether two trees say the same: white space, comments, `;` and the comma behind the last element of
/// a list aside, they have the same tokens in the same nodes.
pub fn same(one: &Tree, other: &Tree) -> bool {
    if one.node_count() != other.node_count() {
        return false;
    }
    let tokens = (kept_tokens(one.tokens()), kept_tokens(other.tokens()));
    if tokens.0.len() != tokens.1.len() {
        return false;
    }
    let text = |tree, index: &u32| Tree::text(tree).get(token_range(tree, *index));
    let mut pairs = tokens.0.iter().zip(&tokens.1);
    if !pairs.all(|(a, b)| text(one, a) == text(other, b)) {
        return false;
    }
    let ranks = (ranks(one, &tokens.0), ranks(other, &tokens.1));
    let place = |ranks: &[u32], node: Node<'_>| {
        let range = node.token_range();
        (ranks[range.start as usize], ranks[range.end as usize])
    };
    let (one, other) = (one.root().descendants(), other.root().descendants());
    one.zip(other).all(|(a, b)| {
        a.kind() == b.kind()
            && a.descendants().size_hint() == b.descendants().size_hint()
            && place(&ranks.0, a) == place(&ranks.1, b)
    })
}

/// The tokens that the formatter keeps, by their indices.
pub(super) fn kept_tokens(tokens: &Tokens) -> Vec<u32> {
    let kinds = tokens.kinds();
    let mut kept: Vec<u32> = Vec::with_capacity(kinds.len() / 2);
    for (index, kind) in kinds.iter().enumerate() {
        match kind {
            SyntaxKind::Newline | SyntaxKind::Semicolon => continue,
            kind if kind.is_trivia() => continue,
            SyntaxKind::RightBracket => {
                let is_comma = |last: &u32| kinds[*last as usize] == SyntaxKind::Comma;
                kept.pop_if(|last| is_comma(last));
            }
            _ => {}
        }
        kept.push(index as u32);
    }
    kept
}

fn token_range(tree: &Tree, index: u32) -> std::ops::Range<usize> {
    let tokens = tree.tokens();
    tokens.start(index as usize) as usize..tokens.start(index as usize + 1) as usize
}

/// How many kept tokens are before each token, and before the end.
fn ranks(tree: &Tree, kept: &[u32]) -> Vec<u32> {
    let mut kept = kept.iter().peekable();
    let mut rank = 0;
    let indices = 0..=tree.tokens().len() as u32;
    indices
        .map(|index| {
            let before = rank;
            rank += u32::from(kept.next_if_eq(&&index).is_some());
            before
        })
        .collect()
}
