"""Spark 4: readings come from a topic in a structured stream, are summed by window, written back to Kafka and, by the connector that
was made for Spark 3.5, to a table. What arrived is checked by value against what was sent."""

import json
import os
import tempfile

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

KAFKA, RUN = os.environ["KAFKA"], os.environ["RUN"]
READINGS, SUMS, KEYSPACE = f"readings-{RUN}", f"sums-{RUN}", f"spark4_{RUN}"
METERS, EACH, HOUR, T0 = 7, 60, 3_600, 1_441_843_200
SCHEMA = "meter STRING, at BIGINT, watts BIGINT"


def reading(number):
    meter, minute = number % METERS, number // METERS
    return {"meter": f"meter {meter}", "at": T0 + minute * 240, "watts": number}


def sums():
    """By meter and hour."""
    found = {}
    for number in range(METERS * EACH):
        one = reading(number)
        key = (one["meter"], one["at"] - one["at"] % HOUR)
        found[key] = found.get(key, 0) + one["watts"]
    return found


def equal(expected, seen, what):
    assert expected == seen, f"{what}: expected {expected}, saw {seen}"


def kafka(frame, topic):
    name = "topic" if hasattr(frame, "mode") else "subscribe"
    return frame.format("kafka").option("kafka.bootstrap.servers", KAFKA).option(name, topic)


def by_hour(frame):
    read = frame.select(F.from_json(F.col("value").cast("string"), SCHEMA).alias("r")).select("r.*")
    timed = read.withColumn("time", F.timestamp_seconds("at"))
    return timed.groupBy("meter", F.window("time", "1 hour")).agg(F.sum("watts").alias("watts"))


def streamed(spark, folder):
    """The sums that a stream writes to a topic, batch by batch, in two runs from one checkpoint."""

    def write(batch, _):
        value = F.to_json(F.struct("meter", F.col("window.start").cast("long").alias("hour"), "watts"))
        kafka(batch.select(F.col("meter").alias("key"), value.alias("value")).write, SUMS).save()

    for half in range(2):
        numbers = range(half * METERS * EACH // 2, (half + 1) * METERS * EACH // 2)
        lines = [(reading(number)["meter"], json.dumps(reading(number))) for number in numbers]
        kafka(spark.createDataFrame(lines, "key STRING, value STRING").write, READINGS).save()
        source = kafka(spark.readStream, READINGS).option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 100).load()
        stream = by_hour(source).writeStream.outputMode("update").option("checkpointLocation", folder).foreachBatch(write)
        stream.trigger(availableNow=True).start().awaitTermination()
    told = {}
    rows = kafka(spark.read, SUMS).load().orderBy("partition", "offset").select(F.col("value").cast("string")).collect()
    for row in rows:
        one = json.loads(row[0])
        told[(one["meter"], one["hour"])] = one["watts"]
    return told


def stored(spark):
    """The same through a table."""
    frame = by_hour(kafka(spark.read, READINGS).load()).select("meter", F.col("window.start").cast("long").alias("hour"), "watts")
    table = {"keyspace": KEYSPACE, "table": "sums"}
    frame.write.format("org.apache.spark.sql.cassandra").options(**table).mode("append").save()
    rows = spark.read.format("org.apache.spark.sql.cassandra").options(**table).load()
    one = rows.where("meter = 'meter 3'").collect()
    equal({key: watts for key, watts in sums().items() if key[0] == "meter 3"}, {(r["meter"], r["hour"]): r["watts"] for r in one}, "a partition")
    return {(row["meter"], row["hour"]): row["watts"] for row in rows.collect()}


def main():
    spark = SparkSession.builder.appName("readings").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        equal(sums(), streamed(spark, folder), "streamed")
    equal(sums(), stored(spark), "stored")
    spark.stop()
    print("PASS readings")


if __name__ == "__main__":
    main()
