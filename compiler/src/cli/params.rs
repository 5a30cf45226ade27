//! `meshc params`: what may be set from outside.

use super::{Failure, print};
use crate::params::schema;
use crate::project::Project;
use crate::resolve::{declared_params, environments};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  meshc params shop/                             the parameters, their values and kinds
  meshc params shop/ --schema > shop.params.json the schema of a file for --params";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mesh: a directory with `.mesh` files, or one such file.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Print the JSON Schema of files for `--params`.
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let project = Project::load(&arguments.path).map_err(|error| error.to_string())?;
    let declared = declared_params(&project.trees, &project.sources);
    if arguments.schema {
        print(&format!("{:#}\n", schema(&declared)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = |text: fn(&crate::resolve::Declared) -> usize| {
        declared.iter().map(text).max().unwrap_or_default()
    };
    let names = width(|param| param.name.len());
    let values = width(|param| param.value.len());
    for param in &declared {
        let about = match param.doc.as_str() {
            "" => param.kind.to_string(),
            doc => format!("{}: {doc}", param.kind),
        };
        print(&format!(
            "{:<names$}  {:<values$}  {about}\n",
            param.name, param.value
        ))?;
    }
    let environments = environments(&project.trees);
    if !environments.is_empty() {
        print(&format!("environments: {}\n", environments.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}
