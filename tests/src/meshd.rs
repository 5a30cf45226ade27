//! A running `meshd`.

use crate::client::{Answer, get};
use crate::policy::Policy;
use crate::process::Process;
use crate::{binaries, ports, wait};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

/// A `meshd` process that serves a node.
#[derive(Debug)]
pub struct Meshd {
    /// The process.
    pub process: Process,
    /// Where its admin pages are.
    pub admin: SocketAddr,
}

/// An address on this machine.
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

impl Meshd {
    /// Starts a node of a policy and waits until it is ready.
    pub fn start(policy: &Policy, node: &str, arguments: &[&str]) -> Self {
        Self::serve(&policy.bundle(), node, arguments)
    }

    /// Starts a node of a bundle and waits until it is ready.
    pub fn serve(bundle: &Path, node: &str, arguments: &[&str]) -> Self {
        let mut meshd = Self::run(bundle, node, arguments);
        let (admin, process) = (meshd.admin, &mut meshd.process);
        wait::until("meshd to be ready", || {
            if let Some(status) = process.ended() {
                panic!("meshd ended with {status}: {}", process.errors());
            }
            let answer = get("/ready").send_and_wait(admin).ok()?;
            (answer.status == 200).then_some(())
        });
        meshd
    }

    fn run(bundle: &Path, node: &str, arguments: &[&str]) -> Self {
        let admin = local(ports::free());
        let process = Process::run(
            Command::new(binaries::path("meshd"))
                .args(["run", "--node", node, "--admin", &admin.to_string()])
                .arg("--bundle")
                .arg(bundle)
                .args(arguments),
        );
        Self { process, admin }
    }

    /// An admin page.
    pub fn page(&self, path: &str) -> Answer {
        get(path)
            .send_and_wait(self.admin)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The value of a metric whose line begins with `start`, if it is a whole number.
    pub fn metric(&self, start: &str) -> Option<u64> {
        let metrics = self.page("/metrics").text();
        let line = metrics.lines().find(|line| line.starts_with(start))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The name of the bundle that it serves.
    pub fn bundle(&self) -> String {
        let status = self.page("/status").json();
        status["bundle"]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}
