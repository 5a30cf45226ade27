//! What of a request's and a response's head goes on, and what ends here.

use http::Response;
use mesh_bundle::format::{FieldKind, Protocol};

use crate::support::block_on;
use crate::support::client::{Http1, Whole, http2, request2, send, whole};
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::scene::{HTTP, Scene};
use crate::support::upstream::{Raw, Upstream, body};

fn edge(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["a", "a.example"], vec![otherwise().to("s")])
        })
}

/// Who the peer is, is trusted.
fn behind_a_proxy(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            let arms = vec![
                on(&["/client"])
                    .when(FieldKind::ClientIp, "", "192.0.2.7")
                    .respond(200, Some("known")),
                on(&["/peer"])
                    .when(FieldKind::SourceIp, "", "127.0.0.1")
                    .respond(200, Some("peer")),
                otherwise().to("s"),
            ];
            g.http(HTTP)
                .trust("127.0.0.0", 8)
                .trust("10.0.0.0", 8)
                .host(&["a"], arms)
        })
}

#[test]
fn a_heads_form_is_checked() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&edge(&upstream));
    for (request, status) in [
        ("GET / HTTP/1.1\n\n", 400),
        ("GET / HTTP/1.1\nhost: a\nhost: a\n\n", 400),
        ("GET / HTTP/1.1\nhost: a b\n\n", 400),
        ("GET / HTTP/1.1\nhost: user@a\n\n", 400),
        ("GET http://a.example/x HTTP/1.1\nhost: a.example\n\n", 200),
        ("GET http://b.example/x HTTP/1.1\nhost: a.example\n\n", 400),
        ("CONNECT a:80 HTTP/1.1\nhost: a:80\n\n", 405),
        ("get / HTTP/1.1\nhost: a\n\n", 400),
        ("TRACE / HTTP/1.1\nhost: a\n\n", 200),
        ("GET / HTTP/1.1\nhost: a\nx_forwarded_for: 1.2.3.4\n\n", 400),
        (
            "GET / HTTP/1.1\nhost: a\nconnection: close, x-forwarded-for\n\n",
            400,
        ),
        (
            "GET / HTTP/1.1\nhost: a\nconnection: Authorization\nauthorization: x\n\n",
            400,
        ),
        ("GET / HTTP/1.1\nhost: a\ntransfer-encoding: gzip\n\n", 400),
        ("GET / HTTP/1.1\nhost: a\ncontent-length: x\n\n", 400),
        ("GET / HTTP/1.1\nhost: a\nna me: x\n\n", 400),
        ("nonsense\n\n", 400),
    ] {
        assert_eq!(send(scene.http(), request).status, status, "{request}");
    }
    assert_eq!(upstream.last().method, "TRACE");
    let lines = scene.lines(16);
    let refused = lines.iter().filter(|line| line["flags"] == "DPE").count();
    assert_eq!(refused, 14, "{lines:#?}");
}

#[test]
fn a_heads_size_is_limited() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&edge(&upstream));
    let get = |target: &str, headers: String| {
        let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        Http1::connect(scene.http()).send(head).reply().status
    };
    let lines = |count: usize| {
        let lines: Vec<String> = (0..count).map(|it| format!("x-{it}: 1\r\n")).collect();
        lines.concat()
    };
    assert_eq!(get("/", lines(90)), 200);
    assert_eq!(get("/", lines(101)), 431);
    assert_eq!(get("/", format!("x: {}\r\n", "y".repeat(50 * 1024))), 200);
    assert_eq!(get("/", format!("x: {}\r\n", "y".repeat(61 * 1024))), 431);
    assert_eq!(get(&format!("/{}", "p".repeat(8000)), String::new()), 200);
    assert_eq!(get(&format!("/{}", "p".repeat(9000)), String::new()), 414);
    let over_http2 = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let mut request = request2("a", "/");
        for number in 0..101 {
            request = request.header(format!("x-{number}"), "1");
        }
        let many = client
            .send_request(request.body(Whole::default()).unwrap())
            .await
            .unwrap();
        let long = request2("a", &format!("/{}", "p".repeat(9000)))
            .body(Whole::default())
            .unwrap();
        let long = client.send_request(long).await.unwrap();
        (whole(many).await.status, whole(long).await.status)
    });
    assert_eq!(over_http2, (431, 414));
}

#[test]
fn what_concerns_one_hop_ends_there() {
    let upstream = Upstream::answering("s", |_| {
        let response = Response::builder()
            .header("connection", "x-private")
            .header("x-private", "1")
            .header("keep-alive", "timeout=5")
            .header("proxy-authenticate", "Basic")
            .header("upgrade", "h2c")
            .header("x-public", "2")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2");
        response.body(body("x")).unwrap()
    });
    let scene = Scene::gateway(&edge(&upstream));
    let reply = scene.send(
        "GET / HTTP/1.1\nhost: a\nconnection: keep-alive, X-Hop\nkeep-alive: 1\nx-hop: 1\n\
         proxy-connection: x\nproxy-authorization: x\nte: gzip\nupgrade: h2c\nhttp2-settings: x\nx-public: 1\n\n",
    );
    let seen = upstream.last();
    for name in [
        "keep-alive",
        "x-hop",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "upgrade",
        "http2-settings",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("connection"), None);
    assert_eq!(seen.header("x-public").as_deref(), Some("1"));
    for name in ["x-private", "keep-alive", "proxy-authenticate", "upgrade"] {
        assert_eq!(reply.header(name), None, "{name}");
    }
    assert_eq!(reply.header("x-public").as_deref(), Some("2"));
    assert_eq!(reply.header("set-cookie").as_deref(), Some("a=1 | b=2"));
}

#[test]
fn the_next_hop_is_told_who_asks() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&edge(&upstream));
    scene.send(
        "GET / HTTP/1.1\nhost: a:1234\nx-forwarded-for: 6.6.6.6\nx-forwarded-proto: https\n\
         x-forwarded-host: evil\nx-request-id: mine\nforwarded: for=6.6.6.6\nx-mesh-source: a\n\
         x-envoy-max-retries: 3\nx-forwarded-client-cert: URI=spiffe://a\n\n",
    );
    let seen = upstream.last();
    assert_eq!(
        seen.header("x-forwarded-for").as_deref(),
        Some("6.6.6.6, 127.0.0.1")
    );
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("http"));
    assert_eq!(seen.header("x-forwarded-host").as_deref(), Some("a:1234"));
    for name in [
        "forwarded",
        "x-mesh-source",
        "x-envoy-max-retries",
        "x-forwarded-client-cert",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    let id = seen.header("x-request-id").unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    let line = scene.line();
    assert_eq!(
        (&line["request_id"], &line["client_ip"]),
        (&id.into(), &"127.0.0.1".into())
    );
}

#[test]
fn a_trusted_proxys_word_counts() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&behind_a_proxy(&upstream));
    scene.send(
        "GET / HTTP/1.1\nhost: a\nx-forwarded-for: 6.6.6.6, 192.0.2.7, 10.0.0.3\n\
         x-forwarded-proto: https\nx-forwarded-host: shop.example\nx-request-id: given-1\n\
         forwarded: for=192.0.2.7\n\n",
    );
    let seen = upstream.last();
    let chain = "6.6.6.6, 192.0.2.7, 10.0.0.3, 127.0.0.1";
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some(chain));
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(
        seen.header("x-forwarded-host").as_deref(),
        Some("shop.example")
    );
    assert_eq!(seen.header("x-request-id").as_deref(), Some("given-1"));
    assert_eq!(seen.header("forwarded").as_deref(), Some("for=192.0.2.7"));
    let line = scene.line();
    assert_eq!(
        (&line["client_ip"], &line["request_id"]),
        (&"192.0.2.7".into(), &"given-1".into())
    );

    let client = "GET /client HTTP/1.1\nhost: a\nx-forwarded-for: 192.0.2.7\n\n";
    assert_eq!(scene.send(client).text(), "known");
    let spoofed = "GET /client HTTP/1.1\nhost: a\nx-forwarded-for: 192.0.2.7, 198.51.100.1\n\n";
    assert_eq!(scene.send(spoofed).text(), "s\n");
    assert_eq!(scene.get("a", "/peer").text(), "peer");
}

#[test]
fn http2_to_http1_and_back() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&edge(&upstream));
    let statuses = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/x")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("te", "trailers")
            .header("x-a", "1");
        let first = client
            .send_request(request.body(Whole::default()).unwrap())
            .await
            .unwrap();
        let agreeing = request2("a", "/")
            .header("host", "A")
            .body(Whole::default())
            .unwrap();
        let agreeing = client.send_request(agreeing).await.unwrap();
        let other = request2("a", "/")
            .header("host", "b")
            .body(Whole::default())
            .unwrap();
        let other = client.send_request(other).await.unwrap();
        [
            whole(first).await.status,
            whole(agreeing).await.status,
            whole(other).await.status,
        ]
    });
    assert_eq!(statuses, [200, 200, 400]);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.header("cookie").as_deref(), Some("a=1; b=2"));
    assert_eq!(seen.header("host").as_deref(), Some("a"));
    assert_eq!(seen.header("te").as_deref(), Some("trailers"));
    assert_eq!(seen.header("connection").as_deref(), Some("te"));
}

#[test]
fn http1_to_http2_and_back() {
    let upstream = Upstream::start("s");
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).protocol(Protocol::Http2))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let request = "POST /x?y=1 HTTP/1.1\nhost: a:8080\nconnection: keep-alive\ntransfer-encoding: chunked\n\n\
                   5\nhello\n0\n\n";
    assert_eq!(scene.send(request).status, 200);
    let seen = upstream.last();
    assert_eq!(seen.version, http::Version::HTTP_2);
    assert_eq!(seen.target, "http://a:8080/x?y=1");
    assert_eq!(
        (seen.body.as_slice(), seen.header("host")),
        (&b"hello"[..], None)
    );
}

#[test]
fn grpc_goes_as_http2_to_a_service_of_both() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&edge(&upstream));
    block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/pkg.Service/Method").method("POST");
        let request = request
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let response = client
            .send_request(request.body(Whole::default()).unwrap())
            .await
            .unwrap();
        assert_eq!(whole(response).await.status, 200);
    });
    assert_eq!(upstream.last().version, http::Version::HTTP_2);
    assert_eq!(upstream.last().header("te").as_deref(), Some("trailers"));
    scene.get("a", "/");
    assert_eq!(upstream.last().version, http::Version::HTTP_11);
}

#[test]
fn a_response_that_can_be_read_in_two_ways_is_not_passed_on() {
    for (response, flag) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "UPE",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            "UPE",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "UPE"),
        ("nonsense\r\n\r\n", "UPE"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "UPE",
        ),
        ("", "UC"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "UC"),
    ] {
        let upstream = Raw::saying(response.as_bytes());
        let address = upstream.address;
        let mesh = Mesh::new()
            .service("s", |s| s.at("", address))
            .gateway("edge", |g| {
                g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
            });
        let scene = Scene::gateway(&mesh);
        assert_eq!(scene.get("a", "/").status, 502, "{response}");
        assert_eq!(scene.line()["flags"], flag, "{response}");
    }
}
