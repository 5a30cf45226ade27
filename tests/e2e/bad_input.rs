//! Files that nobody would write on purpose: each is answered in words, and none keeps `meshc` busy.

use mesh_tests::binaries;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Whatever is asked of `meshc` about a mesh is answered in this time, on a machine that has much else to do.
const DEADLINE: Duration = Duration::from_mins(1);

/// What `meshc` says of the files, and how it ends.
fn meshc(command: &str, files: &[(&str, &[u8])]) -> (String, Option<i32>) {
    let directory = tempfile::tempdir().expect("there is room");
    for (name, bytes) in files {
        std::fs::write(directory.path().join(name), bytes).expect("it can be written");
    }
    run(command, directory.path())
}

fn run(command: &str, directory: &Path) -> (String, Option<i32>) {
    let mut child = Command::new(binaries::path("meshc"))
        .args([command, "--format", "plain"])
        .arg(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started");
    let mut output = child.stdout.take().expect("it is piped");
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).expect("it can be read");
        String::from_utf8(bytes).expect("it is text")
    });
    let began = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        if began.elapsed() > DEADLINE {
            child.kill().expect("it is ours");
            panic!("{command} took longer than {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = child.wait().expect("it is ours");
    (reader.join().expect("it ends"), status.code())
}

const MESH: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n";

#[test]
fn a_file_that_is_no_text_says_where_it_stops_being_one() {
    let (told, code) = meshc("lint", &[("a.mesh", b"mesh t { }\n# caf\xe9\n")]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("E0110"), "{told}");
    assert!(told.contains("16"), "the byte: {told}");
}

#[test]
fn line_endings_of_all_kinds_and_a_mark_of_byte_order_mean_nothing() {
    let text = format!(
        "\u{feff}{}\r\n\tservice a {{\r\tendpoints 127.0.0.1:1\n\r\n}}",
        MESH.trim_end()
    );
    let (told, code) = meshc("lint", &[("a.mesh", text.as_bytes())]);
    assert_eq!((told.as_str(), code), ("", Some(0)));
}

#[test]
fn a_megabyte_on_one_line_is_read() {
    let mut text = MESH.trim_end().to_owned();
    for number in 0..25_000 {
        let number = number.to_string();
        text.push_str(&["; service s", &number, " { endpoints 127.0.0.1:1 }"].concat());
    }
    assert!(text.len() > 900_000);
    let (told, code) = meshc("lint", &[("a.mesh", text.as_bytes())]);
    assert_eq!((told.as_str(), code), ("", Some(0)));
    // With something wrong in every statement of the line.
    let (told, code) = meshc(
        "lint",
        &[("a.mesh", text.replace(":1 }", ":99999 }").as_bytes())],
    );
    assert_eq!(code, Some(1));
    assert_eq!(told.matches("E0206").count(), 25_000);
}

#[test]
fn blocks_in_blocks_end_at_a_limit() {
    let nested = |before: &str, open: &str, close: &str, behind: &str| {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        format!("{MESH}service a {{ endpoints 127.0.0.1:1; {before}{open}{close}{behind} }}\n")
    };
    for (open, text) in [
        ("{", nested("", "a { ", "} ", "")),
        ("(", nested("route { when ", "(", ")", " -> self }")),
        (
            "[",
            nested("route { when header.x in ", "[", "]", " -> self }"),
        ),
        (
            "not",
            nested("route { when ", "not ", "", "path == /a -> self }"),
        ),
    ] {
        for command in ["lint", "fmt"] {
            let directory = tempfile::tempdir().expect("there is room");
            std::fs::write(directory.path().join("a.mesh"), &text).expect("it can be written");
            let (told, code) = match command {
                "fmt" => {
                    let child = Command::new(binaries::path("meshc"))
                        .args(["fmt", "--check"])
                        .arg(directory.path())
                        .output()
                        .expect("it can be started");
                    (String::new(), child.status.code())
                }
                command => run(command, directory.path()),
            };
            assert_eq!(code, Some(1), "{open}: {command}");
            if command == "lint" {
                assert!(
                    told.contains("E0109"),
                    "{open}: {}",
                    &told[..told.len().min(500)]
                );
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn links_that_lead_around_in_a_circle_are_followed_once() {
    let directory = tempfile::tempdir().expect("there is room");
    std::fs::write(directory.path().join("a.mesh"), MESH).expect("it can be written");
    std::os::unix::fs::symlink(directory.path(), directory.path().join("again"))
        .expect("it can be made");
    let (told, code) = run("lint", directory.path());
    assert_eq!((told.as_str(), code), ("", Some(0)));
}

#[test]
fn every_byte_by_itself_is_answered() {
    for byte in 0..=u8::MAX {
        let (_, code) = meshc("lint", &[("a.mesh", &[byte, b'\n', byte])]);
        assert_eq!(code, Some(1), "{byte}");
    }
}

/// A pipe that nobody writes into.
#[cfg(unix)]
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("it can be started").success());
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_a_file_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().expect("there is room");
    pipe(&directory.path().join("never"));
    let policy = |host: &str| {
        let text = format!(
            "mesh t {{ }}\ngateway edge {{ listen 443 https {{ certificate \"never\" key \"never\" }}; {host} }}\n"
        );
        std::fs::write(directory.path().join("t.mesh"), text).expect("it can be written");
    };
    policy("host a.example { otherwise -> respond 200 file \"never\" }");
    let (told, code) = run("lint", directory.path());
    assert!(
        told.contains("`never` cannot be read: it is no file"),
        "{told}"
    );
    assert_eq!(code, Some(1));
    // A certificate may be on the nodes only.
    policy("host a.example { otherwise -> respond 204 }");
    assert_eq!(run("lint", directory.path()).1, Some(0));
    pipe(&directory.path().join("other.mesh"));
    assert_eq!(run("lint", directory.path()).1, Some(2));
}
