//! The command line of `meshd`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use mesh_bundle::signature::Moment;

use crate::config::{self, Admin, ConfigError, DEFAULT_ADMIN, Settings};
use crate::reload::{counted, say};
use crate::snapshot::{Entrance, Snapshot};
use crate::{
    AccessLog, Exit, Gate, GateError, Node, NodeOptions, ProcessOptions, Runtime, Source,
    SourceError, StartError,
};

const AFTER_HELP: &str = "\
Examples:
  meshd run --bundle bookinfo.bundle --node gateway/edge
  meshd run --bundle bookinfo.bundle --node sidecar/reviews --outbound 127.0.0.1:15001
  meshd run --config /etc/mesh/meshd.yaml
  meshd run --bundle bookinfo.bundle --node gateway/edge --trust mesh.pub --state mesh.state
  meshd check --bundle bookinfo.bundle --node gateway/edge

Exit codes:
  0    all went well; after SIGTERM or SIGINT, when the requests under way have ended
  1    it failed while it ran
  2    the command line, the configuration, the bundle, a certificate or a port is not right
  130  a second SIGINT came before the requests under way had ended (143: SIGTERM)";

const RUN_AFTER_HELP: &str = "\
The bundle's file is followed: a new one is in force milliseconds after it is there, and no
connection is dropped. A file that cannot be used changes nothing but a line on standard error,
a metric and the admin page.

Signals:
  SIGHUP           load the bundle and the certificates anew, open the access log anew
  SIGTERM, SIGINT  end: accept no more, answer what is under way; a second one ends at once

Admin pages: /healthz /ready /status /metrics";

/// Serves a mesh's bundle as an edge gateway or as a sidecar.
#[derive(Debug, Parser)]
#[command(name = "meshd", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, until told to stop.
    #[command(after_help = RUN_AFTER_HELP)]
    Run(Box<RunArguments>),
    /// Say what would be served, and whether it can be.
    ///
    /// Opens the bundle, finds the node and loads its certificates. Nothing is bound.
    Check(Box<NodeArguments>),
    /// Print the JSON Schema of meshd.yaml.
    Schema,
    /// Print a script that completes meshd's command line.
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// Which node.
#[derive(Debug, Args)]
struct NodeArguments {
    /// The bundle's file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// What to be: gateway/NAME or sidecar/SERVICE, with NAMESPACE/ before the name if it has one.
    #[arg(long, value_name = "NODE")]
    node: Option<Node>,
    /// Which endpoint of its service a sidecar stands before, where several are on this machine.
    #[arg(long, value_name = "ADDRESS", value_parser = config::address)]
    endpoint: Option<SocketAddr>,
    /// Where a sidecar takes its application's requests to others, such as 127.0.0.1:15001.
    #[arg(long, value_name = "ADDRESS", value_parser = config::address)]
    outbound: Option<SocketAddr>,
    /// Where certificates with relative paths are [default: the bundle's directory].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    files: Option<PathBuf>,
    /// Serve only bundles that one of these keys has signed: files of public keys (PEM).
    #[arg(long, value_name = "KEY", num_args = 1.., value_hint = ValueHint::FilePath)]
    trust: Vec<PathBuf>,
    /// Serve only bundles of this mesh [default, with --trust: the mesh of the first bundle].
    #[arg(long, value_name = "NAME")]
    mesh: Option<String>,
    /// Remember the newest bundle served in a file, so that no older one is served after a restart.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// Read what is not said here from a file; `meshd schema` says what it may hold.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArguments {
    #[command(flatten)]
    node: NodeArguments,
    /// Threads that serve [default: one per core for a gateway, one for a sidecar].
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// Where a gateway listens if the bundle names only a port [default: every address].
    #[arg(long, value_name = "IP")]
    bind: Option<IpAddr>,
    /// Where the admin pages are, or `off` [default: 127.0.0.1:15000].
    #[arg(long, value_name = "ADDRESS", value_parser = config::admin)]
    admin: Option<Admin>,
    /// Where requests are logged: `-` for standard output, a file, or `off` [default: -].
    #[arg(long, value_name = "WHERE", value_parser = access_log)]
    access_log: Option<AccessLog>,
    /// Hash values in the access log with the secret in this file, the same one for all nodes and restarts, so that
    /// `meshc replay` can compare them [default: a key that nobody knows].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    log_key: Option<PathBuf>,
    /// How long requests under way may take to end [default: 30s].
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    drain_timeout: Option<Duration>,
    /// How long to go on serving after SIGTERM, already not ready [default: 0s].
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    pre_stop: Option<Duration>,
}

#[allow(clippy::unnecessary_wraps)]
fn access_log(text: &str) -> Result<AccessLog, std::convert::Infallible> {
    Ok(config::access_log(text))
}

impl NodeArguments {
    fn settings(self) -> (Settings, Option<PathBuf>) {
        let settings = Settings {
            bundle: self.bundle,
            node: self.node,
            endpoint: self.endpoint,
            outbound: self.outbound,
            files: self.files,
            trust: self.trust,
            mesh: self.mesh,
            state: self.state,
            ..Settings::default()
        };
        (settings, self.config)
    }
}

impl RunArguments {
    fn settings(self) -> (Settings, Option<PathBuf>) {
        let (of_node, config) = self.node.settings();
        let settings = Settings {
            workers: self.workers,
            bind: self.bind,
            admin: self.admin,
            access_log: self.access_log,
            log_key: self.log_key,
            drain_timeout: self.drain_timeout,
            pre_stop: self.pre_stop,
            ..of_node
        };
        (settings, config)
    }
}

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("--state remembers signatures, and without --trust none are looked at")]
    StateOfNothing,
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Problem {
    fn code(&self) -> u8 {
        match self {
            Self::Start(StartError::Thread(_)) | Self::Output(_) => 1,
            Self::Config(_)
            | Self::StateOfNothing
            | Self::Gate(_)
            | Self::Source(_)
            | Self::Start(_) => 2,
        }
    }
}

/// Runs `meshd` as its arguments say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has had enough of it.
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(problem) => {
            say(&problem.to_string());
            ExitCode::from(problem.code())
        }
    }
}

fn run(command: Command) -> Result<u8, Problem> {
    match command {
        Command::Run(arguments) => {
            let (flags, config) = arguments.settings();
            serve(merged(flags, config.as_deref())?)
        }
        Command::Check(arguments) => {
            let (flags, config) = arguments.settings();
            check(&merged(flags, config.as_deref())?).map(|()| 0)
        }
        Command::Schema => print(config::SCHEMA.as_bytes()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "meshd", &mut script);
            print(&script)
        }
        Command::Man => print(&manual()?),
    }
}

fn print(text: &[u8]) -> Result<u8, Problem> {
    let mut output = io::stdout().lock();
    output.write_all(text)?;
    output.flush()?;
    Ok(0)
}

/// One page for all commands.
fn manual() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let manual = clap_mangen::Man::new(command.clone());
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    manual.render_synopsis_section(&mut page)?;
    manual.render_description_section(&mut page)?;
    for subcommand in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
    {
        writeln!(
            page,
            ".SH \"MESHD {}\"",
            subcommand.get_name().to_uppercase()
        )?;
        let manual = clap_mangen::Man::new(subcommand.clone());
        let mut section = Vec::new();
        manual.render_description_section(&mut section)?;
        manual.render_options_section(&mut section)?;
        manual.render_extra_section(&mut section)?;
        // Sections within a command's section.
        page.extend(
            String::from_utf8_lossy(&section)
                .replace(".SH ", ".SS ")
                .into_bytes(),
        );
    }
    manual.render_extra_section(&mut page)?;
    manual.render_version_section(&mut page)?;
    Ok(page)
}

fn merged(flags: Settings, config: Option<&Path>) -> Result<Settings, ConfigError> {
    Ok(match config {
        Some(path) => flags.or(Settings::read(path)?),
        None => flags,
    })
}

/// The bundle, the node, and how it runs.
fn opened(settings: &Settings) -> Result<(Source, Node, NodeOptions), Problem> {
    let path = settings.bundle.as_deref().ok_or(ConfigError::Missing {
        what: "there is no bundle",
        flag: "--bundle FILE",
        key: "bundle",
    })?;
    let node = settings.node.clone().ok_or(ConfigError::Missing {
        what: "it is not said what to be",
        flag: "--node gateway/NAME or sidecar/SERVICE",
        key: "node",
    })?;
    if settings.state.is_some() && settings.trust.is_empty() {
        return Err(Problem::StateOfNothing);
    }
    let (mesh, state) = (settings.mesh.clone(), settings.state.clone());
    let gate = Gate::new(&settings.trust, mesh, state)?;
    let source = Source::open_through(gate, path)?;
    let home = path.parent().filter(|home| *home != Path::new(""));
    let files = settings.files.as_deref().or(home).unwrap_or(Path::new("."));
    let options = NodeOptions {
        endpoint: settings.endpoint,
        outbound: settings.outbound,
        workers: settings.workers,
        bind: settings.bind,
        files: vec![files.to_owned()],
        ..NodeOptions::default()
    };
    Ok((source, node, options))
}

fn serve(settings: Settings) -> Result<u8, Problem> {
    let (source, node, options) = opened(&settings)?;
    let process = ProcessOptions {
        admin: match settings.admin.unwrap_or(Admin::At(DEFAULT_ADMIN)) {
            Admin::Off => None,
            Admin::At(address) => Some(address),
        },
        drain: settings.drain(),
        access_log: settings.access_log.unwrap_or(AccessLog::Stdout),
        log_key: settings
            .log_key
            .as_deref()
            .map(config::log_key)
            .transpose()?,
        signals: true,
        follow: Some(source.clone()),
    };
    one_line_per_panic();
    let bundle = Arc::clone(source.bundle());
    let nodes = vec![(node.clone(), options)];
    let runtime = Runtime::start(bundle, nodes, process)?;
    let listeners = runtime.listeners().into_iter();
    let places: Vec<String> = listeners
        .map(|listener| format!("{} {}", listener.kind, listener.address))
        .collect();
    let admin = runtime
        .admin()
        .map_or(String::new(), |address| format!(", admin {address}"));
    say(&format!(
        "{node} serves bundle {} ({}) at {}{admin}",
        source.bundle().id(),
        counted(source.bundle().arms().len(), "arm"),
        places.join(", "),
    ));
    let lacking = runtime.not_acted_on();
    if !lacking.is_empty() {
        say(&format!(
            "this version does not act on {}",
            lacking.join(", ")
        ));
    }
    drop(source);
    match runtime.wait() {
        Exit::Drained => Ok(0),
        Exit::Interrupted(code) => Ok(code),
        Exit::Failed => Ok(1),
    }
}

/// A panic costs one connection; it need not cost a page of log as well.
fn one_line_per_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic
            .location()
            .map_or(String::new(), |it| format!(" at {it}"));
        say(&format!(
            "a defect has ended a connection or a task{place}: {message}"
        ));
    }));
}

/// Says what would be served.
fn check(settings: &Settings) -> Result<(), Problem> {
    let (source, node, options) = opened(settings)?;
    let bundle = Arc::clone(source.bundle());
    let snapshot = Snapshot::build(Arc::clone(&bundle), &node, &options, None)
        .map_err(|error| StartError::Reload(error.into()))?;
    let mut text = format!(
        "bundle    {} of mesh {}, {}\nnode      {node}\n",
        bundle.id(),
        bundle.str(bundle.mesh().name),
        counted(bundle.arms().len(), "arm"),
    );
    if let Some(approval) = source.approval() {
        let (key, sequence) = (approval.key, approval.in_force.sequence);
        let until = match approval.not_after {
            Moment::NEVER => String::new(),
            until => format!(", valid until {until}"),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "signed    key {key}, sequence {sequence}{until}");
    }
    let tried = bundle.samples().len();
    if tried > 0 {
        let _ = writeln!(text, "tests     {} passed", counted(tried, "request"));
    }
    for plan in &snapshot.listeners {
        let place = match plan.target {
            crate::listen::socket::Target::Address(address) => address.to_string(),
            crate::listen::socket::Target::Everywhere(port) => {
                format!("port {port}, every address")
            }
        };
        let what = match plan.entrance {
            Entrance::Gateway {
                redirect_https: true,
                ..
            } => "http, redirects to https".to_owned(),
            Entrance::Gateway { .. } => match &plan.tls {
                Some(tls) => format!("https, certificate {}", tls.files[0].display()),
                None => "http".to_owned(),
            },
            Entrance::Inbound => "inbound".to_owned(),
            Entrance::Outbound => "outbound".to_owned(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "listener  {place}  {what}");
    }
    for lacking in &snapshot.not_acted_on {
        let _ = writeln!(text, "lacks     {lacking}");
    }
    if io::stdout().is_terminal() {
        text += "nothing stands in the way of `meshd run`, free ports aside\n";
    }
    print(text.as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_manual_has_every_command() {
        let page = manual().expect("memory can be written");
        let page = String::from_utf8_lossy(&page);
        for part in ["MESHD RUN", "MESHD CHECK", "drain\\-timeout", "Exit codes"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
