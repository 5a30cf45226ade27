//! The program: what it prints, how it serves, and its exit status.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};

use crate::client::get;
use crate::{LOCAL, run};

fn mesh_demo(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh-demo"));
    command
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn output(arguments: &str) -> Output {
    mesh_demo(arguments).output().expect("the program runs")
}

/// A program that is killed when a test ends early.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    for (signal, name) in [("TERM", "reviews.v2"), ("INT", "ratings")] {
        let child = mesh_demo(&format!("{name} --listen 127.0.0.1:0")).spawn();
        let mut running = Running(child.expect("the program runs"));
        let mut stdout = BufReader::new(running.0.stdout.take().expect("its output"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let (head, address) = line.split_once("http://").expect("an address");
        assert_eq!(head, format!("{name} listens on "));
        let (address, _) = address
            .split_once([',', '\n'])
            .expect("an end of the address");
        assert_eq!(
            line.contains("cannot call ratings"),
            name == "reviews.v2",
            "{line}"
        );

        let address = address.parse().expect("an address");
        run(async move {
            assert_eq!(get(address, "/health").await.status, 200);
        });

        let kill = Command::new("kill")
            .args([format!("-{signal}"), running.0.id().to_string()])
            .status();
        assert!(kill.expect("kill runs").success());
        assert_eq!(running.0.wait().expect("an end").code(), Some(0));
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).expect("the rest");
        assert_eq!(rest, "");
    }
}

#[test]
fn an_address_in_use_is_said_in_a_sentence() {
    let listener = std::net::TcpListener::bind(LOCAL).expect("a free port");
    let address = listener.local_addr().expect("its address");
    let output = output(&format!("details --listen {address}"));
    assert_eq!(output.status.code(), Some(2));
    let expected = format!("mesh-demo: {address} is in use: another program listens there\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert!(output.stdout.is_empty());
}

#[test]
fn help_is_help_and_the_rest_is_two() {
    let help = output("--help");
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for name in mesh_demo::ServerName::all() {
        assert!(text.contains(&format!("\n  {name} ")), "{name} in {text}");
    }
    for arguments in [
        "",
        "nobody --listen 127.0.0.1:0",
        "details",
        "details --listen here",
    ] {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(output.stdout.is_empty());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            text.starts_with("mesh-demo: ") && text.lines().count() == 1,
            "{text}"
        );
    }
}
