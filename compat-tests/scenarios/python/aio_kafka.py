"""aiokafka: the client of asyncio."""

import asyncio

import common
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError
from common import KAFKA, T0, check, equal, name, payload

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


def scenario(coroutine):
    def run():
        return asyncio.run(asyncio.wait_for(coroutine(), 100))

    run.__name__ = coroutine.__name__
    return run


class Admin:
    async def __aenter__(self):
        self.client = AIOKafkaAdminClient(bootstrap_servers=KAFKA)
        await self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()


async def create(topic, partitions=1):
    async with Admin() as a:
        response = await a.create_topics([NewTopic(topic, partitions, 1)])
        equal([t[1] for t in response.topic_errors], [0], "error codes of the creation")
    return topic


def producer(**config):
    return AIOKafkaProducer(bootstrap_servers=KAFKA, **{"acks": "all", **config})


def consumer(*topics, group=None, **config):
    wanted = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "metadata_max_age_ms": 2000, **config}
    return AIOKafkaConsumer(*topics, bootstrap_servers=KAFKA, group_id=group, **wanted)


async def eventually(condition, what):
    end = common.deadline()
    while not await condition():
        check(common.time.monotonic() < end, f"did not happen: {what}")
        await asyncio.sleep(0.05)


async def read_all(topic, partitions=1, **config):
    tps = [TopicPartition(topic, n) for n in range(partitions)]
    async with consumer(**config) as c:
        c.assign(tps)
        await c.seek_to_beginning(*tps)
        ends = await c.end_offsets(tps)
        records, end = [], common.deadline()
        while True:
            if all([await c.position(tp) >= ends[tp] for tp in tps]):
                return records
            check(common.time.monotonic() < end, f"the end was not reached: {ends}")
            for batch in (await c.getmany(timeout_ms=200)).values():
                records += batch


async def send(p, topic, values, **more):
    futures = [await p.send(topic, value, **more) for value in values]
    return await asyncio.gather(*futures)


@scenario
async def round_trip():
    facts = {}
    for codec in CODECS:
        topic = await create(name(f"round-{codec}"), 3)
        async with producer(compression_type=codec, linger_ms=5) as p:
            futures = [
                await p.send(
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
                equal((await f).offset, i // 3, f"offset of {i}")
        seen = set()
        for r in await read_all(topic, 3):
            i = r.partition + 3 * r.offset
            seen.add(i)
            equal(r.key, None if i % 10 == 0 else f"key-{i}".encode(), f"key of {i}")
            equal(r.value, None if i % 25 == 1 else payload(i), f"value of {i}")
            equal(r.timestamp, T0 + i, f"timestamp of {i}")
            equal(list(r.headers), [("n", str(i).encode()), ("empty", b"")], f"headers of {i}")
        equal(len(seen), 300, "records")
        facts[str(codec)] = len(seen)
    return facts


@scenario
async def admin_calls():
    topic = await create(name("admin"), 2)
    facts = {}
    async with Admin() as a:
        facts["again"] = [t[1] for t in (await a.create_topics([NewTopic(topic, 1, 1)])).topic_errors]

        async def two():
            return len((await a.describe_topics([topic]))[0]["partitions"]) == 2

        await eventually(two, "two partitions")
        await a.create_partitions({topic: NewPartitions(total_count=4)})

        async def four():
            return len((await a.describe_topics([topic]))[0]["partitions"]) == 4

        await eventually(four, "four partitions")
        check(topic in await a.list_topics(), "not listed")
        await a.delete_topics([topic])

        async def gone():
            return topic not in await a.list_topics()

        await eventually(gone, "the topic is gone")
    return facts


@scenario
async def group():
    topic, group_id = await create(name("group"), 4), name("group")
    seen = {}

    async def pump(*members):
        for c in members:
            for batch in (await c.getmany(timeout_ms=100)).values():
                for r in batch:
                    equal(r.value, payload(r.offset), "value")
                    seen[r.partition, r.offset] = seen.get((r.partition, r.offset), 0) + 1

    async def pumped(done, what, *members):
        async def step():
            await pump(*members)
            return done()

        await eventually(step, what)

    async with producer() as p:
        for partition in range(4):
            await send(p, topic, [payload(i) for i in range(100)], partition=partition)
        one = consumer(topic, group=group_id, session_timeout_ms=10000, heartbeat_interval_ms=500)
        await one.start()
        await pumped(lambda: len(seen) == 400, "one member reads everything", one)
        await one.commit()
        two = consumer(topic, group=group_id, session_timeout_ms=10000, heartbeat_interval_ms=500)
        starting = asyncio.ensure_future(two.start())
        await pumped(starting.done, "the second member starts", one)
        await pumped(lambda: len(one.assignment()) == 2 and len(two.assignment()) == 2, "two members share", one, two)
        for partition in range(4):
            await send(p, topic, [payload(i) for i in range(100, 120)], partition=partition)
        await pumped(lambda: len(seen) == 480, "both read what is new", one, two)
        await one.commit()
        await two.commit()
        await two.stop()
        await pumped(lambda: len(one.assignment()) == 4, "the partitions come back", one)
        equal(sorted(set(seen.values())), [1], "how often records were read")
        committed = [await one.committed(TopicPartition(topic, n)) for n in range(4)]
        equal(committed, [120] * 4, "committed offsets")
        seen.clear()
        one.seek(TopicPartition(topic, 3), 110)
        await pumped(lambda: len(seen) == 10, "ten records after a seek", one)
        await one.stop()
    return {"committed": committed}


@scenario
async def offsets():
    topic = await create(name("offsets"))
    tp = TopicPartition(topic, 0)
    async with producer() as p:
        for i in range(20):
            await p.send_and_wait(topic, payload(i), timestamp_ms=T0 + 10 * i)
    facts = {}
    async with consumer() as c:
        facts["ends"] = [(await c.beginning_offsets([tp]))[tp], (await c.end_offsets([tp]))[tp]]
        for at in [-1, 0, 15, 190, 191]:
            found = (await c.offsets_for_times({tp: T0 + at}))[tp]
            facts[f"at {at}"] = found and [found.offset, found.timestamp - T0]
        async with Admin() as a:
            await a.delete_records({tp: RecordsToDelete(before_offset=7)})
        facts["after delete"] = [(await c.beginning_offsets([tp]))[tp], len(await read_all(topic))]
    return facts


@scenario
async def transactions():
    source, sink, group_id = await create(name("tx-in")), await create(name("tx-out")), name("tx")
    async with producer() as p:
        await send(p, source, [payload(i) for i in range(30)])
    tp, committed = TopicPartition(source, 0), []
    async with producer(transactional_id=name("tx")) as p, consumer(source, group=group_id, isolation_level="read_committed") as c:
        for commit in (True, False, True):
            batch = []
            while len(batch) < 10:
                batch.append(await asyncio.wait_for(c.getone(), 40))
            await p.begin_transaction()
            for r in batch:
                await p.send(sink, (b"yes " if commit else b"no ") + r.value)
            await p.send_offsets_to_transaction({tp: batch[-1].offset + 1}, group_id)
            await p.flush()
            if commit:
                await p.commit_transaction()
            else:
                await p.abort_transaction()
            # The markers of a transaction are written after its end was answered, and this client reads unstable offsets.
            want = 30 if len(committed) == 2 else 10

            async def stable():
                return await c.committed(tp) == want

            await eventually(stable, f"offset {want} is committed")
            committed.append(want)
    visible = await read_all(sink, isolation_level="read_committed")
    check(all(r.value.startswith(b"yes") for r in visible), "an aborted record is visible")
    return {"committed": committed, "read_committed": len(visible), "all": len(await read_all(sink))}


@scenario
async def idempotent_large_and_empty():
    topic = await create(name("large"))
    big = payload(1, 900_000)
    async with producer(enable_idempotence=True, max_request_size=5_000_000) as p:
        await p.send_and_wait(topic, big)
        await send(p, topic, [payload(i) for i in range(1000)])
        try:
            await p.send_and_wait(topic, payload(2, 2_000_000))
            too_large = "none"
        except KafkaError as e:
            too_large = type(e).__name__
    records = await read_all(topic)
    equal(records[0].value, big, "the large value")
    equal([r.value for r in records[1:]], [payload(i) for i in range(1000)], "the rest in order")
    empty = await create(name("empty"), 2)
    return {"too large": too_large, "empty": len(await read_all(empty, 2))}


if __name__ == "__main__":
    common.main({k: v for k, v in globals().items() if callable(v)})
