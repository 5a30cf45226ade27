//! The command line: one file per command.

mod bundles;
mod compile;
mod diff;
mod expand;
mod explain;
mod file;
mod fmt;
mod graph;
mod init;
mod inspect;
mod keygen;
mod lint;
#[cfg(feature = "lsp")]
mod lsp;
mod matrix;
mod params;
mod publish;
mod replay;
mod route;
mod shell;
mod side;
mod sign;
mod test;
#[cfg(feature = "up")]
mod up;

use crate::compile::{Checked, ParamSetting, Selection};
use crate::params as param_files;
use crate::project::Project;
use crate::report::{Format, Style, render};
use crate::resolve::declared_params;
use clap::{Args, ColorChoice, Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// The policy does not compile, or has what `--fail-on` names.
pub(crate) const FINDINGS: u8 = 1;
/// The command could not do its work: usage, files.
pub(crate) const FAILED: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  meshc init shop                                     write a small mesh to start from
  meshc up examples/bookinfo --demo                   run a mesh on this machine
  meshc lint examples/bookinfo                        report what is wrong with a mesh
  meshc lint --fix .                                  and mend what can be mended
  meshc fmt examples/bookinfo                         put its files into the one layout
  meshc test examples/bookinfo --coverage             run its tests, and list what they leave untouched
  meshc route GET https://shop.example/cart           tell where a request goes, and why
  meshc diff main . --fail-on widened                 tell what a change means for requests
  meshc replay access.log shop                        tell which recorded requests it would treat otherwise
  meshc graph examples/bookinfo -o bookinfo.dot       draw what calls what
  meshc matrix examples/zero-trust                    print who may do what
  meshc compile examples/bookinfo -o bookinfo.bundle  compile it for meshd
  meshc compile . --sign shop.key                     and sign it, for nodes that trust shop.pub
  meshc compile . --env prod --set canary=25%         for an environment, with another value for a parameter
  meshc compile . -o slices --slice                   for each node only what it can need
  meshc publish slices /srv/mesh                      for nodes to follow
  meshc inspect bookinfo.bundle                       show what is in a bundle
  meshc explain E0302                                 what a finding means

Exit codes:
  0  done
  1  the policy has errors or a test that fails, findings that `lint --fail-on` names, or files that
     `fmt --check` would lay out
  2  the command could not be carried out: usage, a file that cannot be read or written";

/// The compiler of .mesh policies.
#[derive(Debug, Parser)]
#[command(name = "meshc", version, after_help = EXAMPLES, color = ColorChoice::Auto)]
pub(crate) struct Cli {
    /// When to use colours and links. `auto` heeds `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and the terminal.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a small mesh to start from.
    Init(init::Arguments),
    /// Compile a mesh into a bundle.
    Compile(compile::Arguments),
    /// Report what is wrong with a mesh, and mend it where asked to.
    Lint(lint::Arguments),
    /// Put the files of a mesh into the one layout.
    Fmt(fmt::Arguments),
    /// Run the tests of a mesh, and show what they leave untouched.
    Test(test::Arguments),
    /// Tell the whole way of a request: every decision, and who made it.
    Route(route::Arguments),
    /// Tell what a change means for requests: who gets in, and where they go.
    Diff(diff::Arguments),
    /// Put the requests of an access log before a mesh: which would meet something else.
    Replay(replay::Arguments),
    /// Draw a mesh: what calls what, with which requests, and what clients reach of it.
    Graph(graph::Arguments),
    /// Print who may do what: the decision for each caller, service, method and path, and the rule that makes it.
    Matrix(matrix::Arguments),
    /// Print a mesh spelled out: defaults, policies and params filled in, and who said what.
    Expand(expand::Arguments),
    /// Publish bundles to a directory, where nodes follow them.
    Publish(publish::Publish),
    /// Lead nodes back to what was published before.
    Rollback(publish::Rollback),
    /// Show what is in a bundle.
    Inspect(inspect::Arguments),
    /// Sign bundles, so that nodes can tell who made them.
    Sign(sign::Arguments),
    /// Make a pair of keys to sign bundles with.
    Keygen(keygen::Arguments),
    /// Run the whole mesh on this machine, and reload it when a file changes.
    #[cfg(feature = "up")]
    Up(up::Arguments),
    /// Serve an editor: findings, completion and the rest, over the language server protocol.
    #[cfg(feature = "lsp")]
    Lsp(lsp::Arguments),
    /// List the parameters of a mesh, or print the schema of files that set them.
    Params(params::Arguments),
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
    pub(crate) path: PathBuf,
    /// The environment, as in `--env prod` for an `env prod { … }`.
    #[arg(long = "env", value_name = "NAME")]
    environment: Option<String>,
    /// A YAML file of parameters; `meshc params --schema` prints what it may hold.
    #[arg(long, value_name = "FILE")]
    params: Vec<PathBuf>,
    /// Give a parameter another value, as in `--set canary=25%`. It counts above `--params`, and that
    /// above `--env`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<ParamSetting>,
}

impl MeshArguments {
    /// The directory that paths in the mesh are relative to.
    #[cfg(feature = "up")]
    pub(crate) fn root(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if self.path.is_file() && parent.as_os_str().is_empty() => {
                PathBuf::from(".")
            }
            Some(parent) if self.path.is_file() => parent.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// Reads the mesh, and what is selected of it.
    pub(crate) fn load(&self) -> Result<(Project, Selection), Failure> {
        let project = Project::load(&self.path).map_err(|error| error.to_string())?;
        let mut settings = Vec::new();
        if !self.params.is_empty() {
            let declared = declared_params(&project.trees, &project.sources);
            for file in &self.params {
                let given =
                    param_files::read(file, &declared).map_err(|error| error.to_string())?;
                settings.extend(given);
            }
        }
        settings.extend(self.settings.iter().cloned());
        let selection = Selection {
            environment: self.environment.clone(),
            settings,
        };
        Ok((project, selection))
    }
}

/// How findings are told.
#[derive(Debug, Args)]
pub(crate) struct FormatArguments {
    /// How findings are told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[cfg(feature = "up")]
pub(crate) use compile::contents;

/// Runs a command line; returns how the process ends.
pub fn run() -> ExitCode {
    let Cli { color, command } = Cli::parse();
    let result = match command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments, color),
        Command::Lint(arguments) => lint::run(&arguments, color),
        Command::Fmt(arguments) => fmt::run(&arguments, color),
        Command::Test(arguments) => test::run(&arguments, color),
        Command::Route(arguments) => route::run(&arguments, color),
        Command::Diff(arguments) => diff::run(&arguments, color),
        Command::Replay(arguments) => replay::run(&arguments, color),
        Command::Graph(arguments) => graph::run(&arguments, color),
        Command::Matrix(arguments) => matrix::run(&arguments, color),
        Command::Expand(arguments) => expand::run(&arguments, color),
        Command::Publish(arguments) => publish::publish(&arguments),
        Command::Rollback(arguments) => publish::rollback(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments, color),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
        #[cfg(feature = "up")]
        Command::Up(arguments) => up::run(arguments, color.style(Stream::Errors)),
        #[cfg(feature = "lsp")]
        Command::Lsp(arguments) => lsp::run(&arguments),
        Command::Params(arguments) => params::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments, color),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man => shell::man(),
    };
    match result {
        Ok(code) => code,
        // Whoever stops reading has read enough, as `meshc lint | head` does.
        Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(failure @ Failure::Because(_)) => {
            complain(&failure);
            ExitCode::from(FAILED)
        }
    }
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// For this reason.
    #[error("{0}")]
    Because(String),
    /// Nobody reads what it says.
    #[error("nobody reads the output")]
    NobodyReads,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Because(reason)
    }
}

/// One clear sentence on standard error.
pub(crate) fn complain(sentence: &dyn std::fmt::Display) {
    let _ = tell(&format!("meshc: {sentence}\n"));
}

/// Text for standard output, of a command that goes on whether it is read or not.
#[cfg(feature = "up")]
pub(crate) fn say(text: &str) {
    let _ = print(text);
}

/// Findings on standard error, of a command that goes on whether they are read or not.
#[cfg(feature = "up")]
pub(crate) fn show(text: &str) {
    let _ = tell(text);
}

/// Text for standard output.
fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Bytes for standard output.
fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    written(io::stdout().lock(), bytes, "standard output")
}

/// Text for standard error.
fn tell(text: &str) -> Result<(), Failure> {
    written(io::stderr().lock(), text.as_bytes(), "standard error")
}

/// Tells what is wrong with a mesh that makes no bundle.
fn refuse(checked: &Checked, color: When) -> Result<ExitCode, Failure> {
    let here = std::env::current_dir().ok();
    let report = checked.report(here.as_deref());
    tell(&render(&report, Format::Human, color.style(Stream::Errors)))?;
    Ok(ExitCode::from(FINDINGS))
}

fn written(mut stream: impl io::Write, bytes: &[u8], name: &str) -> Result<(), Failure> {
    let done = stream.write_all(bytes).and_then(|()| stream.flush());
    done.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Because(format!("{name} cannot be written: {error}")),
    })
}

/// Where text goes.
#[derive(Clone, Copy, Debug)]
enum Stream {
    Output,
    Errors,
}

impl When {
    /// What a stream can, as far as it was asked for.
    fn style(self, stream: Stream) -> Style {
        let colors = |choice| !matches!(choice, anstream::ColorChoice::Never);
        let can = || match stream {
            Stream::Output => colors(anstream::AutoStream::choice(&io::stdout())),
            Stream::Errors => colors(anstream::AutoStream::choice(&io::stderr())),
        };
        let color = match self {
            Self::Auto => can(),
            Self::Always => true,
            Self::Never => false,
        };
        let links = supports_hyperlinks::on(match stream {
            Stream::Output => supports_hyperlinks::Stream::Stdout,
            Stream::Errors => supports_hyperlinks::Stream::Stderr,
        });
        Style {
            color,
            links: color && links,
        }
    }
}
