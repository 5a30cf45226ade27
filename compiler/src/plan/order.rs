//! In which order the facets of a list of arms are asked.
//!
//! The order decides the size of a diagram: fields that the same arms test must stand together, or
//! it grows exponentially. No single heuristic finds a good order always, so a few are proposed and
//! the caller keeps the one with the smallest diagram: the order of the source, a greedy chain (next
//! the facet that shares most arms with the last ones), and FORCE (each facet moves to the mean
//! position of the arms that test it, repeatedly; Aloul, Markov, Sakallah 2003).

use std::collections::HashMap;

/// Rounds of FORCE; it settles earlier on lists of usual size.
const ROUNDS: usize = 60;
/// More facets than this are left in the order of the source: the table of pairs grows with the square.
const CHOICE_LIMIT: usize = 256;

/// Proposes orders of the facets that `arms` test (each arm's facets by id), without duplicates.
/// There is one proposal where the order cannot matter.
pub fn proposals(arms: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut source = Vec::new();
    let mut place = HashMap::new();
    for &facet in arms.iter().flatten() {
        place.entry(facet).or_insert_with(|| {
            source.push(facet);
            source.len() - 1
        });
    }
    if source.len() <= 2 || source.len() > CHOICE_LIMIT {
        return vec![source];
    }
    // From here on a facet is its place in the source's order.
    let arms: Vec<Vec<usize>> = arms
        .iter()
        .map(|arm| arm.iter().map(|facet| place[facet]).collect())
        .collect();
    let name = |order: Vec<usize>| -> Vec<u32> { order.iter().map(|&at| source[at]).collect() };
    let mut all = vec![
        name(chain(source.len(), &arms)),
        name(force(source.len(), &arms)),
        source.clone(),
    ];
    all.sort();
    all.dedup();
    all
}

/// Starts with the most used facet (what guards many arms is asked once, above them) and goes on with
/// the one that shares most arms with the last two.
fn chain(facets: usize, arms: &[Vec<usize>]) -> Vec<usize> {
    let mut shared = vec![vec![0u32; facets]; facets];
    for arm in arms {
        for &a in arm {
            for &b in arm {
                shared[a][b] += 1;
            }
        }
    }
    let mut left: Vec<usize> = (0..facets).collect();
    left.sort_by_key(|&facet| std::cmp::Reverse(shared[facet][facet]));
    let mut order = vec![left.remove(0)];
    while !left.is_empty() {
        let last = &order[order.len().saturating_sub(2)..];
        let with_last = |facet: usize| last.iter().map(|&at| shared[at][facet]).sum::<u32>();
        // Of those that share as much, the first: it is used most.
        let most = left.iter().map(|&facet| with_last(facet)).max();
        let next = left
            .iter()
            .position(|&facet| Some(with_last(facet)) == most);
        order.push(left.remove(next.unwrap_or(0)));
    }
    order
}

/// A place in the order as a number to average; there are fewer than [`CHOICE_LIMIT`].
fn position(at: usize) -> f64 {
    f64::from(at as u32)
}

/// Moves each facet to the mean position of the arms that test it, until nothing moves.
fn force(facets: usize, arms: &[Vec<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..facets).collect();
    let mut place: Vec<f64> = (0..facets).map(position).collect();
    for _ in 0..ROUNDS {
        let mut pull = vec![(0.0, 0.0); facets];
        for arm in arms {
            let sum: f64 = arm.iter().map(|&facet| place[facet]).sum();
            for &facet in arm {
                pull[facet].0 += sum / position(arm.len());
                pull[facet].1 += 1.0;
            }
        }
        let centre = |facet: usize| pull[facet].0 / pull[facet].1;
        let mut next = order.clone();
        next.sort_by(|&a, &b| centre(a).total_cmp(&centre(b)));
        if next == order {
            break;
        }
        order = next;
        for (at, &facet) in order.iter().enumerate() {
            place[facet] = position(at);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proposal_is_a_permutation() {
        let arms: Vec<Vec<u32>> = (0..12).map(|i| vec![i, i + 12, 30]).collect();
        for mut order in proposals(&arms) {
            order.sort_unstable();
            let mut all: Vec<u32> = (0..24).chain([30]).collect();
            all.sort_unstable();
            assert_eq!(order, all);
        }
    }

    #[test]
    fn pairs_come_to_stand_together() {
        let arms: Vec<Vec<u32>> = (0..20).map(|i| vec![i, i + 20]).collect();
        let together = |order: &[u32]| {
            let place = |facet| order.iter().position(|&at| at == facet);
            (0..20).all(|i| {
                place(i)
                    .zip(place(i + 20))
                    .is_some_and(|(a, b)| a.abs_diff(b) <= 3)
            })
        };
        assert!(proposals(&arms).iter().any(|order| together(order)));
    }
}
