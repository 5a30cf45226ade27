//! Claims about large gateways: what cannot lead to the target is not looked at, and the rest within the budget.

use super::outcomes;
use std::fmt::Write as _;

#[test]
fn ten_thousand_arms_are_within_the_budget() {
    let mut text = String::from(
        "mesh t { }
service a { calls b; endpoints 127.0.0.1:1; authz { allow edge } }
service b { calls none; endpoints 127.0.0.1:2; authz { allow edge to GET; allow a } }
gateway edge { listen 80 http; host shop.example {\n",
    );
    for index in 0..10_000 {
        let to = if index % 4 == 0 { "b" } else { "a" };
        let rewrite = match index % 8 {
            4 => format!(" {{ rewrite prefix \"/p{index}\" }}"),
            _ => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "/team{index}/** -> {to}{rewrite}");
    }
    text.push_str("} }\n");
    let claims = [
        "never internet reaches b POST",
        "never internet reaches b GET /team7/**",
        "only edge, a reach b",
        "always internet reaches b GET /team0/**",
        "every route in edge to b has timeout <= 15s",
    ];
    let expected = claims.map(|claim| format!("{claim}: holds"));
    assert_eq!(outcomes(&text, &claims), expected);
}

/// Routes of three services, each with so many arms to the next: a million ways, that nobody looks at one by one.
#[test]
fn ways_that_multiply_are_given_up_or_settled_by_rules() {
    let mut text = String::from(
        "mesh t { }
gateway edge { listen 80 http; host shop.example { /** -> s0 } }
service s3 { endpoints 127.0.0.1:3; authz { allow edge to GET } }\n",
    );
    for service in 0..3 {
        let _ = writeln!(
            text,
            "service s{service} {{ endpoints 127.0.0.1:{service}1; authz {{ allow edge }}; route {{"
        );
        for arm in 0..100 {
            let _ = writeln!(text, "/a{service}/{arm} -> s{}", service + 1);
        }
        text.push_str("} }\n");
    }
    let claims = [
        "never internet reaches s3 POST",
        "never internet reaches s3 GET",
    ];
    let expected = ["holds", "not proved"];
    let expected: Vec<String> = claims
        .iter()
        .zip(expected)
        .map(|(claim, outcome)| format!("{claim}: {outcome}"))
        .collect();
    assert_eq!(outcomes(&text, &claims), expected);
}
