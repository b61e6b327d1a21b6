// kafka-go: Readers, Writers and the low-level client.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	. "smack/compat/check"
)

func main() {
	Main(map[string]func() Facts{
		"round_trip": roundTrip, "admin_calls": adminCalls, "group": group, "offsets": offsets, "large_and_empty": largeAndEmpty,
	})
}

var low = &kafka.Client{Addr: kafka.TCP(Kafka), Timeout: 30 * time.Second}

func within() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 60*time.Second) //nolint:govet // the process ends with the scenario
	return ctx
}

func name(err error) string {
	var ke kafka.Error
	if errors.As(err, &ke) {
		return ke.Title()
	}
	if err == nil {
		return "none"
	}
	return "other"
}

func tryCreate(topic string, partitions, replicas int) error {
	response, err := low.CreateTopics(within(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: replicas}},
	})
	Ok(err, "creating "+topic)
	return response.Errors[topic]
}

func create(topic string, partitions int) string {
	Ok(tryCreate(topic, partitions, 1), "creating "+topic)
	return topic
}

// byKey sends a record to the partition that its key names.
var byKey = kafka.BalancerFunc(func(m kafka.Message, partitions ...int) int {
	var n int
	_, _ = fmt.Sscanf(string(m.Key), "key-%d", &n)
	return partitions[n%len(partitions)]
})

func writer(topic string) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(Kafka), Topic: topic, Balancer: byKey, RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond}
}

func read(r *kafka.Reader, count int) []kafka.Message {
	var messages []kafka.Message
	for len(messages) < count {
		m, err := r.FetchMessage(within())
		Ok(err, fmt.Sprintf("record %d of %d", len(messages), count))
		messages = append(messages, m)
	}
	return messages
}

func reader(topic string, partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{Kafka}, Topic: topic, Partition: partition, MaxWait: 300 * time.Millisecond, MaxBytes: 20_000_000})
}

func roundTrip() Facts {
	facts := Facts{}
	codecs := map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}
	for codec, compression := range codecs {
		topic := create(Name("round-"+codec), 3)
		w := writer(topic)
		w.Compression = compression
		var messages []kafka.Message
		for i := int64(0); i < 300; i++ {
			messages = append(messages, kafka.Message{
				Key: []byte(fmt.Sprintf("key-%d", i)), Value: []byte(Payload(i)), Time: time.UnixMilli(T0 + i),
				Headers: []kafka.Header{{Key: "n", Value: []byte(fmt.Sprint(i))}},
			})
		}
		Ok(w.WriteMessages(within(), messages...), "writing")
		Ok(w.Close(), "closing")
		for partition := range 3 {
			r := reader(topic, partition)
			for _, m := range read(r, 100) {
				i := int64(partition) + 3*m.Offset
				Equal(string(m.Key), fmt.Sprintf("key-%d", i), "key")
				Equal(string(m.Value), Payload(i), "value")
				Equal(m.Time.UnixMilli(), T0+i, "timestamp")
				Equal(string(m.Headers[0].Value), fmt.Sprint(i), "header")
			}
			Ok(r.Close(), "closing")
		}
		facts[codec] = 300
	}
	return facts
}

func adminCalls() Facts {
	topic := create(Name("admin"), 2)
	facts := Facts{"again": name(tryCreate(topic, 1, 1)), "replicas": name(tryCreate(Name("r"), 1, 4)), "bad name": name(tryCreate("a b", 1, 1))}
	partitions := func() int {
		m, err := low.Metadata(within(), &kafka.MetadataRequest{Topics: []string{topic}})
		Ok(err, "metadata")
		return len(m.Topics[0].Partitions)
	}
	Equal(partitions(), 2, "partitions")
	added, err := low.CreatePartitions(within(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 4}}})
	Ok(err, "adding")
	Ok(added.Errors[topic], "adding")
	Until(func() bool { return partitions() == 4 }, "four partitions")
	altered, err := low.IncrementalAlterConfigs(within(), &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "98765", ConfigOperation: kafka.ConfigOperationSet}},
	}}})
	Ok(err, "altering")
	Ok(altered.Resources[0].Error, "altering")
	deleted, err := low.DeleteTopics(within(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	Ok(err, "deleting")
	Ok(deleted.Errors[topic], "deleting")
	versions, err := low.ApiVersions(within(), &kafka.ApiVersionsRequest{})
	Ok(err, "versions")
	That(len(versions.ApiKeys) > 40, "only %d calls", len(versions.ApiKeys))
	return facts
}

func group() Facts {
	topic, id := create(Name("group"), 4), Name("group")
	w := writer(topic)
	send := func(from, to int64) {
		var messages []kafka.Message
		for i := from; i < to; i++ {
			for partition := range 4 {
				messages = append(messages, kafka.Message{Key: []byte(fmt.Sprintf("key-%d", partition)), Value: []byte(Payload(i))})
			}
		}
		Ok(w.WriteMessages(within(), messages...), "writing")
	}
	join := func() *kafka.Reader {
		return kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{Kafka}, GroupID: id, Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 300 * time.Millisecond,
			HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 10 * time.Second, JoinGroupBackoff: 500 * time.Millisecond,
		})
	}
	send(0, 100)
	one := join()
	first := read(one, 400)
	Ok(one.CommitMessages(within(), first...), "committing")
	two := join()
	described := func() int {
		d, err := low.DescribeGroups(within(), &kafka.DescribeGroupsRequest{GroupIDs: []string{id}})
		Ok(err, "describing")
		if d.Groups[0].GroupState != "Stable" {
			return 0
		}
		return len(d.Groups[0].Members)
	}
	Until(func() bool { return described() == 2 }, "two members")
	send(100, 120)
	seen := map[string]bool{}
	messages := make(chan kafka.Message)
	ctx, cancel := context.WithCancel(context.Background())
	for _, r := range []*kafka.Reader{one, two} {
		go func() {
			for {
				m, err := r.FetchMessage(ctx)
				if err != nil {
					return
				}
				if r.CommitMessages(ctx, m) != nil {
					return
				}
				messages <- m
			}
		}()
	}
	end := time.After(40 * time.Second)
	for len(seen) < 80 {
		select {
		case m := <-messages:
			Equal(string(m.Value), Payload(m.Offset), "value")
			seen[fmt.Sprintf("%d/%d", m.Partition, m.Offset)] = true
		case <-end:
			That(false, "only %d of 80 new records", len(seen))
		}
	}
	committed := func() (offsets []int64) {
		f, err := low.OffsetFetch(within(), &kafka.OffsetFetchRequest{GroupID: id, Topics: map[string][]int{topic: {0, 1, 2, 3}}})
		Ok(err, "offsets")
		for _, p := range f.Topics[topic] {
			offsets = append(offsets, p.CommittedOffset)
		}
		return offsets
	}
	Until(func() bool { return fmt.Sprint(committed()) == "[120 120 120 120]" }, "everything is committed")
	cancel()
	Ok(two.Close(), "closing")
	Ok(one.Close(), "closing")
	return Facts{"committed": committed()}
}

func offsets() Facts {
	topic := create(Name("offsets"), 1)
	w := writer(topic)
	for i := int64(0); i < 20; i++ {
		Ok(w.WriteMessages(within(), kafka.Message{Value: []byte(Payload(i)), Time: time.UnixMilli(T0 + 10*i)}), "writing")
	}
	facts := Facts{}
	listed, err := low.ListOffsets(within(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}})
	Ok(err, "listing")
	facts["ends"] = []int64{listed.Topics[topic][0].FirstOffset, listed.Topics[topic][0].LastOffset}
	for _, at := range []int64{0, 15, 190} {
		r := reader(topic, 0)
		Ok(r.SetOffsetAt(within(), time.UnixMilli(T0+at)), "seeking")
		facts[fmt.Sprintf("at %d", at)] = read(r, 1)[0].Offset
		Ok(r.Close(), "closing")
	}
	return facts
}

func largeAndEmpty() Facts {
	topic := create(Name("large"), 1)
	big := strings.Repeat("b", 900_000)
	w := writer(topic)
	w.BatchBytes, w.MaxAttempts = 10_000_000, 1
	Ok(w.WriteMessages(within(), kafka.Message{Value: []byte(big)}), "writing")
	err := w.WriteMessages(within(), kafka.Message{Value: []byte(strings.Repeat("c", 2_000_000))})
	var errs kafka.WriteErrors
	if errors.As(err, &errs) {
		err = errs[0]
	}
	That(string(read(reader(topic, 0), 1)[0].Value) == big, "the large value is another")
	empty := create(Name("empty"), 1)
	r := reader(empty, 0)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, readErr := r.FetchMessage(ctx)
	That(errors.Is(readErr, context.DeadlineExceeded), "an empty topic gave %v", readErr)
	return Facts{"too large": name(err)}
}
