//! The life of a server: how it tells the protocols apart, and how it ends.

use std::io::ErrorKind;
use std::time::Duration;

use http_body_util::BodyExt as _;
use mesh_demo::{Server, ServerName, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{BOTH, Connection, request};
use crate::{run, serve};

#[test]
fn the_first_bytes_tell_the_protocol_however_they_come() {
    run(async {
        let echo = serve("echo", None).await;
        // An HTTP/2 preface and empty settings, a byte at a time: settings come back, frame type 4.
        let mut stream = TcpStream::connect(echo.address)
            .await
            .expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" {
            stream.write_all(&[*byte]).await.expect("a byte");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.expect("a frame");
        assert_eq!(head[3], 4);

        // Nearly the preface.
        for method in ["P", "PR", "PRI", "PRO"] {
            let mut stream = TcpStream::connect(echo.address)
                .await
                .expect("a connection");
            for piece in [
                method,
                " /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            ] {
                stream.write_all(piece.as_bytes()).await.expect("a piece");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            assert!(
                answer.contains(&format!("\"method\":\"{method}\"")),
                "{answer}"
            );
        }
    });
}

#[test]
fn several_requests_share_a_connection() {
    run(async {
        let echo = serve("echo", None).await;
        for protocol in BOTH {
            let mut connection = Connection::open(echo.address, protocol).await;
            let mut clients = Vec::new();
            for _ in 0..3 {
                let answer = connection.call(request("POST", "/", &[], "x")).await;
                clients.push(answer.expect("an answer").json()["client"].clone());
            }
            assert!(
                clients.iter().all(|client| *client == clients[0]),
                "{clients:?}"
            );
        }
    });
}

#[test]
fn a_shutdown_waits_for_what_was_begun_and_no_longer() {
    run(async {
        for protocol in BOTH {
            let echo = serve("echo", None).await;
            let address = echo.address;
            let silent = TcpStream::connect(address).await.expect("a connection");
            let mut idle = Connection::open(address, protocol).await;
            idle.call(request("GET", "/", &[], ""))
                .await
                .expect("an answer");
            // Its head has come: it was begun.
            let mut busy = Connection::open(address, protocol).await;
            let slow = busy
                .send(request("GET", "/?chunks=5&drip-ms=60", &[], ""))
                .await;
            let slow = tokio::spawn(slow.expect("a head").into_body().collect());

            echo.shutdown().await;
            assert!(slow.await.expect("a task").is_ok(), "cut off");
            let again = TcpStream::connect(address).await.map(|_| ());
            assert_eq!(
                again.map_err(|error| error.kind()),
                Err(ErrorKind::ConnectionRefused)
            );
            assert!(idle.call(request("GET", "/", &[], "")).await.is_err());
            drop(silent);
        }
    });
}

#[test]
fn a_shutdown_breaks_what_takes_too_long() {
    run(async {
        let ends = BOTH.map(|protocol| {
            tokio::spawn(async move {
                let echo = serve("echo", None).await;
                let mut busy = Connection::open(echo.address, protocol).await;
                let slow = busy
                    .send(request("GET", "/?chunks=2&drip-ms=60000", &[], ""))
                    .await;
                let slow = tokio::spawn(slow.expect("a head").into_body().collect());
                // Ends long before the last chunk, or the test's deadline passes.
                echo.shutdown().await;
                assert!(slow.await.expect("a task").is_err());
            })
        });
        for end in ends {
            end.await.expect("a task");
        }
    });
}

#[test]
fn a_dropped_handle_ends_the_server_at_once() {
    run(async {
        for protocol in BOTH {
            let echo = serve("echo", None).await;
            let address = echo.address;
            let mut busy = Connection::open(address, protocol).await;
            let answer = tokio::spawn(async move {
                busy.call(request("GET", "/?delay-ms=20000", &[], "")).await
            });
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(echo);
            assert!(answer.await.expect("a task").is_err());
            let again = TcpStream::connect(address).await.map(|_| ());
            assert_eq!(
                again.map_err(|error| error.kind()),
                Err(ErrorKind::ConnectionRefused)
            );
        }
    });
}

#[test]
fn an_address_is_had_once_and_again_after_the_end() {
    run(async {
        let echo = serve("echo", None).await;
        let address = echo.address;
        let server = Server {
            name: ServerName::Details,
            outbound: None,
        };
        let taken = start(server, address).await.map(|_| ());
        assert_eq!(
            taken.map_err(|error| error.kind()),
            Err(ErrorKind::AddrInUse)
        );
        echo.shutdown().await;
        assert_eq!(
            start(server, address)
                .await
                .expect("a free address")
                .address,
            address
        );
    });
}
