//! Paths that are put together from what an arm captured.

use crate::format::{Bundle, Capture, CaptureKind, Run, TemplatePart};
use crate::path::NormalPath;

/// Appends a template, filled in with what `captures` captures of `path`. The path is one that the arm took,
/// so that what is captured is there; whatever is not is empty.
pub fn fill(
    bundle: &Bundle,
    template: Run<TemplatePart>,
    captures: Run<Capture>,
    path: &NormalPath<'_>,
    into: &mut String,
) {
    let start = into.len();
    let captures = &bundle.captures()[captures.range()];
    for part in &bundle.template_parts()[template.range()] {
        match bundle.opt_str(part.text) {
            Some(text) => into.push_str(text),
            None => {
                if let Some(capture) = captures.get(part.capture.get() as usize) {
                    into.push_str(captured(capture, path));
                }
            }
        }
    }
    if into.len() == start {
        into.push('/'); // a rest of no segments, by itself
    }
}

/// What a capture captures of a path.
pub fn captured<'p>(capture: &Capture, path: &'p NormalPath<'_>) -> &'p str {
    let index = capture.index.get() as usize;
    let (before, after) = (capture.before.get() as usize, capture.after.get() as usize);
    let segment = match CaptureKind::from_code(capture.kind) {
        Some(CaptureKind::FromLeft) => path.segments().nth(index),
        Some(CaptureKind::FromRight) => path.segments().rev().nth(index),
        Some(CaptureKind::Rest) => {
            let rest = path.after(index);
            // Without the segments that stand after it, each of which has its `/`.
            let behind: usize = path
                .segments()
                .rev()
                .take(before)
                .map(|it| it.len() + 1)
                .sum();
            return rest
                .len()
                .checked_sub(behind)
                .map_or("", |end| &rest[..end]);
        }
        None => None,
    };
    let segment = segment.unwrap_or_default();
    let end = segment.len().checked_sub(after);
    end.and_then(|end| segment.get(before..end))
        .unwrap_or_default()
}
