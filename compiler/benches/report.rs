//! Ten thousand findings in a file of four megabytes, and in one line of four megabytes: found, told in
//! every format, and mended.

use divan::Bencher;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::source::{FileId, Sources, Span};
use meshc::compile::{Selection, check};
use meshc::fix::{Wanted, pass};
use meshc::project::Project;
use meshc::report::{Files, Format, Report, Style, render};
use std::path::Path;

fn main() {
    divan::main();
}

const FINDINGS: usize = 10_000;
const BYTES: usize = 4_000_000;
const FORMATS: [Format; 5] = [
    Format::Human,
    Format::Plain,
    Format::Json,
    Format::Sarif,
    Format::Github,
];

/// A mesh with a wrong value, a place before it, and a comment in each of its parts.
fn text(between: &str) -> String {
    let mut text = format!("mesh t {{ mtls off; authz open-by-default }}{between}");
    let filler = "é".repeat(100);
    for part in 0..FINDINGS {
        text.push_str("service s");
        text.push_str(&part.to_string());
        text.push_str(" { endpoints 127.0.0.1:1, 127.0.0.1:2; timeout 1,000ms }");
        text.push_str(between);
        let rest = BYTES * (part + 1) / FINDINGS;
        while between == "\n" && text.len() + filler.len() + 3 < rest {
            text.push_str("# ");
            text.push_str(&filler);
            text.push('\n');
        }
    }
    while text.len() < BYTES {
        text.push(' ');
    }
    text
}

/// Findings with two places, a note, a help and a fix.
fn findings(text: &str) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("big.mesh", text);
    let starts = text.match_indices("timeout").map(|(at, _)| at as u32);
    let diagnostics = starts.map(|at| {
        let value = Span::new(file, at + 8, at + 15);
        Diagnostic::new(Code::BadValue, "`1,000ms` is no duration")
            .primary(value, "")
            .secondary(Span::new(file, at - 30, at - 20), "this is here")
            .note("digits are written without signs between them")
            .help("write `1000ms`")
            .fix(Fix::safe("write `1000ms`", value, "1000ms"))
    });
    let diagnostics: Vec<_> = diagnostics.collect();
    assert_eq!(diagnostics.len(), FINDINGS);
    (sources, diagnostics)
}

fn tell(bencher: Bencher<'_, '_>, format: Format, between: &str) {
    let (sources, diagnostics) = findings(&text(between));
    let report = Report {
        diagnostics: &diagnostics,
        files: Files {
            sources: &sources,
            root: Some(Path::new("shop")),
            count: 1,
            here: None,
        },
    };
    bencher.bench(|| render(&report, format, Style::PLAIN).len());
}

#[divan::bench(args = FORMATS)]
fn lines(bencher: Bencher<'_, '_>, format: Format) {
    tell(bencher, format, "\n");
}

#[divan::bench(args = FORMATS)]
fn one_line(bencher: Bencher<'_, '_>, format: Format) {
    tell(bencher, format, "; ");
}

#[divan::bench]
fn find(bencher: Bencher<'_, '_>) {
    let text = text("\n");
    bencher.bench(|| {
        let checked = check(
            Project::of_texts([("big.mesh", text.as_str())]),
            &Selection::default(),
        );
        assert!(checked.diagnostics.len() >= FINDINGS);
        checked
    });
}

#[divan::bench]
fn mend(bencher: Bencher<'_, '_>) {
    let (sources, diagnostics) = findings(&text("\n"));
    bencher.bench(|| {
        let pass = pass(&diagnostics, &sources, 1, &Wanted::default());
        assert_eq!(pass.fixed, FINDINGS);
        pass.texts[&FileId(0)].len()
    });
}
