"""The load of `cargo xtask bench mesos`: a framework in plain HTTP and JSON, by the standard library alone. Prints one JSON
object per run.

Calls leave on one connection without waiting for their answers, which a thread of its own reads: a client that waits for
each acknowledgement would be what is measured. Processor time is that of the server's process (`SERVER_PID`), of its children,
and of all that they waited for: those that watch over tasks, and the tasks.
"""

import json
import os
import socket
import statistics
import sys
import threading
import time

MASTER = os.environ["MESOS"]
SERVER = int(os.environ["SERVER_PID"])
SECONDS_MAX = 60
ENDED = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR"}


def processor_seconds():
    # Whoever ended within the last second may not have been waited for.
    time.sleep(1.2)
    ticks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                parent, *rest = file.read().rsplit(")", 1)[1].split()[1:]
        except OSError:
            continue
        if SERVER in (int(pid), int(parent)):
            # Its own, and that of those it waited for: fields 14 to 17, of which the fifth is the first here.
            ticks += sum(int(field) for field in rest[9:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def connect():
    host, port = MASTER.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=SECONDS_MAX)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def post(call, stream=None):
    body = json.dumps(call).encode()
    head = f"POST /api/v1/scheduler HTTP/1.1\r\nHost: {MASTER}\r\nContent-Type: application/json\r\n"
    head += f"Mesos-Stream-Id: {stream}\r\n" if stream else "Accept: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def head_of(file):
    """Status and headers of an answer."""
    status = int(file.readline().split()[1])
    headers = {}
    while (line := file.readline().strip()):
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    return status, headers


def events(file):
    """Records, which may lie in the chunks of the transfer as they like."""
    buffer = b""
    while (size := int(file.readline(), 16)):
        buffer += file.read(size)
        file.readline()
        while (at := buffer.find(b"\n")) >= 0 and len(buffer) >= at + 1 + int(buffer[:at]):
            end = at + 1 + int(buffer[:at])
            yield json.loads(buffer[at + 1:end])
            buffer = buffer[end:]


class Framework:
    def __init__(self):
        info = {"user": "root", "name": "load", "roles": ["*"], "capabilities": [{"type": "MULTI_ROLE"}]}
        self.subscription = connect()
        self.subscription.sendall(post({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}))
        file = self.subscription.makefile("rb")
        status, headers = head_of(file)
        assert status == 200, status
        self.stream, self.events = headers["mesos-stream-id"], events(file)
        self.id = next(self.events)["subscribed"]["framework_id"]
        self.calls = connect()
        self.tasks, self.refused = 0, []
        threading.Thread(target=self.answers, daemon=True).start()

    def answers(self):
        file = self.calls.makefile("rb")
        while True:
            status, headers = head_of(file)
            body = file.read(int(headers.get("content-length", 0)))
            if status != 202:
                self.refused.append((status, body))

    def call(self, kind, body=None):
        call = {"framework_id": self.id, "type": kind}
        self.calls.sendall(post({**call, kind.lower(): body} if body is not None else call, self.stream))

    def offer(self):
        """The next offer of all that the agent has."""
        for event in self.events:
            if event["type"] == "OFFERS":
                return event["offers"]["offers"][0]

    def run(self, count, offer):
        """Launches so many tasks of `true` at once: seconds until each ran, and until each had ended."""
        names = [f"t{self.tasks + at}" for at in range(count)]
        self.tasks += count
        scalars = (("cpus", 0.01), ("mem", 1.0))
        needs = [{"name": name, "type": "SCALAR", "scalar": {"value": value}} for name, value in scalars]
        infos = [{"name": name, "task_id": {"value": name}, "agent_id": offer["agent_id"], "resources": needs,
                  "command": {"value": "true"}} for name in names]
        operation = {"type": "LAUNCH", "launch": {"task_infos": infos}}
        accept = {"offer_ids": [offer["id"]], "operations": [operation], "filters": {"refuse_seconds": 0.0}}
        began = time.monotonic()
        self.call("ACCEPT", accept)
        ran, ended = {}, {}
        for event in self.events:
            if event["type"] == "OFFERS":
                # What is left of the agent: it is wanted as a whole.
                ids = [one["id"] for one in event["offers"]["offers"]]
                self.call("DECLINE", {"offer_ids": ids, "filters": {"refuse_seconds": 0.0}})
            if event["type"] != "UPDATE":
                continue
            status = event["update"]["status"]
            name, state, now = status["task_id"]["value"], status["state"], time.monotonic() - began
            if "uuid" in status:
                self.call("ACKNOWLEDGE", {key: status[key] for key in ("agent_id", "task_id", "uuid")})
            if state == "TASK_RUNNING":
                ran.setdefault(name, now)
            elif state in ENDED:
                assert state == "TASK_FINISHED", status
                ended[name] = now
            if len(ended) == count:
                assert not self.refused, self.refused
                return list(ran.values()), list(ended.values())


def burst(framework, count, rounds):
    """Many tasks in one call. The first round is not counted."""
    framework.run(count, framework.offer())
    ran, ended, used = 0.0, 0.0, 0.0
    for _ in range(rounds):
        offer = framework.offer()
        before = processor_seconds()
        began, finished = framework.run(count, offer)
        used += processor_seconds() - before
        ran, ended = ran + max(began), ended + max(finished)
    all_of_them = count * rounds
    return {"running": all_of_them / ran, "finished": all_of_them / ended, "work": all_of_them / max(used, 1e-6)}


def single(framework, rounds):
    """One task after the other, each on an agent that runs nothing else."""
    framework.run(1, framework.offer())
    ran, ended = [], []
    for _ in range(rounds):
        began, finished = framework.run(1, framework.offer())
        ran, ended = ran + began, ended + finished
    ran.sort()
    return {"p50": statistics.median(ran) * 1e3, "p99": ran[int(len(ran) * 0.99)] * 1e3,
            "finished": statistics.median(ended) * 1e3}


def main(what, *counts):
    framework = Framework()
    print(json.dumps({"burst": burst, "single": single}[what](framework, *map(int, counts))))
    framework.call("TEARDOWN")


if __name__ == "__main__":
    main(*sys.argv[1:])
