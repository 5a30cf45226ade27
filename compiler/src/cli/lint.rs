//! `meshc lint`: everything there is to report, and what can be done about it.

use super::explain::current;
use super::{FINDINGS, Failure, FormatArguments, MeshArguments, Stream, When, file, print, tell};
use crate::compile::{Checked, Selection, check};
use crate::fix::{Mended, Wanted, mend};
use crate::project::Project;
use crate::report::{Format, Report, count, diff, render};
use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::{Applicability, Diagnostic};
use std::process::ExitCode;

const HELP: &str = "\
Exit codes:
  0  nothing to report that --fail-on names
  1  findings at least as bad as --fail-on names; with --fix, that are left
  2  the command could not be carried out: usage, a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    #[command(flatten)]
    format: FormatArguments,
    /// Report and mend these alone, by code or name.
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = current)]
    only: Vec<Code>,
    #[command(flatten)]
    fix: FixArguments,
    #[command(flatten)]
    fail: FailArguments,
}

#[derive(Debug, clap::Args)]
struct FixArguments {
    /// Apply the fixes that are right beyond doubt.
    #[arg(long, group = "mending")]
    fix: bool,
    /// Print what `--fix` would change, and write nothing.
    #[arg(long, group = "mending")]
    diff: bool,
    /// Apply the fixes that are a guess, too.
    #[arg(long, requires = "mending")]
    unsafe_fixes: bool,
}

#[derive(Debug, clap::Args)]
struct FailArguments {
    /// How bad a finding must be for the command to fail.
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t)]
    fail_on: FailOn,
    /// Fail on warnings, too: `--fail-on warning`.
    #[arg(long, conflicts_with = "fail_on")]
    deny_warnings: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum FailOn {
    #[default]
    Error,
    Warning,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let (project, selection) = arguments.mesh.load()?;
    let wanted = Wanted {
        guesses: arguments.fix.unsafe_fixes,
        only: arguments.only.clone(),
    };
    let checked = look(project.clone(), &selection);
    if !arguments.fix.fix && !arguments.fix.diff {
        let shown = shown(&checked, &wanted);
        report(arguments, &checked, &shown, color)?;
        if arguments.format.format == Format::Human {
            print(&fixable(&shown))?;
        }
        return Ok(exit_code(arguments, &shown));
    }

    let found = shown(&checked, &wanted);
    let mended = mend(checked, &wanted, |sources| {
        look(project.clone().with_sources(sources), &selection)
    });
    if arguments.fix.diff {
        let here = std::env::current_dir().ok();
        let after = mended.checked.report(here.as_deref()).files;
        let style = color.style(Stream::Output);
        print(&diff::render(
            &project.sources,
            after,
            &mended.changed,
            style,
        ))?;
        tell(&done("would fix", &mended))?;
        return Ok(exit_code(arguments, &found));
    }
    write(&project, &mended)?;
    let left = shown(&mended.checked, &wanted);
    report(arguments, &mended.checked, &left, color)?;
    match arguments.format.format {
        Format::Human => print(&done("fixed", &mended))?,
        // The output is for a program.
        _ => tell(&done("fixed", &mended))?,
    }
    Ok(exit_code(arguments, &left))
}

/// Finds everything there is to report.
fn look(project: Project, selection: &Selection) -> Checked {
    let mut checked = check(project, selection);
    // Some patterns turn out to be too large only once they are compiled.
    checked.plan();
    checked
}

/// The findings that were asked for.
fn shown(checked: &Checked, wanted: &Wanted) -> Vec<Diagnostic> {
    let all = checked.diagnostics.iter();
    all.filter(|it| wanted.includes(it.code)).cloned().collect()
}

fn report(
    arguments: &Arguments,
    checked: &Checked,
    shown: &[Diagnostic],
    color: When,
) -> Result<(), Failure> {
    let here = std::env::current_dir().ok();
    let report = Report {
        diagnostics: shown,
        ..checked.report(here.as_deref())
    };
    let format = arguments.format.format;
    print(&render(&report, format, color.style(Stream::Output)))?;
    let path = arguments.mesh.path.display();
    match checked.diagnostics.len() - shown.len() {
        0 if shown.is_empty() && format == Format::Human => {
            print(&format!("{path}: nothing to report\n"))
        }
        0 => Ok(()),
        // Whoever asks for a few codes is not to believe that there are no others.
        others => {
            let others = count(others, "finding");
            tell(&format!("{path}: {others} of other codes not shown\n"))
        }
    }
}

/// How many findings have a fix.
fn fixable(shown: &[Diagnostic]) -> String {
    let is_safe = |it: &&Diagnostic| {
        let mut fixes = it.fixes.iter();
        fixes.any(|fix| fix.applicability == Applicability::Safe)
    };
    let safe = shown.iter().filter(is_safe).count();
    let any = shown.iter().filter(|it| !it.fixes.is_empty()).count();
    match (safe, any - safe) {
        (0, 0) => String::new(),
        (safe, 0) => format!("`meshc lint --fix` mends {safe}\n"),
        (0, guesses) => format!("`meshc lint --fix --unsafe-fixes` mends {guesses}\n"),
        (safe, guesses) => {
            format!("`meshc lint --fix` mends {safe}, with `--unsafe-fixes` {guesses} more\n")
        }
    }
}

fn exit_code(arguments: &Arguments, shown: &[Diagnostic]) -> ExitCode {
    let fails_on = match arguments.fail.fail_on {
        FailOn::Error if !arguments.fail.deny_warnings => Severity::Error,
        _ => Severity::Warning,
    };
    if shown.iter().any(|it| it.severity >= fails_on) {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    }
}

/// "fixed 3 findings in 2 files".
fn done(verb: &str, mended: &Mended) -> String {
    let Mended { fixed, changed, .. } = mended;
    match (*fixed, changed.len()) {
        (0, _) => "there was nothing to fix\n".to_owned(),
        (fixed, files) => {
            let (findings, files) = (count(fixed, "finding"), count(files, "file"));
            format!("{verb} {findings} in {files}\n")
        }
    }
}

/// Writes the files that changed; none of them if one was changed by somebody else meanwhile.
fn write(project: &Project, mended: &Mended) -> Result<(), Failure> {
    let mut files = Vec::new();
    for &id in &mended.changed {
        let source = project.sources.get(id);
        let path = project.root.join(source.name());
        let unreadable = |error| format!("{} cannot be read: {error}", path.display());
        // What a link leads to is written, not the link.
        let real = path.canonicalize().map_err(unreadable)?;
        if std::fs::read(&real).map_err(unreadable)? != source.text().as_bytes() {
            let path = path.display();
            return Err(format!("{path} was changed meanwhile; nothing is written").into());
        }
        files.push((id, path, real));
    }
    for (id, path, real) in files {
        let text = mended.checked.sources.get(id).text();
        file::rewrite(&real, text)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(())
}
