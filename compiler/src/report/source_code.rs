//! Source text for miette, by our own index of lines.
//!
//! miette's own `NamedSource` looks for lines from the start of the file, for every label of every
//! finding; with many findings in a large file that takes longer than compiling it. Nor is a line shown
//! that nobody could read: of a very long one, what stands around the place.

use mesh_lang::source::SourceFile;
use miette::{MietteError, MietteSpanContents, SourceSpan, SpanContents};

/// One file.
pub(super) struct IndexedSource<'s> {
    pub(super) file: &'s SourceFile,
    /// Its text as it is shown, of the same length.
    pub(super) text: &'s str,
    /// What it is called.
    pub(super) name: String,
}

/// Bytes shown before and behind a place on the same line.
const AROUND: usize = 500;

impl miette::SourceCode for IndexedSource<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.file;
        let length = self.text.len();
        if span.offset() > length || span.offset() + span.len() > length {
            return Err(MietteError::OutOfBounds);
        }
        let first = file.line_of(span.offset() as u32);
        // An end right behind a line's break is still on that line.
        let last_byte = (span.offset() + span.len().max(1) - 1).min(length);
        let last = file.line_of(last_byte as u32);
        let mut first_shown = first.saturating_sub(before as u32).max(1);
        let mut last_shown = (last + after as u32).min(file.line_count());
        // Asked for no context, miette wants to know where exactly the span starts.
        let column = match before {
            0 => file.line_column(span.offset() as u32).1 as usize - 1,
            _ => 0,
        };
        let mut start = file.line_start(first_shown) as usize;
        let mut end = file.line_start(last_shown + 1) as usize;
        if span.offset() - start > AROUND {
            let near = self.text.ceil_char_boundary(span.offset() - AROUND);
            start = near.max(file.line_start(first) as usize);
            first_shown = first;
        }
        if end - last_byte > AROUND {
            let near = self.text.floor_char_boundary(last_byte + AROUND);
            end = near.min(file.line_start(last + 1) as usize);
            last_shown = last;
        }
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..end],
            SourceSpan::from((start, end - start)),
            first_shown as usize - 1,
            column,
            (last_shown - first_shown + 1) as usize,
        )))
    }
}
