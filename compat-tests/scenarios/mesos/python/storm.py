"""Everything is killed at once: the server, executors, tasks, and who watches over them. No task is run twice, none is
forgotten, and how each ended is told until it is acknowledged."""

import os
import signal
import sys

from executors import ENDED, SECONDS_MAX, Framework, resources, task

COMMANDS, OWN, GROUP = 6, 3, 2


class Slow(Framework):
    """A framework that does not acknowledge an end when it hears of it for the first time."""

    def __init__(self, *args):
        self.heard, self.ends = {}, {}
        super().__init__(*args)

    def take(self, event):
        if event["type"] == "UPDATE":
            status = event["update"]["status"]
            name, uuid = status["task_id"]["value"], status.get("uuid")
            if status["state"] in ENDED and uuid:
                self.ends.setdefault(name, set()).add(uuid)
                self.heard[uuid] = self.heard.get(uuid, 0) + 1
                if self.heard[uuid] == 1:
                    self.states.setdefault(name, []).append(status["state"])
                    self.last[name] = status
                    return
        super().take(event)


def names():
    own = [f"own{at}" for at in range(OWN)]
    group = [f"group{at}" for at in range(GROUP)]
    return [f"command{at}" for at in range(COMMANDS)], own, group


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def known():
    path = os.path.join(os.environ["FOLDER"], "framework")
    return path, open(path).read() if os.path.exists(path) else None


def begin():
    folder = os.environ["FOLDER"]
    path, framework_id = known()
    framework = Slow(os.environ["MESOS"], "storm", framework_id)
    with open(path, "w") as file:
        file.write(framework.id)
    offer = framework.offer()
    commands, own, group = names()

    def runs(name):
        return {"value": f"echo ran >> {folder}/{name}.ran; while [ ! -e {folder}/go ]; do sleep 0.1; done"}

    executor = {
        "executor_id": {"value": "own"}, "type": "CUSTOM", "resources": resources(0.1),
        "framework_id": {"value": framework.id},
        "command": {"value": f"exec {sys.executable} executors.py executor",
                    "uris": [{"value": os.path.join(os.path.dirname(os.path.abspath(__file__)), "executors.py")}],
                    "environment": {"variables": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}]}},
    }
    default = {"executor_id": {"value": "group"}, "type": "DEFAULT", "framework_id": {"value": framework.id},
               "resources": resources(0.1)}
    tasks = [task(name, offer["agent_id"], command=runs(name)) for name in commands]
    tasks += [task(name, offer["agent_id"], executor=executor) for name in own]
    grouped = [task(name, offer["agent_id"], command=runs(name)) for name in group]
    framework.accept(offer, [
        {"type": "LAUNCH", "launch": {"task_infos": tasks}},
        {"type": "LAUNCH_GROUP", "launch_group": {"executor": default, "task_group": {"tasks": grouped}}},
    ])
    framework.wait(lambda: all(framework.is_in(name, "TASK_RUNNING") for name in (*commands, *own, *group)))
    pid = {name: framework.last[name]["container_status"]["executor_pid"] for name in (*commands, *own, *group)}
    # A task, who watches over another, a task and who watches over it, one of a group, an executor.
    for one in (pid[commands[0]], parent(pid[commands[1]]), parent(pid[commands[2]]), pid[commands[2]], pid[group[0]], pid[own[0]]):
        os.kill(one, signal.SIGKILL)
    os.kill(int(os.environ["SERVER"]), signal.SIGKILL)


def go_on():
    folder = os.environ["FOLDER"]
    framework = Slow(os.environ["MESOS"], "storm", known()[1])
    commands, own, group = names()
    every = (*commands, *own, *group)
    open(os.path.join(folder, "go"), "w").close()
    # Every end is heard twice: the first time it was not acknowledged.
    framework.wait(lambda: all(framework.ends.get(name) for name in every)
                   and all(count > 1 for count in framework.heard.values()))
    ends = {name: framework.last[name]["state"] for name in every}
    for name in every:
        assert len(framework.ends[name]) == 1, (name, framework.ends[name])
    for name in (*commands, *group):
        runs = open(os.path.join(folder, f"{name}.ran")).read().count("ran")
        assert runs == 1, f"{name} ran {runs} times"
    assert [ends[name] for name in commands[:3]] == ["TASK_FAILED"] * 3, ends
    assert [ends[name] for name in commands[3:]] == ["TASK_FINISHED"] * 3, ends
    assert ends[group[0]] == "TASK_FAILED" and ends[group[1]] in ("TASK_KILLED", "TASK_FINISHED"), ends
    assert {ends[name] for name in own} == {"TASK_FAILED"}, ends


if __name__ == "__main__":
    globals()[sys.argv[1]]()
