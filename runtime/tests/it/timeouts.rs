//! Deadlines: of requests, of connections, and which level's value holds.

use std::io::Write;
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::BodyExt;
use mesh_bundle::format::Protocol;

use crate::support::client::{Http1, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, Times, on, otherwise};
use crate::support::scene::{HTTP, Scene};
use crate::support::upstream::{Raw, Upstream, body, read_head};
use crate::support::{PATIENCE, block_on, until};

/// An upstream that never answers.
fn silent() -> Upstream {
    Upstream::handling(|request| async move {
        let path = request.uri().path().to_owned();
        drop(request);
        if path == "/ok" {
            return Response::new(body("ok"));
        }
        std::future::pending::<()>().await;
        Response::new(body(""))
    })
}

fn request(milliseconds: u32) -> Times {
    Times {
        request: Some(milliseconds),
        ..Times::default()
    }
}

#[test]
fn a_request_has_its_time_and_no_more() {
    let upstream = silent();
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["a"], vec![otherwise().to("s").timeout(200)])
        });
    let scene = Scene::gateway(&mesh);
    let mut client = Http1::connect(scene.http());
    let began = Instant::now();
    let reply = client.get("a", "/");
    let took = began.elapsed();
    assert_eq!(
        (reply.status, reply.text().as_str()),
        (504, "the service did not answer in time\n")
    );
    assert!(
        took >= Duration::from_millis(200) && took < PATIENCE / 2,
        "{took:?}"
    );
    assert_eq!(
        client.get("a", "/ok").text(),
        "ok",
        "the connection goes on"
    );
    let lines = scene.lines(2);
    assert_eq!(
        (&lines[0]["code"], &lines[0]["flags"]),
        (&504.into(), &"UT".into())
    );
    assert_eq!(lines[0]["service"], "s");
    until("what nobody waits for is given up", || upstream.open() == 1);
}

#[test]
fn grpc_hears_of_it_in_its_own_words() {
    let upstream = silent();
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).times(request(100)))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let reply = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/x")
            .method("POST")
            .header("content-type", "application/grpc");
        whole(
            client
                .send_request(request.body(Whole::default()).unwrap())
                .await
                .unwrap(),
        )
        .await
    });
    assert_eq!(
        (reply.status, reply.header("grpc-status").as_deref()),
        (200, Some("14"))
    );
}

#[test]
fn the_nearest_level_that_speaks_wins() {
    let upstream = silent();
    let address = upstream.address;
    // 0 is `off`. Whoever answers in time answers 504.
    let mesh = Mesh::new()
        .defaults(Times {
            request: Some(150),
            connect: Some(1000),
            idle: Some(1000),
        })
        .service("plain", |s| s.at("", address))
        .service("off", |s| s.at("", address).times(request(0)))
        .service("routed", |s| {
            s.at("", address)
                .times(request(0))
                .route(vec![on(&["/x/**"]).to("self").timeout(150)])
        })
        .gateway("edge", |g| {
            g.http(HTTP).host(
                &["a"],
                vec![
                    on(&["/plain"]).to("plain"),
                    on(&["/off"]).to("off"),
                    on(&["/arm"]).to("off").timeout(150),
                    on(&["/x/routed"]).to("routed"),
                ],
            )
        });
    let scene = Scene::gateway(&mesh);
    for target in ["/plain", "/arm", "/x/routed"] {
        assert_eq!(scene.get("a", target).status, 504, "{target}");
    }
    let mut client = Http1::connect(scene.http());
    client.send("GET /off HTTP/1.1\r\nhost: a\r\n\r\n");
    client
        .stream
        .set_read_timeout(Some(Duration::from_millis(600)))
        .unwrap();
    let mut byte = [0];
    let waited = std::io::Read::read(&mut client.stream, &mut byte);
    assert_eq!(
        waited.unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "off is off"
    );
}

#[test]
fn a_response_that_goes_on_too_long_is_cut() {
    let upstream = Raw::start(|mut stream, _| {
        while read_head(&mut stream).is_some() {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            while stream.write_all(b"5\r\nhello\r\n").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    });
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).times(request(300)))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(client.try_reply().is_none(), "cut short, and it shows");
    let over_http2 = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/").body(Whole::default()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.is_err()
    });
    assert!(over_http2, "the stream is reset");
    for line in scene.lines(2) {
        assert_eq!((&line["code"], &line["flags"]), (&200.into(), &"UT".into()));
    }
}

#[test]
fn a_client_that_does_not_read_is_cut_off_in_time_too() {
    let upstream = Upstream::answering("s", |_| Response::new(body(vec![b'x'; 64 << 20])));
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).times(request(400)))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    let line = scene.line();
    assert_eq!((&line["code"], &line["flags"]), (&200.into(), &"UT".into()));
    // A stream whose window is shut, on a connection that is not.
    block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/").body(Whole::default()).unwrap();
        let held = client.send_request(request).await.unwrap();
        let second = async {
            while scene.lines(1).len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        second.await;
        assert!(held.into_body().collect().await.is_err());
    });
    assert_eq!(scene.lines(2)[1]["flags"], "UT");
}

#[test]
fn a_connection_that_cannot_be_made_in_time() {
    // A socket whose queue is full takes no further connection.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    full.bind(&any.into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _held = std::net::TcpStream::connect(address).unwrap();
    let connect = |protocol| {
        let times = Times {
            connect: Some(200),
            ..request(10_000)
        };
        let mesh = Mesh::new()
            .service("s", |s| s.at("", address).protocol(protocol).times(times))
            .gateway("edge", |g| {
                g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
            });
        let scene = Scene::gateway(&mesh);
        let began = Instant::now();
        assert_eq!(scene.get("a", "/").status, 503);
        assert!(began.elapsed() >= Duration::from_millis(200));
        assert!(began.elapsed() < Duration::from_secs(9));
        assert_eq!(scene.line()["flags"], "UF");
    };
    connect(Protocol::Http1);
    connect(Protocol::Http2);
}

#[test]
fn an_upstream_connection_is_kept_for_a_while() {
    let upstream = Upstream::start("s");
    let address = upstream.address;
    let idle = Times {
        idle: Some(300),
        ..Times::default()
    };
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).times(idle))
        .service("h2", |s| {
            s.at("", address).protocol(Protocol::Http2).times(idle)
        })
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["a"], vec![on(&["/2"]).to("h2"), otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    for _ in 0..5 {
        scene.get("a", "/");
        scene.get("a", "/2");
    }
    assert_eq!((upstream.connections(), upstream.open()), (2, 2));
    until("both are closed", || upstream.open() == 0);
    assert_eq!(scene.get("a", "/").status, 200);
    assert_eq!(upstream.connections(), 3);
}

#[test]
fn half_a_head_does_not_wait_for_ever() {
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    let mut fresh = Http1::connect(scene.http());
    let mut begun = Http1::connect(scene.http());
    begun.send("GET / HTTP/1.1\r\nho");
    let mut second = Http1::connect(scene.http());
    assert_eq!(second.get("a", "/").status, 404);
    second.send("GET / HT");
    let began = Instant::now();
    assert!(fresh.is_closed(), "nothing came: nothing is said");
    assert_eq!(begun.reply().status, 408);
    assert!(begun.is_closed());
    assert_eq!(second.reply().status, 408);
    let took = began.elapsed();
    assert!((8..15).contains(&took.as_secs()), "{took:?}");
    let lines = scene.lines(3);
    let late = lines
        .iter()
        .filter(|line| line["code"] == 408 && line["flags"] == "SI")
        .count();
    assert_eq!(late, 2, "{lines:#?}");
}

#[test]
fn many_requests_touch_no_timer_of_their_connection() {
    // What would go wrong if they did shows in time: a connection used for longer than its first
    // deadline stays.
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    let mut client = Http1::connect(scene.http());
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(11) {
        assert_eq!(client.get("a", "/").status, 404);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(client.is_open());
}
