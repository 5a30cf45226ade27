//! Whole files as people write them: they parse and check without a finding, and are what they look
//! like.
#![allow(clippy::unwrap_used)]

use mesh_lang::parser::{Parse, parse};
use mesh_lang::source::FileId;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::view::{Item, Statement};
use mesh_lang::vocabulary;

/// Parses a file that has nothing wrong with it.
fn clean(text: &str) -> Parse {
    let parse = parse(FileId(0), text);
    let checked = vocabulary::check(&parse.tree);
    let messages: Vec<_> = parse
        .diagnostics
        .iter()
        .chain(&checked)
        .map(|it| (&it.message, it.span().unwrap().text(text)))
        .collect();
    assert!(messages.is_empty(), "{messages:?}");
    parse
}

/// The items of a file as "word name".
fn items(parse: &Parse) -> Vec<String> {
    parse
        .tree
        .items()
        .map(|item| match item {
            Item::Import(import) => format!("import {}", import.path().unwrap().raw()),
            Item::Param(param) => format!("param {}", param.name().unwrap().text),
            Item::Let(binding) => format!("let {}", binding.name().unwrap().text),
            Item::Block(item) => {
                let names: Vec<_> = match item.title() {
                    Some(title) => vec![title.raw()],
                    None => item.names().map(|name| name.text).collect(),
                };
                format!("{} {}", item.kind().word(), names.join(" "))
            }
        })
        .collect()
}

/// How many nodes of this kind a file has.
fn count(parse: &Parse, kind: SyntaxKind) -> usize {
    let nodes = parse.tree.root().descendants();
    nodes.filter(|node| node.kind() == kind).count()
}

#[test]
fn a_mesh_with_its_policies_tokens_and_environments() {
    let parse = clean(include_str!("fixtures/mesh.mesh"));
    assert_eq!(
        items(&parse),
        [
            "param canary",
            "let office",
            "let qa",
            "mesh bookinfo",
            "policy patient",
            "jwt corp",
            "keys partners",
            "env prod"
        ]
    );
    assert_eq!(count(&parse, SyntaxKind::Set), 2);
    assert_eq!(count(&parse, SyntaxKind::Setting), 17);
}

#[test]
fn services_with_versions_routes_and_rules() {
    let parse = clean(include_str!("fixtures/services.mesh"));
    assert_eq!(
        items(&parse),
        ["service reviews", "external stripe", "service ledger-db"]
    );
    assert_eq!(count(&parse, SyntaxKind::Arm), 4);
    assert_eq!(count(&parse, SyntaxKind::Rule), 5);
    let reviews = parse.tree.items().next().unwrap();
    let doc: Vec<_> = reviews.doc().collect();
    assert_eq!(doc, ["Book reviews, three versions."]);
    let block = Statement::Item(reviews).block().unwrap();
    assert_eq!(block.settings("version").count(), 3);
    assert_eq!(block.settings("calls").count(), 2);
}

#[test]
fn a_gateway_with_listeners_and_hosts() {
    let parse = clean(include_str!("fixtures/gateway.mesh"));
    assert_eq!(items(&parse), ["gateway edge"]);
    assert_eq!(count(&parse, SyntaxKind::Arm), 7);
    assert_eq!(count(&parse, SyntaxKind::Redirect), 1);
    assert_eq!(count(&parse, SyntaxKind::Respond), 3);
}

#[test]
fn a_fragment_in_a_namespace() {
    let parse = clean(include_str!("fixtures/fragment.mesh"));
    assert_eq!(items(&parse), ["namespace reviews-team"]);
    assert_eq!(count(&parse, SyntaxKind::Routes), 1);
    assert_eq!(count(&parse, SyntaxKind::Arm), 1);
}

#[test]
fn assertions_and_tests() {
    let parse = clean(include_str!("fixtures/proofs.mesh"));
    assert_eq!(items(&parse).len(), 4);
    assert_eq!(count(&parse, SyntaxKind::Claim), 4);
    assert_eq!(count(&parse, SyntaxKind::EveryRoute), 2);
    assert_eq!(count(&parse, SyntaxKind::Request), 3);
    assert_eq!(count(&parse, SyntaxKind::Expect), 3);
}

#[test]
fn single_statements_that_the_larger_files_do_not_have() {
    clean(
        r#"import "../common"
export service ledger {
  sidecar none
  tls verify ledger.internal
  mtls permissive
  endpoints 127.0.0.1:9081 via 127.0.0.1:19081
  authz shadow { allow ledger }
  authz external "http://127.0.0.1:9191/check" { timeout 200ms; on-failure closed }
  max-body off
  compress
  buffer 64KiB
  limits off
}
service search {
  endpoints kubernetes ns/name:9080
  route {
    checkout-writes: POST /cart/** -> cart
    "/a;b/**", /{name}.json, /v{n}, /x/*/y, /**/info -> v1 {
      mirror 5% v3 { methods any }
      fault 1% delay 2s until 2026-12-01
      fault 1% abort 503
      rewrite prefix "/"
      rewrite host search.internal
      request-header set x-a "b"
      response-header remove server
      accept key partners
      retry 1 on grpc unavailable, 503 { methods any }
    }
    when jwt.corp["https://a.example/roles"] contains "admin"
      and header["X_Y"] absent
    -> v2
  }
  rate-limit shared 1000/s { on-failure open }
}
namespace payments {
  authz { deny namespace sandbox }
  limits { requests 10 }
  rate-limit 100/s
}
"#,
    );
}
