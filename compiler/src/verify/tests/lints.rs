//! What is most likely not meant.

use super::*;
use mesh_bundle::decide::Plain;
use mesh_bundle::path::{EncodedSlash, NormalPath};
use proptest::prelude::*;

/// The lints of a table whose arms do what their letters say; `-` is what comes of requests that no arm takes.
fn lints(arms: Vec<Asks>, does: &str) -> Vec<String> {
    let does: Vec<char> = does.chars().collect();
    let of = |arm: Option<u32>| arm.map_or('-', |arm| does[arm as usize]);
    let subject = Subject::new(arms);
    let lints = subject.prove(|proof| {
        let reach = proof.arms();
        let mut lints = proof.partly_shadowed(&reach);
        lints.extend(proof.redundant(&reach, &|arm, other| of(Some(arm)) == of(other)));
        lints.extend(proof.falls_through());
        lints
    });
    let text = |lint: &Lint| match lint {
        Lint::PartlyShadowed {
            arm,
            by,
            example,
            more,
        } => {
            assert_eq!(subject.interpreted(example), Ok(Some(*by)));
            assert!(subject.fits(*arm, example), "{example}");
            let more = if *more { " and others" } else { "" };
            format!("{by} takes {} from {arm}{more}", example.url())
        }
        Lint::Redundant { arm, instead } => {
            if let Some((later, request)) = instead {
                assert_eq!(subject.interpreted(request), Ok(Some(*arm)));
                assert!(subject.fits(*later, request), "{request}");
            }
            format!("{arm} is redundant")
        }
        Lint::Unmatched { example } => {
            assert_eq!(subject.interpreted(example), Ok(None));
            format!("nothing takes {}", example.url())
        }
        Lint::NotDecided { what, reason } => panic!("{what:?}: {reason}"),
    };
    lints.iter().map(text).collect()
}

#[test]
fn the_special_case_first_is_silent() {
    assert_eq!(
        lints(
            vec![arm("/api/users/{id}"), arm("GET /api/**"), arm("/**")],
            "abc"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn a_general_arm_that_takes_some_of_a_special_ones_requests_is_not() {
    let canary = || is(header("x-canary"), &["1"]);
    assert_eq!(
        lints(
            vec![
                arm("/api/**").when(canary()),
                arm("/api/orders"),
                arm("/api/**"),
                arm(""),
            ],
            "abcd"
        ),
        ["0 takes http://shop.example/api/orders from 1"]
    );
    // An arm that names no path is meant for all of them.
    assert_eq!(
        lints(
            vec![arm("").when(canary()), arm("/api/orders"), arm("")],
            "abc"
        ),
        Vec::<String>::new()
    );
    // Floating patterns: `/x/info` is not among the first one's paths alone.
    assert_eq!(
        lints(
            vec![
                arm("/**/info"),
                arm("/x/*"),
                arm("/**/info").when(canary()),
                arm("")
            ],
            "abad"
        ),
        ["0 takes http://shop.example/x/info from 1"]
    );
}

#[test]
fn an_arm_that_takes_from_many_is_told_with_a_few() {
    let mut arms: Vec<Asks> = (0..20).map(|i| arm(&format!("/team{i}/**"))).collect();
    arms.insert(0, arm("/**/health"));
    arms.push(arm(""));
    let found = lints(arms, &"abcdefghijklmnopqrstuv"[..22]);
    assert_eq!(found.len(), 4);
    assert_eq!(
        found[0],
        "0 takes http://shop.example/team0/health from 1 and others"
    );
}

#[test]
fn what_no_arm_takes_is_shown() {
    assert_eq!(
        lints(vec![arm("/a/**"), arm("POST /**")], "ab"),
        ["nothing takes http://shop.example/"]
    );
}

#[test]
fn an_arm_without_effect_is_redundant() {
    // What comes of the requests of the first without it is the same; of the second it is not.
    assert_eq!(
        lints(
            vec![
                arm("GET /a").when(is(header("x"), &["1"])),
                arm("GET /a"),
                arm("/a"),
                arm("")
            ],
            "aabc"
        ),
        ["0 is redundant"]
    );
    // Some of its requests go to another arm.
    assert_eq!(
        lints(vec![arm("/a/**"), arm("GET /a/b"), arm("")], "aba"),
        Vec::<String>::new()
    );
    // Requests that no arm takes meet something, too.
    assert_eq!(
        lints(vec![arm("/a"), arm("/b")], "-b"),
        ["0 is redundant", "nothing takes http://shop.example/"]
    );
    // Wide arms, and several that take over.
    assert_eq!(
        lints(
            vec![
                arm("").when(is(header("x"), &["1", "2"])),
                arm("GET /**"),
                arm("/a/**").when(is(header("x"), &["1"])),
                arm(""),
            ],
            "aaba"
        ),
        ["1 is redundant"]
    );
}

fn arms() -> impl Strategy<Value = Vec<(Asks, char)>> {
    let paths = prop::sample::select(vec!["", "/a", "/a/**", "/**/b", "/*", "/**"]);
    let condition = prop::option::of(prop::sample::select(vec!["x", "y"]));
    let arm = (
        paths,
        any::<bool>(),
        condition,
        prop::sample::select(vec!['a', 'b', '-']),
    );
    let arm = arm.prop_map(|(path, get, value, does)| {
        let arm = super::arm(&format!("{} {path}", if get { "GET" } else { "" }));
        let condition = value.map(|value| is(header("h"), &[value]));
        (Asks { condition, ..arm }, does)
    });
    prop::collection::vec(arm, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// An arm is redundant if taking it out changes no request, and wakes no arm that is not reached.
    #[test]
    fn redundant_is_what_can_be_taken_out(arms in arms()) {
        let (arms, does): (Vec<Asks>, Vec<char>) = arms.into_iter().unzip();
        let of = |arm: Option<usize>| arm.map_or('-', |arm| does[arm]);
        let paths = ["/", "/a", "/a/", "/b", "/c", "/c/", "/a/b", "/a/c", "/c/b", "/c/c"];
        let headers: [&[(&str, &str)]; 4] = [&[], &[("h", "x")], &[("h", "y")], &[("h", "z")]];
        let matches = Asks::matches(&arms);
        // Who takes each request, and who would without that arm.
        let mut taken = Vec::new();
        for method in ["GET", "POST"] {
            for path in paths {
                for headers in headers {
                    let path = NormalPath::parse(path, EncodedSlash::Reject).unwrap();
                    let request = Plain {
                        headers: headers.to_vec(),
                        ..Plain::new(method, "shop.example", path)
                    };
                    let Some(arm) = first_match(&matches, &request) else { continue };
                    let next = first_match(&matches[arm + 1..], &request);
                    taken.push((arm, next.map(|next| arm + 1 + next)));
                }
            }
        }
        let reached: Vec<bool> = (0..arms.len())
            .map(|arm| taken.iter().any(|(taker, _)| *taker == arm))
            .collect();
        let differs = |arm: usize, next: Option<usize>| {
            of(Some(arm)) != of(next) || next.is_some_and(|next| !reached[next])
        };
        let changed: Vec<bool> = (0..arms.len())
            .map(|arm| taken.iter().any(|(taker, next)| *taker == arm && differs(arm, *next)))
            .collect();
        let does: String = does.iter().collect();
        let found = lints(arms, &does);
        for arm in 0..reached.len() {
            let redundant = found.contains(&format!("{arm} is redundant"));
            prop_assert_eq!(redundant, reached[arm] && !changed[arm], "{} of {:?}", arm, found);
        }
    }
}
