"""Follows a driver that the stock dispatcher launched: waits for its end, and says how it ended and what it wrote."""

import json
import os
import sys
import time
import urllib.parse
import urllib.request

MASTER = os.environ["MESOS"]
ENDED = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR")


def asked(server, path):
    with urllib.request.urlopen(f"http://{server}{path}", timeout=60) as answer:
        return json.load(answer)


def ended(name):
    """The driver's task, once it ended."""
    for _ in range(1200):
        for framework in asked(MASTER, "/state")["frameworks"]:
            for task in framework["completed_tasks"]:
                if task["name"] == name and task["state"] in ENDED:
                    return framework, task
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {name} to end")


def written(framework, task, file):
    """What the task wrote, as the agent gives it out."""
    (agent,) = [one for one in asked(MASTER, "/slaves")["slaves"] if one["id"] == task["slave_id"]]
    server = agent["pid"].split("@")[1]
    state = asked(server, "/state")
    known = [one for one in state["frameworks"] + state["completed_frameworks"] if one["id"] == framework["id"]]
    (folder,) = [
        executor["directory"]
        for one in known
        for executor in one["executors"] + one["completed_executors"]
        if executor["id"] == task["id"]
    ]
    query = urllib.parse.urlencode({"path": f"{folder}/{file}", "offset": 0, "length": 1 << 20})
    return asked(server, f"/files/read?{query}")["data"]


def main(name):
    framework, task = ended(name)
    labels = {label["key"]: label["value"] for label in task.get("labels", [])}
    print(json.dumps({"framework": framework["name"], "state": task["state"], "labels": labels}))
    print(written(framework, task, "stdout"))
    print(written(framework, task, "stderr"))


if __name__ == "__main__":
    main(sys.argv[1])
