//! The whole way of requests, as the bundle decides it.

#![allow(clippy::unwrap_used)]

use mesh_bundle::Bundle;
use mesh_bundle::format::Id;
use mesh_bundle::journey::{self, Branch, End, Entry, Held, Request, Step};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use meshc::report::{Format, Style, render};

const SHOP: &str = r#"
mesh shop { }

jwt corp { issuer "https://login.example/"; jwks file "jwks.json" }

gateway edge {
  listen 8080 http { redirect https }
  listen 8443 https { certificate "tls.crt" key "tls.key" }
  request-header set x-tier "gateway"
  host shop.example {
    require jwt corp when path == /admin/**
    GET /api/**        -> cart { rewrite prefix "/v1"; request-header set x-api "1"; request-header set x-tier "arm" }
    /up/x{a}/x         -> cart { rewrite path "/{a}/y" }
    GET /admin/**      -> desk
    GET /old/**        -> redirect 301 { prefix "/new" }
    GET /teapot        -> respond 418 "short and stout"
    /open/**           -> stock
  }
  host *.shop.example {
    authz { deny anyone to /secret/**; allow anyone }
    /secret/**  -> cart
    otherwise   -> cart
  }
}

service cart {
  endpoints 127.0.0.1:9001
  version a { endpoints 127.0.0.1:9002 }
  version b { endpoints 127.0.0.1:9003 }
  route {
    GET /v1/list/** when header.x-tier == "arm" -> split 90% a, 10% desk
    /v1/to-b/**                                 -> b { rewrite path "/b" }
  }
  authz {
    allow edge to GET /v1/**, /b, /
    allow desk
  }
}
service desk {
  endpoints 127.0.0.1:9004
  calls cart
  route { /v1/** -> split 50% cart.a, 50% cart.b; otherwise -> self }
  authz { allow edge when jwt.corp.groups contains "staff" or path == /v1/** }
}
service stock {
  endpoints 127.0.0.1:9005
  mtls off
  calls none
  authz { deny anyone to /open/closed unless header.x-ok present; allow anyone }
}
"#;

fn bundle(text: &str) -> Bundle {
    let project = Project::of_texts([("shop.mesh", text)]);
    let mut checked = check(project, &Selection::default());
    // Some of what these meshes say is there to be refused, and would be found to be.
    let planned = checked.lay_out();
    let found = render(&checked.report(None), Format::Plain, Style::PLAIN);
    assert!(!checked.has_errors(), "{found}");
    Bundle::open(planned.unwrap().bytes).unwrap()
}

/// "reviews.v2 90%", or the status and what is said with it; one for each way that is taken.
fn ends(bundle: &Bundle, branches: &[Branch]) -> String {
    let end = |branch: &Branch| {
        let share = match branch.share {
            1_000_000 => String::new(),
            share => format!(" {}%", f64::from(share) / 10_000.0),
        };
        let end = match &branch.end {
            End::Arrived(to) => {
                let service = bundle.str(bundle.service(to.service).name);
                let version = to
                    .version
                    .some()
                    .map(|version| bundle.version(version).name);
                match version {
                    Some(version) => format!("{service}.{}", bundle.str(version)),
                    None => service.to_owned(),
                }
            }
            End::Redirected {
                status, location, ..
            } => format!("{status} {location}"),
            End::Egress => "egress".to_owned(),
            end => end.status().unwrap().to_string(),
        };
        format!("{end}{share}")
    };
    let ends: Vec<String> = branches.iter().map(end).collect();
    ends.join(", ")
}

/// What becomes of a request from outside.
fn outside(bundle: &Bundle, scheme: &str, request: &Request) -> String {
    let entry = journey::entrance(bundle, scheme, &request.host, None).unwrap();
    ends(bundle, &journey::of(bundle, entry, request).branches)
}

fn get(bundle: &Bundle, path: &str) -> String {
    outside(bundle, "https", &Request::new("GET", "shop.example", path))
}

/// What becomes of a request of a service.
fn inside(bundle: &Bundle, from: &str, request: &Request) -> String {
    let services = bundle.services().iter();
    let caller = { services }.position(|it| bundle.str(it.name) == from);
    let entry = Entry::Sidecar(Id::new(caller.unwrap() as u32));
    ends(bundle, &journey::of(bundle, entry, request).branches)
}

#[test]
fn a_gateway_decides_as_it_is_written() {
    let bundle = bundle(SHOP);
    let plain = Request {
        query: Some("a=1".to_owned()),
        ..Request::new("GET", "shop.example", "/x")
    };
    assert_eq!(
        outside(&bundle, "http", &plain),
        "308 https://shop.example:8443/x?a=1"
    );
    assert_eq!(get(&bundle, "/teapot"), "418");
    assert_eq!(
        get(&bundle, "/old/a"),
        "301 https://shop.example:8443/new/a"
    );
    assert_eq!(get(&bundle, "/nothing"), "404");
    assert_eq!(get(&bundle, "/../x"), "400");
    let unknown = Request::new("GET", "other.example", "/");
    assert_eq!(outside(&bundle, "https", &unknown), "404");
}

#[test]
fn routes_of_services_see_what_the_gateway_sends() {
    let bundle = bundle(SHOP);
    // `x-tier` of the arm counts above that of the gateway, and the prefix is replaced before.
    assert_eq!(
        get(&bundle, "/api/list/1"),
        "cart.a 90%, cart.a 5%, cart.b 5%"
    );
    assert_eq!(get(&bundle, "/api/other"), "cart");
    assert_eq!(get(&bundle, "/list/1"), "404");
}

#[test]
fn a_service_judges_what_arrives() {
    let bundle = bundle(SHOP);
    // Rewritten to /b by the arm of the service.
    assert_eq!(get(&bundle, "/api/to-b/1"), "cart.b");
    // /pq/y is not among what the gateway may ask for.
    assert_eq!(get(&bundle, "/up/xpq/x"), "403");
    // /../y climbs above the root.
    assert_eq!(get(&bundle, "/up/x../x"), "400");
}

#[test]
fn tokens_are_asked_for_and_rules_read_them() {
    let bundle = bundle(SHOP);
    assert_eq!(get(&bundle, "/admin/x"), "401");
    let with = |groups: &[&str]| Request {
        tokens: vec![(
            0,
            vec![(
                "groups".to_owned(),
                Held::List(groups.iter().map(ToString::to_string).collect()),
            )],
        )],
        ..Request::new("GET", "shop.example", "/admin/x")
    };
    assert_eq!(outside(&bundle, "https", &with(&["staff"])), "desk");
    assert_eq!(outside(&bundle, "https", &with(&["other"])), "403");
}

#[test]
fn rules_of_a_host_come_before_its_arms_act() {
    let bundle = bundle(SHOP);
    let request = |path| Request::new("GET", "a.shop.example", path);
    assert_eq!(outside(&bundle, "https", &request("/secret/1")), "403");
    assert_eq!(outside(&bundle, "https", &request("/v1/x")), "cart");
    assert_eq!(outside(&bundle, "https", &request("/w1/x")), "403");
}

#[test]
fn a_header_that_a_rule_tests_may_come_once() {
    let bundle = bundle(SHOP);
    let request = |values: &[&str]| Request {
        headers: values
            .iter()
            .map(|value| ("x-ok".to_owned(), value.to_string()))
            .collect(),
        ..Request::new("GET", "shop.example", "/open/closed")
    };
    assert_eq!(outside(&bundle, "https", &request(&[])), "403");
    assert_eq!(outside(&bundle, "https", &request(&["1"])), "stock");
    assert_eq!(outside(&bundle, "https", &request(&["1", "2"])), "400");
}

#[test]
fn sidecars_let_out_what_is_declared() {
    let bundle = bundle(SHOP);
    let to = |host, path| Request::new("GET", host, path);
    assert_eq!(inside(&bundle, "desk", &to("cart", "/v1/to-b/1")), "cart.b");
    assert_eq!(
        inside(&bundle, "desk", &to("stock", "/")),
        "403",
        "not among its calls"
    );
    assert_eq!(
        inside(&bundle, "stock", &to("cart", "/")),
        "403",
        "it calls nobody"
    );
    assert_eq!(
        inside(&bundle, "desk", &to("api.example", "/")),
        "403",
        "nothing leaves"
    );
    assert_eq!(inside(&bundle, "cart", &to("stock", "/")), "stock");
    assert_eq!(inside(&bundle, "cart", &to("desk", "/x")), "403");
}

#[test]
fn the_steps_name_every_decision() {
    let bundle = bundle(SHOP);
    let request = Request::new("GET", "shop.example", "/api/list/1");
    let entry = journey::entrance(&bundle, "https", "shop.example", Some(8443)).unwrap();
    let journey = journey::of(&bundle, entry, &request);
    let kinds = |branch: &Branch| -> Vec<&'static str> {
        let kind = |step: &Step| match step {
            Step::Host(_) => "host",
            Step::Announced(_) => "announced",
            Step::Held(_) => "held",
            Step::Arm(..) => "arm",
            Step::Drew(..) => "drew",
            Step::Allowed(..) => "allowed",
            Step::Forwarded(_) => "forwarded",
        };
        branch.steps.iter().map(kind).collect()
    };
    assert_eq!(
        kinds(&journey.branches[0]),
        ["host", "arm", "forwarded", "arm", "drew", "allowed"]
    );
    assert_eq!(
        kinds(&journey.branches[1]),
        [
            "host",
            "arm",
            "forwarded",
            "arm",
            "drew",
            "arm",
            "drew",
            "allowed"
        ]
    );
    let Some(Step::Forwarded(sent)) = journey.branches[0].steps.get(2) else {
        panic!("{:?}", journey.branches[0].steps)
    };
    assert_eq!(sent.path, "/v1/list/1");
    assert_eq!(sent.source.as_deref(), Some("default/edge"));
}

#[test]
fn whoever_is_only_counted_or_asked_besides_is_let_in_as_before() {
    const OPEN: &str = "mesh m { mtls off; authz open-by-default }\n\
        service a { endpoints 127.0.0.1:1; authz shadow { deny anyone to /x } }\n\
        service b { endpoints 127.0.0.1:2; calls a }\n";
    let open = bundle(OPEN);
    assert_eq!(inside(&open, "b", &Request::new("GET", "a", "/x")), "a");
    let closed = bundle(&OPEN.replace("; authz open-by-default", ""));
    assert_eq!(inside(&closed, "b", &Request::new("GET", "a", "/x")), "403");
}

#[test]
fn a_service_says_whom_it_lets_in_whatever_way_they_come() {
    let bundle = bundle(SHOP);
    let comes = |to: &str, from: &str, method: &str, path: &str| {
        let services = bundle.services().iter();
        let to = { services }
            .position(|it| bundle.str(it.name) == to)
            .unwrap();
        let mut request = Request::new(method, "any.example", path);
        request.source = Some(format!("default/{from}"));
        let admitted = journey::admitted(&bundle, Id::new(to as u32), &request);
        admitted
            .map(|steps| steps.len())
            .map_err(journey::Refusal::status)
    };
    // No route and no list of calls is asked, only its rules.
    assert_eq!(comes("cart", "desk", "DELETE", "/anything"), Ok(1));
    assert_eq!(comes("cart", "edge", "GET", "/v1/list/1"), Ok(1));
    assert_eq!(comes("cart", "edge", "POST", "/v1/list/1"), Err(403));
    assert_eq!(comes("cart", "stock", "GET", "/b"), Err(403));
    assert_eq!(comes("cart", "desk", "GET", "/../b"), Err(400));
    // One that verifies nobody takes everybody for nobody.
    assert_eq!(comes("stock", "cart", "GET", "/open/a"), Ok(1));
    assert_eq!(comes("stock", "cart", "GET", "/open/closed"), Err(403));
}
