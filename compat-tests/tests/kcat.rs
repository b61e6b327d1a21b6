//! kcat: what a person pipes in and reads back on the command line.

use anyhow::{Result, ensure};
use compat_tests::harm::counted;
use compat_tests::program::{self, Said};
use compat_tests::{Broker, Program};

fn kcat(args: &str) -> Result<Program> {
    let broker = Broker::shared()?;
    Ok(Program::new("kcat")
        .args(["-b", broker.address(), "-q"])
        .args(args.split_whitespace())
        .seconds_max(60))
}

#[test]
fn pipe() -> Result<()> {
    let topic = format!("pipe-{}", program::unique());
    let lines: String = (0..1000).map(|i| format!("line {i}\n")).collect();
    kcat(&format!("-P -t {topic} -p 0"))?.input(lines.clone()).run()?;
    let back = kcat(&format!("-C -t {topic} -o beginning -e"))?.run()?;
    ensure!(
        back == lines,
        "got {} bytes back, sent {}",
        back.len(),
        lines.len()
    );
    let tail = kcat(&format!("-C -t {topic} -p 0 -o -3 -e"))?.run()?;
    ensure!(
        tail == "line 997\nline 998\nline 999\n",
        "the last three are {tail:?}"
    );
    Ok(())
}

#[test]
fn keys_headers_and_null() -> Result<()> {
    let topic = format!("keys-{}", program::unique());
    kcat(&format!("-P -t {topic} -p 1 -K: -Z -H a=1 -H b=two"))?
        .input("k1:v1\nk2:\n:v3\n")
        .run()?;
    let back = kcat(&format!(
        "-C -t {topic} -p 1 -o beginning -e -Z -f %p|%o|%k|%s|%S|%h\\n"
    ))?
    .run()?;
    let want = "1|0|k1|v1|2|a=1,b=two\n1|1|k2|NULL|-1|a=1,b=two\n1|2|NULL|v3|2|a=1,b=two\n";
    ensure!(back == want, "got {back:?}");
    Ok(())
}

#[test]
fn codecs() -> Result<()> {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("codec-{codec}-{}", program::unique());
        let lines: String = (0..500)
            .map(|i| format!("the same words again and again {i}\n"))
            .collect();
        kcat(&format!("-P -t {topic} -p 0 -z {codec} -X linger.ms=50"))?
            .input(lines.clone())
            .run()?;
        let back = kcat(&format!("-C -t {topic} -p 0 -o beginning -e -X check.crcs=true"))?.run()?;
        ensure!(
            back == lines,
            "{codec}: got {} bytes back, sent {}",
            back.len(),
            lines.len()
        );
    }
    Ok(())
}

#[test]
fn offsets_by_time() -> Result<()> {
    let topic = format!("times-{}", program::unique());
    kcat(&format!("-P -t {topic} -p 0"))?.input("a\nb\n").run()?;
    let query = |at: &str| kcat(&format!("-Q -t {topic}:0:{at}"))?.run();
    for (at, offset) in [("-2", 0), ("-1", 2), ("0", 0), ("4102444800000", -1)] {
        let said = query(at)?;
        let want = if offset == -1 {
            format!("{topic} [0] offset 2\n")
        } else {
            format!("{topic} [0] offset {offset}\n")
        };
        // librdkafka reports a time after the last record as the end, since that is where reading would start.
        ensure!(
            said == want || (offset == -1 && said == format!("{topic} [0] offset -1\n")),
            "at {at}: {said:?}"
        );
    }
    Ok(())
}

#[test]
fn metadata() -> Result<()> {
    let topic = format!("meta-{}", program::unique());
    kcat(&format!("-P -t {topic} -p 0"))?.input("a\n").run()?;
    let json: serde_json::Value = serde_json::from_str(&kcat(&format!("-L -J -t {topic}"))?.run()?)?;
    ensure!(
        json["brokers"].as_array().is_some_and(|b| b.len() == 1),
        "brokers: {json}"
    );
    ensure!(
        json["brokers"][0]["name"] == Broker::shared()?.address(),
        "address: {json}"
    );
    ensure!(json["topics"][0]["topic"] == topic.as_str(), "topic: {json}");
    ensure!(
        json["topics"][0]["partitions"]
            .as_array()
            .is_some_and(|p| p.len() == 3),
        "partitions: {json}"
    );
    let leaders = json["topics"][0]["partitions"].as_array().into_iter().flatten();
    ensure!(
        leaders
            .into_iter()
            .all(|p| p["leader"] == json["brokers"][0]["id"]),
        "leaders: {json}"
    );
    Ok(())
}

#[test]
fn group() -> Result<()> {
    let (topic, group) = (
        format!("group-{}", program::unique()),
        format!("g-{}", program::unique()),
    );
    for partition in 0..3 {
        kcat(&format!("-P -t {topic} -p {partition}"))?
            .input("a\nb\nc\n")
            .run()?;
    }
    let first = kcat(&format!("-G {group} -X auto.offset.reset=earliest -e {topic}"))?.run()?;
    ensure!(first.lines().count() == 9, "first read: {first:?}");
    kcat(&format!("-P -t {topic} -p 0"))?.input("d\n").run()?;
    let second = kcat(&format!("-G {group} -X auto.offset.reset=earliest -e {topic}"))?.run()?;
    ensure!(second == "d\n", "what was committed is read again: {second:?}");
    Ok(())
}

#[test]
fn transaction() -> Result<()> {
    let topic = format!("tx-{}", program::unique());
    kcat(&format!("-P -t {topic} -p 0 -X transactional.id={topic}"))?
        .input("a\nb\n")
        .run()?;
    // kcat without an id writes plainly behind the transaction.
    kcat(&format!("-P -t {topic} -p 0"))?.input("c\n").run()?;
    let Said { code, out, err } = kcat(&format!(
        "-C -t {topic} -p 0 -o beginning -e -X isolation.level=read_committed -f %o:%s\\n"
    ))?
    .say()?;
    ensure!(code == Some(0) && out == "0:a\n1:b\n3:c\n", "got {out:?} {err}");
    Ok(())
}

/// What the dashboards of Kafka's operators ask for is told, under the names that Kafka's own metrics have in Prometheus.
#[test]
fn metrics_have_the_names_of_the_original() -> Result<()> {
    let (broker, topic) = (Broker::shared()?, format!("metrics-{}", program::unique()));
    kcat(&format!("-P -t {topic} -p 0"))?
        .input("a line\n".repeat(10))
        .run()?;
    kcat(&format!("-C -t {topic} -p 0 -o beginning -e"))?.run()?;
    let of_topic = |name: &str| {
        let labels = format!("{{topic=\"{topic}\"}}");
        counted(
            broker,
            &format!("kafka_server_brokertopicmetrics_{name}_total{labels}"),
        )
    };
    let Some(records) = of_topic("messagesin")? else {
        return Ok(()); // the original needs the JMX exporter beside it
    };
    ensure!(records == 10, "{records} records");
    let (received, sent) = (of_topic("bytesin")?, of_topic("bytesout")?);
    ensure!(
        received > Some(70) && sent >= received,
        "{received:?} bytes in, {sent:?} out"
    );
    let end = format!("kafka_log_log_logendoffset{{topic=\"{topic}\",partition=\"0\"}}");
    ensure!(counted(broker, &end)? == Some(10), "where the log ends");
    let produced = |version: i16| {
        let name = "kafka_network_requestmetrics_requests_total";
        counted(
            broker,
            &format!("{name}{{request=\"Produce\",version=\"{version}\"}}"),
        )
    };
    ensure!(
        (3..=13).any(|version| produced(version).is_ok()),
        "requests by version"
    );
    let lagging = counted(broker, "kafka_server_replicamanager_underreplicatedpartitions{}")?;
    ensure!(lagging == Some(0), "{lagging:?} partitions are under-replicated");
    Ok(())
}
