"""A framework that launches tasks while master, agent, executors and tasks are killed under it, and what it checks: no task
runs twice, none is forgotten, each end is told until it is acknowledged, and nobody has more than there is.

A task notes in `NAME.ran` that it began and in `NAME.done` that it came to its end."""

import base64
import http.client
import json
import os
import random
import sys
import threading
import time
import uuid
from functools import partial

from executors import ENDED, Stream, cpus, resources, task

SECONDS_MAX = 120
OPEN_MAX, BATCH_MAX = 12, 3
LASTS = (0.0, 0.2, 1.0, 2.5)
# Who is killed is not there for a while.
AWAY = (OSError, http.client.HTTPException, AssertionError, ValueError)


class Known:
    """What is known of a task that was launched."""

    def __init__(self, kind):
        self.kind, self.states, self.ends, self.heard = kind, [], {}, {}
        self.unheard_of, self.acknowledged = False, set()

    def is_over(self):
        """Its end is told again where it was not acknowledged; what never arrived anywhere has none."""
        return set(self.ends) == self.acknowledged if self.ends else self.unheard_of


class Framework:
    def __init__(self):
        self.master, self.folder = os.environ["MESOS"], os.environ["FOLDER"]
        self.dice = random.Random(int(os.environ["SEED"]))
        self.id, self.stream, self.known = None, None, {}
        self.lock, self.wrong, self.empty_since = threading.Lock(), [], None

    def path(self, name):
        return os.path.join(self.folder, name)

    def stopping(self):
        return os.path.exists(self.path("stop"))

    def run(self):
        threading.Thread(target=self.look, daemon=True).start()
        while not self.is_done():
            try:
                self.subscribe()
                while (event := self.stream.next()) and not self.is_done():
                    with self.lock:
                        self.take(event)
            except AWAY:
                time.sleep(0.1)

    def is_done(self):
        assert os.path.isdir(self.folder), "nobody waits for this any more"
        assert not self.wrong, self.wrong
        if not self.stopping():
            return False
        waited = time.time() - os.path.getmtime(self.path("stop"))
        left = {name: vars(one) for name, one in self.known.items() if not one.is_over()}
        assert waited < SECONDS_MAX, f"after {SECONDS_MAX} s: {left}, the master has tasks: {self.empty_since is None}"
        return not left and self.empty_since is not None and time.time() > self.empty_since + 2

    def subscribe(self):
        info = {"user": "root", "name": "kills", "checkpoint": True, "failover_timeout": 3600.0, "roles": ["*"],
                "capabilities": [{"type": "MULTI_ROLE"}]}
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        if self.id:
            info["id"] = call["framework_id"] = {"value": self.id}
        self.stream = Stream(self.master, "/api/v1/scheduler", call)
        event = self.stream.next() or {"type": "none"}
        if event["type"] == "ERROR":
            self.wrong.append(event)
        assert event["type"] == "SUBSCRIBED", event
        self.id = event["subscribed"]["framework_id"]["value"]

    def call(self, kind, body=None):
        """What is not heard is found by asking."""
        call = {"framework_id": {"value": self.id}, "type": kind}
        try:
            self.stream.call({**call, kind.lower(): body} if body is not None else call)
        except AWAY:
            return

    def take(self, event):
        if event["type"] == "OFFERS":
            for offer in event["offers"]["offers"]:
                self.use(offer)
        elif event["type"] == "UPDATE":
            self.update(event["update"]["status"])

    def use(self, offer):
        is_open = [name for name, one in self.known.items() if not one.is_over()]
        operations = []
        if not self.stopping() and len(is_open) < OPEN_MAX and cpus(offer) > 1.0:
            kind = self.dice.choice(("commands", "commands", "own", "group"))
            operations = [getattr(self, kind)(offer["agent_id"])]
        body = {"offer_ids": [offer["id"]], "operations": operations, "filters": {"refuse_seconds": 0.0}}
        self.call("ACCEPT", body)

    def names(self, kind):
        names = [f"t{len(self.known) + at}" for at in range(self.dice.randint(1, BATCH_MAX))]
        self.known.update({name: Known(kind) for name in names})
        return names

    def shell(self, name):
        lasts = self.dice.choice(LASTS)
        return {"value": f"echo ran >> {self.path(name)}.ran; sleep {lasts}; echo done >> {self.path(name)}.done"}

    def commands(self, agent):
        tasks = [task(name, agent, command=self.shell(name)) for name in self.names("command")]
        return {"type": "LAUNCH", "launch": {"task_infos": tasks}}

    def group(self, agent):
        tasks = [task(name, agent, command=self.shell(name)) for name in self.names("group")]
        info = {"executor_id": {"value": f"group of {tasks[0]['name']}"}, "type": "DEFAULT",
                "framework_id": {"value": self.id}, "resources": resources(0.1)}
        return {"type": "LAUNCH_GROUP", "launch_group": {"executor": info, "task_group": {"tasks": tasks}}}

    def own(self, agent):
        scripts = os.path.dirname(os.path.abspath(__file__))
        command = {
            "value": f"exec {sys.executable} kills.py executor",
            "uris": [{"value": os.path.join(scripts, name)} for name in ("kills.py", "executors.py")],
            "environment": {"variables": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
                                          {"name": "FOLDER", "value": self.folder}]},
        }
        info = {"executor_id": {"value": f"own {len(self.known) // 20}"}, "type": "CUSTOM", "command": command,
                "framework_id": {"value": self.id}, "resources": resources(0.1)}
        data = base64.b64encode(str(self.dice.choice(LASTS)).encode()).decode()
        tasks = [task(name, agent, executor=info, data=data) for name in self.names("own")]
        return {"type": "LAUNCH", "launch": {"task_infos": tasks}}

    def update(self, status):
        one, state, of = self.known[status["task_id"]["value"]], status["state"], status.get("uuid")
        one.states.append((state, status.get("reason"), bool(of)))
        if not of:
            # Nobody has it: it never began, or this is a late answer of somebody who knew nothing of it yet.
            one.unheard_of |= state == "TASK_LOST"
            return
        if state in ENDED:
            one.ends[of] = state
            one.heard[of] = one.heard.get(of, 0) + 1
            if one.heard[of] == 1 and self.dice.randrange(4) == 0:
                return
            one.acknowledged.add(of)
        self.call("ACKNOWLEDGE", {key: status[key] for key in ("agent_id", "task_id", "uuid")})

    def look(self):
        """Asks once in a while what became of tasks, and looks at what the master gives out."""
        while True:
            time.sleep(1)
            try:
                connection = http.client.HTTPConnection(self.master, timeout=SECONDS_MAX)
                connection.request("GET", "/state")
                self.judge(json.load(connection.getresponse()))
                with self.lock:
                    names = [name for name, one in self.known.items() if not one.is_over()]
                if names:
                    self.call("RECONCILE", {"tasks": [{"task_id": {"value": name}} for name in names]})
            except (*AWAY, TypeError):
                # The master is away, or this framework is not subscribed yet.
                continue

    def judge(self, state):
        own = [one for one in state["frameworks"] if one["id"] == self.id]
        has_tasks = not own or own[0]["tasks"] or not any(agent["active"] for agent in state["slaves"])
        self.empty_since = None if has_tasks else self.empty_since or time.time()
        for agent in state["slaves"]:
            for name in ("cpus", "mem"):
                given = agent["used_resources"][name] + agent["offered_resources"][name]
                if given > agent["resources"][name] + 1e-6:
                    self.wrong.append(f"{given} {name} are given out of {agent['resources'][name]}")
        ids = {agent["id"] for agent in state["slaves"] + state["recovered_slaves"]}
        if len(ids) > 1:
            self.wrong.append(f"one agent has {ids}")

    def noted(self, name, what):
        path = self.path(f"{name}.{what}")
        return open(path).read().count(what) if os.path.exists(path) else 0

    def check(self):
        for name, one in self.known.items():
            ran, done, seen = self.noted(name, "ran"), self.noted(name, "done"), (name, vars(one))
            assert ran <= 1 and done <= 1, f"{seen} ran {ran} times"
            assert len(one.ends) <= 1, f"{seen} has several ends"
            # An end that is not acknowledged is told again.
            assert all(of in one.acknowledged for of in one.ends), seen
            assert not ran or one.ends, f"{seen} ran and was forgotten"
            assert "TASK_FINISHED" not in one.ends.values() or done, f"{seen} is said to have finished"
        ended = [state for one in self.known.values() for state in one.ends.values()]
        again = sum(count > 1 for one in self.known.values() for count in one.heard.values())
        return {"launched": len(self.known), "ran": sum(self.noted(name, "ran") for name in self.known),
                "finished": ended.count("TASK_FINISHED"), "failed": ended.count("TASK_FAILED"),
                "never arrived": sum(not one.ends for one in self.known.values()), "told again": again}


def framework():
    one = Framework()
    threading.Thread(target=begun, args=(one,), daemon=True).start()
    one.run()
    print(json.dumps(one.check()))
    one.call("TEARDOWN")


def begun(framework):
    while not any(one.ends for one in list(framework.known.values())):
        time.sleep(0.05)
    open(framework.path("begun"), "w").close()


class Executor:
    """Runs tasks that only wait, and comes back to an agent that was killed, as executors are asked to."""

    def __init__(self):
        self.ids = {"framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
                    "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]}}
        self.stream, self.lock, self.tasks, self.updates = None, threading.Lock(), {}, {}

    def run(self):
        last = time.monotonic()
        while time.monotonic() < last + SECONDS_MAX:
            with self.lock:
                subscribe = {"unacknowledged_tasks": list(self.tasks.values()),
                             "unacknowledged_updates": [{"status": one} for one in self.updates.values()]}
            try:
                call = {**self.ids, "type": "SUBSCRIBE", "subscribe": subscribe}
                self.stream = Stream(os.environ["MESOS_AGENT_ENDPOINT"], "/slave(1)/api/v1/executor", call)
                while event := self.stream.next():
                    last = time.monotonic()
                    self.take(event)
            except AWAY:
                time.sleep(0.1)

    def take(self, event):
        if event["type"] == "LAUNCH":
            info = event["launch"]["task"]
            self.note(info, "ran")
            self.tasks[info["task_id"]["value"]] = info
            self.update(info, "TASK_RUNNING")
            lasts = float(base64.b64decode(info["data"]))
            threading.Timer(lasts, partial(self.finish, info)).start()
        elif event["type"] == "ACKNOWLEDGED":
            with self.lock:
                self.updates.pop(event["acknowledged"]["uuid"], None)
                self.tasks.pop(event["acknowledged"]["task_id"]["value"], None)
        elif event["type"] in ("SHUTDOWN", "ERROR"):
            os._exit(0)

    def finish(self, info):
        self.note(info, "done")
        self.update(info, "TASK_FINISHED")

    def note(self, info, what):
        with open(os.path.join(os.environ["FOLDER"], f"{info['task_id']['value']}.{what}"), "a") as file:
            file.write(f"{what}\n")

    def update(self, info, state):
        status = {"task_id": info["task_id"], "state": state, "source": "SOURCE_EXECUTOR",
                  "uuid": base64.b64encode(uuid.uuid4().bytes).decode()}
        with self.lock:
            self.updates[status["uuid"]] = status
        try:
            self.stream.call({**self.ids, "type": "UPDATE", "update": {"status": status}})
        except AWAY:
            # It is told with the next subscription.
            return


if __name__ == "__main__":
    framework() if sys.argv[1] == "framework" else Executor().run()
