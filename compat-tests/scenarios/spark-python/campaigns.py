"""A stock application of PySpark, Kafka and the Cassandra connector. Events come from a topic in structured streams and go into
tables, are counted, joined and written back to both sides. What arrived is checked by value against what was sent."""

import json
import os
import tempfile
import uuid

from cassandra.cluster import Cluster
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

KAFKA = os.environ["KAFKA"]
KEYSPACE = "campaigns_py"
RUN = uuid.uuid4().hex[:8]
EVENTS_TOPIC, REPORTS_TOPIC = f"campaigns_py_{RUN}", f"campaigns_py_{RUN}_reports"
EVENTS, CAMPAIGNS = 600, 10
CASSANDRA = "org.apache.spark.sql.cassandra"


def event_id(i):
    return uuid.UUID(int=10_000 + i)


def campaign_id(i):
    return uuid.UUID(int=1 + i % CAMPAIGNS)


def kind(i):
    return "view" if i % 3 else "click"


def sent(campaign, what):
    return sum(1 for i in range(EVENTS) if i % CAMPAIGNS == campaign and kind(i) == what)


def equal(expected, seen):
    assert expected == seen, f"expected {expected}, saw {seen}"


def define(session):
    session.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}", timeout=120)
    session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.set_keyspace(KEYSPACE)
    session.execute("CREATE TABLE event (id uuid PRIMARY KEY, ad_id uuid, campaign uuid, ts bigint, type text)")
    session.execute("CREATE TABLE campaign (id uuid, year int, month int, day int, views bigint, clicks bigint, PRIMARY KEY (id, year, month, day))")
    session.execute("CREATE TABLE report (id uuid PRIMARY KEY, views bigint, clicks bigint)")
    session.execute("CREATE TABLE counted (campaign uuid, type text, n counter, PRIMARY KEY (campaign, type))")
    insert = session.prepare("INSERT INTO campaign (id, year, month, day, views, clicks) VALUES (?, ?, ?, ?, ?, ?)")
    for i in range(CAMPAIGNS):
        session.execute(insert, (campaign_id(i), 2015, 9, 10, 1000 * i, 42))


def topics():
    admin = AdminClient({"bootstrap.servers": KAFKA})
    made = admin.create_topics([NewTopic(EVENTS_TOPIC, 3, 1), NewTopic(REPORTS_TOPIC, 2, 1)])
    for topic in made.values():
        topic.result(60)


def send(numbers):
    producer = Producer({"bootstrap.servers": KAFKA, "compression.type": "lz4", "linger.ms": 5})
    for i in numbers:
        event = {"id": str(event_id(i)), "ad_id": str(uuid.UUID(int=i % 7)), "campaign": str(campaign_id(i)), "ts": i, "type": kind(i)}
        producer.produce(EVENTS_TOPIC, key=str(campaign_id(i)), value=json.dumps(event), headers=[("number", str(i).encode())])
    equal(0, producer.flush(60))


def kafka(reader, topic):
    return reader.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("subscribe", topic)


def table(spark, name, **options):
    return spark.read.format(CASSANDRA).options(keyspace=KEYSPACE, table=name, **options).load()


def append(frame, name):
    frame.write.format(CASSANDRA).options(keyspace=KEYSPACE, table=name).mode("append").save()


def arriving(spark):
    """The events of the topic as columns, the number among their headers included."""
    read = kafka(spark.readStream, EVENTS_TOPIC).option("startingOffsets", "earliest").option("includeHeaders", "true").load()
    event = F.from_json(F.col("value").cast("string"), "id STRING, ad_id STRING, campaign STRING, ts LONG, type STRING")
    return read.select(event.alias("event"), F.col("headers")[0]["value"].cast("string").alias("number")).select("event.*", "number")


def finish(query):
    assert query.awaitTermination(180) and query.exception() is None, query.exception()


def stream_into_a_table(spark, session, checkpoints):
    """The connector's own sink, whose second run goes on where the first one ended."""

    def run():
        sink = arriving(spark).drop("number").writeStream.format(CASSANDRA).option("keyspace", KEYSPACE).option("table", "event")
        finish(sink.option("checkpointLocation", f"{checkpoints}/event").outputMode("append").trigger(availableNow=True).start())
        return {row.id: (row.ad_id, row.campaign, row.ts, row.type) for row in session.execute("SELECT * FROM event")}

    def expected(numbers):
        return {event_id(i): (uuid.UUID(int=i % 7), campaign_id(i), i, kind(i)) for i in numbers}

    send(range(EVENTS // 2))
    equal(expected(range(EVENTS // 2)), run())
    send(range(EVENTS // 2, EVENTS))
    equal(expected(range(EVENTS)), run())


def stream_in_batches(spark, session, checkpoints):
    """A function of the application's own for each batch: it adds to counters."""

    def count(batch, _):
        append(batch.where("number = ts").groupBy("campaign", "type").agg(F.count("*").alias("n")), "counted")

    finish(arriving(spark).writeStream.foreachBatch(count).option("checkpointLocation", f"{checkpoints}/counted").trigger(availableNow=True).start())
    counted = {(row.campaign, row.type): row.n for row in session.execute("SELECT * FROM counted")}
    equal({(campaign_id(i), what): sent(i, what) for i in range(CAMPAIGNS) for what in ("view", "click")}, counted)


def join(spark, session):
    """Two tables joined in SQL, the result saved back and also sent to a topic, which is read again as a table."""
    table(spark, "event").createOrReplaceTempView("event")
    spark.table(f"cassandra.{KEYSPACE}.campaign").createOrReplaceTempView("campaign")
    reports = spark.sql("""
        SELECT campaign.id AS id,
               first(campaign.views) + sum(CASE WHEN event.type = 'view' THEN 1 ELSE 0 END) AS views,
               first(campaign.clicks) + sum(CASE WHEN event.type = 'click' THEN 1 ELSE 0 END) AS clicks
        FROM campaign JOIN event ON campaign.id = event.campaign GROUP BY campaign.id""")
    append(reports, "report")
    expected = {campaign_id(i): (1000 * i + sent(i, "view"), 42 + sent(i, "click")) for i in range(CAMPAIGNS)}
    equal(expected, {row.id: (row.views, row.clicks) for row in session.execute("SELECT * FROM report")})

    message = reports.selectExpr("CAST(id AS STRING) AS key", "to_json(struct(*)) AS value")
    message.write.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("topic", REPORTS_TOPIC).save()
    received = [json.loads(row.value) for row in kafka(spark.read, REPORTS_TOPIC).load().collect()]
    equal(expected, {uuid.UUID(one["id"]): (one["views"], one["clicks"]) for one in received})


def ask(spark):
    """What the servers find by themselves: rows by key, clusterings by condition, offsets by time."""
    rows = spark.sql(f"SELECT views FROM cassandra.{KEYSPACE}.campaign WHERE id = '{campaign_id(3)}' AND year = 2015 AND month > 8").collect()
    equal([3000], [row.views for row in rows])

    keys = spark.createDataFrame([(str(event_id(i)),) for i in range(20)], ["id"])
    found = keys.join(table(spark, "event", directJoinSetting="on"), "id")
    assert "Direct Join" in found._jdf.queryExecution().executedPlan().toString()
    equal(list(range(20)), sorted(row.ts for row in found.collect()))

    since = json.dumps({EVENTS_TOPIC: {str(partition): 0 for partition in range(3)}})
    equal(EVENTS, kafka(spark.read, EVENTS_TOPIC).option("startingOffsetsByTimestamp", since).load().count())


def make_a_table(spark):
    name = f"cassandra.{KEYSPACE}.made"
    spark.sql(f"CREATE TABLE {name} (k INT, c INT, v STRING) USING cassandra PARTITIONED BY (k) TBLPROPERTIES (clustering_key = 'c.asc')")
    spark.sql(f"INSERT INTO {name} SELECT 1 AS k, 2 AS c, 'x' AS v UNION ALL SELECT 1, 3, 'y'")
    equal(["y"], [row.v for row in spark.table(name).where("k = 1 AND c > 2").collect()])
    spark.sql(f"DROP TABLE {name}")


def main():
    host, port = os.environ["CASSANDRA"].split(":")
    session = Cluster([host], port=int(port)).connect()
    session.default_timeout = 60
    define(session)
    topics()
    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as checkpoints:
        stream_into_a_table(spark, session, checkpoints)
        stream_in_batches(spark, session, checkpoints)
    join(spark, session)
    ask(spark)
    make_a_table(spark)
    spark.stop()
    session.cluster.shutdown()
    print("PASS campaigns")


if __name__ == "__main__":
    main()
