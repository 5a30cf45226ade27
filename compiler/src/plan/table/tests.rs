//! Diagrams against the reference interpreter, on random tables over small alphabets.

use super::*;
use crate::model::condition::{Field, Predicate, Test, TextPattern};
use crate::reference::first_match;
use mesh_bundle::decide::{Plain, decide};
use mesh_bundle::format::{Arm, ArmAction, Bundle, Location, Mesh, Policy, Setting};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use mesh_lang::source::{FileId, Span};
use mesh_lang::value::{Cidr, HostPattern};
use proptest::prelude::*;
use std::net::IpAddr;
use zerocopy::little_endian::U16;

/// What an arm of a random table asks.
#[derive(Clone, Debug, Default)]
struct Asks {
    methods: Vec<String>,
    paths: Vec<PathPattern>,
    condition: Option<Condition>,
}

impl Asks {
    fn matches(arms: &[Self]) -> Vec<Match<'_>> {
        arms.iter()
            .map(|arm| Match {
                methods: &arm.methods,
                paths: &arm.paths,
                condition: arm.condition.as_ref(),
            })
            .collect()
    }
}

/// A bundle of one table.
fn bundle(arms: &[Asks]) -> (Bundle, Vec<u32>) {
    let mut draft = Draft::default();
    let nothing = draft.string("test");
    let arm = Arm {
        name: nothing,
        text: nothing,
        action: ArmAction::Respond.code(),
        status: U16::new(200),
        a: U32::new(u32::MAX),
        ..Arm::default()
    };
    let written = write(&mut draft, &Asks::matches(arms)).expect("the table compiles");
    let mut table = written.table;
    table.arms = extend(&mut draft.arms, arms.iter().map(|_| arm));
    draft.tables.push(table);
    draft.policies.push(Policy::default());
    let zero = Setting::new(0, Location::NOWHERE);
    draft.mesh = Mesh {
        name: nothing,
        trust_domain: nothing,
        mtls: zero,
        open_by_default: zero,
        egress: zero,
        access_log: zero,
        encoded_slash: zero,
        policy: Id::new(0),
        ..Mesh::default()
    };
    let bundle = Bundle::open(draft.finish()).expect("what was written opens");
    (bundle, written.residual)
}

fn decided(bundle: &Bundle, request: &Plain<'_>) -> Option<usize> {
    decide(bundle, Id::new(0), request).map(Id::index)
}

fn request<'p>(method: &'p str, path: &'p str, headers: &[(&'p str, &'p str)]) -> Plain<'p> {
    let path = NormalPath::parse(path, EncodedSlash::Reject).expect("a path");
    Plain {
        scheme: "https",
        port: 443,
        headers: headers.to_vec(),
        ..Plain::new(method, "shop.example", path)
    }
}

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).expect("a pattern")
}

fn arm(methods: &[&str], paths: &[&str]) -> Asks {
    Asks {
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
        paths: paths.iter().map(|text| pattern(text)).collect(),
        condition: None,
    }
}

fn header_is(name: &str, value: &str) -> Condition {
    test(
        Field::Header(name.to_owned()),
        Predicate::OneOf(vec![value.to_owned()]),
    )
}

fn test(field: Field, predicate: Predicate) -> Condition {
    Condition::Test(Test {
        field,
        predicate,
        span: Span::new(FileId(0), 0, 0),
    })
}

#[test]
fn patterns_take_whole_segments() {
    let takes = |text: &str, path: &str| {
        let (bundle, _) = bundle(&[arm(&[], &[text])]);
        decided(&bundle, &request("GET", path, &[])).is_some()
    };
    for (text, taken, left) in [
        ("/", &["/"][..], &["/a"][..]),
        ("/a", &["/a"], &["/", "/a/", "/ab", "/a/b", "/A"]),
        ("/a/", &["/a/"], &["/a", "/a/b", "/"]),
        (
            "/admin/**",
            &["/admin", "/admin/", "/admin/x", "/admin/x/"],
            &["/administrator", "/"],
        ),
        ("/**", &["/", "/a", "/a/", "/a/b/c"], &[]),
        ("/*", &["/a", "/%2C"], &["/", "/a/", "/a/b"]),
        ("/x/*/y", &["/x/a/y"], &["/x/y", "/x/a/b/y", "/x/a/y/"]),
        (
            "/**/info",
            &["/info", "/a/info", "/a/b/info"],
            &["/", "/info/", "/info/a", "/xinfo"],
        ),
        (
            "/a/**/b",
            &["/a/b", "/a/x/b", "/a/b/b", "/a/x/y/b"],
            &["/a", "/b", "/a/b/c", "/ab"],
        ),
        ("/a/**/a", &["/a/a", "/a/b/a"], &["/a"]),
        ("/a/**/", &["/a/", "/a/b/"], &["/a", "/a/b"]),
        ("/v{n}", &["/v1", "/v12"], &["/v", "/1v", "/v1/", "/"]),
        (
            "/{id}.json",
            &["/a.json", "/.json.json"],
            &["/.json", "/json", "/a.jsonx"],
        ),
        ("/f/a{x}a", &["/f/aaa", "/f/abaa"], &["/f/aa", "/f/a"]),
    ] {
        for path in taken {
            assert!(takes(text, path), "{text} takes {path}");
        }
        for path in left {
            assert!(!takes(text, path), "{text} leaves {path}");
        }
    }
}

#[test]
fn the_first_arm_wins_whether_narrow_or_wide() {
    let mut canary = arm(&[], &[]);
    canary.condition = Some(header_is("x-team", "qa"));
    let (bundle, _) = bundle(&[
        arm(&["GET"], &["/a"]),
        canary,
        arm(&[], &["/a", "/b"]),
        arm(&[], &["/**/b"]),
        arm(&[], &[]),
    ]);
    let decided = |method, path, headers| decided(&bundle, &request(method, path, headers));
    assert_eq!(decided("GET", "/a", &[("x-team", "qa")]), Some(0));
    assert_eq!(decided("PUT", "/a", &[("x-team", "qa")]), Some(1));
    assert_eq!(decided("PUT", "/a", &[]), Some(2));
    assert_eq!(decided("GET", "/c/b", &[("x-team", "dev")]), Some(3));
    assert_eq!(decided("GET", "/c", &[]), Some(4));
}

#[test]
fn ten_thousand_arms_make_a_small_table() {
    let arms: Vec<Asks> = (0..10_000)
        .map(|i| arm(&["GET"], &[&format!("/r{i}/**")]))
        .collect();
    let (bundle, residual) = bundle(&arms);
    assert!(residual.is_empty());
    assert_eq!(
        decided(&bundle, &request("GET", "/r7321/x/y", &[])),
        Some(7321)
    );
    assert_eq!(decided(&bundle, &request("PUT", "/r7321/x/y", &[])), None);
    let size = bundle.bytes().len();
    assert!(size < 3_000_000, "{size} bytes");
}

/// Three hundred arms that each test three of thirty headers: no order makes this small.
#[test]
fn what_has_no_small_diagram_is_written_as_a_list() {
    let mut seed = 7u32;
    let mut next = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let arms: Vec<Asks> = (0..300)
        .map(|_| Asks {
            condition: Some(Condition::And(
                (0..3)
                    .map(|_| header_is(&format!("h{}", next(30)), &format!("v{}", next(3))))
                    .collect(),
            )),
            ..arm(&[], &["/a"])
        })
        .collect();
    let (bundle, residual) = bundle(&arms);
    assert_eq!(residual.len(), 300);
    let names: Vec<String> = (0..30).map(|i| format!("h{i}")).collect();
    let values: Vec<String> = (0..3).map(|i| format!("v{i}")).collect();
    let matches = Asks::matches(&arms);
    let mut taken = 0;
    for _ in 0..500 {
        let headers: Vec<(&str, &str)> = names
            .iter()
            .filter_map(|name| {
                let value = values.get(next(4) as usize)?;
                Some((name.as_str(), value.as_str()))
            })
            .collect();
        let request = request("GET", "/a", &headers);
        let expected = first_match(&matches, &request);
        assert_eq!(decided(&bundle, &request), expected);
        taken += usize::from(expected.is_some());
    }
    assert!(taken > 100, "{taken}");
}

#[test]
fn a_condition_that_explodes_is_refused() {
    // Pairs (i, i + 24) in an order that no heuristic can help: every pair must hold or the next one.
    let clause = |i: usize| {
        Condition::Or(
            (0..6)
                .map(|j| header_is(&format!("h{}", (i * 17 + j * 31 + i * j * 7) % 97), "x"))
                .collect(),
        )
    };
    let explosive = Asks {
        condition: Some(Condition::And((0..70).map(clause).collect())),
        ..arm(&[], &["/a"])
    };
    let mut draft = Draft::default();
    let error = write(&mut draft, &Asks::matches(&[explosive])).unwrap_err();
    assert_eq!(error, TableError::Condition(0));
}

fn segments() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "va", "vb", "a.j", "va.j"]),
        1 => Just("*"),
        1 => prop::sample::select(vec!["v{x}", "{x}.j", "v{x}.j", "{x}"]),
    ];
    (
        prop::collection::vec(segment, 0..4),
        prop::option::weighted(0.4, 0..4usize),
        any::<bool>(),
    )
        .prop_map(|(mut segments, rest, slash)| {
            if let Some(at) = rest {
                segments.insert(at.min(segments.len()), "**");
            }
            // Captures of one pattern have names of their own.
            let named = segments.iter().enumerate();
            let segments: Vec<String> = named
                .map(|(i, segment)| segment.replace("x}", &format!("x{i}}}")))
                .collect();
            let slash =
                slash && !segments.is_empty() && segments.last().is_none_or(|last| last != "**");
            format!("/{}{}", segments.join("/"), if slash { "/" } else { "" })
        })
}

fn atoms() -> impl Strategy<Value = Condition> {
    let name = prop::sample::select(vec!["h0", "h1", "h2", "h3"]).prop_map(str::to_owned);
    let value = prop::sample::select(vec!["x", "y", "xy", "7", "10"]).prop_map(str::to_owned);
    let text = prop_oneof![
        value.clone().prop_map(|v| TextPattern::Prefix(v.into())),
        value.clone().prop_map(|v| TextPattern::Suffix(v.into())),
        value.clone().prop_map(|v| TextPattern::Contains(v.into())),
        prop::sample::select(vec!["x.*", "[0-9]+", "(xy)*", ""])
            .prop_map(|v| TextPattern::Regex(v.into())),
    ];
    let predicate = prop_oneof![
        Just(Predicate::Present),
        prop::collection::vec(value, 1..3).prop_map(Predicate::OneOf),
        text.prop_map(Predicate::Text),
        (-1i64..12, 0i64..12).prop_map(|(low, span)| Predicate::Between(low, low + span)),
    ];
    prop_oneof![
        6 => (name.prop_map(Field::Header), predicate.clone()).prop_map(|(f, p)| test(f, p)),
        1 => predicate.clone().prop_map(|p| test(Field::Query("q".into()), p)),
        1 => predicate.prop_map(|p| test(Field::Cookie("c".into()), p)),
        1 => prop::collection::vec(segments(), 1..3).prop_map(|texts| {
            test(Field::Path, Predicate::Paths(texts.iter().map(|text| pattern(text)).collect()))
        }),
        1 => Just(test(Field::Path, Predicate::Text(TextPattern::Suffix(".j".into())))),
        1 => Just(test(Field::Host, Predicate::Hosts(vec![HostPattern::Suffix("example".into())]))),
        1 => (0u8..=32).prop_map(|prefix| {
            let address = u32::from_be_bytes([127, 0, 0, 1]) & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let network = Cidr { ip: IpAddr::V4(address.into()), prefix };
            test(Field::ClientIp, Predicate::Networks(vec![network]))
        }),
        1 => (400i64..500).prop_map(|low| test(Field::Port, Predicate::Between(low, 460))),
        1 => Just(test(Field::Port, Predicate::OneOf(vec!["443".into(), "8080".into()]))),
        1 => Just(test(Field::Source, Predicate::OneOf(vec!["default/edge".into()]))),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    atoms().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Or),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn tables() -> impl Strategy<Value = Vec<Asks>> {
    let methods = prop_oneof![
        Just(vec![]),
        prop::collection::vec(
            prop::sample::select(vec!["GET", "POST"]).prop_map(str::to_owned),
            1..3
        ),
    ];
    let paths = prop::collection::vec(segments(), 0..3)
        .prop_map(|texts| texts.iter().map(|text| pattern(text)).collect());
    let arm =
        (methods, paths, prop::option::of(conditions())).prop_map(|(methods, paths, condition)| {
            Asks {
                methods,
                paths,
                condition,
            }
        });
    prop::collection::vec(arm, 0..10)
}

/// Every path of up to three segments over what the patterns name, and something else.
fn all_paths() -> Vec<String> {
    let letters = ["a", "b", "va", "a.j", "v.j", "vx.j", "zz"];
    let mut paths = vec!["/".to_owned()];
    let mut last = vec![String::new()];
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|path| letters.iter().map(move |letter| format!("{path}/{letter}")))
            .collect();
        paths.extend(last.iter().cloned());
        paths.extend(last.iter().map(|path| format!("{path}/")));
    }
    paths
}

#[derive(Clone, Debug)]
struct Shape {
    method: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    query: Option<&'static str>,
    source: Option<&'static str>,
    client: [u8; 4],
    port: u16,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let value = prop::sample::select(vec!["x", "y", "xy", "7", "10", "z", "-3", ""]);
    let name = prop::sample::select(vec!["h0", "h1", "h2", "h3"]);
    let cookie = prop::sample::select(vec!["c=x", "d=1; c=7", "c=y; c=x", "d=x"]);
    (
        prop::sample::select(vec!["GET", "POST", "PUT"]),
        prop::collection::vec((name, value), 0..5),
        prop::option::of(cookie),
        prop::sample::select(vec![None, Some("q=x"), Some("a=1&q=10"), Some("q")]),
        prop::sample::select(vec![None, Some("default/edge"), Some("default/other")]),
        prop::sample::select(vec![[127, 0, 0, 1], [127, 0, 1, 9], [10, 0, 0, 1]]),
        prop::sample::select(vec![80, 443, 450, 8080]),
    )
        .prop_map(
            |(method, mut headers, cookie, query, source, client, port)| {
                headers.extend(cookie.map(|cookie| ("cookie", cookie)));
                Shape {
                    method,
                    headers,
                    query,
                    source,
                    client,
                    port,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn diagrams_decide_like_the_reference(
        arms in tables(),
        shapes in prop::collection::vec(shapes(), 8),
    ) {
        let (bundle, _) = bundle(&arms);
        let matches = Asks::matches(&arms);
        let paths = all_paths();
        for (index, path) in paths.iter().enumerate() {
            let shape = &shapes[index % shapes.len()];
            let request = Plain {
                query: shape.query,
                source: shape.source,
                client_ip: IpAddr::from(shape.client),
                port: shape.port,
                ..request(shape.method, path, &shape.headers)
            };
            prop_assert_eq!(
                decided(&bundle, &request),
                first_match(&matches, &request),
                "{:?}",
                request
            );
        }
    }
}
