//! Connections to upstreams: which endpoint, and over what.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use mesh_bundle::format::Protocol;
use tokio::sync::Semaphore;

use crate::support::client::{Http1, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, otherwise};
use crate::support::scene::{HTTP, Scene};
use crate::support::upstream::{Raw, Upstream, body, read_head};
use crate::support::{block_on, until};

fn to(address: std::net::SocketAddr, protocol: Protocol) -> Scene {
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).protocol(protocol))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    Scene::gateway(&mesh)
}

/// An upstream that answers when it is let, and counts what waits.
fn gated() -> (Upstream, Arc<Semaphore>, Arc<AtomicUsize>) {
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::new(AtomicUsize::new(0));
    let (held, count) = (Arc::clone(&gate), Arc::clone(&waiting));
    let upstream = Upstream::handling(move |request| {
        let (held, count) = (Arc::clone(&held), Arc::clone(&count));
        async move {
            drop(request);
            count.fetch_add(1, Ordering::SeqCst);
            held.acquire().await.unwrap().forget();
            Response::new(body("ok"))
        }
    });
    (upstream, gate, waiting)
}

#[test]
fn connections_are_used_again() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let upstream = Upstream::start("s");
        let scene = to(upstream.address, protocol);
        for _ in 0..20 {
            assert_eq!(scene.get("a", "/").status, 200);
        }
        assert_eq!(upstream.connections(), 1, "{protocol:?}");
        assert_eq!(scene.metric("mesh_upstream_connections_active"), Some(1.0));
        assert_eq!(scene.metric("mesh_upstream_connections_total"), Some(1.0));
    }
}

#[test]
fn requests_at_a_time_need_connections_of_their_own_or_streams() {
    for (protocol, expected) in [(Protocol::Http1, 10), (Protocol::Http2, 1)] {
        let (upstream, gate, waiting) = gated();
        let scene = to(upstream.address, protocol);
        let mut clients: Vec<Http1> = (0..10).map(|_| Http1::connect(scene.http())).collect();
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        }
        until("all are under way", || waiting.load(Ordering::SeqCst) == 10);
        assert_eq!(upstream.connections(), expected, "{protocol:?}");
        gate.add_permits(100);
        for client in &mut clients {
            assert_eq!(client.reply().status, 200);
            assert_eq!(client.get("a", "/").status, 200);
        }
        assert_eq!(
            upstream.connections(),
            expected,
            "those that came back were used"
        );
    }
}

#[test]
fn a_further_http2_connection_when_streams_are_used_up() {
    let (upstream, gate, waiting) = gated();
    // The server allows 200 streams; each of our connections carries 100.
    let scene = to(upstream.address, Protocol::Http2);
    block_on(async {
        let mut senders = Vec::new();
        for _ in 0..3 {
            senders.push(http2::<Whole>(scene.http()).await);
        }
        let replies: Vec<_> = (0..300)
            .map(|number: usize| {
                let request = request2("a", "/").body(Whole::default()).unwrap();
                let sent = senders[number / 100].send_request(request);
                tokio::task::spawn_local(async move { whole(sent.await.unwrap()).await.status })
            })
            .collect();
        while waiting.load(Ordering::SeqCst) < 300 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(upstream.connections(), 2);
        gate.add_permits(300);
        for reply in replies {
            assert_eq!(reply.await.unwrap(), 200);
        }
    });
}

#[test]
fn a_connection_comes_back_with_the_end_of_the_body_and_not_before() {
    let gate = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&gate);
    let upstream = Raw::start(move |mut stream, _| {
        while let Some(head) = read_head(&mut stream) {
            if head.starts_with("GET /slow") {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")
                    .unwrap();
                while opened.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
                stream.write_all(b"llo").unwrap();
            } else {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .unwrap();
            }
        }
    });
    let scene = to(upstream.address, Protocol::Http1);
    let mut slow = Http1::connect(scene.http());
    slow.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    until("it is under way", || {
        upstream.connections.load(Ordering::SeqCst) == 1
    });
    assert_eq!(scene.get("a", "/").text(), "ok");
    assert_eq!(
        upstream.connections.load(Ordering::SeqCst),
        2,
        "the first is still in use"
    );
    gate.store(1, Ordering::SeqCst);
    assert_eq!(slow.reply().text(), "hello");
    let mut both = Http1::connect(scene.http());
    for _ in 0..10 {
        assert_eq!(both.get("a", "/").text(), "ok");
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn a_connection_that_its_upstream_closes_is_not_used_again() {
    let close = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let upstream = Raw::saying(close.as_bytes());
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    for _ in 0..20 {
        let reply = client.get("a", "/");
        assert_eq!((reply.status, reply.header("connection")), (200, None));
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 20);
    until("none is left", || {
        scene.metric("mesh_upstream_connections_active") == Some(0.0)
    });

    // One that ends with the connection.
    let upstream = Raw::saying(b"HTTP/1.1 200 OK\r\n\r\nhello");
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    for _ in 0..3 {
        assert_eq!(client.get("a", "/").text(), "hello");
    }
}

#[test]
fn an_upstream_that_was_restarted_is_found_again() {
    let address = crate::support::free_address();
    let serve = |count: usize| {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(16).unwrap();
        let listener: std::net::TcpListener = socket.into();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for _ in 0..count {
                read_head(&mut stream).unwrap();
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .unwrap();
            }
        })
    };
    let scene = to(address, Protocol::Http1);
    let first = serve(3);
    for _ in 0..3 {
        assert_eq!(scene.get("a", "/").status, 200);
    }
    first.join().unwrap();
    until("the end of the connection is seen", || {
        scene.metric("mesh_upstream_connections_active") == Some(0.0)
    });
    assert_eq!(scene.get("a", "/").status, 503);
    let second = serve(1);
    assert_eq!(scene.get("a", "/").status, 200);
    second.join().unwrap();
}

#[test]
fn endpoints_share_by_weight_and_the_busy_one_gets_less() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let (a, b) = (one.address, two.address);
    let mesh = Mesh::new()
        .service("s", |s| s.weighted("", a, 3).weighted("", b, 1))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let mut client = Http1::connect(scene.http());
    for _ in 0..400 {
        assert_eq!(client.get("a", "/").status, 200);
    }
    let share = one.seen().len();
    assert!((260..340).contains(&share), "{share} of 400");

    let (slow, gate, waiting) = gated();
    let quick = Upstream::start("quick");
    let (a, b) = (slow.address, quick.address);
    let mesh = Mesh::new()
        .service("s", |s| s.at("", a).at("", b))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    let mut stuck = Vec::new();
    while waiting.load(Ordering::SeqCst) == 0 {
        let mut client = Http1::connect(scene.http());
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        until("it has arrived", || {
            waiting.load(Ordering::SeqCst) == 1 || quick.seen().len() > stuck.len()
        });
        stuck.push(client);
    }
    let mut client = Http1::connect(scene.http());
    for _ in 0..50 {
        assert_eq!(client.get("a", "/").text(), "quick\n");
    }
    assert_eq!(waiting.load(Ordering::SeqCst), 1);
    gate.add_permits(1);
}

#[test]
fn a_response_on_nobodys_request_is_nobodys() {
    // Bytes behind a whole response would answer the next request: the connection is not used again.
    let upstream = Raw::start(|mut stream, number| {
        while read_head(&mut stream).is_some() {
            let extra = if number == 0 {
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong"
            } else {
                ""
            };
            let response = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{extra}");
            if stream.write_all(response.as_bytes()).is_err() {
                return;
            }
        }
    });
    let scene = to(upstream.address, Protocol::Http1);
    for _ in 0..10 {
        assert_eq!(scene.get("a", "/").text(), "ok");
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 2);
}
