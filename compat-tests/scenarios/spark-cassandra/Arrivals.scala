// The oldest of Spark's ways to read a topic, in small batches of rows: the application saves each batch, then commits its
// offsets, and one that is started again goes on behind them.

import com.datastax.spark.connector._
import java.util.{Properties, UUID}
import org.apache.kafka.clients.admin.AdminClient
import org.apache.kafka.clients.producer.{KafkaProducer, ProducerRecord}
import org.apache.kafka.common.serialization.{StringDeserializer, StringSerializer}
import org.apache.spark.SparkContext
import org.apache.spark.streaming.{Seconds, StreamingContext}
import org.apache.spark.streaming.kafka010._
import scala.collection.JavaConverters._

object Arrivals {
  val topic = s"arrivals_${UUID.randomUUID}"
  val group = topic
  val each = 300

  def run(context: SparkContext): Unit = {
    for (sent <- Seq(0 until each, each until 2 * each)) {
      send(sent)
      val read = receive(context, until = sent.end)
      require(read == sent.size, s"$read events instead of ${sent.size}")
    }
    val stored = context.cassandraTable[Event](Campaigns.keyspace, "arrival").collect().toSet
    require(stored == (0 until 2 * each).map(event).toSet, stored.size)
  }

  def event(i: Int) = Event(Campaigns.event(i), Campaigns.campaign(i), i, Campaigns.kind(i))

  def send(range: Range): Unit = {
    val settings = new Properties
    settings.put("bootstrap.servers", Campaigns.kafka)
    val producer = new KafkaProducer(settings, new StringSerializer, new StringSerializer)
    range.map(i => producer.send(new ProducerRecord(topic, Campaigns.campaign(i).toString, i.toString))).foreach(_.get)
    producer.close()
  }

  // Reads until the group has committed that many events, and says how many it read.
  def receive(context: SparkContext, until: Long): Long = {
    val streaming = new StreamingContext(context, Seconds(1))
    val settings = Map[String, Object](
      "bootstrap.servers" -> Campaigns.kafka,
      "group.id" -> group,
      "auto.offset.reset" -> "earliest",
      "enable.auto.commit" -> "false",
      "key.deserializer" -> classOf[StringDeserializer],
      "value.deserializer" -> classOf[StringDeserializer])
    val stream = KafkaUtils.createDirectStream(
      streaming, LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe[String, String](Seq(topic), settings))
    var read = 0L
    stream.foreachRDD { batch =>
      val ranges = batch.asInstanceOf[HasOffsetRanges].offsetRanges
      batch.map(record => event(record.value.toInt)).saveToCassandra(Campaigns.keyspace, "arrival")
      read += ranges.map(_.count).sum
      stream.asInstanceOf[CanCommitOffsets].commitAsync(ranges)
    }
    streaming.start()
    val end = System.nanoTime + 120L * 1000 * 1000 * 1000
    while (committed() < until) {
      require(System.nanoTime < end, s"committed ${committed()} of $until")
      require(!streaming.awaitTerminationOrTimeout(200), "the stream ended")
    }
    streaming.stop(stopSparkContext = false, stopGracefully = false)
    read
  }

  def committed(): Long = {
    val admin = AdminClient.create(Map[String, AnyRef]("bootstrap.servers" -> Campaigns.kafka).asJava)
    try admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata.get.values.asScala.filter(_ != null).map(_.offset).sum
    finally admin.close()
  }
}
