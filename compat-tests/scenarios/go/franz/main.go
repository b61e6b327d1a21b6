// franz-go, and its admin package kadm.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "smack/compat/check"
)

func main() {
	Main(map[string]func() Facts{
		"round_trip": roundTrip, "admin_calls": adminCalls, "group": group, "offsets": offsets,
		"transactions": transactions, "group_transactions": groupTransactions, "large_and_empty": largeAndEmpty,
	})
}

func within() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 60*time.Second) //nolint:govet // the process ends with the scenario
	return ctx
}

func client(opts ...kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(Kafka), kgo.FetchMaxWait(500 * time.Millisecond)}, opts...)...)
	Ok(err, "a client")
	return c
}

func admin() *kadm.Client { return kadm.NewClient(client()) }

func create(topic string, partitions int32) string {
	a := admin()
	defer a.Close()
	_, err := a.CreateTopic(within(), partitions, 1, nil, topic)
	Ok(err, "creating "+topic)
	return topic
}

func name(err error) string {
	var ke *kerr.Error
	if errors.As(err, &ke) {
		return ke.Message
	}
	if err == nil {
		return "none"
	}
	return "other"
}

func read(c *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	ctx := within()
	for len(records) < count {
		fetches := c.PollFetches(ctx)
		Ok(ctx.Err(), fmt.Sprintf("%d of %d records", len(records), count))
		fetches.EachError(func(t string, p int32, err error) { Ok(err, "fetching") })
		records = append(records, fetches.Records()...)
	}
	Equal(len(records), count, "records read")
	return records
}

func readAll(topic string, count int, opts ...kgo.Opt) []*kgo.Record {
	c := client(append(opts, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	defer c.Close()
	return read(c, count)
}

func roundTrip() Facts {
	facts := Facts{}
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for codec, compression := range codecs {
		topic := create(Name("round-"+codec), 3)
		c := client(kgo.ProducerBatchCompression(compression), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		var records []*kgo.Record
		for i := int64(0); i < 300; i++ {
			r := &kgo.Record{
				Topic: topic, Partition: int32(i % 3), Key: []byte(fmt.Sprintf("key-%d", i)), Value: []byte(Payload(i)),
				Timestamp: time.UnixMilli(T0 + i), Headers: []kgo.RecordHeader{{Key: "n", Value: []byte(fmt.Sprint(i))}, {Key: "null"}},
			}
			if i%25 == 1 {
				r.Value = nil
			}
			records = append(records, r)
		}
		Ok(c.ProduceSync(within(), records...).FirstErr(), "producing")
		c.Close()
		for _, r := range readAll(topic, 300) {
			i := int64(r.Partition) + 3*r.Offset
			Equal(string(r.Key), fmt.Sprintf("key-%d", i), "key")
			if i%25 == 1 {
				That(r.Value == nil, "a null value came back as %q", r.Value)
			} else {
				Equal(string(r.Value), Payload(i), "value")
			}
			Equal(r.Timestamp.UnixMilli(), T0+i, "timestamp")
			Equal(string(r.Headers[0].Value), fmt.Sprint(i), "header")
			That(len(r.Headers) == 2 && r.Headers[1].Value == nil, "null header")
		}
		facts[codec] = 300
	}
	return facts
}

func adminCalls() Facts {
	a := admin()
	topic := create(Name("admin"), 2)
	facts := Facts{}
	_, err := a.CreateTopic(within(), 1, 1, nil, topic)
	facts["again"] = name(err)
	_, err = a.CreateTopic(within(), 1, 5, nil, Name("r"))
	facts["replicas"] = name(err)
	_, err = a.CreateTopic(within(), 1, 1, map[string]*string{"no.such": kadm.StringPtr("1")}, Name("c"))
	facts["config"] = name(err)
	_, err = a.UpdatePartitions(within(), 4, topic)
	Ok(err, "partitions")
	Until(func() bool {
		d, err := a.ListTopics(within(), topic)
		return err == nil && len(d[topic].Partitions) == 4
	}, "four partitions")
	_, err = a.AlterTopicConfigs(within(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("98765")}}, topic)
	Ok(err, "altering")
	Until(func() bool {
		d, err := a.DescribeTopicConfigs(within(), topic)
		if err != nil {
			return false
		}
		rc, err := d.On(topic, nil)
		Ok(err, "configs")
		for _, c := range rc.Configs {
			if c.Key == "retention.ms" {
				return *c.Value == "98765"
			}
		}
		return false
	}, "the change")
	m, err := a.BrokerMetadata(within())
	Ok(err, "metadata")
	That(m.Cluster != "" && len(m.Brokers) == 1, "metadata %v", m)
	versions, err := a.ApiVersions(within())
	Ok(err, "versions")
	facts["versions"] = len(versions)
	dirs, err := a.DescribeAllLogDirs(within(), nil)
	Ok(err, "log dirs")
	facts["dirs"] = len(dirs)
	responses, err := a.DeleteTopics(within(), topic)
	Ok(err, "deleting")
	Ok(responses[topic].Err, "deleting")
	Until(func() bool {
		responses, err = a.DeleteTopics(within(), topic)
		Ok(err, "deleting again")
		return name(responses[topic].Err) == "UNKNOWN_TOPIC_OR_PARTITION"
	}, "the topic is gone")
	return facts
}

type member struct {
	*kgo.Client
	mu       sync.Mutex
	seen     map[string]int
	assigned int
}

func join(topic, group string, opts ...kgo.Opt) *member {
	m := &member{seen: map[string]int{}}
	count := func(by int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.assigned += by * len(parts[topic])
		}
	}
	m.Client = client(append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(300*time.Millisecond), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(count(1)), kgo.OnPartitionsLost(count(-1)),
		kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, parts map[string][]int32) {
			Ok(c.CommitUncommittedOffsets(ctx), "committing on revocation")
			count(-1)(ctx, c, parts)
		}))...)
	return m
}

func (m *member) poll() {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	fetches := m.PollFetches(ctx)
	for _, r := range fetches.Records() {
		Equal(string(r.Value), Payload(r.Offset), "value")
		m.seen[fmt.Sprintf("%d/%d", r.Partition, r.Offset)]++
	}
	m.AllowRebalance()
}

func (m *member) partitions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.assigned
}

func group() Facts {
	topic, id := create(Name("group"), 4), Name("group")
	p := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	send := func(from, to int64) {
		var records []*kgo.Record
		for partition := int32(0); partition < 4; partition++ {
			for i := from; i < to; i++ {
				records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(Payload(i))})
			}
		}
		Ok(p.ProduceSync(within(), records...).FirstErr(), "producing")
	}
	send(0, 100)
	one := join(topic, id)
	Until(func() bool { one.poll(); return len(one.seen) == 400 }, "one member reads everything")
	two := join(topic, id)
	Until(func() bool { one.poll(); two.poll(); return one.partitions() == 2 && two.partitions() == 2 }, "two members share")
	send(100, 120)
	Until(func() bool { one.poll(); two.poll(); return len(one.seen)+len(two.seen) == 480 }, "both read what is new")
	for _, m := range []*member{one, two} {
		Ok(m.CommitUncommittedOffsets(within()), "committing")
		for at, times := range m.seen {
			Equal(times, 1, "how often was read "+at)
		}
	}
	two.Close()
	Until(func() bool { one.poll(); return one.partitions() == 4 }, "the partitions come back")
	one.Close()
	a := admin()
	fetched, err := a.FetchOffsets(within(), id)
	Ok(err, "offsets")
	var committed []int64
	fetched.Each(func(o kadm.OffsetResponse) { committed = append(committed, o.At) })
	Equal(committed, []int{120, 120, 120, 120}, "committed offsets")
	lags, err := a.Lag(within(), id)
	Ok(err, "lag")
	facts := Facts{"committed": committed, "lag": lags[id].Lag.Total(), "state": lags[id].State}
	deleted, err := a.DeleteGroups(within(), id)
	Ok(err, "deleting")
	facts["deleted"] = name(deleted[id].Err)
	return facts
}

func offsets() Facts {
	topic := create(Name("offsets"), 1)
	p := client()
	for i := int64(0); i < 20; i++ {
		Ok(p.ProduceSync(within(), &kgo.Record{Topic: topic, Value: []byte(Payload(i)), Timestamp: time.UnixMilli(T0 + 10*i)}).FirstErr(), "producing")
	}
	a := admin()
	facts := Facts{}
	at := func(listed kadm.ListedOffsets, err error) []int64 {
		Ok(err, "listing")
		o, _ := listed.Lookup(topic, 0)
		Ok(o.Err, "listing")
		return []int64{o.Offset, o.Timestamp, int64(o.LeaderEpoch)}
	}
	facts["start"] = at(a.ListStartOffsets(within(), topic))
	facts["end"] = at(a.ListEndOffsets(within(), topic))
	facts["committed"] = at(a.ListCommittedOffsets(within(), topic))
	facts["max timestamp"] = at(a.ListMaxTimestampOffsets(within(), topic))
	for _, t := range []int64{-1, 0, 15, 190, 191} {
		facts[fmt.Sprintf("after %d", t)] = at(a.ListOffsetsAfterMilli(within(), T0+t, topic))
	}
	deleted, err := a.DeleteRecords(within(), kadm.Offsets{topic: {0: kadm.Offset{Topic: topic, At: 7}}})
	Ok(err, "deleting")
	facts["low"] = deleted[topic][0].LowWatermark
	facts["read"] = readAll(topic, 13)[0].Offset
	return facts
}

func values(records []*kgo.Record) map[string]int {
	counts := map[string]int{}
	for _, r := range records {
		counts[strings.Fields(string(r.Value))[0]]++
	}
	return counts
}

func transactions() Facts {
	topic := create(Name("tx"), 2)
	c := client(kgo.TransactionalID(Name("tx")), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		Ok(c.BeginTransaction(), "begin")
		for i := 0; i < 10; i++ {
			value := "yes"
			if commit == kgo.TryAbort {
				value = "no"
			}
			Ok(c.ProduceSync(within(), kgo.StringRecord(value)).FirstErr(), "producing")
		}
		Ok(c.EndTransaction(within(), commit), "end")
	}
	c.Close()
	visible := values(readAll(topic, 20, kgo.FetchIsolationLevel(kgo.ReadCommitted())))
	all := values(readAll(topic, 30))
	return Facts{"visible": visible, "all": all}
}

// groupTransactions copies from a topic to another exactly once, offsets in the transactions.
func groupTransactions() Facts {
	source, sink, id := create(Name("gtx-in"), 2), create(Name("gtx-out"), 1), Name("gtx")
	p := client()
	for i := int64(0); i < 100; i++ {
		Ok(p.ProduceSync(within(), &kgo.Record{Topic: source, Value: []byte(Payload(i))}).FirstErr(), "producing")
	}
	s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(Kafka), kgo.TransactionalID(Name("gtx")), kgo.ConsumerGroup(id),
		kgo.ConsumeTopics(source), kgo.DefaultProduceTopic(sink), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets())
	Ok(err, "a session")
	copied := 0
	Until(func() bool {
		fetches := s.PollRecords(within(), 30)
		Ok(s.Begin(), "begin")
		fetches.EachRecord(func(r *kgo.Record) { s.Produce(within(), &kgo.Record{Value: r.Value}, nil) })
		committed, err := s.End(within(), kgo.TryCommit)
		Ok(err, "end")
		if committed {
			copied += fetches.NumRecords()
		}
		return copied == 100
	}, "everything is copied")
	s.Close()
	var got, want []string
	for _, r := range readAll(sink, 100, kgo.FetchIsolationLevel(kgo.ReadCommitted())) {
		got = append(got, string(r.Value))
	}
	for i := int64(0); i < 100; i++ {
		want = append(want, Payload(i))
	}
	sort.Strings(got)
	sort.Strings(want)
	Equal(got, want, "copied values")
	return Facts{"copied": copied}
}

func largeAndEmpty() Facts {
	topic := create(Name("large"), 1)
	big := strings.Repeat("b", 900_000)
	c := client(kgo.ProducerBatchMaxBytes(10_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.DefaultProduceTopic(topic), kgo.RecordRetries(2))
	Ok(c.ProduceSync(within(), kgo.StringRecord(big)).FirstErr(), "producing")
	tooLarge := name(c.ProduceSync(within(), kgo.StringRecord(strings.Repeat("c", 2_000_000))).FirstErr())
	records := readAll(topic, 1)
	That(string(records[0].Value) == big, "the large value is another")
	empty := create(Name("empty"), 2)
	a := admin()
	ends, err := a.ListEndOffsets(within(), empty)
	Ok(err, "listing")
	return Facts{"too large": tooLarge, "end": ends[empty][1].Offset}
}
