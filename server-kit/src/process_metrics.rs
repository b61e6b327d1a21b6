//! What Prometheus' own clients tell of a process, under the same names, read when it is asked for.

use crate::console::{Section, Unit, View};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use std::{fmt, fs};

/// Clock ticks of `/proc`, per second: Linux shows programs 100, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Has `registry` tell CPU time, memory, threads and open files of this process.
pub fn register_process(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

/// The same for the console.
pub fn process_section() -> Section {
    Section::new("process", "Process", || async {
        let facts = Facts::read();
        let mut view = View::default();
        view.fact("up for", Unit::Since, facts.start_seconds);
        view.fact("processors busy", Unit::Processors, facts.cpu_seconds);
        view.fact("memory", Unit::Bytes, facts.resident_bytes.map(float));
        view.fact("threads", Unit::Count, facts.threads.map(float));
        view.fact("open files", Unit::Count, facts.open_files.map(float));
        view.fact(
            "open files, at most",
            Unit::Count,
            facts.open_files_max.map(float),
        );
        view
    })
}

#[derive(Debug)]
struct Process;

/// What `/proc/self` says; what it does not say is left out.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    cpu_seconds: Option<f64>,
    start_seconds: Option<f64>,
    resident_bytes: Option<i64>,
    virtual_bytes: Option<i64>,
    threads: Option<i64>,
    open_files: Option<i64>,
    open_files_max: Option<i64>,
}

impl Facts {
    fn read() -> Self {
        let text = |name: &str| fs::read_to_string(name).unwrap_or_default();
        let files = fs::read_dir("/proc/self/fd").ok();
        Facts {
            // The one that is open to count them is not counted.
            open_files: files.and_then(|files| i64::try_from(files.count().saturating_sub(1)).ok()),
            ..Facts::parse(
                &text("/proc/self/stat"),
                &text("/proc/self/status"),
                &text("/proc/self/limits"),
                &text("/proc/stat"),
            )
        }
    }

    fn parse(stat: &str, status: &str, limits: &str, machine: &str) -> Self {
        // The program's name, in brackets, may hold anything: what counts begins after it, with field 3.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let seconds = |field: usize| -> Option<f64> {
            let ticks: f64 = fields.get(field - 3)?.parse().ok()?;
            Some(ticks / TICKS_PER_SECOND)
        };
        let line = |text: &str, key: &str, at: usize| -> Option<i64> {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().nth(at)?.parse().ok()
        };
        let kib = |key: &str| line(status, key, 0).map(|kib| kib.saturating_mul(1024));
        Facts {
            cpu_seconds: seconds(14).zip(seconds(15)).map(|(user, system)| user + system),
            start_seconds: line(machine, "btime", 0)
                .zip(seconds(22))
                .map(|(boot, after)| boot as f64 + after),
            resident_bytes: kib("VmRSS:"),
            virtual_bytes: kib("VmSize:"),
            threads: line(status, "Threads:", 0),
            open_files: None,
            open_files_max: line(limits, "Max open files", 0),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let facts = Facts::read();
        if let Some(seconds) = facts.cpu_seconds {
            let help = "CPU time taken, in and for this process";
            let metric = ConstCounter::new(seconds);
            metric.encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                help,
                None,
                MetricType::Counter,
            )?)?;
        }
        let start = facts.start_seconds;
        let gauges = [
            (
                "process_start_time_seconds",
                "When it was started, since 1970",
                start,
            ),
            (
                "process_resident_memory_bytes",
                "Memory that is in use",
                facts.resident_bytes.map(float),
            ),
            (
                "process_virtual_memory_bytes",
                "Addresses that are in use",
                facts.virtual_bytes.map(float),
            ),
            ("process_threads", "Threads", facts.threads.map(float)),
            (
                "process_open_fds",
                "Open files and sockets",
                facts.open_files.map(float),
            ),
            (
                "process_max_fds",
                "How many there may be",
                facts.open_files_max.map(float),
            ),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let metric = ConstGauge::new(value);
                metric.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
            }
        }
        Ok(())
    }
}

/// Prometheus knows no other numbers.
fn float(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests;
