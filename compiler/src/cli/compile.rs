//! `meshc compile`: a mesh becomes a bundle.

use super::{FINDINGS, Failure, MeshArguments, lint, say, show};
use crate::model::Mesh;
use crate::report::human::{Style, render};
use mesh_bundle::BundleId;
use mesh_bundle::format::{HEADER_LENGTH, Header};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use zerocopy::FromBytes as _;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    /// Where to write the bundle; by default `NAME.bundle`, after the mesh, in the current directory.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, style: Style) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let mut checked = lint::load(&arguments.mesh)?;
    let planned = checked.plan();
    show(&render(&checked.diagnostics, &checked.sources, style));
    let (Some(planned), Some(mesh)) = (planned, &checked.mesh) else {
        return Ok(ExitCode::from(FINDINGS));
    };
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => PathBuf::from(format!("{}.bundle", mesh.name)),
    };
    write(&output, &planned.bytes)
        .map_err(|error| format!("{} cannot be written: {error}", output.display()))?;
    say(&format!(
        "compiled  {}  {} ms\nwrote     {}  {}  {}\n",
        contents(mesh),
        started.elapsed().as_millis(),
        output.display(),
        size(planned.bytes.len()),
        bundle_id(&planned.bytes),
    ));
    Ok(ExitCode::SUCCESS)
}

/// Writes a file so that whoever reads it sees the old content or the new, never a part.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".bundle-")
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    readable_by_all(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(directory)?.sync_all()
}

/// A bundle holds no secret, and who serves it may be somebody else; temporary files are private.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// "4 services, 1 gateway, 11 arms".
pub(crate) fn contents(mesh: &Mesh) -> String {
    let count = |count: usize, name: &str| match count {
        1 => format!("1 {name}"),
        many => format!("{many} {name}s"),
    };
    let arms = mesh.tables().map(|table| table.arms.len()).sum();
    [
        count(mesh.services.len(), "service"),
        count(mesh.gateways.len(), "gateway"),
        count(arms, "arm"),
    ]
    .join(", ")
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

fn bundle_id(bytes: &[u8]) -> BundleId {
    let header = Header::read_from_bytes(&bytes[..HEADER_LENGTH]);
    BundleId(header.map_or([0; 32], |header| header.hash))
}
