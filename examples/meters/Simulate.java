import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** {@code Simulate METERS HOURS AREA...}: each meter, in one of the areas, posts four readings an hour, keyed by meter. */
public final class Simulate {
    private static final String READING = "{\"meter\":\"%s\",\"area\":\"%s\",\"number\":%d,\"hour\":%d,\"wattHours\":%d}";

    public static void main(String[] args) {
        int meters = Integer.parseInt(args[0]), hours = Integer.parseInt(args[1]), areas = args.length - 2;
        try (var producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", System.getenv("KAFKA"), "acks", "all"), new StringSerializer(), new StringSerializer())) {
            for (int reading = 0; reading < 4 * hours; reading++) {
                for (int meter = 0; meter < meters; meter++) {
                    int hour = reading / 4;
                    long wattHours = 50 + 10 * hour + meter;
                    var json = READING.formatted("meter-" + meter, args[2 + meter % areas], reading + 1, hour, wattHours);
                    producer.send(new ProducerRecord<>("readings", "meter-" + meter, json));
                }
            }
        }
    }
}
