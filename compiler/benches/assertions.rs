//! How long it takes to prove a claim about a gateway with many arms.
//!
//! Every fourth arm leads to the target, every eighth with a rewrite of its own, through which the rules of the target
//! are asked anew. `told` is settled by the rules alone; `looked_at` needs every way that leads there; `always` and
//! `every_route` look at all arms.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up should stop

use divan::Bencher;
use mesh_bundle::Bundle;
use meshc::compile::{Checked, Selection, check};
use meshc::project::Project;
use std::fmt::Write as _;

fn main() {
    divan::main();
}

fn mesh(arms: usize, claim: &str) -> String {
    let mut text = String::from(
        "mesh t { }
service a { calls b; endpoints 127.0.0.1:1; authz { allow edge } }
service b { calls none; endpoints 127.0.0.1:2; authz { allow edge to GET; allow edge to POST /orders/**; allow a } }
gateway edge { listen 80 http; host shop.example {\n",
    );
    for index in 0..arms {
        let to = if index % 4 == 0 { "b" } else { "a" };
        let rewrite = match index % 8 {
            4 => format!(" {{ rewrite prefix \"/p{index}\" }}"),
            _ => String::new(),
        };
        writeln!(text, "/team{index}/** -> {to}{rewrite}").unwrap();
    }
    write!(text, "}} }}\nassert \"a\" {{ {claim} }}\n").unwrap();
    text
}

fn measure(bencher: Bencher<'_, '_>, arms: usize, claim: &str) {
    let text = mesh(arms, claim);
    let project = Project::of_texts([("t.mesh", text.as_str())]);
    let mut checked: Checked = check(project, &Selection::default());
    let bundle = Bundle::open(checked.lay_out().unwrap().bytes).unwrap();
    let mesh = checked.mesh.as_ref().unwrap();
    bencher.bench(|| {
        let found = meshc::verify::assertions(mesh, &checked.sources, &bundle);
        assert!(found.is_empty());
    });
}

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

#[divan::bench(args = SIZES)]
fn told(bencher: Bencher<'_, '_>, arms: usize) {
    measure(bencher, arms, "never internet reaches b PUT");
}

#[divan::bench(args = SIZES)]
fn looked_at(bencher: Bencher<'_, '_>, arms: usize) {
    measure(bencher, arms, "never internet reaches b POST");
}

#[divan::bench(args = SIZES)]
fn always(bencher: Bencher<'_, '_>, arms: usize) {
    measure(bencher, arms, "always internet reaches b GET /team0/**");
}

#[divan::bench(args = SIZES)]
fn every_route(bencher: Bencher<'_, '_>, arms: usize) {
    measure(bencher, arms, "every route in edge to b has timeout <= 15s");
}
