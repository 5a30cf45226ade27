//! A split keeps to its shares.

use mesh_demo::{Server, ServerName, start};
use mesh_tests::client::{Connection, get, runtime};
use mesh_tests::meshd::{Meshd, local};
use mesh_tests::policy::Policy;
use mesh_tests::ports;

/// Requests sent.
const REQUESTS: u32 = 10_000;

#[test]
fn ten_thousand_requests_split_90_to_10_within_the_binomial_bound() {
    let runtime = runtime();
    let (v1, v2, http) = (ports::free(), ports::free(), ports::free());
    let servers: Vec<_> = [("reviews.v1", v1), ("reviews.v2", v2)]
        .into_iter()
        .map(|(name, port)| {
            let name = ServerName::parse(name).expect("the demo has it");
            let server = Server {
                name,
                outbound: None,
            };
            runtime
                .block_on(start(server, local(port)))
                .expect("the port is free")
        })
        .collect();
    let policy = Policy::new(&format!(
        "mesh t {{ mtls off; authz open-by-default }}
         service reviews {{
           version v1 {{ endpoints 127.0.0.1:{v1} via 127.0.0.1:{v1} }}
           version v2 {{ endpoints 127.0.0.1:{v2} via 127.0.0.1:{v2} }}
           route {{ otherwise -> split 90% v1, 10% v2 }}
         }}
         gateway edge {{ listen {http} http; host * {{ otherwise -> reviews }} }}"
    ));
    let _meshd = Meshd::start(
        &policy,
        "gateway/edge",
        &["--workers", "1", "--access-log", "off"],
    );
    let mut canary = 0;
    runtime.block_on(async {
        let mut connection = Connection::open(local(http)).await.expect("meshd listens");
        for _ in 0..REQUESTS {
            let answer = connection.send(&get("/health")).await.expect("an answer");
            assert_eq!(answer.status, 200);
            canary += u32::from(answer.header("x-served-by") == Some("reviews-v2"));
        }
    });
    // Five standard deviations of a binomial distribution: √(n·p·q) is 30. One run in a million is off.
    assert!(
        (850..=1150).contains(&canary),
        "{canary} of {REQUESTS} went to v2"
    );
    drop(servers);
}
