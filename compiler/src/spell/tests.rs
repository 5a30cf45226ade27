//! What is spelled out means what it is spelled from.

#![allow(clippy::unwrap_used)]

use super::expand;
use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use crate::report::{Format, Style, render};
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::view;
use mesh_lang::vocabulary::{self, Statement};
use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

const EVERYTHING: &str = include_str!("../../tests/policies/everything.mesh");

fn looked_at(project: Project) -> Checked {
    let checked = check(project, &Selection::default());
    let report = render(&checked.report(None), Format::Human, Style::PLAIN);
    assert!(!checked.has_errors(), "{report}");
    checked
}

fn checked(text: &str) -> Checked {
    looked_at(Project::of_texts([("t.mesh", text)]))
}

fn expanded(checked: &Checked) -> String {
    expand(checked.mesh.as_ref().unwrap(), &checked.sources)
}

/// Where things stand, who says them, and names that are only the text that was written.
static PLACES: LazyLock<Regex> = LazyLock::new(|| {
    let span = r"Span\s*\{[^}]*\}";
    let used = format!(r"Used\s*\{{\s*written: {span},\s*used: {span},?\s*\}}");
    let written = format!(r"Written\(\s*{span},?\s*\)");
    let named = r#"name: "([^"\\]|\\.)*[ /]([^"\\]|\\.)*""#;
    Regex::new(&format!("Edition|{written}|{used}|{span}|{named}")).unwrap()
});

/// A model without places.
fn meaning(checked: &Checked) -> String {
    let mut mesh = checked.mesh.clone().unwrap();
    mesh.params.clear(); // replaced by their values
    PLACES.replace_all(&format!("{mesh:#?}"), "_").into_owned()
}

#[track_caller]
fn means_the_same(first: &Checked) {
    let text = expanded(first);
    let second = checked(&text);
    let (before, after) = (meaning(first), meaning(&second));
    let differs = before.lines().zip(after.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "{text}");
    assert_eq!(before.len(), after.len(), "{text}");
}

#[test]
fn everything_means_the_same_when_it_is_spelled_out() {
    means_the_same(&checked(EVERYTHING));
}

#[test]
fn spelling_out_what_is_spelled_out_changes_only_who_said_so() {
    let without_comments = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split("  #").next().unwrap());
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let words = words.filter(|line| !line.is_empty() && !line.starts_with('#'));
        words.collect()
    };
    let once = expanded(&checked(EVERYTHING));
    let twice = expanded(&checked(&once));
    assert_eq!(without_comments(&once), without_comments(&twice));
}

#[test]
fn the_examples_mean_the_same_when_they_are_spelled_out() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir()
            && let Ok(project) = Project::load(&path)
        {
            means_the_same(&looked_at(project));
            count += 1;
        }
    }
    assert!(count > 0);
}

const COMPOSED: &str = r#"
param slow = 30s
let office = [10.1.0.0/16, 10.2.0.0/16]
let qa     = header.x-team == "qa"

mesh t {
  mtls off
  authz open-by-default
  defaults { use patient; compress }
}

policy patient { timeout slow; retry 3 on 5xx, reset }

namespace shop {
  service shop { endpoints 127.0.0.1:9000; timeout 2s { idle off }; max-body 1MiB; calls cart }
  export service cart { endpoints 127.0.0.1:9001 }
}

gateway edge {
  listen 8080 http
  trusted-proxies none
  host shop.example {
    open /cart/** to namespace shop
    sticky cookie.session
    /staff/** when qa and client-ip in office -> respond 204
    /health                                   -> respond 200 "ok\n"
    otherwise                                 -> respond 404
  }
}

namespace shop {
  routes edge shop.example { /cart/** -> cart }
}
"#;

#[test]
fn each_statement_comes_to_what_it_says() {
    let project = Project::of_texts([("t.mesh", EVERYTHING)]);
    insta::assert_snapshot!(expanded(&looked_at(project)));
}

#[test]
fn who_said_what_is_told() {
    let project = Project::of_texts([("shop.mesh", COMPOSED)]);
    insta::assert_snapshot!(expanded(&looked_at(project)));
}

#[test]
fn what_each_proxy_keeps_is_told_for_all_of_them() {
    let text = expanded(&checked(
        r"
mesh t { mtls off; authz open-by-default }
gateway edge { listen 8080 http; host shop.example { otherwise -> shop } }
service shop {
  endpoints 127.0.0.1:9001, 127.0.0.1:9002, 127.0.0.1:9003
  rate-limit 100/s
  rate-limit shared 50/s { on-failure open }
  eject after 5 errors { at-most 70% }
  calls cart
  calls ledger
}
service cart { endpoints 127.0.0.1:9004; limits { connections 10 }; calls ledger }
service ledger { endpoints dns ledger.internal:9000; rate-limit 10/s; limits { requests 5 }; calls stock }
service stock { endpoints 127.0.0.1:9005; limits { requests 5 }; calls none }
service legacy { endpoints 127.0.0.1:9010; sidecar none; calls stock }
external bank { endpoints 127.0.0.1:9006; rate-limit 20/s }
namespace n {
  rate-limit 7/s
  service notes { endpoints 127.0.0.1:9007, 127.0.0.1:9008; calls bank; calls shop }
  service news { endpoints 127.0.0.1:9009; limits off; calls bank }
}
",
    ));
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.starts_with("# ") && line.contains(": "));
    let told = lines.map(|line| line.split("  #").next().unwrap());
    let told: Vec<&str> = told
        .filter(|line| !line.starts_with("# in force"))
        .collect();
    assert_eq!(
        told,
        [
            "# rate-limit: 300/s for all 3 proxies together",
            "# eject: at most 2 of 3 endpoints out at a time",
            "# limits: connections 30 for all 3 proxies together",
            "# limits: requests 20 for all 4 proxies together",
            // The sidecars of the ledger, who calls the stock, are as many as its source names; the other caller has none.
            "# rate-limit: 60/s for all 3 proxies together",
            "# rate-limit: 14/s for all 2 proxies together",
        ]
    );
}

#[test]
fn everything_is_every_statement_there_is() {
    let parsed = parse(FileId(0), EVERYTHING);
    let mut forms: Vec<&Statement> = Vec::new();
    let mut left = vec![parsed.tree.root()];
    while let Some(node) = left.pop() {
        if let Some(view::Statement::Setting(setting)) = view::Statement::cast(node) {
            let places = vocabulary::places_at(&parsed.tree, node.span().start + 1);
            let of = |place| vocabulary::form_of(setting, place);
            forms.extend(places.into_iter().filter_map(of));
        }
        left.extend(node.children());
    }
    let is_missing = |it: &&Statement| !forms.iter().any(|form| std::ptr::eq(*form, *it));
    let missing: Vec<_> = vocabulary::statements().filter(is_missing).collect();
    let missing: Vec<_> = missing.iter().map(|it| it.signature()).collect();
    assert_eq!(missing, [""; 0]);
}
