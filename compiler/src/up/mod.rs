//! The local mesh: `meshc up`.
//!
//! One process compiles, runs the gateways and a sidecar for every endpoint on this machine, and with
//! `--demo` the applications behind them; then it watches the policy, and what is saved is live. It is the
//! runtime's own code, fed with bundles directly instead of files.
//!
//! ```text
//! policy ─ check ─▶ model ─ sidecars get ports ─ plan ─▶ bundle ─▶ meshd::Runtime
//!    ▲                                                                │
//!    └── notify: a file changed ◀── an editor                 reload ─┘
//! ```

mod certificate;
mod changes;
mod demo;
mod local;
pub(crate) mod watch;

use crate::cli::{FAILED, FINDINGS, Failure, MeshArguments, complain, contents, say, show};
use crate::compile::{Checked, check};
use crate::model::Mesh;
use crate::report::{Format, Style, render};
use local::Local;
use mesh_bundle::Bundle;
use meshd::{AccessLog, Exit, ProcessOptions, Runtime};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use watch::{Event, Watch, settled};

/// What is run, and how.
#[derive(Debug)]
pub(crate) struct Options {
    /// The mesh, and what is selected of it.
    pub mesh: MeshArguments,
    /// Whether upstream servers run, too.
    pub demo: bool,
    /// Where the admin pages are.
    pub admin: SocketAddr,
    /// Where requests are logged.
    pub access_log: Option<PathBuf>,
    /// How findings are drawn.
    pub style: Style,
}

/// Runs the mesh until a signal stops it.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let mut local = Local::default();
    let mut directories = vec![options.mesh.root()];
    let Some((mesh, bundle)) = compile(options, &mut local, &mut directories)? else {
        return Ok(ExitCode::from(FINDINGS));
    };
    let compiled = started.elapsed();

    let root = options.mesh.root();
    let certificates = certificate::provide(&root, &mesh)?;
    let demo = if options.demo {
        Some(demo::start(&mesh, &local)?)
    } else {
        None
    };
    let nodes = local.nodes(&mesh, &[root, certificates.directory.clone()]);
    let process = ProcessOptions {
        admin: Some(options.admin),
        access_log: match &options.access_log {
            None => AccessLog::Off,
            Some(path) if path.as_os_str() == "-" => AccessLog::Stdout,
            Some(path) => AccessLog::File(path.clone()),
        },
        ..ProcessOptions::default()
    };
    let runtime = Runtime::start(bundle, nodes, process).map_err(|error| error.to_string())?;

    say(&format!(
        "  compiled  {}  {} ms\n",
        contents(&mesh),
        compiled.as_millis()
    ));
    say(&local.describe(&mesh, &runtime, certificates.made));
    if let Some(admin) = runtime.admin() {
        say(&format!("  admin     http://{admin}\n"));
    }
    if demo.is_some() {
        say(&demo::what_to_try(&mesh));
    }
    say(&format!(
        "  watching  {} — edit a file and it is live\n",
        options.mesh.path.display()
    ));

    let (send, events) = channel();
    let mut watch =
        Watch::new(send).map_err(|error| format!("files cannot be watched: {error}"))?;
    watch.follow(&directories);
    serve(options, &runtime, &mut local, mesh, &mut watch, &events);
    drop(demo);
    Ok(match runtime.wait() {
        Exit::Drained => ExitCode::SUCCESS,
        Exit::Interrupted(code) => ExitCode::from(code),
        Exit::Failed => ExitCode::from(FAILED),
    })
}

/// Compiles what is written now; `None` where it has errors, which were shown. Adds the directories that
/// were read.
fn compile(
    options: &Options,
    local: &mut Local,
    directories: &mut Vec<PathBuf>,
) -> Result<Option<(Mesh, Arc<Bundle>)>, Failure> {
    let (project, selection) = options.mesh.load()?;
    directories.extend(project.directories());
    let mut checked: Checked = check(project, &selection);
    if let Some(mesh) = &mut checked.mesh {
        local.place_sidecars(mesh)?;
    }
    checked.warn_of_what_is_not_acted_on();
    let planned = checked.plan();
    let here = std::env::current_dir().ok();
    let report = checked.report(here.as_deref());
    show(&render(&report, Format::Human, options.style));
    let (Some(planned), Some(mesh)) = (planned, checked.mesh) else {
        return Ok(None);
    };
    let bundle = Bundle::open(planned.bytes)
        .map_err(|error| format!("the bundle just compiled {error}; this is a bug in meshc"))?;
    Ok(Some((mesh, Arc::new(bundle))))
}

/// Serves and reloads until a signal comes.
fn serve(
    options: &Options,
    runtime: &Runtime,
    local: &mut Local,
    mut mesh: Mesh,
    watch: &mut Watch,
    events: &Receiver<Event>,
) {
    while settled(events) {
        let started = Instant::now();
        let mut directories = Vec::new();
        let compiled = match compile(options, local, &mut directories) {
            Ok(compiled) => compiled,
            Err(failure) => {
                complain(&failure);
                None
            }
        };
        watch.follow(&directories);
        let Some((new, bundle)) = compiled else {
            say("  kept      the mesh as it was\n");
            continue;
        };
        match runtime.reload(bundle) {
            Ok(report) if report.applied => {
                say(&changes::describe(
                    &mesh,
                    &new,
                    started.elapsed(),
                    report.connections_dropped,
                ));
                mesh = new;
            }
            Ok(_) => {}
            Err(error) => complain(&format!("kept the mesh as it was: {error}")),
        }
        local.warn_about_nodes(&mesh);
    }
    say("  stopping  requests under way may end; once more to stop at once\n");
    runtime.shutdown();
    watch::exit_on_next_signal();
}
