"""Clients that were connected before their broker was killed and stopped, and go on once it is there again.

After each of its turns it leaves a file `ready-N` in the folder TURNS and waits for `go-N`: in between the broker is
started again. Leaders' epochs are told by their rank, since how far they grow is the broker's own affair.
"""

import os

import common
from common import CONNECTION, TIMEOUT_S, check, equal
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

TURNS = 3
RECORDS = 5
BASE = {**CONNECTION, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "log_level": 2}


def turn_over(turn):
    at = os.environ["TURNS"]
    with open(os.path.join(at, f"ready-{turn}"), "w"):
        pass
    common.until(lambda: os.path.exists(os.path.join(at, f"go-{turn}")), "the broker's return", 120)


def read(consumer, count):
    """Records, as they come. Messages of a broker that is away are not ours to judge."""
    messages, end = [], common.deadline()
    while len(messages) < count:
        check(common.time.monotonic() < end, f"{len(messages)} of {count} records came")
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            messages.append(message)
    return messages


def restarts():
    topic, group = common.name("epochs"), common.name("epochs")
    admin = AdminClient(BASE)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(TIMEOUT_S)
    producer = Producer({**BASE, "enable.idempotence": True, "linger.ms": 0})
    consumer = Consumer(
        {
            **BASE,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    partition = TopicPartition(topic, 0)
    epochs, facts = [], []
    for turn in range(TURNS):
        for at in range(RECORDS):
            producer.produce(topic, value=str(turn * RECORDS + at))
        equal(producer.flush(TIMEOUT_S), 0, "records that were not acknowledged")
        messages = read(consumer, RECORDS)
        offsets = range(turn * RECORDS, (turn + 1) * RECORDS)
        equal([m.offset() for m in messages], list(offsets), "offsets")
        equal([int(m.value()) for m in messages], list(offsets), "values")
        of_turn = {m.leader_epoch() for m in messages}
        equal(len(of_turn), 1, "epochs within a turn")
        epochs.extend(of_turn)
        equal(epochs, sorted(set(epochs)), "epochs, each greater than the one before")
        consumer.commit(message=messages[-1], asynchronous=False)
        committed = consumer.committed([partition], TIMEOUT_S)[0]
        asked = {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "by time": OffsetSpec.for_timestamp(1)}
        # One that was there before would ask as a client of the old leader.
        admin, told = AdminClient(BASE), {}
        for what, spec in asked.items():
            found = admin.list_offsets({partition: spec})[partition].result(TIMEOUT_S)
            told[what] = [found.offset, epochs.index(found.leader_epoch)]
        told["committed"] = [committed.offset, epochs.index(committed.leader_epoch)]
        facts.append(told)
        if turn + 1 < TURNS:
            turn_over(turn)
    consumer.close()
    return {"first epoch": epochs[0], "turns": facts}


if __name__ == "__main__":
    common.main({"restarts": restarts})
