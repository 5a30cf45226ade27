//! Preflights: who answers them, by which `cors`, and with which headers.

#![allow(clippy::unwrap_used)]

use mesh_bundle::Bundle;
use mesh_bundle::format::Id;
use mesh_bundle::journey::{self, End, Entry, Journey, Request};
use meshc::compile::{Selection, check};
use meshc::project::Project;

const SHOP: &str = r#"
mesh shop { }
jwt corp { issuer "https://login.example/"; audiences "shop"; jwks file "jwks.json" }
gateway edge {
  listen 8080 http
  host shop.example {
    require jwt corp
    authz { allow anyone to GET, DELETE }
    cors { origins "https://app.example"; methods GET, DELETE; headers x-team, authorization; credentials; max-age 1h }
    GET /open/**    -> cart { cors { origins "*" } }
    DELETE /none/** -> cart { cors off }
    /none/**        -> cart
    GET /behind/**  -> desk { rewrite prefix "/" }
    GET /gone       -> respond 410
  }
  host plain.example { otherwise -> desk }
}
service cart {
  endpoints 127.0.0.1:9001
  authz { allow any service; allow edge }
}
service desk {
  endpoints 127.0.0.1:9002
  calls cart
  cors { origins "https://desk.example" }
  version a { endpoints 127.0.0.1:9003 }
  route {
    GET /x -> split 30% a, 70% self { cors off }
    GET /y -> a { cors { origins "https://y.example" } }
  }
  authz { allow edge }
}
"#;

fn bundle(text: &str) -> Bundle {
    let mut checked = check(
        Project::of_texts([("shop.mesh", text)]),
        &Selection::default(),
    );
    let planned = checked.lay_out();
    Bundle::open(planned.unwrap().bytes).unwrap()
}

fn preflight(host: &str, path: &str, origin: &str, method: &str) -> Request {
    let mut request = Request::new("OPTIONS", host, path);
    for (name, value) in [
        ("origin", origin),
        ("access-control-request-method", method),
    ] {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    request
}

fn sent(bundle: &Bundle, request: &Request) -> Journey {
    journey::of(bundle, Entry::Gateway(Id::new(0), Id::new(0)), request)
}

/// What a preflight is told, or the status with which it ends otherwise.
fn answer(bundle: &Bundle, request: &Request) -> String {
    let journey = sent(bundle, request);
    let [branch] = journey.branches.as_slice() else {
        panic!("{journey:?}")
    };
    match &branch.end {
        End::Preflight { said, headers } => {
            let headers = headers.iter().map(|(name, value)| {
                let name = name.trim_start_matches("access-control-");
                format!("; {name}: {value}")
            });
            let place = bundle.place(*said).unwrap();
            format!("{place}{}", headers.collect::<String>())
        }
        end => end
            .status()
            .map_or("arrives".to_owned(), |status| status.to_string()),
    }
}

#[test]
fn a_preflight_is_answered_before_anything_is_asked_of_it() {
    let bundle = bundle(SHOP);
    let ask = |path: &str, origin: &str, method: &str| {
        answer(&bundle, &preflight("shop.example", path, origin, method))
    };
    // No token, and no rule that allows OPTIONS.
    assert_eq!(
        ask("/gone", "https://app.example", "GET"),
        "shop.mesh:9; vary: origin; allow-origin: https://app.example; allow-methods: GET, DELETE; \
         allow-headers: x-team, authorization; allow-credentials: true; max-age: 3600"
    );
    assert_eq!(
        ask("/gone", "https://other.example", "GET"),
        "shop.mesh:9; vary: origin"
    );
    // The arm that the announced method takes has the say.
    assert_eq!(
        ask("/open/x", "https://other.example", "GET"),
        "shop.mesh:10; allow-origin: *; allow-methods: GET, HEAD, POST"
    );
    // `cors off`, and paths that nothing takes: a request like any other, which has no token, or no arm.
    assert_eq!(ask("/none/x", "https://app.example", "DELETE"), "401");
    assert_eq!(ask("/open/x", "https://app.example", "POST"), "404");
}

#[test]
fn other_options_are_requests_like_any_other() {
    let bundle = bundle(SHOP);
    let whole = preflight("shop.example", "/none/x", "https://app.example", "GET");
    assert!(answer(&bundle, &whole).starts_with("shop.mesh:9"));
    for left_out in [0, 1] {
        let mut request = whole.clone();
        request.headers.remove(left_out);
        assert_eq!(answer(&bundle, &request), "401");
        // What says two things says nothing.
        let mut request = whole.clone();
        request.headers.push(request.headers[left_out].clone());
        assert_eq!(answer(&bundle, &request), "401");
    }
    let get = Request {
        method: "GET".to_owned(),
        ..whole
    };
    assert_eq!(answer(&bundle, &get), "401");
}

#[test]
fn services_behind_have_a_say_of_what_is_announced() {
    let bundle = bundle(SHOP);
    let ask = |host: &str, path: &str, origin: &str| {
        answer(&bundle, &preflight(host, path, origin, "GET"))
    };
    // Of the service and the host the service is stronger, and its arm is stronger still.
    let desk = "shop.mesh:25; vary: origin; allow-origin: https://desk.example; allow-methods: GET, HEAD, POST";
    assert_eq!(
        ask("shop.example", "/behind/z", "https://desk.example"),
        desk
    );
    assert_eq!(ask("plain.example", "/z", "https://desk.example"), desk);
    assert!(ask("shop.example", "/behind/y", "https://y.example").starts_with("shop.mesh:29"));
    // Where its arm says `off` a preflight goes on, with both shares.
    let request = preflight("plain.example", "/x", "https://desk.example", "GET");
    let ends = sent(&bundle, &request).branches;
    assert!(
        ends.iter().all(|branch| branch.end.arrival().is_some()),
        "{ends:?}"
    );
    assert_eq!(
        ends.iter().map(|branch| branch.share).sum::<u32>(),
        1_000_000
    );
}

#[test]
fn a_caller_s_proxy_answers_for_what_it_would_send() {
    let bundle = bundle(&SHOP.replace(
        "service cart {",
        "service cart { cors { origins \"https://app.example\" }",
    ));
    let desk = Entry::Sidecar(Id::new(1));
    let request = preflight("cart", "/", "https://app.example", "GET");
    let journey = journey::of(&bundle, desk, &request);
    assert!(matches!(journey.branches[0].end, End::Preflight { .. }));
}

#[test]
fn where_nothing_answers_preflights_none_is_looked_for() {
    let without = "mesh m { mtls off; authz open-by-default }\n\
        gateway edge { listen 80 http; host a.example { otherwise -> a } }\n\
        service a { endpoints 127.0.0.1:1 }\n";
    let asked = |text: &str| {
        let bundle = bundle(text);
        let asked = std::cell::RefCell::new(Vec::new());
        let request = preflight("a.example", "/", "https://app.example", "GET");
        let entry = Entry::Gateway(Id::new(0), Id::new(0));
        journey::watched(&bundle, entry, &request, 1, &|field| {
            asked.borrow_mut().push(format!("{field:?}"));
        });
        asked.into_inner()
    };
    assert_eq!(asked(without), ["Method"]);
    let with = without.replace("-> a }", "-> a { cors { origins \"*\" } } }");
    assert_eq!(
        asked(&with),
        [
            "Method",
            "Header(\"access-control-request-method\")",
            "Header(\"origin\")"
        ]
    );
}
