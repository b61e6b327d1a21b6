"""What every Python scenario shares: its subject, unique names, checks by value, and the answer.

A scenario is a function of a client's program. It checks what it sees by value and fails with a sentence; what it returns
is a dictionary of facts that must be the same on every subject, printed as the last line of standard output.
"""

import json
import os
import sys
import time
import traceback

KAFKA = os.environ["KAFKA"]
RUN = os.environ["RUN"]
# KEY=VALUE;... of librdkafka for listeners that want more than an address.
CONNECTION = {
    "bootstrap.servers": KAFKA,
    **dict(pair.split("=") for pair in os.environ.get("CONNECTION", "").split(";") if pair),
}
TIMEOUT_S = 40.0
# A fixed moment (2023-11-14T22:13:20Z), so that timestamps can be checked and compared.
T0 = 1_700_000_000_000


def name(stem):
    """A name that no other run uses."""
    return f"{stem}-{RUN}"


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(got, want, what):
    check(got == want, f"{what}: got {got!r}, want {want!r}")


def deadline(seconds=TIMEOUT_S):
    return time.monotonic() + seconds


def until(condition, what, seconds=TIMEOUT_S, pause=0.05):
    """Waits for a condition and returns its first true value."""
    end = deadline(seconds)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"did not happen in {seconds:.0f} s: {what}")


def payload(i, size=100):
    """A value that can be recomputed from its number and is neither constant nor incompressible."""
    unit = f"record {i} of this run, "
    return (unit * (size // len(unit) + 1))[:size].encode()


def main(scenarios):
    """Runs the scenario named on the command line."""
    wanted = sys.argv[1]
    try:
        facts = scenarios[wanted]()
    except Exception:  # noqa: BLE001 a scenario may fail in any way, and all of them are a failure
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    print(json.dumps(facts or {}, sort_keys=True), flush=True)
    # Clients leave threads behind that may hang at exit; what counts has been said.
    os._exit(0)
