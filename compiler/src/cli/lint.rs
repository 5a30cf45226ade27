//! `meshc lint`: everything there is to report, and nothing written.

use super::{FINDINGS, Failure, MeshArguments, say, show};
use crate::compile::{Checked, check};
use crate::project::Project;
use crate::report::has_errors;
use crate::report::human::{Style, render};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
}

pub(crate) fn run(arguments: &Arguments, style: Style) -> Result<ExitCode, Failure> {
    let mut checked = load(&arguments.mesh)?;
    // Some patterns turn out to be too large only once they are compiled.
    checked.plan();
    show(&render(&checked.diagnostics, &checked.sources, style));
    if has_errors(&checked.diagnostics) {
        return Ok(ExitCode::from(FINDINGS));
    }
    if checked.diagnostics.is_empty() {
        say(&format!(
            "{}: nothing to report\n",
            arguments.mesh.path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads and checks the mesh that the arguments name.
pub(crate) fn load(arguments: &MeshArguments) -> Result<Checked, Failure> {
    let project = Project::load(&arguments.path).map_err(|error| error.to_string())?;
    Ok(check(project, &arguments.settings))
}
