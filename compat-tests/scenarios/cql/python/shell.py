"""cqlsh, as its users run it: what it prints must be the same on every subject."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from common import HOST, KEYSPACE, PORT, REPLICATION, equal, main

CQLSH = pathlib.Path(sys.executable).parent / "cqlsh"
TABLES = f"""
CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION};
USE {KEYSPACE};
CREATE TYPE address (street text, zip int);
CREATE TABLE t (k int, c text, v float, l list<text>, m map<text, int>, a frozen<address>, at timestamp, b blob,
                PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC);
INSERT INTO t (k, c, v, l, m, a, at, b) VALUES (1, 'a', 1.5, ['x', 'y'], {{'p': 1}}, {{street: 'Main', zip: 5}}, '2020-01-02T03:04:05Z', 0xcafe);
INSERT INTO t (k, c) VALUES (1, 'b');
INSERT INTO t (k, c, v) VALUES (2, 'it''s', 0.1);
"""


def run(text, *options):
    """What cqlsh prints for these statements; its complaints are part of it."""
    with tempfile.TemporaryDirectory() as home:
        said = subprocess.run(
            [sys.executable, CQLSH, "--no-color", *options, HOST, str(PORT)], input=text + "\n", text=True, timeout=100,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env={**os.environ, "HOME": home, "TZ": "UTC"},
        )
    lines = [line.rstrip() for line in said.stdout.splitlines()]
    # Warnings of Python itself about what cqlsh is built on are not the server's.
    return [line for line in lines if line and "Warning: " not in line and "warnings.warn" not in line]


def statements():
    """Rows as tables, and errors as cqlsh words them."""
    made = run(TABLES)
    return {
        "made": made,
        "rows": run(f"SELECT * FROM {KEYSPACE}.t; SELECT count(*) FROM {KEYSPACE}.t; SELECT JSON k, c, m FROM {KEYSPACE}.t WHERE k = 1;"),
        "errors": run(f"SELECT nope FROM {KEYSPACE}.t; SELEC; USE nope_nope; CONSISTENCY QUORUM; SELECT k FROM {KEYSPACE}.t WHERE k = 2;"),
        "version": [re.sub(r"at [^ ]+", "at HERE", line) for line in run("SHOW VERSION")],
    }


def describe():
    """DESCRIBE, which the server answers."""
    run(TABLES)
    return {
        "keyspace": run(f"DESCRIBE KEYSPACE {KEYSPACE}"),
        "tables": run(f"USE {KEYSPACE}; DESCRIBE TABLES"),
        "type": run(f"USE {KEYSPACE}; DESCRIBE TYPE address"),
        "missing": run(f"USE {KEYSPACE}; DESCRIBE TABLE nope"),
    }


def copy():
    """COPY TO a file, COPY FROM it, and the same rows again."""
    run(TABLES + "\n".join(f"INSERT INTO t (k, c, v) VALUES ({k}, 'row {k}', {k}.5);" for k in range(100, 200)))
    with tempfile.TemporaryDirectory() as dir:
        file = pathlib.Path(dir) / "rows.csv"
        run(f"COPY {KEYSPACE}.t TO '{file}' WITH HEADER = true;")
        lines = sorted(file.read_text().splitlines())
        equal(len(lines), 104, "lines of the file")
        run(f"TRUNCATE {KEYSPACE}.t")
        said = run(f"COPY {KEYSPACE}.t FROM '{file}' WITH HEADER = true;")
        again = pathlib.Path(dir) / "again.csv"
        run(f"COPY {KEYSPACE}.t TO '{again}' WITH HEADER = true;")
        equal(sorted(again.read_text().splitlines()), lines, "the rows after they came back")
    imported = [line.split(" in ")[0] for line in said if "rows imported" in line]
    return {"imported": imported, "some": lines[:4]}


def expand_and_paging():
    """EXPAND and PAGING."""
    run(TABLES)
    return {
        "expanded": run(f"EXPAND ON; SELECT * FROM {KEYSPACE}.t WHERE k = 1;"),
        "paged": run(f"PAGING 1; SELECT k, c FROM {KEYSPACE}.t WHERE k = 1;\n\n\n"),
    }


def tracing():
    """A traced statement shows its session."""
    run(TABLES)
    said = run(f"TRACING ON; SELECT k FROM {KEYSPACE}.t WHERE k = 2;")
    return {"session": any("Tracing session:" in line for line in said), "events": any("Request complete" in line for line in said)}


main({"statements": statements, "describe": describe, "copy": copy, "expand_and_paging": expand_and_paging, "tracing": tracing})
