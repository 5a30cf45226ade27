//! Shares that are made to sum to the whole, in the proportions that they have.

use crate::lsp::world::View;
use mesh_lang::diagnostic::{Applicability, Edit, Fix};
use mesh_lang::source::Span;
use mesh_lang::value::Percent;
use mesh_lang::view::{Action, Split, Statement};

const WHOLE: u64 = 1_000_000;

/// The fix of the split at a place; none if a share is not written as a percentage.
pub(super) fn sum_to_whole(view: &View<'_>, place: Span) -> Option<Fix> {
    let path = view.tree().path_to(place.start);
    let split = path
        .into_iter()
        .filter_map(Statement::cast)
        .find_map(split)?;
    let mut shares = Vec::new();
    for part in split.parts() {
        let share = part.share().filter(|_| !part.is_rest())?;
        shares.push((share.span, Percent::parse(share.text).ok()?.millionths()));
    }
    let parts: Vec<u32> = shares.iter().map(|(_, parts)| *parts).collect();
    let scaled = scale(&parts)?;
    let edits = shares
        .iter()
        .zip(scaled)
        .filter_map(|((span, before), after)| {
            let replacement = Percent::from_millionths(after)?.to_string();
            (*before != after).then_some(Edit {
                span: *span,
                replacement,
            })
        });
    Some(Fix {
        title: "make it sum to 100 %".to_owned(),
        edits: edits.collect(),
        applicability: Applicability::Unsafe,
    })
}

fn split(statement: Statement<'_>) -> Option<Split<'_>> {
    let action = match statement {
        Statement::Arm(arm) => arm.action(),
        Statement::Step(mesh_lang::view::Step::Expect(expect)) => expect.action(),
        _ => None,
    };
    match action {
        Some(Action::Split(split)) => Some(split),
        _ => None,
    }
}

/// Shares in the same proportions that sum to the whole; in whole percents if they were, as far as that goes.
fn scale(parts: &[u32]) -> Option<Vec<u32>> {
    let sum: u64 = parts.iter().map(|it| u64::from(*it)).sum();
    if sum == 0 {
        return None;
    }
    let percent = WHOLE / 100;
    let are_whole = parts
        .iter()
        .all(|it| u64::from(*it).is_multiple_of(percent));
    let step = if are_whole { percent } else { 1 };
    let exact = |it: &u32| u64::from(*it) * WHOLE / sum;
    let mut scaled: Vec<u64> = parts.iter().map(|it| exact(it) / step * step).collect();
    // What rounding left goes to those that lost most.
    let mut left = WHOLE - scaled.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| {
        std::cmp::Reverse(u64::from(parts[*index]) * WHOLE / sum - scaled[*index])
    });
    for index in order.into_iter().cycle().take(parts.len() * 2) {
        let more = left.min(step);
        scaled[index] += more;
        left -= more;
    }
    scaled
        .into_iter()
        .map(|it| u32::try_from(it).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::scale;
    use proptest::prelude::*;

    #[test]
    fn proportions_stay_in_whole_percents() {
        let scaled = |percents: &[u32]| {
            let parts: Vec<u32> = percents.iter().map(|it| it * 10_000).collect();
            scale(&parts).map(|parts| parts.iter().map(|it| it / 10_000).collect::<Vec<_>>())
        };
        assert_eq!(scaled(&[90, 20]), Some(vec![82, 18]));
        assert_eq!(scaled(&[50, 40]), Some(vec![56, 44]));
        assert_eq!(scaled(&[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(scaled(&[0, 0]), None);
    }

    proptest! {
        #[test]
        fn they_sum_to_the_whole(parts in prop::collection::vec(0_u32..=1_000_000, 1..20)) {
            if let Some(scaled) = scale(&parts) {
                prop_assert_eq!(scaled.iter().map(|it| u64::from(*it)).sum::<u64>(), 1_000_000);
            }
        }
    }
}
