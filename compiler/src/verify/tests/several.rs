//! Several tables at once: where a request ends in all of them, and how a table and its successor differ.

use super::*;
use mesh_bundle::decide::Plain;
use mesh_bundle::path::{EncodedSlash, NormalPath};
use proptest::prelude::*;

/// Two tables in one space.
struct Pair {
    tables: [Vec<Asks>; 2],
    bundles: [Bundle; 2],
}

impl Pair {
    fn new(tables: [Vec<Asks>; 2]) -> Self {
        let bundle = |arms: &Vec<Asks>| lone_table(&Asks::matches(arms)).expect("a table");
        Self {
            bundles: [bundle(&tables[0]), bundle(&tables[1])],
            tables,
        }
    }

    /// Asks for a request that ends with these arms and fulfils a condition. What is found is put before the code
    /// that decides, by both tables.
    fn ask(&self, ends: [Option<u32>; 2], condition: Option<&Condition>) -> Verdict {
        let matches: Vec<Vec<Match<'_>>> =
            self.tables.iter().map(|arms| Asks::matches(arms)).collect();
        let tables: Vec<&[Match<'_>]> = matches.iter().map(Vec::as_slice).collect();
        let conditions: Vec<&Condition> = condition.into_iter().collect();
        let mut space = Space::new(World::default(), &tables, &conditions).expect("a space");
        let holds: Vec<_> = (0..conditions.len())
            .map(|it| space.condition(it))
            .collect();
        let ends = [0, 1].map(|table| End {
            table: TableId(table),
            arm: ends[table],
        });
        let question = Question {
            ends: &ends,
            holds: &holds,
            fails: &[],
        };
        let verdict = space.ask(question, &mut Budget::USUAL.clone());
        if let Verdict::Yes(request) = &verdict {
            for (table, end) in ends.iter().enumerate() {
                let arms = (0..self.tables[table].len() as u32).collect();
                let decider = Decider::new(&self.bundles[table], Id::new(0), arms);
                assert_eq!(decider.decide(request), end.arm, "{request}");
            }
        }
        verdict
    }

    /// All ends of a table, that of requests which no arm takes among them.
    fn ends(&self, table: usize) -> impl Iterator<Item = Option<u32>> + use<> {
        let arms = self.tables[table].len() as u32;
        (0..arms).map(Some).chain([None])
    }
}

/// A request on which two tables differ; the arms of the second are those of the first by `numbers`.
fn difference(before: &[Asks], after: &[Asks], numbers: &[Option<u32>]) -> Option<String> {
    let pair = Pair::new([before.to_vec(), after.to_vec()]);
    for first in pair.ends(0) {
        for second in pair.ends(1) {
            let number = second.and_then(|arm| numbers[arm as usize]);
            if number == first {
                continue;
            }
            match pair.ask([first, second], None) {
                Verdict::Yes(request) => return Some(request.to_string()),
                Verdict::No => {}
                Verdict::NotDecided(reason) => panic!("{reason}"),
            }
        }
    }
    None
}

/// A table of which every arm, every word of an arm, and the place of every arm matters.
fn pinned() -> Vec<Asks> {
    vec![
        arm("GET /api/health"),
        arm("GET, POST /api/**").when(is(header("x-team"), &["qa", "dev"])),
        arm("/api/v{n}/users/{id}"),
        arm("/**/users/*").when(matches(Field::Path, ".*[0-9]")),
        arm("POST /api/**, /login"),
        arm("").when(and([
            contains(Field::Path, "admin"),
            not(is(Field::Cookie("session".into()), &["root"])),
        ])),
        arm("/api/**, /static/**"),
    ]
}

fn numbers(arms: &[Asks]) -> Vec<Option<u32>> {
    (0..arms.len() as u32).map(Some).collect()
}

#[test]
fn a_table_does_not_differ_from_itself() {
    assert_eq!(difference(&pinned(), &pinned(), &numbers(&pinned())), None);
}

#[test]
fn an_arm_that_is_dropped_is_noticed() {
    for dropped in 0..pinned().len() {
        let (mut after, mut names) = (pinned(), numbers(&pinned()));
        after.remove(dropped);
        names.remove(dropped);
        let found = difference(&pinned(), &after, &names);
        assert!(found.is_some(), "without {dropped}");
    }
}

#[test]
fn arms_that_change_places_are_noticed_if_they_meet() {
    let swapped = |table: Vec<Asks>, upper: usize| {
        let (mut after, mut names) = (table.clone(), numbers(&table));
        after.swap(upper, upper + 1);
        names.swap(upper, upper + 1);
        difference(&table, &after, &names)
    };
    for upper in 0..pinned().len() - 1 {
        assert!(swapped(pinned(), upper).is_some(), "{upper}");
    }
    // Arms that take no request both may stand in any order.
    let methods = vec![arm("GET /a"), arm("POST /a"), arm("/a")];
    assert_eq!(swapped(methods, 0), None);
    let paths = vec![arm("/b/**"), arm("/a/**/b"), arm("/**/b")];
    assert_eq!(swapped(paths, 0), None);
}

#[test]
fn an_arm_that_takes_more_or_less_is_noticed() {
    let widened = |mut arm: Asks| {
        let all = [
            !std::mem::take(&mut arm.methods).is_empty(),
            arm.condition.take().is_some(),
        ];
        (arm, all.contains(&true))
    };
    for index in 0..pinned().len() {
        let mut after = pinned();
        let (wider, changed) = widened(after[index].clone());
        after[index] = wider;
        let found = difference(&pinned(), &after, &numbers(&after));
        assert_eq!(found.is_some(), changed, "wider {index}: {found:?}");

        let mut after = pinned();
        let own = after[index].condition.take();
        let narrower = own.into_iter().chain([not(is(header("x-new"), &["1"]))]);
        after[index].condition = Some(and(narrower));
        let found = difference(&pinned(), &after, &numbers(&after)).unwrap();
        assert!(found.contains("header x-new \"1\""), "{index}: {found}");
    }
}

#[test]
fn what_comes_to_a_second_table_is_what_the_first_lets_through() {
    // A gateway's arms, and a service's route behind two of them.
    let gateway = vec![
        arm("/internal/**"),
        arm("GET, HEAD /shop/**"),
        arm("/shop/cart/**").when(is(header("x-user"), &["a", "b"])),
        arm(""),
    ];
    let route = vec![
        arm("/shop/internal/**"),
        arm("").when(is(header("x-user"), &["a"])),
        arm("POST /shop/**"),
        arm("/internal/**"),
    ];
    let pair = Pair::new([gateway, route]);
    let reaches = |first, second| match pair.ask([Some(first), second], None) {
        Verdict::Yes(_) => true,
        Verdict::No => false,
        Verdict::NotDecided(reason) => panic!("{reason}"),
    };
    assert!(reaches(1, Some(0)));
    assert!(!reaches(2, Some(0)), "the cart has no such path");
    assert!(!reaches(1, Some(2)), "a POST went elsewhere");
    assert!(reaches(2, Some(2)), "unless it is b's");
    assert!(!reaches(1, Some(3)) && !reaches(2, Some(3)));
    assert!(reaches(1, None));
    // b's requests that are no POST.
    let of_b = is(header("x-user"), &["b"]);
    let Verdict::Yes(request) = pair.ask([Some(2), None], Some(&of_b)) else {
        panic!("there is one")
    };
    assert_eq!(
        request.to_string(),
        "PUT http://shop.example/shop/cart { header x-user \"b\" }"
    );
    let of_c = is(header("x-user"), &["c"]);
    assert_eq!(pair.ask([Some(2), None], Some(&of_c)), Verdict::No);
}

fn arms() -> impl Strategy<Value = Vec<Asks>> {
    let paths = prop::sample::select(vec![
        "", "/a", "/a/**", "/**/b", "/a/**/b", "/*", "/v{n}", "/a/*", "/**",
    ]);
    let atom = prop_oneof![
        prop::sample::select(vec!["x", "y"]).prop_map(|value| is(header("h"), &[value])),
        prop::sample::select(vec!["x.*", ".*y"]).prop_map(|regex| matches(header("h"), regex)),
        prop::sample::select(vec!["/a.*", ".*b"]).prop_map(|regex| matches(Field::Path, regex)),
        prop::sample::select(vec!["/a/b", "/*/b"])
            .prop_map(|text| { test(Field::Path, Predicate::Paths(vec![pattern(text)])) }),
    ];
    let condition = prop::option::of((atom, any::<bool>()));
    let arm = (
        paths,
        prop::sample::subsequence(vec!["GET", "PUT"], 0..2),
        condition,
    );
    let arm = arm.prop_map(|(path, methods, condition)| {
        let words: Vec<&str> = methods.into_iter().chain([path]).collect();
        Asks {
            condition: condition.map(|(it, negated)| if negated { not(it) } else { it }),
            ..super::arm(&words.join(" "))
        }
    });
    prop::collection::vec(arm, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn all_pairs_of_ends_that_requests_have_are_found(first in arms(), second in arms()) {
        let paths = ["/", "/a", "/b", "/a/b", "/a/c", "/a/c/b", "/v1", "/a/", "/c/b"];
        let headers: [&[(&str, &str)]; 5] =
            [&[], &[("h", "x")], &[("h", "y")], &[("h", "xy")], &[("h", "z")]];
        let pair = Pair::new([first, second]);
        let matches = [0, 1].map(|table| Asks::matches(&pair.tables[table]));
        let mut seen = std::collections::BTreeSet::new();
        for method in ["GET", "PUT", "POST"] {
            for path in paths {
                for headers in headers {
                    let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
                    let request = Plain {
                        headers: headers.to_vec(),
                        ..Plain::new(method, "shop.example", path)
                    };
                    seen.insert([0, 1].map(|table| {
                        first_match(&matches[table], &request).map(|arm| arm as u32)
                    }));
                }
            }
        }
        for first in pair.ends(0) {
            for second in pair.ends(1) {
                match pair.ask([first, second], None) {
                    Verdict::Yes(request) => {
                        let ends = [0, 1].map(|table| request.with_plain(|plain| {
                            first_match(&matches[table], plain).map(|arm| arm as u32)
                        }));
                        prop_assert_eq!(ends, [Some(first), Some(second)], "{}", request);
                    }
                    Verdict::No => prop_assert!(!seen.contains(&[first, second])),
                    Verdict::NotDecided(reason) => prop_assert!(false, "{}", reason),
                }
            }
        }
    }
}
