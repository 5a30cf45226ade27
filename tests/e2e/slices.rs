//! Bundles that hold what one node can need.

use mesh_demo::{Server, ServerName, start};
use mesh_tests::client::{get, runtime};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::{binaries, ports, wait};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn run(program: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output: Output = Command::new(binaries::path(program))
        .args(arguments)
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Compiles a policy into slices; returns where they are, and what was said.
fn slices(policy: &Policy) -> (PathBuf, String) {
    let directory = policy.path("slices");
    let mesh = policy.path("mesh");
    let (code, said, errors) = run(
        "meshc",
        &["compile", text(&mesh), "-o", text(&directory), "--slice"],
    );
    assert_eq!(code, Some(0), "{errors}");
    (directory, said)
}

#[test]
fn each_node_is_served_from_its_own_slice() {
    let (http, outbound, application) = (ports::free(), ports::free(), ports::free());
    let (inbound, details) = (ports::free(), ports::free());
    let policy = Policy::new(&format!(
        "mesh t {{ mtls off; authz open-by-default }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> shop }} }}
         service shop {{ endpoints 127.0.0.1:{application} via 127.0.0.1:{inbound}; calls details }}
         service details {{ endpoints 127.0.0.1:{details} via 127.0.0.1:{details}; calls none }}
         service other {{ endpoints 127.0.0.1:1; calls none }}"
    ));
    let server_runtime = runtime();
    let _servers: Vec<_> = [application, details]
        .into_iter()
        .map(|port| {
            let server = Server {
                name: ServerName::parse("details").expect("the demo has it"),
                outbound: None,
            };
            let server = server_runtime.block_on(start(server, local(port)));
            server.expect("the port is free")
        })
        .collect();
    std::thread::spawn(move || server_runtime.block_on(std::future::pending::<()>()));

    let (directory, said) = slices(&policy);
    for node in [
        "gateway/edge",
        "sidecar/shop",
        "sidecar/details",
        "sidecar/other",
    ] {
        let file = directory.join(format!("{node}.bundle"));
        let length = std::fs::metadata(&file).expect("it is there").len();
        let name = text(&file);
        let line = said.lines().find(|line| line.contains(name)).expect(name);
        assert!(line.contains(&format!("{length} bytes")), "{line}");
    }
    assert!(said.contains("\nin all    4 slices, "), "{said}");

    let (edge, shop) = (
        directory.join("gateway/edge.bundle"),
        directory.join("sidecar/shop.bundle"),
    );
    let outbound_text = format!("127.0.0.1:{outbound}");
    let sidecar = Meshd::serve(
        &shop,
        "sidecar/shop",
        &["--access-log", "off", "--outbound", &outbound_text],
    );
    let gateway = Meshd::serve(&edge, "gateway/edge", &["--access-log", "off"]);
    let answer = get("/details/0").send_and_wait(local(http));
    assert_eq!(answer.expect("it is answered").status, 200);
    let ask = |host: &str| {
        let ask = get("/details/0").host(host);
        let answer = ask.send_and_wait(local(outbound)).expect("it is answered");
        answer.status.as_u16()
    };
    assert_eq!(ask("details"), 200);
    assert_eq!(ask("other"), 403);
    assert_eq!(
        gateway.page("/status").json()["bundle"]["slice"],
        "gateway/edge"
    );
    drop(sidecar);

    // Another node's slice is refused: at the start, and in place of the right one.
    let (code, _, errors) = run(
        "meshd",
        &["check", "--bundle", text(&shop), "--node", "gateway/edge"],
    );
    assert_eq!(code, Some(2));
    let sentence = "the bundle is the slice of sidecar/shop, and this is gateway/edge";
    assert!(errors.contains(sentence), "{errors}");
    let served = gateway.bundle();
    std::fs::copy(&shop, policy.path("staged")).expect("it can be copied");
    std::fs::rename(policy.path("staged"), &edge).expect("it can be put in place");
    wait::until("the slice to be refused", || {
        let rejected = gateway.metric("mesh_reloads_total{result=\"rejected\"}");
        rejected.filter(|&count| count > 0)
    });
    assert!(gateway.page("/status").text().contains(sentence));
    assert_eq!(gateway.bundle(), served);
    // The whole mesh is as good as a slice.
    policy.compile_to(&edge);
    wait::until("the whole", || (gateway.bundle() != served).then_some(()));
}

/// A thousand services, each of which calls five others.
fn thousand(inbound: u16) -> String {
    let mut text = "mesh big { mtls off; authz open-by-default }\n".to_owned();
    for index in 0..1000 {
        let (a, b) = (index / 250, index % 250);
        let _ = writeln!(
            text,
            "service s{index} {{
               version v1 {{ endpoints 10.{a}.{b}.1:8080, 10.{a}.{b}.2:8080, 127.0.0.1:9001 via 127.0.0.1:{inbound} }}
               version v2 {{ endpoints 10.{a}.{b}.3:8080 }}
               timeout 5s
               calls s{}, s{}, s{}, s{}, s{}
               route {{
                 when header.end-user == \"jason\" -> v2
                 POST, PUT /api/**                 -> v1 {{ timeout 2s }}
                 GET /api/orders/{{id}}            -> v1
                 otherwise                         -> split 10% v2, rest v1
               }}
             }}",
            (index + 1) % 1000,
            (index + 7) % 1000,
            (index + 31) % 1000,
            (index + 127) % 1000,
            (index + 511) % 1000,
        );
    }
    text
}

#[test]
fn of_a_thousand_services_a_sidecar_holds_a_little() {
    let inbound = ports::free();
    let policy = Policy::new(&thousand(inbound));
    let (directory, _) = slices(&policy);
    let mut lengths: Vec<u64> = std::fs::read_dir(directory.join("sidecar"))
        .expect("it is there")
        .map(|entry| {
            entry
                .expect("it can be read")
                .metadata()
                .expect("it is a file")
                .len()
        })
        .collect();
    lengths.sort_unstable();
    assert_eq!(lengths.len(), 1000);
    assert!(lengths[500] < 64 << 10, "{lengths:?}");

    let small = Policy::new(&format!(
        "mesh big {{ mtls off; authz open-by-default }}
         service s0 {{ endpoints 127.0.0.1:9001 via 127.0.0.1:{inbound}; calls none }}"
    ));
    let resident = |bundle: &Path| {
        let meshd = Meshd::serve(
            bundle,
            "sidecar/s0",
            &["--access-log", "off", "--endpoint", "127.0.0.1:9001"],
        );
        meshd.process.resident()
    };
    let (without, with) = (
        resident(&small.bundle()),
        resident(&directory.join("sidecar/s0.bundle")),
    );
    let growth = with.saturating_sub(without);
    assert!(growth < 1 << 20, "{growth} bytes");
}
