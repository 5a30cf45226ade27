//! Tables as people write them, and what is easily got wrong about them.

use super::*;
use crate::model::{JwtId, KeysId};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::value::{Cidr, HostPattern};

fn hosts(patterns: &[&str]) -> Condition {
    let patterns = patterns.iter();
    let patterns = patterns.map(|text| HostPattern::parse(text).unwrap());
    test(Field::Host, Predicate::Hosts(patterns.collect()))
}

fn port(low: i64, high: i64) -> Condition {
    test(Field::Port, Predicate::Between(low, high))
}

fn networks(field: Field, networks: &[&str]) -> Condition {
    let networks = networks.iter().map(|text| Cidr::parse(text).unwrap());
    test(field, Predicate::Networks(networks.collect()))
}

fn number(field: Field, low: i64, high: i64) -> Condition {
    test(field, Predicate::Between(low, high))
}

/// The requests that reach the arms, as text; the number of the arm and "-" where there is none.
fn witnesses(subject: &Subject) -> Vec<String> {
    let reach = subject.reach();
    let text = |(arm, reach): (usize, &Reach)| match reach {
        Reach::Reached(request) => {
            assert_eq!(subject.interpreted(request), Ok(Some(arm as u32)));
            request.to_string()
        }
        Reach::Unreachable(_) | Reach::Impossible => "-".to_owned(),
        Reach::NotDecided(reason) => panic!("arm {arm}: {reason}"),
    };
    reach.iter().enumerate().map(text).collect()
}

#[test]
fn an_arm_behind_a_wider_one_is_dead() {
    let subject = Subject::new(vec![
        arm("/api/**"),
        arm("GET /health"),
        arm("POST /api/orders"),
    ]);
    let reach = subject.reach();
    assert_eq!(dead(&reach), [(2, vec![0])]);
    assert_eq!(witness(&reach[0]), "GET http://shop.example/api");
    let Reach::Unreachable(covered) = &reach[2] else {
        unreachable!()
    };
    let example = covered.by[0].example.to_string();
    assert_eq!(example, "POST http://shop.example/api/orders");
}

#[test]
fn several_arms_may_cover_one_together_and_none_of_them_alone() {
    let subject = Subject::new(vec![
        arm("GET, HEAD /a/**"),
        arm("/a/**").when(is(header("x"), &["1"])),
        arm("POST /a/b"),
        arm("/a/**").when(not(is(Field::Method, &["GET", "HEAD", "POST"]))),
        arm("/a/b"),
        arm("/a/*"),
    ]);
    assert_eq!(dead(&subject.reach()), [(4, vec![0, 2, 3])]);
}

#[test]
fn arms_that_are_superfluous_are_not_named() {
    // The first takes some of the last one's requests, but the second would have taken them.
    let subject = Subject::new(vec![arm("GET /a"), arm("/a"), arm("/a")]);
    assert_eq!(dead(&subject.reach()), [(2, vec![1])]);
}

#[test]
fn what_no_normal_path_looks_like_reaches_nothing() {
    // There is no path without a segment, none with an empty one before its end, none with a dot in it.
    let subject = Subject::new(vec![
        arm("/*/**"),
        arm("/"),
        arm("").when(matches(Field::Path, "//.*")),
        arm("").when(matches(Field::Path, r"/a/\.\./.*")),
        arm("").when(matches(Field::Path, "/%41|/%2f|/a b|/[^!-~]+")),
        arm(""),
    ]);
    assert_eq!(
        dead(&subject.reach()),
        [(2, vec![]), (3, vec![]), (4, vec![]), (5, vec![0, 1])]
    );
}

#[test]
fn an_empty_segment_is_taken_by_no_wildcard_but_the_last() {
    let subject = Subject::new(vec![
        arm("/a/*"),
        arm("/a"),
        arm("/a/*/**"),
        arm("/a/**"),
        arm("/a/"),
    ]);
    assert_eq!(
        witnesses(&subject),
        [
            "GET http://shop.example/a/a",
            "GET http://shop.example/a",
            "GET http://shop.example/a/a/a",
            "GET http://shop.example/a/",
            "-",
        ]
    );
}

#[test]
fn partials_of_one_place_are_told_apart_by_words_that_exist() {
    let subject = Subject::new(vec![
        arm("/{name}.css"),
        arm("/{name}.html"),
        arm("/v{n}"),
        arm("/v{n}.css"),
        arm("/{x}.css").when(matches(Field::Path, "/v.*")),
        arm("/v"),
    ]);
    assert_eq!(dead(&subject.reach()), [(3, vec![0]), (4, vec![0])]);
    // `.` and `..` are no segments, so that nothing between two dots is a single one.
    let subject = Subject::new(vec![
        arm("/.{x}."),
        arm("/.{x}").when(matches(Field::Path, r"/\..?\.?")),
    ]);
    assert_eq!(
        witnesses(&subject),
        ["GET http://shop.example/.a.", "GET http://shop.example/.a"]
    );
}

#[test]
fn tails_hang_together_with_heads_and_lengths() {
    let subject = Subject::new(vec![
        arm("/**/info"),
        arm("/a/**/info"),
        arm("/a/**/b"),
        arm("/a/b"),
        arm("/a/*/b"),
        arm("/**/b").when(matches(Field::Path, "(/.)*")),
    ]);
    assert_eq!(
        dead(&subject.reach()),
        [(1, vec![0]), (3, vec![2]), (4, vec![2])]
    );
    // A tail that the pattern before it cannot have.
    let subject = Subject::new(vec![
        arm("/x/y").when(test(Field::Path, Predicate::Paths(vec![pattern("/**/z")]))),
    ]);
    assert_eq!(dead(&subject.reach()), [(0, vec![])]);
}

#[test]
fn tests_on_the_text_of_a_path_hang_together_with_its_patterns() {
    let suffix = |text: &str| {
        test(
            Field::Path,
            Predicate::Text(TextPattern::Suffix(text.into())),
        )
    };
    let prefix = |text: &str| {
        test(
            Field::Path,
            Predicate::Text(TextPattern::Prefix(text.into())),
        )
    };
    let subject = Subject::new(vec![
        arm("").when(suffix(".js")),
        arm("/static/**").when(suffix("/app.js")),
        arm("/static/{file}.css").when(prefix("/static/v")),
        arm("/static/{file}.css").when(matches(Field::Path, "/static/v[0-9]+.*")),
        arm("/static/**").when(not(contains(Field::Path, "a"))),
        arm("/static/**").when(contains(Field::Path, "static")),
    ]);
    assert_eq!(
        dead(&subject.reach()),
        [(1, vec![0]), (3, vec![2]), (4, vec![]),]
    );
}

#[test]
fn witnesses_read_like_requests() {
    let callers = World {
        callers: vec!["default/cart".to_owned(), "payments/ledger".to_owned()].into(),
        ..World::default()
    };
    let subject = Subject::new(vec![
        arm("/users/{id}/orders").when(is(header("x-team"), &["qa", "dev"])),
        arm("POST, PUT /cart").when(test(header("x-id"), Predicate::Present)),
        arm("").when(and([
            is(Field::Cookie("session".into()), &["42"]),
            number(Field::Query("page".into()), 7, 100),
        ])),
        arm("").when(is(Field::SourceNamespace, &["payments"])),
        arm("").when(networks(Field::ClientIp, &["10.1.0.0/16", "fd00::/8"])),
        arm("").when(hosts(&["*.shop.example"])),
        arm("").when(port(8000, 9000)),
        arm("").when(is(Field::Scheme, &["https"])),
        arm("").when(matches(header("x-v"), "v[0-9]+(\\.[0-9]+)?")),
        arm("").when(is(Field::Query("q".into()), &["a b&c=\u{e9}"])),
        arm("").when(not(is(Field::Method, &["GET", "HEAD", "POST"]))),
        arm(""),
    ])
    .in_world(callers);
    assert_eq!(
        witnesses(&subject),
        [
            "GET http://shop.example/users/a/orders { header x-team \"dev\" }",
            "POST http://shop.example/cart { header x-id \"a\" }",
            "GET http://shop.example/?page=7 { cookie session \"42\" }",
            "GET http://shop.example/ from payments/ledger",
            "GET http://shop.example/ { client-ip 10.1.0.1 }",
            "GET http://a.shop.example/",
            "GET http://shop.example:8080/",
            "GET https://shop.example/",
            "GET http://shop.example/ { header x-v \"v0\" }",
            "GET http://shop.example/?q=a%20b%26c%3D%C3%A9",
            "PUT http://shop.example/",
            "GET http://shop.example/",
        ]
    );
}

#[test]
fn a_request_can_be_sent_as_it_is_shown() {
    let subject = Subject::new(vec![arm("DELETE /a").when(and([
        is(header("x-text"), &["it's \"x\""]),
        is(Field::Cookie("c".into()), &["1"]),
        is(Field::Query("q".into()), &["?"]),
    ]))]);
    let Reach::Reached(request) = &subject.reach()[0] else {
        unreachable!()
    };
    assert_eq!(
        request.curl(),
        r#"curl -X DELETE 'http://shop.example/a?q=%3F' -H 'x-text: it'\''s "x"' --cookie c=1"#
    );
    assert_eq!(
        request.to_string(),
        r#"DELETE http://shop.example/a?q=%3F { header x-text "it's \"x\""; cookie c "1" }"#
    );
}

#[test]
fn values_that_a_field_cannot_carry_reach_nothing() {
    let cookie = |name: &str| Field::Cookie(name.to_owned());
    let query = |name: &str| Field::Query(name.to_owned());
    let subject = Subject::new(vec![
        arm("").when(is(header("h"), &[" a", "a\n", "a\t"])),
        arm("").when(matches(header("h"), "a.*\r\n.*")),
        arm("").when(is(cookie("c"), &["a;b", "a "])),
        arm("").when(test(cookie("a;b"), Predicate::Present)),
        arm("").when(not(test(Field::Path, Predicate::Present))),
        arm("").when(is(Field::Method, &["G T"])),
        arm("").when(hosts(&["*.shop.example"])).when(and([
            hosts(&["*.shop.example"]),
            matches(Field::Host, ".*[A-Z:].*"),
        ])),
        arm("").when(is(query("q"), &[" a", "a\n", "\u{0}"])),
        arm("").when(is(cookie("c"), &[" a"])),
        arm("").when(is(header("h"), &[""])),
    ]);
    let reach = subject.reach();
    let none: Vec<u32> = Vec::new();
    let expected: Vec<(usize, Vec<u32>)> = (0..7).map(|arm| (arm, none.clone())).collect();
    assert_eq!(dead(&reach), expected);
    witnesses(&subject);
}

#[test]
fn a_header_may_hold_bytes_that_are_no_text() {
    let subject = Subject::new(vec![arm("").when(matches(header("h"), r"\xff[\x80-\xbf]"))]);
    let Reach::Reached(request) = &subject.reach()[0] else {
        panic!("it is reached")
    };
    assert_eq!(request.headers[0].1, b"\xff\x80");
    assert!(request.with_plain(|_| ()).is_none());
}

#[test]
fn hosts_are_names_or_addresses_in_brackets() {
    let subject = Subject::new(vec![
        arm("").when(matches(Field::Host, r"\[.*\]")),
        arm("").when(matches(Field::Host, "[^a-z]+")),
        arm("").when(matches(Field::Host, ".*_.{3}")),
    ]);
    assert_eq!(
        witnesses(&subject),
        ["GET http://[::]/", "GET http://0/", "GET http://_aaa/"]
    );
    // A label has 63 bytes at most, a name 253.
    let subject = Subject::new(vec![
        arm("").when(matches(Field::Host, "[a-z]{63}")),
        arm("").when(matches(Field::Host, "[a-z]{64}")),
        arm("").when(matches(Field::Host, "([a-z]{9}[.]){24}[a-z]{13}")),
        arm("").when(matches(Field::Host, "([a-z]{9}[.]){24}[a-z]{14}")),
    ]);
    assert_eq!(dead(&subject.reach()), [(1, vec![]), (3, vec![])]);
}

#[test]
fn only_requests_that_there_are_reach_anything() {
    let arms = || {
        vec![
            arm("").when(port(80, 80)),
            arm("").when(and([port(443, 443), is(Field::Scheme, &["http"])])),
            arm("").when(is(Field::Source, &["default/edge"])),
            arm("").when(test(Field::Source, Predicate::Present)),
            arm("").when(not(test(Field::Source, Predicate::Present))),
            arm("/%2F").when(port(8443, 8443)),
        ]
    };
    let everywhere = Subject::new(arms());
    assert_eq!(
        dead(&everywhere.reach()),
        [(2, vec![]), (3, vec![]), (5, vec![])]
    );
    let world = World {
        encoded_slash: EncodedSlash::Keep,
        callers: vec!["default/edge".to_owned()].into(),
        anonymous: false,
        doors: vec![
            Door {
                https: true,
                port: 443,
            },
            Door {
                https: true,
                port: 8443,
            },
        ],
        ..World::default()
    };
    let here = Subject::new(arms()).in_world(world);
    assert_eq!(
        dead(&here.reach()),
        [
            (0, vec![]),
            (1, vec![]),
            (3, vec![2]),
            (4, vec![]),
            (5, vec![2])
        ]
    );
}

#[test]
fn ports_are_numbers() {
    let subject = Subject::new(vec![
        arm("").when(is(Field::Port, &["443", "8443"])),
        arm("").when(and([is(Field::Port, &["443"]), port(1, 500)])),
        arm("").when(port(8443, 8444)),
        arm("").when(not(port(1, 65535))),
    ]);
    let reach = subject.reach();
    assert_eq!(dead(&reach), [(1, vec![0]), (3, vec![])]);
    assert_eq!(witness(&reach[2]), "GET http://shop.example:8444/");
}

#[test]
fn claims_come_with_their_token() {
    let claim = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Field::Claim(JwtId(0), names)
    };
    let has = |field: Field, member: &str| test(field, Predicate::Member(member.to_owned()));
    let world = World {
        tokens: vec!["corp".to_owned()],
        keys: vec!["partners".to_owned()],
        ..World::default()
    };
    let token = || test(Field::Jwt(JwtId(0)), Predicate::Present);
    let subject = Subject::new(vec![
        arm("").when(and([
            has(claim(&["groups"]), "qa"),
            not(has(claim(&["groups"]), "dev")),
            is(claim(&["sub"]), &["a"]),
        ])),
        arm("").when(has(claim(&["realm_access", "roles"]), "admin")),
        arm("").when(and([not(token()), is(claim(&["sub"]), &["a"])])),
        arm("").when(is(Field::Key(KeysId(0)), &["acme"])),
        arm("").when(and([
            has(Field::ClientCertSan, "a.example"),
            test(
                Field::ClientCertSan,
                Predicate::Text(TextPattern::Suffix(".b.example".into())),
            ),
        ])),
        arm("").when(token()),
    ])
    .in_world(world);
    assert_eq!(
        witnesses(&subject),
        [
            "GET http://shop.example/ { jwt corp { groups [\"qa\"]; sub \"a\" } }",
            "GET http://shop.example/ { jwt corp { realm_access { roles [\"admin\"] } } }",
            "-",
            "GET http://shop.example/ { key partners \"acme\" }",
            "GET http://shop.example/ { client-cert.san [\"a.example\", \".b.example\"] }",
            "GET http://shop.example/ { jwt corp }",
        ]
    );
    // Where nobody asks clients for certificates none has one.
    let bare = World {
        certificates: false,
        ..World::default()
    };
    let shown = || test(Field::ClientCertSan, Predicate::Present);
    let subject = Subject::new(vec![arm("").when(shown()), arm("").when(not(shown()))]);
    assert_eq!(dead(&subject.in_world(bare).reach()), [(0, vec![])]);
}

#[test]
fn without_proxies_in_front_the_client_is_the_peer() {
    let office = |field| networks(field, &["10.0.0.0/8"]);
    let arms = || vec![arm("").when(and([office(Field::ClientIp), not(office(Field::SourceIp))]))];
    let proxied = Subject::new(arms());
    assert_eq!(
        witness(&proxied.reach()[0]),
        "GET http://shop.example/ { client-ip 10.0.0.1; source.ip 192.0.2.1 }"
    );
    let world = World {
        direct: true,
        ..World::default()
    };
    assert_eq!(
        dead(&Subject::new(arms()).in_world(world).reach()),
        [(0, vec![])]
    );
}

#[test]
fn networks_of_both_kinds_are_told_apart() {
    let from = |networks_of: &[&str]| networks(Field::ClientIp, networks_of);
    let subject = Subject::new(vec![
        arm("").when(from(&["0.0.0.0/0"])),
        arm("").when(from(&["::/0"])),
        arm(""),
    ]);
    assert_eq!(dead(&subject.reach()), [(2, vec![0, 1])]);
}

#[test]
fn numbers_are_compared_as_numbers() {
    let page = |low, high| number(Field::Query("page".into()), low, high);
    let subject = Subject::new(vec![
        arm("").when(page(i64::MIN, 9)),
        arm("").when(and([
            page(1, 10),
            matches(Field::Query("page".into()), "[0-9]{4}"),
        ])),
        arm("").when(and([
            page(10, 12),
            matches(Field::Query("page".into()), "[2-9].*"),
        ])),
        arm("").when(page(10, i64::MAX)),
        arm("").when(matches(Field::Query("page".into()), "-?[0-9]+")),
        arm("").when(test(Field::Query("page".into()), Predicate::Present)),
    ]);
    let reach = subject.reach();
    assert_eq!(dead(&reach), [(2, vec![]), (4, vec![0, 3])]);
    assert_eq!(witness(&reach[1]), "GET http://shop.example/?page=0010");
}

#[test]
fn what_explodes_is_given_up_and_says_why() {
    // The tenth letter from the end is one of three; to see that it is no other, the last ten are remembered.
    let path = |regex: &str| matches(Field::Path, regex);
    let arms = vec![
        arm("").when(path(".*a.{9}")),
        arm("").when(path(".*b.{9}")),
        arm("").when(path(".*c.{9}")),
        arm("").when(path("/[abc]{12}[abc]*")),
        arm(""),
    ];
    let subject = Subject::new(arms);
    let reach = subject.prove_within(Budget::new(1_000_000, 50_000), |proof| proof.arms());
    let Reach::NotDecided(reason) = &reach[3] else {
        panic!("{:?}", reach[3])
    };
    assert_eq!(*reason, Reason::Field("path".to_owned()));
    assert!(reason.to_string().contains("`path`"), "{reason}");
    for answered in [0, 1, 2, 4] {
        assert!(
            matches!(reach[answered], Reach::Reached(_)),
            "{answered}: {:?}",
            reach[answered]
        );
    }
}

#[test]
fn cases_that_multiply_are_given_up_too() {
    // Nine pigeons in eight holes.
    let (pigeons, holes) = (9, 8);
    let sits = |pigeon: usize, hole: usize| is(header(&format!("p{pigeon}h{hole}")), &["x"]);
    let mut arms: Vec<Asks> = (0..holes)
        .flat_map(|hole| {
            (0..pigeons).flat_map(move |one| (0..one).map(move |other| (hole, one, other)))
        })
        .map(|(hole, one, other)| arm("").when(and([sits(one, hole), sits(other, hole)])))
        .collect();
    let nowhere = |pigeon| and((0..holes).map(|hole| not(sits(pigeon, hole))));
    arms.extend((0..pigeons).map(|pigeon| arm("").when(nowhere(pigeon))));
    arms.push(arm(""));
    let subject = Subject::new(arms);
    let last = subject.arms.len() as u32 - 1;
    let reach = subject.prove_within(Budget::new(10_000, 10_000), |proof| proof.arm(last));
    assert_eq!(reach, Reach::NotDecided(Reason::Cases));
}

#[test]
fn a_decision_that_does_not_agree_is_no_proof() {
    let subject = Subject::new(vec![arm("/a"), arm("/b")]);
    let matches = Asks::matches(&subject.arms);
    let mut space = Space::new(World::default(), &[&matches], &[]).unwrap();
    let mut proof = Proof {
        space: &mut space,
        table: TableId(0),
        region: &[],
        decide: &|_| Some(1),
        budget: &mut Budget::USUAL.clone(),
    };
    assert_eq!(proof.arm(0), Reach::NotDecided(Reason::Disagreement));
    assert!(matches!(proof.arm(1), Reach::Reached(_)));
    assert_eq!(proof.unmatched(), Verdict::NotDecided(Reason::Disagreement));
}

#[test]
fn a_region_restricts_the_requests() {
    let mut subject = Subject::new(vec![
        arm("/a/**").when(hosts(&["a.example"])),
        arm("/a/**").when(is(header("x"), &["1"])),
        arm("/b/**"),
        arm(""),
    ]);
    subject.region = Some(and([
        hosts(&["*.example"]),
        not(hosts(&["a.example"])),
        test(Field::Path, Predicate::Paths(vec![pattern("/a/**")])),
        is(header("x"), &["1", "2"]),
    ]));
    let reach = subject.reach();
    assert_eq!(dead(&reach), [(0, vec![]), (2, vec![])]);
    assert_eq!(
        witness(&reach[3]),
        "GET http://shop.example/a { header x \"2\" }"
    );
}

#[test]
fn partial_segments_that_share_an_end_are_told_apart() {
    let a = || {
        test(
            Field::Path,
            Predicate::Text(TextPattern::Prefix("/a".into())),
        )
    };
    let subject = Subject::new(vec![
        arm("/a{x0}b/**, /{x0}b").when(not(a())),
        arm("/ab/**"),
    ]);
    assert_eq!(witness(&subject.reach()[0]), "GET http://shop.example/bb");
}
