//! What stands between two statements: comments, blank lines, `;`.

use super::line::columns;
use crate::syntax::SyntaxKind;
use crate::tree::Tree;

/// How far right of a statement a comment belongs to the line above.
const FAR: u32 = 16;

/// A comment with a line of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnLine {
    /// Its token.
    pub(super) comment: u32,
    /// Whether a blank line is before it.
    pub(super) blank: bool,
}

/// What stands between two statements, or between a brace and a statement.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// The comment on the line of what is before, and those below it that go on with it.
    pub(super) trailing: Vec<u32>,
    /// The comments with lines of their own.
    pub(super) own_lines: Vec<OwnLine>,
    /// Whether a blank line is before what follows.
    pub(super) blank: bool,
    /// Whether a `;` is between.
    pub(super) semicolon: bool,
}

impl Gap {
    /// Whether there is a blank line anywhere.
    pub(super) fn has_blank_line(&self) -> bool {
        self.blank || self.own_lines.iter().any(|own| own.blank)
    }

    /// Reads the tokens `from..to`. If `follows`, something that a comment may trail is before them.
    ///
    /// The `{` of a block may be among them, if something stands between it and the statement that it
    /// belongs to.
    pub(super) fn read(&mut self, tree: &Tree, from: u32, to: u32, follows: bool) {
        self.trailing.clear();
        self.own_lines.clear();
        self.semicolon = false;
        let mut newlines = 0_u32;
        for index in from..to {
            match tree.tokens().kind(index as usize) {
                SyntaxKind::Newline => newlines += 1,
                SyntaxKind::Comment | SyntaxKind::DocComment => {
                    let is_first = self.trailing.is_empty() && self.own_lines.is_empty();
                    if follows && newlines == 0 && is_first {
                        self.trailing.push(index);
                    } else {
                        self.own_lines.push(OwnLine {
                            comment: index,
                            blank: newlines > 1,
                        });
                    }
                    newlines = 0;
                }
                SyntaxKind::Semicolon => {
                    self.semicolon = true;
                    // One on a line of its own makes no blank line.
                    newlines = newlines.saturating_sub(1).min(1);
                }
                SyntaxKind::LeftBrace if self.trailing.is_empty() && self.own_lines.is_empty() => {
                    newlines = 0;
                }
                _ => {}
            }
        }
        self.blank = newlines > 1;
    }

    /// Finds the comments that go on with the trailing one: below it, in its column or far from where
    /// statements start. `next` is the column of what follows, to which alone a `##` belongs.
    pub(super) fn find_continuation(&mut self, tree: &Tree, next: u32) {
        if self.own_lines.is_empty() {
            return;
        }
        let Some(&trailing) = self.trailing.first() else {
            return;
        };
        let same = column_on_line(tree, trailing);
        let goes_on = |own: &&OwnLine| {
            let column = column(tree, own.comment);
            let documents = tree.tokens().kind(own.comment as usize) == SyntaxKind::DocComment;
            !own.blank && !documents && column > next && (column == same || column >= next + FAR)
        };
        let count = self.own_lines.iter().take_while(goes_on).count();
        let further = self.own_lines.drain(..count).map(|own| own.comment);
        self.trailing.extend(further);
    }
}

/// The column of the token `index`, from 0, if nothing but white space is before it on its line; else 0.
pub(super) fn column(tree: &Tree, index: u32) -> u32 {
    let tokens = tree.tokens();
    let index = index as usize;
    let is_indented =
        index > 0 && tokens.kind(index - 1) == SyntaxKind::Whitespace && tokens.starts_line(index);
    if is_indented {
        tokens.start(index) - tokens.start(index - 1)
    } else {
        0
    }
}

/// The column of the token `index`, whatever is before it on its line.
fn column_on_line(tree: &Tree, index: u32) -> u32 {
    let tokens = tree.tokens();
    let before = &tokens.kinds()[..index as usize];
    let starts =
        |kind: &SyntaxKind| matches!(kind, SyntaxKind::Newline | SyntaxKind::ByteOrderMark);
    let line = before.iter().rposition(starts).map_or(0, |at| at + 1);
    let range = tokens.start(line) as usize..tokens.start(index as usize) as usize;
    columns(&tree.text()[range])
}
