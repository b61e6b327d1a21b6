// Makes a stock Java client say something of every kind, for `cargo xtask golden`. Works with kafka-clients 3.0 and up:
//   java -cp 'kafka-clients.jar:...' Capture.java HOST:PORT
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.*;

public class Capture {
    interface Step { Object run() throws Exception; }

    // An error answer is an answer too.
    static void step(String name, Step step) {
        try {
            Object result = step.run();
            if (result instanceof KafkaFuture) ((KafkaFuture<?>) result).get(10, TimeUnit.SECONDS);
            System.out.println(name + ": done");
        } catch (Throwable error) {
            System.out.println(name + ": " + (error.getCause() == null ? error : error.getCause()));
        }
    }

    // By name, because the clients of some versions do not have it.
    static Object call(Object on, String name, Object... arguments) throws Exception {
        for (var method : on.getClass().getMethods())
            if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
                boolean fits = true;
                for (int at = 0; at < arguments.length; at++) fits &= method.getParameterTypes()[at].isInstance(arguments[at]);
                method.setAccessible(true);
                if (fits) return method.invoke(on, arguments);
            }
        throw new NoSuchMethodException(name);
    }

    static Properties properties(String server, String... more) {
        Properties to = new Properties();
        to.put("bootstrap.servers", server);
        to.put("client.id", "golden");
        to.put("default.api.timeout.ms", "10000");
        to.put("request.timeout.ms", "5000");
        for (int at = 0; at < more.length; at += 2) to.put(more[at], more[at + 1]);
        return to;
    }

    static final String BYTES = "org.apache.kafka.common.serialization.ByteArray";

    static KafkaProducer<byte[], byte[]> producer(String server, String... more) {
        Properties to = properties(server, more);
        to.put("key.serializer", BYTES + "Serializer");
        to.put("value.serializer", BYTES + "Serializer");
        return new KafkaProducer<>(to);
    }

    static KafkaConsumer<byte[], byte[]> consumer(String server, String... more) {
        Properties to = properties(server, more);
        to.put("key.deserializer", BYTES + "Deserializer");
        to.put("value.deserializer", BYTES + "Deserializer");
        to.put("auto.offset.reset", "earliest");
        to.put("max.poll.records", "1");
        if (!to.containsKey("group.protocol")) to.put("heartbeat.interval.ms", "500"); // the new protocol has the broker say it
        return new KafkaConsumer<>(to);
    }

    static ProducerRecord<byte[], byte[]> record(String topic) {
        return new ProducerRecord<>(topic, 0, 1700000000000L, "key".getBytes(), "value".getBytes());
    }

    static void topics(Admin admin, String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        step("create", () -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(Map.of("retention.ms", "-1")))).all());
        step("list", () -> admin.listTopics().names());
        step("describe", () -> call(call(admin, "describeTopics", List.of(topic)), "allTopicNames"));
        step("partitions", () -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        step("configs", () -> admin.describeConfigs(List.of(resource)).all());
        AlterConfigOp op = new AlterConfigOp(new ConfigEntry("flush.messages", "7"), AlterConfigOp.OpType.SET);
        step("incremental", () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(op))).all());
        step("alter", () -> call(call(admin, "alterConfigs", Map.of(resource, new Config(List.of(new ConfigEntry("flush.ms", "7"))))), "all"));
        step("cluster", () -> admin.describeCluster().nodes());
        step("features", () -> admin.describeFeatures().featureMetadata());
        step("log dirs", () -> admin.describeLogDirs(List.of(1)).allDescriptions());
        step("move", () -> admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica(topic, 0, 1), "/nowhere")).all());
        step("elect", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions());
        step("reassign", () -> admin.alterPartitionReassignments(Map.of(partition, Optional.empty())).all());
        step("reassignments", () -> admin.listPartitionReassignments(Set.of(partition)).reassignments());
        step("acls", () -> admin.describeAcls(AclBindingFilter.ANY).values());
        AclBinding acl = new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
            new AccessControlEntry("User:a", "*", AclOperation.READ, AclPermissionType.ALLOW));
        step("create acls", () -> admin.createAcls(List.of(acl)).all());
        step("delete acls", () -> admin.deleteAcls(List.of(acl.toFilter())).all());
        step("unregister", () -> admin.unregisterBroker(99).all());
    }

    static void produce(Admin admin, String server, String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
            step("produce " + codec, () -> {
                try (KafkaProducer<byte[], byte[]> producer = producer(server, "compression.type", codec)) {
                    return producer.send(record(topic)).get();
                }
            });
        step("offsets", () -> admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all());
        step("offset of time", () -> admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(1))).all());
        step("delete records", () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(1))).all());
        step("producers", () -> admin.describeProducers(List.of(partition)).all());
    }

    static void transact(Admin admin, String server, String topic, String group) {
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<byte[], byte[]> producer = producer(server, "transactional.id", "golden-" + topic);
        step("init", () -> { producer.initTransactions(); return null; });
        step("transaction", () -> {
            producer.beginTransaction();
            producer.send(record(topic)).get();
            producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(1, "m")), new ConsumerGroupMetadata(group));
            return null;
        });
        step("transactions", () -> admin.listTransactions().all());
        step("describe transaction", () -> admin.describeTransactions(List.of("golden-" + topic)).all());
        step("commit", () -> { producer.commitTransaction(); return null; });
        step("open transaction", () -> { producer.beginTransaction(); return producer.send(record(topic)).get(); });
        step("abort by hand", () -> {
            ProducerState state = admin.describeProducers(List.of(partition)).partitionResult(partition).get()
                .activeProducers().stream().filter(p -> p.currentTransactionStartOffset().isPresent()).findFirst().get();
            return admin.abortTransaction(new AbortTransactionSpec(partition, state.producerId(), (short) state.producerEpoch(),
                state.coordinatorEpoch().getAsInt())).all();
        });
        step("fence", () -> call(call(admin, "fenceProducers", List.of("golden-" + topic)), "all"));
        producer.close(Duration.ZERO);
    }

    static void consume(String server, String topic, String group, String... more) {
        TopicPartition partition = new TopicPartition(topic, 0);
        List<String> all = new ArrayList<>(List.of("group.id", group, "isolation.level", "read_committed"));
        all.addAll(List.of(more));
        KafkaConsumer<byte[], byte[]> consumer = consumer(server, all.toArray(new String[0]));
        step("consume " + group, () -> {
            consumer.subscribe(List.of(topic));
            for (int at = 0; at < 8; at++) consumer.poll(Duration.ofMillis(500));
            consumer.commitSync();
            consumer.committed(Set.of(partition));
            return null;
        });
        step("close", () -> { consumer.close(); return null; });
    }

    static void groups(Admin admin, String server, String topic, String group) {
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaConsumer<byte[], byte[]> consumer = consumer(server, "group.id", "assigned");
        step("validate", () -> {
            consumer.assign(List.of(partition));
            consumer.seek(partition, new OffsetAndMetadata(1, Optional.of(0), ""));
            for (int at = 0; at < 4; at++) consumer.poll(Duration.ofMillis(200));
            consumer.close();
            return null;
        });
        step("groups", () -> admin.listConsumerGroups().all());
        step("describe group", () -> admin.describeConsumerGroups(List.of(group)).all());
        step("group offsets", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        step("alter offsets", () -> admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(2))).all());
        step("delete offsets", () -> admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all());
        step("remove members", () -> admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all());
        step("delete group", () -> admin.deleteConsumerGroups(List.of(group)).all());
    }

    public static void main(String[] arguments) throws Exception {
        String server = arguments[0];
        String topic = "golden-" + System.currentTimeMillis();
        try (Admin admin = Admin.create(properties(server))) {
            topics(admin, topic);
            produce(admin, server, topic);
            transact(admin, server, topic, "golden-group");
            consume(server, topic, "golden-group");
            consume(server, topic, "golden-static", "group.instance.id", "one");
            groups(admin, server, topic, "golden-group");
            step("new protocol", () -> {
                Class.forName("org.apache.kafka.clients.consumer.CloseOptions"); // 4.1 and up
                consume(server, topic, "golden-new", "group.protocol", "consumer");
                return null;
            });
            step("newer admin", () -> {
                step("quorum", () -> call(call(admin, "describeMetadataQuorum"), "quorumInfo"));
                step("resources", () -> call(call(admin, "listConfigResources"), "all"));
                return admin.describeConsumerGroups(List.of("golden-new")).all();
            });
            step("update features", () -> {
                FeatureUpdate update = (FeatureUpdate) FeatureUpdate.class.getConstructors()[0].newInstance((short) 1,
                    Class.forName("org.apache.kafka.clients.admin.FeatureUpdate$UpgradeType").getEnumConstants()[1]);
                return admin.updateFeatures(Map.of("nonsense", update), new UpdateFeaturesOptions()).all();
            });
            step("delete topic", () -> admin.deleteTopics(List.of(topic)).all());
        }
    }
}
