//! `meshc init`: a small mesh to start from.
//!
//! One file, named after the directory, that compiles as it is and runs with `meshc up --demo`. Nothing
//! that is there is touched: a directory that has policies keeps them.

use super::{Failure, print};
use crate::project::{self, LoadError};
use mesh_lang::value::Name;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc init shop         writes shop/mesh.mesh: a gateway, two services, what must hold of them
  meshc up shop --demo    runs it

Exit codes:
  0  done
  2  nothing was written: usage, a directory that has `.mesh` files or cannot be written";

/// The file that is written, of a mesh called `shop`.
const TEMPLATE: &str = include_str!("init.mesh");
/// What it is called there.
const TEMPLATE_NAME: &str = "shop";
/// The name of the file.
const FILE: &str = "mesh.mesh";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The directory, which is made where it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = arguments.directory.as_path();
    if let Some(there) = policy_in(directory)? {
        let there = there.display();
        let message = format!(
            "{} has a mesh: {there} is there; nothing was written",
            directory.display()
        );
        return Err(message.into());
    }
    let file = directory.join(FILE);
    write(directory, &file, &text(&name(directory)))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    let directory = in_a_shell(directory);
    print(&format!(
        "wrote     {}\nnext      meshc up {directory} --demo\n          meshc lint {directory}\n          meshc compile {directory}\n",
        file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The first of the policies that a directory has, if it has any.
fn policy_in(directory: &Path) -> Result<Option<PathBuf>, Failure> {
    if directory.is_file() {
        return Err(format!("{} is a file, not a directory", directory.display()).into());
    }
    match project::files(directory) {
        Ok(files) => Ok(files.into_iter().next().map(|(_, path)| path)),
        Err(LoadError::Missing(_) | LoadError::NoFiles(_)) => Ok(None),
        Err(error) => Err(error.to_string().into()),
    }
}

/// What the mesh is called: as its directory, where that is a name.
fn name(directory: &Path) -> String {
    let real = directory.canonicalize();
    let real = real.as_deref().unwrap_or(directory);
    let called = real.file_name().and_then(|name| name.to_str());
    let called = called.filter(|name| Name::check(name).is_ok());
    called.unwrap_or(TEMPLATE_NAME).to_owned()
}

/// The file of a mesh of this name.
fn text(name: &str) -> String {
    TEMPLATE
        .replace(
            &format!("mesh {TEMPLATE_NAME} {{"),
            &format!("mesh {name} {{"),
        )
        .replace(
            &format!("trust-domain {TEMPLATE_NAME}."),
            &format!("trust-domain {name}."),
        )
}

/// A path as it is typed.
fn in_a_shell(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(&byte);
    if path.bytes().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

fn write(directory: &Path, file: &Path, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(file)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Selection, check};
    use crate::project::Project;
    use mesh_lang::codes::Code;
    use mesh_lang::format::format;
    use mesh_lang::parser::parse;
    use mesh_lang::source::FileId;

    #[test]
    fn what_is_written_compiles_clean_and_is_laid_out_whatever_its_name() {
        let longest = "a".repeat(63);
        for name in ["shop", "a", "payments-api", &longest] {
            let text = text(name);
            assert!(text.contains(&format!("mesh {name} {{")), "{text}");
            assert_eq!(format(&parse(FileId(0), &text).tree), text);
            let project = Project::of_texts([(FILE, text.as_str())]);
            let mut checked = check(project, &Selection::default());
            checked.warn_of_what_is_not_acted_on();
            assert!(checked.plan().is_some());
            let others = checked.diagnostics.iter().map(|it| it.code);
            let others: Vec<Code> = others.filter(|code| *code != Code::NotActedOn).collect();
            assert_eq!(others, [], "{name}");
        }
    }

    #[test]
    fn paths_are_shown_as_they_are_typed() {
        for (path, typed) in [
            ("shop/edge", "shop/edge"),
            ("my shop", "'my shop'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(in_a_shell(Path::new(path)), typed);
        }
    }

    #[test]
    fn a_mesh_is_called_as_its_directory_where_that_is_a_name() {
        assert_eq!(name(Path::new("/nowhere/checkout")), "checkout");
        for odd in ["/nowhere/My Shop", "/nowhere/2nd", "/nowhere/default", "/"] {
            assert_eq!(name(Path::new(odd)), "shop", "{odd}");
        }
    }
}
