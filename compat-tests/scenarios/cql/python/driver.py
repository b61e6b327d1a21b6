"""The Python driver, Apache's or Scylla's: whichever is installed."""

import datetime
import decimal
import ipaddress
import os
import ssl
import uuid

import cassandra
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy
from cassandra.protocol import ErrorMessage
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, SimpleStatement, dict_factory
from cassandra.util import Date, Duration, Time

from common import HOST, KEYSPACE, PORT, REPLICATION, equal, main, until

# Whom to trust, where the server speaks TLS.
TLS_CA = os.environ.get("TLS_CA")


def cluster(version=None, compression=False):
    options = {} if version is None else {"protocol_version": version}
    if TLS_CA:
        context = ssl.create_default_context(cafile=TLS_CA)
        if "TLS_KEY" in os.environ:
            context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
        options |= {"ssl_context": context, "ssl_options": {"server_hostname": "localhost"}}
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    return Cluster(
        [HOST], port=PORT, compression=compression, execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        max_schema_agreement_wait=20, connect_timeout=20, control_connection_timeout=20, **options,
    )


def session(version=None, compression=False):
    """A session in the keyspace of this run."""
    opened = cluster(version, compression).connect()
    opened.execute(f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = {REPLICATION}")
    opened.set_keyspace(KEYSPACE)
    return opened


def connect(version=None, compression=False):
    """What the driver finds, and one row there and back."""
    opened = session(version, compression)
    metadata = opened.cluster.metadata
    host = next(iter(metadata.all_hosts()))
    opened.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
    opened.execute("INSERT INTO t (k, v) VALUES (%s, %s)", (1, "x" * 100_000))
    put = opened.prepare("INSERT INTO t (k, v) VALUES (?, ?)")
    opened.execute(put, (2, "y" * 300_000))
    lengths = {row.k: len(row.v) for row in opened.execute("SELECT k, v FROM t")}
    equal(lengths, {1: 100_000, 2: 300_000}, "lengths of the values")
    clients = opened.execute("SELECT connection_stage, keyspace_name, protocol_version, username FROM system_views.clients")
    own = {tuple(row) for row in clients if row.keyspace_name == KEYSPACE}
    equal(own, {("ready", KEYSPACE, opened.cluster.protocol_version, "anonymous")}, "what is told of this client")
    return {
        "protocol": opened.cluster.protocol_version,
        "cluster": metadata.cluster_name,
        "partitioner": metadata.partitioner,
        "datacenter": host.datacenter,
        "rack": host.rack,
        "tokens": len(metadata.token_map.token_to_host_owner) > 0,
        "system keyspaces": sorted(name for name in metadata.keyspaces if name.startswith("system")),
    }


TYPES = {
    "ascii": "abc", "bigint": -(2**63), "blob": b"\x00\xff", "boolean": True, "date": Date(18000),
    "decimal": decimal.Decimal("-123456789.987654321"), "double": 1.5e300, "duration": Duration(1, 2, 3),
    "float": 0.5, "inet": "2001:db8::1", "int": -1, "smallint": 300, "text": "grüße 日本語",
    "time": Time(86_399_999_999_999), "timestamp": datetime.datetime(2020, 1, 2, 3, 4, 5, 678000),
    "timeuuid": uuid.UUID("d2177dd0-eaa2-11de-a572-001b779c76e3"), "tinyint": -128, "uuid": uuid.UUID(int=5),
    "varint": 2**200, "list<int>": [3, 1, 2], "set<text>": {"a", "b"}, "map<text, int>": {"x": 1, "y": 2},
    "tuple<int, text>": (1, "a"), "frozen<map<int, frozen<list<text>>>>": {1: ["a"]}, "vector<float, 3>": [1.0, 2.0, 3.5],
}


def types():
    """Every type as a bound value, there and back."""
    opened = session()
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(TYPES))
    opened.execute(f"CREATE TABLE every (k int PRIMARY KEY, {columns})")
    names = ", ".join(f"c{i}" for i in range(len(TYPES)))
    put = opened.prepare(f"INSERT INTO every (k, {names}) VALUES (?, {', '.join('?' * len(TYPES))})")
    opened.execute(put, [1, *TYPES.values()])
    opened.execute(put, [2, *[None] * len(TYPES)])
    row = opened.execute(opened.prepare(f"SELECT {names} FROM every WHERE k = ?"), [1]).one()
    shown = {}
    for (kind, want), got in zip(TYPES.items(), row):
        shown[kind] = str(sorted(got) if kind.startswith("set") else got)
        if kind not in ("inet", "timestamp"):
            got = set(got) if kind.startswith("set") else dict(got) if "map" in kind else got
            equal(got, want, kind)
    empty = opened.execute(f"SELECT {names} FROM every WHERE k = 2").one()
    equal(set(empty), {None}, "a row of nulls")
    return shown


def paging():
    """Pages of a hundred, forwards with a state that another session takes up."""
    opened = session()
    opened.execute("CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))")
    put = opened.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
    results = execute_concurrent_with_args(opened, put, [(i % 10, i, f"v{i}") for i in range(2000)], concurrency=100)
    equal(all(result.success for result in results), True, "all writes")
    seen = [row.c for row in opened.execute(SimpleStatement("SELECT c FROM t", fetch_size=100))]
    equal(sorted(seen), list(range(2000)), "a scan in pages")
    first = opened.execute(SimpleStatement("SELECT c FROM t WHERE k = 3", fetch_size=30))
    page = [row.c for row in first.current_rows]
    other = session()
    rest = other.execute(SimpleStatement("SELECT c FROM t WHERE k = 3", fetch_size=30), paging_state=first.paging_state)
    equal(page + [row.c for row in rest], list(range(3, 2000, 10)), "one partition, taken up elsewhere")
    counted = opened.execute("SELECT count(*) AS n FROM t").one().n
    return {"rows": len(seen), "first page": len(page), "count": counted}


def batches():
    """Batches, conditions, counters, unset and named values."""
    opened = session()
    opened.execute("CREATE TABLE t (k int, c int, v int, s int static, PRIMARY KEY (k, c))")
    opened.execute("CREATE TABLE n (k int PRIMARY KEY, n counter)")
    put = opened.prepare("INSERT INTO t (k, c, v) VALUES (:k, :c, :v)")
    batch = BatchStatement(BatchType.LOGGED)
    for i in range(20):
        batch.add(put, {"k": i, "c": 1, "v": i})
    batch.add(SimpleStatement("INSERT INTO t (k, s) VALUES (%s, %s)"), (1, 7))
    opened.execute(batch)
    opened.execute(put, {"k": 1, "c": 1, "v": UNSET_VALUE})
    equal(opened.execute("SELECT v, s FROM t WHERE k = 1").one(), (1, 7), "an unset value")
    counters = BatchStatement(BatchType.COUNTER)
    add = opened.prepare("UPDATE n SET n = n + ? WHERE k = 1")
    for i in range(10):
        counters.add(add, [i])
    opened.execute(counters)
    opened.get_execution_profile(EXEC_PROFILE_DEFAULT).row_factory = dict_factory
    once = opened.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?) IF NOT EXISTS")
    answers = [opened.execute(once, [99, 1, i]).one() for i in range(2)]
    swap = opened.prepare("UPDATE t SET v = ? WHERE k = ? AND c = ? IF v = ?")
    swap.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
    answers += [opened.execute(swap, [5, 99, 1, old]).one() for old in (0, 0)]
    return {
        "rows": opened.execute("SELECT count(*) AS n FROM t").one()["n"],
        "counter": opened.execute("SELECT n FROM n").one()["n"],
        "conditional": answers,
    }


def errors():
    """The exceptions and texts of what goes wrong."""
    opened = session()
    opened.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
    shown = {}
    for text in [
        "SELECT nope FROM t", "SELEC", "SELECT * FROM nope", "CREATE TABLE t (k int PRIMARY KEY)", "SELECT * FROM t WHERE v = 1",
        f"CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION}", "INSERT INTO t (k, v) VALUES (1, 'x')", "USE nope_nope",
    ]:
        try:
            opened.execute(text)
            raise AssertionError(f"{text} works")
        except (cassandra.DriverException, ErrorMessage) as error:
            shown[text] = [type(error).__name__, str(error)]
    for level in (ConsistencyLevel.TWO, ConsistencyLevel.QUORUM):
        try:
            opened.execute(SimpleStatement("SELECT * FROM t", consistency_level=level))
            shown[f"consistency {level}"] = "works"
        except NoHostAvailable as tried:
            error = next(iter(tried.errors.values()))
            equal(type(error), cassandra.Unavailable, "the error")
            shown[f"consistency {level}"] = [error.required_replicas, error.alive_replicas]
    warned = opened.execute("SELECT count(*) FROM t")
    shown["warnings"] = warned.response_future.warnings
    return shown


def schema():
    """What the driver's metadata says of what another session makes, and when it hears of it."""
    watching, making = session(), session()
    making.execute("CREATE TYPE address (street text, zip int)")
    making.execute("CREATE TABLE people (id uuid, at timestamp, name text, home frozen<address>, tags set<text>, "
                   "total int, PRIMARY KEY (id, at)) WITH CLUSTERING ORDER BY (at DESC) AND comment = 'who'")
    making.execute("CREATE INDEX by_name ON people (name)")
    making.execute("CREATE MATERIALIZED VIEW by_at AS SELECT * FROM people WHERE id IS NOT NULL AND at IS NOT NULL "
                   "PRIMARY KEY (at, id)")
    keyspace = lambda: watching.cluster.metadata.keyspaces[KEYSPACE]  # noqa: E731
    until(lambda: "by_at" in keyspace().views, "the view arrives in the other session's metadata")
    shown = {"keyspace": keyspace().as_cql_query(), "export": keyspace().export_as_string()}
    making.execute("ALTER TABLE people ADD email text")
    until(lambda: "email" in keyspace().tables["people"].columns, "the new column arrives")
    prepared = watching.prepare("SELECT * FROM people")
    before = len(prepared.result_metadata)
    making.execute("ALTER TABLE people ADD phone text")
    making.execute("INSERT INTO people (id, at, phone) VALUES (00000000-0000-0000-0000-000000000001, 0, '1')")
    row = watching.execute(prepared).one()
    shown["prepared before and after"] = [before, len(row), getattr(row, "phone", None)]
    making.execute("DROP MATERIALIZED VIEW by_at")
    making.execute("DROP TABLE people")
    until(lambda: "people" not in keyspace().tables, "the table leaves the metadata")
    equal(watching.cluster.control_connection.wait_for_schema_agreement(wait_time=5), True, "agreement on the schema")
    return shown


def tracing():
    """A traced statement leaves its session and events behind."""
    opened = session()
    opened.execute("CREATE TABLE t (k int PRIMARY KEY)")
    trace = opened.execute("SELECT * FROM t WHERE k = 1", trace=True).get_query_trace(max_wait_sec=20)
    return {
        "request": trace.request_type, "client": str(ipaddress.ip_address(trace.client)), "query": trace.parameters.get("query"),
        "has events": len(trace.events) > 0, "has duration": trace.duration is not None,
    }


main({
    "connect": connect,
    "connect_v3": lambda: connect(3),
    "connect_v4": lambda: connect(4),
    "connect_v4_lz4": lambda: connect(4, "lz4"),
    "connect_v5": lambda: connect(5),
    "connect_v5_lz4": lambda: connect(5, "lz4"),
    "types": types,
    "paging": paging,
    "batches": batches,
    "errors": errors,
    "schema": schema,
    "tracing": tracing,
})
