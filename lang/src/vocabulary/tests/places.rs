//! Where statements stand, and what blocks need.

use super::{clean, finds, fixed};
use crate::vocabulary::Place;

#[test]
fn unknown_statements_are_compared_with_those_of_the_place() {
    finds(Place::Service, "tiemout 5s", &["E0201: tiemout"]);
    assert_eq!(fixed(Place::Service, "tiemout 5s"), "timeout 5s");
    assert_eq!(fixed(Place::Retry, "backof 1s..2s"), "backoff 1s..2s");
    finds(
        Place::Service,
        "frobnicate { a; b { c } }",
        &["E0201: frobnicate"],
    );
    finds(Place::File, "frobnicate x", &["E0201: frobnicate"]);
    assert_eq!(fixed(Place::Route, "get /x -> y"), "GET /x -> y");
    assert_eq!(fixed(Place::Host, "delete /x -> y"), "DELETE /x -> y");
}

#[test]
fn misplaced_statements_are_told_where_they_stand() {
    finds(Place::Service, "edition 2026", &["E0202: edition"]);
    finds(Place::File, "timeout 5s", &["E0202: timeout"]);
    finds(Place::RouteArm, "require jwt corp", &["E0202: require"]);
    finds(Place::RouteArm, "rate-limit 5/s", &["E0202: rate-limit"]);
    finds(Place::Service, "burst 5", &["E0202: burst"]);
    finds(Place::Arm, "prefix \"/new\"", &["E0202: prefix"]);
    finds(Place::Fragment, "timeout 5s", &["E0202: timeout"]);
    finds(Place::Policy, "jwt corp", &["E0202: jwt"]);
}

#[test]
fn arms_stand_where_requests_are_routed() {
    for place in Place::ARMS {
        finds(*place, "/x -> y", &[]);
    }
    finds(Place::Service, "GET /x -> y", &["E0202: GET /x"]);
    finds(Place::Service, "otherwise -> y", &["E0202: otherwise"]);
    finds(
        Place::Gateway,
        "GET /x -> y { timeout 5 }",
        &["E0202: GET /x", "E0207: 5"],
    );
    finds(Place::File, "/x -> y", &["E0202: /x"]);
}

#[test]
fn rules_stand_in_authz() {
    finds(Place::Authz, "allow a; deny b", &[]);
    finds(Place::NamespaceAuthz, "deny a", &[]);
    finds(Place::NamespaceAuthz, "allow a", &["E0202: allow"]);
    finds(Place::Service, "allow a", &["E0202: allow"]);
    finds(Place::Host, "deny a", &["E0202: deny"]);
    finds(Place::Authz, "allow internet", &["E0203: internet"]);
}

#[test]
fn items_stand_in_files_and_namespaces() {
    finds(
        Place::Namespace,
        "service a { }; param b = 1; jwt j { issuer \"i\"; jwks file \"f\" }",
        &[],
    );
    finds(
        Place::Namespace,
        "namespace m { service a { } }",
        &["E0202: namespace"],
    );
    finds(Place::Service, "service b { }", &["E0202: service"]);
    finds(Place::Service, "let b = 1", &["E0202: let"]);
    finds(
        Place::Gateway,
        "param b = 5zz",
        &["E0202: param", "E0206: 5zz"],
    );
}

#[test]
fn names_are_looked_at() {
    for (text, found) in [
        ("service A { }", "E0209: A"),
        ("service a_b { }", "E0209: a_b"),
        ("service rest { }", "E0210: rest"),
        ("policy off { }", "E0210: off"),
        ("param default = 1", "E0210: default"),
        ("let host = 1", "E0210: host"),
        ("let client-ip = 1", "E0210: client-ip"),
        ("routes edge a.example:80 { }", "E0214: a.example:80"),
        ("routes Edge a.example { }", "E0209: Edge"),
        ("import \"\"", "E0206: \"\""),
    ] {
        finds(Place::File, text, &[found]);
    }
    finds(Place::Service, "version V1 { }", &["E0209: V1"]);
    finds(Place::Route, "Writes: /a -> b", &["E0209: Writes"]);
    clean("service host { }\nservice timeout { }\nroutes n/edge *.a.example { }");
}

#[test]
fn blocks_are_there_where_they_belong() {
    finds(Place::Service, "route", &["E0204: route"]);
    finds(Place::Service, "version v1", &["E0204: version v1"]);
    finds(Place::Service, "limits", &["E0204: limits"]);
    finds(Place::Service, "limits off", &[]);
    finds(Place::Service, "timeout", &["E0204: timeout"]);
    finds(Place::Service, "timeout { connect 1s }", &[]);
    finds(Place::Policy, "hedge after 1s { }", &["E0205: { }"]);
    finds(Place::Listen, "http2 { a }", &["E0205: { a }"]);
    finds(Place::Gateway, "listen 80 tcp -> a { }", &["E0205: { }"]);
}

#[test]
fn blocks_have_what_they_need() {
    finds(Place::File, "jwt a { }", &["E0218: jwt a", "E0218: jwt a"]);
    finds(Place::File, "keys a { file \"f\" }", &["E0218: keys a"]);
    finds(Place::Policy, "cors { methods GET }", &["E0218: cors"]);
    finds(
        Place::Policy,
        "rate-limit shared 5/s { }",
        &["E0217: rate-limit shared 5/s"],
    );
    finds(
        Place::Service,
        "authz external \"http://a/check\" { timeout 1s }",
        &["E0217: authz external \"http://a/check\""],
    );
}

#[test]
fn what_stands_once_stands_once() {
    finds(
        Place::Policy,
        "timeout 1s; retry off; timeout 2s",
        &["E0219: timeout 2s"],
    );
    finds(
        Place::Service,
        "authz { }; authz shadow { }; authz external \"http://a\" { on-failure open }",
        &[],
    );
    finds(Place::Service, "authz { }; authz { }", &["E0219: authz"]);
    finds(
        Place::Policy,
        "rewrite path \"/a\"; rewrite host a; rewrite host b",
        &["E0219: rewrite host b"],
    );
    finds(
        Place::Policy,
        "mirror 1% a; mirror 2% b; fault 1% abort 503; fault 2% delay 1s",
        &[],
    );
    finds(Place::Arm, "timeout 1s { idle 1m }", &[]);
}

#[test]
fn environments_set_what_items_have() {
    finds(
        Place::Env,
        "set param a = 25%; set service n/b.v1.endpoints = 10.0.0.1:80",
        &[],
    );
    finds(Place::Env, "set route a.b = 1", &["E0203: route"]);
    finds(Place::Env, "set service a = 1", &["E0206: a"]);
    finds(Place::Env, "set param a.b = 1", &["E0206: a.b"]);
    finds(Place::Env, "set service a.timeout = 1.5s", &["E0206: 1.5s"]);
}
