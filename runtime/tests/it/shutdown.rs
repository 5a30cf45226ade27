//! Stopping: what is under way ends, nothing new begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use meshd::{Drain, Exit, ProcessOptions};

use crate::support::client::{self, Http1, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::scene::{HTTP, Scene, gateway_options};
use crate::support::upstream::{Upstream, body};
use crate::support::{block_on, until};

struct Slow {
    scene: Scene,
    upstream: Upstream,
    gate: Arc<AtomicBool>,
}

/// A gateway whose `/slow` answers when the gate is opened.
fn slow(drain: Drain) -> Slow {
    let gate = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&gate);
    let upstream = Upstream::handling(move |request| {
        let opened = Arc::clone(&opened);
        async move {
            drop(request);
            while !opened.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Response::new(body("late"))
        }
    });
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            let arms = vec![on(&["/slow"]).to("s"), otherwise().respond(200, Some("ok"))];
            g.http(HTTP).host(&["a"], arms)
        });
    let process = ProcessOptions {
        drain,
        ..ProcessOptions::default()
    };
    let scene = Scene::start_all(
        mesh.bundle(),
        vec![("gateway/edge", gateway_options())],
        process,
    );
    Slow {
        scene,
        upstream,
        gate,
    }
}

#[test]
fn what_is_under_way_is_answered() {
    let Slow {
        scene,
        upstream,
        gate,
    } = slow(Drain::default());
    let address = scene.http();
    let mut busy = Http1::connect(address);
    busy.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut idle = Http1::connect(address);
    assert_eq!(idle.get("a", "/").text(), "ok");
    until("it is under way", || upstream.connections() == 1);
    block_on(async {
        let mut over_http2 = http2::<Whole>(address).await;
        let request = request2("a", "/slow").body(Whole::default()).unwrap();
        let reply = over_http2.send_request(request);
        let reply = tokio::task::spawn_local(async move { whole(reply.await.unwrap()).await });
        while upstream.connections() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        scene.runtime().shutdown();
        // The admin pages are on the control thread, which still answers.
        while client::get(scene.runtime().admin().unwrap(), "admin", "/ready").status == 200 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.admin("/healthz").status, 200);
        until("nobody listens any more", || {
            std::net::TcpStream::connect(address).is_err()
        });
        assert!(idle.is_closed(), "what is idle is closed");
        // HTTP/2 is told not to ask again.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let refused = request2("a", "/").body(Whole::default()).unwrap();
        assert!(over_http2.send_request(refused).await.is_err());
        gate.store(true, Ordering::SeqCst);
        assert_eq!(reply.await.unwrap().text(), "late");
    });
    let reply = busy.reply();
    assert_eq!(reply.text(), "late");
    assert_eq!(reply.header("connection").as_deref(), Some("close"));
    assert!(busy.is_closed());
    assert_eq!(scene.end(), Exit::Drained);
}

#[test]
fn what_takes_too_long_is_cut() {
    let drain = Drain {
        timeout: Duration::from_millis(400),
        ..Drain::default()
    };
    let Slow {
        scene, upstream, ..
    } = slow(drain);
    let log = scene.log.clone();
    let mut busy = Http1::connect(scene.http());
    busy.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    until("it is under way", || upstream.connections() == 1);
    let began = Instant::now();
    let copy = crate::support::scene::scratch("kept.log");
    fs_link(&log, &copy);
    assert_eq!(scene.end(), Exit::Drained);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(400) && took < Duration::from_secs(5),
        "{took:?}"
    );
    assert!(busy.try_reply().is_none());
    // Its line is written all the same.
    let line: serde_json::Value = serde_json::from_str(
        std::fs::read_to_string(&copy)
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&line["path"], &line["flags"]),
        (&"/slow".into(), &"DC".into())
    );
    std::fs::remove_file(copy).unwrap();
}

fn fs_link(from: &std::path::Path, to: &std::path::Path) {
    std::fs::hard_link(from, to).unwrap();
}

#[test]
fn it_goes_on_serving_while_it_says_that_it_is_not_ready() {
    let drain = Drain {
        pre_stop: Duration::from_millis(600),
        ..Drain::default()
    };
    let Slow { scene, .. } = slow(drain);
    let address = scene.http();
    let began = Instant::now();
    scene.runtime().shutdown();
    until("it is not ready", || scene.admin("/ready").status == 503);
    let mut served = 0;
    while began.elapsed() < Duration::from_millis(450) {
        assert_eq!(client::get(address, "a", "/").text(), "ok");
        served += 1;
    }
    assert!(served > 0);
    assert_eq!(scene.end(), Exit::Drained);
    assert!(began.elapsed() >= Duration::from_millis(600));
}

#[test]
fn a_keep_alive_client_notices_without_losing_a_request() {
    let Slow { scene, .. } = slow(Drain::default());
    let address = scene.http();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(move || {
                let mut client = Http1::connect(address);
                let mut served = 0;
                loop {
                    let reply = client.get("a", "/");
                    assert_eq!(reply.text(), "ok");
                    served += 1;
                    if reply.header("connection").as_deref() == Some("close") {
                        return served;
                    }
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(scene.end(), Exit::Drained);
    for client in clients {
        assert!(client.join().unwrap() > 0);
    }
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let Slow { scene, .. } = slow(Drain::default());
    let _fresh = Http1::connect(scene.http());
    let mut idle = Http1::connect(scene.http());
    idle.get("a", "/");
    let began = Instant::now();
    assert_eq!(scene.end(), Exit::Drained);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_runtime_that_is_dropped_is_gone() {
    let Slow {
        scene, upstream, ..
    } = slow(Drain::default());
    let address = scene.http();
    let mut busy = Http1::connect(address);
    busy.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    until("it is under way", || upstream.connections() == 1);
    drop(scene);
    assert!(busy.try_reply().is_none());
    assert!(std::net::TcpStream::connect(address).is_err());
}
