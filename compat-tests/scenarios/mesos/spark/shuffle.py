"""A job that moves rows between executors: its result is known, whichever of them does what."""

import os
import signal
import sys
import time

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


def shuffled(spark):
    """Sums by key over many partitions: what each executor reads was written by all of them."""
    rows = spark.sparkContext.parallelize(range(ROWS), 8).map(lambda n: (n % KEYS, n))
    sums = dict(rows.reduceByKey(lambda a, b: a + b, 8).collect())
    assert sums == {key: sum(range(key, ROWS, KEYS)) for key in range(KEYS)}, sums


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


def main(what, count):
    spark = SparkSession.builder.getOrCreate()
    application = spark.sparkContext.applicationId
    wait_for(f"{count} executors", lambda: executors(spark) >= count)
    shuffled(spark)
    if what == "killed":
        victims = executor_processes(application)
        assert victims, "no executor is to be found"
        os.kill(victims[0], signal.SIGKILL)
        shuffled(spark)
        wait_for("another executor", lambda: executors(spark) >= count)
    print("PASS", what, application, executors(spark))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
