import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * {@code Member NAME PROTOCOL}: one of the members of a group that follows each account's trades in their order and flags those
 * far above what the account usually does. What a member knows of an account is in Cassandra before its offset is committed, so
 * whoever has the account's partition next goes on where this one stopped.
 */
public final class Member implements ConsumerRebalanceListener {
    /** How far an account has been followed; of its usual trades, how many there were and their sum. */
    record Account(int seq, int usual, long total) {
        double average() {
            return (double) total / usual;
        }

        boolean suspects(long amount) {
            return usual >= 3 && amount > 3 * average();
        }
    }

    private final String name;
    private final CqlSession session;
    private final PreparedStatement load, save, flag;
    private final Map<String, Account> accounts = new HashMap<>();

    private Member(String name, CqlSession session) {
        this.name = name;
        this.session = session;
        load = session.prepare("SELECT seq, usual, total FROM fraud.account WHERE id = ?");
        save = session.prepare("INSERT INTO fraud.account (id, seq, usual, total) VALUES (?, ?, ?, ?)");
        flag = session.prepare("INSERT INTO fraud.flag (account, seq, amount, average, member) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS");
    }

    private void follow(ConsumerRecord<String, String> trade) {
        var id = trade.key();
        var words = trade.value().split(" ");
        int seq = Integer.parseInt(words[0]);
        long amount = Long.parseLong(words[1]);
        var account = accounts.computeIfAbsent(id, this::load);
        if (seq <= account.seq) return; // Somebody followed it, and left before the offset was committed.
        if (seq != account.seq + 1) throw new IllegalStateException(id + ": trade " + seq + " after trade " + account.seq);
        var after = new Account(seq, account.usual + 1, account.total + amount);
        if (account.suspects(amount)) {
            session.execute(flag.bind(id, seq, amount, account.average(), name));
            after = new Account(seq, account.usual, account.total);
        }
        session.execute(save.bind(id, after.seq, after.usual, after.total));
        accounts.put(id, after);
    }

    private Account load(String id) {
        var row = session.execute(load.bind(id)).one();
        return row == null ? new Account(0, 0, 0) : new Account(row.getInt(0), row.getInt(1), row.getLong(2));
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) System.out.println(name + " takes partitions " + numbers(partitions));
    }

    /** Others follow these accounts from now on: what is in memory would be old, should they come back. */
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        accounts.clear();
        if (!partitions.isEmpty()) System.out.println(name + " gives partitions " + numbers(partitions));
    }

    private static List<Integer> numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).sorted().toList();
    }

    /** While partitions change hands there may be nothing to commit to. The next commit covers this one, or the next member skips. */
    private static void commit(KafkaConsumer<String, String> consumer) {
        try {
            consumer.commitSync();
        } catch (RebalanceInProgressException | CommitFailedException changing) {
            System.out.println("not committed yet: " + changing.getMessage());
        }
    }

    public static void main(String[] args) throws Exception {
        var settings = new HashMap<String, Object>(Map.of(
                "bootstrap.servers", System.getenv("KAFKA"),
                "group.id", "fraud",
                "client.id", args[0],
                "group.protocol", args[1],
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false"));
        if (args[1].equals("classic")) {
            settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        }
        var cassandra = System.getenv("CASSANDRA").split(":");
        var address = new InetSocketAddress(cassandra[0], Integer.parseInt(cassandra[1]));
        var main = Thread.currentThread();
        try (var session = CqlSession.builder().addContactPoint(address).withLocalDatacenter("datacenter1").build();
                var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                consumer.wakeup();
                try {
                    main.join();
                } catch (InterruptedException ended) {
                    Thread.currentThread().interrupt();
                }
            }));
            var member = new Member(args[0], session);
            consumer.subscribe(List.of("trades"), member);
            while (true) {
                consumer.poll(Duration.ofSeconds(1)).forEach(member::follow);
                commit(consumer);
            }
        } catch (WakeupException leaving) {
            System.out.println(args[0] + " leaves");
        }
    }
}
