//! HTTP/2 from end to end, trailers included.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use mesh_tests::client::{http2, read, runtime};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::net::TcpStream;

struct Running {
    http: u16,
    _meshd: Meshd,
    _policy: Policy,
    _echo: Process,
}

impl Running {
    fn start(protocol: &str) -> Self {
        let (http, echo) = (ports::free(), ports::free());
        let policy = Policy::new(&format!(
            "mesh t {{ mtls off; authz open-by-default }}
             service echo {{
               protocol {protocol}
               endpoints 127.0.0.1:{echo} via 127.0.0.1:{echo}
             }}
             gateway edge {{ listen {http} http {{ http2 }}; host * {{ otherwise -> echo }} }}"
        ));
        let address = local(echo).to_string();
        let process = Process::start(binaries::path("mesh-demo"), ["echo", "--listen", &address]);
        wait::until("the echo", || TcpStream::connect(local(echo)).ok());
        let meshd = Meshd::start(
            &policy,
            "gateway/edge",
            &["--workers", "1", "--access-log", "off"],
        );
        Self {
            http,
            _meshd: meshd,
            _policy: policy,
            _echo: process,
        }
    }
}

#[test]
fn trailers_pass_both_ways() {
    let running = Running::start("http2");
    runtime().block_on(async {
        let mut sender = http2(local(running.http))
            .await
            .expect("meshd speaks HTTP/2");
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("42"));
        let frames = [
            Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(b"some "))),
            Ok(Frame::data(Bytes::from_static(b"data"))),
            Ok(Frame::trailers(trailers)),
        ];
        let body = StreamBody::new(Frames(frames.into_iter().collect()));
        let request = Request::post("http://localhost/?trailer=1")
            .header("te", "trailers")
            .body(body.boxed());
        let response = sender
            .send_request(request.expect("a request"))
            .await
            .expect("an answer");
        assert_eq!(response.version(), http::Version::HTTP_2);
        let answer = read(response).await.expect("it ends well");
        assert_eq!(answer.status, 200);
        let seen = answer.json();
        assert_eq!(seen["version"], "HTTP/2.0", "{seen}");
        assert_eq!(seen["body"]["length"], 9, "{seen}");
        assert_eq!(
            seen["trailers"],
            serde_json::json!([["x-sum", "42"]]),
            "{seen}"
        );
        assert!(
            answer
                .trailers
                .is_some_and(|trailers| trailers.contains_key("x-checksum"))
        );
    });
}

#[test]
fn many_streams_share_a_connection() {
    let running = Running::start("http");
    runtime().block_on(async {
        let sender = http2(local(running.http))
            .await
            .expect("meshd speaks HTTP/2");
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let mut sender = sender.clone();
                tokio::spawn(async move {
                    let request = Request::get(format!("http://localhost/{number}"))
                        .body(Full::<Bytes>::default());
                    let response = sender
                        .send_request(request.expect("a request"))
                        .await
                        .expect("an answer");
                    let answer = read(response).await.expect("it ends well");
                    assert_eq!(answer.json()["path"], format!("/{number}"));
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every stream is answered");
        }
    });
}

/// The frames of a body, ready at once.
struct Frames(std::collections::VecDeque<Result<Frame<Bytes>, std::convert::Infallible>>);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, std::convert::Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}
