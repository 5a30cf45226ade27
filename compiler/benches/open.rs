//! How long it takes to open a bundle, which checks all of it, and what of that is hashing.
//!
//! `whole` is [`Bundle::open`] on bundles of one gateway host with so many arms, as in the bench `lookup`;
//! `hash` is BLAKE3 over the same bytes: the part that does not depend on what they say. Bytes a second are
//! those of the file. `alloc` columns are what is allocated besides the file.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up should stop

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use mesh_bundle::format::{Bundle, content_hash};
use mesh_lang::source::{FileId, Sources, Span};
use mesh_lang::value::{HostPattern, PathPattern};
use meshc::model::condition::{Condition, Field, Predicate, Test};
use meshc::model::policy::Policy;
use meshc::model::{Action, Arm, Gateway, HostBlock, Mesh, Table};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: &[usize] = &[10, 1_000, 100_000];

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn arm(index: usize) -> Arm {
    let base = format!("/api/v1/team{}/resource{index}", index / 1000 % 100);
    let pattern = match index % 3 {
        0 => base.clone(),
        1 => format!("{base}/**"),
        _ => format!("{base}/{{id}}"),
    };
    let condition = index.is_multiple_of(7).then(|| {
        Condition::Test(Test {
            field: Field::Header("x-team".to_owned()),
            predicate: Predicate::OneOf(vec![format!("team{}", index % 70)]),
            span: span(),
        })
    });
    Arm {
        name: base,
        span: span(),
        methods: vec![],
        paths: vec![PathPattern::parse(&pattern).unwrap()],
        condition,
        action: Action::Respond {
            status: 200,
            body: None,
        },
        policy: Policy::default(),
        fragment: None,
    }
}

/// The bundle of a host with so many arms.
fn bundle(size: usize) -> Vec<u8> {
    let arms = (0..size).map(arm).collect();
    let mut gateway = Gateway::new("edge", "default", String::new(), span());
    let host = HostBlock::new(vec![HostPattern::Any], Table { arms }, span());
    gateway.hosts.push(host);
    let mut mesh = Mesh::new("bench", span());
    mesh.gateways.push(gateway);
    mesh.fill_in();
    let mut sources = Sources::new();
    sources.add("bench.mesh", "");
    meshc::plan::plan(&mesh, &sources).unwrap().bytes
}

#[divan::bench(args = SIZES)]
fn whole(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = bundle(size);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| Bundle::open(bytes).unwrap());
}

#[divan::bench(args = SIZES)]
fn hash(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = bundle(size);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| content_hash(divan::black_box(&bytes)));
}
