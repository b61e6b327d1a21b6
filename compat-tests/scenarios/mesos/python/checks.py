"""Health checks and checks of tasks, as a framework in plain HTTP and JSON sees them."""

import os
import socket
import sys
import tempfile

from executors import Framework, resources, task

SOON = {"delay_seconds": 0.0, "interval_seconds": 0.2, "grace_period_seconds": 0.0}
HEALTH, CHECK = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED", "REASON_TASK_CHECK_STATUS_UPDATED"

SERVER = """
import http.server
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/ok": 200, "/elsewhere": 302}.get(self.path, 500))
        self.send_header("Location", "/ok")
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", PORT), Answers).serve_forever()
"""


class Watcher(Framework):
    """A framework that remembers every status whole."""

    def __init__(self, *args):
        self.statuses = {}
        super().__init__(*args)

    def take(self, event):
        if event["type"] == "UPDATE":
            status = event["update"]["status"]
            self.statuses.setdefault(status["task_id"]["value"], []).append(status)
        super().take(event)

    def told(self, name, reason):
        return [one for one in self.statuses.get(name, []) if one.get("reason") == reason]

    def health(self, name):
        return [one["healthy"] for one in self.told(name, HEALTH)]

    def found(self, name):
        return [one["check_status"] for one in self.told(name, CHECK)]

    def launch(self, offer, *tasks):
        self.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": list(tasks)}}])


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def command(value):
    return {"value": value}


def health_checks():
    framework = Watcher(os.environ["MESOS"], "health")
    offer = framework.offer()
    # Bound and not listening, so that nobody else gets the port.
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    port, nobody = free_port(), silent.getsockname()[1]
    serve = {"shell": False, "value": sys.executable,
             "arguments": ["python", "-c", SERVER.replace("PORT", str(port))]}
    patient = {**SOON, "consecutive_failures": 1000}

    def sleeper(name, health):
        return task(name, offer["agent_id"], command=command("sleep 1000"), health_check=health)

    framework.launch(
        offer,
        task("web", offer["agent_id"], command=serve,
             health_check={**patient, "type": "HTTP", "http": {"port": port, "path": "/elsewhere"}}),
        sleeper("connects", {**patient, "type": "TCP", "tcp": {"port": port}}),
        sleeper("fails", {**patient, "type": "HTTP", "http": {"port": port, "path": "/broken"}}),
        sleeper("nobody", {**SOON, "type": "TCP", "tcp": {"port": nobody}, "consecutive_failures": 3}),
        sleeper("hangs", {**SOON, "type": "COMMAND", "command": command("sleep 1000 & sleep 1000"),
                          "timeout_seconds": 0.3, "consecutive_failures": 1}),
        # It is well once, and not from the second look on.
        sleeper("turns", {**SOON, "type": "COMMAND", "consecutive_failures": 2,
                          "command": command('test "$MESOS_SANDBOX" = "$PWD" && mkdir looked')}),
    )
    framework.wait(lambda: framework.health("web")[-1:] == [True] and framework.health("connects")[-1:] == [True])
    framework.wait(lambda: len(framework.health("fails")) >= 2)
    framework.wait(lambda: all(framework.has_ended(name) for name in ("nobody", "hangs", "turns")))
    assert not any(framework.health("fails")) and not framework.has_ended("fails"), framework.statuses["fails"]
    assert framework.health("nobody") == [False] * 3, framework.health("nobody")
    assert framework.health("hangs") == [False], framework.health("hangs")
    assert framework.health("turns") == [True, False, False], framework.health("turns")
    for name in ("nobody", "hangs", "turns"):
        last = framework.last[name]
        assert (last["state"], last["healthy"]) == ("TASK_KILLED", False), last
    silent.close()
    framework.call("TEARDOWN")


def checks():
    framework = Watcher(os.environ["MESOS"], "checks")
    offer = framework.offer()
    folder, port = tempfile.mkdtemp(), free_port()
    code = os.path.join(folder, "code")
    serve = {"shell": False, "value": sys.executable,
             "arguments": ["python", "-c", SERVER.replace("PORT", str(port))]}
    soon = {"delay_seconds": 0.0, "interval_seconds": 0.2}
    framework.launch(
        offer,
        task("code", offer["agent_id"], command=command("sleep 1000"),
             check={**soon, "type": "COMMAND", "command": {"command": command(f"exit $(cat {code} || echo 1)")}}),
        task("http", offer["agent_id"], command=serve, check={**soon, "type": "HTTP", "http": {"port": port, "path": "/ok"}}),
        task("tcp", offer["agent_id"], command=command("sleep 1000"), check={**soon, "type": "TCP", "tcp": {"port": port}}),
        task("wrong", offer["agent_id"], command=command("sleep 1000"), check={"type": "HTTP"}),
    )
    framework.wait(lambda: framework.found("code"))
    # A look at the file sees all of it or none.
    with open(code + ".new", "w") as file:
        file.write("42")
    os.rename(code + ".new", code)
    found = {"type": "COMMAND", "command": {"exit_code": 42}}
    framework.wait(lambda: framework.found("code")[-1] == found and framework.has_ended("wrong"))
    before = {"type": "COMMAND", "command": {"exit_code": 1}}
    assert framework.found("code") == [before, found], framework.found("code")
    first = framework.statuses["code"][0]
    assert first["check_status"] == {"type": "COMMAND", "command": {}}, first
    framework.wait(lambda: framework.found("http")[-1:] == [{"type": "HTTP", "http": {"status_code": 200}}])
    framework.wait(lambda: framework.found("tcp")[-1:] == [{"type": "TCP", "tcp": {"succeeded": True}}])
    assert framework.last["wrong"]["state"] == "TASK_ERROR", framework.last["wrong"]
    assert "invalid check: Expecting 'http'" in framework.last["wrong"]["message"], framework.last["wrong"]
    framework.call("TEARDOWN")


def health_of_groups():
    framework = Watcher(os.environ["MESOS"], "health of groups")
    offer = framework.offer()
    info = {"executor_id": {"value": "G"}, "type": "DEFAULT", "framework_id": {"value": framework.id},
            "resources": resources(0.1)}
    sick = {**SOON, "type": "COMMAND", "command": command("false"), "consecutive_failures": 2}
    tasks = [task("sick", offer["agent_id"], command=command("sleep 1000"), health_check=sick),
             task("well", offer["agent_id"], command=command("sleep 1000"))]
    framework.accept(offer, [{"type": "LAUNCH_GROUP", "launch_group": {"executor": info, "task_group": {"tasks": tasks}}}])
    framework.wait(lambda: framework.has_ended("sick") and framework.has_ended("well"))
    assert framework.health("sick") == [False, False], framework.health("sick")
    sick, well = framework.last["sick"], framework.last["well"]
    assert (sick["state"], sick["healthy"]) == ("TASK_KILLED", False), sick
    assert well["state"] == "TASK_KILLED" and "healthy" not in well, well
    framework.call("TEARDOWN")


def looked_at():
    """A task that is looked at, until the agent is killed."""
    framework = Watcher(os.environ["MESOS"], "looked at")
    with open(os.path.join(os.environ["FOLDER"], "framework"), "w") as file:
        file.write(framework.id)
    offer, code = framework.offer(), os.path.join(os.environ["FOLDER"], "code")
    health = {**SOON, "type": "COMMAND", "command": command(f"test ! -e {code}"), "consecutive_failures": 3}
    framework.launch(offer, task("long", offer["agent_id"], command=command("sleep 1000"), health_check=health))
    framework.wait(lambda: framework.health("long") == [True])


def looked_at_again():
    """After the restart it is still looked at, and killed as soon as it is not well."""
    known = open(os.path.join(os.environ["FOLDER"], "framework")).read()
    framework = Watcher(os.environ["MESOS"], "looked at", known)
    open(os.path.join(os.environ["FOLDER"], "code"), "w").close()
    framework.wait(lambda: framework.has_ended("long"))
    assert framework.health("long")[-3:] == [False] * 3, framework.statuses["long"]
    last = framework.last["long"]
    assert (last["state"], last["healthy"]) == ("TASK_KILLED", False), last
    framework.call("TEARDOWN")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
