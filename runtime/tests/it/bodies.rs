//! Bodies and trailers on their way through, and what happens when one side breaks off.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use mesh_bundle::format::Protocol;

use crate::support::client::{Http1, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, otherwise};
use crate::support::scene::{HTTP, Scene};
use crate::support::upstream::{Body, Raw, Upstream, body, read_head};
use crate::support::{block_on, until};

fn to(address: std::net::SocketAddr, protocol: Protocol) -> Scene {
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address).protocol(protocol))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    Scene::gateway(&mesh)
}

fn trailers(names: &[&'static str]) -> HeaderMap {
    names
        .iter()
        .map(|name| (name.parse().unwrap(), "1".parse().unwrap()))
        .collect()
}

/// Frames one after the other.
fn frames(frames: Vec<Frame<Bytes>>) -> Body {
    Frames(frames.into_iter()).boxed()
}

struct Frames(std::vec::IntoIter<Frame<Bytes>>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

#[test]
fn bodies_pass_in_every_combination() {
    let upstream = Upstream::answering("s", |seen| Response::new(body(seen.body.clone())));
    let text: Vec<u8> = (0..300_000u32).map(|it| (it % 251) as u8).collect();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let scene = to(upstream.address, protocol);
        let mut client = Http1::connect(scene.http());
        let head = format!(
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        client.send(head).send(&text);
        assert_eq!(client.reply().body, text);
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        for chunk in text.chunks(10_000) {
            client
                .send(format!("{:x}\r\n", chunk.len()))
                .send(chunk)
                .send("\r\n");
        }
        client.send("0\r\n\r\n");
        assert_eq!(client.reply().body, text);
        let over_http2 = block_on(async {
            let mut client = http2::<Whole>(scene.http()).await;
            let request = request2("a", "/")
                .method("POST")
                .body(Whole::from(text.clone()))
                .unwrap();
            whole(client.send_request(request).await.unwrap())
                .await
                .body
        });
        assert_eq!(over_http2, text);
        let lines = scene.lines(3);
        let length = text.len();
        let counted =
            |line: &serde_json::Value| line["bytes_in"] == length && line["bytes_out"] == length;
        assert!(lines.iter().all(counted), "{lines:#?}");
    }
}

#[test]
fn a_body_is_a_body_whatever_the_method() {
    let upstream = Upstream::start("s");
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    for method in ["GET", "DELETE"] {
        client.send(format!(
            "{method} / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
        ));
        assert_eq!(client.reply().status, 200);
        assert_eq!(upstream.last().body, b"hello", "{method}, counted");
        let chunked =
            "HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        client.send(format!("{method} / {chunked}"));
        assert_eq!(client.reply().status, 200);
        assert_eq!(upstream.last().body, b"hello", "{method}, chunked");
    }
}

#[test]
fn head_has_a_length_and_no_body() {
    let upstream = Upstream::start("s");
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = client.reply_without_body();
    assert_eq!(head.header("content-length").as_deref(), Some("2"));
    assert_eq!(client.get("a", "/").text(), "s\n");
    assert_eq!(scene.lines(2)[0]["flags"], "-");
}

#[test]
fn trailers_pass_from_http2_to_http2() {
    let upstream = Upstream::answering("s", |_| {
        let fields = trailers(&["grpc-status", "set-cookie", "x-sum"]);
        Response::new(frames(vec![
            Frame::data("x".into()),
            Frame::trailers(fields),
        ]))
    });
    let scene = to(upstream.address, Protocol::Http2);
    let reply = block_on(async {
        let mut client = http2::<Body>(scene.http()).await;
        let fields = trailers(&["x-mine", "content-length"]);
        let body = frames(vec![Frame::data("hello".into()), Frame::trailers(fields)]);
        let request = request2("a", "/")
            .method("POST")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        whole(client.send_request(request).await.unwrap()).await
    });
    let names = |fields: &[(String, String)]| {
        let mut names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&reply.trailers), ["grpc-status", "x-sum"]);
    assert_eq!(names(&upstream.last().trailers), ["x-mine"]);
}

#[test]
fn trailers_reach_http1_where_they_are_announced_and_wanted() {
    let upstream = Upstream::answering("s", |_| {
        let fields = trailers(&["x-sum", "x-other"]);
        let body = frames(vec![Frame::data("x".into()), Frame::trailers(fields)]);
        Response::builder()
            .header("trailer", "x-sum, set-cookie")
            .body(body)
            .unwrap()
    });
    let scene = to(upstream.address, Protocol::Http2);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n");
    let wanted = client.reply();
    assert_eq!(wanted.header("trailer").as_deref(), Some("x-sum"));
    assert_eq!(wanted.trailers, [("x-sum".to_owned(), "1".to_owned())]);
    let unwanted = client.get("a", "/");
    assert_eq!(
        (unwanted.header("trailer"), unwanted.trailers.len()),
        (None, 0)
    );
    assert_eq!(unwanted.body, b"x");

    // And from HTTP/1 to HTTP/1.
    let upstream = Upstream::start("s");
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n");
    client.send("1\r\nx\r\n0\r\nx-sum: 7\r\nx-other: 8\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    assert_eq!(
        upstream.last().trailers,
        [("x-sum".to_owned(), "7".to_owned())]
    );
}

/// A body without end that counts what is taken from it.
struct Endless {
    taken: Arc<AtomicU64>,
    left: Option<u64>,
}

const PIECE: usize = 16 * 1024;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(left) = &mut self.left {
            if *left == 0 {
                return Poll::Ready(None);
            }
            *left -= 1;
        }
        self.taken.fetch_add(PIECE as u64, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[7; PIECE])))))
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Waits until a count no longer grows; returns it.
fn at_rest(count: &AtomicU64) -> u64 {
    let mut last = 0;
    let mut same = 0;
    until("it comes to rest", || {
        let now = count.load(Ordering::SeqCst);
        same = if now == last && now > 0 { same + 1 } else { 0 };
        last = now;
        same > 50
    });
    last
}

/// What kernels and both ends may hold of a stream that nobody reads: a few megabytes of sockets.
const HELD: u64 = 24 << 20;

#[test]
fn a_client_that_does_not_read_slows_the_upstream_down() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&taken);
        let upstream = Upstream::answering("s", move |_| {
            let taken = Arc::clone(&counted);
            Response::new(Endless { taken, left: None }.boxed())
        });
        let scene = to(upstream.address, protocol);
        let mut client = Http1::connect(scene.http());
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.head().unwrap().status, 200);
        let held = at_rest(&taken);
        assert!(held < HELD, "{protocol:?}: {held} bytes under way");
        drop(client);
        until("the upstream is let go", || {
            upstream.open() == 0 || protocol == Protocol::Http2
        });
        let line = scene.line();
        assert_eq!((&line["code"], &line["flags"]), (&499.into(), &"DC".into()));
    }
}

#[test]
fn an_upstream_that_does_not_read_slows_the_client_down() {
    let upstream = Raw::start(|mut stream, _| {
        read_head(&mut stream);
        std::thread::park();
    });
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["a"], vec![otherwise().to("s").timeout(3000)])
        });
    let scene = Scene::gateway(&mesh);
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let address = scene.http();
    let sending = std::thread::spawn(move || {
        let mut client = Http1::connect(address);
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        client
            .stream
            .set_write_timeout(Some(std::time::Duration::from_secs(1)))
            .unwrap();
        let chunk = [&b"4000\r\n"[..], &[7; 0x4000], b"\r\n"].concat();
        while client.stream.write_all(&chunk).is_ok() {
            counted.fetch_add(0x4000, Ordering::SeqCst);
        }
    });
    sending.join().unwrap();
    let held = taken.load(Ordering::SeqCst);
    assert!(held < HELD, "{held} bytes under way");
    // What has come stands before the client's end: it shows only when the time is over.
    let line = scene.line();
    assert_eq!((&line["code"], &line["flags"]), (&504.into(), &"UT".into()));
}

#[test]
fn much_passes_in_little_memory() {
    const PIECES: u64 = 16 * 1024; // 256 MiB
    let upstream = Upstream::answering("s", |_| {
        let taken = Arc::default();
        Response::new(
            Endless {
                taken,
                left: Some(PIECES),
            }
            .boxed(),
        )
    });
    let scene = to(upstream.address, Protocol::Http1);
    let resident = |scene: &Scene| scene.metric("process_resident_memory_bytes").unwrap();
    scene.get("a", "/warm").body.clear();
    let before = resident(&scene);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.head().unwrap().status, 200);
    let mut read = 0u64;
    let mut most = before;
    let mut sink = vec![0; 1 << 20];
    while read < PIECES * PIECE as u64 {
        let now = std::io::Read::read(&mut client.stream, &mut sink).unwrap() as u64;
        if read >> 26 != (read + now) >> 26 {
            most = most.max(resident(&scene));
        }
        read += now;
    }
    let grown = (most - before) / f64::from(1 << 20);
    assert!(grown < 64.0, "{grown} MiB more for 256 MiB passed on");
}

#[test]
fn a_response_that_breaks_off_is_seen_to() {
    let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let upstream = Raw::saying(cut.as_bytes());
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(client.try_reply().is_none(), "no last chunk");
    let over_http2 = block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/").body(Whole::default()).unwrap();
        let response = client.send_request(request).await.unwrap();
        response.into_body().collect().await.is_err()
    });
    assert!(over_http2, "the stream is reset");
    for line in scene.lines(2) {
        assert_eq!((&line["code"], &line["flags"]), (&200.into(), &"UC".into()));
    }
}

#[test]
fn a_client_that_goes_away_takes_its_upstream_request_along() {
    let started = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&started);
    let upstream = Upstream::handling(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            drop(request);
            std::future::pending::<()>().await;
            Response::new(body(""))
        }
    });
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    until("the request is under way", || {
        started.load(Ordering::SeqCst) == 1
    });
    assert_eq!(upstream.open(), 1);
    drop(client);
    until("its connection is closed", || upstream.open() == 0);
    let line = scene.line();
    assert_eq!((&line["code"], &line["flags"]), (&499.into(), &"DC".into()));
    assert_eq!(line["service"], "s");
}

#[test]
fn a_client_that_resets_its_stream_resets_the_upstreams() {
    struct Noted(Arc<AtomicUsize>);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let started = Arc::new(AtomicUsize::new(0));
    let (starts, drops) = (Arc::clone(&started), Arc::clone(&dropped));
    let upstream = Upstream::handling(move |request| {
        let noted = Noted(Arc::clone(&drops));
        starts.fetch_add(1, Ordering::SeqCst);
        async move {
            if request.uri().path() == "/ok" {
                std::mem::forget(noted);
                return Response::new(body("ok"));
            }
            std::future::pending::<()>().await;
            drop(noted);
            Response::new(body(""))
        }
    });
    let scene = to(upstream.address, Protocol::Http2);
    block_on(async {
        let mut client = http2::<Whole>(scene.http()).await;
        let request = request2("a", "/").body(Whole::default()).unwrap();
        let given_up = client.send_request(request);
        let waiting = async {
            while started.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        };
        let mut given_up = Box::pin(given_up);
        let mut waiting = Box::pin(waiting);
        std::future::poll_fn(|cx| {
            assert!(given_up.as_mut().poll(cx).is_pending());
            waiting.as_mut().poll(cx)
        })
        .await;
        drop(given_up);
        while dropped.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // Only the stream ended: the connections on both sides go on.
        let request = request2("a", "/ok").body(Whole::default()).unwrap();
        assert_eq!(
            whole(client.send_request(request).await.unwrap())
                .await
                .status,
            200
        );
    });
    assert_eq!(upstream.connections(), 1);
    let lines = scene.lines(2);
    let gone = lines.iter().find(|line| line["path"] == "/").unwrap();
    assert_eq!((&gone["code"], &gone["flags"]), (&499.into(), &"DC".into()));
}

#[test]
fn a_client_that_breaks_off_its_body_is_not_the_upstreams_fault() {
    let upstream = Upstream::handling(|request| async move {
        let read = request.into_body().collect().await;
        assert!(read.is_err());
        Response::new(body("x"))
    });
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhello");
    until("the request is under way", || upstream.connections() == 1);
    drop(client);
    let line = scene.line();
    assert_eq!((&line["code"], &line["flags"]), (&499.into(), &"DC".into()));
    until("the upstream is let go", || upstream.open() == 0);
}

#[test]
fn an_answer_before_the_body_has_come() {
    let upstream = Upstream::handling(|request| async move {
        drop(request);
        Response::builder()
            .status(413)
            .body(body("too much"))
            .unwrap()
    });
    let scene = to(upstream.address, Protocol::Http1);
    let mut client = Http1::connect(scene.http());
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nhello");
    let reply = client.reply();
    assert_eq!((reply.status, reply.text().as_str()), (413, "too much"));
}

#[test]
fn what_is_refused_is_read_to_its_end_or_not_at_all() {
    let upstream = Upstream::start("s");
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        });
    let scene = Scene::gateway(&mesh);
    // A small body that nobody wants is read, and what follows it is a request.
    let mut client = Http1::connect(scene.http());
    client.send("POST / HTTP/1.1\r\nhost: nobody\r\ncontent-length: 28\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.reply().status, 404);
    assert_eq!(client.reply().text(), "s\n");
    assert_eq!(upstream.seen().len(), 1, "a body is no request");
    // A large one is not; the client still gets to read the answer.
    let mut client = Http1::connect(scene.http());
    client.send("POST / HTTP/1.1\r\nhost: nobody\r\ncontent-length: 1000000\r\n\r\n");
    let _ = client.stream.write_all(&vec![b'x'; 300_000]);
    let refused = client.reply();
    assert_eq!(refused.status, 404);
    assert_eq!(refused.header("connection").as_deref(), Some("close"));
    assert!(client.is_closed());
}
