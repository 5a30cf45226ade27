//! Where bundles come from while a process runs: a file that is followed.
//!
//! [`watch`] says that something has happened to files, [`settle`] judges whether what they hold now
//! counts, [`gate`] whether it may come in, and [`Follower`] reads, asks the control thread to apply, and says in one line what came of
//! it. A bad file changes nothing else.

pub(crate) mod gate;
pub(crate) mod settle;
pub(crate) mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use gate::{Barred, Gate, GateError};
use mesh_bundle::format::MAX_LENGTH;
use mesh_bundle::signature::{Approval, Moment, Refusal};
use mesh_bundle::{Bundle, OpenError, sample};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::control::{Command, Reply};
use crate::runtime::{ReloadError, ReloadReport};
use crate::telemetry::clock::time_of_day;
use settle::{Settle, Step, Verdict};
use watch::{Event, Signature, Watch};

/// How often files are looked at, whatever the system says of them.
const LOOK: Duration = Duration::from_secs(2);

/// Why there is no bundle in a file.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no bundle that can be used.
    #[error("{} {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: OpenError,
    },
    /// It is a bundle that must not come in.
    #[error("{} {source}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Refusal,
    },
    /// It is a bundle that this build would not serve as it was compiled to be served.
    #[error("{} {source}", .path.display())]
    Sample {
        /// The file.
        path: PathBuf,
        /// What it should do and does not.
        source: sample::Failed,
    },
}

impl SourceError {
    /// Whether somebody may still be writing the file.
    fn may_be_unfinished(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            // A shorter bundle written over a longer one ends later than it says, until it is cut.
            Self::Open { source, .. } => {
                source.may_be_unfinished() || matches!(source, OpenError::TooLong { .. })
            }
            Self::Refused { .. } | Self::Sample { .. } => false,
        }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { source, .. } => Some(source),
            Self::Read { .. } | Self::Open { .. } | Self::Sample { .. } => None,
        }
    }

    /// Why it is kept out, in a word for metrics; none where it is no bundle.
    fn word(&self) -> Option<&'static str> {
        match self {
            Self::Refused { source, .. } => Some(source.word()),
            Self::Sample { .. } => Some("failed-test"),
            Self::Read { .. } | Self::Open { .. } => None,
        }
    }
}

/// A file that holds a bundle, and what it held when it was read.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    bundle: Arc<Bundle>,
    /// What the file was before it was read: whatever happens later is a change.
    signature: Signature,
    gate: Gate,
    approval: Option<Approval>,
}

impl Source {
    /// Reads and opens a file, whoever wrote it.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::open_through(Gate::default(), path)
    }

    /// Reads and opens a file, if it may come in; so may what it holds later.
    pub fn open_through(gate: Gate, path: &Path) -> Result<Self, SourceError> {
        let signature = Signature::of([path]);
        let (bundle, approval) = read(path, &gate)?;
        Ok(Self {
            path: path.to_owned(),
            bundle: Arc::new(bundle),
            signature,
            gate,
            approval,
        })
    }

    /// The bundle that the file held.
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// The signature for which it came in, if signatures are asked for.
    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// It is in force: nothing older comes in any more.
    pub(crate) fn is_served(&mut self) -> Result<(), GateError> {
        match &self.approval {
            Some(approval) => self.gate.serves(approval),
            None => Ok(()),
        }
    }
}

/// Reads the file into memory: it may change under a mapping.
fn read(path: &Path, gate: &Gate) -> Result<(Bundle, Option<Approval>), SourceError> {
    let failed = |source| SourceError::Read {
        path: path.to_owned(),
        source,
    };
    let unusable = |source| SourceError::Open {
        path: path.to_owned(),
        source,
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > MAX_LENGTH as u64 {
        return Err(unusable(OpenError::TooLarge(length)));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let (bundle, approval) = gate.open(bytes).map_err(|barred| match barred {
        Barred::Open(source) => unusable(source),
        Barred::Refused(source) => SourceError::Refused {
            path: path.to_owned(),
            source,
        },
    })?;
    match sample::check(&bundle) {
        Ok(_) => Ok((bundle, approval)),
        Err(source) => Err(SourceError::Sample {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Tells the follower to look now.
#[derive(Clone, Debug)]
pub(crate) struct Nudge(UnboundedSender<Event>);

impl Nudge {
    pub(crate) fn reload(&self) {
        let _ = self.0.send(Event::Now);
    }
}

/// Follows a bundle's file, and the files of the certificates in force.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    bundle: Arc<Bundle>,
    loaded: SystemTime,
    /// What the bundle's file was when what is in force was read from it.
    bundle_signature: Signature,
    /// Whether the file has been touched since.
    touched: bool,
    /// What all files were when the last attempt counted.
    judged: Signature,
    /// Why it was rejected then, if it was: events that come in threes are one rejection.
    rejected: Option<String>,
    gate: Gate,
    approval: Option<Approval>,
    /// Why the file was not let in, when it was last looked at.
    refusal: Option<Refusal>,
    /// The same in a word.
    refused: Option<&'static str>,
    /// Besides the bundle's.
    certificates: Vec<PathBuf>,
    settle: Settle,
    watch: Watch,
    events: UnboundedReceiver<Event>,
    commands: UnboundedSender<Command>,
}

impl Follower {
    pub(crate) fn new(
        source: Source,
        certificates: Vec<PathBuf>,
        commands: UnboundedSender<Command>,
    ) -> (Self, Nudge) {
        let (sender, events) = unbounded_channel();
        let nudge = Nudge(sender.clone());
        let watch = Watch::new(&source.path, sender);
        let mut follower = Self {
            settle: Settle::new(Signature::default()),
            path: source.path,
            bundle: source.bundle,
            loaded: SystemTime::now(),
            bundle_signature: source.signature.clone(),
            touched: false,
            judged: Signature::default(),
            rejected: None,
            gate: source.gate,
            approval: source.approval,
            refusal: None,
            refused: None,
            certificates,
            watch,
            events,
            commands,
        };
        // What changed between the reading and now is a change.
        let certificates = Signature::of(&follower.certificates);
        follower.judged = source.signature.with(certificates);
        follower.settle = Settle::new(follower.judged.clone());
        follower.watch_all();
        (follower, nudge)
    }

    fn watch_all(&mut self) {
        self.watch
            .set(std::iter::once(&self.path).chain(&self.certificates));
    }

    fn signature(&self) -> Signature {
        Signature::of(std::iter::once(&self.path).chain(&self.certificates))
    }

    /// Follows for ever.
    pub(crate) async fn run(mut self) {
        loop {
            let now = Instant::now();
            let wait = self
                .settle
                .wake_at()
                .map_or(LOOK, |at| at.saturating_duration_since(now));
            let event = tokio::time::timeout(wait.min(LOOK), self.events.recv()).await;
            let event = match event {
                Ok(Some(event)) => event,
                Ok(None) => return,
                // Nobody touches a file whose time has come.
                Err(_) if self.time_has_come() => Event::Now,
                Err(_) => Event::Look,
            };
            let signature = self.signature();
            let step = self
                .settle
                .observe(event, signature.clone(), Instant::now());
            let Step::Attempt { settled } = step else {
                continue;
            };
            let verdict = self.attempt(event, &signature).await;
            if self.settle.attempted(&verdict, settled, Instant::now()) {
                self.judge(verdict, event);
            }
        }
    }

    /// Whether the bundle's file was only too early when it was looked at.
    fn time_has_come(&self) -> bool {
        matches!(self.refusal, Some(Refusal::Early(from)) if from <= Moment::now())
    }

    /// An attempt counts.
    fn judge(&mut self, verdict: Verdict, event: Event) {
        let signature = self.settle.signature().clone();
        let sentence = match verdict {
            Verdict::Good => None,
            Verdict::Bad(sentence) | Verdict::Unfinished { sentence, .. } => Some(sentence),
        };
        let is_news = event == Event::Now || self.judged != signature || self.rejected != sentence;
        self.judged = signature;
        self.rejected = sentence;
        if is_news && let Some(sentence) = &self.rejected {
            say(&format!(
                "kept bundle {}: {sentence}",
                described(&self.bundle, self.loaded)
            ));
            let sentence = sentence.clone();
            let refusal = self.refused;
            let _ = self.commands.send(Command::Rejected { sentence, refusal });
        }
    }

    /// Reads what there is and has it applied.
    async fn attempt(&mut self, event: Event, all: &Signature) -> Verdict {
        let signature = Signature::of([&self.path]);
        self.touched |= matches!(event, Event::Changed | Event::Closed | Event::Now);
        self.touched |= signature != self.bundle_signature;
        let mut bundle = Arc::clone(&self.bundle);
        let mut approval = self.approval.clone();
        (self.refusal, self.refused) = (None, None);
        if self.touched {
            (bundle, approval) = match read(&self.path, &self.gate) {
                Ok((bundle, approval)) => (Arc::new(bundle), approval),
                Err(error) if error.may_be_unfinished() => {
                    let of_bundle = matches!(error, SourceError::Open { .. });
                    let sentence = error.to_string();
                    return Verdict::Unfinished {
                        sentence,
                        of_bundle,
                    };
                }
                Err(error) => {
                    self.refusal = error.refusal().cloned();
                    self.refused = error.word();
                    return Verdict::Bad(error.to_string());
                }
            };
        }
        if bundle.id() == self.bundle.id() {
            // The same files as the last time, when they were good.
            if *all == self.judged && self.rejected.is_none() && event != Event::Now {
                self.touched = false;
                return Verdict::Good;
            }
            // Another file of the same content: what is in force stays, certificates aside.
            bundle = Arc::clone(&self.bundle);
        }
        let (reply, answer) = oneshot::channel();
        let command = Command::Apply {
            bundle: Arc::clone(&bundle),
            approval: approval.clone(),
            reply: Reply::Task(reply),
        };
        if self.commands.send(command).is_err() {
            return Verdict::Good;
        }
        match answer.await {
            Ok(Ok((report, certificates))) => {
                self.bundle_signature = signature;
                self.touched = false;
                self.applied(bundle, &report);
                self.remember(approval);
                if certificates != self.certificates {
                    self.certificates = certificates;
                    self.watch_all();
                    self.settle.now_is(self.signature());
                }
                Verdict::Good
            }
            // A certificate and its key are two files: one may have changed before the other.
            Ok(Err(error)) if error.is_about_certificates() => Verdict::Unfinished {
                sentence: error.to_string(),
                of_bundle: false,
            },
            Ok(Err(ReloadError::Stopping)) | Err(_) => Verdict::Good,
            Ok(Err(error)) => Verdict::Bad(error.to_string()),
        }
    }

    /// What is in force is signed so: nothing older comes in any more.
    fn remember(&mut self, approval: Option<Approval>) {
        if let Some(approval) = &approval
            && let Err(error) = self.gate.serves(approval)
        {
            say(&format!(
                "{error}; older bundles may come in after a restart"
            ));
        }
        self.approval = approval;
    }

    fn applied(&mut self, bundle: Arc<Bundle>, report: &ReloadReport) {
        let is_new = bundle.id() != self.bundle.id();
        if is_new {
            self.bundle = bundle;
            self.loaded = SystemTime::now();
        }
        if report.applied {
            let what = if is_new {
                "applied bundle"
            } else {
                "applied new certificates to bundle"
            };
            say(&format!(
                "{what} {} in {} ms",
                described(&self.bundle, self.loaded),
                report.time.as_millis()
            ));
        }
    }
}

/// `b3:9f2c… (11 arms, loaded 09:00:00)`.
fn described(bundle: &Bundle, loaded: SystemTime) -> String {
    let arms = counted(bundle.arms().len(), "arm");
    format!("{} ({arms}, loaded {})", bundle.id(), time_of_day(loaded))
}

/// `1 arm`, `2 arms`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// One line to whoever started the process.
#[allow(clippy::print_stderr)]
pub(crate) fn say(line: &str) {
    eprintln!("meshd: {line}");
}
