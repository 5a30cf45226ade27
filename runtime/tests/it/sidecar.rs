//! Sidecars: what comes to an application, and what goes out from it.

use std::net::SocketAddr;

use http::Response;
use mesh_bundle::format::Protocol;
use meshd::{NodeOptions, ProcessOptions};

use crate::support::client::{self, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, Times, on, otherwise};
use crate::support::scene::{HTTP, Scene, gateway_options};
use crate::support::upstream::{Upstream, body};
use crate::support::{block_on, free_address};

fn outbound() -> NodeOptions {
    NodeOptions {
        outbound: Some(([127, 0, 0, 1], 0).into()),
        ..NodeOptions::default()
    }
}

fn at(scene: &Scene, kind: &str) -> SocketAddr {
    let listeners = scene.runtime().listeners();
    listeners
        .iter()
        .find(|it| it.kind == kind)
        .expect("a listener")
        .address
}

#[test]
fn everything_inbound_goes_to_the_application_as_it_came() {
    let application = Upstream::start("app");
    let (app, sidecar) = (application.address, free_address());
    let mesh = Mesh::new().service("reviews", |s| {
        // Its own route is for those who call it.
        s.behind("v1", app, sidecar, 1)
            .route(vec![otherwise().respond(418, None)])
    });
    let scene = Scene::start(mesh.bundle(), "sidecar/reviews", NodeOptions::default());
    assert_eq!(at(&scene, "inbound"), sidecar);
    let reply = client::send(
        sidecar,
        "GET /a//b/../c?x=1 HTTP/1.1\nhost: Reviews.example:9080\nx-forwarded-for: 192.0.2.7\n\
         x-request-id: abc\nx-mesh-source: edge\nx_y: 1\nconnection: x-hop\nx-hop: 1\n\n",
    );
    assert_eq!(reply.text(), "app\n");
    let seen = application.last();
    assert_eq!(seen.target, "/a/c?x=1");
    assert_eq!(seen.header("host").as_deref(), Some("Reviews.example:9080"));
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("192.0.2.7"));
    assert_eq!(seen.header("x-forwarded-proto"), None);
    assert_eq!(seen.header("x-request-id").as_deref(), Some("abc"));
    assert_eq!(seen.header("x-mesh-source").as_deref(), Some("edge"));
    assert_eq!(
        (seen.header("x_y").as_deref(), seen.header("x-hop")),
        (Some("1"), None)
    );
    let line = scene.line();
    assert_eq!(line["service"], "reviews.v1");
    assert_eq!(
        (&line["request_id"], &line["node"]),
        (&"abc".into(), &"sidecar/reviews".into())
    );
}

#[test]
fn the_application_may_be_away_and_may_be_slow() {
    let dead = free_address();
    let sidecar = free_address();
    let quick = Times {
        request: Some(50),
        ..Times::default()
    };
    let mesh = Mesh::new()
        .defaults(quick)
        .service("reviews", |s| s.behind("", dead, sidecar, 1));
    let scene = Scene::start(mesh.bundle(), "sidecar/reviews", NodeOptions::default());
    assert_eq!(client::get(sidecar, "reviews", "/").status, 503);
    drop(scene);

    let slow = Upstream::handling(|request| async move {
        drop(request);
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        Response::new(body("at last"))
    });
    let (app, sidecar) = (slow.address, free_address());
    let mesh = Mesh::new()
        .defaults(quick)
        .service("reviews", |s| s.behind("", app, sidecar, 1));
    let _scene = Scene::start(mesh.bundle(), "sidecar/reviews", NodeOptions::default());
    assert_eq!(
        client::get(sidecar, "reviews", "/").text(),
        "at last",
        "callers keep the time"
    );
}

#[test]
fn calls_go_where_the_bundle_says_and_nowhere_else() {
    let ratings = Upstream::start("ratings");
    let details = Upstream::start("details");
    let (r, d, own) = (ratings.address, details.address, free_address());
    let mesh = Mesh::new()
        .service("reviews", |s| {
            s.behind("", own, own, 1).calls("ratings", Times::default())
        })
        .service("ratings", |s| {
            s.at("v1", r).route(vec![
                on(&["/ratings/**"]).to("ratings.v1"),
                otherwise().respond(410, None),
            ])
        })
        .service("details", |s| s.at("", d));
    let scene = Scene::start(mesh.bundle(), "sidecar/reviews", outbound());
    let out = at(&scene, "outbound");
    assert_eq!(
        client::get(out, "ratings", "/ratings/7").text(),
        "ratings\n"
    );
    assert_eq!(
        client::get(out, "Ratings.default:9080", "/ratings/7").text(),
        "ratings\n"
    );
    assert_eq!(
        ratings.last().header("host").as_deref(),
        Some("Ratings.default:9080")
    );
    assert_eq!(ratings.last().header("x-forwarded-for"), None);
    assert_eq!(client::get(out, "ratings", "/other").status, 410);
    assert_eq!(
        client::get(out, "details", "/").status,
        403,
        "it does not call details"
    );
    assert_eq!(
        client::get(out, "example.com", "/").status,
        403,
        "nobody leaves the mesh"
    );
    assert!(details.seen().is_empty());
    let lines = scene.lines(5);
    assert_eq!(lines[0]["source"], "default/reviews");
    assert_eq!(lines[0]["service"], "ratings.v1");
    assert!(lines[0]["arm"].as_str().unwrap().starts_with("shop.mesh:"));
    assert_eq!(
        (&lines[3]["flags"], &lines[4]["flags"]),
        (&"UAEX".into(), &"UAEX".into())
    );
}

#[test]
fn a_caller_may_have_its_own_time_for_a_callee() {
    let slow = Upstream::handling(|request| async move {
        drop(request);
        std::future::pending::<()>().await;
        Response::new(body(""))
    });
    let (s, own) = (slow.address, free_address());
    let quick = Times {
        request: Some(100),
        ..Times::default()
    };
    let mesh = Mesh::new()
        .service("reviews", |it| {
            it.behind("", own, own, 1).calls("ratings", quick)
        })
        .service("ratings", |it| it.at("", s));
    let scene = Scene::start(mesh.bundle(), "sidecar/reviews", outbound());
    assert_eq!(
        client::get(at(&scene, "outbound"), "ratings", "/").status,
        504
    );
}

#[test]
fn whoever_lists_no_calls_may_call_all_and_whoever_lists_none_may_call_none() {
    let ratings = Upstream::start("ratings");
    let (r, own) = (ratings.address, free_address());
    let open = Mesh::new()
        .service("reviews", |s| s.behind("", own, own, 1))
        .service("ratings", |s| s.at("", r));
    let scene = Scene::start(open.bundle(), "sidecar/reviews", outbound());
    assert_eq!(
        client::get(at(&scene, "outbound"), "ratings", "/").status,
        200
    );
    drop(scene);
    let shut = Mesh::new()
        .service("reviews", |s| s.behind("", own, own, 1).calls_nobody())
        .service("ratings", |s| s.at("", r));
    let scene = Scene::start(shut.bundle(), "sidecar/reviews", outbound());
    assert_eq!(
        client::get(at(&scene, "outbound"), "ratings", "/").status,
        403
    );
}

/// The whole way: a client, a gateway, a sidecar, its application; and that application's own call
/// through its sidecar to another.
#[test]
fn a_mesh_in_one_process() {
    let ratings = Upstream::start("ratings");
    let reviews = Upstream::start("reviews");
    let (reviews_sidecar, ratings_sidecar) = (free_address(), free_address());
    let (a, b) = (reviews.address, ratings.address);
    let mesh = Mesh::new()
        .service("reviews", |s| {
            s.behind("v1", a, reviews_sidecar, 1)
                .calls("ratings", Times::default())
        })
        .service("ratings", |s| {
            s.behind("", b, ratings_sidecar, 1)
                .protocol(Protocol::Http2)
        })
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["shop.example"], vec![otherwise().to("reviews")])
        });
    let sidecar = |endpoint| NodeOptions {
        endpoint: Some(endpoint),
        ..outbound()
    };
    let nodes = vec![
        ("gateway/edge", gateway_options()),
        ("sidecar/reviews", sidecar(a)),
        ("sidecar/ratings", sidecar(b)),
    ];
    let scene = Scene::start_all(mesh.bundle(), nodes, ProcessOptions::default());
    assert_eq!(scene.get("shop.example", "/x").text(), "reviews\n");
    assert_eq!(
        reviews.last().header("x-forwarded-for").as_deref(),
        Some("127.0.0.1")
    );
    let listeners = scene.runtime().listeners();
    let node = format!("sidecar/reviews@{a}");
    let out = listeners
        .iter()
        .find(|it| it.node == node && it.kind == "outbound")
        .unwrap();
    assert_eq!(
        client::get(out.address, "ratings", "/y").text(),
        "ratings\n"
    );
    assert_eq!(ratings.last().version, http::Version::HTTP_2);
    let lines = scene.lines(4);
    let ids: Vec<&serde_json::Value> = lines
        .iter()
        .filter(|line| line["path"] == "/x")
        .map(|line| &line["request_id"])
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "one id on the whole way");
    assert_eq!(scene.status()["nodes"].as_array().unwrap().len(), 3);
}

#[test]
fn http2_comes_in_at_a_sidecar_too() {
    let application = Upstream::start("app");
    let (app, sidecar) = (application.address, free_address());
    let mesh = Mesh::new().service("reviews", |s| s.behind("", app, sidecar, 1));
    let _scene = Scene::start(mesh.bundle(), "sidecar/reviews", NodeOptions::default());
    let reply = block_on(async {
        let mut client = http2::<Whole>(sidecar).await;
        let request = request2("reviews", "/x").body(Whole::default()).unwrap();
        whole(client.send_request(request).await.unwrap()).await
    });
    assert_eq!(reply.text(), "app\n");
    assert_eq!(
        application.last().header("host").as_deref(),
        Some("reviews")
    );
}

#[test]
fn a_sidecar_must_know_where_it_stands() {
    let (a, b) = (free_address(), free_address());
    let elsewhere: SocketAddr = "192.0.2.1:9080".parse().unwrap();
    let mesh = Mesh::new()
        .service("two", |s| s.at("", a).at("", b))
        .service("away", |s| s.at("", elsewhere))
        .service("none", |s| s);
    let start = |node: &str, options| {
        let nodes = vec![(node.parse().unwrap(), options)];
        let started = meshd::Runtime::start(mesh.bundle(), nodes, ProcessOptions::default());
        started.err().map(|error| error.to_string())
    };
    let sentence = start("sidecar/two", NodeOptions::default()).unwrap();
    assert!(sentence.contains("say which with --endpoint"), "{sentence}");
    let chosen = NodeOptions {
        endpoint: Some(b),
        ..NodeOptions::default()
    };
    assert_eq!(start("sidecar/two", chosen), None);
    let other = NodeOptions {
        endpoint: Some(elsewhere),
        ..NodeOptions::default()
    };
    let sentence = start("sidecar/two", other).unwrap();
    assert!(
        sentence.contains("192.0.2.1:9080 is no endpoint of the service"),
        "{sentence}"
    );
    let sentence = start("sidecar/away", NodeOptions::default()).unwrap();
    assert!(
        sentence.contains("no endpoint of the service has an address of this machine"),
        "{sentence}"
    );
    let sentence = start("sidecar/none", NodeOptions::default()).unwrap();
    assert!(sentence.contains("no endpoint in the bundle"), "{sentence}");
    let sentence = start("sidecar/other", NodeOptions::default()).unwrap();
    assert_eq!(
        sentence,
        "the bundle has no sidecar/other; it has sidecar/two, sidecar/away, sidecar/none"
    );
    let sentence = start("gateway/edge", NodeOptions::default()).unwrap();
    assert_eq!(
        sentence,
        "the bundle has no gateway/edge; it has no gateways"
    );
}
