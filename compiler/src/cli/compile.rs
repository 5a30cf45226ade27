//! `meshc compile`: a mesh becomes a bundle.

use super::sign::{Signer, Terms};
use super::{
    FINDINGS, Failure, FormatArguments, MeshArguments, Stream, When, bundles, print, tell,
};
use crate::compile::check;
use crate::model::Mesh;
use crate::report::{Format, count, render};
use mesh_bundle::Bundle;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    #[command(flatten)]
    format: FormatArguments,
    /// Where to write the bundle; by default `NAME.bundle`, after the mesh, in the current directory.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Sign the bundle with this private key: a file that `meshc keygen` wrote. May be given several times.
    #[arg(long = "sign", value_name = "KEY")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let signer = match arguments.keys.as_slice() {
        [] => None,
        keys => Some(Signer::new(keys, &arguments.terms)?),
    };
    let (project, selection) = arguments.mesh.load()?;
    let mut checked = check(project, &selection);
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
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => PathBuf::from(format!("{}.bundle", mesh.name)),
    };
    let bundle = Bundle::open(planned.bytes).map_err(|error| format!("the bundle {error}"))?;
    let bytes = match &signer {
        Some(signer) => &signer.sign(&bundle)?,
        None => bundle.bytes(),
    };
    bundles::write(&output, bytes)?;
    let mut done = format!(
        "compiled  {}  {} ms\nwrote     {}  {}  {}\n",
        contents(mesh),
        started.elapsed().as_millis(),
        output.display(),
        size(bytes.len()),
        bundle.id(),
    );
    if let Some(signer) = &signer {
        done += &signer.describe();
    }
    if for_people {
        print(&done)?;
    } else {
        tell(&done)?;
    }
    Ok(ExitCode::SUCCESS)
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

fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}
