//! The two proxies and the origin behind them.

use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::fmt::Write as _;
use std::net::TcpStream;
use std::process::Command;
use tempfile::TempDir;

/// The core of the proxies.
const PROXY_CORE: &str = "0";
/// The core of everything else.
pub(crate) const LOAD_CORE: &str = "1";

/// What a proxy routes.
pub(crate) enum Table {
    /// Everything to the origin.
    One,
    /// So many prefixes, `/r00042/`, each to the origin.
    Paths(usize),
}

/// nginx again: it answers 2 bytes or 64 KiB, whatever the path.
pub(crate) struct Origin {
    pub(crate) port: u16,
    _process: Process,
    _directory: TempDir,
}

impl Origin {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("large"), vec![b'x'; 64 << 10]).unwrap();
        let port = ports::free();
        let http = format!(
            "keepalive_requests 1000000000;
             server {{
               listen 127.0.0.1:{port};
               location / {{ return 200 ok; }}
               location = /large {{ root {}; }}
             }}",
            directory.path().display()
        );
        let process = nginx(&directory, &http, LOAD_CORE);
        await_port(port);
        Self {
            port,
            _process: process,
            _directory: directory,
        }
    }
}

/// A proxy that runs.
pub(crate) struct Proxy {
    pub(crate) http: u16,
    pub(crate) https: u16,
    process: Process,
    _files: (Option<Policy>, Option<TempDir>),
}

impl Proxy {
    /// The process under measurement.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its resident memory, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        self.process.resident() >> 10
    }

    pub(crate) fn meshd(table: &Table, origin: &Origin) -> Self {
        let (http, https, admin) = (ports::free(), ports::free(), ports::free());
        let mut arms = String::new();
        match table {
            Table::One => arms.push_str("otherwise -> origin"),
            Table::Paths(count) => {
                for route in 0..*count {
                    writeln!(arms, "/r{route:05}/** -> origin").unwrap();
                }
            }
        }
        // The origin stands for the application behind its sidecar: one hop is measured.
        let policy = Policy::new(&format!(
            "mesh bench {{ mtls off; authz open-by-default }}
             service origin {{ endpoints 127.0.0.1:{0} via 127.0.0.1:{0} }}
             gateway edge {{
               listen {http} http
               listen {https} https {{ certificate \"cert.pem\" key \"key.pem\"; http2 }}
               host * {{
                 {arms}
               }}
             }}",
            origin.port
        ));
        certificate(&policy.path(""));
        let process = Process::run(
            Command::new("taskset")
                .args(["-c", PROXY_CORE])
                .arg(binaries::path("meshd"))
                .arg("run")
                .arg("--bundle")
                .arg(policy.bundle())
                .args([
                    "--node",
                    "gateway/edge",
                    "--workers",
                    "1",
                    "--access-log",
                    "off",
                ])
                .args(["--admin", &format!("127.0.0.1:{admin}")]),
        );
        await_port(http);
        await_port(https);
        Self {
            http,
            https,
            process,
            _files: (Some(policy), None),
        }
    }

    pub(crate) fn nginx(table: &Table, origin: &Origin) -> Self {
        let directory = tempfile::tempdir().unwrap();
        certificate(directory.path());
        let (http, https) = (ports::free(), ports::free());
        let mut locations = String::new();
        match table {
            Table::One => locations.push_str("location / { proxy_pass http://origin; }"),
            Table::Paths(count) => {
                for route in 0..*count {
                    writeln!(
                        locations,
                        "location /r{route:05}/ {{ proxy_pass http://origin; }}"
                    )
                    .unwrap();
                }
            }
        }
        let path = directory.path().display();
        let settings = format!(
            "keepalive_requests 1000000000;
             upstream origin {{ server 127.0.0.1:{}; keepalive 512; keepalive_requests 1000000000; }}
             proxy_http_version 1.1;
             proxy_set_header Connection \"\";
             proxy_buffers 16 16k;
             ssl_certificate {path}/cert.pem;
             ssl_certificate_key {path}/key.pem;
             server {{
               listen 127.0.0.1:{http};
               listen 127.0.0.1:{https} ssl http2;
               {locations}
             }}",
            origin.port
        );
        let process = nginx(&directory, &settings, PROXY_CORE);
        await_port(http);
        await_port(https);
        Self {
            http,
            https,
            process,
            _files: (None, Some(directory)),
        }
    }
}

fn nginx(directory: &TempDir, http: &str, core: &str) -> Process {
    let path = directory.path().display();
    let configuration = format!(
        "daemon off;
         master_process off;
         pid {path}/nginx.pid;
         error_log {path}/error.log crit;
         worker_rlimit_nofile 20000;
         events {{ worker_connections 8192; }}
         http {{
           access_log off;
           client_body_temp_path {path}/t1; proxy_temp_path {path}/t2; fastcgi_temp_path {path}/t3;
           uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;
           {http}
         }}"
    );
    let file = directory.path().join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    Process::run(
        Command::new("taskset")
            .args(["-c", core, "nginx", "-e"])
            .arg(directory.path().join("error.log"))
            .arg("-c")
            .arg(file)
            .arg("-p")
            .arg(directory.path()),
    )
}

/// A certificate for both, ECDSA on P-256.
fn certificate(directory: &std::path::Path) {
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .arg("-keyout")
        .arg(directory.join("key.pem"))
        .arg("-out")
        .arg(directory.join("cert.pem"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn await_port(port: u16) {
    wait::until("a port to be open", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
}
