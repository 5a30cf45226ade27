//! Layers: what calls stands to the left of what is called.

use super::{Item, Wire};
use std::collections::BTreeSet;

/// Boxes of one layer that may stand below each other; a layer with more is several.
fn most(boxes: usize) -> usize {
    (boxes.isqrt() * 3).max(16)
}

/// How high a lane is.
const LANE: f64 = 12.0;

/// Gives each box a layer, and turns lines around that would go back. `first_is_first`: the first box is at the very
/// left, whatever else nothing leads to.
pub(super) fn assign(items: &mut [Item], wires: &mut [Wire], first_is_first: bool) {
    let count = items.len();
    let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for wire in wires.iter() {
        next[wire.left.item].insert(wire.right.item);
    }
    let back = back_edges(&next);
    for wire in wires.iter_mut() {
        if back.contains(&(wire.left.item, wire.right.item)) {
            std::mem::swap(&mut wire.left, &mut wire.right);
            wire.reversed = true;
        }
    }
    let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    let mut before = vec![0usize; count];
    for wire in wires.iter() {
        if next[wire.left.item].insert(wire.right.item) {
            before[wire.right.item] += 1;
        }
    }
    let has_before: Vec<bool> = before.iter().map(|count| *count > 0).collect();
    let mut layer = vec![0usize; count];
    let mut ready: Vec<usize> = (0..count).filter(|item| before[*item] == 0).collect();
    while let Some(item) = ready.pop() {
        for &to in &next[item] {
            layer[to] = layer[to].max(layer[item] + 1);
            before[to] -= 1;
            if before[to] == 0 {
                ready.push(to);
            }
        }
    }
    // What nothing leads to stands right before what it leads to.
    for item in usize::from(first_is_first)..count {
        let nearest = next[item].iter().map(|to| layer[*to]).min();
        if let (false, Some(nearest)) = (has_before[item], nearest) {
            layer[item] = nearest - 1;
        }
    }
    // What nothing leads to and that leads nowhere fills the layers up.
    let layers = layer.iter().max().map_or(1, |last| last + 1).max(4);
    let lonely = (0..count).filter(|item| !has_before[*item] && next[*item].is_empty());
    let lonely: Vec<usize> = lonely.collect();
    let alone = lonely.len();
    for (number, item) in lonely.into_iter().enumerate() {
        layer[item] = if alone == count {
            number % most(count).min(layers)
        } else {
            number % layers
        };
    }
    for (item, layer) in items.iter_mut().zip(split(&layer)) {
        item.layer = layer;
    }
}

/// Splits layers that have too many boxes.
fn split(layers: &[usize]) -> Vec<usize> {
    let most = most(layers.len());
    let last = layers.iter().max().copied().unwrap_or(0);
    let mut new = vec![0; layers.len()];
    let mut first = 0;
    for layer in 0..=last {
        let all: Vec<usize> = (0..layers.len())
            .filter(|it| layers[*it] == layer)
            .collect();
        let parts = all.len().div_ceil(most).max(1);
        let each = all.len().div_ceil(parts).max(1);
        for (number, item) in all.into_iter().enumerate() {
            new[item] = first + number / each;
        }
        first += parts;
    }
    new
}

/// Pairs that close a cycle when boxes are gone through in their order.
fn back_edges(next: &[BTreeSet<usize>]) -> BTreeSet<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; next.len()];
    let mut back = BTreeSet::new();
    for root in 0..next.len() {
        if state[root] != State::New {
            continue;
        }
        state[root] = State::Open;
        let mut way = vec![(root, next[root].iter())];
        while let Some((item, rest)) = way.last_mut() {
            match rest.next() {
                None => {
                    state[*item] = State::Done;
                    way.pop();
                }
                Some(&to) => match state[to] {
                    State::New => {
                        state[to] = State::Open;
                        way.push((to, next[to].iter()));
                    }
                    State::Open => {
                        back.insert((*item, to));
                    }
                    State::Done => {}
                },
            }
        }
    }
    back
}

/// Gives each line a lane in each layer that it passes.
pub(super) fn lanes(items: &mut Vec<Item>, wires: &mut [Wire]) {
    for wire in wires {
        let (from, to) = (items[wire.left.item].layer, items[wire.right.item].layer);
        wire.through.push(wire.left.item);
        for layer in from + 1..to {
            wire.through.push(items.len());
            items.push(Item {
                layer,
                width: 0.0,
                height: LANE,
                y: 0.0,
                is_lane: true,
            });
        }
        wire.through.push(wire.right.item);
    }
}
