//! The metrics page: the cells of all workers, summed when somebody asks.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_bundle::signature::Moment;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::metrics::{BUCKETS, Counter, Destination, Flag, HistogramSum, Series};
use crate::status::{Facts, ListenerFacts, Reload, Status};
use crate::worker::NodeShared;

/// The page, in the text format of `OpenMetrics`.
pub(crate) fn page(status: &Arc<Status>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page(Arc::clone(status))));
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Page(Arc<Status>);

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let status = &self.0;
        let facts = status.facts();
        let sums: Vec<Sums> = status.nodes.iter().map(|node| Sums::of(node)).collect();
        let nodes: Vec<(&str, &Sums)> = status
            .nodes
            .iter()
            .map(|node| node.label.as_str())
            .zip(&sums)
            .collect();
        let mut page = Families(&mut encoder);
        page.requests(&nodes)?;
        page.upstreams(&nodes)?;
        page.connections(status, &facts)?;
        page.bundle(&nodes, &facts)?;
        page.trouble(status, &nodes)?;
        page.process(status)
    }
}

/// What the workers of a node have counted together.
#[derive(Default)]
struct Sums {
    requests: BTreeMap<(Arc<str>, u16, Flag), u64>,
    responses: BTreeMap<(Destination, u16), u64>,
    durations: BTreeMap<Destination, HistogramSum>,
    /// Connections that are open, that were opened, and that could not be made.
    connections: BTreeMap<Arc<str>, [u64; 3]>,
    panics: u64,
}

impl Sums {
    fn of(node: &NodeShared) -> Self {
        let mut sums = Self::default();
        for worker in &node.workers {
            sums.panics += worker.panics.get();
            let named = worker.named();
            for (series, counter) in &named.counters {
                *sums.of_series(series.clone()) += counter.get();
            }
            for (destination, histogram) in &named.durations {
                histogram.add_to(sums.durations.entry(destination.clone()).or_default());
            }
            for (service, cells) in &named.upstreams {
                let totals = sums.connections.entry(Arc::clone(service)).or_default();
                let cells = [&cells.active, &cells.opened, &cells.failed].map(Counter::get);
                totals
                    .iter_mut()
                    .zip(cells)
                    .for_each(|(total, cell)| *total += cell);
            }
        }
        sums
    }

    fn of_series(&mut self, series: Series) -> &mut u64 {
        match series {
            Series::Requests { arm, code, flag } => {
                self.requests.entry((arm, code, flag)).or_default()
            }
            Series::Upstream { destination, code } => {
                self.responses.entry((destination, code)).or_default()
            }
        }
    }
}

struct Families<'p, 'e>(&'p mut DescriptorEncoder<'e>);

type Nodes<'n> = [(&'n str, &'n Sums)];

impl Families<'_, '_> {
    fn family<'f>(
        &'f mut self,
        name: &'f str,
        help: &'f str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'f>, Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    fn counter<'f>(&'f mut self, name: &'f str, help: &'f str) -> Result<MetricEncoder<'f>, Error> {
        self.family(name, help, MetricType::Counter)
    }

    fn gauge<'f>(&'f mut self, name: &'f str, help: &'f str) -> Result<MetricEncoder<'f>, Error> {
        self.family(name, help, MetricType::Gauge)
    }

    fn requests(&mut self, nodes: &Nodes<'_>) -> Result<(), Error> {
        let mut family = self.counter(
            "mesh_requests",
            "Requests that have ended, by the arm that had the last word",
        )?;
        for (node, sums) in nodes {
            for ((arm, code, flag), count) in &sums.requests {
                let code = code_text(*code);
                let labels = [
                    ("node", *node),
                    ("arm", arm),
                    ("response_code", &code),
                    ("response_flags", flag.text()),
                ];
                count_of(&mut family, &labels, *count)?;
            }
        }
        let mut family = self.family(
            "mesh_request_duration_seconds",
            "From a request's head to the end of its response",
            MetricType::Histogram,
        )?;
        for (node, sums) in nodes {
            for (destination, sum) in &sums.durations {
                let labels = [
                    ("node", *node),
                    ("service", &*destination.service),
                    ("version", &*destination.version),
                ];
                let bounds = BUCKETS.iter().map(|&bound| seconds(bound * 1000));
                let bounds = bounds.chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = bounds.zip(sum.buckets).collect();
                let count = sum.buckets.iter().sum();
                family
                    .encode_family(&labels)?
                    .encode_histogram::<NoLabelSet>(
                        seconds(sum.nanoseconds),
                        count,
                        &buckets,
                        None,
                    )?;
            }
        }
        Ok(())
    }

    fn upstreams(&mut self, nodes: &Nodes<'_>) -> Result<(), Error> {
        let mut family = self.counter("mesh_upstream_requests", "Responses of upstreams")?;
        for (node, sums) in nodes {
            for ((destination, code), count) in &sums.responses {
                let code = code_text(*code);
                let labels = [
                    ("node", *node),
                    ("service", &*destination.service),
                    ("version", &*destination.version),
                    ("response_code", &code),
                ];
                count_of(&mut family, &labels, *count)?;
            }
        }
        let mut family = self.gauge(
            "mesh_upstream_connections_active",
            "Open connections to upstreams",
        )?;
        for (node, sums) in nodes {
            for (service, [active, _, _]) in &sums.connections {
                gauge_of(
                    &mut family,
                    &[("node", *node), ("service", service)],
                    *active,
                )?;
            }
        }
        let mut family =
            self.counter("mesh_upstream_connections", "Connections made to upstreams")?;
        for (node, sums) in nodes {
            for (service, [_, opened, _]) in &sums.connections {
                count_of(
                    &mut family,
                    &[("node", *node), ("service", service)],
                    *opened,
                )?;
            }
        }
        let mut family = self.counter(
            "mesh_upstream_connect_failures",
            "Connections to upstreams that could not be made",
        )?;
        for (node, sums) in nodes {
            for (service, [_, _, failed]) in &sums.connections {
                count_of(
                    &mut family,
                    &[("node", *node), ("service", service)],
                    *failed,
                )?;
            }
        }
        Ok(())
    }

    fn connections(&mut self, status: &Status, facts: &Facts) -> Result<(), Error> {
        let listeners = || {
            let nodes = status.nodes.iter().zip(&facts.nodes);
            nodes.flat_map(|(node, facts)| {
                facts
                    .listeners
                    .iter()
                    .map(|listener| (node.label.as_str(), listener))
            })
        };
        let labels = |node, listener: &ListenerFacts| {
            [("node", node), ("listener", listener.cells.name.clone())]
        };
        let mut family = self.gauge("mesh_connections_active", "Open connections of clients")?;
        for (node, listener) in listeners() {
            gauge_of(
                &mut family,
                &labels(node.to_owned(), listener),
                listener.cells.active(),
            )?;
        }
        let mut family = self.counter("mesh_connections", "Connections that clients have made")?;
        for (node, listener) in listeners() {
            count_of(
                &mut family,
                &labels(node.to_owned(), listener),
                listener.cells.opened(),
            )?;
        }
        let mut family = self.counter(
            "mesh_connection_bytes",
            "Bytes of clients' connections that have ended, TLS aside",
        )?;
        for (node, listener) in listeners() {
            for (direction, total) in [
                ("in", listener.cells.total(|cells| &cells.bytes_in)),
                ("out", listener.cells.total(|cells| &cells.bytes_out)),
            ] {
                let name = listener.cells.name.as_str();
                let labels = [("node", node), ("listener", name), ("direction", direction)];
                count_of(&mut family, &labels, total)?;
            }
        }
        let mut family = self.gauge(
            "mesh_certificate_not_after_seconds",
            "When a listener's certificate expires, in seconds since 1970",
        )?;
        for (node, facts) in status.nodes.iter().zip(&facts.nodes) {
            for certificate in &facts.certificates {
                if let Some(not_after) = certificate.not_after {
                    let labels = [("node", &*node.label), ("certificate", &*certificate.file)];
                    family.encode_family(&labels)?.encode_gauge(&not_after)?;
                }
            }
        }
        Ok(())
    }

    fn bundle(&mut self, nodes: &Nodes<'_>, facts: &Facts) -> Result<(), Error> {
        let bundle = &facts.bundle;
        let mut family = self.gauge("mesh_bundle_info", "The bundle in force")?;
        for (node, _) in nodes {
            let labels = [("node", *node), ("id", &bundle.id), ("mesh", &bundle.mesh)];
            gauge_of(&mut family, &labels, 1)?;
        }
        let mut family = self.gauge(
            "mesh_bundle_loaded_timestamp_seconds",
            "Since when the bundle has been in force, in seconds since 1970",
        )?;
        family.encode_gauge(&since_epoch(bundle.loaded))?;
        if let Some(approval) = &facts.approval {
            let mut family = self.gauge(
                "mesh_bundle_sequence",
                "The sequence number of the signature for which the bundle came in",
            )?;
            family.encode_gauge(&approval.in_force.sequence)?;
            let mut family = self.gauge(
                "mesh_bundle_valid_until_timestamp_seconds",
                "Until when that signature is valid, in seconds since 1970; +Inf for ever",
            )?;
            let until = match approval.not_after {
                Moment::NEVER => f64::INFINITY,
                Moment(seconds) => Duration::from_secs(seconds).as_secs_f64(),
            };
            family.encode_gauge(&until)?;
        }
        let mut family = self.counter(
            "mesh_bundles_refused",
            "Bundles that were not let in, by why not",
        )?;
        for (reason, count) in &facts.refusals {
            count_of(&mut family, &[("reason", *reason)], *count)?;
        }
        let mut family = self.counter("mesh_reloads", "Reloads by what came of them")?;
        for (result, count) in Reload::ALL.into_iter().zip(facts.reloads) {
            count_of(&mut family, &[("result", result.text())], count)?;
        }
        let mut family = self.gauge(
            "mesh_reload_last_success",
            "Whether the last reload was not rejected",
        )?;
        let last = facts.last_reload.as_ref();
        let success = last.is_none_or(|last| last.result != Reload::Rejected);
        family.encode_gauge(&u64::from(success))
    }

    fn trouble(&mut self, status: &Status, nodes: &Nodes<'_>) -> Result<(), Error> {
        let mut family = self.counter(
            "mesh_panics",
            "Connections and tasks that a defect has ended",
        )?;
        for (node, sums) in nodes {
            count_of(&mut family, &[("node", *node)], sums.panics)?;
        }
        let dropped = status.log_dropped.as_ref().map_or(0, load);
        let mut family = self.counter(
            "mesh_access_log_dropped",
            "Lines of the access log that were not written",
        )?;
        family.encode_counter::<NoLabelSet, _, f64>(&dropped, None)
    }

    fn process(&mut self, status: &Status) -> Result<(), Error> {
        let process = Process::read();
        let mut family = self.gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
        )?;
        family.encode_gauge(&since_epoch(status.started))?;
        let mut family = self.gauge("process_resident_memory_bytes", "Memory in use")?;
        family.encode_gauge(&process.resident)?;
        let mut family = self.counter("process_cpu_seconds", "Processor time used")?;
        family.encode_counter::<NoLabelSet, _, f64>(&process.cpu, None)?;
        let mut family = self.gauge("process_open_fds", "Open file descriptors")?;
        family.encode_gauge(&process.descriptors)
    }
}

fn load(value: &Arc<AtomicU64>) -> u64 {
    value.load(Ordering::Relaxed)
}

fn count_of(
    family: &mut MetricEncoder<'_>,
    labels: &impl prometheus_client::encoding::EncodeLabelSet,
    count: u64,
) -> Result<(), Error> {
    family
        .encode_family(labels)?
        .encode_counter::<NoLabelSet, _, f64>(&count, None)
}

fn gauge_of(
    family: &mut MetricEncoder<'_>,
    labels: &impl prometheus_client::encoding::EncodeLabelSet,
    value: u64,
) -> Result<(), Error> {
    family.encode_family(labels)?.encode_gauge(&value)
}

fn code_text(code: u16) -> String {
    match code {
        0 => "unknown".to_owned(),
        code => code.to_string(),
    }
}

#[allow(clippy::cast_precision_loss)]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn since_epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

/// What the kernel knows of this process.
#[derive(Debug, Default)]
struct Process {
    resident: u64,
    cpu: f64,
    descriptors: u64,
}

impl Process {
    /// Reads `/proc`; what is not there is 0.
    fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes =
            resident.and_then(|text| text.trim().split(' ').next()?.parse::<u64>().ok());
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name in parentheses may hold anything; behind it, user and system time are the 12th and
        // 13th fields, in hundredths of a second whatever the kernel's own clock does.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let times = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|text| text.parse::<u64>().ok()).sum();
        Self {
            resident: kibibytes.unwrap_or_default() * 1024,
            cpu: seconds(ticks * 10_000_000),
            descriptors: std::fs::read_dir("/proc/self/fd")
                .map_or(0, |entries| entries.count() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_asked() {
        let process = Process::read();
        assert!(process.resident > 100_000, "{process:?}");
        assert!(process.descriptors > 2, "{process:?}");
        assert!(process.cpu >= 0.0);
    }
}
