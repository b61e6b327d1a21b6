import java.io.PrintWriter;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A transactional producer and a reader of committed records that live through kills of the broker.
 *
 * <p>Writes transactions until the file named by STOP appears, one line to LEDGER for each that ended, in the words of
 * {@code crash.py}, which reads the same topic with another client. Then checks, record by record, what the reader saw on
 * its way, and what a reader that begins now sees: all of what was committed, once, and nothing that was aborted.
 */
public final class Crash extends Scenarios {
    static final String TOPIC = "crash-transactional", GROUP = "crash-java";
    static final int PARTITIONS = 3;
    static final Path STOP = Path.of(System.getenv("STOP"));
    static final Object[] HASTE = {"reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 200, "retry.backoff.ms", 50};

    /** How each transaction ended. */
    final Map<Integer, String> outcome = new TreeMap<>();
    /** What the reader saw, by partition, in order. */
    final List<List<String>> seen = new ArrayList<>();
    final List<Throwable> failures = new CopyOnWriteArrayList<>();
    volatile boolean written;

    public static void main(String[] args) {
        int code = 0;
        try {
            System.out.println(json(new Crash().run()));
        } catch (Throwable e) {
            e.printStackTrace();
            code = 1;
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    Object run() throws Exception {
        create(TOPIC, PARTITIONS);
        for (int i = 0; i < PARTITIONS; i++) seen.add(new ArrayList<>());
        Thread reader = guarded(this::read);
        Thread writer = guarded(this::write);
        writer.join();
        written = true;
        reader.join();
        for (Throwable failure : failures) throw new AssertionError("a client failed", failure);
        compare("the reader that was there", seen);
        compare("a reader that begins now", fresh());
        committedOffset();
        Map<String, Object> facts = new TreeMap<>();
        for (String kind : List.of("committed", "aborted", "unknown")) facts.put(kind, Collections.frequency(outcome.values(), kind));
        return facts;
    }

    interface Work {
        void run() throws Exception;
    }

    Thread guarded(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                failures.add(e);
            }
        });
        thread.start();
        return thread;
    }

    // Writing.

    void write() throws Exception {
        KafkaProducer<String, String> producer = null;
        try (PrintWriter ledger = new PrintWriter(Files.newBufferedWriter(Path.of(System.getenv("LEDGER"))), true)) {
            for (int number = 1; !Files.exists(STOP); number++) {
                boolean abort = number % 3 == 0;
                String ended;
                try {
                    if (producer == null) producer = begun();
                    ended = transaction(producer, number, abort);
                } catch (KafkaException e) {
                    ended = "unknown";
                }
                if (ended.equals("unknown") && producer != null) {
                    // Nobody knows how this one ended: all of its records or none may be there.
                    producer.close(Duration.ZERO);
                    producer = null;
                }
                outcome.put(number, ended);
                ledger.println(ended + " " + number);
            }
        }
        if (producer != null) producer.close();
    }

    KafkaProducer<String, String> begun() {
        Map<String, Object> config = facts(HASTE);
        config.putAll(facts("transactional.id", "crash", "transaction.timeout.ms", 20000, "delivery.timeout.ms", 15000, "request.timeout.ms", 5000, "max.block.ms", 30000, "linger.ms", 0));
        KafkaProducer<String, String> producer = producer(config.entrySet().stream().flatMap(e -> Stream.of(e.getKey(), e.getValue())).toArray());
        insist(producer::initTransactions);
        return producer;
    }

    /** A record for each partition and an offset that says how far it is; answers how that ended. */
    String transaction(KafkaProducer<String, String> producer, int number, boolean abort) {
        producer.beginTransaction();
        try {
            for (int i = 0; i < PARTITIONS; i++) producer.send(new ProducerRecord<>(TOPIC, i, null, number + "/" + i));
            producer.sendOffsetsToTransaction(Map.of(new TopicPartition(TOPIC, 0), new OffsetAndMetadata(number)), new ConsumerGroupMetadata(GROUP));
            producer.flush();
        } catch (KafkaException e) {
            abort = true;
        }
        try {
            insist(abort ? producer::abortTransaction : producer::commitTransaction);
            return abort ? "aborted" : "committed";
        } catch (KafkaException e) {
            if (abort) return "unknown";
        }
        try {
            // A commit that was refused is allowed to be an abort, and says so by taking it.
            insist(producer::abortTransaction);
            return "aborted";
        } catch (KafkaException e) {
            return "unknown";
        }
    }

    /** As often as the client says that it may be tried again. */
    static void insist(Runnable call) {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            try {
                call.run();
                return;
            } catch (TimeoutException e) {
                if (System.nanoTime() > end) throw e;
            }
        }
    }

    // Reading.

    KafkaConsumer<String, String> reader() {
        Map<String, Object> config = facts(HASTE);
        config.put("isolation.level", "read_committed");
        KafkaConsumer<String, String> consumer = consumer(null, config.entrySet().stream().flatMap(e -> Stream.of(e.getKey(), e.getValue())).toArray());
        consumer.assign(partitions(TOPIC, PARTITIONS));
        consumer.seekToBeginning(consumer.assignment());
        return consumer;
    }

    void read() {
        try (KafkaConsumer<String, String> consumer = reader()) {
            while (!written) take(consumer, seen);
            toTheEnd(consumer, seen);
        }
    }

    List<List<String>> fresh() {
        List<List<String>> found = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) found.add(new ArrayList<>());
        try (KafkaConsumer<String, String> consumer = reader()) {
            toTheEnd(consumer, found);
        }
        return found;
    }

    static void take(KafkaConsumer<String, String> consumer, List<List<String>> into) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) into.get(record.partition()).add(record.value());
    }

    static void toTheEnd(KafkaConsumer<String, String> consumer, List<List<String>> into) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
        long limit = System.nanoTime() + TIMEOUT.toNanos();
        while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
            check(System.nanoTime() < limit, "the ends " + ends + " were not reached");
            take(consumer, into);
        }
    }

    // Checking.

    void compare(String who, List<List<String>> found) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int last = 0;
            Set<Integer> there = new HashSet<>();
            for (String value : found.get(partition)) {
                int number = Integer.parseInt(value.split("/")[0]);
                equal(value, number + "/" + partition, who + ": a record of partition " + partition);
                check(number > last, who + ": record " + value + " after that of transaction " + last + ": twice, or out of order");
                last = number;
                there.add(number);
            }
            for (Map.Entry<Integer, String> ended : outcome.entrySet()) {
                boolean is = there.contains(ended.getKey());
                String what = who + ": " + ended.getValue() + " transaction " + ended.getKey() + " in partition " + partition;
                if (ended.getValue().equals("committed")) check(is, what + " is lost");
                if (ended.getValue().equals("aborted")) check(!is, what + " is visible");
                if (ended.getValue().equals("unknown")) equal(is, found.get(0).contains(ended.getKey() + "/0"), what + ", whole or not at all");
            }
        }
    }

    /** The offset committed is that of the last transaction that was. */
    void committedOffset() throws Exception {
        int committed = outcome.entrySet().stream().filter(e -> e.getValue().equals("committed")).mapToInt(Map.Entry::getKey).max().orElse(0);
        try (Admin admin = admin()) {
            OffsetAndMetadata found = admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get().get(new TopicPartition(TOPIC, 0));
            int number = found == null ? 0 : (int) found.offset();
            check(number == committed || number > committed && "unknown".equals(outcome.get(number)), "offset " + number + " is committed, the last transaction that was is " + committed);
        }
    }
}
