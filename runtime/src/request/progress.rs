//! How far an exchange has come, and whether it is late.
//!
//! Shared by those who move an exchange on: the request's body, the response's body, and the
//! connection, which must break off when neither body is being polled because the client does not
//! read. One timer serves both clocks that run: the total time, and how long nothing has moved.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::telemetry::metrics::Flag;
use crate::wheel::{Timer, Wheel};

/// How long nothing may move, either way.
pub(crate) const IDLE: Duration = Duration::from_mins(5);
/// How often that is looked at. What moved since is known to this precision, so that moving costs
/// nothing but a flag.
const LOOK: Duration = Duration::from_secs(30);

/// What has become of a request's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyState {
    /// All of it has been passed on, or there was none.
    #[default]
    Complete,
    /// There is more to come.
    Open,
    /// The client broke off.
    Broken,
}

/// The progress of one exchange.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) bytes_in: Cell<u64>,
    pub(crate) request_body: Cell<BodyState>,
    timer: RefCell<Option<Timer>>,
    deadline: Cell<Option<Instant>>,
    moved: Cell<bool>,
    still_since: Cell<Option<Instant>>,
    overdue: Cell<Option<Flag>>,
}

impl Progress {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            bytes_in: Cell::new(0),
            request_body: Cell::default(),
            timer: RefCell::new(None),
            deadline: Cell::new(None),
            moved: Cell::new(false),
            still_since: Cell::new(None),
            overdue: Cell::new(None),
        })
    }

    /// Starts over, for another exchange.
    pub(crate) fn reset(&self) {
        self.bytes_in.set(0);
        self.request_body.set(BodyState::Complete);
        self.stop();
    }

    /// Both clocks run from now on, the total one if there is a deadline.
    pub(crate) fn start(&self, wheel: &Rc<Wheel>, began: Instant, deadline: Option<Instant>) {
        self.deadline.set(deadline);
        self.still_since.set(Some(began));
        let look = began + LOOK;
        let at = deadline.map_or(look, |deadline| deadline.min(look));
        *self.timer.borrow_mut() = Some(wheel.timer(at));
    }

    /// No clock runs any more.
    pub(crate) fn stop(&self) {
        *self.timer.borrow_mut() = None;
        self.overdue.set(None);
        self.moved.set(false);
    }

    /// In which way it has turned out to be late.
    pub(crate) fn overdue(&self) -> Option<Flag> {
        self.overdue.get()
    }

    #[inline]
    pub(crate) fn received(&self, bytes: usize) {
        self.bytes_in.set(self.bytes_in.get() + bytes as u64);
        self.moved.set(true);
    }

    #[inline]
    pub(crate) fn moved(&self) {
        self.moved.set(true);
    }

    /// Whether the exchange is late, and in which way; if not, the task is woken when it may be.
    pub(crate) fn poll_overdue(&self, cx: &mut Context<'_>) -> Option<Flag> {
        if let Some(flag) = self.overdue.get() {
            return Some(flag);
        }
        let timer = self.timer.borrow();
        let timer = timer.as_ref()?;
        while timer.poll_fired(cx) == Poll::Ready(()) {
            let now = Instant::now();
            let deadline = self.deadline.get();
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.overdue.set(Some(Flag::Timeout));
                return self.overdue.get();
            }
            if self.moved.replace(false) {
                self.still_since.set(Some(now));
            }
            let still_until = self.still_since.get().map_or(now, |since| since + IDLE);
            if still_until <= now {
                self.overdue.set(Some(Flag::Idle));
                return self.overdue.get();
            }
            let next = still_until.min(now + LOOK);
            timer.reset(deadline.map_or(next, |deadline| deadline.min(next)));
        }
        None
    }
}
