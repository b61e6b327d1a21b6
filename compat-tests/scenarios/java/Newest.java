import java.time.Duration;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;

/** What only a client of 4.x can do: groups of KIP-848, fencing by an administrator, the newest calls of the admin client. */
public final class Newest extends Scenarios {
    static {
        ALL.put("consumer_group_uniform", () -> consumerGroup("uniform"));
        ALL.put("consumer_group_range", () -> consumerGroup("range"));
        ALL.put("consumer_group_described", Newest::described);
        ALL.put("consumer_group_regex", Newest::regex);
        ALL.put("migration", Newest::migration);
        ALL.put("admin_fencing", Newest::adminFencing);
        ALL.put("newest_calls", Newest::newestCalls);
        ALL.put("concurrent_transactions", Newest::concurrentTransactions);
        ALL.put("dashboard", Dashboard::look);
    }

    static Object consumerGroup(String assignor) throws Exception {
        return groupOfTwo("group.protocol", "consumer", "group.remote.assignor", assignor);
    }

    static Object described() throws Exception {
        String topic = create(name("described"), 2);
        String group = name("described");
        Map<String, Object> facts = new TreeMap<>();
        try (Admin admin = admin(); KafkaConsumer<String, String> consumer = consumer(group, "group.protocol", "consumer", "client.id", "me", "client.rack", "r1")) {
            consumer.subscribe(List.of(topic));
            until(() -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 2; }, "assigned");
            until(() -> { consumer.poll(Duration.ofMillis(100)); return String.valueOf(admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState()).equals("Stable"); }, "stable");
            ConsumerGroupDescription d = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            facts.put("group", List.of(d.type(), d.groupState(), d.partitionAssignor(), d.isSimpleConsumerGroup(), d.groupEpoch().isPresent(), d.targetAssignmentEpoch().isPresent()));
            facts.put("members", d.members().stream().map(m -> List.of(m.clientId(), m.host(), m.assignment().topicPartitions().size(),
                    m.targetAssignment().get().topicPartitions().size(), m.upgraded().orElse(null), m.memberEpoch().isPresent())).collect(Collectors.toList()));
            facts.put("by type", admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().stream().filter(g -> g.groupId().equals(group))
                    .map(g -> List.of(g.type().get(), g.groupState().get(), g.protocol())).collect(Collectors.toList()));
            facts.put("classic", admin.describeClassicGroups(List.of(group)).all().get().get(group).state().toString());
        } catch (java.util.concurrent.ExecutionException e) {
            facts.put("classic", e.getCause().getClass().getSimpleName());
        }
        try (Admin admin = admin()) {
            until(() -> String.valueOf(admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState()).equals("Empty"), "empty");
            facts.put("delete", error(() -> admin.deleteConsumerGroups(List.of(group)).all()));
        }
        return facts;
    }

    /** A subscription by expression, evaluated by the broker, picks up a topic created later. */
    static Object regex() throws Exception {
        create("rx1-" + RUN, 1);
        try (KafkaConsumer<String, String> consumer = consumer(name("rx"), "group.protocol", "consumer")) {
            consumer.subscribe(new SubscriptionPattern("rx[0-9]-" + RUN));
            until(() -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 1; }, "the first topic");
            create("rx2-" + RUN, 1);
            until(() -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 2; }, "the second topic");
            consumer.subscribe(new SubscriptionPattern("["));
            try {
                for (int i = 0; i < 400; i++) consumer.poll(Duration.ofMillis(100));
                return facts("invalid", "nothing happened");
            } catch (KafkaException e) {
                return facts("invalid", e.getClass().getSimpleName());
            }
        }
    }

    /** A group moves from the classic protocol to the new one and back while its members work. */
    static Object migration() throws Exception {
        String topic = create(name("moving"), 4);
        String group = name("moving");
        Set<Long> seen = new HashSet<>();
        Map<String, Object> facts = new TreeMap<>();
        Object[] classic = {"group.protocol", "classic", "session.timeout.ms", 10000, "heartbeat.interval.ms", 500, "partition.assignment.strategy", CooperativeStickyAssignor.class.getName()};
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer()) {
            for (int i = 0; i < 40; i++) producer.send(new ProducerRecord<>(topic, i % 4, null, payload(i / 4)));
            producer.flush();
            Member old = new Member(topic, group, seen, classic);
            until(() -> { old.poll(); return seen.size() == 40; }, "the classic member reads");
            old.consumer.commitSync();
            facts.put("before", admin.describeConsumerGroups(List.of(group)).all().get().get(group).type().toString());
            Member young = new Member(topic, group, seen, "group.protocol", "consumer");
            until(() -> { old.poll(); young.poll(); return old.size() == 2 && young.size() == 2; }, "both protocols share");
            facts.put("during", admin.describeConsumerGroups(List.of(group)).all().get().get(group).type().toString());
            facts.put("upgraded", admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().stream()
                    .map(m -> String.valueOf(m.upgraded().orElse(null))).sorted().collect(Collectors.toList()));
            for (int i = 40; i < 80; i++) producer.send(new ProducerRecord<>(topic, i % 4, null, payload(i / 4)));
            producer.flush();
            until(() -> { old.poll(); young.poll(); return seen.size() == 80; }, "both read what is new");
            young.consumer.commitSync();
            young.close();
            until(() -> { old.poll(); return old.size() == 4; }, "the classic member has all again");
            facts.put("after", admin.describeConsumerGroups(List.of(group)).all().get().get(group).type().toString());
            old.consumer.commitSync();
            old.close();
        }
        return facts;
    }

    static Object adminFencing() throws Exception {
        String topic = create(name("fenced"), 1);
        TopicPartition tp = new TopicPartition(topic, 0);
        Map<String, Object> facts = new TreeMap<>();
        ListOffsetsOptions stable = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer("transactional.id", name("fenced"))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, "left open")).get();
            admin.fenceProducers(List.of(name("fenced"))).all().get();
            until(() -> admin.listOffsets(Map.of(tp, OffsetSpec.latest()), stable).all().get().get(tp).offset() == 2, "the abort marker");
            try {
                producer.commitTransaction();
                facts.put("producer", "committed");
            } catch (KafkaException e) {
                facts.put("producer", e.getClass().getSimpleName());
            }
        }
        // A transaction that hangs without its coordinator is aborted through the partition.
        try (Admin admin = admin(); KafkaProducer<String, String> producer = producer("transactional.id", name("hanging"))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, "hanging")).get();
            ProducerState state = admin.describeProducers(List.of(tp)).all().get().get(tp).activeProducers().stream()
                    .filter(p -> p.currentTransactionStartOffset().isPresent()).findFirst().get();
            facts.put("start", state.currentTransactionStartOffset().getAsLong());
            facts.put("abort", error(() -> admin.abortTransaction(new AbortTransactionSpec(tp, state.producerId(), (short) state.producerEpoch(), state.coordinatorEpoch().orElse(0))).all()));
            until(() -> admin.listOffsets(Map.of(tp, OffsetSpec.latest()), stable).all().get().get(tp).offset() == 4, "the second abort marker");
        }
        facts.put("visible", readAll(topic, 1, "isolation.level", "read_committed").size());
        return facts;
    }

    static Object newestCalls() throws Exception {
        Map<String, Object> facts = new TreeMap<>();
        String topic = create(name("newest"), 3);
        TopicPartition tp = new TopicPartition(topic, 0);
        try (Admin admin = admin()) {
            facts.put("pages", admin.describeTopics(List.of(topic), new DescribeTopicsOptions().partitionSizeLimitPerResponse(1)).allTopicNames().get().get(topic).partitions().size());
            Uuid id = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
            facts.put("by id", admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name());
            facts.put("unknown id", error(() -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(new Uuid(1, 2)))).allTopicIds()));
            for (Map.Entry<String, OffsetSpec> spec : Map.of("local", OffsetSpec.earliestLocal(), "tiered", OffsetSpec.latestTiered(), "max", OffsetSpec.maxTimestamp()).entrySet()) {
                ListOffsetsResult.ListOffsetsResultInfo info = admin.listOffsets(Map.of(tp, spec.getValue())).all().get().get(tp);
                facts.put(spec.getKey(), List.of(info.offset(), info.timestamp()));
            }
            facts.put("quorum", List.of(admin.describeMetadataQuorum().quorumInfo().get().voters().size(), admin.describeMetadataQuorum().quorumInfo().get().observers().size()));
            facts.put("config resources", admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new ListConfigResourcesOptions()).all().get().stream()
                    .anyMatch(r -> r.name().equals(topic)));
            facts.put("fenced brokers", admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes().get().size());
            facts.put("feature downgrade", errorName(() -> admin.updateFeatures(Map.of("no.such.feature", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all()));
            facts.put("instance id", errorName(() -> { admin.clientInstanceId(Duration.ofSeconds(5)); return KafkaFuture.completedFuture(null); }));
            admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
            facts.put("delete again by id", error(() -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all()));
        }
        return facts;
    }

    /** Five producers, each with its own open transaction in the same partition, end in another order than they began. */
    static Object concurrentTransactions() throws Exception {
        String topic = create(name("several"), 1);
        List<KafkaProducer<String, String>> producers = new ArrayList<>();
        TopicPartition tp = new TopicPartition(topic, 0);
        try (Admin admin = admin()) {
            for (int i = 0; i < 5; i++) {
                KafkaProducer<String, String> p = producer("transactional.id", name("several-" + i));
                p.initTransactions();
                p.beginTransaction();
                p.send(new ProducerRecord<>(topic, 0, null, "of " + i)).get();
                producers.add(p);
            }
            for (int i : new int[] {3, 1, 0, 4, 2}) {
                if (i % 2 == 1) producers.get(i).abortTransaction();
                else producers.get(i).commitTransaction();
                long offset = admin.listOffsets(Map.of(tp, OffsetSpec.latest()), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get().get(tp).offset();
                // The first one began first: until it ends, nothing of the others is stable.
                if (i == 3 || i == 1) equal(offset, 0L, "last stable offset after the end of " + i);
            }
        }
        producers.forEach(KafkaProducer::close);
        List<String> visible = readAll(topic, 1, "isolation.level", "read_committed").stream().map(ConsumerRecord::value).collect(Collectors.toList());
        equal(visible, List.of("of 0", "of 2", "of 4"), "visible records");
        return facts("visible", visible);
    }
}
