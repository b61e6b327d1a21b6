"""stack_events.py COUNT: what became of the events of the example `events`, by the time of each one's record in Kafka and the write
time of its row in Cassandra. The last line says as JSON: rows a second, seconds from one to the other, when the first row was written."""

import json
import os
import sys

from cassandra.cluster import Cluster
from confluent_kafka import Consumer, TopicPartition

COUNT = int(sys.argv[1])
HOST, PORT = os.environ["CASSANDRA"].split(":")


def posted():
    """When each event came into its topic, in seconds."""
    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA"], "group.id": "stack-events", "enable.auto.commit": False})
    partitions = consumer.list_topics("events", 60).topics["events"].partitions
    consumer.assign([TopicPartition("events", partition, 0) for partition in partitions])
    seen = {}
    while len(seen) < COUNT:
        messages = consumer.consume(1000, timeout=30)
        assert messages, f"only {len(seen)} of {COUNT} events are in the topic"
        for message in messages:
            # Who posts again what was not answered has waited since the first time.
            seen.setdefault(json.loads(message.value())["id"], message.timestamp()[1] / 1e3)
    consumer.close()
    return seen


def stored():
    """When each row was written, in seconds."""
    cluster = Cluster([HOST], int(PORT))
    rows = cluster.connect().execute("SELECT id, writetime(type) FROM events.event", timeout=60)
    seen = {str(event): us / 1e6 for event, us in rows}
    cluster.shutdown()
    return seen


begin, end = posted(), stored()
assert begin.keys() == end.keys(), f"{len(begin)} events, {len(end)} rows"
took = sorted(end[event] - begin[event] for event in begin)
span = max(end.values()) - min(begin.values())
print(json.dumps({"rows": COUNT / span, "p50": took[COUNT // 2], "p99": took[COUNT * 99 // 100], "first": min(end.values())}))
