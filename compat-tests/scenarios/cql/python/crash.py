"""Writers that live through kills of the server, and the check of what it may not have lost.

Every writer notes in a ledger what was acknowledged, and what was tried but not answered: that may be there or not.
  plain        INSERTs, each its own row: all acknowledged ones are there
  conditional  one register moved from n to n + 1 by IF: its value is the last acknowledged step, or the one tried after it
  contended    another register, moved by several at once, each to values of its own: what was applied, refused and read is
               linearizable
  batches      logged batches of five partitions: all rows of a batch are there or none, and all of an acknowledged one
  counters     increments: at least as many as were acknowledged, at most as many as were tried
  moves        rows of few keys whose indexed value moves, is deleted, comes again: the table's index and its view show what
               the table shows
  settled      rows that are written and moved once, and never touched again: what a kill tears stays torn, and both indexes
               and the view would show it
"""

import json
import os
import pathlib
import threading
import time

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import ConstantReconnectionPolicy, FallthroughRetryPolicy
from cassandra.query import BatchStatement, SimpleStatement

from common import HOST, KEYSPACE, PORT, REPLICATION, equal, main

LEDGER = pathlib.Path(os.environ["LEDGER"])
READY = pathlib.Path(os.environ["READY"])
STOP = pathlib.Path(os.environ["STOP"])


def connect():
    profile = ExecutionProfile(request_timeout=5, retry_policy=FallthroughRetryPolicy())
    for _ in range(300):
        try:
            return Cluster([HOST], port=PORT, reconnection_policy=ConstantReconnectionPolicy(0.1, None), connect_timeout=5,
                           execution_profiles={EXEC_PROFILE_DEFAULT: profile}).connect()
        except Exception:  # noqa: BLE001 the server may be down at this moment
            time.sleep(0.2)
    raise AssertionError("no connection in a minute")


class Writer:
    """One kind of write, again and again until told to stop."""

    def __init__(self, session):
        self.session, self.tried, self.acknowledged = session, 0, []

    def run(self):
        while not STOP.exists():
            number = self.tried
            self.tried += 1
            try:
                if self.write(number):
                    self.acknowledged.append(number)
            except Exception:  # noqa: BLE001 whatever it is, this write was not acknowledged
                time.sleep(0.05)


class Plain(Writer):
    def write(self, number):
        self.session.execute(f"INSERT INTO {KEYSPACE}.plain (k, v) VALUES (%s, %s)", (number, f"value {number}"))
        return True


class Conditional(Writer):
    """The register's steps are its own, so that an unanswered one can be told from an applied one."""

    at = 0

    def write(self, number):
        # A write of this statement that timed out may still be under way: reading at SERIAL finishes it.
        read = SimpleStatement(f"SELECT v FROM {KEYSPACE}.register WHERE k = 0", consistency_level=8)
        now = self.session.execute(read).one().v
        if not self.at <= now <= self.at + 1:
            raise SystemExit(f"the register is at {now} after {self.at} was acknowledged")
        self.at = now
        text = f"UPDATE {KEYSPACE}.register SET v = %s WHERE k = 0 IF v = %s"
        applied = self.session.execute(text, (now + 1, now)).one().applied
        if applied:
            self.at = now + 1
        return applied


class Contender(Writer):
    """One of several who move one register from what they read to a value that nobody else writes."""

    ALL = 4

    def __init__(self, session, who):
        super().__init__(session)
        # Steps: from, to, when it was asked for and when it was acknowledged. Reads: what, from when to when.
        self.who, self.steps, self.reads = who, [], []

    def write(self, number):
        began = time.monotonic()
        text = f"SELECT v FROM {KEYSPACE}.register WHERE k = 1"
        now = self.session.execute(SimpleStatement(text, consistency_level=8)).one().v
        self.reads.append((now, began, time.monotonic()))
        step = [now, 1 + self.who + number * self.ALL, time.monotonic(), None]
        self.steps.append(step)
        text = f"UPDATE {KEYSPACE}.register SET v = %s WHERE k = 1 IF v = %s"
        row = self.session.execute(text, (step[1], now)).one()
        if row.applied:
            step[3] = time.monotonic()
        else:
            self.steps.pop()
            self.reads.append((row.v, step[2], time.monotonic()))
        return row.applied


def linearizable(steps, reads, last):
    """Every value is written once, so the steps' order is known: they form a chain that ends at the last value."""
    never = float("inf")
    steps = {to: (before, began, never if ended is None else ended) for before, to, began, ended in steps}
    chain = [last]
    while chain[-1]:
        chain.append(steps[chain[-1]][0])
    chain.reverse()
    place = {value: at for at, value in enumerate(chain)}
    equal([to for to, (_, _, ended) in steps.items() if ended < never and to not in place], [], "applied steps that are lost")
    # The latest begin of all steps up to a place, and the earliest end of those behind it.
    begun, ended = [0.0] * len(chain), [never] * (len(chain) + 1)
    for at in range(1, len(chain)):
        begun[at] = max(begun[at - 1], steps[chain[at]][1])
    for at in range(len(chain) - 1, 0, -1):
        ended[at] = min(ended[at + 1], steps[chain[at]][2])
    equal([chain[at] for at in range(1, len(chain)) if ended[at + 1] < steps[chain[at]][1]], [], "steps after later ones")
    equal([value for value, _, _ in reads if value not in place], [], "values that were read and not kept")
    reads = sorted((began, until, place[value]) for value, began, until in reads)
    equal([at for began, _, at in reads if ended[at + 1] < began], [], "reads of what was replaced before")
    equal([at for _, until, at in reads if begun[at] > until], [], "reads of what was written later")
    # By when a read began, with the latest value that any read has ended with by then.
    ends, seen = sorted((until, at) for _, until, at in reads), 0
    for began, _, at in reads:
        while ends and ends[0][0] < began:
            seen = max(seen, ends.pop(0)[1])
        equal(at >= seen, True, f"a read of place {at} after one of place {seen}")


class Batches(Writer):
    def write(self, number):
        batch = BatchStatement()
        for part in range(5):
            batch.add(SimpleStatement(f"INSERT INTO {KEYSPACE}.batches (k, part) VALUES (%s, %s)"), (number, part))
        self.session.execute(batch)
        return True


class Counters(Writer):
    def write(self, number):
        self.session.execute(f"UPDATE {KEYSPACE}.counters SET n = n + 1 WHERE k = 0")
        return True


class Moves(Writer):
    """Rows, partitions and ranges of a table with two indexes and a view."""

    def write(self, number):
        p, c, v = number % 7, number // 7 % 11, number % 13
        if number % 97 == 96:
            text = f"DELETE FROM {KEYSPACE}.moves WHERE p = {p}"
        elif number % 29 == 28:
            text = f"DELETE FROM {KEYSPACE}.moves WHERE p = {p} AND c > {c}"
        elif number % 5 == 4:
            text = f"DELETE v FROM {KEYSPACE}.moves WHERE p = {p} AND c = {c}"
        else:
            text = f"UPDATE {KEYSPACE}.moves SET v = {v}, s = s + {{{number % 3}}} WHERE p = {p} AND c = {c}"
        self.session.execute(text)
        return True


class Settled(Writer):
    """Each row is written by one statement and moved by the next."""

    VALUES = 13

    @classmethod
    def value(cls, number):
        """What a row has after a statement."""
        return (number // 2 + number % 2) % cls.VALUES

    def write(self, number):
        k, v = number // 2, self.value(number)
        self.session.execute(f"UPDATE {KEYSPACE}.settled SET v = {v}, w = {v} WHERE k = {k}")
        return True


KINDS = {"plain": Plain, "conditional": Conditional, "batches": Batches, "counters": Counters, "moves": Moves, "settled": Settled}


def write():
    session = connect()
    session.execute(f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = {REPLICATION}")
    for table in ["plain (k int PRIMARY KEY, v text)", "register (k int PRIMARY KEY, v int)",
                  "batches (k int, part int, PRIMARY KEY ((k, part)))", "counters (k int PRIMARY KEY, n counter)"]:
        session.execute(f"CREATE TABLE {KEYSPACE}.{table}")
    for text in ["TABLE {0}.moves (p int, c int, v int, s set<int>, PRIMARY KEY (p, c))", "INDEX moves_v ON {0}.moves (v)",
                 "INDEX moves_s ON {0}.moves (s)",
                 "MATERIALIZED VIEW {0}.moved AS SELECT * FROM {0}.moves WHERE v IS NOT NULL AND p IS NOT NULL AND c IS NOT NULL "
                 "PRIMARY KEY (v, p, c)",
                 "TABLE {0}.settled (k int PRIMARY KEY, v int, w int)", "INDEX settled_v ON {0}.settled (v)",
                 "INDEX settled_w ON {0}.settled (w) USING 'sai'",
                 "MATERIALIZED VIEW {0}.settled_by AS SELECT * FROM {0}.settled WHERE v IS NOT NULL AND k IS NOT NULL "
                 "PRIMARY KEY (v, k)"]:
        session.execute("CREATE " + text.format(KEYSPACE))
    for register in (0, 1):
        session.execute(f"INSERT INTO {KEYSPACE}.register (k, v) VALUES (%s, 0)", (register,))
    contenders = [Contender(session, who) for who in range(Contender.ALL)]
    writers = {name: kind(session) for name, kind in KINDS.items()}
    threads = [threading.Thread(target=writer.run, daemon=True) for writer in [*writers.values(), *contenders]]
    for thread in threads:
        thread.start()
    READY.touch()
    for thread in threads:
        thread.join()
    LEDGER.write_text(json.dumps({
        "at": writers["conditional"].at,
        "steps": [step for one in contenders for step in one.steps],
        "reads": [read for one in contenders for read in one.reads],
        **{name: {"tried": writer.tried, "acknowledged": writer.acknowledged} for name, writer in writers.items()},
    }))
    return {name: len(writer.acknowledged) for name, writer in writers.items()}


def settled(session, ledger):
    """Every row is as it was acknowledged or tried, and found by what it has."""
    rows = {row.k: (row.v, row.w) for row in session.execute("SELECT k, v, w FROM settled")}
    acknowledged = set(ledger["acknowledged"])
    for k in range((ledger["tried"] + 1) // 2):
        first, second = ((Settled.value(number),) * 2 for number in (2 * k, 2 * k + 1))
        allowed = [second] if 2 * k + 1 in acknowledged else [first, second] + [None] * (2 * k not in acknowledged)
        equal(rows.get(k) in allowed, True, f"row {k} is {rows.get(k)}, one of {allowed} was written")
    for v in range(Settled.VALUES):
        want = {k for k, row in rows.items() if row[0] == v}
        for by in ("settled WHERE v", "settled WHERE w", "settled_by WHERE v"):
            found = [row.k for row in session.execute(f"SELECT k FROM {by} = %s", (v,))]
            equal((len(found), set(found)), (len(want), want), f"the rows of {by} = {v}")


def verify():
    ledger = json.loads(LEDGER.read_text())
    session = connect()
    session.set_keyspace(KEYSPACE)
    rows = {row.k: row.v for row in session.execute("SELECT k, v FROM plain")}
    lost = [k for k in ledger["plain"]["acknowledged"] if rows.get(k) != f"value {k}"]
    equal(lost, [], "acknowledged rows that are lost")
    equal([k for k in rows if not 0 <= k < ledger["plain"]["tried"]], [], "rows that nobody wrote")

    now = session.execute(SimpleStatement("SELECT v FROM register WHERE k = 0", consistency_level=8)).one().v
    equal(now in (ledger["at"], ledger["at"] + 1), True, f"the register at {now}, last acknowledged {ledger['at']}")

    last = session.execute(SimpleStatement("SELECT v FROM register WHERE k = 1", consistency_level=8)).one().v
    linearizable(ledger["steps"], ledger["reads"], last)

    parts = {}
    for row in session.execute("SELECT k, part FROM batches"):
        parts.setdefault(row.k, set()).add(row.part)
    equal({k: sorted(some) for k, some in parts.items() if len(some) != 5}, {}, "batches of which only a part is there")
    equal([k for k in ledger["batches"]["acknowledged"] if k not in parts], [], "acknowledged batches that are lost")

    counted = session.execute("SELECT n FROM counters WHERE k = 0").one().n
    least, most = len(ledger["counters"]["acknowledged"]), ledger["counters"]["tried"]
    equal(least <= counted <= most, True, f"a counter of {counted}, {least} acknowledged of {most} tried")

    moves = list(session.execute("SELECT p, c, v, s FROM moves"))
    for v in range(13):
        found = {(row.p, row.c) for row in session.execute("SELECT p, c FROM moves WHERE v = %s", (v,))}
        equal(found, {(row.p, row.c) for row in moves if row.v == v}, f"the rows that the index finds by {v}")
    for s in range(3):
        found = {(row.p, row.c) for row in session.execute("SELECT p, c FROM moves WHERE s CONTAINS %s", (s,))}
        equal(found, {(row.p, row.c) for row in moves if row.s and s in row.s}, f"the rows that the index finds by {s} in the set")
    shown = {(row.p, row.c, row.v, str(row.s)) for row in session.execute("SELECT p, c, v, s FROM moved")}
    equal(shown, {(row.p, row.c, row.v, str(row.s)) for row in moves if row.v is not None}, "the rows of the view")
    settled(session, ledger["settled"])
    contended = sum(ended is not None for *_, ended in ledger["steps"])
    return {"contended": contended} | {name: len(ledger[name]["acknowledged"]) for name in KINDS}


main({"write": write, "verify": verify})
