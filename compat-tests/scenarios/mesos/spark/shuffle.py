"""A job that moves rows between executors: its result is known, whichever of them does what."""

import os
import signal
import subprocess
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


def processes(word):
    """Processes of this application's executors."""
    found = subprocess.run(["pgrep", "-f", word], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found if int(pid) != os.getpid()]


def main(what, count):
    spark = SparkSession.builder.getOrCreate()
    application = spark.sparkContext.applicationId
    wait_for(f"{count} executors", lambda: executors(spark) >= count)
    shuffled(spark)
    if what == "killed":
        # An executor's process names its application among its arguments.
        victims = processes(f"CoarseGrainedExecutorBackend.*{application}")
        assert victims, "no executor is to be found"
        os.kill(victims[0], signal.SIGKILL)
        shuffled(spark)
        wait_for("another executor", lambda: executors(spark) >= count)
    print("PASS", what, application, executors(spark))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
