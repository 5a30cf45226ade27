//! What the echo says of a request, and the answers that a query can ask of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use mesh_demo::{Checksum, Server, ServerName, start_as};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{BOTH, Connection, Frames, Protocol, call, get, request};
use crate::{LOCAL, run, serve};

#[test]
fn it_stands_for_another_service() {
    run(async {
        let name = ServerName::Echo;
        let server = Server {
            name,
            outbound: None,
        };
        let echo = start_as(server, "cart-v2", LOCAL).await.expect("a port");
        let answer = get(echo.address, "/cart").await;
        assert_eq!(answer.header("x-served-by"), "cart-v2");
        assert_eq!(answer.json()["path"], "/cart");
    });
}

#[test]
fn it_says_exactly_what_arrived() {
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            for method in [
                "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "X-OWN",
            ] {
                let headers = [("x-b", "2"), ("x-a", "1"), ("x-b", "3")];
                let answer = call(
                    echo.address,
                    protocol,
                    request(method, "/a/%2F/b?c=d&e", &headers, "body"),
                )
                .await;
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("x-served-by"), "echo");
                assert_eq!(answer.header("content-type"), "application/json");
                let said = answer.json();
                assert_eq!(said["method"], method);
                assert_eq!(said["path"], "/a/%2F/b?c=d&e");
                assert_eq!(said["server"], echo.address.to_string());
                assert_eq!(
                    said["body"],
                    json!({ "length": 4, "checksum": Checksum::of(b"body").to_string() })
                );
                assert_eq!(said["trailers"], json!([]));
                let mut expected = vec![
                    json!(["x-b", "2"]),
                    json!(["x-b", "3"]),
                    json!(["x-a", "1"]),
                ];
                if protocol == Protocol::Http1 {
                    assert_eq!(
                        (&said["version"], &said["authority"]),
                        (&json!("HTTP/1.1"), &json!(null))
                    );
                    expected.push(json!(["host", "test"]));
                } else {
                    assert_eq!(
                        (&said["version"], &said["authority"]),
                        (&json!("HTTP/2.0"), &json!("test"))
                    );
                }
                expected.push(json!(["content-length", "4"]));
                assert_eq!(said["headers"], json!(expected));
            }
        }
    });
}

#[test]
fn values_that_are_not_utf8_are_shown_in_bytes() {
    run(async {
        let echo = serve("echo", None).await;
        let mut wild = request("GET", "/", &[], "");
        let value = HeaderValue::from_bytes(b"caf\xe9").expect("a value");
        wild.headers_mut().insert("x-wild", value);
        let said = call(echo.address, Protocol::Http2, wild).await.json();
        assert_eq!(said["headers"][0], json!(["x-wild", "caf\\xe9"]));
    });
}

#[test]
fn it_answers_as_asked() {
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            for status in [200, 201, 302, 404, 418, 503, 599] {
                let path = format!("/?status={status}");
                let answer = call(echo.address, protocol, request("GET", &path, &[], "")).await;
                assert_eq!(answer.status, status);
                assert_eq!(answer.json()["method"], "GET");
            }
            for path in [
                "/?status=204",
                "/?status=304",
                "/?status=204&trailer=1",
                "/?status=204&size=9",
            ] {
                let answer = call(echo.address, protocol, request("GET", path, &[], "")).await;
                assert!(answer.body.is_empty(), "{path} {answer:?}");
            }

            let path = "/?header=x-a:1&header=x-a:%202&header=content-type:text/plain&header=x-served-by:me";
            let answer = call(echo.address, protocol, request("GET", path, &[], "")).await;
            let values: Vec<_> = answer.headers.get_all("x-a").iter().collect();
            assert_eq!(values, ["1", "2"]);
            assert_eq!(answer.headers.get_all("content-type").iter().count(), 1);
            assert_eq!(answer.header("content-type"), "text/plain");
            assert_eq!(answer.header("x-served-by"), "echo");

            let unclear = call(
                echo.address,
                protocol,
                request("GET", "/?status=yes", &[], ""),
            )
            .await;
            assert_eq!(unclear.status, 400);
            assert_eq!(
                unclear.json(),
                json!({ "error": "status is a number from 200 to 599, and “yes” is not" })
            );
        }
    });
}

#[test]
fn a_delay_comes_before_the_head() {
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            let mut connection = Connection::open(echo.address, protocol).await;
            let started = Instant::now();
            let head = connection
                .send(request("GET", "/?delay-ms=200", &[], ""))
                .await;
            assert_eq!(head.expect("a head").status(), 200);
            assert!(started.elapsed() >= Duration::from_millis(200));
        }
    });
}

#[test]
fn chunks_come_one_at_a_time() {
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            let mut connection = Connection::open(echo.address, protocol).await;
            let path = "/?chunks=3&drip-ms=100&trailer=1";
            let head = connection
                .send(request("GET", path, &[("te", "trailers")], ""))
                .await;
            let mut body = head.expect("a head").into_body();
            let started = Instant::now();
            for n in 1..=3 {
                let frame = body.frame().await.expect("a chunk").expect("no error");
                assert_eq!(
                    frame.into_data().ok(),
                    Some(Bytes::from(format!("chunk {n} of 3\n")))
                );
                assert!(
                    started.elapsed() >= Duration::from_millis(90) * (n - 1),
                    "{protocol:?} {n}"
                );
            }
            let trailers = body.frame().await.expect("trailers").expect("no error");
            let checksum = Checksum::of(b"chunk 1 of 3\nchunk 2 of 3\nchunk 3 of 3\n");
            let trailers = trailers.into_trailers().expect("trailers");
            assert_eq!(trailers["x-checksum"], checksum.to_string());
            assert!(body.frame().await.is_none());
        }
    });
}

#[test]
fn large_answers_are_streamed() {
    const SIZE: usize = 20_000_001;
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            let path = format!("/?size={SIZE}");
            let answer = call(echo.address, protocol, request("GET", &path, &[], "")).await;
            assert_eq!(answer.header("content-length"), SIZE.to_string());
            assert_eq!(answer.body.len(), SIZE);
            assert!(answer.trailers.is_empty());
            let expected = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-\n";
            assert!(
                answer
                    .body
                    .chunks(64)
                    .all(|row| row == &expected[..row.len()])
            );

            let path = format!("{path}&trailer=1");
            let answer = call(
                echo.address,
                protocol,
                request("GET", &path, &[("te", "trailers")], ""),
            )
            .await;
            assert_eq!(answer.body.len(), SIZE);
            assert_eq!(
                answer.trailers["x-checksum"],
                Checksum::of(&answer.body).to_string()
            );

            // More than any machine holds, which only ends because the reader goes away.
            let mut connection = Connection::open(echo.address, protocol).await;
            let head = connection
                .send(request("GET", &format!("/?size={}", 1_u64 << 60), &[], ""))
                .await;
            let mut body = head.expect("a head").into_body();
            assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
        }
    });
}

#[test]
fn large_requests_are_streamed_and_trailers_go_both_ways() {
    run(async {
        let echo = serve("echo", None).await;
        let body = Bytes::from(vec![b'm'; 5_000_000]);
        for protocol in BOTH {
            let trailers =
                HeaderMap::from_iter([("x-sum", "1"), ("x-end", "2")].map(|(name, value)| {
                    let name = http::HeaderName::from_static(name);
                    (name, HeaderValue::from_static(value))
                }));
            let headers = [("te", "trailers"), ("trailer", "x-sum, x-end")];
            let sent = Frames::new(body.clone(), trailers);
            let upload = request("POST", "/?trailer=1", &headers, "").map(|_| sent.boxed_unsync());
            let answer = call(echo.address, protocol, upload).await;
            let said = answer.json();
            assert_eq!(
                said["body"],
                json!({ "length": body.len(), "checksum": Checksum::of(&body).to_string() })
            );
            assert_eq!(
                said["trailers"],
                json!([["x-sum", "1"], ["x-end", "2"]]),
                "{protocol:?}"
            );
            assert_eq!(answer.header("trailer"), "x-checksum");
            assert_eq!(
                answer.trailers["x-checksum"],
                Checksum::of(&answer.body).to_string()
            );
        }
    });
}

#[test]
fn a_reset_is_a_reset() {
    run(async {
        let echo = serve("echo", None).await;
        let mut stream = TcpStream::connect(echo.address)
            .await
            .expect("a connection");
        let asked = stream
            .write_all(b"GET /?reset=1 HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        asked.expect("the request is sent");
        let end = stream.read(&mut [0; 1]).await.map_err(|error| error.kind());
        assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));

        // In HTTP/2 it is the stream's alone.
        let mut connection = Connection::open(echo.address, Protocol::Http2).await;
        assert!(
            connection
                .call(request("GET", "/?reset=1", &[], ""))
                .await
                .is_err()
        );
        assert!(connection.call(request("GET", "/", &[], "")).await.is_ok());
        assert_eq!(get(echo.address, "/?reset=0").await.status, 200);
    });
}

#[test]
fn a_body_that_breaks_off_is_no_body() {
    run(async {
        let echo = serve("echo", None).await;
        let mut stream = TcpStream::connect(echo.address)
            .await
            .expect("a connection");
        let asked = stream
            .write_all(
                b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nnot a size\r\n",
            )
            .await;
        asked.expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("the body ended before its end"), "{answer}");
    });
}
