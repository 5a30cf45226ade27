//! `meshc compile`: a mesh becomes a bundle, or a slice for each of its nodes.

use super::sign::{Signer, Terms};
use super::{
    FINDINGS, Failure, FormatArguments, MeshArguments, Stream, When, bundles, print, tell,
};
use crate::compile::{Checked, check};
use crate::model::Mesh;
use crate::report::{Format, count, render};
use mesh_bundle::{Bundle, BundleId};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Examples:
  meshc compile shop -o shop.bundle
  meshc compile shop -o slices --slice                    slices/gateway/edge.bundle, slices/sidecar/reviews.bundle, …
  meshc compile shop -o shop.bundle --sign shop.key --valid-for 30d
  meshc compile shop -o shop.bundle --watch               again whenever a file changes

Whoever follows a file sees the bundle before or the new one, never a part. If the mesh does not compile, nothing is written.

Exit codes:
  0  the bundle is written; with --watch, it was stopped
  1  the mesh has errors
  2  usage, or a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    #[command(flatten)]
    format: FormatArguments,
    /// Where to write the bundle; by default `NAME.bundle`, after the mesh, in the current directory. With
    /// --slice a directory, by default `NAME.slices`.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write a bundle for each node, which holds only what that node can need.
    #[arg(long)]
    slice: bool,
    /// Put the mesh into the bundle, spelled out, so that `meshc diff` compares it by itself. Slices have none.
    #[arg(long)]
    text: bool,
    /// Sign what is written with this private key: a file that `meshc keygen` wrote. May be given several
    /// times.
    #[arg(long = "sign", value_name = "KEY")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
    /// Compile again whenever a file of the mesh changes, until stopped.
    #[cfg(feature = "up")]
    #[arg(long)]
    watch: bool,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    #[cfg(feature = "up")]
    if arguments.watch {
        return watch(arguments, color);
    }
    compile(arguments, color, &mut Vec::new())
}

/// Compiles at once and whenever a file changes.
#[cfg(feature = "up")]
fn watch(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    use crate::up::watch::{Watch, settled};
    let (send, events) = std::sync::mpsc::channel();
    let mut watch =
        Watch::new(send).map_err(|error| format!("files cannot be watched: {error}"))?;
    loop {
        let mut directories = vec![arguments.mesh.root()];
        match compile(arguments, color, &mut directories) {
            Ok(_) => {}
            Err(failure @ Failure::NobodyReads) => return Err(failure),
            // What is wrong with a file may be put right.
            Err(failure) => super::complain(&failure),
        }
        watch.follow(&directories);
        if !settled(&events) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Compiles; adds the directories that were read.
fn compile(
    arguments: &Arguments,
    color: When,
    directories: &mut Vec<PathBuf>,
) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let signer = match arguments.keys.as_slice() {
        [] => None,
        keys => Some(Signer::new(keys, &arguments.terms)?),
    };
    let (project, selection) = arguments.mesh.load()?;
    directories.extend(project.directories());
    let mut checked = check(project, &selection);
    checked.keeps_text = arguments.text;
    checked.warn_of_what_is_not_acted_on();
    let planned = checked.plan();
    let here = std::env::current_dir().ok();
    let findings = |style| {
        let report = checked.report(here.as_deref());
        render(&report, arguments.format.format, style)
    };
    // Findings stand beside what is made; where a program asked for them, they are the output.
    let for_people = arguments.format.format == Format::Human;
    if for_people {
        tell(&findings(color.style(Stream::Errors)))?;
    } else {
        print(&findings(color.style(Stream::Output)))?;
    }
    let (Some(planned), Some(mesh)) = (planned, &checked.mesh) else {
        return Ok(ExitCode::from(FINDINGS));
    };
    let bundle = bundles::made(planned.bytes)?;
    let mut done = String::new();
    let output = arguments.output.clone();
    if arguments.slice {
        let directory = output.unwrap_or_else(|| format!("{}.slices", mesh.name).into());
        let written = write_slices(&checked, mesh, bundle.id(), &directory, signer.as_ref())?;
        done += &describe(&written);
        done += &in_all(&written);
        done += &stale(&directory, &written);
    } else {
        let file = output.unwrap_or_else(|| format!("{}.bundle", mesh.name).into());
        done += &describe(&[write(&bundle, file, signer.as_ref())?]);
    }
    if let Some(signer) = &signer {
        done += &signer.describe();
    }
    let compiled = format!(
        "compiled  {}  {} ms\n",
        contents(mesh),
        started.elapsed().as_millis()
    );
    if for_people {
        print(&(compiled + &done))?;
    } else {
        tell(&(compiled + &done))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A file that was written.
struct Written {
    file: PathBuf,
    bytes: usize,
    id: BundleId,
}

fn write(bundle: &Bundle, file: PathBuf, signer: Option<&Signer>) -> Result<Written, String> {
    let signed = signer.map(|signer| signer.sign(bundle)).transpose()?;
    let bytes = signed.as_deref().unwrap_or(bundle.bytes());
    bundles::write(&file, bytes)?;
    Ok(Written {
        file,
        bytes: bytes.len(),
        id: bundle.id(),
    })
}

/// Writes the slices of all nodes, each to the file that has its name.
fn write_slices(
    checked: &Checked,
    mesh: &Mesh,
    whole: BundleId,
    directory: &Path,
    signer: Option<&Signer>,
) -> Result<Vec<Written>, String> {
    // All of them before the first is written.
    let mut slices = Vec::new();
    for (name, planned) in checked.slices(mesh, whole) {
        // What compiles as a whole compiles in parts.
        let planned =
            planned.map_err(|_| format!("{name} has no slice; this is a bug in meshc"))?;
        slices.push((name.to_string(), bundles::made(planned.bytes)?));
    }
    let file = |name: &str| directory.join(format!("{name}.{}", bundles::EXTENSION));
    let files = slices.iter().map(|(name, _)| file(name));
    let parents: BTreeSet<PathBuf> = files
        .filter_map(|it| Some(it.parent()?.to_owned()))
        .collect();
    for parent in parents {
        std::fs::create_dir_all(&parent)
            .map_err(|error| format!("{} cannot be made: {error}", parent.display()))?;
    }
    let written = slices
        .iter()
        .map(|(name, bundle)| write(bundle, file(name), signer));
    written.collect()
}

/// A line for each file.
fn describe(written: &[Written]) -> String {
    let width =
        |text: fn(&Written) -> String| written.iter().map(|it| text(it).chars().count()).max();
    let name = |it: &Written| it.file.display().to_string();
    let length = |it: &Written| bundles::size(it.bytes);
    let (names, lengths) = (width(name).unwrap_or(0), width(length).unwrap_or(0));
    let line = |it: &Written| {
        format!(
            "wrote     {:<names$}  {:>lengths$}  {}\n",
            name(it),
            length(it),
            it.id
        )
    };
    written.iter().map(line).collect()
}

fn in_all(written: &[Written]) -> String {
    let sizes = || written.iter().map(|it| it.bytes);
    let largest = sizes().max().unwrap_or_default();
    format!(
        "in all    {}, {}; the largest has {}\n",
        count(written.len(), "slice"),
        bundles::size(sizes().sum()),
        bundles::size(largest)
    )
}

/// Slices that lie there from before, of nodes that the mesh does not have any more.
fn stale(directory: &Path, written: &[Written]) -> String {
    let ours: BTreeSet<&Path> = written.iter().map(|it| it.file.as_path()).collect();
    let there = bundles::files(directory).unwrap_or_default();
    let others = there.iter().filter(|file| !ours.contains(file.as_path()));
    let mut text = String::new();
    for file in others {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "left      {}, which is of no node of this mesh",
            file.display()
        );
    }
    text
}

/// "4 services, 1 gateway, 11 arms".
pub(crate) fn contents(mesh: &Mesh) -> String {
    let arms = mesh.tables().map(|table| table.arms.len()).sum();
    [
        count(mesh.services.len(), "service"),
        count(mesh.gateways.len(), "gateway"),
        count(arms, "arm"),
    ]
    .join(", ")
}
