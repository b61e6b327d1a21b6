"""The load of `cargo xtask bench kafka`: librdkafka, the same on both sides. Prints one JSON object per run.

Every case first runs for as long as it is told without counting, so that a JVM is warm. Processor time is the server
process's own clock (`SERVER_PID`), exact to the microsecond, read where counting begins and ends.
"""

import json
import os
import sys
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

import rdkafka

KAFKA = os.environ["KAFKA"]
SERVER = int(os.environ["SERVER_PID"])
BASE = {"bootstrap.servers": KAFKA}
# What one call hands to librdkafka for one partition.
BATCH_BYTES = 64_000
# What all producers of a load may queue together, and each of them at least: a few of its batches.
QUEUED_KB, QUEUED_KB_MIN = 65_536, 1024
# Each such call becomes one batch of records of 1000 bytes.
EVEN = {"linger.ms": 200, "batch.num.messages": BATCH_BYTES // 1000, "batch.size": 1_000_000}


def processor_seconds():
    """What the server has used so far: clock_getcpuclockid(3) of another process."""
    return time.clock_gettime((~SERVER << 3) | 2)


class Meter:
    """Counts from its making on."""

    def __init__(self):
        self.began, self.used = time.monotonic(), processor_seconds()

    def figures(self, megabytes):
        used, seconds = processor_seconds() - self.used, time.monotonic() - self.began
        return {"rate": megabytes / seconds, "work": megabytes / max(used, 1e-6), "seconds": seconds, "megabytes": megabytes}


def admin():
    return AdminClient(BASE)


def create(topics, partitions, config=None):
    client = admin()  # must outlive its answer
    wanted = [NewTopic(topic, partitions, 1, config=config or {}) for topic in topics]
    for made in client.create_topics(wanted, operation_timeout=120, request_timeout=120).values():
        made.result(130)
    time.sleep(0.5)


def delete(topics):
    """Gives the disk its room back before the next case."""
    client = admin()
    for gone in client.delete_topics(topics, operation_timeout=60).values():
        gone.result(90)


def stored(topics, partitions):
    """Records that the broker says it holds: what was counted must be there."""
    client = admin()
    asked = {TopicPartition(topic, p): OffsetSpec.latest() for topic in topics for p in range(partitions)}
    return sum(answer.result(60).offset for answer in client.list_offsets(asked).values())


def value(size):
    """Half random, half constant: neither a gift to nor a burden on what compresses."""
    return os.urandom(size // 2) + b"x" * (size - size // 2)


class Load:
    """Producers that take turns, each with its own partitions: those of its topic, or its share of them.

    `partitions` are those of each topic.
    """

    def __init__(self, topics, size, partitions, config, producers=1):
        self.record = value(size)
        self.batch = rdkafka.batch(self.record, max(1, BATCH_BYTES // size))
        self.topics, self.partitions, self.sent = topics, partitions, 0
        sharers = producers // len(topics)
        self.each = partitions // sharers
        self.producers = [
            (rdkafka.Producer({**BASE, "acks": "all", **config}, topics[n // sharers]), n % sharers * self.each)
            for n in range(producers)
        ]

    def send(self, turn):
        """One batch, to the partition whose turn it is."""
        turn, at = divmod(turn, len(self.producers))
        producer, first = self.producers[at]
        self.sent += producer.send(self.batch, first + turn % self.each)

    def flush(self):
        for producer, _ in self.producers:
            producer.flush()

    def run(self, seconds):
        """Sends for so long and waits for all acknowledgements. Answers megabytes."""
        turn, before, end = 0, self.sent, time.monotonic() + seconds
        while time.monotonic() < end:
            self.send(turn)
            turn += 1
        self.flush()
        return (self.sent - before) * len(self.record) / 1e6

    def measure(self, seconds, warm):
        self.run(warm)
        meter, client = Meter(), time.process_time()
        answer = meter.figures(self.run(seconds))
        answer["client"] = answer["megabytes"] / (time.process_time() - client)
        there = stored(self.topics, self.partitions)
        assert there == self.sent, f"{there} of {self.sent} records are there"
        return answer


def produce(size, seconds, warm):
    topic, size = f"produce-{size}", int(size)
    create([topic], 4)
    config = {"linger.ms": 5, "batch.size": 1_000_000, "queue.buffering.max.messages": 500_000, "queue.buffering.max.kbytes": 65_536}
    answer = Load([topic], size, 4, config).measure(float(seconds), float(warm))
    delete([topic])
    return answer


def consume(size, seconds, warm):
    """Reads the same gigabyte from its beginning again and again."""
    topic, size, partitions = f"consume-{size}", int(size), 4
    create([topic], partitions)
    load = Load([topic], size, partitions, {"linger.ms": 5, "batch.size": 1_000_000})
    while load.sent * size < 1e9:
        load.run(1.0)
    # A full queue postpones this client's next fetch by a second unless told otherwise: then the faster broker would wait more.
    queues = {"queued.min.messages": 1_000_000, "fetch.message.max.bytes": 8_000_000, "fetch.queue.backoff.ms": 1}
    c = Consumer({**BASE, "group.id": "bench", "enable.auto.commit": False, **queues})

    def read(until):
        records = 0
        while time.monotonic() < until:
            c.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(partitions)])
            left, stuck = load.sent, time.monotonic() + 60
            while left > 0 and time.monotonic() < max(until, stuck if records == 0 else until):
                for m in c.consume(10_000, 0.2):
                    assert m.error() is None, m.error()
                    left -= 1
            records += load.sent - left
        return records * size / 1e6

    read(time.monotonic() + float(warm))
    meter = Meter()
    answer = meter.figures(read(time.monotonic() + float(seconds)))
    c.close()
    delete([topic])
    return answer


def percentiles(found):
    """In ms."""
    found = sorted(found)
    at = lambda q: found[min(len(found) - 1, int(len(found) * q))] / 1e6  # noqa: E731
    return {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "records": len(found)}


def paced(total, rate, send):
    """Calls `send(i)` at an even rate."""
    began = time.monotonic()
    for i in range(total):
        due = began + i / rate
        while (now := time.monotonic()) < due:
            time.sleep(min(due - now, 0.0005))
        send(i)


def latency(rate, seconds, warm):
    """From before a record is handed to its producer until its consumer has it."""
    topic, rate, seconds, warm = f"latency-{rate}", int(rate), float(seconds), float(warm)
    create([topic], 1)
    c = Consumer({**BASE, "group.id": "bench", "enable.auto.commit": False, "fetch.wait.max.ms": 500, "fetch.queue.backoff.ms": 1})
    c.assign([TopicPartition(topic, 0, OFFSET_END)])
    c.poll(2.0)
    p = Producer({**BASE, "acks": "all", "linger.ms": 0})
    total, filler, found = int(rate * (warm + seconds)), value(1024 - 20), []

    def read():
        end = time.monotonic() + warm + seconds + 30
        while len(found) < total and time.monotonic() < end:
            m = c.poll(0.5)
            if m is not None and m.error() is None:
                found.append(time.monotonic_ns() - int(m.value()[:20]))

    def send(_):
        p.produce(topic, b"%020d" % time.monotonic_ns() + filler, partition=0)
        p.poll(0)

    reader = threading.Thread(target=read)
    reader.start()
    paced(total, rate, send)
    p.flush(30)
    reader.join()
    assert len(found) == total, f"{len(found)} of {total} records came"
    delete([topic])
    return percentiles(found[int(rate * warm) :])


def synced(seconds, warm, producers=16):
    """Acknowledged only once on disk: one record a request, five requests of each producer under way."""
    topic, partitions = "synced", 4
    create([topic], partitions, {"flush.messages": "1"})
    config = {"linger.ms": 0, "batch.num.messages": 1, "max.in.flight.requests.per.connection": 5, "queue.buffering.max.messages": 200}
    record, sent = value(1024), []
    one = rdkafka.batch(record, 1)
    ends = [threading.Event(), threading.Event()]

    def work(n):
        p = rdkafka.Producer({**BASE, "acks": "all", **config}, topic)
        count = 0
        while not ends[1].is_set():
            count += p.send(one, n % partitions)
            if ends[0].is_set():
                counted[n] += 1
        p.flush()
        sent.append(count)

    counted = [0] * int(producers)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(int(producers))]
    for t in threads:
        t.start()
    time.sleep(float(warm))
    ends[0].set()
    meter = Meter()
    time.sleep(float(seconds))
    answer = meter.figures(sum(counted) * 1024 / 1e6)
    answer["records_per_second"] = sum(counted) / answer["seconds"]
    ends[1].set()
    for t in threads:
        t.join()
    there = stored([topic], partitions)
    assert there == sum(sent), f"{there} of {sum(sent)} records are there"
    delete([topic])
    return answer


def growth(partitions, producers, topics, seconds, warm):
    """Throughput at full speed, then how long an acknowledgement takes at 1,000 records a second over all producers.

    With a topic for each producer, a client knows of its own partitions only. With one topic for all, each of them walks
    over all its partitions whenever it wakes: librdkafka's processor time is then what is measured.
    """
    producers, seconds, warm = int(producers), float(seconds), float(warm)
    names = [f"growth-{partitions}-{topics}-{n}" for n in range(int(topics))]
    each = int(partitions) // len(names)
    create(names, each)
    # The same batches, and the same memory for all that waits, whatever the number of partitions and producers: what is
    # compared is the broker, not how a client gathers.
    queued = max(QUEUED_KB // producers, QUEUED_KB_MIN)
    load = Load(names, 1000, each, {**EVEN, "queue.buffering.max.kbytes": queued}, producers)
    answer = load.measure(seconds, warm)
    found = acknowledged(names, each, producers, seconds, warm)
    delete(names)
    return {**answer, **percentiles(found)}


def acknowledged(topics, partitions, producers, seconds, warm, rate=1000, threads=8):
    """Nanoseconds from when a record was due to be sent until it is acknowledged, at an even rate over all producers."""
    record, found = value(1000), []

    def work(n):
        ps = [Producer({**BASE, "acks": "all", "linger.ms": 0}) for _ in range(n, max(producers, threads), threads)]
        began, total = time.monotonic(), int(rate * (warm + seconds) / threads)
        for i in range(total):
            due = began + (i * threads + n) / rate
            while (now := time.monotonic()) < due:
                time.sleep(due - now)
            turn, at = divmod(i, len(ps))
            topic = topics[(at * threads + n) % len(topics)]
            p, done = ps[at], []
            # Where all share one topic, its partitions come in an order that is not the producers'.
            partition = (turn if len(topics) > 1 else (i * threads + n) * 7) % partitions
            p.produce(topic, record, partition=partition, on_delivery=lambda error, _: done.append(error))
            while not done:
                p.poll(1.0)
            assert done[0] is None, done[0]
            if i * threads > rate * warm:
                found.append((time.monotonic() - due) * 1e9)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return found


def partitions(count, gigabytes):
    """Topics of 500 partitions each, the same bytes in every partition."""
    count, made = int(count), 0
    share = max(1, int(float(gigabytes) * 1e9 / count / BATCH_BYTES))
    while made < count:
        topic, number = f"parts-{made}", min(500, count - made)
        create([topic], number)
        load = Load([topic], 1000, number, {**EVEN, "queue.buffering.max.kbytes": 262_144})
        for turn in range(number * share):
            load.send(turn)
        load.flush()
        made += number
    return {"partitions": made}


def ends(count):
    """Asks every partition where it ends, until it knows: each is opened and recovered for it."""
    began, asked = time.monotonic(), 0
    while asked < int(count):
        number = min(500, int(count) - asked)
        try:
            assert stored([f"parts-{asked}"], number) > 0
            asked += number
        except KafkaException as why:
            assert time.monotonic() - began < 300, why
            time.sleep(0.05)
    return {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
    os._exit(0)
