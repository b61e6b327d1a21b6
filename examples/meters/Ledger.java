import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/**
 * An actor that adds up readings: by hour, and to which number each meter was followed. There is one for each meter and one for
 * each area; sharding starts it where it is needed, and what it knows comes back from its journal in Cassandra.
 */
public final class Ledger extends EventSourcedBehavior<Ledger.Command, Ledger.Reading, Ledger.Sums> {
    /** What is written to Cassandra, or sent to another node. */
    interface Stored {}

    interface Command extends Stored {}

    /** The number counts a meter's readings; the hour is that of the day. */
    record Reading(String meter, String area, long number, int hour, long wattHours) implements Stored {}

    record Add(Reading reading, ActorRef<Sums> replyTo) implements Command {}

    record Show(ActorRef<Sums> replyTo) implements Command {}

    record Sums(TreeMap<Integer, Long> byHour, TreeMap<String, Long> numbers) implements Stored {
        boolean has(Reading reading) {
            return numbers.getOrDefault(reading.meter, 0L) >= reading.number;
        }

        Sums plus(Reading reading) {
            var sums = new Sums(new TreeMap<>(byHour), new TreeMap<>(numbers));
            sums.byHour.merge(reading.hour, reading.wattHours, Long::sum);
            sums.numbers.put(reading.meter, reading.number);
            return sums;
        }
    }

    static final EntityTypeKey<Command> METER = EntityTypeKey.create(Command.class, "meter");
    static final EntityTypeKey<Command> AREA = EntityTypeKey.create(Command.class, "area");

    private Ledger(PersistenceId id) {
        super(id);
    }

    static Behavior<Command> of(EntityTypeKey<Command> kind, String name) {
        return new Ledger(PersistenceId.of(kind.name(), name));
    }

    @Override
    public Sums emptyState() {
        return new Sums(new TreeMap<>(), new TreeMap<>());
    }

    /** Kafka may deliver a reading again: it is added once. */
    @Override
    public CommandHandler<Command, Reading, Sums> commandHandler() {
        return newCommandHandlerBuilder()
                .forAnyState()
                .onCommand(Show.class, (sums, show) -> Effect().reply(show.replyTo, sums))
                .onCommand(Add.class, (sums, add) -> sums.has(add.reading)
                        ? Effect().reply(add.replyTo, sums)
                        : Effect().persist(add.reading).thenReply(add.replyTo, after -> after))
                .build();
    }

    @Override
    public EventHandler<Sums, Reading> eventHandler() {
        return newEventHandlerBuilder().forAnyState().onAnyEvent(Sums::plus);
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(100, 2);
    }
}
