//! Large bodies, and clients that go away.

use mesh_tests::client::get;
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};

/// A gateway before the echo.
struct Running {
    meshd: Meshd,
    http: u16,
    echo: u16,
    _policy: Policy,
    _echo: Process,
}

impl Running {
    fn start() -> Self {
        let (http, echo) = (ports::free(), ports::free());
        let policy = Policy::new(&format!(
            "mesh t {{ mtls off; authz open-by-default; defaults {{ timeout off }} }}
             service echo {{ endpoints 127.0.0.1:{echo} via 127.0.0.1:{echo} }}
             gateway edge {{ listen {http} http; host * {{ otherwise -> echo }} }}"
        ));
        let address = local(echo).to_string();
        let process = Process::start(binaries::path("mesh-demo"), ["echo", "--listen", &address]);
        wait::until("the echo", || TcpStream::connect(local(echo)).ok());
        let meshd = Meshd::start(&policy, "gateway/edge", &["--workers", "1"]);
        Self {
            meshd,
            http,
            echo,
            _policy: policy,
            _echo: process,
        }
    }

    /// Connections that the gateway has to the echo.
    fn upstream_connections(&self) -> usize {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the system tells");
        let (port, established) = (format!(":{:04X}", self.echo), "01");
        let lines = table
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines
            .filter(|fields| fields[2].ends_with(&port) && fields[3] == established)
            .count()
    }
}

const GIBIBYTE: u64 = 1 << 30;
/// What the gateway may grow by while a body passes.
const MEMORY: u64 = 8 << 20;

#[test]
fn a_gibibyte_comes_down_in_constant_memory() {
    let running = Running::start();
    let mut stream = TcpStream::connect(local(running.http)).expect("meshd listens");
    let request = format!("GET /?size={GIBIBYTE} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut buffer = vec![0; 1 << 20];
    let mut received = 0u64;
    let mut before = None;
    let mut most = 0;
    loop {
        let read = stream.read(&mut buffer).expect("the body arrives");
        if read == 0 {
            break;
        }
        received += read as u64;
        // Once a good part has passed, all buffers are as large as they get.
        if received > 64 << 20 {
            let now = running.meshd.process.resident();
            let before = *before.get_or_insert(now);
            most = most.max(now.saturating_sub(before));
        }
    }
    assert!(received > GIBIBYTE, "{received} bytes arrived");
    assert!(most < MEMORY, "the gateway grew by {most} bytes");
}

#[test]
fn a_gibibyte_goes_up_in_constant_memory() {
    let running = Running::start();
    let mut stream = TcpStream::connect(local(running.http)).expect("meshd listens");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: t\r\ncontent-length: {GIBIBYTE}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it is read");
    let piece = vec![b'x'; 1 << 20];
    let mut before = None;
    let mut most = 0;
    for index in 0..GIBIBYTE / piece.len() as u64 {
        stream.write_all(&piece).expect("the body is taken");
        if index > 64 {
            let now = running.meshd.process.resident();
            let before = *before.get_or_insert(now);
            most = most.max(now.saturating_sub(before));
        }
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(&GIBIBYTE.to_string()),
        "the echo saw another length: {answer}"
    );
    assert!(most < MEMORY, "the gateway grew by {most} bytes");
}

#[test]
fn a_client_that_goes_away_while_it_receives_ends_the_upstream_exchange() {
    let running = Running::start();
    let mut stream = TcpStream::connect(local(running.http)).expect("meshd listens");
    stream
        .write_all(b"GET /?size=1073741824 HTTP/1.1\r\nhost: t\r\n\r\n")
        .expect("it is read");
    let mut buffer = [0; 4096];
    assert!(stream.read(&mut buffer).expect("the answer begins") > 0);
    wait::until("the upstream connection", || {
        (running.upstream_connections() == 1).then_some(())
    });
    drop(stream);
    wait::until("the upstream connection to close", || {
        (running.upstream_connections() == 0).then_some(())
    });
    let line = wait::until("a line in the log", || {
        running
            .meshd
            .process
            .output()
            .lines()
            .find(|line| line.contains("\"DC\""))
            .map(str::to_owned)
    });
    assert!(
        line.contains("\"code\":499") || line.contains("\"code\":200"),
        "{line}"
    );
    assert_eq!(
        get("/")
            .send_and_wait(local(running.http))
            .expect("it goes on")
            .status,
        200
    );
}

#[test]
fn a_client_that_goes_away_while_it_sends_ends_the_upstream_exchange() {
    let running = Running::start();
    let mut stream = TcpStream::connect(local(running.http)).expect("meshd listens");
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 1000000\r\n\r\nonly a little")
        .expect("it is read");
    wait::until("the upstream connection", || {
        (running.upstream_connections() == 1).then_some(())
    });
    drop(stream);
    wait::until("the upstream connection to close", || {
        (running.upstream_connections() == 0).then_some(())
    });
    let line = wait::until("a line in the log", || {
        running
            .meshd
            .process
            .output()
            .lines()
            .find(|line| line.contains("\"DC\""))
            .map(str::to_owned)
    });
    assert!(line.contains("\"code\":499"), "{line}");
    assert_eq!(
        get("/")
            .send_and_wait(local(running.http))
            .expect("it goes on")
            .status,
        200
    );
}

#[test]
fn an_upstream_that_is_not_there_is_a_503() {
    let http = ports::free();
    // A port that is taken for UDP only: nobody listens there for TCP.
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    let port = nobody.local_addr().expect("it is bound").port();
    let policy = Policy::new(&format!(
        "mesh t {{ mtls off; authz open-by-default }}
         service gone {{ endpoints 127.0.0.1:{port} via 127.0.0.1:{port} }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> gone {{ timeout 5s }} }} }}"
    ));
    let meshd = Meshd::start(&policy, "gateway/edge", &["--workers", "1"]);
    let answer = get("/").send_and_wait(local(http)).expect("an answer");
    assert_eq!(answer.status, 503);
    let line = wait::until("a line in the log", || {
        meshd.process.output().lines().next().map(str::to_owned)
    });
    assert!(line.contains("\"flags\":\"UF\""), "{line}");
    drop(nobody);
}
