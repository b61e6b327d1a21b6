"""What keeps tasks to themselves, where the host lets an agent do so: control groups and namespaces."""

import glob
import json
import os
import signal
import sys
import time
import urllib.request

from containers import Agent
from executors import SECONDS_MAX, Framework, task

# More than its limit, which is 32 MB at the least.
GREEDY = "x = bytearray(200 << 20)"


def statistics(offer):
    address = offer["url"]["address"]
    url = f"http://{address['ip']}:{address['port']}/containers"
    with urllib.request.urlopen(url, timeout=SECONDS_MAX) as answer:
        return [one["statistics"] for one in json.load(answer)]


def wait_until(what):
    end = time.monotonic() + SECONDS_MAX
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def control_groups():
    framework = Framework(os.environ["MESOS"], "isolation")
    offer = framework.offer()
    agent = offer["agent_id"]
    # It goes on for as long as its sandbox is there, whatever becomes of this.
    busy = {"value": "while [ -e stdout ]; do :; done"}
    tasks = [
        task("greedy", agent, command={"value": f"exec {sys.executable} -c '{GREEDY}'"}),
        task("busy", agent, command=busy, limits={"cpus": {"value": 0.1}}),
    ]
    framework.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": tasks}}])
    # Without room to swap, it is ended before it has what it wants.
    framework.wait(lambda: framework.has_ended("greedy"))
    with open("/proc/swaps") as swaps:
        swaps = len(swaps.readlines()) > 1
    if not swaps:
        last = framework.last["greedy"]
        assert last["state"] == "TASK_FAILED" and last["reason"] == "REASON_CONTAINER_LIMITATION_MEMORY", last
        assert last["message"].startswith("Memory limit exceeded: Requested: 32MB"), last
    # Who wants all of a processor has a tenth of it, and what it uses is counted.
    framework.wait(lambda: framework.is_in("busy", "TASK_RUNNING"))
    used = wait_until(lambda: [one for one in statistics(offer) if one.get("cpus_nr_throttled", 0) > 2])
    assert used[0]["mem_total_bytes"] > 0 and used[0]["cpus_nr_periods"] > 2, used
    # Its groups end with it.
    pid = framework.last["busy"]["container_status"]["executor_pid"]
    with open(f"/proc/{pid}/cgroup") as groups:
        groups = {line.rstrip().split(":", 2)[2] for line in groups if "/mesos/" in line}
    assert groups, "it is in no group"
    framework.call("KILL", {"task_id": {"value": "busy"}})
    framework.wait(lambda: framework.has_ended("busy"))
    assert framework.states["busy"][-1] == "TASK_KILLED", framework.states

    mounts = [*glob.glob("/sys/fs/cgroup/*"), "/sys/fs/cgroup"]
    folders = [mount + group for mount in mounts for group in groups]
    wait_until(lambda: not [folder for folder in folders if os.path.isdir(folder)])
    framework.call("TEARDOWN")


def namespaces():
    framework = Framework(os.environ["MESOS"], "isolation")
    offer = framework.offer()
    agent = offer["agent_id"]
    sees = "ps -e -o pid= | wc -l > seen; mkdir m; mount -t tmpfs mine m && touch m/hidden; echo $$ > own"
    sees = f"{sees}; setsid sleep 1000 & sleep 1000"
    framework.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": [
        task("sees", agent, command={"value": sees}),
        task("told", agent, command={"value": "kill -9 1; exit 3"}),
    ]}}])
    # Who is first in its namespace is the supervisor, which nobody in it can kill.
    framework.wait(lambda: framework.has_ended("told"))
    assert framework.last["told"]["message"] == "Command exited with status 3", framework.last["told"]
    framework.wait(lambda: framework.is_in("sees", "TASK_RUNNING"))
    # It has a number of its own, and another outside; it sees nobody else, and nobody sees what it mounts.
    pid = framework.last["sees"]["container_status"]["executor_pid"]
    sandbox = os.readlink(f"/proc/{pid}/cwd")
    seen = wait_until(lambda: os.path.exists(f"{sandbox}/own") and open(f"{sandbox}/own").read().strip())
    assert int(seen) < pid and int(seen) < 10, (seen, pid)
    assert int(open(f"{sandbox}/seen").read()) < 10
    wait_until(lambda: os.path.exists(f"/proc/{pid}/root{sandbox}/m/hidden"))
    assert not os.path.exists(f"{sandbox}/m/hidden")
    # A session is among the processes of its task.
    wait_until(lambda: len([one for one in beside(pid) if name(one) == "sleep"]) == 2)
    agent = Operator(offer)
    parent = framework.last["sees"]["container_status"]["container_id"]
    output = agent.session({"value": "debug", "parent": parent}, {"value": "ps -e -o args="})
    assert "sleep 1000" in output, output
    # Who kills the supervisor from outside kills all of it.
    with open(f"/proc/{pid}/stat") as stat:
        supervisor = int(stat.read().rsplit(")", 1)[1].split()[1])
    below = beside(pid)
    assert supervisor in below, (supervisor, below)
    os.kill(supervisor, signal.SIGKILL)
    framework.wait(lambda: framework.has_ended("sees"))
    wait_until(lambda: not any(os.path.exists(f"/proc/{one}") for one in below))
    framework.call("TEARDOWN")


def beside(pid):
    """All that is in the namespace of a process."""
    own = namespace(pid)
    return [int(one) for one in os.listdir("/proc") if one.isdigit() and own and namespace(one) == own]


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return None


class Operator(Agent):
    """The agent of an offer, by its operator API."""

    def __init__(self, offer):
        address = offer["url"]["address"]
        super().__init__(f"{address['ip']}:{address['port']}")

    def session(self, container, command):
        body = {"container_id": container, "command": command}
        call = {"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session": body}
        streamed = {"Accept": "application/recordio", "Message-Accept": "application/json"}
        connection, answer = self.open(call, streamed)
        assert answer.status == 200, answer.read()
        output = "".join(text for _, text in self.output(answer))
        connection.close()
        return output


if __name__ == "__main__":
    globals()[sys.argv[1]]()
