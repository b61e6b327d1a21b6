import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** {@code Traders ACCOUNTS TRADES RATE}: every account trades, RATE times a second in all; now and then one is far too large. */
public final class Traders {
    public static void main(String[] args) throws Exception {
        int accounts = Integer.parseInt(args[0]), trades = Integer.parseInt(args[1]), rate = Integer.parseInt(args[2]);
        try (var producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", System.getenv("KAFKA"), "acks", "all"), new StringSerializer(), new StringSerializer())) {
            for (int seq = 1; seq <= trades; seq++) {
                for (int account = 1; account <= accounts; account++) {
                    producer.send(new ProducerRecord<>("trades", "account-" + account, seq + " " + amount(account, seq)));
                }
                Thread.sleep(1000L * accounts / rate);
            }
        }
    }

    private static long amount(int account, int seq) {
        boolean suspicious = seq % 10 == 0 && (account + seq / 10) % 7 == 0;
        return suspicious ? 1000 : 10 + seq % 3;
    }
}
