"""librdkafka, through confluent-kafka."""

import common
from common import CONNECTION, T0, TIMEOUT_S, check, equal, name, payload, until
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
    OFFSET_BEGINNING,
    OFFSET_END,
    IsolationLevel,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


ADMIN = AdminClient({**CONNECTION})


def admin_client():
    return ADMIN


def create(topic, partitions=1, **config):
    dotted = {k.replace("_", "."): v for k, v in config.items()}
    futures = admin_client().create_topics([NewTopic(topic, partitions, 1, config=dotted)], operation_timeout=10)
    futures[topic].result(TIMEOUT_S)
    return topic


def producer(**config):
    dotted = {k.replace("_", "."): v for k, v in config.items()}
    return Producer({**CONNECTION, "linger.ms": 5, **dotted})


def consumer(group, **config):
    dotted = {k.replace("_", "."): v for k, v in config.items()}
    return Consumer(
        {
            **CONNECTION,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **dotted,
        }
    )


def send(p, topic, values, **more):
    """Produces values and returns the delivery reports in order; any failed delivery fails the scenario."""
    reports = []

    def delivered(err, msg):
        reports.append((err, msg))

    for value in values:
        p.produce(topic, value=value, on_delivery=delivered, **more)
        p.poll(0)
    left = p.flush(TIMEOUT_S)
    equal(left, 0, "records left in the queue")
    for err, _ in reports:
        check(err is None, f"delivery failed: {err}")
    return [msg for _, msg in reports]


def read(c, count, seconds=TIMEOUT_S):
    """Polls until `count` records came."""
    end = common.deadline(seconds)
    records = []
    while len(records) < count and common.time.monotonic() < end:
        for msg in c.consume(count - len(records), 0.2):
            check(msg.error() is None, f"consume failed: {msg.error()}")
            records.append(msg)
    equal(len(records), count, "records read")
    return records


def read_all(topic, partitions=1, **config):
    """Reads a topic from the beginning to the end, as a consumer that belongs to no group's assignment."""
    c = consumer(name("reader"), enable_partition_eof=True, **config)
    c.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(partitions)])
    ended, records = set(), []
    end = common.deadline()
    while len(ended) < partitions:
        check(common.time.monotonic() < end, f"end of partitions not reached: {ended}")
        for msg in c.consume(500, 0.2):
            if msg.error() is None:
                records.append(msg)
            elif msg.error().code() == KafkaError._PARTITION_EOF:
                ended.add(msg.partition())
            else:
                raise AssertionError(f"consume failed: {msg.error()}")
    c.close()
    return records


def round_trip():
    facts = {}
    for codec in CODECS:
        topic = create(name(f"round-{codec}"), 3)
        p = producer(compression_type=codec, acks="all")
        for i in range(300):
            p.produce(
                topic,
                key=None if i % 10 == 0 else f"key-{i}",
                value=None if i % 25 == 1 else payload(i),
                partition=i % 3,
                timestamp=T0 + i,
                headers=[("n", str(i).encode()), ("empty", b""), ("null", None), ("n", b"twice")],
            )
        equal(p.flush(TIMEOUT_S), 0, "records left in the queue")
        seen = {}
        for msg in read_all(topic, 3):
            i = msg.partition() + 3 * msg.offset()
            seen[i] = msg
            equal(msg.key(), None if i % 10 == 0 else f"key-{i}".encode(), f"key of {i}")
            equal(msg.value(), None if i % 25 == 1 else payload(i), f"value of {i}")
            equal(msg.timestamp(), (1, T0 + i), f"timestamp of {i}")
            equal(
                msg.headers(),
                [("n", str(i).encode()), ("empty", b""), ("null", None), ("n", b"twice")],
                f"headers of {i}",
            )
        equal(sorted(seen), list(range(300)), "records of the topic")
        facts[codec] = len(seen)
    return facts


def acks():
    """Every level of acknowledgement; acks=0 answers nothing, so its records are awaited by reading."""
    facts = {}
    for level in ["0", "1", "all"]:
        topic = create(name(f"acks-{level}"))
        reports = send(producer(acks=level), topic, [payload(i) for i in range(50)])
        facts[level] = [reports[0].offset(), reports[-1].offset()]
        c = consumer(name("acks"))
        c.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        equal([m.value() for m in read(c, 50)], [payload(i) for i in range(50)], f"records at acks={level}")
        c.close()
    return facts


def log_append_time():
    topic = create(name("appended"), message_timestamp_type="LogAppendTime")
    before = int(common.time.time() * 1000)
    send(producer(), topic, [b"a", b"b"], timestamp=T0)
    after = int(common.time.time() * 1000)
    kinds = []
    for msg in read_all(topic):
        kind, at = msg.timestamp()
        kinds.append(kind)
        check(before - 50 <= at <= after + 50, f"append time {at} not in {before}..{after}")
    return {"kinds": kinds}


def error_of(future):
    """The error code and the broker's message of a call that must fail."""
    try:
        future.result(TIMEOUT_S)
    except KafkaException as e:
        return {"code": e.args[0].name(), "message": e.args[0].str()}
    return {"code": "none"}


def scrub(value):
    """Takes this run's names out of facts."""
    if isinstance(value, str):
        return value.replace(common.RUN, "RUN")
    if isinstance(value, dict):
        return {k: scrub(v) for k, v in value.items()}
    return [scrub(v) for v in value] if isinstance(value, list) else value


def admin_topics():
    a = admin_client()
    topic = name("admin")
    facts = {}
    for future in a.create_topics([NewTopic(topic, 4, 1, config={"retention.ms": "3600000"})]).values():
        future.result(TIMEOUT_S)
    wrong = {
        "again": NewTopic(topic, 1, 1),
        "no partitions": NewTopic(name("zero"), 0, 1),
        "too many replicas": NewTopic(name("replicas"), 1, 3),
        "bad name": NewTopic("bad/name", 1, 1),
        "dot": NewTopic(".", 1, 1),
        "long name": NewTopic("x" * 250, 1, 1),
        "unknown config": NewTopic(name("unknown"), 1, 1, config={"no.such.key": "1"}),
        "bad config": NewTopic(name("badcfg"), 1, 1, config={"retention.ms": "soon"}),
        "bad policy": NewTopic(name("badpol"), 1, 1, config={"cleanup.policy": "burn"}),
    }
    for what, new in wrong.items():
        facts[what] = [error_of(f) for f in a.create_topics([new], request_timeout=20).values()]
    only = name("validated")
    a.create_topics([NewTopic(only, 1, 1)], validate_only=True)[only].result(TIMEOUT_S)
    check(only not in a.list_topics(timeout=TIMEOUT_S).topics, "validate_only created a topic")
    described = a.describe_topics(TopicCollection([topic]))[topic].result(TIMEOUT_S)
    facts["partitions"] = [
        [p.id, p.leader is not None, len(p.replicas), len(p.isr)] for p in described.partitions
    ]
    check(str(described.topic_id) != "AAAAAAAAAAAAAAAAAAAAAA", "the topic has no id")
    facts["missing"] = error_of(a.describe_topics(TopicCollection([name("nowhere")]))[name("nowhere")])
    a.create_partitions([NewPartitions(topic, 6)])[topic].result(TIMEOUT_S)
    until(lambda: len(a.list_topics(topic, timeout=10).topics[topic].partitions) == 6, "six partitions")
    facts["fewer partitions"] = error_of(a.create_partitions([NewPartitions(topic, 2)])[topic])
    facts["same partitions"] = error_of(a.create_partitions([NewPartitions(topic, 6)])[topic])
    facts["partitions of nothing"] = error_of(
        a.create_partitions([NewPartitions(name("nowhere"), 2)])[name("nowhere")]
    )
    send(producer(), topic, [b"x"], partition=5)
    a.delete_topics([topic])[topic].result(TIMEOUT_S)
    until(lambda: topic not in a.list_topics(timeout=10).topics, "the topic is gone")
    facts["delete again"] = error_of(a.delete_topics([topic])[topic])
    create(topic, 1)
    equal(read_all(topic), [], "records of a topic created again")
    return scrub(facts)


def admin_configs():
    a = admin_client()
    topic = create(name("configs"), 1, cleanup_policy="compact", retention_ms="7200000")
    resource = ConfigResource(ResourceType.TOPIC, topic)

    def described():
        entries = a.describe_configs([resource])[resource].result(TIMEOUT_S)
        return {
            k: [e.value, e.is_default, e.source, e.is_read_only, e.is_sensitive] for k, e in entries.items()
        }

    facts = {"created": described()}

    def alter(key, value, op):
        changed = ConfigResource(
            ResourceType.TOPIC, topic, incremental_configs=[ConfigEntry(key, value, incremental_operation=op)]
        )
        return error_of(a.incremental_alter_configs([changed])[changed])

    facts["set"] = alter("max.message.bytes", "2000000", AlterConfigOpType.SET)
    facts["delete"] = alter("retention.ms", None, AlterConfigOpType.DELETE)
    facts["append"] = alter("cleanup.policy", "delete", AlterConfigOpType.APPEND)
    facts["subtract"] = alter("cleanup.policy", "compact", AlterConfigOpType.SUBTRACT)
    facts["append to scalar"] = alter("retention.ms", "5", AlterConfigOpType.APPEND)
    facts["unknown"] = alter("no.such.key", "5", AlterConfigOpType.SET)
    facts["invalid"] = alter("min.insync.replicas", "0", AlterConfigOpType.SET)
    until(lambda: described()["max.message.bytes"][0] == "2000000", "the change is described")
    until(lambda: described()["cleanup.policy"][0] == "delete", "the last change is described")
    now = described()
    facts["now"] = {k: now[k] for k in ["max.message.bytes", "retention.ms", "cleanup.policy"]}
    nowhere = ConfigResource(ResourceType.TOPIC, name("nowhere"))
    facts["missing topic"] = error_of(a.describe_configs([nowhere])[nowhere])
    return scrub(facts)


def broker_configs():
    a = admin_client()
    node = next(iter(a.list_topics(timeout=TIMEOUT_S).brokers))
    resource = ConfigResource(ResourceType.BROKER, str(node))
    entries = a.describe_configs([resource])[resource].result(TIMEOUT_S)
    check("log.retention.ms" in entries, "log.retention.ms is not described")

    def alter(key, value, op):
        changed = ConfigResource(
            ResourceType.BROKER, str(node), incremental_configs=[ConfigEntry(key, value, incremental_operation=op)]
        )
        return error_of(a.incremental_alter_configs([changed])[changed])

    def value():
        e = a.describe_configs([resource])[resource].result(TIMEOUT_S)["log.cleaner.threads"]
        return [e.value, e.source]

    facts = {
        "keys": sorted(entries),
        "read only": alter("broker.rack", "x", AlterConfigOpType.SET),
        "dynamic": alter("log.cleaner.threads", "2", AlterConfigOpType.SET),
    }
    until(lambda: value()[0] == "2", "the change is described")
    facts["changed"] = value()
    facts["back"] = alter("log.cleaner.threads", None, AlterConfigOpType.DELETE)
    until(lambda: value()[0] == "1", "the default is back")
    return facts


def poll_both(members, done, what):
    """Polls the members of a group in turn until `done` holds; returns what was read."""
    records = []
    end = common.deadline()
    while not done():
        check(common.time.monotonic() < end, f"did not happen: {what}; {[m.assignment() for m in members]}")
        for c in members:
            for msg in c.consume(200, 0.1):
                check(msg.error() is None, f"consume failed: {msg.error()}")
                records.append((msg.partition(), msg.offset(), msg.value()))
    return records


def partitions_of(c):
    return sorted(tp.partition for tp in c.assignment())


def group_of_two(**config):
    topic, group = create(name("group"), 4), name("group")
    p = producer()
    for partition in range(4):
        send(p, topic, [payload(i) for i in range(100)], partition=partition)
    one = consumer(group, **config)
    one.subscribe([topic])
    seen = []

    def drained(count):
        return lambda: len({(p, o) for p, o, _ in seen}) >= count

    def pump(members, done, what):
        end = common.deadline()
        while not done():
            check(common.time.monotonic() < end, f"did not happen: {what}")
            for c in members:
                for msg in c.consume(200, 0.1):
                    check(msg.error() is None, f"consume failed: {msg.error()}")
                    seen.append((msg.partition(), msg.offset(), msg.value()))

    pump([one], drained(400), "one member reads all four partitions")
    equal(partitions_of(one), [0, 1, 2, 3], "assignment of the only member")
    one.commit(asynchronous=False)
    two = consumer(group, **config)
    two.subscribe([topic])
    pump(
        [one, two],
        lambda: len(one.assignment()) == 2 and len(two.assignment()) == 2,
        "two members share the partitions",
    )
    equal(sorted(partitions_of(one) + partitions_of(two)), [0, 1, 2, 3], "shared assignment")
    before = len(seen)
    equal(before, 400, "records read again after the rebalance")
    for partition in range(4):
        send(p, topic, [payload(i) for i in range(100, 120)], partition=partition)
    pump([one, two], drained(480), "both read what is new")
    for c in (one, two):
        c.commit(asynchronous=False)
    two.close()
    pump([one], lambda: len(one.assignment()) == 4, "the partitions come back")
    committed = one.committed([TopicPartition(topic, n) for n in range(4)], timeout=TIMEOUT_S)
    equal([tp.offset for tp in committed], [120] * 4, "committed offsets")
    for partition, offset, value in seen:
        equal(value, payload(offset), f"value at {partition}/{offset}")
    one.seek(TopicPartition(topic, 2, 60))
    again = []
    end = common.deadline()
    while len([r for r in again if r[0] == 2]) < 60:
        check(common.time.monotonic() < end, "records after seek did not come")
        again += [(m.partition(), m.offset(), m.value()) for m in one.consume(200, 0.1)]
    equal([r[1] for r in again if r[0] == 2], list(range(60, 120)), "offsets after seek")
    one.close()
    return {"records": len(seen), "committed": [tp.offset for tp in committed]}


def group_classic():
    facts = {}
    for strategy in ["range", "roundrobin", "cooperative-sticky"]:
        common.RUN = common.RUN.split("..")[0] + ".." + strategy
        facts[strategy] = group_of_two(partition_assignment_strategy=strategy, session_timeout_ms=10000)
    return facts


def group_consumer():
    facts = {}
    for assignor in ["uniform", "range"]:
        common.RUN = common.RUN.split("..")[0] + ".." + assignor
        facts[assignor] = group_of_two(group_protocol="consumer", group_remote_assignor=assignor)
    return facts


def group_assignment_interval():
    """Who joins soon after an assignment waits for the next one, as long as the group's own interval says."""
    topic, group, interval_s = create(name("interval"), 4), name("interval"), 8
    a = admin_client()
    entry = ConfigEntry(
        "consumer.assignment.interval.ms", str(interval_s * 1000), incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=[entry])
    facts = {"set": error_of(a.incremental_alter_configs([resource])[resource])}
    described = ConfigResource(ResourceType.GROUP, group)

    def value():
        return a.describe_configs([described])[described].result(TIMEOUT_S)["consumer.assignment.interval.ms"].value

    until(lambda: value() == str(interval_s * 1000), "the interval is described")
    started = common.time.monotonic()
    one, two = (consumer(group, group_protocol="consumer") for _ in range(2))
    one.subscribe([topic])
    poll_both([one], lambda: len(one.assignment()) == 4, "the only member is assigned all")
    two.subscribe([topic])
    poll_both([one, two], lambda: len(two.assignment()) == 2, "the second member is assigned its half")
    facts["waited"] = common.time.monotonic() - started >= interval_s
    for c in (one, two):
        c.close()
    return facts


def group_regex():
    """A KIP-848 subscription by expression sees topics that come later."""
    group = name("regex")
    create(name("rx-a"))
    c = consumer(group, group_protocol="consumer", topic_metadata_refresh_interval_ms=1000)
    c.subscribe([f"^rx-.*-{common.RUN}$".replace("rx-.*-", "rx-[a-z]-")])
    poll_both([c], lambda: len(c.assignment()) == 1, "the first topic is assigned")
    create(name("rx-b"))
    poll_both([c], lambda: len(c.assignment()) == 2, "the second topic is assigned")
    topics = sorted(tp.topic for tp in c.assignment())
    c.close()
    return scrub({"topics": topics})


def static_member():
    """A static member that comes back within its session keeps its partitions without a rebalance."""
    topic, group = create(name("static"), 2), name("static")
    config = {"group_instance_id": "stays", "session_timeout_ms": 20000}
    c = consumer(group, **config)
    c.subscribe([topic])
    poll_both([c], lambda: len(c.assignment()) == 2, "assigned")
    first = c.memberid()
    c.close()
    c = consumer(group, **config)
    c.subscribe([topic])
    poll_both([c], lambda: len(c.assignment()) == 2, "assigned again")
    check(first != c.memberid(), "a returning static member gets a new member id")
    described = admin_client().describe_consumer_groups([group])[group].result(TIMEOUT_S)
    facts = {"members": len(described.members), "instance": [m.group_instance_id for m in described.members]}
    c.close()
    return facts


def group_admin():
    a = admin_client()
    topic, group = create(name("ga"), 2), name("ga")
    send(producer(), topic, [payload(i) for i in range(10)], partition=0)
    c = consumer(group)
    c.subscribe([topic])
    poll_both([c], lambda: len(c.assignment()) == 2, "assigned")
    c.commit(offsets=[TopicPartition(topic, 0, 4, metadata="where I was")], asynchronous=False)
    facts = {}
    described = a.describe_consumer_groups([group])[group].result(TIMEOUT_S)
    facts["active"] = {
        "state": described.state.name,
        "type": described.type.name,
        "assignor": described.partition_assignor,
        "simple": described.is_simple_consumer_group,
        "members": [
            [m.client_id, m.host, sorted(tp.partition for tp in m.assignment.topic_partitions)]
            for m in described.members
        ],
        "coordinator": described.coordinator is not None,
    }
    facts["delete active"] = error_of(a.delete_consumer_groups([group])[group])
    alter = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
    facts["alter active"] = error_of(a.alter_consumer_group_offsets([alter])[group])["code"]
    c.close()

    def state():
        return a.describe_consumer_groups([group])[group].result(TIMEOUT_S).state.name

    until(lambda: state() == "EMPTY", "the group is empty")
    listed = a.list_consumer_groups().result(TIMEOUT_S)
    facts["listed"] = [[g.state.name, g.type.name, g.is_simple_consumer_group] for g in listed.valid if g.group_id == group]
    offsets = a.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(TIMEOUT_S)
    facts["offsets"] = [[tp.partition, tp.offset, tp.metadata] for tp in offsets.topic_partitions]
    a.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 1, 0)])])[group].result(TIMEOUT_S)
    offsets = a.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(TIMEOUT_S)
    facts["altered"] = sorted([tp.partition, tp.offset] for tp in offsets.topic_partitions)
    facts["delete"] = error_of(a.delete_consumer_groups([group])[group])
    facts["delete again"] = error_of(a.delete_consumer_groups([group])[group])
    facts["describe dead"] = state_of_missing(a, group)
    return scrub(facts)


def state_of_missing(a, group):
    try:
        return a.describe_consumer_groups([group])[group].result(TIMEOUT_S).state.name
    except KafkaException as e:
        return e.args[0].name()


def offsets():
    """Watermarks, every special timestamp, offsets for times, deleted records."""
    topic = create(name("offsets"))
    p = producer()
    for i in range(20):
        send(p, topic, [payload(i)], timestamp=T0 + 10 * i)
    c = consumer(name("offsets"))
    tp = TopicPartition(topic, 0)
    facts = {"watermarks": c.get_watermark_offsets(tp, timeout=TIMEOUT_S)}
    for at in [T0 - 1, T0, T0 + 15, T0 + 190, T0 + 191]:
        found = c.offsets_for_times([TopicPartition(topic, 0, at)], timeout=TIMEOUT_S)
        facts[f"at {at - T0}"] = found[0].offset
    a = admin_client()

    def listed(spec, isolation=IsolationLevel.READ_UNCOMMITTED):
        result = a.list_offsets({tp: spec}, isolation_level=isolation)[tp].result(TIMEOUT_S)
        return [result.offset, result.timestamp, result.leader_epoch]

    facts["earliest"] = listed(OffsetSpec.earliest())
    facts["latest"] = listed(OffsetSpec.latest())
    facts["latest committed"] = listed(OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
    facts["max timestamp"] = listed(OffsetSpec.max_timestamp())
    facts["for timestamp"] = listed(OffsetSpec.for_timestamp(T0 + 55))
    low = a.delete_records([TopicPartition(topic, 0, 7)])[tp].result(TIMEOUT_S)
    facts["low watermark"] = low.low_watermark
    facts["after delete"] = c.get_watermark_offsets(tp, timeout=TIMEOUT_S)
    facts["delete beyond"] = error_of(a.delete_records([TopicPartition(topic, 0, 99)])[tp])["code"]
    facts["read"] = [m.offset() for m in read_all(topic)]
    # An offset before the log start is out of range: the reset policy sends the consumer to the earliest.
    c.assign([TopicPartition(topic, 0, 2)])
    facts["reset"] = read(c, 13)[0].offset()
    low = a.delete_records([TopicPartition(topic, 0, OFFSET_END)])[tp].result(TIMEOUT_S)
    facts["all deleted"] = [low.low_watermark, c.get_watermark_offsets(tp, timeout=TIMEOUT_S)]
    c.close()
    return facts


def idempotent():
    topic = create(name("idempotent"), 2)
    p = producer(enable_idempotence=True, compression_type="lz4")
    reports = []
    for i in range(5000):
        while True:
            try:
                p.produce(topic, value=payload(i), partition=i % 2, on_delivery=lambda e, m: reports.append(e or m.offset()))
                break
            except BufferError:
                p.poll(0.1)
        p.poll(0)
    equal(p.flush(TIMEOUT_S), 0, "records left in the queue")
    equal(len([r for r in reports if isinstance(r, int)]), 5000, "deliveries")
    records = read_all(topic, 2)
    for partition in range(2):
        mine = [m for m in records if m.partition() == partition]
        equal([m.offset() for m in mine], list(range(2500)), "offsets")
        equal([m.value() for m in mine], [payload(i) for i in range(partition, 5000, 2)], "values in order")
    return {"records": len(records)}


def transactions():
    source, sink, group = create(name("tx-in")), create(name("tx-out"), 2), name("tx")
    send(producer(), source, [payload(i) for i in range(30)])
    p = producer(transactional_id=name("tx"))
    p.init_transactions(TIMEOUT_S)
    facts = {}
    # Committed, aborted, committed: with offsets of the source in each.
    c = consumer(group, isolation_level="read_committed")
    c.subscribe([source])
    copied = []
    for commit in (True, False, True):
        p.begin_transaction()
        batch = read(c, 10)
        copied += batch
        for msg in batch:
            p.produce(sink, value=(b"yes " if commit else b"no ") + msg.value(), partition=msg.offset() % 2)
        p.flush(TIMEOUT_S)
        p.send_offsets_to_transaction(
            [TopicPartition(source, 0, batch[-1].offset() + 1)], c.consumer_group_metadata(), TIMEOUT_S
        )
        if commit:
            p.commit_transaction(TIMEOUT_S)
        else:
            p.abort_transaction(TIMEOUT_S)
        facts.setdefault("committed", []).append(
            c.committed([TopicPartition(source, 0)], timeout=TIMEOUT_S)[0].offset
        )
    c.close()
    committed = read_all(sink, 2, isolation_level="read_committed")
    everything = read_all(sink, 2, isolation_level="read_uncommitted")
    facts["read_committed"] = [len(committed), all(m.value().startswith(b"yes") for m in committed)]
    facts["read_uncommitted"] = [len(everything), len([m for m in everything if m.value().startswith(b"no")])]
    facts["offsets"] = sorted([m.partition(), m.offset()] for m in everything)
    return facts


def open_transaction():
    """Readers of committed records stop before an open transaction, and a new producer of the same id fences the old."""
    topic = create(name("open"))
    send(producer(), topic, [b"before"])
    p = producer(transactional_id=name("open"), transaction_timeout_ms=30000)
    p.init_transactions(TIMEOUT_S)
    p.begin_transaction()
    p.produce(topic, value=b"open")
    p.flush(TIMEOUT_S)
    send(producer(), topic, [b"after"])
    a = admin_client()
    tp = TopicPartition(topic, 0)

    def latest(level):
        return a.list_offsets({tp: OffsetSpec.latest()}, isolation_level=level)[tp].result(TIMEOUT_S).offset

    facts = {
        "visible": [m.value().decode() for m in read_all(topic, isolation_level="read_committed")],
        "all": [m.value().decode() for m in read_all(topic, isolation_level="read_uncommitted")],
        "stable": latest(IsolationLevel.READ_COMMITTED),
        "high": latest(IsolationLevel.READ_UNCOMMITTED),
    }
    q = producer(transactional_id=name("open"))
    q.init_transactions(TIMEOUT_S)
    facts["after takeover"] = [m.value().decode() for m in read_all(topic, isolation_level="read_committed")]
    try:
        p.commit_transaction(TIMEOUT_S)
        facts["old producer"] = "committed"
    except KafkaException as e:
        facts["old producer"] = [e.args[0].name(), e.args[0].fatal()]
    q.begin_transaction()
    q.produce(topic, value=b"new")
    q.commit_transaction(TIMEOUT_S)
    facts["end"] = [m.value().decode() for m in read_all(topic, isolation_level="read_committed")]
    return facts


def transaction_timeout():
    """A transaction that its producer leaves open is aborted by the broker."""
    topic = create(name("timeout"))
    p = producer(transactional_id=name("timeout"), transaction_timeout_ms=2000)
    p.init_transactions(TIMEOUT_S)
    p.begin_transaction()
    p.produce(topic, value=b"left open")
    p.flush(TIMEOUT_S)
    a, tp = admin_client(), TopicPartition(topic, 0)

    def stable():
        result = a.list_offsets({tp: OffsetSpec.latest()}, isolation_level=IsolationLevel.READ_COMMITTED)
        return result[tp].result(TIMEOUT_S).offset

    equal(stable(), 0, "last stable offset of an open transaction")
    until(lambda: stable() == 2, "the broker aborts the transaction", 30)
    equal(read_all(topic, isolation_level="read_committed"), [], "records of the aborted transaction")
    return {"stable": stable()}


def large_messages():
    topic = create(name("large"))
    big = payload(1, 900_000)
    p = producer(message_max_bytes=20_000_000)
    send(p, topic, [big, big])
    equal([m.value() for m in read_all(topic)], [big, big], "large values")
    outcome = []
    p.produce(topic, value=payload(2, 1_500_000), on_delivery=lambda e, m: outcome.append(e.name() if e else "stored"))
    equal(p.flush(TIMEOUT_S), 0, "records left in the queue")
    huge = create(name("huge"), 1, max_message_bytes="12000000")
    value = payload(3, 10_000_000)
    send(p, huge, [value])
    small = {"fetch_message_max_bytes": 1000, "fetch_max_bytes": 20000, "message_max_bytes": 20000}
    read_back = [m.value() for m in read_all(huge, **small)]
    equal(read_back, [value], "a record larger than the fetch limits")
    return {"too large": outcome}


def empty_topics():
    topic = create(name("empty"), 2)
    c = consumer(name("empty"))
    c.subscribe([topic])
    poll_both([c], lambda: len(c.assignment()) == 2, "assigned")
    check(c.poll(1.0) is None, "an empty topic gave a record")
    tps = [TopicPartition(topic, n) for n in range(2)]
    facts = {
        "watermarks": [c.get_watermark_offsets(tp, timeout=TIMEOUT_S) for tp in tps],
        "committed": [tp.offset for tp in c.committed(tps, timeout=TIMEOUT_S)],
        "for times": [tp.offset for tp in c.offsets_for_times([TopicPartition(topic, 0, T0)], timeout=TIMEOUT_S)],
        "read": len(read_all(topic, 2)),
    }
    c.close()
    return facts


def auto_creation():
    """Producing to a topic that does not exist creates it with the broker's number of partitions."""
    topic = name("auto")
    send(producer(), topic, [b"made"])
    a = admin_client()
    made = a.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    node = next(iter(a.list_topics(timeout=TIMEOUT_S).brokers))
    resource = ConfigResource(ResourceType.BROKER, str(node))
    wanted = int(a.describe_configs([resource])[resource].result(TIMEOUT_S)["num.partitions"].value)
    equal(len(made.partitions), wanted, "partitions of an auto-created topic")
    equal([m.value() for m in read_all(topic, wanted)], [b"made"], "the record")
    return {}


def cluster():
    described = admin_client().describe_cluster().result(TIMEOUT_S)
    check(described.cluster_id, "no cluster id")
    return {
        "nodes": len(described.nodes),
        "controller": described.controller is not None,
        "listed": [[b.host] for b in admin_client().list_topics(timeout=TIMEOUT_S).brokers.values()],
    }


if __name__ == "__main__":
    common.main({k: v for k, v in globals().items() if callable(v)})
