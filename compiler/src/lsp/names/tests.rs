//! What words refer to, told by their lines.

use super::{FileNames, Names, Role};
use crate::lsp::live::change;
use mesh_lang::parser::{parse, reparse};
use mesh_lang::source::{FileId, SourceFile};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;

fn names(texts: &[&str]) -> Names {
    let files = (0..).map(FileId).zip(texts);
    let read = files.map(|(file, text)| Arc::new(FileNames::read(&parse(file, text).tree)));
    Names::new(read.collect())
}

/// Every use of a text with its line, what it is for, and the lines of what it means.
fn uses(text: &str) -> String {
    let names = names(&[text]);
    let source = SourceFile::new("a.mesh", text);
    let file = FileId(0);
    let mut shown = String::new();
    for used in &names.file(file).used {
        let line = source.line_of(used.at.start);
        let word = names.file(file).text(used.at);
        let meant = names.meaning(file, used).into_iter().map(|id| {
            let kind = names.declared(id).kind.word();
            format!(
                "{kind} {} ({})",
                names.qualified(id),
                source.line_of(names.span(id).start)
            )
        });
        let meant: Vec<String> = meant.collect();
        let role = match used.role {
            Role::Other => String::new(),
            role => format!(" [{role:?}]"),
        };
        let _ = writeln!(shown, "{line}: {word}{role} -> {}", meant.join(", "));
    }
    shown
}

#[test]
fn a_name_is_looked_up_in_its_own_namespace_first() {
    let shown = uses(
        "\
service ledger { calls pay/ledger; calls ledger-db }
policy calm { timeout 1s }
namespace pay {
  export service ledger { use calm; calls card; authz { allow cart, nobody; deny namespace pay } }
  service card { failover ledger }
}
service cart { use pay/calm }
external ledger-db { }
",
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn in_its_room_a_service_means_its_versions() {
    let shown = uses(
        "\
policy mirrored { mirror 5% v2 }
service a {
  version v1 { }
  version v2 { }
  use mirrored
  route {
    GET /x -> v1 { mirror 1% b.v1 }
    otherwise -> split canary v2, rest self
  }
}
service b { version v1 { } }
service v1 { }
param canary = 10%
gateway g { host * { /a -> a.v2; /v -> v1; otherwise -> a } }
routes g x { /y -> a }
",
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn values_tokens_and_proofs_have_names() {
    let shown = uses(
        "\
param slow = 5s
let office = [10.0.0.0/8]
let qa = header.x == \"qa\" and client-ip in office
jwt corp { }
keys partners { }
service a { timeout slow { connect slow }; retry 2 on 5xx }
gateway g { host h { require jwt corp unless qa; accept key partners; /x when jwt.corp.groups contains \"a\" and source == a -> a } }
assert \"x\" { never a reaches g unless key.partners == \"b\"; every route in g to a requires jwt corp; every route in g has timeout <= slow }
test \"t\" { request GET http://a/x from g { jwt corp { sub \"a\" } }; expect a }
env prod { set param slow = 1s; set service a.timeout = slow }
",
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn what_does_not_parse_has_the_names_that_it_has() {
    let shown = uses("service a { calls b; timeout ] 5 { -> b }\n\nservice b { route { -> \n");
    assert!(shown.contains("b [Call] -> "), "{shown}");
}

#[test]
fn what_is_declared_twice_is_meant_twice() {
    let names = names(&[
        "service a { calls b }\n",
        "service b { }\n",
        "service b { }\n",
    ]);
    let used = names.file(FileId(0)).used[0];
    assert_eq!(names.meaning(FileId(0), &used).len(), 2);
    let declared = names.meaning(FileId(0), &used)[0];
    assert_eq!(names.uses(declared).len(), 1);
}

const TEXT: &str = "\
param slow = 5s
service a { version v1 { }; calls b; route { GET /x -> v1 { mirror 1% n/c.v2 } } }
namespace n {
  export service c { version v2 { }; timeout slow; use calm }
  policy calm { retry 2 on 5xx }
}
service b { authz { allow a; named: deny namespace n } }
gateway g { host x.example { arm: /x -> n/c.v2; otherwise -> a } }
env prod { set param slow = 1s; set service n/c.timeout = slow }
";

proptest! {
    #[test]
    fn names_that_are_read_again_are_those_of_the_new_text(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..30, "[a-z{}\n /;]{0,8}|service z \\{ calls a \\}\n"),
            1..6,
        ),
    ) {
        let mut parsed = parse(FileId(0), TEXT);
        let mut names = FileNames::read(&parsed.tree);
        for (at, len, put) in edits {
            let old = parsed.tree.text().to_owned();
            let start = at.index(old.len() + 1);
            let end = (start + len).min(old.len());
            let new = format!("{}{put}{}", &old[..start], &old[end..]);
            let Some(change) = change(&old, &new) else { continue };
            let again = reparse(&parsed, &new, &change);
            names = names.read_again(&again.parse.tree, &again.read);
            parsed = again.parse;
            let whole = FileNames::read(&parsed.tree);
            prop_assert_eq!(&names.declared, &whole.declared, "{}", new);
            prop_assert_eq!(&names.used, &whole.used, "{}", new);
        }
    }
}
