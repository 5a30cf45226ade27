//! How fast files are laid out: 100,000 lines that are as they should be, that are not, and with a
//! mistake in every statement; the same up to a million lines; and files of shapes that nobody writes.
//!
//! What is measured is the way from the tree to the text. What has a mistake is parsed again, to be
//! sure that it still reads the same.
#![allow(missing_docs, reason = "divan makes the functions public")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mesh_lang::format::format;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::tree::Tree;

const LINES: usize = 100_000;

fn tree(text: &str) -> Tree {
    parse(FileId(0), text).tree
}

/// A service of 25 lines, badly laid out. `mistake` is put behind every statement.
fn service(number: usize, mistake: &str) -> String {
    format!(
        r#"## Service {number}, two versions.
service  service-{number} {{
protocol http{mistake}  # both versions
   identity service-{number}{mistake}      # its own
  hosts service-{number}.default.svc.cluster.local,s{number}.internal.example{mistake}
  version v1 {{ endpoints 10.0.0.1:9081, 10.0.0.2:9084   weight 2{mistake} }}
  version v2 {{ endpoints dns service-{number}-v2.internal:9080 every 5s{mistake} }}
  balance least-request {{ slow-start 30s{mistake} }}
  timeout 3s {{ connect 1s;idle 60s{mistake} }}
  retry 2 on 5xx, reset, connect-failure {{ per-try 1s; backoff 25ms ..250ms; budget 20% min 10/s over 10s{mistake} }}
  limits {{ connections 100; pending 10;
    requests 200{mistake} }}

  route {{
    when header.end-user == "jason" and cookie.session present -> v2{mistake}
    reads-{number}: GET, HEAD /service-{number}/items/{{id}}, /service-{number}/static/** -> v1{mistake}
    POST, PUT /service-{number}/items/** when not (jwt.corp.groups contains "qa") and client-ip in [10.0.0.0/8] -> v1 {{ timeout 5s{mistake} }}
    otherwise -> split 10% v2, rest v1 {{
    sticky cookie.session{mistake}
    mirror 5% shadow{mistake}
    }}
  }}
  authz {{
    allow productpage,edge to GET /service-{number}/**{mistake}
    deny anyone to /service-{number}/admin/** unless source.namespace==ops{mistake}
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
#[divan::bench(args = ["", " ) x"])]
fn lines_with(bencher: Bencher<'_, '_>, mistake: &str) {
    let text = policy(LINES, mistake);
    let tree = tree(&text);
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| format(black_box(&tree)));
}

/// Lines that are laid out already.
#[divan::bench]
fn lines_in_place(bencher: Bencher<'_, '_>) {
    let text = format(&tree(&policy(LINES, "")));
    let tree = tree(&text);
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| format(black_box(&tree)));
}

/// With parsing, as `meshc fmt` does.
#[divan::bench]
fn parsed_and_laid_out(bencher: Bencher<'_, '_>) {
    let text = policy(LINES, "");
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(LINES))
        .bench(|| format(&tree(black_box(&text))));
}

/// A million lines take ten times as long.
#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], sample_count = 10)]
fn lines(bencher: Bencher<'_, '_>, lines: usize) {
    let text = policy(lines, "");
    let tree = tree(&text);
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(lines))
        .bench(|| format(black_box(&tree)));
}

/// Files of a megabyte and of two that nobody writes.
const SHAPES: [&str; 9] = [
    "a block in a line",
    "blocks in blocks in a line",
    "a list in a line",
    "lists in lists in a line",
    "a condition in a line",
    "a setting in a line",
    "blocks",
    "comments at the ends of lines",
    "unclosed blocks",
];

fn shape(name: &str, bytes: usize) -> String {
    let fill = |part: &str, around: usize| part.repeat((bytes - around) / part.len());
    let nested = |open: &str, part: &str, close: &str| {
        let ends = 60 * (open.len() + close.len());
        format!(
            "{}{}{}",
            open.repeat(60),
            fill(part, ends),
            close.repeat(60)
        )
    };
    match name {
        "a block in a line" => format!("policy a {{ {} }}", fill("x 1; ", 20)),
        "blocks in blocks in a line" => {
            format!("policy a {{ {} }}", nested("x { ", "y z, ", " }"))
        }
        "a list in a line" => format!("let a = [{}b]", fill("b, ", 20)),
        "lists in lists in a line" => format!("let a = {}", nested("[", "b, ", "]")),
        "a condition in a line" => format!("let a = (b{})", fill(" and (c or d)", 20)),
        "a setting in a line" => format!("policy a {{ x y{} }}", fill(", y", 20)),
        "blocks" => fill("service a {\n x {\ny z\n}\n}\n", 0),
        "comments at the ends of lines" => {
            format!("policy a {{\n{}}}\n", fill("x # y\n    # z\n", 20))
        }
        _ => fill("service a {\n  x {\n", 0),
    }
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn a_megabyte_of(bencher: Bencher<'_, '_>, name: &str) {
    let text = shape(name, 1 << 20);
    let tree = tree(&text);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| format(black_box(&tree)));
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn two_megabytes_of(bencher: Bencher<'_, '_>, name: &str) {
    let text = shape(name, 2 << 20);
    let tree = tree(&text);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| format(black_box(&tree)));
}
