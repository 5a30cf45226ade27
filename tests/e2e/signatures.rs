//! Signed bundles, and nodes that take no others.

use mesh_tests::client::get;
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::{binaries, ports, wait};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

fn policy(mesh: &str, http: u16, text: &str) -> String {
    format!(
        "mesh {mesh} {{ mtls off; authz open-by-default }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> respond 200 \"{text}\" }} }}"
    )
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(binaries::path(program))
        .args(arguments)
        .output()
        .expect("it can be started")
}

/// Runs `meshc` to its good end; returns what it said.
fn meshc(arguments: &[&str]) -> String {
    let output = run("meshc", arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Keys, bundles, and a place for a node to follow.
struct Publisher {
    home: TempDir,
    http: u16,
}

impl Publisher {
    /// With a pair of keys of each name.
    fn new(keys: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("there is room");
        for key in keys {
            meshc(&["keygen", text(&home.path().join(key))]);
        }
        let http = ports::free();
        Self { home, http }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the node follows.
    fn place(&self) -> PathBuf {
        self.path("served.bundle")
    }

    /// A bundle of a mesh whose gateway answers with `text`, not signed.
    fn bundle(&self, mesh: &str, text: &str) -> PathBuf {
        let policy = Policy::new(&policy(mesh, self.http, text));
        let bundle = self.path(&format!("{text}.bundle"));
        policy.compile_to(&bundle);
        bundle
    }

    /// A bundle that is signed with a key, on these terms.
    fn signed(&self, answer: &str, key: &str, terms: &[&str]) -> PathBuf {
        let bundle = self.bundle("t", answer);
        self.sign(&bundle, key, terms);
        bundle
    }

    fn sign(&self, bundle: &Path, key: &str, terms: &[&str]) {
        let key = self.path(&format!("{key}.key"));
        let mut arguments = vec!["sign", text(bundle), "--key", text(&key)];
        arguments.extend(terms);
        meshc(&arguments);
    }

    fn put(&self, bundle: &Path) {
        let staged = self.path("staged");
        std::fs::copy(bundle, &staged).expect("it can be copied");
        std::fs::rename(staged, self.place()).expect("it can be put in place");
    }

    /// A node that trusts these keys.
    fn node(&self, trusted: &[&str]) -> Meshd {
        let keys: Vec<_> = trusted
            .iter()
            .map(|key| self.path(&format!("{key}.pub")))
            .collect();
        let state = self.path("state");
        let mut arguments = vec!["--access-log", "off", "--state", text(&state), "--trust"];
        arguments.extend(keys.iter().map(|key| text(key)));
        Meshd::serve(&self.place(), "gateway/edge", &arguments)
    }

    fn answer(&self) -> String {
        get("/")
            .send_and_wait(local(self.http))
            .expect("traffic goes on")
            .text()
    }

    fn comes_to_say(&self, text: &str) {
        wait::until("the new bundle", || (self.answer() == text).then_some(()));
    }

    /// Puts a bundle in place that must be refused for this reason; what was served before still is.
    fn refused(&self, meshd: &Meshd, bundle: &Path, reason: &str, sentence: &str) {
        let (before, answer) = (meshd.bundle(), self.answer());
        let metric = format!("mesh_bundles_refused_total{{reason=\"{reason}\"}}");
        let count = || meshd.metric(&metric).unwrap_or_default();
        let counted = count();
        self.put(bundle);
        wait::until("the bundle to be refused", || {
            assert_eq!(self.answer(), answer);
            (count() > counted).then_some(())
        });
        assert_eq!(meshd.bundle(), before);
        let errors = wait::until("a line about it", || {
            let errors = meshd.process.errors();
            errors.contains(sentence).then_some(errors)
        });
        assert!(
            errors.contains(&format!("meshd: kept bundle {before}")),
            "{errors}"
        );
        let status = meshd.page("/status").text();
        assert!(status.contains(sentence), "{status}");
        assert_eq!(meshd.page("/ready").status, 200);
    }
}

/// A moment so many seconds from now, as `date` writes it.
fn in_seconds(seconds: u64) -> String {
    let moment = SystemTime::now() + Duration::from_secs(seconds);
    let passed = moment.duration_since(UNIX_EPOCH).expect("it is after 1970");
    let output = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d"])
        .arg(format!("@{}", passed.as_secs()))
        .output()
        .expect("there is a date");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn only_what_trusted_keys_vouch_for_comes_in() {
    let publisher = Publisher::new(&["ours", "theirs"]);
    let first = publisher.signed("first", "ours", &["--sequence", "10"]);
    publisher.put(&first);
    let meshd = publisher.node(&["ours"]);
    assert_eq!(publisher.answer(), "first");
    let refused =
        |bundle: &Path, reason, sentence| publisher.refused(&meshd, bundle, reason, sentence);

    let unsigned = publisher.bundle("t", "unsigned");
    refused(
        &unsigned,
        "unsigned",
        "is not signed, and only bundles signed by key",
    );
    let others = publisher.signed("others", "theirs", &["--sequence", "11"]);
    refused(&others, "unknown-key", "is signed by key");
    // A signature that was made for another content.
    let good = std::fs::read(&first).expect("it is there");
    let content = std::fs::read(&unsigned).expect("it is there");
    let mut forged = content.clone();
    let signatures = &good[first_content_length(&good)..];
    forged.extend_from_slice(signatures);
    let total = forged.len() as u64;
    forged[24..32].copy_from_slice(&total.to_le_bytes());
    let forgery = publisher.path("forged.bundle");
    std::fs::write(&forgery, forged).expect("it can be written");
    refused(&forgery, "wrong-signature", "although it says so");
    let expired = publisher.signed(
        "expired",
        "ours",
        &[
            "--sequence",
            "11",
            "--valid-from",
            "2020-01-01",
            "--valid-for",
            "30d",
        ],
    );
    refused(
        &expired,
        "expired",
        "is not valid any more since 2020-01-31T00:00:00Z",
    );
    let older = publisher.signed("older", "ours", &["--sequence", "9"]);
    refused(
        &older,
        "rolled-back",
        "its sequence number is 9, and 10 was served already",
    );
    let same = publisher.signed("same", "ours", &["--sequence", "10"]);
    refused(
        &same,
        "rolled-back",
        "has the sequence number of the bundle in force, 10",
    );
    let foreign = publisher.bundle("elsewhere", "foreign");
    publisher.sign(&foreign, "ours", &["--sequence", "11"]);
    refused(
        &foreign,
        "foreign",
        "is of mesh elsewhere, and this node belongs to mesh t",
    );

    // And a good one comes in.
    publisher.put(&publisher.signed(
        "second",
        "ours",
        &["--sequence", "11", "--valid-for", "12h"],
    ));
    publisher.comes_to_say("second");
    wait::until("the number of the new bundle", || {
        meshd
            .metric("mesh_bundle_sequence")
            .filter(|number| *number == 11)
    });
    let status = meshd.page("/status").json();
    assert_eq!(status["bundle"]["signature"]["sequence"], 11);
    assert!(status["bundle"]["signature"]["valid_until"].is_string());
}

/// Where the signatures of a bundle begin.
fn first_content_length(bundle: &[u8]) -> usize {
    let length = bundle[16..24].try_into().expect("a header is longer");
    usize::try_from(u64::from_le_bytes(length)).expect("it is small")
}

#[test]
fn a_bundle_waits_for_its_time() {
    let publisher = Publisher::new(&["ours"]);
    publisher.put(&publisher.signed("first", "ours", &["--sequence", "1"]));
    let meshd = publisher.node(&["ours"]);
    let soon = in_seconds(3);
    let next = publisher.signed("next", "ours", &["--sequence", "2", "--valid-from", &soon]);
    publisher.refused(
        &meshd,
        &next,
        "early",
        &format!("is not valid before {soon}"),
    );
    publisher.comes_to_say("next");
}

#[test]
fn what_was_served_is_known_after_a_restart() {
    let publisher = Publisher::new(&["ours"]);
    let first = publisher.signed("first", "ours", &["--sequence", "1"]);
    publisher.put(&first);
    let meshd = publisher.node(&["ours"]);
    publisher.put(&publisher.signed("second", "ours", &["--sequence", "2"]));
    publisher.comes_to_say("second");
    wait::until("what is served to be remembered", || {
        let state = std::fs::read_to_string(publisher.path("state")).ok()?;
        state.contains("\"sequence\":2").then_some(())
    });
    drop(meshd);
    publisher.put(&first);
    let (state, key) = (publisher.path("state"), publisher.path("ours.pub"));
    let place = publisher.place();
    let output = run(
        "meshd",
        &[
            "check",
            "--node",
            "gateway/edge",
            "--bundle",
            text(&place),
            "--state",
            text(&state),
            "--trust",
            text(&key),
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("its sequence number is 1, and 2 was served already"),
        "{errors}"
    );
}

/// Trust both, sign with the new one, trust the new one alone.
#[test]
fn keys_are_replaced_one_at_a_time() {
    let publisher = Publisher::new(&["old", "new"]);
    publisher.put(&publisher.signed("first", "old", &[]));
    let meshd = publisher.node(&["old", "new"]);
    assert_eq!(publisher.answer(), "first");
    publisher.put(&publisher.signed("second", "new", &[]));
    publisher.comes_to_say("second");
    drop(meshd);
    let meshd = publisher.node(&["new"]);
    let late = publisher.signed("late", "old", &[]);
    publisher.refused(&meshd, &late, "unknown-key", "is signed by key");
    // Signed by both, it is good for those who know either.
    publisher.sign(&late, "new", &[]);
    publisher.put(&late);
    publisher.comes_to_say("late");
}

#[test]
fn a_node_does_not_start_from_what_it_does_not_trust() {
    let publisher = Publisher::new(&["ours"]);
    let bundle = publisher.bundle("t", "unsigned");
    let key = publisher.path("ours.pub");
    let check = |extra: &[&str]| {
        let mut arguments = vec!["check", "--node", "gateway/edge", "--bundle", text(&bundle)];
        arguments.extend(extra);
        let output = run("meshd", &arguments);
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let (code, said) = check(&["--trust", text(&key)]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("is not signed, and only bundles signed by key"),
        "{said}"
    );
    // A private key is no key to trust, and is not to lie about.
    let private = publisher.path("ours.key");
    let (code, said) = check(&["--trust", text(&private)]);
    assert_eq!(code, Some(2));
    assert!(said.contains("holds a private key"), "{said}");
    let (code, said) = check(&["--state", "/nowhere"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("without --trust none are looked at"),
        "{said}"
    );
    publisher.sign(&bundle, "ours", &["--sequence", "7"]);
    let (code, said) = check(&["--trust", text(&key)]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("sequence 7\n"), "{said}");
}

#[test]
fn compiling_and_signing_is_one_command() {
    let publisher = Publisher::new(&["ours"]);
    let policy = Policy::new(&policy("t", publisher.http, "at once"));
    let key = publisher.path("ours.key");
    let place = publisher.place();
    let said = meshc(&[
        "compile",
        text(&policy.path("mesh")),
        "-o",
        text(&place),
        "--sign",
        text(&key),
        "--valid-for",
        "1d",
    ]);
    assert!(said.contains("\nby        key "), "{said}");
    assert!(said.contains(", valid until "), "{said}");
    let meshd = publisher.node(&["ours"]);
    assert_eq!(publisher.answer(), "at once");
    drop(meshd);
    let output = run("meshc", &["compile", ".", "--valid-for", "1d"]);
    assert_eq!(output.status.code(), Some(2), "terms of no signature");
}

#[cfg(unix)]
#[test]
fn private_keys_are_private_and_never_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let publisher = Publisher::new(&["ours"]);
    let private = publisher.path("ours.key");
    let mode = std::fs::metadata(&private)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&private).expect("it is there");
    let name = publisher.path("ours");
    let output = run("meshc", &["keygen", text(&name)]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("ours.key is there already"), "{errors}");
    assert_eq!(std::fs::read(&private).expect("it is there"), before);
    let public = meshc(&["keygen", "--public-of", text(&private)]);
    assert_eq!(
        std::fs::read_to_string(publisher.path("ours.pub")).expect("it is there"),
        public
    );
}
