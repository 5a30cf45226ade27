//! A runtime under test.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mesh_bundle::Bundle;
use meshd::{AccessLog, Exit, NodeOptions, ProcessOptions, Runtime};
use serde_json::Value;

use super::client::{self, Reply};
use super::mesh::Mesh;

/// The port that meshes of tests declare; a free one stands in for it.
pub const HTTP: u16 = 80;
pub const HTTPS: u16 = 443;

/// A gateway called `edge`, its admin pages, and its access log.
#[derive(Debug)]
pub struct Scene {
    runtime: Option<Runtime>,
    pub log: PathBuf,
}

/// Options of a gateway whose declared ports are free ones.
pub fn gateway_options() -> NodeOptions {
    NodeOptions {
        workers: NonZeroUsize::new(1),
        ports: [(HTTP, 0), (HTTPS, 0)].into(),
        seed: Some(7),
        ..NodeOptions::default()
    }
}

/// A path that is this test's own.
pub fn scratch(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = directory.join(format!("{}-{number}-{name}", std::process::id()));
    // Left by a process of the same number.
    let _ = std::fs::remove_file(&path);
    path
}

impl Scene {
    pub fn gateway(mesh: &Mesh) -> Self {
        Self::start(mesh.bundle(), "gateway/edge", gateway_options())
    }

    pub fn start(bundle: Arc<Bundle>, node: &str, options: NodeOptions) -> Self {
        Self::start_all(bundle, vec![(node, options)], ProcessOptions::default())
    }

    pub fn start_all(
        bundle: Arc<Bundle>,
        nodes: Vec<(&str, NodeOptions)>,
        process: ProcessOptions,
    ) -> Self {
        let log = scratch("access.log");
        let process = ProcessOptions {
            admin: Some(([127, 0, 0, 1], 0).into()),
            access_log: AccessLog::File(log.clone()),
            ..process
        };
        let nodes = nodes
            .into_iter()
            .map(|(node, options)| (node.parse().unwrap(), options));
        let runtime = Runtime::start(bundle, nodes.collect(), process).unwrap();
        Self {
            runtime: Some(runtime),
            log,
        }
    }

    pub fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    /// Where the gateway listens for plain HTTP.
    pub fn http(&self) -> SocketAddr {
        self.at(HTTP)
    }

    pub fn https(&self) -> SocketAddr {
        self.at(HTTPS)
    }

    fn at(&self, port: u16) -> SocketAddr {
        let listeners = self.runtime().listeners();
        listeners
            .iter()
            .find(|it| it.port == port)
            .expect("a listener")
            .address
    }

    #[track_caller]
    pub fn get(&self, host: &str, target: &str) -> Reply {
        client::get(self.http(), host, target)
    }

    #[track_caller]
    pub fn send(&self, text: &str) -> Reply {
        client::send(self.http(), text)
    }

    pub fn reload(&self, mesh: &Mesh) {
        assert!(self.runtime().reload(mesh.bundle()).unwrap().applied);
    }

    pub fn admin(&self, page: &str) -> Reply {
        client::get(self.runtime().admin().unwrap(), "admin", page)
    }

    pub fn status(&self) -> Value {
        serde_json::from_slice(&self.admin("/status").body).unwrap()
    }

    /// The value of a metric's line that begins with this.
    pub fn metric(&self, start: &str) -> Option<f64> {
        let text = self.admin("/metrics").text();
        let line = text.lines().find(|line| line.starts_with(start))?;
        line.rsplit_once(' ').unwrap().1.parse().ok()
    }

    /// How many reloads had this result.
    pub fn reloads(&self, result: &str) -> u64 {
        let text = self.admin("/metrics").text();
        let name = format!("mesh_reloads_total{{result=\"{result}\"}} ");
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(&name));
        lines.next().unwrap().parse().unwrap()
    }

    /// Lines of the access log, once there are at least so many.
    #[track_caller]
    pub fn lines(&self, count: usize) -> Vec<Value> {
        let mut lines = Vec::new();
        super::until("lines in the access log", || {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            lines = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            lines.len() >= count
        });
        lines
    }

    /// Its only line.
    #[track_caller]
    pub fn line(&self) -> Value {
        let lines = self.lines(1);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines[0].clone()
    }

    /// Ends it in order.
    pub fn end(mut self) -> Exit {
        let runtime = self.runtime.take().unwrap();
        runtime.shutdown();
        runtime.wait()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.runtime.take());
        if !std::thread::panicking() {
            // It may never have been written.
            let _ = std::fs::remove_file(&self.log);
        }
    }
}
