"""stream.py KAFKA CHECKPOINTS: reads the topic `events` and keeps two tables: `event`, each event once, and `activity`, how many
events of each type a campaign had in each minute."""

import sys
import time

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

kafka, checkpoints = sys.argv[1:]
spark = SparkSession.builder.appName("events: stream").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def keep(rows, table):
    """Saves the rows of each batch, again while the database is away: a row that is saved twice is still one row."""

    def save(batch, _):
        for attempt in range(60):
            try:
                return batch.write.format("org.apache.spark.sql.cassandra").options(keyspace="events", table=table).mode("append").save()
            except Py4JJavaError as error:
                print(f"{table}, attempt {attempt}: {error.java_exception}", flush=True)
                time.sleep(1)
        raise TimeoutError(f"nothing could be saved in {table}")

    rows.writeStream.foreachBatch(save).outputMode("update").option("checkpointLocation", f"{checkpoints}/{table}").start()


messages = (
    spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", "events").option("startingOffsets", "earliest").load()
)
event = F.from_json(F.col("value").cast("string"), "id STRING, ad_id STRING, campaign STRING, ts LONG, type STRING")
events = messages.select(event.alias("event")).select("event.*")
keep(events, "event")

# A post that was not answered is posted again, so an event may be in the topic twice. It is counted once.
minute = F.date_trunc("minute", F.timestamp_millis("ts")).alias("minute")
keep(events.dropDuplicates(["id"]).groupBy("campaign", minute, "type").agg(F.count("*").alias("n")), "activity")

spark.streams.awaitAnyTermination()
