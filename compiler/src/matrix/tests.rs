//! What the matrix says, read as it is written, against what the bundle decides.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::compile::{Checked, Selection, check};
use crate::plan::table::Match;
use crate::project::Project;
use crate::reference::first_match;
use crate::report::{Format, Style, render};
use mesh_bundle::Bundle;
use mesh_bundle::decide::Plain;
use mesh_bundle::format::Id;
use mesh_bundle::journey::{self, End, Entry, Request as Sent};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::value::PathPattern;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn checked(text: &str) -> (Checked, Bundle) {
    let mut checked = check(Project::of_texts([("t.mesh", text)]), &Selection::default());
    let planned = checked.lay_out();
    let report = render(&checked.report(None), Format::Human, Style::PLAIN);
    let planned = planned.unwrap_or_else(|| panic!("{report}\n{text}"));
    let bundle = Bundle::open(planned.bytes).unwrap();
    (checked, bundle)
}

fn matrix(checked: &Checked) -> Matrix {
    let mesh = checked.mesh.as_ref().unwrap();
    of(mesh, &checked.sources, &Wanted::default()).unwrap()
}

/// Lines of the table of one service.
fn lines(text: &str, service: &str) -> Vec<String> {
    let (checked, _) = checked(text);
    let mesh = checked.mesh.as_ref().unwrap();
    let wanted = Wanted {
        to: Some(service.to_owned()),
        from: None,
    };
    let matrix = of(mesh, &checked.sources, &wanted).unwrap();
    let table = table(&matrix, Style::PLAIN);
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    table.lines().skip(1).map(line).collect()
}

#[test]
fn callers_that_may_do_the_same_are_told_together() {
    let text = "mesh t { }
        service a { endpoints 127.0.0.1:1; calls none; authz { allow b, c to GET /x } }
        service b { endpoints 127.0.0.1:1; calls none; authz { deny anyone } }
        service c { endpoints 127.0.0.1:1; calls none; authz { deny anyone } }
        service d { endpoints 127.0.0.1:1; calls none; authz { deny anyone } }
        service e { endpoints 127.0.0.1:1; calls none; authz { deny anyone } }";
    assert_eq!(
        lines(text, "a"),
        [
            "anonymous any request deny mtls strict (edition 2026)",
            "b, c GET, HEAD /x allow allow b, c to GET /x (t.mesh:2)",
            "anything else deny no rule allows it (t.mesh:2)",
            "any other (2) any request deny no rule allows it (t.mesh:2)",
        ]
    );
    assert_eq!(
        lines(text, "b"),
        [
            "anonymous any request deny mtls strict (edition 2026)",
            "any other (4) any request deny deny anyone (t.mesh:3)",
        ]
    );
}

#[test]
fn what_is_required_is_asked_before_rules() {
    let text = "mesh t { }
        jwt corp { issuer \"https://a.example\"; jwks file \"j\" }
        service a {
          endpoints 127.0.0.1:1; calls none
          require jwt corp unless path == /health
          authz { allow b }
        }
        service b { endpoints 127.0.0.1:1; calls a; authz { deny anyone } }";
    assert_eq!(
        lines(text, "a")[1..],
        [
            "b /health allow allow b (t.mesh:6)",
            "any path but /health depends deny when path != /health and it has no jwt corp (t.mesh:5); \
             else allow b (t.mesh:6)",
        ]
    );
}

#[test]
fn who_is_not_seen_is_told_apart() {
    let text = "mesh t { mtls permissive }
        service a { endpoints 127.0.0.1:1; calls none; authz { allow anyone to GET /open; allow b } }
        service b { endpoints 127.0.0.1:1; calls a; sidecar none; authz { deny anyone } }";
    assert_eq!(
        lines(text, "a"),
        [
            "anonymous GET, HEAD /open allow allow anyone to GET /open (t.mesh:2)",
            "anything else deny no rule allows it (t.mesh:2)",
            "b GET, HEAD /open allow allow anyone to GET /open (t.mesh:2)",
            "anything else allow allow b (t.mesh:2)",
        ]
    );
    let anonymous = &lines(text, "b")[0];
    assert_eq!(
        anonymous,
        "anonymous any request allow sidecar none: nothing stands before it (t.mesh:3)"
    );
}

#[test]
fn a_host_with_rules_is_told_of_its_clients() {
    let text = "mesh t { }
        gateway edge {
          listen 443 https { certificate \"a\" key \"b\"; client-ca \"c\" optional }
          host a.example {
            authz { allow anyone to /open; allow anyone when client-cert.san == \"x\" }
            /** -> a
          }
          host b.example { /** -> a }
        }
        service a { endpoints 127.0.0.1:1; calls none; authz { allow edge } }";
    let of_edge = lines(text, "edge");
    assert_eq!(of_edge.len(), 2, "the other host leaves it to its arms");
    assert_eq!(
        of_edge[0],
        "anonymous /open allow allow anyone to /open (t.mesh:5)"
    );
    assert!(of_edge[1].starts_with("any path but /open depends allow when client-cert.san"));
}

#[test]
fn what_is_not_decided_is_told() {
    // The twelfth letter from the end is one of three; to see that it is no other, the last twelve are remembered.
    let text = "mesh t { }
        service a {
          endpoints 127.0.0.1:1; calls none
          authz {
            deny anyone when path matches r\".*a.{11}\"
            deny anyone when path matches r\".*b.{11}\"
            deny anyone when path matches r\".*c.{11}\"
            allow b when path matches r\"/[abc]{14}[abc]*\"
          }
        }
        service b { endpoints 127.0.0.1:1; calls a; authz { deny anyone } }";
    let (checked, _) = checked(text);
    let matrix = matrix(&checked);
    let of_b = &matrix.services[0].callers[1];
    assert_eq!(of_b.callers, ["b"]);
    let cell = &of_b.cells[0];
    assert_eq!(cell.decision, Decision::NotDecided);
    let why: Vec<String> = cell.because.iter().map(Because::told).collect();
    assert!(
        why.iter()
            .any(|it| it.starts_with("not decided whether some meet `allow b")),
        "{why:?}"
    );
    assert!(
        why.iter()
            .any(|it| it.starts_with("deny when path matches")),
        "{why:?}"
    );
}

#[test]
fn a_service_that_nobody_guards_is_open_to_everybody() {
    let text = "mesh t { mtls off; authz open-by-default }
        service a { endpoints 127.0.0.1:1; calls none }
        service b { endpoints 127.0.0.1:1; calls a }";
    assert_eq!(
        lines(text, "a"),
        ["everybody (2) any request allow open-by-default: allow anyone (t.mesh:1)"]
    );
}

/// Whether a path is among those that are written: `/a/** and /*/b but /a/b; /c`.
fn has_path(text: &str, path: &str) -> bool {
    let takes = |pattern: &str| {
        let pattern = [PathPattern::parse(pattern).unwrap()];
        let asked = Match {
            methods: &[],
            paths: &pattern,
            condition: None,
        };
        let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
        first_match(&[asked], &Plain::new("GET", "t", path)).is_some()
    };
    text.split("; ").any(|term| {
        let (takes_all, except) = term.split_once(" but ").unwrap_or((term, ""));
        let mut all = takes_all.split(" and ");
        let mut except = except.split(", ").filter(|it| !it.is_empty());
        all.all(|pattern| pattern == "any" || takes(pattern)) && !except.any(takes)
    })
}

/// Whether a method is among those that are written: `GET, HEAD`, `any but POST`.
fn has_method(text: &str, method: &str) -> bool {
    match text.strip_prefix("any but ") {
        _ if text == "any" => true,
        Some(others) => others.split(", ").all(|it| it != method),
        None => text.split(", ").any(|it| it == method),
    }
}

const PATHS: [&str; 10] = [
    "/", "/a", "/a/", "/a/b", "/c/b", "/a/b/c", "/a/c", "/x.css", "/c", "/a/b/b",
];
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];
const CALLERS: [&str; 3] = ["x", "y", "n/z"];

/// A rule as it is written.
fn rule() -> impl Strategy<Value = String> {
    let who = vec!["x", "y", "n/z", "any service", "namespace n", "anyone"];
    let methods = subsequence(vec!["GET", "HEAD", "POST"], 0..3);
    let patterns = vec![
        "/a", "/a/**", "/a/b", "/*/b", "/**/b", "/{p}.css", "/", "/a/*", "/**",
    ];
    let paths = subsequence(patterns, 0..3);
    let condition = select(vec![
        "",
        "",
        " when header.t == \"1\"",
        " unless header.t present",
        " when method != GET",
        " when path in [/a/b, /c]",
    ]);
    (any::<bool>(), select(who), methods, paths, condition).prop_map(
        |(allows, who, methods, paths, condition)| {
            let verb = if allows { "allow" } else { "deny" };
            let what = [methods.join(", "), paths.join(", ")];
            let what: Vec<String> = what.into_iter().filter(|it| !it.is_empty()).collect();
            let to = if what.is_empty() { "" } else { " to " };
            format!("{verb} {who}{to}{}{condition}", what.join(" "))
        },
    )
}

fn mesh(rules: &[String]) -> String {
    format!(
        "mesh t {{ }}
         service s {{ endpoints 127.0.0.1:1; calls none; authz {{ {} }} }}
         service x {{ endpoints 127.0.0.1:1; authz {{ deny anyone }} }}
         service y {{ endpoints 127.0.0.1:1; authz {{ deny anyone }} }}
         namespace n {{ service z {{ endpoints 127.0.0.1:1; authz {{ deny anyone }} }} }}",
        rules.join("; ")
    )
}

/// Whether the bundle lets a request in.
fn lets_in(bundle: &Bundle, caller: usize, method: &str, path: &str, header: &str) -> bool {
    let mut request = Sent::new(method, "s.default", path);
    if !header.is_empty() {
        request.headers.push(("t".to_owned(), header.to_owned()));
    }
    let entry = Entry::Sidecar(Id::new(1 + caller as u32));
    let journey = journey::of(bundle, entry, &request);
    matches!(journey.branches[0].end, End::Arrived(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Each request has one cell, and the cell says what becomes of it.
    #[test]
    fn the_matrix_says_what_the_bundle_decides(rules in prop::collection::vec(rule(), 1..6)) {
        let (checked, bundle) = checked(&mesh(&rules));
        let matrix = matrix(&checked);
        let rows = &matrix.services[0].callers;
        for (number, caller) in CALLERS.iter().enumerate() {
            let mut of_caller = rows.iter().filter(|row| row.callers.iter().any(|it| it == caller));
            let row = of_caller.next().unwrap();
            prop_assert!(of_caller.next().is_none(), "{} has one row", caller);
            for method in METHODS {
                for path in PATHS {
                    let cells = row.cells.iter().filter(|cell| !cell.otherwise);
                    let mut own = cells.filter(|it| {
                        has_method(&it.methods, method) && has_path(&it.paths, path)
                    });
                    let cell = own.next().or_else(|| row.cells.iter().find(|it| it.otherwise));
                    let told = format!("{caller} {method} {path}: {row:#?}");
                    prop_assert!(own.next().is_none(), "twice: {}", told);
                    let Some(cell) = cell else {
                        return Err(TestCaseError::fail(format!("no cell: {told}")));
                    };
                    let seen = ["", "1", "2"].map(|header| lets_in(&bundle, number, method, path, header));
                    let expected = match seen {
                        [true, true, true] => Decision::Allow,
                        [false, false, false] => Decision::Deny,
                        _ => Decision::Depends,
                    };
                    prop_assert_eq!(cell.decision, expected, "{}", told);
                }
            }
        }
    }
}
