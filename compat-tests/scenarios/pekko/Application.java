import com.datastax.oss.driver.api.core.cql.Row;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.kafka.CommitterSettings;
import org.apache.pekko.kafka.ConsumerSettings;
import org.apache.pekko.kafka.ProducerMessage;
import org.apache.pekko.kafka.ProducerSettings;
import org.apache.pekko.kafka.Subscriptions;
import org.apache.pekko.kafka.javadsl.Committer;
import org.apache.pekko.kafka.javadsl.Consumer;
import org.apache.pekko.kafka.javadsl.Producer;
import org.apache.pekko.kafka.javadsl.Transactional;
import org.apache.pekko.persistence.cassandra.query.javadsl.CassandraReadJournal;
import org.apache.pekko.persistence.query.NoOffset;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.projection.ProjectionBehavior;
import org.apache.pekko.projection.ProjectionId;
import org.apache.pekko.projection.cassandra.javadsl.CassandraProjection;
import org.apache.pekko.projection.eventsourced.EventEnvelope;
import org.apache.pekko.projection.eventsourced.javadsl.EventSourcedProvider;
import org.apache.pekko.projection.javadsl.Handler;
import org.apache.pekko.stream.connectors.cassandra.CassandraSessionSettings;
import org.apache.pekko.stream.connectors.cassandra.CassandraWriteSettings;
import org.apache.pekko.stream.connectors.cassandra.javadsl.CassandraFlow;
import org.apache.pekko.stream.connectors.cassandra.javadsl.CassandraSession;
import org.apache.pekko.stream.connectors.cassandra.javadsl.CassandraSessionRegistry;
import org.apache.pekko.stream.connectors.cassandra.javadsl.CassandraSource;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Events go from Kafka to actors that persist them, and by a projection from their journal to a table. The application ends in
 * the middle and starts again: the actors know what they knew, and the projection goes on where it was.
 */
public final class Application implements AutoCloseable {
    private static final String KAFKA = System.getenv("KAFKA");
    private static final String TOPIC = System.getenv("TOPIC");
    private static final String KEYSPACE = System.getenv("KEYSPACE");
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final int CAMPAIGNS = 5;
    private static final int EVENTS = 200;

    private final ActorSystem<Void> system;
    private final ClusterSharding sharding;
    private final CassandraSession session;
    private final ConsumerSettings<String, String> consumer;
    private final ProducerSettings<String, String> producer;

    private Application() throws Exception {
        system = ActorSystem.create(Behaviors.empty(), "campaigns");
        Cluster cluster = Cluster.get(system);
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
        sharding = ClusterSharding.get(system);
        sharding.init(Entity.of(Campaign.KEY, context -> Campaign.of(context.getEntityId())));
        session = CassandraSessionRegistry.get(system).sessionFor(CassandraSessionSettings.create());
        consumer = ConsumerSettings.create(system, new StringDeserializer(), new StringDeserializer())
                .withBootstrapServers(KAFKA)
                .withGroupId(TOPIC)
                .withProperty("auto.offset.reset", "earliest");
        producer = ProducerSettings.create(system, new StringSerializer(), new StringSerializer()).withBootstrapServers(KAFKA);
        get(CassandraProjection.createTablesIfNotExists(system));
        get(session.executeDDL("CREATE TABLE IF NOT EXISTS " + KEYSPACE + ".events (campaign text, number bigint, type text, PRIMARY KEY (campaign, number))"));
    }

    @Override
    public void close() throws Exception {
        system.terminate();
        get(system.getWhenTerminated());
    }

    public static void main(String[] args) {
        int code = 0;
        try {
            run();
            System.out.println("PASS pekko");
        } catch (Throwable error) {
            error.printStackTrace();
            code = 1;
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private static void run() throws Exception {
        try (Application first = new Application()) {
            first.send(1, EVENTS / 2);
            first.count(EVENTS / 2);
            equal(EVENTS / 2, first.project(EVENTS / 2), "events that were projected first");
        }
        try (Application second = new Application()) {
            second.send(EVENTS / 2 + 1, EVENTS);
            second.count(EVENTS);
            // The last event may come again: its offset is stored after it was handled.
            int more = second.project(EVENTS);
            check(more >= EVENTS / 2 && more <= EVENTS / 2 + 1, "projected after the start: " + more);
            second.queries();
            second.copies();
            get(second.session.executeDDL("DROP KEYSPACE " + KEYSPACE));
        }
    }

    private static Campaign.Event event(int number) {
        return new Campaign.Event("campaign-" + number % CAMPAIGNS, number, number % 3 == 0 ? "click" : "view");
    }

    private static String line(Campaign.Event event) {
        return event.campaign() + " " + event.number() + " " + event.type();
    }

    private static Campaign.Event parse(String line) {
        String[] words = line.split(" ");
        return new Campaign.Event(words[0], Long.parseLong(words[1]), words[2]);
    }

    private void send(int from, int to) throws Exception {
        get(Source.range(from, to)
                .map(Application::event)
                .map(event -> new ProducerRecord<>(TOPIC, event.campaign(), line(event)))
                .runWith(Producer.plainSink(producer), system));
    }

    /** Takes what is in the topic to the actors, until these know of all events. */
    private void count(int events) throws Exception {
        var control = Consumer.committableSource(consumer, Subscriptions.topics(TOPIC))
                .mapAsync(1, message -> add(parse(message.record().value())).thenApply(counts -> message.committableOffset()))
                .toMat(Committer.sink(CommitterSettings.create(system)), Consumer::createDrainingControl)
                .run(system);
        var expected = new TreeMap<String, Campaign.Counts>();
        IntStream.rangeClosed(1, events).mapToObj(Application::event)
                .forEach(event -> expected.put(event.campaign(), expected.getOrDefault(event.campaign(), new Campaign.Counts(0, 0, 0)).plus(event)));
        for (var campaign : expected.entrySet()) {
            until(() -> get(show(campaign.getKey())).equals(campaign.getValue()), campaign.toString());
        }
        get(control.drainAndShutdown(system.executionContext()));
    }

    private CompletionStage<Campaign.Counts> add(Campaign.Event event) {
        return sharding.entityRefFor(Campaign.KEY, event.campaign()).ask(reply -> new Campaign.Add(event, reply), PATIENCE);
    }

    private CompletionStage<Campaign.Counts> show(String campaign) {
        return sharding.entityRefFor(Campaign.KEY, campaign).ask(Campaign.Show::new, PATIENCE);
    }

    /** Writes a row for each event. */
    private final class Writer extends Handler<EventEnvelope<Campaign.Event>> {
        private final AtomicInteger handled;

        private Writer(AtomicInteger handled) {
            this.handled = handled;
        }

        @Override
        public CompletionStage<Done> process(EventEnvelope<Campaign.Event> envelope) {
            Campaign.Event event = envelope.event();
            handled.incrementAndGet();
            return session.executeWrite("INSERT INTO " + KEYSPACE + ".events (campaign, number, type) VALUES (?, ?, ?)",
                    event.campaign(), event.number(), event.type());
        }
    }

    /** Runs the projection until the table has so many rows; how many events it handled. */
    private int project(int rows) throws Exception {
        AtomicInteger handled = new AtomicInteger();
        var source = EventSourcedProvider.<Campaign.Event>eventsByTag(system, CassandraReadJournal.Identifier(), Campaign.TAG);
        var projection = CassandraProjection.atLeastOnce(ProjectionId.of("rows", Campaign.TAG), source, () -> new Writer(handled))
                .withSaveOffset(1, Duration.ZERO);
        ActorRef<ProjectionBehavior.Command> running = system.systemActorOf(ProjectionBehavior.create(projection), "rows", Props.empty());
        until(() -> get(session.selectOne("SELECT count(*) FROM " + KEYSPACE + ".events")).get().getLong(0) == rows, rows + " rows");
        until(() -> get(offsets()) > 0, "a stored offset");
        running.tell(ProjectionBehavior.stopMessage());
        return handled.get();
    }

    private CompletionStage<Long> offsets() {
        return session.selectOne("SELECT count(*) FROM " + KEYSPACE + ".offset_store").thenApply(row -> row.get().getLong(0));
    }

    private void queries() throws Exception {
        var journal = PersistenceQuery.get(system).getReadJournalFor(CassandraReadJournal.class, CassandraReadJournal.Identifier());
        int clicks = EVENTS / 3;
        equal(clicks, get(journal.currentEventsByTag("click", NoOffset.getInstance()).runWith(Sink.seq(), system)).size(), "clicks by tag");
        equal(EVENTS - clicks, get(journal.eventsByTag("view", NoOffset.getInstance()).take(EVENTS - clicks).runWith(Sink.seq(), system)).size(), "views by tag");
        equal(CAMPAIGNS, get(journal.currentPersistenceIds().runWith(Sink.seq(), system)).size(), "persistence ids");
    }

    /** Reads the table as a stream, writes it to another in batches, and to Kafka in transactions. */
    private void copies() throws Exception {
        List<Row> rows = get(CassandraSource.create(session, "SELECT campaign, number, type FROM " + KEYSPACE + ".events").runWith(Sink.seq(), system));
        equal(IntStream.rangeClosed(1, EVENTS).mapToObj(number -> line(event(number))).sorted().toList(),
                rows.stream().map(row -> row.getString(0) + " " + row.getLong(1) + " " + row.getString(2)).sorted().toList(), "rows of the table");
        get(session.executeDDL("CREATE TABLE " + KEYSPACE + ".by_type (type text, number bigint, campaign text, PRIMARY KEY (type, number))"));
        get(Source.from(rows)
                .via(CassandraFlow.createUnloggedBatch(session, CassandraWriteSettings.defaults().withMaxBatchSize(20),
                        "INSERT INTO " + KEYSPACE + ".by_type (type, number, campaign) VALUES (?, ?, ?)",
                        (row, statement) -> statement.bind(row.getString(2), row.getLong(1), row.getString(0)), row -> row.getString(2)))
                .runWith(Sink.ignore(), system));
        equal(EVENTS / 3, get(session.selectAll("SELECT number FROM " + KEYSPACE + ".by_type WHERE type = 'click'")).size(), "clicks by type");
        var control = Transactional.source(consumer.withGroupId(TOPIC + "-copy"), Subscriptions.topics(TOPIC))
                .map(message -> ProducerMessage.single(new ProducerRecord<>(TOPIC + "-copy", message.record().key(), message.record().value()), message.partitionOffset()))
                .toMat(Transactional.sink(producer, TOPIC + "-copy"), Consumer::createDrainingControl)
                .run(system);
        var committed = consumer.withGroupId(TOPIC + "-check").withProperty("isolation.level", "read_committed").withProperty("metadata.max.age.ms", "1000");
        List<String> copied = get(Consumer.plainSource(committed, Subscriptions.topics(TOPIC + "-copy")).take(EVENTS).map(record -> record.value()).runWith(Sink.seq(), system));
        equal(IntStream.rangeClosed(1, EVENTS).mapToObj(number -> line(event(number))).sorted().toList(), copied.stream().sorted().toList(), "committed copies");
        get(control.drainAndShutdown(system.executionContext()));
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(120, TimeUnit.SECONDS);
    }

    private static void until(Callable<Boolean> condition, String what) throws Exception {
        long end = System.nanoTime() + 2 * PATIENCE.toNanos();
        while (!condition.call()) {
            check(System.nanoTime() < end, "did not happen: " + what);
            Thread.sleep(100);
        }
    }

    private static void equal(Object want, Object got, String what) {
        check(want.equals(got), what + ": got " + got + ", want " + want);
    }

    private static void check(boolean condition, String message) {
        if (!condition) throw new AssertionError(message);
    }
}
