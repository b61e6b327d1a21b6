"""Jobs whose results are known, whichever executors do what, and what the master tells of those executors."""

import json
import os
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request

from pyspark.sql import SparkSession

ROWS = 200_000
KEYS = 100


def executors(spark):
    """The executors that are there, the driver not counted."""
    tracker = spark.sparkContext._jsc.sc().statusTracker()
    return len(tracker.getExecutorInfos()) - 1


def wait_for(what, condition):
    for _ in range(900):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def equal(expected, seen):
    assert expected == seen, f"expected {expected}, saw {seen}"


def sums(rows):
    """Sums by key over many partitions: what each executor reads was written by all of them."""
    return rows.map(lambda n: (n % KEYS, n)).reduceByKey(lambda a, b: a + b, 8)


def check(summed):
    equal({key: sum(range(key, ROWS, KEYS)) for key in range(KEYS)}, dict(summed.collect()))


def rows(spark):
    return spark.sparkContext.parallelize(range(ROWS), 8)


def executor_processes(application):
    """Processes of this application's executors, which name it among their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                said = file.read().decode(errors="replace")
        except OSError:
            continue  # It ended in the meantime.
        if "CoarseGrainedExecutorBackend" in said and application in said:
            found.append(int(pid))
    return sorted(found)


def running_tasks(spark):
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    return sum(stage.numActiveTasks for stage in stages if stage)


def slow_job(spark, seconds):
    """A shuffle whose tasks take so long, under way; what is returned waits for its end and checks what came of it."""
    failed = []

    def slowly(part):
        time.sleep(seconds)
        return part

    def job():
        try:
            check(sums(rows(spark).mapPartitions(slowly)))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=job)
    thread.start()
    wait_for("tasks that run", lambda: running_tasks(spark) >= 2)

    def done():
        thread.join()
        assert not failed, failed

    return done


def killed(spark):
    """An executor is killed while it works: its tasks are done again, and another one takes its place."""
    wait_for("two executors", lambda: executors(spark) >= 2)
    check(sums(rows(spark)))
    done = slow_job(spark, 1)
    victims = executor_processes(spark.sparkContext.applicationId)
    assert len(victims) >= 2, victims
    os.kill(victims[0], signal.SIGKILL)
    done()
    wait_for("another executor", lambda: executors(spark) >= 2)


def leader():
    """The master that leads by now, as `host:port`, if one does: the other one sends there."""
    for master in os.environ["MASTERS"].split(","):
        try:
            with urllib.request.urlopen(f"http://{master}/state", timeout=60) as answer:
                return urllib.parse.urlsplit(answer.geturl()).netloc
        except OSError:
            continue  # It was killed, or nobody leads.
    return None


def failover(spark):
    """The leading master is killed while a shuffle runs: the executors go on, and the next master knows them."""
    wait_for("two executors", lambda: executors(spark) >= 2)
    os.environ["MESOS"] = leader()
    before = {task["id"] for task in framework(spark)["tasks"]}
    equal(2, len(before))
    done = slow_job(spark, 3)
    pids = dict(zip(os.environ["MASTERS"].split(","), os.environ["PIDS"].split(",")))
    os.kill(int(pids[os.environ["MESOS"]]), signal.SIGKILL)
    done()
    wait_for("the next master", lambda: leader() not in (None, os.environ["MESOS"]))
    os.environ["MESOS"] = leader()

    def own():
        state = asked(os.environ["MESOS"], "/state")
        mine = [one for one in state["frameworks"] if one["id"] == spark.sparkContext.applicationId]
        return {task["id"] for one in mine for task in one["tasks"] if one["connected"]}

    wait_for("the executors at the next master", lambda: own() == before)
    check(sums(rows(spark)))
    equal(before, own())


def asked(master, path):
    with urllib.request.urlopen(f"http://{master}{path}", timeout=60) as answer:
        return json.load(answer)


def framework(spark):
    """This application as the master shows it."""
    state = asked(os.environ["MESOS"], "/state")
    (mine,) = [one for one in state["frameworks"] if one["id"] == spark.sparkContext.applicationId]
    return mine


def placed(spark):
    """Executors are what the settings say: in a role, with labels, on the one agent that has an attribute, and of the
    Spark that was fetched."""
    wait_for("two executors", lambda: executors(spark) >= 2)
    mine = framework(spark)
    agents = {one["id"]: one for one in asked(os.environ["MESOS"], "/slaves")["slaves"]}
    equal("analysts", mine["role"])
    equal("Spark placed", mine["name"])
    tasks = mine["tasks"]
    equal(2, len(tasks))
    for task in tasks:
        equal("far", agents[task["slave_id"]]["attributes"].get("rack"))
        equal([("job", "placed"), ("team", "a")], [(label["key"], label["value"]) for label in task["labels"]])
        equal(1, task["resources"]["cpus"])
        equal("analysts", task.get("role"))
    homes = spark.sparkContext.parallelize(range(8), 8).map(lambda _: os.environ["SPARK_HOME"])
    for home in set(homes.collect()):
        assert home.startswith(os.environ["AGENT_FOLDER"]) and home.endswith("/spark-fetched"), home
    check(sums(rows(spark)))
    equal(2, len(framework(spark)["tasks"]))


def grows_and_shrinks(spark):
    """Executors come with work and go without it; what they wrote is served by the shuffle service when they are gone."""
    equal(0, executors(spark))
    mapped = spark.sparkContext.accumulator(0)

    def counted(row):
        mapped.add(1)
        return row

    summed = sums(rows(spark).map(counted))
    check(summed)
    equal(ROWS, mapped.value)
    wait_for("idle executors to end", lambda: executors(spark) == 0)
    wait_for("their tasks to end", lambda: not framework(spark)["tasks"])
    check(summed)
    equal(ROWS, mapped.value)
    ended = framework(spark)["completed_tasks"]
    assert ended and {task["state"] for task in ended} <= {"TASK_FINISHED", "TASK_KILLED"}, ended


def main(job):
    spark = SparkSession.builder.getOrCreate()
    jobs = {"failover": failover, "killed": killed, "placed": placed, "grows_and_shrinks": grows_and_shrinks}
    jobs[job](spark)
    print("PASS", job)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
