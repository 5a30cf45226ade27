//! `meshc keygen`: keys to sign bundles with.

use super::{Failure, print, sign};
use mesh_bundle::signature::PrivateKey;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc keygen shop                     write shop.key and shop.pub
  meshc sign shop.bundle --key shop.key
  meshd run --bundle shop.bundle --node gateway/edge --trust shop.pub
  meshc keygen --public-of shop.key     print the public key again

To replace a key: let the nodes trust both (meshd --trust old.pub new.pub), sign with the new one, let the nodes
trust the new one alone.

Exit codes:
  0  the keys are written
  2  they are not: a file is there already, or cannot be written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Where to write the keys: NAME.key, which only its owner can read, and NAME.pub.
    #[arg(value_name = "NAME", default_value = "mesh")]
    name: PathBuf,
    /// Write nothing, and print the public key that belongs to a private one.
    #[arg(long, value_name = "KEY", conflicts_with = "name")]
    public_of: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(path) = &arguments.public_of {
        print(&sign::private_key(path)?.public().to_pem())?;
        return Ok(ExitCode::SUCCESS);
    }
    let key = PrivateKey::generate().map_err(|error| format!("a key {error}"))?;
    let [private, public] =
        ["key", "pub"].map(|extension| with_extension(&arguments.name, extension));
    let pem = key.to_pem().map_err(|error| format!("the key {error}"))?;
    write_new(&private, &pem, 0o600)?;
    write_new(&public, &key.public().to_pem(), 0o644)?;
    let width = private.display().to_string().len();
    print(&format!(
        "wrote     {:<width$}  keep it: whoever has it can sign\n\
         wrote     {:<width$}  for meshd --trust; key {}\n",
        private.display(),
        public.display(),
        key.public().id()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// `shop.prod` is a name, too: nothing of it is an extension.
fn with_extension(name: &Path, extension: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

/// Writes a file that is not there: a key that is lost does not come back.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let written = new_file(path, mode).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!(
                "{} is there already; remove it, or name another",
                path.display()
            )
        }
        _ => format!("{} cannot be written: {error}", path.display()),
    })
}

#[cfg(unix)]
fn new_file(path: &Path, mode: u32) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

#[cfg(not(unix))]
fn new_file(path: &Path, _: u32) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
