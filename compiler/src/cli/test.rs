//! `meshc test`: the tests of a mesh, and what they leave untouched.

use super::{FINDINGS, Failure, MeshArguments, Stream, When, print, refuse};
use crate::compile::{Checked, check};
use crate::model::Mesh;
use crate::report::{Format, Report, Style, count, render};
use crate::testing::{self, Coverage, Kind, Part, Trial};
use mesh_bundle::Bundle;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc test examples/bookinfo                 run the tests of a mesh
  meshc test . --env prod --filter canary      those whose title has `canary`, as the mesh is in an environment
  meshc test . --coverage                      and list what no test touches
  meshc test . --coverage --format json        for a program

A test is a `test \"TITLE\" { request … expect … }` in the files of the mesh. `meshc compile` runs them all, and
writes no bundle while one fails.

Exit codes:
  0  all tests passed
  1  a test failed, or the policy does not compile
  2  the command could not be carried out: usage, a file that cannot be read";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    /// Run the tests whose title has this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the arms, rules and shares that no test touches.
    #[arg(long)]
    coverage: bool,
    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Told,
}

/// How the outcome is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// For people.
    #[default]
    Human,
    /// One JSON document, by the schema compiler/src/testing/json.schema.json.
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let (project, selection) = arguments.mesh.load()?;
    let mut checked = check(project, &selection);
    let planned = checked.lay_out();
    let (Some(planned), Some(mesh)) = (planned, &checked.mesh) else {
        return refuse(&checked, color);
    };
    let bundle = Bundle::open(planned.bytes).map_err(|error| error.to_string())?;
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let wanted = mesh.tests.iter().filter(|test| test.title.contains(filter));
    let trials = testing::run(wanted, &bundle);
    let outcome = Outcome {
        checked: &checked,
        mesh,
        bundle: &bundle,
        coverage: Coverage::of(&trials, &bundle),
        trials,
    };
    print(&match arguments.format {
        Told::Human => outcome.told(arguments, color.style(Stream::Output)),
        Told::Json => outcome.json(arguments.coverage),
    })?;
    if outcome.trials.iter().all(Trial::passed) {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(FINDINGS))
    }
}

struct Outcome<'o> {
    checked: &'o Checked,
    mesh: &'o Mesh,
    bundle: &'o Bundle,
    trials: Vec<Trial<'o>>,
    coverage: Coverage,
}

impl Outcome<'_> {
    fn told(&self, arguments: &Arguments, style: Style) -> String {
        let sources = &self.checked.sources;
        let mut text = String::new();
        let titles = self
            .trials
            .iter()
            .map(|trial| trial.case.title.chars().count());
        let width = titles.max().unwrap_or_default();
        for trial in &self.trials {
            let verdict = if trial.passed() {
                style.added("ok    ")
            } else {
                style.removed("failed")
            };
            let (title, place) = (&trial.case.title, sources.place(trial.case.span));
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{verdict}  {title:width$}  {place}");
        }
        let findings = testing::findings(&self.trials, self.bundle);
        if !findings.is_empty() {
            let here = std::env::current_dir().ok();
            let report = Report {
                diagnostics: &findings,
                ..self.checked.report(here.as_deref())
            };
            text.push('\n');
            text.push_str(&render(&report, Format::Human, style));
        }
        if arguments.coverage {
            text.push_str(&self.untouched());
        }
        text.push_str(&self.summary(arguments));
        text
    }

    /// What no test touches.
    fn untouched(&self) -> String {
        let missed: Vec<&Part> = self.coverage.missed().collect();
        if missed.is_empty() {
            return String::new();
        }
        let width = missed.iter().map(|part| part.place.chars().count()).max();
        let width = width.unwrap_or_default();
        let mut text = "\nno test touches\n".to_owned();
        for part in missed {
            let kind = word(part.kind);
            let _ = writeln!(text, "  {:width$}  {kind:5}  {}", part.place, part.text);
        }
        text.push('\n');
        text
    }

    /// "3 tests passed; 11 of 14 arms, 4 of 4 rules, 2 of 2 shares touched".
    fn summary(&self, arguments: &Arguments) -> String {
        let run = self.trials.len();
        let passed = self.trials.iter().filter(|trial| trial.passed()).count();
        let path = arguments.mesh.path.display();
        let tests = match (run, self.mesh.tests.len()) {
            (0, 0) => return format!("{path}: there is no test\n"),
            (0, all) => return format!("{path}: none of {} has that title\n", count(all, "test")),
            (run, _) if run == passed => format!("{} passed", count(run, "test")),
            (run, _) => format!("{} of {} failed", run - passed, count(run, "test")),
        };
        let kinds = [Kind::Arm, Kind::Rule, Kind::Share].into_iter();
        let kinds = kinds.filter_map(|kind| {
            let (all, touched) = self.coverage.count(kind);
            (all > 0).then(|| format!("{touched} of {}", count(all, word(kind))))
        });
        let touched: Vec<String> = kinds.collect();
        if touched.is_empty() {
            return format!("{tests}\n");
        }
        format!("{tests}; {} touched\n", touched.join(", "))
    }

    fn json(&self, coverage: bool) -> String {
        let sources = &self.checked.sources;
        let tests = self.trials.iter().map(|trial| Tested {
            title: &trial.case.title,
            place: sources.place(trial.case.span),
            passed: trial.passed(),
            findings: testing::findings(std::slice::from_ref(trial), self.bundle)
                .into_iter()
                .map(|finding| Found {
                    place: finding.span().map(|span| sources.place(span)),
                    message: finding.message,
                    notes: finding.notes,
                })
                .collect(),
        });
        let document = Document {
            tests: tests.collect(),
            coverage: coverage.then_some(&self.coverage.parts),
        };
        // These types have no map with keys that are no strings, and nothing that fails.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'d> {
    tests: Vec<Tested<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'d Vec<Part>>,
}

#[derive(Serialize)]
struct Tested<'d> {
    title: &'d str,
    place: String,
    passed: bool,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    place: Option<String>,
    message: String,
    notes: Vec<String>,
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Arm => "arm",
        Kind::Rule => "rule",
        Kind::Share => "share",
    }
}
