//! Proofs on a thread of their own.
//!
//! In: a mesh as it was at some revision. Out: everything there is to report about it, and what it means,
//! marked with the revision. There is one thread, and each mesh waits at most once: a newer revision takes
//! the place of the one that waits, and one that is no longer wanted is given up between two steps. Whoever
//! gets a result drops it if the text has changed meanwhile.

use crate::compile::{Checked, Selection, check_meaning};
use crate::project::Project;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A mesh to be proved.
#[derive(Debug)]
pub(super) struct Job {
    /// The root of the mesh.
    pub(super) root: PathBuf,
    pub(super) revision: u64,
    pub(super) project: Project,
    /// What is in the way, to be freed here.
    pub(super) stale: Option<Checked>,
}

/// What was proved.
#[derive(Debug)]
pub(super) struct Proved {
    /// The root of the mesh.
    pub(super) root: PathBuf,
    pub(super) revision: u64,
    /// Nothing where the attempt failed.
    pub(super) checked: Option<Checked>,
    /// How long it took.
    pub(super) took: Duration,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// What is being proved, and whether it is still wanted.
    running: Option<(PathBuf, bool)>,
    closed: bool,
}

impl Shared {
    /// The queue. A thread that panicked left it whole: nothing that may panic runs while it is locked.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, once there is one.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                queue.running = Some((job.root.clone(), true));
                return Some(job);
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether what is being proved is still wanted.
    fn is_wanted(&self) -> bool {
        let queue = self.queue();
        !queue.closed && queue.running.as_ref().is_some_and(|(_, wanted)| *wanted)
    }
}

/// The thread that proves.
#[derive(Debug)]
pub(super) struct Prover {
    shared: Arc<Shared>,
    results: Receiver<Proved>,
    thread: Option<JoinHandle<()>>,
}

impl Prover {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, results) = unbounded();
        let shared = Arc::new(Shared::default());
        let other = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("prover".to_owned())
            .spawn(move || run(&other, &sender))?;
        Ok(Self {
            shared,
            results,
            thread: Some(thread),
        })
    }

    /// Asks for a mesh to be proved, in place of earlier revisions of it.
    pub(super) fn prove(&self, job: Job) {
        let mut queue = self.shared.queue();
        queue.waiting.retain(|waiting| waiting.root != job.root);
        give_up(&mut queue, &job.root);
        queue.waiting.push_back(job);
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// Says that a mesh has changed: nobody waits for what is being proved of it.
    pub(super) fn cancel(&self, root: &PathBuf) {
        let mut queue = self.shared.queue();
        queue.waiting.retain(|waiting| waiting.root != *root);
        give_up(&mut queue, root);
    }

    /// What was proved.
    pub(super) fn results(&self) -> &Receiver<Proved> {
        &self.results
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn give_up(queue: &mut Queue, root: &PathBuf) {
    if let Some((running, wanted)) = &mut queue.running
        && running == root
    {
        *wanted = false;
    }
}

fn run(shared: &Shared, results: &Sender<Proved>) {
    while let Some(mut job) = shared.next() {
        drop(job.stale.take());
        let started = Instant::now();
        let (root, revision) = (job.root, job.revision);
        let project = job.project;
        // A mistake of ours costs this answer, not the server.
        let proving = catch_unwind(AssertUnwindSafe(|| prove(project, &|| shared.is_wanted())));
        let wanted = shared.is_wanted();
        shared.queue().running = None;
        let checked = match proving {
            Ok(Some(checked)) if wanted => Some(checked),
            Err(_) if wanted => None,
            _ => continue,
        };
        let proved = Proved {
            root,
            revision,
            checked,
            took: started.elapsed(),
        };
        if results.send(proved).is_err() {
            return;
        }
    }
}

/// Finds everything there is to report; nothing if it is not wanted any more.
fn prove(project: Project, is_wanted: &dyn Fn() -> bool) -> Option<Checked> {
    let mut checked = check_meaning(project, &Selection::default());
    if !is_wanted() {
        return None;
    }
    checked.plan_while(is_wanted);
    Some(checked)
}
