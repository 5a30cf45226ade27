//! The gateway beside nginx: CPU per request and resident memory, in the same run on the same core.
//!
//! `cargo bench -p mesh-tests` (nginx, wrk and h2load are needed: Debian's `nginx-light`, `wrk`,
//! `nghttp2-client`; a scenario whose tool is missing is skipped by its name). Core 0 runs the proxy
//! with one worker, core 1 the load and the origin. Rounds alternate between the two, so that drift
//! hits both alike; what is printed is the median, with the spread.
//!
//! CPU time of the proxy's processes per request is the figure to compare: other work on the machine
//! moves it little, and rates a lot. `ROUNDS` and `SECONDS` in the environment change how long it takes.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench prints, and one that cannot go on should stop

mod measure;
mod proxies;

use measure::{Load, Sample, median};
use proxies::{Origin, Proxy, Table};

struct Scenario {
    name: &'static str,
    table: Table,
    load: Load,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "HTTP/1.1, 2-byte body",
        table: Table::One,
        load: Load::Http1 { path: "/small" },
    },
    Scenario {
        name: "HTTP/1.1, 64 KiB body",
        table: Table::One,
        load: Load::Http1 { path: "/large" },
    },
    Scenario {
        name: "TLS 1.3, HTTP/1.1",
        table: Table::One,
        load: Load::Https1 { path: "/small" },
    },
    Scenario {
        name: "TLS 1.3, HTTP/2",
        table: Table::One,
        load: Load::Https2 { path: "/small" },
    },
    Scenario {
        name: "1,000 path routes",
        table: Table::Paths(1_000),
        load: Load::Spread(1_000),
    },
    Scenario {
        name: "10,000 path routes",
        table: Table::Paths(10_000),
        load: Load::Spread(10_000),
    },
];

fn main() {
    // `cargo test --benches` asks for nothing but that it starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let missing = measure::missing_tools(&["nginx", "taskset", "wrk", "openssl"]);
    if !missing.is_empty() {
        println!("skipped: {} not installed", missing.join(", "));
        return;
    }
    let number = |name: &str, default: usize| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (rounds, seconds) = (number("ROUNDS", 7), number("SECONDS", 3));
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let origin = Origin::start();
    println!("{rounds} rounds of {seconds} s; CPU in µs per request: median (least to most)");
    println!(
        "{:<24} {:>24} {:>24} {:>7}   {:>9} {:>9}",
        "", "meshd", "nginx", "ratio", "meshd", "nginx"
    );
    for scenario in SCENARIOS {
        if only
            .as_ref()
            .is_some_and(|only| !scenario.name.contains(only.as_str()))
        {
            continue;
        }
        if let Some(tool) = scenario.load.missing_tool() {
            println!("{:<24} skipped: {tool} is not installed", scenario.name);
            continue;
        }
        run(scenario, &origin, rounds, seconds);
    }
}

fn mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

fn run(scenario: &Scenario, origin: &Origin, rounds: usize, seconds: usize) {
    let ours = Proxy::meshd(&scenario.table, origin);
    let theirs = Proxy::nginx(&scenario.table, origin);
    let mut samples: [Vec<Sample>; 2] = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (proxy, samples) in [&ours, &theirs].into_iter().zip(&mut samples) {
            // The first round warms up.
            let length = if round == 0 { 1 } else { seconds };
            let sample = measure::run(proxy, &scenario.load, length);
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let [ours_cpu, theirs_cpu] = samples.each_ref().map(|samples| {
        let mut cpu: Vec<f64> = samples
            .iter()
            .map(|sample| sample.cpu_per_request)
            .collect();
        cpu.sort_by(f64::total_cmp);
        cpu
    });
    let show = |cpu: &[f64]| {
        format!(
            "{:.1} ({:.1} to {:.1})",
            median(cpu),
            cpu[0],
            cpu[cpu.len() - 1]
        )
    };
    println!(
        "{:<24} {:>24} {:>24} {:>6.2}×   {:>5.1} MiB {:>5.1} MiB",
        scenario.name,
        show(&ours_cpu),
        show(&theirs_cpu),
        median(&ours_cpu) / median(&theirs_cpu),
        mebibytes(ours.resident()),
        mebibytes(theirs.resident()),
    );
}
