"""Joins the campaigns' days with the events of these days and saves the sums."""

from pyspark.sql import SparkSession

CASSANDRA = "org.apache.spark.sql.cassandra"

spark = SparkSession.builder.appName("events: report").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
for table in ("campaign", "event"):
    spark.read.format(CASSANDRA).options(keyspace="events", table=table).load().createOrReplaceTempView(table)

report = spark.sql("""
    SELECT campaign.id, campaign.year, campaign.month, campaign.day,
           first(campaign.views) + count_if(event.type = 'view') AS views,
           first(campaign.clicks) + count_if(event.type = 'click') AS clicks
    FROM campaign JOIN event
      ON event.campaign = campaign.id
     AND to_date(timestamp_millis(event.ts)) = make_date(campaign.year, campaign.month, campaign.day)
    GROUP BY campaign.id, campaign.year, campaign.month, campaign.day""")
report.write.format(CASSANDRA).options(keyspace="events", table="campaign_report").mode("append").save()
spark.stop()
