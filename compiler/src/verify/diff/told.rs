//! A difference as text: for people, and for a comment on a pull request.

use super::{Change, Diff, Example, Kind, Reload};
use crate::report::Style;
use std::fmt::Write as _;

/// Places shown of one change.
const PLACES: usize = 4;

/// For people.
pub fn human(diff: &Diff, style: Style) -> String {
    let mut text = String::new();
    let widths = diff.changes.iter().map(|it| subjects(it).chars().count());
    let width = widths
        .filter(|width| *width <= 40)
        .max()
        .unwrap_or_default();
    let mut last = None;
    // Writing into a String cannot fail.
    for change in &diff.changes {
        let word = if last == Some(change.kind) {
            ""
        } else {
            change.kind.word()
        };
        last = Some(change.kind);
        let word = format!("{word:11}");
        let word = match change.kind {
            Kind::Widened => style.removed(word),
            _ => style.bold(word),
        };
        let _ = writeln!(text, "{word}  {:width$}  {}", subjects(change), change.what);
        let indent = " ".repeat(13);
        if let Some(example) = &change.example {
            let _ = writeln!(
                text,
                "{indent}e.g. {}{}",
                example.request,
                ends(example, "", "")
            );
        }
        let places = places(change);
        if !places.is_empty() {
            let _ = writeln!(text, "{indent}{places}");
        }
    }
    for undecided in &diff.undecided {
        let _ = writeln!(text, "{}  {undecided}", style.removed("not proved "));
    }
    let _ = writeln!(text, "{}", closing(diff));
    text
}

/// The first of those that have it in common, and how many more.
fn subjects(change: &Change) -> String {
    const SHOWN: usize = 2;
    let shown: Vec<&str> = change
        .subjects
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect();
    match change.subjects.len().checked_sub(SHOWN + 1) {
        Some(more) => format!("{} and {} more", shown.join(", "), more + 1),
        None => shown.join(", "),
    }
}

/// `   was 403, now reports`.
fn ends(example: &Example, before: &str, after: &str) -> String {
    match (&example.was, &example.is) {
        (Some(was), Some(is)) => {
            format!("   was {before}{was}{after}, now {before}{is}{after}")
        }
        _ => String::new(),
    }
}

/// "everything else is the same for every request; reload: hitless".
fn closing(diff: &Diff) -> String {
    let rest = match (diff.changes.is_empty(), diff.undecided.is_empty()) {
        (true, true) => "every request meets the same, proved",
        (false, true) => "everything else is the same for every request, proved",
        (_, false) => "what is marked could not be compared for every request",
    };
    let reload = match diff.reload() {
        _ if diff.changes.is_empty() => return rest.to_owned(),
        Reload::Hitless => "hitless",
        Reload::NewHandshakes => "hitless; connections that are made from then on meet it all",
        Reload::Drains => "connections of listeners that close are drained",
    };
    format!("{rest}; reload: {reload}")
}

/// `a.mesh:3 → b.mesh:4, b.mesh:9`.
fn places(change: &Change) -> String {
    let some = |places: &[String]| {
        let shown = places
            .iter()
            .take(PLACES)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        match places.len().checked_sub(PLACES + 1) {
            Some(more) => format!("{shown} and {} more", more + 1),
            None => shown,
        }
    };
    match (change.old.as_slice(), change.new.as_slice()) {
        ([], []) => String::new(),
        (old, []) => format!("{} → nothing", some(old)),
        ([], new) => some(new),
        (old, new) if old == new => some(new),
        (old, new) => format!("{} → {}", some(old), some(new)),
    }
}

/// For a comment on a pull request.
pub fn markdown(diff: &Diff) -> String {
    let mut text = String::new();
    for &kind in Kind::ALL {
        let changes: Vec<&Change> = diff.changes.iter().filter(|it| it.kind == kind).collect();
        if changes.is_empty() {
            continue;
        }
        let _ = writeln!(text, "### {}\n", kind.word());
        for change in changes {
            let (subject, what) = (subjects(change), &change.what);
            let _ = write!(text, "- **{subject}** `{}`", what.replace('`', "'"));
            let places = places(change);
            if !places.is_empty() {
                let _ = write!(text, " ({places})");
            }
            text.push('\n');
            if let Some(example) = &change.example {
                let ends = ends(example, "**", "**");
                let _ = writeln!(text, "  e.g. `{}`{ends}", example.request);
            }
        }
        text.push('\n');
    }
    for undecided in &diff.undecided {
        let _ = writeln!(text, "- not proved: {undecided}");
    }
    let _ = writeln!(text, "{}.", closing(diff));
    text
}
