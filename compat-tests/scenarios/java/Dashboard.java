import java.time.Duration;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;

/**
 * What tools with a web page (kafka-ui, AKHQ, Kafdrop) ask of a cluster: everything of everything at once, and then what their
 * buttons change. Others use the broker meanwhile, so only what is this run's own is told.
 */
final class Dashboard extends Scenarios {
    private final Map<String, Object> facts = new TreeMap<>();
    private final String topic = name("board");
    private final List<TopicPartition> parts = partitions(topic, 3);
    private final String classic = name("board-classic");
    private final String modern = name("board-modern");
    private final Admin admin;

    private Dashboard(Admin admin) {
        this.admin = admin;
    }

    static Object look() throws Exception {
        try (Admin admin = admin()) {
            Dashboard board = new Dashboard(admin);
            board.fill();
            try (KafkaConsumer<String, String> reader = board.reader(); KafkaProducer<String, String> writer = board.openTransaction()) {
                board.nodes();
                board.topics();
                board.configs();
                board.positions();
                board.groups();
                board.producers();
                writer.abortTransaction();
            }
            board.security();
            board.buttons();
            return board.facts;
        }
    }

    /** Thirty records, and a group that has read a part of them. */
    private void fill() throws Exception {
        create(topic, 3, "retention.ms", "604800001");
        try (KafkaProducer<String, String> producer = producer(); KafkaConsumer<String, String> consumer = consumer(classic)) {
            for (int i = 0; i < 30; i++) producer.send(new ProducerRecord<>(topic, i % 3, T0 + i, "key " + i, payload(i))).get();
            consumer.assign(parts);
            consumer.commitSync(Map.of(parts.get(0), new OffsetAndMetadata(4), parts.get(1), new OffsetAndMetadata(10)));
        }
    }

    /** A member of a group in the newer protocol. */
    private KafkaConsumer<String, String> reader() throws Exception {
        KafkaConsumer<String, String> reader = consumer(modern, "group.protocol", "consumer", "client.id", "board");
        reader.subscribe(List.of(topic));
        Set<String> seen = new HashSet<>();
        until(() -> { reader.poll(Duration.ofMillis(100)).forEach(r -> seen.add(r.key())); return seen.size() == 30; }, "all is read");
        reader.commitSync();
        return reader;
    }

    private KafkaProducer<String, String> openTransaction() throws Exception {
        KafkaProducer<String, String> writer = producer("transactional.id", name("board"));
        writer.initTransactions();
        writer.beginTransaction();
        writer.send(new ProducerRecord<>(topic, 2, null, "open")).get();
        return writer;
    }

    private void nodes() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        int node = cluster.controller().get().id();
        facts.put("operations", names(cluster.authorizedOperations().get()));
        facts.put("brokers", cluster.nodes().get().stream().map(n -> List.of(n.id() == node, n.host(), n.isFenced())).collect(Collectors.toList()));
        Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
        facts.put("log dirs", dirs.values().stream().map(d -> List.of(d.error() == null, d.totalBytes().getAsLong() > d.usableBytes().getAsLong(),
                d.usableBytes().getAsLong() > 0, parts.stream().filter(p -> d.replicaInfos().get(p).size() > 0).count())).collect(Collectors.toList()));
        QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
        facts.put("quorum", List.of(quorum.leaderId() == node, quorum.voters().size(), quorum.highWatermark() >= 0));
        FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
        facts.put("metadata version is final", features.finalizedFeatures().containsKey("metadata.version"));
    }

    private void topics() throws Exception {
        Map<String, TopicListing> listed = admin.listTopics(new ListTopicsOptions().listInternal(true)).namesToListings().get();
        facts.put("listed", listed.get(topic).isInternal());
        // A topic of another scenario may go meanwhile.
        DescribeTopicsOptions options = new DescribeTopicsOptions().includeAuthorizedOperations(true);
        Map<String, KafkaFuture<TopicDescription>> all = admin.describeTopics(listed.keySet(), options).topicNameValues();
        equal(all.size(), listed.size(), "topics described");
        TopicDescription mine = all.get(topic).get();
        facts.put("topic", List.of(mine.partitions().size(), mine.isInternal(), mine.topicId().equals(listed.get(topic).topicId()), names(mine.authorizedOperations())));
        facts.put("partitions", mine.partitions().stream().map(p -> List.of(p.partition(), p.replicas().size(), p.isr().size(), p.leader() != null,
                p.elr().size(), p.lastKnownElr().size())).collect(Collectors.toList()));
        facts.put("no such topic", error(() -> admin.describeTopics(List.of(name("nowhere"))).allTopicNames()));
    }

    private void configs() throws Exception {
        String node = String.valueOf(admin.describeCluster().controller().get().id());
        DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        List<ConfigResource> all = new ArrayList<>();
        for (String name : admin.listTopics().names().get()) all.add(resource(ConfigResource.Type.TOPIC, name));
        all.add(resource(ConfigResource.Type.BROKER, node));
        all.add(resource(ConfigResource.Type.BROKER_LOGGER, node));
        Map<ConfigResource, KafkaFuture<Config>> answers = admin.describeConfigs(all, options).values();
        equal(answers.size(), all.size(), "resources described");
        Config mine = answers.get(resource(ConfigResource.Type.TOPIC, topic)).get();
        facts.put("set", mine.entries().stream().filter(e -> e.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .map(e -> List.of(e.name(), e.value(), e.synonyms().size())).collect(Collectors.toList()));
        facts.put("documented", mine.entries().stream().allMatch(e -> e.documentation() != null));
        Config broker = answers.get(resource(ConfigResource.Type.BROKER, node)).get();
        facts.put("of a broker", List.of(broker.get("node.id").value().equals(node), broker.get("delete.topic.enable") != null,
                broker.entries().stream().allMatch(e -> e.documentation() != null)));
        facts.put("loggers", answers.get(resource(ConfigResource.Type.BROKER_LOGGER, node)).get().entries().isEmpty());
        facts.put("of all brokers", admin.describeConfigs(List.of(resource(ConfigResource.Type.BROKER, ""))).all().get().size());
        facts.put("of a group", admin.describeConfigs(List.of(resource(ConfigResource.Type.GROUP, modern))).all().get().values().iterator().next()
                .get("consumer.session.timeout.ms").value());
    }

    /** Each partition by another specification in one call. */
    private void positions() throws Exception {
        List<List<OffsetSpec>> asked = List.of(
                List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp()),
                List.of(OffsetSpec.forTimestamp(T0 + 15), OffsetSpec.forTimestamp(T0 + 1000), OffsetSpec.earliestLocal()));
        List<Object> told = new ArrayList<>();
        for (List<OffsetSpec> specs : asked) {
            Map<TopicPartition, OffsetSpec> request = new HashMap<>();
            for (int i = 0; i < specs.size(); i++) request.put(parts.get(i), specs.get(i));
            Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> found = admin.listOffsets(request).all().get();
            // The record of the open transaction came just now.
            for (TopicPartition part : parts) told.add(List.of(found.get(part).offset(), Math.min(found.get(part).timestamp(), T0 + 1000)));
        }
        facts.put("offsets", told);
        Map<TopicPartition, OffsetSpec> ends = parts.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
        facts.put("stable ends", admin.listOffsets(ends, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get().entrySet().stream()
                .map(e -> List.of(e.getKey().partition(), e.getValue().offset())).sorted(Comparator.comparing(Object::toString)).collect(Collectors.toList()));
    }

    private void groups() throws Exception {
        for (GroupType type : List.of(GroupType.CLASSIC, GroupType.CONSUMER)) {
            ListGroupsOptions options = new ListGroupsOptions().withTypes(Set.of(type)).inGroupStates(Set.of(GroupState.EMPTY, GroupState.STABLE));
            facts.put("groups, " + type, admin.listGroups(options).all().get().stream().filter(g -> g.groupId().contains("board"))
                    .map(g -> List.of(g.groupId(), g.groupState().get(), g.protocol(), g.isSimpleConsumerGroup())).collect(Collectors.toList()));
        }
        DescribeConsumerGroupsOptions options = new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true);
        Map<String, ConsumerGroupDescription> all = admin.describeConsumerGroups(List.of(classic, modern), options).all().get();
        for (ConsumerGroupDescription group : all.values()) {
            facts.put("group " + group.groupId(), List.of(group.groupState(), group.type(), group.partitionAssignor(), group.members().size(),
                    group.coordinator() != null, names(group.authorizedOperations())));
        }
        Map<String, ListConsumerGroupOffsetsSpec> specs = Map.of(classic, new ListConsumerGroupOffsetsSpec(), modern, new ListConsumerGroupOffsetsSpec());
        admin.listConsumerGroupOffsets(specs).all().get().forEach((group, offsets) -> facts.put("committed by " + group, offsets.entrySet().stream()
                .map(e -> List.of(e.getKey().partition(), e.getValue().offset())).sorted(Comparator.comparing(Object::toString)).collect(Collectors.toList())));
    }

    private void producers() throws Exception {
        facts.put("producers", admin.describeProducers(parts).all().get().values().stream()
                .map(p -> p.activeProducers().stream().filter(one -> one.currentTransactionStartOffset().isPresent()).count()).sorted().collect(Collectors.toList()));
        ListTransactionsOptions ongoing = new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING));
        facts.put("transactions", admin.listTransactions(ongoing).all().get().stream().map(TransactionListing::transactionalId)
                .filter(id -> id.equals(name("board"))).collect(Collectors.toList()));
        TransactionDescription mine = admin.describeTransactions(List.of(name("board"))).all().get().get(name("board"));
        facts.put("transaction", List.of(mine.state(), mine.topicPartitions().size(), mine.transactionTimeoutMs()));
    }

    private void security() {
        facts.put("acls", error(() -> admin.describeAcls(AclBindingFilter.ANY).values()));
        AclBinding binding = new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:board", "*", AclOperation.READ, AclPermissionType.ALLOW));
        facts.put("new acl", error(() -> admin.createAcls(List.of(binding)).all()));
        facts.put("quotas", errorName(() -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities()));
        ClientQuotaEntity everybody = new ClientQuotaEntity(Collections.singletonMap(ClientQuotaEntity.CLIENT_ID, null));
        ClientQuotaAlteration slower = new ClientQuotaAlteration(everybody, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6)));
        facts.put("new quota", errorName(() -> admin.alterClientQuotas(List.of(slower), new AlterClientQuotasOptions().validateOnly(true)).all()));
        facts.put("scram users", errorName(() -> admin.describeUserScramCredentials().all()));
        facts.put("delegation tokens", errorName(() -> admin.describeDelegationToken().delegationTokens()));
    }

    /** What the buttons of such a page do. */
    private void buttons() throws Exception {
        int node = admin.describeCluster().controller().get().id();
        ConfigResource resource = resource(ConfigResource.Type.TOPIC, topic);
        facts.put("change", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SET),
                new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE)))).all()));
        until(() -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value().equals("compact"), "the change");
        facts.put("messages of a compacted topic", error(() -> admin.deleteRecords(Map.of(parts.get(0), RecordsToDelete.beforeOffset(-1))).all()));
        facts.put("change back", error(() -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("cleanup.policy", ""), AlterConfigOp.OpType.DELETE)))).all()));
        until(() -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value().equals("delete"), "the change back");
        facts.put("clear messages", admin.deleteRecords(Map.of(parts.get(0), RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(parts.get(0)).get().lowWatermark());
        facts.put("more partitions", error(() -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all()));
        until(() -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 5, "five partitions");
        facts.put("fewer partitions", error(() -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all()));
        facts.put("more replicas", errorName(() -> admin.alterPartitionReassignments(Map.of(parts.get(0), Optional.of(new NewPartitionReassignment(List.of(node, 77))))).all()));
        facts.put("moves", admin.listPartitionReassignments(new HashSet<>(parts)).reassignments().get().size());
        facts.put("elect", errorName(() -> admin.electLeaders(ElectionType.PREFERRED, new HashSet<>(parts)).all()));
        facts.put("elect an unclean one", errorName(() -> admin.electLeaders(ElectionType.UNCLEAN, new HashSet<>(parts)).all()));
        facts.put("reset a group", error(() -> admin.alterConsumerGroupOffsets(classic, Map.of(parts.get(0), new OffsetAndMetadata(10))).all()));
        facts.put("after the reset", admin.listConsumerGroupOffsets(classic).partitionsToOffsetAndMetadata().get().get(parts.get(0)).offset());
        until(() -> admin.describeConsumerGroups(List.of(modern)).all().get().get(modern).members().isEmpty(), "an empty group");
        facts.put("delete groups", error(() -> admin.deleteConsumerGroups(List.of(classic, modern)).all()));
        facts.put("delete the topic", error(() -> admin.deleteTopics(List.of(topic)).all()));
        until(() -> !admin.listTopics().names().get().contains(topic), "no topic");
    }

    private static ConfigResource resource(ConfigResource.Type type, String name) {
        return new ConfigResource(type, name);
    }

    private static List<String> names(Collection<?> values) {
        return values.stream().map(Object::toString).sorted().collect(Collectors.toList());
    }
}
