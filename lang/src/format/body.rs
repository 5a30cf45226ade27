//! From a file or a block to its lines: statements, blank lines, comments.

use super::gap::{Gap, column};
use super::head::{Head, newline_separates};
use super::layout::comment;
use super::line::{Line, columns, pad, push_lines};
use super::rows::{Form, Rows};
use super::{INDENT, WIDTH, damage};
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Tree};
use std::ops::Range;

/// A file that was laid out.
pub(super) struct Formatted {
    pub(super) text: String,
    /// Whether something was left as it was.
    pub(super) damaged: bool,
}

/// Lays out a file.
#[derive(Debug)]
pub(super) struct Formatter<'t> {
    tree: &'t Tree,
    text: String,
    rows: Rows,
    head: Head<'t>,
    /// The statements of a block that is tried on one line.
    inner: Head<'t>,
    line: Line,
    gap: Gap,
    /// The items that stay as they are.
    frozen: Vec<u32>,
    damaged: bool,
}

/// What is known about the statement before.
#[derive(Debug, Clone, Copy)]
struct Before<'t> {
    statement: Node<'t>,
    is_broken: bool,
    has_lines: bool,
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy)]
struct Place<'t> {
    depth: u32,
    /// Whether a blank line stands around a statement of several lines.
    is_spacious: bool,
    /// Whether a bracket before may have lost its counterpart. The next `;` keeps it from finding
    /// another.
    has_open_bracket: bool,
    before: Option<Before<'t>>,
}

impl<'t> Formatter<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let damaged = damage::is_damaged(tree);
        Self {
            tree,
            text: String::with_capacity(tree.text().len() + tree.text().len() / 8),
            rows: Rows::default(),
            head: Head::new(tree),
            inner: Head::new(tree),
            line: Line::default(),
            gap: Gap::default(),
            frozen: if damaged {
                damage::frozen(tree)
            } else {
                Vec::new()
            },
            damaged,
        }
    }

    pub(super) fn file(mut self) -> Formatted {
        let tokens = self.tree.tokens();
        if tokens.kind(0) == SyntaxKind::ByteOrderMark {
            self.text.push_str(tokens.text(self.tree.text(), 0));
        }
        let end = tokens.len() as u32;
        let place = Place {
            depth: 0,
            is_spacious: true,
            has_open_bracket: false,
            before: None,
        };
        self.statements(self.tree.root(), 0..end, false, place);
        Formatted {
            text: self.text,
            damaged: self.damaged,
        }
    }

    /// The statements of a file or a block among the tokens `inside`. If `opened`, they are a block's,
    /// and the line that opens it is before them.
    fn statements(&mut self, body: Node<'t>, inside: Range<u32>, opened: bool, place: Place<'t>) {
        let mut place = place;
        let mut from = inside.start;
        for statement in body.children() {
            let start = statement.token_range().start;
            let follows = opened || place.before.is_some();
            self.gap.read(self.tree, from, start, follows);
            if let Some(before) = place.before {
                place.has_open_bracket = has_open_bracket(before).unwrap_or(place.has_open_bracket);
                let is_needed = place.has_open_bracket || needs_semicolon(before, statement);
                if self.gap.semicolon && is_needed {
                    place.has_open_bracket = false;
                    self.rows.push_semicolon();
                }
            }
            let next = if self.is_frozen(statement) {
                0
            } else {
                column(self.tree, start)
            };
            self.gap.find_continuation(self.tree, next);
            self.rows.push_comments(&self.gap.trailing);
            if opened && place.before.is_none() {
                // Nothing in a block shares a column with the line that opens it.
                self.rows.flush(self.tree, &mut self.text);
            }
            place.before = Some(self.statement(statement, place));
            from = self.end(statement);
        }
        let follows = opened || place.before.is_some();
        self.gap.read(self.tree, from, inside.end, follows);
        if place.before.is_some() {
            let next = column(self.tree, inside.end);
            self.gap.find_continuation(self.tree, next);
        }
        self.rows.push_comments(&self.gap.trailing);
        self.own_lines(place, false);
        self.rows.flush(self.tree, &mut self.text);
    }

    /// Writes the comments of the gap that have lines of their own, and its blank lines, before a
    /// statement that `has_lines`.
    fn lead(&mut self, place: Place<'t>, has_lines: bool) {
        let wants_blank = place.is_spacious
            && !self.gap.has_blank_line()
            && place
                .before
                .is_some_and(|before| before.has_lines || has_lines);
        let has_comments = !self.gap.own_lines.is_empty();
        self.own_lines(place, wants_blank);
        let starts_block = place.before.is_none() && !has_comments;
        if (self.gap.blank && !starts_block) || (wants_blank && !has_comments) {
            self.blank_line();
        }
    }

    fn own_lines(&mut self, place: Place<'t>, wants_blank: bool) {
        for at in 0..self.gap.own_lines.len() {
            let own = self.gap.own_lines[at];
            let is_first = at == 0;
            let starts_block = is_first && place.before.is_none();
            if (own.blank && !starts_block) || (wants_blank && is_first) {
                self.blank_line();
            }
            self.rows.flush(self.tree, &mut self.text);
            pad(&mut self.text, place.depth * INDENT);
            self.text.push_str(comment(self.tree, own.comment));
            self.text.push('\n');
        }
    }

    fn blank_line(&mut self) {
        self.rows.flush(self.tree, &mut self.text);
        self.text.push('\n');
    }

    /// Writes a statement, and before it what is in the gap.
    fn statement(&mut self, statement: Node<'t>, place: Place<'t>) -> Before<'t> {
        let mut before = Before {
            statement,
            is_broken: false,
            has_lines: false,
        };
        if self.is_frozen(statement) {
            before.is_broken = true;
            before.has_lines = true;
            self.frozen_statement(statement, place);
            return before;
        }
        let indent = place.depth * INDENT;
        let block = statement.child(SyntaxKind::Block);
        self.head.read(statement, u32::MAX);
        before.is_broken = self.head.broken;
        self.damaged |= before.is_broken;

        if self.fits_on_line(statement, block, indent) {
            self.lead(place, false);
            let form = match statement.kind() {
                SyntaxKind::Arm if before.is_broken => Form::BrokenArm,
                _ => Form::Line,
            };
            self.rows.push(form, indent, &self.line);
            return before;
        }

        let form = self.write_head(statement, indent, block.is_some());
        // Where the statement needs several lines, its block may still go on the last one.
        let is_on_last_line = form == Form::Alone
            && block.is_some_and(|block| self.last_line_takes(statement, block));
        let block = block.filter(|_| !is_on_last_line);
        before.has_lines = block.is_some() || self.line.text.contains('\n');
        self.lead(place, before.has_lines);
        let Some(block) = block else {
            self.rows.push(form, indent, &self.line);
            return before;
        };
        self.line.open_brace();
        self.rows.push(form, indent, &self.line);
        let inside = damage::head_end(statement)..block.token_range().end - 1;
        let inner = Place {
            depth: place.depth + 1,
            is_spacious: statement.kind() == SyntaxKind::Namespace,
            has_open_bracket: false,
            before: None,
        };
        self.statements(block, inside, true, inner);
        self.line.clear();
        self.line.push("}");
        self.rows.push(Form::Alone, indent, &self.line);
        before
    }

    /// Tries a statement on one line, which it leaves in `line`. Its block must have been written on
    /// one.
    fn fits_on_line(&mut self, statement: Node<'t>, block: Option<Node<'t>>, indent: u32) -> bool {
        self.line.clear();
        if self.head.broken {
            let text = damage::head_text(statement);
            if text.contains(['\n', '\r']) {
                return false;
            }
            self.line.push(text);
        } else if self.head.layout.must_break() || self.head.layout.width() > WIDTH {
            return false;
        } else {
            self.head.layout.write_line(self.tree, &mut self.line);
        }
        let fits = match block {
            Some(block) => {
                let from = damage::head_end(statement);
                self.block_fits(block, from, WIDTH.saturating_sub(indent), true)
            }
            None => true,
        };
        fits && indent + self.line.width <= WIDTH
    }

    /// Tries to go on with a block on the line, which gets at most `limit` columns. The block's
    /// statement has its last token before `from`.
    fn block_fits(&mut self, block: Node<'t>, from: u32, limit: u32, is_outermost: bool) -> bool {
        // A brace on the next line belongs on this one.
        let brace = block.token_range().start;
        if !self.is_blank(from, brace, is_outermost) {
            return false;
        }
        let mut from = brace;
        let mut is_empty = true;
        self.line.open_brace();
        for statement in block.children() {
            let tokens = statement.token_range();
            if !self.is_blank(from, tokens.start, false) {
                return false;
            }
            self.line.push(if is_empty { " " } else { "; " });
            is_empty = false;
            let left = limit.saturating_sub(self.line.width);
            self.inner.read(statement, left);
            if self.inner.broken {
                self.damaged = true;
                let text = damage::head_text(statement);
                if text.contains(['\n', '\r']) {
                    return false;
                }
                self.line.push(text);
            } else {
                let layout = &self.inner.layout;
                if layout.must_break() || self.inner.has_line_ends || layout.width() > left {
                    return false;
                }
                // Columns are shared with what starts in a line, not with what is inside of one.
                let (matched, arrow) = (self.line.matched, self.line.arrow);
                layout.write_line(self.tree, &mut self.line);
                (self.line.matched, self.line.arrow) = (matched, arrow);
            }
            if let Some(block) = statement.child(SyntaxKind::Block) {
                let from = damage::head_end(statement);
                if !self.block_fits(block, from, limit, false) {
                    return false;
                }
            }
            if self.line.width > limit {
                return false;
            }
            from = damage::end(statement);
        }
        // An empty block has no lines to keep apart.
        let may_have_lines = is_outermost && is_empty;
        let to = block.token_range().end - 1;
        self.line.push(if is_empty { "}" } else { " }" });
        self.is_blank(from, to, may_have_lines)
    }

    /// Whether no comment is among the tokens `from..to`, and no line ends, unless it may.
    fn is_blank(&self, from: u32, to: u32, may_have_lines: bool) -> bool {
        let kinds = &self.tree.tokens().kinds()[from as usize..to as usize];
        kinds.iter().all(|kind| match kind {
            SyntaxKind::Comment | SyntaxKind::DocComment => false,
            SyntaxKind::Newline => may_have_lines,
            _ => true,
        })
    }

    /// Writes a statement without its block to `line`, on as many lines as it needs.
    fn write_head(&mut self, statement: Node<'t>, indent: u32, has_block: bool) -> Form {
        self.line.clear();
        if self.head.broken {
            push_lines(&mut self.line.text, damage::head_text(statement));
            self.line.width = columns(&self.line.text);
            return Form::Alone;
        }
        let layout = &self.head.layout;
        let tail = if has_block { 2 } else { 0 };
        if !layout.must_break() && indent + layout.width() + tail <= WIDTH {
            layout.write_line(self.tree, &mut self.line);
            return Form::Opener;
        }
        self.line.text = layout.write_lines(self.tree, indent, tail);
        self.line.width = columns(&self.line.text);
        Form::Alone
    }

    /// Tries to go on with a block behind the several lines of its statement.
    fn last_line_takes(&mut self, statement: Node<'t>, block: Node<'t>) -> bool {
        let Some((_, last)) = self.line.text.rsplit_once('\n') else {
            return false;
        };
        let (width, end) = (self.line.width, self.line.text.len());
        self.line.width = columns(last);
        let from = damage::head_end(statement);
        let fits = self.block_fits(block, from, WIDTH, true) && self.line.width <= WIDTH;
        if !fits {
            self.line.text.truncate(end);
            self.line.width = width;
        }
        fits
    }

    /// Writes an item as it is, from the start of its line.
    fn frozen_statement(&mut self, statement: Node<'t>, place: Place<'t>) {
        self.lead(place, true);
        let tokens = self.tree.tokens();
        let start = statement.token_range().start as usize;
        let is_indented = start > 0
            && tokens.starts_line(start)
            && tokens.kind(start - 1) == SyntaxKind::Whitespace;
        let from = tokens.start(start - usize::from(is_indented)) as usize;
        self.line.clear();
        let to = tokens.start(self.end(statement) as usize) as usize;
        push_lines(&mut self.line.text, &self.tree.text()[from..to]);
        self.line.width = columns(&self.line.text);
        self.rows.push(Form::Alone, 0, &self.line);
    }

    fn is_frozen(&self, statement: Node<'_>) -> bool {
        self.frozen.binary_search(&statement.index()).is_ok()
    }

    /// The token behind a statement. What stays as it is takes with it the indented comments below,
    /// which stand in a block of it that has no end.
    fn end(&self, statement: Node<'_>) -> u32 {
        let end = damage::end(statement);
        if !self.is_frozen(statement) {
            return end;
        }
        let tokens = self.tree.tokens();
        let mut extended = end;
        for index in end..tokens.len() as u32 {
            match tokens.kind(index as usize) {
                SyntaxKind::Whitespace | SyntaxKind::Newline => {}
                SyntaxKind::Comment | SyntaxKind::DocComment => {
                    if column(self.tree, index) > 0 {
                        extended = index + 1;
                    } else if tokens.starts_line(index as usize) {
                        break;
                    }
                }
                // It has to follow what it ends.
                SyntaxKind::Semicolon => return end,
                _ => break,
            }
        }
        extended
    }
}

/// Whether a statement leaves a bracket open; nothing if that is for those before it to say.
fn has_open_bracket(before: Before<'_>) -> Option<bool> {
    let is_bracket =
        |kind: &SyntaxKind| matches!(kind, SyntaxKind::LeftParen | SyntaxKind::LeftBracket);
    let statement = before.statement;
    let tokens = statement.tree().tokens().kinds();
    let range = statement.token_range();
    if statement.child(SyntaxKind::Block).is_some() {
        // Its braces end what is open.
        return Some(false);
    }
    let tokens = &tokens[range.start as usize..range.end as usize];
    (before.is_broken && tokens.iter().any(is_bracket)).then_some(true)
}

/// Whether the `;` between two statements says more than the end of a line does.
fn needs_semicolon(before: Before<'_>, next: Node<'_>) -> bool {
    let statement = before.statement;
    if before.is_broken || next.kind() == SyntaxKind::Error {
        return true;
    }
    if statement.child(SyntaxKind::Block).is_some() {
        return false;
    }
    let last = damage::end(statement) - 1;
    let first = next.token_range().start;
    let tree = statement.tree();
    let goes_on_with_when = || {
        let first = tree.tokens().text(tree.text(), first as usize);
        statement.kind() == SyntaxKind::Rule && first == "when"
    };
    !newline_separates(tree, last, first) || goes_on_with_when()
}
