//! Pieces of a statement, and how they become lines.
//!
//! A statement is a sequence of tokens with places between them where a line may end. The places lie
//! in groups: all places of a group end their lines, or none does. A group that fits on the rest of
//! its line stays on it. The width of each group is known when it is closed, so writing takes time in
//! proportion to the pieces.

use super::WIDTH;
use super::line::{Line, columns, pad};
use crate::tree::Tree;

/// A part of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// A token, by its index.
    Token(u32),
    /// A space.
    Space,
    /// A space, or the end of a line.
    Line,
    /// Nothing, or the end of a line: inside of brackets.
    Edge,
    /// The comma behind the last element, where lines end.
    LastComma,
    /// A comment behind what stands on the line, by the index of its token.
    TrailingComment(u32),
    /// A comment with a line of its own.
    Comment(u32),
    /// The end of a line.
    NewLine,
    /// The start of a group.
    Open(u32),
    /// Behind the contents of brackets: back to the indentation of the opening one.
    Closing,
    /// The end of a group.
    Close,
}

/// Where the lines of a group start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Indent {
    /// Where those around it do.
    Same,
    /// So many columns further right.
    Deeper(u32),
    /// One step further right than the line that it starts on.
    Parens,
    /// The same, and it may break where what is around it does not.
    List,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    indent: Indent,
    is_in_list: bool,
    /// The columns of its contents on one line; while it is open, those before it.
    width: u32,
    /// Whether it does not go on one line; while it is open, the breaks before it.
    breaks: u32,
    /// Its `Close`.
    end: u32,
}

/// The pieces of a statement.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pieces: Vec<Piece>,
    groups: Vec<Group>,
    open: Vec<u32>,
    lists_open: u32,
    /// The columns of all pieces on one line.
    width: u32,
    /// How many causes there are for not writing it on one line, and how many outside of lists.
    breaks: u32,
    breaks_outside: u32,
    /// The piece at which the match of a named arm starts, and the `->` of an arm.
    matched: Option<usize>,
    arrow: Option<usize>,
}

impl Layout {
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.groups.clear();
        self.open.clear();
        self.lists_open = 0;
        self.width = 0;
        self.breaks = 0;
        self.breaks_outside = 0;
        self.matched = None;
        self.arrow = None;
    }

    /// The columns of all pieces on one line.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// Whether it does not go on one line, however short it is.
    pub(super) fn must_break(&self) -> bool {
        self.breaks > 0
    }

    pub(super) fn token(&mut self, index: u32, width: u32) {
        self.pieces.push(Piece::Token(index));
        self.width += width;
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.pieces.push(piece);
        match piece {
            Piece::Space | Piece::Line => self.width += 1,
            Piece::NewLine | Piece::TrailingComment(_) | Piece::Comment(_) => self.must_not_fit(),
            _ => {}
        }
    }

    /// Keeps the groups that are open from being written on one line.
    pub(super) fn must_not_fit(&mut self) {
        self.breaks += 1;
        self.breaks_outside += u32::from(self.lists_open == 0);
    }

    /// Remembers that the match of a named arm starts here.
    pub(super) fn mark_matched(&mut self) {
        self.matched = Some(self.pieces.len());
    }

    /// Remembers that the `->` of an arm comes next.
    pub(super) fn mark_arrow(&mut self) {
        self.arrow = Some(self.pieces.len());
    }

    pub(super) fn open(&mut self, indent: Indent) {
        let group = self.groups.len() as u32;
        let is_in_list = self.lists_open > 0;
        if indent == Indent::List {
            self.lists_open += 1;
        }
        self.groups.push(Group {
            indent,
            is_in_list,
            width: self.width,
            breaks: self.breaks,
            end: 0,
        });
        self.open.push(group);
        self.pieces.push(Piece::Open(group));
    }

    pub(super) fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let group = &mut self.groups[open as usize];
        group.width = self.width - group.width;
        group.breaks = self.breaks - group.breaks;
        group.end = self.pieces.len() as u32;
        self.lists_open -= u32::from(group.indent == Indent::List);
        self.pieces.push(Piece::Close);
    }

    /// Closes all groups but `count`.
    pub(super) fn close_to(&mut self, count: usize) {
        while self.open.len() > count {
            self.close();
        }
    }

    /// Writes it on the line. Nothing in it must break.
    pub(super) fn write_line(&self, tree: &Tree, line: &mut Line) {
        for (at, &piece) in self.pieces.iter().enumerate() {
            if self.matched == Some(at) {
                line.matched = Some(line.end());
            }
            if self.arrow == Some(at) {
                line.arrow = Some(line.end());
            }
            match piece {
                Piece::Token(index) => line.push(text(tree, index)),
                Piece::Space | Piece::Line => line.push(" "),
                _ => {}
            }
        }
    }

    /// Writes it on as many lines as it needs, the first one without its indentation. `tail` columns
    /// follow on the last one.
    pub(super) fn write_lines(&self, tree: &Tree, indent: u32, tail: u32) -> String {
        let lines = Writer::new(self, tree, tail, None).write(indent);
        // Where a list breaks anyway, it may be all that has to.
        if !lines.broken_lists.is_empty() && self.breaks_outside == 0 {
            let around = Writer::new(self, tree, tail, Some(&lines.broken_lists)).write(indent);
            if around.widest <= WIDTH {
                return around.text;
            }
        }
        lines.text
    }
}

fn text(tree: &Tree, index: u32) -> &str {
    tree.tokens().text(tree.text(), index as usize)
}

/// The text of a comment; white space at its end is none of it.
pub(super) fn comment(tree: &Tree, index: u32) -> &str {
    text(tree, index).trim_end_matches([' ', '\t'])
}

/// A group that is being written.
#[derive(Clone, Copy)]
struct Frame {
    indent: u32,
    /// The indentation of the line that it starts on.
    outer: u32,
    breaks: bool,
}

struct Lines {
    text: String,
    widest: u32,
    /// The lists that broke and are in no other list.
    broken_lists: Vec<u32>,
}

struct Writer<'l> {
    layout: &'l Layout,
    tree: &'l Tree,
    tail: u32,
    /// If these lists alone break.
    only: Option<&'l [u32]>,
    frames: Vec<Frame>,
    column: u32,
    line_indent: u32,
    lines: Lines,
}

impl<'l> Writer<'l> {
    fn new(layout: &'l Layout, tree: &'l Tree, tail: u32, only: Option<&'l [u32]>) -> Self {
        Self {
            layout,
            tree,
            tail,
            only,
            frames: Vec::new(),
            column: 0,
            line_indent: 0,
            lines: Lines {
                text: String::new(),
                widest: 0,
                broken_lists: Vec::new(),
            },
        }
    }

    fn write(mut self, indent: u32) -> Lines {
        self.column = indent;
        self.line_indent = indent;
        self.frames.push(Frame {
            indent,
            outer: indent,
            breaks: self.only.is_none(),
        });
        for &piece in &self.layout.pieces {
            self.piece(piece);
        }
        self.lines.widest = self.lines.widest.max(self.column + self.tail);
        self.lines
    }

    fn piece(&mut self, piece: Piece) {
        let frame = self.frame();
        match piece {
            Piece::Token(index) => self.push(text(self.tree, index)),
            Piece::Line | Piece::Edge if frame.breaks => self.new_line(frame.indent),
            Piece::Space | Piece::Line => self.push(" "),
            Piece::LastComma if frame.breaks => self.push(","),
            Piece::Edge | Piece::LastComma => {}
            Piece::TrailingComment(index) => {
                // How long a comment is says nothing about the statement.
                self.lines.text.push_str("  ");
                self.lines.text.push_str(comment(self.tree, index));
            }
            Piece::Comment(index) => self.lines.text.push_str(comment(self.tree, index)),
            Piece::NewLine => self.new_line(frame.indent),
            Piece::Open(group) => self.open(group, frame),
            Piece::Closing => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.indent = frame.outer;
                }
            }
            Piece::Close => {
                self.frames.pop();
            }
        }
    }

    fn frame(&self) -> Frame {
        self.frames.last().copied().unwrap_or(Frame {
            indent: self.line_indent,
            outer: self.line_indent,
            breaks: true,
        })
    }

    fn open(&mut self, index: u32, parent: Frame) {
        let group = self.layout.groups[index as usize];
        let breaks = match self.only {
            _ if parent.breaks => group.breaks > 0 || !self.fits(group),
            Some(lists) => lists.binary_search(&index).is_ok(),
            None => false,
        };
        if breaks && group.indent == Indent::List && !group.is_in_list {
            self.lines.broken_lists.push(index);
        }
        let indent = match group.indent {
            Indent::Same => parent.indent,
            Indent::Deeper(columns) => parent.indent + columns,
            Indent::Parens | Indent::List => self.line_indent + super::INDENT,
        };
        self.frames.push(Frame {
            indent,
            outer: self.line_indent,
            breaks,
        });
    }

    /// Whether a group goes on the rest of the line, with what follows up to where a line may end.
    fn fits(&self, group: Group) -> bool {
        let mut end = self.column + group.width;
        let behind = &self.layout.pieces[group.end as usize..];
        for &piece in behind {
            if end > WIDTH {
                return false;
            }
            match piece {
                Piece::Token(index) => end += columns(text(self.tree, index)),
                Piece::Space | Piece::LastComma => end += 1,
                Piece::Open(_) | Piece::Closing | Piece::Close => {}
                _ => return true,
            }
        }
        end + self.tail <= WIDTH
    }

    fn push(&mut self, text: &str) {
        self.lines.text.push_str(text);
        self.column += columns(text);
    }

    fn new_line(&mut self, indent: u32) {
        self.lines.widest = self.lines.widest.max(self.column);
        self.lines.text.push('\n');
        pad(&mut self.lines.text, indent);
        self.column = indent;
        self.line_indent = indent;
    }
}
