//! The admin pages.

use std::num::NonZeroUsize;

use meshd::NodeOptions;

use crate::support::client::{Http1, send};
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::scene::{HTTP, Scene, gateway_options};
use crate::support::upstream::Upstream;

fn shop(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("s", |s| s.at("v1", address))
        .gateway("edge", |g| {
            let arms = vec![
                on(&["/named"]).to("s.v1").named("checkout \"quoted\""),
                on(&["/**"]).method("GET").to("s.v1"),
            ];
            g.http(HTTP).host(&["a"], arms)
        })
}

#[test]
fn pages() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&shop(&upstream));
    assert_eq!(scene.admin("/healthz").status, 200);
    assert_eq!(scene.admin("/ready").text(), "ready\n");
    assert_eq!(scene.admin("/nothing").status, 404);
    assert!(scene.admin("/").text().contains("/metrics"));
    let admin = scene.runtime().admin().unwrap();
    let refused = send(
        admin,
        "POST /ready HTTP/1.1\nhost: x\ncontent-length: 0\n\n",
    );
    assert_eq!(
        (refused.status, refused.header("allow").as_deref()),
        (405, Some("GET, HEAD"))
    );
    let mut client = Http1::connect(admin);
    client.send("HEAD /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.reply_without_body().status, 200);
    assert_eq!(client.get("x", "/ready").status, 200);
}

#[test]
fn the_status_says_what_is_served() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&shop(&upstream));
    let mut client = Http1::connect(scene.http());
    client.get("a", "/");
    let status = scene.status();
    assert_eq!(status["ready"], true);
    assert_eq!(
        status["bundle"]["id"],
        shop(&upstream).bundle().id().to_string()
    );
    assert_eq!(
        (&status["bundle"]["mesh"], &status["bundle"]["arms"]),
        (&"shop".into(), &2.into())
    );
    assert_eq!(status["bundle"]["provenance"]["compiler"], "by hand");
    assert!(status["bundle"]["loaded"].as_str().unwrap().ends_with('Z'));
    let node = &status["nodes"][0];
    assert_eq!(
        (&node["node"], &node["workers"]),
        (&"gateway/edge".into(), &1.into())
    );
    let listener = &node["listeners"][0];
    assert_eq!(listener["address"], scene.http().to_string());
    assert_eq!(
        (&listener["kind"], &listener["connections"]),
        (&"http".into(), &1.into())
    );
    assert!(status["last_reload"].is_null());
    scene.reload(&shop(&upstream).gateway("other", |g| g));
    assert_eq!(scene.status()["last_reload"]["result"], "applied");
}

#[test]
fn metrics_are_summed_over_workers_and_go_on_over_reloads() {
    let upstream = Upstream::start("s");
    let options = NodeOptions {
        workers: NonZeroUsize::new(3),
        ..gateway_options()
    };
    let scene = Scene::start(shop(&upstream).bundle(), "gateway/edge", options);
    let ask = || {
        for _ in 0..6 {
            let mut client = Http1::connect(scene.http());
            client.get("a", "/named");
            client.get("a", "/other");
            client.get("nobody", "/");
        }
    };
    ask();
    scene.reload(&shop(&upstream).gateway("other", |g| {
        g.host(&["x"], vec![otherwise().respond(200, None)])
    }));
    ask();
    let counted = |labels: &str| {
        scene.metric(&format!(
            "mesh_requests_total{{node=\"gateway/edge\",{labels}}}"
        ))
    };
    let named = r#"arm="checkout \"quoted\"",response_code="200",response_flags="-""#;
    assert_eq!(counted(named), Some(12.0));
    assert_eq!(
        counted(r#"arm="/**",response_code="200",response_flags="-""#),
        Some(12.0)
    );
    assert_eq!(
        counted(r#"arm="unknown",response_code="404",response_flags="NR""#),
        Some(12.0)
    );
    let labels = r#"{node="gateway/edge",service="s",version="v1""#;
    let responses = format!("mesh_upstream_requests_total{labels},response_code=\"200\"}}");
    assert_eq!(scene.metric(&responses), Some(24.0));
    let histogram = |of: &str| scene.metric(&format!("mesh_request_duration_seconds_{of}{labels}"));
    assert_eq!(histogram("count"), Some(24.0));
    assert!(histogram("sum").unwrap() > 0.0);
    let text = scene.admin("/metrics").text();
    let bucket = |le: &str| {
        let line = text
            .lines()
            .find(|line| line.contains("_bucket") && line.contains(&format!("le=\"{le}\"")));
        line.unwrap()
            .rsplit_once(' ')
            .unwrap()
            .1
            .parse::<u64>()
            .unwrap()
    };
    assert_eq!(bucket("+Inf"), 24);
    assert_eq!(bucket("60.0"), 24);
    assert!(bucket("0.0005") <= bucket("0.001"));
    for line in [
        "mesh_bundle_info{node=\"gateway/edge\",id=\"b3:",
        "mesh_bundle_loaded_timestamp_seconds 1",
        "mesh_reloads_total{result=\"applied\"} 1",
        "mesh_panics_total{node=\"gateway/edge\"} 0",
        "mesh_access_log_dropped_total 0",
        "mesh_connections_total{node=\"gateway/edge\",listener=\"127.0.0.1:",
        "mesh_connection_bytes_total{node=\"gateway/edge\",listener=\"127.0.0.1:",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_start_time_seconds 1",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|it| it.starts_with(line)),
            "{line}\n{text}"
        );
    }
    let kind = scene.admin("/metrics").header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"));
}
