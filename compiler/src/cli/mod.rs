//! The command line: one file per command.

mod compile;
mod explain;
mod lint;
mod shell;
#[cfg(feature = "up")]
mod up;

use crate::compile::ParamSetting;
use crate::report::human::Style;
use clap::{Args, ColorChoice, Parser, Subcommand};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// The policy does not compile.
pub(crate) const FINDINGS: u8 = 1;
/// The command could not do its work: usage, files.
pub(crate) const FAILED: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  meshc up examples/bookinfo --demo                   run a mesh on this machine
  meshc lint examples/bookinfo                        report what is wrong with a mesh
  meshc compile examples/bookinfo -o bookinfo.bundle  compile it for meshd
  meshc compile . --set canary=25%                    with another value for a parameter
  meshc explain E0302                                 what a finding means

Exit codes:
  0  done
  1  the policy has errors
  2  the command could not be carried out: usage, a file that cannot be read or written";

/// The compiler of .mesh policies.
#[derive(Debug, Parser)]
#[command(name = "meshc", version, after_help = EXAMPLES, color = ColorChoice::Auto)]
pub(crate) struct Cli {
    /// When to use colours. `NO_COLOR` in the environment counts as never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile a mesh into a bundle.
    Compile(compile::Arguments),
    /// Report what is wrong with a mesh, and write nothing.
    Lint(lint::Arguments),
    /// Run the whole mesh on this machine, and reload it when a file changes.
    #[cfg(feature = "up")]
    Up(up::Arguments),
    /// Explain a finding by its code or name.
    Explain(explain::Arguments),
    /// Print completions for a shell.
    Completions(shell::Completions),
    /// Print the manual page.
    Man,
}

/// Which mesh, with which parameters.
#[derive(Debug, Args)]
pub(crate) struct MeshArguments {
    /// The mesh: a directory with `.mesh` files, or one such file.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Give a parameter another value, as in `--set canary=25%`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<ParamSetting>,
}

#[cfg(feature = "up")]
pub(crate) use compile::contents;

/// Runs a command line; returns how the process ends.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let style = style(cli.color);
    let result = match cli.command {
        Command::Compile(arguments) => compile::run(&arguments, style),
        Command::Lint(arguments) => lint::run(&arguments, style),
        #[cfg(feature = "up")]
        Command::Up(arguments) => up::run(arguments, style),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions(arguments) => Ok(shell::completions(&arguments)),
        Command::Man => shell::man(),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(FAILED)
        }
    }
}

/// A sentence about why a command could not be carried out.
pub(crate) type Failure = String;

/// One clear sentence on standard error.
#[allow(clippy::print_stderr)] // this is where the command line speaks
pub(crate) fn complain(sentence: &str) {
    eprintln!("meshc: {sentence}");
}

/// Text for standard output. Whoever stops reading has read enough.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Findings on standard error.
#[allow(clippy::print_stderr)] // this is where the command line speaks
pub(crate) fn show(text: &str) {
    eprint!("{text}");
}

fn style(when: When) -> Style {
    let terminal = std::io::stderr().is_terminal();
    let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style {
        color: match when {
            When::Auto => terminal && allowed,
            When::Always => true,
            When::Never => false,
        },
    }
}
