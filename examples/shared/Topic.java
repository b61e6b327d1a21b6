import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** {@code Topic new NAME PARTITIONS} makes a topic, empty even if there was one; {@code Topic delete NAME} removes it. */
public final class Topic {
    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", System.getenv("KAFKA")))) {
            delete(admin, args[1]);
            if (args[0].equals("new")) {
                var topic = new NewTopic(args[1], Optional.of(Integer.valueOf(args[2])), Optional.empty());
                admin.createTopics(List.of(topic)).all().get();
            }
        }
    }

    private static void delete(Admin admin, String name) throws Exception {
        try {
            admin.deleteTopics(List.of(name)).all().get();
        } catch (ExecutionException error) {
            if (!(error.getCause() instanceof UnknownTopicOrPartitionException)) throw error;
        }
    }
}
