//! A bundle is replaced under load, again and again, and nobody notices.

use mesh_demo::{Server, ServerName, start};
use mesh_tests::client::{Connection, get, runtime};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::{ports, wait};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const RELOADS: usize = 200;
/// Connections that keep asking.
const CLIENTS: usize = 8;

fn policy(http: u16, upstream: u16, round: usize) -> String {
    format!(
        "mesh t {{ mtls off; authz open-by-default }}
         service shop {{ endpoints 127.0.0.1:{upstream} via 127.0.0.1:{upstream} }}
         gateway edge {{
           listen {http} http
           host * {{
             /round     -> respond 200 \"{round}\"
             otherwise  -> shop
           }}
         }}"
    )
}

#[test]
fn two_hundred_reloads_fail_no_request() {
    let (http, upstream) = (ports::free(), ports::free());
    let server_runtime = runtime();
    let name = ServerName::parse("details").expect("the demo has it");
    let server = Server {
        name,
        outbound: None,
    };
    let _server = server_runtime
        .block_on(start(server, local(upstream)))
        .expect("the port is free");
    std::thread::spawn(move || server_runtime.block_on(std::future::pending::<()>()));

    let policy_files = Policy::new(&policy(http, upstream, 0));
    let meshd = Meshd::start(
        &policy_files,
        "gateway/edge",
        &["--workers", "2", "--access-log", "off"],
    );
    // Compiling takes longer than reloading: the bundles are made before, and put in place one by one.
    let bundles: Vec<_> = (0..RELOADS)
        .map(|round| {
            let path = policy_files.path(&format!("round{round}"));
            std::fs::write(
                policy_files.path("mesh/policy.mesh"),
                policy(http, upstream, round + 1),
            )
            .expect("it can be written");
            policy_files.compile_to(&path);
            path
        })
        .collect();

    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || {
                runtime().block_on(async {
                    // One connection for the whole time: a reload does not close it.
                    let mut connection =
                        Connection::open(local(http)).await.expect("meshd listens");
                    while !stop.load(Ordering::Relaxed) {
                        let answer = connection
                            .send(&get("/details/0"))
                            .await
                            .expect("an answer");
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            })
        })
        .collect();

    for (round, bundle) in bundles.iter().enumerate() {
        std::fs::rename(bundle, policy_files.bundle()).expect("it can be put in place");
        let expected = (round + 1).to_string();
        wait::until("the new bundle to be served", || {
            let answer = get("/round").send_and_wait(local(http)).expect("an answer");
            (answer.text() == expected).then_some(())
        });
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no request failed");
    }
    let applied = meshd.metric("mesh_reloads_total{result=\"applied\"}");
    assert!(applied.is_some_and(|applied| applied >= 200), "{applied:?}");
    assert!(
        done.load(Ordering::Relaxed) > 1000,
        "the load was no load: {done:?}"
    );
}
