//! What replayed logs come to.

use super::*;
use crate::compile::{Selection, check};
use crate::project::Project;
use crate::report::Style;
use mesh_bundle::asked;
use mesh_bundle::decide::Field;
use mesh_bundle::journey::{self, Entry, Request};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::RefCell;

fn bundle(text: &str) -> Bundle {
    let mut checked = check(
        Project::of_texts([("shop.mesh", text)]),
        &Selection::default(),
    );
    let planned = checked.lay_out();
    assert!(planned.is_some(), "{:#?}", checked.diagnostics);
    Bundle::open(planned.unwrap().bytes).unwrap()
}

/// A shop whose gateway and service have these arms.
fn shop(gateway: &str, route: &str) -> String {
    format!(
        "mesh shop {{ mtls off; authz open-by-default }}
jwt corp {{ issuer \"https://login.example/\"; audiences \"shop\"; jwks file \"jwks.json\" }}
gateway edge {{
  listen 8080 http
  trusted-proxies none
  host shop.example {{
{gateway}
  }}
}}
service cart {{
  version v1 {{ endpoints 127.0.0.1:9001 }}
  version v2 {{ endpoints 127.0.0.1:9002 }}
  route {{
{route}
  }}
}}
"
    )
}

/// A line as a gateway writes it, with what is said here otherwise.
fn line(other: Value) -> Value {
    let mut line = json!({
        "ts": "2026-11-20T09:00:00.123Z", "node": "gateway/edge", "entrance": "gateway", "scheme": "http",
        "port": 8080, "method": "GET", "path": "/cart", "protocol": "HTTP/1.1", "host": "shop.example",
        "code": 200, "flags": "-", "ms": 3.25, "bytes_in": 0, "bytes_out": 12, "service": "cart.v1",
        "endpoint": "127.0.0.1:9001", "arm": "shop.mesh:14", "gateway_arm": "shop.mesh:6", "source": null,
        "attempts": 1, "bundle": "b3:000000000000", "request_id": "5a0e", "client_ip": "192.0.2.7",
        "user_agent": "curl/8", "asked": {},
    });
    let Value::Object(other) = other else {
        panic!("an object")
    };
    line.as_object_mut().unwrap().extend(other);
    line
}

fn log(lines: &[Value]) -> String {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    lines.join("\n")
}

fn replay(log: &str, old: Option<&Bundle>, new: &Bundle, key: Option<Key>) -> Replay {
    Replay::of(&mut log.as_bytes(), old, new, key, |_, _| ()).unwrap()
}

fn told(log: &str, old: Option<&str>, new: &str) -> String {
    let (old, new) = (old.map(bundle), bundle(new));
    human(&replay(log, old.as_ref(), &new, None), Style::PLAIN)
}

const TO_CART: &str = "    /cart/** -> cart";

#[test]
fn what_arrives_elsewhere_is_told_with_an_example_and_counted() {
    let new = shop(
        "    GET /cart/** -> cart.v2\n    /old/** -> redirect 301 { prefix \"/cart\" }\n    otherwise -> respond 404",
        "    otherwise -> v1",
    );
    let log = log(&[
        line(json!({})),
        line(json!({ "path": "/cart/7" })),
        line(json!({ "method": "POST" })),
        line(json!({ "path": "/old/7", "service": null, "code": 404, "arm": null })),
        line(json!({ "path": "/nowhere", "service": null, "code": 404, "arm": "shop.mesh:8" })),
        // That the service itself says so is no matter of the policy.
        line(json!({ "path": "/cart/8", "service": "cart.v2", "code": 404 })),
    ]);
    insta::assert_snapshot!(told(&log, None, &new));
}

#[test]
fn what_nobody_asked_before_is_unknown_with_all_that_may_become_of_it() {
    let new = shop(
        TO_CART,
        "    when header.x-team == \"qa\" -> v2\n    when jwt.corp.sub == \"eve\" -> v2\n    when cookie.cohort starts-with \"b\" -> v2\n    otherwise -> v1",
    );
    let log = log(&[
        line(json!({})),
        // These are certain: the first arm takes one, none the other.
        line(json!({ "asked": { "header.x-team": "qa" } })),
        line(
            json!({ "asked": { "header.x-team": null, "jwt.corp.sub": null, "cookie.cohort": null } }),
        ),
    ]);
    insta::assert_snapshot!(told(&log, None, &new));
}

#[test]
fn what_old_and_new_agree_on_is_known_whatever_the_log_hides() {
    let route = "    when header.end-user contains \"red\" -> v2\n    otherwise -> v1";
    let old = shop(TO_CART, route);
    let hidden =
        json!({ "asked": { "header.end-user": { "hash": "0123456789abcdef0123456789abcdef" } } });
    let log = log(&[line(hidden)]);
    let with_old = replay(&log, Some(&bundle(&old)), &bundle(&old), None);
    assert_eq!(with_old.count(Kind::Same), 1);
    let without = replay(&log, None, &bundle(&old), None);
    assert_eq!(without.count(Kind::Unknown), 1);
}

#[test]
fn what_the_log_says_of_old_rules_worlds_out() {
    // It arrived at v1: the header did not hold `red`.
    let old = bundle(&shop(
        TO_CART,
        "    when header.end-user contains \"red\" -> v2\n    otherwise -> v1",
    ));
    let new = bundle(&shop(
        TO_CART,
        "    when header.end-user contains \"red\" -> v1\n    otherwise -> v2",
    ));
    let asked = json!({ "header.end-user": { "hash": "0123456789abcdef0123456789abcdef" } });
    let made = |bundle: String| log(&[line(json!({ "asked": asked, "bundle": bundle }))]);
    let by_old = replay(&made(old.id().to_string()), Some(&old), &new, None);
    let groups = by_old.sorted();
    assert_eq!(
        (groups[0].was.as_str(), groups[0].becomes.len()),
        ("cart.v1", 1)
    );
    let by_another = replay(&made("b3:another".to_owned()), Some(&old), &new, None);
    assert_eq!(by_another.sorted()[0].was, "cart.v1 or cart.v2");
}

#[test]
fn hashes_are_compared_where_the_key_is_given() {
    let key = || Key::of_secret(b"thirty-two bytes that nobody has");
    let new = bundle(&shop(
        TO_CART,
        "    when cookie.user in [\"ann\", \"bob\"] -> v2\n    otherwise -> v1",
    ));
    let kind = |value: &str, key_given: Option<Key>| {
        let hash = key().unwrap().hash("cookie.user", value.as_bytes());
        let asked = json!({ "cookie.user": { "hash": str::from_utf8(&hash).unwrap() } });
        let replay = replay(
            &log(&[line(json!({ "asked": asked }))]),
            None,
            &new,
            key_given,
        );
        *replay.counts.keys().next().unwrap()
    };
    assert_eq!(kind("ann", key()), Kind::Changed);
    assert_eq!(kind("eve", key()), Kind::Same);
    assert_eq!(kind("ann", None), Kind::Unknown);
}

#[test]
fn what_comes_twice_is_routed_by_what_decisions_see_and_refused_by_rules() {
    let new = |rules: &str| {
        bundle(&shop(
            &format!("{rules}{TO_CART}"),
            "    when header.x-team == \"qa,dev\" -> v2\n    when query.page == \"8\" -> v2\n    otherwise -> v1",
        ))
    };
    let key = || Key::of_secret(b"thirty-two bytes that nobody has");
    let becomes = |asked: Value, new: &Bundle, key: Option<Key>| {
        let text = log(&[line(json!({ "asked": asked, "service": "nowhere" }))]);
        let replay = replay(&text, None, new, key);
        let groups = replay.sorted();
        let all = groups[0].becomes.iter().map(|it| it.outcome.clone());
        all.collect::<Vec<_>>().join(" or ")
    };
    let header = |seen: Value| json!({ "header.x-team": { "repeated": seen }, "query.page": null });
    let query = |seen: Value| json!({ "header.x-team": null, "query.page": { "repeated": seen } });
    let hash = |name: &str, value: &str| {
        let hash = key().unwrap().hash(name, value.as_bytes());
        json!({ "hash": str::from_utf8(&hash).unwrap() })
    };
    let open = new("");
    assert_eq!(becomes(header(json!("qa,dev")), &open, None), "cart.v2");
    assert_eq!(becomes(header(json!("qa,qa")), &open, None), "cart.v1");
    assert_eq!(becomes(query(json!("8")), &open, None), "cart.v2");
    // Hidden, it is one of what it may be; with the key it is known.
    let hidden = || header(hash("header.x-team", "qa,dev"));
    assert_eq!(becomes(hidden(), &open, None), "cart.v2 or cart.v1");
    assert_eq!(becomes(hidden(), &open, key()), "cart.v2");
    let hidden = || query(hash("query.page", "9"));
    assert_eq!(becomes(hidden(), &open, None), "cart.v2 or cart.v1");
    assert_eq!(becomes(hidden(), &open, key()), "cart.v1");
    // Rules refuse what they test and what comes twice, whatever it is.
    let ruled = new("    authz { deny anyone when header.x-team == \"dev\"; allow anyone }\n");
    assert_eq!(becomes(header(json!("qa,qa")), &ruled, None), "400");
    assert_eq!(
        becomes(header(hash("header.x-team", "a,b")), &ruled, None),
        "400"
    );
    assert_eq!(becomes(query(json!("8")), &ruled, None), "cart.v2");
}

#[test]
fn preflights_are_answered_by_what_the_log_tells_of_them() {
    let new = bundle(&shop(
        "    GET /cart/** -> cart { cors { origins \"https://app.example\" } }\n    /cart/** -> cart",
        "    otherwise -> v1",
    ));
    let becomes = |asked: Value| {
        let text = log(&[line(
            json!({ "method": "OPTIONS", "asked": asked, "service": "nowhere" }),
        )]);
        let replay = replay(&text, None, &new, None);
        let mut all: Vec<String> = replay.sorted()[0]
            .becomes
            .iter()
            .map(|it| it.outcome.clone())
            .collect();
        all.sort();
        all.join(" or ")
    };
    let of = |origin: &str, method: &str| json!({ "header.origin": origin, "header.access-control-request-method": method });
    assert_eq!(
        becomes(of("https://app.example", "GET")),
        "preflight allowed"
    );
    assert_eq!(
        becomes(of("https://else.example", "GET")),
        "preflight not allowed"
    );
    assert_eq!(becomes(of("https://app.example", "POST")), "cart.v1");
    assert_eq!(
        becomes(json!({ "header.access-control-request-method": null })),
        "cart.v1"
    );
    // Nobody asked before.
    assert_eq!(
        becomes(json!({})),
        "cart.v1 or preflight allowed or preflight not allowed"
    );
}

#[test]
fn splits_are_drawn_anew_and_shares_compared_with_those_of_old() {
    let old = shop(TO_CART, "    otherwise -> split 10% v2, rest v1");
    let new = shop(TO_CART, "    otherwise -> split 50% v2, rest v1");
    let log = log(&[line(json!({})), line(json!({ "service": "cart.v2" }))]);
    insta::assert_snapshot!(told(&log, None, &new));
    insta::assert_snapshot!(told(&log, Some(&old), &new));
    insta::assert_snapshot!(told(&log, Some(&old), &old));
}

#[test]
fn a_token_that_is_required_from_now_on_is_unknown() {
    let new = shop(
        "    require jwt corp\n    /cart/** -> cart",
        "    otherwise -> v1",
    );
    insta::assert_snapshot!(told(&log(&[line(json!({}))]), None, &new));
}

#[test]
fn where_nobody_listens_any_more_it_says_so() {
    let new = shop(TO_CART, "    otherwise -> v1");
    let log = log(&[
        line(json!({ "port": 9090 })),
        line(json!({ "node": "gateway/gone" })),
        line(json!({ "node": "sidecar/gone", "entrance": "outbound", "host": "cart" })),
        line(json!({ "node": "sidecar/cart", "entrance": "outbound", "host": "cart" })),
    ]);
    let replay = replay(&log, None, &bundle(&new), None);
    let groups = replay.sorted();
    assert_eq!((groups.len(), groups[0].count), (1, 3));
    assert_eq!(groups[0].becomes[0].outcome, "nobody listens");
    assert_eq!(replay.count(Kind::Same), 1);
}

#[test]
fn lines_that_are_none_are_counted_and_the_first_named() {
    let new = bundle(&shop(TO_CART, "    otherwise -> v1"));
    let long = "x".repeat(MAX_LENGTH + 1);
    let truncated = &line(json!({})).to_string()[..40];
    let inbound = line(json!({ "entrance": "inbound", "asked": null }));
    let unread = line(json!({ "method": "-", "path": "-", "flags": "DPE", "asked": null }));
    let good = line(json!({}));
    let text = format!(
        "{truncated}\n\n{long}\n{{\"level\": \"info\"}}\n\u{0}\n[1]\n{inbound}\n{unread}\n{good}"
    );
    let replay = replay(&text, None, &new, None);
    assert_eq!(
        (replay.lines, replay.bad(), replay.count(Kind::Same)),
        (9, 5, 1)
    );
    insta::assert_snapshot!(human(&replay, Style::PLAIN));
    let json: Value = serde_json::from_str(&json(&replay)).unwrap();
    assert_eq!(
        json["counts"],
        json!({ "changed": 0, "unknown": 0, "split": 0, "same": 1 })
    );
    assert_eq!(json["bad"]["first"][1]["line"], 3);
}

#[test]
fn bytes_of_any_kind_are_no_defect() {
    let new = bundle(&shop(
        TO_CART,
        "    when query.a >= 3 -> v2\n    otherwise -> v1",
    ));
    for odd in [
        json!({ "path": "/%" }),
        json!({ "path": "/../.." }),
        json!({ "host": null }),
        json!({ "host": "\u{0}" }),
        json!({ "node": "" }),
        json!({ "node": "gateway/" }),
        json!({ "scheme": "gopher", "port": 0 }),
        json!({ "method": "" }),
        json!({ "asked": null }),
        json!({ "asked": { "": null, "header.": "x", "query.a": ["x", { "hash": "" }], "cookie.;": "=;" } }),
    ] {
        let replay = replay(&log(&[line(odd)]), None, &new, None);
        assert_eq!((replay.lines, replay.bad()), (1, 0));
    }
}

#[test]
fn groups_are_bounded_and_so_is_what_is_shown() {
    let new = bundle(&shop("    otherwise -> respond 404", "    otherwise -> v1"));
    let lines = (0..MAX_GROUPS + 5).map(|it| line(json!({ "service": format!("s{it}") })));
    let replay = replay(&log(&lines.collect::<Vec<_>>()), None, &new, None);
    assert_eq!((replay.groups.len(), replay.ungrouped), (MAX_GROUPS, 5));
    assert!(human(&replay, Style::PLAIN).lines().count() < 60);
}

/// Routes that ask for this and that, and send to either version.
const ROUTES: &[&str] = &[
    "    otherwise -> v1",
    "    when header.x-team == \"qa\" -> v2\n    otherwise -> v1",
    "    when header.x-team in [\"qa\", \"dev\"] -> v1\n    when cookie.cohort starts-with \"b\" -> v2\n    otherwise -> v1",
    "    when header.x-team contains \"q\" -> v2\n    when header.x-team matches r\"d.*v\" -> v1\n    otherwise -> v2",
    "    when query.page >= 7 -> v2\n    when header.x-team absent -> v2\n    otherwise -> v1",
    "    when client-ip in [10.0.0.0/8] -> v2\n    when cookie.cohort == \"b3\" -> v1\n    when query.page == \"8\" -> v2\n    otherwise -> split 50% v1, 50% v2",
];

/// Rules of the gateway: none, and some that test this and that.
const RULES: &[&str] = &[
    "",
    "    authz { deny anyone when header.x-team == \"dev\"; allow anyone }\n",
    "    authz { allow anyone when query.page != \"6\" or cookie.cohort present }\n",
];

/// The line that a gateway which serves a bundle would write of a request.
fn written(bundle: &Bundle, request: &Request, key: &Key) -> Value {
    let entry = journey::entrance(bundle, "http", &request.host, None).unwrap();
    let names = RefCell::new(BTreeMap::new());
    let path = request.normal_path(bundle).unwrap();
    let plain = request.plain(&path);
    let journey = journey::watched(bundle, entry, request, 64, &|field| {
        let Some(name) = asked::name(bundle, field) else {
            return;
        };
        let facets = bundle.facets().iter().enumerate();
        let facets = facets.filter(|(_, it)| Field::of_facet(bundle, it) == Some(field));
        let facets: Vec<usize> = facets.map(|(index, _)| index).collect();
        let id = mesh_bundle::format::Id::new(facets[0] as u32);
        let value = match mesh_bundle::RequestView::field(&plain, field, id) {
            mesh_bundle::Value::Text(value) => {
                let mut facets = facets.iter().map(|index| &bundle.facets()[*index]);
                let seen = if facets.any(|facet| asked::is_plain(bundle, facet, field, &value)) {
                    json!(str::from_utf8(&value).unwrap())
                } else {
                    json!({ "hash": str::from_utf8(&key.hash(&name, &value)).unwrap() })
                };
                if mesh_bundle::RequestView::repeats(&plain, field) {
                    json!({ "repeated": seen })
                } else {
                    seen
                }
            }
            _ => Value::Null,
        };
        names.borrow_mut().insert(name, value);
    });
    let end = &journey.unwrap().branches[0].end;
    let service = end.arrival();
    let service =
        service.map(|(service, version)| crate::way::destination(bundle, service, version));
    line(json!({
        "path": request.path, "client_ip": request.client_ip, "service": service,
        "code": end.status().unwrap_or(200), "asked": names.into_inner(), "bundle": bundle.id().to_string(),
    }))
}

/// None of these, one, or several.
fn some(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(texts), 0..3)
}

fn arrivals(bundle: &Bundle, request: &Request) -> String {
    let entry = journey::entrance(bundle, "http", &request.host, None).unwrap();
    let Entry::Gateway(..) = entry else {
        panic!("a gateway")
    };
    outcome::Outcome::of(bundle, Some(entry), request, &|_| ()).text()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a line hides, what really becomes of its request is among what is told, and what is told as certain
    /// is so.
    #[test]
    fn what_really_happens_is_told(
        old in 0..ROUTES.len(),
        new in 0..ROUTES.len(),
        rules in (0..RULES.len(), 0..RULES.len()),
        team in some(&["qa", "dev", "q", "d-v", ""]),
        cohorts in some(&["b3", "b4", "a"]),
        page in some(&["8", "6", "-1", "many"]),
        inside: bool,
        with_old: bool,
        with_key: bool,
    ) {
        let made = |rules: usize, route: usize| {
            bundle(&shop(&format!("{}{TO_CART}", RULES[rules]), ROUTES[route]))
        };
        let (old, new) = (made(rules.0, old), made(rules.1, new));
        let key = Key::of_secret(b"thirty-two bytes that nobody has").unwrap();
        let mut request = Request::new("GET", "shop.example", "/cart/7");
        request.port = 8080;
        request.client_ip = if inside { [10, 1, 2, 3] } else { [192, 0, 2, 1] }.into();
        let pages: Vec<String> = page.iter().map(|page| format!("page={page}")).collect();
        request.query = (!pages.is_empty()).then(|| pages.join("&"));
        let cohort = cohorts.iter().map(|it| ("cookie".to_owned(), format!("cohort={it}")));
        let lines = team.iter().map(|it| ("x-team".to_owned(), (*it).to_owned()));
        request.headers = lines.chain(cohort).collect();

        let line = written(&old, &request, &key);
        // Of what nobody asked for it is supposed that it comes once.
        let fields = [("header.x-team", &team), ("cookie.cohort", &cohorts), ("query.page", &page)];
        let is_told = |(name, values): &(&str, &Vec<_>)| values.len() < 2 || !line["asked"][name].is_null();
        prop_assume!(rules.1 == 0 || fields.iter().all(is_told));
        let text = log(std::slice::from_ref(&line));
        let replay = replay(&text, with_old.then_some(&old), &new, with_key.then_some(key));
        // What lines of a header come to together has too many shapes to try them all.
        let complete = team.len() < 2;
        prop_assert_eq!((replay.bad(), replay.incomplete.min(u64::from(complete))), (0, 0), "{}", text);
        let kind = *replay.counts.keys().next().unwrap();
        let logged = line["service"].as_str().map_or_else(|| line["code"].to_string(), str::to_owned);
        let was = if with_old { arrivals(&old, &request) } else { logged };
        let is = arrivals(&new, &request);
        match kind {
            Kind::Same => prop_assert_eq!(&was, &is, "{}", text),
            Kind::Changed => prop_assert_ne!(&was, &is, "{}", text),
            _ => {}
        }
        if kind != Kind::Same && replay.incomplete == 0 {
            let becomes = &replay.sorted()[0].becomes;
            prop_assert!(becomes.iter().any(|it| it.outcome == is), "{is}: {becomes:#?} {text}");
        }
    }
}
