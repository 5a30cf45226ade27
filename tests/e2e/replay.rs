//! `meshc replay`: what `meshd` logs, put before a policy that is about to replace the one it served.

use mesh_tests::client::{Ask, get};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::{binaries, ports, wait};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// A shop like that of the bookinfo example: who says to be a tester, or is of a cohort, sees version 2. Nobody is
/// at its endpoints: where requests are sent is what is asked.
fn policy(port: u16, route: &str) -> String {
    format!(
        "mesh shop {{ mtls off; authz open-by-default }}
gateway edge {{
  listen {port} http
  host shop.example {{
    GET /books/** -> reviews
    /health       -> respond 200
    otherwise     -> respond 404
  }}
}}
service reviews {{
  version v1 {{ endpoints 127.0.0.1:1 via 127.0.0.1:1 }}
  version v2 {{ endpoints 127.0.0.1:2 via 127.0.0.1:2 }}
  route {{
{route}
  }}
}}
"
    )
}

const OLD: &str = "    when header.end-user == \"jason\"  -> v2
    when cookie.cohort starts-with \"b\" -> v2
    otherwise                         -> v1";
const NEW: &str = "    when header.end-user in [\"jason\", \"ann\"] -> v1
    when cookie.cohort starts-with \"b\" -> v2
    when query.beta == \"1\"             -> v2
    otherwise                         -> v1";

/// The exit code of `meshc replay`, and what it prints.
fn replay(arguments: &[&Path], more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binaries::path("meshc"));
    command.args(["--color", "never", "replay"]);
    command.args(arguments).args(more);
    let output = command.output().expect("meshc can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "", "{arguments:?} {more:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

fn json(arguments: &[&Path], more: &[&str]) -> Value {
    let (_, text) = replay(arguments, &[more, &["--format", "json"]].concat());
    serde_json::from_str(&text).expect("a JSON document")
}

#[test]
fn a_changed_policy_is_asked_about_what_was_served() {
    let port = ports::free();
    let old = Policy::new(&policy(port, OLD));
    let new = Policy::new(&policy(port, NEW));
    let (log, key) = (old.path("access.log"), old.path("log.secret"));
    std::fs::write(&key, "thirty-two bytes that nobody has\n").expect("it can be written");
    let text = |path: &Path| path.display().to_string();
    let arguments = [
        "--workers",
        "1",
        "--access-log",
        &text(&log),
        "--log-key",
        &text(&key),
    ];
    let meshd = Meshd::start(&old, "gateway/edge", &arguments);

    let books = |ask: Ask| ask.host("shop.example");
    let asks = [
        books(get("/books/1")),
        books(get("/books/1?beta=1")),
        books(get("/books/1")).header("end-user", "jason"),
        books(get("/books/1")).header("end-user", "ann"),
        books(get("/books/1")).header("end-user", "eve"),
        books(get("/books/1")).header("cookie", "cohort=blue-hidden; session=s3cret"),
        books(get("/health")),
        books(get("/nowhere")),
    ];
    for ask in &asks {
        ask.clone()
            .send_and_wait(local(port))
            .expect("the gateway answers");
    }
    let lines = wait::until("the lines of the log", || {
        let text = std::fs::read_to_string(&log).ok()?;
        (text.lines().count() == asks.len()).then_some(text)
    });
    drop(meshd);
    for secret in ["ann", "eve", "blue-hidden", "s3cret", "thirty-two"] {
        assert!(!lines.contains(secret), "{secret}: {lines}");
    }
    assert!(lines.contains("\"header.end-user\":\"jason\""), "{lines}");

    // Nothing but the log: who was `jason` goes elsewhere. What is hidden (a cohort) or was not asked (`beta`) is
    // unknown, but where it makes no difference.
    let (log, mesh) = (log.as_path(), new.path("mesh"));
    let counts = |more: &[&str]| json(&[log, &mesh], more)["counts"].clone();
    let by_log = counts(&[]);
    assert_eq!(
        (&by_log["changed"], &by_log["same"]),
        (&1.into(), &2.into()),
        "{by_log}"
    );
    assert_eq!(by_log["unknown"], 5, "{by_log}");

    // With the old policy too: what the log says of it tells of which cohort each request is. Of the bundle it is told
    // as much as of the mesh.
    let old_mesh = text(&old.path("mesh"));
    let by_old = counts(&["--old", &old_mesh]);
    assert_eq!(
        (&by_old["changed"], &by_old["same"]),
        (&1.into(), &3.into()),
        "{by_old}"
    );
    assert_eq!(
        json(&[log, &new.bundle()], &["--old", &old_mesh])["counts"],
        by_old
    );

    // The same policy changes nothing, whatever the log hides.
    let same = json(&[log, &old.path("mesh")], &["--old", &old_mesh]);
    assert_eq!(same["counts"]["same"], asks.len(), "{same}");

    // With the key it is seen who `ann` is not.
    let (code, told) = replay(
        &[log, &mesh],
        &["--log-key", &text(&key), "--fail-on", "changed"],
    );
    assert_eq!(code, Some(1));
    let example = "changed  1  reviews.v2 → reviews.v1\n  e.g. line 3: GET http://shop.example/books/1, 503 by policy.mesh:";
    assert!(told.contains(example), "{told}");
    assert!(
        told.contains("reviews.v2, if query.beta is \"1\""),
        "{told}"
    );

    // From standard input.
    let output = Command::new(binaries::path("meshc"))
        .args(["replay", "-"])
        .arg(&mesh)
        .args(["--format", "json"])
        .stdin(Stdio::from(File::open(log).expect("it was written")))
        .output()
        .expect("meshc can be started");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a JSON document");
    assert_eq!(document["counts"], by_log);
}

#[test]
fn what_came_twice_is_refused_by_rules_that_are_about_to_test_it() {
    let port = ports::free();
    let old = Policy::new(&policy(port, OLD));
    let ruled = policy(port, OLD).replace(
        "    GET /books/** -> reviews",
        "    authz { deny anyone when header.end-user == \"eve\"; allow anyone }\n    GET /books/** -> reviews",
    );
    let new = Policy::new(&ruled);
    let log = old.path("access.log");
    let arguments = ["--workers", "1", "--access-log", &log.display().to_string()];
    let meshd = Meshd::start(&old, "gateway/edge", &arguments);
    let books = || get("/books/1").host("shop.example");
    let asks = [
        books().header("end-user", "jason"),
        books()
            .header("end-user", "jason")
            .header("end-user", "jason"),
    ];
    for ask in &asks {
        ask.clone()
            .send_and_wait(local(port))
            .expect("the gateway answers");
    }
    wait::until("the lines of the log", || {
        let text = std::fs::read_to_string(&log).ok()?;
        (text.lines().count() == asks.len()).then_some(())
    });
    drop(meshd);
    let told = json(&[&log, &new.path("mesh")], &[]);
    assert_eq!(told["counts"]["same"], 1, "{told}");
    assert_eq!(told["counts"]["changed"], 1, "{told}");
    let group = &told["groups"][0];
    assert_eq!(group["becomes"][0]["outcome"], "400", "{told}");
    assert_eq!(group["example"]["line"], 2, "{told}");
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let policy = Policy::new(&policy(ports::free(), NEW));
    let run = |log: &Path, more: &[&str]| {
        let mut command = Command::new(binaries::path("meshc"));
        command
            .arg("replay")
            .arg(log)
            .arg(policy.path("mesh"))
            .args(more);
        let output = command.output().expect("meshc can be started");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), errors)
    };
    let (code, errors) = run(&policy.path("none.log"), &[]);
    assert!(
        code == Some(2) && errors.contains("none.log cannot be read"),
        "{errors}"
    );
    let other = policy.path("mesh/policy.mesh");
    let (code, errors) = run(&other, &[]);
    assert!(
        code == Some(2) && errors.contains("is no access log of meshd"),
        "{errors}"
    );
    let short = policy.path("short");
    std::fs::write(&short, "short").expect("it can be written");
    let (code, errors) = run(&other, &["--log-key", &short.display().to_string()]);
    assert!(
        code == Some(2) && errors.contains("less than 32 bytes"),
        "{errors}"
    );
    let empty = policy.path("empty.log");
    std::fs::write(&empty, "").expect("it can be written");
    assert_eq!(
        run(&empty, &["--fail-on", "changed,unknown,split"]),
        (Some(0), String::new())
    );
}
