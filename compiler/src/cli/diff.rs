//! `meshc diff`: what a change means for requests.

use super::side::{self, Compiled};
use super::{FINDINGS, Failure, Stream, When, print, tell};
use crate::compile::ParamSetting;
use crate::report::{Format, render};
use crate::verify::diff::{Diff, Kind, Side, diff, told};
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc diff main .                            what the working tree changes against a branch
  meshc diff main:shop HEAD:shop               two revisions of a directory
  meshc diff .#staging .#prod                  two environments
  meshc diff old.bundle new.bundle             two bundles that `meshc compile --text` made
  meshc diff main . --fail-on widened          for a gate: fails if access is widened
  meshc diff main . --format markdown          for a comment on a pull request

Each of the two is a directory or file, a revision of git (of the current directory, or REVISION:PATH), which may
have #ENV behind it, or a bundle. Both are compiled and compared for all requests: routes, splits, rules, and what is in
force. For each change an example is shown that meets it, with what became and what becomes of it. Whatever is
not shown is the same.

Exit codes:
  0  done, nothing that --fail-on names
  1  changes that --fail-on names, or one of the two does not compile
  2  the command could not be carried out: usage, a file that cannot be read";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// What was: PATH, REVISION or REVISION:PATH, with #ENV behind it for an environment.
    #[arg(value_name = "OLD")]
    old: String,
    /// What is.
    #[arg(value_name = "NEW")]
    new: String,
    /// Give a parameter of both another value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<ParamSetting>,
    /// Fail on changes of these kinds, and on what could not be compared for all requests.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_enum)]
    fail_on: Vec<Kind>,
    /// How changes are told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Told,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// For people.
    #[default]
    Human,
    /// For a comment on a pull request.
    Markdown,
    /// One JSON document, by the schema compiler/src/verify/diff/json.schema.json.
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let old = side::read(&arguments.old, &arguments.settings)?;
    let new = side::read(&arguments.new, &arguments.settings)?;
    let (Some(before), Some(after)) = (side_of(&old), side_of(&new)) else {
        let here = std::env::current_dir().ok();
        for compiled in [&old, &new] {
            let report = compiled.checked.report(here.as_deref());
            tell(&render(&report, Format::Human, color.style(Stream::Errors)))?;
        }
        return Ok(ExitCode::from(FINDINGS));
    };
    let diff = diff(before, after);
    print(&match arguments.format {
        Told::Human => told::human(&diff, color.style(Stream::Output)),
        Told::Markdown => told::markdown(&diff),
        Told::Json => json(&diff),
    })?;
    let named = diff
        .changes
        .iter()
        .any(|it| arguments.fail_on.contains(&it.kind));
    let unknown = !arguments.fail_on.is_empty() && !diff.undecided.is_empty();
    Ok(if named || unknown {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

fn side_of(compiled: &Compiled) -> Option<Side<'_>> {
    Some(Side {
        mesh: compiled.checked.mesh.as_ref()?,
        sources: &compiled.checked.sources,
        bundle: compiled.bundle.as_ref()?,
        places: &compiled.places,
    })
}

fn json(diff: &Diff) -> String {
    // These types have nothing that fails.
    let mut text = serde_json::to_string_pretty(diff).unwrap_or_default();
    text.push('\n');
    text
}
