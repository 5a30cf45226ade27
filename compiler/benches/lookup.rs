//! How long it takes to find the arm that takes a request, from 10 to 100,000 arms.
//!
//! `hot` asks 64 requests over and over: tables and requests stay in the cache, and the time should not
//! grow with the table. `all` draws requests over all arms: what grows is cache misses.
//!
//! Tables as in practice: 40 % exact paths, 30 % subtrees, 30 % with `{id}` or `{id}.json`; half of the
//! arms name a method, 15 % a header, 5 % the source.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up should stop

use divan::Bencher;
use divan::counter::ItemsCount;
use mesh_bundle::decide::{Plain, decide};
use mesh_bundle::format::{Bundle, Id};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::source::{FileId, Sources, Span};
use mesh_lang::value::{HostPattern, PathPattern};
use meshc::model::condition::{Condition, Field, Predicate, Test};
use meshc::model::policy::Policy;
use meshc::model::{Action, Arm, Gateway, HostBlock, Mesh, Table};

fn main() {
    divan::main();
}

const SIZES: &[usize] = &[10, 1_000, 10_000, 100_000];

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
}

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn arm(index: usize, random: &mut Random) -> (Arm, String) {
    let team = format!("team{}", index / 1000 % 100);
    let resource = format!("resource{index}");
    let base = format!("/api/v1/{team}/{resource}");
    let (pattern, path) = match random.below(10) {
        0..4 => (base.clone(), base),
        4..7 => (format!("{base}/**"), format!("{base}/items/42")),
        7 => (format!("{base}/{{id}}.json"), format!("{base}/42.json")),
        _ => (format!("{base}/{{id}}"), format!("{base}/42")),
    };
    let test = |field, value: &str| {
        Condition::Test(Test {
            field,
            predicate: Predicate::OneOf(vec![value.to_owned()]),
            span: span(),
        })
    };
    let condition = match random.below(20) {
        0..3 => Some(test(Field::Header("x-team".to_owned()), "qa")),
        3 => Some(test(Field::Source, "default/edge")),
        _ => None,
    };
    let methods = if random.below(2) == 0 {
        vec!["GET".to_owned()]
    } else {
        vec![]
    };
    let arm = Arm {
        name: path.clone(),
        span: span(),
        methods,
        paths: vec![PathPattern::parse(&pattern).unwrap()],
        condition,
        action: Action::Respond {
            status: 200,
            body: None,
        },
        policy: Policy::default(),
        fragment: None,
    };
    (arm, path)
}

/// A bundle with one table of `size` arms, and a path that each of them takes.
fn table(size: usize) -> (Bundle, Vec<String>) {
    let mut random = Random(7);
    let (arms, paths) = (0..size).map(|index| arm(index, &mut random)).unzip();
    let mut gateway = Gateway::new("edge", "default", String::new(), span());
    let host = HostBlock::new(vec![HostPattern::Any], Table { arms }, span());
    gateway.hosts.push(host);
    let mut mesh = Mesh::new("bench", span());
    mesh.gateways.push(gateway);
    mesh.fill_in();
    let mut sources = Sources::new();
    sources.add("bench.mesh", "");
    let planned = meshc::plan::plan(&mesh, &sources).unwrap();
    (Bundle::open(planned.bytes).unwrap(), paths)
}

fn request(path: &str) -> Plain<'_> {
    let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
    Plain {
        headers: vec![("accept", "*/*"), ("user-agent", "bench"), ("x-team", "qa")],
        source: Some("default/edge"),
        ..Plain::new("GET", "shop.example", path)
    }
}

/// Lookups per measured round.
const ROUND: usize = 4096;

fn measure(bencher: Bencher<'_, '_>, bundle: &Bundle, paths: &[&String]) {
    let requests: Vec<Plain<'_>> = paths.iter().map(|path| request(path)).collect();
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for index in 0..ROUND {
            let request = &requests[index % requests.len()];
            divan::black_box(decide(bundle, Id::new(0), request));
        }
    });
}

#[divan::bench(args = SIZES)]
fn hot(bencher: Bencher<'_, '_>, size: usize) {
    let (bundle, paths) = table(size);
    let mut random = Random(11);
    let some: Vec<&String> = (0..64).map(|_| &paths[random.below(paths.len())]).collect();
    measure(bencher, &bundle, &some);
}

#[divan::bench(args = SIZES)]
fn all(bencher: Bencher<'_, '_>, size: usize) {
    let (bundle, paths) = table(size);
    let mut random = Random(13);
    let some: Vec<&String> = (0..20_000)
        .map(|_| &paths[random.below(paths.len())])
        .collect();
    measure(bencher, &bundle, &some);
}

/// From the model to the bytes of a bundle.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>, size: usize) {
    bencher.bench(|| table(size).0.bytes().len());
}
