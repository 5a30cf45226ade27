//! What would change in files, as `patch -p0` takes it.

use super::{Files, Style};
use mesh_lang::source::{FileId, Sources};
use similar::{ChangeTag, TextDiff};
use std::fmt::{self, Write as _};
use std::time::Duration;

/// How long to look for the shortest way to say what would change in a file.
const LOOKING: Duration = Duration::from_secs(1);

/// The difference between files and what became of them.
pub fn render(before: &Sources, after: Files<'_>, changed: &[FileId], style: Style) -> String {
    let mut out = String::new();
    for &file in changed {
        let (old, new) = (before.get(file).text(), after.get(file).text());
        out.push_str(&of_file(&after.label(file), old, new, style));
    }
    out
}

/// The difference between two texts of a file.
pub fn of_file(name: &str, before: &str, after: &str, style: Style) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, name, before, after, style);
    out
}

fn write(out: &mut String, name: &str, before: &str, after: &str, style: Style) -> fmt::Result {
    for sign in ["---", "+++"] {
        writeln!(out, "{}", style.bold(format_args!("{sign} {name}")))?;
    }
    let diff = TextDiff::configure()
        .timeout(LOOKING)
        .diff_lines(before, after);
    for hunk in diff.unified_diff().iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let line = change.value();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = match change.tag() {
                ChangeTag::Delete => style.removed(format_args!("-{line}")),
                ChangeTag::Insert => style.added(format_args!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            };
            writeln!(out, "{line}")?;
            if change.missing_newline() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        let mut lines: Vec<_> = (1..=20).map(|line| format!("line {line}")).collect();
        let mut before = Sources::new();
        let file = before.add("a.mesh", lines.join("\n"));
        lines[4] = "line five".to_owned();
        lines.pop();
        let mut after = Sources::new();
        after.add("a.mesh", lines.join("\n"));
        insta::assert_snapshot!(render(
            &before,
            Files::nowhere(&after),
            &[file],
            Style::PLAIN
        ));
    }
}
