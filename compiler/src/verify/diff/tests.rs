//! What differences are told, and that none is missed.

use super::ends::{Asks, Comparison, Place as EndOf, pairs};
use super::*;
use crate::compile::{Checked, Selection, check};
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::plan::table::Match;
use crate::project::Project;
use crate::reference::first_match;
use crate::report::Style;
use crate::verify::World;
use mesh_bundle::decide::Plain;
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::source::FileId;
use mesh_lang::value::PathPattern;
use proptest::prelude::*;
use std::path::Path;

pub(super) struct Made {
    checked: Checked,
    pub(super) bundle: Bundle,
}

impl Made {
    fn of(project: Project) -> Self {
        let mut checked = check(project, &Selection::default());
        let planned = checked.lay_out();
        assert!(planned.is_some(), "{:#?}", checked.diagnostics);
        let bundle = Bundle::open(planned.unwrap().bytes).unwrap();
        Self { checked, bundle }
    }

    /// None where something in the text is wrong.
    pub(super) fn try_text(text: &str) -> Option<Self> {
        let project = Project::of_texts([("shop.mesh", text)]);
        let mut checked = check(project, &Selection::default());
        let planned = checked.lay_out()?;
        let bundle = Bundle::open(planned.bytes).unwrap();
        Some(Self { checked, bundle })
    }

    pub(super) fn text(text: &str) -> Self {
        Self::of(Project::of_texts([("shop.mesh", text)]))
    }

    pub(super) fn side(&self) -> Side<'_> {
        Side {
            mesh: self.checked.mesh.as_ref().unwrap(),
            sources: &self.checked.sources,
            bundle: &self.bundle,
            places: &[],
        }
    }
}

fn told(old: &str, new: &str) -> String {
    let (old, new) = (Made::text(old), Made::text(new));
    told::human(&diff(old.side(), new.side()), Style::PLAIN)
}

const SHOP: &str = r#"mesh shop { mtls off }
jwt corp { issuer "https://login.example/"; audiences "shop"; jwks file "jwks.json" }
gateway edge {
  listen 8080 http
  host shop.example {
    require jwt corp when path == /admin/**
    GET /api/**   -> cart { timeout 2s }
    /admin/**     -> cart
    otherwise     -> respond 404
  }
  host *.shop.example { authz { deny anyone to /secret; allow anyone }; otherwise -> cart }
}
service cart {
  version a { endpoints 127.0.0.1:9001 }
  version b { endpoints 127.0.0.1:9002 }
  route { otherwise -> split 90% a, 10% b }
  authz { allow anyone to GET; allow anyone to POST /items/** }
}
service desk { endpoints 127.0.0.1:9003; calls cart; authz { allow anyone } }
"#;

/// The shop, with one thing otherwise.
fn changed(from: &str, to: &str) -> String {
    assert!(SHOP.contains(from), "{from}");
    told(SHOP, &SHOP.replace(from, to))
}

#[test]
fn what_is_written_otherwise_and_means_the_same_is_no_difference() {
    let same = "every request meets the same, proved\n";
    assert_eq!(told(SHOP, SHOP), same);
    // Two arms in place of one, and in another order.
    let split = "HEAD /api/** -> cart { timeout 2s }\n/admin/** -> cart\nGET /api/** -> cart { timeout 2s }";
    assert_eq!(
        changed(
            "GET /api/**   -> cart { timeout 2s }\n    /admin/**     -> cart",
            split
        ),
        same
    );
    // A policy in place of what it says.
    let used = format!(
        "policy quick {{ timeout 2s }}\n{}",
        SHOP.replace("cart { timeout 2s }", "cart { use quick }")
    );
    assert_eq!(told(SHOP, &used), same);
    // A rule that is held by another.
    assert_eq!(
        changed(
            "allow anyone to GET;",
            "allow anyone to GET; allow anyone to GET /x;"
        ),
        same
    );
}

#[test]
fn each_kind_is_told_with_a_request() {
    let mut all = String::new();
    for (from, to) in [
        ("POST /items/**", "POST, PUT /items/**"),
        ("allow anyone to GET; ", ""),
        ("    /admin/**     -> cart\n", ""),
        ("GET /api/** ", "GET /api/**, /next/** "),
        (
            " when path == /admin/**",
            " when path == /admin/** or method == GET",
        ),
        ("require jwt corp when path == /admin/**", ""),
        ("deny anyone to /secret; ", ""),
        ("split 90% a, 10% b", "split 50% a, 50% b"),
        ("otherwise -> split 90% a, 10% b", "otherwise -> a"),
        ("respond 404", "respond 410"),
        ("timeout 2s", "timeout 2s; request-header set x-a \"1\""),
        (
            "timeout 2s",
            "timeout 2s; cors { origins \"https://app.example\" }",
        ),
        ("timeout 2s", "timeout 3s; retry 1 on reset"),
        ("mtls off", "mtls off; defaults { max-body 1MiB }"),
        ("mesh shop { mtls off }", "mesh shop { }"),
        ("127.0.0.1:9003", "127.0.0.1:9004"),
        ("listen 8080 http", "listen 8081 http"),
        ("; calls cart", ""),
        (
            "issuer \"https://login.example/\"",
            "issuer \"https://other.example/\"",
        ),
        ("mtls off", "mtls off; access-log off"),
    ] {
        let told = changed(from, to);
        all.push_str(&[from, " → ", to, "\n", &told, "\n"].concat());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn hosts_that_come_and_go_are_compared_with_what_took_their_requests() {
    let without = SHOP.replace(
        "  host *.shop.example { authz { deny anyone to /secret; allow anyone }; otherwise -> cart }\n",
        "",
    );
    let closer = SHOP.replace(
        "  host *.shop.example {",
        "  host a.shop.example { otherwise -> respond 404 }\n  host *.shop.example {",
    );
    insta::assert_snapshot!(format!("{}\n{}", told(SHOP, &without), told(SHOP, &closer)));
}

#[test]
fn rules_of_hosts_are_compared_whatever_blocks_they_stand_in() {
    // The block has another host now, and lets more in at the old one.
    let more = SHOP.replace(
        "host *.shop.example { authz { deny anyone to /secret; allow anyone }",
        "host *.shop.example, b.example { authz { allow anyone }",
    );
    let told = told(SHOP, &more);
    assert!(
        told.contains("edge *.shop.example  refused by `deny anyone to /secret`, now let in"),
        "{told}"
    );
    // What took all hosts has rules for one of them no more.
    let wide = SHOP.replace("host *.shop.example {", "host * {");
    let closer = wide.replace(
        "  host * {",
        "  host c.example { otherwise -> cart }\n  host * {",
    );
    let told = self::told(&wide, &closer);
    assert!(told.contains("edge c.example  refused by"), "{told}");
    assert!(!told.contains("edge *  refused"), "{told}");
}

#[test]
fn services_that_come_and_go_let_in_and_no_more() {
    let more = format!(
        "{SHOP}service fresh {{ endpoints 127.0.0.1:9009; authz {{ allow anyone to GET }} }}\n"
    );
    insta::assert_snapshot!(format!("{}\n{}", told(SHOP, &more), told(&more, SHOP)));
}

#[test]
fn what_is_accepted_is_no_secret() {
    let accepts = SHOP.replace(
        "GET /api/**   -> cart",
        "accept jwt corp\n    GET /api/**   -> cart",
    );
    let told = told(SHOP, &accepts);
    assert!(told.contains("+ accept jwt corp"), "{told}");
}

#[test]
fn tokens_are_known_by_their_names() {
    // Another issuer that is declared before moves the numbers, and nothing else.
    let more = SHOP.replace(
        "jwt corp {",
        "jwt also { issuer \"https://b.example/\"; audiences \"b\"; jwks file \"b.json\" }\njwt corp {",
    );
    let told = told(SHOP, &more);
    assert!(
        told.lines().all(|line| !line.starts_with("widened")),
        "{told}"
    );
    assert!(
        told.lines().all(|line| !line.starts_with("narrowed")),
        "{told}"
    );
}

#[test]
fn no_example_differs_from_itself() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        if let Ok(project) = Project::load(&path) {
            let made = Made::of(project);
            assert_eq!(
                diff(made.side(), made.side()),
                Diff::default(),
                "{}",
                path.display()
            );
        }
    }
}

/// An arm over a tiny alphabet.
fn arms() -> impl Strategy<Value = Vec<Asks>> {
    let path = prop::sample::select(vec!["/", "/a", "/a/**", "/{x}", "/{x}/b", "/**", "/a/{x}b"]);
    let header = prop::sample::select(vec![None, Some("x"), Some("y")]);
    let method = prop::sample::subsequence(vec!["GET", "POST"], 0..2);
    let arm = (
        method,
        prop::collection::vec(path, 0..2),
        header,
        any::<bool>(),
    );
    let arm = arm.prop_map(|(methods, paths, header, negated)| Asks {
        methods: methods.into_iter().map(str::to_owned).collect(),
        paths: paths
            .iter()
            .map(|text| PathPattern::parse(text).unwrap())
            .collect(),
        condition: header.map(|value| {
            let condition = Condition::Test(Test {
                field: Field::Header("h".to_owned()),
                predicate: Predicate::OneOf(vec![value.to_owned()]),
                span: Span::new(FileId(0), 0, 0),
            });
            if negated {
                Condition::Not(Box::new(condition))
            } else {
                condition
            }
        }),
    });
    prop::collection::vec(arm, 0..5)
}

fn taken(arms: &[Asks], plain: &Plain<'_>) -> EndOf {
    let matches: Vec<Match<'_>> = arms
        .iter()
        .map(|arm| Match {
            methods: &arm.methods,
            paths: &arm.paths,
            condition: arm.condition.as_ref(),
        })
        .collect();
    first_match(&matches, plain).map(|arm| arm as u32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever pair of ends some request has is found, and no other.
    #[test]
    fn no_pair_is_missed((old, new) in (arms(), arms())) {
        let tables = Comparison {
            old: &old,
            new: &new,
            world: World::default(),
            region: None,
            likely: &[],
            differ: &|_, _| true,
        };
        let (found, undecided) = pairs(tables).unwrap();
        prop_assert_eq!(undecided, None);
        let letters = ["a", "b", "ab", "c"];
        let mut paths = vec!["/".to_owned()];
        for first in letters {
            paths.push(format!("/{first}"));
            paths.extend(letters.iter().map(|second| format!("/{first}/{second}")));
        }
        let mut seen = std::collections::BTreeSet::new();
        for path in &paths {
            let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
            for method in ["GET", "POST", "PUT"] {
                for headers in [vec![], vec![("h", "x")], vec![("h", "y")], vec![("h", "z")]] {
                    let plain = Plain { headers, ..Plain::new(method, "shop.example", path.clone()) };
                    seen.insert((taken(&old, &plain), taken(&new, &plain)));
                }
            }
        }
        let found: std::collections::BTreeSet<_> = found.iter().map(|it| (it.old, it.new)).collect();
        prop_assert!(seen.is_subset(&found), "{:?} {:?}", seen, found);
    }
}
