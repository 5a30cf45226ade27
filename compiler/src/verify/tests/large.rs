//! Tables with more arms than can be tried out: what is reached is shown by its request, what is not is looked for
//! with thousands of requests made from the arm itself.

use super::*;
use mesh_bundle::decide::{Plain, decide};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::value::Segment;

/// A generator that gives the same tables every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const VALUES: &[&str] = &["x", "y", "xy", "z"];

/// An arm: exact paths and subtrees of many teams, some floating patterns, some that name no path.
fn some_arm(random: &mut Random) -> Asks {
    let team = random.below(40);
    let page = random.of(&["a", "b", "ab", "v1"]);
    let path = match random.below(20) {
        0..6 => format!("/t{team}/{page}"),
        6..9 => format!("/t{team}/**"),
        9..12 => format!("/t{team}/{{id}}"),
        12..14 => format!("/t{team}/v{{n}}/{page}"),
        14 => format!("/**/{page}"),
        15 => format!("/t{team}/**/{page}"),
        16 => format!("/*/{page}"),
        17 => "/**".to_owned(),
        _ => String::new(),
    };
    let methods = random.of(&["", "", "GET", "POST", "GET, PUT"]);
    let mut conditions = Vec::new();
    while random.percent(if path.len() < 4 { 80 } else { 35 }) && conditions.len() < 3 {
        let name = header(random.of(&["h1", "h2", "h3"]));
        let condition = match random.below(6) {
            0 => matches(name, random.of(&["x.*", ".*y", "[xy]*"])),
            1 => contains(Field::Path, random.of(&["b", "/a", "v1", "t1"])),
            2 => test(name, Predicate::Present),
            _ => is(name, &[random.of(VALUES)]),
        };
        conditions.push(match random.below(4) {
            0 => not(condition),
            _ => condition,
        });
    }
    let arm = arm(&format!("{methods} {path}"));
    match conditions.len() {
        0 => arm,
        _ => arm.when(and(conditions)),
    }
}

/// A path that a pattern takes, or may.
fn some_path(pattern: Option<&PathPattern>, random: &mut Random) -> String {
    let words = ["a", "b", "ab", "v1", "c", "t1", "t2"];
    let mut segments: Vec<String> = Vec::new();
    let some = |segments: &mut Vec<String>, most: usize, random: &mut Random| {
        for _ in 0..random.below(most + 1) {
            segments.push(random.of(&words).to_owned());
        }
    };
    match pattern {
        None => some(&mut segments, 4, random),
        Some(pattern) => {
            for segment in pattern.segments() {
                match segment {
                    Segment::Literal(text) => segments.push(text.clone()),
                    Segment::Any { .. } => segments.push(random.of(&words).to_owned()),
                    Segment::Partial { prefix, suffix, .. } => {
                        segments.push(format!("{prefix}{}{suffix}", random.of(&words)));
                    }
                    Segment::Rest { .. } => some(&mut segments, 3, random),
                }
            }
        }
    }
    let slash = if random.percent(10) { "/" } else { "" };
    let path = format!("/{}{slash}", segments.join("/"));
    path.replace("//", "/")
}

#[test]
fn what_is_not_reached_is_not_reached_by_thousands_of_requests() {
    let (mut reached, mut dead, mut wide) = (0, 0, 0);
    for seed in 0..12 {
        let mut random = Random(seed);
        let arms = (0..150).map(|_| some_arm(&mut random)).collect();
        let subject = Subject::new(arms);
        let reach = subject.reach();
        for (arm, reach) in (0u32..).zip(&reach) {
            let own = &subject.arms[arm as usize];
            let by = match reach {
                Reach::Reached(request) => {
                    assert_eq!(subject.interpreted(request), Ok(Some(arm)), "{request}");
                    reached += 1;
                    continue;
                }
                Reach::Unreachable(covered) => &covered.by[..],
                Reach::Impossible => &[],
                Reach::NotDecided(reason) => panic!("{seed}, {arm}: {reason}"),
            };
            dead += 1;
            wide += usize::from(own.paths.is_empty());
            for _ in 0..400 {
                let path = some_path(own.paths.first(), &mut random);
                let method = match own.methods.first() {
                    Some(method) if random.percent(80) => method.clone(),
                    _ => "DELETE".to_owned(),
                };
                let names = ["h1", "h2", "h3"].into_iter();
                let mut shown = Random(random.0);
                let headers: Vec<(&str, &str)> = names
                    .filter(|_| shown.percent(60))
                    .map(|name| (name, VALUES[random.below(VALUES.len())]))
                    .collect();
                let request = Plain {
                    headers,
                    ..Plain::new(
                        &method,
                        "shop.example",
                        NormalPath::parse(&path, EncodedSlash::Reject).unwrap(),
                    )
                };
                let taken = decide(&subject.bundle, Id::new(0), &request).map(Id::index);
                assert_ne!(taken, Some(arm as usize), "{seed}: {request:?}");
                let fits = |arm: u32| {
                    let one = Asks::matches(std::slice::from_ref(&subject.arms[arm as usize]));
                    first_match(&one, &request).is_some()
                };
                let covered = by.iter().any(|cover| fits(cover.arm));
                assert!(covered || !fits(arm), "{seed}, {arm}: {request:?}");
            }
        }
    }
    assert!(
        reached > 500 && dead > 200 && wide > 10,
        "{reached} {dead} {wide}"
    );
}
