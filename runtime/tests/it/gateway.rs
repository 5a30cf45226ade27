//! Hosts, arms, and what arms do.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpStream};

use mesh_bundle::format::FieldKind;
use meshd::NodeOptions;

use crate::support::client::{Http1, Whole, get, http2, request2, send, whole};
use crate::support::mesh::{Mesh, RedirectTo, on, otherwise};
use crate::support::scene::{HTTP, HTTPS, Scene, gateway_options};
use crate::support::upstream::Upstream;
use crate::support::{block_on, free_address};

fn shop(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("api", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["shop.example"], vec![on(&["/api/**"]).to("api")])
        })
}

#[test]
fn a_request_reaches_its_service() {
    let upstream = Upstream::start("api");
    let scene = Scene::gateway(&shop(&upstream));
    let reply = scene.get("shop.example", "/api/orders?page=2&q=%41");
    assert_eq!((reply.status, reply.text().as_str()), (200, "api\n"));
    assert_eq!(reply.header("x-served-by").as_deref(), Some("api"));
    assert!(reply.header("date").is_some());
    let seen = upstream.last();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/api/orders?page=2&q=%41")
    );
    assert_eq!(seen.header("host").as_deref(), Some("shop.example"));
}

#[test]
fn what_nobody_serves_is_not_found() {
    let upstream = Upstream::start("api");
    let scene = Scene::gateway(&shop(&upstream));
    let no_host = scene.get("other.example", "/api/");
    assert_eq!(
        (no_host.status, no_host.text().as_str()),
        (404, "nothing is served at this host\n")
    );
    let no_arm = scene.get("shop.example", "/apis");
    assert_eq!(
        (no_arm.status, no_arm.text().as_str()),
        (404, "nothing is served here\n")
    );
    let lines = scene.lines(2);
    assert!(
        lines
            .iter()
            .all(|line| line["flags"] == "NR" && line["arm"].is_null()),
        "{lines:?}"
    );
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_listener_that_names_only_a_port_listens_everywhere_or_as_told() {
    let mesh = Mesh::new().gateway("edge", |g| {
        g.http(HTTP)
            .everywhere()
            .host(&["a"], vec![otherwise().respond(204, None)])
    });
    let scene = Scene::gateway(&mesh);
    let port = scene.http().port();
    for address in ["127.0.0.1", "127.0.0.2"] {
        let ip: IpAddr = address.parse().unwrap();
        assert_eq!(get((ip, port).into(), "a", "/").status, 204);
    }
    // What comes as IPv4 is seen as IPv4.
    let lines = scene.lines(2);
    assert_eq!(lines[0]["client_ip"], "127.0.0.1");

    let bind = "127.0.0.2".parse().unwrap();
    let options = NodeOptions {
        bind: Some(bind),
        ..gateway_options()
    };
    let scene = Scene::start(mesh.bundle(), "gateway/edge", options);
    assert_eq!(scene.http().ip(), bind);
    assert_eq!(get(scene.http(), "a", "/").status, 204);
    let port = scene.http().port();
    let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_most_specific_host_wins() {
    let says = |text| vec![otherwise().respond(200, Some(text))];
    let mesh = Mesh::new().gateway("edge", |g| {
        g.http(HTTP)
            .host(&["shop.example", "www.shop.example"], says("exact"))
            .host(&["*.shop.example"], says("wild"))
            .host(&["*.eu.shop.example"], says("longer"))
            .host(&["*"], says("any"))
    });
    let scene = Scene::gateway(&mesh);
    for (host, expected) in [
        ("shop.example", "exact"),
        ("WWW.Shop.Example.:8080", "exact"),
        ("a.shop.example", "wild"),
        ("a.b.shop.example", "wild"),
        ("a.eu.shop.example", "longer"),
        ("eu.shop.example", "wild"),
        ("elsewhere.example", "any"),
        ("[::1]:80", "any"),
    ] {
        assert_eq!(scene.get(host, "/").text(), expected, "{host}");
    }
}

#[test]
fn the_first_arm_that_matches_takes_the_request() {
    let says = |text| Some(text);
    let arms = vec![
        on(&["/a/**"]).method("POST").respond(200, says("post")),
        on(&["/a/b"])
            .header("x-team", "qa")
            .respond(200, says("qa")),
        on(&["/a/**"])
            .when(FieldKind::Query, "v", "2")
            .respond(200, says("query")),
        on(&["/a/**"])
            .when(FieldKind::Cookie, "user", "jason")
            .respond(200, says("cookie")),
        on(&["/a/b"]).respond(200, says("exact")),
        on(&["/a/**"]).respond(200, says("prefix")),
        otherwise().respond(404, says("no such page\n")),
    ];
    let mesh = Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], arms));
    let scene = Scene::gateway(&mesh);
    for (request, expected) in [
        ("POST /a/b HTTP/1.1\nhost: a\n\n", "post"),
        ("GET /a/b HTTP/1.1\nhost: a\nx-team: qa\n\n", "qa"),
        ("GET /a/b HTTP/1.1\nhost: a\nx-team: dev\n\n", "exact"),
        (
            "GET /a/b HTTP/1.1\nhost: a\nx-team: q\nx-team: a\n\n",
            "exact",
        ),
        ("GET /a/c?u=1&v=2 HTTP/1.1\nhost: a\n\n", "query"),
        (
            "GET /a/c HTTP/1.1\nhost: a\ncookie: x=1; user=jason\n\n",
            "cookie",
        ),
        ("GET /a HTTP/1.1\nhost: a\n\n", "prefix"),
        ("GET /a/ HTTP/1.1\nhost: a\n\n", "prefix"),
        ("GET /ab HTTP/1.1\nhost: a\n\n", "no such page\n"),
        // What is matched is the normal form.
        ("GET //a/./x/../%62 HTTP/1.1\nhost: a\n\n", "exact"),
    ] {
        assert_eq!(send(scene.http(), request).text(), expected, "{request}");
    }
}

#[test]
fn what_was_matched_is_what_is_forwarded() {
    let upstream = Upstream::start("api");
    let scene = Scene::gateway(&shop(&upstream));
    for (target, forwarded) in [
        ("/api//x/../%7Euser?a=//b/../c", "/api/~user?a=//b/../c"),
        ("/%61pi/a%2cb", "/api/a%2Cb"),
        ("/api/", "/api/"),
        ("/api/x;v=1/y", "/api/x;v=1/y"),
    ] {
        assert_eq!(scene.get("shop.example", target).status, 200, "{target}");
        assert_eq!(upstream.last().target, forwarded);
    }
    for target in [
        "/api/%2e%2e/../..",
        "/api/a%2Fb",
        "/api/%00",
        "/api/%zz",
        "/api\\x",
    ] {
        assert_eq!(scene.get("shop.example", target).status, 400, "{target}");
    }
    assert_eq!(upstream.seen().len(), 4);
}

#[test]
fn respond_says_what_it_is_told() {
    let arms = vec![
        on(&["/page"]).respond(200, Some("<h1>hi</h1>")),
        on(&["/text"]).respond(403, Some("no\n")),
        on(&["/empty"]).respond(204, None),
    ];
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], arms)));
    let mut client = Http1::connect(scene.http());
    let page = client.get("a", "/page");
    assert_eq!(page.text(), "<h1>hi</h1>");
    assert_eq!(
        page.header("content-type").as_deref(),
        Some("text/html; charset=utf-8")
    );
    let text = client.get("a", "/text");
    assert_eq!((text.status, text.text().as_str()), (403, "no\n"));
    assert_eq!(client.get("a", "/empty").status, 204);
    client.send("HEAD /page HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = client.reply_without_body();
    assert_eq!(head.header("content-length").as_deref(), Some("11"));
    assert_eq!(
        client.get("a", "/text").status,
        403,
        "the connection is still in step"
    );
    let lines = scene.lines(5);
    assert!(
        lines
            .iter()
            .all(|line| line["flags"] == "-" && line["attempts"] == 0),
        "{lines:#?}"
    );
    assert!(lines[0]["arm"].as_str().unwrap().starts_with("shop.mesh:"));
}

#[test]
fn redirects_are_built_from_parts() {
    let to = |to| move |arm: crate::support::mesh::Arm| arm.redirect(301, to);
    let arms = vec![
        to(RedirectTo {
            prefix: Some("/new"),
            ..RedirectTo::default()
        })(on(&["/old/**"])),
        to(RedirectTo {
            url: Some("https://x.example/y"),
            ..RedirectTo::default()
        })(on(&["/url"])),
        to(RedirectTo {
            scheme: Some("https"),
            ..RedirectTo::default()
        })(on(&["/s"])),
        to(RedirectTo {
            host: Some("b.example"),
            port: 8443,
            path: Some("/p"),
            ..RedirectTo::default()
        })(on(&["/h"])),
    ];
    let scene =
        Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a.example"], arms)));
    let port = scene.http().port();
    for (target, location) in [
        (
            "/old/x/y?q=1",
            format!("http://a.example:{port}/new/x/y?q=1"),
        ),
        ("/old", format!("http://a.example:{port}/new")),
        ("/url?q=1", "https://x.example/y".to_owned()),
        ("/s?q=1", "https://a.example/s?q=1".to_owned()),
        ("/h?q=1", "http://b.example:8443/p?q=1".to_owned()),
    ] {
        let reply = scene.get("a.example:9999", target);
        assert_eq!(reply.status, 301);
        assert_eq!(reply.header("location"), Some(location), "{target}");
    }
}

#[test]
fn a_listener_can_send_everybody_to_https() {
    let files = crate::tls::certificate(&["a.example"]);
    let mesh = Mesh::new().gateway("edge", |g| {
        g.redirecting(HTTP)
            .https(HTTPS, "tls.crt", "tls.key")
            .host(&["a.example"], vec![otherwise().respond(200, None)])
    });
    let mut options = crate::support::scene::gateway_options();
    options.files = vec![files.path().to_owned()];
    let scene = Scene::start(mesh.bundle(), "gateway/edge", options);
    let port = scene.https().port();
    let reply = scene.get("A.example:80", "/x//y?q=1");
    assert_eq!(reply.status, 308);
    assert_eq!(
        reply.header("location"),
        Some(format!("https://a.example:{port}/x/y?q=1"))
    );
    for host in [
        "evil.example/x",
        "user@evil.example",
        "a b",
        "-",
        "a..b",
        "evil.example\\",
    ] {
        let reply = scene.get(host, "/");
        let refused = reply.status == 400 || host == "-";
        assert!(
            refused,
            "{host}: {} {:?}",
            reply.status,
            reply.header("location")
        );
    }
}

#[test]
fn shares_are_as_written() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let (a, b) = (one.address, two.address);
    let mesh = Mesh::new()
        .service("s", |s| s.at("v1", a).at("v2", b))
        .gateway("edge", |g| {
            let arms = vec![
                on(&["/split"]).split(&[(80, "s.v1"), (20, "s.v2")]),
                on(&["/two"]).to("s.v2"),
                on(&["/route"]).to("s"),
            ];
            g.http(HTTP).host(&["a"], arms)
        });
    let scene = Scene::gateway(&mesh);
    let mut client = Http1::connect(scene.http());
    for _ in 0..500 {
        assert_eq!(client.get("a", "/split").status, 200);
    }
    let share = one.seen().len();
    assert!((350..450).contains(&share), "{share} of 500");
    assert_eq!(share + two.seen().len(), 500);
    for _ in 0..20 {
        assert_eq!(client.get("a", "/two").text(), "two\n");
    }
    // A service without a route is all its endpoints.
    let all: Vec<String> = (0..50).map(|_| client.get("a", "/route").text()).collect();
    assert!(all.iter().any(|it| it == "one\n") && all.iter().any(|it| it == "two\n"));
}

#[test]
fn a_services_own_route_sees_the_gateway_as_its_caller() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let (a, b) = (one.address, two.address);
    let mesh = Mesh::new()
        .service("s", |s| {
            s.at("v1", a).at("v2", b).route(vec![
                on(&["/who"])
                    .when(FieldKind::Source, "", "default/edge")
                    .to("s.v2"),
                on(&["/jason"]).header("end-user", "jason").to("s.v2"),
                on(&["/forwarded"])
                    .header("x-forwarded-proto", "http")
                    .to("s.v2"),
                on(&["/teapot"]).respond(418, Some("short and stout")),
                otherwise().to("s.v1"),
            ])
        })
        .gateway("edge", |g| {
            let arms = vec![
                on(&["/who"])
                    .when(FieldKind::Source, "", "default/edge")
                    .respond(500, None),
                otherwise().to("s"),
            ];
            g.http(HTTP).host(&["a"], arms)
        });
    let scene = Scene::gateway(&mesh);
    assert_eq!(scene.get("a", "/who").text(), "two\n");
    assert_eq!(scene.get("a", "/jason").text(), "one\n");
    assert_eq!(
        scene
            .send("GET /jason HTTP/1.1\nhost: a\nend-user: jason\n\n")
            .text(),
        "two\n"
    );
    assert_eq!(scene.get("a", "/forwarded").text(), "two\n");
    assert_eq!(scene.get("a", "/teapot").status, 418);
    let lines = scene.lines(5);
    assert_eq!(lines[0]["service"], "s.v2");
    assert_ne!(lines[0]["arm"], lines[0]["gateway_arm"]);
    assert!(lines[0]["gateway_arm"].is_string());
}

#[test]
fn nothing_to_send_it_to() {
    let dead = free_address();
    let mesh = Mesh::new()
        .service("empty", |s| s)
        .service("dead", |s| s.at("", dead))
        .gateway("edge", |g| {
            let arms = vec![on(&["/empty"]).to("empty"), on(&["/dead"]).to("dead")];
            g.http(HTTP).host(&["a"], arms)
        });
    let scene = Scene::gateway(&mesh);
    assert_eq!(scene.get("a", "/empty").status, 503);
    let dead = scene.get("a", "/dead");
    assert_eq!(
        (dead.status, dead.text().as_str()),
        (503, "the service cannot be reached\n")
    );
    let lines = scene.lines(2);
    assert_eq!(
        (&lines[0]["flags"], &lines[1]["flags"]),
        (&"UH".into(), &"UF".into())
    );
    assert_eq!(
        scene.metric("mesh_upstream_connect_failures_total"),
        Some(1.0)
    );
}

#[test]
fn refusals_come_as_the_client_reads_them() {
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    let json = scene.send("GET /x HTTP/1.1\nhost: a\naccept: application/json\n\n");
    assert_eq!(
        json.header("content-type").as_deref(),
        Some("application/json")
    );
    let body: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(body["error"], "nothing is served here");
    assert_eq!(body["request_id"], scene.line()["request_id"]);
    assert!(json.header("date").is_some());

    let grpc = scene.send("POST /x HTTP/1.1\nhost: a\ncontent-type: application/grpc\n\n");
    assert_eq!((grpc.status, grpc.body.len()), (200, 0));
    assert_eq!(grpc.header("grpc-status").as_deref(), Some("12"));
    assert_eq!(
        grpc.header("grpc-message").as_deref(),
        Some("nothing is served here")
    );
    assert_eq!(
        grpc.header("content-type").as_deref(),
        Some("application/grpc")
    );

    let over_http2 = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/x")
            .method("POST")
            .header("content-type", "application/grpc+proto");
        whole(
            client
                .send_request(request.body(Whole::default()).unwrap())
                .await
                .unwrap(),
        )
        .await
    });
    assert_eq!(over_http2.status, 200);
    assert_eq!(over_http2.header("grpc-status").as_deref(), Some("12"));
}

#[test]
fn http2_comes_in_by_prior_knowledge() {
    let upstream = Upstream::start("api");
    let scene = Scene::gateway(&shop(&upstream));
    let replies = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let mut replies = Vec::new();
        for target in ["/api/1", "/api/2", "/none"] {
            let request = request2("shop.example", target)
                .body(Whole::default())
                .unwrap();
            replies.push(whole(client.send_request(request).await.unwrap()).await);
        }
        replies
    });
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 404]);
    let seen = upstream.last();
    assert_eq!(seen.version, http::Version::HTTP_11);
    assert_eq!(seen.target, "/api/2");
    assert_eq!(seen.header("host").as_deref(), Some("shop.example"));
    let lines = scene.lines(3);
    assert!(
        lines
            .iter()
            .all(|line| line["protocol"] == "HTTP/2" && line["host"] == "shop.example")
    );
}

#[test]
fn options_of_the_server_itself() {
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    assert_eq!(scene.send("OPTIONS * HTTP/1.1\nhost: a\n\n").status, 204);
    assert_eq!(scene.send("GET * HTTP/1.1\nhost: a\n\n").status, 400);
}

#[test]
fn expectations_are_met_here() {
    let upstream = Upstream::start("api");
    let scene = Scene::gateway(&shop(&upstream));
    let mut client = Http1::connect(scene.http());
    let head = "POST /api/x HTTP/1.1\r\nhost: shop.example\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    client.send(head);
    assert_eq!(client.head().unwrap().status, 100);
    client.send("hello");
    assert_eq!(client.reply().status, 200);
    assert_eq!(upstream.last().body, b"hello");
    assert_eq!(upstream.last().header("expect"), None);

    // Refused before the body: nobody asks for it, and the connection ends.
    client.send(head.replace("/api/x", "/none"));
    let refused = client.head().unwrap();
    assert_eq!(refused.status, 404);
    assert_eq!(refused.header("connection").as_deref(), Some("close"));
    assert_eq!(
        scene
            .send("GET /api/ HTTP/1.1\nhost: shop.example\nexpect: tea\n\n")
            .status,
        417
    );
}
