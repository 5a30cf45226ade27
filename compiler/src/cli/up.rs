//! `meshc up`: the whole mesh on this machine, in one process.

use super::{Failure, MeshArguments};
use crate::report::Style;
use crate::up::{self, Options};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) mesh: MeshArguments,
    /// Run an upstream server at each endpoint, too: the applications of the bookinfo example by their
    /// names, and an echo for every other service.
    #[arg(long)]
    demo: bool,
    /// Where the admin pages are.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:15000")]
    admin: SocketAddr,
    /// Log requests as JSON lines to this file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, style: Style) -> Result<ExitCode, Failure> {
    up::run(&Options {
        mesh: arguments.mesh,
        demo: arguments.demo,
        admin: arguments.admin,
        access_log: arguments.access_log,
        style,
    })
}
