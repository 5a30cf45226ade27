//! What happens to files.
//!
//! The *directories* that hold them are watched, since a file that is replaced is another one. Events
//! only say when to look: what is judged is a file's [`Signature`]. Where the system reports nothing
//! (network file systems, a target behind a symbolic link), looking every two seconds finds it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::UnboundedSender;

/// Something that may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The bundle's file was written or replaced.
    Changed,
    /// The bundle's file was closed by somebody who could write it.
    Closed,
    /// Something else in a directory that is watched: perhaps a certificate, perhaps a link.
    Other,
    /// It is time to look.
    Look,
    /// Somebody wants it loaded now.
    Now,
}

/// What files are, short of reading them. Symbolic links are followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature(Vec<Option<[i64; 6]>>);

impl Signature {
    pub(crate) fn of<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self(paths.into_iter().map(|path| file(path.as_ref())).collect())
    }

    /// Further files.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    #[cfg(test)]
    pub(crate) fn fake(version: u64) -> Self {
        Self(vec![Some([version.cast_signed(); 6])])
    }
}

fn file(path: &Path) -> Option<[i64; 6]> {
    let it = fs::metadata(path).ok()?;
    Some([
        it.dev().cast_signed(),
        it.ino().cast_signed(),
        it.len().cast_signed(),
        it.mtime(),
        it.mtime_nsec(),
        it.ctime_nsec(),
    ])
}

/// Watches directories.
#[derive(Debug)]
pub(crate) struct Watch {
    /// `None` where the system has no watches left: then there is looking.
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
}

impl Watch {
    /// Reports to `events`; `bundle` is the file whose events are told apart.
    pub(crate) fn new(bundle: &Path, events: UnboundedSender<Event>) -> Self {
        let name = bundle.file_name().map(ToOwned::to_owned);
        let home = directory(bundle);
        let handler = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else {
                return;
            };
            let is_bundle = |path: &PathBuf| {
                path.file_name() == name.as_deref() && path.parent() == Some(home.as_path())
            };
            let of_bundle = event.paths.iter().any(is_bundle);
            let event = match event.kind {
                EventKind::Access(AccessKind::Close(AccessMode::Write)) if of_bundle => {
                    Event::Closed
                }
                // Reading is an access too, and ours would come back to us.
                EventKind::Access(_) => return,
                _ if of_bundle => Event::Changed,
                _ => Event::Other,
            };
            // Nobody follows any more.
            let _ = events.send(event);
        };
        Self {
            watcher: notify::recommended_watcher(handler).ok(),
            directories: BTreeSet::new(),
        }
    }

    /// Watches the directories of these files, and of the links on the way to them, and no others.
    pub(crate) fn set<'p>(&mut self, files: impl Iterator<Item = &'p PathBuf>) {
        let wanted: BTreeSet<PathBuf> = files.flat_map(|file| directories(file)).collect();
        if let Some(watcher) = &mut self.watcher {
            for gone in self.directories.difference(&wanted) {
                drop(watcher.unwatch(gone));
            }
            for new in wanted.difference(&self.directories) {
                drop(watcher.watch(new, RecursiveMode::NonRecursive));
            }
        }
        self.directories = wanted;
    }
}

/// The directory of a file, as events will name it.
fn directory(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    absolute.parent().map_or(absolute.clone(), Path::to_owned)
}

/// The directories in which something changes when another file comes to stand at a path: its own, and those of
/// links to directories above it, which publishers replace.
fn directories(file: &Path) -> Vec<PathBuf> {
    let own = directory(file);
    let is_link = |path: &&Path| fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
    let links = own.ancestors().filter(is_link);
    let of_links: Vec<PathBuf> = links
        .filter_map(|it| Some(it.parent()?.to_owned()))
        .collect();
    std::iter::once(own.clone()).chain(of_links).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn watching(file: &PathBuf) -> (Watch, UnboundedReceiver<Event>) {
        let (sender, events) = unbounded_channel();
        let mut watch = Watch::new(file, sender);
        watch.set(std::iter::once(file));
        (watch, events)
    }

    fn wait_for(events: &mut UnboundedReceiver<Event>, wanted: Event) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let found = async { while events.recv().await.unwrap() != wanted {} };
            tokio::time::timeout(Duration::from_secs(10), found)
                .await
                .unwrap();
        });
    }

    #[test]
    fn writing_in_place_is_reported_and_then_closing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.bundle");
        fs::write(&path, "1").unwrap();
        let before = Signature::of([&path]);
        let (_watch, mut events) = watching(&path);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"2").unwrap();
        wait_for(&mut events, Event::Changed);
        assert_ne!(Signature::of([&path]), before);
        drop(file);
        wait_for(&mut events, Event::Closed);
    }

    #[test]
    fn a_renamed_file_is_a_changed_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.bundle");
        fs::write(&path, "1").unwrap();
        let before = Signature::of([&path]);
        let (_watch, mut events) = watching(&path);
        fs::write(home.path().join("a.tmp"), "2").unwrap();
        wait_for(&mut events, Event::Other);
        fs::rename(home.path().join("a.tmp"), &path).unwrap();
        wait_for(&mut events, Event::Changed);
        assert_ne!(Signature::of([&path]), before);
    }

    #[test]
    fn a_link_that_is_swapped_changes_the_signature() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (home.path().join("..1"), home.path().join("..2"));
        for directory in [&old, &new] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("a.bundle"), "same").unwrap();
        }
        let link = home.path().join("..data");
        std::os::unix::fs::symlink(&old, &link).unwrap();
        let path = home.path().join("a.bundle");
        std::os::unix::fs::symlink("..data/a.bundle", &path).unwrap();
        let before = Signature::of([&path]);
        let (_watch, mut events) = watching(&path);
        let temporary = home.path().join("..data_tmp");
        std::os::unix::fs::symlink(&new, &temporary).unwrap();
        fs::rename(&temporary, &link).unwrap();
        wait_for(&mut events, Event::Other);
        assert_ne!(Signature::of([&path]), before);
    }

    #[test]
    fn a_directory_on_the_way_may_be_swapped() {
        let home = tempfile::tempdir().unwrap();
        for release in ["1", "2"] {
            fs::create_dir_all(home.path().join(release).join("gateway")).unwrap();
            fs::write(
                home.path().join(release).join("gateway/edge.bundle"),
                release,
            )
            .unwrap();
        }
        let link = |release: &str, name: &str| {
            std::os::unix::fs::symlink(release, home.path().join(name)).unwrap();
        };
        link("1", "current");
        let path = home.path().join("current/gateway/edge.bundle");
        let before = Signature::of([&path]);
        let (_watch, mut events) = watching(&path);
        link("2", "next");
        fs::rename(home.path().join("next"), home.path().join("current")).unwrap();
        wait_for(&mut events, Event::Other);
        assert_ne!(Signature::of([&path]), before);
    }

    #[test]
    fn reading_is_nothing_that_happens() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.bundle");
        fs::write(&path, "1").unwrap();
        let (_watch, mut events) = watching(&path);
        fs::read(&path).unwrap();
        fs::write(home.path().join("marker"), "").unwrap();
        wait_for(&mut events, Event::Other);
        while let Ok(event) = events.try_recv() {
            assert_eq!(event, Event::Other);
        }
    }
}
