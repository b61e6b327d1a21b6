import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.*;

/**
 * The Java client. Written against the API of 3.0 and compiled once for each version that is proven.
 *
 * <p>{@code java Scenarios NAME} checks by value, prints facts as JSON in its last line, and exits non-zero when it fails.
 */
public class Scenarios {
    static final String KAFKA = System.getenv("KAFKA");
    static final String RUN = System.getenv("RUN");
    static final long T0 = 1_700_000_000_000L;
    static final Duration TIMEOUT = Duration.ofSeconds(40);

    interface Scenario {
        Object run() throws Exception;
    }

    static final Map<String, Scenario> ALL = new TreeMap<>();

    static {
        ALL.put("round_trip", Scenarios::roundTrip);
        ALL.put("admin_topics", Scenarios::adminTopics);
        ALL.put("admin_configs", Scenarios::adminConfigs);
        ALL.put("config_definitions", Scenarios::configDefinitions);
        ALL.put("broker_definitions", Scenarios::brokerDefinitions);
        ALL.put("group_range", () -> group(RangeAssignor.class));
        ALL.put("group_cooperative", () -> group(CooperativeStickyAssignor.class));
        ALL.put("group_admin", Scenarios::groupAdmin);
        ALL.put("offsets", Scenarios::offsets);
        ALL.put("idempotent", Scenarios::idempotent);
        ALL.put("transactions", Scenarios::transactions);
        ALL.put("fencing", Scenarios::fencing);
        ALL.put("large_messages", Scenarios::largeMessages);
        ALL.put("empty_topics", Scenarios::emptyTopics);
        ALL.put("cluster", Scenarios::cluster);
        ALL.put("log_dirs", Scenarios::logDirs);
        ALL.put("one_node", Scenarios::oneNode);
        ALL.put("acls", Scenarios::acls);
    }

    public static void main(String[] args) {
        int code = 0;
        try {
            if (!ALL.containsKey(args[0])) {
                Class.forName("Newest");
            }
            System.out.println(json(ALL.get(args[0]).run()).replace(RUN, "RUN"));
        } catch (Throwable e) {
            e.printStackTrace();
            code = 1;
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    // What every scenario uses.

    static void check(boolean condition, String message) {
        if (!condition) throw new AssertionError(message);
    }

    static void equal(Object got, Object want, String what) {
        check(Objects.equals(got, want), what + ": got " + got + ", want " + want);
    }

    static void until(Callable<Boolean> condition, String what) throws Exception {
        long end = System.nanoTime() + TIMEOUT.toNanos();
        while (!condition.call()) {
            check(System.nanoTime() < end, "did not happen: " + what);
            Thread.sleep(50);
        }
    }

    static String name(String stem) {
        return stem + "-" + RUN;
    }

    static String payload(int i) {
        return "record " + i + " of this run, record " + i + " of this run, record " + i + " of this run";
    }

    static Map<String, Object> facts(Object... pairs) {
        Map<String, Object> map = new TreeMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put((String) pairs[i], pairs[i + 1]);
        return map;
    }

    static String json(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
        if (value instanceof Map) {
            return ((Map<?, ?>) value).entrySet().stream()
                    .map(e -> json(String.valueOf(e.getKey())) + ": " + json(e.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        if (value instanceof Collection) {
            return ((Collection<?>) value).stream().map(Scenarios::json).collect(Collectors.joining(", ", "[", "]"));
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : value.toString().toCharArray()) {
            if (c == '"' || c == '\\') quoted.append('\\').append(c);
            else if (c < 32) quoted.append(String.format("\\u%04x", (int) c));
            else quoted.append(c);
        }
        return quoted.append('"').toString();
    }

    static Map<String, Object> config(Object... pairs) {
        Map<String, Object> config = facts(pairs);
        config.put("bootstrap.servers", KAFKA);
        // KEY=VALUE;... for listeners that want more than an address.
        String further = System.getenv().getOrDefault("CONNECTION", "");
        for (String pair : further.split(";")) {
            if (!pair.isEmpty()) config.put(pair.split("=")[0], pair.split("=")[1]);
        }
        return config;
    }

    static Admin admin() {
        return Admin.create(config());
    }

    static String create(String topic, int partitions, String... pairs) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) configs.put(pairs[i], pairs[i + 1]);
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
        }
        return topic;
    }

    static KafkaProducer<String, String> producer(Object... pairs) {
        Map<String, Object> config = config("acks", "all", "linger.ms", 5);
        config.putAll(facts(pairs));
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String group, Object... pairs) {
        Map<String, Object> config = config("auto.offset.reset", "earliest", "enable.auto.commit", "false");
        if (group != null) config.put("group.id", group);
        config.putAll(facts(pairs));
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(i -> new TopicPartition(topic, i)).collect(Collectors.toList());
    }

    static List<ConsumerRecord<String, String>> readAll(String topic, int partitions, Object... pairs) {
        try (KafkaConsumer<String, String> consumer = consumer(null, pairs)) {
            List<TopicPartition> all = partitions(topic, partitions);
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            long end = System.nanoTime() + TIMEOUT.toNanos();
            while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                check(System.nanoTime() < end, "the end of " + topic + " was not reached: " + ends);
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            return records;
        }
    }

    /** The error of a call that must fail, as its class and the broker's words. */
    static Object error(Callable<KafkaFuture<?>> call) {
        try {
            call.call().get();
            return "none";
        } catch (Throwable e) {
            Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
            return List.of(cause.getClass().getSimpleName(), String.valueOf(cause.getMessage()));
        }
    }

    static Object errorName(Callable<KafkaFuture<?>> call) {
        Object error = error(call);
        return error instanceof List ? ((List<?>) error).get(0) : error;
    }

    /** The call of 3.0 is gone in 4.0, and the call of 4.0 came with 3.1. */
    @SuppressWarnings("unchecked")
    static KafkaFuture<Map<String, TopicDescription>> describe(Admin admin, String topic) throws Exception {
        DescribeTopicsResult result = admin.describeTopics(List.of(topic));
        String all = Stream.of(result.getClass().getMethods()).anyMatch(m -> m.getName().equals("allTopicNames")) ? "allTopicNames" : "all";
        return (KafkaFuture<Map<String, TopicDescription>>) result.getClass().getMethod(all).invoke(result);
    }

    // Scenarios.

    static Object roundTrip() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = create(name("round-" + codec), 3);
            try (KafkaProducer<String, String> producer = producer("compression.type", codec)) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int i = 0; i < 300; i++) {
                    ProducerRecord<String, String> record = new ProducerRecord<>(
                            topic, i % 3, T0 + i, i % 10 == 0 ? null : "key-" + i, i % 25 == 1 ? null : payload(i));
                    record.headers().add("n", String.valueOf(i).getBytes()).add("empty", new byte[0]).add("null", null);
                    sent.add(producer.send(record));
                }
                for (int i = 0; i < 300; i++) equal(sent.get(i).get().offset(), (long) i / 3, "offset of " + i);
            }
            Set<Integer> seen = new TreeSet<>();
            for (ConsumerRecord<String, String> record : readAll(topic, 3)) {
                int i = record.partition() + 3 * (int) record.offset();
                seen.add(i);
                equal(record.key(), i % 10 == 0 ? null : "key-" + i, "key of " + i);
                equal(record.value(), i % 25 == 1 ? null : payload(i), "value of " + i);
                equal(record.timestamp(), T0 + i, "timestamp of " + i);
                equal(record.leaderEpoch(), Optional.of(0), "leader epoch of " + i);
                Header[] headers = record.headers().toArray();
                equal(headers.length, 3, "headers of " + i);
                equal(new String(headers[0].value(), StandardCharsets.UTF_8), String.valueOf(i), "header of " + i);
                equal(headers[1].value().length, 0, "empty header of " + i);
                check(headers[2].value() == null, "null header of " + i);
            }
            equal(seen.size(), 300, "records of " + codec);
            facts.put(codec, seen.size());
        }
        return facts;
    }

    static Object adminTopics() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = name("admin");
        try (Admin admin = admin()) {
            CreateTopicsResult made = admin.createTopics(
                    List.of(new NewTopic(topic, Optional.empty(), Optional.empty()).configs(Map.of("segment.bytes", "1048576"))));
            facts.put("default partitions", made.numPartitions(topic).get());
            facts.put("default replicas", made.replicationFactor(topic).get());
            Config config = made.config(topic).get();
            facts.put("config", facts(
                    "segment.bytes", config.get("segment.bytes").value(),
                    "source", config.get("segment.bytes").source(),
                    "default source", config.get("retention.ms").source()));
            TopicDescription described = describe(admin, topic).get().get(topic);
            facts.put("described", described.partitions().stream()
                    .map(p -> List.of(p.partition(), p.leader().host(), p.replicas().size(), p.isr().size()))
                    .collect(Collectors.toList()));
            facts.put("operations", String.valueOf(described.authorizedOperations()));
            check(!described.topicId().equals(Uuid.ZERO_UUID), "the topic has no id");
            check(admin.listTopics().names().get().contains(topic), "the topic is not listed");
            facts.put("again", error(() -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all()));
            facts.put("replicas", error(() -> admin.createTopics(List.of(new NewTopic(name("r"), 1, (short) 2))).all()));
            facts.put("no partitions", error(() -> admin.createTopics(List.of(new NewTopic(name("z"), 0, (short) 1))).all()));
            facts.put("bad assignment", error(() -> admin.createTopics(List.of(new NewTopic(name("a"), Map.of(0, List.of(99))))).all()));
            facts.put("gap in assignment", error(() -> admin.createTopics(List.of(new NewTopic(name("g"), Map.of(1, List.of(1))))).all()));
            facts.put("bad name", error(() -> admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all()));
            facts.put("same name twice", errorName(() -> admin.createTopics(List.of(new NewTopic(name("t"), 1, (short) 1), new NewTopic(name("t"), 2, (short) 1))).all()));
            // Names that only differ in '.' and '_' collide in metric names.
            create(name("a.b"), 1);
            facts.put("collision", error(() -> admin.createTopics(List.of(new NewTopic(name("a_b"), 1, (short) 1))).all()));
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            until(() -> describe(admin, topic).get().get(topic).partitions().size() == 5, "five partitions");
            facts.put("fewer", error(() -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(1))).all()));
            facts.put("bad new assignment", error(() -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(6, List.of(List.of(42))))).all()));
            facts.put("missing", error(() -> describe(admin, name("nowhere"))));
            admin.deleteTopics(List.of(topic)).all().get();
            until(() -> !admin.listTopics().names().get().contains(topic), "the topic is gone");
            facts.put("delete again", error(() -> admin.deleteTopics(List.of(topic)).all()));
        }
        return facts;
    }

    static Map<String, Object> configOf(Admin admin, ConfigResource resource, boolean withDocumentation) throws Exception {
        DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(withDocumentation);
        Map<String, Object> entries = new TreeMap<>();
        for (ConfigEntry e : admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries()) {
            entries.put(e.name(), facts(
                    "value", e.value(), "source", e.source(), "type", e.type(), "read only", e.isReadOnly(), "sensitive", e.isSensitive(),
                    "documented", e.documentation() != null,
                    "synonyms", e.synonyms().stream().map(s -> List.of(s.name(), String.valueOf(s.value()), s.source())).collect(Collectors.toList())));
        }
        return entries;
    }

    static Object adminConfigs() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("configs"), 1, "cleanup.policy", "compact,delete");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (Admin admin = admin()) {
            admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("retention.ms", "1000000"), AlterConfigOp.OpType.SET),
                    new AlterConfigOp(new ConfigEntry("cleanup.policy", "delete"), AlterConfigOp.OpType.SUBTRACT)))).all().get();
            until(() -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value().equals("1000000"), "the change");
            Map<String, Object> now = configOf(admin, resource, false);
            facts.put("changed", facts("retention.ms", now.get("retention.ms"), "cleanup.policy", now.get("cleanup.policy")));
            facts.put("invalid", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("segment.bytes", "1"), AlterConfigOp.OpType.SET)))).all()));
            facts.put("unknown", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("no.such", "1"), AlterConfigOp.OpType.SET)))).all()));
            facts.put("not a list", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("segment.ms", "1"), AlterConfigOp.OpType.APPEND)))).all()));
            facts.put("twice", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("segment.ms", "100000"), AlterConfigOp.OpType.SET),
                    new AlterConfigOp(new ConfigEntry("segment.ms", "1"), AlterConfigOp.OpType.DELETE)))).all()));
            ConfigResource nowhere = new ConfigResource(ConfigResource.Type.TOPIC, name("nowhere"));
            facts.put("missing", error(() -> admin.describeConfigs(List.of(nowhere)).all()));
            facts.put("alter missing", error(() -> admin.incrementalAlterConfigs(Map.of(nowhere, List.of(
                    new AlterConfigOp(new ConfigEntry("segment.ms", "100000"), AlterConfigOp.OpType.SET)))).all()));
            facts.put("validate only", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("segment.ms", "100000"), AlterConfigOp.OpType.SET))),
                    new AlterConfigsOptions().validateOnly(true)).all()));
            now = configOf(admin, resource, false);
            facts.put("after validate only", now.get("segment.ms"));
        }
        return facts;
    }

    /** Every configuration key of a topic as the broker describes it. */
    static Object configDefinitions() throws Exception {
        String topic = create(name("definitions"), 1);
        try (Admin admin = admin()) {
            return configOf(admin, new ConfigResource(ConfigResource.Type.TOPIC, topic), true);
        }
    }

    /** Every configuration key of a broker; without the values of those that a broker of the tests is started with. */
    @SuppressWarnings("unchecked")
    static Object brokerDefinitions() throws Exception {
        try (Admin admin = admin()) {
            String id = String.valueOf(admin.describeCluster().nodes().get().iterator().next().id());
            Map<String, Object> entries = configOf(admin, new ConfigResource(ConfigResource.Type.BROKER, id), true);
            for (Map.Entry<String, Object> entry : entries.entrySet()) {
                Map<String, Object> facts = (Map<String, Object>) entry.getValue();
                if (SET_AT_START.contains(entry.getKey())) facts.keySet().removeAll(List.of("value", "source", "synonyms"));
            }
            return entries;
        }
    }

    static final Set<String> SET_AT_START = Set.of(
            "advertised.listeners", "broker.id", "controller.listener.names", "controller.quorum.voters", "group.initial.rebalance.delay.ms",
            "inter.broker.listener.name", "listener.security.protocol.map", "listeners", "log.dir", "log.dirs", "min.insync.replicas",
            "node.id", "num.partitions", "offsets.topic.num.partitions", "offsets.topic.replication.factor", "process.roles",
            "share.coordinator.state.topic.min.isr", "share.coordinator.state.topic.replication.factor",
            "transaction.state.log.min.isr", "transaction.state.log.num.partitions", "transaction.state.log.replication.factor");

    static final class Member implements AutoCloseable {
        final KafkaConsumer<String, String> consumer;
        final Set<Long> seen;
        final AtomicCount revoked = new AtomicCount();

        Member(String topic, String group, Set<Long> seen, Object... pairs) {
            this.seen = seen;
            consumer = consumer(group, pairs);
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    revoked.add(partitions.size());
                    consumer.commitSync();
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
            });
        }

        void poll() {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
                equal(r.value(), payload((int) r.offset()), "value at " + r.offset());
                check(seen.add(r.partition() * 1_000_000L + r.offset()), "read twice: " + r);
            }
        }

        int size() {
            return consumer.assignment().size();
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    static final class AtomicCount {
        int value;

        void add(int more) {
            value += more;
        }
    }

    static Object group(Class<?> assignor) throws Exception {
        return groupOfTwo("partition.assignment.strategy", assignor.getName(), "session.timeout.ms", 10000, "heartbeat.interval.ms", 500);
    }

    /** One member, then two, then one again: every record is read once and only once, and every offset is committed. */
    static Object groupOfTwo(Object... pairs) throws Exception {
        String topic = create(name("group"), 4);
        String group = name("group");
        Set<Long> seen = new HashSet<>();
        try (KafkaProducer<String, String> producer = producer(); Member one = new Member(topic, group, seen, pairs)) {
            for (int i = 0; i < 400; i++) producer.send(new ProducerRecord<>(topic, i % 4, null, payload(i / 4)));
            producer.flush();
            until(() -> { one.poll(); return seen.size() == 400; }, "one member reads everything");
            equal(one.size(), 4, "partitions of the only member");
            Member two = new Member(topic, group, seen, pairs);
            until(() -> { one.poll(); two.poll(); return one.size() == 2 && two.size() == 2; }, "two members share");
            for (int i = 400; i < 480; i++) producer.send(new ProducerRecord<>(topic, i % 4, null, payload(i / 4)));
            producer.flush();
            until(() -> { one.poll(); two.poll(); return seen.size() == 480; }, "both read what is new");
            two.close();
            until(() -> { one.poll(); return one.size() == 4; }, "the partitions come back");
            one.consumer.commitSync();
            Map<TopicPartition, OffsetAndMetadata> committed = one.consumer.committed(new HashSet<>(partitions(topic, 4)));
            List<Long> offsets = partitions(topic, 4).stream().map(p -> committed.get(p).offset()).collect(Collectors.toList());
            equal(offsets, List.of(120L, 120L, 120L, 120L), "committed offsets");
            seen.clear();
            one.consumer.seek(new TopicPartition(topic, 1), 100);
            until(() -> { one.poll(); return seen.size() == 20; }, "twenty records after a seek");
            return facts("committed", offsets);
        }
    }

    static Object groupAdmin() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("ga"), 2);
        String group = name("ga");
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer()) {
            for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(topic, 0, null, payload(i)));
            producer.flush();
            KafkaConsumer<String, String> consumer = consumer(group, "client.id", "me", "group.instance.id", "static");
            consumer.subscribe(List.of(topic));
            until(() -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 2; }, "assigned");
            consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(4, Optional.of(0), "noted")));
            ConsumerGroupDescription d = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            facts.put("stable", facts("state", String.valueOf(d.state()), "assignor", d.partitionAssignor(), "members", d.members().stream()
                    .map(m -> List.of(m.clientId(), m.host(), m.groupInstanceId().orElse("none"), m.assignment().topicPartitions().size()))
                    .collect(Collectors.toList())));
            facts.put("delete active", error(() -> admin.deleteConsumerGroups(List.of(group)).all()));
            facts.put("delete offsets active", errorName(() -> admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 0))).all()));
            consumer.close();
            admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("static")))).all().get();
            until(() -> String.valueOf(admin.describeConsumerGroups(List.of(group)).all().get().get(group).state()).equals("Empty"), "empty");
            facts.put("listed", admin.listConsumerGroups().all().get().stream().filter(g -> g.groupId().equals(group))
                    .map(g -> List.of(String.valueOf(g.state().orElse(null)), g.isSimpleConsumerGroup())).collect(Collectors.toList()));
            facts.put("offsets", admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .map(e -> List.of(e.getKey().partition(), e.getValue().offset(), e.getValue().metadata(), e.getValue().leaderEpoch().orElse(-1)))
                    .collect(Collectors.toList()));
            admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(topic, 1), new OffsetAndMetadata(0))).all().get();
            admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 0))).all().get();
            facts.put("after", admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .map(e -> List.of(e.getKey().partition(), e.getValue().offset())).collect(Collectors.toList()));
            facts.put("delete", error(() -> admin.deleteConsumerGroups(List.of(group)).all()));
            facts.put("delete again", error(() -> admin.deleteConsumerGroups(List.of(group)).all()));
        }
        return facts;
    }

    static Object offsets() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("offsets"), 1);
        TopicPartition tp = new TopicPartition(topic, 0);
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer(); KafkaConsumer<String, String> consumer = consumer(null)) {
            for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>(topic, 0, T0 + (i == 10 ? 900 : 10 * i), null, payload(i))).get();
            for (long at : new long[] {-1, 0, 15, 190, 900, 901}) {
                facts.put("at " + at, String.valueOf(consumer.offsetsForTimes(Map.of(tp, T0 + at)).get(tp)));
            }
            Map<String, OffsetSpec> specs = Map.of("earliest", OffsetSpec.earliest(), "latest", OffsetSpec.latest(), "max", OffsetSpec.maxTimestamp());
            for (Map.Entry<String, OffsetSpec> spec : specs.entrySet()) {
                ListOffsetsResult.ListOffsetsResultInfo info = admin.listOffsets(Map.of(tp, spec.getValue())).all().get().get(tp);
                facts.put(spec.getKey(), List.of(info.offset(), info.timestamp(), info.leaderEpoch().orElse(-1)));
            }
            facts.put("deleted", admin.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(7))).lowWatermarks().get(tp).get().lowWatermark());
            facts.put("beginning", consumer.beginningOffsets(List.of(tp)).get(tp));
            facts.put("end", consumer.endOffsets(List.of(tp)).get(tp));
            facts.put("read", readAll(topic, 1).size());
            facts.put("beyond", error(() -> admin.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(99))).all()));
            try (KafkaConsumer<String, String> strict = consumer(null, "auto.offset.reset", "none")) {
                strict.assign(List.of(tp));
                strict.seek(tp, 500);
                try {
                    for (int i = 0; i < 400; i++) strict.poll(Duration.ofMillis(100));
                    facts.put("out of range", "nothing happened");
                } catch (org.apache.kafka.clients.consumer.OffsetOutOfRangeException e) {
                    facts.put("out of range", e.getClass().getSimpleName());
                }
            }
            facts.put("unknown partition", errorName(() -> admin.listOffsets(Map.of(new TopicPartition(topic, 9), OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(3000)).all()));
        }
        return facts;
    }

    static Object idempotent() throws Exception {
        String topic = create(name("idempotent"), 2);
        try (KafkaProducer<String, String> producer = producer("enable.idempotence", true, "compression.type", "lz4", "batch.size", 2000)) {
            for (int i = 0; i < 5000; i++) producer.send(new ProducerRecord<>(topic, i % 2, null, payload(i)));
        }
        int[] next = {0, 0};
        for (ConsumerRecord<String, String> r : readAll(topic, 2)) {
            equal(r.offset(), (long) next[r.partition()], "offset");
            equal(r.value(), payload(2 * next[r.partition()]++ + r.partition()), "value");
        }
        equal(next[0] + next[1], 5000, "records");
        Map<String, Object> facts = new TreeMap<>();
        try (Admin admin = admin()) {
            TopicPartition tp = new TopicPartition(topic, 0);
            facts.put("producers", admin.describeProducers(List.of(tp)).all().get().get(tp).activeProducers().stream()
                    .map(p -> List.of(p.producerEpoch(), p.currentTransactionStartOffset().orElse(-1), p.coordinatorEpoch().orElse(-1)))
                    .collect(Collectors.toList()));
        }
        return facts;
    }

    static Object transactions() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String source = create(name("tx-in"), 1);
        String sink = create(name("tx-out"), 2);
        String group = name("tx");
        TopicPartition in = new TopicPartition(source, 0);
        List<Object> committed = new ArrayList<>();
        try (Admin admin = admin();
                KafkaProducer<String, String> plain = producer();
                KafkaProducer<String, String> producer = producer("transactional.id", name("tx"));
                KafkaConsumer<String, String> consumer = consumer(group, "isolation.level", "read_committed", "max.poll.records", 10)) {
            for (int i = 0; i < 30; i++) plain.send(new ProducerRecord<>(source, 0, null, payload(i)));
            plain.flush();
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            for (boolean commit : new boolean[] {true, false, true}) {
                List<ConsumerRecord<String, String>> batch = new ArrayList<>();
                until(() -> { consumer.poll(Duration.ofMillis(200)).forEach(batch::add); return batch.size() == 10; }, "a batch");
                producer.beginTransaction();
                for (ConsumerRecord<String, String> r : batch) {
                    producer.send(new ProducerRecord<>(sink, (int) r.offset() % 2, null, (commit ? "yes " : "no ") + r.value()));
                }
                producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(batch.get(9).offset() + 1)), consumer.groupMetadata());
                producer.flush();
                if (commit) producer.commitTransaction();
                else producer.abortTransaction();
                committed.add(consumer.committed(Set.of(in)).get(in).offset());
            }
            facts.put("committed", committed);
            TransactionDescription d = admin.describeTransactions(List.of(name("tx"))).description(name("tx")).get();
            facts.put("described", List.of(d.state().toString(), d.topicPartitions().size(), d.transactionTimeoutMs()));
            facts.put("listed", admin.listTransactions().all().get().stream().filter(t -> t.transactionalId().equals(name("tx")))
                    .map(t -> t.state().toString()).collect(Collectors.toList()));
        }
        List<ConsumerRecord<String, String>> visible = readAll(sink, 2, "isolation.level", "read_committed");
        check(visible.stream().allMatch(r -> r.value().startsWith("yes ")), "an aborted record is visible");
        facts.put("read_committed", visible.size());
        facts.put("read_uncommitted", readAll(sink, 2).size());
        return facts;
    }

    static Object fencing() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("fencing"), 1);
        TopicPartition tp = new TopicPartition(topic, 0);
        try (Admin admin = admin(); KafkaProducer<String, String> old = producer("transactional.id", name("f"))) {
            old.initTransactions();
            old.beginTransaction();
            old.send(new ProducerRecord<>(topic, 0, null, "old")).get();
            TransactionDescription d = admin.describeTransactions(List.of(name("f"))).description(name("f")).get();
            facts.put("open", List.of(d.state().toString(), d.topicPartitions().toString(), d.transactionStartTimeMs().isPresent()));
            facts.put("producers", admin.describeProducers(List.of(tp)).all().get().get(tp).activeProducers().stream()
                    .map(p -> List.of(p.currentTransactionStartOffset().orElse(-1))).collect(Collectors.toList()));
            ListOffsetsOptions stable = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
            facts.put("stable", admin.listOffsets(Map.of(tp, OffsetSpec.latest()), stable).all().get().get(tp).offset());
            try (KafkaProducer<String, String> young = producer("transactional.id", name("f"))) {
                young.initTransactions();
                try {
                    old.commitTransaction();
                    facts.put("old", "committed");
                } catch (KafkaException e) {
                    facts.put("old", e.getClass().getSimpleName());
                }
                young.beginTransaction();
                young.send(new ProducerRecord<>(topic, 0, null, "young"));
                young.commitTransaction();
            }
            facts.put("visible", readAll(topic, 1, "isolation.level", "read_committed").stream().map(ConsumerRecord::value).collect(Collectors.toList()));
        }
        return facts;
    }

    static Object largeMessages() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("large"), 1);
        String huge = create(name("huge"), 1, "max.message.bytes", "12000000");
        char[] big = new char[900_000];
        Arrays.fill(big, 'b');
        char[] bigger = new char[10_000_000];
        Arrays.fill(bigger, 'B');
        try (KafkaProducer<String, String> producer = producer("max.request.size", 20_000_000, "buffer.memory", 100_000_000)) {
            producer.send(new ProducerRecord<>(topic, new String(big))).get();
            try {
                producer.send(new ProducerRecord<>(topic, new String(bigger))).get();
                facts.put("too large", "stored");
            } catch (ExecutionException e) {
                facts.put("too large", List.of(e.getCause().getClass().getSimpleName(), e.getCause().getMessage()));
            }
            producer.send(new ProducerRecord<>(huge, new String(bigger))).get();
        }
        equal(readAll(topic, 1).get(0).value().length(), big.length, "length");
        equal(readAll(huge, 1, "fetch.max.bytes", 1000, "max.partition.fetch.bytes", 1000).get(0).value(), new String(bigger), "huge value");
        return facts;
    }

    static Object emptyTopics() throws Exception {
        String topic = create(name("empty"), 2);
        try (KafkaConsumer<String, String> consumer = consumer(name("empty"))) {
            consumer.subscribe(List.of(topic));
            until(() -> { check(consumer.poll(Duration.ofMillis(100)).isEmpty(), "a record"); return consumer.assignment().size() == 2; }, "assigned");
            check(consumer.poll(Duration.ofMillis(1500)).isEmpty(), "a record in an empty topic");
            TopicPartition tp = new TopicPartition(topic, 0);
            return facts("position", consumer.position(tp), "end", consumer.endOffsets(List.of(tp)).get(tp),
                    "committed", String.valueOf(consumer.committed(Set.of(tp)).get(tp)),
                    "times", String.valueOf(consumer.offsetsForTimes(Map.of(tp, T0)).get(tp)),
                    "lag", consumer.currentLag(tp).orElse(-1));
        }
    }

    static Object cluster() throws Exception {
        try (Admin admin = admin()) {
            DescribeClusterResult c = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            check(c.clusterId().get().length() == 22, "cluster id " + c.clusterId().get());
            FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
            return facts("nodes", c.nodes().get().size(), "controller", c.controller().get() != null, "operations", c.authorizedOperations().get().stream().map(Object::toString).sorted().collect(Collectors.toList()),
                    "finalized", new TreeMap<>(features.finalizedFeatures()).toString(), "supported", new TreeMap<>(features.supportedFeatures()).toString());
        }
    }

    static Object logDirs() throws Exception {
        String topic = create(name("dirs"), 2);
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer()) {
            producer.send(new ProducerRecord<>(topic, 0, null, payload(1))).get();
            int node = admin.describeCluster().nodes().get().iterator().next().id();
            Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
            Map<Integer, ReplicaInfo> mine = new TreeMap<>();
            dirs.values().forEach(d -> d.replicaInfos().forEach((tp, info) -> { if (tp.topic().equals(topic)) mine.put(tp.partition(), info); }));
            check(mine.get(0).size() > 0, "the partition with a record has no size");
            return facts("dirs", dirs.size(), "partitions", mine.size(), "empty", mine.get(1).size(), "lag", mine.get(0).offsetLag(), "future", mine.get(0).isFuture());
        }
    }

    /** Elections and reassignments as a cluster of one node answers them. */
    static Object oneNode() throws Exception {
        String topic = create(name("one"), 1);
        TopicPartition tp = new TopicPartition(topic, 0);
        TopicPartition nowhere = new TopicPartition(name("nowhere"), 0);
        Map<String, Object> facts = new TreeMap<>();
        try (Admin admin = admin()) {
            int node = admin.describeCluster().nodes().get().iterator().next().id();
            facts.put("elect", errorName(() -> admin.electLeaders(ElectionType.PREFERRED, Set.of(tp)).all()));
            facts.put("elect of nothing", errorName(() -> admin.electLeaders(ElectionType.PREFERRED, Set.of(nowhere)).all()));
            facts.put("elect all", errorName(() -> admin.electLeaders(ElectionType.PREFERRED, null).all()));
            facts.put("reassign to itself", error(() -> admin.alterPartitionReassignments(Map.of(tp, Optional.of(new NewPartitionReassignment(List.of(node))))).all()));
            facts.put("reassign to nobody", errorName(() -> admin.alterPartitionReassignments(Map.of(tp, Optional.of(new NewPartitionReassignment(List.of(77))))).all()));
            facts.put("cancel", errorName(() -> admin.alterPartitionReassignments(Map.of(tp, Optional.empty())).all()));
            facts.put("list", admin.listPartitionReassignments().reassignments().get().size());
            facts.put("unregister", errorName(() -> admin.unregisterBroker(77).all()));
        }
        return facts;
    }

    static Object acls() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        try (Admin admin = admin()) {
            facts.put("describe", error(() -> admin.describeAcls(org.apache.kafka.common.acl.AclBindingFilter.ANY).values()));
            facts.put("delete", error(() -> admin.deleteAcls(List.of(org.apache.kafka.common.acl.AclBindingFilter.ANY)).all()));
        }
        return facts;
    }
}
