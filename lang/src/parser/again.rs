//! Parsing again after an edit, for editors.
//!
//! In: the parse of a text, and one change of that text. Out: the parse of the new text, the same that
//! [`parse`](super::parse()) gives, and which part of the text may read differently now. Where the braces
//! of a file pair and an edit leaves them so, an item has nothing to do with the others: only those that
//! the change touches are parsed. Otherwise indentation counts, wherever it is, and the whole file is
//! parsed.

use std::ops::Range;

use super::input::may_end_statement;
use super::{Parse, parse};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Splice, Tree};
use crate::view::is_broken;
use crate::vocabulary;

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The bytes of the old text that are replaced.
    pub old: Range<u32>,
    /// How many bytes take their place.
    pub new: u32,
}

impl Change {
    /// Where a place before the change, or behind it, is afterwards.
    pub fn moves(&self, span: Span) -> Span {
        let at = |offset: u32| {
            if offset >= self.old.end {
                offset - self.old.end + self.old.start + self.new
            } else {
                offset
            }
        };
        Span::new(span.file, at(span.start), at(span.end))
    }

    /// The part of the new text that takes the place of the old one.
    pub const fn new_range(&self) -> Range<u32> {
        self.old.start..self.old.start + self.new
    }
}

/// What a change makes of a file.
#[derive(Debug)]
pub struct Again {
    /// The parse of the new text.
    pub parse: Parse,
    /// What may read differently: whole items, and all that stands between them.
    pub read: Change,
    /// Whether that goes on to the end of the file.
    pub to_end: bool,
}

impl Again {
    /// What still holds of what else was found in the old text, where it is now. What is wrong with an
    /// item has to have nothing to do with the others.
    pub fn keep(&self, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let Change { old, .. } = &self.read;
        let is_kept =
            |it: &Diagnostic| start(it) < old.start || !self.to_end && start(it) >= old.end;
        let kept = findings.into_iter().filter(is_kept);
        kept.map(|it| it.moved(|span| self.read.moves(span)))
            .collect()
    }
}

/// Where a finding is.
fn start(diagnostic: &Diagnostic) -> u32 {
    diagnostic.span().map_or(0, |span| span.start)
}

/// What is written behind the items that are parsed, in place of what follows them.
const NEXT: &str = "x";

/// Parses a file again. `text` is the new text; it differs from that of `before` in `change` alone.
pub fn reparse(before: &Parse, text: &str, change: &Change) -> Again {
    items_again(before, text, change).unwrap_or_else(|| {
        let after = parse(before.tree.file(), text);
        let read = difference(&before.tree, &after.tree, change);
        let to_end = read.old.end as usize == before.tree.text().len();
        Again {
            parse: after,
            read,
            to_end,
        }
    })
}

/// Parses the items that a change touches, if that is enough.
fn items_again(before: &Parse, text: &str, change: &Change) -> Option<Again> {
    let tree = &before.tree;
    let place = Place::find(tree, change)?;
    let read = Change {
        old: place.start..place.end,
        new: place.end - place.start - (change.old.end - change.old.start) + change.new,
    };
    let range = read.new_range();
    let mut part = text[range.start as usize..range.end as usize].to_owned();
    let len = part.len() as u32;
    if place.next.is_some() {
        part.push_str(NEXT);
    }
    let parsed = parse(tree.file(), &part);
    let tokens = parsed.tree.tokens();
    // The token that stands for what follows is one of its own.
    let count = match place.next {
        None => tokens.len(),
        Some(_) => tokens.len().checked_sub(1)?,
    };
    if tokens.start(count) != len || !is_whole(&parsed.tree, count, place.next.is_some()) {
        return None;
    }
    let is_inside = |node: &Node<'_>| node.token_range().start < count as u32;
    let inside = parsed.tree.root().children().take_while(is_inside);
    let new_nodes = inside.last().map_or(1, |last| behind(last));
    let splice = Splice {
        nodes: place.nodes.clone(),
        tokens: place.tokens.clone(),
        new_nodes,
        new_tokens: count as u32,
    };

    let all = before.diagnostics.iter();
    let precede = all.clone().filter(|it| start(it) < read.old.start);
    let mut diagnostics: Vec<Diagnostic> = precede.cloned().collect();
    let is_own = |it: &Diagnostic| place.next.is_none() || start(it) < len;
    let own = parsed.diagnostics.into_iter().filter(is_own);
    diagnostics.extend(own.map(|it| it.moved(|span| from(span, read.old.start))));
    let follow = all.filter(|it| place.next.is_some() && start(it) >= read.old.end);
    diagnostics.extend(follow.map(|it| it.clone().moved(|span| read.moves(span))));
    let parse = Parse {
        tree: tree.spliced(text, &splice, &parsed.tree),
        diagnostics,
    };
    let to_end = place.next.is_none();
    Some(Again {
        parse,
        read,
        to_end,
    })
}

/// Where the items stand that a change touches.
struct Place {
    /// Their nodes.
    nodes: Range<u32>,
    /// Their tokens, and those up to the next item.
    tokens: Range<u32>,
    /// Their text, and that up to the next item.
    start: u32,
    end: u32,
    /// The first token of the next item.
    next: Option<u32>,
}

impl Place {
    fn find(tree: &Tree, change: &Change) -> Option<Self> {
        let tokens = tree.tokens();
        let (mut before, mut first, mut next) = (None, None::<Node<'_>>, None);
        for item in tree.root().children() {
            let token = item.token_range().start as usize;
            // A change in or beside the first word may make it part of the statement before.
            if tokens.start(token + 1) < change.old.start {
                before = first.replace(item);
            } else if tokens.start(token) > change.old.end {
                next = Some(item);
                break;
            }
        }
        let first = first?;
        let end = next.map_or(tree.root().token_range().end, |next| {
            next.token_range().start
        });
        let word = first.token_range().start;
        // How far a line is indented counts.
        let is_indented = word > 0 && tokens.kind(word as usize - 1) == SyntaxKind::Whitespace;
        let start = word - u32::from(is_indented);
        let place = Self {
            nodes: first.index()..next.map_or(tree.node_count() as u32, Node::index),
            tokens: start..end,
            start: tokens.start(start as usize),
            end: tokens.start(end as usize),
            next: next.map(|next| next.token_range().start),
        };
        let is_apart = before.is_none_or(|before| !is_broken(before))
            && starts_item(tree, word)
            && place.next.is_none_or(|next| starts_item(tree, next))
            && surplus(tokens.kinds()) == Some(0)
            && is_closed(&tokens.kinds()[start as usize..end as usize]);
        is_apart.then_some(place)
    }
}

/// Whether a line starts with a token that starts an item and never belongs to the statement before.
fn starts_item(tree: &Tree, token: u32) -> bool {
    let word = tree.tokens().text(tree.text(), token as usize);
    tree.tokens().starts_line(token as usize) && vocabulary::is_item_word(word)
}

/// Whether nothing that is opened among these goes on behind them.
fn is_closed(kinds: &[SyntaxKind]) -> bool {
    surplus(kinds) == Some(0) && open_brackets(kinds) == 0
}

/// Whether the first `count` tokens are whole items that end with a line, so that what follows is read as
/// if they were not there.
fn is_whole(tree: &Tree, count: usize, is_followed: bool) -> bool {
    let tokens = tree.tokens();
    let kinds = &tokens.kinds()[..count];
    if !is_closed(kinds) {
        return false;
    }
    if !is_followed {
        return true;
    }
    let blank = |kind: &&SyntaxKind| **kind == SyntaxKind::Whitespace;
    let line_end = kinds.iter().rev().find(|kind| !blank(kind));
    let means = |kind: &SyntaxKind| !kind.is_trivia() && *kind != SyntaxKind::Newline;
    let Some(last) = kinds.iter().rposition(means) else {
        return false;
    };
    let word = tokens.text(tree.text(), last);
    let may_end = kinds[last] == SyntaxKind::Semicolon || may_end_statement(kinds[last], word);
    // Behind these a statement goes on, if they are no names.
    let compares = matches!(word, "matches" | "starts-with" | "ends-with" | "contains");
    line_end == Some(&SyntaxKind::Newline) && may_end && !compares
}

/// `{` less `}`, if no `}` comes before its `{`.
fn surplus(kinds: &[SyntaxKind]) -> Option<u32> {
    let mut depth = 0_u32;
    for kind in kinds {
        match kind {
            SyntaxKind::LeftBrace => depth += 1,
            SyntaxKind::RightBrace => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    Some(depth)
}

/// How many brackets and parentheses are open at the end of these, which the next brace closes.
fn open_brackets(kinds: &[SyntaxKind]) -> u32 {
    let ends = |kind: &SyntaxKind| {
        matches!(
            kind,
            SyntaxKind::LeftBrace | SyntaxKind::RightBrace | SyntaxKind::Semicolon
        )
    };
    let start = kinds.iter().rposition(ends).map_or(0, |at| at + 1);
    let mut open = 0_u32;
    for kind in &kinds[start..] {
        match kind {
            SyntaxKind::LeftParen | SyntaxKind::LeftBracket => open += 1,
            SyntaxKind::RightParen | SyntaxKind::RightBracket => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// A place in a part of a text that starts at `start`.
fn from(span: Span, start: u32) -> Span {
    Span::new(span.file, span.start + start, span.end + start)
}

/// The index behind the nodes of a subtree.
fn behind(node: Node<'_>) -> u32 {
    node.index() + node.descendants().count() as u32 + 1
}

/// The part of a file that two trees of it read differently, which are those before and after a change.
fn difference(before: &Tree, after: &Tree, change: &Change) -> Change {
    let old: Vec<_> = before.root().children().collect();
    let new: Vec<_> = after.root().children().collect();
    let (old_len, new_len) = (before.text().len() as u32, after.text().len() as u32);
    let untouched_before = |(a, b): &(&Node<'_>, &Node<'_>)| {
        a.span().end < change.old.start && a.span() == b.span() && same_shape(**a, **b)
    };
    let first = old.iter().zip(&new).take_while(untouched_before).count();
    let untouched_behind = |(a, b): &(&Node<'_>, &Node<'_>)| {
        let (a_span, b_span) = (a.span(), b.span());
        a_span.start > change.old.end
            && old_len - a_span.start == new_len - b_span.start
            && old_len - a_span.end == new_len - b_span.end
            && same_shape(**a, **b)
    };
    let pairs = old[first..].iter().rev().zip(new[first..].iter().rev());
    let behind = old.len() - pairs.take_while(untouched_behind).count();

    // What is found at the end of an item is not to be found at the start of what is read, either.
    let mut start = change.old.start;
    for (index, item) in old[..behind].iter().enumerate().rev() {
        if index < first && item.span().end < start {
            break;
        }
        start = start.min(item.span().start);
    }
    let mut end = change.old.end;
    for (index, item) in old.iter().enumerate() {
        if index >= behind && item.span().start > end {
            return Change {
                old: start..item.span().start,
                new: new_len - (old_len - item.span().start) - start,
            };
        }
        end = end.max(item.span().end);
    }
    Change {
        old: start..old_len,
        new: new_len - start,
    }
}

/// Whether two nodes whose texts are the same have the same nodes below them.
fn same_shape(a: Node<'_>, b: Node<'_>) -> bool {
    a.kind() == b.kind() && shape(a).eq(shape(b))
}

/// What the nodes below a node are, and where, by their distance from it.
fn shape(node: Node<'_>) -> impl Iterator<Item = (SyntaxKind, u32, u32, u32)> {
    let (start, first) = (node.span().start, node.index());
    node.descendants().map(move |below| {
        let span = below.span();
        (
            below.kind(),
            span.start - start,
            span.end - start,
            below.index() - first,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn change(old: Range<u32>, new: u32) -> Change {
        Change { old, new }
    }

    /// What is read again when `from` becomes `to` once.
    fn read(text: &str, from: &str, to: &str) -> (String, String) {
        let at = text.find(from).expect("it is there") as u32;
        let old = at..at + from.len() as u32;
        let new = format!(
            "{}{to}{}",
            &text[..old.start as usize],
            &text[old.end as usize..]
        );
        let again = reparse(&parse(FileId(0), text), &new, &change(old, to.len() as u32));
        let Change { old, new: len } = again.read;
        let start = old.start as usize;
        (
            text[start..old.end as usize].to_owned(),
            new[start..start + len as usize].to_owned(),
        )
    }

    const TEXT: &str = "param a = 1\nservice b { timeout 5s }\nservice c { }\nservice d { }\n";

    #[test]
    fn only_the_items_that_are_touched_are_read() {
        let (old, new) = read(TEXT, "5s", "7s");
        assert_eq!(old, "service b { timeout 5s }\n");
        assert_eq!(new, "service b { timeout 7s }\n");
        let (old, new) = read(TEXT, "}\nservice c {", "}\nx y\nservice c {");
        assert_eq!(
            (old.as_str(), new.as_str()),
            (
                &TEXT[12..51],
                "service b { timeout 5s }\nx y\nservice c { }\n"
            )
        );
        // The last one, which nothing follows.
        assert_eq!(read(TEXT, "d { }\n", "d { x }").0, "service d { }\n");
    }

    #[test]
    fn braces_that_do_not_pair_are_the_business_of_all() {
        let (old, new) = read(TEXT, "b { timeout 5s }", "b { timeout 5s");
        assert_eq!(old, &TEXT[12..]);
        assert_eq!(new.len(), old.len() - 2);
    }

    #[test]
    fn a_first_word_may_belong_to_what_stands_before() {
        let (_, new) = read("service a { }\nto b { }\nservice c { }\n", "to", "and");
        assert!(new.contains("and b"), "{new}");
    }
}
