"""Producers that live through kills of the broker, and the reader that checks them record by record.

`crash.py produce` runs until the file named by STOP appears, writing one line per acknowledged record or ended transaction to
LEDGER. `crash.py verify` then reads everything back: nothing acknowledged may be lost, nothing may be there twice, and no record
of an aborted transaction may be visible to a reader of committed records. `fill` and `filled` do the same for one large topic.
"""

import json
import os
import threading

import common
from common import KAFKA, check, equal
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

PARTITIONS = 3
IDEMPOTENT, TRANSACTIONAL, FULL = "crash-idempotent", "crash-transactional", "crash-full"
RECORD_BYTES = 65536
BASE = {
    "bootstrap.servers": KAFKA,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "retry.backoff.ms": 50,
    "socket.connection.setup.timeout.ms": 2000,
    "topic.metadata.refresh.interval.ms": 2000,
    "log_level": 2,
}


class Ledger:
    """What was acknowledged, one line each, written before the next record is sent."""

    def __init__(self):
        self.lock = threading.Lock()
        self.file = open(os.environ["LEDGER"], "a", buffering=1)

    def add(self, *line):
        with self.lock:
            print(*line, file=self.file)


def stopped():
    return os.path.exists(os.environ["STOP"])


def create():
    admin = AdminClient(BASE)
    topics = [NewTopic(t, PARTITIONS, 1) for t in (IDEMPOTENT, TRANSACTIONAL)]
    for future in admin.create_topics(topics).values():
        future.result(30)


def idempotent(ledger):
    """Numbered records, acknowledged in any number of retries but stored once and in order."""
    p = Producer({**BASE, "enable.idempotence": True, "linger.ms": 2, "message.timeout.ms": 0, "queue.buffering.max.messages": 500})
    sent = 0

    def delivered(err, msg):
        if err is None:
            ledger.add("i", msg.partition(), msg.value().decode(), msg.offset())
        else:
            ledger.add("failed", err.name())

    while not stopped():
        try:
            p.produce(IDEMPOTENT, value=str(sent), partition=sent % PARTITIONS, on_delivery=delivered)
            sent += 1
        except BufferError:
            p.poll(0.05)
        p.poll(0)
        if sent % 20 == 0:
            common.time.sleep(0.002)
    equal(p.flush(90), 0, "idempotent records that were never answered")


def transactional(ledger):
    """Transactions of a few records each, every third aborted on purpose; the outcome of each is written down."""
    number, p = 0, None
    while not stopped():
        number += 1
        try:
            if p is None:
                p = Producer({**BASE, "transactional.id": "crash", "transaction.timeout.ms": 20000, "message.timeout.ms": 15000})
                p.init_transactions(60)
            p.begin_transaction()
            for partition in range(PARTITIONS):
                p.produce(TRANSACTIONAL, value=f"{number}/{partition}", partition=partition)
            if number % 3 == 0:
                p.flush(20)
                ended(p, p.abort_transaction)
                ledger.add("aborted", number)
            else:
                ended(p, p.commit_transaction)
                ledger.add("committed", number)
        except (KafkaException, BufferError) as e:
            error = e.args[0] if isinstance(e, KafkaException) else None
            if isinstance(error, KafkaError) and error.txn_requires_abort():
                try:
                    ended(p, p.abort_transaction)
                    ledger.add("aborted", number)
                    continue
                except KafkaException:
                    pass
            # Nobody knows how this one ended: all of its records or none may be there.
            ledger.add("unknown", number)
            p = None


def ended(p, call):
    """Ends a transaction, as often as the client says that it may be tried again."""
    end = common.deadline(60)
    while True:
        try:
            return call(15)
        except KafkaException as e:
            if not e.args[0].retriable() or common.time.monotonic() > end:
                raise


def produce():
    create()
    ledger = Ledger()
    failures = []

    def guarded(work):
        try:
            work(ledger)
        except Exception as e:  # noqa: BLE001 whatever it is, the run has failed
            failures.append(repr(e))

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (idempotent, transactional)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(failures, [], "failures")
    return {}


def read(topic, level):
    c = Consumer({**BASE, "group.id": "crash-check", "enable.auto.commit": False, "isolation.level": level, "enable.partition.eof": True})
    c.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    records, ended_partitions, end = [[] for _ in range(PARTITIONS)], set(), common.deadline(90)
    while len(ended_partitions) < PARTITIONS:
        check(common.time.monotonic() < end, f"the end of {topic} was not reached")
        for msg in c.consume(5000, 0.2):
            if msg.error() is None:
                records[msg.partition()].append((msg.offset(), msg.value().decode()))
            else:
                equal(msg.error().code(), KafkaError._PARTITION_EOF, f"error of {topic}")
                ended_partitions.add(msg.partition())
    c.close()
    return records


def verify():
    acknowledged, outcome, failed = {}, {}, 0
    with open(os.environ["LEDGER"]) as ledger:
        for line in ledger:
            kind, *rest = line.split()
            if kind == "i":
                acknowledged[int(rest[0]), int(rest[1])] = int(rest[2])
            elif kind == "failed":
                failed += 1
            else:
                outcome[int(rest[0])] = kind
    equal(failed, 0, "idempotent records that failed for good")
    # A ledger of transactions alone is from another client.
    for partition, records in enumerate(read(IDEMPOTENT, "read_uncommitted") if acknowledged else []):
        values = [int(v) for _, v in records]
        equal(len(values), len(set(values)), f"distinct records of partition {partition}")
        equal(values, sorted(values), f"order of partition {partition}")
        at = {v: o for o, v in ((o, int(v)) for o, v in records)}
        for (p, value), offset in acknowledged.items():
            if p == partition:
                check(value in at, f"acknowledged record {value} of partition {partition} at offset {offset} is lost")
                check(offset in (-1, at[value]), f"record {value} was acknowledged at {offset} and is at {at[value]}")
    seen = {}
    for partition, records in enumerate(read(TRANSACTIONAL, "read_committed")):
        for _, value in records:
            number, of = map(int, value.split("/"))
            equal(of, partition, "partition of a transaction's record")
            check((number, partition) not in seen, f"record {value} is there twice")
            seen[number, partition] = True
    for number, kind in outcome.items():
        there = sum((number, p) in seen for p in range(PARTITIONS))
        if kind == "committed":
            equal(there, PARTITIONS, f"visible records of the committed transaction {number}")
        elif kind == "aborted":
            equal(there, 0, f"visible records of the aborted transaction {number}")
        else:
            check(there in (0, PARTITIONS), f"{there} of {PARTITIONS} records of transaction {number} are visible")
    kinds = list(outcome.values())
    return {"acknowledged": len(acknowledged), **{k: kinds.count(k) for k in ("committed", "aborted", "unknown")}}


def fill():
    """Writes FILL_BYTES to FILL_PARTITIONS partitions in turn, and to LEDGER where each of them ends by what was acknowledged."""
    partitions, ends, failures = int(os.environ["FILL_PARTITIONS"]), {}, []
    admin = AdminClient(BASE)
    admin.create_topics([NewTopic(FULL, partitions, 1)])[FULL].result(60)
    p = Producer({**BASE, "acks": "all", "linger.ms": 5, "queue.buffering.max.kbytes": 131072, "message.timeout.ms": 120000})
    rest = os.urandom(RECORD_BYTES - 8)

    def delivered(err, msg):
        if err is None:
            ends[msg.partition()] = max(ends.get(msg.partition(), 0), msg.offset() + 1)
        else:
            failures.append(err.name())

    for number in range(int(os.environ["FILL_BYTES"]) // RECORD_BYTES):
        while True:
            try:
                p.produce(FULL, value=number.to_bytes(8, "big") + rest, partition=number % partitions, on_delivery=delivered)
                break
            except BufferError:
                p.poll(0.1)
        p.poll(0)
    equal(p.flush(300), 0, "records that were never answered")
    equal(failures, [], "failures")
    with open(os.environ["LEDGER"], "w") as ledger:
        json.dump(ends, ledger)
    return {"records": sum(ends.values())}


def filled():
    """Every partition ends where it was acknowledged to; the last records of some of them are what was sent."""
    with open(os.environ["LEDGER"]) as ledger:
        ends = {int(partition): end for partition, end in json.load(ledger).items()}
    asked = {TopicPartition(FULL, partition): OffsetSpec.latest() for partition in ends}
    admin = AdminClient(BASE)
    for at, found in admin.list_offsets(asked, request_timeout=60).items():
        equal(found.result(60).offset, ends[at.partition], f"end of partition {at.partition}")
    c = Consumer({**BASE, "group.id": "crash-check", "enable.auto.commit": False})
    read = 0
    for partition in list(ends)[:: max(1, len(ends) // 50)]:
        c.assign([TopicPartition(FULL, partition, ends[partition] - 1)])
        messages = common.until(lambda: c.consume(1, 1), f"the last record of partition {partition}")
        number = partition + (ends[partition] - 1) * int(os.environ["FILL_PARTITIONS"])
        equal(messages[0].value()[:8], number.to_bytes(8, "big"), f"last record of partition {partition}")
        equal(len(messages[0].value()), RECORD_BYTES, "its length")
        read += 1
    c.close()
    return {"partitions": len(ends), "read": read}


if __name__ == "__main__":
    common.RUN = "crash"
    common.main({"produce": produce, "verify": verify, "fill": fill, "filled": filled})
