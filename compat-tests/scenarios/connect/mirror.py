"""MirrorMaker 2 both ways between smack and an original Kafka: a topic of each is on the other, record by record, and a group
finds there where it was."""

import os
import tempfile

from common import KAFKA, RUN, Worker, equal, wait_for
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

TOPIC, GROUP = f"orders-{RUN}", f"readers-{RUN}"
CLUSTERS = {"here": KAFKA, "there": os.environ["OTHER"]}
RECORDS, PARTITIONS = 300, 3


def record(cluster, number):
    return (number % PARTITIONS, f"key-{number}".encode(), f"{cluster} {number}".encode(), [("number", str(number).encode())])


def send(cluster, numbers):
    producer = Producer({"bootstrap.servers": CLUSTERS[cluster]})
    for number in numbers:
        partition, key, value, headers = record(cluster, number)
        producer.produce(TOPIC, value, key, partition, headers=headers, timestamp=1_000_000 + number)
    equal(0, producer.flush(60))


def read_all(cluster, topic):
    """Every record of a topic that has as many as were sent; nothing while it has fewer."""
    consumer = Consumer({"bootstrap.servers": CLUSTERS[cluster], "group.id": f"check-{RUN}", "enable.auto.commit": False})
    try:
        if topic not in consumer.list_topics(timeout=60).topics:
            return None
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        seen = []
        while messages := consumer.consume(RECORDS + 1, timeout=5):
            seen += [(one.partition(), one.key(), one.value(), one.headers(), one.timestamp()[1]) for one in messages if not one.error()]
            if len(seen) >= RECORDS:
                break
        return sorted(seen) if len(seen) >= RECORDS else None
    finally:
        consumer.close()


def commit(cluster, offset):
    consumer = Consumer({"bootstrap.servers": CLUSTERS[cluster], "group.id": GROUP})
    consumer.commit(offsets=[TopicPartition(TOPIC, partition, offset) for partition in range(PARTITIONS)], asynchronous=False)
    consumer.close()


def committed(cluster, topic):
    partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    admin = AdminClient({"bootstrap.servers": CLUSTERS[cluster]})
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, partitions)])
    return [partition.offset for partition in asked[GROUP].result(60).topic_partitions]


def properties():
    ways = {}
    for way in ("here->there", "there->here"):
        ways |= {f"{way}.enabled": "true", f"{way}.topics": TOPIC, f"{way}.groups": GROUP}
    kinds = ("replication", "checkpoints.topic.replication", "heartbeats.topic.replication", "offset-syncs.topic.replication")
    kinds += ("offset.storage.replication", "status.storage.replication", "config.storage.replication")
    return {
        "clusters": "here, there",
        **{f"{name}.bootstrap.servers": address for name, address in CLUSTERS.items()},
        # With each flush it is told which offset is which, once a minute by default. A worker only hears what its target is told.
        **{f"{name}.offset.flush.interval.ms": 1000 for name in CLUSTERS},
        **ways,
        **{f"{kind}.factor": 1 for kind in kinds},
        "sync.group.offsets.enabled": "true",
        "sync.group.offsets.interval.seconds": 1,
        "emit.checkpoints.interval.seconds": 1,
        "refresh.topics.interval.seconds": 5,
        "refresh.groups.interval.seconds": 5,
        "offset.lag.max": 0,
    }


def main():
    for cluster, address in CLUSTERS.items():
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(60)
        send(cluster, range(RECORDS))
        commit(cluster, RECORDS // PARTITIONS)
    with tempfile.TemporaryDirectory() as folder:
        with Worker(folder, "mirror", "org.apache.kafka.connect.mirror.MirrorMaker", properties()):
            for source, target in (("here", "there"), ("there", "here")):
                copy = f"{source}.{TOPIC}"
                expected = sorted((*record(source, number), 1_000_000 + number) for number in range(RECORDS))
                equal(expected, wait_for(f"{copy}", lambda: read_all(target, copy)))
                # The group stood at the end, and so it does in the copy.
                wait_for(f"the group in {copy}", lambda: committed(target, copy) == [RECORDS // PARTITIONS] * PARTITIONS)
    print("PASS mirror")


if __name__ == "__main__":
    main()
