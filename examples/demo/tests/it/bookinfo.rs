//! What `details`, `reviews` and `ratings` answer, and what every server refuses.

use std::net::SocketAddr;

use http::HeaderMap;
use http_body_util::BodyExt as _;
use mesh_demo::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{BOTH, Frames, Protocol, call, get, request};
use crate::sidecar::Sidecar;
use crate::{run, serve};

#[test]
fn details_has_what_the_imprint_says() {
    run(async {
        let details = serve("details", None).await;
        for protocol in BOTH {
            let answer = call(
                details.address,
                protocol,
                request("GET", "/details/7?x=y", &[], ""),
            )
            .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("x-served-by"), "details");
            assert_eq!(
                answer.json(),
                json!({
                    "id": 7, "author": "William Shakespeare", "year": 1595,
                    "type": "paperback", "pages": 200,
                    "publisher": "PublisherA", "language": "English",
                    "ISBN-10": "1234567890", "ISBN-13": "123-1234567890",
                })
            );
        }
    });
}

#[test]
fn everyone_is_healthy_and_says_who_it_is() {
    run(async {
        for name in ServerName::all() {
            let server = serve(&name.to_string(), None).await;
            for protocol in BOTH {
                let answer =
                    call(server.address, protocol, request("GET", "/health", &[], "")).await;
                assert_eq!(answer.status, 200, "{name}");
                assert_eq!(answer.header("x-served-by"), name.served_by());
                if name != ServerName::Echo {
                    assert!(answer.text().contains("is healthy"), "{name}: {answer:?}");
                }
            }
        }
    });
}

/// The reviews of book 0 as this version answers them.
async fn reviews(version: &str, sidecar: Option<SocketAddr>) -> Value {
    let reviews = serve(version, sidecar).await;
    let answer = get(reviews.address, "/reviews/0").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-served-by"), version.replace('.', "-"));
    let answer = answer.json();
    assert_eq!(answer["id"], "0");
    assert_eq!(answer["podname"], version.replace('.', "-"));
    assert!(answer["clustername"].is_string());
    let reviews = &answer["reviews"];
    assert_eq!(reviews.as_array().map(Vec::len), Some(2));
    for (review, reviewer) in [(&reviews[0], "Reviewer1"), (&reviews[1], "Reviewer2")] {
        assert_eq!(review["reviewer"], reviewer);
        assert!(review["text"].as_str().is_some_and(|text| !text.is_empty()));
    }
    reviews.clone()
}

#[test]
fn versions_of_reviews_differ_in_their_stars() {
    run(async {
        let play = |_: &str, _: &str| {
            (
                200,
                r#"{"id": 0, "ratings": {"Reviewer1": 3, "Reviewer2": 1}}"#,
            )
        };
        let sidecar = Sidecar::play(play).await;
        let plain = reviews("reviews.v1", Some(sidecar.address)).await;
        assert!(plain[0].get("rating").is_none() && plain[1].get("rating").is_none());

        for (version, color) in [("reviews.v2", "black"), ("reviews.v3", "red")] {
            let sidecar = Sidecar::play(play).await;
            let rated = reviews(version, Some(sidecar.address)).await;
            assert_eq!(rated[0]["rating"], json!({ "stars": 3, "color": color }));
            assert_eq!(rated[1]["rating"], json!({ "stars": 1, "color": color }));
            assert_eq!(sidecar.call_to("ratings").uri, "/ratings/0");
        }
    });
}

#[test]
fn reviews_say_why_there_are_no_stars() {
    run(async {
        let unavailable = Sidecar::play(|_, _| (503, "")).await.address;
        let half = Sidecar::play(|_, _| (200, r#"{"ratings": {"Reviewer1": 3}}"#))
            .await
            .address;
        let babble = Sidecar::play(|_, _| (200, "<html>")).await.address;
        let gone = {
            let listener = std::net::TcpListener::bind(crate::LOCAL).expect("a free port");
            listener.local_addr().expect("its address")
        };
        for (sidecar, why) in [
            (
                Some(unavailable),
                "ratings answered 503 Service Unavailable",
            ),
            (Some(half), "ratings has no stars from Reviewer2"),
            (Some(babble), "ratings answered something that is not JSON"),
            (Some(gone), "ratings cannot be reached through"),
            (None, "ratings was not called"),
        ] {
            let reviews = reviews("reviews.v2", sidecar).await;
            let error = reviews[1]["rating"]["error"].as_str().unwrap_or_default();
            assert!(error.starts_with(why), "{reviews}");
        }
    });
}

#[test]
fn reviews_do_not_wait_for_ever() {
    run(async {
        let silent = std::net::TcpListener::bind(crate::LOCAL).expect("a free port");
        let reviews = reviews("reviews.v3", silent.local_addr().ok()).await;
        assert_eq!(
            reviews[0]["rating"]["error"],
            "ratings did not answer within 2.5s"
        );
    });
}

#[test]
fn reviews_pass_on_who_asks() {
    run(async {
        for protocol in BOTH {
            let headers = [
                ("end-user", "jason"),
                ("x-request-id", "r1"),
                ("x-other", "no"),
            ];
            let sidecar = Sidecar::play(|_, _| (200, "{}")).await;
            let reviews = serve("reviews.v2", Some(sidecar.address)).await;
            call(
                reviews.address,
                protocol,
                request("GET", "/reviews/0", &headers, ""),
            )
            .await;
            let call = sidecar.call_to("ratings");
            assert_eq!(call.headers["end-user"], "jason");
            assert_eq!(call.headers["x-request-id"], "r1");
            assert!(!call.headers.contains_key("x-other"));
        }
    });
}

#[test]
fn ratings_are_kept_by_book() {
    run(async {
        let ratings = serve("ratings", None).await;
        let first = json!({ "id": 0, "ratings": { "Reviewer1": 5, "Reviewer2": 4 } });
        assert_eq!(get(ratings.address, "/ratings/0").await.json(), first);

        for (protocol, stars) in [(Protocol::Http1, 1), (Protocol::Http2, 2)] {
            let body = json!({ "Reviewer1": stars, "Reviewer2": 0 });
            let post = request("POST", "/ratings/9", &[], body.to_string());
            let posted = call(ratings.address, protocol, post).await;
            assert_eq!(posted.status, 200);
            assert_eq!(posted.json(), json!({ "id": 9, "ratings": body }));
            assert_eq!(
                get(ratings.address, "/ratings/9").await.json(),
                posted.json()
            );
        }
        assert_eq!(get(ratings.address, "/ratings/0").await.json(), first);

        let unclear = call(
            ratings.address,
            Protocol::Http1,
            request("POST", "/ratings/9", &[], "5"),
        )
        .await;
        assert_eq!(unclear.status, 400);
        assert!(
            unclear.json()["error"]
                .as_str()
                .is_some_and(|why| why.contains("Reviewer1"))
        );
    });
}

#[test]
fn what_is_not_there_is_refused() {
    run(async {
        for name in [
            "productpage",
            "details",
            "reviews.v1",
            "reviews.v3",
            "ratings",
        ] {
            let server = serve(name, None).await;
            let service = name.split('.').next().unwrap_or_default();
            let (book, allowed) = match service {
                "productpage" => (String::from("/api/v1/products/"), "GET, HEAD"),
                "ratings" => (String::from("/ratings/"), "GET, HEAD, POST"),
                _ => (format!("/{service}/"), "GET, HEAD"),
            };
            for protocol in BOTH {
                for (method, path, status, allow) in [
                    ("GET", "/nowhere", 404, ""),
                    ("GET", "/health/", 404, ""),
                    ("POST", "//", 404, ""),
                    ("GET", &format!("/{service}/0/more"), 404, ""),
                    ("DELETE", "/health", 405, "GET, HEAD"),
                    ("DELETE", &format!("{book}0"), 405, allowed),
                    ("GET", &format!("{book}one"), 400, ""),
                    ("GET", &format!("{book}-1"), 400, ""),
                    ("GET", &format!("{book}%31"), 400, ""),
                    ("GET", &format!("{book}99999999999999999999"), 400, ""),
                ] {
                    let answer =
                        call(server.address, protocol, request(method, path, &[], "")).await;
                    assert_eq!(answer.status, status, "{name} {method} {path} {protocol:?}");
                    assert_eq!(answer.header("allow"), allow, "{name} {method} {path}");
                    assert_eq!(answer.header("x-served-by"), name.replace('.', "-"));
                    let error = answer.json()["error"].as_str().map(str::to_owned);
                    assert!(error.is_some_and(|error| !error.is_empty()), "{answer:?}");
                }
            }
        }
    });
}

#[test]
fn large_bodies_are_refused() {
    run(async {
        let stars = format!("{{\"{}\": 5}}", "a".repeat(64 * 1024 - 6));
        assert_eq!(stars.len(), 64 * 1024 + 1);
        for name in ["productpage", "details", "reviews.v1", "ratings"] {
            let server = serve(name, None).await;
            for protocol in BOTH {
                let bodies = [
                    request("POST", "/ratings/0", &[], stars.clone()),
                    request("POST", "/ratings/0", &[], vec![b'x'; 4 * 1024 * 1024]),
                    // One whose length nobody knows beforehand.
                    request("POST", "/ratings/0", &[], "")
                        .map(|_| Frames::new(stars.clone(), HeaderMap::new()).boxed_unsync()),
                ];
                for request in bodies {
                    let answer = call(server.address, protocol, request).await;
                    assert_eq!(answer.status, 413, "{name} {protocol:?}");
                    let error = answer.json()["error"].clone();
                    assert_eq!(error, "the body is larger than 64 KiB");
                }
            }
        }
        let ratings = serve("ratings", None).await;
        let fits = request("POST", "/ratings/0", &[], stars.replacen('a', "", 1));
        let answer = call(ratings.address, Protocol::Http1, fits).await;
        assert_eq!(answer.status, 200);
    });
}

#[test]
fn a_refused_body_does_not_cost_the_connection() {
    run(async {
        let ratings = serve("ratings", None).await;
        let mut stream = TcpStream::connect(ratings.address)
            .await
            .expect("a connection");
        let body = "x".repeat(1_000_000);
        let requests = format!(
            "POST /ratings/0 HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}\
             GET /ratings/0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            body.len(),
        );
        stream
            .write_all(requests.as_bytes())
            .await
            .expect("all is taken");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.expect("answers");
        assert!(answers.starts_with("HTTP/1.1 413 "), "{answers}");
        assert!(answers.contains("HTTP/1.1 200 OK"), "{answers}");
    });
}

#[test]
fn head_is_get_without_a_body() {
    run(async {
        let details = serve("details", None).await;
        let length = get(details.address, "/details/0").await.body.len();
        for protocol in BOTH {
            let answer = call(
                details.address,
                protocol,
                request("HEAD", "/details/0", &[], ""),
            )
            .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-length"), length.to_string());
            assert!(answer.body.is_empty());
        }
    });
}
