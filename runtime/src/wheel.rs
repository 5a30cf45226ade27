//! Deadlines: one coarse timer wheel per worker.
//!
//! In come instants; out comes, at that instant or some milliseconds later but never earlier, a wake
//! of the task that waits. Every request has a deadline and hardly any is reached, so what counts is
//! that setting and taking back cost next to nothing: both are a few writes into lists that are held
//! together by indices, without a system call and without a lock.
//!
//! ```text
//! tick    8.4 ms (2²³ ns)
//! level 0 64 slots of 1 tick     0.5 s  ┐ a deadline lies in the level of the highest bit in which
//! level 1 64 slots of 64 ticks   34 s   │ its tick differs from the present one; when the present
//! level 2 …                      37 min │ reaches a slot, what lies in it moves down or fires
//! level 4                        104 d  ┘
//! ```
//!
//! Each level has a bitmap of its occupied slots, so that the wheel knows when it is needed next: the
//! worker sleeps until then, and not at all while the wheel is empty.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Nanoseconds of a tick, as a power of two.
const TICK_BITS: u32 = 23;
const LEVEL_BITS: u32 = 6;
const SLOTS: usize = 1 << LEVEL_BITS;
const LEVELS: usize = 5;
/// Ticks that the wheel spans; what lies further away comes back to be filed again.
const SPAN: u64 = 1 << (LEVEL_BITS * LEVELS as u32);
const NONE: u32 = u32::MAX;

/// The wheel proper, on ticks: what is filed, and where.
#[derive(Debug)]
struct Slots {
    entries: Vec<Entry>,
    /// First of the entries that are not in use, chained by `next`.
    free: u32,
    /// The present: everything due before has fired.
    now: u64,
    occupied: [u64; LEVELS],
    heads: [[u32; SLOTS]; LEVELS],
}

#[derive(Debug)]
struct Entry {
    due: u64,
    /// `level × SLOTS + slot`, or [`NONE`] once it has fired.
    place: u32,
    previous: u32,
    next: u32,
    waker: Option<Waker>,
}

impl Slots {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: NONE,
            now: 0,
            occupied: [0; LEVELS],
            heads: [[NONE; SLOTS]; LEVELS],
        }
    }

    /// Files a new entry.
    fn insert(&mut self, due: u64) -> u32 {
        let entry = Entry {
            due,
            place: NONE,
            previous: NONE,
            next: NONE,
            waker: None,
        };
        let key = self.free;
        let key = if key == NONE {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        } else {
            self.free = self.entries[key as usize].next;
            self.entries[key as usize] = entry;
            key
        };
        self.file(key);
        key
    }

    /// Takes an entry away, fired or not.
    fn remove(&mut self, key: u32) -> Option<Waker> {
        self.unlink(key);
        let free = self.free;
        let entry = &mut self.entries[key as usize];
        entry.next = free;
        self.free = key;
        entry.waker.take()
    }

    /// Files an entry anew.
    fn reset(&mut self, key: u32, due: u64) {
        self.unlink(key);
        self.entries[key as usize].due = due;
        self.file(key);
    }

    fn is_fired(&self, key: u32) -> bool {
        self.entries[key as usize].place == NONE
    }

    /// Puts an entry where its deadline belongs, seen from the present.
    fn file(&mut self, key: u32) {
        // What is due already is so in the next tick: the slot of this one has been emptied.
        let due = self.entries[key as usize]
            .due
            .clamp(self.now + 1, self.now + SPAN - 1);
        let differing = (due ^ self.now) | (SLOTS as u64 - 1);
        let level = (differing.ilog2() / LEVEL_BITS).min(LEVELS as u32 - 1);
        let slot = (due >> (level * LEVEL_BITS)) as usize % SLOTS;
        let level = level as usize;
        let head = std::mem::replace(&mut self.heads[level][slot], key);
        self.occupied[level] |= 1 << slot;
        if head != NONE {
            self.entries[head as usize].previous = key;
        }
        let entry = &mut self.entries[key as usize];
        entry.place = (level * SLOTS + slot) as u32;
        entry.previous = NONE;
        entry.next = head;
    }

    fn unlink(&mut self, key: u32) {
        let Entry {
            place,
            previous,
            next,
            ..
        } = self.entries[key as usize];
        if place == NONE {
            return;
        }
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
        if previous == NONE {
            let (level, slot) = (place as usize / SLOTS, place as usize % SLOTS);
            self.heads[level][slot] = next;
            if next == NONE {
                self.occupied[level] &= !(1 << slot);
            }
        } else {
            self.entries[previous as usize].next = next;
        }
        self.entries[key as usize].place = NONE;
    }

    /// The next tick at which a slot must be looked at.
    fn next(&self) -> Option<u64> {
        // A lower level is always due before a higher one: all of it lies within the present slot
        // of the next.
        (0..LEVELS).find_map(|level| {
            let occupied = self.occupied[level];
            if occupied == 0 {
                return None;
            }
            // From the slot behind the present one on: that one is empty, but in the top level, which
            // is a circle, where it lies a whole turn ahead.
            let shift = level as u32 * LEVEL_BITS;
            let behind = (self.now >> shift) + 1;
            let distance = occupied
                .rotate_right(behind as u32 % SLOTS as u32)
                .trailing_zeros();
            Some((behind + u64::from(distance)) << shift)
        })
    }

    /// Moves the present; wakers of what has become due go to `fired`.
    fn advance(&mut self, now: u64, fired: &mut Vec<Waker>) {
        while let Some(at) = self.next()
            && at <= now
        {
            self.now = at;
            for level in (0..LEVELS).rev() {
                let shift = level as u32 * LEVEL_BITS;
                if at & ((1 << shift) - 1) != 0 {
                    continue;
                }
                let slot = (at >> shift) as usize % SLOTS;
                self.occupied[level] &= !(1 << slot);
                let mut key = std::mem::replace(&mut self.heads[level][slot], NONE);
                while key != NONE {
                    let entry = &mut self.entries[key as usize];
                    let next = entry.next;
                    entry.place = NONE;
                    if entry.due <= at {
                        fired.extend(entry.waker.take());
                    } else {
                        self.file(key);
                    }
                    key = next;
                }
            }
        }
        self.now = self.now.max(now);
    }
}

/// The timer wheel of a worker.
#[derive(Debug)]
pub(crate) struct Wheel {
    start: Instant,
    slots: RefCell<Slots>,
    /// The tick until which the driver sleeps; `u64::MAX` while it does not.
    armed: Cell<u64>,
    driver: RefCell<Option<Waker>>,
}

impl Wheel {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            start: Instant::now(),
            slots: RefCell::new(Slots::new()),
            armed: Cell::new(u64::MAX),
            driver: RefCell::new(None),
        })
    }

    /// A timer that fires at `at`, or a little later.
    pub(crate) fn timer(self: &Rc<Self>, at: Instant) -> Timer {
        let due = self.tick_after(at);
        let key = self.slots.borrow_mut().insert(due);
        self.arm(due);
        Timer {
            wheel: Rc::clone(self),
            key,
        }
    }

    /// Waits; for what is no part of a request.
    pub(crate) async fn sleep(self: &Rc<Self>, duration: Duration) {
        let timer = self.timer(Instant::now() + duration);
        poll_fn(|cx| timer.poll_fired(cx)).await;
    }

    /// Never early: the first tick that begins at or after `at`.
    fn tick_after(&self, at: Instant) -> u64 {
        let nanoseconds = at.saturating_duration_since(self.start).as_nanos();
        (nanoseconds as u64).div_ceil(1 << TICK_BITS)
    }

    fn tick_at(&self, at: Instant) -> u64 {
        (at.saturating_duration_since(self.start).as_nanos() as u64) >> TICK_BITS
    }

    /// Wakes the driver if it sleeps longer than until `due`.
    fn arm(&self, due: u64) {
        if due < self.armed.get()
            && let Some(driver) = self.driver.borrow_mut().take()
        {
            self.armed.set(due);
            driver.wake();
        }
    }

    /// Lets time pass: sleeps until a slot is due, wakes what waits for it, and so on for ever.
    pub(crate) async fn drive(self: Rc<Self>) {
        let mut sleep: Option<Pin<Box<tokio::time::Sleep>>> = None;
        let mut fired = Vec::new();
        poll_fn::<(), _>(|cx| {
            loop {
                let now = self.tick_at(Instant::now());
                self.slots.borrow_mut().advance(now, &mut fired);
                fired.drain(..).for_each(Waker::wake);
                let next = self.slots.borrow().next();
                self.armed.set(next.unwrap_or(u64::MAX));
                *self.driver.borrow_mut() = Some(cx.waker().clone());
                let Some(next) = next else {
                    sleep = None;
                    return Poll::Pending;
                };
                let at = self.start + Duration::from_nanos(next << TICK_BITS);
                let sleep =
                    sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
                if sleep.deadline() != at.into() {
                    sleep.as_mut().reset(at.into());
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }
}

/// A place in the wheel. Dropping it takes the deadline back.
#[derive(Debug)]
pub(crate) struct Timer {
    wheel: Rc<Wheel>,
    key: u32,
}

impl Timer {
    /// Whether the deadline has passed; if not, the task is woken when it has.
    pub(crate) fn poll_fired(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut slots = self.wheel.slots.borrow_mut();
        if slots.is_fired(self.key) {
            return Poll::Ready(());
        }
        let waker = &mut slots.entries[self.key as usize].waker;
        match waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether the deadline has passed.
    #[cfg(test)]
    fn is_fired(&self) -> bool {
        self.wheel.slots.borrow().is_fired(self.key)
    }

    /// Sets another deadline. The task that waited is still woken.
    pub(crate) fn reset(&self, at: Instant) {
        let due = self.wheel.tick_after(at);
        self.wheel.slots.borrow_mut().reset(self.key, due);
        self.wheel.arm(due);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // The waker is dropped when the slots are no longer borrowed: its task may own timers.
        let waker = self.wheel.slots.borrow_mut().remove(self.key);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(usize),
        Reset(usize, u64),
        Advance(u64),
    }

    fn distance() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..130u64,
            0..10_000u64,
            0..1_000_000u64,
            0..SPAN,
            SPAN - 2..SPAN * 3,
            (0..5u32, 0..70u64).prop_map(|(level, slots)| slots << (level * LEVEL_BITS)),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => distance().prop_map(Step::Insert),
            2 => any::<prop::sample::Index>().prop_map(|index| Step::Remove(index.index(1 << 16))),
            1 => (any::<prop::sample::Index>(), distance())
                .prop_map(|(index, by)| Step::Reset(index.index(1 << 16), by)),
            3 => distance().prop_map(Step::Advance),
        ]
    }

    /// What holds after every step: whoever is due has fired, whoever is not has not, and the wheel
    /// wakes neither after the first deadline nor, for the lowest level, before it.
    fn check(slots: &Slots, model: &BTreeMap<u32, u64>) {
        for (&key, &due) in model {
            assert_eq!(
                slots.is_fired(key),
                due <= slots.now,
                "due {due}, now {}",
                slots.now
            );
        }
        let first = model.values().filter(|&&due| due > slots.now).min();
        match (slots.next(), first) {
            (None, None) => {}
            (Some(next), Some(&first)) => {
                assert!(next <= first && next > slots.now, "{next} for {first}");
                if first - slots.now < SLOTS as u64
                    && first >> LEVEL_BITS == slots.now >> LEVEL_BITS
                {
                    assert_eq!(next, first);
                }
            }
            (next, first) => panic!("sleeps until {next:?}, and {first:?} is due"),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_sorted_map(steps in prop::collection::vec(step(), 1..120)) {
            let mut slots = Slots::new();
            let mut model = BTreeMap::new();
            let mut fired = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(by) => {
                        // What is due at once fires with the next tick.
                        let due = slots.now + by.max(1);
                        model.insert(slots.insert(due), due);
                    }
                    Step::Remove(index) => {
                        if let Some(&key) = model.keys().nth(index % model.len().max(1)) {
                            slots.remove(key);
                            model.remove(&key);
                        }
                    }
                    Step::Reset(index, by) => {
                        if let Some(&key) = model.keys().nth(index % model.len().max(1)) {
                            let due = slots.now + by.max(1);
                            slots.reset(key, due);
                            model.insert(key, due);
                        }
                    }
                    Step::Advance(by) => {
                        let now = slots.now + by;
                        slots.advance(now, &mut fired);
                        prop_assert_eq!(slots.now, now);
                    }
                }
                check(&slots, &model);
            }
        }
    }

    #[test]
    fn the_slot_of_the_present_comes_last_in_the_circle() {
        let mut slots = Slots::new();
        slots.advance(SPAN + 1, &mut Vec::new());
        slots.insert(2 * SPAN);
        let sooner = slots.now + SPAN / 2;
        slots.insert(sooner);
        assert!(slots.next() <= Some(sooner), "{:?}", slots.next());
    }

    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn in_worker(test: impl AsyncFnOnce(Rc<Wheel>)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build_local(tokio::runtime::LocalOptions::default())
            .expect("a runtime");
        runtime.block_on(async {
            let wheel = Wheel::new();
            tokio::task::spawn_local(Rc::clone(&wheel).drive());
            test(wheel).await;
        });
    }

    #[test]
    fn is_never_early_and_not_much_late() {
        in_worker(async |wheel| {
            for milliseconds in [0, 1, 9, 30, 600] {
                let start = Instant::now();
                wheel.sleep(Duration::from_millis(milliseconds)).await;
                let took = start.elapsed();
                assert!(took >= Duration::from_millis(milliseconds), "{took:?}");
                // Generous: the machine may be busy.
                assert!(took < Duration::from_millis(milliseconds + 500), "{took:?}");
            }
        });
    }

    #[test]
    fn an_earlier_deadline_wakes_the_driver() {
        in_worker(async |wheel| {
            let long = wheel.timer(Instant::now() + Duration::from_hours(1));
            tokio::task::yield_now().await;
            let start = Instant::now();
            wheel.sleep(Duration::from_millis(20)).await;
            assert!(start.elapsed() < Duration::from_secs(5));
            assert!(!long.is_fired());
        });
    }

    #[test]
    fn sleeps_only_while_something_is_filed() {
        in_worker(async |wheel| {
            tokio::task::yield_now().await;
            assert_eq!(wheel.armed.get(), u64::MAX);
            wheel.sleep(Duration::from_millis(10)).await;
            tokio::task::yield_now().await;
            assert_eq!(wheel.armed.get(), u64::MAX);
        });
    }

    #[test]
    fn a_timer_that_is_taken_back_wakes_nobody() {
        in_worker(async |wheel| {
            let count = Arc::new(Count(AtomicU32::new(0)));
            let waker = Waker::from(Arc::clone(&count));
            let timers: Vec<Timer> = (0..3u64)
                .map(|index| wheel.timer(Instant::now() + Duration::from_millis(10 + index)))
                .collect();
            for timer in &timers {
                let mut cx = Context::from_waker(&waker);
                assert!(timer.poll_fired(&mut cx).is_pending());
            }
            let mut timers = timers.into_iter();
            drop(timers.next());
            timers.as_slice()[0].reset(Instant::now() + Duration::from_mins(1));
            wheel.sleep(Duration::from_millis(60)).await;
            assert_eq!(count.0.load(Ordering::Relaxed), 1);
            let left: Vec<bool> = timers.map(|timer| timer.is_fired()).collect();
            assert_eq!(left, [false, true]);
        });
    }
}
