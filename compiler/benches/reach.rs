//! How long it takes to know of every arm of a table whether a request reaches it.
//!
//! `usual` is tables as in practice, from 10 to 100,000 arms: *a* with 40 % exact paths, 30 % subtrees and 30 %
//! with `{id}` or `{id}.json`, a method on half of the arms, a header on 15 %, the source on 5 %; *b* with the
//! same paths, conditions of and, or, not over twelve headers on 80 %, the source on half, networks on 10 %.
//! Three arms share a path on average, so that they get into each other's way.
//!
//! `hard` is tables that are built to be hard: patterns that float, regular expressions, long lists of
//! conditions that share nothing, and patterns that explode.
//!
//! Measured is what comes on top of compiling a table: refining it, a witness or a cover for each of its arms, and
//! putting each of those before the compiled table.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up should stop

use divan::Bencher;
use mesh_bundle::format::{Bundle, Id};
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::{Cidr, PathPattern};
use meshc::model::condition::{Condition, Field, Predicate, Test, TextPattern};
use meshc::plan::table::Match;
use meshc::verify::decider::{Decider, lone_table};
use meshc::verify::{Budget, Proof, Reach, Space, TableId, Verdict, World};

fn main() {
    divan::main();
}

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
}

#[derive(Clone, Default)]
struct Asks {
    methods: Vec<String>,
    paths: Vec<PathPattern>,
    condition: Option<Condition>,
}

fn asks(path: &str, conditions: Vec<Condition>) -> Asks {
    Asks {
        methods: vec![],
        paths: vec![PathPattern::parse(path).unwrap()],
        condition: (!conditions.is_empty()).then_some(Condition::And(conditions)),
    }
}

fn test(field: Field, predicate: Predicate) -> Condition {
    Condition::Test(Test {
        field,
        predicate,
        span: Span::new(FileId(0), 0, 0),
    })
}

fn is(field: Field, value: impl Into<String>) -> Condition {
    test(field, Predicate::OneOf(vec![value.into()]))
}

fn header(number: usize) -> Field {
    Field::Header(format!("x-header-{number}"))
}

/// A path pattern of table *a*; three arms share one.
fn usual_path(size: usize, random: &mut Random) -> String {
    let resource = random.below(size.div_ceil(3));
    let base = format!("/api/v1/team{}/resource{resource}", resource / 300 % 100);
    match random.below(10) {
        0..4 => base,
        4..7 => format!("{base}/**"),
        7 => format!("{base}/{{id}}.json"),
        _ => format!("{base}/{{id}}"),
    }
}

fn table_a(size: usize) -> Vec<Asks> {
    let mut random = Random(7);
    let arm = |random: &mut Random| {
        let path = usual_path(size, random);
        let condition = match random.below(20) {
            0..3 => vec![is(header(0), "qa")],
            3 => vec![is(Field::Source, "default/edge")],
            _ => vec![],
        };
        let mut arm = asks(&path, condition);
        if random.percent(50) {
            arm.methods = vec!["GET".to_owned(), "HEAD".to_owned()];
        }
        arm
    };
    (0..size).map(|_| arm(&mut random)).collect()
}

fn table_b(size: usize) -> Vec<Asks> {
    let mut random = Random(7);
    let any_header = |random: &mut Random| {
        let value = ["a", "b", "c"][random.below(3)];
        let condition = is(header(random.below(12)), value);
        match random.below(4) {
            0 => Condition::Not(Box::new(condition)),
            _ => condition,
        }
    };
    let arm = |random: &mut Random| {
        let path = usual_path(size, random);
        let mut conditions = Vec::new();
        if random.percent(80) {
            conditions.push(any_header(random));
            let others = vec![any_header(random), any_header(random)];
            conditions.push(match random.below(2) {
                0 => Condition::Or(others),
                _ => Condition::Not(Box::new(Condition::And(others))),
            });
        }
        if random.percent(50) {
            let caller = ["default/edge", "default/cart", "shop/pay"][random.below(3)];
            conditions.push(is(Field::Source, caller));
        }
        if random.percent(10) {
            let network = format!("10.{}.0.0/16", random.below(8));
            let networks = vec![Cidr::parse(&network).unwrap()];
            conditions.push(test(Field::ClientIp, Predicate::Networks(networks)));
        }
        let mut arm = asks(&path, conditions);
        if random.percent(80) {
            arm.methods = vec![["GET", "POST", "PUT"][random.below(3)].to_owned()];
        }
        arm
    };
    (0..size).map(|_| arm(&mut random)).collect()
}

fn text(field: Field, pattern: TextPattern) -> Condition {
    test(field, Predicate::Text(pattern))
}

fn regex(pattern: String) -> Condition {
    text(Field::Path, TextPattern::Regex(pattern.into()))
}

const HARD: &[&str] = &[
    "suffixes and substrings, 5% of 1000",
    "suffixes and substrings, 5% of 10000",
    "200 regexes",
    "2000 by one header",
    "300 over 30 headers",
    "531 floating among 10000",
    "a cover of 430 by 100 headers",
    "exploding",
];

fn hard(name: &str) -> Vec<Asks> {
    let mut random = Random(11);
    match name {
        "suffixes and substrings, 5% of 1000" => texts(1000, &mut random),
        "suffixes and substrings, 5% of 10000" => texts(10_000, &mut random),
        "200 regexes" => (0..200)
            .map(|i| {
                let team = random.below(40);
                let pattern = match random.below(6) {
                    0 => format!("/team{team}/[a-z]+/{i}"),
                    1 => format!("/team{team}/(users|orders)/[0-9]+"),
                    2 => format!(".*/report{}\\.(csv|pdf)", random.below(30)),
                    3 => format!("/(api|web)/v[0-9]+/res{i}(/.*)?"),
                    4 => format!(".*-{}[a-f]*", random.below(30)),
                    _ => format!("/shop/[a-z]{{2}}/item{i}.*"),
                };
                asks("/**", vec![regex(pattern)])
            })
            .collect(),
        "2000 by one header" => (0..2000)
            .map(|i| asks("/a", vec![is(header(0), format!("v{i}"))]))
            .collect(),
        "300 over 30 headers" => (0..300)
            .map(|_| {
                let mut one = || is(header(random.below(30)), format!("v{}", random.below(3)));
                asks("/a", vec![one(), one(), one()])
            })
            .collect(),
        "531 floating among 10000" => {
            let mut arms = table_a(10_000);
            for i in 0..531 {
                let path = match random.below(4) {
                    0 => format!("/**/special{}", random.below(200)),
                    1 => format!("/api/**/extra{}/*", random.below(200)),
                    2 => format!(
                        "/api/v1/team{}/**/end{}",
                        random.below(30),
                        random.below(60)
                    ),
                    _ => format!("/**/file{{n}}.ext{}", random.below(25)),
                };
                let mut arm = asks(&path, vec![]);
                if random.percent(30) {
                    arm.methods = vec!["GET".to_owned()];
                }
                let at = random.below(10_000 + i);
                arms.insert(at, arm);
            }
            arms
        }
        "a cover of 430 by 100 headers" => {
            let mut arms: Vec<Asks> = (0..430)
                .map(|_| {
                    let mut one = || {
                        let is = is(header(random.below(100)), "a");
                        match random.below(2) {
                            0 => is,
                            _ => Condition::Not(Box::new(is)),
                        }
                    };
                    asks("/a", vec![one(), one(), one()])
                })
                .collect();
            arms.push(asks("/a", vec![]));
            arms
        }
        _ => {
            // Each knows a letter so many places before the end; together they know them all.
            let mut arms: Vec<Asks> = (0..12)
                .map(|i| {
                    asks(
                        "/**",
                        vec![regex(format!(".*a[ab]{{{i}}}")), regex(".*b.{9}".into())],
                    )
                })
                .collect();
            let all = (0..12).map(|i| regex(format!(".*[a-c]{{{}}}b.{{{}}}", i % 3, i / 2 + 3)));
            arms.push(asks(
                "/**",
                all.chain([regex("(.*x.*){9}".into())]).collect(),
            ));
            arms.push(asks("/**", vec![regex(".*a.*".into())]));
            arms
        }
    }
}

fn texts(size: usize, random: &mut Random) -> Vec<Asks> {
    let mut arms = table_a(size);
    for arm in &mut arms {
        if random.percent(5) {
            let word = format!("thing{}", random.below(100));
            let pattern = match random.below(2) {
                0 => TextPattern::Suffix(word.into()),
                _ => TextPattern::Contains(word.into()),
            };
            arm.paths.clear();
            arm.condition = Some(text(Field::Path, pattern));
        }
    }
    arms
}

/// A table, ready to be proved.
struct Subject {
    arms: Vec<Asks>,
    bundle: Bundle,
}

impl Subject {
    fn new(arms: Vec<Asks>) -> Self {
        Self {
            bundle: lone_table(&matches(&arms)).unwrap(),
            arms,
        }
    }

    /// How many arms are reached, are not, and are not known.
    fn prove(&self) -> (usize, usize, usize) {
        let matches = matches(&self.arms);
        let callers = ["default/edge", "default/cart", "shop/pay", "shop/other"];
        let world = World {
            callers: std::sync::Arc::new(callers.iter().map(|&caller| caller.to_owned()).collect()),
            ..World::default()
        };
        let mut space = Space::new(world, &[&matches], &[]).unwrap();
        let arms = (0..self.arms.len() as u32).collect();
        let decider = Decider::new(&self.bundle, Id::new(0), arms);
        let mut budget = Budget::USUAL;
        let mut proof = Proof {
            space: &mut space,
            table: TableId(0),
            region: &[],
            decide: &|request| decider.decide(request),
            budget: &mut budget,
        };
        let mut counts = (0, 0, 0);
        for reach in proof.arms() {
            match reach {
                Reach::Reached(_) => counts.0 += 1,
                Reach::Unreachable(_) | Reach::Impossible => counts.1 += 1,
                Reach::NotDecided(_) => counts.2 += 1,
            }
        }
        counts.2 += usize::from(matches!(proof.unmatched(), Verdict::NotDecided(_)));
        counts
    }
}

fn matches(arms: &[Asks]) -> Vec<Match<'_>> {
    let arms = arms.iter();
    arms.map(|arm| Match {
        methods: &arm.methods,
        paths: &arm.paths,
        condition: arm.condition.as_ref(),
    })
    .collect()
}

fn measure(bencher: Bencher<'_, '_>, name: &str, arms: Vec<Asks>) {
    let subject = Subject::new(arms);
    if std::env::var_os("COUNTS").is_some() {
        let (reached, dead, unknown) = subject.prove();
        #[allow(clippy::print_stderr)] // asked for
        {
            eprintln!("{name}: {reached} reached, {dead} not, {unknown} not decided");
        }
    }
    bencher.bench(|| subject.prove());
}

const SIZES: &[usize] = &[10, 1_000, 10_000, 100_000];

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn usual_a(bencher: Bencher<'_, '_>, size: usize) {
    measure(bencher, &format!("a {size}"), table_a(size));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn usual_b(bencher: Bencher<'_, '_>, size: usize) {
    measure(bencher, &format!("b {size}"), table_b(size));
}

#[divan::bench(name = "hard", args = HARD, sample_count = 3, sample_size = 1)]
fn built_to_be_hard(bencher: Bencher<'_, '_>, name: &str) {
    measure(bencher, name, hard(name));
}
