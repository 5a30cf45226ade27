//! What is drawn, what is exposed, and where everything is.

use super::layout::layout;
use super::*;
use crate::compile::{Checked, Selection, check};
use crate::project::Project;
use crate::report::{Format, Style, render};
use mesh_bundle::Bundle;
use mesh_bundle::journey;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::fmt::Write as _;

fn compiled(text: &str) -> (Checked, Bundle) {
    let mut checked = check(Project::of_texts([("t.mesh", text)]), &Selection::default());
    let planned = checked.lay_out();
    let report = render(&checked.report(None), Format::Human, Style::PLAIN);
    let planned = planned.unwrap_or_else(|| panic!("{report}\n{text}"));
    let bundle = Bundle::open(planned.bytes).expect("what was planned opens");
    (checked, bundle)
}

fn marked(checked: &Checked, bundle: &Bundle) -> Graph {
    let mesh = checked.mesh.as_ref().expect("a mesh");
    let mut graph = collect(mesh, &checked.sources);
    expose(&mut graph, mesh, &checked.sources, bundle);
    graph
}

fn graph_of(text: &str) -> Graph {
    let (checked, bundle) = compiled(text);
    marked(&checked, &bundle)
}

/// A gateway with these arms before services.
fn of_gateway(arms: &str, services: &str) -> String {
    format!(
        "mesh t {{ }}
         jwt staff {{ issuer \"https://a.example\"; jwks file \"j\" }}
         jwt guest {{ issuer \"https://b.example\"; jwks file \"j\"; from cookie guest }}
         keys partner {{ file \"k\"; from header x-key }}
         gateway edge {{
           listen 443 https {{ certificate \"a\" key \"b\"; client-ca \"c\" optional }}
           trusted-proxies none
           host shop.example {{ {arms} }}
         }}
         {services}"
    )
}

fn behind(arms: &str, services: &str) -> Graph {
    graph_of(&of_gateway(arms, services))
}

fn exposure<'g>(graph: &'g Graph, service: &str) -> &'g Exposure {
    let id = graph.find(&format!("service:{service}"));
    let id = id.unwrap_or_else(|| panic!("no {service}"));
    graph[id].exposure.as_ref().expect("it was asked for")
}

/// `open, 1 hop`.
fn short(graph: &Graph, service: &str) -> String {
    exposure(graph, service).in_short()
}

/// The edges of a kind, as `from to: label`.
fn edges(graph: &Graph, kind: EdgeKind) -> Vec<String> {
    let edges = graph.edges.iter().filter(|edge| edge.kind == kind);
    edges
        .map(|edge| {
            let (from, to) = (&graph[edge.from].id, &graph[edge.to].id);
            format!("{from} {to}: {}", edge.label(60))
        })
        .collect()
}

const APP: &str = "service app { endpoints 127.0.0.1:1; calls none; authz { allow edge } }";

fn app(rules: &str) -> String {
    format!("service app {{ endpoints 127.0.0.1:1; calls none; authz {{ {rules} }} }}")
}

#[test]
fn a_host_sends_to_services_and_versions() {
    let graph = behind(
        "GET /a/** -> app; /b -> split 90% app.v1, 10% app.v2; otherwise -> respond 404",
        "service app {
           endpoints 127.0.0.1:1; calls none; authz { allow edge }
           version v1 { endpoints 127.0.0.1:2 }
           version v2 { endpoints 127.0.0.1:3 }
         }",
    );
    assert_eq!(
        edges(&graph, EdgeKind::Route),
        [
            "host:edge:shop.example service:app: GET /a/**",
            "host:edge:shop.example version:app.v1: 90% /b",
            "host:edge:shop.example version:app.v2: 10% /b",
        ]
    );
    let host = graph.find("host:edge:shop.example").expect("it is drawn");
    assert_eq!(graph[host].lines, ["otherwise -> respond 404"]);
}

#[test]
fn a_call_carries_what_the_rules_let_in_of_this_caller() {
    let graph = behind(
        "/** -> app",
        "service app { endpoints 127.0.0.1:1; calls data, log; authz { allow edge } }
         service data {
           endpoints 127.0.0.1:2; calls none
           authz { allow app to GET /rows/**, /tables; deny anyone to /tables; allow log }
         }
         service log { endpoints 127.0.0.1:3; calls none; authz { allow any service } }",
    );
    assert_eq!(
        edges(&graph, EdgeKind::Calls),
        [
            "service:app service:data: GET /rows/**, /tables",
            "service:app service:log: anything",
        ]
    );
    assert_eq!(edges(&graph, EdgeKind::Admitted), Vec::<String>::new());
}

#[test]
fn who_says_of_nobody_whom_it_calls_may_call_whatever_lets_it_in() {
    let graph = graph_of(
        "mesh t { }
         service a { endpoints 127.0.0.1:1; authz { deny anyone } }
         service b { endpoints 127.0.0.1:2; authz { deny anyone } }
         service by-name { endpoints 127.0.0.1:3; calls none; authz { allow a } }
         service by-all { endpoints 127.0.0.1:4; calls none; authz { allow any service; deny b } }
         service none { endpoints 127.0.0.1:5; calls none; authz { allow a; deny a } }",
    );
    assert_eq!(
        edges(&graph, EdgeKind::Admitted),
        [
            "service:a service:by-name: anything",
            "any-service service:by-all: anything",
        ]
    );
}

#[test]
fn copies_and_stand_ins_are_drawn() {
    let graph = behind(
        "/** -> app { mirror 5% shadow }",
        "service app {
           endpoints 127.0.0.1:1; calls none; authz { allow edge }
           eject after 5 errors; failover spare
         }
         service shadow { endpoints 127.0.0.1:2; calls none; authz { allow edge } }
         service spare { endpoints 127.0.0.1:3; calls none; authz { allow edge } }
         service hidden { endpoints 127.0.0.1:4; calls none; authz { allow app } }",
    );
    let mirror = edges(&graph, EdgeKind::Mirror);
    assert_eq!(mirror, ["host:edge:shop.example service:shadow: 5% /**"]);
    let failover = edges(&graph, EdgeKind::Failover);
    assert_eq!(failover, ["service:app service:spare: "]);
    for service in ["app", "shadow", "spare"] {
        assert_eq!(short(&graph, service), "open, 1 hop", "{service}");
    }
    assert_eq!(short(&graph, "hidden"), "not exposed");
    assert_eq!(exposure(&graph, "shadow").way[0].to, "shadow (mirrored)");
}

#[test]
fn what_the_arm_lets_through_has_to_be_what_the_rules_let_in() {
    let graph = behind("/a/** -> app", &app("allow edge to GET /a/b, /c"));
    assert_eq!(short(&graph, "app"), "open, 1 hop");
    let way = &exposure(&graph, "app").way[0];
    assert_eq!(way.example, "GET https://shop.example/a/b");
    assert_eq!(way.by.as_deref(), Some("t.mesh:8"));
    let graph = behind("/a/** -> app", &app("allow edge to GET /b/**"));
    assert_eq!(short(&graph, "app"), "not exposed");
    let graph = behind("GET /a/** -> app", &app("allow edge to POST /a/**"));
    assert_eq!(short(&graph, "app"), "not exposed");
    let graph = behind("/a/** -> app", &app("allow edge; deny anyone to /a/**"));
    assert_eq!(short(&graph, "app"), "not exposed");
}

#[test]
fn an_arm_above_takes_what_the_rules_would_let_in() {
    let services = app("allow edge to GET /a/b");
    let graph = behind("/a/b -> respond 404; /a/** -> app", &services);
    assert_eq!(short(&graph, "app"), "not exposed");
}

#[test]
fn the_least_that_a_client_has_to_bring_is_told() {
    let require = |rules: &str| short(&behind("require jwt staff; /** -> app", &app(rules)), "app");
    assert_eq!(require("allow edge"), "behind a token of staff, 1 hop");
    let rules = |rules: &str| {
        let arms = "accept jwt staff; accept jwt guest; accept key partner; /** -> app";
        short(&behind(arms, &app(rules)), "app")
    };
    assert_eq!(
        rules("allow edge when jwt.staff or key.partner present"),
        "behind a token of staff, 1 hop"
    );
    assert_eq!(
        rules("allow edge when jwt.staff and key.partner present"),
        "behind a token of staff and a key of partner, 1 hop"
    );
    assert_eq!(
        rules("allow edge when jwt.guest.role == \"x\""),
        "behind a token of guest, 1 hop"
    );
    assert_eq!(
        rules("allow edge when client-cert.san == \"a\""),
        "behind a client certificate, 1 hop"
    );
    assert_eq!(
        rules("allow edge when header.x-team == \"qa\""),
        "behind header x-team, 1 hop"
    );
    assert_eq!(
        rules("allow edge unless header.x-team == \"qa\""),
        "open, 1 hop"
    );
    assert_eq!(
        rules(
            "allow edge when jwt.staff; allow edge to GET /open when jwt.guest or header.x present"
        ),
        "behind header x, 1 hop"
    );
}

#[test]
fn a_requirement_with_a_condition_leaves_the_rest_open() {
    let arms = "require jwt staff unless path == /login; /** -> app";
    assert_eq!(short(&behind(arms, APP), "app"), "open, 1 hop");
    let graph = behind(arms, &app("allow edge to POST /orders"));
    assert_eq!(short(&graph, "app"), "behind a token of staff, 1 hop");
}

#[test]
fn a_host_has_rules_of_its_own() {
    let arms = |rules: &str| format!("authz {{ {rules} }} /** -> app");
    let graph = behind(&arms("allow anyone to /a; deny anyone to /a/**"), APP);
    assert_eq!(short(&graph, "app"), "not exposed");
    let graph = behind(&arms("allow anyone when header.x present"), APP);
    assert_eq!(short(&graph, "app"), "behind header x, 1 hop");
}

#[test]
fn what_is_rewritten_is_followed_where_the_code_that_decides_confirms_it() {
    let arms = "/api/** -> app { rewrite prefix \"/v1\" }";
    let graph = behind(arms, &app("allow edge to POST /v1/list/**"));
    assert_eq!(short(&graph, "app"), "open, 1 hop");
    let example = &exposure(&graph, "app").way[0].example;
    assert_eq!(example, "POST https://shop.example/api/list");
    let graph = behind(arms, &app("allow edge to GET /v2/**"));
    let exposure = exposure(&graph, "app");
    assert_eq!(exposure.reached, Exposed::NotDecided);
    let reason = exposure.not_decided.as_deref();
    assert_eq!(reason, Some("the path is rewritten at t.mesh:8"));
    let arms = "/a -> app { request-header set x-via \"edge\" }";
    let graph = behind(arms, &app("allow edge when header.x-via == \"edge\""));
    assert_eq!(short(&graph, "app"), "open, 1 hop");
}

#[test]
fn a_host_is_one_that_belongs_to_its_block() {
    let gateway = |hosts: &str, rules: &str| {
        let graph = graph_of(&format!(
            "mesh t {{ }}
             gateway edge {{ listen 443 https {{ certificate \"a\" key \"b\" }} {hosts} }}
             {}",
            app(rules)
        ));
        exposure(&graph, "app").reached
    };
    let hosts = "host *.a.example { /** -> app } host x.a.example { /** -> respond 404 }";
    let on = |host: &str| gateway(hosts, &format!("allow edge when host == \"{host}\""));
    assert_eq!(on("y.a.example"), Exposed::Open);
    assert_eq!(on("x.a.example"), Exposed::Not);
    assert_eq!(on("y.b.example"), Exposed::Not);
}

#[test]
fn what_is_not_decided_is_told() {
    // The twelfth letter from the end is one of three; to see that it is no other, the last twelve are remembered.
    let rules = "deny anyone when path matches r\".*a.{11}\"; deny anyone when path matches r\".*b.{11}\"; \
                 deny anyone when path matches r\".*c.{11}\"; allow edge when path matches r\"/[abc]{14}[abc]*\"";
    let caller = "service caller { endpoints 127.0.0.1:2; calls app; authz { deny anyone } }";
    let to_caller = rules.replace("allow edge", "allow caller");
    let graph = behind("/** -> app", &app(rules));
    assert_eq!(short(&graph, "app"), "not decided");
    assert!(exposure(&graph, "app").not_decided.is_some());
    let graph = behind("/** -> app", &format!("{} {caller}", app(&to_caller)));
    let calls = edges(&graph, EdgeKind::Calls);
    assert!(
        calls[0].starts_with("service:caller service:app: not decided: "),
        "{calls:?}"
    );
}

#[test]
fn routes_lead_on() {
    let services = "
        service front {
          endpoints 127.0.0.1:1; calls none; authz { allow edge to /front }
          route { /old/** -> back; otherwise -> self }
        }
        service back { endpoints 127.0.0.1:2; calls none; authz { allow edge to GET /old/x } }";
    let graph = behind("/** -> front", services);
    assert_eq!(short(&graph, "front"), "open, 1 hop");
    assert_eq!(short(&graph, "back"), "open, 1 hop");
    let graph = behind("/new/** -> front; /front -> front", services);
    assert_eq!(short(&graph, "back"), "not exposed");
}

#[test]
fn hops_go_through_calls_that_are_let_in_and_around_circles() {
    let services = "
        service app { endpoints 127.0.0.1:1; calls a; authz { allow edge, b } }
        service a { endpoints 127.0.0.1:2; calls b, c; authz { allow app to POST /in when jwt.staff } }
        service b { endpoints 127.0.0.1:3; calls app; authz { allow a } }
        service c { endpoints 127.0.0.1:4; calls none; authz { allow b } }";
    let graph = behind("/** -> app", services);
    assert_eq!(short(&graph, "app"), "open, 1 hop");
    assert_eq!(short(&graph, "a"), "behind a token of staff, 2 hops");
    assert_eq!(short(&graph, "b"), "behind a token of staff, 3 hops");
    assert_eq!(short(&graph, "c"), "not exposed");
}

#[test]
fn connections_come_in_too() {
    let graph = graph_of(
        "mesh t { }
         gateway edge { listen 5432 tcp -> db; listen 80 http { redirect https }; listen 443 https { certificate \"a\" key \"b\" } }
         service db { protocol tcp; endpoints 127.0.0.1:1; calls none; authz { allow edge } }
         service other { protocol tcp; endpoints 127.0.0.1:2; calls none; authz { deny anyone } }",
    );
    assert_eq!(short(&graph, "db"), "open, 1 hop");
    assert_eq!(short(&graph, "other"), "not exposed");
    let db = graph.find("service:db").expect("it is drawn");
    assert_eq!(graph[db].kind, NodeKind::Tcp);
}

/// Services that call others, also in circles.
fn many(count: usize) -> Graph {
    let mut text = "mesh t { mtls off; authz open-by-default }\n".to_owned();
    for number in 0..count {
        let callees = [number * 7 + 3, number * 5 + 1, number + 1].map(|it| it % count);
        let callees = callees.iter().filter(|callee| **callee != number);
        let mut callees: Vec<String> = callees.map(|callee| format!("s{callee}")).collect();
        callees.sort();
        callees.dedup();
        let callees = callees.join(", ");
        let _ = writeln!(
            text,
            "service s{number} {{ endpoints 127.0.0.1:1; calls {callees} }}"
        );
    }
    graph_of(&text)
}

#[test]
fn no_box_lies_on_another_and_each_edge_has_a_line() {
    for count in [2, 12, 300] {
        let graph = many(count);
        let layout = layout(&graph);
        assert_eq!(layout.lines.len(), graph.edges.len());
        for (index, a) in layout.boxes.iter().enumerate() {
            assert!(a.x >= 0.0 && a.x + a.width <= layout.width);
            assert!(a.y >= 0.0 && a.y + a.height <= layout.height);
            for b in &layout.boxes[index + 1..] {
                let apart = a.x + a.width <= b.x
                    || b.x + b.width <= a.x
                    || a.y + a.height <= b.y
                    || b.y + b.height <= a.y;
                assert!(apart, "{count}: {a:?} {b:?}");
            }
        }
        for line in &layout.lines {
            let edge = &graph.edges[line.edge];
            let of = |id: NodeId| {
                let mut boxes = layout.boxes.iter();
                boxes.find(|it| it.node == id).expect("a box")
            };
            let (from, to) = (of(edge.from), of(edge.to));
            let begin = line.pieces[0][0];
            let end = line.pieces[line.pieces.len() - 1][1];
            for ((x, y), of) in [(begin, from), (end, to)] {
                let at_side = (x - of.x).abs() < 0.1 || (x - of.x - of.width).abs() < 0.1;
                assert!(
                    at_side && y >= of.y && y <= of.y + of.height,
                    "{line:?} {of:?}"
                );
            }
        }
    }
}

#[test]
fn labels_do_not_cover_each_other() {
    let graph = many(12);
    let layout = layout(&graph);
    let labels: Vec<_> = layout
        .lines
        .iter()
        .filter_map(|line| line.label.as_ref())
        .collect();
    for (index, a) in labels.iter().enumerate() {
        for b in &labels[index + 1..] {
            assert!(
                (a.x - b.x).abs() > 1.0 || (a.y - b.y).abs() >= 12.0,
                "{a:?} {b:?}"
            );
        }
    }
}

#[test]
fn the_same_mesh_makes_the_same_picture() {
    assert_eq!(svg(&many(40)), svg(&many(40)));
}

#[test]
fn an_empty_mesh_has_a_picture() {
    let graph = graph_of("mesh t { }");
    assert!(svg(&graph).contains("</svg>"));
    assert!(html(&graph).contains("</html>"));
    assert_eq!(dot(&graph).matches("->").count(), 0);
}

#[test]
fn a_label_that_is_too_long_is_cut() {
    let carried = |text: &str| Carried {
        text: text.to_owned(),
        share: None,
        place: None,
        rule: None,
    };
    let edge = |texts: &[&str]| Edge {
        from: NodeId(0),
        to: NodeId(1),
        kind: EdgeKind::Route,
        carries: texts.iter().map(|text| carried(text)).collect(),
    };
    assert_eq!(edge(&["GET /a", "/b"]).label(20), "GET /a, /b");
    assert_eq!(
        edge(&["GET /a-long-one", "/b", "/c"]).label(12),
        "GET /a-l… +2"
    );
    assert_eq!(edge(&["GET /a-long-one"]).label(8), "GET /a-…");
}

/// An arm, or a rule behind its `allow edge`: methods, paths and a condition.
fn asks() -> impl Strategy<Value = String> {
    let methods = subsequence(vec!["GET", "POST"], 0..2);
    let paths = vec!["/a", "/a/**", "/a/b", "/*/b", "/**/b", "/{p}.css", "/**"];
    let paths = subsequence(paths, 1..3);
    let condition = select(vec![
        "",
        "",
        " when header.t == \"1\"",
        " when header.t absent",
        " when jwt.staff",
        " when jwt.staff and header.t present",
    ]);
    (methods, paths, condition).prop_map(|(methods, paths, condition)| {
        let what = format!("{} {}", methods.join(", "), paths.join(", "));
        format!("{}{condition}", what.trim_start())
    })
}

/// What comes of requests that a client may send: whether one that brings nothing arrives, and whether any does.
fn tried(bundle: &Bundle) -> (bool, bool) {
    let entry = journey::entrance(bundle, "https", "shop.example", None).expect("a gateway");
    let mut plain = false;
    let mut any = false;
    for path in [
        "/", "/a", "/a/", "/a/b", "/c/b", "/a/b/c", "/a/c/b", "/x.css", "/v/b",
    ] {
        for (method, header, token) in [
            ("GET", "", false),
            ("POST", "", false),
            ("PUT", "", false),
            ("GET", "1", false),
            ("POST", "2", false),
            ("GET", "", true),
            ("POST", "", true),
            ("GET", "1", true),
            ("POST", "1", true),
        ] {
            let mut request = journey::Request::new(method, "shop.example", path);
            if !header.is_empty() {
                request.headers.push(("t".to_owned(), header.to_owned()));
            }
            if token {
                request.tokens.push((0, Vec::new()));
            }
            let journey = journey::of(bundle, entry, &request);
            let arrives = journey.branches.iter().any(|it| it.end.arrival().is_some());
            any |= arrives;
            plain |= arrives && header.is_empty() && !token;
        }
    }
    (plain, any)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// What some client reaches is marked as that, and as open if it takes nothing.
    #[test]
    fn what_a_client_reaches_is_exposed(
        arms in prop::collection::vec(asks(), 1..4),
        rules in prop::collection::vec(asks(), 1..3),
        denied in asks(),
        rewrite in select(vec!["", "", " { rewrite path \"/a/b\" }"]),
    ) {
        let arms: Vec<String> = arms.iter().map(|arm| format!("{arm} -> app{rewrite}")).collect();
        let rules: Vec<String> = rules.iter().map(|rule| format!("allow edge to {rule}")).collect();
        let text = of_gateway(
            &format!("accept jwt staff; {}", arms.join("; ")),
            &app(&format!("{}; deny anyone to {denied}", rules.join("; "))),
        );
        let (checked, bundle) = compiled(&text);
        let (plain, any) = tried(&bundle);
        let graph = marked(&checked, &bundle);
        let exposure = exposure(&graph, "app");
        match exposure.reached {
            Exposed::Open => {}
            Exposed::Behind => {
                let unsure = exposure.not_decided.is_some() && !rewrite.is_empty();
                prop_assert!(!plain || unsure, "{}\n{:?}", text, exposure);
            }
            Exposed::Not => prop_assert!(!any, "{}\n{:?}", text, exposure),
            Exposed::NotDecided => prop_assert!(!rewrite.is_empty(), "{}\n{:?}", text, exposure),
        }
    }
}
