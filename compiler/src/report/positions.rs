//! Lines and columns in every unit that tools count in, at any offset of any file.
//!
//! A column needs the text before it on its line. Where that is long, and findings are many, counting it
//! each time takes minutes; so each file is counted once, with a total kept at every few hundred bytes.

use super::Files;
use mesh_lang::source::FileId;
use serde::Serialize;
use std::cell::OnceCell;

/// A place in a file. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Position {
    /// Bytes before it in the file.
    pub(super) offset: u32,
    pub(super) line: u32,
    /// In characters.
    pub(super) column: u32,
    /// In bytes.
    pub(super) column_utf8: u32,
    /// In UTF-16 units.
    pub(super) column_utf16: u32,
}

/// Bytes between two totals.
const STEP: usize = 512;

/// Positions in the files of a report.
pub(super) struct Positions<'f> {
    files: Files<'f>,
    totals: Vec<OnceCell<Vec<Total>>>,
}

/// Characters and UTF-16 units before a place.
#[derive(Clone, Copy, Default)]
struct Total {
    characters: u32,
    units: u32,
}

impl<'f> Positions<'f> {
    pub(super) fn new(files: Files<'f>) -> Self {
        let totals = files.sources.iter().map(|_| OnceCell::new()).collect();
        Self { files, totals }
    }

    /// The position of an offset; one inside a character is that character's.
    pub(super) fn at(&self, file: FileId, offset: u32) -> Position {
        let source = self.files.get(file);
        let text = source.text();
        let offset = text.floor_char_boundary(offset as usize);
        let line = source.line_of(offset as u32);
        let start = source.line_start(line) as usize;
        let before_line = self.total(file, start);
        let before = self.total(file, offset);
        Position {
            offset: offset as u32,
            line,
            column: before.characters - before_line.characters + 1,
            column_utf8: (offset - start) as u32 + 1,
            column_utf16: before.units - before_line.units + 1,
        }
    }

    fn total(&self, file: FileId, offset: usize) -> Total {
        let bytes = self.files.get(file).text().as_bytes();
        let totals = self.totals[file.0 as usize].get_or_init(|| {
            let mut total = Total::default();
            let mut totals = vec![total];
            for part in bytes.chunks(STEP) {
                total = total.and(part);
                totals.push(total);
            }
            totals
        });
        let step = offset / STEP;
        totals[step].and(&bytes[step * STEP..offset])
    }
}

impl Total {
    fn and(self, bytes: &[u8]) -> Self {
        // Continuation bytes start nothing; characters of four bytes are two UTF-16 units.
        let starts = bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u32;
        let pairs = bytes.iter().filter(|&&byte| byte >= 0xf0).count() as u32;
        Self {
            characters: self.characters + starts,
            units: self.units + starts + pairs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_lang::source::Sources;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_are_those_of_the_file(text in "[a𝄞é\r\n]{0,2000}", offset in 0u32..3000) {
            let mut sources = Sources::new();
            let file = sources.add("a.mesh", text);
            let positions = Positions::new(Files::nowhere(&sources));
            let position = positions.at(file, offset);
            let source = sources.get(file);
            prop_assert_eq!((position.line, position.column), source.line_column(offset));
            let utf16 = (position.line - 1, position.column_utf16 - 1);
            prop_assert_eq!(utf16, source.utf16_position(offset));
            let start = source.line_start(position.line);
            prop_assert_eq!(position.column_utf8, position.offset - start + 1);
        }
    }
}
