//! `meshc replay`: recorded requests, put before another policy.

use super::{FINDINGS, Failure, Stream, When, bundles, print, side, tell};
use crate::compile::ParamSetting;
use crate::replay::{Kind, Replay, human, json};
use crate::report::{Format, render};
use mesh_bundle::Bundle;
use mesh_bundle::asked::{Key, MIN_SECRET};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Examples:
  meshc replay access.log shop                         the requests that the mesh in shop would treat otherwise
  meshc replay access.log shop --old main              and than the mesh of a branch does, not than the log tells
  zcat access.log.*.gz | meshc replay - shop           several logs, packed
  meshc replay access.log shop --fail-on changed       for a gate: fails if something else becomes of a request
  meshc replay access.log shop --log-key log.secret    compares hashed values with those that the mesh names

The log is that of meshd, a JSON object per line. Each line tells which fields the decisions on its request asked for,
and what they held. Where NEW asks for others, or for more than a hash tells, nothing is guessed: all that
may become of the request is told, and what that depends on.

  changed  something else becomes of the request
  unknown  that depends on what the log does not tell
  split    it is drawn anew; what became of it is one of the ends that NEW draws
  same     the same becomes of it: it arrives at the same version, or is answered in the same way

With --old, what became of a request is asked of OLD too: splits are compared share by share, redirects by where they
lead, and where both agree whatever the log does not tell, nothing is unknown. Each field is taken to come once. Timeouts,
retries and the like do not change where requests arrive; `meshc diff` tells of those.

Exit codes:
  0  done, nothing that --fail-on names
  1  requests that --fail-on names, or a mesh does not compile
  2  the command could not be carried out: usage, a file that cannot be read, a log without a line of meshd";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The log: a file, or `-` for standard input.
    #[arg(value_name = "ACCESS_LOG")]
    log: PathBuf,
    /// The policy that is asked: a bundle, or as for `meshc diff` PATH, REVISION or REVISION:PATH, with #ENV behind it for
    /// an environment.
    #[arg(value_name = "NEW")]
    new: String,
    /// What was in force, likewise; without it what became of requests is what the log tells.
    #[arg(long, value_name = "OLD")]
    old: Option<String>,
    /// Give a parameter of the meshes another value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<ParamSetting>,
    /// The secret with which values in the log are hashed: the file that `meshd --log-key` got.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// Fail on requests of these kinds.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_enum)]
    fail_on: Vec<Kind>,
    /// How they are told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Told,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// For people.
    #[default]
    Human,
    /// One JSON document, by the schema compiler/src/replay/json.schema.json.
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let key = arguments.log_key.as_deref().map(key).transpose()?;
    let old = arguments.old.as_deref();
    let old = old.map(|old| bundle(old, arguments, color)).transpose()?;
    let new = bundle(&arguments.new, arguments, color)?;
    // Both are compiled, so that all that is wrong is told at once.
    let (old, new) = match (old, new) {
        (Some(None), _) | (_, None) => return Ok(ExitCode::from(FINDINGS)),
        (old, Some(new)) => (old.flatten(), new),
    };
    let name = arguments.log.display();
    let unreadable = |error: io::Error| format!("{name} cannot be read: {error}");
    let replay = if arguments.log == Path::new("-") {
        replay(&mut io::stdin().lock(), None, old.as_ref(), &new, key)
    } else {
        let file = File::open(&arguments.log).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut log = BufReader::with_capacity(1 << 16, file);
        replay(&mut log, Some(length), old.as_ref(), &new, key)
    };
    let replay = replay.map_err(unreadable)?;
    print(&match arguments.format {
        Told::Human => human(&replay, color.style(Stream::Output)),
        Told::Json => json(&replay),
    })?;
    if replay.bad() > 0 && replay.is_nothing_else() {
        return Err(format!("{name} is no access log of meshd: no line of it can be read").into());
    }
    let mut named = arguments.fail_on.iter();
    Ok(if named.any(|kind| replay.count(*kind) > 0) {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

fn key(path: &Path) -> Result<Key, Failure> {
    let name = path.display();
    let secret = std::fs::read(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let key = Key::of_secret(&secret);
    Ok(key.ok_or_else(|| format!("{name} holds a secret of less than {MIN_SECRET} bytes"))?)
}

/// A bundle that is there, or made of a mesh; `None` where the mesh does not compile, which is told.
fn bundle(text: &str, arguments: &Arguments, color: When) -> Result<Option<Bundle>, Failure> {
    if bundles::is_bundle(Path::new(text)) {
        return Ok(Some(bundles::open(Path::new(text))?));
    }
    let compiled = side::read(text, &arguments.settings)?;
    if compiled.bundle.is_none() {
        let here = std::env::current_dir().ok();
        let report = compiled.checked.report(here.as_deref());
        tell(&render(&report, Format::Human, color.style(Stream::Errors)))?;
    }
    Ok(compiled.bundle)
}

/// Replays, and on a terminal shows how far it is.
fn replay(
    log: &mut impl BufRead,
    length: Option<u64>,
    old: Option<&Bundle>,
    new: &Bundle,
    key: Option<Key>,
) -> io::Result<Replay> {
    const INTERVAL: Duration = Duration::from_millis(200);
    let watched = io::stderr().is_terminal();
    let mut shown = None::<Instant>;
    let begun = Instant::now();
    let replay = Replay::of(log, old, new, key, |lines, bytes| {
        if watched && shown.unwrap_or(begun).elapsed() >= INTERVAL {
            shown = Some(Instant::now());
            let part = length.filter(|length| *length > 0);
            let part = part.map_or(String::new(), |length| {
                format!(", {}%", bytes * 100 / length)
            });
            // Whether it is seen or not, the work goes on.
            let _ = tell(&format!("\r{lines} lines{part}\x1b[K"));
        }
    });
    if shown.is_some() {
        let _ = tell("\r\x1b[K");
    }
    replay
}
