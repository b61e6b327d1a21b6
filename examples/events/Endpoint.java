import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.post;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.kafka.ProducerSettings;
import org.apache.pekko.kafka.javadsl.SendProducer;

/** Takes events as JSON over HTTP and hands them to Kafka, keyed by campaign. An event is acknowledged once Kafka has it. */
public final class Endpoint {
    record Event(UUID id, UUID ad_id, UUID campaign, long ts, String type) {}

    private static final String TOPIC = "events";
    private static final ObjectMapper JSON = new ObjectMapper();
    private final SendProducer<String, String> producer;

    private Endpoint(SendProducer<String, String> producer) {
        this.producer = producer;
    }

    private Route route() {
        return path("events", () -> post(() -> entity(Unmarshaller.entityToString().thenApply(Endpoint::parse), this::accept)));
    }

    private Route accept(Event event) {
        var record = new ProducerRecord<>(TOPIC, event.campaign().toString(), json(event));
        return onSuccess(producer.send(record), sent -> complete(StatusCodes.ACCEPTED));
    }

    /** What is no event is the client's mistake: it is answered with 400. */
    private static Event parse(String json) {
        try {
            return JSON.readValue(json, Event.class);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error.getOriginalMessage());
        }
    }

    private static String json(Event event) {
        try {
            return JSON.writeValueAsString(event);
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] args) throws Exception {
        var system = ActorSystem.create(Behaviors.empty(), "events");
        var settings = ProducerSettings.create(system, new StringSerializer(), new StringSerializer())
                .withBootstrapServers(System.getenv("KAFKA"));
        var endpoint = new Endpoint(new SendProducer<>(settings, system));
        var bound = Http.get(system).newServerAt("127.0.0.1", 0).bind(endpoint.route()).toCompletableFuture().get();
        System.out.println("http://127.0.0.1:" + bound.localAddress().getPort() + "/events");
    }
}
