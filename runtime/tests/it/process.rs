//! The program itself: its command line, its signals, its exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::client::{self, Http1};
use crate::support::mesh::{Mesh, on, otherwise};
use crate::support::upstream::{Raw, read_head};
use crate::support::{PATIENCE, free_address, until};

fn meshd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshd"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A process that serves.
struct Meshd {
    child: Child,
    http: SocketAddr,
    admin: SocketAddr,
    errors: Arc<std::sync::Mutex<String>>,
}

impl Meshd {
    fn run(bundle: &Path, http: SocketAddr, more: &[&str]) -> Self {
        let admin = free_address();
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshd"))
            .args([
                "run",
                "--node",
                "gateway/edge",
                "--workers",
                "1",
                "--bundle",
            ])
            .arg(bundle)
            .args(["--admin", &admin.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors: Arc<std::sync::Mutex<String>> = Arc::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let heard = Arc::clone(&errors);
        std::thread::spawn(move || {
            for line in stderr.lines() {
                let mut heard = heard.lock().unwrap();
                *heard += &line.unwrap();
                heard.push('\n');
            }
        });
        let mut it = Self {
            child,
            http,
            admin,
            errors,
        };
        until("it serves", || {
            if let Some(status) = it.child.try_wait().unwrap() {
                panic!("{status}: {}", it.said());
            }
            std::net::TcpStream::connect(admin).is_ok()
                && std::net::TcpStream::connect(http).is_ok()
        });
        it
    }

    fn said(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Whether all of its threads are stopped.
    fn stands_still(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        tasks
            .map(|task| fs::read_to_string(task.unwrap().path().join("stat")).unwrap())
            .all(|stat| {
                let (_, state) = stat.rsplit_once(") ").unwrap();
                state.starts_with('T')
            })
    }

    fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Meshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bundle(directory: &TempDir, mesh: &Mesh) -> PathBuf {
    let path = directory.path().join("shop.bundle");
    fs::write(&path, mesh.bytes()).unwrap();
    path
}

fn saying(http: SocketAddr, text: &str) -> Mesh {
    Mesh::new().gateway("edge", |g| {
        g.http(http.port())
            .host(&["a"], vec![otherwise().respond(200, Some(text))])
    })
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let directory = tempfile::tempdir().unwrap();
    let http = free_address();
    let path = bundle(&directory, &saying(http, "one"));
    let mut meshd = Meshd::run(&path, http, &[]);
    assert_eq!(client::get(http, "a", "/x").text(), "one");
    assert_eq!(client::get(meshd.admin, "admin", "/ready").status, 200);
    let sentence = format!(" (1 arm) at http {http}, admin {}", meshd.admin);
    until("it says so", || {
        let said = meshd.said();
        said.starts_with("meshd: gateway/edge serves bundle b3:") && said.contains(&sentence)
    });
    fs::write(&path, saying(http, "two").bytes()).unwrap();
    until("the new bundle is in force", || {
        client::get(http, "a", "/").text() == "two"
    });
    until("it says so", || {
        meshd.said().contains("meshd: applied bundle b3:")
    });
    meshd.signal("TERM");
    assert_eq!(meshd.exit_code(), Some(0));
    let mut log = String::new();
    meshd
        .child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["path"], &first["code"]),
        (&"/x".into(), &200.into())
    );
}

#[test]
fn a_hangup_loads_anew_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let http = free_address();
    let path = bundle(&directory, &saying(http, "one"));
    let log = directory.path().join("access.log");
    let meshd = Meshd::run(&path, http, &["--access-log", log.to_str().unwrap()]);
    client::get(http, "a", "/");
    until("the line is there", || {
        fs::read_to_string(&log).unwrap().lines().count() == 1
    });
    fs::rename(&log, directory.path().join("access.log.1")).unwrap();
    // Damaged, and not closed: only who asks gets an answer before it is still.
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"MESHB").unwrap();
    let began = Instant::now();
    until("it is rejected", || {
        meshd.signal("HUP");
        std::thread::sleep(Duration::from_millis(20));
        meshd.said().contains("kept bundle")
    });
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    let said = meshd.said();
    let line = said
        .lines()
        .find(|line| line.contains("kept bundle"))
        .unwrap();
    assert!(line.contains("(1 arm, loaded "), "{line}");
    assert!(
        line.ends_with("shop.bundle is damaged: 5 of its 64 bytes are there"),
        "{line}"
    );
    assert_eq!(client::get(http, "a", "/").text(), "one");
    until("the log goes on in a new file", || {
        fs::read_to_string(&log).unwrap_or_default().lines().count() == 1
    });
}

#[test]
fn a_second_signal_does_not_wait() {
    let stuck = Raw::start(|mut stream, _| {
        read_head(&mut stream);
        std::thread::park();
    });
    let address = stuck.address;
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let directory = tempfile::tempdir().unwrap();
        let http = free_address();
        let mesh = Mesh::new()
            .service("s", |s| s.at("", address))
            .gateway("edge", |g| {
                g.http(http.port()).host(&["a"], vec![otherwise().to("s")])
            });
        let mut meshd = Meshd::run(&bundle(&directory, &mesh), http, &[]);
        let before = stuck.connections.load(Ordering::SeqCst);
        let mut busy = Http1::connect(http);
        busy.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        until("it is under way", || {
            stuck.connections.load(Ordering::SeqCst) > before
        });
        meshd.signal(signal);
        until("nobody listens", || {
            std::net::TcpStream::connect(meshd.http).is_err()
        });
        let status = meshd.child.try_wait().unwrap();
        assert!(
            status.is_none(),
            "{status:?}, and something is under way: {}",
            meshd.said()
        );
        let began = Instant::now();
        meshd.signal(signal);
        assert_eq!(meshd.exit_code(), Some(code));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn a_connection_that_went_stale_costs_nobody_a_request() {
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    let close = Arc::new(std::sync::Barrier::new(2));
    let closing = Arc::clone(&close);
    // Each connection answers once, and is closed when the test says so.
    let upstream = Raw::start(move |mut stream, _| {
        if read_head(&mut stream).is_some() {
            counted.fetch_add(1, Ordering::SeqCst);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .unwrap();
            closing.wait();
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let http = free_address();
    let address = upstream.address;
    let mesh = Mesh::new()
        .service("s", |s| s.at("", address))
        .gateway("edge", |g| {
            g.http(http.port()).host(&["a"], vec![otherwise().to("s")])
        });
    let meshd = Meshd::run(&bundle(&directory, &mesh), http, &[]);
    let mut client = Http1::connect(http);
    assert_eq!(client.get("a", "/").text(), "ok");
    for round in 2..6 {
        // While it stands still, a request comes, and then the connection that it would take ends.
        meshd.signal("STOP");
        until("it stands still", || meshd.stands_still());
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
        std::thread::sleep(Duration::from_millis(20));
        close.wait();
        std::thread::sleep(Duration::from_millis(20));
        meshd.signal("CONT");
        let reply = client.reply();
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (200, "ok"),
            "round {round}"
        );
        assert_eq!(served.load(Ordering::SeqCst), round, "each was sent once");
    }
    close.wait();
}

#[test]
fn what_stands_in_the_way_is_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let http = free_address();
    let path = bundle(&directory, &saying(http, "one"));
    let path = path.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let config = directory.path().join("meshd.yaml");
    fs::write(&config, "workers: 1\ndrain:\n  timeout: soon\n").unwrap();
    let config = config.to_str().unwrap();
    let damaged = directory.path().join("damaged.bundle");
    fs::write(&damaged, b"nonsense").unwrap();
    let damaged = damaged.to_str().unwrap();
    let _held = TcpListener::bind(taken);
    let run = |arguments: &[&str]| meshd(&[&["run"], arguments].concat());
    for (arguments, sentence) in [
        (
            vec![],
            "meshd: there is no bundle: say it with --bundle FILE, or with `bundle` in meshd.yaml",
        ),
        (
            vec!["--bundle", path],
            "meshd: it is not said what to be: say it with --node",
        ),
        (
            vec!["--bundle", "/no/such.bundle", "--node", "gateway/edge"],
            "meshd: /no/such.bundle cannot be read: No such file",
        ),
        (
            vec!["--bundle", damaged, "--node", "gateway/edge"],
            "damaged.bundle is no bundle: it does not begin with",
        ),
        (
            vec!["--bundle", path, "--node", "gateway/front"],
            "meshd: the bundle has no gateway/front; it has gateway/edge",
        ),
        (
            vec!["--config", config],
            "meshd.yaml:3: `drain.timeout` is \"soon\", which is no duration",
        ),
        (
            vec!["--config", "/no/meshd.yaml"],
            "meshd: /no/meshd.yaml cannot be read",
        ),
    ] {
        let output = run(&arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(sentence), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let refused = run(&["--bundle", path, "--node", "nonsense"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("`nonsense` names no node"));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let used = listener.local_addr().unwrap();
    let admin = run(&[
        "--bundle",
        path,
        "--node",
        "gateway/edge",
        "--admin",
        &used.to_string(),
    ]);
    assert_eq!(admin.status.code(), Some(2));
    let sentence = format!("meshd: the admin pages cannot be at {used}: the port is in use\n");
    assert_eq!(text(&admin.stderr), sentence);
    let log = run(&[
        "--bundle",
        path,
        "--node",
        "gateway/edge",
        "--admin",
        "off",
        "--access-log",
        "/no/such/log",
    ]);
    assert_eq!(log.status.code(), Some(2));
    assert!(
        text(&log.stderr).starts_with("meshd: the access log /no/such/log cannot be written: ")
    );
}

#[test]
fn flags_win_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let http = free_address();
    bundle(&directory, &saying(http, "one"));
    let config = directory.path().join("meshd.yaml");
    // Paths are relative to the file.
    let text = "bundle: shop.bundle\nnode: gateway/none\naccess-log: off\n";
    fs::write(&config, text).unwrap();
    let check = |more: &[&str]| {
        let arguments = [&["check", "--config", config.to_str().unwrap()], more].concat();
        meshd(&arguments).status.code()
    };
    assert_eq!(check(&[]), Some(2));
    assert_eq!(check(&["--node", "gateway/edge"]), Some(0));
}

#[test]
fn check_says_what_would_be_served() {
    let files = crate::tls::certificate(&["shop.example"]);
    let mesh = Mesh::new().gateway("edge", |g| {
        g.redirecting(80)
            .https(443, "tls.crt", "tls.key")
            .host(&["a"], vec![on(&["/x"]).respond(200, None)])
    });
    let path = bundle(&files, &mesh);
    let checked = meshd(&[
        "check",
        "--bundle",
        path.to_str().unwrap(),
        "--node",
        "gateway/edge",
    ]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let said = text(&checked.stdout);
    assert!(
        said.contains("of mesh shop, 1 arm\nnode      gateway/edge\n"),
        "{said}"
    );
    assert!(
        said.contains("listener  127.0.0.1:80  http, redirects to https\n"),
        "{said}"
    );
    assert!(
        said.contains("listener  127.0.0.1:443  https, certificate "),
        "{said}"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let files = ["--files", elsewhere.path().to_str().unwrap()];
    let arguments = [
        &[
            "check",
            "--bundle",
            path.to_str().unwrap(),
            "--node",
            "gateway/edge",
        ][..],
        &files,
    ]
    .concat();
    let missing = meshd(&arguments);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).starts_with("meshd: gateway/edge, port 443: tls.crt is not in "));
}

#[test]
fn what_it_prints_for_others() {
    let schema = meshd(&["schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(schema["title"], "meshd.yaml");
    for shell in ["bash", "zsh", "fish"] {
        let script = meshd(&["completions", shell]);
        assert!(
            script.status.success() && text(&script.stdout).contains("meshd"),
            "{shell}"
        );
    }
    let manual = text(&meshd(&["man"]).stdout);
    assert!(manual.contains(".TH meshd 1"), "{manual}");
    let help = text(&meshd(&["--help"]).stdout);
    for part in ["Examples:", "Exit codes:", "meshd run --bundle"] {
        assert!(help.contains(part), "{help}");
    }
    assert!(text(&meshd(&["run", "--help"]).stdout).contains("SIGHUP"));
    assert_eq!(meshd(&["--version"]).status.code(), Some(0));
    assert_eq!(meshd(&["nonsense"]).status.code(), Some(2));
}
