import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/** An actor that counts the views and clicks of a campaign. Every event has a tag, by which projections find it. */
final class Campaign extends EventSourcedBehavior<Campaign.Command, Campaign.Event, Campaign.Counts> {
    interface Stored {}

    interface Command extends Stored {}

    /** The number counts all events, from one. */
    record Event(String campaign, long number, String type) implements Stored {}

    record Add(Event event, ActorRef<Counts> replyTo) implements Command {}

    record Show(ActorRef<Counts> replyTo) implements Command {}

    record Counts(int views, int clicks, long last) implements Stored {
        Counts plus(Event event) {
            boolean isClick = event.type().equals("click");
            return new Counts(views + (isClick ? 0 : 1), clicks + (isClick ? 1 : 0), event.number());
        }
    }

    static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "campaign");
    static final String TAG = "campaign";

    private Campaign(String name) {
        super(PersistenceId.of(KEY.name(), name));
    }

    static Behavior<Command> of(String name) {
        return new Campaign(name);
    }

    @Override
    public Counts emptyState() {
        return new Counts(0, 0, 0);
    }

    /** Kafka may deliver an event again: it is counted once. */
    @Override
    public CommandHandler<Command, Event, Counts> commandHandler() {
        return newCommandHandlerBuilder()
                .forAnyState()
                .onCommand(Show.class, (counts, show) -> Effect().reply(show.replyTo, counts))
                .onCommand(Add.class, (counts, add) -> add.event.number() <= counts.last()
                        ? Effect().reply(add.replyTo, counts)
                        : Effect().persist(add.event).thenReply(add.replyTo, after -> after))
                .build();
    }

    @Override
    public EventHandler<Counts, Event> eventHandler() {
        return newEventHandlerBuilder().forAnyState().onAnyEvent(Counts::plus);
    }

    @Override
    public Set<String> tagsFor(Event event) {
        return Set.of(TAG, event.type());
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(20, 2);
    }
}
