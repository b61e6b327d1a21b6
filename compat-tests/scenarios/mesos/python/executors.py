"""Executors and frameworks in plain HTTP and JSON, by the standard library alone: what the protocol says, and no library between."""

import base64
import http.client
import json
import os
import queue
import sys
import threading
import uuid

SECONDS_MAX = 120
ENDED = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR", "TASK_DROPPED", "TASK_GONE"}


def cpus(offer):
    return sum(one["scalar"]["value"] for one in offer["resources"] if one["name"] == "cpus")


def has_room(offer):
    """Whether a scenario's tasks fit: what another framework of the agent gave back alone may be less."""
    return cpus(offer) >= 1.0


class Stream:
    """One subscription: events come by `next`, calls go by `call`."""

    def __init__(self, endpoint, path, subscribe):
        self.endpoint, self.path = endpoint, path
        connection = http.client.HTTPConnection(endpoint, timeout=SECONDS_MAX)
        self.post(connection, subscribe, {"Accept": "application/json"})
        self.answer = connection.getresponse()
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        self.id = self.answer.getheader("Mesos-Stream-Id")
        self.connection = connection

    def post(self, connection, call, headers):
        headers = {"Content-Type": "application/json", **headers}
        connection.request("POST", self.path, json.dumps(call), headers)

    def next(self):
        while True:
            length = self.answer.readline()
            if not length:
                return None
            event = json.loads(self.answer.read(int(length)))
            if event["type"] != "HEARTBEAT":
                return event

    def call(self, call):
        connection = http.client.HTTPConnection(self.endpoint, timeout=SECONDS_MAX)
        self.post(connection, call, {"Mesos-Stream-Id": self.id} if self.id else {})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 202, (call, answer.status, body)
        connection.close()


def executor():
    """The executor itself: a task runs until it is told `finish NAME`."""
    ids = {
        "framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
        "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]},
    }
    subscribe = {**ids, "type": "SUBSCRIBE", "subscribe": {"unacknowledged_tasks": [], "unacknowledged_updates": []}}
    stream = Stream(os.environ["MESOS_AGENT_ENDPOINT"], "/slave(1)/api/v1/executor", subscribe)

    def update(task, state):
        status = {
            "task_id": task,
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "uuid": base64.b64encode(uuid.uuid4().bytes).decode(),
        }
        stream.call({**ids, "type": "UPDATE", "update": {"status": status}})

    while event := stream.next():
        if event["type"] == "LAUNCH":
            update(event["launch"]["task"]["task_id"], "TASK_RUNNING")
        elif event["type"] == "KILL":
            update(event["kill"]["task_id"], "TASK_KILLED")
        elif event["type"] == "MESSAGE":
            text = base64.b64decode(event["message"]["data"]).decode()
            if text.startswith("finish "):
                update({"value": text.removeprefix("finish ")}, "TASK_FINISHED")
            answer = base64.b64encode(f"heard {text}".encode()).decode()
            stream.call({**ids, "type": "MESSAGE", "message": {"data": answer}})
        elif event["type"] == "SHUTDOWN":
            sys.exit(7)


def cut_executor():
    """An executor whose stream is cut after each event. What acknowledges is lost with it the first time."""
    ids = {
        "framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
        "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]},
    }
    path, agent = "/slave(1)/api/v1/executor", os.environ["MESOS_AGENT_ENDPOINT"]
    tasks, updates, lost = {}, {}, set()
    stream = None

    def update(task, state):
        number = uuid.uuid4().bytes
        status = {"task_id": task["task_id"], "state": state, "source": "SOURCE_EXECUTOR",
                  "uuid": base64.b64encode(number).decode()}
        updates[status["uuid"]] = {"status": status}
        stream.call({**ids, "type": "UPDATE", "update": updates[status["uuid"]]})

    def take(event):
        if event["type"] == "LAUNCH":
            update(event["launch"]["task"], "TASK_RUNNING")
        elif event["type"] == "KILL":
            update({"task_id": event["kill"]["task_id"]}, "TASK_KILLED")
        elif event["type"] == "ACKNOWLEDGED":
            number = event["acknowledged"]["uuid"]
            if number in lost:
                updates.pop(number, None)
                tasks.pop(event["acknowledged"]["task_id"]["value"], None)
            lost.add(number)
        elif event["type"] == "SHUTDOWN":
            sys.exit(0)

    event = None
    while True:
        unknown = {"unacknowledged_tasks": list(tasks.values()), "unacknowledged_updates": list(updates.values())}
        stream = Stream(agent, path, {**ids, "type": "SUBSCRIBE", "subscribe": unknown})
        assert stream.next()["type"] == "SUBSCRIBED"
        if event:
            # It was heard by the stream before this one.
            take(event)
        event = stream.next()
        if event and event["type"] == "LAUNCH":
            tasks[event["launch"]["task"]["task_id"]["value"]] = event["launch"]["task"]
        stream.answer.close()
        stream.connection.close()


class Framework:
    """A framework whose events are read by a thread of its own."""

    def __init__(self, master, name, framework_id=None):
        info = {"user": "root", "name": name, "checkpoint": True, "failover_timeout": 3600.0, "roles": ["*"],
                "capabilities": [{"type": "MULTI_ROLE"}]}
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        if framework_id:
            info["id"] = call["framework_id"] = {"value": framework_id}
        self.stream = Stream(master, "/api/v1/scheduler", call)
        self.states, self.last, self.others = {}, {}, queue.Queue()
        self.offers, self.changed = [], threading.Condition()
        self.id = self.stream.next()["subscribed"]["framework_id"]["value"]
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while event := self.stream.next():
            with self.changed:
                self.take(event)
                self.changed.notify_all()

    def take(self, event):
        if event["type"] == "OFFERS":
            self.offers += event["offers"]["offers"]
        elif event["type"] == "UPDATE":
            status = event["update"]["status"]
            name = status["task_id"]["value"]
            self.states.setdefault(name, []).append(status["state"])
            self.last[name] = status
            if "uuid" in status:
                named = {"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]}
                self.call("ACKNOWLEDGE", named)
        else:
            self.others.put(event)

    def call(self, kind, body=None):
        call = {"framework_id": {"value": self.id}, "type": kind}
        self.stream.call({**call, kind.lower(): body} if body is not None else call)

    def wait(self, what):
        with self.changed:
            assert self.changed.wait_for(what, SECONDS_MAX), f"waited in vain: {self.states}"

    def other(self, kind):
        while True:
            event = self.others.get(timeout=SECONDS_MAX)
            if event["type"] == kind:
                return event[kind.lower()]

    def offer(self):
        """The next offer with room for what a scenario launches."""
        while True:
            self.wait(lambda: self.offers)
            offer = self.offers.pop(0)
            if has_room(offer):
                return offer
            self.accept(offer, [])

    def accept(self, offer, operations):
        body = {"offer_ids": [offer["id"]], "operations": operations, "filters": {"refuse_seconds": 0.0}}
        self.call("ACCEPT", body)

    def is_in(self, name, state):
        return state in self.states.get(name, [])

    def has_ended(self, name):
        return bool(set(self.states.get(name, [])) & ENDED)


def resources(cpus):
    return [{"name": n, "type": "SCALAR", "scalar": {"value": v}} for n, v in (("cpus", cpus), ("mem", 32.0))]


def task(name, agent, **further):
    return {"name": name, "task_id": {"value": name}, "agent_id": agent, "resources": resources(0.1), **further}


def own_executor(role):
    """An executor that runs one of this file's."""
    command = {
        "value": f"exec {sys.executable} executors.py {role}",
        "uris": [{"value": os.path.abspath(__file__)}],
        "environment": {"variables": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}]},
    }
    return {"executor_id": {"value": "E"}, "type": "CUSTOM", "command": command, "resources": resources(0.1)}


def an_executor_of_its_own():
    framework = Framework(os.environ["MESOS"], "own executor")
    offer = framework.offer()
    info = own_executor("executor")
    tasks = [task(name, offer["agent_id"], executor=info) for name in ("a", "b", "c")]
    framework.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": tasks}}])
    framework.wait(lambda: all(framework.is_in(name, "TASK_RUNNING") for name in "abc"))
    to = {"agent_id": offer["agent_id"], "executor_id": {"value": "E"}}
    framework.call("MESSAGE", {**to, "data": base64.b64encode(b"finish a").decode()})
    heard = framework.other("MESSAGE")
    assert base64.b64decode(heard["data"]) == b"heard finish a" and heard["executor_id"]["value"] == "E", heard
    framework.call("KILL", {"task_id": {"value": "b"}, "agent_id": offer["agent_id"]})
    framework.wait(lambda: framework.has_ended("a") and framework.has_ended("b"))
    assert framework.states["a"] == ["TASK_RUNNING", "TASK_FINISHED"], framework.states
    assert framework.states["b"] == ["TASK_RUNNING", "TASK_KILLED"], framework.states
    framework.call("SHUTDOWN", to)
    failure = framework.other("FAILURE")
    assert failure["executor_id"]["value"] == "E" and failure["status"] == 7 << 8, failure
    framework.wait(lambda: framework.has_ended("c"))
    assert framework.states["c"][-1] == "TASK_FAILED", framework.states
    assert framework.last["c"]["reason"] == "REASON_EXECUTOR_TERMINATED", framework.last
    framework.call("TEARDOWN")


def streams_that_are_cut():
    """Every event of an executor is the last one of its stream, and yet each update is told, once."""
    framework = Framework(os.environ["MESOS"], "cut streams")
    offer = framework.offer()
    info = own_executor("cut_executor")
    framework.accept(offer, [{"type": "LAUNCH", "launch": {
        "task_infos": [task("a", offer["agent_id"], executor=info)]}}])
    framework.wait(lambda: framework.is_in("a", "TASK_RUNNING"))
    framework.call("KILL", {"task_id": {"value": "a"}, "agent_id": offer["agent_id"]})
    framework.wait(lambda: framework.has_ended("a"))
    framework.call("SHUTDOWN", {"agent_id": offer["agent_id"], "executor_id": {"value": "E"}})
    framework.other("FAILURE")
    assert framework.states["a"] == ["TASK_RUNNING", "TASK_KILLED"], framework.states
    framework.call("TEARDOWN")


def groups_of_tasks():
    framework = Framework(os.environ["MESOS"], "groups")
    offer = framework.offer()

    def operation(executor, commands):
        info = {"executor_id": {"value": executor}, "type": "DEFAULT", "framework_id": {"value": framework.id},
                "resources": resources(0.1)}
        tasks = [task(name, offer["agent_id"], command={"value": value}) for name, value in commands.items()]
        return {"type": "LAUNCH_GROUP", "launch_group": {"executor": info, "task_group": {"tasks": tasks}}}

    framework.accept(offer, [
        operation("E1", {"good": "pwd > where; true", "also": "sleep 0.2"}),
        operation("E2", {"bad": "sleep 0.2; exit 3", "other": "sleep 1000"}),
    ])
    names = ("good", "also", "bad", "other")
    framework.wait(lambda: all(framework.has_ended(name) for name in names))
    ends = {name: framework.states[name][-1] for name in names}
    assert ends == {"good": "TASK_FINISHED", "also": "TASK_FINISHED", "bad": "TASK_FAILED", "other": "TASK_KILLED"}, ends
    container = framework.last["good"]["container_status"]["container_id"]
    assert container["parent"]["value"], container
    ended = {framework.other("FAILURE")["executor_id"]["value"] for _ in range(2)}
    assert ended == {"E1", "E2"}, ended
    framework.call("TEARDOWN")


def bad_calls_of_executors():
    # An offer names the agent; it is there once the agent has registered.
    framework = Framework(os.environ["MESOS"], "bad calls")
    address = framework.offer()["url"]["address"]
    agent = f"{address['ip']}:{address['port']}"
    framework.call("TEARDOWN")
    ids = {"framework_id": {"value": "x"}, "executor_id": {"value": "x"}}
    cases = [
        ({**ids, "type": "SUBSCRIBE", "subscribe": {}}, 400, "Framework cannot be found"),
        (ids, 400, "Failed to validate executor::Call: Expecting 'type' to be present"),
        ({**ids, "type": "UPDATE"}, 400, "Failed to validate executor::Call: Expecting 'update' to be present"),
        ({**ids, "type": "MESSAGE"}, 400, "Failed to validate executor::Call: Expecting 'message' to be present"),
    ]
    for call, status, text in cases:
        for path in ("/api/v1/executor", "/slave(1)/api/v1/executor"):
            connection = http.client.HTTPConnection(agent, timeout=SECONDS_MAX)
            connection.request("POST", path, json.dumps(call), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert (answer.status, answer.read().decode()) == (status, text), call
            connection.close()


def begin():
    """Before the kill: tasks that note in a file that they ran, and a few that go on until they are told to end."""
    folder, round_ = os.environ["FOLDER"], os.environ["ROUND"]
    known = os.path.join(folder, "framework")
    framework_id = open(known).read() if os.path.exists(known) else None
    framework = Framework(os.environ["MESOS"], "outlives", framework_id)
    with open(known, "w") as file:
        file.write(framework.id)
    offer = framework.offer()
    tasks = []
    for at in range(6):
        name = f"r{round_}t{at}"
        # Half of them end while the agent is away, the others afterwards.
        wait = "sleep 1" if at % 2 else f"while [ ! -e {folder}/go{round_} ]; do sleep 0.1; done"
        command = {"value": f"echo ran >> {folder}/{name}.ran; {wait}"}
        tasks.append(task(name, offer["agent_id"], command=command))
    framework.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": tasks}}])
    if int(round_) % 2:
        names = [one["name"] for one in tasks]
        framework.wait(lambda: all(framework.is_in(name, "TASK_RUNNING") for name in names))


def go_on():
    """After the kill: every task comes to an end, once, and those that were seen to run have run once."""
    folder, round_ = os.environ["FOLDER"], os.environ["ROUND"]
    framework = Framework(os.environ["MESOS"], "outlives", open(os.path.join(folder, "framework")).read())
    names = [f"r{round_}t{at}" for at in range(6)]
    open(os.path.join(folder, f"go{round_}"), "w").close()
    named = {"tasks": [{"task_id": {"value": name}} for name in names]}
    for _ in range(SECONDS_MAX // 2):
        with framework.changed:
            if framework.changed.wait_for(lambda: all(framework.has_ended(name) for name in names), 2):
                break
        # A launch that was on its way when the master died is known to nobody: asking tells.
        framework.call("RECONCILE", named)
    for name in names:
        assert framework.has_ended(name), (name, framework.states)
        end = next(state for state in framework.states[name] if state in ENDED)
        path = os.path.join(folder, f"{name}.ran")
        runs = open(path).read().count("ran") if os.path.exists(path) else 0
        assert runs <= 1, f"{name} ran {runs} times"
        if int(round_) % 2:
            # Every one of them was running.
            assert (end, runs) == ("TASK_FINISHED", 1), (name, framework.states[name], framework.last[name])
        else:
            assert runs == 1 or end != "TASK_FINISHED", (name, framework.states[name])


if __name__ == "__main__":
    globals()[sys.argv[1]]()
