//! How fast 100,000 lines are read: lexed, parsed and checked, without mistakes and with one in
//! every statement.
//!
//! The text is a policy of many services with versions, routes, rules and comments, as large ones
//! are.
#![allow(missing_docs, reason = "divan makes the functions public")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mesh_lang::source::FileId;
use mesh_lang::{lexer, parser, vocabulary};

const LINES: usize = 100_000;

/// A service of 25 lines. `mistake` is put behind every statement.
fn service(number: usize, mistake: &str) -> String {
    format!(
        r#"## Service {number}, two versions.
service service-{number} {{
  protocol http{mistake}                     # both versions
  identity service-{number}{mistake}
  hosts service-{number}.default.svc.cluster.local, s{number}.internal.example{mistake}
  version v1 {{ endpoints 10.0.0.1:9081, 10.0.0.2:9084 weight 2{mistake} }}
  version v2 {{ endpoints dns service-{number}-v2.internal:9080 every 5s{mistake} }}
  balance least-request {{ slow-start 30s{mistake} }}
  timeout 3s {{ connect 1s; idle 60s{mistake} }}
  retry 2 on 5xx, reset, connect-failure {{ per-try 1s; backoff 25ms..250ms{mistake} }}
  limits {{ connections 100; pending 10; requests 200{mistake} }}

  route {{
    when header.end-user == "jason" and cookie.session present -> v2{mistake}
    reads-{number}: GET, HEAD /service-{number}/items/{{id}}, /service-{number}/static/** -> v1{mistake}
    POST, PUT /service-{number}/items/** when not (jwt.corp.groups contains "qa") -> v1 {{ timeout 5s{mistake} }}
    otherwise -> split 10% v2, rest v1 {{
      sticky cookie.session{mistake}
      mirror 5% shadow{mistake}
    }}
  }}
  authz {{
    allow productpage, edge to GET /service-{number}/**{mistake}
    deny anyone to /service-{number}/admin/** unless source.namespace == ops{mistake}
  }}
}}
"#
    )
}

fn policy(lines: usize, mistake: &str) -> String {
    let lines_each = service(0, "").lines().count();
    (0..lines / lines_each)
        .map(|number| service(number, mistake))
        .collect()
}

fn main() {
    divan::main();
}

/// Nothing wrong, or a word too many in every statement.
const MISTAKES: [&str; 2] = ["", " ) x"];

#[divan::bench(args = MISTAKES)]
fn lex(bencher: Bencher<'_, '_>, mistake: &str) {
    let text = policy(LINES, mistake);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| lexer::lex(black_box(&text)));
}

#[divan::bench(args = MISTAKES)]
fn lex_and_parse(bencher: Bencher<'_, '_>, mistake: &str) {
    let text = policy(LINES, mistake);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| parser::parse(FileId(0), black_box(&text)));
}

#[divan::bench(args = MISTAKES)]
fn check(bencher: Bencher<'_, '_>, mistake: &str) {
    let text = policy(LINES, mistake);
    let tree = parser::parse(FileId(0), &text).tree;
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| vocabulary::check(black_box(&tree)));
}

/// A million lines take ten times as long.
#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], sample_count = 10)]
fn lines(bencher: Bencher<'_, '_>, lines: usize) {
    let text = policy(lines, "");
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| parser::parse(FileId(0), black_box(&text)));
}
