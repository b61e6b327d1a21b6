"""The Mesos master over raw HTTP in JSON, as the original's documentation shows its calls: nothing but the standard library."""

import http.client
import json
import os
import queue
import sys
import threading

from executors import cpus

MESOS = os.environ["MESOS"]
SECONDS_MAX = 120
ROLE = "web"


def post(path, body, headers=None, form=False):
    connection = http.client.HTTPConnection(MESOS, timeout=SECONDS_MAX)
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    data = body if form else json.dumps(body)
    connection.request("POST", path, data, {"Content-Type": kind, **(headers or {})})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def get(path):
    connection = http.client.HTTPConnection(MESOS, timeout=SECONDS_MAX)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, (path, answer.status)
    return json.loads(answer.read())


def operator(kind, **fields):
    status, body = post("/api/v1", {"type": kind, **fields})
    assert status in (200, 202), (kind, status, body)
    return json.loads(body) if body else None


class Stream:
    """Records of a RecordIO answer, read by a thread."""

    def __init__(self, path, body):
        self.connection = http.client.HTTPConnection(MESOS, timeout=SECONDS_MAX)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self.connection.request("POST", path, json.dumps(body), headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        self.events = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            digits = b""
            while not digits.endswith(b"\n"):
                byte = self.answer.read(1)
                if not byte:
                    return
                digits += byte
            self.events.put(json.loads(self.answer.read(int(digits))))

    def wait(self, wanted):
        """The first event that is wanted, of those that came since the last one."""
        while True:
            event = self.events.get(timeout=SECONDS_MAX)
            self.seen.append(event)
            if wanted(event):
                return event


class Framework(Stream):
    def __init__(self, **more):
        capabilities = ["MULTI_ROLE", "PARTITION_AWARE", "RESERVATION_REFINEMENT"]
        info = {
            "user": "root",
            "name": "raw",
            "roles": [ROLE],
            "principal": "raw",
            "capabilities": [{"type": name} for name in capabilities],
            **more,
        }
        subscribe = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        if "id" in info:
            subscribe["framework_id"] = info["id"]
        super().__init__("/api/v1/scheduler", subscribe)
        self.info = info
        self.stream = self.answer.getheader("Mesos-Stream-Id")
        self.id = self.wait(lambda e: e["type"] == "SUBSCRIBED")["subscribed"]["framework_id"]

    def call(self, kind, expected=202, **fields):
        body = {"type": kind, "framework_id": self.id, **fields}
        status, text = post("/api/v1/scheduler", body, {"Mesos-Stream-Id": self.stream})
        assert status == expected, (kind, status, text)
        return text

    def offer(self):
        return self.wait(lambda e: e["type"] == "OFFERS")["offers"]["offers"][0]

    def accept(self, offer, *operations, refuse=0.0):
        ids = [offer["id"]]
        filters = {"refuse_seconds": refuse}
        self.call("ACCEPT", accept={"offer_ids": ids, "operations": list(operations), "filters": filters})

    def launch(self, offer, name, command):
        task = {
            "name": name,
            "task_id": {"value": name},
            "agent_id": offer["agent_id"],
            "command": {"value": command},
            "resources": [scalar("cpus", 0.1), scalar("mem", 32)],
        }
        self.accept(offer, {"type": "LAUNCH", "launch": {"task_infos": [task]}}, refuse=3600.0)

    def state(self, wanted):
        """Waits for a state of a task, acknowledging all before it."""
        while True:
            status = self.wait(lambda e: e["type"] == "UPDATE")["update"]["status"]
            if "uuid" in status:
                fields = {key: status[key] for key in ("agent_id", "task_id", "uuid")}
                self.call("ACKNOWLEDGE", acknowledge=fields)
            if status["state"] == wanted:
                return status

    def operation(self, name):
        """The next status of an operation; those of others may come again, as they are not acknowledged."""
        while True:
            event = self.wait(lambda e: e["type"] == "UPDATE_OPERATION_STATUS")
            status = event["update_operation_status"]["status"]
            if status["operation_id"]["value"] == name:
                return status

    def end(self):
        self.call("TEARDOWN")


def scalar(name, value, **more):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **more}


def reserved(name, value, **more):
    reservation = {"type": "DYNAMIC", "role": ROLE, "principal": "raw"}
    return scalar(name, value, reservations=[reservation], **more)


def volume(megabytes):
    disk = {
        "persistence": {"id": "v1", "principal": "raw"},
        "volume": {"container_path": "data", "mode": "RW"},
    }
    return reserved("disk", megabytes, disk=disk)


def operations_are_told_of():
    framework = Framework()
    reserve = {"type": "RESERVE", "id": {"value": "r"}, "reserve": {"resources": [reserved("disk", 64.0)]}}
    create = {"type": "CREATE", "id": {"value": "c"}, "create": {"volumes": [volume(32.0)]}}
    again = {"type": "CREATE", "id": {"value": "d"}, "create": {"volumes": [volume(32.0)]}}
    disk = {"type": "CREATE_DISK", "id": {"value": "x"}, "create_disk": {"source": scalar("disk", 1.0), "target_type": "MOUNT"}}
    offer = framework.offer()
    framework.accept(offer, reserve, create, again, disk)
    for name in ("d", "x"):
        assert framework.operation(name)["state"] == "OPERATION_ERROR"
    for name in ("r", "c"):
        status = framework.operation(name)
        assert status["state"] == "OPERATION_FINISHED", status
        fields = {"agent_id": status["agent_id"], "operation_id": {"value": name}, "uuid": status["uuid"]["value"]}
        framework.call("ACKNOWLEDGE_OPERATION_STATUS", acknowledge_operation_status=fields)
    framework.call("RECONCILE_OPERATIONS", reconcile_operations={"operations": [{"operation_id": {"value": "r"}}]})
    assert framework.operation("r")["state"] == "OPERATION_UNKNOWN"
    agent = get("/slaves")["slaves"][0]
    assert agent["reserved_resources"][ROLE]["disk"] == 64.0, agent
    role = next(role for role in get("/roles")["roles"] if role["name"] == ROLE)
    assert role["reserved"] == {"disk": 64.0}, role
    # The operator ends what the framework began; the offers of it are taken back for that.
    agent_id = offer["agent_id"]
    status, why = post("/api/v1", {"type": "UNRESERVE_RESOURCES", "unreserve_resources": {"agent_id": agent_id, "resources": [volume(32.0)]}})
    assert status == 400, (status, why)
    operator("DESTROY_VOLUMES", destroy_volumes={"agent_id": agent_id, "volumes": [volume(32.0)]})
    operator("UNRESERVE_RESOURCES", unreserve_resources={"agent_id": agent_id, "resources": [reserved("disk", 64.0)]})
    framework.wait(lambda e: e["type"] == "RESCIND")
    assert get("/slaves")["slaves"][0]["reserved_resources"] == {}
    status, why = post("/master/reserve", "slaveId=x&resources=[]", form=True)
    assert status == 400, (status, why)
    framework.end()


def operators_watch():
    watched = Stream("/api/v1", {"type": "SUBSCRIBE"})
    first = watched.wait(lambda e: e["type"] == "SUBSCRIBED")
    assert len(first["subscribed"]["get_state"]["get_agents"]["agents"]) == 1, first
    framework = Framework()
    framework.launch(framework.offer(), "t", "true")
    framework.state("TASK_FINISHED")
    framework.end()
    mine = lambda e: e["type"] == "FRAMEWORK_REMOVED" and e["framework_removed"]["framework_info"]["id"] == framework.id
    watched.wait(mine)
    kinds = [event["type"] for event in watched.seen]
    states = [event["task_updated"]["status"]["state"] for event in watched.seen if event["type"] == "TASK_UPDATED"]
    assert kinds[:2] == ["SUBSCRIBED", "HEARTBEAT"], kinds
    assert "FRAMEWORK_ADDED" in kinds and "TASK_ADDED" in kinds, kinds
    assert states == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"], states


def maintenance_is_asked_for():
    framework = Framework()
    framework.launch(framework.offer(), "stays", "sleep 1000")
    framework.state("TASK_RUNNING")
    machine = {"hostname": get("/slaves")["slaves"][0]["hostname"]}
    window = {"machine_ids": [machine], "unavailability": {"start": {"nanoseconds": 1}}}
    operator("UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule={"schedule": {"windows": [window]}})
    inverse = framework.wait(lambda e: e["type"] == "INVERSE_OFFERS")["inverse_offers"]["inverse_offers"][0]
    framework.call("ACCEPT_INVERSE_OFFERS", accept_inverse_offers={"inverse_offer_ids": [inverse["id"]]})
    status = operator("GET_MAINTENANCE_STATUS")["get_maintenance_status"]["status"]
    answers = [one["status"] for one in status["draining_machines"][0]["statuses"]]
    assert answers == ["ACCEPT"], status
    operator("UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule={"schedule": {}})
    assert get("/maintenance/schedule") == {}
    status, why = post("/machine/down", [machine])
    assert (status, why) == (400, f"Machine '{machine['hostname']} ()' is not part of a maintenance schedule"), why
    framework.end()


def an_agent_is_drained():
    framework = Framework()
    offer = framework.offer()
    framework.launch(offer, "goes", "sleep 1000")
    framework.state("TASK_RUNNING")
    agent_id = offer["agent_id"]
    operator("DRAIN_AGENT", drain_agent={"agent_id": agent_id})
    killed = framework.state("TASK_KILLED")
    assert killed["reason"] == "REASON_AGENT_DRAINING", killed
    agent = lambda: operator("GET_AGENTS")["get_agents"]["agents"][0]
    # The state of the drain follows the acknowledgement.
    operator("GET_HEALTH")
    for _ in range(SECONDS_MAX * 10):
        if agent()["drain_info"]["state"] == "DRAINED":
            break
        threading.Event().wait(0.1)
    assert agent()["drain_info"]["state"] == "DRAINED", agent()
    assert agent()["deactivated"] is True
    operator("REACTIVATE_AGENT", reactivate_agent={"agent_id": agent_id})
    assert agent()["deactivated"] is False and "drain_info" not in agent()
    framework.call("REVIVE")
    framework.offer()
    framework.end()


def an_agent_is_gone_for_good():
    framework = Framework()
    offer = framework.offer()
    framework.launch(offer, "gone", "sleep 1000")
    framework.state("TASK_RUNNING")
    agent_id = offer["agent_id"]
    operator("MARK_AGENT_GONE", mark_agent_gone={"agent_id": agent_id})
    assert framework.state("TASK_GONE_BY_OPERATOR")["reason"] == "REASON_AGENT_REMOVED_BY_OPERATOR"
    framework.call("RECONCILE", reconcile={"tasks": [{"task_id": {"value": "gone"}, "agent_id": agent_id}]})
    assert framework.state("TASK_GONE_BY_OPERATOR")["reason"] == "REASON_RECONCILIATION"
    status, why = post("/api/v1", {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": "nobody"}}})
    assert status == 404, (status, why)
    # The process begins anew, under another name.
    fresh = framework.offer()
    assert fresh["agent_id"] != agent_id, fresh
    framework.end()


def what_frameworks_say_is_checked():
    framework = Framework()
    roles = {**framework.info, "id": framework.id, "roles": [ROLE, "db"]}
    framework.call("UPDATE_FRAMEWORK", expected=200, update_framework={"framework_info": roles})
    changed = {**roles, "user": "nobody"}
    why = framework.call("UPDATE_FRAMEWORK", expected=400, update_framework={"framework_info": changed})
    assert why == "Updating 'FrameworkInfo.user' is unsupported; attempted to update from 'root' to 'nobody'", why
    shown = next(one for one in get("/frameworks")["frameworks"] if one["id"] == framework.id["value"])
    assert shown["roles"] == [ROLE, "db"], shown
    assert set(shown["offers_by_role"]) <= {ROLE, "db"}, shown
    task = {"task_id": {"value": "unknown"}, "agent_id": {"value": "unknown"}}
    framework.call("RECONCILE", reconcile={"tasks": [task]})
    assert framework.state("TASK_UNKNOWN")["reason"] == "REASON_RECONCILIATION"
    # Nobody is there who would take these; they are taken all the same, as by the original.
    nobody = {"executor_id": {"value": "e"}, "agent_id": {"value": "a"}}
    framework.call("SHUTDOWN", shutdown=nobody)
    framework.call("MESSAGE", message={**nobody, "data": "aGk="})
    framework.end()


def operators_set_what_stays():
    operator("UPDATE_WEIGHTS", update_weights={"weight_infos": [{"role": ROLE, "weight": 2.5}]})
    config = {"role": ROLE, "guarantees": {"cpus": {"value": 0.5}}, "limits": {"cpus": {"value": 1.0}}}
    operator("UPDATE_QUOTA", update_quota={"quota_configs": [config]})
    status, why = post("/api/v1", {"type": "UPDATE_WEIGHTS", "update_weights": {"weight_infos": [{"role": "a", "weight": 0.0}]}})
    assert status == 400 and "Weights must be positive" in why, why


def what_operators_set_is_there():
    weights = operator("GET_WEIGHTS")["get_weights"]["weight_infos"]
    assert weights == [{"weight": 2.5, "role": ROLE}], weights
    quota = operator("GET_QUOTA")["get_quota"]["status"]["configs"][0]
    assert quota == {"role": ROLE, "guarantees": {"cpus": {"value": 0.5}}, "limits": {"cpus": {"value": 1.0}}}, quota
    # Of a role with a limit of one CPU no more is offered.
    framework = Framework()
    offer = framework.offer()
    assert cpus(offer) <= 1.0, offer
    framework.end()


def until(what, why):
    """Waits until something holds, and answers it."""
    for _ in range(SECONDS_MAX * 10):
        found = what()
        if found:
            return found
        threading.Event().wait(0.1)
    raise AssertionError(f"waited in vain for {why}")


def far_agent():
    agents = get("/slaves")["slaves"]
    return next((agent for agent in agents if agent["attributes"].get("rack") == "far" and agent["active"]), None)


def a_task_runs_on_another_agent():
    agent = until(far_agent, "the other agent")
    framework = Framework(failover_timeout=3600.0, checkpoint=True)
    while True:
        offers = framework.wait(lambda e: e["type"] == "OFFERS")["offers"]["offers"]
        mine = [offer for offer in offers if offer["agent_id"]["value"] == agent["id"]]
        if mine:
            break
    assert mine[0]["attributes"][0]["text"] == {"value": "far"}, mine
    framework.launch(mine[0], "far", f"echo once >> {os.environ['LAUNCHES']}; sleep 1000")
    framework.state("TASK_RUNNING")
    with open(os.environ["KEPT"], "w") as kept:
        json.dump({"framework": framework.id, "agent": agent["id"]}, kept)


def asked(path, method="GET"):
    """Status and Location of an answer."""
    connection = http.client.HTTPConnection(MESOS, timeout=SECONDS_MAX)
    connection.request(method, path, headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.getheader("Location"), answer.read().decode()


def it_leads():
    until(lambda: asked("/redirect")[1] == f"//{MESOS}", "this master to lead")
    assert get("/metrics/snapshot")["master/elected"] == 1.0


def it_stands_by():
    """What it is asked is sent to the leader, path and all."""
    there = lambda: asked("/master/redirect")[1]
    leader = until(lambda: there() and there() != f"//{MESOS}" and there(), "another master to lead")
    assert asked("/master/state?a=b")[:2] == (307, leader + "/master/state?a=b")
    assert asked("/api/v1/scheduler", "POST")[:2] == (307, leader + "/api/v1/scheduler")
    assert asked("/api/v1", "POST")[:2] == (307, leader + "/api/v1")
    assert asked("/health")[0] == 200 and asked("/flags")[0] == 200
    assert get("/metrics/snapshot")["master/elected"] == 0.0


def the_framework_goes_on():
    """Under the next master: its task is there, another one runs, and both are no news to anybody."""
    with open(os.environ["KEPT"]) as file:
        kept = json.load(file)
    agent = until(far_agent, "the agent to come back")
    assert agent["id"] == kept["agent"], "an agent that comes back keeps its id"
    framework = Framework(failover_timeout=3600.0, checkpoint=True, id=kept["framework"])
    offer = framework.offer()
    framework.call("RECONCILE", reconcile={"tasks": []})
    assert framework.state("TASK_RUNNING")["task_id"] == {"value": "far"}
    framework.launch(offer, "near", "true")
    assert framework.state("TASK_FINISHED")["task_id"] == {"value": "near"}


def the_task_is_known_to_the_next_master():
    with open(os.environ["KEPT"]) as file:
        kept = json.load(file)
    agent = until(far_agent, "the agent to come back")
    assert agent["id"] == kept["agent"], "an agent that comes back keeps its id"
    known = next(one for one in get("/frameworks")["frameworks"] if one["id"] == kept["framework"]["value"])
    assert (known["recovered"], known["connected"]) == (True, False), known
    framework = Framework(failover_timeout=3600.0, checkpoint=True, id=kept["framework"])
    assert framework.id == kept["framework"]
    framework.call("RECONCILE", reconcile={"tasks": []})
    framework.state("TASK_RUNNING")
    framework.call("KILL", kill={"task_id": {"value": "far"}})
    framework.state("TASK_KILLED")
    with open(os.environ["LAUNCHES"]) as launches:
        assert launches.read() == "once\n", "launched twice"
    framework.end()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
