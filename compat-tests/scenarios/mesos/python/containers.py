"""Containers below a task's and by themselves, by the agent's operator API in plain HTTP and JSON."""

import base64
import http.client
import json
import os
import sys
import tempfile
import threading
import time
import uuid

from executors import SECONDS_MAX, Framework, resources, task


class Agent:
    def __init__(self, address):
        self.address = address

    def open(self, call, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS_MAX)
        connection.request("POST", "/api/v1", json.dumps(call), {"Content-Type": "application/json", **(headers or {})})
        return connection, connection.getresponse()

    def post(self, kind, **body):
        call = {"type": kind, kind.lower(): body} if body else {"type": kind}
        connection, answer = self.open(call)
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def containers(self):
        _, answer = self.post("GET_CONTAINERS", show_nested=True, show_standalone=True)
        return [name(one["container_id"]) for one in answer.get("get_containers", {}).get("containers", [])]

    def output(self, answer):
        """Pieces of a stream of ProcessIO, until it ends."""
        while length := answer.readline():
            record = json.loads(answer.read(int(length)))
            if record["type"] == "DATA":
                yield record["data"]["type"], base64.b64decode(record["data"]["data"]).decode()


def name(container):
    above = container.get("parent")
    return f"{name(above)}.{container['value']}" if above else container["value"]


def whole(output):
    by_kind = {}
    for kind, text in output:
        by_kind[kind] = by_kind.get(kind, "") + text
    return by_kind


def running(first="echo here > mark"):
    """A framework, and a task of its own that does something and then sleeps."""
    framework = Framework(os.environ["MESOS"], "containers")
    offer = framework.offer()
    command = {"value": f"{first}; sleep 1000", "environment": {"variables": [{"name": "MINE", "value": "yes"}]}}
    tasks = [task("parent", offer["agent_id"], command=command)]
    framework.accept(offer, [{"type": "LAUNCH", "launch": {"task_infos": tasks}}])
    framework.wait(lambda: framework.is_in("parent", "TASK_RUNNING"))
    address = offer["url"]["address"]
    return framework, Agent(f"{address['ip']}:{address['port']}"), framework.last["parent"]["container_status"]["container_id"]


def nested_containers():
    framework, agent, parent = running()
    inner = {"value": "inner", "parent": parent}
    command = {"value": "touch made; sleep 1000 & exec sleep 1000"}
    assert agent.post("LAUNCH_NESTED_CONTAINER", container_id=inner, command=command) == (200, "")
    assert agent.post("LAUNCH_NESTED_CONTAINER", container_id=inner, command=command) == (202, "")
    assert name(inner) in agent.containers(), agent.containers()
    deeper = {"value": "deeper", "parent": inner}
    assert agent.post("LAUNCH_CONTAINER", container_id=deeper, command={"value": "exit 3"})[0] == 200
    status, answer = agent.post("WAIT_CONTAINER", container_id=deeper)
    assert (status, answer["wait_container"]) == (200, {"exit_status": 3 << 8}), answer
    # Who waits is told when it is killed, and so is who asks later.
    told = []
    waits = threading.Thread(target=lambda: told.append(agent.post("WAIT_NESTED_CONTAINER", container_id=inner)))
    waits.start()
    status, why = agent.post("REMOVE_NESTED_CONTAINER", container_id=inner)
    assert (status, why) == (500, "Nested container has not terminated yet"), (status, why)
    assert agent.post("KILL_NESTED_CONTAINER", container_id=inner) == (200, "")
    waits.join()
    assert told[0][1]["wait_nested_container"]["exit_status"] == 9, told
    assert agent.post("WAIT_NESTED_CONTAINER", container_id=inner) == told[0]
    status, why = agent.post("KILL_NESTED_CONTAINER", container_id=inner)
    assert (status, why) == (404, f"Container '{name(inner)}' cannot be found (or is already killed)"), (status, why)
    assert agent.post("REMOVE_NESTED_CONTAINER", container_id=inner) == (200, "")
    assert agent.post("WAIT_NESTED_CONTAINER", container_id=inner)[0] == 404
    # What is below a task ends with it.
    last = {"value": "last", "parent": parent}
    agent.post("LAUNCH_NESTED_CONTAINER", container_id=last, command={"value": "sleep 1000"})
    waits = threading.Thread(target=lambda: told.append(agent.post("WAIT_NESTED_CONTAINER", container_id=last)))
    waits.start()
    framework.call("KILL", {"task_id": {"value": "parent"}})
    waits.join()
    assert told[-1][1]["wait_nested_container"]["exit_status"] == 9, told
    framework.wait(lambda: framework.has_ended("parent"))
    framework.call("TEARDOWN")


def sessions():
    framework, agent, parent = running()
    streamed = {"Accept": "application/recordio", "Message-Accept": "application/json"}

    def session(container, command):
        body = {"container_id": container, "command": command}
        call = {"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session": body}
        connection, answer = agent.open(call, streamed)
        assert answer.status == 200, answer.read()
        assert answer.getheader("Content-Type") == "application/recordio", answer.getheaders()
        assert answer.getheader("Message-Content-Type") == "application/json", answer.getheaders()
        return connection, answer

    # It sees what the task sees.
    debug = {"value": "debug", "parent": parent}
    connection, answer = session(debug, {"value": "cat mark; echo $MINE >&2; exit 4"})
    assert whole(agent.output(answer)) == {"STDOUT": "here\n", "STDERR": "yes\n"}
    assert agent.post("WAIT_NESTED_CONTAINER", container_id=debug)[1]["wait_nested_container"]["exit_status"] == 4 << 8
    # What is written to it is read by its process, and what that writes is read by whoever is attached.
    cat = {"value": "cat", "parent": parent}
    connection, answer = session(cat, {"value": "exec cat"})
    attach = {"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": cat}}
    _, second = agent.open(attach, streamed)
    assert second.status == 200

    def said():
        first = {"type": "CONTAINER_ID", "container_id": cat}
        pieces = [{"type": "PROCESS_IO", "process_io": {"type": "DATA", "data": {"type": "STDIN", "data": text}}}
                  for text in (base64.b64encode(b"one two").decode(), "")]
        for one in [first, *pieces]:
            record = json.dumps({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": one}).encode()
            yield str(len(record)).encode() + b"\n" + record

    speaks = http.client.HTTPConnection(agent.address, timeout=SECONDS_MAX)
    headers = {"Content-Type": "application/recordio", "Message-Content-Type": "application/json"}
    speaks.request("POST", "/api/v1", said(), headers)
    heard = speaks.getresponse()
    assert heard.status == 200, heard.read()
    assert whole(agent.output(answer)) == {"STDOUT": "one two"}
    assert whole(agent.output(second)) == {"STDOUT": "one two"}
    # It lasts as long as its connection, and all that it started.
    mark = os.path.join(tempfile.mkdtemp(), "pid")
    left = {"value": "left", "parent": parent}
    connection, answer = session(left, {"value": f"setsid sh -c 'echo $$ > {mark}; echo up; exec sleep 1000'"})
    assert next(agent.output(answer)) == ("STDOUT", "up\n")
    answer.close()
    connection.close()
    status, told = agent.post("WAIT_NESTED_CONTAINER", container_id=left)
    assert status == 200 and told["wait_nested_container"]["exit_status"] == 9, told
    assert not os.path.exists(f"/proc/{open(mark).read().strip()}"), "a process is left"
    framework.call("TEARDOWN")


def standalone_containers():
    framework, agent, parent = running()
    own = {"value": str(uuid.uuid4())}
    info = {"container_id": own, "command": {"value": "echo $MESOS_SANDBOX; exec sleep 1000"}, "resources": resources(0.1)}
    assert agent.post("LAUNCH_CONTAINER", **info) == (200, "")
    assert agent.post("LAUNCH_CONTAINER", **info) == (202, "")
    assert own["value"] in agent.containers() and name(parent) in agent.containers(), agent.containers()
    _, answer = agent.post("GET_CONTAINERS")
    assert own["value"] not in [one["container_id"]["value"] for one in answer["get_containers"]["containers"]], answer
    assert agent.post("KILL_CONTAINER", container_id=own, signal=15) == (200, "")
    status, told = agent.post("WAIT_CONTAINER", container_id=own)
    assert told["wait_container"]["exit_status"] == 15, told
    assert agent.post("REMOVE_CONTAINER", container_id=own) == (200, "")
    status, why = agent.post("WAIT_CONTAINER", container_id=own)
    assert (status, why) == (404, f"Container {own['value']} cannot be found"), (status, why)
    framework.call("TEARDOWN")


def links_lead_nobody_out():
    outside, mark = tempfile.mkdtemp(), os.path.join(tempfile.mkdtemp(), "mark")
    os.makedirs(f"{outside}/inner")
    with open(f"{outside}/kept", "w") as kept:
        kept.write("theirs")
    framework, agent, parent = running(f"ln -s {outside} containers; touch {mark}")
    until = time.monotonic() + SECONDS_MAX
    while not os.path.exists(mark):
        assert time.monotonic() < until, "the task has put no link"
        time.sleep(0.05)
    for one in ("inner", "new"):
        container = {"value": one, "parent": parent}
        status, why = agent.post("LAUNCH_NESTED_CONTAINER", container_id=container, command={"value": "touch made"})
        assert status == 400 and why.startswith("Failed to launch container: the path leads out"), (status, why)
    assert sorted(os.listdir(outside)) == ["inner", "kept"] and not os.listdir(f"{outside}/inner"), os.listdir(outside)
    with open(f"{outside}/kept") as kept:
        assert kept.read() == "theirs"
    framework.call("TEARDOWN")


def bad_calls_of_operators():
    framework, agent, parent = running()
    validate = "Failed to validate agent::Call: "
    ghost = {"value": "x", "parent": {"value": "ghost"}}
    cases = [
        ("LAUNCH_NESTED_CONTAINER", {}, 400, validate + "Expecting 'launch_nested_container' to be present"),
        ("LAUNCH_NESTED_CONTAINER", {"container_id": {"value": "x"}}, 400,
         validate + "Expecting 'launch_nested_container.container_id.parent' to be present"),
        ("LAUNCH_NESTED_CONTAINER", {"container_id": {"value": "a/b", "parent": parent}}, 400,
         validate + "'launch_nested_container.container_id' is invalid: 'ContainerID.value' 'a/b' contains invalid characters"),
        ("LAUNCH_NESTED_CONTAINER", {"container_id": ghost}, 400, "Parent container ghost does not exist"),
        ("LAUNCH_CONTAINER", {"container_id": {"value": "image"}, "container": {"type": "DOCKER"}}, 400,
         "The provided ContainerInfo is not supported"),
        ("WAIT_NESTED_CONTAINER", {"container_id": ghost}, 404, "Container ghost.x cannot be found"),
        ("KILL_NESTED_CONTAINER", {"container_id": ghost}, 404, "Container 'ghost.x' cannot be found (or is already killed)"),
        ("REMOVE_NESTED_CONTAINER", {"container_id": ghost}, 500, "Unknown root container"),
        ("ATTACH_CONTAINER_OUTPUT", {"container_id": ghost}, 404, "Container ghost.x cannot be found"),
        ("ATTACH_CONTAINER_OUTPUT", {"container_id": parent}, 500, "I/O switchboard server was disabled for this container"),
        ("ATTACH_CONTAINER_INPUT", {"type": "CONTAINER_ID", "container_id": parent}, 415,
         "Expecting 'Content-Type' to be application/recordio for ATTACH_CONTAINER_INPUT call"),
        ("REMOVE_RESOURCE_PROVIDER_CONFIG", {"type": "t", "name": "n"}, 500,
         "Missing required flag --resource_provider_config_dir"),
        ("PRUNE_IMAGES", {"excluded_images": []}, 200, ""),
        ("LAUNCH_CONTAINER", {"container_id": {"value": "unknown user"}}, 400,
         validate + "'launch_container.container_id' is invalid: 'ContainerID.value' 'unknown user' contains invalid characters"),
    ]
    for kind, body, status, text in cases:
        assert agent.post(kind, **body) == (status, text), (kind, body, agent.post(kind, **body))
    user = {"container_id": {"value": "nobody-knows"}, "command": {"value": "true", "user": "nobody-knows"}}
    status, why = agent.post("LAUNCH_CONTAINER", **user)
    assert status == 400 and "no such user" in why, (status, why)
    for kind in ("GET_FLAGS", "GET_METRICS", "GET_LOGGING_LEVEL"):
        status, answer = agent.post(kind)
        assert status == 200 and answer["type"] == kind and answer[kind.lower()], answer
    sandbox = [one for one in json.loads(http_get(agent.address, "/state"))["frameworks"] if one["id"] == framework.id]
    folder = sandbox[0]["executors"][0]["directory"]
    status, answer = agent.post("LIST_FILES", path=folder)
    named = {os.path.basename(one["path"]): one for one in answer["list_files"]["file_infos"]}
    assert named["mark"]["size"] == 5, named
    status, answer = agent.post("READ_FILE", path=f"{folder}/mark", offset=1, length=2)
    assert answer["read_file"] == {"size": 5, "data": base64.b64encode(b"er").decode()}, answer
    framework.call("TEARDOWN")


def http_get(address, path):
    connection = http.client.HTTPConnection(address, timeout=SECONDS_MAX)
    connection.request("GET", path)
    return connection.getresponse().read()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
