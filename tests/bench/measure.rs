//! Load, and what it costs a proxy.

use crate::proxies::{LOAD_CORE, Proxy};
use std::path::Path;
use std::process::{Command, Output};

/// What is asked of a proxy.
pub(crate) enum Load {
    /// wrk, 64 connections.
    Http1 { path: &'static str },
    /// The same over TLS.
    Https1 { path: &'static str },
    /// h2load over TLS, 32 connections of 8 streams.
    Https2 { path: &'static str },
    /// wrk over so many prefixes, one after the other.
    Spread(usize),
}

/// One burst.
pub(crate) struct Sample {
    /// CPU time of the proxy, in µs.
    pub(crate) cpu_per_request: f64,
}

impl Load {
    /// A tool that it needs and that is not there.
    pub(crate) fn missing_tool(&self) -> Option<&'static str> {
        match self {
            Self::Https2 { .. } => missing_tools(&["h2load"]).pop(),
            _ => None,
        }
    }

    fn command(&self, proxy: &Proxy, seconds: usize) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", LOAD_CORE]);
        let duration = format!("-d{seconds}");
        match self {
            Self::Http1 { path } => {
                command.args(["wrk", "-t1", "-c64", &duration]);
                command.arg(format!("http://127.0.0.1:{}{path}", proxy.http));
            }
            Self::Https1 { path } => {
                command.args(["wrk", "-t1", "-c64", &duration]);
                command.arg(format!("https://127.0.0.1:{}{path}", proxy.https));
            }
            Self::Https2 { path } => {
                command.args(["h2load", "-c32", "-m8", "-t1", "-D", &seconds.to_string()]);
                command.arg(format!("https://127.0.0.1:{}{path}", proxy.https));
            }
            Self::Spread(count) => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/spread.lua");
                command.args(["wrk", "-t1", "-c64", &duration, "-s"]);
                command.arg(script);
                command.arg(format!("http://127.0.0.1:{}", proxy.http));
                command.args(["--", &count.to_string()]);
            }
        }
        command
    }
}

/// Tools that are not installed.
pub(crate) fn missing_tools(tools: &[&'static str]) -> Vec<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let there = |tool: &str| folders.iter().any(|folder| folder.join(tool).is_file());
    tools.iter().copied().filter(|tool| !there(tool)).collect()
}

/// Runs a burst.
pub(crate) fn run(proxy: &Proxy, load: &Load, seconds: usize) -> Sample {
    let before = cpu_ticks(proxy);
    let output = load.command(proxy, seconds).output().unwrap();
    let ticks = cpu_ticks(proxy) - before;
    let requests = requests(&output);
    // A tick is 10 ms on every Linux that this runs on (USER_HZ).
    Sample {
        cpu_per_request: ticks * 10_000.0 / requests,
    }
}

/// The middle of sorted values.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// User and system time of the proxy, in ticks.
fn cpu_ticks(proxy: &Proxy) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", proxy.id())).unwrap();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum()
}

/// How many requests a tool says were answered, all of them well.
fn requests(output: &Output) -> f64 {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !text.contains("Non-2xx") && !text.contains("Socket errors"),
        "{text}"
    );
    // wrk: "12345 requests in 3.00s"; h2load: "requests: … 12345 succeeded, 0 failed …"
    let wrk = text.lines().find(|line| line.contains(" requests in "));
    let h2load = text.lines().find(|line| line.starts_with("requests:"));
    let number = |line: &str, before: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words
            .iter()
            .position(|word| word.trim_end_matches(',') == before)?;
        words[at - 1].parse::<f64>().ok()
    };
    let found = match (wrk, h2load) {
        (Some(line), _) => number(line, "requests"),
        (None, Some(line)) => number(line, "succeeded"),
        (None, None) => None,
    };
    found
        .filter(|requests| *requests > 0.0)
        .unwrap_or_else(|| panic!("no figures: {text}{errors}"))
}
