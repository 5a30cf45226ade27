//! How high the items of each layer are: where their lines are short, in their order, and not on each other.

use super::{Item, Placed, Port, Ports, Side, Slot, Wire, offset};
use std::collections::BTreeMap;

/// Sweeps over all layers.
const SWEEPS: usize = 12;
/// Between boxes, and around lanes.
const BETWEEN: f64 = 22.0;
const AROUND_LANES: f64 = 4.0;

/// Moves items up and down; says in which order lines meet boxes.
pub(super) fn place(
    items: &mut [Item],
    layers: &mut [Vec<usize>],
    boxes: &[Placed],
    wires: &[Wire],
) -> Ports {
    for layer in layers.iter() {
        let mut y = 0.0;
        for item in layer {
            items[*item].y = y;
            y += items[*item].height + between(&items[*item], &items[*item]);
        }
    }
    let mut ports = meeting(items, boxes, wires);
    // For each item the lines through it, and whereabouts it is on them.
    let mut through: Vec<Vec<(usize, usize)>> = vec![Vec::new(); items.len()];
    for (number, wire) in wires.iter().enumerate() {
        for (place, item) in wire.through.iter().enumerate() {
            through[*item].push((number, place));
        }
    }
    for sweep in 0..SWEEPS {
        let count = layers.len();
        for step in 0..count {
            let number = if sweep % 2 == 0 {
                step
            } else {
                count - 1 - step
            };
            let layer = &layers[number];
            let wished: Vec<f64> = layer
                .iter()
                .map(|item| wished(items, boxes, wires, &ports, &through[*item], *item))
                .collect();
            settle(items, layer, &wished);
        }
        ports = meeting(items, boxes, wires);
    }
    ports
}

fn between(above: &Item, below: &Item) -> f64 {
    if above.is_lane || below.is_lane {
        AROUND_LANES
    } else {
        BETWEEN
    }
}

/// Where an item would have to be for its lines to be straight, in the mean.
fn wished(
    items: &[Item],
    boxes: &[Placed],
    wires: &[Wire],
    ports: &Ports,
    through: &[(usize, usize)],
    item: usize,
) -> f64 {
    let mut sum = 0.0;
    let mut count = 0.0;
    for &(number, place) in through {
        let wire = &wires[number];
        let at = |place: usize, side: Side| -> f64 {
            let other = wire.through[place];
            if items[other].is_lane {
                return items[other].height / 2.0;
            }
            let port = if place == 0 { wire.left } else { wire.right };
            offset(boxes, ports, port, side, number)
        };
        let mut towards = |other: usize, own: f64, its: f64| {
            sum += items[wire.through[other]].y + its - own;
            count += 1.0;
        };
        if place > 0 {
            towards(place - 1, at(place, Side::Left), at(place - 1, Side::Right));
        }
        if place + 1 < wire.through.len() {
            towards(place + 1, at(place, Side::Right), at(place + 1, Side::Left));
        }
    }
    if count == 0.0 {
        items[item].y
    } else {
        sum / count
    }
}

/// Puts a layer as near to what is wished as its order and the heights allow: neighbours that would overlap move
/// together (the pool of adjacent violators).
fn settle(items: &mut [Item], layer: &[usize], wished: &[f64]) {
    struct Pool {
        sum: f64,
        count: f64,
        first: usize,
    }
    let mut offsets = Vec::with_capacity(layer.len());
    let mut down = 0.0;
    for (place, item) in layer.iter().enumerate() {
        if let Some(above) = place.checked_sub(1).map(|above| layer[above]) {
            down += items[above].height + between(&items[above], &items[*item]);
        }
        offsets.push(down);
    }
    let mut pools: Vec<Pool> = Vec::new();
    for (place, wish) in wished.iter().enumerate() {
        let mut pool = Pool {
            sum: wish - offsets[place],
            count: 1.0,
            first: place,
        };
        while let Some(above) = pools.last() {
            if above.sum / above.count <= pool.sum / pool.count {
                break;
            }
            pool.sum += above.sum;
            pool.count += above.count;
            pool.first = above.first;
            pools.pop();
        }
        pools.push(pool);
    }
    for (number, pool) in pools.iter().enumerate() {
        let end = pools.get(number + 1).map_or(layer.len(), |next| next.first);
        for place in pool.first..end {
            items[layer[place]].y = (pool.sum / pool.count + offsets[place]).round();
        }
    }
}

/// In which order lines meet boxes: by where they come from.
fn meeting(items: &[Item], boxes: &[Placed], wires: &[Wire]) -> Ports {
    let mut lists: BTreeMap<(usize, Option<usize>, Side), Vec<usize>> = BTreeMap::new();
    for (number, wire) in wires.iter().enumerate() {
        let Port { item, row } = wire.left;
        lists
            .entry((item, row, Side::Right))
            .or_default()
            .push(number);
        let Port { item, row } = wire.right;
        lists
            .entry((item, row, Side::Left))
            .or_default()
            .push(number);
    }
    let middle = |item: usize, port: Port| {
        if items[item].is_lane {
            items[item].y + items[item].height / 2.0
        } else {
            items[item].y + boxes[item].middle(port.row)
        }
    };
    let mut ports = Ports {
        begins: vec![Slot::default(); wires.len()],
        ends: vec![Slot::default(); wires.len()],
    };
    for ((_, _, side), mut all) in lists {
        all.sort_by(|a, b| {
            let towards = |number: usize| {
                let wire = &wires[number];
                match side {
                    Side::Right => middle(wire.through[1], wire.right),
                    Side::Left => middle(wire.through[wire.through.len() - 2], wire.left),
                }
            };
            towards(*a).total_cmp(&towards(*b))
        });
        let of = all.len();
        for (place, wire) in all.into_iter().enumerate() {
            let slot = Slot { place, of };
            match side {
                Side::Right => ports.begins[wire] = slot,
                Side::Left => ports.ends[wire] = slot,
            }
        }
    }
    ports
}
