//! `meshc expand`: a mesh with nothing left to look up.

use super::{FINDINGS, Failure, MeshArguments, Stream, When, print, tell};
use crate::compile::check;
use crate::report::{Format, render};
use crate::spell::expand;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  meshc expand shop/                          every default, policy and param filled in
  meshc expand shop/ --env prod               as it is in an environment
  diff <(meshc expand shop/) <(meshc expand shop/ --env prod)

Which value wins, weakest first: the edition, `defaults`, the gateway, its host, the service, an arm of
the service's route, the caller's `calls` block, the gateway's arm. Each level is printed where it
stands; what the others decide for an arm or a call is told in a comment above it.

Exit codes:
  0  done
  1  the policy has errors
  2  the command could not be carried out: usage, a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let (project, selection) = arguments.mesh.load()?;
    let checked = check(project, &selection);
    match &checked.mesh {
        Some(mesh) if !checked.has_errors() => {
            print(&expand(mesh, &checked.sources))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            let here = std::env::current_dir().ok();
            let report = checked.report(here.as_deref());
            tell(&render(&report, Format::Human, color.style(Stream::Errors)))?;
            Ok(ExitCode::from(FINDINGS))
        }
    }
}
