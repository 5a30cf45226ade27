//! Source files and places in them.
//!
//! In: the bytes of `.mesh` files with the names users know them by. Out: [`Span`]s that stay 12
//! bytes wherever they are carried, and the line and column of any offset in logarithmic time.
//! Nothing here reads a file.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;

/// A file of a [`Sources`] arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in a file. Ordered by file, then by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The offset of the first byte.
    pub start: u32,
    /// The offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end` in `file`.
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The empty span at `offset`: a place where something is missing.
    pub const fn empty(file: FileId, offset: u32) -> Self {
        Self::new(file, offset, offset)
    }

    /// The span from the start of this one to the end of `last`, which lies behind it in the same
    /// file.
    #[must_use]
    pub const fn to(self, last: Self) -> Self {
        Self::new(self.file, self.start, last.end)
    }

    /// The number of bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span covers no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes as a range of indices.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The covered part of `text`, the text of the span's file; empty if the text is another one
    /// and does not reach here.
    pub fn text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// Whether `offset` is in the span or right behind it, as a cursor is.
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }
}

/// The text of one file, and where its lines start. A clone shares both.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl SourceFile {
    /// A file as users know it. A line ends with `\n`, `\r\n` or a lone `\r`, as in the lexer.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, &byte)| {
            byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        });
        let line_starts = std::iter::once(0)
            .chain(ends.map(|(at, _)| at as u32 + 1))
            .collect();
        Self {
            name: name.into(),
            text,
            line_starts,
        }
    }

    /// The same text under another name.
    #[must_use]
    pub fn named(&self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self.clone()
        }
    }

    /// The text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The name shown to users.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of lines; an empty file has one.
    pub fn line_count(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// The line that `offset` is on, from 1. An offset behind the end is on the last line.
    pub fn line_of(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset) as u32
    }

    /// The line and column of `offset`, both from 1, the column counted in characters.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let (line, before) = self.before_on_line(offset);
        (line, before.chars().count() as u32 + 1)
    }

    /// The line and column of `offset`, both from 0, the column counted in UTF-16 units as editors
    /// do.
    pub fn utf16_position(&self, offset: u32) -> (u32, u32) {
        let (line, before) = self.before_on_line(offset);
        (line - 1, before.encode_utf16().count() as u32)
    }

    /// The offset of a line and column, both from 0, the column counted in UTF-16 units. A column
    /// behind the line's end is the line's end, a line behind the last one the end of the file.
    pub fn offset_of_utf16(&self, line: u32, column: u32) -> u32 {
        let Some(&start) = self.line_starts.get(line as usize) else {
            return self.text.len() as u32;
        };
        let mut units = 0;
        for (at, character) in self.line_text(line + 1).char_indices() {
            if units >= column {
                return start + at as u32;
            }
            units += character.len_utf16() as u32;
        }
        start + self.line_text(line + 1).len() as u32
    }

    /// The text of line `line`, counted from 1, without what ends it; empty if there is no such
    /// line.
    pub fn line_text(&self, line: u32) -> &str {
        let index = (line as usize).wrapping_sub(1);
        let Some(&start) = self.line_starts.get(index) else {
            return "";
        };
        let end = self
            .line_starts
            .get(index + 1)
            .map_or(self.text.len(), |&next| next as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// Where line `line`, counted from 1, starts; the end of the file if there is no such line.
    pub fn line_start(&self, line: u32) -> u32 {
        let index = (line as usize).wrapping_sub(1);
        self.line_starts
            .get(index)
            .copied()
            .unwrap_or(self.text.len() as u32)
    }

    fn before_on_line(&self, offset: u32) -> (u32, &str) {
        let line = self.line_of(offset);
        let start = self.line_start(line) as usize;
        let mut end = self.text.len().min(offset as usize);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        (line, self.text.get(start..end).unwrap_or_default())
    }
}

/// All files of a compilation.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under the name that users know it by.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        self.files.push(SourceFile::new(name, text));
        FileId(self.files.len() as u32 - 1)
    }

    /// Puts another file in the place of the file `id`.
    pub fn replace(&mut self, id: FileId, file: SourceFile) {
        self.files[id.0 as usize] = file;
    }

    /// The file `id`, which this arena gave out.
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// Where a span begins, as users are told: `shop.mesh:8`.
    pub fn place(&self, span: Span) -> String {
        let file = self.get(span.file);
        format!("{}:{}", file.name(), file.line_of(span.start))
    }

    /// All files, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (FileId(index as u32), file))
    }

    /// The text of `span`.
    pub fn text(&self, span: Span) -> &str {
        span.text(self.get(span.file).text())
    }
}

/// Why bytes are no source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// The byte at this offset does not belong to UTF-8.
    NotUtf8 {
        /// The offset of the first such byte.
        offset: usize,
    },
    /// Offsets in a file are 32 bits wide.
    TooLong {
        /// The number of bytes.
        len: usize,
    },
}

impl NotText {
    /// What to report about `file`, whose bytes they were.
    pub fn diagnostic(self, file: FileId) -> Diagnostic {
        let span = match self {
            Self::NotUtf8 { offset } => Span::new(file, offset as u32, offset as u32 + 1),
            Self::TooLong { .. } => Span::empty(file, 0),
        };
        Diagnostic::new(Code::NotText, self.to_string())
            .primary(span, "")
            .help("a policy is text in UTF-8")
    }
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { offset } => write!(
                f,
                "the file is not UTF-8: byte {offset} does not belong to a character"
            ),
            Self::TooLong { len } => {
                write!(
                    f,
                    "the file has {len} bytes; a source file has at most 2 GiB"
                )
            }
        }
    }
}

impl std::error::Error for NotText {}

/// The longest text that [`decode`] lets through: offsets, and token and node counts with them, fit
/// 32 bits.
pub const MAX_LEN: usize = 1 << 31;

/// The text of a file's bytes, nothing stripped: a byte order mark becomes a token of its own.
pub fn decode(bytes: Vec<u8>) -> Result<String, NotText> {
    if bytes.len() > MAX_LEN {
        return Err(NotText::TooLong { len: bytes.len() });
    }
    String::from_utf8(bytes).map_err(|error| NotText::NotUtf8 {
        offset: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_twelve_bytes() {
        assert_eq!(size_of::<Span>(), 12);
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let file = SourceFile::new("a.mesh", "aß\r\nc\rd\n");
        assert_eq!(file.line_count(), 4);
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(3), (1, 3));
        assert_eq!(file.line_column(5), (2, 1));
        assert_eq!(file.line_column(7), (3, 1));
        assert_eq!(file.line_column(9), (4, 1));
        assert_eq!(file.line_column(900), (4, 1));
        assert_eq!(file.line_text(1), "aß");
        assert_eq!(file.line_text(2), "c");
        assert_eq!(file.line_text(4), "");
        assert_eq!(file.line_text(0), "");
        assert_eq!(file.line_text(5), "");
    }

    #[test]
    fn an_offset_inside_a_character_is_that_character() {
        let file = SourceFile::new("a.mesh", "aß");
        assert_eq!(file.line_column(2), (1, 2));
    }

    #[test]
    fn utf16_positions_go_there_and_back() {
        let file = SourceFile::new("a.mesh", "x\n𝄞é = 1\n");
        for offset in [0, 1, 2, 6, 8, 12] {
            let (line, column) = file.utf16_position(offset);
            assert_eq!(file.offset_of_utf16(line, column), offset, "{offset}");
        }
        assert_eq!(file.utf16_position(6), (1, 2));
        assert_eq!(file.offset_of_utf16(1, 900), 12);
        assert_eq!(file.offset_of_utf16(9, 0), 13);
    }

    #[test]
    fn decoding_says_where_the_text_ends() {
        assert_eq!(
            decode(b"a\xffb".to_vec()),
            Err(NotText::NotUtf8 { offset: 1 })
        );
        assert_eq!(decode("\u{feff}é".into()).as_deref(), Ok("\u{feff}é"));
    }

    #[test]
    fn files_are_found_by_their_id() {
        let mut sources = Sources::new();
        let first = sources.add("a.mesh", "abc");
        let second = sources.add("b.mesh", "def");
        assert_eq!(sources.text(Span::new(first, 1, 2)), "b");
        assert_eq!(sources.text(Span::new(second, 1, 3)), "ef");
        let names: Vec<_> = sources.iter().map(|(_, file)| file.name()).collect();
        assert_eq!(names, ["a.mesh", "b.mesh"]);
    }
}
