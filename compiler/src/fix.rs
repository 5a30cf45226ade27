//! What the fixes of findings make of the files.
//!
//! ```text
//!    ┌───────────────────────── check again ◀────────────────────────┐
//!    ▼                                                               │
//! findings ─ wanted fixes ─▶ those that do not overlap ─ still parses? ─▶ new texts
//! ```
//!
//! A fix is made for the text that its finding was found in, so that of two which touch each other only the
//! first is applied, and the other waits for the next pass: by then it may be gone, or be another. Passes go
//! on until nothing is left to apply. What makes a file parse worse than before is not applied at all.
//! Nothing here reads or writes a file.

use crate::compile::Checked;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Applicability, Diagnostic, Edit, Fix};
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Passes after which whatever is left is left: fixes that undo each other would go on for ever.
const MOST_PASSES: usize = 32;

/// Which fixes are applied.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Also those that are a guess.
    pub guesses: bool,
    /// Of these codes alone; all where it is empty.
    pub only: Vec<Code>,
}

/// A mesh whose fixes were applied.
#[derive(Debug)]
pub struct Mended {
    /// What it became, and what there is to report about it now.
    pub checked: Checked,
    /// Findings whose fixes were applied.
    pub fixed: usize,
    /// The files that changed.
    pub changed: Vec<FileId>,
}

/// What one pass makes of the files.
#[derive(Debug, Default)]
pub struct Pass {
    /// New texts.
    pub texts: BTreeMap<FileId, String>,
    /// How many fixes they are made of.
    pub fixed: usize,
}

impl Wanted {
    /// Whether findings of a code are wanted.
    pub fn includes(&self, code: Code) -> bool {
        self.only.is_empty() || self.only.contains(&code)
    }

    /// The fix of a finding that is applied: the first one that may be.
    pub fn of<'d>(&self, diagnostic: &'d Diagnostic) -> Option<&'d Fix> {
        let mut fixes = diagnostic.fixes.iter();
        let fix = fixes.find(|fix| self.guesses || fix.applicability == Applicability::Safe);
        fix.filter(|_| self.includes(diagnostic.code))
    }
}

/// Applies what is wanted until nothing is left to apply. `again` checks the mesh with other texts of its
/// files.
pub fn mend(
    mut checked: Checked,
    wanted: &Wanted,
    mut again: impl FnMut(Sources) -> Checked,
) -> Mended {
    let before: Vec<String> = files(&checked).map(|(_, text)| text.to_owned()).collect();
    let mut fixed = 0;
    for _ in 0..MOST_PASSES {
        let pass = pass(
            &checked.diagnostics,
            &checked.sources,
            checked.files,
            wanted,
        );
        if pass.fixed == 0 {
            break;
        }
        fixed += pass.fixed;
        let mut sources = Sources::new();
        for (index, (name, text)) in files(&checked).enumerate() {
            let new = pass.texts.get(&FileId(index as u32));
            sources.add(name, new.map_or(text, String::as_str));
        }
        checked = again(sources);
    }
    let after = files(&checked).map(|(_, text)| text);
    let changed = (0..).map(FileId).zip(before.iter().zip(after));
    let changed = changed.filter(|(_, (before, after))| before != after);
    Mended {
        changed: changed.map(|(file, _)| file).collect(),
        checked,
        fixed,
    }
}

/// The names and texts of files, without what was given by `--set`.
fn files(checked: &Checked) -> impl Iterator<Item = (&str, &str)> {
    let all = checked.sources.iter().take(checked.files);
    all.map(|(_, file)| (file.name(), file.text()))
}

/// Applies as many fixes as go together. The first `count` sources are files, which may change.
pub fn pass(diagnostics: &[Diagnostic], sources: &Sources, count: usize, wanted: &Wanted) -> Pass {
    // Of bytes that are no text only a part was read; written back, the rest would be lost.
    let unread = diagnostics.iter().filter(|it| it.code == Code::NotText);
    let unread: BTreeSet<_> = unread.filter_map(|it| Some(it.span()?.file)).collect();
    let may_change = |file: FileId| (file.0 as usize) < count && !unread.contains(&file);
    let fixes = diagnostics.iter().filter_map(|it| wanted.of(it));
    let fixes = fixes.filter(|fix| {
        let mut edits = fix.edits.iter();
        edits.all(|edit| may_change(edit.span.file))
    });

    let mut taken = BTreeSet::new();
    let apart: Vec<&Fix> = fixes.filter(|fix| take(&mut taken, &fix.edits)).collect();
    let syntax = Syntax {
        sources,
        before: RefCell::default(),
    };
    let mut kept = Vec::new();
    syntax.keep(&apart, &mut kept);
    Pass {
        texts: texts(sources, &kept),
        fixed: kept.len(),
    }
}

/// Takes the places of edits, if none of them touches one that is taken. Two that meet are apart, unless one
/// inserts where they do.
fn take(taken: &mut BTreeSet<(FileId, u32, u32)>, edits: &[Edit]) -> bool {
    let free = edits.iter().all(|edit| {
        let (file, start, end) = place(edit);
        let before = taken.range(..=(file, end, u32::MAX)).rev();
        let mut near = before.take_while(|&&(other, _, to)| other == file && to >= start);
        near.all(|&(_, from, to)| {
            let inserts = start == end || from == to;
            !inserts && (to == start || from == end)
        })
    });
    if free {
        taken.extend(edits.iter().map(place));
    }
    free
}

fn place(edit: &Edit) -> (FileId, u32, u32) {
    (edit.span.file, edit.span.start, edit.span.end)
}

/// The texts that fixes, which do not overlap, make of the files they change.
pub fn texts(sources: &Sources, fixes: &[&Fix]) -> BTreeMap<FileId, String> {
    let mut edits: Vec<&Edit> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| place(edit));
    let mut texts = BTreeMap::new();
    for edits in edits.chunk_by(|a, b| a.span.file == b.span.file) {
        let file = edits[0].span.file;
        texts.insert(file, apply(sources.get(file).text(), edits));
    }
    texts
}

/// A text with edits applied, which are in order and do not overlap.
fn apply(text: &str, edits: &[&Edit]) -> String {
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range();
        new.push_str(&text[done..range.start]);
        new.push_str(&edit.replacement);
        done = range.end;
    }
    new.push_str(&text[done..]);
    new
}

/// Findings of syntax by their code.
type Count = BTreeMap<Code, usize>;

/// Whether files parse as well as before.
struct Syntax<'s> {
    sources: &'s Sources,
    before: RefCell<BTreeMap<FileId, Count>>,
}

impl Syntax<'_> {
    /// Adds to `kept` the fixes that leave no new finding of syntax behind. Most often that is all of them,
    /// which costs one look; those that do are searched for by halves.
    fn keep<'f>(&self, fixes: &[&'f Fix], kept: &mut Vec<&'f Fix>) {
        let kept_before = kept.len();
        kept.extend(fixes);
        if fixes.is_empty() || self.parses(kept) {
            return;
        }
        kept.truncate(kept_before);
        if fixes.len() > 1 {
            let (first, second) = fixes.split_at(fixes.len() / 2);
            self.keep(first, kept);
            self.keep(second, kept);
        }
    }

    /// Whether what fixes make has no finding of syntax that was not there.
    fn parses(&self, fixes: &[&Fix]) -> bool {
        texts(self.sources, fixes).iter().all(|(&file, text)| {
            let mut before = self.before.borrow_mut();
            let before = before
                .entry(file)
                .or_insert_with(|| findings_of_syntax(file, self.sources.get(file).text()));
            let after = findings_of_syntax(file, text);
            after
                .iter()
                .all(|(code, count)| before.get(code).is_some_and(|before| count <= before))
        })
    }
}

fn findings_of_syntax(file: FileId, text: &str) -> Count {
    let mut count = Count::new();
    let diagnostics = parse(file, text).diagnostics.into_iter();
    for diagnostic in diagnostics.filter(|it| it.code.is_syntax()) {
        *count.entry(diagnostic.code).or_default() += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Selection, check};
    use crate::project::Project;
    use mesh_lang::source::Span;
    use proptest::prelude::*;

    fn diagnostic(fix: Fix) -> Diagnostic {
        let span = fix.edits[0].span;
        Diagnostic::new(Code::BadValue, "m")
            .primary(span, "")
            .fix(fix)
    }

    fn span(file: u32, start: u32, end: u32) -> Span {
        Span::new(FileId(file), start, end)
    }

    /// The text that a pass leaves, and how many fixes it applied.
    fn passed(text: &str, fixes: impl IntoIterator<Item = Fix>) -> (String, usize) {
        let mut sources = Sources::new();
        let file = sources.add("a.mesh", text);
        let diagnostics: Vec<_> = fixes.into_iter().map(diagnostic).collect();
        let mut pass = pass(&diagnostics, &sources, 1, &Wanted::default());
        let text = pass.texts.remove(&file).unwrap_or_else(|| text.to_owned());
        (text, pass.fixed)
    }

    #[test]
    fn fixes_that_touch_wait_for_each_other() {
        let text = "param a = 1s\n";
        let name = Fix::safe("", span(0, 6, 7), "b");
        let all = Fix::safe("", span(0, 0, 12), "param c = 2s");
        let value = Fix::safe("", span(0, 10, 12), "3s");
        let behind = Fix::safe("", span(0, 12, 12), ", 4s");
        assert_eq!(
            passed(text, [name.clone(), all.clone(), value.clone(), behind]),
            ("param b = 3s\n".to_owned(), 2)
        );
        assert_eq!(
            passed(text, [all, name, value]),
            ("param c = 2s\n".to_owned(), 1)
        );
    }

    #[test]
    fn a_fix_is_applied_as_a_whole_or_not() {
        let swap = Fix::safe("", span(0, 6, 7), "b").and(span(0, 10, 12), "2s");
        let value = Fix::safe("", span(0, 10, 12), "3s");
        assert_eq!(
            passed("param a = 1s\n", [value, swap]),
            ("param a = 3s\n".to_owned(), 1)
        );
    }

    #[test]
    fn what_breaks_the_syntax_is_not_applied() {
        let breaks = |at| Fix::safe("", span(0, at, at + 1), "(");
        let mends = |at| Fix::safe("", span(0, at, at + 1), "z");
        let text = "param a = 1s\nparam b = 1s\nparam c = 1s\n";
        assert_eq!(
            passed(text, [mends(6), breaks(19), mends(32)]),
            ("param z = 1s\nparam b = 1s\nparam z = 1s\n".to_owned(), 2)
        );
    }

    #[test]
    fn values_given_from_outside_and_files_that_are_no_text_stay() {
        let mut sources = Sources::new();
        sources.add("a.mesh", "param a = 1\n");
        sources.add("b.mesh", "param b = 1\n");
        sources.add("--set a", "param a = 1\n");
        let mend = |file| diagnostic(Fix::safe("", span(file, 10, 11), "1s"));
        let unread = Diagnostic::new(Code::NotText, "m").primary(span(1, 0, 0), "");
        let diagnostics = [mend(0), mend(1), mend(2), unread];
        let pass = pass(&diagnostics, &sources, 2, &Wanted::default());
        assert_eq!(pass.fixed, 1);
        assert_eq!(pass.texts.keys().collect::<Vec<_>>(), [&FileId(0)]);
    }

    #[test]
    fn guesses_and_other_codes_are_only_applied_if_wanted() {
        let guess = Fix::guess("g", span(0, 0, 0), "");
        let sure = Fix::safe("s", span(0, 0, 0), "");
        let found = Diagnostic::new(Code::BadValue, "m").fix(guess).fix(sure);
        let title = |wanted: &Wanted| wanted.of(&found).map(|fix| fix.title.clone());
        let mut wanted = Wanted::default();
        assert_eq!(title(&wanted).as_deref(), Some("s"));
        wanted.guesses = true;
        assert_eq!(title(&wanted).as_deref(), Some("g"));
        wanted.only = vec![Code::BadName];
        assert_eq!(title(&wanted), None);
        wanted.only = vec![Code::BadName, Code::BadValue];
        assert_eq!(title(&wanted).as_deref(), Some("g"));
    }

    /// What passes make of a comment, if each turns the first of these letters into those.
    fn mended(comment: &str, from: &str, to: &str) -> (String, usize) {
        let again = |sources: Sources| {
            let text = sources.get(FileId(0)).text().to_owned();
            let mut checked = check(
                Project::of_texts([("a.mesh", text.as_str())]),
                &Selection::default(),
            );
            let found = text.find(from).map(|at| {
                let span = span(0, at as u32, (at + from.len()) as u32);
                diagnostic(Fix::safe("", span, to))
            });
            checked.diagnostics = found.into_iter().collect();
            checked
        };
        let mut sources = Sources::new();
        sources.add("a.mesh", comment);
        let mended = mend(again(sources), &Wanted::default(), again);
        let text = mended.checked.sources.get(FileId(0)).text().to_owned();
        assert_eq!(mended.changed.is_empty(), text == comment);
        (text, mended.fixed)
    }

    #[test]
    fn passes_go_on_until_nothing_is_left() {
        assert_eq!(mended("# aaaa", "aa", "a"), ("# a".to_owned(), 3));
        assert_eq!(mended("# b", "aa", "a"), ("# b".to_owned(), 0));
    }

    #[test]
    fn fixes_that_go_on_for_ever_are_stopped() {
        let (text, fixed) = mended("# a", "a", "aa");
        assert_eq!(fixed, MOST_PASSES);
        assert_eq!(text.len(), "# a".len() + MOST_PASSES);
        let (text, _) = mended("# ab", "ab", "ba");
        assert_eq!(text, "# ba");
    }

    proptest! {
        /// Whatever the edits: those taken do not overlap, and nothing that could be taken is left.
        #[test]
        fn places_taken_are_apart(edits in prop::collection::vec((0u32..2, 0u32..30, 0u32..4), 0..20)) {
            let apart = |a: Span, b: Span| {
                let inserts = a.is_empty() || b.is_empty();
                let meets = a.file != b.file || a.end < b.start || b.end < a.start;
                meets || (!inserts && (a.end == b.start || b.end == a.start))
            };
            let mut taken = BTreeSet::new();
            let mut kept: Vec<Span> = Vec::new();
            for (file, start, len) in edits {
                let span = span(file, start, start + len);
                let edit = Edit { span, replacement: String::new() };
                let free = kept.iter().all(|other| apart(span, *other));
                prop_assert_eq!(take(&mut taken, &[edit]), free);
                if free {
                    kept.push(span);
                }
            }
        }
    }
}
