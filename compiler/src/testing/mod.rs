//! The tests of a mesh: its `test` blocks, run on its bundle.
//!
//! ```text
//! model's tests ─ request ─▶ requests and what is expected ─ journey ─▶ trials ─▶ findings, coverage
//! ```
//!
//! A request goes its whole way in the decision code that serves, so a test that passes speaks of what is
//! served. Limits, faults and health are left aside: what depends on other requests or on time is no property
//! of a policy.

mod coverage;
pub mod request;

pub use coverage::{Coverage, Kind, Part};

use crate::model::proof::{Step, TestCase, TestRequest};
use crate::spell::percent;
use crate::way;
use mesh_bundle::Bundle;
use mesh_bundle::journey::{self, Branch, Entry, Journey, Request};
use mesh_bundle::route::WHOLE;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

/// What `meshc test --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// What came of a test.
#[derive(Debug)]
pub struct Trial<'m> {
    /// The test.
    pub case: &'m TestCase,
    /// Its requests, in order.
    pub asked: Vec<Asked<'m>>,
}

/// A request of a test, and what came of it.
#[derive(Debug)]
pub struct Asked<'m> {
    /// The request as it is written.
    pub written: &'m TestRequest,
    /// The same, and what became of it; `None` if no gateway listens for it.
    pub answer: Option<(Entry, Request, Journey)>,
    /// The expectations that were not met.
    pub unmet: Vec<Span>,
}

impl Trial<'_> {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.asked.iter().all(|asked| asked.unmet.is_empty())
    }
}

/// Runs tests.
pub fn run<'m>(tests: impl IntoIterator<Item = &'m TestCase>, bundle: &Bundle) -> Vec<Trial<'m>> {
    tests
        .into_iter()
        .map(|case| run_one(case, bundle))
        .collect()
}

fn run_one<'m>(case: &'m TestCase, bundle: &Bundle) -> Trial<'m> {
    let mut asked: Vec<Asked<'m>> = Vec::new();
    for step in &case.steps {
        match step {
            Step::Request(written) => {
                let answer = request::entry(bundle, written).map(|entry| {
                    let request = request::request(written);
                    let journey = journey::of(bundle, entry, &request);
                    (entry, request, journey)
                });
                asked.push(Asked {
                    written,
                    answer,
                    unmet: Vec::new(),
                });
            }
            Step::Expect(expect, span) => {
                let Some(last) = asked.last_mut() else {
                    continue; // refused when it was read
                };
                let expect = request::expect(bundle, expect);
                let met = match &last.answer {
                    Some((_, _, journey)) => expect.is_met(bundle, journey),
                    None => false,
                };
                if !met {
                    last.unmet.push(*span);
                }
            }
        }
    }
    Trial { case, asked }
}

/// A finding for each expectation that was not met.
pub fn findings(trials: &[Trial<'_>], bundle: &Bundle) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for trial in trials {
        for asked in &trial.asked {
            let unmet = asked.unmet.iter();
            findings.extend(unmet.filter_map(|span| finding(trial, asked, *span, bundle)));
        }
    }
    findings
}

fn finding(
    trial: &Trial<'_>,
    asked: &Asked<'_>,
    expect: Span,
    bundle: &Bundle,
) -> Option<Diagnostic> {
    let title = &trial.case.title;
    let written = asked.written;
    let Some((entry, request, journey)) = &asked.answer else {
        let scheme = if written.https { "https" } else { "http" };
        let at = written
            .port
            .map_or(String::new(), |port| format!(" at port {port}"));
        let message = format!("“{title}”: no gateway listens for {scheme}{at}");
        let finding = Diagnostic::new(Code::TestFailed, message)
            .primary(written.span, "")
            .help("say `from SERVICE` if a service sends it");
        return Some(finding);
    };
    // Of several ways the one that most take is told.
    let most = journey.branches.iter().max_by_key(|branch| branch.share)?;
    let end = way::end(bundle, &most.end);
    let mut others = journey.branches.iter();
    let message = if others.all(|branch| way::end(bundle, &branch.end) == end) {
        format!("“{title}”: the request {end}")
    } else {
        let ends = way::ends(bundle, &journey.branches);
        format!("“{title}”: of such requests {ends}")
    };
    let finding = Diagnostic::new(Code::TestFailed, message)
        .primary(expect, "expected")
        .secondary(written.span, "of this request");
    let way = told_way(bundle, *entry, request, most);
    Some(match way {
        Some(way) => finding.note(way),
        None => finding,
    })
}

/// The way that a branch takes, a decision a line; nothing of one that is refused at once.
fn told_way(bundle: &Bundle, entry: Entry, request: &Request, branch: &Branch) -> Option<String> {
    let lines = way::lines(bundle, None, entry, request, &branch.steps);
    let who = match branch.share {
        WHOLE => "it takes".to_owned(),
        share => format!("{} take", percent(share)),
    };
    let (table, end) = (way::table(&lines), way::end(bundle, &branch.end));
    (!lines.is_empty()).then(|| format!("the way that {who}:\n{table}and there it {end}"))
}
