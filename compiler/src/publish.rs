//! Places that bundles are published to: directories in which one release after the other appears as a whole.
//!
//! ```text
//! TARGET/
//!   current ─▶ releases/000042             what nodes follow: TARGET/current/gateway/edge.bundle
//!   releases/000041/gateway/edge.bundle …  what they can be led back to
//!   releases/000042/gateway/edge.bundle …
//! ```
//!
//! A release is written under another name, synced, and renamed; then the link is replaced in one step. So
//! whoever follows a path below `current` sees all of one release or all of the next. Releases are never
//! written to again, except that going back signs what was signed before anew.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The link that nodes follow.
pub const CURRENT: &str = "current";
const RELEASES: &str = "releases";
/// What begins with it is being written.
const UNFINISHED: &str = ".new-";

/// A place that bundles are published to.
#[derive(Debug)]
pub struct Target {
    root: PathBuf,
}

/// A file of a release: where it is below the release's directory, and what it holds.
pub type Entry = (PathBuf, Vec<u8>);

impl Target {
    /// The place at a path, whether there is anything yet or not.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The directory of a release.
    pub fn directory(&self, release: u64) -> PathBuf {
        self.root.join(RELEASES).join(name(release))
    }

    /// The numbers of all releases that are there, the oldest first.
    pub fn releases(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(self.root.join(RELEASES)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut releases = Vec::new();
        for entry in entries {
            releases.extend(number(Path::new(&entry?.file_name())));
        }
        releases.sort_unstable();
        Ok(releases)
    }

    /// The release that nodes are led to, if there is one.
    pub fn current(&self) -> io::Result<Option<u64>> {
        match fs::read_link(self.root.join(CURRENT)) {
            Ok(to) => Ok(number(&to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(io::Error::other(
                "`current` is there and is no link that was published",
            )),
            Err(error) => Err(error),
        }
    }

    /// Adds a release and leads nodes to it; returns its number.
    pub fn add(&self, entries: &[Entry]) -> io::Result<u64> {
        self.current()?; // whatever else stands in its place stays
        let releases = self.root.join(RELEASES);
        fs::create_dir_all(&releases)?;
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&releases)?;
        for (path, bytes) in entries {
            let path = unfinished.path().join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = File::create_new(&path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        readable_by_all(unfinished.path())?;
        sync_directories(unfinished.path())?;
        let unfinished = unfinished.keep();
        let done = self.place(&unfinished);
        if done.is_err() {
            // What went wrong is told; that something is left over is not worse.
            let _ = fs::remove_dir_all(&unfinished);
        }
        let release = done?;
        sync(&releases)?;
        self.lead_to(release)?;
        Ok(release)
    }

    /// Gives a directory the next free number.
    fn place(&self, unfinished: &Path) -> io::Result<u64> {
        let mut release = self.releases()?.last().map_or(1, |last| last + 1);
        loop {
            // Somebody else may publish at the same time: a release that is there holds something, and is
            // not replaced.
            match fs::rename(unfinished, self.directory(release)) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
                    ) =>
                {
                    release += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(release),
            }
        }
    }

    /// Leads nodes to a release that is there.
    pub fn lead_to(&self, release: u64) -> io::Result<()> {
        let staged = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .make_in(&self.root, |path| {
                link(&Path::new(RELEASES).join(name(release)), path)
            })?;
        fs::rename(staged.path(), self.root.join(CURRENT))?;
        // It has another name by now.
        drop(staged.into_temp_path().keep());
        sync(&self.root)
    }

    /// Removes all releases but the newest `keep` and the one that nodes are led to; returns which.
    pub fn prune(&self, keep: usize) -> io::Result<Vec<u64>> {
        let (releases, current) = (self.releases()?, self.current()?);
        let old = releases.len().saturating_sub(keep);
        let mut removed = Vec::new();
        for release in releases.into_iter().take(old) {
            if Some(release) != current {
                fs::remove_dir_all(self.directory(release))?;
                removed.push(release);
            }
        }
        Ok(removed)
    }
}

/// The name of a release's directory: numbers in the order of names, too.
fn name(release: u64) -> String {
    format!("{release:06}")
}

/// The number of a release, by the name of its directory.
fn number(path: &Path) -> Option<u64> {
    let text = path.file_name()?.to_str()?;
    text.parse().ok().filter(|number| name(*number) == text)
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    let what = "publishing needs links that can be replaced in one step";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

/// Temporary directories are private; what nodes follow is not.
#[cfg(unix)]
fn readable_by_all(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Sees to it that the entries of a directory, and of those below it, last.
fn sync_directories(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_directories(&path)?;
        }
    }
    sync(directory)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Vec<Entry> {
        vec![("gateway/edge.bundle".into(), text.as_bytes().to_vec())]
    }

    fn followed(home: &Path) -> String {
        fs::read_to_string(home.join("current/gateway/edge.bundle")).unwrap()
    }

    #[test]
    fn releases_follow_each_other_and_the_last_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let target = Target::new(&home.path().join("new/place"));
        assert_eq!(target.current().unwrap(), None);
        for (turn, text) in ["one", "two", "three", "four"].into_iter().enumerate() {
            assert_eq!(target.add(&entry(text)).unwrap(), turn as u64 + 1);
            assert_eq!(followed(&home.path().join("new/place")), text);
        }
        assert_eq!(target.prune(2).unwrap(), [1, 2]);
        target.lead_to(3).unwrap();
        assert_eq!(followed(&home.path().join("new/place")), "three");
        // What nodes are led to stays, however old it is.
        assert_eq!(target.add(&entry("five")).unwrap(), 5);
        target.lead_to(3).unwrap();
        assert_eq!(target.prune(1).unwrap(), [4]);
        assert_eq!(target.releases().unwrap(), [3, 5]);
        let left = fs::read_dir(home.path().join("new/place")).unwrap().count();
        assert_eq!(left, 2, "nothing else is left behind");
    }

    #[test]
    fn what_was_not_published_stays() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("current")).unwrap();
        let error = Target::new(home.path()).add(&entry("x")).unwrap_err();
        assert!(error.to_string().contains("is no link"), "{error}");
        assert!(home.path().join("current").is_dir());
        fs::create_dir_all(home.path().join("releases/notes")).unwrap();
        assert!(Target::new(home.path()).releases().unwrap().is_empty());
    }
}
