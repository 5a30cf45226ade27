//! Least request: of two endpoints drawn by weight, the one with less to do.
//!
//! What an endpoint has to do is what this worker has sent it and not yet had answered, in
//! proportion to its weight.

use mesh_bundle::Bundle;
use mesh_bundle::format::{Endpoint, Id, Run};

/// For each endpoint of a bundle, the weights of all before it; one entry more than there are
/// endpoints. Drawing by weight is then a search in the part that belongs to the candidates.
#[derive(Debug)]
pub(crate) struct Weights(Vec<u64>);

impl Weights {
    pub(crate) fn new(bundle: &Bundle) -> Self {
        Self::sums(bundle.endpoints().iter().map(|it| it.weight.get()))
    }

    fn sums(weights: impl Iterator<Item = u32>) -> Self {
        let mut sum = 0;
        let sums = weights.map(|weight| {
            sum += u64::from(weight);
            sum
        });
        Self(std::iter::once(0).chain(sums).collect())
    }

    fn of(&self, index: usize) -> u64 {
        self.0[index + 1] - self.0[index]
    }

    /// The endpoint that holds `place` among all weights.
    fn at(&self, candidates: std::ops::Range<usize>, place: u64) -> usize {
        let ends = &self.0[candidates.start + 1..=candidates.end];
        candidates.start + ends.partition_point(|&end| end <= place)
    }
}

/// Draws an endpoint; `None` where there are none.
#[inline]
pub(crate) fn pick(
    weights: &Weights,
    candidates: Run<Endpoint>,
    random: &mut fastrand::Rng,
    active: impl Fn(usize) -> u32,
) -> Option<Id<Endpoint>> {
    let range = candidates.range();
    match range.len() {
        0 => return None,
        1 => return Some(Id::new(range.start as u32)),
        _ => {}
    }
    let (start, end) = (weights.0[range.start], weights.0[range.end]);
    let first = weights.at(range.clone(), start + random.u64(..end - start));
    // The second is drawn from what is left: the first one's share is leapt over.
    let share = weights.of(first);
    let place = start + random.u64(..end - start - share);
    let leap = if place >= weights.0[first] { share } else { 0 };
    let second = weights.at(range, place + leap);
    let load = |busy: usize, other: usize| u64::from(active(busy)) * weights.of(other);
    let better = if load(second, first) < load(first, second) {
        second
    } else {
        first
    };
    Some(Id::new(better as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(weights: &[u32], active: &[u32], candidates: Run<Endpoint>) -> Vec<u32> {
        let sums = Weights::sums(weights.iter().copied());
        let mut random = fastrand::Rng::with_seed(7);
        let mut counts = vec![0; weights.len()];
        for _ in 0..60_000 {
            let drawn = pick(&sums, candidates, &mut random, |index| active[index]);
            counts[drawn.expect("there are candidates").index()] += 1;
        }
        counts
    }

    #[test]
    fn idle_endpoints_get_their_weights() {
        let counts = draws(&[9, 1, 2, 3, 9], &[0; 5], Run::new(1, 3));
        assert_eq!((counts[0], counts[4]), (0, 0), "no candidates");
        for (count, expected) in counts[1..4].iter().zip([10_000, 20_000, 30_000]) {
            assert!(count.abs_diff(expected) < 600, "{counts:?}");
        }
    }

    #[test]
    fn of_two_the_less_busy_one_is_taken() {
        assert_eq!(draws(&[1, 1], &[5, 4], Run::new(0, 2)), [0, 60_000]);
        // Twice the weight may have twice the work.
        assert_eq!(draws(&[2, 1], &[5, 3], Run::new(0, 2)), [60_000, 0]);
        assert_eq!(draws(&[2, 1], &[7, 3], Run::new(0, 2)), [0, 60_000]);
    }

    #[test]
    fn the_busiest_of_many_gets_nothing() {
        let counts = draws(&[1, 1, 1], &[0, 9, 0], Run::new(0, 3));
        assert_eq!(counts[1], 0, "two distinct ones are compared");
        assert!(counts[0].abs_diff(counts[2]) < 1_000, "{counts:?}");
    }

    #[test]
    fn one_or_none() {
        assert_eq!(draws(&[1, 5], &[9, 0], Run::new(0, 1)), [60_000, 0]);
        let none = pick(
            &Weights(vec![0]),
            Run::EMPTY,
            &mut fastrand::Rng::with_seed(1),
            |_| 0,
        );
        assert_eq!(none, None);
    }
}
