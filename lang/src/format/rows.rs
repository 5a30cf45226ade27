//! Lines that are held back until the columns they share are known.
//!
//! Neighbouring arms have their `->` in one column, and the matches of named ones start in one;
//! comments at the end of neighbouring lines start in one column too. Neighbours are lines with nothing
//! between them: no blank line, no comment of its own, nothing of more than one line. An arm that opens
//! a block is the last of its run. Nothing is moved by more than [`FARTHEST`] columns: the column is the
//! one that most lines can share, and those that are much longer or shorter stay as they are.

use super::WIDTH;
use super::layout::comment;
use super::line::{Line, Place, columns, pad};
use crate::tree::Tree;
use std::ops::Range;

/// How many columns a gap is widened by at most.
const FARTHEST: u32 = 40;

/// How many spaces are before a comment behind a statement.
const BEFORE_COMMENT: u32 = 2;

/// What a row shares with its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line: the columns of arrows and comments.
    Line,
    /// The first line of a block: the column of arrows, as the last one of its run.
    Opener,
    /// An arm that did not parse: nothing, but it does not part its neighbours.
    BrokenArm,
    /// Nothing.
    Alone,
}

#[derive(Debug)]
struct Row {
    form: Form,
    text: Range<usize>,
    indent: u32,
    /// The column behind its last line.
    width: u32,
    matched: Option<Place>,
    arrow: Option<Place>,
    comments: Range<usize>,
}

/// Spaces put into a row, before each part.
#[derive(Debug, Clone, Copy, Default)]
struct Padding {
    matched: u32,
    arrow: u32,
    comment: u32,
}

impl Padding {
    fn in_text(self) -> u32 {
        self.matched + self.arrow
    }
}

/// The lines that are held back.
#[derive(Debug, Default)]
pub(super) struct Rows {
    held: Vec<Row>,
    text: String,
    comments: Vec<u32>,
    paddings: Vec<Padding>,
}

impl Rows {
    /// Adds a line, or lines that share nothing.
    pub(super) fn push(&mut self, form: Form, indent: u32, line: &Line) {
        let start = self.text.len();
        self.text.push_str(&line.text);
        let width = match line.text.rsplit_once('\n') {
            Some((_, last)) => columns(last),
            None => indent + line.width,
        };
        let from_margin = |place: Place| Place {
            column: indent + place.column,
            ..place
        };
        // What is too long has no place for padding.
        let form = if width > WIDTH { Form::Alone } else { form };
        self.held.push(Row {
            form,
            text: start..self.text.len(),
            indent,
            width,
            matched: line.matched.map(from_margin),
            arrow: line.arrow.map(from_margin),
            comments: self.comments.len()..self.comments.len(),
        });
    }

    /// Adds a `;` to the last row.
    pub(super) fn push_semicolon(&mut self) {
        if let Some(row) = self.held.last_mut() {
            self.text.push(';');
            row.text.end += 1;
            row.width += 1;
        }
    }

    /// Adds comments behind the last row: the first one on its line, the others below.
    pub(super) fn push_comments(&mut self, comments: &[u32]) {
        if let Some(row) = self.held.last_mut() {
            self.comments.extend_from_slice(comments);
            row.comments.end = self.comments.len();
        }
    }

    /// Writes all rows.
    pub(super) fn flush(&mut self, tree: &Tree, text: &mut String) {
        self.paddings.clear();
        self.paddings.resize(self.held.len(), Padding::default());
        if self.held.len() > 1 {
            self.align_matches();
            self.align_arrows();
            self.align_comments();
        }
        for (row, padding) in self.held.iter().zip(&self.paddings) {
            let content = &self.text[row.text.clone()];
            let cut = |place: Option<Place>| place.map_or(0, |place| place.byte);
            let (matched, arrow) = (cut(row.matched), cut(row.arrow));
            pad(text, row.indent);
            text.push_str(&content[..matched]);
            pad(text, padding.matched);
            let arrow = arrow.max(matched);
            text.push_str(&content[matched..arrow]);
            pad(text, padding.arrow);
            text.push_str(&content[arrow..]);
            let column = row.width + padding.in_text() + padding.comment + BEFORE_COMMENT;
            for (at, &index) in self.comments[row.comments.clone()].iter().enumerate() {
                if at == 0 {
                    pad(text, padding.comment + BEFORE_COMMENT);
                } else {
                    text.push('\n');
                    pad(text, column);
                }
                text.push_str(comment(tree, index));
            }
            text.push('\n');
        }
        self.held.clear();
        self.text.clear();
        self.comments.clear();
    }

    /// The matches of named arms in a run start in one column.
    fn align_matches(&mut self) {
        let is_named =
            |row: &Row| matches!(row.form, Form::Line | Form::Opener) && row.matched.is_some();
        for run in runs(&self.held, is_named) {
            let rows = &self.held[run.clone()];
            let column = |row: &Row| row.matched.map_or(0, |place| place.column);
            let shared = shared_column(rows.iter().map(column));
            for (row, padding) in rows.iter().zip(&mut self.paddings[run]) {
                let wanted = missing(column(row), shared);
                if row.width + wanted <= WIDTH {
                    padding.matched = wanted;
                }
            }
        }
    }

    fn align_arrows(&mut self) {
        let is_arm = |row: &Row| match row.form {
            Form::Line | Form::Opener => row.arrow.is_some(),
            Form::BrokenArm => true,
            Form::Alone => false,
        };
        for run in runs(&self.held, is_arm) {
            let rows = &self.held[run.clone()];
            let paddings = &mut self.paddings[run];
            let column = |row: &Row, padding: &Padding| {
                row.arrow.map(|place| place.column + padding.matched)
            };
            let columns = rows.iter().zip(&*paddings);
            let shared = shared_column(columns.filter_map(|(row, padding)| column(row, padding)));
            for (row, padding) in rows.iter().zip(paddings) {
                let wanted = column(row, padding).map_or(0, |column| missing(column, shared));
                if row.width + padding.matched + wanted <= WIDTH {
                    padding.arrow = wanted;
                }
            }
        }
    }

    fn align_comments(&mut self) {
        let has_comment = |row: &Row| row.form == Form::Line && !row.comments.is_empty();
        for run in runs(&self.held, has_comment) {
            let rows = &self.held[run.clone()];
            let paddings = &mut self.paddings[run];
            let column = |row: &Row, padding: &Padding| row.width + padding.in_text();
            let columns = rows.iter().zip(&*paddings);
            let shared = shared_column(columns.map(|(row, padding)| column(row, padding)));
            for (row, padding) in rows.iter().zip(paddings) {
                padding.comment = missing(column(row, padding), shared);
            }
        }
    }
}

/// The runs of neighbours that have something to share. An opener ends its run.
fn runs(rows: &[Row], shares: impl Fn(&Row) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (at, row) in rows.iter().enumerate() {
        if !shares(row) {
            runs.push(start..at);
            start = at + 1;
        } else if row.form == Form::Opener {
            runs.push(start..at + 1);
            start = at + 1;
        }
    }
    runs.push(start..rows.len());
    runs.retain(|run| run.len() > 1);
    runs
}

/// The column that most of `columns` can reach; the leftmost of them.
fn shared_column(columns: impl Iterator<Item = u32>) -> u32 {
    let mut counts = [0_u32; WIDTH as usize + 1];
    for column in columns {
        counts[column.min(WIDTH) as usize] += 1;
    }
    let mut reach = 0;
    let mut most = (0, 0);
    for (column, count) in counts.iter().enumerate() {
        reach += count;
        if let Some(too_far) = column.checked_sub(FARTHEST as usize + 1) {
            reach -= counts[too_far];
        }
        if *count > 0 && reach > most.0 {
            most = (reach, column as u32);
        }
    }
    most.1
}

/// How many spaces lead from `column` to `shared`; none if it does not go there.
fn missing(column: u32, shared: u32) -> u32 {
    match shared.checked_sub(column) {
        Some(missing) if missing <= FARTHEST => missing,
        _ => 0,
    }
}
