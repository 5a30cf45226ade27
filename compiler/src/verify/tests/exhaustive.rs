//! Tables over tiny alphabets, all of whose requests are tried.

use super::*;
use crate::model::{JwtId, KeysId};
use mesh_bundle::decide::{ClaimValue, Plain};
use mesh_bundle::path::{EncodedSlash, NormalPath};
use proptest::prelude::*;
use std::sync::Arc;

/// A request to try.
#[derive(Clone, Debug)]
struct Tried<'t> {
    method: &'t str,
    path: NormalPath<'static>,
    headers: Vec<(&'t str, &'t str)>,
    query: Option<&'t str>,
    source: Option<&'t str>,
}

impl Tried<'_> {
    fn plain(&self) -> Plain<'_> {
        Plain {
            query: self.query,
            headers: self.headers.clone(),
            source: self.source,
            ..Plain::new(self.method, "shop.example", self.path.clone())
        }
    }
}

fn path(text: &str) -> NormalPath<'static> {
    let path = NormalPath::parse(text, EncodedSlash::Reject).expect("a path");
    path.into_owned()
}

fn check(subject: &Subject, tried: &[Tried<'_>]) -> Result<(), TestCaseError> {
    let tried: Vec<Plain<'_>> = tried.iter().map(Tried::plain).collect();
    check_plain(subject, &tried)
}

/// Holds what is proved of a table against all of these requests.
fn check_plain(subject: &Subject, tried: &[Plain<'_>]) -> Result<(), TestCaseError> {
    let matches = Asks::matches(&subject.arms);
    let count = subject.arms.len();
    let mut taken = vec![false; count + 1];
    let mut fitting: Vec<Vec<Vec<u32>>> = vec![Vec::new(); count];
    for plain in tried {
        let fits: Vec<u32> = (0..count as u32)
            .filter(|&arm| first_match(&matches[arm as usize..=arm as usize], plain).is_some())
            .collect();
        taken[fits.first().map_or(count, |&arm| arm as usize)] = true;
        for &arm in &fits {
            fitting[arm as usize].push(fits.clone());
        }
    }

    let (reach, unmatched) = subject.prove(|proof| (proof.arms(), proof.unmatched()));
    for (arm, reach) in (0u32..).zip(&reach) {
        match reach {
            Reach::Reached(request) => {
                prop_assert_eq!(subject.interpreted(request), Ok(Some(arm)), "{}", request);
            }
            Reach::Unreachable(covered) => {
                prop_assert!(!taken[arm as usize], "arm {} is taken", arm);
                for cover in &covered.by {
                    let example = &cover.example;
                    prop_assert_eq!(subject.interpreted(example), Ok(Some(cover.arm)));
                    prop_assert!(subject.fits(arm, example), "{}", example);
                }
                for fits in &fitting[arm as usize] {
                    let mut by = covered.by.iter();
                    prop_assert!(by.any(|cover| fits.contains(&cover.arm)), "{:?}", fits);
                }
            }
            Reach::Impossible => prop_assert!(fitting[arm as usize].is_empty(), "arm {}", arm),
            Reach::NotDecided(reason) => prop_assert!(false, "arm {}: {}", arm, reason),
        }
    }
    match unmatched {
        Verdict::Yes(request) => prop_assert_eq!(subject.interpreted(&request), Ok(None)),
        Verdict::No => prop_assert!(!taken[count], "something is not taken"),
        Verdict::NotDecided(reason) => prop_assert!(false, "{}", reason),
    }
    Ok(())
}

fn segments() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        5 => prop::sample::select(vec!["a", "b", "ab"]),
        2 => Just("*"),
        2 => prop::sample::select(vec!["a{x}", "{x}b", "a{x}b"]),
    ];
    (
        prop::collection::vec(segment, 0..3),
        prop::option::weighted(0.4, 0..3usize),
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
            let ends_in_rest = segments.last().is_some_and(|last| last == "**");
            let slash = slash && !segments.is_empty() && !ends_in_rest;
            format!("/{}{}", segments.join("/"), if slash { "/" } else { "" })
        })
}

/// All paths of up to three segments over what the patterns name, one word for each way in which partials may
/// take it, and something else.
fn all_paths() -> Vec<NormalPath<'static>> {
    let letters = ["a", "b", "ab", "aa", "bb", "aab", "c"];
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
    paths.iter().map(|text| path(text)).collect()
}

fn text_predicates() -> impl Strategy<Value = Predicate> {
    let value = || prop::sample::select(vec!["", "x", "y", "xy", "7"]);
    let text = || value().prop_map(Box::<str>::from);
    prop_oneof![
        2 => Just(Predicate::Present),
        4 => prop::collection::vec(value().prop_map(str::to_owned), 1..3).prop_map(Predicate::OneOf),
        1 => text().prop_map(|text| Predicate::Text(TextPattern::Prefix(text))),
        1 => text().prop_map(|text| Predicate::Text(TextPattern::Suffix(text))),
        1 => text().prop_map(|text| Predicate::Text(TextPattern::Contains(text))),
        2 => prop::sample::select(vec!["x*", "[xy]{2}", "(xy)*", ".", "[0-9]+", "y.*|x", "[^x]"])
            .prop_map(|regex| Predicate::Text(TextPattern::Regex(regex.into()))),
        1 => (-1i64..12, 0i64..12).prop_map(|(low, span)| Predicate::Between(low, low + span)),
    ]
}

fn conditions(field: impl Strategy<Value = Field> + 'static) -> impl Strategy<Value = Condition> {
    let atom = (field, text_predicates()).prop_map(|(field, predicate)| test(field, predicate));
    atom.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Or),
            inner.prop_map(not),
        ]
    })
}

fn token_conditions() -> impl Strategy<Value = Condition> {
    let claim = |names: &[&str]| {
        Field::Claim(
            JwtId(1),
            names.iter().map(|&name| name.to_owned()).collect(),
        )
    };
    let member = || prop::sample::select(vec!["x", "y", "x y", ""]);
    let member = move || member().prop_map(|member| Predicate::Member(member.to_owned()));
    let of_claim = prop_oneof![3 => text_predicates().boxed(), 2 => member().boxed()];
    let shape = prop::sample::select(vec!["x", "y", "[xy]+", ".*x", ""]);
    let of_certificate = prop_oneof![
        Just(Predicate::Present),
        member(),
        shape.prop_map(|regex| Predicate::Text(TextPattern::Regex(regex.into()))),
    ];
    let claims = vec![claim(&["a"]), claim(&["b", "c"])];
    let atom = prop_oneof![
        4 => (prop::sample::select(claims), of_claim).prop_map(|(field, it)| test(field, it)),
        1 => Just(test(Field::Jwt(JwtId(1)), Predicate::Present)),
        1 => text_predicates().prop_map(|it| test(Field::Key(KeysId(0)), it)),
        2 => of_certificate.prop_map(|it| test(Field::ClientCertSan, it)),
    ];
    atom.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Or),
            inner.prop_map(not),
        ]
    })
}

/// All strings of up to three letters, and some numbers.
fn all_values() -> Vec<String> {
    let letters = ["x", "y", "7", "1"];
    let mut values = vec![String::new()];
    let mut last = vec![String::new()];
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|value| letters.iter().map(move |letter| format!("{value}{letter}")))
            .collect();
        values.extend(last.iter().cloned());
    }
    let numbers = ["-1", "-0", "0", "9", "10", "12", "-77", "00012"];
    values.extend(numbers.into_iter().map(str::to_owned));
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn of_paths(
        arms in prop::collection::vec(
            (
                prop::sample::subsequence(vec!["GET", "POST"], 0..2),
                prop::collection::vec(segments(), 0..3),
                prop::option::weighted(0.3, (any::<bool>(), prop_oneof![
                    prop::collection::vec(segments(), 1..3).prop_map(|texts| {
                        Predicate::Paths(texts.iter().map(|text| pattern(text)).collect())
                    }),
                    prop::sample::select(vec!["/a", "/b/", "/a/ab"])
                        .prop_map(|text| Predicate::Text(TextPattern::Prefix(text.into()))),
                    prop::sample::select(vec!["b", "/", "/a"])
                        .prop_map(|text| Predicate::Text(TextPattern::Suffix(text.into()))),
                    prop::sample::select(vec!["aa", "/b/", "ba"])
                        .prop_map(|text| Predicate::Text(TextPattern::Contains(text.into()))),
                    prop::sample::select(vec!["/[ab/]*", "/a+", "(/.)*", "/.*b"])
                        .prop_map(|regex| Predicate::Text(TextPattern::Regex(regex.into()))),
                ])),
            ),
            0..8,
        ),
    ) {
        let arms = arms.into_iter().map(|(methods, paths, condition)| Asks {
            methods: methods.into_iter().map(str::to_owned).collect(),
            paths: paths.iter().map(|text| pattern(text)).collect(),
            condition: condition.map(|(negated, predicate)| {
                let condition = test(Field::Path, predicate);
                if negated { not(condition) } else { condition }
            }),
        });
        let subject = Subject::new(arms.collect());
        let paths = all_paths();
        let tried: Vec<Tried<'_>> = ["GET", "POST", "PUT"]
            .into_iter()
            .flat_map(|method| paths.iter().map(move |path| Tried {
                method,
                path: path.clone(),
                headers: Vec::new(),
                query: None,
                source: None,
            }))
            .collect();
        check(&subject, &tried)?;
    }

    #[test]
    fn of_one_header(
        conditions in prop::collection::vec(conditions(Just(header("h"))), 0..8),
    ) {
        let arms = conditions.into_iter().map(|condition| Asks::default().when(condition));
        let subject = Subject::new(arms.collect());
        let values = all_values();
        let tried = values.iter().map(Some).chain([None]).map(|value| Tried {
            method: "GET",
            path: path("/"),
            headers: value.into_iter().map(|value| ("h", value.as_str())).collect(),
            query: None,
            source: None,
        });
        check(&subject, &tried.collect::<Vec<_>>())?;
    }

    #[test]
    fn of_several_fields(
        arms in prop::collection::vec(
            (
                prop::sample::select(vec!["", "/a", "/a/**", "/*", "/**/b", "/**"]),
                prop::option::weighted(0.8, conditions(prop_oneof![
                    Just(header("h")),
                    Just(Field::Query("q".to_owned())),
                    Just(Field::Cookie("c".to_owned())),
                ])),
            ),
            0..7,
        ),
        sources in prop::collection::vec(prop::option::of(0..4usize), 7),
    ) {
        let sources_of = [
            is(Field::Source, &["default/edge"]),
            not(is(Field::Source, &["default/edge", "shop/cart"])),
            is(Field::SourceNamespace, &["shop"]),
            test(Field::Source, Predicate::Present),
        ];
        let arms = arms.into_iter().zip(sources).map(|((paths, condition), source)| {
            let source = source.map(|source| sources_of[source].clone());
            let all: Vec<Condition> = condition.into_iter().chain(source).collect();
            arm(paths).when(and(all))
        });
        let callers = ["default/edge", "shop/cart", "shop/pay"];
        let world = World {
            callers: Arc::new(callers.iter().map(|&caller| caller.to_owned()).collect()),
            ..World::default()
        };
        let subject = Subject::new(arms.collect()).in_world(world);
        let values = ["", "x", "y", "xy", "7", "11"];
        let headers = values.iter().map(|value| vec![("h", *value)]).chain([Vec::new()]);
        let queries = ["q=", "q=x", "q=y", "q=xy", "q=7", "q=11"];
        let queries = queries.into_iter().map(Some).chain([None]);
        let cookies = ["c=", "c=x", "c=y", "c=xy", "c=7", "c=11"];
        let cookies = cookies.into_iter().map(|line| Some(("cookie", line))).chain([None]);
        let sources = callers.into_iter().map(Some).chain([None]);
        let paths = ["/", "/a", "/b", "/a/b", "/a/c"].map(path);
        let mut tried = Vec::new();
        // One request in so many is enough to find what is wrong, and another one in each run.
        for (index, header) in headers.enumerate() {
            for (query, cookie) in queries.clone().zip(cookies.clone().cycle().skip(index)) {
                for source in sources.clone() {
                    for path in &paths {
                        tried.push(Tried {
                            method: "GET",
                            path: path.clone(),
                            headers: header.iter().copied().chain(cookie).collect(),
                            query,
                            source,
                        });
                    }
                }
            }
        }
        check(&subject, &tried)?;
    }

    #[test]
    fn of_tokens_keys_and_certificates(
        conditions in prop::collection::vec(token_conditions(), 0..6),
    ) {
        let arms = conditions.into_iter().map(|condition| Asks::default().when(condition));
        let subject = Subject::new(arms.collect());
        let texts = ["", "x", "y", "xx", "x y", "7", "11"];
        let lists = [vec![], vec!["x"], vec!["y"], vec!["x", "y"], vec!["x y"], vec!["", "z"]];
        let values: Vec<Option<ClaimValue<'_>>> = texts
            .into_iter()
            .map(ClaimValue::Scalar)
            .chain(lists.iter().cloned().map(ClaimValue::List))
            .map(Some)
            .chain([None])
            .collect();
        let mut tokens = vec![vec![]];
        for a in &values {
            for c in &values {
                let claims = [("a", a), ("b\0c", c)].into_iter();
                let claims = claims.filter_map(|(name, value)| Some((name, value.clone()?)));
                tokens.push(vec![(1, claims.collect())]);
            }
        }
        let keys = ["", "x", "y", "7"].map(|consumer| vec![(0, consumer)]);
        let keys: Vec<_> = keys.into_iter().chain([vec![]]).collect();
        let certificates: Vec<_> = lists.iter().cloned().map(Some).chain([None]).collect();
        let mut tried = Vec::new();
        for (index, tokens) in tokens.iter().enumerate() {
            for (second, certificate) in certificates.iter().enumerate() {
                tried.push(Plain {
                    tokens: tokens.clone(),
                    keys: keys[(index + second) % keys.len()].clone(),
                    client_cert_sans: certificate.clone(),
                    ..Plain::new("GET", "shop.example", path("/"))
                });
            }
        }
        check_plain(&subject, &tried)?;
    }
}
