//! The command-line tools of the original, run as people run them.

use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use compat_tests::program::{self, Said};
use compat_tests::{Broker, Program, clients};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";

/// A tool's main class with its arguments split at blanks; `BROKER` stands for the address.
fn tool(class: &str, args: &str) -> Result<Program> {
    static JARS: OnceLock<Result<String, String>> = OnceLock::new();
    let jars = JARS.get_or_init(|| {
        clients::install(&["kafka"])
            .map(|dir| format!("{}/*", dir.display()))
            .map_err(|error| format!("{error:?}"))
    });
    let jars = jars.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let address = Broker::shared()?.address();
    let args = args
        .split_whitespace()
        .map(|arg| if arg == "BROKER" { address } else { arg });
    Ok(Program::new("java")
        .args([
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        ])
        .args(["-cp", jars, class])
        .args(args))
}

fn say(class: &str, args: &str) -> Result<String> {
    tool(class, args)?.run()
}

/// Output must contain every one of the wanted pieces.
fn has(output: &str, wanted: &[&str]) -> Result<()> {
    for piece in wanted {
        ensure!(
            output.contains(piece),
            "{piece:?} is not in the output:\n{output}"
        );
    }
    Ok(())
}

fn create(topic: &str, partitions: u32) -> Result<()> {
    let args = format!(
        "--bootstrap-server BROKER --create --topic {topic} --partitions {partitions} --replication-factor 1"
    );
    has(&say(TOPICS, &args)?, &[&format!("Created topic {topic}.")])
}

fn produce(topic: &str, lines: &str) -> Result<()> {
    let args = format!("--bootstrap-server BROKER --topic {topic}");
    tool(PRODUCER, &args)?.input(lines).run().map(drop)
}

/// The line of a table that starts with these columns, as its columns.
fn row(table: &str, start: &[&str]) -> Result<Vec<String>> {
    table
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .find(|columns| columns.len() >= start.len() && columns.iter().zip(start).all(|(a, b)| a == b))
        .with_context(|| format!("no row {start:?} in:\n{table}"))
}

#[test]
fn topics() -> Result<()> {
    let topic = format!("topics-{}", program::unique());
    create(&topic, 3)?;
    let at = "--bootstrap-server BROKER";
    let again = tool(TOPICS, &format!("{at} --create --topic {topic}"))?.say()?;
    ensure!(again.code == Some(1), "creating again: {again:?}");
    has(&again.out, &[&format!("Topic '{topic}' already exists.")])?;
    say(TOPICS, &format!("{at} --create --topic {topic} --if-not-exists"))?;
    ensure!(
        say(TOPICS, &format!("{at} --list"))?
            .lines()
            .any(|line| line == topic),
        "not listed"
    );
    say(TOPICS, &format!("{at} --alter --topic {topic} --partitions 5"))?;
    let described = say(TOPICS, &format!("{at} --describe --topic {topic}"))?;
    has(
        &described,
        &[
            "PartitionCount: 5",
            "ReplicationFactor: 1",
            "Partition: 4",
            "TopicId: ",
        ],
    )?;
    let faulty = say(TOPICS, &format!("{at} --describe --under-replicated-partitions"))?;
    ensure!(!faulty.contains(&topic), "under-replicated: {faulty}");
    let unavailable = say(TOPICS, &format!("{at} --describe --unavailable-partitions"))?;
    ensure!(!unavailable.contains(&topic), "unavailable: {unavailable}");
    say(TOPICS, &format!("{at} --delete --topic {topic}"))?;
    ensure!(
        !say(TOPICS, &format!("{at} --list"))?
            .lines()
            .any(|line| line == topic),
        "still listed"
    );
    Ok(())
}

#[test]
fn console() -> Result<()> {
    let topic = format!("console-{}", program::unique());
    create(&topic, 1)?;
    let keyed = "--reader-property parse.key=true --reader-property key.separator=:";
    tool(
        PRODUCER,
        &format!("--bootstrap-server BROKER --topic {topic} {keyed} --compression-codec zstd"),
    )?
    .input("a:1\nb:2\nc:3\n")
    .run()?;
    let shown = "--formatter-property print.key=true --formatter-property print.offset=true";
    let read = "--bootstrap-server BROKER --from-beginning --max-messages 3 --timeout-ms 30000";
    let out = say(CONSUMER, &format!("{read} --topic {topic} {shown}"))?;
    ensure!(
        out == "Offset:0\ta\t1\nOffset:1\tb\t2\nOffset:2\tc\t3\n",
        "got {out:?}"
    );
    let one = say(
        CONSUMER,
        &format!(
            "--bootstrap-server BROKER --topic {topic} --partition 0 --offset 1 --max-messages 1 --timeout-ms 30000"
        ),
    )?;
    ensure!(one == "2\n", "got {one:?}");
    let group =
        format!("{read} --topic {topic} --group console-{topic} --command-property group.protocol=consumer");
    ensure!(
        say(CONSUMER, &group)? == "1\n2\n3\n",
        "a group of the new protocol reads otherwise"
    );
    Ok(())
}

#[test]
fn consumer_groups() -> Result<()> {
    let topic = format!("cg-{}", program::unique());
    create(&topic, 1)?;
    produce(&topic, "a\nb\nc\nd\n")?;
    let at = "--bootstrap-server BROKER";
    let group = format!("group-{topic}");
    say(
        CONSUMER,
        &format!("{at} --topic {topic} --group {group} --from-beginning --max-messages 4 --timeout-ms 30000"),
    )?;
    ensure!(
        say(GROUPS, &format!("{at} --list"))?
            .lines()
            .any(|line| line.trim() == group),
        "not listed"
    );
    has(&say(GROUPS, &format!("{at} --list --state"))?, &[&group])?;
    has(
        &row(&say(GROUPS, &format!("{at} --list --type"))?, &[&group])?.join(" "),
        &["Classic"],
    )?;
    let described = tool(GROUPS, &format!("{at} --describe --group {group}"))?.say()?;
    ensure!(
        row(&described.out, &[&group, &topic, "0"])?[3..6] == ["4", "4", "0"],
        "{}",
        described.out
    );
    has(&described.err, &["has no active members"])
        .or_else(|_| has(&described.out, &["has no active members"]))?;
    let state = say(GROUPS, &format!("{at} --describe --group {group} --state"))?;
    has(&row(&state, &[&group])?.join(" "), &["Empty", "0"])?;
    say(GROUPS, &format!("{at} --describe --group {group} --members"))?;
    for (how, offset) in [
        ("--to-earliest", "0"),
        ("--to-latest", "4"),
        ("--to-offset 2", "2"),
        ("--shift-by -1", "1"),
        ("--to-datetime 2100-01-01T00:00:00.000", "4"),
        ("--by-duration PT1H", "0"),
        ("--to-current", "0"),
    ] {
        let reset = say(
            GROUPS,
            &format!("{at} --group {group} --topic {topic} --reset-offsets {how} --execute"),
        )?;
        ensure!(
            row(&reset, &[&group, &topic, "0"])?[3] == offset,
            "{how}: {reset}"
        );
    }
    let export = say(
        GROUPS,
        &format!("{at} --group {group} --all-topics --reset-offsets --to-current --export --dry-run"),
    )?;
    has(&export, &[&topic])?;
    let deleted = say(
        GROUPS,
        &format!("{at} --group {group} --delete-offsets --topic {topic}"),
    )?;
    has(&deleted, &["Successful"])?;
    has(
        &say(GROUPS, &format!("{at} --group {group} --delete"))?,
        &["was successful"],
    )?;
    let missing = tool(GROUPS, &format!("{at} --describe --group {group}"))?.say()?;
    has(&format!("{}{}", missing.out, missing.err), &["not found"])
        .or_else(|_| has(&format!("{}{}", missing.out, missing.err), &["does not exist"]))
}

#[test]
fn configs() -> Result<()> {
    let topic = format!("configs-{}", program::unique());
    create(&topic, 1)?;
    let at = "--bootstrap-server BROKER";
    let of = format!("--entity-type topics --entity-name {topic}");
    let alter = format!("{at} --alter {of} --add-config retention.ms=60000,cleanup.policy=[compact,delete]");
    has(&say(CONFIGS, &alter)?, &["Completed updating config for topic"])?;
    let described = say(CONFIGS, &format!("{at} --describe {of}"))?;
    has(
        &described,
        &[
            "retention.ms=60000",
            "cleanup.policy=compact,delete",
            "DYNAMIC_TOPIC_CONFIG:retention.ms=60000",
        ],
    )?;
    let all = say(CONFIGS, &format!("{at} --describe --all {of}"))?;
    has(
        &all,
        &[
            "segment.bytes=1073741824",
            "DEFAULT_CONFIG:log.segment.bytes=1073741824",
        ],
    )?;
    say(
        CONFIGS,
        &format!("{at} --alter {of} --delete-config retention.ms"),
    )?;
    let left = say(CONFIGS, &format!("{at} --describe {of}"))?;
    ensure!(!left.contains("retention.ms=60000"), "{left}");
    let unknown = tool(CONFIGS, &format!("{at} --alter {of} --add-config no.such.key=1"))?.say()?;
    ensure!(unknown.code == Some(1), "an unknown key was taken: {unknown:?}");
    let cluster = "--entity-type brokers --entity-default";
    say(
        CONFIGS,
        &format!("{at} --alter {cluster} --add-config log.cleaner.backoff.ms=20000"),
    )?;
    has(
        &say(CONFIGS, &format!("{at} --describe {cluster}"))?,
        &["log.cleaner.backoff.ms=20000"],
    )?;
    say(
        CONFIGS,
        &format!("{at} --alter {cluster} --delete-config log.cleaner.backoff.ms"),
    )?;
    let everything = say(CONFIGS, &format!("{at} --describe --entity-type topics"))?;
    has(&everything, &[&topic])
}

#[test]
fn get_offsets() -> Result<()> {
    let topic = format!("go-{}", program::unique());
    create(&topic, 2)?;
    produce(&topic, "a\nb\nc\n")?;
    let total = |time: &str| -> Result<i64> {
        let out = say(
            OFFSETS,
            &format!("--bootstrap-server BROKER --topic {topic} {time}"),
        )?;
        let offsets = out
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{topic}:")))
            .map(|rest| {
                rest.split(':')
                    .nth(1)
                    .unwrap_or_default()
                    .parse::<i64>()
                    .with_context(|| format!("{time}: {out}"))
            });
        offsets.sum()
    };
    for (time, want) in [
        ("", 3),
        ("--time latest", 3),
        ("--time earliest", 0),
        ("--time -1", 3),
        ("--time -2", 0),
    ] {
        ensure!(total(time)? == want, "{time}: {} and not {want}", total(time)?);
    }
    let max = say(
        OFFSETS,
        &format!("--bootstrap-server BROKER --topic {topic} --time max-timestamp"),
    )?;
    has(&max, &[&topic])
}

#[test]
fn delete_records() -> Result<()> {
    let topic = format!("dr-{}", program::unique());
    create(&topic, 1)?;
    produce(&topic, "a\nb\nc\nd\n")?;
    let file = tempfile::NamedTempFile::new()?;
    let request =
        format!(r#"{{"version": 1, "partitions": [{{"topic": "{topic}", "partition": 0, "offset": 3}}]}}"#);
    std::fs::write(file.path(), request)?;
    let args = format!(
        "--bootstrap-server BROKER --offset-json-file {}",
        file.path().display()
    );
    has(
        &say("org.apache.kafka.tools.DeleteRecordsCommand", &args)?,
        &["low_watermark: 3"],
    )?;
    let read = format!(
        "--bootstrap-server BROKER --topic {topic} --from-beginning --max-messages 1 --timeout-ms 30000"
    );
    ensure!(
        say(CONSUMER, &read)? == "d\n",
        "records that were deleted are read"
    );
    Ok(())
}

#[test]
fn transactions() -> Result<()> {
    let topic = format!("tx-{}", program::unique());
    create(&topic, 1)?;
    let class = "org.apache.kafka.tools.TransactionsCommand";
    let perf = format!(
        "--topic {topic} --num-records 100 --record-size 100 --throughput -1 --transactional-id {topic} \
         --transaction-duration-ms 100 --bootstrap-server BROKER"
    );
    has(
        &say("org.apache.kafka.tools.ProducerPerformance", &perf)?,
        &["100 records sent"],
    )?;
    let listed = say(class, "--bootstrap-server BROKER list")?;
    has(&row(&listed, &[&topic])?.join(" "), &["CompleteCommit"])?;
    let described = say(
        class,
        &format!("--bootstrap-server BROKER describe --transactional-id {topic}"),
    )?;
    has(&described, &[&topic, "CompleteCommit"])?;
    let producers = say(
        class,
        &format!("--bootstrap-server BROKER describe-producers --topic {topic} --partition 0"),
    )?;
    has(&producers, &["ProducerId", "None"])?;
    say(
        class,
        &format!("--bootstrap-server BROKER find-hanging --topic {topic}"),
    )?;
    Ok(())
}

/// Transactions whose producers are gone are ended by hand.
#[test]
fn transactions_left_open() -> Result<()> {
    let class = "org.apache.kafka.tools.TransactionsCommand";
    let topic = format!("left-{}", program::unique());
    create(&topic, 1)?;
    let open = "import os, sys\nfrom confluent_kafka import Producer\n\
                p = Producer({'bootstrap.servers': sys.argv[1], 'transactional.id': sys.argv[2]})\n\
                p.init_transactions(40)\np.begin_transaction()\np.produce(sys.argv[2], b'x', partition=0)\n\
                p.flush()\nos._exit(0)";
    let python = clients::install(&["python"])?.join("bin/python");
    Program::new(python)
        .args(["-c", open, Broker::shared()?.address(), &topic])
        .run()?;
    let producers = || -> Result<String> {
        let args = format!("--bootstrap-server BROKER describe-producers --topic {topic} --partition 0");
        let said = say(class, &args)?;
        let last = said
            .lines()
            .last()
            .and_then(|line| line.split_whitespace().last());
        Ok(last.context("no producers")?.to_owned())
    };
    ensure!(producers()? == "0", "no open transaction");
    let abort = format!("--bootstrap-server BROKER abort --topic {topic} --partition 0 --start-offset 0");
    say(class, &abort)?;
    ensure!(producers()? == "None", "the transaction is still open");
    // For its coordinator it is, until that is told, too.
    let end = format!("--bootstrap-server BROKER forceTerminateTransaction --transactionalId {topic}");
    say(class, &end)?;
    let listed = say(class, "--bootstrap-server BROKER list")?;
    has(&row(&listed, &[&topic])?.join(" "), &["Empty"])
}

#[test]
fn log_dirs() -> Result<()> {
    let topic = format!("ld-{}", program::unique());
    create(&topic, 1)?;
    produce(&topic, "a\n")?;
    let args = format!("--bootstrap-server BROKER --describe --topic-list {topic}");
    let out = say("org.apache.kafka.tools.LogDirsCommand", &args)?;
    let json = out
        .lines()
        .find(|line| line.starts_with('{'))
        .context("no JSON")?;
    let json: serde_json::Value = serde_json::from_str(json)?;
    let partition = &json["brokers"][0]["logDirs"][0]["partitions"][0];
    ensure!(partition["partition"] == format!("{topic}-0"), "{json}");
    ensure!(partition["size"].as_i64() > Some(0), "{json}");
    Ok(())
}

#[test]
fn performance() -> Result<()> {
    let topic = format!("perf-{}", program::unique());
    create(&topic, 3)?;
    let perf = format!(
        "--topic {topic} --num-records 20000 --record-size 200 --throughput -1 --bootstrap-server BROKER \
         --command-property acks=all compression.type=lz4"
    );
    has(
        &say("org.apache.kafka.tools.ProducerPerformance", &perf)?,
        &["20000 records sent"],
    )?;
    let args = format!("--topic {topic} --num-records 20000 --bootstrap-server BROKER --timeout 60000");
    let out = say("org.apache.kafka.tools.ConsumerPerformance", &args)?;
    has(&out, &["20000"])?;
    create(&format!("{topic}-e2e"), 1)?;
    let args = format!(
        "--bootstrap-server BROKER --topic {topic}-e2e --num-records 100 --producer-acks 1 --record-size 20"
    );
    has(
        &say("org.apache.kafka.tools.EndToEndLatency", &args)?,
        &["Percentiles"],
    )
}

#[test]
fn verifiable() -> Result<()> {
    let topic = format!("ver-{}", program::unique());
    create(&topic, 2)?;
    let args = format!("--bootstrap-server BROKER --topic {topic} --max-messages 500 --acks -1");
    let out = say("org.apache.kafka.tools.VerifiableProducer", &args)?;
    ensure!(out.matches("producer_send_success").count() == 500, "{out}");
    for protocol in ["classic", "consumer"] {
        let args = format!(
            "--bootstrap-server BROKER --topic {topic} --group-id {protocol}-{topic} --max-messages 500 --reset-policy earliest \
             --group-protocol {protocol} --verbose"
        );
        let Said { code, out, err } = tool("org.apache.kafka.tools.VerifiableConsumer", &args)?.say()?;
        ensure!(code == Some(0), "{protocol}: {out} {err}");
        ensure!(out.matches("\"record_data\"").count() == 500, "{protocol}: {out}");
        has(&out, &["\"success\":true"])?;
    }
    Ok(())
}

#[test]
fn quorum_features_cluster() -> Result<()> {
    let quorum = say(
        "org.apache.kafka.tools.MetadataQuorumCommand",
        "--bootstrap-server BROKER describe --status",
    )?;
    has(
        &quorum,
        &[
            "ClusterId:",
            "LeaderId:",
            "LeaderEpoch:",
            "HighWatermark:",
            "CurrentVoters:",
        ],
    )?;
    let replicas = say(
        "org.apache.kafka.tools.MetadataQuorumCommand",
        "--bootstrap-server BROKER describe --replication",
    )?;
    has(&replicas, &["Leader"])?;
    let features = say(
        "org.apache.kafka.tools.FeatureCommand",
        "--bootstrap-server BROKER describe",
    )?;
    has(
        &features,
        &["metadata.version", "group.version", "transaction.version"],
    )?;
    let id = say(
        "org.apache.kafka.tools.ClusterTool",
        "cluster-id --bootstrap-server BROKER",
    )?;
    has(&id, &["Cluster ID: "])?;
    has(
        &say(
            "org.apache.kafka.tools.ClusterTool",
            "list-endpoints --bootstrap-server BROKER",
        )?,
        &["127.0.0.1"],
    )?;
    say(
        "org.apache.kafka.tools.GroupsCommand",
        "--bootstrap-server BROKER --list",
    )?;
    Ok(())
}

#[test]
fn elections_and_reassignments() -> Result<()> {
    let topic = format!("el-{}", program::unique());
    create(&topic, 1)?;
    let elect = format!("--bootstrap-server BROKER --election-type preferred --topic {topic} --partition 0");
    let out = say("org.apache.kafka.tools.LeaderElectionCommand", &elect)?;
    has(&out, &["Valid replica already elected for partitions"])?;
    let listed = say(
        "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        "--bootstrap-server BROKER --list",
    )?;
    has(&listed, &["No partition reassignments found."])?;
    let dir = tempfile::tempdir()?;
    let plan = dir.path().join("plan.json");
    let where_it_is =
        format!(r#"{{"version":1,"partitions":[{{"topic":"{topic}","partition":0,"replicas":[1]}}]}}"#);
    std::fs::write(&plan, where_it_is)?;
    let reassign = |what: &str| {
        let args = format!(
            "--bootstrap-server BROKER --reassignment-json-file {} {what}",
            plan.display()
        );
        say("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", &args)
    };
    let started = format!("Successfully started partition reassignment for {topic}-0");
    has(&reassign("--execute")?, &[&started])?;
    let completed = format!("Reassignment of partition {topic}-0 is completed.");
    has(&reassign("--verify")?, &[&completed])
}

#[test]
fn client_metrics() -> Result<()> {
    let class = "org.apache.kafka.tools.ClientMetricsCommand";
    let name = format!("metrics-{}", program::unique());
    let alter = format!(
        "--bootstrap-server BROKER --alter --name {name} --metrics org.apache.kafka. --interval 5000"
    );
    has(
        &say(class, &alter)?,
        &[&format!("Altered client metrics config for {name}.")],
    )?;
    let described = say(
        class,
        &format!("--bootstrap-server BROKER --describe --name {name}"),
    )?;
    has(&described, &["interval.ms=5000", "metrics=org.apache.kafka."])?;
    say(
        class,
        &format!("--bootstrap-server BROKER --delete --name {name}"),
    )
    .map(drop)
}

#[test]
fn api_versions() -> Result<()> {
    let out = say(
        "org.apache.kafka.tools.BrokerApiVersionsCommand",
        "--bootstrap-server BROKER",
    )?;
    // Everything that the tool's own client uses must be usable; it prints that word where no version is shared.
    has(
        &out,
        &[
            "Produce(0): ",
            "Fetch(1): ",
            "ConsumerGroupHeartbeat(68): ",
            "DescribeTopicPartitions(75): ",
        ],
    )?;
    for call in [
        "Produce",
        "Fetch",
        "Metadata",
        "OffsetCommit",
        "JoinGroup",
        "EndTxn",
        "DescribeConfigs",
        "ListTransactions",
    ] {
        let line = out
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{call}(")))
            .context(call)?;
        ensure!(
            line.contains("[usable: ") && !line.contains("UNSUPPORTED"),
            "{line}"
        );
    }
    Ok(())
}

/// Without an authorizer the original refuses every call about ACLs, and the tool prints its words.
#[test]
fn acls() -> Result<()> {
    let alice = "--allow-principal User:Alice --operation Read --topic t";
    for (args, words) in [
        ("--list".to_owned(), "No Authorizer is configured on the broker"),
        (
            format!("--add {alice}"),
            "No Authorizer is configured on the broker",
        ),
        (
            format!("--remove --force {alice}"),
            "No Authorizer is configured.",
        ),
    ] {
        let class = "org.apache.kafka.tools.AclCommand";
        let said = tool(class, &format!("--bootstrap-server BROKER {args}"))?.say()?;
        ensure!(said.code == Some(1), "{args}: {said:?}");
        let first = said.out.lines().next().unwrap_or_default();
        ensure!(
            first.ends_with(&format!("SecurityDisabledException: {words}")),
            "{args}: {said:?}"
        );
    }
    Ok(())
}
