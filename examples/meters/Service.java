import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.PathMatchers;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.kafka.CommitterSettings;
import org.apache.pekko.kafka.ConsumerSettings;
import org.apache.pekko.kafka.Subscriptions;
import org.apache.pekko.kafka.javadsl.Committer;
import org.apache.pekko.kafka.javadsl.Consumer;

/** {@code Service AREA...}: takes readings from Kafka to the actors of their meter and area, and shows what these know over HTTP. */
public final class Service extends AllDirectives {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ObjectMapper JSON = new ObjectMapper();
    private final ActorSystem<Void> system;
    private final ClusterSharding sharding;
    private final List<String> areas;

    private Service(ActorSystem<Void> system, List<String> areas) {
        this.system = system;
        this.areas = areas;
        sharding = ClusterSharding.get(system);
        for (var kind : List.of(Ledger.METER, Ledger.AREA)) {
            sharding.init(Entity.of(kind, context -> Ledger.of(kind, context.getEntityId())));
        }
    }

    /** A meter's readings are taken one after the other. An offset is committed once both actors have the reading in their journals. */
    private CompletionStage<Done> follow() {
        var settings = ConsumerSettings.create(system, new StringDeserializer(), new StringDeserializer())
                .withBootstrapServers(System.getenv("KAFKA"))
                .withGroupId("meters")
                .withProperty("auto.offset.reset", "earliest");
        return Consumer.committableSource(settings, Subscriptions.topics("readings"))
                .mapAsyncPartitioned(16, message -> message.record().key(),
                        (message, meter) -> add(parse(message.record().value())).thenApply(sums -> message.committableOffset()))
                .runWith(Committer.sink(CommitterSettings.create(system)), system);
    }

    private CompletionStage<Ledger.Sums> add(Ledger.Reading reading) {
        return add(Ledger.METER, reading.meter(), reading).thenCompose(sums -> add(Ledger.AREA, reading.area(), reading));
    }

    private CompletionStage<Ledger.Sums> add(EntityTypeKey<Ledger.Command> kind, String name, Ledger.Reading reading) {
        return sharding.entityRefFor(kind, name).ask(reply -> new Ledger.Add(reading, reply), PATIENCE);
    }

    private CompletionStage<Ledger.Sums> show(EntityTypeKey<Ledger.Command> kind, String name) {
        return sharding.entityRefFor(kind, name).ask(Ledger.Show::new, PATIENCE);
    }

    /** Watt hours by area and hour. */
    private CompletionStage<TreeMap<String, TreeMap<Integer, Long>>> usage() {
        var usage = new TreeMap<String, TreeMap<Integer, Long>>();
        CompletionStage<Done> all = CompletableFuture.completedStage(Done.getInstance());
        for (var area : areas) {
            all = all.thenCombine(show(Ledger.AREA, area), (done, sums) -> {
                usage.put(area, sums.byHour());
                return done;
            });
        }
        return all.thenApply(done -> usage);
    }

    private Route route() {
        return concat(
                pathSingleSlash(() -> onSuccess(usage(), usage -> complete(HttpEntities.create(ContentTypes.TEXT_HTML_UTF8, page(usage))))),
                path("areas", () -> onSuccess(usage(), usage -> completeJson(usage))),
                path(PathMatchers.segment("meters").slash(PathMatchers.segment()),
                        meter -> onSuccess(show(Ledger.METER, meter), sums -> completeJson(sums.byHour()))));
    }

    private Route completeJson(Object value) {
        try {
            return complete(HttpEntities.create(ContentTypes.APPLICATION_JSON, JSON.writeValueAsString(value)));
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String page(TreeMap<String, TreeMap<Integer, Long>> usage) {
        var lines = new ArrayList<String>();
        usage.forEach((area, hours) -> hours.forEach((hour, wattHours) ->
                lines.add("<tr><td>%s<td>%02d:00<td>%.3f kWh".formatted(area, hour, wattHours / 1000.0))));
        return "<!doctype html><title>Meters</title><meta http-equiv=refresh content=2><table border=1>"
                + "<tr><th>area<th>hour<th>used" + String.join("", lines) + "</table>";
    }

    private static Ledger.Reading parse(String json) {
        try {
            return JSON.readValue(json, Ledger.Reading.class);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
    }

    public static void main(String[] args) throws Exception {
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "meters");
        var cluster = Cluster.get(system);
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
        var service = new Service(system, List.of(args));
        service.follow().whenComplete((done, error) -> {
            if (error != null) error.printStackTrace();
            system.terminate();
        });
        var bound = Http.get(system).newServerAt("127.0.0.1", 0).bind(service.route()).toCompletableFuture().get();
        System.out.println("http://127.0.0.1:" + bound.localAddress().getPort());
    }
}
