//! The access log, as it is written.

use crate::support::client::Http1;
use crate::support::mesh::{Mesh, on};
use crate::support::scene::{HTTP, Scene};
use crate::support::until;
use crate::support::upstream::Upstream;

#[test]
fn a_line_tells_all_that_is_known() {
    let upstream = Upstream::start("s");
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| {
            s.at("v1", address).route(vec![on(&["/a/**"]).to("s.v1")])
        })
        .gateway("edge", |g| {
            g.http(HTTP)
                .host(&["a.example"], vec![on(&["/a/**"]).to("s")])
        });
    let scene = Scene::gateway(&mesh);
    scene.send(
        "POST /a//b?secret=1 HTTP/1.1\nhost: A.example:80\nuser-agent: \"evil\"\tx\nauthorization: Bearer t\n\
         cookie: c=1\ncontent-length: 5\n\nhello",
    );
    let line = scene.line();
    assert_eq!(line["method"], "POST");
    assert_eq!(
        line["path"], "/a//b",
        "as the client wrote it, without the query"
    );
    assert_eq!(
        (&line["host"], &line["protocol"]),
        (&"a.example".into(), &"HTTP/1.1".into())
    );
    assert_eq!((&line["code"], &line["flags"]), (&200.into(), &"-".into()));
    assert_eq!(
        (&line["bytes_in"], &line["bytes_out"]),
        (&5.into(), &2.into())
    );
    assert_eq!(line["service"], "s.v1");
    assert_eq!(line["endpoint"], address.to_string());
    assert_ne!(line["arm"], line["gateway_arm"]);
    assert_eq!(
        (&line["attempts"], &line["client_ip"]),
        (&1.into(), &"127.0.0.1".into())
    );
    assert_eq!(line["bundle"], mesh.bundle().id().to_string());
    assert_eq!(line["user_agent"], "\"evil\"\tx");
    assert!(line["ms"].as_f64().unwrap() > 0.0);
    assert!(line["ts"].as_str().unwrap().ends_with('Z'));
    let text = std::fs::read_to_string(&scene.log).unwrap();
    for secret in ["secret", "Bearer", "c=1"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn lines_come_without_waiting_for_more() {
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    let mut client = Http1::connect(scene.http());
    for count in 1..4 {
        client.get("a", "/");
        until("the line is there", || {
            std::fs::read_to_string(&scene.log)
                .unwrap_or_default()
                .lines()
                .count()
                == count
        });
    }
}

#[test]
fn many_lines_are_all_there() {
    let scene = Scene::gateway(&Mesh::new().gateway("edge", |g| g.http(HTTP).host(&["a"], vec![])));
    let mut client = Http1::connect(scene.http());
    for _ in 0..2000 {
        client.get("a", "/");
    }
    let log = scene.log.clone();
    let copy = crate::support::scene::scratch("kept.log");
    std::fs::hard_link(&log, &copy).unwrap();
    scene.end();
    let text = std::fs::read_to_string(&copy).unwrap();
    assert_eq!(text.lines().count(), 2000);
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
    std::fs::remove_file(copy).unwrap();
}
