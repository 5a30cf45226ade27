//! `meshc publish` and `meshc rollback`: bundles for nodes to follow, one release after the other.

use super::sign::{Signer, Terms};
use super::{Failure, bundles, print};
use crate::publish::{CURRENT, Entry, Target};
use crate::report::count;
use mesh_bundle::Bundle;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
A release is all of what is published, and appears as a whole: nodes follow paths below TARGET/current.

Examples:
  meshc publish shop.bundle /srv/mesh              meshd run --bundle /srv/mesh/current/shop.bundle …
  meshc publish slices/ /srv/mesh --keep 20        meshd run --bundle /srv/mesh/current/gateway/edge.bundle …
  meshc rollback /srv/mesh                         lead nodes back to the release before

Exit codes:
  0  it is published, or was the current release already
  2  it is no bundle, bundles of several meshes, or a file that cannot be read or written";

const ROLLBACK_HELP: &str = "\
Nodes that trust keys take no bundle that is older than the one they had: what is signed is signed anew, with --sign.

Examples:
  meshc rollback /srv/mesh --list                  which releases there are
  meshc rollback /srv/mesh                         to the one before the current one
  meshc rollback /srv/mesh --to 41 --sign shop.key --valid-for 30d

Exit codes:
  0  nodes are led to the release
  2  there is no such release, it has to be signed, or a file cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Publish {
    /// A bundle, or a directory of slices.
    #[arg(value_name = "BUNDLE")]
    from: PathBuf,
    /// The directory to publish to; it is made where there is none.
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// How many releases stay there.
    #[arg(long, value_name = "N", default_value = "10")]
    keep: std::num::NonZeroUsize,
}

#[derive(Debug, clap::Args)]
#[command(after_help = ROLLBACK_HELP)]
pub(crate) struct Rollback {
    /// The directory that was published to.
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Which release [default: the one before the current one].
    #[arg(long, value_name = "RELEASE")]
    to: Option<u64>,
    /// List the releases, and change nothing.
    #[arg(long, conflicts_with_all = ["to", "keys"])]
    list: bool,
    /// Sign it anew with this private key. May be given several times.
    #[arg(long = "sign", value_name = "KEY")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
}

pub(crate) fn publish(arguments: &Publish) -> Result<ExitCode, Failure> {
    let root = &arguments.target;
    let target = Target::new(root);
    let bundles = read(&arguments.from)?;
    one_mesh(&bundles)?;
    let entries: Vec<Entry> = bundles
        .into_iter()
        .map(|(path, bundle)| (path, bundle.bytes().to_vec()))
        .collect();
    if let Some(current) = target.current().map_err(|error| unusable(root, &error))?
        && is_same(&target.directory(current), &entries)
    {
        print(&format!(
            "unchanged {} is release {current} already\n",
            arguments.from.display()
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let failed = |error| format!("{} cannot be published to: {error}", root.display());
    let release = target.add(&entries).map_err(failed)?;
    let removed = target.prune(arguments.keep.get()).map_err(failed)?;
    let mut text = format!(
        "published {} as release {release} of {}\n",
        count(entries.len(), "bundle"),
        root.display()
    );
    // Writing to a string does not fail.
    if let [(only, _)] = entries.as_slice() {
        let _ = writeln!(
            text,
            "follow    {}",
            root.join(CURRENT).join(only).display()
        );
    } else {
        let _ = writeln!(
            text,
            "follow    {}",
            root.join(CURRENT).join("NODE.bundle").display()
        );
    }
    if let [first, .., last] | [first @ last] = removed.as_slice() {
        let which = if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        };
        let _ = writeln!(text, "removed   release {which}; --keep says how many stay");
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn rollback(arguments: &Rollback) -> Result<ExitCode, Failure> {
    let root = &arguments.target;
    let target = Target::new(root);
    let releases = target.releases().map_err(|error| unusable(root, &error))?;
    let current = target.current().map_err(|error| unusable(root, &error))?;
    let Some(current) = current else {
        return Err(format!("nothing was published to {}", root.display()).into());
    };
    if arguments.list {
        print(&list(&target, &releases, current)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let to = match arguments.to {
        Some(to) if releases.contains(&to) => to,
        Some(to) => {
            let known = releases.iter().map(ToString::to_string).collect::<Vec<_>>();
            return Err(format!("there is no release {to}; there are {}", known.join(", ")).into());
        }
        None => {
            let before = releases.iter().rfind(|release| **release < current);
            *before.ok_or_else(|| format!("there is no release before {current}"))?
        }
    };
    let bundles = read(&target.directory(to))?;
    let is_signed = bundles
        .iter()
        .any(|(_, bundle)| bundle.signatures().is_some());
    let signer = match arguments.keys.as_slice() {
        [] if is_signed && to != current => {
            return Err(format!(
                "release {to} is signed, and nodes that trust its key take nothing older than they had: \
                 sign it anew with --sign KEY"
            )
            .into());
        }
        [] => None,
        keys => Some(Signer::new(keys, &arguments.terms)?),
    };
    let failed = |error| format!("{} cannot be published to: {error}", root.display());
    if let Some(signer) = &signer {
        let signed = bundles
            .iter()
            .map(|(path, bundle)| Ok((path.clone(), signer.sign(bundle)?)));
        let signed = signed.collect::<Result<Vec<Entry>, String>>()?;
        // Nodes are not led to it yet, or to each file as a whole.
        for (path, bytes) in &signed {
            bundles::write(&target.directory(to).join(path), bytes)?;
        }
    }
    target.lead_to(to).map_err(failed)?;
    let mut text = format!(
        "current   release {to} of {}, in place of {current}\n",
        root.display()
    );
    if let Some(signer) = &signer {
        text += &signer.describe();
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn unusable(root: &Path, error: &io::Error) -> String {
    format!("{} cannot be used: {error}", root.display())
}

/// The bundles at a path, opened: for each where it is below that path.
fn read(from: &Path) -> Result<Vec<(PathBuf, Bundle)>, String> {
    let files = bundles::files(from)?;
    let base = if from.is_dir() {
        Some(from)
    } else {
        from.parent()
    };
    let relative = |file: &PathBuf| {
        let below = base.and_then(|base| file.strip_prefix(base).ok());
        below.unwrap_or(file).to_owned()
    };
    let opened = files
        .iter()
        .map(|file| Ok((relative(file), bundles::open(file)?)));
    opened.collect()
}

/// What is published together is of one mesh.
fn one_mesh(bundles: &[(PathBuf, Bundle)]) -> Result<(), String> {
    let mesh = |bundle: &Bundle| bundle.str(bundle.mesh().name).to_owned();
    let mut meshes: Vec<String> = bundles.iter().map(|(_, bundle)| mesh(bundle)).collect();
    meshes.dedup();
    match meshes.as_slice() {
        [one, other, ..] => Err(format!(
            "these bundles are of several meshes: {one}, {other}"
        )),
        _ => Ok(()),
    }
}

/// Whether a release holds exactly this.
fn is_same(release: &Path, entries: &[Entry]) -> bool {
    let there = bundles::files(release).unwrap_or_default();
    there.len() == entries.len()
        && entries
            .iter()
            .all(|(path, bytes)| std::fs::read(release.join(path)).is_ok_and(|it| it == *bytes))
}

/// A line for each release, the newest first.
fn list(target: &Target, releases: &[u64], current: u64) -> Result<String, String> {
    let mut text = String::new();
    for release in releases.iter().rev() {
        let bundles = read(&target.directory(*release))?;
        let mark = if *release == current { "current" } else { "" };
        let what = match bundles.as_slice() {
            [(path, bundle)] => format!("{} {}", path.display(), bundle.id()),
            several => format!(
                "{} of {}",
                count(several.len(), "slice"),
                whole(&several[0].1)
            ),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{mark:<8}  {release:>6}  {what}");
    }
    Ok(text)
}

/// The bundle that a slice is cut from, in short.
fn whole(bundle: &Bundle) -> String {
    let mut facts = bundle.provenances().iter();
    let whole = facts.find(|it| bundle.str(it.key) == "whole");
    let id = whole.and_then(|it| mesh_bundle::BundleId::from_full(bundle.str(it.value)));
    id.unwrap_or_else(|| bundle.id()).to_string()
}
