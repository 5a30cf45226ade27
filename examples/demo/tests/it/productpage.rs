//! The page and its API: what they show, whom they call and as whom, and what remains when a callee
//! fails.

use std::net::SocketAddr;

use mesh_demo::Running;
use serde_json::json;

use crate::client::{Answer, BOTH, Protocol, call, get, request};
use crate::sidecar::{self, Sidecar};
use crate::{run, serve};

const DETAILS: &str = r#"{"author": "A. Author", "year": 1595, "ISBN-10": "1234567890"}"#;
const REVIEWS: &str = r#"{"podname": "reviews-v9", "reviews": [
    {"reviewer": "Reviewer1", "text": "A <b>fine</b> play"}
]}"#;
const RATINGS: &str = r#"{"ratings": {"Reviewer1": 5}}"#;

fn all_well(host: &str, _: &str) -> (u16, &'static str) {
    match host {
        "details" => (200, DETAILS),
        "reviews" => (200, REVIEWS),
        "ratings" => (200, RATINGS),
        _ => (404, ""),
    }
}

async fn with(play: fn(&str, &str) -> (u16, &'static str)) -> (Running, Sidecar) {
    let sidecar = Sidecar::play(play).await;
    (serve("productpage", Some(sidecar.address)).await, sidecar)
}

#[test]
fn the_page_shows_details_and_reviews() {
    run(async {
        for (protocol, path) in BOTH
            .into_iter()
            .flat_map(|p| [(p, "/"), (p, "/productpage?u=normal")])
        {
            let (page, sidecar) = with(all_well).await;
            let answer = call(page.address, protocol, request("GET", path, &[], "")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(answer.header("x-served-by"), "productpage");
            for part in [
                "The Comedy of Errors",
                "A. Author",
                "1595",
                "1234567890",
                "A &lt;b&gt;fine&lt;/b&gt; play",
                "Reviewer1",
                ">reviews-v9</b>",
                "action=\"/login\"",
            ] {
                assert!(answer.text().contains(part), "{part} in {}", answer.text());
            }
            assert!(!answer.text().contains("class=\"missing\""));
            assert_eq!(sidecar.call_to("details").uri, "/details/0");
            assert_eq!(sidecar.call_to("reviews").uri, "/reviews/0");
        }
    });
}

#[test]
fn who_asks_and_the_trace_are_passed_on() {
    const PASSED: [(&str, &str); 14] = [
        ("end-user", "jason"),
        ("user-agent", "test"),
        ("cookie", "session=7; user=ada"),
        ("authorization", "Bearer x"),
        ("jwt", "y"),
        ("x-request-id", "r1"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "a=1"),
        ("b3", "0"),
        ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
        ("x-b3-spanid", "a2fb4a1d1a96d312"),
        ("x-b3-parentspanid", "0020000000000001"),
        ("x-b3-sampled", "1"),
        ("x-b3-flags", "1"),
    ];
    run(async {
        for protocol in BOTH {
            let (page, sidecar) = with(all_well).await;
            let headers = [&PASSED[..], &[("x-other", "no"), ("accept", "text/html")]].concat();
            let answer = call(
                page.address,
                protocol,
                request("GET", "/productpage", &headers, ""),
            )
            .await;
            assert!(answer.text().contains("Asked for by <b>jason</b>"));
            call(
                page.address,
                protocol,
                request("GET", "/api/v1/products/0/ratings", &headers, ""),
            )
            .await;
            for callee in ["details", "reviews", "ratings"] {
                let call = sidecar.call_to(callee);
                for (name, value) in PASSED {
                    assert_eq!(call.headers[name], value, "{callee} {name}");
                }
                assert_eq!(
                    call.headers.len(),
                    PASSED.len() + 1,
                    "besides these, host: {:?}",
                    call.headers
                );
            }
        }
    });
}

#[test]
fn whoever_signs_in_is_the_end_user() {
    run(async {
        let (page, sidecar) = with(all_well).await;
        let form = "username=Ada+L%C3%B6v&passwd=secret";
        let login = call(
            page.address,
            Protocol::Http1,
            request("POST", "/login", &[], form.to_owned()),
        )
        .await;
        assert_eq!(login.status, 302);
        assert_eq!(login.header("location"), "/productpage");
        let cookies = cookies(&login);
        assert_eq!(cookies.len(), 2);
        assert!(cookies[0].starts_with("session="));
        assert_eq!(cookies[1], "user=Ada%20L%C3%B6v");

        let cookie = cookies.join("; ");
        let answer = call(
            page.address,
            Protocol::Http1,
            request("GET", "/productpage", &[("cookie", &cookie)], ""),
        )
        .await;
        assert!(
            answer.text().contains("Signed in as <b>Ada Löv</b>"),
            "{}",
            answer.text()
        );
        for callee in ["details", "reviews"] {
            let call = sidecar.call_to(callee);
            assert_eq!(call.headers["end-user"], "Ada Löv".as_bytes());
        }

        let logout = get(page.address, "/logout").await;
        assert_eq!(logout.status, 302);
        let set: Vec<_> = logout.headers.get_all("set-cookie").iter().collect();
        assert_eq!(
            set,
            ["session=; Path=/; Max-Age=0", "user=; Path=/; Max-Age=0"]
        );
    });
}

/// Name and value of the cookies that an answer sets.
fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all("set-cookie").iter();
    set.filter_map(|cookie| Some(cookie.to_str().ok()?.split(';').next()?.to_owned()))
        .collect()
}

#[test]
fn signing_in_needs_a_name() {
    run(async {
        let page = serve("productpage", None).await;
        let long = format!("username={}", "x".repeat(65));
        for form in [
            "",
            "username=",
            "username=+",
            "user=x",
            "username=a%0Ab",
            &long,
        ] {
            let answer = call(
                page.address,
                Protocol::Http1,
                request("POST", "/login", &[], form.to_owned()),
            )
            .await;
            assert_eq!(answer.status, 400, "{form}");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
        assert_eq!(get(page.address, "/login").await.header("allow"), "POST");
    });
}

#[test]
fn a_gap_in_the_page_says_what_is_missing() {
    run(async {
        let (page, _sidecar) = with(|host, _| match host {
            "details" => (503, ""),
            _ => (200, REVIEWS),
        })
        .await;
        let answer = get(page.address, "/").await;
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .text()
                .contains("The details are missing: details answered 503 Service Unavailable.")
        );
        assert!(answer.text().contains("reviews-v9"));

        let (page, _sidecar) = with(|host, _| match host {
            "details" => (200, DETAILS),
            _ => (403, ""),
        })
        .await;
        let answer = get(page.address, "/").await;
        assert!(
            answer
                .text()
                .contains("The reviews are missing: reviews answered 403 Forbidden.")
        );
        assert!(answer.text().contains("A. Author") && !answer.text().contains("served by"));

        let alone = serve("productpage", None).await;
        let answer = get(alone.address, "/").await;
        assert!(
            answer
                .text()
                .contains("The details are missing: details was not called")
        );
        assert!(
            answer
                .text()
                .contains("The reviews are missing: reviews was not called")
        );
    });
}

#[test]
fn a_slow_callee_does_not_hold_the_page() {
    run(async {
        let slow = serve("echo", None).await;
        let router = sidecar::route(move |_, _| slow.address).await;
        // The echo's answers are not a book's, but they are JSON: the page shows what it can.
        let page = serve("productpage", Some(router)).await;
        assert_eq!(get(page.address, "/").await.status, 200);

        let silent = std::net::TcpListener::bind(crate::LOCAL).expect("a free port");
        let page = serve("productpage", silent.local_addr().ok()).await;
        let answer = get(page.address, "/api/v1/products/0").await;
        assert_eq!(answer.status, 504);
        assert_eq!(
            answer.json(),
            json!({ "error": "details did not answer within 3s" })
        );
    });
}

#[test]
fn the_api_gives_what_the_callees_have() {
    run(async {
        let (page, sidecar) = with(all_well).await;
        let products = get(page.address, "/api/v1/products").await.json();
        assert_eq!(products[0]["id"], 0);
        assert_eq!(products[0]["title"], "The Comedy of Errors");
        assert!(products[0]["descriptionHtml"].is_string());
        for (path, callee, body) in [
            ("/api/v1/products/4", "details", DETAILS),
            ("/api/v1/products/4/reviews", "reviews", REVIEWS),
            ("/api/v1/products/4/ratings", "ratings", RATINGS),
        ] {
            let answer = get(page.address, path).await;
            assert_eq!(answer.status, 200);
            let expected: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(answer.json(), expected);
            assert_eq!(sidecar.call_to(callee).uri.path(), format!("/{callee}/4"));
        }
    });
}

#[test]
fn the_api_fails_as_its_callee_does() {
    run(async {
        let (refused, _sidecar) = with(|_, _| (403, "")).await;
        let (babble, _sidecar) = with(|_, _| (200, "nonsense")).await;
        let alone = serve("productpage", None).await;
        for (page, status) in [(&refused, 403), (&babble, 502), (&alone, 502)] {
            for path in [
                "/api/v1/products/0",
                "/api/v1/products/0/reviews",
                "/api/v1/products/0/ratings",
            ] {
                let answer = get(page.address, path).await;
                assert_eq!(answer.status, status, "{path}");
                assert!(answer.json()["error"].is_string());
            }
        }
    });
}

#[test]
fn static_files_have_their_types() {
    run(async {
        let page = serve("productpage", None).await;
        let style = get(page.address, "/static/style.css").await;
        assert_eq!(
            (style.status.as_u16(), style.header("content-type")),
            (200, "text/css; charset=utf-8")
        );
        assert!(style.text().contains(".stars.red"));
        let book = get(page.address, "/static/book.svg").await;
        assert_eq!(
            (book.status.as_u16(), book.header("content-type")),
            (200, "image/svg+xml")
        );
        assert!(book.text().starts_with("<svg"));
        for path in [
            "/static/",
            "/static/../page.html",
            "/static/other.css",
            "/static",
        ] {
            assert_eq!(get(page.address, path).await.status, 404, "{path}");
        }
    });
}

/// All servers, with a sidecar that sends jason to `reviews.v3`, ada to `reviews.v2`, and everyone
/// else to `reviews.v1`.
async fn bookinfo() -> (Running, [Running; 5]) {
    let details = serve("details", None).await;
    let ratings = serve("ratings", None).await;
    let to: SocketAddr = ratings.address;
    let to_ratings = sidecar::route(move |_, _| to).await;
    let v1 = serve("reviews.v1", None).await;
    let v2 = serve("reviews.v2", Some(to_ratings)).await;
    let v3 = serve("reviews.v3", Some(to_ratings)).await;
    let [at_details, at_ratings, at_v1, at_v2, at_v3] =
        [&details, &ratings, &v1, &v2, &v3].map(|running| running.address);
    let router = sidecar::route(move |host, head| match host {
        "details" => at_details,
        "ratings" => at_ratings,
        _ => match head
            .headers
            .get("end-user")
            .map(http::HeaderValue::as_bytes)
        {
            Some(b"jason") => at_v3,
            Some(b"ada") => at_v2,
            _ => at_v1,
        },
    })
    .await;
    let page = serve("productpage", Some(router)).await;
    (page, [details, ratings, v1, v2, v3])
}

async fn look_at_the_canary() {
    let (page, _others) = bookinfo().await;
    for protocol in BOTH {
        for (headers, version, stars) in [
            (&[][..], "reviews-v1", None),
            (&[("end-user", "ada")], "reviews-v2", Some("black")),
            (&[("end-user", "jason")], "reviews-v3", Some("red")),
            (&[("cookie", "user=jason")], "reviews-v3", Some("red")),
        ] {
            let answer = call(
                page.address,
                protocol,
                request("GET", "/productpage", headers, ""),
            )
            .await;
            let html = answer.text();
            assert!(
                html.contains(&format!(">{version}</b>")),
                "{headers:?}: {html}"
            );
            assert!(html.contains("William Shakespeare"));
            assert!(!html.contains("class=\"missing\""), "{html}");
            for color in ["black", "red"] {
                let shown = html.contains(&format!("class=\"stars {color}\""));
                assert_eq!(shown, stars == Some(color), "{headers:?} {color}");
            }
            assert_eq!(html.contains("★★★★★"), stars.is_some());
        }
    }
}

#[test]
fn a_canary_by_header_can_be_seen() {
    run(look_at_the_canary());
}

#[test]
fn it_can_be_seen_from_many_threads_as_well() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(look_at_the_canary());
}
