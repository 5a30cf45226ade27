//! What a policy comes to mean. What is wrong with one is shown by the fixtures of the findings.

#![allow(clippy::unwrap_used)]

use crate::compile::{Selection, check};
use crate::model::condition::{Condition, Field, Predicate, TextPattern};
use crate::model::credential::Credential;
use crate::model::said::{Said, Switch};
use crate::model::{Action, JwtId, Mesh, Redirect, RedirectPath, RedirectTo, ServiceId, Target};
use crate::project::Project;
use crate::report::human::{Style, render};
use mesh_lang::value::PathPattern;

const HEAD: &str = "mesh t { mtls off; authz open-by-default }\n";

fn mesh_with(text: &str, settings: &[&str]) -> Mesh {
    let text = format!("{HEAD}{text}");
    let selection = Selection {
        settings: settings.iter().map(|text| text.parse().unwrap()).collect(),
        ..Selection::default()
    };
    let checked = check(Project::of_texts([("t.mesh", text.as_str())]), &selection);
    let report = render(&checked.diagnostics, &checked.sources, Style::PLAIN);
    assert!(checked.diagnostics.is_empty(), "{report}");
    checked.mesh.unwrap()
}

fn mesh(text: &str) -> Mesh {
    mesh_with(text, &[])
}

/// The conditions of the arms of the first gateway's first host.
fn conditions(arms: &str) -> Vec<Condition> {
    let mesh = mesh(&format!(
        "service shop {{ endpoints 127.0.0.1:9000 }}
         gateway edge {{
           listen 8080 http
           trusted-proxies none
           host shop.example {{ {arms} }}
         }}"
    ));
    let table = &mesh.gateways[0].hosts[0].table;
    table
        .arms
        .iter()
        .filter_map(|arm| arm.condition.clone())
        .collect()
}

fn predicate(condition: &Condition) -> (&Field, &Predicate) {
    match condition {
        Condition::Test(test) => (&test.field, &test.predicate),
        other => panic!("{other:?} is no single test"),
    }
}

fn milliseconds(said: Option<Said<Switch<u32>>>) -> Option<u32> {
    said?.value.on().copied()
}

#[test]
fn names_stand_for_values_wherever_values_are_due() {
    let text = "
        param patience = 3s
        let slow = patience
        let office = [10.1.0.0/16, 10.2.0.0/16]
        service shop { endpoints 127.0.0.1:9000; timeout slow }
        gateway edge { listen 8080 http; trusted-proxies office; host * { otherwise -> shop } }";
    let before = mesh(text);
    assert_eq!(
        milliseconds(before.services[0].policy.timeouts.request),
        Some(3000)
    );
    assert_eq!(
        before.gateways[0].trusted_proxies.as_ref().unwrap().len(),
        2
    );
    assert_eq!(
        (before.params[0].value.as_str(), before.params[0].overridden),
        ("3s", false)
    );

    let after = mesh_with(text, &["patience=250ms"]);
    assert_eq!(
        milliseconds(after.services[0].policy.timeouts.request),
        Some(250)
    );
    assert_eq!(
        (after.params[0].value.as_str(), after.params[0].overridden),
        ("250ms", true)
    );
}

#[test]
fn names_stand_for_conditions_too() {
    let found = conditions(
        "when qa and not (header.x-beta absent) -> shop }
         }
         let team = header.x-team == \"qa\"
         let qa = team
         gateway other { listen 8081 http; host * { otherwise -> shop",
    );
    let Condition::And(parts) = &found[0] else {
        panic!("{found:?}")
    };
    assert_eq!(
        predicate(&parts[0]),
        (
            &Field::Header("x-team".into()),
            &Predicate::OneOf(vec!["qa".into()])
        )
    );
    assert!(matches!(&parts[1], Condition::Not(inner) if matches!(**inner, Condition::Not(_))));
}

#[test]
fn every_comparison_has_its_predicate() {
    let found = conditions(
        "when header.X-Team in [\"a\", \"b\"]   -> shop
         when query.page >= 7                   -> shop
         when query.page < 7                    -> shop
         when cookie.user matches r\".*[0-4]\"  -> shop
         when path starts-with \"/a\"           -> shop
         when host == *.shop.example            -> shop
         when port == 443                       -> shop
         when method == GET                     -> shop
         when header[\"X_Odd\"] present         -> shop
         when client-ip in [10.0.0.0/8]         -> shop
         when grpc.service == \"shop.v1.Cart\"  -> shop
         when scheme != https                   -> shop",
    );
    let expect = |index: usize, field: Field, wanted: &Predicate| {
        assert_eq!(predicate(&found[index]), (&field, wanted));
    };
    let header = |name: &str| Field::Header(name.to_owned());
    expect(
        0,
        header("x-team"),
        &Predicate::OneOf(vec!["a".into(), "b".into()]),
    );
    expect(
        1,
        Field::Query("page".into()),
        &Predicate::Between(7, i64::MAX),
    );
    expect(
        2,
        Field::Query("page".into()),
        &Predicate::Between(i64::MIN, 6),
    );
    let regex = TextPattern::Regex(".*[0-4]".into());
    expect(3, Field::Cookie("user".into()), &Predicate::Text(regex));
    expect(
        4,
        Field::Path,
        &Predicate::Text(TextPattern::Prefix("/a".into())),
    );
    assert!(
        matches!(predicate(&found[5]), (Field::Host, Predicate::Hosts(hosts)) if hosts.len() == 1)
    );
    expect(6, Field::Port, &Predicate::OneOf(vec!["443".into()]));
    expect(7, Field::Method, &Predicate::OneOf(vec!["GET".into()]));
    expect(8, header("x_odd"), &Predicate::Present);
    assert!(matches!(
        predicate(&found[9]),
        (Field::ClientIp, Predicate::Networks(_))
    ));
    assert!(matches!(
        predicate(&found[10]),
        (Field::Path, Predicate::Paths(_))
    ));
    assert!(matches!(&found[11], Condition::Not(_)));
}

#[test]
fn in_a_service_a_bare_name_is_a_version_then_itself_then_another_service() {
    let mesh = mesh(
        "service v2 { endpoints 127.0.0.1:9001 }
         service reviews {
           version v1 { endpoints 127.0.0.1:9083 }
           version v2 { endpoints 127.0.0.1:9084 }
           route {
             /a -> v1
             /b -> v2
             /c -> reviews
             /d -> self
             /e -> ratings
             /f -> reviews.v2
           }
         }
         service ratings { endpoints 127.0.0.1:9082 }
         gateway edge { listen 8080 http; host * { /v -> reviews.v1; otherwise -> reviews } }",
    );
    let targets = |arms: &[crate::model::Arm]| -> Vec<Target> {
        let target = |arm: &crate::model::Arm| match arm.action {
            Action::Forward(target) => target,
            _ => panic!("{arm:?}"),
        };
        arms.iter().map(target).collect()
    };
    let reviews = ServiceId(1);
    assert_eq!(
        targets(&mesh[reviews].route.as_ref().unwrap().arms),
        [
            Target::Version(reviews, 0),
            Target::Version(reviews, 1),
            Target::Own(reviews),
            Target::Own(reviews),
            Target::Service(ServiceId(2)),
            Target::Version(reviews, 1),
        ]
    );
    assert_eq!(
        targets(&mesh.gateways[0].hosts[0].table.arms),
        [Target::Version(reviews, 0), Target::Service(reviews)]
    );
}

#[test]
fn a_name_is_looked_up_in_its_namespace_first() {
    let mesh = mesh(
        "service ledger { endpoints 127.0.0.1:9000 }
         namespace payments {
           export service ledger { endpoints 127.0.0.1:9001 }
           service cards { endpoints 127.0.0.1:9002; calls ledger }
         }
         service shop { endpoints 127.0.0.1:9003; calls ledger, payments/ledger }",
    );
    let calls = |index: usize| -> Vec<u32> {
        mesh.services[index]
            .calls
            .iter()
            .flatten()
            .map(|call| call.target.0)
            .collect()
    };
    assert_eq!(mesh.services[1].qualified_name(), "payments/ledger");
    assert_eq!(calls(2), [1]);
    assert_eq!(calls(3), [0, 1]);
    let meaning = |namespace: &str, name: &str| {
        let names = mesh.short_names(namespace);
        names.get(name).map(|service| service.0)
    };
    assert_eq!(meaning("payments", "ledger"), Some(1));
    assert_eq!(meaning("payments", "shop"), Some(3));
    assert_eq!(meaning("default", "ledger"), Some(0));
    assert_eq!(meaning("default", "cards"), None);
}

#[test]
fn shares_are_exact_and_rest_takes_what_is_left() {
    let mesh = mesh(
        "param canary = 0.0001%
         service shop {
           version v1 { endpoints 127.0.0.1:9001 }
           version v2 { endpoints 127.0.0.1:9002 }
           route { otherwise -> split canary v2, rest v1 }
         }",
    );
    let Action::Split(shares) = &mesh.services[0].route.as_ref().unwrap().arms[0].action else {
        panic!("a split was written")
    };
    let parts: Vec<u32> = shares.iter().map(|share| share.parts).collect();
    assert_eq!(parts, [1, 999_999]);
}

#[test]
fn a_share_that_is_a_parameter_may_be_all_or_nothing() {
    let text = "param green = 0%
         service shop {
           version green { endpoints 127.0.0.1:9001 }
           version blue { endpoints 127.0.0.1:9002 }
           route { otherwise -> split green green, rest blue }
         }";
    let shares = |settings: &[&str]| {
        let mesh = mesh_with(text, settings);
        match &mesh.services[0].route.as_ref().unwrap().arms[0].action {
            Action::Split(shares) => [shares[0].parts, shares[1].parts],
            other => panic!("{other:?} is no split"),
        }
    };
    assert_eq!(shares(&[]), [0, 1_000_000]);
    assert_eq!(shares(&["green=100%"]), [1_000_000, 0]);
}

#[test]
fn a_service_may_say_that_it_calls_nobody() {
    let mesh = mesh(
        "service shop { endpoints 127.0.0.1:9001; calls none }
         service none { endpoints 127.0.0.1:9002; calls default/none }
         service page { endpoints 127.0.0.1:9003 }",
    );
    let calls = |index: usize| mesh.services[index].calls.as_ref().map(Vec::len);
    assert_eq!([calls(0), calls(1), calls(2)], [Some(0), Some(1), None]);
}

#[test]
fn endpoints_have_weights_and_sidecars() {
    let mesh = mesh(
        "service shop {
           endpoints 127.0.0.1:9081, 127.0.0.1:9084 weight 2, [::1]:80 weight 3 via [::1]:81
         }",
    );
    let endpoints = mesh.services[0].endpoints.listed();
    let weights: Vec<u32> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
    assert_eq!(weights, [1, 2, 3]);
    assert_eq!(endpoints[0].via, None);
    assert_eq!(endpoints[2].via.unwrap().to_string(), "[::1]:81");
}

#[test]
fn timeouts_are_set_value_by_value() {
    let mesh = mesh(
        "service shop {
           endpoints 127.0.0.1:9000
           timeout 3s { connect 1s }
           calls shop2 { timeout off }
         }
         service shop2 { endpoints 127.0.0.1:9001; timeout { idle 1m30s } }",
    );
    let shop = &mesh.services[0];
    assert_eq!(milliseconds(shop.policy.timeouts.request), Some(3000));
    assert_eq!(milliseconds(shop.policy.timeouts.connect), Some(1000));
    assert_eq!(shop.policy.timeouts.idle, None);
    let call = &shop.calls.as_ref().unwrap()[0];
    assert_eq!(call.policy.timeouts.request.unwrap().value, Switch::Off);
    assert_eq!(
        milliseconds(mesh.services[1].policy.timeouts.idle),
        Some(90_000)
    );
}

#[test]
fn redirects_say_their_parts() {
    let mesh = mesh(
        "gateway edge {
           listen 8080 http
           host * {
             /a/**     -> redirect 301 { prefix \"/b\"; scheme https; port 8443 }
             /c        -> redirect \"https://example.com/d?e=f\"
             otherwise -> redirect 308 { host www.example.com; path \"/\" }
           }
         }",
    );
    let redirect = |index: usize| match &mesh.gateways[0].hosts[0].table.arms[index].action {
        Action::Redirect(redirect) => redirect,
        other => panic!("{other:?}"),
    };
    let Redirect {
        status: 301,
        to: RedirectTo::Parts {
            scheme, port, path, ..
        },
    } = redirect(0)
    else {
        panic!("{:?}", redirect(0))
    };
    assert_eq!((scheme.as_deref(), *port), (Some("https"), Some(8443)));
    assert_eq!(*path, RedirectPath::Prefix("/b".into()));
    assert_eq!(
        redirect(1).to,
        RedirectTo::Url("https://example.com/d?e=f".into())
    );
    assert_eq!(redirect(1).status, 302);
    let RedirectTo::Parts { host, path, .. } = &redirect(2).to else {
        panic!("{:?}", redirect(2))
    };
    assert_eq!(host.as_deref(), Some("www.example.com"));
    assert_eq!(*path, RedirectPath::Whole(PathPattern::parse("/").unwrap()));
}

#[test]
fn arms_are_called_by_their_name_or_their_match() {
    let mesh = mesh(
        "service shop {
           endpoints 127.0.0.1:9000
           route {
             writes: POST,   PUT /a/**   when header.x == \"1\"
               -> self
             GET /b,  /c -> self
             otherwise   -> self
           }
         }",
    );
    let arms = &mesh.services[0].route.as_ref().unwrap().arms;
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    assert_eq!(names, ["writes", "GET /b, /c", "otherwise"]);
}

#[test]
fn get_takes_head_unless_the_table_names_head() {
    let methods = |arms: &str| {
        let mesh = mesh(&format!(
            "service shop {{ endpoints 127.0.0.1:9000; route {{ {arms} }} }}"
        ));
        mesh.services[0].route.as_ref().unwrap().methods()
    };
    assert_eq!(
        methods("GET /a -> self; POST /b -> self"),
        [vec!["GET", "HEAD"], vec!["POST"]]
    );
    assert_eq!(
        methods("GET /a -> self; HEAD /b -> self"),
        [vec!["GET"], vec!["HEAD"]]
    );
}

#[test]
fn exported_policies_tokens_and_gateways_are_named_with_their_namespace() {
    let mesh = mesh(
        "namespace sec {
           export policy patient { timeout 10s }
           export jwt corp { issuer \"https://a.example\"; jwks file \"jwks.json\" }
           export gateway edge {
             listen 8080 http
             host a.example { open /x/** to namespace team; otherwise -> respond 404 }
           }
         }
         namespace team {
           service cart {
             endpoints 127.0.0.1:9000
             use sec/patient
             require jwt sec/corp unless jwt.sec/corp.sub == \"x\"
           }
           routes sec/edge a.example { /x/** -> cart }
         }",
    );
    let cart = &mesh.services[0];
    assert_eq!(milliseconds(cart.policy.timeouts.request), Some(10_000));
    assert_eq!(
        cart.policy.requires[0].value.credential,
        Credential::Jwt(JwtId(0))
    );
    let arms = &mesh.gateways[0].hosts[0].table.arms;
    let fragments: Vec<_> = arms.iter().map(|arm| arm.fragment.as_deref()).collect();
    assert_eq!(fragments, [Some("team"), None]);
}
