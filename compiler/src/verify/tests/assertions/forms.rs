//! Each form of a claim: one that holds, one that does not, and near misses.

use super::{Claims, assert_outcomes};

const HEAD: &str = "mesh t { }
jwt corp { issuer \"https://auth.example\"; audiences \"t\"; jwks file \"jwks.json\" }
";

fn of(mesh: &str, expected: &[(&str, &str)]) {
    assert_outcomes(&format!("{HEAD}{mesh}"), expected);
}

const SHOP: &str = "
gateway edge {
  listen 80 http
  host shop.example {
    accept jwt corp
    /shop/**     -> shop
    GET /cart/** -> cart { rewrite prefix \"/\" }
    /admin/**    -> cart { require jwt corp; rewrite path \"/admin\" }
  }
}
service shop { calls cart; endpoints 127.0.0.1:1; authz { allow edge } }
service cart {
  calls none
  endpoints 127.0.0.1:2
  authz {
    allow shop to GET, POST
    allow edge
    deny anyone to /secret/** unless jwt.corp.role == \"boss\"
  }
}
service other { calls cart; endpoints 127.0.0.1:3; authz { allow shop } }
";

#[test]
fn never_speaks_of_what_arrives() {
    of(
        SHOP,
        &[
            ("holds", "never internet reaches other"),
            ("holds", "never other reaches cart"),
            ("fails", "never shop reaches cart"),
            ("holds", "never shop reaches cart DELETE"),
            ("fails", "never internet reaches cart /x"),
            (
                "holds",
                "never internet reaches cart /cart/x unless method in [GET, HEAD]",
            ),
            ("holds", "never internet reaches cart POST unless jwt.corp"),
            (
                "fails",
                "never internet reaches cart POST unless jwt.corp.role present",
            ),
            (
                "holds",
                "never internet reaches cart /secret/x unless jwt.corp.role == \"boss\"",
            ),
            ("fails", "never internet reaches cart /secret/x"),
            ("holds", "never internet reaches cart POST /secret/x"),
            ("fails", "never internet reaches cart POST /admin"),
            (
                "vacuous",
                "never internet reaches cart when header.x == \"1\" and header.x == \"2\"",
            ),
        ],
    );
}

#[test]
fn only_bars_whoever_is_not_named() {
    of(
        SHOP,
        &[
            ("fails", "only shop reaches cart"),
            ("holds", "only shop, edge reach cart"),
            ("holds", "only shop, internet reach cart"),
            ("holds", "only edge reaches cart DELETE"),
            ("fails", "only any service reach cart"),
            ("holds", "only any service, edge reach cart"),
            ("holds", "only shop reaches other"),
            ("fails", "only edge reaches other"),
            (
                "vacuous",
                "only other reaches shop POST /nowhere when source == other",
            ),
        ],
    );
}

/// A caller's own proxy is not trusted: `calls none` keeps nobody out.
#[test]
fn rules_of_the_target_decide_whatever_a_caller_declares() {
    of(
        "service a { calls none; endpoints 127.0.0.1:1 }
         service b { calls none; endpoints 127.0.0.1:2; authz { allow any service to GET } }",
        &[
            ("fails", "never a reaches b"),
            ("holds", "never a reaches b POST"),
            (
                "holds",
                "never a reaches b transitively when method == POST",
            ),
        ],
    );
}

#[test]
fn whom_nobody_verifies_may_be_anybody() {
    let mesh = |mtls: &str, who: &str| {
        format!(
            "service a {{ calls b; endpoints 127.0.0.1:1 }}
             service b {{ mtls {mtls}; endpoints 127.0.0.1:2; authz {{ allow {who} to GET }} }}"
        )
    };
    of(&mesh("strict", "a"), &[("holds", "only a reaches b")]);
    of(&mesh("permissive", "a"), &[("holds", "only a reaches b")]);
    of(
        &mesh("permissive", "anyone"),
        &[("fails", "only a reaches b")],
    );
    of(
        &mesh("off", "anyone"),
        &[
            ("fails", "only a reaches b"),
            ("fails", "never a reaches b"),
        ],
    );
    of(
        &mesh("strict", "anyone"),
        &[
            ("holds", "only a reaches b"),
            ("fails", "never a reaches b"),
        ],
    );
}

#[test]
fn always_speaks_of_what_is_sent() {
    of(
        SHOP,
        &[
            ("holds", "always internet reaches shop /shop/**"),
            (
                "holds",
                "always internet reaches shop POST /shop/** when header.x == \"1\"",
            ),
            ("fails", "always internet reaches shop /shop/**, /cart/a"),
            (
                "holds",
                "always internet reaches cart GET /cart/a, /cart/b/**",
            ),
            ("fails", "always internet reaches cart GET /cart/**"),
            ("fails", "always internet reaches cart /cart/a"),
            ("fails", "always internet reaches cart /admin/x"),
            (
                "holds",
                "always internet reaches cart /admin/x when jwt.corp",
            ),
            (
                "fails",
                "always internet reaches shop /shop/** at *.example",
            ),
            (
                "holds",
                "always internet reaches shop /shop/** at shop.example",
            ),
            (
                "fails",
                "always internet reaches shop /shop/** at other.example",
            ),
            ("vacuous", "always internet reaches other"),
            ("holds", "always shop reaches cart GET /a"),
            ("fails", "always shop reaches cart DELETE /a"),
            ("vacuous", "always other reaches shop"),
        ],
    );
}

#[test]
fn a_version_is_reached_through_the_route() {
    let mesh = "
gateway edge {
  listen 80 http
  host shop.example { accept jwt corp; /** -> app; }
}
service app {
  endpoints 127.0.0.1:1
  version v1 { endpoints 127.0.0.1:2 }
  version v2 { endpoints 127.0.0.1:3 }
  version v3 { endpoints 127.0.0.1:4 }
  authz { allow edge }
  route {
    when jwt.corp.group == \"qa\" -> v2
    POST /x                       -> split 90% v1, 10% v2
    otherwise                     -> v1
  }
}
";
    of(
        mesh,
        &[
            ("holds", "never internet reaches app.v3"),
            ("fails", "never internet reaches app.v2"),
            (
                "holds",
                "never internet reaches app.v2 unless jwt.corp.group == \"qa\" or path == /x",
            ),
            (
                "fails",
                "never internet reaches app.v2 unless jwt.corp.group == \"qa\"",
            ),
            ("holds", "always internet reaches app"),
            (
                "holds",
                "always internet reaches app.v1 /y when jwt.corp absent",
            ),
            (
                "fails",
                "always internet reaches app.v1 /x when jwt.corp absent",
            ),
            (
                "holds",
                "always internet reaches app.v2 when jwt.corp.group == \"qa\"",
            ),
        ],
    );
}

#[test]
fn what_is_set_on_the_way_is_known() {
    let mesh = "
gateway edge {
  listen 80 http
  host shop.example {
    request-header set x-level \"1\"
    /a/** -> app
    /b/** -> app { request-header set x-level \"2\" }
    /c/** -> app { request-header off; request-header remove x-level }
    /d/** -> app { request-header add x-level \"3\" }
    /e/** -> app { request-header off; rewrite host internal.example }
  }
}
service app {
  endpoints 127.0.0.1:1
  authz { allow edge when header.x-level in [\"2\", \"3\"] or host == internal.example }
}
";
    of(
        mesh,
        &[
            ("holds", "never internet reaches app /a/**"),
            ("fails", "never internet reaches app /b/**"),
            ("holds", "always internet reaches app /b/**"),
            ("holds", "never internet reaches app /c/**"),
            ("not proved", "never internet reaches app /d/**"),
            ("holds", "always internet reaches app /e/**"),
            (
                "holds",
                "never internet reaches app when header.x-level == \"1\" and not (host == internal.example)",
            ),
        ],
    );
}

#[test]
fn every_route_is_each_way_that_some_request_takes() {
    let mesh = "
gateway edge {
  listen 80 http
  max-body 1MiB
  host shop.example {
    accept jwt corp
    /quick/** -> app { timeout 1s; rate-limit 5/s }
    /slow/**  -> app { require jwt corp; retry 3 on 5xx }
    /none     -> respond 404
    /off/**   -> far { require jwt corp when header.x present; timeout off; max-body off }
  }
}
service app {
  timeout 20s
  endpoints 127.0.0.1:1
  authz { allow edge }
  route { when path in [/slow/**] and header.x == \"1\" -> self { timeout 1m }; /never when path == /other -> self { timeout 1h } }
}
service far { endpoints 127.0.0.1:2; require jwt corp unless header.x present; authz { allow edge } }
service none { endpoints 127.0.0.1:3; authz { allow app } }
";
    of(
        mesh,
        &[
            ("fails", "every route in edge to app has timeout <= 20s"),
            ("holds", "every route in edge to app has timeout <= 1m"),
            ("fails", "every route in edge has timeout <= 1m"),
            ("holds", "every route in edge to app has max-body <= 1MiB"),
            ("fails", "every route in edge has max-body <= 1MiB"),
            ("fails", "every route in edge to app has rate-limit <= 5/s"),
            ("holds", "every route in edge has retry <= 3"),
            ("fails", "every route in edge has retry < 3"),
            ("fails", "every route in edge to app requires jwt corp"),
            ("holds", "every route in edge to far requires jwt corp"),
            ("vacuous", "every route in edge to none has timeout <= 1s"),
        ],
    );
}

const CHAIN: &str = "
gateway edge {
  listen 80 http
  host shop.example { /** -> web { mirror 5% copies methods any } }
}
service web { calls api; endpoints 127.0.0.1:1; authz { allow edge } }
service api { calls store; mirror 1% shadow; endpoints 127.0.0.1:2; authz { allow web to GET } }
service store { calls none; endpoints 127.0.0.1:3; authz { allow api to GET /items/** } }
service copies { calls none; endpoints 127.0.0.1:4; authz { allow edge } }
service shadow { calls vault; endpoints 127.0.0.1:5; authz { allow web } }
service vault { calls none; endpoints 127.0.0.1:6; authz { allow shadow } }
service batch { calls copies; endpoints 127.0.0.1:7 }
service loose { endpoints 127.0.0.1:8; authz { allow batch } }
";

#[test]
fn chains_lead_on_where_each_lets_in_some_request() {
    let mesh = CHAIN.replace("copies methods any }", "copies { methods any } }");
    of(
        &mesh,
        &[
            ("holds", "never internet reaches store"),
            ("fails", "never internet reaches store transitively"),
            ("holds", "never internet reaches store POST transitively"),
            ("holds", "never internet reaches store /other transitively"),
            ("fails", "never web reaches store transitively"),
            ("holds", "never batch reaches store transitively"),
            // By way of the copies that `web` sends when it calls `api`.
            ("fails", "never web reaches vault transitively"),
            ("fails", "never internet reaches vault transitively"),
            ("holds", "only shadow, web, edge reach vault transitively"),
            ("not proved", "never internet reaches copies"),
            ("holds", "never batch reaches copies transitively"),
            ("holds", "never loose reaches vault transitively"),
        ],
    );
}

#[test]
fn a_chain_is_told_hop_by_hop() {
    let mesh = CHAIN.replace("copies methods any }", "copies { methods any } }");
    let text = format!("{HEAD}{mesh}assert \"a\" {{ never internet reaches vault transitively }}");
    let notes = Claims::of(&text).notes();
    for part in ["edge   → web", "web    → shadow", "shadow → vault"] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn connections_reach_without_requests() {
    of(
        "gateway data { listen 5432 tcp -> store; listen 6443 tls passthrough { sni a.example -> other } }
         service store { protocol tcp; endpoints 127.0.0.1:1; authz { allow data } }
         service other { protocol tcp; endpoints 127.0.0.1:2; authz { allow data } }
         service third { protocol tcp; endpoints 127.0.0.1:3; authz { allow other } }",
        &[
            ("fails", "never internet reaches store"),
            ("fails", "never data reaches other"),
            ("holds", "never internet reaches third"),
            ("holds", "only data reaches store"),
        ],
    );
}

#[test]
fn a_failing_claim_is_told_with_a_request_that_a_test_can_send() {
    let text = format!("{HEAD}{SHOP}assert \"a\" {{ never internet reaches cart POST /admin }}");
    let claims = Claims::of(&text);
    let notes = claims.notes();
    let curl =
        "curl -X POST http://shop.example/admin -H 'authorization: Bearer <a valid corp token>'";
    assert!(notes.contains(curl), "{notes}");
    let fix = &claims.found[0].fixes[0];
    let with_test = format!("{text}{}", fix.edits[0].replacement);
    assert_eq!(fix.edits[0].span.end as usize, text.len());
    let again = Claims::of(&with_test);
    let mesh = again.checked.mesh.as_ref().unwrap();
    let trials = crate::testing::run(&mesh.tests, &again.bundle);
    assert!(!trials[0].passed(), "it fails as long as the claim does");
    assert_eq!(again.found[0].fixes, [], "once is enough");
}

/// Of several gateways at one port a test meets the first that serves the host.
#[test]
fn no_test_is_offered_that_meets_another_gateway() {
    let text = format!(
        "{HEAD}
gateway edge {{ listen 80 http; host a.example {{ /** -> a }} }}
gateway two {{ listen 80 http; host a.example {{ /z -> b }} }}
service a {{ endpoints 127.0.0.1:1; authz {{ allow edge }} }}
service b {{ endpoints 127.0.0.1:2; authz {{ allow two }} }}
assert \"a\" {{ never internet reaches b }}"
    );
    let claims = Claims::of(&text);
    assert_eq!(claims.outcomes(), ["fails"]);
    assert_eq!(claims.found[0].fixes, []);
}
