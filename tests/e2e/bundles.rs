//! Bundles that are no bundles, put in place while traffic goes on.

use mesh_bundle::format::{Bundle, Section, seal};
use mesh_tests::client::get;
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::{binaries, ports, wait};
use std::process::Command;

fn policy(http: u16, text: &str) -> String {
    format!(
        "mesh t {{ mtls off; authz open-by-default }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> respond 200 \"{text}\" }} }}"
    )
}

struct Running {
    policy: Policy,
    meshd: Meshd,
    http: u16,
}

impl Running {
    fn start() -> Self {
        let http = ports::free();
        let policy = Policy::new(&policy(http, "first"));
        let meshd = Meshd::start(&policy, "gateway/edge", &["--access-log", "off"]);
        Self {
            policy,
            meshd,
            http,
        }
    }

    fn text(&self) -> String {
        get("/")
            .send_and_wait(local(self.http))
            .expect("traffic goes on")
            .text()
    }

    fn rejected(&self) -> u64 {
        let start = "mesh_reloads_total{result=\"rejected\"}";
        self.meshd.metric(start).unwrap_or(0)
    }

    /// Puts bytes in place by renaming, as a publisher would.
    fn put(&self, bytes: &[u8]) {
        let file = self.policy.path("next");
        std::fs::write(&file, bytes).expect("it can be written");
        std::fs::rename(file, self.policy.bundle()).expect("it can be put in place");
    }

    /// Puts bytes in place that must be refused, and expects a sentence about them.
    fn refuses(&self, bytes: &[u8], sentence: &str) {
        let (bundle, before) = (self.meshd.bundle(), self.rejected());
        self.put(bytes);
        wait::until("the bundle to be refused", || {
            assert_eq!(self.text(), "first");
            (self.rejected() > before).then_some(())
        });
        assert_eq!(self.meshd.bundle(), bundle);
        let errors = wait::until("a line about it", || {
            let errors = self.meshd.process.errors();
            errors.contains(sentence).then_some(errors)
        });
        assert!(
            errors.contains(&format!("meshd: kept bundle {bundle}")),
            "{errors}"
        );
        let status = self.meshd.page("/status").text();
        assert!(status.contains(sentence), "{status}");
        assert_eq!(self.meshd.metric("mesh_reload_last_success"), Some(0));
        assert_eq!(self.meshd.page("/ready").status, 200);
    }
}

#[test]
fn damaged_bundles_are_refused_while_traffic_goes_on() {
    let running = Running::start();
    let good = std::fs::read(running.policy.bundle()).expect("it is there");
    running.refuses(&[], "is empty");
    running.refuses(&good[..good.len() - 100], "bytes are there");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    running.refuses(&flipped, "does not match its hash");
    running.refuses(b"#!/bin/sh\necho no bundle at all\n", "is no bundle");
    // And a good one is taken again.
    running.policy.update(&policy(running.http, "second"));
    wait::until("the good bundle", || {
        (running.text() == "second").then_some(())
    });
    // It serves before it tells.
    wait::until("word of it", || {
        (running.meshd.metric("mesh_reload_last_success") == Some(1)).then_some(())
    });
}

#[test]
fn a_bundle_for_another_node_changes_nothing() {
    let running = Running::start();
    let other = Policy::new(
        "mesh t { mtls off; authz open-by-default }
         gateway inner { listen 9 http; host * { otherwise -> respond 200 } }",
    );
    let bytes = std::fs::read(other.bundle()).expect("it is there");
    running.refuses(&bytes, "has no gateway/edge");
}

#[test]
fn a_port_in_use_keeps_the_old_listeners() {
    let running = Running::start();
    let taken = std::net::TcpListener::bind("[::]:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let other = Policy::new(&policy(port, "elsewhere"));
    let bytes = std::fs::read(other.bundle()).expect("it is there");
    running.refuses(&bytes, "the port is in use");
}

/// Compiler and runtime do not agree: the bundle carries a test of its mesh that it does not pass.
#[test]
fn a_bundle_that_fails_its_own_tests_is_refused() {
    let running = Running::start();
    let text = policy(running.http, "tested");
    let tested = Policy::new(&format!(
        "{text} test \"a\" {{ request GET http://x.example:{}/; expect 200 }}",
        running.http
    ));
    let good = std::fs::read(tested.bundle()).expect("it is there");
    running.refuses(
        &other_status(good.clone()),
        "does not pass its own test “a” (policy.mesh:2): GET x.example/",
    );
    let refused = "mesh_bundles_refused_total{reason=\"failed-test\"}";
    assert_eq!(running.meshd.metric(refused), Some(1));
    running.put(&good);
    wait::until("the bundle that passes", || {
        (running.text() == "tested").then_some(())
    });
    let check = Command::new(binaries::path("meshd"))
        .args(["check", "--node", "gateway/edge", "--bundle"])
        .arg(running.policy.bundle())
        .output();
    let said = check.expect("it can be started").stdout;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("tests     1 request passed\n"), "{said}");
}

/// The bundle, with other statuses expected of its tests.
fn other_status(mut bytes: Vec<u8>) -> Vec<u8> {
    let bundle = Bundle::open(bytes.clone()).expect("it was compiled");
    let mut contents = bundle.contents().iter();
    let entry = contents.find(|it| it.section.get() == Section::Samples.number());
    let (mut fields, entry) = (Section::Samples.fields().iter(), entry.expect("it has one"));
    let status = fields
        .find(|field| field.name == "status")
        .expect("it is said");
    let at = entry.offset.get() as usize + status.offset;
    bytes[at..at + 2].copy_from_slice(&404_u16.to_le_bytes());
    seal(&mut bytes);
    bytes
}

/// `..data` is how Kubernetes replaces the files of a `ConfigMap`.
#[test]
fn a_symlink_swap_is_noticed() {
    let http = ports::free();
    let first = Policy::new(&policy(http, "first"));
    let second = Policy::new(&policy(http, "second"));
    let mount = tempfile::tempdir().expect("there is room");
    let link = |target: &str, name: &str| {
        let staged = mount.path().join(format!("{name}.tmp"));
        std::os::unix::fs::symlink(target, &staged).expect("links can be made");
        std::fs::rename(staged, mount.path().join(name)).expect("it can be put in place");
    };
    for (version, policy) in [("..v1", &first), ("..v2", &second)] {
        std::fs::create_dir(mount.path().join(version)).expect("it is new");
        std::fs::copy(
            policy.bundle(),
            mount.path().join(version).join("policy.bundle"),
        )
        .expect("it can be copied");
    }
    link("..v1", "..data");
    link("..data/policy.bundle", "policy.bundle");
    let bundle = mount.path().join("policy.bundle");
    let meshd = Meshd::serve(&bundle, "gateway/edge", &["--access-log", "off"]);
    let text = || {
        get("/")
            .send_and_wait(local(http))
            .expect("an answer")
            .text()
    };
    assert_eq!(text(), "first");
    link("..v2", "..data");
    wait::until("the other bundle", || (text() == "second").then_some(()));
    drop(meshd);
}

/// Whoever copies onto the file writes it piece by piece.
#[test]
fn a_file_written_in_place_is_taken_when_it_is_whole() {
    use std::io::Write as _;
    let running = Running::start();
    let other = Policy::new(&policy(running.http, "second"));
    let bytes = std::fs::read(other.bundle()).expect("it is there");
    let mut file = std::fs::File::create(running.policy.bundle()).expect("it can be written");
    for piece in bytes.chunks(bytes.len() / 3 + 1) {
        file.write_all(piece).expect("it can be written");
        file.flush().expect("it can be written");
        // What is there is damaged, and meshd has every chance to see it.
        for _ in 0..20 {
            let answer = running.text();
            assert!(answer == "first" || answer == "second", "{answer}");
        }
    }
    drop(file);
    wait::until("the whole file", || {
        (running.text() == "second").then_some(())
    });
    assert_eq!(running.rejected(), 0, "{}", running.meshd.process.errors());
}
