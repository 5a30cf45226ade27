//! The servers over real sockets, in both protocols, with a sidecar that is played here.

mod binary;
mod bookinfo;
mod client;
mod echo;
mod life;
mod productpage;
mod sidecar;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use mesh_demo::{Running, Server, ServerName, start};

/// Any free port of this machine.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Runs a test on a current-thread runtime, for half a minute at most.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(30), test).await })
        .expect("the test is over in time");
}

/// Starts a server by its written name.
async fn serve(name: &str, outbound: Option<SocketAddr>) -> Running {
    let name = ServerName::parse(name).expect("the name of a server");
    start(Server { name, outbound }, LOCAL)
        .await
        .expect("a free port")
}
