//! Cells that come to the same, put together.

use super::classes::{Methods, method_names};
use super::paths::Paths;
use super::{Cell, Decision};
use std::collections::BTreeMap;

/// Cells of methods and paths that come to the same, in as few as two ways to put them together find: methods that
/// have the same paths, or paths that have the same methods. What is left at the end is one cell, which is about all
/// that the others are not about.
pub(super) fn merged(decided: &[Vec<Cell>], methods: &[Methods], paths: &Paths) -> Vec<Cell> {
    // What may become of requests, and the pairs of methods and paths of which it does.
    let mut ends: Vec<(&Cell, Vec<(usize, usize)>)> = Vec::new();
    for path in 0..paths.classes.len() {
        for (method, column) in decided.iter().enumerate() {
            let cell = &column[path];
            // There are no such requests.
            if cell.because.is_empty() {
                continue;
            }
            match ends.iter_mut().find(|(known, _)| known.is_same(cell)) {
                Some((_, pairs)) => pairs.push((method, path)),
                None => ends.push((cell, vec![(method, path)])),
            }
        }
    }
    let is_last = |cell: &Cell| matches!(cell.because.as_slice(), [one] if one.is_no_rule());
    ends.sort_by_key(|(cell, _)| (is_last(cell), cell.decision == Decision::Deny));
    let last = ends.len().saturating_sub(1);
    let mut cells = Vec::new();
    for (number, (cell, pairs)) in ends.into_iter().enumerate() {
        let swapped: Vec<(usize, usize)> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
        let by_method = rectangles(&pairs);
        let by_path = rectangles(&swapped);
        let all: Vec<(Vec<usize>, Vec<usize>)> = if by_path.len() < by_method.len() {
            by_path
                .into_iter()
                .map(|(paths, methods)| (methods, paths))
                .collect()
        } else {
            by_method
        };
        let is_rest = number == last && number > 0;
        if is_rest && (all.len() > 1 || is_last(cell)) {
            cells.push(Cell {
                otherwise: true,
                ..cell.clone()
            });
            continue;
        }
        for (some_methods, some_paths) in all {
            cells.push(Cell {
                methods: method_names(methods, &some_methods),
                paths: paths.names(&some_paths),
                example: decided[some_methods[0]][some_paths[0]].example.clone(),
                ..cell.clone()
            });
        }
    }
    cells
}

/// Pairs as products of sets: the first of each pair that have the same seconds, together.
fn rectangles(pairs: &[(usize, usize)]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut by_first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (first, second) in pairs {
        by_first.entry(*first).or_default().push(*second);
    }
    let mut all: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for (first, seconds) in by_first {
        match all.iter_mut().find(|(_, known)| *known == seconds) {
            Some((firsts, _)) => firsts.push(first),
            None => all.push((vec![first], seconds)),
        }
    }
    all
}
