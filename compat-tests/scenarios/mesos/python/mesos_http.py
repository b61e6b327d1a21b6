"""mesoshttp: a framework over the v1 HTTP API in JSON."""

import http.server
import io
import json
import os
import sys
import tarfile
import tempfile
import threading
import urllib.request

from mesoshttp.client import MesosClient
from executors import has_room

MESOS = os.environ["MESOS"]
SECONDS_MAX = 120
ENDED = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR"}


def get(path):
    with urllib.request.urlopen(f"http://{MESOS}{path}", timeout=SECONDS_MAX) as answer:
        return json.load(answer)


class Framework:
    """Launches tasks on the first offer with room for them, and gathers what becomes of them."""

    def __init__(self, commands, cpus=0.1):
        self.commands = dict(commands)
        self.scalars = {"cpus": cpus, "mem": 32}
        self.states = {name: [] for name in commands}
        self.last = {}
        self.changed = threading.Condition()
        self.driver = None
        self.launched = False
        self.client = MesosClient(mesos_urls=[f"http://{MESOS}"], frameworkName="scenario", max_reconnect=1)
        self.client.set_checkpoint(False)
        self.client.on(MesosClient.SUBSCRIBED, self.subscribed)
        self.client.on(MesosClient.OFFERS, self.offers)
        self.client.on(MesosClient.UPDATE, self.update)
        self.thread = threading.Thread(target=self.client.register, daemon=True)
        self.thread.start()

    def subscribed(self, driver):
        self.driver = driver

    def offers(self, offers):
        for offer in offers:
            offered = offer.get_offer()
            if self.launched or not has_room(offered):
                offer.decline()
                continue
            self.launched = True
            agent = offered["agent_id"]
            offer.accept([self.task(name, command, agent) for name, command in self.commands.items()])

    def task(self, name, command, agent):
        return {
            "name": name,
            "task_id": {"value": name},
            "agent_id": agent,
            "command": command,
            "resources": [{"name": n, "type": "SCALAR", "scalar": {"value": v}} for n, v in self.scalars.items()],
        }

    def update(self, update):
        status = update["status"]
        with self.changed:
            self.states[status["task_id"]["value"]].append(status["state"])
            self.last[status["task_id"]["value"]] = status
            self.changed.notify_all()

    def wait(self, what):
        with self.changed:
            assert self.changed.wait_for(what, SECONDS_MAX), f"waited in vain: {self.states}"

    def wait_for_ends(self):
        self.wait(lambda: all(set(states) & ENDED for states in self.states.values()))

    def end(self):
        framework = self.client.frameworkId
        self.driver.tearDown()
        # The master forgets what it ran only with its history.
        state = get("/master/state")
        assert framework in [f["id"] for f in state["completed_frameworks"]], "a framework that was torn down"
        assert framework not in [f["id"] for f in state["frameworks"]], "a framework that was torn down"


def tasks_run_to_their_end():
    framework = Framework({
        "good": {"value": "echo out; echo err >&2"},
        "bad": {"value": "exit 3"},
        "argv": {"shell": False, "value": "/bin/sh", "arguments": ["sh", "-c", "test \"$0\" = x", "x"]},
        "missing": {"shell": False, "value": "/nowhere/to/be/found"},
    })
    framework.wait_for_ends()
    seen = {name: states for name, states in framework.states.items()}
    started = ["TASK_STARTING", "TASK_RUNNING"]
    assert seen["good"] == started + ["TASK_FINISHED"], seen
    assert seen["argv"] == started + ["TASK_FINISHED"], seen
    assert seen["bad"] == started + ["TASK_FAILED"], seen
    assert seen["missing"] == ["TASK_FAILED"] or seen["missing"] == started + ["TASK_FAILED"], seen
    assert framework.last["bad"]["message"] == "Command exited with status 3", framework.last["bad"]
    assert framework.last["good"]["message"] == "Command exited with status 0", framework.last["good"]
    framework.end()


def what_a_task_wrote_is_read_back():
    framework = Framework({"writer": {"value": "printf hello; env > environment"}})
    framework.wait_for_ends()
    agent = get("/state")["slaves"][0]
    host = agent["pid"].split("@")[1]

    def of_agent(path):
        with urllib.request.urlopen(f"http://{host}{path}", timeout=SECONDS_MAX) as answer:
            return json.load(answer)

    frameworks = of_agent("/slave(1)/state")
    all_ = frameworks["frameworks"] + frameworks["completed_frameworks"]
    mine = next(f for f in all_ if f["id"] == framework.client.frameworkId)
    directory = (mine["executors"] + mine["completed_executors"])[0]["directory"]
    names = [os.path.basename(entry["path"]) for entry in of_agent(f"/files/browse?path={directory}")]
    assert names == ["environment", "stderr", "stdout"], names
    assert of_agent(f"/files/read?path={directory}/stdout&offset=0") == {"data": "hello", "offset": 0}
    environment = of_agent(f"/files/read?path={directory}/environment&offset=0")["data"]
    variables = dict(line.split("=", 1) for line in environment.splitlines())
    expected = {
        "MESOS_SANDBOX": directory,
        "MESOS_DIRECTORY": directory,
        "MESOS_FRAMEWORK_ID": framework.client.frameworkId,
        "MESOS_EXECUTOR_ID": "writer",
        "MESOS_AGENT_ENDPOINT": host,
        "MESOS_ALLOCATION_ROLE": "*",
        "LIBPROCESS_PORT": "0",
    }
    wrong = {name: variables.get(name) for name, value in expected.items() if variables.get(name) != value}
    assert not wrong, wrong
    framework.end()


class Files(http.server.BaseHTTPRequestHandler):
    """Serves an archive, by way of a redirect."""

    def do_GET(self):
        if self.path == "/a/moved.tgz":
            self.send_response(302)
            self.send_header("Location", "/archive.tgz")
            self.end_headers()
        elif self.path == "/archive.tgz":
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w:gz") as tar:
                member = tarfile.TarInfo("folder/hello")
                member.size = 5
                tar.addfile(member, io.BytesIO(b"hello"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(archive.getvalue())
        else:
            self.send_error(404)

    def log_message(self, *args):
        pass


def what_a_task_needs_is_fetched():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = os.path.join(folder, "program")
        with open(program, "w") as file:
            file.write("#!/bin/sh\nexec cat folder/hello\n")
        uris = [
            {"value": f"{base}/a/moved.tgz"},
            {"value": program, "executable": True},
            {"value": f"file://{program}", "output_file": "below/copy", "cache": True},
        ]
        check = "test \"$(./program)\" = hello && cmp program below/copy && test -f moved.tgz"
        framework = Framework({
            "fetched": {"value": check, "uris": uris},
            "missing": {"value": "true", "uris": [{"value": f"{base}/nothing"}]},
        })
        framework.wait_for_ends()
        assert framework.states["fetched"][-1] == "TASK_FINISHED", framework.last
        assert framework.states["missing"] == ["TASK_FAILED"], framework.last
        message = framework.last["missing"]["message"]
        assert "Failed to fetch all URIs" in message and "404" in message, message
        framework.end()
    server.shutdown()


def a_task_is_killed():
    framework = Framework({"sleeper": {"value": "sleep 1000"}})
    framework.wait(lambda: "TASK_RUNNING" in framework.states["sleeper"])
    framework.driver.kill(framework.last["sleeper"]["agent_id"]["value"], "sleeper")
    framework.wait_for_ends()
    assert framework.states["sleeper"][-1] == "TASK_KILLED", framework.states
    assert framework.last["sleeper"]["message"] == "Command terminated with signal Terminated", framework.last
    framework.end()


def too_much_is_refused():
    framework = Framework({"huge": {"value": "true"}}, cpus=1e6)
    framework.wait_for_ends()
    assert framework.states["huge"] == ["TASK_ERROR"], framework.states
    assert "more resources" in framework.last["huge"]["message"], framework.last
    framework.end()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
