//! New bundles while requests are under way.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use mesh_bundle::Bundle;
use meshd::{NodeOptions, ProcessOptions, Runtime};

use crate::support::client::{self, Http1, Whole, http2, request2, whole};
use crate::support::mesh::{Mesh, otherwise};
use crate::support::scene::{HTTP, HTTPS, Scene, gateway_options};
use crate::support::upstream::{Upstream, body};
use crate::support::{block_on, free_address, until};

fn saying(text: &str) -> Mesh {
    Mesh::new().gateway("edge", |g| {
        g.http(HTTP)
            .host(&["a"], vec![otherwise().respond(200, Some(text))])
    })
}

fn to(upstream: &Upstream) -> Mesh {
    let address = upstream.address;
    Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(HTTP).host(&["a"], vec![otherwise().to("s")])
        })
}

#[test]
fn a_connection_outlives_the_bundle_that_it_began_with() {
    let scene = Scene::gateway(&saying("one"));
    let mut client = Http1::connect(scene.http());
    assert_eq!(client.get("a", "/").text(), "one");
    let report = scene.runtime().reload(saying("two").bundle()).unwrap();
    assert!(report.applied && report.connections_dropped == 0);
    assert!(report.time < Duration::from_secs(2), "{report:?}");
    assert_eq!(client.get("a", "/").text(), "two");
    let again = scene.runtime().reload(saying("two").bundle()).unwrap();
    assert!(!again.applied, "the same bundle changes nothing");
    let lines = scene.lines(2);
    assert_ne!(lines[0]["bundle"], lines[1]["bundle"]);
    assert_eq!(lines[1]["bundle"], scene.status()["bundle"]["id"]);
}

#[test]
fn a_request_ends_with_what_it_began_with() {
    let gate = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&gate);
    let slow = Upstream::handling(move |request| {
        let opened = Arc::clone(&opened);
        async move {
            drop(request);
            while !opened.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Response::new(body("late"))
        }
    });
    let scene = Scene::gateway(&to(&slow));
    let before = scene.status()["bundle"]["id"].clone();
    let mut client = Http1::connect(scene.http());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    until("it is under way", || slow.connections() == 1);
    // Its service, its arm and its endpoint are gone.
    scene.reload(&saying("new"));
    assert_eq!(scene.get("a", "/").text(), "new");
    gate.store(true, Ordering::SeqCst);
    assert_eq!(client.reply().text(), "late");
    let lines = scene.lines(2);
    let late = lines.iter().find(|line| line["service"] == "s").unwrap();
    assert_eq!(late["bundle"], before);
    until("connections to what is gone are closed", || {
        slow.open() == 0
    });
}

#[test]
fn connections_to_upstreams_are_carried_over() {
    let upstream = Upstream::start("s");
    let scene = Scene::gateway(&to(&upstream));
    scene.get("a", "/");
    for number in 0..5 {
        let address = upstream.address;
        let arms = vec![otherwise().to("s").named(&format!("arm {number}"))];
        let mesh = Mesh::new()
            .service("other", |s| s)
            .service("s", |s| s.at("", address))
            .gateway("edge", |g| g.http(HTTP).host(&["a"], arms));
        scene.reload(&mesh);
        assert_eq!(scene.get("a", "/").status, 200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn no_request_fails_while_bundles_come_and_go() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let options = NodeOptions {
        workers: std::num::NonZeroUsize::new(2),
        ..gateway_options()
    };
    let scene = Scene::start(to(&one).bundle(), "gateway/edge", options);
    let address = scene.http();
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            std::thread::spawn(move || {
                let mut client = Http1::connect(address);
                while !stop.load(Ordering::Relaxed) {
                    if number == 0 {
                        client = Http1::connect(address);
                    }
                    let reply = client.get("a", "/");
                    assert_eq!(reply.status, 200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .chain([{
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            std::thread::spawn(move || {
                block_on(async {
                    let mut client = http2::<Whole>(address).await;
                    while !stop.load(Ordering::Relaxed) {
                        let request = request2("a", "/").body(Whole::default()).unwrap();
                        assert_eq!(
                            whole(client.send_request(request).await.unwrap())
                                .await
                                .status,
                            200
                        );
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                });
            })
        }])
        .collect();
    for number in 0..60 {
        let before = served.load(Ordering::Relaxed);
        let mesh = if number % 2 == 0 { to(&two) } else { to(&one) };
        scene.reload(&mesh);
        until("requests are served", || {
            served.load(Ordering::Relaxed) > before + 5
        });
        let garbage = Bundle::open(b"MESHBNDL garbage".to_vec());
        assert!(garbage.is_err());
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert!(!one.seen().is_empty() && !two.seen().is_empty());
    assert_eq!(
        scene.metric("mesh_reloads_total{result=\"applied\"}"),
        Some(60.0)
    );
    let lines = std::fs::read_to_string(&scene.log).unwrap();
    assert!(!lines.contains("\"flags\":\"U"), "an upstream was blamed");
}

#[test]
fn listeners_come_and_go_and_those_that_stay_keep_their_connections() {
    let (stays, goes, comes) = (free_address(), free_address(), free_address());
    let ports = |ports: &[u16]| {
        ports
            .iter()
            .fold(Mesh::new(), |mesh, _| mesh)
            .gateway("edge", |mut g| {
                for &port in ports {
                    g = g.http(port);
                }
                g.host(&["a"], vec![otherwise().respond(200, Some("ok"))])
            })
    };
    let before = ports(&[stays.port(), goes.port()]);
    let scene = Scene::start(before.bundle(), "gateway/edge", NodeOptions::default());
    let mut kept = Http1::connect(stays);
    let mut idle = Http1::connect(goes);
    assert_eq!(kept.get("a", "/").status, 200);
    assert_eq!(idle.get("a", "/").status, 200);
    scene.reload(&ports(&[comes.port(), stays.port()]));
    assert_eq!(client::get(comes, "a", "/").status, 200);
    assert_eq!(kept.get("a", "/").status, 200, "the same connection");
    until("nobody listens there any more", || {
        std::net::TcpStream::connect(goes).is_err()
    });
    assert!(idle.is_closed(), "what was idle is closed");
    let listeners = scene.runtime().listeners();
    let addresses: Vec<_> = listeners.iter().map(|it| it.address).collect();
    assert_eq!(addresses, [comes, stays]);
    // And back again.
    scene.reload(&before);
    assert_eq!(client::get(goes, "a", "/").status, 200);
}

#[test]
fn what_is_under_way_on_a_listener_that_goes_is_answered() {
    let gate = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&gate);
    let slow = Upstream::handling(move |request| {
        let opened = Arc::clone(&opened);
        async move {
            drop(request);
            while !opened.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Response::new(body("late"))
        }
    });
    let (stays, goes) = (free_address(), free_address());
    let address = slow.address;
    let mesh = |goes: Option<u16>| {
        Mesh::new()
            .service("s", |s| s.at("", address))
            .gateway("edge", |g| {
                let g = g.http(stays.port()).host(&["a"], vec![otherwise().to("s")]);
                goes.map_or(g.clone(), |port| g.http(port))
            })
    };
    let bundle = mesh(Some(goes.port())).bundle();
    let scene = Scene::start(bundle, "gateway/edge", NodeOptions::default());
    let mut client = Http1::connect(goes);
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    until("it is under way", || slow.connections() == 1);
    scene.reload(&mesh(None));
    gate.store(true, Ordering::SeqCst);
    let reply = client.reply();
    assert_eq!(reply.text(), "late");
    assert_eq!(reply.header("connection").as_deref(), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn a_bundle_that_does_not_fit_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let free = free_address();
    let scene = Scene::gateway(&saying("one"));
    let mut client = Http1::connect(scene.http());
    let no_node = Mesh::new().gateway("other", |g| g.http(HTTP));
    let port_in_use = Mesh::new().gateway("edge", |g| {
        // The first could be bound; it must not be.
        g.http(HTTP)
            .http(free.port())
            .http(taken_port)
            .host(&["a"], vec![otherwise().respond(200, Some("no"))])
    });
    let no_certificate =
        Mesh::new().gateway("edge", |g| g.http(HTTP).https(HTTPS, "no.crt", "no.key"));
    for (mesh, reason) in [
        (
            no_node,
            "the bundle has no gateway/edge; it has gateway/other".to_owned(),
        ),
        (
            port_in_use,
            format!("gateway/edge cannot listen on 127.0.0.1:{taken_port}: the port is in use"),
        ),
        (
            no_certificate,
            "gateway/edge, port 443: no.crt is not in ".to_owned(),
        ),
    ] {
        let error = scene
            .runtime()
            .reload(mesh.bundle())
            .unwrap_err()
            .to_string();
        assert_eq!(error, reason);
        assert_eq!(client.get("a", "/").text(), "one");
        assert_eq!(scene.status()["last_reload"]["sentence"], reason);
    }
    assert!(std::net::TcpStream::connect(free).is_err());
    assert_eq!(
        scene.metric("mesh_reloads_total{result=\"rejected\"}"),
        Some(3.0)
    );
    assert_eq!(scene.metric("mesh_reload_last_success"), Some(0.0));
    scene.reload(&saying("two"));
    assert_eq!(scene.metric("mesh_reload_last_success"), Some(1.0));
    assert_eq!(client.get("a", "/").text(), "two");
}

#[test]
fn nothing_is_half_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let free = free_address();
    let mesh = Mesh::new().gateway("edge", |g| g.http(free.port()).http(taken_port));
    let start = |workers| {
        let options = NodeOptions {
            workers: std::num::NonZeroUsize::new(workers),
            ..NodeOptions::default()
        };
        let nodes = vec![("gateway/edge".parse().unwrap(), options)];
        Runtime::start(mesh.bundle(), nodes, ProcessOptions::default())
            .unwrap_err()
            .to_string()
    };
    for workers in [1, 3] {
        let sentence =
            format!("gateway/edge cannot listen on 127.0.0.1:{taken_port}: the port is in use");
        assert_eq!(start(workers), sentence);
        assert!(std::net::TcpStream::connect(free).is_err());
    }
    // Another process that shares its ports is somebody, too.
    drop(taken);
    let first = Scene::start(mesh.bundle(), "gateway/edge", NodeOptions::default());
    let error = start(2);
    assert!(error.ends_with("the port is in use"), "{error}");
    drop(first);
}

#[test]
fn connections_are_shared_between_workers() {
    let options = NodeOptions {
        workers: std::num::NonZeroUsize::new(4),
        ..gateway_options()
    };
    let scene = Scene::start(saying("ok").bundle(), "gateway/edge", options);
    let mut clients: Vec<Http1> = (0..64).map(|_| Http1::connect(scene.http())).collect();
    for client in &mut clients {
        assert_eq!(client.get("a", "/").status, 200);
    }
    // What the kernel does alone leaves some worker with far fewer.
    let status = scene.status();
    let each = status["nodes"][0]["listeners"][0]["by_worker"]
        .as_array()
        .unwrap();
    let each: Vec<u64> = each.iter().map(|it| it.as_u64().unwrap()).collect();
    assert_eq!((each.len(), each.iter().sum::<u64>()), (4, 64), "{each:?}");
    assert!(
        each.iter().all(|count| (11..22).contains(count)),
        "{each:?}"
    );
    assert_eq!(scene.metric("mesh_connections_active"), Some(64.0));
    for client in &mut clients {
        assert_eq!(client.get("a", "/").status, 200);
    }
    drop(clients);
    until("all are gone", || {
        scene.metric("mesh_connections_active") == Some(0.0)
    });
    assert_eq!(scene.metric("mesh_connections_total"), Some(64.0));
}
