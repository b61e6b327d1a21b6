//! What a person sees once the servers answer: addresses, and one line to paste for each client.

use std::{fmt::Write, path::Path, time::Duration};

/// One server: its name, and where it is reached.
pub(crate) struct Line {
    pub(crate) server: &'static str,
    pub(crate) address: String,
}

/// The whole text. `bootstrap`: where Kafka's clients are sent. `not_honoured`: keys that were set and have no effect.
pub(crate) fn text(
    lines: &[Line],
    bootstrap: Option<&str>,
    data_dir: &Path,
    not_honoured: &[String],
    took: Duration,
) -> String {
    let mut text = format!(
        "smack {} answers after {} ms; data in {}\n\n",
        env!("CARGO_PKG_VERSION"),
        took.as_millis(),
        data_dir.display()
    );
    for Line { server, address } in lines {
        let _ = writeln!(text, "  {server:<10}{address}");
    }
    let of = |server| lines.iter().find(move |line| line.server == server);
    let kafka = bootstrap.map(kafka_clients);
    let cql = of("cql").map(|line| cql_clients(&line.address));
    let mesos = of("mesos").map(|line| mesos_clients(&line.address));
    for clients in [kafka, cql, mesos].into_iter().flatten() {
        text.push('\n');
        for (client, line) in clients {
            let _ = writeln!(text, "  {client:<10}{line}");
        }
    }
    if !not_honoured.is_empty() {
        let _ = writeln!(
            text,
            "\nKafka keys without effect here: {}",
            not_honoured.join(", ")
        );
    }
    text.push_str("\nCtrl-C stops.\n");
    text
}

fn cql_clients(address: &str) -> Vec<(&'static str, String)> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "9042"));
    let host = host.trim_matches(['[', ']']);
    vec![
        ("cqlsh", format!("cqlsh {host} {port}")),
        (
            "python",
            format!(
                "python3 -c \"from cassandra.cluster import Cluster as C; s = C(['{host}'], port={port}).connect(); \
                 print(s.execute('SELECT release_version FROM system.local').one())\""
            ),
        ),
        (
            "java",
            format!("datastax-java-driver.basic.contact-points.0 = \"{host}:{port}\""),
        ),
    ]
}

fn mesos_clients(master: &str) -> Vec<(&'static str, String)> {
    let subscribe =
        "{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":{\"user\":\"root\",\"name\":\"demo\"}}}";
    vec![(
        "curl",
        format!(
            "curl -N -H 'Content-Type: application/json' http://{master}/api/v1/scheduler -d '{subscribe}'"
        ),
    )]
}

fn kafka_clients(bootstrap: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "kcat",
            format!("echo hello | kcat -b {bootstrap} -t demo -P; kcat -b {bootstrap} -t demo -C -e"),
        ),
        (
            "produce",
            format!("kafka-console-producer.sh --bootstrap-server {bootstrap} --topic demo"),
        ),
        (
            "consume",
            format!("kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic demo --from-beginning"),
        ),
        (
            "python",
            format!(
                "python3 -c \"from confluent_kafka import Producer as P; p = P({{'bootstrap.servers': '{bootstrap}'}}); \
                 p.produce('demo', 'hello'); p.flush()\""
            ),
        ),
        ("java", format!("bootstrap.servers={bootstrap}")),
    ]
}
