"""The load of `cargo xtask bench kafka`: librdkafka, the same on both sides. Prints one JSON object per run."""

import json
import os
import sys
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

KAFKA = os.environ["KAFKA"]
BASE = {"bootstrap.servers": KAFKA}


def create(topic, partitions, config=None):
    admin = AdminClient(BASE)  # must outlive its answer
    made = admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})], operation_timeout=120, request_timeout=120)
    made[topic].result(130)
    time.sleep(0.5)


def value(size):
    """Half random, half constant: neither a gift to nor a burden on what compresses."""
    return os.urandom(size // 2) + b"x" * (size - size // 2)


def fill(p, topic, partitions, size, count, offset=0):
    """Queues `count` records; waits while the queue is full."""
    record = value(size)
    for i in range(count):
        while True:
            try:
                p.produce(topic, record, partition=(i + offset) % partitions)
                break
            except BufferError:
                p.poll(0.01)
        if i % 1000 == 0:
            p.poll(0)


def produce(topic, size, megabytes, partitions=4):
    size, partitions = int(size), int(partitions)
    count = int(float(megabytes) * 1_000_000 / size)
    create(topic, partitions)
    p = Producer({**BASE, "acks": "all", "linger.ms": 5, "batch.size": 1_000_000, "queue.buffering.max.messages": 500_000})
    began = time.monotonic()
    fill(p, topic, partitions, size, count)
    assert p.flush(300) == 0, "records were left"
    seconds = time.monotonic() - began
    return {"seconds": seconds, "megabytes": count * size / 1e6, "records": count}


def consume(topic, size, count, partitions=4):
    c = Consumer({**BASE, "group.id": "bench", "enable.auto.commit": False, "queued.min.messages": 1_000_000, "fetch.message.max.bytes": 8_000_000})
    c.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(int(partitions))])
    count, read, began = int(count), 0, time.monotonic()
    while read < count:
        for m in c.consume(10_000, 1.0):
            assert m.error() is None, m.error()
            read += 1
        assert time.monotonic() - began < 300, f"{read} of {count}"
    seconds = time.monotonic() - began
    c.close()
    return {"seconds": seconds, "megabytes": read * int(size) / 1e6, "records": read}


def latency(topic, rate, seconds, partitions=1):
    """From before a record is handed to its producer until its consumer has it."""
    rate, seconds, partitions = int(rate), float(seconds), int(partitions)
    create(topic, partitions)
    c = Consumer({**BASE, "group.id": "bench", "enable.auto.commit": False, "fetch.wait.max.ms": 500, "fetch.queue.backoff.ms": 1})
    c.assign([TopicPartition(topic, p, OFFSET_END) for p in range(partitions)])
    c.poll(2.0)
    p = Producer({**BASE, "acks": "all", "linger.ms": 0})
    total, filler, found = int(rate * seconds), value(1024 - 20), []

    def read():
        end = time.monotonic() + seconds + 30
        while len(found) < total and time.monotonic() < end:
            m = c.poll(0.5)
            if m is not None and m.error() is None:
                found.append(time.monotonic_ns() - int(m.value()[:20]))

    reader = threading.Thread(target=read)
    reader.start()
    began = time.monotonic()
    for i in range(total):
        due = began + i / rate
        while (now := time.monotonic()) < due:
            time.sleep(min(due - now, 0.0005))
        p.produce(topic, b"%020d" % time.monotonic_ns() + filler, partition=i % partitions)
        p.poll(0)
    p.flush(30)
    reader.join()
    assert len(found) == total, f"{len(found)} of {total} records came"
    found = sorted(found[total // 10 :])
    at = lambda q: found[min(len(found) - 1, int(len(found) * q))] / 1e6  # noqa: E731
    return {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999)}


def synced(topic, count, producers=8):
    """Acknowledged only once on disk: small requests of several producers, each waiting for its acknowledgements."""
    count, producers = int(count), int(producers)
    create(topic, 4, {"flush.messages": "1"})
    record, times = value(1024), []

    def work(n):
        p = Producer({**BASE, "acks": "all", "linger.ms": 0, "max.in.flight.requests.per.connection": 1})
        for i in range(count // producers):
            sent = time.monotonic()
            p.produce(topic, record, partition=(n + i) % 4)
            assert p.flush(60) == 0, "a record was left"
            times.append(time.monotonic() - sent)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(producers)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds = time.monotonic() - began
    times.sort()
    return {"records_per_second": len(times) / seconds, "p50": times[len(times) // 2] * 1e3, "p99": times[int(len(times) * 0.99)] * 1e3}


def many(topic, partitions, producers, megabytes):
    """Throughput with many partitions and producers; every producer writes to its share of the partitions."""
    partitions, producers = int(partitions), int(producers)
    create(topic, partitions)
    count = int(float(megabytes) * 1_000_000 / 1024 / producers)
    ps = [Producer({**BASE, "acks": "all", "linger.ms": 20, "queue.buffering.max.messages": 100_000}) for _ in range(producers)]
    began = time.monotonic()
    if producers == 1:
        fill(ps[0], topic, partitions, 1024, count)
    else:
        record = value(1024)
        for i in range(count):
            for n, p in enumerate(ps):
                p.produce(topic, record, partition=(n * 5 + i % 5) % partitions)
                p.poll(0)
    for p in ps:
        assert p.flush(300) == 0, "records were left"
    seconds = time.monotonic() - began
    return {"seconds": seconds, "megabytes": count * producers * 1024 / 1e6}


def partitions(prefix, count):
    """Creates topics of 500 partitions each."""
    made = 0
    while made < int(count):
        create(f"{prefix}-{made}", min(500, int(count) - made))
        made += 500
    return {"partitions": int(count)}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
    os._exit(0)
