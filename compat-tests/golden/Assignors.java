import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * What the original's server-side assignors make of many shapes of groups: one line of JSON each, with the shape and the
 * result. Collections are handed over sorted, since results depend on the order in which they are walked.
 */
public final class Assignors {
    private static final Random CHANCE = new Random(848);

    private record Member(String id, String instance, TreeSet<Integer> topics, TreeMap<Integer, TreeSet<Integer>> before) {}

    public static void main(String[] args) {
        for (int shape = 0; shape < 90; shape++) {
            boolean alike = shape % 2 == 0;
            TreeMap<Integer, Integer> topics = new TreeMap<>();
            for (int topic = 0; topic < 1 + CHANCE.nextInt(4); topic++) topics.put(topic, 1 + CHANCE.nextInt(9));
            List<Member> members = new ArrayList<>();
            for (int at = 0; at < 1 + CHANCE.nextInt(5); at++) members.add(member(at, alike, topics));
            for (String assignor : List.of("range", "uniform")) {
                List<Member> group = members;
                TreeMap<Integer, Integer> now = new TreeMap<>(topics);
                for (int step = 0; step < 3; step++) {
                    group = tell(assignor, group, now);
                    group = new ArrayList<>(group);
                    switch (CHANCE.nextInt(3)) {
                        case 0 -> group.add(member(10 + step, alike, now));
                        case 1 -> { if (group.size() > 1) group.remove(CHANCE.nextInt(group.size())); }
                        default -> now.merge(CHANCE.nextInt(now.size()), 1 + CHANCE.nextInt(4), Integer::sum);
                    }
                }
            }
        }
    }

    private static Member member(int at, boolean alike, TreeMap<Integer, Integer> topics) {
        TreeSet<Integer> chosen = new TreeSet<>();
        for (int topic : topics.keySet()) if (alike || CHANCE.nextInt(3) > 0) chosen.add(topic);
        String id = String.format("m%02d", at);
        return new Member(id, CHANCE.nextInt(4) == 0 ? "i" + (99 - at) : null, chosen, new TreeMap<>());
    }

    /** Prints the shape with its result, and answers the group that has the result. */
    private static List<Member> tell(String name, List<Member> group, TreeMap<Integer, Integer> topics) {
        TreeMap<String, MemberSubscriptionAndAssignmentImpl> members = new TreeMap<>();
        TreeMap<Uuid, Map<Integer, String>> owners = new TreeMap<>();
        for (Member member : group) {
            TreeMap<Uuid, Set<Integer>> before = new TreeMap<>();
            member.before.forEach((topic, partitions) -> {
                before.put(id(topic), partitions);
                partitions.forEach(one -> owners.computeIfAbsent(id(topic), none -> new TreeMap<>()).put(one, member.id));
            });
            TreeSet<Uuid> subscribed = member.topics.stream().map(Assignors::id).collect(Collectors.toCollection(TreeSet::new));
            members.put(member.id, new MemberSubscriptionAndAssignmentImpl(
                Optional.empty(), Optional.ofNullable(member.instance), subscribed, new Assignment(before)));
        }
        boolean alike = group.stream().map(Member::topics).distinct().count() == 1;
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid topic) { return topics.getOrDefault(number(topic), -1); }
            public Set<String> racksForPartition(Uuid topic, int partition) { return Set.of(); }
        };
        ConsumerGroupPartitionAssignor assignor = name.equals("range") ? new RangeAssignor() : new UniformAssignor();
        var result = assignor.assign(new GroupSpecImpl(members,
            alike ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, owners), describer).members();
        List<String> lines = new ArrayList<>();
        List<Member> after = new ArrayList<>();
        for (Member member : group) {
            TreeMap<Integer, TreeSet<Integer>> got = new TreeMap<>();
            var assigned = result.get(member.id);
            if (assigned != null) assigned.partitions().forEach((topic, partitions) -> {
                if (!partitions.isEmpty()) got.put(number(topic), new TreeSet<>(partitions));
            });
            lines.add(String.format("{\"id\":\"%s\",\"instance\":%s,\"topics\":%s,\"before\":%s,\"after\":%s}", member.id,
                member.instance == null ? "null" : '"' + member.instance + '"', member.topics, json(member.before), json(got)));
            after.add(new Member(member.id, member.instance, member.topics, got));
        }
        System.out.printf("{\"assignor\":\"%s\",\"partitions\":%s,\"members\":[%s]}%n", name, topics.values(), String.join(",", lines));
        return after;
    }

    private static String json(TreeMap<Integer, TreeSet<Integer>> assignment) {
        return assignment.entrySet().stream().map(one -> "\"" + one.getKey() + "\":" + one.getValue())
            .collect(Collectors.joining(",", "{", "}")).replace(" ", "");
    }

    private static Uuid id(int topic) { return new Uuid(0, topic + 1L); }

    private static int number(Uuid topic) { return (int) topic.getLeastSignificantBits() - 1; }
}
