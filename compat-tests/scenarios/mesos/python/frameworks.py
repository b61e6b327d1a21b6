"""pymesos: a scheduler and an executor over the v1 HTTP API in JSON, both of the stock library."""

import os
import sys
import threading
import time

from executors import has_room
from pymesos import Executor, MesosExecutorDriver, MesosSchedulerDriver, Scheduler, decode_data, encode_data

SECONDS_MAX = 100


class Names(Executor):
    """Tasks are names alone: they run until somebody says otherwise."""

    def tell(self, driver, task, state):
        driver.sendStatusUpdate({"task_id": task, "state": state, "timestamp": time.time()})

    def launchTask(self, driver, task):
        self.tell(driver, task["task_id"], "TASK_RUNNING")

    def killTask(self, driver, task_id):
        self.tell(driver, task_id, "TASK_KILLED")

    def frameworkMessage(self, driver, message):
        said = decode_data(message).decode().split()
        if said[0] == "finish":
            self.tell(driver, {"value": said[1]}, "TASK_FINISHED")
        else:
            driver.sendFrameworkMessage(encode_data(said[0][::-1].encode()))

    def shutdown(self, driver):
        driver.stop()


class Framework(Scheduler):
    """Launches its tasks on the first offer with room for them, and gathers what it is told."""

    def __init__(self, tasks, executor=None, framework_id=None):
        self.tasks = dict(tasks)
        self.executor = executor
        self.states = {name: [] for name in tasks}
        self.last = {}
        self.told = []
        self.changed = threading.Condition()
        info = {"user": "root", "name": "pymesos", "failover_timeout": 60}
        if framework_id:
            info["id"] = {"value": framework_id}
        self.driver = MesosSchedulerDriver(self, info, os.environ["MESOS"])
        self.driver.start()

    def tell(self, what):
        with self.changed:
            self.told.append(what)
            self.changed.notify_all()

    def wait_for(self, what, condition):
        with self.changed:
            assert self.changed.wait_for(condition, SECONDS_MAX), (what, self.told, self.states)

    def wait_state(self, name, state):
        self.wait_for((name, state), lambda: state in self.states.get(name, []))

    def registered(self, driver, framework_id, master):
        self.tell("registered")

    def reregistered(self, driver, master):
        self.tell("reregistered")

    def resourceOffers(self, driver, offers):
        for offer in offers:
            if self.tasks and not has_room(offer):
                driver.declineOffer(offer["id"], {"refuse_seconds": 0})
                continue
            tasks, self.tasks = self.tasks, {}
            driver.launchTasks(offer["id"], [self.task(offer, *task) for task in tasks.items()])

    def task(self, offer, name, command):
        what = {"executor": self.executor} if self.executor else {"command": {"value": command}}
        return {
            "name": name,
            "task_id": {"value": name},
            "agent_id": offer["agent_id"],
            "resources": resources(0.1),
            **what,
        }

    def statusUpdate(self, driver, status):
        with self.changed:
            name = status["task_id"]["value"]
            self.states.setdefault(name, []).append(status["state"])
            self.last[name] = status
            self.changed.notify_all()

    def frameworkMessage(self, driver, executor_id, agent_id, message):
        self.tell("message " + decode_data(message).decode())

    def stop(self, failover=False):
        self.driver.stop(failover)
        self.driver.join()


def resources(cpus):
    scalars = {"cpus": cpus, "mem": 32}
    return [{"name": name, "type": "SCALAR", "scalar": {"value": value}} for name, value in scalars.items()]


def tasks_run_to_their_end():
    framework = Framework({"good": "true", "bad": "exit 3", "sleeper": "sleep 1000"})
    framework.wait_state("good", "TASK_FINISHED")
    framework.wait_state("bad", "TASK_FAILED")
    framework.wait_state("sleeper", "TASK_RUNNING")
    framework.driver.suppressOffers()
    framework.driver.reviveOffers()
    framework.driver.killTask({"value": "sleeper"})
    framework.wait_state("sleeper", "TASK_KILLED")
    assert framework.told[0] == "registered", framework.told
    framework.stop()


def a_framework_fails_over():
    first = Framework({"task": "sleep 1000"})
    first.wait_state("task", "TASK_RUNNING")
    framework_id = first.driver.framework_id
    first.stop(failover=True)
    second = Framework({}, framework_id=framework_id)
    second.wait_for("its registration", lambda: second.told == ["reregistered"])
    second.driver.reconcileTasks([{"task_id": {"value": "task"}}])
    second.wait_state("task", "TASK_RUNNING")
    assert second.last["task"]["reason"] == "REASON_RECONCILIATION", second.last
    second.driver.killTask({"value": "task"})
    second.wait_state("task", "TASK_KILLED")
    second.stop()


def an_executor_of_its_own():
    executor = {
        "executor_id": {"value": "executor"},
        "name": "executor",
        "command": {"value": f"exec '{sys.executable}' '{os.path.abspath(__file__)}' executor"},
        "resources": resources(0.1),
    }
    framework = Framework({"killed": "", "finished": ""}, executor)
    framework.wait_state("killed", "TASK_RUNNING")
    framework.wait_state("finished", "TASK_RUNNING")
    agent = framework.last["killed"]["agent_id"]
    framework.driver.sendFrameworkMessage(executor["executor_id"], agent, encode_data(b"hello"))
    framework.wait_for("an answer", lambda: "message olleh" in framework.told)
    framework.driver.killTask({"value": "killed"})
    framework.wait_state("killed", "TASK_KILLED")
    framework.driver.sendFrameworkMessage(executor["executor_id"], agent, encode_data(b"finish finished"))
    framework.wait_state("finished", "TASK_FINISHED")
    framework.stop()


def executor():
    MesosExecutorDriver(Names()).run()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("PASS", sys.argv[1])
