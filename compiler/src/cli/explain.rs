//! `meshc explain`: the page behind a finding's code.

use super::{Failure, say};
use mesh_lang::codes::Code;
use mesh_lang::nearest::nearest;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A code or a name, such as `E0302` or `weights-not-100`; without one, all of them are listed.
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some(wanted) = &arguments.code else {
        for code in Code::ALL {
            say(&format!(
                "{}  {:<24} {}\n",
                code.id(),
                code.name(),
                code.summary()
            ));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(code) = Code::find(wanted) else {
        let known = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
        return Err(match nearest(wanted, known) {
            Some(near) => format!("there is no finding `{wanted}`; perhaps `{near}` is meant"),
            None => format!("there is no finding `{wanted}`; `meshc explain` lists all"),
        });
    };
    say(code.explanation());
    Ok(ExitCode::SUCCESS)
}
