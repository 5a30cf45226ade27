//! The order within layers: as few crossings as a few sweeps find.

use super::{Item, Wire, number};

/// Sweeps from left to right and back.
const SWEEPS: usize = 16;

/// The items of each layer, from top to bottom.
pub(super) fn order(items: &[Item], wires: &[Wire]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.layer + 1).max().unwrap_or(0);
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, item) in items.iter().enumerate() {
        layers[item.layer].push(index);
    }
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    for wire in wires {
        for pair in wire.through.windows(2) {
            behind[pair[0]].push(pair[1]);
            before[pair[1]].push(pair[0]);
        }
    }
    let mut best = layers.clone();
    let mut fewest = crossings(&layers, &behind, items.len());
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let numbers: Vec<usize> = if forward {
            (1..count).collect()
        } else {
            (0..count.saturating_sub(1)).rev().collect()
        };
        for at in numbers {
            let (fixed, neighbours) = if forward {
                (at - 1, &before)
            } else {
                (at + 1, &behind)
            };
            let places = places(&layers[fixed], items.len());
            sort(&mut layers[at], &places, neighbours);
        }
        let now = crossings(&layers, &behind, items.len());
        if now < fewest {
            fewest = now;
            best.clone_from(&layers);
        }
        if fewest == 0 {
            break;
        }
    }
    best
}

/// For each item of a layer its place, from 0.
fn places(layer: &[usize], count: usize) -> Vec<usize> {
    let mut places = vec![usize::MAX; count];
    for (place, item) in layer.iter().enumerate() {
        places[*item] = place;
    }
    places
}

/// Sorts a layer by the mean place of neighbours; those without any stay where they are.
fn sort(layer: &mut [usize], places: &[usize], neighbours: &[Vec<usize>]) {
    let own: Vec<(f64, usize)> = layer
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let all: Vec<usize> = neighbours[*item]
                .iter()
                .map(|other| places[*other])
                .filter(|place| *place != usize::MAX)
                .collect();
            let mean = if all.is_empty() {
                number(place)
            } else {
                number(all.iter().sum()) / number(all.len())
            };
            (mean, *item)
        })
        .collect();
    let mut sorted = own;
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable
    for (place, (_, item)) in layer.iter_mut().zip(sorted) {
        *place = item;
    }
}

/// How many pairs of lines cross.
fn crossings(layers: &[Vec<usize>], behind: &[Vec<usize>], count: usize) -> usize {
    let mut all = 0;
    for pair in layers.windows(2) {
        let places = places(&pair[1], count);
        // Of lines in the order of their beginnings, the ends that are out of order.
        let mut seen = vec![0usize; pair[1].len() + 1];
        let mut total = 0;
        for item in &pair[0] {
            let mut ends: Vec<usize> = behind[*item].iter().map(|to| places[*to]).collect();
            ends.sort_unstable();
            for &end in &ends {
                all += total - up_to(&seen, end);
            }
            for end in ends {
                add(&mut seen, end);
                total += 1;
            }
        }
    }
    all
}

/// How many were added up to a place, itself included (a Fenwick tree).
fn up_to(tree: &[usize], place: usize) -> usize {
    let mut index = place + 1;
    let mut sum = 0;
    while index > 0 {
        sum += tree[index];
        index &= index - 1;
    }
    sum
}

fn add(tree: &mut [usize], place: usize) {
    let mut index = place + 1;
    while index < tree.len() {
        tree[index] += 1;
        index += index & index.wrapping_neg();
    }
}
