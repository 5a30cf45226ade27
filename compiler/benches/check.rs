//! How fast a mesh of many lines is read and understood: parsed, resolved, typed and checked, up to a million
//! lines; with the memory that it takes.
//!
//! Each of its services is the same: versions, a route, rules, calls of others.
#![allow(missing_docs, reason = "divan makes the functions public")]

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::fmt::Write as _;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A service of 25 lines; the `mistake` stands in every statement that has a value.
fn service(text: &mut String, number: usize, mistake: &str) {
    let before = number.saturating_sub(1);
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        r#"## Service {number}, two versions.
service s{number} {{
  protocol http
  hosts s{number}.internal.example
  version v1 {{ endpoints 10.0.0.1:9081, 10.0.0.2:9084 weight 2 }}
  version v2 {{ endpoints dns s{number}-v2.internal:9080 every 5s{mistake} }}
  calls s{before} {{ timeout 1s{mistake} }}
  balance least-request {{ slow-start 30s{mistake} }}
  timeout 3s{mistake} {{ connect 1s{mistake}; idle 60s{mistake} }}
  retry 2 on 5xx, reset, connect-failure {{ per-try 1s{mistake}; backoff 25ms..250ms }}
  limits {{ connections 100; pending 10; requests 200 }}

  route {{
    when header.end-user == "jason" and cookie.session present -> v2
    reads: GET, HEAD /s{number}/items/{{id}}, /s{number}/static/** -> v1
    POST, PUT /s{number}/items/** when not (header.x-team == "qa") -> v1 {{ timeout 5s{mistake} }}
    otherwise -> split 10% v2, rest v1 {{
      sticky cookie.session
      request-header set x-hop "s{number}"
    }}
  }}
  authz {{
    allow any service to GET /s{number}/**
    deny anyone to /s{number}/admin/** unless source.namespace == default
  }}
}}
"#
    );
}

const EACH: usize = 25;

fn mesh(lines: usize, mistake: &str) -> String {
    let mut text = "mesh large { }\n".to_owned();
    for number in 0..lines / EACH {
        service(&mut text, number, mistake);
    }
    text
}

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], sample_count = 5)]
fn lines(bencher: Bencher<'_, '_>, lines: usize) {
    let text = mesh(lines, "");
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let checked = check(
            Project::of_texts([("large.mesh", black_box(text.as_str()))]),
            &Selection::default(),
        );
        assert!(checked.diagnostics.is_empty());
        checked
    });
}

/// A duration without its unit in every statement that has one.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn lines_with_mistakes(bencher: Bencher<'_, '_>, lines: usize) {
    let text = mesh(lines, "x");
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let checked = check(
            Project::of_texts([("large.mesh", black_box(text.as_str()))]),
            &Selection::default(),
        );
        assert!(!checked.diagnostics.is_empty());
        checked
    });
}
