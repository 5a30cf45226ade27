//! Arguments: of settings, actions, rules, claims and steps.

use super::{finds, fixed};
use crate::vocabulary::Place;

#[test]
fn values_have_their_kind_and_unit() {
    for (statement, found) in [
        ("timeout 5", "E0207: 5"),
        ("timeout 1.5s", "E0206: 1.5s"),
        ("timeout 0s", "E0206: 0s"),
        ("timeout \"5s\"", "E0206: \"5s\""),
        ("timeout [5s]", "E0203: [5s]"),
        ("timeout 1s..2s", "E0203: 1s..2s"),
        ("max-body 64", "E0207: 64"),
        ("max-body 64kb", "E0206: 64kb"),
        ("rate-limit 100", "E0207: 100"),
        ("rate-limit 0/s", "E0220: 0/s"),
        ("fault 5 delay 1s", "E0207: 5"),
        ("fault 5% abort 999", "E0206: 999"),
        ("fault 5% abort 503 until tomorrow-1", ""),
        ("fault 5% abort 503 until 2026-02-30", "E0206: 2026-02-30"),
        ("hedge after 80", "E0207: 80"),
        ("mirror 101% a", "E0206: 101%"),
        ("request-header set a b:c", "E0206: b:c"),
        ("rewrite path /a/*", "E0206: /a/*"),
        ("rewrite prefix \"/{a}\"", "E0206: \"/{a}\""),
        ("rewrite host *.a", "E0213: *.a"),
    ] {
        let expected: &[&str] = if found.is_empty() { &[] } else { &[found] };
        finds(Place::Arm, statement, expected);
    }
}

#[test]
fn every_value_of_a_statement_is_looked_at() {
    finds(
        Place::Arm,
        "fault 101% delay 0s until 2026-13-01",
        &["E0206: 101%", "E0206: 0s", "E0206: 2026-13-01"],
    );
    finds(
        Place::Gateway,
        "host a:80, *b, c { }",
        &["E0214: a:80", "E0213: *b"],
    );
    finds(
        Place::Route,
        "/a -> respond 999 5s",
        &["E0206: 999", "E0206: 5s"],
    );
    finds(
        Place::Host,
        "require jwt Corp when heder.x present",
        &["E0211: heder.x", "E0209: Corp"],
    );
}

#[test]
fn limits_are_above_zero() {
    finds(Place::Limits, "pending 0", &["E0220: 0"]);
    finds(Place::Limits, "pending 1", &[]);
    finds(Place::Limits, "pending 1.5", &["E0206: 1.5"]);
}

#[test]
fn one_edit_mends_a_value() {
    for (statement, right) in [
        ("timeout 1.5s", "timeout 1500ms"),
        ("timeout \"5s\"", "timeout 5s"),
        ("rate-limit 100", "rate-limit 100/s"),
        ("max-body 64kb", "max-body 64KB"),
        ("request-header set a b:c", "request-header set a \"b:c\""),
    ] {
        assert_eq!(fixed(Place::Arm, statement), right);
    }
    assert_eq!(
        fixed(Place::Service, "endpoints db.internal:80"),
        "endpoints dns db.internal:80"
    );
    assert_eq!(
        fixed(Place::Cors, "origins https://a.example"),
        "origins \"https://a.example\""
    );
    assert_eq!(
        fixed(Place::Gateway, "trusted-proxies 10.1.2.3/8"),
        "trusted-proxies 10.0.0.0/8"
    );
}

#[test]
fn a_bare_name_refers_to_a_parameter() {
    for statement in [
        "timeout patience",
        "rate-limit many",
        "max-body large",
        "fault some delay long until later",
        "retry often on 5xx { per-try short; backoff between; budget part min few over long }",
        "request-header set a value",
        "mirror part a",
    ] {
        finds(Place::Arm, statement, &[]);
    }
    finds(Place::Gateway, "trusted-proxies office", &[]);
}

#[test]
fn fixed_words_are_not_parameters() {
    finds(Place::Mesh, "mtls strct", &["E0203: strct"]);
    assert_eq!(fixed(Place::Mesh, "mtls strct"), "mtls strict");
    finds(Place::Arm, "retry on 5xx", &["E0203: on"]);
    finds(Place::Arm, "fault delay 1s", &["E0215: delay"]);
}

#[test]
fn what_must_be_written_is_missed_by_name() {
    finds(Place::Arm, "mirror v3", &["E0215: v3"]);
    finds(Place::Arm, "mirror", &["E0215: "]);
    finds(Place::Mesh, "tracing otlp \"http://a\"", &["E0215: otlp"]);
    finds(Place::Arm, "retry 3", &["E0216: "]);
    finds(Place::Arm, "retry 3 5xx", &["E0216: 5xx"]);
    finds(Place::Arm, "retry 3 on", &["E0203: "]);
    finds(Place::Route, "/a -> split v1, 10% v2", &["E0215: v1"]);
}

#[test]
fn what_is_too_much_is_too_much() {
    finds(Place::Arm, "timeout 5s 6s", &["E0203: 6s"]);
    finds(Place::Listen, "http2 on", &["E0203: on"]);
    finds(Place::Arm, "timeout 5s, 6s", &["E0203: ,"]);
    finds(Place::Service, "hosts a, b,", &["E0203: "]);
    finds(Place::Service, "hosts a b", &["E0203: b"]);
    finds(Place::Arm, "timeout 5s when a", &["E0203: when a"]);
    finds(Place::Arm, "timeout 5s -> a", &["E0203: a"]);
    finds(Place::Gateway, "listen 80 tcp", &["E0203: "]);
    finds(Place::Gateway, "listen 80 http -> a", &["E0203: a"]);
}

#[test]
fn endpoints_have_many_sources() {
    for statement in [
        "endpoints 127.0.0.1:9080",
        "endpoints [::1]:80 weight 0 via 127.0.0.1:81, 10.0.0.1:80",
        "endpoints dns a.internal:80 every 5s",
        "endpoints dns _http._tcp.a.internal",
        "endpoints from inventory",
        "endpoints from inventory where version == \"v3\" and zone in [\"a\"]",
        "endpoints file \"a.yaml\"",
        "endpoints kubernetes default/reviews:9080",
        "endpoints kubernetes default/reviews:http",
        "endpoints etcd \"/reviews/\"",
        "endpoints here",
    ] {
        finds(Place::Version, statement, &[]);
    }
    for (statement, found) in [
        ("endpoints 127.0.0.1", "E0206: 127.0.0.1"),
        ("endpoints 127.0.0.1:0", "E0206: 127.0.0.1:0"),
        ("endpoints dns a.internal", "E0206: a.internal"),
        ("endpoints kubernetes reviews:9080", "E0206: reviews:9080"),
        ("endpoints 127.0.0.1:1 wieght 2", "E0203: wieght"),
        (
            "endpoints from inventory where header[\"a\"] == \"b\"",
            "E0211: header",
        ),
        ("endpoints from inventory when a", "E0203: when a"),
    ] {
        finds(Place::Version, statement, &[found]);
    }
}

#[test]
fn fields_among_arguments() {
    for statement in [
        "sticky cookie.session",
        "sticky header[\"X_Y\"]",
        "sticky client-ip",
        "sticky off",
    ] {
        finds(Place::Arm, statement, &[]);
    }
    finds(Place::RateLimit, "per client-ip, jwt.corp.sub, source", &[]);
    finds(Place::Service, "balance hash by source.ip", &[]);
    finds(Place::Arm, "sticky query.x", &["E0203: query.x"]);
    finds(Place::Arm, "sticky hedaer.x", &["E0211: hedaer.x"]);
    finds(Place::Arm, "sticky session", &["E0203: session"]);
    finds(Place::Arm, "sticky header [\"X_Y\"]", &["E0203: header"]);
    finds(
        Place::Service,
        "balance hash by client-ip",
        &["E0203: client-ip"],
    );
    finds(Place::RateLimit, "per path", &["E0203: path"]);
    finds(
        Place::RateLimit,
        "per jwt.Corp.sub",
        &["E0209: jwt.Corp.sub"],
    );
}

#[test]
fn names_of_many_kinds() {
    finds(
        Place::Service,
        "identity spiffe://a.example/ns/x/svc/y",
        &[],
    );
    finds(
        Place::Service,
        "identity spiffe://a.example",
        &["E0206: spiffe://a.example"],
    );
    finds(Place::Service, "hosts a.b, *.c.d", &[]);
    finds(Place::Gateway, "host A.example { }", &["E0206: A.example"]);
    finds(
        Place::Gateway,
        "host a.example:443 { }",
        &["E0214: a.example:443"],
    );
    finds(Place::Passthrough, "sni shop.* -> a", &["E0213: shop.*"]);
    finds(Place::Host, "open /a/**, /b to namespace n", &[]);
    finds(
        Place::Host,
        "open /a/../b to namespace n",
        &["E0208: /a/../b"],
    );
    finds(
        Place::Cors,
        "origins \"https://A.example/\"",
        &["E0206: \"https://A.example/\""],
    );
    finds(
        Place::Service,
        "health GET /h?full=1 { expect 200, 204, 3xx, 500..501 }",
        &[],
    );
    finds(Place::Health, "expect 299..200", &["E0206: 299..200"]);
    finds(Place::Service, "tls passthrough", &["E0203: passthrough"]);
    finds(Place::External, "tls passthrough", &[]);
}

#[test]
fn arms_are_looked_at_part_by_part() {
    for (arm, found) in [
        ("/a/../b -> c", "E0208: /a/../b"),
        ("\"/a//b\" -> c", "E0208: \"/a//b\""),
        ("/admin* -> c", "E0213: /admin*"),
        ("/{a}/{a} -> c", "E0206: /{a}/{a}"),
        ("\"a\" -> c", "E0206: \"a\""),
        ("/a -> C", "E0101: C"),
        ("/a -> c.d.e", "E0209: c.d.e"),
        ("/a -> split 101% a", "E0206: 101%"),
        ("/a -> split 5 a", "E0207: 5"),
        ("/a -> split rest a, rest b", "E0203: rest b"),
        ("/a -> respond 99", "E0206: 99"),
        ("/a -> respond 404 page", ""),
        ("/a -> respond 404 \"a\" \"b\"", "E0203: \"b\""),
        ("/a -> respond 404 file", "E0203: "),
        ("/a -> redirect 301 \"/b\"", ""),
        ("/a -> redirect \"https://b.example\"", ""),
        ("/a -> redirect 305 \"/b\"", "E0206: 305"),
        ("/a -> redirect \"b\"", "E0206: \"b\""),
        ("/a -> redirect", "E0203: redirect"),
        ("/a -> redirect { timeout 5s }", "E0203: redirect"),
        ("/a -> redirect { path \"/{id}\" }", ""),
        ("/a -> redirect 301 \"/b\" { path \"/c\" }", "E0202: path"),
    ] {
        let expected: &[&str] = if found.is_empty() { &[] } else { &[found] };
        finds(Place::Host, arm, expected);
    }
    assert_eq!(fixed(Place::Host, "\"/a//b\" -> c"), "\"/a/b\" -> c");
}

#[test]
fn rules_claims_and_steps_are_looked_at_part_by_part() {
    finds(Place::Authz, "allow a.v1", &["E0206: a.v1"]);
    finds(
        Place::Authz,
        "allow n/a, namespace default to GET /a/**",
        &[],
    );
    finds(Place::Authz, "allow a to /b//c", &["E0208: /b//c"]);
    finds(Place::Authz, "Reads: allow a", &["E0209: Reads"]);
    finds(Place::Assert, "never a reaches b.v1 GET /x/**", &[]);
    finds(
        Place::Assert,
        "never a reaches b at Shop.example",
        &["E0206: Shop.example"],
    );
    finds(
        Place::Assert,
        "every route in edge has max-body <= 1MiB",
        &[],
    );
    finds(Place::Assert, "every route in edge has retry == 0", &[]);
    finds(
        Place::Assert,
        "every route in edge has timeout <= 30",
        &["E0207: 30"],
    );
    finds(
        Place::Assert,
        "every route in edge has tiemout <= 30s",
        &["E0211: tiemout"],
    );
    finds(
        Place::Assert,
        "every route in edge has timeout present",
        &["E0212: timeout present"],
    );
    finds(Place::Test, "request GET http://a/b from n/c", &[]);
    finds(Place::Test, "request GET /b", &["E0203: /b"]);
    finds(
        Place::Test,
        "request GET http://a/ from anyone",
        &["E0203: anyone"],
    );
    finds(Place::Test, "expect 42", &["E0206: 42"]);
    finds(Place::Test, "expect redirect 301", &[]);
    finds(Place::Test, "expect split 50 a, rest b", &["E0207: 50"]);
    finds(
        Place::Request,
        "jwt corp { sub \"a\"; groups [\"x\", 1, true]; realm { roles [\"r\"] }; exp 5 }",
        &[],
    );
    finds(
        Place::Request,
        "client-ip 10.0.0.256",
        &["E0206: 10.0.0.256"],
    );
    finds(Place::Claims, "groups [[1]]", &["E0203: [[1]]"]);
}

#[test]
fn parameters_and_lets_hold_any_value() {
    for value in [
        "10%",
        "5s",
        "64KiB",
        "100/s",
        "503",
        "5xx",
        "500..599",
        "1s..2s",
        "10.0.0.0/8",
        "[::1]:80",
        "127.0.0.1:80",
        "\"a\"",
        "/a/**",
        "shop.example",
        "v2",
        "[10.0.0.0/8, ::1]",
        "2026-12-01",
        "GET",
    ] {
        finds(Place::File, &format!("param a = {value}"), &[]);
    }
    for (value, code) in [
        ("1.5s", "E0206"),
        ("5zz", "E0206"),
        ("64kb", "E0206"),
        ("5/m", "E0206"),
        ("101%", "E0206"),
        ("10.1.2.3/8", "E0206"),
        ("2s..1s", "E0206"),
        ("/a//b", "E0208"),
    ] {
        finds(
            Place::File,
            &format!("param a = {value}"),
            &[&format!("{code}: {value}")],
        );
        let list = format!("let a = [1, {value}]");
        finds(Place::File, &list, &[&format!("{code}: {value}")]);
    }
}

#[test]
fn broken_statements_are_left_to_the_parser() {
    finds(Place::Arm, "timeout = 5", &["E0101: ="]);
    finds(
        Place::Route,
        "/a//b when x == -> c { timeout 5 }",
        &["E0101: ->", "E0207: 5"],
    );
    finds(Place::Service, "frobnicate = x", &["E0101: ="]);
    finds(Place::Authz, "allow a.v1 to", &["E0101: }"]);
}
