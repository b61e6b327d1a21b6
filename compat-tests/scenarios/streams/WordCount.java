import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;

/**
 * Words are counted exactly once in a state store whose changelog lies on the broker. The application is closed in the middle,
 * loses its local state, restores it from the changelog, and goes on counting: the totals must be right by value.
 */
public final class WordCount {
    static final String KAFKA = System.getenv("KAFKA");
    static final String RUN = System.getenv("RUN");
    static final String LINES = "lines-" + RUN;
    static final String COUNTS = "counts-" + RUN;
    static final int ROUND = 600;
    static final String[] WORDS = {"spark", "mesos", "akka", "cassandra", "kafka", "smack", "stream"};

    public static void main(String[] args) throws Exception {
        int code = 0;
        try {
            run();
        } catch (Throwable e) {
            e.printStackTrace();
            code = 1;
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    static void run() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", KAFKA))) {
            admin.createTopics(List.of(new NewTopic(LINES, 3, (short) 1), new NewTopic(COUNTS, 3, (short) 1))).all().get();
        }
        Map<String, Long> want = new TreeMap<>();
        Path state = Files.createTempDirectory("word-count");
        send(0, want);
        try (KafkaStreams streams = start(state)) {
            await(want);
        }
        delete(state);
        send(ROUND, want);
        try (KafkaStreams streams = start(state)) {
            await(want);
            ReadOnlyKeyValueStore<String, Long> store = streams.store(StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.keyValueStore()));
            for (Map.Entry<String, Long> e : want.entrySet()) {
                if (!e.getValue().equals(store.get(e.getKey()))) throw new AssertionError(e.getKey() + " in the store: " + store.get(e.getKey()) + ", want " + e.getValue());
            }
        } finally {
            delete(state);
        }
        System.out.println("{\"words\": " + want.size() + ", \"total\": " + want.values().stream().mapToLong(Long::longValue).sum() + "}");
    }

    static KafkaStreams start(Path state) throws Exception {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count-" + RUN);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, KAFKA);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
        p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        p.put("auto.offset.reset", "earliest");
        p.put("session.timeout.ms", 10000);
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(LINES)
                .flatMapValues(line -> Arrays.asList(line.split(" ")))
                .groupBy((key, word) -> word)
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts").withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
                .toStream()
                .to(COUNTS, Produced.with(Serdes.String(), Serdes.Long()));
        KafkaStreams streams = new KafkaStreams(builder.build(), p);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        return streams;
    }

    static void send(int from, Map<String, Long> want) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", KAFKA, "acks", "all"), new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < from + ROUND; i++) {
                String a = WORDS[i % WORDS.length], b = WORDS[i * 5 % 3];
                producer.send(new ProducerRecord<>(LINES, i % 3, null, a + " " + b));
                want.merge(a, 1L, Long::sum);
                want.merge(b, 1L, Long::sum);
            }
        }
    }

    /** Reads the committed counts until the last of each word is what it must be. Exactly once: a total never goes beyond it. */
    static void await(Map<String, Long> want) {
        Map<String, Object> config = Map.of("bootstrap.servers", KAFKA, "isolation.level", "read_committed");
        List<TopicPartition> all = List.of(new TopicPartition(COUNTS, 0), new TopicPartition(COUNTS, 1), new TopicPartition(COUNTS, 2));
        Map<String, Long> got = new TreeMap<>();
        long end = System.nanoTime() + Duration.ofSeconds(90).toNanos();
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new LongDeserializer())) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (!got.equals(want)) {
                if (System.nanoTime() > end) throw new AssertionError("got " + got + ", want " + want);
                for (ConsumerRecord<String, Long> r : consumer.poll(Duration.ofMillis(200))) {
                    got.put(r.key(), r.value());
                    if (r.value() > want.getOrDefault(r.key(), 0L)) throw new AssertionError("counted more than once: " + r);
                }
            }
        }
    }

    static void delete(Path state) throws Exception {
        try (var files = Files.walk(state)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        }
    }
}
