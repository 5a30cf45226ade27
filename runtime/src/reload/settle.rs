//! Whether what a file holds now counts.
//!
//! Somebody may be writing the file in place, and then it is damaged until the end is written: that is
//! no bad file. So a damaged file counts only once it is settled, that is closed by its writer after
//! the last change, or not changed for two seconds. A good file counts at once.
//!
//! Events tell of a file later than the file shows it: by the time that one writer's closing is heard
//! of, the next may have begun. So closing settles a file only if a moment later nothing has been heard
//! of a change.
//!
//! ```text
//!              changed                    good
//!   settled ───────────▶ unsettled ─▶ attempt ─▶ settled
//!                          ▲    │        │ damaged, and closed or still ─▶ settled, rejected
//!                          └────┴────────┘ damaged otherwise: wait for an event or the time
//! ```
//!
//! Nothing here looks at a file or a clock; both come in.

use std::time::{Duration, Instant};

use super::watch::{Event, Signature};

/// How long a file must be unchanged to count without having been closed.
const STILL: Duration = Duration::from_secs(2);
/// How long nothing must be heard of a change after a file was closed.
const MOMENT: Duration = Duration::from_millis(100);
/// Between two attempts at a file that keeps changing.
const PAUSE: Duration = Duration::from_millis(50);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing.
    Rest,
    /// Read the file. `settled`: what is found counts.
    Attempt { settled: Settled },
}

/// How a file has come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It has not.
    No,
    /// The bundle's writer has closed it. Other files may still be on their way.
    Closed,
    /// Nothing has changed for long enough, or somebody said that it is to count.
    Still,
}

/// What an attempt found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// Damaged, as a file is that is being written. `of_bundle`: it is the bundle's file.
    Unfinished {
        sentence: String,
        of_bundle: bool,
    },
    /// Wrong, and waiting does not mend it.
    Bad(String),
}

/// The judgement.
#[derive(Debug)]
pub(crate) struct Settle {
    signature: Signature,
    unsettled: Option<Unsettled>,
}

#[derive(Clone, Copy, Debug)]
struct Unsettled {
    changed: Instant,
    closed: Option<Instant>,
    attempted: Option<Instant>,
    /// Whether something has happened that the last attempt has not seen.
    is_news: bool,
}

impl Settle {
    /// What has this signature is in force.
    pub(crate) fn new(signature: Signature) -> Self {
        Self {
            signature,
            unsettled: None,
        }
    }

    /// What was seen last.
    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What has this signature is in force: other files are followed from now on.
    pub(crate) fn now_is(&mut self, signature: Signature) {
        self.signature = signature;
    }

    /// Something may have happened.
    pub(crate) fn observe(&mut self, event: Event, signature: Signature, now: Instant) -> Step {
        let changed = signature != self.signature || event == Event::Changed;
        self.signature = signature;
        if event == Event::Now {
            let settled = Settled::Still;
            self.unsettled.get_or_insert(Unsettled::at(now));
            return Step::Attempt { settled };
        }
        if changed {
            let before = self.unsettled.and_then(|it| it.attempted);
            self.unsettled = Some(Unsettled {
                attempted: before,
                ..Unsettled::at(now)
            });
        }
        let Some(unsettled) = &mut self.unsettled else {
            return Step::Rest;
        };
        if event == Event::Closed {
            unsettled.closed = Some(now);
            unsettled.is_news = true;
        }
        let still = unsettled.changed + STILL <= now;
        let settles = unsettled.settles_at().is_some_and(|at| at <= now);
        let settled = match (still, settles) {
            (true, _) => Settled::Still,
            (false, true) => Settled::Closed,
            (false, false) => Settled::No,
        };
        let paused = unsettled.attempted.is_none_or(|at| at + PAUSE <= now);
        let ready = paused || unsettled.closed.is_some();
        if still || settles || unsettled.is_news && ready {
            Step::Attempt { settled }
        } else {
            Step::Rest
        }
    }

    /// An attempt was made. Returns whether its verdict counts.
    pub(crate) fn attempted(&mut self, verdict: &Verdict, settled: Settled, now: Instant) -> bool {
        let counts = match (verdict, settled) {
            (Verdict::Good | Verdict::Bad(_), _) | (_, Settled::Still) => true,
            (Verdict::Unfinished { of_bundle, .. }, Settled::Closed) => *of_bundle,
            (Verdict::Unfinished { .. }, Settled::No) => false,
        };
        if counts {
            self.unsettled = None;
        } else if let Some(unsettled) = &mut self.unsettled {
            unsettled.attempted = Some(now);
            unsettled.is_news = false;
        }
        counts
    }

    /// When to look again although nothing may have happened.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let unsettled = self.unsettled?;
        let pause = unsettled.attempted.filter(|_| unsettled.is_news);
        let times = [
            Some(unsettled.changed + STILL),
            pause.map(|at| at + PAUSE),
            unsettled.settles_at(),
        ];
        times.into_iter().flatten().min()
    }
}

impl Unsettled {
    fn at(now: Instant) -> Self {
        Self {
            changed: now,
            closed: None,
            attempted: None,
            is_news: true,
        }
    }

    /// When its having been closed is to be judged by, if that has not been done.
    fn settles_at(&self) -> Option<Instant> {
        let at = self.closed? + MOMENT;
        self.attempted.is_none_or(|it| it < at).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file, its clock, and what an attempt at it would find.
    struct Scene {
        settle: Settle,
        now: Instant,
        version: u64,
        attempts: u32,
    }

    fn unfinished() -> Verdict {
        Verdict::Unfinished {
            sentence: String::new(),
            of_bundle: true,
        }
    }

    fn mismatch() -> Verdict {
        Verdict::Unfinished {
            sentence: String::new(),
            of_bundle: false,
        }
    }

    impl Scene {
        fn new() -> Self {
            Self {
                settle: Settle::new(Signature::fake(0)),
                now: Instant::now(),
                version: 0,
                attempts: 0,
            }
        }

        fn pass(&mut self, milliseconds: u64) -> &mut Self {
            self.now += Duration::from_millis(milliseconds);
            self
        }

        fn write(&mut self) -> &mut Self {
            self.version += 1;
            self
        }

        /// Whether an event leads to an attempt whose verdict counts.
        fn counts(&mut self, event: Event, verdict: &Verdict) -> bool {
            let step = self
                .settle
                .observe(event, Signature::fake(self.version), self.now);
            let Step::Attempt { settled } = step else {
                return false;
            };
            self.attempts += 1;
            self.settle.attempted(verdict, settled, self.now)
        }
    }

    #[test]
    fn nothing_happens_while_nothing_changes() {
        let mut scene = Scene::new();
        for event in [Event::Look, Event::Other, Event::Closed] {
            assert!(!scene.pass(5000).counts(event, &Verdict::Good));
        }
        assert_eq!(scene.attempts, 0);
        assert_eq!(scene.settle.wake_at(), None);
    }

    #[test]
    fn a_good_file_counts_at_once() {
        let mut scene = Scene::new();
        assert!(scene.write().counts(Event::Changed, &Verdict::Good));
        assert!(
            scene.write().counts(Event::Look, &Verdict::Good),
            "a look alone finds it"
        );
        assert_eq!(scene.settle.wake_at(), None);
    }

    #[test]
    fn a_wrong_file_counts_at_once_and_only_once() {
        let mut scene = Scene::new();
        let bad = Verdict::Bad(String::new());
        assert!(scene.write().counts(Event::Changed, &bad));
        assert!(!scene.pass(5000).counts(Event::Look, &bad));
        assert!(!scene.counts(Event::Closed, &bad));
    }

    #[test]
    fn a_file_being_written_is_waited_for() {
        let mut scene = Scene::new();
        for _ in 0..100 {
            assert!(
                !scene
                    .pass(500)
                    .write()
                    .counts(Event::Changed, &unfinished())
            );
        }
        assert!(scene.pass(10).write().counts(Event::Closed, &Verdict::Good));
    }

    #[test]
    fn a_damaged_file_counts_when_it_is_closed() {
        let mut scene = Scene::new();
        assert!(!scene.write().counts(Event::Changed, &unfinished()));
        assert!(!scene.pass(1).counts(Event::Closed, &unfinished()));
        let wake = scene.settle.wake_at().map(|at| at - scene.now);
        assert_eq!(wake, Some(MOMENT));
        assert!(scene.pass(100).counts(Event::Look, &unfinished()));
        assert!(!scene.pass(5000).counts(Event::Look, &unfinished()), "once");
    }

    #[test]
    fn what_one_writer_closed_says_nothing_of_the_next() {
        let mut scene = Scene::new();
        assert!(scene.write().counts(Event::Changed, &Verdict::Good));
        // The next has begun when the closing is heard of, and only then is that heard of.
        assert!(!scene.write().counts(Event::Closed, &unfinished()));
        assert!(!scene.pass(1).counts(Event::Changed, &unfinished()));
        assert!(!scene.pass(500).counts(Event::Look, &unfinished()));
        assert!(!scene.pass(1).write().counts(Event::Changed, &unfinished()));
        assert!(scene.pass(1).counts(Event::Closed, &Verdict::Good));
    }

    #[test]
    fn a_damaged_file_counts_when_it_is_still() {
        let mut scene = Scene::new();
        assert!(!scene.write().counts(Event::Changed, &unfinished()));
        let wake = scene.settle.wake_at().map(|at| at - scene.now);
        assert_eq!(wake, Some(STILL));
        assert!(!scene.pass(1999).counts(Event::Look, &unfinished()));
        assert!(scene.pass(1).counts(Event::Look, &unfinished()));
    }

    #[test]
    fn a_writer_that_goes_on_unsettles_it_again() {
        let mut scene = Scene::new();
        assert!(!scene.write().counts(Event::Changed, &unfinished()));
        assert!(!scene.pass(1).counts(Event::Closed, &unfinished()));
        assert!(scene.pass(100).counts(Event::Look, &unfinished()));
        assert!(
            !scene
                .pass(1000)
                .write()
                .counts(Event::Changed, &unfinished())
        );
        assert!(
            !scene
                .pass(1500)
                .write()
                .counts(Event::Changed, &unfinished())
        );
        assert!(!scene.pass(1500).counts(Event::Look, &unfinished()));
        assert!(scene.pass(1500).counts(Event::Look, &Verdict::Good));
    }

    #[test]
    fn a_write_that_leaves_the_signature_alone_is_a_change() {
        let mut scene = Scene::new();
        assert!(!scene.write().counts(Event::Changed, &unfinished()));
        assert!(scene.pass(60).counts(Event::Changed, &Verdict::Good));
    }

    #[test]
    fn a_busy_writer_does_not_keep_us_reading() {
        let mut scene = Scene::new();
        for _ in 0..1000 {
            assert!(!scene.pass(1).write().counts(Event::Changed, &unfinished()));
        }
        assert!(
            scene.attempts <= 21,
            "{} attempts in a second",
            scene.attempts
        );
        let wake = scene.settle.wake_at().map(|at| at - scene.now);
        assert!(
            wake <= Some(PAUSE),
            "the last change is looked at soon: {wake:?}"
        );
    }

    #[test]
    fn a_certificate_waits_for_its_key() {
        let mut scene = Scene::new();
        assert!(!scene.write().counts(Event::Other, &mismatch()));
        assert!(
            !scene.pass(60).counts(Event::Closed, &mismatch()),
            "closing the bundle settles no key"
        );
        assert!(!scene.pass(100).counts(Event::Look, &mismatch()));
        let wake = scene.settle.wake_at().map(|at| at - scene.now);
        assert_eq!(wake, Some(STILL.saturating_sub(Duration::from_millis(160))));
        assert!(scene.pass(60).write().counts(Event::Other, &Verdict::Good));
        assert!(!scene.write().counts(Event::Other, &mismatch()));
        assert!(
            scene.pass(2000).counts(Event::Look, &mismatch()),
            "the key never came"
        );
    }

    #[test]
    fn who_asks_gets_an_answer() {
        let mut scene = Scene::new();
        assert!(scene.counts(Event::Now, &unfinished()));
        assert!(scene.counts(Event::Now, &Verdict::Good));
        assert!(!scene.counts(Event::Look, &Verdict::Good));
    }
}
