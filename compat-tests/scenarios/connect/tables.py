"""Apache Camel's sink writes records of a topic into a table: each is a list in JSON, which a prepared statement is bound to."""

import json
import os
import tempfile

from cassandra.cluster import Cluster
from common import KAFKA, RUN, ask, equal, running, wait_for, worker
from confluent_kafka import Producer

HOST, PORT = os.environ["CASSANDRA"].split(":")
TOPIC, KEYSPACE = f"sales-{RUN}", f"connect_{RUN}"
RECORDS = 500

TABLE = f"CREATE TABLE {KEYSPACE}.sales (id text PRIMARY KEY, amount double, name text, paid boolean, units bigint)"
INSERT = "INSERT INTO sales (id, amount, name, paid, units) VALUES (?, ?, ?, ?, ?)"


def sale(number):
    """A value of every kind that JSON has."""
    return (f"sale {number}", number / 4, None if number % 10 == 0 else f"naïve ☃ {number}", number % 3 == 0, number * 10**12)


def send(sales):
    producer = Producer({"bootstrap.servers": KAFKA})
    for one in sales:
        producer.produce(TOPIC, json.dumps(one), one[0])
    equal(0, producer.flush(60))


def main():
    cluster = Cluster([HOST], int(PORT))
    session = cluster.connect()
    session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.execute(TABLE)
    send(sale(number) for number in range(RECORDS))
    sink = {
        "connector.class": "org.apache.camel.kafkaconnector.CamelSinkConnector",
        "tasks.max": 1,
        "topics": TOPIC,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": False,
        "camel.sink.url": f"cql:{HOST}:{PORT}/{KEYSPACE}?cql={INSERT}",
    }
    plugins = {"plugin_path": os.environ["PLUGINS"], "plugin_discovery": "only_scan"}
    with tempfile.TemporaryDirectory() as folder, worker(folder, 0, **plugins):
        wait_for("the worker", lambda: ask(0, "/connectors") is not None)
        wait_for("the connector", lambda: ask(0, "/connectors/cassandra/config", sink))
        wait_for("its task", lambda: running(0, "cassandra"))

        def written():
            rows = [tuple(row) for row in session.execute(f"SELECT id, amount, name, paid, units FROM {KEYSPACE}.sales")]
            return sorted(rows) if len(rows) == RECORDS else None

        equal(sorted(sale(number) for number in range(RECORDS)), wait_for("the rows", written))
        # What comes later replaces its row.
        send([(*sale(1)[:4], -1)])
        one = lambda: session.execute(f"SELECT units FROM {KEYSPACE}.sales WHERE id = 'sale 1'").one()[0]
        wait_for("the row to be replaced", lambda: one() == -1)
    session.execute(f"DROP KEYSPACE {KEYSPACE}")
    cluster.shutdown()
    print("PASS tables")


if __name__ == "__main__":
    main()
