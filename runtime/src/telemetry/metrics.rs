//! Metric cells: what a worker counts while it serves.
//!
//! Every cell has one writer, its worker, and is read when somebody asks for the metrics: adding is a
//! plain load and store. Cells of arms and destinations are made at the first hit, so that a hundred
//! thousand arms nobody uses cost nothing; a worker finds a cell again by the arm's index, and a
//! reload finds it by its name, so that counts go on.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;

/// What went wrong with a request, in the letters that Envoy's users know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Flag {
    /// Nothing.
    #[default]
    None,
    /// The client's request cannot be read in one way only.
    ProtocolError,
    /// One side was silent for too long.
    Idle,
    /// No host block or no arm takes it.
    NoRoute,
    /// The caller may not.
    Denied,
    /// No connection could be made.
    ConnectFailed,
    /// There is no endpoint.
    NoEndpoint,
    /// The upstream broke off.
    UpstreamReset,
    /// The upstream's response cannot be read.
    UpstreamProtocol,
    /// The request's time was over.
    Timeout,
    /// The client went away.
    ClientGone,
}

impl Flag {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::ProtocolError => "DPE",
            Self::Idle => "SI",
            Self::NoRoute => "NR",
            Self::Denied => "UAEX",
            Self::ConnectFailed => "UF",
            Self::NoEndpoint => "UH",
            Self::UpstreamReset => "UC",
            Self::UpstreamProtocol => "UPE",
            Self::Timeout => "UT",
            Self::ClientGone => "DC",
        }
    }
}

/// A number that one thread changes and any may read.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        let value = self.0.load(Ordering::Relaxed).wrapping_add(more);
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn subtract(&self, less: u64) {
        self.add(less.wrapping_neg());
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets, in microseconds; one more bucket takes the rest.
pub(crate) const BUCKETS: [u64; 16] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// How long requests took.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [Counter; BUCKETS.len() + 1],
    nanoseconds: Counter,
}

impl Histogram {
    #[inline]
    fn record(&self, duration: Duration) {
        let nanoseconds = duration.as_nanos() as u64;
        let bucket = BUCKETS.partition_point(|bound| bound * 1000 < nanoseconds);
        self.buckets[bucket].add(1);
        self.nanoseconds.add(nanoseconds);
    }

    /// Adds what was counted to a sum over workers.
    pub(crate) fn add_to(&self, sum: &mut HistogramSum) {
        for (total, bucket) in sum.buckets.iter_mut().zip(&self.buckets) {
            *total += bucket.get();
        }
        sum.nanoseconds += self.nanoseconds.get();
    }
}

/// A histogram, summed over workers.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistogramSum {
    pub(crate) buckets: [u64; BUCKETS.len() + 1],
    pub(crate) nanoseconds: u64,
}

/// What a counter counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Series {
    /// Requests by the arm that had the last word.
    Requests {
        arm: Arc<str>,
        code: u16,
        flag: Flag,
    },
    /// Responses of upstreams.
    Upstream { destination: Destination, code: u16 },
}

/// A service, or a version of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Destination {
    pub(crate) service: Arc<str>,
    /// Empty for all versions.
    pub(crate) version: Arc<str>,
}

/// The connections of one worker to a service.
#[derive(Debug, Default)]
pub(crate) struct UpstreamCells {
    pub(crate) active: Counter,
    pub(crate) opened: Counter,
    pub(crate) failed: Counter,
}

/// The cells of one worker.
#[derive(Debug, Default)]
pub(crate) struct WorkerMetrics {
    named: Mutex<Named>,
    pub(crate) panics: Counter,
}

/// Cells by what they count.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) counters: HashMap<Series, Arc<Counter>>,
    pub(crate) durations: HashMap<Destination, Arc<Histogram>>,
    pub(crate) upstreams: HashMap<Arc<str>, Arc<UpstreamCells>>,
}

impl WorkerMetrics {
    /// All cells. A worker waits for this once per cell that it makes, never per request.
    pub(crate) fn named(&self) -> MutexGuard<'_, Named> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counter(&self, series: Series) -> Arc<Counter> {
        Arc::clone(self.named().counters.entry(series).or_default())
    }

    pub(crate) fn upstream(&self, service: &Arc<str>) -> Arc<UpstreamCells> {
        let mut named = self.named();
        Arc::clone(named.upstreams.entry(Arc::clone(service)).or_default())
    }
}

/// Codes that a label may show; an upstream can invent others.
fn known_code(code: u16) -> u16 {
    if (100..600).contains(&code) { code } else { 0 }
}

/// A counter with the status code and the flag that it counts.
type ByAnswer = (u16, Flag, Arc<Counter>);

/// A worker's counters of one arm.
#[derive(Debug)]
pub(crate) struct ArmCells {
    arm: Arc<str>,
    counters: RefCell<SmallVec<[ByAnswer; 2]>>,
}

impl ArmCells {
    pub(crate) fn new(arm: &str) -> Self {
        Self {
            arm: arm.into(),
            counters: RefCell::default(),
        }
    }

    /// Counts a request.
    #[inline]
    pub(crate) fn count(&self, metrics: &WorkerMetrics, code: u16, flag: Flag) {
        let code = known_code(code);
        let mut counters = self.counters.borrow_mut();
        let known = counters.iter().find(|(c, f, _)| (*c, *f) == (code, flag));
        if let Some((_, _, counter)) = known {
            return counter.add(1);
        }
        let arm = Arc::clone(&self.arm);
        let counter = metrics.counter(Series::Requests { arm, code, flag });
        counter.add(1);
        counters.push((code, flag, counter));
    }
}

/// A counter with the status code that it counts.
type ByCode = (u16, Arc<Counter>);

/// A worker's cells of one destination.
#[derive(Debug)]
pub(crate) struct DestinationCells {
    destination: Destination,
    duration: Arc<Histogram>,
    counters: RefCell<SmallVec<[ByCode; 2]>>,
}

impl DestinationCells {
    pub(crate) fn new(metrics: &WorkerMetrics, destination: Destination) -> Self {
        let mut named = metrics.named();
        let duration = named.durations.entry(destination.clone()).or_default();
        Self {
            duration: Arc::clone(duration),
            destination,
            counters: RefCell::default(),
        }
    }

    /// Counts a request that was meant for the destination, and how long it took.
    #[inline]
    pub(crate) fn record(&self, duration: Duration) {
        self.duration.record(duration);
    }

    /// Counts a response of the destination.
    #[inline]
    pub(crate) fn count(&self, metrics: &WorkerMetrics, code: u16) {
        let code = known_code(code);
        let mut counters = self.counters.borrow_mut();
        if let Some((_, counter)) = counters.iter().find(|(known, _)| *known == code) {
            return counter.add(1);
        }
        let destination = self.destination.clone();
        let counter = metrics.counter(Series::Upstream { destination, code });
        counter.add(1);
        counters.push((code, counter));
    }
}

/// A long array whose values are made when they are first asked for.
#[derive(Debug)]
pub(crate) struct Lazy<T> {
    pages: Box<[OnceCell<Page<T>>]>,
}

type Page<T> = Box<[OnceCell<T>; PAGE]>;

const PAGE: usize = 64;

impl<T> Lazy<T> {
    pub(crate) fn new(length: usize) -> Self {
        let pages = length.div_ceil(PAGE);
        Self {
            pages: (0..pages).map(|_| OnceCell::new()).collect(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize, make: impl FnOnce() -> T) -> &T {
        let page =
            self.pages[index / PAGE].get_or_init(|| Box::new([const { OnceCell::new() }; PAGE]));
        page[index % PAGE].get_or_init(make)
    }
}

/// Counters of a listener, one of each for every worker.
#[derive(Debug)]
pub(crate) struct ListenerCells {
    /// The address, as it is shown.
    pub(crate) name: String,
    pub(crate) workers: Box<[ConnectionCells]>,
}

/// A worker's connections of a listener. Workers look at each other's when a connection comes, and
/// may hand it over: these cells have several writers.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct ConnectionCells {
    active: AtomicU64,
    total: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// Whether the worker has the listener.
    pub(crate) is_open: AtomicBool,
}

impl ConnectionCells {
    pub(crate) fn open(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// Counts the bytes of a connection that has ended.
    pub(crate) fn passed(&self, bytes_in: u64, bytes_out: u64) {
        self.bytes_in.fetch_add(bytes_in, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes_out, Ordering::Relaxed);
    }
}

impl ListenerCells {
    pub(crate) fn new(name: String, workers: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            workers: (0..workers).map(|_| ConnectionCells::default()).collect(),
        })
    }

    pub(crate) fn active(&self) -> u64 {
        self.workers.iter().map(ConnectionCells::active).sum()
    }

    pub(crate) fn total(&self, of: impl Fn(&ConnectionCells) -> &AtomicU64) -> u64 {
        let values = self
            .workers
            .iter()
            .map(|cells| of(cells).load(Ordering::Relaxed));
        values.sum()
    }

    pub(crate) fn opened(&self) -> u64 {
        self.total(|cells| &cells.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_counts_by_code_and_flag_and_goes_on_after_a_reload() {
        let metrics = WorkerMetrics::default();
        let before = ArmCells::new("GET /");
        before.count(&metrics, 200, Flag::None);
        before.count(&metrics, 200, Flag::None);
        before.count(&metrics, 503, Flag::ConnectFailed);
        before.count(&metrics, 999, Flag::None);
        let after = ArmCells::new("GET /");
        after.count(&metrics, 200, Flag::None);
        let mut counts: Vec<_> = metrics
            .named()
            .counters
            .iter()
            .map(|(series, counter)| match series {
                Series::Requests { arm, code, flag } => {
                    (arm.to_string(), *code, flag.text(), counter.get())
                }
                Series::Upstream { .. } => unreachable!("no upstream was counted"),
            })
            .collect();
        counts.sort_unstable();
        let arm = || "GET /".to_owned();
        assert_eq!(
            counts,
            [
                (arm(), 0, "-", 1),
                (arm(), 200, "-", 3),
                (arm(), 503, "UF", 1)
            ]
        );
    }

    #[test]
    fn a_duration_lands_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::from_micros(500));
        histogram.record(Duration::from_nanos(500_001));
        histogram.record(Duration::from_secs(61));
        let mut sum = HistogramSum::default();
        histogram.add_to(&mut sum);
        histogram.add_to(&mut sum);
        assert_eq!(sum.buckets[..2], [4, 2]);
        assert_eq!(sum.buckets[16], 2);
        assert_eq!(sum.nanoseconds, 2 * (500_000 + 500_001 + 61_000_000_000));
    }

    #[test]
    fn gauges_go_down_again() {
        let gauge = Counter::default();
        gauge.add(2);
        gauge.subtract(1);
        assert_eq!(gauge.get(), 1);
    }

    #[test]
    fn a_lazy_array_makes_what_is_asked_for() {
        let lazy = Lazy::new(130);
        assert_eq!(*lazy.get(129, || 7), 7);
        assert_eq!(*lazy.get(129, || 8), 7);
        assert_eq!(
            lazy.pages
                .iter()
                .filter(|page| page.get().is_some())
                .count(),
            1
        );
    }
}
