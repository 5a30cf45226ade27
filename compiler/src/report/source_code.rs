//! Source text for miette, by our own index of lines.
//!
//! miette's own `NamedSource` looks for lines from the start of the file, for every label of every
//! finding; with many findings in a large file that takes longer than compiling it.

use mesh_lang::source::SourceFile;
use miette::{MietteError, MietteSpanContents, SourceSpan, SpanContents};

/// One file.
pub(super) struct IndexedSource<'s>(pub(super) &'s SourceFile);

impl miette::SourceCode for IndexedSource<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.0;
        let length = file.text().len();
        if span.offset() > length || span.offset() + span.len() > length {
            return Err(MietteError::OutOfBounds);
        }
        let first = file.line_of(span.offset() as u32);
        // An end right behind a line's break is still on that line.
        let last_byte = (span.offset() + span.len().max(1) - 1).min(length);
        let last = file.line_of(last_byte as u32);
        let first_shown = first.saturating_sub(before as u32).max(1);
        let last_shown = (last + after as u32).min(file.line_count());
        // Asked for no context, miette wants to know where exactly the span starts.
        let column = match before {
            0 => file.line_column(span.offset() as u32).1 as usize - 1,
            _ => 0,
        };
        let start = file.line_start(first_shown) as usize;
        let end = file.line_start(last_shown + 1) as usize;
        Ok(Box::new(MietteSpanContents::new_named(
            file.name().to_owned(),
            &file.text().as_bytes()[start..end],
            SourceSpan::from((start, end - start)),
            first_shown as usize - 1,
            column,
            (last_shown - first_shown + 1) as usize,
        )))
    }
}
