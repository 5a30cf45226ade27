//! The tables of whole meshes, and what is said of them.

use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use mesh_lang::diagnostic::Diagnostic;

const HEAD: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n\
    service shop { endpoints 127.0.0.1:9000 }\n\
    service api { endpoints 127.0.0.1:9001 }\n";

fn checked(text: &str) -> Checked {
    let text = format!("{HEAD}{text}");
    let project = Project::of_texts([("t.mesh", text.as_str())]);
    check(project, &Selection::default())
}

/// The errors of a mesh: code, and the texts of the places involved.
fn reported(text: &str) -> Vec<String> {
    let mut checked = checked(text);
    checked.plan();
    let place = |it: &Diagnostic| {
        let labels = it
            .labels
            .iter()
            .map(|label| checked.sources.text(label.span));
        format!("{} {}", it.code, labels.collect::<Vec<_>>().join(" | "))
    };
    let errors = checked.diagnostics.iter().filter(|it| !it.code.is_lint());
    errors.map(place).collect()
}

/// The same of the arms of a host.
fn of_host(arms: &str) -> Vec<String> {
    reported(&format!(
        "gateway edge {{ listen 80 http; trusted-proxies none; host shop.example {{\n{arms}\n}} }}"
    ))
}

#[test]
fn an_arm_that_is_several_in_the_bundle_is_one_in_the_report() {
    let found = of_host(
        "/a/**, /b/c/** -> redirect 301 { prefix \"/x\" }
         /b/c/d         -> shop
         /a/b, /e       -> shop
         otherwise      -> shop",
    );
    assert_eq!(found, ["E0301 /b/c/d | /a/**, /b/c/**"]);
}

#[test]
fn every_error_is_reported_in_one_run() {
    let found = of_host(
        "/a -> nobody
         /b -> shop
         /b -> api
         /c when header.x == \"1\" and header.x == \"2\" -> api",
    );
    assert_eq!(
        found,
        [
            "E0222 nobody",
            "E0301 /b | /b",
            "E0310 header.x == \"1\" | header.x == \"2\"",
        ]
    );
}

#[test]
fn requests_of_other_blocks_and_listeners_do_not_come_to_a_table() {
    let found = reported(
        "service db { protocol tcp; endpoints 127.0.0.1:5432 }
         gateway edge {
           listen 80 http { redirect https }
           listen 443 https { certificate \"a\" key \"b\" }
           listen 5432 tcp -> db
           trusted-proxies none
           host *.shop.example {
             when host == a.shop.example   -> shop
             when host == b.shop.example   -> shop
             when host == *.x.shop.example -> shop
             when scheme == http           -> shop
             when port in [5432, 80]       -> shop
             when client-ip in [10.0.0.0/8] and source.ip not in [10.0.0.0/8] -> shop
             when port == 443              -> shop
           }
           host a.shop.example, *.x.shop.example { otherwise -> shop }
         }",
    );
    assert_eq!(
        found,
        [
            "E0310 host == a.shop.example",
            "E0310 host == *.x.shop.example",
            "E0310 scheme == http",
            "E0310 port in [5432, 80]",
            "E0310 client-ip in [10.0.0.0/8] | source.ip not in [10.0.0.0/8]",
        ]
    );
}

#[test]
fn who_calls_a_service_is_known() {
    let found = reported(
        "namespace payments { service ledger { endpoints 127.0.0.1:9002 } }
         gateway edge { listen 80 http; host * { otherwise -> reviews } }
         service reviews {
           endpoints 127.0.0.1:9003
           route {
             when source == edge or source == shop    -> self
             when source == payments/ledger           -> self
             when source.namespace == payments        -> self
             when source in [api, reviews]            -> self
             when source absent                       -> self
           }
         }",
    );
    assert_eq!(
        found,
        [
            "E0301 when source.namespace == payments | when source == payments/ledger",
            "E0310 source absent",
        ]
    );
}

#[test]
fn an_arm_is_moved_with_its_comments_and_lines() {
    let text = "gateway edge { listen 80 http; host shop.example {
    # The interface.
    /api/** -> api

    # Not with it.

    ## Orders.
    # By themselves.
    POST /api/orders -> shop {   # a block
      timeout 2s
    } # with an end

    otherwise -> shop
  } }
";
    let mut checked = checked(text);
    checked.plan();
    let [diagnostic] = &checked.diagnostics[..] else {
        panic!("{:?}", checked.diagnostics)
    };
    let [fix] = &diagnostic.fixes[..] else {
        panic!("{diagnostic:?}")
    };
    let mut fixed = format!("{HEAD}{text}");
    for edit in fix.edits.iter().rev() {
        fixed.replace_range(edit.span.range(), &edit.replacement);
    }
    let expected = "gateway edge { listen 80 http; host shop.example {
    ## Orders.
    # By themselves.
    POST /api/orders -> shop {   # a block
      timeout 2s
    } # with an end
    # The interface.
    /api/** -> api

    # Not with it.


    otherwise -> shop
  } }
";
    assert_eq!(&fixed[HEAD.len()..], expected);
}

#[test]
fn an_arm_is_not_moved_where_that_is_no_simple_edit() {
    let fixes = |arms: &str| {
        let text = format!("gateway edge {{ listen 80 http; host * {{ {arms} }} }}");
        let mut checked = checked(&text);
        checked.plan();
        let found = checked.diagnostics.iter();
        found.map(|it| it.fixes.len()).collect::<Vec<_>>()
    };
    assert_eq!(fixes("/a/** -> api; /a/b -> shop; otherwise -> api"), [0]);
    assert_eq!(fixes("/a/** -> api\n /a/b -> shop; otherwise -> api"), [0]);
    assert_eq!(
        fixes("\n/a/** -> api\n/a/b -> shop\notherwise -> api\n"),
        [1]
    );
    // Moved, it would take all that the other takes.
    assert_eq!(fixes("\n/a -> api\n/a -> shop\notherwise -> api\n"), [0]);
}
