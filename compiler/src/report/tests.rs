//! One report in every format, and what formats promise whatever the findings are.

use super::*;
use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Fix;
use mesh_lang::source::{FileId, Sources, Span};
use serde_json::Value;
use std::path::{Path, PathBuf};

const FORMATS: [Format; 5] = [
    Format::Human,
    Format::Plain,
    Format::Json,
    Format::Sarif,
    Format::Github,
];

/// Findings with notes, fixes, several places, several files, and a value from the command line.
fn sample() -> Checked {
    let shop = "# “Prices”, in é and 𝄞.\n\
                mesh shop { mtls off; authz open-by-default; lints { warn unused-supression } }\n\
                service cart {\n  \
                  endpoints 127.0.0.1:9000\n  \
                  # lint: allow unused-suppression (it is 100% needed)\n  \
                  timeout 5\n\
                }\n";
    let teams = "service cart { endpoints 127.0.0.1:9001 }\nparam patience = 1s\n\
                 service tax { endpoints 127.0.0.1:9002; timeout patience }\n";
    let project = Project {
        root: PathBuf::from("examples/shop"),
        ..Project::of_texts([("shop.mesh", shop), ("teams/é cart.mesh", teams)])
    };
    let selection = Selection {
        settings: vec!["patience=never".parse().unwrap()],
        ..Selection::default()
    };
    check(project, &selection)
}

fn rendered(format: Format) -> String {
    render(&sample().report(None), format, Style::PLAIN)
}

#[test]
fn people_see_the_source() {
    insta::assert_snapshot!(rendered(Format::Human));
}

#[test]
fn plain_text_is_one_line_each_and_ascii() {
    let plain = rendered(Format::Plain);
    let without_names = plain.replace("teams/é cart.mesh", "");
    assert!(without_names.is_ascii(), "{plain}");
    insta::assert_snapshot!(plain);
}

#[test]
fn json_is_one_object_a_line() {
    let lines: Vec<String> = rendered(Format::Json)
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn sarif_is_one_document() {
    let mut log: Value = serde_json::from_str(&rendered(Format::Sarif)).unwrap();
    // The pages are tested where they are.
    for rule in log["runs"][0]["tool"]["driver"]["rules"]
        .as_array_mut()
        .unwrap()
    {
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# "));
        rule.as_object_mut().unwrap().remove("help");
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn github_gets_annotations() {
    insta::assert_snapshot!(rendered(Format::Github));
}

#[test]
fn nothing_to_report_is_nothing_or_an_empty_document() {
    let checked = check(
        Project::of_texts([("a.mesh", "mesh a { mtls off; authz open-by-default }\n")]),
        &Selection::default(),
    );
    let report = checked.report(None);
    for format in FORMATS {
        let text = render(&report, format, Style::PLAIN);
        if format == Format::Sarif {
            let log: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
        } else {
            assert_eq!(text, "", "{format:?}");
        }
    }
}

#[test]
fn people_see_the_first_of_many_and_programs_all() {
    let mut sources = Sources::new();
    let file = sources.add("a.mesh", "x\n".repeat(500));
    let diagnostics: Vec<_> = (0..500)
        .map(|line| {
            let message = format!("finding {line}");
            Diagnostic::new(Code::BadValue, message)
                .primary(Span::new(file, line * 2, line * 2 + 1), "")
        })
        .collect();
    let report = Report {
        diagnostics: &diagnostics,
        files: Files::nowhere(&sources),
    };
    for format in FORMATS {
        let text = render(&report, format, Style::PLAIN);
        let told = text.matches("finding ").count();
        if format == Format::Human {
            assert_eq!(told, SHOWN);
            assert!(text.ends_with("… and 450 more\n500 errors\n"), "{text}");
        } else {
            assert_eq!(told, 500, "{format:?}");
        }
    }
}

#[test]
fn order_does_not_depend_on_how_findings_were_found() {
    let at = |start, message: &str| {
        Diagnostic::new(Code::BadValue, message).primary(Span::new(FileId(0), start, start + 1), "")
    };
    let wanted = [
        Diagnostic::new(Code::NoMesh, "m"),
        at(1, "a"),
        at(1, "b"),
        at(2, "a"),
    ];
    let mut found = vec![
        at(2, "a"),
        at(1, "b"),
        at(1, "a"),
        wanted[0].clone(),
        at(2, "a"),
    ];
    sort(&mut found);
    assert_eq!(found, wanted);
}

#[test]
fn links_lead_to_files_and_only_where_asked_for() {
    let checked = sample();
    let style = Style {
        color: true,
        links: true,
    };
    let report = checked.report(Some(Path::new("/work")));
    let linked = render(&report, Format::Human, style);
    let link = "\u{1b}]8;;file:///work/examples/shop/shop.mesh\u{1b}\\shop.mesh\u{1b}]8;;\u{1b}\\";
    assert!(linked.contains(link), "{linked:?}");
    for (format, style) in FORMATS.map(|format| {
        (
            format,
            Style {
                links: false,
                ..style
            },
        )
    }) {
        let text = render(&report, format, style);
        assert!(!text.contains("\u{1b}]8"), "{format:?}");
        let colored = text.contains("\u{1b}[");
        assert_eq!(colored, format == Format::Human, "{format:?}");
    }
}

#[test]
fn what_a_terminal_would_obey_does_not_reach_it() {
    let text = "mesh \u{1b}[2J\u{9b}2J \u{202e} {\r mtls off\r\n}\n# a\u{7}\n";
    let checked = check(
        Project::of_texts([("a\u{1b}[2J.mesh", text)]),
        &Selection::default(),
    );
    assert!(!checked.diagnostics.is_empty());
    for format in [Format::Human, Format::Plain] {
        let shown = render(&checked.report(None), format, Style::PLAIN);
        let acts = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
        assert!(!shown.contains(acts), "{shown:?}");
    }
}

#[test]
fn of_a_very_long_line_the_surroundings_are_shown() {
    let long = "é".repeat(100_000);
    let text = format!(
        "# {long}\nmesh t {{ mtls off; authz open-by-default }} # {long}\nservice a {{ endpoints 127.0.0.1:1; timeout 5 }} # {long}\n"
    );
    let checked = check(
        Project::of_texts([("a.mesh", text.as_str())]),
        &Selection::default(),
    );
    let shown = render(&checked.report(None), Format::Human, Style::PLAIN);
    assert!(shown.contains("[a.mesh:3:44]"), "{shown:.500}");
    assert!(shown.contains("timeout 5 }"), "{shown:.500}");
    assert!(shown.len() < 5_000, "{}", shown.len());
}

#[test]
fn a_fix_of_a_value_given_outside_is_for_no_file() {
    let mut sources = Sources::new();
    let given = sources.add("--set a", "param a = 5\n");
    let span = Span::new(given, 10, 11);
    let diagnostics = [Diagnostic::new(Code::MissingUnit, "m")
        .primary(span, "here")
        .fix(Fix::safe("write `5s`", span, "5s"))];
    let report = Report {
        diagnostics: &diagnostics,
        files: Files::nowhere(&sources),
    };
    let sarif: Value = serde_json::from_str(&render(&report, Format::Sarif, Style::PLAIN)).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"], Value::Array(Vec::new()));
    assert_eq!(
        result["message"]["text"],
        "m\n--set a: here\nhelp: write `5s`"
    );
    assert_eq!(result.get("fixes"), None);
    assert_eq!(result.get("partialFingerprints"), None);
    let github = render(&report, Format::Github, Style::PLAIN);
    assert!(
        github.starts_with("::error title=E0207 missing-unit::m%0A"),
        "{github}"
    );
    let json: Value = serde_json::from_str(&render(&report, Format::Json, Style::PLAIN)).unwrap();
    assert_eq!(json["fixes"][0]["edits"][0]["path"], Value::Null);
}
