//! One of two meshes that are compared: a directory or file, an environment of it, a revision of git, or a bundle.

use super::{Failure, bundles};
use crate::compile::{Checked, ParamSetting, Selection, check};
use crate::plan::origin::TEXT;
use crate::project::Project;
use mesh_bundle::Bundle;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mesh that is compared, compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) checked: Checked,
    /// None where it does not compile.
    pub(super) bundle: Option<Bundle>,
    /// Of a mesh that a bundle spells out: where each line was written.
    pub(super) places: Vec<Option<String>>,
}

/// Reads `PATH`, `PATH#ENV`, `REVISION`, `REVISION:PATH`, or a bundle.
pub(super) fn read(text: &str, settings: &[ParamSetting]) -> Result<Compiled, Failure> {
    let (place, environment) = match text.rsplit_once('#') {
        Some((place, environment)) if !Path::new(text).exists() => (place, Some(environment)),
        _ => (text, None),
    };
    let place = if place.is_empty() { "." } else { place };
    let selection = Selection {
        environment: environment.map(str::to_owned),
        settings: settings.to_vec(),
    };
    if bundles::is_bundle(Path::new(place)) {
        return spelled_out(Path::new(place));
    }
    if Path::new(place).exists() {
        return compile(Path::new(place), &selection);
    }
    let revision = Revision::check_out(place)?;
    compile(&revision.mesh, &selection)
}

fn compile(path: &Path, selection: &Selection) -> Result<Compiled, Failure> {
    let project = Project::load(path).map_err(|error| error.to_string())?;
    of_project(project, selection)
}

/// The mesh that a bundle was made of, as it is spelled out in it.
fn spelled_out(path: &Path) -> Result<Compiled, Failure> {
    let bundle = bundles::open(path)?;
    let mut facts = bundle.provenances().iter();
    let text = facts.find(|fact| bundle.opt_str(fact.key) == Some(TEXT));
    let Some(text) = text.map(|fact| bundle.str(fact.value)) else {
        let path = path.display();
        let message =
            format!("{path} does not hold its mesh: `meshc compile --text` makes one that does");
        return Err(message.into());
    };
    let name = path.display().to_string();
    let project = Project::of_texts([(name.as_str(), text)]);
    let mut compiled = of_project(project, &Selection::default())?;
    // Behind each statement stands where it was written.
    compiled.places = text
        .lines()
        .map(|line| said(line).map(str::to_owned))
        .collect();
    Ok(compiled)
}

/// `shop.mesh:8`, of a line that ends with it.
fn said(line: &str) -> Option<&str> {
    let (_, said) = line.rsplit_once("  # ")?;
    let place = said.split(',').next()?;
    let (_, number) = place.rsplit_once(':')?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(place)
}

fn of_project(project: Project, selection: &Selection) -> Result<Compiled, Failure> {
    let mut checked = check(project, selection);
    let planned = checked.lay_out();
    let bundle = planned.map(|planned| Bundle::open(planned.bytes));
    let bundle = bundle.transpose().map_err(|error| error.to_string())?;
    Ok(Compiled {
        checked,
        bundle,
        places: Vec::new(),
    })
}

/// The files of a revision, for as long as this lives.
struct Revision {
    mesh: PathBuf,
    _files: tempfile::TempDir,
}

impl Revision {
    fn check_out(text: &str) -> Result<Self, Failure> {
        let (revision, path) = match text.split_once(':') {
            Some((revision, path)) => (revision, Some(path)),
            None => (text, None),
        };
        let commit = format!("{revision}^{{commit}}");
        let is_one = git(&["rev-parse", "--quiet", "--verify", &commit], None);
        if is_one.is_err() {
            let message = format!("{text} is neither a file or directory nor a revision of git");
            return Err(message.into());
        }
        let files = tempfile::tempdir()
            .map_err(|error| format!("there is no room for the files of {revision}: {error}"))?;
        // An index of its own: that of whoever works there is not touched.
        let index = files.path().join("index");
        let root = git(&["rev-parse", "--show-toplevel"], None)?;
        let here = git(&["rev-parse", "--show-prefix"], None)?;
        let tree = files.path().join("tree");
        let prefix = format!("--prefix={}/", tree.display());
        git(&["-C", &root, "read-tree", revision], Some(&index))?;
        git(
            &["-C", &root, "checkout-index", "--all", &prefix],
            Some(&index),
        )?;
        let mesh = match path {
            Some(path) => tree.join(path),
            None => tree.join(here),
        };
        if !mesh.exists() {
            return Err(format!("{revision} has no {}", path.unwrap_or(".")).into());
        }
        Ok(Self {
            mesh,
            _files: files,
        })
    }
}

/// What git prints, or a sentence on why it does not.
fn git(arguments: &[&str], index: Option<&Path>) -> Result<String, Failure> {
    let mut command = Command::new("git");
    command.args(arguments);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let output = command
        .output()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or("it failed").to_owned();
        return Err(format!("git {}: {first}", arguments.join(" ")).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}
