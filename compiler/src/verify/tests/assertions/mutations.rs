//! A policy that is pinned by its claims: whatever is dropped, swapped or widened in it is noticed.

use super::Claims;

const ARMS: &[&str] = &[
    "GET /a/secret -> respond 403",
    "GET /a/** -> a",
    "/b/** when header.x == \"1\" -> b",
    "POST /b/new -> a",
    "/c/** -> b { rewrite prefix \"/b\" }",
];

const RULES: &[&str] = &[
    "allow edge to /b/**",
    "allow a to GET /b/own",
    "deny anyone to /b/closed unless header.y == \"1\"",
];

const CLAIMS: &str = "assert \"pinned\" {
  never internet reaches a GET /a/secret
  always internet reaches a GET /a/x, /a/y/**
  never internet reaches a DELETE, POST, PUT /a/**
  always internet reaches b /b/x when header.x == \"1\"
  always internet reaches b POST /b/new when header.x == \"1\"
  always internet reaches a POST /b/new when header.x != \"1\"
  never internet reaches a PUT, DELETE, GET /b/**
  never internet reaches a /b/x
  never internet reaches b /b/x when header.x != \"1\" and header.z absent
  always internet reaches b /c/x
  never internet reaches b /c/x
  never internet reaches a /c/**
  never internet reaches b /b/closed unless header.y == \"1\"
  always internet reaches b /b/closed when header.x == \"1\" and header.y == \"1\"
  never a reaches b /b/x
  never a reaches b POST, PUT, DELETE
  always a reaches b GET /b/own
  only edge, a reach b
  only edge reaches a
}";

fn mesh(arms: &[String], rules: &[String]) -> String {
    // What comes by way of `/c/**` is told apart by a header of its own.
    let arms: Vec<String> = arms
        .iter()
        .map(|arm| {
            arm.replace(
                "prefix \"/b\" }",
                "prefix \"/b\"; request-header set z \"1\" }",
            )
        })
        .collect();
    format!(
        "mesh t {{ }}
gateway edge {{ listen 80 http; host shop.example {{ request-header remove z\n{}\n}} }}
service a {{ calls b; endpoints 127.0.0.1:1; authz {{ allow edge }} }}
service b {{ calls none; endpoints 127.0.0.1:2; authz {{\n{}\n}} }}
service other {{ calls none; endpoints 127.0.0.1:3 }}
{CLAIMS}",
        arms.join("\n"),
        rules.join("\n")
    )
}

fn owned(all: &[&str]) -> Vec<String> {
    all.iter().map(|&text| text.to_owned()).collect()
}

/// The claims that do not hold.
fn broken(arms: &[String], rules: &[String]) -> usize {
    let outcomes = Claims::of(&mesh(arms, rules)).outcomes();
    outcomes.iter().filter(|it| **it != "holds").count()
}

#[test]
fn the_policy_itself_is_as_claimed() {
    let claims = Claims::of(&mesh(&owned(ARMS), &owned(RULES)));
    assert_eq!(
        claims.outcomes(),
        vec!["holds"; claims.outcomes().len()],
        "{}",
        claims.notes()
    );
}

#[test]
fn what_is_dropped_is_noticed() {
    for index in 0..ARMS.len() {
        let mut arms = owned(ARMS);
        let dropped = arms.remove(index);
        assert!(broken(&arms, &owned(RULES)) > 0, "{dropped}");
    }
    for index in 0..RULES.len() {
        let mut rules = owned(RULES);
        let dropped = rules.remove(index);
        assert!(broken(&owned(ARMS), &rules) > 0, "{dropped}");
    }
}

/// Of arms that share no requests the order is no matter.
#[test]
fn what_is_swapped_is_noticed() {
    for (first, second) in [(0, 1), (2, 3)] {
        let mut arms = owned(ARMS);
        arms.swap(first, second);
        assert!(broken(&arms, &owned(RULES)) > 0, "{first} and {second}");
    }
    let mut arms = owned(ARMS);
    arms[1] = arms[1].replace("-> a", "-> b");
    assert!(broken(&arms, &owned(RULES)) > 0);
}

#[test]
fn what_is_widened_is_noticed() {
    let widened = [
        (0, "GET /a/** -> respond 403"),
        (1, "/a/** -> a"),
        (2, "/b/** -> b"),
        (3, "/b/** -> a"),
        (3, "POST, PUT /b/new -> a"),
        (4, "/c/** -> b { rewrite prefix \"/\" }"),
    ];
    for (index, wide) in widened {
        let mut arms = owned(ARMS);
        arms[index] = wide.to_owned();
        assert!(broken(&arms, &owned(RULES)) > 0, "{wide}");
    }
    let widened = [
        (1, "allow a to /b/own"),
        (1, "allow a to GET"),
        (1, "allow any service to GET /b/own"),
        (2, "deny anyone to /b/closed"),
        (2, "deny anyone to /b/** unless header.y == \"1\""),
    ];
    for (index, wide) in widened {
        let mut rules = owned(RULES);
        rules[index] = wide.to_owned();
        assert!(broken(&owned(ARMS), &rules) > 0, "{wide}");
    }
}
