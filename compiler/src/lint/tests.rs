//! What is found in whole meshes, where a finding has more than one way to come about or not to.

#![allow(clippy::unwrap_used)]

use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use mesh_lang::codes::Code;

fn planned(project: Project, environment: Option<&str>) -> Checked {
    let selection = Selection {
        environment: environment.map(str::to_owned),
        ..Selection::default()
    };
    let mut checked = check(project, &selection);
    checked.plan();
    checked
}

/// The messages of a kind of finding.
fn messages(checked: &Checked, code: Code) -> Vec<&str> {
    let found = checked.diagnostics.iter().filter(|it| it.code == code);
    found.map(|it| it.message.as_str()).collect()
}

fn found_in(text: &str, code: Code) -> Vec<String> {
    let checked = planned(Project::of_texts([("t.mesh", text)]), None);
    let errors = checked.diagnostics.iter().filter(|it| !it.code.is_lint());
    assert_eq!(errors.count(), 0, "{:?}", checked.diagnostics);
    let found = messages(&checked, code).into_iter();
    found.map(str::to_owned).collect()
}

const OPEN: &str = "mesh t { mtls off; authz open-by-default }\n";

#[test]
fn what_one_environment_uses_is_used_in_all() {
    let text = format!(
        "{OPEN}param slow = 9s\nparam fast = 1s\n\
         service a {{ endpoints 127.0.0.1:1; timeout 2s }}\n\
         env dev {{ set service a.timeout = slow }}\n\
         env prod {{ set param fast = 2s }}\n"
    );
    for environment in [None, Some("dev"), Some("prod")] {
        let checked = planned(Project::of_texts([("t.mesh", text.as_str())]), environment);
        let found = messages(&checked, Code::UnusedDecl);
        assert_eq!(found, ["nothing uses `param fast`"], "in {environment:?}");
    }
}

#[test]
fn what_is_imported_need_not_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "common/policies.mesh",
        "policy patient { timeout 9s }\nlet bot = header.a == \"b\"\n",
    );
    write(
        "common/audit.mesh",
        "service audit { endpoints 127.0.0.1:9; calls none }\n",
    );
    write(
        "shop/shop.mesh",
        "import \"../common\"\nmesh t { trust-domain t.example }\nlet own = header.a == \"c\"\n",
    );
    let checked = planned(Project::load(&directory.path().join("shop")).unwrap(), None);
    assert_eq!(
        messages(&checked, Code::UnusedDecl),
        ["nothing uses `let own`"]
    );
    // Fixes are tried on other texts of the same files.
    let project = Project::load(&directory.path().join("shop")).unwrap();
    let sources = project.sources.clone();
    let checked = planned(project.with_sources(sources), None);
    assert_eq!(
        messages(&checked, Code::UnusedDecl),
        ["nothing uses `let own`"]
    );
}

#[test]
fn exports_are_used_from_other_namespaces() {
    let text = format!(
        "{OPEN}namespace a {{
           export service x {{ endpoints 127.0.0.1:1 }}
           export service y {{ endpoints 127.0.0.1:2; calls x }}
           export policy calm {{ timeout 1s }}
           service z {{ endpoints 127.0.0.1:3; calls y; use calm }}
         }}
         namespace b {{ export service u {{ endpoints 127.0.0.1:4; calls a/x }} }}
         gateway edge {{ listen 80 http; host h.example {{ otherwise -> b/u }} }}"
    );
    assert_eq!(
        found_in(&text, Code::UnusedDecl),
        [
            "`y` is exported, and no other namespace uses it",
            "`calm` is exported, and no other namespace uses it"
        ]
    );
}

#[test]
fn a_service_is_used_if_something_leads_to_it_or_it_leads_somewhere() {
    let found = |services: &str| {
        let text = format!("mesh t {{ trust-domain t.example }}\n{services}");
        found_in(&text, Code::UnusedDecl)
    };
    let idle = ["nothing leads to `a`, and `a` leads nowhere"];
    assert_eq!(
        found("service a { endpoints 127.0.0.1:1; calls none }"),
        idle
    );
    assert_eq!(
        found("service a { endpoints 127.0.0.1:1; authz { deny anyone to /x } }"),
        idle
    );
    // Only itself lets it in.
    assert_eq!(
        found("service a { endpoints 127.0.0.1:1; calls none; authz { } }"),
        idle
    );
    let used = [
        "service a { endpoints 127.0.0.1:1; calls none; authz { allow anyone to /x } }",
        "service a { endpoints 127.0.0.1:1 }\n\
         service b { endpoints 127.0.0.1:2; calls none; authz { allow any service to /x } }",
        "service a { endpoints 127.0.0.1:1 }\n\
         service b { endpoints 127.0.0.1:2; calls none; authz { allow namespace default } }",
        "service a { endpoints 127.0.0.1:1; calls b }\n\
         service b { endpoints 127.0.0.1:2; calls none; authz { allow a } }",
        "service a { endpoints 127.0.0.1:1; calls none\n\
         authz external \"http://127.0.0.1:9/check\" { on-failure closed } }",
    ];
    for services in used {
        assert_eq!(found(services), [""; 0], "{services}");
    }
}

#[test]
fn open_by_default_is_told_once_of_what_somebody_may_reach() {
    let found = |mesh: &str| found_in(mesh, Code::OpenService);
    let strict = "mesh t { authz open-by-default }\n\
                  service a { endpoints 127.0.0.1:1; calls none }\n\
                  service b { endpoints 127.0.0.1:2; calls none }\n";
    assert_eq!(found(strict), [""; 0], "nobody calls");
    let one = strict.replace("2; calls none", "2");
    assert_eq!(
        found(&one),
        ["nothing says who may call `a`: everybody may do everything"]
    );
    let off = strict.replace("authz", "mtls off; authz");
    assert_eq!(
        found(&off),
        ["nothing says who may call `a` and `b`: everybody may do everything"]
    );
    let mut many = off;
    for port in 3..9 {
        let service = format!("service s{port} {{ endpoints 127.0.0.1:{port}; calls none }}\n");
        many.push_str(&service);
    }
    assert_eq!(
        found(&many),
        ["nothing says who may call `a`, `b`, `s3`, `s4` and 4 more: everybody may do everything"]
    );
    let said = "mesh t { mtls off; authz open-by-default }\n\
                service a { endpoints 127.0.0.1:1; authz { allow anyone to /x } }\n";
    assert_eq!(found(said), [""; 0]);
}

#[test]
fn sidecars_hold_whoever_lets_them_in_without_naming_them() {
    let found = |rule: &str| {
        let text = format!(
            "mesh t {{ trust-domain t.example }}\n\
             service a {{ endpoints 127.0.0.1:1; authz {{ allow any service to /own }} }}\n\
             service b {{ endpoints 127.0.0.1:2; calls none; authz {{ {rule} }} }}\n\
             namespace n {{ service c {{ endpoints 127.0.0.1:3; calls none; authz {{ allow b to /c }} }} }}\n"
        );
        found_in(&text, Code::ScopeUnbounded)
    };
    let holds = ["nothing says whom `a` calls: its sidecars hold `b`"];
    assert_eq!(found("allow any service"), holds);
    assert_eq!(found("allow namespace default"), holds);
    assert_eq!(found("allow namespace n"), [""; 0]);
    assert_eq!(found("allow a"), [""; 0]);
    assert_eq!(
        found("allow a; allow any service to /x"),
        [""; 0],
        "named besides"
    );
    assert_eq!(found("allow a; deny any service to /x"), [""; 0]);
}

#[test]
fn circles_of_calls_are_told_once_each() {
    let found = |services: &[(&str, &str)]| {
        let mut text = OPEN.to_owned();
        for (port, (name, calls)) in (1..).zip(services) {
            let service =
                format!("service {name} {{ endpoints 127.0.0.1:{port}; calls {calls} }}\n");
            text.push_str(&service);
        }
        let checked = planned(Project::of_texts([("t.mesh", text.as_str())]), None);
        let found = checked
            .diagnostics
            .iter()
            .filter(|it| it.code == Code::CallLoop);
        let ways = found.map(|it| it.notes.join("; "));
        ways.collect::<Vec<String>>()
    };
    assert_eq!(found(&[("a", "b, c"), ("b", "c"), ("c", "none")]), [""; 0]);
    assert_eq!(found(&[("a", "b"), ("b", "a")]), ["the way: a → b → a"]);
    assert_eq!(
        found(&[("a", "a, b"), ("b", "a")]),
        ["the way: a → a; one more service calls into this circle and is called from it"]
    );
    // Two circles, one of which is called from the other.
    assert_eq!(
        found(&[
            ("a", "b"),
            ("b", "a, c"),
            ("c", "d"),
            ("d", "e"),
            ("e", "c")
        ]),
        ["the way: a → b → a", "the way: c → d → e → c"]
    );
}

#[test]
fn copies_multiply_only_where_they_go_on() {
    let found = |mirrors: [&str; 3], calls: &str| {
        let text = format!(
            "{OPEN}gateway edge {{ listen 80 http; host h.example {{ otherwise -> a }} }}\n\
             service a {{ endpoints 127.0.0.1:1; calls b; mirror {} }}\n\
             service b {{ endpoints 127.0.0.1:2; calls c; mirror {} }}\n\
             service c {{ endpoints 127.0.0.1:3; calls none; mirror {} }}\n\
             service next {{ endpoints 127.0.0.1:4; calls {calls} }}\n\
             service sink {{ endpoints 127.0.0.1:5; calls none }}\n",
            mirrors[0], mirrors[1], mirrors[2]
        );
        found_in(&text, Code::MirrorAmplification)
    };
    let full = ["100% next"; 3];
    assert_eq!(
        found(full, "b, c"),
        ["one request becomes 8 by the time it comes to `c`"]
    );
    assert_eq!(found(full, "none"), [""; 0]);
    assert_eq!(
        found(["100% next", "100% next", "10% sink"], "b, c"),
        ["one request becomes 4.4 by the time it comes to `c`"]
    );
    assert_eq!(
        found(["100% next", "100% next", "0.01% sink"], "b, c"),
        [""; 0]
    );
    assert_eq!(
        found(["100% next", "100% next", "off"], "b, c"),
        [""; 0],
        "two hops make four"
    );
    assert_eq!(found(["10% next"; 3], "b, c"), [""; 0]);
    assert_eq!(found(["100% sink"; 3], "b, c"), [""; 0]);
}

#[test]
fn the_ends_of_a_request_are_all_asked_of_a_mirror() {
    let found = |arms: &str, mirror: &str| {
        let text = format!(
            "{OPEN}gateway edge {{ listen 80 http; host h.example {{ {arms} }} }}\n\
             service a {{ endpoints 127.0.0.1:1; calls none; mirror {mirror} }}\n\
             service sink {{ endpoints 127.0.0.1:5; calls none }}\n"
        );
        found_in(&text, Code::MirrorUnsafeMethods)
    };
    let nothing = ["nothing is ever copied to `sink` here"];
    assert_eq!(
        found("POST /x -> a; otherwise -> respond 404", "5% sink"),
        nothing
    );
    assert_eq!(
        found("POST, PURGE /x -> a; PUT /y -> a", "5% sink"),
        nothing
    );
    assert_eq!(found("POST /x -> a; GET /y -> a", "5% sink"), [""; 0]);
    assert_eq!(found("POST /x -> a; /y -> a", "5% sink"), [""; 0]);
    assert_eq!(found("POST /x -> a", "5% sink { methods any }"), [""; 0]);
    // Somebody of whom nothing is known may read.
    let text = "POST /x -> a } }\nservice u { endpoints 127.0.0.1:6 }\ngateway g { listen 81 http; host h.example { POST /x -> a";
    assert_eq!(found(text, "5% sink"), [""; 0]);
}
