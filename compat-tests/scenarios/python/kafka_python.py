"""kafka-python: the pure Python client."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import common
from common import KAFKA, T0, check, equal, name, payload, until
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import KafkaError

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


def admin():
    return KafkaAdminClient(bootstrap_servers=KAFKA)


def create(topic, partitions=1, **configs):
    a = admin()
    a.create_topics([NewTopic(topic, partitions, 1, topic_configs={k.replace("_", "."): v for k, v in configs.items()})])
    a.close()
    return topic


def producer(**config):
    return KafkaProducer(bootstrap_servers=KAFKA, **{"acks": "all", "linger_ms": 5, **config})


def consumer(group=None, **config):
    wanted = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **config}
    return KafkaConsumer(bootstrap_servers=KAFKA, group_id=group, **wanted)


def send(p, topic, values, **more):
    futures = [p.send(topic, value, **more) for value in values]
    return [f.get(timeout=40) for f in futures]


def read_all(topic, partitions=1, **config):
    c = consumer(**config)
    tps = [TopicPartition(topic, n) for n in range(partitions)]
    c.assign(tps)
    c.seek_to_beginning(*tps)
    ends = c.end_offsets(tps)
    records, end = [], common.deadline()
    while any(c.position(tp) < ends[tp] for tp in tps):
        check(common.time.monotonic() < end, f"the end was not reached: {ends}")
        for batch in c.poll(timeout_ms=200).values():
            records += batch
    c.close()
    return records


def failed(call):
    try:
        call()
    except KafkaError as e:
        return type(e).__name__
    return "none"


def round_trip():
    facts = {}
    for codec in CODECS:
        topic = create(name(f"round-{codec}"), 3)
        p = producer(compression_type=codec)
        futures = [
            p.send(
                topic,
                value=None if i % 25 == 1 else payload(i),
                key=None if i % 10 == 0 else f"key-{i}".encode(),
                partition=i % 3,
                timestamp_ms=T0 + i,
                headers=[("n", str(i).encode()), ("empty", b"")],
            )
            for i in range(300)
        ]
        for i, f in enumerate(futures):
            equal(f.get(timeout=40).offset, i // 3, f"offset of {i}")
        p.close()
        seen = set()
        for r in read_all(topic, 3):
            i = r.partition + 3 * r.offset
            seen.add(i)
            equal(r.key, None if i % 10 == 0 else f"key-{i}".encode(), f"key of {i}")
            equal(r.value, None if i % 25 == 1 else payload(i), f"value of {i}")
            equal(r.timestamp, T0 + i, f"timestamp of {i}")
            equal(list(r.headers), [("n", str(i).encode()), ("empty", b"")], f"headers of {i}")
        equal(len(seen), 300, "records")
        facts[str(codec)] = len(seen)
    return facts


def admin_calls():
    a = admin()
    topic = create(name("admin"), 2, retention_ms="3600000")
    facts = {
        "again": failed(lambda: a.create_topics([NewTopic(topic, 1, 1)])),
        "replicas": failed(lambda: a.create_topics([NewTopic(name("r"), 1, 3)])),
        "bad name": failed(lambda: a.create_topics([NewTopic("a b", 1, 1)])),
    }
    check(topic in a.list_topics(), "the topic is not listed")
    described = a.describe_topics([topic])[0]
    facts["partitions"] = sorted(p["partition_index"] for p in described["partitions"])
    a.create_partitions({topic: NewPartitions(total_count=4)})
    until(lambda: len(a.describe_topics([topic])[0]["partitions"]) == 4, "four partitions")
    facts["fewer"] = failed(lambda: a.create_partitions({topic: NewPartitions(total_count=1)}))
    check(a.describe_cluster()["cluster_id"], "no cluster id")
    facts["features"] = sorted(k for k in a.api_versions() if k) and "described"
    a.delete_topics([topic])
    until(lambda: topic not in a.list_topics(), "the topic is gone")
    facts["delete again"] = failed(lambda: a.delete_topics([topic]))
    a.close()
    return facts


def group():
    topic, group_id = create(name("group"), 4), name("group")
    p = producer()
    for partition in range(4):
        send(p, topic, [payload(i) for i in range(100)], partition=partition)
    seen = {}

    # Each member is polled in a thread of its own and longer than a rebalance takes, as in an application. A poll that
    # ends between JoinGroup and SyncGroup makes this client join again, so short ones, one after the other, may never settle.
    polls = ThreadPoolExecutor()

    def pump(*members):
        for batches in polls.map(lambda c: c.poll(timeout_ms=4000), members):
            for r in chain.from_iterable(batches.values()):
                equal(r.value, payload(r.offset), "value")
                seen[r.partition, r.offset] = seen.get((r.partition, r.offset), 0) + 1

    def pumped(done, what, *members):
        until(lambda: done() or pump(*members), what, pause=0)

    one = consumer(group_id, session_timeout_ms=10000, heartbeat_interval_ms=500)
    one.subscribe([topic])
    pumped(lambda: len(seen) == 400, "one member reads everything", one)
    one.commit()
    two = consumer(group_id, session_timeout_ms=10000, heartbeat_interval_ms=500)
    two.subscribe([topic])
    pumped(lambda: len(one.assignment()) == 2 and len(two.assignment()) == 2, "two members share", one, two)
    for partition in range(4):
        send(p, topic, [payload(i) for i in range(100, 120)], partition=partition)
    pumped(lambda: len(seen) == 480, "both read what is new", one, two)
    one.commit()
    two.commit()
    two.close()
    pumped(lambda: len(one.assignment()) == 4, "the partitions come back", one)
    equal(sorted(set(seen.values())), [1], "how often records were read")
    committed = [one.committed(TopicPartition(topic, n)) for n in range(4)]
    equal(committed, [120] * 4, "committed offsets")
    one.commit({TopicPartition(topic, 0): OffsetAndMetadata(7, "noted", -1)})
    equal(one.committed(TopicPartition(topic, 0), metadata=True).metadata, "noted", "metadata")
    seen.clear()
    one.seek(TopicPartition(topic, 3), 110)
    pumped(lambda: len(seen) == 10, "ten records after a seek", one)
    a = admin()
    described = a.describe_groups([group_id])
    one.close()
    until(lambda: failed(lambda: a.delete_groups([group_id])) == "none", "the group is deleted")
    a.close()
    return {"groups": len(described), "committed": committed}


def offsets():
    topic = create(name("offsets"))
    p = producer()
    for i in range(20):
        send(p, topic, [payload(i)], timestamp_ms=T0 + 10 * i)
    tp = TopicPartition(topic, 0)
    c = consumer()
    facts = {"ends": [c.beginning_offsets([tp])[tp], c.end_offsets([tp])[tp]]}
    for at in [-1, 0, 15, 190, 191]:
        found = c.offsets_for_times({tp: T0 + at})[tp]
        facts[f"at {at}"] = found and [found.offset, found.timestamp - T0]
    a = admin()
    a.delete_records({tp: 7})
    facts["after delete"] = [c.beginning_offsets([tp])[tp], len(read_all(topic))]
    a.close()
    c.close()
    return facts


def transactions():
    source, sink, group_id = create(name("tx-in")), create(name("tx-out")), name("tx")
    send(producer(), source, [payload(i) for i in range(30)])
    p = producer(transactional_id=name("tx"))
    p.init_transactions()
    c = consumer(group_id, isolation_level="read_committed", max_poll_records=10)
    c.subscribe([source])
    committed = []
    for commit in (True, False, True):
        batch = []
        until(lambda: batch.extend(r for b in c.poll(timeout_ms=200, max_records=10 - len(batch)).values() for r in b) or len(batch) == 10, "a batch")
        p.begin_transaction()
        for r in batch:
            p.send(sink, (b"yes " if commit else b"no ") + r.value)
        p.send_offsets_to_transaction({TopicPartition(source, 0): OffsetAndMetadata(batch[-1].offset + 1, "", -1)}, c.group_metadata())
        p.flush()
        if commit:
            p.commit_transaction()
        else:
            p.abort_transaction()
        committed.append(c.committed(TopicPartition(source, 0)))
    visible = read_all(sink, isolation_level="read_committed")
    check(all(r.value.startswith(b"yes") for r in visible), "an aborted record is visible")
    return {"committed": committed, "read_committed": len(visible), "all": len(read_all(sink))}


def large_and_empty():
    topic = create(name("large"))
    big = payload(1, 900_000)
    p = producer(max_request_size=5_000_000)
    send(p, topic, [big])
    equal(read_all(topic)[0].value, big, "the large value")
    too_large = failed(lambda: p.send(topic, payload(2, 2_000_000)).get(timeout=40))
    empty = create(name("empty"), 2)
    return {"too large": too_large, "empty": len(read_all(empty, 2))}


if __name__ == "__main__":
    common.main({k: v for k, v in globals().items() if callable(v)})
