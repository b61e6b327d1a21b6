// sarama.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "smack/compat/check"
)

func main() {
	Main(map[string]func() Facts{
		"round_trip": roundTrip, "admin_calls": adminCalls, "group": group, "offsets": offsets, "transactions": transactions,
		"large_and_empty": largeAndEmpty, "old_versions": oldVersions,
	})
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.MaxWaitTime = 300 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	return c
}

func admin() sarama.ClusterAdmin {
	a, err := sarama.NewClusterAdmin([]string{Kafka}, config())
	Ok(err, "an admin")
	return a
}

func create(topic string, partitions int32) string {
	Ok(admin().CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false), "creating "+topic)
	return topic
}

func name(err error) string {
	var code sarama.KError
	var topic *sarama.TopicError
	var partition *sarama.TopicPartitionError
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &topic):
		return topic.Err.Error()
	case errors.As(err, &partition):
		return partition.Err.Error()
	case errors.As(err, &code):
		return code.Error()
	}
	return "other"
}

func producer(c *sarama.Config) sarama.SyncProducer {
	p, err := sarama.NewSyncProducer([]string{Kafka}, c)
	Ok(err, "a producer")
	return p
}

func read(topic string, partition int32, count int, c *sarama.Config) []*sarama.ConsumerMessage {
	consumer, err := sarama.NewConsumer([]string{Kafka}, c)
	Ok(err, "a consumer")
	defer consumer.Close()
	claim, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
	Ok(err, "consuming")
	defer claim.Close()
	var messages []*sarama.ConsumerMessage
	end := time.After(40 * time.Second)
	for len(messages) < count {
		select {
		case m := <-claim.Messages():
			messages = append(messages, m)
		case <-end:
			That(false, "only %d of %d records", len(messages), count)
		}
	}
	return messages
}

func roundTripWith(c *sarama.Config, codecs map[string]sarama.CompressionCodec) Facts {
	facts := Facts{}
	for codec, compression := range codecs {
		topic := create(Name("round-"+codec), 3)
		c.Producer.Compression = compression
		p := producer(c)
		var messages []*sarama.ProducerMessage
		for i := int64(0); i < 300; i++ {
			m := &sarama.ProducerMessage{
				Topic: topic, Partition: int32(i % 3), Key: sarama.StringEncoder(fmt.Sprintf("key-%d", i)), Value: sarama.StringEncoder(Payload(i)),
				Timestamp: time.UnixMilli(T0 + i),
			}
			if c.Version.IsAtLeast(sarama.V0_11_0_0) {
				m.Headers = []sarama.RecordHeader{{Key: []byte("n"), Value: []byte(fmt.Sprint(i))}}
			}
			messages = append(messages, m)
		}
		Ok(p.SendMessages(messages), "sending")
		Ok(p.Close(), "closing")
		for partition := range int32(3) {
			for _, m := range read(topic, partition, 100, c) {
				i := int64(partition) + 3*m.Offset
				Equal(string(m.Key), fmt.Sprintf("key-%d", i), "key")
				Equal(string(m.Value), Payload(i), "value")
				Equal(m.Timestamp.UnixMilli(), T0+i, "timestamp")
				Equal(string(m.Headers[0].Value), fmt.Sprint(i), "header")
			}
		}
		facts[codec] = 300
	}
	return facts
}

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
	"zstd": sarama.CompressionZSTD,
}

func roundTrip() Facts {
	c := config()
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
	return roundTripWith(c, codecs)
}

// oldVersions speaks as clients of years ago did.
func oldVersions() Facts {
	facts := Facts{}
	for _, version := range []sarama.KafkaVersion{sarama.V1_0_0_0, sarama.V2_1_0_0, sarama.V2_8_0_0} {
		c := config()
		c.Version = version
		topic := create(Name("old-"+version.String()), 1)
		p := producer(c)
		_, offset, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(Payload(1))})
		if err != nil {
			facts[version.String()] = name(err)
			continue
		}
		consumer, err := sarama.NewConsumer([]string{Kafka}, c)
		Ok(err, "a consumer")
		claim, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
		if err != nil {
			facts[version.String()] = "consuming: " + name(err)
			continue
		}
		select {
		case m := <-claim.Messages():
			Equal(string(m.Value), Payload(1), "value")
			facts[version.String()] = []int64{offset, m.Offset}
		case <-time.After(20 * time.Second):
			facts[version.String()] = "nothing came"
		}
	}
	return facts
}

func adminCalls() Facts {
	a := admin()
	topic := create(Name("admin"), 2)
	facts := Facts{
		"again":    name(a.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)),
		"replicas": name(a.CreateTopic(Name("r"), &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 9}, false)),
		"bad name": name(a.CreateTopic("a b", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)),
	}
	Ok(a.CreatePartitions(topic, 4, nil, false), "partitions")
	Until(func() bool {
		d, err := a.DescribeTopics([]string{topic})
		return err == nil && len(d[0].Partitions) == 4
	}, "four partitions")
	facts["fewer"] = name(a.CreatePartitions(topic, 1, nil, false))
	value := "98765"
	Ok(a.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}, false), "altering")
	Until(func() bool {
		entries, err := a.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}})
		return err == nil && len(entries) == 1 && entries[0].Value == value
	}, "the change")
	brokers, controller, err := a.DescribeCluster()
	Ok(err, "describing")
	facts["brokers"] = len(brokers)
	That(controller > 0 || len(brokers) == 1, "no controller")
	Ok(a.DeleteTopic(topic), "deleting")
	Until(func() bool { return name(a.DeleteTopic(topic)) != "none" }, "the topic is gone")
	facts["delete again"] = name(a.DeleteTopic(topic))
	return facts
}

type member struct {
	mu      sync.Mutex
	seen    map[string]int
	claimed int
	stop    context.CancelFunc
	done    chan struct{}
}

func (m *member) Setup(s sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claimed = 0
	for _, partitions := range s.Claims() {
		m.claimed += len(partitions)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case r, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			Equal(string(r.Value), Payload(r.Offset), "value")
			m.mu.Lock()
			m.seen[fmt.Sprintf("%d/%d", r.Partition, r.Offset)]++
			m.mu.Unlock()
			s.MarkMessage(r, "")
		case <-s.Context().Done():
			return nil
		}
	}
}

func (m *member) is(condition func() bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return condition()
}

func join(topic, id string) *member {
	g, err := sarama.NewConsumerGroup([]string{Kafka}, id, config())
	Ok(err, "a group")
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{seen: map[string]int{}, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			Ok(g.Consume(ctx, []string{topic}, m), "consuming")
		}
		Ok(g.Close(), "closing")
	}()
	return m
}

func group() Facts {
	topic, id := create(Name("group"), 4), Name("group")
	p := producer(config())
	send := func(from, to int64) {
		var messages []*sarama.ProducerMessage
		for partition := range int32(4) {
			for i := from; i < to; i++ {
				messages = append(messages, &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(Payload(i))})
			}
		}
		Ok(p.SendMessages(messages), "sending")
	}
	send(0, 100)
	one := join(topic, id)
	Until(func() bool { return one.is(func() bool { return len(one.seen) == 400 }) }, "one member reads everything")
	two := join(topic, id)
	Until(func() bool { return one.is(func() bool { return one.claimed == 2 }) && two.is(func() bool { return two.claimed == 2 }) }, "two members share")
	send(100, 120)
	both := func() int {
		one.mu.Lock()
		two.mu.Lock()
		defer one.mu.Unlock()
		defer two.mu.Unlock()
		all := map[string]bool{}
		for _, m := range []*member{one, two} {
			for at := range m.seen {
				all[at] = true
			}
		}
		return len(all)
	}
	Until(func() bool { return both() == 480 }, "both read what is new")
	two.stop()
	<-two.done
	Until(func() bool { return one.is(func() bool { return one.claimed == 4 }) }, "the partitions come back")
	one.stop()
	<-one.done
	a := admin()
	fetched, err := a.ListConsumerGroupOffsets(id, map[string][]int32{topic: {0, 1, 2, 3}})
	Ok(err, "offsets")
	var committed []int64
	for partition := range int32(4) {
		committed = append(committed, fetched.GetBlock(topic, partition).Offset)
	}
	Equal(committed, []int{120, 120, 120, 120}, "committed offsets")
	described, err := a.DescribeConsumerGroups([]string{id})
	Ok(err, "describing")
	facts := Facts{"committed": committed, "state": described[0].State}
	facts["deleted"] = name(a.DeleteConsumerGroup(id))
	return facts
}

func offsets() Facts {
	topic := create(Name("offsets"), 1)
	p := producer(config())
	for i := int64(0); i < 20; i++ {
		_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(Payload(i)), Timestamp: time.UnixMilli(T0 + 10*i)})
		Ok(err, "sending")
	}
	c, err := sarama.NewClient([]string{Kafka}, config())
	Ok(err, "a client")
	facts := Facts{}
	for what, at := range map[string]int64{"oldest": sarama.OffsetOldest, "newest": sarama.OffsetNewest, "0": T0, "15": T0 + 15, "191": T0 + 191} {
		offset, err := c.GetOffset(topic, 0, at)
		facts["at "+what] = []any{offset, name(err)}
	}
	Ok(admin().DeleteRecords(topic, map[int32]int64{0: 7}), "deleting")
	facts["read"] = read(topic, 0, 13, config())[0].Offset
	return facts
}

func transactions() Facts {
	topic := create(Name("tx"), 2)
	c := config()
	c.Producer.Idempotent = true
	c.Producer.Transaction.ID = Name("tx")
	c.Net.MaxOpenRequests = 1
	p := producer(c)
	for _, commit := range []bool{true, false, true} {
		Ok(p.BeginTxn(), "begin")
		for i := range 10 {
			_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Partition: int32(i % 2), Value: sarama.StringEncoder(fmt.Sprint(commit))})
			Ok(err, "sending")
		}
		Ok(p.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{topic: {{Partition: 0, Offset: 5}}}, Name("tx")), "offsets")
		if commit {
			Ok(p.CommitTxn(), "commit")
		} else {
			Ok(p.AbortTxn(), "abort")
		}
	}
	Ok(p.Close(), "closing")
	r := config()
	r.Consumer.IsolationLevel = sarama.ReadCommitted
	visible := 0
	for partition := range int32(2) {
		for _, m := range read(topic, partition, 10, r) {
			Equal(string(m.Value), "true", "a visible record")
			visible++
		}
	}
	return Facts{"visible": visible, "all": len(read(topic, 0, 15, config()))}
}

func largeAndEmpty() Facts {
	topic := create(Name("large"), 1)
	big := strings.Repeat("b", 900_000)
	c := config()
	c.Producer.MaxMessageBytes = 10_000_000
	c.Producer.Retry.Max = 0
	p := producer(c)
	_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(big)})
	Ok(err, "sending")
	_, _, err = p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(strings.Repeat("c", 2_000_000))})
	That(string(read(topic, 0, 1, config())[0].Value) == big, "the large value is another")
	return Facts{"too large": name(err)}
}
