//! librdkafka, through confluent-kafka for Python.

mod python;

use compat_tests::scenarios;

fn run(scenario: &str) -> anyhow::Result<()> {
    python::run("confluent", scenario)
}

scenarios!(run:
    acks,
    admin_configs,
    admin_topics,
    auto_creation,
    broker_configs,
    cluster,
    empty_topics,
    group_admin,
    group_assignment_interval,
    group_classic,
    group_consumer,
    group_regex,
    idempotent,
    large_messages,
    log_append_time,
    offsets,
    open_transaction,
    round_trip,
    static_member,
    transaction_timeout,
    transactions,
);
