//! What happens while a local mesh runs: files change, signals come.

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file of the policy may have changed.
    Changed,
    /// The process is asked to stop.
    Stop,
}

/// The exit code of a process that was stopped by SIGINT.
const INTERRUPTED: i32 = 130;

static STOPPING: AtomicBool = AtomicBool::new(false);

/// From now on the next signal ends the process.
pub(crate) fn exit_on_next_signal() {
    STOPPING.store(true, Ordering::Relaxed);
}

/// How long files must be quiet before they are read again: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(50);

/// Waits until files change and are quiet again; false where the end comes first.
pub(crate) fn settled(events: &Receiver<Event>) -> bool {
    if events.recv() != Ok(Event::Changed) {
        return false;
    }
    loop {
        match events.recv_timeout(SETTLE) {
            Ok(Event::Changed) => {}
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => return true,
        }
    }
}

/// Watches a policy and the process's signals.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    followed: BTreeSet<PathBuf>,
}

impl Watch {
    /// Sends what happens to `events`.
    pub(crate) fn new(events: Sender<Event>) -> Result<Self, Box<dyn std::error::Error>> {
        let signals = events.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(forward_signals(&signals)))?;
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let matters = match &event {
                // Reading a file is no change of it.
                Ok(event) => {
                    !event.kind.is_access() && event.paths.iter().any(|path| is_policy(path))
                }
                Err(_) => true,
            };
            if matters {
                let _ = events.send(Event::Changed);
            }
        })?;
        Ok(Self {
            watcher,
            followed: BTreeSet::new(),
        })
    }

    /// Watches directories and all below them. What is watched already stays so.
    pub(crate) fn follow<'d>(&mut self, directories: impl IntoIterator<Item = &'d PathBuf>) {
        for directory in directories {
            let known = |known: &PathBuf| directory.starts_with(known);
            if self.followed.iter().any(known) {
                continue;
            }
            let mode = RecursiveMode::Recursive;
            if self.watcher.watch(directory, mode).is_ok() {
                self.followed.insert(directory.clone());
            }
        }
    }
}

/// Whether a change of this file may change the policy: one that is hidden does not, and none that is written
/// because the policy changed.
fn is_policy(path: &Path) -> bool {
    let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    !path.file_name().is_some_and(hidden)
        && path.extension().is_none_or(|it| it != "bundle")
        && !path
            .components()
            .any(|part| part.as_os_str() == super::certificate::DIRECTORY)
}

async fn forward_signals(events: &Sender<Event>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if STOPPING.load(Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        let _ = events.send(Event::Stop);
    }
}
