//! What a log comes to, for people and as JSON.

use super::{Bad, Group, Kind, Replay};
use crate::report::{Style, count};
use anstyle::{AnsiColor, Style as Ansi};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What `meshc replay --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// Groups of a kind that people are shown.
const MAX_SHOWN: usize = 20;
/// Worlds that people are shown of a group.
const MAX_WORLDS: usize = 6;

/// One JSON document.
pub fn json(replay: &Replay) -> String {
    #[derive(Serialize)]
    struct Document<'d> {
        lines: u64,
        counts: BTreeMap<&'static str, u64>,
        passed_over: BTreeMap<&'static str, u64>,
        bad: &'d Bad,
        incomplete: u64,
        ungrouped: u64,
        groups: Vec<&'d Group>,
    }
    let kinds = [Kind::Changed, Kind::Unknown, Kind::Split, Kind::Same];
    let passed = replay.passed.iter();
    let document = Document {
        lines: replay.lines,
        counts: kinds.map(|it| (word(it), replay.count(it))).into(),
        passed_over: passed.map(|(why, count)| (why.words(), *count)).collect(),
        bad: &replay.bad,
        incomplete: replay.incomplete,
        ungrouped: replay.ungrouped,
        groups: replay.sorted(),
    };
    // These types have nothing that fails.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Changed => "changed",
        Kind::Unknown => "unknown",
        Kind::Split => "split",
        Kind::Same => "same",
    }
}

/// A table, with an example for each row.
pub fn human(replay: &Replay, style: Style) -> String {
    let mut text = String::new();
    let groups = replay.sorted();
    for kind in [Kind::Changed, Kind::Unknown, Kind::Split] {
        let groups: Vec<&&Group> = groups.iter().filter(|it| it.kind == kind).collect();
        rows(&mut text, kind, &groups, style);
    }
    if replay.ungrouped > 0 {
        let more = requests(replay.ungrouped);
        line(
            &mut text,
            &format!("{more} more, of too many kinds to list\n"),
        );
    }
    line(&mut text, &summary(replay));
    for (why, count) in &replay.passed {
        let passed = format!("passed over: {} {}", requests(*count), why.words());
        line(&mut text, &passed);
    }
    if replay.bad.count > 0 {
        let bad = count(replay.bad.count as usize, "line");
        line(
            &mut text,
            &format!("not read: {bad} that are no lines of an access log"),
        );
        for bad in &replay.bad.first {
            line(&mut text, &format!("  line {}: {}", bad.line, bad.why));
        }
    }
    text
}

fn line(text: &mut String, what: &str) {
    text.push_str(what);
    text.push('\n');
}

fn requests(number: u64) -> String {
    count(number as usize, "request")
}

fn summary(replay: &Replay) -> String {
    let all: u64 = replay.counts.values().sum();
    let mut parts = vec![format!("{} replayed", requests(all))];
    for (kind, words) in [
        (Kind::Changed, "meet something else"),
        (
            Kind::Unknown,
            "may, depending on what the log does not tell",
        ),
        (Kind::Split, "are drawn anew by a split"),
        (Kind::Same, "meet the same"),
    ] {
        let number = replay.count(kind);
        if number > 0 || kind == Kind::Changed {
            parts.push(format!("{number} {words}"));
        }
    }
    let mut text = parts.join(", ");
    if replay.incomplete > 0 {
        let _ = write!(
            text,
            "\nof {} more may become than was looked at: they count as unknown",
            requests(replay.incomplete)
        );
    }
    text
}

fn rows(text: &mut String, kind: Kind, groups: &[&&Group], style: Style) {
    let color = match kind {
        Kind::Changed => AnsiColor::Red,
        Kind::Unknown => AnsiColor::Yellow,
        Kind::Split | Kind::Same => AnsiColor::Cyan,
    };
    let (start, end) = if style.color {
        let ansi = Ansi::new().fg_color(Some(color.into())).bold();
        (ansi.render().to_string(), ansi.render_reset().to_string())
    } else {
        Default::default()
    };
    let shown = &groups[..groups.len().min(MAX_SHOWN)];
    let widest = |width: fn(&Group) -> usize| shown.iter().map(|it| width(it)).max();
    let numbers = widest(|it| it.count.to_string().len()).unwrap_or_default();
    let was = widest(|it| it.was.chars().count()).unwrap_or_default();
    for group in shown {
        let becomes: Vec<&str> = group.becomes.iter().map(|it| &*it.outcome).collect();
        let becomes = match becomes.as_slice() {
            // Where there are several ends they follow, each with its world.
            [one] => (*one).to_owned(),
            several => format!("one of {}:", several.len()),
        };
        let head = format!("{start}{:7}{end}", word(kind));
        let _ = writeln!(
            text,
            "{head}  {:>numbers$}  {:was$} → {becomes}",
            group.count, group.was
        );
        worlds(text, group);
        let example = &group.example;
        let by = example.arm.as_ref();
        let by = by.map_or(String::new(), |arm| format!(" by {arm}"));
        let _ = writeln!(
            text,
            "  e.g. line {}: {}, {}{by}",
            example.line, example.request, example.code
        );
        if let [one] = group.becomes.as_slice()
            && let Some(location) = &one.location
        {
            let _ = writeln!(text, "       to {location}");
        }
    }
    if groups.len() > MAX_SHOWN {
        let rest = groups[MAX_SHOWN..].iter().map(|it| it.count).sum();
        let _ = writeln!(
            text,
            "{start}{:7}{end}  and {} of {}; --format json has all",
            word(kind),
            requests(rest),
            count(groups.len() - MAX_SHOWN, "other kind")
        );
    }
    if !groups.is_empty() {
        text.push('\n');
    }
}

/// What becomes of requests in which worlds.
fn worlds(text: &mut String, group: &Group) {
    if group.becomes.len() < 2 {
        return;
    }
    for becomes in group.becomes.iter().take(MAX_WORLDS) {
        let outcome = &becomes.outcome;
        let supposed = becomes.supposed.join(" and ");
        let _ = writeln!(text, "  {outcome}, if {supposed}");
    }
    if let Some(more) = group.becomes.len().checked_sub(MAX_WORLDS + 1) {
        let _ = writeln!(text, "  and {}", count(more + 1, "other"));
    }
}
