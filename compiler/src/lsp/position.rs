//! Places as editors count them.
//!
//! Editors speak of lines and columns, the columns counted in UTF-16 units or in bytes, as was agreed; the
//! language of offsets in bytes. What an editor says may be behind a line's end or the file's: then the
//! nearest place is meant.

use gen_lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};
use mesh_lang::source::{SourceFile, Span};

/// What columns are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 units.
    #[default]
    Utf16,
}

impl Encoding {
    /// What the protocol calls it.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// The position of an offset; one inside a character is that character's.
    pub(super) fn position(self, file: &SourceFile, offset: u32) -> Position {
        match self {
            Self::Utf16 => {
                let (line, character) = file.utf16_position(offset);
                Position { line, character }
            }
            Self::Utf8 => {
                let offset = file.text().floor_char_boundary(offset as usize) as u32;
                let line = file.line_of(offset);
                Position {
                    line: line - 1,
                    character: offset - file.line_start(line),
                }
            }
        }
    }

    /// The offset of a position.
    pub(super) fn offset(self, file: &SourceFile, position: Position) -> u32 {
        let Position { line, character } = position;
        match self {
            Self::Utf16 => file.offset_of_utf16(line, character),
            Self::Utf8 if line >= file.line_count() => file.text().len() as u32,
            Self::Utf8 => {
                let text = file.line_text(line + 1);
                let column = text.floor_char_boundary(character as usize) as u32;
                file.line_start(line + 1) + column
            }
        }
    }

    /// The range of a part of a file.
    pub(super) fn range(self, file: &SourceFile, span: Span) -> Range {
        Range {
            start: self.position(file, span.start),
            end: self.position(file, span.end),
        }
    }

    /// The text that an editor's change makes of a file.
    pub(super) fn apply(
        self,
        file: &SourceFile,
        change: &TextDocumentContentChangeEvent,
    ) -> SourceFile {
        let text = match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                whole.text.clone()
            }
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                let (one, other) = (
                    self.offset(file, part.range.start),
                    self.offset(file, part.range.end),
                );
                let (start, end) = (one.min(other) as usize, one.max(other) as usize);
                let text = file.text();
                let mut new = String::with_capacity(text.len() + part.text.len());
                new.push_str(&text[..start]);
                new.push_str(&part.text);
                new.push_str(&text[end..]);
                new
            }
        };
        SourceFile::new(file.name(), text)
    }

    /// The length of a text on one line.
    pub(super) fn length(self, text: &str) -> u32 {
        match self {
            Self::Utf8 => text.len() as u32,
            Self::Utf16 => text.encode_utf16().count() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_lead_back(text in "[a𝄞é\r\n]{0,60}", at in any::<prop::sample::Index>()) {
            let file = SourceFile::new("a.mesh", text.as_str());
            let offset = text.floor_char_boundary(at.index(text.len() + 1)) as u32;
            let (before, behind) = text.split_at(offset as usize);
            // Inside of `\r\n` there is no place.
            prop_assume!(!(before.ends_with('\r') && behind.starts_with('\n')));
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let position = encoding.position(&file, offset);
                prop_assert_eq!(encoding.offset(&file, position), offset);
            }
        }

        #[test]
        fn any_position_is_a_place(text in "[a𝄞é\r\n]{0,60}", line in 0u32..80, character in any::<u32>()) {
            let file = SourceFile::new("a.mesh", text.as_str());
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let offset = encoding.offset(&file, Position { line, character });
                prop_assert!(text.is_char_boundary(offset as usize));
            }
        }
    }
}
