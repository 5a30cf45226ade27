//! `meshc`, the compiler of .mesh policies.

use std::process::ExitCode;

fn main() -> ExitCode {
    meshc::cli::run()
}
