//! Sets of a facet's classes: what is left of a facet while cases are split.
//!
//! A set that has `others` holds every class that it does not name, the class of all values that no test
//! names among them. Where a facet has no such class (a number is always between two bounds), its sets name
//! all they hold.

use crate::plan::formula::ClassSet;

/// How one set lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// All of it is in the other.
    Inside,
    /// Nothing of it is.
    Outside,
    /// Some of it is.
    Across,
}

/// These classes and no others. They are in ascending order.
pub(super) fn only(named: Vec<u32>) -> ClassSet {
    debug_assert!(named.is_sorted());
    ClassSet {
        others: false,
        named,
    }
}

/// All but these classes. They are in ascending order.
pub(super) fn all_but(named: Vec<u32>) -> ClassSet {
    debug_assert!(named.is_sorted());
    ClassSet {
        others: true,
        named,
    }
}

/// Whether a class is in a set.
pub(super) fn has(set: &ClassSet, class: u32) -> bool {
    set.named.binary_search(&class).is_ok() != set.others
}

/// Whether a set holds nothing. One that has others never does.
pub(super) fn is_empty(set: &ClassSet) -> bool {
    !set.others && set.named.is_empty()
}

/// What is in both, or, where `wanted` is false, in `a` and not in `b`.
pub(super) fn meet(a: &ClassSet, b: &ClassSet, wanted: bool) -> ClassSet {
    let others = b.others == wanted;
    match (a.others, others) {
        (false, _) => {
            let keep = |class: &&u32| has(b, **class) == wanted;
            only(a.named.iter().filter(keep).copied().collect())
        }
        (true, false) => {
            let keep = |class: &&u32| has(a, **class);
            only(b.named.iter().filter(keep).copied().collect())
        }
        (true, true) => all_but(union(&a.named, &b.named)),
    }
}

fn union(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// How `a` lies to `b`.
pub(super) fn lies(a: &ClassSet, b: &ClassSet) -> Lies {
    let all_named_in =
        |named: &[u32], of: &[u32]| named.len() <= of.len() && common(named, of) == named.len();
    match (a.others, b.others) {
        (false, _) => {
            let named = common(&a.named, &b.named);
            let inside = if b.others {
                a.named.len() - named
            } else {
                named
            };
            if inside == 0 {
                Lies::Outside
            } else if inside == a.named.len() {
                Lies::Inside
            } else {
                Lies::Across
            }
        }
        // What `a` leaves out is named; of its others `b` has none, or all but those it names.
        (true, false) if all_named_in(&b.named, &a.named) => Lies::Outside,
        (true, true) if all_named_in(&b.named, &a.named) => Lies::Inside,
        (true, _) => Lies::Across,
    }
}

/// How many classes are in both lists. One is often long and the other short.
fn common(a: &[u32], b: &[u32]) -> usize {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let both = short.iter();
    both.filter(|class| long.binary_search(class).is_ok())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sets() -> impl Strategy<Value = ClassSet> {
        (any::<bool>(), prop::collection::btree_set(0u32..6, 0..6)).prop_map(|(others, named)| {
            ClassSet {
                others,
                named: named.into_iter().collect(),
            }
        })
    }

    proptest! {
        /// Class 9 stands for all that nothing names.
        #[test]
        fn sets_are_sets(a in sets(), b in sets(), wanted: bool) {
            let classes = || (0u32..6).chain([9]);
            let met = meet(&a, &b, wanted);
            for class in classes() {
                prop_assert_eq!(has(&met, class), has(&a, class) && has(&b, class) == wanted);
            }
            prop_assert_eq!(is_empty(&met), classes().all(|class| !has(&met, class)));
            if !is_empty(&a) {
                let inside = classes().filter(|&class| has(&a, class) && has(&b, class)).count();
                let all = classes().filter(|&class| has(&a, class)).count();
                let expected = match inside {
                    0 => Lies::Outside,
                    some if some == all => Lies::Inside,
                    _ => Lies::Across,
                };
                prop_assert_eq!(lies(&a, &b), expected);
            }
        }
    }
}
