//! The example as it would run for real: a gateway, six sidecars and six applications, each a process.

use http::Method;
use mesh_tests::client::{Answer, Ask, ask, get};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};

/// The example's policy with other ports, so that it disturbs nobody.
struct Bookinfo {
    ports: BTreeMap<u16, u16>,
    policy: Policy,
    _processes: Vec<Process>,
    sidecars: Vec<Meshd>,
    gateway: Meshd,
}

/// An application of the example: its name, its endpoint, its sidecar's outbound port.
const APPLICATIONS: &[(&str, u16)] = &[
    ("productpage", 9080),
    ("details", 9081),
    ("ratings", 9082),
    ("reviews.v1", 9083),
    ("reviews.v2", 9084),
    ("reviews.v3", 9085),
];

impl Bookinfo {
    fn start() -> Self {
        let path = binaries::workspace().join("examples/bookinfo/bookinfo.mesh");
        let mut text = std::fs::read_to_string(path).expect("the example is there");
        // The example's certificate is made by `meshc up`; here only plain HTTP is wanted.
        text = text.replace(
            "  listen 8443 https { certificate \"tls/bookinfo.crt\" key \"tls/bookinfo.key\"; http2 }\n",
            "",
        );
        let mut chosen = BTreeMap::new();
        for port in [8080].into_iter().chain(9080..=9085).chain(19080..=19085) {
            let free = ports::free();
            text = text.replace(&format!(":{port}"), &format!(":{free}"));
            text = text.replace(&format!("listen {port} "), &format!("listen {free} "));
            chosen.insert(port, free);
        }
        let policy = Policy::new(&text);

        let mut processes = Vec::new();
        let mut sidecars = Vec::new();
        for (name, port) in APPLICATIONS {
            let application = local(chosen[port]).to_string();
            let outbound = local(ports::free()).to_string();
            processes.push(Process::start(
                binaries::path("mesh-demo"),
                [name, "--listen", &application, "--outbound", &outbound],
            ));
            let service = name.split('.').next().unwrap_or(name);
            let node = format!("sidecar/{service}");
            let arguments = ["--endpoint", &application, "--outbound", &outbound];
            sidecars.push(Meshd::start(&policy, &node, &arguments));
        }
        for (_, port) in APPLICATIONS {
            wait::until("an application", || {
                TcpStream::connect(local(chosen[port])).ok()
            });
        }
        let gateway = Meshd::start(&policy, "gateway/edge", &[]);
        Self {
            ports: chosen,
            policy,
            _processes: processes,
            sidecars,
            gateway,
        }
    }

    fn edge(&self) -> SocketAddr {
        local(self.ports[&8080])
    }

    fn ask(&self, ask: &Ask) -> Answer {
        ask.clone()
            .host("bookinfo.example")
            .send_and_wait(self.edge())
            .expect("the gateway answers")
    }

    /// The line of the policy that holds a text, as `file:line`.
    fn place(&self, text: &str) -> String {
        let policy =
            std::fs::read_to_string(self.policy.path("mesh/policy.mesh")).expect("written");
        let line = policy
            .lines()
            .position(|line| line.contains(text))
            .expect("the policy says so");
        format!("policy.mesh:{}", line + 1)
    }

    /// Which version of the reviews answers a request.
    fn reviews(&self, ask: &Ask) -> String {
        let answer = self.ask(ask);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["podname"]
            .as_str()
            .expect("reviews say who they are")
            .to_owned()
    }
}

#[test]
fn every_arm_does_what_it_says() {
    let bookinfo = Bookinfo::start();

    // GET /, /productpage, /static/** -> productpage
    let page = bookinfo.ask(&get("/productpage"));
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-served-by"), Some("productpage"));
    assert!(
        page.text().contains("The Comedy of Errors"),
        "{}",
        page.text()
    );
    assert_eq!(bookinfo.ask(&get("/")).status, 200);
    assert_eq!(bookinfo.ask(&get("/static/style.css")).status, 200);
    let head = bookinfo.ask(&ask(Method::HEAD, "/productpage"));
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));

    // POST /login, GET /logout
    let login = bookinfo.ask(
        &ask(Method::POST, "/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("username=jason"),
    );
    assert_eq!(login.status, 302);
    assert_eq!(bookinfo.ask(&get("/logout")).status, 302);

    // GET /api/v1/products/** -> productpage
    let products = bookinfo.ask(&get("/api/v1/products"));
    assert_eq!(products.status, 200);
    assert!(products.json().is_array());

    // /books/** -> redirect 301 { prefix "/api/v1/products" }
    let moved = bookinfo.ask(&get("/books/0/reviews?full=1"));
    assert_eq!(moved.status, 301);
    let port = bookinfo.ports[&8080];
    assert_eq!(
        moved.header("location"),
        Some(format!("http://bookinfo.example:{port}/api/v1/products/0/reviews?full=1").as_str())
    );

    // GET /health -> respond 200; otherwise -> respond 404
    assert_eq!(bookinfo.ask(&get("/health")).text(), "ok\n");
    let missing = bookinfo.ask(&get("/nowhere"));
    assert_eq!(
        (missing.status.as_u16(), missing.text().as_str()),
        (404, "no such page\n")
    );
    let posted = bookinfo.ask(&ask(Method::POST, "/health"));
    assert_eq!(posted.status, 404);

    // host * { otherwise -> respond 421 }
    let elsewhere = get("/")
        .host("other.example")
        .send_and_wait(bookinfo.edge())
        .expect("an answer");
    assert_eq!(elsewhere.status, 421);

    // reviews: jason, red, cohort-b, writes
    let reviews = get("/api/v1/products/0/reviews");
    for _ in 0..5 {
        assert_eq!(
            bookinfo.reviews(&reviews.clone().header("end-user", "jason")),
            "reviews-v2"
        );
        assert_eq!(
            bookinfo.reviews(&reviews.clone().header("end-user", "red-hat")),
            "reviews-v3"
        );
        assert_eq!(
            bookinfo.reviews(&reviews.clone().header("cookie", "a=1; cohort=b3")),
            "reviews-v3"
        );
    }
    // otherwise -> split canary v2, rest v1: both are seen, and nothing else.
    let seen: Vec<String> = (0..80).map(|_| bookinfo.reviews(&reviews)).collect();
    assert!(
        seen.iter()
            .all(|name| name == "reviews-v1" || name == "reviews-v2"),
        "{seen:?}"
    );
    assert!(seen.iter().any(|name| name == "reviews-v1"));

    // Stars come from ratings, through the sidecar of reviews v2.
    let starred = bookinfo
        .ask(&reviews.clone().header("end-user", "jason"))
        .json();
    assert_eq!(
        starred["reviews"][0]["rating"]["color"], "black",
        "{starred}"
    );

    // Every decision has its line.
    let log = |meshd: &Meshd, part: &str| {
        wait::until("a line in the access log", || {
            meshd
                .process
                .output()
                .lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        })
    };
    let entry = log(&bookinfo.gateway, "\"path\":\"/productpage\"");
    let entry: serde_json::Value = serde_json::from_str(&entry).expect("the log is JSON");
    assert_eq!(entry["arm"], bookinfo.place("GET /, /productpage").as_str());
    assert_eq!(entry["service"], "productpage");
    let productpage = &bookinfo.sidecars[0];
    let entry = log(productpage, "\"service\":\"reviews.v3\"");
    let entry: serde_json::Value = serde_json::from_str(&entry).expect("the log is JSON");
    let red = bookinfo.place("red:");
    let cohort = bookinfo.place("cohort-b:");
    assert!(
        entry["arm"] == red.as_str() || entry["arm"] == cohort.as_str(),
        "{entry}"
    );
    assert_eq!(entry["source"], "default/productpage");
}

#[test]
fn a_sidecar_lets_through_what_is_called_and_nothing_else() {
    let bookinfo = Bookinfo::start();
    // `reviews` calls `ratings` and nobody else.
    let reviews = bookinfo.sidecars[3].page("/status").json();
    let listeners = reviews["nodes"][0]["listeners"]
        .as_array()
        .expect("it has listeners")
        .clone();
    let outbound = listeners
        .iter()
        .find(|listener| listener["kind"] == "outbound");
    let outbound: SocketAddr = outbound
        .and_then(|listener| listener["address"].as_str()?.parse().ok())
        .expect("it has an outbound listener");
    let call = |host: &str, path: &str| {
        get(path)
            .host(host)
            .send_and_wait(outbound)
            .expect("the sidecar answers")
    };
    assert_eq!(call("ratings", "/ratings/0").status, 200);
    assert_eq!(call("ratings.default", "/ratings/0").status, 200);
    assert_eq!(call("details", "/details/0").status, 403);
    assert_eq!(call("example.com", "/").status, 403);
}
