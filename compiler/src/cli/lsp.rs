//! `meshc lsp`: the language server.

use super::Failure;
use crate::lsp::{self, Ended};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Editors start it, and talk to it over standard input and output in the language server
protocol; how each of them does is in editors/README.md. It finds the mesh of a file by itself:
the widest directory around it, in the folder that is open, with one `mesh` item below. Where
that is not what you mean, the setting `roots` says it, as initialization option or as
`mesh.roots` of the configuration: a list of directories, relative to the folder.

Exit codes:
  0  the editor ended the session
  1  the editor went without ending it
  2  the session could not be served";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Talk over standard input and output, as it does anyway: some editors ask for it.
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(Arguments { stdio: _ }: &Arguments) -> Result<ExitCode, Failure> {
    match lsp::run() {
        Ok(Ended::Asked) => Ok(ExitCode::SUCCESS),
        Ok(Ended::Abandoned) => Ok(ExitCode::FAILURE),
        Err(reason) => Err(Failure::from(format!("the session failed: {reason}"))),
    }
}
