//! Real clients of other people: curl, nghttp, h2load.
//!
//! A test whose tool is not installed is reported as ignored, by the tool's name, never as passed.

use libtest_mimic::{Arguments, Failed, Trial};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let trials = vec![
        trial("curl", "http_1_and_2_over_tls", curl_speaks_both_versions),
        trial(
            "curl",
            "redirects_are_followed_to_https",
            curl_follows_to_https,
        ),
        trial(
            "nghttp",
            "prior_knowledge_and_trailers",
            nghttp_sees_trailers,
        ),
        trial("h2load", "ten_thousand_streams", h2load_is_served),
        alone("dot", "graphs_of_examples", dot_draws_graphs),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that needs a tool and a gateway.
fn trial(tool: &'static str, name: &str, run: fn(&Running)) -> Trial {
    alone(tool, name, move || run(&Running::start()))
}

/// A test that needs a tool.
fn alone(tool: &'static str, name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    let installed = Command::new(tool).arg("--version").output().is_ok();
    let run = move || -> Result<(), Failed> {
        run();
        Ok(())
    };
    Trial::test(name, run)
        .with_kind(tool)
        .with_ignored_flag(!installed)
}

/// A gateway with TLS before the echo.
struct Running {
    http: u16,
    https: u16,
    redirect: u16,
    policy: Policy,
    _meshd: Meshd,
    _echo: Process,
}

impl Running {
    fn start() -> Self {
        let [http, https, redirect, echo] = [(); 4].map(|()| ports::free());
        let policy = Policy::new(&format!(
            "mesh t {{ mtls off; authz open-by-default }}
             service echo {{ endpoints 127.0.0.1:{echo} via 127.0.0.1:{echo}; protocol http2 }}
             gateway edge {{
               listen {http} http {{ http2 }}
               listen {redirect} http {{ redirect https }}
               listen {https} https {{ certificate \"t.crt\" key \"t.key\"; http2 }}
               host localhost {{ otherwise -> echo }}
             }}"
        ));
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let certified = certified.expect("a certificate can be made");
        let write = |name, text: String| {
            std::fs::write(policy.path(name), text).expect("it can be written");
        };
        write("t.crt", certified.cert.pem());
        write("t.key", certified.signing_key.serialize_pem());
        let address = local(echo).to_string();
        let process = Process::start(binaries::path("mesh-demo"), ["echo", "--listen", &address]);
        wait::until("the echo", || TcpStream::connect(local(echo)).ok());
        let meshd = Meshd::start(&policy, "gateway/edge", &["--access-log", "off"]);
        Self {
            http,
            https,
            redirect,
            policy,
            _meshd: meshd,
            _echo: process,
        }
    }

    fn curl(&self, arguments: &[&str]) -> String {
        let certificate = self.policy.path("t.crt");
        let certificate = certificate.to_str().expect("a plain path");
        let mut all = vec!["-sS", "--max-time", "20", "--cacert", certificate];
        all.extend(arguments);
        run("curl", &all)
    }
}

/// What a tool prints; it must succeed.
fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .expect("it is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {text}{errors}"
    );
    text
}

fn curl_speaks_both_versions(running: &Running) {
    let url = format!("https://localhost:{}/a/../b?q=1", running.https);
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let answer = running.curl(&[flag, "--path-as-is", "-w", "\n%{http_version}", &url]);
        let (body, spoken) = answer.rsplit_once('\n').expect("two parts");
        assert_eq!(spoken, version);
        let seen: serde_json::Value = serde_json::from_str(body).expect("the echo speaks JSON");
        assert_eq!(
            seen["path"], "/b?q=1",
            "what is forwarded is what was matched"
        );
        let header = |name: &str| {
            let headers = seen["headers"].as_array().expect("a list");
            headers
                .iter()
                .find(|header| header[0] == name)
                .map(|header| header[1].clone())
        };
        assert_eq!(header("x-forwarded-proto"), Some("https".into()), "{seen}");
        assert_eq!(
            header("x-forwarded-for"),
            Some("127.0.0.1".into()),
            "{seen}"
        );
        assert!(header("x-request-id").is_some(), "{seen}");
    }
}

fn curl_follows_to_https(running: &Running) {
    let url = format!("http://localhost:{}/x?y=z", running.redirect);
    let answer = running.curl(&["-L", "-w", "\n%{num_redirects} %{url_effective}", &url]);
    let (_, line) = answer.rsplit_once('\n').expect("two parts");
    assert_eq!(line, format!("1 https://localhost:{}/x?y=z", running.https));
}

fn nghttp_sees_trailers(running: &Running) {
    let url = format!("http://localhost:{}/?trailer=1", running.http);
    let output = run("nghttp", &["-v", "--header=te: trailers", &url]);
    assert!(output.contains("x-checksum: "), "{output}");
    assert!(output.contains(":status: 200"), "{output}");
}

fn h2load_is_served(running: &Running) {
    let url = format!("https://localhost:{}/", running.https);
    let output = run("h2load", &["-n", "10000", "-c", "8", "-m", "32", &url]);
    assert!(
        output.contains("10000 succeeded, 0 failed, 0 errored"),
        "{output}"
    );
}

fn dot_draws_graphs() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let meshc = binaries::path("meshc");
    let meshc = meshc.to_str().expect("a plain path");
    for name in ["bookinfo", "multi-tenant", "tcp-database", "zero-trust"] {
        let example = examples.join(name);
        let example = example.to_str().expect("a plain path");
        let directory = tempfile::tempdir().expect("there is room for files");
        let file = directory.path().join("mesh.dot");
        let file = file.to_str().expect("a plain path");
        run(meshc, &["graph", example, "--exposure", "-o", file]);
        let picture = run("dot", &["-Tsvg", file]);
        assert!(picture.contains("</svg>"), "{name}");
        assert!(picture.contains("internet"), "{name}");
    }
}
