"""Two workers of one Connect cluster: lines go from a file to a topic and to another file. One worker leaves, the other one goes
on with both connectors where they stopped."""

import tempfile

from common import RUN, ask, equal, port, running, wait_for, worker

LINES = 300


def workers_of(number):
    """Which workers have which connector and its task; nothing unless all of them run."""
    found = {name: running(number, name) for name in ("source", "sink")}
    return found if all(found.values()) else None


def main():
    with tempfile.TemporaryDirectory() as folder, worker(folder, 0) as first, worker(folder, 1):
        lines, copy = f"{folder}/lines", f"{folder}/copy"

        def write(numbers):
            with open(lines, "a") as out:
                out.writelines(f"line {number}\n" for number in numbers)

        def copied(count):
            try:
                with open(copy) as file:
                    seen = file.read().splitlines()
            except FileNotFoundError:
                return None
            return seen if len(seen) >= count else None

        write(range(LINES))
        for number in (0, 1):
            wait_for(f"worker {number}", lambda: ask(number, "/connectors") is not None)
        topic = f"connect-{RUN}-lines"
        source = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "file": lines, "topic": topic}
        sink = {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "file": copy, "topics": topic}
        wait_for("the source", lambda: ask(0, "/connectors/source/config", {"tasks.max": 1, **source}))
        wait_for("the sink", lambda: ask(1, "/connectors/sink/config", {"tasks.max": 1, **sink}))
        wait_for("both connectors", lambda: workers_of(1))
        equal(sorted(f"line {number}" for number in range(LINES)), sorted(wait_for("the copy", lambda: copied(LINES))))

        first.stop()
        remaining = f"127.0.0.1:{port(1)}"
        everything = {name: [remaining, remaining] for name in ("source", "sink")}
        wait_for("the other worker to have all", lambda: workers_of(1) == everything)
        write(range(LINES, 2 * LINES))
        equal(sorted(f"line {number}" for number in range(2 * LINES)), sorted(wait_for("the whole copy", lambda: copied(2 * LINES))))
    print("PASS files")


if __name__ == "__main__":
    main()
