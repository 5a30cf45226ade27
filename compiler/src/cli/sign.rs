//! `meshc sign`: signatures for bundles that are there, and what signing needs wherever it is done.

use super::{Failure, bundles, print, tell};
use mesh_bundle::Bundle;
use mesh_bundle::format::Signatures;
use mesh_bundle::signature::{self, Moment, PrivateKey, Statement};
use mesh_lang::value::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

const HELP: &str = "\
A signature is about one bundle, its mesh, its place in the order of that mesh's bundles, and the time for which it
may be used. A bundle may be signed by several keys; signing again with the same key replaces its signature.

Examples:
  meshc sign shop.bundle --key shop.key
  meshc sign slices/ --key shop.key --valid-for 30d
  meshc sign shop.bundle --key old.key --key new.key --sequence 42

Exit codes:
  0  all are signed
  2  one cannot be: no bundle, no key, or a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The bundles: files, or directories of slices.
    #[arg(value_name = "BUNDLE", required = true)]
    bundles: Vec<PathBuf>,
    /// The private key: a file that `meshc keygen` wrote. May be given several times.
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
}

/// What signatures say besides what they are about.
#[derive(Debug, clap::Args)]
pub(crate) struct Terms {
    /// Where a bundle stands among its mesh's: nodes take none with a smaller number than they had. By default
    /// the time in milliseconds (`SOURCE_DATE_EPOCH`, if that is set).
    #[arg(long, value_name = "N", requires = "keys")]
    sequence: Option<u64>,
    /// From when on a bundle may be used, as in 2026-11-20T09:00:00Z or 2026-11-20 [default: at once].
    #[arg(long, value_name = "TIME", requires = "keys")]
    valid_from: Option<Moment>,
    /// How long it may be used, as in 30d or 12h [default: for ever].
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "keys")]
    valid_for: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let signer = Signer::new(&arguments.keys, &arguments.terms)?;
    let mut files = Vec::new();
    for path in &arguments.bundles {
        files.extend(bundles::files(path)?);
    }
    // All of them before the first is written.
    let mut signed = Vec::with_capacity(files.len());
    for path in &files {
        let bundle = bundles::open(path)?;
        signed.push((path, signer.sign(&bundle)?, bundle.id()));
    }
    for (path, bytes, _) in &signed {
        bundles::write(path, bytes)?;
    }
    let width = signed
        .iter()
        .map(|(path, ..)| path.display().to_string().len());
    let width = width.max().unwrap_or_default();
    for (path, _, id) in &signed {
        print(&format!("signed    {:<width$}  {id}\n", path.display()))?;
    }
    print(&signer.describe())?;
    Ok(ExitCode::SUCCESS)
}

/// Signs bundles, all on the same terms.
#[derive(Debug)]
pub(crate) struct Signer {
    keys: Vec<PrivateKey>,
    sequence: u64,
    not_before: Moment,
    not_after: Moment,
}

impl Signer {
    /// With these keys.
    pub(crate) fn new(keys: &[PathBuf], terms: &Terms) -> Result<Self, String> {
        let keys = keys.iter().map(|path| private_key(path));
        let start = terms.valid_from.unwrap_or_else(Moment::now);
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
            sequence: match terms.sequence {
                Some(sequence) => sequence,
                None => now_in_milliseconds()?,
            },
            not_before: terms.valid_from.unwrap_or(Moment::START),
            not_after: match terms.valid_for {
                Some(time) => start.after(time.to_std()),
                None => Moment::NEVER,
            },
        })
    }

    /// The file of a bundle, signed.
    pub(crate) fn sign(&self, bundle: &Bundle) -> Result<Vec<u8>, String> {
        let statement = Statement {
            bundle: bundle.id(),
            mesh: bundle.str(bundle.mesh().name),
            sequence: self.sequence,
            not_before: self.not_before,
            not_after: self.not_after,
        };
        let before: Vec<_> = bundle
            .signatures()
            .iter()
            .flat_map(Signatures::iter)
            .collect();
        let signed = signature::sign(bundle.content(), &before, &statement, &self.keys);
        signed.ok_or_else(|| "a bundle has 16 signatures at most".to_owned())
    }

    /// The line about who signed, and for how long.
    pub(crate) fn describe(&self) -> String {
        let keys = self.keys.iter().map(|key| key.public().id().to_string());
        let keys = keys.collect::<Vec<_>>().join(", ");
        let mut line = format!("by        key {keys}, sequence {}", self.sequence);
        if self.not_before != Moment::START {
            line += ", valid from ";
            line += &self.not_before.to_string();
        }
        if self.not_after != Moment::NEVER {
            line += ", valid until ";
            line += &self.not_after.to_string();
        }
        line + "\n"
    }
}

/// Milliseconds since 1970; those of `SOURCE_DATE_EPOCH`, if that is set.
fn now_in_milliseconds() -> Result<u64, String> {
    if let Some(set) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let seconds = set.to_str().and_then(|text| text.parse::<u64>().ok());
        let milliseconds = seconds.and_then(|seconds| seconds.checked_mul(1000));
        return milliseconds.ok_or_else(|| {
            format!(
                "SOURCE_DATE_EPOCH is {}, which is no number of seconds",
                set.display()
            )
        });
    }
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(passed.unwrap_or_default().as_millis() as u64)
}

/// The private key in a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKey, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the key {} cannot be read: {error}", path.display()))?;
    let key = PrivateKey::from_pem(&text).map_err(|error| format!("{} {error}", path.display()))?;
    if others_can_read(path) {
        // Whether it is read or not.
        let _ = tell(&format!(
            "meshc: {} can be read by others; chmod 600 keeps it secret\n",
            path.display()
        ));
    }
    Ok(key)
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map(|it| it.permissions().mode());
    mode.is_ok_and(|mode| mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}
