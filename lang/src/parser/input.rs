//! What the grammar reads: the significant tokens of a file, as a nom input.
//!
//! In: all tokens. Out: a [`Cursor`] over those that mean something. A first pass leaves out white
//! space, comments and every newline that cannot end a statement, so that the grammar meets a
//! newline only where a statement may end. One such newline is still open then: the one before
//! `when`, which an arm or a rule without its `->` steps over and anything else takes as its end
//! ([`Cursor::at_line_with_when`]).
//!
//! The cursor is a position, copied freely; what the parse has made so far, its tree and its
//! diagnostics, is in the [`Context`] that all cursors of a parse share.

use std::cell::{Cell, RefCell};
use std::iter::{Copied, Enumerate};
use std::slice::Iter;

use nom::Needed;

use crate::diagnostic::Diagnostic;
use crate::lexer::Tokens;
use crate::source::{FileId, Span};
use crate::syntax::SyntaxKind;
use crate::tree::{Builder, Mark};
use crate::vocabulary;

/// How deep blocks, brackets and `not` may stand in each other.
pub(super) const MAX_DEPTH: u32 = 64;

/// What all cursors of one parse share.
pub(super) struct Context<'p> {
    pub(super) file: FileId,
    pub(super) text: &'p str,
    pub(super) tokens: &'p Tokens,
    significant: Significant,
    pub(super) builder: RefCell<Builder>,
    pub(super) diagnostics: RefCell<Vec<Diagnostic>>,
    /// Whether the statement at hand already has its diagnostic: what else does not fit follows
    /// from the same mistake.
    pub(super) quiet: Cell<bool>,
    depth: Cell<u32>,
    /// How far the line of the statement at hand is indented.
    pub(super) indent: Cell<u32>,
    /// Braces that the item at hand lacks (see [`Balance`]).
    pub(super) balance: Cell<Balance>,
    next_section: Cell<usize>,
}

impl<'p> Context<'p> {
    pub(super) fn new(file: FileId, text: &'p str, tokens: &'p Tokens) -> Self {
        let significant = significant(text, tokens);
        let builder = Builder::new(significant.kinds.len() * 3 / 4);
        Self {
            file,
            text,
            tokens,
            significant,
            builder: RefCell::new(builder),
            diagnostics: RefCell::new(Vec::new()),
            quiet: Cell::new(false),
            depth: Cell::new(0),
            indent: Cell::new(0),
            balance: Cell::new(Balance::EVEN),
            next_section: Cell::new(0),
        }
    }

    /// What the parse made.
    pub(super) fn into_parts(self) -> (Builder, Vec<Diagnostic>) {
        (self.builder.into_inner(), self.diagnostics.into_inner())
    }

    /// A cursor at the first token.
    pub(super) fn start(&'p self) -> Cursor<'p> {
        Cursor {
            context: self,
            at: 0,
            end: self.significant.kinds.len() as u32,
        }
    }

    /// Records a diagnostic, unless the statement already has one.
    pub(super) fn report(&self, diagnostic: impl FnOnce() -> Diagnostic) {
        if !self.quiet.replace(true) {
            self.diagnostics.borrow_mut().push(diagnostic());
        }
    }

    /// Goes one level deeper, if there is one.
    pub(super) fn enter(&self) -> bool {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        depth < MAX_DEPTH
    }

    /// Comes back from a level that was entered.
    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    /// Begins a statement at `at`: it may have a diagnostic of its own, and the line it starts
    /// tells the indentation.
    pub(super) fn begin_statement(&self, at: Cursor<'_>) {
        self.quiet.set(false);
        if let Some(indent) = at.line_indent() {
            self.indent.set(indent);
        }
        let sections = &self.significant.sections;
        while let Some(section) = sections.get(self.next_section.get()) {
            if section.at > at.at {
                break;
            }
            self.balance.set(section.balance);
            self.next_section.set(self.next_section.get() + 1);
        }
    }
}

/// A position among the significant tokens.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'p> {
    pub(super) context: &'p Context<'p>,
    at: u32,
    end: u32,
}

impl PartialEq for Cursor<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<'p> Cursor<'p> {
    /// The index of the token it is at.
    pub(super) fn position(self) -> u32 {
        self.at
    }

    /// A cursor at the token of this index.
    pub(super) fn moved_to(self, at: u32) -> Self {
        Self { at, ..self }
    }

    /// The kind of the token it is at.
    pub(super) fn kind(self) -> SyntaxKind {
        self.peek(0)
    }

    /// The kind of the token `ahead` of it.
    pub(super) fn peek(self, ahead: u32) -> SyntaxKind {
        let index = self.at + ahead;
        if index < self.end {
            self.context.significant.kinds[index as usize]
        } else {
            SyntaxKind::EndOfFile
        }
    }

    /// The cursor behind the token it is at.
    #[must_use]
    pub(super) fn advance(self) -> Self {
        Self {
            at: (self.at + 1).min(self.end),
            ..self
        }
    }

    /// The text of the token it is at.
    pub(super) fn text(self) -> &'p str {
        self.context
            .tokens
            .text(self.context.text, self.raw() as usize)
    }

    /// The text of the token `ahead` of it.
    pub(super) fn peek_text(self, ahead: u32) -> &'p str {
        let at = (self.at + ahead).min(self.end);
        Self { at, ..self }.text()
    }

    /// Whether it is at this word.
    pub(super) fn is_word(self, word: &str) -> bool {
        self.kind() == SyntaxKind::Word && self.text() == word
    }

    /// Whether it is at one of these words.
    pub(super) fn is_one_of(self, words: &[&str]) -> bool {
        self.kind() == SyntaxKind::Word && words.contains(&self.text())
    }

    /// Whether a statement ends before the token it is at.
    pub(super) fn at_end(self) -> bool {
        matches!(
            self.kind(),
            SyntaxKind::Newline
                | SyntaxKind::Semicolon
                | SyntaxKind::RightBrace
                | SyntaxKind::EndOfFile
        )
    }

    /// Whether it is at a newline and the next line starts with `when`.
    pub(super) fn at_line_with_when(self) -> bool {
        self.kind() == SyntaxKind::Newline && self.advance().is_word("when")
    }

    /// Where the token it is at stands; at the end of a line or of the file, the place behind the
    /// last word.
    pub(super) fn span(self) -> Span {
        match self.kind() {
            SyntaxKind::Newline | SyntaxKind::EndOfFile => self.span_before(),
            _ => {
                let raw = self.raw() as usize;
                let tokens = self.context.tokens;
                Span::new(self.context.file, tokens.start(raw), tokens.start(raw + 1))
            }
        }
    }

    /// The place behind the token before it.
    pub(super) fn span_before(self) -> Span {
        let offset = self.context.tokens.start(self.end_before() as usize);
        Span::empty(self.context.file, offset)
    }

    /// The place behind the statement before the token it is at, on the same line as the
    /// statement's end.
    pub(super) fn behind_statement(self) -> Span {
        let before = self.at.saturating_sub(1);
        let newline = self.moved_to(before);
        let raw = if newline.kind() == SyntaxKind::Newline {
            newline.raw()
        } else {
            self.end_before()
        };
        Span::empty(self.context.file, self.context.tokens.start(raw as usize))
    }

    /// How far the line is indented that the token it is at starts; nothing if it does not start
    /// one.
    pub(super) fn line_indent(self) -> Option<u32> {
        let tokens = self.context.tokens;
        let raw = self.raw() as usize;
        if !tokens.starts_line(raw) {
            return None;
        }
        let blank_before = raw > 0 && tokens.kind(raw - 1) == SyntaxKind::Whitespace;
        Some(if blank_before {
            tokens.start(raw) - tokens.start(raw - 1)
        } else {
            0
        })
    }

    /// The index among all tokens of the token it is at.
    pub(super) fn raw(self) -> u32 {
        let raw = &self.context.significant.raw;
        raw.get(self.at as usize)
            .copied()
            .unwrap_or(self.context.tokens.len() as u32)
    }

    /// The index among all tokens behind the significant token before it.
    fn end_before(self) -> u32 {
        match self.at.checked_sub(1) {
            Some(before) => self.context.significant.raw[before as usize] + 1,
            None => 0,
        }
    }

    /// Where the next node will be.
    pub(super) fn mark(self) -> Mark {
        self.context.builder.borrow().mark()
    }

    /// Starts a node here.
    pub(super) fn start(self, kind: SyntaxKind) -> Mark {
        let first_token = self.raw();
        self.context.builder.borrow_mut().start(kind, first_token)
    }

    /// Finishes the node at `mark` with the token before this one.
    pub(super) fn finish(self, mark: Mark) {
        let end_token = self.end_before();
        self.context.builder.borrow_mut().finish(mark, end_token);
    }

    /// Starts a node around the finished one at `mark`.
    pub(super) fn wrap(self, mark: Mark, kind: SyntaxKind) {
        self.context.builder.borrow_mut().wrap(mark, kind);
    }

    /// Gives up what was built since `mark`.
    pub(super) fn give_up(self, mark: Mark) {
        self.context.builder.borrow_mut().give_up(mark);
    }

    /// Adds a `Missing` node behind the token before this one.
    pub(super) fn missing(self) {
        let end_token = self.end_before();
        self.context.builder.borrow_mut().missing(end_token);
    }
}

impl<'p> nom::Input for Cursor<'p> {
    type Item = SyntaxKind;
    type Iter = Copied<Iter<'p, SyntaxKind>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        (self.end - self.at) as usize
    }

    fn take(&self, index: usize) -> Self {
        Self {
            end: self.at + index as u32,
            ..*self
        }
    }

    fn take_from(&self, index: usize) -> Self {
        Self {
            at: self.at + index as u32,
            ..*self
        }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(SyntaxKind) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        let context: &'p Context<'p> = self.context;
        context.significant.kinds[self.at as usize..self.end as usize]
            .iter()
            .copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        let len = self.input_len();
        if count <= len {
            Ok(count)
        } else {
            Err(Needed::new(count - len))
        }
    }
}

/// The tokens that mean something: their kinds, and their indices among all tokens.
struct Significant {
    kinds: Vec<SyntaxKind>,
    raw: Vec<u32>,
    sections: Vec<Section>,
}

/// How many braces are missing or too many. In a file with as many `{` as `}` nothing is: each
/// brace is where its writer wants it, however the lines are indented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Balance {
    /// `{` without their `}`.
    pub(super) unclosed: u32,
    /// `}` without their `{`.
    pub(super) stray: u32,
}

impl Balance {
    pub(super) const EVEN: Self = Self {
        unclosed: 0,
        stray: 0,
    };

    fn new(surplus: i64) -> Self {
        Self {
            unclosed: u32::try_from(surplus).unwrap_or(0),
            stray: u32::try_from(-surplus).unwrap_or(0),
        }
    }
}

/// From an item at the left margin to the next one.
struct Section {
    at: u32,
    balance: Balance,
}

fn significant(text: &str, tokens: &Tokens) -> Significant {
    let loners = loners(tokens.kinds());
    let mut loners = loners.as_slice();
    let capacity = tokens.len() / 2 + 1;
    let mut kinds: Vec<SyntaxKind> = Vec::with_capacity(capacity);
    let mut raw = Vec::with_capacity(capacity);
    let mut braces = BraceCount::default();
    // Brackets that are open and will be closed: no newline in them ends a statement.
    let mut open = 0_u32;
    let mut newline = None;
    // Whether the token before may be the last one of a statement.
    let mut may_end = false;
    for (index, &kind) in tokens.kinds().iter().enumerate() {
        if kind.is_trivia() {
            continue;
        }
        if kind == SyntaxKind::Newline {
            if may_end && open == 0 && newline.is_none() {
                newline = Some(index as u32);
            }
            continue;
        }
        let word = match kind {
            SyntaxKind::Word => tokens.text(text, index),
            _ => "",
        };
        if let Some(newline) = newline.take()
            && !continues_statement(kind, word)
        {
            kinds.push(SyntaxKind::Newline);
            raw.push(newline);
        }
        if loners.first() == Some(&(index as u32)) {
            loners = &loners[1..];
        } else {
            match kind {
                SyntaxKind::LeftParen | SyntaxKind::LeftBracket => open += 1,
                SyntaxKind::RightParen | SyntaxKind::RightBracket => open -= 1,
                SyntaxKind::LeftBrace => braces.surplus += 1,
                SyntaxKind::RightBrace => braces.surplus -= 1,
                _ => {}
            }
        }
        if at_margin(tokens, index) && vocabulary::is_item_word(word) {
            braces.begin_section(kinds.len() as u32);
        }
        may_end = may_end_statement(kind, word);
        kinds.push(kind);
        raw.push(index as u32);
    }
    Significant {
        kinds,
        raw,
        sections: braces.sections(),
    }
}

fn at_margin(tokens: &Tokens, index: usize) -> bool {
    index == 0
        || matches!(
            tokens.kind(index - 1),
            SyntaxKind::Newline | SyntaxKind::ByteOrderMark
        )
}

/// Whether a newline behind this token may end a statement.
pub(crate) fn may_end_statement(kind: SyntaxKind, word: &str) -> bool {
    match kind {
        SyntaxKind::Word => !matches!(
            word,
            "and" | "or" | "not" | "in" | "when" | "unless" | "to"
        ),
        SyntaxKind::Comma
        | SyntaxKind::Arrow
        | SyntaxKind::Equals
        // These have nothing before them that could end.
        | SyntaxKind::LeftBrace
        | SyntaxKind::Semicolon => false,
        _ => !kind.is_comparison(),
    }
}

/// Whether a line that starts with this token goes on with the statement of the line before.
pub(crate) fn continues_statement(kind: SyntaxKind, word: &str) -> bool {
    match kind {
        SyntaxKind::Arrow => true,
        SyntaxKind::Word => matches!(word, "and" | "or" | "to" | "unless"),
        _ => false,
    }
}

/// The brackets and parentheses without their counterpart, by index. One that is still open at a
/// `{`, a `}` or a `;` has none.
fn loners(kinds: &[SyntaxKind]) -> Vec<u32> {
    let mut loners = Vec::new();
    let mut open: Vec<(SyntaxKind, u32)> = Vec::new();
    // How many of the open ones are brackets, so that a `]` without any costs no search.
    let mut open_brackets = 0;
    for (index, &kind) in kinds.iter().enumerate() {
        match kind {
            SyntaxKind::LeftParen | SyntaxKind::LeftBracket => {
                open_brackets += usize::from(kind == SyntaxKind::LeftBracket);
                open.push((kind, index as u32));
            }
            SyntaxKind::RightParen | SyntaxKind::RightBracket => {
                let opener = match kind {
                    SyntaxKind::RightParen => SyntaxKind::LeftParen,
                    _ => SyntaxKind::LeftBracket,
                };
                let counterparts = match kind {
                    SyntaxKind::RightParen => open.len() - open_brackets,
                    _ => open_brackets,
                };
                if counterparts == 0 {
                    loners.push(index as u32);
                    continue;
                }
                while let Some((kind, at)) = open.pop() {
                    open_brackets -= usize::from(kind == SyntaxKind::LeftBracket);
                    if kind == opener {
                        break;
                    }
                    loners.push(at);
                }
            }
            SyntaxKind::LeftBrace | SyntaxKind::RightBrace | SyntaxKind::Semicolon => {
                loners.extend(open.drain(..).map(|(_, at)| at));
                open_brackets = 0;
            }
            _ => {}
        }
    }
    loners.extend(open.drain(..).map(|(_, at)| at));
    loners.sort_unstable();
    loners
}

/// Counts braces, section by section.
#[derive(Default)]
struct BraceCount {
    /// `{` less `}` in the section at hand.
    surplus: i64,
    section_start: u32,
    ended: Vec<(u32, i64)>,
}

impl BraceCount {
    fn begin_section(&mut self, at: u32) {
        self.ended.push((self.section_start, self.surplus));
        self.section_start = at;
        self.surplus = 0;
    }

    fn sections(mut self) -> Vec<Section> {
        self.begin_section(0);
        let total: i64 = self.ended.iter().map(|(_, surplus)| surplus).sum();
        if total == 0 {
            return Vec::new();
        }
        self.ended
            .into_iter()
            .map(|(at, surplus)| Section {
                at,
                balance: Balance::new(surplus),
            })
            .collect()
    }
}
