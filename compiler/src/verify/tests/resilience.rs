//! Lints about resilience that take a request to show.

use crate::compile::{Selection, check};
use crate::project::Project;
use mesh_lang::codes::Code;

const HEAD: &str = "mesh t {
  mtls off
  authz open-by-default
  lints { warn hash-key-missing; allow match-redundant; allow version-unused }
}\n";

/// The findings with a code: the place, and what is told of it.
fn found(code: Code, text: &str) -> Vec<String> {
    let text = format!("{HEAD}{text}");
    let mut checked = check(
        Project::of_texts([("t.mesh", text.as_str())]),
        &Selection::default(),
    );
    checked.plan();
    let errors = checked.diagnostics.iter().find(|it| !it.code.is_lint());
    assert_eq!(errors, None, "{text}");
    let those = checked.diagnostics.iter().filter(|it| it.code == code);
    let told = those.map(|it| {
        let place = checked.sources.text(it.span().expect("a place"));
        let lines = it.notes.iter().flat_map(|note| note.lines());
        let lines = lines.filter(|line| line.contains("http"));
        let requests = lines.map(|line| line.trim_start_matches("for example: "));
        let requests: Vec<&str> = requests.collect();
        format!("{place}: {}", requests.join(" | "))
    });
    told.collect()
}

/// The same of a gateway with these arms, and more items.
fn of_host(code: Code, arms: &str, more: &str) -> Vec<String> {
    found(
        code,
        &format!(
            "gateway edge {{ listen 80 http; trusted-proxies none; host shop.example {{\n{arms}\n}} }}\n{more}"
        ),
    )
}

fn never_again(arms: &str, more: &str) -> Vec<String> {
    let more = format!("service shop {{ endpoints 127.0.0.1:9000 }}\n{more}");
    of_host(Code::RetryNonidempotent, arms, &more)
}

#[test]
fn an_arm_behind_those_that_take_what_is_tried_again_tries_nothing_again() {
    let arms = "when method in [GET, HEAD, OPTIONS, TRACE, PUT, DELETE] -> shop
                otherwise -> shop { retry 1 on 5xx }";
    assert_eq!(
        never_again(arms, ""),
        ["retry 1 on 5xx: POST http://shop.example/  is tried once"]
    );
    let arms = "when method in [GET, HEAD, OPTIONS, TRACE, DELETE] -> shop
                otherwise -> shop { retry 1 on 5xx }";
    assert_eq!(never_again(arms, ""), [""; 0]);
}

#[test]
fn a_retry_that_a_policy_brings_in_serves_others() {
    let arms = "POST /a -> shop { use again }";
    let more = "policy again { retry 1 on 5xx }";
    assert_eq!(never_again(arms, more), [""; 0]);
}

#[test]
fn a_service_is_reached_past_its_route_by_the_names_of_its_versions() {
    let service = "service cart {
        version v1 { endpoints 127.0.0.1:9001 }
        retry 1 on 503
        route { POST /a -> v1; otherwise -> respond 405 }
    }";
    assert_eq!(
        never_again("/a -> cart; otherwise -> shop", service),
        ["retry 1 on 503: POST http://cart/a from shop  is tried once"]
    );
    let past = "/a -> cart; /b -> cart.v1; otherwise -> shop";
    assert_eq!(never_again(past, service), [""; 0]);
}

#[test]
fn what_leads_to_grpc_and_elsewhere_is_tried_again() {
    let both = "service prices { protocol grpc; timeout 1s; endpoints 127.0.0.1:9001 }
                service front { endpoints 127.0.0.1:9002; route { GET /a -> prices; otherwise -> self } }";
    let arms = "/a -> front { retry 1 on 503 }; /b -> prices { retry 1 on 503 }";
    assert_eq!(never_again(arms, both), ["retry 1 on 503: "]);
}

fn lacking(arms: &str, service: &str) -> Vec<String> {
    of_host(Code::HashKeyMissing, arms, service)
}

const CART: &str = "service cart {
    endpoints 127.0.0.1:9001, 127.0.0.1:9002
    balance hash by header.x-cart
}";

#[test]
fn a_header_that_is_taken_away_is_missing() {
    let asks = "when header.x-cart present -> cart";
    assert_eq!(lacking(asks, CART), [""; 0]);
    let takes = "when header.x-cart present -> cart { request-header remove x-cart }";
    assert_eq!(
        lacking(takes, CART),
        ["balance hash by header.x-cart: GET http://shop.example/ { header x-cart \"a\" }"]
    );
}

#[test]
fn what_is_not_known_exactly_is_not_decided() {
    let adds = "otherwise -> cart { request-header add x-cart \"1\" }";
    assert_eq!(lacking(adds, CART), [""; 0]);
    assert_eq!(
        of_host(Code::NotDecided, adds, CART),
        ["balance hash by header.x-cart: "]
    );
}

#[test]
fn what_the_rules_refuse_does_not_lack_anything() {
    let service = "service cart {
        endpoints 127.0.0.1:9001, 127.0.0.1:9002
        balance hash by header.x-cart
        authz { allow anyone when header.x-cart present }
    }";
    assert_eq!(lacking("otherwise -> cart", service), [""; 0]);
}

#[test]
fn a_version_that_says_how_is_asked_for_itself() {
    let service = "service cart {
        version v1 { endpoints 127.0.0.1:9001; balance round-robin }
        version v2 { endpoints 127.0.0.1:9002; balance hash by query.q }
        balance hash by header.x-cart
        route { when query.q present -> v2; otherwise -> v1 }
    }";
    assert_eq!(lacking("otherwise -> cart", service), [""; 0]);
    assert_eq!(
        lacking("/v2 -> cart.v2; otherwise -> cart", service),
        ["balance hash by query.q: GET http://shop.example/v2"]
    );
}

fn gets_around(arms: &str) -> Vec<String> {
    let shop = "service shop { endpoints 127.0.0.1:9000 }";
    of_host(Code::RatelimitKeyUnbounded, arms, shop)
}

#[test]
fn values_that_an_arm_lists_are_only_so_many() {
    let limit = "-> shop { rate-limit 1/s { per header.x-plan } }";
    let free = "GET http://shop.example/ { header x-plan \"a\" } | GET http://shop.example/ { header x-plan \"aa\" }";
    assert_eq!(
        gets_around(&format!("when header.x-plan matches r\"a+\" {limit}")),
        [format!("rate-limit 1/s: {free}")]
    );
    for listed in [
        "header.x-plan in [\"a\", \"b\"]",
        "(header.x-plan == \"a\" or header.x-plan == \"b\") and scheme == http",
    ] {
        assert_eq!(gets_around(&format!("when {listed} {limit}")), [""; 0]);
    }
}

#[test]
fn a_rate_beside_it_holds_clients_whatever_they_make_up() {
    let own = "otherwise -> shop { rate-limit 1/s { per cookie.id } }";
    assert_eq!(gets_around(own).len(), 1);
    for beside in ["per client-ip", "burst 5", "per method"] {
        let arms = format!("rate-limit 9/s {{ {beside} }}\n{own}");
        assert_eq!(gets_around(&arms), [""; 0], "{beside}");
    }
    let taken_back = "rate-limit 9/s\n/a -> shop { rate-limit off }
                      otherwise -> shop { rate-limit off; rate-limit 1/s { per cookie.id } }";
    assert_eq!(gets_around(taken_back).len(), 1);
}

#[test]
fn a_service_that_no_client_reaches_has_callers_that_are_known() {
    let services = "service shop { endpoints 127.0.0.1:9000; calls cart }
        service cart { endpoints 127.0.0.1:9001; rate-limit 1/s { per header.x-user } }";
    let of = |arms| of_host(Code::RatelimitKeyUnbounded, arms, services);
    assert_eq!(of("otherwise -> shop"), [""; 0]);
    assert_eq!(of("/cart -> cart; otherwise -> shop").len(), 1);
    let removed = "/cart -> cart { request-header remove x-user }; otherwise -> shop";
    assert_eq!(of(removed), [""; 0]);
}
