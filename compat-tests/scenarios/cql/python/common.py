"""What the Python scenarios of CQL share: the subject, a keyspace of their own, checks by value, and the answer.

A scenario checks what it sees by value and fails with a sentence; what it returns is a dictionary of facts that must be the same
on every subject, printed as the last line of standard output.
"""

import json
import os
import sys
import time
import traceback

HOST, PORT = os.environ["CQL"].rsplit(":", 1)
PORT = int(PORT)
KEYSPACE = "ks_" + os.environ["RUN"]
REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}"


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def until(condition, what, seconds=20.0):
    """Waits for a condition and returns its first true value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"did not happen in {seconds:.0f} s: {what}")


def main(scenarios):
    """Runs the scenario named on the command line."""
    try:
        facts = scenarios[sys.argv[1]]()
    except Exception:  # noqa: BLE001 a scenario may fail in any way, and all of them are a failure
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    print(json.dumps(facts, sort_keys=True).replace(KEYSPACE, "KEYSPACE"))
    sys.stdout.flush()
    # The drivers' threads have nothing more to say, and some of them do not end by themselves.
    os._exit(0)
