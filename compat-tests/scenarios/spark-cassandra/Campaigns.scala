// A stock application of Spark, Kafka and the Cassandra connector: events come from a topic and go into tables, are joined,
// counted and written back. What arrived is checked by value against what was sent.

import com.datastax.spark.connector._
import com.datastax.spark.connector.cql.CassandraConnector
import java.util.UUID
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.streaming.Trigger

case class Event(id: UUID, campaign: UUID, ts: Long, kind: String)
case class Report(id: UUID, views: Long, clicks: Long)
case class Key(id: UUID)

object Campaigns {
  val events = 600
  val campaigns = 10
  val keyspace = "campaigns"
  val topic = s"campaign_events_${UUID.randomUUID}"

  def event(i: Int) = new UUID(1, i)
  def campaign(i: Int) = new UUID(2, i % campaigns)
  def kind(i: Int) = if (i % 3 == 0) "click" else "view"
  def sent(of: Int, what: String) = (0 until events).count(i => i % campaigns == of && kind(i) == what).toLong

  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    define(spark)
    stream(spark)
    frames(spark)
    catalog(spark)
    rows(spark)
    Arrivals.run(spark.sparkContext)
    println("PASS campaigns")
    spark.stop()
  }

  def define(spark: SparkSession): Unit =
    CassandraConnector(spark.sparkContext.getConf).withSessionDo { session =>
      session.execute(s"DROP KEYSPACE IF EXISTS $keyspace")
      session.execute(s"CREATE KEYSPACE $keyspace WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
      session.execute(s"CREATE TABLE $keyspace.event (id uuid PRIMARY KEY, campaign uuid, ts bigint, kind text)")
      session.execute(s"CREATE TABLE $keyspace.arrival (id uuid PRIMARY KEY, campaign uuid, ts bigint, kind text)")
      session.execute(s"CREATE TABLE $keyspace.campaign (id uuid, year int, month int, views bigint, PRIMARY KEY (id, year, month))")
      session.execute(s"CREATE TABLE $keyspace.report (id uuid PRIMARY KEY, views bigint, clicks bigint)")
      session.execute(s"CREATE TABLE $keyspace.counted (campaign uuid, kind text, n counter, PRIMARY KEY (campaign, kind))")
    }

  def table(spark: SparkSession, name: String, options: (String, String)*): DataFrame =
    spark.read.format("org.apache.spark.sql.cassandra").options(Map("keyspace" -> keyspace, "table" -> name) ++ options).load()

  def append(frame: DataFrame, name: String): Unit =
    frame.write.format("org.apache.spark.sql.cassandra").options(Map("keyspace" -> keyspace, "table" -> name)).mode("append").save()

  def kafka = sys.env("KAFKA")

  // Kafka to Cassandra in structured streams, the second of which goes on where the first one ended.
  def stream(spark: SparkSession): Unit = {
    import spark.implicits._
    def send(range: Range): Unit =
      range.map(i => (campaign(i).toString, s"${event(i)},${campaign(i)},$i,${kind(i)}")).toDF("key", "value")
        .write.format("kafka").option("kafka.bootstrap.servers", kafka).option("topic", topic).save()
    val checkpoint = java.nio.file.Files.createTempDirectory("campaigns").toString
    def run(): Unit = {
      val fields = split(col("value").cast("string"), ",")
      val read = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", topic)
        .option("startingOffsets", "earliest").load()
        .select(fields(0) as "id", fields(1) as "campaign", fields(2).cast("long") as "ts", fields(3) as "kind")
      val query = read.writeStream.format("org.apache.spark.sql.cassandra").option("keyspace", keyspace).option("table", "event")
        .option("checkpointLocation", checkpoint).outputMode("append").trigger(Trigger.AvailableNow()).start()
      require(query.awaitTermination(120000) && query.exception.isEmpty, query.exception)
    }
    send(0 until events / 2)
    run()
    require(table(spark, "event").count() == events / 2)
    send(events / 2 until events)
    run()
    val stored = table(spark, "event").collect().map(row => (row.getAs[String]("id"), row.getAs[String]("kind"), row.getAs[Long]("ts"))).toSet
    require(stored == (0 until events).map(i => (event(i).toString, kind(i), i.toLong)).toSet, stored.size)
  }

  // Joins, conditions that the server answers, counters.
  def frames(spark: SparkSession): Unit = {
    import spark.implicits._
    append((0 until campaigns).map(i => (campaign(i).toString, 2015, 9, 1000L * i)).toDF("id", "year", "month", "views"), "campaign")
    val found = table(spark, "event")
    append(found.groupBy("campaign", "kind").agg(count("*") as "n"), "counted")
    val joined = table(spark, "campaign").as("c").join(found.as("e"), $"c.id" === $"e.campaign").groupBy($"c.id")
      .agg((first($"c.views") + sum(when($"e.kind" === "view", 1L).otherwise(0L))) as "views", sum(when($"e.kind" === "click", 1L).otherwise(0L)) as "clicks")
    append(joined, "report")
    val reports = table(spark, "report").collect().map(row => row.getAs[String]("id") -> (row.getAs[Long]("views"), row.getAs[Long]("clicks"))).toMap
    require(reports == (0 until campaigns).map(i => campaign(i).toString -> (1000L * i + sent(i, "view"), sent(i, "click"))).toMap, reports)
    val counted = table(spark, "counted").collect().map(row => (row.getAs[String]("campaign"), row.getAs[String]("kind"), row.getAs[Long]("n"))).toSet
    require(counted == (for (i <- 0 until campaigns; what <- Seq("view", "click")) yield (campaign(i).toString, what, sent(i, what))).toSet, counted)
    val asked = table(spark, "campaign").filter($"id" === campaign(3).toString && $"year" === 2015 && $"month" > 8).select("views").collect()
    require(asked.map(_.getLong(0)).toSeq == Seq(3000L), asked.toSeq)
    val keys = (0 until 20).map(i => event(i).toString).toDF("id")
    val direct = keys.join(table(spark, "event", "directJoinSetting" -> "on"), "id")
    require(direct.queryExecution.executedPlan.toString.contains("Direct Join"))
    require(direct.collect().map(_.getAs[String]("kind")).sorted.toSeq == (0 until 20).map(kind).sorted)
  }

  // Tables that Spark's SQL makes, alters and drops.
  def catalog(spark: SparkSession): Unit = {
    spark.sql(s"CREATE TABLE cassandra.$keyspace.made (k INT, c INT, v STRING) USING cassandra PARTITIONED BY (k) TBLPROPERTIES (clustering_key='c.desc')")
    spark.sql(s"INSERT INTO cassandra.$keyspace.made SELECT 1 AS k, 2 AS c, 'x' AS v UNION ALL SELECT 1, 3, 'y'")
    require(spark.sql(s"SELECT v FROM cassandra.$keyspace.made WHERE k = 1 AND c > 2").collect().map(_.getString(0)).toSeq == Seq("y"))
    spark.sql(s"ALTER TABLE cassandra.$keyspace.made ADD COLUMNS (w DOUBLE)")
    require(spark.table(s"cassandra.$keyspace.made").schema.fieldNames.toSet == Set("k", "c", "v", "w"))
    require(spark.sql(s"SHOW TABLES FROM cassandra.$keyspace").collect().map(_.getString(1)).contains("made"))
    spark.sql(s"DROP TABLE cassandra.$keyspace.made")
  }

  // The older interface, row by row.
  def rows(spark: SparkSession): Unit = {
    val context = spark.sparkContext
    val stored = context.cassandraTable[Event](keyspace, "event")
    require(stored.cassandraCount() == events)
    val reports = stored.map(e => (e.campaign, if (e.kind == "view") (1L, 0L) else (0L, 1L)))
      .reduceByKey((a, b) => (a._1 + b._1, a._2 + b._2)).map { case (id, (views, clicks)) => Report(id, views, clicks) }
    reports.saveToCassandra(keyspace, "report")
    val totals = context.cassandraTable[Report](keyspace, "report").collect()
    require(totals.toSet == (0 until campaigns).map(i => Report(campaign(i), sent(i, "view"), sent(i, "click"))).toSet, totals.toSeq)
    val some = context.parallelize((0 until 50).map(i => Key(event(i))))
    require(some.joinWithCassandraTable[Event](keyspace, "event").collect().map(_._2.ts).sorted.toSeq == (0L until 50L))
    require(context.cassandraTable[String](keyspace, "event").select("kind").where("id = ?", event(3)).collect().toSeq == Seq("click"))
    some.repartitionByCassandraReplica(keyspace, "event").deleteFromCassandra(keyspace, "event")
    require(stored.cassandraCount() == events - 50)
  }
}
