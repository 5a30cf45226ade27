//! The access log, as it is written.

use mesh_bundle::asked::Key;
use mesh_bundle::format::FieldKind;
use meshd::ProcessOptions;
use serde_json::{Value, json};

use crate::support::client::Http1;
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::scene::{HTTP, Scene, gateway_options};
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

/// A gateway whose arms ask for a header, a parameter, cookies and credentials.
fn asking() -> Mesh {
    Mesh::new().gateway("edge", |g| {
        let team = on(&["/t/**"]).header("x-team", "qa");
        let page = on(&["/t/**"]).when(FieldKind::Query, "page", "8");
        let session = on(&["/t/**"]).when(FieldKind::Cookie, "session", "staff");
        let secret = on(&["/secret"]).header("authorization", "Bearer policy");
        g.http(HTTP).host(
            &["a"],
            vec![
                team.respond(201, None),
                page.respond(202, None),
                session.respond(203, None),
                secret.respond(204, None),
                otherwise().respond(200, None),
            ],
        )
    })
}

/// What a line says of the fields asked for.
fn asked(scene: &Scene, request: &str) -> Value {
    let before = std::fs::read_to_string(&scene.log).map_or(0, |text| text.lines().count());
    scene.send(request);
    scene.lines(before + 1)[before]["asked"].clone()
}

/// A gateway whose log hides values behind a key, and what they are hashed to.
fn hashing() -> (Scene, impl Fn(&str, &str) -> Value) {
    let key = Key::of_secret(b"thirty-two bytes that nobody has").unwrap();
    let process = ProcessOptions {
        log_key: Some(key.clone()),
        ..ProcessOptions::default()
    };
    let nodes = vec![("gateway/edge", gateway_options())];
    let scene = Scene::start_all(asking().bundle(), nodes, process);
    let hash = move |name: &str, value: &str| {
        let hash = key.hash(name, value.as_bytes());
        json!({ "hash": str::from_utf8(&hash).unwrap() })
    };
    (scene, hash)
}

#[test]
fn a_line_carries_what_decisions_asked_for_and_no_secret() {
    let (scene, hash) = hashing();

    // The policy names this value; what was not there is said too, and the cookie did not matter any more.
    assert_eq!(
        asked(&scene, "GET /t/1?page=8&token=s3cret HTTP/1.1\nhost: a\n\n"),
        json!({ "header.x-team": null, "query.page": "8" }),
    );
    // It names others than these.
    assert_eq!(
        asked(
            &scene,
            "GET /t/1?page=s3cret HTTP/1.1\nhost: a\nx-team: dev-s3cret\ncookie: session=s3cret\n\n"
        ),
        json!({
            "header.x-team": hash("header.x-team", "dev-s3cret"),
            "query.page": hash("query.page", "s3cret"),
            "cookie.session": hash("cookie.session", "s3cret"),
        }),
    );
    // Credentials are hashed even where the policy names them.
    assert_eq!(
        asked(
            &scene,
            "GET /secret HTTP/1.1\nhost: a\nauthorization: Bearer policy\n\n"
        ),
        json!({ "header.authorization": hash("header.authorization", "Bearer policy") }),
    );
    // On this path nothing is asked; here nobody is.
    assert_eq!(
        asked(&scene, "GET /else HTTP/1.1\nhost: a\nx-team: s3cret\n\n"),
        json!({})
    );
    assert_eq!(
        asked(&scene, "OPTIONS * HTTP/1.1\nhost: a\n\n"),
        Value::Null
    );

    let lines = scene.lines(5);
    assert!(lines.iter().all(|line| {
        (&line["entrance"], &line["scheme"], &line["port"])
            == (&json!("gateway"), &json!("http"), &json!(HTTP))
    }));
    let text = std::fs::read_to_string(&scene.log).unwrap();
    assert!(
        !text.contains("s3cret") && !text.contains("Bearer"),
        "{text}"
    );
}

#[test]
fn what_comes_more_than_once_is_said_to_with_what_decisions_saw() {
    let (scene, hash) = hashing();
    // The lines of a header are joined; of parameters the first counts, and of cookies, on however many lines.
    assert_eq!(
        asked(
            &scene,
            "GET /t/1?page=9&page=8 HTTP/1.1\nhost: a\nx-team: qa\nx-team: s3cret\n\
             cookie: session=staff; session=s3cret\n\n"
        ),
        json!({
            "header.x-team": { "repeated": hash("header.x-team", "qa,s3cret") },
            "query.page": { "repeated": hash("query.page", "9") },
            "cookie.session": { "repeated": "staff" },
        }),
    );
    assert_eq!(
        asked(
            &scene,
            "GET /t/1?page=8&page=s3cret HTTP/1.1\nhost: a\nx-team: a,b\n\n"
        ),
        json!({
            "header.x-team": hash("header.x-team", "a,b"),
            "query.page": { "repeated": "8" },
        }),
        "one line with a `,` is one"
    );
    let text = std::fs::read_to_string(&scene.log).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn without_a_key_each_process_hashes_with_its_own() {
    let hash = || {
        let scene = Scene::gateway(&asking());
        let request = "GET /t/1 HTTP/1.1\nhost: a\nx-team: dev\n\n";
        let first = asked(&scene, request)["header.x-team"]["hash"].clone();
        assert_eq!(first, asked(&scene, request)["header.x-team"]["hash"]);
        first.as_str().unwrap().to_owned()
    };
    let (one, other) = (hash(), hash());
    assert_eq!(one.len(), 32);
    assert_ne!(one, other);
}
