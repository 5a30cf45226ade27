//! Conditions: fields, comparisons and what is compared.

use super::{finds, fixed};
use crate::vocabulary::Place;

#[track_caller]
fn condition(text: &str, found: &str) {
    let expected: &[&str] = if found.is_empty() { &[] } else { &[found] };
    finds(Place::Route, &format!("when {text} -> a"), expected);
}

#[test]
fn fields_take_what_they_hold() {
    for text in [
        "method == GET",
        "method in [GET, M-SEARCH]",
        "path == /a/**",
        "path in [/a, \"/b;c\"]",
        "path starts-with /a",
        "path matches r\"/a.*\"",
        "path contains \"x\"",
        "host == *.a.example",
        "host ends-with \".example\"",
        "scheme != http",
        "port >= 1024",
        "header.x == \"a\"",
        "header.x == 5",
        "header.x < 5",
        "header[\"X_Y\"] present",
        "query.a absent",
        "cookie.a not in [\"b\"]",
        "source == edge",
        "source in [n/a, b]",
        "source present",
        "source.namespace == default",
        "source.ip in [10.0.0.0/8, ::1]",
        "client-ip == 10.0.0.7",
        "client-ip not in office",
        "client-cert.san ends-with \".a\"",
        "jwt.corp",
        "not jwt.corp present",
        "jwt.corp.groups contains \"qa\"",
        "jwt.corp.realm.level > 3",
        "jwt.corp[\"https://a.example/roles\"] contains \"x\"",
        "key.partners == \"acme\"",
        "not key.partners",
        "grpc.service == \"a.B\"",
        "qa and (office or not beta)",
        "header.x == team",
    ] {
        condition(text, "");
    }
}

#[test]
fn unknown_fields_are_compared_with_known_ones() {
    condition("heder.x == \"a\"", "E0211: heder.x");
    condition("header == \"a\"", "E0211: header");
    condition("method[\"a\"] == \"b\"", "E0211: method[\"a\"]");
    condition("jwt[\"a\"] present", "E0211: jwt[\"a\"]");
    condition("qa == \"b\"", "E0211: qa");
    condition("Qa", "E0211: Qa");
    condition("header.host == \"a\"", "E0211: header.host");
    condition("header.Cookie present", "E0211: header.Cookie");
    condition("header[\"Host\"] present", "E0211: header[\"Host\"]");
    condition("jwt.Corp present", "E0209: jwt.Corp");
    let fix = |text: &str| fixed(Place::Route, &format!("when {text} -> a"));
    assert_eq!(fix("heder.x == \"a\""), "when header.x == \"a\" -> a");
    assert_eq!(
        fix("clientip == 10.0.0.1"),
        "when client-ip == 10.0.0.1 -> a"
    );
    assert_eq!(
        fix("source.namspace == a"),
        "when source.namespace == a -> a"
    );
}

#[test]
fn fields_are_compared_in_their_ways() {
    condition("method matches r\"G.*\"", "E0212: matches");
    condition("method present", "E0212: present");
    condition("source contains \"a\"", "E0212: contains");
    condition("path < 5", "E0212: <");
    condition("client-ip starts-with \"10.\"", "E0212: starts-with");
    condition("jwt.corp == \"a\"", "E0212: ==");
    condition("header.x not in \"a\"", "E0212: \"a\"");
    condition("header.x", "E0212: header.x");
    condition("path", "E0212: path");
    assert_eq!(
        fixed(Place::Route, "when header.x -> a"),
        "when header.x present -> a"
    );
    assert_eq!(
        fixed(Place::Route, "when path in /a -> b"),
        "when path in [/a] -> b"
    );
}

#[test]
fn what_is_compared_has_its_kind() {
    condition("method == get", "E0206: get");
    condition("path == /a/../b", "E0208: /a/../b");
    condition("path == 5", "E0212: 5");
    condition("host == a.example:80", "E0214: a.example:80");
    condition("scheme == ftp", "E0212: ftp");
    condition("port == 70000", "E0206: 70000");
    condition("header.x < \"5\"", "E0206: \"5\"");
    condition("header.x == /a", "E0206: /a");
    condition("header.x matches 5", "E0206: 5");
    condition("source == Edge", "E0209: Edge");
    condition("client-ip in [10.1.2.3/8]", "E0206: 10.1.2.3/8");
    condition("header.x in [\"a\", /b]", "E0206: /b");
}

#[test]
fn every_place_of_a_condition_is_looked_at() {
    let bad = "heder.x == \"a\"";
    let found = &["E0211: heder.x"];
    finds(Place::File, &format!("let x = not ({bad})"), found);
    finds(Place::File, "let x = jwt.corp", &[]);
    finds(
        Place::File,
        "let x = jwt.corp.sub",
        &["E0212: jwt.corp.sub"],
    );
    finds(Place::File, "let x = header.y", &["E0212: header.y"]);
    finds(
        Place::Host,
        &format!("require jwt corp unless {bad}"),
        found,
    );
    finds(Place::Authz, &format!("allow a when {bad} or b"), found);
    finds(
        Place::Assert,
        &format!("never a reaches b unless {bad}"),
        found,
    );
}
