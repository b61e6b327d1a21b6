"""Programs of Kafka Connect that run in the background of a scenario."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid

KAFKA = os.environ["KAFKA"]
RUN = uuid.uuid4().hex[:8]


class Worker:
    """A Java program with a file of properties. It ends with the scenario."""

    def __init__(self, folder, name, main, properties, *arguments):
        self.log = f"{folder}/{name}.log"
        file = f"{folder}/{name}.properties"
        with open(file, "w") as out:
            out.writelines(f"{key} = {value}\n" for key, value in properties.items())
        java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*java, "-cp", os.environ["JARS"], main, file, *arguments], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        self.process.kill()
        self.process.wait()
        if error:
            with open(self.log) as log:
                print(self.log, *log.readlines()[-60:], sep="\n")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def port(number):
    return int(os.environ["PORTS"]) + number


def worker(folder, number, **further):
    """A worker of this run's cluster of Connect; `further` are properties with _ for their dots."""
    properties = {
        "bootstrap.servers": KAFKA,
        "group.id": f"connect-{RUN}",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "config.storage.topic": f"connect-{RUN}-configs",
        "offset.storage.topic": f"connect-{RUN}-offsets",
        "status.storage.topic": f"connect-{RUN}-status",
        "config.storage.replication.factor": 1,
        "offset.storage.replication.factor": 1,
        "status.storage.replication.factor": 1,
        "offset.storage.partitions": 5,
        "offset.flush.interval.ms": 1000,
        "scheduled.rebalance.max.delay.ms": 0,
        "plugin.discovery": "service_load",
        "listeners": f"http://127.0.0.1:{port(number)}",
        **{key.replace("_", "."): value for key, value in further.items()},
    }
    return Worker(folder, f"worker-{number}", "org.apache.kafka.connect.cli.ConnectDistributed", properties)


def ask(number, path, body=None):
    """What a worker answers; nothing while it cannot."""
    data = None if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "PUT"
    request = urllib.request.Request(f"http://127.0.0.1:{port(number)}{path}", data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
    except (OSError, urllib.error.HTTPError):
        return None


def running(number, name):
    """The workers that have a connector and its tasks; nothing unless all of those run."""
    status = ask(number, f"/connectors/{name}/status")
    if not status or not status["tasks"]:
        return None
    parts = [status["connector"], *status["tasks"]]
    failed = [part["trace"] for part in parts if part["state"] == "FAILED"]
    assert not failed, f"{name} failed: {failed}"
    return [part["worker_id"] for part in parts] if all(part["state"] == "RUNNING" for part in parts) else None


def wait_for(what, condition):
    """Waits until the condition answers with something, and answers with that."""
    for _ in range(600):
        answer = condition()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def equal(expected, seen):
    assert expected == seen, f"expected {expected}, saw {seen}"
